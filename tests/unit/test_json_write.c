/* Units of base/: canonical JSON (RFC 8785) and the splitter of large documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"

static struct dm_json doc;
static struct dm_buf out;

static const char *canonical(struct dm_sv text)
{
	struct dm_err err = {0};

	if (dm_json_parse(&doc, text, &err))
		fail_msg("%.*s: %s", (int)text.n, text.p, err.msg);
	dm_buf_clear(&out);
	if (dm_json_canonical(&out, &doc, doc.nodes, &err))
		fail_msg("%.*s: %s", (int)text.n, text.p, err.msg);
	return dm_buf_cstr(&out);
}

/* RFC 8785 appendix B, and the doubles whose neighbours are not equally far away. */
static void numbers_are_written_as_ecmascript_does(void **state)
{
	static const struct {
		uint64_t bits;
		const char *want;
	} t[] = {
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"},
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
		{0x3d10000000000000, "1.4210854715202004e-14"},
		{0x0010000000000000, "2.2250738585072014e-308"},
		{0x0040000000000000, "1.7800590868057611e-307"},
		{0x1a3fffffffffffff, "3.0123998313786048e-182"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char text[1200];
		double v;
		memcpy(&v, &t[i].bits, sizeof v);
		/* All digits, so that the reader can't be lucky. */
		snprintf(text, sizeof text, "[%.800e]", v);
		canonical(dm_sv_str(text));
		snprintf(text, sizeof text, "[%s]", t[i].want);
		assert_string_equal(dm_buf_cstr(&out), text);
	}
	assert_string_equal(canonical(DM_SV("[1.0,1E2,0.1e-6,123456789012345678901234567890]")),
			    "[1,100,1e-7,1.2345678901234568e+29]");
}

/* What is written reads back as the same double, for doubles of all sizes, powers of two above all. */
static void canonical_numbers_read_back(void **state)
{
	uint64_t x = 88172645463325252ull;

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t bits = i < 2046 ? (uint64_t)(i + 1) << 52 : x & ~(1ull << 63);
		char text[64], *end;
		double v, back;
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(&v, &bits, sizeof v);
		if (v - v != 0)
			continue;
		snprintf(text, sizeof text, "%.17g", v);
		back = strtod(canonical(dm_sv_str(text)), &end);
		assert_true(*end == 0 && back == v);
		/* No shorter form may read back: one digit less, rounded, is another double. */
		assert_true(out.n <= strlen(text) + 5);
	}
}

static void too_large_numbers_have_no_canonical_form(void **state)
{
	struct dm_err err = {0};

	assert_int_equal(dm_json_parse(&doc, DM_SV("[1e309]"), &err), DM_OK);
	dm_buf_clear(&out);
	assert_int_equal(dm_json_canonical(&out, &doc, doc.nodes, &err), DM_EFORMAT);
	assert_non_null(strstr(err.msg, "1e309"));
}

static void names_are_sorted_by_utf16(void **state)
{
	assert_string_equal(canonical(DM_SV("{\"b\":1,\"a\":{\"z\":1,\"\":2,\"aa\":3,\"a\":4}}")),
			    "{\"a\":{\"\":2,\"a\":4,\"aa\":3,\"z\":1},\"b\":1}");
	/* U+1F600 is d83d de00 in UTF-16: before U+FB33, though its UTF-8 is greater. */
	assert_string_equal(canonical(DM_SV("{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\u20ac\":3}")),
			    "{\"\xe2\x82\xac\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}");
}

static void jcs_vectors_hold(void **state)
{
	static const char *const name[] = {"arrays", "french", "structures", "unicode", "values", "weird"};
	const char *shared = getenv("DEMARCHE_SHARED");
	char path[4096], text[2][65536];
	ssize_t n[2];

	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		for (int k = 0; k < 2; k++) {
			int fd;
			snprintf(path, sizeof path, "%s/data/vectors/jcs/%s/%s.json", shared ? shared : "",
				 k ? "output" : "input", name[i]);
			fd = open(path, O_RDONLY);
			if (fd < 0)
				skip();
			n[k] = read(fd, text[k], sizeof text[k]);
			close(fd);
			assert_true(n[k] > 0);
		}
		canonical(dm_sv(text[0], (size_t)n[0]));
		assert_int_equal(out.n, n[1]);
		assert_memory_equal(out.p, text[1], n[1]);
	}
}

