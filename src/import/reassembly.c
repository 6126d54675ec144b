/* TCP payloads put back in order and handed to the application that recognises them.
 *
 * Of each direction at most DM_MAX_REASSEMBLY bytes are held: what the application has not used up, and what
 * came too early. The first copy of a byte wins: an attacker who sends two versions is seen with the one that
 * the capture saw first. Bodies are skipped, not stored.
 */
#include <assert.h>

#include "import/capture.h"

/* Data further ahead than any real window belongs to another connection with the same ports, or is an attack.
 */
#define MAX_AHEAD (1 << 26)
/* STARTTLS behind CONNECT behind a proxy: real connections change once or twice. */
#define MAX_SWITCHES 4u

struct dm_later {
	struct dm_later *next;
	int64_t time;
	uint32_t seq, n;  /* n bytes of data follow */
	uint32_t missing; /* behind the data: sent, but cut off by the snap length */
	uint8_t data[];
};

static size_t later_size(const struct dm_later *l)
{
	return sizeof *l + l->n;
}

static void half_clear(struct dm_capture *c, struct dm_half *h)
{
	while (h->later) {
		struct dm_later *l = h->later;

		h->later = l->next;
		dm_capture_unkeep(c, later_size(l));
		dm_free(l);
	}
	h->later_n = 0;
	dm_capture_unkeep(c, h->cap);
	dm_free(h->buf);
	h->buf = NULL;
	h->n = h->cap = 0;
}

static void half_done(struct dm_capture *c, struct dm_flow *f, struct dm_half *h)
{
	half_clear(c, h);
	h->done = true;
	if (!f->app && f->tcp->half[0].done && f->tcp->half[1].done)
		f->app_decided = true;
}

static void give_up(struct dm_capture *c, struct dm_flow *f, struct dm_half *h)
{
	half_done(c, f, h);
	if (!f->gave_up) {
		f->gave_up = true;
		c->unkept++;
	}
}

/* Room for n bytes in the buffer; gives the direction up if that is too much. */
static int half_room(struct dm_capture *c, struct dm_flow *f, struct dm_half *h, size_t n)
{
	size_t cap = n < 2048 ? 2048 : n < DM_MAX_REASSEMBLY / 2 ? n * 2 : DM_MAX_REASSEMBLY;
	uint8_t *buf;

	if (n <= h->cap)
		return 0;
	if (n > DM_MAX_REASSEMBLY || !dm_capture_keep(c, cap - h->cap)) {
		give_up(c, f, h);
		return 0;
	}
	buf = dm_realloc(h->buf, cap, 1);
	if (!buf) {
		dm_capture_unkeep(c, cap - h->cap);
		return dm_fail(c->err, DM_ENOMEM, "no memory for reassembly");
	}
	h->buf = buf;
	h->cap = (uint32_t)cap;
	return 0;
}

/* The application asked for another one to go on: both directions are read afresh. */
static int switch_app(struct dm_capture *c, struct dm_flow *f)
{
	int r = f->app->ops->finish(c, f, f->app);

	dm_app_close(c, f);
	f->app_decided = ++f->switches > MAX_SWITCHES;
	for (unsigned d = 0; d < 2; d++) {
		f->tcp->half[d].skip = 0;
		f->tcp->half[d].done = f->app_decided;
	}
	return r;
}

/* Finds an application for the first bytes of a direction. 1: go on feeding, 0: wait or nobody, or a code. */
static int recognise(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const uint8_t *p, size_t n)
{
	const struct dm_app_ops *ops = NULL;
	int r = f->app_decided ? DM_APP_NONE : dm_app_recognise(f, p, n, &ops);

	if (r == DM_APP_FOUND)
		r = dm_app_open(c, f, ops);
	else if (r == DM_APP_MORE)
		return 0;
	if (r < 0 || f->app)
		return r < 0 ? r : 1;
	f->tcp->half[dir].done = true;
	return 0;
}

/* Hands over bytes in order until nobody uses any more of them. *used is advanced. */
static int offer(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const uint8_t *p, size_t n,
		 size_t seen, int64_t time, size_t *used)
{
	struct dm_half *h = &f->tcp->half[dir];

	while (*used < n && !h->done) {
		struct dm_bytes b = {.p = p + *used, .n = n - *used, .time = time};
		size_t took = 0;
		int r;

		if (h->skip) {
			took = h->skip < b.n ? (size_t)h->skip : b.n;
			h->skip -= took;
			*used += took;
			continue;
		}
		if (!f->app) {
			r = recognise(c, f, dir, b.p, b.n);
			if (r <= 0)
				return r;
		}
		b.seen = seen > *used ? seen - *used : 0;
		r = f->app->ops->feed(c, f, f->app, dir, &b, &took);
		if (r < 0)
			return r;
		assert(took <= b.n);
		*used += took;
		h->skip = b.skip;
		if (r == DM_APP_STOP) {
			h->done = true;
			return 0;
		}
		if (r == DM_APP_SWITCH) {
			r = switch_app(c, f);
			if (r < 0)
				return r;
			seen = 0;
			continue;
		}
		if (!took && !b.skip)
			return 0;
	}
	return 0;
}

