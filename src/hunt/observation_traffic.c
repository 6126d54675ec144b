/* The network-traffic objects of a row: one connection, and the same seen in the ways that patterns of both
 * versions of STIX ask for it. */
#include "hunt/observation_build.h"

/* What makes one variant differ from the other. */
struct variant {
	struct dm_sv dst;   /* id of the destination: its address, or its name */
	bool plain_headers; /* header values as strings (STIX 2.0) instead of lists (2.1) */
};

static struct dm_sv address_id(struct dm_build *b, enum dm_field f)
{
	const struct dm_value *v = dm_build_row_value(b->r, f);

	return v && v->type == DM_T_IP ? dm_build_name_ip(b, &v->ip) : dm_sv("", 0);
}

/* Lower case, as s.6.12 wants protocol names; "ssl,http" are two. */
static void protocol_names(struct dm_build *b, struct dm_sv s)
{
	while (s.p) {
		struct dm_sv one = dm_sv_trim(dm_sv_split(&s, ',')), kept = dm_build_keep(b, one);

		for (size_t i = 0; !b->code && i < kept.n; i++) {
			char *c = (char *)(uintptr_t)kept.p + i;

			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c + 32);
		}
		dm_build_text(b, "", kept);
	}
}

static void protocols(struct dm_build *b)
{
	static const char *const of_kind[DM_KINDS] = {
		[DM_KIND_DNS] = "dns",
		[DM_KIND_HTTP] = "http",
		[DM_KIND_TLS] = "tls",
		[DM_KIND_MAIL] = "smtp",
	};
	const struct dm_value *ip = dm_build_row_value(b->r, DM_F_DST_IP);
	const char *own = b->r->kind < DM_KINDS ? of_kind[b->r->kind] : NULL;
	struct dm_sv application = dm_build_row_text(b->r, DM_F_PROTOCOL);

	if (!ip)
		ip = dm_build_row_value(b->r, DM_F_SRC_IP);
	dm_build_open(b, "protocols", true);
	if (ip && ip->type == DM_T_IP)
		dm_build_text(b, "", dm_sv_str(dm_ip_is4(&ip->ip) ? "ipv4" : "ipv6"));
	protocol_names(b, dm_build_row_text(b->r, DM_F_TRANSPORT));
	if (application.n)
		protocol_names(b, application);
	if (own && !dm_sv_ieq(application, dm_sv_str(own)))
		dm_build_text(b, "", dm_sv_str(own));
	dm_build_end(b);
}

static void header(struct dm_build *b, const char *name, struct dm_sv value, bool plain)
{
	if (!value.n)
		return;
	if (plain) {
		dm_build_text(b, name, value);
		return;
	}
	dm_build_open(b, name, true);
	dm_build_text(b, "", value);
	dm_build_end(b);
}

/* The path of a URL, with its query; "/" if it has none. */
static struct dm_sv path_of(struct dm_sv url)
{
	const char *slashes = url.n ? memmem(url.p, url.n, "://", 3) : NULL;
	const char *path;

	if (!slashes)
		return url;
	url = dm_sv_from(url, (size_t)(slashes + 3 - url.p));
	path = memchr(url.p, '/', url.n);
	return path ? dm_sv_from(url, (size_t)(path - url.p)) : DM_SV("/");
}

static void http(struct dm_build *b, bool plain)
{
	const struct dm_record *r = b->r;
	struct dm_sv original = dm_build_row_text(r, DM_F_URL_ORIGINAL),
		     host = dm_build_row_text(r, DM_F_URL_DOMAIN);
	struct dm_sv url = dm_build_row_text(r, DM_F_URL);
	const struct dm_value *ip = dm_build_row_value(r, DM_F_URL_IP);
	struct dm_buf text;

	dm_buf_init(&text, 64);
	if (!host.n && ip && ip->type == DM_T_IP) {
		dm_ip_put(&text, &ip->ip);
		host = dm_build_keep(b, dm_buf_view(&text));
	}
	dm_buf_done(&text);
	dm_build_open(b, "http-request-ext", false);
	dm_build_text(b, "request_method", dm_build_row_text(r, DM_F_HTTP_METHOD));
	dm_build_text(b, "request_value", path_of(original.n ? original : url));
	dm_build_text(b, "request_version", dm_build_row_text(r, DM_F_HTTP_VERSION));
	dm_build_int(b, "message_body_length", dm_build_row_int(r, DM_F_REQ_BODY));
	dm_build_open(b, "request_header", false);
	header(b, "User-Agent", dm_build_row_text(r, DM_F_USER_AGENT), plain);
	header(b, "Host", host, plain);
	header(b, "Referer", dm_build_row_text(r, DM_F_REFERRER), plain);
	header(b, "Content-Type", dm_build_row_text(r, DM_F_REQ_MIME), plain);
	dm_build_end(b);
	dm_build_end(b);
	dm_build_open(b, "x-http-response-ext", false);
	dm_build_int(b, "status_code", dm_build_row_int(r, DM_F_HTTP_STATUS));
	dm_build_text(b, "status_phrase", dm_build_row_text(r, DM_F_HTTP_STATUS_TEXT));
	dm_build_text(b, "mime_type", dm_build_row_text(r, DM_F_RESP_MIME));
	dm_build_int(b, "message_body_length", dm_build_row_int(r, DM_F_RESP_BODY));
	dm_build_end(b);
}

