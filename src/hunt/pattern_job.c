#include "hunt/pattern_job.h"

#include <stdio.h>

#include "base/json.h"
#include "hunt/pattern_file.h"
#include "hunt/regex.h"
#include "import/worker.h"

int dm_pattern_job_preload(struct dm_err *err)
{
	int rc = dm_json_preload(err);

	return rc ? rc : dm_regex_preload(err);
}

static int tell_number(struct dm_sink *sink, const char *key, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%llu", (unsigned long long)v);

	return sink->meta(sink, key, dm_sv(text, (size_t)n));
}

static int tell(struct dm_sink *sink, const struct dm_pattern_verdict *v)
{
	int rc = tell_number(sink, "observations", v->observations);

	if (!rc)
		rc = tell_number(sink, "untimed", v->untimed);
	if (!rc)
		rc = tell_number(sink, "skipped", v->skipped);
	if (!rc && v->skip_reason[0])
		rc = sink->meta(sink, "skip-reason", dm_sv_str(v->skip_reason));
	if (!rc && v->note[0])
		rc = sink->meta(sink, "note", dm_sv_str(v->note));
	for (uint32_t i = 0; i < v->n_ids && i < DM_PATTERN_JOB_IDS && !rc; i++)
		rc = sink->meta(sink, "id", v->ids[i]);
	return rc;
}

int dm_pattern_job_run(struct dm_sv pattern, struct dm_stream *in, struct dm_sink *sink, struct dm_err *err)
{
	struct dm_pattern_verdict v = {0};
	int rc = dm_pattern_over_file(pattern, in, &v, err);

	if (!rc)
		rc = tell(sink, &v);
	if (!rc)
		rc = v.matched ? 1 : 0;
	dm_pattern_verdict_done(&v);
	return rc;
}

static int keep_id(struct dm_pattern_answer *a, struct dm_sv id)
{
	struct dm_sv copy;

	/* no more than our own worker tells: another one may lie */
	if (a->n_ids >= DM_PATTERN_JOB_IDS)
		return DM_EWORKER;
	copy = dm_arena_copy(&a->arena, id);
	if (!copy.p || dm_grow((void **)&a->ids, &a->cap_ids, a->n_ids + 1, sizeof *a->ids))
		return DM_ENOMEM;
	a->ids[a->n_ids++] = copy;
	return DM_OK;
}

static int on_fact(void *ctx, struct dm_sv key, struct dm_sv value)
{
	struct dm_pattern_answer *a = ctx;
	uint64_t n = 0;

	if (dm_sv_is(key, "id"))
		return keep_id(a, value);
	if (dm_sv_is(key, "note"))
		snprintf(a->note, sizeof a->note, "%.*s",
			 (int)(value.n < sizeof a->note ? value.n : sizeof a->note), value.p);
	else if (dm_sv_is(key, "skip-reason"))
		snprintf(a->skip_reason, sizeof a->skip_reason, "%.*s",
			 (int)(value.n < sizeof a->skip_reason ? value.n : sizeof a->skip_reason), value.p);
	else if (!dm_sv_u64(value, &n))
		return DM_EWORKER;
	else if (dm_sv_is(key, "observations"))
		a->observations = n;
	else if (dm_sv_is(key, "untimed"))
		a->untimed = n;
	else if (dm_sv_is(key, "skipped"))
		a->skipped = n;
	return DM_OK;
}

int dm_pattern_ask(struct dm_sv pattern, int fd, const char *name, struct dm_pattern_answer *ret,
		   struct dm_err *err)
{
	struct dm_worker_job job = {.kind = DM_WORKER_PATTERN, .fd = fd, .name = name, .pattern = pattern};
	struct dm_pattern_answer a = {.arena = {.max = DM_MAX_FRAME}};
	struct dm_worker_events ev = {.ctx = &a, .meta = on_fact};
	struct dm_worker_result result;
	int rc;

	if (pattern.n > DM_MAX_PATTERN) {
		rc = dm_fail(err, DM_ELIMIT, "a pattern has at most %u bytes", DM_MAX_PATTERN);
		dm_err_source(err, "pattern");
		return rc;
	}
	rc = dm_worker_run(&job, &ev, &result, err);
	if (!rc && result.code < 0) {
		rc = result.code;
		if (err)
			*err = result.err;
		dm_err_source(err, name);
	}
	if (rc) {
		dm_pattern_answer_done(&a);
		return rc;
	}
	a.matched = result.code == 1;
	*ret = a;
	return DM_OK;
}

void dm_pattern_answer_done(struct dm_pattern_answer *a)
{
	dm_free(a->ids);
	dm_arena_done(&a->arena);
	*a = (struct dm_pattern_answer){0};
}
