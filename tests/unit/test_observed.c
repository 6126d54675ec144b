/* Observed-data out of JSON in all its wrappings, and one pattern over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "hunt/observed.h"
#include "hunt/pattern_file.h"

#define TIMES(n)                                                                                             \
	"\"first_observed\": \"2014-12-19T10:00:0" #n "Z\", \"last_observed\": \"2014-12-19T10:00:0" #n      \
	"Z\", \"number_observed\": 1"
/* STIX 2.0: objects inside */
#define OLD(id, n, value)                                                                                    \
	"{\"type\": \"observed-data\", \"id\": \"observed-data--" id                                         \
	"\", " TIMES(n) ", \"objects\": {\"0\": {\"type\": \"file\", \"name\": \"" value "\"}}}"
/* STIX 2.1: objects beside */
#define NEW(id, n, refs)                                                                                     \
	"{\"type\": \"observed-data\", \"spec_version\": \"2.1\", \"id\": \"observed-data--" id              \
	"\", " TIMES(n) ", \"object_refs\": [" refs "]}"
#define FILE_OBJECT(id, value) "{\"type\": \"file\", \"id\": \"file--" id "\", \"name\": \"" value "\"}"
#define BUNDLE(objects)	       "{\"type\": \"bundle\", \"id\": \"bundle--1\", \"objects\": [" objects "]}"

/* What is in the text, the pattern, ids of the binding or how it fails. */
struct check {
	const char *text, *pattern, *want;
};

