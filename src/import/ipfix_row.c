#include "import/ipfix_row.h"

#include <inttypes.h>
#include <stdio.h>

#include "import/fmt.h"
#include "import/packet.h"

/* Seconds from 1900, where NTP's clock begins (RFC 5905 s.6), to 1970. */
#define NTP_1970 2208988800ull

_Static_assert(DM_IPFIX_COUNT <= 128, "a bit an element");

const struct dm_ipfix_info dm_ipfix_info[DM_IPFIX_COUNT] = {
#define X(id, len, name) [DM_IPFIX_##id] = {name, len},
	DM_IPFIX_ELEMENTS(X)
#undef X
};

static bool layout_has(const struct dm_ipfix_layout *l, unsigned e)
{
	return l->has[e / 64] >> (e % 64) & 1;
}

void dm_ipfix_layout_offsets(struct dm_ipfix_layout *l)
{
	size_t at = 0;

	memset(l->offset, 0, sizeof l->offset);
	for (unsigned e = 0; e < DM_IPFIX_COUNT; e++) {
		if (!layout_has(l, e) || (e < DM_IPFIX_TEXTS && l->fixed[e]))
			continue;
		l->offset[e] = (uint16_t)at;
		at += dm_ipfix_info[e].len ? dm_ipfix_info[e].len : sizeof(struct dm_ipfix_text);
	}
	for (unsigned e = 0; e < DM_IPFIX_TEXTS; e++)
		if (layout_has(l, e) && l->fixed[e]) {
			l->offset[e] = (uint16_t)at;
			at += l->fixed[e];
		}
	l->size = (uint16_t)at;
}

bool dm_ipfix_has(const struct dm_ipfix_row *row, enum dm_ipfix_element e)
{
	return layout_has(row->layout, e);
}

uint64_t dm_ipfix_number(const struct dm_ipfix_row *row, enum dm_ipfix_element e)
{
	const uint8_t *p = row->data + row->layout->offset[e];
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	if (!dm_ipfix_has(row, e))
		return 0;
	switch (dm_ipfix_info[e].len) {
	case 1:
		return *p;
	case 2:
		memcpy(&v2, p, 2);
		return v2;
	case 4:
		memcpy(&v4, p, 4);
		return v4;
	default:
		memcpy(&v8, p, 8);
		return v8;
	}
}

static uint64_t first_of(const struct dm_ipfix_row *row, const enum dm_ipfix_element *e, size_t n,
			 bool *found)
{
	for (size_t i = 0; i < n; i++)
		if (dm_ipfix_has(row, e[i])) {
			*found = true;
			return dm_ipfix_number(row, e[i]);
		}
	*found = false;
	return 0;
}

static bool get_ip(const struct dm_ipfix_row *row, enum dm_ipfix_element v4, enum dm_ipfix_element v6,
		   struct dm_ip *ret)
{
	static const uint8_t none[16];

	if (dm_ipfix_has(row, v4) && dm_ipfix_number(row, v4)) {
		*ret = dm_ip_from4((uint32_t)dm_ipfix_number(row, v4));
		return true;
	}
	if (!dm_ipfix_has(row, v6))
		return false;
	memcpy(ret->b, row->data + row->layout->offset[v6], 16);
	return memcmp(ret->b, none, 16) != 0;
}

static int64_t ntp(uint64_t v)
{
	uint64_t sec = v >> 32;

	return sec < NTP_1970 ? DM_NO_TIME
			      : (int64_t)((sec - NTP_1970) * 1000000 + ((v & UINT32_MAX) * 1000000 >> 32));
}

/* Year 9999 and 0 stand for broken and unset clocks. */
static int64_t from_ms(uint64_t ms)
{
	return ms && ms < 253402300800000 ? (int64_t)ms * 1000 : DM_NO_TIME;
}

