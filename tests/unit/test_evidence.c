/* Units and properties of evidence/: packed integers, string lists, segments and runs against what was put
 * in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/time.h"
#include "evidence/builder.h"
#include "evidence/ints.h"
#include "evidence/run.h"
#include "evidence/segment.h"
#include "evidence/strings.h"

static uint64_t state = 88172645463325252ull;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void ints_case(const int64_t *v, uint32_t n, uint32_t shift)
{
	struct dm_buf b;
	struct dm_ints c;
	int64_t *back = malloc((n + 1) * sizeof *back);

	dm_buf_init(&b, SIZE_MAX / 4);
	dm_ints_write(&b, v, n, shift);
	assert_int_equal(b.err, 0);
	assert_int_equal(dm_ints_open(&c, (uint8_t *)b.p, b.n, NULL), 0);
	for (uint32_t i = 0; i < n; i++)
		assert_true(dm_ints_get(&c, i) == v[i]);
	assert_true(dm_ints_get(&c, n) == DM_NO_INT);
	dm_ints_range(&c, 0, n, back);
	assert_memory_equal(back, v, n * sizeof *back);
	if (n > 10) {
		dm_ints_range(&c, 3, n - 7, back);
		assert_memory_equal(back, v + 3, (n - 7) * sizeof *back);
	}
	dm_buf_done(&b);
	free(back);
}

static void integers_come_back(void **st)
{
	static int64_t v[5000];

	(void)st;
	for (int round = 0; round < 200; round++) {
		uint32_t n = (uint32_t)(rnd() % 5000);
		unsigned bits = (unsigned)(rnd() % 64), kind = (unsigned)(rnd() % 6);
		int64_t base = (int64_t)rnd() >> (rnd() % 64);

		for (uint32_t i = 0; i < n; i++) {
			int64_t x = (int64_t)(rnd() & ((1ull << bits) - 1));
			switch (kind) {
			case 0:
				v[i] = x;
				break;
			case 1: /* mostly one value */
				v[i] = rnd() % 20 ? base : x;
				break;
			case 2: /* absent values */
				v[i] = rnd() % 3 ? x : DM_NO_INT;
				break;
			case 3: /* few large ones */
				v[i] = rnd() % 50 ? (int64_t)(rnd() & 15) : (int64_t)rnd();
				break;
			case 4: /* ascending */
				v[i] = (i ? v[i - 1] : base >> 8) + (int64_t)(rnd() % 1000);
				break;
			default: /* the extremes */
				v[i] = rnd() % 4 == 0	? INT64_MAX
				       : rnd() % 3 == 0 ? DM_NO_INT
				       : rnd() % 2	? INT64_MIN + 1
							: 0;
			}
		}
		ints_case(v, n, rnd() % 2 ? DM_INTS_SHIFT : DM_INTS_TIME_SHIFT);
	}
}

/* A section from a stranger: any byte may be wrong, nothing may be read outside (run under ASan). */
static void broken_integers_stay_inside(void **st)
{
	int64_t v[3000];
	struct dm_buf b;

	(void)st;
	for (uint32_t i = 0; i < 3000; i++)
		v[i] = rnd() % 30 ? (int64_t)(rnd() % 100) : (int64_t)rnd();
	dm_buf_init(&b, SIZE_MAX / 4);
	dm_ints_write(&b, v, 3000, DM_INTS_SHIFT);
	for (int round = 0; round < 3000; round++) {
		size_t n = rnd() % 4 ? b.n : rnd() % (b.n + 1);
		uint8_t *copy = malloc(n + 1);
		struct dm_ints c;

		memcpy(copy, b.p, n);
		for (int k = 0; n && k < 3; k++)
			copy[rnd() % n < 64 ? rnd() % n : rnd() % (n < 64 ? n : 64)] = (uint8_t)rnd();
		uint8_t *tight = malloc(n ? n : 1);
		memcpy(tight, copy, n);
		if (!dm_ints_open(&c, tight, n, NULL)) {
			int64_t out[5000];
			for (uint32_t i = 0; i < 50; i++)
				dm_ints_get(&c, (uint32_t)rnd() % (c.n + 1));
			dm_ints_range(&c, 0, c.n < 5000 ? c.n : 5000, out);
		}
		free(tight);
		free(copy);
	}
	dm_buf_done(&b);
}

static int by_sv(const void *a, const void *b)
{
	return dm_sv_cmp(*(const struct dm_sv *)a, *(const struct dm_sv *)b);
}

