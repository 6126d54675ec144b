/* Units of base/: the YAML subset of configuration and policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"

static struct dm_json doc;
static struct dm_buf out;

static const char *as_json(const char *text)
{
	struct dm_err err = {0};

	if (dm_yaml_parse(&doc, dm_sv_str(text), &err))
		fail_msg("%s: line %u: %s", text, (unsigned)err.line, err.msg);
	dm_buf_clear(&out);
	dm_json_write(&out, &doc, doc.nodes);
	return dm_buf_cstr(&out);
}

static void scalars_keep_what_a_person_meant(void **state)
{
	assert_string_equal(as_json("a: 1\nb: -2.5e3\nc: true\nk: null\ne:\nf: text\n"),
			    "{\"a\":1,\"b\":-2.5e3,\"c\":true,\"k\":null,\"e\":null,\"f\":\"text\"}");
	assert_string_equal(as_json("[no, yes, on, True, NULL, ~, 012, 0x1F, 1_000, 12:30, .5, 1., +1, .inf, "
				    "'1', \"true\", 2014-12-19]"),
			    "[\"no\",\"yes\",\"on\",\"True\",\"NULL\",\"~\",\"012\",\"0x1F\",\"1_000\",\"12:"
			    "30\",\".5\",\"1.\",\"+1\",\".inf\","
			    "\"1\",\"true\",\"2014-12-19\"]");
	assert_string_equal(as_json("1: x\ntrue: y\n\"q\": z\n"), "{\"1\":\"x\",\"true\":\"y\",\"q\":\"z\"}");
	assert_string_equal(as_json("|\n  two\n  lines\n"), "\"two\\nlines\\n\"");
	assert_string_equal(as_json("a: caf\xc3\xa9 \"quoted\"\n"), "{\"a\":\"caf\xc3\xa9 \\\"quoted\\\"\"}");
	assert_string_equal(as_json("--- # comment\n- {a: [b, {c: d}], e: {}}\n- []\n..."),
			    "[{\"a\":[\"b\",{\"c\":\"d\"}],\"e\":{}},[]]");
	assert_string_equal(as_json("\xef\xbb\xbf"
				    "a: 1\n"),
			    "{\"a\":1}");
}

static void values_know_their_line(void **state)
{
	const struct dm_json_node *n;

	as_json("# first\npolicy:\n  - name: a\n    share: none\n\n  - name: b\n");
	assert_int_equal(doc.nodes[0].line, 2);
	n = dm_json_get(&doc, doc.nodes, "policy");
	assert_int_equal(n->count, 2);
	n = dm_json_first(&doc, n);
	assert_int_equal(n->line, 3);
	assert_int_equal(dm_json_get(&doc, n, "share")->line, 4);
	assert_true(dm_sv_is(dm_json_get_str(&doc, n, "share"), "none"));
	n = dm_json_next(&doc, dm_json_get(&doc, doc.nodes, "policy"), n);
	assert_int_equal(dm_json_get(&doc, n, "name")->line, 6);
}

static void what_could_mislead_is_refused(void **state)
{
	static const struct {
		const char *text, *part;
		unsigned line;
	} t[] = {
		{"a: &x 1\nb: *x\n", "anchors", 1},
		{"a: *x\n", "aliases", 1},
		{"a:\n  &x [1]\n", "anchors", 2},
		{"a: &x {b: 1}\n", "anchors", 1},
		{"a: !!int 1\n", "tags", 1},
		{"a: !!map {b: 1}\n", "tags", 1},
		{"a: ! x\n", "tags", 1},
		{"%TAG ! tag:example.com,2000:\n---\na: 1\n", "tags", 0},
		{"a: 1\n---\nb: 2\n", "second document", 2},
		{"a: 1\nb: 2\na: 3\n", "\"a\" stands twice", 3},
		{"x:\n - {k: 1, \"k\": 2}\n", "\"k\" stands twice", 2},
		{"? [a]\n: 1\n", "a name must be plain text", 1},
		{"? {a: 1}\n: 1\n", "a name must be plain text", 1},
		{"a: [1\n", "expected", 2},
		{"a: 1\n b: 2\n", "mapping values are not allowed", 2},
		{"a: \"open\n", "quoted scalar", 2},
		{"\ta: 1\n", "cannot start any token", 1},
		{"a: \xff\n", "UTF-8", 1},
		{"a: \x01\n", "control characters", 1},
		{"", "empty", 1},
		{"# only a comment\n", "empty", 1},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct dm_err err = {0};
		int code = dm_yaml_parse(&doc, dm_sv_str(t[i].text), &err);
		if (code != DM_EFORMAT || !strstr(err.msg, t[i].part) || (t[i].line && err.line != t[i].line))
			fail_msg("%s gave %d, line %u: %s", t[i].text, code, (unsigned)err.line, err.msg);
		assert_int_equal(doc.count, 0);
	}
	/* Billion laughs needs anchors: refused at the first. */
	assert_int_equal(dm_yaml_parse(&doc, DM_SV("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"), NULL),
			 DM_EFORMAT);
}

static void many_names_are_checked(void **state)
{
	struct dm_err err = {0};

	for (unsigned twice = 0; twice < 2; twice++) {
		dm_buf_clear(&out);
		for (unsigned i = 0; i < 20000; i++)
			dm_buf_printf(&out, "name%u: %u\n", i, i);
		dm_buf_printf(&out, "name%u: 0\n", twice ? 4321 : 20000);
		assert_int_equal(dm_yaml_parse(&doc, dm_buf_view(&out), &err), twice ? DM_EFORMAT : DM_OK);
	}
	assert_int_equal(err.line, 20001);
}

static int setup(void **state)
{
	dm_json_init(&doc);
	dm_buf_init(&out, 8u << 20);
	return 0;
}

static int teardown(void **state)
{
	dm_json_done(&doc);
	dm_buf_done(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_keep_what_a_person_meant),
		cmocka_unit_test(values_know_their_line),
		cmocka_unit_test(what_could_mislead_is_refused),
		cmocka_unit_test(many_names_are_checked),
	};
	return cmocka_run_group_tests_name("yaml", tests, setup, teardown);
}
