/* STIX Observed Data as evidence: every object type into its fields, references, limits. */
#include "intel_case.h"

#include <stdio.h>
#include "base/buf.h"

static int run(const char *text)
{
	return case_run(&dm_import_stix, DM_EITHER, text, strlen(text));
}

static void has(const char *pair)
{
	if (!recorder_has(&rec, 0, pair))
		fail_msg("%s not in %s", pair, recorder_record(&rec, 0));
}

static void dictionary(void **state)
{
	assert_int_equal(run("{`type`:`bundle`,`objects`:[{`type`:`identity`,`id`:`identity--1`,"
			     "`name`:`Sensor A`},\n"
			     "{`type`:`observed-data`,`id`:`observed-data--1`,"
			     "`created_by_ref`:`identity--1`,`first_observed`:`2014-11-24T01:02:03.000Z`,"
			     "`last_observed`:`2014-11-24T02:00:00Z`,`number_observed`:7,`labels`:[`x`],"
			     "`object_marking_refs`:[`marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5"
			     "ed`],`objects`: {`0`: {`type`: `ipv4-addr`, `value`: `192.0.2.9`}}}]}"),
			 0);
	assert_int_equal(rec.records, 1);
	assert_string_equal(recorder_record(&rec, 0),
			    "observed|2014-11-24T01:02:03Z|2|event.end=2014-11-24T02:00:00Z"
			    "|event.id=observed-data--1|event.dataset=stix.observed-data"
			    "|observer.name=Sensor A|stix.number_observed=7|tags=TLP:RED|tags=x"
			    "|related.ip=192.0.2.9|stix.objects={\"0\":{\"type\":\"ipv4-addr\","
			    "\"value\":\"192.0.2.9\"}}");
}

static void times(void **state)
{
	assert_int_equal(run("{`type`:`observed-data`,`id`:`observed-data--1`,"
			     "`objects`:{`0`:{`type`:`mutex`,`name`:`m`}}}"),
			 0);
	assert_int_equal(rec.records, 1);
	assert_true(!strncmp(recorder_record(&rec, 0), "observed|-|1|event.id", 21));
	has("stix.number_observed=1");
	assert_int_equal(run("{`type`:`observed-data`,`id`:`observed-data--1`,"
			     "`first_observed`:`2014-11-24T01:02:03Z`,`number_observed`:0,"
			     "`objects`:{`0`:{`type`:`mutex`,`name`:`m`}}}"),
			 0);
	has("event.end=2014-11-24T01:02:03Z");
	has("stix.number_observed=1");
}

static void traffic(void **state)
{
	assert_int_equal(run("{`type`:`observed-data`,`id`:`observed-data--1`,"
			     "`objects`:{`0`:{`type`:`ipv4-addr`,`value`:`10.1.2.3`},"
			     "`1`:{`type`:`ipv6-addr`,`value`:`2001:DB8::1`},"
			     "`2`:{`type`:`network-traffic`,`src_ref`:`0`,`dst_ref`:`1`,`src_port`:2487,"
			     "`dst_port`:1723,`protocols`:[`ipv6`,`TCP`,`http`],"
			     "`src_byte_count`:147600,`dst_byte_count`:9,`src_packets`:100,`dst_packets`:8,"
			     "`extensions`:{`http-request-ext`:{`request_method`:`get`,"
			     "`request_value`:`/download.html`,`request_version`:`http/1.1`,"
			     "`request_header`:{`user-agent`:`Bot 1`,`Host`:`WWW.example.com:8080`,"
			     "`Referer`:[`http://r.example/`]}},`tcp-ext`:{`src_flags_hex`:`00000012`}}},"
			     "`3`:{`type`:`mac-addr`,`value`:`D2-FB-49-24-37-18`},"
			     "`4`:{`type`:`network-traffic`,`src_ref`:`3`,`src_port`:1,`protocols`:[`udp`]},"
			     "`5`:{`type`:`mac-addr`,`value`:`d2:fb:49:24:37:19`}}}"),
			 0);
	has("source.ip=10.1.2.3");
	has("destination.ip=2001:db8::1");
	has("source.port=2487");
	has("destination.port=1723");
	has("network.transport=TCP");
	has("network.transport=udp");
	has("network.protocol=http");
	has("source.bytes=147600");
	has("destination.packets=8");
	has("http.request.method=get");
	has("user_agent.original=Bot 1");
	has("url.domain=www.example.com");
	has("url.full=http://www.example.com:8080/download.html");
	has("http.request.referrer=http://r.example/");
	has("network.tcp_flags=18");
	has("source.mac=d2:fb:49:24:37:18");
	has("related.mac=d2:fb:49:24:37:19");
	/* what plays a part is not listed a second time, and single-valued fields belong to one connection */
	assert_int_equal(recorder_values(&rec, 0, "related.ip"), 0);
	assert_int_equal(recorder_values(&rec, 0, "source.port"), 1);
}

