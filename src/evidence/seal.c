/* seal.c: from a builder to the bytes of a segment: order by time, dictionaries, columns, groups, postings,
 * directory. */
#include "evidence/seal.h"

#include <stdlib.h>
#include <xxhash.h>
#include "base/time.h"
#include "evidence/ints.h"
#include "evidence/strings.h"

void dm_seal_section(struct dm_buf *out, struct dm_section *s, size_t start)
{
	static const char zero[8];

	if (out->err)
		return;
	s->offset = start;
	s->length = out->n - start;
	s->sum = XXH3_64bits(out->p + start, s->length);
	dm_buf_put(out, zero, (8 - out->n % 8) % 8);
}

/* Stable merge sort of row numbers by time; logs are nearly sorted, so runs are found first. */
static int order_rows(struct dm_seal *s)
{
	const int64_t *t = s->b->time;
	uint32_t n = s->rows, *a, *tmp, width, runs = 1;

	a = dm_alloc(n * sizeof *a);
	if (!a)
		return DM_ENOMEM;
	s->perm = a;
	for (uint32_t i = 0; i < n; i++) {
		a[i] = i;
		runs += i && t[i] < t[i - 1];
	}
	if (runs == 1)
		return DM_OK;
	tmp = dm_alloc(n * sizeof *tmp);
	if (!tmp)
		return DM_ENOMEM;
	for (uint32_t i = 0; i < n; i += 16) /* insertion sort of short pieces */
		for (uint32_t j = i + 1; j < n && j < i + 16; j++) {
			uint32_t x = a[j], k = j;
			for (; k > i && t[a[k - 1]] > t[x]; k--)
				a[k] = a[k - 1];
			a[k] = x;
		}
	for (width = 16; width < n; width *= 2) {
		for (uint32_t lo = 0; lo < n; lo += 2 * width) {
			uint32_t mid = n - lo < width ? n : lo + width,
				 hi = n - lo < 2 * width ? n : lo + 2 * width, i = lo, j = mid, k = lo;

			if (mid >= n || t[a[mid - 1]] <= t[a[mid]]) {
				memcpy(tmp + lo, a + lo, (hi - lo) * sizeof *a);
				continue;
			}
			while (i < mid && j < hi)
				tmp[k++] = t[a[j]] < t[a[i]] ? a[j++] : a[i++];
			memcpy(tmp + k, a + i, (mid - i) * sizeof *a);
			k += mid - i;
			memcpy(tmp + k, a + j, (hi - j) * sizeof *a);
		}
		uint32_t *swap = a;
		a = tmp;
		tmp = swap;
	}
	dm_free(tmp);
	s->perm = a;
	return DM_OK;
}

static int by_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Wide numbers that recur (durations, ports): a list of them and short places in it, if that is smaller. */
static bool write_list(struct dm_out_col *c, struct dm_buf *out)
{
	uint64_t plain = dm_ints_cost(c->v, c->n, DM_INTS_SHIFT);
	int64_t *list, *place;
	size_t start = out->n;
	uint32_t n = 0;
	bool ok = false;

	if (c->n < 4096 || plain < (uint64_t)c->n * 14 || c->d.field == DM_F_TIME)
		return false;
	list = dm_alloc(c->n * sizeof *list);
	place = dm_alloc(c->n * sizeof *place);
	if (!list || !place)
		goto out;
	memcpy(list, c->v, c->n * sizeof *list);
	qsort(list, c->n, sizeof *list, by_i64);
	for (uint32_t i = 0; i < c->n; i++)
		if (list[i] != DM_NO_INT && (!n || list[n - 1] != list[i]))
			list[n++] = list[i];
	if (n > c->n / 2)
		goto out;
	for (uint32_t i = 0; i < c->n; i++) {
		const int64_t *hit =
			c->v[i] == DM_NO_INT ? NULL : bsearch(&c->v[i], list, n, sizeof *list, by_i64);
		place[i] = hit ? hit - list : DM_NO_INT;
	}
	if (dm_ints_cost(list, n, DM_INTS_TIME_SHIFT) + dm_ints_cost(place, c->n, DM_INTS_SHIFT) >= plain)
		goto out;
	dm_ints_write(out, place, c->n, DM_INTS_SHIFT);
	dm_seal_section(out, &c->d.values, start);
	start = out->n;
	dm_ints_write(out, list, n, DM_INTS_TIME_SHIFT);
	dm_seal_section(out, &c->d.strings, start);
	c->d.encoding = DM_ENC_INT_LIST;
	ok = true;
out:
	dm_free(list);
	dm_free(place);
	return ok;
}

