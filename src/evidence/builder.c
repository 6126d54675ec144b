#include "evidence/builder.h"

#include "base/err.h"

#define RAW_AFTER 2048u /* values after which a column that repeats nothing stops being numbered */

struct dm_builder *dm_builder_new(enum dm_kind kind, int32_t day, uint32_t class_id)
{
	struct dm_builder *b = dm_calloc(1, sizeof *b);

	if (b) {
		b->kind = kind;
		b->day = day;
		b->class_id = class_id;
	}
	return b;
}

static void free_col(struct dm_builder_col *c)
{
	if (!c)
		return;
	dm_free(c->ival);
	dm_free(c->val);
	dm_free(c->row);
	dm_free(c->raw_end);
	dm_intern_done(&c->own);
	dm_buf_done(&c->heap);
	dm_free(c);
}

void dm_builder_free(struct dm_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < DM_FIELDS; i++)
		free_col(b->col[i]);
	dm_free(b->time);
	dm_free(b->line);
	dm_free(b->ordinal);
	dm_free(b->import);
	dm_intern32_done(&b->v4);
	dm_intern_done(&b->v6);
	dm_intern_done(&b->text);
	dm_free(b);
}

static struct dm_builder_col *column(struct dm_builder *b, uint16_t field)
{
	struct dm_builder_col *c = b->col[field];
	const struct dm_field_info *info = &dm_field_info[field];

	if (c)
		return c;
	c = dm_calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->field = field;
	c->type = (uint8_t)info->type;
	c->mode = info->type == DM_T_IP	    ? DM_COL_OBS
		  : info->type != DM_T_TEXT ? DM_COL_INT
		  : info->obs		    ? DM_COL_OBS
					    : DM_COL_TEXT;
	c->dense = true;
	c->last_row = UINT32_MAX;
	b->order[b->ncols++] = field;
	b->col[field] = c;
	return c;
}

/* From here on the column notes the row of every value. */
static int make_sparse(struct dm_builder_col *c)
{
	if (dm_grow((void **)&c->row, &c->row_cap, c->n + 1, sizeof *c->row))
		return DM_ENOMEM;
	for (size_t i = 0; i < c->n; i++)
		c->row[i] = (uint32_t)i;
	c->dense = false;
	return DM_OK;
}

/* Notes rows of values [first, first + n) of the batch column as rows base + (r - from). */
static int add_rows(struct dm_builder_col *c, const struct dm_column *src, uint32_t first, uint32_t n,
		    uint32_t from, uint32_t base)
{
	if (c->dense && (src->rows || c->n != base) && make_sparse(c))
		return DM_ENOMEM;
	if (c->dense)
		return DM_OK;
	if (dm_grow((void **)&c->row, &c->row_cap, c->n + n, sizeof *c->row))
		return DM_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t r = base + (src->rows ? src->rows[first + i] - from : first + i - from);
		if (r == c->last_row)
			c->multi = true;
		c->last_row = r;
		c->row[c->n + i] = r;
	}
	return DM_OK;
}

static uint32_t intern_ip(struct dm_builder *b, const struct dm_ip *ip)
{
	uint32_t id;

	if (dm_ip_is4(ip))
		return dm_intern32(&b->v4, dm_ip_v4(ip));
	id = dm_intern(&b->v6, DM_OBS_IPV6, dm_sv((const char *)ip->b, 16));
	return id == DM_INTERN_FAILED ? id : id | DM_SET_V6 << DM_SET_SHIFT;
}

static int to_raw(struct dm_builder_col *c)
{
	if (dm_grow((void **)&c->raw_end, &c->raw_cap, c->n + 1, sizeof *c->raw_end))
		return DM_ENOMEM;
	dm_buf_init(&c->heap, SIZE_MAX / 4);
	for (size_t i = 0; i < c->n; i++) {
		dm_buf_sv(&c->heap, dm_intern_text(&c->own, c->val[i]));
		c->raw_end[i] = c->heap.n;
	}
	dm_intern_done(&c->own);
	c->mode = DM_COL_RAW;
	return c->heap.err;
}

static int add_raw(struct dm_builder_col *c, const uint32_t *lens, uint32_t n, const char *heap)
{
	if (dm_grow((void **)&c->raw_end, &c->raw_cap, c->n + n, sizeof *c->raw_end))
		return DM_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		dm_buf_put(&c->heap, heap, lens[i]);
		heap += lens[i];
		c->raw_end[c->n + i] = c->heap.n;
	}
	c->n += n;
	return c->heap.err;
}

