/* Units of import/: Zeek's TSV logs in all the variants that are met. */
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

#define HEAD(path, fields, types)                                                                            \
	"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" path          \
	"\n#open\t2024-04-19-00-00-00\n#fields\t" fields "\n#types\t" types "\n"
#define CONN_FIELDS                                                                                          \
	"ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\t"        \
	"resp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\t"                 \
	"orig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents"
#define CONN_TYPES                                                                                           \
	"time\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\t"   \
	"count\tstring\tcount\tcount\tcount\tcount\tset[string]"
#define CONN_HEAD HEAD("conn", CONN_FIELDS, CONN_TYPES)
#define CONN_ROW                                                                                             \
	"1713484795.943239\tCqJC8mIZZNGKqXbw7\t192.0.2.7\t50123\t198.51.100.9\t443\ttcp\tssl\t0.037629\t"    \
	"517\t4012\tSF\tT\tF\t0\tShADadFf\t12\t1153\t11\t4596\t-\n"
#define CONN_TEXT                                                                                            \
	"flow|2024-04-18T23:59:55.943239Z|9|event.id=CqJC8mIZZNGKqXbw7|source.ip=192.0.2.7|"                 \
	"source.port=50123|destination.ip=198.51.100.9|destination.port=443|network.transport=tcp|"          \
	"network.protocol=ssl|event.duration=37629|source.payload_bytes=517|"                                \
	"destination.payload_bytes=4012|network.connection.state=SF|source.local=true|"                      \
	"destination.local=false|network.missed_bytes=0|network.connection.history=ShADadFf|"                \
	"source.packets=12|source.bytes=1153|destination.packets=11|destination.bytes=4596|"                 \
	"event.dataset=zeek.conn"

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

static void run(const char *name, const char *text)
{
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, name, text, strlen(text), NULL), 0);
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

static void reads_a_conn_row_whole(void **state)
{
	run("conn.log", CONN_HEAD CONN_ROW "#close\t2024-04-19-01-00-00\n");
	assert_int_equal(r.records, 1);
	assert_string_equal(recorder_record(&r, 0), CONN_TEXT);
	assert_int_equal(r.skips, 0);
	assert_int_equal(r.last_line, 10);
}

static void takes_prefixed_underscored_and_reordered_columns(void **state)
{
	run("x",
	    HEAD("conn", "_node_name\t_write_ts\tid_resp_h\tid_resp_p\tts\tid_orig_h\tproto\t_system_name",
		 "string\ttime\taddr\tport\ttime\taddr\tenum\tstring") "sensor-1\t1713484799.1\t2001:db8::"
								       "1\t53\t1713484795.5\t::ffff:192.0.2."
								       "1\tudp\tsite-b\n");
	assert_string_equal(
		recorder_record(&r, 0),
		"flow|2024-04-18T23:59:55.500000Z|9|observer.name=sensor-1|destination.ip=2001:db8::1|"
		"destination.port=53|source.ip=192.0.2.1|network.transport=udp|"
		"observer.name=site-b|event.dataset=zeek.conn");
}

static void keeps_what_it_does_not_know(void **state)
{
	run("x", HEAD("conn", "ts\tid.orig_h\tsite_risk\tproxy_addr\tlabel\tdetailedlabel",
		      "time\taddr\tstring\taddr\tstring\tstring") "1.000000\t192.0.2.1\thigh\t203.0.113."
								  "5\tMalicious\tFrom_x-To_y\n");
	has(0, "event.unparsed=site_risk=high");
	has(0, "related.ip=203.0.113.5");
	has(0, "tags=Malicious");
	has(0, "tags=From_x-To_y");
}

static void splits_labels_glued_on_with_spaces(void **state)
{
	run("conn.log.labeled",
	    HEAD("conn", "ts\tid.orig_h\ttunnel_parents   label   detailed-label",
		 "time\taddr\tset[string]   string   string") "1.000000\t192.0.2.1\t(empty)   Malicious   "
							      "C&C\n"
							      "2.000000\t192.0.2.1\t-   Benign   -\n");
	assert_int_equal(r.records, 2);
	has(0, "tags=Malicious");
	has(0, "tags=C&C");
	lacks(0, "network.tunnel_parents");
	assert_int_equal(recorder_values(&r, 1, "tags"), 1);
}

