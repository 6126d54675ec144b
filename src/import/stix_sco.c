/* Cyber-observable Objects (STIX 2.1 s.6, 2.0 part 4) -> the typed fields of a record. Objects that play a
 * part in another one (the sender of a message, the ends of a connection) go into the field of that part, all
 * others into the related.* fields, so that a hit names what it hit. */
#include "import/stix.h"

#include <stdlib.h>

struct ctx {
	struct stix_graph *g;
	struct dm_record *r;
	bool flow, file, cert; /* single-valued fields of these are taken already */
};

enum dm_obs_type stix_value_type(struct dm_sv type)
{
	static const struct {
		const char *name;
		enum dm_obs_type t;
	} map[] = {
		{"ipv4-addr", DM_OBS_IPV4}, {"ipv6-addr", DM_OBS_IPV6},	  {"domain-name", DM_OBS_DOMAIN},
		{"url", DM_OBS_URL},	    {"email-addr", DM_OBS_EMAIL}, {"mac-addr", DM_OBS_MAC},
	};

	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		if (dm_sv_is(type, map[i].name))
			return map[i].t;
	return DM_OBS_NONE;
}

enum dm_obs_type stix_hash_type(struct dm_sv name, bool certificate)
{
	static const struct {
		const char *name;
		enum dm_obs_type file, certificate;
	} map[] = {
		{"MD5", DM_OBS_MD5, DM_OBS_X509_MD5},	       {"SHA1", DM_OBS_SHA1, DM_OBS_X509_SHA1},
		{"SHA256", DM_OBS_SHA256, DM_OBS_X509_SHA256}, {"SHA512", DM_OBS_SHA512, DM_OBS_NONE},
		{"SSDEEP", DM_OBS_SSDEEP, DM_OBS_NONE},	       {"TLSH", DM_OBS_TLSH, DM_OBS_NONE},
	};
	char plain[16];
	size_t n = 0;

	/* 2.0 and 2.1 write SHA-256, many producers SHA256 or sha_256 */
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '-' || name.p[i] == '_')
			continue;
		if (n == sizeof plain)
			return DM_OBS_NONE;
		plain[n++] = name.p[i];
	}
	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		if (dm_sv_ieq(dm_sv(plain, n), dm_sv_str(map[i].name)))
			return certificate ? map[i].certificate : map[i].file;
	return DM_OBS_NONE;
}

static struct dm_sv str(const struct ctx *c, const struct dm_json_node *o, const char *member)
{
	return dm_json_get_str(c->g->doc, o, member);
}

static bool is(const struct ctx *c, const struct dm_json_node *o, const char *type)
{
	return o && dm_sv_is(str(c, o, "type"), type);
}

static const struct dm_json_node *extension(const struct ctx *c, const struct dm_json_node *o,
					    const char *name)
{
	return dm_json_get(c->g->doc, dm_json_get(c->g->doc, o, "extensions"), name);
}

