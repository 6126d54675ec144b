/* The importers of intelligence over real files, held to counts and digests made by
 * tests/tools/count_intel.py, which shares no code with them. */
#include "intel_case.h"

#include <stdio.h>
#include <stdlib.h>

/* count_intel.py $DEMARCHE_SHARED/data/misp/events $DEMARCHE_SHARED/data/misp/misp-stix
 * $DEMARCHE_SHARED/data/stix */
static const struct {
	const char *path;
	unsigned records, indicators;
	uint64_t digest;
} expected[] = {
	{"misp/events/eset-backdoordiplomacy.json", 0, 66, 0x639fbae01f9043aa},
	{"misp/events/eset-dukes-operation-ghost.json", 0, 87, 0xde46843e14d45750},
	{"misp/events/eset-ebury.json.zst", 0, 247, 0x205c2f9cddc709bf},
	{"misp/events/eset-moustachedbouncer.json.zst", 0, 150, 0xb2c400f0fc8fbacb},
	{"misp/events/eset-mozi.json.zst", 0, 79, 0xdb85b303c408e930},
	{"misp/events/eset-sshdoor-kamino.json", 0, 8, 0x915fd77421068f37},
	{"misp/events/eset-telebots.json", 0, 78, 0x8975debc4dcd3b81},
	{"misp/events/eset-turla-lightneuron.json", 0, 33, 0x95df8a799aaaabb3},
	{"misp/events/eset-winnti-gaming-supply-chain.json", 0, 18, 0x912823affd2d14e8},
	{"misp/events/eset-xdspy.json", 0, 59, 0x5fb8faafdc62e4cd},
	{"misp/events/pymisp-57c4445b-c548-4654-af0b-4be3950d210f.json", 0, 4, 0x131050ed7e3c91c2},
	{"misp/events/pymisp-event_obj_attr_tag.json", 0, 2, 0xf2f44844b27f5b4d},
	{"misp/events/pymisp-existing_event.json", 0, 83, 0xbe67fb15a8ad14b0},
	{"misp/events/pymisp-galaxy_1.json", 0, 4, 0xac517afbd7e2fbb0},
	{"misp/events/pymisp-japanese_test.json", 0, 0, 0x0000000000000000},
	{"misp/events/pymisp-long_event.json", 0, 282, 0xd16b9bbb9fce0bed},
	{"misp/events/pymisp-mainly_objects_1.json", 0, 39, 0x167cc0079df2eb10},
	{"misp/events/pymisp-malware_exist.json", 0, 5, 0xa067506fa3df7a31},
	{"misp/events/pymisp-misp_event.json", 0, 1, 0x88702ff15a755bb3},
	{"misp/events/pymisp-shadow.json", 0, 2, 0xb2f18cd3b9c45ea3},
	{"misp/events/pymisp-sharing_groups.json", 0, 0, 0x0000000000000000},
	{"misp/events/pymisp-sighting_1.json", 0, 5, 0xbe2ec9257d0be606},
	{"misp/events/pymisp-sighting_2.json", 0, 0, 0x0000000000000000},
	{"misp/events/stalkerware-misp_event.json.zst", 0, 4752, 0x08c68efd0df523c3},
	{"misp/misp-stix/test_attributes_collection_1.json", 0, 2, 0x7cde9c6de6b0f200},
	{"misp/misp-stix/test_attributes_collection_2.json", 0, 3, 0x68a9c5f71733eb32},
	{"misp/misp-stix/test_attributes_collection_stix20.json", 4, 3, 0x8d97842538c80782},
	{"misp/misp-stix/test_attributes_collection_stix21.json", 4, 3, 0x8d97842538c80782},
	{"misp/misp-stix/test_event1_stix20.json", 2, 1, 0x5141c9edff5d87d7},
	{"misp/misp-stix/test_event1_stix21.json", 2, 1, 0x5141c9edff5d87d7},
	{"misp/misp-stix/test_event2_stix20.json", 2, 2, 0x3c55ba37396a7fab},
	{"misp/misp-stix/test_event2_stix21.json", 2, 2, 0x3c55ba37396a7fab},
	{"misp/misp-stix/test_events_collection_1.json", 0, 2, 0x7cde9c6de6b0f200},
	{"misp/misp-stix/test_events_collection_2.json", 0, 3, 0x68a9c5f71733eb32},
	{"misp/misp-stix/test_events_collection_stix20.json", 4, 3, 0x8d97842538c80782},
	{"misp/misp-stix/test_events_collection_stix21.json", 4, 3, 0x8d97842538c80782},
	{"misp/misp-stix/test_objects_collection_1.json", 0, 6, 0xe2f1055dae596148},
	{"misp/misp-stix/test_objects_collection_2.json", 0, 2, 0xc6aabd46ab0b3eae},
	{"misp/misp-stix/test_objects_collection_stix20.json", 4, 3, 0x5b6d6cffa8076802},
	{"misp/misp-stix/test_objects_collection_stix21.json", 4, 3, 0x5b6d6cffa8076802},
	{"stix/amnesty/cytrox.stix21.json.zst", 0, 343, 0x4903e569048fb855},
	{"stix/amnesty/pegasus.stix21.json.zst", 0, 1549, 0x2e696c556e397036},
	{"stix/amnesty/wintego_helios.stix21.json.zst", 0, 175, 0x3b8a6dbf27ec5bc2},
	{"stix/attack-enterprise-18.1.stix20.json.zst", 0, 0, 0x0000000000000000},
	{"stix/attack-enterprise-18.1.stix21-converted.json.zst", 0, 0, 0x0000000000000000},
	{"stix/attack-ics-18.1.stix21.json.zst", 0, 0, 0x0000000000000000},
	{"stix/attack-mobile-17.1.stix21.json.zst", 0, 0, 0x0000000000000000},
	{"stix/oasis/apt1.json", 0, 12, 0x747946be0f6575e5},
	{"stix/oasis/defining-campaigns-threat-actors-intrusion-sets.json", 0, 0, 0x0000000000000000},
	{"stix/oasis/identifying-a-threat-actor-profile.json", 0, 0, 0x0000000000000000},
	{"stix/oasis/indicator-for-c2-ip-address.json", 0, 1, 0x398324b51c86d0f3},
	{"stix/oasis/indicator-for-malicious-url.json", 0, 1, 0xcc9275b08559554f},
	{"stix/oasis/indicator-to-campaign-relationship.json", 0, 1, 0x4af4b2dbbc872d73},
	{"stix/oasis/indicators-for-C2-with-COA.json", 0, 2, 0xf311597f2b2de022},
	{"stix/oasis/infrastructure.json", 0, 0, 0x0000000000000000},
	{"stix/oasis/interop-objectmarking-test.json", 0, 0, 0x0000000000000000},
	{"stix/oasis/malicious-email-indicator-with-attachment.json", 0, 2, 0xf375630a5a77d91f},
	{"stix/oasis/malware-indicator-for-file-hash.json", 0, 1, 0xb98e34ca0ea70f2f},
	{"stix/oasis/poisonivy.json", 0, 25, 0xa2463f6ec7267dac},
	{"stix/oasis/sighting-of-an-indicator.json", 0, 1, 0xb254a7a95c06008f},
	{"stix/oasis/sighting-of-observed-data.json", 2, 0, 0x0000000000000000},
	{"stix/oasis/threat-actor-leveraging-attack-patterns-and-malware.json", 0, 0, 0x0000000000000000},
	{"stix/oasis/using-granular-markings.json", 0, 1, 0xac97a36fc481ba51},
	{"stix/oasis/using-marking-definitions.json", 0, 1, 0x398324b51c86d0f3},
	{"stix/unit42/crooked-pisces.stix20.json.zst", 0, 58, 0x0a9fee83d160ca39},
	{"stix/unit42/fighting-ursa.stix20.json.zst", 0, 50, 0x259f195bae0485e3},
	{"stix/unit42/hermeticwiper.stix20.json.zst", 0, 13, 0x896fefab92d002ae},
	{"stix/unit42/lockbit-2.0-ransomware.stix20.json.zst", 0, 72, 0x16d8a2eb917e4bfc},
	{"stix/unit42/mespinoza-ransomware.stix20.json.zst", 0, 110, 0xe60a80313c62ba52},
	{"stix/unit42/moldypisces.stix20.json.zst", 0, 41, 0x2872134ed172828f},
};

