/* MISP: forms of files, attribute types, tags, times, what is refused and why. */
#include "intel_case.h"

#include <stdio.h>
#include "import/misp.h"

static int run(const char *text)
{
	return case_run(&dm_import_misp, DM_INTELLIGENCE, text, strlen(text));
}

/* Indicators and skips of one attribute. */
static void gives(const char *attribute, unsigned indicators, unsigned skips)
{
	char text[2000];

	snprintf(text, sizeof text, "{`Event`:{`uuid`:`e`,`info`:`i`,`Attribute`:[%s]}}", attribute);
	assert_int_equal(run(text), 0);
	if (rec.indicators != indicators || rec.skips != skips)
		fail_msg("%s: %llu indicators, %llu skips (%s)", attribute,
			 (unsigned long long)rec.indicators, (unsigned long long)rec.skips,
			 recorder_skip(&rec, 0));
}

static void carries(void **state)
{
	assert_int_equal(run("{`Event`:{`info`:`Wiper\\nat Acme`,`date`:`2014-12-01`,"
			     "`Orgc`:{`name`:`CERT-X`},`Tag`:[{`name`:`tlp:green`},"
			     "{`name`:`misp-galaxy:threat-actor=\\`APT 0\\``}],\n"
			     "`Attribute`:[\n"
			     "{`type`:`ip-dst`,`value`:` 192.0.2.1`,`uuid`:`u1`,`to_ids`:true,"
			     "`comment`:`C2`,`timestamp`:`1417392000`},\n"
			     "{`type`:`domain`,`value`:`Evil.Example`,`uuid`:`u2`,`to_ids`:`0`,"
			     "`category`:`Network activity`,`first_seen`:`2014-11-01T00:00:00+02:00`,"
			     "`last_seen`:`2014-11-30T00:00:00.000000+00:00`,"
			     "`Tag`:[{`name`:`TLP:AMBER+STRICT`},{`name`:`tlp:white`},"
			     "{`name`:`misp-galaxy:malpedia=\\`WIPER\\``}]},\n"
			     "{`type`:`md5`,`value`:`00112233445566778899AABBCCDDEEFF`,`to_ids`:1}]}}"),
			 0);
	assert_int_equal(rec.indicators, 3);
	assert_string_equal(recorder_indicator(&rec, 0),
			    "ipv4-addr|form=1|line=3|flags=0|confidence=255|value=192.0.2.1|id=u1"
			    "|source=Wiper at Acme (CERT-X)|label=C2; APT 0 (threat-actor)"
			    "|marking=TLP:GREEN|from=2014-12-01T00:00:00Z|until=-");
	assert_string_equal(recorder_indicator(&rec, 1),
			    "domain-name|form=1|line=4|flags=32|confidence=255|value=evil.example"
			    "|original=Evil.Example|id=u2|source=Wiper at Acme (CERT-X)|label=Network"
			    " activity; WIPER (malpedia)|marking=TLP:AMBER+STRICT"
			    "|from=2014-10-31T22:00:00Z|until=2014-11-30T00:00:00Z");
	assert_string_equal(recorder_indicator(&rec, 2),
			    "md5|form=1|line=5|flags=0|confidence=255"
			    "|value=00112233445566778899aabbccddeeff"
			    "|original=00112233445566778899AABBCCDDEEFF|source=Wiper at Acme (CERT-X)"
			    "|label=APT 0 (threat-actor)|marking=TLP:GREEN|from=2014-12-01T00:00:00Z"
			    "|until=-");
}

static void unknown_marks(void **state)
{
	gives("{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`,"
	      "`Tag`:[{`name`:`tlp:red`},{`name`:`tlp:ex:chr`}]}",
	      1, 0);
	assert_indicator("|marking=tlp:ex:chr|");
	gives("{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`,"
	      "`Tag`:[{`name`:`type:OSINT`}]}",
	      1, 0);
	assert_null(strstr(recorder_indicator(&rec, 0), "marking="));
}