static void takes_joined_files_and_a_change_of_log(void **state)
{
	run("x", CONN_HEAD CONN_ROW "#close\tx\n" CONN_HEAD CONN_ROW HEAD(
			 "dns", "ts\tuid\tquery", "time\tstring\tstring") "1.0\tC1\tExample.COM.\n");
	assert_int_equal(r.records, 3);
	assert_int_equal(r.kind[DM_KIND_FLOW], 2);
	has(2, "dns.question.name=example.com");
	has(2, "event.dataset=zeek.dns");
	assert_int_equal(r.skips, 0);
}

static void takes_white_space_before_and_a_byte_order_mark(void **state)
{
	run("x", "\t" CONN_HEAD CONN_ROW);
	assert_string_equal(recorder_record(&r, 0), CONN_TEXT);
	run("x", "\xef\xbb\xbf" CONN_HEAD CONN_ROW);
	assert_string_equal(recorder_record(&r, 0), CONN_TEXT);
	run("x", "#separator\t\\x09\n#path\tconn\n#fields\tts\tid.orig_h\n\n1.5\t192.0.2.1\n");
	assert_string_equal(recorder_record(&r, 0),
			    "flow|1970-01-01T00:00:01.500000Z|5|source.ip=192.0.2.1|event.dataset=zeek.conn");
}

static void takes_other_separators_and_marks(void **state)
{
	run("x", "#separator |\n#set_separator|;\n#empty_field|EMPTY\n#unset_field|NULL\n#path|http\n"
		 "#fields|ts|id.resp_h|tags|host|uri|method|id.resp_p\n#types|time|addr|set[enum]|string|"
		 "string|string|port\n"
		 "1.0|192.0.2.1|a;b|example.com|/x|GET|8080\n2.0|NULL|EMPTY|-|NULL|NULL|80\n");
	has(0, "tags=a");
	has(0, "tags=b");
	has(0, "url.full=http://example.com:8080/x");
	has(1, "url.domain=-");
	lacks(1, "tags");
	run("x", "#separator \\x2c\n#set_separator,;\n#path,conn\n#fields,ts,id.orig_h\n3.0,192.0.2.9\n");
	has(0, "source.ip=192.0.2.9");
}

static void decodes_escapes(void **state)
{
	run("x",
	    HEAD("http", "ts\tuser_agent\treferrer\tproxied\ttags",
		 "time\tstring\tstring\tset[string]\tset[enum]") "1.0\tna\\xc3\\xafve \\\\ \\x09 tab \\q "
								 "\\xzz\t-\tX-FORWARDED-FOR -> "
								 "203.0.113.7\\x2c 10.1.1.1,VIA -> 1.1 "
								 "p\ta\\x2cb\n");
	has(0, "user_agent.original=na\xc3\xafve \\ \t tab \\q \\xzz");
	has(0, "network.forwarded_ip=203.0.113.7");
	has(0, "network.forwarded_ip=10.1.1.1");
	has(0, "event.unparsed=proxied=VIA -> 1.1 p");
	has(0, "tags=a,b");
}

static void reports_rows_of_the_wrong_width(void **state)
{
	run("x", HEAD("dns", "ts\tuid\tquery", "time\tstring\tstring") "1.0\tC1\n2.0\tC2\tb.example\t\n"
								       "3.0\tC3\tc.example\textra\n");
	assert_int_equal(r.records, 2);
	assert_int_equal(r.skips, 1);
	assert_string_equal(recorder_skip(&r, 0), "9: 2 columns where #fields names 3");
	lacks(0, "event.unparsed");
	has(1, "event.unparsed=column4=extra");
	assert_non_null(strstr(recorder_meta(&r, "note"), "more columns"));
}

static void keeps_rows_with_bad_values(void **state)
{
	run("x", HEAD("conn", "ts\tid.orig_h\tid.orig_p\tduration\tlocal_orig",
		      "time\taddr\tport\tinterval\tbool") "yesterday\tnowhere\tx\tlong\tM\n");
	assert_int_equal(r.records, 1);
	assert_true(!strncmp(recorder_record(&r, 0), "flow|-|9|", 9));
	has(0, "event.unparsed=ts=yesterday");
	has(0, "event.unparsed=source.ip=nowhere");
	has(0, "event.unparsed=id.orig_p=x");
	has(0, "event.unparsed=duration=long");
	has(0, "event.unparsed=local_orig=M");
}

