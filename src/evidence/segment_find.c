/* segment_find.c: from an observable to its rows, and whole stretches of rows as batches. */
#include "base/cur.h"
#include "evidence/segment.h"

static struct dm_segment_dict *dict_of_type(struct dm_segment *s, enum dm_obs_type t)
{
	for (uint32_t i = 0; i < s->n_dicts; i++)
		if (s->dict[i].type == t)
			return &s->dict[i];
	return NULL;
}

static uint32_t lower_fixed(const struct dm_segment_dict *d, struct dm_sv key, size_t width, bool *ret_equal)
{
	uint32_t lo = 0, hi = d->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = memcmp(d->keys + (size_t)mid * width, key.p, width);
		if (!c) {
			*ret_equal = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t lower(struct dm_segment_dict *d, struct dm_sv key, bool *ret_equal)
{
	size_t width = d->type == DM_OBS_IPV4 ? 4 : d->type == DM_OBS_IPV6 ? 16 : 0;

	*ret_equal = false;
	if (!width)
		return dm_strings_find(&d->strings, key, ret_equal);
	return key.n == width ? lower_fixed(d, key, width, ret_equal) : d->n;
}

bool dm_segment_find(struct dm_segment *s, enum dm_obs_type t, struct dm_sv key, uint32_t *ret_code)
{
	struct dm_segment_dict *d = dict_of_type(s, t);
	bool equal;
	uint32_t i;

	if (!d || !dm_segment_use_dict(s, d))
		return false;
	i = lower(d, key, &equal);
	if (equal)
		*ret_code = d->first + i;
	return equal;
}

uint32_t dm_segment_lower(struct dm_segment *s, enum dm_obs_type t, struct dm_sv key, uint32_t *ret_end)
{
	struct dm_segment_dict *d = dict_of_type(s, t);
	bool equal;

	if (!d || !dm_segment_use_dict(s, d)) {
		*ret_end = 0;
		return 0;
	}
	*ret_end = d->first + d->n;
	return d->first + lower(d, key, &equal);
}

static int add_hit(struct dm_hits *h, uint32_t row, uint16_t field)
{
	if (h->n == h->cap && dm_grow((void **)&h->v, &h->cap, h->n + 1, sizeof *h->v))
		return DM_ENOMEM;
	h->v[h->n++] = (struct dm_hit){.row = row, .field = field};
	return DM_OK;
}

/* Rows of a common value: the column itself is the list. */
static int scan_column(struct dm_segment *s, struct dm_segment_col *c, uint32_t code, struct dm_hits *add)
{
	int64_t v[DM_BLOCK_ROWS];
	uint32_t row = 0, last = UINT32_MAX;

	for (uint32_t at = 0; at < c->d->n; at += DM_BLOCK_ROWS) {
		uint32_t n = c->d->n - at < DM_BLOCK_ROWS ? c->d->n - at : DM_BLOCK_ROWS;

		dm_ints_range(&c->values, at, n, v);
		for (uint32_t i = 0; i < n; i++) {
			if (v[i] != (int64_t)code)
				continue;
			if (c->d->flags & DM_COLF_MULTI)
				while (row < s->h->rows && dm_ints_get(&c->ends, row) <= (int64_t)(at + i))
					row++;
			else
				row = at + i;
			if (row != last && add_hit(add, row, c->d->field))
				return DM_ENOMEM;
			last = row;
		}
	}
	return DM_OK;
}

static bool posting(struct dm_segment *s, uint32_t code, struct dm_cur *ret)
{
	int64_t from, to;

	if (!dm_segment_use_postings(s))
		return false;
	from = dm_ints_get(&s->posting_at, code);
	to = dm_ints_get(&s->posting_at, code + 1);
	if (code >= s->n_codes || from < 0 || to < from || (uint64_t)to > s->postings_n) {
		s->corrupt = true;
		return false;
	}
	*ret = dm_cur(s->postings + from, (size_t)(to - from));
	return true;
}

int dm_segment_hits(struct dm_segment *s, uint32_t code, struct dm_hits *add, struct dm_err *err)
{
	struct dm_cur cur;

	if (!posting(s, code, &cur))
		return dm_fail(err, DM_ECORRUPT, "the index of a segment is damaged");
	while (dm_cur_left(&cur)) {
		uint64_t head = dm_cur_varint(&cur), form = head % 3, row = 0;
		uint64_t n = form == DM_POSTING_ONE ? 1 : dm_cur_varint(&cur);
		struct dm_segment_col *c =
			dm_segment_column_at(s, head / 3 < UINT32_MAX ? (uint32_t)(head / 3) : UINT32_MAX);

		if (cur.bad || !c || n > s->h->rows)
			goto corrupt;
		if (form == DM_POSTING_COMMON) {
			if (scan_column(s, c, code, add))
				return dm_fail(err, DM_ENOMEM, "out of memory");
			continue;
		}
		for (uint64_t i = 0; i < n; i++) {
			row += dm_cur_varint(&cur);
			if (cur.bad || row >= s->h->rows)
				goto corrupt;
			if (add_hit(add, (uint32_t)row, c->d->field))
				return dm_fail(err, DM_ENOMEM, "out of memory");
		}
	}
	return DM_OK;
corrupt:
	s->corrupt = true;
	return dm_fail(err, DM_ECORRUPT, "a posting list of a segment is damaged");
}

uint32_t dm_segment_columns_of(struct dm_segment *s, uint32_t code, uint16_t fields[8], uint32_t counts[8])
{
	struct dm_cur cur;
	uint32_t k = 0;

	if (!posting(s, code, &cur))
		return 0;
	while (dm_cur_left(&cur) && k < 8) {
		uint64_t head = dm_cur_varint(&cur), form = head % 3,
			 n = form == DM_POSTING_ONE ? 1 : dm_cur_varint(&cur);

		if (cur.bad || head / 3 >= s->n_cols)
			break;
		fields[k] = s->col[head / 3].d->field;
		counts[k++] = (uint32_t)n;
		for (uint64_t i = 0; i < n && form != DM_POSTING_COMMON && !cur.bad; i++)
			dm_cur_varint(&cur);
	}
	return k;
}

static const struct dm_ip *ip_of(struct dm_segment *s, int64_t code, struct dm_ip *out)
{
	enum dm_obs_type t;
	struct dm_sv key = dm_segment_key(s, (uint32_t)code, &t);

	if (t == DM_OBS_IPV4) {
		uint32_t be;
		memcpy(&be, key.p, 4);
		*out = dm_ip_from4(__builtin_bswap32(be));
	} else if (t == DM_OBS_IPV6) {
		memcpy(out->b, key.p, 16);
	} else {
		return NULL;
	}
	return out;
}

struct text_out {
	uint32_t *lens;
	uint8_t *obs;
	struct dm_buf heap;
};

/* One column of the batch: values of rows [from, from + n). */
static int batch_column(struct dm_segment *s, struct dm_segment_col *c, uint32_t from, uint32_t n,
			struct dm_arena *arena, struct dm_column *ret)
{
	const struct dm_field_info *info = &dm_field_info[c->d->field];
	uint32_t total = 0, first, at = 0;
	uint16_t *rows;
	int64_t *ints = NULL;
	struct dm_ip *ips = NULL;
	struct text_out text = {0};
	bool dense = true;
	char tmp[64];
	int rc = DM_ENOMEM;

	for (uint32_t r = 0; r < n; r++)
		total += dm_segment_values(s, c, from + r, &first);
	rows = dm_arena_alloc(arena, total * sizeof *rows);
	if (info->type == DM_T_IP)
		ips = dm_arena_alloc(arena, total * sizeof *ips);
	else if (info->type != DM_T_TEXT)
		ints = dm_arena_alloc(arena, total * sizeof *ints);
	text.lens = dm_arena_alloc(arena, total * sizeof *text.lens);
	text.obs = dm_arena_alloc(arena, total);
	dm_buf_init(&text.heap, UINT32_MAX);
	if (!rows || (!ips && info->type == DM_T_IP) || !text.lens || !text.obs)
		goto out;
	for (uint32_t r = 0; r < n; r++) {
		uint32_t k = dm_segment_values(s, c, from + r, &first), before = at;

		for (uint32_t i = 0; i < k; i++) {
			int64_t v = dm_segment_numbered(c) ? dm_segment_number(c, first + i) : 0;

			if (v == DM_NO_INT)
				continue;
			if (ints) {
				ints[at] = v;
			} else if (ips) {
				if (v < 0 || !ip_of(s, v, &ips[at]))
					continue;
			} else if (c->d->encoding == DM_ENC_CODE) {
				enum dm_obs_type t;
				size_t start = text.heap.n;
				struct dm_sv key = dm_segment_key(s, (uint32_t)v, &t);
				dm_obs_text(t, key, &text.heap);
				text.lens[at] = (uint32_t)(text.heap.n - start);
				text.obs[at] = (uint8_t)t;
			} else {
				struct dm_sv t = dm_segment_text(c, first + i, tmp);
				if (!t.n)
					continue;
				dm_buf_sv(&text.heap, t);
				text.lens[at] = (uint32_t)t.n;
			}
			rows[at++] = (uint16_t)r;
		}
		dense = dense && at == before + 1;
	}
	if (text.heap.err)
		goto out;
	*ret = (struct dm_column){.field = c->d->field,
				  .type = (uint8_t)info->type,
				  .n = at,
				  .rows = dense ? NULL : rows,
				  .ints = ints,
				  .ips = ips};
	if (info->type == DM_T_TEXT) {
		struct dm_sv copy = dm_arena_copy(arena, dm_buf_view(&text.heap));
		if (!copy.p)
			goto out;
		ret->lens = text.lens;
		ret->obs = info->obs ? text.obs : NULL;
		ret->heap = copy.p;
		ret->heap_n = (uint32_t)copy.n;
	}
	rc = DM_OK;
out:
	dm_buf_done(&text.heap);
	return rc;
}

int dm_segment_batch(struct dm_segment *s, uint32_t from, uint32_t n, struct dm_arena *arena,
		     struct dm_batch *ret, uint32_t **ret_imports, uint64_t **ret_ordinals,
		     struct dm_err *err)
{
	int64_t *time = dm_arena_alloc(arena, n * sizeof *time);
	uint64_t *line = dm_arena_alloc(arena, n * sizeof *line),
		 *ordinal = dm_arena_alloc(arena, n * sizeof *ordinal);
	uint32_t *import = dm_arena_alloc(arena, n * sizeof *import);

	if (!time || !line || !ordinal || !import)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	ret->kind = s->h->kind;
	ret->nrows = n;
	ret->ncolumns = 0;
	for (uint32_t i = 0; i < n; i++) {
		time[i] = dm_segment_time(s, from + i);
		ordinal[i] = dm_segment_ordinal(s, from + i);
		line[i] = dm_segment_line(s, from + i);
		import[i] = dm_segment_import(s, from + i);
	}
	ret->time = time;
	ret->line = line;
	for (uint32_t i = 0; i < s->n_cols; i++) {
		struct dm_segment_col *c = dm_segment_column_at(s, i);

		if (!c)
			return dm_fail(err, DM_ECORRUPT, "a column of a segment is damaged");
		if (c->d->field >= DM_COL_ORDINAL || c->d->field == DM_F_TIME ||
		    !dm_field_info[c->d->field].name)
			continue;
		if (batch_column(s, c, from, n, arena, &ret->col[ret->ncolumns]))
			return dm_fail(err, DM_ENOMEM, "out of memory");
		if (ret->col[ret->ncolumns].n)
			ret->ncolumns++;
	}
	*ret_imports = import;
	*ret_ordinals = ordinal;
	return DM_OK;
}
