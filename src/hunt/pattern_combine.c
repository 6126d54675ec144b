/* The observation operators over the matches of each bracket (STIX 2.1 s.9.5.1, 9.5.2): one binding, or the
 * proof that there is none.
 *
 * Depth-first over the moments of FOLLOWEDBY and WITHIN and the branches of OR (pattern_plan.h), earliest
 * first. Before a branch is entered, a bound says whether its windows can hold enough at all, and a flow over
 * everything that is still asked for whether distinct observations suffice. Ordinary patterns find their
 * binding, or their end, without going back; the others pay from the budget.
 */
#include <assert.h>

#include "base/limits.h"
#include "hunt/pattern_plan.h"

/* What is still to be placed: a list on the stack of the calls below. */
struct item {
	const struct dm_plan *plan;
	const struct item *next;
	int64_t lo, hi;
	int64_t from; /* FOLLOWEDBY: what the kids before `at` need; WITHIN and first moments of copies: not
			 before this */
	uint64_t copies; /* REPEATS that is not simple: copies left */
	uint32_t at;	 /* FOLLOWEDBY: next kid; OR: first branch to try */
	bool copy;	 /* one of several equal copies: `next` is the item of the others */
	bool ordered;	 /* a copy: not before the moment or branch `from` of the copy before it */
};

static int solve(struct dm_search *s, const struct item *it, bool *ret);

static int add_demand(struct dm_search *s, const struct dm_class *c, uint64_t number, int64_t lo, int64_t hi)
{
	if (dm_grow((void **)&s->demand, &s->cap_demand, s->n_demand + 1, sizeof(*s->demand)))
		return dm_fail(s->err, DM_ENOMEM, "no memory for the observations of a pattern");
	s->demand[s->n_demand++] = (struct dm_demand){c, number, lo, hi};
	return dm_pattern_charge(s->budget, 1, s->err);
}

/* The demands below a plan, as far as they are known: exact for simple ones; otherwise moments are left open,
 * branches of OR left out. */
static int demands(struct dm_search *s, const struct dm_plan *plan, uint32_t at, uint64_t number, int64_t lo,
		   int64_t hi)
{
	int rc = 0;

	switch (plan->kind) {
	case DM_PLAN_CLASS:
		return add_demand(s, plan->class, number, lo, hi);
	case DM_PLAN_OR:
		return 0;
	case DM_PLAN_REPEATS:
		return demands(s, plan->kid[0], 0, dm_sat_mul(number, plan->times), lo, hi);
	case DM_PLAN_STARTSTOP:
		return demands(s, plan->kid[0], 0, number, plan->start > lo ? plan->start : lo,
			       plan->stop - 1 < hi ? plan->stop - 1 : hi);
	case DM_PLAN_AND:
	case DM_PLAN_FOLLOWEDBY:
	case DM_PLAN_WITHIN:
		for (uint32_t i = at; !rc && i < plan->n; i++)
			rc = demands(s, plan->kid[i], 0, number, lo, hi);
		return rc;
	}
	return 0;
}

/* Whether all that is settled and all that is open can still be met together. 1, 0 or a negative code. */
static int feasible(struct dm_search *s, const struct item *it)
{
	uint32_t settled = s->n_demand;
	int rc = 0;

	for (; !rc && it; it = it->next) {
		const struct dm_plan *plan = it->plan;

		if (plan->kind == DM_PLAN_FOLLOWEDBY) {
			rc = demands(s, plan, it->at, 1, it->at && it->from > it->lo ? it->from : it->lo,
				     it->hi);
		} else if (plan->kind == DM_PLAN_REPEATS && it->copies) {
			rc = demands(s, plan->kid[0], 0, it->copies, it->lo, it->hi);
		} else if (plan->kind == DM_PLAN_AND && it->at) {
			/* The simple kids of an AND that was begun are settled already. */
			for (uint32_t i = it->at; !rc && i < plan->n; i++)
				rc = plan->kid[i]->simple ? 0
							  : demands(s, plan->kid[i], 0, 1, it->lo, it->hi);
		} else {
			rc = demands(s, plan, 0, 1, it->lo, it->hi);
		}
	}
	if (!rc)
		rc = dm_flow(s, s->demand, s->n_demand, false);
	s->n_demand = settled;
	return rc;
}

