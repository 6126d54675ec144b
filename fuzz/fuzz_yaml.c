/* The YAML reader: what it takes is a tree that JSON can hold, with lines that lie in the text. */
#include <assert.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dm_json doc, again;
	static struct dm_buf out;
	struct dm_err err = {0};
	uint64_t lines = 1;

	if (!out.max) {
		dm_json_init(&doc);
		dm_json_init(&again);
		dm_buf_init(&out, 64u << 20);
	}
	if (dm_yaml_parse(&doc, dm_sv((const char *)data, size), &err)) {
		assert(err.code && err.msg[0]);
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' ||
			 data[i] >= 0x80; /* YAML 1.1 has line ends beyond ASCII */
	for (uint32_t i = 0; i < doc.count; i++)
		assert(doc.nodes[i].line >= 1 && doc.nodes[i].line <= lines + 1 && doc.nodes[i].next > i &&
		       doc.nodes[i].next <= doc.count);
	dm_buf_clear(&out);
	dm_json_write(&out, &doc, doc.nodes);
	assert(!dm_json_parse(&again, dm_buf_view(&out), NULL) && again.count == doc.count);
	return 0;
}
