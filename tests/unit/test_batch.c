/* Frames between worker and node: what goes in comes out, and what is broken is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "import/batch.h"

static uint64_t seed = 42;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* All that a writer sent, in a temporary file. */
struct capture {
	int fd;
	struct dm_batch_writer *w;
	uint8_t *bytes;
	size_t n, at;
};

static struct capture capture_start(void)
{
	struct capture c = {.fd = memfd_create("frames", MFD_CLOEXEC)};

	assert_true(c.fd >= 0);
	assert_int_equal(dm_batch_writer_new(&c.w, c.fd), DM_OK);
	return c;
}

static void capture_read(struct capture *c)
{
	off_t n = lseek(c->fd, 0, SEEK_END);

	assert_true(n >= 0 && n % 8 == 0);
	c->n = (size_t)n;
	c->bytes = dm_alloc(c->n + 8);
	assert_non_null(c->bytes);
	assert_int_equal(pread(c->fd, c->bytes, c->n, 0), n);
}

static bool capture_next(struct capture *c, uint32_t *ret_type, const uint8_t **ret_payload, uint32_t *ret_n)
{
	uint32_t head[2];

	if (c->at == c->n)
		return false;
	assert_true(c->n - c->at >= DM_FRAME_HEADER);
	memcpy(head, c->bytes + c->at, sizeof head);
	assert_true(head[0] <= DM_MAX_FRAME && DM_FRAME_PAD(head[0]) <= c->n - c->at - DM_FRAME_HEADER);
	*ret_type = head[1];
	*ret_n = head[0];
	*ret_payload = c->bytes + c->at + DM_FRAME_HEADER;
	c->at += DM_FRAME_HEADER + DM_FRAME_PAD(head[0]);
	return true;
}

static void capture_done(struct capture *c)
{
	dm_batch_writer_free(c->w);
	dm_free(c->bytes);
	close(c->fd);
}

/* A value as the test remembers it. */
struct kept {
	uint64_t line;
	size_t order;
	int kind;
	struct dm_value v;
	char text[64];
};

#define ROWS 9000
#define LOG  200000u

struct story {
	struct kept *kept;
	size_t n;
	uint64_t rows[DM_KINDS];
};

static const uint16_t flow_fields[] = {DM_F_DURATION,	   DM_F_SRC_IP,		 DM_F_SRC_PORT,
				       DM_F_DST_IP,	   DM_F_TRANSPORT,	 DM_F_SRC_BYTES,
				       DM_F_EVENT_ID,	   DM_F_SRC_LOCAL,	 DM_F_MD5,
				       DM_F_DNS_ANSWER_IP, DM_F_DNS_ANSWER_NAME, DM_F_DNS_TTL};

static void add_random_value(struct dm_record *r, struct story *s, uint16_t field)
{
	struct kept *k = &s->kept[s->n++];
	struct dm_value *v = &k->v;

	assert_true(s->n <= LOG);
	*k = (struct kept){.line = r->line, .order = s->n, .kind = (int)r->kind};
	v->field = field;
	v->type = (uint8_t)dm_field_info[field].type;
	v->obs = (uint8_t)dm_field_info[field].obs;
	if (v->type == DM_T_IP) {
		for (size_t i = 0; i < 16; i++)
			v->ip.b[i] = (uint8_t)rnd(256);
	} else if (v->type == DM_T_TEXT) {
		size_t n = rnd(sizeof k->text);

		for (size_t i = 0; i < n; i++)
			k->text[i] = (char)('a' + rnd(26));
		v->text = dm_sv(k->text, n);
		if (field == DM_F_MD5 && rnd(4) == 0)
			v->obs = DM_OBS_SHA256;
	} else {
		v->i = v->type == DM_T_BOOL ? rnd(2) : (int64_t)rnd(UINT32_MAX) - 7;
	}
	r->v[r->count++] = *v;
}

