/* The node's side of a worker, with scripts in the worker's place that lie, die and hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/time.h"
#include "import/worker.h"

static char folder[] = "/tmp/demarche-test-XXXXXX";
static char frames_path[64], worker_path[64], input_path[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(frames_path, sizeof frames_path, "%s/frames", folder);
	snprintf(worker_path, sizeof worker_path, "%s/demarche-worker", folder);
	snprintf(input_path, sizeof input_path, "%s/input", folder);
	return setenv("DEMARCHE_LIBEXEC", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(frames_path);
	unlink(worker_path);
	unlink(input_path);
	return rmdir(folder);
}

static void write_file(const char *path, const void *p, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

/* A shell script as the worker; $F is the file of frames. */
static void worker_is(const char *script)
{
	char text[2048];
	int n = snprintf(text, sizeof text, "#!/bin/sh\nPATH=/usr/bin:/bin\nF=%s\n%s\n", frames_path, script);

	assert_true(n > 0 && (size_t)n < sizeof text);
	write_file(worker_path, text, (size_t)n, 0700);
}

/* The frames of a small, well-behaved import: `rows` rows, a note, a fact, an end. */
static void good_frames(uint32_t rows)
{
	int fd = open(frames_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct dm_record *r = dm_calloc(1, sizeof *r);
	struct dm_batch_writer *w;
	struct dm_sink *sink;

	assert_true(fd >= 0 && r);
	assert_int_equal(dm_batch_writer_new(&w, fd), DM_OK);
	sink = dm_batch_writer_sink(w);
	assert_int_equal(dm_batch_writer_format(w, "zeek-tsv"), DM_OK);
	r->kind = DM_KIND_FLOW;
	for (uint32_t i = 1; i <= rows; i++) {
		r->line = i;
		r->count = 1;
		r->v[0] = (struct dm_value){.field = DM_F_SRC_PORT, .type = DM_T_INT, .i = 443};
		assert_int_equal(sink->record(sink, r), DM_OK);
	}
	assert_int_equal((sink->skip)(sink, 4, "too short"), DM_OK);
	assert_int_equal(sink->meta(sink, "sensor", DM_SV("north")), DM_OK);
	assert_int_equal(sink->progress(sink, 1000, rows), DM_OK);
	assert_int_equal(dm_batch_writer_finish(w, DM_OK, NULL), DM_OK);
	dm_batch_writer_free(w);
	dm_free(r);
	close(fd);
}

struct seen {
	char format[32], note[64];
	uint64_t rows, line, offset, facts, ticks;
	int answer; /* of the rows callback */
};

static int on_format(void *ctx, const struct dm_importer *imp)
{
	struct seen *s = ctx;

	snprintf(s->format, sizeof s->format, "%s", imp->name);
	return DM_OK;
}

static int on_rows(void *ctx, const struct dm_batch *b)
{
	struct seen *s = ctx;

	s->rows += b->nrows;
	return s->answer;
}

static int on_skip(void *ctx, uint64_t line, struct dm_sv reason)
{
	struct seen *s = ctx;

	snprintf(s->note, sizeof s->note, "%llu %.*s", (unsigned long long)line, (int)reason.n, reason.p);
	return DM_OK;
}

static int on_meta(void *ctx, struct dm_sv key, struct dm_sv value)
{
	struct seen *s = ctx;

	s->facts += dm_sv_is(key, "sensor") && dm_sv_is(value, "north");
	return DM_OK;
}

static int on_progress(void *ctx, uint64_t offset, uint64_t line, uint64_t raw)
{
	struct seen *s = ctx;

	(void)raw;
	s->offset = offset;
	s->line = line;
	return DM_OK;
}

static int on_tick(void *ctx, uint64_t raw)
{
	(void)raw;
	((struct seen *)ctx)->ticks++;
	return DM_OK;
}

static int run_fd(struct seen *s, int fd, const char *format, struct dm_worker_result *ret,
		  struct dm_err *err)
{
	struct dm_worker_job job = {
		.fd = fd, .name = "conn.log", .want = DM_EITHER, .format = format, .stall_s = 1};
	struct dm_worker_events ev = {.ctx = s,
				      .format = on_format,
				      .rows = on_rows,
				      .skip = on_skip,
				      .meta = on_meta,
				      .progress = on_progress,
				      .tick = on_tick};

	return dm_worker_run(&job, &ev, ret, err);
}

static int run(struct seen *s, struct dm_err *err)
{
	struct dm_worker_result ret;
	int fd, rc;

	write_file(input_path, "input\n", 6, 0600);
	fd = open(input_path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	rc = run_fd(s, fd, NULL, &ret, err);
	close(fd);
	return rc;
}

static void a_good_worker_is_heard(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};

	(void)state;
	good_frames(10000);
	worker_is("cat $F >&4");
	assert_int_equal(run(&s, &err), DM_OK);
	assert_string_equal(s.format, "zeek-tsv");
	assert_int_equal(s.rows, 10000);
	assert_int_equal(s.line, 10000);
	assert_int_equal(s.offset, 1000);
	assert_int_equal(s.facts, 1);
	assert_string_equal(s.note, "4 too short");
}

static void a_worker_that_dies_is_named_with_its_signal(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};

	(void)state;
	good_frames(4096);
	/* the batch, but not the frames behind it */
	worker_is("head -c 80000 $F >&4; kill -SYS $$");
	assert_int_equal(run(&s, &err), DM_EWORKER);
	assert_non_null(strstr(err.msg, "SIGSYS (a forbidden system call)"));
	assert_string_equal(err.source, "conn.log");
	worker_is("kill -SEGV $$");
	err = (struct dm_err){0};
	assert_int_equal(run(&s, &err), DM_EWORKER);
	assert_non_null(strstr(err.msg, "SIGSEGV"));
}

