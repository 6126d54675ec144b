/* Demands for distinct observations, met or proved impossible: a maximum flow with capacities, by augmenting
 * paths.
 *
 * A demand whose candidates hold at least as much as all demands together can always be met last, from what
 * the others leave; such demands are set aside. What remains has candidate lists shorter than the sum of the
 * demands.
 */
#include "hunt/pattern_plan.h"

struct want {
	const struct dm_demand *d;
	uint32_t *event; /* candidates, ascending by number */
	uint64_t *taken; /* of each */
	uint32_t n;
	size_t cap;
	uint64_t met;
	bool spare;	    /* set aside */
	uint32_t seen, via; /* of the breadth-first search: pass, event through which it was reached */
};

struct flow {
	struct dm_search *s;
	struct want *want;
	uint32_t n, *queue;
};

static int no_memory(struct flow *f)
{
	return dm_fail(f->s->err, DM_ENOMEM, "no memory for the observations of a pattern");
}

static uint32_t first_at_least(const int64_t *v, uint32_t n, int64_t bound)
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

/* How many observations could meet d. */
static uint64_t supply(const struct dm_demand *d)
{
	uint64_t sum = dm_class_count(d->class, d->lo, d->hi);

	return d->lo == DM_MIN_TIME && d->hi == DM_MAX_TIME ? sum + d->class->sum_untimed : sum;
}

/* Room for one more candidate of w. */
static bool add(struct flow *f, struct want *w, uint32_t event, uint64_t *sum)
{
	*sum += dm_event_count(&f->s->event[event]);
	if (dm_grow((void **)&w->event, &w->cap, w->n + 1, sizeof(*w->event)))
		return false;
	w->event[w->n++] = event;
	return true;
}

/* Lists candidates of w until they hold `enough`. */
static int list_candidates(struct flow *f, struct want *w, uint64_t enough)
{
	const struct dm_demand *d = w->d;
	const struct dm_class *c = d->class;
	uint32_t from = first_at_least(c->first, c->n, d->lo), i = from;
	uint64_t sum = 0, looked = 0, spanning;
	int64_t floor;
	bool ok = true;

	for (; ok && i < c->n && c->first[i] <= d->hi && sum < enough; i++, looked++)
		ok = add(f, w, c->event[i], &sum);
	/* Those that began before lo and last until it: looked for only if there are some, and no further
	 * back than the longest lasts. */
	spanning = sum < enough ? dm_class_count(c, d->lo, d->hi) - sum : 0;
	if (__builtin_sub_overflow(d->lo, c->longest, &floor))
		floor = DM_MIN_TIME;
	for (i = from; ok && i > 0 && spanning && sum < enough && c->first[i - 1] >= floor; i--, looked++) {
		const struct dm_pattern_event *e = &f->s->event[c->event[i - 1]];

		if (dm_event_last(e) < d->lo)
			continue;
		spanning -= dm_event_count(e);
		ok = add(f, w, c->event[i - 1], &sum);
	}
	for (i = 0; ok && d->lo == DM_MIN_TIME && d->hi == DM_MAX_TIME && i < c->n_untimed && sum < enough;
	     i++, looked++)
		ok = add(f, w, c->untimed[i], &sum);
	return ok ? dm_pattern_charge(f->s->budget, looked / 4, f->s->err) : no_memory(f);
}

