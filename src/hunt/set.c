#include "hunt/set.h"

#include <xxhash.h>
#include "base/cur.h"
#include "base/limits.h"
#include "base/time.h"
#include "hunt/set_format.h"

static int refuse(struct dm_err *err)
{
	dm_fail(err, DM_ECORRUPT, "the set of indicators is damaged");
	return dm_err_remedy(err, "import the indicators again from their source");
}

static bool inside(const struct dm_set *s, const struct dm_section *x, uint64_t need)
{
	return x->offset <= s->map.n && x->length <= s->map.n - x->offset && x->length >= need;
}

uint64_t dm_set_sum(const struct dm_set_header *h, const void *body, size_t n)
{
	return XXH3_64bits_withSeed(body, n, XXH3_64bits(h, offsetof(struct dm_set_header, sum)));
}

static int open_mapped(struct dm_set *s, struct dm_err *err)
{
	const struct dm_set_header *h = (const void *)s->map.p;
	const uint8_t *p = s->map.p;

	if (s->map.n < sizeof *h || memcmp(h->magic, DM_SET_MAGIC, 8))
		return refuse(err);
	if (h->version > DM_SET_VERSION)
		return dm_fail(err, DM_EVERSION,
			       "the set of indicators was written by a newer version of demarche");
	if (h->size != s->map.n || h->n_types > DM_OBS_TYPES ||
	    !inside(s, &h->ranges, (uint64_t)h->n_ranges * DM_SET_RANGE) || !inside(s, &h->suffixes, 0) ||
	    !inside(s, &h->suffix_ref, (uint64_t)h->n_suffixes * 4) ||
	    !inside(s, &h->patterns, (uint64_t)h->n_patterns * 4) ||
	    !inside(s, &h->record_at, (uint64_t)h->n_records * 4) || !inside(s, &h->records, 0) ||
	    !inside(s, &h->texts, 0))
		return refuse(err);
	s->n_records = h->n_records;
	s->n_ranges = h->n_ranges;
	s->n_suffixes = h->n_suffixes;
	s->n_patterns = h->n_patterns;
	s->n_unusable = h->n_unusable;
	s->ranges = p + h->ranges.offset;
	s->suffix_ref = p + h->suffix_ref.offset;
	s->patterns = p + h->patterns.offset;
	s->record_at = p + h->record_at.offset;
	s->records = p + h->records.offset;
	s->records_n = h->records.length;
	if (dm_strings_open(&s->suffixes, p + h->suffixes.offset, h->suffixes.length, err) ||
	    s->suffixes.n != s->n_suffixes ||
	    dm_strings_open(&s->texts, p + h->texts.offset, h->texts.length, err))
		return refuse(err);
	for (uint32_t i = 0; i < h->n_types; i++) {
		const struct dm_set_type_desc *d = &h->type[i];
		struct dm_set_type *t = &s->type[i];

		if (d->type >= DM_OBS_TYPES || !inside(s, &d->keys, (uint64_t)d->n * d->width) ||
		    !inside(s, &d->ref, (uint64_t)d->refs * 4) ||
		    (d->first.length ? !inside(s, &d->first, ((uint64_t)d->n + 1) * 4) : d->refs != d->n))
			return refuse(err);
		*t = (struct dm_set_type){.type = d->type,
					  .n = d->n,
					  .refs = d->refs,
					  .width = d->width,
					  .ref = p + d->ref.offset};
		t->first = d->first.length ? p + d->first.offset : NULL;
		if (t->width)
			t->keys = p + d->keys.offset;
		else if (dm_strings_open(&t->strings, p + d->keys.offset, d->keys.length, err) ||
			 t->strings.n != t->n)
			return refuse(err);
		t->strings.walk = true;
		s->n_types = i + 1;
	}
	return DM_OK;
}

int dm_set_open(struct dm_set **ret, int dirfd, const char *name, uint64_t size, struct dm_err *err)
{
	struct dm_set *s = dm_calloc(1, sizeof *s);
	int rc;

	if (!s)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	rc = dm_map_open(&s->map, dirfd, name, size, err);
	/* All of it: a hunt reads nearly all of a set anyway, and a lost indicator is a wrong "not seen". */
	if (!rc && s->map.n >= sizeof(struct dm_set_header)) {
		const struct dm_set_header *h = (const void *)s->map.p;
		if (h->version <= DM_SET_VERSION && dm_set_sum(h, h + 1, s->map.n - sizeof *h) != h->sum)
			rc = refuse(err);
	}
	if (!rc)
		rc = open_mapped(s, err);
	if (!rc)
		rc = dm_map_check(&s->map, err);
	if (rc) {
		dm_err_source(err, name);
		dm_set_close(s);
		return rc;
	}
	*ret = s;
	return DM_OK;
}

int dm_set_open_bytes(struct dm_set **ret, struct dm_buf *bytes, struct dm_err *err)
{
	struct dm_set *s = dm_calloc(1, sizeof *s);
	int rc;

	if (!s)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	s->own = *bytes;
	dm_buf_init(bytes, bytes->max);
	s->map = (struct dm_map){.p = (const uint8_t *)s->own.p, .n = s->own.n};
	rc = open_mapped(s, err);
	if (rc) {
		dm_set_close(s);
		return rc;
	}
	*ret = s;
	return DM_OK;
}

