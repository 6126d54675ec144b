#include "base/json_internal.h"

#include "base/limits.h"

void dm_json_init(struct dm_json *doc)
{
	*doc = (struct dm_json){0};
}

void dm_json_done(struct dm_json *doc)
{
	struct dm_json_reader *r = doc->parser;
	const struct dm_json_module *m;

	if (r) {
		if (r->indexer && !dm_json_module(&m, NULL))
			m->destroy(r->indexer);
		dm_free(r->text);
		dm_free(r->table);
		dm_free(r);
	}
	dm_free(doc->nodes);
	dm_arena_done(&doc->arena);
	*doc = (struct dm_json){0};
}

/* Working memory for a document of n bytes. */
static int prepare(struct dm_json *doc, const struct dm_json_module *m, size_t n)
{
	struct dm_json_reader *r = doc->parser;

	if (!r) {
		r = dm_calloc(1, sizeof *r);
		if (!r)
			return DM_ENOMEM;
		doc->parser = r;
	}
	if (!r->indexer)
		r->indexer = m->create();
	if (!r->indexer)
		return DM_ENOMEM;
	if (n + DM_JSON_PAD <= r->text_cap)
		return DM_OK;
	/* Nothing of the last document is kept, and a large one is not doubled: a worker's memory is bounded.
	 */
	dm_free(r->text);
	r->text_cap = 0;
	r->text = dm_alloc(n + n / 4 + 4096);
	if (!r->text)
		return DM_ENOMEM;
	r->text_cap = n + n / 4 + 4096;
	return DM_OK;
}

/* Something refused the document: say what and where. */
static int explain(struct dm_sv text, int code, size_t at, const char *reason, struct dm_err *err)
{
	int found = dm_json_scan(text, err);

	if (found)
		return found;
	if (code == DM_ELIMIT)
		return dm_json_fault(err, code, text, at, "more than %u values", DM_MAX_NODES);
	return dm_json_fault(err, code, text, at, "not JSON: %s", reason);
}

static int no_memory(struct dm_err *err)
{
	return dm_fail(err, DM_ENOMEM, "out of memory");
}

int dm_json_parse(struct dm_json *doc, struct dm_sv text, struct dm_err *err)
{
	size_t skip = dm_json_bom(text), n = text.n - skip, at = 0, most;
	const struct dm_json_module *m;
	struct dm_json_reader *r;
	const uint32_t *index;
	uint32_t index_n, key;
	int code;

	doc->count = 0;
	if (n > DM_MAX_ELEMENT)
		return dm_json_fault(err, DM_ELIMIT, text, 0, "one document of %zu bytes, more than %u", n,
				     DM_MAX_ELEMENT);
	code = dm_json_module(&m, err);
	if (code)
		return code;
	if (!n)
		return dm_json_scan(text, err);
	if (prepare(doc, m, n))
		return no_memory(err);
	r = doc->parser;
	memcpy(r->text, text.p + skip, n);
	memset(r->text + n, 0, DM_JSON_PAD);
	code = m->index(r->indexer, (const uint8_t *)r->text, n, &index, &index_n);
	if (code)
		return explain(text, DM_EFORMAT, 0, m->text(code), err);
	/* Each value but the root has a comma, an opening or a closing character to itself. */
	most = index_n / 2 + 1;
	if (dm_grow((void **)&doc->nodes, &doc->cap, most < DM_MAX_NODES ? most : DM_MAX_NODES,
		    sizeof *doc->nodes))
		return no_memory(err);
	code = dm_json_tree(doc, r, n, index, index_n, &at, &key);
	if (!code)
		return DM_OK;
	if (code == DM_ENOMEM)
		return no_memory(err);
	if (key)
		return dm_json_fault(err, code, text, at + skip,
				     "the name \"%.*s\" stands twice in one object",
				     (int)(doc->nodes[key].key.n < 80 ? doc->nodes[key].key.n : 80),
				     doc->nodes[key].key.p);
	return explain(text, code, at + skip, "unexpected structure", err);
}

const struct dm_json_node *dm_json_first(const struct dm_json *doc, const struct dm_json_node *node)
{
	return node && node->count ? node + 1 : NULL;
}

const struct dm_json_node *dm_json_next(const struct dm_json *doc, const struct dm_json_node *node,
					const struct dm_json_node *child)
{
	return child->next < node->next ? doc->nodes + child->next : NULL;
}

const struct dm_json_node *dm_json_get(const struct dm_json *doc, const struct dm_json_node *node,
				       const char *key)
{
	size_t n = strlen(key);

	if (!node || node->type != DM_JSON_OBJECT)
		return NULL;
	for (const struct dm_json_node *c = dm_json_first(doc, node); c; c = dm_json_next(doc, node, c))
		if (c->key.n == n && !memcmp(c->key.p, key, n))
			return c;
	return NULL;
}

struct dm_sv dm_json_get_str(const struct dm_json *doc, const struct dm_json_node *node, const char *key)
{
	const struct dm_json_node *c = dm_json_get(doc, node, key);

	return c && c->type == DM_JSON_STRING ? c->text : dm_sv(NULL, 0);
}

bool dm_json_get_i64(const struct dm_json *doc, const struct dm_json_node *node, const char *key,
		     int64_t *ret)
{
	const struct dm_json_node *c = dm_json_get(doc, node, key);

	return c && c->type == DM_JSON_NUMBER && dm_sv_i64(c->text, ret);
}

bool dm_json_get_bool(const struct dm_json *doc, const struct dm_json_node *node, const char *key,
		      bool fallback)
{
	const struct dm_json_node *c = dm_json_get(doc, node, key);

	return c && (c->type == DM_JSON_TRUE || c->type == DM_JSON_FALSE) ? c->type == DM_JSON_TRUE
									  : fallback;
}