static const struct check wrappings[] = {
	{OLD("1", 1, "a"), "[file:name = 'a']", "observed-data--1"},
	{OLD("1", 1, "a"), "[file:name = 'b']", ""},
	{"[" OLD("1", 1, "a") ", " OLD("2", 2, "b") "]", "[file:name = 'a'] FOLLOWEDBY [file:name = 'b']",
	 "observed-data--1 observed-data--2"},
	{BUNDLE(OLD("1", 1, "a") ", " OLD("2", 2, "b")), "[file:name = 'a'] FOLLOWEDBY [file:name = 'b']",
	 "observed-data--1 observed-data--2"},
	{OLD("1", 1, "a") "\n" OLD("2", 2, "b") "\n", "[file:name = 'a'] AND [file:name = 'b']",
	 "observed-data--1 observed-data--2"},
	{BUNDLE(OLD("1", 1, "a")) "\n" BUNDLE(OLD("2", 2, "b")), "[file:name = 'a'] AND [file:name = 'b']",
	 "observed-data--1 observed-data--2"},
	{"[" BUNDLE(OLD("1", 1, "a")) ", " BUNDLE(OLD("2", 2, "b")) "]",
	 "[file:name = 'b'] AND [file:name = 'a']", "observed-data--1 observed-data--2"},
	{"\xef\xbb\xbf\r\n  " BUNDLE(OLD("1", 1, "a")) "  \r\n", "[file:name = 'a']", "observed-data--1"},
	{"{\"more\": false, \"objects\": [" OLD("1", 1, "a") "]}", "[file:name = 'a']", "observed-data--1"},
	{"{\"type\": \"bundle\", \"id\": \"bundle--1\"}", "[file:name = 'a']", ""},
	{"[]", "[file:name = 'a']", ""},
	{"", "[file:name = 'a']", ""},
	/* 2.1: references before and behind, into another bundle, to things that are not there */
	{BUNDLE(NEW("1", 1, "\"file--1\"") ", " FILE_OBJECT("1", "a")), "[file:name = 'a']",
	 "observed-data--1"},
	{BUNDLE(FILE_OBJECT("1", "a") ", " NEW("1", 1, "\"file--1\"")), "[file:name = 'a']",
	 "observed-data--1"},
	{"[" BUNDLE(NEW("1", 1, "\"file--1\"")) ", " BUNDLE(FILE_OBJECT("1", "a")) "]", "[file:name = 'a']",
	 "observed-data--1"},
	{NEW("1", 1, "\"file--1\"") "\n" FILE_OBJECT("1", "a"), "[file:name = 'a']", "observed-data--1"},
	{BUNDLE(NEW("1", 1, "\"file--2\"") ", " FILE_OBJECT("1", "a")), "[file:name = 'a']", ""},
	{BUNDLE(NEW("1", 1, "") ", " FILE_OBJECT("1", "a")), "[file:name = 'a']", ""},
	{BUNDLE(NEW("1", 1, "\"file--1\", \"file--1\", 5, null, \"file--2\"") ", " FILE_OBJECT(
		 "1", "a") ", " FILE_OBJECT("2", "b")),
	 "[file:name = 'b']", "observed-data--1"},
	{BUNDLE(FILE_OBJECT("1", "a")), "[file:name = 'a']", ""},
	{BUNDLE(NEW("1", 1, "\"file--1\"") ", " NEW("2", 2, "\"file--1\", \"file--2\"") ", " FILE_OBJECT(
		 "1", "a") ", " FILE_OBJECT("2", "b")),
	 "[file:name = 'a'] FOLLOWEDBY [file:name = 'b']", "observed-data--1 observed-data--2"},
	/* domain objects are never observed */
	{BUNDLE(NEW(
		 "1", 1,
		 "\"identity--1\"") ", {\"type\": \"identity\", \"id\": \"identity--1\", \"name\": \"x\"}"),
	 "[identity:name = 'x']", ""},
	/* objects inside an object of 2.1, by key; an empty dictionary beside references; a list */
	{"{\"type\": \"observed-data\", \"id\": \"observed-data--1\", " TIMES(
		 1) ", \"objects\": {\"0\": {\"type\": \"file\", \"id\": \"file--1\", "
		    "\"parent_directory_ref\": \"1\"}, \"1\": {\"type\": "
		    "\"directory\", \"path\": \"/x\"}}}",
	 "[file:parent_directory_ref.path = '/x']", "observed-data--1"},
	{BUNDLE("{\"type\": \"observed-data\", \"id\": \"observed-data--1\", " TIMES(
		 1) ", \"objects\": {}, \"object_refs\": [\"file--1\"]}, " FILE_OBJECT("1", "a")),
	 "[file:name = 'a']", "observed-data--1"},
	{"{\"type\": \"observed-data\", \"id\": \"observed-data--1\", " TIMES(
		 1) ", \"objects\": [{\"type\": \"file\", \"id\": \"x\", \"name\": \"a\"}]}",
	 "[file:name = 'a']", "observed-data--1"},
	/* without an id, without times, with a later version */
	{"[{\"type\": \"observed-data\", \"objects\": {}}, {\"type\": \"observed-data\", \"objects\": "
	 "{\"0\": {\"type\": \"t\", \"v\": 1}}}]",
	 "[t:v = 1]", "#2"},
	{"{\"type\": \"observed-data\", \"objects\": {\"0\": {\"type\": \"t\", \"v\": 1}}}",
	 "[t:v = 1] WITHIN 5 SECONDS", "#1"},
	{"{\"type\": \"observed-data\", \"first_observed\": \"yesterday\", \"objects\": {\"0\": {\"type\": "
	 "\"t\", \"v\": 1}}}",
	 "[t:v = 1] START t'2000-01-01T00:00:00Z' STOP t'2030-01-01T00:00:00Z'", ""},
	{"{\"type\": \"observed-data\", \"first_observed\": \"2014-12-19T10:00:00Z\", \"number_observed\": "
	 "3, \"objects\": {\"0\": "
	 "{\"type\": \"t\", \"v\": 1}}}",
	 "[t:v = 1] REPEATS 3 TIMES WITHIN 5 SECONDS", "#1"},
	{OLD("1", 1, "a") "\n" OLD("1", 1, "a"), "[file:name = 'a'] REPEATS 2 TIMES",
	 "observed-data--1 observed-data--1"},
	{"{\"modified\": \"2014-12-19T10:00:00Z\", " TIMES(
		 1) ", \"type\": \"observed-data\", \"id\": \"o\", \"objects\": {\"0\": {\"type\": \"t\", "
		    "\"v\": 1}}}\n{\"modified\": "
		    "\"2014-12-19T10:00:00Z\", " TIMES(1) ", \"type\": \"observed-data\", \"id\": \"o\", "
							  "\"objects\": {\"0\": {\"type\": \"t\", "
							  "\"v\": 1}}}",
	 "[t:v = 1] REPEATS 2 TIMES", ""},
	{"{\"modified\": \"2014-12-19T10:00:00Z\", " TIMES(
		 1) ", \"type\": \"observed-data\", \"id\": \"o\", \"objects\": {\"0\": {\"type\": \"t\", "
		    "\"v\": 1}}}\n{\"modified\": "
		    "\"2014-12-20T10:00:00Z\", " TIMES(1) ", \"type\": \"observed-data\", \"id\": \"o\", "
							  "\"objects\": {\"0\": {\"type\": \"t\", "
							  "\"v\": 2}}}",
	 "[t:v = 1]", ""},
	{"{\"modified\": \"2014-12-20T10:00:00Z\", " TIMES(
		 1) ", \"type\": \"observed-data\", \"id\": \"o\", \"objects\": {\"0\": {\"type\": \"t\", "
		    "\"v\": 1}}}\n{\"modified\": "
		    "\"2014-12-19T10:00:00Z\", " TIMES(1) ", \"type\": \"observed-data\", \"id\": \"o\", "
							  "\"objects\": {\"0\": {\"type\": \"t\", "
							  "\"v\": 2}}}",
	 "[t:v = 1]", "o"},
};

