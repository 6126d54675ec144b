/* seal_columns.c: the observables in order, and the columns in the order of the rows. */
#include <stdlib.h>
#include "evidence/seal.h"

#include "base/time.h"
#include "evidence/strings.h"
#include "evidence/ints.h"

struct keyed {
	struct dm_sv key;
	uint32_t id;
	uint8_t type;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return dm_sv_cmp(x->key, y->key);
}

static int by_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* LSD radix sort of 32-bit values. */
static int sort_u32(uint32_t *v, size_t n)
{
	uint32_t *tmp;

	if (n < 512) {
		qsort(v, n, sizeof *v, by_u32);
		return DM_OK;
	}
	tmp = dm_alloc(n * sizeof *tmp);
	if (!tmp)
		return DM_ENOMEM;
	for (unsigned shift = 0; shift < 32; shift += 8) {
		size_t at[257] = {0};
		uint32_t *swap = tmp;

		for (size_t i = 0; i < n; i++)
			at[(v[i] >> shift & 255) + 1]++;
		for (size_t i = 0; i < 256; i++)
			at[i + 1] += at[i];
		for (size_t i = 0; i < n; i++)
			tmp[at[v[i] >> shift & 255]++] = v[i];
		tmp = v;
		v = swap;
	}
	dm_free(tmp); /* an even number of passes: v is the caller's again */
	return DM_OK;
}

static struct dm_sealed_value *new_values(struct dm_seal *s, uint32_t type, uint32_t n)
{
	struct dm_sealed *o = s->out;
	struct dm_sealed_value *v = dm_realloc(o->values, o->n_values + (size_t)n + 1, sizeof *v);

	if (!v)
		return NULL;
	o->values = v;
	v += o->n_values;
	memset(v, 0, n * sizeof *v);
	s->dict[s->n_dicts].type = type;
	s->dict[s->n_dicts].n = n;
	s->dict_first[s->n_dicts] = o->n_values;
	o->n_values += n;
	return v;
}

static int v4_dictionary(struct dm_seal *s)
{
	const struct dm_intern32 *t = &s->b->v4;
	struct dm_buf *out = &s->out->bytes;
	size_t n = t->n, start = out->n;
	uint32_t *sorted = dm_alloc(n * sizeof *sorted + 1);
	struct dm_sealed_value *v = new_values(s, DM_OBS_IPV4, (uint32_t)n);
	uint8_t *key = dm_arena_alloc(&s->out->arena, n * 4 + 1);

	s->v4_code = dm_alloc(n * sizeof *s->v4_code + 1);
	if (!sorted || !v || !key || !s->v4_code) {
		dm_free(sorted);
		return DM_ENOMEM;
	}
	memcpy(sorted, t->v, n * sizeof *sorted);
	if (sort_u32(sorted, n)) {
		dm_free(sorted);
		return DM_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t be = __builtin_bswap32(sorted[i]);
		memcpy(key + 4 * i, &be, 4);
		v[i].type = DM_OBS_IPV4;
		v[i].key = dm_sv((char *)key + 4 * i, 4);
	}
	dm_buf_put(out, key, n * 4);
	dm_seal_section(out, &s->dict[s->n_dicts].keys, start);
	for (size_t i = 0; i < n; i++) {
		const uint32_t *hit = bsearch(&t->v[i], sorted, n, sizeof *sorted, by_u32);
		s->v4_code[i] = s->dict_first[s->n_dicts] + (uint32_t)(hit - sorted);
	}
	s->n_dicts++;
	dm_free(sorted);
	return DM_OK;
}

