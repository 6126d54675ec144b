/* sql.h: small helpers around one statement, private to store/. */
#ifndef DM_STORE_SQL_H
#define DM_STORE_SQL_H

#include <sqlite3.h>
#include "store/catalog.h"

struct dm_catalog {
	sqlite3 *db;
	char path[4096];
	bool in_transaction;
};

/* A failed call as an error: full disk, I/O, busy and corrupt are told apart. */
int dm_sql_fail(struct dm_catalog *c, struct dm_err *err, const char *doing);
/* Prepares `sql` and binds by format: i int64, u uint64 (as int64 bits), t dm_sv text, b dm_sv blob. NULL
 * statement on failure, err filled. */
sqlite3_stmt *dm_sql(struct dm_catalog *c, struct dm_err *err, const char *sql, const char *format, ...);
/* Steps a statement that returns no rows, and finalises it. */
int dm_sql_run(struct dm_catalog *c, sqlite3_stmt *st, struct dm_err *err);
/* 1 row, 0 end, negative error. */
int dm_sql_step(struct dm_catalog *c, sqlite3_stmt *st, struct dm_err *err);
struct dm_sv dm_sql_text(sqlite3_stmt *st, int col, struct dm_arena *arena);
int dm_sql_exec(struct dm_catalog *c, const char *sql, struct dm_err *err);

#endif
