/* Units of base/: the progress line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/progress.h"
#include "base/text.h"
#include "base/time.h"

static struct dm_buf out;

static const char *line(const struct dm_progress *p, const char *name, unsigned columns)
{
	dm_buf_clear(&out);
	dm_progress_line(p, &out, "import", dm_sv_str(name), columns);
	return dm_buf_cstr(&out);
}

static void the_line_says_how_far_and_how_long(void **state)
{
	struct dm_progress p;

	dm_progress_start(&p, DM_PROGRESS_BYTES, 1200000000, 5 * DM_US);
	assert_string_equal(line(&p, "conn.log", 0), "import  conn.log  0 bytes of 1.2 GB");
	dm_progress_update(&p, 1, 5 * DM_US + 100);
	assert_string_equal(line(&p, "conn.log", 0), "import  conn.log  1 byte of 1.2 GB");
	for (unsigned i = 1; i <= 4; i++)
		dm_progress_update(&p, i * 103000000, 5 * DM_US + i * DM_US / 3);
	assert_string_equal(line(&p, "conn.log", 0),
			    "import  conn.log  412 MB of 1.2 GB  309 MB/s  3 s left");
	dm_progress_update(&p, 1200000000, 9 * DM_US);
	assert_non_null(strstr(line(&p, "conn.log", 0), "1.2 GB of 1.2 GB"));
	assert_non_null(strstr(line(&p, "conn.log", 0), "0 s left"));
	/* More than was announced: no time left is claimed. */
	dm_progress_update(&p, 1300000000, 10 * DM_US);
	assert_null(strstr(line(&p, "conn.log", 0), "left"));
}

static void what_is_not_known_is_left_out(void **state)
{
	struct dm_progress p;
	uint64_t left;

	dm_progress_start(&p, DM_PROGRESS_ITEMS, 0, 0);
	dm_progress_update(&p, 10062210, 2 * DM_US);
	assert_string_equal(line(&p, "rows", 0), "import  rows  10,062,210  5,031,105/s");
	assert_false(dm_progress_left(&p, &left));
	dm_progress_start(&p, DM_PROGRESS_ITEMS, 10, 0);
	assert_false(dm_progress_left(&p, &left));
	dm_progress_update(&p, 0, UINT64_MAX / 2);
	assert_false(dm_progress_left(&p, &left));
	dm_progress_start(&p, DM_PROGRESS_BYTES, UINT64_MAX, 0);
	dm_progress_update(&p, 1, 100 * (uint64_t)DM_US);
	assert_false(dm_progress_left(&p, &left));
}

/* The rate follows a change within the window, and a job that stands still comes to 0. */
static void the_rate_follows_a_change(void **state)
{
	struct dm_progress p;
	uint64_t now = 1000, done = 0;

	dm_progress_start(&p, DM_PROGRESS_BYTES, 0, now);
	for (unsigned i = 0; i < 100; i++)
		dm_progress_update(&p, done += 500000, now += DM_US / 2);
	assert_int_equal(dm_progress_rate(&p), 1000000);
	for (unsigned i = 0; i < 20; i++)
		dm_progress_update(&p, done += 50000, now += DM_US / 2);
	assert_int_equal(dm_progress_rate(&p), 100000);
	for (unsigned i = 0; i < 20; i++)
		dm_progress_update(&p, done, now += DM_US / 2);
	assert_int_equal(dm_progress_rate(&p), 0);
	/* A clock that goes back does nothing worse than to stand still. */
	dm_progress_update(&p, done + 5, 0);
	dm_progress_update(&p, 0, 1);
	assert_int_equal(dm_progress_rate(&p), 0);
}

static void names_are_cut_and_escaped(void **state)
{
	struct dm_progress p;

	dm_progress_start(&p, DM_PROGRESS_ITEMS, 0, 0);
	assert_string_equal(line(&p, "bad\x1b[2Jname", 0), "import  bad\\x1B[2Jname  0");
	for (unsigned columns = 20; columns < 80; columns++)
		assert_true(dm_term_width(dm_sv_str(
				    line(&p, "/var/log/zeek/2014-12-19/conn.10:00:00-11:00:00.log.gz",
					 columns))) <= columns);
	assert_string_equal(line(&p, "/var/log/zeek/2014-12-19/conn.10:00:00-11:00:00.log.gz", 41),
			    "import  /var/log/...00-11:00:00.log.gz  0");
	/* Wide characters on the seam, and no room at all. */
	for (unsigned columns = 1; columns < 60; columns++)
		assert_true(
			dm_term_width(dm_sv_str(line(
				&p,
				"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97",
				columns))) <= (columns < 14 ? 14 : columns));
}

static void amounts_have_three_digits_at_the_most(void **state)
{
	static const struct {
		uint64_t n;
		const char *bytes, *count;
	} t[] = {
		{0, "0 bytes", "0"},
		{1, "1 byte", "1"},
		{999, "999 bytes", "999"},
		{1000, "1 kB", "1,000"},
		{1999, "1.9 kB", "1,999"},
		{17000, "17 kB", "17,000"},
		{999999, "999 kB", "999,999"},
		{1200000000, "1.2 GB", "1,200,000,000"},
		{UINT64_MAX, "18 EB", "18,446,744,073,709,551,615"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		dm_buf_clear(&out);
		dm_bytes_put(&out, t[i].n);
		assert_string_equal(dm_buf_cstr(&out), t[i].bytes);
		dm_buf_clear(&out);
		dm_count_put(&out, t[i].n);
		assert_string_equal(dm_buf_cstr(&out), t[i].count);
	}
}

static int setup(void **state)
{
	dm_buf_init(&out, 65536);
	return 0;
}

static int teardown(void **state)
{
	dm_buf_done(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_says_how_far_and_how_long),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(the_rate_follows_a_change),
		cmocka_unit_test(names_are_cut_and_escaped),
		cmocka_unit_test(amounts_have_three_digits_at_the_most),
	};
	return cmocka_run_group_tests_name("progress", tests, setup, teardown);
}
