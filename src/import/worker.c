#include "import/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cur.h"
#include "base/file.h"
#include "base/time.h"
#include "import/decoder.h"
#include "import/worker_process.h"

#define FRAME_BUFFER (2u << 20)
#define TICK_MS	     500
#define LEAVE_MS     2000 /* what a worker may take from its last frame to its end */
#define HEAD_WAIT_MS 300  /* how long a slow pipe may keep us from a fuller first look */
#define MAX_STARTS   2	  /* to look, and with the module and the decoder that the format needs */

struct session {
	const struct dm_worker_job *job;
	const struct dm_worker_events *ev;
	struct dm_worker_result *ret;
	struct dm_err *err;

	struct dm_worker_process worker;
	struct dm_decoder decoder;
	const struct dm_importer *decoded; /* whose decoder runs */
	const char *module, *format;
	int input; /* what the worker reads */
	int head;  /* memory file with the first bytes of a pipe, -1 for a file that can seek */
	int pattern;
	off_t start; /* of a file */
	bool seekable;
	unsigned cpu_s;

	uint8_t *buf; /* frames: [at, n) is not yet handed over; every frame starts 8-byte aligned */
	size_t cap, at, n;
	bool named, done; /* FORMAT and DONE have come */
	const struct dm_importer *needed;
	uint64_t last_line;
	uint64_t alive_us; /* when the worker last gave or took something */
	long long taken;   /* input position or bytes waiting, at that time */
	struct dm_batch batch;
};

static int broken(struct session *s, const char *rule)
{
	dm_fail(s->err, DM_EWORKER, "the import worker broke a rule: %s", rule);
	dm_err_remedy(s->err, "the input may be hostile; please report it with the file if you can");
	return DM_EWORKER;
}

/* --- the input
 * ---------------------------------------------------------------------------------------------- */

static int memory_file(const char *name, struct dm_sv content, int *ret, struct dm_err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC), rc;

	if (fd < 0)
		return dm_fail_errno(err, "cannot make a file in memory");
	rc = dm_write_all(fd, content.p, content.n, err);
	if (rc) {
		close(fd);
		return rc;
	}
	*ret = fd;
	return DM_OK;
}

/* Reads up to DM_WORKER_HEAD bytes of a pipe, but does not wait for a slow writer once something is there. */
static int read_head(int fd, char *head, size_t *ret_n, struct dm_err *err)
{
	size_t n = 0;

	while (n < DM_WORKER_HEAD) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t r;

		if (n && poll(&p, 1, HEAD_WAIT_MS) == 0)
			break;
		r = read(fd, head + n, DM_WORKER_HEAD - n);
		if (r < 0 && errno == EINTR && n == 0)
			return dm_fail(err, DM_ECANCELLED, "stopped");
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return dm_fail_errno(err, "cannot read");
		if (r == 0)
			break;
		n += (size_t)r;
	}
	*ret_n = n;
	return DM_OK;
}

static int input_open(struct session *s)
{
	struct stat st;
	char *head;
	size_t n = 0;
	int rc;

	if (fstat(s->job->fd, &st))
		return dm_fail_errno(s->err, "cannot look at the input");
	if (S_ISDIR(st.st_mode))
		return dm_fail(s->err, DM_EINVAL, "it is a folder");
	s->start = lseek(s->job->fd, 0, SEEK_CUR);
	s->seekable = S_ISREG(st.st_mode) && s->start >= 0;
	if (s->seekable) {
		uint64_t mib = (uint64_t)(st.st_size > 0 ? st.st_size : 0) >> 20;

		s->cpu_s = mib > (1u << 24) ? 0 : DM_WORKER_CPU_S + DM_WORKER_CPU_MIB_S * (unsigned)mib;
		return DM_OK;
	}
	head = dm_alloc(DM_WORKER_HEAD);
	if (!head)
		return dm_fail(s->err, DM_ENOMEM, "out of memory");
	rc = read_head(s->job->fd, head, &n, s->err);
	if (!rc)
		rc = memory_file("demarche-head", dm_sv(head, n), &s->head, s->err);
	dm_free(head);
	return rc;
}

