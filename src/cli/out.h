/* out.h: standard output, buffered and checked. A full disk or a closed pipe is an error, never a shorter
 * result.
 *
 * Append to `buf` with dm_buf_*; call dm_out_step between lines: it writes once enough has gathered. What
 * cannot be written is remembered; dm_out_finish tells.
 */
#ifndef DM_CLI_OUT_H
#define DM_CLI_OUT_H

#include "base/buf.h"
#include "base/err.h"

#define DM_OUT_GATHER (256u << 10)
#define DM_OUT_MAX    (64u << 20) /* one line or table page at most */

struct dm_out {
	int fd;
	bool tty, color;
	unsigned width; /* columns of the terminal; 0: not a terminal, no limit */
	struct dm_buf buf;
	int error;	  /* errno of the first write that failed */
	uint64_t written; /* bytes */
};

/* color: may be used if it is a terminal and NO_COLOR is not set. */
void dm_out_init(struct dm_out *out, int fd, bool color);
void dm_out_done(struct dm_out *out);
void dm_out_flush(struct dm_out *out);
/* Writes text that was made elsewhere, behind what has gathered, without copying it. */
void dm_out_write(struct dm_out *out, struct dm_sv text);
static inline void dm_out_step(struct dm_out *out)
{
	if (out->buf.n >= DM_OUT_GATHER)
		dm_out_flush(out);
}
/* Whether nobody takes it any more, so that a verb may stop early. */
static inline bool dm_out_failed(const struct dm_out *out)
{
	return out->error != 0;
}
/* Writes the rest. DM_OK, DM_ENOSPC or DM_EIO. */
int dm_out_finish(struct dm_out *out, struct dm_err *err);

/* Columns of the terminal behind fd: COLUMNS, else what it says, else 80; 0 if it is none. */
unsigned dm_out_width(int fd);

enum dm_style { DM_STYLE_NONE, DM_STYLE_BOLD, DM_STYLE_DIM, DM_STYLE_RED, DM_STYLE_GREEN, DM_STYLE_YELLOW };
/* Start and end of a style, or nothing where there is no colour. */
void dm_out_style(struct dm_out *out, enum dm_style style);
/* Text wrapped at words to the width (at most 100 columns), each line indented. */
void dm_out_wrap(struct dm_buf *buf, const char *text, unsigned indent, unsigned width);

#endif
