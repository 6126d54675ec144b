/* IPv4 and IPv6, their extension headers, the transports and the tunnels in them. */
#include "import/packet.h"

/* RFC 8200 names 9 extension headers and advises each once; a chain as long as a packet is an attack on
 * readers. */
#define MAX_EXTENSIONS 12u

enum { PORT_TEREDO = 3544, PORT_VXLAN = 4789, PORT_VXLAN_LINUX = 8472 };

static enum dm_decoded bad(struct dm_packet *pkt, const char *reason)
{
	pkt->reason = reason;
	return DM_DECODED_BAD;
}

const char *dm_proto_name(uint8_t proto)
{
	switch (proto) {
	case DM_PROTO_TCP:
		return "tcp";
	case DM_PROTO_UDP:
		return "udp";
	case DM_PROTO_ICMP:
		return "icmp";
	case DM_PROTO_ICMPV6:
		return "ipv6-icmp";
	case DM_PROTO_SCTP:
		return "sctp";
	case DM_PROTO_GRE:
		return "gre";
	case DM_PROTO_ESP:
		return "esp";
	case DM_PROTO_IPIP:
		return "ipip";
	case DM_PROTO_IPV6:
		return "ipv6";
	case 2:
		return "igmp";
	case 33:
		return "dccp";
	case 51:
		return "ah";
	case 88:
		return "eigrp";
	case 89:
		return "ospf";
	case 103:
		return "pim";
	case 112:
		return "vrrp";
	case 136:
		return "udplite";
	}
	return NULL;
}

static void set_inner(struct dm_packet *pkt, const char *tunnel, int kind, struct dm_cur *c, size_t len)
{
	size_t cap = dm_cur_left(c);

	/* One level: what is inside a tunnel inside a tunnel is counted with the inner flow and not looked
	 * into. */
	if (pkt->level || !cap)
		return;
	pkt->tunnel = tunnel;
	pkt->inner_kind = kind;
	pkt->inner = c->p + c->at;
	pkt->inner_cap = (uint32_t)cap;
	pkt->inner_len = (uint32_t)(len > cap ? len : cap);
}

/* GRE (RFC 2784, RFC 2890), with the PPTP variant (RFC 2637) left alone. */
static void find_gre(struct dm_packet *pkt, struct dm_cur c, size_t len)
{
	uint16_t flags = dm_cur_u16be(&c), type = dm_cur_u16be(&c);
	size_t skip = (flags & 0x8000 ? 4u : 0) + (flags & 0x2000 ? 4u : 0) + (flags & 0x1000 ? 4u : 0);

	dm_cur_skip(&c, skip);
	if (c.bad || flags & 0x4007) /* source routes are long gone; version 1 carries PPP in pieces */
		return;
	len = len > 4 + skip ? len - 4 - skip : 0;
	if (type == 0x0800 || type == 0x86dd)
		set_inner(pkt, "gre", DM_INNER_IP, &c, len);
	else if (type == 0x6558)
		set_inner(pkt, "gre", DM_INNER_ETHERNET, &c, len);
}

/* Teredo (RFC 4380 s.5.1.1): optional authentication and origin indications before an IPv6 header. Clients
 * talk to each other on any port, so away from the server's port the packet must be whole to the byte and
 * name a Teredo address (2001::/32). */
static void find_teredo(struct dm_packet *pkt, struct dm_cur c, size_t len)
{
	static const uint8_t prefix[4] = {0x20, 0x01, 0, 0};
	bool server = pkt->dport == PORT_TEREDO || pkt->sport == PORT_TEREDO;
	const uint8_t *p;

	for (unsigned i = 0; i < 2 && dm_cur_left(&c) >= 2 && c.p[c.at] == 0; i++) {
		uint16_t kind = dm_cur_u16be(&c);

		if (kind == 0x0001) {
			uint8_t id_n = dm_cur_u8(&c), auth_n = dm_cur_u8(&c);

			dm_cur_skip(&c, (size_t)id_n + auth_n + 9);
		} else if (kind == 0x0000) {
			dm_cur_skip(&c, 6);
		} else {
			return;
		}
	}
	if (dm_cur_left(&c) < 40 || c.p[c.at] >> 4 != 6)
		return;
	p = c.p + c.at;
	len -= c.at;
	if (!server && ((size_t)(p[4] << 8 | p[5]) + 40 != len ||
			(memcmp(p + 8, prefix, 4) != 0 && memcmp(p + 24, prefix, 4) != 0)))
		return;
	set_inner(pkt, "teredo", DM_INNER_IP, &c, len);
}

