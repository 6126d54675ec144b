/* The flow table: packets to two-way flows.
 *
 * A hash table of indices into slabs that never move. Each flow also hangs in one of three lists, one a
 * timeout, ordered by when it was last touched, so that expiry looks only at what expires. The clock is the
 * latest packet time so far: captures merged from several sources run backwards in places, and a flow must
 * not expire because of that.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "import/capture.h"

#define NONE	   UINT32_MAX
#define SLAB_FLOWS 1024u

enum list { LIST_SHORT, LIST_LONG, LIST_CLOSED, LISTS };

/* As Zeek does for datagrams and attempts (1 min) and for what is closed (5 s); an established connection
 * that is silent for an hour is taken for dead: shorter limits cut interactive sessions and slow beacons in
 * pieces. */
static const int64_t timeout_us[LISTS] = {60 * DM_US, 3600 * DM_US, 5 * DM_US};

struct dm_flows {
	struct dm_capture *c;
	struct dm_flow **slab;
	size_t slabs, slab_cap;
	uint32_t *bucket;
	uint32_t mask;
	uint32_t used; /* flow numbers handed out */
	uint32_t live;
	uint32_t free; /* chain of given-back flows */
	struct {
		uint32_t first, last;
	} list[LISTS];
	uint32_t done[DM_MAX_BATCH_ROWS]; /* ended, not yet written */
	uint32_t done_n;
	int64_t clock;
	struct { /* where the ports of a fragmented datagram are remembered */
		struct dm_ip src, dst;
		uint32_t id;
		uint16_t sport, dport;
		uint8_t proto, level;
		bool used;
	} frag[256];
};

/* Keyed, so that a capture can't be made whose flows all fall into one bucket. */
static uint64_t hash_key[4] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
			       0x27d4eb2f165667c5};

