/* QUIC in captures: the Initial packets, whose keys anybody can derive (RFC 9001 s.5.2), hold the TLS hellos.
 * Versions 1 and 2 and the last drafts.
 *
 * Everything behind is encrypted for good; such packets only count as traffic.
 */
#include "import/digest.h"
#include "import/tls.h"

/* A ClientHello with post-quantum shares has about 2 KiB; clients shuffle its pieces over a few packets. */
#define CRYPTO_MAX   16384u
#define RANGES_MAX   64u
#define INITIALS_MAX 32u

struct keys {
	uint8_t key[16], iv[12], hp[16];
};

struct range {
	uint32_t from, to;
};

struct quic_side {
	uint8_t *crypto; /* CRYPTO_MAX, on demand */
	struct range range[RANGES_MAX];
	unsigned ranges, initials;
	bool done, short_header;
};

struct quic_app {
	struct dm_app app;
	bool has_keys;
	struct keys keys[2];
	struct quic_side side[2];
	struct dm_tls_session *session;
};

struct version {
	uint32_t number;
	const uint8_t *salt;
	uint8_t initial; /* packet type of Initial */
	const char *key, *iv, *hp;
};

static const uint8_t salt_v1[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
				    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
static const uint8_t salt_v2[20] = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
				    0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};
static const uint8_t salt_29[20] = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
				    0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};

static const struct version versions[] = {
	{0x00000001, salt_v1, 0, "quic key", "quic iv", "quic hp"},
	{0x6b3343cf, salt_v2, 1, "quicv2 key", "quicv2 iv", "quicv2 hp"}, /* RFC 9369 */
	{0xff00001d, salt_29, 0, "quic key", "quic iv", "quic hp"},
	{0xff00001e, salt_29, 0, "quic key", "quic iv", "quic hp"},
	{0xff00001f, salt_29, 0, "quic key", "quic iv", "quic hp"},
	{0xff000020, salt_29, 0, "quic key", "quic iv", "quic hp"},
	{0xff000021, salt_v1, 0, "quic key", "quic iv", "quic hp"},
	{0xff000022, salt_v1, 0, "quic key", "quic iv", "quic hp"},
};

static const struct version *find_version(uint32_t number)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (versions[i].number == number)
			return &versions[i];
	return NULL;
}

static uint64_t varint(struct dm_cur *c)
{
	uint8_t first = dm_cur_u8(c);
	uint64_t v = first & 0x3f;

	for (unsigned n = (1u << (first >> 6)) - 1; n > 0; n--)
		v = v << 8 | dm_cur_u8(c);
	return v;
}

bool dm_quic_is(const uint8_t *p, size_t n)
{
	struct dm_cur c = dm_cur(p, n);
	uint8_t first = dm_cur_u8(&c), id_n;
	uint32_t number = dm_cur_u32be(&c);

	if (c.bad || (first & 0xc0) != 0xc0 || !find_version(number))
		return false;
	id_n = dm_cur_u8(&c);
	dm_cur_skip(&c, id_n);
	return !c.bad && id_n <= 20 && dm_cur_u8(&c) <= 20 && !c.bad;
}

static int make(struct dm_capture *c, struct dm_app **ret)
{
	struct quic_app *a = dm_calloc(1, sizeof *a);

	if (!a)
		return dm_fail(c->err, DM_ENOMEM, "no memory for QUIC");
	if (dm_tls_session_new(c, 'q', &a->session) < 0) {
		dm_free(a);
		return dm_fail(c->err, DM_ENOMEM, "no memory for QUIC");
	}
	*ret = &a->app;
	return 0;
}

static void derive(struct quic_app *a, const struct version *v, struct dm_sv dcid)
{
	static const char *const side[2] = {"client in", "server in"};
	uint8_t initial[32], secret[32];

	dm_hkdf_extract_sha256(v->salt, 20, (const uint8_t *)dcid.p, dcid.n, initial);
	for (unsigned i = 0; i < 2; i++) {
		dm_hkdf_expand_label(initial, side[i], secret, 32);
		dm_hkdf_expand_label(secret, v->key, a->keys[i].key, 16);
		dm_hkdf_expand_label(secret, v->iv, a->keys[i].iv, 12);
		dm_hkdf_expand_label(secret, v->hp, a->keys[i].hp, 16);
	}
	a->has_keys = true;
}

