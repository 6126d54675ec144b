/* url.c: URLs. Scheme and host in lower case (RFC 3986 s.6.2.2.1), default port dropped and empty path made
 * "/" (s.6.2.3). Path and query stay byte for byte: "/a/../b" or "%2e%2e" in a log is what an attacker sent,
 * and what a pattern looks for. */
#include "base/limits.h"
#include "model/domain.h"
#include "model/url.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_alpha(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of the scheme in front of ':', 0 if there is none (RFC 3986 s.3.1). */
static size_t scheme_length(struct dm_sv s)
{
	size_t i = 0;

	if (s.n == 0 || !is_alpha(s.p[0]))
		return 0;
	while (i < s.n && i < 32 &&
	       (is_alpha(s.p[i]) || is_digit(s.p[i]) || s.p[i] == '+' || s.p[i] == '-' || s.p[i] == '.'))
		i++;
	return i < s.n && s.p[i] == ':' ? i : 0;
}

static unsigned default_port(struct dm_sv scheme)
{
	static const struct {
		const char *scheme;
		unsigned port;
	} ports[] = {{"http", 80}, {"https", 443}, {"ftp", 21}, {"ws", 80}, {"wss", 443}, {"ftps", 990}};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (dm_sv_is(scheme, ports[i].scheme))
			return ports[i].port;
	return 0;
}

/* Schemes whose URLs have no "//host" part; without the list every "word:word" would be a URL. */
static bool is_opaque_scheme(struct dm_sv scheme)
{
	static const char *const opaque[] = {"mailto", "magnet",     "data", "about",
					     "urn",    "javascript", "tel",  "news"};

	for (size_t i = 0; i < sizeof(opaque) / sizeof(opaque[0]); i++)
		if (dm_sv_is(scheme, opaque[i]))
			return true;
	return false;
}

/* One part of an address as the WHATWG URL standard reads it: 0x hex, leading 0 octal, decimal. */
static bool part_number(struct dm_sv s, uint64_t *ret)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s.n >= 2 && s.p[0] == '0' && lower(s.p[1]) == 'x') {
		base = 16;
		s = dm_sv_from(s, 2);
	} else if (s.n >= 2 && s.p[0] == '0') {
		base = 8;
		s = dm_sv_from(s, 1);
	} else if (s.n == 0) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);
		unsigned d = is_digit(c)	    ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
						    : 99;
		if (d >= base || v > UINT32_MAX)
			return false;
		v = v * base + d;
	}
	*ret = v;
	return v <= UINT32_MAX;
}

/* "0x7f.1", "2130706433": malware hides addresses so, and clients connect to them. */
static bool odd_address(struct dm_sv host, struct dm_ip *ret)
{
	struct dm_sv rest = host;
	uint64_t part[4], v = 0;
	unsigned n = 0;

	if (host.n && host.p[host.n - 1] == '.')
		rest.n--;
	while (rest.p) {
		struct dm_sv s = dm_sv_split(&rest, '.');
		if (n == 4 || !part_number(s, &part[n]))
			return false;
		n++;
	}
	for (unsigned i = 0; i + 1 < n; i++) {
		if (part[i] > 255)
			return false;
		v |= part[i] << (24 - 8 * i);
	}
	if (n == 0 || part[n - 1] >= 1ull << (8 * (5 - n)))
		return false;
	*ret = dm_ip_from4((uint32_t)(v | part[n - 1]));
	return true;
}

