/* Observation operators and qualifiers (STIX 2.1 s.9.5) over observations that are written as "a@0 b@3-5
 * ab@7x2": letters that match, first and last second, count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/limits.h"
#include "hunt/pattern.h"

/* In patterns, [a] stands for a bracket that the observations with the letter a match; "s" behind a number
 * for seconds of the day. */
static const struct {
	const char *observations, *pattern;
	const char *hits; /* numbers of one binding, "" if there is none */
} cases[] = {
	/* one bracket */
	{"", "[a]", ""},
	{"a@0", "[a]", "0"},
	{"b@0", "[a]", ""},
	{"b@0 a@1", "[a]", "1"},
	/* AND: different observations */
	{"a@0 b@1", "[a] AND [b]", "01"},
	{"b@0 a@1", "[a] AND [b]", "01"},
	{"ab@0", "[a] AND [b]", ""},
	{"ab@0x2", "[a] AND [b]", "0"},
	{"ab@0 a@1", "[a] AND [b]", "01"},
	{"ab@0 b@1", "[a] AND [b]", "01"},
	{"a@0", "[a] AND [a]", ""},
	{"a@0 a@1", "[a] AND [a]", "01"},
	{"a@0x2", "[a] AND [a]", "0"},
	{"ab@0 bc@1 c@2", "[a] AND [b] AND [c]", "012"},
	{"ab@0 bc@1", "[a] AND [b] AND [c]", ""},
	{"abc@0 bc@1 b@2", "[a] AND [b] AND [c]", "012"},
	{"ab@0 ab@1 ac@2", "[a] AND [b] AND [c]", "012"},
	{"ab@0 ab@1 c@2", "[a] AND [b] AND [c]", "012"},
	/* OR */
	{"a@0", "[a] OR [b]", "0"},
	{"b@0", "[a] OR [b]", "0"},
	{"c@0", "[a] OR [b]", ""},
	{"a@0 c@1", "([a] OR [b]) AND [c]", "01"},
	{"c@1", "([a] OR [b]) AND [c]", ""},
	{"ac@1", "([a] OR [b]) AND [c]", ""},
	{"a@0", "[a] OR [b] AND [c]", "0"},
	{"b@0 c@1", "[a] OR [b] AND [c]", "01"},
	{"b@0", "[a] OR [b] AND [c]", ""},
	/* FOLLOWEDBY */
	{"a@0 b@1", "[a] FOLLOWEDBY [b]", "01"},
	{"b@0 a@1", "[a] FOLLOWEDBY [b]", ""},
	{"a@0 b@0", "[a] FOLLOWEDBY [b]", "01"},
	{"ab@0", "[a] FOLLOWEDBY [b]", ""},
	{"ab@0x2", "[a] FOLLOWEDBY [b]", "0"},
	{"b@0 a@1 b@2", "[a] FOLLOWEDBY [b]", "12"},
	{"a@0 b@1 c@2", "[a] FOLLOWEDBY [b] FOLLOWEDBY [c]", "012"},
	{"a@0 c@1 b@2", "[a] FOLLOWEDBY [b] FOLLOWEDBY [c]", ""},
	{"a@2 b@0 c@3", "[a] AND [b] FOLLOWEDBY [c]", "012"},
	{"a@2 b@4 c@3", "[a] AND [b] FOLLOWEDBY [c]", ""},
	{"a@0 b@4 c@3", "[a] FOLLOWEDBY [b] AND [c]", "012"},
	{"a@3 b@4 c@2", "[a] FOLLOWEDBY [b] AND [c]", ""},
	{"a@3 b@4 c@2", "([a] FOLLOWEDBY [b]) AND [c]", "012"},
	{"b@4 c@2 a@3", "[a] FOLLOWEDBY [b] OR [c]", "02"},
	{"c@2 a@3", "[a] FOLLOWEDBY [b] OR [c]", ""},
	{"c@2 a@3", "([a] FOLLOWEDBY [b]) OR [c]", "0"},
	{"a@0 b@2 c@1 d@3", "[a] FOLLOWEDBY ([b] FOLLOWEDBY [c]) OR [d]", "03"},
	{"a@0 a@2 b@1", "[a] AND [a] FOLLOWEDBY [b]", ""},
	{"a@0 a@1 b@1", "[a] AND [a] FOLLOWEDBY [b]", "012"},
	/* a time anywhere between first and last */
	{"a@0-5 b@2-3", "[a] FOLLOWEDBY [b]", "01"},
	{"a@3-5 b@0-4", "[a] FOLLOWEDBY [b]", "01"},
	{"a@5-9 b@0-4", "[a] FOLLOWEDBY [b]", ""},
	{"a@0-9 b@0-9 c@0-9", "[c] FOLLOWEDBY [b] FOLLOWEDBY [a]", "012"},
	{"a@4-9 b@0-5 c@0-4", "[a] FOLLOWEDBY [b] FOLLOWEDBY [c]", "012"},
	{"a@4-9 b@5-6 c@0-4", "[a] FOLLOWEDBY [b] FOLLOWEDBY [c]", ""},
	/* WITHIN */
	{"a@0", "[a] WITHIN 1 SECONDS", "0"},
	{"a@0 b@5", "([a] AND [b]) WITHIN 5 SECONDS", "01"},
	{"a@0 b@5", "([a] AND [b]) WITHIN 4.999999 SECONDS", ""},
	{"a@0 b@5", "([a] AND [b]) WITHIN 5.000001 SECONDS", "01"},
	{"a@5 b@0", "([a] AND [b]) WITHIN 5 SECONDS", "01"},
	{"a@0 b@5", "[a] AND [b] WITHIN 1 SECONDS", "01"},
	{"a@0 a@8 b@9", "([a] AND [b]) WITHIN 2 SECONDS", "12"},
	{"a@0 b@3 a@5 b@9", "([a] FOLLOWEDBY [b]) WITHIN 2 SECONDS", ""},
	{"a@0 b@3 a@5 b@9 b@7", "([a] FOLLOWEDBY [b]) WITHIN 2 SECONDS", "24"},
	{"a@0 b@2 c@4", "([a] AND [b] AND [c]) WITHIN 3 SECONDS", ""},
	{"a@0 b@2 c@4", "([a] AND [b] AND [c]) WITHIN 4 SECONDS", "012"},
	{"a@0-9 b@5", "([a] AND [b]) WITHIN 1 SECONDS", "01"},
	{"a@0-3 b@5-9", "([a] AND [b]) WITHIN 2 SECONDS", "01"},
	{"a@0-3 b@5-9", "([a] AND [b]) WITHIN 1 SECONDS", ""},
	{"a@0-9 b@0 c@9", "([a] AND [b]) WITHIN 1 SECONDS AND [c]", "012"},
	{"a@0 b@1 c@9", "([a] AND [b]) WITHIN 1 SECONDS FOLLOWEDBY [c]", "012"},
	{"a@0 b@1 c@2", "(([a] AND [b]) WITHIN 1 SECONDS AND [c]) WITHIN 2 SECONDS", "012"},
	{"a@0 b@2 c@2", "(([a] AND [b]) WITHIN 1 SECONDS AND [c]) WITHIN 2 SECONDS", ""},
	/* REPEATS */
	{"a@0", "[a] REPEATS 1 TIMES", "0"},
	{"a@0", "[a] REPEATS 2 TIMES", ""},
	{"a@0 a@1", "[a] REPEATS 2 TIMES", "01"},
	{"a@0x2", "[a] REPEATS 2 TIMES", "0"},
	{"a@0x2 a@1x2", "[a] REPEATS 4 TIMES", "01"},
	{"a@0x2 a@1x2", "[a] REPEATS 5 TIMES", ""},
	{"a@0x4000000000", "[a] REPEATS 4000000000 TIMES", "0"},
	{"a@0x5", "[a] REPEATS 99999999999999999999 TIMES", ""},
	{"a@0 b@1", "([a] OR [b]) REPEATS 2 TIMES", "01"},
	{"ab@0", "([a] OR [b]) REPEATS 2 TIMES", ""},
	{"ab@0x2", "([a] OR [b]) REPEATS 2 TIMES", "0"},
	{"a@0 b@1 a@2 b@3", "([a] AND [b]) REPEATS 2 TIMES", "0123"},
	{"a@0 b@1 a@2", "([a] AND [b]) REPEATS 2 TIMES", ""},
	{"ab@0 ab@1 ab@2", "([a] AND [b]) REPEATS 2 TIMES", ""},
	{"ab@0 ab@1 ab@2 ab@3", "([a] AND [b]) REPEATS 2 TIMES", "0123"},
	{"a@0 b@1 a@2 b@3", "([a] FOLLOWEDBY [b]) REPEATS 2 TIMES", "0123"},
	{"a@0 a@1 b@2 b@3", "([a] FOLLOWEDBY [b]) REPEATS 2 TIMES", "0123"},
	{"b@0 a@1 a@2 b@3", "([a] FOLLOWEDBY [b]) REPEATS 2 TIMES", ""},
	{"a@0 b@1 b@2 a@3", "([a] FOLLOWEDBY [b]) REPEATS 2 TIMES", ""},
	{"a@0 b@1 b@2 b@3 b@4 b@5", "[a] FOLLOWEDBY [b] REPEATS 5 TIMES", "012345"},
	{"b@0 a@1 b@2 b@3 b@4 b@5", "[a] FOLLOWEDBY [b] REPEATS 5 TIMES", ""},
	{"a@0 a@1 a@2 a@3", "[a] REPEATS 3 TIMES WITHIN 2 SECONDS", "012"},
	{"a@0 a@1 a@3 a@5", "[a] REPEATS 3 TIMES WITHIN 2 SECONDS", ""},
	{"a@0 a@1 a@3 a@4 a@5", "[a] REPEATS 3 TIMES WITHIN 2 SECONDS", "234"},
	{"a@0 a@1 b@2 b@3", "([a] AND [b]) REPEATS 2 TIMES WITHIN 3 SECONDS", "0123"},
	{"a@0 b@1 a@8 b@9", "([a] AND [b]) WITHIN 1 SECONDS REPEATS 2 TIMES", "0123"},
	{"a@0 b@1 a@8 b@9", "([a] AND [b]) REPEATS 2 TIMES WITHIN 5 SECONDS", ""},
	{"a@0 b@2 a@8 b@9", "([a] AND [b]) WITHIN 1 SECONDS REPEATS 2 TIMES", ""},
	{"a@0 a@1 b@1 b@2", "(([a] FOLLOWEDBY [b]) WITHIN 1 SECONDS) REPEATS 2 TIMES", "0123"},
	{"a@0 a@1 b@2 b@3", "(([a] FOLLOWEDBY [b]) WITHIN 1 SECONDS) REPEATS 2 TIMES", ""},
	{"a@0 a@5 b@1 c@6", "(([a] FOLLOWEDBY [b]) OR ([a] FOLLOWEDBY [c])) REPEATS 2 TIMES", "0123"},
	{"a@0 b@1 c@6", "(([a] FOLLOWEDBY [b]) OR ([a] FOLLOWEDBY [c])) REPEATS 2 TIMES", ""},
	/* START, STOP: from START on, before STOP */
	{"a@5", "[a] START 5s STOP 6s", "0"},
	{"a@5", "[a] START 4s STOP 5s", ""},
	{"a@5", "[a] START 6s STOP 9s", ""},
	{"a@5", "[a] START 5s STOP 5s", ""},
	{"a@5", "[a] START 9s STOP 1s", ""},
	{"a@0-5", "[a] START 5s STOP 9s", "0"},
	{"a@5-9", "[a] START 0s STOP 5s", ""},
	{"a@5-9", "[a] START 6s STOP 7s", "0"},
	{"a@0 b@5", "([a] AND [b]) START 0s STOP 6s", "01"},
	{"a@0 b@5", "([a] AND [b]) START 1s STOP 6s", ""},
	{"a@0 b@5", "[a] AND [b] START 1s STOP 6s", "01"},
	{"a@0 a@5 b@1", "[a] START 2s STOP 9s FOLLOWEDBY [b]", ""},
	{"a@0 a@5 b@7", "[a] START 2s STOP 9s FOLLOWEDBY [b]", "12"},
	{"a@0-9 b@3", "[a] START 5s STOP 9s FOLLOWEDBY [b]", ""},
	{"a@0-9 b@5", "[a] START 5s STOP 9s FOLLOWEDBY [b]", "01"},
	{"a@0-9 b@8", "([a] START 0s STOP 3s AND [b]) WITHIN 5 SECONDS", ""},
	{"a@0-9 b@7", "([a] START 0s STOP 3s AND [b]) WITHIN 5 SECONDS", "01"},
	{"a@0 a@1 a@2", "[a] REPEATS 2 TIMES START 1s STOP 3s", "12"},
	{"a@0-9", "([a] START 0s STOP 3s) START 5s STOP 9s", ""},
	/* observations without a time fit where no window is asked for */
	{"a@?", "[a]", "0"},
	{"a@? b@1", "[a] AND [b]", "01"},
	{"a@? a@?", "[a] REPEATS 2 TIMES", "01"},
	{"a@? b@1", "[a] FOLLOWEDBY [b]", ""},
	{"a@0 b@?", "[a] FOLLOWEDBY [b]", ""},
	{"a@? b@1", "([a] AND [b]) WITHIN 9 SECONDS", ""},
	{"a@?", "[a] WITHIN 9 SECONDS", "0"},
	{"a@?", "[a] START 0s STOP 9s", ""},
	{"a@? b@0 c@1", "[a] AND ([b] FOLLOWEDBY [c])", "012"},
};

