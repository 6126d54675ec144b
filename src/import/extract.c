#include "import/extract.h"

#include "base/limits.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* v * 10^e rounded to an integer; false if it does not fit. */
static bool scale10(uint64_t v, int e, uint64_t *ret)
{
	for (; e > 0 && v; e--) {
		if (__builtin_mul_overflow(v, 10u, &v))
			return false;
	}
	if (e < -19) {
		*ret = 0;
		return true;
	}
	for (; e < 0; e++)
		v = v / 10 + (e == -1 && v % 10 >= 5);
	*ret = v;
	return true;
}

bool dm_read_seconds(struct dm_sv s, int64_t *ret_us)
{
	uint64_t v = 0;
	int exponent = 0, digits = 0;
	bool negative = false, fraction = false;
	size_t i = 0;

	if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
		negative = s.p[i++] == '-';
	for (; i < s.n && (is_digit(s.p[i]) || (s.p[i] == '.' && !fraction)); i++) {
		if (s.p[i] == '.') {
			fraction = true;
			continue;
		}
		digits++;
		if (v < UINT64_MAX / 10 - 1) { /* further digits are below a microsecond, or the number is out
						  of range anyway */
			v = v * 10 + (uint64_t)(s.p[i] - '0');
			exponent -= fraction;
		} else {
			exponent += !fraction;
		}
	}
	if (!digits)
		return false;
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		int64_t e;
		struct dm_sv rest = dm_sv_from(s, i + 1);

		if (rest.n && rest.p[0] == '+')
			rest = dm_sv_from(rest, 1);
		if (!dm_sv_i64(rest, &e) || e < -400 || e > 400)
			return false;
		exponent += (int)e;
		i = s.n;
	}
	if (i != s.n || !scale10(v, exponent + 6, &v) || v > INT64_MAX)
		return false;
	*ret_us = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

bool dm_read_moment(struct dm_sv s, int64_t *ret_us)
{
	char copy[48];

	s = dm_sv_trim(s);
	if (!s.n)
		return false;
	if (dm_read_seconds(s, ret_us))
		return true;
	if (dm_time_parse(s, ret_us))
		return true;
	/* Argus and many firewalls: 2019/04/04 16:24:47.672448; Python's logging: 2019-04-04 16:24:47,672 */
	if (s.n < 10 || s.n >= sizeof(copy))
		return false;
	memcpy(copy, s.p, s.n);
	if (copy[4] == '/' && copy[7] == '/')
		copy[4] = copy[7] = '-';
	if (s.n > 19 && copy[19] == ',')
		copy[19] = '.';
	return dm_time_parse(dm_sv(copy, s.n), ret_us);
}

static char *room(struct dm_record *rec, size_t n)
{
	char *p = dm_arena_alloc(&rec->arena, n ? n : 1);

	if (!p)
		rec->dropped++;
	return p;
}

struct dm_sv dm_lower_copy(struct dm_record *rec, struct dm_sv s)
{
	char *p = room(rec, s.n);

	if (!p)
		return dm_sv("", 0);
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	return dm_sv(p, s.n);
}

void dm_put_lower(struct dm_record *rec, enum dm_field f, struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 'A' && s.p[i] <= 'Z') {
			dm_record_text(rec, f, dm_lower_copy(rec, s));
			return;
		}
	}
	dm_record_text(rec, f, s);
}

void dm_put_transport(struct dm_record *rec, struct dm_sv s)
{
	/* IANA protocol numbers that a flow log is likely to hold. */
	static const struct {
		uint8_t number;
		const char *name;
	} known[] = {{1, "icmp"},  {2, "igmp"},	 {4, "ipip"},	{6, "tcp"},    {17, "udp"},
		     {41, "ipv6"}, {47, "gre"},	 {50, "esp"},	{51, "ah"},    {58, "ipv6-icmp"},
		     {89, "ospf"}, {103, "pim"}, {112, "vrrp"}, {132, "sctp"}, {136, "udplite"}};
	int64_t number;

	s = dm_sv_trim(s);
	if (!dm_sv_i64(s, &number)) {
		dm_put_lower(rec, DM_F_TRANSPORT, s);
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].number == number) {
			dm_record_text(rec, DM_F_TRANSPORT, dm_sv_str(known[i].name));
			return;
		}
	}
	if (number >= 0 && number <= 255)
		dm_record_int(rec, DM_F_IP_PROTO, number);
	dm_record_text(rec, DM_F_TRANSPORT, s);
}

