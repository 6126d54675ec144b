/* obs.c: canonical text and key of every kind of observable. */
#include "base/limits.h"
#include "model/domain.h"
#include "model/hash.h"
#include "model/url.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_control(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

/* RFC 5321 s.4.1.2: a dot-string (RFC 6531: with UTF-8), or anything in quotes. */
static bool local_part_valid(struct dm_sv s)
{
	if (s.n == 0 || s.n > 64 || has_control(s))
		return false;
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (memchr(" \"(),:;<>@[\\]", s.p[i], 13))
			return false;
	return true;
}

/* The address in `"Name" <a@b>`, as the From of a header stands in logs, without blanks and dots at the end.
 */
static struct dm_sv bare_address(struct dm_sv s)
{
	const char *open = s.n ? memrchr(s.p, '<', s.n) : NULL;

	if (open) {
		s = dm_sv_from(s, (size_t)(open - s.p) + 1);
		size_t close = dm_sv_find(s, '>');
		if (close != SIZE_MAX)
			s.n = close;
	}
	s = dm_sv_trim(s);
	while (s.n && (s.p[s.n - 1] == '.' || (uint8_t)s.p[s.n - 1] <= ' '))
		s.n--;
	return s;
}

/* RFC 5321 s.4.1.3: [192.0.2.1], [IPv6:2001:db8::1]. */
static bool put_address_literal(struct dm_sv s, struct dm_buf *out)
{
	struct dm_ip ip;

	if (s.n < 4 || s.p[s.n - 1] != ']')
		return false;
	s = dm_sv(s.p + 1, s.n - 2);
	if (s.n > 5 && dm_sv_ieq(dm_sv(s.p, 5), DM_SV("ipv6:")))
		s = dm_sv_from(s, 5);
	if (!dm_ip_parse(s, &ip))
		return false;
	dm_buf_putc(out, '[');
	if (!dm_ip_is4(&ip))
		dm_buf_str(out, "IPv6:");
	dm_ip_put(out, &ip);
	dm_buf_putc(out, ']');
	return !out->err;
}

static bool put_email(struct dm_sv raw, bool lenient, struct dm_buf *out)
{
	const char *at;

	if (lenient)
		raw = bare_address(raw);
	at = raw.n ? memrchr(raw.p, '@', raw.n) : NULL;
	if (!at || at == raw.p || (!lenient && raw.n > DM_MAX_EMAIL))
		return false;
	struct dm_sv local = dm_sv(raw.p, (size_t)(at - raw.p)), domain = dm_sv_from(raw, local.n + 1);
	if (!lenient && !local_part_valid(local))
		return false;
	dm_buf_put(out, raw.p, local.n + 1);
	if (domain.n && domain.p[0] == '[' && put_address_literal(domain, out))
		return true;
	return lenient ? dm_domain_lenient(domain, out) : dm_domain_canonical(domain, out);
}

/* 00:11:22:33:44:55, 0:1:2:3:4:5, 00-11-..., 0011.2233.4455 or twelve digits. */
static bool put_mac(struct dm_sv s, struct dm_buf *out)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t b[6];
	char text[17];

	if (s.n == 14 && s.p[4] == '.' && s.p[9] == '.') {
		char plain[12];
		memcpy(plain, s.p, 4);
		memcpy(plain + 4, s.p + 5, 4);
		memcpy(plain + 8, s.p + 10, 4);
		if (!dm_sv_unhex(dm_sv(plain, 12), b, 6))
			return false;
	} else if (s.n == 12 && !memchr(s.p, ':', 12) && !memchr(s.p, '-', 12)) {
		if (!dm_sv_unhex(s, b, 6))
			return false;
	} else {
		char sep = memchr(s.p, '-', s.n) ? '-' : ':';
		struct dm_sv rest = s;
		unsigned n = 0;

		while (rest.p) {
			struct dm_sv part = dm_sv_split(&rest, sep);
			char two[2] = {'0', '0'};

			if (n == 6 || part.n < 1 || part.n > 2)
				return false;
			memcpy(two + 2 - part.n, part.p, part.n);
			if (!dm_sv_unhex(dm_sv(two, 2), &b[n++], 1))
				return false;
		}
		if (n != 6)
			return false;
	}
	for (int i = 0; i < 6; i++) {
		text[3 * i] = digits[b[i] >> 4];
		text[3 * i + 1] = digits[b[i] & 15];
		if (i < 5)
			text[3 * i + 2] = ':';
	}
	dm_buf_put(out, text, sizeof(text));
	return !out->err;
}

