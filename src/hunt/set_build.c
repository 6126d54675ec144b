/* set_build.c: gathering indicators and packing them, sorted, into the bytes of a set. A million plain
 * addresses cost some 10 MB here. */
#include <stdio.h>
#include <stdlib.h>
#include "base/limits.h"
#include "base/time.h"
#include "evidence/intern.h"
#include "hunt/pattern.h"
#include "hunt/set.h"
#include "hunt/set_format.h"

struct text_key {
	uint64_t prefix; /* eight bytes of the key at the depth being sorted, big-endian */
	uint32_t at, n;	 /* in heap */
	uint32_t ref;
};

struct key_list {
	uint32_t *v4;	       /* IPV4: value, host order */
	uint32_t *ref;	       /* IPV4 */
	struct text_key *text; /* others */
	size_t n, v4_cap, ref_cap, text_cap;
	struct dm_buf heap;
};

struct range {
	uint8_t first[16], last[16];
	uint32_t ref;
};

struct dm_set_builder {
	struct key_list type[DM_OBS_TYPES];
	struct range *range;
	size_t n_ranges, range_cap;
	struct key_list suffix;
	uint32_t *pattern;
	size_t n_patterns, pattern_cap;
	uint32_t *record_at;
	size_t n_records, record_cap, n_unusable;
	struct dm_buf records;
	struct dm_intern texts;
};

int dm_set_builder_new(struct dm_set_builder **ret)
{
	struct dm_set_builder *b = dm_calloc(1, sizeof *b);

	if (!b)
		return DM_ENOMEM;
	dm_buf_init(&b->records, UINT32_MAX - 1);
	for (size_t i = 0; i < DM_OBS_TYPES; i++)
		dm_buf_init(&b->type[i].heap, UINT32_MAX - 1);
	dm_buf_init(&b->suffix.heap, UINT32_MAX - 1);
	*ret = b;
	return DM_OK;
}

static void free_list(struct key_list *k)
{
	dm_free(k->v4);
	dm_free(k->ref);
	dm_free(k->text);
	dm_buf_done(&k->heap);
	k->v4 = k->ref = NULL;
	k->text = NULL;
	k->n = k->v4_cap = k->ref_cap = k->text_cap = 0;
}

void dm_set_builder_free(struct dm_set_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < DM_OBS_TYPES; i++)
		free_list(&b->type[i]);
	free_list(&b->suffix);
	dm_free(b->range);
	dm_free(b->pattern);
	dm_free(b->record_at);
	dm_buf_done(&b->records);
	dm_intern_done(&b->texts);
	dm_free(b);
}

uint32_t dm_set_builder_count(const struct dm_set_builder *b)
{
	return (uint32_t)b->n_records;
}

static int add_key(struct dm_set_builder *b, enum dm_obs_type t, struct dm_sv key, uint32_t ref)
{
	struct key_list *k = &b->type[t];

	if (t == DM_OBS_IPV4) {
		uint32_t be;

		if (key.n != 4 || dm_grow((void **)&k->v4, &k->v4_cap, k->n + 1, 4) ||
		    dm_grow((void **)&k->ref, &k->ref_cap, k->n + 1, 4))
			return key.n != 4 ? DM_EINVAL : DM_ENOMEM;
		memcpy(&be, key.p, 4);
		k->v4[k->n] = __builtin_bswap32(be);
		k->ref[k->n++] = ref;
		return DM_OK;
	}
	if (dm_grow((void **)&k->text, &k->text_cap, k->n + 1, sizeof *k->text))
		return DM_ENOMEM;
	k->text[k->n++] = (struct text_key){.at = (uint32_t)k->heap.n, .n = (uint32_t)key.n, .ref = ref};
	dm_buf_sv(&k->heap, key);
	return k->heap.err;
}

static int add_range(struct dm_set_builder *b, struct dm_sv first, struct dm_sv last, uint32_t ref)
{
	struct range *r;

	if (first.n != last.n || (first.n != 4 && first.n != 16))
		return DM_EINVAL;
	if (dm_grow((void **)&b->range, &b->range_cap, b->n_ranges + 1, sizeof *b->range))
		return DM_ENOMEM;
	r = &b->range[b->n_ranges++];
	memset(r, 0, sizeof *r);
	if (first.n == 4) {
		r->first[10] = r->first[11] = r->last[10] = r->last[11] = 0xff;
	}
	memcpy(r->first + 16 - first.n, first.p, first.n);
	memcpy(r->last + 16 - last.n, last.p, last.n);
	r->ref = ref;
	return DM_OK;
}

