/* What a STIX file asserts: Indicators (STIX 2.1 s.4.7, 2.0 part 2 s.2.5), with their producer, report,
 * markings and what they point at. */
#include "import/stix.h"

#include "base/limits.h"
#include "import/intel.h"

#define MAX_TARGETS 4 /* names behind "indicates" in a label */

/* Markings: object_marking_refs and granular_markings of the object in st->doc. A granular marking holds for
 * single properties; an indicator is handed on whole, so the most restrictive one holds for all of it. */
static void mark(struct stix *st, const struct stix_object *o, const struct dm_json_node *ref,
		 struct dm_marking *ret)
{
	const char *tlp;
	const struct stix_object *def;

	if (!ref || ref->type != DM_JSON_STRING)
		return;
	tlp = dm_tlp_of_id(ref->text);
	if (tlp) {
		dm_marking_label(ret, dm_sv_str(tlp));
		return;
	}
	def = stix_find(st, ref->text, o->scope);
	/* A statement (a copyright notice) restricts nothing. Any other definition does, and only its maker
	 * knows how: also one that calls itself TLP under an id of its own, since its body can be forged. */
	if (!def || def->kind != STIX_MARKING || !dm_sv_is(def->name, "statement"))
		dm_marking_unresolved(ret, ref->text);
}

void stix_marking(struct stix *st, const struct stix_object *o, struct dm_marking *ret)
{
	const struct dm_json_node *root = st->doc.nodes, *list, *m;

	*ret = (struct dm_marking){0};
	list = dm_json_get(&st->doc, root, "object_marking_refs");
	for (m = dm_json_first(&st->doc, list); m; m = dm_json_next(&st->doc, list, m))
		mark(st, o, m, ret);
	list = dm_json_get(&st->doc, root, "granular_markings");
	if (list && list->count)
		st->granular++;
	for (m = dm_json_first(&st->doc, list); m; m = dm_json_next(&st->doc, list, m))
		mark(st, o, dm_json_get(&st->doc, m, "marking_ref"), ret);
}

struct dm_sv stix_producer(const struct stix *st, const struct stix_object *o)
{
	const struct stix_object *who =
		stix_find(st, dm_json_get_str(&st->doc, st->doc.nodes, "created_by_ref"), o->scope);

	return who && who->kind == STIX_IDENTITY ? who->name : dm_sv("", 0);
}

/* "REPORT (PRODUCER)", or the one of them that is known. */
static struct dm_sv source_of(struct stix *st, const struct stix_object *o)
{
	struct dm_sv producer = stix_producer(st, o), report = {"", 0};
	const struct stix_link *l;
	size_t n;

	l = stix_links(st, o->id, &n);
	for (size_t i = 0; i < n && !report.n; i++) {
		const struct stix_object *r = l[i].report ? stix_find(st, l[i].to, o->scope) : NULL;
		if (r && r->kind == STIX_REPORT)
			report = r->name;
	}
	if (!report.n || !producer.n)
		return report.n ? report : producer;
	dm_buf_clear(&st->source);
	dm_intel_text(&st->source, report, DM_INTEL_TEXT);
	dm_buf_str(&st->source, " (");
	dm_intel_text(&st->source, producer, DM_INTEL_TEXT);
	dm_buf_putc(&st->source, ')');
	return dm_buf_view(&st->source);
}