static void tls(struct dm_build *b)
{
	const struct dm_record *r = b->r;

	dm_build_open(b, "x-tls-ext", false);
	dm_build_text(b, "version", dm_build_row_text(r, DM_F_TLS_VERSION));
	dm_build_text(b, "cipher", dm_build_row_text(r, DM_F_TLS_CIPHER));
	dm_build_text(b, "server_name", dm_build_row_text(r, DM_F_SNI));
	dm_build_text(b, "next_protocol", dm_build_row_text(r, DM_F_TLS_NEXT_PROTOCOL));
	dm_build_text(b, "ja3", dm_build_row_text(r, DM_F_JA3));
	dm_build_text(b, "ja3s", dm_build_row_text(r, DM_F_JA3S));
	dm_build_text(b, "ja4", dm_build_row_text(r, DM_F_JA4));
	dm_build_end(b);
}

static void dns(struct dm_build *b)
{
	const struct dm_record *r = b->r;
	struct dm_sv query = dm_build_row_text(r, DM_F_DNS_QUERY);

	dm_build_open(b, "x-dns-ext", false);
	if (query.n)
		dm_build_text(b, "question_ref", dm_build_name(b, DM_OBS_DOMAIN, query));
	dm_build_text(b, "question_type", dm_build_row_text(r, DM_F_DNS_QTYPE));
	dm_build_text(b, "response_code", dm_build_row_text(r, DM_F_DNS_RCODE));
	dm_build_open(b, "answer_text", true);
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->v[i].field == DM_F_DNS_ANSWER_TEXT)
			dm_build_text(b, "", r->v[i].text);
	}
	dm_build_end(b);
	dm_build_end(b);
}

static int64_t end_of(const struct dm_record *r)
{
	int64_t end = dm_build_row_int(r, DM_F_END), span = dm_build_row_int(r, DM_F_DURATION);

	if (end != DM_NO_INT || r->time == DM_NO_TIME || span == DM_NO_INT ||
	    __builtin_add_overflow(r->time, span, &end))
		return end;
	return end;
}

static void traffic(struct dm_build *b, const struct variant *v)
{
	const struct dm_record *r = b->r;
	bool extended = r->kind == DM_KIND_HTTP || r->kind == DM_KIND_TLS || r->kind == DM_KIND_DNS ||
			dm_build_row_text(r, DM_F_JA3).n || dm_build_row_text(r, DM_F_JA4).n ||
			dm_build_row_text(r, DM_F_USER_AGENT).n;

	dm_build_object(b, "network-traffic");
	dm_build_text(b, "src_ref", address_id(b, DM_F_SRC_IP));
	dm_build_text(b, "dst_ref", v->dst);
	dm_build_int(b, "src_port", dm_build_row_int(r, DM_F_SRC_PORT));
	dm_build_int(b, "dst_port", dm_build_row_int(r, DM_F_DST_PORT));
	protocols(b);
	dm_build_int(b, "src_byte_count", dm_build_row_int(r, DM_F_SRC_BYTES));
	dm_build_int(b, "dst_byte_count", dm_build_row_int(r, DM_F_DST_BYTES));
	dm_build_int(b, "src_packets", dm_build_row_int(r, DM_F_SRC_PACKETS));
	dm_build_int(b, "dst_packets", dm_build_row_int(r, DM_F_DST_PACKETS));
	dm_build_time(b, "start", r->time);
	dm_build_time(b, "end", end_of(r));
	if (extended) {
		dm_build_open(b, "extensions", false);
		if (r->kind == DM_KIND_HTTP || dm_build_row_text(r, DM_F_USER_AGENT).n)
			http(b, v->plain_headers);
		if (r->kind == DM_KIND_TLS || dm_build_row_text(r, DM_F_JA3).n ||
		    dm_build_row_text(r, DM_F_JA4).n)
			tls(b);
		if (r->kind == DM_KIND_DNS)
			dns(b);
		dm_build_end(b);
	}
	dm_build_end(b);
}

void dm_build_traffic(struct dm_build *b)
{
	const struct dm_record *r = b->r;
	struct dm_sv address = address_id(b, DM_F_DST_IP), name = dm_build_row_text(r, DM_F_SNI);
	struct variant v[4];
	uint32_t n = 0;
	bool headers = r->kind == DM_KIND_HTTP || dm_build_row_text(r, DM_F_USER_AGENT).n;

	if (!name.n)
		name = dm_build_row_text(r, DM_F_URL_DOMAIN);
	if (!address.n && !address_id(b, DM_F_SRC_IP).n && !name.n && !headers)
		return;
	v[n++] = (struct variant){address, false};
	/* dst_ref may be a domain name (s.6.12), and patterns for beacons use it so. */
	if (name.n)
		v[n++] = (struct variant){dm_build_name(b, DM_OBS_DOMAIN, name), false};
	for (uint32_t i = 0, m = n; headers && i < m; i++)
		v[n++] = (struct variant){v[i].dst, true};
	for (uint32_t i = 0; i < n; i++)
		traffic(b, &v[i]);
}
