/* Rows of evidence as STIX objects (docs/formats/observations.md): what patterns on them find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "hunt/observation.h"
#include "hunt/pattern.h"

#define MD5  "79054025255fb1a26e4bc422aef54eb4"
#define SHA2 "aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f"
#define NOON 1419033600000000ll /* 2014-12-20T00:00:00Z */

static struct dm_record row; /* too large for the stack of a test */

static int matches(struct dm_observed_graph *g, const char *pattern)
{
	struct dm_budget budget = {1000000};
	struct dm_pattern *p = NULL;
	struct dm_err err = {0};
	bool hit = false;

	assert_int_equal(dm_pattern_parse(&p, dm_sv_str(pattern), &err), 0);
	assert_int_equal(dm_pattern_bracket_matches(p, 0, &g->o, &budget, &hit, &err), 0);
	dm_pattern_free(p);
	return hit;
}

static void expect(const char *const *yes, const char *const *no)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};

	/* Twice: the memory of a graph is used again from row to row. */
	assert_int_equal(dm_observation_from_record(&g, &row, &err), 0);
	assert_int_equal(dm_observation_from_record(&g, &row, &err), 0);
	for (; *yes; yes++) {
		if (!matches(&g, *yes))
			fail_msg("does not match: %s", *yes);
	}
	for (; *no; no++) {
		if (matches(&g, *no))
			fail_msg("matches: %s", *no);
	}
	dm_observed_graph_done(&g);
}

#define YES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO(...)	 ((const char *const[]){__VA_ARGS__, NULL})

static void start(enum dm_kind kind)
{
	dm_record_start(&row, kind, NOON, 1);
	dm_record_text(&row, DM_F_SRC_IP, DM_SV("192.0.2.1"));
	dm_record_text(&row, DM_F_DST_IP, DM_SV("198.51.100.7"));
	dm_record_int(&row, DM_F_SRC_PORT, 50000);
	dm_record_text(&row, DM_F_TRANSPORT, DM_SV("tcp"));
}

static void a_flow(void **state)
{
	(void)state;
	start(DM_KIND_FLOW);
	dm_record_int(&row, DM_F_DST_PORT, 443);
	dm_record_text(&row, DM_F_PROTOCOL, DM_SV("SSL,HTTP"));
	dm_record_int(&row, DM_F_SRC_BYTES, 1000);
	dm_record_int(&row, DM_F_DST_BYTES, 0);
	dm_record_int(&row, DM_F_SRC_PACKETS, 10);
	dm_record_int(&row, DM_F_DURATION, 5000000);
	dm_record_text(&row, DM_F_SRC_NAT_IP, DM_SV("203.0.113.9"));
	dm_record_text(&row, DM_F_SRC_MAC, DM_SV("00:00:5E:00:53:01"));
	dm_record_text(&row, DM_F_DST_AS, DM_SV("64500"));
	expect(YES("[ipv4-addr:value = '192.0.2.1']", "[ipv4-addr:value = '198.51.100.7/32']",
		   "[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "[ipv4-addr:value = '203.0.113.9']",
		   "[mac-addr:value = '00:00:5e:00:53:01']", "[autonomous-system:number = 64500]",
		   "[network-traffic:src_ref.value = '192.0.2.1' AND network-traffic:dst_ref.value = "
		   "'198.51.100.7']",
		   "[network-traffic:dst_ref.type = 'ipv4-addr']", "[network-traffic:dst_port = 443]",
		   "[network-traffic:src_port > 49151]", "[network-traffic:protocols[*] = 'tcp']",
		   "[network-traffic:protocols[*] = 'ssl' AND network-traffic:protocols[*] = 'http']",
		   "[network-traffic:protocols[0] = 'ipv4']", "[network-traffic:src_byte_count >= 1000]",
		   "[network-traffic:dst_byte_count = 0]", "[network-traffic:src_packets = 10]",
		   "[network-traffic:start = t'2014-12-20T00:00:00Z']",
		   "[network-traffic:end = t'2014-12-20T00:00:05Z']"),
	       NO("[network-traffic:src_ref.value = '198.51.100.7']", "[network-traffic:dst_port = 80]",
		  "[EXISTS network-traffic:dst_packets]", "[EXISTS network-traffic:extensions]",
		  "[EXISTS file:type]", "[ipv4-addr:value = '203.0.113.10']", "[EXISTS domain-name:value]"));
}

