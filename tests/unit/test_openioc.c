/* OpenIOC: terms, conditions, groups, and what XML must not be able to do. */
#include "intel_case.h"

#include <stdio.h>
#include "base/buf.h"

/* A document from rows of id, condition, term, content; a row "AND" or "OR" opens a group, "/" closes it,
 * NULL ends the list. Items stand in lines of their own, the first in line 4. */
typedef const char *const row_t[4];
static char built[8192];

static const char *build(row_t *row)
{
	size_t n =
		(size_t)snprintf(built, sizeof built,
				 "<?xml version='1.0'?>\n<ioc xmlns='http://schemas.mandiant.com/2010/ioc' "
				 "id='i'><definition>\n<Indicator operator='OR' id='r'>\n");

	for (; (*row)[0]; row++) {
		const char *what = (*row)[0];
		if (!strcmp(what, "/"))
			n += (size_t)snprintf(built + n, sizeof built - n, "</Indicator>");
		else if (!strcmp(what, "AND") || !strcmp(what, "OR"))
			n += (size_t)snprintf(built + n, sizeof built - n, "<Indicator operator='%s'>", what);
		else
			n += (size_t)snprintf(built + n, sizeof built - n,
					      "<IndicatorItem id='%s' condition='%s'><Context search='%s'/>"
					      "<Content>%s</Content></IndicatorItem>\n",
					      what, (*row)[1], (*row)[2], (*row)[3]);
		assert_true(n < sizeof built - 40);
	}
	strcat(built, "</Indicator></definition></ioc>\n");
	return built;
}

static int run_n(const char *text, size_t n)
{
	return case_run(&dm_import_openioc, DM_INTELLIGENCE, text, n);
}

static int run(const char *text)
{
	return run_n(text, strlen(text));
}

static void carries(void **state)
{
	assert_int_equal(run("<?xml version='1.0' encoding='us-ascii'?>\n"
			     "<ioc xmlns='http://schemas.mandiant.com/2010/ioc' id='i1'"
			     " last-modified='2011-10-28T19:28:20'>\n"
			     "<short_description>Wiper</short_description><description>At"
			     " &lt;Acme&gt;</description><keywords>a tlp:green,"
			     "b</keywords><authored_by>Me</authored_by><authored_date>"
			     "0001-01-01T00:00:00</authored_date><links><link rel='tlp'>amber</link></links>"
			     "<definition><Indicator operator='OR'>\n"
			     "<IndicatorItem id='7' condition='is'><Context search='FileItem/Md5sum'/>"
			     "<Content type='md5'> 00112233445566778899AABBCCDDEEFF\n"
			     "</Content><Comment>dropper</Comment></IndicatorItem>\n"
			     "<IndicatorItem><Context search='PortItem/remoteIP'/><Content>"
			     "192.0.2.1</Content></IndicatorItem>\n"
			     "</Indicator></definition></ioc>"),
			 0);
	assert_int_equal(rec.indicators, 2);
	assert_string_equal(recorder_indicator(&rec, 0),
			    "md5|form=1|line=4|flags=0|confidence=255"
			    "|value=00112233445566778899aabbccddeeff"
			    "|original=00112233445566778899AABBCCDDEEFF|id=7|source=Wiper (Me)"
			    "|label=dropper|marking=TLP:AMBER|from=2011-10-28T19:28:20Z|until=-");
	assert_string_equal(recorder_indicator(&rec, 1),
			    "ipv4-addr|form=1|line=6|flags=0|confidence=255|value=192.0.2.1|id=i1"
			    "|source=Wiper (Me)|label=At <Acme>|marking=TLP:AMBER"
			    "|from=2011-10-28T19:28:20Z|until=-");
	/* 1.1, with a prefix */
	assert_int_equal(run("<x:OpenIOC xmlns:x='http://openioc.org/schemas/OpenIOC_1.1' id='i2'>"
			     "<x:metadata><x:short_description>S</x:short_description><x:authored_date>"
			     "2014-12-19T00:00:00Z</x:authored_date></x:metadata><x:criteria><x:Indicator"
			     " operator='OR'><x:IndicatorItem id='1' condition='is' negate='false'>"
			     "<x:Context search='Network/DNS'/><x:Content>a.example</x:Content>"
			     "</x:IndicatorItem><x:IndicatorItem id='2' condition='is' negate='true'>"
			     "<x:Context search='Network/DNS'/><x:Content>b.example</x:Content>"
			     "</x:IndicatorItem></x:Indicator></x:criteria></x:OpenIOC>"),
			 0);
	assert_int_equal(rec.indicators, 1);
	assert_indicator("value=a.example|id=1|source=S|label=S|from=2014-12-19T00:00:00Z");
	assert_skipped("condition on what must not be there: Network/DNS");
}

