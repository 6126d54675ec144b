/* A finished flow as a record. */
#include <inttypes.h>
#include <stdio.h>

#include "import/capture.h"
#include "import/digest.h"
#include "import/fmt.h"

/* Zeek's conn_state, from what was seen of the handshake and the end. */
static const char *tcp_state(const struct dm_flow *f)
{
	unsigned o = f->opener, r = !o;
	bool o_syn = f->flags[o] & DM_TCP_SYN, r_syn = f->synack[r];
	bool o_fin = f->flags[o] & DM_TCP_FIN, r_fin = f->flags[r] & DM_TCP_FIN;

	if (f->reset_first[r]) {
		if (o_syn && !r_syn)
			return "REJ";
		return o_syn ? "RSTR" : r_syn ? "RSTRH" : "OTH";
	}
	if (f->reset_first[o])
		return o_syn && !r_syn ? "RSTOS0" : o_syn ? "RSTO" : "OTH";
	if (o_syn && r_syn)
		return o_fin && r_fin ? "SF" : o_fin ? "S2" : r_fin ? "S3" : "S1";
	if (o_syn && !f->packets[r])
		return o_fin ? "SH" : "S0";
	if (r_syn && !o_syn && r_fin)
		return "SHR";
	return "OTH";
}

static const char *flow_state(const struct dm_flow *f)
{
	unsigned o = f->opener;

	if (f->proto == DM_PROTO_TCP)
		return tcp_state(f);
	if (f->proto != DM_PROTO_UDP)
		return "OTH";
	return f->packets[o] && f->packets[!o] ? "SF" : f->packets[o] ? "S0" : "SHR";
}

static void base64(const uint8_t *p, size_t n, char *out)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
			     (i + 2 < n ? p[i + 2] : 0);

		*out++ = digit[v >> 18];
		*out++ = digit[v >> 12 & 63];
		*out++ = i + 1 < n ? digit[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digit[v & 63] : '=';
	}
	*out = 0;
}

/* Community id version 1, seed 0, as text with NUL: the smaller end first; the key of a flow already is in
 * that order. */
static void community_id(const struct dm_flow *f, char out[32])
{
	bool v4 = dm_ip_is4(&f->ip[0]) && dm_ip_is4(&f->ip[1]);
	size_t from = v4 ? 12 : 0, n = 16 - from;
	bool ports = f->proto == DM_PROTO_TCP || f->proto == DM_PROTO_UDP || f->proto == DM_PROTO_SCTP ||
		     f->proto == DM_PROTO_ICMP || f->proto == DM_PROTO_ICMPV6;
	uint8_t head[2] = {0, 0}, proto[2] = {f->proto, 0};
	uint8_t port[4] = {(uint8_t)(f->port[0] >> 8), (uint8_t)f->port[0], (uint8_t)(f->port[1] >> 8),
			   (uint8_t)f->port[1]};
	struct dm_digest_part part[] = {
		{head, 2}, {f->ip[0].b + from, n}, {f->ip[1].b + from, n}, {proto, 2}, {port, ports ? 4 : 0},
	};
	uint8_t sha[20];

	dm_sha1(part, sizeof part / sizeof *part, sha);
	out[0] = '1';
	out[1] = ':';
	base64(sha, sizeof sha, out + 2);
}

static void put_mac(struct dm_capture *c, enum dm_field field, const uint8_t mac[6])
{
	char text[17];

	dm_fmt_mac(text, mac);
	dm_capture_text(c, field, text, 17);
}

static void put_counts(struct dm_record *r, const struct dm_flow *f, unsigned src)
{
	unsigned dst = !src;
	uint64_t missed = (uint64_t)f->hole[0] + f->hole[1];

	dm_record_int(r, DM_F_SRC_BYTES, (int64_t)f->bytes[src]);
	dm_record_int(r, DM_F_DST_BYTES, (int64_t)f->bytes[dst]);
	dm_record_int(r, DM_F_SRC_PACKETS, (int64_t)f->packets[src]);
	dm_record_int(r, DM_F_DST_PACKETS, (int64_t)f->packets[dst]);
	dm_record_int(r, DM_F_SRC_PAYLOAD, (int64_t)f->payload[src]);
	dm_record_int(r, DM_F_DST_PAYLOAD, (int64_t)f->payload[dst]);
	if (missed)
		dm_record_int(r, DM_F_MISSED_BYTES, (int64_t)missed);
}

int dm_flow_write(struct dm_capture *c, struct dm_flow *f)
{
	struct dm_record *r = dm_capture_start(c, f, DM_KIND_FLOW, f->start);
	unsigned src = f->opener, dst = !src;
	char text[32];

	if (f->start != DM_NO_TIME) {
		dm_record_int(r, DM_F_DURATION, f->end - f->start);
		dm_record_int(r, DM_F_END, f->end);
	}
	put_counts(r, f, src);
	if (f->protocol)
		dm_record_text(r, DM_F_PROTOCOL, dm_sv_str(f->protocol));
	dm_record_text(r, DM_F_CONN_STATE, dm_sv_str(flow_state(f)));
	if (f->history_n)
		dm_record_text(r, DM_F_CONN_HISTORY, dm_sv(f->history, f->history_n));
	if (f->proto == DM_PROTO_TCP)
		dm_record_int(r, DM_F_TCP_FLAGS, f->flags[0] | f->flags[1]);
	else if (f->proto == DM_PROTO_ICMP || f->proto == DM_PROTO_ICMPV6) {
		dm_record_int(r, DM_F_ICMP_TYPE, f->icmp_type);
		dm_record_int(r, DM_F_ICMP_CODE, f->icmp_code);
	}
	if (!dm_proto_name(f->proto))
		dm_record_int(r, DM_F_IP_PROTO, f->proto);
	if (f->vlans) /* the outer one */
		dm_record_int(r, DM_F_VLAN, f->vlan[0]);
	if (f->has_mac) {
		put_mac(c, DM_F_SRC_MAC, f->mac[src]);
		put_mac(c, DM_F_DST_MAC, f->mac[dst]);
	}
	community_id(f, text);
	dm_record_text(r, DM_F_COMMUNITY_ID, dm_sv_str(text));
	if (f->parent) {
		char parent[48];
		int n = snprintf(parent, sizeof parent, "p%" PRIu64 " %s", f->parent, f->tunnel);

		dm_capture_text(c, DM_F_TUNNEL, parent, (size_t)n);
	}
	dm_timings_put(c, f);
	return dm_capture_emit(c);
}
