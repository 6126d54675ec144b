/* What the grammar can't say about a comparison, and what is worked out once at the parse: regular
 * expressions, octets and canonical forms of constants. An invalid constant makes the pattern invalid
 * (STIX 2.1 s.9.4).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "hunt/nfc.h"
#include "hunt/pattern_tree.h"

void dm_pattern_remark(struct dm_pattern *p, const char *fmt, ...)
{
	va_list ap;

	if (p->note[0])
		return;
	va_start(ap, fmt);
	vsnprintf(p->note, sizeof(p->note), fmt, ap);
	va_end(ap);
}

/* --- hashes --------------------------------------------------------------------------------------------- */

size_t dm_hash_fold(struct dm_sv key, char out[32])
{
	size_t n = 0;

	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];

		if (c == '-' || c == '_')
			continue;
		if (n == 32)
			return 0;
		out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
	}
	return n;
}

/* Hash algorithms (STIX 2.1 s.10.6 and the names that 2.0 had) by folded name, with the hexadecimal digits of
 * a value; 0: not hexadecimal. */
static const struct {
	const char *name;
	unsigned digits;
	enum dm_obs_type type;
} hashes[] = {
	{"MD5", 32, DM_OBS_MD5},       {"SHA1", 40, DM_OBS_SHA1},      {"SHA224", 56, DM_OBS_NONE},
	{"SHA256", 64, DM_OBS_SHA256}, {"SHA384", 96, DM_OBS_NONE},    {"SHA512", 128, DM_OBS_SHA512},
	{"SHA3224", 56, DM_OBS_NONE},  {"SHA3256", 64, DM_OBS_NONE},   {"SHA3384", 96, DM_OBS_NONE},
	{"SHA3512", 128, DM_OBS_NONE}, {"RIPEMD160", 40, DM_OBS_NONE}, {"WHIRLPOOL", 128, DM_OBS_NONE},
	{"SSDEEP", 0, DM_OBS_SSDEEP},  {"TLSH", 0, DM_OBS_TLSH},
};

static int hash_index(struct dm_sv key)
{
	char folded[32];
	size_t n = dm_hash_fold(key, folded);

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (n && dm_sv_is(dm_sv(folded, n), hashes[i].name))
			return (int)i;
	}
	return -1;
}

enum dm_obs_type dm_hash_name(struct dm_sv key)
{
	int i = hash_index(key);

	return i < 0 ? DM_OBS_NONE : hashes[i].type;
}

static bool is_hex(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] | 0x20;

		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

static bool is_ssdeep(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] | 0x20;

		if (!(c >= 'a' && c <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !memchr("/+:.", s.p[i], 4))
			return false;
	}
	return s.n > 0;
}

/* A hash of the wrong length never matches: better said at once than found out after the incident. */
static int check_hash(const struct dm_test *t, struct dm_err *err)
{
	const struct dm_step *last = &t->step[t->n_step - 1];
	int h = last->kind == DM_STEP_KEY && last->hashes ? hash_index(last->key) : -1;

	if (h < 0 || (t->op != DM_TEST_EQ && t->op != DM_TEST_NEQ && t->op != DM_TEST_IN))
		return 0;
	for (uint32_t i = 0; i < t->n_value; i++) {
		const struct dm_const *c = &t->value[i];

		if (c->type != DM_CONST_STRING)
			continue;
		if (hashes[h].type == DM_OBS_SSDEEP && !is_ssdeep(c->text))
			return dm_pattern_bad(err, t->at, "%.*s needs blocksize:hash:hash", (int)last->key.n,
					      last->key.p);
		if (hashes[h].digits && (c->text.n != hashes[h].digits || !is_hex(c->text)))
			return dm_pattern_bad(
				err, t->at,
				"%.*s needs %u hexadecimal digits, this constant has %zu characters",
				(int)last->key.n, last->key.p, hashes[h].digits, c->text.n);
	}
	return 0;
}

/* --- constants ------------------------------------------------------------------------------------------ */

