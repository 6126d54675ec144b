/* The first pass over a STIX file: where every object stands, and what others will want to know of it. */
#include "import/stix.h"

#include <stdlib.h>
#include "base/limits.h"
#include "import/jwalk.h"

#define CONTAINER_DEPTH 4  /* array of envelopes of bundles: more is no file that anybody writes */
#define MAX_COPIES	64 /* versions of one object, or links of one indicator, that are looked at */

static const struct {
	const char *type;
	enum stix_kind kind;
} known_type[] = {
	{"indicator", STIX_INDICATOR},
	{"observed-data", STIX_OBSERVED},
	{"identity", STIX_IDENTITY},
	{"marking-definition", STIX_MARKING},
	{"malware", STIX_THREAT},
	{"threat-actor", STIX_THREAT},
	{"intrusion-set", STIX_THREAT},
	{"campaign", STIX_THREAT},
	{"tool", STIX_THREAT},
	{"infrastructure", STIX_THREAT},
	{"report", STIX_REPORT},
	{"grouping", STIX_REPORT},
	{"relationship", STIX_RELATION},
	{"attack-pattern", STIX_OTHER},
	{"course-of-action", STIX_OTHER},
	{"extension-definition", STIX_OTHER},
	{"incident", STIX_OTHER},
	{"language-content", STIX_OTHER},
	{"location", STIX_OTHER},
	{"malware-analysis", STIX_OTHER},
	{"note", STIX_OTHER},
	{"opinion", STIX_OTHER},
	{"sighting", STIX_OTHER},
	{"vulnerability", STIX_OTHER},
};

static enum stix_kind kind_of(struct dm_sv type)
{
	for (size_t i = 0; i < sizeof known_type / sizeof *known_type; i++)
		if (dm_sv_is(type, known_type[i].type))
			return known_type[i].kind;
	return STIX_SCO;
}

static int no_memory(struct dm_err *err)
{
	return dm_fail(err, DM_ENOMEM, "out of memory for the index of the STIX objects");
}

static void count_type(struct stix *st, struct dm_sv type)
{
	uint32_t i;

	for (i = 0; i < st->ntypes; i++)
		if (dm_sv_eq(st->types[i].name, type)) {
			st->types[i].n++;
			return;
		}
	if (i == STIX_TYPES) {
		st->types_more++;
		return;
	}
	st->types[i].name = type;
	st->types[i].n = 1;
	st->ntypes++;
}

/* A view of `s` that lives as long as the file: into the object's own text where the bytes stand there, as
 * they nearly always do, so that the index of a large file stays small; a copy of what was written with
 * escapes. */
static struct dm_sv keep(struct stix *st, struct dm_sv text, struct dm_sv s)
{
	const char *in_text = s.n ? memmem(text.p, text.n, s.p, s.n) : "";

	return in_text ? dm_sv(in_text, s.n) : dm_arena_copy(&st->arena, s);
}

static int add_link(struct stix *st, struct dm_sv from, struct dm_sv to, bool report, struct dm_err *err)
{
	if (!from.p || !to.p ||
	    dm_grow((void **)&st->links, &st->cap_links, st->nlinks + 1, sizeof *st->links))
		return no_memory(err);
	st->links[st->nlinks] =
		(struct stix_link){.from = from, .to = to, .seq = (uint32_t)st->nlinks, .report = report};
	st->nlinks++;
	return DM_OK;
}

static int note_links(struct stix *st, const struct stix_object *o, struct dm_err *err)
{
	const struct dm_json_node *root = st->doc.nodes, *refs, *r;
	struct dm_sv source;
	int rc = DM_OK;

	if (o->kind == STIX_RELATION) {
		source = dm_json_get_str(&st->doc, root, "source_ref");
		if (dm_sv_starts(source, DM_SV("indicator--")) &&
		    dm_sv_is(dm_json_get_str(&st->doc, root, "relationship_type"), "indicates"))
			return add_link(st, keep(st, o->text, source),
					keep(st, o->text, dm_json_get_str(&st->doc, root, "target_ref")),
					false, err);
	} else if (o->kind == STIX_REPORT) {
		/* copies: to look for each of very many in the text would cost the square of its length */
		refs = dm_json_get(&st->doc, root, "object_refs");
		for (r = dm_json_first(&st->doc, refs); r && !rc; r = dm_json_next(&st->doc, refs, r))
			if (dm_sv_starts(r->text, DM_SV("indicator--")))
				rc = add_link(st, dm_arena_copy(&st->arena, r->text), o->id, true, err);
	}
	return rc;
}

