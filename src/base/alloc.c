#include "base/alloc.h"

#include <stdlib.h>
#include "base/err.h"

#define CHUNK_SIZE 65536u

struct dm_arena_chunk {
	struct dm_arena_chunk *next;
	size_t cap, used;
	_Alignas(16) char data[];
};

#ifdef DM_FAULT_BUILD
/* DM_FAULT_ALLOC=N fails the N-th allocation, DM_FAULT_ALLOC=N+ that and every later one. */
static bool fault_now(void)
{
	static long at = -1, count;
	static bool persistent;

	if (at == -1) {
		const char *s = getenv("DM_FAULT_ALLOC");
		char *end = NULL;
		at = s ? strtol(s, &end, 10) : 0;
		persistent = end && *end == '+';
	}
	if (at <= 0)
		return false;
	count = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	return persistent ? count >= at : count == at;
}
#else
#define fault_now() false
#endif

void *dm_alloc(size_t size)
{
	return fault_now() ? NULL : malloc(size ? size : 1);
}

void *dm_calloc(size_t n, size_t size)
{
	return fault_now() ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *dm_realloc(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total) || fault_now())
		return NULL;
	return realloc(p, total ? total : 1);
}

void dm_free(void *p)
{
	free(p);
}

char *dm_strndup(struct dm_sv s)
{
	char *copy = dm_alloc(s.n + 1);

	if (!copy)
		return NULL;
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = 0;
	return copy;
}

char *dm_strdup(const char *s)
{
	return dm_strndup(dm_sv_str(s));
}

int dm_grow(void **p, size_t *cap, size_t need, size_t size)
{
	size_t want = *cap ? *cap : 16;
	void *grown;

	if (need <= *cap)
		return DM_OK;
	while (want < need)
		if (__builtin_mul_overflow(want, 2u, &want))
			return DM_ENOMEM;
	grown = dm_realloc(*p, want, size);
	if (!grown)
		return DM_ENOMEM;
	*p = grown;
	*cap = want;
	return DM_OK;
}

void *dm_arena_alloc(struct dm_arena *a, size_t size)
{
	struct dm_arena_chunk *c = a->head;
	size_t need, cap;

	if (__builtin_add_overflow(size, 15u, &need))
		return NULL;
	need &= ~(size_t)15;
	if (a->max && (need > a->max || a->used > a->max - need))
		return NULL;
	if (!c || c->cap - c->used < need) {
		cap = need > CHUNK_SIZE ? need : CHUNK_SIZE;
		c = dm_alloc(sizeof *c + cap);
		if (!c)
			return NULL;
		c->cap = cap;
		c->used = 0;
		c->next = a->head;
		a->head = c;
	}
	a->used += need;
	c->used += need;
	return c->data + c->used - need;
}

struct dm_sv dm_arena_copy(struct dm_arena *a, struct dm_sv s)
{
	char *copy = dm_arena_alloc(a, s.n + 1);

	if (!copy)
		return dm_sv(NULL, 0);
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = 0;
	return dm_sv(copy, s.n);
}

void dm_arena_reset(struct dm_arena *a)
{
	struct dm_arena_chunk *keep = NULL;

	while (a->head) {
		struct dm_arena_chunk *next = a->head->next;
		if (!keep && a->head->cap == CHUNK_SIZE)
			keep = a->head;
		else
			dm_free(a->head);
		a->head = next;
	}
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
	a->head = keep;
	a->used = 0;
}

void dm_arena_done(struct dm_arena *a)
{
	while (a->head) {
		struct dm_arena_chunk *next = a->head->next;
		dm_free(a->head);
		a->head = next;
	}
	a->used = 0;
}
