/* catalog_imports.c: imports, what they skipped, and where growing files go on. */
#include <sodium/crypto_generichash.h>
#include "store/sql.h"

#define HEAD_SIZE 4096u
#define COLUMNS                                                                                              \
	"id, what, name, format, source, sensor, marking, notes, digest, class, started, finished, start, "  \
	"bytes, \"rows\", skipped, dropped, sampling, "                                                      \
	"first, last, complete"

int dm_catalog_import_next(struct dm_catalog *c, int64_t *ret_id, struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, "SELECT seq FROM sqlite_sequence WHERE name='import'", "");
	int rc = st ? dm_sql_step(c, st, err) : DM_EIO;

	if (rc >= 0)
		*ret_id = rc > 0 ? sqlite3_column_int64(st, 0) + 1 : 1;
	sqlite3_finalize(st);
	return rc < 0 ? rc : DM_OK;
}

int dm_catalog_import_put(struct dm_catalog *c, const struct dm_import *i, struct dm_err *err)
{
	return dm_sql_run(c,
			  dm_sql(c, err,
				 "INSERT OR REPLACE INTO import(" COLUMNS
				 ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
				 "iittttttbiiiuuuuuuiii", i->id, (int64_t)i->what, i->name, i->format,
				 i->source, i->sensor, i->marking, i->notes,
				 dm_sv((const char *)i->digest, sizeof i->digest), (int64_t)i->class_id,
				 i->started, i->finished, i->from, i->bytes, i->rows, i->skipped, i->dropped,
				 i->sampling, i->first, i->last, (int64_t)i->complete),
			  err);
}

static bool read_import(sqlite3_stmt *st, struct dm_arena *arena, struct dm_import *i)
{
	const void *digest = sqlite3_column_blob(st, 8);

	*i = (struct dm_import){
		.id = sqlite3_column_int64(st, 0),
		.what = (enum dm_import_what)sqlite3_column_int64(st, 1),
		.name = dm_sql_text(st, 2, arena),
		.format = dm_sql_text(st, 3, arena),
		.source = dm_sql_text(st, 4, arena),
		.sensor = dm_sql_text(st, 5, arena),
		.marking = dm_sql_text(st, 6, arena),
		.notes = dm_sql_text(st, 7, arena),
		.class_id = (uint32_t)sqlite3_column_int64(st, 9),
		.started = sqlite3_column_int64(st, 10),
		.finished = sqlite3_column_int64(st, 11),
		.from = (uint64_t)sqlite3_column_int64(st, 12),
		.bytes = (uint64_t)sqlite3_column_int64(st, 13),
		.rows = (uint64_t)sqlite3_column_int64(st, 14),
		.skipped = (uint64_t)sqlite3_column_int64(st, 15),
		.dropped = (uint64_t)sqlite3_column_int64(st, 16),
		.sampling = (uint64_t)sqlite3_column_int64(st, 17),
		.first = sqlite3_column_int64(st, 18),
		.last = sqlite3_column_int64(st, 19),
		.complete = sqlite3_column_int64(st, 20) != 0,
	};
	if (digest && sqlite3_column_bytes(st, 8) == sizeof i->digest)
		memcpy(i->digest, digest, sizeof i->digest);
	return i->name.p && i->format.p && i->source.p && i->sensor.p && i->marking.p && i->notes.p;
}

int dm_catalog_import_complete(struct dm_catalog *c, int64_t id, struct dm_err *err)
{
	return dm_sql_run(
		c, dm_sql(c, err, "UPDATE import SET complete=1 WHERE id=? AND NOT complete", "i", id), err);
}

int dm_catalog_import_get(struct dm_catalog *c, int64_t id, struct dm_arena *arena, struct dm_import *ret,
			  struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, "SELECT " COLUMNS " FROM import WHERE id=?", "i", id);
	int rc = st ? dm_sql_step(c, st, err) : DM_EIO;

	if (rc > 0 && !read_import(st, arena, ret))
		rc = dm_fail(err, DM_ENOMEM, "out of memory");
	sqlite3_finalize(st);
	return rc > 0 ? DM_OK : rc == 0 ? DM_ENOENT : rc;
}