static void objects(void **state)
{
	assert_int_equal(run("{`Event`:{`info`:`i`,`Object`:[\n"
			     "{`name`:`file`,`comment`:`dropper`,`Attribute`:[{`type`:`sha1`,"
			     "`value`:`00112233445566778899aabbccddeeff00112233`,`uuid`:`u-sha1`,"
			     "`to_ids`:true},{`type`:`filename`,`value`:`C:\\\\x\\\\a.exe`,"
			     "`uuid`:`u-filename`,`to_ids`:true,`object_relation`:`filename`}]},\n"
			     "{`name`:`url`,`Attribute`:[{`type`:`url`,`value`:`http://x.example/`,"
			     "`uuid`:`u-url`,`object_relation`:`url`}]},\n"
			     "{`name`:`gone`,`deleted`:true,`Attribute`:[{`type`:`url`,"
			     "`value`:`http://y.example/`,`uuid`:`u-url`}]}]}}"),
			 0);
	assert_int_equal(rec.indicators, 3);
	assert_indicator("label=dropper|");
	assert_indicator("file-name|form=1|line=2|flags=0|confidence=255|value=a.exe"
			 "|original=C:\\x\\a.exe");
	assert_indicator("line=3|flags=32");
	assert_indicator("label=url object, url|");
	assert_int_equal(rec.skips, 1);
	assert_string_equal(recorder_skip(&rec, 0), "4: object deleted by its author: gone");
}

static void composites(void **state)
{
	gives("{`type`:`filename|md5`,`value`:`a|b.exe|00112233445566778899aabbccddeeff`,"
	      "`uuid`:`u-filename|md5`,`to_ids`:true}",
	      1, 0);
	assert_indicator("md5|form=1|line=1|flags=0|confidence=255"
			 "|value=00112233445566778899aabbccddeeff");
	assert_indicator("file name a|b.exe|");
	gives("{`type`:`filename|sha256`,`value`:`00112233445566778899aabbccddeeff`,"
	      "`uuid`:`u-filename|sha256`,`to_ids`:true}",
	      0, 1);
	gives("{`type`:`malware-sample`,`value`:`x.bin|00112233445566778899aabbccddeeff`,"
	      "`uuid`:`u-malware-sample`,`to_ids`:true}",
	      1, 0);
	gives("{`type`:`domain|ip`,`value`:`evil.example|192.0.2.1`,`uuid`:`u-domain|ip`,"
	      "`to_ids`:true}",
	      2, 0);
	assert_indicator("value=evil.example|id=u-domain|ip|source=i|label=resolved to 192.0.2.1");
	assert_indicator("value=192.0.2.1|id=u-domain|ip|source=i|label=address of evil.example");
	gives("{`type`:`ip-dst|port`,`value`:`192.0.2.1|443`,`uuid`:`u-ip-dst|port`,"
	      "`to_ids`:true}",
	      1, 0);
	assert_indicator("label=port 443|");
	gives("{`type`:`ip-src|port`,`value`:`2001:db8::1|443`,`uuid`:`u-ip-src|port`,"
	      "`to_ids`:true}",
	      1, 0);
	assert_indicator("ipv6-addr|");
	gives("{`type`:`hostname|port`,`value`:`a.example|8443`,`uuid`:`u-hostname|port`,"
	      "`to_ids`:true}",
	      1, 0);
	gives("{`type`:`regkey|value`,`value`:`HKLM\\\\Software\\\\Run|evil.exe`,"
	      "`uuid`:`u-regkey|value`,`to_ids`:true}",
	      1, 0);
	assert_indicator("value=HKEY_LOCAL_MACHINE\\Software\\Run|original=HKLM\\Software\\Run");
	assert_indicator("label=value evil.exe");
	gives("{`type`:`filename|imphash`,`value`:`a.exe|00112233445566778899aabbccddeeff`,"
	      "`uuid`:`u-filename|imphash`,`to_ids`:true}",
	      0, 1);
}

