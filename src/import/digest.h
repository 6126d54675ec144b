/* digest.h: the digests and the cipher that capture analysis needs, from nettle: MD5 and SHA-1 are what JA3,
 * HASSH, community ids and fingerprints are made of.
 *
 * None of this protects anything of ours. Loaded late, so that a start without captures does not pay for it;
 * nettle has no state, opens no file and makes no system call, so it works in a confined worker. Nothing here
 * may be called before dm_digest_preload has succeeded.
 */
#ifndef DM_IMPORT_DIGEST_H
#define DM_IMPORT_DIGEST_H

#include "base/err.h"
#include "base/sv.h"

int dm_digest_preload(struct dm_err *err);

struct dm_digest_part {
	const void *p;
	size_t n;
};

/* Digests of the parts end to end. */
void dm_md5(const struct dm_digest_part *parts, size_t count, uint8_t out[16]);
void dm_sha1(const struct dm_digest_part *parts, size_t count, uint8_t out[20]);
void dm_sha256(const struct dm_digest_part *parts, size_t count, uint8_t out[32]);

/* HKDF with SHA-256 (RFC 5869), the expansion by TLS 1.3 label (RFC 8446 s.7.1) with an empty context. */
void dm_hkdf_extract_sha256(const uint8_t *salt, size_t salt_n, const uint8_t *secret, size_t secret_n,
			    uint8_t out[32]);
void dm_hkdf_expand_label(const uint8_t secret[32], const char *label, uint8_t *out, size_t n);
/* One block of AES-128 in ECB mode: the mask of QUIC header protection. */
void dm_aes128_block(const uint8_t key[16], const uint8_t in[16], uint8_t out[16]);
/* AES-128-GCM, n bytes of ciphertext followed by a tag of 16; false if the tag does not fit. */
bool dm_aes128_gcm_open(const uint8_t key[16], const uint8_t nonce[12], const uint8_t *ad, size_t ad_n,
			const uint8_t *in, size_t n, uint8_t *out);

#endif
