#include "evidence/ints.h"

#include "base/cur.h"
#include "base/limits.h"

#define HEADER	 8u
#define DIR_SIZE 16u
#define HAS_NULL 0x80u
#define CONSTANT 0xffu /* in place of the shift: one value for all */

struct block {
	int64_t base;
	uint32_t offset;
	uint16_t n_exc;
	uint8_t width, exc_width;
	bool has_null;
};

static unsigned bits_of(uint64_t v)
{
	unsigned w = v ? 64 - (unsigned)__builtin_clzll(v) : 0;

	return w > 56 ? 64 : w; /* one unaligned 8-byte load must hold a value */
}

/* Packs n values of w bits, padded to 8 bytes. */
static void pack(struct dm_buf *out, const uint64_t *v, uint32_t n, unsigned w)
{
	size_t words = ((size_t)n * w + 63) / 64;
	uint64_t acc = 0;
	unsigned used = 0;
	uint8_t *p;

	if (!words || !dm_buf_room(out, words * 8))
		return;
	p = (uint8_t *)out->p + out->n;
	out->n += words * 8;
	if (w == 64) {
		memcpy(p, v, (size_t)n * 8);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		acc |= v[i] << used;
		used += w;
		if (used >= 64) {
			memcpy(p, &acc, 8);
			p += 8;
			used -= 64;
			acc = used ? v[i] >> (w - used) : 0;
		}
	}
	if (used)
		memcpy(p, &acc, 8);
}

static inline uint64_t unpack(const uint8_t *p, uint64_t i, unsigned w)
{
	uint64_t bit = i * w, v;

	memcpy(&v, p + (bit >> 3), 8);
	return w == 64 ? v : (v >> (bit & 7)) & ((1ull << w) - 1);
}

/* The value that fills most of the block, if one does (Boyer and Moore's vote), and how often it occurs. */
static uint32_t majority(const int64_t *v, uint32_t n, int64_t *ret)
{
	int64_t cand = v[0];
	uint32_t votes = 0, count = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!votes)
			cand = v[i];
		votes += v[i] == cand ? 1 : (uint32_t)-1;
	}
	for (uint32_t i = 0; i < n; i++)
		count += v[i] == cand;
	*ret = cand;
	return count;
}

struct plan {
	uint64_t bits; /* what the block will take, about */
	bool by_mode;
	int64_t base;
	unsigned width, exc_width;
	bool has_null;
};

static struct plan plan_block(const int64_t *v, uint32_t n)
{
	struct plan p = {0};
	uint32_t hist[65] = {0}, over = 0, count;
	int64_t min = INT64_MAX, max = INT64_MIN, mode;
	uint64_t best, cost, max_e = 0;
	unsigned full;

	for (uint32_t i = 0; i < n; i++) {
		max = v[i] > max ? v[i] : max;
		min = v[i] < min && v[i] != DM_NO_INT ? v[i] : min;
		p.has_null |= v[i] == DM_NO_INT;
	}
	if (min == INT64_MAX)
		min = 0;
	if (min == max && !p.has_null) {
		p.base = min;
		return p;
	}
	p.base = p.has_null ? (int64_t)((uint64_t)min - 1) : min;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t e = v[i] == DM_NO_INT ? 0 : (uint64_t)v[i] - (uint64_t)p.base;
		hist[bits_of(e)]++;
		max_e |= e;
	}
	full = bits_of(max_e);
	p.width = p.exc_width = full;
	best = (uint64_t)n * full;
	for (unsigned w = full; w-- > 0;) {
		over += hist[w + 1];
		if (w > 56)
			continue;
		cost = (uint64_t)n * w + (uint64_t)over * (16 + full) + 128;
		if (cost < best) {
			best = cost;
			p.width = w;
		}
	}
	cost = UINT64_MAX;
	if (best > (uint64_t)n * 2) {
		count = majority(v, n, &mode);
		cost = (uint64_t)(n - count) * (16 + full) + 128;
	}
	if (cost < best && mode != DM_NO_INT) {
		p.by_mode = true;
		p.width = 0;
	}
	if (p.by_mode)
		p.base = mode;
	p.bits = cost < best ? cost : best;
	return p;
}