static void send_random_rows(struct story *s, struct dm_sink *sink)
{
	struct dm_record *r = dm_calloc(1, sizeof *r);

	assert_non_null(r);
	for (uint64_t line = 1; line <= ROWS; line++) {
		r->kind = rnd(3) ? DM_KIND_FLOW : DM_KIND_DNS;
		r->line = line + (r->kind == DM_KIND_DNS);
		r->time = (int64_t)line * 1000;
		r->count = 0;
		for (size_t i = 0; i < sizeof flow_fields / sizeof *flow_fields; i++) {
			bool many = flow_fields[i] >= DM_F_DNS_ANSWER_IP && flow_fields[i] <= DM_F_DNS_TTL;
			uint32_t n = i < 2 ? 1 : many ? rnd(4) : rnd(3) > 0;

			while (n--)
				add_random_value(r, s, flow_fields[i]);
		}
		s->rows[r->kind]++;
		assert_int_equal(sink->record(sink, r), DM_OK);
		if (rnd(1000) == 0)
			assert_int_equal(sink->progress(sink, line * 100, line), DM_OK);
	}
	dm_free(r);
}

static int by_place(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind - y->kind;
	if (x->v.field != y->v.field)
		return x->v.field - y->v.field;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Compares one batch with what was kept; `next[kind][field]` is the first value not yet seen. Returns the
 * values seen. */
static size_t compare_batch(const struct dm_batch *b, const struct story *s, size_t next[DM_KINDS][DM_FIELDS])
{
	size_t values = 0;

	for (uint32_t i = 0; i < b->ncolumns; i++) {
		const struct dm_column *c = &b->col[i];
		const char *text = c->heap;

		values += c->n;

		for (uint32_t j = 0; j < c->n; j++) {
			const struct kept *k = &s->kept[next[b->kind][c->field]++];
			uint32_t row = c->rows ? c->rows[j] : j;

			assert_int_equal(k->kind, b->kind);
			assert_int_equal(k->v.field, c->field);
			assert_int_equal(k->line, b->line[row]);
			if (c->ints)
				assert_true(c->ints[j] == k->v.i);
			if (c->ips)
				assert_memory_equal(&c->ips[j], &k->v.ip, 16);
			if (c->lens) {
				assert_int_equal(c->lens[j], k->v.text.n);
				assert_memory_equal(text, k->text, c->lens[j]);
				assert_int_equal(c->obs ? c->obs[j] : (uint8_t)dm_field_info[c->field].obs,
						 k->v.obs);
				text += c->lens[j];
			}
		}
	}
	return values;
}

static void rows_come_out_as_they_went_in(void **state)
{
	struct story s = {.kept = dm_calloc(LOG, sizeof *s.kept)};
	static size_t next[DM_KINDS][DM_FIELDS];
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	struct capture c = capture_start();
	uint64_t rows[DM_KINDS] = {0}, last[DM_KINDS] = {0}, progress = 0;
	uint32_t type, n;
	size_t values = 0;
	const uint8_t *p;

	(void)state;
	assert_true(s.kept && b);
	assert_int_equal(dm_batch_writer_format(c.w, "zeek-tsv"), DM_OK);
	send_random_rows(&s, dm_batch_writer_sink(c.w));
	assert_int_equal(dm_batch_writer_finish(c.w, DM_OK, NULL), DM_OK);
	capture_read(&c);
	qsort(s.kept, s.n, sizeof *s.kept, by_place);
	for (size_t i = s.n; i-- > 0;)
		next[s.kept[i].kind][s.kept[i].v.field] = i;
	while (capture_next(&c, &type, &p, &n)) {
		if (type == DM_FRAME_PROGRESS)
			progress++;
		if (type != DM_FRAME_ROWS)
			continue;
		assert_int_equal(dm_batch_open(b, p, n, NULL), DM_OK);
		assert_true(b->line[0] >= last[b->kind]);
		last[b->kind] = b->line[b->nrows - 1];
		rows[b->kind] += b->nrows;
		values += compare_batch(b, &s, next);
	}
	assert_int_equal(rows[DM_KIND_FLOW], s.rows[DM_KIND_FLOW]);
	assert_int_equal(rows[DM_KIND_DNS], s.rows[DM_KIND_DNS]);
	assert_int_equal(values, s.n);
	assert_true(progress > 0);
	capture_done(&c);
	dm_free(b);
	dm_free(s.kept);
}

/* Reads every byte that a batch promises: a sanitizer build sees a step too far. */
static uint64_t walk(const struct dm_batch *b)
{
	uint64_t sum = (uint64_t)b->time[b->nrows - 1] + b->line[0];

	for (uint32_t i = 0; i < b->ncolumns; i++) {
		const struct dm_column *c = &b->col[i];
		size_t at = 0;

		for (uint32_t j = 0; j < c->n; j++) {
			sum += b->line[c->rows ? c->rows[j] : j];
			sum += c->ints ? (uint64_t)c->ints[j] : 0;
			sum += c->ips ? c->ips[j].b[15] : 0;
			sum += c->obs ? c->obs[j] : 0;
			for (uint32_t x = 0; c->lens && x < c->lens[j]; x++)
				sum += (uint8_t)c->heap[at++];
		}
	}
	return sum;
}

static struct dm_record *record_new(uint64_t line)
{
	struct dm_record *r = dm_calloc(1, sizeof *r);

	assert_non_null(r);
	r->kind = DM_KIND_FLOW;
	r->line = line;
	return r;
}

static void put_int(struct dm_record *r, enum dm_field f, int64_t i)
{
	r->v[r->count++] =
		(struct dm_value){.field = (uint16_t)f, .type = (uint8_t)dm_field_info[f].type, .i = i};
}

static void put_text(struct dm_record *r, enum dm_field f, struct dm_sv text)
{
	r->v[r->count++] = (struct dm_value){
		.field = (uint16_t)f, .type = DM_T_TEXT, .obs = (uint8_t)dm_field_info[f].obs, .text = text};
}

/* The first frame of rows that a writer sent after `finish`. */
static const uint8_t *first_rows(struct capture *c, uint32_t *ret_n)
{
	uint32_t type;
	const uint8_t *p;

	assert_int_equal(dm_batch_writer_finish(c->w, DM_OK, NULL), DM_OK);
	capture_read(c);
	while (capture_next(c, &type, &p, ret_n))
		if (type == DM_FRAME_ROWS)
			return p;
	fail_msg("no rows were sent");
	return NULL;
}

static void a_line_that_goes_back_opens_another_batch(void **state)
{
	static const uint64_t lines[] = {5, 5, 6, 4, 9};
	struct capture c = capture_start();
	struct dm_sink *sink = dm_batch_writer_sink(c.w);
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	uint32_t type, n, batches = 0;
	const uint8_t *p;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct dm_record *r = record_new(lines[i]);

		assert_int_equal(sink->record(sink, r), DM_OK);
		dm_free(r);
	}
	assert_int_equal(dm_batch_writer_finish(c.w, DM_OK, NULL), DM_OK);
	capture_read(&c);
	while (capture_next(&c, &type, &p, &n)) {
		if (type != DM_FRAME_ROWS)
			continue;
		assert_int_equal(dm_batch_open(b, p, n, NULL), DM_OK);
		assert_int_equal(b->nrows, batches++ ? 2 : 3);
	}
	assert_int_equal(batches, 2);
	capture_done(&c);
	dm_free(b);
}

