/* Warning lists: each way of matching, entries that tell nothing by themselves, faults, and the real lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sink_recorder.h"

static struct recorder rec;

static int setup(void **state)
{
	recorder_init(&rec);
	return 0;
}

static int teardown(void **state)
{
	recorder_done(&rec);
	return 0;
}

static int run(const char *text)
{
	recorder_clear(&rec);
	return recorder_run(&rec, &dm_import_warninglist, "list.json", text, strlen(text), NULL);
}

static void is(size_t i, const char *start, const char *value)
{
	char want[256];

	snprintf(want, sizeof(want), "|value=%s|", value);
	if (strncmp(recorder_indicator(&rec, i), start, strlen(start)) != 0 ||
	    !strstr(recorder_indicator(&rec, i), want))
		fail_msg("%zu: \"%s\" is not %s %s", i, recorder_indicator(&rec, i), start, value);
}

static void test_kinds(void **state)
{
	assert_int_equal(run("{\"name\": \"N\", \"type\": \"cidr\", \"list\": [\"10.0.0.0/8\", \"1.2.3.4\", "
			     "\"2001:DB8::/32\", \"junk\"]}"),
			 0);
	assert_string_equal(recorder_meta(&rec, "warninglist"), "N");
	assert_int_equal(rec.indicators, 3);
	is(0, "ipv4-addr|form=2|line=1|", "10.0.0.0/8");
	is(1, "ipv4-addr|form=1|line=2|", "1.2.3.4");
	is(2, "ipv6-addr|form=2|line=3|", "2001:db8::/32");
	assert_int_equal(rec.skips, 1);
	run("{\"list\": [\"Example.com\", \".example.org\", \"local\"], \"type\": \"hostname\", \"name\": "
	    "\"N\"}");
	assert_int_equal(rec.indicators, 3);
	is(0, "domain-name|form=3|line=1|", "*.example.com");
	is(1, "domain-name|form=3|line=2|", "*.example.org");
	is(2, "domain-name|form=3|line=3|", "*.local");
	run("{\"name\": \"N\", \"type\": \"string\", \"matching_attributes\": [\"filename|md5\", \"ssdeep\", "
	    "\"hostname\"],"
	    "\"list\": [\"example.com\", \".example.org\", \"d41d8cd98f00b204e9800998ecf8427e\", \"3::\", "
	    "\"AAA\", \"http://a.b/c\", \"a b\", 1]}");
	assert_int_equal(rec.indicators, 6);
	is(0, "domain-name|form=1|", "example.com");
	is(1, "domain-name|form=3|", "*.example.org");
	is(2, "md5|form=1|", "d41d8cd98f00b204e9800998ecf8427e");
	is(3, "ssdeep|form=1|", "3::");
	is(4, "domain-name|form=1|", "aaa");
	is(5, "url|form=1|", "http://a.b/c");
	assert_int_equal(rec.skips, 2);
	run("{\"name\": \"N\", \"type\": \"regex\", \"list\": [\"/x/\", \"/y/\"]}");
	assert_int_equal(rec.indicators, 0);
	assert_int_equal(rec.skips, 2);
}

static void test_faults(void **state)
{
	static const char *const bad[] = {"",
					  "[]",
					  "{}",
					  "{\"name\": \"N\", \"type\": \"cidr\"}",
					  "{\"name\": \"N\", \"list\": []}",
					  "{\"type\": \"cidr\", \"list\": []}",
					  "{\"name\": \"N\", \"type\": \"cidr\", \"list\": {}}",
					  "{\"name\": \"N\", \"type\": \"cidr\", \"list\": [\"1.2.3.4\"",
					  "{\"name\": 1, \"type\": [], \"list\": []}"};
	static const char text[] =
		"{\"name\": \"N\", \"type\": \"string\", \"list\": [\"example.com\", \"?\"]}";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (run(bad[i]) != DM_EFORMAT || !rec.err.msg[0])
			fail_msg("%s: %d %s", bad[i], rec.code, rec.err.msg);
	run(text);
	int calls = rec.calls;
	assert_true(calls >= 4);
	for (int i = 1; i <= calls; i++) {
		recorder_clear(&rec);
		rec.fail_after = i;
		assert_int_equal(
			recorder_run(&rec, &dm_import_warninglist, "x", text, sizeof(text) - 1, NULL),
			DM_EIO);
	}
}

static void test_probe(void **state)
{
	assert_true(dm_import_warninglist.probe(
			    DM_SV("{\"description\": \"d\", \"list\": [\"a\"], \"matching_attributes\": []}"),
			    "x") > 90);
	assert_true(dm_import_warninglist.probe(DM_SV("{\"description\": \"d\", \"list\": [\"a\", \"b\""),
						"x") > 50);
	assert_int_equal(dm_import_warninglist.probe(DM_SV("{\"Event\": {\"list\": []}}"), "x"), 0);
	assert_int_equal(
		dm_import_warninglist.probe(
			DM_SV("{\"type\": \"bundle\", \"objects\": [{\"list\": 1, \"name\": 2}]}"), "x"),
		0);
	assert_int_equal(dm_import_warninglist.probe(DM_SV("list"), "x"), 0);
}

/* Entries of the published lists, by `jq '.list | length'`; what is passed over is said. */
static void test_real_lists(void **state)
{
	static const struct {
		const char *file;
		unsigned entries, skipped;
	} lists[] = {
		{"akamai.json", 268, 0},
		{"amazon-aws.json", 3847, 0},
		{"automated-malware-analysis.json", 26, 26},
		{"bank-website.json", 2226, 0},
		{"captive-portals.json", 21, 0},
		{"cisco_top20k.json.zst", 19997, 0},
		{"crl-ip.json", 391, 0},
		{"dynamic-dns.json.zst", 35467, 0},
		{"google.json", 669, 0},
		{"icloud-private-relay.json.zst", 13747, 0},
		{"microsoft.json", 191, 0},
		{"public-dns-v4.json.zst", 62745, 0},
		{"public-dns-v6.json", 269, 0},
		{"rfc1918.json", 3, 0},
		{"rfc3849.json", 1, 0},
		{"rfc6761.json", 21, 0},
		{"second-level-tlds.json.zst", 10231, 0},
		{"sinkholes.json", 107, 0},
		{"tlds.json", 1438, 0},
		{"tranco10k.json.zst", 9995, 0},
		{"vpn-ipv4.json.zst", 42426, 0},
		{"empty-hashes.json", 6, 1} /* SHA-224 */,
		{"eicar.com.json", 15, 3},
	};
	char path[4096], name[256];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(name, sizeof(name), "data/misp/warninglists/%s", lists[i].file);
		if (!recorder_shared(name, path, sizeof(path)))
			skip();
		recorder_clear(&rec);
		assert_int_equal(recorder_run_file(&rec, &dm_import_warninglist, path, NULL), 0);
		if (rec.skips != lists[i].skipped || rec.indicators + rec.skips != lists[i].entries)
			fail_msg("%s: %u and %u skipped: %s", lists[i].file, (unsigned)rec.indicators,
				 (unsigned)rec.skips, recorder_skip(&rec, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_real_lists),
	};

	return cmocka_run_group_tests_name("warninglist", tests, setup, teardown);
}
