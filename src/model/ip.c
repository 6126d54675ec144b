/* ip.c: addresses: read, written, compared with the special-purpose registries. */
#include "model/observable.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct dm_ip dm_ip_from4(uint32_t host_order)
{
	struct dm_ip ip;

	memcpy(ip.b, mapped_prefix, 12);
	ip.b[12] = (uint8_t)(host_order >> 24);
	ip.b[13] = (uint8_t)(host_order >> 16);
	ip.b[14] = (uint8_t)(host_order >> 8);
	ip.b[15] = (uint8_t)host_order;
	return ip;
}

bool dm_ip_is4(const struct dm_ip *ip)
{
	return memcmp(ip->b, mapped_prefix, 12) == 0;
}

uint32_t dm_ip_v4(const struct dm_ip *ip)
{
	return (uint32_t)ip->b[12] << 24 | (uint32_t)ip->b[13] << 16 | (uint32_t)ip->b[14] << 8 | ip->b[15];
}

/* Dotted quad that fills [p, end). No leading zeros: some readers take them as octal, so "010.1.1.1" names
 * two hosts. */
static inline bool parse4(const char *p, const char *end, uint32_t *ret)
{
	uint32_t v = 0;

	for (int octet = 0;; octet++) {
		if (p == end)
			return false;
		unsigned a = (unsigned)*p++ - '0';
		if (a > 9)
			return false;
		if (p < end && *p != '.') {
			unsigned b = (unsigned)*p++ - '0';
			if (b > 9 || a == 0)
				return false;
			a = a * 10 + b;
			if (p < end && *p != '.') {
				b = (unsigned)*p++ - '0';
				if (b > 9)
					return false;
				a = a * 10 + b;
				if (a > 255)
					return false;
			}
		}
		v = v << 8 | a;
		if (octet == 3)
			break;
		if (p == end || *p++ != '.')
			return false;
	}
	*ret = v;
	return p == end;
}

static inline int hexval(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4291 s.2.2: eight groups, one "::" for a run of zeros, the last 32 bits possibly as a dotted quad. */
static bool parse6(const char *p, const char *end, struct dm_ip *ret)
{
	uint8_t out[16] = {0};
	unsigned n = 0; /* bytes written */
	int gap = -1;	/* where "::" stands */

	if (end - p >= 2 && p[0] == ':') {
		if (p[1] != ':')
			return false;
		gap = 0;
		p += 2;
	}
	while (p < end) {
		const char *start = p;
		unsigned v = 0;
		int h;

		while (p < end && p - start < 4 && (h = hexval(*p)) >= 0) {
			v = v << 4 | (unsigned)h;
			p++;
		}
		if (p < end && *p == '.') {
			uint32_t v4;
			if (n > 12 || !parse4(start, end, &v4))
				return false;
			for (int i = 0; i < 4; i++)
				out[n++] = (uint8_t)(v4 >> (24 - 8 * i));
			break;
		}
		if (p == start || n > 14)
			return false;
		out[n++] = (uint8_t)(v >> 8);
		out[n++] = (uint8_t)v;
		if (p == end)
			break;
		if (*p++ != ':' || p == end)
			return false;
		if (*p == ':') {
			if (gap >= 0)
				return false;
			gap = (int)n;
			p++;
		}
	}
	if (gap >= 0) {
		if (n > 14)
			return false;
		unsigned tail = n - (unsigned)gap;
		memmove(out + 16 - tail, out + gap, tail);
		memset(out + gap, 0, 16 - n);
	} else if (n != 16) {
		return false;
	}
	memcpy(ret->b, out, 16);
	return true;
}

bool dm_ip_parse(struct dm_sv s, struct dm_ip *ret)
{
	const char *p = s.p, *end = s.p + s.n;
	uint32_t v4;

	if (s.n < 2)
		return false;
	if (s.n <= 15 && parse4(p, end, &v4)) {
		*ret = dm_ip_from4(v4);
		return true;
	}
	/* RFC 4007 s.11: the zone means something on that host only. */
	const char *zone = memchr(p, '%', s.n);
	if (zone)
		end = zone;
	if (end - p > 45 || !memchr(p, ':', (size_t)(end - p)))
		return false;
	return parse6(p, end, ret);
}

static char *put_octet(char *o, unsigned v)
{
	if (v >= 100) {
		*o++ = (char)('0' + v / 100);
		v %= 100;
		*o++ = (char)('0' + v / 10);
	} else if (v >= 10) {
		*o++ = (char)('0' + v / 10);
	}
	*o++ = (char)('0' + v % 10);
	return o;
}

static char *put4(char *o, const uint8_t *b)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*o++ = '.';
		o = put_octet(o, b[i]);
	}
	return o;
}

