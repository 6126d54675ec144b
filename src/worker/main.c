/* demarche-worker: reads one input that nobody vouches for and tells the node what is in it.
 *
 * Started by src/import/worker_process.c, never by a person. Everything that parses a stranger's bytes
 * happens behind dm_confine(): after it this process has its input, its frame pipe and memory, nothing else.
 * Before it, it does not look at the input at all.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "base/stream.h"
#include "hunt/pattern_job.h"
#include "import/batch.h"
#include "import/importer.h"
#include "import/worker_process.h"
#include "model/observable.h"

struct options {
	bool pattern;
	struct dm_import_input in;
	const char *format, *module;
	uint64_t cpu_s;
	bool decoded, has_head;
};

struct work {
	struct options opt;
	struct dm_batch_writer *out;
	struct dm_buf head;    /* of a pipe */
	struct dm_buf pattern; /* text */
	struct dm_stream *stream;
};

static bool read_option(struct options *o, const char *name, const char *value)
{
	if (!strcmp(name, "--name"))
		o->in.name = value;
	else if (!strcmp(name, "--format"))
		o->format = value;
	else if (!strcmp(name, "--module"))
		o->module = value;
	else if (!strcmp(name, "--offset"))
		return dm_sv_u64(dm_sv_str(value), &o->in.resume_offset);
	else if (!strcmp(name, "--line"))
		return dm_sv_u64(dm_sv_str(value), &o->in.resume_line);
	else if (!strcmp(name, "--cpu"))
		return dm_sv_u64(dm_sv_str(value), &o->cpu_s);
	else if (!strcmp(name, "--want"))
		o->in.want = !strcmp(value, "evidence") ? DM_EVIDENCE : DM_INTELLIGENCE;
	else
		return false;
	return true;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	*o = (struct options){.in = {.name = "", .want = DM_EITHER}};
	if (argc < 2 || (strcmp(argv[1], "import") != 0 && strcmp(argv[1], "pattern") != 0))
		return false;
	o->pattern = !strcmp(argv[1], "pattern");
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--timings"))
			o->in.timings = true;
		else if (!strcmp(argv[i], "--decoded"))
			o->decoded = true;
		else if (!strcmp(argv[i], "--head"))
			o->has_head = true;
		else if (i + 1 < argc && read_option(o, argv[i], argv[i + 1]))
			i++;
		else
			return false;
	}
	return true;
}

/* The memory files are the node's own; their content is not looked at here. */
static int read_memory_file(struct dm_buf *b, int fd, size_t max, struct dm_err *err)
{
	ssize_t r = 0;

	dm_buf_init(b, max + 1);
	do {
		if (!dm_buf_room(b, max + 1 - b->n))
			return dm_fail(err, b->err, "out of memory");
		r = pread(fd, b->p + b->n, max + 1 - b->n, (off_t)b->n);
		if (r < 0 && errno != EINTR)
			return dm_fail_errno(err, "cannot read what the node sent");
		b->n += r > 0 ? (size_t)r : 0;
	} while (r != 0 && b->n <= max);
	if (b->n > max)
		return dm_fail(err, DM_ELIMIT, "more than %zu bytes", max);
	return lseek(fd, 0, SEEK_SET) < 0 ? dm_fail_errno(err, "cannot go back in what the node sent")
					  : DM_OK;
}

static int load_module(const char *module, struct dm_err *err)
{
	for (size_t i = 0; dm_importers[i]; i++)
		if (dm_importers[i]->module && !strcmp(dm_importers[i]->module, module))
			return dm_importers[i]->preload ? dm_importers[i]->preload(err) : DM_OK;
	return dm_fail(err, DM_EINVAL, "no format needs a library '%s'", module);
}

/* All that must be done while files can still be opened. */
static int get_ready(struct work *w, struct dm_err *err)
{
	const struct options *o = &w->opt;
	struct dm_confinement got;
	int rc = o->pattern ? dm_pattern_job_preload(err) : DM_OK;

	/* any log can hold a name outside ASCII; without the library those are refused, one by one */
	(void)dm_domain_preload(NULL);
	if (!rc && o->module)
		rc = load_module(o->module, err);
	if (!rc && o->pattern)
		rc = read_memory_file(&w->pattern, DM_WORKER_FD_PATTERN, DM_MAX_PATTERN, err);
	if (!rc && o->has_head)
		rc = read_memory_file(&w->head, DM_WORKER_FD_HEAD, DM_WORKER_HEAD, err);
	if (!rc)
		rc = dm_confine(DM_PROFILE_WORKER, DM_WORKER_MEMORY, (unsigned)o->cpu_s, &got, err);
	return rc;
}