static int v6_dictionary(struct dm_seal *s)
{
	const struct dm_intern *t = &s->b->v6;
	struct dm_buf *out = &s->out->bytes;
	size_t n = t->n, start = out->n;
	struct keyed *k = dm_alloc(n * sizeof *k + 1);
	struct dm_sealed_value *v = new_values(s, DM_OBS_IPV6, (uint32_t)n);

	s->v6_code = dm_alloc(n * sizeof *s->v6_code + 1);
	if (!k || !v || !s->v6_code) {
		dm_free(k);
		return DM_ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		k[i] = (struct keyed){
			.key = dm_intern_text(t, (uint32_t)i), .id = (uint32_t)i, .type = DM_OBS_IPV6};
	qsort(k, n, sizeof *k, by_key);
	for (size_t i = 0; i < n; i++) {
		s->v6_code[k[i].id] = s->dict_first[s->n_dicts] + (uint32_t)i;
		v[i].type = DM_OBS_IPV6;
		v[i].key = dm_arena_copy(&s->out->arena, k[i].key);
		if (!v[i].key.p) {
			dm_free(k);
			return DM_ENOMEM;
		}
		dm_buf_sv(out, k[i].key);
	}
	dm_seal_section(out, &s->dict[s->n_dicts].keys, start);
	s->n_dicts++;
	dm_free(k);
	return DM_OK;
}

/* Keys of the text observables, in the arena of the result. */
static int text_keys(struct dm_seal *s, struct keyed *k)
{
	const struct dm_intern *t = &s->b->text;
	struct dm_buf key;
	int rc = DM_OK;

	dm_buf_init(&key, DM_MAX_VALUE * 2);
	for (size_t i = 0; i < t->n && !rc; i++) {
		enum dm_obs_type type = t->e[i].tag, got = type;

		dm_buf_clear(&key);
		/* What a worker swore to be canonical and is not is kept under its own bytes: it can't match,
		 * and it is not lost. */
		if (!dm_obs_key_lenient(type, dm_intern_text(t, (uint32_t)i), &key, &got) || got != type) {
			dm_buf_clear(&key);
			dm_buf_sv(&key, dm_intern_text(t, (uint32_t)i));
		}
		k[i] = (struct keyed){.key = dm_arena_copy(&s->out->arena, dm_buf_view(&key)),
				      .id = (uint32_t)i,
				      .type = (uint8_t)type};
		if (key.err || !k[i].key.p)
			rc = DM_ENOMEM;
	}
	dm_buf_done(&key);
	return rc;
}

static int one_text_dictionary(struct dm_seal *s, const struct keyed *k, size_t n)
{
	struct dm_buf *out = &s->out->bytes;
	size_t start = out->n, distinct = 0;
	struct dm_sv *keys = dm_alloc(n * sizeof *keys + 1);
	struct dm_sealed_value *v;

	if (!keys)
		return DM_ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!i || !dm_sv_eq(k[i].key, k[i - 1].key))
			keys[distinct++] = k[i].key;
	v = new_values(s, k[0].type, (uint32_t)distinct);
	if (!v) {
		dm_free(keys);
		return DM_ENOMEM;
	}
	for (size_t i = 0, at = 0; i < n; i++) {
		at += i && !dm_sv_eq(k[i].key, k[i - 1].key);
		s->text_code[k[i].id] = s->dict_first[s->n_dicts] + (uint32_t)at;
	}
	for (size_t i = 0; i < distinct; i++) {
		v[i].type = k[0].type;
		v[i].key = keys[i];
	}
	dm_strings_write(out, keys, (uint32_t)distinct, true);
	dm_seal_section(out, &s->dict[s->n_dicts].keys, start);
	s->n_dicts++;
	dm_free(keys);
	return DM_OK;
}

