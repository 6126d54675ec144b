/* match.c: sorted indicators against the sorted store-wide dictionary: a merge, never a scan. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/time.h"
#include "hunt/hunt.h"
#include "hunt/set_format.h"

#define KEY_BLOCK 16384u

/* One agreement: key `pos` of a run is meant by a record of a set. */
struct link {
	uint32_t pos, record;
	uint16_t set, run;
};

struct links {
	struct link *v;
	size_t n, cap;
};

/* Number of the import that made a run; 0: it was merged from several. */
static int64_t import_of(struct dm_sv file)
{
	int64_t n;

	if (!dm_sv_starts(file, DM_SV("run-")))
		return 0;
	file = dm_sv_from(file, 4);
	return dm_sv_i64(dm_sv_split(&file, '-'), &n) ? n : 0;
}

int dm_hunt_new(struct dm_hunt **ret, struct dm_store *s, const struct dm_hunt_options *opt,
		struct dm_err *err)
{
	struct dm_hunt *h = dm_calloc(1, sizeof *h);
	int rc;

	if (!h)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	h->store = s;
	h->opt = *opt;
	rc = dm_snapshot_take(s, &h->snap, err);
	if (!rc) {
		h->run = dm_calloc(h->snap.n_runs, sizeof(struct dm_run *));
		if (!h->run)
			rc = dm_fail(err, DM_ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < h->snap.n_runs && !rc; i++) {
		if (opt->import_from && import_of(h->snap.run[i].file) < opt->import_from)
			continue;
		rc = dm_run_open(&h->run[h->n_runs], s->evidence_fd, h->snap.run[i].file.p,
				 h->snap.run[i].bytes, err);
		h->n_runs += !rc;
	}
	if (rc) {
		dm_hunt_free(h);
		return rc;
	}
	*ret = h;
	return DM_OK;
}

void dm_hunt_free(struct dm_hunt *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n_runs; i++)
		dm_run_close(h->run[i]);
	for (size_t i = 0; i < h->n_sets; i++) {
		dm_set_close(h->set[i]);
		if (h->ref_of)
			dm_free(h->ref_of[i]);
	}
	dm_free(h->run);
	dm_free(h->set);
	dm_free(h->ref_of);
	dm_free(h->ref);
	dm_free(h->value);
	dm_free(h->link);
	dm_free(h->cell);
	dm_free(h->hit);
	dm_free(h->pattern_row);
	dm_arena_done(&h->arena);
	dm_snapshot_done(&h->snap);
	dm_free(h);
}

int dm_hunt_add_set(struct dm_hunt *h, struct dm_set *set)
{
	if (h->n_sets >= UINT16_MAX ||
	    dm_grow((void **)&h->set, &h->sets_cap, h->n_sets + 1, sizeof(struct dm_set *)))
		return DM_ENOMEM;
	h->set[h->n_sets++] = set;
	return DM_OK;
}

int dm_hunt_add_node_sets(struct dm_hunt *h, struct dm_err *err)
{
	for (size_t i = 0; i < h->snap.n_sets; i++) {
		const struct dm_set_row *r = &h->snap.set[i];
		struct dm_import imp = {0};
		struct dm_set *set;
		int rc;

		if (r->warning)
			continue;
		rc = dm_set_open(&set, h->store->intel_fd, r->file.p, r->bytes, err);
		if (rc)
			return rc;
		set->import = r->import;
		if (!dm_catalog_import_get(h->store->catalog, r->import, &h->snap.arena, &imp, NULL))
			snprintf(set->name, sizeof set->name, "%s", imp.source.n ? imp.source.p : imp.name.p);
		if (dm_hunt_add_set(h, set)) {
			dm_set_close(set);
			return dm_fail(err, DM_ENOMEM, "out of memory");
		}
	}
	return DM_OK;
}

static inline uint32_t be32(const uint8_t *p, uint32_t i)
{
	uint32_t v;

	memcpy(&v, p + (size_t)i * 4, 4);
	return __builtin_bswap32(v);
}

static int add_link(struct links *l, uint32_t pos, uint32_t record, uint16_t set, uint16_t run)
{
	if (l->n == l->cap && dm_grow((void **)&l->v, &l->cap, l->n + 1, sizeof *l->v))
		return DM_ENOMEM;
	l->v[l->n++] = (struct link){.pos = pos, .record = record, .set = set, .run = run};
	return DM_OK;
}