static void a_flow_of_ipv6(void **state)
{
	(void)state;
	dm_record_start(&row, DM_KIND_FLOW, NOON, 1);
	dm_record_text(&row, DM_F_DST_IP, DM_SV("2001:DB8:0:0::7"));
	expect(YES("[ipv6-addr:value = '2001:db8::7']", "[ipv6-addr:value = '2001:0db8:0000::0007/128']",
		   "[network-traffic:dst_ref.value ISSUBSET '2001:db8::/32']",
		   "[network-traffic:protocols[*] = 'ipv6']"),
	       NO("[EXISTS network-traffic:src_ref]", "[EXISTS ipv4-addr:value]"));
}

static void a_dns_answer(void **state)
{
	(void)state;
	start(DM_KIND_DNS);
	dm_record_text(&row, DM_F_DNS_QUERY, DM_SV("WWW.Example.COM."));
	dm_record_text(&row, DM_F_DNS_QTYPE, DM_SV("A"));
	dm_record_text(&row, DM_F_DNS_RCODE, DM_SV("NOERROR"));
	dm_record_text(&row, DM_F_DNS_ANSWER_NAME, DM_SV("cdn.example.net"));
	dm_record_text(&row, DM_F_DNS_ANSWER_IP, DM_SV("203.0.113.80"));
	dm_record_text(&row, DM_F_DNS_ANSWER_IP, DM_SV("203.0.113.81"));
	expect(YES("[domain-name:value = 'www.example.com']", "[domain-name:value = 'Www.EXAMPLE.com']",
		   "[domain-name:value = 'cdn.example.net']", "[ipv4-addr:value = '203.0.113.81']",
		   "[domain-name:value = 'www.example.com' AND domain-name:resolves_to_refs[*].value = "
		   "'203.0.113.81']",
		   "[domain-name:resolves_to_refs[*].value = 'cdn.example.net']",
		   "[network-traffic:protocols[*] = 'dns' AND network-traffic:dst_ref.value = "
		   "'198.51.100.7']",
		   "[network-traffic:extensions.'x-dns-ext'.question_ref.value LIKE '%.example.com']",
		   "[network-traffic:extensions.'x-dns-ext'.question_type = 'A']",
		   "[network-traffic:extensions.'x-dns-ext'.response_code = 'NOERROR']"),
	       NO("[domain-name:value = 'cdn.example.net' AND domain-name:resolves_to_refs[*].value = "
		  "'203.0.113.80']",
		  "[domain-name:resolves_to_refs[*].value = '198.51.100.7']"));
}

static void a_web_request(void **state)
{
	(void)state;
	start(DM_KIND_HTTP);
	dm_record_text(&row, DM_F_HTTP_METHOD, DM_SV("GET"));
	dm_record_text(&row, DM_F_URL, DM_SV("http://evil.example/gate.php?id=1"));
	dm_record_text(&row, DM_F_URL_DOMAIN, DM_SV("evil.example"));
	dm_record_text(&row, DM_F_USER_AGENT, DM_SV("Mozilla/4.0"));
	dm_record_text(&row, DM_F_REFERRER, DM_SV("http://start.example/"));
	dm_record_int(&row, DM_F_HTTP_STATUS, 200);
	expect(YES("[url:value = 'http://evil.example/gate.php?id=1']",
		   "[url:value = 'HTTP://Evil.Example:80/gate.php?id=1']",
		   "[domain-name:value = 'evil.example']",
		   "[network-traffic:extensions.'http-request-ext'.request_method = 'GET']",
		   "[network-traffic:extensions.'http-request-ext'.request_value = '/gate.php?id=1']",
		   "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = "
		   "'Mozilla/4.0']",
		   "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'[*] = "
		   "'Mozilla/4.0']",
		   "[network-traffic:extensions.'http-request-ext'.request_header.Host[0] = 'evil.example']",
		   "[network-traffic:extensions.'http-request-ext'.request_header.Referer LIKE "
		   "'%start.example%']",
		   "[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = "
		   "'evil.example']",
		   "[network-traffic:dst_ref.value = '198.51.100.7' AND "
		   "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = "
		   "'Mozilla/4.0']",
		   "[network-traffic:extensions.'x-http-response-ext'.status_code = 200]",
		   "[url:value = 'http://start.example/']"),
	       NO("[network-traffic:src_ref.type = 'domain-name']", "[url:value = 'http://evil.example/']",
		  "[EXISTS network-traffic:extensions.'x-tls-ext']"));
}

