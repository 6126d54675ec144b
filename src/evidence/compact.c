/* compact.c: fewer, larger files: runs merged level by level, small segments of a cell merged by size. Rows
 * keep (import, ordinal, line). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/time.h"
#include "evidence/store.h"

#define FAN_IN	   8u
#define RUN_FAN_IN 4u	      /* every run is looked into by every hunt */
#define FULL_ROWS  (1u << 18) /* a segment of this size is left alone */
#define FULL_KEYS  (8u << 20) /* so is a run */

static void new_name(char name[64], const char *stem, const char *suffix)
{
	static unsigned seq;

	snprintf(name, 64, "%s-%llx-%u-%d.%s", stem, (unsigned long long)dm_now(), seq++, (int)getpid(),
		 suffix);
}

/* A file cut while it was read gives zeros: nothing may be made of them. */
static int runs_unharmed(const struct dm_run_source *src, size_t n, struct dm_err *err)
{
	int rc = DM_OK;

	for (size_t i = 0; i < n && !rc; i++)
		if (src[i].run)
			rc = dm_map_check(&src[i].run->map, err);
	return rc;
}

/* Merges runs row[0..n) into one at `level`. */
static int merge_runs(struct dm_store *s, const struct dm_run_row *row, size_t n, uint32_t level,
		      struct dm_err *err)
{
	struct dm_run_source *src = dm_calloc(n, sizeof *src);
	struct dm_run_row made = {.level = level};
	struct dm_buf bytes;
	char name[64];
	int rc = src ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	dm_buf_init(&bytes, SIZE_MAX / 4);
	for (size_t i = 0; i < n && !rc; i++) {
		rc = dm_run_open(&src[i].run, s->evidence_fd, row[i].file.p, row[i].bytes, err);
		if (!rc)
			rc = dm_run_check(src[i].run, err);
		if (rc)
			dm_err_source(err, row[i].file.p);
	}
	if (!rc)
		rc = dm_run_write(&bytes, src, n, &made.keys, err);
	if (!rc)
		rc = runs_unharmed(src, n, err);
	new_name(name, "merged", "run");
	if (!rc)
		rc = dm_store_put(s->evidence_fd, name, &bytes, err);
	if (!rc)
		rc = dm_fsync_dir(s->evidence_fd, err);
	made.bytes = bytes.n;
	made.file = dm_sv_str(name);
	dm_buf_done(&bytes);
	for (size_t i = 0; src && i < n; i++)
		dm_run_close(src[i].run);
	dm_free(src);
	if (!rc)
		rc = dm_catalog_begin(s->catalog, true, err);
	if (rc)
		return rc;
	rc = dm_catalog_run_add(s->catalog, &made, err);
	for (size_t i = 0; i < n && !rc; i++) {
		rc = dm_catalog_run_remove(s->catalog, row[i].id, err);
		if (!rc)
			rc = dm_catalog_obsolete_add(s->catalog, row[i].file, dm_now(), err);
	}
	if (!rc)
		return dm_catalog_commit(s->catalog,
					 err); /* failed: the file stays for the sweep, see ingest.c */
	dm_catalog_rollback(s->catalog);
	unlinkat(s->evidence_fd, name, 0);
	return rc;
}

/* One round; *ret_did says whether anything was merged. */
static int runs_round(struct dm_store *s, bool all, struct dm_upkeep *up, bool *ret_did, struct dm_err *err)
{
	struct dm_snapshot snap;
	int rc = dm_snapshot_take(s, &snap, err);

	*ret_did = false;
	if (rc)
		return rc;
	for (size_t i = 0, j; i < snap.n_runs && !rc && !*ret_did; i = j) {
		size_t small = 0, from = SIZE_MAX;

		for (j = i; j < snap.n_runs && (all || snap.run[j].level == snap.run[i].level); j++)
			if (snap.run[j].keys < FULL_KEYS) {
				if (from == SIZE_MAX)
					from = j;
				snap.run[from + small++] = snap.run[j];
			}
		if (small >= (all ? 2 : RUN_FAN_IN)) {
			uint32_t level = snap.run[from + small - 1].level + 1;
			rc = merge_runs(s, snap.run + from, small, level, err);
			*ret_did = !rc;
			up->runs_merged += small;
		}
	}
	dm_snapshot_done(&snap);
	return rc;
}

