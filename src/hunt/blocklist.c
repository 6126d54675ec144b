#include "hunt/blocklist.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "hunt/blocklist_format.h"

__extension__ typedef unsigned __int128 address;

#define WHY_LEFT_OUT 120u /* bytes of a text within a comment */

/* --- text of strangers
 * -------------------------------------------------------------------------------------- */

/* Every byte that could end a string, a comment or a rule in one of the formats becomes a harmless one; what
 * a terminal must not get is spelt out first. */
void dm_block_text(struct dm_buf *b, struct dm_sv text, size_t max)
{
	struct dm_buf safe;
	size_t n;

	dm_buf_init(&safe, 8 * DM_MAX_VALUE);
	dm_term_escape(&safe, dm_sv(text.p, text.n < DM_MAX_VALUE ? text.n : DM_MAX_VALUE));
	for (size_t i = 0; i < safe.n; i++)
		switch (safe.p[i]) {
		case '"':
			safe.p[i] = '\'';
			break;
		case '\\':
			safe.p[i] = '/';
			break;
		case ';':
			safe.p[i] = ',';
			break;
		case '\n':
		case '\r':
		case '\t':
			safe.p[i] = ' ';
			break;
		default:
			break;
		}
	n = safe.n < max ? safe.n : max;
	/* not within a character */
	while (n && n < safe.n && ((uint8_t)safe.p[n] & 0xc0) == 0x80)
		n--;
	dm_buf_put(b, safe.p, n);
	dm_buf_done(&safe);
}

void dm_block_why(const struct dm_block_job *job, const struct dm_block *block, struct dm_buf *b, size_t max)
{
	const struct dm_block_entry *e = block->entry;
	struct dm_buf all;

	dm_buf_init(&all, 4 * DM_MAX_VALUE);
	dm_buf_sv(&all, e->reason.n ? e->reason : DM_SV("indicator"));
	if (e->source.n) {
		dm_buf_str(&all, " (");
		dm_buf_sv(&all, e->source);
		dm_buf_str(&all, ")");
	}
	if (job->opt->incident.n) {
		dm_buf_str(&all, ", case ");
		dm_buf_sv(&all, job->opt->incident);
	}
	dm_block_text(b, dm_buf_view(&all), max);
	dm_buf_done(&all);
}

/* --- addresses
 * ---------------------------------------------------------------------------------------------- */

static struct dm_ip from_key(enum dm_obs_type type, struct dm_sv key)
{
	struct dm_ip ip = {0};

	if (type == DM_OBS_IPV4)
		return dm_ip_from4((uint32_t)(uint8_t)key.p[0] << 24 | (uint32_t)(uint8_t)key.p[1] << 16 |
				   (uint32_t)(uint8_t)key.p[2] << 8 | (uint8_t)key.p[3]);
	memcpy(ip.b, key.p, sizeof ip.b);
	return ip;
}

void dm_block_range(const struct dm_block *b, struct dm_ip *first, struct dm_ip *last)
{
	*first = from_key(b->entry->type, b->entry->key);
	*last = b->entry->form == DM_IND_RANGE ? from_key(b->entry->type, b->entry->key2) : *first;
}

static address to_number(const struct dm_ip *ip)
{
	address n = 0;

	for (size_t i = 0; i < sizeof ip->b; i++)
		n = n << 8 | ip->b[i];
	return n;
}

static struct dm_ip from_number(address n)
{
	struct dm_ip ip;

	for (size_t i = sizeof ip.b; i-- > 0; n >>= 8)
		ip.b[i] = (uint8_t)n;
	return ip;
}

bool dm_block_network(struct dm_ip *first, const struct dm_ip *last, bool *done, struct dm_ip *ret_net,
		      unsigned *ret_prefix)
{
	address from = to_number(first), to = to_number(last), size = 1;
	unsigned bits = 0, most = dm_ip_is4(first) ? 32 : 128;

	if (*done || from > to)
		return false;
	/* twice as large as long as it begins at a multiple of its size and does not reach too far */
	while (bits < most && !(from & size) && to - from >= (size - 1) + size) {
		bits++;
		size <<= 1;
		if (bits == 128)
			break;
	}
	*ret_net = *first;
	*ret_prefix = most - bits;
	*done = bits == 128 || to - from < size;
	*first = from_number(from + size);
	return true;
}

