/* MISP events, objects and attributes -> indicators. */
#include "import/misp.h"

#include <stdio.h>
#include "base/limits.h"

#define MAX_ACTORS 3 /* galaxy names in a label */

/* MISP writes booleans as true, "1" or 1, depending on its age and on who wrote the file. */
static bool truth(const struct dm_json *doc, const struct dm_json_node *o, const char *member)
{
	const struct dm_json_node *n = dm_json_get(doc, o, member);

	return n && (n->type == DM_JSON_TRUE || dm_sv_is(n->text, "1") || dm_sv_ieq(n->text, DM_SV("true")));
}

static struct dm_sv text(const struct dm_json *doc, const struct dm_json_node *o, const char *member)
{
	const struct dm_json_node *n = dm_json_get(doc, o, member);

	return n && (n->type == DM_JSON_STRING || n->type == DM_JSON_NUMBER) ? n->text : dm_sv("", 0);
}

static int64_t moment(const struct dm_json *doc, const struct dm_json_node *o, const char *member)
{
	struct dm_sv s = text(doc, o, member);
	int64_t t;

	/* `timestamp` is in seconds since 1970, first_seen and last_seen are ISO 8601; 0 means "not set" */
	if (!s.n || dm_sv_is(s, "0"))
		return DM_NO_TIME;
	return dm_time_parse_epoch(s, &t) || dm_time_parse(s, &t) ? t : DM_NO_TIME;
}

/* The sharing marks among the tags: the most restrictive one. */
static void marks(const struct dm_json *doc, const struct dm_json_node *o, struct dm_marking *ret)
{
	const struct dm_json_node *tags = dm_json_get(doc, o, "Tag"), *t;

	for (t = dm_json_first(doc, tags); t; t = dm_json_next(doc, tags, t)) {
		struct dm_sv name = text(doc, t, "name");
		if (name.n > 4 && dm_sv_ieq(dm_sv(name.p, 4), DM_SV("tlp:")))
			dm_marking_label(ret, name);
	}
}

/* misp-galaxy:threat-actor="APT 29" -> "APT 29 (threat-actor)", for the galaxies that name who or what. */
static void actors(const struct dm_json *doc, const struct dm_json_node *o, struct dm_buf *out)
{
	static const char *const galaxy[] = {"threat-actor",
					     "malpedia",
					     "tool",
					     "ransomware",
					     "backdoor",
					     "banker",
					     "rat",
					     "stealer",
					     "botnet",
					     "mitre-malware",
					     "mitre-intrusion-set",
					     "mitre-tool"};
	const struct dm_json_node *tags = dm_json_get(doc, o, "Tag"), *t;
	unsigned n = 0;

	for (t = dm_json_first(doc, tags); t && n < MAX_ACTORS; t = dm_json_next(doc, tags, t)) {
		struct dm_sv name = text(doc, t, "name"), kind;
		if (!dm_sv_starts(name, DM_SV("misp-galaxy:")))
			continue;
		name = dm_sv_from(name, 12);
		kind = dm_sv_split(&name, '=');
		for (size_t i = 0; i < sizeof galaxy / sizeof *galaxy && name.n > 2; i++) {
			if (!dm_sv_is(kind, galaxy[i]))
				continue;
			dm_buf_str(out, n++ ? ", " : "");
			dm_intel_text(out, dm_sv(name.p + 1, name.n - 2), 100);
			dm_buf_printf(out, " (%s)", galaxy[i]);
			break;
		}
	}
}

void misp_no_event(struct misp *m)
{
	m->marking = (struct dm_marking){0};
	m->date = DM_NO_TIME;
	m->object_name = m->object_comment = dm_sv("", 0);
	dm_buf_clear(&m->source);
	dm_buf_clear(&m->actors);
}

/* "INFO (ORGANISATION)" */
static void put_source(struct dm_buf *out, const struct dm_json *doc, const struct dm_json_node *event)
{
	struct dm_sv info = text(doc, event, "info"), org;
	const struct dm_json_node *orgc = dm_json_get(doc, event, "Orgc");

	if (!orgc)
		orgc = dm_json_get(doc, event, "Org");
	org = text(doc, orgc, "name");
	dm_buf_clear(out);
	dm_intel_text(out, info, DM_INTEL_TEXT);
	if (org.n) {
		dm_buf_str(out, info.n ? " (" : "");
		dm_intel_text(out, org, DM_INTEL_TEXT);
		dm_buf_str(out, info.n ? ")" : "");
	}
}