bool dm_url_put_host(struct dm_sv host, bool lenient, struct dm_buf *out)
{
	size_t start = out->n;
	struct dm_ip ip;

	if (host.n == 0)
		return false;
	if (host.p[0] == '[') {
		if (host.n < 4 || host.p[host.n - 1] != ']' ||
		    !dm_ip_parse(dm_sv(host.p + 1, host.n - 2), &ip))
			return lenient ? dm_domain_lenient(host, out) : false;
		if (!dm_ip_is4(&ip))
			dm_buf_putc(out, '[');
		dm_ip_put(out, &ip);
		if (!dm_ip_is4(&ip))
			dm_buf_putc(out, ']');
		return !out->err;
	}
	while (lenient && host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	if (is_digit(host.p[0]) && (dm_ip_parse(host, &ip) || odd_address(host, &ip))) {
		dm_ip_put(out, &ip);
		return !out->err;
	}
	if (!(lenient ? dm_domain_lenient(host, out) : dm_domain_canonical(host, out)))
		return false;
	/* Full-width digits become an address only by the mapping to ASCII. */
	if ((uint8_t)host.p[0] >= 0x80 && odd_address(dm_sv(out->p + start, out->n - start), &ip)) {
		out->n = start;
		dm_ip_put(out, &ip);
	}
	return !out->err;
}

/* Splits "user@host:port". False if the port is no port. */
static bool split_authority(struct dm_sv a, struct dm_sv *user, struct dm_sv *host, struct dm_sv *port)
{
	const char *at = a.n ? memrchr(a.p, '@', a.n) : NULL;
	size_t colon;

	*user = dm_sv(a.p, 0);
	*port = dm_sv(a.p, 0);
	if (at) {
		*user = dm_sv(a.p, (size_t)(at - a.p) + 1);
		a = dm_sv_from(a, user->n);
	}
	if (a.n && a.p[0] == '[') {
		const char *close = memchr(a.p, ']', a.n);
		if (!close)
			return false;
		colon = (size_t)(close - a.p) + 1;
		if (colon < a.n && a.p[colon] != ':')
			return false;
	} else {
		colon = dm_sv_find(a, ':');
	}
	*host = colon < a.n ? dm_sv(a.p, colon) : a;
	if (colon < a.n)
		*port = dm_sv_from(a, colon + 1);
	for (size_t i = 0; i < port->n; i++)
		if (!is_digit(port->p[i]))
			return false;
	return true;
}

static bool put_authority(struct dm_sv authority, struct dm_sv scheme, bool lenient, struct dm_buf *out)
{
	struct dm_sv user, host, port;
	uint64_t number;

	if (!split_authority(authority, &user, &host, &port) ||
	    (port.n && (!dm_sv_u64(port, &number) || number > 65535))) {
		if (lenient)
			dm_buf_sv(out, authority);
		return lenient && !out->err;
	}
	dm_buf_sv(out, user);
	if (host.n == 0) {
		/* file:///path has no host; in evidence the host may be missing anywhere. */
		if (!lenient && (!dm_sv_is(scheme, "file") || user.n || port.n))
			return false;
	} else if (!dm_url_put_host(host, lenient, out)) {
		return false;
	}
	if (port.n && number != default_port(scheme)) {
		dm_buf_putc(out, ':');
		dm_buf_u64(out, number);
	}
	return !out->err;
}

static bool printable(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] <= 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

bool dm_url_canonical(struct dm_sv raw, bool lenient, struct dm_buf *out)
{
	size_t start = out->n, scheme_n = scheme_length(raw), i = scheme_n + 1;
	struct dm_sv scheme;

	if (scheme_n == 0 || (!lenient && (raw.n > DM_MAX_URL || !printable(raw))) ||
	    !dm_buf_room(out, raw.n + 8))
		return false;
	for (size_t k = 0; k < scheme_n; k++)
		out->p[out->n++] = lower(raw.p[k]);
	out->p[out->n++] = ':';
	/* A copy: the buffer may move while the host is appended. */
	char name[32];
	memcpy(name, out->p + start, scheme_n);
	scheme = dm_sv(name, scheme_n);
	if (raw.n - i < 2 || raw.p[i] != '/' || raw.p[i + 1] != '/') {
		if (raw.n == i || (!is_opaque_scheme(scheme) && !lenient))
			goto refuse;
		dm_buf_sv(out, dm_sv_from(raw, i));
		return !out->err;
	}
	dm_buf_put(out, "//", 2);
	i += 2;
	size_t end = i;
	while (end < raw.n && raw.p[end] != '/' && raw.p[end] != '?' && raw.p[end] != '#' &&
	       raw.p[end] != '\\')
		end++;
	if (!put_authority(dm_sv(raw.p + i, end - i), scheme, lenient, out))
		goto refuse;
	if (end == raw.n || raw.p[end] == '?' || raw.p[end] == '#')
		dm_buf_putc(out, '/');
	dm_buf_sv(out, dm_sv_from(raw, end));
	if (!out->err && (lenient || out->n - start <= DM_MAX_URL))
		return true;
refuse:
	out->n = start;
	return false;
}

bool dm_url_host(struct dm_sv url, struct dm_sv *ret_host)
{
	size_t i = scheme_length(url) + 1, end;
	struct dm_sv user, host, port;

	if (i == 1 || url.n < i + 2 || url.p[i] != '/' || url.p[i + 1] != '/')
		return false;
	i += 2;
	for (end = i; end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#' &&
		      url.p[end] != '\\';)
		end++;
	if (!split_authority(dm_sv(url.p + i, end - i), &user, &host, &port) || host.n == 0)
		return false;
	if (host.p[0] == '[')
		host = dm_sv(host.p + 1, host.n - 2);
	*ret_host = host;
	return host.n != 0;
}
