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
#include "model/batch.h"

enum dm_frame_type {
	DM_FRAME_ROWS = 1,       /* a dm_batch */
	DM_FRAME_INDICATORS = 2, /* a run of dm_indicator */
	DM_FRAME_SKIP = 3,       /* u64 line, text */
	DM_FRAME_META = 4,       /* key NUL value */
	DM_FRAME_PROGRESS = 5,   /* u64 offset, u64 line, u64 raw bytes read so far */
	DM_FRAME_FORMAT = 6,     /* importer name: sent once, before all else */
	DM_FRAME_DONE = 7,       /* i32 code, the dm_err fields: the last frame */
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