/* Just under and just over DM_MAX_VALUES, DM_MAX_BATCH_ROWS and DM_MAX_RECORD. */
static void values_of_a_field(uint32_t n, int expect)
{
	struct capture c = capture_start();
	struct dm_sink *sink = dm_batch_writer_sink(c.w);
	struct dm_record *r = record_new(1);
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	const uint8_t *p;
	uint32_t size;

	for (uint32_t i = 0; i < n; i++)
		put_text(r, DM_F_SAN_DOMAIN, DM_SV("example.org"));
	assert_int_equal(sink->record(sink, r), DM_OK);
	p = first_rows(&c, &size);
	assert_int_equal(dm_batch_open(b, p, size, NULL), expect);
	capture_done(&c);
	dm_free(b);
	dm_free(r);
}

static void a_row_has_a_bounded_number_of_values(void **state)
{
	(void)state;
	values_of_a_field(DM_MAX_VALUES, DM_OK);
	values_of_a_field(DM_MAX_VALUES + 1, DM_EWORKER);
}

static void text_of_length(size_t n, int expect)
{
	struct capture c = capture_start();
	struct dm_sink *sink = dm_batch_writer_sink(c.w);
	struct dm_record *r = record_new(1);
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	char *text = dm_calloc(1, n);
	const uint8_t *p;
	uint32_t size;

	put_text(r, DM_F_MESSAGE, dm_sv(text, n));
	assert_int_equal(sink->record(sink, r), DM_OK);
	p = first_rows(&c, &size);
	assert_int_equal(dm_batch_open(b, p, size, NULL), expect);
	capture_done(&c);
	dm_free(text);
	dm_free(b);
	dm_free(r);
}