int stix_parse(struct stix *st, struct dm_json *doc, const struct stix_object *o, struct dm_err *err)
{
	struct dm_err mine = {0};
	struct dm_buf reason;
	int rc;

	if (o->text.n > DM_MAX_ELEMENT)
		rc = dm_fail(&mine, DM_ELIMIT, "more than %u MiB", DM_MAX_ELEMENT >> 20);
	else
		rc = dm_json_parse(doc, o->text, &mine);
	if (!rc && doc->nodes[0].type != DM_JSON_OBJECT)
		rc = dm_fail(&mine, DM_EFORMAT, "not a JSON object");
	if (!rc)
		return DM_OK;
	if (rc == DM_ENOMEM || rc == DM_EUNSUPPORTED) {
		if (err)
			*err = mine;
		return rc;
	}
	dm_buf_init(&reason, 1024);
	dm_buf_printf(&reason, "object is no readable JSON: %s", mine.msg);
	rc = st->sink->skip(st->sink, o->line + (mine.line ? mine.line - 1 : 0), dm_buf_cstr(&reason));
	dm_buf_done(&reason);
	return rc ? rc : DM_ENOENT;
}

/* One object, complete or (at a cut) not. */
static int add_object(struct stix *st, struct dm_sv text, uint64_t line, uint32_t scope, struct dm_err *err)
{
	struct stix_object *o;
	const struct dm_json_node *root;
	struct dm_sv type, id, name = {"", 0};
	int rc;

	if (dm_grow((void **)&st->objects, &st->cap, (size_t)st->count + 1, sizeof *st->objects))
		return no_memory(err);
	o = &st->objects[st->count];
	*o = (struct stix_object){.text = text, .line = line, .scope = scope, .modified = DM_NO_TIME};
	rc = stix_parse(st, &st->doc, o, err);
	if (rc)
		return rc == DM_ENOENT ? DM_OK : rc;
	root = st->doc.nodes;
	type = dm_json_get_str(&st->doc, root, "type");
	id = dm_json_get_str(&st->doc, root, "id");
	if (!type.n)
		return st->sink->skip(st->sink, line, "object without a type: not STIX");
	o->kind = kind_of(type);
	if (o->kind == STIX_IDENTITY || o->kind == STIX_THREAT || o->kind == STIX_REPORT)
		name = dm_json_get_str(&st->doc, root, "name");
	else if (o->kind == STIX_MARKING)
		name = dm_json_get_str(&st->doc, root, "definition_type");
	(void)dm_time_parse(dm_json_get_str(&st->doc, root, "modified"), &o->modified);
	if (o->kind == STIX_SCO && o->modified != DM_NO_TIME)
		o->kind = STIX_CUSTOM;
	o->id = keep(st, text, id);
	o->type = keep(st, text, type);
	o->name = keep(st, text, name);
	if (!o->id.p || !o->type.p || !o->name.p)
		return no_memory(err);
	st->kinds[o->kind]++;
	if (o->kind != STIX_INDICATOR && o->kind != STIX_OBSERVED && o->kind != STIX_SCO)
		count_type(st, o->type);
	rc = note_links(st, o, err);
	if (!rc)
		st->count++;
	return rc;
}

static int read_value(struct stix *st, struct dm_jitem at, uint32_t scope, unsigned depth,
		      struct dm_jwalk *end, struct dm_err *err);

static int read_elements(struct stix *st, struct dm_jitem at, uint32_t scope, unsigned depth,
			 struct dm_jwalk *end, struct dm_err *err)
{
	struct dm_jwalk ignore;
	struct dm_jitem item;
	int rc = dm_jwalk_open(end, at.value, at.line, (uint64_t)(at.value.p - st->base), err), inner;

	if (rc)
		return rc;
	for (;;) {
		rc = dm_jwalk_next(end, &item, err);
		if (rc && !item.cut)
			break;
		/* A cut element is looked into for what it holds; the innermost place of the cut is the one
		 * to hear of. */
		if (dm_jitem_kind(&item) == '{' || dm_jitem_kind(&item) == '[')
			inner = read_value(st, item, scope, depth + 1, &ignore, err);
		else
			inner = st->sink->skip(st->sink, item.line, "not a STIX object");
		if (rc || inner) {
			rc = rc ? rc : inner;
			break;
		}
	}
	return rc == DM_ENOENT ? DM_OK : rc;
}