static void mail(void **state)
{
	assert_int_equal(run("{`type`:`observed-data`,`id`:`observed-data--1`,"
			     "`objects`:{`0`:{`type`:`email-message`,`from_ref`:`1`,`sender_ref`:`9`,"
			     "`to_refs`:[`2`,`3`],`cc_refs`:[`4`],`bcc_refs`:[`5`],"
			     "`subject`:`Invoice`,`message_id`:`<a@b>`,"
			     "`additional_header_fields`:{`X-Mailer`:`Outlook`,`Reply-To`:[`r@example.com`],"
			     "`X-Originating-IP`:`198.51.100.3`}},`1`:{`type`:`email-addr`,"
			     "`value`:`a@EXAMPLE.com`},`2`:{`type`:`email-addr`,`value`:`b@example.com`},"
			     "`3`:{`type`:`email-addr`,`value`:`c@example.com`},"
			     "`4`:{`type`:`email-addr`,`value`:`d@example.com`},"
			     "`5`:{`type`:`email-addr`,`value`:`e@example.com`},"
			     "`6`:{`type`:`email-addr`,`value`:`f@example.com`}}}"),
			 0);
	has("email.from.address=a@example.com");
	has("email.to.address=b@example.com");
	has("email.to.address=c@example.com");
	has("email.cc.address=d@example.com");
	has("email.recipient.address=e@example.com");
	has("related.email=f@example.com");
	has("email.subject=Invoice");
	has("email.message_id=<a@b>");
	has("email.x_mailer=Outlook");
	has("email.reply_to.address=r@example.com");
	has("email.received.ip=198.51.100.3");
	assert_int_equal(recorder_values(&rec, 0, "related.email"), 1);
}

