/* Units of import/: evidence as tables. */
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
	assert_int_equal(recorder_run(&r, &dm_import_csv, name, text, strlen(text), NULL), 0);
}

static void reads_argus(void **state)
{
	run("a.binetflow",
	    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,"
	    "SrcPkts,Label\n"
	    "2019/04/04 16:23:00.325010,0.027947,udp,192.0.2.1,48427,  "
	    "<->,198.51.100.8,53,CON,0,0,2,142,63,1,flow=Bg\n"
	    "2019/04/04 16:30:10.234728,1.262451,icmp,192.0.2.1,0x0008,   "
	    "->,198.51.100.1,0x7208,ECO,0,,2,144,144,2,\n"
	    "1970/01/01 "
	    "01:00:00.000000,0.000000,llc,00:00:00:00:00:00,0,->,02:00:00:00:00:01,0,INT,0,0,1,60,60,1,\n"
	    "2018/05/10 10:52:47.283479,0.045010,man,0,0,,0,0,STA,,,0,0,0,0,\n");
	assert_string_equal(
		recorder_record(&r, 0),
		"flow|2019-04-04T16:23:00.325010Z|2|event.duration=27947|network.transport=udp|source.ip=192."
		"0.2.1|"
		"source.port=48427|destination.ip=198.51.100.8|destination.port=53|network.connection.state="
		"CON|"
		"tags=flow=Bg|source.packets=1|destination.packets=1|source.bytes=63|destination.bytes=79|"
		"event.dataset=table");
	has(1, "icmp.type=8");
	has(1, "event.unparsed=icmp.id=29192");
	lacks(1, "destination.port");
	lacks(2, "source.mac");
	has(2, "destination.mac=02:00:00:00:00:01");
	lacks(3, "source.hostname");
	assert_int_equal(r.skips, 0);
}

static void reads_nfdump(void **state)
{
	run("x", "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt,opkt,obyt,in,out,sas,das,nh,ismc,ra\n"
		 "2018-01-12 15:37:30,2018-01-12 "
		 "15:37:31,1.500,192.0.2.1,2001:db8::1,52324,902,TCP,......S.,1,60,0,0,3,0,2852,0,0.0.0.0,"
		 "00:00:00:00:00:00,192.0.2.254\n"
		 "Summary\nflows,bytes,packets\n1,60,1\n");
	assert_string_equal(
		recorder_record(&r, 0),
		"flow|2018-01-12T15:37:30Z|2|event.end=2018-01-12T15:37:31Z|event.duration=1500000|source.ip="
		"192.0.2.1|"
		"destination.ip=2001:db8::1|source.port=52324|destination.port=902|network.transport=tcp|"
		"network.tcp_flags=2|source.packets=1|source.bytes=60|destination.packets=0|destination."
		"bytes=0|"
		"observer.ingress.interface.id=3|source.as.number=AS2852|observer.ip=192.0.2.254|event."
		"dataset=table");
	assert_int_equal(r.records, 1);
	assert_int_equal(r.skips, 0);
}

static void reads_ecs_names(void **state)
{
	run("x", "@timestamp;event.kind;source.ip;destination.ip;dns.question.name;event.duration;tls.client."
		 "server_name;file.hash.sha256;my.own\n"
		 "2024-04-19T00:00:00Z;dns;192.0.2.1;192.0.2.53;A.Example.;1500;;;x\n"
		 "1713484800;tls;192.0.2.1;192.0.2.53;;;192.0.2.9;;192.0.2.88\n");
	assert_string_equal(
		recorder_record(&r, 0),
		"dns|2024-04-19T00:00:00Z|2|source.ip=192.0.2.1|destination.ip=192.0.2.53|"
		"dns.question.name=a.example|event.duration=1|event.unparsed=my.own=x|event.dataset=table");
	assert_true(!strncmp(recorder_record(&r, 1), "tls|2024-04-19T00:00:00Z|", 25));
	has(1, "related.ip=192.0.2.88");
}

