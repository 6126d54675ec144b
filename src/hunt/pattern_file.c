/* One pattern over observed-data: see pattern_file.h. */
#include <stdio.h>

#include "base/limits.h"
#include "hunt/observed.h"
#include "hunt/pattern_file.h"

struct run {
	const struct dm_pattern *p;
	const struct dm_observed *o;
	struct dm_budget budget;
	uint32_t n_brackets, **matches, *n_matches;
	size_t *cap_matches;
	struct dm_pattern_event *event;
	struct dm_err *err;
};

static int no_memory(struct run *r)
{
	return dm_fail(r->err, DM_ENOMEM, "no memory for the observations of a pattern");
}

/* Parsing is work that the file can ask for again and again through references: charged like the rest. */
static int charge_bytes(struct run *r, size_t n)
{
	uint64_t steps = 1 + n / 256;

	if (r->budget.left < steps) {
		r->budget.left = 0;
		dm_fail(r->err, DM_ELIMIT,
			"the observed-data refers to its objects more often than the step budget allows");
		dm_err_remedy(r->err, "split the file");
		return DM_ELIMIT;
	}
	r->budget.left -= steps;
	return 0;
}

/* An observation that is too large as a whole is passed over like one that can't be read: said, not fatal. */
static void pass_over(struct run *r, uint32_t i, const struct dm_err *why, struct dm_pattern_verdict *v)
{
	if (!v->skipped++)
		snprintf(v->skip_reason, sizeof(v->skip_reason), "line %llu: %.160s",
			 (unsigned long long)dm_observed_item(r->o, i)->line, why->msg);
}

static int evaluate(struct run *r, struct dm_observed_graph *g, uint32_t i, struct dm_pattern_verdict *v)
{
	struct dm_err why = {0};
	int rc = dm_observed_load(r->o, i, g, &why);

	if (rc == DM_ELIMIT || rc == DM_EFORMAT) {
		pass_over(r, i, &why, v);
		r->event[i] = (struct dm_pattern_event){0, 0, 1}; /* matches nothing */
		return charge_bytes(r, g->text.n);
	}
	if (rc && r->err)
		*r->err = why;
	if (!rc)
		rc = charge_bytes(r, g->text.n);
	r->event[i] = (struct dm_pattern_event){g->o.first, g->o.last, g->o.number_observed};
	for (uint32_t b = 0; !rc && b < r->n_brackets; b++) {
		bool hit = false;

		rc = dm_pattern_bracket_matches(r->p, b, &g->o, &r->budget, &hit, r->err);
		if (rc || !hit)
			continue;
		if (dm_grow((void **)&r->matches[b], &r->cap_matches[b], r->n_matches[b] + 1,
			    sizeof(*r->matches[b])))
			return no_memory(r);
		r->matches[b][r->n_matches[b]++] = i;
	}
	return rc;
}

static int keep_ids(struct run *r, const uint32_t *hits, uint32_t n, struct dm_pattern_verdict *v)
{
	v->ids = dm_arena_alloc(&v->arena, n * sizeof(*v->ids) + 1);
	if (!v->ids)
		return no_memory(r);
	for (uint32_t i = 0; i < n; i++) {
		struct dm_sv id = dm_observed_item(r->o, hits[i])->id;
		char number[16];

		if (!id.n)
			id = dm_sv(number, (size_t)snprintf(number, sizeof(number), "#%u", hits[i] + 1));
		v->ids[i] = dm_arena_copy(&v->arena, id);
		if (!v->ids[i].p)
			return no_memory(r);
		v->n_ids++;
	}
	v->matched = n > 0;
	return 0;
}

static int run(struct run *r, struct dm_pattern_verdict *v)
{
	struct dm_observed_graph g = {0};
	struct dm_arena arena = {0};
	uint32_t n = dm_observed_count(r->o), *hits = NULL, n_hits = 0;
	int rc = 0;

	r->n_brackets = dm_pattern_brackets(r->p);
	r->matches = dm_calloc(r->n_brackets, sizeof(*r->matches));
	r->n_matches = dm_calloc(r->n_brackets, sizeof(*r->n_matches));
	r->cap_matches = dm_calloc(r->n_brackets, sizeof(*r->cap_matches));
	r->event = dm_calloc(n + 1, sizeof(*r->event));
	if (!r->matches || !r->n_matches || !r->cap_matches || !r->event)
		rc = no_memory(r);
	for (uint32_t i = 0; !rc && i < n; i++) {
		rc = evaluate(r, &g, i, v);
		v->untimed += r->event[i].first == DM_NO_TIME;
	}
	if (!rc)
		rc = dm_pattern_combine(r->p, r->event, n, (const uint32_t *const *)r->matches, r->n_matches,
					&r->budget, &arena, &hits, &n_hits, r->err);
	if (!rc)
		rc = keep_ids(r, hits, n_hits, v);
	for (uint32_t b = 0; r->matches && b < r->n_brackets; b++)
		dm_free(r->matches[b]);
	dm_free(r->matches);
	dm_free(r->n_matches);
	dm_free(r->cap_matches);
	dm_free(r->event);
	dm_observed_graph_done(&g);
	dm_arena_done(&arena);
	return rc;
}

static int over_text(const struct dm_pattern *p, struct dm_sv text, struct dm_pattern_verdict *ret,
		     struct dm_err *err)
{
	struct dm_pattern_verdict v = {0};
	struct dm_observed *o = NULL;
	struct run r = {.p = p, .err = err};
	const char *reason = "";
	int rc = dm_observed_open(&o, text, err);

	if (!rc) {
		r.o = o;
		v.observations = dm_observed_count(o);
		v.skipped = dm_observed_skipped(o, &reason);
		snprintf(v.skip_reason, sizeof(v.skip_reason), "%s", reason);
		snprintf(v.note, sizeof(v.note), "%s", dm_pattern_note(p));
		r.budget.left = v.budget = DM_PATTERN_STEPS + DM_PATTERN_PER_OBS * v.observations;
		rc = run(&r, &v);
		v.steps = v.budget - r.budget.left;
	}
	dm_observed_free(o);
	if (rc)
		dm_pattern_verdict_done(&v);
	else
		*ret = v;
	return rc;
}

int dm_pattern_over_text(struct dm_sv pattern, struct dm_sv observed, struct dm_pattern_verdict *ret,
			 struct dm_err *err)
{
	struct dm_pattern *p = NULL;
	int rc = dm_pattern_parse(&p, pattern, err);

	if (rc) {
		dm_err_source(err, "pattern");
		return rc;
	}
	rc = over_text(p, observed, ret, err);
	dm_pattern_free(p);
	return rc;
}

int dm_pattern_over_file(struct dm_sv pattern, struct dm_stream *in, struct dm_pattern_verdict *ret,
			 struct dm_err *err)
{
	struct dm_pattern *p = NULL;
	char *text = NULL;
	size_t n = 0;
	int rc = dm_pattern_parse(&p, pattern, err);

	/* A bad pattern is said before a large file is read. */
	if (rc) {
		dm_err_source(err, "pattern");
		return rc;
	}
	rc = dm_stream_slurp(in, DM_MAX_DOCUMENT, &text, &n, err);
	if (!rc)
		rc = over_text(p, dm_sv(text, n), ret, err);
	dm_free(text);
	dm_pattern_free(p);
	return rc;
}

void dm_pattern_verdict_done(struct dm_pattern_verdict *v)
{
	dm_arena_done(&v->arena);
	v->ids = NULL;
	v->n_ids = 0;
}
