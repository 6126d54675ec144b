/* hash.h: readers of hexadecimal digests and of the names made of them. */
#ifndef DM_MODEL_HASH_H
#define DM_MODEL_HASH_H

#include "model/observable.h"

/* Bytes of a digest type's key, 0 for other types. */
size_t dm_hash_bytes(enum dm_obs_type t);
/* The type with so many hex digits in the family of t (files, certificates, ja3); DM_OBS_NONE if there is
 * none. */
enum dm_obs_type dm_hash_type(enum dm_obs_type t, size_t digits);
/* Hex digits (certificates: also with ':' or ' ' between bytes) as lower case into out; false if it is none.
 */
bool dm_hash_canonical(enum dm_obs_type t, struct dm_sv raw, char out[128], size_t *ret_n,
		       enum dm_obs_type *ret_type);
/* Whether s consists of hex digits in lower case only. */
bool dm_hash_is_lower_hex(struct dm_sv s);
bool dm_ssdeep_valid(struct dm_sv s);
/* TLSH with its version prefix "T1" (added where an old program left it out), upper case. */
bool dm_tlsh_canonical(struct dm_sv raw, struct dm_buf *out);
bool dm_ja4_valid(struct dm_sv s);

#endif
