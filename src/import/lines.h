/* lines.h: the lines of a log that may have been imported in part before and may still be written to.
 *
 * One place for what every line format needs: the byte order mark, lines over the limit, where an earlier
 * import stopped, the last line without a line feed, and progress. docs/formats/evidence-logs.md states the
 * rules for users.
 *
 * - A line that ends at or before resume_offset is `old`: it has been imported; only headers in it matter.
 * - A line that was imported without its end (the file was cut within its last column) and is longer now is
 * handed out again, with a note.
 * - The importer decides about a last line without line feed with dm_lines_take_tail.
 */
#ifndef DM_IMPORT_LINES_H
#define DM_IMPORT_LINES_H

#include "import/importer.h"

struct dm_lines {
	struct dm_import_input *in;
	struct dm_sink *sink;
	struct dm_sv line;   /* the current line, without its end; lives until the next call */
	uint64_t number;     /* from 1 */
	uint64_t start, end; /* decoded offsets of the line and of what follows it */
	bool complete;	     /* ended in a line feed */
	bool old;	     /* imported earlier */
	bool left;	     /* this line and what follows were left for the next import */
	bool hold;	     /* set by the importer while a row is not whole: no progress is reported */
	uint64_t next_progress;
};

/* Rows that hold no observations (a sensor's statistics), counted by what they are: they may be most of a
 * stream and must not crowd out the reasons why rows were skipped. */
struct dm_passed {
	struct {
		char what[48];
		uint64_t rows, first; /* how many, and the line of the first */
	} group[32];
	size_t n;
};
void dm_passed_add(struct dm_passed *p, struct dm_sv what, uint64_t line);
/* One skip for each group: "<kind> '<what>' holds no observations (17 rows)". Forgets them. */
int dm_passed_flush(struct dm_passed *p, struct dm_sink *sink, const char *kind);

void dm_lines_init(struct dm_lines *l, struct dm_import_input *in, struct dm_sink *sink);
/* 0; DM_ENOENT at the end of the input; else the stream's or the sink's error. Lines over DM_MAX_LINE are
 * reported to the sink and passed over. Reports progress now and then. */
int dm_lines_next(struct dm_lines *l, struct dm_err *err);
/* Whether a last line without line feed is to be imported: always if `certain` (the format itself shows that
 * it is whole), or if the input is compressed or can't grow. Otherwise the line is left for the next import,
 * with a note. True for complete lines. */
bool dm_lines_take_tail(struct dm_lines *l, bool certain);
/* Leaves everything from this offset on, which is where line `number` begins, if the input can grow; false if
 * not. */
bool dm_lines_leave(struct dm_lines *l, uint64_t offset, uint64_t number);
/* Final progress and the note about a tail that was left. `code` is how the reading ended: DM_ENOENT becomes
 * 0. */
int dm_lines_finish(struct dm_lines *l, int code, struct dm_err *err);
/* What a record lost to limits is reported as skipped; called by dm_lines_record. */
int dm_lines_report(struct dm_lines *l, const struct dm_record *rec);
static inline int dm_lines_record(struct dm_lines *l, const struct dm_record *rec)
{
	int r = l->sink->record(l->sink, rec);

	return r || !(rec->dropped | rec->cut) ? r : dm_lines_report(l, rec);
}
/* "<what> <text>" as a skip reason of bounded length; control characters of hostile text are replaced by '?'.
 */
int dm_lines_skip(struct dm_lines *l, const char *what, struct dm_sv text);

#endif