/* --- what may be blocked
 * ------------------------------------------------------------------------------------ */

static bool key_is_sound(const struct dm_block_entry *e)
{
	size_t want = e->type == DM_OBS_IPV4 ? 4 : e->type == DM_OBS_IPV6 ? 16 : 0;

	if (e->form == DM_IND_PATTERN || e->type <= DM_OBS_NONE || e->type >= DM_OBS_TYPES || !e->key.n)
		return false;
	if (want && e->key.n != want)
		return false;
	if (e->form == DM_IND_RANGE)
		return want && e->key2.n == want && dm_sv_cmp(e->key, e->key2) <= 0;
	return e->form == DM_IND_VALUE || (e->form == DM_IND_SUFFIX && e->type == DM_OBS_DOMAIN);
}

/* Why an entry must not leave as a block; NULL if it may. The caller's flags are not trusted to be complete:
 * a reserved address is recognised here too, since this is the last gate. */
static const char *forbidden(const struct dm_block_entry *e, int64_t expires, int64_t now)
{
	static const struct {
		uint32_t flag;
		const char *why;
	} flags[] = {
		{DM_FLAG_OWN, "it is in one of our own networks"},
		{DM_FLAG_RESERVED, "it is a reserved range"},
		{DM_FLAG_BROAD, "it is too wide"},
		{DM_FLAG_WARNING, "it is on a warning list"},
		{DM_FLAG_NOT_IDS, "its source does not mean it for detection"},
		{DM_FLAG_REVOKED, "its source took it back"},
		{DM_FLAG_BENIGN, "its source calls it benign"},
		{DM_FLAG_EMPTY_HASH, "it is the digest of nothing"},
	};
	struct dm_block b = {.entry = e};
	struct dm_ip first, last;

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (e->flags & flags[i].flag)
			return flags[i].why;
	if (e->flags)
		return "it is flagged";
	if (expires <= now)
		return "it has expired";
	if (e->form == DM_IND_PATTERN)
		return "it is a pattern, not a value";
	if (!key_is_sound(e))
		return "it is not a value of its type";
	if (!dm_block_is_ip(&b))
		return NULL;
	dm_block_range(&b, &first, &last);
	return dm_ip_range_reserved(&first, &last);
}

static void leave_out(struct dm_block_job *job, struct dm_buf *comments, const struct dm_block_entry *e,
		      const char *why)
{
	dm_buf_str(comments, "left out: ");
	dm_block_text(comments, e->text, WHY_LEFT_OUT);
	dm_buf_str(comments, " because ");
	if (e->protect.n) {
		dm_buf_str(comments, "it is protected: ");
		dm_block_text(comments, e->protect, WHY_LEFT_OUT);
	} else {
		dm_buf_str(comments, why);
	}
	dm_buf_putc(comments, '\n');
	job->out->left_out++;
}

static int compare_places(const struct dm_block *x, const struct dm_block *y)
{
	const struct dm_block_entry *a = x->entry, *b = y->entry;
	int c = (int)a->type - (int)b->type;

	if (!c)
		c = dm_sv_cmp(a->key, b->key);
	if (!c)
		c = dm_sv_cmp(a->form == DM_IND_RANGE ? a->key2 : a->key,
			      b->form == DM_IND_RANGE ? b->key2 : b->key);
	return c ? c : (int)a->form - (int)b->form;
}

/* Of equals the one that holds longest comes first; texts only make the order the same every time. */
static int compare_blocks(const void *x, const void *y)
{
	const struct dm_block *a = x, *b = y;
	int c = compare_places(a, b);

	if (c)
		return c;
	if (a->expires != b->expires)
		return a->expires > b->expires ? -1 : 1;
	c = dm_sv_cmp(a->entry->reason, b->entry->reason);
	return c ? c : dm_sv_cmp(a->entry->source, b->entry->source);
}