static void write_block(struct dm_buf *body, struct dm_buf *dir, const int64_t *v, uint32_t n)
{
	uint64_t e[DM_BLOCK_ROWS], x[DM_BLOCK_ROWS];
	uint16_t at[DM_BLOCK_ROWS];
	uint32_t n_exc = 0;
	struct plan p = plan_block(v, n);
	int64_t xbase = INT64_MAX;
	uint64_t xmax = 0;
	unsigned xw;

	for (uint32_t i = 0; i < n; i++) {
		bool null = v[i] == DM_NO_INT;
		bool exc;

		e[i] = null ? 0 : (uint64_t)v[i] - (uint64_t)p.base;
		exc = p.by_mode ? v[i] != p.base : bits_of(e[i]) > p.width;
		if (!exc)
			continue;
		e[i] = 0;
		at[n_exc] = (uint16_t)i;
		x[n_exc++] = (uint64_t)v[i];
		if (!null && v[i] < xbase)
			xbase = v[i];
	}
	if (xbase == INT64_MAX)
		xbase = 0;
	xbase = (int64_t)((uint64_t)xbase - 1); /* 0 means absent among the exceptions */
	for (uint32_t i = 0; i < n_exc; i++) {
		x[i] = (int64_t)x[i] == DM_NO_INT ? 0 : x[i] - (uint64_t)xbase;
		xmax |= x[i];
	}
	xw = bits_of(xmax);
	dm_buf_u64le(dir, (uint64_t)p.base);
	dm_buf_u32le(dir, (uint32_t)body->n);
	dm_buf_u16le(dir, (uint16_t)n_exc);
	dm_buf_putc(dir, (char)(p.width | (p.has_null && !p.by_mode ? HAS_NULL : 0)));
	dm_buf_putc(dir, (char)xw);
	pack(body, e, n, p.width);
	if (n_exc) {
		static const char zero[8];

		dm_buf_u64le(body, (uint64_t)xbase);
		dm_buf_put(body, at, n_exc * sizeof *at);
		dm_buf_put(body, zero, (8 - n_exc * sizeof *at % 8) % 8);
		pack(body, x, n_exc, xw);
	}
}

void dm_ints_write(struct dm_buf *out, const int64_t *v, uint32_t n, uint32_t shift)
{
	struct dm_buf dir, body;
	uint32_t step = 1u << shift, same = 1;

	while (same < n && v[same] == v[0])
		same++;
	if (n && same == n) {
		dm_buf_u32le(out, n);
		dm_buf_u32le(out, CONSTANT);
		dm_buf_u64le(out, (uint64_t)v[0]);
		return;
	}

	dm_buf_init(&dir, SIZE_MAX / 4);
	dm_buf_init(&body, UINT32_MAX);
	for (uint32_t i = 0; i < n; i += step)
		write_block(&body, &dir, v + i, n - i < step ? n - i : step);
	dm_buf_u64le(&body, 0);
	dm_buf_u32le(out, n);
	dm_buf_u32le(out, shift);
	dm_buf_put(out, dir.p, dir.n);
	dm_buf_put(out, body.p, body.n);
	if (dir.err || body.err)
		out->err = dir.err ? dir.err : body.err;
	dm_buf_done(&dir);
	dm_buf_done(&body);
}

uint64_t dm_ints_cost(const int64_t *v, uint32_t n, uint32_t shift)
{
	uint32_t step = 1u << shift;
	uint64_t bits = 0;

	for (uint32_t i = 0; i < n; i += step)
		bits += plan_block(v + i, n - i < step ? n - i : step).bits + DIR_SIZE * 8;
	return bits;
}

int dm_ints_open(struct dm_ints *ret, const uint8_t *p, size_t n, struct dm_err *err)
{
	struct dm_ints c = {0};
	size_t dir_n;

	if (n < HEADER + 8)
		return dm_fail(err, DM_ECORRUPT, "an integer column is cut short");
	c.n = (uint32_t)dm_load_le(p, 4);
	c.shift = (uint32_t)dm_load_le(p + 4, 4);
	if (c.shift == CONSTANT && c.n <= DM_MAX_SEGMENT_ROWS * DM_MAX_VALUES) {
		memcpy(&c.constant, p + HEADER, 8);
		c.is_constant = true;
		*ret = c;
		return DM_OK;
	}
	if (c.shift > DM_INTS_SHIFT || c.n > DM_MAX_SEGMENT_ROWS * DM_MAX_VALUES)
		return dm_fail(err, DM_ECORRUPT, "an integer column has an impossible header");
	dir_n = ((size_t)c.n + (1u << c.shift) - 1) / (1u << c.shift) * DIR_SIZE;
	if (dir_n > n - HEADER - 8)
		return dm_fail(err, DM_ECORRUPT, "an integer column is cut short");
	c.dir = p + HEADER;
	c.body = c.dir + dir_n;
	c.body_n = n - HEADER - dir_n;
	*ret = c;
	return DM_OK;
}

static inline struct block read_block(const struct dm_ints *c, uint32_t b)
{
	const uint8_t *d = c->dir + (size_t)b * DIR_SIZE;
	struct block k;

	memcpy(&k.base, d, 8);
	memcpy(&k.offset, d + 8, 4);
	memcpy(&k.n_exc, d + 12, 2);
	k.width = d[14] & 0x7f;
	k.has_null = d[14] & HAS_NULL;
	k.exc_width = d[15];
	return k;
}

