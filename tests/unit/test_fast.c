/* Units of import/: alerts in fast.log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sink_recorder.h"

static struct recorder r;

static int setup(void **state)
{
	recorder_init(&r);
	return 0;
}

static int teardown(void **state)
{
	recorder_done(&r);
	return 0;
}

static void has(size_t i, const char *pair)
{
	if (!recorder_has(&r, i, pair))
		fail_msg("no %s in %s", pair, recorder_record(&r, i));
}

static void lacks(size_t i, const char *name)
{
	if (recorder_values(&r, i, name))
		fail_msg("%s in %s", name, recorder_record(&r, i));
}

static void run(const char *name, const char *text)
{
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_fast, name, text, strlen(text), NULL), 0);
}

#define ALERT                                                                                                \
	"08/02/2014-10:50:25.823699  [**] [1:2403388:7] ET X [group] [**] [Classification: Misc Attack] "    \
	"[Priority: 2] {TCP} 192.0.2.1:3000 -> 198.51.100.2:443\n"

static void reads_suricata(void **state)
{
	run("fast.log", ALERT);
	assert_string_equal(recorder_record(&r, 0),
			    "alert|2014-08-02T10:50:25.823699Z|1|rule.id=2403388|rule.name=ET X "
			    "[group]|rule.category=Misc Attack|"
			    "event.severity=2|network.transport=tcp|source.ip=192.0.2.1|source.port=3000|"
			    "destination.ip=198.51.100.2|destination.port=443|event.dataset=suricata.fast");
	assert_non_null(strstr(recorder_meta(&r, "note"), "time zone"));
	run("fast.log",
	    "08/02/2014-10:50:25.823699  [Drop] [**] [1:6:1] (null) [**] [Classification: (null)] [Priority: "
	    "3] {IPv6-ICMP} "
	    "2001:0db8:0000:0000:0000:0000:0000:0001:128 -> ff02:0000:0000:0000:0000:0000:0000:0001:0\n");
	has(0, "source.ip=2001:db8::1");
	has(0, "icmp.type=128");
	has(0, "icmp.code=0");
	lacks(0, "rule.name");
	assert_true(!strncmp(recorder_record(&r, 0), "alert|2014-08-02T10:50:25.823699Z|", 34));
}

static void reads_snort(void **state)
{
	static const char text[] = "08/02-10:50:25.823699  [**] [1:6:1] a [**] [Priority: 0] {UDP} 192.0.2.1 "
				   "-> [2001:db8::1]:53\n";
	struct dm_import_input in = {.year_hint = 2019};

	run("alert", text);
	assert_true(!strncmp(recorder_record(&r, 0), "alert|-|1|", 10));
	has(0, "event.unparsed=time=08/02-10:50:25.823699");
	has(0, "source.ip=192.0.2.1");
	has(0, "destination.ip=2001:db8::1");
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_fast, "alert", text, strlen(text), &in), 0);
	assert_true(!strncmp(recorder_record(&r, 0), "alert|2019-08-02T10:50:25.823699Z|1|", 36));
}

static void reports_bad_lines_and_goes_on(void **state)
{
	run("x", ALERT "nonsense\n\n08/02/2014-10:50:25.8  [**] [1:6:1] cut\n" ALERT);
	assert_int_equal(r.records, 2);
	assert_int_equal(r.skips, 2);
	assert_string_equal(recorder_skip(&r, 0), "2: not an alert: nonsense");
}

static void tells_its_own(void **state)
{
	char path[512];

	assert_true(dm_import_fast.probe(DM_SV(ALERT), "x") > 90);
	assert_int_equal(dm_import_fast.probe(DM_SV("a [**] b\n"), "x"), 0);
	assert_int_equal(dm_import_fast.probe(DM_SV(""), "x"), 0);
	if (!recorder_shared("data/suricata/fast-http2-files.log", path, sizeof(path)))
		skip();
	assert_int_equal(recorder_run_file(&r, &dm_import_fast, path, NULL), 0);
	assert_int_equal(r.records, 28);
	assert_int_equal(r.skips, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_suricata, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_snort, setup, teardown),
		cmocka_unit_test_setup_teardown(reports_bad_lines_and_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_its_own, setup, teardown),
	};

	return cmocka_run_group_tests_name("fast", tests, NULL, NULL);
}