static int64_t moment(const struct dm_ipfix_row *row, bool end)
{
	enum dm_ipfix_element ms = end ? DM_IPFIX_END_MS : DM_IPFIX_START_MS,
			      us = end ? DM_IPFIX_END_US : DM_IPFIX_START_US;
	enum dm_ipfix_element ns = end ? DM_IPFIX_END_NS : DM_IPFIX_START_NS,
			      s = end ? DM_IPFIX_END_S : DM_IPFIX_START_S;
	enum dm_ipfix_element delta = end ? DM_IPFIX_END_DELTA : DM_IPFIX_START_DELTA,
			      up = end ? DM_IPFIX_END_UP : DM_IPFIX_START_UP;

	if (dm_ipfix_has(row, ms))
		return from_ms(dm_ipfix_number(row, ms));
	if (dm_ipfix_has(row, us))
		return ntp(dm_ipfix_number(row, us));
	if (dm_ipfix_has(row, ns))
		return ntp(dm_ipfix_number(row, ns));
	if (dm_ipfix_has(row, s))
		return from_ms(dm_ipfix_number(row, s) * 1000);
	if (dm_ipfix_has(row, delta))
		return row->export_time - (int64_t)dm_ipfix_number(row, delta);
	if (dm_ipfix_has(row, up) && dm_ipfix_has(row, DM_IPFIX_BOOT_MS))
		return from_ms(dm_ipfix_number(row, DM_IPFIX_BOOT_MS) + dm_ipfix_number(row, up));
	return DM_NO_TIME;
}

/* Start and, if known, end. Returns whether the start is only that of the message. */
static bool find_times(const struct dm_ipfix_row *row, int64_t *start, int64_t *end)
{
	int64_t span = DM_NO_TIME;

	*start = moment(row, false);
	*end = moment(row, true);
	if (dm_ipfix_has(row, DM_IPFIX_DURATION_US))
		span = (int64_t)dm_ipfix_number(row, DM_IPFIX_DURATION_US);
	else if (dm_ipfix_has(row, DM_IPFIX_DURATION_MS))
		span = (int64_t)dm_ipfix_number(row, DM_IPFIX_DURATION_MS) * 1000;
	else if (dm_ipfix_number(row, DM_IPFIX_END_UP) >= dm_ipfix_number(row, DM_IPFIX_START_UP) &&
		 dm_ipfix_has(row, DM_IPFIX_END_UP))
		span = (int64_t)(dm_ipfix_number(row, DM_IPFIX_END_UP) -
				 dm_ipfix_number(row, DM_IPFIX_START_UP)) *
		       1000;
	if (*start == DM_NO_TIME && *end != DM_NO_TIME)
		*start = *end - (span == DM_NO_TIME ? 0 : span);
	if (*start == DM_NO_TIME)
		*start = from_ms(dm_ipfix_has(row, DM_IPFIX_OBSERVED_MS)
					 ? dm_ipfix_number(row, DM_IPFIX_OBSERVED_MS)
					 : dm_ipfix_number(row, DM_IPFIX_OBSERVED_S) * 1000);
	if (*start != DM_NO_TIME) {
		if (*end == DM_NO_TIME && span != DM_NO_TIME)
			*end = *start + span;
		return false;
	}
	/* Only times since the exporter's boot, and when that was is not said: it was sent when it had ended.
	 */
	*end = row->export_time;
	*start = row->export_time - (span == DM_NO_TIME ? 0 : span);
	return true;
}

static void put_number(struct dm_record *r, enum dm_field f, const struct dm_ipfix_row *row,
		       const enum dm_ipfix_element *e, size_t n, bool zero)
{
	bool found;
	uint64_t v = first_of(row, e, n, &found);

	if (found && (v || zero) && v <= INT64_MAX)
		dm_record_int(r, f, (int64_t)v);
}

#define PUT(field, zero, ...)                                                                                \
	put_number(r, field, row, (const enum dm_ipfix_element[]){__VA_ARGS__},                              \
		   sizeof((const enum dm_ipfix_element[]){__VA_ARGS__}) / sizeof(enum dm_ipfix_element),     \
		   zero)

static void put_counts(struct dm_record *r, const struct dm_ipfix_row *row)
{
	PUT(DM_F_SRC_BYTES, true, DM_IPFIX_OCTETS, DM_IPFIX_OCTETS_TOTAL, DM_IPFIX_OCTETS_INITIATOR);
	PUT(DM_F_DST_BYTES, true, DM_IPFIX_R_OCTETS, DM_IPFIX_R_OCTETS_TOTAL, DM_IPFIX_OCTETS_RESPONDER);
	PUT(DM_F_SRC_PACKETS, true, DM_IPFIX_PACKETS, DM_IPFIX_PACKETS_TOTAL, DM_IPFIX_PACKETS_INITIATOR);
	PUT(DM_F_DST_PACKETS, true, DM_IPFIX_R_PACKETS, DM_IPFIX_R_PACKETS_TOTAL, DM_IPFIX_PACKETS_RESPONDER);
}