/* JSON is common, and its reader costs a millisecond to load: an input that begins like JSON gets it at once,
 * which spares a second start. A guess from one byte; the worker decides. */
static bool begins_like_json(const struct session *s)
{
	char first[64];
	ssize_t n = s->seekable ? pread(s->job->fd, first, sizeof first, s->start)
				: pread(s->head, first, sizeof first, 0);
	struct dm_sv text = dm_sv(first, n > 0 ? (size_t)n : 0);

	if (dm_sv_starts(text, DM_SV("\xef\xbb\xbf")))
		text = dm_sv_from(text, 3);
	text = dm_sv_trim(text);
	return text.n && (text.p[0] == '{' || text.p[0] == '[');
}

/* A decoder reads a file from its start: what was taken from a pipe goes in front again, all of it into
 * memory. */
static int spool_pipe(struct session *s, int *ret)
{
	size_t total = 0, size = 1u << 20;
	char *chunk = dm_alloc(size);
	int fd = -1, rc = DM_OK;
	ssize_t r = 0;

	if (!chunk)
		return dm_fail(s->err, DM_ENOMEM, "out of memory");
	fd = memfd_create("demarche-input", MFD_CLOEXEC);
	if (fd < 0)
		rc = dm_fail_errno(s->err, "cannot make a file in memory");
	for (int from = s->head; !rc; total += (size_t)r) {
		r = from == s->head ? pread(from, chunk, size, (off_t)total) : read(from, chunk, size);
		if (r < 0 && errno == EINTR && s->ev->tick)
			rc = s->ev->tick(s->ev->ctx, 0);
		else if (r < 0 && errno != EINTR)
			rc = dm_fail_errno(s->err, "cannot read");
		else if (r == 0 && from == s->job->fd)
			break;
		else if (r == 0)
			from = s->job->fd;
		else if (r > 0 && total + (size_t)r > DM_MAX_SPOOL)
			rc = dm_fail(s->err, DM_ELIMIT,
				     "more than %u bytes came through a pipe for a decoder that wants a file",
				     DM_MAX_SPOOL);
		else if (r > 0)
			rc = dm_write_all(fd, chunk, (size_t)r, s->err);
		r = r < 0 ? 0 : r;
	}
	dm_free(chunk);
	if (rc && fd >= 0)
		close(fd);
	else if (!rc)
		*ret = fd;
	return rc;
}

static int decoder_start(struct session *s, const struct dm_importer *imp)
{
	int fd = s->job->fd, rc = DM_OK;

	if (!s->seekable)
		rc = spool_pipe(s, &fd);
	if (rc)
		return rc;
	rc = dm_decoder_start(&s->decoder, imp, fd, s->err);
	if (fd != s->job->fd)
		close(fd);
	if (rc)
		return rc;
	s->decoded = imp;
	s->input = s->decoder.fd;
	return DM_OK;
}

/* Position in a file, or minus the bytes waiting in a pipe: whatever changes was taken by the worker.
 * *ret_starving: nothing waits, but more may come, so that a worker without frames is not to blame. */
static long long input_position(const struct session *s, bool *ret_starving)
{
	struct pollfd p = {.fd = s->input, .events = POLLIN};
	int waiting = 0;

	*ret_starving = false;
	if (s->seekable && !s->decoded)
		return lseek(s->input, 0, SEEK_CUR);
	if (ioctl(s->input, FIONREAD, &waiting))
		waiting = 0;
	*ret_starving = waiting == 0 && poll(&p, 1, 0) == 0;
	return -(long long)waiting;
}

/* --- frames
 * ------------------------------------------------------------------------------------------------- */

static int on_format(struct session *s, struct dm_sv name)
{
	const struct dm_importer *imp;
	char text[64];

	if (s->named)
		return broken(s, "the format is named once");
	s->named = true;
	if (s->job->kind == DM_WORKER_PATTERN)
		return dm_sv_is(name, "pattern") ? DM_OK : broken(s, "the answer is for the question");
	snprintf(text, sizeof text, "%.*s", (int)(name.n < sizeof text ? name.n : sizeof text), name.p);
	imp = dm_importer_by_name(text);
	if (!imp || (s->format && strcmp(imp->name, s->format) != 0))
		return broken(s, "the format is one that we know and asked for");
	return s->ev->format ? s->ev->format(s->ev->ctx, imp) : DM_OK;
}

