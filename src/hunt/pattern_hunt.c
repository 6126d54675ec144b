/* pattern_hunt.c: patterns over the stored evidence. The index names candidate rows; the exact evaluator
 * decides on each. */
#include <stdlib.h>
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "hunt/hunt.h"
#include "hunt/observation.h"
#include "hunt/pattern.h"
#include "hunt/regex.h"

#define ROW_STEPS 20u /* charged for making the graph of a row, besides what evaluation costs */

/* Keys of the dictionary whose rows are candidates; or every row. */
struct wanted {
	bool all;
	struct key {
		enum dm_obs_type type;
		struct dm_sv key;
	} * v;
	size_t n, cap;
};

struct place {
	uint32_t segment, row;
};

struct run_of {
	struct dm_hunt *h;
	struct dm_pattern *p;
	uint32_t ref;
	struct dm_budget budget;
	struct dm_arena arena;
	struct place *place; /* rows that match some bracket */
	struct dm_pattern_event *event;
	size_t n, place_cap, event_cap;
	uint32_t **match; /* per bracket: numbers of events */
	uint32_t *n_match;
	size_t *match_cap;
	uint32_t brackets;
	struct dm_record *record;
	struct dm_observed_graph graph;
	bool stopped;
};

static int add_key(struct run_of *r, struct wanted *w, enum dm_obs_type t, struct dm_sv key)
{
	if (dm_grow((void **)&w->v, &w->cap, w->n + 1, sizeof *w->v))
		return DM_ENOMEM;
	w->v[w->n].type = t;
	w->v[w->n].key = dm_arena_copy(&r->arena, key);
	return w->v[w->n++].key.p ? DM_OK : DM_ENOMEM;
}

/* References lead to the same dictionaries: who is at either end, what a name resolves to, who wrote. */
static enum dm_obs_type type_of(struct dm_sv object, struct dm_sv path, struct dm_sv value)
{
	enum dm_obs_type t = dm_set_plain_type(object, path);

	if (t != DM_OBS_NONE || !dm_sv_ends(path, DM_SV(".value")))
		return t;
	t = dm_obs_guess(value);
	return t == DM_OBS_IPV4 || t == DM_OBS_IPV6 || t == DM_OBS_DOMAIN || t == DM_OBS_EMAIL ||
			       t == DM_OBS_MAC
		       ? t
		       : DM_OBS_NONE;
}

static int add_value(struct run_of *r, struct wanted *w, const struct dm_atom *a)
{
	enum dm_obs_type t = type_of(a->object, a->path, a->value), got;
	struct dm_buf key;
	int rc = DM_OK;

	dm_buf_init(&key, DM_MAX_VALUE * 2);
	if (t == DM_OBS_NONE || !dm_obs_key_lenient(t, a->value, &key, &got))
		w->all = true;
	else
		rc = add_key(r, w, got, dm_buf_view(&key));
	dm_buf_done(&key);
	return rc;
}

static int add_subnet(struct run_of *r, struct wanted *w, const struct dm_atom *a)
{
	struct dm_ip first, last;
	bool four;

	if (!dm_ip_range(a->value, &first, &last)) {
		w->all = true;
		return DM_OK;
	}
	four = dm_ip_is4(&first);
	for (size_t i = 0; i < r->h->n_runs; i++) {
		struct dm_run_type *t = dm_run_type(r->h->run[i], four ? DM_OBS_IPV4 : DM_OBS_IPV6);
		size_t skip = four ? 12 : 0;
		bool equal;

		if (!t)
			continue;
		for (uint32_t pos = dm_run_seek(t, 0, dm_sv((char *)first.b + skip, 16 - skip), &equal);
		     pos < t->n; pos++) {
			struct dm_sv key = dm_run_key(t, pos);
			if (dm_sv_cmp(key, dm_sv((char *)last.b + skip, 16 - skip)) > 0)
				break;
			if (add_key(r, w, t->type, key))
				return DM_ENOMEM;
		}
	}
	return DM_OK;
}