/* Takes protection off one Initial: p, the whole packet of n bytes, its number at `pn_at`. The frames go to
 * `out`; their length, 0 on failure. */
static size_t unprotect(const struct keys *k, const uint8_t *p, size_t n, size_t pn_at, uint8_t *out)
{
	uint8_t mask[16], nonce[12], head[256];
	uint32_t pn = 0;
	size_t pn_n, ad_n;

	if (n < pn_at + 4 + 16 || pn_at + 4 > sizeof head)
		return 0;
	dm_aes128_block(k->hp, p + pn_at + 4, mask);
	memcpy(head, p, pn_at + 4);
	head[0] ^= mask[0] & 0x0f;
	pn_n = (head[0] & 3u) + 1;
	for (size_t i = 0; i < pn_n; i++) {
		head[pn_at + i] ^= mask[1 + i];
		pn = pn << 8 | head[pn_at + i];
	}
	ad_n = pn_at + pn_n;
	memcpy(nonce, k->iv, 12);
	for (unsigned i = 0; i < 4; i++)
		nonce[8 + i] ^= (uint8_t)(pn >> (24 - 8 * i));
	if (n < ad_n + 16 || !dm_aes128_gcm_open(k->key, nonce, head, ad_n, p + ad_n, n - ad_n - 16, out))
		return 0;
	return n - ad_n - 16;
}

static void add_range(struct quic_side *s, uint32_t from, uint32_t to)
{
	unsigned i = 0;

	/* Swallow what overlaps or touches; what is left does neither. */
	while (i < s->ranges) {
		struct range *r = &s->range[i];

		if (from <= r->to && r->from <= to) {
			from = from < r->from ? from : r->from;
			to = to > r->to ? to : r->to;
			*r = s->range[--s->ranges];
		} else {
			i++;
		}
	}
	if (s->ranges < RANGES_MAX)
		s->range[s->ranges++] = (struct range){from, to};
}

static void free_crypto(struct dm_capture *c, struct quic_side *s)
{
	if (!s->crypto)
		return;
	dm_capture_unkeep(c, CRYPTO_MAX);
	dm_free(s->crypto);
	s->crypto = NULL;
}

/* The hello is whole once everything from 0 to its end has come. */
static int try_hello(struct dm_capture *c, struct quic_app *a, enum dm_dir dir, int64_t time)
{
	struct quic_side *s = &a->side[dir];
	uint32_t have = 0, n;
	int r = 0;

	for (unsigned i = 0; i < s->ranges; i++)
		if (s->range[i].from == 0)
			have = s->range[i].to;
	if (have < 4)
		return 0;
	n = (uint32_t)s->crypto[1] << 16 | (uint32_t)s->crypto[2] << 8 | s->crypto[3];
	if (have - 4 < n)
		return 0;
	s->done = true;
	if (s->crypto[0] == 1 && dir == DM_FROM_CLIENT)
		r = dm_tls_session_client_hello(c, a->session, s->crypto + 4, n, time);
	else if (s->crypto[0] == 2 && dir == DM_FROM_SERVER)
		r = dm_tls_session_server_hello(c, a->session, s->crypto + 4, n, time);
	free_crypto(c, s);
	return r;
}

static int add_crypto(struct dm_capture *c, struct quic_side *s, uint64_t offset, struct dm_sv data)
{
	if (offset > CRYPTO_MAX || data.n > CRYPTO_MAX - offset || !data.n)
		return 0;
	if (!s->crypto) {
		if (!dm_capture_keep(c, CRYPTO_MAX)) {
			s->done = true;
			return 0;
		}
		s->crypto = dm_alloc(CRYPTO_MAX);
		if (!s->crypto) {
			dm_capture_unkeep(c, CRYPTO_MAX);
			return dm_fail(c->err, DM_ENOMEM, "no memory for QUIC");
		}
	}
	memcpy(s->crypto + offset, data.p, data.n);
	add_range(s, (uint32_t)offset, (uint32_t)(offset + data.n));
	return 0;
}

