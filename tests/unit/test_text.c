/* Units of base/: UTF-8, JSON strings, terminal text, CSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"

#define S(lit) DM_SV(lit)

static struct dm_buf out;

static struct dm_sv made(void (*put)(struct dm_buf *, struct dm_sv), struct dm_sv s)
{
	dm_buf_clear(&out);
	put(&out, s);
	assert_int_equal(out.err, 0);
	return dm_buf_view(&out);
}

#define assert_made(put, in, want)                                                                           \
	do {                                                                                                 \
		struct dm_sv got_ = made(put, in);                                                           \
		struct dm_sv want_ = want;                                                                   \
		assert_int_equal(got_.n, want_.n);                                                           \
		assert_memory_equal(got_.p, want_.p, want_.n);                                               \
	} while (0)

static void utf8_follows_rfc_3629(void **state)
{
	static const struct dm_sv good[] = {
		S(""),
		S("plain"),
		S("\xc2\x80"),
		S("\xdf\xbf"),
		S("\xe0\xa0\x80"),
		S("\xed\x9f\xbf"),
		S("\xee\x80\x80"),
		S("\xef\xbf\xbf"),
		S("\xf0\x90\x80\x80"),
		S("\xf4\x8f\xbf\xbf"),
		S("a\0b"),
	};
	static const struct dm_sv bad[] = {
		S("\x80"),
		S("\xbf"),
		S("\xc0\x80"),
		S("\xc1\xbf"),
		S("\xc2"),
		S("\xc2 "),
		S("\xe0\x9f\xbf"),
		S("\xe2\x82"),
		S("\xed\xa0\x80"),
		S("\xed\xbf\xbf"),
		S("\xf0\x8f\xbf\xbf"),
		S("\xf4\x90\x80\x80"),
		S("\xf5\x80\x80\x80"),
		S("\xf0\x90\x80"),
		S("\xff"),
		S("\xfe"),
		S("\xfc\x80\x80\x80\x80\x80"),
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(dm_utf8_valid(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(dm_utf8_valid(bad[i]));
}

/* The fast paths read 8 and 16 bytes: a fault must be seen at each place of them, and nothing read behind the
 * view. */
static void a_fault_is_found_at_every_place(void **state)
{
	for (size_t n = 1; n < 70; n++) {
		char *s = dm_alloc(n);
		memset(s, 'a', n);
		for (size_t at = 0; at < n; at++) {
			s[at] = (char)0x80;
			assert_false(dm_utf8_valid(dm_sv(s, n)));
			made(dm_utf8_repair, dm_sv(s, n));
			assert_int_equal(out.n, n + 2);
			assert_memory_equal(out.p + at, "\xef\xbf\xbd", 3);
			made(dm_json_quote, dm_sv(s, n));
			assert_int_equal(out.n, n + 4);
			assert_memory_equal(out.p + 1 + at, "\xef\xbf\xbd", 3);
			s[at] = '"';
			made(dm_json_quote, dm_sv(s, n));
			assert_int_equal(out.n, n + 3);
			assert_memory_equal(out.p + 1 + at, "\\\"", 2);
			s[at] = 'a';
		}
		assert_true(dm_utf8_valid(dm_sv(s, n)));
		dm_free(s);
	}
}

static void repair_replaces_each_invalid_byte(void **state)
{
	assert_made(dm_utf8_repair, S("a\xff\xc3\xa9\xed\xa0\x80z"),
		    S("a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"));
	assert_made(dm_utf8_repair, S("\xe2\x82"), S("\xef\xbf\xbd\xef\xbf\xbd"));
	assert_made(dm_utf8_repair, S("nul\0kept"), S("nul\0kept"));
}

