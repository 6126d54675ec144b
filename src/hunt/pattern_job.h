/* pattern_job.h: `hunt --pattern P --observed FILE`, both ends of it: the confined worker that evaluates, and
 * what its facts say to the node. The verdict travels as facts (dm_sink.meta) and the code of the last frame.
 */
#ifndef DM_HUNT_PATTERN_JOB_H
#define DM_HUNT_PATTERN_JOB_H

#include "base/stream.h"
#include "import/sink.h"

/* Worker: loads what evaluation needs, before confinement. */
int dm_pattern_job_preload(struct dm_err *err);
/* Worker: 1 match, 0 none, or a negative code; err->source "pattern" for a bad pattern. */
int dm_pattern_job_run(struct dm_sv pattern, struct dm_stream *in, struct dm_sink *sink, struct dm_err *err);

#define DM_PATTERN_JOB_IDS 1000u /* ids of observed-data that are told */

/* Node: the verdict, put together again. */
struct dm_pattern_answer {
	bool matched;
	struct dm_sv
		*ids; /* of one binding, in the order of the file; "#7" for the seventh if it has no id */
	size_t n_ids, cap_ids;
	uint64_t observations, untimed, skipped;
	char skip_reason[200]; /* of the first one skipped */
	uint64_t skip_line;
	char note[200];
	struct dm_arena arena;
};

/* Evaluates the pattern over descriptor fd in a confined worker. 0 with the answer (dm_pattern_answer_done),
 * or a negative code. */
int dm_pattern_ask(struct dm_sv pattern, int fd, const char *name, struct dm_pattern_answer *ret,
		   struct dm_err *err);
void dm_pattern_answer_done(struct dm_pattern_answer *a);

#endif