static int add_suffix(struct dm_set_builder *b, struct dm_sv key, uint32_t ref)
{
	struct key_list *k = &b->suffix;

	if (dm_grow((void **)&k->text, &k->text_cap, k->n + 1, sizeof *k->text))
		return DM_ENOMEM;
	k->text[k->n++] = (struct text_key){.at = (uint32_t)k->heap.n, .n = (uint32_t)key.n, .ref = ref};
	dm_buf_sv(&k->heap, key);
	return k->heap.err;
}

/* Object path of a plain comparison -> the dictionary that answers it exactly. */
enum dm_obs_type dm_set_plain_type(struct dm_sv object, struct dm_sv path)
{
	static const struct {
		const char *object, *path;
		enum dm_obs_type type;
	} table[] = {
		{"ipv4-addr", "value", DM_OBS_IPV4},
		{"ipv6-addr", "value", DM_OBS_IPV6},
		{"domain-name", "value", DM_OBS_DOMAIN},
		{"url", "value", DM_OBS_URL},
		{"email-addr", "value", DM_OBS_EMAIL},
		{"mac-addr", "value", DM_OBS_MAC},
		{"autonomous-system", "number", DM_OBS_AS},
		{"mutex", "name", DM_OBS_MUTEX},
		{"windows-registry-key", "key", DM_OBS_REGISTRY},
		{"file", "hashes.MD5", DM_OBS_MD5},
		{"file", "hashes.SHA-1", DM_OBS_SHA1},
		{"file", "hashes.SHA1", DM_OBS_SHA1},
		{"file", "hashes.SHA-256", DM_OBS_SHA256},
		{"file", "hashes.SHA256", DM_OBS_SHA256},
		{"file", "hashes.SHA-512", DM_OBS_SHA512},
		{"file", "hashes.SHA512", DM_OBS_SHA512},
		{"file", "hashes.SSDEEP", DM_OBS_SSDEEP},
		{"file", "hashes.ssdeep", DM_OBS_SSDEEP},
		{"file", "hashes.TLSH", DM_OBS_TLSH},
		{"file", "name", DM_OBS_FILENAME},
		{"x509-certificate", "hashes.SHA-1", DM_OBS_X509_SHA1},
		{"x509-certificate", "hashes.SHA-256", DM_OBS_X509_SHA256},
		{"x509-certificate", "hashes.MD5", DM_OBS_X509_MD5},
	};
	char plain[64];
	size_t n = 0;

	for (size_t i = 0; i < path.n && n + 1 < sizeof plain;
	     i++) /* hashes.'SHA-256' and hashes."SHA-256" */
		if (path.p[i] != '\'' && path.p[i] != '"')
			plain[n++] = path.p[i];
	plain[n] = 0;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (dm_sv_is(object, table[i].object) && !strcmp(plain, table[i].path))
			return table[i].type;
	return DM_OBS_NONE;
}

struct from_pattern {
	struct dm_set_builder *b;
	uint32_t ref;
	struct dm_buf key;
	bool probe; /* only find out whether every part is plain */
	int rc;
};

static int add_plain(void *ctx, struct dm_sv object, struct dm_sv path, bool subnet, struct dm_sv value)
{
	struct from_pattern *f = ctx;
	enum dm_obs_type t = dm_set_plain_type(object, path), got;
	struct dm_ip first, last;
	bool address = t == DM_OBS_IPV4 || t == DM_OBS_IPV6;

	if (t == DM_OBS_NONE || (subnet && !address))
		return f->rc = DM_EUNSUPPORTED;
	dm_buf_clear(&f->key);
	if (address && (subnet || dm_sv_find(value, '/') != SIZE_MAX)) {
		bool four;

		if (!dm_ip_range(value, &first, &last))
			return f->rc = DM_EUNSUPPORTED;
		four = dm_ip_is4(&first);
		if (f->probe)
			return DM_OK;
		return f->rc = add_range(f->b, dm_sv((char *)first.b + (four ? 12 : 0), four ? 4 : 16),
					 dm_sv((char *)last.b + (four ? 12 : 0), four ? 4 : 16), f->ref);
	}
	if (!dm_obs_key(t, value, &f->key, &got))
		return f->rc = DM_EUNSUPPORTED;
	return f->probe ? DM_OK : (f->rc = add_key(f->b, got, dm_buf_view(&f->key), f->ref));
}

