/* DNS in captures: one row for a question and its answer; what was asked and never answered gives a row at
 * the end of the flow. */
#include "import/capture.h"
#include "import/dns_wire.h"
#include "import/fmt.h"

/* Questions waiting for an answer in one flow. A resolver's port may have many under way; more than these are
 * written as unanswered. */
#define MAX_PENDING 64u

struct pending {
	struct pending *next;
	int64_t time;
	uint16_t id;
	uint32_t n;
	uint8_t message[];
};

struct dns_app {
	struct dm_app app;
	struct pending *first, **last;
	uint32_t count;
};

static int make(struct dm_capture *c, struct dm_app **ret)
{
	struct dns_app *a = dm_calloc(1, sizeof *a);

	if (!a)
		return dm_fail(c->err, DM_ENOMEM, "no memory for DNS");
	a->last = &a->first;
	*ret = &a->app;
	return 0;
}

static void put_strings(struct dm_capture *c, struct dm_cur *d)
{
	/* Character-strings joined, as resolvers give TXT to programs (RFC 7208 s.3.3). */
	dm_buf_clear(&c->text);
	while (dm_cur_left(d)) {
		struct dm_sv part = dm_cur_sv(d, dm_cur_u8(d));

		if (d->bad)
			break;
		dm_buf_sv(&c->text, part);
	}
	dm_capture_text(c, DM_F_DNS_ANSWER_TEXT, c->text.p, c->text.n);
}

/* Skips fixed fields, then a name: SOA, MX, SRV, ... */
static void put_name(struct dm_capture *c, const struct dm_cur *msg, const struct dm_dns_rr *rr, size_t skip)
{
	struct dm_cur d = *msg;
	char name[DM_DNS_NAME_TEXT];
	size_t n;

	d.at = rr->data_at + skip;
	if (skip < rr->data_n && dm_dns_name(&d, name, &n))
		dm_capture_text(c, DM_F_DNS_ANSWER_NAME, name, n);
}

/* SVCB and HTTPS (RFC 9460 s.2.2): the target, then the addresses that its hints name. */
static void put_service(struct dm_capture *c, const struct dm_cur *msg, const struct dm_dns_rr *rr)
{
	struct dm_cur d = dm_cur(msg->p, rr->data_at + rr->data_n);
	char name[DM_DNS_NAME_TEXT];
	size_t n;

	d.at = rr->data_at;
	dm_cur_skip(&d, 2);
	if (!dm_dns_name(&d, name, &n))
		return;
	dm_capture_text(c, DM_F_DNS_ANSWER_NAME, name, n);
	while (dm_cur_left(&d) >= 4) {
		uint16_t key = dm_cur_u16be(&d);
		struct dm_sv value = dm_cur_sv(&d, dm_cur_u16be(&d));
		struct dm_cur hint = dm_cur(value.p, value.n);
		struct dm_ip ip;

		while (key == 4 && dm_cur_left(&hint) >= 4) {
			ip = dm_ip_from4(dm_cur_u32be(&hint));
			dm_record_ip(&c->rec, DM_F_DNS_ANSWER_IP, &ip);
		}
		while (key == 6 && dm_cur_left(&hint) >= 16) {
			memcpy(ip.b, dm_cur_take(&hint, 16), 16);
			dm_record_ip(&c->rec, DM_F_DNS_ANSWER_IP, &ip);
		}
	}
}

static void put_hex(struct dm_capture *c, const char *type, struct dm_cur *d)
{
	size_t n = dm_cur_left(d);

	if (!n)
		return;
	dm_buf_clear(&c->text);
	dm_buf_str(&c->text, type);
	dm_buf_putc(&c->text, ' ');
	dm_buf_hex(&c->text, d->p + d->at, n < 1024 ? n : 1024);
	dm_capture_text(c, DM_F_DNS_ANSWER_TEXT, c->text.p, c->text.n);
}

static void put_caa(struct dm_capture *c, struct dm_cur *d)
{
	struct dm_sv tag;

	dm_cur_skip(d, 1);
	tag = dm_cur_sv(d, dm_cur_u8(d));
	dm_buf_clear(&c->text);
	dm_buf_sv(&c->text, tag);
	dm_buf_putc(&c->text, ' ');
	dm_buf_sv(&c->text, dm_cur_sv(d, dm_cur_left(d)));
	if (!d->bad)
		dm_capture_text(c, DM_F_DNS_ANSWER_TEXT, c->text.p, c->text.n);
}

