/* table.h: what the columns of a table of indicators hold, found by their names and, where they have none, by
 * what stands in them. */
#ifndef DM_IMPORT_TABLE_H
#define DM_IMPORT_TABLE_H

#include "base/limits.h"
#include "import/ioc.h"

enum dm_table_role {
	DM_COL_NONE,
	DM_COL_VALUE, /* indicators, of `type`, of the row's type column, or of any kind */
	DM_COL_TYPE,  /* kind of the row's value */
	DM_COL_LABEL,
	DM_COL_SOURCE,
	DM_COL_CONFIDENCE,
	DM_COL_MARKING,
	DM_COL_FROM,
	DM_COL_UNTIL,
	DM_COL_ID,
	DM_COL_TO_IDS,
};

struct dm_table_column {
	enum dm_table_role role;
	enum dm_obs_type type; /* of a VALUE column; NONE: the row or the cell says */
	bool guessed;	       /* no name says that it holds values, its content does */
	bool named;	       /* it has a name, known or not */
};

struct dm_table {
	char delimiter;
	unsigned n;	    /* columns */
	unsigned values;    /* VALUE columns */
	unsigned named;	    /* columns whose names are known */
	bool header;	    /* the first row that is no remark has the names */
	bool header_remark; /* the last remark in front of the rows has them ("# first_seen,dst_ip") */
	bool evidence;	    /* the names are those of a log: addresses of both sides, ports */
	struct dm_table_column col[DM_MAX_TABLE_COLUMNS];
};

/* Finds out from the beginning of a file. False if no column holds indicators. `whole`: the head is all of
 * it. */
bool dm_table_sniff(struct dm_sv head, bool whole, struct dm_table *ret);
/* Kind named in a type column; *ret_known: whether the name means anything (a "port" is known to be nothing
 * that is hunted). */
enum dm_obs_type dm_table_type(struct dm_sv name, bool *ret_known);
/* "N/A", "-", "none": a cell that says that it is empty. */
bool dm_table_empty(struct dm_sv cell);
/* A remark: not a row. */
bool dm_table_remark(struct dm_sv line);
/* Whether a quoted field is open at the end of the line, so that the row goes on in the next; `open`: whether
 * one was at its start. */
bool dm_table_quote(struct dm_sv line, char delimiter, bool open);

#endif
