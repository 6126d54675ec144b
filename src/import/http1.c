/* HTTP/1 (RFC 9112) in captures: one row for a request and its response. Bodies are counted and skipped.
 *
 * Lenient as servers and malware are: bare LF, missing Host, unknown methods. Strict where leniency would let
 * a sender hide a request: a body ends where its length says, and a direction that makes no sense is given up
 * rather than guessed at.
 */
#include <assert.h>

#include "import/capture.h"
#include "import/http_head.h"

/* Requests under way in one connection (pipelining); older ones are written without a response. */
#define MAX_PENDING 64u
#define PHRASE_MAX  128u
#define MIME_MAX    128u

struct request {
	struct request *next;
	int64_t time;
	uint64_t body;
	bool head_method, connect;
	uint32_t n;
	char head[];
};

enum state { HEAD, BODY, CHUNK_SIZE, CHUNK_END, TRAILER, REST };

struct side {
	enum state state;
	uint64_t length; /* BODY, REST: declared; what of it was skipped shows in the half */
	uint64_t body;	 /* counted so far */
};

struct http_app {
	struct dm_app app;
	struct side side[2];
	struct request *first, **last;
	uint32_t count;
	bool in_response; /* the header of a response has been read, its body has not ended */
	int64_t response_time;
	int status;
	char phrase[PHRASE_MAX], mime[MIME_MAX], version[4];
	uint8_t phrase_n, mime_n, version_n;
};

static int make(struct dm_capture *c, struct dm_app **ret)
{
	struct http_app *a = dm_calloc(1, sizeof *a);

	if (!a)
		return dm_fail(c->err, DM_ENOMEM, "no memory for HTTP");
	a->last = &a->first;
	*ret = &a->app;
	return 0;
}

static void put(struct dm_record *r, enum dm_field f, struct dm_sv s)
{
	if (s.n)
		dm_record_text(r, f, s);
}

/* The address as it would be typed. Origin form needs the Host header, and without one the address that was
 * connected to. */
static void put_url(struct dm_capture *c, const struct dm_flow *f, const struct dm_http_head *h,
		    struct dm_sv host)
{
	struct dm_buf *b = &c->text;
	uint16_t port = f->port[!f->opener];

	if (!h->target.n)
		return;
	if (h->target.p[0] != '/') {
		if (memmem(h->target.p, h->target.n, "://", 3))
			put(&c->rec, DM_F_URL, h->target);
		return;
	}
	dm_buf_clear(b);
	dm_buf_str(b, "http://");
	if (host.n) {
		dm_buf_sv(b, host);
	} else {
		bool v6 = !dm_ip_is4(&f->ip[!f->opener]);

		dm_buf_str(b, v6 ? "[" : "");
		dm_ip_put(b, &f->ip[!f->opener]);
		dm_buf_str(b, v6 ? "]" : "");
		if (port != 80)
			dm_buf_printf(b, ":%u", port);
	}
	dm_buf_sv(b, h->target);
	if (!b->err)
		dm_capture_text(c, DM_F_URL, b->p, b->n);
}

/* "client, proxy1, proxy2": all of them, with the ports that some add. */
static void put_forwarded(struct dm_record *r, struct dm_sv list)
{
	while (list.p && list.n) {
		struct dm_sv one = dm_sv_trim(dm_sv_split(&list, ','));
		struct dm_ip ip;

		if (!dm_ip_parse(one, &ip) && one.n) {
			size_t colon = dm_sv_find(one, ':'), close = dm_sv_find(one, ']');

			if (one.p[0] == '[' && close != SIZE_MAX)
				one = dm_sv(one.p + 1, close - 1);
			else if (colon != SIZE_MAX)
				one.n = colon;
		}
		put(r, DM_F_FORWARDED_IP, one);
	}
}

