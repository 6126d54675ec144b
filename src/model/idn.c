/* idn.c: libidn2, loaded late: with libunistring behind it, it costs 0.25 ms, and few runs meet a name that
 * needs it. */
#include <dlfcn.h>
#include <idn2.h>
#include <pthread.h>
#include "model/idn.h"
#include "model/observable.h"

static struct {
	int (*lookup)(const uint8_t *src, uint8_t **ret, int flags);
	void (*free)(void *p);
	char why[200];
} idn;
static pthread_once_t idn_once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *lib = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);

	if (lib) {
		*(void **)&idn.lookup = dlsym(lib, "idn2_lookup_u8");
		*(void **)&idn.free = dlsym(lib, "idn2_free");
	}
	if (!idn.lookup || !idn.free) {
		const char *why = dlerror();
		size_t n = why ? strlen(why) : 0;

		idn.lookup = NULL;
		if (n >= sizeof(idn.why))
			n = sizeof(idn.why) - 1;
		if (n)
			memcpy(idn.why, why, n);
	}
}

int dm_domain_preload(struct dm_err *err)
{
	pthread_once(&idn_once, load);
	if (idn.lookup)
		return 0;
	dm_fail(err, DM_EUNSUPPORTED, "names outside ASCII cannot be read: %s",
		idn.why[0] ? idn.why : "libidn2.so.0 lacks idn2_lookup_u8");
	return dm_err_remedy(err, "install libidn2-0");
}

size_t dm_idn_ascii(struct dm_sv name, char *out, size_t out_size)
{
	/* UTS 46 without the transitional mappings (as browsers do); existing A-labels are taken as they are.
	 */
	static const int flags[] = {IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_NO_ALABEL_ROUNDTRIP,
				    IDN2_NFC_INPUT | IDN2_TRANSITIONAL | IDN2_NO_ALABEL_ROUNDTRIP};
	char in[DM_IDN_MAX_INPUT + 1];
	size_t n = 0;

	if (name.n == 0 || name.n > DM_IDN_MAX_INPUT || dm_domain_preload(NULL) != 0)
		return 0;
	memcpy(in, name.p, name.n);
	in[name.n] = 0;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && n == 0; i++) {
		uint8_t *ascii = NULL;

		if (idn.lookup((const uint8_t *)in, &ascii, flags[i]) != IDN2_OK)
			continue;
		n = strlen((const char *)ascii);
		if (n < out_size)
			memcpy(out, ascii, n + 1);
		else
			n = 0;
		idn.free(ascii);
	}
	return n;
}
