/* Observed Data (STIX 2.1 s.4.14; 2.0 part 2 s.2.8): what somebody saw, when and how often, as one row of
 * evidence. */
#include "import/stix.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/limits.h"
#include "import/intel.h"

/* Objects collected for one observation: those that object_refs names, then those that these refer to. The
 * observation is a graph; without its far ends "network-traffic:dst_ref.value" could not be answered. */
struct gather {
	struct stix_object **o;
	uint32_t n;
	size_t cap, bytes;
	uint32_t missing; /* object_refs that are not in the file */
	bool full;	  /* DM_MAX_OBSERVED_OBJECTS or DM_MAX_RECORD reached */
	bool spent;	  /* what all observations together may refer to is used up: DM_MAX_EXPANSION */
};

static int out_of_memory(struct dm_err *err)
{
	return dm_fail(err, DM_ENOMEM, "out of memory for an observed-data object");
}

static int gather_one(struct stix *st, struct gather *g, struct stix_object *o, struct dm_err *err)
{
	if (o->mark == st->observation)
		return DM_OK;
	o->mark = st->observation;
	if (g->n == DM_MAX_OBSERVED_OBJECTS || o->text.n > DM_MAX_RECORD - g->bytes) {
		g->full = true;
		return DM_OK;
	}
	if (o->text.n > st->expand_left) {
		g->spent = true;
		return DM_OK;
	}
	if (dm_grow((void **)&g->o, &g->cap, (size_t)g->n + 1, sizeof *g->o))
		return out_of_memory(err);
	st->expand_left -= o->text.n;
	g->bytes += o->text.n;
	g->o[g->n++] = o;
	o->used = true;
	return DM_OK;
}

/* Domain Objects and relationships are no part of an observation, though object_refs may name them (STIX 2.1
 * s.4.14). */
static bool can_be_observed(const struct stix_object *o)
{
	return o && (o->kind == STIX_SCO || o->kind == STIX_CUSTOM);
}

/* All members named *_ref and *_refs below `node` of st->refs. */
static int gather_refs(struct stix *st, struct gather *g, uint32_t scope, struct dm_err *err)
{
	const struct dm_json *doc = &st->refs;
	int rc = DM_OK;

	for (uint32_t i = 0; i < doc->count && !rc && !g->full && !g->spent; i++) {
		const struct dm_json_node *n = &doc->nodes[i], *e;
		struct stix_object *o;
		if (n->key.p && n->type == DM_JSON_STRING && dm_sv_ends(n->key, DM_SV("_ref"))) {
			o = stix_find(st, n->text, scope);
			if (can_be_observed(o))
				rc = gather_one(st, g, o, err);
		} else if (n->key.p && n->type == DM_JSON_ARRAY && dm_sv_ends(n->key, DM_SV("_refs"))) {
			for (e = dm_json_first(doc, n); e && !rc; e = dm_json_next(doc, n, e)) {
				o = e->type == DM_JSON_STRING ? stix_find(st, e->text, scope) : NULL;
				if (can_be_observed(o))
					rc = gather_one(st, g, o, err);
			}
		}
	}
	return rc;
}

static int gather_all(struct stix *st, const struct stix_object *from, const struct dm_json_node *refs,
		      struct gather *g, struct dm_err *err)
{
	const struct dm_json_node *ref;
	int rc = DM_OK;

	for (ref = dm_json_first(&st->doc, refs); ref && !rc; ref = dm_json_next(&st->doc, refs, ref)) {
		struct stix_object *o =
			ref->type == DM_JSON_STRING ? stix_find(st, ref->text, from->scope) : NULL;
		if (can_be_observed(o))
			rc = gather_one(st, g, o, err);
		else
			g->missing += !o;
	}
	/* g->n grows while we look: each object is opened once, and there are at most DM_MAX_OBSERVED_OBJECTS
	 */
	for (uint32_t i = 0; i < g->n && !rc && !g->full && !g->spent; i++) {
		if (!memmem(g->o[i]->text.p, g->o[i]->text.n, "_ref", 4))
			continue;
		rc = stix_parse(st, &st->refs, g->o[i], err);
		if (!rc)
			rc = gather_refs(st, g, from->scope, err);
		else if (rc == DM_ENOENT)
			rc = DM_OK;
	}
	return rc;
}