static int on_need(struct session *s, struct dm_sv name)
{
	char text[64];

	snprintf(text, sizeof text, "%.*s", (int)(name.n < sizeof text ? name.n : sizeof text), name.p);
	s->needed = dm_importer_by_name(text);
	if (s->named || s->job->kind != DM_WORKER_IMPORT || !s->needed)
		return broken(s, "what a worker needs is a format that we know");
	s->done = true;
	return DM_OK;
}

static int on_rows(struct session *s, const uint8_t *payload, uint32_t n)
{
	int rc = dm_batch_open(&s->batch, payload, n, s->err);

	if (rc)
		return rc;
	s->last_line = s->batch.line[s->batch.nrows - 1];
	return s->ev->rows ? s->ev->rows(s->ev->ctx, &s->batch) : DM_OK;
}

static int no_indicator(void *ctx, const struct dm_indicator *ind)
{
	(void)ctx;
	(void)ind;
	return DM_OK;
}

static int on_skip(struct session *s, const uint8_t *payload, uint32_t n)
{
	struct dm_cur c = dm_cur(payload, n);
	uint64_t line = dm_cur_u64le(&c);

	if (c.bad)
		return broken(s, "a note has a line");
	s->last_line = line > s->last_line ? line : s->last_line;
	return s->ev->skip ? s->ev->skip(s->ev->ctx, line, dm_cur_sv(&c, dm_cur_left(&c))) : DM_OK;
}

static int on_meta(struct session *s, struct dm_sv text)
{
	size_t zero = dm_sv_find(text, '\0');

	if (zero == SIZE_MAX)
		return broken(s, "a fact has a name");
	return s->ev->meta ? s->ev->meta(s->ev->ctx, dm_sv(text.p, zero), dm_sv_from(text, zero + 1)) : DM_OK;
}

static int on_progress(struct session *s, const uint8_t *payload, uint32_t n)
{
	struct dm_cur c = dm_cur(payload, n);
	uint64_t offset = dm_cur_u64le(&c), line = dm_cur_u64le(&c), raw = dm_cur_u64le(&c);

	if (c.bad || dm_cur_left(&c))
		return broken(s, "progress is three numbers");
	s->last_line = line > s->last_line ? line : s->last_line;
	return s->ev->progress ? s->ev->progress(s->ev->ctx, offset, line, raw) : DM_OK;
}

static int on_frame(struct session *s, uint32_t type, const uint8_t *payload, uint32_t n)
{
	struct dm_sv text = dm_sv((const char *)payload, n);

	if (s->done)
		return broken(s, "nothing follows the last frame");
	if (!s->named && type != DM_FRAME_FORMAT && type != DM_FRAME_NEED && type != DM_FRAME_DONE)
		return broken(s, "the format comes first");
	switch (type) {
	case DM_FRAME_FORMAT:
		return on_format(s, text);
	case DM_FRAME_NEED:
		return on_need(s, text);
	case DM_FRAME_ROWS:
		return on_rows(s, payload, n);
	case DM_FRAME_INDICATORS:
		return dm_batch_indicators(payload, n, s->ev->indicator ? s->ev->indicator : no_indicator,
					   s->ev->ctx, s->err);
	case DM_FRAME_SKIP:
		return on_skip(s, payload, n);
	case DM_FRAME_META:
		return on_meta(s, text);
	case DM_FRAME_PROGRESS:
		return on_progress(s, payload, n);
	case DM_FRAME_DONE:
		s->done = true;
		return dm_batch_done_open(payload, n, &s->ret->code, &s->ret->err, s->err);
	default:
		return broken(s, "a frame has a known type");
	}
}

