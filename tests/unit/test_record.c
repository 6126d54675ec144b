/* Records: canonical values without copies, repair, limits, what can't be read kept as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/limits.h"
#include "model/record.h"

static struct dm_record *r;

static int setup(void **state)
{
	r = malloc(sizeof(*r));
	if (!r)
		return -1;
	dm_record_init(r);
	return 0;
}

static int teardown(void **state)
{
	dm_record_done(r);
	free(r);
	return 0;
}

static int fresh(void **state)
{
	dm_record_start(r, DM_KIND_FLOW, 0, 1);
	return 0;
}

static void last(enum dm_field f, const char *want, enum dm_obs_type obs)
{
	assert_true(r->count > 0);
	const struct dm_value *v = &r->v[r->count - 1];
	assert_int_equal(v->field, f);
	assert_int_equal(v->type, DM_T_TEXT);
	assert_int_equal(v->obs, obs);
	if (!dm_sv_is(v->text, want))
		fail_msg("%.*s instead of %s", (int)v->text.n, v->text.p, want);
}

static void text(enum dm_field f, const char *s)
{
	dm_record_text(r, f, dm_sv_str(s));
}

static void last_ip(enum dm_field f, const char *want)
{
	const struct dm_value *v = &r->v[r->count - 1];
	struct dm_ip ip;

	assert_true(r->count > 0);
	assert_int_equal(v->field, f);
	assert_int_equal(v->type, DM_T_IP);
	assert_true(dm_ip_parse(dm_sv_str(want), &ip));
	assert_memory_equal(&ip, &v->ip, 16);
}

static void test_plain(void **state)
{
	dm_record_int(r, DM_F_SRC_PORT, 443);
	assert_int_equal(r->v[0].i, 443);
	dm_record_int(r, DM_F_SRC_PORT, DM_NO_INT);
	assert_int_equal(r->count, 1);
	text(DM_F_SRC_PORT, "80");
	assert_int_equal(r->v[1].i, 80);
	text(DM_F_SRC_PORT, "eighty");
	last(DM_F_UNPARSED, "source.port=eighty", DM_OBS_NONE);
	text(DM_F_END, "2014-12-19T10:00:00Z");
	assert_int_equal(r->v[3].i, 1418983200000000ll);
	text(DM_F_MESSAGE, "");
	assert_int_equal(r->count, 4);
	text(DM_F_SRC_IP, "1.2.3.4");
	last_ip(DM_F_SRC_IP, "1.2.3.4");
	assert_int_equal(r->v[4].obs, DM_OBS_IPV4);
	text(DM_F_SRC_IP, "2001:DB8::1");
	assert_int_equal(r->v[5].obs, DM_OBS_IPV6);
	text(DM_F_SRC_IP, "nobody");
	last(DM_F_UNPARSED, "source.ip=nobody", DM_OBS_NONE);
}

static void test_no_copy(void **state)
{
	static const struct {
		enum dm_field f;
		const char *s;
	} cases[] = {
		{DM_F_DNS_QUERY, "www.example.com"}, {DM_F_MD5, "d41d8cd98f00b204e9800998ecf8427e"},
		{DM_F_URL, "http://example.com/x"},  {DM_F_MAIL_FROM, "a@example.com"},
		{DM_F_USER_AGENT, "curl/7"},	     {DM_F_MESSAGE, "gr\xc3\xbc\xc3\x9f"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text(cases[i].f, cases[i].s);
		assert_ptr_equal(r->v[r->count - 1].text.p, cases[i].s);
	}
	assert_int_equal(r->arena.used, 0);
}

static void test_canonical(void **state)
{
	text(DM_F_DNS_QUERY, "WWW.Example.com.");
	last(DM_F_DNS_QUERY, "www.example.com", DM_OBS_DOMAIN);
	text(DM_F_SHA1, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709");
	last(DM_F_SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", DM_OBS_SHA1);
	text(DM_F_SERVER_CERT, "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09");
	last(DM_F_SERVER_CERT, "da39a3ee5e6b4b0d3255bfef95601890afd80709", DM_OBS_X509_SHA1);
	text(DM_F_URL, "HTTP://Example.com");
	last(DM_F_URL, "http://example.com/", DM_OBS_URL);
	text(DM_F_REGISTRY, "HKLM\\Soft");
	last(DM_F_REGISTRY, "HKEY_LOCAL_MACHINE\\Soft", DM_OBS_REGISTRY);
	text(DM_F_JA3, "zz");
	last(DM_F_UNPARSED, "tls.client.ja3=zz", DM_OBS_NONE);
	text(DM_F_SRC_MAC, "00-11-22-33-44-55");
	last(DM_F_SRC_MAC, "00:11:22:33:44:55", DM_OBS_MAC);
	text(DM_F_DNS_QUERY, "b\xff"
			     "d.COM");
	last(DM_F_DNS_QUERY,
	     "b\xef\xbf\xbd"
	     "d.com",
	     DM_OBS_DOMAIN);
	text(DM_F_MESSAGE, "b\xff"
			   "d");
	last(DM_F_MESSAGE,
	     "b\xef\xbf\xbd"
	     "d",
	     DM_OBS_NONE);
	dm_record_hash(r, DM_SV("D41D8CD98F00B204E9800998ECF8427E"));
	last(DM_F_MD5, "d41d8cd98f00b204e9800998ecf8427e", DM_OBS_MD5);
	dm_record_hash(r, DM_SV("d41d8"));
	last(DM_F_UNPARSED, "file.hash=d41d8", DM_OBS_NONE);
}

static void test_host(void **state)
{
	static const struct {
		const char *s, *ip, *name;
	} cases[] = {
		{"1.2.3.4", "1.2.3.4", NULL},
		{"1.2.3.4:80", "1.2.3.4", NULL},
		{"2001:db8::1", "2001:db8::1", NULL},
		{"[2001:db8::1]", "2001:db8::1", NULL},
		{"[2001:db8::1]:443", "2001:db8::1", NULL},
		{"Example.com:8080", NULL, "example.com"},
		{"Example.com", NULL, "example.com"},
		{"example.com:https", NULL, "example.com:https"},
		{"[junk", NULL, "[junk"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dm_record_host(r, DM_F_URL_DOMAIN, DM_F_URL_IP, dm_sv_str(cases[i].s));
		if (cases[i].ip)
			last_ip(DM_F_URL_IP, cases[i].ip);
		else
			last(DM_F_URL_DOMAIN, cases[i].name, DM_OBS_DOMAIN);
	}
	assert_int_equal(r->count, sizeof(cases) / sizeof(cases[0]));
}

/* Each limit just under and just over. */
static void test_value_limit(void **state)
{
	char *s = malloc(DM_MAX_VALUE + 10);

	assert_non_null(s);
	memset(s, 'a', DM_MAX_VALUE + 10);
	dm_record_text(r, DM_F_MESSAGE, dm_sv(s, DM_MAX_VALUE));
	assert_int_equal(r->v[0].text.n, DM_MAX_VALUE);
	assert_int_equal(r->cut, 0);
	dm_record_text(r, DM_F_MESSAGE, dm_sv(s, DM_MAX_VALUE + 1));
	assert_int_equal(r->cut, 1);
	assert_int_equal(r->v[1].text.n, DM_MAX_VALUE);
	assert_memory_equal(r->v[1].text.p + DM_MAX_VALUE - 3, "\xe2\x80\xa6", 3);
	/* a character across the cut goes whole; bad bytes grow threefold and are cut again */
	memset(s, 0xc3, DM_MAX_VALUE + 10);
	dm_record_text(r, DM_F_MESSAGE, dm_sv(s, DM_MAX_VALUE));
	assert_true(r->v[2].text.n <= DM_MAX_VALUE);
	assert_true(r->v[2].text.n >= DM_MAX_VALUE - 6);
	memset(s, 0x80, DM_MAX_VALUE + 10);
	dm_record_text(r, DM_F_DNS_QUERY, dm_sv(s, DM_MAX_VALUE + 10));
	assert_true(r->v[3].text.n <= DM_MAX_VALUE && r->v[3].text.n > DM_MAX_VALUE - 9);
	free(s);
}

