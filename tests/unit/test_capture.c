/* The capture reader as a whole: link layers, flows, states, timings, tunnels, broken packets, and real
 * captures. Expected values of those were taken with other programs (tshark, Zeek, Suricata). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/cur.h"
#include "base/limits.h"
#include "pcap_build.h"
#include "sink_recorder.h"

static struct recorder rec;
static struct pcap_build cap;

static int setup(void **state)
{
	(void)state;
	recorder_init(&rec);
	rec.keep = 20000;
	pcap_begin(&cap, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	recorder_done(&rec);
	pcap_done(&cap);
	return 0;
}

static int run(void)
{
	return recorder_run(&rec, &dm_import_pcap, "t.pcap", cap.file.p, cap.file.n, NULL);
}

/* The record with this pair; fails if there is none. */
static size_t with(const char *pair)
{
	for (size_t i = 0; i < rec.record_text.n; i++)
		if (recorder_has(&rec, i, pair))
			return i;
	fail_msg("no record with %s", pair);
	return 0;
}

static size_t count(const char *pair)
{
	size_t n = 0;

	for (size_t i = 0; i < rec.record_text.n; i++)
		n += recorder_has(&rec, i, pair);
	return n;
}

#define CLIENT                                                                                               \
	{                                                                                                    \
		"192.0.2.1", 40000, 1000                                                                     \
	}
#define SERVER                                                                                               \
	{                                                                                                    \
		"198.51.100.2", 8000, 9000                                                                   \
	}

static void test_flow(void **state)
{
	struct end c = CLIENT, s = SERVER;

	(void)state;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s, "12345");
	pcap_say(&cap, &s, &c, "1234567890");
	pcap_close(&cap, &c, &s);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 1);
	assert_true(recorder_has(&rec, 0, "source.ip=192.0.2.1"));
	assert_true(recorder_has(&rec, 0, "destination.ip=198.51.100.2"));
	assert_true(recorder_has(&rec, 0, "source.port=40000"));
	assert_true(recorder_has(&rec, 0, "destination.port=8000"));
	assert_true(recorder_has(&rec, 0, "network.transport=tcp"));
	assert_true(recorder_has(&rec, 0, "source.packets=5"));
	assert_true(recorder_has(&rec, 0, "destination.packets=3"));
	assert_true(recorder_has(&rec, 0, "source.bytes=205"));
	assert_true(recorder_has(&rec, 0, "destination.bytes=130"));
	assert_true(recorder_has(&rec, 0, "source.payload_bytes=5"));
	assert_true(recorder_has(&rec, 0, "destination.payload_bytes=10"));
	assert_true(recorder_has(&rec, 0, "network.connection.state=SF"));
	assert_true(recorder_has(&rec, 0, "network.connection.history=ShADdFf"));
	assert_true(recorder_has(&rec, 0, "event.duration=7000"));
	assert_true(recorder_has(&rec, 0, "event.id=p1"));
	assert_true(recorder_has(&rec, 0, "source.mac=02:00:00:00:00:01"));
	assert_non_null(strstr(recorder_record(&rec, 0), "flow|2014-05-13T16:53:20Z|1|"));
}