/* All elements as "line@offset:text " and the end as its code. */
static const char *split(const char *text, const char *member)
{
	struct dm_json_split s;
	struct dm_sv element = {0};
	uint64_t line = 0, offset = 0;
	struct dm_err err = {0};
	int code;

	dm_buf_clear(&out);
	code = dm_json_split_open(&s, dm_sv_str(text), member, &err);
	while (!code) {
		code = dm_json_split_next(&s, &element, &line, &offset, &err);
		if (!code) {
			assert_memory_equal(text + offset, element.p, element.n);
			dm_buf_printf(&out, "%u@%u:%.*s ", (unsigned)line, (unsigned)offset, (int)element.n,
				      element.p);
		}
	}
	if (code == DM_ENOENT && !err.code) {
		assert_int_equal(dm_json_split_next(&s, &element, &line, &offset, NULL), DM_ENOENT);
		dm_buf_str(&out, "end");
	} else {
		dm_buf_printf(&out, "%d %u@%u %s", code, (unsigned)err.line, (unsigned)err.offset, err.msg);
	}
	return dm_buf_cstr(&out);
}

static void documents_are_split_into_elements(void **state)
{
	assert_string_equal(split("[]", NULL), "end");
	assert_string_equal(split(" [ ] \n", NULL), "end");
	assert_string_equal(split("[1,\"a,]\\\"[\",\n {\"x\":[1,{}]} , null]", NULL),
			    "1@1:1 1@3:\"a,]\\\"[\" 2@14:{\"x\":[1,{}]} 2@29:null end");
	assert_string_equal(split("\xef\xbb\xbf[1]", NULL), "1@4:1 end");
	assert_string_equal(split("{\"a\":[1]}\n", NULL), "1@0:{\"a\":[1]} end");
	assert_string_equal(
		split("{\"type\":\"bundle\",\"objects\":[\n{\"a\":\"}\"},\n{\"b\":2}\n],\"id\":[1,\"x\"]}",
		      "objects"),
		"2@29:{\"a\":\"}\"} 3@40:{\"b\":2} end");
	assert_string_equal(split("{\"obj\\u0065cts\":[1]}", "objects"), "1@17:1 end");
	assert_string_equal(split("{\"response\":{\"Event\":{}}}", "response"), "1@12:{\"Event\":{}} end");
	assert_string_equal(split("{\"x\":{\"objects\":[1]},\"objects\":[2]}", "objects"), "1@32:2 end");
}

static void split_faults_are_placed(void **state)
{
	assert_string_equal(split("", NULL), "-6 1@0 the document is empty");
	assert_string_equal(split("7", NULL), "-6 1@0 expected an array or an object");
	assert_string_equal(split("[1\n2]", NULL), "1@1:1 -6 2@3 expected ',' or ']' after an element");
	assert_string_equal(split("[1,]", NULL), "1@1:1 -6 1@3 expected an element");
	assert_string_equal(split("[,1]", NULL), "-6 1@1 expected an element");
	assert_string_equal(split("[{\"a\":1},\n{\"b\":", NULL),
			    "1@1:{\"a\":1} -6 2@10 the document ends inside this element: it may be cut off");
	assert_string_equal(split("[\"abc", NULL),
			    "-6 1@1 the document ends inside this element: it may be cut off");
	assert_string_equal(split("[\"abc\\", NULL),
			    "-6 1@1 the document ends inside this element: it may be cut off");
	assert_string_equal(split("[1] x", NULL), "1@1:1 -6 1@4 something follows the end of the document");
	assert_string_equal(split("{} {}", NULL), "1@0:{} -6 1@3 something follows the end of the document");
	assert_string_equal(split("[1", NULL), "1@1:1 -6 1@2 expected ',' or ']' after an element");
	assert_string_equal(split("{\"a\":1}", "objects"),
			    "-1 0@0 no member \"objects\" in the outer object");
	assert_string_equal(split("{}", "objects"), "-1 0@0 no member \"objects\" in the outer object");
	assert_string_equal(split("[]", "objects"), "-6 1@0 expected an object");
	assert_string_equal(split("{\"objects\":7}", "objects"), "-6 1@11 expected an array or an object");
	assert_string_equal(split("{\"objects\":[1],\"objects\":[2]}", "objects"),
			    "1@12:1 -6 1@15 the member to be read stands twice in the outer object");
	assert_string_equal(split("{\"objects\":[1]", "objects"),
			    "1@12:1 -6 1@14 expected ',' or '}' in the outer object");
	assert_string_equal(split("{\"a\":,\"objects\":[1]}", "objects"), "-6 1@5 expected a value");
	assert_string_equal(split("{\"a\":[1", "objects"),
			    "-6 1@5 the document ends inside this value: it may be cut off");
	assert_string_equal(split("{a:1}", "objects"),
			    "-6 1@1 expected a name in double quotes in the outer object");
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
		cmocka_unit_test(numbers_are_written_as_ecmascript_does),
		cmocka_unit_test(canonical_numbers_read_back),
		cmocka_unit_test(too_large_numbers_have_no_canonical_form),
		cmocka_unit_test(names_are_sorted_by_utf16),
		cmocka_unit_test(jcs_vectors_hold),
		cmocka_unit_test(documents_are_split_into_elements),
		cmocka_unit_test(split_faults_are_placed),
	};
	return cmocka_run_group_tests_name("json_write", tests, setup, teardown);
}