static void terms(void **state)
{
	static const struct {
		const char *term, *content, *expected;
	} row[] = {
		{"Network/DNS", "A.example", "domain-name|form=1"},
		{"PortItem/localIP", "192.0.2.1", "ipv4-addr|form=1"},
		{"ProcessItem/PortList/PortItem/remoteIP", "2001:db8::1", "ipv6-addr|form=1"},
		{"FileItem/Sha1sum", "00112233445566778899aabbccddeeff00112233", "sha1|form=1"},
		{"FileItem/Sha256sum", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		 "sha256|form=1"},
		{"ServiceItem/serviceDLLmd5sum", "00112233445566778899aabbccddeeff", "md5|form=1"},
		{"fileitem/filename", "a.exe", "file-name|form=1"},
		{"DnsEntryItem/Host", "a.example", "domain-name|form=1"},
		{"DnsEntryItem/RecordName", "a.example", "domain-name|form=1"},
		{"DnsEntryItem/RecordData/IPv4Address", "192.0.2.1", "ipv4-addr|form=1"},
		{"UrlHistoryItem/URL", "http://a.example/x", "url|form=1"},
		{"FileDownloadHistoryItem/SourceURL", "http://a.example/x", "url|form=1"},
		{"RegistryItem/Path", "HKEY_LOCAL_MACHINE\\Software\\x", "windows-registry-key|form=1"},
		{"ProcessItem/HandleList/Handle/Name", "Global\\x", "mutex|form=1"},
		{"Network/UserAgent", "Bot/1", "user-agent|form=1"},
		{"Email/From", "a@b.example", "email-addr|form=1"},
		{"ArpEntryItem/PhysicalAddress", "00-11-22-33-44-55", "mac-addr|form=1"},
	};
	static row_t others[] = {
		{"1", "is", "FileItem/SizeInBytes", "4096"},
		{"2", "is", "", "x"},
		{"3", "is", "FileItem/Md5sum", "no hash"},
		{NULL},
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		row_t one[] = {{"1", "is", row[i].term, row[i].content}, {NULL}};
		assert_int_equal(run(build(one)), 0);
		if (rec.indicators != 1 ||
		    strncmp(recorder_indicator(&rec, 0), row[i].expected, strlen(row[i].expected)) != 0)
			fail_msg("%s: %s %s", row[i].term, recorder_indicator(&rec, 0),
				 recorder_skip(&rec, 0));
	}
	assert_int_equal(run(build(others)), 0);
	assert_string_equal(recorder_skip(&rec, 0), "4: term that no record holds: FileItem/SizeInBytes");
	assert_string_equal(recorder_skip(&rec, 1), "5: term that no record holds: none given");
	assert_string_equal(recorder_skip(&rec, 2), "6: no value of type md5: no hash");
}

