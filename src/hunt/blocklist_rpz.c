/* A response policy zone, as BIND, Knot Resolver, Unbound and PowerDNS read it: CNAME to the root says that a
 * name does not exist; rpz-ip does so for every answer with such an address. The format has no end of
 * validity: each record says its own in a comment, and the time to live is kept short. */
#include <stdio.h>

#include "base/limits.h"
#include "hunt/blocklist_format.h"

#define TTL_S	  300
#define COMMENT	  200u
#define MAX_OWNER 200u /* of 255: the rest is for the name of the zone */

/* A label's bytes in a master file (RFC 1035 s.5.1): what is not plain is \DDD. */
static void put_name(struct dm_buf *b, struct dm_sv name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = (uint8_t)name.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		    c == '_' || c == '.')
			dm_buf_putc(b, (char)c);
		else
			dm_buf_printf(b, "\\%03u", c);
	}
}

static void put_record(struct dm_block_job *job, const struct dm_block *block, struct dm_sv owner, bool below)
{
	if (below)
		dm_buf_str(&job->body, "*.");
	put_name(&job->body, owner);
	dm_buf_str(&job->body, " CNAME . ; until ");
	dm_time_put(&job->body, block->expires / DM_US * DM_US);
	dm_buf_str(&job->body, ": ");
	dm_block_why(job, block, &job->body, COMMENT);
	dm_buf_putc(&job->body, '\n');
}

/* A name and the suffix of the same name are one: the suffix says both. */
static bool said_by_next(const struct dm_block_job *job, size_t i)
{
	const struct dm_block_entry *a = job->blocks[i].entry,
				    *b = i + 1 < job->n ? job->blocks[i + 1].entry : NULL;

	return b && b->type == DM_OBS_DOMAIN && b->form == DM_IND_SUFFIX && a->form == DM_IND_VALUE &&
	       dm_sv_eq(a->key, b->key) && job->blocks[i + 1].expires >= job->blocks[i].expires;
}

static void put_domain(struct dm_block_job *job, size_t i)
{
	const struct dm_block *block = &job->blocks[i];
	bool suffix = block->entry->form == DM_IND_SUFFIX;
	struct dm_buf name;

	if (said_by_next(job, i))
		return;
	dm_buf_init(&name, DM_MAX_VALUE);
	dm_domain_text(block->entry->key, &name);
	if (!name.n || name.n > MAX_OWNER) {
		job->unsaid[DM_OBS_DOMAIN]++;
	} else {
		put_record(job, block, dm_buf_view(&name), false);
		if (suffix)
			put_record(job, block, dm_buf_view(&name), true);
	}
	dm_buf_done(&name);
}

/* 32.7.113.0.203.rpz-ip; 48.zz.db8.2001.rpz-ip, where zz stands for the longest run of zeros. */
static void network_owner(struct dm_buf *b, const struct dm_ip *net, unsigned prefix)
{
	unsigned run_at = 8, run_n = 1;

	dm_buf_printf(b, "%u", prefix);
	if (dm_ip_is4(net)) {
		dm_buf_printf(b, ".%u.%u.%u.%u.rpz-ip", net->b[15], net->b[14], net->b[13], net->b[12]);
		return;
	}
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && !net->b[2 * (i + n)] && !net->b[2 * (i + n) + 1])
			n++;
		if (n > run_n) {
			run_at = i;
			run_n = n;
		}
	}
	for (unsigned i = 8; i-- > 0;) {
		if (run_at < 8 && i >= run_at && i < run_at + run_n) {
			if (i == run_at)
				dm_buf_str(b, ".zz");
			continue;
		}
		dm_buf_printf(b, ".%x", (unsigned)net->b[2 * i] << 8 | net->b[2 * i + 1]);
	}
	dm_buf_str(b, ".rpz-ip");
}

static void put_networks(struct dm_block_job *job, const struct dm_block *block)
{
	struct dm_ip first, last, net;
	unsigned prefix;
	bool done = false;

	dm_block_range(block, &first, &last);
	while (dm_block_network(&first, &last, &done, &net, &prefix)) {
		struct dm_buf owner;

		dm_buf_init(&owner, 256);
		network_owner(&owner, &net, prefix);
		put_record(job, block, dm_buf_view(&owner), false);
		dm_buf_done(&owner);
	}
}

/* The serial is the time, so that a newer list, and the undo zone made after it, are always newer (RFC 1982).
 */
static void zone_head(struct dm_buf *b, int64_t seconds)
{
	dm_buf_printf(b,
		      "$TTL %d\n@ SOA localhost. root.localhost. (%u 3600 900 2592000 %d)\n@ NS localhost.\n",
		      TTL_S, (unsigned)(uint32_t)seconds, TTL_S);
}

int dm_block_rpz(struct dm_block_job *job)
{
	dm_buf_str(&job->body,
		   "; direction: names are not resolved for those who ask this resolver\n"
		   "; the format knows no end of validity: make it again before the first one ends\n");
	zone_head(&job->body, job->opt->now / DM_US);
	for (size_t i = 0; i < job->n; i++) {
		enum dm_obs_type type = job->blocks[i].entry->type;

		if (type == DM_OBS_DOMAIN)
			put_domain(job, i);
		else if (dm_block_is_ip(&job->blocks[i]))
			put_networks(job, &job->blocks[i]);
		else
			job->unsaid[type]++;
	}
	zone_head(&job->undo, job->opt->now / DM_US + 1);
	return DM_OK;
}