int dm_catalog_imports(struct dm_catalog *c, struct dm_arena *arena, struct dm_import **ret, size_t *ret_n,
		       struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, "SELECT count(*) FROM import", "");
	struct dm_import *v = NULL;
	size_t n = 0, cap = 0;
	int rc;

	if (!st || dm_sql_step(c, st, err) <= 0) {
		sqlite3_finalize(st);
		return DM_EIO;
	}
	cap = (size_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	v = dm_arena_alloc(arena, (cap + 1) * sizeof *v);
	if (!v)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	st = dm_sql(c, err, "SELECT " COLUMNS " FROM import ORDER BY id", "");
	if (!st)
		return err && err->code ? err->code : DM_EIO;
	while ((rc = dm_sql_step(c, st, err)) > 0 && n < cap)
		if (!read_import(st, arena, &v[n++])) {
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

int dm_catalog_import_by_digest(struct dm_catalog *c, const uint8_t digest[32], int64_t *ret_id,
				struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(
		c, err, "SELECT id FROM import WHERE digest=? AND complete AND start=0 ORDER BY id LIMIT 1",
		"b", dm_sv((const char *)digest, 32));
	int rc = st ? dm_sql_step(c, st, err) : DM_EIO;

	if (rc > 0)
		*ret_id = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc > 0 ? DM_OK : rc == 0 ? DM_ENOENT : rc;
}

int dm_catalog_skip_add(struct dm_catalog *c, int64_t import, uint64_t line, struct dm_sv reason,
			struct dm_err *err)
{
	return dm_sql_run(c, dm_sql(c, err, "INSERT INTO skip VALUES(?,?,?)", "iut", import, line, reason),
			  err);
}

int dm_catalog_skips_forget(struct dm_catalog *c, int64_t before, struct dm_err *err)
{
	return dm_sql_run(
		c,
		dm_sql(c, err,
		       "UPDATE skip SET reason='no longer kept' WHERE import IN (SELECT id FROM import "
		       "WHERE first<?)",
		       "i", before),
		err);
}

int dm_catalog_skips(struct dm_catalog *c, int64_t import,
		     int (*each)(void *ctx, uint64_t line, struct dm_sv reason), void *ctx,
		     struct dm_err *err)
{
	sqlite3_stmt *st =
		dm_sql(c, err, "SELECT line, reason FROM skip WHERE import=? ORDER BY line", "i", import);
	int rc = st ? DM_OK : DM_EIO;

	while (st && (rc = dm_sql_step(c, st, err)) > 0) {
		const char *text = (const char *)sqlite3_column_text(st, 1);
		rc = each(ctx, (uint64_t)sqlite3_column_int64(st, 0), dm_sv_str(text ? text : ""));
		if (rc)
			break;
	}
	sqlite3_finalize(st);
	return rc;
}

/* The first bytes as a short key: which files could be a longer version of one we know. */
static void head_key(struct dm_sv head, uint64_t n, uint8_t key[24])
{
	uint64_t len = n < HEAD_SIZE ? n : HEAD_SIZE;

	memcpy(key, &len, 8);
	crypto_generichash(key + 8, 16, (const unsigned char *)head.p, len, NULL, 0);
}

int dm_catalog_resume_add(struct dm_catalog *c, struct dm_sv head, const struct dm_resume *r,
			  struct dm_err *err)
{
	uint8_t key[24];
	int rc;

	if (head.n < HEAD_SIZE && head.n < r->offset)
		return dm_fail(err, DM_EINVAL, "the head of a growing file is too short");
	head_key(head, r->offset, key);
	rc = dm_sql_run(c,
			dm_sql(c, err, "DELETE FROM resume WHERE head=? AND \"offset\"=? AND digest=?", "bub",
			       dm_sv((char *)key, sizeof key), r->offset, dm_sv((const char *)r->digest, 32)),
			err);
	if (rc)
		return rc;
	return dm_sql_run(c,
			  dm_sql(c, err, "INSERT INTO resume VALUES(?,?,?,?,?,?,?)", "buuuibi",
				 dm_sv((char *)key, sizeof key), r->offset, r->line, r->decoded,
				 (int64_t)r->grows, dm_sv((const char *)r->digest, 32), r->import),
			  err);
}

/* The lengths of the short heads that are known, so that each can be tried. */
static int short_heads(struct dm_catalog *c, uint64_t most, struct dm_arena *arena, uint64_t **ret,
		       size_t *ret_n, struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err,
				  "SELECT DISTINCT \"offset\" FROM resume WHERE \"offset\" < ? AND "
				  "\"offset\" <= ? AND \"offset\" > 0",
				  "uu", (uint64_t)HEAD_SIZE, most);
	uint64_t *v = dm_arena_alloc(arena, HEAD_SIZE * sizeof *v);
	size_t n = 0;
	int rc = st ? DM_OK : DM_EIO;

	if (!v)
		rc = dm_fail(err, DM_ENOMEM, "out of memory");
	while (!rc && (rc = dm_sql_step(c, st, err)) > 0 && n < HEAD_SIZE) {
		v[n++] = (uint64_t)sqlite3_column_int64(st, 0);
		rc = DM_OK;
	}
	sqlite3_finalize(st);
	*ret = v;
	*ret_n = n;
	return rc < 0 ? rc : DM_OK;
}

static int add_candidates(struct dm_catalog *c, struct dm_sv head, uint64_t len, uint64_t size,
			  struct dm_arena *arena, struct dm_resume *v, size_t most, size_t *n,
			  struct dm_err *err)
{
	uint8_t key[24];
	sqlite3_stmt *st;
	int rc;

	head_key(head, len, key);
	st = dm_sql(c, err,
		    "SELECT \"offset\", line, digest, import, decoded, grows FROM resume WHERE head=? AND "
		    "\"offset\"<=? "
		    "ORDER BY \"offset\" DESC",
		    "bu", dm_sv((char *)key, sizeof key), size);
	if (!st)
		return DM_EIO;
	while ((rc = dm_sql_step(c, st, err)) > 0 && *n < most) {
		const void *digest = sqlite3_column_blob(st, 2);

		v[*n] = (struct dm_resume){.offset = (uint64_t)sqlite3_column_int64(st, 0),
					   .line = (uint64_t)sqlite3_column_int64(st, 1),
					   .import = sqlite3_column_int64(st, 3),
					   .decoded = (uint64_t)sqlite3_column_int64(st, 4),
					   .grows = sqlite3_column_int64(st, 5) != 0};
		if (digest && sqlite3_column_bytes(st, 2) == 32)
			memcpy(v[(*n)++].digest, digest, 32);
	}
	sqlite3_finalize(st);
	return rc < 0 ? rc : DM_OK;
}

int dm_catalog_resumes(struct dm_catalog *c, struct dm_sv head, uint64_t size, struct dm_arena *arena,
		       struct dm_resume **ret, size_t *ret_n, struct dm_err *err)
{
	enum {
		MOST = 256
	}; /* prefixes of one file that were imported one after the other; more only cost resuming later */
	struct dm_resume *v = dm_arena_alloc(arena, MOST * sizeof *v);
	uint64_t *len = NULL;
	size_t n = 0, n_len = 0;
	int rc;

	if (!v)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	rc = head.n >= HEAD_SIZE ? add_candidates(c, head, HEAD_SIZE, size, arena, v, MOST, &n, err) : DM_OK;
	if (!rc)
		rc = short_heads(c, head.n < size ? head.n : size, arena, &len, &n_len, err);
	for (size_t i = n_len; i-- > 0 && !rc;)
		rc = add_candidates(c, head, len[i], len[i], arena, v, MOST, &n, err);
	*ret = v;
	*ret_n = n;
	return rc;
}