static int add_refs(struct links *l, const struct dm_set_type *t, uint32_t key, uint32_t pos, uint16_t set,
		    uint16_t run)
{
	uint32_t first, n = dm_set_refs(t, key, &first);

	for (uint32_t i = 0; i < n; i++)
		if (add_link(l, pos, dm_set_u32(t->ref, first + i), set, run))
			return DM_ENOMEM;
	return DM_OK;
}

/* Both sides are large: walk them together. */
static int merge_v4(struct links *l, const struct dm_set_type *t, const struct dm_run_type *r, uint16_t set,
		    uint16_t run)
{
	uint32_t i = 0, j = 0;

	while (i < t->n && j < r->n) {
		uint32_t a = be32(t->keys, i), b = be32(r->keys, j);

		if (a == b && add_refs(l, t, i, j, set, run))
			return DM_ENOMEM;
		i += a <= b;
		j += b <= a;
	}
	return DM_OK;
}

/* One side is small: look its keys up in the other, galloping. */
static int join(struct links *l, struct dm_set_type *t, struct dm_run_type *r, uint16_t set, uint16_t run)
{
	uint32_t pos = 0;

	if (t->type == DM_OBS_IPV4 && t->n > r->n / 32)
		return merge_v4(l, t, r, set, run);
	for (uint32_t i = 0; i < t->n && pos < r->n; i++) {
		bool equal;

		pos = dm_run_seek(r, pos, dm_set_key(t, i), &equal);
		if (equal && add_refs(l, t, i, pos, set, run))
			return DM_ENOMEM;
	}
	return DM_OK;
}

static int join_ranges(struct links *l, struct dm_set *s, struct dm_run_type *r, uint16_t set, uint16_t run)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool v4 = r->type == DM_OBS_IPV4;

	for (uint32_t i = 0; i < s->n_ranges; i++) {
		const uint8_t *e = s->ranges + (size_t)i * DM_SET_RANGE;
		size_t skip = v4 ? 12 : 0;
		struct dm_sv last = dm_sv((const char *)e + 16 + skip, 16 - skip);
		bool equal;

		if (v4 != !memcmp(e, mapped, 12))
			continue;
		for (uint32_t pos = dm_run_seek(r, 0, dm_sv((const char *)e + skip, 16 - skip), &equal);
		     pos < r->n; pos++) {
			if (dm_sv_cmp(dm_run_key(r, pos), last) > 0)
				break;
			if (add_link(l, pos, dm_set_u32(e + 32, 0), set, run))
				return DM_ENOMEM;
		}
	}
	return DM_OK;
}

/* All names at or below `key`: the key itself, and keys that go on with 0x01. */
static int join_below(struct links *l, struct dm_run_type *r, struct dm_sv key, bool itself, uint32_t record,
		      uint16_t set, uint16_t run)
{
	bool equal;
	uint32_t pos = dm_run_seek(r, 0, key, &equal);

	for (; pos < r->n; pos++) {
		struct dm_sv k = dm_run_key(r, pos);

		if (!dm_sv_starts(k, key))
			break;
		if (k.n > key.n ? k.p[key.n] != 0x01 : !itself)
			continue; /* "example.community" is not below "example.com" */
		if (add_link(l, pos, record, set, run))
			return DM_ENOMEM;
	}
	return DM_OK;
}

static int join_suffixes(struct dm_hunt *h, struct links *l, struct dm_set *s, struct dm_run_type *r,
			 uint16_t set, uint16_t run)
{
	for (uint32_t i = 0; i < s->n_suffixes; i++)
		if (join_below(l, r, dm_strings_get(&s->suffixes, i), true, dm_set_u32(s->suffix_ref, i), set,
			       run))
			return DM_ENOMEM;
	for (uint32_t k = 0; h->opt.subdomains && k < s->n_types; k++) {
		struct dm_set_type *t = &s->type[k];

		for (uint32_t i = 0; t->type == DM_OBS_DOMAIN && i < t->n; i++) {
			uint32_t first, n = dm_set_refs(t, i, &first);
			for (uint32_t j = 0; j < n; j++)
				if (join_below(l, r, dm_set_key(t, i), false, dm_set_u32(t->ref, first + j),
					       set, run))
					return DM_ENOMEM;
		}
	}
	return DM_OK;
}

