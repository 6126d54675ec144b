/* STIX patterns: tokens to tree, by the parser rules of the published STIXPattern.g4 (STIX 2.1), with one
 * token of look-ahead.
 *
 * Also taken, since content of STIX 2.0 has it: START and STOP with plain strings.
 */
#include "base/limits.h"
#include "base/text.h"
#include "hunt/pattern_tree.h"

struct parser {
	struct dm_pattern *p;
	struct dm_arena *arena;
	struct dm_lexer lx;
	struct dm_token tok; /* the one not yet taken */
	struct dm_err *err;
	unsigned depth;
	uint32_t nodes;
	size_t cap_brackets;
	bool plain_times; /* START '..' was seen */
};

struct list {
	void **item;
	size_t cap;
	uint32_t n;
};

static int no_memory(struct parser *ps)
{
	return dm_fail(ps->err, DM_ENOMEM, "no memory for a pattern");
}

static int next(struct parser *ps)
{
	return dm_pattern_lex(&ps->lx, &ps->tok, ps->err);
}

/* "expected X, found Y", at Y. */
static int expected(struct parser *ps, const char *what)
{
	int n = ps->tok.text.n > 40 ? 40 : (int)ps->tok.text.n;

	if (ps->tok.type == DM_TOK_END)
		return dm_pattern_bad(ps->err, ps->tok.at, "expected %s, but the pattern ends", what);
	/* A cut in the middle of a character is mended by whoever prints. */
	return dm_pattern_bad(ps->err, ps->tok.at, "expected %s, found %.*s", what, n, ps->tok.text.p);
}

static int take(struct parser *ps, enum dm_token_type type, const char *what)
{
	return ps->tok.type == type ? next(ps) : expected(ps, what);
}

/* LIMIT: every node of the tree is counted, so that 64 KiB of text can't become a gigabyte of tree. */
static void *node(struct parser *ps, size_t size)
{
	void *v;

	if (++ps->nodes > DM_MAX_PATTERN_NODES) {
		dm_fail(ps->err, DM_ELIMIT, "the pattern has more than %u parts", DM_MAX_PATTERN_NODES);
		return NULL;
	}
	v = dm_arena_alloc(ps->arena, size);
	if (!v) {
		no_memory(ps);
		return NULL;
	}
	return memset(v, 0, size);
}

static int node_error(struct parser *ps)
{
	return ps->nodes > DM_MAX_PATTERN_NODES ? DM_ELIMIT : DM_ENOMEM;
}

static int list_add(struct parser *ps, struct list *l, void *item)
{
	if (dm_grow((void **)&l->item, &l->cap, l->n + 1, sizeof(*l->item)))
		return no_memory(ps);
	l->item[l->n++] = item;
	return 0;
}

/* The list's items in the arena. */
static void **list_keep(struct parser *ps, const struct list *l)
{
	void **v = dm_arena_alloc(ps->arena, l->n * sizeof(*v) + 1);

	if (v && l->n)
		memcpy(v, l->item, l->n * sizeof(*v));
	return v;
}

static int enter(struct parser *ps)
{
	if (++ps->depth <= DM_MAX_DEPTH)
		return 0;
	dm_pattern_bad(ps->err, ps->tok.at, "parentheses are nested more than %u deep", DM_MAX_DEPTH);
	if (ps->err)
		ps->err->code = DM_ELIMIT;
	return DM_ELIMIT;
}

/* \' and \\ are the only escapes that the lexer lets through. */
static int unquote(struct parser *ps, struct dm_sv raw, struct dm_sv *ret)
{
	char *out = dm_arena_alloc(ps->arena, raw.n + 1);
	size_t n = 0;

	if (!out)
		return no_memory(ps);
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\')
			i++;
		out[n++] = raw.p[i];
	}
	out[n] = '\0';
	*ret = dm_sv(out, n);
	return 0;
}

/* --- constants ------------------------------------------------------------------------------------------ */

