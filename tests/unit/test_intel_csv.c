/* Tables of indicators: delimiters, names, contents, several values in a row or cell, what is told about
 * them, and real tables by the count of an independent script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/limits.h"
#include "import/table.h"
#include "sink_recorder.h"

#define MD5A	"d41d8cd98f00b204e9800998ecf8427e"
#define SHA1A	"da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA256A "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

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
	return recorder_run(&rec, &dm_import_indicator_csv, "list.csv", text, strlen(text), NULL);
}

/* The table gives these values, written as "type value", one a line, in this order. */
static void gives(const char *text, const char *const *want)
{
	size_t i = 0;

	if (run(text) != 0)
		fail_msg("%s: %s", text, rec.err.msg);
	for (; want[i]; i++) {
		const char *got = recorder_indicator(&rec, i);
		const char *space = strchr(want[i], ' ');
		char type[64], value[512];

		snprintf(type, sizeof(type), "%.*s|", (int)(space - want[i]), want[i]);
		snprintf(value, sizeof(value), "|value=%s|", space + 1);
		if (strncmp(got, type, strlen(type)) != 0 || !strstr(got, value))
			fail_msg("%s\n%zu: \"%s\" is not %s", text, i, got, want[i]);
	}
	if (rec.indicators != i)
		fail_msg("%s\n%u indicators instead of %zu", text, (unsigned)rec.indicators, i);
}

#define GIVES(text, ...) gives(text, (const char *const[]){__VA_ARGS__, NULL})

static bool has(size_t i, const char *part)
{
	return strstr(recorder_indicator(&rec, i), part) != NULL;
}

static void test_delimiters(void **state)
{
	static const char *const texts[] = {
		"type,value,description\nip,1.2.3.4,\"a, b\"\ndomain,evil.com,c\n",
		"type;value;description\nip;1.2.3.4;\"a, b\"\ndomain;evil.com;c\n",
		"type\tvalue\tdescription\nip\t1.2.3.4\t\"a, b\"\ndomain\tevil.com\tc\n",
		"type|value|description\r\nip|1.2.3.4|\"a, b\"\r\ndomain|evil.com|c\r\n",
		"\xef\xbb\xbf"
		"description,value,type\n\"a, b\",1.2.3.4,ip\nc,evil.com,domain",
		"# a remark\n\ntype,value,description\nip,1.2.3.4,\"a, b\"\n# another, with, "
		"commas\ndomain,evil.com,c\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		GIVES(texts[i], "ipv4-addr 1.2.3.4", "domain-name evil.com");
		assert_true(has(0, "|label=a, b|"));
		assert_true(has(0, i == 5 ? "|line=4|" : "|line=2|"));
	}
}

static void test_columns(void **state)
{
	GIVES("SHA256,SHA1,MD5\n" SHA256A "," SHA1A "," MD5A "\n", "sha256 " SHA256A, "sha1 " SHA1A,
	      "md5 " MD5A);
	GIVES("domain_name,ip_address\n\"evil.com\",\"1.2.3.4\"\n", "domain-name evil.com",
	      "ipv4-addr 1.2.3.4");
	GIVES("value,entity_type\n\"" MD5A "," SHA1A "\",file\n", "md5 " MD5A, "sha1 " SHA1A);
	GIVES("value\n\"evil.com | worse.com\"\n", "domain-name evil.com", "domain-name worse.com");
	GIVES("value,type\nevil[.]com,hostname\nhxxp://evil[.]com/x,url\n", "domain-name evil.com",
	      "url http://evil.com/x");
	assert_true(has(0, "|original=evil[.]com|"));
	GIVES("url\nevil.com/x\nevil.com\n", "url http://evil.com/x", "domain-name evil.com");
	GIVES("ip\n1.2.3.4:443\n10.0.0.0/8\n1.2.3.4-1.2.3.9\n2001:DB8::1\n", "ipv4-addr 1.2.3.4",
	      "ipv4-addr 10.0.0.0/8", "ipv4-addr 1.2.3.4-1.2.3.9", "ipv6-addr 2001:db8::1");
	GIVES("domain\n*.evil.com\nlocalhost\ninvoice.pdf\n", "domain-name *.evil.com",
	      "domain-name localhost", "domain-name invoice.pdf");
	GIVES("type,value\nmutex,\"Global\\a, b\"\nfilename,evil.exe\nuser-agent,curl/7\nja3," MD5A "\n",
	      "mutex Global\\a, b", "file-name evil.exe", "user-agent curl/7", "ja3 " MD5A);
	GIVES("type,value\nfile,evil.exe\nfile," MD5A "\n", "file-name evil.exe", "md5 " MD5A);
	/* A file's name next to its digest is what it is about. */
	GIVES("filename,md5\nevil.exe," MD5A "\n", "md5 " MD5A);
	assert_true(has(0, "|label=evil.exe|"));
	GIVES("File SHA256,Malicious domain,Registrar domain email subject\n" SHA256A ",evil.com,hello\n",
	      "sha256 " SHA256A, "domain-name evil.com");
	GIVES("certificate\nDA39A3EE5E6B4B0D3255BFEF95601890AFD80709\n", "x509-sha1 " SHA1A);
	/* Feeds put the names into the last remark. */
	GIVES("# feed\n# id,dateadded,url,threat\n\"1\",\"2024-01-01\",\"http://evil.com/x\",\"loader\"\n",
	      "url http://evil.com/x");
	assert_true(has(0, "|label=loader|"));
	/* Zeek's intelligence framework */
	GIVES("#fields\tindicator\tindicator_type\tmeta.source\n1.2.3.4\tIntel::ADDR\tx\nevil.com/"
	      "a\tIntel::URL\tx\n",
	      "ipv4-addr 1.2.3.4", "url http://evil.com/a");
	assert_true(has(0, "|source=x|"));
}

