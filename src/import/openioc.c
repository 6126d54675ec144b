/* OpenIOC 1.0 and 1.1: a tree of conditions about a machine. Those that name something which records hold
 * become indicators; an item that counts only together with others is kept, says so, and is marked as not
 * meant for matching by itself. */
#include "import/openioc.h"

#include "base/limits.h"
#include "base/time.h"
#include "import/importer.h"
#include "import/intel.h"
#include "import/tlp.h"
#include "import/xml.h"

#define MAX_TOGETHER 3 /* conditions named in a label */

/* A group (Indicator) or an item (IndicatorItem); all of one ioc live in the arena. */
struct node {
	struct node *parent, *next, *first_child, *last_child;
	uint32_t children;
	bool group, all_of, negated, closed;
	uint64_t line;
	struct dm_sv id, search, condition, content, comment;
};

/* Elements whose text is wanted. */
enum text_of {
	TEXT_NONE,
	TEXT_SHORT,
	TEXT_DESCRIPTION,
	TEXT_AUTHOR,
	TEXT_DATE,
	TEXT_KEYWORDS,
	TEXT_LINK,
	TEXT_CONTENT,
	TEXT_COMMENT
};

struct openioc {
	struct dm_sink *sink;
	struct dm_intel intel;
	struct dm_arena arena;
	struct node *root, *tail; /* the groups and items at the top */
	struct node *at;	  /* the innermost open group or item */
	enum text_of want;
	struct dm_buf text, label, source;
	bool in_ioc, link_is_tlp;
	struct dm_sv id, modified, title, description, author, date;
	struct dm_marking marking;
	uint64_t iocs;
};

static int no_memory(struct dm_err *err)
{
	return dm_fail(err, DM_ELIMIT, "the conditions of this file need more memory than an import may use");
}

static int keep(struct openioc *o, struct dm_sv s, struct dm_sv *ret, struct dm_err *err)
{
	*ret = dm_arena_copy(&o->arena, s);
	return ret->p ? DM_OK : no_memory(err);
}

static int open_node(struct openioc *o, bool group, const char *const *a, uint64_t line, struct dm_err *err)
{
	struct node *n = dm_arena_alloc(&o->arena, sizeof *n);
	struct dm_sv condition = dm_xml_attribute(a, "condition");
	int rc;

	if (!n)
		return no_memory(err);
	*n = (struct node){.parent = o->at, .group = group, .line = line};
	n->all_of = group && dm_sv_ieq(dm_xml_attribute(a, "operator"), DM_SV("and"));
	n->negated = dm_sv_ieq(dm_xml_attribute(a, "negate"), DM_SV("true")) ||
		     dm_sv_is(condition, "isnot") || dm_sv_is(condition, "containsnot");
	rc = keep(o, dm_xml_attribute(a, "id"), &n->id, err);
	if (!rc)
		rc = keep(o, condition.n ? condition : DM_SV("is"), &n->condition, err);
	if (rc)
		return rc;
	if (!o->at) {
		if (o->root)
			o->tail->next = n;
		else
			o->root = n;
		o->tail = n;
	} else {
		if (o->at->last_child)
			o->at->last_child->next = n;
		else
			o->at->first_child = n;
		o->at->last_child = n;
		o->at->children++;
	}
	o->at = n;
	return DM_OK;
}

static enum text_of text_of(const struct openioc *o, struct dm_sv name)
{
	static const struct {
		const char *name;
		enum text_of want;
	} map[] = {
		{"short_description", TEXT_SHORT}, {"description", TEXT_DESCRIPTION},
		{"authored_by", TEXT_AUTHOR},	   {"authored_date", TEXT_DATE},
		{"keywords", TEXT_KEYWORDS},	   {"link", TEXT_LINK},
	};

	if (o->at && !o->at->group)
		return dm_sv_is(name, "Content")   ? TEXT_CONTENT
		       : dm_sv_is(name, "Comment") ? TEXT_COMMENT
						   : TEXT_NONE;
	for (size_t i = 0; i < sizeof map / sizeof *map && !o->at; i++)
		if (dm_sv_is(name, map[i].name))
			return map[i].want;
	return TEXT_NONE;
}

