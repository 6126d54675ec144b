/* STIX as intelligence: forms of files, versions, what an indicator carries, hostile files. Observed Data:
 * test_stix_observed.c. */
#include "intel_case.h"

#include <stdio.h>

static int run_as(enum dm_import_class want, const char *text)
{
	return case_run(&dm_import_stix, want, text, strlen(text));
}

static int run(const char *text)
{
	return run_as(DM_EITHER, text);
}

static void carries(void **state)
{
	static const char text[] =
		"{`type`:`bundle`,`id`:`bundle--0`,\n"
		"`objects`:[\n"
		"{`type`:`identity`,`id`:`identity--1`,`name`:`Acme CSIRT`},\n"
		"{`type`:`malware`,`id`:`malware--2`,`name`:`WIPER`},\n"
		"{`type`:`relationship`,`id`:`relationship--3`,`relationship_type`:`indicates`,"
		"`source_ref`:`indicator--4`,`target_ref`:`malware--2`},\n"
		"{`type`:`report`,`id`:`report--5`,`name`:`Report 7`,"
		"`object_refs`:[`indicator--4`]},\n"
		"{`type`:`indicator`,`id`:`indicator--4`,`created_by_ref`:`identity--1`,\n"
		"`pattern_type`:`stix`,`pattern`:` [ipv4-addr:value = '192.0.2.1'] `,"
		"`name`:`C2\\naddress`,`confidence`:85,`indicator_types`:[`malicious-activity`,"
		"`benign`],`revoked`:true,`valid_from`:`2014-12-19T10:00:00Z`,"
		"`valid_until`:`2015-01-01T00:00:00Z`,"
		"`object_marking_refs`:[`marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b4"
		"21`]},\n"
		"{`type`:`indicator`,`id`:`indicator--6`,`pattern`:`[url:value = 'http://6/']`,"
		"`labels`:[`benign`],`description`:`just seen`}]}";

	assert_int_equal(run(text), 0);
	assert_int_equal(rec.indicators, 2);
	assert_string_equal(recorder_indicator(&rec, 0),
			    "unknown|form=4|line=7|flags=64|confidence=85|value=[ipv4-addr:value ="
			    " '192.0.2.1']|id=indicator--4|source=Report 7 (Acme CSIRT)|label=C2 address:"
			    " indicates WIPER (malware)|marking=TLP:AMBER|from=2014-12-19T10:00:00Z"
			    "|until=2015-01-01T00:00:00Z");
	assert_string_equal(recorder_indicator(&rec, 1),
			    "unknown|form=4|line=9|flags=128|confidence=255|value=[url:value ="
			    " 'http://6/']|id=indicator--6|label=just seen|from=-|until=-");
	assert_int_equal(rec.skips, 0);
	assert_meta("1 identity");
}