static uint64_t digest;
static int (*record_indicator)(struct dm_sink *, const struct dm_indicator *);

static uint64_t fnv(uint64_t h, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3ull;
	return h;
}

static int add_to_digest(struct dm_sink *s, const struct dm_indicator *ind)
{
	const char *type = ind->form == DM_IND_PATTERN ? "pattern" : dm_obs_name(ind->type);
	uint64_t h = fnv(fnv(0xcbf29ce484222325ull, type, strlen(type)), "|", 1);

	digest += fnv(h, ind->value.p, ind->value.n);
	assert_true(ind->line > 0);
	assert_true(ind->form == DM_IND_PATTERN || ind->key.n > 0);
	return record_indicator(s, ind);
}

static const struct dm_importer *const importers[] = {&dm_import_stix, &dm_import_misp, &dm_import_openioc};

/* The importer that is surest of a file, as its first 64 KiB tell. */
static const struct dm_importer *find(const char *path)
{
	const struct dm_importer *best = NULL;
	struct dm_stream *s;
	struct dm_sv head;
	FILE *f = fopen(path, "rb");
	int most = 0;

	assert_non_null(f);
	assert_int_equal(dm_stream_open(&s, fileno(f), dm_sv("", 0), NULL), 0);
	assert_int_equal(dm_stream_peek(s, 65536, &head, NULL), 0);
	for (size_t i = 0; i < sizeof importers / sizeof *importers; i++) {
		int score = importers[i]->probe(head, path);
		if (score > most) {
			most = score;
			best = importers[i];
		}
	}
	dm_stream_close(s);
	fclose(f);
	return best;
}

