/* zeek_row.h: from the values of one row of a Zeek log to a record; shared by the TSV and the JSON reader.
 *
 * A reader gives each value with the action of its column, then calls finish. Values must live until the
 * record is handed over.
 */
#ifndef DM_IMPORT_ZEEK_ROW_H
#define DM_IMPORT_ZEEK_ROW_H

#include "import/zeek_map.h"

/* What to do with one column: a rule, made concrete. */
struct dm_zeek_action {
	uint8_t op;
	uint8_t field_type; /* of `field`, for PUT */
	uint8_t obs;	    /* the same */
	bool container;	    /* set or vector */
	uint16_t field, field2;
	const char *name; /* of the column, NUL-terminated */
};

struct dm_zeek_row {
	struct dm_record rec;
	const struct dm_zeek_log *log;
	struct dm_sv dataset; /* "zeek.conn"; ASCII */
	struct dm_sv slot[DM_ZS_COUNT];
};

/* NULL if out of memory. */
struct dm_zeek_row *dm_zeek_row_new(void);
void dm_zeek_row_free(struct dm_zeek_row *row);
/* Fills in the action for a column of `log` (its path). `name` must live as long as the action. */
void dm_zeek_action_make(struct dm_zeek_action *a, const char *log, const char *name);
/* Whether a column of this name holds a set or vector: for logs without #types. */
bool dm_zeek_is_container(struct dm_sv column);
/* Empties the row. */
void dm_zeek_row_start(struct dm_zeek_row *row, uint64_t line);
/* One value, or one element of a container; decoded, neither unset nor empty. */
void dm_zeek_row_put(struct dm_zeek_row *row, const struct dm_zeek_action *a, struct dm_sv value);
/* What follows from several values together. */
void dm_zeek_row_finish(struct dm_zeek_row *row);
/* Whether the record names anything that could be looked for: an address, a name, a hash, ... */
bool dm_zeek_row_tells(const struct dm_zeek_row *row);

#endif