/* What Zeek's conn_state says of how a connection began and ended. */
static void test_states(void **state)
{
	static const struct {
		const char *name,
			*script; /* S: SYN, s: SYN-ACK, capitals from the client: A ack, F fin, R reset */
	} cases[] = {
		{"S0", "S"},	{"REJ", "Sr"},	  {"S1", "SsA"},    {"SF", "SsAFf"},  {"S2", "SsAF"},
		{"S3", "SsAf"}, {"RSTO", "SsAR"}, {"RSTR", "SsAr"}, {"RSTOS0", "SR"}, {"RSTRH", "sr"},
		{"SH", "SF"},	{"SHR", "sf"},	  {"OTH", "A"},	    {"SF", "SsAFfR"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct end c = {"192.0.2.1", (uint16_t)(40000 + i), 1}, s = SERVER;
		char want[64];

		recorder_clear(&rec);
		pcap_done(&cap);
		pcap_begin(&cap, 1);
		for (const char *p = cases[i].script; *p; p++) {
			uint8_t flags = strchr("S", *p)	   ? DM_TCP_SYN
					: *p == 's'	   ? DM_TCP_SYN | DM_TCP_ACK
					: strchr("Ff", *p) ? DM_TCP_FIN | DM_TCP_ACK
					: strchr("Rr", *p) ? DM_TCP_RST
							   : DM_TCP_ACK;

			if (*p >= 'a')
				pcap_tcp(&cap, &s, &c, flags, NULL, 0);
			else
				pcap_tcp(&cap, &c, &s, flags, NULL, 0);
		}
		assert_int_equal(run(), 0);
		assert_int_equal(rec.records, 1);
		snprintf(want, sizeof want, "network.connection.state=%s", cases[i].name);
		if (!recorder_has(&rec, 0, want))
			fail_msg("%s: %s", cases[i].script, recorder_record(&rec, 0));
		/* Whoever answered was asked. */
		assert_true(recorder_has(&rec, 0, "destination.port=8000"));
	}
}

/* Values published with the community id specification. */
static void test_community_id(void **state)
{
	struct end a = {"128.232.110.120", 34855, 1}, b = {"66.35.250.204", 80, 1};
	struct end d = {"192.168.1.52", 54585, 0}, e = {"8.8.8.8", 53, 0};

	(void)state;
	pcap_tcp(&cap, &a, &b, DM_TCP_SYN, NULL, 0);
	pcap_udp(&cap, &d, &e, "x", 1);
	pcap_ip(&cap, "192.168.0.89", "192.168.0.1", DM_PROTO_ICMP, "\x08\x00\x00\x00", 4);
	pcap_ip(&cap, "192.168.0.1", "192.168.0.89", DM_PROTO_ICMP, "\x00\x00\x00\x00", 4);
	assert_int_equal(run(), 0);
	assert_int_equal(count("network.community_id=1:LQU9qZlK+B5F3KDmev6m5PMibrg="), 1);
	assert_int_equal(count("network.community_id=1:d/FP5EW3wiY1vCndhwleRRKHowQ="), 1);
	assert_int_equal(count("network.community_id=1:X0snYXpgwiv9TZtqg64sgzUn6Dk="), 1);
	/* Echo and reply are one flow. */
	size_t i = with("network.transport=icmp");
	assert_true(recorder_has(&rec, i, "source.packets=1") &&
		    recorder_has(&rec, i, "destination.packets=1"));
	assert_true(recorder_has(&rec, i, "icmp.type=8") && recorder_has(&rec, i, "source.ip=192.168.0.89"));
}

static void test_timeouts(void **state)
{
	struct end a = CLIENT, b = SERVER;

	(void)state;
	/* Datagrams: a minute of silence begins another flow, 59 seconds do not. */
	pcap_udp(&cap, &a, &b, "x", 1);
	cap.clock += 59000000;
	pcap_udp(&cap, &b, &a, "x", 1);
	cap.clock += 61000000;
	pcap_udp(&cap, &a, &b, "x", 1);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 2);
	assert_true(recorder_has(&rec, 0, "destination.packets=1") &&
		    recorder_has(&rec, 1, "destination.packets=0"));
	assert_true(recorder_has(&rec, 0, "event.id=p1") && recorder_has(&rec, 1, "event.id=p3"));
}

static void test_clock_backwards(void **state)
{
	struct end a = CLIENT, b = SERVER;

	(void)state;
	pcap_udp(&cap, &a, &b, "x", 1);
	cap.clock -= 86400ll * 1000000;
	pcap_udp(&cap, &b, &a, "x", 1);
	pcap_udp(&cap, &a, &b, "x", 1);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 1);
	assert_non_null(strstr(recorder_record(&rec, 0), "flow|2014-05-12T16:53:20.001"));
	assert_true(recorder_has(&rec, 0, "source.packets=2"));
}