static void put_targets(struct stix *st, const struct stix_object *o)
{
	const struct stix_object *named[MAX_TARGETS];
	const struct stix_link *l;
	size_t n, found = 0;

	l = stix_links(st, o->id, &n);
	for (size_t i = 0; i < n; i++) {
		const struct stix_object *t = l[i].report ? NULL : stix_find(st, l[i].to, o->scope);
		size_t k = 0;
		if (!t || t->kind != STIX_THREAT || !t->name.n)
			continue;
		while (k < found && k < MAX_TARGETS && !dm_sv_eq(named[k]->name, t->name))
			k++;
		if (k < found && k < MAX_TARGETS)
			continue;
		if (found < MAX_TARGETS)
			named[found] = t;
		found++;
	}
	for (size_t i = 0; i < found && i < MAX_TARGETS; i++) {
		dm_buf_str(&st->label, i ? ", " : st->label.n ? ": indicates " : "indicates ");
		dm_intel_text(&st->label, named[i]->name, DM_INTEL_TEXT);
		dm_buf_str(&st->label, " (");
		dm_buf_sv(&st->label, named[i]->type);
		dm_buf_putc(&st->label, ')');
	}
	if (found > MAX_TARGETS)
		dm_buf_printf(&st->label, " and %zu more", found - MAX_TARGETS);
}

static struct dm_sv label_of(struct stix *st, const struct stix_object *o)
{
	struct dm_sv name = dm_json_get_str(&st->doc, st->doc.nodes, "name");

	if (!name.n)
		name = dm_json_get_str(&st->doc, st->doc.nodes, "description");
	dm_buf_clear(&st->label);
	dm_intel_text(&st->label, name, DM_INTEL_TEXT);
	put_targets(st, o);
	return dm_buf_view(&st->label);
}

/* indicator_types (2.1) and labels (2.0) share their words. */
static uint32_t flags_of(const struct dm_json *doc)
{
	static const char *const member[] = {"indicator_types", "labels"};
	const struct dm_json_node *list, *w;
	bool harmless = false, harmful = false;
	uint32_t flags = dm_json_get_bool(doc, doc->nodes, "revoked", false) ? DM_FLAG_REVOKED : 0;

	for (size_t i = 0; i < 2; i++) {
		list = dm_json_get(doc, doc->nodes, member[i]);
		for (w = dm_json_first(doc, list); w; w = dm_json_next(doc, list, w)) {
			if (dm_sv_is(w->text, "benign") || dm_sv_is(w->text, "anomalous-activity"))
				harmless = true;
			else if (dm_sv_is(w->text, "malicious-activity") ||
				 dm_sv_is(w->text, "compromised") || dm_sv_is(w->text, "attribution"))
				harmful = true;
			else if (dm_sv_ieq(w->text, DM_SV("misp:to_ids=\"false\"")))
				flags |= DM_FLAG_NOT_IDS; /* how MISP writes it into STIX */
		}
	}
	return flags | (harmless && !harmful ? DM_FLAG_BENIGN : 0);
}

static int64_t time_of(const struct dm_json *doc, const char *member)
{
	int64_t t;

	return dm_time_parse(dm_json_get_str(doc, doc->nodes, member), &t) ? t : DM_NO_TIME;
}

/* What all indicators from st->doc have in common. Its views live until the next object. */
static void fill(struct stix *st, const struct stix_object *o, struct dm_marking *marking,
		 struct dm_indicator *ind)
{
	int64_t confidence;

	stix_marking(st, o, marking);
	*ind = (struct dm_indicator){.id = o->id, .line = o->line, .confidence = 255};
	ind->marking = dm_marking_text(marking);
	ind->source = source_of(st, o);
	ind->label = label_of(st, o);
	ind->flags = flags_of(&st->doc);
	ind->valid_from = time_of(&st->doc, "valid_from");
	ind->valid_until = time_of(&st->doc, "valid_until");
	if (dm_json_get_i64(&st->doc, st->doc.nodes, "confidence", &confidence) && confidence >= 0 &&
	    confidence <= 100)
		ind->confidence = (uint8_t)confidence;
}

static int skip_type(struct stix *st, const struct stix_object *o, struct dm_sv pattern_type)
{
	dm_buf_clear(&st->text);
	dm_buf_str(&st->text, "indicator with a pattern for another tool: ");
	dm_intel_text(&st->text, pattern_type, 40);
	return st->sink->skip(st->sink, o->line, dm_buf_cstr(&st->text));
}

