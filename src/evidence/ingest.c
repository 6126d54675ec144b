/* ingest.c: rows into builders by day and kind; builders into segments in a thread of its own; segments and
 * their run into the catalog. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/time.h"
#include "evidence/store.h"

#define SEAL_ROWS  (1u << 18) /* a builder that has grown to this is sealed */
#define OPEN_ROWS  (1u << 19) /* rows in all open builders: bounds the memory of an import */
#define SMALL_ROWS 1024u      /* a day with fewer rows is not worth a segment while others wait */
#define MAX_QUEUE  3u	      /* builders waiting to be sealed */

struct sealed_file {
	struct dm_segment_row row;
	char name[64];
	struct dm_sealed sealed; /* values only: the bytes are on disk */
};

struct dm_ingest {
	struct dm_store *store;
	uint32_t class_id;
	int64_t import;
	uint64_t ordinal, committed, clock;
	int64_t first, last;
	struct dm_builder *open[DM_MAX_OPEN_DAYS + DM_KINDS];
	size_t n_open;
	uint64_t open_rows;
	uint64_t stamp; /* in file names: a name is never used twice, whatever became of the first */
	unsigned seq;
	/* The sealing thread */
	pthread_t thread;
	bool running, stop, busy;
	pthread_mutex_t lock;
	pthread_cond_t more, less;
	struct dm_builder *queue[MAX_QUEUE];
	size_t n_queue;
	struct sealed_file **files;
	size_t n_files, files_cap;
	int failed;
	struct dm_err failed_err;
};

static int seal_one(struct dm_ingest *g, const struct dm_builder *b, struct dm_err *err)
{
	struct sealed_file *f = dm_calloc(1, sizeof *f);
	int rc;

	if (!f)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	rc = dm_builder_seal(b, &f->sealed, err);
	if (rc) {
		dm_free(f);
		return rc;
	}
	snprintf(f->name, sizeof f->name, "%s-%lld-%u-%llx.seg", dm_kind_name(b->kind), (long long)g->import,
		 g->seq++, (unsigned long long)g->stamp);
	f->row = (struct dm_segment_row){.day = b->day,
					 .kind = b->kind,
					 .class_id = b->class_id,
					 .rows = f->sealed.rows,
					 .bytes = f->sealed.bytes.n,
					 .first = f->sealed.first,
					 .last = f->sealed.last,
					 .file = dm_sv_str(f->name)};
	rc = dm_store_put(g->store->evidence_fd, f->name, &f->sealed.bytes, err);
	dm_buf_done(&f->sealed.bytes);
	if (!rc) {
		pthread_mutex_lock(&g->lock);
		rc = dm_grow((void **)&g->files, &g->files_cap, g->n_files + 1, sizeof(struct sealed_file *));
		if (!rc)
			g->files[g->n_files++] = f;
		pthread_mutex_unlock(&g->lock);
		if (rc)
			dm_fail(err, rc, "out of memory");
	}
	if (rc) {
		dm_sealed_done(&f->sealed);
		dm_free(f);
	}
	return rc;
}

static void *sealing_thread(void *arg)
{
	struct dm_ingest *g = arg;

	pthread_mutex_lock(&g->lock);
	for (;;) {
		struct dm_builder *b;
		struct dm_err err = {0};
		int rc;

		while (!g->n_queue && !g->stop)
			pthread_cond_wait(&g->more, &g->lock);
		if (!g->n_queue)
			break;
		b = g->queue[0];
		memmove(g->queue, g->queue + 1, --g->n_queue * sizeof(struct dm_builder *));
		g->busy = true;
		pthread_cond_broadcast(&g->less);
		pthread_mutex_unlock(&g->lock);
		rc = g->failed ? g->failed : seal_one(g, b, &err);
		dm_builder_free(b);
		pthread_mutex_lock(&g->lock);
		g->busy = false;
		if (rc && !g->failed) {
			g->failed = rc;
			g->failed_err = err;
		}
		pthread_cond_broadcast(&g->less);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

int dm_ingest_begin(struct dm_ingest **ret, struct dm_store *s, uint32_t class_id, struct dm_err *err)
{
	struct dm_ingest *g = dm_calloc(1, sizeof *g);

	if (!g)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	g->store = s;
	g->stamp = (uint64_t)dm_now();
	g->class_id = class_id;
	g->first = g->last = DM_NO_TIME;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->more, NULL);
	pthread_cond_init(&g->less, NULL);
	*ret = g;
	return DM_OK;
}

void dm_ingest_import(struct dm_ingest *g, int64_t import_id)
{
	g->import = import_id;
}

static int failure(struct dm_ingest *g, struct dm_err *err)
{
	int rc;

	pthread_mutex_lock(&g->lock);
	rc = g->failed;
	if (rc && err)
		*err = g->failed_err;
	pthread_mutex_unlock(&g->lock);
	return rc;
}

/* Hands open[i] to the sealing thread. */
static int seal_later(struct dm_ingest *g, size_t i, struct dm_err *err)
{
	struct dm_builder *b = g->open[i];

	if (!g->running) {
		int e = pthread_create(&g->thread, NULL, sealing_thread, g);
		if (e) {
			errno = e;
			return dm_fail_errno(err, "a thread could not be started");
		}
		g->running = true;
	}
	g->open[i] = g->open[--g->n_open];
	g->open_rows -= b->rows;
	pthread_mutex_lock(&g->lock);
	while (g->n_queue == MAX_QUEUE)
		pthread_cond_wait(&g->less, &g->lock);
	g->queue[g->n_queue++] = b;
	pthread_cond_signal(&g->more);
	pthread_mutex_unlock(&g->lock);
	return failure(g, err);
}

/* Untouched for longest. With `least_rows` only days count: sealing the mixed one makes no room for a day. */
static size_t oldest(const struct dm_ingest *g, uint32_t least_rows)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < g->n_open; i++)
		if (g->open[i]->rows >= least_rows && (!least_rows || g->open[i]->day != DM_DAY_MIXED) &&
		    (best == SIZE_MAX || g->open[i]->touched < g->open[best]->touched))
			best = i;
	return best;
}

