/* catalog.h: the one truth of a node: which imports, segments, runs and indicator sets exist, where a growing
 * file goes on, what was dropped.
 *
 * SQLite in WAL mode with synchronous=FULL. Data files are written and synced first; one transaction here
 * acknowledges them. The only place with SQL. A handle belongs to one thread.
 */
#ifndef DM_STORE_CATALOG_H
#define DM_STORE_CATALOG_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/sv.h"

struct dm_catalog;

#define DM_CATALOG_VERSION 1

/* Opens `path`; with `create` makes it. DM_ENOENT: there is none; DM_EVERSION: made by a newer version. */
int dm_catalog_open(struct dm_catalog **ret, const char *path, bool create, bool readonly,
		    struct dm_err *err);
void dm_catalog_close(struct dm_catalog *c);
int dm_catalog_begin(struct dm_catalog *c, bool write, struct dm_err *err);
int dm_catalog_commit(struct dm_catalog *c, struct dm_err *err);
void dm_catalog_rollback(struct dm_catalog *c);
/* Moves everything out of the write-ahead log and empties it, so that nothing deleted is left in it. DM_EBUSY
 * if a reader does not let go in time. */
int dm_catalog_settle(struct dm_catalog *c, struct dm_err *err);
/* PRAGMA integrity_check; DM_ECORRUPT with SQLite's words. */
int dm_catalog_check(struct dm_catalog *c, struct dm_err *err);

/* Settings: text by name. DM_ENOENT if not set. */
int dm_catalog_get(struct dm_catalog *c, const char *key, struct dm_arena *arena, struct dm_sv *ret,
		   struct dm_err *err);
int dm_catalog_set(struct dm_catalog *c, const char *key, struct dm_sv value, struct dm_err *err);

enum dm_import_what { DM_IMPORT_EVIDENCE = 1, DM_IMPORT_INTELLIGENCE = 2, DM_IMPORT_WARNINGLIST = 3 };

struct dm_import {
	int64_t id;
	enum dm_import_what what;
	struct dm_sv name;   /* file as given */
	struct dm_sv format; /* importer */
	struct dm_sv source; /* who it is from, as the user said; else empty */
	struct dm_sv sensor;
	struct dm_sv marking;
	struct dm_sv notes; /* lines: what the importer noted */
	uint8_t digest[32]; /* SHA-256 of all bytes up to `bytes` */
	uint32_t class_id;
	int64_t started, finished; /* us */
	uint64_t from, bytes;	   /* bytes [from, bytes) of the file came with this import */
	uint64_t rows, skipped, dropped;
	uint64_t sampling;   /* 1 in N; 0: not known, 1: all */
	int64_t first, last; /* of the rows */
	bool complete;	     /* the importer reached the end without an error */
};
/* The number that the next import will have; it is the caller's as long as he holds the lock. Numbers are
 * never used twice. */
int dm_catalog_import_next(struct dm_catalog *c, int64_t *ret_id, struct dm_err *err);
/* Inserts import i->id or rewrites it. */
int dm_catalog_import_put(struct dm_catalog *c, const struct dm_import *i, struct dm_err *err);
/* What an import that ended early had left has come in with a later one. */
int dm_catalog_import_complete(struct dm_catalog *c, int64_t id, struct dm_err *err);
int dm_catalog_import_get(struct dm_catalog *c, int64_t id, struct dm_arena *arena, struct dm_import *ret,
			  struct dm_err *err);
int dm_catalog_imports(struct dm_catalog *c, struct dm_arena *arena, struct dm_import **ret, size_t *ret_n,
		       struct dm_err *err);
/* The import whose content has this digest; DM_ENOENT. */
int dm_catalog_import_by_digest(struct dm_catalog *c, const uint8_t digest[32], int64_t *ret_id,
				struct dm_err *err);
int dm_catalog_skip_add(struct dm_catalog *c, int64_t import, uint64_t line, struct dm_sv reason,
			struct dm_err *err);
/* The reasons of imports that hold rows before that time: they may quote values of the line. The lines stay.
 */
int dm_catalog_skips_forget(struct dm_catalog *c, int64_t before, struct dm_err *err);
int dm_catalog_skips(struct dm_catalog *c, int64_t import,
		     int (*each)(void *ctx, uint64_t line, struct dm_sv reason), void *ctx,
		     struct dm_err *err);