static void put_request(struct dm_capture *c, const struct dm_flow *f, const struct request *q)
{
	struct dm_http_head h;
	struct dm_record *r = &c->rec;
	struct dm_sv host, name, value;

	if (!dm_http_head_open(&h, dm_sv(q->head, q->n)))
		return;
	host = dm_http_head_get(&h, "host");
	put(r, DM_F_HTTP_METHOD, h.method);
	put(r, DM_F_URL_ORIGINAL, h.target);
	put(r, DM_F_HTTP_VERSION, h.version);
	if (q->connect)
		host = h.target;
	else
		put_url(c, f, &h, host);
	if (host.n)
		dm_record_host(r, DM_F_URL_DOMAIN, DM_F_URL_IP, host);
	put(r, DM_F_USER_AGENT, dm_http_head_get(&h, "user-agent"));
	put(r, DM_F_REFERRER, dm_http_head_get(&h, "referer"));
	put(r, DM_F_REQ_MIME, dm_http_mime(dm_http_head_get(&h, "content-type")));
	while (dm_http_head_next(&h, &name, &value))
		if (dm_sv_ieq(name, dm_sv_str("x-forwarded-for")))
			put_forwarded(r, value);
	dm_record_int(r, DM_F_REQ_BODY, (int64_t)q->body);
}

static void pop(struct dm_capture *c, struct http_app *a)
{
	struct request *q = a->first;

	a->first = q->next;
	if (!a->first)
		a->last = &a->first;
	a->count--;
	dm_capture_unkeep(c, sizeof *q + q->n);
	dm_free(q);
}

/* What of a body has gone by: declared minus what is still to be skipped. */
static uint64_t passed(const struct dm_flow *f, const struct http_app *a, enum dm_dir dir)
{
	const struct side *s = &a->side[dir];
	uint64_t left = f->tcp ? f->tcp->half[dir].skip : 0;

	if (s->state != BODY && s->state != REST)
		return s->body;
	return s->body + (left < s->length ? s->length - left : 0);
}

/* Writes the oldest request, with the response if one is at hand. */
static int write_row(struct dm_capture *c, const struct dm_flow *f, struct http_app *a)
{
	const struct request *q = a->first;
	struct dm_record *r = dm_capture_start(c, f, DM_KIND_HTTP, q ? q->time : a->response_time);

	if (q)
		put_request(c, f, q);
	if (a->in_response) {
		if (!q)
			put(r, DM_F_HTTP_VERSION, dm_sv(a->version, a->version_n));
		if (a->status)
			dm_record_int(r, DM_F_HTTP_STATUS, a->status);
		put(r, DM_F_HTTP_STATUS_TEXT, dm_sv(a->phrase, a->phrase_n));
		put(r, DM_F_RESP_MIME, dm_sv(a->mime, a->mime_n));
		dm_record_int(r, DM_F_RESP_BODY, (int64_t)passed(f, a, DM_FROM_SERVER));
	}
	a->in_response = false;
	int ret = dm_capture_emit(c);

	if (q)
		pop(c, a);
	return ret;
}

/* How long the body behind a header is (RFC 9112 s.6.3). */
static void begin_body(struct side *s, const struct dm_http_head *h, bool response)
{
	struct dm_sv length = dm_http_head_get(h, "content-length"),
		     coding = dm_http_head_get(h, "transfer-encoding");
	uint64_t n = 0;

	s->body = s->length = 0;
	s->state = HEAD;
	if (coding.n >= 7 && dm_sv_ieq(dm_sv_from(coding, coding.n - 7), dm_sv_str("chunked"))) {
		s->state = CHUNK_SIZE;
	} else if (length.n && dm_sv_u64(length, &n) && n < 1ull << 62) {
		s->length = n;
		s->state = n ? BODY : HEAD;
	} else if (response) {
		s->length = UINT64_MAX;
		s->state = REST;
	}
}

