#include "import/tls_hello.h"

#include <stdio.h>
#include <stdlib.h>

#include "import/digest.h"
#include "import/fmt.h"

enum {
	EXT_SNI = 0,
	EXT_GROUPS = 10,
	EXT_FORMATS = 11,
	EXT_SIGNATURES = 13,
	EXT_ALPN = 16,
	EXT_VERSIONS = 43,
	EXT_KEY_SHARE = 51
};

/* Reserved values that clients sprinkle in so that servers stay tolerant (RFC 8701): not part of any
 * fingerprint. */
static bool is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static struct dm_cur sub(struct dm_cur *c, size_t n)
{
	const uint8_t *p = dm_cur_take(c, n);

	return p ? dm_cur(p, n) : (struct dm_cur){.p = (const uint8_t *)"", .bad = true};
}

static unsigned read_list16(struct dm_cur *c, uint16_t *out, unsigned max)
{
	struct dm_cur list = sub(c, dm_cur_u16be(c));
	unsigned n = 0;

	while (dm_cur_left(&list) >= 2 && n < max)
		out[n++] = dm_cur_u16be(&list);
	return n;
}

/* ServerNameList (RFC 6066 s.3): the first entry of type host_name. */
static struct dm_sv read_sni(struct dm_cur c)
{
	struct dm_cur list = sub(&c, dm_cur_u16be(&c));

	while (dm_cur_left(&list) >= 3) {
		uint8_t type = dm_cur_u8(&list);
		struct dm_sv name = dm_cur_sv(&list, dm_cur_u16be(&list));

		if (!list.bad && type == 0)
			return name;
	}
	return dm_sv("", 0);
}

static struct dm_sv read_alpn(struct dm_cur c)
{
	struct dm_cur list = sub(&c, dm_cur_u16be(&c));
	struct dm_sv first = dm_cur_sv(&list, dm_cur_u8(&list));

	return list.bad ? dm_sv("", 0) : first;
}

static uint16_t read_versions(struct dm_cur c)
{
	struct dm_cur list = sub(&c, dm_cur_u8(&c));
	uint16_t highest = 0;

	while (dm_cur_left(&list) >= 2) {
		uint16_t v = dm_cur_u16be(&list);

		if (!is_grease(v) && v > highest)
			highest = v;
	}
	return highest;
}

static void client_extension(struct dm_client_hello *h, uint16_t type, struct dm_cur body)
{
	switch (type) {
	case EXT_SNI:
		h->has_sni = true;
		h->sni = read_sni(body);
		break;
	case EXT_GROUPS:
		h->groups_n = read_list16(&body, h->groups, DM_TLS_GROUPS);
		break;
	case EXT_FORMATS: {
		struct dm_sv list = dm_cur_sv(&body, dm_cur_u8(&body));

		memcpy(h->formats, list.p, list.n);
		h->formats_n = (unsigned)list.n;
		break;
	}
	case EXT_SIGNATURES:
		h->signatures_n = read_list16(&body, h->signatures, DM_TLS_GROUPS);
		break;
	case EXT_ALPN:
		h->alpn = read_alpn(body);
		break;
	case EXT_VERSIONS: {
		uint16_t v = read_versions(body);

		if (v)
			h->highest = v;
		break;
	}
	}
}

bool dm_client_hello_read(struct dm_client_hello *h, const uint8_t *p, size_t n)
{
	struct dm_cur c = dm_cur(p, n), list;

	h->ciphers_n = h->extensions_n = h->groups_n = h->signatures_n = h->formats_n = 0;
	h->has_sni = false;
	h->sni = h->alpn = dm_sv("", 0);
	h->version = h->highest = dm_cur_u16be(&c);
	dm_cur_skip(&c, 32);
	h->session_id = dm_cur_sv(&c, dm_cur_u8(&c));
	h->ciphers_n = read_list16(&c, h->ciphers, DM_TLS_CIPHERS);
	dm_cur_skip(&c, dm_cur_u8(&c));
	if (c.bad)
		return false;
	if (!dm_cur_left(&c))
		return true; /* extensions are optional up to TLS 1.2 */
	list = sub(&c, dm_cur_u16be(&c));
	while (dm_cur_left(&list)) {
		uint16_t type = dm_cur_u16be(&list);
		struct dm_cur body = sub(&list, dm_cur_u16be(&list));

		if (list.bad)
			break;
		if (h->extensions_n < DM_TLS_EXTENSIONS)
			h->extensions[h->extensions_n++] = type;
		client_extension(h, type, body);
	}
	return !list.bad;
}