static void strings_come_back_and_are_found(void **st)
{
	(void)st;
	for (int round = 0; round < 60; round++) {
		uint32_t n = (uint32_t)(rnd() % 1000), k = 0;
		struct dm_sv *s = calloc(n + 1, sizeof *s);
		struct dm_arena a = {0};
		struct dm_buf b;
		struct dm_strings r;
		bool sorted = rnd() % 2;

		for (uint32_t i = 0; i < n; i++) {
			char tmp[400];
			int len = snprintf(tmp, sizeof tmp, "%s%llx%0*d",
					   rnd() % 2 ? "com.example.aaaaaaaaaaaaaaaaaaa." : "",
					   (unsigned long long)rnd() >> (rnd() % 60), (int)(rnd() % 200), 7);
			s[i] = dm_arena_copy(&a, dm_sv(tmp, rnd() % 50 ? (size_t)len : 0));
		}
		if (sorted) {
			qsort(s, n, sizeof *s, by_sv);
			for (uint32_t i = 0; i < n; i++)
				if (!k || !dm_sv_eq(s[k - 1], s[i]))
					s[k++] = s[i];
			n = k;
		}
		dm_buf_init(&b, SIZE_MAX / 4);
		dm_strings_write(&b, s, n, sorted);
		assert_int_equal(dm_strings_open(&r, (uint8_t *)b.p, b.n, NULL), 0);
		r.walk = rnd() % 2;
		for (uint32_t i = 0; i < n; i++)
			assert_true(dm_sv_eq(dm_strings_get(&r, i), s[i]));
		if (sorted)
			for (uint32_t i = 0; i < n; i++) {
				char past[500];
				bool equal;
				assert_int_equal(dm_strings_find(&r, s[i], &equal), i);
				assert_true(equal);
				memcpy(past, s[i].p, s[i].n);
				past[s[i].n] = 0; /* the next string in byte order */
				assert_int_equal(dm_strings_find(&r, dm_sv(past, s[i].n + 1), &equal), i + 1);
				assert_false(equal);
			}
		assert_false(r.corrupt);
		dm_strings_close(&r);
		dm_buf_done(&b);
		dm_arena_done(&a);
		free(s);
	}
}

/* A batch of random connection and name records, and the same as plain values to compare with. */
enum { MAX_ROWS = 3000, MAX_NAMES = 4 };

struct plain_row {
	int64_t time;
	uint64_t line;
	struct dm_ip src, dst;
	int64_t sport, bytes;
	char uid[32], service[16];
	unsigned names;
	char name[MAX_NAMES][64];
};

struct sample {
	struct plain_row row[MAX_ROWS];
	uint32_t n;
	struct dm_batch batch;
	int64_t time[MAX_ROWS], sport[MAX_ROWS], bytes[MAX_ROWS];
	uint64_t line[MAX_ROWS];
	struct dm_ip src[MAX_ROWS], dst[MAX_ROWS];
	uint16_t bytes_row[MAX_ROWS], name_row[MAX_ROWS * MAX_NAMES];
	uint32_t uid_len[MAX_ROWS], service_len[MAX_ROWS], name_len[MAX_ROWS * MAX_NAMES];
	struct dm_buf uid, service, name;
};

static struct dm_ip some_ip(void)
{
	struct dm_ip ip;

	if (rnd() % 20)
		return dm_ip_from4(0x0a000000u + (uint32_t)(rnd() % 300));
	memset(&ip, 0x20, sizeof ip);
	ip.b[15] = (uint8_t)(rnd() % 40);
	return ip;
}

static struct dm_column *add_col(struct dm_batch *b, uint16_t field)
{
	struct dm_column *c = &b->col[b->ncolumns++];

	*c = (struct dm_column){.field = field, .type = (uint8_t)dm_field_info[field].type};
	return c;
}

