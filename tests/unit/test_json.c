/* Units of base/: the JSON reader, its messages, its limits; held to JSONTestSuite where the data folder is
 * present. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/json_internal.h"
#include "base/text.h"

static struct dm_json doc;
static struct dm_buf out;

static const char *rewritten(const char *text)
{
	struct dm_err err = {0};

	if (dm_json_parse(&doc, dm_sv_str(text), &err))
		fail_msg("%s: %s", text, err.msg);
	dm_buf_clear(&out);
	dm_json_write(&out, &doc, doc.nodes);
	return dm_buf_cstr(&out);
}

static void documents_keep_order_and_spelling(void **state)
{
	assert_string_equal(rewritten("0"), "0");
	assert_string_equal(rewritten(" [ ] "), "[]");
	assert_string_equal(rewritten("{}"), "{}");
	assert_string_equal(rewritten("\"\""), "\"\"");
	assert_string_equal(rewritten("[null,true,false]"), "[null,true,false]");
	assert_string_equal(
		rewritten("{\"b\":1.50e+01,\"a\":[-0,12345678901234567890123456789012345678901234567890],"
			  "\"\":{}}"),
		"{\"b\":1.50e+01,\"a\":[-0,12345678901234567890123456789012345678901234567890],\"\":{}}");
	assert_string_equal(rewritten("\n{\"k\" : [ 1 ,\t2 , {\"x\":\"y\"} ] , \"z\" : \"\" }\r\n"),
			    "{\"k\":[1,2,{\"x\":\"y\"}],\"z\":\"\"}");
	assert_string_equal(rewritten("\xef\xbb\xbf{\"bom\":1}"), "{\"bom\":1}");
	assert_string_equal(rewritten("1e400"), "1e400");
}

static void strings_are_decoded(void **state)
{
	assert_string_equal(rewritten("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
	assert_string_equal(rewritten("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\""),
			    "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	assert_string_equal(
		rewritten("{\"a\\u0062\":\"C:\\\\Windows\\\\System32\\\\a long tail behind escapes\"}"),
		"{\"ab\":\"C:\\\\Windows\\\\System32\\\\a long tail behind escapes\"}");
	rewritten("\"a\\u0000b\"");
	assert_int_equal(doc.nodes[0].text.n, 3);
	assert_memory_equal(doc.nodes[0].text.p, "a\0b", 3);
	/* Every length around the 16 bytes that are looked at together, with the escape at each place. */
	for (size_t n = 0; n < 40; n++)
		for (size_t at = 0; at <= n; at++) {
			char text[128];
			snprintf(text, sizeof text, "[\"%.*s\\n%.*s\"]", (int)at,
				 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst", (int)(n - at),
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRST");
			assert_string_equal(rewritten(text), text);
		}
}

static void members_are_found(void **state)
{
	const struct dm_json_node *root, *c;
	int64_t i = 0;
	uint32_t n = 0;

	rewritten("{\"s\":\"text\",\"i\":-42,\"f\":1.0,\"t\":true,\"a\":[1,[2,3],4],\"big\":"
		  "9223372036854775808,\"nul\":null}");
	root = doc.nodes;
	assert_int_equal(root->count, 7);
	assert_true(dm_sv_is(dm_json_get_str(&doc, root, "s"), "text"));
	assert_int_equal(dm_json_get_str(&doc, root, "i").n, 0);
	assert_true(dm_json_get_i64(&doc, root, "i", &i) && i == -42);
	assert_false(dm_json_get_i64(&doc, root, "f", &i));
	assert_false(dm_json_get_i64(&doc, root, "big", &i));
	assert_false(dm_json_get_i64(&doc, root, "s", &i));
	assert_true(dm_json_get_bool(&doc, root, "t", false));
	assert_true(dm_json_get_bool(&doc, root, "missing", true));
	assert_null(dm_json_get(&doc, root, "missing"));
	assert_null(dm_json_get(&doc, NULL, "s"));
	assert_null(dm_json_get(&doc, dm_json_get(&doc, root, "s"), "s"));
	assert_null(dm_json_first(&doc, NULL));
	assert_null(dm_json_first(&doc, dm_json_get(&doc, root, "nul")));
	c = dm_json_get(&doc, root, "a");
	for (const struct dm_json_node *e = dm_json_first(&doc, c); e; e = dm_json_next(&doc, c, e), n++)
		assert_null(e->key.p);
	assert_int_equal(n, 3);
	assert_int_equal(c->count, 3);
}

