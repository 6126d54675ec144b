#include "node/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "node/file_digest.h"

#define COMMIT_ROWS 4000000u /* rows after which an import is made durable so far */
#define STOP_US	    3000000u /* how long a stopped import may take to its next safe point */
#define HEAD	    4096u

#ifdef DM_FAULT_BUILD
/* Tests kill imports between two commits, and can't wait for millions of rows. */
static uint64_t commit_rows(void)
{
	const char *s = getenv("DM_FAULT_COMMIT_ROWS");
	uint64_t n;

	return s && dm_sv_u64(dm_sv_str(s), &n) ? n : COMMIT_ROWS;
}
#else
#define commit_rows() COMMIT_ROWS
#endif

struct job {
	struct dm_store *store; /* NULL: nothing is stored */
	const struct dm_intake_options *opt;
	struct dm_intake_result *r;
	struct dm_err *err;
	const char *name;
	int fd;
	uint64_t size;
	char head[HEAD];
	size_t head_n;
	struct dm_import import;
	struct dm_ingest *ingest;
	struct dm_set_builder *set;
	struct dm_set_row set_row;
	char set_file[64], set_name[200];
	struct dm_file_digest *digest;
	struct dm_buf notes;
	struct dm_arena arena;
	bool plain_offsets; /* offsets of progress are those of the file: it is not compressed */
	bool grows;
	uint64_t done_offset, done_line, max_line;
	uint64_t stop_asked_us;
	int64_t goes_on; /* the import that this one continues, 0: none */
	const struct dm_importer *importer;
	bool wants_set, wants_rows;
	struct skipped {
		uint64_t line;
		char reason[200];
	} * skip;
	size_t n_skip, skip_cap, skip_saved;
};

static int on_format(void *ctx, const struct dm_importer *imp)
{
	struct job *j = ctx;

	j->importer = imp;
	j->grows = imp->growing;
	snprintf(j->r->format, sizeof j->r->format, "%s", imp->name);
	snprintf(j->r->title, sizeof j->r->title, "%s", imp->title);
	return DM_OK;
}

static int on_rows(void *ctx, const struct dm_batch *b)
{
	struct job *j = ctx;

	if (!j->wants_rows)
		return DM_OK;
	j->r->rows += b->nrows;
	if (b->kind < DM_KINDS)
		j->r->by_kind[b->kind] += b->nrows;
	if (b->nrows && b->line[b->nrows - 1] > j->max_line)
		j->max_line = b->line[b->nrows - 1];
	return j->ingest ? dm_ingest_rows(j->ingest, b, j->err) : DM_OK;
}

static int on_indicator(void *ctx, const struct dm_indicator *in)
{
	struct job *j = ctx;
	struct dm_indicator ind = *in;
	int rc;

	j->r->indicators++;
	if (ind.line > j->max_line)
		j->max_line = ind.line;
	if (!j->wants_set)
		return DM_OK;
	if (!j->set) {
		rc = dm_set_builder_new(&j->set);
		if (rc)
			return dm_fail(j->err, rc, "out of memory");
	}
	ind.flags |= dm_guard_flags(j->opt->guard, &ind);
	if (j->opt->marking && !ind.marking.n)
		ind.marking = dm_sv_str(j->opt->marking);
	j->r->flagged += ind.flags != 0;
	return dm_set_add(j->set, &ind, j->err);
}

static int on_skip(void *ctx, uint64_t line, struct dm_sv reason)
{
	struct job *j = ctx;
	struct dm_intake_result *r = j->r;

	r->skipped++;
	if (line > j->max_line)
		j->max_line = line;
	if (r->n_skips < sizeof r->skip_line / sizeof *r->skip_line) {
		r->skip_line[r->n_skips] = line;
		snprintf(r->skip_reason[r->n_skips++], sizeof r->skip_reason[0], "%.*s", (int)reason.n,
			 reason.p);
	}
	if (j->store && j->n_skip < DM_MAX_SKIP_NOTES) {
		if (dm_grow((void **)&j->skip, &j->skip_cap, j->n_skip + 1, sizeof *j->skip))
			return dm_fail(j->err, DM_ENOMEM, "out of memory");
		j->skip[j->n_skip].line = line;
		snprintf(j->skip[j->n_skip++].reason, sizeof j->skip[0].reason, "%.*s", (int)reason.n,
			 reason.p);
	}
	return DM_OK;
}

