/* verify.c: the same hunt without the index: every row of every segment, every value of every row. Slow,
 * simple and independent of postings and runs. */
#include <stdlib.h>
#include "base/limits.h"
#include "base/time.h"
#include "hunt/hunt.h"
#include "hunt/set_format.h"

/* One hit, so that two ways of finding it can be compared: a mix of what it is. */
struct seen {
	uint64_t *v;
	size_t n, cap;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	unsigned __int128 m = (unsigned __int128)(h * 0xe7037ed1a0b428dbull + v + 1) * 0xa0761d6478bd642full;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static int note(struct seen *s, uint64_t import, uint64_t ordinal, unsigned field, unsigned type,
		struct dm_sv key)
{
	uint64_t h = mix(mix(mix(import, ordinal), field), type);

	for (size_t i = 0; i < key.n; i++)
		h = mix(h, (uint8_t)key.p[i]);
	if (dm_grow((void **)&s->v, &s->cap, s->n + 1, sizeof *s->v))
		return DM_ENOMEM;
	s->v[s->n++] = h;
	return DM_OK;
}

static int by_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_unique(struct seen *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_u64);
	for (size_t i = 0; i < s->n; i++)
		if (!n || s->v[n - 1] != s->v[i])
			s->v[n++] = s->v[i];
	s->n = n;
}

/* Does any set name the value, in the way the hunt was asked for? */
static bool wanted(struct dm_hunt *h, enum dm_obs_type t, struct dm_sv key)
{
	if (h->opt.types && !(h->opt.types >> t & 1))
		return false;
	for (size_t i = 0; i < h->n_sets; i++) {
		if (dm_set_holds(h->set[i], t, key))
			return true;
		for (size_t n = 1; h->opt.subdomains && t == DM_OBS_DOMAIN && n < key.n; n++)
			if (key.p[n] == 0x01 && dm_set_holds(h->set[i], t, dm_sv(key.p, n)))
				return true;
	}
	return false;
}

static bool in_window(const struct dm_hunt *h, int64_t t)
{
	if (h->opt.since != DM_NO_TIME && (t == DM_NO_TIME || t < h->opt.since))
		return false;
	return h->opt.until == DM_NO_TIME || (t != DM_NO_TIME && t < h->opt.until);
}

static int scan_batch(struct dm_hunt *h, const struct dm_batch *b, const uint32_t *imports,
		      const uint64_t *ordinals, struct seen *s)
{
	struct dm_buf key;
	int rc = DM_OK;

	dm_buf_init(&key, DM_MAX_VALUE * 2);
	for (uint32_t c = 0; c < b->ncolumns && !rc; c++) {
		const struct dm_column *col = &b->col[c];
		const char *heap = col->heap;

		if (!dm_field_info[col->field].obs)
			continue;
		for (uint32_t i = 0; i < col->n && !rc; i++) {
			uint32_t row = col->rows ? col->rows[i] : i;
			enum dm_obs_type t = dm_field_info[col->field].obs;

			dm_buf_clear(&key);
			if (col->type == DM_T_IP) {
				bool four = dm_ip_is4(&col->ips[i]);
				t = four ? DM_OBS_IPV4 : DM_OBS_IPV6;
				dm_buf_put(&key, col->ips[i].b + (four ? 12 : 0), four ? 4 : 16);
			} else {
				struct dm_sv text = dm_sv(heap, col->lens[i]);
				heap += text.n;
				if (col->obs)
					t = col->obs[i];
				if (!dm_obs_key_lenient(t, text, &key, &t))
					continue;
			}
			if (in_window(h, b->time[row]) && wanted(h, t, dm_buf_view(&key)))
				rc = note(s, imports[row], ordinals[row], col->field, t, dm_buf_view(&key));
		}
	}
	dm_buf_done(&key);
	return rc;
}

static int scan_segment(struct dm_hunt *h, const struct dm_segment_row *row, struct dm_batch *batch,
			struct seen *s, struct dm_err *err)
{
	struct dm_segment *g;
	struct dm_arena arena = {0};
	int rc = dm_segment_open(&g, h->store->evidence_fd, row->file.p, row->bytes, err);

	if (rc)
		return rc;
	rc = dm_segment_check(g, err);
	for (uint32_t at = 0; at < g->h->rows && !rc; at += DM_MAX_BATCH_ROWS) {
		uint32_t n = g->h->rows - at < DM_MAX_BATCH_ROWS ? g->h->rows - at : DM_MAX_BATCH_ROWS,
			 *imports;
		uint64_t *ordinals;

		rc = dm_segment_batch(g, at, n, &arena, batch, &imports, &ordinals, err);
		if (!rc && scan_batch(h, batch, imports, ordinals, s))
			rc = dm_fail(err, DM_ENOMEM, "out of memory");
		dm_arena_reset(&arena);
	}
	dm_arena_done(&arena);
	dm_segment_close(g);
	return rc ? dm_err_source(err, row->file.p) : DM_OK;
}

/* The rows of the index, one thread after the other. */
static int note_rows(void *ctx, unsigned thread, const struct dm_hunt_row *row, size_t n, struct dm_buf *out)
{
	struct {
		struct dm_hunt *h;
		struct seen *s;
	} *c = ctx;
	int rc = DM_OK;

	(void)thread;
	(void)out;
	for (size_t i = 0; i < n && !rc; i++) {
		const struct dm_hunt_value *v;

		if (row[i].value == DM_HUNT_NO_VALUE)
			continue; /* patterns are evaluated on the rows themselves */
		v = &c->h->value[row[i].value];
		rc = note(c->s, dm_segment_import(row[i].segment, row[i].row),
			  dm_segment_ordinal(row[i].segment, row[i].row), row[i].field, v->type, v->key);
	}
	return rc;
}

int dm_hunt_verify(struct dm_hunt *h, uint64_t *ret_rows, uint64_t *ret_hits, uint64_t *ret_differences,
		   struct dm_err *err)
{
	struct seen index = {0}, scan = {0};
	struct {
		struct dm_hunt *h;
		struct seen *s;
	} ctx = {h, &index};
	struct dm_hunt_rows to = {.format = note_rows, .ctx = &ctx};
	struct dm_batch *batch = dm_alloc(sizeof *batch);
	unsigned threads = h->opt.threads;
	uint64_t differences = 0;
	int rc = batch ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	h->opt.threads = 1;
	if (!rc)
		rc = dm_hunt_rows(h, &to, err);
	h->opt.threads = threads;
	for (size_t i = 0; i < h->snap.n_segments && !rc; i++)
		rc = scan_segment(h, &h->snap.segment[i], batch, &scan, err);
	sort_unique(&index);
	sort_unique(&scan);
	for (size_t i = 0, j = 0; i < index.n || j < scan.n;) {
		if (i < index.n && j < scan.n && index.v[i] == scan.v[j]) {
			i++;
			j++;
			continue;
		}
		differences++;
		if (j == scan.n || (i < index.n && index.v[i] < scan.v[j]))
			i++;
		else
			j++;
	}
	*ret_rows = h->snap.rows;
	*ret_hits = scan.n;
	*ret_differences = differences;
	dm_free(index.v);
	dm_free(scan.v);
	dm_free(batch);
	return rc;
}