/* Hands over the whole frames in the buffer and makes room for the next read. */
static int take_frames(struct session *s)
{
	size_t total = DM_FRAME_HEADER;

	while (s->n - s->at >= DM_FRAME_HEADER) {
		uint32_t head[2];
		int rc;

		memcpy(head, s->buf + s->at, sizeof head);
		if (head[0] > DM_MAX_FRAME)
			return broken(s, "a frame is no longer than DM_MAX_FRAME");
		total = DM_FRAME_HEADER + DM_FRAME_PAD(head[0]);
		if (s->n - s->at < total)
			break;
		rc = on_frame(s, head[1], s->buf + s->at + DM_FRAME_HEADER, head[0]);
		if (rc)
			return rc;
		s->at += total;
		total = DM_FRAME_HEADER;
	}
	if (s->at == s->n)
		s->at = s->n = 0;
	if (s->cap - s->at >= total)
		return DM_OK;
	memmove(s->buf, s->buf + s->at, s->n - s->at);
	s->n -= s->at;
	s->at = 0;
	return dm_grow((void **)&s->buf, &s->cap, total, 1) ? dm_fail(s->err, DM_ENOMEM, "out of memory")
							    : DM_OK;
}

/* One read of the frame pipe. *ret_end: the worker has closed it. */
static int read_frames(struct session *s, bool *ret_end)
{
	ssize_t r = read(s->worker.frames, s->buf + s->n, s->cap - s->n);
	int rc;

	if (r < 0)
		return errno == EINTR ? DM_OK : dm_fail_errno(s->err, "cannot read from the import worker");
	if (r == 0) {
		*ret_end = true;
		return DM_OK;
	}
	s->n += (size_t)r;
	rc = take_frames(s);
	s->alive_us = dm_monotonic_us();
	return rc;
}

/* Nothing came for a while: is the worker thinking, starving, or hanging? */
static int check_alive(struct session *s)
{
	uint64_t now = dm_monotonic_us();
	unsigned stall = s->job->stall_s ? s->job->stall_s : DM_WORKER_STALL_S;
	bool starving;
	long long position = input_position(s, &starving);

	if (starving || position != s->taken) {
		s->taken = position;
		s->alive_us = now;
	}
	if (now - s->alive_us < stall * 1000000ull)
		return DM_OK;
	dm_fail(s->err, DM_EWORKER, "the import worker hung: it neither read nor gave anything for %u s",
		stall);
	return DM_EWORKER;
}

static int tick(struct session *s)
{
	bool starving;
	long long position = input_position(s, &starving);

	return s->ev->tick ? s->ev->tick(s->ev->ctx, position > 0 ? (uint64_t)position : 0) : DM_OK;
}

static int read_until_end(struct session *s)
{
	uint64_t ticked = dm_monotonic_us();
	bool end = false;
	int rc = DM_OK;

	s->alive_us = ticked;
	while (!rc && !end) {
		struct pollfd p = {.fd = s->worker.frames, .events = POLLIN};
		int ready = poll(&p, 1, s->done ? LEAVE_MS : TICK_MS);

		if (ready < 0 && errno != EINTR)
			return dm_fail_errno(s->err, "cannot wait for the import worker");
		if (ready > 0)
			rc = read_frames(s, &end);
		else if (ready == 0 && s->done)
			return broken(s, "a worker ends after its last frame");
		else if (ready == 0)
			rc = check_alive(s);
		if (!rc && (ready < 0 || dm_monotonic_us() - ticked >= TICK_MS * 1000ull)) {
			rc = tick(s);
			ticked = dm_monotonic_us();
		}
	}
	return rc;
}

/* --- one start
 * ---------------------------------------------------------------------------------------------- */

static void say_what_is_kept(struct session *s)
{
	if (!s->err || s->err->remedy[0])
		return;
	if (s->last_line) {
		s->err->line = s->last_line;
		dm_err_remedy(s->err, "the file may be damaged or hostile; rows before line %llu are kept",
			      (unsigned long long)s->last_line);
	} else {
		dm_err_remedy(s->err, "the file may be damaged or hostile; nothing was taken from it");
	}
}