static void write_col(struct dm_seal *s, struct dm_out_col *c, struct dm_buf *out)
{
	size_t start = out->n;

	c->d.n = c->n;
	if (c->d.encoding == DM_ENC_PACK6) {
		uint8_t *bytes = (uint8_t *)c->v;
		dm_buf_put(out, bytes, ((size_t)c->n * c->d.param * 6 + 7) / 8);
		dm_buf_u64le(out, 0);
		dm_seal_section(out, &c->d.values, start);
		return;
	}
	if (c->d.encoding == DM_ENC_INT && !c->ends && write_list(c, out))
		return;
	if (c->d.encoding != DM_ENC_STRINGS) {
		dm_ints_write(out, c->v, c->n, c->d.field == DM_F_TIME ? DM_INTS_TIME_SHIFT : DM_INTS_SHIFT);
		dm_seal_section(out, &c->d.values, start);
	}
	if (c->ends) {
		start = out->n;
		dm_ints_write(out, c->ends, s->rows, DM_INTS_SHIFT);
		dm_seal_section(out, &c->d.ends, start);
	}
	if (c->text) {
		start = out->n;
		dm_strings_write(out, c->text, c->n_text, c->d.encoding == DM_ENC_TEXT);
		dm_seal_section(out, &c->d.strings, start);
	}
}

static int write_file(struct dm_seal *s)
{
	struct dm_buf *out = &s->out->bytes;
	struct dm_segment_header h = {
		.version = DM_SEGMENT_VERSION,
		.kind = s->b->kind,
		.day = s->b->day,
		.class_id = s->b->class_id,
		.rows = s->rows,
		.first = s->out->first,
		.last = s->out->last,
		.columns = s->n_cols,
		.dictionaries = s->n_dicts,
	};
	int rc;

	memcpy(h.magic, DM_SEGMENT_MAGIC, 8);
	for (uint32_t i = 0; i < s->n_cols; i++)
		write_col(s, &s->cols[i], out);
	if (s->group) {
		size_t start = out->n;
		dm_ints_write(out, s->group, s->rows, DM_INTS_SHIFT);
		dm_seal_section(out, &h.group, start);
	}
	rc = dm_seal_postings(s, &h);
	if (rc)
		return rc;
	h.directory = out->n;
	for (uint32_t i = 0; i < s->n_cols; i++)
		dm_buf_put(out, &s->cols[i].d, sizeof s->cols[i].d);
	dm_buf_put(out, s->dict, s->n_dicts * sizeof *s->dict);
	if (out->err)
		return out->err;
	h.directory_n = out->n - h.directory;
	h.directory_sum = XXH3_64bits(out->p + h.directory, h.directory_n);
	h.size = out->n;
	h.sum = XXH3_64bits(&h, offsetof(struct dm_segment_header, sum));
	memcpy(out->p, &h, sizeof h);
	return DM_OK;
}

int dm_builder_seal(const struct dm_builder *b, struct dm_sealed *ret, struct dm_err *err)
{
	struct dm_seal s = {.b = b, .rows = b->rows, .out = ret, .err = err};
	struct dm_segment_header blank = {0};
	int rc;

	*ret = (struct dm_sealed){.rows = b->rows, .first = DM_NO_TIME, .last = DM_NO_TIME};
	dm_buf_init(&ret->bytes, SIZE_MAX / 4);
	dm_buf_put(&ret->bytes, &blank, sizeof blank);
	rc = order_rows(&s);
	if (rc)
		goto out;
	s.time_own = dm_alloc(b->rows * sizeof *s.time_own);
	if (!s.time_own) {
		rc = DM_ENOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < b->rows; i++)
		s.time_own[i] = b->time[s.perm[i]];
	s.time = s.time_own;
	for (uint32_t i = 0; i < b->rows; i++)
		if (s.time[i] != DM_NO_TIME) {
			ret->first = s.time[i];
			ret->last = s.time[b->rows - 1];
			break;
		}
	rc = dm_seal_dictionaries(&s);
	if (!rc)
		rc = dm_seal_columns(&s);
	if (!rc)
		rc = dm_seal_group(&s);
	if (!rc)
		rc = write_file(&s);
out:
	for (uint32_t i = 0; i < s.n_cols; i++) {
		dm_free(s.cols[i].v);
		dm_free(s.cols[i].ends);
		dm_free(s.cols[i].text);
	}
	dm_free(s.cols);
	dm_free(s.perm);
	dm_free(s.time_own);
	dm_free(s.v4_code);
	dm_free(s.v6_code);
	dm_free(s.text_code);
	dm_free(s.group);
	if (rc) {
		dm_sealed_done(ret);
		if (rc == DM_ENOMEM)
			dm_fail(err, rc, "out of memory while sealing %u rows", b->rows);
	}
	return rc;
}

void dm_sealed_done(struct dm_sealed *s)
{
	dm_buf_done(&s->bytes);
	dm_free(s->values);
	dm_arena_done(&s->arena);
	s->values = NULL;
	s->n_values = 0;
}