static void test_no_names(void **state)
{
	GIVES("domain,evil.com,loader\nipv4,1.2.3.4,loader\n", "domain-name evil.com", "ipv4-addr 1.2.3.4");
	assert_true(has(0, "|label=loader|"));
	GIVES("2024-01-01,evil.com,1.2.3.4\n2024-01-02,worse.com,1.2.3.5\n", "domain-name evil.com",
	      "ipv4-addr 1.2.3.4", "domain-name worse.com", "ipv4-addr 1.2.3.5");
	/* Unknown names: what stands below them decides. */
	GIVES("Thing,Seen\n1.2.3.4,often\n1.2.3.5,never\n", "ipv4-addr 1.2.3.4", "ipv4-addr 1.2.3.5");
	GIVES("ioc,package\nevil.com,com.foo.bar\n", "domain-name evil.com");
}

static void test_meta(void **state)
{
	GIVES("value,type,confidence,tlp,valid_from,valid_until,source,uuid,to_ids,comment,malware\n"
	      "evil.com,domain,high,amber,2024-01-01,2024-02-01T00:00:00Z,Feed A,u-1,0,why,Loader\n"
	      "worse.com,domain,70,TLP:GREEN,1704067200,,,,1,,\n",
	      "domain-name evil.com", "domain-name worse.com");
	assert_true(has(0, "|confidence=85|"));
	assert_true(has(0, "|marking=TLP:AMBER|"));
	assert_true(has(0, "|from=2024-01-01T00:00:00Z|until=2024-02-01T00:00:00Z"));
	assert_true(has(0, "|source=Feed A|"));
	assert_true(has(0, "|id=u-1|"));
	assert_true(has(0, "|flags=32|"));
	assert_true(has(0, "|label=why; Loader|"));
	assert_true(has(1, "|confidence=70|"));
	assert_true(has(1, "|marking=TLP:GREEN|"));
	assert_true(has(1, "|from=2024-01-01T00:00:00Z|until=-"));
	assert_true(has(1, "|flags=0|"));
}

static void skips(const char *text, const char *why)
{
	assert_int_equal(run(text), 0);
	for (size_t i = 0; i < rec.skip_text.n; i++)
		if (strstr(recorder_skip(&rec, i), why))
			return;
	fail_msg("%s: no skip says \"%s\" (%s)", text, why, recorder_skip(&rec, 0));
}

static void test_skips(void **state)
{
	skips("type,value\nport,443\nip,1.2.3.4\n",
	      "2: not a kind that evidence is searched for (port): 443");
	skips("type,value\nimphash," MD5A "\nip,1.2.3.4\n",
	      "not a kind that evidence is searched for (imphash)");
	assert_int_equal(rec.indicators, 1);
	skips("type,value\nip,1.2.3.400\n", "IP address or range: 1.2.3.400");
	skips("sha256\nabc...\n", "sha256: abc...");
	skips("value\nnothing\n1.2.3.4\n", "no indicator that is known here: nothing");
	skips("value\n\"" MD5A ",82e67114d632795edf29ce1d50a4c1c444846d9e\"\n\"" MD5A ","
	      "82e67114d632795edf29ce1d50a4c1c444846d9\"\n",
	      "3: no indicator that is known here: 82e67114d632795edf29ce1d50a4c1c444846d9");
	assert_int_equal(rec.indicators, 3);
	/* What says that it is empty is no fault. */
	run("ip,domain\nN/A,evil.com\n-,worse.com\nnone,\n");
	assert_int_equal(rec.indicators, 2);
	assert_int_equal(rec.skips, 0);
}