static int time_const(struct parser *ps, int64_t *ret)
{
	struct dm_sv s = ps->tok.text;

	/* Upper case T and Z, and no offset, inside a pattern (grammar: TimestampLiteral). */
	if (s.n < 20 || s.p[10] != 'T' || s.p[s.n - 1] != 'Z' || !dm_stix_time(s, ret)) {
		dm_pattern_bad(ps->err, ps->tok.at, "this is not a STIX timestamp");
		dm_err_remedy(ps->err, "write t'2014-12-19T10:00:00Z', in UTC");
		return DM_EFORMAT;
	}
	return 0;
}

static int constant(struct parser *ps, struct dm_const *c)
{
	int rc = 0;

	*c = (struct dm_const){.text = ps->tok.text};
	switch (ps->tok.type) {
	case DM_TOK_INT:
	case DM_TOK_FLOAT:
		c->type = DM_CONST_NUMBER;
		c->integer = ps->tok.type == DM_TOK_INT;
		break;
	case DM_TOK_STRING:
		c->type = DM_CONST_STRING;
		rc = unquote(ps, ps->tok.text, &c->text);
		break;
	case DM_TOK_TRUE:
	case DM_TOK_FALSE:
		c->type = DM_CONST_BOOL;
		c->truth = ps->tok.type == DM_TOK_TRUE;
		break;
	case DM_TOK_TIME:
		c->type = DM_CONST_TIME;
		rc = time_const(ps, &c->time);
		break;
	case DM_TOK_HEX:
		c->type = DM_CONST_BINARY;
		c->text.n = ps->tok.text.n / 2;
		c->text.p = dm_arena_alloc(ps->arena, c->text.n + 1);
		if (!c->text.p)
			return no_memory(ps);
		dm_sv_unhex(ps->tok.text, (uint8_t *)(uintptr_t)c->text.p, c->text.n);
		break;
	case DM_TOK_BINARY:
		c->type = DM_CONST_BINARY;
		/* The grammar wants at least one group of four. */
		if (!ps->tok.text.n || !dm_base64_decode(ps->arena, ps->tok.text, &c->text))
			return dm_pattern_bad(ps->err, ps->tok.at, "b'..' needs base64 with its padding");
		break;
	default:
		return expected(ps,
				"a constant (number, 'string', true, false, t'time', b'base64' or h'hex')");
	}
	return rc ? rc : next(ps);
}

static int set(struct parser *ps, struct dm_test *t)
{
	struct dm_const *v = NULL;
	size_t cap = 0, at;
	uint32_t n = 0;
	int rc = take(ps, DM_TOK_LPAREN, "( and the members of the set");

	while (!rc && (n || ps->tok.type != DM_TOK_RPAREN)) {
		if (dm_grow((void **)&v, &cap, n + 1, sizeof(*v))) {
			rc = no_memory(ps);
			break;
		}
		at = ps->tok.at;
		rc = constant(ps, &v[n]);
		if (rc)
			break;
		if (v[n].type != v[0].type) {
			rc = dm_pattern_bad(ps->err, at, "the members of a set must all be of one type");
			break;
		}
		n++;
		if (++ps->nodes > DM_MAX_PATTERN_NODES) {
			rc = dm_fail(ps->err, DM_ELIMIT, "the pattern has more than %u parts",
				     DM_MAX_PATTERN_NODES);
			break;
		}
		if (ps->tok.type != DM_TOK_COMMA)
			break;
		rc = next(ps);
	}
	if (!rc)
		rc = take(ps, DM_TOK_RPAREN, n ? ", or ) after a member of the set" : ")");
	if (!rc) {
		t->value = dm_arena_alloc(ps->arena, n * sizeof(*v) + 1);
		t->n_value = n;
		if (!t->value)
			rc = no_memory(ps);
		else if (n)
			memcpy(t->value, v, n * sizeof(*v));
	}
	dm_free(v);
	return rc;
}

/* --- object paths --------------------------------------------------------------------------------------- */