static int check_subnet(struct dm_test *t, struct dm_err *err)
{
	struct dm_const *c = t->value;

	if (dm_sv_find(c->text, '-') == SIZE_MAX && dm_ip_range(c->text, &c->first, &c->last))
		return 0;
	dm_pattern_bad(err, t->at, "%s needs an address or a network",
		       t->op == DM_TEST_ISSUBSET ? "ISSUBSET" : "ISSUPERSET");
	dm_err_remedy(err, "write it as '198.51.100.0/24' or '2001:db8::/32'");
	return DM_EFORMAT;
}

static int out_of_memory(struct dm_err *err)
{
	return dm_fail(err, DM_ENOMEM, "no memory for a pattern");
}

static int add_regex(struct dm_pattern *p, struct dm_test *t, struct dm_sv text, bool octets,
		     struct dm_regex **ret, struct dm_err *err)
{
	size_t at = 0;
	int rc;

	if (dm_grow((void **)&p->regexes, &p->cap_regexes, p->n_regexes + 1, sizeof(*p->regexes)))
		return out_of_memory(err);
	rc = dm_regex_compile(ret, text, octets, &at, err);
	if (rc == DM_EFORMAT && err) {
		err->offset = t->at;
		err->has_offset = 1;
		dm_err_remedy(
			err,
			"look at character %zu of the expression; in a pattern a backslash is written twice",
			at + 1);
	}
	if (!rc)
		p->regexes[p->n_regexes++] = *ret;
	return rc;
}

static int check_matches(struct dm_pattern *p, struct dm_test *t, struct dm_err *err)
{
	const struct dm_step *last = &t->step[t->n_step - 1];
	const struct dm_const *c = t->value;
	struct dm_sv text;
	int rc;

	if (!dm_nfc(&p->arena, c->text, &text))
		return out_of_memory(err);
	rc = add_regex(p, t, text, false, &t->regex, err);
	/* s.9.6.1: over a binary property without the Unicode flag. The constant stands for octets there. */
	if (!rc && (last->hex || last->bin) && c->octets.p)
		rc = add_regex(p, t, c->octets, true, &t->regex_octets, err);
	return rc;
}

static bool add_canon(struct dm_arena *arena, struct dm_canon *v, uint32_t *n, enum dm_obs_type type,
		      struct dm_sv raw)
{
	struct dm_buf key, text;
	enum dm_obs_type real;
	bool ok = true;

	dm_buf_init(&key, DM_MAX_PATTERN);
	dm_buf_init(&text, DM_MAX_PATTERN);
	if (dm_obs_key(type, raw, &key, &real)) {
		dm_obs_text(real, dm_buf_view(&key), &text);
		if (!text.err && !dm_sv_eq(dm_buf_view(&text), raw)) {
			v[*n].type = real;
			v[*n].text = dm_arena_copy(arena, dm_buf_view(&text));
			ok = v[*n].text.p != NULL;
			*n += ok;
		}
	}
	dm_buf_done(&key);
	dm_buf_done(&text);
	return ok;
}

/* The constant as our own evidence would spell it: addresses, names, hashes, ... by what the path asks for.
 * "198.51.100.1/32" is one address. */
static int canonical_forms(struct dm_pattern *p, const struct dm_test *t, struct dm_const *c,
			   struct dm_err *err)
{
	static const enum dm_obs_type of_value[] = {DM_OBS_IPV4, DM_OBS_DOMAIN, DM_OBS_URL, DM_OBS_EMAIL,
						    DM_OBS_MAC};
	const struct dm_step *last = &t->step[t->n_step - 1];
	struct dm_canon v[8];
	struct dm_ip first, end;
	struct dm_buf text;
	uint32_t n = 0;
	bool ok = true;