int dm_seal_dictionaries(struct dm_seal *s)
{
	size_t n = s->b->text.n;
	struct keyed *k;
	int rc = DM_OK;

	if (s->b->v4.n)
		rc = v4_dictionary(s);
	if (!rc && s->b->v6.n)
		rc = v6_dictionary(s);
	if (rc || !n)
		goto out;
	k = dm_alloc(n * sizeof *k);
	s->text_code = dm_alloc(n * sizeof *s->text_code);
	if (!k || !s->text_code) {
		dm_free(k);
		return DM_ENOMEM;
	}
	rc = text_keys(s, k);
	if (!rc)
		qsort(k, n, sizeof *k, by_key);
	for (size_t i = 0, j; i < n && !rc; i = j) {
		for (j = i + 1; j < n && k[j].type == k[i].type; j++)
			;
		rc = one_text_dictionary(s, k + i, j - i);
	}
	dm_free(k);
out:
	s->n_codes = s->out->n_values;
	return rc;
}

static int64_t code_of(const struct dm_seal *s, uint32_t val)
{
	uint32_t i = val & DM_SET_MASK;

	switch (val >> DM_SET_SHIFT) {
	case DM_SET_V4:
		return s->v4_code[i];
	case DM_SET_V6:
		return s->v6_code[i];
	default:
		return s->text_code[i];
	}
}

