#include "base/json_internal.h"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "base/limits.h"

/* The tree is built from simdjson's index of structural characters. Everything that the index does not
 * promise is checked here: the grammar, numbers, literals, escapes, depth, duplicate keys. The copy ends in
 * zero bytes and the index in two entries that point at them, so that looking one token ahead needs no check.
 */

struct walk {
	struct dm_json_node *nodes;
	char *text;
	size_t n;
	const uint32_t *ix;
	uint32_t ix_n, at;   /* index entries, the next one */
	uint32_t count, cap; /* nodes */
	uint32_t depth;
	uint32_t stack[DM_MAX_DEPTH];
	size_t fault;
	int code;
};

static bool bad(struct walk *w, int code, size_t at)
{
	if (!w->code) {
		w->code = code;
		w->fault = at;
	}
	return false;
}

/* White space, structural characters and the end may stand behind a scalar. */
static bool ends_scalar(const char *p, const char *end)
{
	switch (*p) {
	case ' ':
	case '\t':
	case '\n':
	case '\r':
	case ',':
	case ']':
	case '}':
	case ':':
	case '[':
	case '{':
		return true;
	case 0:
		return p == end;
	default:
		return false;
	}
}

static const char *digits_end(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* End of the number that starts at p; NULL if it breaks the grammar. The zero bytes behind the document stop
 * each step. */
static const char *number_end(const char *p, const char *end)
{
	const char *q;

	if (*p == '-')
		p++;
	q = *p == '0' ? p + 1 : digits_end(p);
	if (q == p)
		return NULL;
	p = q;
	if (*p == '.') {
		q = digits_end(++p);
		if (q == p)
			return NULL;
		p = q;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		q = digits_end(p);
		if (q == p)
			return NULL;
		p = q;
	}
	return ends_scalar(p, end) ? p : NULL;
}

static int hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'			 ? c - '0'
			: (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
								 : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static size_t unescape_unicode(const char *p, size_t n, char **out)
{
	size_t used = 5;
	char *w = *out;
	int c, low;

	if (n < 5)
		return 0;
	c = hex4(p + 1);
	if (c < 0 || (c >= 0xdc00 && c <= 0xdfff))
		return 0;
	if (c < 0x80) {
		*w++ = (char)c;
	} else if (c < 0x800) {
		*w++ = (char)(0xc0 | c >> 6);
		*w++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0xd800 || c > 0xdbff) {
		*w++ = (char)(0xe0 | c >> 12);
		*w++ = (char)(0x80 | (c >> 6 & 0x3f));
		*w++ = (char)(0x80 | (c & 0x3f));
	} else {
		/* A lone surrogate is no character: its UTF-8 would be invalid (RFC 3629 s.3). */
		if (n < 11 || p[5] != '\\' || p[6] != 'u')
			return 0;
		low = hex4(p + 7);
		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		*w++ = (char)(0xf0 | c >> 18);
		*w++ = (char)(0x80 | (c >> 12 & 0x3f));
		*w++ = (char)(0x80 | (c >> 6 & 0x3f));
		*w++ = (char)(0x80 | (c & 0x3f));
		used = 11;
	}
	*out = w;
	return used;
}

size_t dm_json_unescape(const char *p, size_t n, char **out)
{
	char c;

	if (!n)
		return 0;
	switch (*p) {
	case '"':
	case '\\':
	case '/':
		c = *p;
		break;
	case 'b':
		c = '\b';
		break;
	case 'f':
		c = '\f';
		break;
	case 'n':
		c = '\n';
		break;
	case 'r':
		c = '\r';
		break;
	case 't':
		c = '\t';
		break;
	case 'u':
		return unescape_unicode(p, n, out);
	default:
		return 0;
	}
	*(*out)++ = c;
	return 1;
}

/* The first quote or backslash from p on; end if none. Up to 16 bytes behind `end` are read. */
static const char *string_special(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; p < end; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		int mask = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
							  _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
		if (mask) {
			p += __builtin_ctz((unsigned)mask);
			break;
		}
	}
	return p < end ? p : end;
#else
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
#endif
}

/* The string whose opening quote stands at `at`; decoded in place, since no escape is shorter than what it
 * stands for. */
static bool take_string(struct walk *w, size_t at, struct dm_sv *ret)
{
	char *start = w->text + at + 1, *out;
	const char *end = w->text + w->n, *p = string_special(start, end), *q;
	size_t used;

	if (p == end)
		return bad(w, DM_EFORMAT, at);
	if (*p == '"') {
		*ret = dm_sv(start, (size_t)(p - start));
		/* The index and this reader must agree where the string ends. */
		return p < w->text + w->ix[w->at] ? true : bad(w, DM_EFORMAT, at);
	}
	for (out = w->text + (p - w->text);;) {
		used = dm_json_unescape(p + 1, (size_t)(end - p - 1), &out);
		if (!used)
			return bad(w, DM_EFORMAT, (size_t)(p - w->text));
		p += 1 + used;
		q = string_special(p, end);
		if (q == end)
			return bad(w, DM_EFORMAT, at);
		memmove(out, p, (size_t)(q - p));
		out += q - p;
		p = q;
		if (*p == '"')
			break;
	}
	*ret = dm_sv(start, (size_t)(out - start));
	return p < w->text + w->ix[w->at] ? true : bad(w, DM_EFORMAT, at);
}

static bool take_literal(struct walk *w, struct dm_json_node *node, size_t at, const char *word, size_t n,
			 enum dm_json_type type)
{
	const char *p = w->text + at;

	node->type = (uint8_t)type;
	return !memcmp(p, word, n) && ends_scalar(p + n, w->text + w->n) ? true : bad(w, DM_EFORMAT, at);
}

/* One scalar at `at`, or the opening of an array or object, which is pushed. */
static bool take_value(struct walk *w, struct dm_json_node *node, size_t at)
{
	const char *p = w->text + at, *end;

	switch (*p) {
	case '"':
		node->type = DM_JSON_STRING;
		return take_string(w, at, &node->text);
	case '{':
	case '[':
		node->type = *p == '{' ? DM_JSON_OBJECT : DM_JSON_ARRAY;
		if (w->depth == DM_MAX_DEPTH)
			return bad(w, DM_ELIMIT, at);
		w->stack[w->depth++] = w->count - 1;
		return true;
	case 't':
		return take_literal(w, node, at, "true", 4, DM_JSON_TRUE);
	case 'f':
		return take_literal(w, node, at, "false", 5, DM_JSON_FALSE);
	case 'n':
		return take_literal(w, node, at, "null", 4, DM_JSON_NULL);
	default:
		end = (*p >= '0' && *p <= '9') || *p == '-' ? number_end(p, w->text + w->n) : NULL;
		if (!end)
			return bad(w, DM_EFORMAT, at);
		node->type = DM_JSON_NUMBER;
		node->text = dm_sv(p, (size_t)(end - p));
		return true;
	}
}

/* A member or element at the next index entry: key and colon if the parent is an object, then the value. */
static bool take_member(struct walk *w, bool keyed)
{
	struct dm_json_node *node = &w->nodes[w->count];
	size_t at;

	if (w->count == w->cap)
		return bad(w, w->cap == DM_MAX_NODES ? DM_ELIMIT : DM_EFORMAT, w->ix[w->at]);
	*node = (struct dm_json_node){0};
	at = w->ix[w->at];
	if (keyed) {
		if (w->text[at] != '"')
			return bad(w, DM_EFORMAT, at);
		w->at++;
		if (!take_string(w, at, &node->key))
			return false;
		at = w->ix[w->at];
		if (w->text[at] != ':')
			return bad(w, DM_EFORMAT, at);
		at = w->ix[++w->at];
	}
	if (w->at == w->ix_n)
		return bad(w, DM_EFORMAT, at);
	w->at++;
	w->count++;
	if (w->depth)
		w->nodes[w->stack[w->depth - 1]].count++;
	if (!take_value(w, node, at))
		return false;
	node->next = w->count;
	return true;
}

int dm_json_tree(struct dm_json *doc, struct dm_json_reader *r, size_t n, const uint32_t *index,
		 uint32_t index_n, size_t *ret_at, uint32_t *ret_key)
{
	struct walk w = {.nodes = doc->nodes, .text = r->text, .n = n, .ix = index, .ix_n = index_n};
	struct dm_json_node *top;
	uint32_t depth;
	bool opened;
	int code;
	char c;

	*ret_key = 0;
	w.cap = doc->cap < DM_MAX_NODES ? (uint32_t)doc->cap : DM_MAX_NODES;
	if (!take_member(&w, false))
		goto fault;
	opened = w.depth;
	while (w.depth) {
		top = &w.nodes[w.stack[w.depth - 1]];
		c = w.text[w.ix[w.at]];
		if (c == (top->type == DM_JSON_OBJECT ? '}' : ']')) {
			w.at++;
			top->next = w.count;
			code = DM_OK;
			if (top->type == DM_JSON_OBJECT && top->count > 1)
				code = dm_json_duplicate(doc, w.stack[w.depth - 1], &r->table, &r->table_cap,
							 ret_key);
			if (code)
				return code;
			if (*ret_key) {
				bad(&w, DM_EFORMAT,
				    (size_t)(w.nodes[*ret_key].key.p - 1 - w.text)); /* its opening quote */
				goto fault;
			}
			w.depth--;
			opened = false;
			continue;
		}
		if (!opened) {
			if (c != ',') {
				bad(&w, DM_EFORMAT, w.ix[w.at]);
				goto fault;
			}
			w.at++;
		}
		depth = w.depth;
		if (!take_member(&w, top->type == DM_JSON_OBJECT))
			goto fault;
		opened = w.depth > depth;
	}
	if (w.at != w.ix_n) {
		bad(&w, DM_EFORMAT, w.ix[w.at]);
		goto fault;
	}
	doc->count = w.count;
	return DM_OK;
fault:
	*ret_at = w.fault;
	return w.code;
}

/* SipHash-1-3 (Aumasson, Bernstein) under a key of this process: whoever writes a document can't choose keys
 * that collide. */
static uint64_t hash_key[2];

static void hash_seed(void)
{
	struct timespec ts;

	if (getrandom(hash_key, sizeof hash_key, GRND_NONBLOCK) == sizeof hash_key)
		return;
	/* No entropy yet at early boot: still not known to the author of a file. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	hash_key[0] = (uint64_t)ts.tv_nsec * 0x9e3779b97f4a7c15ull ^ (uintptr_t)&ts;
	hash_key[1] = (uint64_t)ts.tv_sec ^ (uintptr_t)hash_seed;
}

#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = ROTL(v[1], 13) ^ v[0];
	v[3] = ROTL(v[3], 16) ^ v[2];
	v[0] = ROTL(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = ROTL(v[1], 17) ^ v[2];
	v[3] = ROTL(v[3], 21) ^ v[0];
	v[2] = ROTL(v[2], 32);
}

static uint64_t hash(struct dm_sv s)
{
	uint64_t v[4] = {hash_key[0] ^ 0x736f6d6570736575ull, hash_key[1] ^ 0x646f72616e646f6dull,
			 hash_key[0] ^ 0x6c7967656e657261ull, hash_key[1] ^ 0x7465646279746573ull};
	uint64_t m;
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		memcpy(&m, s.p + i, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	m = (uint64_t)s.n << 56;
	for (size_t k = 0; i < s.n; i++, k += 8)
		m |= (uint64_t)(uint8_t)s.p[i] << k;
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (int k = 0; k < 3; k++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static int duplicate_hashed(const struct dm_json *doc, uint32_t obj, uint32_t **table, size_t *table_cap,
			    uint32_t *ret)
{
	static pthread_once_t seeded = PTHREAD_ONCE_INIT;
	const struct dm_json_node *nodes = doc->nodes;
	size_t size = 64, slot;

	pthread_once(&seeded, hash_seed);
	while (size < 2 * (size_t)nodes[obj].count)
		size *= 2;
	if (dm_grow((void **)table, table_cap, size, sizeof **table))
		return DM_ENOMEM;
	memset(*table, 0, size * sizeof **table);
	for (uint32_t i = obj + 1; i < nodes[obj].next; i = nodes[i].next) {
		for (slot = hash(nodes[i].key) & (size - 1); (*table)[slot]; slot = (slot + 1) & (size - 1))
			if (dm_sv_eq(nodes[(*table)[slot]].key, nodes[i].key)) {
				*ret = i;
				return DM_OK;
			}
		(*table)[slot] = i;
	}
	return DM_OK;
}

#define FEW 32 /* members up to which each key is compared with those before it */

/* Enough of a key to tell most keys apart: length, first and last bytes. */
static uint64_t signature(struct dm_sv s)
{
	uint64_t first = 0, last = 0;

	if (s.n >= 8) {
		memcpy(&first, s.p, 8);
		memcpy(&last, s.p + s.n - 8, 8);
	} else if (s.n >= 4) {
		memcpy(&first, s.p, 4);
		memcpy(&last, s.p + s.n - 4, 4);
	} else if (s.n) {
		first = (uint8_t)s.p[0] | (uint64_t)(uint8_t)s.p[s.n / 2] << 8 |
			(uint64_t)(uint8_t)s.p[s.n - 1] << 16;
	}
	return first + ROTL(last, 31) + ((uint64_t)s.n << 56);
}

int dm_json_duplicate(const struct dm_json *doc, uint32_t obj, uint32_t **table, size_t *table_cap,
		      uint32_t *ret)
{
	const struct dm_json_node *nodes = doc->nodes;
	uint64_t sig[FEW], seen = 0, bit;
	uint32_t at[FEW], n = 0;

	*ret = 0;
	if (nodes[obj].count > FEW)
		return duplicate_hashed(doc, obj, table, table_cap, ret);
	for (uint32_t i = obj + 1; i < nodes[obj].next; i = nodes[i].next) {
		sig[n] = signature(nodes[i].key);
		at[n] = i;
		bit = 1ull << (sig[n] * 0x9e3779b97f4a7c15ull >> 58);
		if (seen & bit)
			for (uint32_t k = 0; k < n; k++)
				if (sig[k] == sig[n] && dm_sv_eq(nodes[at[k]].key, nodes[i].key)) {
					*ret = i;
					return DM_OK;
				}
		seen |= bit;
		n++;
	}
	return DM_OK;
}
