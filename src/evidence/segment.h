/* segment.h: reading a sealed segment: any value of any row, the rows of any observable, whole stretches for
 * a scan.
 *
 * The file is mapped and trusted no more than a file from a stranger: every access is bounded, a damaged
 * place reads as absent and sets `corrupt`. The checksum of a column, a dictionary or the postings is
 * compared when it is first used; all of them by dm_segment_check (status --check, hunt --verify,
 * compaction). Whoever has read asks dm_segment_sound before he prints. A segment handle belongs to one
 * thread.
 */
#ifndef DM_EVIDENCE_SEGMENT_H
#define DM_EVIDENCE_SEGMENT_H

#include "base/file.h"
#include "evidence/ints.h"
#include "evidence/segment_format.h"
#include "evidence/strings.h"
#include "model/batch.h"

struct dm_segment_col {
	const struct dm_column_desc *d;
	struct dm_ints values, ends, list;
	struct dm_strings strings;
	const uint8_t *packed; /* PACK6 */
	bool open, bad;
};

struct dm_segment_dict {
	enum dm_obs_type type;
	uint32_t n, first;	   /* first code */
	const uint8_t *keys;	   /* addresses */
	struct dm_strings strings; /* others */
	const struct dm_dictionary_desc *d;
	bool verified;
};

struct dm_segment {
	struct dm_map map;
	struct dm_segment_header
		own; /* read once: a file cut while mapped must not change what was checked */
	const struct dm_segment_header *h;
	void *directory; /* owned, for the same reason */
	uint32_t n_cols, n_dicts, n_codes;
	struct dm_segment_col *col;
	struct dm_segment_dict dict[DM_OBS_TYPES];
	struct dm_ints group, posting_at;
	const uint8_t *postings;
	size_t postings_n;
	uint8_t place[256]; /* field -> column + 1; 0: none */
	bool borrowed;	    /* the bytes belong to the caller */
	uint64_t serial;    /* of this opening: an address may come again, this does not */
	char name[80];	    /* of the file, for errors; "" in memory */
	bool postings_verified;
	bool corrupt;
};

/* Opens file `name` of `size` bytes. DM_ENOENT if it is gone, DM_ECORRUPT, DM_EVERSION. */
int dm_segment_open(struct dm_segment **ret, int dirfd, const char *name, uint64_t size, struct dm_err *err);
/* The same over bytes in memory, which must outlive the segment. */
int dm_segment_open_bytes(struct dm_segment **ret, const uint8_t *p, size_t n, struct dm_err *err);
void dm_segment_close(struct dm_segment *s);
/* Compares every checksum. */
int dm_segment_check(struct dm_segment *s, struct dm_err *err);
/* DM_ECORRUPT if anything that was read so far is not to be trusted. */
int dm_segment_sound(const struct dm_segment *s, struct dm_err *err);
/* Before a dictionary or the postings are used: false, and `corrupt`, if the checksum fails. */
bool dm_segment_use_dict(struct dm_segment *s, struct dm_segment_dict *d);
bool dm_segment_use_postings(struct dm_segment *s);

/* Column of a field (or DM_COL_...), NULL if no row has it. */
struct dm_segment_col *dm_segment_column(struct dm_segment *s, unsigned field);
struct dm_segment_col *dm_segment_column_at(struct dm_segment *s, uint32_t place);
/* Values of a row in a column: *ret_first is the index of the first for dm_segment_int/_code/_text, the
 * result their number. */
uint32_t dm_segment_values(struct dm_segment *s, struct dm_segment_col *c, uint32_t row, uint32_t *ret_first);
int64_t dm_segment_number(struct dm_segment_col *c, uint32_t value);
/* Whether the column has numbers at all (its own, codes or places), which may be DM_NO_INT for "absent". */
static inline bool dm_segment_numbered(const struct dm_segment_col *c)
{
	return c->d->encoding != DM_ENC_STRINGS && c->d->encoding != DM_ENC_PACK6;
}
/* Text of a value of a TEXT, STRINGS or PACK6 column; `tmp` (64 bytes) may hold it. Lives until the segment
 * is closed or tmp is used again. */
struct dm_sv dm_segment_text(struct dm_segment_col *c, uint32_t value, char *tmp);
/* Key and type of an observable by its code. Empty and DM_OBS_NONE if there is no such code. */
struct dm_sv dm_segment_key(struct dm_segment *s, uint32_t code, enum dm_obs_type *ret_type);
int64_t dm_segment_time(struct dm_segment *s, uint32_t row);
uint64_t dm_segment_ordinal(struct dm_segment *s, uint32_t row);
uint64_t dm_segment_line(struct dm_segment *s, uint32_t row);
uint32_t dm_segment_import(struct dm_segment *s, uint32_t row);

/* A row as the record it was made from. The record must be initialised; it is good until the next call. */
int dm_segment_record(struct dm_segment *s, uint32_t row, struct dm_record *ret, struct dm_err *err);

/* Code of an observable; false if the segment does not hold it. */
bool dm_segment_find(struct dm_segment *s, enum dm_obs_type t, struct dm_sv key, uint32_t *ret_code);
/* First code of dictionary `t` whose key is >= key, and one past the last code of it. */
uint32_t dm_segment_lower(struct dm_segment *s, enum dm_obs_type t, struct dm_sv key, uint32_t *ret_end);

/* The occurrences of an observable: (row, field), by column, then row; values that fill the segment are found
 * by scanning their column. */
struct dm_hit {
	uint32_t row;
	uint16_t field;
};
struct dm_hits {
	struct dm_hit *v;
	size_t n, cap;
};
int dm_segment_hits(struct dm_segment *s, uint32_t code, struct dm_hits *add, struct dm_err *err);
/* Rows that hold it (each once), without listing them: an upper bound where several columns do. */
uint32_t dm_segment_columns_of(struct dm_segment *s, uint32_t code, uint16_t fields[8], uint32_t counts[8]);

/* Rows [from, from + n) (n <= DM_MAX_BATCH_ROWS) as a batch in `arena`, with import and ordinal of each: for
 * scans and compaction. */
int dm_segment_batch(struct dm_segment *s, uint32_t from, uint32_t n, struct dm_arena *arena,
		     struct dm_batch *ret, uint32_t **ret_imports, uint64_t **ret_ordinals,
		     struct dm_err *err);

#endif