static void reads_unusual_numbers(void **state)
{
	run("x", HEAD("conn", "ts\tduration\torig_bytes\tid.resp_h",
		      "time\tinterval\tcount\taddr") "2018-03-24T17:15:20.865716Z\t4.294967e+"
						     "09\t18446744073709551615\t10.0.0.01\n"
						     "-1.5\t0.1234567\t9223372036854775807\tfe80::1%eth0\n");
	assert_true(!strncmp(recorder_record(&r, 0), "flow|2018-03-24T17:15:20.865716Z|", 33));
	has(0, "event.duration=4294967000000000");
	has(0, "event.unparsed=orig_bytes=18446744073709551615");
	has(0, "event.unparsed=destination.ip=10.0.0.01");
	assert_true(!strncmp(recorder_record(&r, 1), "flow|1969-12-31T23:59:58.500000Z|", 33));
	has(1, "event.duration=123457");
	has(1, "source.payload_bytes=9223372036854775807");
	has(1, "destination.ip=fe80::1");
}

static void guesses_a_headerless_conn_log_only(void **state)
{
	run("conn_top.log", CONN_ROW CONN_ROW);
	assert_int_equal(r.records, 2);
	has(1, "destination.bytes=4596");
	assert_non_null(strstr(recorder_meta(&r, "note"), "no header lines"));
	recorder_clear(&r);
	const char *dns = "1713484795.943239\tCqJC8mIZZNGKqXbw7\t192.0.2.7\t50123\t198.51.100.9\t53\tudp\n";
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "dns.log", dns, strlen(dns), NULL),
			 DM_EFORMAT);
	assert_int_equal(r.err.line, 1);
	assert_non_null(strstr(r.err.msg, "#fields"));
	assert_non_null(strstr(r.err.remedy, "header"));
	assert_int_equal(r.records, 0);
}

static void says_which_logs_hold_nothing(void **state)
{
	run("stats.log",
	    HEAD("stats", "ts\tpeer\tmem", "time\tstring\tcount") "1.0\tzeek\t5\n2.0\tzeek\t6\n");
	assert_int_equal(r.records, 0);
	assert_int_equal(r.skips, 1);
	assert_string_equal(recorder_skip(&r, 0), "9: Zeek log 'stats' holds no observations (2 rows)");
	run("x", HEAD("my_own", "ts\tmood", "time\tstring") "1.0\tgood\n");
	assert_string_equal(recorder_skip(&r, 0), "9: Zeek log 'my_own' holds no observations (1 row)");
	run("x", HEAD("my_own", "ts\tid.orig_h\tmood", "time\taddr\tstring") "1.0\t192.0.2.1\tgood\n");
	assert_string_equal(recorder_record(&r, 0), "flow|1970-01-01T00:00:01Z|9|source.ip=192.0.2.1|"
						    "event.unparsed=mood=good|event.dataset=zeek.my_own");
	run("x", HEAD("conn", "ts\tid.orig_h", "time\taddr"));
	assert_int_equal(r.records + r.skips, 0);
}

/* Columns and types stand with a space between, the row with a bar. */
struct mapped {
	enum dm_kind kind;
	const char *path, *fields, *types, *row;
	const char *want[12];
};

