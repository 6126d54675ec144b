/* Reports and plain lists: what is refanged, what is an indicator, what is rather not, and real lists by the
 * count of an independent script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/limits.h"
#include "import/refang.h"
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
	return recorder_run(&rec, &dm_import_text, "report.txt", text, strlen(text), NULL);
}

/* Whether indicator i says so: "type value", or "type value <original". */
static void is(size_t i, const char *type, const char *value, const char *original)
{
	char want[512], more[256];
	const char *got = recorder_indicator(&rec, i);

	snprintf(want, sizeof(want), "%s|", type);
	if (strncmp(got, want, strlen(want)) != 0)
		fail_msg("%zu: \"%s\" is no %s", i, got, type);
	snprintf(want, sizeof(want), "|value=%s|", value);
	if (!strstr(got, want))
		fail_msg("%zu: \"%s\" has not %s", i, got, want);
	snprintf(more, sizeof(more), "|original=%s|", original ? original : "");
	if (original ? !strstr(got, more) : strstr(got, "|original=") != NULL)
		fail_msg("%zu: \"%s\" has not %s", i, got, more);
}

/* One line gives this one indicator and nothing else. */
static void one(const char *line, const char *type, const char *value, const char *original)
{
	assert_int_equal(run(line), 0);
	if (rec.indicators != 1)
		fail_msg("\"%s\" gave %d indicators", line, (int)rec.indicators);
	is(0, type, value, original);
}

static void none(const char *line)
{
	assert_int_equal(run(line), 0);
	if (rec.indicators)
		fail_msg("\"%s\" gave %s", line, recorder_indicator(&rec, 0));
}

static void skipped(const char *text, const char *why)
{
	none(text);
	assert_int_equal(rec.skips, 1);
	if (!strstr(recorder_skip(&rec, 0), why))
		fail_msg("\"%s\": %s", text, recorder_skip(&rec, 0));
}

static void test_refang(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"evil[.]com", "evil.com"},
		{"evil(.)com", "evil.com"},
		{"evil{.}com", "evil.com"},
		{"evil[dot]com", "evil.com"},
		{"evil(dot)com", "evil.com"},
		{"evil [dot] com", "evil.com"},
		{"evil[ . ]com", "evil.com"},
		{"evil [.] com", "evil.com"},
		{"evil[.com", "evil.com"},
		{"evil.]com", "evil.com"},
		{"evil dot com", "evil.com"},
		{"the dot product", "the dot product"},
		{"evil\\.com", "evil.com"},
		{"C:\\dir\\.ssh\\a\\.b", "C:\\dir\\.ssh\\a\\.b"},
		{"HKCR\\.txt", "HKCR\\.txt"},
		{"hxxp://a", "http://a"},
		{"hXXps://a", "https://a"},
		{"h**p://a", "http://a"},
		{"hxxp[:]//a", "http://a"},
		{"hxxp[://]a", "http://a"},
		{"hxxp[s]://a", "https://a"},
		{"http[s]://a", "https://a"},
		{"fxp://a", "ftp://a"},
		{"meow://a", "http://a"},
		{"http://a", "http://a"},
		{"joe[at]evil[.]com", "joe@evil.com"},
		{"joe [@] evil.com", "joe@evil.com"},
		{"joe(at)evil(dot)com", "joe@evil.com"},
		{"2001[:]db8[:][:]1", "2001:db8::1"},
		{"evil&#46;com", "evil.com"},
		{"evil&#x2e;com", "evil.com"},
		{"a?b&amp;c", "a?b&c"},
		{"ev\xe2\x80\x8bil.com", "evil.com"},
		{"\xe2\x80\x9c"
		 "evil.com\xe2\x80\x9d",
		 "\"evil.com\""},
		{"https:\\/\\/a.b\\/c", "https://a.b/c"},
		{"[see note] (ok)", "[see note] (ok)"},
		{"a[0] = b", "a[0] = b"},
		{"[", "["},
		{"&", "&"},
		{"\\", "\\"},
		{"[.", "[."},
		{"", ""},
	};
	struct dm_refang r;

	dm_refang_init(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(dm_refang_line(&r, dm_sv_str(cases[i].from)), 0);
		if (!dm_sv_is(dm_buf_view(&r.text), cases[i].to))
			fail_msg("%s became %s", cases[i].from, dm_buf_cstr(&r.text));
		assert_int_equal(r.from[r.text.n], strlen(cases[i].from));
	}
	dm_refang_done(&r);
}

