/* refang.h: text in which people broke addresses so that nobody follows them by accident
 * ("hxxp://evil[.]com"), made whole again.
 *
 * Every byte of the result knows where it stood in the original and whether it stood there defanged, so that
 * an indicator keeps its original spelling, and a reader can tell an indicator from a reference.
 */
#ifndef DM_IMPORT_REFANG_H
#define DM_IMPORT_REFANG_H

#include "base/alloc.h"
#include "base/buf.h"

struct dm_refang {
	struct dm_buf text; /* the result */
	uint32_t *from;	    /* text.n + 1: offset in the original of each byte, and of the end */
	uint8_t *mark;	    /* text.n: 1 where the original was defanged */
	size_t from_cap, mark_cap;
	bool any; /* whether anything is marked */
};

void dm_refang_init(struct dm_refang *r);
void dm_refang_done(struct dm_refang *r);
/* Refang one line (at most DM_MAX_LINE bytes). 0, DM_ENOMEM or DM_ELIMIT; the result lives until the next
 * call. */
int dm_refang_line(struct dm_refang *r, struct dm_sv line);

#endif