static const struct mapped mapped[] = {
	{DM_KIND_DNS,
	 "dns",
	 "ts query qtype_name rcode_name AA RD RA answers TTLs rejected rtt",
	 "time string string string bool bool bool vector[string] vector[interval] bool interval",
	 "1.0|WWW.Example.com|A|NOERROR|F|T|T|cdn.example.net,192.0.2.5,2001:db8::5,TXT 5 "
	 "v=spf1|60.000000,0.5|F|0.001",
	 {"dns.question.name=www.example.com", "dns.resolved_ip=192.0.2.5", "dns.resolved_ip=2001:db8::5",
	  "dns.answers.data=cdn.example.net", "dns.answers.text=TXT 5 v=spf1", "dns.header_flags=RD",
	  "dns.header_flags=RA", "dns.answers.ttl=60", "dns.answers.ttl=0.5", "dns.rejected=false",
	  "event.duration=1000"}},
	{DM_KIND_HTTP,
	 "http",
	 "ts id.resp_h id.resp_p method host uri password resp_filenames referrer",
	 "time addr port string string string string vector[string] string",
	 "1.0|192.0.2.80|8080|POST|Evil.Example|/gate.php?id=1|secret|a/b.exe|http://X.example",
	 {"url.full=http://evil.example:8080/gate.php?id=1", "url.domain=evil.example",
	  "http.request.method=POST", "file.name=b.exe", "file.path=a/b.exe",
	  "http.request.referrer=http://x.example/"}},
	{DM_KIND_HTTP,
	 "http",
	 "ts id.resp_h id.resp_p method host uri",
	 "time addr port string string string",
	 "1.0|2001:db8::80|80|GET|-|/bin.sh",
	 {"url.full=http://[2001:db8::80]/bin.sh"}},
	{DM_KIND_HTTP,
	 "http",
	 "ts id.resp_h id.resp_p method host uri",
	 "time addr port string string string",
	 "1.0|192.0.2.3|3128|GET|proxy.example|http://target.example/x",
	 {"url.full=http://target.example/x", "url.domain=target.example", "url.domain=proxy.example"}},
	{DM_KIND_HTTP,
	 "http",
	 "ts id.resp_h id.resp_p method host uri",
	 "time addr port string string string",
	 "1.0|192.0.2.3|3128|CONNECT|target.example|target.example:443",
	 {"url.original=target.example:443", "url.domain=target.example"}},
	{DM_KIND_HTTP,
	 "http",
	 "ts id.resp_h id.resp_p method host uri",
	 "time addr port string string string",
	 "1.0|192.0.2.3|443|GET|192.0.2.3|/a",
	 {"url.full=https://192.0.2.3/a", "url.domain=192.0.2.3"}},
	{DM_KIND_TLS,
	 "ssl",
	 "ts version server_name established cert_chain_fps ja3 subject",
	 "time string string bool vector[string] string string",
	 "1.0|TLSv12|Www.Example.org|T|8800350f53cb7bfc883962e965461d94ab5d2616|"
	 "BD0bf25947d4a37404f0424edf4db9ad|CN=c2.example.net\\\\, x,O=X",
	 {"tls.client.server_name=www.example.org", "tls.established=true",
	  "tls.server.certificate_fingerprint=8800350f53cb7bfc883962e965461d94ab5d2616",
	  "tls.client.ja3=bd0bf25947d4a37404f0424edf4db9ad", "related.hosts=c2.example.net",
	  "tls.server.subject=CN=c2.example.net\\, x,O=X"}},
	{DM_KIND_FILE,
	 "files",
	 "ts fuid tx_hosts rx_hosts conn_uids source mime_type seen_bytes md5",
	 "time string set[addr] set[addr] set[string] string string count string",
	 "1.0|F1|192.0.2.1,192.0.2.2|192.0.2.3|C1,C2|SSL|application/"
	 "x-x509-user-cert|9|df7c845e4eadd7bac6cbfe2087bbd482",
	 {"source.ip=192.0.2.1", "source.ip=192.0.2.2", "destination.ip=192.0.2.3",
	  "related.connection_ids=C2", "event.id=F1", "file.size=9",
	  "file.hash.md5=df7c845e4eadd7bac6cbfe2087bbd482",
	  "x509.fingerprint=df7c845e4eadd7bac6cbfe2087bbd482", "network.protocol=ssl"}},
	{DM_KIND_FILE,
	 "files",
	 "ts fuid uid id.orig_h id.orig_p id.resp_h id.resp_p is_orig total_bytes seen_bytes",
	 "time string string addr port addr port bool count count",
	 "1.0|F1|C1|192.0.2.1|1000|192.0.2.2|80|F|-|7",
	 {"source.ip=192.0.2.2", "source.port=80", "destination.ip=192.0.2.1", "destination.port=1000",
	  "file.size=7"}},
	{DM_KIND_CERT,
	 "x509",
	 "ts fingerprint certificate.subject certificate.not_valid_after san.dns san.ip san.email",
	 "time string string time vector[string] vector[addr] vector[string]",
	 "1.0|8800350f53cb7bfc883962e965461d94ab5d2616|CN=a.example|2.0|*.B.example,192.0.2.4|192.0.2.5|x@Y."
	 "example",
	 {"x509.fingerprint=8800350f53cb7bfc883962e965461d94ab5d2616", "x509.alternative_names=*.b.example",
	  "x509.alternative_ips=192.0.2.4", "x509.alternative_ips=192.0.2.5",
	  "x509.alternative_emails=x@y.example", "x509.not_after=1970-01-01T00:00:02Z",
	  "related.hosts=a.example"}},
	{DM_KIND_MAIL,
	 "smtp",
	 "ts helo mailfrom rcptto from to path x_originating_ip subject",
	 "time string string set[string] string set[string] vector[addr] addr string",
	 "1.0|[192.0.2.9]|<a@B.example>|c@d.example,e@f.example|'A' <a@b.example>|C "
	 "<c@d.example>|192.0.2.2|192.0.2.7|hi",
	 {"email.sender.address=a@b.example", "email.recipient.address=c@d.example",
	  "email.recipient.address=e@f.example", "email.from.address=a@b.example",
	  "email.to.address=c@d.example", "email.received.ip=192.0.2.2", "network.forwarded_ip=192.0.2.7",
	  "related.ip=192.0.2.9", "email.subject=hi"}},
	{DM_KIND_LOGIN,
	 "ssh",
	 "ts id.orig_h auth_success auth_attempts client host_key",
	 "time addr bool count string string",
	 "1.0|192.0.2.1|F|3|SSH-2.0-Go|aa:bb",
	 {"event.outcome=failure", "authentication.attempts=3", "client.software=SSH-2.0-Go",
	  "ssh.host_key=aa:bb"}},
	{DM_KIND_LOGIN,
	 "rdp",
	 "ts cookie result client_name",
	 "time string string string",
	 "1.0|admin|Success|PC1",
	 {"user.name=admin", "source.hostname=PC1", "network.protocol=rdp"}},
	{DM_KIND_ALERT,
	 "notice",
	 "ts id.orig_h note msg sub src dst p actions",
	 "time addr enum string string addr addr port set[enum]",
	 "1.0|-|SSH::Password_Guessing|m|s|192.0.2.1|192.0.2.2|22|Notice::ACTION_LOG",
	 {"rule.name=SSH::Password_Guessing", "message=m", "message=s", "source.ip=192.0.2.1",
	  "destination.ip=192.0.2.2", "destination.port=22", "event.action=Notice::ACTION_LOG"}},
	{DM_KIND_ALERT,
	 "weird",
	 "ts id.orig_h name addl peer",
	 "time addr string string string",
	 "1.0|192.0.2.1|bad|x|w1",
	 {"rule.name=bad", "message=x", "observer.name=w1"}},
	{DM_KIND_ALERT,
	 "intel",
	 "ts seen.indicator seen.indicator_type sources",
	 "time string enum set[string]",
	 "1.0|evil.example/x|Intel::URL|feed1",
	 {"related.url=http://evil.example/x", "rule.name=feed1"}},
	{DM_KIND_LOGIN,
	 "kerberos",
	 "ts client success service",
	 "time string bool string",
	 "1.0|bob/X|T|krbtgt/X",
	 {"user.name=bob/X", "event.outcome=success", "network.protocol=kerberos",
	  "event.unparsed=service=krbtgt/X"}},
	{DM_KIND_FILE,
	 "ftp",
	 "ts user password command arg data_channel.resp_h",
	 "time string string string string addr",
	 "1.0|anon|secret|RETR|ftp://192.0.2.1/./a.bin|192.0.2.3",
	 {"user.name=anon", "event.action=RETR", "url.full=ftp://192.0.2.1/./a.bin", "file.name=a.bin",
	  "related.ip=192.0.2.3"}},
	{DM_KIND_FLOW,
	 "socks",
	 "ts id.orig_h request.host request_p bound.host bound_p",
	 "time addr addr port addr port",
	 "1.0|192.0.2.1|198.51.100.3|80|192.0.2.2|4000",
	 {"destination.nat.ip=198.51.100.3", "destination.nat.port=80", "source.nat.ip=192.0.2.2",
	  "source.nat.port=4000"}},
	{DM_KIND_FLOW,
	 "software",
	 "ts host software_type name unparsed_version",
	 "time addr enum string string",
	 "1.0|192.0.2.1|HTTP::BROWSER|curl|curl/7.0",
	 {"related.ip=192.0.2.1", "user_agent.original=curl/7.0"}},
	{DM_KIND_TLS,
	 "quic",
	 "ts server_name client_protocol",
	 "time string string",
	 "1.0|q.example|h3",
	 {"tls.client.server_name=q.example", "tls.next_protocol=h3", "network.protocol=quic"}},
};