static void faults_are_placed_and_named(void **state)
{
	static const struct {
		const char *text;
		int code;
		unsigned line, offset;
		const char *part;
	} t[] = {
		{"", DM_EFORMAT, 1, 0, "empty"},
		{" \n ", DM_EFORMAT, 2, 3, "empty"},
		{"{\"a\":1 \"b\":2}", DM_EFORMAT, 1, 7, "expected ',' or '}' after a value, found '\"'"},
		{"[1\n2]", DM_EFORMAT, 2, 3, "expected ',' or ']' after a value, found '2'"},
		{"[1,]", DM_EFORMAT, 1, 3, "',' before the closing ']'"},
		{"{\"a\":1,}", DM_EFORMAT, 1, 7, "',' before the closing '}'"},
		{"{a:1}", DM_EFORMAT, 1, 1, "expected a name in double quotes, found 'a'"},
		{"{\"a\" 1}", DM_EFORMAT, 1, 5, "expected ':' after a name"},
		{"{\"a\":}", DM_EFORMAT, 1, 5, "expected a value, found '}'"},
		{"{\"a\":", DM_EFORMAT, 1, 5, "expected a value, found the end"},
		{"[", DM_EFORMAT, 1, 1, "expected a value, found the end"},
		{"[1", DM_EFORMAT, 1, 2, "found the end"},
		{"{\"a\":1", DM_EFORMAT, 1, 6, "found the end"},
		{"{\"a\"", DM_EFORMAT, 1, 4, "expected ':'"},
		{"[\"abc", DM_EFORMAT, 1, 1, "never closed"},
		{"[\"a\nb\"]", DM_EFORMAT, 1, 3, "control character 0x0a"},
		{"[\"\\x\"]", DM_EFORMAT, 1, 2, "unknown escape"},
		{"[\"\\ud800\"]", DM_EFORMAT, 1, 2, "surrogate"},
		{"[\"\\udc00\\ud800\"]", DM_EFORMAT, 1, 2, "surrogate"},
		{"[\"\\u12g4\"]", DM_EFORMAT, 1, 2, "hex digits"},
		{"[\"\xff\"]", DM_EFORMAT, 1, 2, "invalid UTF-8 (byte 0xff)"},
		{"[01]", DM_EFORMAT, 1, 1, "leading zero"},
		{"[-]", DM_EFORMAT, 1, 1, "minus"},
		{"[1.]", DM_EFORMAT, 1, 1, "point"},
		{"[1e]", DM_EFORMAT, 1, 1, "exponent"},
		{"[1e5\"x\"]", DM_EFORMAT, 1, 4, "expected ',' or ']'"},
		{"[+1]", DM_EFORMAT, 1, 1, "expected a value, found '+'"},
		{"[NaN]", DM_EFORMAT, 1, 1, "expected a value"},
		{"[tru]", DM_EFORMAT, 1, 1, "misspelt true"},
		{"[truex]", DM_EFORMAT, 1, 5, "expected ','"},
		{"{\"a\":\"b\"c}", DM_EFORMAT, 1, 8, "expected ',' or '}'"},
		{"[]]", DM_EFORMAT, 1, 2, "follows the end"},
		{"1 2", DM_EFORMAT, 1, 2, "follows the end"},
		{"[}", DM_EFORMAT, 1, 1, "expected a value"},
		{"[1}", DM_EFORMAT, 1, 2, "expected ',' or ']'"},
		{"{\"a\":1,\n \"b\":{\"c\":1,\"d\":2,\"c\":3}}", DM_EFORMAT, 2, 26, "\"c\" stands twice"},
		{"[\\\"a\"]", DM_EFORMAT, 1, 1, "expected a value, found '\\'"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct dm_err err = {0};
		int code = dm_json_parse(&doc, dm_sv_str(t[i].text), &err);
		if (code != t[i].code || err.code != code || !strstr(err.msg, t[i].part) ||
		    err.line != t[i].line || !err.has_offset || err.offset != t[i].offset)
			fail_msg("%s gave %d, line %u, offset %u, %s", t[i].text, code, (unsigned)err.line,
				 (unsigned)err.offset, err.msg);
	}
	assert_int_equal(dm_json_parse(&doc, DM_SV("[1\0]"), NULL), DM_EFORMAT);
	assert_int_equal(dm_json_parse(&doc, DM_SV("[1]\0"), NULL), DM_EFORMAT);
	assert_int_equal(dm_json_parse(&doc, DM_SV("\0"), NULL), DM_EFORMAT);
}

static int parse_out(struct dm_err *err)
{
	assert_int_equal(out.err, 0);
	return dm_json_parse(&doc, dm_buf_view(&out), err);
}

/* 100,000 names, all of them new or the last of them double. Quadratic work would take minutes. */
static void many_names_take_linear_time(void **state)
{
	struct dm_err err = {0};

	for (unsigned twice = 0; twice < 2; twice++) {
		dm_buf_clear(&out);
		dm_buf_putc(&out, '{');
		for (unsigned i = 0; i < 100000; i++)
			dm_buf_printf(&out, "\"name-%06u-with-a-common-tail\":%u,", i, i);
		dm_buf_printf(&out, "\"name-%06u-with-a-common-tail\":0}", twice ? 77777 : 100000);
		assert_int_equal(parse_out(&err), twice ? DM_EFORMAT : DM_OK);
	}
	assert_non_null(strstr(err.msg, "\"name-077777-with-a-common-tail\" stands twice"));
	assert_int_equal(dm_json_parse(&doc, DM_SV("{\"a\":1,\"\\u0061\":2}"), &err), DM_EFORMAT);
	assert_int_equal(dm_json_parse(&doc, DM_SV("{\"a\":1,\"b\":{\"a\":2}}"), &err), DM_OK);
	/* On both sides of the number of members from which names are hashed. */
	for (unsigned n = 1; n < 70; n++)
		for (unsigned same = 0; same < n; same++) {
			dm_buf_clear(&out);
			dm_buf_putc(&out, '{');
			for (unsigned i = 0; i < n; i++)
				dm_buf_printf(&out, "\"%u\":%u,", i, i);
			dm_buf_printf(&out, "\"%u\":0}", same);
			assert_int_equal(parse_out(NULL), DM_EFORMAT);
		}
}

/* JSONTestSuite (Seriot): y_ must be read, n_ refused, i_ may be either. */
static void json_test_suite_holds(void **state)
{
	/* Well-formed, but refused by our rule: two readers of a name that stands twice may see two values.
	 */
	static const char *const refused[] = {"y_object_duplicated_key.json",
					      "y_object_duplicated_key_and_value.json"};
	const char *shared = getenv("DEMARCHE_SHARED");
	unsigned yes = 0, no = 0, exceptions = 0;
	struct dirent *e;
	char path[4096];
	DIR *dir;

	snprintf(path, sizeof path, "%s/data/vectors/json-test-suite", shared ? shared : "");
	dir = opendir(path);
	if (!dir)
		skip();
	while ((e = readdir(dir))) {
		char text[300000];
		struct dm_err err = {0};
		bool exception = false;
		int fd, code, scanned;
		ssize_t n;

		if (e->d_name[0] == '.')
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDONLY);
		n = read(fd, text, sizeof text);
		close(fd);
		assert_in_range(n, 0, sizeof text - 1);
		code = dm_json_parse(&doc, dm_sv(text, (size_t)n), &err);
		scanned = dm_json_scan(dm_sv(text, (size_t)n), NULL);
		for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
			exception |= !strcmp(e->d_name, refused[i]);
		exceptions += exception;
		if (e->d_name[0] == 'y' && !exception && code)
			fail_msg("%s was refused: %s", e->d_name, err.msg);
		if ((e->d_name[0] == 'n' || exception) && !code)
			fail_msg("%s was read", e->d_name);
		if (!exception && code != scanned)
			fail_msg("%s: the two readers disagree: %d, %d", e->d_name, code, scanned);
		if (code && (!err.msg[0] || !err.line))
			fail_msg("%s: refused without a place", e->d_name);
		yes += e->d_name[0] == 'y';
		no += e->d_name[0] == 'n';
	}
	closedir(dir);
	assert_true(yes > 90 && no > 180);
	assert_int_equal(exceptions, sizeof refused / sizeof *refused);
}

static int setup(void **state)
{
	dm_json_init(&doc);
	dm_buf_init(&out, 80u << 20);
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
		cmocka_unit_test(documents_keep_order_and_spelling),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(members_are_found),
		cmocka_unit_test(faults_are_placed_and_named),
		cmocka_unit_test(many_names_take_linear_time),
		cmocka_unit_test(json_test_suite_holds),
	};
	return cmocka_run_group_tests_name("json", tests, setup, teardown);
}
