/* Suricata rules: addresses, names in DNS, TLS and HTTP, URLs, fingerprints, and digests of files through
 * lists beside the rule file. A rule has no end of validity: its metadata says it. Sids lie in the range for
 * local rules and follow from what is blocked, so that the same block has the same sid in the next list. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hunt/blocklist_format.h"

#define SID_FIRST 1000000u
#define SIDS	  1000000u
#define MESSAGE	  180u

struct rules {
	struct dm_block_job *job;
	uint64_t *taken; /* a bit a sid */
	size_t used;
};

/* FNV-1a over what the rule is about. */
static uint32_t hash(uint32_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * 16777619u;
	return h;
}

/* The next free sid from where the hash points; 0 if all are taken. */
static uint32_t sid_of(struct rules *r, const struct dm_block_entry *e, char kind)
{
	const uint8_t place[3] = {(uint8_t)e->type, (uint8_t)e->form, (uint8_t)kind};
	uint32_t at =
		hash(hash(hash(2166136261u, place, sizeof place), e->key.p, e->key.n), e->key2.p, e->key2.n) %
		SIDS;

	if (r->used == SIDS)
		return 0;
	while (r->taken[at / 64] >> at % 64 & 1)
		at = (at + 1) % SIDS;
	r->taken[at / 64] |= 1ull << at % 64;
	r->used++;
	return SID_FIRST + at;
}

/* What stands in a msg or a metadata value: `;` ends an option, `"` a text, `:` and `,` have meanings of
 * their own. */
static void put_plain(struct dm_buf *b, struct dm_sv text, const char *harmful)
{
	for (size_t i = 0; i < text.n; i++)
		dm_buf_putc(b, strchr(harmful, text.p[i]) ? '_' : text.p[i]);
}

static void put_date(struct dm_buf *b, int64_t us)
{
	struct dm_buf day;

	dm_buf_init(&day, 64);
	dm_time_put(&day, us / DM_US * DM_US);
	for (size_t i = 0; i < day.n; i++)
		dm_buf_putc(b, day.p[i] == '-' || day.p[i] == ':' ? '_' : day.p[i]);
	dm_buf_done(&day);
}

/* Bytes of a content keyword: what is not plain stands in hexadecimal between bars. */
static void put_content(struct dm_buf *b, struct dm_sv bytes)
{
	bool hex = false;

	dm_buf_str(b, "content:\"");
	for (size_t i = 0; i < bytes.n; i++) {
		uint8_t c = (uint8_t)bytes.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     strchr(".-_/=?&+", c ? c : '"');

		if (plain == hex) {
			dm_buf_putc(b, '|');
			hex = !hex;
		} else if (hex) {
			dm_buf_putc(b, ' ');
		}
		if (plain)
			dm_buf_putc(b, (char)c);
		else
			dm_buf_hex(b, &c, 1);
	}
	dm_buf_str(b, hex ? "|\";" : "\";");
}

/* The start of a rule up to its condition. */
static void rule_start(struct rules *r, const struct dm_block *block, const char *protocol, struct dm_sv to)
{
	struct dm_buf *b = &r->job->body, why;

	dm_buf_printf(b, "%s %s ", r->job->opt->alert ? "alert" : "drop", protocol);
	dm_buf_str(b, to.n ? "any any <> " : "any any -> any any ");
	dm_buf_sv(b, to);
	dm_buf_str(b, to.n ? " any (msg:\"demarche: " : "(msg:\"demarche: ");
	dm_buf_init(&why, 4096);
	dm_block_why(r->job, block, &why, MESSAGE);
	put_plain(b, dm_buf_view(&why), ":|");
	dm_buf_done(&why);
	dm_buf_str(b, "\";");
}

static void rule_end(struct rules *r, const struct dm_block *block, uint32_t sid)
{
	struct dm_buf *b = &r->job->body, safe;

	dm_buf_printf(b, " sid:%u; rev:1; metadata:expires ", sid);
	put_date(b, block->expires);
	dm_buf_init(&safe, 4096);
	dm_block_text(&safe, block->entry->source, MESSAGE);
	if (safe.n) {
		dm_buf_str(b, ", source ");
		put_plain(b, dm_buf_view(&safe), ",:|()");
	}
	dm_buf_clear(&safe);
	dm_block_text(&safe, r->job->opt->incident, MESSAGE);
	if (safe.n) {
		dm_buf_str(b, ", case ");
		put_plain(b, dm_buf_view(&safe), ",:|()");
	}
	dm_buf_done(&safe);
	dm_buf_str(b, ";)\n");
	dm_buf_printf(&r->job->undo, "%u\n", sid);
}

