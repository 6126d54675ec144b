/* Observed-data from JSON: see observed.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "hunt/observed.h"
#include "hunt/pattern_tree.h"

struct element {
	struct dm_sv text, id, modified;
	uint64_t line;
	uint32_t order; /* position in the input */
};

struct dm_observed {
	struct dm_arena arena;
	struct dm_observed_item *item;
	struct element *observed, *object; /* observed: in step with item */
	size_t cap_item, cap_observed, cap_object;
	uint32_t n, n_object;
	uint64_t skipped;
	char reason[200];
};

struct reader {
	struct dm_observed *o;
	struct dm_json doc;
	struct dm_err *err;
	uint64_t line; /* of the value that is being read, in the whole text */
	uint32_t order;
};

static int no_memory(struct dm_err *err)
{
	return dm_fail(err, DM_ENOMEM, "no memory for observed-data");
}

/* Domain and relationship objects, bundles and the like: never part of an observation, though object_refs may
 * name some (STIX 2.1 s.4.14). */
static bool is_domain_object(struct dm_sv type)
{
	static const char *const types[] = {
		"attack-pattern",
		"bundle",
		"campaign",
		"course-of-action",
		"extension-definition",
		"grouping",
		"identity",
		"incident",
		"indicator",
		"infrastructure",
		"intrusion-set",
		"language-content",
		"location",
		"malware",
		"malware-analysis",
		"marking-definition",
		"note",
		"observed-data",
		"opinion",
		"relationship",
		"report",
		"threat-actor",
		"tool",
		"sighting",
		"vulnerability",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (dm_sv_is(type, types[i]))
			return true;
	}
	return false;
}

static void skip(struct reader *r, uint64_t line, const char *why)
{
	if (!r->o->skipped++)
		snprintf(r->o->reason, sizeof(r->o->reason), "line %" PRIu64 ": %.160s", line, why);
}

static bool keep(struct reader *r, struct dm_sv s, struct dm_sv *ret)
{
	*ret = s.n ? dm_arena_copy(&r->o->arena, s) : dm_sv("", 0);
	return ret->p != NULL;
}

/* --- index ---------------------------------------------------------------------------------------------- */

/* A time that can't be read leaves the observation without one: it then fits no window, but is not lost. */
static int64_t moment(const struct dm_json *doc, const char *key)
{
	int64_t t;

	return dm_stix_time(dm_json_get_str(doc, doc->nodes, key), &t) ? t : DM_NO_TIME;
}

static int add_observed(struct reader *r, const struct element *e)
{
	struct dm_observed *o = r->o;
	struct dm_observed_item it = {.id = e->id, .line = e->line, .number_observed = 1};
	const struct dm_json_node *number = dm_json_get(&r->doc, r->doc.nodes, "number_observed");
	int64_t n = 1;

	if (number && (!dm_json_get_i64(&r->doc, r->doc.nodes, "number_observed", &n) || n < 1)) {
		skip(r, e->line, "number_observed is not a whole number above 0");
		return 0;
	}
	it.number_observed = (uint64_t)n;
	it.first = moment(&r->doc, "first_observed");
	it.last = moment(&r->doc, "last_observed");
	if (it.first == DM_NO_TIME)
		it.first = it.last;
	if (it.last < it.first)
		it.last = it.first;
	if (dm_grow((void **)&o->item, &o->cap_item, o->n + 1, sizeof(*o->item)) ||
	    dm_grow((void **)&o->observed, &o->cap_observed, o->n + 1, sizeof(*o->observed)))
		return no_memory(r->err);
	o->item[o->n] = it;
	o->observed[o->n++] = *e;
	return 0;
}

static int add_object(struct reader *r, struct dm_sv text, uint64_t line)
{
	struct dm_observed *o = r->o;
	struct element e = {.text = text, .line = line, .order = r->order++};
	struct dm_err why = {0};
	struct dm_sv type;
	int rc = dm_json_parse(&r->doc, text, &why);

	if (rc == DM_ENOMEM || rc == DM_EUNSUPPORTED) {
		if (r->err)
			*r->err = why;
		return rc;
	}
	if (rc) {
		skip(r, line, why.msg);
		return 0;
	}
	type = dm_json_get_str(&r->doc, r->doc.nodes, "type");
	if (!type.n) {
		skip(r, line, "not a STIX object: it has no type");
		return 0;
	}
	if (is_domain_object(type) && !dm_sv_is(type, "observed-data"))
		return 0;
	if (!keep(r, dm_json_get_str(&r->doc, r->doc.nodes, "id"), &e.id) ||
	    !keep(r, dm_json_get_str(&r->doc, r->doc.nodes, "modified"), &e.modified))
		return no_memory(r->err);
	if (dm_sv_is(type, "observed-data"))
		return add_observed(r, &e);
	if (!e.id.n)
		return 0; /* nothing can refer to it */
	if (dm_grow((void **)&o->object, &o->cap_object, o->n_object + 1, sizeof(*o->object)))
		return no_memory(r->err);
	o->object[o->n_object++] = e;
	return 0;
}