#define DAY 1419033600ll /* 2014-12-20 */

struct world {
	struct dm_pattern_event event[32];
	const char *letters[32];
	size_t n_letters[32];
	uint32_t n;
};

/* At its largest where the text says more: a count that large is never reached. */
static int64_t number(const char **s)
{
	int64_t v = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, **s - '0', &v))
			v = INT64_MAX;
	return v;
}

static void read_world(struct world *w, const char *s)
{
	*w = (struct world){0};
	while (*s) {
		struct dm_pattern_event *e = &w->event[w->n];

		w->letters[w->n] = s;
		while (*s != '@')
			s++;
		w->n_letters[w->n] = (size_t)(s++ - w->letters[w->n]);
		w->n++;
		e->number_observed = 1;
		if (*s == '?') {
			e->first = e->last = DM_NO_TIME;
			s++;
		} else {
			e->first = e->last = (DAY + number(&s)) * DM_US;
			if (*s == '-' && s++)
				e->last = (DAY + number(&s)) * DM_US;
			if (*s == 'x' && s++)
				e->number_observed = (uint64_t)number(&s);
		}
		while (*s == ' ')
			s++;
	}
}

/* "[a] START 5s" to STIX. letters[b]: the letter of each bracket. */
static void spell_out(const char *s, struct dm_buf *out, char *letters)
{
	for (size_t b = 0; *s;) {
		if (*s == '[') {
			letters[b++] = s[1];
			dm_buf_str(out, "[x:y = 1]");
			s += 3;
		} else if (*s >= '0' && *s <= '9') {
			const char *start = s;
			int64_t v = number(&s);

			if (*s == 's' && s++)
				dm_buf_printf(out, "t'2014-12-20T00:00:%02lldZ'", (long long)v);
			else
				dm_buf_put(out, start, (size_t)(s - start));
		} else {
			dm_buf_putc(out, *s++);
		}
	}
}