static void reads_the_logs_of_others(void **state)
{
	/* W3C extended, as IIS and proxies write it */
	run("x", "#Software: Microsoft\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem "
		 "cs-uri-query s-port cs-username c-ip "
		 "cs(User-Agent) cs(Referer) cs-host sc-status time-taken\n"
		 "2024-04-19 00:00:01 192.0.2.80 GET /x.aspx a=1 8080 - 203.0.113.9 Mozilla/5.0+(X) - "
		 "www.example 200 15\n");
	has(0, "destination.ip=192.0.2.80");
	has(0, "destination.port=8080");
	has(0, "source.ip=203.0.113.9");
	has(0, "url.full=http://www.example:8080/x.aspx?a=1");
	has(0, "http.response.status_code=200");
	has(0, "event.duration=15000");
	assert_true(!strncmp(recorder_record(&r, 0), "http|2024-04-19T00:00:01Z|4|", 28));
	/* Amazon VPC flow logs */
	run("x", "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
		 "start end action log-status\n"
		 "2 1 eni-1 192.0.2.1 198.51.100.2 1000 443 6 10 840 1713484800 1713484860 ACCEPT OK\n"
		 "2 1 eni-1 - - - - - - - 1713484800 1713484860 - NODATA\n");
	assert_string_equal(
		recorder_record(&r, 0),
		"flow|2024-04-19T00:00:00Z|2|observer.name=eni-1|source.ip=192.0.2.1|destination.ip=198.51."
		"100.2|"
		"source.port=1000|destination.port=443|network.transport=tcp|source.packets=10|source.bytes="
		"840|"
		"event.end=2024-04-19T00:01:00Z|event.action=ACCEPT|message=OK|event.dataset=table");
	/* a firewall: several times, totals beside the parts, NAT */
	run("x", "Receive Time,Source address,Destination address,NAT Source IP,NAT Destination "
		 "IP,Bytes,Bytes Sent,Bytes Received,Start Time,IP Protocol\n"
		 "2024/04/19 00:01:00,10.0.0.1,198.51.100.2,203.0.113.1,0.0.0.0,30,10,20,2024/04/19 "
		 "00:00:00,17\n");
	assert_true(!strncmp(recorder_record(&r, 0), "flow|2024-04-19T00:00:00Z|", 26));
	has(0, "source.nat.ip=203.0.113.1");
	lacks(0, "destination.nat.ip");
	has(0, "source.bytes=10");
	assert_int_equal(recorder_values(&r, 0, "source.bytes"), 1);
	has(0, "destination.bytes=20");
	has(0, "network.transport=udp");
	/* nested names of a cloud's export */
	run("x", "jsonPayload.connection.src_ip\tjsonPayload.connection.dest_ip\ttimestamp\n192.0.2.1\t192.0."
		 "2.2\t19/Apr/2024:02:00:00 +0200\n");
	has(0, "source.ip=192.0.2.1");
	assert_true(!strncmp(recorder_record(&r, 0), "flow|2024-04-19T00:00:00Z|", 26));
	/* files seen on hosts */
	run("x", "UtcTime,Computer,Image,Hashes,CommandLine\n2024-04-19 "
		 "00:00:00.5,PC1,C:\\x\\y.exe,\"SHA1=8800350f53cb7bfc883962e965461d94ab5d2616,"
		 "MD5=df7c845e4eadd7bac6cbfe2087bbd482,IMPHASH=0\",\"y.exe \"\"a\"\"\"\n");
	assert_int_equal(r.kind[DM_KIND_FILE], 1);
	has(0, "file.hash.sha1=8800350f53cb7bfc883962e965461d94ab5d2616");
	has(0, "file.hash.md5=df7c845e4eadd7bac6cbfe2087bbd482");
	has(0, "file.name=y.exe");
	has(0, "process.command_line=y.exe \"a\"");
	has(0, "host.name=PC1");
}