int stix_emit_indicator(struct stix *st, const struct stix_object *o, struct dm_err *err)
{
	struct dm_indicator ind;
	struct dm_marking marking;
	struct dm_sv type, pattern;
	int rc = stix_parse(st, &st->doc, o, err);

	if (rc)
		return rc == DM_ENOENT ? DM_OK : rc;
	/* pattern_type came with 2.1; all patterns of 2.0 are STIX patterns */
	type = dm_json_get_str(&st->doc, st->doc.nodes, "pattern_type");
	if (type.n && !dm_sv_ieq(type, DM_SV("stix")))
		return skip_type(st, o, type);
	pattern = dm_sv_trim(dm_json_get_str(&st->doc, st->doc.nodes, "pattern"));
	if (!pattern.n)
		return st->sink->skip(st->sink, o->line, "indicator without a pattern");
	if (pattern.n > DM_MAX_PATTERN)
		return st->sink->skip(st->sink, o->line, "indicator with a pattern of more than 64 KiB");
	fill(st, o, &marking, &ind);
	ind.form = DM_IND_PATTERN;
	ind.value = pattern;
	if (st->label.err || st->source.err)
		return dm_fail(err, DM_ENOMEM, "out of memory for an indicator");
	st->indicators++;
	return st->sink->indicator(st->sink, &ind);
}

static int emit_hashes(struct stix *st, const struct stix_object *o, struct dm_intel *in,
		       struct dm_indicator *ind)
{
	const struct dm_json_node *hashes = dm_json_get(&st->doc, st->doc.nodes, "hashes"), *h;
	bool certificate = dm_sv_is(o->type, "x509-certificate");
	int rc = DM_OK;

	for (h = dm_json_first(&st->doc, hashes); h && !rc; h = dm_json_next(&st->doc, hashes, h)) {
		enum dm_obs_type t = stix_hash_type(h->key, certificate);
		if (t)
			rc = dm_intel_emit(in, ind, t, h->text);
		else
			rc = dm_intel_skip(in, o->line, "hash of a kind that no record has", h->key);
	}
	return rc;
}

int stix_emit_value(struct stix *st, const struct stix_object *o, struct dm_err *err)
{
	static const struct {
		const char *type, *member;
		enum dm_obs_type obs;
	} simple[] = {
		{"mutex", "name", DM_OBS_MUTEX},
		{"windows-registry-key", "key", DM_OBS_REGISTRY},
		{"autonomous-system", "number", DM_OBS_AS},
	};
	struct dm_intel in;
	struct dm_indicator ind;
	struct dm_marking marking;
	enum dm_obs_type t = stix_value_type(o->type);
	const struct dm_json_node *v;
	int rc = stix_parse(st, &st->doc, o, err);

	if (rc)
		return rc == DM_ENOENT ? DM_OK : rc;
	fill(st, o, &marking, &ind);
	dm_intel_init(&in, st->sink);
	if (t)
		rc = dm_intel_emit(&in, &ind, t, dm_json_get_str(&st->doc, st->doc.nodes, "value"));
	for (size_t i = 0; i < sizeof simple / sizeof *simple && !rc; i++)
		if (dm_sv_is(o->type, simple[i].type) &&
		    (v = dm_json_get(&st->doc, st->doc.nodes, simple[i].member)))
			rc = dm_intel_emit(&in, &ind, simple[i].obs, v->text);
	if (!rc && (dm_sv_is(o->type, "file") || dm_sv_is(o->type, "x509-certificate") ||
		    dm_sv_is(o->type, "artifact")))
		rc = emit_hashes(st, o, &in, &ind);
	if (!rc && in.emitted + in.skipped == 0 && dm_sv_is(o->type, "file"))
		rc = dm_intel_emit(&in, &ind, DM_OBS_FILENAME,
				   dm_json_get_str(&st->doc, st->doc.nodes, "name"));
	if (!rc && in.emitted + in.skipped == 0)
		rc = dm_intel_skip(&in, o->line, "object without a value that could be looked for", o->type);
	st->indicators += in.emitted;
	dm_intel_done(&in);
	return rc;
}