static void conditions(void **state)
{
	static row_t rows[] = {
		{"1", "contains", "Network/DNS", "evil.example"},
		{"2", "ends-with", "Network/DNS", ".bad.example"},
		{"3", "contains", "Network/DNS", "evil"},
		{"4", "contains", "PortItem/remoteIP", "192.0.2.1"},
		{"5", "matches", "PortItem/remoteIP", "198.51.100.0/24"},
		{"6", "contains", "PortItem/remoteIP", "192.0."},
		{"7", "contains", "FileItem/FileName", "evil"},
		{"8", "starts-with", "Network/URI", "http://a.example/"},
		{"9", "isnot", "FileItem/FileName", "a.exe"},
		{"10", "containsnot", "FileItem/FileName", "a.exe"},
		{NULL},
	};

	assert_int_equal(run(build(rows)), 0);
	assert_int_equal(rec.indicators, 4);
	assert_indicator("domain-name|form=3|line=4|flags=0|confidence=255|value=*.evil.example");
	assert_indicator("value=*.bad.example");
	assert_indicator("value=192.0.2.1");
	assert_indicator("form=2|line=8|flags=0|confidence=255|value=198.51.100.0/24");
	assert_int_equal(rec.skips, 6);
	assert_skipped("part of a name");
	assert_skipped("not an IP address or range: 192.0.");
	assert_skipped("only whole values can be looked for, not \"contains\": FileItem/FileName");
	assert_skipped("only whole values can be looked for, not \"starts-with\": Network/URI");
}

static row_t grouped[] = {
	{"1", "is", "Network/DNS", "alone.example"},
	{"AND"},
	{"2", "is", "PortItem/remoteIP", "192.0.2.1"},
	{"3", "is", "PortItem/remotePort", "443"},
	{"OR"},
	{"4", "is", "Email/From", "a@b.example"},
	{"5", "is", "Email/From", "c@b.example"},
	{"/"},
	{"/"},
	{"AND"},
	{"6", "is", "Network/DNS", "single.example"},
	{"/"},
	{NULL},
};

static void groups(void **state)
{
	assert_int_equal(run(build(grouped)), 0);
	assert_int_equal(rec.indicators, 5);
	assert_indicator("flags=0|confidence=255|value=alone.example");
	assert_indicator("flags=0|confidence=255|value=single.example");
	assert_indicator("flags=32|confidence=255|value=192.0.2.1|id=2|label=only together with:"
			 " PortItem/remotePort is 443; one of 2 conditions|");
	assert_indicator("value=c@b.example|id=5|label=only together with: PortItem/remoteIP is"
			 " 192.0.2.1; PortItem/remotePort is 443|");
}

static void hostile(void **state)
{
	struct dm_buf text;

	/* outside files, and ten entities of ten each */
	assert_int_equal(run("<?xml version='1.0'?>\n"
			     "<!DOCTYPE ioc [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n"
			     "<ioc><short_description>&x;</short_description></ioc>"),
			 DM_EFORMAT);
	assert_non_null(strstr(rec.err.msg, "DOCTYPE"));
	assert_int_equal(rec.err.line, 2);
	assert_int_equal(rec.indicators, 0);
	assert_int_equal(run("<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c"
			     " '&b;&b;&b;&b;&b;&b;&b;&b;'>]><ioc>&c;</ioc>"),
			 DM_EFORMAT);
	assert_int_equal(run("<!DOCTYPE ioc PUBLIC 'a' 'http://127.0.0.1/x.dtd'><ioc/>"), DM_EFORMAT);
	assert_int_equal(run("<ioc><short_description>&undefined;</short_description></ioc>"), DM_EFORMAT);
	assert_int_equal(run("<rss><channel/></rss>"), DM_EFORMAT);
	assert_non_null(strstr(rec.err.msg, "no OpenIOC document"));
	assert_int_equal(run(""), DM_EFORMAT);
	assert_int_equal(run("<ioc><definition><Indicator operator='OR'><IndicatorItem><IndicatorItem/>"
			     "</IndicatorItem></Indicator></definition></ioc>"),
			 DM_EFORMAT);
	/* depth: the ioc and its definition are two */
	for (unsigned over = 0; over <= 1; over++) {
		dm_buf_init(&text, 1u << 20);
		dm_buf_str(&text, "<ioc><definition>");
		for (unsigned i = 0; i < DM_MAX_DEPTH - 2 + over; i++)
			dm_buf_str(&text, "<Indicator operator='OR'>");
		for (unsigned i = 0; i < DM_MAX_DEPTH - 2 + over; i++)
			dm_buf_str(&text, "</Indicator>");
		dm_buf_str(&text, "</definition></ioc>");
		assert_int_equal(run_n(text.p, text.n), over ? DM_ELIMIT : 0);
		dm_buf_done(&text);
	}
	/* a value is never cut to another value */
	for (unsigned over = 0; over <= 1; over++) {
		dm_buf_init(&text, 1u << 20);
		dm_buf_str(&text, "<ioc><definition><Indicator operator='OR'><IndicatorItem><Context"
				  " search='Network/UserAgent'/><Content>");
		for (size_t i = 0; i < DM_MAX_VALUE + over; i++)
			dm_buf_putc(&text, 'x');
		dm_buf_str(&text, "</Content></IndicatorItem></Indicator></definition></ioc>");
		assert_int_equal(run_n(text.p, text.n), 0);
		assert_int_equal(rec.indicators, !over);
		assert_int_equal(rec.skips, over);
		dm_buf_done(&text);
	}
	/* a tag without end is given up, not read again and again */
	dm_buf_init(&text, 8u << 20);
	dm_buf_str(&text, "<ioc a='");
	for (size_t i = 0; i < 3 * (size_t)DM_MAX_LINE; i++)
		dm_buf_putc(&text, 'x');
	assert_int_equal(run_n(text.p, text.n), DM_ELIMIT);
	dm_buf_done(&text);
}

