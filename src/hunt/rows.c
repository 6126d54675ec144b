/* rows.c: from values to rows: only the segments that hold a hit are opened, day by day, in threads; days
 * come out in order. */
#include <pthread.h>
#include <stdlib.h>
#include "base/time.h"
#include "hunt/hunt.h"

struct task {
	size_t first, end; /* hits of one day */
	struct dm_buf out;
	bool done;
};

struct pool {
	struct dm_hunt *h;
	const struct dm_hunt_rows *to;
	struct task *task;
	size_t n_tasks, next, written, ahead;
	pthread_mutex_t lock;
	pthread_cond_t change;
	int failed;
	struct dm_err err;
	unsigned threads_started;
};

struct day_rows {
	struct dm_hunt_row *v;
	size_t n, cap;
	struct dm_segment **seg;
	size_t n_seg, seg_cap;
	struct dm_hits hits;
};

static int add_row(struct day_rows *d, const struct dm_hunt_row *r)
{
	if (d->n == d->cap && dm_grow((void **)&d->v, &d->cap, d->n + 1, sizeof *d->v))
		return DM_ENOMEM;
	d->v[d->n++] = *r;
	return DM_OK;
}

/* All rows of one value in one segment, once for every indicator that means it. */
static int rows_of_value(const struct dm_hunt *h, struct day_rows *d, uint32_t value, struct dm_err *err)
{
	const struct dm_hunt_value *v = &h->value[value];
	struct dm_hunt_row r = {
		.segment = d->seg[d->n_seg - 1], .segment_no = (uint16_t)(d->n_seg - 1), .value = value};
	uint32_t code;
	int rc;

	if (!dm_segment_find(r.segment, v->type, v->key, &code))
		return DM_OK; /* another segment of the cell has it */
	d->hits.n = 0;
	rc = dm_segment_hits(r.segment, code, &d->hits, err);
	for (size_t i = 0; i < d->hits.n && !rc; i++) {
		r.row = d->hits.v[i].row;
		r.field = d->hits.v[i].field;
		r.time = dm_segment_time(r.segment, r.row);
		if (h->opt.since != DM_NO_TIME && (r.time == DM_NO_TIME || r.time < h->opt.since))
			continue;
		if (h->opt.until != DM_NO_TIME && (r.time == DM_NO_TIME || r.time >= h->opt.until))
			continue;
		for (uint32_t k = 0; k < v->n_links && !rc; k++) {
			r.ref = h->link[v->first_link + k];
			if (add_row(d, &r))
				rc = dm_fail(err, DM_ENOMEM,
					     "out of memory: use --since and --until, or --count");
		}
	}
	return rc;
}

/* Rows of the segment that patterns matched. */
static int pattern_rows(const struct dm_hunt *h, struct day_rows *d, uint32_t segment, struct dm_err *err)
{
	struct dm_hunt_row r = {.segment = d->seg[d->n_seg - 1],
				.segment_no = (uint16_t)(d->n_seg - 1),
				.value = DM_HUNT_NO_VALUE};
	size_t lo = 0, hi = h->n_pattern_rows;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (h->pattern_row[mid].segment < segment)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < h->n_pattern_rows && h->pattern_row[lo].segment == segment; lo++) {
		r.row = h->pattern_row[lo].row;
		r.ref = h->pattern_row[lo].ref;
		r.time = dm_segment_time(r.segment, r.row);
		if (add_row(d, &r))
			return dm_fail(err, DM_ENOMEM, "out of memory: use --since and --until, or --count");
	}
	return DM_OK;
}

static bool outside(const struct dm_hunt *h, const struct dm_segment_row *s)
{
	return (h->opt.since != DM_NO_TIME && s->last < h->opt.since) ||
	       (h->opt.until != DM_NO_TIME && s->first >= h->opt.until);
}

static int rows_of_cell(const struct dm_hunt *h, struct day_rows *d, size_t first, size_t end,
			struct dm_err *err)
{
	size_t n;
	const struct dm_segment_row *s = dm_snapshot_cell(&h->snap, &h->cell[h->hit[first].cell], &n);
	int rc = DM_OK;

