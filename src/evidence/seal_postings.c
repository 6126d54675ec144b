/* seal_postings.c: for every distinct observable the rows that hold it, column by column; and its count,
 * first and last for the store-wide runs. */
#include "base/time.h"
#include "evidence/ints.h"
#include "evidence/seal.h"

struct place {
	uint32_t row;
	uint16_t col;
};

/* Counting sort of all occurrences by code; within a code by column, then row. */
static int gather(const struct dm_seal *s, uint32_t *at, struct place **ret)
{
	size_t total = 0;
	struct place *p;

	for (uint32_t c = 0; c < s->n_cols; c++) {
		const struct dm_out_col *o = &s->cols[c];
		if (!o->is_obs)
			continue;
		for (uint32_t i = 0; i < o->n; i++)
			if (o->v[i] != DM_NO_INT) {
				at[o->v[i] + 1]++;
				total++;
			}
	}
	for (uint32_t i = 0; i < s->n_codes; i++)
		at[i + 1] += at[i];
	p = dm_alloc(total * sizeof *p + 1);
	if (!p)
		return DM_ENOMEM;
	for (uint32_t c = 0; c < s->n_cols; c++) {
		const struct dm_out_col *o = &s->cols[c];
		uint32_t row = 0;

		if (!o->is_obs)
			continue;
		for (uint32_t i = 0; i < o->n; i++) {
			if (o->ends)
				while (o->ends[row] <= (int64_t)i)
					row++;
			else
				row = i;
			if (o->v[i] != DM_NO_INT)
				p[at[o->v[i]]++] = (struct place){.row = row, .col = (uint16_t)c};
		}
	}
	*ret = p; /* at[i] is now the end of code i */
	return DM_OK;
}

static void write_list(struct dm_buf *out, const struct place *p, uint32_t n, uint32_t rows)
{
	for (uint32_t i = 0, j; i < n; i = j) {
		uint32_t distinct = 0, last = 0, form;

		for (j = i; j < n && p[j].col == p[i].col; j++)
			distinct += j == i || p[j].row != p[j - 1].row;
		form = distinct > rows / 8 && rows >= 64 ? DM_POSTING_COMMON
		       : distinct == 1			 ? DM_POSTING_ONE
							 : DM_POSTING_ROWS;
		dm_buf_varint(out, (uint64_t)p[i].col * 3 + form);
		if (form != DM_POSTING_ONE)
			dm_buf_varint(out, distinct);
		for (uint32_t k = i; k < j && form != DM_POSTING_COMMON; k++) {
			if (k > i && p[k].row == p[k - 1].row)
				continue;
			dm_buf_varint(out, p[k].row - last);
			last = p[k].row;
		}
	}
}

/* Rows that hold the value in any column, each counted once; first and last time. */
static void summarise(const struct dm_seal *s, const struct place *p, uint32_t n, uint8_t *seen,
		      struct dm_sealed_value *v)
{
	v->first = INT64_MAX;
	v->last = DM_NO_TIME;
	for (uint32_t i = 0; i < n; i++) {
		int64_t t = s->time[p[i].row];
		uint8_t bit = (uint8_t)(1u << p[i].row % 8);

		if (seen[p[i].row / 8] & bit)
			continue;
		seen[p[i].row / 8] |= bit;
		v->count++;
		if (t != DM_NO_TIME && t < v->first)
			v->first = t;
		if (t > v->last)
			v->last = t;
	}
	if (v->first == INT64_MAX)
		v->first = DM_NO_TIME;
	for (uint32_t i = 0; i < n; i++)
		seen[p[i].row / 8] = 0;
}

int dm_seal_postings(struct dm_seal *s, struct dm_segment_header *h)
{
	struct dm_buf *out = &s->out->bytes, lists;
	uint32_t *at = dm_calloc((size_t)s->n_codes + 2, sizeof *at);
	int64_t *offset = dm_alloc(((size_t)s->n_codes + 1) * sizeof *offset);
	uint8_t *seen = dm_calloc(s->rows / 8 + 1, 1);
	struct place *p = NULL;
	size_t start;
	int rc = DM_ENOMEM;

	dm_buf_init(&lists, SIZE_MAX / 4);
	if (!at || !offset || !seen || gather(s, at, &p))
		goto out;
	for (uint32_t i = 0; i < s->n_codes; i++) {
		uint32_t from = i ? at[i - 1] : 0;

		offset[i] = (int64_t)lists.n;
		write_list(&lists, p + from, at[i] - from, s->rows);
		summarise(s, p + from, at[i] - from, seen, &s->out->values[i]);
	}
	offset[s->n_codes] = (int64_t)lists.n;
	start = out->n;
	dm_ints_write(out, offset, s->n_codes + 1, DM_INTS_TIME_SHIFT);
	dm_seal_section(out, &h->posting_at, start);
	start = out->n;
	dm_buf_sv(out, dm_buf_view(&lists));
	dm_seal_section(out, &h->postings, start);
	rc = lists.err ? lists.err : out->err;
out:
	dm_buf_done(&lists);
	dm_free(at);
	dm_free(offset);
	dm_free(seen);
	dm_free(p);
	return rc;
}