static int key_step(struct parser *ps, struct dm_step *s)
{
	int rc;

	*s = (struct dm_step){.kind = DM_STEP_KEY, .key = ps->tok.text};
	if (ps->tok.type == DM_TOK_HYPHEN) {
		expected(ps, "a property name");
		dm_err_remedy(ps->err, "put a name with a hyphen into quotes: '%.*s'",
			      (int)(s->key.n > 60 ? 60 : s->key.n), s->key.p);
		return DM_EFORMAT;
	}
	if (ps->tok.type != DM_TOK_NAME && ps->tok.type != DM_TOK_STRING)
		return expected(ps, "a property name");
	rc = ps->tok.type == DM_TOK_STRING ? unquote(ps, ps->tok.text, &s->key) : 0;
	s->ref = dm_sv_ends(s->key, DM_SV("_ref"));
	s->refs = dm_sv_ends(s->key, DM_SV("_refs"));
	s->hex = dm_sv_ends(s->key, DM_SV("_hex"));
	s->bin = dm_sv_ends(s->key, DM_SV("_bin"));
	return rc ? rc : next(ps);
}

static int index_step(struct parser *ps, struct dm_step *s)
{
	struct dm_sv digits;
	int rc = next(ps);

	if (rc)
		return rc;
	*s = (struct dm_step){.kind = DM_STEP_INDEX};
	if (ps->tok.type == DM_TOK_STAR) {
		s->kind = DM_STEP_STAR;
	} else if (ps->tok.type == DM_TOK_INT) {
		digits = ps->tok.text;
		if (digits.p[0] == '+')
			digits = dm_sv_from(digits, 1);
		/* Too large or negative: no list is that long, the comparison is false (s.9.7.2). */
		if (!dm_sv_u64(digits, &s->index))
			s->index = UINT64_MAX;
	} else {
		return expected(ps, "a list index or *");
	}
	rc = next(ps);
	return rc ? rc : take(ps, DM_TOK_RBRACK, "] after the list index");
}

static int object_path(struct parser *ps, struct dm_test *t)
{
	struct dm_step *v = NULL;
	size_t cap = 0;
	uint32_t n = 0;
	int rc;

	if (ps->tok.type != DM_TOK_NAME && ps->tok.type != DM_TOK_HYPHEN)
		return expected(ps, "an object path such as file:name");
	t->object = ps->tok.text;
	rc = next(ps);
	if (!rc)
		rc = take(ps, DM_TOK_COLON, ": and a property name");
	while (!rc) {
		if (dm_grow((void **)&v, &cap, n + 1, sizeof(*v))) {
			rc = no_memory(ps);
			break;
		}
		if (!n) {
			rc = key_step(ps, &v[n]);
		} else if (ps->tok.type == DM_TOK_DOT) {
			rc = next(ps);
			if (!rc)
				rc = key_step(ps, &v[n]);
		} else if (ps->tok.type == DM_TOK_LBRACK) {
			rc = index_step(ps, &v[n]);
		} else {
			break;
		}
		if (!rc && n && v[n].kind == DM_STEP_KEY && v[n - 1].kind == DM_STEP_KEY)
			v[n].hashes = dm_sv_is(v[n - 1].key, "hashes");
		n += !rc;
		if (++ps->nodes > DM_MAX_PATTERN_NODES)
			rc = dm_fail(ps->err, DM_ELIMIT, "the pattern has more than %u parts",
				     DM_MAX_PATTERN_NODES);
	}
	if (!rc) {
		struct dm_step *kept = dm_arena_alloc(ps->arena, n * sizeof(*v) + 1);

		if (kept) {
			memcpy(kept, v, n * sizeof(*v));
			t->step = kept;
			t->n_step = n;
		} else {
			rc = no_memory(ps);
		}
	}
	dm_free(v);
	return rc;
}

/* --- comparison expressions ----------------------------------------------------------------------------- */