int dm_set_sound(const struct dm_set *s, struct dm_err *err)
{
	bool bad = s->suffixes.corrupt || s->texts.corrupt;

	for (uint32_t i = 0; i < s->n_types && !bad; i++)
		bad = s->type[i].strings.corrupt;
	return bad ? refuse(err) : s->own.p ? DM_OK : dm_map_check(&s->map, err);
}

void dm_set_close(struct dm_set *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_types; i++)
		dm_strings_close(&s->type[i].strings);
	dm_strings_close(&s->suffixes);
	dm_strings_close(&s->texts);
	if (s->borrowed)
		;
	else if (s->own.p)
		dm_buf_done(&s->own);
	else if (s->map.p)
		dm_map_close(&s->map);
	dm_free(s);
}

int dm_set_clone(struct dm_set **ret, const struct dm_set *s)
{
	struct dm_set *c = dm_alloc(sizeof *c);

	if (!c)
		return DM_ENOMEM;
	*c = *s;
	c->borrowed = true;
	c->texts.cache = c->suffixes.cache = NULL;
	for (uint32_t i = 0; i < c->n_types; i++) {
		c->type[i].strings.cache = NULL;
		c->type[i].strings.kept = 0;
	}
	*ret = c;
	return DM_OK;
}

struct dm_sv dm_set_key(struct dm_set_type *t, uint32_t i)
{
	return t->width ? dm_sv((const char *)t->keys + (size_t)i * t->width, t->width)
			: dm_strings_get(&t->strings, i);
}

static int64_t zigzag(struct dm_cur *c)
{
	uint64_t v = dm_cur_varint(c);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static struct dm_cur record_cursor(const struct dm_set *s, uint32_t i)
{
	uint32_t at = i < s->n_records ? dm_set_u32(s->record_at, i) : UINT32_MAX;

	if (at >= s->records_n)
		return (struct dm_cur){.bad = true};
	return dm_cur(s->records + at, s->records_n - at);
}

static uint64_t read_brief(struct dm_cur *c, struct dm_set_brief *r)
{
	uint64_t mask = dm_cur_varint(c);

	*r = (struct dm_set_brief){.valid_from = DM_NO_TIME, .valid_until = DM_NO_TIME, .form = DM_IND_VALUE};
	r->line = dm_cur_varint(c);
	if (mask & DM_SB_FORM) {
		r->form = dm_cur_u8(c);
		r->type = dm_cur_u8(c);
	}
	if (mask & DM_SB_FLAGS)
		r->flags = (uint32_t)dm_cur_varint(c);
	return mask;
}

static void read_validity(struct dm_cur *c, uint64_t mask, uint8_t *confidence, int64_t *from, int64_t *until)
{
	*confidence = mask & DM_SB_CONFIDENCE ? dm_cur_u8(c) : 255;
	*from = mask & DM_SB_FROM ? zigzag(c) : DM_NO_TIME;
	*until = mask & DM_SB_UNTIL ? zigzag(c) : DM_NO_TIME;
}

int dm_set_brief(struct dm_set *s, uint32_t i, struct dm_set_brief *ret)
{
	struct dm_cur c = record_cursor(s, i);
	uint64_t mask = read_brief(&c, ret);
	uint8_t confidence;

	read_validity(&c, mask, &confidence, &ret->valid_from, &ret->valid_until);
	return c.bad ? DM_ECORRUPT : DM_OK;
}

static struct dm_sv inline_text(struct dm_cur *c, bool there)
{
	return there ? dm_cur_sv(c, dm_cur_varint(c)) : dm_sv("", 0);
}

static struct dm_sv shared_text(struct dm_set *s, struct dm_cur *c, bool there)
{
	return there ? dm_strings_get(&s->texts, (uint32_t)dm_cur_varint(c)) : dm_sv("", 0);
}

int dm_set_record(struct dm_set *s, uint32_t i, struct dm_indicator *ret)
{
	struct dm_cur c = record_cursor(s, i);
	struct dm_set_brief b;
	uint64_t mask = read_brief(&c, &b);
	struct dm_indicator r = {.form = b.form, .type = b.type, .line = b.line, .flags = b.flags};

	read_validity(&c, mask, &r.confidence, &r.valid_from, &r.valid_until);
	r.id = inline_text(&c, mask & DM_SB_ID);
	r.original = inline_text(&c, mask & DM_SB_ORIGINAL);
	r.value = inline_text(&c, mask & DM_SB_VALUE);
	r.source = shared_text(s, &c, mask & DM_SB_SOURCE);
	r.label = shared_text(s, &c, mask & DM_SB_LABEL);
	r.marking = shared_text(s, &c, mask & DM_SB_MARKING);
	if (c.bad)
		return DM_ECORRUPT;
	*ret = r;
	return DM_OK;
}
