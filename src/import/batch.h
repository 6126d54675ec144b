/* batch.h: what travels from a confined worker to the node: frames of columnar rows, indicators, notes.
 *
 * The worker side packs records of one kind into columns (struct dm_batch_writer is a dm_sink); the node side checks every count, length and order
 * of a frame before anybody looks into it (dm_batch_open). A view lives as long as the frame's bytes.
 *
 * A frame: u32 length of what follows, u8 type, payload. All integers little-endian; arrays 8-byte aligned within the frame.
 */
#ifndef DM_IMPORT_BATCH_H
#define DM_IMPORT_BATCH_H

#include "base/limits.h"
#include "import/sink.h"

enum dm_frame_type {
	DM_FRAME_ROWS = 1,       /* a dm_batch */
	DM_FRAME_INDICATORS = 2, /* a run of dm_indicator */
	DM_FRAME_SKIP = 3,       /* u64 line, text */
	DM_FRAME_META = 4,       /* key NUL value */
	DM_FRAME_PROGRESS = 5,   /* u64 offset, u64 line, u64 raw bytes read so far */
	DM_FRAME_FORMAT = 6,     /* importer name: sent once, before all else */
	DM_FRAME_DONE = 7,       /* i32 code, the dm_err fields: the last frame */
};

/* One column of a batch. A row may have no value or several: rows[] is ascending and says which row each value belongs to; NULL: exactly one
 * value for each row, in order. */
struct dm_column {
	uint16_t field;
	uint8_t type;             /* enum dm_field_type, equal to dm_field_info[field].type */
	uint32_t n;               /* values */
	const uint16_t *rows;     /* n, or NULL if n == batch rows and value i belongs to row i */
	const int64_t *ints;      /* TIME, SPAN, INT, BOOL */
	const struct dm_ip *ips;  /* IP */
	const uint32_t *lens;     /* TEXT: length of each value */
	const uint8_t *obs;       /* TEXT with an observable: exact type of each value; NULL: that of the field */
	const char *heap;         /* TEXT: the values end to end */
	uint32_t heap_n;
};

struct dm_batch {
	enum dm_kind kind;
	uint32_t nrows;
	const int64_t *time;      /* nrows */
	const uint64_t *line;     /* nrows, ascending */
	uint32_t ncolumns;
	struct dm_column col[DM_FIELDS]; /* ascending by field */
};

/* Node side. Checks and opens the payload of a DM_FRAME_ROWS; DM_EWORKER with the rule broken. */
int dm_batch_open(struct dm_batch *ret, const uint8_t *payload, size_t n, struct dm_err *err);
/* Calls `each` for every indicator of a DM_FRAME_INDICATORS payload after checking it. */
int dm_batch_indicators(const uint8_t *payload, size_t n, int (*each)(void *ctx, const struct dm_indicator *), void *ctx, struct dm_err *err);

/* Worker side: a sink that writes frames to fd. Rows are kept per kind and flushed at DM_MAX_BATCH_ROWS rows or 4 MiB, and in order at
 * progress() and at the end. */
struct dm_batch_writer;
int dm_batch_writer_new(struct dm_batch_writer **ret, int fd);
struct dm_sink *dm_batch_writer_sink(struct dm_batch_writer *w);
int dm_batch_writer_format(struct dm_batch_writer *w, const char *importer_name);
/* Flushes and sends DM_FRAME_DONE with `code` and `err`. */
int dm_batch_writer_finish(struct dm_batch_writer *w, int code, const struct dm_err *err);
void dm_batch_writer_free(struct dm_batch_writer *w);

#endif