static int combine(const char *pattern, const struct world *w, uint64_t steps, struct dm_buf *hits,
		   struct dm_err *err)
{
	uint32_t lists[32][32], count[32] = {0}, *found = NULL, n = 0;
	const uint32_t *matches[32];
	struct dm_budget budget = {steps};
	struct dm_pattern *p = NULL;
	struct dm_arena arena = {0};
	char letters[32] = {0};
	struct dm_buf text;
	int rc;

	*err = (struct dm_err){0};
	dm_buf_init(&text, 65536);
	spell_out(pattern, &text, letters);
	rc = dm_pattern_parse(&p, dm_buf_view(&text), err);
	for (uint32_t b = 0; !rc && b < dm_pattern_brackets(p); b++) {
		matches[b] = lists[b];
		for (uint32_t i = 0; i < w->n; i++) {
			if (memchr(w->letters[i], letters[b], w->n_letters[i]))
				lists[b][count[b]++] = i;
		}
	}
	if (!rc)
		rc = dm_pattern_combine(p, w->event, w->n, matches, count, &budget, &arena, &found, &n, err);
	for (uint32_t i = 0; !rc && i < n; i++)
		dm_buf_printf(hits, "%u", found[i]);
	dm_pattern_free(p);
	dm_buf_done(&text);
	dm_arena_done(&arena);
	return rc;
}