/* The builder of (kind, day): opened if need be; a straggler's day beyond the limit is the mixed one. */
static int builder_for(struct dm_ingest *g, enum dm_kind kind, int32_t day, struct dm_builder **ret,
		       struct dm_err *err)
{
	size_t days = 0;

	for (size_t i = 0; i < g->n_open; i++) {
		if (g->open[i]->kind == kind && g->open[i]->day == day) {
			*ret = g->open[i];
			return DM_OK;
		}
		days += g->open[i]->day != DM_DAY_MIXED;
	}
	if (day != DM_DAY_MIXED && days >= DM_MAX_OPEN_DAYS) {
		size_t old = oldest(g, SMALL_ROWS);
		if (old == SIZE_MAX)
			return builder_for(g, kind, DM_DAY_MIXED, ret, err);
		int rc = seal_later(g, old, err);
		if (rc)
			return rc;
	}
	*ret = dm_builder_new(kind, day, g->class_id);
	if (!*ret)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	g->open[g->n_open++] = *ret;
	return DM_OK;
}

static int32_t day_of(int64_t t)
{
	return t == DM_NO_TIME ? DM_DAY_NONE : dm_day_of(t);
}

/* `start` modulo 2^64: the first day that int64_t can name begins before it. */
static bool same_day(int32_t day, uint64_t start, int64_t t)
{
	return day == DM_DAY_NONE ? t == DM_NO_TIME : (uint64_t)t - start < (uint64_t)DM_DAY_US;
}

static int append(struct dm_ingest *g, const struct dm_batch *b, int32_t day, uint32_t from, uint32_t to,
		  struct dm_err *err)
{
	struct dm_builder *k;
	int rc = builder_for(g, b->kind, day, &k, err);

	if (rc)
		return rc;
	rc = dm_builder_append(k, b, from, to, (uint32_t)g->import, g->ordinal + from, NULL, NULL);
	if (rc)
		return dm_fail(err, rc, "out of memory while taking in rows");
	k->touched = ++g->clock;
	g->open_rows += to - from;
	if (k->rows >= SEAL_ROWS)
		for (size_t i = 0; i < g->n_open; i++)
			if (g->open[i] == k)
				return seal_later(g, i, err);
	return DM_OK;
}

int dm_ingest_rows(struct dm_ingest *g, const struct dm_batch *b, struct dm_err *err)
{
	int rc = DM_OK;

	for (uint32_t i = 0, j; i < b->nrows && !rc; i = j) {
		int32_t day = day_of(b->time[i]);
		uint64_t lo = (uint64_t)(int64_t)day * (uint64_t)DM_DAY_US;

		for (j = i + 1; j < b->nrows && same_day(day, lo, b->time[j]); j++)
			;
		rc = append(g, b, day, i, j, err);
	}
	if (rc)
		return rc;
	for (uint32_t i = 0; i < b->nrows; i++) {
		if (b->time[i] == DM_NO_TIME)
			continue;
		if (g->first == DM_NO_TIME || b->time[i] < g->first)
			g->first = b->time[i];
		if (b->time[i] > g->last)
			g->last = b->time[i];
	}
	g->ordinal += b->nrows;
	while (g->open_rows > OPEN_ROWS && !rc)
		rc = seal_later(g, oldest(g, 0), err);
	return rc;
}