/* Go on with `child`, whose next is set here. If the item was one of equal copies, the others may start at
 * `moment` or later: which copy is which does not matter, so only sorted choices are tried. */
static int choose(struct dm_search *s, const struct item *it, struct item *child, struct item *rest,
		  int64_t moment, bool *ret)
{
	struct item others;
	const struct item *next = it->next;
	int rc;

	if (it->copy) {
		others = *it->next;
		others.from = moment;
		next = &others;
	}
	if (rest) {
		rest->next = next;
		next = rest;
	}
	child->next = next;
	rc = feasible(s, child);
	return rc > 0 ? solve(s, child, ret) : rc;
}

static int solve_followed_by(struct dm_search *s, const struct item *it, bool *ret)
{
	const struct dm_plan *plan = it->plan, *kid = plan->kid[it->at];
	/* Before the first kid, `from` is only the order among copies. */
	int64_t reach = it->at && it->from > it->lo ? it->from : it->lo, moment, latest;
	bool last = it->at + 1 == plan->n;
	int rc;

	if (last) {
		struct item child = {.plan = kid, .lo = reach, .hi = it->hi, .from = DM_MIN_TIME};

		return choose(s, it, &child, NULL, 0, ret);
	}
	rc = dm_plan_earliest(s, kid, 1, reach, it->hi, &moment);
	if (rc <= 0)
		return rc;
	if (!it->at && it->ordered && it->from > moment)
		moment = it->from;
	while (moment <= it->hi) {
		struct item child = {.plan = kid, .lo = reach, .hi = moment, .from = DM_MIN_TIME};
		struct item rest = {
			.plan = plan, .lo = it->lo, .hi = it->hi, .from = moment, .at = it->at + 1};

		/* Later moments leave less for the kids behind. */
		rc = dm_plan_earliest_rest(s, plan, it->at + 1, moment, it->lo, it->hi, &latest);
		if (rc <= 0)
			return rc;
		rc = choose(s, it, &child, &rest, moment, ret);
		if (rc < 0 || *ret || moment == DM_MAX_TIME)
			return rc;
		moment = dm_plan_next_first(kid, moment + 1);
		if (moment == DM_MAX_TIME)
			return 0;
	}
	return 0;
}

static int solve_within(struct dm_search *s, const struct item *it, bool *ret)
{
	const struct dm_plan *kid = it->plan->kid[0];
	int64_t span = it->plan->span, latest;
	int64_t e = dm_plan_window_start(kid, it->ordered && it->from > it->lo ? it->from : it->lo, it->hi);
	int rc;

	while (e != DM_MAX_TIME) {
		struct item child = {.plan = kid, .lo = e, .hi = dm_time_add(e, span), .from = DM_MIN_TIME};

		rc = dm_plan_earliest(s, kid, 1, e, it->hi, &latest);
		if (rc <= 0)
			return rc;
		if (latest > child.hi) {
			e = dm_plan_window_start(kid, latest - span, it->hi);
			continue;
		}
		if (child.hi > it->hi)
			child.hi = it->hi;
		rc = choose(s, it, &child, NULL, e, ret);
		if (rc < 0 || *ret)
			return rc;
		e = dm_plan_window_start(kid, e + 1, it->hi);
	}
	return 0;
}

static int solve_or(struct dm_search *s, const struct item *it, bool *ret)
{
	int64_t latest;
	int rc = 0;

	/* Among copies, `from` is the branch that the copy before took. */
	for (uint32_t i = it->ordered && it->from > 0 ? (uint32_t)it->from : 0;
	     rc >= 0 && !*ret && i < it->plan->n; i++) {
		struct item child = {
			.plan = it->plan->kid[i], .lo = it->lo, .hi = it->hi, .from = DM_MIN_TIME};

		rc = dm_plan_earliest(s, child.plan, 1, child.lo, child.hi, &latest);
		if (rc > 0)
			rc = choose(s, it, &child, NULL, i, ret);
	}
	return rc;
}