/* STIX LIKE over code points: % any run, _ one. LIMIT: linear but for one backtrack point. */
static bool like(struct dm_sv s, struct dm_sv p)
{
	size_t i = 0, j = 0, star = SIZE_MAX, mark = 0;

	while (i < s.n) {
		if (j < p.n && p.p[j] == '%') {
			star = ++j;
			mark = i;
		} else if (j < p.n && (p.p[j] == '_' || p.p[j] == s.p[i])) {
			bool one = p.p[j++] == '_';
			i++;
			while (one && i < s.n && ((uint8_t)s.p[i] & 0xc0) == 0x80)
				i++;
		} else if (star != SIZE_MAX) {
			j = star;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (j < p.n && p.p[j] == '%')
		j++;
	return j == p.n;
}

/* LIKE and MATCHES are tried on the dictionary, never on rows. */
static int add_matching(struct run_of *r, struct wanted *w, const struct dm_atom *a, struct dm_err *err)
{
	enum dm_obs_type t = dm_set_plain_type(a->object, a->path);
	struct dm_regex *re = NULL;
	struct dm_regex_scratch *scratch = NULL;
	struct dm_buf text;
	size_t at;
	int rc = DM_OK;

	if (t == DM_OBS_NONE) {
		w->all = true;
		return DM_OK;
	}
	if (a->op == DM_ATOM_REGEX && dm_regex_compile(&re, a->value, false, &at, err)) {
		w->all = true;
		return DM_OK;
	}
	dm_buf_init(&text, DM_MAX_VALUE * 4);
	for (size_t i = 0; i < r->h->n_runs && !rc; i++) {
		struct dm_run_type *x = dm_run_type(r->h->run[i], t);

		for (uint32_t pos = 0; x && pos < x->n && !rc; pos++) {
			struct dm_sv key = dm_run_key(x, pos);
			uint64_t cost = 1;
			int hit;

			dm_buf_clear(&text);
			dm_obs_text(t, key, &text);
			hit = re ? dm_regex_search(re, dm_buf_view(&text), &scratch, &cost, NULL)
				 : like(dm_buf_view(&text), a->value);
			if (hit != 0) /* found, or too costly to say: the evaluator decides */
				rc = add_key(r, w, t, key);
			r->budget.left -= cost < r->budget.left ? cost : r->budget.left;
			if (!r->budget.left)
				rc = DM_ELIMIT;
		}
	}
	dm_buf_done(&text);
	dm_regex_scratch_free(scratch);
	dm_regex_free(re);
	return rc;
}

static int candidates(struct run_of *r, const struct dm_atom *a, struct wanted *w, struct dm_err *err)
{
	struct wanted best = {.all = true};
	int rc = DM_OK;

	switch (a->op) {
	case DM_ATOM_EQ:
		return add_value(r, w, a);
	case DM_ATOM_SUBNET:
		return add_subnet(r, w, a);
	case DM_ATOM_LIKE:
	case DM_ATOM_REGEX:
		return add_matching(r, w, a, err);
	case DM_ATOM_OR:
		for (uint32_t i = 0; i < a->n && !rc && !w->all; i++)
			rc = candidates(r, a->kid[i], w, err);
		return rc;
	case DM_ATOM_AND: /* one part is enough: the one with the fewest keys */
		for (uint32_t i = 0; i < a->n && !rc; i++) {
			struct wanted one = {0};

			rc = candidates(r, a->kid[i], &one, err);
			if (!rc && !one.all && (best.all || one.n < best.n)) {
				dm_free(best.v);
				best = one;
			} else {
				dm_free(one.v);
			}
		}
		if (best.all)
			w->all = true;
		for (size_t i = 0; i < best.n && !rc && !best.all; i++)
			rc = add_key(r, w, best.v[i].type, best.v[i].key);
		dm_free(best.v);
		return rc;
	default:
		w->all = true;
		return DM_OK;
	}
}

static bool in_window(const struct dm_hunt *h, int64_t t)
{
	if (h->opt.since != DM_NO_TIME && (t == DM_NO_TIME || t < h->opt.since))
		return false;
	return h->opt.until == DM_NO_TIME || (t != DM_NO_TIME && t < h->opt.until);
}

/* One row against all brackets. */
static int try_row(struct run_of *r, struct dm_segment *g, uint32_t segment, uint32_t row, struct dm_err *err)
{
	int64_t t = dm_segment_time(g, row);
	bool noted = false;
	int rc;

	if (!in_window(r->h, t))
		return DM_OK;
	if (r->budget.left <= ROW_STEPS)
		return DM_ELIMIT;
	r->budget.left -= ROW_STEPS;
	rc = dm_segment_record(g, row, r->record, err);
	if (!rc)
		rc = dm_observation_from_record(&r->graph, r->record, err);
	if (rc == DM_EFORMAT) /* stored objects that are no JSON any more: nothing to match */
		return DM_OK;
	for (uint32_t b = 0; b < r->brackets && !rc; b++) {
		bool match = false;

		rc = dm_pattern_bracket_matches(r->p, b, &r->graph.o, &r->budget, &match, err);
		if (rc || !match)
			continue;
		if (!noted) {
			if (dm_grow((void **)&r->place, &r->place_cap, r->n + 1, sizeof *r->place) ||
			    dm_grow((void **)&r->event, &r->event_cap, r->n + 1, sizeof *r->event))
				return DM_ENOMEM;
			r->place[r->n] = (struct place){.segment = segment, .row = row};
			r->event[r->n++] =
				(struct dm_pattern_event){.first = r->graph.o.first,
							  .last = r->graph.o.last,
							  .number_observed = r->graph.o.number_observed};
			noted = true;
		}
		if (dm_grow((void **)&r->match[b], &r->match_cap[b], r->n_match[b] + 1, sizeof(uint32_t)))
			return DM_ENOMEM;
		r->match[b][r->n_match[b]++] = (uint32_t)r->n - 1;
	}
	return rc;
}

static int try_segment(struct run_of *r, uint32_t segment, const struct wanted *w, struct dm_err *err)
{
	const struct dm_segment_row *row = &r->h->snap.segment[segment];
	struct dm_segment *g;
	struct dm_hits hits = {0};
	uint8_t *seen = NULL;
	int rc = dm_segment_open(&g, r->h->store->evidence_fd, row->file.p, row->bytes, err);

	if (rc)
		return rc;
	if (w->all) {
		for (uint32_t i = 0; i < g->h->rows && !rc; i++)
			rc = try_row(r, g, segment, i, err);
	} else {
		seen = dm_calloc(g->h->rows / 8 + 1, 1);
		rc = seen ? DM_OK : DM_ENOMEM;
		for (size_t i = 0; i < w->n && !rc; i++) {
			uint32_t code;
			if (dm_segment_find(g, w->v[i].type, w->v[i].key, &code))
				rc = dm_segment_hits(g, code, &hits, err);
		}
		for (size_t i = 0; i < hits.n; i++)
			seen[hits.v[i].row / 8] |= (uint8_t)(1u << hits.v[i].row % 8);
		for (uint32_t i = 0; hits.n && i < g->h->rows && !rc; i++)
			if (seen[i / 8] >> i % 8 & 1)
				rc = try_row(r, g, segment, i, err);
	}
	if (!rc && g->corrupt)
		rc = dm_fail(err, DM_ECORRUPT, "a segment is damaged");
	dm_free(hits.v);
	dm_free(seen);
	dm_segment_close(g);
	return rc;
}

static int keep_rows(struct run_of *r, struct dm_err *err)
{
	struct dm_hunt *h = r->h;
	uint32_t *hits = NULL, n = 0;
	int rc = dm_pattern_combine(r->p, r->event, (uint32_t)r->n, (const uint32_t *const *)r->match,
				    r->n_match, &r->budget, &r->arena, &hits, &n, err);

	if (rc || !n)
		return rc;
	if (r->brackets == 1) { /* every row that holds is a hit; a binding names only as many as it needs */
		hits = r->match[0];
		n = r->n_match[0];
	}
	for (uint32_t i = 0; i < n; i++) {
		if (hits[i] >= r->n || dm_grow((void **)&h->pattern_row, &h->pattern_rows_cap,
					       h->n_pattern_rows + 1, sizeof *h->pattern_row))
			return DM_ENOMEM;
		h->pattern_row[h->n_pattern_rows++] = (struct dm_hunt_pattern_row){
			.segment = r->place[hits[i]].segment, .row = r->place[hits[i]].row, .ref = r->ref};
	}
	return DM_OK;
}

/* Events in order of time, which is what dm_pattern_combine wants. */
static int order_events(struct run_of *r)
{
	uint32_t *order = dm_arena_alloc(&r->arena, (r->n + 1) * sizeof *order),
		 *at = dm_arena_alloc(&r->arena, (r->n + 1) * sizeof *at);
	struct place *p = dm_arena_alloc(&r->arena, (r->n + 1) * sizeof *p);
	struct dm_pattern_event *e = dm_arena_alloc(&r->arena, (r->n + 1) * sizeof *e);

	if (!order || !at || !p || !e)
		return DM_ENOMEM;
	for (uint32_t i = 0; i < r->n; i++)
		order[i] = i;
	for (size_t width = 1; width < r->n; width *= 2) { /* merge sort, stable */
		for (size_t lo = 0; lo < r->n; lo += 2 * width) {
			size_t mid = lo + width < r->n ? lo + width : r->n,
			       hi = lo + 2 * width < r->n ? lo + 2 * width : r->n, i = lo, j = mid, k = lo;
			while (i < mid || j < hi)
				at[k++] = j >= hi || (i < mid &&
						      r->event[order[i]].first <= r->event[order[j]].first)
						  ? order[i++]
						  : order[j++];
		}
		memcpy(order, at, r->n * sizeof *order);
	}
	for (uint32_t i = 0; i < r->n; i++) {
		p[i] = r->place[order[i]];
		e[i] = r->event[order[i]];
		at[order[i]] = i;
	}
	if (r->n) {
		memcpy(r->place, p, r->n * sizeof *p);
		memcpy(r->event, e, r->n * sizeof *e);
	}
	for (uint32_t b = 0; b < r->brackets; b++) {
		uint8_t *is = dm_arena_alloc(&r->arena, r->n + 1);
		uint32_t n = 0;

		if (!is)
			return DM_ENOMEM;
		memset(is, 0, r->n + 1);
		for (uint32_t i = 0; i < r->n_match[b]; i++)
			is[at[r->match[b][i]]] = 1;
		for (uint32_t i = 0; i < r->n; i++)
			if (is[i])
				r->match[b][n++] = i;
	}
	return DM_OK;
}

static int run_pattern(struct run_of *r, struct dm_err *err)
{
	struct wanted w = {0};
	int rc = DM_OK;

	r->brackets = dm_pattern_brackets(r->p);
	r->match = dm_arena_alloc(&r->arena, r->brackets * sizeof(uint32_t *));
	r->n_match = dm_arena_alloc(&r->arena, r->brackets * sizeof *r->n_match);
	r->match_cap = dm_arena_alloc(&r->arena, r->brackets * sizeof *r->match_cap);
	if (!r->match || !r->n_match || !r->match_cap) {
		r->brackets = 0;
		return DM_ENOMEM;
	}
	memset(r->match, 0, r->brackets * sizeof(uint32_t *));
	memset(r->n_match, 0, r->brackets * sizeof *r->n_match);
	memset(r->match_cap, 0, r->brackets * sizeof *r->match_cap);
	for (uint32_t b = 0; b < r->brackets && !rc && !w.all; b++)
		rc = candidates(r, dm_pattern_candidates(r->p, b), &w, err);
	for (uint32_t i = 0; i < r->h->snap.n_segments && !rc && (w.all || w.n); i++)
		rc = try_segment(r, i, &w, err);
	dm_free(w.v);
	if (rc == DM_ELIMIT) { /* what was found up to here counts, and it is said that it is not all */
		r->stopped = true;
		r->budget.left = DM_PATTERN_STEPS / 10;
		rc = DM_OK;
	}
	if (!rc)
		rc = order_events(r);
	if (!rc)
		rc = keep_rows(r, err);
	if (rc == DM_ELIMIT) {
		r->stopped = true;
		rc = DM_OK;
	}
	return rc;
}

static int one_pattern(struct dm_hunt *h, uint32_t set, uint32_t record, struct dm_record *rec,
		       struct dm_err *err)
{
	struct run_of r = {
		.h = h,
		.record = rec,
		.budget = {.left = h->opt.pattern_steps ? h->opt.pattern_steps : DM_PATTERN_STEPS}};
	size_t before = h->n_pattern_rows;
	struct dm_indicator ind;
	int rc = dm_set_record(h->set[set], record, &ind);

	if (!rc)
		rc = dm_pattern_parse(&r.p, ind.value, err);
	if (rc)
		return rc;
	r.ref = (uint32_t)h->n_refs;
	rc = run_pattern(&r, err);
	h->patterns_stopped += r.stopped;
	if (!rc && h->n_pattern_rows > before) {
		if (dm_grow((void **)&h->ref, &h->refs_cap, h->n_refs + 1, sizeof *h->ref))
			rc = DM_ENOMEM;
		else
			h->ref[h->n_refs++] = (struct dm_hunt_ref){.set = set,
								   .record = record,
								   .value = DM_HUNT_NO_VALUE,
								   .n_values = 2,
								   .first = DM_NO_TIME,
								   .last = DM_NO_TIME};
	}
	for (uint32_t b = 0; b < r.brackets; b++)
		dm_free(r.match[b]);
	dm_free(r.place);
	dm_free(r.event);
	dm_observed_graph_done(&r.graph);
	dm_pattern_free(r.p);
	dm_arena_done(&r.arena);
	return rc;
}

static int by_row(const void *a, const void *b)
{
	const struct dm_hunt_pattern_row *x = a, *y = b;

	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static int by_cell(const void *a, const void *b)
{
	const struct dm_hunt_cell_hit *x = a, *y = b;

	if (x->cell != y->cell)
		return x->cell < y->cell ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* Cells that hold a row of a pattern get a hit without a value, so that the row stage opens them. */
static int mark_cells(struct dm_hunt *h)
{
	for (size_t i = 0; i < h->n_pattern_rows; i++) {
		const struct dm_segment_row *s = &h->snap.segment[h->pattern_row[i].segment];
		size_t lo = 0, hi = h->n_cells;

		if (i && h->pattern_row[i].segment == h->pattern_row[i - 1].segment)
			continue;
		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;
			const struct dm_cell *c = &h->cell[mid];
			bool less = c->day != s->day	 ? c->day < s->day
				    : c->kind != s->kind ? c->kind < s->kind
							 : c->class_id < s->class_id;
			if (less)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo == h->n_cells)
			return DM_ECORRUPT;
		if (dm_grow((void **)&h->hit, &h->hits_cap, h->n_hits + 1, sizeof *h->hit))
			return DM_ENOMEM;
		h->hit[h->n_hits++] =
			(struct dm_hunt_cell_hit){.cell = (uint32_t)lo, .value = DM_HUNT_NO_VALUE};
	}
	if (h->n_pattern_rows)
		qsort(h->hit, h->n_hits, sizeof *h->hit, by_cell);
	return DM_OK;
}

int dm_hunt_patterns(struct dm_hunt *h, struct dm_err *err)
{
	struct dm_record *rec;
	int rc = DM_OK;

	if (h->opt.types)
		return DM_OK; /* a pattern has no one type */
	rec = dm_alloc(sizeof *rec);
	if (!rec)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	dm_record_init(rec);
	for (uint32_t s = 0; s < h->n_sets && !rc; s++)
		for (uint32_t i = 0; i < h->set[s]->n_patterns && !rc; i++)
			rc = one_pattern(h, s, dm_set_u32(h->set[s]->patterns, i), rec, err);
	dm_record_done(rec);
	dm_free(rec);
	if (h->n_pattern_rows)
		qsort(h->pattern_row, h->n_pattern_rows, sizeof *h->pattern_row, by_row);
	if (!rc)
		rc = mark_cells(h);
	h->by_rows = h->by_rows || h->n_pattern_rows;
	return rc && (!err || !err->code)
		       ? dm_fail(err, rc, "the patterns could not be evaluated: %s", dm_code_text(rc))
		       : rc;
}
