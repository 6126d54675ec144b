/* One property value against the constant of one comparison (STIX 2.1 s.9.6): native formats, no conversion
 * that the specification does not name, and false where types do not fit (true for !=).
 */
#include "base/text.h"
#include "hunt/nfc.h"
#include "hunt/pattern_tree.h"

/* --- numbers -------------------------------------------------------------------------------------------- */

/* A decimal number as a run of digits d1 d2 d3 .. with the value 0.d1d2d3.. * 10^scale, d1 not 0. */
struct decimal {
	bool negative, zero;
	struct dm_sv whole, frac;
	size_t skip; /* leading zeros of whole and frac taken together */
	int64_t scale;
};

static struct decimal decimal(struct dm_sv s)
{
	struct decimal d = {0};
	size_t i = 0, n;
	int64_t exp = 0;

	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		d.negative = s.p[i++] == '-';
	for (n = i; n < s.n && s.p[n] != '.' && (s.p[n] | 0x20) != 'e'; n++)
		;
	d.whole = dm_sv(s.p + i, n - i);
	if (n < s.n && s.p[n] == '.') {
		for (i = ++n; n < s.n && (s.p[n] | 0x20) != 'e'; n++)
			;
		d.frac = dm_sv(s.p + i, n - i);
	}
	if (n < s.n) {
		bool minus = n + 1 < s.n && s.p[n + 1] == '-';

		/* An exponent that long is beyond any other number's digits: its exact size no longer
		 * matters. */
		for (n++; n < s.n; n++) {
			if (s.p[n] >= '0' && s.p[n] <= '9' && exp < 1000000000000)
				exp = exp * 10 + (s.p[n] - '0');
		}
		exp = minus ? -exp : exp;
	}
	n = d.whole.n + d.frac.n;
	while (d.skip < n && (d.skip < d.whole.n ? d.whole.p[d.skip] : d.frac.p[d.skip - d.whole.n]) == '0')
		d.skip++;
	d.zero = d.skip == n;
	d.scale = (int64_t)d.whole.n - (int64_t)d.skip + exp;
	return d;
}

/* Digit i behind the skipped zeros; '0' past the end. */
static char digit(const struct decimal *d, size_t i)
{
	i += d->skip;
	if (i < d->whole.n)
		return d->whole.p[i];
	i -= d->whole.n;
	return i < d->frac.n ? d->frac.p[i] : '0';
}

int dm_number_cmp(struct dm_sv a, struct dm_sv b)
{
	struct decimal x = decimal(a), y = decimal(b);
	size_t nx = x.whole.n + x.frac.n - x.skip, ny = y.whole.n + y.frac.n - y.skip;
	int sign = x.negative ? -1 : 1;

	if (x.zero || y.zero) {
		if (x.zero && y.zero)
			return 0;
		return x.zero ? (y.negative ? 1 : -1) : sign;
	}
	if (x.negative != y.negative)
		return sign;
	if (x.scale != y.scale)
		return x.scale < y.scale ? -sign : sign;
	for (size_t i = 0; i < nx || i < ny; i++) {
		char p = digit(&x, i), q = digit(&y, i);

		if (p != q)
			return p < q ? -sign : sign;
	}
	return 0;
}

/* --- times, octets -------------------------------------------------------------------------------------- */

bool dm_stix_time(struct dm_sv s, int64_t *ret)
{
	size_t zone = s.n;

	/* dm_time_parse takes looser spellings from logs: here a date alone, a space or a missing zone is
	 * just a string. */
	if (s.n < 20 || (s.p[10] != 'T' && s.p[10] != 't') || s.p[13] != ':' || s.p[16] != ':')
		return false;
	for (size_t i = 19; i < s.n && zone == s.n; i++) {
		if (s.p[i] == 'Z' || s.p[i] == 'z' || s.p[i] == '+' || s.p[i] == '-')
			zone = i;
		else if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	}
	if (zone == s.n || (s.n - zone != 1 && s.n - zone != 6))
		return false;
	return dm_time_parse(s, ret);
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool dm_base64_decode(struct dm_arena *arena, struct dm_sv s, struct dm_sv *ret)
{
	char *out = dm_arena_alloc(arena, s.n / 4 * 3 + 4);
	uint32_t group = 0;
	size_t n = 0, digits = 0, pad = 0;

	if (!out)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int d = base64_digit(s.p[i]);

		if (s.p[i] == '\n' || s.p[i] == '\r')
			continue; /* s.9.2: line feeds in base64 are ignored */
		if (s.p[i] == '=') {
			pad++;
			continue;
		}
		if (d < 0 || pad)
			return false;
		group = group << 6 | (uint32_t)d;
		if (++digits % 4 == 0) {
			out[n++] = (char)(group >> 16);
			out[n++] = (char)(group >> 8);
			out[n++] = (char)group;
		}
	}
	if ((digits + pad) % 4 || pad > 2 || digits % 4 == 1)
		return false;
	if (digits % 4 == 2)
		out[n++] = (char)(group >> 4);
	if (digits % 4 == 3) {
		out[n++] = (char)(group >> 10);
		out[n++] = (char)(group >> 2);
	}
	*ret = dm_sv(out, n);
	return true;
}

