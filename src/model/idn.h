/* idn.h: names outside ASCII, through libidn2, which is loaded when the first such name is met. */
#ifndef DM_MODEL_IDN_H
#define DM_MODEL_IDN_H

#include "base/sv.h"

#define DM_IDN_MAX_INPUT 1020u /* UTF-8 bytes: a name of 255 characters of four bytes */

/* A-labels of `name` (no NUL inside) into `out`, NUL-terminated. Returns the length, 0 if it is no name, too
 * long, or the library is missing. */
size_t dm_idn_ascii(struct dm_sv name, char *out, size_t out_size);

#endif
