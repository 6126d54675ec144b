/* MISP: events, results of searches, and the other files that a MISP project or feed has, which are no
 * intelligence and are named so. */
#include "import/misp.h"

#include <stdio.h>
#include "base/limits.h"

#define PEEK  65536u
#define DEPTH 4

enum misp_file {
	FILE_NONE,
	FILE_EVENT,
	FILE_MANIFEST,
	FILE_HASHES,
	FILE_GALAXY,
	FILE_TAXONOMY,
	FILE_TEMPLATE,
	FILE_GROUPS
};

/* 8-4-4-4-12 hex digits */
static bool is_uuid(struct dm_sv s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		char c = s.p[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? c != '-' : !((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')))
			return false;
	}
	return true;
}

/* hashes.csv of a feed: MD5 of an attribute's *value*, and the event's uuid. To take these for hashes of
 * files would find nothing, silently. */
static bool is_hashes(struct dm_sv head)
{
	unsigned lines = 0;
	uint8_t md5[16];

	while (head.n && lines < 5) {
		size_t at = dm_sv_find(head, '\n');
		struct dm_sv line = at == SIZE_MAX ? head : dm_sv(head.p, at);
		struct dm_sv uuid = dm_sv_trim(line), hash = dm_sv_split(&uuid, ',');
		if (!dm_sv_unhex(hash, md5, 16) || !is_uuid(uuid))
			return false;
		lines++;
		if (at == SIZE_MAX)
			break;
		head = dm_sv_from(head, at + 1);
	}
	return lines > 0;
}

static bool has(const struct dm_jhead *h, const char *name)
{
	return dm_jhead_get(h, name).p != NULL;
}

static bool is_attribute(const struct dm_jhead *h)
{
	return has(h, "type") && has(h, "value") &&
	       (has(h, "to_ids") || has(h, "category") || has(h, "object_relation"));
}

/* How surely an object with these members is an event or a part of one. */
static int event_score(const struct dm_jhead *h)
{
	struct dm_jhead inner;
	bool lists = has(h, "Attribute") || has(h, "Object");

	if (lists && (has(h, "info") || has(h, "Orgc") || has(h, "orgc_id") || has(h, "uuid")))
		return 95;
	if (has(h, "info") && has(h, "uuid") && (has(h, "threat_level_id") || has(h, "Orgc")))
		return 90;
	if (has(h, "Attribute") && dm_jhead_read(&inner, dm_jhead_get(h, "Attribute")))
		return has(&inner, "type") && has(&inner, "value") ? 85 : 0;
	if (has(h, "Object") && dm_jhead_read(&inner, dm_jhead_get(h, "Object")))
		return has(&inner, "meta-category") || has(&inner, "Attribute") ||
				       has(&inner, "template_uuid")
			       ? 85
			       : 0;
	return is_attribute(h) ? 80 : 0;
}

static enum misp_file kind_of(struct dm_sv head, int *ret_score)
{
	struct dm_jhead h, inner;
	struct dm_sv v;

	*ret_score = 90;
	if (is_hashes(head))
		return FILE_HASHES;
	if (!dm_jhead_read(&h, head))
		return FILE_NONE;
	if (has(&h, "SharingGroup"))
		return FILE_GROUPS;
	if (has(&h, "predicates") && has(&h, "namespace"))
		return FILE_TAXONOMY;
	if (has(&h, "meta-category") && has(&h, "attributes"))
		return FILE_TEMPLATE;
	if ((has(&h, "values") && has(&h, "authors") && has(&h, "uuid")) ||
	    (has(&h, "namespace") && has(&h, "icon") && has(&h, "uuid")))
		return FILE_GALAXY;
	if (h.count && is_uuid(h.member[0].key) && dm_jhead_read(&inner, h.member[0].value) &&
	    (has(&inner, "info") || has(&inner, "Orgc")))
		return FILE_MANIFEST;
	v = dm_jhead_get(&h, "Event");
	if (v.p && dm_jhead_read(&inner, v)) {
		/* event logs of Windows in JSON have a member Event as well */
		*ret_score = event_score(&inner);
		return *ret_score ? FILE_EVENT : FILE_NONE;
	}
	v = dm_jhead_get(&h, "response");
	if (v.p && dm_jhead_read(&inner, v)) {
		*ret_score = has(&inner, "Event") ? 95 : event_score(&inner);
		return *ret_score ? FILE_EVENT : FILE_NONE;
	}
	*ret_score = event_score(&h);
	return *ret_score ? FILE_EVENT : FILE_NONE;
}

static int probe(struct dm_sv head, const char *name)
{
	int score;

	return kind_of(head, &score) == FILE_NONE ? 0 : score;
}

static int walk(struct misp *m, const struct dm_jitem *at, unsigned depth, struct dm_jwalk *end,
		struct dm_err *err);

static int walk_elements(struct misp *m, unsigned depth, struct dm_jwalk *w, struct dm_err *err)
{
	struct dm_jwalk ignore;
	struct dm_jitem item;
	int rc = DM_OK, inner;

	while (!rc) {
		rc = dm_jwalk_next(w, &item, err);
		if (rc && !item.cut)
			break;
		inner = dm_jitem_kind(&item) == '{' || dm_jitem_kind(&item) == '['
				? walk(m, &item, depth + 1, &ignore, err)
				: dm_intel_skip(&m->intel, item.line, "not a MISP element", item.value);
		rc = rc ? rc : inner;
		if (!rc)
			rc = m->sink->progress(m->sink, (uint64_t)(item.value.p - m->base) + item.value.n,
					       item.line);
	}
	return rc == DM_ENOENT ? DM_OK : rc;
}

/* Any value of a document: finds the events, objects and attributes in it. `end` is left behind the value. */
static int walk(struct misp *m, const struct dm_jitem *at, unsigned depth, struct dm_jwalk *end,
		struct dm_err *err)
{
	struct dm_jhead h = {.count = 0};
	struct dm_jwalk ignore;
	struct dm_jitem item, event = {.line = 0}, response = {.line = 0}, whole = *at;
	int rc = dm_jwalk_open(end, at->value, at->line, (uint64_t)(at->value.p - m->base), err), inner;

	if (rc)
		return rc;
	if (depth > DEPTH)
		return dm_intel_skip(&m->intel, at->line, "lists within lists: not MISP", dm_sv(NULL, 0));
	if (!end->object)
		return walk_elements(m, depth, end, err);
	while (!(rc = dm_jwalk_next(end, &item, err)) || item.cut) {
		if (dm_jwalk_is(item.key, "Event"))
			event = item;
		else if (dm_jwalk_is(item.key, "response"))
			response = item;
		if (h.count < DM_JHEAD_KEYS)
			h.member[h.count++] = item;
		if (rc)
			break;
	}
	whole.value.n = end->at;
	if (dm_jitem_kind(&event) == '{' && !has(&h, "value"))
		inner = misp_event(m, &event, err);
	else if (response.value.p && (dm_jitem_kind(&response) == '{' || dm_jitem_kind(&response) == '['))
		inner = walk(m, &response, depth + 1, &ignore, err);
	else if (is_attribute(&h))
		inner = rc == DM_ENOENT ? misp_attribute(m, &whole, err) : DM_OK;
	else if (event_score(&h))
		inner = misp_event(m, &whole, err);
	else
		inner = dm_intel_skip(&m->intel, at->line, "no MISP event, object or attribute",
				      h.count ? h.member[0].key : dm_sv(NULL, 0));
	if (rc != DM_ENOENT && (inner == DM_OK || inner == DM_EFORMAT || inner == DM_ELIMIT))
		return rc;
	return inner;
}

static int walk_documents(struct misp *m, struct dm_sv text, struct dm_err *err)
{
	struct dm_jitem item = {.line = 1};
	struct dm_jwalk end;
	size_t at = dm_sv_starts(text, DM_SV("\xef\xbb\xbf")) ? 3 : 0;
	int rc;

	m->base = text.p;
	while (dm_jwalk_space(text, &at, &item.line)) {
		item.value = dm_sv_from(text, at);
		rc = walk(m, &item, 0, &end, err);
		if (rc)
			return rc;
		at += end.at;
		item.line = end.line;
	}
	return DM_OK;
}

static int refuse(enum misp_file kind, struct dm_sink *sink, struct dm_err *err)
{
	switch (kind) {
	case FILE_MANIFEST:
		return sink->skip(sink, 1,
				  "manifest of a MISP feed: it lists the event files beside it, which hold "
				  "the indicators");
	case FILE_HASHES:
		return sink->skip(sink, 1,
				  "hashes.csv of a MISP feed: hashes of attribute values, not of files; "
				  "import the event files");
	case FILE_GALAXY:
		dm_fail(err, DM_EUNSUPPORTED, "a MISP galaxy: names and synonyms, no indicators");
		break;
	case FILE_TAXONOMY:
		dm_fail(err, DM_EUNSUPPORTED, "a MISP taxonomy: words for tags, no indicators");
		break;
	case FILE_TEMPLATE:
		dm_fail(err, DM_EUNSUPPORTED, "a MISP object template: the form of an object, no indicators");
		break;
	default:
		dm_fail(err, DM_EUNSUPPORTED, "a list of MISP sharing groups, no indicators");
		break;
	}
	dm_err_remedy(err, "indicators come as MISP events; warning lists are read as such");
	return DM_EUNSUPPORTED;
}

static int notes(struct misp *m)
{
	char text[120];
	int rc = DM_OK;

	if (m->context) {
		snprintf(text, sizeof text,
			 "%llu attributes give context (not for detection, and nothing to look for)",
			 (unsigned long long)m->context);
		rc = m->sink->meta(m->sink, "note", dm_sv_str(text));
	}
	return rc;
}

static void done(struct misp *m)
{
	dm_intel_done(&m->intel);
	dm_json_done(&m->header);
	dm_json_done(&m->object);
	dm_json_done(&m->attribute);
	dm_buf_done(&m->text);
	dm_buf_done(&m->source);
	dm_buf_done(&m->label);
	dm_buf_done(&m->actors);
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct misp m = {.sink = sink};
	struct dm_err read_err = {0};
	enum misp_file kind;
	struct dm_sv head;
	char *text = NULL;
	size_t n = 0;
	int rc, score, read_rc;

	if (!dm_stream_peek(in->stream, PEEK, &head, NULL)) {
		kind = kind_of(head, &score);
		if (kind > FILE_EVENT)
			return refuse(kind, sink, err);
	}
	dm_intel_init(&m.intel, sink);
	dm_json_init(&m.header);
	dm_json_init(&m.object);
	dm_json_init(&m.attribute);
	dm_buf_init(&m.text, DM_MAX_ELEMENT);
	dm_buf_init(&m.source, DM_INTEL_BUF);
	dm_buf_init(&m.label, DM_INTEL_BUF);
	dm_buf_init(&m.actors, DM_INTEL_BUF);
	misp_no_event(&m);
	read_rc = dm_document_read(in->stream, &text, &n, &read_err);
	rc = walk_documents(&m, dm_sv(text, n), err);
	if (rc == DM_EFORMAT || rc == DM_ELIMIT)
		dm_err_remedy(
			err,
			"the %llu indicators before this place were read; get the file again for the rest",
			(unsigned long long)m.intel.emitted);
	if (read_rc && (!rc || rc == DM_EFORMAT || rc == DM_ELIMIT)) {
		rc = read_rc;
		if (err)
			*err = read_err;
	}
	if (!rc || rc == DM_EFORMAT || rc == DM_ELIMIT) {
		int noted = notes(&m);
		if (!noted)
			noted = sink->progress(sink, dm_stream_offset(in->stream), 0);
		rc = rc ? rc : noted;
	}
	dm_free(text);
	done(&m);
	return rc;
}

const struct dm_importer dm_import_misp = {
	.name = "misp",
	.title = "MISP events",
	.gives = DM_INTELLIGENCE,
	.probe = probe,
	.run = run,
	.module = "json",
	.preload = dm_intel_preload,
};