static bool run_shared(const char *name)
{
	const struct dm_import_input in = {.want = DM_EITHER};
	const struct dm_importer *imp;
	char path[512], below[300];

	snprintf(below, sizeof below, "data/%s", name);
	if (!recorder_shared(below, path, sizeof path))
		return false;
	imp = find(path);
	assert_non_null(imp);
	recorder_clear(&rec);
	digest = 0;
	record_indicator = rec.sink.indicator;
	rec.sink.indicator = add_to_digest;
	recorder_run_file(&rec, imp, path, &in);
	rec.sink.indicator = record_indicator;
	return true;
}

static void counts(void **state)
{
	unsigned found = 0;

	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		if (!run_shared(expected[i].path))
			continue;
		found++;
		if (rec.records != expected[i].records || rec.indicators != expected[i].indicators ||
		    digest != expected[i].digest)
			fail_msg("%s: %llu records, %llu indicators, digest 0x%016llx", expected[i].path,
				 (unsigned long long)rec.records, (unsigned long long)rec.indicators,
				 (unsigned long long)digest);
		/* only the list of sharing groups is none of both */
		assert_int_equal(rec.code, strstr(expected[i].path, "sharing_groups") ? DM_EUNSUPPORTED : 0);
	}
	if (!found)
		skip();
	assert_int_equal(found, sizeof expected / sizeof *expected);
}

/* What a record says apart from how its version of STIX writes the objects; message ids are a custom property
 * in the 2.0 files. */
static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *normal(const char *record)
{
	char *copy = strdup(record), *cut = strstr(copy, "|stix.objects="), *part[64], *rest = copy, *out;
	size_t n = 0;

	if (cut)
		*cut = 0;
	for (char *p; (p = strsep(&rest, "|")) && n < 64;)
		if (strncmp(p, "email.message_id=", 17) != 0)
			part[n++] = p;
	part[2][0] = 0; /* the line */
	qsort(part, n, sizeof *part, compare_text);
	out = calloc(1, strlen(record) + 64);
	for (size_t i = 0; i < n; i++) {
		strncat(out, part[i], strlen(record));
		strncat(out, "\n", 2);
	}
	free(copy);
	return out;
}

static void pairs(void **state)
{
	static const char *const name[] = {"attributes_collection", "events_collection", "objects_collection",
					   "event1", "event2"};
	char path[100], *first[32];
	unsigned found = 0;

	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		size_t n;
		snprintf(path, sizeof path, "misp/misp-stix/test_%s_stix20.json", name[i]);
		if (!run_shared(path))
			continue;
		n = rec.record_text.n;
		assert_true(n > 0 && n <= 32);
		for (size_t k = 0; k < n; k++)
			first[k] = normal(recorder_record(&rec, k));
		snprintf(path, sizeof path, "misp/misp-stix/test_%s_stix21.json", name[i]);
		assert_true(run_shared(path));
		assert_int_equal(rec.record_text.n, n);
		for (size_t k = 0; k < n; k++) {
			char *second = normal(recorder_record(&rec, k));
			assert_string_equal(first[k], second);
			free(second);
			free(first[k]);
		}
		found++;
	}
	if (!found)
		skip();
}

static void other_files(void **state)
{
	static const struct {
		const char *path, *word;
	} refused[] = {
		{"misp/galaxies/country.json", "galaxy"},
		{"misp/galaxies/threat-actor.json.zst", "galaxy"},
		{"misp/taxonomies/tlp.json", "taxonomy"},
		{"misp/taxonomies/kill-chain.json", "taxonomy"},
	};
	char path[512];
	unsigned found = 0;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (!run_shared(refused[i].path))
			continue;
		found++;
		assert_int_equal(rec.code, DM_EUNSUPPORTED);
		assert_non_null(strstr(rec.err.msg, refused[i].word));
	}
	/* nobody of us takes these */
	static const char *const other[] = {
		"misp/warninglists/akamai.json", "misp/warninglists/cisco_top20k.json.zst",
		"indicators/volexity-3cx.csv",	 "suricata/verify-fileinfo-eve.json",
		"zeek/wrccdc-json/ssh.json",	 "zeek/wrccdc-tsv/ssh.log"};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		char below[200];
		snprintf(below, sizeof below, "data/%s", other[i]);
		if (!recorder_shared(below, path, sizeof path))
			continue;
		found++;
		assert_null(find(path));
	}
	if (!found)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(pairs),
		cmocka_unit_test(other_files),
	};

	return cmocka_run_group_tests_name("intel_data", tests, case_setup, case_teardown);
}
