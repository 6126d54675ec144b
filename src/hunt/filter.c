/* filter.c: after the match: which indicators to keep, and which of those found are on a warning list. */
#include <stdio.h>
#include "base/cur.h"
#include "hunt/hunt.h"
#include "hunt/set_format.h"

static struct dm_set_type *type_of(struct dm_set *s, enum dm_obs_type t)
{
	for (uint32_t i = 0; i < s->n_types; i++)
		if (s->type[i].type == t)
			return &s->type[i];
	return NULL;
}

static bool holds_key(struct dm_set *s, enum dm_obs_type t, struct dm_sv key)
{
	struct dm_set_type *x = type_of(s, t);
	uint32_t lo = 0, hi = x ? x->n : 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = dm_sv_cmp(dm_set_key(x, mid), key);
		if (!c)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool in_range(const struct dm_set *s, enum dm_obs_type t, struct dm_sv key)
{
	uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};

	if (t == DM_OBS_IPV4 && key.n == 4)
		memcpy(ip + 12, key.p, 4);
	else if (t == DM_OBS_IPV6 && key.n == 16)
		memcpy(ip, key.p, 16);
	else
		return false;
	for (uint32_t i = 0; i < s->n_ranges; i++) { /* ascending by first; ranges may overlap */
		const uint8_t *e = s->ranges + (size_t)i * DM_SET_RANGE;
		if (memcmp(e, ip, 16) > 0)
			break;
		if (memcmp(e + 16, ip, 16) >= 0)
			return true;
	}
	return false;
}

/* Is the name, or one above it, a suffix? Each label boundary is one look-up. */
static bool below_suffix(struct dm_set *s, struct dm_sv key)
{
	for (size_t n = 1; n <= key.n; n++) {
		struct dm_sv head = dm_sv(key.p, n);
		uint32_t lo = 0, hi = s->n_suffixes;

		if (n < key.n && key.p[n] != 0x01)
			continue;
		while (lo < hi) {
			uint32_t mid = lo + (hi - lo) / 2;
			if (dm_sv_cmp(dm_strings_get(&s->suffixes, mid), head) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < s->n_suffixes && dm_sv_eq(dm_strings_get(&s->suffixes, lo), head))
			return true;
	}
	return false;
}

bool dm_set_holds(struct dm_set *s, enum dm_obs_type t, struct dm_sv key)
{
	return holds_key(s, t, key) || in_range(s, t, key) || (t == DM_OBS_DOMAIN && below_suffix(s, key));
}

int dm_hunt_warnings(struct dm_hunt *h, struct dm_err *err)
{
	for (size_t i = 0; i < h->snap.n_sets && h->n_values; i++) {
		const struct dm_set_row *row = &h->snap.set[i];
		struct dm_set *list;
		int rc;

		if (!row->warning)
			continue;
		rc = dm_set_open(&list, h->store->intel_fd, row->file.p, row->bytes, err);
		if (rc)
			return rc;
		for (size_t v = 0; v < h->n_values; v++) {
			const struct dm_hunt_value *x = &h->value[v];

			if (!dm_set_holds(list, x->type, x->key))
				continue;
			for (uint32_t k = 0; k < x->n_links; k++) {
				struct dm_hunt_ref *r = &h->ref[h->link[x->first_link + k]];
				if (!r->warning)
					r->warning = row->name.p;
			}
		}
		dm_set_close(list);
	}
	return DM_OK;
}

int dm_hunt_filter(struct dm_hunt *h,
		   bool (*keep)(void *ctx, const struct dm_hunt_ref *r, const struct dm_indicator *ind),
		   void *ctx, struct dm_err *err)
{
	uint32_t *moved = dm_alloc((h->n_refs + 1) * sizeof *moved), n = 0;
	size_t values = 0, hits = 0;
	uint32_t *value_at = dm_alloc((h->n_values + 1) * sizeof *value_at);

	if (!moved || !value_at) {
		dm_free(moved);
		dm_free(value_at);
		return dm_fail(err, DM_ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < h->n_refs; i++) {
		struct dm_indicator ind;
		bool stays = !dm_set_record(h->set[h->ref[i].set], h->ref[i].record, &ind) &&
			     keep(ctx, &h->ref[i], &ind);

		moved[i] = stays ? n : UINT32_MAX;
		if (stays)
			h->ref[n++] = h->ref[i];
	}
	h->n_refs = n;
	for (size_t v = 0; v < h->n_values; v++) {
		struct dm_hunt_value x = h->value[v];
		uint32_t links = 0;

		for (uint32_t k = 0; k < x.n_links; k++)
			if (moved[h->link[x.first_link + k]] != UINT32_MAX)
				h->link[x.first_link + links++] = moved[h->link[x.first_link + k]];
		x.n_links = links;
		value_at[v] = links ? (uint32_t)values : UINT32_MAX;
		if (links)
			h->value[values++] = x;
	}
	h->n_values = values;
	for (size_t i = 0; i < h->n_refs; i++)
		if (h->ref[i].value != DM_HUNT_NO_VALUE)
			h->ref[i].value = value_at[h->ref[i].value];
	for (size_t i = 0; i < h->n_hits; i++)
		if (h->hit[i].value == DM_HUNT_NO_VALUE)
			h->hit[hits++] = h->hit[i];
		else if (value_at[h->hit[i].value] != UINT32_MAX)
			h->hit[hits++] = (struct dm_hunt_cell_hit){.cell = h->hit[i].cell,
								   .value = value_at[h->hit[i].value]};
	h->n_hits = hits;
	hits = 0;
	for (size_t i = 0; i < h->n_pattern_rows; i++)
		if (moved[h->pattern_row[i].ref] != UINT32_MAX) {
			h->pattern_row[hits] = h->pattern_row[i];
			h->pattern_row[hits++].ref = moved[h->pattern_row[i].ref];
		}
	h->n_pattern_rows = hits;
	dm_free(moved);
	dm_free(value_at);
	return DM_OK;
}
