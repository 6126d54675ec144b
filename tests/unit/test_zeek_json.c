/* Units of import/: Zeek's logs as JSON. */
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

static void run(const char *name, const char *text)
{
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_json, name, text, strlen(text), NULL), 0);
}

static void reads_a_conn_line_as_the_tsv_reader_does(void **state)
{
	run("x", "{\"ts\":1713484795.943239,\"uid\":\"CqJC8mIZZNGKqXbw7\",\"id.orig_h\":\"192.0.2.7\",\"id."
		 "orig_p\":50123,"
		 "\"id.resp_h\":\"198.51.100.9\",\"id.resp_p\":443,\"proto\":\"tcp\",\"service\":\"ssl,"
		 "http\",\"duration\":0.0376290,"
		 "\"orig_bytes\":517,\"conn_state\":\"SF\",\"local_orig\":true,\"orig_ip_bytes\":1153,"
		 "\"tunnel_parents\":[\"C1\",\"C2\"]}\n");
	assert_string_equal(
		recorder_record(&r, 0),
		"flow|2024-04-18T23:59:55.943239Z|1|event.id=CqJC8mIZZNGKqXbw7|source.ip=192.0.2.7|source."
		"port=50123|"
		"destination.ip=198.51.100.9|destination.port=443|network.transport=tcp|network.protocol=ssl|"
		"network.protocol=http|event.duration=37629|source.payload_bytes=517|network.connection."
		"state=SF|"
		"source.local=true|source.bytes=1153|network.tunnel_parents=C1|network.tunnel_parents=C2|"
		"event.dataset=zeek.conn");
}

static void takes_every_wrapping(void **state)
{
	run("x", "{\"_path\":\"dns\",\"_write_ts\":\"2018-03-24T17:15:20Z\",\"ts\":\"2018-03-24T17:15:20."
		 "865716Z\",\"query\":\"A.example\"}\n"
		 "{\"@stream\":\"conn\",\"@system\":\"s1\",\"@proc\":\"zeek\",\"ts\":1588205199.82437,\"id_"
		 "orig_h\":\"10.0.1.6\"}\n"
		 "{\"http\":{\"ts\":1.5,\"id.resp_h\":\"192.0.2.1\",\"id.resp_p\":80,\"method\":\"GET\","
		 "\"uri\":\"/x\"}}\n"
		 "{\"ts\":2,\"id\":{\"orig_h\":\"192.0.2.9\",\"orig_p\":7},\"conn_state\":\"S0\"}\n"
		 "{\"@timestamp\":\"x\",\"_path\":\"ssl\",\"ts\":9.5367431640625e-07,\"server_name\":\"B."
		 "example\"}\n");
	assert_int_equal(r.records, 5);
	assert_true(!strncmp(recorder_record(&r, 0), "dns|2018-03-24T17:15:20.865716Z|1|", 34));
	has(0, "dns.question.name=a.example");
	has(1, "observer.name=s1");
	has(1, "source.ip=10.0.1.6");
	has(1, "event.dataset=zeek.conn");
	has(2, "url.full=http://192.0.2.1/x");
	has(3, "source.port=7");
	has(3, "event.dataset=zeek.conn");
	assert_true(!strncmp(recorder_record(&r, 4), "tls|1970-01-01T00:00:00.000001Z|5|", 34));
	has(4, "event.unparsed=@timestamp=x");
}

static void knows_a_log_by_its_shape(void **state)
{
	static const struct {
		const char *line, *dataset;
	} shapes[] = {
		{"{\"ts\":1,\"id.orig_h\":\"192.0.2.1\",\"conn_state\":\"SF\"}", "zeek.conn"},
		{"{\"ts\":1,\"query\":\"a.example\",\"qtype\":1}", "zeek.dns"},
		{"{\"ts\":1,\"method\":\"GET\",\"trans_depth\":1,\"uri\":\"/\"}", "zeek.http"},
		{"{\"ts\":1,\"established\":true,\"server_name\":\"a.example\"}", "zeek.ssl"},
		{"{\"ts\":1,\"fuid\":\"F1\",\"seen_bytes\":2}", "zeek.files"},
		{"{\"ts\":1,\"certificate.subject\":\"CN=a\"}", "zeek.x509"},
		{"{\"ts\":1,\"helo\":\"a.example\"}", "zeek.smtp"},
		{"{\"ts\":1,\"auth_attempts\":1}", "zeek.ssh"},
		{"{\"ts\":1,\"security_protocol\":\"HYBRID\"}", "zeek.rdp"},
		{"{\"ts\":1,\"note\":\"N\",\"msg\":\"m\"}", "zeek.notice"},
		{"{\"ts\":1,\"name\":\"w\",\"notice\":false}", "zeek.weird"},
		{"{\"ts\":1,\"tunnel_type\":\"Tunnel::GRE\",\"action\":\"a\"}", "zeek.tunnel"},
	};
	struct dm_buf b;

	/* each alone, and all in one stream */
	dm_buf_init(&b, 1u << 20);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		char pair[64];

		snprintf(pair, sizeof(pair), "event.dataset=%s", shapes[i].dataset);
		run("capture.json", shapes[i].line);
		has(0, pair);
		dm_buf_str(&b, shapes[i].line);
		dm_buf_putc(&b, '\n');
	}
	run("capture.json", dm_buf_cstr(&b));
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		char pair[64];

		snprintf(pair, sizeof(pair), "event.dataset=%s", shapes[i].dataset);
		has(i, pair);
	}
	dm_buf_done(&b);
	/* where the shape says nothing, the name does */
	run("logs/known_hosts.log", "{\"ts\":1,\"host\":\"192.0.2.1\"}\n");
	has(0, "event.dataset=zeek.known_hosts");
	has(0, "related.ip=192.0.2.1");
}

