/* batch.h: what travels from a confined worker to the node: frames of columnar rows, indicators, notes.
 *
 * The worker side packs records of one kind into columns (struct dm_batch_writer is a dm_sink); the node side
 * checks every count, length and order of a frame before anybody looks into it (dm_batch_open). A view lives
 * as long as the frame's bytes.
 *
 * A frame: u32 length of the payload, u8 type, 3 zero bytes, payload, zeros up to the next multiple of 8: so
 * every payload starts 8-byte aligned in a buffer that does, and its arrays are used where they lie. All
 * integers little-endian. Frames of at most DM_MAX_FRAME bytes.
 */
#ifndef DM_IMPORT_BATCH_H
#define DM_IMPORT_BATCH_H

#include "base/limits.h"
#include "import/sink.h"
#include "model/batch.h"

enum dm_frame_type {
	DM_FRAME_ROWS = 1,	 /* a dm_batch */
	DM_FRAME_INDICATORS = 2, /* a run of dm_indicator */
	DM_FRAME_SKIP = 3,	 /* u64 line, text */
	DM_FRAME_META = 4,	 /* key NUL value */
	DM_FRAME_PROGRESS = 5,	 /* u64 offset, u64 line, u64 raw bytes read so far */
	DM_FRAME_FORMAT = 6,	 /* importer name: sent once, before all else */
	DM_FRAME_DONE = 7,	 /* i32 code, the dm_err fields: the last frame */
	DM_FRAME_NEED = 8, /* importer name: it can't run in this process, start again with its module or
			      decoder. Instead of FORMAT, the last frame */
};

#define DM_FRAME_HEADER 8u
#define DM_FRAME_PAD(n) (((size_t)(n) + 7) & ~(size_t)7)
#define DM_BATCH_FLUSH	(4u << 20) /* value bytes of one kind that are held back at most */

/* Node side. Checks and opens the payload of a DM_FRAME_ROWS; DM_EWORKER with the rule broken. */
int dm_batch_open(struct dm_batch *ret, const uint8_t *payload, size_t n, struct dm_err *err);
/* Calls `each` for every indicator of a DM_FRAME_INDICATORS payload after checking it. */
int dm_batch_indicators(const uint8_t *payload, size_t n, int (*each)(void *ctx, const struct dm_indicator *),
			void *ctx, struct dm_err *err);

/* The payload of a DM_FRAME_DONE: code and the error, every text cut to its field. */
int dm_batch_done_open(const uint8_t *payload, size_t n, int *ret_code, struct dm_err *ret_err,
		       struct dm_err *err);

/* Worker side: a sink that writes frames to fd. Rows are kept per kind, in the order they came, and flushed
 * at DM_MAX_BATCH_ROWS rows or DM_BATCH_FLUSH bytes, and at the end. A batch is also closed where the line
 * number goes back, since lines ascend within one. progress() promises that all before it was sent: it
 * flushes, but not more often than it pays (see batch_write.c); what it promised last is always sent by the
 * end. Facts (meta) keep their place among indicators. */
struct dm_batch_writer;
int dm_batch_writer_new(struct dm_batch_writer **ret, int fd);
struct dm_sink *dm_batch_writer_sink(struct dm_batch_writer *w);
/* Where the "raw bytes read" of progress frames come from; the stream must outlive the writer. */
void dm_batch_writer_input(struct dm_batch_writer *w, const struct dm_stream *in);
int dm_batch_writer_format(struct dm_batch_writer *w, const char *importer_name);
/* Sends DM_FRAME_NEED; nothing may follow. */
int dm_batch_writer_need(struct dm_batch_writer *w, const char *importer_name);
/* Flushes and sends DM_FRAME_DONE with `code` and `err`. */
int dm_batch_writer_finish(struct dm_batch_writer *w, int code, const struct dm_err *err);
void dm_batch_writer_free(struct dm_batch_writer *w);

#endif