/* Adds the keys of a pattern that is a list of values; false if it is more than that. */
static bool pattern_as_values(struct dm_set_builder *b, const struct dm_pattern *p, uint32_t ref, int *ret_rc)
{
	struct from_pattern f = {.b = b, .ref = ref, .probe = true};
	bool plain;

	dm_buf_init(&f.key, DM_MAX_VALUE * 2);
	plain = dm_pattern_values(p, add_plain, &f) && !f.rc;
	if (plain) {
		f.probe = false;
		dm_pattern_values(p, add_plain, &f);
	}
	dm_buf_done(&f.key);
	*ret_rc = plain ? f.rc : DM_OK;
	return plain;
}

static void put_zigzag(struct dm_buf *b, int64_t v)
{
	dm_buf_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void put_inline(struct dm_buf *b, struct dm_sv s)
{
	if (s.n) {
		dm_buf_varint(b, s.n);
		dm_buf_sv(b, s);
	}
}

static int put_shared(struct dm_set_builder *b, struct dm_sv s)
{
	uint32_t id;

	if (!s.n)
		return DM_OK;
	id = dm_intern(&b->texts, 0, s);
	if (id == DM_INTERN_FAILED)
		return DM_ENOMEM;
	dm_buf_varint(&b->records, id);
	return DM_OK;
}

/* The record; `value` is stored only where no single key gives it back. */
static int add_record(struct dm_set_builder *b, const struct dm_indicator *ind, bool with_value,
		      bool unusable)
{
	struct dm_buf *r = &b->records;
	bool form = ind->form != DM_IND_VALUE || ind->type == DM_OBS_NONE;
	unsigned mask = (form ? DM_SB_FORM : 0) | (ind->flags ? DM_SB_FLAGS : 0) |
			(ind->confidence != 255 ? DM_SB_CONFIDENCE : 0) |
			(ind->valid_from != DM_NO_TIME ? DM_SB_FROM : 0) |
			(ind->valid_until != DM_NO_TIME ? DM_SB_UNTIL : 0) | (ind->id.n ? DM_SB_ID : 0) |
			(ind->original.n ? DM_SB_ORIGINAL : 0) | (with_value ? DM_SB_VALUE : 0) |
			(ind->source.n ? DM_SB_SOURCE : 0) | (ind->label.n ? DM_SB_LABEL : 0) |
			(ind->marking.n ? DM_SB_MARKING : 0) | (unusable ? DM_SB_UNUSABLE : 0);

	if (b->n_records >= DM_MAX_INDICATORS)
		return DM_ELIMIT;
	if (dm_grow((void **)&b->record_at, &b->record_cap, b->n_records + 1, sizeof *b->record_at))
		return DM_ENOMEM;
	b->record_at[b->n_records++] = (uint32_t)r->n;
	dm_buf_varint(r, mask);
	dm_buf_varint(r, ind->line);
	if (form) {
		dm_buf_putc(r, (char)ind->form);
		dm_buf_putc(r, (char)ind->type);
	}
	if (ind->flags)
		dm_buf_varint(r, ind->flags);
	if (ind->confidence != 255)
		dm_buf_putc(r, (char)ind->confidence);
	if (ind->valid_from != DM_NO_TIME)
		put_zigzag(r, ind->valid_from);
	if (ind->valid_until != DM_NO_TIME)
		put_zigzag(r, ind->valid_until);
	put_inline(r, ind->id);
	put_inline(r, ind->original);
	if (with_value) {
		dm_buf_varint(r, ind->value.n);
		dm_buf_sv(r, ind->value);
	}
	if (put_shared(b, ind->source) || put_shared(b, ind->label) || put_shared(b, ind->marking))
		return DM_ENOMEM;
	return r->err;
}

static int add_pattern(struct dm_set_builder *b, const struct dm_indicator *ind, struct dm_err *err)
{
	struct dm_pattern *p = NULL;
	struct dm_err why = {0};
	struct dm_indicator bad = *ind;
	uint32_t ref = (uint32_t)b->n_records;
	char label[400];
	int rc = dm_pattern_parse(&p, ind->value, &why);

	if (rc == DM_ENOMEM)
		return dm_fail(err, rc, "out of memory");
	if (rc) {
		int n = snprintf(label, sizeof label, "not a valid pattern: %s (byte %llu)", why.msg,
				 (unsigned long long)why.offset);
		bad.label = dm_sv(label, n < 0 ? 0 : (size_t)n < sizeof label ? (size_t)n : sizeof label - 1);
		b->n_unusable++;
		return add_record(b, &bad, true, true);
	}
	rc = add_record(b, ind, true, false);
	if (!rc && !pattern_as_values(b, p, ref, &rc)) {
		rc = dm_grow((void **)&b->pattern, &b->pattern_cap, b->n_patterns + 1, sizeof *b->pattern);
		if (!rc)
			b->pattern[b->n_patterns++] = ref;
	}
	dm_pattern_free(p);
	return rc ? dm_fail(err, rc, "out of memory") : DM_OK;
}

int dm_set_add(struct dm_set_builder *b, const struct dm_indicator *ind, struct dm_err *err)
{
	uint32_t ref = (uint32_t)b->n_records;
	int rc;

	switch (ind->form) {
	case DM_IND_PATTERN:
		return add_pattern(b, ind, err);
	case DM_IND_RANGE:
		rc = add_record(b, ind, true, false);
		if (!rc)
			rc = add_range(b, ind->key, ind->key2, ref);
		break;
	case DM_IND_SUFFIX:
		rc = add_record(b, ind, true, false);
		if (!rc)
			rc = add_suffix(b, ind->key, ref);
		break;
	default:
		if (ind->type == DM_OBS_NONE || ind->type >= DM_OBS_TYPES)
			return dm_fail(err, DM_EINVAL, "an indicator without a type");
		rc = add_record(b, ind, false, false);
		if (!rc)
			rc = add_key(b, ind->type, ind->key, ref);
	}
	if (rc == DM_ELIMIT)
		return dm_fail(err, rc, "more than %u indicators in one set", DM_MAX_INDICATORS);
	return rc ? dm_fail(err, rc, "an indicator could not be kept: %s", dm_code_text(rc)) : DM_OK;
}

/* Sorting. Addresses: three passes of 11 bits. Others: by eight bytes at a time. */
static int sort_v4(struct key_list *k)
{
	uint32_t *v = k->v4, *r = k->ref, *v2, *r2;
	bool sorted = true;

	for (size_t i = 1; i < k->n && sorted; i++)
		sorted = v[i - 1] <= v[i];
	if (sorted)
		return DM_OK;
	v2 = dm_alloc(k->n * sizeof *v2);
	r2 = dm_alloc(k->n * sizeof *r2);
	if (!v2 || !r2) {
		dm_free(v2);
		dm_free(r2);
		return DM_ENOMEM;
	}
	for (unsigned shift = 0; shift < 33; shift += 11) {
		uint32_t at[2049] = {0}, *swap;

		for (size_t i = 0; i < k->n; i++)
			at[(v[i] >> shift & 2047) + 1]++;
		for (size_t i = 0; i < 2048; i++)
			at[i + 1] += at[i];
		for (size_t i = 0; i < k->n; i++) {
			uint32_t to = at[v[i] >> shift & 2047]++;
			v2[to] = v[i];
			r2[to] = r[i];
		}
		swap = v, v = v2, v2 = swap;
		swap = r, r = r2, r2 = swap;
	}
	k->v4 = v;
	k->ref = r;
	k->v4_cap = k->ref_cap = k->n;
	dm_free(v2);
	dm_free(r2);
	return DM_OK;
}

static uint64_t prefix_at(const struct key_list *k, const struct text_key *t, size_t depth)
{
	uint64_t v = 0;
	size_t n = t->n > depth ? t->n - depth : 0;

	if (n)
		memcpy(&v, k->heap.p + t->at + depth, n < 8 ? n : 8);
	return __builtin_bswap64(v);
}

static int by_prefix(const void *a, const void *b)
{
	const struct text_key *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return 0;
}

/* LIMIT: depth grows by 8 up to the longest key. Equal keys keep the order of their records. */
static void sort_text(const struct key_list *k, struct text_key *t, size_t n, size_t depth)
{
	bool more = false;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++) {
		t[i].prefix = prefix_at(k, &t[i], depth);
		more = more || t[i].n > depth + 8;
	}
	qsort(t, n, sizeof *t, by_prefix);
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && t[j].prefix == t[i].prefix; j++)
			;
		if (j - i < 2)
			continue;
		if (more)
			sort_text(k, t + i, j - i, depth + 8);
		else /* equal but for trailing zero bytes: the shorter first; stable by record */
			for (size_t x = i + 1; x < j; x++) {
				struct text_key v = t[x];
				size_t y = x;
				for (; y > i &&
				       (t[y - 1].n > v.n || (t[y - 1].n == v.n && t[y - 1].ref > v.ref));
				     y--)
					t[y] = t[y - 1];
				t[y] = v;
			}
	}
}

