/* The worker's side of the frames: a sink that packs records into columns.
 *
 * This is on the way of every row of an import, between a parser that takes about 200 ns a row and a pipe:
 * adding a value is a store at the end of two or three arrays of its (kind, field), found by number; nothing
 * is hashed, searched or allocated once the first batch has grown the arrays. A frame is written from the
 * arrays where they lie (writev).
 */
#include "import/batch.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/time.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "frames and stored columns are little-endian in memory");
_Static_assert(DM_MAX_BATCH_ROWS <= UINT16_MAX, "row numbers of a batch are 16 bits");

#define SMALL_FLUSH   (64u << 10)  /* bytes of small frames held back */
#define INDICATOR_RUN (256u << 10) /* bytes of indicators in one frame */
#define ROWS_WORTH_IT 1024u	   /* rows for which a progress() flushes at once ... */
#define PROGRESS_US   200000u	   /* ... or the time since the last flush */
#define COLUMN_FIRST  512u	   /* values a column has room for at first */
#define COLUMN_IOVS   5u	   /* pieces of one column in a frame, padding apart */

struct column {
	uint32_t n, cap;
	uint8_t type;
	uint8_t obs_default;
	uint16_t *rows;
	union {
		int64_t *ints;
		struct dm_ip *ips;
		uint32_t *lens;
	};
	uint8_t *obs;
	char *heap;
	size_t heap_n, heap_cap;
	void *block; /* rows, values and obs in one allocation */
};

struct kind_rows {
	uint32_t n;
	size_t bytes; /* of values, for DM_BATCH_FLUSH */
	int64_t time[DM_MAX_BATCH_ROWS];
	uint64_t line[DM_MAX_BATCH_ROWS];
	struct column *col[DM_FIELDS];
};

struct dm_batch_writer {
	struct dm_sink sink; /* first: the sink is the writer */
	int fd;
	const struct dm_stream *in;
	struct kind_rows *kind[DM_KINDS];
	struct dm_buf indicators; /* payload of the INDICATORS frame to be */
	struct dm_buf small;	  /* whole small frames */
	uint64_t progress_offset, progress_line;
	bool progress_due;
	uint64_t flushed_us;
};

struct column_header {
	uint16_t field;
	uint8_t type;
	uint8_t flags;
	uint32_t n;
	uint32_t heap_n;
	uint32_t zero;
};
_Static_assert(sizeof(struct column_header) == 16, "layout on the wire");

static int write_iov(int fd, struct iovec *iov, size_t n)
{
	while (n > 0) {
		ssize_t r = writev(fd, iov, (int)n);

		if (r < 0) {
			if (errno == EINTR)
				continue;
			return DM_EIO;
		}
		while (n > 0 && (size_t)r >= iov->iov_len) {
			r -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + r;
			iov->iov_len -= (size_t)r;
		}
	}
	return DM_OK;
}

static int flush_small(struct dm_batch_writer *w)
{
	struct iovec iov = {.iov_base = w->small.p, .iov_len = w->small.n};
	int rc;

	if (w->small.err)
		return w->small.err;
	rc = w->small.n ? write_iov(w->fd, &iov, 1) : DM_OK;
	dm_buf_clear(&w->small);
	return rc;
}

static void put_header(struct dm_buf *b, size_t payload, enum dm_frame_type type)
{
	dm_buf_u32le(b, (uint32_t)payload);
	dm_buf_u32le(b, (uint32_t)type);
}

static void put_zeros(struct dm_buf *b, size_t payload)
{
	dm_buf_put(b, "\0\0\0\0\0\0\0", DM_FRAME_PAD(payload) - payload);
}

/* One small frame of up to three pieces, kept until it pays to write. */
static int small_frame(struct dm_batch_writer *w, enum dm_frame_type type, struct dm_sv a, struct dm_sv b,
		       struct dm_sv c)
{
	size_t n = a.n + b.n + c.n;

	if (n > DM_MAX_FRAME)
		return DM_ELIMIT;
	put_header(&w->small, n, type);
	dm_buf_sv(&w->small, a);
	dm_buf_sv(&w->small, b);
	dm_buf_sv(&w->small, c);
	put_zeros(&w->small, n);
	return w->small.n >= SMALL_FLUSH || w->small.err ? flush_small(w) : DM_OK;
}