/* Index of the object that a *_ref names; UINT32_MAX if it is not in this observation. */
static uint32_t lookup(const struct ctx *c, const struct dm_json_node *ref)
{
	uint32_t lo = 0, hi = c->g->n;

	if (!ref || ref->type != DM_JSON_STRING)
		return UINT32_MAX;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (dm_sv_cmp(c->g->name[mid], ref->text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->g->n && dm_sv_eq(c->g->name[lo], ref->text) ? lo : UINT32_MAX;
}

static const struct dm_json_node *resolve(const struct ctx *c, const struct dm_json_node *o,
					  const char *member)
{
	uint32_t i = lookup(c, dm_json_get(c->g->doc, o, member));

	return i == UINT32_MAX ? NULL : c->g->node[i];
}

static void put_int(struct ctx *c, enum dm_field f, const struct dm_json_node *o, const char *member)
{
	int64_t v;

	if (dm_json_get_i64(c->g->doc, o, member, &v) && v != DM_NO_INT)
		dm_record_int(c->r, f, v);
}

static void put_time(struct ctx *c, enum dm_field f, const struct dm_json_node *o, const char *member)
{
	int64_t t;

	if (dm_time_parse(str(c, o, member), &t))
		dm_record_int(c->r, f, t);
}

static void put_text(struct ctx *c, enum dm_field f, const struct dm_json_node *o, const char *member)
{
	dm_record_text(c->r, f, str(c, o, member));
}

/* The `value` of an address may be a CIDR block (STIX 2.1 s.6.4.2); only a block of one address is an address
 * that was seen. */
static void put_address(struct ctx *c, enum dm_field f, const struct dm_json_node *o)
{
	struct dm_sv v = str(c, o, "value");
	struct dm_ip first, last;

	if (dm_ip_range(v, &first, &last) && memcmp(&first, &last, sizeof first) == 0)
		dm_record_ip(c->r, f, &first);
	else if (v.n)
		dm_record_unparsed(c->r, "address.value", v);
}

static void put_hashes(struct ctx *c, const struct dm_json_node *o, bool certificate)
{
	static const enum dm_field field[DM_OBS_TYPES] = {
		[DM_OBS_MD5] = DM_F_MD5,       [DM_OBS_SHA1] = DM_F_SHA1,     [DM_OBS_SHA256] = DM_F_SHA256,
		[DM_OBS_SHA512] = DM_F_SHA512, [DM_OBS_SSDEEP] = DM_F_SSDEEP, [DM_OBS_TLSH] = DM_F_TLSH,
	};
	const struct dm_json_node *hashes = dm_json_get(c->g->doc, o, "hashes"), *h;

	for (h = dm_json_first(c->g->doc, hashes); h; h = dm_json_next(c->g->doc, hashes, h)) {
		enum dm_obs_type t = stix_hash_type(h->key, certificate);
		if (t)
			dm_record_text(c->r, certificate ? DM_F_CERT_FINGERPRINT : field[t], h->text);
	}
}

/* Text that stands in no one place of the document, kept as long as the record. */
static struct dm_sv keep(struct ctx *c, struct dm_buf *b)
{
	struct dm_sv s = b->err ? dm_sv(NULL, 0) : dm_arena_copy(&c->r->arena, dm_buf_view(b));

	dm_buf_done(b);
	return s.p ? s : dm_sv("", 0);
}

/* A header of a dictionary that ignores case; lists give their first value. */
static struct dm_sv header(struct ctx *c, const struct dm_json_node *headers, const char *name)
{
	const struct dm_json_node *h;

	for (h = dm_json_first(c->g->doc, headers); h; h = dm_json_next(c->g->doc, headers, h)) {
		if (!dm_sv_ieq(h->key, dm_sv_str(name)))
			continue;
		if (h->type == DM_JSON_ARRAY)
			h = dm_json_first(c->g->doc, h);
		return h && h->type == DM_JSON_STRING ? h->text : dm_sv("", 0);
	}
	return dm_sv("", 0);
}

static void http_request(struct ctx *c, const struct dm_json_node *traffic)
{
	const struct dm_json_node *http = extension(c, traffic, "http-request-ext"), *headers;
	struct dm_sv value, host;
	struct dm_buf url;

	if (!http)
		return;
	value = str(c, http, "request_value");
	headers = dm_json_get(c->g->doc, http, "request_header");
	host = header(c, headers, "Host");
	put_text(c, DM_F_HTTP_METHOD, http, "request_method");
	put_text(c, DM_F_HTTP_VERSION, http, "request_version");
	dm_record_text(c->r, DM_F_USER_AGENT, header(c, headers, "User-Agent"));
	dm_record_text(c->r, DM_F_REFERRER, header(c, headers, "Referer"));
	dm_record_text(c->r, DM_F_URL_ORIGINAL, value);
	if (host.n)
		dm_record_host(c->r, DM_F_URL_DOMAIN, DM_F_URL_IP, host);
	if (dm_sv_starts(value, DM_SV("http://")) || dm_sv_starts(value, DM_SV("https://"))) {
		dm_record_text(c->r, DM_F_URL, value);
	} else if (host.n && dm_sv_starts(value, DM_SV("/"))) {
		dm_buf_init(&url, 65536);
		dm_buf_str(&url, "http://");
		dm_buf_sv(&url, host);
		dm_buf_sv(&url, value);
		dm_record_text(c->r, DM_F_URL, keep(c, &url));
	}
}

/* One end of a connection. A name or an AS at an end is no address, but it was seen. */
static void endpoint(struct ctx *c, const struct dm_json_node *traffic, const char *member, enum dm_field ip,
		     enum dm_field mac)
{
	uint32_t i = lookup(c, dm_json_get(c->g->doc, traffic, member));
	const struct dm_json_node *o;

	if (i == UINT32_MAX)
		return;
	o = c->g->node[i];
	if (is(c, o, "ipv4-addr") || is(c, o, "ipv6-addr"))
		put_address(c, ip, o);
	else if (is(c, o, "mac-addr"))
		put_text(c, mac, o, "value");
	else
		return;
	c->g->placed[i] = true;
}

static void network_traffic(struct ctx *c, const struct dm_json_node *o)
{
	const struct dm_json_node *protocols = dm_json_get(c->g->doc, o, "protocols"), *p;
	const struct dm_json_node *tcp = extension(c, o, "tcp-ext");

	endpoint(c, o, "src_ref", DM_F_SRC_IP, DM_F_SRC_MAC);
	endpoint(c, o, "dst_ref", DM_F_DST_IP, DM_F_DST_MAC);
	http_request(c, o);
	for (p = dm_json_first(c->g->doc, protocols); p; p = dm_json_next(c->g->doc, protocols, p)) {
		bool transport = dm_sv_ieq(p->text, DM_SV("tcp")) || dm_sv_ieq(p->text, DM_SV("udp")) ||
				 dm_sv_ieq(p->text, DM_SV("icmp")) || dm_sv_ieq(p->text, DM_SV("sctp"));
		dm_record_text(c->r, transport ? DM_F_TRANSPORT : DM_F_PROTOCOL, p->text);
	}
	if (c->flow)
		return;
	c->flow = true;
	put_int(c, DM_F_SRC_PORT, o, "src_port");
	put_int(c, DM_F_DST_PORT, o, "dst_port");
	put_int(c, DM_F_SRC_BYTES, o, "src_byte_count");
	put_int(c, DM_F_DST_BYTES, o, "dst_byte_count");
	put_int(c, DM_F_SRC_PACKETS, o, "src_packets");
	put_int(c, DM_F_DST_PACKETS, o, "dst_packets");
	if (tcp) {
		struct dm_sv hex = str(c, tcp, "src_flags_hex");
		uint8_t flags;
		if (hex.n >= 2 && dm_sv_unhex(dm_sv_from(hex, hex.n - 2), &flags, 1))
			dm_record_int(c->r, DM_F_TCP_FLAGS, flags);
	}
}

static void mail_part(struct ctx *c, const struct dm_json_node *ref, enum dm_field f)
{
	uint32_t i = lookup(c, ref);

	if (i == UINT32_MAX || !is(c, c->g->node[i], "email-addr"))
		return;
	put_text(c, f, c->g->node[i], "value");
	c->g->placed[i] = true;
}

static void email_message(struct ctx *c, const struct dm_json_node *o)
{
	static const struct {
		const char *member;
		enum dm_field f;
	} one[] = {{"from_ref", DM_F_MAIL_FROM}, {"sender_ref", DM_F_MAIL_SENDER}},
	  many[] = {{"to_refs", DM_F_MAIL_TO}, {"cc_refs", DM_F_MAIL_CC}, {"bcc_refs", DM_F_MAIL_RCPT}};
	const struct dm_json_node *more = dm_json_get(c->g->doc, o, "additional_header_fields");

	for (size_t i = 0; i < 2; i++)
		mail_part(c, dm_json_get(c->g->doc, o, one[i].member), one[i].f);
	for (size_t i = 0; i < 3; i++) {
		const struct dm_json_node *list = dm_json_get(c->g->doc, o, many[i].member), *ref;
		for (ref = dm_json_first(c->g->doc, list); ref; ref = dm_json_next(c->g->doc, list, ref))
			mail_part(c, ref, many[i].f);
	}
	put_text(c, DM_F_MAIL_SUBJECT, o, "subject");
	put_text(c, DM_F_MAIL_ID, o, "message_id");
	dm_record_text(c->r, DM_F_MAIL_REPLY_TO, header(c, more, "Reply-To"));
	dm_record_text(c->r, DM_F_MAILER, header(c, more, "X-Mailer"));
	dm_record_text(c->r, DM_F_MAIL_PATH_IP, header(c, more, "X-Originating-IP"));
}

static void file(struct ctx *c, const struct dm_json_node *o)
{
	const struct dm_json_node *folder = resolve(c, o, "parent_directory_ref");
	struct dm_sv name = str(c, o, "name"), path = folder ? str(c, folder, "path") : dm_sv("", 0);
	struct dm_buf full;

	put_hashes(c, o, false);
	dm_record_text(c->r, DM_F_FILE_NAME, name);
	if (name.n && path.n) {
		bool dos = dm_sv_find(path, '\\') != SIZE_MAX;
		char last = path.p[path.n - 1];
		dm_buf_init(&full, 65536);
		dm_buf_sv(&full, path);
		if (last != '/' && last != '\\')
			dm_buf_putc(&full, dos ? '\\' : '/');
		dm_buf_sv(&full, name);
		dm_record_text(c->r, DM_F_FILE_PATH, keep(c, &full));
	}
	if (c->file)
		return;
	c->file = true;
	put_int(c, DM_F_FILE_SIZE, o, "size");
	put_text(c, DM_F_FILE_MIME, o, "mime_type");
}

static void process(struct ctx *c, const struct dm_json_node *o)
{
	const struct dm_json_node *image = resolve(c, o, "image_ref"); /* 2.1; binary_ref in 2.0 */

	if (!image)
		image = resolve(c, o, "binary_ref");
	put_text(c, DM_F_PROCESS_NAME, o, "name");
	if (image)
		put_text(c, DM_F_PROCESS_NAME, image, "name");
	put_text(c, DM_F_PROCESS_COMMAND, o, "command_line");
}

static void registry_key(struct ctx *c, const struct dm_json_node *o)
{
	const struct dm_json_node *values = dm_json_get(c->g->doc, o, "values"), *v;
	struct dm_sv key = str(c, o, "key"), name;
	struct dm_buf full;

	dm_record_text(c->r, DM_F_REGISTRY, key);
	for (v = dm_json_first(c->g->doc, values); v; v = dm_json_next(c->g->doc, values, v)) {
		name = str(c, v, "name");
		if (!key.n || !name.n)
			continue;
		dm_buf_init(&full, 65536);
		dm_buf_sv(&full, key);
		dm_buf_putc(&full, '\\');
		dm_buf_sv(&full, name);
		dm_record_text(c->r, DM_F_REGISTRY, keep(c, &full));
	}
}

static void certificate(struct ctx *c, const struct dm_json_node *o)
{
	put_hashes(c, o, true);
	put_text(c, DM_F_CERT_SERIAL, o, "serial_number");
	put_text(c, DM_F_CERT_SUBJECT, o, "subject");
	put_text(c, DM_F_CERT_ISSUER, o, "issuer");
	if (c->cert)
		return;
	c->cert = true;
	put_time(c, DM_F_CERT_NOT_BEFORE, o, "validity_not_before");
	put_time(c, DM_F_CERT_NOT_AFTER, o, "validity_not_after");
	put_text(c, DM_F_CERT_KEY, o, "subject_public_key_algorithm");
	put_text(c, DM_F_CERT_SIG, o, "signature_algorithm");
}

static void artifact(struct ctx *c, const struct dm_json_node *o)
{
	put_hashes(c, o, false);
	put_text(c, DM_F_RELATED_URL, o, "url");
}

static void autonomous_system(struct ctx *c, const struct dm_json_node *o)
{
	const struct dm_json_node *n = dm_json_get(c->g->doc, o, "number");

	if (n)
		dm_record_text(c->r, DM_F_AS, n->text);
}

static void user_account(struct ctx *c, const struct dm_json_node *o)
{
	struct dm_sv id = str(c, o, "user_id"), login = str(c, o, "account_login");

	dm_record_text(c->r, DM_F_USER_NAME, id);
	if (!dm_sv_eq(id, login))
		dm_record_text(c->r, DM_F_USER_NAME, login);
}

static void plain_value(struct ctx *c, const struct dm_json_node *o)
{
	switch (stix_value_type(str(c, o, "type"))) {
	case DM_OBS_IPV4:
	case DM_OBS_IPV6:
		put_address(c, DM_F_IP, o);
		break;
	case DM_OBS_DOMAIN:
		put_text(c, DM_F_DOMAIN, o, "value");
		break;
	case DM_OBS_URL:
		put_text(c, DM_F_RELATED_URL, o, "value");
		break;
	case DM_OBS_EMAIL:
		put_text(c, DM_F_EMAIL, o, "value");
		break;
	case DM_OBS_MAC:
		put_text(c, DM_F_MAC, o, "value");
		break;
	default:
		break;
	}
}

void stix_sco_fields(struct stix_graph *g, struct dm_record *r)
{
	static const struct {
		const char *type;
		void (*put)(struct ctx *, const struct dm_json_node *);
	} compound[] = {
		{"network-traffic", network_traffic},
		{"email-message", email_message},
		{"file", file},
		{"process", process},
		{"windows-registry-key", registry_key},
		{"x509-certificate", certificate},
		{"artifact", artifact},
		{"autonomous-system", autonomous_system},
		{"user-account", user_account},
	};
	struct ctx c = {.g = g, .r = r};

	/* first the objects that give others their part */
	for (size_t k = 0; k < sizeof compound / sizeof *compound; k++)
		for (uint32_t i = 0; i < g->n; i++)
			if (is(&c, g->node[i], compound[k].type))
				compound[k].put(&c, g->node[i]);
	for (uint32_t i = 0; i < g->n; i++) {
		if (g->placed[i])
			continue;
		plain_value(&c, g->node[i]);
		if (is(&c, g->node[i], "mutex"))
			put_text(&c, DM_F_MUTEX, g->node[i], "name");
		else if (is(&c, g->node[i], "directory"))
			put_text(&c, DM_F_FILE_PATH, g->node[i], "path");
	}
}
