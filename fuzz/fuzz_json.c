/* The fast JSON reader against the strict one: both take or both refuse (duplicate names aside), what is read
 * is written and read back to the same tree, the canonical form is a fixed point, and the elements that the
 * splitter finds in a document that parses are its elements. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_internal.h"

static struct dm_json doc, again;
static struct dm_buf first, second;

static void trees_are_equal(void)
{
	assert(doc.count == again.count);
	for (uint32_t i = 0; i < doc.count; i++) {
		const struct dm_json_node *a = &doc.nodes[i], *b = &again.nodes[i];
		assert(a->type == b->type && a->next == b->next && a->count == b->count);
		assert(dm_sv_eq(a->key, b->key) && dm_sv_eq(a->text, b->text));
	}
}

static void writing_keeps_the_tree(void)
{
	dm_buf_clear(&first);
	dm_json_write(&first, &doc, doc.nodes);
	assert(!first.err);
	assert(dm_json_parse(&again, dm_buf_view(&first), NULL) == DM_OK);
	trees_are_equal();
	dm_buf_clear(&first);
	if (dm_json_canonical(&first, &doc, doc.nodes, NULL))
		return;
	assert(dm_json_parse(&again, dm_buf_view(&first), NULL) == DM_OK);
	dm_buf_clear(&second);
	assert(dm_json_canonical(&second, &again, again.nodes, NULL) == DM_OK);
	assert(dm_sv_eq(dm_buf_view(&first), dm_buf_view(&second)));
}

/* Returns how many elements came before the end or the first fault. */
static uint32_t split(struct dm_sv text, const char *member, int *ret_code)
{
	struct dm_json_split s;
	struct dm_sv element;
	uint64_t line, offset;
	uint32_t n = 0;

	*ret_code = dm_json_split_open(&s, text, member, NULL);
	while (!*ret_code) {
		*ret_code = dm_json_split_next(&s, &element, &line, &offset, NULL);
		if (*ret_code)
			break;
		assert(element.p == text.p + offset && offset + element.n <= text.n && line >= 1);
		n++;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_sv text = dm_sv((const char *)data, size);
	struct dm_err err = {0}, strict = {0};
	int code, scanned, end;
	uint32_t n;

	if (!first.max) {
		dm_json_init(&doc);
		dm_json_init(&again);
		dm_buf_init(&first, 64u << 20);
		dm_buf_init(&second, 64u << 20);
	}
	code = dm_json_parse(&doc, text, &err);
	scanned = dm_json_scan(text, &strict);
	assert(code == scanned || (!scanned && strstr(err.msg, "stands twice")));
	assert(!code || (err.has_offset && err.offset <= size && err.line >= 1));
	n = split(text, NULL, &end);
	if (!code) {
		if (doc.nodes[0].type == DM_JSON_ARRAY)
			assert(end == DM_ENOENT && n == doc.nodes[0].count);
		writing_keeps_the_tree();
	}
	split(text, "objects", &end);
	return 0;
}