static int compare_entries(const void *x, const void *y)
{
	const struct dm_block_entry *const *a = x, *const *b = y;
	int c = dm_sv_cmp((*a)->text, (*b)->text);

	if (!c)
		c = dm_sv_cmp((*a)->reason, (*b)->reason);
	return c ? c : ((*a)->flags > (*b)->flags) - ((*a)->flags < (*b)->flags);
}

static int64_t end_of(const struct dm_block_entry *e, const struct dm_block_options *opt)
{
	int64_t duration = opt->duration > 0 ? opt->duration : DM_BLOCK_DURATION, end;

	if (e->expires != DM_NO_TIME)
		return e->expires;
	return __builtin_add_overflow(opt->now, duration, &end) ? INT64_MAX : end;
}

/* Entries in the order of their text, so that comments come in the same order every time. */
static const struct dm_block_entry **in_order(const struct dm_block_entry *entries, size_t n)
{
	const struct dm_block_entry **list = dm_calloc(n, sizeof *list);

	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++)
		list[i] = &entries[i];
	qsort(list, n, sizeof *list, compare_entries);
	return list;
}

static void select_blocks(struct dm_block_job *job, const struct dm_block_entry **list, size_t n,
			  struct dm_buf *comments)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t end = end_of(list[i], job->opt);
		const char *why = forbidden(list[i], end, job->opt->now);

		if (why || list[i]->protect.n)
			leave_out(job, comments, list[i], why);
		else
			job->blocks[job->n++] = (struct dm_block){.entry = list[i], .expires = end};
	}
	qsort(job->blocks, job->n, sizeof *job->blocks, compare_blocks);
	job->out->first_end = job->out->last_end = DM_NO_TIME;
	for (size_t i = 0; i < job->n; i++) {
		struct dm_block *b = &job->blocks[i];

		if (job->out->first_end == DM_NO_TIME || b->expires < job->out->first_end)
			job->out->first_end = b->expires;
		if (b->expires > job->out->last_end)
			job->out->last_end = b->expires;
		if (!kept || compare_places(&job->blocks[kept - 1], b) != 0)
			job->blocks[kept++] = *b;
	}
	job->n = job->out->blocked = kept;
}

/* --- the whole
 * ---------------------------------------------------------------------------------------------- */

static void header(const struct dm_block_job *job, struct dm_buf *b, const char *what)
{
	dm_buf_printf(b, "%s, made by demarche at ", what);
	dm_time_put(b, job->opt->now / DM_US * DM_US);
	dm_buf_putc(b, '\n');
	if (job->opt->incident.n) {
		dm_buf_str(b, "case: ");
		dm_block_text(b, job->opt->incident, WHY_LEFT_OUT);
		dm_buf_putc(b, '\n');
	}
}

static void summary(const struct dm_block_job *job, struct dm_buf *b)
{
	dm_buf_printf(b, "%llu blocked, %llu left out", (unsigned long long)job->out->blocked,
		      (unsigned long long)job->out->left_out);
	if (job->out->last_end != DM_NO_TIME) {
		dm_buf_str(b, "; they end between ");
		dm_time_put(b, job->out->first_end / DM_US * DM_US);
		dm_buf_str(b, " and ");
		dm_time_put(b, job->out->last_end / DM_US * DM_US);
	}
	dm_buf_putc(b, '\n');
	for (int t = 0; t < DM_OBS_TYPES; t++) {
		if (!job->unsaid[t])
			continue;
		dm_buf_printf(b, "left out: %llu of type %s because this format cannot say them\n",
			      (unsigned long long)job->unsaid[t], dm_obs_name((enum dm_obs_type)t));
		job->out->not_possible += job->unsaid[t];
	}
	job->out->blocked -= job->out->not_possible;
}

/* Lines of comment, each behind the sign of the format. */
static void put_comments(struct dm_buf *to, const char *sign, struct dm_sv lines)
{
	while (lines.p && lines.n) {
		dm_buf_str(to, sign);
		dm_buf_sv(to, dm_sv_split(&lines, '\n'));
		dm_buf_putc(to, '\n');
	}
}

