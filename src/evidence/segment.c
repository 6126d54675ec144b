#include "evidence/segment.h"

#include <stdio.h>
#include <xxhash.h>
#include "base/cur.h"

static int refuse(struct dm_err *err, const char *what)
{
	dm_fail(err, DM_ECORRUPT, "the segment is damaged: %s", what);
	return dm_err_remedy(
		err, "run `demarche status --check`, then import the affected files again from their source");
}

static bool section_ok(const struct dm_segment *s, const struct dm_section *x)
{
	return x->offset <= s->map.n && x->length <= s->map.n - x->offset;
}

static int open_dicts(struct dm_segment *s, const struct dm_dictionary_desc *d, struct dm_err *err)
{
	for (uint32_t i = 0; i < s->n_dicts; i++) {
		struct dm_segment_dict *x = &s->dict[i];
		const uint8_t *p = s->map.p + d[i].keys.offset;

		if (!section_ok(s, &d[i].keys) || d[i].type >= DM_OBS_TYPES ||
		    (i && d[i].type <= d[i - 1].type))
			return refuse(err, "a dictionary lies outside the file");
		x->type = d[i].type;
		x->d = &d[i];
		x->n = d[i].n;
		x->first = s->n_codes;
		s->n_codes += x->n;
		if (x->type == DM_OBS_IPV4 || x->type == DM_OBS_IPV6) {
			if (d[i].keys.length != (uint64_t)x->n * (x->type == DM_OBS_IPV4 ? 4 : 16))
				return refuse(err, "a dictionary of addresses has the wrong length");
			x->keys = p;
		} else if (dm_strings_open(&x->strings, p, d[i].keys.length, err) || x->strings.n != x->n) {
			return refuse(err, "a dictionary is cut short");
		}
	}
	return DM_OK;
}

static int open_directory(struct dm_segment *s, struct dm_err *err)
{
	const struct dm_segment_header *h = s->h;
	const struct dm_column_desc *cols;
	uint64_t need = (uint64_t)h->columns * sizeof *cols +
			(uint64_t)h->dictionaries * sizeof(struct dm_dictionary_desc);

	if (h->directory > s->map.n || h->directory_n > s->map.n - h->directory || need != h->directory_n ||
	    h->dictionaries >= DM_OBS_TYPES || h->columns > DM_FIELDS + 8)
		return refuse(err, "its directory lies outside the file");
	s->directory = dm_alloc(h->directory_n);
	if (!s->directory)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	memcpy(s->directory, s->map.p + h->directory, h->directory_n);
	if (XXH3_64bits(s->directory, h->directory_n) != h->directory_sum)
		return refuse(err, "its directory fails the checksum");
	cols = s->directory;
	s->n_cols = h->columns;
	s->n_dicts = h->dictionaries;
	s->col = dm_calloc(s->n_cols, sizeof *s->col);
	if (!s->col)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	for (uint32_t i = 0; i < s->n_cols; i++) {
		s->col[i].d = &cols[i];
		if (!section_ok(s, &cols[i].values) || !section_ok(s, &cols[i].ends) ||
		    !section_ok(s, &cols[i].strings) || cols[i].encoding > DM_ENC_INT_LIST ||
		    (cols[i].field >= DM_FIELDS &&
		     (cols[i].field < DM_COL_ORDINAL || cols[i].field > DM_COL_IMPORT)))
			return refuse(err, "a column lies outside the file");
		s->place[cols[i].field] = (uint8_t)(i + 1);
	}
	if (!section_ok(s, &h->group) || !section_ok(s, &h->posting_at) || !section_ok(s, &h->postings))
		return refuse(err, "an index lies outside the file");
	if (h->group.length && dm_ints_open(&s->group, s->map.p + h->group.offset, h->group.length, err))
		return refuse(err, "the group column is cut short");
	if (dm_ints_open(&s->posting_at, s->map.p + h->posting_at.offset, h->posting_at.length, err))
		return refuse(err, "the index is cut short");
	s->postings = s->map.p + h->postings.offset;
	s->postings_n = h->postings.length;
	return open_dicts(s, (const void *)(cols + s->n_cols), err);
}

