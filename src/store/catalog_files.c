/* catalog_files.c: the data files: segments, runs, indicator sets, and what is gone. */
#include "store/sql.h"

/* Rows of `table`, so that one allocation holds them. */
static int64_t count_rows(struct dm_catalog *c, const char *sql, struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, sql, "");
	int64_t n = -1;

	if (st && dm_sql_step(c, st, err) > 0)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* Reads all rows of a query into an array of `size` bytes each. `read` says false when memory ran out: a row
 * without its file name would make the sweep take that file for one that nobody knows. */
static int read_all(struct dm_catalog *c, const char *count_sql, const char *sql, size_t size,
		    bool (*read)(sqlite3_stmt *, struct dm_arena *, void *), struct dm_arena *arena,
		    void **ret, size_t *ret_n, struct dm_err *err)
{
	int64_t cap = count_rows(c, count_sql, err);
	sqlite3_stmt *st;
	size_t n = 0;
	char *v;
	int rc;

	if (cap < 0)
		return err && err->code ? err->code : DM_EIO;
	v = dm_arena_alloc(arena, (size_t)(cap + 1) * size);
	if (!v)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	st = dm_sql(c, err, sql, "");
	if (!st)
		return err && err->code ? err->code : DM_EIO;
	while ((rc = dm_sql_step(c, st, err)) > 0 && n < (size_t)cap)
		if (!read(st, arena, v + n++ * size)) {
			rc = dm_fail(err, DM_ENOMEM, "out of memory");
			break;
		}
	sqlite3_finalize(st);
	if (rc < 0)
		return rc;
	*ret = v;
	*ret_n = n;
	return DM_OK;
}

int dm_catalog_segment_add(struct dm_catalog *c, const struct dm_segment_row *s, struct dm_err *err)
{
	return dm_sql_run(c,
			  dm_sql(c, err, "INSERT INTO segment VALUES(NULL,?,?,?,?,?,?,?,?)", "iiiiuiit",
				 (int64_t)s->day, (int64_t)s->kind, (int64_t)s->class_id, (int64_t)s->rows,
				 s->bytes, s->first, s->last, s->file),
			  err);
}

int dm_catalog_segment_remove(struct dm_catalog *c, int64_t id, struct dm_err *err)
{
	return dm_sql_run(c, dm_sql(c, err, "DELETE FROM segment WHERE id=?", "i", id), err);
}

static bool read_segment(sqlite3_stmt *st, struct dm_arena *arena, void *out)
{
	struct dm_segment_row *r = out;

	*r = (struct dm_segment_row){
		.id = sqlite3_column_int64(st, 0),
		.day = (int32_t)sqlite3_column_int64(st, 1),
		.kind = (uint32_t)sqlite3_column_int64(st, 2),
		.class_id = (uint32_t)sqlite3_column_int64(st, 3),
		.rows = (uint32_t)sqlite3_column_int64(st, 4),
		.bytes = (uint64_t)sqlite3_column_int64(st, 5),
		.first = sqlite3_column_int64(st, 6),
		.last = sqlite3_column_int64(st, 7),
		.file = dm_sql_text(st, 8, arena),
	};
	return r->file.p != NULL;
}

int dm_catalog_segments(struct dm_catalog *c, struct dm_arena *arena, struct dm_segment_row **ret,
			size_t *ret_n, struct dm_err *err)
{
	return read_all(c, "SELECT count(*) FROM segment",
			"SELECT id, day, kind, class, \"rows\", bytes, first, last, file FROM segment ORDER "
			"BY day, kind, class, id",
			sizeof **ret, read_segment, arena, (void **)ret, ret_n, err);
}

int dm_catalog_run_add(struct dm_catalog *c, const struct dm_run_row *r, struct dm_err *err)
{
	return dm_sql_run(c,
			  dm_sql(c, err, "INSERT INTO run VALUES(NULL,?,?,?,?)", "iuut", (int64_t)r->level,
				 r->keys, r->bytes, r->file),
			  err);
}

int dm_catalog_run_remove(struct dm_catalog *c, int64_t id, struct dm_err *err)
{
	return dm_sql_run(c, dm_sql(c, err, "DELETE FROM run WHERE id=?", "i", id), err);
}

static bool read_run(sqlite3_stmt *st, struct dm_arena *arena, void *out)
{
	struct dm_run_row *r = out;

	*r = (struct dm_run_row){
		.id = sqlite3_column_int64(st, 0),
		.level = (uint32_t)sqlite3_column_int64(st, 1),
		.keys = (uint64_t)sqlite3_column_int64(st, 2),
		.bytes = (uint64_t)sqlite3_column_int64(st, 3),
		.file = dm_sql_text(st, 4, arena),
	};
	return r->file.p != NULL;
}

int dm_catalog_runs(struct dm_catalog *c, struct dm_arena *arena, struct dm_run_row **ret, size_t *ret_n,
		    struct dm_err *err)
{
	return read_all(c, "SELECT count(*) FROM run",
			"SELECT id, level, keys, bytes, file FROM run ORDER BY level, id", sizeof **ret,
			read_run, arena, (void **)ret, ret_n, err);
}

int dm_catalog_set_add(struct dm_catalog *c, const struct dm_set_row *s, struct dm_err *err)
{
	return dm_sql_run(c,
			  dm_sql(c, err, "INSERT OR REPLACE INTO indicator_set VALUES(?,?,?,?,?,?)", "iiuutt",
				 s->import, (int64_t)s->warning, s->indicators, s->bytes, s->file, s->name),
			  err);
}