static void sort_numbers(uint32_t *v, uint32_t n)
{
	/* Shell sort: short lists, no callback. */
	for (uint32_t gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11) {
		for (uint32_t i = gap; i < n; i++) {
			uint32_t x = v[i], j = i;

			for (; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
	}
}

/* 1 ready, 0 impossible from the start. keep: demands that are set aside need their candidates too. */
static int prepare(struct flow *f, const struct dm_demand *demand, uint32_t n, bool keep)
{
	uint64_t total = 0, sum;
	int rc;

	rc = dm_pattern_charge(f->s->budget, n, f->s->err);
	if (rc)
		return rc;
	f->want = dm_calloc(n + 1, sizeof(*f->want));
	f->queue = dm_alloc((n + 1) * sizeof(*f->queue));
	if (!f->want || !f->queue)
		return no_memory(f);
	f->n = n;
	for (uint32_t i = 0; i < n; i++)
		total = dm_sat_add(total, demand[i].number);
	for (uint32_t i = 0; i < n; i++) {
		struct want *w = &f->want[i];

		w->d = &demand[i];
		sum = demand[i].lo > demand[i].hi ? 0 : supply(&demand[i]);
		if (sum < demand[i].number)
			return 0;
		w->spare = sum >= total;
		if (w->spare && !keep)
			continue;
		rc = list_candidates(f, w, total);
		if (rc)
			return rc;
		sort_numbers(w->event, w->n);
		w->taken = dm_calloc(w->n + 1, sizeof(*w->taken));
		if (!w->taken)
			return no_memory(f);
	}
	return 1;
}

static uint64_t *taken_of(struct want *w, uint32_t event)
{
	uint32_t lo = 0, hi = w->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (w->event[mid] < event)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n && w->event[lo] == event ? &w->taken[lo] : NULL;
}

static void take_free(struct flow *f, struct want *w)
{
	for (uint32_t i = 0; i < w->n && w->met < w->d->number; i++) {
		uint32_t e = w->event[i];
		uint64_t room = dm_event_count(&f->s->event[e]) - f->s->used[e], need = w->d->number - w->met;
		uint64_t take = room < need ? room : need;

		f->s->used[e] += take;
		w->taken[i] += take;
		w->met += take;
	}
}

/* Breadth first from demand `start` to an observation with room; *ret_event is it. 1 found, 0 none. */
static int find_path(struct flow *f, uint32_t start, uint32_t *ret_event)
{
	struct dm_search *s = f->s;
	uint32_t head = 0, tail = 0;
	int rc;

	if (!++s->stamp) {
		memset(s->seen, 0, s->n_events * sizeof(*s->seen));
		for (uint32_t i = 0; i < f->n; i++)
			f->want[i].seen = 0;
		s->stamp = 1;
	}
	f->queue[tail++] = start;
	f->want[start].seen = s->stamp;
	while (head < tail) {
		uint32_t u = f->queue[head++];
		struct want *w = &f->want[u];

		rc = dm_pattern_charge(s->budget, 1 + w->n / 4, s->err);
		if (rc)
			return rc;
		for (uint32_t i = 0; i < w->n; i++) {
			uint32_t e = w->event[i];

			if (s->seen[e] == s->stamp)
				continue;
			s->seen[e] = s->stamp;
			s->via[e] = u;
			if (s->used[e] < dm_event_count(&s->event[e])) {
				*ret_event = e;
				return 1;
			}
			rc = dm_pattern_charge(s->budget, f->n / 8, s->err);
			if (rc)
				return rc;
			for (uint32_t k = 0; k < f->n; k++) {
				uint64_t *t = f->want[k].spare || f->want[k].seen == s->stamp
						      ? NULL
						      : taken_of(&f->want[k], e);

				if (!t || !*t)
					continue;
				f->want[k].seen = s->stamp;
				f->want[k].via = e;
				f->queue[tail++] = k;
			}
		}
	}
	return 0;
}

/* Shift one unit along the path that ends in `event`. */
static void shift(struct flow *f, uint32_t start, uint32_t event)
{
	f->s->used[event]++;
	for (;;) {
		uint32_t u = f->s->via[event];

		++*taken_of(&f->want[u], event);
		if (u == start)
			break;
		event = f->want[u].via;
		--*taken_of(&f->want[u], event);
	}
	f->want[start].met++;
}

static void put_back(struct flow *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		for (uint32_t k = 0; f->want[i].taken && k < f->want[i].n; k++)
			f->s->used[f->want[i].event[k]] = 0;
	}
}

int dm_flow(struct dm_search *s, const struct dm_demand *demand, uint32_t n, bool keep)
{
	struct flow f = {.s = s};
	uint32_t event = 0;
	int rc = prepare(&f, demand, n, keep);

	if (rc <= 0)
		goto out;
	for (uint32_t i = 0; rc > 0 && i < n; i++) {
		struct want *w = &f.want[i];

		if (w->spare)
			continue;
		take_free(&f, w);
		while (rc > 0 && w->met < w->d->number) {
			rc = find_path(&f, i, &event);
			if (rc > 0)
				shift(&f, i, event);
		}
	}
	for (uint32_t i = 0; rc > 0 && keep && i < n; i++) {
		if (f.want[i].spare)
			take_free(&f, &f.want[i]);
	}
	if (rc <= 0 || !keep)
		put_back(&f);
out:
	for (uint32_t i = 0; i < f.n; i++) {
		dm_free(f.want[i].event);
		dm_free(f.want[i].taken);
	}
	dm_free(f.want);
	dm_free(f.queue);
	return rc;
}
