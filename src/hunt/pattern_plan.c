/* Plans: see pattern_plan.h. */
#include <stdlib.h>

#include "hunt/pattern_plan.h"

static int no_memory(struct dm_search *s)
{
	return dm_fail(s->err, DM_ENOMEM, "no memory for the observations of a pattern");
}

/* --- classes -------------------------------------------------------------------------------------------- */

static int by_first(const void *a, const void *b, void *events)
{
	const struct dm_pattern_event *e = events;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (e[x].first != e[y].first)
		return e[x].first < e[y].first ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int by_last(const void *a, const void *b, void *events)
{
	const struct dm_pattern_event *e = events;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int64_t p = dm_event_last(&e[x]), q = dm_event_last(&e[y]);

	if (p != q)
		return p < q ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool class_room(struct dm_search *s, struct dm_class *c, size_t n)
{
	c->event = dm_arena_alloc(&s->arena, n * sizeof(*c->event) + 1);
	c->untimed = dm_arena_alloc(&s->arena, n * sizeof(*c->untimed) + 1);
	c->first = dm_arena_alloc(&s->arena, n * sizeof(*c->first) + 1);
	c->last = dm_arena_alloc(&s->arena, n * sizeof(*c->last) + 1);
	c->sum_first = dm_arena_alloc(&s->arena, (n + 1) * sizeof(*c->sum_first));
	c->sum_last = dm_arena_alloc(&s->arena, (n + 1) * sizeof(*c->sum_last));
	return c->event && c->untimed && c->first && c->last && c->sum_first && c->sum_last;
}

/* all: event numbers, not yet unique; used as scratch. */
static int class_make(struct dm_search *s, uint32_t *all, size_t n, struct dm_class **ret)
{
	struct dm_class *c = dm_arena_alloc(&s->arena, sizeof(*c));
	int rc = dm_pattern_charge(s->budget, n / 4, s->err);
	void *events = (void *)(uintptr_t)s->event;

	if (rc)
		return rc;
	if (!c)
		return no_memory(s);
	*c = (struct dm_class){0};
	if (!class_room(s, c, n))
		return no_memory(s);
	qsort(all, n, sizeof(*all), by_number);
	for (size_t i = 0; i < n; i++) {
		const struct dm_pattern_event *e = &s->event[all[i]];

		if ((i && all[i] == all[i - 1]) || !e->number_observed)
			continue;
		if (dm_event_timed(e)) {
			c->event[c->n++] = all[i];
		} else {
			c->untimed[c->n_untimed++] = all[i];
			c->sum_untimed += dm_event_count(e);
		}
	}
	memcpy(all, c->event, c->n * sizeof(*all));
	qsort_r(c->event, c->n, sizeof(*c->event), by_first, events);
	qsort_r(all, c->n, sizeof(*all), by_last, events);
	c->sum_first[0] = c->sum_last[0] = 0;
	for (uint32_t i = 0; i < c->n; i++) {
		const struct dm_pattern_event *f = &s->event[c->event[i]], *l = &s->event[all[i]];
		int64_t length;

		c->first[i] = f->first;
		c->last[i] = dm_event_last(l);
		c->sum_first[i + 1] = c->sum_first[i] + dm_event_count(f);
		c->sum_last[i + 1] = c->sum_last[i] + dm_event_count(l);
		if (__builtin_sub_overflow(dm_event_last(f), f->first, &length))
			length = DM_MAX_TIME;
		if (length > c->longest)
			c->longest = length;
	}
	*ret = c;
	return 0;
}

/* Index of the first element >= bound. */
static uint32_t lower(const int64_t *v, uint32_t n, int64_t bound)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v[mid] < bound)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint64_t dm_class_count(const struct dm_class *c, int64_t lo, int64_t hi)
{
	uint32_t until = hi == DM_MAX_TIME ? c->n : lower(c->first, c->n, hi + 1);

	/* Whoever has last < lo has first < lo <= hi as well. */
	return c->sum_first[until] - c->sum_last[lower(c->last, c->n, lo)];
}

/* The smallest hi >= lo for which `number` observations fit. */
static bool class_earliest(const struct dm_class *c, uint64_t number, int64_t lo, int64_t hi, int64_t *ret)
{
	uint64_t need = dm_sat_add(number, c->sum_last[lower(c->last, c->n, lo)]);
	uint32_t from = 0, to = c->n;

	if (lo > hi)
		return false;
	if (c->sum_first[c->n] < need) {
		if (lo != DM_MIN_TIME || hi != DM_MAX_TIME || c->sum_first[c->n] + c->sum_untimed < number)
			return false;
		*ret = DM_MAX_TIME;
		return true;
	}
	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (c->sum_first[mid + 1] < need)
			from = mid + 1;
		else
			to = mid;
	}
	if (from < c->n && c->first[from] > lo)
		lo = c->first[from];
	if (lo > hi)
		return false;
	*ret = lo;
	return true;
}

