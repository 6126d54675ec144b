/* Units of base/: times read exactly, printed so that they read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "base/time.h"

static struct dm_buf out;

static void assert_read(const char *text, const char *want)
{
	int64_t t = 0;

	if (!dm_time_parse(dm_sv_str(text), &t))
		fail_msg("%s was refused", text);
	dm_buf_clear(&out);
	dm_time_put(&out, t);
	assert_string_equal(dm_buf_cstr(&out), want);
}

static void the_spellings_of_logs_are_read(void **state)
{
	assert_read("2014-12-19T10:00:00Z", "2014-12-19T10:00:00Z");
	assert_read("2014-12-19t10:00:00z", "2014-12-19T10:00:00Z");
	assert_read("2014-12-19T10:00:00.5Z", "2014-12-19T10:00:00.500000Z");
	assert_read("2014-12-19T10:00:00,123+0100", "2014-12-19T09:00:00.123000Z");
	assert_read("2014-12-19T10:00:00.123456999-05:30", "2014-12-19T15:30:00.123456Z");
	assert_read("2014-12-19 10:00:00", "2014-12-19T10:00:00Z");
	assert_read("2014-12-19 10:00:00 UTC", "2014-12-19T10:00:00Z");
	assert_read("2014-12-19 10:00:00 +0900", "2014-12-19T01:00:00Z");
	assert_read("2014-12-19 10:00:00+09", "2014-12-19T01:00:00Z");
	assert_read("2014-12-19T10:00", "2014-12-19T10:00:00Z");
	assert_read("2014-12-19", "2014-12-19T00:00:00Z");
	assert_read("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
	assert_read("2000-02-29", "2000-02-29T00:00:00Z");
	assert_read("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
	assert_read("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z");
	assert_read("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z");
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2014",
		"2014-12",
		"2014-12-1",
		"2014-13-01",
		"2014-00-01",
		"2014-12-00",
		"2014-12-32",
		"2015-02-29",
		"1900-02-29",
		"0000-01-01",
		"2014-12-19T",
		"2014-12-19T24:00:00Z",
		"2014-12-19T10:60:00Z",
		"2014-12-19T10:00:61Z",
		"2014-12-19T10:00:00.Z",
		"2014-12-19T10:00:00+",
		"2014-12-19T10:00:00+1",
		"2014-12-19T10:00:00+24:00",
		"2014-12-19T10:00:00+01:60",
		"2014-12-19T10:00:00+01:0",
		"2014-12-19T10:00:00+01:00x",
		"2014-12-19T10:00:00ZZ",
		"2014-12-19T10:00:00 ",
		"2014-12-19T10:00:00Zulu",
		"2014-12-19x10:00:00",
		"+2014-12-19",
		" 2014-12-19",
		"2014/12/19",
		"0001-01-01T00:00:00+01:00",
		"9999-12-31T23:59:59-01:00",
		"2014-12-1\xb9",
	};
	int64_t t = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (dm_time_parse(dm_sv_str(bad[i]), &t))
			fail_msg("%s was accepted", bad[i]);
	assert_false(dm_time_parse(DM_SV("2014-12-19T10:00:00Z\0"), &t));
	assert_int_equal(t, 7);
}

static void epochs_are_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} good[] = {
		{"1713484795.943239", 1713484795943239},
		{"0", 0},
		{"0.000001", 1},
		{"1.9999999", 1999999},
		{"-1.5", -1500000},
		{"-0.0000001", -1},
		{"1331901000.1", 1331901000100000},
		{"00012", 12000000},
		/* A double would give ...239.1 for one and ...240.9 for the other. */
		{"253402300799.999999", 253402300799999999},
		{"-62135596800", -62135596800000000},
	};
	static const char *const bad[] = {"",
					  "-",
					  ".",
					  "1.",
					  ".5",
					  "+1",
					  "1e9",
					  "1 ",
					  " 1",
					  "1.5.",
					  "0x1",
					  "253402300800",
					  "nan",
					  "-62135596800.000001",
					  "99999999999999999999999999",
					  "-"};
	int64_t t;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(dm_time_parse_epoch(dm_sv_str(good[i].text), &t));
		assert_true(t == good[i].want);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (dm_time_parse_epoch(dm_sv_str(bad[i]), &t))
			fail_msg("%s was accepted", bad[i]);
}

