/* The command line: parsing by the table, suggestions, tables that fit, output that is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/grid.h"
#include "import/importer.h"
#include "model/observable.h"

#define PARSE(cli, ...) parse(cli, (const char *[]){"demarche", __VA_ARGS__, NULL})

static int silent_fd;

/* Errors of the parser go to standard error: look at them where they matter, keep them out of the log else.
 */
static int parse(struct dm_cli *cli, const char *const *argv)
{
	int argc = 0, saved = dup(STDERR_FILENO), rc;

	while (argv[argc])
		argc++;
	dup2(silent_fd, STDERR_FILENO);
	rc = dm_cli_parse(cli, argc, (char **)(uintptr_t)argv);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return rc;
}

static char *said(void)
{
	static char text[4096];
	ssize_t n = pread(silent_fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = 0;
	assert_int_equal(ftruncate(silent_fd, 0), 0);
	assert_int_equal(lseek(silent_fd, 0, SEEK_SET), 0);
	return text;
}

static void options_are_taken_in_every_spelling(void **state)
{
	struct dm_cli cli;

	(void)state;
	assert_int_equal(PARSE(&cli, "hunt", "-i", "a", "-ib", "--indicators", "c", "--indicators=d",
			       "--count", "log"),
			 0);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(dm_cli_nth(&cli, "indicators", i),
				    ((const char *[]){"a", "b", "c", "d"})[i]);
	assert_null(dm_cli_nth(&cli, "indicators", 4));
	assert_true(dm_cli_has(&cli, "count"));
	assert_false(dm_cli_has(&cli, "all"));
	assert_int_equal(cli.nargs, 1);
	assert_string_equal(cli.args[0], "log");
	dm_cli_done(&cli);
}

static void words_behind_two_dashes_are_arguments(void **state)
{
	struct dm_cli cli;

	(void)state;
	assert_int_equal(PARSE(&cli, "hunt", "--count", "--", "--all", "-", "-x"), 0);
	assert_int_equal(cli.nargs, 3);
	assert_string_equal(cli.args[0], "--all");
	assert_false(dm_cli_has(&cli, "all"));
	dm_cli_done(&cli);
	assert_int_equal(PARSE(&cli, "import", "-"), 0);
	assert_string_equal(cli.args[0], "-");
	dm_cli_done(&cli);
}

static void global_options_stand_anywhere(void **state)
{
	struct dm_cli cli;

	(void)state;
	assert_int_equal(PARSE(&cli, "--home", "/x", "status", "--json"), 0);
	assert_true(cli.json);
	assert_int_equal(dm_cli_home(&cli, NULL), DM_OK);
	assert_string_equal(cli.home, "/x");
	dm_cli_done(&cli);
}

static void the_home_is_found_in_order(void **state)
{
	struct dm_cli cli;

	(void)state;
	assert_int_equal(setenv("HOME", "/h", 1) | setenv("XDG_STATE_HOME", "/s", 1) |
				 setenv("DEMARCHE_HOME", "/d", 1),
			 0);
	assert_int_equal(PARSE(&cli, "status"), 0);
	assert_int_equal(dm_cli_home(&cli, NULL), DM_OK);
	assert_string_equal(cli.home, "/d");
	dm_cli_done(&cli);
	unsetenv("DEMARCHE_HOME");
	assert_int_equal(PARSE(&cli, "status"), 0);
	assert_int_equal(dm_cli_home(&cli, NULL), DM_OK);
	assert_string_equal(cli.home, "/s/demarche");
	dm_cli_done(&cli);
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_int_equal(PARSE(&cli, "status"), 0);
	assert_int_equal(dm_cli_home(&cli, NULL), DM_OK);
	assert_string_equal(cli.home, "/h/.local/state/demarche");
	dm_cli_done(&cli);
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	assert_int_equal(PARSE(&cli, "status"), 0);
	assert_int_equal(dm_cli_home(&cli, NULL), DM_ECONFIG);
	dm_cli_done(&cli);
}

static void small_mistakes_are_met_kindly(void **state)
{
	static const struct {
		const char *argv[6];
		const char *say;
	} cases[] = {
		{{"demarche", "hnt"}, "unknown verb 'hnt', did you mean 'hunt'?"},
		{{"demarche", "stat"}, "did you mean 'status'?"},
		{{"demarche", "frobnicate"}, "unknown verb 'frobnicate'\n"},
		{{"demarche", "hunt", "--formt", "json"}, "did you mean '--format'?"},
		{{"demarche", "hunt", "--format=jsno"}, "did you mean 'json'?"},
		{{"demarche", "hunt", "--format", "xls"}, "it is one of table, json"},
		{{"demarche", "hunt", "--tlp", "red"}, "`demarche import` has it"},
		{{"demarche", "--count", "hunt"}, "belongs behind the verb, as in `demarche hunt --count`"},
		{{"demarche", "hunt", "-i"}, "-i wants a LIST"},
		{{"demarche", "hunt", "--limit", "many"}, "wants a number, not 'many'"},
		{{"demarche", "hunt", "--limit", "99999999999999999999"}, "wants a number"},
		{{"demarche", "hunt", "--since", "today"}, "--since wants a time such as"},
		{{"demarche", "hunt", "--count=yes"}, "--count takes no value"},
		{{"demarche", "hunt", "-o", "a", "-ob"}, "once only"},
		{{"demarche", "import"}, "needs an argument: FILE..."},
		{{"demarche", "status", "now"}, "takes no argument such as 'now'"},
		{{"demarche", "show", "a", "b"}, "not also 'b'"},
		{{"demarche"}, "a verb is missing"},
		{{"demarche", "hunt", "-\x1b"}, "unknown option '-\\x1B'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dm_cli cli;
		const char *text;

		said();
		assert_int_equal(parse(&cli, cases[i].argv), DM_EXIT_USAGE);
		text = said();
		if (!strstr(text, cases[i].say) || strncmp(text, "demarche: ", 10) != 0 ||
		    !strstr(text, "--help` "))
			fail_msg("%s: %s", cases[i].say, text);
		dm_cli_done(&cli);
	}
}

static void a_cluster_of_switches_has_room(void **state)
{
	struct dm_cli cli;

	(void)state;
	assert_int_equal(
		PARSE(&cli, "-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"), 0);
	assert_int_equal(cli.nvalues, 72);
	dm_cli_done(&cli);
}

static void times_can_be_spans(void **state)
{
	int64_t now = 1416816000ll * DM_US, t; /* 2014-11-24T08:00:00Z */

	(void)state;
	assert_true(dm_cli_time_parse("7d", now, &t) && t == now - 7 * DM_DAY_US);
	assert_true(dm_cli_time_parse("90s", now, &t) && t == now - 90 * DM_US);
	assert_true(dm_cli_time_parse("2014-11-24", now, &t) && t == 1416787200ll * DM_US);
	assert_false(dm_cli_time_parse("d", now, &t));
	assert_false(dm_cli_time_parse("-1d", now, &t));
	assert_false(dm_cli_time_parse("99999999999999d", now, &t));
	assert_false(dm_cli_time_parse("", now, &t));
}

static bool offers(const char *verb, const char *option, const char *choice)
{
	for (const struct dm_option *o = dm_verb_find(verb)->options; o->name; o++)
		for (size_t i = 0; !strcmp(o->name, option) && o->choices[i]; i++)
			if (!strcmp(o->choices[i], choice))
				return true;
	return false;
}

static void every_format_is_offered(void **state)
{
	(void)state;
	for (size_t i = 0; dm_importers[i]; i++)
		if (!offers("import", "format", dm_importers[i]->name))
			fail_msg("import --format does not offer %s", dm_importers[i]->name);
	for (const struct dm_option *o = dm_verb_find("import")->options; o->name; o++)
		for (size_t i = 0; !strcmp(o->name, "format") && o->choices[i]; i++)
			if (!dm_importer_by_name(o->choices[i]))
				fail_msg("import --format offers %s, which is none", o->choices[i]);
}

static void the_table_agrees_with_the_program(void **state)
{
	(void)state;
	for (const struct dm_verb *v = dm_verbs; v->name; v++) {
		assert_non_null(v->run);
		assert_true(v->text[0] && v->summary[0] >= 'a');
		for (const struct dm_option *o = v->options; o->name; o++) {
			assert_int_equal(o->arg == DM_ARG_NONE, o->placeholder == NULL);
			for (const struct dm_option *g = dm_global_options; g->name; g++)
				assert_true(strcmp(o->name, g->name) != 0 &&
					    (!o->brief || o->brief != g->brief));
			if (strcmp(o->name, "type") != 0)
				continue;
			for (size_t i = 0; o->choices[i]; i++)
				assert_string_equal(dm_obs_name(dm_obs_from_name(dm_sv_str(o->choices[i]))),
						    o->choices[i]);
		}
	}
}

/* What went to an output, as text. */
static char *printed(struct dm_out *out)
{
	static char text[1u << 16];
	ssize_t n;

	assert_int_equal(dm_out_finish(out, NULL), DM_OK);
	n = pread(out->fd, text, sizeof text - 1, 0);
	assert_true(n >= 0);
	text[n] = 0;
	close(out->fd);
	dm_out_done(out);
	return text;
}

static const struct dm_grid_column columns[] = {
	{.title = "time", .min = 10},
	{.title = "count", .right = true},
	{.title = "what", .min = 6},
	{.title = "source", .priority = 2, .min = 6},
};

static char *grid(unsigned width, bool tty)
{
	struct dm_out out;
	struct dm_grid g;

	dm_out_init(&out, memfd_create("out", MFD_CLOEXEC), true);
	out.width = width;
	out.tty = tty;
	assert_int_equal(dm_grid_begin(&g, &out, columns, 4), DM_OK);
	dm_grid_str(&g, "2014-11-24");
	dm_grid_number(&g, 1234567);
	dm_grid_str(&g, "a-very-long-name-of-a-host.example.org");
	dm_grid_str(&g, "report of partner X");
	dm_grid_str(&g, "2014-11-25");
	dm_grid_number(&g, 7);
	dm_grid_str(&g, "\x1b[31mred\x1b[0m\xe2\x80\xae");
	dm_grid_str(&g, "b\xc3\xa9t\xc3\xa9");
	assert_int_equal(dm_grid_end(&g), DM_OK);
	return printed(&out);
}

static void a_table_fits_its_terminal(void **state)
{
	for (unsigned width = 40; width <= 120; width++) {
		struct dm_sv rest = dm_sv_str(grid(width, true));

		while (rest.n) {
			struct dm_sv line = dm_sv_split(&rest, '\n');

			if (dm_term_width(line) > width)
				fail_msg("%u: %.*s", width, (int)line.n, line.p);
		}
	}
	assert_non_null(strstr(grid(60, true), "1,234,567"));
	assert_non_null(strstr(grid(60, true), "\xe2\x80\xa6"));
	assert_null(strstr(grid(34, true), "source")); /* the column that matters least goes first */
	(void)state;
}

static void a_table_in_a_pipe_is_whole_and_safe(void **state)
{
	char *text = grid(0, false);

	(void)state;
	assert_non_null(strstr(text, "a-very-long-name-of-a-host.example.org  report of partner X\n"));
	assert_non_null(strstr(text, "1234567"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_non_null(strstr(text, "time"));
}

static void long_tables_come_in_pages(void **state)
{
	struct dm_out out;
	struct dm_grid g;
	char *text;
	size_t lines = 0;

	(void)state;
	dm_out_init(&out, memfd_create("out", MFD_CLOEXEC), false);
	assert_int_equal(dm_grid_begin(&g, &out, columns, 2), DM_OK);
	for (uint64_t i = 0; i < DM_GRID_PAGE + 1; i++) {
		dm_grid_str(&g, "x");
		dm_grid_number(&g, i);
	}
	assert_int_equal(dm_grid_end(&g), DM_OK);
	text = printed(&out);
	for (char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, DM_GRID_PAGE + 2);
	assert_non_null(strstr(text, "512\n"));
}

static void a_full_disk_is_an_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct dm_err err = {0};
	struct dm_out out;

	(void)state;
	if (fd < 0)
		skip();
	dm_out_init(&out, fd, false);
	dm_buf_str(&out.buf, "a result");
	assert_int_equal(dm_out_finish(&out, &err), DM_ENOSPC);
	assert_int_equal(dm_exit_of(err.code), DM_EXIT_IO);
	assert_non_null(strstr(err.msg, "cannot write the output"));
	dm_out_done(&out);
	close(fd);
}

static void errors_have_one_shape(void **state)
{
	struct dm_err err = {.line = 7};
	struct dm_cli cli = {0};
	int saved = dup(STDERR_FILENO), code;

	(void)state;
	dm_fail(&err, DM_EFORMAT, "no \x1b[2J here");
	dm_err_source(&err, "conn\n.log");
	dm_err_remedy(&err, "look at it");
	said();
	dup2(silent_fd, STDERR_FILENO);
	code = dm_cli_error(&cli, &err);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(code, DM_EXIT_DATA);
	assert_string_equal(said(), "demarche: conn\\x0A.log:7: no \\x1B[2J here\n  look at it\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_in_every_spelling),
		cmocka_unit_test(words_behind_two_dashes_are_arguments),
		cmocka_unit_test(global_options_stand_anywhere),
		cmocka_unit_test(the_home_is_found_in_order),
		cmocka_unit_test(small_mistakes_are_met_kindly),
		cmocka_unit_test(a_cluster_of_switches_has_room),
		cmocka_unit_test(times_can_be_spans),
		cmocka_unit_test(every_format_is_offered),
		cmocka_unit_test(the_table_agrees_with_the_program),
		cmocka_unit_test(a_table_fits_its_terminal),
		cmocka_unit_test(a_table_in_a_pipe_is_whole_and_safe),
		cmocka_unit_test(long_tables_come_in_pages),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(errors_have_one_shape),
	};

	silent_fd = memfd_create("said", MFD_CLOEXEC);
	return silent_fd < 0 ? 1 : cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