static int one_value(struct parser *ps, struct dm_test *t)
{
	bool order = t->op >= DM_TEST_LT && t->op <= DM_TEST_GE;
	bool text = t->op >= DM_TEST_LIKE && t->op <= DM_TEST_ISSUPERSET;

	if (text && ps->tok.type != DM_TOK_STRING)
		return expected(ps, "a 'string'");
	if (order && (ps->tok.type == DM_TOK_TRUE || ps->tok.type == DM_TOK_FALSE))
		return expected(ps, "a constant that has an order, not a boolean,");
	t->value = dm_arena_alloc(ps->arena, sizeof(*t->value));
	t->n_value = 1;
	return t->value ? constant(ps, t->value) : no_memory(ps);
}

static int operator(struct parser *ps, struct dm_test *t)
{
	static const struct {
		enum dm_token_type token;
		enum dm_test_op op;
	} ops[] = {
		{DM_TOK_EQ, DM_TEST_EQ},
		{DM_TOK_NEQ, DM_TEST_NEQ},
		{DM_TOK_LT, DM_TEST_LT},
		{DM_TOK_LE, DM_TEST_LE},
		{DM_TOK_GT, DM_TEST_GT},
		{DM_TOK_GE, DM_TEST_GE},
		{DM_TOK_IN, DM_TEST_IN},
		{DM_TOK_LIKE, DM_TEST_LIKE},
		{DM_TOK_MATCHES, DM_TEST_MATCHES},
		{DM_TOK_ISSUBSET, DM_TEST_ISSUBSET},
		{DM_TOK_ISSUPERSET, DM_TEST_ISSUPERSET},
	};
	int rc = 0;

	if (ps->tok.type == DM_TOK_NOT) {
		t->negated = true;
		rc = next(ps);
	}
	for (size_t i = 0; !rc && i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ps->tok.type == ops[i].token) {
			t->op = ops[i].op;
			rc = next(ps);
			if (rc)
				return rc;
			return t->op == DM_TEST_IN ? set(ps, t) : one_value(ps, t);
		}
	}
	return rc ? rc : expected(ps, "a comparison operator such as = or LIKE");
}

static int test(struct parser *ps, struct dm_cmp **ret)
{
	struct dm_cmp *c = node(ps, sizeof(*c));
	struct dm_test *t = c ? dm_arena_alloc(ps->arena, sizeof(*t)) : NULL;
	int rc = 0;

	if (!t)
		return c ? no_memory(ps) : node_error(ps);
	*t = (struct dm_test){.at = ps->tok.at};
	c->kind = DM_CMP_TEST;
	c->test = t;
	if (ps->tok.type == DM_TOK_NOT || ps->tok.type == DM_TOK_EXISTS) {
		t->negated = ps->tok.type == DM_TOK_NOT;
		t->op = DM_TEST_EXISTS;
		if (t->negated)
			rc = next(ps);
		if (!rc && t->negated && ps->tok.type != DM_TOK_EXISTS) {
			expected(ps, "EXISTS after a NOT at the start of a comparison");
			dm_err_remedy(ps->err, "put NOT before the operator: file:name NOT = 'x'");
			return DM_EFORMAT;
		}
		if (!rc)
			rc = next(ps);
		if (!rc)
			rc = object_path(ps, t);
	} else {
		rc = object_path(ps, t);
		if (!rc)
			rc = operator(ps, t);
	}
	if (!rc)
		rc = dm_pattern_check_test(ps->p, t, ps->err);
	if (!rc)
		*ret = c;
	return rc;
}

static int comparison(struct parser *ps, struct dm_cmp **ret);

static int comparison_item(struct parser *ps, struct dm_cmp **ret)
{
	int rc;

	if (ps->tok.type != DM_TOK_LPAREN)
		return test(ps, ret);
	rc = enter(ps);
	if (!rc)
		rc = next(ps);
	if (!rc)
		rc = comparison(ps, ret);
	if (!rc)
		rc = take(ps, DM_TOK_RPAREN, "AND, OR or ) inside the parentheses");
	ps->depth--;
	return rc;
}