static void a_tls_connection(void **state)
{
	(void)state;
	start(DM_KIND_TLS);
	dm_record_text(&row, DM_F_SNI, DM_SV("c2.example"));
	dm_record_text(&row, DM_F_JA3, DM_SV("e7d705a3286e19ea42f587b344ee6865"));
	dm_record_text(&row, DM_F_TLS_VERSION, DM_SV("TLSv12"));
	dm_record_text(&row, DM_F_SERVER_CERT, DM_SV(SHA2));
	dm_record_text(&row, DM_F_SERVER_SUBJECT, DM_SV("CN=c2.example"));
	dm_record_text(&row, DM_F_SERVER_ISSUER, DM_SV("CN=WEBMAIL"));
	expect(YES("[domain-name:value = 'c2.example']", "[x509-certificate:hashes.'SHA-256' = '" SHA2 "']",
		   "[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:hashes.SHA256 = '" SHA2 "']",
		   "[network-traffic:extensions.'x-tls-ext'.ja3 = 'e7d705a3286e19ea42f587b344ee6865']",
		   "[network-traffic:extensions.'x-tls-ext'.server_name = 'c2.example']",
		   "[network-traffic:dst_ref.value = 'c2.example' AND network-traffic:protocols[*] = 'tls']",
		   "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:protocols[*] = "
		   "'tls']"),
	       NO("[file:hashes.'SHA-256' = '" SHA2 "']",
		  "[EXISTS network-traffic:extensions.'http-request-ext']"));
}

static void a_file(void **state)
{
	(void)state;
	dm_record_start(&row, DM_KIND_FILE, NOON, 1);
	dm_record_text(&row, DM_F_MD5, DM_SV(MD5));
	dm_record_text(&row, DM_F_SHA256, DM_SV(SHA2));
	dm_record_text(&row, DM_F_FILE_PATH, DM_SV("C:\\Windows\\System32\\foo.dll"));
	dm_record_int(&row, DM_F_FILE_SIZE, 25536);
	dm_record_text(&row, DM_F_FILE_MIME, DM_SV("application/x-dosexec"));
	expect(YES("[file:hashes.MD5 = '" MD5 "' AND file:hashes.'SHA-256' = '" SHA2 "']",
		   "[file:name = 'foo.dll']",
		   "[file:name = 'foo.dll' AND file:parent_directory_ref.path = 'C:\\\\Windows\\\\System32']",
		   "[directory:path = 'C:\\\\Windows\\\\System32']",
		   "[file:path = 'C:\\\\Windows\\\\System32\\\\foo.dll']", "[file:size = 25536]",
		   "[file:mime_type = 'application/x-dosexec']"),
	       NO("[EXISTS network-traffic:type]", "[x509-certificate:hashes.MD5 = '" MD5 "']",
		  "[file:name = 'FOO.dll']"));
	dm_record_start(&row, DM_KIND_FILE, NOON, 1);
	dm_record_text(&row, DM_F_FILE_PATH, DM_SV("/x"));
	expect(YES("[file:name = 'x' AND file:parent_directory_ref.path = '/']"), NO("[file:name = '/x']"));
	dm_record_start(&row, DM_KIND_FILE, NOON, 1);
	dm_record_text(&row, DM_F_FILE_PATH, DM_SV("plain.txt"));
	expect(YES("[file:name = 'plain.txt']"), NO("[EXISTS directory:path]"));
}