static void hosts_and_files(void **state)
{
	assert_int_equal(run("{`type`:`observed-data`,`id`:`observed-data--1`,`objects`:{`0`:{`type`:`file`,"
			     "`name`:`a.exe`,`size`:5,`mime_type`:`application/x-dosexec`,"
			     "`parent_directory_ref`:`1`,`hashes`:{`MD5`:`00112233445566778899aabbccddeeff`,"
			     "`SHA-1`:`00112233445566778899aabbccddeeff00112233`,"
			     "`sha256`:`00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff`,"
			     "`SHA3-256`:`00`,`ssdeep`:`3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C`}},"
			     "`1`:{`type`:`directory`,`path`:`C:\\\\Windows`},"
			     "`2`:{`type`:`process`,`image_ref`:`0`,`command_line`:`a.exe -x`},"
			     "`3`:{`type`:`windows-registry-key`,`key`:`hklm\\\\software\\\\Run`,"
			     "`values`:[{`name`:`evil`,`data`:`x`}]},"
			     "`4`:{`type`:`mutex`,`name`:`Global\\\\m`},"
			     "`5`:{`type`:`autonomous-system`,`number`:131279},"
			     "`6`:{`type`:`domain-name`,`value`:`Evil.Example`},"
			     "`7`:{`type`:`url`,`value`:`HTTP://Evil.Example/x`},"
			     "`8`:{`type`:`user-account`,`user_id`:`S-1-5`,`account_login`:`joe`},"
			     "`9`:{`type`:`artifact`,`url`:`http://a.example/`,"
			     "`hashes`:{`MD5`:`ff112233445566778899aabbccddeeff`}},"
			     "`10`:{`type`:`x509-certificate`,"
			     "`hashes`:{`SHA-1`:`aa112233445566778899aabbccddeeff00112233`},"
			     "`serial_number`:`36:f7`,`issuer`:`CN=I`,`subject`:`CN=S`,"
			     "`validity_not_before`:`2014-01-01T00:00:00Z`,`signature_algorithm`:`sha1`},"
			     "`11`:{`type`:`ipv4-addr`,`value`:`192.0.2.0/24`},"
			     "`12`:{`type`:`ipv4-addr`,`value`:`192.0.2.5/32`}}}"),
			 0);
	has("file.hash.md5=00112233445566778899aabbccddeeff");
	has("file.hash.md5=ff112233445566778899aabbccddeeff");
	has("file.hash.sha1=00112233445566778899aabbccddeeff00112233");
	has("file.hash.sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccdde"
	    "eff");
	has("file.hash.ssdeep=3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C");
	has("file.name=a.exe");
	has("file.size=5");
	has("file.path=C:\\Windows\\a.exe");
	has("process.name=a.exe");
	has("process.command_line=a.exe -x");
	has("registry.path=HKEY_LOCAL_MACHINE\\software\\Run");
	has("registry.path=HKEY_LOCAL_MACHINE\\software\\Run\\evil");
	has("mutex.name=Global\\m");
	has("related.as=AS131279");
	has("related.hosts=evil.example");
	has("related.url=http://evil.example/x");
	has("related.url=http://a.example/");
	has("user.name=S-1-5");
	has("user.name=joe");
	has("x509.fingerprint=aa112233445566778899aabbccddeeff00112233");
	has("x509.serial_number=36:f7");
	has("x509.not_before=2014-01-01T00:00:00Z");
	/* a block of addresses was not seen; one address written as a block was */
	has("related.ip=192.0.2.5");
	assert_int_equal(recorder_values(&rec, 0, "related.ip"), 1);
	has("event.unparsed=address.value=192.0.2.0/24");
}