static int on_start(void *ctx, struct dm_sv name, const char *const *a, uint64_t line, struct dm_err *err)
{
	struct openioc *o = ctx;
	int rc;

	if (dm_sv_is(name, "ioc") || dm_sv_is(name, "OpenIOC")) {
		o->in_ioc = true;
		o->iocs++;
		rc = keep(o, dm_xml_attribute(a, "id"), &o->id, err);
		return rc ? rc : keep(o, dm_xml_attribute(a, "last-modified"), &o->modified, err);
	}
	if (!o->in_ioc)
		return DM_OK;
	if (dm_sv_is(name, "Indicator") || dm_sv_is(name, "IndicatorItem")) {
		if (o->at && !o->at->group)
			return dm_fail(err, DM_EFORMAT, "an element %.*s within an IndicatorItem",
				       (int)name.n, name.p);
		return open_node(o, dm_sv_is(name, "Indicator"), a, line, err);
	}
	if (o->at && !o->at->group && dm_sv_is(name, "Context"))
		return keep(o, dm_xml_attribute(a, "search"), &o->at->search, err);
	o->want = text_of(o, name);
	o->link_is_tlp = o->want == TEXT_LINK && dm_sv_ieq(dm_xml_attribute(a, "rel"), DM_SV("tlp"));
	dm_buf_clear(&o->text);
	return DM_OK;
}

static int on_text(void *ctx, struct dm_sv piece, struct dm_err *err)
{
	struct openioc *o = ctx;

	if (o->want != TEXT_NONE && o->in_ioc)
		dm_buf_sv(&o->text, piece);
	return o->text.err == DM_ENOMEM ? dm_fail(err, DM_ENOMEM, "out of memory for an OpenIOC file")
					: DM_OK;
}

/* TLP has no place of its own in OpenIOC; where people write it is a link of rel="tlp" or a keyword. */
static void note_tlp(struct openioc *o, struct dm_sv text)
{
	for (size_t i = 0; i + 4 <= text.n; i++) {
		size_t end = i;
		if (!dm_sv_ieq(dm_sv(text.p + i, 4), DM_SV("tlp:")))
			continue;
		while (end < text.n && !memchr(" ,;|\t\r\n", text.p[end], 7))
			end++;
		dm_marking_label(&o->marking, dm_sv(text.p + i, end - i));
		i = end;
	}
}

static int take_text(struct openioc *o, struct dm_err *err)
{
	struct dm_sv s = dm_sv_trim(dm_buf_view(&o->text)), *to = NULL;
	char label[32] = "TLP:";

	switch (o->want) {
	case TEXT_SHORT:
		to = &o->title;
		break;
	case TEXT_DESCRIPTION:
		to = &o->description;
		break;
	case TEXT_AUTHOR:
		to = &o->author;
		break;
	case TEXT_DATE:
		to = &o->date;
		break;
	case TEXT_CONTENT:
		to = &o->at->content;
		break;
	case TEXT_COMMENT:
		to = &o->at->comment;
		break;
	case TEXT_LINK:
		if (o->link_is_tlp && s.n && s.n < 20 && dm_sv_find(s, ':') == SIZE_MAX) {
			memcpy(label + 4, s.p, s.n);
			s = dm_sv(label, s.n + 4);
		}
		if (o->link_is_tlp)
			note_tlp(o, s);
		break;
	case TEXT_KEYWORDS:
		note_tlp(o, s);
		break;
	default:
		break;
	}
	if (o->text.err == DM_ELIMIT && to && o->at)
		s = dm_sv("", 0); /* a cut condition would be another condition */
	return to ? keep(o, s, to, err) : DM_OK;
}

static void put_condition(struct dm_buf *out, const struct node *n)
{
	if (n->group) {
		dm_buf_printf(out, "%s of %u conditions", n->all_of ? "all" : "one", n->children);
		return;
	}
	dm_intel_text(out, n->search, 80);
	dm_buf_str(out, n->negated ? " not " : " ");
	dm_intel_text(out, n->condition, 20);
	dm_buf_putc(out, ' ');
	dm_intel_text(out, n->content, 80);
}

/* "only together with: ...", from every group above that asks for all of its conditions. Returns whether
 * there is one. */