static int solve_list(struct dm_search *s, const struct item *it, bool *ret)
{
	struct item child = {.lo = it->lo, .hi = it->hi, .from = DM_MIN_TIME, .next = it->next}, rest = *it;
	const struct dm_plan *plan = it->plan;

	if (plan->kind == DM_PLAN_AND) {
		/* The simple kids were settled with the first; see solve. */
		while (rest.at < plan->n && plan->kid[rest.at]->simple)
			rest.at++;
		if (rest.at == plan->n)
			return solve(s, it->next, ret);
		child.plan = plan->kid[rest.at++];
		rest.copy = rest.ordered = false;
		child.next = &rest;
		return solve(s, &child, ret);
	}
	if (plan->kind == DM_PLAN_STARTSTOP) {
		child.plan = plan->kid[0];
		child.lo = plan->start > child.lo ? plan->start : child.lo;
		child.hi = plan->stop - 1 < child.hi ? plan->stop - 1 : child.hi;
		child.copy = it->copy;
		child.ordered = it->ordered;
		child.from = it->from;
		return child.lo > child.hi ? 0 : solve(s, &child, ret);
	}
	assert(plan->kind == DM_PLAN_REPEATS);
	child.plan = plan->kid[0];
	child.from = it->from;
	child.ordered = true;
	if (it->copies == 1)
		return solve(s, &child, ret);
	rest.copies--;
	child.copy = true;
	child.next = &rest;
	return solve(s, &child, ret);
}

static int settle(struct dm_search *s, const struct item *it, bool *ret)
{
	uint32_t before = s->n_demand;
	const struct dm_plan *plan = it->plan;
	int rc = 0;

	if (plan->simple) {
		rc = demands(s, plan, 0, 1, it->lo, it->hi);
	} else {
		for (uint32_t i = 0; !rc && i < plan->n; i++) {
			if (plan->kid[i]->simple)
				rc = demands(s, plan->kid[i], 0, 1, it->lo, it->hi);
		}
	}
	if (!rc)
		rc = plan->simple ? solve(s, it->next, ret) : solve_list(s, it, ret);
	s->n_demand = before;
	return rc;
}

/* Places everything in the list. *ret: a binding was found and is in s->used. */
static int solve(struct dm_search *s, const struct item *it, bool *ret)
{
	struct item copies;
	int rc = dm_pattern_charge(s->budget, 1, s->err);

	if (rc)
		return rc;
	if (!it) {
		rc = dm_flow(s, s->demand, s->n_demand, true);
		*ret = rc > 0;
		return rc < 0 ? rc : 0;
	}
	if (s->depth >= DM_MAX_PATTERN_OPEN)
		return dm_fail(s->err, DM_ELIMIT,
			       "the pattern repeats sequences or time windows too often (%u places)",
			       DM_MAX_PATTERN_OPEN);
	s->depth++;
	if (it->plan->simple || (it->plan->kind == DM_PLAN_AND && !it->at)) {
		rc = settle(s, it, ret);
	} else if (it->plan->kind == DM_PLAN_FOLLOWEDBY) {
		rc = solve_followed_by(s, it, ret);
	} else if (it->plan->kind == DM_PLAN_WITHIN) {
		rc = solve_within(s, it, ret);
	} else if (it->plan->kind == DM_PLAN_OR) {
		rc = solve_or(s, it, ret);
	} else if (it->plan->kind == DM_PLAN_REPEATS && !it->copies) {
		copies = *it;
		copies.copies = it->plan->times;
		copies.from = DM_MIN_TIME;
		copies.copy = copies.ordered = false;
		rc = solve_list(s, &copies, ret);
	} else {
		rc = solve_list(s, it, ret);
	}
	s->depth--;
	return rc;
}