static void a_text_has_a_bounded_length(void **state)
{
	(void)state;
	text_of_length(DM_MAX_RECORD, DM_OK);
	text_of_length(DM_MAX_RECORD + 1, DM_EWORKER);
}

static void a_batch_has_a_bounded_number_of_rows(void **state)
{
	struct capture c = capture_start();
	struct dm_sink *sink = dm_batch_writer_sink(c.w);
	struct dm_record *r = record_new(1);
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	uint32_t size;
	uint8_t *p;

	(void)state;
	put_int(r, DM_F_SRC_BYTES, 1);
	for (uint32_t i = 0; i < DM_MAX_BATCH_ROWS + 1; i++)
		assert_int_equal(sink->record(sink, r), DM_OK);
	p = (uint8_t *)(uintptr_t)first_rows(&c, &size);
	assert_int_equal(dm_batch_open(b, p, size, NULL), DM_OK);
	assert_int_equal(b->nrows, DM_MAX_BATCH_ROWS);
	p[4]++; /* one more than the arrays hold */
	assert_int_equal(dm_batch_open(b, p, size, NULL), DM_EWORKER);
	capture_done(&c);
	dm_free(b);
	dm_free(r);
}

static void a_record_that_fails_leaves_nothing_behind(void **state)
{
	struct capture c = capture_start();
	struct dm_sink *sink = dm_batch_writer_sink(c.w);
	struct dm_record *good = record_new(1), *bad = record_new(2);
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	const uint8_t *p;
	uint32_t size;

	(void)state;
	put_int(good, DM_F_SRC_BYTES, 7);
	put_text(good, DM_F_MESSAGE, DM_SV("kept"));
	put_int(bad, DM_F_SRC_BYTES, 8);
	put_text(bad, DM_F_MESSAGE, DM_SV("lost"));
	put_int(bad, DM_F_MESSAGE, 9);
	bad->v[2].type = DM_T_INT;
	assert_int_equal(sink->record(sink, good), DM_OK);
	assert_int_equal(sink->record(sink, bad), DM_EINVAL);
	p = first_rows(&c, &size);
	assert_int_equal(dm_batch_open(b, p, size, NULL), DM_OK);
	assert_int_equal(b->nrows, 1);
	assert_int_equal(b->ncolumns, 2);
	assert_int_equal(b->col[1].heap_n, 4);
	capture_done(&c);
	dm_free(b);
	dm_free(good);
	dm_free(bad);
}

/* A frame of every column type, about 400 rows. */
static uint8_t *sample_frame(uint32_t *ret_n)
{
	struct story s = {.kept = dm_calloc(LOG, sizeof *s.kept)};
	struct capture c = capture_start();
	struct dm_sink *sink = dm_batch_writer_sink(c.w);
	struct dm_record *r = record_new(1);
	const uint8_t *p;
	uint8_t *copy;

	for (uint64_t line = 1; line <= 400; line++) {
		r->line = line;
		r->count = 0;
		for (size_t i = 0; i < sizeof flow_fields / sizeof *flow_fields; i++)
			if (i < 3 || rnd(2))
				add_random_value(r, &s, flow_fields[i]);
		assert_int_equal(sink->record(sink, r), DM_OK);
	}
	p = first_rows(&c, ret_n);
	copy = dm_alloc(*ret_n);
	assert_non_null(copy);
	memcpy(copy, p, *ret_n);
	capture_done(&c);
	dm_free(s.kept);
	dm_free(r);
	return copy;
}

