/* zeek_split.h: the inner loop of the TSV reader: columns of a line, and numbers and addresses as Zeek prints
 * them. */
#ifndef DM_IMPORT_ZEEK_SPLIT_H
#define DM_IMPORT_ZEEK_SPLIT_H

#include "base/sv.h"
#include "model/observable.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Ends of the columns of a line: column i is [i ? end[i - 1] + 1 : 0, end[i]). Stops at max columns.
 * *ret_escape: there is a backslash; *ret_high: there is a byte that is not ASCII (both false if it stopped).
 */
static inline uint32_t dm_split_columns(const char *p, size_t n, char sep, uint32_t *end, uint32_t max,
					bool *ret_escape, bool *ret_high)
{
	uint32_t k = 0;
	size_t i = 0;
	unsigned escape = 0, high = 0;

#ifdef __SSE2__
	const __m128i seps = _mm_set1_epi8(sep), backslashes = _mm_set1_epi8('\\');

	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		unsigned hits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, seps));

		escape |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, backslashes));
		high |= (unsigned)_mm_movemask_epi8(v);
		while (hits) {
			if (k == max)
				return max;
			end[k++] = (uint32_t)i + (uint32_t)__builtin_ctz(hits);
			hits &= hits - 1;
		}
	}
#endif
	for (; i < n; i++) {
		escape |= p[i] == '\\';
		high |= (unsigned char)p[i] & 0x80;
		if (p[i] == sep) {
			if (k == max)
				return max;
			end[k++] = (uint32_t)i;
		}
	}
	if (k == max)
		return max;
	end[k++] = (uint32_t)n;
	*ret_escape = escape != 0;
	*ret_high = high != 0;
	return k;
}

/* Up to 18 digits. */
static inline bool dm_fast_u64(const char *p, size_t n, int64_t *ret)
{
	uint64_t v = 0;

	if (n == 0 || n > 18)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned char)p[i] - (unsigned)'0';

		if (d > 9)
			return false;
		v = v * 10 + d;
	}
	*ret = (int64_t)v;
	return true;
}

/* Eight digits at once: subtract '0' from each, check, then join pairs, fours, eights. */
static inline bool dm_fast_digits8(const char *p, uint32_t *ret)
{
	uint64_t v;

	memcpy(&v, p, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	if ((v & 0xf0f0f0f0f0f0f0f0ull) != 0x3030303030303030ull ||
	    ((v + 0x0606060606060606ull) & 0xf0f0f0f0f0f0f0f0ull) != 0x3030303030303030ull)
		return false;
	v &= 0x0f0f0f0f0f0f0f0full;
	v = (v * 10) + (v >> 8);
	*ret = (uint32_t)((((v & 0x000000ff000000ffull) * 0x000f424000000064ull) +
			   (((v >> 16) & 0x000000ff000000ffull) * 0x0000271000000001ull)) >>
			  32);
	return true;
}

/* Six digits, the fraction of a Zeek time or interval. */
static inline bool dm_fast_digits6(const char *p, int64_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 6; i++) {
		unsigned d = (unsigned char)p[i] - (unsigned)'0';

		if (d > 9)
			return false;
		v = v * 10 + d;
	}
	*ret = v;
	return true;
}

/* "1713484795.943239": ten digits, a point, six digits. Whatever else there is goes the general way. */
static inline bool dm_fast_epoch(const char *p, size_t n, int64_t *ret)
{
	uint32_t high;
	int64_t low, two;

	if (n != 17 || p[10] != '.' || !dm_fast_digits8(p, &high) || !dm_fast_u64(p + 8, 2, &two) ||
	    !dm_fast_digits6(p + 11, &low))
		return false;
	*ret = ((int64_t)high * 100 + two) * 1000000 + low;
	return true;
}

/* "0.007707": up to twelve digits, a point, six digits. */
static inline bool dm_fast_interval(const char *p, size_t n, int64_t *ret)
{
	int64_t high, low;

	if (n < 8 || n > 19 || p[n - 7] != '.' || !dm_fast_u64(p, n - 7, &high) ||
	    !dm_fast_digits6(p + n - 6, &low))
		return false;
	*ret = high * 1000000 + low;
	return true;
}

/* A dotted quad without leading zeros, as Zeek prints it. */
static inline bool dm_fast_ip4(const char *p, size_t n, struct dm_ip *ret)
{
	uint32_t v = 0;
	size_t i = 0;

	if (n < 7 || n > 15)
		return false;
	for (int part = 0; part < 4; part++) {
		unsigned d, b;

		if (i >= n || (d = (unsigned char)p[i] - (unsigned)'0') > 9)
			return false;
		b = d;
		i++;
		while (i < n && (d = (unsigned char)p[i] - (unsigned)'0') <= 9) {
			if (b == 0)
				return false;
			b = b * 10 + d;
			if (b > 255)
				return false;
			i++;
		}
		v = v << 8 | b;
		if (part < 3 && (i >= n || p[i++] != '.'))
			return false;
	}
	if (i != n)
		return false;
	memset(ret->b, 0, 10);
	ret->b[10] = ret->b[11] = 0xff;
	v = __builtin_bswap32(v);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	memcpy(ret->b + 12, &v, 4);
	return true;
}

#endif
