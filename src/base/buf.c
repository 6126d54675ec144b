#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/err.h"

void dm_buf_init(struct dm_buf *b, size_t max)
{
	*b = (struct dm_buf){.max = max};
}

void dm_buf_done(struct dm_buf *b)
{
	dm_free(b->p);
	*b = (struct dm_buf){.max = b->max};
}

void dm_buf_clear(struct dm_buf *b)
{
	b->n = 0;
	b->err = DM_OK;
}

bool dm_buf_room_slow(struct dm_buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : 256;
	char *grown;

	if (b->err)
		return false;
	if (__builtin_add_overflow(b->n, n, &need) || need > b->max) {
		b->err = DM_ELIMIT;
		return false;
	}
	while (cap < need)
		cap += cap;
	if (cap > b->max)
		cap = b->max;
	grown = dm_realloc(b->p, cap, 1);
	if (!grown) {
		b->err = DM_ENOMEM;
		return false;
	}
	b->p = grown;
	b->cap = cap;
	return true;
}

void dm_buf_str(struct dm_buf *b, const char *s)
{
	dm_buf_put(b, s, strlen(s));
}

void dm_buf_u64(struct dm_buf *b, uint64_t v)
{
	char tmp[20];
	size_t i = sizeof tmp;

	do
		tmp[--i] = (char)('0' + v % 10);
	while (v /= 10);
	dm_buf_put(b, tmp + i, sizeof tmp - i);
}

void dm_buf_i64(struct dm_buf *b, int64_t v)
{
	if (v < 0) {
		dm_buf_putc(b, '-');
		dm_buf_u64(b, 0 - (uint64_t)v);
	} else {
		dm_buf_u64(b, (uint64_t)v);
	}
}

void dm_buf_hex(struct dm_buf *b, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	if (!dm_buf_room(b, 2 * n))
		return;
	for (size_t i = 0; i < n; i++) {
		b->p[b->n++] = digit[p[i] >> 4];
		b->p[b->n++] = digit[p[i] & 15];
	}
}

void dm_buf_printf(struct dm_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !dm_buf_room(b, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

const char *dm_buf_cstr(struct dm_buf *b)
{
	if (b->err || !dm_buf_room(b, 1))
		return "";
	b->p[b->n] = 0;
	return b->p;
}

static void put_le(struct dm_buf *b, uint64_t v, size_t n)
{
	uint8_t tmp[8];

	for (size_t i = 0; i < n; i++)
		tmp[i] = (uint8_t)(v >> 8 * i);
	dm_buf_put(b, tmp, n);
}

void dm_buf_u16le(struct dm_buf *b, uint16_t v)
{
	put_le(b, v, 2);
}

void dm_buf_u32le(struct dm_buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void dm_buf_u64le(struct dm_buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void dm_buf_varint(struct dm_buf *b, uint64_t v)
{
	uint8_t tmp[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		tmp[n++] = (uint8_t)(v | 0x80);
	tmp[n++] = (uint8_t)v;
	dm_buf_put(b, tmp, n);
}