static void mutated_frames_are_refused_or_harmless(void **state)
{
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	uint32_t n, refused = 0;
	uint8_t *frame = sample_frame(&n), *copy = dm_alloc(n);
	volatile uint64_t sum = 0;

	(void)state;
	assert_true(b && copy);
	for (uint32_t round = 0; round < 20000; round++) {
		/* most of the blows go to the headers: the first rows of the arrays are dull */
		uint32_t heads = 8 + 400 * 16, where = rnd(3) ? heads + rnd(16 * 12) : rnd(n);

		memcpy(copy, frame, n);
		copy[rnd(4) ? where : rnd(8)] ^= (uint8_t)(1u << rnd(8));
		if (dm_batch_open(b, copy, n, NULL))
			refused++;
		else
			sum += walk(b);
	}
	(void)sum;
	assert_true(refused > 1000 && refused < 20000);
	dm_free(copy);
	dm_free(frame);
	dm_free(b);
}

static void cut_frames_are_refused(void **state)
{
	struct dm_batch *b = dm_calloc(1, sizeof *b);
	uint32_t n;
	uint8_t *frame = sample_frame(&n);

	(void)state;
	for (uint32_t cut = 0; cut < n; cut += cut < 8000 ? 1 : 97) {
		uint8_t *copy = dm_alloc(cut); /* exact size: a read behind it is seen */

		assert_non_null(copy);
		memcpy(copy, frame, cut);
		assert_int_equal(dm_batch_open(b, copy, cut, NULL), DM_EWORKER);
		dm_free(copy);
	}
	dm_free(frame);
	dm_free(b);
}

static struct dm_indicator sample_indicator(void)
{
	return (struct dm_indicator){.form = DM_IND_RANGE,
				     .type = DM_OBS_IPV4,
				     .key = DM_SV("\1\2\3\0"),
				     .key2 = DM_SV("\1\2\3\377"),
				     .value = DM_SV("1.2.3.0/24"),
				     .original = DM_SV("1.2.3[.]0/24"),
				     .id = DM_SV("indicator--1"),
				     .source = DM_SV("report"),
				     .label = DM_SV(""),
				     .marking = DM_SV("TLP:GREEN"),
				     .valid_from = DM_NO_TIME,
				     .valid_until = 77,
				     .line = 3,
				     .flags = DM_FLAG_OWN | DM_FLAG_BROAD,
				     .confidence = 255};
}

static int same_indicator(void *ctx, const struct dm_indicator *i)
{
	struct dm_indicator want = sample_indicator();

	assert_int_equal(i->form, want.form);
	assert_int_equal(i->type, want.type);
	assert_true(dm_sv_eq(i->key, want.key) && dm_sv_eq(i->key2, want.key2) &&
		    dm_sv_eq(i->value, want.value));
	assert_true(dm_sv_eq(i->original, want.original) && dm_sv_eq(i->id, want.id) &&
		    dm_sv_eq(i->source, want.source));
	assert_true(dm_sv_eq(i->label, want.label) && dm_sv_eq(i->marking, want.marking));
	assert_true(i->valid_from == DM_NO_TIME && i->valid_until == 77 && i->line == 3);
	assert_int_equal(i->flags, want.flags);
	assert_int_equal(i->confidence, 255);
	++*(uint32_t *)ctx;
	return DM_OK;
}