static int by_pos(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->pos != y->pos)
		return x->pos < y->pos ? -1 : 1;
	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

/* All agreements of one type in one run, ascending by key. */
static int links_of(struct dm_hunt *h, enum dm_obs_type type, uint16_t run, struct dm_run_type *r,
		    struct links *l)
{
	bool sorted = true;

	l->n = 0;
	for (size_t s = 0; s < h->n_sets; s++) {
		struct dm_set *set = h->set[s];
		int rc = DM_OK;

		for (uint32_t k = 0; k < set->n_types && !rc; k++)
			if (set->type[k].type == type)
				rc = join(l, &set->type[k], r, (uint16_t)s, run);
		if (!rc && (type == DM_OBS_IPV4 || type == DM_OBS_IPV6))
			rc = join_ranges(l, set, r, (uint16_t)s, run);
		if (!rc && type == DM_OBS_DOMAIN)
			rc = join_suffixes(h, l, set, r, (uint16_t)s, run);
		if (rc)
			return rc;
	}
	for (size_t i = 1; i < l->n && sorted; i++)
		sorted = by_pos(&l->v[i - 1], &l->v[i]) <= 0;
	if (!sorted)
		qsort(l->v, l->n, sizeof *l->v, by_pos);
	return DM_OK;
}

static int ref_number(struct dm_hunt *h, uint16_t set, uint32_t record, enum dm_obs_type type, uint32_t value,
		      uint32_t *ret)
{
	struct dm_hunt_ref *r;

	if (record >= h->set[set]->n_records)
		return DM_ECORRUPT;
	if (!h->ref_of[set]) {
		h->ref_of[set] = dm_calloc(h->set[set]->n_records, sizeof(uint32_t));
		if (!h->ref_of[set])
			return DM_ENOMEM;
	}
	if (!h->ref_of[set][record]) {
		if (dm_grow((void **)&h->ref, &h->refs_cap, h->n_refs + 1, sizeof *h->ref))
			return DM_ENOMEM;
		h->ref[h->n_refs] = (struct dm_hunt_ref){.set = set,
							 .record = record,
							 .type = type,
							 .value = value,
							 .first = DM_NO_TIME,
							 .last = DM_NO_TIME};
		h->ref_of[set][record] = (uint32_t)++h->n_refs;
	}
	*ret = h->ref_of[set][record] - 1;
	r = &h->ref[*ret];
	r->n_values++;
	return DM_OK;
}

static void widen(int64_t *first, int64_t *last, int64_t f, int64_t l)
{
	if (f != DM_NO_TIME && (*first == DM_NO_TIME || f < *first))
		*first = f;
	if (l != DM_NO_TIME && l > *last)
		*last = l;
}

/* The links of several runs that stand on one key become one value. */
struct gather {
	struct dm_hunt *h;
	struct links *l; /* per run */
	size_t *at;
	struct dm_run_type **type;
	uint32_t value;
	uint16_t run;
	uint32_t *cell_of[256];
};

static int note_cell(void *ctx, uint32_t cell, uint64_t rows)
{
	struct gather *g = ctx;
	struct dm_hunt *h = g->h;

	(void)rows;
	if (h->n_hits == h->hits_cap &&
	    dm_grow((void **)&h->hit, &h->hits_cap, h->n_hits + 1, sizeof *h->hit))
		return DM_ENOMEM;
	h->hit[h->n_hits++] = (struct dm_hunt_cell_hit){.cell = g->cell_of[g->run][cell], .value = g->value};
	return DM_OK;
}

/* A copy of a key, so that what the match found no longer hangs on the mapped run: one cut later would turn
 * the keys into zeros, and rows would be missed without a word. Keys are packed end to end, since an address
 * is shorter than what an allocation costs. */
static struct dm_sv own_key(struct dm_hunt *h, struct dm_sv key)
{
	char *copy;

	if (key.n > KEY_BLOCK / 8)
		return dm_arena_copy(&h->arena, key);
	if (h->keys_left < key.n) {
		h->keys = dm_arena_alloc(&h->arena, KEY_BLOCK);
		h->keys_left = h->keys ? KEY_BLOCK : 0;
		if (!h->keys)
			return dm_sv(NULL, 0);
	}
	copy = h->keys;
	memcpy(copy, key.p, key.n);
	h->keys += key.n;
	h->keys_left -= key.n;
	return dm_sv(copy, key.n);
}

