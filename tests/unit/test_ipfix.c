/* IPFIX files: messages made here, and what real exporters sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "sink_recorder.h"

static struct recorder rec;
static struct dm_buf file;
static size_t message_at, set_at;

#define EXPORT_TIME 1500000000u

static int setup(void **state)
{
	(void)state;
	recorder_init(&rec);
	dm_buf_init(&file, 1u << 24);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	recorder_done(&rec);
	dm_buf_done(&file);
	return 0;
}

static void be(uint64_t v, unsigned n)
{
	while (n--)
		dm_buf_putc(&file, (char)(v >> 8 * n));
}

static void patch(size_t at, size_t v)
{
	file.p[at] = (char)(v >> 8);
	file.p[at + 1] = (char)v;
}

static void message(uint32_t domain)
{
	message_at = file.n;
	be(10, 2);
	be(0, 2);
	be(EXPORT_TIME, 4);
	be(0, 4);
	be(domain, 4);
}

static void set(unsigned id)
{
	set_at = file.n;
	be(id, 2);
	be(0, 2);
}

static void set_end(void)
{
	patch(set_at + 2, file.n - set_at);
	patch(message_at + 2, file.n - message_at);
}

/* A template of pairs (element, length); an element over 0x8000 is CERT's or, over 0x4000 as well, a reverse
 * one. */
static void template(unsigned id, const uint16_t (*e)[2], unsigned n, unsigned scope)
{
	set(scope ? 3 : 2);
	be(id, 2);
	be(n, 2);
	if (scope)
		be(scope, 2);
	for (unsigned i = 0; i < n; i++) {
		bool reverse = e[i][0] & 0x4000, cert = e[i][0] & 0x8000;

		be((e[i][0] & 0x3fff) | (reverse || cert ? 0x8000 : 0), 2);
		be(e[i][1], 2);
		if (reverse)
			be(29305, 4); /* RFC 5103 s.6.1 */
		else if (cert)
			be(6871, 4);
	}
	set_end();
}

#define TEMPLATE(id, ...)                                                                                    \
	template(id, (const uint16_t[][2]){__VA_ARGS__},                                                     \
		 sizeof((const uint16_t[][2]){__VA_ARGS__}) / sizeof(uint16_t[2]), 0)

static int run(void)
{
	return recorder_run(&rec, &dm_import_ipfix, "x.ipfix", file.p, file.n, NULL);
}

static void has(size_t i, const char *pair)
{
	if (!recorder_has(&rec, i, pair))
		fail_msg("no %s in %s", pair, recorder_record(&rec, i));
}

/* IPv4, times in milliseconds, counters shorter than their type (RFC 7011 s.6.2), both directions (RFC 5103).
 */
static void test_biflow(void **state)
{
	(void)state;
	message(1);
	TEMPLATE(256, {8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {152, 8}, {153, 8}, {1, 4}, {2, 3},
		 {0x4001, 4}, {0x4002, 2}, {6, 1}, {10, 4}, {14, 4}, {16, 4}, {17, 4}, {15, 4}, {58, 2},
		 {56, 6}, {80, 6});
	set(256);
	be(0xc0000201, 4);
	be(0xc6336402, 4);
	be(40000, 2);
	be(443, 2);
	be(6, 1);
	be(1499999990123ull, 8);
	be(1499999995623ull, 8);
	be(70000, 4);
	be(70, 3);
	be(1234, 4);
	be(12, 2);
	be(0x1b, 1);
	be(3, 4);
	be(4, 4);
	be(64500, 4);
	be(4200000000u, 4);
	be(0xcb007101, 4);
	be(100, 2);
	be(0x001122334455, 6);
	be(0, 6);
	set_end();
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 1);
	assert_string_equal(recorder_record(&rec, 0),
			    "flow|2017-07-14T02:39:50.123000Z|1|event.dataset=ipfix.flow|source.ip=192.0.2.1|"
			    "destination.ip=198.51.100.2|source.port=40000|"
			    "destination.port=443|network.transport=tcp|network.tcp_flags=27|event.duration="
			    "5500000|event.end=2017-07-14T02:39:55.623000Z|"
			    "source.bytes=70000|destination.bytes=1234|source.packets=70|destination.packets="
			    "12|observer.ingress.interface.id=3|"
			    "observer.egress.interface.id=4|network.vlan.id=100|source.as.number=AS64500|"
			    "destination.as.number=AS4200000000|"
			    "source.mac=00:11:22:33:44:55|network.next_hop.ip=203.0.113.1");
	assert_int_equal(rec.skips, 0);
}