static void put_label(struct misp *m, const struct dm_json *doc, const struct dm_json_node *a)
{
	struct dm_sv comment = text(doc, a, "comment"), relation = text(doc, a, "object_relation");
	struct dm_buf *out = &m->label;
	size_t before, start;

	dm_buf_clear(out);
	dm_intel_text(out, comment.n ? comment : m->object_comment, DM_INTEL_TEXT);
	if (!out->n && m->object_name.n) {
		dm_intel_text(out, m->object_name, 100);
		dm_buf_str(out, relation.n ? " object, " : " object");
		dm_intel_text(out, relation, 100);
	}
	if (!out->n)
		dm_intel_text(out, text(doc, a, "category"), 100);
	before = out->n;
	dm_buf_str(out, before ? "; " : "");
	start = out->n;
	actors(doc, a, out);
	if (out->n == start)
		dm_buf_sv(out, dm_buf_view(&m->actors));
	if (out->n == start)
		out->n = before;
}

/* What an attribute has in common with every indicator made of it. */
static void fill(struct misp *m, const struct dm_json_node *a, uint64_t line, struct dm_marking *marking,
		 struct dm_indicator *ind)
{
	const struct dm_json *doc = &m->attribute;
	const struct dm_json_node *event = dm_json_get(doc, a, "Event");

	if (event) /* results of an attribute search name the event in each attribute */
		put_source(&m->source, doc, event);
	*marking = (struct dm_marking){0};
	marks(doc, a, marking);
	if (!marking->rank)
		*marking = m->marking;
	put_label(m, doc, a);
	*ind = (struct dm_indicator){.line = line, .confidence = 255};
	ind->id = text(doc, a, "uuid");
	ind->source = dm_buf_view(&m->source);
	ind->label = dm_buf_view(&m->label);
	ind->marking = dm_marking_text(marking);
	ind->flags = truth(doc, a, "to_ids") ? 0 : DM_FLAG_NOT_IDS;
	ind->valid_from = moment(doc, a, "first_seen");
	if (ind->valid_from == DM_NO_TIME)
		ind->valid_from = moment(doc, a, "timestamp");
	if (ind->valid_from == DM_NO_TIME)
		ind->valid_from = m->date;
	ind->valid_until = moment(doc, a, "last_seen");
}

/* The label with one more fact behind it. */
static void add_fact(struct misp *m, struct dm_indicator *ind, size_t keep, const char *what,
		     struct dm_sv fact)
{
	m->label.n = keep;
	if (fact.n) {
		dm_buf_str(&m->label, keep ? "; " : "");
		dm_buf_str(&m->label, what);
		dm_intel_text(&m->label, fact, DM_INTEL_TEXT);
	}
	ind->label = dm_buf_view(&m->label);
}

static int emit_pattern(struct misp *m, struct dm_indicator *ind, struct dm_sv value)
{
	value = dm_sv_trim(value);
	if (!value.n || value.n > DM_MAX_PATTERN)
		return dm_intel_skip(&m->intel, ind->line, "stix2-pattern that is empty or exceeds 64 KiB",
				     dm_sv(NULL, 0));
	ind->form = DM_IND_PATTERN;
	ind->value = value;
	m->intel.emitted++;
	return m->sink->indicator(m->sink, ind);
}

static int emit_parts(struct misp *m, struct dm_indicator *ind, const struct misp_type *t, struct dm_sv value)
{
	struct dm_sv second = value, first = dm_sv_split(&second, '|');
	size_t keep = m->label.n;
	int rc;

	if (t->how == MISP_SECOND) {
		/* the name may hold the separator itself, the hash does not */
		for (size_t cut; (cut = dm_sv_find(second, '|')) != SIZE_MAX;) {
			first = dm_sv(value.p, (size_t)(second.p - value.p) + cut);
			second = dm_sv_from(second, cut + 1);
		}
		if (!second.p)
			return dm_intel_skip(&m->intel, ind->line,
					     "a name and a hash with | between them were expected", value);
		add_fact(m, ind, keep, "file name ", first);
		return dm_intel_emit(&m->intel, ind, t->obs, second);
	}
	if (t->how == MISP_FIRST) {
		add_fact(m, ind, keep, t->obs == DM_OBS_REGISTRY ? "value " : "port ", second);
		return dm_intel_emit(&m->intel, ind, t->obs, first);
	}
	add_fact(m, ind, keep, "resolved to ", second);
	rc = dm_intel_emit(&m->intel, ind, t->obs, first);
	if (rc || !second.p)
		return rc;
	add_fact(m, ind, keep, "address of ", first);
	return dm_intel_emit(&m->intel, ind, t->obs2, second);
}

/* An attribute that is to be matched (to_ids) and can't be is reported; one that only tells something is
 * counted. */
static int pass_over(struct misp *m, const struct dm_indicator *ind, const struct misp_type *t,
		     struct dm_sv type)
{
	static const char *const why[] = {
		[MISP_CONTEXT] = "attribute of a type that is nothing to look for",
		[MISP_TOOL] = "rule for another tool",
		[MISP_NONE] = "attribute of a type that no record holds",
	};