static void a_certificate(void **state)
{
	(void)state;
	dm_record_start(&row, DM_KIND_CERT, NOON, 1);
	dm_record_text(&row, DM_F_CERT_FINGERPRINT, DM_SV(SHA2));
	dm_record_text(&row, DM_F_CERT_SERIAL, DM_SV("4c:0b:1d"));
	dm_record_text(&row, DM_F_CERT_ISSUER, DM_SV("CN=WEBMAIL"));
	dm_record_int(&row, DM_F_CERT_NOT_AFTER, NOON);
	dm_record_text(&row, DM_F_SAN_DOMAIN, DM_SV("mail.example"));
	dm_record_text(&row, DM_F_SAN_IP, DM_SV("192.0.2.5"));
	expect(YES("[x509-certificate:hashes.'SHA-256' = '" SHA2 "']",
		   "[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:serial_number = '4c:0b:1d']",
		   "[x509-certificate:validity_not_after <= t'2014-12-20T00:00:00Z']",
		   "[domain-name:value = 'mail.example']",
		   "[x509-certificate:x509_v3_extensions.subject_alternative_name = 'DNS:mail.example, IP "
		   "Address:192.0.2.5']"),
	       NO("[EXISTS x509-certificate:subject]"));
}

static void a_mail(void **state)
{
	(void)state;
	start(DM_KIND_MAIL);
	dm_record_text(&row, DM_F_MAIL_FROM, DM_SV("jdoe@example.com"));
	dm_record_text(&row, DM_F_MAIL_TO, DM_SV("a@example.org"));
	dm_record_text(&row, DM_F_MAIL_TO, DM_SV("b@example.org"));
	dm_record_text(&row, DM_F_MAIL_SUBJECT, DM_SV("Conference Info"));
	dm_record_text(&row, DM_F_MAILER, DM_SV("Mailer 1"));
	expect(YES("[email-addr:value = 'b@example.org']",
		   "[email-message:from_ref.value = 'jdoe@EXAMPLE.com']",
		   "[email-message:from_ref.value MATCHES '.+\\\\@example\\\\.com$' AND "
		   "email-message:subject = 'Conference Info']",
		   "[email-message:to_refs[1].value = 'b@example.org']",
		   "[email-message:to_refs[*].value = 'a@example.org']",
		   "[email-message:additional_header_fields.'X-Mailer' = 'Mailer 1']",
		   "[network-traffic:protocols[*] = 'smtp']"),
	       NO("[email-message:to_refs[*].value = 'jdoe@example.com']",
		  "[EXISTS email-message:sender_ref]"));
}

static void a_login_and_an_alert(void **state)
{
	(void)state;
	start(DM_KIND_LOGIN);
	dm_record_text(&row, DM_F_USER_NAME, DM_SV("root"));
	dm_record_text(&row, DM_F_CLIENT_SOFTWARE, DM_SV("SSH-2.0-libssh"));
	expect(YES("[user-account:account_login = 'root']", "[user-account:user_id = 'root']",
		   "[software:name LIKE '%libssh']", "[network-traffic:src_ref.value = '192.0.2.1']"),
	       NO("[EXISTS x-alert:name]"));
	start(DM_KIND_ALERT);
	dm_record_text(&row, DM_F_RULE_NAME, DM_SV("ET MALWARE"));
	dm_record_int(&row, DM_F_SEVERITY, 1);
	dm_record_text(&row, DM_F_MUTEX, DM_SV("Global\\x"));
	dm_record_text(&row, DM_F_REGISTRY, DM_SV("HKLM\\Software\\Evil"));
	dm_record_text(&row, DM_F_PROCESS_NAME, DM_SV("bh"));
	dm_record_text(&row, DM_F_PROCESS_COMMAND, DM_SV("bh --now"));
	expect(YES("[x-alert:name = 'ET MALWARE' AND x-alert:severity < 2]", "[mutex:name = 'Global\\\\x']",
		   "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\Evil']",
		   "[windows-registry-key:key = 'hklm\\\\software\\\\evil']", "[process:name='bh']",
		   "[process:image_ref.name = 'bh' AND process:command_line = 'bh --now']"),
	       NO("[EXISTS user-account:user_id]"));
}