static void rows_before_the_death_are_told(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};

	(void)state;
	good_frames(4096 + 10);
	worker_is("head -c 98400 $F >&4; kill -SYS $$");
	assert_int_equal(run(&s, &err), DM_EWORKER);
	assert_int_equal(s.rows, 4096);
	assert_int_equal(err.line, 4096);
	assert_non_null(strstr(err.remedy, "rows before line 4096 are kept"));
}

static void a_worker_that_stops_short_is_no_success(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};

	(void)state;
	good_frames(3);
	worker_is("head -c 16 $F >&4");
	assert_int_equal(run(&s, &err), DM_EWORKER);
	worker_is("cat $F >&4; exit 3");
	assert_int_equal(run(&s, &err), DM_EWORKER);
	assert_non_null(strstr(err.msg, "status 3"));
	worker_is("exit 0");
	assert_int_equal(run(&s, &err), DM_EWORKER);
}

static void a_worker_that_lies_is_refused(void **state)
{
	static const char *const lies[] = {
		"head -c 4000 /dev/zero >&4",				     /* frames of type 0 */
		"printf '\\377\\377\\377\\377\\001\\0\\0\\0' >&4; sleep 9",  /* 4 GiB announced */
		"tail -c +17 $F >&4",					     /* rows before the format */
		"cat $F $F >&4",					     /* goes on after the end */
		"printf '\\004\\0\\0\\0\\006\\0\\0\\0nope\\0\\0\\0\\0' >&4", /* a format that is none */
		"head -c 16 $F >&4; printf '\\010\\0\\0\\0\\001\\0\\0\\0\\001\\0\\0\\0\\377\\377\\377\\377' "
		">&4",
	};

	(void)state;
	good_frames(3);
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct seen s = {0};
		struct dm_err err = {0};

		worker_is(lies[i]);
		if (run(&s, &err) != DM_EWORKER || !strstr(err.msg, "rule"))
			fail_msg("lie %zu: %s", i, err.msg);
	}
}

static void a_worker_that_hangs_is_ended(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};
	uint64_t start = dm_monotonic_us();

	(void)state;
	good_frames(3);
	worker_is("exec sleep 60");
	assert_int_equal(run(&s, &err), DM_EWORKER);
	assert_non_null(strstr(err.msg, "hung"));
	worker_is("cat $F >&4; exec sleep 60"); /* all said, but does not leave */
	assert_int_equal(run(&s, &err), DM_EWORKER);
	assert_true(dm_monotonic_us() - start < 20000000);
	assert_true(s.ticks > 0);
}

static void a_worker_that_reads_on_does_not_hang(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};

	(void)state;
	good_frames(3);
	/* silent for longer than the stall limit, but the input moves */
	worker_is("for i in 1 2 3 4; do dd bs=1 count=1 <&3 >/dev/null 2>&1; sleep 0.6; done; cat $F >&4");
	assert_int_equal(run(&s, &err), DM_OK);
}

static void a_worker_that_waits_for_a_slow_pipe_does_not_hang(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};
	struct dm_worker_result ret;
	int ends[2];
	pid_t pid;

	(void)state;
	good_frames(3);
	/* the head in memory, the rest in the pipe: together the whole */
	worker_is("[ \"$(cat <&5)\" = he ] && [ \"$(cat <&3)\" = ad ] && cat $F >&4");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		ssize_t n = write(ends[1], "he", 2);

		sleep(3);
		n += write(ends[1], "ad", 2);
		_exit(n != 4);
	}
	close(ends[1]);
	/* dup2 leaves the offset of the memory file at its end; a worker goes back itself, a script cannot */
	worker_is("exec 9</proc/self/fd/5; [ \"$(cat <&9)\" = he ] && [ \"$(cat <&3)\" = ad ] && cat $F >&4");
	assert_int_equal(run_fd(&s, ends[0], NULL, &ret, &err), DM_OK);
	assert_int_equal(s.rows, 3);
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_callback_ends_the_job(void **state)
{
	struct seen s = {.answer = DM_ENOSPC};
	struct dm_err err = {0};

	(void)state;
	good_frames(3);
	worker_is("cat $F >&4; exec sleep 60");
	assert_int_equal(run(&s, &err), DM_ENOSPC);
}