static bool put_together(struct dm_buf *out, const struct node *item)
{
	unsigned named = 0;
	uint64_t others = 0;
	bool unknown = false;

	for (const struct node *n = item; n->parent; n = n->parent) {
		const struct node *group = n->parent;
		if (!group->all_of)
			continue;
		others += group->children - 1;
		unknown |=
			!group->closed; /* the file breaks off: what else the group asks for is not known */
		for (const struct node *s = group->first_child; s && named < MAX_TOGETHER; s = s->next) {
			if (s == n)
				continue;
			dm_buf_str(out, named++	 ? "; "
					: out->n ? "; only together with: "
						 : "only together with: ");
			put_condition(out, s);
		}
	}
	if (others > named)
		dm_buf_printf(out, " and %llu more", (unsigned long long)(others - named));
	if (unknown)
		dm_buf_str(out, others ? ", perhaps others (the file is cut)"
				       : "; perhaps only together with others (the file is cut)");
	return others || unknown;
}

static int emit_item(struct openioc *o, const struct node *n, struct dm_indicator *ind)
{
	enum dm_obs_type t = openioc_term(n->search);
	struct dm_sv value = n->content;
	bool free_text =
		t == DM_OBS_FILENAME || t == DM_OBS_MUTEX || t == DM_OBS_REGISTRY || t == DM_OBS_USER_AGENT;

	if (n->negated)
		return dm_intel_skip(&o->intel, n->line, "condition on what must not be there", n->search);
	if (t == DM_OBS_NONE)
		return dm_intel_skip(&o->intel, n->line, "term that no record holds",
				     n->search.n ? n->search : DM_SV("none given"));
	if (dm_sv_is(n->condition, "is"))
		return dm_intel_emit(&o->intel, ind, t, value);
	if (t == DM_OBS_DOMAIN &&
	    (dm_sv_is(n->condition, "contains") || dm_sv_is(n->condition, "ends-with"))) {
		if (dm_sv_find(dm_sv_trim(value), '.') == SIZE_MAX)
			return dm_intel_skip(
				&o->intel, n->line,
				"part of a name: only whole names and what is below them can be looked for",
				value);
		return dm_intel_emit_suffix(&o->intel, ind, value);
	}
	/* Tools write "contains" for values of fixed form as well, with the whole value. */
	if (!free_text && (dm_sv_is(n->condition, "contains") || dm_sv_is(n->condition, "matches")))
		return dm_intel_emit(&o->intel, ind, t, value);
	dm_buf_clear(&o->text);
	dm_buf_str(&o->text, "only whole values can be looked for, not \"");
	dm_intel_text(&o->text, n->condition, 20);
	dm_buf_putc(&o->text, '"');
	return dm_intel_skip(&o->intel, n->line, dm_buf_cstr(&o->text), n->search);
}

static int emit_one(struct openioc *o, const struct node *n)
{
	struct dm_indicator ind = {
		.line = n->line, .confidence = 255, .valid_from = DM_NO_TIME, .valid_until = DM_NO_TIME};
	struct dm_sv label = n->comment.n ? n->comment : o->description.n ? o->description : o->title;

	/* 0001-01-01 is what tools write for "not set" */
	if (dm_sv_starts(o->date, DM_SV("0001")) || !dm_time_parse(o->date, &ind.valid_from))
		if (dm_sv_starts(o->modified, DM_SV("0001")) || !dm_time_parse(o->modified, &ind.valid_from))
			ind.valid_from = DM_NO_TIME;
	dm_buf_clear(&o->label);
	dm_intel_text(&o->label, label, DM_INTEL_TEXT);
	ind.flags = put_together(&o->label, n) ? DM_FLAG_NOT_IDS : 0;
	ind.id = n->id.n ? n->id : o->id;
	ind.label = dm_buf_view(&o->label);
	ind.source = dm_buf_view(&o->source);
	ind.marking = dm_marking_text(&o->marking);
	return emit_item(o, n, &ind);
}

