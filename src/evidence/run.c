#include "evidence/run.h"

#include <stdio.h>
#include <xxhash.h>
#include "base/cur.h"
#include "base/limits.h"
#include "evidence/run_format.h"

static int refuse(struct dm_err *err, const char *what)
{
	dm_fail(err, DM_ECORRUPT, "the store-wide dictionary is damaged: %s", what);
	return dm_err_remedy(err, "run `demarche compact --rebuild`: it is made anew from the segments");
}

static size_t width_of(enum dm_obs_type t)
{
	return t == DM_OBS_IPV4 ? 4 : t == DM_OBS_IPV6 ? 16 : 0;
}

static const uint8_t *at(const struct dm_run *r, const struct dm_section *s)
{
	return s->offset <= r->map.n && s->length <= r->map.n - s->offset ? r->map.p + s->offset : NULL;
}

static int open_type(struct dm_run *r, struct dm_run_type *t, const struct dm_run_type_desc *d)
{
	size_t w = width_of(d->type);
	const uint8_t *p[6] = {at(r, &d->keys), at(r, &d->count),    at(r, &d->first),
			       at(r, &d->span), at(r, &d->cells_at), at(r, &d->cells)};

	for (size_t i = 0; i < 6; i++)
		if (!p[i])
			return DM_ECORRUPT;
	t->type = d->type;
	t->n = d->n;
	t->cells = p[5];
	t->cells_n = d->cells.length;
	if (w) {
		t->keys = p[0];
		if (d->keys.length != (uint64_t)t->n * w)
			return DM_ECORRUPT;
	} else if (dm_strings_open(&t->strings, p[0], d->keys.length, NULL) || t->strings.n != t->n) {
		return DM_ECORRUPT;
	}
	t->strings.walk = true;
	if (dm_ints_open(&t->count, p[1], d->count.length, NULL) ||
	    dm_ints_open(&t->first, p[2], d->first.length, NULL) ||
	    dm_ints_open(&t->span, p[3], d->span.length, NULL) ||
	    dm_ints_open(&t->cells_at, p[4], d->cells_at.length, NULL))
		return DM_ECORRUPT;
	return DM_OK;
}

/* The directory is read once and kept: a file cut while it is mapped must not change what was checked. */
static int open_mapped(struct dm_run *r, struct dm_err *err)
{
	struct dm_run_header own, *h = &own;
	const struct dm_run_type_desc *d;
	uint32_t types;

	if (r->map.n < sizeof *h)
		return refuse(err, "it is no run file");
	memcpy(h, r->map.p, sizeof *h);
	if (memcmp(h->magic, DM_RUN_MAGIC, 8))
		return refuse(err, "it is no run file");
	if (h->version > DM_RUN_VERSION || h->features)
		return dm_fail(err, DM_EVERSION, "the run was written by a newer version of demarche");
	if (XXH3_64bits(h, offsetof(struct dm_run_header, sum)) != h->sum)
		return refuse(err, "its header fails the checksum");
	if (h->size != r->map.n || h->directory > r->map.n || h->directory_n > r->map.n - h->directory ||
	    h->n_types >= DM_OBS_TYPES ||
	    h->directory_n !=
		    (uint64_t)h->n_types * sizeof *d + (uint64_t)h->n_cells * sizeof(struct dm_cell))
		return refuse(err, "it has the wrong length");
	r->directory = dm_alloc(h->directory_n);
	if (!r->directory)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	memcpy(r->directory, r->map.p + h->directory, h->directory_n);
	if (XXH3_64bits(r->directory, h->directory_n) != h->directory_sum)
		return refuse(err, "its directory fails the checksum");
	d = r->directory;
	types = h->n_types;
	r->n_cells = h->n_cells;
	r->cell = (const void *)(d + types);
	for (uint32_t i = 0; i < types; i++) {
		r->n_types = i + 1;
		if (d[i].type >= DM_OBS_TYPES || open_type(r, &r->type[i], &d[i]))
			return refuse(err, "a section lies outside the file");
		r->n_keys += d[i].n;
	}
	return DM_OK;
}

int dm_run_open(struct dm_run **ret, int dirfd, const char *name, uint64_t size, struct dm_err *err)
{
	struct dm_run *r = dm_calloc(1, sizeof *r);
	int rc;

	if (!r)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	snprintf(r->name, sizeof r->name, "%s", name);
	rc = dm_map_open(&r->map, dirfd, name, size, err);
	if (!rc)
		rc = open_mapped(r, err);
	if (rc) {
		dm_err_source(err, name);
		dm_run_close(r);
		return rc;
	}
	*ret = r;
	return DM_OK;
}

void dm_run_close(struct dm_run *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->n_types; i++)
		dm_strings_close(&r->type[i].strings);
	dm_free(r->directory);
	if (r->map.p)
		dm_map_close(&r->map);
	dm_free(r);
}