static void put_transport(struct dm_record *r, const struct dm_ipfix_row *row)
{
	static const enum dm_ipfix_element flags[] = {DM_IPFIX_TCP_FLAGS,     DM_IPFIX_R_TCP_FLAGS,
						      DM_IPFIX_FIRST_FLAGS,   DM_IPFIX_REST_FLAGS,
						      DM_IPFIX_R_FIRST_FLAGS, DM_IPFIX_R_REST_FLAGS};
	uint8_t proto = (uint8_t)dm_ipfix_number(row, DM_IPFIX_PROTO);
	const char *name = dm_proto_name(proto);
	uint64_t all = 0;
	bool some = false;

	if (proto != DM_PROTO_ICMP && proto != DM_PROTO_ICMPV6) {
		PUT(DM_F_SRC_PORT, true, DM_IPFIX_SRC_PORT, DM_IPFIX_UDP_SRC_PORT, DM_IPFIX_TCP_SRC_PORT);
		PUT(DM_F_DST_PORT, true, DM_IPFIX_DST_PORT, DM_IPFIX_UDP_DST_PORT, DM_IPFIX_TCP_DST_PORT);
	}
	if (name)
		dm_record_text(r, DM_F_TRANSPORT, dm_sv_str(name));
	else if (dm_ipfix_has(row, DM_IPFIX_PROTO))
		dm_record_int(r, DM_F_IP_PROTO, proto);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		some |= dm_ipfix_has(row, flags[i]);
		all |= dm_ipfix_number(row, flags[i]);
	}
	if (some && proto == DM_PROTO_TCP)
		dm_record_int(r, DM_F_TCP_FLAGS, (int64_t)(all & 0xff));
}

/* Type and code apart, together, or, as NetFlow did, in the place of the destination port. */
static void put_icmp(struct dm_record *r, const struct dm_ipfix_row *row)
{
	bool v6 = dm_ipfix_number(row, DM_IPFIX_PROTO) == DM_PROTO_ICMPV6;
	uint64_t both;

	if (!v6 && dm_ipfix_number(row, DM_IPFIX_PROTO) != DM_PROTO_ICMP)
		return;
	if (dm_ipfix_has(row, v6 ? DM_IPFIX_ICMP6_TYPE : DM_IPFIX_ICMP4_TYPE))
		both = dm_ipfix_number(row, v6 ? DM_IPFIX_ICMP6_TYPE : DM_IPFIX_ICMP4_TYPE) << 8 |
		       dm_ipfix_number(row, v6 ? DM_IPFIX_ICMP6_CODE : DM_IPFIX_ICMP4_CODE);
	else if (dm_ipfix_has(row, v6 ? DM_IPFIX_ICMP6 : DM_IPFIX_ICMP4))
		both = dm_ipfix_number(row, v6 ? DM_IPFIX_ICMP6 : DM_IPFIX_ICMP4);
	else if (dm_ipfix_has(row, DM_IPFIX_DST_PORT))
		both = dm_ipfix_number(row, DM_IPFIX_DST_PORT);
	else
		return;
	dm_record_int(r, DM_F_ICMP_TYPE, (int64_t)(both >> 8));
	dm_record_int(r, DM_F_ICMP_CODE, (int64_t)(both & 0xff));
}

static void put_ip(struct dm_record *r, enum dm_field f, const struct dm_ipfix_row *row,
		   enum dm_ipfix_element v4, enum dm_ipfix_element v6)
{
	struct dm_ip ip;

	if (get_ip(row, v4, v6, &ip))
		dm_record_ip(r, f, &ip);
}