	if (t->how != MISP_TOOL && ind->flags & DM_FLAG_NOT_IDS) {
		m->context++;
		return DM_OK;
	}
	return dm_intel_skip(&m->intel, ind->line, why[t->how], type);
}

static int parse(struct misp *m, struct dm_json *doc, struct dm_sv json, uint64_t line, const char *what,
		 struct dm_err *err)
{
	struct dm_err mine = {0};
	int rc = json.n > DM_MAX_ELEMENT ? dm_fail(&mine, DM_ELIMIT, "more than %u MiB", DM_MAX_ELEMENT >> 20)
					 : dm_json_parse(doc, json, &mine);

	if (!rc)
		return doc->nodes[0].type == DM_JSON_OBJECT ? DM_OK : DM_ENOENT;
	if (rc == DM_ENOMEM || rc == DM_EUNSUPPORTED) {
		if (err)
			*err = mine;
		return rc;
	}
	rc = dm_intel_skip(&m->intel, line + (mine.line ? mine.line - 1 : 0), what, dm_sv_str(mine.msg));
	return rc ? rc : DM_ENOENT;
}

int misp_attribute(struct misp *m, const struct dm_jitem *at, struct dm_err *err)
{
	const struct misp_type *t;
	const struct dm_json_node *a, *proposals;
	struct dm_indicator ind;
	struct dm_marking marking;
	struct dm_sv type, value;
	int rc = parse(m, &m->attribute, at->value, at->line, "attribute is no readable JSON", err);

	if (rc)
		return rc == DM_ENOENT ? DM_OK : rc;
	a = m->attribute.nodes;
	type = text(&m->attribute, a, "type");
	value = text(&m->attribute, a, "value");
	if (truth(&m->attribute, a, "deleted"))
		return dm_intel_skip(&m->intel, at->line, "attribute deleted by its author", type);
	proposals = dm_json_get(&m->attribute, a, "ShadowAttribute");
	if (proposals && proposals->count) {
		m->proposals += proposals->count;
		rc = dm_intel_skip(&m->intel, at->line,
				   "proposed change to an attribute, not accepted by its owner", type);
		if (rc)
			return rc;
	}
	fill(m, a, at->line, &marking, &ind);
	t = misp_type_find(type);
	if (!t)
		return dm_intel_skip(&m->intel, at->line, "unknown attribute type",
				     type.n ? type : DM_SV("none given"));
	if (m->label.err == DM_ENOMEM || m->source.err == DM_ENOMEM)
		return dm_fail(err, DM_ENOMEM, "out of memory for an attribute");
	switch ((enum misp_how)t->how) {
	case MISP_VALUE:
		return dm_intel_emit(&m->intel, &ind, t->obs, value);
	case MISP_FIRST:
	case MISP_SECOND:
	case MISP_BOTH:
		return emit_parts(m, &ind, t, value);
	case MISP_PATTERN:
		return emit_pattern(m, &ind, value);
	default:
		return pass_over(m, &ind, t, type);
	}
}

/* Calls `each` for all elements of a JSON array, or once for a single object in its place. */
static int each_of(struct misp *m, const struct dm_jitem *list,
		   int (*each)(struct misp *, const struct dm_jitem *, struct dm_err *), struct dm_err *err)
{
	struct dm_jwalk w;
	struct dm_jitem item;
	int rc, inner;

	if (!list->value.p)
		return DM_OK;
	if (dm_jitem_kind(list) == '{')
		return each(m, list, err);
	if (dm_jitem_kind(list) != '[')
		return DM_OK;
	rc = dm_jwalk_open(&w, list->value, list->line, (uint64_t)(list->value.p - m->base), err);
	while (!rc) {
		rc = dm_jwalk_next(&w, &item, err);
		/* of a cut element nothing is certain but its containers: an object may hold whole attributes
		 */
		if (!rc || (item.cut && each == misp_object)) {
			inner = dm_jitem_kind(&item) == '{' ? each(m, &item, err)
							    : dm_intel_skip(&m->intel, item.line,
									    "not a MISP element", item.value);
			rc = rc ? rc : inner;
		}
	}
	return rc == DM_ENOENT ? DM_OK : rc;
}

static int proposal(struct misp *m, const struct dm_jitem *at, struct dm_err *err)
{
	m->proposals++;
	return dm_intel_skip(&m->intel, at->line, "proposed attribute, not accepted by the event's owner",
			     dm_sv(NULL, 0));
}

/* Copies a member into the header document. */
static void take_header(struct misp *m, const struct dm_jitem *item)
{
	dm_buf_putc(&m->text, m->text.n > 1 ? ',' : ' ');
	dm_buf_putc(&m->text, '"');
	dm_buf_sv(&m->text, item->key);
	dm_buf_str(&m->text, "\":");
	dm_buf_sv(&m->text, item->value);
}

