#include "base/json_internal.h"

#include <yaml.h>
#include "base/limits.h"

/* The subset of YAML that configuration, policies and case files need, on libyaml's event parser. What would
 * let a short file mean something long or something else (aliases, anchors, tags, several documents) is
 * refused. */

struct build {
	struct dm_json *doc;
	struct dm_err *err;
	uint32_t stack[DM_MAX_DEPTH];
	unsigned depth;
	bool have_key;
	struct dm_sv key;
	uint32_t *table; /* of dm_json_duplicate */
	size_t table_cap;
	bool document, root;
};

static int fault(struct build *b, int code, const yaml_mark_t *at, const char *reason)
{
	dm_fail(b->err, code, "%s (column %zu)", reason, at->column + 1);
	if (b->err)
		b->err->line = at->line + 1;
	return code;
}

static int no_memory(struct build *b)
{
	return dm_fail(b->err, DM_ENOMEM, "out of memory");
}

static bool is_number(struct dm_sv s)
{
	size_t i = 0, start;

	i += i < s.n && s.p[i] == '-';
	start = i;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (i == start || (s.p[start] == '0' && i > start + 1))
		return false;
	if (i < s.n && s.p[i] == '.') {
		for (start = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == start)
			return false;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		for (start = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == start)
			return false;
	}
	return i == s.n;
}

/* JSON's own spellings only: YAML 1.1 would make a Boolean of Norway's "no", and a number of the time 12:30.
 */
static enum dm_json_type type_of(const yaml_event_t *e, struct dm_sv s)
{
	if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return DM_JSON_STRING;
	if (!s.n || dm_sv_is(s, "null"))
		return DM_JSON_NULL;
	if (dm_sv_is(s, "true"))
		return DM_JSON_TRUE;
	if (dm_sv_is(s, "false"))
		return DM_JSON_FALSE;
	return is_number(s) ? DM_JSON_NUMBER : DM_JSON_STRING;
}

/* A new value in its place: under the pending name of an object, in an array, or as the root. */
static int add(struct build *b, enum dm_json_type type, const yaml_mark_t *at, struct dm_json_node **ret)
{
	struct dm_json *doc = b->doc;
	struct dm_json_node *parent, *node;

	if (doc->count == DM_MAX_NODES)
		return fault(b, DM_ELIMIT, at, "too many values");
	if (dm_grow((void **)&doc->nodes, &doc->cap, (size_t)doc->count + 1, sizeof *doc->nodes))
		return no_memory(b);
	node = &doc->nodes[doc->count++];
	*node = (struct dm_json_node){
		.type = (uint8_t)type, .line = (uint32_t)at->line + 1, .next = doc->count};
	if (b->depth) {
		parent = &doc->nodes[b->stack[b->depth - 1]];
		parent->count++;
		if (parent->type == DM_JSON_OBJECT)
			node->key = b->key;
	}
	b->have_key = false;
	b->root = true;
	*ret = node;
	return DM_OK;
}

static bool wants_key(const struct build *b)
{
	return b->depth && b->doc->nodes[b->stack[b->depth - 1]].type == DM_JSON_OBJECT && !b->have_key;
}

static int scalar(struct build *b, const yaml_event_t *e)
{
	struct dm_sv s = dm_sv((const char *)e->data.scalar.value, e->data.scalar.length), copy;
	struct dm_json_node *node;
	enum dm_json_type type = type_of(e, s);
	int code;

	if (e->data.scalar.anchor)
		return fault(b, DM_EFORMAT, &e->start_mark, "anchors are not allowed here");
	if (e->data.scalar.tag)
		return fault(b, DM_EFORMAT, &e->start_mark, "tags are not allowed here");
	copy = dm_arena_copy(&b->doc->arena, s);
	if (!copy.p)
		return no_memory(b);
	if (wants_key(b)) {
		b->key = copy;
		b->have_key = true;
		return DM_OK;
	}
	code = add(b, type, &e->start_mark, &node);
	if (!code && (type == DM_JSON_STRING || type == DM_JSON_NUMBER))
		node->text = copy;
	return code;
}