static void section(struct dm_buf *out, struct dm_section *s, size_t start)
{
	static const char zero[8];

	s->offset = start;
	s->length = out->n - start;
	dm_buf_put(out, zero, (8 - out->n % 8) % 8);
}

static struct dm_sv text_of(const struct key_list *k, size_t i)
{
	return dm_sv(k->heap.p + k->text[i].at, k->text[i].n);
}

static int pack_v4(struct key_list *k, struct dm_set_type_desc *d, struct dm_buf *out)
{
	uint32_t n = 0, *first;
	size_t start = out->n;
	int rc = sort_v4(k);

	if (rc)
		return rc;
	first = dm_alloc((k->n + 1) * sizeof *first);
	if (!first)
		return DM_ENOMEM;
	if (!dm_buf_room(out, k->n * 4)) {
		dm_free(first);
		return out->err;
	}
	for (size_t i = 0; i < k->n; i++) {
		uint32_t be = __builtin_bswap32(k->v4[i]);

		if (i && k->v4[i] == k->v4[i - 1])
			continue;
		first[n++] = (uint32_t)i;
		dm_buf_put(out, &be, 4);
	}
	first[n] = (uint32_t)k->n;
	section(out, &d->keys, start);
	d->n = n;
	d->refs = (uint32_t)k->n;
	d->width = 4;
	if (n != k->n) {
		start = out->n;
		dm_buf_put(out, first, ((size_t)n + 1) * 4);
		section(out, &d->first, start);
	}
	start = out->n;
	dm_buf_put(out, k->ref, k->n * 4);
	section(out, &d->ref, start);
	dm_free(first);
	return out->err;
}