static void operators_bind_as_the_specification_says(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dm_buf hits;
		struct dm_err err;
		struct world w;
		int rc;

		dm_buf_init(&hits, 1024);
		read_world(&w, cases[i].observations);
		rc = combine(cases[i].pattern, &w, 100000, &hits, &err);
		if (rc || strcmp(dm_buf_cstr(&hits), cases[i].hits) != 0) {
			print_error("%s over %s: \"%s\", not \"%s\" %s\n", cases[i].pattern,
				    cases[i].observations, dm_buf_cstr(&hits), cases[i].hits, err.msg);
			failed++;
		}
		dm_buf_done(&hits);
	}
	assert_int_equal(failed, 0);
}

static void a_search_stops_at_its_budget(void **state)
{
	static const char pattern[] = "([a] FOLLOWEDBY [b]) REPEATS 3 TIMES WITHIN 5 SECONDS";
	struct dm_buf hits;
	struct dm_err err;
	struct world w;
	uint64_t need = 0;

	(void)state;
	dm_buf_init(&hits, 1024);
	read_world(&w, "a@0 b@1 a@2 b@3 a@4 b@5");
	while (combine(pattern, &w, need, &hits, &err) == DM_ELIMIT)
		need++;
	assert_string_equal(dm_buf_cstr(&hits), "012345");
	assert_in_range(need, 10, 1000);
	assert_int_equal(combine(pattern, &w, need - 1, &hits, &err), DM_ELIMIT);
	dm_buf_done(&hits);
}

