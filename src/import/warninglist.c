/* warninglist.c: lists of what is often taken for a sign of an attack and is none, in the format of MISP's
 * warning lists. Their entries are handed over as indicators behind a "warninglist" meta: who is on one is
 * flagged, not looked for. */
#include "base/json.h"
#include "base/limits.h"
#include "import/importer.h"
#include "import/intel.h"
#include "import/ioc.h"

/* How the entries of a list match, as MISP names it. */
enum kind { CIDR, HOSTNAME, STRING, OTHER };

struct list {
	struct dm_intel intel;
	enum kind kind;
	enum dm_obs_type types[16]; /* what the list is applied to, for entries that do not tell themselves */
	unsigned ntypes;
};

static void read_types(struct list *l, const struct dm_json *doc)
{
	const struct dm_json_node *all = dm_json_get(doc, &doc->nodes[0], "matching_attributes");

	if (!all || all->type != DM_JSON_ARRAY)
		return;
	for (const struct dm_json_node *n = dm_json_first(doc, all); n; n = dm_json_next(doc, all, n)) {
		struct dm_sv name = n->text;
		size_t bar = dm_sv_find(name, '|');
		enum dm_obs_type t;
		bool known = false;

		/* "filename|md5" is about the digest, "domain|ip" about either. */
		if (bar != SIZE_MAX)
			name = dm_sv_from(name, bar + 1);
		t = n->type == DM_JSON_STRING ? dm_obs_from_name(name) : DM_OBS_NONE;
		for (unsigned i = 0; i < l->ntypes; i++)
			known |= l->types[i] == t;
		if (t != DM_OBS_NONE && !known && l->ntypes < sizeof(l->types) / sizeof(l->types[0]))
			l->types[l->ntypes++] = t;
	}
}

/* What an entry is that does not tell by itself ("localhost", "3::"): the first of the list's kinds that can
 * read it. */
static enum dm_obs_type by_attribute(const struct list *l, struct dm_sv value)
{
	enum dm_obs_type exact, found = DM_OBS_NONE;
	struct dm_buf key;

	dm_buf_init(&key, DM_MAX_VALUE);
	for (unsigned i = 0; i < l->ntypes && found == DM_OBS_NONE; i++)
		if (dm_obs_key(l->types[i], value, &key, &exact))
			found = exact;
	dm_buf_done(&key);
	return found;
}

static int take(struct list *l, struct dm_sv value, uint64_t number)
{
	struct dm_indicator base = {
		.valid_from = DM_NO_TIME, .valid_until = DM_NO_TIME, .line = number, .confidence = 255};
	enum dm_obs_type t;
	struct dm_ioc ioc;

	value = dm_sv_trim(value);
	if (value.n == 0)
		return dm_intel_skip(&l->intel, number, "empty entry", value);
	if (l->kind == CIDR)
		return dm_intel_emit(&l->intel, &base, DM_OBS_IPV4, value);
	if (dm_ioc_read(value, &ioc) == DM_IOC_FOUND && !ioc.add_scheme) {
		/* MISP matches the entries of a list of host names against the names above a host, too. */
		if (l->kind == HOSTNAME && ioc.type == DM_OBS_DOMAIN)
			return dm_intel_emit_suffix(&l->intel, &base, ioc.text);
		return dm_intel_emit(&l->intel, &base, ioc.type, ioc.text);
	}
	t = l->kind == HOSTNAME ? DM_OBS_DOMAIN : by_attribute(l, value);
	if (t == DM_OBS_NONE)
		return dm_intel_skip(&l->intel, number, "no kind of value that is known here", value);
	if (l->kind == HOSTNAME)
		return dm_intel_emit_suffix(&l->intel, &base, value);
	return dm_intel_emit(&l->intel, &base, t, value);
}

static int read_entries(struct list *l, const struct dm_json *doc, struct dm_err *err)
{
	const struct dm_json_node *entries = dm_json_get(doc, &doc->nodes[0], "list");
	struct dm_sv type = dm_json_get_str(doc, &doc->nodes[0], "type");
	struct dm_sv name = dm_json_get_str(doc, &doc->nodes[0], "name");
	uint64_t number = 0;
	int rc;

	if (doc->nodes[0].type != DM_JSON_OBJECT || !entries || entries->type != DM_JSON_ARRAY || !name.n ||
	    !type.n) {
		dm_fail(err, DM_EFORMAT, "not a warning list: it needs a name, a type and a list");
		return dm_err_remedy(
			err, "a MISP warning list is {\"name\": ..., \"type\": \"cidr\", \"list\": [...]}");
	}
	l->kind = dm_sv_is(type, "cidr")       ? CIDR
		  : dm_sv_is(type, "hostname") ? HOSTNAME
		  : dm_sv_is(type, "string")   ? STRING
					       : OTHER;
	read_types(l, doc);
	rc = l->intel.sink->meta(l->intel.sink, "warninglist", name);
	for (const struct dm_json_node *n = dm_json_first(doc, entries); n && rc == 0;
	     n = dm_json_next(doc, entries, n)) {
		number++;
		if (n->type != DM_JSON_STRING)
			rc = dm_intel_skip(&l->intel, number, "entry is not a text", dm_sv(NULL, 0));
		else if (l->kind == OTHER)
			rc = dm_intel_skip(
				&l->intel, number,
				"list matches by parts of values or patterns, which is not done here",
				n->text);
		else
			rc = take(l, n->text, number);
	}
	return rc;
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct list l = {0};
	struct dm_json doc;
	char *text = NULL;
	size_t n;
	int rc = dm_stream_slurp(in->stream, DM_MAX_ELEMENT, &text, &n, err);

	if (rc)
		return rc;
	dm_json_init(&doc);
	dm_intel_init(&l.intel, sink);
	rc = dm_json_parse(&doc, dm_sv(text, n), err);
	if (rc == 0)
		rc = read_entries(&l, &doc, err);
	if (rc == 0)
		rc = sink->progress(sink, dm_stream_offset(in->stream), l.intel.emitted + l.intel.skipped);
	dm_intel_done(&l.intel);
	dm_json_done(&doc);
	dm_free(text);
	return rc;
}

static bool has_member(struct dm_sv head, const char *quoted)
{
	const char *p = memmem(head.p, head.n, quoted, strlen(quoted));
	const char *end = head.p + head.n;

	if (!p)
		return false;
	for (p += strlen(quoted); p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n');)
		p++;
	return p < end && *p == ':';
}

/* The members may stand in any order, and those behind a long list are out of sight. */
static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv s = dm_sv_trim(dm_sv_starts(head, DM_SV("\xef\xbb\xbf")) ? dm_sv_from(head, 3) : head);

	if (s.n == 0 || s.p[0] != '{' || !has_member(s, "\"list\""))
		return 0;
	if (has_member(s, "\"Event\"") || has_member(s, "\"objects\"") || has_member(s, "\"event_type\""))
		return 0;
	if (has_member(s, "\"matching_attributes\""))
		return 95;
	return has_member(s, "\"name\"") || has_member(s, "\"description\"") ? 70 : 0;
}

const struct dm_importer dm_import_warninglist = {
	.name = "warninglist",
	.title = "warning list (MISP)",
	.gives = DM_INTELLIGENCE,
	.module = "json",
	.probe = probe,
	.run = run,
	.preload = dm_intel_preload,
};
