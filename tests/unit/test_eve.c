/* Units of import/: Suricata's events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "sink_recorder.h"

static struct recorder r;

static int setup(void **state)
{
	recorder_init(&r);
	return 0;
}

static int teardown(void **state)
{
	recorder_done(&r);
	return 0;
}

static void has(size_t i, const char *pair)
{
	if (!recorder_has(&r, i, pair))
		fail_msg("no %s in %s", pair, recorder_record(&r, i));
}

static void lacks(size_t i, const char *name)
{
	if (recorder_values(&r, i, name))
		fail_msg("%s in %s", name, recorder_record(&r, i));
}

static void run(const char *name, const char *text)
{
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_eve, name, text, strlen(text), NULL), 0);
}

#define EVENT(type, rest)                                                                                    \
	"{\"timestamp\":\"2021-06-06T16:26:27.431769+0200\",\"flow_id\":1567838537225881,\"event_type\":"    \
	"\"" type "\",\"src_ip\":\"192.0.2.1\",\"src_port\":35790,\"dest_ip\":\"198.51.100.1\",\"dest_"      \
	"port\":80,\"proto\":\"TCP\"" rest "}\n"

static void dates_a_flow_by_its_start(void **state)
{
	run("x", EVENT("flow", ",\"app_proto\":\"failed\",\"flow\":{\"pkts_toserver\":12,\"pkts_toclient\":3,"
			       "\"bytes_toserver\":4056,"
			       "\"bytes_toclient\":99,\"start\":\"2021-06-06T16:00:00.5+0200\",\"end\":"
			       "\"2021-06-06T16:00:02+0200\","
			       "\"age\":2,\"state\":\"new\",\"reason\":\"timeout\"},\"vlan\":[7,8],"
			       "\"community_id\":\"1:x=\",\"host\":\"s1\""));
	assert_string_equal(recorder_record(&r, 0),
			    "flow|2021-06-06T14:00:00.500000Z|1|event.id=1567838537225881|source.ip=192.0.2."
			    "1|source.port=35790|"
			    "destination.ip=198.51.100.1|destination.port=80|network.transport=tcp|network."
			    "connection.state=new|"
			    "network.vlan.id=7|network.vlan.id=8|network.community_id=1:x=|observer.name=s1|"
			    "event.end=2021-06-06T14:00:02Z|event.duration=1500000|source.packets=12|"
			    "destination.packets=3|"
			    "source.bytes=4056|destination.bytes=99|event.dataset=suricata.flow");
	run("x", EVENT("netflow", ",\"netflow\":{\"pkts\":2,\"bytes\":120,\"start\":\"2021-06-06T16:00:00+"
				  "0200\",\"min_ttl\":64}"));
	has(0, "source.packets=2");
	has(0, "source.bytes=120");
	lacks(0, "destination.bytes");
	assert_true(!strncmp(recorder_record(&r, 0), "flow|2021-06-06T14:00:00Z|", 26));
}

static void reads_every_version_of_dns(void **state)
{
	/* 4: an event for each answer */
	run("x", EVENT("dns", ",\"dns\":{\"type\":\"answer\",\"id\":2,\"rcode\":\"NOERROR\",\"rrname\":\"A."
			      "example\",\"rrtype\":\"A\","
			      "\"ttl\":60,\"rdata\":\"192.0.2.9\"}"));
	has(0, "dns.question.name=a.example");
	has(0, "dns.resolved_ip=192.0.2.9");
	has(0, "dns.answers.ttl=60");
	has(0, "dns.type=answer");
	/* 5 to 7: details and groups say the same */
	run("x", EVENT("dns", ",\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":2,\"flags\":\"8180\","
			      "\"qr\":true,\"rd\":true,\"ra\":true,"
			      "\"aa\":false,\"rrname\":\"a.example\",\"rrtype\":\"A\",\"rcode\":\"NOERROR\","
			      "\"answers\":[{\"rrname\":\"a.example\","
			      "\"rrtype\":\"CNAME\",\"ttl\":5,\"rdata\":\"c.example\"},{\"rrname\":\"c."
			      "example\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.9\"},"
			      "{\"rrtype\":\"SOA\",\"soa\":{\"mname\":\"ns.example\",\"serial\":1}}],"
			      "\"grouped\":{\"CNAME\":[\"c.example\"],\"A\":[\"192.0.2.9\",\"192.0.2.10\"],"
			      "\"TXT\":[\"v=x y\"]}}"));
	assert_int_equal(recorder_values(&r, 0, "dns.resolved_ip"), 2);
	has(0, "dns.resolved_ip=192.0.2.10");
	assert_int_equal(recorder_values(&r, 0, "dns.answers.data"), 2);
	has(0, "dns.answers.data=ns.example");
	has(0, "dns.answers.text=v=x y");
	has(0, "dns.header_flags=RD");
	assert_int_equal(recorder_values(&r, 0, "dns.header_flags"), 2);
	assert_int_equal(recorder_values(&r, 0, "dns.question.name"), 1);
	lacks(0, "event.unparsed");
	/* 8 */
	run("x",
	    EVENT("dns",
		  ",\"dns\":{\"version\":3,\"type\":\"response\",\"tx_id\":0,\"id\":2,\"rcode\":\"NXDOMAIN\","
		  "\"queries\":[{\"rrname\":\"b.example\",\"rrtype\":\"AAAA\"}],\"answers\":[{\"rdata\":"
		  "\"2001:db8::1\"}]}"));
	has(0, "dns.question.name=b.example");
	has(0, "dns.question.type=AAAA");
	has(0, "dns.response_code=NXDOMAIN");
	has(0, "dns.resolved_ip=2001:db8::1");
}

