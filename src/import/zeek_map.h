/* zeek_map.h: what each column of each Zeek log means to us: one table for the TSV and the JSON form.
 *
 * A column of a log that the table does not know is kept as text ("name=value"; addresses as related.ip), so
 * that a site's own scripts lose nothing; a log that the table does not know is read as a flow if it has
 * addresses.
 */
#ifndef DM_IMPORT_ZEEK_MAP_H
#define DM_IMPORT_ZEEK_MAP_H

#include "model/record.h"

enum dm_zeek_op {
	DM_ZEEK_KEEP =
		0,     /* not in the table: an address goes to related.ip, all else is kept as "name=value" */
	DM_ZEEK_DROP,  /* known, and not kept: says nothing beside the other columns, or is a password */
	DM_ZEEK_TIME,  /* the time of the record */
	DM_ZEEK_PUT,   /* field, by its type */
	DM_ZEEK_LOWER, /* text in lower case */
	DM_ZEEK_LIST,  /* comma-separated text that is not a Zeek set: several values */
	DM_ZEEK_HOST,  /* name or address: field, field2 */
	DM_ZEEK_ADDRESS, /* address: field; all else dropped */
	DM_ZEEK_ANSWER,	 /* DNS answer */
	DM_ZEEK_SECONDS, /* interval as text, without a fraction of zeros */
	DM_ZEEK_FLAG,	 /* T: the column's name is a value of the field */
	DM_ZEEK_OUTCOME, /* T, F: "success", "failure" */
	DM_ZEEK_MAIL,	 /* mail header with addresses */
	DM_ZEEK_FILE,	 /* file name or path */
	DM_ZEEK_SUBJECT, /* distinguished name */
	DM_ZEEK_PROXIED, /* "X-FORWARDED-FOR -> 1.2.3.4" */
	DM_ZEEK_SLOT,	 /* kept aside for the log's finish: field is the slot */
};

/* Values that only make sense together. */
enum dm_zeek_slot {
	DM_ZS_METHOD,
	DM_ZS_HOST,
	DM_ZS_URI,
	DM_ZS_ORIG_H,
	DM_ZS_ORIG_P,
	DM_ZS_RESP_H,
	DM_ZS_RESP_P,
	DM_ZS_IS_ORIG,
	DM_ZS_SEEN,
	DM_ZS_TOTAL,
	DM_ZS_MIME,
	DM_ZS_SOURCE,
	DM_ZS_MD5,
	DM_ZS_SHA1,
	DM_ZS_SHA256,
	DM_ZS_SRC,
	DM_ZS_DST,
	DM_ZS_PORT,
	DM_ZS_TYPE,
	DM_ZS_VALUE,
	DM_ZS_COUNT
};

enum dm_zeek_finish {
	DM_ZF_NONE,
	DM_ZF_ICMP,
	DM_ZF_HTTP,
	DM_ZF_FILES,
	DM_ZF_NOTICE,
	DM_ZF_INTEL,
	DM_ZF_SOFTWARE,
	DM_ZF_FTP
};

struct dm_zeek_log {
	const char *path;
	enum dm_kind kind; /* 0: holds no observations */
	enum dm_zeek_finish finish;
	const char *protocol; /* network.protocol of every row, or NULL */
};

struct dm_zeek_rule {
	const char *log; /* NULL: every log */
	const char *column;
	uint8_t op;
	uint16_t field, field2;
};

/* NULL if not known. */
const struct dm_zeek_log *dm_zeek_log_find(struct dm_sv path);
/* The log whose columns these are, judged by columns that only it has; NULL if none fits. `has` tells whether
 * a column is there. `*hint` is the judgement of the row before (start with 0), tried first. */
const struct dm_zeek_log *dm_zeek_log_guess(bool (*has)(void *ctx, const char *column), void *ctx,
					    size_t *hint);
/* How a column of a log is read; NULL if the table does not know it. '.' and '_' in names are the same: JSON
 * writers turn one into the other. */
const struct dm_zeek_rule *dm_zeek_rule_find(const char *log, struct dm_sv column);

#endif
