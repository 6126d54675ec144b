/* sink_recorder.h: a sink for tests that counts everything and keeps it as text.
 *
 * Each record becomes one line of text: kind, time, line number, then every value as `name=value`, joined by
 * '|', in the order in which the importer added them:
 * "flow|2024-04-19T00:00:00.5Z|9|source.ip=10.0.0.1|source.port=53". Numbers are decimal (spans in
 * microseconds), times ISO 8601, an unknown time is "-". Indicators, skips and metas are kept as text in the
 * same way. All memory belongs to the recorder.
 */
#ifndef DM_TESTS_SINK_RECORDER_H
#define DM_TESTS_SINK_RECORDER_H

#include "base/buf.h"
#include "import/importer.h"

struct recorder_list {
	char **text; /* NUL-terminated */
	size_t n, cap;
};

struct recorder {
	struct dm_sink sink; /* first: the importer's view */
	size_t keep;	     /* texts kept per list; all are counted. Default 1000 */
	uint64_t records, indicators, skips, metas, progresses;
	uint64_t kind[DM_KINDS];	 /* records of each kind */
	uint64_t field[DM_FIELDS];	 /* values of each field over all records */
	uint64_t last_offset, last_line; /* of the last progress */
	struct recorder_list record_text, indicator_text, skip_text, meta_text;
	int fail_after; /* > 0: the call with this number (of any sort) fails with DM_EIO; 0: never */
	int calls;
	int code; /* what the importer returned (recorder_run) */
	struct dm_err err;
};

void recorder_init(struct recorder *r);
void recorder_done(struct recorder *r);
/* Forgets what was recorded. */
void recorder_clear(struct recorder *r);

/* Runs `imp` over bytes as if they stood in a file `name`; `in` may hold further settings (resume, timings),
 * else NULL. */
int recorder_run(struct recorder *r, const struct dm_importer *imp, const char *name, const void *bytes,
		 size_t n, const struct dm_import_input *in);
/* The same over a file. DM_ENOENT if it can't be opened. */
int recorder_run_file(struct recorder *r, const struct dm_importer *imp, const char *path,
		      const struct dm_import_input *in);
/* Whether a file below $DEMARCHE_SHARED is there; its path goes to `out`. A test without it calls skip(). */
bool recorder_shared(const char *path, char *out, size_t n);

/* Text of record i, "" if there is none. */
const char *recorder_record(const struct recorder *r, size_t i);
const char *recorder_indicator(const struct recorder *r, size_t i);
const char *recorder_skip(const struct recorder *r, size_t i);
/* Value of the first meta with this key; NULL if none. */
const char *recorder_meta(const struct recorder *r, const char *key);
/* Whether record i has exactly this "name=value". */
bool recorder_has(const struct recorder *r, size_t i, const char *pair);
/* How many values `name` record i has. */
size_t recorder_values(const struct recorder *r, size_t i, const char *name);

#endif
