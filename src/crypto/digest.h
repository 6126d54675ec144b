/* digest.h: SHA-256 of evidence as it comes in, for the chain of custody (the same figure that sha256sum
 * prints).
 *
 * OpenSSL's implementation is used because it drives the processor's SHA instructions; it is loaded when the
 * first digest is asked for, since loading it would double the start-up of short commands.
 */
#ifndef DM_CRYPTO_DIGEST_H
#define DM_CRYPTO_DIGEST_H

#include "base/err.h"
#include "base/sv.h"

#define DM_DIGEST_SIZE 32

struct dm_digest;

/* DM_EUNSUPPORTED if the library is missing. */
int dm_digest_new(struct dm_digest **ret, struct dm_err *err);
void dm_digest_free(struct dm_digest *d);
void dm_digest_update(struct dm_digest *d, const void *p, size_t n);
/* The digest of all bytes so far; more may follow. */
int dm_digest_peek(const struct dm_digest *d, uint8_t out[DM_DIGEST_SIZE], struct dm_err *err);
/* One call. */
int dm_digest(struct dm_sv bytes, uint8_t out[DM_DIGEST_SIZE], struct dm_err *err);

#endif