static int run_once(struct session *s)
{
	struct dm_worker_spec spec = {.job = s->job,
				      .input = s->input,
				      .head = s->decoded ? -1 : s->head,
				      .pattern = s->pattern,
				      .module = s->module,
				      .format = s->format,
				      .decoded = s->decoded != NULL,
				      .cpu_s = s->cpu_s};
	int rc, status;

	if (s->seekable && !s->decoded && lseek(s->job->fd, s->start, SEEK_SET) < 0)
		return dm_fail_errno(s->err, "cannot go back in the input");
	s->at = s->n = 0;
	s->needed = NULL;
	s->done = false;
	s->taken = 0;
	rc = dm_worker_start(&s->worker, &spec, s->err);
	if (rc)
		return rc;
	rc = read_until_end(s);
	status = dm_worker_end(&s->worker, rc ? 0 : LEAVE_MS);
	if (!rc && (!s->done || status != 0))
		rc = dm_worker_death(status, s->cpu_s, s->err);
	else if (!rc && s->n > s->at)
		rc = broken(s, "nothing follows the last frame");
	if (rc == DM_EWORKER)
		say_what_is_kept(s);
	/* before a format was named it is not the importer that speaks */
	if (!rc && !s->needed && !s->named && s->ret->code) {
		if (s->err)
			*s->err = s->ret->err;
		rc = s->ret->code;
	}
	return rc;
}

/* What a worker asked for instead of working: a decoder in front of it, or a library. */
static int provide(struct session *s)
{
	const struct dm_importer *imp = s->needed;

	if (s->format)
		return broken(s, "a worker asks once for what it needs");
	s->format = imp->name;
	s->module = imp->module;
	return imp->decoder ? decoder_start(s, imp) : DM_OK;
}

static int start_with_format(struct session *s)
{
	const struct dm_importer *imp;

	if (!s->job->format) {
		s->module = begins_like_json(s) ? "json" : NULL;
		return DM_OK;
	}
	imp = dm_importer_by_name(s->job->format);
	if (!imp) {
		dm_fail(s->err, DM_EINVAL, "there is no format named '%s'", s->job->format);
		dm_err_remedy(s->err, "see `demarche import --help` for the names");
		return DM_EINVAL;
	}
	s->format = imp->name;
	s->module = imp->module;
	return imp->decoder ? decoder_start(s, imp) : DM_OK;
}

static int prepare(struct session *s)
{
	int rc = DM_OK;

	s->buf = dm_alloc(FRAME_BUFFER);
	s->cap = FRAME_BUFFER;
	if (!s->buf)
		return dm_fail(s->err, DM_ENOMEM, "out of memory");
	if (s->job->kind == DM_WORKER_PATTERN)
		rc = memory_file("demarche-pattern", s->job->pattern, &s->pattern, s->err);
	if (!rc)
		rc = input_open(s);
	return rc ? rc : start_with_format(s);
}

/* What a decoder complains of is the verdict on the file if nothing else was wrong. */
static void decoder_end(struct session *s, int rc)
{
	struct dm_err said = {0};

	close(s->decoder.fd);
	if (dm_decoder_finish(&s->decoder, rc != 0 || s->ret->code != 0, &said) && !rc && !s->ret->code) {
		s->ret->code = said.code;
		s->ret->err = said;
	}
}

int dm_worker_run(const struct dm_worker_job *job, const struct dm_worker_events *ev,
		  struct dm_worker_result *ret, struct dm_err *err)
{
	struct session *s = dm_calloc(1, sizeof *s);
	struct dm_err unread = {0};
	int rc;

	if (!s)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	*s = (struct session){.job = job,
			      .ev = ev,
			      .ret = ret,
			      .err = err ? err : &unread,
			      .worker = {.frames = -1},
			      .decoder = {.fd = -1, .err_fd = -1},
			      .input = job->fd,
			      .head = -1,
			      .pattern = -1};
	*ret = (struct dm_worker_result){0};
	rc = prepare(s);
	for (int starts = 0; !rc; starts++) {
		rc = starts < MAX_STARTS ? run_once(s) : broken(s, "a worker starts in the end");
		if (rc || !s->needed)
			break;
		rc = provide(s);
	}
	if (s->decoded)
		decoder_end(s, rc);
	if (rc)
		dm_err_source(s->err, job->name);
	if (s->head >= 0)
		close(s->head);
	if (s->pattern >= 0)
		close(s->pattern);
	dm_free(s->buf);
	dm_free(s);
	return rc;
}