static void fill(struct sample *s, uint32_t n)
{
	uint32_t n_bytes = 0, n_names = 0;
	struct dm_column *c;

	memset(s, 0, sizeof *s);
	dm_buf_init(&s->uid, 1 << 24);
	dm_buf_init(&s->service, 1 << 24);
	dm_buf_init(&s->name, 1 << 24);
	s->n = n;
	for (uint32_t i = 0; i < n; i++) {
		struct plain_row *r = &s->row[i];

		r->time = s->time[i] = 1418947200000000ll + (int64_t)(rnd() % 80000000000ull);
		r->line = s->line[i] = i + 9;
		r->src = s->src[i] = some_ip();
		r->dst = s->dst[i] =
			rnd() % 3 ? dm_ip_from4(0xcb007142u) : some_ip(); /* common: no posting list */
		r->sport = s->sport[i] = (int64_t)(rnd() % 60000);
		snprintf(r->uid, sizeof r->uid, "C%llx%c", (unsigned long long)rnd(), "aZ9"[rnd() % 3]);
		s->uid_len[i] = (uint32_t)strlen(r->uid);
		dm_buf_str(&s->uid, r->uid);
		snprintf(r->service, sizeof r->service, "svc%d", (int)(rnd() % 5));
		s->service_len[i] = (uint32_t)strlen(r->service);
		dm_buf_str(&s->service, r->service);
		r->bytes = DM_NO_INT;
		if (rnd() % 2) {
			r->bytes = s->bytes[n_bytes] = (int64_t)(rnd() % 4 ? rnd() % 8 : rnd() % 100000000);
			s->bytes_row[n_bytes++] = (uint16_t)i;
		}
		r->names = (unsigned)(rnd() % 8 ? 0 : rnd() % (MAX_NAMES + 1));
		for (unsigned k = 0; k < r->names; k++) {
			snprintf(r->name[k], sizeof r->name[k], "h%d.example.%s", (int)(rnd() % 200),
				 rnd() % 2 ? "com" : "net");
			s->name_len[n_names] = (uint32_t)strlen(r->name[k]);
			s->name_row[n_names++] = (uint16_t)i;
			dm_buf_str(&s->name, r->name[k]);
		}
	}
	s->batch.kind = DM_KIND_FLOW;
	s->batch.nrows = n;
	s->batch.time = s->time;
	s->batch.line = s->line;
	c = add_col(&s->batch, DM_F_SRC_IP);
	c->n = n, c->ips = s->src;
	c = add_col(&s->batch, DM_F_SRC_PORT);
	c->n = n, c->ints = s->sport;
	c = add_col(&s->batch, DM_F_DST_IP);
	c->n = n, c->ips = s->dst;
	c = add_col(&s->batch, DM_F_PROTOCOL);
	c->n = n, c->lens = s->service_len, c->heap = s->service.p, c->heap_n = (uint32_t)s->service.n;
	c = add_col(&s->batch, DM_F_SRC_BYTES);
	c->n = n_bytes, c->ints = s->bytes, c->rows = s->bytes_row;
	c = add_col(&s->batch, DM_F_EVENT_ID);
	c->n = n, c->lens = s->uid_len, c->heap = s->uid.p, c->heap_n = (uint32_t)s->uid.n;
	c = add_col(&s->batch, DM_F_DNS_ANSWER_NAME);
	c->n = n_names, c->lens = s->name_len, c->heap = s->name.p, c->heap_n = (uint32_t)s->name.n,
	c->rows = s->name_row;
}

static void drop(struct sample *s)
{
	dm_buf_done(&s->uid);
	dm_buf_done(&s->service);
	dm_buf_done(&s->name);
}

static void compare_ip(struct dm_segment *g, unsigned field, uint32_t row, const struct dm_ip *want)
{
	struct dm_segment_col *c = dm_segment_column(g, field);
	uint32_t first;
	enum dm_obs_type t;
	struct dm_sv key;

	assert_int_equal(dm_segment_values(g, c, row, &first), 1);
	key = dm_segment_key(g, (uint32_t)dm_segment_number(c, first), &t);
	if (dm_ip_is4(want)) {
		assert_int_equal(t, DM_OBS_IPV4);
		assert_memory_equal(key.p, want->b + 12, 4);
	} else {
		assert_int_equal(t, DM_OBS_IPV6);
		assert_memory_equal(key.p, want->b, 16);
	}
}