static void note(struct job *j, struct dm_sv text)
{
	if (j->r->n_notes < DM_INTAKE_NOTES)
		snprintf(j->r->note[j->r->n_notes++], sizeof j->r->note[0], "%.*s", (int)text.n, text.p);
	if (j->notes.n)
		dm_buf_putc(&j->notes, '\n');
	dm_buf_sv(&j->notes, text);
}

static int on_meta(void *ctx, struct dm_sv key, struct dm_sv value)
{
	struct job *j = ctx;
	uint64_t n;

	if (dm_sv_is(key, "note")) {
		note(j, value);
	} else if (dm_sv_is(key, "warninglist")) {
		j->r->warninglist = true;
		snprintf(j->set_name, sizeof j->set_name, "%.*s", (int)value.n, value.p);
	} else if (dm_sv_is(key, "sampling") && dm_sv_u64(value, &n)) {
		if (n > j->r->sampling)
			j->r->sampling = n;
	} else if (dm_sv_is(key, "dropped") && dm_sv_u64(value, &n)) {
		j->r->dropped += n;
	} else if (dm_sv_is(key, "sensor") && !j->opt->sensor && !j->import.sensor.n) {
		j->import.sensor = dm_arena_copy(&j->arena, value);
	}
	return DM_OK;
}

/* What one commit writes to the catalog besides the segments. */
struct closing {
	struct job *j;
	bool complete;
};

static int save_import(void *ctx, struct dm_catalog *c, struct dm_err *err)
{
	struct closing *k = ctx;
	struct job *j = k->j;
	int rc;

	if (j->ingest)
		dm_ingest_times(j->ingest, &j->import.first, &j->import.last);
	j->import.rows = j->r->rows;
	j->import.skipped = j->r->skipped;
	j->import.dropped = j->r->dropped;
	j->import.sampling = j->r->sampling;
	j->import.finished = dm_now();
	j->import.complete = k->complete;
	j->import.notes = dm_buf_view(&j->notes);
	j->import.format = dm_sv_str(j->r->format);
	j->import.what = j->r->warninglist		   ? DM_IMPORT_WARNINGLIST
			 : j->r->rows || !j->r->indicators ? DM_IMPORT_EVIDENCE
							   : DM_IMPORT_INTELLIGENCE;
	rc = dm_catalog_import_put(c, &j->import, err);
	if (!rc && j->goes_on) /* from here on this one tells whether all came in */
		rc = dm_catalog_import_complete(c, j->goes_on, err);
	for (; j->skip_saved < j->n_skip && !rc; j->skip_saved++)
		rc = dm_catalog_skip_add(c, j->import.id, j->skip[j->skip_saved].line,
					 dm_sv_str(j->skip[j->skip_saved].reason), err);
	if (!rc && k->complete && j->set_row.import)
		rc = dm_catalog_set_add(c, &j->set_row, err);
	return rc;
}

/* Where a longer version of this file goes on; or only that these bytes are known. */
static int save_resume(struct job *j, struct dm_catalog *c, uint64_t offset, uint64_t decoded, uint64_t line,
		       bool grows, struct dm_err *err)
{
	struct dm_resume r = {
		.offset = offset, .line = line, .decoded = decoded, .grows = grows, .import = j->import.id};
	int rc;

	if (!offset)
		return DM_OK;
	rc = dm_file_digest_at(j->digest, offset, r.digest, err);
	if (rc)
		return rc;
	memcpy(j->import.digest, r.digest, sizeof r.digest);
	j->import.bytes = offset;
	return dm_catalog_resume_add(c, dm_sv(j->head, j->head_n), &r, err);
}

struct mid {
	struct closing k;
	uint64_t offset, line;
};

