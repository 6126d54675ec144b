/* guard.c: reserved and own networks, blocks and suffixes too wide to be a sign of anything, digests of
 * nothing. */
#include "base/alloc.h"
#include "model/guard.h"

void dm_guard_done(struct dm_guard *g)
{
	dm_free(g->own);
	*g = (struct dm_guard){0};
}

static int cmp_ip(const struct dm_ip *a, const struct dm_ip *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

/* Index of the first span that ends at or behind ip. */
static size_t lower(const struct dm_guard *g, const struct dm_ip *ip)
{
	size_t lo = 0, hi = g->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp_ip(&g->own[mid].last, ip) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int dm_guard_own(struct dm_guard *g, struct dm_sv range, struct dm_err *err)
{
	struct dm_ip_span s;
	size_t from, to;

	if (!dm_ip_range(range, &s.first, &s.last)) {
		dm_fail(err, DM_EFORMAT, "\"%.*s\" is no address, range or block",
			(int)(range.n < 80 ? range.n : 80), range.p);
		return dm_err_remedy(err, "write 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1-192.0.2.9");
	}
	if (dm_grow((void **)&g->own, &g->cap, g->n + 1, sizeof(*g->own)) != 0)
		return dm_fail(err, DM_ENOMEM, "no memory for own networks");
	/* Spans that overlap the new one become part of it. */
	from = to = lower(g, &s.first);
	while (to < g->n && cmp_ip(&g->own[to].first, &s.last) <= 0) {
		if (cmp_ip(&g->own[to].first, &s.first) < 0)
			s.first = g->own[to].first;
		if (cmp_ip(&g->own[to].last, &s.last) > 0)
			s.last = g->own[to].last;
		to++;
	}
	memmove(g->own + from + 1, g->own + to, (g->n - to) * sizeof(*g->own));
	g->n = g->n + 1 - (to - from);
	g->own[from] = s;
	return 0;
}

static bool overlaps_own(const struct dm_guard *g, const struct dm_ip *first, const struct dm_ip *last)
{
	size_t i;

	if (!g || !g->n)
		return false;
	i = lower(g, first);
	return i < g->n && cmp_ip(&g->own[i].first, last) <= 0;
}

/* Blocks /0 to /7 of IPv4, and of IPv6 all above /19, the largest that a network was ever given: both hold
 * far more strangers than one actor has addresses. A range that is no block counts by its size. */
static bool is_broad(const struct dm_ip *first, const struct dm_ip *last)
{
	uint64_t hi_first = 0, hi_last = 0;

	if (dm_ip_is4(first) && dm_ip_is4(last))
		return dm_ip_v4(last) - dm_ip_v4(first) >= (1u << 25) - 1;
	for (int i = 0; i < 8; i++) {
		hi_first = hi_first << 8 | first->b[i];
		hi_last = hi_last << 8 | last->b[i];
	}
	return hi_last - hi_first >= (1ull << (64 - 18)) - 1;
}

static uint32_t span_flags(const struct dm_guard *g, const struct dm_ip *first, const struct dm_ip *last)
{
	return (dm_ip_range_reserved(first, last) ? DM_FLAG_RESERVED : 0) |
	       (is_broad(first, last) ? DM_FLAG_BROAD : 0) | (overlaps_own(g, first, last) ? DM_FLAG_OWN : 0);
}

static bool key_ip(struct dm_sv key, struct dm_ip *ret)
{
	const uint8_t *b = (const uint8_t *)key.p;

	if (key.n == 4)
		*ret = dm_ip_from4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
	else if (key.n == 16)
		memcpy(ret->b, b, 16);
	return key.n == 4 || key.n == 16;
}

static uint32_t address_flags(const struct dm_guard *g, const struct dm_indicator *ind)
{
	struct dm_ip first, last;

	if (!key_ip(ind->key, &first))
		return 0;
	if (ind->form != DM_IND_RANGE)
		last = first;
	else if (!key_ip(ind->key2, &last))
		return 0;
	return span_flags(g, &first, &last);
}

static uint32_t host_flags(const struct dm_guard *g, struct dm_sv host)
{
	struct dm_ip ip;

	return dm_ip_parse(host, &ip) ? span_flags(g, &ip, &ip) : 0;
}

static uint32_t email_flags(const struct dm_guard *g, struct dm_sv value)
{
	const char *at = value.n ? memrchr(value.p, '@', value.n) : NULL;
	struct dm_sv domain = at ? dm_sv_from(value, (size_t)(at - value.p) + 1) : dm_sv(value.p, 0);

	if (domain.n < 2 || domain.p[0] != '[' || domain.p[domain.n - 1] != ']')
		return 0;
	domain = dm_sv(domain.p + 1, domain.n - 2);
	return host_flags(g, dm_sv_starts(domain, DM_SV("IPv6:")) ? dm_sv_from(domain, 5) : domain);
}

/* What an empty file hashes to: it stands in many lists, and is in every network. FIPS 180-4 and RFC 1321. */
static bool is_empty_hash(enum dm_obs_type t, struct dm_sv key)
{
	static const struct {
		enum dm_obs_type t;
		uint8_t n;
		const char *bytes;
	} empty[] = {
		{DM_OBS_MD5, 16, "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e"},
		{DM_OBS_SHA1, 20,
		 "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09"},
		{DM_OBS_SHA256, 32,
		 "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24"
		 "\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55"},
		{DM_OBS_SHA512, 64,
		 "\xcf\x83\xe1\x35\x7e\xef\xb8\xbd\xf1\x54\x28\x50\xd6\x6d\x80\x07"
		 "\xd6\x20\xe4\x05\x0b\x57\x15\xdc\x83\xf4\xa9\x21\xd3\x6c\xe9\xce"
		 "\x47\xd0\xd1\x3c\x5d\x85\xf2\xb0\xff\x83\x18\xd2\x87\x7e\xec\x2f"
		 "\x63\xb9\x31\xbd\x47\x41\x7a\x81\xa5\x38\x32\x7a\xf9\x27\xda\x3e"},
	};
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		if (t == empty[i].t && key.n == empty[i].n && memcmp(key.p, empty[i].bytes, key.n) == 0)
			return true;
	return false;
}

uint32_t dm_guard_flags(const struct dm_guard *g, const struct dm_indicator *ind)
{
	struct dm_sv host;

	switch (ind->form) {
	case DM_IND_VALUE:
	case DM_IND_RANGE:
		break;
	case DM_IND_SUFFIX:
		return dm_sv_find(ind->key, 0x01) == SIZE_MAX ? DM_FLAG_BROAD : 0;
	default:
		return 0;
	}
	switch (ind->type) {
	case DM_OBS_IPV4:
	case DM_OBS_IPV6:
		return address_flags(g, ind);
	case DM_OBS_URL:
		return dm_url_host(ind->value, &host) ? host_flags(g, host) : 0;
	case DM_OBS_EMAIL:
		return email_flags(g, ind->value);
	default:
		return is_empty_hash(ind->type, ind->key) ? DM_FLAG_EMPTY_HASH : 0;
	}
}
