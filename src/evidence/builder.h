/* builder.h: rows of one kind and one day, gathered until they are sealed into a segment.
 *
 * Observables are numbered as they come (intern.h), so a row costs a few bytes; sorting and packing happen
 * once, in seal.c. Not thread-safe; a builder may be filled by one thread and sealed by another.
 */
#ifndef DM_EVIDENCE_BUILDER_H
#define DM_EVIDENCE_BUILDER_H

#include "evidence/intern.h"
#include "model/batch.h"

/* Where a value of an observable column is found: the two top bits of its number say in which set. */
#define DM_SET_V4    0u
#define DM_SET_V6    1u
#define DM_SET_TEXT  2u
#define DM_SET_SHIFT 30
#define DM_SET_MASK  ((1u << DM_SET_SHIFT) - 1)

enum dm_builder_mode {
	DM_COL_INT,  /* val: the number */
	DM_COL_OBS,  /* val: set << 30 | number */
	DM_COL_TEXT, /* val: number in `own` */
	DM_COL_RAW,  /* val: index into raw_at/heap: nearly every value is different */
};

struct dm_builder_col {
	uint16_t field;
	uint8_t type, mode;
	bool dense;    /* value i belongs to row i so far; row[] unused */
	bool multi;    /* some row has more than one value */
	size_t n;      /* values */
	int64_t *ival; /* INT */
	uint32_t *val; /* else */
	uint32_t *row;
	size_t ival_cap, val_cap, row_cap;
	struct dm_intern own;
	struct dm_buf heap; /* RAW */
	uint64_t *raw_end;
	size_t raw_cap;
	uint32_t last_row;
};

struct dm_builder {
	enum dm_kind kind;
	int32_t day; /* DM_DAY_MIXED: rows of several days */
	uint32_t class_id;
	uint32_t rows;
	int64_t *time;
	uint64_t *line;
	uint64_t *ordinal;
	uint32_t *import;
	size_t time_cap, line_cap, ordinal_cap, import_cap;
	uint32_t ncols;
	struct dm_builder_col *col[DM_FIELDS];
	uint16_t order[DM_FIELDS]; /* fields in order of appearance */
	struct dm_intern32 v4;
	struct dm_intern v6, text;
	uint64_t touched; /* for the caller: when rows last came */
};

#define DM_DAY_MIXED INT32_MIN	     /* several days */
#define DM_DAY_NONE  (INT32_MIN + 1) /* rows without a time: no day can be dropped from under them */

struct dm_builder *dm_builder_new(enum dm_kind kind, int32_t day, uint32_t class_id);
void dm_builder_free(struct dm_builder *b);
/* Appends rows [from, to) of the batch. Row i gets import number `import` and ordinal `ordinal + (i - from)`;
 * with imports/ordinals arrays (of the batch's rows) those are used instead (compaction). DM_ENOMEM leaves
 * the builder unusable but freeable. */
int dm_builder_append(struct dm_builder *b, const struct dm_batch *batch, uint32_t from, uint32_t to,
		      uint32_t import, uint64_t ordinal, const uint32_t *imports, const uint64_t *ordinals);

/* One distinct observable of a sealed segment: what the store-wide runs are made of. */
struct dm_sealed_value {
	uint8_t type;
	struct dm_sv key; /* in `arena` of dm_sealed */
	uint32_t count;	  /* rows */
	int64_t first, last;
};

struct dm_sealed {
	struct dm_buf bytes; /* the segment file */
	uint32_t rows;
	int64_t first, last;		/* DM_NO_TIME if no row has a time */
	struct dm_sealed_value *values; /* ascending by (type, key) */
	uint32_t n_values;
	struct dm_arena arena;
};

/* Packs the builder into the bytes of a segment file. The builder is not changed. */
int dm_builder_seal(const struct dm_builder *b, struct dm_sealed *ret, struct dm_err *err);
void dm_sealed_done(struct dm_sealed *s);

#endif