static void cut(void **state)
{
	const char *whole = build(grouped), *end = strstr(whole, "<IndicatorItem id='3'");

	/* of the group that is open where the file ends, not all conditions are known */
	assert_int_equal(run_n(whole, (size_t)(end - whole)), DM_EFORMAT);
	assert_int_equal(rec.indicators, 2);
	assert_indicator("flags=0|confidence=255|value=alone.example");
	assert_indicator("flags=32|confidence=255|value=192.0.2.1");
	assert_indicator("perhaps only together with others (the file is cut)");
	case_prefixes(&dm_import_openioc, whole, 1);
	case_failing_sink(&dm_import_openioc, whole);
}

static void encodings(void **state)
{
	static row_t one[] = {{"1", "is", "Network/UserAgent", "x"}, {NULL}};
	const char *text = build(one);
	char wide[2 * sizeof built];
	size_t n = 0;

	/* UTF-16 with its mark, as some editors write it */
	wide[n++] = (char)0xff;
	wide[n++] = (char)0xfe;
	for (size_t i = 0; text[i]; i++) {
		wide[n++] = text[i];
		wide[n++] = 0;
	}
	assert_true(dm_import_openioc.probe(dm_sv(wide, n), "x.ioc") > 50);
	assert_int_equal(run_n(wide, n), 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(run("<?xml version='1.0' "
			     "encoding='utf-8'?><ioc><short_description>\xc3\x28</short_description></ioc>"),
			 DM_EFORMAT);
	assert_int_equal(run("<?xml version='1.0' encoding='x-unknown'?><ioc/>"), DM_EFORMAT);
}

static void probing(void **state)
{
	assert_int_equal(dm_import_openioc.probe(DM_SV("<html><body>"), "x.xml"), 0);
	assert_int_equal(dm_import_openioc.probe(DM_SV("{'ioc':1}"), "x.json"), 0);
	assert_int_equal(dm_import_openioc.probe(DM_SV(""), "x"), 0);
	assert_true(dm_import_openioc.probe(DM_SV("<?xml version='1.0'?><OpenIOC "), "x") > 90);
	assert_true(case_probe(&dm_import_openioc, build((row_t[]){{NULL}})) > 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries),   cmocka_unit_test(terms),	cmocka_unit_test(conditions),
		cmocka_unit_test(groups),    cmocka_unit_test(hostile), cmocka_unit_test(cut),
		cmocka_unit_test(encodings), cmocka_unit_test(probing),
	};

	return cmocka_run_group_tests_name("openioc", tests, case_setup, case_teardown);
}