static int save_mid(void *ctx, struct dm_catalog *c, struct dm_err *err)
{
	struct mid *m = ctx;
	int rc = save_resume(m->k.j, c, m->offset, m->offset, m->line, true, err);

	return rc ? rc : save_import(&m->k, c, err);
}

static bool at_safe_point(const struct job *j)
{
	return j->grows && j->max_line <= j->done_line;
}

static bool stop_asked(const struct job *j)
{
	return j->opt->stop && *j->opt->stop;
}

static int on_progress(void *ctx, uint64_t offset, uint64_t line, uint64_t raw)
{
	struct job *j = ctx;
	struct mid m = {.k = {.j = j}, .offset = offset, .line = line};
	bool exact = j->max_line <= line;
	int rc;

	(void)raw;
	j->done_offset = offset;
	j->done_line = line;
	if (stop_asked(j) && at_safe_point(j))
		return dm_fail(j->err, DM_ECANCELLED, "stopped on request");
	if (!j->digest || !j->plain_offsets || !j->grows)
		return DM_OK;
	dm_file_digest_advance(j->digest, offset);
	if (!j->ingest || !exact || j->set || dm_ingest_pending(j->ingest) < commit_rows())
		return DM_OK;
	rc = dm_ingest_commit(j->ingest, save_mid, &m, j->err);
	return rc;
}

static int on_tick(void *ctx, uint64_t raw)
{
	struct job *j = ctx;

	if (stop_asked(j) && !j->stop_asked_us)
		j->stop_asked_us = dm_monotonic_us();
	/* A file that can go on later is left at its next safe point, if that comes soon. */
	if (stop_asked(j) &&
	    (!j->grows || !j->ingest || at_safe_point(j) || dm_monotonic_us() - j->stop_asked_us > STOP_US))
		return dm_fail(j->err, DM_ECANCELLED, "stopped on request");
	if (j->opt->progress && j->opt->progress(j->opt->ctx, j->name, raw, j->size, j->r->rows))
		return dm_fail(j->err, DM_ECANCELLED, "stopped on request");
	return DM_OK;
}

static int run_worker(struct job *j, const struct dm_resume *from)
{
	struct dm_worker_job w = {.fd = j->fd,
				  .name = j->name,
				  .want = j->opt->want,
				  .format = j->opt->format,
				  .timings = j->opt->timings};
	struct dm_worker_events ev = {.ctx = j,
				      .format = on_format,
				      .rows = on_rows,
				      .indicator = on_indicator,
				      .skip = on_skip,
				      .meta = on_meta,
				      .progress = on_progress,
				      .tick = on_tick};
	struct dm_worker_result res = {0};
	int rc;

	if (from) {
		w.resume_offset = from->decoded;
		w.resume_line = from->line;
	}
	rc = dm_worker_run(&w, &ev, &res, j->err);
	if (!rc && res.code) {
		j->r->code = res.code;
		j->r->err = res.err;
	}
	return rc;
}

/* The whole of a pipe in an unnamed file: it can then be hashed, read twice and resumed like any other. */
static int spool(struct dm_store *store, int fd, int *ret, struct dm_err *err)
{
	static char buf[1 << 16];
	int out = store ? openat(store->home_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

	if (out < 0)
		out = memfd_create("input", MFD_CLOEXEC);
	if (out < 0)
		return dm_fail_errno(err, "no room for the input");
	for (;;) {
		ssize_t n = read(fd, buf, sizeof buf);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close(out);
			return dm_fail_errno(err, "the input can't be read");
		}
		if (!n)
			break;
		rc = dm_write_all(out, buf, (size_t)n, err);
		if (rc) {
			close(out);
			return rc;
		}
	}
	if (lseek(out, 0, SEEK_SET)) {
		close(out);
		return dm_fail_errno(err, "the input can't be read again");
	}
	*ret = out;
	return DM_OK;
}

static bool compressed(const char *p, size_t n)
{
	return (n >= 2 && !memcmp(p, "\x1f\x8b", 2)) || (n >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4)) ||
	       (n >= 6 && !memcmp(p,
				  "\xfd"
				  "7zXZ",
				  6));
}