/* Where the exceptions of a block lie, or false if the block is impossible. */
static bool block_bounds(const struct dm_ints *c, const struct block *k, uint32_t rows, size_t *ret_exc)
{
	size_t packed = ((size_t)rows * k->width + 63) / 64 * 8;
	size_t exc = k->n_exc ? 8 + ((size_t)k->n_exc * 2 + 7) / 8 * 8 +
					((size_t)k->n_exc * k->exc_width + 63) / 64 * 8
			      : 0;

	if (k->width > 64 || k->exc_width > 64 || k->n_exc > rows)
		return false;
	*ret_exc = k->offset + packed;
	return k->offset + packed + exc + 8 <= c->body_n;
}

static inline int64_t exception_value(const uint8_t *x, const struct block *k, uint32_t i)
{
	uint64_t v = unpack(x + 8 + ((size_t)k->n_exc * 2 + 7) / 8 * 8, i, k->exc_width);
	int64_t xbase;

	memcpy(&xbase, x, 8);
	return v ? (int64_t)((uint64_t)xbase + v) : DM_NO_INT;
}

int64_t dm_ints_get(const struct dm_ints *c, uint32_t i)
{
	uint32_t b, at, rows;
	struct block k;
	size_t exc;
	uint64_t e;

	if (i >= c->n)
		return DM_NO_INT;
	if (c->is_constant)
		return c->constant;
	b = i >> c->shift;
	at = i & ((1u << c->shift) - 1);
	rows = c->n - (b << c->shift);
	if (rows > 1u << c->shift)
		rows = 1u << c->shift;
	k = read_block(c, b);
	if (!block_bounds(c, &k, rows, &exc))
		return DM_NO_INT;
	if (k.n_exc) {
		const uint8_t *x = c->body + exc;
		uint32_t lo = 0, hi = k.n_exc;

		while (lo < hi) {
			uint32_t mid = (lo + hi) / 2;
			uint16_t pos;
			memcpy(&pos, x + 8 + mid * 2, 2);
			if (pos == at)
				return exception_value(x, &k, mid);
			if (pos < at)
				lo = mid + 1;
			else
				hi = mid;
		}
	}
	e = unpack(c->body + k.offset, at, k.width);
	if (k.has_null && !e)
		return DM_NO_INT;
	return (int64_t)((uint64_t)k.base + e);
}

static void whole_block(const struct dm_ints *c, uint32_t b, uint32_t rows, int64_t *out)
{
	struct block k = read_block(c, b);
	const uint8_t *p;
	size_t exc;

	if (!block_bounds(c, &k, rows, &exc)) {
		for (uint32_t i = 0; i < rows; i++)
			out[i] = DM_NO_INT;
		return;
	}
	p = c->body + k.offset;
	if (!k.width)
		for (uint32_t i = 0; i < rows; i++)
			out[i] = k.has_null ? DM_NO_INT : k.base;
	else if (k.has_null)
		for (uint32_t i = 0; i < rows; i++) {
			uint64_t e = unpack(p, i, k.width);
			out[i] = e ? (int64_t)((uint64_t)k.base + e) : DM_NO_INT;
		}
	else
		for (uint32_t i = 0; i < rows; i++)
			out[i] = (int64_t)((uint64_t)k.base + unpack(p, i, k.width));
	for (uint32_t i = 0; i < k.n_exc; i++) {
		uint16_t pos;
		memcpy(&pos, c->body + exc + 8 + i * 2, 2);
		if (pos < rows)
			out[pos] = exception_value(c->body + exc, &k, i);
	}
}

void dm_ints_range(const struct dm_ints *c, uint32_t from, uint32_t n, int64_t *out)
{
	int64_t tmp[DM_BLOCK_ROWS];
	uint32_t step = 1u << (c->is_constant ? 0 : c->shift);

	for (; c->is_constant && n && from < c->n; n--, from++)
		*out++ = c->constant;
	while (n) {
		uint32_t b = from >> c->shift, at = from & (step - 1), rows, take;

		if (from >= c->n) {
			for (uint32_t i = 0; i < n; i++)
				out[i] = DM_NO_INT;
			return;
		}
		rows = c->n - (b << c->shift);
		if (rows > step)
			rows = step;
		take = rows - at < n ? rows - at : n;
		if (!at && take == rows) {
			whole_block(c, b, rows, out);
		} else {
			whole_block(c, b, rows, tmp);
			memcpy(out, tmp + at, take * sizeof *out);
		}
		out += take;
		from += take;
		n -= take;
	}
}
