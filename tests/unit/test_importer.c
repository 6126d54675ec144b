/* Units of import/: which importer takes which file, judged by content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sink_recorder.h"

struct sample {
	const char *name, *text;
	enum dm_import_class want;
	const char *importer; /* NULL: nobody's */
};

#define MD5    "df7c845e4eadd7bac6cbfe2087bbd482"
#define SHA256 "b2dafbcdbc75210672f137f27ce882ccb799887631655d4f11191d5a678e44fe"

static const struct sample samples[] = {
	{"a", "#separator \\x09\n#path\tconn\n#fields\tts\n", DM_EITHER, "zeek-tsv"},
	{"a", "{\"ts\":1,\"uid\":\"C\",\"id.orig_h\":\"192.0.2.1\"}\n", DM_EITHER, "zeek-json"},
	{"a", "{\"timestamp\":\"x\",\"event_type\":\"dns\",\"src_ip\":\"192.0.2.1\"}\n", DM_EITHER,
	 "suricata-eve"},
	{"a", "08/02/2014-10:50:25.8  [**] [1:6:1] x [**] [Priority: 3] {TCP} 192.0.2.1:1 -> 192.0.2.2:2\n",
	 DM_EITHER, "suricata-fast"},
	{"a", SHA256 "  bin/ls\n" SHA256 "  bin/cp\n", DM_EITHER, "hashlist"},
	{"a", "MD5 (ls) = " MD5 "\n", DM_EITHER, "hashlist"},
	{"a", MD5 "\n" MD5 "\n", DM_EITHER, "text"},
	{"a",
	 "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport\n2019/04/04 "
	 "16:23:00,0,udp,192.0.2.1,1,->,192.0.2.2,2\n",
	 DM_EITHER, "csv"},
	{"a.csv", "@timestamp,source.ip,destination.ip\n2024-01-01,192.0.2.1,192.0.2.2\n", DM_EITHER, "csv"},
	{"a.csv", "type,value,description\ndomain,evil.example,x\n", DM_EITHER, "indicator-csv"},
	{"a.csv", "indicator,type,source,date\nevil.example,domain,feed,2024-01-01\n", DM_EITHER,
	 "indicator-csv"},
	{"a.csv", "file,sha256,first_seen\na.exe," SHA256 ",2024-01-01\n", DM_INTELLIGENCE, "indicator-csv"},
	{"a.csv", "path,sha256,size\n/bin/ls," SHA256 ",9\n", DM_EVIDENCE, "csv"},
	{"a.intel", "#fields\tindicator\tindicator_type\tmeta.source\n192.0.2.1\tIntel::ADDR\tx\n", DM_EITHER,
	 "indicator-csv"},
	{"a.txt", "203.0.113.1\n203.0.113.2\n", DM_EITHER, "text"},
	{"a.json",
	 "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"spec_version\":\"2.0\",\"objects\":[{\"type\":"
	 "\"indicator\"}]}",
	 DM_EITHER, "stix"},
	{"a.json",
	 "{\"Event\":{\"uuid\":\"x\",\"info\":\"y\",\"Attribute\":[{\"type\":\"md5\",\"value\":\"" MD5
	 "\"}]}}",
	 DM_EITHER, "misp"},
	/* Evidence is asked for: a list of indicators is none. */
	{"a.txt", "203.0.113.1\n203.0.113.2\n", DM_EVIDENCE, NULL},
	{"a", "", DM_EITHER, NULL},
};

static void finds_the_importer_by_content(void **state)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		const struct dm_importer *imp = dm_importer_find(dm_sv_str(s->text), s->name, s->want);

		if (!s->importer && imp)
			fail_msg("%s takes: %s", imp->name, s->text);
		if (s->importer && (!imp || strcmp(imp->name, s->importer)))
			fail_msg("%s instead of %s takes: %s", imp ? imp->name : "nobody", s->importer,
				 s->text);
	}
}

static void names_are_unique_and_found(void **state)
{
	for (size_t i = 0; dm_importers[i]; i++) {
		assert_ptr_equal(dm_importer_by_name(dm_importers[i]->name), dm_importers[i]);
		assert_non_null(dm_importers[i]->title);
		assert_non_null(dm_importers[i]->probe);
		assert_non_null(dm_importers[i]->run);
	}
	assert_null(dm_importer_by_name("nonsense"));
}

/* No probe may be misled into a crash by a head that ends anywhere, or by bytes that are no text. */
static void probes_bear_any_head(void **state)
{
	char noise[4096];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 2654435761u >> 13);
	for (size_t k = 0; dm_importers[k]; k++) {
		for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
			for (size_t n = 0; n <= strlen(samples[i].text); n++) {
				int score = dm_importers[k]->probe(dm_sv(samples[i].text, n), "x");

				assert_true(score >= 0 && score <= 100);
			}
		}
		dm_importers[k]->probe(dm_sv(noise, sizeof(noise)), "x");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_importer_by_content),
		cmocka_unit_test(names_are_unique_and_found),
		cmocka_unit_test(probes_bear_any_head),
	};

	return cmocka_run_group_tests_name("importer", tests, NULL, NULL);
}
