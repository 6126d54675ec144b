/* The whole way with the real worker: start, confinement, a second start, a pipe, a verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"
#include "hunt/pattern_job.h"
#include "import/worker.h"

struct seen {
	char format[64], reason[200];
	uint64_t rows, indicators, skipped;
	char value[200];
};

static int on_format(void *ctx, const struct dm_importer *imp)
{
	struct seen *s = ctx;

	snprintf(s->format, sizeof s->format, "%s", imp->name);
	return DM_OK;
}

static int on_rows(void *ctx, const struct dm_batch *b)
{
	((struct seen *)ctx)->rows += b->nrows;
	return DM_OK;
}

static int on_indicator(void *ctx, const struct dm_indicator *ind)
{
	struct seen *s = ctx;

	s->indicators++;
	snprintf(s->value, sizeof s->value, "%.*s", (int)ind->value.n, ind->value.p);
	return DM_OK;
}

static int on_skip(void *ctx, uint64_t line, struct dm_sv reason)
{
	struct seen *s = ctx;

	(void)line;
	s->skipped++;
	snprintf(s->reason, sizeof s->reason, "%.*s", (int)reason.n, reason.p);
	return DM_OK;
}

static int take(int fd, struct seen *s, struct dm_err *err)
{
	struct dm_worker_job job = {.fd = fd, .name = "input", .want = DM_EITHER};
	struct dm_worker_events ev = {
		.ctx = s, .format = on_format, .rows = on_rows, .indicator = on_indicator, .skip = on_skip};
	struct dm_worker_result ret;
	int rc;

	*s = (struct seen){0};
	*err = (struct dm_err){0};
	rc = dm_worker_run(&job, &ev, &ret, err);
	if (!rc && ret.code) {
		*err = ret.err;
		rc = ret.code;
	}
	return rc;
}

static int file_of(const void *p, size_t n)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* A pipe into which a child writes in two pieces, a while apart. */
static int pipe_of(const void *p, size_t n, size_t first, unsigned wait_us)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		ssize_t r = write(ends[1], p, first);

		usleep(wait_us);
		r += write(ends[1], (const char *)p + first, n - first);
		_exit(r != (ssize_t)n);
	}
	close(ends[1]);
	return ends[0];
}

static size_t pack(const char *text, char *packed, size_t cap)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text,
		      .avail_in = (uInt)strlen(text),
		      .next_out = (Bytef *)packed,
		      .avail_out = (uInt)cap};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK); /* 16: gzip */
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static const char zeek[] =
	"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n"
	"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\n"
	"1416816000.000001\tC1\t192.0.2.1\t1024\t203.0.113.7\t443\ttcp\n"
	"1416816001.000001\tC2\t192.0.2.2\t1025\t203.0.113.7\t443\ttcp\n";

static const char eve[] =
	"{\"timestamp\":\"2014-11-24T08:00:00.000000+0000\",\"flow_id\":1,\"event_type\":\"dns\",\"src_ip\":"
	"\"192.0.2.1\",\"src_port\":1024,\"dest_ip\":\"192.0.2.53\",\"dest_port\":53,\"proto\":\"UDP\","
	"\"dns\":{"
	"\"type\":\"query\",\"id\":1,\"rrname\":\"b\xc3\xbc"
	"cher.example\",\"rrtype\":\"A\",\"tx_id\":0}}\n";

static void a_log_is_read_from_a_file_and_from_a_slow_pipe(void **state)
{
	struct dm_err err;
	struct seen s;
	int fd = file_of(zeek, sizeof zeek - 1);

	(void)state;
	assert_int_equal(take(fd, &s, &err), DM_OK);
	assert_string_equal(s.format, "zeek-tsv");
	assert_int_equal(s.rows, 2);
	close(fd);
	/* cut within the header, and within a row */
	for (size_t first = 40; first < sizeof zeek - 1; first += 120) {
		fd = pipe_of(zeek, sizeof zeek - 1, first, first == 40 ? 600000 : 1000);
		assert_int_equal(take(fd, &s, &err), DM_OK);
		assert_int_equal(s.rows, 2);
		close(fd);
		wait(NULL);
	}
}

/* The head that is kept of a pipe, and one byte less and more of input. */
static void a_pipe_may_be_longer_than_its_head(void **state)
{
	static char text[DM_WORKER_HEAD + 4096];
	struct dm_err err;
	struct seen s;

	(void)state;
	for (int more = -1; more <= 4000; more += more < 1 ? 1 : 3999) {
		size_t n = sizeof zeek - 1, want = (size_t)((int)DM_WORKER_HEAD + more), rows = 2;
		int fd;

		memcpy(text, zeek, n);
		for (; want - n > 70; rows++) {
			int k = snprintf(text + n, sizeof text - n,
					 "1416816002.000001\tC%zu\t192.0.2.1\t1024\t203.0.113.7\t443\ttcp\n",
					 rows);

			n += (size_t)k;
		}
		memset(text + n, '#', want - n); /* a comment of the right length */
		fd = pipe_of(text, want, want, 0);
		assert_int_equal(take(fd, &s, &err), DM_OK);
		assert_int_equal(s.rows, rows);
		close(fd);
		wait(NULL);
	}
}

