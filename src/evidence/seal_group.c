/* seal_group.c: columns that vary together are stored together.
 *
 * In real connection logs a dozen columns (state, history, counters, protocol, ...) take a few thousand
 * combinations a day. Each row then holds one number, and the columns are stored once per combination. A
 * column joins if that makes the segment smaller, by the sizes that both ways would take.
 */
#include <stdlib.h>
#include "evidence/seal.h"

#include "evidence/ints.h"

struct candidate {
	uint32_t col, distinct;
};

static int by_distinct(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->distinct < y->distinct ? -1 : x->distinct > y->distinct;
}

static unsigned bits(uint32_t distinct)
{
	return distinct > 1 ? 32 - (unsigned)__builtin_clz(distinct - 1) : 0;
}

/* Distinct values, counted up to most + 1. */
static uint32_t count_distinct(const int64_t *v, uint32_t n, uint32_t most, struct dm_intern64 *set)
{
	dm_intern64_clear(set);
	for (uint32_t i = 0; i < n; i++)
		if ((!i || v[i] != v[i - 1]) && dm_intern64(set, (uint64_t)v[i]) > most)
			return most + 1;
	return (uint32_t)set->n;
}

static uint32_t find_candidates(struct dm_seal *s, struct candidate *cand, struct dm_intern64 *set)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_cols; i++) {
		const struct dm_out_col *o = &s->cols[i];
		uint32_t most = s->rows / 8;

		if (o->d.flags & DM_COLF_MULTI || o->is_obs || o->d.field == DM_F_TIME ||
		    o->d.encoding > DM_ENC_TEXT || o->d.field >= DM_COL_ORDINAL)
			continue;
		cand[n].col = i;
		cand[n].distinct = count_distinct(o->v, s->rows, most, set);
		if (cand[n].distinct > 1 && cand[n].distinct <= most)
			n++;
	}
	qsort(cand, n, sizeof *cand, by_distinct);
	return n;
}

/* The group with one more column. Returns the number of combinations, or UINT32_MAX when there are more than
 * `most`. */
static uint32_t combine(const int64_t *group, const int64_t *code, uint32_t n, uint32_t most,
			struct dm_intern64 *set, int64_t *ret)
{
	dm_intern64_clear(set);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t id = dm_intern64(set, (uint64_t)group[i] << 32 | (uint32_t)code[i]);
		if (id >= most)
			return UINT32_MAX;
		ret[i] = id;
	}
	return (uint32_t)set->n;
}

static void number_values(const int64_t *v, uint32_t n, struct dm_intern64 *set, int64_t *ret)
{
	dm_intern64_clear(set);
	for (uint32_t i = 0; i < n; i++)
		ret[i] = i && v[i] == v[i - 1] ? ret[i - 1] : (int64_t)dm_intern64(set, (uint64_t)v[i]);
}

/* What remains of a member: its value in each combination. */
static int shrink_member(struct dm_seal *s, struct dm_out_col *o)
{
	int64_t *v = dm_alloc(s->n_groups * sizeof *v + 1);

	if (!v)
		return DM_ENOMEM;
	for (uint32_t r = 0; r < s->rows; r++)
		v[s->group[r]] = o->v[r];
	dm_free(o->v);
	o->v = v;
	o->n = s->n_groups;
	o->d.flags |= DM_COLF_GROUPED;
	return DM_OK;
}

int dm_seal_group(struct dm_seal *s)
{
	struct candidate cand[DM_FIELDS];
	struct dm_intern64 set = {0};
	int64_t *group = NULL, *code = NULL, *next = NULL;
	struct dm_buf size;
	uint32_t n, groups = 1, members = 0, member_bits = 0;
	int rc = DM_ENOMEM;

	if (s->rows < 64)
		return DM_OK;
	dm_buf_init(&size, SIZE_MAX / 4);
	group = dm_calloc(s->rows, sizeof *group);
	code = dm_alloc(s->rows * sizeof *code);
	next = dm_alloc(s->rows * sizeof *next);
	if (!group || !code || !next)
		goto out;
	n = find_candidates(s, cand, &set);
	for (uint32_t i = 0; i < n; i++) {
		const struct dm_out_col *o = &s->cols[cand[i].col];
		uint64_t apart, joined;
		uint32_t got;

		dm_buf_clear(&size);
		dm_ints_write(&size, o->v, s->rows, DM_INTS_SHIFT);
		apart = (uint64_t)size.n * 8;
		number_values(o->v, s->rows, &set, code);
		got = combine(group, code, s->rows, s->rows / 4 + 1, &set, next);
		if (got == UINT32_MAX)
			continue;
		joined = (uint64_t)s->rows * (bits(got) - bits(groups)) +
			 (uint64_t)(got - groups) * (member_bits + bits(cand[i].distinct)) +
			 (uint64_t)groups * bits(cand[i].distinct);
		if (joined >= apart)
			continue;
		int64_t *swap = group;
		group = next;
		next = swap;
		groups = got;
		member_bits += bits(cand[i].distinct) + 2;
		cand[members++] = cand[i];
	}
	rc = DM_OK;
	if (members >= 2) {
		s->group = group;
		s->n_groups = groups;
		group = NULL;
		for (uint32_t i = 0; i < members && !rc; i++)
			rc = shrink_member(s, &s->cols[cand[i].col]);
	}
out:
	dm_free(group);
	dm_free(code);
	dm_free(next);
	dm_intern64_done(&set);
	dm_buf_done(&size);
	return rc;
}