static int request_head(struct dm_capture *c, struct dm_flow *f, struct http_app *a, struct dm_sv text,
			int64_t time)
{
	struct dm_http_head h;
	struct request *q;

	if (!dm_http_head_open(&h, text) || h.response)
		return DM_APP_STOP;
	if (a->count == MAX_PENDING) {
		int r = write_row(c, f, a);

		if (r < 0)
			return r;
	}
	if (!dm_capture_keep(c, sizeof *q + text.n))
		return DM_APP_STOP;
	q = dm_alloc(sizeof *q + text.n);
	if (!q) {
		dm_capture_unkeep(c, sizeof *q + text.n);
		return dm_fail(c->err, DM_ENOMEM, "no memory for HTTP");
	}
	*q = (struct request){.time = time, .n = (uint32_t)text.n};
	q->head_method = dm_sv_is(h.method, "HEAD");
	q->connect = dm_sv_is(h.method, "CONNECT");
	memcpy(q->head, text.p, text.n);
	*a->last = q;
	a->last = &q->next;
	a->count++;
	begin_body(&a->side[DM_FROM_CLIENT], &h, false);
	if (q->connect)
		a->side[DM_FROM_CLIENT].state = HEAD;
	/* HTTP/0.9: a bare "GET /path", answered by a body alone. */
	if (!h.version.n) {
		a->side[DM_FROM_SERVER] = (struct side){.state = REST, .length = UINT64_MAX};
		a->in_response = true;
		a->status = 0;
		a->phrase_n = a->mime_n = 0;
		return DM_APP_STOP;
	}
	return 0;
}

static uint8_t copy(char *to, size_t max, struct dm_sv s)
{
	size_t n = s.n < max ? s.n : max;

	if (n)
		memcpy(to, s.p, n);
	return (uint8_t)n;
}

static int response_head(struct dm_capture *c, struct dm_flow *f, struct http_app *a, struct dm_sv text,
			 int64_t time)
{
	struct side *s = &a->side[DM_FROM_SERVER];
	struct dm_http_head h;
	const struct request *q = a->first;
	bool switched;

	if (!dm_http_head_open(&h, text) || !h.response)
		return DM_APP_STOP;
	if (h.status >= 100 && h.status < 200 && h.status != 101)
		return 0; /* interim: the response is yet to come */
	a->in_response = true;
	a->response_time = time;
	a->status = h.status;
	a->phrase_n = copy(a->phrase, sizeof a->phrase, h.phrase);
	a->mime_n = copy(a->mime, sizeof a->mime, dm_http_mime(dm_http_head_get(&h, "content-type")));
	a->version_n = copy(a->version, sizeof a->version, h.version);
	begin_body(s, &h, true);
	switched = h.status == 101 || (q && q->connect && h.status >= 200 && h.status < 300);
	if (switched || h.status == 204 || h.status == 304 || (q && q->head_method))
		*s = (struct side){.state = HEAD};
	if (s->state == HEAD) {
		int r = write_row(c, f, a);

		if (r < 0)
			return r;
	}
	return switched ? DM_APP_SWITCH : 0;
}

/* The end of a body. */
static int end_body(struct dm_capture *c, struct dm_flow *f, struct http_app *a, enum dm_dir dir)
{
	struct side *s = &a->side[dir];
	struct request *q;
	int r = 0;

	if (dir == DM_FROM_SERVER) {
		r = write_row(c, f, a);
	} else {
		/* The request whose body this is came last. */
		for (q = a->first; q && q->next; q = q->next)
			;
		if (q)
			q->body = s->body;
	}
	*s = (struct side){.state = HEAD};
	return r;
}

/* Chunk sizes are hex with an optional extension (RFC 9112 s.7.1). */
static bool chunk_size(struct dm_sv line, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < line.n; i++) {
		char ch = line.p[i];
		int v = ch >= '0' && ch <= '9'		       ? ch - '0'
			: (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (ch | 32) - 'a' + 10
							       : -1;

		if (v < 0)
			break;
		if (n >> 56)
			return false;
		n = n << 4 | (uint64_t)v;
	}
	*ret = n;
	return i > 0;
}

/* One line of the chunked framing. Returns DM_APP_STOP if it is none. */
static int chunk_line(struct dm_capture *c, struct dm_flow *f, struct http_app *a, enum dm_dir dir,
		      struct dm_sv line, uint64_t *skip)
{
	struct side *s = &a->side[dir];
	uint64_t n;

