/* What an index can be asked before the exact evaluation: atoms of one bracket, or a whole pattern as a list
 * of values. */
#include "base/limits.h"
#include "hunt/pattern_tree.h"

/* --- paths as text -------------------------------------------------------------------------------------- */

static bool plain_name(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return s.n > 0;
}

/* Hash names as STIX 2.1 s.10.6 spells them, whatever the pattern did. */
static struct dm_sv known_spelling(const struct dm_step *s)
{
	if (!s->hashes)
		return s->key;
	switch (dm_hash_name(s->key)) {
	case DM_OBS_MD5:
		return DM_SV("MD5");
	case DM_OBS_SHA1:
		return DM_SV("SHA-1");
	case DM_OBS_SHA256:
		return DM_SV("SHA-256");
	case DM_OBS_SHA512:
		return DM_SV("SHA-512");
	case DM_OBS_SSDEEP:
		return DM_SV("SSDEEP");
	case DM_OBS_TLSH:
		return DM_SV("TLSH");
	default:
		return s->key;
	}
}

static void path_text(struct dm_buf *out, const struct dm_test *t)
{
	for (uint32_t i = 0; i < t->n_step; i++) {
		const struct dm_step *s = &t->step[i];
		struct dm_sv key = known_spelling(s);

		if (s->kind == DM_STEP_STAR) {
			dm_buf_str(out, "[*]");
			continue;
		}
		if (s->kind == DM_STEP_INDEX) {
			dm_buf_putc(out, '[');
			dm_buf_u64(out, s->index);
			dm_buf_putc(out, ']');
			continue;
		}
		if (i)
			dm_buf_putc(out, '.');
		if (!plain_name(key))
			dm_buf_putc(out, '\'');
		dm_buf_sv(out, key);
		if (!plain_name(key))
			dm_buf_putc(out, '\'');
	}
}

/* --- atoms ---------------------------------------------------------------------------------------------- */

static const struct dm_atom any = {.op = DM_ATOM_ANY};

static struct dm_atom *atom(struct dm_pattern *p, const struct dm_test *t, enum dm_atom_op op,
			    struct dm_sv path, struct dm_sv value)
{
	struct dm_atom *a = dm_arena_alloc(&p->arena, sizeof(*a));

	if (a)
		*a = (struct dm_atom){.op = op, .object = t->object, .path = path, .value = value};
	return a;
}

static struct dm_sv constant_text(const struct dm_const *c)
{
	struct dm_sv s = c->text;

	return c->type == DM_CONST_NUMBER && s.n && s.p[0] == '+' ? dm_sv_from(s, 1) : s;
}

/* Whether an index of texts can answer: strings and whole numbers. Octets, times, booleans and fractions have
 * more than one spelling. */
static bool indexable(const struct dm_const *c)
{
	return c->type == DM_CONST_STRING || (c->type == DM_CONST_NUMBER && c->integer);
}

static const struct dm_atom *test_atom(struct dm_pattern *p, const struct dm_test *t, struct dm_sv path)
{
	const struct dm_step *last = &t->step[t->n_step - 1];
	struct dm_atom *list;
	const struct dm_atom **kid;
	enum dm_atom_op op = DM_ATOM_ANY;

	if (!t->negated && !(last->kind == DM_STEP_KEY && (last->hex || last->bin))) {
		if ((t->op == DM_TEST_EQ || t->op == DM_TEST_IN) && t->n_value && indexable(t->value))
			op = DM_ATOM_EQ;
		else if (t->op == DM_TEST_ISSUBSET)
			op = DM_ATOM_SUBNET;
		else if (t->op == DM_TEST_LIKE)
			op = DM_ATOM_LIKE;
		else if (t->op == DM_TEST_MATCHES)
			op = DM_ATOM_REGEX;
	}
	for (uint32_t i = 0; op == DM_ATOM_EQ && i < t->n_value; i++) {
		if (!indexable(&t->value[i]))
			op = DM_ATOM_ANY;
	}
	if (op == DM_ATOM_ANY)
		return atom(p, t, op, path, dm_sv("", 0));
	if (t->n_value == 1)
		return atom(p, t, op, path, op == DM_ATOM_LIKE ? t->like : constant_text(t->value));
	list = dm_arena_alloc(&p->arena, sizeof(*list));
	kid = dm_arena_alloc(&p->arena, t->n_value * sizeof(*kid));
	if (!list || !kid)
		return NULL;
	for (uint32_t i = 0; i < t->n_value; i++) {
		kid[i] = atom(p, t, op, path, constant_text(&t->value[i]));
		if (!kid[i])
			return NULL;
	}
	*list = (struct dm_atom){.op = DM_ATOM_OR, .n = t->n_value, .kid = kid};
	return list;
}