static void test_port_reuse(void **state)
{
	struct end c = CLIENT, s = SERVER;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		pcap_open(&cap, &c, &s);
		pcap_close(&cap, &c, &s);
	}
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 2);
	assert_int_equal(count("network.connection.state=SF"), 2);
}

static struct dm_value timings_seen;
static uint8_t timings_bytes[DM_MAX_VALUE];

static int keep_timings(struct dm_sink *s, const struct dm_record *r)
{
	(void)s;
	for (uint32_t i = 0; i < r->count; i++)
		if (r->v[i].field == DM_F_TIMINGS) {
			timings_seen = r->v[i];
			assert_true(r->v[i].text.n <= sizeof timings_bytes);
			memcpy(timings_bytes, r->v[i].text.p, r->v[i].text.n);
		}
	return 0;
}

static void run_timings(void)
{
	struct dm_import_input in = {.timings = true};

	timings_seen = (struct dm_value){0};
	rec.sink.record = keep_timings;
	assert_int_equal(recorder_run(&rec, &dm_import_pcap, "t.pcap", cap.file.p, cap.file.n, &in), 0);
}

static void test_timings(void **state)
{
	struct end c = CLIENT, s = SERVER;
	struct dm_cur t;

	(void)state;
	pcap_open(&cap, &c, &s); /* no payload: three packets that leave no entry */
	pcap_say(&cap, &c, &s, "12345");
	cap.clock += 500000;
	pcap_say(&cap, &s, &c, "1234567890");
	cap.clock -= 300000; /* backwards: written as no time at all */
	pcap_say(&cap, &s, &c, "123");
	run_timings();
	t = dm_cur(timings_bytes, timings_seen.text.n);
	assert_int_equal(dm_cur_varint(&t), 3000); /* from the start of the flow to the first entry */
	assert_int_equal(dm_cur_varint(&t), 0 << 1 | 0);
	assert_int_equal(dm_cur_varint(&t), 5);
	assert_int_equal(dm_cur_varint(&t), 501000 << 1 | 1);
	assert_int_equal(dm_cur_varint(&t), 10);
	assert_int_equal(dm_cur_varint(&t), 0 << 1 | 1);
	assert_int_equal(dm_cur_varint(&t), 3);
	assert_int_equal(dm_cur_left(&t), 0);
}

static void test_timings_bound(void **state)
{
	struct end a = CLIENT, b = SERVER;
	size_t entries = 0;
	struct dm_cur t;
	uint64_t delta, len = 1;

	(void)state;
	for (unsigned i = 0; i < 40000; i++)
		pcap_udp(&cap, &a, &b, "x", 1);
	run_timings();
	assert_true(timings_seen.text.n <= DM_MAX_VALUE && timings_seen.text.n > DM_MAX_VALUE - 64);
	t = dm_cur(timings_bytes, timings_seen.text.n);
	dm_cur_varint(&t);
	for (delta = 1; dm_cur_left(&t); entries++) {
		delta = dm_cur_varint(&t);
		len = dm_cur_varint(&t);
	}
	assert_false(t.bad);
	assert_int_equal(delta, 0); /* the marker */
	assert_int_equal(len, 0);
	assert_true(entries > 16000 && entries < 40000);
}

static void test_off_by_default(void **state)
{
	struct end a = CLIENT, b = SERVER;

	(void)state;
	pcap_udp(&cap, &a, &b, "x", 1);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.field[DM_F_TIMINGS], 0);
}

/* One more flow than is tracked: the one that was silent longest is written, none is lost. */
static uint64_t rows, first_line, batches_back;
static uint64_t last_line;

static int count_rows(struct dm_sink *s, const struct dm_record *r)
{
	(void)s;
	if (!rows++)
		first_line = r->line;
	batches_back += r->line < last_line;
	last_line = r->line;
	return 0;
}

