/* blocklist.h: hits as something that a firewall, a resolver, an intrusion detector or Zeek can load.
 *
 * Pure functions from entries to text. A block harms whoever is behind it, so what must not be blocked never
 * leaves as a block: expired entries, reserved and own addresses, what a warning list names, what its source
 * revoked or does not mean for detection, what the caller protects. Each is named in a comment with the
 * reason instead. Every block carries its reason and its end; the undo text takes all of it back. Texts from
 * reports cannot break out of their place.
 */
#ifndef DM_HUNT_BLOCKLIST_H
#define DM_HUNT_BLOCKLIST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "model/indicator.h"

enum dm_block_format {
	DM_BLOCK_NFT = 1, /* nftables: a table with two sets whose elements time out by themselves */
	DM_BLOCK_RPZ,	  /* response policy zone: names do not exist, answers with these addresses neither */
	DM_BLOCK_SURICATA, /* rules, and a list a digest for files */
	DM_BLOCK_ZEEK,	   /* input of the intelligence framework */
};

struct dm_block_entry {
	enum dm_obs_type type;
	enum dm_indicator_form form;
	struct dm_sv key, key2; /* as in struct dm_indicator */
	struct dm_sv text;	/* canonical, for comments */
	struct dm_sv reason;	/* why it is blocked: label, report */
	struct dm_sv source;	/* who says so */
	struct dm_sv protect;	/* why it must not be blocked, empty if it may */
	int64_t expires;	/* us; DM_NO_TIME: not said, dm_block_options.duration holds */
	uint32_t flags;		/* enum dm_indicator_flag */
};

struct dm_block_options {
	int64_t now;
	int64_t duration;      /* us, for entries without an end; 0: DM_BLOCK_DURATION */
	struct dm_sv incident; /* name of the case; may be empty */
	bool alert;	       /* Suricata: tell, do not drop */
	const char *list_name; /* Suricata: name of the rule file, lists of digests lie beside it; NULL: no
				  such rules */
};

#define DM_BLOCK_DURATION (30 * DM_DAY_US)
#define DM_BLOCK_LISTS	  3u /* md5, sha1, sha256 */

struct dm_block_result {
	struct dm_buf text, undo;
	struct dm_buf list[DM_BLOCK_LISTS]; /* Suricata: content of list_name.md5, .sha1, .sha256; empty: not
					       needed */
	uint64_t blocked;		    /* entries that are in it, alone or in a wider one */
	uint64_t left_out;		    /* must not be blocked */
	uint64_t not_possible;		    /* this format cannot say it */
	int64_t first_end, last_end;	    /* when the first and the last block end; DM_NO_TIME if none */
};

/* DM_OK with the result (dm_block_result_done), DM_ENOMEM, or DM_ELIMIT over DM_MAX_BLOCKLIST bytes.
 * Deterministic: the same entries in any order give the same text. */
int dm_blocklist(enum dm_block_format format, const struct dm_block_entry *entries, size_t n,
		 const struct dm_block_options *opt, struct dm_block_result *ret, struct dm_err *err);
void dm_block_result_done(struct dm_block_result *r);
const char *dm_block_list_suffix(unsigned list); /* "md5", "sha1", "sha256" */

#endif
