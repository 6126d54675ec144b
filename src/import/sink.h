/* sink.h: where an importer puts what it read. Importers know nothing else of the program: that is what lets
 * them run confined and be fuzzed.
 *
 * Every call returns 0 or a negative code; an importer stops at the first failure and returns it.
 */
#ifndef DM_IMPORT_SINK_H
#define DM_IMPORT_SINK_H

#include "base/err.h"
#include "base/stream.h"
#include "model/indicator.h"
#include "model/record.h"

struct dm_sink {
	int (*record)(struct dm_sink *, const struct dm_record *);
	int (*indicator)(struct dm_sink *, const struct dm_indicator *);
	/* Something was passed over: line or element number, why. Counted; the first DM_MAX_SKIP_NOTES are
	 * kept. The import goes on. */
	int (*skip)(struct dm_sink *, uint64_t line, const char *reason);
	/* A fact about the whole input: "format", "sensor", "sampling" (1-in-N), "dropped" (by the capture),
	 * "note", "warninglist" (its name: the indicators that follow are a warning list, not intelligence).
	 */
	int (*meta)(struct dm_sink *, const char *key, struct dm_sv value);
	/* All input up to this decoded offset and line has been handed over whole: where a growing file goes
	 * on. */
	int (*progress)(struct dm_sink *, uint64_t offset, uint64_t line);
};

#endif
