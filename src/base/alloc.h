/* alloc.h: the only way to the heap. One place, so that a fault build can fail the N-th allocation.
 *
 * dm_alloc and friends return NULL when out of memory or when DM_FAULT_ALLOC=N says so; callers return
 * DM_ENOMEM.
 */
#ifndef DM_BASE_ALLOC_H
#define DM_BASE_ALLOC_H

#include <stddef.h>
#include "base/sv.h"

void *dm_alloc(size_t size);			  /* uninitialised */
void *dm_calloc(size_t n, size_t size);		  /* zeroed, n * size checked */
void *dm_realloc(void *p, size_t n, size_t size); /* n * size checked; p stays valid on failure */
void dm_free(void *p);				  /* NULL is fine */
char *dm_strdup(const char *s);			  /* NULL on failure */
char *dm_strndup(struct dm_sv s);		  /* NUL-terminated copy */

/* Grow `*p` (elements of `size` bytes, capacity `*cap`) so that it holds `need`; doubles. 0 or DM_ENOMEM. */
int dm_grow(void **p, size_t *cap, size_t need, size_t size);

/* An arena: many small allocations that die together. Not thread-safe. Zero-initialised is a valid empty
 * arena. */
struct dm_arena {
	struct dm_arena_chunk *head;
	size_t used; /* bytes handed out */
	size_t max;  /* 0: no bound */
};

void *dm_arena_alloc(struct dm_arena *a,
		     size_t size); /* 16-byte aligned, uninitialised; NULL if out of memory or over max */
struct dm_sv dm_arena_copy(struct dm_arena *a,
			   struct dm_sv s); /* copy with a NUL behind; p NULL on failure */
void dm_arena_reset(struct dm_arena *a);    /* forget all, keep one chunk */
void dm_arena_done(struct dm_arena *a);	    /* free all */

#endif