	for (size_t i = 0; i < n && !rc; i++) {
		if (outside(h, &s[i]))
			continue;
		if (d->n_seg >= UINT16_MAX)
			return dm_fail(err, DM_ELIMIT,
				       "more than %u segments in one day: run `demarche compact`",
				       UINT16_MAX);
		if (dm_grow((void **)&d->seg, &d->seg_cap, d->n_seg + 1, sizeof(struct dm_segment *)))
			return dm_fail(err, DM_ENOMEM, "out of memory");
		rc = dm_segment_open(&d->seg[d->n_seg], h->store->evidence_fd, s[i].file.p, s[i].bytes, err);
		if (rc)
			return rc;
		d->n_seg++;
		for (size_t k = first; k < end && !rc; k++)
			if (h->hit[k].value != DM_HUNT_NO_VALUE)
				rc = rows_of_value(h, d, h->hit[k].value, err);
		if (!rc && h->n_pattern_rows)
			rc = pattern_rows(h, d, (uint32_t)(&s[i] - h->snap.segment), err);
		if (!rc)
			rc = dm_segment_sound(d->seg[d->n_seg - 1], err);
		if (rc)
			dm_err_source(err, s[i].file.p);
	}
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const struct dm_hunt_row *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->segment_no != y->segment_no)
		return x->segment_no < y->segment_no ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	if (x->ref != y->ref)
		return x->ref < y->ref ? -1 : 1;
	return x->field < y->field ? -1 : x->field > y->field;
}

static int run_task(struct pool *p, unsigned thread, struct task *t, struct dm_err *err)
{
	const struct dm_hunt *h = p->h;
	struct day_rows d = {0};
	int rc = DM_OK;

	for (size_t i = t->first, j; i < t->end && !rc; i = j) {
		for (j = i + 1; j < t->end && h->hit[j].cell == h->hit[i].cell; j++)
			;
		rc = rows_of_cell(h, &d, i, j, err);
	}
	if (!rc && d.n) {
		qsort(d.v, d.n, sizeof *d.v, by_time);
		rc = p->to->format(p->to->ctx, thread, d.v, d.n, &t->out);
		if (!rc)
			rc = t->out.err;
		if (rc)
			dm_fail(err, rc, "the rows could not be written out: %s", dm_code_text(rc));
	}
	/* Again, after the columns that only the output needs: nothing is printed of a damaged segment. */
	for (size_t i = 0; i < d.n_seg && !rc; i++)
		rc = dm_segment_sound(d.seg[i], err);
	for (size_t i = 0; i < d.n_seg; i++)
		dm_segment_close(d.seg[i]);
	dm_free(d.seg);
	dm_free(d.v);
	dm_free(d.hits.v);
	return rc;
}

