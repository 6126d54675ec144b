/* STIX 2.0 and 2.1: bundles, arrays and lines of objects or bundles, single objects, TAXII envelopes. See
 * stix.h for how a file is read. */
#include "import/stix.h"

#include <stdio.h>
#include "base/limits.h"
#include "import/intel.h"
#include "import/jwalk.h"

#define PROGRESS_EVERY 4096u /* objects */

/* "indicator" and "indicator--...": type and id of one object agree. */
static bool stix_object(const struct dm_jhead *h)
{
	struct dm_sv type = dm_jhead_str(h, "type"), id = dm_jhead_str(h, "id");

	return type.n && id.n > type.n + 2 && dm_sv_starts(id, type) && id.p[type.n] == '-' &&
	       id.p[type.n + 1] == '-';
}

static int probe(struct dm_sv head, const char *name)
{
	struct dm_jhead h, first;
	struct dm_sv objects, type;

	if (!dm_jhead_read(&h, head))
		return 0;
	type = dm_jhead_str(&h, "type");
	objects = dm_jhead_get(&h, "objects");
	if (dm_sv_is(type, "bundle"))
		return objects.p || stix_object(&h) ? 100 : 60;
	if (stix_object(&h))
		return 95;
	if (objects.n && objects.p[0] == '[' && !dm_jhead_get(&h, "type").p) {
		if (dm_jhead_read(&first, objects))
			return stix_object(&first) ? 95 : 0;
		return dm_jhead_get(&h, "more").p ? 60 : 0; /* an empty TAXII envelope */
	}
	if (dm_sv_is(type, "observed-data") || dm_sv_is(type, "indicator"))
		return 70;
	return 0;
}

static int note(struct stix *st, const char *text)
{
	return st->sink->meta(st->sink, "note", dm_sv_str(text));
}

static int note_count(struct stix *st, uint64_t n, const char *what)
{
	char text[200];

	if (!n)
		return DM_OK;
	snprintf(text, sizeof text, "%llu %s", (unsigned long long)n, what);
	return note(st, text);
}

/* "passed over, no indicators or observations: 20048 relationship, 835 attack-pattern, ..." */
static int note_types(struct stix *st)
{
	uint64_t more = st->types_more;
	bool done[STIX_TYPES] = {false};

	if (!st->ntypes)
		return DM_OK;
	dm_buf_clear(&st->label);
	dm_buf_str(&st->label, "objects that only give context:");
	for (unsigned k = 0; k < st->ntypes; k++) {
		unsigned best = STIX_TYPES;
		for (unsigned i = 0; i < st->ntypes; i++)
			if (!done[i] && (best == STIX_TYPES || st->types[i].n > st->types[best].n))
				best = i;
		done[best] = true;
		if (k >= 8) {
			more += st->types[best].n;
			continue;
		}
		dm_buf_printf(&st->label, "%s %llu ", k ? "," : "", (unsigned long long)st->types[best].n);
		dm_intel_text(&st->label, st->types[best].name, 60);
	}
	if (more)
		dm_buf_printf(&st->label, ", %llu of other types", (unsigned long long)more);
	return note(st, dm_buf_cstr(&st->label));
}

/* What has been read is what the caller wanted; what has not is said. */
static int notes(struct stix *st, bool as_values)
{
	enum dm_import_class want = st->in->want;
	uint64_t ind = st->kinds[STIX_INDICATOR], obs = st->kinds[STIX_OBSERVED];
	int rc = note_types(st);

	if (!rc)
		rc = note_count(st, st->superseded,
				"older versions of objects in this file were passed over");
	if (!rc)
		rc = note_count(st, st->repeated, "repetitions of objects were passed over");
	if (!rc)
		rc = note_count(
			st, st->granular,
			"objects carry granular markings: each is kept whole under its most restrictive one");
	if (!rc && want == DM_EVIDENCE)
		rc = note_count(st, ind, "indicators were not read: the file was imported as evidence");
	if (!rc && want == DM_INTELLIGENCE)
		rc = note_count(st, obs,
				"observed-data were not read: the file was imported as intelligence");
	if (!rc && as_values)
		rc = note(st, "no indicator in this file: its objects were taken as values to look for, "
			      "since it was imported as intelligence");
	return rc;
}

