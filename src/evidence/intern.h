/* intern.h: a set of distinct short byte strings, numbered in the order of their first appearance. Seeded, so
 * that a file can't choose collisions. */
#ifndef DM_EVIDENCE_INTERN_H
#define DM_EVIDENCE_INTERN_H

#include "base/buf.h"

#define DM_INTERN_FAILED UINT32_MAX

struct dm_intern_entry {
	uint32_t hash, len;
	uint64_t at; /* offset of the bytes in heap */
	uint8_t tag; /* part of the identity: the observable type */
};

struct dm_intern {
	uint32_t *slots; /* number + 1; 0: free */
	uint32_t cap;	 /* power of two */
	struct dm_intern_entry *e;
	size_t n, e_cap;
	struct dm_buf heap;
};

/* Zero-initialised is a valid empty set. */
void dm_intern_done(struct dm_intern *t);
/* Number of (tag, s), added if new; DM_INTERN_FAILED if out of memory. */
uint32_t dm_intern(struct dm_intern *t, uint8_t tag, struct dm_sv s);
static inline struct dm_sv dm_intern_text(const struct dm_intern *t, uint32_t i)
{
	return dm_sv(t->heap.p + t->e[i].at, t->e[i].len);
}

/* The same for 32-bit values. */
struct dm_intern32 {
	uint32_t *slots, *v;
	uint32_t cap;
	size_t n, v_cap;
};
void dm_intern32_done(struct dm_intern32 *t);
uint32_t dm_intern32(struct dm_intern32 *t, uint32_t v);
/* The same for 64-bit values. */
struct dm_intern64 {
	uint32_t *slots;
	uint64_t *v;
	uint32_t cap;
	size_t n, v_cap;
};
void dm_intern64_done(struct dm_intern64 *t);
void dm_intern64_clear(struct dm_intern64 *t);
uint32_t dm_intern64(struct dm_intern64 *t, uint64_t v);

#endif
