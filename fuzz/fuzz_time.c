/* Times: what is read is printed so that it reads back, by both readers; any 64 bits can be printed. */
#include <assert.h>
#include <string.h>

#include "base/time.h"

static void prints_and_reads_back(int64_t t, struct dm_buf *out)
{
	int64_t back;

	dm_buf_clear(out);
	dm_time_put(out, t);
	assert(dm_time_parse(dm_buf_view(out), &back) && back == t);
	dm_buf_clear(out);
	dm_time_put_full(out, t);
	assert(out->n == 27 && dm_time_parse(dm_buf_view(out), &back) && back == t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_sv s = dm_sv((const char *)data, size);
	struct dm_buf out;
	int64_t t, back;

	dm_buf_init(&out, 4096);
	if (dm_time_parse(s, &t))
		prints_and_reads_back(t, &out);
	if (dm_time_parse_epoch(s, &t)) {
		prints_and_reads_back(t, &out);
		dm_buf_clear(&out);
		dm_buf_str(&out, t < 0 ? "-" : "");
		dm_buf_u64(&out, (uint64_t)(t < 0 ? -t : t) / DM_US);
		dm_buf_printf(&out, ".%06u", (unsigned)((uint64_t)(t < 0 ? -t : t) % DM_US));
		assert(dm_time_parse_epoch(dm_buf_view(&out), &back) && back == t);
	}
	if (size >= 8) {
		memcpy(&t, data, 8);
		dm_buf_clear(&out);
		dm_time_put(&out, t);
		dm_time_put_full(&out, t);
		dm_day_put(&out, dm_day_of(t));
		dm_duration_put(&out, t);
		assert(!out.err);
	}
	dm_buf_done(&out);
	return 0;
}
