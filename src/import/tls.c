/* TLS in captures: the handshake up to where it is encrypted, one row a connection, and a row for each
 * certificate that was not seen before.
 *
 * SSL 2.0 hellos are not read. Handshake messages may span records and records may hold several: they are put
 * together per direction.
 */
#include "import/capture.h"
#include "import/tls.h"

enum { RECORD_CCS = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };
enum { MSG_CLIENT_HELLO = 1, MSG_SERVER_HELLO = 2, MSG_CERTIFICATE = 11 };

/* 2^14 and what expansion RFC 5246 s.6.2.3 allows. */
#define MAX_RECORD 18432u

struct side {
	struct dm_buf handshake; /* whole records' content, not yet cut into messages */
	bool ccs, data, done;
};

struct tls_app {
	struct dm_app app;
	struct side side[2];
	struct dm_tls_session *session;
	size_t charged;
	bool written;
};

static int make(struct dm_capture *c, struct dm_app **ret)
{
	struct tls_app *a = dm_calloc(1, sizeof *a);

	if (!a)
		return dm_fail(c->err, DM_ENOMEM, "no memory for TLS");
	dm_buf_init(&a->side[0].handshake, DM_MAX_REASSEMBLY);
	dm_buf_init(&a->side[1].handshake, DM_MAX_REASSEMBLY);
	if (dm_tls_session_new(c, 't', &a->session) < 0) {
		dm_free(a);
		return dm_fail(c->err, DM_ENOMEM, "no memory for TLS");
	}
	*ret = &a->app;
	return 0;
}

static int write_row(struct dm_capture *c, const struct dm_flow *f, struct tls_app *a)
{
	if (a->written)
		return 0;
	a->written = true;
	/* Both sides sent under new keys: the handshake went through, as far as can be seen from outside. */
	bool established = a->side[0].data || (a->side[0].ccs && a->side[1].ccs);

	return dm_tls_session_write(c, f, a->session, established);
}

static int handshake(struct dm_capture *c, struct dm_flow *f, struct tls_app *a, enum dm_dir dir,
		     struct dm_sv bytes, int64_t time)
{
	struct side *s = &a->side[dir];
	size_t at = 0, before = s->handshake.cap;
	int r = 0;

	dm_buf_sv(&s->handshake, bytes);
	if (s->handshake.err == DM_ENOMEM)
		return dm_fail(c->err, DM_ENOMEM, "no memory for TLS");
	if (s->handshake.cap > before) {
		if (!dm_capture_keep(c, s->handshake.cap - before))
			return DM_APP_STOP;
		a->charged += s->handshake.cap - before;
	}
	if (s->handshake.err)
		return DM_APP_STOP; /* a message larger than what is kept */
	while (r == 0 && s->handshake.n - at >= 4) {
		const uint8_t *p = (const uint8_t *)s->handshake.p + at;
		size_t n = (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (s->handshake.n - at - 4 < n) {
			if (n > DM_MAX_REASSEMBLY)
				r = DM_APP_STOP;
			break;
		}
		if (p[0] == MSG_CLIENT_HELLO && dir == DM_FROM_CLIENT)
			r = dm_tls_session_client_hello(c, a->session, p + 4, n, time);
		else if (p[0] == MSG_SERVER_HELLO && dir == DM_FROM_SERVER)
			r = dm_tls_session_server_hello(c, a->session, p + 4, n, time);
		else if (p[0] == MSG_CERTIFICATE)
			r = dm_tls_session_certificates(c, f, a->session, dir, p + 4, n);
		at += 4 + n;
	}
	if (at) {
		memmove(s->handshake.p, s->handshake.p + at, s->handshake.n - at);
		s->handshake.n -= at;
	}
	/* From a server's hello of TLS 1.3 on all is encrypted. */
	if (r == 0 && dir == DM_FROM_SERVER && dm_tls_session_is13(a->session))
		s->done = true;
	return r;
}

static int record(struct dm_capture *c, struct dm_flow *f, struct tls_app *a, enum dm_dir dir, uint8_t type,
		  struct dm_sv body, int64_t time)
{
	struct side *s = &a->side[dir];

	switch (type) {
	case RECORD_HANDSHAKE:
		return s->ccs || s->done ? 0 : handshake(c, f, a, dir, body, time);
	case RECORD_CCS:
		s->ccs = true;
		return 0;
	case RECORD_ALERT:
		return 0;
	case RECORD_DATA:
		/* In TLS 1.3 the rest of the handshake looks like data; the client's first is its Finished.
		 */
		s->data = true;
		if (a->side[0].data && a->side[1].data) {
			int r = write_row(c, f, a);

			return r < 0 ? r : DM_APP_STOP;
		}
		return DM_APP_STOP;
	}
	return DM_APP_STOP; /* not TLS after all, or a heartbeat: nothing behind it is in the clear */
}

static int feed(struct dm_capture *c, struct dm_flow *f, struct dm_app *app, enum dm_dir dir,
		struct dm_bytes *b, size_t *used)
{
	struct tls_app *a = (struct tls_app *)app;
	int r = 0;

	while (r == 0 && b->n - *used >= 5) {
		const uint8_t *p = b->p + *used;
		size_t n = (size_t)p[3] << 8 | p[4];

		if (p[1] != 3 || n > MAX_RECORD)
			return DM_APP_STOP;
		/* The content of data does not matter; its arrival does. */
		if (p[0] != RECORD_DATA && b->n - *used - 5 < n)
			return 0;
		r = record(c, f, a, dir, p[0],
			   p[0] == RECORD_DATA ? dm_sv("", 0) : dm_sv((const char *)p + 5, n), b->time);
		if (r == 0)
			*used += 5 + n;
	}
	return r;
}

static int finish(struct dm_capture *c, struct dm_flow *f, struct dm_app *app)
{
	return write_row(c, f, (struct tls_app *)app);
}

static void free_app(struct dm_capture *c, struct dm_app *app)
{
	struct tls_app *a = (struct tls_app *)app;

	dm_capture_unkeep(c, a->charged);
	dm_buf_done(&a->side[0].handshake);
	dm_buf_done(&a->side[1].handshake);
	dm_tls_session_free(a->session);
	dm_free(a);
}

const struct dm_app_ops dm_app_tls = {
	"tls", sizeof(struct tls_app) + DM_TLS_SESSION_COST, make, feed, finish, free_app};