int dm_catalog_set_remove(struct dm_catalog *c, int64_t import, struct dm_err *err)
{
	return dm_sql_run(c, dm_sql(c, err, "DELETE FROM indicator_set WHERE import=?", "i", import), err);
}

static bool read_set(sqlite3_stmt *st, struct dm_arena *arena, void *out)
{
	struct dm_set_row *r = out;

	*r = (struct dm_set_row){
		.import = sqlite3_column_int64(st, 0),
		.warning = sqlite3_column_int64(st, 1) != 0,
		.indicators = (uint64_t)sqlite3_column_int64(st, 2),
		.bytes = (uint64_t)sqlite3_column_int64(st, 3),
		.file = dm_sql_text(st, 4, arena),
		.name = dm_sql_text(st, 5, arena),
	};
	return r->file.p && r->name.p;
}

int dm_catalog_sets(struct dm_catalog *c, struct dm_arena *arena, struct dm_set_row **ret, size_t *ret_n,
		    struct dm_err *err)
{
	return read_all(
		c, "SELECT count(*) FROM indicator_set",
		"SELECT import, warning, indicators, bytes, file, name FROM indicator_set ORDER BY import",
		sizeof **ret, read_set, arena, (void **)ret, ret_n, err);
}

int dm_catalog_tombstone_add(struct dm_catalog *c, const struct dm_tombstone *t, struct dm_err *err)
{
	return dm_sql_run(c,
			  dm_sql(c, err,
				 "INSERT INTO tombstone VALUES(?,?,?,?,?) ON CONFLICT(day, kind, class) DO "
				 "UPDATE SET \"rows\"=\"rows\"+excluded.\"rows\","
				 " dropped_at=excluded.dropped_at",
				 "iiiui", (int64_t)t->day, (int64_t)t->kind, (int64_t)t->class_id, t->rows,
				 t->dropped_at),
			  err);
}

static bool read_tombstone(sqlite3_stmt *st, struct dm_arena *arena, void *out)
{
	(void)arena;
	*(struct dm_tombstone *)out = (struct dm_tombstone){
		.day = (int32_t)sqlite3_column_int64(st, 0),
		.kind = (uint32_t)sqlite3_column_int64(st, 1),
		.class_id = (uint32_t)sqlite3_column_int64(st, 2),
		.rows = (uint64_t)sqlite3_column_int64(st, 3),
		.dropped_at = sqlite3_column_int64(st, 4),
	};
	return true;
}

int dm_catalog_tombstones(struct dm_catalog *c, struct dm_arena *arena, struct dm_tombstone **ret,
			  size_t *ret_n, struct dm_err *err)
{
	return read_all(
		c, "SELECT count(*) FROM tombstone",
		"SELECT day, kind, class, \"rows\", dropped_at FROM tombstone ORDER BY day, kind, class",
		sizeof **ret, read_tombstone, arena, (void **)ret, ret_n, err);
}

int dm_catalog_obsolete_add(struct dm_catalog *c, struct dm_sv file, int64_t since, struct dm_err *err)
{
	return dm_sql_run(c, dm_sql(c, err, "INSERT OR IGNORE INTO obsolete VALUES(?,?)", "ti", file, since),
			  err);
}

int dm_catalog_obsolete(struct dm_catalog *c, int64_t before, struct dm_arena *arena, struct dm_sv **ret,
			size_t *ret_n, struct dm_err *err)
{
	int64_t cap = count_rows(c, "SELECT count(*) FROM obsolete", err);
	sqlite3_stmt *st;
	struct dm_sv *v;
	size_t n = 0;
	int rc;

	if (cap < 0)
		return err && err->code ? err->code : DM_EIO;
	v = dm_arena_alloc(arena, (size_t)(cap + 1) * sizeof *v);
	if (!v)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	st = dm_sql(c, err, "SELECT file FROM obsolete WHERE since<?", "i", before);
	if (!st)
		return err && err->code ? err->code : DM_EIO;
	while ((rc = dm_sql_step(c, st, err)) > 0 && n < (size_t)cap) {
		v[n] = dm_sql_text(st, 0, arena);
		if (!v[n++].p) {
			rc = dm_fail(err, DM_ENOMEM, "out of memory");
			break;
		}
	}
	sqlite3_finalize(st);
	if (rc < 0)
		return rc;
	*ret = v;
	*ret_n = n;
	return DM_OK;
}

int dm_catalog_obsolete_remove(struct dm_catalog *c, struct dm_sv file, struct dm_err *err)
{
	return dm_sql_run(c, dm_sql(c, err, "DELETE FROM obsolete WHERE file=?", "t", file), err);
}

int dm_catalog_reported_set(struct dm_catalog *c, int64_t set, int64_t import, struct dm_err *err)
{
	return dm_sql_run(c, dm_sql(c, err, "INSERT OR REPLACE INTO reported VALUES(?,?)", "ii", set, import),
			  err);
}

int64_t dm_catalog_reported(struct dm_catalog *c, int64_t set)
{
	sqlite3_stmt *st = dm_sql(c, NULL, "SELECT import FROM reported WHERE \"set\"=?", "i", set);
	int64_t upto = st && dm_sql_step(c, st, NULL) > 0 ? sqlite3_column_int64(st, 0) : 0;

	sqlite3_finalize(st);
	return upto;
}
