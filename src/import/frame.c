/* Link layers: from the first byte of a frame to its IP header. */
#include <sys/types.h>
#include <pcap/dlt.h>

#include "import/packet.h"

/* Tags, labels and PPP headers before an IP header: real frames have up to four; a hostile one must not make
 * us loop. */
#define MAX_LAYERS 12u

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
};

static enum dm_decoded bad(struct dm_packet *pkt, const char *reason)
{
	pkt->reason = reason;
	return DM_DECODED_BAD;
}

static enum dm_decoded ip_by_version(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	if (!dm_cur_left(c))
		return bad(pkt, "frame ends before the IP header");
	return dm_ip_decode(c, len, pkt);
}

/* PPP protocol numbers (IANA): one byte if the first is odd (RFC 1661 s.2). */
static enum dm_decoded decode_ppp(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	uint32_t proto = dm_cur_u8(c), n = 1;

	if (!(proto & 1)) {
		proto = proto << 8 | dm_cur_u8(c);
		n = 2;
	}
	if (c->bad)
		return bad(pkt, "frame ends in the PPP header");
	if (proto == 0x21 || proto == 0x57)
		return ip_by_version(c, len - n, pkt);
	pkt->other = 0x880b; /* EtherType of PPP: a control protocol */
	return DM_DECODED_OTHER;
}

static enum dm_decoded decode_type(struct dm_cur *c, size_t len, uint16_t type, struct dm_packet *pkt);

/* IEEE 802.2 LLC, of use only with the SNAP header (RFC 1042). */
static enum dm_decoded decode_llc(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *p = dm_cur_take(c, 3);

	if (!p)
		return bad(pkt, "frame ends in the LLC header");
	if (p[0] == 0xaa && p[1] == 0xaa && p[2] == 0x03) {
		dm_cur_skip(c, 3);
		uint16_t type = dm_cur_u16be(c);

		if (c->bad)
			return bad(pkt, "frame ends in the SNAP header");
		return decode_type(c, len - 8, type, pkt);
	}
	if (p[0] == 0x06 && p[1] == 0x06)
		return ip_by_version(c, len - 3, pkt);
	pkt->other = 0;
	return DM_DECODED_OTHER;
}

static enum dm_decoded decode_mpls(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	for (unsigned i = 0; i < MAX_LAYERS; i++) {
		uint32_t label = dm_cur_u32be(c);

		len -= 4;
		if (c->bad)
			return bad(pkt, "frame ends in the MPLS labels");
		if (!(label & 0x100))
			continue;
		/* Nothing says what follows (RFC 4928 s.3): a version nibble of 4 or 6 is IP, 0 is a control
		 * word before Ethernet. */
		if (!dm_cur_left(c))
			return bad(pkt, "frame ends behind the MPLS labels");
		if (c->p[c->at] >> 4 == 4 || c->p[c->at] >> 4 == 6)
			return dm_ip_decode(c, len, pkt);
		pkt->other = ETHERTYPE_MPLS;
		return DM_DECODED_OTHER;
	}
	return bad(pkt, "too many MPLS labels");
}

/* What follows an EtherType. `len` is what was on the wire from here on: never less than what was captured,
 * so it can't wrap. */
static enum dm_decoded decode_type(struct dm_cur *c, size_t len, uint16_t type, struct dm_packet *pkt)
{
	for (unsigned i = 0; i < MAX_LAYERS; i++) {
		switch (type) {
		case ETHERTYPE_IPV4:
		case ETHERTYPE_IPV6:
			return ip_by_version(c, len, pkt);
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD: {
			uint16_t tag = dm_cur_u16be(c);

			type = dm_cur_u16be(c);
			len -= 4;
			if (c->bad)
				return bad(pkt, "frame ends in a VLAN tag");
			if (pkt->vlans < DM_MAX_VLANS)
				pkt->vlan[pkt->vlans++] = tag & 0xfff;
			if (type <= 1500)
				return decode_llc(c, len, pkt);
			break;
		}
		case ETHERTYPE_PPPOE:
			dm_cur_skip(c, 6);
			if (c->bad)
				return bad(pkt, "frame ends in the PPPoE header");
			return decode_ppp(c, len - 6, pkt);
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTICAST:
			return decode_mpls(c, len, pkt);
		default:
			pkt->other = type;
			return DM_DECODED_OTHER;
		}
	}
	return bad(pkt, "too many VLAN tags");
}

static enum dm_decoded decode_ethernet(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *mac = dm_cur_take(c, 12);
	uint16_t type = dm_cur_u16be(c);

	if (c->bad)
		return bad(pkt, "frame ends in the Ethernet header");
	pkt->dst_mac = mac;
	pkt->src_mac = mac + 6;
	if (type <= 1500)
		return decode_llc(c, len - 14, pkt);
	return decode_type(c, len - 14, type, pkt);
}

/* BSD loopback: the address family in the byte order of the machine that captured, or big-endian. Families of
 * IPv6 differ by system. */
static enum dm_decoded decode_null(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	uint32_t family = dm_cur_u32be(c);

	if (c->bad)
		return bad(pkt, "frame ends in the loopback header");
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	if (family == 2 || family == 10 || family == 24 || family == 28 || family == 30)
		return ip_by_version(c, len - 4, pkt);
	pkt->other = 0;
	return DM_DECODED_OTHER;
}

