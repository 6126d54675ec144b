/* stream.h: the one bounded, counted reader of every input: plain, gzip, zstd or xz, found by content,
 * members concatenated.
 *
 * Enforces DM_MAX_RATIO after DM_RATIO_GRACE and DM_MAX_INPUT. A truncated or corrupt compressed stream gives
 * what could be decoded and then the error: evidence is never lost because its end is. The descriptor belongs
 * to the caller.
 */
#ifndef DM_BASE_STREAM_H
#define DM_BASE_STREAM_H

#include <sys/types.h>
#include "base/err.h"
#include "base/sv.h"

enum dm_packing { DM_PLAIN, DM_GZIP, DM_ZSTD, DM_XZ };

struct dm_stream;

/* `head`: bytes already read from fd (may be empty, at most 1 MiB); they come first. Reads until the packing
 * is known; makes no system call but read() on fd, now and later. */
int dm_stream_open(struct dm_stream **ret, int fd, struct dm_sv head, struct dm_err *err);
void dm_stream_close(struct dm_stream *s); /* NULL is fine */
enum dm_packing dm_stream_packing(const struct dm_stream *s);
/* A lower bound than DM_MAX_INPUT on the decoded bytes of this stream. */
void dm_stream_limit(struct dm_stream *s, uint64_t max);
/* Look at up to n decoded bytes (n <= 64 KiB) without consuming them; fewer only at the end or before a
 * fault. */
int dm_stream_peek(struct dm_stream *s, size_t n, struct dm_sv *ret, struct dm_err *err);
/* Up to n decoded bytes; *ret_n == 0 is the end. */
int dm_stream_read(struct dm_stream *s, void *buf, size_t n, size_t *ret_n, struct dm_err *err);
/* Bytes behind a line that may be read, though not believed: for code that looks at 16 or 64 bytes at once.
 */
#define DM_LINE_SLACK 64u
/* The next line without its LF or CRLF; the view lives until the next call, DM_LINE_SLACK readable bytes
 * behind it. DM_ENOENT at the end. A line over DM_MAX_LINE gives DM_ELIMIT and is passed over: the next call
 * gives the line behind it. */
int dm_stream_line(struct dm_stream *s, struct dm_sv *ret, struct dm_err *err);
uint64_t dm_stream_lineno(const struct dm_stream *s);	  /* 1-based number of the line last returned */
bool dm_stream_line_complete(const struct dm_stream *s);  /* whether that line ended in LF */
uint64_t dm_stream_offset(const struct dm_stream *s);	  /* decoded bytes consumed so far */
uint64_t dm_stream_raw_offset(const struct dm_stream *s); /* bytes read from fd so far, head included */
/* Everything up to `max` bytes into one heap block (dm_free it), NUL-terminated; DM_ELIMIT if there is more.
 * Where the input ends in a fault, *ret holds what came before it beside the error, so that it is not lost;
 * *ret is NULL after any other failure. */
int dm_stream_slurp(struct dm_stream *s, size_t max, char **ret, size_t *ret_n, struct dm_err *err);

#endif