/* RFC 5952 s.4: lower case, no leading zeros, the longest run of two or more zero groups (the first of
 * equals) as "::". */
static char *put6(char *o, const uint8_t *b)
{
	static const char digits[] = "0123456789abcdef";
	int best = -1, best_n = 1, run = 0;

	for (int i = 0; i < 8; i++) {
		run = b[2 * i] || b[2 * i + 1] ? 0 : run + 1;
		if (run > best_n) {
			best_n = run;
			best = i - run + 1;
		}
	}
	for (int i = 0; i < 8; i++) {
		unsigned v = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
		int shift = 12;

		if (i == best) {
			*o++ = ':';
			*o++ = ':';
			i += best_n - 1;
			continue;
		}
		if (i && (best < 0 || i != best + best_n))
			*o++ = ':';
		while (shift && !(v >> shift))
			shift -= 4;
		for (; shift >= 0; shift -= 4)
			*o++ = digits[v >> shift & 15];
	}
	return o;
}

void dm_ip_put(struct dm_buf *out, const struct dm_ip *ip)
{
	if (!dm_buf_room(out, 48))
		return;
	char *o = out->p + out->n;
	char *e = dm_ip_is4(ip) ? put4(o, ip->b + 12) : put6(o, ip->b);
	out->n += (size_t)(e - o);
}

/* Clears (low) or sets (high) all bits of `ip` behind the first `bits`. */
static void mask(struct dm_ip *ip, unsigned bits, bool high)
{
	for (unsigned i = bits / 8; i < 16; i++) {
		uint8_t keep = i == bits / 8 ? (uint8_t)(0xff00 >> bits % 8) : 0;
		ip->b[i] = (uint8_t)((ip->b[i] & keep) | (high ? (uint8_t)~keep : 0));
	}
}

/* "24", or for IPv4 the old "255.255.255.0"; bits counted from the left of the 16 bytes. */
static bool prefix_bits(struct dm_sv s, bool is4, unsigned *ret)
{
	struct dm_ip m;
	uint64_t n;

	if (dm_sv_u64(s, &n)) {
		if (s.n > 3 || n > (is4 ? 32 : 128))
			return false;
		*ret = (unsigned)n + (is4 ? 96 : 0);
		return true;
	}
	if (!is4 || !dm_ip_parse(s, &m) || !dm_ip_is4(&m))
		return false;
	uint32_t v = dm_ip_v4(&m), inv = ~v;
	if (inv & (inv + 1)) /* holes */
		return false;
	*ret = 96 + (unsigned)__builtin_popcount(v);
	return true;
}

bool dm_ip_range(struct dm_sv s, struct dm_ip *ret_first, struct dm_ip *ret_last)
{
	struct dm_ip a, b;
	unsigned bits;
	size_t at;

	s = dm_sv_trim(s);
	at = dm_sv_find(s, '/');
	if (at != SIZE_MAX) {
		if (!dm_ip_parse(dm_sv(s.p, at), &a) ||
		    !prefix_bits(dm_sv_from(s, at + 1), dm_ip_is4(&a), &bits))
			return false;
		b = a;
		mask(&a, bits, false);
		mask(&b, bits, true);
	} else if ((at = dm_sv_find(s, '-')) != SIZE_MAX) {
		if (!dm_ip_parse(dm_sv_trim(dm_sv(s.p, at)), &a) ||
		    !dm_ip_parse(dm_sv_trim(dm_sv_from(s, at + 1)), &b))
			return false;
		/* A range over both families would hold every IPv6 address below ::ffff:0:0 as well. */
		if (dm_ip_is4(&a) != dm_ip_is4(&b) || memcmp(a.b, b.b, 16) > 0)
			return false;
	} else {
		if (!dm_ip_parse(s, &a))
			return false;
		b = a;
	}
	*ret_first = a;
	*ret_last = b;
	return true;
}

struct special {
	uint8_t b[16];
	uint8_t bits;
	const char *why;
};