static void put_spaced(struct dm_buf *b, const char *s, char from)
{
	for (; *s; s++)
		dm_buf_putc(b, *s == from ? '\t' : *s);
	dm_buf_putc(b, '\n');
}

static void maps_every_log(void **state)
{
	for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
		const struct mapped *m = &mapped[i];
		struct dm_buf b;

		dm_buf_init(&b, 65536);
		dm_buf_printf(&b, "#path\t%s\n#fields\t", m->path);
		put_spaced(&b, m->fields, ' ');
		dm_buf_str(&b, "#types\t");
		put_spaced(&b, m->types, ' ');
		put_spaced(&b, m->row, '|');
		run("x", dm_buf_cstr(&b));
		dm_buf_done(&b);
		assert_int_equal(r.records, 1);
		assert_int_equal(r.kind[m->kind], 1);
		for (size_t k = 0; k < 12 && m->want[k]; k++)
			has(0, m->want[k]);
		/* no password may come in by any way */
		assert_null(strstr(recorder_record(&r, 0), "secret"));
	}
}

static void reads_icmp_types_where_others_have_ports(void **state)
{
	run("x", HEAD("conn", "ts\tid.orig_p\tid.resp_p\tproto",
		      "time\tport\tport\tenum") "1.0\t3\t1\ticmp\n2.0\t13\t14\ticmp\n");
	has(0, "icmp.type=3");
	has(0, "icmp.code=1");
	lacks(0, "source.port");
	has(1, "icmp.type=13");
	lacks(1, "icmp.code");
	lacks(1, "destination.port");
}