static void compare_row(struct dm_segment *g, uint32_t row, const struct plain_row *w)
{
	struct dm_segment_col *c;
	uint32_t first, n;
	char tmp[64];

	assert_true(dm_segment_time(g, row) == w->time);
	assert_true(dm_segment_line(g, row) == w->line);
	assert_int_equal(dm_segment_import(g, row), 7);
	compare_ip(g, DM_F_SRC_IP, row, &w->src);
	compare_ip(g, DM_F_DST_IP, row, &w->dst);
	c = dm_segment_column(g, DM_F_SRC_PORT);
	assert_int_equal(dm_segment_values(g, c, row, &first), 1);
	assert_true(dm_segment_number(c, first) == w->sport);
	c = dm_segment_column(g, DM_F_SRC_BYTES);
	if (c) {
		assert_int_equal(dm_segment_values(g, c, row, &first), 1);
		assert_true(dm_segment_number(c, first) == w->bytes);
	}
	c = dm_segment_column(g, DM_F_EVENT_ID);
	dm_segment_values(g, c, row, &first);
	assert_true(dm_sv_is(dm_segment_text(c, first, tmp), w->uid));
	c = dm_segment_column(g, DM_F_PROTOCOL);
	dm_segment_values(g, c, row, &first);
	assert_true(dm_sv_is(dm_segment_text(c, first, tmp), w->service));
	c = dm_segment_column(g, DM_F_DNS_ANSWER_NAME);
	n = c ? dm_segment_values(g, c, row, &first) : 0;
	if (c && !(c->d->flags & DM_COLF_MULTI))
		n = dm_segment_number(c, first) != DM_NO_INT;
	assert_int_equal(n, w->names);
	for (unsigned k = 0; k < n; k++) {
		struct dm_buf text;
		enum dm_obs_type t;

		dm_buf_init(&text, 1000);
		dm_obs_text(DM_OBS_DOMAIN, dm_segment_key(g, (uint32_t)dm_segment_number(c, first + k), &t),
			    &text);
		assert_int_equal(t, DM_OBS_DOMAIN);
		assert_string_equal(dm_buf_cstr(&text), w->name[k]);
		dm_buf_done(&text);
	}
}

static bool row_has(const struct plain_row *w, enum dm_obs_type t, struct dm_sv key)
{
	const struct dm_ip *ip[2] = {&w->src, &w->dst};
	bool hit = false;

	for (int i = 0; i < 2; i++)
		hit = hit || (t == DM_OBS_IPV4 && dm_ip_is4(ip[i]) && !memcmp(ip[i]->b + 12, key.p, 4)) ||
		      (t == DM_OBS_IPV6 && !dm_ip_is4(ip[i]) && !memcmp(ip[i]->b, key.p, 16));
	for (unsigned k = 0; t == DM_OBS_DOMAIN && k < w->names; k++) {
		struct dm_buf own;

		dm_buf_init(&own, 1000);
		dm_domain_key(dm_sv_str(w->name[k]), &own);
		hit = hit || dm_sv_eq(dm_buf_view(&own), key);
		dm_buf_done(&own);
	}
	return hit;
}

/* Every posting list against a look at every row. */
static void compare_postings(struct dm_segment *g, const struct sample *s, const struct dm_sealed *sealed)
{
	struct dm_hits h = {0};

	assert_int_equal(g->n_codes, sealed->n_values);
	for (uint32_t code = 0; code < g->n_codes; code++) {
		enum dm_obs_type t;
		struct dm_sv key = dm_segment_key(g, code, &t);
		uint32_t found, rows = 0, distinct = 0;
		int64_t first = INT64_MAX, last = INT64_MIN;
		uint8_t seen[MAX_ROWS] = {0};

		assert_true(dm_segment_find(g, t, key, &found) && found == code);
		for (uint32_t i = 0; i < s->n; i++)
			if (row_has(&s->row[i], t, key)) {
				rows++;
				first = s->row[i].time < first ? s->row[i].time : first;
				last = s->row[i].time > last ? s->row[i].time : last;
			}
		h.n = 0;
		assert_int_equal(dm_segment_hits(g, code, &h, NULL), 0);
		for (size_t i = 0; i < h.n; i++) {
			assert_true(row_has(&s->row[dm_segment_line(g, h.v[i].row) - 9], t, key));
			distinct += !seen[h.v[i].row];
			seen[h.v[i].row] = 1;
		}
		assert_int_equal(distinct, rows);
		assert_int_equal(sealed->values[code].count, rows);
		assert_true(sealed->values[code].first == first && sealed->values[code].last == last);
	}
	dm_free(h.v);
}

static void compare_all(struct dm_segment *g, const struct sample *s)
{
	assert_int_equal(g->h->rows, s->n);
	for (uint32_t r = 0; r < s->n; r++) {
		assert_true(!r || dm_segment_time(g, r) >= dm_segment_time(g, r - 1));
		compare_row(g, r, &s->row[dm_segment_line(g, r) - 9]);
	}
}

