#include "import/capture_tap.h"

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_STATISTICS = 5 };
enum { OPT_END = 0, ISB_IFDROP = 5, ISB_OSDROP = 7 };

static uint32_t u32(const struct dm_capture_tap *t, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return t->swap ? __builtin_bswap32(v) : v;
}

static uint16_t u16(const struct dm_capture_tap *t, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return t->swap ? __builtin_bswap16(v) : v;
}

/* Interface, time (12 bytes), then options: code, length, value padded to 4. */
static void statistics(struct dm_capture_tap *t)
{
	size_t at = 12;
	uint64_t sum = 0;
	uint32_t interface = t->body_n >= 12 ? u32(t, t->body) : UINT32_MAX;

	if (interface >= DM_TAP_INTERFACES)
		return;
	while (at + 4 <= t->body_n) {
		uint16_t code = u16(t, t->body + at), n = u16(t, t->body + at + 2);

		at += 4;
		if (code == OPT_END || n > t->body_n - at)
			break;
		if ((code == ISB_IFDROP || code == ISB_OSDROP) && n == 8) {
			uint64_t v;

			memcpy(&v, t->body + at, 8);
			sum += t->swap ? __builtin_bswap64(v) : v;
		}
		at += (n + 3u) & ~3u;
	}
	t->dropped[interface] = sum;
}

uint64_t dm_capture_tap_dropped(const struct dm_capture_tap *t)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DM_TAP_INTERFACES; i++)
		sum += t->dropped[i];
	return sum;
}

/* The head is whole: which block is it, and how much of it follows? */
static void block(struct dm_capture_tap *t)
{
	uint32_t type, length;

	memcpy(&type, t->head, 4);
	if (type == BLOCK_SECTION) {
		uint32_t mark;

		memcpy(&mark, t->head + 8, 4);
		t->swap = mark == 0x4d3c2b1a;
		t->off = !t->swap && mark != 0x1a2b3c4d;
		t->started = true;
	}
	type = u32(t, t->head);
	length = u32(t, t->head + 4);
	if (!t->started || length < 12 || length & 3) {
		t->off = true;
		return;
	}
	t->left = length - 12;
	t->wanted = type == BLOCK_STATISTICS && t->left + 4 <= DM_TAP_BLOCK;
	/* The third word belongs to the body already. */
	memcpy(t->body, t->head + 8, 4);
	t->body_n = 4;
}

void dm_capture_tap_bytes(struct dm_capture_tap *t, const uint8_t *p, size_t n)
{
	while (n && !t->off) {
		size_t take;

		if (!t->left) {
			take = 12 - t->head_n < n ? 12 - t->head_n : n;
			memcpy(t->head + t->head_n, p, take);
			t->head_n += (uint32_t)take;
			p += take;
			n -= take;
			if (t->head_n < 12)
				return;
			t->head_n = 0;
			block(t);
			continue;
		}
		take = t->left < n ? (size_t)t->left : n;
		if (t->wanted) {
			memcpy(t->body + t->body_n, p, take);
			t->body_n += (uint32_t)take;
		}
		t->left -= take;
		p += take;
		n -= take;
		if (!t->left && t->wanted) {
			t->body_n -= 4; /* the length once more */
			statistics(t);
		}
	}
}