/* "AS131279", "ASN 131279", "131279", and RFC 5396's "AS2.207". */
static bool parse_as(struct dm_sv s, uint32_t *ret)
{
	uint64_t hi = 0, lo;
	size_t dot;

	if (s.n > 2 && lower(s.p[0]) == 'a' && lower(s.p[1]) == 's') {
		s = dm_sv_from(s, 2);
		if (s.n && lower(s.p[0]) == 'n')
			s = dm_sv_from(s, 1);
		s = dm_sv_trim(s);
	}
	if (s.n == 0 || !is_digit(s.p[0]))
		return false;
	dot = dm_sv_find(s, '.');
	if (dot != SIZE_MAX) {
		if (!dm_sv_u64(dm_sv(s.p, dot), &hi) || !dm_sv_u64(dm_sv_from(s, dot + 1), &lo) ||
		    hi > 65535 || lo > 65535)
			return false;
	} else if (!dm_sv_u64(s, &lo) || lo > UINT32_MAX) {
		return false;
	}
	*ret = (uint32_t)(hi << 16 | lo);
	return true;
}

static const struct {
	const char *from, *to;
} hives[] = {
	{"hklm", "HKEY_LOCAL_MACHINE"},
	{"hkey_local_machine", "HKEY_LOCAL_MACHINE"},
	{"registry\\machine", "HKEY_LOCAL_MACHINE"}, /* the kernel's name */
	{"hkcu", "HKEY_CURRENT_USER"},
	{"hkey_current_user", "HKEY_CURRENT_USER"},
	{"hkcr", "HKEY_CLASSES_ROOT"},
	{"hkey_classes_root", "HKEY_CLASSES_ROOT"},
	{"hku", "HKEY_USERS"},
	{"hkey_users", "HKEY_USERS"},
	{"registry\\user", "HKEY_USERS"},
	{"hkcc", "HKEY_CURRENT_CONFIG"},
	{"hkey_current_config", "HKEY_CURRENT_CONFIG"},
};

/* `s` without a hive in front; *ret_hive NULL if it begins with none. */
static struct dm_sv cut_hive(struct dm_sv s, const char **ret_hive)
{
	*ret_hive = NULL;
	if (s.n && s.p[0] == '\\')
		s = dm_sv_from(s, 1);
	for (size_t i = 0; i < sizeof(hives) / sizeof(hives[0]); i++) {
		struct dm_sv from = dm_sv_str(hives[i].from);
		size_t n = from.n;

		if (s.n < n || !dm_sv_ieq(dm_sv(s.p, n), from))
			continue;
		if (s.n > n && s.p[n] == ':') /* PowerShell's drive */
			n++;
		if (s.n > n && s.p[n] != '\\')
			continue;
		*ret_hive = hives[i].to;
		return dm_sv_from(s, n);
	}
	return s;
}

/* Append s with runs of backslashes (lists often escape them) as one, and none at the end. */
static void put_collapsed(struct dm_sv s, bool fold, struct dm_buf *out)
{
	size_t start = out->n;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\\' || i == 0 || s.p[i - 1] != '\\')
			dm_buf_putc(out, fold ? lower(s.p[i]) : s.p[i]);
	if (!out->err && out->n > start + 1 && out->p[out->n - 1] == '\\')
		out->n--;
}

