/* progress.h: how far a long job is, as one line of text. A model only: cli/ decides whether, where and when
 * it is shown.
 *
 * The rate is that of the last few seconds, so that it follows a change; the time left comes from it. Not
 * thread-safe.
 */
#ifndef DM_BASE_PROGRESS_H
#define DM_BASE_PROGRESS_H

#include "base/buf.h"

enum dm_progress_unit { DM_PROGRESS_BYTES, DM_PROGRESS_ITEMS };

#define DM_PROGRESS_SAMPLES 16u

struct dm_progress {
	enum dm_progress_unit unit;
	uint64_t total; /* 0: not known */
	uint64_t done;
	uint64_t start; /* monotonic microseconds */
	uint64_t now;
	/* A ring of (moment, done), at least half a second apart: the window that the rate is taken over. */
	struct {
		uint64_t at, done;
	} sample[DM_PROGRESS_SAMPLES];
	unsigned samples, newest;
};

void dm_progress_start(struct dm_progress *p, enum dm_progress_unit unit, uint64_t total, uint64_t now);
/* `done` may stand still, and total may be set later or grow. A clock that goes back is ignored. */
void dm_progress_update(struct dm_progress *p, uint64_t done, uint64_t now);
/* Units a second over the window; 0 until half a second has passed. */
uint64_t dm_progress_rate(const struct dm_progress *p);
/* Microseconds left; false if nothing can be said (total or rate not known). */
bool dm_progress_left(const struct dm_progress *p, uint64_t *ret_us);
/* Append "import  conn.log  412 MB of 1.2 GB  310 MB/s  3 s left". `name` comes escaped for the terminal and
 * cut in the middle to fit `columns` (0: not cut). What is not known is left out. */
void dm_progress_line(const struct dm_progress *p, struct dm_buf *out, const char *verb, struct dm_sv name,
		      unsigned columns);
/* Append "1.2 GB", "412 MB", "17 kB", "5 bytes" (decimal units, three digits at the most). */
void dm_bytes_put(struct dm_buf *out, uint64_t n);
/* Append 10,062,210. */
void dm_count_put(struct dm_buf *out, uint64_t n);

#endif
