/* batch.h: rows of one kind as columns: what importers deliver, what the evidence store takes in and gives
 * back.
 *
 * A view: the arrays belong to whoever made the batch (a frame, a segment reader) and live as long as it
 * says.
 */
#ifndef DM_MODEL_BATCH_H
#define DM_MODEL_BATCH_H

#include "base/limits.h"
#include "model/record.h"

/* One column of a batch. A row may have no value or several: rows[] is ascending and says which row each
 * value belongs to; NULL: exactly one value for each row, in order. */
struct dm_column {
	uint16_t field;
	uint8_t type;		 /* enum dm_field_type, equal to dm_field_info[field].type */
	uint32_t n;		 /* values */
	const uint16_t *rows;	 /* n, or NULL if n == batch rows and value i belongs to row i */
	const int64_t *ints;	 /* TIME, SPAN, INT, BOOL */
	const struct dm_ip *ips; /* IP */
	const uint32_t *lens;	 /* TEXT: length of each value */
	const uint8_t *obs; /* TEXT with an observable: exact type of each value; NULL: that of the field */
	const char *heap;   /* TEXT: the values end to end */
	uint32_t heap_n;
};

struct dm_batch {
	enum dm_kind kind;
	uint32_t nrows;
	const int64_t *time;  /* nrows */
	const uint64_t *line; /* nrows, ascending */
	uint32_t ncolumns;
	struct dm_column col[DM_FIELDS]; /* ascending by field */
};

#endif