static void reads_http(void **state)
{
	run("x",
	    EVENT("http",
		  ",\"http\":{\"hostname\":\"Evil.example\",\"url\":\"/"
		  "a?b\",\"http_user_agent\":\"curl\",\"http_method\":\"GET\","
		  "\"protocol\":\"HTTP/1.1\",\"status\":200,\"length\":5,\"http_refer\":\"http://r.example/"
		  "\",\"xff\":\"203.0.113.5\","
		  "\"request_headers\":[{\"name\":\"X-Forwarded-For\",\"value\":\"203.0.113.7, 10.0.0.1\"},"
		  "{\"name\":\"User-Agent\",\"value\":\"curl\"},{\"name\":\"Accept\",\"value\":\"*\"}]}"));
	has(0, "url.full=http://evil.example/a?b");
	has(0, "url.domain=evil.example");
	has(0, "network.forwarded_ip=203.0.113.5");
	has(0, "network.forwarded_ip=203.0.113.7");
	has(0, "network.forwarded_ip=10.0.0.1");
	has(0, "http.response.status_code=200");
	has(0, "http.response.body.bytes=5");
	assert_int_equal(recorder_values(&r, 0, "user_agent.original"), 1);
	/* the port of the Host header wins; without a host the server's address stands in */
	run("x", EVENT("http", ",\"http\":{\"hostname\":\"e.example\",\"http_port\":8081,\"url\":\"/\"}"));
	has(0, "url.full=http://e.example:8081/");
	run("x", EVENT("http", ",\"http\":{\"url\":\"/bin.sh\"}"));
	has(0, "url.full=http://198.51.100.1/bin.sh");
	/* HTTP/2 pseudo headers */
	run("x", EVENT("http", ",\"http\":{\"version\":\"2\",\"http2\":{\"stream_id\":1,\"request\":{}},"
			       "\"request_headers\":"
			       "[{\"name\":\":authority\",\"value\":\"h2.example\"},{\"name\":\":path\","
			       "\"value\":\"/p\"},{\"name\":\":method\",\"value\":\"PUT\"}]}"));
	has(0, "url.full=http://h2.example/p");
	has(0, "http.request.method=PUT");
	lacks(0, "event.unparsed");
}