	switch (s->state) {
	case CHUNK_SIZE:
		if (!chunk_size(line, &n))
			return DM_APP_STOP;
		s->state = n ? CHUNK_END : TRAILER;
		s->body += n;
		*skip = n;
		return 0;
	case CHUNK_END: /* the empty line behind the data */
		if (line.n)
			return DM_APP_STOP;
		s->state = CHUNK_SIZE;
		return 0;
	default: /* TRAILER */
		return line.n ? 0 : end_body(c, f, a, dir);
	}
}

static int feed_head(struct dm_capture *c, struct dm_flow *f, struct http_app *a, enum dm_dir dir,
		     const struct dm_bytes *b, size_t *used)
{
	size_t skip = 0, n;
	bool cut = false;
	struct dm_sv text;
	int r;

	while (*used + skip < b->n && (b->p[*used + skip] == '\r' || b->p[*used + skip] == '\n'))
		skip++; /* empty lines before a request (RFC 9112 s.2.2) */
	*used += skip;
	if (*used == b->n)
		return 0;
	n = dm_http_head_end(b->p + *used, b->n - *used, b->seen > *used ? b->seen - *used : 0);
	if (!n) {
		if (b->n < DM_MAX_REASSEMBLY)
			return 0;
		/* A header as long as the buffer: what there is of it counts, and no more is looked for. */
		n = b->n - *used;
		cut = true;
	}
	text = dm_sv((const char *)b->p + *used, n);
	*used += n;
	r = dir == DM_FROM_CLIENT ? request_head(c, f, a, text, b->time)
				  : response_head(c, f, a, text, b->time);
	return r == 0 && cut ? DM_APP_STOP : r;
}

static int feed(struct dm_capture *c, struct dm_flow *f, struct dm_app *app, enum dm_dir dir,
		struct dm_bytes *b, size_t *used)
{
	struct http_app *a = (struct http_app *)app;
	struct side *s = &a->side[dir];
	int r = 0;

	while (r == 0 && *used < b->n && !b->skip) {
		size_t before = *used;
		const uint8_t *lf;

		switch (s->state) {
		case REST: /* a body without end begins */
			if (s->length == UINT64_MAX && !f->tcp->half[dir].skip) {
				b->skip = UINT64_MAX;
				return 0;
			}
			return DM_APP_STOP;
		case HEAD:
			r = feed_head(c, f, a, dir, b, used);
			if (r == 0 && (s->state == BODY || s->state == REST))
				b->skip = s->length;
			break;
		case BODY: /* all of it has gone by */
			s->body += s->length;
			s->length = 0;
			s->state = CHUNK_SIZE; /* only so that passed() takes s->body alone */
			r = end_body(c, f, a, dir);
			continue;
		default:
			lf = memchr(b->p + *used, '\n', b->n - *used);
			if (!lf)
				return b->n - *used > 4096 ? DM_APP_STOP : 0;
			*used = (size_t)(lf - b->p) + 1;
			r = chunk_line(c, f, a, dir,
				       dm_sv_trim(dm_sv((const char *)b->p + before, *used - before)),
				       &b->skip);
		}
		if (*used == before)
			break;
	}
	return r;
}

/* A body may end exactly where the bytes at hand end: then feed() is not called until the next message, and
 * the row would wait. */
static int finish(struct dm_capture *c, struct dm_flow *f, struct dm_app *app)
{
	struct http_app *a = (struct http_app *)app;
	int r = 0;

	if (a->first && a->side[DM_FROM_CLIENT].state != HEAD) {
		struct request *q = a->first;

		while (q->next)
			q = q->next;
		q->body = passed(f, a, DM_FROM_CLIENT);
	}
	while (r == 0 && (a->first || a->in_response))
		r = write_row(c, f, a);
	return r;
}

static void free_app(struct dm_capture *c, struct dm_app *app)
{
	struct http_app *a = (struct http_app *)app;

	while (a->first)
		pop(c, a);
	dm_free(a);
}

const struct dm_app_ops dm_app_http = {"http", sizeof(struct http_app), make, feed, finish, free_app};