/* One record a way of saying when. */
static void test_times(void **state)
{
	static const uint16_t ways[][3] = {
		/* start, end, length */
		{150, 151, 4}, {152, 153, 8}, {154, 155, 8}, {156, 157, 8}, {158, 159, 4},
	};
	/* 10 and 5 seconds before the message, in each. NTP's fraction 0x80000000 is a half. */
	static const uint64_t start[] = {1499999990, 1499999990500ull,
					 (1499999990ull + 2208988800ull) << 32 | 0x80000000u,
					 (1499999990ull + 2208988800ull) << 32 | 0x80000000u, 9500000};
	static const uint64_t end[] = {1499999995, 1499999995500ull,
				       (1499999995ull + 2208988800ull) << 32 | 0x80000000u,
				       (1499999995ull + 2208988800ull) << 32 | 0x80000000u, 4500000};

	(void)state;
	message(1);
	for (unsigned i = 0; i < 5; i++) {
		TEMPLATE(300 + i, {8, 4}, {12, 4}, {ways[i][0], ways[i][2]}, {ways[i][1], ways[i][2]});
		set(300 + i);
		be(0xc0000201, 4);
		be(0xc0000202, 4);
		be(start[i], ways[i][2]);
		be(end[i], ways[i][2]);
		set_end();
	}
	/* Since boot, and when that was; since boot alone: then it is the message's time that is known. */
	TEMPLATE(310, {8, 4}, {12, 4}, {22, 4}, {21, 4}, {160, 8});
	set(310);
	be(0xc0000201, 4);
	be(0xc0000202, 4);
	be(500, 4);
	be(5500, 4);
	be(1499999990000ull, 8);
	set_end();
	TEMPLATE(311, {8, 4}, {12, 4}, {22, 4}, {21, 4});
	set(311);
	be(0xc0000201, 4);
	be(0xc0000202, 4);
	be(500, 4);
	be(5500, 4);
	set_end();
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 7);
	for (unsigned i = 0; i < 7; i++) {
		const char *want = i == 0   ? "flow|2017-07-14T02:39:50Z"
				   : i == 6 ? "flow|2017-07-14T02:39:55Z"
					    : "flow|2017-07-14T02:39:50.5";

		if (strncmp(recorder_record(&rec, i), want, strlen(want)) != 0)
			fail_msg("%u: %s", i, recorder_record(&rec, i));
		has(i, "event.duration=5000000");
	}
	assert_non_null(strstr(recorder_meta(&rec, "note"), "1 of 7 flows have no time of their own"));
}