static void reads_tls_quic_files_mail(void **state)
{
	run("x", EVENT("tls", ",\"tls\":{\"subject\":\"C=X, "
			      "CN=c2.example\",\"issuerdn\":\"CN=CA\",\"serial\":\"17:8E\",\"fingerprint\":"
			      "\"2d:d1:9f:80:99:86:fc:ac:5f:2a:2a:fd:a3:f3:7e:96:7c:dd:24:37\",\"sni\":\"S."
			      "example\",\"version\":\"TLS 1.2\","
			      "\"notbefore\":\"2020-03-19T09:44:08\",\"ja3\":{\"hash\":"
			      "\"b7202231ff2db28363c109cedc6d1642\",\"string\":\"770\"},"
			      "\"ja3s\":{\"hash\":\"ad90cab724fafab2660fbf61673c91a9\"},\"ja4\":\"t13d1516h2_"
			      "8daaf6152771_e5627efa2ab1\","
			      "\"subjectaltname\":[\"*.example\",\"192.0.2.3\"],\"certificate\":\"MII\","
			      "\"chain\":[\"MII\"]}"));
	has(0, "tls.server.certificate_fingerprint=2dd19f809986fcac5f2a2afda3f37e967cdd2437");
	has(0, "tls.client.server_name=s.example");
	has(0, "tls.client.ja3=b7202231ff2db28363c109cedc6d1642");
	has(0, "tls.server.ja3s=ad90cab724fafab2660fbf61673c91a9");
	has(0, "tls.client.ja4=t13d1516h2_8daaf6152771_e5627efa2ab1");
	has(0, "related.hosts=c2.example");
	has(0, "x509.alternative_names=*.example");
	has(0, "x509.alternative_ips=192.0.2.3");
	has(0, "x509.not_before=2020-03-19T09:44:08Z");
	lacks(0, "event.unparsed");
	run("x", EVENT("quic", ",\"quic\":{\"version\":\"1\",\"sni\":\"q.example\",\"ja3\":{\"hash\":"
			       "\"b7202231ff2db28363c109cedc6d1642\",\"string\":\"x\"}}"));
	has(0, "tls.client.server_name=q.example");
	assert_int_equal(r.kind[DM_KIND_TLS], 1);
	run("x", EVENT("fileinfo",
		       ",\"fileinfo\":{\"filename\":\"/dl/"
		       "eicar.com\",\"size\":68,\"md5\":\"df7c845e4eadd7bac6cbfe2087bbd482\","
		       "\"sha256\":\"b2dafbcdbc75210672f137f27ce882ccb799887631655d4f11191d5a678e44fe\","
		       "\"magic\":\"data\",\"state\":\"CLOSED\"}"));
	has(0, "file.name=eicar.com");
	has(0, "file.path=/dl/eicar.com");
	has(0, "file.hash.md5=df7c845e4eadd7bac6cbfe2087bbd482");
	has(0, "file.hash.sha256=b2dafbcdbc75210672f137f27ce882ccb799887631655d4f11191d5a678e44fe");
	has(0, "event.unparsed=fileinfo.magic=data");
	run("x",
	    EVENT("smtp",
		  ",\"smtp\":{\"helo\":\"m.example\",\"mail_from\":\"<a@b.example>\",\"rcpt_to\":[\"<c@d."
		  "example>\",\"<e@f.example>\"]},"
		  "\"email\":{\"from\":\"A "
		  "<a@B.example>\",\"to\":[\"c@d.example\"],\"subject\":\"s\",\"attachment\":[\"x.doc\"]}"));
	has(0, "email.sender.address=a@b.example");
	assert_int_equal(recorder_values(&r, 0, "email.recipient.address"), 2);
	has(0, "email.from.address=a@b.example");
	has(0, "file.name=x.doc");
	has(0, "email.helo=m.example");
	run("x", EVENT("ssh", ",\"ssh\":{\"client\":{\"proto_version\":\"2.0\",\"software_version\":\"Go\","
			      "\"hassh\":{\"hash\":\"h\",\"string\":\"s\"}},"
			      "\"server\":{\"software_version\":\"OpenSSH\"}}"));
	has(0, "client.software=Go");
	has(0, "server.software=OpenSSH");
	has(0, "ssh.client.hassh=h");
	assert_int_equal(r.kind[DM_KIND_LOGIN], 1);
}

