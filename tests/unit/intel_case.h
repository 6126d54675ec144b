/* intel_case.h: one importer over one text, with its outcome at hand; shared by the tests of the importers of
 * intelligence. */
#ifndef DM_TESTS_INTEL_CASE_H
#define DM_TESTS_INTEL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/limits.h"
#include "sink_recorder.h"

extern struct recorder rec;

int case_setup(void **state);
int case_teardown(void **state);
/* Runs the importer over `n` bytes; the recorder is emptied before. Returns what the importer returned. For
 * the sake of the reader the texts of tests have ` where a file has ". */
int case_run(const struct dm_importer *imp, enum dm_import_class want, const char *text, size_t n);
/* The same over the bytes as they are. */
int case_run_raw(const struct dm_importer *imp, enum dm_import_class want, const char *text, size_t n);
int case_probe(const struct dm_importer *imp, const char *text);
/* Each sink call in turn fails once: the importer must end with that failure. */
void case_failing_sink(const struct dm_importer *imp, const char *text);
/* Every prefix of the text (every `step` bytes) ends in order, whatever it returns, and only ever gives less
 * than the whole. */
void case_prefixes(const struct dm_importer *imp, const char *text, size_t step);
/* Whether one of the kept texts holds `part`. */
bool case_any(const struct recorder_list *l, const char *part);
#define assert_indicator(part) assert_true(case_any(&rec.indicator_text, part))
#define assert_skipped(part)   assert_true(case_any(&rec.skip_text, part))
#define assert_record(part)    assert_true(case_any(&rec.record_text, part))
#define assert_meta(part)      assert_true(case_any(&rec.meta_text, part))

#endif