static void flood(unsigned flows)
{
	uint8_t f[28] = {0x45, 0, 0,   28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0,
			 0,    0, 192, 0,  2, 1, 0, 0, 0,  9,  0, 8, 0,	 0};

	pcap_done(&cap);
	pcap_begin(&cap, 101); /* raw IP */
	for (unsigned i = 0; i < flows; i++) {
		f[13] = (uint8_t)(i >> 16);
		f[14] = (uint8_t)(i >> 8);
		f[15] = (uint8_t)i;
		pcap_frame(&cap, f, sizeof f, 0);
		cap.clock -= 1000; /* all at one time: none expires */
	}
	rows = last_line = batches_back = 0;
	rec.sink.record = count_rows;
	assert_int_equal(run(), 0);
}

static void test_flow_bound(void **state)
{
	(void)state;
	flood(DM_MAX_FLOWS);
	assert_int_equal(rows, DM_MAX_FLOWS);
	assert_int_equal(batches_back, 0); /* none was written early: all in order */
	flood(DM_MAX_FLOWS + 1);
	assert_int_equal(rows, DM_MAX_FLOWS + 1);
	assert_int_equal(first_line, 1);
}

static void test_truncated_payload(void **state)
{
	uint8_t f[60] = {0x02, 0, 0,	0,    0, 2, 2,	  0,	0,    0,    0,	  1,	8,   0,
			 0x45, 0, 0x05, 0xdc, 0, 0, 0,	  0,	64,   17,   0,	  0,	192, 0,
			 2,    1, 192,	0,    2, 2, 0x9c, 0x40, 0x1f, 0x40, 0x05, 0xc8, 0,   0};

	(void)state;
	pcap_frame(&cap, f, sizeof f, 1514); /* a snap length of 60 */
	assert_int_equal(run(), 0);
	assert_true(recorder_has(&rec, 0, "source.bytes=1500"));
	assert_true(recorder_has(&rec, 0, "source.payload_bytes=1472"));
}

static void test_link_types(void **state)
{
	struct end a = CLIENT, b = SERVER;
	struct dm_buf ip, f;
	static const struct {
		int type;
		const char *head;
		size_t n;
	} cases[] = {
		{101, "", 0},
		{228, "", 0},
		{0, "\x02\x00\x00\x00", 4},
		{108, "\x00\x00\x00\x02", 4},
		{113, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00\x08\x00", 16},
		{276, "\x08\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00", 20},
		{9, "\xff\x03\x00\x21", 4},
		{50, "\x00\x21", 2},
		{51, "\x11\x00\x00\x01\x00\x26\x00\x21", 8},
		{104, "\x0f\x00\x08\x00", 4},
		{105,
		 "\x08\x01\x00\x00\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x03"
		 "\x00\x00\xaa\xaa\x03\x00\x00\x00\x08\x00",
		 32},
		{127,
		 "\x00\x00\x08\x00\x00\x00\x00\x00\x88\x02\x00\x00\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00"
		 "\x00\x01\x02\x00\x00\x00\x00\x03\x00\x00"
		 "\x00\x00\xaa\xaa\x03\x00\x00\x00\x08\x00",
		 42},
		{1,
		 "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x88\xa8\x00\x64\x81\x00\x00\x0a\x08\x00",
		 22},
		{1,
		 "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x88\x64\x11\x00\x00\x01\x00\x26\x00\x21",
		 22},
		{1,
		 "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x88\x47\x00\x01\x00\xff\x00\x02\x01\xff",
		 22},
		{1,
		 "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x00\x30\xaa\xaa\x03\x00\x00\x00\x08\x00",
		 22},
	};

	(void)state;
	dm_buf_init(&ip, 1000);
	dm_buf_init(&f, 1000);
	put_udp(&f, a.port, b.port, "x", 1);
	put_ip_packet(&ip, a.ip, b.ip, DM_PROTO_UDP, f.p, f.n);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pcap_done(&cap);
		pcap_begin(&cap, cases[i].type);
		recorder_clear(&rec);
		dm_buf_clear(&f);
		dm_buf_put(&f, cases[i].head, cases[i].n);
		dm_buf_sv(&f, dm_buf_view(&ip));
		pcap_frame(&cap, f.p, f.n, 0);
		assert_int_equal(run(), 0);
		if (rec.records != 1 || !recorder_has(&rec, 0, "destination.port=8000"))
			fail_msg("link type %d, case %zu", cases[i].type, i);
		/* Cut anywhere, it is a note and not a crash. */
		for (size_t n = 0; n < f.n; n++) {
			pcap_done(&cap);
			pcap_begin(&cap, cases[i].type);
			pcap_frame(&cap, f.p, n, f.n);
			recorder_clear(&rec);
			assert_int_equal(run(), 0);
		}
	}
	dm_buf_done(&ip);
	dm_buf_done(&f);
	pcap_done(&cap);
	pcap_begin(&cap, 147); /* reserved for private use */
	recorder_clear(&rec);
	assert_int_equal(run(), DM_EUNSUPPORTED);
	assert_non_null(strstr(rec.err.msg, "147"));
}

