/* packet.h: from the bytes of a captured frame to one IP packet.
 *
 * Every reader works on what was captured (a snap length may have cut it) and takes lengths from the headers
 * only as far as they can be true. Pointers in struct dm_packet point into the frame.
 */
#ifndef DM_IMPORT_PACKET_H
#define DM_IMPORT_PACKET_H

#include "base/cur.h"
#include "model/observable.h"

enum dm_ip_protocol {
	DM_PROTO_ICMP = 1,
	DM_PROTO_IPIP = 4,
	DM_PROTO_TCP = 6,
	DM_PROTO_UDP = 17,
	DM_PROTO_IPV6 = 41,
	DM_PROTO_GRE = 47,
	DM_PROTO_ESP = 50,
	DM_PROTO_ICMPV6 = 58,
	DM_PROTO_SCTP = 132,
};

enum dm_tcp_flag {
	DM_TCP_FIN = 0x01,
	DM_TCP_SYN = 0x02,
	DM_TCP_RST = 0x04,
	DM_TCP_PSH = 0x08,
	DM_TCP_ACK = 0x10,
	DM_TCP_URG = 0x20,
};

enum dm_decoded {
	DM_DECODED_IP,	  /* the packet is filled */
	DM_DECODED_OTHER, /* something else than IP: nothing wrong with it */
	DM_DECODED_BAD,	  /* `reason` says what is wrong */
};

#define DM_MAX_VLANS 2u

struct dm_packet {
	int64_t time;	 /* us, DM_NO_TIME if the capture's is impossible */
	uint64_t number; /* in the capture, from 1 */
	struct dm_ip src, dst;
	uint8_t proto; /* behind all extension headers */
	uint8_t level; /* 0: as captured, 1: inside a tunnel */
	bool has_ports;
	bool fragment; /* one of several; the first has ports */
	bool first_fragment;
	uint32_t fragment_id;
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint32_t seq, ack;
	uint8_t icmp_type, icmp_code;
	uint32_t ip_bytes;    /* by the IP header */
	uint32_t payload_len; /* of the transport, by the headers */
	const uint8_t *payload;
	uint32_t payload_cap; /* what of it was captured */
	uint16_t vlan[DM_MAX_VLANS];
	uint8_t vlans;
	const uint8_t *src_mac, *dst_mac; /* NULL: none */
	uint16_t other;			  /* DM_DECODED_OTHER: EtherType, 0 if there is none */
	/* A tunnel's content, if the packet carries one that we read. */
	const uint8_t *inner;
	uint32_t inner_cap, inner_len;
	enum { DM_INNER_NONE, DM_INNER_IP, DM_INNER_ETHERNET } inner_kind;
	const char *tunnel; /* "gre", "ip", "teredo", "vxlan" */
	const char *reason; /* DM_DECODED_BAD */
};

/* Whether frames of this libpcap DLT can be read. */
bool dm_frame_known(int dlt);
/* Reads a frame down to the transport: `cap` bytes captured of `len`. time, number and level are the caller's
 * and stay. */
enum dm_decoded dm_frame_decode(int dlt, const uint8_t *p, size_t cap, size_t len, struct dm_packet *pkt);
/* Reads what a tunnel carries; `outer` as decoded before. */
enum dm_decoded dm_inner_decode(const struct dm_packet *outer, struct dm_packet *pkt);

/* From the IP header on: `c` holds what was captured, `len` is what was on the wire. */
enum dm_decoded dm_ip_decode(struct dm_cur *c, size_t len, struct dm_packet *pkt);

/* Name of a transport for network.transport: "tcp", "udp", "icmp", "ipv6-icmp", ...; NULL if it has none. */
const char *dm_proto_name(uint8_t proto);

#endif
