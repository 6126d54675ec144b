/* indicator_check.h: one importer of intelligence over bytes in memory, into a sink that believes nothing. */
#ifndef DM_FUZZ_INDICATOR_CHECK_H
#define DM_FUZZ_INDICATOR_CHECK_H

#include <assert.h>
#include <unistd.h>
#include "import/importer.h"

static inline int fuzz_on_indicator(struct dm_sink *s, const struct dm_indicator *ind)
{
	struct dm_buf key;
	enum dm_obs_type t;

	assert(ind->form == DM_IND_VALUE || ind->form == DM_IND_RANGE || ind->form == DM_IND_SUFFIX);
	assert(ind->type > DM_OBS_NONE && ind->type < DM_OBS_TYPES && ind->key.n && ind->value.n);
	assert((ind->form == DM_IND_RANGE) == (ind->key2.n != 0));
	dm_buf_init(&key, 1u << 20);
	if (ind->form == DM_IND_RANGE) {
		struct dm_ip first, last;

		assert(dm_ip_range(ind->value, &first, &last));
		dm_obs_ip_key(&first, &key, &t);
		assert(dm_sv_eq(dm_buf_view(&key), ind->key) && t == ind->type &&
		       dm_sv_cmp(ind->key, ind->key2) < 0);
	} else {
		struct dm_sv value = ind->form == DM_IND_SUFFIX ? dm_sv_from(ind->value, 2) : ind->value;

		assert(dm_obs_key(ind->type, value, &key, &t) && t == ind->type &&
		       dm_sv_eq(dm_buf_view(&key), ind->key));
	}
	dm_buf_done(&key);
	assert(ind->confidence <= 100 || ind->confidence == 255);
	return 0;
}

static inline int fuzz_on_skip(struct dm_sink *s, uint64_t line, const char *reason)
{
	assert(reason[0]);
	return 0;
}

static inline int fuzz_on_meta(struct dm_sink *s, const char *key, struct dm_sv value)
{
	return 0;
}

static inline int fuzz_on_progress(struct dm_sink *s, uint64_t offset, uint64_t line)
{
	return 0;
}

/* Runs probe and run; asserts that every indicator has the form that the node checks for, and that its keys
 * are those of its value. */
static inline void fuzz_indicators(const struct dm_importer *imp, const uint8_t *data, size_t size)
{
	struct dm_sink sink = {.indicator = fuzz_on_indicator,
			       .skip = fuzz_on_skip,
			       .meta = fuzz_on_meta,
			       .progress = fuzz_on_progress};
	struct dm_import_input in = {.name = "fuzz"};
	struct dm_err err = {0};
	int fds[2], score;

	score = imp->probe(dm_sv((const char *)data, size < 65536 ? size : 65536), "fuzz.txt");
	assert(score >= 0 && score <= 100);
	/* All bytes as the head: the pipe is at its end already. */
	if (pipe(fds) != 0)
		return;
	close(fds[1]);
	if (dm_stream_open(&in.stream, fds[0], dm_sv((const char *)data, size), &err) == 0)
		imp->run(&in, &sink, &err);
	dm_stream_close(in.stream);
	close(fds[0]);
}

#endif
