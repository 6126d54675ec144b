/* The bounds of the capture reader that need more than a few packets, from both sides. (Flows, reassembly,
 * timings and names: test_capture.c, test_capture_apps.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "import/capture.h"
#include "import/digest.h"
#include "import/tls.h"
#include "pcap_build.h"
#include "sink_recorder.h"

static struct recorder rec;
static struct dm_capture c;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(dm_digest_preload(NULL), 0);
	recorder_init(&rec);
	memset(&c, 0, sizeof c);
	c.sink = &rec.sink;
	dm_record_init(&c.rec);
	dm_buf_init(&c.text, DM_MAX_RECORD);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dm_record_done(&c.rec);
	dm_buf_done(&c.text);
	dm_free(c.certs);
	recorder_done(&rec);
	return 0;
}

static void test_keep(void **state)
{
	(void)state;
	c.kept = DM_MAX_CAPTURE_KEPT - 10;
	assert_false(dm_capture_keep(&c, 11));
	assert_true(dm_capture_keep(&c, 10));
	assert_false(dm_capture_keep(&c, 1));
	dm_capture_unkeep(&c, 10);
	assert_true(dm_capture_keep(&c, 10));
}

/* A request in two segments, with so much kept elsewhere already. Without room its content is given up, the
 * flow is still counted. */
static void run_request(size_t kept)
{
	static const char *const parts[] = {"GET /x HTTP/1.1\r\n", "Host: a.example\r\n\r\n"};
	struct dm_flows *flows;
	struct dm_flow *f;
	uint32_t seq = 1;

	c.kept = kept;
	assert_int_equal(dm_flows_new(&flows, &c), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct dm_packet p = {.time = i,
				      .number = i + 1,
				      .proto = DM_PROTO_TCP,
				      .has_ports = true,
				      .sport = 4000,
				      .dport = 80};

		c.packet = i + 1;
		p.src = dm_ip_from4(0xc0000201);
		p.dst = dm_ip_from4(0xc0000202);
		p.tcp_flags = DM_TCP_ACK;
		p.seq = seq;
		p.payload = (const uint8_t *)parts[i];
		p.payload_cap = p.payload_len = (uint32_t)strlen(parts[i]);
		seq += p.payload_len;
		assert_int_equal(dm_flows_packet(flows, &p, 0, NULL, &f), 0);
	}
	assert_int_equal(dm_flows_finish(flows), 0);
	dm_flows_free(flows);
	assert_int_equal(c.kept, kept); /* all is given back */
}

static void test_no_room(void **state)
{
	(void)state;
	run_request(0);
	assert_int_equal(rec.kind[DM_KIND_HTTP], 1);
	assert_int_equal(c.unkept, 0);
	for (size_t room = 0; room < 4096; room += 64) {
		recorder_clear(&rec);
		c.unkept = 0;
		run_request(DM_MAX_CAPTURE_KEPT - room);
		assert_int_equal(rec.kind[DM_KIND_FLOW], 1);
		if (!rec.kind[DM_KIND_HTTP])
			assert_true(c.unkept == 1 || room > 2048);
	}
	assert_int_equal(rec.kind[DM_KIND_HTTP], 1); /* 4 KiB are enough */
	run_request(DM_MAX_CAPTURE_KEPT);
	assert_int_equal(c.unkept, 1);
}

/* A chain of one certificate with this serial number. */
static void certificate(uint32_t serial)
{
	/* Two lengths of three bytes; certificate, what is signed, serial number, then five empty sequences.
	 */
	uint8_t chain[] = {0,
			   0,
			   23,
			   0,
			   0,
			   20,
			   0x30,
			   18,
			   0x30,
			   16,
			   0x02,
			   4,
			   (uint8_t)(serial >> 24),
			   (uint8_t)(serial >> 16),
			   (uint8_t)(serial >> 8),
			   (uint8_t)serial,
			   0x30,
			   0,
			   0x30,
			   0,
			   0x30,
			   0,
			   0x30,
			   0,
			   0x30,
			   0};
	static struct dm_flow f;
	struct dm_tls_session *s;

	assert_int_equal(dm_tls_session_new(&c, 't', &s), 0);
	assert_int_equal(dm_tls_session_certificates(&c, &f, s, DM_FROM_SERVER, chain, sizeof chain), 0);
	dm_tls_session_free(s);
}

/* Each certificate gives one row; when the table of those seen is full it begins anew, so some give a second:
 * none is lost. */
static void test_certs_seen(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < DM_CERTS_SEEN; i++)
		certificate(i);
	assert_int_equal(rec.kind[DM_KIND_CERT], DM_CERTS_SEEN);
	certificate(0);
	assert_int_equal(rec.kind[DM_KIND_CERT], DM_CERTS_SEEN + 1);
	certificate(DM_CERTS_SEEN);
	certificate(DM_CERTS_SEEN);
	certificate(0);
	assert_int_equal(rec.kind[DM_KIND_CERT], DM_CERTS_SEEN + 2);
	assert_int_equal(rec.skips, 0);
}

static void test_packet_length(void **state)
{
	struct pcap_build cap;
	uint8_t *p = dm_calloc(1, DM_MAX_PACKET + 1);

	(void)state;
	memcpy(p,
	       "\x45\x00\x00\x00\x00\x00\x00\x00\x40\x11\x00\x00\xc0\x00\x02\x01\xc0\x00\x02\x02\x0f\xa0\x1f"
	       "\x40\x00\x00\x00\x00",
	       28);
	for (unsigned over = 0; over < 2; over++) {
		int r;

		pcap_begin(&cap, 101);
		pcap_frame(&cap, p, DM_MAX_PACKET + over, 0);
		recorder_clear(&rec);
		r = recorder_run(&rec, &dm_import_pcap, "t", cap.file.p, cap.file.n, NULL);
		/* libpcap itself stops at the same length. */
		assert_int_equal(r, over ? DM_EFORMAT : 0);
		assert_int_equal(rec.records, !over);
		pcap_done(&cap);
	}
	dm_free(p);
}

/* Broken packets: the first thousand are named, the rest counted. */
static void test_notes(void **state)
{
	struct pcap_build cap;

	(void)state;
	for (unsigned n = 1000; n <= 1001; n++) {
		pcap_begin(&cap, 101);
		for (unsigned i = 0; i < n; i++)
			pcap_frame(&cap, "\x45", 1, 0);
		recorder_clear(&rec);
		assert_int_equal(recorder_run(&rec, &dm_import_pcap, "t", cap.file.p, cap.file.n, NULL), 0);
		assert_int_equal(rec.skips, 1000);
		if (n > 1000)
			assert_string_equal(recorder_meta(&rec, "note"), "1 more packets are malformed");
		else
			assert_null(recorder_meta(&rec, "note"));
		pcap_done(&cap);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_keep), T(test_no_room), T(test_certs_seen), T(test_packet_length), T(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
