/* grid.h: tables for people. They fit the terminal: numbers stand right, long text ends in an ellipsis,
 * columns that matter least go first where there is no room. Where standard output is no terminal everything
 * is printed whole.
 *
 * Text is escaped on the way in, so that evidence cannot send control characters to a terminal. Rows are kept
 * until dm_grid_end or until a page is full; the widths of later pages only grow.
 */
#ifndef DM_CLI_GRID_H
#define DM_CLI_GRID_H

#include "base/alloc.h"
#include "cli/out.h"

#define DM_GRID_COLUMNS 16u
#define DM_GRID_PAGE	512u /* rows that are laid out together */

struct dm_grid_column {
	const char *title;
	bool right;	   /* numbers */
	uint8_t priority;  /* 0: always shown; the largest is left out first */
	unsigned min, max; /* columns of the terminal; max 0: no bound */
};

struct dm_grid_cell {
	struct dm_sv text;
	size_t width;
	enum dm_style style;
};

struct dm_grid {
	struct dm_out *out;
	const struct dm_grid_column *columns;
	unsigned ncolumns;
	struct dm_grid_cell *cells; /* ncolumns a row */
	unsigned rows, column;
	unsigned width[DM_GRID_COLUMNS];
	bool titled;
	struct dm_arena arena;
	struct dm_buf scratch;
	int err;
};

int dm_grid_begin(struct dm_grid *g, struct dm_out *out, const struct dm_grid_column *columns, unsigned n);
/* The next cell of the row; after the last one the row is complete. Any bytes. */
void dm_grid_cell(struct dm_grid *g, struct dm_sv text, enum dm_style style);
void dm_grid_str(struct dm_grid *g, const char *text);
void dm_grid_number(struct dm_grid *g, uint64_t v); /* 1,234,567 on a terminal, plain digits elsewhere */
int dm_grid_end(struct dm_grid *g);		    /* prints what is left; DM_OK or DM_ENOMEM */

#endif