/* --- building ------------------------------------------------------------------------------------------- */

struct builder {
	struct dm_search *s;
	const uint32_t *const *matches;
	const uint32_t *n_matches;
};

/* Number of brackets if x is a bracket or an OR of such only; else 0. */
static uint32_t bracket_or(const struct dm_obsx *x)
{
	uint32_t n = 0, k;

	if (x->kind == DM_OBSX_BRACKET)
		return 1;
	if (x->kind != DM_OBSX_OR)
		return 0;
	for (uint32_t i = 0; i < x->n; i++) {
		k = bracket_or(x->kid[i]);
		if (!k)
			return 0;
		n += k;
	}
	return n;
}

static size_t gather(const struct builder *b, const struct dm_obsx *x, uint32_t *out)
{
	size_t n = 0;

	if (x->kind == DM_OBSX_BRACKET) {
		if (out && b->n_matches[x->bracket])
			memcpy(out, b->matches[x->bracket], b->n_matches[x->bracket] * sizeof(*out));
		return b->n_matches[x->bracket];
	}
	for (uint32_t i = 0; i < x->n; i++)
		n += gather(b, x->kid[i], out ? out + n : NULL);
	return n;
}

static int build_class(struct builder *b, const struct dm_obsx *x, struct dm_plan *plan)
{
	size_t n = gather(b, x, NULL);
	uint32_t *all = dm_alloc(n * sizeof(*all) + 1);
	int rc;

	if (!all)
		return no_memory(b->s);
	gather(b, x, all);
	rc = class_make(b->s, all, n, &plan->class);
	dm_free(all);
	plan->kind = DM_PLAN_CLASS;
	plan->simple = true;
	plan->most = 1;
	return rc;
}

static int build(struct builder *b, const struct dm_obsx *x, struct dm_plan **ret);

static int build_list(struct builder *b, const struct dm_obsx *x, struct dm_plan *plan)
{
	int rc = 0;

	plan->kind = x->kind == DM_OBSX_AND  ? DM_PLAN_AND
		     : x->kind == DM_OBSX_OR ? DM_PLAN_OR
					     : DM_PLAN_FOLLOWEDBY;
	plan->simple = x->kind == DM_OBSX_AND;
	plan->n = x->n;
	plan->kid = dm_arena_alloc(&b->s->arena, x->n * sizeof(*plan->kid));
	if (!plan->kid)
		return no_memory(b->s);
	for (uint32_t i = 0; !rc && i < x->n; i++) {
		rc = build(b, x->kid[i], &plan->kid[i]);
		if (rc)
			break;
		plan->simple = plan->simple && plan->kid[i]->simple;
		if (x->kind != DM_OBSX_OR)
			plan->most = dm_sat_add(plan->most, plan->kid[i]->most);
		else if (plan->kid[i]->most > plan->most)
			plan->most = plan->kid[i]->most;
	}
	return rc;
}

static int build(struct builder *b, const struct dm_obsx *x, struct dm_plan **ret)
{
	struct dm_plan *plan = dm_arena_alloc(&b->s->arena, sizeof(*plan)), *kid = NULL;
	int rc;

	if (!plan)
		return no_memory(b->s);
	*plan = (struct dm_plan){0};
	*ret = plan;
	if (bracket_or(x))
		return build_class(b, x, plan);
	if (x->kind == DM_OBSX_AND || x->kind == DM_OBSX_OR || x->kind == DM_OBSX_FOLLOWEDBY)
		return build_list(b, x, plan);
	rc = build(b, x->kid[0], &kid);
	if (rc)
		return rc;
	/* One observation is within any window of itself; once is once. */
	if ((x->kind == DM_OBSX_WITHIN && kid->most <= 1) || (x->kind == DM_OBSX_REPEATS && x->times == 1)) {
		*ret = kid;
		return 0;
	}
	plan->n = 1;
	plan->kid = dm_arena_alloc(&b->s->arena, sizeof(*plan->kid));
	if (!plan->kid)
		return no_memory(b->s);
	plan->kid[0] = kid;
	plan->most = kid->most;
	plan->times = x->times;
	plan->span = x->span;
	plan->start = x->start;
	plan->stop = x->stop;
	plan->simple = x->kind != DM_OBSX_WITHIN && kid->simple;
	plan->kind = x->kind == DM_OBSX_WITHIN	  ? DM_PLAN_WITHIN
		     : x->kind == DM_OBSX_REPEATS ? DM_PLAN_REPEATS
						  : DM_PLAN_STARTSTOP;
	if (x->kind == DM_OBSX_REPEATS)
		plan->most = dm_sat_mul(kid->most, x->times);
	return 0;
}

int dm_plan_build(struct dm_search *s, const struct dm_pattern *p, const uint32_t *const *matches,
		  const uint32_t *n_matches, struct dm_plan **ret)
{
	struct builder b = {s, matches, n_matches};

	return build(&b, p->root, ret);
}

