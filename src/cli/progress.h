/* progress.h: one line on standard error that says how far a long job is, and when it will be done.
 * Only on a terminal, only after a second, at most five times a second; gone when the job ends.
 */
#ifndef DM_CLI_PROGRESS_H
#define DM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum dm_progress_unit { DM_PROGRESS_BYTES, DM_PROGRESS_ROWS };

struct dm_progress {
	const char *what; /* file name or verb; escaped on output */
	enum dm_progress_unit unit;
	uint64_t total; /* 0: not known */
	uint64_t started_us, drawn_us;
	bool off, visible;
};

void dm_progress_begin(struct dm_progress *p, const char *what, enum dm_progress_unit unit, uint64_t total);
void dm_progress_at(struct dm_progress *p, uint64_t done);
void dm_progress_end(struct dm_progress *p); /* wipes the line */

#endif
