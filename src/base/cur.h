/* cur.h: a read cursor over bytes from a stranger, with a sticky error: read ten fields, look once.
 *
 * After a read past the end `bad` is set, every later read returns 0 or an empty view, and nothing is
 * touched.
 */
#ifndef DM_BASE_CUR_H
#define DM_BASE_CUR_H

#include "base/sv.h"

struct dm_cur {
	const uint8_t *p;
	size_t n, at;
	bool bad;
};

static inline struct dm_cur dm_cur(const void *p, size_t n)
{
	return (struct dm_cur){.p = p, .n = n};
}
static inline size_t dm_cur_left(const struct dm_cur *c)
{
	return c->bad ? 0 : c->n - c->at;
}
static inline const uint8_t *dm_cur_take(struct dm_cur *c, size_t n)
{
	if (c->bad || c->n - c->at < n) {
		c->bad = true;
		return NULL;
	}
	c->at += n;
	return c->p + c->at - n;
}
static inline struct dm_sv dm_cur_sv(struct dm_cur *c, size_t n)
{
	const uint8_t *p = dm_cur_take(c, n);
	return p ? dm_sv((const char *)p, n) : dm_sv("", 0);
}
static inline void dm_cur_skip(struct dm_cur *c, size_t n)
{
	(void)dm_cur_take(c, n);
}
static inline uint8_t dm_cur_u8(struct dm_cur *c)
{
	const uint8_t *p = dm_cur_take(c, 1);
	return p ? p[0] : 0;
}
static inline uint16_t dm_cur_u16be(struct dm_cur *c)
{
	const uint8_t *p = dm_cur_take(c, 2);
	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}
static inline uint32_t dm_cur_u24be(struct dm_cur *c)
{
	const uint8_t *p = dm_cur_take(c, 3);
	return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}
static inline uint32_t dm_cur_u32be(struct dm_cur *c)
{
	const uint8_t *p = dm_cur_take(c, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}
static inline uint64_t dm_load_le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}
static inline uint16_t dm_cur_u16le(struct dm_cur *c)
{
	const uint8_t *p = dm_cur_take(c, 2);
	return p ? (uint16_t)dm_load_le(p, 2) : 0;
}
static inline uint32_t dm_cur_u32le(struct dm_cur *c)
{
	const uint8_t *p = dm_cur_take(c, 4);
	return p ? (uint32_t)dm_load_le(p, 4) : 0;
}
static inline uint64_t dm_cur_u64le(struct dm_cur *c)
{
	const uint8_t *p = dm_cur_take(c, 8);
	return p ? dm_load_le(p, 8) : 0;
}
static inline uint64_t dm_cur_varint(struct dm_cur *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = dm_cur_u8(c);
		if (c->bad)
			return 0;
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

#endif
