/* Guards: what is flagged, and what just isn't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "model/guard.h"

static struct dm_guard guard;
static struct dm_buf key, key2, value;

static uint32_t flags(enum dm_indicator_form form, enum dm_obs_type t, const char *s)
{
	struct dm_indicator ind = {.form = form, .type = t};
	enum dm_obs_type other;
	struct dm_ip first, last;

	dm_buf_clear(&key);
	dm_buf_clear(&key2);
	dm_buf_clear(&value);
	if (form == DM_IND_RANGE) {
		assert_true(dm_ip_range(dm_sv_str(s), &first, &last));
		dm_obs_ip_key(&first, &key, &ind.type);
		dm_obs_ip_key(&last, &key2, &other);
	} else {
		assert_true(dm_obs_key(t, dm_sv_str(s), &key, &ind.type));
		dm_obs_text(ind.type, dm_buf_view(&key), &value);
	}
	ind.key = dm_buf_view(&key);
	ind.key2 = dm_buf_view(&key2);
	ind.value = dm_buf_view(&value);
	return dm_guard_flags(&guard, &ind);
}

#define V(t, s) flags(DM_IND_VALUE, DM_OBS_##t, s)
#define R(s)	flags(DM_IND_RANGE, DM_OBS_IPV4, s)

static void test_reserved(void **state)
{
	assert_int_equal(V(IPV4, "10.0.0.1"), DM_FLAG_RESERVED);
	assert_int_equal(V(IPV4, "11.0.0.1"), 0);
	assert_int_equal(V(IPV6, "fe80::1"), DM_FLAG_RESERVED);
	assert_int_equal(V(IPV6, "2606:4700::1"), 0);
	assert_int_equal(V(URL, "http://10.0.0.1/x"), DM_FLAG_RESERVED);
	assert_int_equal(V(URL, "http://[fe80::1]:81/x"), DM_FLAG_RESERVED);
	assert_int_equal(V(URL, "http://11.0.0.1/x"), 0);
	assert_int_equal(V(URL, "http://a.example/10.0.0.1"), 0);
	assert_int_equal(V(EMAIL, "a@[127.0.0.1]"), DM_FLAG_RESERVED);
	assert_int_equal(V(EMAIL, "a@[IPv6:::1]"), DM_FLAG_RESERVED);
	assert_int_equal(V(EMAIL, "a@b.example"), 0);
	assert_int_equal(R("10.0.0.0/24"), DM_FLAG_RESERVED);
	assert_int_equal(R("9.255.255.0-9.255.255.255"), 0);
	assert_int_equal(R("9.255.255.0-10.0.0.0"), DM_FLAG_RESERVED);
	assert_int_equal(R("172.0.0.0/8"), DM_FLAG_RESERVED); /* holds 172.16/12 inside */
	assert_int_equal(R("8.0.0.0/8"), 0);
	assert_int_equal(R("2001:d00::/24"), DM_FLAG_RESERVED); /* holds 2001:db8::/32 inside */
	assert_int_equal(R("2a00::/32"), 0);
}

static void test_broad(void **state)
{
	assert_int_equal(R("32.0.0.0/8"), 0);
	assert_int_equal(R("32.0.0.0/7"), DM_FLAG_BROAD);
	assert_int_equal(R("0.0.0.0/0"), DM_FLAG_BROAD | DM_FLAG_RESERVED);
	assert_int_equal(R("32.0.0.1-33.255.255.255"), 0); /* one less than a /7 */
	assert_int_equal(R("31.255.255.255-33.255.255.254"), DM_FLAG_BROAD);
	assert_int_equal(R("2a00::/19"), 0);
	assert_int_equal(R("2a00::/18"), DM_FLAG_BROAD);
	assert_int_equal(R("2000::/3") & DM_FLAG_BROAD, DM_FLAG_BROAD);
	assert_int_equal(flags(DM_IND_SUFFIX, DM_OBS_DOMAIN, "com"), DM_FLAG_BROAD);
	assert_int_equal(flags(DM_IND_SUFFIX, DM_OBS_DOMAIN, "example.com"), 0);
	assert_int_equal(V(DOMAIN, "com"), 0);
}

static void test_empty(void **state)
{
	assert_int_equal(V(MD5, "d41d8cd98f00b204e9800998ecf8427e"), DM_FLAG_EMPTY_HASH);
	assert_int_equal(V(MD5, "d41d8cd98f00b204e9800998ecf8427f"), 0);
	assert_int_equal(V(SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"), DM_FLAG_EMPTY_HASH);
	assert_int_equal(V(SHA256, "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"),
			 DM_FLAG_EMPTY_HASH);
	assert_int_equal(V(SHA512, "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
				   "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"),
			 DM_FLAG_EMPTY_HASH);
	assert_int_equal(V(JA3, "d41d8cd98f00b204e9800998ecf8427e"), 0);
}

static void test_own(void **state)
{
	struct dm_err err = {0};

	assert_int_equal(dm_guard_own(&guard, DM_SV("no network"), &err), DM_EFORMAT);
	assert_true(err.msg[0] && err.remedy[0]);
	assert_int_equal(dm_guard_own(&guard, DM_SV("5.5.5.0/24"), NULL), 0);
	assert_int_equal(dm_guard_own(&guard, DM_SV("5.5.7.0/24"), NULL), 0);
	assert_int_equal(dm_guard_own(&guard, DM_SV("2a01::/32"), NULL), 0);
	assert_int_equal(dm_guard_own(&guard, DM_SV("1.1.1.1"), NULL), 0);
	assert_int_equal(guard.n, 4);
	assert_int_equal(V(IPV4, "5.5.4.255"), 0);
	assert_int_equal(V(IPV4, "5.5.5.0"), DM_FLAG_OWN);
	assert_int_equal(V(IPV4, "5.5.5.255"), DM_FLAG_OWN);
	assert_int_equal(V(IPV4, "5.5.6.0"), 0);
	assert_int_equal(V(URL, "http://5.5.7.9/"), DM_FLAG_OWN);
	assert_int_equal(V(IPV6, "2a01::77"), DM_FLAG_OWN);
	assert_int_equal(R("5.5.4.0/24"), 0);
	assert_int_equal(R("5.5.0.0/16"), DM_FLAG_OWN);
	/* A range over several swallows them. */
	assert_int_equal(dm_guard_own(&guard, DM_SV("5.5.5.128-5.5.7.5"), NULL), 0);
	assert_int_equal(guard.n, 3);
	assert_int_equal(V(IPV4, "5.5.6.0"), DM_FLAG_OWN);
	assert_int_equal(V(IPV4, "5.5.7.255"), DM_FLAG_OWN);
	assert_int_equal(V(IPV4, "5.5.8.0"), 0);
	dm_guard_done(&guard);
	assert_int_equal(V(IPV4, "5.5.6.0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_broad),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_own),
	};
	int failed;

	dm_buf_init(&key, 1024);
	dm_buf_init(&key2, 1024);
	dm_buf_init(&value, 1024);
	failed = cmocka_run_group_tests_name("guard", tests, NULL, NULL);
	dm_buf_done(&key);
	dm_buf_done(&key2);
	dm_buf_done(&value);
	return failed;
}
