/* set_format.h: the layout of an indicator set. Little-endian; one header, sections at multiples of 8.
 *
 * A record: varint mask of what follows, varint line, then by bit: 0 form and type (2 bytes), 1 flags, 2
 * confidence byte, 3 valid_from and 4 valid_until (zigzag varint), 5 id, 6 original, 7 value (varint length,
 * bytes), 8 source, 9 label, 10 marking (varint number in texts), 11 one byte: unusable. Without bit 0 the
 * form is VALUE and the type that of the key that points at the record.
 */
#ifndef DM_HUNT_SET_FORMAT_H
#define DM_HUNT_SET_FORMAT_H

#include "evidence/segment_format.h"
#include "model/observable.h"

#define DM_SET_MAGIC   "DMISET \n"
#define DM_SET_VERSION 1u
#define DM_SET_RANGE   36u /* bytes of a range entry */

enum dm_set_bit {
	DM_SB_FORM = 1,
	DM_SB_FLAGS = 2,
	DM_SB_CONFIDENCE = 4,
	DM_SB_FROM = 8,
	DM_SB_UNTIL = 16,
	DM_SB_ID = 32,
	DM_SB_ORIGINAL = 64,
	DM_SB_VALUE = 128,
	DM_SB_SOURCE = 256,
	DM_SB_LABEL = 512,
	DM_SB_MARKING = 1024,
	DM_SB_UNUSABLE = 2048,
};

struct dm_set_type_desc {
	uint32_t type, n, refs, width;
	struct dm_section keys, first, ref;
};

struct dm_set_header {
	char magic[8];
	uint32_t version, n_types;
	uint64_t size;
	uint32_t n_records, n_ranges, n_suffixes, n_patterns, n_unusable, pad;
	struct dm_section ranges, suffixes, suffix_ref, patterns, record_at, records, texts;
	struct dm_set_type_desc type[DM_OBS_TYPES];
	uint64_t sum; /* XXH3-64 of all behind the header, seeded with that of the header before here */
};

uint64_t dm_set_sum(const struct dm_set_header *h, const void *body, size_t n);

#endif
