/* One bracket `[...]` over one observation: does any single object of it make the comparisons true (STIX 2.1
 * s.9.5: all comparisons of a bracket start at the same object)?
 */
#include <stdlib.h>

#include "hunt/pattern_tree.h"

struct eval {
	struct dm_match_ctx m;
	uint32_t *by_id; /* object numbers sorted by id; made at the first reference of a large observation */
};

/* Stands for a binary property whose text does not decode: it compares with nothing. */
static const struct dm_json_node no_value = {.type = DM_JSON_NULL};

/* --- references ----------------------------------------------------------------------------------------- */

#define SMALL_GRAPH 16

static int by_id(const void *a, const void *b, void *ids)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = dm_sv_cmp(((const struct dm_sv *)ids)[x], ((const struct dm_sv *)ids)[y]);

	return c ? c : x < y ? -1 : x > y;
}

static int sort_ids(struct eval *e)
{
	const struct dm_observation *o = e->m.o;
	int rc = dm_pattern_charge(e->m.budget, o->count, e->m.err);

	if (rc)
		return rc;
	e->by_id = dm_alloc(o->count * sizeof(*e->by_id));
	if (!e->by_id)
		return dm_fail(e->m.err, DM_ENOMEM, "no memory for the references of an observation");
	for (uint32_t i = 0; i < o->count; i++)
		e->by_id[i] = i;
	qsort_r(e->by_id, o->count, sizeof(*e->by_id), by_id, (void *)(uintptr_t)o->ids);
	return 0;
}

/* *ret: the object that has this id, NULL if none in the observation has (s.9.7.4: then its properties are
 * not present). */
