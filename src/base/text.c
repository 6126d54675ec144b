#include "base/text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

static const char replacement[3] = {(char)0xef, (char)0xbf, (char)0xbd}; /* U+FFFD */

static uint64_t load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

/* Leading bytes below 0x80. */
static size_t ascii_run(const char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; n - i >= 16; i += 16) {
		int high = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + i)));
		if (high)
			return i + (size_t)__builtin_ctz((unsigned)high);
	}
#endif
	for (; n - i >= 8; i += 8)
		if (load8(p + i) & HIGHS)
			break;
	while (i < n && !(p[i] & 0x80))
		i++;
	return i;
}

size_t dm_utf8_next(struct dm_sv s, uint32_t *ret)
{
	const uint8_t *p = (const uint8_t *)s.p;
	uint32_t cp;

	if (!s.n)
		return 0;
	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	if (p[0] < 0xc2) /* continuation, or an overlong form of ASCII */
		return 0;
	if (p[0] < 0xe0) {
		if (s.n < 2 || (p[1] & 0xc0) != 0x80)
			return 0;
		*ret = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
		return 2;
	}
	if (p[0] < 0xf0) {
		if (s.n < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
			return 0;
		cp = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
		if (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff))
			return 0;
		*ret = cp;
		return 3;
	}
	if (p[0] > 0xf4 || s.n < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
		return 0;
	cp = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 |
	     (p[3] & 0x3f);
	if (cp < 0x10000 || cp > 0x10ffff)
		return 0;
	*ret = cp;
	return 4;
}

bool dm_utf8_valid(struct dm_sv s)
{
	size_t i = 0, len;
	uint32_t cp;

	for (;;) {
		i += ascii_run(s.p + i, s.n - i);
		if (i == s.n)
			return true;
		while (i < s.n && (s.p[i] & 0x80)) {
			len = dm_utf8_next(dm_sv(s.p + i, s.n - i), &cp);
			if (!len)
				return false;
			i += len;
		}
	}
}

void dm_utf8_repair(struct dm_buf *out, struct dm_sv s)
{
	size_t i = 0, start = 0, len;
	uint32_t cp;

	for (;;) {
		i += ascii_run(s.p + i, s.n - i);
		if (i == s.n)
			break;
		len = dm_utf8_next(dm_sv(s.p + i, s.n - i), &cp);
		if (len) {
			i += len;
			continue;
		}
		dm_buf_put(out, s.p + start, i - start);
		dm_buf_put(out, replacement, sizeof replacement);
		start = ++i;
	}
	dm_buf_put(out, s.p + start, s.n - start);
}

/* Copies the leading bytes that a JSON string may hold as they are (ASCII from space on, without quote and
 * backslash); returns how many. Writes at most n bytes to w. */
static size_t copy_plain(char *w, const char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		/* Signed: bytes from 0x80 on are negative, so one comparison finds controls and non-ASCII. */
		__m128i bad = _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
					   _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
							_mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
		int mask = _mm_movemask_epi8(bad);
		_mm_storeu_si128((__m128i *)(void *)(w + i), v);
		if (mask)
			return i + (size_t)__builtin_ctz((unsigned)mask);
	}
#endif
	for (; n - i >= 8; i += 8) {
		uint64_t v = load8(p + i), quote = v ^ ONES * '"', back = v ^ ONES * '\\';
		/* Exact for bytes below 0x80, and the first term catches the others. */
		if ((v | (v - ONES * 0x20) | (quote - ONES) | (back - ONES)) & HIGHS)
			break;
		memcpy(w + i, &v, 8);
	}
	for (; i < n; i++) {
		char c = p[i];
		if ((signed char)c < 0x20 || c == '"' || c == '\\')
			break;
		w[i] = c;
	}
	return i;
}

/* The escape of RFC 8785 s.3.2.2.2 for an ASCII byte that needs one; returns its length. */
static size_t escape(char *w, char c)
{
	static const char digit[] = "0123456789abcdef";
	static const char two[] = "\bb\tt\nn\ff\rr\"\"\\\\";

	for (const char *t = two; *t; t += 2)
		if (*t == c) {
			w[0] = '\\';
			w[1] = t[1];
			return 2;
		}
	memcpy(w, "\\u00", 4);
	w[4] = digit[(c >> 4) & 15];
	w[5] = digit[c & 15];
	return 6;
}

void dm_json_quote(struct dm_buf *out, struct dm_sv s)
{
	size_t i = 0, start = out->n, at = start, len, need;
	char tmp[6];
	uint32_t cp;

	if (!dm_buf_room(out, s.n + 2))
		return;
	out->p[at++] = '"';
	/* Holds at each step: there is room behind `at` for what is left and the closing quote. */
	for (;;) {
		len = copy_plain(out->p + at, s.p + i, s.n - i);
		i += len;
		at += len;
		if (i == s.n)
			break;
		len = (s.p[i] & 0x80) ? dm_utf8_next(dm_sv(s.p + i, s.n - i), &cp) : 0;
		if (len) {
			memcpy(out->p + at, s.p + i, len);
			i += len;
			at += len;
			continue;
		}
		if (s.p[i] & 0x80) {
			memcpy(tmp, replacement, 3);
			len = 3;
		} else {
			len = escape(tmp, s.p[i]);
		}
		i++;
		need = at - start + len + (s.n - i) + 1;
		if (!dm_buf_room(out, need))
			return;
		memcpy(out->p + at, tmp, len);
		at += len;
	}
	out->p[at++] = '"';
	out->n = at;
}

/* What could move the cursor, reorder what is read, or hide: not fit to print. */
static bool unprintable(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c || cp == 0x200e || cp == 0x200f ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       (cp >= 0xe0000 && cp < 0xe0080);
}

void dm_term_escape(struct dm_buf *out, struct dm_sv s)
{
	static const char digit[] = "0123456789ABCDEF";

	for (size_t i = 0, len; i < s.n; i += len) {
		uint32_t cp;
		len = dm_utf8_next(dm_sv(s.p + i, s.n - i), &cp);
		if (!len || (unprintable(cp) && cp < 0x80)) {
			uint8_t c = (uint8_t)s.p[i];
			char hex[4] = {'\\', 'x', digit[c >> 4], digit[c & 15]};
			dm_buf_put(out, hex, sizeof hex);
			len = 1;
		} else if (unprintable(cp)) {
			dm_buf_printf(out, "\\u{%04X}", cp);
		} else {
			dm_buf_put(out, s.p + i, len);
		}
	}
}
