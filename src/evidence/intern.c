#include "evidence/intern.h"

#include <sys/random.h>
#include "base/alloc.h"
#include "base/err.h"

static uint64_t seed(void)
{
	static uint64_t s;
	uint64_t v = __atomic_load_n(&s, __ATOMIC_RELAXED);

	if (!v) {
		if (getrandom(&v, sizeof v, 0) != sizeof v)
			v = (uint64_t)(uintptr_t)&s;
		v |= 1;
		__atomic_store_n(&s, v, __ATOMIC_RELAXED);
	}
	return v;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint32_t hash_bytes(const char *p, size_t n, uint64_t s)
{
	uint64_t h = s ^ (n * 0x9e3779b97f4a7c15ull), a, b;

	while (n > 16) {
		memcpy(&a, p, 8);
		memcpy(&b, p + 8, 8);
		h = mix(a ^ h, b ^ 0xa0761d6478bd642full);
		p += 16;
		n -= 16;
	}
	if (n >= 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + n - 8, 8);
	} else if (n >= 4) {
		uint32_t x, y;
		memcpy(&x, p, 4);
		memcpy(&y, p + n - 4, 4);
		a = x;
		b = y;
	} else {
		a = n ? (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1]
		      : 0;
		b = 0;
	}
	return (uint32_t)mix(a ^ h, b ^ 0xe7037ed1a0b428dbull);
}

static int grow_slots(uint32_t **slots, uint32_t *cap)
{
	uint32_t want = *cap ? *cap * 2 : 256;
	uint32_t *s;

	if (want < *cap)
		return DM_ENOMEM;
	s = dm_calloc(want, sizeof *s);
	if (!s)
		return DM_ENOMEM;
	dm_free(*slots);
	*slots = s;
	*cap = want;
	return DM_OK;
}

void dm_intern_done(struct dm_intern *t)
{
	dm_free(t->slots);
	dm_free(t->e);
	dm_buf_done(&t->heap);
	*t = (struct dm_intern){0};
}

uint32_t dm_intern(struct dm_intern *t, uint8_t tag, struct dm_sv s)
{
	uint32_t h, at;

	if ((t->n + 1) * 2 > t->cap) {
		if (grow_slots(&t->slots, &t->cap))
			return DM_INTERN_FAILED;
		for (uint32_t i = 0; i < t->n; i++) {
			for (at = t->e[i].hash & (t->cap - 1); t->slots[at]; at = (at + 1) & (t->cap - 1))
				;
			t->slots[at] = i + 1;
		}
		if (!t->heap.max)
			dm_buf_init(&t->heap, SIZE_MAX / 4);
	}
	h = hash_bytes(s.p, s.n, seed() + tag);
	for (at = h & (t->cap - 1); t->slots[at]; at = (at + 1) & (t->cap - 1)) {
		const struct dm_intern_entry *e = &t->e[t->slots[at] - 1];
		if (e->hash == h && e->len == s.n && e->tag == tag &&
		    (!s.n || !memcmp(t->heap.p + e->at, s.p, s.n)))
			return t->slots[at] - 1;
	}
	if (t->n >= DM_INTERN_FAILED - 1 || dm_grow((void **)&t->e, &t->e_cap, t->n + 1, sizeof *t->e))
		return DM_INTERN_FAILED;
	t->e[t->n] = (struct dm_intern_entry){.hash = h, .len = (uint32_t)s.n, .at = t->heap.n, .tag = tag};
	dm_buf_sv(&t->heap, s);
	if (t->heap.err)
		return DM_INTERN_FAILED;
	t->slots[at] = (uint32_t)++t->n;
	return (uint32_t)t->n - 1;
}

void dm_intern32_done(struct dm_intern32 *t)
{
	dm_free(t->slots);
	dm_free(t->v);
	*t = (struct dm_intern32){0};
}

uint32_t dm_intern32(struct dm_intern32 *t, uint32_t v)
{
	uint64_t s = seed();
	uint32_t at;

	if ((t->n + 1) * 2 > t->cap) {
		if (grow_slots(&t->slots, &t->cap))
			return DM_INTERN_FAILED;
		for (uint32_t i = 0; i < t->n; i++) {
			for (at = (uint32_t)mix(t->v[i] ^ s, 0xa0761d6478bd642full) & (t->cap - 1);
			     t->slots[at]; at = (at + 1) & (t->cap - 1))
				;
			t->slots[at] = i + 1;
		}
	}
	for (at = (uint32_t)mix(v ^ s, 0xa0761d6478bd642full) & (t->cap - 1); t->slots[at];
	     at = (at + 1) & (t->cap - 1))
		if (t->v[t->slots[at] - 1] == v)
			return t->slots[at] - 1;
	if (dm_grow((void **)&t->v, &t->v_cap, t->n + 1, sizeof *t->v))
		return DM_INTERN_FAILED;
	t->v[t->n] = v;
	t->slots[at] = (uint32_t)++t->n;
	return (uint32_t)t->n - 1;
}

void dm_intern64_done(struct dm_intern64 *t)
{
	dm_free(t->slots);
	dm_free(t->v);
	*t = (struct dm_intern64){0};
}

void dm_intern64_clear(struct dm_intern64 *t)
{
	if (t->slots)
		memset(t->slots, 0, t->cap * sizeof *t->slots);
	t->n = 0;
}

uint32_t dm_intern64(struct dm_intern64 *t, uint64_t v)
{
	uint64_t s = seed();
	uint32_t at;

	if ((t->n + 1) * 2 > t->cap) {
		if (grow_slots(&t->slots, &t->cap))
			return DM_INTERN_FAILED;
		for (uint32_t i = 0; i < t->n; i++) {
			for (at = (uint32_t)mix(t->v[i] ^ s, 0xa0761d6478bd642full) & (t->cap - 1);
			     t->slots[at]; at = (at + 1) & (t->cap - 1))
				;
			t->slots[at] = i + 1;
		}
	}
	for (at = (uint32_t)mix(v ^ s, 0xa0761d6478bd642full) & (t->cap - 1); t->slots[at];
	     at = (at + 1) & (t->cap - 1))
		if (t->v[t->slots[at] - 1] == v)
			return t->slots[at] - 1;
	if (dm_grow((void **)&t->v, &t->v_cap, t->n + 1, sizeof *t->v))
		return DM_INTERN_FAILED;
	t->v[t->n] = v;
	t->slots[at] = (uint32_t)++t->n;
	return (uint32_t)t->n - 1;
}