static void put_answer(struct dm_capture *c, const struct dm_cur *msg, const struct dm_dns_rr *rr)
{
	struct dm_cur d = dm_cur(msg->p + rr->data_at, rr->data_n);
	char buf[16];
	struct dm_ip ip;

	switch (rr->type) {
	case 1: /* A */
		if (rr->data_n == 4) {
			ip = dm_ip_from4(dm_cur_u32be(&d));
			dm_record_ip(&c->rec, DM_F_DNS_ANSWER_IP, &ip);
			return;
		}
		break;
	case 28: /* AAAA */
		if (rr->data_n == 16) {
			memcpy(ip.b, d.p, 16);
			dm_record_ip(&c->rec, DM_F_DNS_ANSWER_IP, &ip);
			return;
		}
		break;
	case 2:	 /* NS */
	case 5:	 /* CNAME */
	case 12: /* PTR */
	case 39: /* DNAME */
	case 6:	 /* SOA: the primary server */
		put_name(c, msg, rr, 0);
		return;
	case 64: /* SVCB */
	case 65: /* HTTPS */
		put_service(c, msg, rr);
		return;
	case 15: /* MX */
	case 18: /* AFSDB */
	case 36: /* KX */
		put_name(c, msg, rr, 2);
		return;
	case 33: /* SRV */
		put_name(c, msg, rr, 6);
		return;
	case 16: /* TXT */
	case 99: /* SPF */
		put_strings(c, &d);
		return;
	case 257:
		put_caa(c, &d);
		return;
	case 41: /* OPT belongs to the message, not to the answer */
		return;
	}
	put_hex(c, dm_dns_type_name(rr->type, buf), &d);
}