/* Nothing is held: bytes straight from the packet. */
static int deliver_direct(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const uint8_t *p,
			  size_t n, int64_t time)
{
	struct dm_half *h = &f->tcp->half[dir];
	size_t used = 0;
	int r = offer(c, f, dir, p, n, 0, time, &used);

	if (r < 0 || h->done || used == n)
		return r;
	if (n - used >= DM_MAX_REASSEMBLY) {
		give_up(c, f, h);
		return 0;
	}
	r = half_room(c, f, h, n - used);
	if (r < 0 || h->done)
		return r;
	memcpy(h->buf, p + used, n - used);
	h->n = (uint32_t)(n - used);
	return 0;
}

/* n bytes at the expected sequence number. */
static int deliver(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const uint8_t *p, size_t n,
		   int64_t time)
{
	struct dm_half *h = &f->tcp->half[dir];

	while (n && !h->done) {
		size_t take = n < DM_MAX_REASSEMBLY - h->n ? n : DM_MAX_REASSEMBLY - h->n, seen = h->n,
		       used = 0;
		int r;

		if (!h->n)
			return deliver_direct(c, f, dir, p, n, time);
		r = half_room(c, f, h, h->n + take);
		if (r < 0 || h->done)
			return r;
		memcpy(h->buf + h->n, p, take);
		h->n += (uint32_t)take;
		p += take;
		n -= take;
		r = offer(c, f, dir, h->buf, h->n, seen, time, &used);
		if (r < 0 || h->done)
			return r;
		memmove(h->buf, h->buf + used, h->n - used);
		h->n -= (uint32_t)used;
		if (h->n == DM_MAX_REASSEMBLY)
			give_up(c, f, h);
	}
	return 0;
}

/* n bytes that the capture does not hold: nobody is told what they were, so outside of what is skipped they
 * end the direction. */
static void gap(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, uint64_t n)
{
	struct dm_half *h = &f->tcp->half[dir];

	if (!n || h->done)
		return;
	if (h->skip >= n)
		h->skip -= n;
	else
		half_done(c, f, h);
}

static int deliver_segment(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const uint8_t *p,
			   uint32_t n, uint32_t missing, int64_t time)
{
	struct dm_half *h = &f->tcp->half[dir];
	int r = n ? deliver(c, f, dir, p, n, time) : 0;

	h->next += n + missing;
	if (r == 0)
		gap(c, f, dir, missing);
	if (h->done)
		half_done(c, f, h);
	return r;
}

/* What came early and now fits. */
static int drain(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir)
{
	struct dm_half *h = &f->tcp->half[dir];
	int r = 0;

	while (r == 0 && h->later && (int32_t)(h->later->seq - h->next) <= 0) {
		struct dm_later *l = h->later;
		uint32_t old = h->next - l->seq;

		h->later = l->next;
		h->later_n -= (uint32_t)later_size(l);
		dm_capture_unkeep(c, later_size(l));
		if (old < l->n)
			r = deliver_segment(c, f, dir, l->data + old, l->n - old, l->missing, l->time);
		else if (old < l->n + l->missing)
			r = deliver_segment(c, f, dir, NULL, 0, l->n + l->missing - old, l->time);
		dm_free(l);
	}
	return r;
}

/* The hole before the earliest segment will not be filled. */
static int pass_hole(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir)
{
	struct dm_half *h = &f->tcp->half[dir];
	uint32_t n = h->later->seq - h->next;

	h->next = h->later->seq;
	gap(c, f, dir, n);
	return drain(c, f, dir);
}

/* Puts the part of a segment that nobody has yet into the list, between `*link` and what follows it. */
static int insert(struct dm_capture *c, struct dm_flow *f, struct dm_half *h, struct dm_later **link,
		  uint32_t seq, const uint8_t *p, uint32_t n, uint32_t missing, int64_t time)
{
	struct dm_later *l;

	if (!dm_capture_keep(c, sizeof *l + n)) {
		give_up(c, f, h);
		return 0;
	}
	l = dm_alloc(sizeof *l + n);
	if (!l) {
		dm_capture_unkeep(c, sizeof *l + n);
		return dm_fail(c->err, DM_ENOMEM, "no memory for reassembly");
	}
	l->seq = seq;
	l->n = n;
	l->missing = missing;
	l->time = time;
	if (n)
		memcpy(l->data, p, n);
	l->next = *link;
	*link = l;
	h->later_n += (uint32_t)later_size(l);
	return 0;
}