static int add_text(struct dm_builder *b, struct dm_builder_col *c, const struct dm_column *src,
		    uint32_t first, uint32_t n, const char *heap)
{
	struct dm_intern *set = c->mode == DM_COL_OBS ? &b->text : &c->own;
	uint32_t set_bits = c->mode == DM_COL_OBS ? DM_SET_TEXT << DM_SET_SHIFT : 0;
	uint8_t own_obs = (uint8_t)dm_field_info[c->field].obs;
	struct dm_sv last = {0};
	uint32_t last_id = 0;
	uint8_t last_tag = 0;

	if (c->mode == DM_COL_TEXT && c->own.n >= RAW_AFTER && c->own.n > c->n / 2 && to_raw(c))
		return DM_ENOMEM;
	if (c->mode == DM_COL_RAW)
		return add_raw(c, src->lens + first, n, heap);
	if (dm_grow((void **)&c->val, &c->val_cap, c->n + n, sizeof *c->val))
		return DM_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct dm_sv s = dm_sv(heap, src->lens[first + i]);
		uint8_t tag = c->mode != DM_COL_OBS ? 0 : src->obs ? src->obs[first + i] : own_obs;

		heap += s.n;
		if (!(last.p && tag == last_tag && dm_sv_eq(s, last))) {
			last_id = dm_intern(set, tag, s);
			if (last_id == DM_INTERN_FAILED)
				return DM_ENOMEM;
			last = s;
			last_tag = tag;
		}
		c->val[c->n + i] = last_id | set_bits;
	}
	c->n += n;
	return DM_OK;
}

static int add_column(struct dm_builder *b, const struct dm_batch *batch, const struct dm_column *src,
		      uint32_t from, uint32_t to)
{
	struct dm_builder_col *c;
	uint32_t first = from, end = to;
	const char *heap = src->heap;

	if (src->field == DM_F_TIME || src->field >= DM_FIELDS || !dm_field_info[src->field].name)
		return DM_OK; /* the time of a row is no column of a batch */
	c = column(b, src->field);
	if (!c)
		return DM_ENOMEM;
	if (src->rows) {
		for (first = 0; first < src->n && src->rows[first] < from; first++)
			;
		for (end = first; end < src->n && src->rows[end] < to; end++)
			;
	}
	if (first == end)
		return DM_OK;
	if (add_rows(c, src, first, end - first, from, b->rows))
		return DM_ENOMEM;
	if (src->type == DM_T_TEXT) {
		for (uint32_t i = 0; i < first; i++)
			heap += src->lens[i];
		return add_text(b, c, src, first, end - first, heap);
	}
	if (src->type == DM_T_IP) {
		if (dm_grow((void **)&c->val, &c->val_cap, c->n + end - first, sizeof *c->val))
			return DM_ENOMEM;
		for (uint32_t i = first; i < end; i++) {
			uint32_t id = intern_ip(b, &src->ips[i]);
			if (id == DM_INTERN_FAILED)
				return DM_ENOMEM;
			c->val[c->n++] = id;
		}
		return DM_OK;
	}
	if (dm_grow((void **)&c->ival, &c->ival_cap, c->n + end - first, sizeof *c->ival))
		return DM_ENOMEM;
	memcpy(c->ival + c->n, src->ints + first, (end - first) * sizeof *c->ival);
	c->n += end - first;
	return DM_OK;
}

int dm_builder_append(struct dm_builder *b, const struct dm_batch *batch, uint32_t from, uint32_t to,
		      uint32_t import, uint64_t ordinal, const uint32_t *imports, const uint64_t *ordinals)
{
	uint32_t n = to - from;
	size_t need = (size_t)b->rows + n;

	if (!n)
		return DM_OK;
	if (dm_grow((void **)&b->time, &b->time_cap, need, sizeof *b->time) ||
	    dm_grow((void **)&b->line, &b->line_cap, need, sizeof *b->line) ||
	    dm_grow((void **)&b->ordinal, &b->ordinal_cap, need, sizeof *b->ordinal) ||
	    dm_grow((void **)&b->import, &b->import_cap, need, sizeof *b->import))
		return DM_ENOMEM;
	memcpy(b->time + b->rows, batch->time + from, n * sizeof *b->time);
	memcpy(b->line + b->rows, batch->line + from, n * sizeof *b->line);
	for (uint32_t i = 0; i < n; i++) {
		b->ordinal[b->rows + i] = ordinals ? ordinals[from + i] : ordinal + i;
		b->import[b->rows + i] = imports ? imports[from + i] : import;
	}
	for (uint32_t i = 0; i < batch->ncolumns; i++) {
		int rc = add_column(b, batch, &batch->col[i], from, to);
		if (rc)
			return rc;
	}
	b->rows += n;
	return DM_OK;
}