/* All items of the tree in the order of the file. Depth is bounded by the XML reader. */
static int emit_tree(struct openioc *o)
{
	const struct node *n = o->root;
	int rc = DM_OK;

	dm_buf_clear(&o->source);
	dm_intel_text(&o->source, o->title, DM_INTEL_TEXT);
	if (o->author.n) {
		dm_buf_str(&o->source, o->title.n ? " (" : "");
		dm_intel_text(&o->source, o->author, DM_INTEL_TEXT);
		dm_buf_str(&o->source, o->title.n ? ")" : "");
	}
	while (n && !rc) {
		if (!n->group)
			rc = emit_one(o, n);
		if (n->group && n->first_child) {
			n = n->first_child;
			continue;
		}
		while (n && !n->next)
			n = n->parent;
		n = n ? n->next : NULL;
	}
	return rc;
}

static void reset(struct openioc *o)
{
	dm_arena_reset(&o->arena);
	o->root = o->tail = o->at = NULL;
	o->in_ioc = false;
	o->want = TEXT_NONE;
	o->id = o->modified = o->title = o->description = o->author = o->date = dm_sv("", 0);
	o->marking = (struct dm_marking){0};
}

static int on_end(void *ctx, struct dm_sv name, struct dm_err *err)
{
	struct openioc *o = ctx;
	int rc;

	if (!o->in_ioc)
		return DM_OK;
	if (dm_sv_is(name, "ioc") || dm_sv_is(name, "OpenIOC")) {
		rc = emit_tree(o);
		reset(o);
		return rc;
	}
	if (dm_sv_is(name, "Indicator") || dm_sv_is(name, "IndicatorItem")) {
		o->at->closed = true;
		o->at = o->at->parent;
		return DM_OK;
	}
	rc = o->want == TEXT_NONE ? DM_OK : take_text(o, err);
	o->want = TEXT_NONE;
	return rc;
}

static bool mentions(const char *text, size_t n, const char *what)
{
	return memmem(text, n, what, strlen(what)) != NULL;
}

static int probe(struct dm_sv head, const char *name)
{
	char plain[4096];
	size_t n = 0;

	/* UTF-16 is seen without its zero bytes */
	for (size_t i = 0; i < head.n && n < sizeof plain; i++)
		if (head.p[i])
			plain[n++] = head.p[i];
	if (!n || !memchr(plain, '<', n < 64 ? n : 64))
		return 0;
	if (mentions(plain, n, "<OpenIOC") || mentions(plain, n, "openioc.org/schemas/OpenIOC"))
		return 95;
	if (mentions(plain, n, "<ioc"))
		return mentions(plain, n, "schemas.mandiant.com/2010/ioc") ? 95 : 60;
	return 0;
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct openioc o = {.sink = sink};
	const struct dm_xml_events events = {.ctx = &o, .start = on_start, .end = on_end, .text = on_text};
	int rc, rest;

	o.arena.max = DM_MAX_DOCUMENT;
	dm_intel_init(&o.intel, sink);
	dm_buf_init(&o.text, DM_MAX_VALUE);
	dm_buf_init(&o.label, DM_INTEL_BUF);
	dm_buf_init(&o.source, DM_INTEL_BUF);
	reset(&o);
	rc = dm_xml_parse(in->stream, &events, err);
	if (rc == DM_EFORMAT || rc == DM_ELIMIT || rc == DM_ECORRUPT || rc == DM_EIO) {
		/* what stands before the fault is good */
		rest = o.in_ioc ? emit_tree(&o) : DM_OK;
		rc = rest ? rest : rc;
	} else if (!rc && !o.iocs) {
		rc = dm_fail(err, DM_EFORMAT, "no OpenIOC document in this XML file");
	}
	if (!rc)
		rc = sink->progress(sink, dm_stream_offset(in->stream), 0);
	dm_intel_done(&o.intel);
	dm_arena_done(&o.arena);
	dm_buf_done(&o.text);
	dm_buf_done(&o.label);
	dm_buf_done(&o.source);
	return rc;
}

static int preload(struct dm_err *err)
{
	(void)dm_domain_preload(NULL); /* without it names outside ASCII are refused, one by one */
	return dm_xml_preload(err);
}

const struct dm_importer dm_import_openioc = {
	.name = "openioc",
	.title = "OpenIOC",
	.gives = DM_INTELLIGENCE,
	.module = "expat",
	.probe = probe,
	.run = run,
	.preload = preload,
};