/* The collected objects as one document, an array, in st->refs. */
static int assemble(struct stix *st, const struct gather *g, struct dm_err *err)
{
	int rc;

	dm_buf_clear(&st->text);
	dm_buf_putc(&st->text, '[');
	for (uint32_t i = 0; i < g->n; i++) {
		if (i)
			dm_buf_putc(&st->text, ',');
		dm_buf_sv(&st->text, g->o[i]->text);
	}
	dm_buf_putc(&st->text, ']');
	if (st->text.err)
		return out_of_memory(err);
	rc = dm_json_parse(&st->refs, dm_buf_view(&st->text), err);
	/* each parsed by itself; only together, one level deeper, can they be too much */
	return rc == DM_ENOMEM ? rc : rc ? DM_ENOENT : DM_OK;
}

struct named {
	struct dm_sv name;
	const struct dm_json_node *node;
};

static int by_name(const void *a, const void *b)
{
	return dm_sv_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* The objects of `list` (an array of 2.1 objects, or the dictionary of 2.0) as a graph. */
static int make_graph(struct stix_graph *g, const struct dm_json *doc, const struct dm_json_node *list,
		      struct dm_arena *arena)
{
	const struct dm_json_node *o;
	struct named *sorted = dm_arena_alloc(arena, sizeof *sorted * ((size_t)list->count + 1));

	*g = (struct stix_graph){.doc = doc};
	g->node = dm_arena_alloc(arena, sizeof *g->node * ((size_t)list->count + 1));
	g->name = dm_arena_alloc(arena, sizeof *g->name * ((size_t)list->count + 1));
	g->placed = dm_arena_alloc(arena, sizeof *g->placed * ((size_t)list->count + 1));
	if (!sorted || !g->node || !g->name || !g->placed)
		return DM_ENOMEM;
	for (o = dm_json_first(doc, list); o; o = dm_json_next(doc, list, o))
		if (o->type == DM_JSON_OBJECT)
			sorted[g->n++] = (struct named){o->key.p ? o->key : dm_json_get_str(doc, o, "id"), o};
	qsort(sorted, g->n, sizeof *sorted, by_name);
	for (uint32_t i = 0; i < g->n; i++) {
		g->name[i] = sorted[i].name;
		g->node[i] = sorted[i].node;
		g->placed[i] = false;
	}
	return DM_OK;
}

/* Everything that stands in the observed-data object itself. */
static void header_fields(struct stix *st, const struct stix_object *o, struct dm_marking *marking)
{
	const struct dm_json *doc = &st->doc;
	const struct dm_json_node *root = doc->nodes, *labels, *l;
	struct dm_record *r = &st->record;
	int64_t first, last, n;

	if (!dm_time_parse(dm_json_get_str(doc, root, "first_observed"), &first))
		first = DM_NO_TIME;
	dm_record_start(r, DM_KIND_OBSERVED, first, o->line);
	if (dm_time_parse(dm_json_get_str(doc, root, "last_observed"), &last))
		dm_record_int(r, DM_F_END, last);
	else if (first != DM_NO_TIME)
		dm_record_int(r, DM_F_END, first);
	dm_record_text(r, DM_F_EVENT_ID, o->id);
	dm_record_text(r, DM_F_DATASET, DM_SV("stix.observed-data"));
	dm_record_text(r, DM_F_SENSOR, stix_producer(st, o));
	/* s.4.14: 1 to 999,999,999 */
	if (!dm_json_get_i64(doc, root, "number_observed", &n) || n < 1)
		n = 1;
	dm_record_int(r, DM_F_OBSERVED_COUNT, n);
	stix_marking(st, o, marking);
	dm_record_text(r, DM_F_LABEL, dm_marking_text(marking));
	labels = dm_json_get(doc, root, "labels");
	for (l = dm_json_first(doc, labels); l; l = dm_json_next(doc, labels, l))
		dm_record_text(r, DM_F_LABEL, l->text);
}

static int hand_over(struct stix *st, const struct stix_object *o, const struct dm_json *doc,
		     const struct dm_json_node *list, struct dm_err *err)
{
	struct stix_graph g;
	struct dm_marking marking;
	struct dm_buf objects;
	int rc;

	header_fields(st, o, &marking);
	if (make_graph(&g, doc, list, &st->record.arena))
		return out_of_memory(err);
	stix_sco_fields(&g, &st->record);
	dm_buf_init(&objects, DM_MAX_VALUE);
	dm_json_write(&objects, doc, list);
	if (objects.err == DM_ELIMIT) {
		/* half of it would be no JSON, and a pattern must not be answered from half an observation */
		rc = st->sink->skip(st->sink, o->line,
				    "objects of observed-data exceed 64 KiB: kept as fields, not for exact "
				    "pattern evaluation");
	} else {
		dm_record_text(&st->record, DM_F_OBSERVED_OBJECTS, dm_buf_view(&objects));
		rc = objects.err ? out_of_memory(err) : DM_OK;
	}
	if (!rc) {
		rc = st->sink->record(st->sink, &st->record);
		st->records += !rc;
	}
	dm_buf_done(&objects);
	return rc;
}

static int skip_missing(struct stix *st, const struct stix_object *o, const struct gather *g)
{
	char reason[128];

	if (g->full)
		snprintf(reason, sizeof reason,
			 "observed-data with more than %u objects or %u MiB: the rest is left out",
			 DM_MAX_OBSERVED_OBJECTS, DM_MAX_RECORD >> 20);
	else
		snprintf(reason, sizeof reason, "observed-data names %u objects that are not in the file%s",
			 g->missing, g->n ? "; the others are kept" : "");
	return st->sink->skip(st->sink, o->line, reason);
}

static int emit_refs(struct stix *st, const struct stix_object *o, const struct dm_json_node *refs,
		     struct dm_err *err)
{
	struct gather g = {0};
	int rc = gather_all(st, o, refs, &g, err);

	if (!rc && g.spent) {
		dm_free(g.o);
		return st->sink->skip(st->sink, o->line,
				      "observed-data refer to the same objects over and over: more than this "
				      "file may ask for");
	}
	if (!rc && (g.missing || g.full))
		rc = skip_missing(st, o, &g);
	if (!rc && !g.n && !g.missing)
		rc = st->sink->skip(st->sink, o->line, "observed-data that names no Cyber-observable Object");
	if (!rc && g.n) {
		rc = assemble(st, &g, err);
		if (!rc)
			rc = hand_over(st, o, &st->refs, st->refs.nodes, err);
		else if (rc == DM_ENOENT)
			rc = st->sink->skip(st->sink, o->line,
					    "observed-data with objects nested too deeply");
	}
	dm_free(g.o);
	return rc;
}

int stix_emit_observed(struct stix *st, struct stix_object *o, struct dm_err *err)
{
	const struct dm_json_node *objects, *refs;
	int rc = stix_parse(st, &st->doc, o, err);

	if (rc)
		return rc == DM_ENOENT ? DM_OK : rc;
	st->observation++;
	objects = dm_json_get(&st->doc, st->doc.nodes, "objects");
	refs = dm_json_get(&st->doc, st->doc.nodes, "object_refs");
	if (objects && (objects->type != DM_JSON_OBJECT || !objects->count))
		objects = NULL;
	if (refs && (refs->type != DM_JSON_ARRAY || !refs->count))
		refs = NULL;
	if (objects && refs) {
		rc = st->sink->skip(st->sink, o->line,
				    "observed-data with both objects and object_refs: object_refs not read");
		if (rc)
			return rc;
	}
	if (objects && objects->count > DM_MAX_OBSERVED_OBJECTS)
		return st->sink->skip(st->sink, o->line, "observed-data with more than 4096 objects");
	if (objects)
		return hand_over(st, o, &st->doc, objects, err);
	if (refs)
		return emit_refs(st, o, refs, err);
	return st->sink->skip(st->sink, o->line, "observed-data without objects");
}
