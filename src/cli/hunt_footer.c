/* hunt_footer.c: what an answer rests on: what was searched, over which time, what is no longer kept, what
 * was sampled, what could not be tested. */
#include <stdlib.h>
#include "base/time.h"
#include "cli/hunt_cli.h"

static void put_kinds(struct dm_hunt *h, struct dm_buf *b)
{
	bool have[DM_KINDS] = {0}, any = false;

	for (size_t i = 0; i < h->snap.n_segments; i++)
		if (h->snap.segment[i].kind < DM_KINDS)
			have[h->snap.segment[i].kind] = true;
	for (int k = 1; k < DM_KINDS; k++)
		if (have[k]) {
			dm_buf_str(b, any ? ", " : " (");
			dm_buf_str(b, dm_kind_name(k));
			any = true;
		}
	dm_buf_str(b, any ? ")" : "");
}

static void put_searched(struct dm_hunt_cli *c, struct dm_buf *b, size_t imports)
{
	struct dm_hunt *h = c->h;

	dm_buf_str(b, "Searched ");
	dm_put_some(b, h->snap.rows, "row", "rows");
	put_kinds(h, b);
	dm_buf_str(b, " of ");
	dm_put_some(b, imports, "import", "imports");
	if (h->snap.first != DM_NO_TIME) {
		dm_buf_str(b, ", ");
		dm_put_moment(b, h->snap.first);
		dm_buf_str(b, " to ");
		dm_put_moment(b, h->snap.last);
	}
	if (h->opt.since != DM_NO_TIME || h->opt.until != DM_NO_TIME) {
		dm_buf_str(b, "; only rows");
		if (h->opt.since != DM_NO_TIME) {
			dm_buf_str(b, " from ");
			dm_put_moment(b, h->opt.since);
		}
		if (h->opt.until != DM_NO_TIME) {
			dm_buf_str(b, " before ");
			dm_put_moment(b, h->opt.until);
		}
	}
	dm_buf_str(b, ".\n");
}

static void put_not_kept(struct dm_hunt *h, struct dm_buf *b)
{
	uint64_t rows = 0;
	int32_t last = INT32_MIN;

	for (size_t i = 0; i < h->snap.n_tombstones; i++) {
		rows += h->snap.tombstone[i].rows;
		if (h->snap.tombstone[i].day > last)
			last = h->snap.tombstone[i].day;
	}
	if (!rows)
		return;
	dm_buf_str(b, "Not kept: ");
	dm_put_some(b, rows, "row", "rows");
	dm_buf_str(b, " of days up to ");
	dm_day_put(b, last);
	dm_buf_str(b, " were dropped; what is not seen there may have been.\n");
}

static void put_limits_of_imports(const struct dm_import *imp, size_t n, struct dm_buf *b)
{
	for (size_t i = 0; i < n; i++) {
		if (imp[i].sampling > 1) {
			dm_buf_printf(b, "Sampled 1 in %llu: ", (unsigned long long)imp[i].sampling);
			dm_buf_sv(b, imp[i].name);
			dm_buf_str(b, ".\n");
		}
		if (imp[i].dropped) {
			dm_buf_sv(b, imp[i].name);
			dm_buf_str(b, ": ");
			dm_put_some(b, imp[i].dropped, "packet was", "packets were");
			dm_buf_str(b, " lost by the capture.\n");
		}
		if (!imp[i].complete && imp[i].what == DM_IMPORT_EVIDENCE) {
			dm_buf_sv(b, imp[i].name);
			dm_buf_str(b, " was read only in part.\n");
		}
	}
}

/* "Tested 8 of 47 indicators; 32 need file records, you have none." */
static void put_tested(struct dm_hunt *h, struct dm_buf *b)
{
	struct dm_hunt_coverage k;
	struct {
		const char *what;
		uint64_t n;
	} need[DM_OBS_TYPES] = {{0}};
	size_t n_need = 0;

	dm_hunt_coverage(h, &k);
	dm_buf_str(b, "Tested ");
	dm_put_count(b, k.tested);
	dm_buf_str(b, " of ");
	dm_put_some(b, k.indicators, "indicator", "indicators");
	for (uint32_t t = 1; t < DM_OBS_TYPES; t++) {
		const char *what = dm_hunt_needs(t);
		size_t i = 0;

		if (k.seen_type[t] || !k.by_type[t] || (h->opt.types && !(h->opt.types >> t & 1)))
			continue;
		while (i < n_need && strcmp(need[i].what, what) != 0)
			i++;
		need[i].what = what;
		need[i].n += k.by_type[t];
		n_need += i == n_need;
	}
	for (size_t i = 0; i < n_need; i++) {
		dm_buf_str(b, "; ");
		dm_put_count(b, need[i].n);
		dm_buf_str(b, need[i].n == 1 ? " needs " : " need ");
		dm_buf_str(b, need[i].what);
		dm_buf_str(b, ", you have none");
	}
	if (k.unusable) {
		dm_buf_str(b, "; ");
		dm_put_count(b, k.unusable);
		dm_buf_str(b, k.unusable == 1 ? " is not a valid pattern" : " are not valid patterns");
	}
	dm_buf_str(b, ".\n");
}

int dm_hunt_print_footer(struct dm_hunt_cli *c, struct dm_buf *b, struct dm_err *err)
{
	struct dm_arena arena = {0};
	struct dm_import *imp = NULL;
	size_t n = 0, evidence = 0;
	int rc = dm_catalog_imports(c->h->store->catalog, &arena, &imp, &n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		evidence += imp[i].rows > 0;
	if (c->format == DM_FORMAT_TABLE)
		dm_buf_putc(b, '\n');
	if (!c->h->n_refs)
		dm_buf_str(b, "Nothing was found.\n");
	else {
		dm_put_some(b, c->h->n_refs, "indicator was", "indicators were");
		dm_buf_str(b, " seen, in ");
		dm_put_some(b, c->rows, "row", "rows");
		if (c->limit < c->rows && !dm_cli_has(c->cli, "count"))
			dm_buf_printf(b, " (the first %llu are shown)", (unsigned long long)c->limit);
		dm_buf_str(b, ".\n");
	}
	put_searched(c, b, evidence);
	put_not_kept(c->h, b);
	put_limits_of_imports(imp, n, b);
	put_tested(c->h, b);
	if (c->h->patterns_stopped) {
		dm_put_some(b, c->h->patterns_stopped, "pattern", "patterns");
		dm_buf_str(b, " stopped at the step budget: what they found is not complete. Narrow them, or "
			      "use --since and --until.\n");
	}
	dm_arena_done(&arena);
	return b->err;
}
