/* STIX patterns from a stranger: parse, ask for atoms, evaluate over fixed observations under a small budget.
 * What matches must still match when only the observations of its binding are left.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "hunt/observed.h"
#include "hunt/pattern.h"

static const char world[] =
	"[{\"type\": \"observed-data\", \"id\": \"o1\", \"first_observed\": \"2014-12-19T10:00:00Z\", "
	"\"last_observed\": "
	"\"2014-12-19T10:00:00Z\", \"number_observed\": 1, \"objects\": {\"0\": {\"type\": \"file\", "
	"\"name\": \"a.exe\", \"size\": 25536, "
	"\"hashes\": {\"MD5\": \"79054025255fb1a26e4bc422aef54eb4\"}, \"parent_directory_ref\": \"1\", "
	"\"magic_number_hex\": \"ffd8\"}, "
	"\"1\": {\"type\": \"directory\", \"path\": \"C:\\\\x\", \"contains_refs\": [\"0\", \"1\"]}}}, "
	"{\"type\": \"observed-data\", \"id\": \"o2\", \"first_observed\": \"2014-12-19T10:00:01Z\", "
	"\"last_observed\": "
	"\"2014-12-19T10:00:05Z\", \"number_observed\": 3, \"objects\": {\"0\": {\"type\": \"ipv4-addr\", "
	"\"value\": \"198.51.100.7\"}, "
	"\"1\": {\"type\": \"network-traffic\", \"src_ref\": \"0\", \"dst_ref\": \"2\", \"protocols\": "
	"[\"tcp\", \"http\"], \"dst_port\": 80}, "
	"\"2\": {\"type\": \"domain-name\", \"value\": \"cafe\\u0301.example\"}}}, "
	"{\"type\": \"observed-data\", \"id\": \"o3\", \"objects\": {\"0\": {\"type\": \"file\", \"name\": "
	"\"b\", \"payload_bin\": "
	"\"dGVzdA==\", \"list\": [1, 2.5, true, null, [\"x\"]]}}}]";

static struct dm_observed *observed;
static struct dm_observed_graph graphs[3];
static struct dm_observation obs[3];

static void prepare(void)
{
	if (observed)
		return;
	assert(!dm_observed_open(&observed, dm_sv_str(world), NULL) && dm_observed_count(observed) == 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert(!dm_observed_load(observed, i, &graphs[i], NULL));
		obs[i] = graphs[i].o;
	}
}

static uint32_t count_atoms(const struct dm_atom *a)
{
	uint32_t n = 1;

	for (uint32_t i = 0; i < a->n; i++)
		n += count_atoms(a->kid[i]);
	return n;
}

static int each_value(void *ctx, struct dm_sv object, struct dm_sv path, bool subnet, struct dm_sv value)
{
	(void)ctx;
	(void)subnet;
	assert(object.n && path.n && value.p);
	return 0;
}

static void the_binding_matches_alone(const struct dm_pattern *p, struct dm_budget *budget)
{
	uint32_t n = dm_pattern_brackets(p), lists[64][3], count[64] = {0}, *hits = NULL, n_hits = 0;
	const uint32_t *matches[64];
	struct dm_pattern_event event[3];
	struct dm_observation left[3];
	struct dm_arena arena = {0};

	if (n > 64)
		return;
	for (uint32_t i = 0; i < 3; i++)
		event[i] = (struct dm_pattern_event){obs[i].first, obs[i].last, obs[i].number_observed};
	for (uint32_t b = 0; b < n; b++) {
		matches[b] = lists[b];
		for (uint32_t i = 0; i < 3; i++) {
			bool hit = false;

			if (dm_pattern_bracket_matches(p, b, &obs[i], budget, &hit, NULL))
				return;
			if (hit)
				lists[b][count[b]++] = i;
		}
	}
	if (!dm_pattern_combine(p, event, 3, matches, count, budget, &arena, &hits, &n_hits, NULL) &&
	    n_hits) {
		struct dm_budget again = {budget->left};
		int rc;

		for (uint32_t i = 0; i < n_hits; i++)
			left[i] = obs[hits[i]];
		rc = dm_pattern_match(p, left, n_hits, &again, NULL);
		assert(rc == 1 || rc == DM_ELIMIT);
	}
	dm_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_pattern *p = NULL;
	struct dm_budget budget = {200000};
	struct dm_err err = {0};
	int rc;

	prepare();
	rc = dm_pattern_parse(&p, dm_sv((const char *)data, size), &err);
	if (rc) {
		assert(err.code == rc && err.msg[0]);
		assert(!err.has_offset || err.offset <= size);
		return 0;
	}
	for (uint32_t b = 0; b < dm_pattern_brackets(p); b++)
		assert(count_atoms(dm_pattern_candidates(p, b)) >= 1);
	dm_pattern_values(p, each_value, NULL);
	the_binding_matches_alone(p, &budget);
	dm_pattern_free(p);
	return 0;
}