static void test_forms(void **state)
{
	one("1.2.3.4", "ipv4-addr", "1.2.3.4", NULL);
	one("1.2.3.4\t12", "ipv4-addr", "1.2.3.4", NULL);
	one("1.2.3[.]4", "ipv4-addr", "1.2.3.4", "1.2.3[.]4");
	one("1.2.3.4:8080", "ipv4-addr", "1.2.3.4", NULL);
	one("1.2.3.0/24", "ipv4-addr", "1.2.3.0/24", NULL);
	one("1.2.3.4-1.2.3.9", "ipv4-addr", "1.2.3.4-1.2.3.9", NULL);
	one("1.2.3.4 - 1.2.3.9", "ipv4-addr", "1.2.3.4-1.2.3.9", "1.2.3.4 - 1.2.3.9");
	one("2001:DB8::1", "ipv6-addr", "2001:db8::1", "2001:DB8::1");
	one("[2001:db8::1]:443", "ipv6-addr", "2001:db8::1", NULL);
	one("*.evil.com", "domain-name", "*.evil.com", NULL);
	one(".evil.com", "domain-name", "*.evil.com", ".evil.com");
	one("EVIL.com", "domain-name", "evil.com", "EVIL.com");
	one("evil.com:8443", "domain-name", "evil.com", NULL);
	one("evil.com/", "domain-name", "evil.com", NULL);
	one("evil.com/a.php?x=1", "url", "http://evil.com/a.php?x=1", "evil.com/a.php?x=1");
	one("hxxp://evil[.]com/a", "url", "http://evil.com/a", "hxxp://evil[.]com/a");
	one("tcp://1.2.3.4:4444", "ipv4-addr", "1.2.3.4", NULL);
	one("joe[@]evil.com", "email-addr", "joe@evil.com", "joe[@]evil.com");
	one("D41D8CD98F00B204E9800998ECF8427E", "md5", "d41d8cd98f00b204e9800998ecf8427e",
	    "D41D8CD98F00B204E9800998ECF8427E");
	one("MD5: d41d8cd98f00b204e9800998ecf8427e", "md5", "d41d8cd98f00b204e9800998ecf8427e", NULL);
	one("md5=d41d8cd98f00b204e9800998ecf8427e", "md5", "d41d8cd98f00b204e9800998ecf8427e", NULL);
	one("ja3: d41d8cd98f00b204e9800998ecf8427e", "ja3", "d41d8cd98f00b204e9800998ecf8427e", NULL);
	one("\\\\evil[.]com@8080\\share", "domain-name", "evil.com", "evil[.]com");
	one("\xef\xbb\xbf"
	    "evil.com\r\n",
	    "domain-name", "evil.com", NULL);
	one("C2:evil[.]com", "domain-name", "evil.com", "evil[.]com");
}