static void test_quotes(void **state)
{
	GIVES("value,description\nevil.com,\"two\nlines, \"\"quoted\"\"\"\n1.2.3.4,5\" disk\n",
	      "domain-name evil.com", "ipv4-addr 1.2.3.4");
	assert_true(has(0, "label=two lines, \"quoted\"|"));
	assert_true(has(1, "|line=4|"));
	assert_true(has(1, "label=5\" disk|"));
	/* A quote that is never closed takes no other row with it. */
	skips("value,description\nevil.com,\"open\n1.2.3.4,b\n1.2.3.5,c\n",
	      "2: a quote that opens here is never closed");
	assert_int_equal(rec.indicators, 3);
	assert_true(has(2, "|line=4|"));
}

static void test_faults(void **state)
{
	static const char text[] = "type,value\nip,1.2.3.4\nport,1\n\"ip\n\",1.2.3.5\n\"open,1.2.3.6\n";

	assert_int_equal(run("just words\nno values\n"), DM_EFORMAT);
	assert_true(rec.err.remedy[0]);
	assert_int_equal(run(""), DM_EFORMAT);
	assert_int_equal(run("\xff\xfe"
			     "t"),
			 DM_EFORMAT);
	assert_non_null(strstr(rec.err.msg, "UTF-16"));
	assert_int_equal(run(text), 0);
	int calls = rec.calls;
	assert_true(calls >= 5);
	for (int i = 1; i <= calls; i++) {
		recorder_clear(&rec);
		rec.fail_after = i;
		assert_int_equal(
			recorder_run(&rec, &dm_import_indicator_csv, "x", text, sizeof(text) - 1, NULL),
			DM_EIO);
	}
}

static bool never_closed(void)
{
	return strstr(recorder_skip(&rec, 0), "2: a quote that opens here is never closed") != NULL;
}

/* Each limit just under and just over. */
static void test_limits(void **state)
{
	char *text = malloc(DM_MAX_LINE + 64);
	size_t n;

	assert_non_null(text);
	for (unsigned columns = DM_MAX_TABLE_COLUMNS; columns <= DM_MAX_TABLE_COLUMNS + 1; columns++) {
		n = 0;
		for (unsigned i = 0; i < columns; i++)
			n += (size_t)snprintf(text + n, 32, "%s10.0.0.%u", i ? "," : "", i % 250);
		assert_int_equal(run(text), 0);
		assert_int_equal(rec.indicators, DM_MAX_TABLE_COLUMNS);
		assert_int_equal(rec.skips, columns - DM_MAX_TABLE_COLUMNS);
	}
	for (unsigned lines = DM_MAX_ROW_LINES; lines <= DM_MAX_ROW_LINES + 1; lines++) {
		n = (size_t)snprintf(text, 64, "value,description\nevil.com,\"a");
		for (unsigned i = 1; i < lines; i++)
			text[n++] = '\n';
		memcpy(text + n, "b\"\n1.2.3.4,c\n", 14);
		assert_int_equal(run(text), 0);
		assert_int_equal(rec.indicators, 2);
		assert_int_equal(never_closed(), lines > DM_MAX_ROW_LINES);
	}
	/* The first line of the row has as many bytes, or one less. */
	for (size_t bytes = DM_MAX_ROW_BYTES - 1; bytes <= DM_MAX_ROW_BYTES; bytes++) {
		n = (size_t)snprintf(text, 64, "value,description\n");
		memset(text + n, 'a', bytes);
		memcpy(text + n, "evil.com,\"", 10);
		memcpy(text + n + bytes, "\nb\"\n1.2.3.4,c\n", 15);
		assert_int_equal(run(text), 0);
		assert_int_equal(rec.indicators, 2);
		assert_int_equal(never_closed(), bytes == DM_MAX_ROW_BYTES);
	}
	memcpy(text, "value\n1.2.3.4\n", 14);
	memset(text + 14, 'x', DM_MAX_LINE + 1);
	memcpy(text + 14 + DM_MAX_LINE + 1, "\n1.2.3.5\n", 10);
	skips(text, "3: line is too long");
	assert_int_equal(rec.indicators, 2);
	free(text);
}