/* An object or array: a container (bundle, TAXII envelope, array) is opened, anything else is one STIX
 * object. `end` is left behind it. */
static int read_value(struct stix *st, struct dm_jitem at, uint32_t scope, unsigned depth,
		      struct dm_jwalk *end, struct dm_err *err)
{
	struct dm_jitem item, objects = {.line = 0};
	struct dm_sv type = {NULL, 0};
	struct dm_jwalk ignore;
	unsigned seen_type = 0, seen_objects = 0;
	bool container;
	int rc, inner = DM_OK;

	rc = dm_jwalk_open(end, at.value, at.line, (uint64_t)(at.value.p - st->base), err);
	if (rc)
		return rc;
	if (!end->object)
		return depth > CONTAINER_DEPTH
			       ? st->sink->skip(st->sink, at.line, "arrays within arrays: not STIX")
			       : read_elements(st, at, scope, depth, end, err);
	while (!(rc = dm_jwalk_next(end, &item, err)) || item.cut) {
		if (dm_jwalk_is(item.key, "type") && !seen_type++)
			type = item.value;
		if (dm_jwalk_is(item.key, "objects") && dm_jitem_kind(&item) == '[' && !seen_objects++)
			objects = item;
		if (rc)
			break;
	}
	container = dm_sv_is(type, "\"bundle\"") || (!seen_type && seen_objects);
	if (container && (seen_type > 1 || seen_objects > 1))
		inner = st->sink->skip(st->sink, at.line,
				       "bundle with a member twice: which one counts is not said");
	else if (container && depth > CONTAINER_DEPTH)
		inner = st->sink->skip(st->sink, at.line, "bundles within bundles: not STIX");
	else if (container && seen_objects)
		inner = read_elements(st, objects, ++st->scopes, depth + 1, &ignore, err);
	else if (!container && rc == DM_ENOENT)
		inner = add_object(st, dm_sv(at.value.p, end->at), at.line, scope, err);
	return rc == DM_ENOENT || inner == DM_ENOMEM ? inner : rc;
}