static uint64_t serial;

static int open_mapped(struct dm_segment *s, struct dm_err *err)
{
	const struct dm_segment_header *h = &s->own;

	if (s->map.n < sizeof *h)
		return refuse(err, "it is no segment file");
	memcpy(&s->own, s->map.p, sizeof s->own);
	if (memcmp(h->magic, DM_SEGMENT_MAGIC, 8))
		return refuse(err, "it is no segment file");
	if (h->version > DM_SEGMENT_VERSION || h->features)
		return dm_fail(err, DM_EVERSION, "the segment was written by a newer version of demarche");
	if (XXH3_64bits(h, offsetof(struct dm_segment_header, sum)) != h->sum)
		return refuse(err, "its header fails the checksum");
	if (h->size != s->map.n || h->rows > DM_MAX_SEGMENT_ROWS)
		return refuse(err, "it has the wrong length");
	s->h = h;
	s->serial = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
	return open_directory(s, err);
}

int dm_segment_open(struct dm_segment **ret, int dirfd, const char *name, uint64_t size, struct dm_err *err)
{
	struct dm_segment *s = dm_calloc(1, sizeof *s);
	int rc;

	if (!s)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	snprintf(s->name, sizeof s->name, "%s", name);
	rc = dm_map_open(&s->map, dirfd, name, size, err);
	if (!rc)
		rc = open_mapped(s, err);
	if (rc) {
		dm_err_source(err, name);
		dm_segment_close(s);
		return rc;
	}
	*ret = s;
	return DM_OK;
}

int dm_segment_open_bytes(struct dm_segment **ret, const uint8_t *p, size_t n, struct dm_err *err)
{
	struct dm_segment *s = dm_calloc(1, sizeof *s);
	int rc;

	if (!s)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	s->borrowed = true;
	s->map = (struct dm_map){.p = p, .n = n};
	rc = open_mapped(s, err);
	if (rc) {
		dm_segment_close(s);
		return rc;
	}
	*ret = s;
	return DM_OK;
}

void dm_segment_close(struct dm_segment *s)
{
	if (!s)
		return;
	if (s->col)
		for (uint32_t i = 0; i < s->n_cols; i++)
			dm_strings_close(&s->col[i].strings);
	for (uint32_t i = 0; i < s->n_dicts; i++)
		dm_strings_close(&s->dict[i].strings);
	dm_free(s->col);
	dm_free(s->directory);
	if (s->map.p && !s->borrowed)
		dm_map_close(&s->map);
	dm_free(s);
}

static bool sum_ok(const struct dm_segment *s, const struct dm_section *x)
{
	return !x->length || XXH3_64bits(s->map.p + x->offset, x->length) == x->sum;
}

int dm_segment_check(struct dm_segment *s, struct dm_err *err)
{
	for (uint32_t i = 0; i < s->n_cols; i++)
		if (!sum_ok(s, &s->col[i].d->values) || !sum_ok(s, &s->col[i].d->ends) ||
		    !sum_ok(s, &s->col[i].d->strings))
			return refuse(err, "a column fails its checksum");
	for (uint32_t i = 0; i < s->n_dicts; i++)
		if (!sum_ok(s, &s->dict[i].d->keys))
			return refuse(err, "a dictionary fails its checksum");
	if (!sum_ok(s, &s->h->group) || !sum_ok(s, &s->h->posting_at) || !sum_ok(s, &s->h->postings))
		return refuse(err, "an index fails its checksum");
	return dm_map_check(&s->map, err);
}