static void put_flags(struct dm_record *r, uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {{0x0400, "AA"}, {0x0200, "TC"}, {0x0100, "RD"},
		     {0x0080, "RA"}, {0x0020, "AD"}, {0x0010, "CD"}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (flags & names[i].bit)
			dm_record_text(r, DM_F_DNS_FLAGS, dm_sv_str(names[i].name));
}

/* Answers of one section. False: the message ends or breaks inside. */
static bool put_answers(struct dm_capture *c, struct dm_cur *msg, unsigned count)
{
	struct dm_dns_rr rr;

	for (unsigned i = 0; i < count; i++) {
		char ttl[20];

		if (!dm_dns_rr(msg, &rr))
			return false;
		put_answer(c, msg, &rr);
		if (rr.type != 41)
			dm_capture_text(c, DM_F_DNS_TTL, ttl, dm_fmt_u64(ttl, rr.ttl));
	}
	return true;
}

/* The row of a message: a question, or an answer with the question it repeats. `asked`: when, DM_NO_TIME if
 * not seen. */
static int write_message(struct dm_capture *c, const struct dm_flow *f, const uint8_t *p, size_t n,
			 int64_t time, int64_t asked)
{
	struct dm_cur msg = dm_cur(p, n);
	struct dm_dns_header h;
	struct dm_dns_rr rr;
	struct dm_record *r;
	char buf[16];
	bool whole = true;

	if (!dm_dns_header(&msg, &h))
		return c->sink->skip(c->sink, c->packet, "DNS message is shorter than its header");
	r = dm_capture_start(c, f, DM_KIND_DNS, asked != DM_NO_TIME ? asked : time);
	dm_record_text(r, DM_F_DNS_TYPE, dm_sv_str(h.response ? "answer" : "query"));
	dm_record_int(r, DM_F_DNS_ID, h.id);
	put_flags(r, h.flags);
	if (h.response) {
		dm_record_text(r, DM_F_DNS_RCODE, dm_sv_str(dm_dns_rcode_name(h.rcode, buf)));
		dm_record_int(r, DM_F_DNS_REJECTED, h.rcode != 0 && !h.answers);
		if (asked != DM_NO_TIME && time != DM_NO_TIME && time >= asked)
			dm_record_int(r, DM_F_DURATION, time - asked);
	}
	for (unsigned i = 0; i < h.questions && whole; i++) {
		whole = dm_dns_question(&msg, &rr);
		if (!whole)
			break;
		dm_capture_text(c, DM_F_DNS_QUERY, rr.name, rr.name_n);
		const char *type = dm_dns_type_name(rr.type, buf);
		dm_capture_text(c, DM_F_DNS_QTYPE, type, strlen(type));
	}
	if (whole && h.response)
		whole = put_answers(c, &msg, h.answers);
	/* What was read of a broken message is kept: the question is what is looked for, and the break is
	 * said. */
	int ret = dm_capture_emit(c);

	if (ret == 0 && !whole)
		ret = c->sink->skip(c->sink, c->packet,
				    "DNS message is cut short or broken; what precedes the fault is kept");
	return ret;
}

static void forget(struct dm_capture *c, struct dns_app *a, struct pending **link)
{
	struct pending *q = *link;

	*link = q->next;
	if (!*link)
		a->last = link;
	a->count--;
	dm_capture_unkeep(c, sizeof *q + q->n);
	dm_free(q);
}

static int write_unanswered(struct dm_capture *c, const struct dm_flow *f, struct dns_app *a)
{
	int r = write_message(c, f, a->first->message, a->first->n, a->first->time, DM_NO_TIME);

	forget(c, a, &a->first);
	return r;
}

static int remember(struct dm_capture *c, const struct dm_flow *f, struct dns_app *a, const uint8_t *p,
		    size_t n, int64_t time)
{
	struct pending *q;

	if (a->count == MAX_PENDING) {
		int r = write_unanswered(c, f, a);

		if (r < 0)
			return r;
	}
	if (!dm_capture_keep(c, sizeof *q + n))
		return write_message(c, f, p, n, time, DM_NO_TIME);
	q = dm_alloc(sizeof *q + n);
	if (!q) {
		dm_capture_unkeep(c, sizeof *q + n);
		return dm_fail(c->err, DM_ENOMEM, "no memory for DNS");
	}
	q->next = NULL;
	q->time = time;
	q->id = (uint16_t)(p[0] << 8 | p[1]);
	q->n = (uint32_t)n;
	memcpy(q->message, p, n);
	*a->last = q;
	a->last = &q->next;
	a->count++;
	return 0;
}

/* Whether the answer repeats the question, byte for byte but for case (0x20 mixing comes back as it went;
 * some servers fold it). */
static bool same_question(const struct pending *q, const uint8_t *p, size_t n)
{
	struct dm_cur a = dm_cur(q->message, q->n), b = dm_cur(p, n);
	struct dm_dns_header ha, hb;
	struct dm_dns_rr ra, rb;

	if (!dm_dns_header(&a, &ha) || !dm_dns_header(&b, &hb))
		return false;
	if (!hb.questions)
		return true; /* errors may leave it out */
	return dm_dns_question(&a, &ra) && dm_dns_question(&b, &rb) && ra.type == rb.type &&
	       dm_sv_ieq(dm_sv(ra.name, ra.name_n), dm_sv(rb.name, rb.name_n));
}

static int message(struct dm_capture *c, struct dm_flow *f, struct dns_app *a, const uint8_t *p, size_t n,
		   int64_t time)
{
	uint16_t id;
	int64_t asked = DM_NO_TIME;

	if (n < 12)
		return c->sink->skip(c->sink, c->packet, "DNS message is shorter than its header");
	id = (uint16_t)(p[0] << 8 | p[1]);
	if (!(p[2] & 0x80)) {
		for (const struct pending *q = a->first; q; q = q->next)
			if (q->id == id && q->n == n && memcmp(q->message, p, n) == 0)
				return 0; /* asked again for want of an answer */
		return remember(c, f, a, p, n, time);
	}
	for (struct pending **q = &a->first; *q; q = &(*q)->next)
		if ((*q)->id == id && same_question(*q, p, n)) {
			asked = (*q)->time;
			forget(c, a, q);
			break;
		}
	return write_message(c, f, p, n, time, asked);
}

int dm_dns_datagram(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const struct dm_packet *p)
{
	(void)dir;
	return message(c, f, (struct dns_app *)f->app, p->payload, p->payload_cap, p->time);
}

static int feed(struct dm_capture *c, struct dm_flow *f, struct dm_app *app, enum dm_dir dir,
		struct dm_bytes *b, size_t *used)
{
	while (b->n - *used >= 2) {
		size_t n = (size_t)(b->p[*used] << 8 | b->p[*used + 1]);
		int r;

		if (b->n - *used - 2 < n)
			break;
		r = message(c, f, (struct dns_app *)app, b->p + *used + 2, n, b->time);
		if (r < 0)
			return r;
		*used += 2 + n;
	}
	return 0;
}

static int finish(struct dm_capture *c, struct dm_flow *f, struct dm_app *app)
{
	struct dns_app *a = (struct dns_app *)app;
	int r = 0;

	while (a->first && r == 0)
		r = write_unanswered(c, f, a);
	return r;
}

static void free_app(struct dm_capture *c, struct dm_app *app)
{
	struct dns_app *a = (struct dns_app *)app;

	while (a->first)
		forget(c, a, &a->first);
	dm_free(a);
}

const struct dm_app_ops dm_app_dns = {"dns", sizeof(struct dns_app), make, NULL, finish, free_app};
const struct dm_app_ops dm_app_dns_tcp = {"dns", sizeof(struct dns_app), make, feed, finish, free_app};
