#include "import/digest.h"

#include <assert.h>
#include <dlfcn.h>
#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

/* The names that nettle's headers map onto exported symbols. */
#define NETTLE_SYMBOLS(X)                                                                                    \
	X(nettle_md5_init)                                                                                   \
	X(nettle_md5_update)                                                                                 \
	X(nettle_md5_digest)                                                                                 \
	X(nettle_sha1_init)                                                                                  \
	X(nettle_sha1_update)                                                                                \
	X(nettle_sha1_digest)                                                                                \
	X(nettle_sha256_init)                                                                                \
	X(nettle_sha256_update)                                                                              \
	X(nettle_sha256_digest)                                                                              \
	X(nettle_hmac_sha256_set_key)                                                                        \
	X(nettle_hmac_sha256_update)                                                                         \
	X(nettle_hmac_sha256_digest)                                                                         \
	X(nettle_aes128_set_encrypt_key)                                                                     \
	X(nettle_aes128_encrypt)                                                                             \
	X(nettle_gcm_aes128_set_key)                                                                         \
	X(nettle_gcm_aes128_set_iv)                                                                          \
	X(nettle_gcm_aes128_update)                                                                          \
	X(nettle_gcm_aes128_decrypt)                                                                         \
	X(nettle_gcm_aes128_digest)

static struct {
#define X(name) __typeof__(name) *name;
	NETTLE_SYMBOLS(X)
#undef X
	bool ready;
} nettle;

int dm_digest_preload(struct dm_err *err)
{
	void *lib;

	if (nettle.ready)
		return 0;
	lib = dlopen("libnettle.so.8", RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		dm_fail(err, DM_EUNSUPPORTED, "the nettle library can't be loaded: %s", dlerror());
		dm_err_remedy(err, "install libnettle8");
		return DM_EUNSUPPORTED;
	}
#define X(name)                                                                                              \
	*(void **)&nettle.name = dlsym(lib, #name);                                                          \
	if (!nettle.name)                                                                                    \
		return dm_fail(err, DM_EUNSUPPORTED, "the nettle library lacks %s", #name);
	NETTLE_SYMBOLS(X)
#undef X
	nettle.ready = true;
	return 0;
}

void dm_md5(const struct dm_digest_part *parts, size_t count, uint8_t out[16])
{
	struct md5_ctx ctx;

	nettle.nettle_md5_init(&ctx);
	for (size_t i = 0; i < count; i++)
		nettle.nettle_md5_update(&ctx, parts[i].n, parts[i].p);
	nettle.nettle_md5_digest(&ctx, 16, out);
}

void dm_sha1(const struct dm_digest_part *parts, size_t count, uint8_t out[20])
{
	struct sha1_ctx ctx;

	nettle.nettle_sha1_init(&ctx);
	for (size_t i = 0; i < count; i++)
		nettle.nettle_sha1_update(&ctx, parts[i].n, parts[i].p);
	nettle.nettle_sha1_digest(&ctx, 20, out);
}

void dm_sha256(const struct dm_digest_part *parts, size_t count, uint8_t out[32])
{
	struct sha256_ctx ctx;

	nettle.nettle_sha256_init(&ctx);
	for (size_t i = 0; i < count; i++)
		nettle.nettle_sha256_update(&ctx, parts[i].n, parts[i].p);
	nettle.nettle_sha256_digest(&ctx, 32, out);
}

void dm_hkdf_extract_sha256(const uint8_t *salt, size_t salt_n, const uint8_t *secret, size_t secret_n,
			    uint8_t out[32])
{
	struct hmac_sha256_ctx ctx;

	nettle.nettle_hmac_sha256_set_key(&ctx, salt_n, salt);
	nettle.nettle_hmac_sha256_update(&ctx, secret_n, secret);
	nettle.nettle_hmac_sha256_digest(&ctx, 32, out);
}

void dm_hkdf_expand_label(const uint8_t secret[32], const char *label, uint8_t *out, size_t n)
{
	struct hmac_sha256_ctx ctx;
	size_t label_n = strlen(label);
	uint8_t info[64] = {0, (uint8_t)n, (uint8_t)(6 + label_n), 't', 'l', 's', '1', '3', ' '};

	assert(n <= 32 && label_n <= 32);
	memcpy(info + 9, label, label_n);
	info[9 + label_n] = 0;	   /* empty context */
	info[9 + label_n + 1] = 1; /* T(1): one block is enough for 32 bytes */
	nettle.nettle_hmac_sha256_set_key(&ctx, 32, secret);
	nettle.nettle_hmac_sha256_update(&ctx, 9 + label_n + 2, info);
	nettle.nettle_hmac_sha256_digest(&ctx, n, out);
}

void dm_aes128_block(const uint8_t key[16], const uint8_t in[16], uint8_t out[16])
{
	struct aes128_ctx ctx;

	nettle.nettle_aes128_set_encrypt_key(&ctx, key);
	nettle.nettle_aes128_encrypt(&ctx, 16, out, in);
}

bool dm_aes128_gcm_open(const uint8_t key[16], const uint8_t nonce[12], const uint8_t *ad, size_t ad_n,
			const uint8_t *in, size_t n, uint8_t *out)
{
	struct gcm_aes128_ctx ctx;
	uint8_t tag[16];

	nettle.nettle_gcm_aes128_set_key(&ctx, key);
	nettle.nettle_gcm_aes128_set_iv(&ctx, 12, nonce);
	nettle.nettle_gcm_aes128_update(&ctx, ad_n, ad);
	nettle.nettle_gcm_aes128_decrypt(&ctx, n, out, in);
	nettle.nettle_gcm_aes128_digest(&ctx, 16, tag);
	return memcmp(tag, in + n, 16) == 0;
}