static int by_sv(const void *a, const void *b)
{
	return dm_sv_cmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

/* Distinct strings of a TEXT column in order; map: number in the builder -> place. */
static int text_order(const struct dm_builder_col *c, struct dm_out_col *o, uint32_t **ret_map)
{
	size_t n = c->own.n;
	struct keyed *k = dm_alloc(n * sizeof *k + 1);
	uint32_t *map = dm_alloc(n * sizeof *map + 1);

	o->text = dm_alloc(n * sizeof *o->text + 1);
	if (!k || !map || !o->text) {
		dm_free(k);
		dm_free(map);
		return DM_ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		k[i] = (struct keyed){.key = dm_intern_text(&c->own, (uint32_t)i), .id = (uint32_t)i};
	qsort(k, n, sizeof *k, by_sv);
	for (size_t i = 0; i < n; i++) {
		o->text[i] = k[i].key;
		map[k[i].id] = (uint32_t)i;
	}
	o->n_text = (uint32_t)n;
	dm_free(k);
	*ret_map = map;
	return DM_OK;
}

/* Six-bit digits of [0-9A-Za-z], plus one; 0: not one of them. 63 pads. */
static const uint8_t digit6[256] = {
	['0'] = 1, 2,  3,  4,  5,	   6,  7,  8,  9,  10, ['A'] = 11, 12, 13, 14, 15, 16,
	17,	   18, 19, 20, 21,	   22, 23, 24, 25, 26, 27,	   28, 29, 30, 31, 32,
	33,	   34, 35, 36, ['a'] = 37, 38, 39, 40, 41, 42, 43,	   44, 45, 46, 47, 48,
	49,	   50, 51, 52, 53,	   54, 55, 56, 57, 58, 59,	   60, 61, 62,
};

static struct dm_sv raw_value(const struct dm_builder_col *c, uint32_t i)
{
	uint64_t from = i ? c->raw_end[i - 1] : 0;

	return dm_sv(c->heap.p + from, c->raw_end[i] - from);
}

/* Characters [1, longest] of v from bit `at` on, eight at a time. */
static void pack6_value(struct dm_sv v, size_t longest, uint8_t *to, size_t at)
{
	const uint8_t *p = (const uint8_t *)v.p + 1;
	size_t n = v.n - 1;

	for (size_t j = 0; j < longest; j += 8, at += 48) {
		uint64_t acc = 0, old;
		for (size_t k = 0; k < 8 && j + k < longest; k++)
			acc |= (uint64_t)(j + k < n ? digit6[p[j + k]] - 1u : 63u) << 6 * k;
		memcpy(&old, to + at / 8, 8);
		old |= acc << at % 8; /* 48 bits and at most 7 */
		memcpy(to + at / 8, &old, 8);
	}
}

/* Connection ids: one common letter and up to 42 letters and digits. True if the column was packed so. */
static bool pack6(const struct dm_seal *s, const struct dm_builder_col *c, struct dm_out_col *o)
{
	size_t longest = 0;
	uint8_t *p, bad = 0;
	char first;

	if (!c->dense || c->n != s->rows)
		return false;
	first = raw_value(c, 0).n ? raw_value(c, 0).p[0] : 0;
	for (uint32_t i = 0; i < s->rows; i++) {
		struct dm_sv v = raw_value(c, i);
		if (v.n < 2 || v.n > 43 || v.p[0] != first)
			return false;
		if (v.n - 1 > longest)
			longest = v.n - 1;
		for (size_t j = 1; j < v.n; j++)
			bad |= !digit6[(uint8_t)v.p[j]];
		if (bad)
			return false;
	}
	p = dm_calloc(((size_t)s->rows * longest * 6 + 7) / 8 + 16, 1);
	if (!p)
		return false;
	o->v = (int64_t *)p;
	for (uint32_t r = 0; r < s->rows; r++)
		pack6_value(raw_value(c, s->perm[r]), longest, p, (size_t)r * longest * 6);
	o->d.encoding = DM_ENC_PACK6;
	o->d.param = (uint8_t)longest;
	o->d.param2 = (uint8_t)first;
	o->n = s->rows;
	return true;
}

/* Value i of a builder column as the number that is written. */
struct source {
	const struct dm_builder_col *c;
	const uint32_t *map;
};

static int64_t number(const struct dm_seal *s, const struct source *src, size_t i)
{
	switch (src->c->mode) {
	case DM_COL_INT:
		return src->c->ival[i];
	case DM_COL_OBS:
		return code_of(s, src->c->val[i]);
	case DM_COL_TEXT:
		return src->map[src->c->val[i]];
	default:
		return (int64_t)i;
	}
}

/* All values of a column as they are written, in the order of the builder: one loop per kind of column. */
static int64_t *all_numbers(struct dm_seal *s, const struct source *src, int64_t *out)
{
	const struct dm_builder_col *c = src->c;

	switch (c->mode) {
	case DM_COL_INT:
		return c->ival;
	case DM_COL_OBS:
		for (size_t i = 0; i < c->n; i++)
			out[i] = code_of(s, c->val[i]);
		break;
	case DM_COL_TEXT:
		for (size_t i = 0; i < c->n; i++)
			out[i] = src->map[c->val[i]];
		break;
	default:
		for (size_t i = 0; i < c->n; i++)
			out[i] = (int64_t)i;
	}
	return out;
}

static int single_column(struct dm_seal *s, const struct source *src, struct dm_out_col *o)
{
	const struct dm_builder_col *c = src->c;
	int64_t *scratch = dm_alloc(((size_t)s->rows + c->n) * sizeof *scratch + 1), *by_row = scratch,
		*numbers;

	o->n = s->rows;
	o->v = dm_alloc(s->rows * sizeof *o->v);
	if (!o->v || !scratch) {
		dm_free(scratch);
		return DM_ENOMEM;
	}
	numbers = all_numbers(s, src, scratch + s->rows);
	if (c->dense && c->n == s->rows) {
		by_row = numbers;
	} else {
		for (uint32_t r = 0; r < s->rows; r++)
			by_row[r] = DM_NO_INT;
		for (size_t i = 0; i < c->n; i++)
			by_row[c->dense ? i : c->row[i]] = numbers[i];
	}
	for (uint32_t r = 0; r < s->rows; r++)
		o->v[r] = by_row[s->perm[r]];
	dm_free(scratch);
	return DM_OK;
}

static int multi_column(struct dm_seal *s, const struct source *src, struct dm_out_col *o)
{
	const struct dm_builder_col *c = src->c;
	uint32_t *first = dm_calloc(s->rows + 1, sizeof *first);
	uint32_t at = 0;

	o->v = dm_alloc(c->n * sizeof *o->v + 1);
	o->ends = dm_alloc(s->rows * sizeof *o->ends);
	if (!first || !o->v || !o->ends) {
		dm_free(first);
		return DM_ENOMEM;
	}
	for (size_t i = 0; i < c->n; i++)
		first[(c->dense ? i : c->row[i]) + 1]++;
	for (uint32_t r = 0; r < s->rows; r++)
		first[r + 1] += first[r];
	for (uint32_t r = 0; r < s->rows; r++) {
		uint32_t old = s->perm[r];
		for (uint32_t i = first[old]; i < first[old + 1]; i++)
			o->v[at++] = number(s, src, i);
		o->ends[r] = at;
	}
	o->n = at;
	o->d.flags |= DM_COLF_MULTI;
	dm_free(first);
	return DM_OK;
}

static int raw_strings(const struct dm_builder_col *c, struct dm_out_col *o)
{
	o->text = dm_alloc(o->n * sizeof *o->text + 1);
	if (!o->text)
		return DM_ENOMEM;
	for (uint32_t i = 0; i < o->n; i++)
		o->text[i] = o->v[i] == DM_NO_INT ? DM_SV("") : raw_value(c, (uint32_t)o->v[i]);
	o->n_text = o->n;
	o->d.encoding = DM_ENC_STRINGS;
	return DM_OK;
}

static int add_column(struct dm_seal *s, const struct dm_builder_col *c)
{
	struct dm_out_col *o = &s->cols[s->n_cols++];
	struct source src = {.c = c};
	uint32_t *map = NULL;
	int rc;

	o->d.field = c->field;
	o->is_obs = c->mode == DM_COL_OBS;
	o->d.encoding = c->mode == DM_COL_INT ? DM_ENC_INT : o->is_obs ? DM_ENC_CODE : DM_ENC_TEXT;
	if (c->mode == DM_COL_RAW && pack6(s, c, o))
		return DM_OK;
	if (c->mode == DM_COL_TEXT) {
		rc = text_order(c, o, &map);
		if (rc)
			return rc;
		src.map = map;
	}
	rc = c->multi ? multi_column(s, &src, o) : single_column(s, &src, o);
	if (!rc && c->mode == DM_COL_RAW)
		rc = raw_strings(c, o);
	dm_free(map);
	return rc;
}

static int internal_column(struct dm_seal *s, uint16_t field)
{
	struct dm_out_col *o = &s->cols[s->n_cols++];

	o->d.field = field;
	o->d.encoding = DM_ENC_INT;
	o->n = s->rows;
	o->v = dm_alloc(s->rows * sizeof *o->v);
	if (!o->v)
		return DM_ENOMEM;
	for (uint32_t r = 0; r < s->rows; r++) {
		uint32_t old = s->perm[r];
		switch (field) {
		case DM_F_TIME:
			o->v[r] = s->time[r];
			break;
		case DM_COL_ORDINAL:
			o->v[r] = (int64_t)s->b->ordinal[old] - (int64_t)r;
			break;
		case DM_COL_LINE:
			o->v[r] = (int64_t)(s->b->line[old] - s->b->ordinal[old]);
			break;
		default:
			o->v[r] = s->b->import[old];
		}
	}
	return DM_OK;
}

int dm_seal_columns(struct dm_seal *s)
{
	static const uint16_t internal[] = {DM_F_TIME, DM_COL_IMPORT, DM_COL_ORDINAL, DM_COL_LINE};
	int rc = DM_OK;

	s->cols = dm_calloc(s->b->ncols + sizeof internal / sizeof *internal, sizeof *s->cols);
	if (!s->cols)
		return DM_ENOMEM;
	for (size_t i = 0; i < sizeof internal / sizeof *internal && !rc; i++)
		rc = internal_column(s, internal[i]);
	for (uint16_t f = 0; f < DM_FIELDS && !rc; f++)
		if (s->b->col[f] && s->b->col[f]->n)
			rc = add_column(s, s->b->col[f]);
	return rc;
}