static void decides_about_a_line_without_end(void **state)
{
	const char *whole =
		HEAD("dns", "ts\tuid\tquery", "time\tstring\tstring") "1.0\tC1\ta.example\n2.0\tC2\tb.exam";
	struct dm_import_input open = {.unfinished = true};
	size_t n = strlen(whole), first = n - strlen("2.0\tC2\tb.exam");

	/* a file that nobody writes to: the row is as good as any */
	run("x", whole);
	assert_int_equal(r.records, 2);
	assert_int_equal(r.last_offset, n);
	/* one that may grow: the row waits, and progress stays before it */
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", whole, n, &open), 0);
	assert_int_equal(r.records, 1);
	assert_int_equal(r.skips, 0);
	assert_int_equal(r.last_offset, first);
	assert_int_equal(r.last_line, 9);
	assert_non_null(strstr(recorder_meta(&r, "note"), "line 10"));
	/* cut within a column before the last */
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", whole, n - 6, NULL), 0);
	assert_int_equal(r.records, 1);
	assert_string_equal(recorder_skip(&r, 0), "10: the line is cut off in its last column");
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", whole, n - 9, NULL), 0);
	assert_string_equal(recorder_skip(&r, 0), "10: 2 columns where #fields names 3: the line is cut off");
}

/* Imports the first `cut` bytes, then the whole with the offset that the first import reported: together
 * every row once. */
static void resume_at(const char *text, size_t cut, bool unfinished, uint64_t want, bool again)
{
	struct dm_import_input in = {.unfinished = unfinished};
	uint64_t before;

	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", text, cut, &in), 0);
	before = r.records;
	in = (struct dm_import_input){.resume_offset = r.last_offset, .resume_line = r.last_line};
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", text, strlen(text), &in), 0);
	assert_int_equal(r.skips, 0);
	if (before + r.records < want || before + r.records > want + (again && recorder_meta(&r, "note")))
		fail_msg("cut at %zu: %d + %d rows", cut, (int)before, (int)r.records);
	if (r.records) {
		char line[32];

		snprintf(line, sizeof(line), "Z|%d|", 13);
		assert_non_null(strstr(recorder_record(&r, r.records - 1), line));
	}
	assert_int_equal(r.last_offset, strlen(text));
	assert_int_equal(r.last_line, 13);
}

static void goes_on_where_it_stopped(void **state)
{
	const char *text =
		HEAD("dns", "ts\tuid\tquery",
		     "time\tstring\tstring") "1.0\tC1\ta.example\n2.0\tC2\tb.example\n"
					     "3.0\tC3\tc.example\n4.0\tC4\td.example\n5.0\tC5\tf.example\n";

	for (size_t cut = 0; cut <= strlen(text); cut++) {
		resume_at(text, cut, true, 5, false);
		resume_at(text, cut, false, 5, true);
	}
	/* a file that shrank is not the same file */
	recorder_clear(&r);
	struct dm_import_input in = {.resume_offset = 100000, .resume_line = 500};
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", text, strlen(text), &in), DM_EINVAL);
}