static void bears_a_second_header(void **state)
{
	run("x", "#Fields: date time c-ip s-ip\n2024-04-19 00:00:01 192.0.2.1 192.0.2.2\n#Fields: mood "
		 "weather\ngood fair\n"
		 "2024-04-19 00:00:02 192.0.2.1 192.0.2.3\n#Fields: c-ip s-ip date time sc-status\n192.0.2.1 "
		 "192.0.2.4 2024-04-19 00:00:03 404\n");
	assert_int_equal(r.records, 3);
	assert_int_equal(r.skips, 1);
	has(1, "destination.ip=192.0.2.3");
	has(2, "destination.ip=192.0.2.4");
	has(2, "http.response.status_code=404");
	/* within an open quote it is text */
	run("x", "src ip,dst ip,message\n192.0.2.1,192.0.2.2,\"a\n#Fields: c-ip "
		 "s-ip\nb\"\n192.0.2.1,192.0.2.3,\"x\n#Fields: c-ip\n");
	assert_int_equal(r.records, 2);
	has(0, "message=a\n#Fields: c-ip s-ip\nb");
}

static void reads_times_by_magnitude(void **state)
{
	run("x", "time,src_ip,dst_ip\n1713484800,192.0.2.1,192.0.2.2\n1713484800.5,192.0.2.1,192.0.2."
		 "2\n1713484800123,192.0.2.1,192.0.2.2\n"
		 "1713484800123456,192.0.2.1,192.0.2.2\n1713484800123456789,192.0.2.1,192.0.2.2\n2024-04-19 "
		 "00:00:00,123456,192.0.2.2\n"
		 "03/04/2024 10:00,192.0.2.1,192.0.2.2\n");
	static const char *const times[] = {"2024-04-19T00:00:00Z",
					    "2024-04-19T00:00:00.500000Z",
					    "2024-04-19T00:00:00.123000Z",
					    "2024-04-19T00:00:00.123456Z",
					    "2024-04-19T00:00:00.123456Z",
					    "2024-04-19T00:00:00Z",
					    "-"};

	assert_int_equal(r.records, 7);
	for (size_t i = 0; i < 7; i++) {
		char want[64];

		snprintf(want, sizeof(want), "flow|%s|%zu|", times[i], i + 2);
		assert_true(!strncmp(recorder_record(&r, i), want, strlen(want)));
	}
	has(6, "event.unparsed=time=03/04/2024 10:00");
	assert_non_null(strstr(recorder_meta(&r, "note"), "month"));
	/* date and time apart */
	run("x", "date,time,srcip,dstip\n2024-04-19,00:00:07,192.0.2.1,192.0.2.2\n");
	assert_true(!strncmp(recorder_record(&r, 0), "flow|2024-04-19T00:00:07Z|", 26));
}

static void takes_quotes_and_line_ends_in_fields(void **state)
{
	run("x", "\xef\xbb\xbfsep=;\n\"src ip\";\"dst ip\";\"message\"\n192.0.2.1;192.0.2.2;\"a;b "
		 "\"\"c\"\"\nd\"\n192.0.2.3;192.0.2.4;e\n");
	assert_int_equal(r.records, 2);
	has(0, "message=a;b \"c\"\nd");
	assert_true(!strncmp(recorder_record(&r, 0), "flow|-|3|", 9));
	assert_true(!strncmp(recorder_record(&r, 1), "flow|-|5|", 9));
	/* a quote that never closes swallows nothing */
	run("x", "src ip,dst ip,message\n192.0.2.1,192.0.2.2,5\" "
		 "disk\n192.0.2.3,192.0.2.4,e\n192.0.2.5,192.0.2.6,f\n");
	assert_int_equal(r.records, 3);
	has(0, "message=5\" disk");
	has(2, "source.ip=192.0.2.5");
}

