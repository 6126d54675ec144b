/* run_write.c: merging sealed segments and older runs into one run. */
#include <stdlib.h>
#include <xxhash.h>
#include "base/time.h"
#include "evidence/run.h"
#include "evidence/run_format.h"
#include "evidence/seal.h"

struct cursor {
	const struct dm_run_source *src;
	uint32_t type_at, i, n; /* run: place of the type; key number; end */
	uint8_t type;
	struct dm_sv key;
	uint32_t order; /* keeps the merge stable */
};

struct cell_count {
	uint32_t cell;
	uint64_t rows;
};

struct merge {
	const struct dm_run_source *src;
	size_t n_src;
	struct cursor *cur, **heap;
	size_t n_heap;
	struct dm_cell *cell;
	uint32_t n_cells;
	uint32_t **cell_map; /* source run cell -> cell; one entry for segments */
	/* The type being written */
	struct dm_sv *keys;
	struct dm_arena key_mem;
	struct dm_buf fixed, cells;
	int64_t *count, *first, *last, *cells_at;
	size_t n, keys_cap, count_cap, first_cap, last_cap, at_cap;
	/* The key being gathered */
	struct cell_count *cc;
	size_t n_cc, cc_cap;
	struct dm_buf *out;
	struct dm_run_type_desc desc[DM_OBS_TYPES];
	uint32_t n_types;
	const uint32_t *map; /* while visiting cells of one source */
};

static int cell_cmp(const void *a, const void *b)
{
	const struct dm_cell *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->class_id < y->class_id ? -1 : x->class_id > y->class_id;
}

static int make_cells(struct merge *m)
{
	size_t total = 0, k = 0;

	for (size_t i = 0; i < m->n_src; i++)
		total += m->src[i].run ? m->src[i].run->n_cells : 1;
	m->cell = dm_alloc(total * sizeof *m->cell + 1);
	m->cell_map = dm_calloc(m->n_src, sizeof *m->cell_map);
	if (!m->cell || !m->cell_map)
		return DM_ENOMEM;
	for (size_t i = 0; i < m->n_src; i++) {
		if (!m->src[i].run)
			m->cell[k++] = m->src[i].cell;
		else
			for (uint32_t c = 0; c < m->src[i].run->n_cells; c++)
				m->cell[k++] = m->src[i].run->cell[c];
	}
	qsort(m->cell, k, sizeof *m->cell, cell_cmp);
	for (size_t i = 0; i < k; i++)
		if (!m->n_cells || cell_cmp(&m->cell[m->n_cells - 1], &m->cell[i]))
			m->cell[m->n_cells++] = m->cell[i];
	for (size_t i = 0; i < m->n_src; i++) {
		uint32_t n = m->src[i].run ? m->src[i].run->n_cells : 1;
		m->cell_map[i] = dm_alloc(n * sizeof **m->cell_map + 1);
		if (!m->cell_map[i])
			return DM_ENOMEM;
		for (uint32_t c = 0; c < n; c++) {
			const struct dm_cell *key = m->src[i].run ? &m->src[i].run->cell[c] : &m->src[i].cell;
			const struct dm_cell *hit =
				bsearch(key, m->cell, m->n_cells, sizeof *m->cell, cell_cmp);
			m->cell_map[i][c] = (uint32_t)(hit - m->cell);
		}
	}
	return DM_OK;
}

/* Loads the key the cursor stands on; false at the end. */
static bool load(struct cursor *c)
{
	struct dm_run *r = c->src->run;

	if (!r) {
		if (c->i >= c->src->n)
			return false;
		c->type = c->src->values[c->i].type;
		c->key = c->src->values[c->i].key;
		return true;
	}
	while (c->type_at < r->n_types && c->i >= r->type[c->type_at].n) {
		c->type_at++;
		c->i = 0;
	}
	if (c->type_at >= r->n_types)
		return false;
	c->type = (uint8_t)r->type[c->type_at].type;
	c->key = dm_run_key(&r->type[c->type_at], c->i);
	return true;
}

static bool less(const struct cursor *a, const struct cursor *b)
{
	int c;

	if (a->type != b->type)
		return a->type < b->type;
	c = dm_sv_cmp(a->key, b->key);
	return c ? c < 0 : a->order < b->order;
}

static void sift(struct merge *m, size_t i)
{
	struct cursor *x = m->heap[i];

	for (;;) {
		size_t k = 2 * i + 1;
		if (k >= m->n_heap)
			break;
		if (k + 1 < m->n_heap && less(m->heap[k + 1], m->heap[k]))
			k++;
		if (!less(m->heap[k], x))
			break;
		m->heap[i] = m->heap[k];
		i = k;
	}
	m->heap[i] = x;
}