/* Rows of a batch from `not_before` on, and those without a time, which stand first. */
static int copy_kept(struct dm_builder *b, const struct dm_batch *batch, int64_t not_before,
		     const uint32_t *imports, const uint64_t *ordinals, uint64_t *moved, struct dm_err *err)
{
	uint32_t timeless = 0, from, n = batch->nrows;
	int rc = DM_OK;

	while (timeless < n && batch->time[timeless] == DM_NO_TIME)
		timeless++;
	for (from = timeless; from < n && batch->time[from] < not_before;)
		from++;
	if (timeless)
		rc = dm_builder_append(b, batch, 0, timeless, 0, 0, imports, ordinals);
	if (!rc && from < n)
		rc = dm_builder_append(b, batch, from, n, 0, 0, imports, ordinals);
	*moved += timeless + (n - from);
	return rc ? dm_fail(err, DM_ENOMEM, "out of memory") : DM_OK;
}

/* Copies rows of a segment into a builder: all of them, or those from `not_before` on. */
static int copy_rows(struct dm_segment *g, struct dm_builder *b, int64_t not_before, uint64_t *moved,
		     struct dm_err *err)
{
	struct dm_arena arena = {0};
	struct dm_batch *batch = dm_alloc(sizeof *batch);
	int rc = batch ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	for (uint32_t at = 0; at < g->h->rows && !rc; at += DM_MAX_BATCH_ROWS) {
		uint32_t n = g->h->rows - at < DM_MAX_BATCH_ROWS ? g->h->rows - at : DM_MAX_BATCH_ROWS;
		uint32_t *imports;
		uint64_t *ordinals;

		rc = dm_segment_batch(g, at, n, &arena, batch, &imports, &ordinals, err);
		if (rc)
			break;
		rc = copy_kept(b, batch, not_before, imports, ordinals, moved, err);
		dm_arena_reset(&arena);
	}
	if (!rc)
		rc = dm_map_check(&g->map, err);
	if (!rc && g->corrupt)
		rc = dm_fail(err, DM_ECORRUPT, "the segment is damaged; it is left as it is");
	dm_arena_done(&arena);
	dm_free(batch);
	return rc;
}

/* Seals the builder and names it in the catalog in place of old[0..n), which readers may want for a while. An
 * empty builder only removes. With `dropped` rows are gone for good, and the old files are the caller's to
 * unlink. Must be inside no transaction. */
static int replace_segments(struct dm_store *s, struct dm_builder *b, const struct dm_segment_row *old,
			    size_t n, const struct dm_tombstone *dropped, struct dm_err *err)
{
	struct dm_sealed sealed = {0};
	struct dm_segment_row row;
	char name[64] = "";
	int rc = DM_OK;

	if (b->rows) {
		rc = dm_builder_seal(b, &sealed, err);
		new_name(name, dm_kind_name(b->kind), "seg");
		row = (struct dm_segment_row){.day = b->day,
					      .kind = b->kind,
					      .class_id = b->class_id,
					      .rows = sealed.rows,
					      .bytes = sealed.bytes.n,
					      .first = sealed.first,
					      .last = sealed.last,
					      .file = dm_sv_str(name)};
		if (!rc)
			rc = dm_store_put(s->evidence_fd, name, &sealed.bytes, err);
		if (!rc)
			rc = dm_fsync_dir(s->evidence_fd, err);
		dm_sealed_done(&sealed);
		if (rc)
			return rc;
	}
	rc = dm_catalog_begin(s->catalog, true, err);
	if (rc)
		return rc;
	if (b->rows)
		rc = dm_catalog_segment_add(s->catalog, &row, err);
	for (size_t i = 0; i < n && !rc; i++) {
		rc = dm_catalog_segment_remove(s->catalog, old[i].id, err);
		if (!rc && !dropped)
			rc = dm_catalog_obsolete_add(s->catalog, old[i].file, dm_now(), err);
	}
	if (!rc && dropped)
		rc = dm_catalog_tombstone_add(s->catalog, dropped, err);
	if (!rc)
		return dm_catalog_commit(s->catalog, err);
	dm_catalog_rollback(s->catalog);
	if (name[0])
		unlinkat(s->evidence_fd, name, 0);
	return rc;
}