static void test_probe(void **state)
{
	static const struct {
		const char *text, *name;
		int least, most;
	} cases[] = {
		{"type,value\nip,1.2.3.4\n", "x", 75, 75},
		{"sha256\n" SHA256A "\n", "x.csv", 65, 65},
		{"1.2.3.4\n1.2.3.5\n", "x.txt", 0, 5},
		{"1.2.3.4,a\n1.2.3.5,b\n", "x", 55, 55},
		{"1.2.3.4\ta\n1.2.3.5\tb\n", "x", 30, 30},
		{"ts,src_ip,src_port,dst_ip,dst_port\n1,1.2.3.4,1,1.2.3.5,2\n", "x.csv", 0, 0},
		{"StartTime,SrcAddr,DstAddr\n1,1.2.3.4,1.2.3.5\n", "x.csv", 0, 0},
		{"value,source\n1.2.3.4,feed\n", "x.csv", 75, 75},
		{"words, and words\nmore, words\n", "x", 0, 0},
		{"{\"value\": 1}", "x", 0, 0},
		{"[\n{}]", "x", 0, 0},
		{"", "x", 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = dm_import_indicator_csv.probe(dm_sv_str(cases[i].text), cases[i].name);
		if (got < cases[i].least || got > cases[i].most)
			fail_msg("%s: %d", cases[i].text, got);
	}
}

/* Real tables; the figures are those of tests/tools/count_indicators.py. */
static void test_real_tables(void **state)
{
	static const struct {
		const char *file, *types[5];
		unsigned counts[5], skipped;
	} tables[] = {
		{"indicators/amnesty-finfisher-sha256.csv", {"sha256"}, {12}, 0},
		{"indicators/amnesty-nso-2018-indicators.csv", {"domain-name", "ipv4-addr"}, {604, 604}, 0},
		{"indicators/stalkerware-network.csv", {"domain-name", "ipv4-addr", "url"}, {966, 66, 2}, 0},
		{"indicators/stalkerware-samples.csv", {"sha256", "x509-sha1"}, {3228, 1594}, 0},
		{"indicators/unit42-artradownloader.csv",
		 {"domain-name", "md5", "sha1", "sha256", "url"},
		 {40, 42, 43, 43, 4},
		 2},
		{"indicators/volexity-3cx.csv",
		 {"domain-name", "email-addr", "md5", "sha1", "sha256"},
		 {23, 5, 6, 6, 6},
		 0},
		{"indicators/volexity-applejeus.csv",
		 {"domain-name", "md5", "sha1", "sha256"},
		 {6, 17, 17, 16},
		 1},
		{"indicators/volexity-charmingcypress.csv",
		 {"domain-name", "ipv4-addr", "md5", "sha1", "sha256"},
		 {20, 3, 27, 27, 27},
		 0},
		{"indicators/volexity-darkhalo-solarwinds.csv", {"domain-name", "ipv4-addr"}, {12, 11}, 0},
		{"indicators/volexity-evilbamboo.csv",
		 {"domain-name", "ipv4-addr", "sha256"},
		 {24, 7, 212},
		 0},
		{"indicators/volexity-ivanti.csv", {"domain-name", "ipv4-addr"}, {3, 13}, 0},
		{"indicators/volexity-xegroup.csv",
		 {"domain-name", "ipv4-addr", "md5", "sha1", "sha256"},
		 {84, 8, 52, 52, 52},
		 0},
		{"case-sony-2014/indicators.csv",
		 {"file-name", "ipv4-addr", "md5", "sha1", "sha256"},
		 {16, 8, 13, 2, 1},
		 7},
	};
	char path[4096], name[256];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		unsigned sum = 0;

		snprintf(name, sizeof(name), "data/%s", tables[i].file);
		if (!recorder_shared(name, path, sizeof(path)))
			skip();
		recorder_clear(&rec);
		rec.keep = 10000;
		assert_int_equal(recorder_run_file(&rec, &dm_import_indicator_csv, path, NULL), 0);
		for (size_t k = 0; k < 5 && tables[i].types[k]; k++) {
			unsigned n = 0;
			for (size_t j = 0; j < rec.indicator_text.n; j++)
				n += strncmp(rec.indicator_text.text[j], tables[i].types[k],
					     strlen(tables[i].types[k])) == 0;
			if (n != tables[i].counts[k])
				fail_msg("%s: %u %s", tables[i].file, n, tables[i].types[k]);
			sum += n;
		}
		if (sum != rec.indicators || rec.skips != tables[i].skipped)
			fail_msg("%s: %u of %u, %u skipped", tables[i].file, sum, (unsigned)rec.indicators,
				 (unsigned)rec.skips);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delimiters), cmocka_unit_test(test_columns),
		cmocka_unit_test(test_no_names),   cmocka_unit_test(test_meta),
		cmocka_unit_test(test_skips),	   cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_faults),	   cmocka_unit_test(test_limits),
		cmocka_unit_test(test_probe),	   cmocka_unit_test(test_real_tables),
	};

	return cmocka_run_group_tests_name("intel_csv", tests, setup, teardown);
}
