/* csv_map.h: the columns of an evidence table by their names: Elastic Common Schema, Argus, nfdump, Zeek,
 * cloud flow logs, firewalls, proxies.
 *
 * A map is made from a header line and turns rows into records. What a column of unknown name holds is kept
 * as "name=value"; an address there as related.ip.
 */
#ifndef DM_IMPORT_CSV_MAP_H
#define DM_IMPORT_CSV_MAP_H

#include "base/limits.h"
#include "model/record.h"

enum dm_csv_op {
	DM_CSV_KEEP = 0,
	DM_CSV_DROP,
	DM_CSV_TIME,	/* of the record */
	DM_CSV_DATE,	/* the first half of a time whose second half is another column */
	DM_CSV_MOMENT,	/* field */
	DM_CSV_SECONDS, /* span */
	DM_CSV_MILLIS,
	DM_CSV_NANOS,
	DM_CSV_INT, /* decimal, or hexadecimal with 0x */
	DM_CSV_BOOL,
	DM_CSV_TEXT,
	DM_CSV_LOWER,
	DM_CSV_HOST,	  /* address: field2; a MAC address: source.mac or destination.mac; else field */
	DM_CSV_ADDRESS,	  /* address; zeros say nothing */
	DM_CSV_MAC,	  /* the same for MAC addresses */
	DM_CSV_FORWARDED, /* every address in the text */
	DM_CSV_TRANSPORT,
	DM_CSV_FLAGS, /* TCP flags: letters, or a number */
	DM_CSV_FILE,
	DM_CSV_HASHES, /* one digest, or "SHA256=..,MD5=.." */
	DM_CSV_MAIL,
	DM_CSV_ANSWER,
	DM_CSV_KIND, /* "flow", "dns", ... */
	DM_CSV_SLOT,
};

enum dm_csv_slot {
	DM_CS_DATE,
	DM_CS_TIME,
	DM_CS_PACKETS,
	DM_CS_BYTES,
	DM_CS_SRC_PACKETS,
	DM_CS_SRC_BYTES,
	DM_CS_HOST,
	DM_CS_URI,
	DM_CS_QUERY,
	DM_CS_METHOD,
	DM_CS_COUNT
};

struct dm_csv_column {
	char *name;
	uint8_t op;
	uint16_t field, field2;
};

struct dm_csv_map {
	char delimiter;
	uint32_t n;
	struct dm_csv_column column[DM_MAX_COLUMNS];
	struct dm_arena names;
	enum dm_kind kind;		      /* that the columns tell */
	unsigned known;			      /* columns of known name */
	bool time, source, destination, file; /* there is a column for it */
	bool address; /* source or destination, by a name that can't mean where an indicator comes from */
	bool wide;    /* more than DM_MAX_COLUMNS */
	bool undated; /* some row had a time that can't be read */
	struct dm_buf scratch; /* unquoted fields of a row */
	struct dm_sv slot[DM_CS_COUNT];
};

/* Tells the delimiter of a header line: the one that gives most columns of known names. */
char dm_csv_sniff(struct dm_sv header);
/* The map's strings are its own. DM_ENOMEM, or DM_EFORMAT if no column is known. */
int dm_csv_map_init(struct dm_csv_map *m, struct dm_sv header, char delimiter);
void dm_csv_map_done(struct dm_csv_map *m);
/* Fills the record from a row. Returns the number of fields of the row if it is not that of the header
 * (nothing is filled in then), else 0. The record's texts live in `row` and in the map until the next call.
 */
uint32_t dm_csv_map_row(struct dm_csv_map *m, struct dm_sv row, uint64_t line, struct dm_record *rec);

#endif
