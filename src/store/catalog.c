#include "store/catalog.h"

#include <stdio.h>
#include <unistd.h>
#include "store/sql.h"

static const char schema[] =
	"CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE class(id INTEGER PRIMARY KEY, marking TEXT NOT NULL UNIQUE);"
	"INSERT INTO class VALUES(0, '');"
	"CREATE TABLE import(id INTEGER PRIMARY KEY AUTOINCREMENT, what INTEGER NOT NULL, name TEXT NOT "
	"NULL, format TEXT NOT NULL, source TEXT NOT NULL,"
	" sensor TEXT NOT NULL, marking TEXT NOT NULL, notes TEXT NOT NULL, digest BLOB NOT NULL, class "
	"INTEGER NOT NULL, started INTEGER NOT NULL,"
	" finished INTEGER NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL, \"rows\" INTEGER NOT "
	"NULL, skipped INTEGER NOT NULL,"
	" dropped INTEGER NOT NULL, sampling INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT "
	"NULL, complete INTEGER NOT NULL);"
	"CREATE INDEX import_digest ON import(digest);"
	"CREATE TABLE skip(import INTEGER NOT NULL, line INTEGER NOT NULL, reason TEXT NOT NULL);"
	"CREATE INDEX skip_import ON skip(import);"
	"CREATE TABLE resume(head BLOB NOT NULL, \"offset\" INTEGER NOT NULL, line INTEGER NOT NULL, "
	"decoded INTEGER NOT NULL, grows INTEGER NOT NULL, digest BLOB NOT NULL, import INTEGER NOT NULL);"
	"CREATE INDEX resume_head ON resume(head);"
	"CREATE TABLE segment(id INTEGER PRIMARY KEY, day INTEGER NOT NULL, kind INTEGER NOT NULL, class "
	"INTEGER NOT NULL, \"rows\" INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, file TEXT NOT NULL);"
	"CREATE TABLE run(id INTEGER PRIMARY KEY, level INTEGER NOT NULL, keys INTEGER NOT NULL, bytes "
	"INTEGER NOT NULL, file TEXT NOT NULL);"
	"CREATE TABLE indicator_set(import INTEGER PRIMARY KEY, warning INTEGER NOT NULL, indicators INTEGER "
	"NOT NULL, bytes INTEGER NOT NULL,"
	" file TEXT NOT NULL, name TEXT NOT NULL);"
	"CREATE TABLE tombstone(day INTEGER NOT NULL, kind INTEGER NOT NULL, class INTEGER NOT NULL, "
	"\"rows\" INTEGER NOT NULL, dropped_at INTEGER NOT NULL,"
	" PRIMARY KEY(day, kind, class)) WITHOUT ROWID;"
	"CREATE TABLE obsolete(file TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE reported(\"set\" INTEGER PRIMARY KEY, import INTEGER NOT NULL);";

static int64_t user_version(struct dm_catalog *c, struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, "PRAGMA user_version", "");
	int64_t v = -1;

	if (st && dm_sql_step(c, st, err) > 0)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

static int make_schema(struct dm_catalog *c, struct dm_err *err)
{
	char pragma[64];
	int rc = dm_catalog_begin(c, true, err);

	if (rc)
		return rc;
	if (user_version(c, err) == 0) { /* another process may have been faster */
		rc = dm_sql_exec(c, schema, err);
		snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", DM_CATALOG_VERSION);
		if (!rc)
			rc = dm_sql_exec(c, pragma, err);
	}
	if (rc) {
		dm_catalog_rollback(c);
		return rc;
	}
	return dm_catalog_commit(c, err);
}

static int no_node(struct dm_err *err)
{
	dm_fail(err, DM_ENOENT, "there is no node here");
	dm_err_remedy(err, "make one with `demarche init`, or say where it is with --home");
	return DM_ENOENT;
}