static int drain(struct dm_ingest *g, struct dm_err *err)
{
	int rc = DM_OK;

	while (g->n_open && !rc)
		rc = seal_later(g, g->n_open - 1, err);
	pthread_mutex_lock(&g->lock);
	while (g->n_queue || g->busy)
		pthread_cond_wait(&g->less, &g->lock);
	pthread_mutex_unlock(&g->lock);
	return rc ? rc : failure(g, err);
}

/* The run of everything sealed since the last commit. */
static int write_run(struct dm_ingest *g, struct dm_run_row *ret, char name[64], struct dm_err *err)
{
	struct dm_run_source *src = dm_calloc(g->n_files, sizeof *src);
	struct dm_buf bytes;
	int rc;

	if (!src)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	for (size_t i = 0; i < g->n_files; i++) {
		const struct sealed_file *f = g->files[i];
		src[i] = (struct dm_run_source){
			.values = f->sealed.values,
			.n = f->sealed.n_values,
			.cell = {.day = f->row.day, .kind = f->row.kind, .class_id = f->row.class_id}};
	}
	dm_buf_init(&bytes, SIZE_MAX / 4);
	rc = dm_run_write(&bytes, src, g->n_files, &ret->keys, err);
	dm_free(src);
	snprintf(name, 64, "run-%lld-%u-%llx.run", (long long)g->import, g->seq++,
		 (unsigned long long)g->stamp);
	if (!rc)
		rc = dm_store_put(g->store->evidence_fd, name, &bytes, err);
	ret->level = 0;
	ret->bytes = bytes.n;
	ret->file = dm_sv_str(name);
	dm_buf_done(&bytes);
	return rc;
}

static void forget_files(struct dm_ingest *g, bool unlink_too)
{
	for (size_t i = 0; i < g->n_files; i++) {
		if (unlink_too)
			unlinkat(g->store->evidence_fd, g->files[i]->name, 0);
		dm_sealed_done(&g->files[i]->sealed);
		dm_free(g->files[i]);
	}
	g->n_files = 0;
}

int dm_ingest_commit(struct dm_ingest *g, int (*also)(void *ctx, struct dm_catalog *c, struct dm_err *err),
		     void *ctx, struct dm_err *err)
{
	struct dm_catalog *c = g->store->catalog;
	struct dm_run_row run = {0};
	char run_name[64] = "";
	int rc = drain(g, err);

	if (!rc && g->n_files)
		rc = write_run(g, &run, run_name, err);
	if (!rc && g->n_files)
		rc = dm_fsync_dir(g->store->evidence_fd, err);
	if (rc)
		goto fail;
	rc = dm_catalog_begin(c, true, err);
	if (rc)
		goto fail;
	for (size_t i = 0; i < g->n_files && !rc; i++)
		rc = dm_catalog_segment_add(c, &g->files[i]->row, err);
	if (!rc && g->n_files)
		rc = dm_catalog_run_add(c, &run, err);
	if (!rc && also)
		rc = also(ctx, c, err);
	if (rc) {
		dm_catalog_rollback(c);
		goto fail;
	}
	rc = dm_catalog_commit(c, err);
	/* After a commit that failed the log may hold it all the same, and a crash would bring it to life:
	 * the files stay until the next opening for writing, when the catalog tells what is true. */
	forget_files(g, false);
	if (!rc)
		g->committed = g->ordinal;
	return rc;
fail:
	if (run_name[0])
		unlinkat(g->store->evidence_fd, run_name, 0);
	forget_files(g, true);
	return rc;
}

uint64_t dm_ingest_rows_done(const struct dm_ingest *g)
{
	return g->ordinal;
}

uint64_t dm_ingest_pending(const struct dm_ingest *g)
{
	return g->ordinal - g->committed;
}

void dm_ingest_times(const struct dm_ingest *g, int64_t *ret_first, int64_t *ret_last)
{
	*ret_first = g->first;
	*ret_last = g->last;
}

void dm_ingest_end(struct dm_ingest *g)
{
	if (!g)
		return;
	if (g->running) {
		pthread_mutex_lock(&g->lock);
		g->stop = true;
		for (size_t i = 0; i < g->n_queue; i++)
			dm_builder_free(g->queue[i]);
		g->n_queue = 0;
		pthread_cond_signal(&g->more);
		pthread_mutex_unlock(&g->lock);
		pthread_join(g->thread, NULL);
	}
	forget_files(g, true);
	for (size_t i = 0; i < g->n_open; i++)
		dm_builder_free(g->open[i]);
	dm_free(g->files);
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->more);
	pthread_cond_destroy(&g->less);
	dm_free(g);
}