static void put_ip(struct rules *r, const struct dm_block *block)
{
	struct dm_ip first, last, net;
	struct dm_buf to;
	unsigned prefix, n = 0;
	bool done = false;
	uint32_t sid = sid_of(r, block->entry, 'i');

	if (!sid) {
		r->job->unsaid[block->entry->type]++;
		return;
	}
	dm_buf_init(&to, 1u << 16);
	dm_block_range(block, &first, &last);
	dm_buf_putc(&to, '[');
	while (dm_block_network(&first, &last, &done, &net, &prefix)) {
		if (n++)
			dm_buf_putc(&to, ',');
		dm_ip_put(&to, &net);
		if (prefix < (dm_ip_is4(&net) ? 32u : 128u))
			dm_buf_printf(&to, "/%u", prefix);
	}
	dm_buf_putc(&to, ']');
	/* a list of one needs no brackets */
	rule_start(r, block, "ip", n == 1 ? dm_sv(to.p + 1, to.n - 2) : dm_buf_view(&to));
	rule_end(r, block, sid);
	dm_buf_done(&to);
}

/* One rule on one buffer. `before` are transformations of it; without `after` the content is the whole
 * buffer. */
struct match {
	char kind; /* tells the rules of one entry apart; upper case: not the first of them */
	const char *protocol, *buffer, *before, *after;
};

static void put_match(struct rules *r, const struct dm_block *block, const struct match *m,
		      struct dm_sv content)
{
	uint32_t sid = sid_of(r, block->entry, m->kind);
	struct dm_buf *b = &r->job->body;

	if (!sid) {
		r->job->unsaid[block->entry->type] += m->kind >= 'a';
		return;
	}
	rule_start(r, block, m->protocol, dm_sv("", 0));
	dm_buf_printf(b, " %s; %s", m->buffer, m->before ? m->before : "");
	put_content(b, content);
	if (m->after)
		dm_buf_str(b, m->after);
	else
		dm_buf_printf(b, " bsize:%zu;", content.n);
	rule_end(r, block, sid);
}

/* Where a name is asked for, where a TLS client names it, and where a browser does. http.host is lower case
 * already. A suffix: with a dot in front it is the end of its own name and of every name below it. */
static void put_domain(struct rules *r, const struct dm_block *block)
{
	static const struct match whole[] = {{'d', "dns", "dns.query", NULL, NULL},
					     {'T', "tls", "tls.sni", NULL, NULL},
					     {'H', "http", "http.host", NULL, NULL}};
	static const struct match below[] = {{'d', "dns", "dns.query", "dotprefix; ", " nocase; endswith;"},
					     {'T', "tls", "tls.sni", "dotprefix; ", " nocase; endswith;"},
					     {'H', "http", "http.host", "dotprefix; ", " endswith;"}};
	bool suffix = block->entry->form == DM_IND_SUFFIX;
	struct dm_buf name;

	dm_buf_init(&name, DM_MAX_VALUE);
	if (suffix)
		dm_buf_putc(&name, '.');
	dm_domain_text(block->entry->key, &name);
	for (size_t i = 0; i < 3; i++)
		put_match(r, block, suffix ? &below[i] : &whole[i], dm_buf_view(&name));
	dm_buf_done(&name);
}

/* Only what can be seen: http. Host and request target of a canonical URL. */
static void put_url(struct rules *r, const struct dm_block *block)
{
	struct dm_sv url = block->entry->key, host, target;
	uint32_t sid;
	struct dm_buf *b = &r->job->body;
	size_t at;

	if (!dm_sv_starts(url, DM_SV("http://")) || !dm_url_host(url, &host) || !host.n) {
		r->job->unsaid[DM_OBS_URL]++;
		return;
	}
	target = dm_sv_from(url, 7);
	at = dm_sv_find(target, '/');
	target = at == SIZE_MAX ? DM_SV("/") : dm_sv_from(target, at);
	at = dm_sv_find(target, '#'); /* a browser keeps it to itself */
	target.n = at == SIZE_MAX ? target.n : at;
	sid = sid_of(r, block->entry, 'u');
	if (!sid || target.n > 2000) {
		r->job->unsaid[DM_OBS_URL]++;
		return;
	}
	rule_start(r, block, "http", dm_sv("", 0));
	dm_buf_str(b, " http.host; ");
	put_content(b, host);
	dm_buf_printf(b, " bsize:%zu; http.uri.raw; ", host.n);
	put_content(b, target);
	dm_buf_printf(b, " bsize:%zu;", target.n);
	rule_end(r, block, sid);
}