static void keeps_what_it_does_not_know(void **state)
{
	run("x", "{\"_path\":\"conn\",\"ts\":1,\"risk\":7,\"peer_addr\":\"192.0.2.8\",\"list\":[{\"a\":1},"
		 "\"b\"],\"none\":null,\"e\":\"\",\"dash\":\"-\"}\n"
		 "{\"_path\":\"site\",\"ts\":1,\"mood\":\"good\"}\n{\"_path\":\"site\",\"ts\":1,\"who\":"
		 "\"192.0.2.1\"}\n");
	has(0, "event.unparsed=risk=7");
	has(0, "related.ip=192.0.2.8");
	has(0, "event.unparsed=list={\"a\":1}");
	has(0, "event.unparsed=list=b");
	assert_int_equal(recorder_values(&r, 0, "event.unparsed"), 3);
	assert_int_equal(r.records, 2);
	has(1, "event.dataset=zeek.site");
	assert_string_equal(recorder_skip(&r, 0), "2: Zeek log 'site' holds no observations (1 row)");
}

static void reports_bad_lines_and_goes_on(void **state)
{
	run("x", "{\"_path\":\"conn\",\"ts\":1}\nnonsense\n[1]\n\n{\"_path\":\"conn\",\"ts\":1,\"ts\":2}\n{"
		 "\"_path\":\"conn\",\"ts\":3}\n"
		 "{\"_path\":\"conn\",\"ts\":4,\"uid\":\"C");
	assert_int_equal(r.records, 2);
	assert_int_equal(r.skips, 4);
	assert_true(!strncmp(recorder_skip(&r, 0), "2: not JSON", 11));
	assert_string_equal(recorder_skip(&r, 1), "3: not a JSON object");
	assert_true(!strncmp(recorder_skip(&r, 2), "5: not JSON", 11));
	assert_true(!strncmp(recorder_skip(&r, 3), "7: the line is cut off", 22));
	assert_true(!strncmp(recorder_record(&r, 1), "flow|1970-01-01T00:00:03Z|6|", 28));
}

static void takes_arrays_and_objects_that_span_lines(void **state)
{
	static const char *const texts[] = {
		"[{\"_path\":\"conn\",\"ts\":1,\"uid\":\"A\"},{\"_path\":\"conn\",\"ts\":2,\"uid\":\"B}\\\"{"
		"\"}]\n",
		"[\n{\"_path\":\"conn\",\"ts\":1,\"uid\":\"A\"},\n{\"_path\":\"conn\",\"ts\":2,\"uid\":\"B}"
		"\\\"{\"}\n]\n",
		"{\n  \"_path\": \"conn\",\n  \"ts\": 1,\n  \"uid\": \"A\"\n}\n{\n \"_path\": \"conn\", "
		"\"ts\": 2,\n \"uid\": \"B}\\\"{\" }",
	};

	for (size_t i = 0; i < 3; i++) {
		run("x", texts[i]);
		assert_int_equal(r.records, 2);
		assert_int_equal(r.skips, 0);
		has(0, "event.id=A");
		has(1, "event.id=B}\"{");
	}
	assert_true(!strncmp(recorder_record(&r, 1), "flow|1970-01-01T00:00:02Z|6|", 28));
	run("x", "{\n \"_path\": \"conn\", \"ts\": 1 }\n{ \"_path\":\n");
	assert_int_equal(r.records, 1);
	assert_string_equal(recorder_skip(&r, 0), "3: the last object is cut off");
}

