/* seal.h: what the files of the sealing step share. A sealing works on one builder, in one thread. */
#ifndef DM_EVIDENCE_SEAL_H
#define DM_EVIDENCE_SEAL_H

#include "evidence/builder.h"
#include "evidence/segment_format.h"

/* A column on its way out: single-valued ones have v[rows] with DM_NO_INT for absent; multi-valued ones v[n]
 * and ends[rows]. */
struct dm_out_col {
	struct dm_column_desc d;
	int64_t *v;
	uint32_t n;
	int64_t *ends;	    /* multi only */
	struct dm_sv *text; /* TEXT: distinct strings, STRINGS: one a value; views into the builder */
	uint32_t n_text;
	bool is_obs;
};

struct dm_seal {
	const struct dm_builder *b;
	uint32_t rows;
	uint32_t *perm;	     /* row of the segment -> row of the builder */
	const int64_t *time; /* in order */
	int64_t *time_own;
	struct dm_out_col *cols;
	uint32_t n_cols;
	uint32_t *v4_code, *v6_code, *text_code; /* number in the builder -> code */
	uint32_t n_codes;
	struct dm_dictionary_desc dict[DM_OBS_TYPES];
	uint32_t dict_first[DM_OBS_TYPES]; /* first code of each dictionary */
	uint32_t n_dicts;
	int64_t *group; /* NULL: nothing grouped */
	uint32_t n_groups;
	struct dm_sealed *out;
	struct dm_err *err;
};

void dm_seal_section(struct dm_buf *out, struct dm_section *s,
		     size_t start);	     /* notes what was appended since start; pads to 8 */
int dm_seal_dictionaries(struct dm_seal *s); /* sorts the observables, fills codes and out->values keys */
int dm_seal_columns(struct dm_seal *s);	     /* fills cols */
int dm_seal_group(struct dm_seal *s);	     /* joins columns that vary together */
int dm_seal_postings(struct dm_seal *s, struct dm_segment_header *h);

#endif
