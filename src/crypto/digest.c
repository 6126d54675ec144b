#include "crypto/digest.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include "base/alloc.h"

static struct {
	void *lib;
	EVP_MD_CTX *(*new_ctx)(void);
	void (*free_ctx)(EVP_MD_CTX *);
	int (*init)(EVP_MD_CTX *, const EVP_MD *, ENGINE *);
	int (*update)(EVP_MD_CTX *, const void *, size_t);
	int (*final)(EVP_MD_CTX *, unsigned char *, unsigned int *);
	int (*copy)(EVP_MD_CTX *, const EVP_MD_CTX *);
	const EVP_MD *(*sha256)(void);
} ssl;

struct dm_digest {
	EVP_MD_CTX *ctx;
	int bad;
};

static int load(struct dm_err *err)
{
	const struct {
		const char *name;
		void **slot;
	} symbol[] = {
		{"EVP_MD_CTX_new", (void **)&ssl.new_ctx},   {"EVP_MD_CTX_free", (void **)&ssl.free_ctx},
		{"EVP_DigestInit_ex", (void **)&ssl.init},   {"EVP_DigestUpdate", (void **)&ssl.update},
		{"EVP_DigestFinal_ex", (void **)&ssl.final}, {"EVP_MD_CTX_copy_ex", (void **)&ssl.copy},
		{"EVP_sha256", (void **)&ssl.sha256},
	};

	if (ssl.lib)
		return DM_OK;
	void *lib = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		dm_fail(err, DM_EUNSUPPORTED, "the digest library is missing: %s", dlerror());
		return dm_err_remedy(err, "install the package libssl3");
	}
	for (size_t i = 0; i < sizeof symbol / sizeof *symbol; i++) {
		*symbol[i].slot = dlsym(lib, symbol[i].name);
		if (!*symbol[i].slot)
			return dm_fail(err, DM_EUNSUPPORTED, "the digest library lacks %s", symbol[i].name);
	}
	ssl.lib = lib;
	return DM_OK;
}

int dm_digest_new(struct dm_digest **ret, struct dm_err *err)
{
	struct dm_digest *d;

	if (load(err))
		return err ? err->code : DM_EUNSUPPORTED;
	d = dm_calloc(1, sizeof *d);
	if (!d)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	d->ctx = ssl.new_ctx();
	if (!d->ctx || !ssl.init(d->ctx, ssl.sha256(), NULL)) {
		dm_digest_free(d);
		return dm_fail(err, DM_ENOMEM, "out of memory");
	}
	*ret = d;
	return DM_OK;
}

void dm_digest_free(struct dm_digest *d)
{
	if (!d)
		return;
	if (d->ctx)
		ssl.free_ctx(d->ctx);
	dm_free(d);
}

void dm_digest_update(struct dm_digest *d, const void *p, size_t n)
{
	if (n && !ssl.update(d->ctx, p, n))
		d->bad = 1;
}

int dm_digest_peek(const struct dm_digest *d, uint8_t out[DM_DIGEST_SIZE], struct dm_err *err)
{
	EVP_MD_CTX *copy = ssl.new_ctx();
	unsigned n = 0;
	bool ok =
		copy && !d->bad && ssl.copy(copy, d->ctx) && ssl.final(copy, out, &n) && n == DM_DIGEST_SIZE;

	if (copy)
		ssl.free_ctx(copy);
	return ok ? DM_OK : dm_fail(err, DM_ENOMEM, "the digest could not be computed");
}

int dm_digest(struct dm_sv bytes, uint8_t out[DM_DIGEST_SIZE], struct dm_err *err)
{
	struct dm_digest *d;
	int rc = dm_digest_new(&d, err);

	if (rc)
		return rc;
	dm_digest_update(d, bytes.p, bytes.n);
	rc = dm_digest_peek(d, out, err);
	dm_digest_free(d);
	return rc;
}