/* n observations a second apart that match every bracket. */
static int over_many(const char *pattern, uint32_t n, uint64_t *steps, uint32_t *ret_n)
{
	struct dm_pattern_event *event = calloc(n, sizeof(*event));
	uint32_t *all = calloc(n, sizeof(*all)), *found = NULL;
	const uint32_t *matches[64];
	uint32_t count[64];
	struct dm_budget budget = {*steps};
	struct dm_pattern *p = NULL;
	struct dm_arena arena = {0};
	int rc;

	assert_true(event && all);
	for (uint32_t i = 0; i < n; i++) {
		event[i] = (struct dm_pattern_event){i * DM_US, i * DM_US, 1};
		all[i] = i;
	}
	assert_int_equal(dm_pattern_parse(&p, dm_sv_str(pattern), NULL), 0);
	for (uint32_t b = 0; b < dm_pattern_brackets(p); b++) {
		matches[b] = all;
		count[b] = n;
	}
	rc = dm_pattern_combine(p, event, n, matches, count, &budget, &arena, &found, ret_n, NULL);
	*steps -= budget.left;
	dm_pattern_free(p);
	dm_arena_done(&arena);
	free(event);
	free(all);
	return rc;
}

static void ordinary_patterns_stay_far_from_the_budget(void **state)
{
	static const struct {
		const char *pattern;
		uint32_t hits;
	} ordinary[] = {
		{"[a:b = 1] FOLLOWEDBY [a:b = 1] FOLLOWEDBY [a:b = 1]", 3},
		{"([a:b = 1] FOLLOWEDBY [a:b = 1]) WITHIN 0.5 SECONDS", 0},
		{"[a:b = 1] REPEATS 1000 TIMES WITHIN 999 SECONDS", 1000},
		{"[a:b = 1] REPEATS 1000 TIMES WITHIN 998 SECONDS", 0},
		{"[a:b = 1] REPEATS 30000 TIMES AND [a:b = 1] REPEATS 20000 TIMES", 50000},
		{"[a:b = 1] REPEATS 30000 TIMES AND [a:b = 1] REPEATS 20001 TIMES", 0},
		{"(([a:b = 1] FOLLOWEDBY [a:b = 1]) REPEATS 5 TIMES) WITHIN 9 SECONDS", 10},
		{"(([a:b = 1] FOLLOWEDBY [a:b = 1]) REPEATS 5 TIMES) WITHIN 8 SECONDS", 0},
		{"(([a:b = 1] FOLLOWEDBY [a:b = 1]) WITHIN 0.5 SECONDS) REPEATS 3 TIMES", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++) {
		uint64_t steps = DM_PATTERN_STEPS;
		uint32_t n = 0;

		assert_int_equal(over_many(ordinary[i].pattern, 50000, &steps, &n), 0);
		assert_int_equal(n, ordinary[i].hits);
		if (steps > DM_PATTERN_STEPS / 10)
			fail_msg("%s takes %llu steps", ordinary[i].pattern, (unsigned long long)steps);
	}
}

static void hostile_patterns_end_at_the_budget(void **state)
{
	/* Copies of sequences that never suffice by one, and more open places than the stack is given. */
	static const char *const hostile[] = {
		"([a:b = 1] FOLLOWEDBY [a:b = 1] FOLLOWEDBY [a:b = 1]) REPEATS 1000 TIMES",
		"((([a:b = 1] FOLLOWEDBY [a:b = 1]) WITHIN 1 SECONDS) REPEATS 400 TIMES) WITHIN 700 SECONDS",
		"(([a:b = 1] FOLLOWEDBY [a:b = 1]) REPEATS 1000000000 TIMES) REPEATS 1000000000 TIMES",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		uint64_t steps = DM_PATTERN_STEPS;
		uint32_t n = 0;
		int rc = over_many(hostile[i], 5000, &steps, &n);

		assert_true(rc == 0 || rc == DM_ELIMIT);
		assert_true(steps <= DM_PATTERN_STEPS);
	}
}

/* "[a:b=1]FOLLOWEDBY[a:b=1]..." with n brackets over n observations, one for each: two places a bracket. */
static int long_chain(uint32_t n, uint32_t *ret_n)
{
	struct dm_pattern_event *event = calloc(n, sizeof(*event));
	uint32_t *all = calloc(n, sizeof(*all)), *count = calloc(n, sizeof(*count)), *found = NULL;
	const uint32_t **matches = calloc(n, sizeof(*matches));
	struct dm_budget budget = {UINT64_MAX};
	struct dm_pattern *p = NULL;
	struct dm_arena arena = {0};
	struct dm_buf text;
	int rc;

	assert_true(event && all && count && matches);
	dm_buf_init(&text, DM_MAX_PATTERN);
	for (uint32_t i = 0; i < n; i++) {
		dm_buf_str(&text, i ? "FOLLOWEDBY[a:b=1]" : "[a:b=1]");
		event[i] = (struct dm_pattern_event){i * DM_US, i * DM_US, 1};
		all[i] = i;
		matches[i] = &all[i];
		count[i] = 1;
	}
	assert_int_equal(dm_pattern_parse(&p, dm_buf_view(&text), NULL), 0);
	rc = dm_pattern_combine(p, event, n, matches, count, &budget, &arena, &found, ret_n, NULL);
	dm_pattern_free(p);
	dm_arena_done(&arena);
	dm_buf_done(&text);
	free(event);
	free(all);
	free(count);
	free(matches);
	return rc;
}

static void the_stack_bounds_the_search(void **state)
{
	uint32_t n = 0;

	(void)state;
	assert_int_equal(long_chain(DM_MAX_PATTERN_OPEN / 2, &n), 0);
	assert_int_equal(n, DM_MAX_PATTERN_OPEN / 2);
	assert_int_equal(long_chain(DM_MAX_PATTERN_OPEN / 2 + 1, &n), DM_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_bind_as_the_specification_says),
		cmocka_unit_test(a_search_stops_at_its_budget),
		cmocka_unit_test(ordinary_patterns_stay_far_from_the_budget),
		cmocka_unit_test(hostile_patterns_end_at_the_budget),
		cmocka_unit_test(the_stack_bounds_the_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