static bool one_of(struct dm_sv key, const char *const *names)
{
	for (; *names; names++)
		if (dm_jwalk_is(key, *names))
			return true;
	return false;
}

/* The text is damaged or cut: what came before the place is good. */
static bool broken(int rc)
{
	return rc == DM_EFORMAT || rc == DM_ELIMIT;
}

#define MAX_LISTS 3
struct lists {
	const char *name[MAX_LISTS];
	struct dm_jitem list[MAX_LISTS];
};

/* Walks an event or object: the members in `wanted` become a small document of their own, the long lists are
 * only found. Returns DM_ENOENT if the element was refused (and reported), DM_EFORMAT and the like if the
 * text breaks off; then *ret_cut is true and the lists may be used. */
static int split(struct misp *m, const struct dm_jitem *at, const char *const *wanted, struct lists *ls,
		 struct dm_json *doc, bool *ret_cut, struct dm_err *err)
{
	struct dm_jwalk w;
	struct dm_jitem item;
	bool twice = false;
	int rc = dm_jwalk_open(&w, at->value, at->line, (uint64_t)(at->value.p - m->base), err), parsed;

	if (rc)
		return rc;
	dm_buf_clear(&m->text);
	dm_buf_putc(&m->text, '{');
	while (!(rc = dm_jwalk_next(&w, &item, err)) || item.cut) {
		for (unsigned i = 0; i < MAX_LISTS && ls->name[i]; i++)
			if (dm_jwalk_is(item.key, ls->name[i])) {
				twice |= ls->list[i].value.p != NULL;
				ls->list[i] = item;
			}
		if (!rc && one_of(item.key, wanted))
			take_header(m, &item);
		if (rc)
			break;
	}
	*ret_cut = rc != DM_ENOENT;
	if (twice) {
		parsed = dm_intel_skip(&m->intel, at->line,
				       "element with a member twice: which one counts is not said",
				       dm_sv(NULL, 0));
		return parsed ? parsed : DM_ENOENT;
	}
	dm_buf_putc(&m->text, '}');
	if (m->text.err)
		return dm_fail(err, m->text.err, "the header of the event in line %llu is too long",
			       (unsigned long long)at->line);
	parsed = parse(m, doc, dm_buf_view(&m->text), at->line, "event or object is no readable JSON", err);
	if (parsed)
		return parsed;
	return *ret_cut ? rc : DM_OK;
}

int misp_object(struct misp *m, const struct dm_jitem *at, struct dm_err *err)
{
	static const char *const wanted[] = {"name", "comment", "deleted", NULL};
	struct lists ls = {.name = {"Attribute"}};
	bool cut = false;
	int rc = split(m, at, wanted, &ls, &m->object, &cut, err), inner;

	if (rc && !(cut && broken(rc)))
		return rc == DM_ENOENT ? DM_OK : rc;
	if (truth(&m->object, m->object.nodes, "deleted"))
		return dm_intel_skip(&m->intel, at->line, "object deleted by its author",
				     text(&m->object, m->object.nodes, "name"));
	m->object_name = text(&m->object, m->object.nodes, "name");
	m->object_comment = text(&m->object, m->object.nodes, "comment");
	inner = each_of(m, &ls.list[0], misp_attribute, err);
	m->object_name = m->object_comment = dm_sv("", 0);
	return rc ? rc : inner;
}

int misp_event(struct misp *m, const struct dm_jitem *at, struct dm_err *err)
{
	static const char *const wanted[] = {"info", "uuid", "date", "timestamp", "Orgc", "Org", "Tag", NULL};
	static int (*const each[MAX_LISTS])(struct misp *, const struct dm_jitem *,
					    struct dm_err *) = {misp_attribute, misp_object, proposal};
	struct lists ls = {.name = {"Attribute", "Object", "ShadowAttribute"}};
	bool cut = false;
	int rc, inner = DM_OK;

	misp_no_event(m);
	m->events++;
	rc = split(m, at, wanted, &ls, &m->header, &cut, err);
	if (rc && !(cut && broken(rc)))
		return rc == DM_ENOENT ? DM_OK : rc;
	marks(&m->header, m->header.nodes, &m->marking);
	actors(&m->header, m->header.nodes, &m->actors);
	put_source(&m->source, &m->header, m->header.nodes);
	m->date = moment(&m->header, m->header.nodes, "date");
	for (unsigned i = 0; i < MAX_LISTS && !inner; i++)
		inner = each_of(m, &ls.list[i], each[i], err);
	/* where the text breaks off is the fault to report; what the sink says comes before it */
	if (rc && (inner == DM_OK || broken(inner)))
		return rc;
	return inner;
}