static int merge_segments(struct dm_store *s, const struct dm_segment_row *row, size_t n,
			  struct dm_upkeep *up, struct dm_err *err)
{
	struct dm_builder *b = dm_builder_new(row[0].kind, row[0].day, row[0].class_id);
	int rc = b ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	for (size_t i = 0; i < n && !rc; i++) {
		struct dm_segment *g;

		rc = dm_segment_open(&g, s->evidence_fd, row[i].file.p, row[i].bytes, err);
		if (rc)
			break;
		rc = dm_segment_check(g, err);
		if (!rc)
			rc = copy_rows(g, b, INT64_MIN, &up->rows_moved, err);
		if (rc)
			dm_err_source(err, row[i].file.p);
		dm_segment_close(g);
	}
	if (!rc)
		rc = replace_segments(s, b, row, n, NULL, err);
	if (!rc) {
		up->segments_merged += n;
		up->segments_made++;
	}
	dm_builder_free(b);
	return rc;
}

static unsigned tier(uint32_t rows)
{
	unsigned t = 0;

	for (; rows >= FAN_IN; rows /= FAN_IN)
		t++;
	return t;
}

static int by_rows(const void *a, const void *b)
{
	const struct dm_segment_row *x = a, *y = b;

	return x->rows < y->rows ? -1 : x->rows > y->rows;
}

/* Merges what pays within one cell: equals among the small ones, or with `all` every small one. */
static int compact_cell(struct dm_store *s, struct dm_segment_row *row, size_t n, bool all,
			struct dm_upkeep *up, struct dm_err *err)
{
	int rc = DM_OK;

	qsort(row, n, sizeof *row, by_rows);
	for (size_t i = 0, j; i < n && !rc; i = j) {
		uint64_t rows = 0;

		for (j = i; j < n && row[j].rows < FULL_ROWS && (j == i || rows + row[j].rows <= FULL_ROWS) &&
			    (all || tier(row[j].rows) == tier(row[i].rows));
		     j++)
			rows += row[j].rows;
		if (j == i)
			break; /* the rest is full */
		if (j - i >= (all ? 2 : FAN_IN))
			rc = merge_segments(s, row + i, j - i, up, err);
	}
	return rc;
}

int dm_store_maintain(struct dm_store *s, bool all, struct dm_upkeep *ret, struct dm_err *err)
{
	struct dm_snapshot snap;
	bool did = true;
	int rc;

	*ret = (struct dm_upkeep){0};
	rc = dm_snapshot_take(s, &snap, err);
	if (rc)
		return rc;
	for (size_t i = 0, j; i < snap.n_segments && !rc; i = j) {
		const struct dm_segment_row *a = &snap.segment[i];

		for (j = i + 1; j < snap.n_segments && snap.segment[j].day == a->day &&
				snap.segment[j].kind == a->kind && snap.segment[j].class_id == a->class_id;
		     j++)
			;
		if (j - i > 1)
			rc = compact_cell(s, snap.segment + i, j - i, all, ret, err);
	}
	dm_snapshot_done(&snap);
	while (!rc && did)
		rc = runs_round(s, all, ret, &did, err);
	return rc;
}