static void values(void **state)
{
	gives("{`type`:`ip-dst`,`value`:`198.51.100.0/24`,`uuid`:`u-ip-dst`,`to_ids`:true}", 1, 0);
	assert_indicator("ipv4-addr|form=2|");
	gives("{`type`:`ip-dst`,`value`:`::ffff:192.0.2.1`,`uuid`:`u-ip-dst`,`to_ids`:true}", 1, 0);
	assert_indicator("value=192.0.2.1|original=::ffff:192.0.2.1");
	gives("{`type`:`ip-dst`,`value`:`192.0.2.9-192.0.2.12`,`uuid`:`u-ip-dst`,"
	      "`to_ids`:true}",
	      1, 0);
	assert_indicator("form=2|line=1|flags=0|confidence=255|value=192.0.2.9-192.0.2.12");
	gives("{`type`:`domain`,`value`:`*.evil.example`,`uuid`:`u-domain`,`to_ids`:true}", 1, 0);
	assert_indicator("domain-name|form=3|line=1|flags=0|confidence=255|value=*.evil.example|");
	gives("{`type`:`domain`,`value`:`.evil.example`,`uuid`:`u-domain`,`to_ids`:true}", 1, 0);
	assert_indicator("value=*.evil.example|original=.evil.example");
	gives("{`type`:`AS`,`value`:`131279`,`uuid`:`u-AS`,`to_ids`:true}", 1, 0);
	assert_indicator("value=AS131279");
	gives("{`type`:`mac-address`,`value`:`d2-fb-49-24-37-18`,`uuid`:`u-mac-address`,"
	      "`to_ids`:true}",
	      1, 0);
	gives("{`type`:`ja3-fingerprint-md5`,`value`:`00112233445566778899aabbccddeeff`,"
	      "`uuid`:`u-ja3-fingerprint-md5`,`to_ids`:true}",
	      1, 0);
	gives("{`type`:`x509-fingerprint-sha1`,"
	      "`value`:`00112233445566778899aabbccddeeff00112233`,"
	      "`uuid`:`u-x509-fingerprint-sha1`,`to_ids`:true}",
	      1, 0);
	gives("{`type`:`mutex`,`value`:`Global\\\\x`,`uuid`:`u-mutex`,`to_ids`:true}", 1, 0);
	gives("{`type`:`user-agent`,`value`:`Mozilla/4.0 (bot)`,`uuid`:`u-user-agent`,"
	      "`to_ids`:true}",
	      1, 0);
	gives("{`type`:`email-src`,`value`:`a@b.example`,`uuid`:`u-email-src`,`to_ids`:true}", 1, 0);
	gives("{`type`:`stix2-pattern`,`value`:`[ipv4-addr:value = '192.0.2.1']`,"
	      "`uuid`:`u-stix2-pattern`,`to_ids`:true}",
	      1, 0);
	assert_indicator("unknown|form=4|");
	gives("{`type`:`AS`,`value`:174}", 1, 0);
	/* no such values */
	gives("{`type`:`ip-dst`,`value`:`192.0.2.1000`,`uuid`:`u-ip-dst`,`to_ids`:true}", 0, 1);
	assert_string_equal(recorder_skip(&rec, 0), "1: not an IP address or range: 192.0.2.1000");
	gives("{`type`:`md5`,`value`:`00`,`uuid`:`u-md5`,`to_ids`:true}", 0, 1);
	gives("{`type`:`domain`,`value`:``,`uuid`:`u-domain`,`to_ids`:true}", 0, 1);
	gives("{`type`:`md5`,`to_ids`:true}", 0, 1);
	gives("{`value`:`x`,`category`:`y`}", 0, 1);
}