/* A list of what `item` reads, joined by `joint`; a list of one is the item itself. */
static int comparison_list(struct parser *ps, enum dm_token_type joint, enum dm_cmp_kind kind,
			   int (*item)(struct parser *, struct dm_cmp **), struct dm_cmp **ret)
{
	struct list l = {0};
	struct dm_cmp *c = NULL;
	int rc;

	for (;;) {
		rc = item(ps, &c);
		if (!rc && (l.n || ps->tok.type == joint))
			rc = list_add(ps, &l, c);
		if (rc || ps->tok.type != joint)
			break;
		rc = next(ps);
		if (rc)
			break;
	}
	if (!rc && l.n) {
		c = node(ps, sizeof(*c));
		if (c) {
			c->kind = kind;
			c->n = l.n;
			c->kid = (struct dm_cmp **)list_keep(ps, &l);
			rc = c->kid ? 0 : no_memory(ps);
			if (!rc && kind == DM_CMP_OR)
				rc = dm_pattern_merge_or(ps->p, c, ps->err);
		} else {
			rc = node_error(ps);
		}
	}
	if (!rc)
		*ret = c;
	dm_free(l.item);
	return rc;
}

static int comparison_and(struct parser *ps, struct dm_cmp **ret)
{
	return comparison_list(ps, DM_TOK_AND, DM_CMP_AND, comparison_item, ret);
}

static int comparison(struct parser *ps, struct dm_cmp **ret)
{
	return comparison_list(ps, DM_TOK_OR, DM_CMP_OR, comparison_and, ret);
}

/* --- observation expressions ---------------------------------------------------------------------------- */

static int within(struct parser *ps, struct dm_obsx *q)
{
	struct dm_sv s = ps->tok.text;
	uint64_t whole = 0, us = 0, unit = DM_US / 10;
	size_t i = s.n && s.p[0] == '+';
	int rc;

	if ((ps->tok.type != DM_TOK_INT && ps->tok.type != DM_TOK_FLOAT) || s.p[0] == '-')
		return expected(ps, "a positive number of seconds");
	/* A window over all of recorded time is as good as any larger one. */
	for (; i < s.n && s.p[i] != '.'; i++)
		whole = whole > 1000000000000ull ? whole : whole * 10 + (uint64_t)(s.p[i] - '0');
	for (i++; i < s.n; i++, unit /= 10)
		us += unit * (uint64_t)(s.p[i] - '0');
	q->kind = DM_OBSX_WITHIN;
	q->span = (int64_t)(whole > 1000000000000ull ? 1000000000000ull : whole) * DM_US + (int64_t)us;
	if (dm_number_cmp(s, DM_SV("0")) <= 0)
		return dm_pattern_bad(ps->err, ps->tok.at, "WITHIN needs a number of seconds above 0");
	rc = next(ps);
	if (!rc && ps->tok.type != DM_TOK_SECONDS) {
		expected(ps, "SECONDS");
		dm_err_remedy(ps->err, "seconds are the only unit of WITHIN");
		return DM_EFORMAT;
	}
	return rc ? rc : next(ps);
}

static int repeats(struct parser *ps, struct dm_obsx *q)
{
	struct dm_sv s = ps->tok.text;
	int rc;

	if (ps->tok.type != DM_TOK_INT || s.p[0] == '-')
		return expected(ps, "a positive whole number");
	if (s.p[0] == '+')
		s = dm_sv_from(s, 1);
	q->kind = DM_OBSX_REPEATS;
	if (!dm_sv_u64(s, &q->times))
		q->times = UINT64_MAX;
	if (!q->times)
		return dm_pattern_bad(ps->err, ps->tok.at, "REPEATS needs a number above 0");
	rc = next(ps);
	return rc ? rc : take(ps, DM_TOK_TIMES, "TIMES");
}