	if (dm_sv_is(last->key, "value")) {
		for (size_t i = 0; ok && i < sizeof(of_value) / sizeof(of_value[0]); i++)
			ok = add_canon(&p->arena, v, &n, of_value[i], c->text);
		if (ok && dm_sv_find(c->text, '/') != SIZE_MAX && dm_sv_find(c->text, '-') == SIZE_MAX &&
		    dm_ip_range(c->text, &first, &end) && !memcmp(first.b, end.b, 16)) {
			dm_buf_init(&text, 64);
			dm_ip_put(&text, &first);
			v[n].type = DM_OBS_IPV4;
			v[n].text = dm_arena_copy(&p->arena, dm_buf_view(&text));
			ok = v[n++].text.p != NULL;
			dm_buf_done(&text);
		}
	} else if (last->hashes && dm_hash_name(last->key) != DM_OBS_NONE) {
		ok = add_canon(&p->arena, v, &n, dm_hash_name(last->key), c->text);
	} else if (dm_sv_is(t->object, "windows-registry-key") && dm_sv_is(last->key, "key")) {
		ok = add_canon(&p->arena, v, &n, DM_OBS_REGISTRY, c->text);
	}
	if (ok && n) {
		struct dm_canon *kept = dm_arena_alloc(&p->arena, n * sizeof(*v));

		ok = kept != NULL;
		if (ok) {
			memcpy(kept, v, n * sizeof(*v));
			c->canon = kept;
			c->n_canon = n;
		}
	}
	return ok ? 0 : out_of_memory(err);
}

static int by_text(const void *a, const void *b)
{
	return dm_sv_cmp(((const struct dm_const *)a)->text, ((const struct dm_const *)b)->text);
}

static int by_sv(const void *a, const void *b)
{
	return dm_sv_cmp(*(const struct dm_sv *)a, *(const struct dm_sv *)b);
}

/* Members of IN so that one can be found by halving, as written and in canonical form. */
static int sort_members(struct dm_pattern *p, struct dm_test *t, struct dm_err *err)
{
	uint32_t n = 0;

	if (!t->n_value || t->value[0].type != DM_CONST_STRING)
		return 0;
	qsort(t->value, t->n_value, sizeof(*t->value), by_text);
	for (uint32_t i = 0; i < t->n_value; i++)
		n += t->value[i].n_canon;
	t->canon = dm_arena_alloc(&p->arena, n * sizeof(*t->canon) + 1);
	if (!t->canon)
		return out_of_memory(err);
	t->n_canon = n;
	n = 0;
	for (uint32_t i = 0; i < t->n_value; i++) {
		for (uint32_t k = 0; k < t->value[i].n_canon; k++)
			t->canon[n++] = t->value[i].canon[k].text;
	}
	if (n)
		qsort(t->canon, n, sizeof(*t->canon), by_sv);
	return 0;
}

int dm_pattern_check_test(struct dm_pattern *p, struct dm_test *t, struct dm_err *err)
{
	bool equality = t->op == DM_TEST_EQ || t->op == DM_TEST_NEQ || t->op == DM_TEST_IN;
	int rc = check_hash(t, err);

	for (uint32_t i = 0; !rc && i < t->n_value; i++) {
		struct dm_const *c = &t->value[i];

		if (c->type != DM_CONST_STRING)
			continue;
		/* Not a failure: a constant beyond U+00FF has no octets. */
		if (!dm_latin1_octets(&p->arena, c->text, &c->octets))
			c->octets = dm_sv(NULL, 0);
		if (equality)
			rc = canonical_forms(p, t, c, err);
	}
	if (rc)
		return rc;
	if (t->op == DM_TEST_IN)
		return sort_members(p, t, err);
	if (t->op == DM_TEST_LIKE && !dm_nfc(&p->arena, t->value->text, &t->like))
		return out_of_memory(err);
	if (t->op == DM_TEST_ISSUBSET || t->op == DM_TEST_ISSUPERSET)
		return check_subnet(t, err);
	return t->op == DM_TEST_MATCHES ? check_matches(p, t, err) : 0;
}

/* --- long ORs ------------------------------------------------------------------------------------------- */

static bool same_path(const struct dm_test *a, const struct dm_test *b)
{
	if (!dm_sv_eq(a->object, b->object) || a->n_step != b->n_step)
		return false;
	for (uint32_t i = 0; i < a->n_step; i++) {
		const struct dm_step *x = &a->step[i], *y = &b->step[i];

		if (x->kind != y->kind || !dm_sv_eq(x->key, y->key) || x->index != y->index)
			return false;
	}
	return true;
}