static void test_markdown(void **state)
{
	one("- `evil.com`", "domain-name", "evil.com", NULL);
	one("* **evil[.]com**,", "domain-name", "evil.com", "evil[.]com");
	one("1. evil.com", "domain-name", "evil.com", NULL);
	one("> evil.com", "domain-name", "evil.com", NULL);
	one("| evil.com | loader | 2024 |", "domain-name", "evil.com", NULL);
	assert_non_null(strstr(recorder_indicator(&rec, 0), "label=loader | 2024"));
	one("[here](hxxp://evil[.]com/a_(b))", "url", "http://evil.com/a_(b)", "hxxp://evil[.]com/a_(b)");
	one("<hxxps://evil[.]com/x>.", "url", "https://evil.com/x", "hxxps://evil[.]com/x");
	one("(see hxxp://evil[.]com/x).", "url", "http://evil.com/x", "hxxp://evil[.]com/x");
	one("\xe5\x9f\x9f\xe5\x90\x8d"
	    "evil[.]com\xe7\x9a\x84",
	    "domain-name", "evil.com", "evil[.]com");
	run("hxxp://a[.]com/x,hxxp://b[.]com/y;hxxps://c[.]com");
	assert_int_equal(rec.indicators, 3);
	is(1, "url", "http://b.com/y", "hxxp://b[.]com/y");
	run("evil.com, worse.com , 1.2.3.4");
	assert_int_equal(rec.indicators, 3);
}

static void test_comments_and_headings(void **state)
{
	none("# a list\n# https://github.com/x/y\n#1.2.3.4\n; 1.2.3.5\n// evil.com\n");
	assert_int_equal(rec.skips, 0);
	run("# Servers\n\nevil.com\n\n## Files\nd41d8cd98f00b204e9800998ecf8427e\nHosts:\n1.2.3.4 # "
	    "remark\n");
	assert_int_equal(rec.indicators, 3);
	assert_non_null(strstr(recorder_indicator(&rec, 0), "|line=3|"));
	assert_non_null(strstr(recorder_indicator(&rec, 0), "|label=Servers|"));
	assert_non_null(strstr(recorder_indicator(&rec, 1), "|label=Files|"));
	assert_non_null(strstr(recorder_indicator(&rec, 2), "|label=remark|"));
	/* Comment lines on end are no headings. */
	run("# one\n# two\n1.2.3.4\n");
	assert_null(strstr(recorder_indicator(&rec, 0), "label="));
	one("## C2: evil[.]com", "domain-name", "evil.com", "evil[.]com");
}

static void test_references(void **state)
{
	/* The document defangs: plain names between words are references, wherever they stand. */
	run("Read https://blog.example.org/post first.\nIt calls evil[.]com and worse.org, write to "
	    "a@b.org.\nbad.net\n");
	assert_int_equal(rec.indicators, 2);
	is(0, "domain-name", "evil.com", "evil[.]com");
	is(1, "domain-name", "bad.net", NULL);
	assert_int_equal(rec.skips, 3);
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(recorder_skip(&rec, i), "not defanged, read as a reference"));
	/* It defangs nothing: they are all there is. */
	run("It calls evil.com and http://worse.org/x from 1.2.3.4.\n");
	assert_int_equal(rec.indicators, 3);
	assert_int_equal(rec.skips, 0);
	/* A footnote is a reference all the same. */
	none("[1]: https://blog.example.org/post\n");
}

static void test_not_indicators(void **state)
{
	skipped("invoice.pdf", "file name");
	none("it drops invoice.pdf and evil.exe into C:\\Windows\\svchost.dll");
	skipped("run install.sh now", "file name");
	skipped("version 1.2.3.4 is affected", "version number");
	none("std::bad and a::b");
	none("GET /a/b.php?x=y.com");
	none("e.g. this, i.e. that; U.S. and so on...");
	skipped("the end.Next sentence", "not sure to be a domain");
	none("Received: from mail.example.com (1.2.3.4) by mx.example.org\n\tby relay.example.net 5.6.7.8");
	assert_int_equal(rec.skips, 5);
	assert_non_null(strstr(recorder_skip(&rec, 0), "mail header"));
	skipped("imphash: d41d8cd98f00b204e9800998ecf8427e", "not of a file");
	none("plain words, nothing else 12:30 2024-01-02");
	none("1.2.3.4.5\n");
	none("");
	none("\n\n");
}

