/* nftables. One table of our own, so that nobody's rules are touched and one command takes it back; two sets
 * whose elements end by themselves. Loading the file again replaces the table in one transaction. */
#include <stdlib.h>

#include "base/alloc.h"
#include "hunt/blocklist_format.h"

#define COMMENT 120u /* nftables allows 128 bytes, the final zero included */

/* Sets of intervals refuse overlaps. Where entries overlap, each piece is governed by the one that holds
 * longest. */
struct edge {
	struct dm_ip at;
	size_t block;
	bool open; /* begins here; else ended just before */
};

struct sweep {
	struct edge *edges;
	size_t nedges;
	size_t *live; /* heap of open blocks, the longest-lived first */
	size_t nlive;
	bool *ended;
	const struct dm_block_job *job;
};

static int compare_ip(const struct dm_ip *a, const struct dm_ip *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

static int compare_edges(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;
	int c = compare_ip(&a->at, &b->at);

	if (c)
		return c;
	return a->block < b->block ? -1 : a->block > b->block;
}

/* Whether block a governs where b is too. Equal ends: the first in order, which every run agrees on. */
static bool governs(const struct sweep *s, size_t a, size_t b)
{
	int64_t x = s->job->blocks[a].expires, y = s->job->blocks[b].expires;

	return x != y ? x > y : a < b;
}

static void push(struct sweep *s, size_t block)
{
	size_t i = s->nlive++;

	while (i && governs(s, block, s->live[(i - 1) / 2])) {
		s->live[i] = s->live[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->live[i] = block;
}

static void pop(struct sweep *s)
{
	size_t last = s->live[--s->nlive], i = 0;

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= s->nlive)
			break;
		if (kid + 1 < s->nlive && governs(s, s->live[kid + 1], s->live[kid]))
			kid++;
		if (!governs(s, s->live[kid], last))
			break;
		s->live[i] = s->live[kid];
		i = kid;
	}
	if (s->nlive)
		s->live[i] = last;
}

static struct dm_ip before(struct dm_ip ip)
{
	for (size_t i = sizeof ip.b; i-- > 0;)
		if (ip.b[i]--)
			break;
	return ip;
}

/* False for the address behind the last one. */
static bool behind(struct dm_ip *ip)
{
	for (size_t i = sizeof ip->b; i-- > 0;)
		if (++ip->b[i])
			return true;
	return false;
}

static void put_element(const struct dm_block_job *job, const struct dm_block *block,
			const struct dm_ip *first, const struct dm_ip *last, struct dm_buf *b)
{
	int64_t left = (block->expires - job->opt->now + DM_US - 1) / DM_US;

	dm_buf_str(b, "\t\t\t");
	dm_ip_put(b, first);
	if (compare_ip(first, last) != 0) {
		dm_buf_putc(b, '-');
		dm_ip_put(b, last);
	}
	dm_buf_printf(b, " timeout %llds comment \"", (long long)left);
	dm_block_why(job, block, b, COMMENT);
	dm_buf_str(b, "\",\n");
}

/* Goes along the edges; between two of them the top of the heap governs. Pieces of one block that touch are
 * joined. */
static void put_elements(struct sweep *s, struct dm_buf *b)
{
	struct dm_ip from = {0}, to = {0};
	size_t owner = SIZE_MAX;

	for (size_t i = 0; i < s->nedges;) {
		struct dm_ip at = s->edges[i].at;
		size_t now;

		for (; i < s->nedges && compare_ip(&s->edges[i].at, &at) == 0; i++)
			if (s->edges[i].open)
				push(s, s->edges[i].block);
			else
				s->ended[s->edges[i].block] = true;
		while (s->nlive && s->ended[s->live[0]])
			pop(s);
		now = s->nlive ? s->live[0] : SIZE_MAX;
		if (now == owner)
			continue;
		to = before(at);
		if (owner != SIZE_MAX)
			put_element(s->job, &s->job->blocks[owner], &from, &to, b);
		from = at;
		owner = now;
	}
	if (owner != SIZE_MAX) {
		/* one that reaches to the last address of all has no edge behind it */
		memset(to.b, 0xff, sizeof to.b);
		put_element(s->job, &s->job->blocks[owner], &from, &to, b);
	}
}

static int add_edges(struct sweep *s, enum dm_obs_type type)
{
	const struct dm_block_job *job = s->job;

	s->nedges = s->nlive = 0;
	for (size_t i = 0; i < job->n; i++) {
		struct dm_ip first, last;

		if (job->blocks[i].entry->type != type)
			continue;
		dm_block_range(&job->blocks[i], &first, &last);
		s->edges[s->nedges++] = (struct edge){.at = first, .block = i, .open = true};
		if (behind(&last))
			s->edges[s->nedges++] = (struct edge){.at = last, .block = i};
	}
	qsort(s->edges, s->nedges, sizeof *s->edges, compare_edges);
	return s->nedges != 0;
}

static int put_set(struct dm_block_job *job, enum dm_obs_type type, const char *name, const char *nft_type)
{
	struct sweep s = {.job = job};
	int rc = DM_ENOMEM;

	s.edges = dm_calloc(2 * job->n + 1, sizeof *s.edges);
	s.live = dm_calloc(job->n + 1, sizeof *s.live);
	s.ended = dm_calloc(job->n + 1, sizeof *s.ended);
	if (s.edges && s.live && s.ended) {
		rc = DM_OK;
		dm_buf_printf(&job->body, "\tset %s {\n\t\ttype %s\n\t\tflags interval,timeout\n", name,
			      nft_type);
		if (add_edges(&s, type)) {
			dm_buf_str(&job->body, "\t\telements = {\n");
			put_elements(&s, &job->body);
			dm_buf_str(&job->body, "\t\t}\n");
		}
		dm_buf_str(&job->body, "\t}\n");
	}
	dm_free(s.edges);
	dm_free(s.live);
	dm_free(s.ended);
	return rc;
}

int dm_block_nft(struct dm_block_job *job)
{
	/* before the rules that let traffic through: a drop is final, an accept is not */
	static const char chains[] = "\tchain in {\n"
				     "\t\ttype filter hook input priority filter - 10; policy accept;\n"
				     "\t\tip saddr @block4 counter drop\n"
				     "\t\tip6 saddr @block6 counter drop\n"
				     "\t}\n"
				     "\tchain pass {\n"
				     "\t\ttype filter hook forward priority filter - 10; policy accept;\n"
				     "\t\tip saddr @block4 counter drop\n"
				     "\t\tip daddr @block4 counter drop\n"
				     "\t\tip6 saddr @block6 counter drop\n"
				     "\t\tip6 daddr @block6 counter drop\n"
				     "\t}\n"
				     "\tchain out {\n"
				     "\t\ttype filter hook output priority filter - 10; policy accept;\n"
				     "\t\tip daddr @block4 counter drop\n"
				     "\t\tip6 daddr @block6 counter drop\n"
				     "\t}\n";
	int rc;

	for (size_t i = 0; i < job->n; i++)
		if (!dm_block_is_ip(&job->blocks[i]))
			job->unsaid[job->blocks[i].entry->type]++;
	/* named first, so that the delete finds it even where it was never loaded */
	dm_buf_str(&job->body, "# direction: from and to these addresses, through and at this machine\n"
			       "table inet demarche\ndelete table inet demarche\ntable inet demarche {\n");
	rc = put_set(job, DM_OBS_IPV4, "block4", "ipv4_addr");
	if (!rc)
		rc = put_set(job, DM_OBS_IPV6, "block6", "ipv6_addr");
	dm_buf_str(&job->body, chains);
	dm_buf_str(&job->body, "}\n");
	dm_buf_str(&job->undo, "table inet demarche\ndelete table inet demarche\n");
	return rc;
}