static int read_head(struct job *j)
{
	struct stat st;
	ssize_t n;

	if (fstat(j->fd, &st))
		return dm_fail_errno(j->err, "the file can't be examined");
	j->size = (uint64_t)st.st_size;
	do
		n = pread(j->fd, j->head, sizeof j->head, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return dm_fail_errno(j->err, "the file can't be read");
	j->head_n = (size_t)n;
	j->plain_offsets = !compressed(j->head, j->head_n);
	return DM_OK;
}

/* Whether a file that was taken whole, and with which this one begins, brought rows: they would come in twice
 * with this one. Where it brought none (a capture's header alone, a list of indicators) this file is read
 * whole: every capture begins with the same bytes. */
static bool brought_rows(struct job *j, const struct dm_resume *known)
{
	struct dm_arena arena = {0};
	struct dm_import imp;
	bool rows = dm_catalog_import_get(j->store->catalog, known->import, &arena, &imp, NULL) || imp.rows;

	dm_arena_done(&arena);
	return rows;
}

/* Is this file, or its beginning, known? *ret_from stays NULL if not. */
static int recognise(struct job *j, struct dm_resume *found, const struct dm_resume **ret_from)
{
	struct dm_arena arena = {0};
	struct dm_resume *cand;
	uint64_t last = 0;
	size_t n;
	int rc = dm_catalog_resumes(j->store->catalog, dm_sv(j->head, j->head_n), j->size, &arena, &cand, &n,
				    j->err);

	for (size_t i = 0; i < n && !rc; i++) /* ascending by offset: the digest only goes forward */
		for (size_t k = i + 1; k < n; k++)
			if (cand[k].offset < cand[i].offset) {
				struct dm_resume t = cand[i];
				cand[i] = cand[k];
				cand[k] = t;
			}
	for (size_t i = 0; i < n && !rc; i++) {
		uint8_t sum[DM_DIGEST_SIZE];

		last = cand[i].offset;
		rc = dm_file_digest_at(j->digest, last, sum, j->err);
		if (!rc && !memcmp(sum, cand[i].digest, sizeof sum) &&
		    (cand[i].grows || last == j->size || brought_rows(j, &cand[i]))) {
			*found = cand[i];
			*ret_from = found;
		}
	}
	dm_arena_done(&arena);
	/* A longer candidate that was another file after all has moved the digest past places that will be
	 * asked for. */
	if (!rc && last > (*ret_from ? found->offset : 0)) {
		dm_file_digest_free(j->digest);
		j->digest = NULL;
		rc = dm_file_digest_new(&j->digest, j->fd, j->err);
	}
	return rc;
}

static int pack_set(struct job *j)
{
	struct dm_buf bytes;
	int rc;

	if (!j->set)
		return DM_OK;
	j->set_row.indicators = dm_set_builder_count(j->set);
	rc = dm_set_pack(j->set, &bytes, j->err);
	if (rc)
		return rc;
	snprintf(j->set_file, sizeof j->set_file, "set-%lld-%d.set", (long long)j->import.id, (int)getpid());
	j->set_row.import = j->import.id;
	j->set_row.warning = j->r->warninglist;
	j->set_row.bytes = bytes.n;
	j->set_row.file = dm_sv_str(j->set_file);
	j->set_row.name = dm_sv_str(j->set_name);
	rc = dm_store_put(j->store->intel_fd, j->set_file, &bytes, j->err);
	dm_buf_done(&bytes);
	return rc ? rc : dm_fsync_dir(j->store->intel_fd, j->err);
}

/* A file that can go on is known up to its last safe point; any other as a whole. Where the worker died or
 * the file broke off between two safe points its rows are kept too, and the file counts as known as it is:
 * nothing may come twice. */
static int save_all(void *ctx, struct dm_catalog *c, struct dm_err *err)
{
	struct closing *k = ctx;
	struct job *j = k->j;
	int rc;

	if (!at_safe_point(j))
		rc = save_resume(j, c, j->size, j->size, j->max_line, false, err);
	else if (j->plain_offsets)
		rc = save_resume(j, c, j->done_offset, j->done_offset, j->done_line, true, err);
	else
		rc = save_resume(j, c, j->size, j->done_offset, j->done_line, true, err);
	return rc ? rc : save_import(k, c, err);
}

/* Whether nothing is left to take from a file whose first bytes are known. */
static bool is_all_known(struct job *j, const struct dm_resume *from)
{
	struct dm_arena arena = {0};
	struct dm_import imp = {.complete = true};
	bool all;

	if (from->offset != j->size)
		return !from->grows;
	/* A packed file is known by all of its bytes even if its import was stopped half-way: it goes on. */
	all = !from->grows || j->plain_offsets ||
	      dm_catalog_import_get(j->store->catalog, from->import, &arena, &imp, NULL) || imp.complete;
	dm_arena_done(&arena);
	return all;
}

static int store_job(struct job *j)
{
	struct dm_resume known;
	const struct dm_resume *from = NULL;
	struct closing k = {.j = j, .complete = true};
	uint32_t class_id = 0;
	int rc = dm_file_digest_new(&j->digest, j->fd, j->err);

	if (!rc)
		rc = recognise(j, &known, &from);
	if (!rc && from && is_all_known(j, from)) {
		/* Stopped at a safe point that was the end. */
		if (from->grows && from->offset == j->size && j->plain_offsets)
			rc = dm_catalog_import_complete(j->store->catalog, from->import, j->err);
		if (rc)
			return rc;
		j->r->state = DM_INTAKE_KNOWN;
		j->r->import = from->import;
		if (from->offset != j->size) {
			j->r->code =
				dm_fail(&j->r->err, DM_EUNSUPPORTED,
					"the file has grown since import %lld, and its format is taken whole",
					(long long)from->import);
			dm_err_remedy(&j->r->err, "import what was added as a file of its own");
		}
		return DM_OK;
	}
	if (!rc && j->opt->marking)
		rc = dm_catalog_class(j->store->catalog, dm_sv_str(j->opt->marking), true, &class_id, j->err);
	if (!rc)
		rc = dm_catalog_import_next(j->store->catalog, &j->import.id, j->err);
	if (!rc)
		rc = dm_ingest_begin(&j->ingest, j->store, class_id, j->err);
	if (rc)
		return rc;
	dm_ingest_import(j->ingest, j->import.id);
	j->r->import = j->import.id;
	j->r->state = from ? DM_INTAKE_GREW : DM_INTAKE_NEW;
	j->import.class_id = class_id;
	j->import.from = from ? from->offset : 0;
	j->goes_on = from ? from->import : 0;
	j->done_offset = from ? from->decoded : 0;
	j->done_line = j->max_line = from ? from->line : 0;
	rc = run_worker(j, from);
	if (rc == DM_ECANCELLED ||
	    rc == DM_EWORKER) { /* what came before is good, up to the last safe point */
		j->r->code = rc;
		if (j->err)
			j->r->err = *j->err;
		j->r->interrupted = true;
		if (!j->r->rows && !j->r->indicators)
			return rc;
		/* Stopped where the file can't go on: half of it would come twice with the next try. */
		if (rc == DM_ECANCELLED && !at_safe_point(j))
			return rc;
		rc = DM_OK;
	}
	if (rc)
		return rc;
	if (j->r->state == DM_INTAKE_GREW && !j->r->rows && !j->r->indicators && !j->r->skipped &&
	    (!j->r->code || from->offset == j->size)) {
		j->r->state = DM_INTAKE_KNOWN; /* it grew by a part of a line, or is broken where it was */
		j->r->import = from->import;
		return j->r->code ? DM_OK
				  : dm_catalog_import_complete(j->store->catalog, from->import, j->err);
	}
	k.complete = !j->r->code;
	if (j->r->interrupted && j->set) {
		dm_set_builder_free(j->set); /* half a list of indicators would look like a whole one */
		j->set = NULL;
	}
	rc = pack_set(j);
	if (!rc)
		rc = dm_ingest_commit(j->ingest, save_all, &k, j->err);
	dm_ingest_times(j->ingest, &j->r->first, &j->r->last);
	return rc;
}

static int run_job(struct job *j, int fd)
{
	struct stat st;
	int rc = DM_OK, spooled = -1;

	*j->r = (struct dm_intake_result){.first = DM_NO_TIME, .last = DM_NO_TIME};
	dm_buf_init(&j->notes, 1 << 16);
	j->fd = fd;
	j->import.name = dm_sv_str(j->name);
	j->import.source = dm_sv_str(j->opt->source ? j->opt->source : "");
	j->import.sensor = dm_sv_str(j->opt->sensor ? j->opt->sensor : "");
	j->import.marking = dm_sv_str(j->opt->marking ? j->opt->marking : "");
	j->import.first = j->import.last = DM_NO_TIME;
	j->import.started = dm_now();
	if (fstat(fd, &st)) {
		rc = dm_fail_errno(j->err, "the file can't be examined");
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		rc = dm_fail(j->err, DM_EINVAL, "it is a folder");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = spool(j->store, fd, &spooled, j->err);
		if (rc)
			goto out;
		j->fd = spooled;
	}
	rc = read_head(j);
	if (rc)
		goto out;
	if (!j->size) {
		rc = dm_fail(j->err, DM_EFORMAT, "the file is empty");
		goto out;
	}
	j->r->bytes = j->size;
	rc = j->store ? store_job(j) : run_worker(j, NULL);
out:
	if (rc)
		dm_err_source(j->err, j->name);
	else if (j->r->code)
		dm_err_source(&j->r->err, j->name);
	dm_ingest_end(j->ingest);
	dm_file_digest_free(j->digest);
	dm_buf_done(&j->notes);
	dm_arena_done(&j->arena);
	dm_free(j->skip);
	if (spooled >= 0)
		close(spooled);
	return rc;
}

int dm_intake(struct dm_store *store, int fd, const char *name, const struct dm_intake_options *opt,
	      struct dm_intake_result *ret, struct dm_err *err)
{
	struct job j = {.store = store,
			.opt = opt,
			.r = ret,
			.err = err,
			.name = name,
			.wants_rows = opt->want != DM_INTELLIGENCE,
			.wants_set = opt->want != DM_EVIDENCE};
	int rc = run_job(&j, fd);

	dm_set_builder_free(j.set);
	return rc;
}

int dm_intake_check(int fd, const char *name, const struct dm_intake_options *opt,
		    struct dm_intake_result *ret, struct dm_err *err)
{
	struct job j = {
		.opt = opt, .r = ret, .err = err, .name = name, .wants_rows = true, .wants_set = true};
	int rc = run_job(&j, fd);

	ret->state = DM_INTAKE_CHECKED;
	dm_set_builder_free(j.set);
	return rc;
}

int dm_intake_set(int fd, const char *name, const struct dm_intake_options *opt, struct dm_set **ret_set,
		  struct dm_intake_result *ret, struct dm_err *err)
{
	struct dm_intake_options o = *opt;
	struct job j = {.opt = &o, .r = ret, .err = err, .name = name, .wants_set = true};
	struct dm_buf bytes;
	int rc;

	o.want = DM_INTELLIGENCE;
	rc = run_job(&j, fd);
	if (!rc && !j.set)
		rc = dm_set_builder_new(&j.set);
	if (!rc)
		rc = dm_set_pack(j.set, &bytes, err);
	dm_set_builder_free(j.set);
	if (!rc)
		rc = dm_set_open_bytes(ret_set, &bytes, err);
	if (!rc)
		snprintf((*ret_set)->name, sizeof(*ret_set)->name, "%s", name);
	return rc;
}

int dm_intake_guard(struct dm_store *store, struct dm_guard *ret, struct dm_err *err)
{
	struct dm_arena arena = {0};
	struct dm_sv own = {0};
	int rc = dm_catalog_get(store->catalog, "own_networks", &arena, &own, err);

	*ret = (struct dm_guard){0};
	while (!rc && own.p && own.n) {
		struct dm_sv one = dm_sv_trim(dm_sv_split(&own, ','));
		if (one.n)
			rc = dm_guard_own(ret, one, err);
	}
	dm_arena_done(&arena);
	return rc == DM_ENOENT ? DM_OK : rc;
}