static void test_bad_input(void **state)
{
	char *line = malloc(DM_MAX_LINE + 16);

	assert_non_null(line);
	assert_int_equal(run("\xff\xfe"
			     "e"),
			 DM_EFORMAT);
	assert_non_null(strstr(rec.err.msg, "UTF-16"));
	assert_true(rec.err.remedy[0]);
	assert_int_equal(recorder_run(&rec, &dm_import_text, "x", "a\0b", 3, NULL), DM_EFORMAT);
	/* A line of the greatest length is read, a longer one passed over; what follows is read. */
	for (size_t n = DM_MAX_LINE; n <= DM_MAX_LINE + 1; n++) {
		memset(line, ' ', n);
		memcpy(line, "evil.com", 8);
		memcpy(line + n, "\nbad.net\n", 10);
		assert_int_equal(run(line), 0);
		assert_int_equal(rec.indicators, n == DM_MAX_LINE ? 2 : 1);
		assert_int_equal(rec.skips, n == DM_MAX_LINE ? 0 : 1);
	}
	/* Lines made to be read again and again. */
	static const char *const evil[] = {"a:", "a\\.",     "[",	"a[.", "&#", "((((", "a.b/",
					   "::", "1.2.3.4-", "http://", "| ",  "a@", "*."};
	for (size_t k = 0; k < sizeof(evil) / sizeof(evil[0]); k++) {
		size_t m = strlen(evil[k]);
		for (size_t i = 0; i < DM_MAX_LINE / 4; i++)
			line[i] = evil[k][i % m];
		line[DM_MAX_LINE / 4] = 0;
		assert_int_equal(run(line), 0);
	}
	free(line);
}

/* Plain names wait until the document is known to defang; one more than may wait, and it is taken not to. */
static void test_held_limit(void **state)
{
	char *text = malloc(32 * (DM_MAX_HELD + 4));

	assert_non_null(text);
	for (unsigned names = DM_MAX_HELD; names <= DM_MAX_HELD + 1; names++) {
		size_t n = 0;

		for (unsigned i = 0; i < names; i++)
			n += (size_t)snprintf(text + n, 32, "see a%u.example.com\n", i);
		memcpy(text + n, "and evil[.]com\n", 16);
		assert_int_equal(run(text), 0);
		assert_int_equal(rec.indicators, names == DM_MAX_HELD ? 1 : names + 1);
		assert_int_equal(rec.skips, names == DM_MAX_HELD ? names : 0);
	}
	free(text);
}

static void test_failing_sink(void **state)
{
	static const char text[] = "evil.com\nhxxp://a[.]b/c and https://x.org\ninvoice.pdf\n1.2.3.4\n";

	run(text);
	int calls = rec.calls;
	assert_true(calls >= 6);
	for (int i = 1; i <= calls; i++) {
		recorder_clear(&rec);
		rec.fail_after = i;
		assert_int_equal(recorder_run(&rec, &dm_import_text, "x", text, strlen(text), NULL), DM_EIO);
	}
}