static void *row_thread(void *arg)
{
	struct pool *p = arg;
	unsigned thread;

	pthread_mutex_lock(&p->lock);
	thread = p->threads_started++;
	for (;;) {
		struct dm_err err = {0};
		size_t k;
		int rc;

		while (!p->failed && p->next < p->n_tasks && p->next >= p->written + p->ahead)
			pthread_cond_wait(&p->change, &p->lock);
		if (p->failed || p->next >= p->n_tasks)
			break;
		k = p->next++;
		pthread_mutex_unlock(&p->lock);
		rc = run_task(p, thread, &p->task[k], &err);
		pthread_mutex_lock(&p->lock);
		p->task[k].done = true;
		if (rc && !p->failed) {
			p->failed = rc;
			p->err = err;
		}
		pthread_cond_broadcast(&p->change);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int make_tasks(struct pool *p)
{
	const struct dm_hunt *h = p->h;
	size_t n = 0;

	p->task = dm_calloc(h->n_cells + 1, sizeof *p->task);
	if (!p->task)
		return DM_ENOMEM;
	for (size_t i = 0, j; i < h->n_hits; i = j) {
		int32_t day = h->cell[h->hit[i].cell].day;

		for (j = i + 1; j < h->n_hits && h->cell[h->hit[j].cell].day == day; j++)
			;
		p->task[n].first = i;
		p->task[n].end = j;
		dm_buf_init(&p->task[n++].out, SIZE_MAX / 4);
	}
	p->n_tasks = n;
	return DM_OK;
}

static int write_in_order(struct pool *p)
{
	int rc = DM_OK;

	pthread_mutex_lock(&p->lock);
	while (p->written < p->n_tasks && !p->failed) {
		struct task *t = &p->task[p->written];

		if (!t->done) {
			pthread_cond_wait(&p->change, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		if (t->out.n)
			rc = p->to->write(p->to->ctx, &t->out);
		dm_buf_done(&t->out);
		pthread_mutex_lock(&p->lock);
		if (rc && !p->failed)
			p->failed = rc;
		p->written++;
		pthread_cond_broadcast(&p->change);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

int dm_hunt_rows(struct dm_hunt *h, const struct dm_hunt_rows *to, struct dm_err *err)
{
	struct pool p = {.h = h, .to = to};
	pthread_t thread[32];
	unsigned n = dm_hunt_threads(h), started = 0;
	int rc = make_tasks(&p);

	if (rc)
		return dm_fail(err, rc, "out of memory");
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.change, NULL);
	p.ahead = 4 * n;
	if (n > p.n_tasks)
		n = p.n_tasks ? (unsigned)p.n_tasks : 1;
	while (started < n && !pthread_create(&thread[started], NULL, row_thread, &p))
		started++;
	if (started)
		rc = write_in_order(&p);
	else
		rc = dm_fail(err, DM_ENOMEM, "no thread could be started");
	for (unsigned i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	if (p.failed && p.failed != rc) {
		rc = p.failed;
		if (err)
			*err = p.err;
	}
	for (size_t i = 0; i < p.n_tasks; i++)
		dm_buf_done(&p.task[i].out);
	dm_free(p.task);
	pthread_mutex_destroy(&p.lock);
	pthread_cond_destroy(&p.change);
	return rc;
}

/* Exact counts: each row once per indicator, however many of its fields agree. */
struct tally {
	uint64_t count;
	int64_t first, last;
};

struct counting {
	struct dm_hunt *h;
	struct tally *t; /* threads x refs */
};

static int count_rows(void *ctx, unsigned thread, const struct dm_hunt_row *row, size_t n, struct dm_buf *out)
{
	struct counting *c = ctx;
	struct tally *t = c->t + (size_t)thread * c->h->n_refs;

	(void)out;
	for (size_t i = 0; i < n; i++) {
		struct tally *x = &t[row[i].ref];

		if (i && row[i].row == row[i - 1].row && row[i].segment_no == row[i - 1].segment_no &&
		    row[i].ref == row[i - 1].ref)
			continue;
		x->count++;
		if (row[i].time == DM_NO_TIME)
			continue;
		if (x->first == DM_NO_TIME || row[i].time < x->first)
			x->first = row[i].time;
		if (row[i].time > x->last)
			x->last = row[i].time;
	}
	return DM_OK;
}

int dm_hunt_count(struct dm_hunt *h, struct dm_err *err)
{
	struct counting c = {.h = h};
	struct dm_hunt_rows to = {.format = count_rows, .ctx = &c};
	unsigned threads = dm_hunt_threads(h);
	int rc;

	if (!h->by_rows)
		return DM_OK;
	c.t = dm_alloc((size_t)threads * (h->n_refs + 1) * sizeof *c.t);
	if (!c.t)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	for (size_t i = 0; i < (size_t)threads * h->n_refs; i++)
		c.t[i] = (struct tally){.first = DM_NO_TIME, .last = DM_NO_TIME};
	rc = dm_hunt_rows(h, &to, err);
	for (size_t i = 0; i < h->n_refs && !rc; i++) {
		struct dm_hunt_ref *r = &h->ref[i];

		r->count = 0;
		r->first = r->last = DM_NO_TIME;
		for (unsigned k = 0; k < threads; k++) {
			const struct tally *x = &c.t[(size_t)k * h->n_refs + i];
			r->count += x->count;
			if (x->first != DM_NO_TIME && (r->first == DM_NO_TIME || x->first < r->first))
				r->first = x->first;
			if (x->last > r->last)
				r->last = x->last;
		}
	}
	if (!rc)
		h->by_rows = false;
	dm_free(c.t);
	return rc;
}