/* Where a growing file goes on: a prefix of it is known by its digest. */
struct dm_resume {
	uint64_t offset, line; /* bytes of the file; lines (or records) before there */
	uint64_t decoded;      /* bytes after decompression */
	bool grows; /* the format can go on from here; else only the same bytes again are recognised */
	uint8_t digest[32]; /* of the bytes [0, offset) */
	int64_t import;
};
int dm_catalog_resume_add(struct dm_catalog *c, struct dm_sv head, const struct dm_resume *r,
			  struct dm_err *err);
/* Candidates whose first bytes (at most 4096, at most their offset) equal those of `head`, longest offset
 * first. */
int dm_catalog_resumes(struct dm_catalog *c, struct dm_sv head, uint64_t size, struct dm_arena *arena,
		       struct dm_resume **ret, size_t *ret_n, struct dm_err *err);

struct dm_segment_row {
	int64_t id;
	int32_t day;
	uint32_t kind, class_id, rows;
	uint64_t bytes;
	int64_t first, last;
	struct dm_sv file;
};
int dm_catalog_segment_add(struct dm_catalog *c, const struct dm_segment_row *s, struct dm_err *err);
int dm_catalog_segment_remove(struct dm_catalog *c, int64_t id, struct dm_err *err);
int dm_catalog_segments(struct dm_catalog *c, struct dm_arena *arena, struct dm_segment_row **ret,
			size_t *ret_n, struct dm_err *err);

struct dm_run_row {
	int64_t id;
	uint32_t level;
	uint64_t keys, bytes;
	struct dm_sv file;
};
int dm_catalog_run_add(struct dm_catalog *c, const struct dm_run_row *r, struct dm_err *err);
int dm_catalog_run_remove(struct dm_catalog *c, int64_t id, struct dm_err *err);
int dm_catalog_runs(struct dm_catalog *c, struct dm_arena *arena, struct dm_run_row **ret, size_t *ret_n,
		    struct dm_err *err);

struct dm_set_row {
	int64_t import; /* id of the import it came with */
	bool warning;	/* a warning list */
	uint64_t indicators, bytes;
	struct dm_sv file, name; /* name of a warning list */
};
int dm_catalog_set_add(struct dm_catalog *c, const struct dm_set_row *s, struct dm_err *err);
int dm_catalog_set_remove(struct dm_catalog *c, int64_t import, struct dm_err *err);
int dm_catalog_sets(struct dm_catalog *c, struct dm_arena *arena, struct dm_set_row **ret, size_t *ret_n,
		    struct dm_err *err);

/* What is no longer kept: so that an answer says "not kept" rather than "not seen". */
struct dm_tombstone {
	int32_t day;
	uint32_t kind, class_id;
	uint64_t rows;
	int64_t dropped_at;
};
int dm_catalog_tombstone_add(struct dm_catalog *c, const struct dm_tombstone *t, struct dm_err *err);
int dm_catalog_tombstones(struct dm_catalog *c, struct dm_arena *arena, struct dm_tombstone **ret,
			  size_t *ret_n, struct dm_err *err);

/* Visibility classes: one for each distinct marking of evidence. Class 0 is the unmarked one. */
int dm_catalog_class(struct dm_catalog *c, struct dm_sv marking, bool create, uint32_t *ret,
		     struct dm_err *err);

/* Files that a committed change has made superfluous: readers with an older snapshot may still want them for
 * a while. */
int dm_catalog_obsolete_add(struct dm_catalog *c, struct dm_sv file, int64_t since, struct dm_err *err);
/* Those older than `before`, in arena; the caller unlinks, then removes. */
int dm_catalog_obsolete(struct dm_catalog *c, int64_t before, struct dm_arena *arena, struct dm_sv **ret,
			size_t *ret_n, struct dm_err *err);
int dm_catalog_obsolete_remove(struct dm_catalog *c, struct dm_sv file, struct dm_err *err);

/* Alerts: a person has been shown the hits of `set` in all imports up to and with this number; 0: none yet.
 */
int dm_catalog_reported_set(struct dm_catalog *c, int64_t set, int64_t import, struct dm_err *err);
int64_t dm_catalog_reported(struct dm_catalog *c, int64_t set);

#endif
