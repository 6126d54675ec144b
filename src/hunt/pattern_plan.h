/* pattern_plan.h: the observation operators of a pattern made ready for the search over one set of matches.
 * pattern_plan.c, pattern_flow.c and pattern_combine.c only.
 *
 * Every observation happened at some time in its interval [first, last]; a binding is good if times can be
 * chosen so that all qualifiers and operators of s.9.5 hold together. They come down to windows:
 * - A FOLLOWEDBY B: there is a moment s that nothing of A is after and nothing of B is before;
 * - A WITHIN w: there is a moment e so that everything of A lies in [e, e + w];
 * - A START x STOP y: everything of A lies in [x, y).
 * Once the moments are chosen, every bracket asks for a number of distinct observations with last >= lo and
 * first <= hi: a matching problem.
 */
#ifndef DM_HUNT_PATTERN_PLAN_H
#define DM_HUNT_PATTERN_PLAN_H

#include "hunt/pattern_tree.h"

/* What matches a bracket, or an OR of brackets: sorted, with running sums of the counts, so that "how many
 * have last >= lo and first <= hi" is two binary searches. Observations without a time stand apart: they fit
 * where no window was asked for. */
struct dm_class {
	uint32_t n, n_untimed;
	uint32_t *event;     /* n, by first */
	int64_t *first;	     /* n, ascending */
	int64_t *last;	     /* n, ascending by itself */
	uint64_t *sum_first; /* n + 1: counts of the first k by first */
	uint64_t *sum_last;  /* n + 1: counts of the first k by last */
	int64_t longest;     /* largest last - first */
	uint32_t *untimed;
	uint64_t sum_untimed;
};

enum dm_plan_kind {
	DM_PLAN_CLASS,
	DM_PLAN_AND,
	DM_PLAN_OR,
	DM_PLAN_FOLLOWEDBY,
	DM_PLAN_WITHIN,
	DM_PLAN_REPEATS,
	DM_PLAN_STARTSTOP
};

struct dm_plan {
	enum dm_plan_kind kind;
	bool simple; /* no moment and no branch to choose below: only classes with windows and numbers */
	uint32_t n;
	struct dm_plan **kid;
	struct dm_class *class;
	uint64_t times, most; /* REPEATS; most observations that a binding of this takes */
	int64_t span, start, stop;
};

/* A demand: this many distinct observations of the class, each with last >= lo and first <= hi. */
struct dm_demand {
	const struct dm_class *class;
	uint64_t number;
	int64_t lo, hi;
};

struct dm_search {
	const struct dm_pattern_event *event;
	uint32_t n_events;
	struct dm_budget *budget;
	struct dm_err *err;
	struct dm_arena arena;
	unsigned depth;
	struct dm_demand *demand; /* those that are settled, then those that are being checked */
	size_t cap_demand;
	uint32_t n_demand;
	/* of the flow */
	uint64_t *used;
	uint32_t *seen, *via, stamp; /* per event: visited in pass `stamp`, reached from this demand */
};

#define DM_MIN_TIME INT64_MIN
#define DM_MAX_TIME INT64_MAX

/* LIMIT: counts above this are taken as this, so that sums can't overflow. */
#define DM_MAX_COUNT 0xffffffffull

static inline uint64_t dm_event_count(const struct dm_pattern_event *e)
{
	return e->number_observed > DM_MAX_COUNT ? DM_MAX_COUNT : e->number_observed;
}
static inline bool dm_event_timed(const struct dm_pattern_event *e)
{
	return e->first != DM_NO_TIME;
}
/* A missing or earlier last time is the first one. */
static inline int64_t dm_event_last(const struct dm_pattern_event *e)
{
	return e->last < e->first ? e->first : e->last;
}
static inline uint64_t dm_sat_mul(uint64_t a, uint64_t b)
{
	uint64_t c;

	return __builtin_mul_overflow(a, b, &c) ? UINT64_MAX : c;
}
static inline uint64_t dm_sat_add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}
static inline int64_t dm_time_add(int64_t t, int64_t span)
{
	return t > DM_MAX_TIME - span ? DM_MAX_TIME : t + span;
}

int dm_plan_build(struct dm_search *s, const struct dm_pattern *p, const uint32_t *const *matches,
		  const uint32_t *n_matches, struct dm_plan **ret);
/* How many observations of c have last >= lo and first <= hi, hi >= lo. */
uint64_t dm_class_count(const struct dm_class *c, int64_t lo, int64_t hi);
/* A lower bound, rising with lo, of the latest `first` in any binding of the plan inside (lo, hi), leaving
 * distinctness between brackets out: 1 and *ret, 0 if there is surely no binding, or a negative code. */
int dm_plan_earliest(struct dm_search *s, const struct dm_plan *plan, uint64_t number, int64_t lo, int64_t hi,
		     int64_t *ret);
/* The same for FOLLOWEDBY from its kid `at` on, when those before need everything behind to reach `from`. */
int dm_plan_earliest_rest(struct dm_search *s, const struct dm_plan *plan, uint32_t at, int64_t from,
			  int64_t lo, int64_t hi, int64_t *ret);
/* The smallest `first` of any class or START below that is >= bound (`last`, or the moment before STOP);
 * DM_MAX_TIME if there is none. These are the moments to try: if a binding has any moment s, it has one that
 * is the earliest which its left side allows, and if it has any e, it has one that is the latest which its
 * observations and the window around it allow. */
int64_t dm_plan_next_first(const struct dm_plan *plan, int64_t bound);
int64_t dm_plan_next_last(const struct dm_plan *plan, int64_t bound);
/* The next e to try for a WITHIN whose window must not reach behind hi; DM_MAX_TIME if there is none. */
int64_t dm_plan_window_start(const struct dm_plan *plan, int64_t bound, int64_t hi);

/* Can all demands be met by distinct observations? 1, 0 or a negative code. With `hits`: they are left in
 * s->used. pattern_flow.c */
int dm_flow(struct dm_search *s, const struct dm_demand *demand, uint32_t n, bool keep);

#endif
