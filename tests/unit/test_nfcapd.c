/* nfcapd files: the text of nfdump, and nfdump itself where it is installed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "base/file.h"
#include "import/decoder.h"
#include "sink_recorder.h"

static struct recorder rec;

static int setup(void **state)
{
	(void)state;
	recorder_init(&rec);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	recorder_done(&rec);
	return 0;
}

static int run(const char *text)
{
	return recorder_run(&rec, &dm_import_nfcapd, "nfcapd.1", text, strlen(text), NULL);
}

#define HEAD(n, flags)                                                                                       \
	"\nFlow Record: \n"                                                                                  \
	"  RecordCount  =             " n "\n"                                                               \
	"  Flags        =              " flags "\n"                                                          \
	"  Elements     =                 6: 1 2 4 7 10 12 \n"                                               \
	"  size         =               112\n"                                                               \
	"  engine ID    =                58\n"
#define PLAIN                                                                                                \
	HEAD("    1", "0x00 FLOW, Unsampled")                                                                \
	"  first        =     1515771450942 [2018-01-12 15:37:30.942]\n"                                     \
	"  last         =     1515771451042 [2018-01-12 15:37:31.042]\n"                                     \
	"  received at  =                 0 [0.000]\n"                                                       \
	"  proto        =                 6 TCP\n"                                                           \
	"  tcp flags    =              0x1b ...AP.SF\n"                                                      \
	"  src port     =             52324\n"                                                               \
	"  dst port     =               902\n"                                                               \
	"  src tos      =                 0\n"                                                               \
	"  in packets   =                12\n"                                                               \
	"  in bytes     =              6000\n"                                                               \
	"  src addr     =     147.32.80.119\n"                                                               \
	"  dst addr     =      147.32.82.62: Prague\n"                                                       \
	"  input        =                 3\n"                                                               \
	"  output       =                 0\n"                                                               \
	"  src as       =              2852\n"                                                               \
	"  dst as       =                 0\n"                                                               \
	"  ip next hop  =           0.0.0.0\n"                                                               \
	"  ip exporter  =      147.32.82.62\n"

static void test_plain(void **state)
{
	(void)state;
	assert_int_equal(run(PLAIN), 0);
	assert_int_equal(rec.records, 1);
	assert_int_equal(rec.skips, 0);
	assert_string_equal(recorder_record(&rec, 0),
			    "flow|2018-01-12T15:37:30.942000Z|1|event.dataset=nfcapd.flow|source.ip=147.32."
			    "80.119|destination.ip=147.32.82.62|"
			    "source.port=52324|destination.port=902|network.transport=tcp|network.tcp_flags="
			    "27|event.duration=100000|"
			    "event.end=2018-01-12T15:37:31.042000Z|source.bytes=6000|source.packets=12|"
			    "observer.ingress.interface.id=3|"
			    "source.as.number=AS2852|observer.ip=147.32.82.62");
}

/* IPv6, both ways, ICMP, vlan, addresses of cards. */
static void test_fields(void **state)
{
	(void)state;
	assert_int_equal(
		run(HEAD("    1",
			 "0x00 NETFLOW v10, Unsampled") "  first        =     1515771450942 [2018-01-12 "
							"15:37:30.942]\n"
							"  proto        =                58 ICMP6\n"
							"  ICMP         =               128.7  type.code\n"
							"  in packets   =                 1\n"
							"  in bytes     =                64\n"
							"  src addr     =  2001:db8::1\n"
							"  dst addr     =  2001:db8::2\n"
							"  out packets  =                 2\n"
							"  out bytes    =               128\n"
							"  src vlan     =               100\n"
							"  in src mac   = 00:11:22:33:44:55\n"
							"  out dst mac  = 00:00:00:00:00:00\n"
							"  ip next hop  =  2001:db8::ff\n"
							"  tun src addr =  192.0.2.1\n"
							"  tun dst addr =  192.0.2.2\n"),
		0);
	assert_true(recorder_has(&rec, 0, "source.ip=2001:db8::1"));
	assert_true(recorder_has(&rec, 0, "network.transport=ipv6-icmp"));
	assert_true(recorder_has(&rec, 0, "icmp.type=128"));
	assert_true(recorder_has(&rec, 0, "icmp.code=7"));
	assert_true(recorder_has(&rec, 0, "destination.packets=2"));
	assert_true(recorder_has(&rec, 0, "destination.bytes=128"));
	assert_true(recorder_has(&rec, 0, "network.vlan.id=100"));
	assert_true(recorder_has(&rec, 0, "source.mac=00:11:22:33:44:55"));
	assert_int_equal(recorder_values(&rec, 0, "destination.mac"), 0);
	assert_true(recorder_has(&rec, 0, "network.next_hop.ip=2001:db8::ff"));
	assert_true(recorder_has(&rec, 0, "related.ip=192.0.2.1") &&
		    recorder_has(&rec, 0, "related.ip=192.0.2.2"));
	assert_int_equal(recorder_values(&rec, 0, "source.port"), 0);
}

