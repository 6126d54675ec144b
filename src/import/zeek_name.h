/* zeek_name.h: what a file's name says of the Zeek log in it. */
#ifndef DM_IMPORT_ZEEK_NAME_H
#define DM_IMPORT_ZEEK_NAME_H

#include "base/sv.h"

/* "logs/2024-04-19/conn.00:00:00-01:00:00.log.gz" -> "conn"; "unknown" if nothing is left. */
struct dm_sv dm_zeek_name_stem(const char *name);

#endif