static void what_a_format_needs_is_given_on_a_second_start(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};

	(void)state;
	good_frames(3);
	worker_is("case \"$*\" in\n*'--module pcap'*) printf '\\004\\0\\0\\0\\006\\0\\0\\0pcap\\0\\0\\0\\0' "
		  ">&4; tail -c +17 $F >&4;;\n"
		  "*) cat <&3 >/dev/null; printf '\\004\\0\\0\\0\\010\\0\\0\\0pcap\\0\\0\\0\\0' >&4;;\nesac");
	assert_int_equal(run(&s, &err), DM_OK);
	assert_string_equal(s.format, "pcap");
	assert_int_equal(s.rows, 3);
	/* one that is never content */
	worker_is("printf '\\004\\0\\0\\0\\010\\0\\0\\0pcap\\0\\0\\0\\0' >&4");
	assert_int_equal(run(&s, &err), DM_EWORKER);
}

static void the_verdict_of_the_importer_is_passed_on(void **state)
{
	struct dm_err sent = {.line = 7}, err = {0};
	struct dm_batch_writer *w;
	struct dm_worker_result ret;
	struct seen s = {0};
	int fd = open(frames_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
	    in = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(fd >= 0 && in >= 0);
	assert_int_equal(dm_batch_writer_new(&w, fd), DM_OK);
	assert_int_equal(dm_batch_writer_format(w, "zeek-tsv"), DM_OK);
	dm_fail(&sent, DM_EFORMAT, "cut off");
	assert_int_equal(dm_batch_writer_finish(w, DM_EFORMAT, &sent), DM_OK);
	dm_batch_writer_free(w);
	close(fd);
	worker_is("cat $F >&4");
	assert_int_equal(run_fd(&s, in, NULL, &ret, &err), DM_OK);
	assert_int_equal(ret.code, DM_EFORMAT);
	assert_int_equal(ret.err.line, 7);
	assert_string_equal(ret.err.msg, "cut off");
	/* the same without a format is a job that could not be done */
	worker_is("tail -c +17 $F >&4");
	assert_int_equal(run_fd(&s, in, NULL, &ret, &err), DM_EFORMAT);
	assert_string_equal(err.msg, "cut off");
	close(in);
}

static void a_worker_inherits_nothing(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};
	int spare = fcntl(STDIN_FILENO, F_DUPFD,
			  33); /* not close-on-exec, as a careless library would leave it */

	(void)state;
	assert_int_equal(spare, 33);
	assert_int_equal(setenv("DEMARCHE_SECRET", "x", 1), 0);
	good_frames(3);
	worker_is("[ ! -e /proc/$$/fd/33 ] && [ -z \"$DEMARCHE_SECRET\" ] && [ \"$(readlink /proc/$$/fd/0)\" "
		  "= /dev/null ] && cat $F >&4");
	assert_int_equal(run(&s, &err), DM_OK);
	close(spare);
}

static void unknown_formats_and_missing_workers_are_told(void **state)
{
	struct seen s = {0};
	struct dm_err err = {0};
	struct dm_worker_result ret;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(run_fd(&s, in, "zeek-tvs", &ret, &err), DM_EINVAL);
	assert_non_null(strstr(err.msg, "zeek-tvs"));
	unlink(worker_path);
	assert_int_equal(run_fd(&s, in, NULL, &ret, &err), DM_EUNSUPPORTED);
	assert_non_null(strstr(err.msg, folder));
	close(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_worker_is_heard),
		cmocka_unit_test(a_worker_that_dies_is_named_with_its_signal),
		cmocka_unit_test(rows_before_the_death_are_told),
		cmocka_unit_test(a_worker_that_stops_short_is_no_success),
		cmocka_unit_test(a_worker_that_lies_is_refused),
		cmocka_unit_test(a_worker_that_hangs_is_ended),
		cmocka_unit_test(a_worker_that_reads_on_does_not_hang),
		cmocka_unit_test(a_worker_that_waits_for_a_slow_pipe_does_not_hang),
		cmocka_unit_test(a_callback_ends_the_job),
		cmocka_unit_test(what_a_format_needs_is_given_on_a_second_start),
		cmocka_unit_test(the_verdict_of_the_importer_is_passed_on),
		cmocka_unit_test(a_worker_inherits_nothing),
		cmocka_unit_test(unknown_formats_and_missing_workers_are_told),
	};
	return cmocka_run_group_tests_name("worker", tests, set_up, tear_down);
}