/* Without a known hive the path is taken as it is, in evidence only. */
static bool put_registry(struct dm_sv s, bool lenient, bool fold, struct dm_buf *out)
{
	size_t start = out->n, end, skip;
	struct dm_sv all, rest;
	const char *hive;

	if (!lenient && has_control(s))
		return false;
	put_collapsed(s, fold, out);
	if (out->err)
		return false;
	end = out->n;
	all = dm_sv(out->p + start, end - start);
	rest = cut_hive(all, &hive);
	if (!hive)
		return lenient;
	/* Hive and rest go behind the copy, then over it: the rest lies in the buffer that grows. */
	skip = (size_t)(rest.p - all.p);
	dm_buf_str(out, hive);
	if (!dm_buf_room(out, rest.n))
		return false;
	dm_buf_put(out, out->p + start + skip, rest.n);
	memmove(out->p + start, out->p + end, out->n - end);
	out->n -= end - start;
	return true;
}

static bool put_filename(struct dm_sv s, bool lenient, struct dm_buf *out)
{
	size_t start = s.n;

	while (start && s.p[start - 1] != '/' && s.p[start - 1] != '\\')
		start--;
	/* A path is more than a name: hunting its last part alone would hit every file so called. */
	if (start == s.n || (!lenient && (start || has_control(s))))
		return false;
	dm_buf_sv(out, dm_sv_from(s, start));
	return !out->err;
}

static bool put_text(struct dm_sv s, bool fold, struct dm_buf *out)
{
	if (s.n == 0 || !dm_buf_room(out, s.n))
		return false;
	for (size_t i = 0; i < s.n; i++)
		out->p[out->n + i] = fold ? lower(s.p[i]) : s.p[i];
	out->n += s.n;
	return true;
}

/* What follows the address families and the digests. */
static bool put_other(enum dm_obs_type t, struct dm_sv raw, bool lenient, struct dm_buf *out)
{
	uint32_t as;

	switch (t) {
	case DM_OBS_DOMAIN:
		return lenient ? dm_domain_lenient(raw, out) : dm_domain_canonical(raw, out);
	case DM_OBS_URL:
		return dm_url_canonical(raw, lenient, out);
	case DM_OBS_SSDEEP:
		return dm_ssdeep_valid(raw) && put_text(raw, false, out);
	case DM_OBS_TLSH:
		return dm_tlsh_canonical(raw, out);
	case DM_OBS_EMAIL:
		return put_email(raw, lenient, out);
	case DM_OBS_MAC:
		return put_mac(raw, out);
	case DM_OBS_AS:
		if (!parse_as(raw, &as))
			return false;
		dm_buf_put(out, "AS", 2);
		dm_buf_u64(out, as);
		return !out->err;
	case DM_OBS_JA4:
		return dm_ja4_valid(raw) && put_text(raw, true, out);
	case DM_OBS_FILENAME:
		return put_filename(raw, lenient, out);
	case DM_OBS_REGISTRY:
		return put_registry(raw, lenient, false, out);
	case DM_OBS_MUTEX:
	case DM_OBS_USER_AGENT:
		return (lenient || !has_control(raw)) && put_text(raw, false, out);
	default:
		return false;
	}
}

bool dm_obs_canonical(enum dm_obs_type t, struct dm_sv raw, bool lenient, struct dm_buf *text,
		      enum dm_obs_type *ret_type)
{
	char hex[128];
	struct dm_ip ip;
	size_t n;

	if (raw.n == 0 || raw.n > DM_MAX_VALUE)
		return false;
	if (t == DM_OBS_IPV4 || t == DM_OBS_IPV6) {
		if (!dm_ip_parse(raw, &ip))
			return false;
		dm_ip_put(text, &ip);
		*ret_type = dm_ip_is4(&ip) ? DM_OBS_IPV4 : DM_OBS_IPV6;
		return !text->err;
	}
	if (dm_hash_bytes(t)) {
		if (!dm_hash_canonical(t, raw, hex, &n, ret_type))
			return false;
		dm_buf_put(text, hex, n);
		return !text->err;
	}
	n = text->n;
	if (put_other(t, raw, lenient, text)) {
		*ret_type = t;
		return true;
	}
	text->n = n;
	return false;
}