static void put_nat(struct dm_record *r, const struct dm_ipfix_row *row, const struct dm_ip ends[2])
{
	for (unsigned dst = 0; dst < 2; dst++) {
		enum dm_ipfix_element port = dst ? DM_IPFIX_NAT_DST_PORT : DM_IPFIX_NAT_SRC_PORT;
		uint64_t real = dm_ipfix_number(row, dst ? DM_IPFIX_DST_PORT : DM_IPFIX_SRC_PORT),
			 moved = dm_ipfix_number(row, port);
		struct dm_ip ip;
		bool has_ip = get_ip(row, dst ? DM_IPFIX_NAT_DST4 : DM_IPFIX_NAT_SRC4,
				     dst ? DM_IPFIX_NAT_DST6 : DM_IPFIX_NAT_SRC6, &ip);

		/* Exporters fill these in for every flow; only what differs was translated. */
		if ((!has_ip || memcmp(&ip, &ends[dst], sizeof ip) == 0) && (!moved || moved == real))
			continue;
		if (has_ip)
			dm_record_ip(r, dst ? DM_F_DST_NAT_IP : DM_F_SRC_NAT_IP, &ip);
		if (moved)
			dm_record_int(r, dst ? DM_F_DST_NAT_PORT : DM_F_SRC_NAT_PORT, (int64_t)moved);
	}
}

static size_t put_as(struct dm_record *r, enum dm_field f, const struct dm_ipfix_row *row,
		     enum dm_ipfix_element e, char *buf)
{
	uint64_t as = dm_ipfix_number(row, e);
	int n = as ? snprintf(buf, 16, "AS%" PRIu64, as) : 0;

	if (n)
		dm_record_text(r, f, dm_sv(buf, (size_t)n));
	return (size_t)n + 1;
}

static size_t put_mac(struct dm_record *r, enum dm_field f, const struct dm_ipfix_row *row,
		      enum dm_ipfix_element e, char *buf)
{
	static const uint8_t none[6];
	const uint8_t *m = row->data + row->layout->offset[e];

	if (!dm_ipfix_has(row, e) || memcmp(m, none, 6) == 0)
		return 0;
	dm_fmt_mac(buf, m);
	dm_record_text(r, f, dm_sv(buf, 17));
	return 17;
}

static struct dm_sv get_text(const struct dm_ipfix_row *row, enum dm_ipfix_element e)
{
	struct dm_ipfix_text t;

	if (!dm_ipfix_has(row, e))
		return dm_sv("", 0);
	if (row->layout->fixed[e])
		t = (struct dm_ipfix_text){row->layout->fixed[e],
					   (const char *)row->data + row->layout->offset[e]};
	else
		memcpy(&t, row->data + row->layout->offset[e], sizeof t);
	/* Fixed-length strings come padded with NUL. */
	while (t.n && t.p[t.n - 1] == 0)
		t.n--;
	return dm_sv(t.p, t.n);
}

/* YAF's guess at the protocol, by the number of its usual port. */
static const char *app_label(uint64_t label)
{
	switch (label) {
	case 21:
		return "ftp";
	case 22:
		return "ssh";
	case 25:
		return "smtp";
	case 53:
		return "dns";
	case 80:
		return "http";
	case 110:
		return "pop3";
	case 143:
		return "imap";
	case 443:
		return "tls";
	case 5060:
		return "sip";
	}
	return NULL;
}

static void put_application(struct dm_record *r, const struct dm_ipfix_row *row)
{
	struct dm_sv name = get_text(row, DM_IPFIX_APPLICATION), host = get_text(row, DM_IPFIX_HTTP_HOST);
	const char *label = app_label(dm_ipfix_number(row, DM_IPFIX_APP_LABEL));

	if (label)
		dm_record_text(r, DM_F_PROTOCOL, dm_sv_str(label));
	else
		dm_record_text(r, DM_F_PROTOCOL, name);
	if (host.n)
		dm_record_host(r, DM_F_URL_DOMAIN, DM_F_URL_IP, host);
	dm_record_text(r, DM_F_URL_ORIGINAL, get_text(row, DM_IPFIX_HTTP_TARGET));
	dm_record_text(r, DM_F_HTTP_METHOD, get_text(row, DM_IPFIX_HTTP_METHOD));
	dm_record_text(r, DM_F_USER_AGENT, get_text(row, DM_IPFIX_HTTP_AGENT));
	dm_record_text(r, DM_F_USER_NAME, get_text(row, DM_IPFIX_USER));
}

