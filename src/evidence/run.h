/* run.h: the store-wide dictionary: sorted runs of (type, key) -> in which cells, how often, first and last
 * time.
 *
 * A cell is (day, kind, class): all segments of it, so compaction within a cell leaves the runs true. A run
 * answers "seen?" alone. Runs are immutable and merged in levels. A handle belongs to one thread.
 */
#ifndef DM_EVIDENCE_RUN_H
#define DM_EVIDENCE_RUN_H

#include "base/file.h"
#include "evidence/builder.h"
#include "evidence/ints.h"
#include "evidence/strings.h"

struct dm_cell {
	int32_t day; /* DM_DAY_MIXED: several */
	uint32_t kind, class_id;
};

struct dm_run_type {
	enum dm_obs_type type;
	uint32_t n;
	const uint8_t *keys;			     /* addresses: n x 4 or 16 bytes */
	struct dm_strings strings;		     /* others */
	struct dm_ints count, first, span, cells_at; /* span: last - first */
	const uint8_t *cells;
	size_t cells_n;
	bool verified; /* its checksums have been compared */
};

struct dm_run {
	struct dm_map map;
	void *directory; /* owned; `cell` points into it */
	const struct dm_cell *cell;
	uint32_t n_cells, n_types;
	uint64_t n_keys;
	char name[80]; /* of the file, for errors */
	struct dm_run_type type[DM_OBS_TYPES];
};

int dm_run_open(struct dm_run **ret, int dirfd, const char *name, uint64_t size, struct dm_err *err);
void dm_run_close(struct dm_run *r);
int dm_run_check(struct dm_run *r, struct dm_err *err);
/* Compares the checksums of one type, once: before an answer rests on it. "Not seen" is an answer. */
int dm_run_verify(struct dm_run *r, struct dm_run_type *t, struct dm_err *err);
struct dm_run_type *dm_run_type(struct dm_run *r, enum dm_obs_type t); /* NULL: none of that type */
struct dm_sv dm_run_key(struct dm_run_type *t, uint32_t i);
/* Index of the first key >= key at or after `from` (gallops: cheap for ascending keys); t->n if none. */
uint32_t dm_run_seek(struct dm_run_type *t, uint32_t from, struct dm_sv key, bool *ret_equal);

struct dm_run_summary {
	uint64_t count;
	int64_t first, last; /* DM_NO_TIME: no row of it has a time */
};
struct dm_run_summary dm_run_summary(const struct dm_run_type *t, uint32_t i);
/* Calls each(cell number, rows) for key i. DM_ECORRUPT or what `each` returned. */
int dm_run_cells(const struct dm_run *r, const struct dm_run_type *t, uint32_t i,
		 int (*each)(void *ctx, uint32_t cell, uint64_t rows), void *ctx);

/* What a run is made from: sealed segments of one cell each, or older runs. */
struct dm_run_source {
	const struct dm_sealed_value *values; /* ascending; with `cell` */
	uint32_t n;
	struct dm_cell cell;
	struct dm_run *run; /* or this */
};
/* Merges the sources into the bytes of one run of *ret_keys keys. */
int dm_run_write(struct dm_buf *out, const struct dm_run_source *src, size_t n, uint64_t *ret_keys,
		 struct dm_err *err);

#endif