static int collect_hits(struct dm_search *s, struct dm_arena *arena, uint32_t **ret_hits, uint32_t *ret_n)
{
	uint32_t n = 0, *hits;

	for (uint32_t i = 0; i < s->n_events; i++)
		n += s->used[i] > 0;
	hits = dm_arena_alloc(arena, n * sizeof(*hits) + 1);
	if (!hits)
		return dm_fail(s->err, DM_ENOMEM, "no memory for the observations of a pattern");
	n = 0;
	for (uint32_t i = 0; i < s->n_events; i++) {
		if (s->used[i])
			hits[n++] = i;
	}
	*ret_hits = hits;
	*ret_n = n;
	return 0;
}

int dm_pattern_combine(const struct dm_pattern *p, const struct dm_pattern_event *obs, uint32_t n_obs,
		       const uint32_t *const *matches, const uint32_t *n_matches, struct dm_budget *budget,
		       struct dm_arena *arena, uint32_t **ret_hits, uint32_t *ret_n, struct dm_err *err)
{
	struct dm_search s = {.event = obs, .n_events = n_obs, .budget = budget, .err = err};
	struct item root = {.lo = DM_MIN_TIME, .hi = DM_MAX_TIME, .from = DM_MIN_TIME};
	struct dm_plan *plan = NULL;
	bool found = false;
	int64_t latest;
	int rc;

	s.used = dm_calloc(n_obs + 1, sizeof(*s.used));
	s.seen = dm_calloc(n_obs + 1, sizeof(*s.seen));
	s.via = dm_alloc((n_obs + 1) * sizeof(*s.via));
	rc = s.used && s.seen && s.via
		     ? 0
		     : dm_fail(err, DM_ENOMEM, "no memory for the observations of a pattern");
	if (!rc)
		rc = dm_plan_build(&s, p, matches, n_matches, &plan);
	if (!rc) {
		root.plan = plan;
		rc = dm_plan_earliest(&s, plan, 1, root.lo, root.hi, &latest);
		if (rc > 0)
			rc = feasible(&s, &root);
		if (rc > 0)
			rc = solve(&s, &root, &found);
	}
	if (rc >= 0 && found) {
		rc = collect_hits(&s, arena, ret_hits, ret_n);
	} else if (rc >= 0) {
		*ret_hits = NULL;
		*ret_n = 0;
		rc = 0;
	}
	dm_free(s.used);
	dm_free(s.seen);
	dm_free(s.via);
	dm_free(s.demand);
	dm_arena_done(&s.arena);
	return rc;
}

int dm_pattern_match(const struct dm_pattern *p, const struct dm_observation *obs, uint32_t n,
		     struct dm_budget *budget, struct dm_err *err)
{
	uint32_t n_brackets = p->n_brackets, **matches = dm_calloc(n_brackets, sizeof(*matches));
	uint32_t *count = dm_calloc(n_brackets, sizeof(*count)), *hits, n_hits = 0;
	struct dm_pattern_event *ev = dm_calloc(n + 1, sizeof(*ev));
	struct dm_arena arena = {0};
	int rc = matches && count && ev ? 0 : dm_fail(err, DM_ENOMEM, "no memory for a pattern");

	for (uint32_t i = 0; !rc && i < n; i++)
		ev[i] = (struct dm_pattern_event){obs[i].first, obs[i].last, obs[i].number_observed};
	for (uint32_t b = 0; !rc && b < n_brackets; b++) {
		matches[b] = dm_alloc(n * sizeof(**matches) + 1);
		if (!matches[b])
			rc = dm_fail(err, DM_ENOMEM, "no memory for a pattern");
		for (uint32_t i = 0; !rc && i < n; i++) {
			bool hit = false;

			rc = dm_pattern_bracket_matches(p, b, &obs[i], budget, &hit, err);
			if (!rc && hit)
				matches[b][count[b]++] = i;
		}
	}
	if (!rc)
		rc = dm_pattern_combine(p, ev, n, (const uint32_t *const *)matches, count, budget, &arena,
					&hits, &n_hits, err);
	for (uint32_t b = 0; matches && b < n_brackets; b++)
		dm_free(matches[b]);
	dm_free(matches);
	dm_free(count);
	dm_free(ev);
	dm_arena_done(&arena);
	return rc ? rc : n_hits > 0;
}