/* IANA, "natEvent" and "firewallEvent". */
static void put_event(struct dm_record *r, const struct dm_ipfix_row *row)
{
	static const char *const firewall[] = {NULL,	      "flow-created", "flow-deleted",
					       "flow-denied", "flow-alert",   "flow-update"};
	static const char *const nat[] = {NULL,
					  "nat-create",
					  "nat-delete",
					  "nat-addresses-exhausted",
					  "nat44-create",
					  "nat44-delete",
					  "nat64-create",
					  "nat64-delete",
					  "nat44-bib-create",
					  "nat44-bib-delete",
					  "nat64-bib-create",
					  "nat64-bib-delete",
					  "nat-ports-exhausted",
					  "quota-exceeded",
					  "address-binding-create",
					  "address-binding-delete",
					  "port-block-allocation",
					  "port-block-deallocation",
					  "threshold-reached"};
	uint64_t fw = dm_ipfix_number(row, DM_IPFIX_FW_EVENT), n = dm_ipfix_number(row, DM_IPFIX_NAT_EVENT);

	if (fw < sizeof firewall / sizeof *firewall && firewall[fw])
		dm_record_text(r, DM_F_ACTION, dm_sv_str(firewall[fw]));
	else if (n < sizeof nat / sizeof *nat && nat[n])
		dm_record_text(r, DM_F_ACTION, dm_sv_str(nat[n]));
}

uint64_t dm_ipfix_sampling(const struct dm_ipfix_row *row)
{
	uint64_t taken = dm_ipfix_number(row, DM_IPFIX_SAMPLED_PACKETS),
		 space = dm_ipfix_number(row, DM_IPFIX_SAMPLED_SPACE);
	bool found;
	uint64_t n =
		first_of(row, (const enum dm_ipfix_element[]){DM_IPFIX_SAMPLING, DM_IPFIX_SAMPLER_INTERVAL},
			 2, &found);

	if (found && n)
		return n;
	return taken ? (taken + space) / taken : 0;
}

static void put_routing(struct dm_record *r, const struct dm_ipfix_row *row, char *scratch)
{
	PUT(DM_F_IF_IN, false, DM_IPFIX_IF_IN);
	PUT(DM_F_IF_OUT, false, DM_IPFIX_IF_OUT);
	PUT(DM_F_VLAN, false, DM_IPFIX_VLAN, DM_IPFIX_DOT1Q);
	scratch += put_as(r, DM_F_SRC_AS, row, DM_IPFIX_SRC_AS, scratch);
	scratch += put_as(r, DM_F_DST_AS, row, DM_IPFIX_DST_AS, scratch);
	scratch += put_mac(r, DM_F_SRC_MAC, row, DM_IPFIX_SRC_MAC, scratch);
	put_mac(r, DM_F_DST_MAC, row, DM_IPFIX_DST_MAC, scratch);
	put_ip(r, DM_F_NEXT_HOP, row, DM_IPFIX_HOP4, DM_IPFIX_HOP6);
	put_ip(r, DM_F_EXPORTER_IP, row, DM_IPFIX_EXPORTER4, DM_IPFIX_EXPORTER6);
}

bool dm_ipfix_record(const struct dm_ipfix_row *row, struct dm_record *r, uint64_t line, char scratch[128],
		     bool *ret_guessed)
{
	struct dm_ip ends[2];
	int64_t start, end;
	uint64_t sampling = dm_ipfix_sampling(row);

	if (!get_ip(row, DM_IPFIX_SRC4, DM_IPFIX_SRC6, &ends[0]) ||
	    !get_ip(row, DM_IPFIX_DST4, DM_IPFIX_DST6, &ends[1]))
		return false;
	*ret_guessed = find_times(row, &start, &end);
	dm_record_start(r, DM_KIND_FLOW, start, line);
	dm_record_text(r, DM_F_DATASET, dm_sv_str("ipfix.flow"));
	dm_record_ip(r, DM_F_SRC_IP, &ends[0]);
	dm_record_ip(r, DM_F_DST_IP, &ends[1]);
	put_transport(r, row);
	put_icmp(r, row);
	if (end != DM_NO_TIME && end >= start) {
		dm_record_int(r, DM_F_DURATION, end - start);
		dm_record_int(r, DM_F_END, end);
	}
	put_counts(r, row);
	put_nat(r, row, ends);
	put_routing(r, row, scratch);
	put_application(r, row);
	put_event(r, row);
	if (!sampling)
		sampling = row->sampling;
	if (sampling > 1)
		dm_record_int(r, DM_F_SAMPLING, (int64_t)sampling);
	return true;
}