/* What a run needs to know of a segment, from its own index. */
static int summarise(struct dm_segment *g, struct dm_arena *arena, struct dm_run_source *ret,
		     struct dm_err *err)
{
	struct dm_sealed_value *v = dm_arena_alloc(arena, ((size_t)g->n_codes + 1) * sizeof *v);
	uint8_t *seen = dm_calloc(g->h->rows / 8 + 1, 1);
	struct dm_hits hits = {0};
	int rc = v && seen ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	for (uint32_t code = 0; code < g->n_codes && !rc; code++) {
		enum dm_obs_type t;
		struct dm_sv key = dm_segment_key(g, code, &t);

		v[code] = (struct dm_sealed_value){.type = (uint8_t)t,
						   .key = dm_arena_copy(arena, key),
						   .first = DM_NO_TIME,
						   .last = DM_NO_TIME};
		hits.n = 0;
		rc = v[code].key.p ? dm_segment_hits(g, code, &hits, err)
				   : dm_fail(err, DM_ENOMEM, "out of memory");
		for (size_t i = 0; i < hits.n; i++) {
			uint32_t row = hits.v[i].row;
			uint8_t bit = (uint8_t)(1u << row % 8);
			int64_t when;

			if (seen[row / 8] & bit)
				continue;
			seen[row / 8] |= bit;
			when = dm_segment_time(g, row);
			v[code].count++;
			if (when != DM_NO_TIME && (v[code].first == DM_NO_TIME || when < v[code].first))
				v[code].first = when;
			if (when > v[code].last)
				v[code].last = when;
		}
		for (size_t i = 0; i < hits.n; i++)
			seen[hits.v[i].row / 8] = 0;
	}
	ret->values = v;
	ret->n = g->n_codes;
	dm_free(seen);
	dm_free(hits.v);
	return rc;
}

/* One new run of segments row[0..n); its catalog row in *ret (name in `name`). */
static int run_of(struct dm_store *s, const struct dm_segment_row *row, size_t n, struct dm_run_row *ret,
		  char name[64], struct dm_err *err)
{
	struct dm_run_source *src = dm_calloc(n, sizeof *src);
	struct dm_arena arena = {0};
	struct dm_buf bytes;
	int rc = src ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	dm_buf_init(&bytes, SIZE_MAX / 4);
	*ret = (struct dm_run_row){.level = 1};
	for (size_t i = 0; i < n && !rc; i++) {
		struct dm_segment *g;

		rc = dm_segment_open(&g, s->evidence_fd, row[i].file.p, row[i].bytes, err);
		if (rc)
			break;
		src[i].cell =
			(struct dm_cell){.day = row[i].day, .kind = row[i].kind, .class_id = row[i].class_id};
		rc = dm_segment_check(g, err);
		if (!rc)
			rc = summarise(g, &arena, &src[i], err);
		if (!rc)
			rc = dm_map_check(&g->map, err);
		if (rc)
			dm_err_source(err, row[i].file.p);
		dm_segment_close(g);
	}
	if (!rc)
		rc = dm_run_write(&bytes, src, n, &ret->keys, err);
	new_name(name, "merged", "run");
	if (!rc)
		rc = dm_store_put(s->evidence_fd, name, &bytes, err);
	ret->bytes = bytes.n;
	ret->file = dm_sv_str(name);
	dm_buf_done(&bytes);
	dm_arena_done(&arena);
	dm_free(src);
	return rc;
}

/* New runs of the segments that `keep` lists, in place of all old ones, in the transaction of `also`. Old
 * files are unlinked at once. */
