/* Observables: canonical forms, keys, and the properties that the index rests on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/limits.h"
#include "model/observable.h"

static struct dm_buf key, text, again;

static int setup(void **state)
{
	dm_buf_init(&key, 1u << 20);
	dm_buf_init(&text, 1u << 20);
	dm_buf_init(&again, 1u << 20);
	return 0;
}

static int teardown(void **state)
{
	dm_buf_done(&key);
	dm_buf_done(&text);
	dm_buf_done(&again);
	return 0;
}

/* Text of the key of `raw`, NULL if refused. Checks on the way that the text has the same key. */
static const char *canon(enum dm_obs_type t, struct dm_sv raw, bool lenient, enum dm_obs_type *ret)
{
	enum dm_obs_type t2;

	dm_buf_clear(&key);
	dm_buf_clear(&text);
	dm_buf_clear(&again);
	if (!(lenient ? dm_obs_key_lenient : dm_obs_key)(t, raw, &key, ret)) {
		assert_int_equal(key.n, 0);
		return NULL;
	}
	dm_obs_text(*ret, dm_buf_view(&key), &text);
	assert_true((lenient ? dm_obs_key_lenient : dm_obs_key)(*ret, dm_buf_view(&text), &again, &t2));
	assert_int_equal(t2, *ret);
	assert_true(dm_sv_eq(dm_buf_view(&key), dm_buf_view(&again)));
	return dm_buf_cstr(&text);
}

static void strict(enum dm_obs_type t, const char *raw, const char *want)
{
	enum dm_obs_type got_t;
	const char *got = canon(t, dm_sv_str(raw), false, &got_t);

	if (!want) {
		if (got)
			fail_msg("%s should be refused, gave %s", raw, got);
		return;
	}
	if (!got)
		fail_msg("%s refused, should give %s", raw, want);
	assert_string_equal(got, want);
}

static void lenient(enum dm_obs_type t, const char *raw, const char *want)
{
	enum dm_obs_type got_t;
	const char *got = canon(t, dm_sv_str(raw), true, &got_t);

	if (!want) {
		assert_null(got);
		return;
	}
	if (!got)
		fail_msg("%s refused, should give %s", raw, want);
	assert_string_equal(got, want);
}

