/* store.h: the evidence of a node as a whole: open it, take a snapshot to read, put rows in, compact, let
 * days go.
 *
 * Folder layout below the node's home: catalog.sqlite, evidence/ (segments and runs), intel/ (indicator
 * sets), lock. Data files are immutable: written under a temporary name, synced, renamed, and acknowledged by
 * one transaction of the catalog. What the catalog does not name is removed at the next opening for writing.
 * One writer by lock; readers need none.
 */
#ifndef DM_EVIDENCE_STORE_H
#define DM_EVIDENCE_STORE_H

#include "evidence/builder.h"
#include "evidence/run.h"
#include "evidence/segment.h"
#include "store/catalog.h"

struct dm_store {
	char home[4096];
	int home_fd, evidence_fd, intel_fd, lock_fd; /* lock_fd -1: reader */
	struct dm_catalog *catalog;
};

/* DM_STORE_CREATE makes the folders and the catalog. DM_STORE_WRITE takes the lock, waiting up to `wait_s`
 * seconds; DM_EBUSY after that. */
#define DM_STORE_WRITE	1u
#define DM_STORE_CREATE 2u
int dm_store_open(struct dm_store **ret, const char *home, unsigned flags, unsigned wait_s,
		  struct dm_err *err);
void dm_store_close(struct dm_store *s);

/* What a reader sees: consistent, and good for as long as files are kept (10 minutes after being superseded).
 */
struct dm_snapshot {
	struct dm_arena arena;
	struct dm_segment_row *segment; /* by day, kind, class */
	size_t n_segments;
	struct dm_run_row *run;
	size_t n_runs;
	struct dm_set_row *set;
	size_t n_sets;
	struct dm_tombstone *tombstone;
	size_t n_tombstones;
	uint64_t rows, bytes;
	int64_t first, last;
};
int dm_snapshot_take(struct dm_store *s, struct dm_snapshot *ret, struct dm_err *err);
void dm_snapshot_done(struct dm_snapshot *s);
/* Segments of one cell: *ret_n of them from the returned place. */
const struct dm_segment_row *dm_snapshot_cell(const struct dm_snapshot *s, const struct dm_cell *cell,
					      size_t *ret_n);

/* Putting rows in. One ingest is one import: begin, rows, commit as often as wanted (each is durable and
 * resumable), end. */
struct dm_ingest;
int dm_ingest_begin(struct dm_ingest **ret, struct dm_store *s, uint32_t class_id, struct dm_err *err);
/* The import's number, once known; rows may come only after. */
void dm_ingest_import(struct dm_ingest *g, int64_t import_id);
int dm_ingest_rows(struct dm_ingest *g, const struct dm_batch *b, struct dm_err *err);
/* Seals what is open and makes it, and what `also` writes to the catalog in the same transaction, durable. */
int dm_ingest_commit(struct dm_ingest *g, int (*also)(void *ctx, struct dm_catalog *c, struct dm_err *err),
		     void *ctx, struct dm_err *err);
uint64_t dm_ingest_rows_done(const struct dm_ingest *g); /* rows taken in so far */
uint64_t dm_ingest_pending(const struct dm_ingest *g);	 /* of these, not yet committed */
void dm_ingest_times(const struct dm_ingest *g, int64_t *ret_first, int64_t *ret_last);
void dm_ingest_end(struct dm_ingest *g); /* what is not committed is gone; NULL is fine */

/* Writes a file durably below `dirfd` under `name`. */
int dm_store_put(int dirfd, const char *name, const struct dm_buf *bytes, struct dm_err *err);

/* Upkeep, by the writer. */
struct dm_upkeep {
	uint64_t segments_merged, segments_made, runs_merged, rows_moved;
};
/* Merges runs level by level and small segments of a cell where that pays; cheap if there is nothing to do.
 */
int dm_store_maintain(struct dm_store *s, bool all, struct dm_upkeep *ret, struct dm_err *err);
/* Makes the runs anew from the segments. */
int dm_store_rebuild_runs(struct dm_store *s, struct dm_err *err);
/* Drops all days before `day` (of class and kind any): rows, their values in every run, and leaves
 * tombstones. *ret_rows: rows dropped. */
int dm_store_forget(struct dm_store *s, int32_t day, uint64_t *ret_rows, struct dm_err *err);
/* Opens every file the catalog names and compares every checksum; each fault goes to `fault`. */
int dm_store_check(struct dm_store *s, int (*fault)(void *ctx, const struct dm_err *err), void *ctx,
		   struct dm_err *err);

#endif