static void run_check(const struct check *c, struct dm_buf *got)
{
	struct dm_pattern_verdict v = {0};
	struct dm_err err = {0};
	int rc = dm_pattern_over_text(dm_sv_str(c->pattern), dm_sv_str(c->text), &v, &err);

	if (rc) {
		dm_buf_printf(got, "error %d %s", rc, err.msg);
		return;
	}
	assert_int_equal(v.matched, v.n_ids > 0);
	for (uint32_t i = 0; i < v.n_ids; i++)
		dm_buf_printf(got, "%s%.*s", i ? " " : "", (int)v.ids[i].n, v.ids[i].p);
	dm_pattern_verdict_done(&v);
}

static void every_wrapping_is_read(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(wrappings) / sizeof(wrappings[0]); i++) {
		struct dm_buf got;

		dm_buf_init(&got, 65536);
		run_check(&wrappings[i], &got);
		if (strcmp(dm_buf_cstr(&got), wrappings[i].want) != 0) {
			print_error("%s\n over %s\n gives \"%s\"\n", wrappings[i].pattern, wrappings[i].text,
				    dm_buf_cstr(&got));
			failed++;
		}
		dm_buf_done(&got);
	}
	assert_int_equal(failed, 0);
}

static void what_cannot_be_read_is_counted_and_said(void **state)
{
	static const struct {
		const char *text;
		uint64_t observations, skipped;
		const char *reason;
	} cases[] = {
		{OLD("1", 1, "a") "\n{\"type\": \"observed-data\", \n" OLD("2", 2, "b"), 2, 1,
		 "line 2: the text ends inside"},
		{OLD("1", 1, "a") "\nnonsense\n" OLD("2", 2, "b") "\n5\n", 2, 2, "line 2: neither an object"},
		{"[" OLD("1", 1, "a") ",\n{\"type\": 5},\n" OLD("2", 2, "b") "]", 2, 1,
		 "line 2: not a STIX object"},
		{"[" OLD("1", 1, "a") ",\n\n{\"a\": 1, \"a\": 2}]", 1, 1, "line 3: "},
		{"[" OLD("1", 1,
			 "a") ",\n{\"type\": \"observed-data\", \"number_observed\": 0, \"objects\": {}}]",
		 1, 1, "line 2: number_observed"},
		{"[" OLD("1", 1, "a") ",\n{\"type\": \"observed-data\", \"number_observed\": \"2\", "
				      "\"objects\": {}}]",
		 1, 1, "line 2: number_observed"},
		{"[" OLD("1", 1, "a") ",\n" OLD("2", 2, "b") "\n oops]", 2, 1, "line 3: "},
		{BUNDLE(OLD("1", 1, "a") ",\n{\"type\": \"file\", \"id\": \"f\", \"x\": nul}"), 1, 1,
		 "line 2: "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dm_pattern_verdict v = {0};
		struct dm_err err = {0};
		int rc = dm_pattern_over_text(DM_SV("[file:name = 'a']"), dm_sv_str(cases[i].text), &v, &err);

		if (rc || !v.matched || v.observations != cases[i].observations ||
		    v.skipped != cases[i].skipped || !strstr(v.skip_reason, cases[i].reason))
			fail_msg("case %zu: %d %s; %llu read, %llu skipped: %s", i, rc, err.msg,
				 (unsigned long long)v.observations, (unsigned long long)v.skipped,
				 v.skip_reason);
		dm_pattern_verdict_done(&v);
	}
}

static void nothing_readable_is_an_error(void **state)
{
	struct dm_pattern_verdict v = {0};
	struct dm_err err = {0};

	(void)state;
	assert_int_equal(dm_pattern_over_text(DM_SV("[a:b = 1]"), DM_SV("this is no JSON"), &v, &err),
			 DM_EFORMAT);
	assert_string_equal(err.source, "");
	assert_non_null(strstr(err.msg, "line 1"));
	assert_int_equal(
		dm_pattern_over_text(DM_SV("[a:b = 1]"), DM_SV("{\"type\": \"observed-data\""), &v, &err),
		DM_EFORMAT);
}

static void a_bad_pattern_is_told_from_bad_data(void **state)
{
	struct dm_pattern_verdict v = {0};
	struct dm_err err = {0};

	(void)state;
	assert_int_equal(dm_pattern_over_text(DM_SV("[a:b = 1"), DM_SV("[]"), &v, &err), DM_EFORMAT);
	assert_string_equal(err.source, "pattern");
	assert_int_equal(err.offset, 8);
}

static void the_verdict_says_what_was_done(void **state)
{
	struct dm_pattern_verdict v = {0};
	struct dm_err err = {0};

	(void)state;
	assert_int_equal(
		dm_pattern_over_text(DM_SV("[a:b = 1 AND c:d = 2]"),
				     DM_SV(OLD("1", 1, "a") "{\"type\": \"observed-data\", \"objects\": {}}"),
				     &v, &err),
		0);
	assert_int_equal(v.observations, 2);
	assert_int_equal(v.untimed, 1);
	assert_true(v.steps > 0 && v.steps < 100);
	assert_int_equal(v.budget, DM_PATTERN_STEPS + 2 * DM_PATTERN_PER_OBS);
	assert_non_null(strstr(v.note, "never match"));
	dm_pattern_verdict_done(&v);
}

/* --- limits --------------------------------------------------------------------------------------------- */

static void a_file_is_read_through_a_stream(void **state)
{
	static const char text[] = BUNDLE(OLD("1", 1, "a"));
	struct dm_pattern_verdict v = {0};
	struct dm_stream *s = NULL;
	struct dm_err err = {0};
	int fd = memfd_create("observed", 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dm_stream_open(&s, fd, DM_SV(""), &err), 0);
	assert_int_equal(dm_pattern_over_file(DM_SV("[file:name = 'a']"), s, &v, &err), 0);
	assert_true(v.matched);
	dm_pattern_verdict_done(&v);
	dm_stream_close(s);
	close(fd);
}

/* n observations that all refer to one object of `size` bytes. */
static int refer_again_and_again(unsigned n, unsigned size, struct dm_pattern_verdict *v, struct dm_err *err)
{
	struct dm_buf text;
	int rc;

	dm_buf_init(&text, 65u << 20);
	dm_buf_str(&text, "{\"type\": \"t\", \"id\": \"t--1\", \"v\": \"");
	for (unsigned i = 0; i < size; i++)
		dm_buf_putc(&text, 'x');
	dm_buf_str(&text, "\"}");
	for (unsigned i = 0; i < n; i++)
		dm_buf_printf(&text,
			      "{\"type\": \"observed-data\", \"id\": \"o%u\", \"object_refs\": [\"t--1\"]}",
			      i);
	assert_int_equal(text.err, 0);
	rc = dm_pattern_over_text(DM_SV("[t:w = 'y']"), dm_buf_view(&text), v, err);
	dm_buf_done(&text);
	return rc;
}

static void references_cannot_multiply_a_file_without_end(void **state)
{
	struct dm_pattern_verdict v = {0};
	struct dm_err err = {0};

	(void)state;
	assert_int_equal(refer_again_and_again(100, 1 << 20, &v, &err), 0);
	assert_false(v.matched);
	assert_in_range(v.steps, 100 * (1 << 20) / 256, 101 * (1 << 20) / 256);
	dm_pattern_verdict_done(&v);
}

static void one_observation_has_a_greatest_size(void **state)
{
	struct dm_pattern_verdict v = {0};
	struct dm_err err = {0};

	(void)state;

	assert_int_equal(refer_again_and_again(1, DM_MAX_ELEMENT - 200, &v, &err), 0);
	dm_pattern_verdict_done(&v);
	/* Said, and the others are evaluated. */
	assert_int_equal(refer_again_and_again(1, DM_MAX_ELEMENT - 50, &v, &err), 0);
	assert_int_equal(v.skipped, 1);
	assert_non_null(strstr(v.skip_reason, "take more than"));
	dm_pattern_verdict_done(&v);
}

/* --- published indicators ------------------------------------------------------------------------------- */

static unsigned patterns, refused, files;

static void try_object(struct dm_json *doc, struct dm_sv text, const char *path)
{
	struct dm_err err = {0};
	struct dm_pattern *p = NULL;
	struct dm_sv pattern, kind;

	if (dm_json_parse(doc, text, &err) ||
	    !dm_sv_is(dm_json_get_str(doc, doc->nodes, "type"), "indicator"))
		return;
	pattern = dm_json_get_str(doc, doc->nodes, "pattern");
	kind = dm_json_get_str(doc, doc->nodes, "pattern_type");
	if (!pattern.n || (kind.n && !dm_sv_is(kind, "stix")))
		return;
	patterns++;
	if (dm_pattern_parse(&p, pattern, &err)) {
		print_error("%s: %.*s\n  at %llu: %s\n", path, (int)pattern.n, pattern.p,
			    (unsigned long long)err.offset, err.msg);
		refused++;
	}
	dm_pattern_free(p);
}

static int try_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct dm_stream *s = NULL;
	struct dm_err err = {0};
	struct dm_json doc;
	struct dm_json_split split;
	struct dm_sv element;
	uint64_t line, offset;
	char *text = NULL;
	size_t n = 0;
	int fd;

	(void)st;
	(void)at;
	if (type != FTW_F || !strstr(path, ".json") || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	dm_json_init(&doc);
	if (!dm_stream_open(&s, fd, DM_SV(""), &err) && !dm_stream_slurp(s, 64u << 20, &text, &n, &err) &&
	    !dm_json_split_open(&split, dm_sv(text, n), "objects", &err)) {
		files++;
		while (!dm_json_split_next(&split, &element, &line, &offset, &err))
			try_object(&doc, element, path);
	}
	dm_stream_close(s);
	dm_json_done(&doc);
	dm_free(text);
	close(fd);
	return 0;
}

static void published_patterns_parse(void **state)
{
	const char *shared = getenv("DEMARCHE_SHARED");
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/data/stix", shared ? shared : "");
	if (!shared || access(path, R_OK))
		skip();
	nftw(path, try_file, 16, FTW_PHYS);
	snprintf(path, sizeof(path), "%s/data/misp", shared);
	nftw(path, try_file, 16, FTW_PHYS);
	print_message("# %u patterns of %u bundles\n", patterns, files);
	assert_int_equal(refused, 0);
	assert_true(patterns > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_is_read),
		cmocka_unit_test(what_cannot_be_read_is_counted_and_said),
		cmocka_unit_test(nothing_readable_is_an_error),
		cmocka_unit_test(a_bad_pattern_is_told_from_bad_data),
		cmocka_unit_test(the_verdict_says_what_was_done),
		cmocka_unit_test(a_file_is_read_through_a_stream),
		cmocka_unit_test(references_cannot_multiply_a_file_without_end),
		cmocka_unit_test(one_observation_has_a_greatest_size),
		cmocka_unit_test(published_patterns_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
