/* record.c: values canonicalised as they are added. The usual value is canonical already and is taken as a
 * view: no copy, no allocation. */
#include <assert.h>
#include "base/limits.h"
#include "base/text.h"
#include "model/domain.h"
#include "model/hash.h"
#include "model/record.h"

void dm_record_init(struct dm_record *r)
{
	/* Not the array of values: 48 KiB that count says are empty. */
	r->kind = 0;
	r->time = DM_NO_TIME;
	r->line = 0;
	r->count = r->dropped = r->cut = 0;
	r->text_bytes = 0;
	memset(r->per_field, 0, sizeof(r->per_field));
	r->arena = (struct dm_arena){.max = DM_MAX_RECORD};
	dm_buf_init(&r->scratch, DM_MAX_RECORD);
}

void dm_record_done(struct dm_record *r)
{
	dm_arena_done(&r->arena);
	dm_buf_done(&r->scratch);
	r->count = 0;
}

void dm_record_start(struct dm_record *r, enum dm_kind kind, int64_t time, uint64_t line)
{
	r->kind = kind;
	r->time = time;
	r->line = line;
	r->count = r->dropped = r->cut = 0;
	r->text_bytes = 0;
	memset(r->per_field, 0, sizeof(r->per_field));
	if (r->arena.used)
		dm_arena_reset(&r->arena);
}

static struct dm_value *add(struct dm_record *r, enum dm_field f)
{
	assert(f > DM_F_NONE && f < DM_FIELDS && dm_field_info[f].name);
	if (r->count == DM_RECORD_VALUES || r->per_field[f] == DM_MAX_VALUES) {
		r->dropped++;
		return NULL;
	}
	struct dm_value *v = &r->v[r->count++];
	r->per_field[f]++;
	v->field = (uint16_t)f;
	v->type = (uint8_t)dm_field_info[f].type;
	v->obs = (uint8_t)dm_field_info[f].obs;
	return v;
}

void dm_record_int(struct dm_record *r, enum dm_field f, int64_t value)
{
	if (value == DM_NO_INT)
		return;
	struct dm_value *v = add(r, f);
	if (v)
		v->i = value;
}

void dm_record_ip(struct dm_record *r, enum dm_field f, const struct dm_ip *ip)
{
	struct dm_value *v = add(r, f);

	if (v) {
		v->ip = *ip;
		v->obs = dm_ip_is4(ip) ? DM_OBS_IPV4 : DM_OBS_IPV6;
	}
}

/* A text that is canonical and lives long enough. */
static void add_text(struct dm_record *r, enum dm_field f, struct dm_sv s, enum dm_obs_type obs)
{
	if (r->text_bytes + s.n > DM_MAX_RECORD) {
		r->dropped++;
		return;
	}
	struct dm_value *v = add(r, f);
	if (v) {
		v->text = s;
		v->obs = (uint8_t)obs;
		r->text_bytes += s.n;
	}
}

/* The content of the scratch buffer, kept with the record. */
static void add_scratch(struct dm_record *r, enum dm_field f, enum dm_obs_type obs)
{
	struct dm_sv s;

	if (r->scratch.err) {
		r->dropped++;
		return;
	}
	s = dm_arena_copy(&r->arena, dm_buf_view(&r->scratch));
	if (s.p)
		add_text(r, f, s, obs);
	else
		r->dropped++;
}

static bool is_ascii(struct dm_sv s)
{
	uint64_t w, all = 0;
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&w, s.p + i, 8);
		all |= w;
	}
	for (; i < s.n; i++)
		all |= (uint8_t)s.p[i];
	return !(all & 0x8080808080808080ull);
}

/* `s` shortened to DM_MAX_VALUE in front of a whole character, with an ellipsis to show it; at most
 * DM_MAX_VALUE in all. */
static struct dm_sv cut(struct dm_record *r, struct dm_sv s)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t n = DM_MAX_VALUE - 3;
	char *p;

	for (int i = 0; i < 3 && ((uint8_t)s.p[n] & 0xc0) == 0x80; i++)
		n--;
	p = dm_arena_alloc(&r->arena, n + 3);
	if (!p)
		return dm_sv("", 0);
	memcpy(p, s.p, n);
	memcpy(p + n, ellipsis, 3);
	r->cut++;
	return dm_sv(p, n + 3);
}

/* Valid UTF-8 of at most DM_MAX_VALUE bytes: `s` itself where it is that. An empty view if there is no
 * memory. */
static struct dm_sv clean(struct dm_record *r, struct dm_sv s)
{
	if (s.n > DM_MAX_VALUE)
		s = cut(r, s);
	if (is_ascii(s) || dm_utf8_valid(s))
		return s;
	dm_buf_clear(&r->scratch);
	dm_utf8_repair(&r->scratch, s);
	if (r->scratch.err)
		return dm_sv("", 0);
	/* Each bad byte became three. */
	if (r->scratch.n > DM_MAX_VALUE)
		return cut(r, dm_buf_view(&r->scratch));
	return dm_arena_copy(&r->arena, dm_buf_view(&r->scratch));
}

static void put_text(struct dm_record *r, enum dm_field f, struct dm_sv s, enum dm_obs_type obs)
{
	s = clean(r, s);
	if (s.n)
		add_text(r, f, s, obs);
	else
		r->dropped++;
}