static int note_cell(void *ctx, uint32_t cell, uint64_t rows)
{
	struct merge *m = ctx;

	if (dm_grow((void **)&m->cc, &m->cc_cap, m->n_cc + 1, sizeof *m->cc))
		return DM_ENOMEM;
	m->cc[m->n_cc++] = (struct cell_count){.cell = m->map[cell], .rows = rows};
	return DM_OK;
}

/* Adds what the cursor's source says of its key to the entry being gathered. */
static int take(struct merge *m, const struct cursor *c)
{
	struct dm_run_summary s;
	int64_t *first = &m->first[m->n], *last = &m->last[m->n];

	m->map = m->cell_map[c->order];
	if (!c->src->run) {
		const struct dm_sealed_value *v = &c->src->values[c->i];
		s = (struct dm_run_summary){.count = v->count, .first = v->first, .last = v->last};
		if (note_cell(m, 0, v->count))
			return DM_ENOMEM;
	} else {
		const struct dm_run_type *t = &c->src->run->type[c->type_at];
		int rc = dm_run_cells(c->src->run, t, c->i, note_cell, m);
		if (rc)
			return rc;
		s = dm_run_summary(t, c->i);
	}
	m->count[m->n] += (int64_t)s.count;
	if (s.first != DM_NO_TIME && (*first == DM_NO_TIME || s.first < *first))
		*first = s.first;
	if (s.last != DM_NO_TIME && s.last > *last)
		*last = s.last;
	return DM_OK;
}

static int cc_cmp(const void *a, const void *b)
{
	const struct cell_count *x = a, *y = b;

	return x->cell < y->cell ? -1 : x->cell > y->cell;
}

static void end_key(struct merge *m)
{
	uint32_t last = 0;

	if (m->n_cc > 1)
		qsort(m->cc, m->n_cc, sizeof *m->cc, cc_cmp);
	for (size_t i = 0, j; i < m->n_cc; i = j) {
		uint64_t rows = 0;
		for (j = i; j < m->n_cc && m->cc[j].cell == m->cc[i].cell; j++)
			rows += m->cc[j].rows;
		dm_buf_varint(&m->cells, m->cc[i].cell - last);
		if (i || j < m->n_cc) /* in one cell alone the rows are the count */
			dm_buf_varint(&m->cells, rows);
		last = m->cc[i].cell;
	}
	m->n_cc = 0;
	m->n++;
}

static int start_key(struct merge *m, uint8_t type, struct dm_sv key)
{
	if (dm_grow((void **)&m->count, &m->count_cap, m->n + 1, sizeof *m->count) ||
	    dm_grow((void **)&m->first, &m->first_cap, m->n + 1, sizeof *m->first) ||
	    dm_grow((void **)&m->last, &m->last_cap, m->n + 1, sizeof *m->last) ||
	    dm_grow((void **)&m->cells_at, &m->at_cap, m->n + 2, sizeof *m->cells_at))
		return DM_ENOMEM;
	m->count[m->n] = 0;
	m->first[m->n] = m->last[m->n] = DM_NO_TIME;
	m->cells_at[m->n] = (int64_t)m->cells.n;
	if (type == DM_OBS_IPV4 || type == DM_OBS_IPV6) {
		dm_buf_sv(&m->fixed, key);
		return m->fixed.err;
	}
	if (dm_grow((void **)&m->keys, &m->keys_cap, m->n + 1, sizeof *m->keys))
		return DM_ENOMEM;
	m->keys[m->n] = dm_arena_copy(&m->key_mem, key);
	return m->keys[m->n].p ? DM_OK : DM_ENOMEM;
}

static void put_ints(struct merge *m, struct dm_section *s, const int64_t *v, size_t n)
{
	size_t start = m->out->n;

	dm_ints_write(m->out, v, (uint32_t)n, DM_INTS_TIME_SHIFT);
	dm_seal_section(m->out, s, start);
}

