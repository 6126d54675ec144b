/* sv.h: a view of bytes that somebody else owns; not NUL-terminated. The owner must outlive the view. */
#ifndef DM_BASE_SV_H
#define DM_BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dm_sv {
	const char *p;
	size_t n;
};

#define DM_SV(lit) ((struct dm_sv){(lit), sizeof(lit) - 1})

static inline struct dm_sv dm_sv(const char *p, size_t n)
{
	return (struct dm_sv){p, n};
}

static inline struct dm_sv dm_sv_str(const char *s)
{
	return (struct dm_sv){s, s ? strlen(s) : 0};
}

static inline bool dm_sv_eq(struct dm_sv a, struct dm_sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool dm_sv_is(struct dm_sv a, const char *s)
{
	return a.n == strlen(s) && memcmp(a.p, s, a.n) == 0;
}

/* Byte order, shorter first on a tie. */
static inline int dm_sv_cmp(struct dm_sv a, struct dm_sv b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

static inline bool dm_sv_starts(struct dm_sv a, struct dm_sv prefix)
{
	return a.n >= prefix.n && memcmp(a.p, prefix.p, prefix.n) == 0;
}

static inline bool dm_sv_ends(struct dm_sv a, struct dm_sv suffix)
{
	return a.n >= suffix.n && memcmp(a.p + a.n - suffix.n, suffix.p, suffix.n) == 0;
}

static inline struct dm_sv dm_sv_from(struct dm_sv a, size_t start)
{
	return start >= a.n ? dm_sv(a.p + a.n, 0) : dm_sv(a.p + start, a.n - start);
}

bool dm_sv_ieq(struct dm_sv a, struct dm_sv b); /* ASCII case ignored */
struct dm_sv dm_sv_trim(struct dm_sv a);	/* without ASCII white space at both ends */
/* First occurrence of c; SIZE_MAX if none. */
size_t dm_sv_find(struct dm_sv a, char c);
/* Cut `*rest` at the first c: returns the part before, `*rest` becomes the part after (empty and p == NULL at
 * the end). */
struct dm_sv dm_sv_split(struct dm_sv *rest, char c);
/* Decimal numbers without white space; false if not wholly a number in range. */
bool dm_sv_u64(struct dm_sv a, uint64_t *ret);
bool dm_sv_i64(struct dm_sv a, int64_t *ret);
/* Hex digits to bytes: a.n must be 2 * n. */
bool dm_sv_unhex(struct dm_sv a, uint8_t *out, size_t n);

#endif