bool dm_server_hello_read(struct dm_server_hello *h, const uint8_t *p, size_t n)
{
	/* SHA-256 of "HelloRetryRequest" (RFC 8446 s.4.1.3) stands in for the random value. */
	static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
					  0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
					  0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	struct dm_cur c = dm_cur(p, n), list;
	const uint8_t *random;

	memset(h, 0, sizeof *h);
	h->alpn = dm_sv("", 0);
	h->version = h->selected = dm_cur_u16be(&c);
	random = dm_cur_take(&c, 32);
	h->retry = random && memcmp(random, retry, 32) == 0;
	/* Drafts 18 to 21 of TLS 1.3 said their version here and had neither session id nor compression. */
	if (h->version >> 8 == 0x7f) {
		h->session_id = dm_sv("", 0);
		h->cipher = dm_cur_u16be(&c);
	} else {
		h->session_id = dm_cur_sv(&c, dm_cur_u8(&c));
		h->cipher = dm_cur_u16be(&c);
		dm_cur_u8(&c); /* compression */
	}
	if (c.bad)
		return false;
	if (!dm_cur_left(&c))
		return true;
	list = sub(&c, dm_cur_u16be(&c));
	while (dm_cur_left(&list)) {
		uint16_t type = dm_cur_u16be(&list);
		struct dm_cur body = sub(&list, dm_cur_u16be(&list));

		if (list.bad)
			break;
		if (h->extensions_n < DM_TLS_EXTENSIONS)
			h->extensions[h->extensions_n++] = type;
		if (type == EXT_VERSIONS)
			h->selected = dm_cur_u16be(&body);
		else if (type == EXT_KEY_SHARE)
			h->group = dm_cur_u16be(&body);
		else if (type == EXT_ALPN)
			h->alpn = read_alpn(body);
	}
	return !list.bad;
}

static void hex(const uint8_t *p, size_t n, char *out)
{
	dm_fmt_hex(out, p, n);
	out[2 * n] = 0;
}

/* Appends "1-2-3", without GREASE if so said. */
static size_t put_list(char *out, size_t n, const uint16_t *v, unsigned count, bool grease)
{
	bool first = true;

	for (unsigned i = 0; i < count; i++)
		if (grease || !is_grease(v[i])) {
			if (!first)
				out[n++] = '-';
			n += dm_fmt_u64(out + n, v[i]);
			first = false;
		}
	return n;
}

/* JA3: MD5 of "version,ciphers,extensions,groups,point formats". */
void dm_ja3(const struct dm_client_hello *h, char out[33])
{
	char text[8 + 7 * (DM_TLS_CIPHERS + DM_TLS_EXTENSIONS + DM_TLS_GROUPS + 256)];
	uint8_t md5[16];
	size_t n = dm_fmt_u64(text, h->version);

	text[n++] = ',';
	n = put_list(text, n, h->ciphers, h->ciphers_n, false);
	text[n++] = ',';
	n = put_list(text, n, h->extensions, h->extensions_n, false);
	text[n++] = ',';
	n = put_list(text, n, h->groups, h->groups_n, false);
	text[n++] = ',';
	for (unsigned i = 0; i < h->formats_n; i++) {
		if (i)
			text[n++] = '-';
		n += dm_fmt_u64(text + n, h->formats[i]);
	}
	dm_md5(&(struct dm_digest_part){text, n}, 1, md5);
	hex(md5, 16, out);
}

