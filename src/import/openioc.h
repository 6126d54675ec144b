/* openioc.h: which terms of OpenIOC name something that records hold. */
#ifndef DM_IMPORT_OPENIOC_H
#define DM_IMPORT_OPENIOC_H

#include "base/sv.h"
#include "model/observable.h"

/* Context/@search -> dictionary type; DM_OBS_NONE for what no record holds. Case is ignored, as tools write
 * it either way. */
enum dm_obs_type openioc_term(struct dm_sv search);

#endif
