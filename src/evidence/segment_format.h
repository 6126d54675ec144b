/* segment_format.h: the layout of a segment file, shared by its writer (seal.c) and its reader (segment.c).
 * docs/formats/segment.md has the picture.
 *
 * All integers little-endian. The header points at the directory: column descriptors, then dictionary
 * descriptors. A section is {u64 offset, u64 length, u64 checksum (XXH3-64)}; sections start at multiples
 * of 8. The directory has a checksum of its own in the header, and so has the header.
 */
#ifndef DM_EVIDENCE_SEGMENT_FORMAT_H
#define DM_EVIDENCE_SEGMENT_FORMAT_H

#include <stdint.h>

#define DM_SEGMENT_MAGIC   "DMSEGMT\n"
#define DM_SEGMENT_VERSION 1u

struct dm_section {
	uint64_t offset, length, sum;
};

struct dm_segment_header {
	char magic[8];
	uint32_t version;
	uint32_t features; /* bits a reader must know; 0 */
	uint32_t kind;
	int32_t day; /* INT32_MIN: several days */
	uint32_t class_id;
	uint32_t rows;
	int64_t first, last; /* INT64_MIN: no row has a time */
	uint32_t columns, dictionaries;
	uint64_t size; /* of the file */
	uint64_t directory, directory_n, directory_sum;
	struct dm_section group;      /* group code of each row, if any column is grouped */
	struct dm_section posting_at; /* ints: values + 1 offsets into postings */
	struct dm_section postings;
	uint64_t sum; /* XXH3-64 of the header before here */
};

/* Internal columns, beside those of fields.def. */
#define DM_COL_ORDINAL 240u /* ordinal - row */
#define DM_COL_LINE    241u /* line - ordinal */
#define DM_COL_IMPORT  242u

enum dm_column_encoding {
	DM_ENC_INT = 0,	    /* values: ints */
	DM_ENC_CODE = 1,    /* values: ints, numbers in the dictionary of observables */
	DM_ENC_TEXT = 2,    /* values: ints, numbers in `strings` of this column */
	DM_ENC_STRINGS = 3, /* value i is string i of `strings` */
	DM_ENC_PACK6 = 4,   /* one common first character, then up to `param` characters of [0-9A-Za-z] in 6
			       bits each */
	DM_ENC_INT_LIST =
		5, /* values: ints, places in the ascending list of distinct numbers in `strings` (ints) */
};
#define DM_COLF_GROUPED 1u /* values are indexed by the group code of the row */
#define DM_COLF_MULTI	2u /* rows have 0..n values: `ends` has the running count */

struct dm_column_desc {
	uint16_t field;
	uint8_t encoding, flags;
	uint8_t param, param2; /* PACK6: characters behind the first; the first */
	uint16_t pad;
	uint32_t n; /* values */
	uint32_t pad2;
	struct dm_section values, ends, strings;
};

struct dm_dictionary_desc {
	uint32_t type; /* enum dm_obs_type */
	uint32_t n;
	struct dm_section
		keys; /* IPV4: n x 4 bytes, IPV6: n x 16 bytes, both ascending; others: sorted strings */
};

/* A posting list: for each column that holds the value: varint (column * 3 + form), then by form: ROWS:
 * varint number, rows as deltas (the first: the row itself); ONE: the row; COMMON: varint number: the value
 * fills over an eighth of the rows, the column is scanned. `column` is its place in the directory. */
enum dm_posting_form { DM_POSTING_ROWS = 0, DM_POSTING_ONE = 1, DM_POSTING_COMMON = 2 };

#endif
