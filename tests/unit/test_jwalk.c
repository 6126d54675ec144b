/* Walking one level of JSON: members, elements, lines and offsets, texts that are cut or damaged; and sharing
 * marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "import/jwalk.h"
#include "import/tlp.h"

static struct dm_err err;

static int open_walk(struct dm_jwalk *w, const char *text)
{
	err = (struct dm_err){0};
	return dm_jwalk_open(w, dm_sv_str(text), 1, 100, &err);
}

static void next_is(struct dm_jwalk *w, const char *key, const char *value, unsigned line)
{
	struct dm_jitem item;

	assert_int_equal(dm_jwalk_next(w, &item, &err), 0);
	assert_false(item.cut);
	if (key)
		assert_true(dm_sv_is(item.key, key));
	else
		assert_null(item.key.p);
	assert_true(dm_sv_is(item.value, value));
	assert_int_equal(item.line, line);
}

static void members(void **state)
{
	struct dm_jwalk w;
	struct dm_jitem item;

	assert_int_equal(open_walk(&w, "\xef\xbb\xbf\n{\"a\" : 1 "
				       ",\n\"b\":{\"c\":[\"}\",2]},\"d\":\"x\\\"\\n,]\",\n\n\"e\":null}rest"),
			 0);
	assert_true(w.object);
	next_is(&w, "a", "1", 2);
	next_is(&w, "b", "{\"c\":[\"}\",2]}", 3);
	next_is(&w, "d", "\"x\\\"\\n,]\"", 3);
	next_is(&w, "e", "null", 5);
	assert_int_equal(dm_jwalk_next(&w, &item, &err), DM_ENOENT);
	assert_true(dm_sv_is(dm_sv_from(w.text, w.at), "rest"));
	assert_int_equal(open_walk(&w, "{ }"), 0);
	assert_int_equal(dm_jwalk_next(&w, &item, &err), DM_ENOENT);
}

static void elements(void **state)
{
	struct dm_jwalk w;
	struct dm_jitem item;

	assert_int_equal(open_walk(&w, "[[],\n {} ,true,-1.5e3]"), 0);
	assert_false(w.object);
	next_is(&w, NULL, "[]", 1);
	next_is(&w, NULL, "{}", 2);
	next_is(&w, NULL, "true", 2);
	next_is(&w, NULL, "-1.5e3", 2);
	assert_int_equal(dm_jwalk_next(&w, &item, &err), DM_ENOENT);
}

static void damaged(void **state)
{
	static const char *const first[] = {"[1 2]",	 "[,1]", "{1:2}", "{\"a\" 1}", "{\"a\"}", "{\"a\":}",
					    "{\"a\":,}", "{\"a", "[",	  "{",	       "[]]"};
	struct dm_jwalk w;
	struct dm_jitem item;
	int rc;

	assert_int_equal(open_walk(&w, ""), DM_EFORMAT);
	assert_int_equal(open_walk(&w, " 17"), DM_EFORMAT);
	assert_int_equal(err.offset, 101);
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		assert_int_equal(open_walk(&w, first[i]), 0);
		do
			rc = dm_jwalk_next(&w, &item, &err);
		while (!rc);
		assert_int_equal(rc, i == 10 ? DM_ENOENT : DM_EFORMAT);
	}
	/* the part of a value that is there is given, and said to be cut */
	assert_int_equal(open_walk(&w, "{\"a\":\n[1,2,"), 0);
	assert_int_equal(dm_jwalk_next(&w, &item, &err), DM_EFORMAT);
	assert_true(item.cut);
	assert_true(dm_sv_is(item.value, "[1,2,"));
	assert_int_equal(err.line, 2);
	assert_int_equal(err.offset, 106);
	/* a number at the very end may go on */
	assert_int_equal(open_walk(&w, "[12"), 0);
	assert_int_equal(dm_jwalk_next(&w, &item, &err), DM_EFORMAT);
	assert_true(item.cut);
}

static void names(void **state)
{
	assert_true(dm_jwalk_is(DM_SV("objects"), "objects"));
	assert_true(dm_jwalk_is(DM_SV("\\u006fbjects"), "objects"));
	assert_true(dm_jwalk_is(DM_SV("a\\/b\\\"\\\\"), "a/b\"\\"));
	assert_false(dm_jwalk_is(DM_SV("object"), "objects"));
	assert_false(dm_jwalk_is(DM_SV("objectsx"), "objects"));
	assert_false(dm_jwalk_is(DM_SV("\\u016fbjects"), "objects"));
	assert_false(dm_jwalk_is(DM_SV("\\u00"), "o"));
	assert_false(dm_jwalk_is(DM_SV("\\"), "\\"));
	assert_true(dm_jwalk_is(DM_SV(""), ""));
}

static void head(void **state)
{
	struct dm_jhead h;

	assert_true(dm_jhead_read(&h, DM_SV(" [{\"type\":\"a\",\"id\":\"a--1\",\"x\":[1,{\"typ")));
	assert_true(h.array);
	assert_int_equal(h.count, 3);
	assert_true(dm_sv_is(dm_jhead_str(&h, "type"), "a"));
	assert_true(dm_sv_is(dm_jhead_get(&h, "x"), "[1,{\"typ"));
	assert_int_equal(dm_jhead_str(&h, "x").n, 0);
	assert_null(dm_jhead_get(&h, "none").p);
	assert_false(dm_jhead_read(&h, DM_SV("[1,2]")));
	assert_false(dm_jhead_read(&h, DM_SV("[")));
	assert_false(dm_jhead_read(&h, DM_SV("#fields a")));
	assert_true(dm_jhead_read(&h, DM_SV("{")));
	assert_int_equal(h.count, 0);
}

static void marks(void **state)
{
	struct dm_marking m = {0};
	char text[400];

	assert_string_equal(dm_tlp_of_id(DM_SV("marking-definition--55D920B0-5e8b-4f79-9ee9-91f868d9b421")),
			    "TLP:AMBER");
	assert_null(dm_tlp_of_id(DM_SV("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b422")));
	dm_marking_label(&m, DM_SV("tlp:clear"));
	assert_string_equal(m.text, "TLP:CLEAR");
	dm_marking_label(&m, DM_SV("Tlp:Amber"));
	dm_marking_label(&m, DM_SV("TLP:GREEN"));
	assert_string_equal(m.text, "TLP:AMBER");
	dm_marking_label(&m, DM_SV("TLP:PURPLE"));
	dm_marking_label(&m, DM_SV("TLP:RED"));
	assert_string_equal(m.text, "TLP:PURPLE");
	/* a long one is cut between characters */
	m = (struct dm_marking){0};
	memset(text, 'x', sizeof text);
	memcpy(text + sizeof m.text - 2, "\xc3\xa9", 2);
	dm_marking_unresolved(&m, dm_sv(text, sizeof text));
	assert_int_equal(strlen(m.text), sizeof m.text - 2);
	m = (struct dm_marking){0};
	dm_marking_unresolved(&m, dm_sv("", 0));
	assert_string_equal(m.text, "unresolved marking");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members), cmocka_unit_test(elements), cmocka_unit_test(damaged),
		cmocka_unit_test(names),   cmocka_unit_test(head),     cmocka_unit_test(marks),
	};

	return cmocka_run_group_tests_name("jwalk", tests, NULL, NULL);
}