static void test_nat_and_text(void **state)
{
	static const char host[] = "c2.example";

	(void)state;
	message(1);
	TEMPLATE(256, {8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {323, 8}, {225, 4}, {226, 4}, {227, 2},
		 {228, 2}, {230, 1}, {460, 65535}, {96, 8}, {0x8021, 2});
	set(256);
	be(0x0a000005, 4);
	be(0xcb007150, 4);
	be(4000, 2);
	be(80, 2);
	be(6, 1);
	be(1499999990000ull, 8);
	be(0xc6336407, 4);
	be(0xcb007150, 4);
	be(61000, 2);
	be(80, 2);
	be(4, 1);
	be(sizeof host - 1, 1);
	dm_buf_put(&file, host, sizeof host - 1);
	dm_buf_put(&file, "web\0\0\0\0\0", 8);
	be(80, 2);
	set_end();
	assert_int_equal(run(), 0);
	has(0, "source.nat.ip=198.51.100.7");
	has(0, "source.nat.port=61000");
	assert_int_equal(recorder_values(&rec, 0, "destination.nat.ip"), 0);
	has(0, "event.action=nat44-create");
	has(0, "url.domain=c2.example");
	has(0, "network.protocol=http");
	assert_non_null(strstr(recorder_record(&rec, 0), "flow|2017-07-14T02:39:50Z"));
}

static void test_ipv6_icmp(void **state)
{
	(void)state;
	message(1);
	TEMPLATE(256, {27, 16}, {28, 16}, {4, 1}, {139, 2}, {150, 4}, {85, 8}, {86, 8}, {62, 16});
	set(256);
	be(0x20010db800000000ull, 8);
	be(1, 8);
	be(0x20010db800000000ull, 8);
	be(2, 8);
	be(58, 1);
	be(0x8007, 2);
	be(EXPORT_TIME, 4);
	be(1000, 8);
	be(10, 8);
	be(0x20010db800000000ull, 8);
	be(0xff, 8);
	set_end();
	assert_int_equal(run(), 0);
	has(0, "source.ip=2001:db8::1");
	has(0, "icmp.type=128");
	has(0, "icmp.code=7");
	has(0, "source.bytes=1000");
	has(0, "network.next_hop.ip=2001:db8::ff");
}

/* Elements of odd lengths: shorter and longer than their type, numbers and text of a length of their own;
 * each is read or left out, and none spoils the rest. */
static void test_lengths(void **state)
{
	(void)state;
	message(1);
	TEMPLATE(256, {8, 4}, {12, 4}, {150, 4}, {10, 1}, {14, 8}, {58, 4}, {1, 65535}, {96, 600},
		 {371, 65535}, {460, 3});
	set(256);
	be(0xc0000201, 4);
	be(0xc0000202, 4);
	be(EXPORT_TIME, 4);
	be(200, 1);
	be(7, 8);
	be(100, 4);
	be(2, 1);
	be(1000, 2);
	for (unsigned i = 0; i < 75; i++)
		be(0x4141414141414141ull, 8);
	be(255, 1); /* the long form of a length (RFC 7011 s.7) */
	be(5, 2);
	dm_buf_put(&file, "alice", 5);
	dm_buf_put(&file, "a.b", 3);
	set_end();
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 1);
	has(0, "observer.ingress.interface.id=200");
	has(0, "observer.egress.interface.id=7");
	has(0, "network.vlan.id=100");
	has(0, "user.name=alice");
	has(0, "url.domain=a.b");
	assert_int_equal(recorder_values(&rec, 0, "source.bytes"), 0);
	assert_int_equal(recorder_values(&rec, 0, "network.protocol"), 0);
}

/* A template without a length: its set holds any number of records. The next message is read. */
static void test_endless(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		message(1);
		TEMPLATE(256, {8, 4}, {12, 4}, {150, 4});
		if (i == 0) {
			TEMPLATE(257, {210, 0});
			set(257);
			be(0, 8);
			set_end();
		}
		set(256);
		be(0xc0000201, 4);
		be(0xc0000202, 4);
		be(EXPORT_TIME, 4);
		set_end();
	}
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 1);
	assert_int_equal(rec.skips, 1);
}

/* Options say how an exporter samples; another domain does not. */
static void test_sampling(void **state)
{
	(void)state;
	for (unsigned domain = 1; domain <= 2; domain++) {
		message(domain);
		if (domain == 1) {
			template(400, (const uint16_t[][2]){{149, 4}, {305, 4}, {306, 4}}, 3, 1);
			set(400);
			be(1, 4);
			be(1, 4);
			be(999, 4);
			set_end();
		}
		TEMPLATE(256, {8, 4}, {12, 4}, {150, 4});
		set(256);
		be(0xc0000201, 4);
		be(0xc0000202, 4);
		be(EXPORT_TIME, 4);
		set_end();
	}
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 2);
	assert_string_equal(recorder_meta(&rec, "sampling"), "1000");
	has(0, "network.sampling=1000");
	assert_int_equal(recorder_values(&rec, 1, "network.sampling"), 0);
}

