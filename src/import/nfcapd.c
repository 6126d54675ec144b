/* nfcapd.c: flow files of nfcapd, nfpcapd and sfcapd (nfdump 1.6 and 1.7), as `nfdump -o raw` prints them.
 *
 * The raw form is the only one that names every field, gives times in milliseconds and prints just what a
 * record holds. A record is a heading, a running number, then lines of two spaces, a label of up to twelve
 * characters, "= ", a value. Behind user names and payloads come bytes from the network, line ends included:
 * whatever follows them is ignored up to a heading with the right number.
 */
#include <inttypes.h>
#include <stdio.h>

#include "import/importer.h"
#include "import/packet.h"

enum label {
	L_OTHER,
	L_COUNT,
	L_FLAGS,
	L_FIRST,
	L_LAST,
	L_EVENT_TIME,
	L_PROTO,
	L_TCP_FLAGS,
	L_ICMP,
	L_SRC_PORT,
	L_DST_PORT,
	L_IN_PACKETS,
	L_IN_BYTES,
	L_OUT_PACKETS,
	L_OUT_BYTES,
	L_SRC_ADDR,
	L_DST_ADDR,
	L_INPUT,
	L_OUTPUT,
	L_SRC_AS,
	L_DST_AS,
	L_SRC_VLAN,
	L_NEXT_HOP,
	L_EXPORTER,
	L_SRC_MAC,
	L_DST_MAC,
	L_SRC_NAT,
	L_DST_NAT,
	L_SRC_NAT_PORT,
	L_DST_NAT_PORT,
	L_TUNNEL,
	L_EVENT,
	L_USER,
	L_PACKET_INTERVAL,
	L_SPACE_INTERVAL,
	L_UNTRUSTED,
	LABELS,
};

/* Filled by number; text and addresses apart. */
struct flow {
	bool open, deaf; /* deaf: untrusted bytes follow */
	bool event, sampled;
	uint64_t number;
	uint64_t has; /* bit a label */
	int64_t v[LABELS];
	struct dm_ip ip[LABELS];
	char action[64], user[128];
	uint8_t action_n, user_n;
	char mac[2][17];
	struct dm_ip tunnel[2];
	unsigned tunnels;
};

struct run {
	struct dm_sink *sink;
	struct dm_stream *in;
	struct dm_record rec;
	struct flow f;
	uint64_t sampled, no_time;
};

static const struct {
	const char *name;
	enum label label;
} labels[] = {
	{"RecordCount", L_COUNT},
	{"Flags", L_FLAGS},
	{"first", L_FIRST},
	{"last", L_LAST},
	{"Event time", L_EVENT_TIME},
	{"proto", L_PROTO},
	{"tcp flags", L_TCP_FLAGS},
	{"ICMP", L_ICMP},
	{"src port", L_SRC_PORT},
	{"dst port", L_DST_PORT},
	{"in packets", L_IN_PACKETS},
	{"in bytes", L_IN_BYTES},
	{"out packets", L_OUT_PACKETS},
	{"out bytes", L_OUT_BYTES},
	{"src addr", L_SRC_ADDR},
	{"dst addr", L_DST_ADDR},
	{"input", L_INPUT},
	{"output", L_OUTPUT},
	{"src as", L_SRC_AS},
	{"dst as", L_DST_AS},
	{"src vlan", L_SRC_VLAN},
	{"ip next hop", L_NEXT_HOP},
	{"ip exporter", L_EXPORTER},
	{"in src mac", L_SRC_MAC},
	{"out dst mac", L_DST_MAC},
	{"src xlt ip", L_SRC_NAT},
	{"dst xlt ip", L_DST_NAT},
	{"src xlt port", L_SRC_NAT_PORT},
	{"dst xlt port", L_DST_NAT_PORT},
	{"tun src addr", L_TUNNEL},
	{"tun dst addr", L_TUNNEL},
	{"fw event", L_EVENT},
	{"nat event", L_EVENT},
	{"username", L_USER},
	{"pk Interval", L_PACKET_INTERVAL},
	{"sp Interval", L_SPACE_INTERVAL},
	{"in payload", L_UNTRUSTED},
	{"out payload", L_UNTRUSTED},
};

/* Both magics of the file header: 0xA50C in the byte order of the collector, then the layout version 1 or 2.
 */
static int probe(struct dm_sv head, const char *name)
{
	(void)name;
	if (head.n < 4)
		return 0;
	const uint8_t *p = (const uint8_t *)head.p;

	if (p[0] == 0x0c && p[1] == 0xa5 && (p[2] == 1 || p[2] == 2) && p[3] == 0)
		return 95;
	return p[0] == 0xa5 && p[1] == 0x0c && p[2] == 0 && (p[3] == 1 || p[3] == 2) ? 95 : 0;
}