static void tunnel(const char *name, uint8_t proto, const void *p, size_t n)
{
	char want[64];

	recorder_clear(&rec);
	pcap_done(&cap);
	pcap_begin(&cap, 1);
	pcap_ip(&cap, "203.0.113.1", "203.0.113.2", proto, p, n);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 2);
	snprintf(want, sizeof want, "network.tunnel_parents=p1 %s", name);
	assert_int_equal(count(want), 1);
	size_t i = with(want);
	assert_true(recorder_has(&rec, i, "destination.port=8000") && recorder_has(&rec, i, "event.id=p1.1"));
	assert_int_equal(count("source.ip=203.0.113.1"), 1);
}

static void test_tunnels(void **state)
{
	static const char ethernet[] = "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00";
	struct dm_buf u, v4, v6, t, t2;

	(void)state;
	dm_buf_init(&u, 1000);
	dm_buf_init(&v4, 1000);
	dm_buf_init(&v6, 1000);
	dm_buf_init(&t, 1000);
	dm_buf_init(&t2, 1000);
	put_udp(&u, 40000, 8000, "x", 1);
	put_ip_packet(&v4, "192.0.2.1", "198.51.100.2", DM_PROTO_UDP, u.p, u.n);
	put_ip_packet(&v6, "2001:db8::1", "2001:db8::2", DM_PROTO_UDP, u.p, u.n);

	tunnel("ip", DM_PROTO_IPIP, v4.p, v4.n);
	tunnel("ip", DM_PROTO_IPV6, v6.p, v6.n);
	dm_buf_put(&t, "\xb0\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02",
		   16); /* checksum, key, sequence number */
	dm_buf_sv(&t, dm_buf_view(&v4));
	tunnel("gre", DM_PROTO_GRE, t.p, t.n);
	dm_buf_clear(&t);
	dm_buf_put(&t, "\x00\x00\x65\x58", 4);
	dm_buf_put(&t, ethernet, 14);
	dm_buf_sv(&t, dm_buf_view(&v4));
	tunnel("gre", DM_PROTO_GRE, t.p, t.n);
	dm_buf_clear(&t);
	dm_buf_put(&t, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8);
	dm_buf_put(&t, ethernet, 14);
	dm_buf_sv(&t, dm_buf_view(&v4));
	put_udp(&t2, 55555, 4789, t.p, t.n);
	tunnel("vxlan", DM_PROTO_UDP, t2.p, t2.n);
	dm_buf_clear(&t);
	dm_buf_clear(&t2);
	dm_buf_put(&t, "\x00\x01\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x11\x22\x33\x44\x55\x66",
		   21); /* authentication, origin */
	dm_buf_sv(&t, dm_buf_view(&v6));
	put_udp(&t2, 3544, 55555, t.p, t.n);
	tunnel("teredo", DM_PROTO_UDP, t2.p, t2.n);
	/* Between clients, any port: a Teredo address gives it away. */
	dm_buf_clear(&v6);
	dm_buf_clear(&t2);
	put_ip_packet(&v6, "2001:0:4136:e378::1", "2001:db8::2", DM_PROTO_UDP, u.p, u.n);
	put_udp(&t2, 44444, 55555, v6.p, v6.n);
	tunnel("teredo", DM_PROTO_UDP, t2.p, t2.n);

	dm_buf_done(&u);
	dm_buf_done(&v4);
	dm_buf_done(&v6);
	dm_buf_done(&t);
	dm_buf_done(&t2);
}