static const struct {
	const char *sign, *what, *undo;
	int (*make)(struct dm_block_job *job);
} formats[] = {
	[DM_BLOCK_NFT] = {"# ", "nftables: load with nft -f",
			  "nftables: takes the block list back; load with nft -f", dm_block_nft},
	[DM_BLOCK_RPZ] = {"; ", "response policy zone",
			  "response policy zone that changes nothing: takes the block list back",
			  dm_block_rpz},
	[DM_BLOCK_SURICATA] = {"# ", "Suricata rules", "sids for disable.conf: takes the rules back",
			       dm_block_suricata},
	[DM_BLOCK_ZEEK] = {"# ", "input of Zeek's intelligence framework",
			   "takes the items back, with policy/frameworks/intel/removal loaded",
			   dm_block_zeek},
};

/* First what is said of the list, which is known only at the end, then the list. */
static int assemble(struct dm_block_job *job, enum dm_block_format format, struct dm_sv left_out)
{
	struct dm_block_result *out = job->out;
	struct dm_buf said;
	int rc;

	dm_buf_init(&said, DM_MAX_BLOCKLIST);
	header(job, &said, formats[format].what);
	summary(job, &said);
	dm_buf_sv(&said, left_out);
	put_comments(&out->text, formats[format].sign, dm_buf_view(&said));
	dm_buf_sv(&out->text, dm_buf_view(&job->body));
	rc = said.err;
	dm_buf_clear(&said);
	header(job, &said, formats[format].undo);
	put_comments(&out->undo, formats[format].sign, dm_buf_view(&said));
	dm_buf_sv(&out->undo, dm_buf_view(&job->undo));
	rc = rc ? rc : said.err ? said.err : job->body.err ? job->body.err : job->undo.err;
	dm_buf_done(&said);
	for (unsigned i = 0; i < DM_BLOCK_LISTS && !rc; i++)
		rc = out->list[i].err;
	return rc ? rc : out->text.err ? out->text.err : out->undo.err;
}

static int make(struct dm_block_job *job, enum dm_block_format format, const struct dm_block_entry *entries,
		size_t n)
{
	const struct dm_block_entry **list = in_order(entries, n);
	struct dm_buf left_out;
	int rc = DM_ENOMEM;

	dm_buf_init(&left_out, DM_MAX_BLOCKLIST);
	job->blocks = dm_calloc(n, sizeof *job->blocks);
	if (list && job->blocks) {
		select_blocks(job, list, n, &left_out);
		rc = left_out.err ? left_out.err : formats[format].make(job);
	}
	if (!rc)
		rc = assemble(job, format, dm_buf_view(&left_out));
	dm_free(list);
	dm_free(job->blocks);
	dm_buf_done(&left_out);
	return rc;
}

int dm_blocklist(enum dm_block_format format, const struct dm_block_entry *entries, size_t n,
		 const struct dm_block_options *opt, struct dm_block_result *ret, struct dm_err *err)
{
	struct dm_block_result out = {0};
	struct dm_block_job job = {.opt = opt, .out = &out};
	int rc;

	dm_buf_init(&job.body, DM_MAX_BLOCKLIST);
	dm_buf_init(&job.undo, DM_MAX_BLOCKLIST);
	dm_buf_init(&out.text, DM_MAX_BLOCKLIST);
	dm_buf_init(&out.undo, DM_MAX_BLOCKLIST);
	for (unsigned i = 0; i < DM_BLOCK_LISTS; i++)
		dm_buf_init(&out.list[i], DM_MAX_BLOCKLIST);
	rc = make(&job, format, entries, n);
	dm_buf_done(&job.body);
	dm_buf_done(&job.undo);
	if (rc) {
		dm_block_result_done(&out);
		return dm_fail(err, rc, "cannot make the block list: %s", dm_code_text(rc));
	}
	*ret = out;
	return DM_OK;
}

void dm_block_result_done(struct dm_block_result *r)
{
	dm_buf_done(&r->text);
	dm_buf_done(&r->undo);
	for (unsigned i = 0; i < DM_BLOCK_LISTS; i++)
		dm_buf_done(&r->list[i]);
}

const char *dm_block_list_suffix(unsigned list)
{
	static const char *const suffix[DM_BLOCK_LISTS] = {"md5", "sha1", "sha256"};

	return list < DM_BLOCK_LISTS ? suffix[list] : "";
}