/* VXLAN (RFC 7348): flags, the I bit set, a network id. */
static void find_vxlan(struct dm_packet *pkt, struct dm_cur c, size_t len)
{
	uint32_t flags = dm_cur_u32be(&c), vni = dm_cur_u32be(&c);

	if (c.bad || flags != 0x08000000 || vni & 0xff || dm_cur_left(&c) < 14)
		return;
	set_inner(pkt, "vxlan", DM_INNER_ETHERNET, &c, len > 8 ? len - 8 : 0);
}

static void set_payload(struct dm_packet *pkt, struct dm_cur *c, size_t len)
{
	size_t cap = dm_cur_left(c);

	pkt->payload = c->p + c->at;
	pkt->payload_cap = (uint32_t)(cap < len ? cap : len);
	pkt->payload_len = (uint32_t)len;
}

static enum dm_decoded decode_tcp(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *p = dm_cur_take(c, 20);
	size_t header;

	if (!p)
		return bad(pkt, "TCP header is cut short");
	header = (size_t)(p[12] >> 4) * 4;
	pkt->sport = (uint16_t)(p[0] << 8 | p[1]);
	pkt->dport = (uint16_t)(p[2] << 8 | p[3]);
	pkt->has_ports = true;
	pkt->seq = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
	pkt->ack = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
	pkt->tcp_flags = p[13];
	if (header < 20 || header > len)
		return bad(pkt, "TCP data offset is impossible");
	dm_cur_skip(c, header - 20);
	set_payload(pkt, c, len - header);
	return DM_DECODED_IP;
}

static enum dm_decoded decode_udp(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *p = dm_cur_take(c, 8);
	size_t udp_len;

	if (!p)
		return bad(pkt, "UDP header is cut short");
	pkt->sport = (uint16_t)(p[0] << 8 | p[1]);
	pkt->dport = (uint16_t)(p[2] << 8 | p[3]);
	pkt->has_ports = true;
	udp_len = (size_t)(p[4] << 8 | p[5]);
	/* 0 stands for more than 64 KiB (RFC 2675); longer than the IP packet is a lie or a first fragment.
	 */
	if (udp_len >= 8 && udp_len < len)
		len = udp_len;
	else if (udp_len && udp_len < 8)
		return bad(pkt, "UDP length is impossible");
	set_payload(pkt, c, len - 8);
	if (pkt->fragment)
		return DM_DECODED_IP;
	struct dm_cur inner = dm_cur(pkt->payload, pkt->payload_cap);

	if (pkt->dport == PORT_VXLAN || pkt->dport == PORT_VXLAN_LINUX)
		find_vxlan(pkt, inner, len - 8);
	else if (pkt->payload_cap >= 40 && (pkt->payload[0] == 0 || pkt->payload[0] >> 4 == 6))
		find_teredo(pkt, inner, len - 8);
	return DM_DECODED_IP;
}

/* `len`: bytes of the transport by the IP header, at least what `c` holds. */
static enum dm_decoded decode_transport(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *p;

	if (pkt->fragment && !pkt->first_fragment) {
		set_payload(pkt, c, len);
		return DM_DECODED_IP;
	}
	switch (pkt->proto) {
	case DM_PROTO_TCP:
		return decode_tcp(c, len, pkt);
	case DM_PROTO_UDP:
	case 136:
		if (len < 8)
			return bad(pkt, "UDP header is cut short");
		return decode_udp(c, len, pkt);
	case DM_PROTO_SCTP:
	case 33: /* DCCP */
		p = dm_cur_take(c, 12);
		if (!p)
			return bad(pkt, "transport header is cut short");
		pkt->sport = (uint16_t)(p[0] << 8 | p[1]);
		pkt->dport = (uint16_t)(p[2] << 8 | p[3]);
		pkt->has_ports = true;
		set_payload(pkt, c, len - 12);
		return DM_DECODED_IP;
	case DM_PROTO_ICMP:
	case DM_PROTO_ICMPV6:
		p = dm_cur_take(c, 4);
		if (!p)
			return bad(pkt, "ICMP header is cut short");
		pkt->icmp_type = p[0];
		pkt->icmp_code = p[1];
		set_payload(pkt, c, len - 4);
		return DM_DECODED_IP;
	case DM_PROTO_GRE:
		find_gre(pkt, *c, len);
		break;
	case DM_PROTO_IPIP:
	case DM_PROTO_IPV6:
		set_inner(pkt, "ip", DM_INNER_IP, c, len);
		break;
	}
	set_payload(pkt, c, len);
	return DM_DECODED_IP;
}