static void goes_on_where_it_stopped(void **state)
{
	static const char text[] =
		"{\"_path\":\"conn\",\"ts\":1,\"uid\":\"A\"}\n{\"_path\":\"conn\",\"ts\":2,\"uid\":\"B\"}\n"
		"{\"_path\":\"conn\",\"ts\":3,\"uid\":\"C\"}\n";
	static const char pretty[] = "{\n\"_path\":\"conn\",\"ts\":1,\n\"uid\":\"A\"}\n{\"_path\":\n\"conn\","
				     "\"ts\":2,\"uid\":\"B\"}\n"
				     "{\"_path\":\"conn\",\"ts\":3,\n\"uid\":\"C\"}\n";

	for (int form = 0; form < 2; form++) {
		const char *s = form ? pretty : text;
		size_t n = strlen(s);

		for (size_t cut = form ? 2 : 0; cut <= n; cut++) {
			struct dm_import_input in = {.unfinished = true};
			uint64_t before;

			recorder_clear(&r);
			assert_int_equal(recorder_run(&r, &dm_import_zeek_json, "x", s, cut, &in), 0);
			before = r.records;
			/* an object that spans lines and is not whole yet is reported; the offset stays
			 * usable */
			in = (struct dm_import_input){.resume_offset = r.last_offset,
						      .resume_line = r.last_line};
			recorder_clear(&r);
			assert_int_equal(recorder_run(&r, &dm_import_zeek_json, "x", s, n, &in), 0);
			if (before + r.records != 3)
				fail_msg("form %d cut at %zu: %d + %d", form, cut, (int)before,
					 (int)r.records);
			assert_int_equal(r.last_offset, n);
		}
	}
}

static void bounds_keys_and_logs(void **state)
{
	struct dm_buf b;

	/* more columns and more logs than are remembered: slower, not wrong */
	dm_buf_init(&b, 8u << 20);
	for (int log = 0; log < 100; log++) {
		dm_buf_printf(&b, "{\"_path\":\"site%d\",\"ts\":1,\"a\":\"192.0.2.1\"", log);
		for (int key = 0; key < 300; key++)
			dm_buf_printf(&b, ",\"k%d_%d\":%d", log, key, key);
		dm_buf_str(&b, "}\n");
	}
	r.keep = 1;
	recorder_clear(&r);
	assert_int_equal(recorder_run(&r, &dm_import_zeek_json, "x", b.p, b.n, NULL), 0);
	assert_int_equal(r.records, 100);
	has(0, "event.unparsed=k0_299=299");
	assert_int_equal(recorder_values(&r, 0, "event.unparsed"), 300);
	dm_buf_done(&b);
}

static void bounds_an_object_that_spans_lines(void **state)
{
	static const char head[] = "{\n\"_path\":\"conn\",\"ts\":1,",
			  tail[] = "\"uid\":\"C\"}\n{\n\"_path\":\"conn\",\"ts\":2}\n";
	const size_t first = strlen(tail) - strlen("\n{\n\"_path\":\"conn\",\"ts\":2}\n");

	for (size_t over = 0; over < 2; over++) {
		size_t pad = DM_MAX_EVENT - strlen(head) - first + over;
		char *text = malloc(strlen(head) + pad + sizeof(tail));

		memcpy(text, head, strlen(head));
		memset(text + strlen(head), ' ', pad);
		/* lines may not be longer than DM_MAX_LINE */
		for (size_t i = 1000; i < pad; i += 1000)
			text[strlen(head) + i] = '\n';
		memcpy(text + strlen(head) + pad, tail, sizeof(tail));
		run("x", text);
		free(text);
		assert_int_equal(r.records, 2 - over);
		assert_int_equal(r.skips, over);
	}
	assert_non_null(strstr(recorder_skip(&r, 0), "object longer than 16 MiB"));
}

