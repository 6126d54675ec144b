#include "import/x509.h"

#include <stdio.h>

#include "base/cur.h"
#include "base/time.h"

enum {
	DER_INTEGER = 0x02,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_UTCTIME = 0x17,
	DER_TIME = 0x18,
	DER_UNIVERSAL = 0x1c,
	DER_BMP = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

/* One element: tag (of one byte), length (definite, at most 4 bytes, X.690 s.8.1.3), content. */
static uint8_t take(struct dm_cur *c, struct dm_sv *content)
{
	uint8_t tag = dm_cur_u8(c), first = dm_cur_u8(c);
	size_t n = first;

	if (first & 0x80) {
		unsigned bytes = first & 0x7f;

		if (bytes == 0 || bytes > 4)
			c->bad = true;
		n = 0;
		for (unsigned i = 0; i < bytes && !c->bad; i++)
			n = n << 8 | dm_cur_u8(c);
	}
	*content = dm_cur_sv(c, n);
	return c->bad ? 0 : tag;
}

static bool expect(struct dm_cur *c, uint8_t tag, struct dm_sv *content)
{
	return take(c, content) == tag;
}

static struct dm_cur inside(struct dm_sv s)
{
	return dm_cur(s.p, s.n);
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ (RFC 5280 s.4.1.2.5); old ones leave out the seconds. */
static int64_t read_time(uint8_t tag, struct dm_sv s)
{
	char text[32];
	size_t year = tag == DER_UTCTIME ? 2 : 4;
	int64_t us;
	unsigned century = 0;

	if ((tag != DER_UTCTIME && tag != DER_TIME) || s.n < year + 8)
		return DM_NO_TIME;
	for (size_t i = 0; i < year + 8; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return DM_NO_TIME;
	if (year == 2)
		century = s.p[0] < '5' ? 20 : 19;
	const char *d = s.p + year;
	bool seconds = s.n >= year + 10 && d[8] >= '0' && d[8] <= '9' && d[9] >= '0' && d[9] <= '9';
	int n = year == 2 ? snprintf(text, sizeof text, "%02u%.2s-", century, s.p)
			  : snprintf(text, sizeof text, "%.4s-", s.p);

	n += snprintf(text + n, sizeof text - (size_t)n, "%.2s-%.2s", d, d + 2);
	n += snprintf(text + n, sizeof text - (size_t)n, " %.2s:%.2s:%.2sZ", d + 4, d + 6,
		      seconds ? d + 8 : "00");
	return dm_time_parse(dm_sv(text, (size_t)n), &us) ? us : DM_NO_TIME;
}

static const char *oid_name(struct dm_sv oid)
{
	static const struct {
		const char *der;
		uint8_t n;
		const char *name;
	} known[] = {
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9, "rsaEncryption"},
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", 9, "md2WithRSAEncryption"},
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", 9, "md5WithRSAEncryption"},
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", 9, "sha1WithRSAEncryption"},
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9, "rsassaPss"},
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9, "sha256WithRSAEncryption"},
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 9, "sha384WithRSAEncryption"},
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", 9, "sha512WithRSAEncryption"},
		{"\x2a\x86\x48\xce\x3d\x02\x01", 7, "id-ecPublicKey"},
		{"\x2a\x86\x48\xce\x3d\x04\x01", 7, "ecdsa-with-SHA1"},
		{"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8, "ecdsa-with-SHA256"},
		{"\x2a\x86\x48\xce\x3d\x04\x03\x03", 8, "ecdsa-with-SHA384"},
		{"\x2a\x86\x48\xce\x3d\x04\x03\x04", 8, "ecdsa-with-SHA512"},
		{"\x2a\x86\x48\xce\x38\x04\x01", 7, "dsaEncryption"},
		{"\x2a\x86\x48\xce\x38\x04\x03", 7, "dsaWithSHA1"},
		{"\x2b\x65\x70", 3, "ED25519"},
		{"\x2b\x65\x71", 3, "ED448"},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (oid.n == known[i].n && memcmp(oid.p, known[i].der, oid.n) == 0)
			return known[i].name;
	return "";
}

/* AlgorithmIdentifier: a sequence that begins with the OID. */
static const char *algorithm(struct dm_sv s)
{
	struct dm_cur c = inside(s);
	struct dm_sv oid;

	return expect(&c, DER_OID, &oid) ? oid_name(oid) : "";
}

static void read_extensions(struct dm_cert *ret, struct dm_sv explicit)
{
	struct dm_cur c = inside(explicit);
	struct dm_sv list, ext, oid, value;

	if (!expect(&c, DER_SEQUENCE, &list))
		return;
	c = inside(list);
	while (dm_cur_left(&c)) {
		struct dm_cur e;
		uint8_t tag;

		if (!expect(&c, DER_SEQUENCE, &ext))
			return;
		e = inside(ext);
		if (!expect(&e, DER_OID, &oid))
			continue;
		tag = take(&e, &value);
		if (tag == 0x01) /* critical */
			tag = take(&e, &value);
		if (tag != 0x04 || !dm_sv_is(oid, "\x55\x1d\x11"))
			continue;
		e = inside(value);
		if (expect(&e, DER_SEQUENCE, &value))
			ret->alternative = value;
	}
}

bool dm_cert_read(struct dm_cert *ret, struct dm_sv der)
{
	struct dm_cur c = inside(der), tbs, part;
	struct dm_sv s, t;
	uint8_t tag;

	*ret = (struct dm_cert){
		.key = "", .signature = "", .not_before = DM_NO_TIME, .not_after = DM_NO_TIME};
	ret->serial = ret->subject = ret->issuer = ret->alternative = dm_sv("", 0);
	if (!expect(&c, DER_SEQUENCE, &s))
		return false;
	c = inside(s);
	if (!expect(&c, DER_SEQUENCE, &t))
		return false;
	if (expect(&c, DER_SEQUENCE, &s))
		ret->signature = algorithm(s);
	tbs = inside(t);
	tag = take(&tbs, &s);
	if (tag == 0xa0) /* version */
		tag = take(&tbs, &s);
	if (tag != DER_INTEGER)
		return false;
	ret->serial = s;
	if (!expect(&tbs, DER_SEQUENCE, &s) || !expect(&tbs, DER_SEQUENCE, &ret->issuer) ||
	    !expect(&tbs, DER_SEQUENCE, &s))
		return false;
	part = inside(s);
	tag = take(&part, &t);
	ret->not_before = read_time(tag, t);
	tag = take(&part, &t);
	ret->not_after = read_time(tag, t);
	if (!expect(&tbs, DER_SEQUENCE, &ret->subject) || !expect(&tbs, DER_SEQUENCE, &s))
		return false;
	part = inside(s);
	if (expect(&part, DER_SEQUENCE, &t))
		ret->key = algorithm(t);
	while (dm_cur_left(&tbs)) {
		tag = take(&tbs, &s);
		if (tag == 0xa3)
			read_extensions(ret, s);
	}
	return true;
}

static void put_type(struct dm_buf *out, struct dm_sv oid)
{
	static const struct {
		uint8_t last;
		const char *name;
	} x520[] = {{3, "CN"},
		    {4, "SN"},
		    {5, "serialNumber"},
		    {6, "C"},
		    {7, "L"},
		    {8, "ST"},
		    {9, "street"},
		    {10, "O"},
		    {11, "OU"},
		    {12, "title"},
		    {42, "GN"},
		    {46, "dnQualifier"},
		    {97, "organizationIdentifier"}};
	uint64_t arc = 0;
	bool first = true;

	if (oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x04)
		for (size_t i = 0; i < sizeof x520 / sizeof *x520; i++)
			if (x520[i].last == (uint8_t)oid.p[2]) {
				dm_buf_str(out, x520[i].name);
				return;
			}
	if (dm_sv_eq(oid, dm_sv("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9))) {
		dm_buf_str(out, "emailAddress");
		return;
	}
	if (dm_sv_eq(oid, dm_sv("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10))) {
		dm_buf_str(out, "DC");
		return;
	}
	if (dm_sv_eq(oid, dm_sv("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10))) {
		dm_buf_str(out, "UID");
		return;
	}
	for (size_t i = 0; i < oid.n && i < 32; i++) {
		arc = arc << 7 | ((uint8_t)oid.p[i] & 0x7f);
		if (oid.p[i] & 0x80)
			continue;
		if (first) {
			uint64_t top = arc < 80 ? arc / 40 : 2;

			dm_buf_u64(out, top);
			dm_buf_putc(out, '.');
			dm_buf_u64(out, arc - top * 40);
		} else {
			dm_buf_putc(out, '.');
			dm_buf_u64(out, arc);
		}
		first = false;
		arc = 0;
	}
}

static void put_rune(struct dm_buf *out, uint32_t v)
{
	if (v < 0x80) {
		dm_buf_putc(out, (char)v);
	} else if (v < 0x800) {
		dm_buf_putc(out, (char)(0xc0 | v >> 6));
		dm_buf_putc(out, (char)(0x80 | (v & 0x3f)));
	} else {
		dm_buf_putc(out, (char)(0xe0 | v >> 12));
		dm_buf_putc(out, (char)(0x80 | (v >> 6 & 0x3f)));
		dm_buf_putc(out, (char)(0x80 | (v & 0x3f)));
	}
}

/* RFC 4514 s.2.4. Strings of 8 bits that are not UTF-8 are read as Latin-1, which is what T61 strings hold in
 * practice. */
static void put_value(struct dm_buf *out, uint8_t tag, struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint32_t ch = (uint8_t)s.p[i];

		if (tag == DER_BMP) {
			if (i + 1 >= s.n)
				break;
			ch = ch << 8 | (uint8_t)s.p[++i];
		} else if (tag == DER_UNIVERSAL) {
			if (s.n - i < 4)
				break;
			ch = (uint32_t)(uint8_t)s.p[i + 2] << 8 | (uint8_t)s.p[i + 3];
			i += 3;
		}
		if (ch < 0x80 &&
		    (strchr(",+\"\\<>;", (int)ch) || (ch == '#' && i == 0) ||
		     (ch == ' ' && (i == 0 || i + 1 == s.n))) &&
		    ch)
			dm_buf_putc(out, '\\');
		if (ch == 0)
			dm_buf_str(out, "\\00");
		else if (tag == DER_UTF8)
			dm_buf_putc(out, (char)ch);
		else
			put_rune(out, ch);
	}
}

void dm_cert_name(struct dm_buf *out, struct dm_sv name)
{
	struct dm_sv rdn[64], set, oid, value;
	struct dm_cur c = inside(name), a;
	unsigned n = 0;
	size_t start = out->n;

	while (dm_cur_left(&c) && n < 64 && expect(&c, DER_SET, &set))
		rdn[n++] = set;
	while (n-- > 0) {
		struct dm_cur s = inside(rdn[n]);
		bool joined = false;

		while (dm_cur_left(&s)) {
			if (!expect(&s, DER_SEQUENCE, &set))
				break;
			a = inside(set);
			if (!expect(&a, DER_OID, &oid))
				break;
			uint8_t tag = take(&a, &value);

			if (!tag)
				break;
			if (out->n > start)
				dm_buf_putc(out, joined ? '+' : ',');
			joined = true;
			put_type(out, oid);
			dm_buf_putc(out, '=');
			put_value(out, tag, value);
		}
	}
}

bool dm_cert_alternative(struct dm_sv *rest, char *kind, struct dm_sv *value)
{
	struct dm_cur c = inside(*rest);

	while (dm_cur_left(&c)) {
		uint8_t tag = take(&c, value);

		*kind = tag == 0x82 ? 'd' : tag == 0x87 ? 'i' : tag == 0x81 ? 'e' : tag == 0x86 ? 'u' : 0;
		if (*kind) {
			*rest = dm_sv((const char *)c.p + c.at, dm_cur_left(&c));
			return true;
		}
	}
	return false;
}