/* JA3S: MD5 of "version,cipher,extensions". */
void dm_ja3s(const struct dm_server_hello *h, char out[33])
{
	char text[24 + 7 * DM_TLS_EXTENSIONS];
	uint8_t md5[16];
	size_t n = dm_fmt_u64(text, h->version);

	text[n++] = ',';
	n += dm_fmt_u64(text + n, h->cipher);
	text[n++] = ',';
	n = put_list(text, n, h->extensions, h->extensions_n, true);
	dm_md5(&(struct dm_digest_part){text, n}, 1, md5);
	hex(md5, 16, out);
}

static int by_value(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Appends "002f,0035". */
static size_t put_hex_list(char *out, size_t n, const uint16_t *v, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t b[2] = {(uint8_t)(v[i] >> 8), (uint8_t)v[i]};

		if (i)
			out[n++] = ',';
		dm_fmt_hex(out + n, b, 2);
		n += 4;
	}
	return n;
}

static void sha12(const char *text, size_t n, char out[13])
{
	uint8_t sha[32];

	if (!n) {
		memcpy(out, "000000000000", 13);
		return;
	}
	dm_sha256(&(struct dm_digest_part){text, n}, 1, sha);
	hex(sha, 6, out);
}

static const char *ja4_version(uint16_t v)
{
	switch (v) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	case 0xfeff:
		return "d1";
	case 0xfefd:
		return "d2";
	case 0xfefc:
		return "d3";
	}
	return "00";
}

static bool alnum(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
}

/* First and last character of the first ALPN value; where either is not alphanumeric, of its hex form. */
static void ja4_alpn(struct dm_sv alpn, char out[2])
{
	static const char digit[] = "0123456789abcdef";

	out[0] = out[1] = '0';
	if (!alpn.n)
		return;
	uint8_t a = (uint8_t)alpn.p[0], z = (uint8_t)alpn.p[alpn.n - 1];

	if (alnum(a) && alnum(z)) {
		out[0] = (char)a;
		out[1] = (char)z;
	} else {
		out[0] = digit[a >> 4];
		out[1] = digit[z & 15];
	}
}

/* Technical details: FoxIO's description of JA4 (BSD-licensed part of JA4+). a: transport, version, SNI or
 * not, counts, ALPN; b: sorted ciphers; c: sorted extensions without SNI and ALPN, then signature algorithms
 * in their order. */
void dm_ja4(const struct dm_client_hello *h, char transport, char out[37])
{
	char text[6 * (DM_TLS_EXTENSIONS + DM_TLS_GROUPS) + 6 * DM_TLS_CIPHERS], b[13], c[13], alpn[2];
	uint16_t list[DM_TLS_CIPHERS];
	unsigned ciphers = 0, extensions = 0, sorted = 0;
	size_t n;

	for (unsigned i = 0; i < h->ciphers_n; i++)
		if (!is_grease(h->ciphers[i]))
			list[ciphers++] = h->ciphers[i];
	qsort(list, ciphers, sizeof *list, by_value);
	sha12(text, put_hex_list(text, 0, list, ciphers), b);
	for (unsigned i = 0; i < h->extensions_n; i++) {
		uint16_t e = h->extensions[i];

		if (is_grease(e))
			continue;
		extensions++;
		if (e != EXT_SNI && e != EXT_ALPN)
			list[sorted++] = e;
	}
	qsort(list, sorted, sizeof *list, by_value);
	n = put_hex_list(text, 0, list, sorted);
	if (n && h->signatures_n) {
		unsigned signatures = 0;

		for (unsigned i = 0; i < h->signatures_n; i++)
			if (!is_grease(h->signatures[i]))
				list[signatures++] = h->signatures[i];
		text[n++] = '_';
		n = put_hex_list(text, n, list, signatures);
	}
	sha12(text, n, c);
	ja4_alpn(h->alpn, alpn);
	snprintf(out, 37, "%c%s%c%02u%02u%c%c_%s_%s", transport, ja4_version(h->highest),
		 h->has_sni ? 'd' : 'i', ciphers < 99 ? ciphers : 99, extensions < 99 ? extensions : 99,
		 alpn[0], alpn[1], b, c);
}