static bool is_mail_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && c != '<' && c != '>' && c != ',' && c != ';' &&
	       c != '"' && c != '(' && c != ')';
}

void dm_put_mail(struct dm_record *rec, enum dm_field f, const char *name, struct dm_sv s)
{
	size_t found = 0;

	for (size_t i = 0; i < s.n; i++) {
		size_t from = i, to = i + 1;

		if (s.p[i] != '@')
			continue;
		while (from > 0 && is_mail_char(s.p[from - 1]) && s.p[from - 1] != '@')
			from--;
		while (to < s.n && is_mail_char(s.p[to]) && s.p[to] != '@')
			to++;
		/* A display name may look like an address too ("a@b.c" <d@e.f>): both are worth finding. */
		if (from < i && to > i + 1) {
			dm_record_text(rec, f, dm_sv(s.p + from, to - from));
			found++;
		}
		i = to - 1;
	}
	if (!found)
		dm_record_unparsed(rec, name, s);
}

static bool is_address_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':';
}

unsigned dm_put_addresses(struct dm_record *rec, enum dm_field f, struct dm_sv s)
{
	unsigned found = 0;

	for (size_t i = 0; i < s.n;) {
		size_t end = i;
		struct dm_sv token;
		struct dm_ip ip;

		while (end < s.n && is_address_char(s.p[end]))
			end++;
		token = dm_sv(s.p + i, end - i);
		if (token.n >= 3 && token.n < 64) {
			while (token.n && token.p[token.n - 1] == '.')
				token.n--;
			bool is_ip = dm_ip_parse(token, &ip);
			size_t colon = dm_sv_find(token, ':');

			/* 1.2.3.4:8080 */
			if (!is_ip && colon != SIZE_MAX &&
			    dm_sv_find(dm_sv_from(token, colon + 1), ':') == SIZE_MAX)
				is_ip = dm_ip_parse(dm_sv(token.p, colon), &ip);
			if (is_ip) {
				dm_record_ip(rec, f, &ip);
				found++;
			}
		}
		/* A word is passed over whole: "deadbeef" and the like are no addresses. */
		i = end;
		while (i < s.n && !is_address_char(s.p[i]))
			i++;
	}
	return found;
}

void dm_put_file(struct dm_record *rec, struct dm_sv s)
{
	size_t base = s.n;

	while (base > 0 && s.p[base - 1] != '/' && s.p[base - 1] != '\\')
		base--;
	dm_record_text(rec, DM_F_FILE_NAME, dm_sv_from(s, base));
	if (base > 0)
		dm_record_text(rec, DM_F_FILE_PATH, s);
}

static bool is_host_text(struct dm_sv s)
{
	bool letter = false;

	if (!s.n || s.n > DM_MAX_DOMAIN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!is_digit(s.p[i]) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' &&
		    c != '_' && c != '.' && c != '*' && c < 0x80)
			return false;
		letter |= !is_digit(s.p[i]) && c != '.' && c != '-';
	}
	return letter;
}

void dm_put_answer(struct dm_record *rec, struct dm_sv s)
{
	struct dm_ip ip;

	if (s.n >= 2 && s.n < 64 && dm_ip_parse(s, &ip))
		dm_record_ip(rec, DM_F_DNS_ANSWER_IP, &ip);
	else if (is_host_text(s))
		dm_record_text(rec, DM_F_DNS_ANSWER_NAME, s);
	else
		dm_record_text(rec, DM_F_DNS_ANSWER_TEXT, s);
}

