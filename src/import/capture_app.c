/* What connections carry: who recognises the first bytes, and the record that an application fills. */
#include <ctype.h>

#include "import/capture.h"
#include "import/fmt.h"

enum {
	PORT_SMTP = 25,
	PORT_DNS = 53,
	PORT_SUBMISSION = 587,
	PORT_SMTP_ALT = 2525,
	PORT_MDNS = 5353,
	PORT_LLMNR = 5355
};

bool dm_capture_keep(struct dm_capture *c, size_t n)
{
	if (n > DM_MAX_CAPTURE_KEPT - c->kept)
		return false;
	c->kept += n;
	return true;
}

void dm_capture_unkeep(struct dm_capture *c, size_t n)
{
	c->kept -= n;
}

static bool port_is(const struct dm_flow *f, uint16_t port)
{
	return f->port[0] == port || f->port[1] == port;
}

/* A request line begins with a token (RFC 9110 s.5.6.2) and a space; those of other protocols do too, so the
 * version at the end of the line decides, or, before the line is whole, a method that is known. */
static int recognise_http(const uint8_t *p, size_t n)
{
	static const char *const methods[] = {"GET ",	  "POST ",    "HEAD ",	 "PUT ",       "DELETE ",
					      "OPTIONS ", "CONNECT ", "PATCH ",	 "TRACE ",     "PROPFIND ",
					      "REPORT ",  "MKCOL ",   "SEARCH ", "SUBSCRIBE ", "NOTIFY "};
	const uint8_t *line = memchr(p, '\n', n < 4096 ? n : 4096);
	size_t i = 0;

	for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
		size_t k = strlen(methods[m]);

		if (memcmp(p, methods[m], n < k ? n : k) == 0)
			return n < k ? DM_APP_MORE : DM_APP_FOUND;
	}
	if (n >= 7 ? memcmp(p, "HTTP/1.", 7) == 0 : memcmp(p, "HTTP/1.", n) == 0)
		return n >= 7 ? DM_APP_FOUND : DM_APP_MORE;
	while (i < n && i < 20 && (isupper(p[i]) || p[i] == '_' || p[i] == '-'))
		i++;
	if (i == n && n < 20)
		return DM_APP_MORE;
	if (i < 3 || i == n || p[i] != ' ')
		return DM_APP_NONE;
	if (!line)
		return n < 4096 ? DM_APP_MORE : DM_APP_NONE;
	return line - p > 12 && memmem(line - 10, 10, " HTTP/1.", 8) ? DM_APP_FOUND : DM_APP_NONE;
}

static bool looks_tls(const uint8_t *p, size_t n)
{
	/* Handshake, SSL 3.0 to TLS 1.3 on the record layer, a hello inside (RFC 8446 s.4, s.5.1). */
	return n >= 6 && p[0] == 22 && p[1] == 3 && p[2] <= 4 && (p[5] == 1 || p[5] == 2);
}

static bool starts(const uint8_t *p, size_t n, const char *s, bool *more)
{
	size_t k = strlen(s);

	if (strncasecmp((const char *)p, s, n < k ? n : k) != 0)
		return false;
	*more |= n < k;
	return n >= k;
}

static bool looks_smtp(const struct dm_flow *f, const uint8_t *p, size_t n, bool *more)
{
	bool port = port_is(f, PORT_SMTP) || port_is(f, PORT_SUBMISSION) || port_is(f, PORT_SMTP_ALT);

	/* FTP greets with 220 as well. */
	return starts(p, n, "EHLO ", more) || starts(p, n, "HELO ", more) ||
	       (port &&
		(starts(p, n, "220 ", more) || starts(p, n, "220-", more) || starts(p, n, "554 ", more)));
}

int dm_app_recognise(const struct dm_flow *f, const uint8_t *p, size_t n, const struct dm_app_ops **ret)
{
	bool more = false;
	int http;

	if (port_is(f, PORT_DNS)) {
		/* A length, then a header of 12 bytes (RFC 1035 s.4.2.2). */
		if (n < 2)
			return DM_APP_MORE;
		*ret = &dm_app_dns_tcp;
		return (p[0] << 8 | p[1]) < 12 ? DM_APP_NONE : DM_APP_FOUND;
	}
	if (n < 6 && p[0] == 22)
		return DM_APP_MORE;
	if (looks_tls(p, n))
		*ret = &dm_app_tls;
	else if (starts(p, n, "SSH-", &more))
		*ret = &dm_app_ssh;
	else if (looks_smtp(f, p, n, &more))
		*ret = &dm_app_smtp;
	else {
		*ret = &dm_app_http;
		http = recognise_http(p, n);
		return http == DM_APP_NONE && more ? DM_APP_MORE : http;
	}
	return DM_APP_FOUND;
}