/* Fingerprints of clients, servers and certificates, in the spelling of Suricata's log: hexadecimal, SHA-1
 * with colons. */
static void put_fingerprint(struct rules *r, const struct dm_block *block, const char *buffer, bool colons)
{
	const struct match m = {'f', "tls", buffer, NULL, NULL};
	struct dm_buf hex;

	dm_buf_init(&hex, 1024);
	for (size_t i = 0; i < block->entry->key.n; i++) {
		if (i && colons)
			dm_buf_putc(&hex, ':');
		dm_buf_hex(&hex, (const uint8_t *)block->entry->key.p + i, 1);
	}
	put_match(r, block, &m, dm_buf_view(&hex));
	dm_buf_done(&hex);
}

static bool name_is_plain(const char *name)
{
	for (const char *p = name; p && *p; p++)
		if (!(*p >= '0' && *p <= '9') && !(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
		    !strchr("._-/", *p))
			return false;
	return name && *name;
}

static void put_digest(struct rules *r, const struct dm_block *block, unsigned list)
{
	struct dm_buf *b = &r->job->out->list[list];

	if (!name_is_plain(r->job->opt->list_name)) {
		r->job->unsaid[block->entry->type]++;
		return;
	}
	dm_buf_hex(b, (const uint8_t *)block->entry->key.p, block->entry->key.n);
	dm_buf_putc(b, '\n');
}

/* A rule for each protocol that carries files, over all digests of a kind. */
static void put_list_rules(struct rules *r)
{
	static const char *const protocols[] = {"http", "smtp", "ftp-data", "smb", "nfs"};
	const char *path = r->job->opt->list_name, *name = path ? strrchr(path, '/') : NULL;
	struct dm_buf *b = &r->job->body;

	name = name ? name + 1 : path;
	for (unsigned list = 0; list < DM_BLOCK_LISTS; list++)
		for (size_t i = 0; r->job->out->list[list].n && i < sizeof protocols / sizeof *protocols;
		     i++) {
			const char key[2] = {(char)list, (char)i};
			struct dm_block_entry e = {.key = dm_sv(key, 2)};
			uint32_t sid = sid_of(r, &e, 'l');

			dm_buf_printf(b,
				      "%s %s any any -> any any (msg:\"demarche: a file of a listed %s\"; "
				      "file%s:%s.%s; sid:%u; rev:1;)\n",
				      r->job->opt->alert ? "alert" : "drop", protocols[i],
				      dm_block_list_suffix(list), dm_block_list_suffix(list), name,
				      dm_block_list_suffix(list), sid);
			dm_buf_printf(&r->job->undo, "%u\n", sid);
		}
}

static void put_block(struct rules *r, const struct dm_block *block)
{
	static const struct match agent = {'a', "http", "http.user_agent", NULL, NULL};

	switch (block->entry->type) {
	case DM_OBS_IPV4:
	case DM_OBS_IPV6:
		put_ip(r, block);
		break;
	case DM_OBS_DOMAIN:
		put_domain(r, block);
		break;
	case DM_OBS_URL:
		put_url(r, block);
		break;
	case DM_OBS_MD5:
	case DM_OBS_SHA1:
	case DM_OBS_SHA256:
		put_digest(r, block, (unsigned)block->entry->type - DM_OBS_MD5);
		break;
	case DM_OBS_JA3:
		put_fingerprint(r, block, "ja3.hash", false);
		break;
	case DM_OBS_JA3S:
		put_fingerprint(r, block, "ja3s.hash", false);
		break;
	case DM_OBS_X509_SHA1:
		put_fingerprint(r, block, "tls.cert_fingerprint", true);
		break;
	case DM_OBS_USER_AGENT:
		put_match(r, block, &agent, block->entry->key);
		break;
	default:
		r->job->unsaid[block->entry->type]++;
	}
}

int dm_block_suricata(struct dm_block_job *job)
{
	struct rules r = {.job = job, .taken = dm_calloc((SIDS + 63) / 64, sizeof *r.taken)};

	if (!r.taken)
		return DM_ENOMEM;
	dm_buf_str(&job->body, "# direction: both; rules have no end of validity, each says its own in its "
			       "metadata: make them again before\n");
	for (size_t i = 0; i < job->n; i++)
		put_block(&r, &job->blocks[i]);
	put_list_rules(&r);
	dm_free(r.taken);
	return DM_OK;
}