int dm_segment_sound(const struct dm_segment *s, struct dm_err *err)
{
	bool bad = s->corrupt;

	for (uint32_t i = 0; i < s->n_cols && !bad; i++)
		bad = s->col[i].strings.corrupt;
	for (uint32_t i = 0; i < s->n_dicts && !bad; i++)
		bad = s->dict[i].strings.corrupt;
	if (!bad && !dm_map_check(&s->map, err))
		return DM_OK;
	if (bad)
		refuse(err, "a part of it that was needed fails its checksum");
	if (s->name[0])
		dm_err_source(err, s->name);
	return DM_ECORRUPT;
}

bool dm_segment_use_dict(struct dm_segment *s, struct dm_segment_dict *d)
{
	if (!d->verified && !sum_ok(s, &d->d->keys))
		s->corrupt = true;
	else
		d->verified = true;
	return d->verified;
}

bool dm_segment_use_postings(struct dm_segment *s)
{
	if (!s->postings_verified && !(sum_ok(s, &s->h->posting_at) && sum_ok(s, &s->h->postings)))
		s->corrupt = true;
	else
		s->postings_verified = true;
	return s->postings_verified;
}

static bool open_column(struct dm_segment *s, struct dm_segment_col *c)
{
	const struct dm_column_desc *d = c->d;
	const uint8_t *p = s->map.p;

	if (c->open)
		return true;
	if (c->bad || !sum_ok(s, &d->values) || !sum_ok(s, &d->ends) || !sum_ok(s, &d->strings) ||
	    (d->flags & DM_COLF_GROUPED && !sum_ok(s, &s->h->group)))
		goto bad;
	if (d->encoding == DM_ENC_PACK6) {
		if (d->param < 1 || d->param > 42 ||
		    d->values.length < ((uint64_t)d->n * d->param * 6 + 7) / 8 + 8)
			goto bad;
		c->packed = p + d->values.offset;
	} else if (d->encoding != DM_ENC_STRINGS) {
		if (dm_ints_open(&c->values, p + d->values.offset, d->values.length, NULL))
			goto bad;
	}
	if (d->flags & DM_COLF_MULTI && dm_ints_open(&c->ends, p + d->ends.offset, d->ends.length, NULL))
		goto bad;
	if (d->encoding == DM_ENC_INT_LIST &&
	    dm_ints_open(&c->list, p + d->strings.offset, d->strings.length, NULL))
		goto bad;
	if ((d->encoding == DM_ENC_TEXT || d->encoding == DM_ENC_STRINGS) &&
	    dm_strings_open(&c->strings, p + d->strings.offset, d->strings.length, NULL))
		goto bad;
	c->open = true;
	return true;
bad:
	c->bad = true;
	s->corrupt = true;
	return false;
}

struct dm_segment_col *dm_segment_column_at(struct dm_segment *s, uint32_t place)
{
	struct dm_segment_col *c = place < s->n_cols ? &s->col[place] : NULL;

	return c && open_column(s, c) ? c : NULL;
}

struct dm_segment_col *dm_segment_column(struct dm_segment *s, unsigned field)
{
	return field < 256 && s->place[field] ? dm_segment_column_at(s, s->place[field] - 1u) : NULL;
}

uint32_t dm_segment_values(struct dm_segment *s, struct dm_segment_col *c, uint32_t row, uint32_t *ret_first)
{
	int64_t from, to;

	if (row >= s->h->rows)
		return 0;
	if (c->d->flags & DM_COLF_MULTI) {
		from = row ? dm_ints_get(&c->ends, row - 1) : 0;
		to = dm_ints_get(&c->ends, row);
		if (from < 0 || to < from || to > c->d->n || to - from > DM_RECORD_VALUES) {
			s->corrupt = true;
			return 0;
		}
		*ret_first = (uint32_t)from;
		return (uint32_t)(to - from);
	}
	if (c->d->flags & DM_COLF_GROUPED) {
		from = dm_ints_get(&s->group, row);
		if (from < 0 || from >= c->d->n) {
			s->corrupt = true;
			return 0;
		}
		row = (uint32_t)from;
	}
	*ret_first = row;
	return 1;
}