static void test_fragments(void **state)
{
	uint8_t f[42] = {0x45, 0, 0,   42, 0x12, 0x34, 0x20, 0,	   64,	 17,   0,    0,	   192, 0,
			 2,    1, 192, 0,  2,	 2,    0x9c, 0x40, 0x1f, 0x40, 0x05, 0xc8, 0,	0};

	(void)state;
	pcap_done(&cap);
	pcap_begin(&cap, 101);
	pcap_frame(&cap, f, sizeof f, 0);
	f[6] = 0; /* later: no header of UDP, only content, that looks like one */
	f[7] = 3;
	memset(f + 20, 0xff, 4);
	pcap_frame(&cap, f, sizeof f, 0);
	f[4] = 0x77; /* of a datagram whose beginning was not captured */
	pcap_frame(&cap, f, sizeof f, 0);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 2);
	assert_true(recorder_has(&rec, 0, "source.port=40000") && recorder_has(&rec, 0, "source.packets=2"));
	assert_int_equal(recorder_values(&rec, 1, "source.port"), 0);
}

static void test_ipv6_extensions(void **state)
{
	struct dm_buf p;

	(void)state;
	dm_buf_init(&p, 10000);
	/* Hop-by-hop, destination options, routing: then UDP. */
	dm_buf_put(&p,
		   "\x3c\x00\x01\x04\x00\x00\x00\x00\x2b\x00\x01\x04\x00\x00\x00\x00\x11\x00\x04\x00\x00\x00"
		   "\x00\x00",
		   24);
	put_udp(&p, 40000, 8000, "x", 1);
	pcap_ip(&cap, "2001:db8::1", "2001:db8::2", 0, p.p, p.n);
	/* A chain without an end. */
	dm_buf_clear(&p);
	for (unsigned i = 0; i < 500; i++)
		dm_buf_put(&p, "\x00\x00\x01\x04\x00\x00\x00\x00", 8);
	pcap_ip(&cap, "2001:db8::1", "2001:db8::2", 0, p.p, p.n);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 1);
	assert_true(recorder_has(&rec, 0, "destination.port=8000"));
	assert_int_equal(rec.skips, 1);
	assert_non_null(strstr(recorder_skip(&rec, 0), "too many IPv6 extension headers"));
	dm_buf_done(&p);
}

static void test_notes(void **state)
{
	static const uint8_t arp[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06};

	(void)state;
	pcap_frame(&cap, arp, sizeof arp, 0);
	pcap_frame(&cap, arp, sizeof arp, 0);
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 0);
	assert_int_equal(rec.skips, 0);
	assert_string_equal(recorder_meta(&rec, "note"), "2 of 2 packets are not IP: 2 ARP");
}

/* A capture that was cut off gives its packets and a note; damage in the middle gives the packets before it
 * and an error. */
static void test_cut_and_damaged(void **state)
{
	struct end a = CLIENT, b = SERVER;
	size_t one, two;

	(void)state;
	pcap_udp(&cap, &a, &b, "x", 1);
	one = cap.file.n;
	b.port++;
	pcap_udp(&cap, &a, &b, "x", 1);
	two = cap.file.n;
	for (size_t n = 0; n <= two; n++) {
		recorder_clear(&rec);
		int r = recorder_run(&rec, &dm_import_pcap, "t.pcap", cap.file.p, n, NULL);

		assert_int_equal(r, n < 24 ? DM_EFORMAT : 0);
		assert_int_equal(rec.records, n < one ? 0 : n < two ? 1 : 2);
		assert_int_equal(rec.skips, n > 24 && n != one && n != two);
	}
	memset(cap.file.p + one + 8, 0x7f, 8);
	for (unsigned i = 0; i < 100; i++)
		pcap_udp(&cap, &a, &b, "x", 1);
	recorder_clear(&rec);
	assert_int_equal(run(), DM_EFORMAT);
	assert_int_equal(rec.records, 1);
	assert_non_null(strstr(rec.err.msg, "behind packet 1"));
}