static void stored_observed_data(void **state)
{
	(void)state;
	dm_record_start(&row, DM_KIND_OBSERVED, NOON, 1);
	dm_record_int(&row, DM_F_END, NOON + 7000000);
	dm_record_int(&row, DM_F_OBSERVED_COUNT, 3);
	dm_record_text(&row, DM_F_OBSERVED_OBJECTS,
		       DM_SV("[{\"type\": \"x-custom\", \"id\": \"x-custom--1\", \"n_ref\": "
			     "\"ipv4-addr--1\"}, {\"type\": "
			     "\"ipv4-addr\", \"id\": \"ipv4-addr--1\", \"value\": \"198.51.100.7\"}]"));
	/* As the specification says, since these values are not ours. */
	expect(YES("[x-custom:n_ref.value = '198.51.100.7']"), NO("[ipv4-addr:value = '198.51.100.7/32']"));
	dm_record_start(&row, DM_KIND_OBSERVED, NOON, 1);
	dm_record_text(
		&row, DM_F_OBSERVED_OBJECTS,
		DM_SV("{\"0\": {\"type\": \"a\", \"b_ref\": \"1\"}, \"1\": {\"type\": \"c\", \"d\": 1}}"));
	expect(YES("[a:b_ref.d = 1]"), NO("[a:d = 1]"));
	dm_record_start(&row, DM_KIND_OBSERVED, NOON, 1);
	expect((const char *const[]){NULL}, NO("[a:d = 1]"));
}

static void times_and_counts_are_those_of_the_row(void **state)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};

	(void)state;
	start(DM_KIND_FLOW);
	assert_int_equal(dm_observation_from_record(&g, &row, &err), 0);
	assert_true(g.o.first == NOON && g.o.last == NOON && g.o.number_observed == 1);
	dm_record_int(&row, DM_F_DURATION, 5);
	assert_int_equal(dm_observation_from_record(&g, &row, &err), 0);
	assert_true(g.o.first == NOON && g.o.last == NOON + 5 && g.o.canonical);
	dm_record_int(&row, DM_F_END, NOON + 9);
	assert_int_equal(dm_observation_from_record(&g, &row, &err), 0);
	assert_true(g.o.last == NOON + 9);
	dm_record_start(&row, DM_KIND_OBSERVED, NOON, 1);
	dm_record_int(&row, DM_F_OBSERVED_COUNT, 3);
	assert_int_equal(dm_observation_from_record(&g, &row, &err), 0);
	assert_true(g.o.number_observed == 3 && !g.o.canonical && g.o.count == 0);
	dm_record_text(&row, DM_F_OBSERVED_OBJECTS, DM_SV("[{\"type\""));
	assert_int_equal(dm_observation_from_record(&g, &row, &err), DM_EFORMAT);
	dm_record_start(&row, DM_KIND_FLOW, DM_NO_TIME, 1);
	dm_record_int(&row, DM_F_DURATION, 5);
	assert_int_equal(dm_observation_from_record(&g, &row, &err), 0);
	assert_true(g.o.first == DM_NO_TIME && g.o.last == DM_NO_TIME);
	dm_observed_graph_done(&g);
}

static int start_row(void **state)
{
	(void)state;
	dm_record_init(&row);
	return 0;
}

static int end_row(void **state)
{
	(void)state;
	dm_record_done(&row);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow),
		cmocka_unit_test(a_flow_of_ipv6),
		cmocka_unit_test(a_dns_answer),
		cmocka_unit_test(a_web_request),
		cmocka_unit_test(a_tls_connection),
		cmocka_unit_test(a_file),
		cmocka_unit_test(a_certificate),
		cmocka_unit_test(a_mail),
		cmocka_unit_test(a_login_and_an_alert),
		cmocka_unit_test(stored_observed_data),
		cmocka_unit_test(times_and_counts_are_those_of_the_row),
	};

	return cmocka_run_group_tests(tests, start_row, end_row);
}
