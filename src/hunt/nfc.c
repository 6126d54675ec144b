/* Normalization Form C: decompose canonically, order the marks, compose. Hangul by arithmetic (Unicode 3.12).
 */
#include "hunt/nfc.h"
#include "hunt/nfc_data.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	S_BASE = 0xac00,
	L_BASE = 0x1100,
	V_BASE = 0x1161,
	T_BASE = 0x11a7,
	L_COUNT = 19,
	V_COUNT = 21,
	T_COUNT = 28
};
#define S_COUNT (L_COUNT * V_COUNT * T_COUNT)

static uint32_t utf8_next(const unsigned char **p)
{
	const unsigned char *s = *p;

	if (s[0] < 0x80) {
		*p += 1;
		return s[0];
	}
	if (s[0] < 0xe0) {
		*p += 2;
		return (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
	}
	if (s[0] < 0xf0) {
		*p += 3;
		return (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	}
	*p += 4;
	return (s[0] & 7u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
}

static size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static const uint32_t *decomposed(uint32_t c)
{
	size_t lo = 0, hi = COUNT(decomposition);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (decomposition[mid][0] < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < COUNT(decomposition) && decomposition[lo][0] == c ? decomposition[lo] : NULL;
}

static unsigned combining_class(uint32_t c)
{
	size_t lo = 0, hi = COUNT(combining);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (combining[mid][1] < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < COUNT(combining) && combining[lo][0] <= c ? combining[lo][2] : 0;
}

/* The character that a and b make; 0 if none. */
static uint32_t composed(uint32_t a, uint32_t b)
{
	size_t lo = 0, hi = COUNT(composition);

	if (a - L_BASE < L_COUNT && b - V_BASE < V_COUNT)
		return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
	if (a - S_BASE < S_COUNT && (a - S_BASE) % T_COUNT == 0 && b - T_BASE - 1 < T_COUNT - 1)
		return a + (b - T_BASE);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const uint32_t *d = decomposition[composition[mid]];

		if (d[1] < a || (d[1] == a && d[2] < b))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < COUNT(composition)) {
		const uint32_t *d = decomposition[composition[lo]];

		if (d[1] == a && d[2] == b)
			return d[0];
	}
	return 0;
}

/* Append the full decomposition of c. Mappings nest at most three deep in Unicode, and each step replaces a
 * character by its first part. */
static size_t decompose(uint32_t c, uint32_t *out)
{
	uint32_t tail[8];
	size_t n = 0, n_tail = 0;
	const uint32_t *d;

	if (c - S_BASE < S_COUNT) {
		uint32_t s = c - S_BASE;

		out[n++] = L_BASE + s / (V_COUNT * T_COUNT);
		out[n++] = V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT;
		if (s % T_COUNT)
			out[n++] = T_BASE + s % T_COUNT;
		return n;
	}
	while (n_tail < COUNT(tail) && (d = decomposed(c))) {
		if (d[2])
			tail[n_tail++] = d[2];
		c = d[1];
	}
	out[n++] = c;
	while (n_tail)
		out[n++] = tail[--n_tail];
	return n;
}

/* Each element carries its combining class above the 21 bits of the code point. */
#define CLASS(x) ((x) >> 24)
#define POINT(x) ((x)&0x1fffff)

/* A long row of marks, as only a hostile text has it: by counting, so that it costs no more than its length.
 */
static bool order_long(struct dm_arena *arena, uint32_t *v, size_t n)
{
	uint32_t *tmp = dm_arena_alloc(arena, n * sizeof(*v));
	size_t at[257] = {0};

	if (!tmp)
		return false;
	memcpy(tmp, v, n * sizeof(*v));
	for (size_t i = 0; i < n; i++)
		at[CLASS(v[i]) + 1]++;
	for (size_t i = 1; i < 257; i++)
		at[i] += at[i - 1];
	for (size_t i = 0; i < n; i++)
		v[at[CLASS(tmp[i])]++] = tmp[i];
	return true;
}

/* The marks between two starters by class, stable. */
static bool order_marks(struct dm_arena *arena, uint32_t *v, size_t n)
{
	for (size_t i = 0, end; i < n; i = end + 1) {
		for (end = i; end < n && CLASS(v[end]); end++)
			;
		if (end - i > 32) {
			if (!order_long(arena, v + i, end - i))
				return false;
			continue;
		}
		for (size_t j = i; j < end; j++) {
			uint32_t x = v[j];
			size_t k = j;

			for (; k > i && CLASS(v[k - 1]) > CLASS(x); k--)
				v[k] = v[k - 1];
			v[k] = x;
		}
	}
	return true;
}

static size_t compose(uint32_t *v, size_t n)
{
	size_t out = 0, starter = SIZE_MAX;
	unsigned last = 0; /* class of the character before, if it did not compose */

	for (size_t i = 0; i < n; i++) {
		unsigned class = CLASS(v[i]);
		uint32_t whole;

		/* Blocked if something of the same or a higher class, or a starter, stands between. */
		if (starter != SIZE_MAX && (out - 1 == starter || (last && last < class)) &&
		    (whole = composed(POINT(v[starter]), POINT(v[i])))) {
			v[starter] = whole;
			continue;
		}
		if (!class)
			starter = out;
		last = class;
		v[out++] = v[i];
	}
	return out;
}

/* Below U+0300 nothing decomposes to something else than what it composes to again, and nothing is a mark. */
static bool surely_normal(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0xcc)
			return false;
	}
	return true;
}

bool dm_nfc(struct dm_arena *arena, struct dm_sv s, struct dm_sv *ret)
{
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
	size_t n = 0, m, bytes = 0;
	uint32_t *v;
	char *out;

	if (surely_normal(s)) {
		*ret = s;
		return true;
	}
	/* A character of b bytes decomposes to at most 4 characters (U+1F82 and its like), and one of 2 bytes
	 * or more stands behind each. */
	v = dm_arena_alloc(arena, (s.n * 2 + 4) * sizeof(*v));
	if (!v)
		return false;
	while (p < end)
		n += decompose(utf8_next(&p), v + n);
	for (size_t i = 0; i < n; i++)
		v[i] |= combining_class(v[i]) << 24;
	if (!order_marks(arena, v, n))
		return false;
	m = compose(v, n);
	out = dm_arena_alloc(arena, m * 4 + 1);
	if (!out)
		return false;
	for (size_t i = 0; i < m; i++)
		bytes += utf8_put(out + bytes, POINT(v[i]));
	*ret = dm_sv(out, bytes);
	return true;
}