static bool has_member(struct dm_sv text, const char *name)
{
	struct dm_json_split s;

	return dm_json_split_open(&s, text, name, NULL) != DM_ENOENT;
}

/* A bundle, or a TAXII envelope, without parsing what may be half a gigabyte: `objects` is an array, and not
 * that of an observed-data object (of which it should be a dictionary). */
static bool is_bundle(struct dm_sv text)
{
	struct dm_json_split s;

	return dm_json_split_open(&s, text, "objects", NULL) == 0 && s.in_array &&
	       !has_member(text, "first_observed") && !has_member(text, "number_observed");
}

static int read_elements(struct reader *r, struct dm_sv text, const char *member, unsigned depth);

/* One value: a bundle gives its objects, an array its elements. */
static int read_value(struct reader *r, struct dm_sv text, unsigned depth)
{
	if (text.p[0] == '[' && depth < 3)
		return read_elements(r, text, NULL, depth);
	if (text.p[0] == '{' && depth < 3 && is_bundle(text))
		return read_elements(r, text, "objects", depth);
	if (text.p[0] == '{')
		return add_object(r, text, r->line);
	skip(r, r->line, "neither an object nor an array of objects");
	return 0;
}

static int read_elements(struct reader *r, struct dm_sv text, const char *member, unsigned depth)
{
	struct dm_json_split s;
	struct dm_err why = {0};
	struct dm_sv element;
	uint64_t line, offset, base = r->line;
	int rc = dm_json_split_open(&s, text, member, &why);

	while (!rc) {
		rc = dm_json_split_next(&s, &element, &line, &offset, &why);
		if (rc)
			break;
		r->line = base + line - 1;
		rc = read_value(r, element, depth + 1);
		if (rc)
			return rc;
	}
	r->line = base;
	if (rc != DM_ENOENT)
		skip(r, base + (why.line ? why.line - 1 : 0), why.msg);
	return 0;
}

/* Behind the value that begins at `at`; text.n + 1 if it does not end. Only strings and brackets are looked
 * at. */
static size_t value_end(struct dm_sv text, size_t at)
{
	size_t depth = 0;
	bool quoted = false;

	for (; at < text.n; at++) {
		char c = text.p[at];

		if (quoted) {
			if (c == '\\')
				at++;
			else
				quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth <= 1)
				return at + 1;
			depth--;
		} else if (!depth && (c == '\n' || c == '\r')) {
			return at;
		}
	}
	return depth || quoted ? text.n + 1 : text.n;
}