static void tells_its_own(void **state)
{
	static const struct {
		const char *name, *text;
		bool ours;
	} heads[] = {
		{"x", "{\"ts\":1,\"uid\":\"C\",\"id.orig_h\":\"192.0.2.1\"}\n", true},
		{"x", "{\"_path\":\"conn\"}\n", true},
		{"x", "[\n{\"ts\":1,\"uid\":\"C\"}]", true},
		{"stats.log", "{\"ts\":1,\"peer\":\"zeek\"}\n", true},
		{"x", "{\"ts\":1,\"peer\":\"zeek\"}\n", false},
		{"conn.log", "{\"timestamp\":\"x\",\"event_type\":\"dns\",\"src_ip\":\"192.0.2.1\"}\n",
		 false},
		{"x", "{\"type\":\"bundle\",\"objects\":[]}", false},
		{"x", "#separator \\x09\n", false},
		{"x", "", false},
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(dm_import_zeek_json.probe(dm_sv_str(heads[i].text), heads[i].name) > 0,
				 heads[i].ours);
}

/* The same capture in both forms must give the same records; the sums are those of tests/tools/count_zeek.py.
 */
static void agrees_with_the_tsv_of_the_same_capture(void **state)
{
	static const struct {
		const char *json, *tsv;
		uint64_t rows;
	} pairs[] = {
		{"data/zeek/wrccdc-json/dns.json.zst", "data/zeek/wrccdc-tsv/dns.log.zst", 53495},
		{"data/zeek/wrccdc-json/ssl.json.zst", "data/zeek/wrccdc-tsv/ssl.log.zst", 49444},
		{"data/zeek/wrccdc-json/weird.json.zst", "data/zeek/wrccdc-tsv/weird.log.zst", 24202},
		{"data/zeek/wrccdc-json/x509.json", "data/zeek/wrccdc-tsv/x509.log", 343},
		{"data/zeek/wrccdc-json/smtp.json", "data/zeek/wrccdc-tsv/smtp.log", 1188},
		{"data/zeek/wrccdc-json/rdp.json.zst", "data/zeek/wrccdc-tsv/rdp.log", 4122},
		{"data/zeek/wrccdc-json/notice.json", "data/zeek/wrccdc-tsv/notice.log", 206},
		{"data/zeek/wrccdc-json/ssh.json", "data/zeek/wrccdc-tsv/ssh.log", 22},
	};
	char path[512];
	unsigned seen = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		uint64_t field[DM_FIELDS];

		if (!recorder_shared(pairs[i].json, path, sizeof(path)))
			continue;
		seen++;
		r.keep = 0;
		recorder_clear(&r);
		assert_int_equal(recorder_run_file(&r, &dm_import_zeek_json, path, NULL), 0);
		assert_int_equal(r.records, pairs[i].rows);
		assert_int_equal(r.skips, 0);
		memcpy(field, r.field, sizeof(field));
		assert_true(recorder_shared(pairs[i].tsv, path, sizeof(path)));
		recorder_clear(&r);
		assert_int_equal(recorder_run_file(&r, &dm_import_zeek_tsv, path, NULL), 0);
		for (int f = 1; f < DM_FIELDS; f++) {
			/* the JSON leaves out the sensor's name where the TSV has a column for it */
			if (field[f] != r.field[f])
				fail_msg("%s: %s %d times in JSON, %d in TSV", pairs[i].json,
					 dm_field_info[f].name, (int)field[f], (int)r.field[f]);
		}
	}
	if (!seen)
		skip();
}

static void reads_mixed_streams(void **state)
{
	char path[512];

	if (!recorder_shared("data/zeek/apt29-emulation/day1-combined_zeek.json.zst", path, sizeof(path)))
		skip();
	r.keep = 10;
	assert_int_equal(recorder_run_file(&r, &dm_import_zeek_json, path, NULL), 0);
	assert_int_equal(r.records, 2140);
	assert_int_equal(r.kind[DM_KIND_DNS], 53);
	assert_int_equal(r.kind[DM_KIND_HTTP], 62);
	assert_true(
		recorder_shared("data/zeek/apt29-emulation/day2-combined_zeek.json.zst", path, sizeof(path)));
	recorder_clear(&r);
	assert_int_equal(recorder_run_file(&r, &dm_import_zeek_json, path, NULL), 0);
	assert_int_equal(r.records, 2688);
	assert_true(recorder_shared("data/zeek/rita-truncated/conn_json.log", path, sizeof(path)));
	recorder_clear(&r);
	assert_int_equal(recorder_run_file(&r, &dm_import_zeek_json, path, NULL), 0);
	assert_int_equal(r.records, 3);
	assert_int_equal(r.skips, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_a_conn_line_as_the_tsv_reader_does, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_every_wrapping, setup, teardown),
		cmocka_unit_test_setup_teardown(knows_a_log_by_its_shape, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_what_it_does_not_know, setup, teardown),
		cmocka_unit_test_setup_teardown(reports_bad_lines_and_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_arrays_and_objects_that_span_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_where_it_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_keys_and_logs, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_an_object_that_spans_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(agrees_with_the_tsv_of_the_same_capture, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_mixed_streams, setup, teardown),
	};

	return cmocka_run_group_tests_name("zeek_json", tests, NULL, NULL);
}
