/* row_json.h: one row of evidence as a line of flat JSON with ECS names; and the indicator that hit it.
 *
 * A writer belongs to one thread. It prepares the columns of a segment once and then writes a row in about a
 * microsecond.
 */
#ifndef DM_HUNT_ROW_JSON_H
#define DM_HUNT_ROW_JSON_H

#include "hunt/hunt.h"

struct dm_row_writer;
int dm_row_writer_new(struct dm_row_writer **ret, struct dm_hunt *h, struct dm_err *err);
void dm_row_writer_free(struct dm_row_writer *w);
/* {"@timestamp":...,...,"import":...,"line":N} without a line feed; with `hit` the indicator.* keys too. */
int dm_row_writer_put(struct dm_row_writer *w, const struct dm_hunt_row *row, bool hit, struct dm_buf *out);
/* The record of the indicator that hit a row, by the writer's own handle, and its canonical text. */
int dm_row_writer_indicator(struct dm_row_writer *w, const struct dm_hunt_row *row, struct dm_buf *text,
			    struct dm_indicator *ret);
/* Name of the import a row came with. */
struct dm_sv dm_row_writer_import(struct dm_row_writer *w, const struct dm_hunt_row *row);
/* All values of a field of a row as text, joined by ", "; nothing if absent. */
void dm_row_text(struct dm_segment *s, uint32_t row, unsigned field, struct dm_buf *out);
/* Canonical text of an indicator that was hit: its own for ranges and suffixes, else the value found. */
int dm_hunt_ref_text(struct dm_hunt *h, uint32_t ref, struct dm_buf *out);

#endif