static void end_type(struct merge *m, uint8_t type)
{
	struct dm_run_type_desc *d = &m->desc[m->n_types++];
	size_t start = m->out->n;

	m->cells_at[m->n] = (int64_t)m->cells.n;
	d->type = type;
	d->n = (uint32_t)m->n;
	if (type == DM_OBS_IPV4 || type == DM_OBS_IPV6)
		dm_buf_sv(m->out, dm_buf_view(&m->fixed));
	else
		dm_strings_write(m->out, m->keys, (uint32_t)m->n, true);
	dm_seal_section(m->out, &d->keys, start);
	put_ints(m, &d->count, m->count, m->n);
	put_ints(m, &d->first, m->first, m->n);
	for (size_t i = 0; i < m->n; i++) /* most are seen once: 0 */
		m->last[i] = m->last[i] == DM_NO_TIME ? DM_NO_INT : m->last[i] - m->first[i];
	put_ints(m, &d->span, m->last, m->n);
	put_ints(m, &d->cells_at, m->cells_at, m->n + 1);
	start = m->out->n;
	dm_buf_sv(m->out, dm_buf_view(&m->cells));
	dm_seal_section(m->out, &d->cells, start);
	if (m->cells.err)
		m->out->err = m->cells.err;
	m->n = 0;
	dm_buf_clear(&m->fixed);
	dm_buf_clear(&m->cells);
	dm_arena_reset(&m->key_mem);
}

static int merge_all(struct merge *m)
{
	while (m->n_heap) {
		uint8_t type = m->heap[0]->type;
		int rc;

		while (m->n_heap && m->heap[0]->type == type) {
			struct dm_sv own;

			rc = start_key(m, type, m->heap[0]->key);
			if (rc)
				return rc;
			own = type == DM_OBS_IPV4 || type == DM_OBS_IPV6
				      ? dm_sv(m->fixed.p + m->fixed.n - m->heap[0]->key.n, m->heap[0]->key.n)
				      : m->keys[m->n];
			while (m->n_heap && m->heap[0]->type == type && dm_sv_eq(m->heap[0]->key, own)) {
				struct cursor *c = m->heap[0];
				rc = take(m, c);
				if (rc)
					return rc;
				c->i++;
				if (!load(c))
					m->heap[0] = m->heap[--m->n_heap];
				if (m->n_heap)
					sift(m, 0);
			}
			end_key(m);
		}
		end_type(m, type);
	}
	return m->out->err;
}

static int write_directory(struct merge *m)
{
	struct dm_buf *out = m->out;
	struct dm_run_header h = {.version = DM_RUN_VERSION, .n_types = m->n_types, .n_cells = m->n_cells};

	memcpy(h.magic, DM_RUN_MAGIC, 8);
	h.directory = out->n;
	dm_buf_put(out, m->desc, m->n_types * sizeof *m->desc);
	dm_buf_put(out, m->cell, m->n_cells * sizeof *m->cell);
	if (out->err)
		return out->err;
	h.directory_n = out->n - h.directory;
	h.directory_sum = XXH3_64bits(out->p + h.directory, h.directory_n);
	h.size = out->n;
	h.sum = XXH3_64bits(&h, offsetof(struct dm_run_header, sum));
	memcpy(out->p, &h, sizeof h);
	return DM_OK;
}

int dm_run_write(struct dm_buf *out, const struct dm_run_source *src, size_t n, uint64_t *ret_keys,
		 struct dm_err *err)
{
	struct merge m = {.src = src, .n_src = n, .out = out};
	struct dm_run_header blank = {0};
	int rc = DM_ENOMEM;

	dm_buf_init(&m.fixed, SIZE_MAX / 4);
	dm_buf_init(&m.cells, SIZE_MAX / 4);
	dm_buf_put(out, &blank, sizeof blank);
	m.cur = dm_calloc(n, sizeof *m.cur);
	m.heap = dm_calloc(n, sizeof *m.heap);
	if (!m.cur || !m.heap || make_cells(&m))
		goto out;
	for (size_t i = 0; i < n; i++) {
		m.cur[i] = (struct cursor){.src = &src[i], .order = (uint32_t)i};
		if (load(&m.cur[i]))
			m.heap[m.n_heap++] = &m.cur[i];
	}
	for (size_t i = m.n_heap; i-- > 0;)
		sift(&m, i);
	rc = merge_all(&m);
	if (!rc)
		rc = write_directory(&m);
	if (!rc) {
		*ret_keys = 0;
		for (uint32_t i = 0; i < m.n_types; i++)
			*ret_keys += m.desc[i].n;
	}
out:
	if (m.cell_map)
		for (size_t i = 0; i < n; i++)
			dm_free(m.cell_map[i]);
	dm_free(m.cell_map);
	dm_free(m.cell);
	dm_free(m.cur);
	dm_free(m.heap);
	dm_free(m.keys);
	dm_free(m.count);
	dm_free(m.first);
	dm_free(m.last);
	dm_free(m.cells_at);
	dm_free(m.cc);
	dm_arena_done(&m.key_mem);
	dm_buf_done(&m.fixed);
	dm_buf_done(&m.cells);
	return rc ? dm_fail(err, rc, "could not merge the store-wide dictionary: %s", dm_code_text(rc))
		  : DM_OK;
}
