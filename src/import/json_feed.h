/* json_feed.h: the objects of a JSON log, one after the other, in bounded memory.
 *
 * Usually one object a line; then a line that is no object is reported and passed over. If the head of the
 * file shows that objects span lines (pretty-printed, or an array of them) they are put together from their
 * lines; what is no object there ends in a report too.
 */
#ifndef DM_IMPORT_JSON_FEED_H
#define DM_IMPORT_JSON_FEED_H

#include "base/json.h"
#include "import/lines.h"

struct dm_json_feed {
	struct dm_lines lines;
	struct dm_json doc;
	struct dm_buf whole; /* an object that spans lines */
	uint64_t line;	     /* line on which the current object begins */
};

/* Calls `each` with the root of every object that has not been imported before; `feed->line` is its line.
 * Ends at the end of the input, or with what `each` or the sink returned. */
int dm_json_feed_run(struct dm_import_input *in, struct dm_sink *sink,
		     int (*each)(struct dm_json_feed *feed, void *ctx), void *ctx, struct dm_err *err);
/* The first object in `head`, or as much of it as there is; for probes. Empty if head is no JSON log. */
struct dm_sv dm_json_feed_first(struct dm_sv head);

#endif