static void references(void **state)
{
	/* the address is not in object_refs, but the connection refers to it; the second domain is in neither
	 */
	assert_int_equal(run("[{`type`:`observed-data`,`id`:`observed-data--1`,"
			     "`object_refs`:[`network-traffic--1`,`x-custom--1`]},\n"
			     "{`type`:`network-traffic`,`id`:`network-traffic--1`,`dst_ref`:`ipv4-addr--1`,"
			     "`dst_port`:443},\n"
			     "{`type`:`ipv4-addr`,`id`:`ipv4-addr--1`,`value`:`192.0.2.1`},\n"
			     "{`type`:`x-custom`,`id`:`x-custom--1`,`v`:1e3},\n"
			     "{`type`:`domain-name`,`id`:`domain-name--1`,`value`:`other.example`}]"),
			 0);
	assert_int_equal(rec.records, 1);
	has("destination.ip=192.0.2.1");
	assert_record("|stix.objects=[{\"type\":\"network-traffic\",\"id\":\"network-traffic--1\","
		      "\"dst_ref\":\"ipv4-addr--1\",\"dst_port\":443},"
		      "{\"type\":\"x-custom\",\"id\":\"x-custom--1\",\"v\":1e3},"
		      "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--1\",\"value\":\"192.0.2.1\"}]");
	assert_int_equal(rec.skips, 1);
	assert_string_equal(recorder_skip(&rec, 0),
			    "5: object without indicator or observed-data asserts nothing: domain-name");
	/* missing ones are said, the others kept */
	assert_int_equal(run("[{`type`:`observed-data`,`id`:`observed-data--1`,`object_refs`:[`mutex--1`,"
			     "`mutex--2`,5]},{`type`:`mutex`,`id`:`mutex--1`,`name`:`m`}]"),
			 0);
	assert_int_equal(rec.records, 1);
	assert_skipped("names 2 objects that are not in the file; the others are kept");
	assert_int_equal(run("[{`type`:`observed-data`,`id`:`observed-data--1`,`object_refs`:[`mutex--1`]}]"),
			 0);
	assert_int_equal(rec.records, 0);
	assert_skipped("names 1 objects that are not in the file");
	/* a ring of references ends */
	assert_int_equal(run("[{`type`:`observed-data`,`id`:`observed-data--1`,"
			     "`object_refs`:[`directory--1`]},{`type`:`directory`,`id`:`directory--1`,"
			     "`path`:`/a`,`contains_refs`:[`directory--2`]},"
			     "{`type`:`directory`,`id`:`directory--2`,`path`:`/b`,"
			     "`contains_refs`:[`directory--1`,`directory--2`]}]"),
			 0);
	assert_int_equal(rec.records, 1);
	assert_int_equal(recorder_values(&rec, 0, "file.path"), 2);
	assert_int_equal(run("{`type`:`observed-data`,`id`:`observed-data--1`}"), 0);
	assert_skipped("observed-data without objects");
}

/* Each line is a bundle of its own; the same id in two of them is two things. */
static void scopes(void **state)
{
#define LINE(n)                                                                                              \
	"{\"type\":\"bundle\",\"objects\":[{\"type\":\"observed-data\",\"id\":\"observed-data--" n           \
	"\",\"object_refs\":[\"mutex--1\"]},"                                                                \
	"{\"type\":\"mutex\",\"id\":\"mutex--1\",\"name\":\"m" n "\"}]}\n"
	struct dm_buf text;

	assert_int_equal(run(LINE("1") LINE("2") LINE("3")), 0);
	assert_int_equal(rec.records, 3);
	assert_true(recorder_has(&rec, 0, "mutex.name=m1"));
	assert_true(recorder_has(&rec, 1, "mutex.name=m2"));
	assert_true(recorder_has(&rec, 2, "mutex.name=m3"));
	/* also with very many copies */
	dm_buf_init(&text, 1u << 20);
	for (int i = 0; i < 500; i++)
		dm_buf_printf(&text,
			      "{`type`:`bundle`,`objects`:[{`type`:`observed-data`,`id`:`observed-data--%d`,"
			      "`object_refs`:[`mutex--1`]},{`type`:`mutex`,`id`:`mutex--1`,`name`:`m%d`}]}\n",
			      i, i);
	assert_int_equal(case_run(&dm_import_stix, DM_EITHER, text.p, text.n), 0);
	assert_int_equal(rec.records, 500);
	for (size_t i = 0; i < 500; i++) {
		char pair[40];
		snprintf(pair, sizeof pair, "mutex.name=m%zu", i);
		assert_true(recorder_has(&rec, i, pair));
	}
	dm_buf_done(&text);
}