static int flush_indicators(struct dm_batch_writer *w)
{
	struct dm_sv run = dm_buf_view(&w->indicators);
	int rc;

	if (w->indicators.err)
		return w->indicators.err;
	if (!run.n)
		return DM_OK;
	rc = small_frame(w, DM_FRAME_INDICATORS, run, dm_sv("", 0), dm_sv("", 0));
	dm_buf_clear(&w->indicators);
	return rc;
}

/* Each column's arrays start at another offset within a page: columns grow in step, and arrays that lie at
 * equal offsets would fight for the same eight lines of the first-level cache. */
static size_t stagger(enum dm_field f)
{
	return (size_t)f * 5 % 61 * 64;
}

static int column_grow(struct column *c, enum dm_field f)
{
	size_t each = c->type == DM_T_IP     ? sizeof(struct dm_ip)
		      : c->type == DM_T_TEXT ? sizeof(uint32_t)
					     : sizeof(int64_t);
	uint32_t cap = c->cap ? 2 * c->cap : COLUMN_FIRST;
	size_t values = DM_FRAME_PAD(each * cap), rows = DM_FRAME_PAD(sizeof(uint16_t) * (size_t)cap);
	char *block = dm_alloc(stagger(f) + values + rows + cap);
	char *p;

	if (!block)
		return DM_ENOMEM;
	p = block + stagger(f);
	if (c->n) {
		memcpy(p, c->ints, each * c->n);
		memcpy(p + values, c->rows, sizeof(uint16_t) * (size_t)c->n);
		if (c->type == DM_T_TEXT)
			memcpy(p + values + rows, c->obs, c->n);
	}
	c->ints = (int64_t *)(void *)p;
	c->rows = (uint16_t *)(void *)(p + values);
	c->obs = (uint8_t *)(p + values + rows);
	c->cap = cap;
	dm_free(c->block);
	c->block = block;
	return DM_OK;
}

static struct column no_column; /* never written: cap is 0 */

static struct column *column_new(struct kind_rows *k, enum dm_field f)
{
	struct column *c = dm_calloc(1, sizeof *c);

	if (!c)
		return NULL;
	assert(dm_field_info[f].name);
	c->type = (uint8_t)dm_field_info[f].type;
	c->obs_default = (uint8_t)dm_field_info[f].obs;
	k->col[f] = c;
	return c;
}

/* Copies of a few bytes without a call: most values of a log are shorter than 32. */
static inline void copy_short(char *to, const char *from, size_t n)
{
	if (n > 32) {
		memcpy(to, from, n);
	} else if (n >= 16) {
		memcpy(to, from, 16);
		memcpy(to + n - 16, from + n - 16, 16);
	} else if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	} else if (n >= 2) {
		memcpy(to, from, 2);
		to[n - 1] = from[n - 1];
	} else if (n) {
		to[0] = from[0];
	}
}

static __attribute__((noinline)) int heap_grow(struct column *c, size_t more)
{
	return dm_grow((void **)&c->heap, &c->heap_cap,
		       c->heap_n + more < SMALL_FLUSH ? SMALL_FLUSH : c->heap_n + more, 1);
}

static inline int add_text(struct column *c, uint32_t n, const struct dm_value *v)
{
	size_t at = c->heap_n, len = v->text.n;

	if (__builtin_expect(c->heap_cap - at < len, 0) && heap_grow(c, len))
		return DM_ENOMEM;
	c->heap_n = at + len;
	c->lens[n] = (uint32_t)len;
	c->obs[n] = v->obs;
	copy_short(c->heap + at, v->text.p, len);
	return DM_OK;
}

/* A column that is full, or that is not there yet. */
static __attribute__((noinline)) int column_ready(struct kind_rows *k, enum dm_field f, struct column **ret)
{
	if (*ret == &no_column && !(*ret = column_new(k, f)))
		return DM_ENOMEM;
	return column_grow(*ret, f);
}

/* One test a value finds both a full column and a missing one, which is the empty no_column. */
static int add_values(struct kind_rows *k, const struct dm_record *r)
{
	uint16_t row = (uint16_t)k->n;
	size_t bytes = r->count * sizeof(struct dm_value);

	for (const struct dm_value *v = r->v, *end = v + r->count; v < end; v++) {
		struct column *c;
		uint32_t n;

		if (__builtin_expect(v->field >= DM_FIELDS, 0))
			return DM_EINVAL;
		c = k->col[v->field];
		n = c->n;
		if (__builtin_expect(n == c->cap, 0) && column_ready(k, (enum dm_field)v->field, &c))
			return DM_ENOMEM;
		if (__builtin_expect(v->type != c->type, 0))
			return DM_EINVAL;
		c->rows[n] = row;
		if (v->type == DM_T_TEXT) {
			if (add_text(c, n, v))
				return DM_ENOMEM;
			bytes += v->text.n;
		} else if (v->type == DM_T_IP) {
			c->ips[n] = v->ip;
		} else {
			c->ints[n] = v->i;
		}
		c->n = n + 1;
	}
	k->bytes += bytes;
	return DM_OK;
}

