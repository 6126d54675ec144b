/* blocklist_format.h: what the four formats of blocklist.h share. */
#ifndef DM_HUNT_BLOCKLIST_FORMAT_H
#define DM_HUNT_BLOCKLIST_FORMAT_H

#include "hunt/blocklist.h"

/* One entry that may be blocked; sorted by type, key and form, without repetitions. */
struct dm_block {
	const struct dm_block_entry *entry;
	int64_t expires;
};

struct dm_block_job {
	const struct dm_block_options *opt;
	struct dm_block *blocks;
	size_t n;
	struct dm_block_result *out;
	struct dm_buf body, undo;      /* what a format writes */
	uint64_t unsaid[DM_OBS_TYPES]; /* entries by type that the format cannot say */
};

int dm_block_nft(struct dm_block_job *job);
int dm_block_rpz(struct dm_block_job *job);
int dm_block_suricata(struct dm_block_job *job);
int dm_block_zeek(struct dm_block_job *job);

/* Text of a stranger on one line of at most `max` bytes, without quotes, backslashes, semicolons and control
 * characters. */
void dm_block_text(struct dm_buf *b, struct dm_sv text, size_t max);
/* "REASON (SOURCE), case NAME" as far as they are there, made safe. */
void dm_block_why(const struct dm_block_job *job, const struct dm_block *block, struct dm_buf *b, size_t max);
static inline bool dm_block_is_ip(const struct dm_block *b)
{
	return b->entry->type == DM_OBS_IPV4 || b->entry->type == DM_OBS_IPV6;
}
/* First and last address of a value or range. */
void dm_block_range(const struct dm_block *b, struct dm_ip *first, struct dm_ip *last);
/* Cuts a range into networks: the next one that begins at *first; *first moves behind it. False at the end.
 * IPv4 prefixes are 0 to 32. */
bool dm_block_network(struct dm_ip *first, const struct dm_ip *last, bool *done, struct dm_ip *ret_net,
		      unsigned *ret_prefix);

#endif