static void passed_over(void **state)
{
	gives("{`type`:`snort`,`value`:`alert tcp any any`,`uuid`:`u-snort`,`to_ids`:true}", 0, 1);
	gives("{`type`:`yara`,`value`:`rule x {}`,`uuid`:`u-yara`}", 0, 1);
	assert_string_equal(recorder_skip(&rec, 0), "1: rule for another tool: yara");
	gives("{`type`:`pattern-in-file`,`value`:`x`,`uuid`:`u-pattern-in-file`,"
	      "`to_ids`:true}",
	      0, 1);
	gives("{`type`:`imphash`,`value`:`x`,`uuid`:`u-imphash`,`to_ids`:true}", 0, 1);
	assert_string_equal(recorder_skip(&rec, 0), "1: attribute of a type that no record holds: imphash");
	gives("{`type`:`comment`,`value`:`x`,`uuid`:`u-comment`,`to_ids`:true}", 0, 1);
	gives("{`type`:`not-yet-invented`,`value`:`x`,`uuid`:`u-not-yet-invented`}", 0, 1);
	assert_string_equal(recorder_skip(&rec, 0), "1: unknown attribute type: not-yet-invented");
	/* what only gives context is counted, not reported one by one */
	gives("{`type`:`comment`,`value`:`x`,`uuid`:`u-comment`},"
	      "{`type`:`imphash`,`value`:`x`,`uuid`:`u-imphash`}",
	      0, 0);
	assert_meta("2 attributes give context");
	gives("{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`,`to_ids`:true,"
	      "`deleted`:true}",
	      0, 1);
	gives("{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`,`to_ids`:true,"
	      "`deleted`:`1`}",
	      0, 1);
	assert_int_equal(run("{`Event`:{`info`:`i`,`Attribute`:[{`type`:`domain`,`value`:`a.example`,"
			     "`uuid`:`u-domain`,`ShadowAttribute`:[{}]}],"
			     "`ShadowAttribute`:[{`type`:`domain`,`value`:`b.example`},{`type`:`md5`}]}}"),
			 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(rec.skips, 3);
}

static void forms(void **state)
{
	static const char *const one[] = {
		"{`Event`:{`uuid`:`e`,`info`:`Case 7`,`Attribute`:[{`type`:`domain`,"
		"`value`:`a.example`,`uuid`:`u-domain`}]}}",
		"\xef\xbb\xbf{`response`:[{`Event`:{`uuid`:`e`,`info`:`Case 7`,"
		"`Attribute`:[{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`}]}}]}",
		"{`response`:{`Attribute`:[{`type`:`domain`,`value`:`a.example`,"
		"`uuid`:`u-domain`}]}}",
		"{`response`:[{`Object`:{`name`:`x`,`meta-category`:`y`,"
		"`Attribute`:[{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`}]}}]}",
		"{`response`:[{`uuid`:`e`,`info`:`i`,`Attribute`:[{`type`:`domain`,"
		"`value`:`a.example`,`uuid`:`u-domain`}]}]}",
		"{`uuid`:`e`,`info`:`i`,`Attribute`:[{`type`:`domain`,`value`:`a.example`,"
		"`uuid`:`u-domain`}]}",
		"[{`Event`:{`uuid`:`e`,`info`:`Case 7`,`Attribute`:[{`type`:`domain`,"
		"`value`:`a.example`,`uuid`:`u-domain`}]}}]",
		"[{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`,`to_ids`:true}]",
		"{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`,`to_ids`:true}",
	};

	for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
		if (case_probe(&dm_import_misp, one[i]) < 80)
			fail_msg("%s is not recognised", one[i]);
		assert_int_equal(run(one[i]), 0);
		if (rec.indicators != 1 || rec.skips)
			fail_msg("%s: %llu", one[i], (unsigned long long)rec.indicators);
	}
	assert_int_equal(run("{`Event`:{`uuid`:`e`,`info`:`Case 7`,`Attribute`:[{`type`:`domain`,"
			     "`value`:`a.example`,`uuid`:`u-domain`}]}}\n"
			     "{`Event`:{`uuid`:`e`,`info`:`Case 7`,`Attribute`:[{`type`:`domain`,"
			     "`value`:`b.example`,`uuid`:`u-domain`}]}}"),
			 0);
	assert_int_equal(rec.indicators, 2);
	assert_indicator("line=2|");
	/* results of an attribute search name the event within the attribute */
	assert_int_equal(run("{`response`:{`Attribute`:[{`type`:`domain`,`value`:`a.example`,"
			     "`uuid`:`u-domain`,`Event`:{`info`:`Named`}}]}}"),
			 0);
	assert_indicator("source=Named|");
	assert_int_equal(run("{`a`:1}"), 0);
	assert_skipped("no MISP event, object or attribute: a");
}