static int pack_text(struct key_list *k, struct dm_set_type_desc *d, struct dm_buf *out)
{
	struct dm_sv *keys = dm_alloc(k->n * sizeof *keys + 1);
	uint32_t *first = dm_alloc((k->n + 1) * sizeof *first), n = 0, width = k->n ? k->text[0].n : 0;
	size_t start = out->n;

	if (!keys || !first) {
		dm_free(keys);
		dm_free(first);
		return DM_ENOMEM;
	}
	sort_text(k, k->text, k->n, 0);
	for (size_t i = 0; i < k->n; i++) {
		width = k->text[i].n == width ? width : 0;
		if (i && dm_sv_eq(keys[n - 1], text_of(k, i)))
			continue;
		first[n] = (uint32_t)i;
		keys[n++] = text_of(k, i);
	}
	first[n] = (uint32_t)k->n;
	if (width)
		for (uint32_t i = 0; i < n; i++)
			dm_buf_sv(out, keys[i]);
	else
		dm_strings_write(out, keys, n, true);
	section(out, &d->keys, start);
	d->n = n;
	d->refs = (uint32_t)k->n;
	d->width = width;
	start = out->n;
	if (n != k->n) {
		dm_buf_put(out, first, ((size_t)n + 1) * 4);
		section(out, &d->first, start);
		start = out->n;
	}
	for (size_t i = 0; i < k->n; i++)
		dm_buf_u32le(out, k->text[i].ref);
	section(out, &d->ref, start);
	dm_free(keys);
	dm_free(first);
	return out->err;
}