static void passes_over_a_line_that_is_too_long(void **state)
{
	const char *head = HEAD("dns", "ts\tuid\tquery", "time\tstring\tstring") "1.0\tC1\t";
	size_t h = strlen(head), n = DM_MAX_LINE + 100;
	char *text = malloc(h + n + 64);

	memcpy(text, head, h);
	memset(text + h, 'a', n);
	strcpy(text + h + n, "\n2.0\tC2\tb.example\n");
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", text, strlen(text), NULL), 0);
	free(text);
	assert_int_equal(r.records, 1);
	assert_string_equal(recorder_skip(&r, 0), "9: line longer than 1 MiB");
	has(0, "event.id=C2");
}

static void bounds_columns_and_values(void **state)
{
	struct dm_buf b;

	dm_buf_init(&b, 8u << 20);
	/* 512 columns are read, 513 are not */
	for (unsigned columns = 512; columns <= 513; columns++) {
		dm_buf_clear(&b);
		dm_buf_str(&b, "#path\tconn\n#fields\tts");
		for (unsigned i = 1; i < columns; i++)
			dm_buf_printf(&b, "\tc%u", i);
		dm_buf_str(&b, "\n1.0");
		for (unsigned i = 1; i < columns; i++)
			dm_buf_str(&b, "\tx");
		dm_buf_putc(&b, '\n');
		recorder_clear(&r);
		assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", b.p, b.n, NULL), 0);
		assert_int_equal(r.records, columns == 512);
		assert_int_equal(r.skips, columns == 513);
	}
	/* DM_MAX_VALUES answers are kept, one more is reported */
	for (unsigned answers = DM_MAX_VALUES; answers <= DM_MAX_VALUES + 1; answers++) {
		dm_buf_clear(&b);
		dm_buf_str(&b, HEAD("dns", "ts\tanswers", "time\tvector[string]") "1.0\t192.0.2.1");
		for (unsigned i = 1; i < answers; i++)
			dm_buf_printf(&b, ",10.0.%u.%u", i >> 8, i & 255);
		dm_buf_putc(&b, '\n');
		recorder_clear(&r);
		assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", b.p, b.n, NULL), 0);
		assert_int_equal(recorder_values(&r, 0, "dns.resolved_ip"), DM_MAX_VALUES);
		assert_int_equal(r.skips, answers - DM_MAX_VALUES);
	}
	dm_buf_done(&b);
}

static void stops_when_the_sink_fails(void **state)
{
	const char *text = CONN_HEAD CONN_ROW CONN_ROW CONN_ROW;

	r.fail_after = 2;
	assert_int_equal(recorder_run(&r, &dm_import_zeek_tsv, "x", text, strlen(text), NULL), DM_EIO);
	assert_int_equal(r.records, 2);
}