static enum dm_decoded decode_sll(struct dm_cur *c, size_t len, struct dm_packet *pkt, int version)
{
	uint16_t type, mac_n;
	const uint8_t *mac;

	if (version == 2) {
		type = dm_cur_u16be(c);
		dm_cur_skip(c, 9);
		mac_n = dm_cur_u8(c);
		mac = dm_cur_take(c, 8);
		len -= 20;
	} else {
		dm_cur_skip(c, 4);
		mac_n = dm_cur_u16be(c);
		mac = dm_cur_take(c, 8);
		type = dm_cur_u16be(c);
		len -= 16;
	}
	if (c->bad)
		return bad(pkt, "frame ends in the Linux cooked header");
	if (mac_n == 6)
		pkt->src_mac = mac;
	if (type == 0x0004) /* LINUX_SLL_P_802_2 */
		return decode_llc(c, len, pkt);
	return decode_type(c, len, type, pkt);
}

/* IEEE 802.11 data frames that are not encrypted. */
static enum dm_decoded decode_wifi(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	const uint8_t *p = dm_cur_take(c, 24);
	size_t header = 24;

	if (!p)
		return bad(pkt, "frame ends in the 802.11 header");
	pkt->other = 0;
	if ((p[0] & 0x0c) != 0x08 || p[0] & 0x40) /* not data, or no data in it (null function) */
		return DM_DECODED_OTHER;
	if (p[1] & 0x40) /* protected */
		return DM_DECODED_OTHER;
	bool to_ds = p[1] & 1, from_ds = p[1] & 2;

	pkt->dst_mac = to_ds ? p + 16 : p + 4;
	pkt->src_mac = from_ds ? (to_ds ? NULL : p + 16) : p + 10;
	if (to_ds && from_ds) {
		pkt->src_mac = dm_cur_take(c, 6);
		header += 6;
	}
	if (p[0] & 0x80) { /* QoS */
		dm_cur_skip(c, 2);
		header += 2;
	}
	if (c->bad)
		return bad(pkt, "frame ends in the 802.11 header");
	return decode_llc(c, len - header, pkt);
}

static enum dm_decoded decode_radiotap(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	dm_cur_skip(c, 2);
	uint16_t n = dm_cur_u16le(c);

	if (c->bad || n < 4)
		return bad(pkt, "frame ends in the radiotap header");
	dm_cur_skip(c, n - 4u);
	if (c->bad)
		return bad(pkt, "frame ends in the radiotap header");
	return decode_wifi(c, len - n, pkt);
}

/* PPP with or without HDLC framing (RFC 1662: address 0xff, control 0x03), and Cisco HDLC, which carries an
 * EtherType. */
static enum dm_decoded decode_serial(struct dm_cur *c, size_t len, struct dm_packet *pkt)
{
	if (dm_cur_left(c) >= 4 && (c->p[c->at] == 0x0f || c->p[c->at] == 0x8f)) {
		dm_cur_skip(c, 2);
		uint16_t type = dm_cur_u16be(c);

		return decode_type(c, len - 4, type, pkt);
	}
	if (dm_cur_left(c) >= 2 && c->p[c->at] == 0xff && c->p[c->at + 1] == 0x03) {
		dm_cur_skip(c, 2);
		len -= 2;
	}
	return decode_ppp(c, len, pkt);
}

bool dm_frame_known(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_PPP:
	case DLT_PPP_SERIAL:
	case DLT_PPP_ETHER:
	case DLT_C_HDLC:
	case DLT_IEEE802_11:
	case DLT_IEEE802_11_RADIO:
		return true;
	}
	return false;
}

enum dm_decoded dm_frame_decode(int dlt, const uint8_t *p, size_t cap, size_t len, struct dm_packet *pkt)
{
	struct dm_cur c = dm_cur(p, cap);

	if (len < cap)
		len = cap;
	switch (dlt) {
	case DLT_EN10MB:
		return decode_ethernet(&c, len, pkt);
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return ip_by_version(&c, len, pkt);
	case DLT_NULL:
	case DLT_LOOP:
		return decode_null(&c, len, pkt);
	case DLT_LINUX_SLL:
		return decode_sll(&c, len, pkt, 1);
	case DLT_LINUX_SLL2:
		return decode_sll(&c, len, pkt, 2);
	case DLT_PPP:
	case DLT_PPP_SERIAL:
	case DLT_C_HDLC:
		return decode_serial(&c, len, pkt);
	case DLT_PPP_ETHER:
		dm_cur_skip(&c, 6);
		return c.bad ? bad(pkt, "frame ends in the PPPoE header") : decode_ppp(&c, len - 6, pkt);
	case DLT_IEEE802_11:
		return decode_wifi(&c, len, pkt);
	case DLT_IEEE802_11_RADIO:
		return decode_radiotap(&c, len, pkt);
	}
	return bad(pkt, "link type that is not read");
}

enum dm_decoded dm_inner_decode(const struct dm_packet *outer, struct dm_packet *pkt)
{
	struct dm_cur c = dm_cur(outer->inner, outer->inner_cap);

	pkt->level = (uint8_t)(outer->level + 1);
	if (outer->inner_kind == DM_INNER_ETHERNET)
		return decode_ethernet(&c, outer->inner_len, pkt);
	return ip_by_version(&c, outer->inner_len, pkt);
}