static void bounds_the_lines_of_a_row(void **state)
{
	for (unsigned lines = DM_MAX_ROW_LINES; lines <= DM_MAX_ROW_LINES + 1; lines++) {
		struct dm_buf b;

		dm_buf_init(&b, 65536);
		dm_buf_str(&b, "src_ip,dst_ip,message\n192.0.2.1,192.0.2.2,\"a");
		for (unsigned i = 1; i < lines; i++)
			dm_buf_str(&b, "\nb");
		dm_buf_str(&b, "\"\n192.0.2.3,192.0.2.4,c\n");
		run("x", dm_buf_cstr(&b));
		dm_buf_done(&b);
		/* over the limit each line is a row of its own, and none of them is one but the last */
		assert_int_equal(r.skips, lines == DM_MAX_ROW_LINES ? 0 : lines - 1);
		has(r.records - 1, "source.ip=192.0.2.3");
	}
}

static void reports_rows_of_the_wrong_width(void **state)
{
	run("x", "src_ip,dst_ip,bytes\n192.0.2.1,192.0.2.2\n192.0.2.1,192.0.2.2,1,,\nsrc_ip,dst_ip,"
		 "bytes\n192.0.2.1,192.0.2.2,1,9\n");
	assert_int_equal(r.records, 1);
	assert_int_equal(r.skips, 2);
	assert_string_equal(recorder_skip(&r, 0), "2: 2 fields where the header names 3");
	assert_string_equal(recorder_skip(&r, 1), "5: 4 fields where the header names 3");
}

static void keeps_values_that_do_not_fit(void **state)
{
	run("x", "src_ip,src_port,dst_ip,bytes,vendor\nhost-1,http,2001:db8::2,many,192.0.2.200\n0x10,0x1bb,-"
		 ",N/A,null\n");
	has(0, "source.hostname=host-1");
	has(0, "event.unparsed=src_port=http");
	has(0, "event.unparsed=bytes=many");
	has(0, "related.ip=192.0.2.200");
	has(1, "source.port=443");
	lacks(1, "destination.ip");
}

static void refuses_what_has_no_header(void **state)
{
	const char *text = "192.0.2.1,192.0.2.2,80\n192.0.2.1,192.0.2.3,80\n";

	assert_int_equal(recorder_run(&r, &dm_import_csv, "x", text, strlen(text), NULL), DM_EFORMAT);
	assert_int_equal(r.err.line, 1);
	assert_non_null(strstr(r.err.remedy, "source.ip"));
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_csv, "x", "# a\n", 4, NULL), DM_EFORMAT);
}

static void bounds_columns(void **state)
{
	struct dm_buf b;

	dm_buf_init(&b, 1u << 20);
	for (unsigned columns = DM_MAX_COLUMNS; columns <= DM_MAX_COLUMNS + 1; columns++) {
		dm_buf_clear(&b);
		dm_buf_str(&b, "src_ip,dst_ip");
		for (unsigned i = 2; i < columns; i++)
			dm_buf_printf(&b, ",c%u", i);
		dm_buf_str(&b, "\n192.0.2.1,192.0.2.2");
		for (unsigned i = 2; i < columns; i++)
			dm_buf_str(&b, ",x");
		dm_buf_putc(&b, '\n');
		recorder_clear(&r);
		assert_int_equal(recorder_run(&r, &dm_import_csv, "x", b.p, b.n, NULL), 0);
		assert_int_equal(r.records, columns == DM_MAX_COLUMNS);
		assert_int_equal(r.skips, columns != DM_MAX_COLUMNS);
	}
	dm_buf_done(&b);
}

static void goes_on_where_it_stopped(void **state)
{
	static const char text[] = "src_ip,dst_ip,message\n192.0.2.1,192.0.2.2,a\n192.0.2.1,192.0.2.2,b\n192."
				   "0.2.1,192.0.2.2,c\n";

	for (size_t cut = 0; cut <= sizeof(text) - 1; cut++) {
		struct dm_import_input in = {.unfinished = true};
		uint64_t before;

		recorder_clear(&r);
		/* a header that is not whole yet may be none */
		if (recorder_run(&r, &dm_import_csv, "x", text, cut, &in)) {
			assert_true(cut < strlen("src_ip,dst_ip,message\n"));
			continue;
		}
		before = r.records;
		in = (struct dm_import_input){.resume_offset = r.last_offset, .resume_line = r.last_line};
		recorder_clear(&r);
		assert_int_equal(recorder_run(&r, &dm_import_csv, "x", text, sizeof(text) - 1, &in), 0);
		assert_int_equal(before + r.records, 3);
		assert_int_equal(r.last_offset, sizeof(text) - 1);
	}
}