static void test_ipv4(void **state)
{
	strict(DM_OBS_IPV4, "1.2.3.4", "1.2.3.4");
	strict(DM_OBS_IPV4, "255.255.255.255", "255.255.255.255");
	strict(DM_OBS_IPV4, "0.0.0.0", "0.0.0.0");
	strict(DM_OBS_IPV4, "::ffff:1.2.3.4", "1.2.3.4");
	strict(DM_OBS_IPV6, "::FFFF:102:304", "1.2.3.4");
	strict(DM_OBS_IPV6, "0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4");
	static const char *const bad[] = {"",	       "1",	    "1.2.3",	 "1.2.3.4.", "1.2.3.4.5",
					  "256.1.1.1", "1.2.3.256", "01.2.3.4",	 "1.2.3.04", "1..2.3",
					  ".1.2.3",    "1.2.3.",    "1.2.3.a",	 " 1.2.3.4", "1.2.3.4 ",
					  "1.2.3.-4",  "1.2.3.4/8", "1.2.3.1000"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		strict(DM_OBS_IPV4, bad[i], NULL);
}

static void test_ipv6(void **state)
{
	/* RFC 5952 s.4 and s.5 */
	strict(DM_OBS_IPV6, "2001:0DB8:0:0:0:0:0:1", "2001:db8::1");
	strict(DM_OBS_IPV6, "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
	strict(DM_OBS_IPV6, "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	strict(DM_OBS_IPV6, "2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	strict(DM_OBS_IPV6, "::", "::");
	strict(DM_OBS_IPV6, "::1", "::1");
	strict(DM_OBS_IPV6, "1::", "1::");
	strict(DM_OBS_IPV6, "0:0:0:0:0:0:0:0", "::");
	strict(DM_OBS_IPV6, "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
	strict(DM_OBS_IPV6, "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
	strict(DM_OBS_IPV6, "fe80::1%eth0", "fe80::1");
	strict(DM_OBS_IPV6, "::1.2.3.4", "::102:304");
	strict(DM_OBS_IPV4, "2001:db8::a:b", "2001:db8::a:b");
	static const char *const bad[] = {":",
					  ":::",
					  "1:2:3:4:5:6:7",
					  "1:2:3:4:5:6:7:8:9",
					  "1::2::3",
					  "12345::",
					  "1:2:",
					  ":1:2:3:4:5:6:7",
					  "g::1",
					  "1:2:3:4:5:6:7:8::",
					  "::1.2.3",
					  "::1.2.3.4:5",
					  "1:2:3:4:5:6:7:1.2.3.4",
					  "%eth0",
					  "::1 "};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		strict(DM_OBS_IPV6, bad[i], NULL);
}

static uint32_t rnd(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

/* Any spelling of an address has its key. */
static void test_ip_spellings(void **state)
{
	uint32_t seed = 42;

	for (int round = 0; round < 20000; round++) {
		struct dm_ip ip, back;
		char s[64];
		size_t n = 0;
		int gap = -1;

		for (int i = 0; i < 16; i++)
			ip.b[i] = rnd(&seed) % 3 ? 0 : (uint8_t)rnd(&seed);
		for (int i = 0; i < 8; i++) {
			unsigned g = (unsigned)ip.b[2 * i] << 8 | ip.b[2 * i + 1];

			if (gap < 0 && g == 0 && rnd(&seed) % 2) {
				gap = i;
				s[n++] = ':';
				if (i == 0)
					s[n++] = ':';
				while (i < 7 && !ip.b[2 * i + 2] && !ip.b[2 * i + 3] && rnd(&seed) % 4)
					i++;
				continue;
			}
			if (rnd(&seed) % 2)
				n += (size_t)snprintf(s + n, sizeof(s) - n, rnd(&seed) % 2 ? "%x" : "%X", g);
			else
				n += (size_t)snprintf(s + n, sizeof(s) - n, rnd(&seed) % 2 ? "%04x" : "%04X",
						      g);
			if (i < 7)
				s[n++] = ':';
		}
		if (!dm_ip_parse(dm_sv(s, n), &back))
			fail_msg("%.*s refused", (int)n, s);
		assert_memory_equal(&ip, &back, 16);
		dm_buf_clear(&text);
		dm_ip_put(&text, &ip);
		assert_true(dm_ip_parse(dm_buf_view(&text), &back));
		assert_memory_equal(&ip, &back, 16);
	}
}

static void range(const char *s, const char *first, const char *last)
{
	struct dm_ip a, b;

	if (!first) {
		if (dm_ip_range(dm_sv_str(s), &a, &b))
			fail_msg("range %s should be refused", s);
		return;
	}
	if (!dm_ip_range(dm_sv_str(s), &a, &b))
		fail_msg("range %s refused", s);
	dm_buf_clear(&text);
	dm_ip_put(&text, &a);
	assert_string_equal(dm_buf_cstr(&text), first);
	dm_buf_clear(&text);
	dm_ip_put(&text, &b);
	assert_string_equal(dm_buf_cstr(&text), last);
}

static void test_ranges(void **state)
{
	range("10.0.0.0/8", "10.0.0.0", "10.255.255.255");
	range("10.1.2.3/8", "10.0.0.0", "10.255.255.255");
	range("1.2.3.4/32", "1.2.3.4", "1.2.3.4");
	range("1.2.3.4/31", "1.2.3.4", "1.2.3.5");
	range("0.0.0.0/0", "0.0.0.0", "255.255.255.255");
	range("1.2.3.4/255.255.255.0", "1.2.3.0", "1.2.3.255");
	range("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	range("2001:db8::1/127", "2001:db8::", "2001:db8::1");
	range("1.2.3.4-1.2.3.9", "1.2.3.4", "1.2.3.9");
	range(" 1.2.3.4 - 1.2.3.9 ", "1.2.3.4", "1.2.3.9");
	range("1.2.3.4", "1.2.3.4", "1.2.3.4");
	range("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	static const char *const bad[] = {"1.2.3.4/33",
					  "2001:db8::/129",
					  "1.2.3.9-1.2.3.4",
					  "1.2.3.4-2001:db8::",
					  "1.2.3.4/",
					  "1.2.3.4/255.0.255.0",
					  "/8",
					  "1.2.3.0/-1",
					  "1.2.3.4-",
					  "1.2.3.0/0008",
					  "x"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		range(bad[i], NULL, NULL);
}

static void test_reserved(void **state)
{
	static const struct {
		const char *ip, *why;
	} cases[] = {
		{"10.1.2.3", "private (RFC 1918)"},
		{"172.31.255.255", "private (RFC 1918)"},
		{"172.32.0.0", NULL},
		{"192.168.0.1", "private (RFC 1918)"},
		{"100.64.0.1", "CGNAT (RFC 6598)"},
		{"100.128.0.1", NULL},
		{"127.0.0.1", "loopback"},
		{"224.0.0.1", "multicast"},
		{"255.255.255.255", "broadcast"},
		{"250.1.1.1", "reserved"},
		{"8.8.8.8", NULL},
		{"198.51.100.7", "documentation"},
		{"169.254.1.1", "link-local"},
		{"2001:db8::1", "documentation"},
		{"fe80::1", "link-local"},
		{"::1", "loopback"},
		{"::", "unspecified"},
		{"2606:4700::1111", NULL},
		{"fd00::1", "unique local (RFC 4193)"},
		{"ff02::1", "multicast"},
		{"4000::1", "reserved"},
		{"64:ff9b::808:808", NULL},
		{"64:ff9b::a00:1", "private (RFC 1918)"},
		{"2002:a00:1::", "private (RFC 1918)"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dm_ip ip;
		const char *why;

		assert_true(dm_ip_parse(dm_sv_str(cases[i].ip), &ip));
		why = dm_ip_reserved(&ip);
		if (!why != !cases[i].why || (why && strcmp(why, cases[i].why) != 0))
			fail_msg("%s: %s", cases[i].ip, why ? why : "global");
	}
}

static void test_domain(void **state)
{
	char name[300];

	strict(DM_OBS_DOMAIN, "WWW.Example.COM.", "www.example.com");
	strict(DM_OBS_DOMAIN, "_dmarc.example.com", "_dmarc.example.com");
	strict(DM_OBS_DOMAIN, "a-.-b.example", "a-.-b.example");
	strict(DM_OBS_DOMAIN, "xn--mnchen-3ya.de", "xn--mnchen-3ya.de");
	strict(DM_OBS_DOMAIN, "1.2.3.4", NULL);
	strict(DM_OBS_DOMAIN, "a..b", NULL);
	strict(DM_OBS_DOMAIN, ".a", NULL);
	strict(DM_OBS_DOMAIN, ".", NULL);
	strict(DM_OBS_DOMAIN, "a b.com", NULL);
	strict(DM_OBS_DOMAIN, "*.example.com", NULL);
	lenient(DM_OBS_DOMAIN, "*.Example.com.", "*.example.com");
	lenient(DM_OBS_DOMAIN, "A B/c..d..", "a b/c..d");
	lenient(DM_OBS_DOMAIN, "1.2.3.4", "1.2.3.4");
	lenient(DM_OBS_DOMAIN, "...", NULL);
	lenient(DM_OBS_DOMAIN, "\xff\xfe.COM", "\xff\xfe.com");
	/* a label of 63 and 64 bytes */
	memset(name, 'a', sizeof(name));
	memcpy(name + 63, ".de", 4);
	strict(DM_OBS_DOMAIN, name, name);
	memcpy(name + 63, "a.de", 5);
	strict(DM_OBS_DOMAIN, name, NULL);
	/* DM_MAX_DOMAIN counts the octets on the wire: 253 and 254 as text */
	memset(name, 'a', sizeof(name));
	for (int i = 50; i < 250; i += 50)
		name[i] = '.';
	name[253] = 0;
	strict(DM_OBS_DOMAIN, name, name);
	name[253] = 'a';
	name[254] = 0;
	strict(DM_OBS_DOMAIN, name, NULL);
	lenient(DM_OBS_DOMAIN, name, name);
}

static void test_idn(void **state)
{
	if (dm_domain_preload(NULL) != 0)
		skip();
	strict(DM_OBS_DOMAIN, "M\xc3\x9cnchen.de", "xn--mnchen-3ya.de");
	strict(DM_OBS_DOMAIN, "fa\xc3\x9f.de", "xn--fa-hia.de"); /* IDNA 2008: not fass.de */
	strict(DM_OBS_DOMAIN,
	       "b\xc3\xbc"
	       "cher\xe3\x80\x82"
	       "example",
	       "xn--bcher-kva.example"); /* ideographic full stop */
	strict(DM_OBS_DOMAIN, "\xff\xfe.com", NULL);
	lenient(DM_OBS_DOMAIN, "M\xc3\x9cnchen.DE.", "xn--mnchen-3ya.de");
	strict(DM_OBS_URL, "http://m\xc3\xbcnchen.de/\xc3\xa4", "http://xn--mnchen-3ya.de/\xc3\xa4");
	strict(DM_OBS_EMAIL, "Joe@m\xc3\xbcnchen.de", "Joe@xn--mnchen-3ya.de");
}

/* Ideographs are three bytes each and few as A-labels: a name that is within the limit of names brings the
 * address to its own. */
static void test_email_limit(void **state)
{
	char mail[400];
	size_t n;

	if (dm_domain_preload(NULL) != 0)
		skip();
	for (size_t local = DM_MAX_EMAIL - 306; local <= DM_MAX_EMAIL - 305; local++) {
		enum dm_obs_type t;

		memset(mail, 'a', local);
		mail[local] = '@';
		n = local + 1;
		for (int i = 0; i < 100; i++) {
			memcpy(mail + n, "\xe4\xb8\x80", 3);
			n += 3;
			if (i == 49)
				mail[n++] = '.';
		}
		memcpy(mail + n, ".com", 4);
		n += 4;
		assert_int_equal(n, local + 306);
		dm_buf_clear(&key);
		assert_int_equal(dm_obs_key(DM_OBS_EMAIL, dm_sv(mail, n), &key, &t), n <= DM_MAX_EMAIL);
	}
}

/* All names below a suffix, and no other, lie between its key and its key with the last separator raised by
 * one. */
static void test_suffix_is_range(void **state)
{
	static const char *const names[] = {"com",
					    "example.com",
					    "a.example.com",
					    "z.a.example.com",
					    "example-x.com",
					    "xexample.com",
					    "examplex.com",
					    "example.org",
					    "_x.example.com",
					    "0.example.com",
					    "example.com.net",
					    "com.example",
					    "e.com",
					    "*.example.com",
					    "\x02.example.com",
					    "a..example.com",
					    "\002example.com"};
	struct dm_buf lo;
	enum dm_obs_type t;

	dm_buf_init(&lo, 1024);
	assert_true(dm_obs_key(DM_OBS_DOMAIN, DM_SV("example.com"), &lo, &t));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dm_sv name = dm_sv_str(names[i]);
		bool below = dm_sv_is(name, "example.com") || dm_sv_ends(name, DM_SV(".example.com"));
		struct dm_sv k;
		bool in;

		dm_buf_clear(&key);
		assert_true(dm_obs_key_lenient(DM_OBS_DOMAIN, name, &key, &t));
		k = dm_buf_view(&key);
		dm_buf_putc(&lo, 0x02);
		in = dm_sv_cmp(k, dm_sv(lo.p, lo.n - 1)) >= 0 && dm_sv_cmp(k, dm_buf_view(&lo)) < 0;
		lo.n--;
		if (in != below)
			fail_msg("%s", names[i]);
	}
	dm_buf_done(&lo);
}

static void test_url(void **state)
{
	strict(DM_OBS_URL, "HTTP://WWW.Example.COM:80", "http://www.example.com/");
	strict(DM_OBS_URL, "https://example.com:443/A/../b?Q=%2e#F", "https://example.com/A/../b?Q=%2e#F");
	strict(DM_OBS_URL, "http://example.com?x", "http://example.com/?x");
	strict(DM_OBS_URL, "http://user:Pw@Example.com:8080/", "http://user:Pw@example.com:8080/");
	strict(DM_OBS_URL, "http://example.com:0080/", "http://example.com/");
	strict(DM_OBS_URL, "http://example.com:/", "http://example.com/");
	strict(DM_OBS_URL, "http://[2001:DB8:0::1]:81/x", "http://[2001:db8::1]:81/x");
	strict(DM_OBS_URL, "http://[::ffff:1.2.3.4]/", "http://1.2.3.4/");
	strict(DM_OBS_URL, "http://0x7f.1/", "http://127.0.0.1/");
	strict(DM_OBS_URL, "http://2130706433/", "http://127.0.0.1/");
	strict(DM_OBS_URL, "http://0301.0250.1/", "http://193.168.0.1/");
	strict(DM_OBS_URL, "http://1.2.3.4.5/", NULL);
	strict(DM_OBS_URL, "http://256.1.1.1/", NULL);
	strict(DM_OBS_URL, "ftp://h.example:21/x", "ftp://h.example/x");
	strict(DM_OBS_URL, "file:///etc/passwd", "file:///etc/passwd");
	strict(DM_OBS_URL, "mailto:a@b.c", "mailto:a@b.c");
	static const char *const bad[] = {"example.com/x",  "http:/x",
					  "http://",	    "http:///x",
					  "http://a b/",    "http://a/ b",
					  "://x",	    "http://h:70000/",
					  "http://h:x/",    "http://[::1",
					  "http://[::1]x/", "localhost:80/x",
					  "1http://x/",	    ""};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		strict(DM_OBS_URL, bad[i], NULL);
	lenient(DM_OBS_URL, "http://A b:x/ C", "http://A b:x/ C");
	lenient(DM_OBS_URL, "http://HOST..:80/%zz", "http://host/%zz");
	lenient(DM_OBS_URL, "about:blank", "about:blank");
	lenient(DM_OBS_URL, "no url", NULL);

	struct dm_sv host;
	assert_true(dm_url_host(DM_SV("http://u@h.example:8/x"), &host) && dm_sv_is(host, "h.example"));
	assert_true(dm_url_host(DM_SV("http://[2001:db8::1]/"), &host) && dm_sv_is(host, "2001:db8::1"));
	assert_false(dm_url_host(DM_SV("mailto:a@b"), &host));
	assert_false(dm_url_host(DM_SV("file:///x"), &host));
}

static void test_url_limit(void **state)
{
	char *s = malloc(DM_MAX_URL + 2);
	enum dm_obs_type t;

	assert_non_null(s);
	memset(s, 'a', DM_MAX_URL + 2);
	memcpy(s, "http://h/", 9);
	assert_non_null(canon(DM_OBS_URL, dm_sv(s, DM_MAX_URL), false, &t));
	assert_null(canon(DM_OBS_URL, dm_sv(s, DM_MAX_URL + 1), false, &t));
	assert_non_null(canon(DM_OBS_URL, dm_sv(s, DM_MAX_URL + 1), true, &t));
	free(s);
}

static void test_hashes(void **state)
{
	enum dm_obs_type t;

	strict(DM_OBS_MD5, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e");
	assert_non_null(canon(DM_OBS_MD5, DM_SV("da39a3ee5e6b4b0d3255bfef95601890afd80709"), false, &t));
	assert_int_equal(t, DM_OBS_SHA1);
	strict(DM_OBS_MD5, "d41d8cd98f00b204e9800998ecf8427", NULL);
	strict(DM_OBS_MD5, "d41d8cd98f00b204e9800998ecf8427g", NULL);
	strict(DM_OBS_JA3, "da39a3ee5e6b4b0d3255bfef95601890afd80709", NULL);
	assert_non_null(canon(DM_OBS_X509_SHA256,
			      DM_SV("DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09"), false,
			      &t));
	assert_int_equal(t, DM_OBS_X509_SHA1);
	strict(DM_OBS_MD5, "D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E", NULL);
	strict(DM_OBS_SSDEEP, "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C",
	       "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C");
	strict(DM_OBS_SSDEEP, "x:y:z", NULL);
	strict(DM_OBS_TLSH, "b2317c38fac0333c8ff7d3ff31fcf3b7fb3f9a3ef3bf3c880cfc43ebf97f3cc73fbfc1",
	       "T1B2317C38FAC0333C8FF7D3FF31FCF3B7FB3F9A3EF3BF3C880CFC43EBF97F3CC73FBFC1");
	strict(DM_OBS_JA4, "T13D1516H2_8DAAF6152771_E5627EFA2AB1", "t13d1516h2_8daaf6152771_e5627efa2ab1");
	strict(DM_OBS_JA4, "t13d1516h2-8daaf6152771-e5627efa2ab1", NULL);
}

static void test_others(void **state)
{
	char mail[400];

	strict(DM_OBS_EMAIL, "John.Doe@Example.COM", "John.Doe@example.com");
	strict(DM_OBS_EMAIL, "a@[192.0.2.1]", "a@[192.0.2.1]");
	strict(DM_OBS_EMAIL, "a@[IPv6:2001:DB8::1]", "a@[IPv6:2001:db8::1]");
	strict(DM_OBS_EMAIL, "@example.com", NULL);
	strict(DM_OBS_EMAIL, "a b@example.com", NULL);
	strict(DM_OBS_EMAIL, "a@b@example.com", NULL);
	strict(DM_OBS_EMAIL, "<a@example.com>", NULL);
	lenient(DM_OBS_EMAIL, "\"Doe, J\" <J@Example.com>", "J@example.com");
	lenient(DM_OBS_EMAIL, "<>", NULL);
	lenient(DM_OBS_EMAIL, "a@b .. ", "a@b");
	/* RFC 5321 s.4.5.3.1.1: 64 octets in front of the @ */
	memset(mail, 'a', 64);
	memcpy(mail + 64, "@b.de", 6);
	strict(DM_OBS_EMAIL, mail, mail);
	memset(mail, 'a', 65);
	memcpy(mail + 65, "@b.de", 6);
	strict(DM_OBS_EMAIL, mail, NULL);
	strict(DM_OBS_MAC, "00-1A-2B-3C-4D-5E", "00:1a:2b:3c:4d:5e");
	strict(DM_OBS_MAC, "001a.2b3c.4d5e", "00:1a:2b:3c:4d:5e");
	strict(DM_OBS_MAC, "001A2B3C4D5E", "00:1a:2b:3c:4d:5e");
	strict(DM_OBS_MAC, "0:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5e");
	strict(DM_OBS_MAC, "0:1:2:3:4:55", "00:01:02:03:04:55");
	strict(DM_OBS_MAC, "00:1a:2b:3c:4d", NULL);
	strict(DM_OBS_MAC, "00:1a:2b:3c:4d:5e:6f", NULL);
	strict(DM_OBS_MAC, "00:1a:2b:3c:4d:", NULL);
	strict(DM_OBS_AS, "as131279", "AS131279");
	strict(DM_OBS_AS, "ASN 4294967295", "AS4294967295");
	strict(DM_OBS_AS, "4294967296", NULL);
	strict(DM_OBS_AS, "AS2.207", "AS131279");
	strict(DM_OBS_AS, "AS", NULL);
	strict(DM_OBS_REGISTRY, "HKLM\\Software\\\\Run\\", "HKEY_LOCAL_MACHINE\\software\\run");
	strict(DM_OBS_REGISTRY, "hkcu:\\X", "HKEY_CURRENT_USER\\x");
	strict(DM_OBS_REGISTRY, "\\REGISTRY\\MACHINE\\X", "HKEY_LOCAL_MACHINE\\x");
	strict(DM_OBS_REGISTRY, "\\\\HKLM\\X", "HKEY_LOCAL_MACHINE\\x");
	strict(DM_OBS_REGISTRY, "Software\\X", NULL);
	lenient(DM_OBS_REGISTRY, "Software\\X", "software\\x");
	strict(DM_OBS_FILENAME, "Evil.EXE", "Evil.EXE");
	strict(DM_OBS_FILENAME, "C:\\x\\Evil.EXE", NULL);
	lenient(DM_OBS_FILENAME, "C:\\x\\Evil.EXE", "Evil.EXE");
	strict(DM_OBS_USER_AGENT, "Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)");
	strict(DM_OBS_MUTEX, "Global\\x", "Global\\x");

	enum dm_obs_type t;
	dm_buf_clear(&text);
	assert_true(dm_obs_canonical(DM_OBS_REGISTRY, DM_SV("HKLM\\Soft\\Run"), false, &text, &t));
	assert_string_equal(dm_buf_cstr(&text), "HKEY_LOCAL_MACHINE\\Soft\\Run");
}

static void test_corrupt_keys(void **state)
{
	for (int t = -1; t <= DM_OBS_TYPES; t++) {
		dm_buf_clear(&text);
		dm_obs_text((enum dm_obs_type)t, DM_SV("\x01\xff\x00"), &text);
		assert_int_equal(text.err, 0);
		assert_true(text.n >= 3);
	}
	dm_buf_clear(&text);
	dm_obs_text(DM_OBS_IPV4, DM_SV("\x01\x02\xff"), &text);
	assert_string_equal(dm_buf_cstr(&text), "0102ff");
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		enum dm_obs_type t;
	} cases[] = {{"ip", DM_OBS_IPV4},
		     {"IPv4", DM_OBS_IPV4},
		     {"ip-dst", DM_OBS_IPV4},
		     {"ipaddress", DM_OBS_IPV4},
		     {"hostname", DM_OBS_DOMAIN},
		     {"FQDN", DM_OBS_DOMAIN},
		     {"domain_name", DM_OBS_DOMAIN},
		     {"SHA-256", DM_OBS_SHA256},
		     {"file:hashes.'SHA-256'", DM_OBS_SHA256},
		     {"file:hashes.MD5", DM_OBS_MD5},
		     {"emailwhois", DM_OBS_EMAIL},
		     {"imphash", DM_OBS_NONE},
		     {"", DM_OBS_NONE},
		     {"ja3-fingerprint-md5", DM_OBS_JA3}};

	for (int t = DM_OBS_NONE + 1; t < DM_OBS_TYPES; t++)
		assert_int_equal(dm_obs_from_name(dm_sv_str(dm_obs_name((enum dm_obs_type)t))), t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (dm_obs_from_name(dm_sv_str(cases[i].name)) != cases[i].t)
			fail_msg("%s", cases[i].name);
	assert_string_equal(dm_obs_name((enum dm_obs_type)200), "unknown");
}

static void test_guess(void **state)
{
	static const struct {
		const char *token;
		enum dm_obs_type t;
	} cases[] = {
		{"1.2.3.4", DM_OBS_IPV4},
		{"::1", DM_OBS_IPV6},
		{"2001:db8::1", DM_OBS_IPV6},
		{"evil.example", DM_OBS_DOMAIN},
		{"a.b.co.uk", DM_OBS_DOMAIN},
		{"x.xn--p1ai", DM_OBS_DOMAIN},
		{"install.sh", DM_OBS_DOMAIN},
		{"invoice.pdf", DM_OBS_NONE},
		{"evil.exe", DM_OBS_NONE},
		{"svchost.dll", DM_OBS_NONE},
		{"SETUP.EXE", DM_OBS_NONE},
		{"localhost", DM_OBS_NONE},
		{"1.2.3", DM_OBS_NONE},
		{"v1.2", DM_OBS_NONE},
		{"http://x.y/z", DM_OBS_URL},
		{"hxxp://x", DM_OBS_URL},
		{"a@b.com", DM_OBS_EMAIL},
		{"a@b", DM_OBS_NONE},
		{"d41d8cd98f00b204e9800998ecf8427e", DM_OBS_MD5},
		{"da39a3ee5e6b4b0d3255bfef95601890afd80709", DM_OBS_SHA1},
		{"AS131279", DM_OBS_AS},
		{"as", DM_OBS_NONE},
		{"00:1a:2b:3c:4d:5e", DM_OBS_MAC},
		{"HKLM\\Software\\Run", DM_OBS_REGISTRY},
		{"t13d1516h2_8daaf6152771_e5627efa2ab1", DM_OBS_JA4},
		{"hello", DM_OBS_NONE},
		{"", DM_OBS_NONE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum dm_obs_type t = dm_obs_guess(dm_sv_str(cases[i].token));
		if (t != cases[i].t)
			fail_msg("%s: guessed %s", cases[i].token, dm_obs_name(t));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_ip_spellings),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_idn),
		cmocka_unit_test(test_email_limit),
		cmocka_unit_test(test_suffix_is_range),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_limit),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_corrupt_keys),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests_name("observable", tests, setup, teardown);
}
