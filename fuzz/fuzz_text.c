/* Numbers, hex and splitting of base/sv.h, with the integer printer of base/buf.h as oracle: what is read as
 * a number prints back to the same value, and the parts of a split are the whole. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sv.h"

static void numbers_survive_a_round_trip(struct dm_sv s)
{
	struct dm_buf out;
	uint64_t u, u2;
	int64_t i, i2;

	dm_buf_init(&out, 64);
	if (dm_sv_u64(s, &u)) {
		dm_buf_u64(&out, u);
		assert(dm_sv_u64(dm_buf_view(&out), &u2) && u2 == u);
	}
	dm_buf_clear(&out);
	if (dm_sv_i64(s, &i)) {
		dm_buf_i64(&out, i);
		assert(dm_sv_i64(dm_buf_view(&out), &i2) && i2 == i);
	}
	dm_buf_done(&out);
}

static void hex_survives_a_round_trip(struct dm_sv s)
{
	uint8_t bytes[64];
	struct dm_buf out;

	if (s.n > 2 * sizeof(bytes) || s.n % 2 || !dm_sv_unhex(s, bytes, s.n / 2))
		return;
	dm_buf_init(&out, 2 * sizeof(bytes));
	dm_buf_hex(&out, bytes, s.n / 2);
	assert(dm_sv_ieq(dm_buf_view(&out), s));
	dm_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_sv whole = dm_sv((const char *)data, size), rest = whole;
	size_t total = 0, parts = 0;

	while (rest.p) {
		struct dm_sv part = dm_sv_split(&rest, ',');

		numbers_survive_a_round_trip(dm_sv_trim(part));
		hex_survives_a_round_trip(dm_sv_trim(part));
		total += part.n;
		parts++;
	}
	assert(total + parts - 1 == size);
	return 0;
}