static int moment(struct parser *ps, int64_t *ret)
{
	int rc;

	if (ps->tok.type != DM_TOK_TIME && ps->tok.type != DM_TOK_STRING)
		return expected(ps, "a time such as t'2014-12-19T10:00:00Z'");
	ps->plain_times |= ps->tok.type == DM_TOK_STRING;
	rc = time_const(ps, ret);
	return rc ? rc : next(ps);
}

static int start_stop(struct parser *ps, struct dm_obsx *q)
{
	size_t at = ps->tok.at;
	int rc;

	q->kind = DM_OBSX_STARTSTOP;
	rc = moment(ps, &q->start);
	if (!rc)
		rc = take(ps, DM_TOK_STOP, "STOP");
	if (!rc)
		rc = moment(ps, &q->stop);
	if (!rc && q->start >= q->stop)
		dm_pattern_remark(
			ps->p, "START at byte %zu is not before its STOP: nothing can happen in between", at);
	return rc;
}

/* WITHIN, REPEATS and START behind an expression: on a bracket each at most once (s.9.5.1). On a group,
 * published validators and contents know several, and what they mean is clear. */
static int qualifiers(struct parser *ps, struct dm_obsx **x, bool group)
{
	unsigned seen = 0, bit;
	int rc = 0;

	while (!rc) {
		enum dm_token_type type = ps->tok.type;
		struct dm_obsx *q;

		if (type != DM_TOK_WITHIN && type != DM_TOK_REPEATS && type != DM_TOK_START)
			return 0;
		bit = type == DM_TOK_WITHIN ? 1 : type == DM_TOK_REPEATS ? 2 : 4;
		if (!group && (seen & bit))
			return dm_pattern_bad(ps->err, ps->tok.at, "a bracket can have only one %.*s",
					      (int)ps->tok.text.n, ps->tok.text.p);
		seen |= bit;
		q = node(ps, sizeof(*q));
		if (!q)
			return node_error(ps);
		q->n = 1;
		q->kid = dm_arena_alloc(ps->arena, sizeof(*q->kid));
		if (!q->kid)
			return no_memory(ps);
		q->kid[0] = *x;
		*x = q;
		rc = next(ps);
		if (!rc)
			rc = bit == 1 ? within(ps, q) : bit == 2 ? repeats(ps, q) : start_stop(ps, q);
	}
	return rc;
}

static int bracket(struct parser *ps, struct dm_obsx **ret)
{
	struct dm_obsx *x = node(ps, sizeof(*x));
	struct dm_cmp *c = NULL;
	size_t at = ps->tok.at;
	int rc = x ? next(ps) : node_error(ps);

	if (!rc)
		rc = comparison(ps, &c);
	if (!rc)
		rc = take(ps, DM_TOK_RBRACK, "AND, OR or ] after a comparison");
	if (rc)
		return rc;
	if (!dm_pattern_cmp_satisfiable(c))
		dm_pattern_remark(
			ps->p,
			"the bracket at byte %zu can never match: AND joins properties of different "
			"object types (STIX 2.1 s.9.5)",
			at);
	if (dm_grow((void **)&ps->p->bracket, &ps->cap_brackets, ps->p->n_brackets + 1,
		    sizeof(*ps->p->bracket)))
		return no_memory(ps);
	x->kind = DM_OBSX_BRACKET;
	x->bracket = ps->p->n_brackets;
	ps->p->bracket[ps->p->n_brackets++] = c;
	*ret = x;
	return 0;
}

static int followed_by(struct parser *ps, struct dm_obsx **ret);

static int observation_item(struct parser *ps, struct dm_obsx **ret)
{
	bool group = ps->tok.type == DM_TOK_LPAREN;
	int rc;

	if (ps->tok.type == DM_TOK_LBRACK) {
		rc = bracket(ps, ret);
	} else if (group) {
		rc = enter(ps);
		if (!rc)
			rc = next(ps);
		if (!rc)
			rc = followed_by(ps, ret);
		if (!rc)
			rc = take(ps, DM_TOK_RPAREN, "AND, OR, FOLLOWEDBY, a qualifier or )");
		ps->depth--;
	} else {
		return expected(ps, "[ and a comparison");
	}
	return rc ? rc : qualifiers(ps, ret, group);
}