static int by_first(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/* Suffixes may stand twice, so theirs is a plain list in the order of keys. */
static int pack_suffixes(struct dm_set_builder *b, struct dm_set_header *h, struct dm_buf *out)
{
	struct key_list *k = &b->suffix;
	struct dm_sv *keys = dm_alloc(k->n * sizeof *keys + 1);
	size_t start = out->n;

	if (!keys)
		return DM_ENOMEM;
	sort_text(k, k->text, k->n, 0);
	for (size_t i = 0; i < k->n; i++)
		keys[i] = text_of(k, i);
	dm_strings_write(out, keys, (uint32_t)k->n, false);
	section(out, &h->suffixes, start);
	start = out->n;
	for (size_t i = 0; i < k->n; i++)
		dm_buf_u32le(out, k->text[i].ref);
	section(out, &h->suffix_ref, start);
	h->n_suffixes = (uint32_t)k->n;
	dm_free(keys);
	return out->err;
}

static int pack_texts(struct dm_set_builder *b, struct dm_set_header *h, struct dm_buf *out)
{
	struct dm_sv *s = dm_alloc(b->texts.n * sizeof *s + 1);
	size_t start = out->n;

	if (!s)
		return DM_ENOMEM;
	for (uint32_t i = 0; i < b->texts.n; i++)
		s[i] = dm_intern_text(&b->texts, i);
	dm_strings_write(out, s, (uint32_t)b->texts.n, false);
	section(out, &h->texts, start);
	dm_free(s);
	return out->err;
}

int dm_set_pack(struct dm_set_builder *b, struct dm_buf *ret, struct dm_err *err)
{
	struct dm_set_header h = {.version = DM_SET_VERSION};
	size_t start;
	int rc = DM_OK;

	memcpy(h.magic, DM_SET_MAGIC, 8);
	dm_buf_init(ret, SIZE_MAX / 4);
	dm_buf_put(ret, &h, sizeof h);
	h.n_records = (uint32_t)b->n_records;
	h.n_unusable = (uint32_t)b->n_unusable;
	start = ret->n;
	dm_buf_put(ret, b->record_at, b->n_records * 4);
	section(ret, &h.record_at, start);
	dm_free(b->record_at);
	b->record_at = NULL;
	start = ret->n;
	dm_buf_sv(ret, dm_buf_view(&b->records));
	section(ret, &h.records, start);
	dm_buf_done(&b->records);
	for (uint32_t t = 1; t < DM_OBS_TYPES && !rc; t++) {
		struct key_list *k = &b->type[t];

		if (!k->n)
			continue;
		h.type[h.n_types].type = t;
		rc = t == DM_OBS_IPV4 ? pack_v4(k, &h.type[h.n_types], ret)
				      : pack_text(k, &h.type[h.n_types], ret);
		h.n_types++;
		free_list(k);
	}
	if (b->n_ranges)
		qsort(b->range, b->n_ranges, sizeof *b->range, by_first);
	start = ret->n;
	for (size_t i = 0; i < b->n_ranges; i++) {
		dm_buf_put(ret, b->range[i].first, 16);
		dm_buf_put(ret, b->range[i].last, 16);
		dm_buf_u32le(ret, b->range[i].ref);
	}
	section(ret, &h.ranges, start);
	h.n_ranges = (uint32_t)b->n_ranges;
	start = ret->n;
	dm_buf_put(ret, b->pattern, b->n_patterns * 4);
	section(ret, &h.patterns, start);
	h.n_patterns = (uint32_t)b->n_patterns;
	if (!rc)
		rc = pack_suffixes(b, &h, ret);
	if (!rc)
		rc = pack_texts(b, &h, ret);
	if (!rc)
		rc = ret->err;
	if (rc) {
		dm_buf_done(ret);
		return dm_fail(err, rc, "the indicators could not be packed: %s", dm_code_text(rc));
	}
	h.size = ret->n;
	h.sum = dm_set_sum(&h, ret->p + sizeof h, ret->n - sizeof h);
	memcpy(ret->p, &h, sizeof h);
	return DM_OK;
}