static void test_sink_failure(void **state)
{
	struct end a = CLIENT, b = SERVER;

	(void)state;
	for (unsigned i = 0; i < 10; i++, b.port++)
		pcap_udp(&cap, &a, &b, "x", 1);
	rec.fail_after = 3;
	assert_int_equal(run(), DM_EIO);
	assert_int_equal(rec.calls, 3);
}

/* pcapng: what the capturing machine says it lost. */
static void test_dropped(void **state)
{
	struct dm_buf f;

	(void)state;
	dm_buf_init(&f, 10000);
	dm_buf_put(&f,
		   "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff"
		   "\xff\xff\x1c\x00\x00\x00",
		   28);
	dm_buf_put(&f, "\x01\x00\x00\x00\x14\x00\x00\x00\x01\x00\x00\x00\x00\x00\x04\x00\x14\x00\x00\x00",
		   20);
	for (unsigned drops = 5; drops <= 7; drops += 2) { /* counters run up: the last block counts */
		dm_buf_put(&f,
			   "\x05\x00\x00\x00\x34\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
			   20);
		dm_buf_put(&f, "\x04\x00\x08\x00\xff\x00\x00\x00\x00\x00\x00\x00", 12); /* received */
		dm_buf_put(&f, "\x05\x00\x08\x00", 4);
		dm_buf_u64le(&f, drops);
		dm_buf_put(&f, "\x00\x00\x00\x00\x34\x00\x00\x00", 8);
	}
	assert_int_equal(recorder_run(&rec, &dm_import_pcap, "t.pcapng", f.p, f.n, NULL), 0);
	assert_string_equal(recorder_meta(&rec, "dropped"), "7");
	dm_buf_done(&f);
}

static void test_probe(void **state)
{
	static const char *const magic[] = {"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1",
					    "\xa1\xb2\x3c\x4d"};
	char head[24] = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		memcpy(head, magic[i], 4);
		assert_int_equal(dm_import_pcap.probe(dm_sv(head, 24), "x"), 100);
		assert_int_equal(dm_import_pcap.probe(dm_sv(head, 23), "x"), 0);
	}
	assert_int_equal(
		dm_import_pcap.probe(dm_sv_str("a text that is long enough to be a capture"), "x.pcap"), 0);
}

/* Every capture at hand, broken ones and all: an end, whichever. */
static void test_all_shared(void **state)
{
	static const char *const folders[] = {"data/pcap/tcpdump", "data/pcap/zeek",
					      "data/pcap/suricata-verify", "data/pcap/malicious"};
	unsigned files = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char path[512], list[600];
		char name[512];
		FILE *names;

		if (!recorder_shared(folders[i], path, sizeof path))
			skip();
		snprintf(list, sizeof list, "%s/../../MANIFEST.tsv", path);
		names = fopen(list, "r");
		if (!names)
			skip();
		while (fgets(name, sizeof name, names)) {
			char file[1200];
			struct dm_import_input in = {.timings = true};
			size_t n = strcspn(name, "\t");
			int r;

			name[n] = 0;
			if (strncmp(name, folders[i] + 5, strlen(folders[i] + 5)) != 0)
				continue;
			snprintf(file, sizeof file, "%s/../../%s", path, name);
			recorder_clear(&rec);
			rec.err = (struct dm_err){0};
			r = recorder_run_file(&rec, &dm_import_pcap, file, &in);
			if (r == DM_ENOENT)
				continue;
			files++;
			if (r != 0 && r != DM_EFORMAT && r != DM_EUNSUPPORTED)
				fail_msg("%s: %d %s", name, r, rec.err.msg);
			if (r != 0 && !rec.err.msg[0])
				fail_msg("%s: an error without words", name);
			if (r == 0 && !rec.records && !rec.skips && !rec.metas)
				print_message("%s: nothing at all in it\n", name);
		}
		fclose(names);
	}
	assert_true(files > 360);
}