static void test_count_limits(void **state)
{
	static const enum dm_field fields[] = {DM_F_SRC_PORT, DM_F_DST_PORT, DM_F_VLAN, DM_F_SRC_BYTES,
					       DM_F_DST_BYTES};

	for (unsigned i = 0; i < DM_MAX_VALUES; i++)
		dm_record_int(r, fields[0], i);
	assert_int_equal(r->count, DM_MAX_VALUES);
	assert_int_equal(r->dropped, 0);
	dm_record_int(r, fields[0], 1);
	assert_int_equal(r->count, DM_MAX_VALUES);
	assert_int_equal(r->dropped, 1);
	for (unsigned k = 1; k < 4; k++)
		for (unsigned i = 0; i < DM_MAX_VALUES; i++)
			dm_record_int(r, fields[k], i);
	assert_int_equal(r->count, DM_RECORD_VALUES);
	assert_int_equal(r->dropped, 1);
	dm_record_int(r, fields[4], 1);
	assert_int_equal(r->count, DM_RECORD_VALUES);
	assert_int_equal(r->dropped, 2);
}

static void test_record_limit(void **state)
{
	char *s = malloc(DM_MAX_VALUE);

	assert_non_null(s);
	memset(s, 'a', DM_MAX_VALUE);
	for (size_t n = 0; n < DM_MAX_RECORD; n += DM_MAX_VALUE)
		dm_record_text(r, DM_F_MESSAGE, dm_sv(s, DM_MAX_VALUE));
	assert_int_equal(r->dropped, 0);
	text(DM_F_MESSAGE, "x");
	assert_int_equal(r->dropped, 1);
	free(s);
}

static void test_names(void **state)
{
	assert_int_equal(dm_field_from_name(DM_SV("dns.question.name")), DM_F_DNS_QUERY);
	assert_int_equal(dm_field_from_name(DM_SV("url.domain")), DM_F_URL_DOMAIN);
	assert_int_equal(dm_field_from_name(DM_SV("no.such")), DM_F_NONE);
	for (int k = 1; k < DM_KINDS; k++)
		assert_int_equal(dm_kind_from_name(dm_sv_str(dm_kind_name((enum dm_kind)k))), k);
	assert_int_equal(dm_kind_from_name(DM_SV("unknown")), 0);
	assert_string_equal(dm_kind_name((enum dm_kind)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain, fresh),
		cmocka_unit_test_setup(test_no_copy, fresh),
		cmocka_unit_test_setup(test_canonical, fresh),
		cmocka_unit_test_setup(test_host, fresh),
		cmocka_unit_test_setup(test_value_limit, fresh),
		cmocka_unit_test_setup(test_count_limits, fresh),
		cmocka_unit_test_setup(test_record_limit, fresh),
		cmocka_unit_test_setup(test_names, fresh),
	};

	return cmocka_run_group_tests_name("record", tests, setup, teardown);
}