static enum label find_label(struct dm_sv name)
{
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (name.p[0] == labels[i].name[0] && dm_sv_is(name, labels[i].name))
			return labels[i].label;
	return L_OTHER;
}

/* "   52324", "0x02 ......S.", "12 [2018-..": the number in front. */
static bool number(struct dm_sv s, int64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	bool hex = s.n > 2 && s.p[0] == '0' && s.p[1] == 'x';

	for (i = hex ? 2 : 0; i < s.n; i++) {
		int d = s.p[i] >= '0' && s.p[i] <= '9'		? s.p[i] - '0'
			: hex && s.p[i] >= 'a' && s.p[i] <= 'f' ? s.p[i] - 'a' + 10
								: -1;

		if (d < 0)
			break;
		if (v > (uint64_t)INT64_MAX / 16 - 16)
			return false;
		v = v * (hex ? 16 : 10) + (unsigned)d;
	}
	*ret = (int64_t)v;
	return i > (hex ? 2u : 0u);
}

/* An address, perhaps with a place name behind it: "192.0.2.1: Berlin". */
static bool address(struct dm_sv s, struct dm_ip *ret)
{
	size_t end = dm_sv_find(s, ' ');

	if (end != SIZE_MAX)
		s.n = end;
	if (s.n && s.p[s.n - 1] == ':' && dm_sv_find(s, '.') != SIZE_MAX)
		s.n--;
	return dm_ip_parse(s, ret);
}

static bool is_any(const struct dm_ip *ip)
{
	static const struct dm_ip any6;

	return dm_ip_is4(ip) ? dm_ip_v4(ip) == 0 : memcmp(ip, &any6, sizeof any6) == 0;
}

static uint8_t copy(char *to, size_t max, struct dm_sv s)
{
	size_t n = s.n < max ? s.n : max;

	memcpy(to, s.p, n);
	return (uint8_t)n;
}

static void set_flags(struct flow *f, struct dm_sv value)
{
	f->event = memmem(value.p, value.n, "EVENT", 5);
	/* "Unsampled" ends in the same letters. */
	f->sampled = value.n > 8 && memmem(value.p, value.n, " Sampled", 8);
}

static void set_field(struct flow *f, enum label l, struct dm_sv value)
{
	size_t colon;

	switch (l) {
	case L_OTHER:
	case L_COUNT:
		return;
	case L_FLAGS:
		set_flags(f, value);
		return;
	case L_ICMP:
		if (!number(value, &f->v[L_ICMP]))
			return;
		f->v[L_ICMP] <<= 8;
		colon = dm_sv_find(value, '.');
		int64_t code = 0;

		if (colon != SIZE_MAX && number(dm_sv_from(value, colon + 1), &code))
			f->v[L_ICMP] |= code & 0xff;
		break;
	case L_SRC_ADDR:
	case L_DST_ADDR:
	case L_NEXT_HOP:
	case L_EXPORTER:
	case L_SRC_NAT:
	case L_DST_NAT:
		if (!address(value, &f->ip[l]))
			return;
		break;
	case L_TUNNEL:
		if (f->tunnels < 2 && address(value, &f->tunnel[f->tunnels]))
			f->tunnels++;
		return;
	case L_SRC_MAC:
	case L_DST_MAC:
		if (value.n != 17 || dm_sv_is(value, "00:00:00:00:00:00"))
			return;
		memcpy(f->mac[l == L_DST_MAC], value.p, 17);
		break;
	case L_EVENT:
		colon = dm_sv_find(value, ':');
		f->action_n = copy(f->action, sizeof f->action,
				   dm_sv_trim(colon == SIZE_MAX ? value : dm_sv_from(value, colon + 1)));
		return;
	case L_USER:
		f->user_n = copy(f->user, sizeof f->user, value);
		f->deaf = true;
		return;
	case L_UNTRUSTED:
		f->deaf = true;
		return;
	default:
		if (!number(value, &f->v[l]))
			return;
	}
	f->has |= 1ull << l;
}

static bool has(const struct flow *f, enum label l)
{
	return f->has >> l & 1;
}

static void put_int(struct dm_record *r, const struct flow *f, enum label l, enum dm_field field, bool zero)
{
	if (has(f, l) && (zero || f->v[l]))
		dm_record_int(r, field, f->v[l]);
}

static void put_ip(struct dm_record *r, const struct flow *f, enum label l, enum dm_field field)
{
	if (has(f, l) && !is_any(&f->ip[l]))
		dm_record_ip(r, field, &f->ip[l]);
}