int dm_run_verify(struct dm_run *r, struct dm_run_type *t, struct dm_err *err)
{
	const struct dm_run_type_desc *d = (const struct dm_run_type_desc *)r->directory + (t - r->type);
	const struct dm_section *s[6] = {&d->keys, &d->count, &d->first, &d->span, &d->cells_at, &d->cells};

	for (size_t k = 0; k < 6 && !t->verified; k++)
		if (XXH3_64bits(r->map.p + s[k]->offset, s[k]->length) != s[k]->sum) {
			refuse(err, "a section fails its checksum");
			dm_err_source(err, r->name);
			return DM_ECORRUPT;
		}
	t->verified = true;
	return dm_map_check(&r->map, err);
}

int dm_run_check(struct dm_run *r, struct dm_err *err)
{
	int rc = DM_OK;

	for (uint32_t i = 0; i < r->n_types && !rc; i++)
		rc = dm_run_verify(r, &r->type[i], err);
	return rc;
}

struct dm_run_type *dm_run_type(struct dm_run *r, enum dm_obs_type t)
{
	for (uint32_t i = 0; i < r->n_types; i++)
		if (r->type[i].type == t)
			return &r->type[i];
	return NULL;
}

struct dm_sv dm_run_key(struct dm_run_type *t, uint32_t i)
{
	size_t w = width_of(t->type);

	return w ? dm_sv((const char *)t->keys + (size_t)i * w, w) : dm_strings_get(&t->strings, i);
}

static inline uint32_t v4_at(const struct dm_run_type *t, uint32_t i)
{
	uint32_t be;

	memcpy(&be, t->keys + (size_t)i * 4, 4);
	return __builtin_bswap32(be);
}

static uint32_t seek_v4(const struct dm_run_type *t, uint32_t from, struct dm_sv key, bool *ret_equal)
{
	uint32_t want, step = 1, lo = from, hi;

	memcpy(&want, key.p, 4);
	want = __builtin_bswap32(want);
	while (lo + step < t->n && v4_at(t, lo + step) < want) {
		lo += step;
		step *= 2;
	}
	hi = t->n - lo <= step ? t->n : lo + step + 1;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (v4_at(t, mid) < want)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_equal = lo < t->n && v4_at(t, lo) == want;
	return lo;
}

/* Strings: nearby first (a merge walks chunk by chunk), then by the heads of the chunks. */
static uint32_t seek_text(struct dm_run_type *t, uint32_t from, struct dm_sv key, bool *ret_equal)
{
	uint32_t end = (from / 128 + 1) * 128, lo = from, hi;

	if (from >= t->n)
		return t->n;
	if (end > t->n)
		end = t->n;
	if (dm_sv_cmp(dm_run_key(t, end - 1), key) < 0)
		return dm_strings_find(&t->strings, key, ret_equal);
	hi = end;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = dm_sv_cmp(dm_run_key(t, mid), key);
		if (!c) {
			*ret_equal = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t dm_run_seek(struct dm_run_type *t, uint32_t from, struct dm_sv key, bool *ret_equal)
{
	uint32_t lo = from, hi = t->n;

	*ret_equal = false;
	if (t->type == DM_OBS_IPV4 && key.n == 4)
		return seek_v4(t, from, key, ret_equal);
	if (t->type != DM_OBS_IPV6)
		return seek_text(t, from, key, ret_equal);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = dm_sv_cmp(dm_run_key(t, mid), key);
		if (!c)
			*ret_equal = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct dm_run_summary dm_run_summary(const struct dm_run_type *t, uint32_t i)
{
	int64_t count = dm_ints_get(&t->count, i), first = dm_ints_get(&t->first, i),
		span = dm_ints_get(&t->span, i);

	return (struct dm_run_summary){
		.count = count < 0 ? 0 : (uint64_t)count,
		.first = first,
		.last = first == DM_NO_TIME || span < 0 ? DM_NO_TIME
							: (int64_t)((uint64_t)first + (uint64_t)span),
	};
}

int dm_run_cells(const struct dm_run *r, const struct dm_run_type *t, uint32_t i,
		 int (*each)(void *ctx, uint32_t cell, uint64_t rows), void *ctx)
{
	int64_t from = dm_ints_get(&t->cells_at, i), to = dm_ints_get(&t->cells_at, i + 1);
	struct dm_cur c;
	uint64_t cell = 0, cell_n = 0;

	if (from < 0 || to < from || (uint64_t)to > t->cells_n)
		return DM_ECORRUPT;
	c = dm_cur(t->cells + from, (size_t)(to - from));
	while (dm_cur_left(&c)) {
		uint64_t rows;
		int rc;

		cell += dm_cur_varint(&c);
		rows = dm_cur_left(&c) || cell_n++ ? dm_cur_varint(&c) : (uint64_t)dm_ints_get(&t->count, i);
		if (c.bad || cell >= r->n_cells)
			return DM_ECORRUPT;
		rc = each(ctx, (uint32_t)cell, rows);
		if (rc)
			return rc;
	}
	return DM_OK;
}