/* Cuts the cursor to `len`: what lies behind the IP packet is padding of the link. */
static void cut(struct dm_cur *c, size_t len)
{
	if (dm_cur_left(c) > len)
		c->n = c->at + len;
}

static enum dm_decoded decode_ipv4(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *p = dm_cur_take(c, 20);
	size_t header, total;
	uint16_t frag;

	if (!p)
		return bad(pkt, "IPv4 header is cut short");
	header = (size_t)(p[0] & 15) * 4;
	total = (size_t)(p[2] << 8 | p[3]);
	if (total == 0) /* segmentation offload on the capturing machine */
		total = len;
	if (header < 20 || total < header)
		return bad(pkt, "IPv4 header length is impossible");
	if (total > len) /* longer than the frame: a lie, since a snap length cuts what was captured and not
			    what was there */
		total = len > header ? len : header;
	pkt->src = dm_ip_from4((uint32_t)p[12] << 24 | (uint32_t)p[13] << 16 | (uint32_t)p[14] << 8 | p[15]);
	pkt->dst = dm_ip_from4((uint32_t)p[16] << 24 | (uint32_t)p[17] << 16 | (uint32_t)p[18] << 8 | p[19]);
	pkt->proto = p[9];
	pkt->ip_bytes = (uint32_t)total;
	frag = (uint16_t)(p[6] << 8 | p[7]);
	pkt->fragment = frag & 0x3fff;
	pkt->first_fragment = pkt->fragment && !(frag & 0x1fff);
	pkt->fragment_id = (uint32_t)(p[4] << 8 | p[5]);
	dm_cur_skip(c, header - 20);
	if (c->bad)
		return bad(pkt, "IPv4 options are cut short");
	cut(c, total - header);
	return decode_transport(c, total - header, pkt);
}

static enum dm_decoded decode_ipv6(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *p = dm_cur_take(c, 40), *ext;
	size_t left;
	uint8_t next;

	if (!p)
		return bad(pkt, "IPv6 header is cut short");
	memcpy(pkt->src.b, p + 8, 16);
	memcpy(pkt->dst.b, p + 24, 16);
	next = p[6];
	left = (size_t)(p[4] << 8 | p[5]);
	if (left == 0) /* jumbogram (RFC 2675) or segmentation offload */
		left = len - 40;
	if (left > len - 40)
		left = len - 40;
	pkt->ip_bytes = (uint32_t)(left + 40);
	cut(c, left);
	for (unsigned i = 0; i < MAX_EXTENSIONS; i++) {
		size_t n;

		pkt->proto = next;
		switch (next) {
		case 0:	  /* hop-by-hop */
		case 43:  /* routing */
		case 60:  /* destination options */
		case 135: /* mobility */
		case 139: /* HIP */
		case 140: /* shim6 */
		case 44:  /* fragment */
		case 51:  /* authentication */
			break;
		default:
			return decode_transport(c, left, pkt);
		}
		ext = dm_cur_take(c, 8);
		if (!ext)
			return bad(pkt, "IPv6 extension header is cut short");
		n = next == 44 ? 8 : next == 51 ? ((size_t)ext[1] + 2) * 4 : ((size_t)ext[1] + 1) * 8;
		if (next == 44) {
			uint16_t frag = (uint16_t)(ext[2] << 8 | ext[3]);

			pkt->fragment = frag & 0xfff9;
			pkt->first_fragment = pkt->fragment && !(frag & 0xfff8);
			pkt->fragment_id = (uint32_t)ext[4] << 24 | (uint32_t)ext[5] << 16 |
					   (uint32_t)ext[6] << 8 | ext[7];
		}
		dm_cur_skip(c, n - 8);
		if (c->bad || n > left)
			return bad(pkt, "IPv6 extension header is cut short");
		left -= n;
		next = ext[0];
		if (pkt->fragment && !pkt->first_fragment) {
			pkt->proto = next;
			return decode_transport(c, left, pkt);
		}
	}
	return bad(pkt, "too many IPv6 extension headers");
}

enum dm_decoded dm_ip_decode(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	if (!dm_cur_left(c))
		return bad(pkt, "frame ends before the IP header");
	switch (c->p[c->at] >> 4) {
	case 4:
		return decode_ipv4(c, len, pkt);
	case 6:
		return decode_ipv6(c, len, pkt);
	}
	return bad(pkt, "IP version is neither 4 nor 6");
}