static void put_as(struct dm_record *r, const struct flow *f, enum label l, enum dm_field field, char buf[24])
{
	if (has(f, l) && f->v[l]) {
		int n = snprintf(buf, 24, "AS%" PRId64, f->v[l]);

		dm_record_text(r, field, dm_sv(buf, (size_t)n));
	}
}

/* What an address was translated to: said only where it was. */
static void put_nat(struct dm_record *r, const struct flow *f, bool dst)
{
	enum label addr = dst ? L_DST_ADDR : L_SRC_ADDR, nat = dst ? L_DST_NAT : L_SRC_NAT;
	enum label port = dst ? L_DST_PORT : L_SRC_PORT, nat_port = dst ? L_DST_NAT_PORT : L_SRC_NAT_PORT;
	bool moved = has(f, nat) && !is_any(&f->ip[nat]) &&
		     memcmp(&f->ip[nat], &f->ip[addr], sizeof f->ip[nat]) != 0;
	bool renumbered = has(f, nat_port) && has(f, port) && f->v[nat_port] && f->v[nat_port] != f->v[port];

	if (!moved && !renumbered)
		return;
	put_ip(r, f, nat, dst ? DM_F_DST_NAT_IP : DM_F_SRC_NAT_IP);
	put_int(r, f, nat_port, dst ? DM_F_DST_NAT_PORT : DM_F_SRC_NAT_PORT, false);
}

static void put_proto(struct dm_record *r, const struct flow *f)
{
	const char *name = dm_proto_name((uint8_t)f->v[L_PROTO]);

	if (name)
		dm_record_text(r, DM_F_TRANSPORT, dm_sv_str(name));
	else
		dm_record_int(r, DM_F_IP_PROTO, f->v[L_PROTO]);
	if (f->v[L_PROTO] == DM_PROTO_TCP)
		put_int(r, f, L_TCP_FLAGS, DM_F_TCP_FLAGS, true);
	if (has(f, L_ICMP)) {
		dm_record_int(r, DM_F_ICMP_TYPE, f->v[L_ICMP] >> 8);
		dm_record_int(r, DM_F_ICMP_CODE, f->v[L_ICMP] & 0xff);
	}
}

static void put_routing(struct dm_record *r, const struct flow *f, char as[2][24])
{
	put_int(r, f, L_INPUT, DM_F_IF_IN, false);
	put_int(r, f, L_OUTPUT, DM_F_IF_OUT, false);
	put_as(r, f, L_SRC_AS, DM_F_SRC_AS, as[0]);
	put_as(r, f, L_DST_AS, DM_F_DST_AS, as[1]);
	put_int(r, f, L_SRC_VLAN, DM_F_VLAN, false);
	put_ip(r, f, L_NEXT_HOP, DM_F_NEXT_HOP);
	put_ip(r, f, L_EXPORTER, DM_F_EXPORTER_IP);
	if (has(f, L_SRC_MAC))
		dm_record_text(r, DM_F_SRC_MAC, dm_sv(f->mac[0], 17));
	if (has(f, L_DST_MAC))
		dm_record_text(r, DM_F_DST_MAC, dm_sv(f->mac[1], 17));
	for (unsigned i = 0; i < f->tunnels; i++)
		dm_record_ip(r, DM_F_IP, &f->tunnel[i]);
}

/* Milliseconds since 1970 to microseconds; 0 and what no clock shows is no time. */
static int64_t moment(const struct flow *f, enum label l)
{
	return has(f, l) && f->v[l] > 0 && f->v[l] < 253402300800000 ? f->v[l] * 1000 : DM_NO_TIME;
}