int dm_catalog_open(struct dm_catalog **ret, const char *path, bool create, bool readonly, struct dm_err *err)
{
	struct dm_catalog *c;
	int64_t version;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, rc = DM_OK;

	if (!create && access(path, F_OK)) {
		no_node(err);
		return dm_err_source(err, path);
	}
	c = dm_calloc(1, sizeof *c);
	if (!c)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	snprintf(c->path, sizeof c->path, "%s", path);
	if (sqlite3_open_v2(path, &c->db, create ? flags | SQLITE_OPEN_CREATE : flags, NULL) != SQLITE_OK) {
		rc = dm_sql_fail(c, err, "the catalog can't be opened");
		goto out;
	}
	sqlite3_busy_timeout(c->db, 20000);
	rc = dm_sql_exec(
		c, readonly ? "PRAGMA query_only=1" : "PRAGMA synchronous=FULL;PRAGMA secure_delete=1", err);
	if (!rc && create)
		rc = dm_sql_exec(c, "PRAGMA journal_mode=WAL", err);
	if (rc)
		goto out;
	version = user_version(c, err);
	if (version < 0)
		rc = err && err->code ? err->code : DM_EIO;
	else if (version > DM_CATALOG_VERSION)
		rc = dm_fail(err, DM_EVERSION,
			     "the node was made by a newer version of demarche (catalog %d)", (int)version);
	else if (version == 0 && create)
		rc = make_schema(c, err);
	else if (version == 0)
		rc = no_node(err); /* killed while it was made: nothing was ever in it */
out:
	if (rc) {
		dm_err_source(err, path);
		dm_catalog_close(c);
		return rc;
	}
	*ret = c;
	return DM_OK;
}

void dm_catalog_close(struct dm_catalog *c)
{
	if (!c)
		return;
	sqlite3_close_v2(c->db);
	dm_free(c);
}

int dm_catalog_begin(struct dm_catalog *c, bool write, struct dm_err *err)
{
	int rc = dm_sql_exec(c, write ? "BEGIN IMMEDIATE" : "BEGIN", err);

	c->in_transaction = !rc;
	return rc;
}

int dm_catalog_commit(struct dm_catalog *c, struct dm_err *err)
{
	int rc = dm_sql_exec(c, "COMMIT", err);

	if (rc)
		dm_catalog_rollback(c);
	c->in_transaction = false;
	return rc;
}

int dm_catalog_settle(struct dm_catalog *c, struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, "PRAGMA wal_checkpoint(TRUNCATE)", "");
	int rc = st ? dm_sql_step(c, st, err) : DM_EIO;

	if (rc > 0 && sqlite3_column_int(st, 0))
		rc = dm_fail(err, DM_EBUSY, "a reader still holds the old pages of the catalog");
	sqlite3_finalize(st);
	return rc < 0 ? rc : DM_OK;
}

void dm_catalog_rollback(struct dm_catalog *c)
{
	if (!sqlite3_get_autocommit(c->db))
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	c->in_transaction = false;
}

int dm_catalog_check(struct dm_catalog *c, struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, "PRAGMA integrity_check(1)", "");
	int rc = st ? dm_sql_step(c, st, err) : DM_EIO;

	if (rc > 0) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		rc = text && !strcmp(text, "ok")
			     ? DM_OK
			     : dm_fail(err, DM_ECORRUPT, "the catalog is damaged: %s", text ? text : "?");
	}
	sqlite3_finalize(st);
	return rc;
}

int dm_catalog_get(struct dm_catalog *c, const char *key, struct dm_arena *arena, struct dm_sv *ret,
		   struct dm_err *err)
{
	sqlite3_stmt *st = dm_sql(c, err, "SELECT value FROM setting WHERE key=?", "t", dm_sv_str(key));
	int rc = st ? dm_sql_step(c, st, err) : DM_EIO;

	if (rc > 0) {
		*ret = dm_sql_text(st, 0, arena);
		if (!ret->p)
			rc = dm_fail(err, DM_ENOMEM, "out of memory");
	}
	sqlite3_finalize(st);
	return rc > 0 ? DM_OK : rc == 0 ? DM_ENOENT : rc;
}

int dm_catalog_set(struct dm_catalog *c, const char *key, struct dm_sv value, struct dm_err *err)
{
	return dm_sql_run(
		c,
		dm_sql(c, err,
		       "INSERT INTO setting VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
		       "tt", dm_sv_str(key), value),
		err);
}

int dm_catalog_class(struct dm_catalog *c, struct dm_sv marking, bool create, uint32_t *ret,
		     struct dm_err *err)
{
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *st = dm_sql(c, err, "SELECT id FROM class WHERE marking=?", "t", marking);
		int rc = st ? dm_sql_step(c, st, err) : DM_EIO;

		if (rc > 0)
			*ret = (uint32_t)sqlite3_column_int64(st, 0);
		sqlite3_finalize(st);
		if (rc)
			return rc > 0 ? DM_OK : rc;
		if (!create)
			return DM_ENOENT;
		rc = dm_sql_run(c, dm_sql(c, err, "INSERT INTO class(marking) VALUES(?)", "t", marking), err);
		if (rc)
			return rc;
	}
	return dm_fail(err, DM_EIO, "a class vanished");
}