static void test_broken(void **state)
{
	size_t whole;

	(void)state;
	message(1);
	TEMPLATE(256, {8, 4}, {12, 4}, {150, 4});
	set(999); /* nobody described it */
	be(1, 4);
	set_end();
	set(256);
	be(0xc0000201, 4);
	be(0xc0000202, 4);
	be(EXPORT_TIME, 4);
	set_end();
	TEMPLATE(257, {4, 1}, {150, 4}); /* no addresses */
	set(257);
	be(6, 1);
	be(EXPORT_TIME, 4);
	set_end();
	whole = file.n;
	assert_int_equal(run(), 0);
	assert_int_equal(rec.records, 1);
	assert_int_equal(rec.skips, 2);
	/* Cut off: a note, as of any file that was being written. */
	for (size_t n = 0; n < whole; n++) {
		int r;

		recorder_clear(&rec);
		rec.err = (struct dm_err){0};
		r = recorder_run(&rec, &dm_import_ipfix, "x", file.p, n, NULL);
		assert_int_equal(r, 0);
		assert_int_equal(rec.records, 0);
		assert_int_equal(rec.skips, n > 0);
	}
	for (size_t i = 0; i < whole; i++) {
		char old = file.p[i];
		int r;

		file.p[i] = (char)~old;
		r = run();
		assert_true(r == 0 || r == DM_EFORMAT);
		file.p[i] = old;
	}
}

static void test_probe(void **state)
{
	(void)state;
	message(1);
	TEMPLATE(256, {8, 4}, {12, 4}, {150, 4});
	assert_true(dm_import_ipfix.probe(dm_buf_view(&file), "x") > 80);
	file.p[1] = 9; /* NetFlow 9 has no file format */
	assert_int_equal(dm_import_ipfix.probe(dm_buf_view(&file), "x"), 0);
	assert_int_equal(dm_import_ipfix.probe(dm_sv_str("\0\nSome text after a NUL and a line end"), "x"),
			 0);
}

/* What real exporters sent, put end to end; counts of data records by tshark. */
static void test_real(void **state)
{
	static const struct {
		const char *files[4];
		unsigned records;
		const char *pair;
	} cases[] = {
		{{"ipfix.dat"}, 0, NULL},
		{{"ipfix_test_mikrotik_tpl.dat", "ipfix_test_mikrotik_data258.dat",
		  "ipfix_test_mikrotik_data259.dat"},
		 46,
		 NULL},
		{{"ipfix_test_openbsd_pflow_tpl.dat", "ipfix_test_openbsd_pflow_data.dat"},
		 26,
		 "source.ip=192.168.0.17"},
		{{"ipfix_test_nokia_bras_tpl.dat", "ipfix_test_nokia_bras_data256.dat"},
		 1,
		 "destination.port=80"},
		{{"ipfix_test_procera_tpl52935.dat", "ipfix_test_procera_data52935.dat"},
		 8,
		 "destination.as.number=AS7575"},
		{{"ipfix_test_viptela_tpl257.dat", "ipfix_test_viptela_data257.dat"},
		 1,
		 "network.next_hop.ip=10.0.0.1"},
		{{"ipfix_test_yaf_tpls_option_tpl.dat", "ipfix_test_yaf_tpl45841.dat",
		  "ipfix_test_yaf_data45841.dat"},
		 1,
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool found = !cases[i].pair;

		dm_buf_clear(&file);
		for (unsigned k = 0; k < 4 && cases[i].files[k]; k++) {
			char name[128], path[512];
			FILE *f;
			int ch;

			snprintf(name, sizeof name, "data/netflow/datagrams/%s", cases[i].files[k]);
			if (!recorder_shared(name, path, sizeof path))
				skip();
			f = fopen(path, "rb");
			while ((ch = getc(f)) != EOF)
				dm_buf_putc(&file, (char)ch);
			fclose(f);
		}
		recorder_clear(&rec);
		assert_true(dm_import_ipfix.probe(dm_buf_view(&file), "x") > 80);
		assert_int_equal(run(), 0);
		if (cases[i].records)
			assert_int_equal(rec.records, cases[i].records);
		for (size_t n = 0; n < rec.record_text.n; n++)
			found |= cases[i].pair && recorder_has(&rec, n, cases[i].pair);
		assert_true(found);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_biflow),	 T(test_times),	   T(test_nat_and_text), T(test_ipv6_icmp), T(test_lengths),
		T(test_endless), T(test_sampling), T(test_broken),	 T(test_probe),	    T(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
