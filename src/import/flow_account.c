/* What a flow learns from each of its packets. */
#include <assert.h>

#include "import/capture.h"

/* Who opened it: the sender of the first packet, unless that is plainly an answer. */
static uint8_t guess_opener(const struct dm_packet *p, unsigned end)
{
	if (p->proto == DM_PROTO_TCP) {
		if ((p->tcp_flags & (DM_TCP_SYN | DM_TCP_ACK)) == (DM_TCP_SYN | DM_TCP_ACK))
			return (uint8_t)!end;
		if (p->tcp_flags & DM_TCP_SYN)
			return (uint8_t)end;
	}
	/* Picked up in the middle: a well-known port is the server's (RFC 6335 s.6). */
	if (p->has_ports && p->sport < 1024 && p->dport >= 1024)
		return (uint8_t)!end;
	/* Echo reply and the like. */
	if ((p->proto == DM_PROTO_ICMP &&
	     (p->icmp_type == 0 || p->icmp_type == 14 || p->icmp_type == 16 || p->icmp_type == 18)) ||
	    (p->proto == DM_PROTO_ICMPV6 &&
	     (p->icmp_type == 129 || p->icmp_type == 136 || p->icmp_type == 131 || p->icmp_type == 140)))
		return (uint8_t)!end;
	return (uint8_t)end;
}

void dm_flow_begin(struct dm_flow *f, const struct dm_flow *key, const struct dm_packet *p, unsigned end)
{
	memcpy(f->ip, key->ip, sizeof f->ip);
	f->port[0] = key->port[0];
	f->port[1] = key->port[1];
	f->proto = key->proto;
	f->level = key->level;
	f->one_way = key->one_way;
	f->opener = guess_opener(p, end);
	f->start = f->end = p->time;
	f->first = p->number;
	f->icmp_type = p->icmp_type;
	f->icmp_code = p->icmp_code;
	f->vlans = p->vlans;
	memcpy(f->vlan, p->vlan, sizeof f->vlan);
	if (p->src_mac && p->dst_mac) {
		memcpy(f->mac[end], p->src_mac, 6);
		memcpy(f->mac[!end], p->dst_mac, 6);
		f->has_mac = true;
	}
	if (f->opener != end && f->proto == DM_PROTO_TCP)
		f->history[f->history_n++] = '^';
}

static void history(struct dm_flow *f, unsigned end, char letter)
{
	static const char letters[] = "shadfr";
	const char *known = strchr(letters, letter);
	bool server = end != f->opener;
	uint32_t bit;

	assert(known);
	bit = 1u << (2 * (known - letters) + server); /* a letter once a direction */
	if (f->history_seen & bit || f->history_n + 1u >= DM_HISTORY)
		return;
	f->history_seen |= bit;
	f->history[f->history_n++] = server ? letter : (char)(letter - 'a' + 'A');
}

/* Holes in the sequence numbers: what was never captured. Out of order data fills them again. */
static void account_sequence(struct dm_flow *f, unsigned end, const struct dm_packet *p)
{
	uint32_t len = p->payload_len + !!(p->tcp_flags & DM_TCP_SYN) + !!(p->tcp_flags & DM_TCP_FIN);
	int32_t ahead;

	if (p->tcp_flags & DM_TCP_RST)
		return;
	if (!f->seq_known[end]) {
		f->seq_known[end] = true;
		f->next_seq[end] = p->seq + len;
		return;
	}
	ahead = (int32_t)(p->seq - f->next_seq[end]);
	if (ahead >= 0) {
		if (ahead < 1 << 30)
			f->hole[end] += (uint32_t)ahead;
		f->next_seq[end] = p->seq + len;
		return;
	}
	/* Sent before, or late: what it brings of the holes is no longer missed, and it may reach further
	 * than all before. */
	if (f->hole[end]) {
		uint32_t old = (uint32_t)-ahead < p->payload_len ? (uint32_t)-ahead : p->payload_len;

		f->hole[end] -= f->hole[end] < old ? f->hole[end] : old;
	}
	if ((int32_t)(p->seq + len - f->next_seq[end]) > 0)
		f->next_seq[end] = p->seq + len;
}

static void account_tcp(struct dm_flow *f, unsigned end, const struct dm_packet *p)
{
	uint8_t flags = p->tcp_flags;

	if (flags & DM_TCP_SYN) {
		history(f, end, flags & DM_TCP_ACK ? 'h' : 's');
		if (!(f->flags[end] & DM_TCP_SYN))
			f->syn_seq[end] = p->seq + 1;
		if (flags & DM_TCP_ACK)
			f->synack[end] = true;
	} else if (flags & DM_TCP_ACK && !p->payload_len && !(flags & (DM_TCP_FIN | DM_TCP_RST))) {
		history(f, end, 'a');
	}
	if (p->payload_len)
		history(f, end, 'd');
	if (flags & DM_TCP_FIN)
		history(f, end, 'f');
	if (flags & DM_TCP_RST) {
		history(f, end, 'r');
		/* After both have closed, a reset is only a polite end of the line. */
		if (!f->reset_first[!end] && !(f->flags[0] & f->flags[1] & DM_TCP_FIN))
			f->reset_first[end] = true;
	}
	f->flags[end] |= flags;
	account_sequence(f, end, p);
}

void dm_flow_account(struct dm_flow *f, unsigned end, const struct dm_packet *p)
{
	if (p->time != DM_NO_TIME) {
		if (f->start == DM_NO_TIME || p->time < f->start)
			f->start = p->time;
		if (f->end == DM_NO_TIME || p->time > f->end)
			f->end = p->time;
	}
	f->packets[end]++;
	f->bytes[end] += p->ip_bytes;
	f->payload[end] += p->payload_len;
	if (p->proto == DM_PROTO_TCP && p->has_ports)
		account_tcp(f, end, p);
	else if (p->payload_len)
		history(f, end, 'd');
}