static void finds_an_alert_by_what_it_fired_on(void **state)
{
	run("x",
	    EVENT("alert",
		  ",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":2403388,\"signature\":\"ET "
		  "X\",\"category\":\"Misc\","
		  "\"severity\":2,\"metadata\":{\"tag\":[\"CINS\"],\"signature_severity\":[\"Major\"]}},"
		  "\"http\":{\"hostname\":\"evil.example\",\"url\":\"/x\"},\"tls\":{\"sni\":\"t.example\"},"
		  "\"dns\":{\"query\":[{\"rrname\":\"d.example\"}],\"answer\":{\"answers\":[{\"rdata\":\"192."
		  "0.2.66\"}]}},"
		  "\"files\":[{\"filename\":\"f.exe\",\"sha1\":\"8800350f53cb7bfc883962e965461d94ab5d2616\"}]"
		  ","
		  "\"flow\":{\"pkts_toserver\":1,\"bytes_toserver\":60,\"bytes_toclient\":7,\"start\":\"2020-"
		  "01-01T00:00:00+0000\"},"
		  "\"payload\":\"AAAA\",\"packet\":\"AAAA\""));
	assert_true(!strncmp(recorder_record(&r, 0), "alert|2021-06-06T14:26:27.431769Z|", 34));
	has(0, "rule.id=2403388");
	has(0, "rule.name=ET X");
	has(0, "event.severity=2");
	has(0, "event.action=allowed");
	has(0, "tags=CINS");
	has(0, "url.full=http://evil.example/x");
	has(0, "tls.client.server_name=t.example");
	has(0, "dns.question.name=d.example");
	has(0, "dns.resolved_ip=192.0.2.66");
	has(0, "file.name=f.exe");
	has(0, "file.hash.sha1=8800350f53cb7bfc883962e965461d94ab5d2616");
	has(0, "source.bytes=60");
	assert_null(strstr(recorder_record(&r, 0), "AAAA"));
	/* fired on the reply: the client's bytes are the destination's */
	run("x", EVENT("alert", ",\"alert\":{\"signature_id\":1},\"direction\":\"to_client\",\"flow\":{"
				"\"bytes_toserver\":60,\"bytes_toclient\":7}"));
	has(0, "destination.bytes=60");
	has(0, "source.bytes=7");
	run("x", EVENT("alert", ",\"alert\":{\"signature_id\":1},\"flow\":{\"src_ip\":\"198.51.100.1\","
				"\"bytes_toserver\":60,\"bytes_toclient\":7}"));
	has(0, "destination.bytes=60");
}

static void loses_no_event_with_addresses(void **state)
{
	run("x",
	    EVENT("anomaly", ",\"anomaly\":{\"type\":\"applayer\",\"event\":\"E\"}") EVENT(
		    "krb5", ",\"krb5\":{\"cname\":\"bob\",\"sname\":\"krbtgt/X\"}")
		    EVENT("rdp", ",\"rdp\":{\"cookie\":\"bob\"}") EVENT(
			    "smb", ",\"smb\":{\"filename\":\"a\\\\b.exe\",\"share\":\"\\\\\\\\s\\\\c$\","
				   "\"command\":\"SMB2_COMMAND_CREATE\"}")
			    EVENT("ftp", ",\"ftp\":{\"command\":\"PASS\",\"command_data\":\"secret\"}") EVENT(
				    "ftp", ",\"ftp\":{\"command\":\"RETR\",\"command_data\":\"x.bin\","
					   "\"reply\":[\"ok\"]}")
				    EVENT("snmp",
					  ",\"snmp\":{\"community\":\"secret\",\"pdu_type\":\"get_request\"}")
					    EVENT("dhcp", ",\"dhcp\":{\"client_mac\":\"08:00:27:7f:09:e1\","
							  "\"assigned_ip\":\"0.0.0.0\",\"hostname\":\"pc\"}")
						    EVENT("brandnew", ",\"brandnew\":{\"peer\":\"192.0.2."
								      "77\",\"word\":\"x\"}"));
	assert_int_equal(r.records, 9);
	has(0, "rule.name=E");
	has(1, "user.name=bob");
	has(1, "event.unparsed=krb5.sname=krbtgt/X");
	has(2, "user.name=bob");
	has(3, "file.name=b.exe");
	has(3, "file.path=\\\\s\\c$");
	has(5, "file.name=x.bin");
	has(7, "source.mac=08:00:27:7f:09:e1");
	lacks(7, "related.ip");
	has(8, "related.ip=192.0.2.77");
	has(8, "event.unparsed=brandnew.word=x");
	has(8, "event.dataset=suricata.brandnew");
	for (size_t i = 0; i < 9; i++)
		assert_null(strstr(recorder_record(&r, i), "secret"));
}

