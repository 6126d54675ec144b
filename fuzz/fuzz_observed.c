/* Observed-data from a stranger, in any wrapping: read, load every graph, evaluate fixed patterns. */
#include <assert.h>
#include <stdint.h>

#include "hunt/observed.h"
#include "hunt/pattern.h"

static const char *const patterns[] = {
	"[file:name = 'a' OR file:parent_directory_ref.path LIKE '%x%']",
	"[a:l[*].b_refs[*].c_ref.d != 1] FOLLOWEDBY [EXISTS file:hashes.MD5]",
	"([ipv4-addr:value ISSUBSET '198.51.100.0/24'] AND [t:src_ref.value MATCHES '.']) WITHIN 5 SECONDS",
	"[t:x_bin = h'00' OR t:y_hex < 'z' OR t:t > t'2014-12-19T10:00:00Z'] REPEATS 2 TIMES",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_observed *o = NULL;
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};
	const char *reason;

	if (dm_observed_open(&o, dm_sv((const char *)data, size), &err)) {
		assert(err.msg[0]);
		return 0;
	}
	assert(!dm_observed_skipped(o, &reason) == !reason[0]);
	for (uint32_t i = 0; i < dm_observed_count(o) && i < 16; i++) {
		if (dm_observed_load(o, i, &g, &err))
			continue;
		for (uint32_t k = 0; k < sizeof(patterns) / sizeof(patterns[0]); k++) {
			struct dm_budget budget = {10000};
			struct dm_pattern *p = NULL;

			assert(!dm_pattern_parse(&p, dm_sv_str(patterns[k]), NULL));
			(void)dm_pattern_match(p, &g.o, 1, &budget, &err);
			dm_pattern_free(p);
		}
	}
	dm_observed_graph_done(&g);
	dm_observed_free(o);
	return 0;
}
