/* pattern_file.h: one pattern over one file of observed-data, as `hunt --pattern P --observed FILE` asks.
 * Runs in a confined process: call dm_json_preload and dm_regex_preload before confinement.
 */
#ifndef DM_HUNT_PATTERN_FILE_H
#define DM_HUNT_PATTERN_FILE_H

#include "base/stream.h"
#include "hunt/pattern.h"

struct dm_pattern_verdict {
	bool matched;
	uint32_t n_ids;
	struct dm_sv *ids; /* observed-data of one binding, in the order of the file; "#7" for the seventh if
			      it has no id */
	uint64_t observations; /* observed-data read */
	uint64_t untimed; /* of them, without a time that can be read: they fit no WITHIN, START or FOLLOWEDBY
			   */
	uint64_t skipped; /* elements that could not be read */
	uint64_t steps, budget; /* taken; allowed: DM_PATTERN_STEPS, DM_PATTERN_PER_OBS */
	char skip_reason[200];	/* of the first one skipped, with its line; "" */
	char note[200];		/* dm_pattern_note */
	struct dm_arena arena;	/* the ids */
};

/* 0 with the verdict filled (dm_pattern_verdict_done), or a negative code: DM_EFORMAT with err->source
 * "pattern" for a bad pattern, with the input's name left to the caller for bad data; DM_ELIMIT when the
 * budget is spent. */
int dm_pattern_over_file(struct dm_sv pattern, struct dm_stream *in, struct dm_pattern_verdict *ret,
			 struct dm_err *err);
/* The same over text in memory. */
int dm_pattern_over_text(struct dm_sv pattern, struct dm_sv observed, struct dm_pattern_verdict *ret,
			 struct dm_err *err);
void dm_pattern_verdict_done(struct dm_pattern_verdict *v);

#endif