void dm_put_subject(struct dm_record *rec, enum dm_field f, struct dm_sv dn)
{
	dm_record_text(rec, f, dn);
	for (size_t i = 0; i + 3 < dn.n; i++) {
		size_t end = i + 3;
		struct dm_sv cn;
		struct dm_ip ip;

		/* "CN=" at the start of a relative name: RFC 4514 separates by ',' or '+', OpenSSL's old form
		 * by '/', Suricata by ", ". */
		if (memcmp(dn.p + i, "CN=", 3) || (i > 0 && !strchr(",+/ ", dn.p[i - 1])))
			continue;
		while (end < dn.n && !strchr(",+/\\", dn.p[end]))
			end++;
		cn = dm_sv_trim(dm_sv(dn.p + i + 3, end - i - 3));
		if (cn.n < 64 && dm_ip_parse(cn, &ip))
			dm_record_ip(rec, DM_F_IP, &ip);
		else if (is_host_text(cn) && dm_sv_find(cn, '.') != SIZE_MAX)
			dm_record_text(rec, DM_F_DOMAIN, cn);
		i = end;
	}
}

/* "scheme://": RFC 3986 s.3.1 */
static bool is_absolute(struct dm_sv uri)
{
	size_t i = 0;

	while (i < uri.n && i < 16 && ((uri.p[i] | 0x20) >= 'a' && (uri.p[i] | 0x20) <= 'z'))
		i++;
	return i > 1 && uri.n > i + 3 && !memcmp(uri.p + i, "://", 3);
}

/* host:port as a URL wants it, with the port left out if it is the scheme's or the host already names one. */
static void put_authority(struct dm_buf *b, struct dm_sv host, int64_t port, int64_t usual)
{
	bool v6 = host.p[0] != '[' && dm_sv_find(host, ':') != SIZE_MAX &&
		  dm_sv_find(dm_sv_from(host, dm_sv_find(host, ':') + 1), ':') != SIZE_MAX;
	size_t colon = v6 ? SIZE_MAX : host.n;

	while (!v6 && colon > 0 && is_digit(host.p[colon - 1]))
		colon--;
	if (v6)
		dm_buf_putc(b, '[');
	dm_buf_sv(b, host);
	if (v6)
		dm_buf_putc(b, ']');
	if (!v6 && colon > 0 && colon < host.n && host.p[colon - 1] == ':')
		return;
	if (port > 0 && port != usual) {
		dm_buf_putc(b, ':');
		dm_buf_i64(b, port);
	}
}

void dm_put_http(struct dm_record *rec, const struct dm_http *h)
{
	struct dm_sv host = h->host.n ? h->host : h->server_ip;
	struct dm_buf b;
	struct dm_sv url;

	dm_record_text(rec, DM_F_HTTP_METHOD, h->method);
	if (h->host.n)
		dm_record_host(rec, DM_F_URL_DOMAIN, DM_F_URL_IP, h->host);
	if (!h->uri.n)
		return;
	if (is_absolute(h->uri)) { /* RFC 9112 s.3.2.2: as sent to a proxy */
		struct dm_sv target;

		dm_record_text(rec, DM_F_URL, h->uri);
		if (dm_url_host(h->uri, &target) && !dm_sv_ieq(target, h->host))
			dm_record_host(rec, DM_F_URL_DOMAIN, DM_F_URL_IP, target);
		return;
	}
	if (dm_sv_ieq(h->method,
		      DM_SV("CONNECT"))) { /* RFC 9112 s.3.2.3: the target is host:port, there is no URL */
		dm_record_text(rec, DM_F_URL_ORIGINAL, h->uri);
		if (!h->host.n || !dm_sv_starts(h->uri, h->host))
			dm_record_host(rec, DM_F_URL_DOMAIN, DM_F_URL_IP, h->uri);
		return;
	}
	if (h->uri.p[0] != '/' || !host.n) {
		dm_record_text(rec, DM_F_URL_ORIGINAL, h->uri);
		return;
	}
	dm_buf_init(&b, DM_MAX_LINE);
	dm_buf_str(&b, h->tls ? "https://" : "http://");
	put_authority(&b, host, h->port, h->tls ? 443 : 80);
	dm_buf_sv(&b, h->uri);
	url = dm_arena_copy(&rec->arena, dm_buf_view(&b));
	if (b.err || !url.p)
		rec->dropped++;
	else
		dm_record_text(rec, DM_F_URL, url);
	dm_buf_done(&b);
}
