#include "base/sv.h"

#include <strings.h>

bool dm_sv_ieq(struct dm_sv a, struct dm_sv b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

struct dm_sv dm_sv_trim(struct dm_sv a)
{
	while (a.n && is_space(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n && is_space(a.p[a.n - 1]))
		a.n--;
	return a;
}

size_t dm_sv_find(struct dm_sv a, char c)
{
	const char *hit = a.n ? memchr(a.p, c, a.n) : NULL;

	return hit ? (size_t)(hit - a.p) : SIZE_MAX;
}

struct dm_sv dm_sv_split(struct dm_sv *rest, char c)
{
	size_t at = dm_sv_find(*rest, c);
	struct dm_sv head;

	if (at == SIZE_MAX) {
		head = *rest;
		*rest = dm_sv(NULL, 0);
		return head;
	}
	head = dm_sv(rest->p, at);
	*rest = dm_sv(rest->p + at + 1, rest->n - at - 1);
	return head;
}

bool dm_sv_u64(struct dm_sv a, uint64_t *ret)
{
	uint64_t v = 0;

	if (!a.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned d = (unsigned char)a.p[i] - '0';
		if (d > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret = v;
	return true;
}

bool dm_sv_i64(struct dm_sv a, int64_t *ret)
{
	bool negative = a.n && a.p[0] == '-';
	uint64_t v;

	if (!dm_sv_u64(negative ? dm_sv_from(a, 1) : a, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dm_sv_unhex(struct dm_sv a, uint8_t *out, size_t n)
{
	if (a.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(a.p[2 * i]), lo = hex_digit(a.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}
