/* Units of base/: limits.h, just under and just over, where base/ itself enforces it. Those of packed inputs
 * (DM_MAX_RATIO, DM_RATIO_GRACE, DM_MAX_INPUT) are in test_stream.c, which has the packers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/stream.h"

static struct dm_json doc;
static struct dm_buf out;

static void put_repeated(const char *s, size_t n)
{
	while (n--)
		dm_buf_str(&out, s);
}

static int parse_out(struct dm_err *err)
{
	assert_int_equal(out.err, 0);
	return dm_json_parse(&doc, dm_buf_view(&out), err);
}

static int parse_yaml(struct dm_err *err)
{
	assert_int_equal(out.err, 0);
	return dm_yaml_parse(&doc, dm_buf_view(&out), err);
}

static void json_depth_stops_at_its_limit(void **state)
{
	struct dm_err err = {0};

	for (unsigned depth = DM_MAX_DEPTH; depth <= DM_MAX_DEPTH + 1; depth++) {
		dm_buf_clear(&out);
		put_repeated("[{\"a\":", depth / 2);
		put_repeated("[", depth % 2);
		put_repeated("]", depth % 2);
		if (depth % 2 == 0)
			dm_buf_str(&out, "1");
		put_repeated("}]", depth / 2);
		assert_int_equal(parse_out(&err), depth > DM_MAX_DEPTH ? DM_ELIMIT : DM_OK);
	}
	assert_non_null(strstr(err.msg, "deeper than 64"));
	assert_int_equal(err.offset, 32 * 6);
	/* Two million brackets: no stack, no time. */
	dm_buf_clear(&out);
	put_repeated("[", 2000000);
	assert_int_equal(parse_out(&err), DM_ELIMIT);
}

static void json_values_stop_at_its_limit(void **state)
{
	struct dm_err err = {0};

	for (unsigned more = 0; more < 2; more++) {
		dm_buf_clear(&out);
		dm_buf_putc(&out, '[');
		put_repeated("1,", DM_MAX_NODES - 2 + more);
		dm_buf_str(&out, "1]");
		assert_int_equal(parse_out(&err), more ? DM_ELIMIT : DM_OK);
	}
	assert_non_null(strstr(err.msg, "more than 4000000 values"));
}

static void json_size_stops_at_its_limit(void **state)
{
	struct dm_err err = {0};

	for (unsigned more = 0; more < 2; more++) {
		dm_buf_clear(&out);
		dm_buf_putc(&out, '"');
		assert_true(dm_buf_room(&out, DM_MAX_ELEMENT));
		memset(out.p + 1, 'a', DM_MAX_ELEMENT - 2 + more);
		out.n += DM_MAX_ELEMENT - 2 + more;
		dm_buf_putc(&out, '"');
		assert_int_equal(parse_out(&err), more ? DM_ELIMIT : DM_OK);
	}
}

static void json_elements_stop_at_their_limit(void **state)
{
	struct dm_json_split s;
	struct dm_sv element;
	uint64_t line, offset;
	struct dm_err err = {0};

	for (unsigned more = 0; more < 2; more++) {
		dm_buf_clear(&out);
		dm_buf_str(&out, "[\"");
		assert_true(dm_buf_room(&out, DM_MAX_ELEMENT));
		memset(out.p + out.n, 'x', DM_MAX_ELEMENT);
		out.n += DM_MAX_ELEMENT - 2 + more;
		dm_buf_str(&out, "\",7]");
		assert_int_equal(dm_json_split_open(&s, dm_buf_view(&out), NULL, &err), DM_OK);
		assert_int_equal(dm_json_split_next(&s, &element, &line, &offset, &err),
				 more ? DM_ELIMIT : DM_OK);
		assert_int_equal(dm_json_split_next(&s, &element, &line, &offset, &err), DM_OK);
		assert_true(dm_sv_is(element, "7"));
		assert_int_equal(dm_json_split_next(&s, &element, &line, &offset, &err), DM_ENOENT);
	}
}

static void yaml_size_stops_at_its_limit(void **state)
{
	struct dm_err err = {0};

	for (unsigned more = 0; more < 2; more++) {
		dm_buf_clear(&out);
		put_repeated("# a comment of 32 bytes........\n", DM_MAX_YAML / 32 - 1);
		dm_buf_str(&out, "a: 1 # to the last byte........\n");
		put_repeated("\n", more);
		assert_int_equal(out.n, DM_MAX_YAML + more);
		assert_int_equal(parse_yaml(&err), more ? DM_ELIMIT : DM_OK);
	}
}

static void yaml_depth_stops_at_its_limit(void **state)
{
	struct dm_err err = {0};

	for (unsigned depth = DM_MAX_DEPTH; depth <= DM_MAX_DEPTH + 1; depth++) {
		dm_buf_clear(&out);
		put_repeated("[", depth);
		put_repeated("]", depth);
		assert_int_equal(parse_yaml(&err), depth > DM_MAX_DEPTH ? DM_ELIMIT : DM_OK);
		dm_buf_clear(&out);
		put_repeated("- ", depth);
		dm_buf_str(&out, "x\n");
		assert_int_equal(parse_yaml(&err), depth > DM_MAX_DEPTH ? DM_ELIMIT : DM_OK);
	}
	/* Megabytes of brackets stop at the same place. */
	for (unsigned kind = 0; kind < 3; kind++) {
		static const char *const open[] = {"[", "{", "- "};
		dm_buf_clear(&out);
		put_repeated(open[kind], DM_MAX_YAML / 2);
		assert_true(parse_yaml(&err) < 0);
	}
}

/* DM_MAX_NODES can't be reached from DM_MAX_YAML bytes (two a value), so the size holds for both. */
static void yaml_values_are_bounded_by_the_size(void **state)
{
	assert_true(DM_MAX_YAML / 2 < DM_MAX_NODES);
}

static void lines_stop_at_their_limit(void **state)
{
	for (unsigned more = 0; more < 2; more++) {
		struct dm_stream *s;
		struct dm_sv line;
		struct dm_err err = {0};
		int fd = memfd_create("line", 0);

		dm_buf_clear(&out);
		put_repeated("x", DM_MAX_LINE + more);
		dm_buf_str(&out, "\nnext\n");
		assert_int_equal(write(fd, out.p, out.n), out.n);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(dm_stream_open(&s, fd, dm_sv(NULL, 0), &err), DM_OK);
		assert_int_equal(dm_stream_line(s, &line, &err), more ? DM_ELIMIT : DM_OK);
		assert_int_equal(dm_stream_line(s, &line, &err), DM_OK);
		assert_true(dm_sv_is(line, "next"));
		assert_int_equal(dm_stream_lineno(s), 2);
		dm_stream_close(s);
		close(fd);
	}
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
		cmocka_unit_test(json_depth_stops_at_its_limit),
		cmocka_unit_test(json_values_stop_at_its_limit),
		cmocka_unit_test(json_size_stops_at_its_limit),
		cmocka_unit_test(json_elements_stop_at_their_limit),
		cmocka_unit_test(yaml_size_stops_at_its_limit),
		cmocka_unit_test(yaml_depth_stops_at_its_limit),
		cmocka_unit_test(yaml_values_are_bounded_by_the_size),
		cmocka_unit_test(lines_stop_at_their_limit),
	};
	return cmocka_run_group_tests_name("limits", tests, setup, teardown);
}