static bool can_run_here(const struct options *o, const struct dm_importer *imp)
{
	if (imp->decoder && !o->decoded)
		return false;
	return !imp->module || (o->module && !strcmp(imp->module, o->module));
}

static int not_known(const struct options *o, struct dm_sv seen, struct dm_err *err)
{
	if (!seen.n)
		return dm_fail(err, DM_EFORMAT, "it is empty");
	dm_fail(err, DM_EUNSUPPORTED, "no format that is known here fits its content%s",
		o->in.want == DM_EVIDENCE	? " as evidence"
		: o->in.want == DM_INTELLIGENCE ? " as intelligence"
						: "");
	dm_err_remedy(err, "name it with --format; `demarche import --help` lists the formats");
	return DM_EUNSUPPORTED;
}

/* By content. Of a pipe only the head is looked at, in a stream of its own, since another process may have to
 * read the pipe from there. */
static int find_format(struct work *w, const struct dm_importer **ret, struct dm_err *err)
{
	struct dm_stream *look = w->stream;
	struct dm_sv seen = {0};
	int rc = DM_OK;

	if (w->opt.format) {
		*ret = dm_importer_by_name(w->opt.format);
		return *ret ? DM_OK : dm_fail(err, DM_EINVAL, "there is no format named '%s'", w->opt.format);
	}
	if (w->opt.has_head)
		rc = dm_stream_open(&look, DM_WORKER_FD_HEAD, dm_sv("", 0), err);
	if (rc)
		return rc;
	/* a cut or damaged end does not matter for a first look */
	rc = dm_stream_peek(look, DM_WORKER_HEAD, &seen, err);
	if (!rc || seen.n) {
		*ret = dm_importer_find(seen, w->opt.in.name, w->opt.in.want);
		rc = *ret ? DM_OK : not_known(&w->opt, seen, err);
	}
	if (look != w->stream)
		dm_stream_close(look);
	return rc;
}

/* An importer's failure is its verdict on the input and goes into the last frame, like that of what comes
 * before it. */
static int import(struct work *w, struct dm_err *err)
{
	const struct dm_importer *imp = NULL;
	int rc = dm_stream_open(&w->stream, DM_WORKER_FD_INPUT, dm_buf_view(&w->head), err);

	if (!rc)
		rc = find_format(w, &imp, err);
	if (rc)
		return dm_batch_writer_finish(w->out, rc, err);
	if (!can_run_here(&w->opt, imp))
		return dm_batch_writer_need(w->out, imp->name);
	*err = (struct dm_err){0};
	rc = dm_batch_writer_format(w->out, imp->name);
	if (rc)
		return rc;
	w->opt.in.stream = w->stream;
	dm_batch_writer_input(w->out, w->stream);
	rc = imp->run(&w->opt.in, dm_batch_writer_sink(w->out), err);
	return dm_batch_writer_finish(w->out, rc, err);
}

static int match_pattern(struct work *w, struct dm_err *err)
{
	int rc = dm_batch_writer_format(w->out, "pattern");

	if (!rc)
		rc = dm_stream_open(&w->stream, DM_WORKER_FD_INPUT, dm_buf_view(&w->head), err);
	if (rc)
		return dm_batch_writer_finish(w->out, rc, err);
	return dm_batch_writer_finish(
		w->out,
		dm_pattern_job_run(dm_buf_view(&w->pattern), w->stream, dm_batch_writer_sink(w->out), err),
		err);
}

int main(int argc, char **argv)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct dm_err err = {0};
	struct work w = {0};
	int rc;

	/* The node's end is ours. ^C is the node's to hear: it ends the job in order. A broken pipe is an
	 * error code. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	if (!read_options(&w.opt, argc, argv))
		return 2;
	if (dm_batch_writer_new(&w.out, DM_WORKER_FD_FRAMES))
		return 1;
	rc = get_ready(&w, &err);
	if (rc)
		rc = dm_batch_writer_finish(w.out, rc, &err);
	else
		rc = w.opt.pattern ? match_pattern(&w, &err) : import(&w, &err);
	dm_stream_close(w.stream);
	dm_buf_done(&w.head);
	dm_buf_done(&w.pattern);
	dm_batch_writer_free(w.out);
	return rc ? 1 : 0;
}
