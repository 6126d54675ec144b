/* Units of base/: views, buffers, arenas, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/sv.h"

static void views_split_and_trim(void **state)
{
	struct dm_sv rest = DM_SV("a,,b"), part;

	(void)state;
	part = dm_sv_split(&rest, ',');
	assert_true(dm_sv_is(part, "a"));
	part = dm_sv_split(&rest, ',');
	assert_int_equal(part.n, 0);
	part = dm_sv_split(&rest, ',');
	assert_true(dm_sv_is(part, "b"));
	assert_null(rest.p);
	assert_true(dm_sv_is(dm_sv_trim(DM_SV(" \t x y\r\n")), "x y"));
}

static void numbers_refuse_overflow_and_rubbish(void **state)
{
	uint64_t u;
	int64_t i;

	(void)state;
	assert_true(dm_sv_u64(DM_SV("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_false(dm_sv_u64(DM_SV("18446744073709551616"), &u));
	assert_false(dm_sv_u64(DM_SV("1x"), &u));
	assert_false(dm_sv_u64(DM_SV(""), &u));
	assert_true(dm_sv_i64(DM_SV("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_false(dm_sv_i64(DM_SV("9223372036854775808"), &i));
	assert_false(dm_sv_i64(DM_SV("-"), &i));
}

static void a_buffer_stops_at_its_maximum(void **state)
{
	struct dm_buf b;

	(void)state;
	dm_buf_init(&b, 4);
	dm_buf_str(&b, "abcd");
	assert_int_equal(b.err, DM_OK);
	dm_buf_putc(&b, 'e');
	assert_int_equal(b.err, DM_ELIMIT);
	assert_int_equal(b.n, 4);
	dm_buf_done(&b);
}

static void a_cursor_stays_bad(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct dm_cur c = dm_cur(bytes, sizeof bytes);

	(void)state;
	assert_int_equal(dm_cur_u16be(&c), 0x0102);
	assert_int_equal(dm_cur_u16be(&c), 0);
	assert_true(c.bad);
	assert_int_equal(dm_cur_u8(&c), 0);
}

static void varints_round_trip_and_refuse_overlong(void **state)
{
	static const uint64_t values[] = {0, 1, 127, 128, 16384, UINT32_MAX, UINT64_MAX};
	static const uint8_t overlong[11] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02};
	struct dm_buf b;
	struct dm_cur c;

	(void)state;
	dm_buf_init(&b, 256);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		dm_buf_varint(&b, values[i]);
	c = dm_cur(b.p, b.n);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_true(dm_cur_varint(&c) == values[i]);
	assert_false(c.bad);
	c = dm_cur(overlong, sizeof overlong);
	dm_cur_varint(&c);
	assert_true(c.bad);
	dm_buf_done(&b);
}

static void an_arena_keeps_its_bound(void **state)
{
	struct dm_arena a = {.max = 64};

	(void)state;
	assert_non_null(dm_arena_alloc(&a, 48));
	assert_null(dm_arena_alloc(&a, 17));
	assert_non_null(dm_arena_alloc(&a, 16));
	dm_arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_split_and_trim),
		cmocka_unit_test(numbers_refuse_overflow_and_rubbish),
		cmocka_unit_test(a_buffer_stops_at_its_maximum),
		cmocka_unit_test(a_cursor_stays_bad),
		cmocka_unit_test(varints_round_trip_and_refuse_overlong),
		cmocka_unit_test(an_arena_keeps_its_bound),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