/* Takes back what a record that could not be added whole has left in the columns. */
static void undo_values(struct kind_rows *k)
{
	for (uint32_t f = 0; f < DM_FIELDS; f++) {
		struct column *c = k->col[f];

		while (c->n && c->rows[c->n - 1] == k->n) {
			c->n--;
			if (c->type == DM_T_TEXT)
				c->heap_n -= c->lens[c->n];
		}
	}
}

static bool obs_differ(const struct column *c)
{
	uint8_t other = 0;

	if (c->type != DM_T_TEXT || c->obs_default == DM_OBS_NONE)
		return false;
	for (uint32_t i = 0; i < c->n; i++)
		other |= c->obs[i] ^ c->obs_default;
	return other != 0;
}

static bool is_dense(const struct column *c, uint32_t nrows)
{
	uint32_t wrong = 0;

	if (c->n != nrows)
		return false;
	for (uint32_t i = 0; i < c->n; i++)
		wrong |= (uint32_t)c->rows[i] ^ i;
	return !wrong;
}

struct frame {
	struct iovec iov[16 + DM_FIELDS * 2 * COLUMN_IOVS];
	size_t n, bytes;
};

/* Adds a piece and the zeros that bring the next to a multiple of 8. */
static void frame_add(struct frame *f, const void *p, size_t n)
{
	static const uint64_t zeros;

	if (!n)
		return;
	f->iov[f->n++] = (struct iovec){.iov_base = (void *)(uintptr_t)p, .iov_len = n};
	if (n % 8)
		f->iov[f->n++] = (struct iovec){.iov_base = (void *)(uintptr_t)&zeros, .iov_len = 8 - n % 8};
	f->bytes += DM_FRAME_PAD(n);
}

static void frame_column(struct frame *f, const struct column *c, struct column_header *h, bool dense)
{
	if (!dense)
		frame_add(f, c->rows, sizeof(uint16_t) * c->n);
	if (c->type == DM_T_IP) {
		frame_add(f, c->ips, sizeof(struct dm_ip) * c->n);
	} else if (c->type == DM_T_TEXT) {
		frame_add(f, c->lens, sizeof(uint32_t) * c->n);
		if (h->flags & 2)
			frame_add(f, c->obs, c->n);
		frame_add(f, c->heap, c->heap_n);
	} else {
		frame_add(f, c->ints, sizeof(int64_t) * c->n);
	}
}

/* A frame can have more pieces than one writev takes. */
static int frame_write(int fd, struct frame *f)
{
	int rc = DM_OK;

	for (size_t at = 0; at < f->n && !rc; at += 512)
		rc = write_iov(fd, f->iov + at, f->n - at < 512 ? f->n - at : 512);
	return rc;
}

static void kind_empty(struct kind_rows *k)
{
	for (uint32_t f = 0; f < DM_FIELDS; f++) {
		if (!k->col[f]->n)
			continue;
		k->col[f]->n = 0;
		k->col[f]->heap_n = 0;
	}
	k->n = 0;
	k->bytes = 0;
}