static int new_runs(struct dm_store *s, const struct dm_snapshot *snap, const struct dm_segment_row *keep,
		    size_t n, int (*also)(void *ctx, struct dm_catalog *c, struct dm_err *err), void *ctx,
		    struct dm_err *err)
{
	enum { STEP = 64 };
	size_t k = 0, most = n / STEP + 1;
	struct dm_run_row *made = dm_calloc(most, sizeof *made);
	char(*name)[64] = dm_calloc(most, sizeof *name);
	bool tried = false; /* a commit that failed may come to life: see ingest.c */
	int rc = made && name ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	for (size_t i = 0; i < n && !rc; i += STEP, k++)
		rc = run_of(s, keep + i, n - i < STEP ? n - i : STEP, &made[k], name[k], err);
	if (!rc)
		rc = dm_fsync_dir(s->evidence_fd, err);
	if (!rc)
		rc = dm_catalog_begin(s->catalog, true, err);
	if (!rc) {
		for (size_t i = 0; i < snap->n_runs && !rc; i++)
			rc = dm_catalog_run_remove(s->catalog, snap->run[i].id, err);
		for (size_t i = 0; i < k && !rc; i++)
			rc = dm_catalog_run_add(s->catalog, &made[i], err);
		if (!rc && also)
			rc = also(ctx, s->catalog, err);
		if (!rc)
			tried = true;
		if (!rc)
			rc = dm_catalog_commit(s->catalog, err);
		else
			dm_catalog_rollback(s->catalog);
	}
	for (size_t i = 0; !rc && i < snap->n_runs; i++)
		unlinkat(s->evidence_fd, snap->run[i].file.p, 0);
	for (size_t i = 0; rc && !tried && i < k; i++)
		unlinkat(s->evidence_fd, name[i], 0);
	dm_free(made);
	dm_free(name);
	return rc;
}

int dm_store_rebuild_runs(struct dm_store *s, struct dm_err *err)
{
	struct dm_snapshot snap;
	int rc = dm_snapshot_take(s, &snap, err);

	if (rc)
		return rc;
	rc = new_runs(s, &snap, snap.segment, snap.n_segments, NULL, NULL, err);
	dm_snapshot_done(&snap);
	return rc;
}

struct dropping {
	const struct dm_segment_row *gone;
	size_t n;
};

static int drop_segments(void *ctx, struct dm_catalog *c, struct dm_err *err)
{
	const struct dropping *d = ctx;
	int rc = DM_OK;

	for (size_t i = 0; i < d->n && !rc; i++) {
		struct dm_tombstone t = {.day = d->gone[i].day,
					 .kind = d->gone[i].kind,
					 .class_id = d->gone[i].class_id,
					 .rows = d->gone[i].rows,
					 .dropped_at = dm_now()};

		rc = dm_catalog_segment_remove(c, d->gone[i].id, err);
		if (!rc)
			rc = dm_catalog_tombstone_add(c, &t, err);
	}
	return rc;
}

/* A segment of several days is written anew without the rows that go. */
static int trim_mixed(struct dm_store *s, const struct dm_segment_row *row, int64_t limit, uint64_t *dropped,
		      struct dm_err *err)
{
	struct dm_builder *b = dm_builder_new(row->kind, row->day, row->class_id);
	struct dm_segment *g = NULL;
	uint64_t moved = 0;
	int rc = b ? dm_segment_open(&g, s->evidence_fd, row->file.p, row->bytes, err)
		   : dm_fail(err, DM_ENOMEM, "out of memory");

	if (!rc)
		rc = dm_segment_check(g, err);
	if (!rc)
		rc = copy_rows(g, b, limit, &moved, err);
	dm_segment_close(g);
	if (!rc) {
		struct dm_tombstone t = {.day = dm_day_of((row->last < limit ? row->last : limit - 1)),
					 .kind = row->kind,
					 .class_id = row->class_id,
					 .rows = row->rows - moved,
					 .dropped_at = dm_now()};

		rc = replace_segments(s, b, row, 1, &t, err);
	}
	if (!rc) {
		*dropped += row->rows - moved;
		unlinkat(s->evidence_fd, row->file.p, 0);
	}
	dm_builder_free(b);
	return rc;
}

/* What still holds dropped values: superseded files (no reader's comfort is worth a trace), reasons for
 * skipped lines, old pages of the catalog. Also when nothing was dropped: an earlier run may have been killed
 * here. */
