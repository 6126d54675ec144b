/* capture_tap.h: picks the interface statistics out of a pcapng file while somebody else reads it. */
#ifndef DM_IMPORT_CAPTURE_TAP_H
#define DM_IMPORT_CAPTURE_TAP_H

#include "base/sv.h"

/* A statistics block with its options is under 200 bytes; what is longer is passed over. */
#define DM_TAP_BLOCK	  1024u
#define DM_TAP_INTERFACES 64u

/* Zero-initialised is the start of a file. */
struct dm_capture_tap {
	bool started, off; /* off: not pcapng, or no longer in step */
	bool swap;	   /* byte order of the section */
	uint8_t head[12];  /* of the block at hand: type, length, and for a section its byte-order mark */
	uint32_t head_n;
	uint64_t left; /* bytes of the block still to come */
	bool wanted;
	uint8_t body[DM_TAP_BLOCK];
	uint32_t body_n;
	uint64_t dropped[DM_TAP_INTERFACES]; /* by interface and system; counters run up, so the latest block
						counts */
};

void dm_capture_tap_bytes(struct dm_capture_tap *t, const uint8_t *p, size_t n);
/* Packets dropped over all interfaces. */
uint64_t dm_capture_tap_dropped(const struct dm_capture_tap *t);

#endif
