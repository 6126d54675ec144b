/* TLS on the wire: hellos, chains, certificates, and the digests under them. The certificate was made for
 * this test with openssl; what is expected of it is what openssl prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/time.h"
#include "import/digest.h"
#include "import/tls_hello.h"
#include "import/x509.h"
#include "pcap_build.h"
#include "sink_recorder.h"

static const uint8_t der[] = {
	0x30, 0x82, 0x02, 0x50, 0x30, 0x82, 0x01, 0xf5, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x04, 0x12, 0x34,
	0xab, 0xcd, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30, 0x4e, 0x31,
	0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 0x58, 0x58, 0x31, 0x16, 0x30, 0x14, 0x06,
	0x03, 0x55, 0x04, 0x0a, 0x0c, 0x0d, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2c, 0x20, 0x49, 0x6e,
	0x63, 0x2e, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04, 0x0b, 0x0c, 0x07, 0x4d, 0xc3, 0xbc, 0x6c,
	0x6c, 0x65, 0x72, 0x31, 0x15, 0x30, 0x13, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x0c, 0x68, 0x6f, 0x73,
	0x74, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x30, 0x20, 0x17, 0x0d, 0x32, 0x36, 0x31, 0x31,
	0x32, 0x34, 0x30, 0x30, 0x35, 0x33, 0x30, 0x36, 0x5a, 0x18, 0x0f, 0x32, 0x30, 0x35, 0x31, 0x30, 0x37,
	0x31, 0x36, 0x30, 0x30, 0x35, 0x33, 0x30, 0x36, 0x5a, 0x30, 0x4e, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
	0x55, 0x04, 0x06, 0x13, 0x02, 0x58, 0x58, 0x31, 0x16, 0x30, 0x14, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c,
	0x0d, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2c, 0x20, 0x49, 0x6e, 0x63, 0x2e, 0x31, 0x10, 0x30,
	0x0e, 0x06, 0x03, 0x55, 0x04, 0x0b, 0x0c, 0x07, 0x4d, 0xc3, 0xbc, 0x6c, 0x6c, 0x65, 0x72, 0x31, 0x15,
	0x30, 0x13, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x0c, 0x68, 0x6f, 0x73, 0x74, 0x2e, 0x65, 0x78, 0x61,
	0x6d, 0x70, 0x6c, 0x65, 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x93, 0x5a, 0x8b,
	0x1e, 0x14, 0x0d, 0x07, 0x0f, 0xa6, 0x6f, 0x07, 0x9c, 0x81, 0x86, 0x5a, 0x4b, 0x62, 0x14, 0x7a, 0xd4,
	0x47, 0x70, 0xeb, 0x79, 0xd2, 0x28, 0x53, 0xd1, 0x0d, 0xe0, 0x6f, 0x5d, 0x9d, 0x56, 0xf8, 0x17, 0x68,
	0x87, 0x81, 0xbf, 0x95, 0x4b, 0xba, 0xf2, 0xf6, 0xa7, 0xa9, 0x01, 0xd8, 0xad, 0x38, 0x5c, 0x4a, 0xd7,
	0xfe, 0xcf, 0xdf, 0x2f, 0xb9, 0xbe, 0x3a, 0xb5, 0xec, 0x23, 0xa3, 0x81, 0xbe, 0x30, 0x81, 0xbb, 0x30,
	0x1d, 0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14, 0x5e, 0x9d, 0xe2, 0xa7, 0x27, 0x5f, 0x27,
	0x01, 0x81, 0xf0, 0x76, 0xc2, 0x49, 0x26, 0x88, 0x3b, 0xfd, 0xe3, 0x70, 0xdf, 0x30, 0x1f, 0x06, 0x03,
	0x55, 0x1d, 0x23, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14, 0x5e, 0x9d, 0xe2, 0xa7, 0x27, 0x5f, 0x27, 0x01,
	0x81, 0xf0, 0x76, 0xc2, 0x49, 0x26, 0x88, 0x3b, 0xfd, 0xe3, 0x70, 0xdf, 0x30, 0x0f, 0x06, 0x03, 0x55,
	0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff, 0x30, 0x68, 0x06, 0x03, 0x55,
	0x1d, 0x11, 0x04, 0x61, 0x30, 0x5f, 0x82, 0x0c, 0x68, 0x6f, 0x73, 0x74, 0x2e, 0x65, 0x78, 0x61, 0x6d,
	0x70, 0x6c, 0x65, 0x82, 0x0d, 0x2a, 0x2e, 0x61, 0x6c, 0x74, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c,
	0x65, 0x87, 0x04, 0xc0, 0x00, 0x02, 0x05, 0x87, 0x10, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x81, 0x10, 0x6f, 0x70, 0x73, 0x40, 0x68, 0x6f, 0x73,
	0x74, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x86, 0x16, 0x68, 0x74, 0x74, 0x70, 0x73, 0x3a,
	0x2f, 0x2f, 0x68, 0x6f, 0x73, 0x74, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2f, 0x78, 0x30,
	0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03, 0x49, 0x00, 0x30, 0x46, 0x02,
	0x21, 0x00, 0xcb, 0x05, 0x3c, 0x99, 0xf7, 0x14, 0x9d, 0x39, 0x06, 0x87, 0x63, 0xab, 0xba, 0xb6, 0xd6,
	0x7d, 0xb5, 0xe7, 0xe1, 0x6a, 0x08, 0x03, 0xa4, 0x08, 0x76, 0x1e, 0xfc, 0x08, 0x25, 0x23, 0x4c, 0x08,
	0x02, 0x21, 0x00, 0xc8, 0x61, 0x77, 0x70, 0x4b, 0x67, 0x1a, 0x83, 0xa3, 0x97, 0xcc, 0x5b, 0x2e, 0x6e,
	0x25, 0xbb, 0x1e, 0xf1, 0x40, 0xf5, 0xe5, 0xd1, 0x4a, 0x0e, 0xfd, 0x24, 0x02, 0x47, 0x6d, 0xac, 0x23,
	0xb0};
#define DER_SHA1   "89060f51c6c7afdd487e26b2cba4854041a410c7"
#define DER_SHA256 "4a0838dfcaeefe3a9d39f7e4bc57833d7416b80f7e2ed6c23c63433bb0da1653"
#define JA3S_MD5   "7bee5c1d424b7e5f943b06983bb11422"

static void expect_hex(const uint8_t *p, size_t n, const char *hex)
{
	uint8_t want[64];

	assert_true(dm_sv_unhex(dm_sv_str(hex), want, n));
	assert_memory_equal(p, want, n);
}

/* FIPS 180 and RFC 1321 samples; RFC 9001 appendix A.1: keys of the first packet of a QUIC client. */
static void test_digests(void **state)
{
	static const uint8_t salt[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
					 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
	static const uint8_t dcid[8] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
	struct dm_digest_part parts[2] = {{"a", 1}, {"bc", 2}};
	uint8_t out[32], secret[32], mask[16], sample[16];

	(void)state;
	assert_int_equal(dm_digest_preload(NULL), 0);
	dm_md5(parts, 2, out);
	expect_hex(out, 16, "900150983cd24fb0d6963f7d28e17f72");
	dm_sha1(parts, 2, out);
	expect_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	dm_sha256(parts, 2, out);
	expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	dm_hkdf_extract_sha256(salt, 20, dcid, 8, secret);
	expect_hex(secret, 32, "7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44");
	dm_hkdf_expand_label(secret, "client in", secret, 32);
	expect_hex(secret, 32, "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
	dm_hkdf_expand_label(secret, "quic key", out, 16);
	expect_hex(out, 16, "1f369613dd76d5467730efcbe3b1a22d");
	dm_hkdf_expand_label(secret, "quic iv", out, 12);
	expect_hex(out, 12, "fa044b2f42a3fd3b46fb255c");
	dm_hkdf_expand_label(secret, "quic hp", out, 16);
	expect_hex(out, 16, "9f50449e04a0e810283a1e9933adedd2");
	assert_true(dm_sv_unhex(dm_sv_str("d1b1c98dd7689fb8ec11d242b123dc9b"), sample, 16));
	dm_aes128_block(out, sample, mask);
	expect_hex(mask, 5, "437b9aec36");
}

/* Test case 4 of McGrew and Viega's GCM paper, which NIST took over. */
static void test_gcm(void **state)
{
	uint8_t key[16], iv[12], ad[20], in[76], out[60], want[60];

	(void)state;
	assert_int_equal(dm_digest_preload(NULL), 0);
	assert_true(dm_sv_unhex(dm_sv_str("feffe9928665731c6d6a8f9467308308"), key, 16));
	assert_true(dm_sv_unhex(dm_sv_str("cafebabefacedbaddecaf888"), iv, 12));
	assert_true(dm_sv_unhex(dm_sv_str("feedfacedeadbeeffeedfacedeadbeefabaddad2"), ad, 20));
	assert_true(dm_sv_unhex(dm_sv_str("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21"
					  "d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
					  "5bc94fbc3221a5db94fae95ae7121a47"),
				in, 76));
	assert_true(dm_sv_unhex(dm_sv_str("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c"
					  "3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
				want, 60));
	assert_true(dm_aes128_gcm_open(key, iv, ad, 20, in, 60, out));
	assert_memory_equal(out, want, 60);
	in[75] ^= 1;
	assert_false(dm_aes128_gcm_open(key, iv, ad, 20, in, 60, out));
}

static void test_certificate(void **state)
{
	struct dm_cert c;
	struct dm_buf b;
	struct dm_sv rest, value;
	char kind, kinds[8] = "";
	int64_t us;

	(void)state;
	dm_buf_init(&b, 4096);
	assert_true(dm_cert_read(&c, dm_sv((const char *)der, sizeof der)));
	dm_cert_name(&b, c.subject);
	assert_string_equal(dm_buf_cstr(&b), "CN=host.example,OU=M\xc3\xbcller,O=Example\\, Inc.,C=XX");
	assert_true(dm_sv_eq(c.subject, c.issuer));
	assert_string_equal(c.key, "id-ecPublicKey");
	assert_string_equal(c.signature, "ecdsa-with-SHA256");
	assert_true(dm_time_parse(dm_sv_str("2026-11-24T00:53:06Z"), &us) && us == c.not_before);
	assert_true(dm_time_parse(dm_sv_str("2051-07-16T00:53:06Z"), &us) && us == c.not_after);
	expect_hex((const uint8_t *)c.serial.p, c.serial.n, "1234abcd");
	rest = c.alternative;
	for (size_t i = 0; dm_cert_alternative(&rest, &kind, &value); i++) {
		assert_true(i < 6);
		kinds[i] = kind;
		if (i == 1)
			assert_true(dm_sv_is(value, "*.alt.example"));
		if (kind == 'u')
			assert_true(dm_sv_is(value, "https://host.example/x"));
	}
	assert_string_equal(kinds, "ddiieu");
	/* Cut and damaged anywhere: an answer, and views that lie within. */
	for (size_t n = 0; n < sizeof der; n++) {
		uint8_t *copy = dm_alloc(n + 1);

		memcpy(copy, der, n);
		(void)dm_cert_read(&c, dm_sv((const char *)copy, n));
		dm_free(copy);
		copy = dm_alloc(sizeof der);
		memcpy(copy, der, sizeof der);
		copy[n] ^= 0xff;
		if (dm_cert_read(&c, dm_sv((const char *)copy, sizeof der))) {
			dm_buf_clear(&b);
			dm_cert_name(&b, c.subject);
			rest = c.alternative;
			while (dm_cert_alternative(&rest, &kind, &value))
				;
		}
		dm_free(copy);
	}
	dm_buf_done(&b);
}

static void put_record(struct dm_buf *out, unsigned type, const void *p, size_t n)
{
	dm_buf_putc(out, (char)type);
	put_be16(out, 0x0303);
	put_be16(out, (uint32_t)n);
	dm_buf_put(out, p, n);
}

static void put_message(struct dm_buf *out, unsigned type, const void *p, size_t n)
{
	dm_buf_putc(out, (char)type);
	dm_buf_putc(out, (char)(n >> 16));
	put_be16(out, (uint32_t)n);
	dm_buf_put(out, p, n);
}

static void client_hello(struct dm_buf *out)
{
	static const char body[] = "\x03\x03"
				   "01234567890123456789012345678901"
				   "\x00"
				   "\x00\x04\x1a\x1a\xc0\x2f"
				   "\x01\x00"
				   "\x00\x1d"
				   "\x00\x00\x00\x11\x00\x0f\x00\x00\x0c"
				   "host.example"
				   "\x2a\x2a\x00\x00"
				   "\x00\x17\x00\x00";
	put_message(out, 1, body, sizeof body - 1);
}

static void server_hello(struct dm_buf *out)
{
	static const char body[] = "\x03\x03"
				   "01234567890123456789012345678901"
				   "\x00"
				   "\xc0\x2f"
				   "\x00"
				   "\x00\x0e"
				   "\xff\x01\x00\x01\x00"
				   "\x00\x10\x00\x05\x00\x03\x02h2";
	put_message(out, 2, body, sizeof body - 1);
}

/* The server's flight, its certificate twice in the chain, cut into records of `piece` bytes without regard
 * to messages. */
static void server_flight(struct dm_buf *out, size_t piece)
{
	struct dm_buf m, chain;

	dm_buf_init(&m, 100000);
	dm_buf_init(&chain, 100000);
	server_hello(&m);
	for (unsigned i = 0; i < 2; i++) {
		dm_buf_putc(&chain, 0);
		put_be16(&chain, sizeof der);
		dm_buf_put(&chain, der, sizeof der);
	}
	dm_buf_putc(&m, 11);
	dm_buf_putc(&m, 0);
	put_be16(&m, (uint32_t)chain.n + 3);
	dm_buf_putc(&m, 0);
	put_be16(&m, (uint32_t)chain.n);
	dm_buf_sv(&m, dm_buf_view(&chain));
	put_message(&m, 14, NULL, 0);
	for (size_t at = 0; at < m.n; at += piece)
		put_record(out, 22, m.p + at, m.n - at < piece ? m.n - at : piece);
	dm_buf_done(&m);
	dm_buf_done(&chain);
}

static void has(const struct recorder *r, const char *kind, const char *pair)
{
	for (size_t i = 0; i < r->record_text.n; i++)
		if (strncmp(recorder_record(r, i), kind, strlen(kind)) == 0 && recorder_has(r, i, pair))
			return;
	fail_msg("no %s with %s", kind, pair);
}

static void test_handshake(void **state)
{
	static const size_t pieces[] = {1, 7, 100, 16384};

	(void)state;
	for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
		struct end c = {"192.0.2.1", 40000, 1}, s = {"198.51.100.2", 4433, 1};
		struct pcap_build cap;
		struct recorder rec;
		struct dm_buf m, t;

		recorder_init(&rec);
		pcap_begin(&cap, 1);
		dm_buf_init(&m, 100000);
		dm_buf_init(&t, 100000);
		for (unsigned again = 0; again < 2; again++, c.port++) {
			pcap_open(&cap, &c, &s);
			dm_buf_clear(&m);
			dm_buf_clear(&t);
			client_hello(&m);
			put_record(&t, 22, m.p, m.n);
			pcap_tcp(&cap, &c, &s, DM_TCP_ACK, t.p, t.n);
			dm_buf_clear(&t);
			server_flight(&t, pieces[k]);
			for (size_t at = 0; at < t.n; at += 1400)
				pcap_tcp(&cap, &s, &c, DM_TCP_ACK, t.p + at,
					 t.n - at < 1400 ? t.n - at : 1400);
			pcap_tcp(&cap, &c, &s, DM_TCP_ACK, "\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x02zz",
				 13);
			pcap_tcp(&cap, &s, &c, DM_TCP_ACK, "\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x02zz",
				 13);
			pcap_close(&cap, &c, &s);
		}
		assert_int_equal(recorder_run(&rec, &dm_import_pcap, "t", cap.file.p, cap.file.n, NULL), 0);
		assert_int_equal(rec.skips, 0);
		assert_int_equal(rec.kind[DM_KIND_TLS], 2);
		assert_int_equal(rec.kind[DM_KIND_CERT], 1); /* the same one, four times */
		has(&rec, "tls", "tls.version=TLSv12");
		has(&rec, "tls", "tls.cipher=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
		has(&rec, "tls", "tls.client.server_name=host.example");
		has(&rec, "tls", "tls.server.ja3s=" JA3S_MD5);
		has(&rec, "tls", "tls.next_protocol=h2");
		has(&rec, "tls", "tls.established=true");
		has(&rec, "tls", "tls.server.certificate_fingerprint=" DER_SHA256);
		has(&rec, "tls", "tls.server.certificate_fingerprint=" DER_SHA1);
		has(&rec, "tls",
		    "tls.server.subject=CN=host.example,OU=M\xc3\xbcller,O=Example\\, Inc.,C=XX");
		has(&rec, "cert", "x509.fingerprint=" DER_SHA256);
		has(&rec, "cert", "x509.fingerprint=" DER_SHA1);
		has(&rec, "cert", "x509.serial_number=1234abcd");
		has(&rec, "cert", "x509.alternative_names=host.example");
		has(&rec, "cert", "x509.alternative_names=*.alt.example");
		has(&rec, "cert", "x509.alternative_ips=192.0.2.5");
		has(&rec, "cert", "x509.alternative_ips=2001:db8::5");
		has(&rec, "cert", "x509.alternative_emails=ops@host.example");
		has(&rec, "cert", "x509.alternative_urls=https://host.example/x");
		recorder_done(&rec);
		pcap_done(&cap);
		dm_buf_done(&m);
		dm_buf_done(&t);
	}
}

/* The example in FoxIO's description of JA4: a Chrome hello. */
static void test_ja4(void **state)
{
	static const uint16_t ciphers[] = {0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
					   0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
	static const uint16_t extensions[] = {0x8a8a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469,
					      0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
					      0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xbaba};
	static const uint16_t signatures[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};
	static struct dm_client_hello h;
	char out[37];

	(void)state;
	assert_int_equal(dm_digest_preload(NULL), 0);
	memcpy(h.ciphers, ciphers, sizeof ciphers);
	h.ciphers_n = sizeof ciphers / 2;
	memcpy(h.extensions, extensions, sizeof extensions);
	h.extensions_n = sizeof extensions / 2;
	memcpy(h.signatures, signatures, sizeof signatures);
	h.signatures_n = sizeof signatures / 2;
	h.highest = 0x0304;
	h.has_sni = true;
	h.alpn = dm_sv_str("h2");
	dm_ja4(&h, 't', out);
	assert_string_equal(out, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	h.alpn = dm_sv("\xab\xcd", 2);
	dm_ja4(&h, 'q', out);
	assert_memory_equal(out, "q13d1516ad_", 11);
	h.alpn = dm_sv("0\xab", 2);
	dm_ja4(&h, 't', out);
	assert_memory_equal(out, "t13d15163b_", 11);
	h.alpn = dm_sv("", 0);
	h.ciphers_n = h.extensions_n = 0;
	h.has_sni = false;
	dm_ja4(&h, 't', out);
	assert_string_equal(out, "t13i000000_000000000000_000000000000");
}

/* Lists longer than what is read: no overflow, and the counts stop at 99. */
static void test_long_lists(void **state)
{
	static struct dm_client_hello h;
	struct dm_buf b;
	char out[40];

	(void)state;
	assert_int_equal(dm_digest_preload(NULL), 0);
	dm_buf_init(&b, 1u << 20);
	put_be16(&b, 0x0303);
	for (unsigned i = 0; i < 32; i++)
		dm_buf_putc(&b, 0);
	dm_buf_putc(&b, 0);
	put_be16(&b, 65534);
	for (unsigned i = 0; i < 32767; i++)
		put_be16(&b, i);
	put_be16(&b, 0x0100);
	put_be16(&b, 60000);
	for (unsigned i = 0; i < 15000; i++) {
		put_be16(&b, 100 + i);
		put_be16(&b, 0);
	}
	assert_true(dm_client_hello_read(&h, (const uint8_t *)b.p, b.n));
	assert_int_equal(h.ciphers_n, DM_TLS_CIPHERS);
	assert_int_equal(h.extensions_n, DM_TLS_EXTENSIONS);
	dm_ja3(&h, out);
	dm_ja4(&h, 't', out);
	assert_memory_equal(out, "t12i9999", 8);
	for (size_t n = 0; n < 200; n++)
		(void)dm_client_hello_read(&h, (const uint8_t *)b.p, n);
	dm_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),	    cmocka_unit_test(test_gcm),
		cmocka_unit_test(test_certificate), cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_ja4),	    cmocka_unit_test(test_long_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