static void object_limit(void **state)
{
	struct dm_buf text;

	for (unsigned over = 0; over <= 1; over++) {
		dm_buf_init(&text, 16u << 20);
		dm_buf_str(&text, "{`type`:`observed-data`,`id`:`observed-data--1`,`objects`:{");
		for (unsigned i = 0; i < DM_MAX_OBSERVED_OBJECTS + over; i++)
			dm_buf_printf(&text, "%s`%u`:{`type`:`x`}", i ? "," : "", i);
		dm_buf_str(&text, "}}");
		assert_int_equal(case_run(&dm_import_stix, DM_EITHER, text.p, text.n), 0);
		assert_int_equal(rec.records, !over);
		dm_buf_clear(&text);
		dm_buf_str(&text, "[{`type`:`observed-data`,`id`:`observed-data--1`,`object_refs`:[");
		for (unsigned i = 0; i < DM_MAX_OBSERVED_OBJECTS + over; i++)
			dm_buf_printf(&text, "%s`x--%u`", i ? "," : "", i);
		dm_buf_str(&text, "]}");
		for (unsigned i = 0; i < DM_MAX_OBSERVED_OBJECTS + over; i++)
			dm_buf_printf(&text, ",{`type`:`x`,`id`:`x--%u`}", i);
		dm_buf_str(&text, "]");
		assert_int_equal(case_run(&dm_import_stix, DM_EITHER, text.p, text.n), 0);
		assert_int_equal(rec.records, 1);
		assert_int_equal(case_any(&rec.skip_text, "more than 4096 objects"), over);
		dm_buf_done(&text);
	}
}

/* Objects that exceed one value of a record: the fields are kept, a half text is not. */
static void size_limit(void **state)
{
	static const char around[] = "{`0`:{`type`:`mutex`,`name`:`m`,`x`:``}}";
	struct dm_buf text;

	for (unsigned over = 0; over <= 1; over++) {
		dm_buf_init(&text, 1u << 20);
		dm_buf_str(&text, "{`type`:`observed-data`,`id`:`observed-data--1`,"
				  "`objects`:{`0`:{`type`:`mutex`,`name`:`m`,`x`:`");
		for (size_t i = 0; i < DM_MAX_VALUE - (sizeof around - 1) + over; i++)
			dm_buf_putc(&text, 'x');
		dm_buf_str(&text, "`}}}");
		assert_int_equal(case_run(&dm_import_stix, DM_EITHER, text.p, text.n), 0);
		assert_int_equal(rec.records, 1);
		has("mutex.name=m");
		assert_int_equal(recorder_values(&rec, 0, "stix.objects"), !over);
		assert_int_equal(rec.skips, over);
		dm_buf_done(&text);
	}
}

/* Thousands of observations that all refer to one large object would make a small file cost without end. */
static void expansion_limit(void **state)
{
	const size_t big = 1u << 20;
	struct dm_buf text;

	for (unsigned over = 0; over <= 1; over++) {
		size_t refs = DM_MAX_EXPANSION + (over ? 20 : 0);
		dm_buf_init(&text, 8u << 20);
		dm_buf_str(&text, "[{`type`:`x`,`id`:`x--1`,`x`:`");
		for (size_t i = 0; i < big; i++)
			dm_buf_putc(&text, 'x');
		dm_buf_str(&text, "`}");
		for (size_t i = 0; i < refs; i++)
			dm_buf_printf(
				&text,
				",{`type`:`observed-data`,`id`:`observed-data--%zu`,`object_refs`:[`x--1`]}",
				i);
		dm_buf_str(&text, "]");
		assert_int_equal(case_run(&dm_import_stix, DM_EITHER, text.p, text.n), 0);
		/* each record also says that its objects are too large for exact patterns */
		assert_int_equal(rec.skips, refs);
		assert_int_equal(case_any(&rec.skip_text, "over and over"), over);
		assert_true(over ? rec.records >= DM_MAX_EXPANSION && rec.records < refs
				 : rec.records == refs);
		dm_buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dictionary),	   cmocka_unit_test(times),
		cmocka_unit_test(traffic),	   cmocka_unit_test(mail),
		cmocka_unit_test(hosts_and_files), cmocka_unit_test(references),
		cmocka_unit_test(scopes),	   cmocka_unit_test(object_limit),
		cmocka_unit_test(size_limit),	   cmocka_unit_test(expansion_limit),
	};

	return cmocka_run_group_tests_name("stix_observed", tests, case_setup, case_teardown);
}