static void a_segment_gives_back_every_row(void **st)
{
	struct sample *s = malloc(sizeof *s);

	(void)st;
	for (int round = 0; round < 12; round++) {
		struct dm_builder *b = dm_builder_new(DM_KIND_FLOW, 16423, 0), *again;
		struct dm_sealed sealed, resealed;
		struct dm_segment *g, *g2;
		struct dm_arena arena = {0};
		struct dm_batch *batch = malloc(sizeof *batch);
		uint32_t *imports, n = round ? (uint32_t)(rnd() % MAX_ROWS) + 1 : 1, cut;
		uint64_t *ordinals;

		fill(s, n);
		cut = (uint32_t)(rnd() % n); /* in two pieces, as it comes from a worker */
		assert_int_equal(dm_builder_append(b, &s->batch, 0, cut, 7, 100, NULL, NULL), 0);
		assert_int_equal(dm_builder_append(b, &s->batch, cut, n, 7, 100 + cut, NULL, NULL), 0);
		assert_int_equal(dm_builder_seal(b, &sealed, NULL), 0);
		assert_int_equal(dm_segment_open_bytes(&g, (uint8_t *)sealed.bytes.p, sealed.bytes.n, NULL),
				 0);
		assert_int_equal(dm_segment_check(g, NULL), 0);
		compare_all(g, s);
		compare_postings(g, s, &sealed);
		/* Through a batch and back: what compaction does. */
		again = dm_builder_new(DM_KIND_FLOW, 16423, 0);
		assert_int_equal(dm_segment_batch(g, 0, n, &arena, batch, &imports, &ordinals, NULL), 0);
		assert_int_equal(dm_builder_append(again, batch, 0, n, 0, 0, imports, ordinals), 0);
		assert_int_equal(dm_builder_seal(again, &resealed, NULL), 0);
		assert_int_equal(
			dm_segment_open_bytes(&g2, (uint8_t *)resealed.bytes.p, resealed.bytes.n, NULL), 0);
		compare_all(g2, s);
		compare_postings(g2, s, &resealed);
		for (uint32_t r = 0; r < n; r++)
			assert_true(dm_segment_ordinal(g, r) == dm_segment_ordinal(g2, r));
		assert_false(g->corrupt || g2->corrupt);
		dm_segment_close(g);
		dm_segment_close(g2);
		dm_sealed_done(&sealed);
		dm_sealed_done(&resealed);
		dm_builder_free(b);
		dm_builder_free(again);
		dm_arena_done(&arena);
		free(batch);
		drop(s);
	}
	free(s);
}

/* A damaged file may give wrong values, never a wrong access; most damage is refused at once or by the
 * checksums. */
static void a_damaged_segment_is_noticed(void **st)
{
	struct sample *s = malloc(sizeof *s);
	struct dm_builder *b = dm_builder_new(DM_KIND_FLOW, 16423, 0);
	struct dm_sealed sealed;

	(void)st;
	fill(s, 700);
	assert_int_equal(dm_builder_append(b, &s->batch, 0, 700, 7, 0, NULL, NULL), 0);
	assert_int_equal(dm_builder_seal(b, &sealed, NULL), 0);
	for (int round = 0; round < 1500; round++) {
		size_t n = rnd() % 8 ? sealed.bytes.n : rnd() % sealed.bytes.n;
		uint8_t *copy = malloc(n + 1);
		struct dm_segment *g = NULL;
		struct dm_hits h = {0};

		memcpy(copy, sealed.bytes.p, n);
		if (n)
			copy[rnd() % n] ^= (uint8_t)(1u << rnd() % 8);
		if (!dm_segment_open_bytes(&g, copy, n, NULL)) {
			struct dm_arena arena = {0};
			struct dm_batch *batch = malloc(sizeof *batch);
			uint32_t *imports;
			uint64_t *ordinals;
			int sums = dm_segment_check(g, NULL);

			for (uint32_t code = 0; code < g->n_codes; code += 7)
				dm_segment_hits(g, code, &h, NULL);
			dm_segment_batch(g, 0, g->h->rows, &arena, batch, &imports, &ordinals, NULL);
			(void)sums;
			dm_arena_done(&arena);
			free(batch);
		}
		dm_segment_close(g);
		dm_free(h.v);
		free(copy);
	}
	dm_sealed_done(&sealed);
	dm_builder_free(b);
	drop(s);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_come_back),
		cmocka_unit_test(broken_integers_stay_inside),
		cmocka_unit_test(strings_come_back_and_are_found),
		cmocka_unit_test(a_segment_gives_back_every_row),
		cmocka_unit_test(a_damaged_segment_is_noticed),
	};
	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