static int open_container(struct build *b, enum dm_json_type type, const yaml_event_t *e,
			  const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct dm_json_node *node;
	int code;

	if (anchor)
		return fault(b, DM_EFORMAT, &e->start_mark, "anchors are not allowed here");
	if (tag)
		return fault(b, DM_EFORMAT, &e->start_mark, "tags are not allowed here");
	if (wants_key(b))
		return fault(b, DM_EFORMAT, &e->start_mark, "a name must be plain text");
	if (b->depth == DM_MAX_DEPTH)
		return fault(b, DM_ELIMIT, &e->start_mark, "nested too deeply");
	code = add(b, type, &e->start_mark, &node);
	if (!code)
		b->stack[b->depth++] = b->doc->count - 1;
	return code;
}

static int close_container(struct build *b)
{
	uint32_t at = b->stack[--b->depth], twice = 0;
	struct dm_json_node *node = &b->doc->nodes[at];
	int code = DM_OK;

	node->next = b->doc->count;
	if (node->type == DM_JSON_OBJECT)
		code = dm_json_duplicate(b->doc, at, &b->table, &b->table_cap, &twice);
	if (code)
		return no_memory(b);
	if (!twice)
		return DM_OK;
	node = &b->doc->nodes[twice];
	dm_fail(b->err, DM_EFORMAT, "the name \"%.*s\" stands twice in one mapping",
		(int)(node->key.n < 80 ? node->key.n : 80), node->key.p);
	if (b->err)
		b->err->line = node->line;
	return DM_EFORMAT;
}

static int document(struct build *b, const yaml_event_t *e)
{
	if (b->document)
		return fault(b, DM_EFORMAT, &e->start_mark,
			     "a second document in one file is not allowed here");
	if (e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end)
		return fault(b, DM_EFORMAT, &e->start_mark, "tags are not allowed here");
	b->document = true;
	return DM_OK;
}

static int event(struct build *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return document(b, e);
	case YAML_SCALAR_EVENT:
		return scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(b, DM_JSON_ARRAY, e, e->data.sequence_start.anchor,
				      e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_container(b, DM_JSON_OBJECT, e, e->data.mapping_start.anchor,
				      e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_container(b);
	case YAML_ALIAS_EVENT:
		return fault(b, DM_EFORMAT, &e->start_mark, "aliases are not allowed here");
	default:
		return DM_OK;
	}
}

/* libyaml found the fault. */
static int syntax(struct build *b, const yaml_parser_t *p)
{
	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(b);
	if (p->error == YAML_READER_ERROR) {
		dm_fail(b->err, DM_EFORMAT, "%s", p->problem);
		if (b->err) {
			b->err->line = p->mark.line + 1;
			b->err->offset = p->problem_offset;
			b->err->has_offset = 1;
		}
		return DM_EFORMAT;
	}
	dm_fail(b->err, DM_EFORMAT, "%s%s%s (column %zu)", p->context ? p->context : "",
		p->context ? ": " : "", p->problem ? p->problem : "not YAML", p->problem_mark.column + 1);
	if (b->err)
		b->err->line = p->problem_mark.line + 1;
	return DM_EFORMAT;
}

int dm_yaml_parse(struct dm_json *doc, struct dm_sv text, struct dm_err *err)
{
	struct build b = {.doc = doc, .err = err};
	yaml_parser_t parser;
	yaml_event_t e;
	bool end = false;
	int code = DM_OK;

	doc->count = 0;
	dm_arena_reset(&doc->arena);
	if (text.n > DM_MAX_YAML)
		return dm_fail(err, DM_ELIMIT, "a YAML file of %zu bytes, more than %u", text.n, DM_MAX_YAML);
	if (!yaml_parser_initialize(&parser))
		return no_memory(&b);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	while (!code && !end) {
		if (!yaml_parser_parse(&parser, &e)) {
			code = syntax(&b, &parser);
			break;
		}
		code = event(&b, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	dm_free(b.table);
	if (!code && !b.root) {
		code = dm_fail(err, DM_EFORMAT, "the file is empty");
		if (err)
			err->line = 1;
	}
	if (code)
		doc->count = 0;
	return code;
}