static int add_value(struct gather *g, struct dm_sv key, enum dm_obs_type type)
{
	struct dm_hunt *h = g->h;
	struct dm_hunt_value *v;

	if (dm_grow((void **)&h->value, &h->values_cap, h->n_values + 1, sizeof *h->value))
		return DM_ENOMEM;
	v = &h->value[h->n_values];
	*v = (struct dm_hunt_value){.type = type,
				    .key = key,
				    .first = DM_NO_TIME,
				    .last = DM_NO_TIME,
				    .first_link = (uint32_t)h->n_links};
	v->key = own_key(h, key);
	if (!v->key.p)
		return DM_ENOMEM;
	g->value = (uint32_t)h->n_values++;
	return DM_OK;
}

/* Takes what run r says of the value, and its links. */
static int take_run(struct gather *g, size_t r)
{
	struct dm_hunt *h = g->h;
	uint32_t pos = g->l[r].v[g->at[r]].pos;
	struct dm_run_summary s = dm_run_summary(g->type[r], pos);
	struct dm_hunt_value *v = &h->value[g->value];
	int rc;

	v->count += s.count;
	widen(&v->first, &v->last, s.first, s.last);
	g->run = (uint16_t)r;
	rc = dm_run_cells(h->run[r], g->type[r], pos, note_cell, g);
	for (; !rc && g->at[r] < g->l[r].n && g->l[r].v[g->at[r]].pos == pos; g->at[r]++) {
		const struct link *l = &g->l[r].v[g->at[r]];
		uint32_t ref;
		bool known = false;

		for (uint32_t i = v->first_link; i < h->n_links && !known;
		     i++) /* an earlier run had it: few links per value */
			known = h->ref[h->link[i]].set == l->set && h->ref[h->link[i]].record == l->record;
		if (known)
			continue;
		rc = ref_number(h, l->set, l->record, v->type, g->value, &ref);
		if (!rc)
			rc = dm_grow((void **)&h->link, &h->links_cap, h->n_links + 1, sizeof *h->link);
		if (!rc)
			h->link[h->n_links++] = ref;
	}
	v->n_links = (uint32_t)(h->n_links - v->first_link);
	return rc;
}

static int gather_type(struct gather *g, enum dm_obs_type type)
{
	for (;;) {
		struct dm_sv least = {0};
		uint32_t here;
		int rc;

		for (size_t r = 0; r < g->h->n_runs; r++) {
			struct dm_sv k;

			if (!g->type[r] || g->at[r] >= g->l[r].n)
				continue;
			k = dm_run_key(g->type[r], g->l[r].v[g->at[r]].pos);
			if (!least.p || dm_sv_cmp(k, least) < 0)
				least = k;
		}
		if (!least.p)
			return DM_OK;
		rc = add_value(g, least, type);
		here = g->value;
		for (size_t r = 0; r < g->h->n_runs && !rc; r++)
			if (g->type[r] && g->at[r] < g->l[r].n &&
			    dm_sv_eq(dm_run_key(g->type[r], g->l[r].v[g->at[r]].pos), g->h->value[here].key))
				rc = take_run(g, r);
		if (rc)
			return rc;
	}
}

static int cell_cmp(const void *a, const void *b)
{
	const struct dm_cell *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->class_id < y->class_id ? -1 : x->class_id > y->class_id;
}

static int collect_cells(struct gather *g)
{
	struct dm_hunt *h = g->h;
	size_t total = 0, n = 0;

	for (size_t r = 0; r < h->n_runs; r++)
		total += h->run[r]->n_cells;
	h->cell = dm_alloc((total + 1) * sizeof *h->cell);
	if (!h->cell)
		return DM_ENOMEM;
	for (size_t r = 0; r < h->n_runs; r++)
		for (uint32_t c = 0; c < h->run[r]->n_cells; c++)
			h->cell[n++] = h->run[r]->cell[c];
	qsort(h->cell, n, sizeof *h->cell, cell_cmp);
	for (size_t i = 0; i < n; i++)
		if (!h->n_cells || cell_cmp(&h->cell[h->n_cells - 1], &h->cell[i]))
			h->cell[h->n_cells++] = h->cell[i];
	for (size_t r = 0; r < h->n_runs; r++) {
		g->cell_of[r] = dm_arena_alloc(&h->arena, (h->run[r]->n_cells + 1) * sizeof(uint32_t));
		if (!g->cell_of[r])
			return DM_ENOMEM;
		for (uint32_t c = 0; c < h->run[r]->n_cells; c++) {
			const struct dm_cell *hit =
				bsearch(&h->run[r]->cell[c], h->cell, h->n_cells, sizeof *h->cell, cell_cmp);
			g->cell_of[r][c] = (uint32_t)(hit - h->cell);
		}
	}
	return DM_OK;
}