static const struct dm_atom *atoms(struct dm_pattern *p, const struct dm_cmp *c)
{
	struct dm_atom *a;
	const struct dm_atom **kid;
	struct dm_buf path;
	struct dm_sv kept;

	if (c->kind == DM_CMP_TEST) {
		dm_buf_init(&path, 4 * DM_MAX_PATTERN);
		path_text(&path, c->test);
		kept = path.err ? dm_sv(NULL, 0) : dm_arena_copy(&p->arena, dm_buf_view(&path));
		dm_buf_done(&path);
		return kept.p ? test_atom(p, c->test, kept) : NULL;
	}
	a = dm_arena_alloc(&p->arena, sizeof(*a));
	kid = dm_arena_alloc(&p->arena, c->n * sizeof(*kid));
	if (!a || !kid)
		return NULL;
	for (uint32_t i = 0; i < c->n; i++) {
		kid[i] = atoms(p, c->kid[i]);
		if (!kid[i])
			return NULL;
	}
	*a = (struct dm_atom){.op = c->kind == DM_CMP_AND ? DM_ATOM_AND : DM_ATOM_OR, .n = c->n, .kid = kid};
	return a;
}

bool dm_pattern_prepare_atoms(struct dm_pattern *p)
{
	p->atoms = dm_arena_alloc(&p->arena, p->n_brackets * sizeof(*p->atoms));
	if (!p->atoms)
		return false;
	for (uint32_t b = 0; b < p->n_brackets; b++) {
		p->atoms[b] = atoms(p, p->bracket[b]);
		if (!p->atoms[b])
			return false;
	}
	return true;
}

const struct dm_atom *dm_pattern_candidates(const struct dm_pattern *p, uint32_t b)
{
	return b < p->n_brackets ? p->atoms[b] : &any;
}

/* --- a pattern that is a list of values ----------------------------------------------------------------- */

/* The paths whose values are what a dictionary of observables holds, each by itself and whatever object it
 * was seen in. */
static bool is_dictionary_path(const struct dm_test *t)
{
	static const struct {
		const char *object, *key;
	} paths[] = {
		{"ipv4-addr", "value"},
		{"ipv6-addr", "value"},
		{"domain-name", "value"},
		{"url", "value"},
		{"email-addr", "value"},
		{"mac-addr", "value"},
		{"autonomous-system", "number"},
		{"mutex", "name"},
		{"file", "name"},
		{"windows-registry-key", "key"},
	};

	if (t->n_step == 2 && t->step[1].kind == DM_STEP_KEY && t->step[1].hashes) {
		if (dm_sv_is(t->object, "x509-certificate"))
			return dm_hash_name(t->step[1].key) >= DM_OBS_MD5 &&
			       dm_hash_name(t->step[1].key) <= DM_OBS_SHA256;
		return (dm_sv_is(t->object, "file") || dm_sv_is(t->object, "artifact")) &&
		       dm_hash_name(t->step[1].key) != DM_OBS_NONE;
	}
	if (t->n_step != 1)
		return false;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (dm_sv_is(t->object, paths[i].object) && dm_sv_is(t->step[0].key, paths[i].key))
			return true;
	}
	return false;
}

/* Walks the ORs of equalities; calls each if it is given. False if there is anything else, or a call failed.
 */
static bool values(const struct dm_atom *a, const struct dm_cmp *c,
		   int (*each)(void *, struct dm_sv, struct dm_sv, bool, struct dm_sv), void *ctx)
{
	if (c->kind == DM_CMP_AND)
		return false;
	if (c->kind == DM_CMP_OR) {
		for (uint32_t i = 0; i < c->n; i++) {
			if (!values(a->kid[i], c->kid[i], each, ctx))
				return false;
		}
		return true;
	}
	if (!is_dictionary_path(c->test))
		return false;
	for (uint32_t i = 0; i < (a->op == DM_ATOM_OR ? a->n : 1); i++) {
		const struct dm_atom *one = a->op == DM_ATOM_OR ? a->kid[i] : a;

		if (one->op != DM_ATOM_EQ && one->op != DM_ATOM_SUBNET)
			return false;
		if (each && each(ctx, one->object, one->path, one->op == DM_ATOM_SUBNET, one->value))
			return false;
	}
	return true;
}

bool dm_pattern_values(const struct dm_pattern *p,
		       int (*each)(void *ctx, struct dm_sv object, struct dm_sv path, bool subnet,
				   struct dm_sv value),
		       void *ctx)
{
	if (p->root->kind != DM_OBSX_BRACKET || !values(p->atoms[0], p->bracket[0], NULL, NULL))
		return false;
	return values(p->atoms[0], p->bracket[0], each, ctx);
}