void dm_flows_seed(void)
{
	uint64_t key[4];

	if (getrandom(key, sizeof key, 0) == sizeof key)
		memcpy(hash_key, key, sizeof key);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint32_t hash_flow(const struct dm_ip ip[2], const uint16_t port[2], uint8_t proto, uint8_t level)
{
	uint64_t w[4],
		rest = (uint64_t)port[0] << 48 | (uint64_t)port[1] << 32 | (uint64_t)proto << 8 | level;

	memcpy(w, ip, sizeof w);
	uint64_t h =
		mix(w[0] ^ hash_key[0], w[1] ^ hash_key[1]) ^ mix(w[2] ^ hash_key[2], w[3] ^ hash_key[3]);

	h = mix(h ^ hash_key[1], rest ^ hash_key[2]);
	return (uint32_t)(h ^ h >> 32);
}

static struct dm_flow *at(const struct dm_flows *t, uint32_t i)
{
	return &t->slab[i / SLAB_FLOWS][i % SLAB_FLOWS];
}

int dm_flows_new(struct dm_flows **ret, struct dm_capture *c)
{
	struct dm_flows *t = dm_calloc(1, sizeof *t);

	if (!t)
		return dm_fail(c->err, DM_ENOMEM, "no memory for flows");
	t->c = c;
	t->mask = 4095;
	t->free = NONE;
	for (unsigned i = 0; i < LISTS; i++)
		t->list[i].first = t->list[i].last = NONE;
	t->bucket = dm_alloc((t->mask + 1) * sizeof *t->bucket);
	if (!t->bucket) {
		dm_free(t);
		return dm_fail(c->err, DM_ENOMEM, "no memory for flows");
	}
	memset(t->bucket, 0xff, (t->mask + 1) * sizeof *t->bucket);
	*ret = t;
	return 0;
}

static void drop_app(struct dm_capture *c, struct dm_flow *f)
{
	dm_tcp_free(c, f);
	dm_app_close(c, f);
}

static void drop_content(struct dm_capture *c, struct dm_flow *f)
{
	drop_app(c, f);
	dm_timings_free(c, f);
}

void dm_flows_free(struct dm_flows *t)
{
	if (!t)
		return;
	for (unsigned l = 0; l < LISTS; l++)
		for (uint32_t i = t->list[l].first; i != NONE; i = at(t, i)->next)
			drop_content(t->c, at(t, i));
	for (uint32_t i = 0; i < t->done_n; i++)
		drop_content(t->c, at(t, t->done[i]));
	for (size_t i = 0; i < t->slabs; i++)
		dm_free(t->slab[i]);
	dm_free(t->slab);
	dm_free(t->bucket);
	dm_free(t);
}

static void list_remove(struct dm_flows *t, uint32_t i)
{
	struct dm_flow *f = at(t, i);

	if (f->prev != NONE)
		at(t, f->prev)->next = f->next;
	else
		t->list[f->list].first = f->next;
	if (f->next != NONE)
		at(t, f->next)->prev = f->prev;
	else
		t->list[f->list].last = f->prev;
}

static void list_append(struct dm_flows *t, uint32_t i, uint8_t list)
{
	struct dm_flow *f = at(t, i);

	f->list = list;
	f->next = NONE;
	f->prev = t->list[list].last;
	if (f->prev != NONE)
		at(t, f->prev)->next = i;
	else
		t->list[list].first = i;
	t->list[list].last = i;
}

static uint32_t *bucket_of(struct dm_flows *t, const struct dm_flow *f)
{
	return &t->bucket[hash_flow(f->ip, f->port, f->proto, f->level) & t->mask];
}

static int by_first(const void *a, const void *b, void *table)
{
	const struct dm_flow *x = at(table, *(const uint32_t *)a), *y = at(table, *(const uint32_t *)b);

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (int)x->level - (int)y->level;
}

static void give_back(struct dm_flows *t, uint32_t i)
{
	drop_content(t->c, at(t, i));
	at(t, i)->chain = t->free;
	t->free = i;
}

/* A row is known by the flow's first packet, and a batch of rows wants those in order, while flows end in any
 * order: so a batch is collected first. */
static int write_done(struct dm_flows *t)
{
	int r = 0;

	qsort_r(t->done, t->done_n, sizeof *t->done, by_first, t);
	for (uint32_t i = 0; i < t->done_n; i++) {
		if (r == 0)
			r = dm_flow_write(t->c, at(t, t->done[i]));
		give_back(t, t->done[i]);
	}
	t->done_n = 0;
	return r;
}

/* Takes the flow out of the table and puts it among those to be written. */
static int flow_end(struct dm_flows *t, uint32_t i)
{
	struct dm_flow *f = at(t, i);
	uint32_t *link = bucket_of(t, f);
	int r;

	while (*link != i)
		link = &at(t, *link)->chain;
	*link = f->chain;
	list_remove(t, i);
	r = dm_tcp_finish(t->c, f);
	if (r == 0 && f->app)
		r = f->app->ops->finish(t->c, f, f->app);
	drop_app(t->c, f);
	t->live--;
	t->done[t->done_n++] = i;
	if (t->done_n == DM_MAX_BATCH_ROWS && r == 0)
		r = write_done(t);
	return r;
}

static int expire(struct dm_flows *t)
{
	for (unsigned l = 0; l < LISTS; l++)
		while (t->list[l].first != NONE &&
		       t->clock - at(t, t->list[l].first)->touched > timeout_us[l]) {
			int r = flow_end(t, t->list[l].first);

			if (r < 0)
				return r;
		}
	return 0;
}

/* Room for one more: the flow that has been silent for longest goes. */
static int evict(struct dm_flows *t)
{
	uint32_t oldest = NONE;

	for (unsigned l = 0; l < LISTS; l++) {
		uint32_t i = t->list[l].first;

		if (i != NONE && (oldest == NONE || at(t, i)->touched < at(t, oldest)->touched))
			oldest = i;
	}
	assert(oldest != NONE);
	return flow_end(t, oldest);
}

static int grow_buckets(struct dm_flows *t)
{
	uint32_t mask = t->mask * 2 + 1;
	uint32_t *bucket = dm_alloc(((size_t)mask + 1) * sizeof *bucket);

	if (!bucket)
		return dm_fail(t->c->err, DM_ENOMEM, "no memory for flows");
	memset(bucket, 0xff, ((size_t)mask + 1) * sizeof *bucket);
	dm_free(t->bucket);
	t->bucket = bucket;
	t->mask = mask;
	for (unsigned l = 0; l < LISTS; l++)
		for (uint32_t i = t->list[l].first; i != NONE; i = at(t, i)->next) {
			uint32_t *b = bucket_of(t, at(t, i));

			at(t, i)->chain = *b;
			*b = i;
		}
	return 0;
}

static int flow_alloc(struct dm_flows *t, uint32_t *ret)
{
	int r;

	if (t->live >= DM_MAX_FLOWS) {
		r = evict(t);
		if (r < 0)
			return r;
	}
	if (t->live > t->mask) {
		r = grow_buckets(t);
		if (r < 0)
			return r;
	}
	if (t->free != NONE) {
		*ret = t->free;
		t->free = at(t, t->free)->chain;
	} else {
		if (t->used == t->slabs * SLAB_FLOWS) {
			r = dm_grow((void **)&t->slab, &t->slab_cap, t->slabs + 1, sizeof *t->slab);
			if (r < 0)
				return dm_fail(t->c->err, DM_ENOMEM, "no memory for flows");
			t->slab[t->slabs] = dm_alloc(SLAB_FLOWS * sizeof **t->slab);
			if (!t->slab[t->slabs])
				return dm_fail(t->c->err, DM_ENOMEM, "no memory for flows");
			t->slabs++;
		}
		*ret = t->used++;
	}
	memset(at(t, *ret), 0, sizeof(struct dm_flow));
	t->live++;
	return 0;
}

/* ICMP types that ask and answer share a flow, as in the community id specification: the "ports" are type and
 * counter-type. */
static bool icmp_pair(uint8_t proto, uint8_t type, uint8_t *other)
{
	static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
	static const uint8_t v6[][2] = {{128, 129}, {133, 134}, {135, 136},
					{130, 131}, {139, 140}, {144, 145}};
	const uint8_t(*pair)[2] = proto == DM_PROTO_ICMP ? v4 : v6;
	size_t n = proto == DM_PROTO_ICMP ? sizeof v4 / 2 : sizeof v6 / 2;

	for (size_t i = 0; i < n; i++)
		for (unsigned side = 0; side < 2; side++)
			if (pair[i][side] == type) {
				*other = pair[i][!side];
				return true;
			}
	return false;
}

static size_t frag_slot(const struct dm_packet *p)
{
	const uint16_t none[2] = {0, 0};
	struct dm_ip ip[2] = {p->src, p->dst};

	return (hash_flow(ip, none, p->proto, p->level) ^ p->fragment_id) & 255;
}

/* Later fragments have no ports: those of the first are used if it was seen shortly before. */
static void find_ports(struct dm_flows *t, const struct dm_packet *p, uint16_t *sport, uint16_t *dport)
{
	__typeof__(&t->frag[0]) s = &t->frag[frag_slot(p)];

	if (p->first_fragment) {
		s->src = p->src;
		s->dst = p->dst;
		s->id = p->fragment_id;
		s->proto = p->proto;
		s->level = p->level;
		s->sport = *sport;
		s->dport = *dport;
		s->used = true;
	} else if (s->used && s->id == p->fragment_id && s->proto == p->proto && s->level == p->level &&
		   memcmp(&s->src, &p->src, 16) == 0 && memcmp(&s->dst, &p->dst, 16) == 0) {
		*sport = s->sport;
		*dport = s->dport;
	}
}

/* The ends in order: *end is the sender's. */
static void make_key(struct dm_flows *t, const struct dm_packet *p, struct dm_flow *key, unsigned *end)
{
	uint16_t sport = p->sport, dport = p->dport;
	int order;

	if (p->proto == DM_PROTO_ICMP || p->proto == DM_PROTO_ICMPV6) {
		uint8_t other;

		sport = p->icmp_type;
		key->one_way = !icmp_pair(p->proto, p->icmp_type, &other);
		dport = key->one_way ? p->icmp_code : other;
	}
	if (p->fragment)
		find_ports(t, p, &sport, &dport);
	order = memcmp(&p->src, &p->dst, 16);
	if (order == 0)
		order = sport < dport ? -1 : sport > dport;
	/* One-way ICMP keeps its direction: an answer with type and code swapped is something else. */
	*end = order > 0 && !key->one_way;
	key->ip[*end] = p->src;
	key->ip[!*end] = p->dst;
	key->port[*end] = sport;
	key->port[!*end] = dport;
	key->proto = p->proto;
	key->level = p->level;
}

static uint32_t find(struct dm_flows *t, const struct dm_flow *key)
{
	uint32_t i = *bucket_of(t, key);

	while (i != NONE) {
		const struct dm_flow *f = at(t, i);

		if (memcmp(f->ip, key->ip, sizeof f->ip) == 0 && f->port[0] == key->port[0] &&
		    f->port[1] == key->port[1] && f->proto == key->proto && f->level == key->level)
			return i;
		i = f->chain;
	}
	return NONE;
}

/* Whether a packet with the key of a known flow is the start of another one. */
static bool starts_anew(const struct dm_flow *f, const struct dm_packet *p)
{
	if (p->time != DM_NO_TIME && f->end != DM_NO_TIME && p->time > f->end &&
	    p->time - f->end > timeout_us[f->list])
		return true;
	return p->proto == DM_PROTO_TCP && (p->tcp_flags & (DM_TCP_SYN | DM_TCP_ACK)) == DM_TCP_SYN &&
	       f->list == LIST_CLOSED;
}

static uint8_t list_for(const struct dm_flow *f)
{
	if (f->proto != DM_PROTO_TCP)
		return LIST_SHORT;
	if ((f->flags[0] | f->flags[1]) & DM_TCP_RST || f->flags[0] & f->flags[1] & DM_TCP_FIN)
		return LIST_CLOSED;
	/* Both have spoken, or it was under way when the capture began. */
	if ((f->packets[0] && f->packets[1]) || !((f->flags[0] | f->flags[1]) & DM_TCP_SYN))
		return LIST_LONG;
	return LIST_SHORT;
}

static int account(struct dm_flows *t, uint32_t i, const struct dm_packet *p, unsigned end)
{
	struct dm_flow *f = at(t, i);
	uint8_t list;

	dm_flow_account(f, end, p);
	f->touched = t->clock;
	list = list_for(f);
	if (list != f->list || f->next != NONE) {
		list_remove(t, i);
		list_append(t, i, list);
	}
	if (t->c->timings && p->payload_len)
		return dm_timings_add(t->c, f, dm_flow_dir(f, end), p->time, p->payload_len);
	return 0;
}

static int look_into(struct dm_capture *c, struct dm_flow *f, unsigned end, const struct dm_packet *p)
{
	if (p->fragment || !p->has_ports)
		return 0;
	if (p->proto == DM_PROTO_TCP)
		return dm_tcp_packet(c, f, end, p);
	if (p->proto == DM_PROTO_UDP && p->payload_cap)
		return dm_udp_packet(c, f, end, p);
	return 0;
}

int dm_flows_packet(struct dm_flows *t, const struct dm_packet *p, uint64_t parent, const char *tunnel,
		    struct dm_flow **ret)
{
	struct dm_flow key;
	unsigned end;
	uint32_t i;
	int r;

	memset(&key, 0, sizeof key);
	if (p->time != DM_NO_TIME && p->time > t->clock) {
		t->clock = p->time;
		r = expire(t);
		if (r < 0)
			return r;
	}
	make_key(t, p, &key, &end);
	i = find(t, &key);
	if (i != NONE && starts_anew(at(t, i), p)) {
		r = flow_end(t, i);
		if (r < 0)
			return r;
		i = NONE;
	}
	if (i == NONE) {
		r = flow_alloc(t, &i);
		if (r < 0)
			return r;
		struct dm_flow *f = at(t, i);
		uint32_t *b;

		dm_flow_begin(f, &key, p, end);
		f->parent = parent;
		f->tunnel = tunnel;
		b = bucket_of(t, f);
		f->chain = *b;
		*b = i;
		list_append(t, i, LIST_SHORT);
	}
	r = account(t, i, p, end);
	if (r == 0)
		r = look_into(t->c, at(t, i), end, p);
	*ret = at(t, i);
	return r;
}

int dm_flows_finish(struct dm_flows *t)
{
	uint32_t *order = dm_alloc(t->live * sizeof *order + 1), n = 0;
	int r = 0;

	if (!order)
		return dm_fail(t->c->err, DM_ENOMEM, "no memory for flows");
	for (unsigned l = 0; l < LISTS; l++)
		for (uint32_t i = t->list[l].first; i != NONE; i = at(t, i)->next)
			order[n++] = i;
	assert(n == t->live);
	qsort_r(order, n, sizeof *order, by_first, t);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = flow_end(t, order[i]);
	dm_free(order);
	return r < 0 ? r : write_done(t);
}
