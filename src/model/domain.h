/* domain.h: what the other files of model/ need of names; the rest of the program uses observable.h. */
#ifndef DM_MODEL_DOMAIN_H
#define DM_MODEL_DOMAIN_H

#include "base/limits.h"
#include "model/observable.h"

/* Canonical host name into `out`, not terminated; its length, 0 if refused. */
size_t dm_domain_strict(struct dm_sv raw, char out[DM_MAX_DOMAIN + 1]);
/* The form for evidence, appended: lower case, A-labels where that works, no dots at the end; any bytes but
 * 0x00 and 0x01. */
bool dm_domain_lenient(struct dm_sv raw, struct dm_buf *out);
/* Whether s is already in that form (a name outside ASCII is said not to be). */
bool dm_domain_is_lenient(struct dm_sv s);

#endif