static uint64_t lines(struct dm_sv text)
{
	uint64_t n = 0;

	for (const char *p = text.p, *end = text.p + text.n;
	     p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

/* Value after value; behind one that never ends, the next line is tried: one bad line must not hide the
 * others. */
static int read_all(struct reader *r, struct dm_sv text)
{
	size_t at = text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3) ? 3 : 0, end;
	int rc = 0;

	r->line = 1;
	while (!rc && at < text.n) {
		if (memchr(" \t\r\n,", text.p[at], 5)) {
			r->line += text.p[at++] == '\n';
			continue;
		}
		end = value_end(text, at);
		if (end > text.n) {
			const char *eol = memchr(text.p + at, '\n', text.n - at);

			skip(r, r->line, "the text ends inside this value: it may be cut off");
			end = eol ? (size_t)(eol - text.p) : text.n;
		} else {
			rc = read_value(r, dm_sv(text.p + at, end - at), 0);
		}
		r->line += lines(dm_sv(text.p + at, end - at));
		at = end;
	}
	return rc;
}

/* --- versions ------------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int c = dm_sv_cmp(x->id, y->id);

	return c ? c : x->order < y->order ? -1 : x->order > y->order;
}

static int by_id_ref(const void *a, const void *b, void *list)
{
	const struct element *e = list;

	return by_id(&e[*(const uint32_t *)a], &e[*(const uint32_t *)b]);
}

/* Of the same id, only the latest `modified` counts (STIX 2.1 s.3.6), and of byte-for-byte copies one: a file
 * that was joined from two must not make twice as many observations. Objects that share an id without being
 * either are kept all. */
static int drop_old_versions(struct dm_observed *o, struct dm_err *err)
{
	uint32_t *ix = dm_alloc(o->n * sizeof(*ix) + 1), n = 0;
	bool *gone = dm_calloc(o->n + 1, sizeof(*gone));

	if (!ix || !gone) {
		dm_free(ix);
		dm_free(gone);
		return no_memory(err);
	}
	for (uint32_t i = 0; i < o->n; i++)
		ix[i] = i;
	qsort_r(ix, o->n, sizeof(*ix), by_id_ref, o->observed);
	for (uint32_t i = 0, end; i < o->n; i = end) {
		const struct element *a = &o->observed[ix[i]];
		struct dm_sv newest = a->modified;

		for (end = i + 1; end < o->n && a->id.n && dm_sv_eq(o->observed[ix[end]].id, a->id); end++) {
			if (dm_sv_cmp(o->observed[ix[end]].modified, newest) > 0)
				newest = o->observed[ix[end]].modified;
		}
		for (uint32_t k = i; k < end; k++) {
			const struct element *e = &o->observed[ix[k]];

			gone[ix[k]] = end - i > 1 && e->modified.n && !dm_sv_eq(e->modified, newest);
			if (k > i && e->modified.n && dm_sv_eq(e->text, o->observed[ix[k - 1]].text))
				gone[ix[k]] = true;
		}
	}
	for (uint32_t i = 0; i < o->n; i++) {
		if (gone[i])
			continue;
		o->item[n] = o->item[i];
		o->observed[n++] = o->observed[i];
	}
	o->n = n;
	dm_free(ix);
	dm_free(gone);
	return 0;
}

int dm_observed_open(struct dm_observed **ret, struct dm_sv text, struct dm_err *err)
{
	struct reader r = {.err = err};
	int rc;

	if (text.n > DM_MAX_DOCUMENT)
		return dm_fail(err, DM_ELIMIT, "observed-data of more than %u bytes", DM_MAX_DOCUMENT);
	r.o = dm_calloc(1, sizeof(*r.o));
	if (!r.o)
		return no_memory(err);
	dm_json_init(&r.doc);
	rc = read_all(&r, text);
	dm_json_done(&r.doc);
	if (!rc && !r.o->n && r.o->skipped)
		rc = dm_fail(err, DM_EFORMAT, "no observed-data could be read; %s", r.o->reason);
	if (!rc)
		rc = drop_old_versions(r.o, err);
	if (rc) {
		dm_observed_free(r.o);
		return rc;
	}
	if (r.o->n_object)
		qsort(r.o->object, r.o->n_object, sizeof(*r.o->object), by_id);
	*ret = r.o;
	return 0;
}

void dm_observed_free(struct dm_observed *o)
{
	if (!o)
		return;
	dm_arena_done(&o->arena);
	dm_free(o->item);
	dm_free(o->observed);
	dm_free(o->object);
	dm_free(o);
}

uint32_t dm_observed_count(const struct dm_observed *o)
{
	return o->n;
}

const struct dm_observed_item *dm_observed_item(const struct dm_observed *o, uint32_t i)
{
	return &o->item[i];
}

uint64_t dm_observed_skipped(const struct dm_observed *o, const char **ret_reason)
{
	if (ret_reason)
		*ret_reason = o->reason;
	return o->skipped;
}

/* --- graphs --------------------------------------------------------------------------------------------- */

/* The last object of this id; NULL if there is none. */
static const struct element *find_object(const struct dm_observed *o, struct dm_sv id)
{
	uint32_t lo = 0, hi = o->n_object;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (dm_sv_cmp(o->object[mid].id, id) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && dm_sv_eq(o->object[lo - 1].id, id) ? &o->object[lo - 1] : NULL;
}

static int add_node(struct dm_observed_graph *g, const struct dm_json_node *node, struct dm_sv id,
		    struct dm_err *err)
{
	if (node->type != DM_JSON_OBJECT)
		return 0;
	if (dm_grow((void **)&g->objects, &g->cap_objects, g->o.count + 1, sizeof(*g->objects)) ||
	    dm_grow((void **)&g->ids, &g->cap_ids, g->o.count + 1, sizeof(*g->ids)))
		return no_memory(err);
	g->objects[g->o.count] = (uint32_t)(node - g->doc.nodes);
	g->ids[g->o.count++] = id;
	return 0;
}

/* Members of a dictionary by key, elements of an array by their id. */
static int add_nodes(struct dm_observed_graph *g, const struct dm_json_node *list, struct dm_err *err)
{
	const struct dm_json_node *c;
	int rc = 0;

	for (c = dm_json_first(&g->doc, list); c && !rc; c = dm_json_next(&g->doc, list, c))
		rc = add_node(g, c, list->type == DM_JSON_OBJECT ? c->key : dm_json_get_str(&g->doc, c, "id"),
			      err);
	return rc;
}

static void graph_start(struct dm_observed_graph *g)
{
	g->o = (struct dm_observation){.number_observed = 1, .first = DM_NO_TIME, .last = DM_NO_TIME};
	if (!g->text.max)
		dm_buf_init(&g->text, DM_MAX_ELEMENT);
	dm_buf_clear(&g->text);
}

static void graph_finish(struct dm_observed_graph *g)
{
	g->o.doc = &g->doc;
	g->o.objects = g->objects;
	g->o.ids = g->ids;
}

static int by_sv(const void *a, const void *b)
{
	return dm_sv_cmp(*(const struct dm_sv *)a, *(const struct dm_sv *)b);
}

/* The ids in object_refs of the parsed observed-data, sorted; they live as long as the document. */
static int list_refs(const struct dm_json *doc, struct dm_sv **ret, uint32_t *ret_n, struct dm_err *err)
{
	const struct dm_json_node *refs = dm_json_get(doc, doc->nodes, "object_refs"), *c;
	struct dm_sv *id = NULL;
	size_t cap = 0;
	uint32_t n = 0;

	for (c = dm_json_first(doc, refs); c; c = dm_json_next(doc, refs, c)) {
		if (c->type != DM_JSON_STRING)
			continue;
		if (dm_grow((void **)&id, &cap, n + 1, sizeof(*id))) {
			dm_free(id);
			return no_memory(err);
		}
		id[n++] = c->text;
	}
	if (n)
		qsort(id, n, sizeof(*id), by_sv);
	*ret = id;
	*ret_n = n;
	return 0;
}

/* "[observed-data, object, object, ...]" with every object that object_refs names and the text holds, each
 * once. Nothing if there is none. */
static int assemble(const struct dm_observed *o, struct dm_sv self, struct dm_observed_graph *g,
		    struct dm_err *err)
{
	struct dm_sv *id = NULL;
	uint32_t n = 0, found = 0;
	int rc = list_refs(&g->doc, &id, &n, err);

	if (rc)
		return rc;
	dm_buf_putc(&g->text, '[');
	dm_buf_sv(&g->text, self);
	for (uint32_t i = 0; i < n; i++) {
		const struct element *e = i && dm_sv_eq(id[i], id[i - 1]) ? NULL : find_object(o, id[i]);

		if (!e)
			continue;
		dm_buf_putc(&g->text, ',');
		dm_buf_sv(&g->text, e->text);
		found++;
	}
	dm_buf_putc(&g->text, ']');
	dm_free(id);
	if (found && g->text.err)
		return dm_fail(err, g->text.err, "the objects of one observation take more than %u bytes",
			       DM_MAX_ELEMENT);
	if (!found)
		dm_buf_clear(&g->text);
	return 0;
}

int dm_observed_load(const struct dm_observed *o, uint32_t i, struct dm_observed_graph *g, struct dm_err *err)
{
	const struct dm_json_node *self, *objects, *c;
	int rc;

	graph_start(g);
	rc = dm_json_parse(&g->doc, o->observed[i].text, err);
	if (!rc)
		rc = assemble(o, o->observed[i].text, g, err);
	if (!rc && g->text.n)
		rc = dm_json_parse(&g->doc, dm_buf_view(&g->text), err);
	if (rc)
		return rc;
	self = g->text.n ? dm_json_first(&g->doc, g->doc.nodes) : g->doc.nodes;
	objects = dm_json_get(&g->doc, self, "objects");
	if (objects)
		rc = add_nodes(g, objects, err);
	c = g->text.n ? dm_json_next(&g->doc, g->doc.nodes, self) : NULL;
	for (; c && !rc; c = dm_json_next(&g->doc, g->doc.nodes, c))
		rc = add_node(g, c, dm_json_get_str(&g->doc, c, "id"), err);
	graph_finish(g);
	g->o.first = o->item[i].first;
	g->o.last = o->item[i].last;
	g->o.number_observed = o->item[i].number_observed;
	return rc;
}

int dm_observed_parse(struct dm_observed_graph *g, struct dm_sv objects, struct dm_err *err)
{
	int rc;

	graph_start(g);
	rc = dm_json_parse(&g->doc, objects, err);
	if (!rc)
		rc = add_nodes(g, g->doc.nodes, err);
	graph_finish(g);
	return rc;
}

void dm_observed_graph_done(struct dm_observed_graph *g)
{
	dm_json_done(&g->doc);
	if (g->text.max)
		dm_buf_done(&g->text);
	dm_free(g->objects);
	dm_free(g->ids);
	*g = (struct dm_observed_graph){0};
}