/* Counting sort by cell; values stay ascending within a cell. */
static int order_hits(struct dm_hunt *h)
{
	size_t *at = dm_calloc(h->n_cells + 2, sizeof *at);
	struct dm_hunt_cell_hit *v = dm_alloc((h->n_hits + 1) * sizeof *v);
	size_t n = 0;

	if (!at || !v) {
		dm_free(at);
		dm_free(v);
		return DM_ENOMEM;
	}
	for (size_t i = 0; i < h->n_hits; i++)
		at[h->hit[i].cell + 1]++;
	for (size_t i = 0; i < h->n_cells; i++)
		at[i + 1] += at[i];
	for (size_t i = 0; i < h->n_hits; i++)
		v[at[h->hit[i].cell]++] = h->hit[i];
	for (size_t i = 0; i < h->n_hits; i++) /* several runs may know of one cell */
		if (!n || v[n - 1].cell != v[i].cell || v[n - 1].value != v[i].value)
			v[n++] = v[i];
	h->n_hits = n;
	dm_free(at);
	dm_free(h->hit);
	h->hit = v;
	h->hits_cap = h->n_hits + 1;
	return DM_OK;
}

/* Sums that need no rows: an indicator with one value has the figures of that value. */
static void sum_refs(struct dm_hunt *h)
{
	h->by_rows = h->opt.since != DM_NO_TIME || h->opt.until != DM_NO_TIME;
	for (size_t i = 0; i < h->n_values; i++)
		for (uint32_t k = 0; k < h->value[i].n_links; k++) {
			struct dm_hunt_ref *r = &h->ref[h->link[h->value[i].first_link + k]];

			r->count += h->value[i].count;
			widen(&r->first, &r->last, h->value[i].first, h->value[i].last);
			h->by_rows = h->by_rows || r->n_values > 1;
		}
}

/* Whether any indicator could meet a value of the type. */
static bool asks_for(const struct dm_hunt *h, enum dm_obs_type t)
{
	for (size_t i = 0; i < h->n_sets; i++) {
		const struct dm_set *s = h->set[i];

		if (((t == DM_OBS_IPV4 || t == DM_OBS_IPV6) && s->n_ranges) ||
		    (t == DM_OBS_DOMAIN && s->n_suffixes))
			return true;
		for (uint32_t k = 0; k < s->n_types; k++)
			if (s->type[k].type == t)
				return true;
	}
	return false;
}

/* What was read may have been zeros of a file cut meanwhile, or a chunk that can't be decoded. */
static int unharmed(const struct dm_hunt *h, struct dm_err *err)
{
	int rc = DM_OK;

	for (size_t r = 0; r < h->n_runs && !rc; r++) {
		rc = dm_map_check(&h->run[r]->map, err);
		for (uint32_t i = 0; i < h->run[r]->n_types && !rc; i++)
			rc = h->run[r]->type[i].strings.corrupt ? DM_ECORRUPT : DM_OK;
		if (rc)
			dm_err_source(err, h->run[r]->name);
	}
	for (size_t i = 0; i < h->n_sets && !rc; i++)
		rc = dm_set_sound(h->set[i], err);
	return rc;
}