struct sums {
	uint64_t rows, sources, source_bytes, udp;
};

static struct sums sums;

static int add_up(struct dm_sink *sink, const struct dm_record *rec)
{
	sums.rows++;
	for (uint32_t i = 0; i < rec->count; i++) {
		const struct dm_value *v = &rec->v[i];

		sums.sources += v->field == DM_F_SRC_IP;
		sums.source_bytes += v->field == DM_F_SRC_BYTES ? (uint64_t)v->i : 0;
		sums.udp += v->field == DM_F_TRANSPORT && dm_sv_is(v->text, "udp");
	}
	return 0;
}

/* Counted by tests/tools/count_argus.py. */
static void agrees_with_an_independent_count(void **state)
{
	static const struct {
		const char *path;
		struct sums want;
	} files[] = {
		{"data/netflow/argus-test11-portscan.binetflow", {66, 66, 44364, 0}},
		{"data/netflow/argus-test2-malicious.binetflow", {6751, 6751, 26271460, 2754}},
		{"data/netflow/argus-test3-mixed.binetflow", {89, 89, 22438, 2}},
		{"data/netflow/argus-test4-malicious.binetflow", {394, 394, 59842, 170}},
		{"data/netflow/argus-test5-mixed.binetflow", {300, 298, 2670884, 211}},
	};
	char path[512];
	unsigned seen = 0;

	r.sink.record = add_up;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!recorder_shared(files[i].path, path, sizeof(path)))
			continue;
		seen++;
		sums = (struct sums){0};
		assert_int_equal(recorder_run_file(&r, &dm_import_csv, path, NULL), 0);
		assert_int_equal(sums.rows, files[i].want.rows);
		assert_int_equal(sums.sources, files[i].want.sources);
		assert_int_equal(sums.source_bytes, files[i].want.source_bytes);
		assert_int_equal(sums.udp, files[i].want.udp);
		assert_int_equal(r.skips, 0);
	}
	if (!seen)
		skip();
}

static void tells_its_own(void **state)
{
	static const struct {
		const char *text;
		int least, most;
	} heads[] = {
		{"StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport\n", 90, 100},
		{"src_ip;dst_ip;bytes\n", 80, 90},
		{"@timestamp,file.path,file.hash.sha256\n", 76, 90},
		{"#Software: X\n#Fields: date time c-ip cs-method cs-uri-stem\n", 76, 100},
		{"time,clientip,url,status\n", 76, 90},
		{"type,value,source,date,comment\n", 0, 60},
		{"indicator,type,description\n", 0, 60},
		{"sha256,first_seen,file_name\n", 0, 60},
		{"192.0.2.1\n192.0.2.2\n", 0, 0},
		{"this is a report, with commas\n", 0, 0},
		{"{\"ts\":1}\n", 0, 0},
		{"#separator \\x09\n#fields\tts\n", 0, 0},
		{"", 0, 0},
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		int score = dm_import_csv.probe(dm_sv_str(heads[i].text), "x");

		if (score < heads[i].least || score > heads[i].most)
			fail_msg("%s scores %d", heads[i].text, score);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_argus, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_nfdump, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_ecs_names, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_the_logs_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(bears_a_second_header, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_times_by_magnitude, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_quotes_and_line_ends_in_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_the_lines_of_a_row, setup, teardown),
		cmocka_unit_test_setup_teardown(reports_rows_of_the_wrong_width, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_values_that_do_not_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_has_no_header, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_where_it_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(agrees_with_an_independent_count, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_its_own, setup, teardown),
	};

	return cmocka_run_group_tests_name("csv_evidence", tests, NULL, NULL);
}
