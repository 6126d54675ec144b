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
	uint64_t met;
	bool spare;	    /* set aside */
	uint32_t seen, via; /* of the breadth-first search: pass, event through which it was reached */
};

struct flow {
	struct dm_search *s;
	struct dm_arena arena;
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

/* Candidates of d until they hold `enough`; *ret_sum what they hold. out NULL: only counts. Returns how many.
 */
static uint32_t candidates(const struct flow *f, const struct dm_demand *d, uint64_t enough, uint32_t *out,
			   uint64_t *ret_sum, uint64_t *ret_looked)
{
	const struct dm_class *c = d->class;
	const struct dm_pattern_event *ev = f->s->event;
	uint32_t n = 0, from = first_at_least(c->first, c->n, d->lo), i = from;
	uint64_t sum = 0, looked = 0, spanning;
	int64_t floor;

	for (; i < c->n && c->first[i] <= d->hi && sum < enough; i++, looked++) {
		sum += dm_event_count(&ev[c->event[i]]);
		if (out)
			out[n] = c->event[i];
		n++;
	}
	/* Those that began before lo and last until it: looked for only if there are some, and no further
	 * back than the longest lasts. */
	spanning = sum < enough ? dm_class_count(c, d->lo, d->hi) - sum : 0;
	if (__builtin_sub_overflow(d->lo, c->longest, &floor))
		floor = DM_MIN_TIME;
	for (i = from; i > 0 && spanning && sum < enough && c->first[i - 1] >= floor; i--, looked++) {
		const struct dm_pattern_event *e = &ev[c->event[i - 1]];

		if (dm_event_last(e) < d->lo || c->first[i - 1] > d->hi)
			continue;
		sum += dm_event_count(e);
		spanning -= dm_event_count(e);
		if (out)
			out[n] = c->event[i - 1];
		n++;
	}
	for (i = 0; d->lo == DM_MIN_TIME && d->hi == DM_MAX_TIME && i < c->n_untimed && sum < enough;
	     i++, looked++) {
		sum += dm_event_count(&ev[c->untimed[i]]);
		if (out)
			out[n] = c->untimed[i];
		n++;
	}
	*ret_sum = sum;
	*ret_looked = looked;
	return n;
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

/* 1 ready, 0 impossible from the start. */
static int prepare(struct flow *f, const struct dm_demand *demand, uint32_t n)
{
	uint64_t total = 0, sum, looked;
	int rc;

	f->n = n;
	f->want = dm_arena_alloc(&f->arena, n * sizeof(*f->want) + 1);
	f->queue = dm_arena_alloc(&f->arena, n * sizeof(*f->queue) + 1);
	if (!f->want || !f->queue)
		return no_memory(f);
	for (uint32_t i = 0; i < n; i++)
		total = dm_sat_add(total, demand[i].number);
	for (uint32_t i = 0; i < n; i++) {
		struct want *w = &f->want[i];

		*w = (struct want){.d = &demand[i]};
		if (demand[i].lo > demand[i].hi)
			return 0;
		w->n = candidates(f, &demand[i], total, NULL, &sum, &looked);
		rc = dm_pattern_charge(f->s->budget, 1 + looked / 4, f->s->err);
		if (rc)
			return rc;
		if (sum < demand[i].number)
			return 0;
		w->spare = sum >= total;
		w->event = dm_arena_alloc(&f->arena, w->n * sizeof(*w->event) + 1);
		w->taken = dm_arena_alloc(&f->arena, w->n * sizeof(*w->taken) + 1);
		if (!w->event || !w->taken)
			return no_memory(f);
		candidates(f, &demand[i], total, w->event, &sum, &looked);
		sort_numbers(w->event, w->n);
		memset(w->taken, 0, w->n * sizeof(*w->taken));
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
	int rc = prepare(&f, demand, n);

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
	dm_arena_done(&f.arena);
	return rc;
}