static void says_what_holds_nothing(void **state)
{
	run("x",
	    "{\"timestamp\":\"2021-06-06T16:26:27+0200\",\"event_type\":\"stats\",\"stats\":{\"uptime\":1}}\n"
	    "{\"timestamp\":\"2021-06-06T16:26:35+0200\",\"event_type\":\"stats\",\"stats\":{\"uptime\":9}}\n"
	    "{\"timestamp\":\"x\",\"event_type\":\"mood\",\"mood\":\"good\"}\n{\"a\":1}\n");
	assert_int_equal(r.records, 0);
	assert_string_equal(recorder_skip(&r, 0), "4: no event_type: not a Suricata event");
	assert_string_equal(recorder_skip(&r, 1), "1: Suricata event 'stats' holds no observations (2 rows)");
	assert_string_equal(recorder_skip(&r, 2), "3: Suricata event 'mood' holds no observations (1 row)");
}

static void survives_strange_structures(void **state)
{
	struct dm_buf b;

	run("x",
	    EVENT("http",
		  ",\"http\":[[{\"url\":5}]],\"dns\":7,\"tls\":null,\"vlan\":{\"a\":[1]}") "{\"event_type\":["
											   "],\"src_ip\":{}}"
											   "\n");
	assert_int_equal(r.records, 1);
	/* a path longer than any we know */
	dm_buf_init(&b, 1u << 20);
	dm_buf_str(&b, "{\"timestamp\":\"2021-06-06T16:26:27+0200\",\"event_type\":\"http\",\"src_ip\":\"192."
		       "0.2.1\",\"");
	for (int i = 0; i < 300; i++)
		dm_buf_putc(&b, 'k');
	dm_buf_str(&b, "\":1}\n");
	run("x", dm_buf_cstr(&b));
	dm_buf_done(&b);
	assert_int_equal(r.records, 1);
	assert_int_equal(r.skips, 1);
}

/* Counted by tests/tools/count_eve.py. */
static void agrees_with_an_independent_count(void **state)
{
	char path[512];

	if (!recorder_shared("data/suricata/slips-malicious-eve.json.zst", path, sizeof(path)))
		skip();
	r.keep = 0;
	assert_int_equal(recorder_run_file(&r, &dm_import_eve, path, NULL), 0);
	assert_int_equal(r.records, 5000);
	assert_int_equal(r.skips, 0);
	assert_int_equal(r.kind[DM_KIND_FLOW], 3512);
	assert_int_equal(r.kind[DM_KIND_ALERT], 748);
	assert_int_equal(r.kind[DM_KIND_DNS], 680);
	assert_int_equal(r.kind[DM_KIND_HTTP], 56);
	assert_int_equal(r.kind[DM_KIND_FILE], 3);
	assert_int_equal(r.kind[DM_KIND_TLS], 1);
	assert_int_equal(r.field[DM_F_SRC_IP], 5000);
	assert_int_equal(r.field[DM_F_RULE_ID], 745);
	assert_true(recorder_shared("data/suricata/verify-fileinfo-eve.json", path, sizeof(path)));
	recorder_clear(&r);
	assert_int_equal(recorder_run_file(&r, &dm_import_eve, path, NULL), 0);
	assert_int_equal(r.kind[DM_KIND_FILE], 1);
}

static void tells_its_own(void **state)
{
	static const struct {
		const char *text;
		bool ours;
	} heads[] = {
		{EVENT("flow", ""), true},
		{"[" EVENT("flow", "") "]", true},
		{"{\n\"timestamp\": \"x\",\n\"event_type\": \"dns\",\n\"src_ip\": \"192.0.2.1\"\n}\n", true},
		{"{\"ts\":1,\"uid\":\"C\"}\n", false},
		{"08/02/2014-10:50:25.823699  [**] [1:6:1] (null) [**]\n", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(dm_import_eve.probe(dm_sv_str(heads[i].text), "x") > 0, heads[i].ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(dates_a_flow_by_its_start, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_every_version_of_dns, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_http, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_tls_quic_files_mail, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_an_alert_by_what_it_fired_on, setup, teardown),
		cmocka_unit_test_setup_teardown(loses_no_event_with_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(says_what_holds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(survives_strange_structures, setup, teardown),
		cmocka_unit_test_setup_teardown(agrees_with_an_independent_count, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_its_own, setup, teardown),
	};

	return cmocka_run_group_tests_name("eve", tests, NULL, NULL);
}