static void test_probe(void **state)
{
	static const struct {
		const char *text, *name;
		int least, most;
	} cases[] = {
		{"1.2.3.4\n5.6.7.8\n", "x", 60, 60},
		{"# note\nevil.com\n", "x", 60, 60},
		{"We saw evil[.]com in this.\n", "x", 40, 40},
		{"We saw evil.com in this.\n", "x.md", 10, 10},
		{"{\"a\": 1}\n", "x", 0, 0},
		{"<xml/>\n", "x", 0, 0},
		{"#separator \\x09\n", "x", 0, 0},
		{"Apr 19 10:00:00 host sshd[1]: from 1.2.3.4 port 22\n", "x", 0, 0},
		{"2024-04-19T10:00:00Z 1.2.3.4 evil.com\n", "x", 0, 0},
		{"words only\n", "x", 0, 0},
		{"08/02/2014-10:50:25.8 [**] 1.2.3.4 -> 1.2.3.5\n", "x", 0, 0},
		{"1713484795.943 1.2.3.4 evil.com\n", "x", 0, 0},
		{"srcIP=1.2.3.4\n a b c 1.2.3.5\nd e 1.2.3.6\n", "x.log", 0, 0},
		{"", "x", 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = dm_import_text.probe(dm_sv_str(cases[i].text), cases[i].name);
		if (got < cases[i].least || got > cases[i].most)
			fail_msg("%s: %d", cases[i].text, got);
	}
}

/* Real lists; the figures are those of tests/tools/count_indicators.py. */
static void test_real_lists(void **state)
{
	static const struct {
		const char *file, *types[4];
		unsigned counts[4];
	} lists[] = {
		{"amnesty-android-campaign-domains.txt", {"domain-name"}, {2183}},
		{"amnesty-donot-sha256.txt", {"sha256"}, {228}},
		{"amnesty-pegasus-domains.txt", {"domain-name"}, {1438}},
		{"amnesty-pegasus-emails.txt", {"email-addr"}, {29}},
		{"amnesty-vietnam-ips.txt", {"ipv4-addr"}, {6}},
		{"ipsum-level3.txt", {"ipv4-addr"}, {14217}},
		{"ipsum.txt.zst", {"ipv4-addr"}, {120430}},
		{"stalkerware-quad9_blocklist.txt", {"domain-name", "ipv4-addr", "url"}, {966, 1, 2}},
		{"unit42-bazarcall-b.txt", {"domain-name"}, {31}},
		{"unit42-coin-mining-urls.txt", {"domain-name", "url"}, {5758, 1150}},
		{"unit42-conti.txt", {"domain-name", "ipv4-addr", "sha256"}, {3, 8, 44}},
		{"unit42-gamaredon-dec2022.txt",
		 {"domain-name", "ipv4-addr", "sha256", "url"},
		 {596, 18, 241, 17}},
		{"unit42-maliciousjs.txt", {"domain-name", "sha256"}, {48, 8}},
		{"unit42-shade-urls.txt", {"url"}, {203}},
		{"unit42-ta551-icedid.txt", {"domain-name", "ipv4-addr", "sha256"}, {11, 11, 37}},
	};
	char path[4096], name[256];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		unsigned sum = 0;

		snprintf(name, sizeof(name), "data/indicators/%s", lists[i].file);
		if (!recorder_shared(name, path, sizeof(path)))
			skip();
		recorder_clear(&rec);
		rec.keep = 200000;
		assert_int_equal(recorder_run_file(&rec, &dm_import_text, path, NULL), 0);
		for (size_t k = 0; k < 4 && lists[i].types[k]; k++) {
			unsigned n = 0;
			for (size_t j = 0; j < rec.indicator_text.n; j++)
				n += strncmp(rec.indicator_text.text[j], lists[i].types[k],
					     strlen(lists[i].types[k])) == 0;
			if (n != lists[i].counts[k])
				fail_msg("%s: %u %s", lists[i].file, n, lists[i].types[k]);
			sum += n;
		}
		if (sum != rec.indicators)
			fail_msg("%s: %u of %u", lists[i].file, sum, (unsigned)rec.indicators);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refang),	   cmocka_unit_test(test_forms),
		cmocka_unit_test(test_markdown),   cmocka_unit_test(test_comments_and_headings),
		cmocka_unit_test(test_references), cmocka_unit_test(test_not_indicators),
		cmocka_unit_test(test_bad_input),  cmocka_unit_test(test_failing_sink),
		cmocka_unit_test(test_held_limit), cmocka_unit_test(test_probe),
		cmocka_unit_test(test_real_lists),
	};

	return cmocka_run_group_tests_name("intel_text", tests, setup, teardown);
}