/* --- bounds --------------------------------------------------------------------------------------------- */

int64_t dm_plan_next_first(const struct dm_plan *plan, int64_t bound)
{
	int64_t best = DM_MAX_TIME;

	if (plan->kind == DM_PLAN_CLASS) {
		uint32_t i = lower(plan->class->first, plan->class->n, bound);

		return i < plan->class->n ? plan->class->first[i] : best;
	}
	if (plan->kind == DM_PLAN_STARTSTOP && plan->start >= bound)
		best = plan->start;
	for (uint32_t i = 0; i < plan->n; i++) {
		int64_t t = dm_plan_next_first(plan->kid[i], bound);

		best = t < best ? t : best;
	}
	return best;
}

int64_t dm_plan_next_last(const struct dm_plan *plan, int64_t bound)
{
	int64_t best = DM_MAX_TIME;

	if (plan->kind == DM_PLAN_CLASS) {
		uint32_t i = lower(plan->class->last, plan->class->n, bound);

		return i < plan->class->n ? plan->class->last[i] : best;
	}
	if (plan->kind == DM_PLAN_STARTSTOP && plan->stop - 1 >= bound)
		best = plan->stop - 1;
	for (uint32_t i = 0; i < plan->n; i++) {
		int64_t t = dm_plan_next_last(plan->kid[i], bound);

		best = t < best ? t : best;
	}
	return best;
}

int64_t dm_plan_window_start(const struct dm_plan *plan, int64_t bound, int64_t hi)
{
	int64_t e = dm_plan_next_last(plan, bound);

	/* Nothing of the window can be behind hi, but its start may be hi itself. */
	return e < hi ? e : hi >= bound ? hi : DM_MAX_TIME;
}

/* The least fixed point: nothing may be earlier than span before the latest, which may push the latest
 * further. */
static int earliest_within(struct dm_search *s, const struct dm_plan *plan, int64_t lo, int64_t hi,
			   int64_t *ret)
{
	int64_t e = lo, latest;
	int rc;

	/* LIMIT: every turn moves `latest` to a later observation, and is charged. */
	for (;;) {
		rc = dm_plan_earliest(s, plan->kid[0], 1, e, hi, &latest);
		if (rc <= 0)
			return rc;
		if (latest <= dm_time_add(e, plan->span)) {
			*ret = latest;
			return 1;
		}
		e = latest - plan->span;
	}
}

int dm_plan_earliest_rest(struct dm_search *s, const struct dm_plan *plan, uint32_t at, int64_t from,
			  int64_t lo, int64_t hi, int64_t *ret)
{
	int64_t reach = from > lo ? from : lo, latest;

	for (; at < plan->n; at++) {
		int rc = dm_plan_earliest(s, plan->kid[at], 1, reach, hi, &latest);

		if (rc <= 0)
			return rc;
		reach = latest > reach ? latest : reach;
	}
	*ret = reach;
	return 1;
}

int dm_plan_earliest(struct dm_search *s, const struct dm_plan *plan, uint64_t number, int64_t lo, int64_t hi,
		     int64_t *ret)
{
	int64_t latest, best = DM_MIN_TIME;
	bool any = false;
	int rc = dm_pattern_charge(s->budget, 1, s->err);

	if (rc)
		return rc;
	switch (plan->kind) {
	case DM_PLAN_CLASS:
		return class_earliest(plan->class, number, lo, hi, ret);
	case DM_PLAN_AND:
		for (uint32_t i = 0; i < plan->n; i++) {
			rc = dm_plan_earliest(s, plan->kid[i], number, lo, hi, &latest);
			if (rc <= 0)
				return rc;
			best = latest > best ? latest : best;
		}
		*ret = best;
		return 1;
	case DM_PLAN_OR:
		for (uint32_t i = 0; i < plan->n; i++) {
			rc = dm_plan_earliest(s, plan->kid[i], 1, lo, hi, &latest);
			if (rc < 0)
				return rc;
			if (rc && (!any || latest < best))
				best = latest;
			any = any || rc;
		}
		if (any)
			*ret = best;
		return any;
	case DM_PLAN_FOLLOWEDBY:
		return dm_plan_earliest_rest(s, plan, 0, lo, lo, hi, ret);
	case DM_PLAN_WITHIN:
		return earliest_within(s, plan, lo, hi, ret);
	case DM_PLAN_REPEATS:
		/* Copies that each choose moments of their own are not counted together here: the flow does
		 * that. */
		return dm_plan_earliest(s, plan->kid[0], plan->simple ? dm_sat_mul(number, plan->times) : 1,
					lo, hi, ret);
	case DM_PLAN_STARTSTOP:
		lo = plan->start > lo ? plan->start : lo;
		hi = plan->stop - 1 < hi ? plan->stop - 1 : hi;
		return lo > hi ? 0 : dm_plan_earliest(s, plan->kid[0], number, lo, hi, ret);
	}
	return 0;
}
