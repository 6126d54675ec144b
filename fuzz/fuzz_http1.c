/* HTTP/1: the header reader on the bytes, and the bytes as a conversation with port 80. */
#include "fuzz_connection.h"
#include "import/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_sv text = dm_sv((const char *)data, size), name, value;
	struct dm_http_head h;
	size_t end = dm_http_head_end(data, size, 0);

	assert(end <= size);
	/* What was seen before changes nothing. */
	for (size_t seen = 0; seen < end && end < 4096; seen++)
		assert(dm_http_head_end(data, size, seen) == end);
	if (dm_http_head_open(&h, text)) {
		while (dm_http_head_next(&h, &name, &value)) {
			fuzz_touch(name);
			fuzz_touch(value);
		}
		fuzz_touch(dm_http_head_get(&h, "host"));
		fuzz_touch(dm_http_mime(dm_http_head_get(&h, "content-type")));
	}
	return fuzz_connection(80, data, size);
}