static int observation_list(struct parser *ps, enum dm_token_type joint, enum dm_obs_kind kind,
			    int (*item)(struct parser *, struct dm_obsx **), struct dm_obsx **ret)
{
	struct list l = {0};
	struct dm_obsx *x = NULL;
	int rc;

	for (;;) {
		rc = item(ps, &x);
		if (!rc && (l.n || ps->tok.type == joint))
			rc = list_add(ps, &l, x);
		if (rc || ps->tok.type != joint)
			break;
		rc = next(ps);
		if (rc)
			break;
	}
	if (!rc && l.n) {
		x = node(ps, sizeof(*x));
		if (x) {
			x->kind = kind;
			x->n = l.n;
			x->kid = (struct dm_obsx **)list_keep(ps, &l);
			rc = x->kid ? 0 : no_memory(ps);
		} else {
			rc = node_error(ps);
		}
	}
	if (!rc)
		*ret = x;
	dm_free(l.item);
	return rc;
}

static int observation_and(struct parser *ps, struct dm_obsx **ret)
{
	return observation_list(ps, DM_TOK_AND, DM_OBSX_AND, observation_item, ret);
}

static int observation_or(struct parser *ps, struct dm_obsx **ret)
{
	return observation_list(ps, DM_TOK_OR, DM_OBSX_OR, observation_and, ret);
}

static int followed_by(struct parser *ps, struct dm_obsx **ret)
{
	return observation_list(ps, DM_TOK_FOLLOWEDBY, DM_OBSX_FOLLOWEDBY, observation_or, ret);
}

int dm_pattern_parse(struct dm_pattern **ret, struct dm_sv text, struct dm_err *err)
{
	struct parser ps = {.err = err};
	int rc;

	if (text.n > DM_MAX_PATTERN)
		return dm_fail(err, DM_ELIMIT, "the pattern is longer than %u bytes", DM_MAX_PATTERN);
	if (!dm_utf8_valid(text))
		return dm_fail(err, DM_EFORMAT, "the pattern is not valid UTF-8");
	ps.p = dm_calloc(1, sizeof(*ps.p));
	if (!ps.p)
		return dm_fail(err, DM_ENOMEM, "no memory for a pattern");
	ps.arena = &ps.p->arena;
	ps.p->text = dm_arena_copy(ps.arena, text);
	ps.lx = (struct dm_lexer){.text = ps.p->text};
	rc = ps.p->text.p ? next(&ps) : no_memory(&ps);
	if (!rc)
		rc = followed_by(&ps, &ps.p->root);
	if (!rc && ps.tok.type != DM_TOK_END)
		rc = expected(&ps, "AND, OR, FOLLOWEDBY, a qualifier or the end of the pattern");
	if (!rc && !dm_pattern_prepare_atoms(ps.p))
		rc = no_memory(&ps);
	if (!rc && ps.plain_times)
		dm_pattern_remark(
			ps.p, "START and STOP have plain strings, as in STIX 2.0; STIX 2.1 writes t'...'");
	if (rc) {
		dm_pattern_free(ps.p);
		return rc;
	}
	*ret = ps.p;
	return 0;
}

void dm_pattern_free(struct dm_pattern *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->n_regexes; i++)
		dm_regex_free(p->regexes[i]);
	dm_free(p->regexes);
	dm_free(p->bracket);
	dm_arena_done(&p->arena);
	dm_free(p);
}

uint32_t dm_pattern_brackets(const struct dm_pattern *p)
{
	return p->n_brackets;
}

const char *dm_pattern_note(const struct dm_pattern *p)
{
	return p->note;
}
