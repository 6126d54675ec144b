/* Every kind of observable from any bytes: the first byte is the type, the second whether evidence or an
 * indicator is read. What is read has a text whose key is the same, and a guess is always right about what it
 * says. */
#include <assert.h>
#include "base/limits.h"
#include "model/observable.h"

static void key_text_key(enum dm_obs_type t, struct dm_sv raw, bool lenient)
{
	bool (*read)(enum dm_obs_type, struct dm_sv, struct dm_buf *, enum dm_obs_type *) =
		lenient ? dm_obs_key_lenient : dm_obs_key;
	struct dm_buf key, text, again;
	enum dm_obs_type exact, exact2;

	dm_buf_init(&key, 1u << 20);
	dm_buf_init(&text, 1u << 20);
	dm_buf_init(&again, 1u << 20);
	if (read(t, raw, &key, &exact)) {
		assert(key.n);
		dm_obs_text(exact, dm_buf_view(&key), &text);
		/* Text may be longer than the limit by what was added to it. */
		if (text.n <= DM_MAX_VALUE && (lenient || t != DM_OBS_URL || text.n <= DM_MAX_URL)) {
			bool ok = read(exact, dm_buf_view(&text), &again, &exact2);
			assert(ok && exact2 == exact && dm_sv_eq(dm_buf_view(&key), dm_buf_view(&again)));
		}
		dm_buf_clear(&text);
		assert(dm_obs_canonical(t, raw, lenient, &text, &exact2) && exact2 == exact);
	} else {
		assert(key.n == 0);
	}
	dm_buf_done(&key);
	dm_buf_done(&text);
	dm_buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_sv raw, host;
	struct dm_ip first, last;
	enum dm_obs_type t;
	struct dm_buf b;

	if (size < 2 || size > DM_MAX_VALUE)
		return 0;
	raw = dm_sv((const char *)data + 2, size - 2);
	t = (enum dm_obs_type)(data[0] % DM_OBS_TYPES);
	key_text_key(t, raw, data[1] & 1);
	t = dm_obs_guess(raw);
	if (t != DM_OBS_NONE) {
		enum dm_obs_type exact;

		dm_buf_init(&b, 1u << 20);
		assert(dm_obs_key(t, raw, &b, &exact) && exact == t);
		dm_buf_done(&b);
	}
	if (dm_ip_range(raw, &first, &last)) {
		assert(memcmp(&first, &last, 16) <= 0);
		dm_ip_range_reserved(&first, &last);
	}
	dm_url_host(raw, &host);
	dm_obs_from_name(raw);
	/* A corrupt key prints as something. */
	dm_buf_init(&b, 1u << 20);
	dm_obs_text((enum dm_obs_type)data[0], raw, &b);
	dm_buf_done(&b);
	return 0;
}