void dm_record_unparsed(struct dm_record *r, const char *name, struct dm_sv value)
{
	struct dm_sv s = clean(r, value);

	dm_buf_clear(&r->scratch);
	dm_buf_str(&r->scratch, name);
	dm_buf_putc(&r->scratch, '=');
	dm_buf_sv(&r->scratch, s);
	add_scratch(r, DM_F_UNPARSED, DM_OBS_NONE);
}

/* Whether `s` is its own canonical form; looks only for the usual ways of being so. Sets the exact type. */
static bool is_canonical(enum dm_obs_type t, struct dm_sv s, enum dm_obs_type *ret)
{
	switch (t) {
	case DM_OBS_DOMAIN:
		*ret = t;
		return dm_domain_is_lenient(s);
	case DM_OBS_MD5:
	case DM_OBS_SHA1:
	case DM_OBS_SHA256:
	case DM_OBS_SHA512:
	case DM_OBS_X509_MD5:
	case DM_OBS_X509_SHA1:
	case DM_OBS_X509_SHA256:
	case DM_OBS_JA3:
	case DM_OBS_JA3S:
		*ret = dm_hash_type(t, s.n);
		return *ret != DM_OBS_NONE && dm_hash_is_lower_hex(s);
	case DM_OBS_MUTEX:
	case DM_OBS_USER_AGENT:
		*ret = t;
		return true;
	default:
		return false;
	}
}

static void put_observable(struct dm_record *r, enum dm_field f, struct dm_sv s)
{
	enum dm_obs_type want = dm_field_info[f].obs, t;
	struct dm_sv valid = clean(r, s);

	if (valid.n == 0) {
		r->dropped++;
		return;
	}
	if (is_canonical(want, valid, &t)) {
		add_text(r, f, valid, t);
		return;
	}
	dm_buf_clear(&r->scratch);
	if (!dm_obs_canonical(want, valid, true, &r->scratch, &t))
		dm_record_unparsed(r, dm_field_info[f].name, s);
	else if (dm_sv_eq(dm_buf_view(&r->scratch), valid))
		add_text(r, f, valid, t);
	else
		add_scratch(r, f, t);
}

void dm_record_text(struct dm_record *r, enum dm_field f, struct dm_sv s)
{
	struct dm_ip ip;
	int64_t i;

	assert(f > DM_F_NONE && f < DM_FIELDS && dm_field_info[f].name);
	if (s.n == 0)
		return;
	switch (dm_field_info[f].type) {
	case DM_T_IP:
		if (dm_ip_parse(s, &ip))
			dm_record_ip(r, f, &ip);
		else
			dm_record_unparsed(r, dm_field_info[f].name, s);
		return;
	case DM_T_TEXT:
		if (dm_field_info[f].obs == DM_OBS_NONE)
			put_text(r, f, s, DM_OBS_NONE);
		else
			put_observable(r, f, s);
		return;
	case DM_T_TIME:
		if (dm_time_parse(s, &i))
			dm_record_int(r, f, i);
		else
			dm_record_unparsed(r, dm_field_info[f].name, s);
		return;
	default:
		if (dm_sv_i64(s, &i) && i != DM_NO_INT)
			dm_record_int(r, f, i);
		else
			dm_record_unparsed(r, dm_field_info[f].name, s);
		return;
	}
}

void dm_record_bytes(struct dm_record *r, enum dm_field f, struct dm_sv bytes)
{
	if (bytes.n == 0)
		return;
	if (bytes.n > DM_MAX_VALUE) {
		bytes.n = DM_MAX_VALUE;
		r->cut++;
	}
	add_text(r, f, bytes, DM_OBS_NONE);
}

static bool is_port(struct dm_sv s)
{
	uint64_t port;

	return s.n <= 5 && dm_sv_u64(s, &port) && port <= 65535;
}

void dm_record_host(struct dm_record *r, enum dm_field name_field, enum dm_field ip_field, struct dm_sv s)
{
	const char *colon;
	struct dm_ip ip;

	if (s.n == 0)
		return;
	/* Most hosts are names, and no name of ours looks like an address. */
	if (s.p[0] == '[') {
		size_t close = dm_sv_find(s, ']');

		if (close != SIZE_MAX &&
		    (close + 1 == s.n || (s.p[close + 1] == ':' && is_port(dm_sv_from(s, close + 2)))) &&
		    dm_ip_parse(dm_sv(s.p + 1, close - 1), &ip)) {
			dm_record_ip(r, ip_field, &ip);
			return;
		}
	} else if (dm_ip_parse(s, &ip)) {
		dm_record_ip(r, ip_field, &ip);
		return;
	}
	colon = memrchr(s.p, ':', s.n);
	if (colon && colon > s.p && is_port(dm_sv_from(s, (size_t)(colon - s.p) + 1))) {
		s.n = (size_t)(colon - s.p);
		if (dm_ip_parse(s, &ip)) {
			dm_record_ip(r, ip_field, &ip);
			return;
		}
	}
	dm_record_text(r, name_field, s);
}

void dm_record_hash(struct dm_record *r, struct dm_sv hex)
{
	enum dm_field f;

	if (hex.n == 0)
		return;
	switch (dm_hash_type(DM_OBS_MD5, hex.n)) {
	case DM_OBS_MD5:
		f = DM_F_MD5;
		break;
	case DM_OBS_SHA1:
		f = DM_F_SHA1;
		break;
	case DM_OBS_SHA256:
		f = DM_F_SHA256;
		break;
	case DM_OBS_SHA512:
		f = DM_F_SHA512;
		break;
	default:
		dm_record_unparsed(r, "file.hash", hex);
		return;
	}
	put_observable(r, f, hex);
}