/* Against the C library's calendar, over all days of years 1 to 9999 in steps that meet each day of week,
 * month and leap rule. */
static void the_calendar_agrees_with_the_library(void **state)
{
	for (int64_t day = -719162; day <= 2932896; day += 7 + day % 3) {
		time_t seconds = (time_t)(day * 86400 + (day * 7919 % 86400 + 86400) % 86400);
		int64_t us = (int64_t)seconds * DM_US + 45, back;
		struct tm tm;
		char want[64];

		gmtime_r(&seconds, &tm);
		snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.000045Z", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		dm_buf_clear(&out);
		dm_time_put_full(&out, us);
		assert_string_equal(dm_buf_cstr(&out), want);
		assert_true(dm_time_parse(dm_buf_view(&out), &back) && back == us);
		assert_int_equal(dm_day_of(us), day);
	}
}

static void any_number_can_be_printed(void **state)
{
	static const struct {
		int64_t us;
		const char *want;
	} t[] = {
		{INT64_MAX, "+294247-01-10T04:00:54.775807Z"},
		{INT64_MIN + 1, "-290308-12-21T19:59:05.224193Z"},
		{DM_NO_TIME, "unknown"},
		{0, "1970-01-01T00:00:00Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{253402300800 * DM_US, "+010000-01-01T00:00:00Z"},
		{-62135596801 * DM_US, "0000-12-31T23:59:59Z"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		dm_buf_clear(&out);
		dm_time_put(&out, t[i].us);
		assert_string_equal(dm_buf_cstr(&out), t[i].want);
	}
	dm_buf_clear(&out);
	dm_day_put(&out, INT32_MAX);
	dm_day_put(&out, INT32_MIN);
	dm_day_put(&out, 16423);
	assert_string_equal(dm_buf_cstr(&out), "+5881580-07-11-5877641-06-232014-12-19");
	assert_int_equal(dm_day_of(-1), -1);
	assert_int_equal(dm_day_of(-DM_DAY_US), -1);
	assert_int_equal(dm_day_of(-DM_DAY_US - 1), -2);
}

static void durations_have_two_units_at_the_most(void **state)
{
	static const struct {
		int64_t us;
		const char *want;
	} t[] = {
		{0, "0 s"},
		{7, "7 us"},
		{812999, "812 ms"},
		{4200000, "4.2 s"},
		{4000000, "4 s"},
		{59999999, "59.9 s"},
		{60 * DM_US, "1 min"},
		{192 * DM_US, "3 min 12 s"},
		{11520 * DM_US, "3 h 12 min"},
		{2 * DM_DAY_US, "2 d"},
		{2 * DM_DAY_US + 3600 * DM_US, "2 d 1 h"},
		{-1500000, "-1.5 s"},
		{INT64_MIN, "-106751991 d 4 h"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		dm_buf_clear(&out);
		dm_duration_put(&out, t[i].us);
		assert_string_equal(dm_buf_cstr(&out), t[i].want);
	}
}

static void clocks_run(void **state)
{
	assert_true(dm_now() > 1400000000 * DM_US);
	assert_true(dm_monotonic_us() <= dm_monotonic_us());
}

static int setup(void **state)
{
	dm_buf_init(&out, 4096);
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
		cmocka_unit_test(the_spellings_of_logs_are_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(epochs_are_exact),
		cmocka_unit_test(the_calendar_agrees_with_the_library),
		cmocka_unit_test(any_number_can_be_printed),
		cmocka_unit_test(durations_have_two_units_at_the_most),
		cmocka_unit_test(clocks_run),
	};
	return cmocka_run_group_tests_name("time", tests, setup, teardown);
}