bool dm_latin1_octets(struct dm_arena *arena, struct dm_sv s, struct dm_sv *ret)
{
	char *out = dm_arena_alloc(arena, s.n + 1);
	size_t n = 0;

	if (!out)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0xc4)
			return false;
		if (c >= 0xc2)
			c = (unsigned char)(c << 6 | (s.p[++i] & 0x3f));
		out[n++] = (char)c;
	}
	*ret = dm_sv(out, n);
	return true;
}

/* Octets as text for LIKE: UTF-8 if they are, else a code point each. */
static bool text_of_octets(struct dm_arena *arena, struct dm_sv octets, struct dm_sv *ret)
{
	char *out;
	size_t n = 0;

	if (dm_utf8_valid(octets)) {
		*ret = octets;
		return true;
	}
	out = dm_arena_alloc(arena, octets.n * 2 + 1);
	if (!out)
		return false;
	for (size_t i = 0; i < octets.n; i++) {
		unsigned char c = (unsigned char)octets.p[i];

		if (c >= 0x80)
			out[n++] = (char)(0xc0 | c >> 6);
		out[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
	}
	*ret = dm_sv(out, n);
	return true;
}

/* --- the operators -------------------------------------------------------------------------------------- */

int dm_pattern_charge(struct dm_budget *budget, uint64_t n, struct dm_err *err)
{
	if (budget->left >= n) {
		budget->left -= n;
		return 0;
	}
	budget->left = 0;
	dm_fail(err, DM_ELIMIT, "the pattern needs more steps than its budget allows");
	dm_err_remedy(err, "make it narrower: fewer [*], LIKE or MATCHES, a smaller WITHIN or REPEATS");
	return DM_ELIMIT;
}

/* Order of value and constant in *ret: negative, 0 or positive. 0 if the types do not fit each other, 1 if
 * they do, DM_ENOMEM. */
static int compare(struct dm_match_ctx *m, const struct dm_const *c, const struct dm_operand *v, int *ret)
{
	bool string = v->node->type == DM_JSON_STRING && !v->binary;
	struct dm_sv octets = v->octets;
	int64_t t;

	switch (c->type) {
	case DM_CONST_NUMBER:
		if (v->node->type != DM_JSON_NUMBER)
			return 0;
		*ret = dm_number_cmp(v->node->text, c->text);
		return 1;
	case DM_CONST_BOOL:
		if (v->node->type != DM_JSON_TRUE && v->node->type != DM_JSON_FALSE)
			return 0;
		*ret = (v->node->type == DM_JSON_TRUE) - c->truth;
		return 1;
	case DM_CONST_TIME:
		if (!string || !dm_stix_time(v->node->text, &t))
			return 0;
		*ret = t < c->time ? -1 : t > c->time;
		return 1;
	case DM_CONST_STRING:
		/* UTF-8 sorts like its code points (s.9.6.2); no normalisation. */
		if (string)
			*ret = dm_sv_cmp(v->node->text, c->text);
		else if (v->binary && c->octets.p)
			*ret = dm_sv_cmp(v->octets, c->octets);
		else
			return 0;
		return 1;
	case DM_CONST_BINARY:
		if (!string && !v->binary)
			return 0;
		if (string && !dm_latin1_octets(&m->scratch, v->node->text, &octets))
			return 0;
		*ret = dm_sv_cmp(octets, c->text);
		return 1;
	}
	return 0;
}

static bool equal(struct dm_match_ctx *m, const struct dm_const *c, const struct dm_operand *v)
{
	int order;

	if (!compare(m, c, v, &order))
		return false;
	if (!order)
		return true;
	if (!m->o->canonical || v->binary || v->node->type != DM_JSON_STRING)
		return false;
	for (uint32_t i = 0; i < c->n_canon; i++) {
		/* Registry keys ignore case; their text keeps it. */
		if (dm_sv_eq(c->canon[i].text, v->node->text) ||
		    (c->canon[i].type == DM_OBS_REGISTRY && dm_sv_ieq(c->canon[i].text, v->node->text)))
			return true;
	}
	return false;
}

static bool among(const struct dm_sv *sorted, uint32_t n, struct dm_sv s)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (dm_sv_cmp(sorted[mid], s) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && dm_sv_eq(sorted[lo], s);
}

static int member(struct dm_match_ctx *m, const struct dm_test *t, const struct dm_operand *v)
{
	uint32_t lo = 0, hi = t->n_value;
	int rc;

	/* Strings against strings: the members are sorted. */
	if (t->canon && v->node->type == DM_JSON_STRING && !v->binary) {
		while (lo < hi) {
			uint32_t mid = lo + (hi - lo) / 2;

			if (dm_sv_cmp(t->value[mid].text, v->node->text) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < t->n_value && dm_sv_eq(t->value[lo].text, v->node->text))
			return 1;
		if (!m->o->canonical || !t->n_canon)
			return 0;
		/* Registry keys are the only ones that compare without case, and so by trying all. */
		if (!dm_sv_is(t->object, "windows-registry-key"))
			return among(t->canon, t->n_canon, v->node->text);
	}
	rc = dm_pattern_charge(m->budget, t->n_value / 4, m->err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < t->n_value; i++) {
		if (equal(m, &t->value[i], v))
			return 1;
	}
	return 0;
}

static size_t char_len(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0xc0 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

/* % is any run of characters, line ends included, _ any one; the rest is itself. On a mismatch only the last
 * % need be moved: what an earlier one could take, the last one can take as well. LIMIT: stops when `*steps`
 * is used up. */
static bool like(struct dm_sv pattern, struct dm_sv text, uint64_t *steps)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

	while (t < text.n) {
		if (!*steps)
			return false;
		--*steps;
		if (p < pattern.n && pattern.p[p] == '%') {
			star = ++p;
			resume = t;
		} else if (p < pattern.n && pattern.p[p] == '_') {
			p++;
			t += char_len(text.p[t]);
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star;
			resume += char_len(text.p[resume]);
			t = resume;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '%')
		p++;
	return p == pattern.n;
}

static int test_like(struct dm_match_ctx *m, const struct dm_test *t, const struct dm_operand *v)
{
	struct dm_sv text = v->node->text;
	uint64_t steps = m->budget->left > UINT64_MAX / 8 ? UINT64_MAX : m->budget->left * 8, before = steps;
	bool hit;
	int rc;

	if (v->node->type != DM_JSON_STRING)
		return 0;
	if ((v->binary && !text_of_octets(&m->scratch, v->octets, &text)) ||
	    !dm_nfc(&m->scratch, text, &text))
		return dm_fail(m->err, DM_ENOMEM, "no memory for a comparison");
	hit = like(t->like, text, &steps);
	rc = steps ? dm_pattern_charge(m->budget, (before - steps) / 8, m->err)
		   : dm_pattern_charge(m->budget, UINT64_MAX, m->err);
	return rc ? rc : hit;
}

static int test_matches(struct dm_match_ctx *m, const struct dm_test *t, const struct dm_operand *v)
{
	struct dm_sv text = v->node->text;
	uint64_t cost = 0;
	int hit, rc;

	if (v->node->type != DM_JSON_STRING)
		return 0;
	if (v->binary) {
		if (!t->regex_octets)
			return 0;
		text = v->octets;
	} else if (!dm_nfc(&m->scratch, text, &text)) {
		return dm_fail(m->err, DM_ENOMEM, "no memory for a comparison");
	}
	hit = dm_regex_search(v->binary ? t->regex_octets : t->regex, text, &m->regex_scratch, &cost, m->err);
	rc = dm_pattern_charge(m->budget, cost, hit < 0 ? NULL : m->err);
	return hit < 0 ? hit : rc ? rc : hit;
}

static int test_subnet(const struct dm_test *t, const struct dm_operand *v)
{
	const struct dm_const *c = t->value;
	struct dm_ip first, last;
	struct dm_sv text = v->node->text;

	/* A value may be a network itself. A range with a hyphen is no STIX value. */
	if (v->node->type != DM_JSON_STRING || v->binary || dm_sv_find(text, '-') != SIZE_MAX ||
	    !dm_ip_range(text, &first, &last) || dm_ip_is4(&first) != dm_ip_is4(&c->first))
		return 0;
	if (t->op == DM_TEST_ISSUBSET)
		return memcmp(first.b, c->first.b, 16) >= 0 && memcmp(last.b, c->last.b, 16) <= 0;
	return memcmp(first.b, c->first.b, 16) <= 0 && memcmp(last.b, c->last.b, 16) >= 0;
}

int dm_pattern_test_value(struct dm_match_ctx *m, const struct dm_test *t, const struct dm_operand *v)
{
	int order, hit, rc = dm_pattern_charge(m->budget, 1 + v->node->text.n / 256, m->err);

	if (rc)
		return rc;
	switch (t->op) {
	case DM_TEST_EQ:
		hit = equal(m, t->value, v);
		break;
	case DM_TEST_NEQ:
		hit = !equal(m, t->value, v);
		break;
	case DM_TEST_IN:
		hit = member(m, t, v);
		break;
	case DM_TEST_LIKE:
		hit = test_like(m, t, v);
		break;
	case DM_TEST_MATCHES:
		hit = test_matches(m, t, v);
		break;
	case DM_TEST_ISSUBSET:
	case DM_TEST_ISSUPERSET:
		hit = test_subnet(t, v);
		break;
	default:
		/* Neither a < b nor its negation holds between things that have no order: the result is false
		 * (s.9.6.1). */
		if (!compare(m, t->value, v, &order))
			return 0;
		hit = t->op == DM_TEST_LT   ? order < 0
		      : t->op == DM_TEST_LE ? order <= 0
		      : t->op == DM_TEST_GT ? order > 0
					    : order >= 0;
		break;
	}
	return hit < 0 ? hit : hit != t->negated;
}