static void forms(void **state)
{
	assert_int_equal(run("\xef\xbb\xbf {`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`},"
			     "{`type`:`indicator`,`id`:`indicator--2`,"
			     "`pattern`:`[url:value = 'http://2/']`}]}"),
			 0);
	assert_int_equal(rec.indicators, 2);
	assert_int_equal(run("[{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`},\n"
			     "{`type`:`indicator`,`id`:`indicator--2`,"
			     "`pattern`:`[url:value = 'http://2/']`}]"),
			 0);
	assert_int_equal(rec.indicators, 2);
	assert_indicator("line=2|");
	assert_int_equal(run("[{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`}]},"
			     "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--2`,`pattern`:`[url:value = 'http://2/']`}]}]"),
			 0);
	assert_int_equal(rec.indicators, 2);
	assert_int_equal(run("{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`}]}\n"
			     "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--2`,`pattern`:`[url:value = 'http://2/']`}]}\r\n"
			     "\n"),
			 0);
	assert_int_equal(rec.indicators, 2);
	assert_indicator("line=2|");
	assert_int_equal(
		run("{`type`:`indicator`,`id`:`indicator--1`,"
		    "`pattern`:`[url:value = 'http://1/']`}\n"
		    "{`type`:`indicator`,`id`:`indicator--2`,`pattern`:`[url:value = 'http://2/']`}"),
		0);
	assert_int_equal(rec.indicators, 2);
	assert_int_equal(
		run("{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`}"), 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(run("{`more`:false,`objects`:[{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`}]}"),
			 0); /* TAXII 2.1 s.3.7 */
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(run("{`objects`:[{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`}],`id`:`bundle--0`,`type`:`bundle`}"),
			 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(run("{`type`:`bundle`,`id`:`bundle--0`}"), 0);
	assert_int_equal(rec.indicators + rec.skips, 0);
	assert_int_equal(run("[]"), 0);
	assert_int_equal(run(""), 0);
}

static void versions(void **state)
{
	assert_int_equal(run("{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`,"
			     "`modified`:`2020-01-02T00:00:00Z`,`name`:`new`},"
			     "{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`,"
			     "`modified`:`2020-01-01T00:00:00.999Z`,`name`:`old`}]}"),
			 0);
	assert_int_equal(rec.indicators, 1);
	assert_indicator("label=new");
	assert_meta("1 older versions");
	/* the same again: once; another object under the same id and version: kept */
	assert_int_equal(run("{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`},"
			     "{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`},"
			     "{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`,"
			     "`name`:`other`}]}"),
			 0);
	assert_int_equal(rec.indicators, 2);
	assert_meta("1 repetitions");
	/* across the bundles of one file */
	assert_int_equal(run("{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`,"
			     "`modified`:`2020-01-01T00:00:00Z`}]}\n"
			     "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`,"
			     "`modified`:`2021-01-01T00:00:00Z`,`revoked`:true}]}"),
			 0);
	assert_int_equal(rec.indicators, 1);
	assert_indicator("flags=64|");
}

static void other_tools(void **state)
{
	assert_int_equal(run("{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`,"
			     "`pattern_type`:`yara`},{`type`:`indicator`,`id`:`indicator--2`,"
			     "`pattern`:`[url:value = 'http://2/']`,`pattern_type`:`snort`},"
			     "{`type`:`indicator`,`id`:`indicator--3`,`pattern`:`[url:value = 'http://3/']`,"
			     "`pattern_type`:`sigma`},{`type`:`indicator`,`id`:`indicator--4`,"
			     "`pattern`:`[url:value = 'http://4/']`,`pattern_type`:`pcre`},"
			     "{`type`:`indicator`,`id`:`indicator--5`,`pattern`:`[url:value = 'http://5/']`,"
			     "`pattern_type`:`stix`}]}"),
			 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(rec.skips, 4);
	assert_string_equal(recorder_skip(&rec, 0), "1: indicator with a pattern for another tool: yara");
	assert_int_equal(run("{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			     "`id`:`indicator--1`}]}"),
			 0);
	assert_skipped("without a pattern");
}

static void pattern_length(void **state)
{
	static const char before[] = "{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`";
	char *text = malloc(DM_MAX_PATTERN + sizeof before + 8);

	for (size_t over = 0; over <= 1; over++) {
		size_t n = sizeof before - 1;
		memcpy(text, before, n);
		memset(text + n, 'x', DM_MAX_PATTERN + over);
		n += DM_MAX_PATTERN + over;
		memcpy(text + n, "`}", 2);
		assert_int_equal(case_run(&dm_import_stix, DM_EITHER, text, n + 2), 0);
		assert_int_equal(rec.indicators, !over);
		assert_int_equal(rec.skips, over);
	}
	free(text);
}

static void check_marking(const char *more, const char *expected)
{
	char text[2000];

	snprintf(text, sizeof text,
		 "[{`type`:`marking-definition`,`id`:`marking-definition--7`,"
		 "`definition_type`:`statement`,`definition`:{`statement`:`(c)`}},"
		 "{`type`:`marking-definition`,`id`:`marking-definition--8`,"
		 "`definition_type`:`tlp`,`name`:`TLP:CLEAR`,`definition`:{`tlp`:`clear`}},"
		 "{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`p`,%s}]",
		 more);
	assert_int_equal(run(text), 0);
	assert_int_equal(rec.indicators, 1);
	if (expected) {
		snprintf(text, sizeof text, "|marking=%s|from=", expected);
		assert_indicator(text);
	} else {
		assert_null(strstr(recorder_indicator(&rec, 0), "marking="));
	}
}

static void markings(void **state)
{

#define REF(id) "`marking-definition--" id "`"
#define WHITE1	REF("613f2e26-407d-48c7-9eca-b8e91df99dc9")
#define GREEN1	REF("34098fce-860f-48ae-8e50-ebd3cc5e41da")
#define AMBER1	REF("f88d31f6-486f-44da-b317-01333bde0b82")
#define RED1	REF("5e57c739-391a-4eb3-b6be-7d15ca92d5ed")
#define CLEAR2	REF("94868c89-83c2-464b-929b-a1a8aa3c8487")
#define STRICT2 REF("939a9414-2ddd-4d32-a0cd-375ea402b003")
#define RED2	REF("e828b379-4e03-4974-9ac4-e53a884c97c1")
	check_marking("`a`:1", NULL);
	check_marking("`object_marking_refs`:[" WHITE1 "]", "TLP:WHITE");
	check_marking("`object_marking_refs`:[" CLEAR2 "]", "TLP:CLEAR");
	check_marking("`object_marking_refs`:[" GREEN1 "," AMBER1 "," WHITE1 "]", "TLP:AMBER");
	check_marking("`object_marking_refs`:[" AMBER1 "," STRICT2 "]", "TLP:AMBER+STRICT");
	check_marking("`object_marking_refs`:[" RED2 "," STRICT2 "]", "TLP:RED");
	/* a copyright notice restricts nothing */
	check_marking("`object_marking_refs`:[`marking-definition--7`]", NULL);
	check_marking("`object_marking_refs`:[`marking-definition--7`," GREEN1 "]", "TLP:GREEN");
	/* only the id counts: a definition that calls itself TLP is as good as none, and outranks what is
	 * known */
	check_marking("`object_marking_refs`:[`marking-definition--8`]", "marking-definition--8");
	check_marking("`object_marking_refs`:[" RED1 ",`marking-definition--9`]", "marking-definition--9");
	check_marking("`object_marking_refs`:[" GREEN1 "],`granular_markings`:[{`marking_ref`:" RED1
		      ",`selectors`:[`name`]}]",
		      "TLP:RED");
	assert_meta("1 objects carry granular markings");
}

static void values_alone(void **state)
{
	static const char text[] = "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`ipv4-addr`,"
				   "`id`:`ipv4-addr--1`,`value`:`198.51.100.3`},"
				   "{`type`:`ipv4-addr`,`id`:`ipv4-addr--2`,`value`:`198.51.100.77/24`},"
				   "{`type`:`domain-name`,`id`:`domain-name--3`,`value`:`EVIL.example.`},"
				   "{`type`:`file`,`id`:`file--4`,`name`:`a.exe`,"
				   "`hashes`:{`MD5`:`0123456789abcdef0123456789ABCDEF`,`SHA3-256`:`00`}},"
				   "{`type`:`file`,`id`:`file--5`,`name`:`b.exe`},"
				   "{`type`:`url`,`id`:`url--6`,`value`:`not a url`},"
				   "{`type`:`process`,`id`:`process--7`,`pid`:1}]}";

	assert_int_equal(run_as(DM_INTELLIGENCE, text), 0);
	assert_int_equal(rec.indicators, 5);
	assert_string_equal(recorder_indicator(&rec, 0),
			    "ipv4-addr|form=1|line=1|flags=0|confidence=255|value=198.51.100.3"
			    "|id=ipv4-addr--1|from=-|until=-");
	assert_indicator("ipv4-addr|form=2|line=1|flags=0|confidence=255|value=198.51.100.0/24"
			 "|original=198.51.100.77/24");
	assert_indicator("value=evil.example|original=EVIL.example.");
	assert_indicator("md5|form=1|line=1|flags=0|confidence=255"
			 "|value=0123456789abcdef0123456789abcdef");
	assert_indicator("file-name|form=1|line=1|flags=0|confidence=255|value=b.exe");
	assert_skipped("hash of a kind that no record has: SHA3-256");
	assert_skipped("no value of type url: not a url");
	assert_skipped("object without a value that could be looked for: process");
	assert_meta("its objects were taken as values");
	/* nobody said that they are bad: elsewhere they are not taken */
	assert_int_equal(run_as(DM_EITHER, text), 0);
	assert_int_equal(rec.indicators, 0);
	assert_int_equal(rec.skips, 7);
	assert_skipped("asserts nothing: ipv4-addr");
	/* nor beside an indicator */
	assert_int_equal(run_as(DM_INTELLIGENCE,
				"{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
				"`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`},"
				"{`type`:`url`,`id`:`url--1`,`value`:`http://x/`}]}"),
			 0);
	assert_int_equal(rec.indicators, 1);
}

static void wanted(void **state)
{
	static const char text[] = "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
				   "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`},"
				   "{`type`:`observed-data`,`id`:`observed-data--2`,"
				   "`objects`:{`0`:{`type`:`mutex`,`name`:`m`}}}]}";

	assert_int_equal(run_as(DM_EITHER, text), 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(rec.records, 1);
	assert_int_equal(run_as(DM_EVIDENCE, text), 0);
	assert_int_equal(rec.indicators, 0);
	assert_int_equal(rec.records, 1);
	assert_meta("1 indicators were not read");
	assert_int_equal(run_as(DM_INTELLIGENCE, text), 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(rec.records, 0);
	assert_meta("1 observed-data were not read");
}

static void damaged_objects(void **state)
{
	char deep[400] = "", text[3000];

	for (unsigned i = 0; i < DM_MAX_DEPTH; i++)
		deep[i] = '[';
	for (unsigned i = 0; i < DM_MAX_DEPTH; i++)
		deep[DM_MAX_DEPTH + i] = ']';
	snprintf(text, sizeof text,
		 "[\n"
		 "{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`a`,`pattern`:`b`},\n"
		 "{`type`:`indicator`,\n"
		 "`id`:`indicator--2`,`pattern`:`\xff`},\n"
		 "{`type`:`indicator`,`id`:`indicator--3`,`pattern`:`p`,`x`:%s},\n"
		 "{`id`:`indicator--4`,`pattern`:`p`},\n"
		 "17,\n"
		 "`text`,\n"
		 "{`type`:`indicator`,`id`:`indicator--5`,"
		 "`pattern`:`[url:value = 'http://5/']`}]",
		 deep);
	assert_int_equal(run(text), 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(rec.skips, 6);
	assert_true(!strncmp(recorder_skip(&rec, 0), "2: object is no readable JSON", 29));
	assert_true(!strncmp(recorder_skip(&rec, 1), "4: object is no readable JSON", 29));
	assert_true(!strncmp(recorder_skip(&rec, 2), "5: object is no readable JSON", 29));
	assert_string_equal(recorder_skip(&rec, 3), "6: object without a type: not STIX");
	assert_string_equal(recorder_skip(&rec, 4), "7: not a STIX object");
	/* one level less is read */
	deep[0] = ' ';
	deep[2 * DM_MAX_DEPTH - 1] = ' ';
	snprintf(text, sizeof text, "[{`type`:`indicator`,`id`:`indicator--3`,`pattern`:`p`,`x`:%s}]", deep);
	assert_int_equal(run(text), 0);
	assert_int_equal(rec.indicators, 1);
}

static void damaged_files(void **state)
{
	/* what stands before the fault is read, and the fault is named with its place */
	assert_int_equal(run("{`type`:`bundle`,`objects`:[\n"
			     "{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`},\n"
			     "{`type`:`indicator`,`id`:`indicator--2`,"
			     "`pattern`:`[url:value = 'http://2/']`},\n"
			     "{`type`:`indic"),
			 DM_EFORMAT);
	assert_int_equal(rec.indicators, 2);
	assert_int_equal(rec.err.line, 4);
	assert_true(rec.err.has_offset);
	assert_non_null(strstr(rec.err.remedy, "the 2 objects before"));
	assert_int_equal(run("[{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`} {`type`:`indicator`,"
			     "`id`:`indicator--2`,`pattern`:`[url:value = 'http://2/']`}]"),
			 DM_EFORMAT);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(run("{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`}\n"
			     "rubbish"),
			 DM_EFORMAT);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(rec.err.line, 2);
	assert_int_equal(run("[{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`},]"),
			 DM_EFORMAT);
	assert_int_equal(rec.indicators, 1);
	/* two lists of objects: which one counts? */
	assert_int_equal(run("{`type`:`bundle`,`objects`:[{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`}],"
			     "`\\u006fbjects`:[{`type`:`indicator`,`id`:`indicator--2`,"
			     "`pattern`:`[url:value = 'http://2/']`}]}"),
			 0);
	assert_int_equal(rec.indicators, 0);
	assert_skipped("member twice");
	assert_int_equal(run("[[[[[[[{`type`:`indicator`,`id`:`indicator--1`,"
			     "`pattern`:`[url:value = 'http://1/']`}]]]]]]]"),
			 0);
	assert_int_equal(rec.indicators, 0);
	assert_skipped("arrays within arrays");
	case_prefixes(&dm_import_stix,
		      "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
		      "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`},"
		      "{`type`:`indicator`,`id`:`indicator--2`,`pattern`:`[url:value = 'http://2/']`,"
		      "`name`:`\\u00e9`},{`type`:`observed-data`,`id`:`observed-data--1`,"
		      "`objects`:{`0`:{`type`:`mutex`,`name`:`m`}}}]}",
		      1);
}

/* One bad line must not hide those behind it. */
static void recovery(void **state)
{
	static const char whole[] = "{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`a`}\n";
	assert_int_equal(run("{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`a`}\n"
			     "{`type`:`indicator`,`id`:`indicator--2`,`pattern`:`b\n"
			     "{`type`:`indicator`,`id`:`indicator--3`,`pattern`:`c`}\n"
			     "rubbish\n"
			     "{`type`:`indicator`,`id`:`indicator--4`,`pattern`:`d`}\n"
			     "{`type`:`indicator`,`id`:`indicator--5`"),
			 0);
	assert_int_equal(rec.indicators, 3);
	assert_indicator("line=3|");
	assert_indicator("line=5|");
	assert_int_equal(rec.skips, 2);
	assert_true(!strncmp(recorder_skip(&rec, 0), "6: ", 3));
	assert_true(!strncmp(recorder_skip(&rec, 1), "2: ", 3) || !strncmp(recorder_skip(&rec, 1), "3: ", 3));
	/* an array that is written a line each */
	assert_int_equal(run("[\n{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`a`},\n"
			     "{`type`:`indicator` `id`:`indicator--2`,`pattern`:`b`}\n"
			     "{`type`:`indicator`,`id`:`indicator--3`,`pattern`:`c`},\n"
			     "{`type`:`indicator`,`id`:`indicator--4`,`pattern`:`d`}\n]"),
			 0);
	assert_int_equal(rec.indicators, 3);
	assert_indicator("line=4|");
	assert_indicator("line=5|");
	/* brackets that are never closed cost no more than their line */
	char *text = malloc(2000000 + sizeof whole);
	for (size_t i = 0; i < 2000000; i += 2)
		memcpy(text + i, "{\n", 2);
	memcpy(text + 2000000, whole, sizeof whole);
	assert_int_equal(case_run(&dm_import_stix, DM_EITHER, text, strlen(text)), 0);
	assert_int_equal(rec.indicators, 1);
	assert_indicator("line=1000001|");
	free(text);
}

static void failing_sink(void **state)
{
	case_failing_sink(&dm_import_stix,
			  "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			  "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`},"
			  "{`type`:`indicator`,`id`:`indicator--2`,`pattern`:`[url:value = 'http://2/']`,"
			  "`pattern_type`:`yara`},5,{`type`:`observed-data`,`id`:`observed-data--1`,"
			  "`objects`:{`0`:{`type`:`mutex`,`name`:`m`}}},{`type`:`url`,`id`:`url--1`}]}");
}

static int probe(const char *text)
{
	return case_probe(&dm_import_stix, text);
}

static void probing(void **state)
{
	static const char *const no[] = {
		"{`timestamp`:`2024-04-19T00:00:00.1+0000`,`flow_id`:1,`event_type`:`dns`,"
		"`src_ip`:`10.0.0.1`}\n",
		"{`ts`:1.5,`uid`:`C1`,`id.orig_h`:`10.0.0.1`}\n",
		"{`Event`:{`uuid`:`x`,`info`:`y`,`Attribute`:[]}}",
		"{`list`:[`a`],`type`:`string`,`version`:1,`name`:`w`,"
		"`matching_attributes`:[`ip-dst`]}",
		"{`objects`:[{`a`:1}]}",
		"id,value\n"
		"1,2\n",
		"",
	};

	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_int_equal(probe(no[i]), 0);
	assert_int_equal(probe("{`type`:`bundle`,`id`:`bundle--0`,`objects`:[]}"), 100);
	assert_true(probe(" \n"
			  "{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			  "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`}]}") == 100);
	assert_true(probe("{`objects`:[{`type`:`indicator`,`id`:`indicator--1`,"
			  "`pattern`:`[url:value = 'http://1/']`}") >= 90); /* cut, type not yet seen */
	assert_true(probe("{`more`:false,`objects`:[]}") > 0);
	assert_true(probe("[{`type`:`indicator`,`id`:`indicator--1`,"
			  "`pattern`:`[url:value = 'http://1/']`}") >= 90);
	assert_true(probe("{`type`:`indicator`,`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`}") >=
		    90);
	assert_true(probe("[{`type`:`bundle`,`id`:`bundle--0`,`objects`:[{`type`:`indicator`,"
			  "`id`:`indicator--1`,`pattern`:`[url:value = 'http://1/']`}]}]") >= 90);
}

/* One byte under and one over the largest document; white space, so that only the reading counts. */
static void document_limit(void **state)
{
	size_t n = (size_t)DM_MAX_DOCUMENT + 1;
	char *text = malloc(n);

	if (!text)
		skip();
	memset(text, ' ', n);
	assert_int_equal(case_run_raw(&dm_import_stix, DM_EITHER, text, n - 1), 0);
	assert_int_equal(case_run_raw(&dm_import_stix, DM_EITHER, text, n), DM_ELIMIT);
	assert_non_null(strstr(rec.err.msg, "512 MiB"));
	assert_true(rec.err.remedy[0] != 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries),	   cmocka_unit_test(forms),
		cmocka_unit_test(versions),	   cmocka_unit_test(other_tools),
		cmocka_unit_test(pattern_length),  cmocka_unit_test(markings),
		cmocka_unit_test(values_alone),	   cmocka_unit_test(wanted),
		cmocka_unit_test(damaged_objects), cmocka_unit_test(damaged_files),
		cmocka_unit_test(recovery),	   cmocka_unit_test(failing_sink),
		cmocka_unit_test(probing),	   cmocka_unit_test(document_limit),
	};

	return cmocka_run_group_tests_name("stix", tests, case_setup, case_teardown);
}