static int dereference(struct eval *e, const struct dm_json_node *ref, const struct dm_json_node **ret)
{
	const struct dm_observation *o = e->m.o;
	uint32_t lo = 0, hi = o->count;
	int rc;

	*ret = NULL;
	if (ref->type != DM_JSON_STRING)
		return 0;
	if (o->count <= SMALL_GRAPH) {
		for (; lo < o->count && !dm_sv_eq(o->ids[lo], ref->text); lo++)
			;
		*ret = lo < o->count ? &o->doc->nodes[o->objects[lo]] : NULL;
		return 0;
	}
	if (!e->by_id && (rc = sort_ids(e)))
		return rc;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (dm_sv_cmp(o->ids[e->by_id[mid]], ref->text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < o->count && dm_sv_eq(o->ids[e->by_id[lo]], ref->text))
		*ret = &o->doc->nodes[o->objects[e->by_id[lo]]];
	return 0;
}

/* --- paths ---------------------------------------------------------------------------------------------- */

static bool same_hash(struct dm_sv a, struct dm_sv b)
{
	char x[32], y[32];
	size_t n = dm_hash_fold(a, x);

	return n && n == dm_hash_fold(b, y) && !memcmp(x, y, n);
}

static const struct dm_json_node *member(struct eval *e, const struct dm_json_node *node,
					 const struct dm_step *s, int *rc)
{
	const struct dm_json_node *c, *loose = NULL;

	*rc = dm_pattern_charge(e->m.budget, node->count / 32, e->m.err);
	if (*rc)
		return NULL;
	for (c = dm_json_first(e->m.o->doc, node); c; c = dm_json_next(e->m.o->doc, node, c)) {
		if (dm_sv_eq(c->key, s->key))
			return c;
		/* "SHA256" for 'SHA-256': tools of both versions of STIX disagree on the spelling. */
		if (s->hashes && !loose && same_hash(c->key, s->key))
			loose = c;
	}
	return loose;
}

static int leaf(struct eval *e, const struct dm_test *t, const struct dm_json_node *node)
{
	const struct dm_step *last = &t->step[t->n_step - 1];
	struct dm_operand v = {.node = node};

	if (t->op == DM_TEST_EXISTS)
		return 1;
	dm_arena_reset(&e->m.scratch);
	if (node->type == DM_JSON_STRING && last->kind == DM_STEP_KEY && (last->hex || last->bin)) {
		v.binary = true;
		if (last->hex) {
			char *out = dm_arena_alloc(&e->m.scratch, node->text.n / 2 + 1);

			if (!out)
				return dm_fail(e->m.err, DM_ENOMEM, "no memory for a binary property");
			v.octets = dm_sv(out, node->text.n / 2);
			if (node->text.n % 2 || !dm_sv_unhex(node->text, (uint8_t *)out, v.octets.n))
				v = (struct dm_operand){.node = &no_value};
		} else if (!dm_base64_decode(&e->m.scratch, node->text, &v.octets)) {
			v = (struct dm_operand){.node = &no_value};
		}
	}
	return dm_pattern_test_value(&e->m, t, &v);
}

/* Whether any value at the end of steps i.. makes the test true. The depth is that of the path in the
 * pattern. */
static int walk(struct eval *e, const struct dm_test *t, uint32_t i, const struct dm_json_node *node)
{
	const struct dm_json *doc = e->m.o->doc;
	const struct dm_json_node *c, *target;
	const struct dm_step *s;
	bool refs;
	int rc;

	if (i == t->n_step)
		return leaf(e, t, node);
	s = &t->step[i];
	if (s->kind == DM_STEP_KEY) {
		if (node->type != DM_JSON_OBJECT)
			return 0;
		c = member(e, node, s, &rc);
		if (!c)
			return rc;
		/* EXISTS asks for the property itself: a reference that leads nowhere is there. */
		if (s->ref && !(t->op == DM_TEST_EXISTS && i + 1 == t->n_step)) {
			rc = dereference(e, c, &target);
			return rc || !target ? rc : walk(e, t, i + 1, target);
		}
		return walk(e, t, i + 1, c);
	}
	if (node->type != DM_JSON_ARRAY || (s->kind == DM_STEP_INDEX && s->index >= node->count))
		return 0;
	rc = dm_pattern_charge(e->m.budget, s->kind == DM_STEP_INDEX ? s->index / 32 : 0, e->m.err);
	if (rc)
		return rc;
	refs = t->step[i - 1].kind == DM_STEP_KEY && t->step[i - 1].refs;
	c = dm_json_first(doc, node);
	for (uint64_t n = 0; c; n++, c = dm_json_next(doc, node, c)) {
		if (s->kind == DM_STEP_INDEX && n < s->index)
			continue;
		target = c;
		rc = refs ? dereference(e, c, &target) : 0;
		if (!rc && target)
			rc = walk(e, t, i + 1, target);
		if (rc || s->kind == DM_STEP_INDEX)
			return rc;
		rc = dm_pattern_charge(e->m.budget, 1, e->m.err);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- comparisons over one object ------------------------------------------------------------------------ */

static int holds(struct eval *e, const struct dm_cmp *c, const struct dm_json_node *object, struct dm_sv type)
{
	int rc = 0;

	if (c->kind == DM_CMP_TEST) {
		const struct dm_test *t = c->test;

		rc = dm_pattern_charge(e->m.budget, 1, e->m.err);
		if (rc || !dm_sv_eq(t->object, type))
			return rc;
		rc = walk(e, t, 0, object);
		return rc < 0 || t->op != DM_TEST_EXISTS ? rc : rc != t->negated;
	}
	for (uint32_t i = 0; i < c->n; i++) {
		rc = holds(e, c->kid[i], object, type);
		if (rc < 0 || (c->kind == DM_CMP_AND) != (rc > 0))
			return rc;
	}
	return rc;
}

int dm_pattern_bracket_matches(const struct dm_pattern *p, uint32_t b, const struct dm_observation *o,
			       struct dm_budget *budget, bool *ret_match, struct dm_err *err)
{
	struct eval e = {.m = {.p = p, .o = o, .budget = budget, .err = err}};
	int rc = 0;

	for (uint32_t i = 0; !rc && i < o->count; i++) {
		const struct dm_json_node *object = &o->doc->nodes[o->objects[i]];
		struct dm_sv type = dm_json_get_str(o->doc, object, "type");

		if (type.n)
			rc = holds(&e, p->bracket[b], object, type);
	}
	dm_arena_done(&e.m.scratch);
	dm_regex_scratch_free(e.m.regex_scratch);
	dm_free(e.by_id);
	if (rc < 0)
		return rc;
	*ret_match = rc > 0;
	return 0;
}