static int by_id_scope(const void *a, const void *b, void *ctx)
{
	const struct stix_object *objects = ctx, *x = &objects[*(const uint32_t *)a],
				 *y = &objects[*(const uint32_t *)b];
	int c = dm_sv_cmp(x->id, y->id);

	if (c)
		return c;
	if (x->scope != y->scope)
		return x->scope < y->scope ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int by_source(const void *a, const void *b)
{
	const struct stix_link *x = a, *y = b;
	int c = dm_sv_cmp(x->from, y->from);

	return c ? c : x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Of the versions of one object the newest counts (STIX 2.1 s.3.6). The same version twice counts once; if
 * its copies differ, although the standard forbids that, each is kept: evidence is not to be lost by
 * somebody's careless ids. */
static void choose_versions(struct stix *st, uint32_t from, uint32_t to)
{
	int64_t newest = DM_NO_TIME;
	const struct stix_object *kept = NULL;

	for (uint32_t i = from; i < to; i++)
		if (st->objects[st->by_id[i]].modified > newest)
			newest = st->objects[st->by_id[i]].modified;
	for (uint32_t i = from; i < to; i++) {
		struct stix_object *o = &st->objects[st->by_id[i]];
		if (!o->id.n) {
			o->live = true;
		} else if (o->modified != newest) {
			st->superseded++;
		} else if (kept && dm_sv_eq(kept->text, o->text)) {
			st->repeated++;
		} else {
			o->live = true;
			kept = kept ? kept : o;
		}
	}
}

static int sort_index(struct stix *st, struct dm_err *err)
{
	uint32_t start = 0;

	st->by_id = dm_alloc(sizeof *st->by_id * ((size_t)st->count + 1));
	if (!st->by_id)
		return no_memory(err);
	for (uint32_t i = 0; i < st->count; i++)
		st->by_id[i] = i;
	qsort_r(st->by_id, st->count, sizeof *st->by_id, by_id_scope, st->objects);
	if (st->nlinks)
		qsort(st->links, st->nlinks, sizeof *st->links, by_source);
	for (uint32_t i = 1; i <= st->count; i++)
		if (i == st->count ||
		    !dm_sv_eq(st->objects[st->by_id[i]].id, st->objects[st->by_id[start]].id)) {
			choose_versions(st, start, i);
			start = i;
		}
	return DM_OK;
}

static bool damaged(int rc)
{
	return rc == DM_EFORMAT || rc == DM_ELIMIT;
}

/* Behind a fault: every line that is a whole object or array by itself is read, so that one bad line, or one
 * bad element of an array that is written a line each, does not hide those behind it. Each line is looked at
 * alone; a bracket that is never closed costs no more. */
static int read_lines(struct stix *st, struct dm_sv text, size_t at, uint64_t line)
{
	struct dm_jwalk end;
	struct dm_err why;
	int rc = DM_OK;

	for (; !rc && at < text.n; line++) {
		struct dm_jitem item = {.value = dm_sv_from(text, at), .line = line};
		size_t eol = dm_sv_find(item.value, '\n');
		if (eol != SIZE_MAX)
			item.value.n = eol;
		at += item.value.n + 1;
		if (dm_jitem_kind(&item) != '{' && dm_jitem_kind(&item) != '[')
			continue;
		why = (struct dm_err){0};
		rc = read_value(st, item, 0, 0, &end, &why);
		if (damaged(rc))
			rc = st->sink->skip(st->sink, line, why.msg);
	}
	return rc;
}

/* A fault in the document that starts at `at`: go on behind the last object that was read, or behind the line
 * in which it starts. What could be read then makes of the fault something passed over; otherwise it stays
 * the result. */
static int recover(struct stix *st, struct dm_sv text, size_t at, uint64_t line, uint32_t before, int fault,
		   const struct dm_err *why)
{
	uint32_t had = st->count;
	size_t eol;
	int rc;

	if (had > before) {
		const struct stix_object *last = &st->objects[had - 1];
		at = (size_t)(last->text.p - text.p) + last->text.n;
		line = last->line;
		for (size_t i = 0; i < last->text.n; i++)
			line += last->text.p[i] == '\n';
	}
	eol = dm_sv_find(dm_sv_from(text, at), '\n');
	rc = eol == SIZE_MAX ? DM_OK : read_lines(st, text, at + eol + 1, line + 1);
	if (rc)
		return rc;
	return st->count > had ? st->sink->skip(st->sink, why->line ? why->line : line, why->msg) : fault;
}

int stix_index_read(struct stix *st, struct dm_sv text, struct dm_err *err)
{
	struct dm_jwalk end;
	struct dm_jitem item = {.line = 1};
	size_t at = dm_sv_starts(text, DM_SV("\xef\xbb\xbf")) ? 3 : 0;
	uint32_t before;
	int rc = DM_OK, sorted;

	st->base = text.p;
	/* Several documents may follow each other: one a line, or with any white space between them. */
	while (dm_jwalk_space(text, &at, &item.line)) {
		item.value = dm_sv_from(text, at);
		before = st->count;
		rc = read_value(st, item, 0, 0, &end, err);
		if (rc) {
			if (damaged(rc))
				rc = recover(st, text, at, item.line, before, rc, err);
			break;
		}
		at += end.at;
		item.line = end.line;
	}
	if (rc && !damaged(rc))
		return rc;
	sorted = sort_index(st, err);
	return sorted ? sorted : rc;
}

/* First place in by_id that is not before (id, scope). */
static uint32_t lower_bound(const struct stix *st, struct dm_sv id, uint32_t scope)
{
	uint32_t lo = 0, hi = st->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct stix_object *o = &st->objects[st->by_id[mid]];
		int c = dm_sv_cmp(o->id, id);
		if (c < 0 || (c == 0 && o->scope < scope))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct stix_object *stix_find(const struct stix *st, struct dm_sv id, uint32_t scope)
{
	struct stix_object *best = NULL;

	if (!id.n)
		return NULL;
	for (int own = 1; own >= 0 && !best; own--) {
		uint32_t i = lower_bound(st, id, own ? scope : 0);
		/* A file of a million copies of one id must not make every reference to it cost a million
		 * steps. */
		for (unsigned copies = 0; i < st->count && copies < MAX_COPIES; i++, copies++) {
			struct stix_object *o = &st->objects[st->by_id[i]];
			if (!dm_sv_eq(o->id, id) || (own && o->scope != scope))
				break;
			if (!best || o->modified > best->modified)
				best = o;
		}
	}
	return best;
}

const struct stix_link *stix_links(const struct stix *st, struct dm_sv from, size_t *ret_n)
{
	size_t lo = 0, hi = st->nlinks, end;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (dm_sv_cmp(st->links[mid].from, from) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < st->nlinks && end - lo < MAX_COPIES && dm_sv_eq(st->links[end].from, from);
	     end++)
		;
	*ret_n = end - lo;
	return end > lo ? st->links + lo : NULL;
}