static int flush_kind(struct dm_batch_writer *w, enum dm_kind kind)
{
	struct kind_rows *k = w->kind[kind];
	struct column_header head[DM_FIELDS] = {0};
	uint32_t first[2] = {0}, frame_head[2] = {0};
	struct frame f = {0};
	uint32_t ncol = 0;
	int rc;

	if (!k || !k->n)
		return DM_OK;
	for (uint32_t field = 0; field < DM_FIELDS; field++) {
		struct column *c = k->col[field];

		if (!c->n)
			continue;
		head[ncol++] = (struct column_header){
			.field = (uint16_t)field,
			.type = c->type,
			.n = c->n,
			.flags = (uint8_t)((is_dense(c, k->n) ? 0 : 1) | (obs_differ(c) ? 2 : 0)),
			.heap_n = c->type == DM_T_TEXT ? (uint32_t)c->heap_n : 0};
	}
	frame_add(&f, frame_head, sizeof frame_head);
	first[0] = (uint32_t)kind | ncol << 16;
	first[1] = k->n;
	frame_add(&f, first, sizeof first);
	frame_add(&f, k->time, sizeof *k->time * k->n);
	frame_add(&f, k->line, sizeof *k->line * k->n);
	frame_add(&f, head, sizeof *head * ncol);
	for (uint32_t i = 0; i < ncol; i++)
		frame_column(&f, k->col[head[i].field], &head[i], !(head[i].flags & 1));
	if (f.bytes - DM_FRAME_HEADER > DM_MAX_FRAME)
		return DM_ELIMIT;
	frame_head[0] = (uint32_t)(f.bytes - DM_FRAME_HEADER);
	frame_head[1] = DM_FRAME_ROWS;
	rc = flush_small(w);
	if (!rc)
		rc = frame_write(w->fd, &f);
	kind_empty(k);
	return rc;
}

static struct kind_rows *kind_new(void)
{
	struct kind_rows *k = dm_alloc(sizeof *k);

	if (!k)
		return NULL;
	k->n = 0;
	k->bytes = 0;
	for (uint32_t f = 0; f < DM_FIELDS; f++)
		k->col[f] = &no_column;
	return k;
}

static int sink_record(struct dm_sink *s, const struct dm_record *r)
{
	struct dm_batch_writer *w = (struct dm_batch_writer *)s;
	struct kind_rows *k;
	int rc;

	if (r->kind <= 0 || r->kind >= DM_KINDS)
		return DM_EINVAL;
	k = w->kind[r->kind];
	if (!k && !(k = w->kind[r->kind] = kind_new()))
		return DM_ENOMEM;
	if (k->n && __builtin_expect(r->line < k->line[k->n - 1], 0)) {
		rc = flush_kind(w, r->kind);
		if (rc)
			return rc;
	}
	k->time[k->n] = r->time;
	k->line[k->n] = r->line;
	rc = add_values(k, r);
	if (rc) {
		undo_values(k);
		return rc;
	}
	if (++k->n == DM_MAX_BATCH_ROWS || k->bytes >= DM_BATCH_FLUSH)
		return flush_kind(w, r->kind);
	return DM_OK;
}

static int sink_indicator(struct dm_sink *s, const struct dm_indicator *ind)
{
	struct dm_batch_writer *w = (struct dm_batch_writer *)s;
	const struct dm_sv text[] = {ind->key, ind->key2,   ind->value, ind->original,
				     ind->id,  ind->source, ind->label, ind->marking};
	struct dm_buf *b = &w->indicators;
	const uint8_t head[4] = {(uint8_t)ind->form, (uint8_t)ind->type, ind->confidence, 0};

	dm_buf_put(b, head, sizeof head);
	dm_buf_u32le(b, ind->flags);
	dm_buf_u64le(b, (uint64_t)ind->valid_from);
	dm_buf_u64le(b, (uint64_t)ind->valid_until);
	dm_buf_u64le(b, ind->line);
	for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
		if (text[i].n > DM_MAX_FRAME)
			return DM_ELIMIT;
		dm_buf_u32le(b, (uint32_t)text[i].n);
	}
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		dm_buf_sv(b, text[i]);
	return b->n >= INDICATOR_RUN || b->err ? flush_indicators(w) : DM_OK;
}

static int sink_skip(struct dm_sink *s, uint64_t line, const char *reason)
{
	return small_frame((struct dm_batch_writer *)s, DM_FRAME_SKIP,
			   dm_sv((const char *)&line, sizeof line), dm_sv_str(reason), dm_sv("", 0));
}

static int sink_meta(struct dm_sink *s, const char *key, struct dm_sv value)
{
	struct dm_batch_writer *w = (struct dm_batch_writer *)s;
	int rc = flush_indicators(w);

	return rc ? rc : small_frame(w, DM_FRAME_META, dm_sv_str(key), dm_sv("", 1), value);
}

