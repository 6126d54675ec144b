#include "import/dns_wire.h"

#include <stdio.h>

bool dm_dns_header(struct dm_cur *c, struct dm_dns_header *ret)
{
	ret->id = dm_cur_u16be(c);
	ret->flags = dm_cur_u16be(c);
	ret->questions = dm_cur_u16be(c);
	ret->answers = dm_cur_u16be(c);
	ret->authorities = dm_cur_u16be(c);
	ret->extras = dm_cur_u16be(c);
	ret->response = ret->flags >> 15;
	ret->opcode = ret->flags >> 11 & 15;
	ret->rcode = ret->flags & 15;
	return !c->bad;
}

static size_t put_label(char *out, size_t n, const uint8_t *label, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t b = label[i];

		if (b == '.' || b == '\\') {
			out[n++] = '\\';
			out[n++] = (char)b;
		} else if (b < 0x21 || b > 0x7e) {
			n += (size_t)snprintf(out + n, 5, "\\%03u", b);
		} else {
			out[n++] = (char)b;
		}
	}
	return n;
}

bool dm_dns_name(struct dm_cur *c, char out[DM_DNS_NAME_TEXT], size_t *ret_n)
{
	size_t at = c->at, wire = 0, n = 0, limit = c->at;
	bool jumped = false;

	if (c->bad)
		return false;
	for (;;) {
		if (at >= c->n)
			break;
		uint8_t len = c->p[at];

		if (len == 0) {
			if (!jumped)
				c->at = at + 1;
			*ret_n = n;
			return true;
		}
		if ((len & 0xc0) == 0xc0) {
			size_t to;

			if (c->n - at < 2)
				break;
			to = (size_t)(len & 0x3f) << 8 | c->p[at + 1];
			if (!jumped)
				c->at = at + 2;
			jumped = true;
			/* Always further back (RFC 1035 s.4.1.4: a prior occurrence): the chain ends. */
			if (to >= limit)
				break;
			limit = at = to;
			continue;
		}
		wire += len + 1u;
		if (len & 0xc0 || c->n - at - 1 < len || wire > 254)
			break;
		if (n)
			out[n++] = '.';
		n = put_label(out, n, c->p + at + 1, len);
		at += len + 1u;
	}
	c->bad = true;
	return false;
}

bool dm_dns_question(struct dm_cur *c, struct dm_dns_rr *rr)
{
	if (!dm_dns_name(c, rr->name, &rr->name_n))
		return false;
	rr->type = dm_cur_u16be(c);
	rr->class = dm_cur_u16be(c);
	return !c->bad;
}

bool dm_dns_rr(struct dm_cur *c, struct dm_dns_rr *rr)
{
	if (!dm_dns_question(c, rr))
		return false;
	rr->ttl = dm_cur_u32be(c);
	rr->data_n = dm_cur_u16be(c);
	rr->data_at = c->at;
	dm_cur_skip(c, rr->data_n);
	return !c->bad;
}

const char *dm_dns_type_name(uint16_t type, char buf[16])
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
		{1, "A"},	    {2, "NS"},		{5, "CNAME"},	{6, "SOA"},	{10, "NULL"},
		{12, "PTR"},	    {13, "HINFO"},	{15, "MX"},	{16, "TXT"},	{17, "RP"},
		{18, "AFSDB"},	    {24, "SIG"},	{25, "KEY"},	{28, "AAAA"},	{29, "LOC"},
		{33, "SRV"},	    {35, "NAPTR"},	{36, "KX"},	{37, "CERT"},	{39, "DNAME"},
		{41, "OPT"},	    {42, "APL"},	{43, "DS"},	{44, "SSHFP"},	{45, "IPSECKEY"},
		{46, "RRSIG"},	    {47, "NSEC"},	{48, "DNSKEY"}, {49, "DHCID"},	{50, "NSEC3"},
		{51, "NSEC3PARAM"}, {52, "TLSA"},	{53, "SMIMEA"}, {55, "HIP"},	{59, "CDS"},
		{60, "CDNSKEY"},    {61, "OPENPGPKEY"}, {62, "CSYNC"},	{63, "ZONEMD"}, {64, "SVCB"},
		{65, "HTTPS"},	    {99, "SPF"},	{108, "EUI48"}, {109, "EUI64"}, {249, "TKEY"},
		{250, "TSIG"},	    {251, "IXFR"},	{252, "AXFR"},	{255, "ANY"},	{256, "URI"},
		{257, "CAA"},	    {32768, "TA"},	{32769, "DLV"},
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].type == type)
			return names[i].name;
	snprintf(buf, 16, "TYPE%u", type);
	return buf;
}

const char *dm_dns_rcode_name(unsigned rcode, char buf[16])
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
					    "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
					    "NXRRSET", "NOTAUTH", "NOTZONE"};

	if (rcode < sizeof names / sizeof *names)
		return names[rcode];
	snprintf(buf, 16, "RCODE%u", rcode);
	return buf;
}
