/* indicator.h: one thing to look for, with where it came from and how long it holds. Plain data. */
#ifndef DM_MODEL_INDICATOR_H
#define DM_MODEL_INDICATOR_H

#include "base/sv.h"
#include "model/observable.h"

enum dm_indicator_form {
	DM_IND_VALUE = 1,   /* one observable */
	DM_IND_RANGE = 2,   /* addresses from key to key2, both included */
	DM_IND_SUFFIX = 3,  /* a domain and all names below it */
	DM_IND_PATTERN = 4, /* a STIX pattern, in `value` */
};

/* Flags: why an indicator should make one think. Flagged ones are hunted and marked, never blocked. Written
 * to disk: append only. */
enum dm_indicator_flag {
	DM_FLAG_RESERVED = 1 << 0,   /* private, loopback, documentation, ... range */
	DM_FLAG_BROAD = 1 << 1,	     /* /0 to /7, or a suffix of one label */
	DM_FLAG_EMPTY_HASH = 1 << 2, /* hash of an empty file */
	DM_FLAG_OWN = 1 << 3,	     /* in one of our own networks */
	DM_FLAG_WARNING = 1 << 4,    /* on a warning list */
	DM_FLAG_NOT_IDS = 1 << 5,    /* MISP to_ids false: not meant for matching */
	DM_FLAG_REVOKED = 1 << 6,    /* STIX revoked */
	DM_FLAG_BENIGN = 1 << 7,     /* STIX indicator_types benign / anomalous-activity not malicious */
};

struct dm_indicator {
	enum dm_indicator_form form;
	enum dm_obs_type type;		 /* NONE for patterns */
	struct dm_sv key, key2;		 /* canonical key(s); key2 for ranges */
	struct dm_sv value;		 /* canonical text ("1.2.3.0/24", "*.example.com"), or the pattern */
	struct dm_sv original;		 /* as it stands in the source (defanged), if different */
	struct dm_sv id;		 /* STIX id, MISP uuid, OpenIOC id; else empty */
	struct dm_sv source;		 /* report, event, feed or producer named in the file; else empty */
	struct dm_sv label;		 /* short description: malware family, comment, name */
	struct dm_sv marking;		 /* "TLP:AMBER", ... as found; empty: unmarked */
	int64_t valid_from, valid_until; /* us; DM_NO_TIME: open */
	uint64_t line;			 /* line (text formats) or element number from 1 */
	uint32_t flags;
	uint8_t confidence; /* 0-100; 255: not given */
};

#endif
