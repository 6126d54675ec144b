#include "pcap_build.h"

#include <assert.h>

void put_be16(struct dm_buf *out, uint32_t v)
{
	dm_buf_putc(out, (char)(v >> 8));
	dm_buf_putc(out, (char)v);
}

void put_be32(struct dm_buf *out, uint32_t v)
{
	put_be16(out, v >> 16);
	put_be16(out, v);
}

void pcap_begin(struct pcap_build *b, int linktype)
{
	dm_buf_init(&b->file, 1u << 30);
	b->clock = 1400000000ll * 1000000;
	dm_buf_u32le(&b->file, 0xa1b2c3d4);
	dm_buf_u16le(&b->file, 2);
	dm_buf_u16le(&b->file, 4);
	dm_buf_u64le(&b->file, 0);
	dm_buf_u32le(&b->file, 262144);
	dm_buf_u32le(&b->file, (uint32_t)linktype);
}

void pcap_done(struct pcap_build *b)
{
	dm_buf_done(&b->file);
}

void pcap_frame(struct pcap_build *b, const void *p, size_t n, size_t wire)
{
	dm_buf_u32le(&b->file, (uint32_t)(b->clock / 1000000));
	dm_buf_u32le(&b->file, (uint32_t)(b->clock % 1000000));
	dm_buf_u32le(&b->file, (uint32_t)n);
	dm_buf_u32le(&b->file, (uint32_t)(wire ? wire : n));
	dm_buf_put(&b->file, p, n);
	b->clock += 1000;
}

void put_ip_packet(struct dm_buf *out, const char *src, const char *dst, uint8_t proto, const void *p,
		   size_t n)
{
	struct dm_ip s, d;

	assert(dm_ip_parse(dm_sv_str(src), &s) && dm_ip_parse(dm_sv_str(dst), &d));
	if (dm_ip_is4(&s)) {
		dm_buf_putc(out, 0x45);
		dm_buf_putc(out, 0);
		put_be16(out, (uint32_t)(20 + n));
		put_be32(out, 0);
		dm_buf_putc(out, 64);
		dm_buf_putc(out, (char)proto);
		put_be16(out, 0);
		dm_buf_put(out, s.b + 12, 4);
		dm_buf_put(out, d.b + 12, 4);
	} else {
		put_be32(out, 0x60000000);
		put_be16(out, (uint32_t)n);
		dm_buf_putc(out, (char)proto);
		dm_buf_putc(out, 64);
		dm_buf_put(out, s.b, 16);
		dm_buf_put(out, d.b, 16);
	}
	dm_buf_put(out, p, n);
}

void put_udp(struct dm_buf *out, uint16_t sport, uint16_t dport, const void *p, size_t n)
{
	put_be16(out, sport);
	put_be16(out, dport);
	put_be16(out, (uint32_t)(8 + n));
	put_be16(out, 0);
	dm_buf_put(out, p, n);
}

void pcap_ip(struct pcap_build *b, const char *src, const char *dst, uint8_t proto, const void *p, size_t n)
{
	struct dm_buf f;
	struct dm_ip ip;

	dm_buf_init(&f, 1u << 20);
	dm_buf_put(&f, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	assert(dm_ip_parse(dm_sv_str(src), &ip));
	put_be16(&f, dm_ip_is4(&ip) ? 0x0800 : 0x86dd);
	put_ip_packet(&f, src, dst, proto, p, n);
	pcap_frame(b, f.p, f.n, 0);
	dm_buf_done(&f);
}

void pcap_udp(struct pcap_build *b, const struct end *from, const struct end *to, const void *p, size_t n)
{
	struct dm_buf u;

	dm_buf_init(&u, 1u << 20);
	put_udp(&u, from->port, to->port, p, n);
	pcap_ip(b, from->ip, to->ip, DM_PROTO_UDP, u.p, u.n);
	dm_buf_done(&u);
}

void pcap_tcp_at(struct pcap_build *b, const struct end *from, const struct end *to, uint8_t flags,
		 uint32_t seq, const void *p, size_t n)
{
	struct dm_buf t;

	dm_buf_init(&t, 1u << 20);
	put_be16(&t, from->port);
	put_be16(&t, to->port);
	put_be32(&t, seq);
	put_be32(&t, flags & DM_TCP_ACK ? to->seq : 0);
	dm_buf_putc(&t, 0x50);
	dm_buf_putc(&t, (char)flags);
	put_be16(&t, 65535);
	put_be32(&t, 0);
	dm_buf_put(&t, p, n);
	pcap_ip(b, from->ip, to->ip, DM_PROTO_TCP, t.p, t.n);
	dm_buf_done(&t);
}

void pcap_tcp(struct pcap_build *b, struct end *from, const struct end *to, uint8_t flags, const void *p,
	      size_t n)
{
	pcap_tcp_at(b, from, to, flags, from->seq, p, n);
	from->seq += (uint32_t)n + !!(flags & DM_TCP_SYN) + !!(flags & DM_TCP_FIN);
}

void pcap_open(struct pcap_build *b, struct end *client, struct end *server)
{
	pcap_tcp(b, client, server, DM_TCP_SYN, NULL, 0);
	pcap_tcp(b, server, client, DM_TCP_SYN | DM_TCP_ACK, NULL, 0);
	pcap_tcp(b, client, server, DM_TCP_ACK, NULL, 0);
}

void pcap_say(struct pcap_build *b, struct end *from, const struct end *to, const char *text)
{
	pcap_tcp(b, from, to, DM_TCP_ACK | DM_TCP_PSH, text, strlen(text));
}

void pcap_close(struct pcap_build *b, struct end *client, struct end *server)
{
	pcap_tcp(b, client, server, DM_TCP_FIN | DM_TCP_ACK, NULL, 0);
	pcap_tcp(b, server, client, DM_TCP_FIN | DM_TCP_ACK, NULL, 0);
	pcap_tcp(b, client, server, DM_TCP_ACK, NULL, 0);
}