static int store_later(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, uint32_t seq,
		       const uint8_t *p, uint32_t n, uint32_t missing, int64_t time)
{
	struct dm_half *h = &f->tcp->half[dir];
	struct dm_later **link = &h->later;

	while (n + missing) {
		struct dm_later *at = *link;
		uint32_t before;

		if (at && (int32_t)(seq - (at->seq + at->n + at->missing)) >= 0) {
			link = &at->next;
			continue;
		}
		/* Bytes before the next segment, then those that it already has. */
		before =
			at && (int32_t)(at->seq - seq) < (int32_t)(n + missing) ? at->seq - seq : n + missing;
		if (at && (int32_t)(at->seq - seq) < 0)
			before = 0;
		if (before) {
			uint32_t data = before < n ? before : n;
			int r = insert(c, f, h, link, seq, p, data, before - data, time);

			if (r < 0 || h->done)
				return r;
			link = &(*link)->next;
			seq += before;
			p += data;
			n -= data;
			missing -= before - data;
		} else {
			uint32_t over = at->seq + at->n + at->missing - seq;
			uint32_t data;

			if (over > n + missing)
				over = n + missing;
			data = over < n ? over : n;
			seq += over;
			p += data;
			n -= data;
			missing -= over - data;
		}
	}
	return 0;
}

static int segment(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, uint32_t seq, const uint8_t *p,
		   uint32_t n, uint32_t missing, int64_t time)
{
	struct dm_half *h = &f->tcp->half[dir];
	int32_t ahead = (int32_t)(seq - h->next);
	int r;

	if (ahead < 0) {
		uint32_t old = (uint32_t)-ahead;

		if (old >= n + missing)
			return 0; /* sent again */
		if (old > n) {
			missing -= old - n;
			n = 0;
		} else {
			p += old;
			n -= old;
		}
		seq = h->next;
		ahead = 0;
	}
	if (ahead == 0 && !h->later)
		return deliver_segment(c, f, dir, p, n, missing, time);
	if (ahead > MAX_AHEAD)
		return 0;
	/* With others waiting, also what is due goes to the list, which takes of it only what nobody brought
	 * before. */
	r = store_later(c, f, dir, seq, p, n, missing, time);
	if (r == 0)
		r = drain(c, f, dir);
	while (r == 0 && h->later && h->later_n + h->n > DM_MAX_REASSEMBLY)
		r = pass_hole(c, f, dir);
	return r;
}

static int tcp_start(struct dm_capture *c, struct dm_flow *f)
{
	if (!dm_capture_keep(c, sizeof *f->tcp)) {
		f->app_decided = true;
		f->gave_up = true;
		c->unkept++;
		return 0;
	}
	f->tcp = dm_calloc(1, sizeof *f->tcp);
	if (f->tcp)
		return 0;
	dm_capture_unkeep(c, sizeof *f->tcp);
	return dm_fail(c->err, DM_ENOMEM, "no memory for reassembly");
}

/* Nobody wants more of either direction: the application says its last word now, and the memory is free for
 * others. */
static int release(struct dm_capture *c, struct dm_flow *f)
{
	int r = 0;

	if (!f->tcp->half[0].done || !f->tcp->half[1].done)
		return 0;
	if (f->app)
		r = f->app->ops->finish(c, f, f->app);
	dm_app_close(c, f);
	dm_tcp_free(c, f);
	f->app_decided = true;
	return r;
}

int dm_tcp_packet(struct dm_capture *c, struct dm_flow *f, unsigned end, const struct dm_packet *p)
{
	enum dm_dir dir = dm_flow_dir(f, end);
	struct dm_half *h;
	uint32_t seq = p->seq + !!(p->tcp_flags & DM_TCP_SYN);
	int r;

	if (f->app_decided && !f->app)
		return 0;
	if (!f->tcp) {
		if (!p->payload_len)
			return 0;
		r = tcp_start(c, f);
		if (r < 0 || !f->tcp)
			return r;
	}
	/* The peer has acknowledged bytes behind a hole: it got them, the capture did not. */
	h = &f->tcp->half[!dir];
	if (p->tcp_flags & DM_TCP_ACK && h->later && (int32_t)(p->ack - h->later->seq) >= 0) {
		r = pass_hole(c, f, !dir);
		if (r < 0 || (f->app_decided && !f->app))
			return r;
	}
	h = &f->tcp->half[dir];
	if (!p->payload_len || h->done)
		return 0;
	if (!h->synced) {
		h->next = f->flags[end] & DM_TCP_SYN ? f->syn_seq[end] : seq;
		h->synced = true;
	}
	r = segment(c, f, dir, seq, p->payload, p->payload_cap, p->payload_len - p->payload_cap, p->time);
	return r < 0 ? r : release(c, f);
}

int dm_tcp_finish(struct dm_capture *c, struct dm_flow *f)
{
	int r = 0;

	for (unsigned dir = 0; dir < 2 && f->tcp; dir++)
		while (r == 0 && f->tcp->half[dir].later && !f->tcp->half[dir].done)
			r = pass_hole(c, f, (enum dm_dir)dir);
	return r;
}

void dm_tcp_free(struct dm_capture *c, struct dm_flow *f)
{
	if (!f->tcp)
		return;
	half_clear(c, &f->tcp->half[0]);
	half_clear(c, &f->tcp->half[1]);
	dm_capture_unkeep(c, sizeof *f->tcp);
	dm_free(f->tcp);
	f->tcp = NULL;
}