static void tells_its_own(void **state)
{
	static const struct {
		const char *text;
		bool ours;
	} heads[] = {
		{CONN_HEAD, true},
		{CONN_ROW, true},
		{"\t" CONN_HEAD, true},
		{"#separator \\x09\n", true},
		{"#fields\tindicator\tindicator_type\tmeta.source\n192.0.2.1\tIntel::ADDR\tx\n", false},
		{"# a comment\n192.0.2.1\n", false},
		{"{\"ts\":1}\n", false},
		{"ts,uid,id.orig_h\n1,2,3\n", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(dm_import_zeek_tsv.probe(dm_sv_str(heads[i].text), "x") > 0, heads[i].ours);
}

/* Distinct addresses of the two ends, and distinct names asked for, as a set of their bytes. */
#define SET_SIZE 65536u

struct seen {
	uint64_t rows, distinct[2];
	struct dm_sv set[2][SET_SIZE];
	struct dm_arena arena;
};

static struct seen seen;

static void put_seen(int which, struct dm_sv s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 16777619u;
	for (h = (h ^ h >> 15) % SET_SIZE; seen.set[which][h].p; h = (h + 1) % SET_SIZE) {
		if (dm_sv_eq(seen.set[which][h], s))
			return;
	}
	seen.set[which][h] = dm_arena_copy(&seen.arena, s);
	seen.distinct[which]++;
}

static int collect(struct dm_sink *sink, const struct dm_record *rec)
{
	seen.rows++;
	for (uint32_t i = 0; i < rec->count; i++) {
		const struct dm_value *v = &rec->v[i];

		if (v->field == DM_F_SRC_IP || v->field == DM_F_DST_IP)
			put_seen(0, dm_sv((const char *)v->ip.b, 16));
		else if (v->field == DM_F_DNS_QUERY || v->field == DM_F_SNI)
			put_seen(1, v->text);
	}
	return 0;
}

/* Counted by tests/tools/count_zeek.py, which shares no code with the importer. */
static void agrees_with_an_independent_count(void **state)
{
	static const struct {
		const char *path;
		uint64_t rows, skips, addresses, names;
	} files[] = {
		{"data/zeek/rita-3days/conn.log.zst", 105918, 0, 15091, 0},
		{"data/zeek/rita-3days/dns.log.zst", 5432, 0, 78, 534},
		{"data/zeek/rita-3days/files.log.zst", 18619, 0, 5289, 0},
		{"data/zeek/rita-3days/http.log.zst", 18829, 0, 5435, 0},
		{"data/zeek/rita-3days/ssh.log.zst", 17299, 0, 635, 0},
		{"data/zeek/rita-3days/weird.log", 1114, 0, 638, 0},
		{"data/zeek/rita-c2-http/http.log.zst", 27204, 0, 985, 0},
		{"data/zeek/rita-proxy-rolling/conn.log.zst", 7550, 0, 800, 0},
		{"data/zeek/rita-proxy-rolling/ssl.log.zst", 2736, 0, 661, 0},
		{"data/zeek/rita-truncated/conn.log", 58, 1, 13, 0},
		{"data/zeek/rita-truncated/conn_top.log", 58, 1, 13, 0},
		{"data/zeek/rita-has_unknown_field/http.log", 4, 1, 2, 0},
		{"data/zeek/slips-test10-mixed-zeek-dir/conn.log", 141, 0, 81, 0},
		{"data/zeek/slips-test10-mixed-zeek-dir/notice.log", 12, 1, 0, 0},
		{"data/zeek/ctu-sme-11-labeled/conn.log.labeled", 766, 0, 15, 0},
		{"data/zeek/wrccdc-tsv/dns.log.zst", 53495, 0, 272, 0},
		{"data/zeek/wrccdc-tsv/ssl.log.zst", 49444, 0, 706, 538},
		{"data/zeek/wrccdc-tsv/weird.log.zst", 24202, 0, 162, 0},
		{"data/zeek/zat/http.log.gz", 150, 0, 28, 0},
		{"data/zeek/zat/conn_date_issue.log", 3, 0, 5, 0},
		{"data/zeek/zat/http_empty.log", 0, 0, 0, 0},
	};
	char path[512];
	unsigned found = 0;

	r.sink.record = collect;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!recorder_shared(files[i].path, path, sizeof(path)))
			continue;
		found++;
		memset(&seen, 0, sizeof(seen));
		r.skips = 0;
		assert_int_equal(recorder_run_file(&r, &dm_import_zeek_tsv, path, NULL), 0);
		assert_int_equal(seen.rows, files[i].rows);
		assert_int_equal(r.skips, files[i].skips);
		if (files[i].addresses && seen.distinct[0] != files[i].addresses)
			fail_msg("%s: %d addresses", files[i].path, (int)seen.distinct[0]);
		if (files[i].names && seen.distinct[1] != files[i].names)
			fail_msg("%s: %d names", files[i].path, (int)seen.distinct[1]);
		dm_arena_done(&seen.arena);
	}
	if (!found)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_a_conn_row_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_prefixed_underscored_and_reordered_columns, setup,
						teardown),
		cmocka_unit_test_setup_teardown(keeps_what_it_does_not_know, setup, teardown),
		cmocka_unit_test_setup_teardown(splits_labels_glued_on_with_spaces, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_joined_files_and_a_change_of_log, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_white_space_before_and_a_byte_order_mark, setup,
						teardown),
		cmocka_unit_test_setup_teardown(takes_other_separators_and_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(decodes_escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(reports_rows_of_the_wrong_width, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_rows_with_bad_values, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_unusual_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(guesses_a_headerless_conn_log_only, setup, teardown),
		cmocka_unit_test_setup_teardown(says_which_logs_hold_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(maps_every_log, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_icmp_types_where_others_have_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(decides_about_a_line_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_where_it_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(passes_over_a_line_that_is_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_columns_and_values, setup, teardown),
		cmocka_unit_test_setup_teardown(stops_when_the_sink_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(agrees_with_an_independent_count, setup, teardown),
	};

	return cmocka_run_group_tests_name("zeek_tsv", tests, NULL, NULL);
}
