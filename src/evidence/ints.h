/* ints.h: a column of integers, bit-packed in blocks that can be addressed directly: value i costs a few
 * nanoseconds and no decoding of others.
 *
 * A block holds 2^shift values as (value - base) in w bits; values that would need more are exceptions, kept
 * aside with their position. Where one value fills most of the block w is 0 and everything else is an
 * exception. DM_NO_INT ("absent") is stored as 0 under a flag.
 *
 * Layout, little-endian: u32 n, u32 shift, directory of 16 bytes a block {i64 base, u32 offset, u16
 * exceptions, u8 width | 0x80 if absent values occur, u8 exception width}, body; 8 bytes of zero at the end
 * so that an 8-byte load never leaves the section. Readers trust nothing: every access is bounded by the
 * section.
 */
#ifndef DM_EVIDENCE_INTS_H
#define DM_EVIDENCE_INTS_H

#include "base/buf.h"
#include "base/err.h"
#include "model/record.h"

#define DM_INTS_SHIFT	   10 /* DM_BLOCK_ROWS */
#define DM_INTS_TIME_SHIFT 7  /* sorted times: a nearer base saves more than the directory costs */

struct dm_ints {
	const uint8_t *dir, *body;
	size_t body_n;
	uint32_t n, shift;
	int64_t constant; /* the value of all, if is_constant */
	bool is_constant;
};

/* Append v[0..n) to out. */
void dm_ints_write(struct dm_buf *out, const int64_t *v, uint32_t n, uint32_t shift);
/* Bits that dm_ints_write would take, about. */
uint64_t dm_ints_cost(const int64_t *v, uint32_t n, uint32_t shift);
/* DM_ECORRUPT if the section can't be one. The bytes must outlive ret. */
int dm_ints_open(struct dm_ints *ret, const uint8_t *p, size_t n, struct dm_err *err);
/* Value i; DM_NO_INT if absent, out of range or the block is corrupt. */
int64_t dm_ints_get(const struct dm_ints *c, uint32_t i);
/* Values [from, from + n) into out: the fast way for many. */
void dm_ints_range(const struct dm_ints *c, uint32_t from, uint32_t n, int64_t *out);

#endif