/* Counts of flows and values, from `tshark -z conv,tcp -z conv,udp` and its fields, tests of Suricata for
 * JA4. */
static void test_real(void **state)
{
	static const struct {
		const char *file;
		unsigned flows, dns, http, tls, cert, login, mail;
		const char *pair[4];
	} cases[] = {
		{"data/pcap/zeek/http-get.pcap",
		 1,
		 0,
		 1,
		 0,
		 0,
		 0,
		 0,
		 {"url.full=http://bro.org/download/CHANGES.bro-aux.txt", "http.response.body.bytes=4705",
		  "network.connection.history=ShADadFf", "user_agent.original=Wget/1.14 (darwin12.2.0)"}},
		{"data/pcap/suricata-verify/ja4-tls-quic.pcap",
		 2,
		 0,
		 0,
		 2,
		 0,
		 0,
		 0,
		 {"tls.client.ja4=t13d1516h2_8daaf6152771_e5627efa2ab1",
		  "tls.client.ja4=q13d0310h3_55b375c5d22e_cd85d2d88918",
		  "tls.client.server_name=cloudflare-quic.com", "tls.version=TLSv13"}},
		{"data/pcap/zeek/tls-tls1.2.pcap",
		 1,
		 0,
		 0,
		 1,
		 3,
		 0,
		 0,
		 {"tls.version=TLSv12", NULL, NULL, NULL}},
		{"data/pcap/zeek/tunnels-vxlan-encapsulated-http.pcap",
		 2,
		 0,
		 1,
		 0,
		 0,
		 0,
		 0,
		 {"network.tunnel_parents=p1 vxlan", "url.full=http://eu.httpbin.org/image/svg", NULL, NULL}},
		{"data/pcap/suricata-verify/quic-retry.pcap",
		 1,
		 0,
		 0,
		 1,
		 0,
		 0,
		 0,
		 {"tls.server.ja3s=f4febc55ea12b31ae17cfb7e614afda8", NULL, NULL, NULL}},
		{"data/pcap/zeek/smtp.pcap",
		 9,
		 1,
		 0,
		 1,
		 2,
		 0,
		 2,
		 {"email.sender.address=gurpartap@patriots.in",
		  "email.recipient.address=raj_deol2002in@yahoo.co.in",
		  "email.subject=Re: Bro SMTP CC Header", "email.recipient.address=davis_mark1@outlook.com"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char path[512];

		if (!recorder_shared(cases[i].file, path, sizeof path))
			skip();
		recorder_clear(&rec);
		assert_int_equal(recorder_run_file(&rec, &dm_import_pcap, path, NULL), 0);
		assert_int_equal(rec.kind[DM_KIND_FLOW], cases[i].flows);
		assert_int_equal(rec.kind[DM_KIND_DNS], cases[i].dns);
		assert_int_equal(rec.kind[DM_KIND_HTTP], cases[i].http);
		assert_int_equal(rec.kind[DM_KIND_TLS], cases[i].tls);
		assert_int_equal(rec.kind[DM_KIND_CERT], cases[i].cert);
		assert_int_equal(rec.kind[DM_KIND_LOGIN], cases[i].login);
		assert_int_equal(rec.kind[DM_KIND_MAIL], cases[i].mail);
		for (unsigned k = 0; k < 4 && cases[i].pair[k]; k++)
			with(cases[i].pair[k]);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_flow),
		T(test_states),
		T(test_community_id),
		T(test_timeouts),
		T(test_clock_backwards),
		T(test_port_reuse),
		T(test_timings),
		T(test_timings_bound),
		T(test_off_by_default),
		T(test_flow_bound),
		T(test_truncated_payload),
		T(test_link_types),
		T(test_tunnels),
		T(test_fragments),
		T(test_ipv6_extensions),
		T(test_notes),
		T(test_cut_and_damaged),
		T(test_sink_failure),
		T(test_dropped),
		T(test_probe),
		T(test_all_shared),
		T(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
