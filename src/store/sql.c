#include "store/sql.h"

#include <stdarg.h>

int dm_sql_fail(struct dm_catalog *c, struct dm_err *err, const char *doing)
{
	int sq = c->db ? sqlite3_extended_errcode(c->db) : SQLITE_NOMEM, code = DM_EIO;

	switch (sq & 0xff) {
	case SQLITE_FULL:
		code = DM_ENOSPC;
		break;
	case SQLITE_NOMEM:
		code = DM_ENOMEM;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = DM_EBUSY;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = DM_ECORRUPT;
		break;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		code = DM_EPERM;
		break;
	}
	dm_fail(err, code, "%s: %s", doing, c->db ? sqlite3_errmsg(c->db) : "out of memory");
	if (err)
		dm_err_source(err, c->path);
	return code;
}

sqlite3_stmt *dm_sql(struct dm_catalog *c, struct dm_err *err, const char *sql, const char *format, ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;
	int at = 0, rc = SQLITE_OK;

	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK) {
		dm_sql_fail(c, err, "the catalog refused a statement");
		return NULL;
	}
	va_start(ap, format);
	for (const char *f = format; *f && rc == SQLITE_OK; f++) {
		struct dm_sv s;

		at++;
		switch (*f) {
		case 'i':
			rc = sqlite3_bind_int64(st, at, va_arg(ap, int64_t));
			break;
		case 'u':
			rc = sqlite3_bind_int64(st, at, (int64_t)va_arg(ap, uint64_t));
			break;
		case 't':
			s = va_arg(ap, struct dm_sv);
			rc = sqlite3_bind_text(st, at, s.p ? s.p : "", (int)s.n, SQLITE_TRANSIENT);
			break;
		case 'b':
			s = va_arg(ap, struct dm_sv);
			rc = sqlite3_bind_blob(st, at, s.p ? s.p : "", (int)s.n, SQLITE_TRANSIENT);
			break;
		}
	}
	va_end(ap);
	if (rc != SQLITE_OK) {
		dm_sql_fail(c, err, "the catalog refused a value");
		sqlite3_finalize(st);
		return NULL;
	}
	return st;
}

int dm_sql_step(struct dm_catalog *c, sqlite3_stmt *st, struct dm_err *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : dm_sql_fail(c, err, "the catalog could not be read or written");
}

int dm_sql_run(struct dm_catalog *c, sqlite3_stmt *st, struct dm_err *err)
{
	int rc;

	if (!st)
		return err && err->code ? err->code : DM_EIO;
	rc = dm_sql_step(c, st, err);
	sqlite3_finalize(st);
	return rc < 0 ? rc : DM_OK;
}

struct dm_sv dm_sql_text(sqlite3_stmt *st, int col, struct dm_arena *arena)
{
	const void *p = sqlite3_column_blob(st, col);
	int n = sqlite3_column_bytes(st, col);

	return dm_arena_copy(arena, dm_sv(p ? p : "", p ? (size_t)n : 0));
}

int dm_sql_exec(struct dm_catalog *c, const char *sql, struct dm_err *err)
{
	return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? DM_OK
		       : dm_sql_fail(c, err, "the catalog refused a statement");
}
