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

#define TABLE                                                                                                \
	(1u << 16) /* values in a narrow range, and pairs of few, are numbered by a table instead of a hash  \
		    */

struct numbering {
	struct dm_intern64 set;
	uint32_t *table; /* TABLE entries: number + 1 */
};

static bool narrow(const int64_t *v, uint32_t n, int64_t *ret_min)
{
	int64_t min = INT64_MAX, max = INT64_MIN;

	for (uint32_t i = 0; i < n; i++) {
		if (v[i] == DM_NO_INT)
			continue;
		min = v[i] < min ? v[i] : min;
		max = v[i] > max ? v[i] : max;
	}
	*ret_min = min == INT64_MAX ? 0 : min;
	return min == INT64_MAX || (uint64_t)max - (uint64_t)min < TABLE - 1;
}

/* Numbers the values in the order of their appearance into code[]. Distinct values, or most + 1 if there are
 * more. */
static uint32_t number_values(const int64_t *v, uint32_t n, uint32_t most, struct numbering *k,
			      uint32_t *code)
{
	uint32_t distinct = 0;
	int64_t min;

	if (narrow(v, n, &min)) {
		memset(k->table, 0, TABLE * sizeof *k->table);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t *slot =
				&k->table[v[i] == DM_NO_INT ? 0 : (uint64_t)v[i] - (uint64_t)min + 1];
			if (!*slot && (*slot = ++distinct) > most)
				return most + 1;
			code[i] = *slot - 1;
		}
		return distinct;
	}
	dm_intern64_clear(&k->set);
	for (uint32_t i = 0; i < n; i++) {
		code[i] = dm_intern64(&k->set, (uint64_t)v[i]);
		if (code[i] >= most)
			return most + 1;
	}
	return (uint32_t)k->set.n;
}

static uint32_t find_candidates(struct dm_seal *s, struct candidate *cand, struct numbering *k,
				uint32_t *code)
{
	uint32_t n = 0, most = s->rows / 8;

	for (uint32_t i = 0; i < s->n_cols; i++) {
		const struct dm_out_col *o = &s->cols[i];

		if (o->d.flags & DM_COLF_MULTI || o->is_obs || o->d.field == DM_F_TIME ||
		    o->d.encoding > DM_ENC_TEXT || o->d.field >= DM_COL_ORDINAL)
			continue;
		cand[n].col = i;
		cand[n].distinct = number_values(o->v, s->rows, most, k, code);
		if (cand[n].distinct > 1 && cand[n].distinct <= most)
			n++;
	}
	qsort(cand, n, sizeof *cand, by_distinct);
	return n;
}

/* The group with one more column of `distinct` values. Combinations, or UINT32_MAX when there are more than
 * `most`. */
static uint32_t combine(const uint32_t *group, uint32_t groups, const uint32_t *code, uint32_t distinct,
			uint32_t n, uint32_t most, struct numbering *k, uint32_t *ret)
{
	uint32_t got = 0;

	if ((uint64_t)groups * distinct <= TABLE) {
		memset(k->table, 0, TABLE * sizeof *k->table);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t *slot = &k->table[group[i] * distinct + code[i]];
			if (!*slot && (*slot = ++got) > most)
				return UINT32_MAX;
			ret[i] = *slot - 1;
		}
		return got;
	}
	dm_intern64_clear(&k->set);
	for (uint32_t i = 0; i < n; i++) {
		ret[i] = dm_intern64(&k->set, (uint64_t)group[i] << 32 | code[i]);
		if (ret[i] >= most)
			return UINT32_MAX;
	}
	return (uint32_t)k->set.n;
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

/* Adds candidates one by one, fewest values first, where that makes the segment smaller; then once more those
 * that did not pay at first: many follow from what has joined since. *ret_group is replaced by the result;
 * the members come first in cand. */
static uint32_t join_columns(struct dm_seal *s, struct candidate *cand, uint32_t n, struct numbering *k,
			     uint32_t **ret_group, uint32_t *code, uint32_t **spare)
{
	uint32_t groups = 1, members = 0, member_bits = 0;

	for (unsigned round = 0; round < 2; round++)
		for (uint32_t i = members; i < n; i++) {
			struct candidate c = cand[i];
			const struct dm_out_col *o = &s->cols[c.col];
			uint64_t apart = dm_ints_cost(o->v, s->rows, DM_INTS_SHIFT), joined;
			uint32_t got, *swap;

			number_values(o->v, s->rows, s->rows, k, code);
			got = combine(*ret_group, groups, code, c.distinct, s->rows, s->rows / 4 + 1, k,
				      *spare);
			if (got == UINT32_MAX)
				continue;
			joined = (uint64_t)s->rows * (bits(got) - bits(groups)) +
				 (uint64_t)(got - groups) * (member_bits + bits(c.distinct)) +
				 (uint64_t)groups * bits(c.distinct);
			if (joined >= apart)
				continue;
			swap = *ret_group;
			*ret_group = *spare;
			*spare = swap;
			groups = got;
			member_bits += bits(c.distinct) + 2;
			cand[i] = cand[members];
			cand[members++] = c;
		}
	s->n_groups = groups;
	return members;
}

int dm_seal_group(struct dm_seal *s)
{
	struct candidate cand[DM_FIELDS];
	struct numbering k = {.table = dm_alloc(TABLE * sizeof *k.table)};
	uint32_t *group = NULL, *code = NULL, *spare = NULL, members;
	int rc = DM_ENOMEM;

	if (s->rows < 64) {
		dm_free(k.table);
		return DM_OK;
	}
	group = dm_calloc(s->rows, sizeof *group);
	code = dm_alloc(s->rows * sizeof *code);
	spare = dm_alloc(s->rows * sizeof *spare);
	if (!group || !code || !spare || !k.table)
		goto out;
	members = join_columns(s, cand, find_candidates(s, cand, &k, code), &k, &group, code, &spare);
	rc = DM_OK;
	if (members < 2)
		goto out;
	s->group = dm_alloc(s->rows * sizeof *s->group);
	if (!s->group) {
		rc = DM_ENOMEM;
		goto out;
	}
	for (uint32_t r = 0; r < s->rows; r++)
		s->group[r] = group[r];
	for (uint32_t i = 0; i < members && !rc; i++)
		rc = shrink_member(s, &s->cols[cand[i].col]);
out:
	dm_free(group);
	dm_free(code);
	dm_free(spare);
	dm_free(k.table);
	dm_intern64_done(&k.set);
	return rc;
}