static int flush_all(struct dm_batch_writer *w)
{
	uint64_t p[3] = {w->progress_offset, w->progress_line, w->in ? dm_stream_raw_offset(w->in) : 0};
	int rc = DM_OK;

	for (int kind = 0; kind < DM_KINDS && !rc; kind++)
		rc = flush_kind(w, (enum dm_kind)kind);
	if (!rc)
		rc = flush_indicators(w);
	if (!rc && w->progress_due)
		rc = small_frame(w, DM_FRAME_PROGRESS, dm_sv((const char *)p, sizeof p), dm_sv("", 0),
				 dm_sv("", 0));
	w->progress_due = false;
	w->flushed_us = dm_monotonic_us();
	return rc ? rc : flush_small(w);
}

/* Importers may say this after every line. A frame a line would cost more than the parsing, so what is small
 * and young waits. */
static int sink_progress(struct dm_sink *s, uint64_t offset, uint64_t line)
{
	struct dm_batch_writer *w = (struct dm_batch_writer *)s;
	uint64_t rows = 0;

	w->progress_offset = offset;
	w->progress_line = line;
	w->progress_due = true;
	for (int kind = 0; kind < DM_KINDS; kind++)
		rows += w->kind[kind] ? w->kind[kind]->n : 0;
	if (rows < ROWS_WORTH_IT && dm_monotonic_us() - w->flushed_us < PROGRESS_US)
		return DM_OK;
	return flush_all(w);
}

int dm_batch_writer_new(struct dm_batch_writer **ret, int fd)
{
	struct dm_batch_writer *w = dm_calloc(1, sizeof *w);

	if (!w)
		return DM_ENOMEM;
	w->sink = (struct dm_sink){.record = sink_record,
				   .indicator = sink_indicator,
				   .skip = sink_skip,
				   .meta = sink_meta,
				   .progress = sink_progress};
	w->fd = fd;
	w->flushed_us = dm_monotonic_us();
	dm_buf_init(&w->indicators, DM_MAX_FRAME);
	dm_buf_init(&w->small, DM_MAX_FRAME + SMALL_FLUSH + 64);
	*ret = w;
	return DM_OK;
}

struct dm_sink *dm_batch_writer_sink(struct dm_batch_writer *w)
{
	return &w->sink;
}

void dm_batch_writer_input(struct dm_batch_writer *w, const struct dm_stream *in)
{
	w->in = in;
}

int dm_batch_writer_format(struct dm_batch_writer *w, const char *importer_name)
{
	int rc = small_frame(w, DM_FRAME_FORMAT, dm_sv_str(importer_name), dm_sv("", 0), dm_sv("", 0));

	return rc ? rc : flush_small(w);
}

int dm_batch_writer_need(struct dm_batch_writer *w, const char *importer_name)
{
	int rc = small_frame(w, DM_FRAME_NEED, dm_sv_str(importer_name), dm_sv("", 0), dm_sv("", 0));

	return rc ? rc : flush_small(w);
}

int dm_batch_writer_finish(struct dm_batch_writer *w, int code, const struct dm_err *err)
{
	static const struct dm_err none;
	const struct dm_err *e = err ? err : &none;
	struct dm_buf b;
	int rc = flush_all(w);

	if (rc)
		return rc;
	dm_buf_init(&b, sizeof *e + 64);
	dm_buf_u32le(&b, (uint32_t)code);
	dm_buf_u32le(&b, (uint32_t)e->code);
	dm_buf_u64le(&b, e->line);
	dm_buf_u64le(&b, e->offset);
	dm_buf_u32le(&b, e->has_offset != 0);
	dm_buf_str(&b, e->source);
	dm_buf_putc(&b, 0);
	dm_buf_str(&b, e->msg);
	dm_buf_putc(&b, 0);
	dm_buf_str(&b, e->remedy);
	rc = b.err ? b.err : small_frame(w, DM_FRAME_DONE, dm_buf_view(&b), dm_sv("", 0), dm_sv("", 0));
	dm_buf_done(&b);
	return rc ? rc : flush_small(w);
}

static void kind_free(struct kind_rows *k)
{
	if (!k)
		return;
	for (uint32_t f = 0; f < DM_FIELDS; f++) {
		if (k->col[f] == &no_column)
			continue;
		dm_free(k->col[f]->block);
		dm_free(k->col[f]->heap);
		dm_free(k->col[f]);
	}
	dm_free(k);
}

void dm_batch_writer_free(struct dm_batch_writer *w)
{
	if (!w)
		return;
	for (int kind = 0; kind < DM_KINDS; kind++)
		kind_free(w->kind[kind]);
	dm_buf_done(&w->indicators);
	dm_buf_done(&w->small);
	dm_free(w);
}