static void indicators_and_facts_keep_their_order(void **state)
{
	struct dm_indicator ind = sample_indicator();
	struct capture c = capture_start();
	struct dm_sink *sink = dm_batch_writer_sink(c.w);
	uint32_t type, n, count = 0;
	const uint8_t *p;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(sink->indicator(sink, &ind), DM_OK);
	assert_int_equal(sink->meta(sink, "warninglist", DM_SV("known good")), DM_OK);
	assert_int_equal(sink->indicator(sink, &ind), DM_OK);
	assert_int_equal(dm_batch_writer_finish(c.w, DM_OK, NULL), DM_OK);
	capture_read(&c);
	assert_true(capture_next(&c, &type, &p, &n) && type == DM_FRAME_INDICATORS);
	assert_int_equal(dm_batch_indicators(p, n, same_indicator, &count, NULL), DM_OK);
	assert_int_equal(count, 2);
	assert_true(capture_next(&c, &type, &p, &n) && type == DM_FRAME_META);
	assert_int_equal(n, 22);
	assert_memory_equal(p, "warninglist\0known good", 22);
	assert_true(capture_next(&c, &type, &p, &n) && type == DM_FRAME_INDICATORS);
	assert_int_equal(dm_batch_indicators(p, n, same_indicator, &count, NULL), DM_OK);
	assert_int_equal(count, 3);
	/* every cut is seen, but for the one that leaves nothing */
	for (uint32_t cut = 1; cut < n; cut++)
		assert_int_equal(dm_batch_indicators(p, cut, same_indicator, &count, NULL), DM_EWORKER);
	capture_done(&c);
}

static int never(void *ctx, const struct dm_indicator *i)
{
	(void)ctx;
	(void)i;
	fail_msg("a broken indicator got through");
	return DM_OK;
}

static void impossible_indicators_are_refused(void **state)
{
	struct dm_indicator bad[5];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		bad[i] = sample_indicator();
	bad[0].key2 = DM_SV("\1\2\2\377"); /* ends before it starts */
	bad[1].key = DM_SV("\1\2\3");
	bad[2].type = DM_OBS_TYPES;
	bad[3].form = DM_IND_SUFFIX;
	bad[4].form = DM_IND_PATTERN;
	for (size_t i = 0; i < 5; i++) {
		struct capture c = capture_start();
		struct dm_sink *sink = dm_batch_writer_sink(c.w);
		uint32_t type, n;
		const uint8_t *p;

		assert_int_equal(sink->indicator(sink, &bad[i]), DM_OK);
		assert_int_equal(dm_batch_writer_finish(c.w, DM_OK, NULL), DM_OK);
		capture_read(&c);
		assert_true(capture_next(&c, &type, &p, &n) && type == DM_FRAME_INDICATORS);
		assert_int_equal(dm_batch_indicators(p, n, never, NULL, NULL), DM_EWORKER);
		capture_done(&c);
	}
}

static void the_last_frame_carries_the_error(void **state)
{
	struct dm_err sent = {.line = 9, .offset = 1ull << 40, .has_offset = 1}, got = {0};
	struct capture c = capture_start();
	uint32_t type, n;
	const uint8_t *p;
	int code = 0;

	(void)state;
	dm_fail(&sent, DM_ELIMIT, "too much of it");
	dm_err_source(&sent, "conn.log");
	dm_err_remedy(&sent, "cut it");
	assert_int_equal(dm_batch_writer_finish(c.w, DM_ELIMIT, &sent), DM_OK);
	capture_read(&c);
	assert_true(capture_next(&c, &type, &p, &n) && type == DM_FRAME_DONE);
	assert_int_equal(dm_batch_done_open(p, n, &code, &got, NULL), DM_OK);
	assert_int_equal(code, DM_ELIMIT);
	assert_true(got.code == DM_ELIMIT && got.line == 9 && got.offset == 1ull << 40 && got.has_offset);
	assert_string_equal(got.source, "conn.log");
	assert_string_equal(got.msg, "too much of it");
	assert_string_equal(got.remedy, "cut it");
	assert_int_equal(dm_batch_done_open(p, 27, &code, &got, NULL), DM_EWORKER);
	capture_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_out_as_they_went_in),
		cmocka_unit_test(a_line_that_goes_back_opens_another_batch),
		cmocka_unit_test(a_row_has_a_bounded_number_of_values),
		cmocka_unit_test(a_text_has_a_bounded_length),
		cmocka_unit_test(a_batch_has_a_bounded_number_of_rows),
		cmocka_unit_test(a_record_that_fails_leaves_nothing_behind),
		cmocka_unit_test(mutated_frames_are_refused_or_harmless),
		cmocka_unit_test(cut_frames_are_refused),
		cmocka_unit_test(indicators_and_facts_keep_their_order),
		cmocka_unit_test(impossible_indicators_are_refused),
		cmocka_unit_test(the_last_frame_carries_the_error),
	};
	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