#define NAT(n, src, sport)                                                                                   \
	HEAD(n, "0x01 EVENT, Unsampled")                                                                     \
	"  first        =                 0 [<unknown>.000]\n"                                               \
	"  last         =                 0 [<unknown>.000]\n"                                               \
	"  proto        =                 6 TCP\n"                                                           \
	"  src port     =              4000\n"                                                               \
	"  dst port     =                80\n"                                                               \
	"  src addr     =          10.0.0.5\n"                                                               \
	"  dst addr     =      203.0.113.80\n"                                                               \
	"  fw event     =                 2: DELETE\n"                                                       \
	"  fw ext event =              2025: 2025\n"                                                         \
	"  Event time   =     1444384069599 [2015-10-09 09:47:49.599]\n"                                     \
	"  src xlt ip   =  " src "\n"                                                                        \
	"  dst xlt ip   =      203.0.113.80\n"                                                               \
	"  src xlt port =             " sport "\n"                                                           \
	"  dst xlt port =                80\n"

/* What a firewall translated, and when it says so; what it left alone is no translation. */
static void test_nat(void **state)
{
	(void)state;
	assert_int_equal(
		run(NAT("    1", "    198.51.100.7", "61000") NAT("    2", "        10.0.0.5", " 4000")), 0);
	assert_int_equal(rec.records, 2);
	assert_non_null(strstr(recorder_record(&rec, 0), "flow|2015-10-09T09:47:49.599"));
	assert_true(recorder_has(&rec, 0, "source.nat.ip=198.51.100.7"));
	assert_true(recorder_has(&rec, 0, "source.nat.port=61000"));
	assert_int_equal(recorder_values(&rec, 0, "destination.nat.ip"), 0);
	assert_true(recorder_has(&rec, 0, "event.action=DELETE"));
	assert_int_equal(recorder_values(&rec, 1, "source.nat.ip"), 0);
}

static void test_no_time(void **state)
{
	(void)state;
	assert_int_equal(
		run(HEAD("    1", "0x02 FLOW, Sampled") "  first        =                 0 [<unknown>.000]\n"
							"  last         =                 0 [<unknown>.000]\n"
							"  proto        =               200 200\n"
							"  src addr     =  192.0.2.1\n"
							"  dst addr     =  192.0.2.2\n"),
		0);
	assert_non_null(strstr(recorder_record(&rec, 0), "flow|-|1|"));
	assert_true(recorder_has(&rec, 0, "network.iana_number=200"));
	assert_int_equal(rec.metas, 2);
	assert_non_null(strstr(rec.meta_text.text[0], "1 of 1 flows are sampled"));
	assert_non_null(strstr(rec.meta_text.text[1], "1 of 1 flows have no time"));
}

static void test_sampling(void **state)
{
	(void)state;
	assert_int_equal(
		run(HEAD("    1", "0x02 NETFLOW v9, Sampled") "  first        =     1515771450942 [x]\n"
							      "  proto        =                17 UDP\n"
							      "  src addr     =  192.0.2.1\n"
							      "  dst addr     =  192.0.2.2\n"
							      "  pk Interval  =                 1\n"
							      "  sp Interval  =               999\n"),
		0);
	assert_true(recorder_has(&rec, 0, "network.sampling=1000"));
}

/* Names and payloads come from the network: they can't make up fields or records. */
static void test_injection(void **state)
{
	(void)state;
	assert_int_equal(
		run(HEAD("    1", "0x00 FLOW, Unsampled") "  first        =     1515771450942 [x]\n"
							  "  proto        =                17 UDP\n"
							  "  src addr     =  192.0.2.1\n"
							  "  dst addr     =  192.0.2.2\n"
							  "  in payload   =               200\n"
							  "  src addr     =  203.0.113.66\n"
							  "\nFlow Record: \n"
							  "  RecordCount  =               999\n"
							  "  src addr     =  203.0.113.67\n"
							  "  RecordCount  =                 2\n"
							  "  src addr     =  203.0.113.68\n" NAT(
								  "    2", "    198.51.100.7", "61000")),
		0);
	assert_int_equal(rec.records, 2);
	for (size_t i = 0; i < 2; i++)
		assert_null(strstr(recorder_record(&rec, i), "203.0.113.6"));
	assert_true(recorder_has(&rec, 0, "source.ip=192.0.2.1"));
	assert_true(recorder_has(&rec, 1, "source.ip=10.0.0.5"));
}

static void test_broken(void **state)
{
	static const char text[] = PLAIN;

	(void)state;
	assert_int_equal(run("No matching flows\n"), 0);
	assert_int_equal(rec.records, 0);
	assert_int_equal(run(""), 0);
	assert_int_equal(
		run(HEAD("    1",
			 "0x00 FLOW") "  src addr     =  not an address\n  dst addr     =  192.0.2.2\n"),
		0);
	assert_int_equal(rec.records, 0);
	assert_int_equal(rec.skips, 1);
	for (size_t n = 0; n < sizeof text; n++)
		assert_int_equal(recorder_run(&rec, &dm_import_nfcapd, "x", text, n, NULL), 0);
	assert_int_equal(
		run(HEAD("    1",
			 "0x00 FLOW") "  first        = 99999999999999999999999999999\n  src addr     =  "
				      "192.0.2.1\n"
				      "  dst addr     =  192.0.2.2\n  src port     = 99999999999999999999\n"),
		0);
}