int dm_hunt_match(struct dm_hunt *h, struct dm_err *err)
{
	struct gather g = {.h = h};
	int rc = DM_ENOMEM;

	if (h->n_runs > sizeof g.cell_of / sizeof *g.cell_of)
		return dm_fail(err, DM_ELIMIT, "too many runs (%zu): run `demarche compact`", h->n_runs);
	h->ref_of = dm_calloc(h->n_sets, sizeof(uint32_t *));
	g.l = dm_calloc(h->n_runs, sizeof *g.l);
	g.at = dm_calloc(h->n_runs, sizeof *g.at);
	g.type = dm_calloc(h->n_runs, sizeof(struct dm_run_type *));
	if (!h->ref_of || !g.l || !g.at || !g.type)
		goto out;
	rc = collect_cells(&g);
	for (uint32_t t = 1; t < DM_OBS_TYPES && !rc; t++) {
		if (h->opt.types && !(h->opt.types >> t & 1))
			continue;
		for (size_t r = 0; r < h->n_runs && !rc; r++) {
			g.type[r] = dm_run_type(h->run[r], t);
			g.at[r] = g.l[r].n = 0;
			if (g.type[r] && asks_for(h, t))
				rc = dm_run_verify(h->run[r], g.type[r], err);
			if (g.type[r] && !rc)
				rc = links_of(h, t, (uint16_t)r, g.type[r], &g.l[r]);
		}
		if (!rc)
			rc = gather_type(&g, t);
	}
	if (!rc)
		rc = unharmed(h, err);
	if (!rc)
		rc = order_hits(h);
	if (!rc)
		sum_refs(h);
out:
	for (size_t r = 0; g.l && r < h->n_runs; r++)
		dm_free(g.l[r].v);
	dm_free(g.l);
	dm_free(g.at);
	dm_free(g.type);
	if (rc == DM_ECORRUPT && !(err && err->code == rc)) {
		dm_fail(err, rc, "the store-wide dictionary or a set of indicators is damaged");
		return dm_err_remedy(err, "run `demarche status --check`");
	}
	return rc && rc != DM_ECORRUPT ? dm_fail(err, rc, "the hunt failed: %s", dm_code_text(rc)) : rc;
}

unsigned dm_hunt_threads(const struct dm_hunt *h)
{
	long n = h->opt.threads ? (long)h->opt.threads : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 32 ? 32 : (unsigned)n;
}

void dm_hunt_coverage(struct dm_hunt *h, struct dm_hunt_coverage *ret)
{
	*ret = (struct dm_hunt_coverage){0};
	for (size_t r = 0; r < h->n_runs; r++)
		for (uint32_t i = 0; i < h->run[r]->n_types; i++)
			ret->seen_type[h->run[r]->type[i].type] =
				h->run[r]->type[i].n > 0 || ret->seen_type[h->run[r]->type[i].type];
	for (size_t s = 0; s < h->n_sets; s++) {
		struct dm_set *set = h->set[s];

		ret->indicators += set->n_records;
		ret->unusable += set->n_unusable;
		ret->patterns += set->n_patterns;
		for (uint32_t i = 0; i < set->n_types; i++)
			ret->by_type[set->type[i].type] += set->type[i].refs;
		ret->by_type[DM_OBS_DOMAIN] += set->n_suffixes;
		for (uint32_t i = 0; i < set->n_ranges; i++)
			ret->by_type[memcmp(set->ranges + (size_t)i * DM_SET_RANGE,
					    "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)
					     ? DM_OBS_IPV6
					     : DM_OBS_IPV4]++;
	}
	for (uint32_t t = 1; t < DM_OBS_TYPES; t++)
		if (ret->seen_type[t])
			ret->tested += ret->by_type[t];
	if (h->snap.n_segments)
		ret->tested += ret->patterns;
}

const char *dm_hunt_needs(enum dm_obs_type t)
{
	switch (t) {
	case DM_OBS_IPV4:
	case DM_OBS_IPV6:
		return "flow records";
	case DM_OBS_DOMAIN:
		return "DNS, HTTP or TLS records";
	case DM_OBS_URL:
	case DM_OBS_USER_AGENT:
		return "HTTP records";
	case DM_OBS_MD5:
	case DM_OBS_SHA1:
	case DM_OBS_SHA256:
	case DM_OBS_SHA512:
	case DM_OBS_SSDEEP:
	case DM_OBS_TLSH:
	case DM_OBS_FILENAME:
		return "file records";
	case DM_OBS_EMAIL:
		return "mail records";
	case DM_OBS_X509_MD5:
	case DM_OBS_X509_SHA1:
	case DM_OBS_X509_SHA256:
		return "certificate or TLS records";
	case DM_OBS_JA3:
	case DM_OBS_JA3S:
	case DM_OBS_JA4:
		return "TLS records";
	case DM_OBS_MAC:
	case DM_OBS_AS:
		return "flow records with that field";
	default:
		return "host records (STIX observed-data)";
	}
}