static int purge(struct dm_store *s, struct dm_arena *arena, int64_t limit, struct dm_err *err)
{
	struct dm_sv *old;
	size_t n;
	int rc = dm_catalog_obsolete(s->catalog, INT64_MAX, arena, &old, &n, err);

	for (size_t i = 0; !rc && i < n; i++) {
		if (unlinkat(s->evidence_fd, old[i].p, 0) && errno != ENOENT) {
			rc = dm_fail_errno(err, "a superseded file can't be removed");
			dm_err_source(err, old[i].p);
		} else {
			rc = dm_catalog_obsolete_remove(s->catalog, old[i], err);
		}
	}
	if (!rc)
		rc = dm_fsync_dir(s->evidence_fd, err);
	if (!rc)
		rc = dm_catalog_skips_forget(s->catalog, limit, err);
	return rc ? rc : dm_catalog_settle(s->catalog, err);
}

int dm_store_forget(struct dm_store *s, int32_t day, uint64_t *ret_rows, struct dm_err *err)
{
	int64_t limit = (int64_t)day * DM_DAY_US;
	struct dm_snapshot snap;
	struct dm_segment_row *gone = NULL;
	size_t n_gone = 0, n_keep = 0;
	uint64_t dropped = 0;
	int rc = dm_snapshot_take(s, &snap, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < snap.n_segments && !rc; i++)
		if (snap.segment[i].day == DM_DAY_MIXED && snap.segment[i].first != DM_NO_TIME &&
		    snap.segment[i].first < limit)
			rc = trim_mixed(s, &snap.segment[i], limit, &dropped, err);
	dm_snapshot_done(&snap);
	if (!rc)
		rc = dm_snapshot_take(s, &snap, err);
	if (rc)
		return rc;
	gone = dm_alloc((snap.n_segments + 1) * sizeof *gone);
	if (!gone)
		rc = dm_fail(err, DM_ENOMEM, "out of memory");
	for (size_t i = 0; i < snap.n_segments && !rc; i++) {
		bool special = snap.segment[i].day == DM_DAY_MIXED || snap.segment[i].day == DM_DAY_NONE;

		if (!special && snap.segment[i].day < day) {
			gone[n_gone++] = snap.segment[i];
			dropped += snap.segment[i].rows;
		} else {
			snap.segment[n_keep++] = snap.segment[i];
		}
	}
	if (!rc && dropped)
		rc = new_runs(s, &snap, snap.segment, n_keep, drop_segments,
			      &(struct dropping){.gone = gone, .n = n_gone}, err);
	for (size_t i = 0; !rc && i < n_gone; i++)
		unlinkat(s->evidence_fd, gone[i].file.p, 0);
	if (!rc)
		rc = purge(s, &snap.arena, limit, err);
	dm_free(gone);
	dm_snapshot_done(&snap);
	if (!rc)
		*ret_rows = dropped;
	return rc;
}

int dm_store_check(struct dm_store *s, int (*fault)(void *ctx, const struct dm_err *err), void *ctx,
		   struct dm_err *err)
{
	struct dm_snapshot snap;
	struct dm_err e;
	int rc = dm_catalog_check(s->catalog, err);

	if (!rc)
		rc = dm_snapshot_take(s, &snap, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < snap.n_segments && !rc; i++) {
		struct dm_segment *g = NULL;
		int bad;

		e = (struct dm_err){0};
		bad = dm_segment_open(&g, s->evidence_fd, snap.segment[i].file.p, snap.segment[i].bytes, &e);
		if (!bad)
			bad = dm_segment_check(g, &e);
		dm_segment_close(g);
		if (bad) {
			dm_err_source(&e, snap.segment[i].file.p);
			rc = fault(ctx, &e);
		}
	}
	for (size_t i = 0; i < snap.n_runs && !rc; i++) {
		struct dm_run *r = NULL;
		int bad;

		e = (struct dm_err){0};
		bad = dm_run_open(&r, s->evidence_fd, snap.run[i].file.p, snap.run[i].bytes, &e);
		if (!bad)
			bad = dm_run_check(r, &e);
		dm_run_close(r);
		if (bad) {
			dm_err_source(&e, snap.run[i].file.p);
			rc = fault(ctx, &e);
		}
	}
	dm_snapshot_done(&snap);
	return rc;
}