static int flow_end(struct run *run)
{
	struct flow *f = &run->f;
	struct dm_record *r = &run->rec;
	int64_t first, last;
	char as[2][24];

	if (!f->open)
		return 0;
	f->open = false;
	if (!has(f, L_SRC_ADDR) || !has(f, L_DST_ADDR))
		return run->sink->skip(run->sink, f->number, "flow record without addresses");
	first = moment(f, L_FIRST);
	last = moment(f, L_LAST);
	if (first == DM_NO_TIME)
		first = f->event ? moment(f, L_EVENT_TIME) : last;
	run->no_time += first == DM_NO_TIME;
	run->sampled += f->sampled;
	dm_record_start(r, DM_KIND_FLOW, first, f->number);
	dm_record_text(r, DM_F_DATASET, dm_sv_str("nfcapd.flow"));
	dm_record_ip(r, DM_F_SRC_IP, &f->ip[L_SRC_ADDR]);
	dm_record_ip(r, DM_F_DST_IP, &f->ip[L_DST_ADDR]);
	put_int(r, f, L_SRC_PORT, DM_F_SRC_PORT, true);
	put_int(r, f, L_DST_PORT, DM_F_DST_PORT, true);
	put_proto(r, f);
	if (first != DM_NO_TIME && last != DM_NO_TIME && last >= first) {
		dm_record_int(r, DM_F_DURATION, last - first);
		dm_record_int(r, DM_F_END, last);
	}
	put_int(r, f, L_IN_BYTES, DM_F_SRC_BYTES, true);
	put_int(r, f, L_OUT_BYTES, DM_F_DST_BYTES, true);
	put_int(r, f, L_IN_PACKETS, DM_F_SRC_PACKETS, true);
	put_int(r, f, L_OUT_PACKETS, DM_F_DST_PACKETS, true);
	put_routing(r, f, as);
	put_nat(r, f, false);
	put_nat(r, f, true);
	dm_record_text(r, DM_F_ACTION, dm_sv(f->action, f->action_n));
	dm_record_text(r, DM_F_USER_NAME, dm_sv(f->user, f->user_n));
	/* One in so many packets: those taken and those passed over for each of them. */
	if (has(f, L_PACKET_INTERVAL) && f->v[L_PACKET_INTERVAL] > 0 && f->v[L_SPACE_INTERVAL] < INT32_MAX)
		dm_record_int(r, DM_F_SAMPLING,
			      (f->v[L_PACKET_INTERVAL] + f->v[L_SPACE_INTERVAL]) / f->v[L_PACKET_INTERVAL]);
	return run->sink->record(run->sink, r);
}

/* A heading counts if the number behind it is the next one: nobody on the network can know it. */
static int flow_begin(struct run *run, struct dm_sv value)
{
	int64_t n = 0;
	uint64_t before = run->f.number;
	int r;

	if (!number(value, &n) || (uint64_t)n != before + 1)
		return 0;
	r = flow_end(run);
	run->f = (struct flow){.open = true, .number = before + 1};
	return r;
}

static int line(struct run *run, struct dm_sv s, bool *heading)
{
	struct dm_sv name, value;
	enum label l;
	bool after = *heading;

	*heading = dm_sv_starts(s, dm_sv_str("Flow Record:"));
	if (s.n < 17 || s.p[0] != ' ' || s.p[1] != ' ' || s.p[15] != '=' || s.p[16] != ' ')
		return 0;
	name = dm_sv_trim(dm_sv(s.p + 2, 13));
	if (!name.n)
		return 0;
	value = dm_sv_trim(dm_sv_from(s, 17));
	l = find_label(name);
	if (l == L_COUNT && after)
		return flow_begin(run, value);
	if (run->f.open && !run->f.deaf)
		set_field(&run->f, l, value);
	return 0;
}

static int put_facts(struct run *run)
{
	char text[160];
	int n, r = 0;

	if (run->sampled) {
		n = snprintf(text, sizeof text,
			     "%" PRIu64 " of %" PRIu64
			     " flows are sampled; their counts are already scaled up by the collector",
			     run->sampled, run->f.number);
		r = run->sink->meta(run->sink, "note", dm_sv(text, (size_t)n));
	}
	if (r == 0 && run->no_time) {
		n = snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " flows have no time", run->no_time,
			     run->f.number);
		r = run->sink->meta(run->sink, "note", dm_sv(text, (size_t)n));
	}
	return r;
}

static int run_import(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct run *run = dm_calloc(1, sizeof *run);
	bool heading = false;
	struct dm_sv s;
	int r, end;

	if (!run)
		return dm_fail(err, DM_ENOMEM, "no memory for flow records");
	run->sink = sink;
	run->in = in->stream;
	dm_record_init(&run->rec);
	do {
		r = dm_stream_line(in->stream, &s, err);
		if (r == 0)
			r = line(run, s, &heading);
		else if (r == DM_ELIMIT)
			r = 0; /* a line of payload */
	} while (r == 0);
	/* The decoder's end: what it said before counts, also where it was cut off. */
	if (r == DM_ENOENT || r == DM_EIO) {
		end = flow_end(run);
		if (end == 0)
			end = put_facts(run);
		r = end < 0 ? end : r == DM_ENOENT ? 0 : r;
	}
	dm_record_done(&run->rec);
	dm_free(run);
	return r;
}

/* -q: no summary. -C and -G none: no configuration and no place names of this machine. */
static const char *const decoder[] = {"nfdump", "-r", "/dev/stdin", "-q", "-N",	  "-o",
				      "raw",	"-C", "none",	    "-G", "none", NULL};

const struct dm_importer dm_import_nfcapd = {
	.name = "nfcapd",
	.title = "flow file of nfcapd",
	.gives = DM_EVIDENCE,
	.probe = probe,
	.run = run_import,
	.decoder = decoder,
};
