/* Input of Zeek's intelligence framework (policy/frameworks/intel/seen and do_notice): tab-separated, the
 * undo file the same items with meta.remove (policy/frameworks/intel/removal). Items have no end of validity
 * of their own: the description says it. */
#include "hunt/blocklist_format.h"

#include "base/limits.h"

#define DESCRIPTION 240u

/* What Zeek's reader would take for the end of a field or line, a comment, an unset or an empty field, or an
 * escape. */
static void put_field(struct dm_buf *b, struct dm_sv s)
{
	bool special = dm_sv_is(s, "-") || dm_sv_is(s, "(empty)");

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c < 0x20 || c == 0x7f || c == '\\' || (i == 0 && (c == '#' || special)))
			dm_buf_printf(b, "\\x%02x", c);
		else
			dm_buf_putc(b, (char)c);
	}
}

static const char *type_of(enum dm_obs_type t, bool network)
{
	switch (t) {
	case DM_OBS_IPV4:
	case DM_OBS_IPV6:
		return network ? "Intel::SUBNET" : "Intel::ADDR";
	case DM_OBS_DOMAIN:
		return "Intel::DOMAIN";
	case DM_OBS_URL:
		return "Intel::URL";
	case DM_OBS_EMAIL:
		return "Intel::EMAIL";
	case DM_OBS_MD5:
	case DM_OBS_SHA1:
	case DM_OBS_SHA256:
		return "Intel::FILE_HASH";
	case DM_OBS_X509_SHA1:
		return "Intel::CERT_HASH";
	case DM_OBS_FILENAME:
		return "Intel::FILE_NAME";
	case DM_OBS_USER_AGENT:
		return "Intel::SOFTWARE";
	default:
		return NULL;
	}
}

static void put_item(struct dm_block_job *job, const struct dm_block *block, struct dm_sv indicator,
		     const char *type)
{
	struct dm_buf *both[2] = {&job->body, &job->undo}, source;

	dm_buf_init(&source, 4096);
	dm_block_text(&source, block->entry->source.n ? block->entry->source : DM_SV("demarche"),
		      DESCRIPTION);
	for (size_t i = 0; i < 2; i++) {
		struct dm_buf *b = both[i];

		put_field(b, indicator);
		dm_buf_printf(b, "\t%s\t", type);
		put_field(b, dm_buf_view(&source));
		dm_buf_putc(b, '\t');
		if (i) {
			dm_buf_str(b, "T\n");
			continue;
		}
		dm_buf_str(b, "until ");
		dm_time_put(b, block->expires / DM_US * DM_US);
		dm_buf_str(b, ": ");
		dm_block_why(job, block, b, DESCRIPTION);
		dm_buf_str(b, "\tT\n");
	}
	dm_buf_done(&source);
}

static void put_addresses(struct dm_block_job *job, const struct dm_block *block)
{
	struct dm_ip first, last, net;
	unsigned prefix;
	bool done = false;

	dm_block_range(block, &first, &last);
	while (dm_block_network(&first, &last, &done, &net, &prefix)) {
		bool network = prefix < (dm_ip_is4(&net) ? 32u : 128u);
		struct dm_buf text;

		dm_buf_init(&text, 128);
		dm_ip_put(&text, &net);
		if (network)
			dm_buf_printf(&text, "/%u", prefix);
		put_item(job, block, dm_buf_view(&text), type_of(block->entry->type, network));
		dm_buf_done(&text);
	}
}

/* Zeek's URLs have no scheme; its names no wildcard: of a suffix only the name itself can be said. */
static void put_value(struct dm_block_job *job, const struct dm_block *block, const char *type)
{
	struct dm_buf text;
	struct dm_sv s;
	size_t at;

	dm_buf_init(&text, DM_MAX_VALUE);
	dm_obs_text(block->entry->type, block->entry->key, &text);
	s = dm_buf_view(&text);
	if (block->entry->type == DM_OBS_URL)
		for (at = 0; at + 3 <= s.n; at++)
			if (!memcmp(s.p + at, "://", 3)) {
				s = dm_sv_from(s, at + 3);
				break;
			}
	put_item(job, block, s, type);
	dm_buf_done(&text);
}

int dm_block_zeek(struct dm_block_job *job)
{
	bool suffixes = false;

	for (size_t i = 0; i < job->n; i++)
		suffixes |= job->blocks[i].entry->form == DM_IND_SUFFIX;
	dm_buf_str(&job->body, "# direction: both; Zeek tells, it does not block\n");
	if (suffixes)
		dm_buf_str(&job->body,
			   "# names below a domain cannot be said here: only the domain itself is\n");
	dm_buf_str(&job->body,
		   "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.do_notice\n");
	dm_buf_str(&job->undo, "#fields\tindicator\tindicator_type\tmeta.source\tmeta.remove\n");
	for (size_t i = 0; i < job->n; i++) {
		const struct dm_block *block = &job->blocks[i];
		const char *type = type_of(block->entry->type, false);

		if (!type)
			job->unsaid[block->entry->type]++;
		else if (dm_block_is_ip(block))
			put_addresses(job, block);
		else if (i && block->entry->form == DM_IND_SUFFIX && block[-1].entry->type == DM_OBS_DOMAIN &&
			 dm_sv_eq(block->entry->key, block[-1].entry->key))
			continue; /* the name itself has been said */
		else
			put_value(job, block, type);
	}
	return DM_OK;
}