static void json_strings_escape_as_rfc_8785(void **state)
{
	assert_made(dm_json_quote, S(""), S("\"\""));
	assert_made(dm_json_quote, S("\b\t\n\f\r\"\\/"), S("\"\\b\\t\\n\\f\\r\\\"\\\\/\""));
	assert_made(dm_json_quote, S("\0\x01\x1f\x7f"), S("\"\\u0000\\u0001\\u001f\x7f\""));
	assert_made(dm_json_quote, S("\xe2\x82\xac$\x0f\nA'B\"\\\\\"/"),
		    S("\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""));
	assert_made(dm_json_quote, S("\xc3(\xf0\x9f\x98\x80"), S("\"\xef\xbf\xbd(\xf0\x9f\x98\x80\""));
}

static void json_strings_of_all_escapes_fit_their_buffer(void **state)
{
	char in[300];
	struct dm_buf b;

	memset(in, 1, sizeof in);
	dm_buf_init(&b, 6 * sizeof in + 2);
	dm_json_quote(&b, dm_sv(in, sizeof in));
	assert_int_equal(b.err, 0);
	assert_int_equal(b.n, 6 * sizeof in + 2);
	dm_buf_done(&b);
	dm_buf_init(&b, 6 * sizeof in + 1);
	dm_json_quote(&b, dm_sv(in, sizeof in));
	assert_true(b.err != 0);
	assert_int_equal(b.n, 0);
	dm_buf_done(&b);
}

static void terminal_text_cannot_move_the_cursor(void **state)
{
	assert_made(dm_term_escape, S("a\x1b[31mb\r\n"), S("a\\x1B[31mb\\x0D\\x0A"));
	assert_made(dm_term_escape, S("\x7f\xc2\x9b\xe2\x80\xae\xe2\x81\xa6"),
		    S("\\x7F\\u{009B}\\u{202E}\\u{2066}"));
	assert_made(dm_term_escape, S("caf\xc3\xa9 \xff\xe6\xbc\xa2"), S("caf\xc3\xa9 \\xFF\xe6\xbc\xa2"));
	assert_made(dm_term_escape, S("\xf3\xa0\x81\x81"), S("\\u{E0041}"));
}

static void widths_count_columns(void **state)
{
	assert_int_equal(dm_term_width(S("")), 0);
	assert_int_equal(dm_term_width(S("abc")), 3);
	assert_int_equal(dm_term_width(S("caf\xc3\xa9")), 4);
	assert_int_equal(dm_term_width(S("e\xcc\x81")), 1);		   /* combining acute */
	assert_int_equal(dm_term_width(S("\xe6\xbc\xa2\xe5\xad\x97")), 4); /* two Han characters */
	assert_int_equal(dm_term_width(S("\xea\xb0\x80")), 2);		   /* Hangul */
	assert_int_equal(dm_term_width(S("\xef\xbd\xb1")), 1);		   /* halfwidth katakana */
	assert_int_equal(dm_term_width(S("\xf0\x9f\x98\x80")), 2);
	assert_int_equal(dm_term_width(S("\xe2\x80\x8b")), 0); /* zero width space */
	assert_int_equal(dm_term_width(S("\xff\xfe")), 2);
}

static void csv_fields_are_quoted_and_defused(void **state)
{
	assert_made(dm_csv_field, S("plain text"), S("plain text"));
	assert_made(dm_csv_field, S(""), S(""));
	assert_made(dm_csv_field, S("a,b"), S("\"a,b\""));
	assert_made(dm_csv_field, S("say \"hi\"\n"), S("\"say \"\"hi\"\"\n\""));
	assert_made(dm_csv_field, S("=1+1"), S("'=1+1"));
	assert_made(dm_csv_field, S("@SUM(A1,A2)"), S("\"'@SUM(A1,A2)\""));
	assert_made(dm_csv_field, S("-2"), S("'-2"));
	assert_made(dm_csv_field, S("+2"), S("'+2"));
	assert_made(dm_csv_field, S("\tx"), S("'\tx"));
	assert_made(dm_csv_field, S("\rx"), S("\"'\rx\""));
}

static void assert_csv(struct dm_sv line, char delimiter, size_t n, const struct dm_sv *want)
{
	struct dm_sv got[8], rest = line;
	size_t k = 0;

	dm_buf_clear(&out);
	while (k < 8 && dm_csv_next(&rest, delimiter, &out, &got[k]))
		k++;
	assert_int_equal(out.err, 0);
	assert_int_equal(k, n);
	/* Compared after the whole line is read: views must not move. */
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got[i].n, want[i].n);
		assert_memory_equal(got[i].p, want[i].p, want[i].n);
	}
	assert_false(dm_csv_next(&rest, delimiter, &out, &got[0]));
}

#define CSV(line, delimiter, ...)                                                                            \
	assert_csv(S(line), delimiter, sizeof((struct dm_sv[]){__VA_ARGS__}) / sizeof(struct dm_sv),         \
		   (struct dm_sv[]){__VA_ARGS__})

static void csv_lines_come_apart(void **state)
{
	CSV("", ',', S(""));
	CSV("a", ',', S("a"));
	CSV("a,b,", ',', S("a"), S("b"), S(""));
	CSV(",", ',', S(""), S(""));
	CSV("\"a,b\",c", ',', S("a,b"), S("c"));
	CSV("\"\",\"x\"", ',', S(""), S("x"));
	CSV("\"\"", ',', S(""));
	CSV("\"say \"\"hi\"\"\",\"\"\"\",z", ',', S("say \"hi\""), S("\""), S("z"));
	CSV("1;\"a;b\";2", ';', S("1"), S("a;b"), S("2"));
	CSV(" a , \"b\" ", ',', S(" a "), S(" \"b\" "));
	CSV("mid\"quote,b", ',', S("mid\"quote"), S("b"));
	CSV("\"open,b", ',', S("open,b"));
	CSV("\"", ',', S(""));
	CSV("\"a\"tail,b", ',', S("atail"), S("b"));
	CSV("\"a\",", ',', S("a"), S(""));
}

static void csv_says_when_scratch_is_too_small(void **state)
{
	struct dm_sv rest = S("\"a\"\"b\",c"), field;
	struct dm_buf tiny;

	dm_buf_init(&tiny, 2);
	assert_true(dm_csv_next(&rest, ',', &tiny, &field));
	assert_true(tiny.err != 0);
	assert_true(dm_csv_next(&rest, ',', &tiny, &field));
	assert_true(dm_sv_is(field, "c"));
	dm_buf_done(&tiny);
}

static int setup(void **state)
{
	dm_buf_init(&out, 1 << 20);
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
		cmocka_unit_test(utf8_follows_rfc_3629),
		cmocka_unit_test(a_fault_is_found_at_every_place),
		cmocka_unit_test(repair_replaces_each_invalid_byte),
		cmocka_unit_test(json_strings_escape_as_rfc_8785),
		cmocka_unit_test(json_strings_of_all_escapes_fit_their_buffer),
		cmocka_unit_test(terminal_text_cannot_move_the_cursor),
		cmocka_unit_test(widths_count_columns),
		cmocka_unit_test(csv_fields_are_quoted_and_defused),
		cmocka_unit_test(csv_lines_come_apart),
		cmocka_unit_test(csv_says_when_scratch_is_too_small),
	};
	return cmocka_run_group_tests_name("text", tests, setup, teardown);
}