static void packed_json_gets_its_reader_on_a_second_start(void **state)
{
	char packed[4096];
	size_t n = pack(eve, packed, sizeof packed);
	struct dm_err err;
	struct seen s;
	int fd = file_of(packed, n);

	(void)state;
	assert_int_equal(take(fd, &s, &err), DM_OK);
	assert_string_equal(s.format, "suricata-eve");
	assert_int_equal(s.rows, 1);
	close(fd);
	fd = pipe_of(packed, n, n / 2, 1000);
	assert_int_equal(take(fd, &s, &err), DM_OK);
	assert_int_equal(s.rows, 1);
	close(fd);
	wait(NULL);
}

/* The library for such names is loaded before confinement; loading it later would be the end of the worker.
 */
static void names_outside_ascii_do_not_end_the_worker(void **state)
{
	static const char report[] = "203.0.113.7\nb\xc3\xbc"
				     "cher.example\n";
	struct dm_err err;
	struct seen s;
	int fd = file_of(eve, sizeof eve - 1);

	(void)state;
	assert_int_equal(take(fd, &s, &err), DM_OK);
	assert_int_equal(s.rows, 1);
	close(fd);
	fd = file_of(report, sizeof report - 1);
	assert_int_equal(take(fd, &s, &err), DM_OK);
	assert_int_equal(s.indicators, 2);
	assert_string_equal(s.value, "xn--bcher-kva.example");
	close(fd);
}

static void what_is_nothing_known_is_told(void **state)
{
	uint8_t noise[5000];
	struct dm_err err;
	struct seen s;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 2654435761u >> 13);
	noise[0] = 0;
	fd = file_of(noise, sizeof noise);
	assert_int_equal(take(fd, &s, &err), DM_EUNSUPPORTED);
	assert_string_equal(err.source, "input");
	assert_true(err.msg[0] && err.remedy[0]);
	close(fd);
	fd = file_of("", 0);
	assert_int_equal(take(fd, &s, &err), DM_EFORMAT);
	assert_string_equal(err.msg, "it is empty");
	close(fd);
}

static void a_pattern_is_answered_by_a_confined_worker(void **state)
{
	static const char observed[] =
		"{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{\"type\":\"observed-data\",\"id\":"
		"\"observed-data--1\","
		"\"first_observed\":\"2014-11-24T08:00:00Z\",\"last_observed\":\"2014-11-24T08:00:00Z\","
		"\"number_observed\":1,"
		"\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":\"203.0.113.7\"}}}]}";
	struct dm_pattern_answer a = {0};
	struct dm_err err = {0};
	int fd = file_of(observed, sizeof observed - 1);

	(void)state;
	assert_int_equal(
		dm_pattern_ask(DM_SV("[ipv4-addr:value = '203.0.113.7']"), fd, "observed.json", &a, &err),
		DM_OK);
	assert_true(a.matched);
	assert_int_equal(a.observations, 1);
	assert_int_equal(a.n_ids, 1);
	assert_true(dm_sv_is(a.ids[0], "observed-data--1"));
	dm_pattern_answer_done(&a);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(
		dm_pattern_ask(DM_SV("[ipv4-addr:value MATCHES '^198']"), fd, "observed.json", &a, &err),
		DM_OK);
	assert_false(a.matched);
	dm_pattern_answer_done(&a);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dm_pattern_ask(DM_SV("[ipv4-addr:value = "), fd, "observed.json", &a, &err),
			 DM_EFORMAT);
	assert_string_equal(err.source, "pattern");
	close(fd);
}

static void a_pattern_has_a_bounded_length(void **state)
{
	static char pattern[DM_MAX_PATTERN + 2];
	struct dm_pattern_answer a;
	struct dm_err err = {0};
	int fd = file_of("[]", 2), rc;

	(void)state;
	memset(pattern, ' ', sizeof pattern);
	memcpy(pattern, "[ipv4-addr:value = '203.0.113.7']", 33);
	rc = dm_pattern_ask(dm_sv(pattern, DM_MAX_PATTERN), fd, "observed.json", &a, &err);
	assert_int_not_equal(rc, DM_ELIMIT);
	if (!rc)
		dm_pattern_answer_done(&a);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dm_pattern_ask(dm_sv(pattern, DM_MAX_PATTERN + 1), fd, "observed.json", &a, &err),
			 DM_ELIMIT);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_is_read_from_a_file_and_from_a_slow_pipe),
		cmocka_unit_test(a_pipe_may_be_longer_than_its_head),
		cmocka_unit_test(packed_json_gets_its_reader_on_a_second_start),
		cmocka_unit_test(names_outside_ascii_do_not_end_the_worker),
		cmocka_unit_test(what_is_nothing_known_is_told),
		cmocka_unit_test(a_pattern_is_answered_by_a_confined_worker),
		cmocka_unit_test(a_pattern_has_a_bounded_length),
	};

	return cmocka_run_group_tests_name("worker_real", tests, NULL, NULL);
}
