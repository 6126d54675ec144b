/* buf.h: a growing byte buffer with a mandatory maximum and a sticky error.
 *
 * Append as often as you like, look at `err` once: after the first failure every append is a no-op.
 * The buffer owns its bytes; dm_buf_done frees them.
 */
#ifndef DM_BASE_BUF_H
#define DM_BASE_BUF_H

#include "base/sv.h"

struct dm_buf {
	char *p;
	size_t n, cap, max;
	int err; /* 0, DM_ENOMEM or DM_ELIMIT */
};

void dm_buf_init(struct dm_buf *b, size_t max);
void dm_buf_done(struct dm_buf *b);
void dm_buf_clear(struct dm_buf *b); /* empty, error forgotten, memory kept */
/* Room for n more bytes at b->p + b->n; false on failure (sticky). The caller then adds to b->n. */
bool dm_buf_room_slow(struct dm_buf *b, size_t n);
static inline bool dm_buf_room(struct dm_buf *b, size_t n)
{
	return !b->err && b->cap - b->n >= n ? true : dm_buf_room_slow(b, n);
}
static inline void dm_buf_put(struct dm_buf *b, const void *p, size_t n)
{
	if (n && dm_buf_room(b, n)) {
		memcpy(b->p + b->n, p, n);
		b->n += n;
	}
}
static inline void dm_buf_putc(struct dm_buf *b, char c)
{
	if (dm_buf_room(b, 1))
		b->p[b->n++] = c;
}
static inline void dm_buf_sv(struct dm_buf *b, struct dm_sv s)
{
	dm_buf_put(b, s.p, s.n);
}
void dm_buf_str(struct dm_buf *b, const char *s);
void dm_buf_u64(struct dm_buf *b, uint64_t v); /* decimal */
void dm_buf_i64(struct dm_buf *b, int64_t v);
void dm_buf_hex(struct dm_buf *b, const uint8_t *p, size_t n);
void dm_buf_printf(struct dm_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* NUL-terminated view of the content ("" on error); valid until the next append. */
const char *dm_buf_cstr(struct dm_buf *b);
static inline struct dm_sv dm_buf_view(const struct dm_buf *b)
{
	return dm_sv(b->p, b->n);
}
/* Little-endian integers and LEB128, the encodings of our own files and frames. */
void dm_buf_u16le(struct dm_buf *b, uint16_t v);
void dm_buf_u32le(struct dm_buf *b, uint32_t v);
void dm_buf_u64le(struct dm_buf *b, uint64_t v);
void dm_buf_varint(struct dm_buf *b, uint64_t v);

#endif