static int emit(struct stix *st, struct stix_object *o, bool as_values, struct dm_err *err)
{
	enum dm_import_class want = st->in->want;

	if (o->kind == STIX_INDICATOR && want != DM_EVIDENCE)
		return stix_emit_indicator(st, o, err);
	if (o->kind == STIX_OBSERVED && want != DM_INTELLIGENCE)
		return stix_emit_observed(st, o, err);
	if (o->kind == STIX_SCO && as_values)
		return stix_emit_value(st, o, err);
	return DM_OK;
}

static int second_pass(struct stix *st, struct dm_err *err)
{
	/* Cyber-observable Objects alone assert nothing (STIX 2.1 s.6); many feeds ship nothing else all the
	 * same. */
	bool as_values =
		st->in->want == DM_INTELLIGENCE && !st->kinds[STIX_INDICATOR] && !st->kinds[STIX_OBSERVED];
	int rc = DM_OK;

	for (uint32_t i = 0; i < st->count && !rc; i++) {
		struct stix_object *o = &st->objects[i];
		if (o->live)
			rc = emit(st, o, as_values, err);
		if (!rc && i % PROGRESS_EVERY == PROGRESS_EVERY - 1)
			rc = st->sink->progress(st->sink, (uint64_t)(o->text.p - st->base) + o->text.n,
						o->line);
	}
	for (uint32_t i = 0; i < st->count && !rc && st->in->want != DM_INTELLIGENCE; i++) {
		const struct stix_object *o = &st->objects[i];
		if (o->kind == STIX_SCO && o->live && !o->used) {
			dm_buf_clear(&st->text);
			dm_buf_str(&st->text, "object without indicator or observed-data asserts nothing: ");
			dm_intel_text(&st->text, o->type, 60);
			rc = st->sink->skip(st->sink, o->line, dm_buf_cstr(&st->text));
		}
	}
	return rc ? rc : notes(st, as_values);
}

static void done(struct stix *st)
{
	dm_json_done(&st->doc);
	dm_json_done(&st->refs);
	dm_arena_done(&st->arena);
	dm_free(st->objects);
	dm_free(st->by_id);
	dm_free(st->links);
	dm_buf_done(&st->label);
	dm_buf_done(&st->source);
	dm_buf_done(&st->text);
	dm_record_done(&st->record);
	dm_free(st);
}

static struct stix *start(const struct dm_import_input *in, struct dm_sink *sink)
{
	struct stix *st = dm_calloc(1, sizeof *st);

	if (!st)
		return NULL;
	st->in = in;
	st->sink = sink;
	dm_json_init(&st->doc);
	dm_json_init(&st->refs);
	dm_buf_init(&st->label, DM_INTEL_BUF);
	dm_buf_init(&st->source, DM_INTEL_BUF);
	dm_buf_init(&st->text, DM_MAX_RECORD + DM_MAX_OBSERVED_OBJECTS + 16);
	dm_record_init(&st->record);
	return st;
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct stix *st = start(in, sink);
	struct dm_err read_err = {0}, cut = {0}, own = {0};
	char *text = NULL;
	size_t n = 0;
	int rc, cut_rc, read_rc;

	if (!st)
		return dm_fail(err, DM_ENOMEM, "out of memory for a STIX file");
	read_rc = dm_document_read(in->stream, &text, &n, &read_err);
	st->expand_left = (uint64_t)n * DM_MAX_EXPANSION + DM_MAX_RECORD;
	cut_rc = stix_index_read(st, dm_sv(text, n), &cut);
	/* a damaged document is used as far as it goes; then its fault is the result */
	rc = cut_rc == DM_OK || cut_rc == DM_EFORMAT || cut_rc == DM_ELIMIT ? second_pass(st, &own) : cut_rc;
	if (!rc)
		rc = sink->progress(sink, dm_stream_offset(in->stream),
				    st->count ? st->objects[st->count - 1].line : 0);
	if (!rc && read_rc) {
		rc = read_rc;
		own = read_err;
	} else if (!rc && cut_rc) {
		rc = cut_rc;
		own = cut;
		dm_err_remedy(
			&own,
			"the %u objects before this place were imported; get the file again for the rest",
			st->count);
	} else if (rc && rc == cut_rc) {
		own = cut;
	}
	if (rc && err)
		*err = own;
	dm_free(text);
	done(st);
	return rc;
}

const struct dm_importer dm_import_stix = {
	.name = "stix",
	.title = "STIX 2 bundle or objects",
	.gives = DM_EITHER,
	.probe = probe,
	.run = run,
	.module = "json",
	.preload = dm_intel_preload,
};
