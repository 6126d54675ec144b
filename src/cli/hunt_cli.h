/* hunt_cli.h: what the files of the hunt verb share. */
#ifndef DM_CLI_HUNT_CLI_H
#define DM_CLI_HUNT_CLI_H

#include "cli/node.h"
#include "hunt/hunt.h"
#include "hunt/pattern.h"
#include "hunt/row_json.h"

enum dm_hunt_format {
	DM_FORMAT_TABLE,
	DM_FORMAT_JSON,
	DM_FORMAT_CSV,
	DM_FORMAT_STIX,
	DM_FORMAT_NFT,
	DM_FORMAT_RPZ,
	DM_FORMAT_SURICATA,
	DM_FORMAT_ZEEK
};

struct dm_hunt_cli {
	struct dm_cli *cli;
	struct dm_hunt *h;
	enum dm_hunt_format format;
	struct dm_out *out; /* standard output, or the file of -o */
	uint64_t limit, printed, rows;
	bool only_new;
	struct dm_row_writer *writer[32]; /* one a thread */
};

/* The rows, in table, JSON or CSV. */
int dm_hunt_print_rows(struct dm_hunt_cli *c, struct dm_err *err);
/* Per indicator: count, first, last, sources. */
int dm_hunt_print_counts(struct dm_hunt_cli *c, struct dm_err *err);
/* What was hit, or with --all everything, as a block list, with --undo the way back. */
int dm_hunt_print_blocks(struct dm_hunt_cli *c, struct dm_err *err);
/* Indicators and sightings as a STIX 2.1 bundle. */
int dm_hunt_print_stix(struct dm_hunt_cli *c, struct dm_err *err);
/* What was searched, not kept, sampled, tested. To `out`. */
int dm_hunt_print_footer(struct dm_hunt_cli *c, struct dm_buf *out, struct dm_err *err);
/* Flags of an indicator for people: "expired, private (RFC 1918)". */
void dm_hunt_put_notes(struct dm_buf *out, const struct dm_hunt_ref *r, const struct dm_indicator *ind);

#endif