static void not_intelligence(void **state)
{
	static const char manifest[] =
		"{`5a3c2fcd-8328-42bb-a95e-4f4402de0b81`:{`info`:`x`,`Orgc`:{`name`:`o`},"
		"`date`:`2017-12-14`}}";
	static const char hashes[] =
		"4f2d1a5c8e9b7a6d3c2b1a0f9e8d7c6b,5a3c2fcd-8328-42bb-a95e-4f4402de0b81\n";
	static const struct {
		const char *text, *word;
	} refused[] = {
		{"{`authors`:[`a`],`category`:`c`,`description`:`d`,`name`:`n`,`uuid`:`u`,"
		 "`values`:[]}",
		 "galaxy"},
		{"{`predicates`:[],`namespace`:`tlp`,`version`:1}", "taxonomy"},
		{"{`attributes`:{},`meta-category`:`file`,`name`:`n`,`requiredOneOf`:[]}", "template"},
		{"[{`SharingGroup`:{`id`:`1`}}]", "sharing groups"},
	};

	assert_true(case_probe(&dm_import_misp, manifest) > 50);
	assert_int_equal(run(manifest), 0);
	assert_skipped("manifest of a MISP feed");
	assert_true(case_probe(&dm_import_misp, hashes) > 50);
	assert_int_equal(run(hashes), 0);
	assert_int_equal(rec.indicators, 0);
	assert_skipped("hashes of attribute values, not of files");
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_true(case_probe(&dm_import_misp, refused[i].text) > 50);
		assert_int_equal(run(refused[i].text), DM_EUNSUPPORTED);
		assert_non_null(strstr(rec.err.msg, refused[i].word));
		assert_true(rec.err.remedy[0] != 0);
	}
}

static void probing(void **state)
{
	static const char *const no[] = {
		"{`timestamp`:`2024-04-19T00:00:00.1+0000`,`flow_id`:1,`event_type`:`alert`,"
		"`src_ip`:`10.0.0.1`}\n",
		"{`ts`:1.5,`uid`:`C1`,`id.orig_h`:`10.0.0.1`}\n",
		"{`type`:`bundle`,`id`:`bundle--1`,`objects`:[]}",
		"{`type`:`url`,`id`:`url--1`,`value`:`http://x/`}",
		"{`list`:[`a`],`type`:`string`,`version`:1,`name`:`w`,"
		"`matching_attributes`:[`ip-dst`]}",
		"{`Event`:{`System`:{`EventID`:4624},`EventData`:{}}}", /* an event log of Windows */
		"{`response`:{`status`:200}}",
		"md5,uuid\n",
		"4f2d1a5c8e9b7a6d3c2b1a0f9e8d7c6b,malware.exe\n",
		"",
	};

	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_int_equal(case_probe(&dm_import_misp, no[i]), 0);
	/* the head of a large event may show no more than its first list */
	assert_true(case_probe(&dm_import_misp,
			       "{`Attribute`:[{`category`:`c`,`type`:`md5`,`value`:`x`},{`cat") >= 80);
	assert_true(case_probe(&dm_import_misp, "{`Object`:[{`name`:`file`,`meta-category`:`file`,`Attrib") >=
		    80);
}

