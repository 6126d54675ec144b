/* zeek_split.h: the inner loop of the TSV reader: the columns of a line, and numbers and addresses as Zeek
 * prints them.
 *
 * A conn log has 20 short columns of varying length in a row of 120 bytes: a loop over characters mispredicts
 * where each ends, and that costs more than all the work. So columns are found 64 bytes at a time and values
 * are read eight characters at a time, without a branch on their length. For this all pointers here must have
 * DM_LINE_SLACK readable bytes behind the value (stream.h); what lies there changes no result.
 */
#ifndef DM_IMPORT_ZEEK_SPLIT_H
#define DM_IMPORT_ZEEK_SPLIT_H

#include "base/sv.h"
#include "model/observable.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Places where the bytes of a block of 64 are the separator, and where they need care: a backslash, or not
 * ASCII. */
#ifdef __SSE2__
static inline void dm_scan64(const char *p, char sep, uint64_t *ret_seps, uint64_t *ret_odd)
{
	const __m128i s = _mm_set1_epi8(sep), b = _mm_set1_epi8('\\');
	uint64_t seps = 0, odd = 0;

	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));

		seps |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, s)) << 16 * i;
		odd |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, b), v)) << 16 * i;
	}
	*ret_seps = seps;
	*ret_odd = odd;
}
#else
static inline void dm_scan64(const char *p, char sep, uint64_t *ret_seps, uint64_t *ret_odd)
{
	uint64_t seps = 0, odd = 0;

	for (int i = 0; i < 64; i++) {
		seps |= (uint64_t)(p[i] == sep) << i;
		odd |= (uint64_t)(p[i] == '\\' || ((unsigned char)p[i] & 0x80)) << i;
	}
	*ret_seps = seps;
	*ret_odd = odd;
}
#endif

/* Columns of the line: column i is [at[i] + 1, at[i + 1]), with at[0] + 1 being 0. `at` has room for max + 2
 * and a block's 64. At most max + 1 are counted. *ret_odd: some byte is a backslash or not ASCII. */
static inline uint32_t dm_split_columns(const char *p, size_t n, char sep, uint32_t *at, uint32_t max,
					bool *ret_odd)
{
	uint64_t any_odd = 0;
	uint32_t k = 1;

	at[0] = UINT32_MAX;
	for (size_t i = 0; i < n && k <= max; i += 64) {
		uint64_t seps, odd;

		dm_scan64(p + i, sep, &seps, &odd);
		if (n - i < 64) {
			uint64_t mask = (1ull << (n - i)) - 1;

			seps &= mask;
			odd &= mask;
		}
		any_odd |= odd;
		while (seps) {
			at[k++] = (uint32_t)i + (uint32_t)__builtin_ctzll(seps);
			seps &= seps - 1;
		}
	}
	at[k] = (uint32_t)n;
	*ret_odd = any_odd != 0;
	return k;
}

/* Up to eight digits, read at once: those in front of them are taken as zeros. n must be 1 to 8. */
static inline bool dm_fast_digits(const char *p, size_t n, uint64_t *ret)
{
	const uint64_t zeros = 0x3030303030303030ull;
	const unsigned shift = 8 * (8 - (unsigned)n);
	uint64_t v;

	memcpy(&v, p, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	v = v << shift | (zeros & ((1ull << shift) - 1));
	if (((v & 0xf0f0f0f0f0f0f0f0ull) | (((v + 0x0606060606060606ull) & 0xf0f0f0f0f0f0f0f0ull) >> 4)) !=
	    0x3333333333333333ull)
		return false;
	/* Neighbours to pairs, pairs to fours, fours to eight. */
	v &= 0x0f0f0f0f0f0f0f0full;
	v = v * 10 + (v >> 8);
	*ret = ((v & 0x000000ff000000ffull) * 0x000f424000000064ull +
		(v >> 16 & 0x000000ff000000ffull) * 0x0000271000000001ull) >>
	       32;
	return true;
}

/* Up to 16 digits. */
static inline bool dm_fast_u64(const char *p, size_t n, int64_t *ret)
{
	uint64_t high, low;

	if (n - 1 < 8) {
		if (!dm_fast_digits(p, n, &low))
			return false;
		*ret = (int64_t)low;
		return true;
	}
	if (n - 9 > 7 || !dm_fast_digits(p, n - 8, &high) || !dm_fast_digits(p + n - 8, 8, &low))
		return false;
	*ret = (int64_t)(high * 100000000u + low);
	return true;
}

/* "0.007707", "1713484795.943239": up to 16 digits, a point, six digits, in microseconds. */
static inline bool dm_fast_seconds(const char *p, size_t n, int64_t *ret)
{
	uint64_t fraction;
	int64_t whole;

	if (n < 8 || p[n - 7] != '.' || !dm_fast_digits(p + n - 6, 6, &fraction) ||
	    !dm_fast_u64(p, n - 7, &whole) || whole > INT64_MAX / 1000000 - 1)
		return false;
	*ret = whole * 1000000 + (int64_t)fraction;
	return true;
}

/* One part of a dotted quad, of 1 to 3 digits without a leading zero; *bad collects what is wrong. */
static inline uint32_t dm_fast_octet(const char *p, uint32_t n, uint32_t *bad)
{
	const uint32_t shift = (32 - 8 * n) & 31;
	uint32_t w, v;

	memcpy(&w, p, 4);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	w = __builtin_bswap32(w);
#endif
	*bad |= (n - 1 > 2) | ((n != 1) & ((w & 0xff) == '0'));
	/* The digits to the upper bytes, zeros in front of them; then each byte must be under ten. */
	w = (w << shift | (0x30303030u & ((1u << shift) - 1))) ^ 0x30303030u;
	*bad |= ((w + 0x76767676u) | w) & 0x80808080u;
	v = (w >> 8 & 0xff) * 100 + (w >> 16 & 0xff) * 10 + (w >> 24);
	*bad |= v > 255;
	return v;
}

/* A dotted quad without leading zeros. */
static inline bool dm_fast_ip4(const char *p, size_t n, struct dm_ip *ret)
{
	uint32_t dots, a, b, c, bad, v;

	if (n < 7 || n > 15)
		return false;
#ifdef __SSE2__
	dots = (uint32_t)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('.')));
#else
	dots = 0;
	for (int i = 0; i < 16; i++)
		dots |= (uint32_t)(p[i] == '.') << i;
#endif
	dots &= (1u << n) - 1;
	if (!dots)
		return false;
	a = (uint32_t)__builtin_ctz(dots);
	dots &= dots - 1;
	if (!dots)
		return false;
	b = (uint32_t)__builtin_ctz(dots);
	dots &= dots - 1;
	if (!dots)
		return false;
	c = (uint32_t)__builtin_ctz(dots);
	bad = (dots & (dots - 1)) != 0;
	v = dm_fast_octet(p, a, &bad) | dm_fast_octet(p + a + 1, b - a - 1, &bad) << 8 |
	    dm_fast_octet(p + b + 1, c - b - 1, &bad) << 16 |
	    dm_fast_octet(p + c + 1, (uint32_t)n - c - 1, &bad) << 24;
	if (bad)
		return false;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	memset(ret->b, 0, 10);
	memset(ret->b + 10, 0xff, 2);
	memcpy(ret->b + 12, &v, 4);
	return true;
}

#endif