struct special4 {
	uint32_t net;
	uint8_t bits;
	const char *why;
};

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890) and the multicast range; the first that fits. */
static const struct special4 special4[] = {
	{0x00000000, 8, "this network (RFC 791)"},
	{0x0a000000, 8, "private (RFC 1918)"},
	{0x64400000, 10, "CGNAT (RFC 6598)"},
	{0x7f000000, 8, "loopback"},
	{0xa9fe0000, 16, "link-local"},
	{0xac100000, 12, "private (RFC 1918)"},
	{0xc0000000, 24, "protocol assignments (RFC 6890)"},
	{0xc0000200, 24, "documentation"},
	{0xc0586300, 24, "6to4 relay (RFC 7526)"},
	{0xc0a80000, 16, "private (RFC 1918)"},
	{0xc6120000, 15, "benchmarking (RFC 2544)"},
	{0xc6336400, 24, "documentation"},
	{0xcb007100, 24, "documentation"},
	{0xe0000000, 4, "multicast"},
	{0xffffffff, 32, "broadcast"},
	{0xf0000000, 4, "reserved"},
};

/* IANA IPv6 Special-Purpose Address Registry; what is outside 2000::/3 and not named here is reserved by RFC
 * 4291. */
static const struct special special6[] = {
	{{0}, 128, "unspecified"},
	{{[15] = 1}, 128, "loopback"},
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "local translation (RFC 8215)"},
	{{0x01}, 64, "discard (RFC 6666)"},
	{{0x20, 0x01, 0x00, 0x02}, 48, "benchmarking (RFC 5180)"},
	{{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation"},
	{{0x20, 0x01, 0x00, 0x10}, 28, "ORCHID (RFC 4843)"},
	{{0x20, 0x01, 0x00, 0x20}, 28, "ORCHID (RFC 7343)"},
	{{0x3f, 0xff}, 20, "documentation"},
	{{0x5f, 0x00}, 16, "segment routing (RFC 9602)"},
	{{0xfc}, 7, "unique local (RFC 4193)"},
	{{0xfe, 0x80}, 10, "link-local"},
	{{0xfe, 0xc0}, 10, "site-local (RFC 3879)"},
	{{0xff}, 8, "multicast"},
};

static bool within(const uint8_t *ip, const uint8_t *net, unsigned bits)
{
	if (memcmp(ip, net, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((ip[bits / 8] ^ net[bits / 8]) & (0xff00 >> bits % 8) & 0xff) == 0;
}

static const char *reserved4(uint32_t v)
{
	for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]); i++)
		if (((v ^ special4[i].net) & (uint32_t)(0xffffffffull << (32 - special4[i].bits))) == 0)
			return special4[i].why;
	return NULL;
}

const char *dm_ip_reserved(const struct dm_ip *ip)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (dm_ip_is4(ip))
		return reserved4(dm_ip_v4(ip));
	/* RFC 6052 s.3.1 and RFC 3056: the IPv4 address inside says whether it is a global one. */
	if (memcmp(ip->b, nat64, 12) == 0)
		return reserved4(dm_ip_v4(ip));
	if (ip->b[0] == 0x20 && ip->b[1] == 0x02)
		return reserved4((uint32_t)ip->b[2] << 24 | (uint32_t)ip->b[3] << 16 |
				 (uint32_t)ip->b[4] << 8 | ip->b[5]);
	for (size_t i = 0; i < sizeof(special6) / sizeof(special6[0]); i++)
		if (within(ip->b, special6[i].b, special6[i].bits))
			return special6[i].why;
	return (ip->b[0] & 0xe0) == 0x20 ? NULL : "reserved";
}

const char *dm_ip_range_reserved(const struct dm_ip *first, const struct dm_ip *last)
{
	const char *why = dm_ip_reserved(first);

	/* What is special begins inside the range, unless the first address lies in it. */
	if (!why && dm_ip_is4(first)) {
		for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]) && !why; i++)
			if (special4[i].net > dm_ip_v4(first) && special4[i].net <= dm_ip_v4(last))
				why = special4[i].why;
		return why;
	}
	for (size_t i = 0; i < sizeof(special6) / sizeof(special6[0]) && !why; i++)
		if (memcmp(special6[i].b, first->b, 16) > 0 && memcmp(special6[i].b, last->b, 16) <= 0)
			why = special6[i].why;
	return why ? why : dm_ip_reserved(last);
}