static bool is_value_list(const struct dm_cmp *c)
{
	const struct dm_test *t = c->test;

	return c->kind == DM_CMP_TEST && !t->negated && (t->op == DM_TEST_EQ || t->op == DM_TEST_IN) &&
	       t->n_value && t->value[0].type == DM_CONST_STRING;
}

/* LIMIT: different paths of one OR that are merged; comparisons with further paths stay as they are. */
#define MAX_GROUPS 16

struct group {
	struct dm_cmp *first;
	uint32_t tests, n; /* comparisons, constants */
};

static int merge_group(struct dm_pattern *p, struct dm_cmp *c, const struct group *g, struct dm_err *err)
{
	struct dm_test *into = g->first->test;
	struct dm_const *all = dm_arena_alloc(&p->arena, g->n * sizeof(*all));
	uint32_t n = 0;

	if (!all)
		return out_of_memory(err);
	for (uint32_t i = 0; i < c->n; i++) {
		struct dm_cmp *kid = c->kid[i];

		if (!kid || !is_value_list(kid) || !same_path(kid->test, into))
			continue;
		memcpy(all + n, kid->test->value, kid->test->n_value * sizeof(*all));
		n += kid->test->n_value;
		if (kid != g->first)
			c->kid[i] = NULL;
	}
	into->op = DM_TEST_IN;
	into->value = all;
	into->n_value = n;
	return sort_members(p, into, err);
}

int dm_pattern_merge_or(struct dm_pattern *p, struct dm_cmp *c, struct dm_err *err)
{
	struct group g[MAX_GROUPS];
	uint32_t n = 0, k, kept = 0;
	int rc = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		if (!is_value_list(c->kid[i]))
			continue;
		for (k = 0; k < n && !same_path(g[k].first->test, c->kid[i]->test); k++)
			;
		if (k == MAX_GROUPS)
			continue;
		if (k == n)
			g[n++] = (struct group){.first = c->kid[i]};
		g[k].tests++;
		g[k].n += c->kid[i]->test->n_value;
	}
	for (k = 0; !rc && k < n; k++) {
		if (g[k].tests > 1)
			rc = merge_group(p, c, &g[k], err);
	}
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->kid[i])
			c->kid[kept++] = c->kid[i];
	}
	c->n = kept;
	return rc;
}

/* --- object types under AND ----------------------------------------------------------------------------- */

/* Whether c can hold for an object of the given type if every comparison on that type is taken as true. */
static bool satisfiable_for(const struct dm_cmp *c, struct dm_sv object)
{
	if (c->kind == DM_CMP_TEST)
		return dm_sv_eq(c->test->object, object);
	for (uint32_t i = 0; i < c->n; i++) {
		if (satisfiable_for(c->kid[i], object) != (c->kind == DM_CMP_AND))
			return c->kind == DM_CMP_OR;
	}
	return c->kind == DM_CMP_AND;
}

/* LIMIT: types x nodes; each type is tried once, at most 64 different ones: who has more gets the benefit of
 * the doubt. */
#define MAX_TYPES 64

static bool any_type_fits(const struct dm_cmp *root, const struct dm_cmp *c, struct dm_sv *seen,
			  uint32_t *n_seen)
{
	if (c->kind == DM_CMP_TEST) {
		for (uint32_t i = 0; i < *n_seen; i++) {
			if (dm_sv_eq(seen[i], c->test->object))
				return false;
		}
		if (*n_seen == MAX_TYPES)
			return true;
		seen[(*n_seen)++] = c->test->object;
		return satisfiable_for(root, c->test->object);
	}
	for (uint32_t i = 0; i < c->n; i++) {
		if (any_type_fits(root, c->kid[i], seen, n_seen))
			return true;
	}
	return false;
}

bool dm_pattern_cmp_satisfiable(const struct dm_cmp *c)
{
	struct dm_sv seen[MAX_TYPES];
	uint32_t n_seen = 0;

	return any_type_fits(c, c, seen, &n_seen);
}