int64_t dm_segment_number(struct dm_segment_col *c, uint32_t value)
{
	int64_t v = dm_ints_get(&c->values, value);

	if (c->d->encoding != DM_ENC_INT_LIST)
		return v;
	return v < 0 ? DM_NO_INT : dm_ints_get(&c->list, (uint32_t)v);
}

static struct dm_sv unpack6(const struct dm_segment_col *c, uint32_t value, char *tmp)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz??";
	size_t chars = c->d->param, at = (size_t)value * chars * 6, n = 0;

	if (value >= c->d->n)
		return dm_sv(tmp, 0);
	tmp[n++] = (char)c->d->param2;
	for (size_t j = 0; j < chars;
	     j += 8, at += 48) { /* 8 characters; 8 bytes of padding lie behind the last */
		uint64_t v;
		memcpy(&v, c->packed + at / 8, 8);
		v >>= at % 8;
		for (size_t k = j; k < chars && k < j + 8; k++, v >>= 6) {
			if ((v & 63) == 63)
				return dm_sv(tmp, n);
			tmp[n++] = digit[v & 63];
		}
	}
	return dm_sv(tmp, n);
}

struct dm_sv dm_segment_text(struct dm_segment_col *c, uint32_t value, char *tmp)
{
	int64_t i;

	switch (c->d->encoding) {
	case DM_ENC_PACK6:
		return unpack6(c, value, tmp);
	case DM_ENC_STRINGS:
		return dm_strings_get(&c->strings, value);
	case DM_ENC_TEXT:
		i = dm_ints_get(&c->values, value);
		return i < 0 ? dm_sv(tmp, 0) : dm_strings_get(&c->strings, (uint32_t)i);
	default:
		return dm_sv(tmp, 0);
	}
}

static struct dm_segment_dict *dict_of_code(struct dm_segment *s, uint32_t code)
{
	for (uint32_t i = 0; i < s->n_dicts; i++)
		if (code - s->dict[i].first < s->dict[i].n)
			return &s->dict[i];
	return NULL;
}

struct dm_sv dm_segment_key(struct dm_segment *s, uint32_t code, enum dm_obs_type *ret_type)
{
	struct dm_segment_dict *d = dict_of_code(s, code);
	uint32_t i;

	if (!d || !dm_segment_use_dict(s, d)) {
		*ret_type = DM_OBS_NONE;
		return dm_sv("", 0);
	}
	i = code - d->first;
	*ret_type = d->type;
	if (d->type == DM_OBS_IPV4)
		return dm_sv((const char *)d->keys + 4 * (size_t)i, 4);
	if (d->type == DM_OBS_IPV6)
		return dm_sv((const char *)d->keys + 16 * (size_t)i, 16);
	return dm_strings_get(&d->strings, i);
}

int64_t dm_segment_time(struct dm_segment *s, uint32_t row)
{
	struct dm_segment_col *c = dm_segment_column(s, DM_F_TIME);

	return c ? dm_ints_get(&c->values, row) : DM_NO_TIME;
}

uint64_t dm_segment_ordinal(struct dm_segment *s, uint32_t row)
{
	struct dm_segment_col *c = dm_segment_column(s, DM_COL_ORDINAL);

	return c ? (uint64_t)(dm_ints_get(&c->values, row) + (int64_t)row) : 0;
}

uint64_t dm_segment_line(struct dm_segment *s, uint32_t row)
{
	struct dm_segment_col *c = dm_segment_column(s, DM_COL_LINE);

	return c ? (uint64_t)dm_ints_get(&c->values, row) + dm_segment_ordinal(s, row) : 0;
}

uint32_t dm_segment_import(struct dm_segment *s, uint32_t row)
{
	struct dm_segment_col *c = dm_segment_column(s, DM_COL_IMPORT);

	return c ? (uint32_t)dm_ints_get(&c->values, row) : 0;
}
