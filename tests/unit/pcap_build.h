/* pcap_build.h: captures made in memory, packet by packet, for the tests of the capture reader. */
#ifndef DM_TESTS_PCAP_BUILD_H
#define DM_TESTS_PCAP_BUILD_H

#include "base/buf.h"
#include "import/packet.h"

struct pcap_build {
	struct dm_buf file;
	int64_t clock; /* us of the next packet; each packet advances it by 1000 */
};

/* One end of a connection. */
struct end {
	const char *ip;
	uint16_t port;
	uint32_t seq; /* next of its own; advanced by the builder */
};

void pcap_begin(struct pcap_build *b, int linktype);
void pcap_done(struct pcap_build *b);
/* A frame as it is; `wire` its length on the wire, 0: as long as captured. */
void pcap_frame(struct pcap_build *b, const void *p, size_t n, size_t wire);
/* Ethernet with an IP packet (either family) of this protocol and content. */
void pcap_ip(struct pcap_build *b, const char *src, const char *dst, uint8_t proto, const void *p, size_t n);
void pcap_udp(struct pcap_build *b, const struct end *from, const struct end *to, const void *p, size_t n);
/* A segment; `from->seq` moves on by what it carries, ack is `to->seq`. */
void pcap_tcp(struct pcap_build *b, struct end *from, const struct end *to, uint8_t flags, const void *p,
	      size_t n);
/* The same at a sequence number of its own, moving nothing. */
void pcap_tcp_at(struct pcap_build *b, const struct end *from, const struct end *to, uint8_t flags,
		 uint32_t seq, const void *p, size_t n);
/* Three-way handshake; then text from one to the other; then both close. */
void pcap_open(struct pcap_build *b, struct end *client, struct end *server);
void pcap_say(struct pcap_build *b, struct end *from, const struct end *to, const char *text);
void pcap_close(struct pcap_build *b, struct end *client, struct end *server);

/* IP packet alone, appended to `out`: for tunnels. */
void put_ip_packet(struct dm_buf *out, const char *src, const char *dst, uint8_t proto, const void *p,
		   size_t n);
void put_udp(struct dm_buf *out, uint16_t sport, uint16_t dport, const void *p, size_t n);
void put_be16(struct dm_buf *out, uint32_t v);
void put_be32(struct dm_buf *out, uint32_t v);

#endif