void dm_obs_ip_key(const struct dm_ip *ip, struct dm_buf *key, enum dm_obs_type *ret_type)
{
	bool is4 = dm_ip_is4(ip);

	dm_buf_put(key, is4 ? ip->b + 12 : ip->b, is4 ? 4 : 16);
	*ret_type = is4 ? DM_OBS_IPV4 : DM_OBS_IPV6;
}

static bool domain_key(struct dm_sv raw, bool lenient, struct dm_buf *key)
{
	char text[DM_MAX_DOMAIN + 1];
	size_t n = dm_domain_strict(raw, text);
	bool ok = n != 0;

	if (ok) {
		dm_domain_key(dm_sv(text, n), key);
	} else if (lenient) {
		struct dm_buf tmp;

		dm_buf_init(&tmp, DM_MAX_VALUE);
		ok = dm_domain_lenient(raw, &tmp);
		if (ok)
			dm_domain_key(dm_buf_view(&tmp), key);
		dm_buf_done(&tmp);
	}
	return ok && !key->err;
}

static bool make_key(enum dm_obs_type t, struct dm_sv raw, bool lenient, struct dm_buf *key,
		     enum dm_obs_type *ret_type)
{
	char hex[128];
	struct dm_ip ip;
	size_t n, start = key->n;
	uint32_t as;

	if (raw.n == 0 || raw.n > DM_MAX_VALUE)
		return false;
	if (dm_hash_bytes(t)) {
		if (!dm_hash_canonical(t, raw, hex, &n, ret_type) || !dm_buf_room(key, n / 2))
			return false;
		dm_sv_unhex(dm_sv(hex, n), (uint8_t *)key->p + key->n, n / 2);
		key->n += n / 2;
		return true;
	}
	switch (t) {
	case DM_OBS_IPV4:
	case DM_OBS_IPV6:
		if (!dm_ip_parse(raw, &ip))
			return false;
		dm_obs_ip_key(&ip, key, ret_type);
		return !key->err;
	case DM_OBS_DOMAIN:
		*ret_type = t;
		return domain_key(raw, lenient, key);
	case DM_OBS_AS:
		if (!parse_as(raw, &as))
			return false;
		dm_buf_put(key,
			   (uint8_t[]){(uint8_t)(as >> 24), (uint8_t)(as >> 16), (uint8_t)(as >> 8),
				       (uint8_t)as},
			   4);
		*ret_type = t;
		return !key->err;
	case DM_OBS_REGISTRY:
		*ret_type = t;
		if (put_registry(raw, lenient, true, key))
			return true;
		key->n = start;
		return false;
	default:
		return dm_obs_canonical(t, raw, lenient, key, ret_type);
	}
}

bool dm_obs_key(enum dm_obs_type t, struct dm_sv raw, struct dm_buf *key, enum dm_obs_type *ret_type)
{
	return make_key(t, raw, false, key, ret_type);
}

bool dm_obs_key_lenient(enum dm_obs_type t, struct dm_sv raw, struct dm_buf *key, enum dm_obs_type *ret_type)
{
	return make_key(t, raw, true, key, ret_type);
}

void dm_obs_text(enum dm_obs_type t, struct dm_sv key, struct dm_buf *text)
{
	const uint8_t *b = (const uint8_t *)key.p;
	struct dm_ip ip;

	if (t == DM_OBS_IPV4 && key.n == 4) {
		ip = dm_ip_from4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
		dm_ip_put(text, &ip);
	} else if (t == DM_OBS_IPV6 && key.n == 16) {
		memcpy(ip.b, b, 16);
		dm_ip_put(text, &ip);
	} else if (t == DM_OBS_AS && key.n == 4) {
		dm_buf_put(text, "AS", 2);
		dm_buf_u64(text, (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
	} else if (t == DM_OBS_DOMAIN) {
		dm_domain_text(key, text);
	} else if (dm_hash_bytes(t) || t == DM_OBS_IPV4 || t == DM_OBS_IPV6 || t == DM_OBS_AS ||
		   t <= DM_OBS_NONE || t >= DM_OBS_TYPES) {
		dm_buf_hex(text, b, key.n);
	} else {
		dm_buf_sv(text, key);
	}
}