/* Frames that may stand in an Initial (RFC 9000 s.12.4). */
static int frames(struct dm_capture *c, struct quic_app *a, enum dm_dir dir, const uint8_t *p, size_t n,
		  int64_t time)
{
	struct dm_cur f = dm_cur(p, n);
	int r = 0;

	while (r == 0 && dm_cur_left(&f)) {
		uint64_t type = varint(&f), count;

		if (type == 0 || type == 1) /* PADDING, PING */
			continue;
		if (type == 6) { /* CRYPTO */
			uint64_t offset = varint(&f), len = varint(&f);
			struct dm_sv data = dm_cur_sv(&f, len <= n ? (size_t)len : SIZE_MAX);

			if (f.bad)
				break;
			r = add_crypto(c, &a->side[dir], offset, data);
			continue;
		}
		if (type != 2 && type != 3) /* CONNECTION_CLOSE, or nothing that belongs here */
			break;
		varint(&f); /* ACK: largest, delay, count, first range, ranges, ECN counts */
		varint(&f);
		count = varint(&f);
		varint(&f);
		while (count-- > 0 && !f.bad) {
			varint(&f);
			varint(&f);
		}
		for (unsigned i = 0; type == 3 && i < 3; i++)
			varint(&f);
	}
	return r == 0 && a->side[dir].crypto && !a->side[dir].done ? try_hello(c, a, dir, time) : r;
}

static int initial(struct dm_capture *c, struct quic_app *a, enum dm_dir dir, const struct version *v,
		   struct dm_sv dcid, const uint8_t *p, size_t n, size_t pn_at, int64_t time)
{
	struct quic_side *s = &a->side[dir];
	uint8_t *out;
	size_t got = 0;
	int r = 0;

	if (dir == DM_FROM_CLIENT && !a->has_keys)
		derive(a, v, dcid);
	if (s->done || ++s->initials > INITIALS_MAX || n > DM_MAX_PACKET)
		return 0;
	out = dm_alloc(n);
	if (!out)
		return dm_fail(c->err, DM_ENOMEM, "no memory for QUIC");
	if (a->has_keys)
		got = unprotect(&a->keys[dir], p, n, pn_at, out);
	/* The first packet of a client names the secret; after a Retry there is a new one (RFC 9001 s.5.2).
	 */
	if (!got && dir == DM_FROM_CLIENT) {
		derive(a, v, dcid);
		got = unprotect(&a->keys[dir], p, n, pn_at, out);
	}
	if (got)
		r = frames(c, a, dir, out, got, time);
	dm_free(out);
	return r;
}

int dm_quic_datagram(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const struct dm_packet *pkt)
{
	struct quic_app *a = (struct quic_app *)f->app;
	struct dm_cur d = dm_cur(pkt->payload, pkt->payload_cap);
	int r = 0;

	while (r == 0 && dm_cur_left(&d)) {
		size_t start = d.at, end;
		uint8_t first = dm_cur_u8(&d), type;
		const struct version *v;
		struct dm_sv dcid;
		uint64_t n;

		if (!(first & 0x80)) {
			a->side[dir].short_header = true;
			return 0;
		}
		v = find_version(dm_cur_u32be(&d));
		dcid = dm_cur_sv(&d, dm_cur_u8(&d));
		dm_cur_skip(&d, dm_cur_u8(&d));
		type = first >> 4 & 3;
		if (d.bad || !v || dcid.n > 20)
			return 0;		      /* version negotiation, or not ours */
		if (type == ((v->initial + 3) & 3)) { /* Retry: the client starts again with another secret */
			a->has_keys = false;
			return 0;
		}
		if (type == v->initial) {
			n = varint(&d);
			if (n > dm_cur_left(&d))
				return 0;
			dm_cur_skip(&d, (size_t)n); /* token */
		}
		n = varint(&d);
		if (d.bad || n > dm_cur_left(&d))
			return 0;
		end = d.at + (size_t)n;
		if (type == v->initial)
			r = initial(c, a, dir, v, dcid, d.p + start, end - start, d.at - start, pkt->time);
		d.at = end;
	}
	return r;
}

static int finish(struct dm_capture *c, struct dm_flow *f, struct dm_app *app)
{
	struct quic_app *a = (struct quic_app *)app;

	return dm_tls_session_write(c, f, a->session, a->side[0].short_header && a->side[1].short_header);
}

static void free_app(struct dm_capture *c, struct dm_app *app)
{
	struct quic_app *a = (struct quic_app *)app;

	free_crypto(c, &a->side[0]);
	free_crypto(c, &a->side[1]);
	dm_tls_session_free(a->session);
	dm_free(a);
}

const struct dm_app_ops dm_app_quic = {
	"quic", sizeof(struct quic_app) + DM_TLS_SESSION_COST, make, NULL, finish, free_app};