int dm_app_open(struct dm_capture *c, struct dm_flow *f, const struct dm_app_ops *ops)
{
	int r;

	if (!dm_capture_keep(c, ops->cost)) {
		f->app_decided = f->gave_up = true;
		c->unkept++;
		return 0;
	}
	r = ops->make(c, &f->app);
	if (r < 0) {
		dm_capture_unkeep(c, ops->cost);
		return r;
	}
	f->app->ops = ops;
	if (!f->protocol)
		f->protocol = ops->name;
	return 0;
}

void dm_app_close(struct dm_capture *c, struct dm_flow *f)
{
	const struct dm_app_ops *ops;

	if (!f->app)
		return;
	ops = f->app->ops;
	ops->free(c, f->app);
	dm_capture_unkeep(c, ops->cost);
	f->app = NULL;
}

int dm_udp_packet(struct dm_capture *c, struct dm_flow *f, unsigned end, const struct dm_packet *p)
{
	enum dm_dir dir = dm_flow_dir(f, end);

	if (!f->app && !f->app_decided) {
		int r = 0;

		f->app_decided = true;
		if (port_is(f, PORT_DNS) || port_is(f, PORT_MDNS) || port_is(f, PORT_LLMNR))
			r = dm_app_open(c, f, &dm_app_dns);
		else if (dm_quic_is(p->payload, p->payload_cap))
			r = dm_app_open(c, f, &dm_app_quic);
		if (r < 0)
			return r;
	}
	if (!f->app)
		return 0;
	return f->app->ops == &dm_app_dns ? dm_dns_datagram(c, f, dir, p) : dm_quic_datagram(c, f, dir, p);
}

struct dm_record *dm_capture_start(struct dm_capture *c, const struct dm_flow *f, enum dm_kind kind,
				   int64_t time)
{
	static const char *const dataset[DM_KINDS] = {
		[DM_KIND_FLOW] = "pcap.flow",	[DM_KIND_DNS] = "pcap.dns",   [DM_KIND_HTTP] = "pcap.http",
		[DM_KIND_TLS] = "pcap.tls",	[DM_KIND_CERT] = "pcap.cert", [DM_KIND_MAIL] = "pcap.mail",
		[DM_KIND_LOGIN] = "pcap.login",
	};
	struct dm_record *r = &c->rec;
	unsigned src = f->opener, dst = !src;
	const char *transport = dm_proto_name(f->proto);
	char id[32] = "p";
	size_t n = 1 + dm_fmt_u64(id + 1, f->first);

	if (f->level) {
		id[n] = '.';
		n += 1 + dm_fmt_u64(id + n + 1, f->level);
	}
	dm_record_start(r, kind, time, kind == DM_KIND_FLOW ? f->first : c->packet);
	dm_record_text(r, DM_F_DATASET, dm_sv_str(dataset[kind]));
	dm_record_ip(r, DM_F_SRC_IP, &f->ip[src]);
	dm_record_ip(r, DM_F_DST_IP, &f->ip[dst]);
	if (f->proto != DM_PROTO_ICMP && f->proto != DM_PROTO_ICMPV6 && (f->port[0] || f->port[1])) {
		dm_record_int(r, DM_F_SRC_PORT, f->port[src]);
		dm_record_int(r, DM_F_DST_PORT, f->port[dst]);
	}
	if (transport)
		dm_record_text(r, DM_F_TRANSPORT, dm_sv_str(transport));
	dm_capture_text(c, DM_F_EVENT_ID, id, n);
	return r;
}

int dm_capture_emit(struct dm_capture *c)
{
	return c->sink->record(c->sink, &c->rec);
}

void dm_capture_text(struct dm_capture *c, enum dm_field field, const void *p, size_t n)
{
	struct dm_sv s;

	if (!n)
		return;
	s = dm_arena_copy(&c->rec.arena, dm_sv(p, n));
	if (s.p)
		dm_record_text(&c->rec, field, s);
	else
		c->rec.dropped++;
}
