#include "intel_case.h"

struct recorder rec;

int case_setup(void **state)
{
	recorder_init(&rec);
	return 0;
}

int case_teardown(void **state)
{
	recorder_done(&rec);
	return 0;
}

/* A copy with real quotation marks; free it. */
static char *quoted(const char *text, size_t n)
{
	char *copy = malloc(n + 1);

	assert_non_null(copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = text[i] == '`' ? '"' : text[i];
	copy[n] = 0;
	return copy;
}

int case_run_raw(const struct dm_importer *imp, enum dm_import_class want, const char *text, size_t n)
{
	struct dm_import_input in = {.want = want};

	recorder_clear(&rec);
	return recorder_run(&rec, imp, "input", text, n, &in);
}

int case_run(const struct dm_importer *imp, enum dm_import_class want, const char *text, size_t n)
{
	char *copy = quoted(text, n);
	int rc = case_run_raw(imp, want, copy, n);

	free(copy);
	return rc;
}

int case_probe(const struct dm_importer *imp, const char *text)
{
	char *copy = quoted(text, strlen(text));
	int score = imp->probe(dm_sv_str(copy), "input");

	free(copy);
	return score;
}

void case_failing_sink(const struct dm_importer *imp, const char *text)
{
	struct dm_import_input in = {.want = DM_EITHER};
	size_t n = strlen(text);
	char *copy = quoted(text, n);
	int calls;

	case_run_raw(imp, DM_EITHER, copy, n);
	calls = rec.calls;
	assert_true(calls > 0);
	for (int i = 1; i <= calls; i++) {
		recorder_clear(&rec);
		rec.fail_after = i;
		assert_int_equal(recorder_run(&rec, imp, "input", copy, n, &in), DM_EIO);
		assert_int_equal(rec.calls, i);
	}
	free(copy);
}

void case_prefixes(const struct dm_importer *imp, const char *text, size_t step)
{
	size_t n = strlen(text);
	uint64_t records, indicators;

	case_run(imp, DM_EITHER, text, n);
	records = rec.records;
	indicators = rec.indicators;
	for (size_t i = 0; i < n; i += step) {
		case_run(imp, DM_EITHER, text, i);
		assert_true(rec.records <= records);
		assert_true(rec.indicators <= indicators);
	}
}

bool case_any(const struct recorder_list *l, const char *part)
{
	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->text[i], part))
			return true;
	return false;
}