static void test_probe(void **state)
{
	(void)state;
	assert_true(dm_import_nfcapd.probe(dm_sv("\x0c\xa5\x01\x00", 4), "x") > 90);
	assert_true(dm_import_nfcapd.probe(dm_sv("\x0c\xa5\x02\x00", 4), "x") > 90);
	assert_true(dm_import_nfcapd.probe(dm_sv("\xa5\x0c\x00\x01", 4), "x") > 90);
	assert_int_equal(dm_import_nfcapd.probe(dm_sv("\x0c\xa5\x03\x00", 4), "nfcapd.1"), 0);
	assert_int_equal(dm_import_nfcapd.probe(dm_sv("\x0c\xa5", 2), "nfcapd.1"), 0);
}

/* The file through the real nfdump, confined: what the importer says, then what the decoder says. */
static int run_decoder(int fd, struct dm_err *err)
{
	struct dm_import_input in = {0};
	struct dm_decoder d;
	int r = dm_decoder_start(&d, &dm_import_nfcapd, fd, err);

	if (r < 0)
		return r;
	assert_int_equal(dm_stream_open(&in.stream, d.fd, dm_sv("", 0), err), 0);
	assert_int_equal(dm_import_nfcapd.run(&in, &rec.sink, err), 0);
	dm_stream_close(in.stream);
	close(d.fd);
	return dm_decoder_finish(&d, false, err);
}

static int open_shared(void)
{
	char path[512];

	if (!recorder_shared("data/netflow/slips-test1-malicious.nfdump", path, sizeof path) ||
	    access("/usr/bin/nfdump", X_OK) != 0)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void test_nfdump(void **state)
{
	struct dm_err err = {0};
	int fd = open_shared();

	(void)state;
	if (fd < 0)
		skip();
	rec.keep = 5000;
	lseek(fd, 1000, SEEK_SET); /* somebody has looked at its head */
	assert_int_equal(run_decoder(fd, &err), 0);
	close(fd);
	assert_int_equal(rec.records, 4593);
	assert_int_equal(rec.skips, 0);
	assert_non_null(strstr(recorder_record(&rec, 0), "flow|2018-01-12T15:37:30.942000Z|1|"));
	assert_true(recorder_has(&rec, 4592, "source.ip=147.32.82.62"));
	assert_true(recorder_has(&rec, 4592, "destination.port=55238"));
}

/* Packed: unpacked by a confined child first. Cut off: nfdump's own words. */
static void test_nfdump_packed(void **state)
{
	struct dm_err err = {0};
	struct dm_buf file;
	int fd = open_shared(), packed;
	static char out[1u << 20];
	z_stream z = {0};

	(void)state;
	if (fd < 0)
		skip();
	dm_buf_init(&file, 1u << 20);
	assert_true(dm_buf_room(&file, 500000));
	file.n = (size_t)read(fd, file.p, 500000);
	close(fd);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)file.p;
	z.avail_in = (uInt)file.n;
	z.next_out = (Bytef *)out;
	z.avail_out = sizeof out;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(dm_write_all(packed, out, sizeof out - z.avail_out, NULL), 0);
	deflateEnd(&z);
	lseek(packed, 100, SEEK_SET);
	assert_int_equal(run_decoder(packed, &err), 0);
	assert_int_equal(rec.records, 4593);
	assert_int_equal(ftruncate(packed, 5000), 0);
	assert_true(run_decoder(packed, &err) < 0);
	assert_true(err.msg[0]);
	close(packed);
	packed = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(dm_write_all(packed, file.p, 5000, NULL), 0);
	recorder_clear(&rec);
	assert_int_equal(run_decoder(packed, &err), DM_EFORMAT);
	assert_non_null(strstr(err.msg, "nfdump says"));
	close(packed);
	dm_buf_done(&file);
}

static void test_missing_program(void **state)
{
	static const char *const argv[] = {"demarche-no-such-decoder", NULL};
	struct dm_importer imp = dm_import_nfcapd;
	struct dm_err err = {0};
	struct dm_decoder d;

	(void)state;
	imp.decoder = argv;
	assert_int_equal(dm_decoder_start(&d, &imp, 0, &err), DM_EUNSUPPORTED);
	assert_non_null(strstr(err.remedy, "install demarche-no-such-decoder"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_plain),	       T(test_fields),		T(test_nat),
		T(test_no_time),       T(test_sampling),	T(test_injection),
		T(test_broken),	       T(test_probe),		T(test_nfdump),
		T(test_nfdump_packed), T(test_missing_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