static void damaged(void **state)
{
	assert_int_equal(run("{`Event`:{`info`:`i`,`Attribute`:[\n"
			     "{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`},\n"
			     "{`type`:`domain`,`value`:`b.exam`,`uuid`:`u-domain`,},\n"
			     "{`type`:`domain`,`value`:`c.example`,`uuid`:`u-domain`,`type`:`md5`},\n"
			     "5]}}"),
			 0);
	assert_int_equal(rec.indicators, 1);
	assert_int_equal(rec.skips, 3);
	assert_true(!strncmp(recorder_skip(&rec, 0), "3: attribute is no readable JSON", 32));
	assert_true(!strncmp(recorder_skip(&rec, 1), "4: attribute is no readable JSON", 32));
	/* cut off: what is whole counts, under the event's name if that came first */
	assert_int_equal(run("{`response`:[{`Event`:{`info`:`Named`,`Attribute`:[{`type`:`domain`,"
			     "`value`:`a.example`,`uuid`:`u-domain`}],`Object`:[{`name`:`o`,`Attribute`:[\n"
			     "{`type`:`domain`,`value`:`b.example`,`uuid`:`u-domain`},\n"
			     "{`type`:`dom"),
			 DM_EFORMAT);
	assert_int_equal(rec.indicators, 2);
	assert_indicator("value=b.example|id=u-domain|source=Named|label=o object|");
	assert_int_equal(rec.err.line, 3);
	assert_non_null(strstr(rec.err.remedy, "2 indicators"));
	/* two lists, or two names: which one counts? */
	assert_int_equal(run("{`Event`:{`info`:`i`,`Attribute`:[],`Attribute`:[{`type`:`domain`,"
			     "`value`:`a.example`,`uuid`:`u-domain`}]}}"),
			 0);
	assert_int_equal(rec.indicators, 0);
	assert_skipped("member twice");
	assert_int_equal(run("{`Event`:{`info`:`i`,`info`:`j`,`Attribute`:[{`type`:`domain`,"
			     "`value`:`a.example`,`uuid`:`u-domain`}]}}"),
			 0);
	assert_int_equal(rec.indicators, 0);
	assert_skipped("no readable JSON");
	assert_int_equal(run("[[[[[[[{`type`:`domain`,`value`:`a.example`,`uuid`:`u-domain`,"
			     "`to_ids`:true}]]]]]]]"),
			 0);
	assert_skipped("lists within lists");
	case_prefixes(&dm_import_misp,
		      "{`response`:[{`Event`:{`info`:`i`,`Tag`:[{`name`:`tlp:red`}],"
		      "`Attribute`:[{`type`:`domain|ip`,`value`:`a.example|192.0.2.1`,"
		      "`uuid`:`u-domain|ip`,`to_ids`:true}],`Object`:[{`name`:`o`,"
		      "`Attribute`:[{`type`:`md5`,`value`:`x`,`uuid`:`u-md5`,`to_ids`:true}]}]}}]}",
		      1);
}

static void failing_sink(void **state)
{
	case_failing_sink(&dm_import_misp,
			  "{`response`:[{`Event`:{`info`:`i`,`Attribute`:[{`type`:`domain|ip`,"
			  "`value`:`a.example|192.0.2.1`,`uuid`:`u-domain|ip`,`to_ids`:true},"
			  "7,{`type`:`comment`,`value`:`x`,`uuid`:`u-comment`}],`ShadowAttribute`:[{}],"
			  "`Object`:[{`name`:`o`,`Attribute`:[{`type`:`md5`,`value`:`x`,`uuid`:`u-md5`,"
			  "`to_ids`:true}]}]}}]}");
}

static void table(void **state)
{
	assert_true(misp_ntypes > 180);
	for (size_t i = 0; i < misp_ntypes; i++) {
		assert_ptr_equal(misp_type_find(dm_sv_str(misp_types[i].name)), &misp_types[i]);
		if (i)
			assert_true(strcmp(misp_types[i - 1].name, misp_types[i].name) < 0);
		assert_int_equal(misp_types[i].obs != DM_OBS_NONE,
				 misp_types[i].how >= MISP_VALUE && misp_types[i].how <= MISP_BOTH);
	}
	assert_null(misp_type_find(DM_SV("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries),	cmocka_unit_test(unknown_marks),
		cmocka_unit_test(objects),	cmocka_unit_test(composites),
		cmocka_unit_test(values),	cmocka_unit_test(passed_over),
		cmocka_unit_test(forms),	cmocka_unit_test(not_intelligence),
		cmocka_unit_test(probing),	cmocka_unit_test(damaged),
		cmocka_unit_test(failing_sink), cmocka_unit_test(table),
	};

	return cmocka_run_group_tests_name("misp", tests, case_setup, case_teardown);
}
