/* STIX patterns: what the grammar of STIX 2.1 takes and refuses, and where it says that the fault is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hunt/pattern.h"

#define MD5  "79054025255fb1a26e4bc422aef54eb4"
#define SHA2 "aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f"

static const char *const valid[] = {
	"[file:size = 1280]",
	"[file:size == 1280]",
	"[file:size != 1280]",
	"[file:size <> 1280]",
	"[file:size < 1280]",
	"[file:size <= 1280]",
	"[file:size > 1280]",
	"[file:size >= 1280]",
	"[file:size NOT = 1280]",
	"[file:size NOT != 1280]",
	"[file:size NOT <> 1280]",
	"[file:size NOT < 1280]",
	"[file:size NOT >= 1280]",
	"[file:size = +5]",
	"[file:size = -5]",
	"[file:size = 0]",
	"[file:size = -0]",
	"[a:b = 1.5]",
	"[a:b = .5]",
	"[a:b = -.5]",
	"[a:b = +.5]",
	"[a:b = 00.5]",
	"[a:b = 123456789012345678901234567890]",
	"[a:b = true]",
	"[a:b != false]",
	"[a:b = '']",
	"[a:b = 'it\\'s']",
	"[a:b = 'back\\\\slash']",
	"[a:b = 'two\nlines']",
	"[a:b = '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80']",
	"[a:b = 'AND OR ] [ ) (']",
	"[a:b = '/* no comment */ // neither']",
	"[a:b = h'']",
	"[a:b = h'ffd8']",
	"[a:b = h'FfD8']",
	"[a:b = b'YQ==']",
	"[a:b = b'YWI=']",
	"[a:b = b'YWJj']",
	"[a:b = b'YWJjZA==']",
	"[a:b = b'++//']",
	"[a:b = b'YWJj\nZA==']",
	"[a:b = t'2014-12-19T10:00:00Z']",
	"[a:b = t'2014-12-19T10:00:00.123456789Z']",
	"[a:b = t'2016-02-29T23:59:60Z']",
	"[a:b = t'0001-01-01T00:00:00Z']",
	"[a:b < 'x']",
	"[a:b >= h'00']",
	"[a:b < t'2014-12-19T10:00:00Z']",
	"[a:b IN ()]",
	"[a:b IN (1)]",
	"[a:b IN (1, 2.5, -3)]",
	"[a:b IN ('x','y')]",
	"[a:b IN (true, false)]",
	"[a:b IN (h'00', b'YQ==')]",
	"[a:b IN (t'2014-12-19T10:00:00Z')]",
	"[a:b NOT IN ('x')]",
	"(  [(network-traffic:dst_port IN(443,6443,8443) AND network-traffic:src_packets != 0) ])",
	"[a:b LIKE '%x_']",
	"[a:b NOT LIKE '%']",
	"[a:b MATCHES '^a.+\\\\.exe$']",
	"[a:b NOT MATCHES '']",
	"[a:b MATCHES '(?i)x|\\\\xff']",
	"[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
	"[ipv4-addr:value NOT ISSUBSET '198.51.100.7']",
	"[ipv4-addr:value ISSUPERSET '198.51.100.0/27']",
	"[ipv4-addr:value ISSUBSET '0.0.0.0/0']",
	"[ipv6-addr:value ISSUBSET '2001:db8::/32']",
	"[ipv4addr:value ISSUBSET '192.168.0.1/24']",
	"[EXISTS windows-registry-key:values]",
	"[NOT EXISTS windows-registry-key:values]",
	"[EXISTS a:b AND a:c = 1]",
	"[a:b.c.d = 1]",
	"[a:b[0] = 1]",
	"[a:b[*].c[12].d = 1]",
	"[a:b[*][0] = 1]",
	"[a:b[+1] = 1]",
	"[a:b[-1] = 1]",
	"[a:'b' = 1]",
	"[a:'b c'.'d-e' = 1]",
	"[a:'b'.c[*].'d.e' = 1]",
	"[file:hashes.MD5 = '" MD5 "']",
	"[file:hashes.md5 = '" MD5 "']",
	"[file:hashes.'SHA-256' = '" SHA2 "']",
	"[file:hashes.'SHA-256' LIKE 'aec0%']",
	"[file:hashes.SHA256 IN ('" SHA2 "')]",
	"[file:hashes[*] = 'any']",
	"[file:hashes.custom = 'any']",
	"[file:hashes.ssdeep = '3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C']",
	"[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]",
	"[network-traffic:src_ref.value = '203.0.113.10' AND network-traffic:dst_ref.value = "
	"'198.51.100.58']",
	"[email-message:from_ref.value MATCHES '.+\\\\@example\\\\.com$' AND "
	"email-message:body_multipart[*].body_raw_ref.name MATCHES '^Final Report.+\\\\.exe$']",
	"[x_whatever:detected == 457]",
	"[x-usb-device:usbdrive.serial_number = '575833314133343231313937']",
	"[_a:_b = 1]",
	"[a-:b = 1]",
	"[a--b:c = 1]",
	"[A1:B2 = 1]",
	"[h:b = 1]",
	"[t:h = 1]",
	"[a:and = 1]",
	"[a:within = 1]",
	"[a:TRUE = 1]",
	"[a:AND1 = 1]",
	"[a:b = 1 AND a:c = 2 AND a:d = 3]",
	"[a:b = 1 OR a:c = 2 AND a:d = 3]",
	"[(a:b = 1 OR a:c = 2) AND a:d = 3]",
	"[((a:b = 1))]",
	"[a:b = 1 OR c:d = 2]",
	"[a:b=1AND a:c=2]",
	"[a:b='x'AND a:c='y'OR a:d='z']",
	"[ a : b . c [ 1 ] = 5 ]",
	"[a:b\t=\r\n1]",
	"[a:b\xc2\xa0=\xe3\x80\x80"
	"1]\xe2\x80\xa8",
	"[a:b = 1] // the end",
	"[a:b /* inside */ = 1 /* ** */]",
	"/* first */ [a:b = 1]",
	"[a:b = 1] // one\n AND [c:d = 2]",
	"([a:b = 1])",
	"((([a:b = 1]) AND [b:c = 2])) WITHIN 5.5 SECONDS REPEATS 2 TIMES",
	"[a:b = 1] AND [c:d = 2] OR [e:f = 3] FOLLOWEDBY [g:h = 4]",
	"[a:b = 1] FOLLOWEDBY ([c:d = 2] OR [e:f = 3])",
	"[a:b = 1] WITHIN 5 SECONDS",
	"[a:b = 1] WITHIN +5 SECONDS",
	"[a:b = 1] WITHIN .5 SECONDS",
	"[a:b = 1] WITHIN 5SECONDS",
	"[a:b = 1] WITHIN 99999999999999999999 SECONDS",
	"[a:b = 1] REPEATS 9 TIMES",
	"[a:b = 1] REPEATS +9 TIMES",
	"[a:b = 1] REPEATS 99999999999999999999999 TIMES",
	"[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'",
	"[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-05-01T00:00:00Z'",
	"[a:b = 1] START '2016-06-01T00:00:00Z' STOP '2016-07-01T00:00:00Z'",
	"[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS START t'2016-06-01T00:00:00Z' STOP "
	"t'2016-07-01T00:00:00Z'",
	"([a:b = 1] WITHIN 5 SECONDS) WITHIN 3 SECONDS",
	"([a:b = 1]) REPEATS 2 TIMES REPEATS 3 TIMES",
	"([a:b = 1] AND [c:d = 2] REPEATS 5 TIMES) WITHIN 300 SECONDS",
	"([ipv4-addr:value = '198.51.100.1/32' OR ipv4-addr:value = '203.0.113.33/32' OR ipv6-addr:value = "
	"'2001:0db8:dead:beef:dead:beef:dead:0001/128'] FOLLOWEDBY [domain-name:value = 'example.com']) "
	"WITHIN 600 SECONDS",
};

/* Pattern, byte of the fault, words that the message must have. */
static const struct {
	const char *text;
	size_t at;
	const char *says;
} invalid[] = {
	{"", 0, "the pattern ends"},
	{"   ", 3, "the pattern ends"},
	{"file:size = 1280", 0, "expected [ and a comparison, found file"},
	{"[file:size = 1280", 17, "] after a comparison, but the pattern ends"},
	{"[file:size = ]", 13, "expected a constant"},
	{"[file:size = 1280]]", 18, "the end of the pattern, found ]"},
	{"[file:size = 1280] x", 19, "the end of the pattern, found x"},
	{"[file:size = 1280][a:b = 1]", 18, "expected AND, OR"},
	{"[]", 1, "expected an object path"},
	{"[()]", 2, "expected an object path"},
	{"[file]", 5, "expected : and a property name"},
	{"[file:]", 6, "expected a property name"},
	{"[file:name]", 10, "expected a comparison operator"},
	{"[file:name NOT]", 14, "expected a comparison operator"},
	{"[file:name 'x']", 11, "expected a comparison operator"},
	{"[file:name == = 'x']", 14, "expected a constant"},
	{"[file:name =? 'x']", 12, "character ?"},
	{"[file:name ! 'x']", 11, "character !"},
	{"[file:name = x]", 13, "expected a constant"},
	{"[file:name = 'x' AND]", 20, "expected an object path"},
	{"[file:name = 'x' OR OR a:b = 1]", 20, "expected an object path"},
	{"[AND file:name = 'x']", 1, "expected an object path"},
	{"[file:name = 'x'", 16, "the pattern ends"},
	{"[(file:name = 'x']", 17, "or ) inside"},
	{"[file:name = 'x')]", 16, "or ] after a comparison"},
	{"([file:name = 'x']", 18, "but the pattern ends"},
	{"[file:name = 'x'])", 17, "the end of the pattern, found )"},
	{"[NOT file:name = 'x']", 5, "EXISTS after a NOT"},
	{"[file:name NOT EXISTS]", 15, "expected a comparison operator"},
	{"[EXISTS]", 7, "expected an object path"},
	{"[EXISTS file]", 12, "expected : and"},
	{"[EXISTS a:b = 1]", 12, "] after a comparison"},
	{"['file':name = 'x']", 1, "expected an object path"},
	{"[file:my-name = 'x']", 6, "expected a property name"},
	{"[file:hashes.SHA-256 = 'x']", 13, "expected a property name"},
	{"[file:extensions.windows-pebinary-ext.x = 1]", 17, "expected a property name"},
	{"[a:IN = 1]", 3, "expected a property name"},
	{"[a:LAST = 1]", 3, "expected a property name"},
	{"[a:true = 1]", 3, "expected a property name"},
	{"[AND:b = 1]", 1, "expected an object path"},
	{"[a:b.0 = 1]", 4, "expected a comparison operator"},
	{"[a:b. = 1]", 6, "expected a property name"},
	{"[a:b[ = 1]", 6, "expected a list index"},
	{"[a:b[x] = 1]", 5, "expected a list index"},
	{"[a:b[1.5] = 1]", 5, "expected a list index"},
	{"[a:b['c'] = 1]", 5, "expected a list index"},
	{"[a:b[1 = 1]", 7, "expected ]"},
	{"[a:b[] = 1]", 5, "expected a list index"},
	{"[a:\"b\" = 1]", 3, "double quote"},
	{"[a:b = \"x\"]", 7, "double quote"},
	{"[a:\xc3\xa9 = 1]", 3, "no meaning outside a string"},
	{"[a:b = 1.]", 8, "] after a comparison"},
	{"[a:b = 01]", 8, "] after a comparison"},
	{"[a:b = 1e5]", 8, "] after a comparison"},
	{"[a:b = --1]", 7, "character -"},
	{"[a:b = TRUE]", 7, "expected a constant"},
	{"[a:b = null]", 7, "expected a constant"},
	{"[a:b < true]", 7, "has an order"},
	{"[a:b >= false]", 8, "has an order"},
	{"[a:b = 'x]", 7, "no closing '"},
	{"[a:b = 'x\\']", 7, "no closing '"},
	{"[a:b = 'x\\", 7, "no closing '"},
	{"[a:b = 'C:\\Windows']", 10, "backslash"},
	{"[a:b MATCHES '\\d']", 14, "backslash"},
	{"[a:b = 'it''s']", 11, "] after a comparison"},
	{"[a:b = h'abc']", 7, "even number"},
	{"[a:b = h'xy']", 7, "even number"},
	{"[a:b = h'ab", 7, "no closing '"},
	{"[a:b = H'ab']", 7, "expected a constant"},
	{"[a:b = b'']", 7, "base64"},
	{"[a:b = b'YQ']", 7, "base64"},
	{"[a:b = b'YQ=']", 7, "base64"},
	{"[a:b = b'Y===']", 7, "base64"},
	{"[a:b = b'YQ==YQ==']", 7, "base64"},
	{"[a:b = b'Y?==']", 7, "base64"},
	{"[artifact:payload_bin = b'dGhpcyBpcyBhIHRlc3Q']", 24, "base64"},
	{"[a:b = t'2014-12-19']", 7, "STIX timestamp"},
	{"[a:b = t'2014-12-19T10:00:00']", 7, "STIX timestamp"},
	{"[a:b = t'2014-12-19t10:00:00Z']", 7, "STIX timestamp"},
	{"[a:b = t'2014-12-19T10:00:00z']", 7, "STIX timestamp"},
	{"[a:b = t'2014-12-19T10:00:00+00:00']", 7, "STIX timestamp"},
	{"[a:b = t'2014-12-19T24:00:00Z']", 7, "STIX timestamp"},
	{"[a:b = t'2014-13-19T10:00:00Z']", 7, "STIX timestamp"},
	{"[a:b = t'2014-02-30T10:00:00Z']", 7, "STIX timestamp"},
	{"[a:b = t'2014-12-19T10:00:00.Z']", 7, "STIX timestamp"},
	{"[a:b = t'2014-12-19T10:00Z']", 7, "STIX timestamp"},
	{"[x_whatever:detected == t'2457-73-22T32:81:84.1Z']", 24, "STIX timestamp"},
	{"[a:b in (1)]", 5, "expected a comparison operator"},
	{"[a:b IN 1]", 8, "expected ("},
	{"[a:b IN (1,)]", 11, "expected a constant"},
	{"[a:b IN (1 2)]", 11, ", or )"},
	{"[a:b IN (1", 10, "the pattern ends"},
	{"[a:b IN (1, 'x')]", 12, "of one type"},
	{"[a:b IN ('x', h'00')]", 14, "of one type"},
	{"[a:b IN (true, 1)]", 15, "of one type"},
	{"[a:b LIKE 5]", 10, "expected a 'string'"},
	{"[a:b MATCHES b'YQ==']", 13, "expected a 'string'"},
	{"[a:b ISSUBSET 5]", 14, "expected a 'string'"},
	{"[a:b MATCHES '(']", 1, "regular expression is not valid"},
	{"[a:b MATCHES 'a{2,1}']", 1, "regular expression is not valid"},
	{"[a:b = 1 AND a:c MATCHES '[z-a]']", 13, "regular expression is not valid"},
	{"[a:b ISSUBSET 'example.com']", 1, "an address or a network"},
	{"[a:b ISSUBSET '10.0.0.0/33']", 1, "an address or a network"},
	{"[a:b ISSUPERSET '10.0.0.1-10.0.0.9']", 1, "an address or a network"},
	{"[file:hashes.MD5 = 'abc']", 1, "needs 32 hexadecimal digits"},
	{"[file:hashes.'SHA-256' != '" MD5 "']", 1, "needs 64 hexadecimal digits"},
	{"[file:hashes.'SHA-1' IN ('c67c3a2c3a2c3a2c3a2c3a2c3a2c3a2c3a2c3a2g')]", 1, "needs 40 hexadecimal"},
	{"[file:hashes.ssdeep = '3:a b']", 1, "blocksize"},
	{"[a:b = 1] WITHIN 5", 18, "expected SECONDS"},
	{"[a:b = 1] WITHIN 5 HOURS", 19, "expected SECONDS"},
	{"[a:b = 1] WITHIN 5 MINUTES", 19, "expected SECONDS"},
	{"[a:b = 1] WITHIN SECONDS", 17, "positive number of seconds"},
	{"[a:b = 1] WITHIN 0 SECONDS", 17, "above 0"},
	{"[a:b = 1] WITHIN 0.000 SECONDS", 17, "above 0"},
	{"[a:b = 1] WITHIN -5 SECONDS", 17, "positive number of seconds"},
	{"[a:b = 1] WITHIN ]", 17, "positive number of seconds"},
	{"[a:b = 1] within 5 SECONDS", 10, "found within"},
	{"[a:b = 1] REPEATS 0 TIMES", 18, "above 0"},
	{"[a:b = 1] REPEATS -1 TIMES", 18, "positive whole number"},
	{"[a:b = 1] REPEATS 1.5 TIMES", 18, "positive whole number"},
	{"[a:b = 1] REPEATS 5", 19, "expected TIMES"},
	{"[a:b = 1] REPEATS TIMES", 18, "positive whole number"},
	{"[a:b = 1] START t'2016-06-01T00:00:00Z'", 39, "expected STOP"},
	{"[a:b = 1] STOP t'2016-06-01T00:00:00Z'", 10, "found STOP"},
	{"[a:b = 1] START STOP t'2016-06-01T00:00:00Z'", 16, "expected a time"},
	{"[a:b = 1] START 'today' STOP 'tomorrow'", 16, "STIX timestamp"},
	{"[a:b = 1] START 5 STOP 6", 16, "expected a time"},
	{"[a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES", 26, "only one REPEATS"},
	{"[a:b = 1] WITHIN 2 SECONDS REPEATS 3 TIMES WITHIN 5 SECONDS", 43, "only one WITHIN"},
	{"[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-06-02T00:00:00Z' START t'2016-06-01T00:00:00Z' "
	 "STOP "
	 "t'2016-06-02T00:00:00Z'",
	 69, "only one START"},
	{"[a:b = 1] AND", 13, "expected [ and a comparison"},
	{"[a:b = 1] OR OR [c:d = 2]", 13, "expected [ and a comparison"},
	{"[a:b = 1] NOT [c:d = 2]", 10, "found NOT"},
	{"[a:b = 1] FollowedBy [c:d = 2]", 10, "found FollowedBy"},
	{"[a:b = 1] FOLLOWEDBY", 20, "expected [ and a comparison"},
	{"[a:b = 1] /* never ends", 10, "no */"},
	{"[a:b = 1] / x", 10, "character /"},
	{"[a:b = 1]\xe2\x80\x8b", 9, "no meaning outside a string"},
	{"\xef\xbb\xbf[a:b = 1]", 0, "no meaning outside a string"},
};

static int parse(const char *text, struct dm_pattern **p, struct dm_err *err)
{
	*p = NULL;
	*err = (struct dm_err){0};
	return dm_pattern_parse(p, dm_sv_str(text), err);
}

static void the_grammar_is_taken(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
		struct dm_pattern *p;
		struct dm_err err;

		if (parse(valid[i], &p, &err)) {
			print_error("refused: %s\n  at %llu: %s\n", valid[i], (unsigned long long)err.offset,
				    err.msg);
			failed++;
		}
		dm_pattern_free(p);
	}
	assert_int_equal(failed, 0);
}

static void what_is_wrong_is_refused_where_it_is_wrong(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		struct dm_pattern *p;
		struct dm_err err;
		int rc = parse(invalid[i].text, &p, &err);

		if (rc != DM_EFORMAT || !err.has_offset || err.offset != invalid[i].at ||
		    !strstr(err.msg, invalid[i].says)) {
			print_error("%s\n  gave %d at %llu: %s\n", invalid[i].text, rc,
				    (unsigned long long)err.offset, err.msg);
			failed++;
		}
		dm_pattern_free(p);
	}
	assert_int_equal(failed, 0);
}

static void a_fault_has_a_remedy_where_there_is_one(void **state)
{
	static const char *const cases[][2] = {
		{"[file:hashes.SHA-256 = 'x']", "'SHA-256'"},
		{"[a:b = \"x\"]", "single quotes"},
		{"[a:b = 'C:\\Windows']", "\\\\"},
		{"[a:b = 1] WITHIN 5 MINUTES", "seconds"},
		{"[a:b = t'2014-12-19']", "t'2014-12-19T10:00:00Z'"},
		{"[NOT a:b = 1]", "before the operator"},
		{"[a:b ISSUBSET 'x']", "198.51.100.0/24"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dm_pattern *p;
		struct dm_err err;

		assert_int_equal(parse(cases[i][0], &p, &err), DM_EFORMAT);
		if (!strstr(err.remedy, cases[i][1]))
			fail_msg("%s: %s", cases[i][0], err.remedy);
	}
}

static void odd_patterns_are_remarked_on(void **state)
{
	static const char *const cases[][2] = {
		{"[a:b = 1]", ""},
		{"[a:b = 1 AND c:d = 2]", "never match"},
		{"[(a:b = 1 OR c:d = 2) AND c:e = 3]", ""},
		{"[(a:b = 1 OR c:d = 2) AND e:f = 3]", "never match"},
		{"[a:b = 1 AND c:d = 2 OR c:e = 3]", ""},
		{"[(a:b = 1 OR c:d = 2) AND (c:e = 1 OR f:g = 1) AND (f:h = 1 OR a:i = 1)]", "never match"},
		{"[a:b = 1] OR [a:b = 1 AND c:d = 2]", "never match"},
		{"[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-05-01T00:00:00Z'",
		 "not before its STOP"},
		{"[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-06-01T00:00:00Z'",
		 "not before its STOP"},
		{"[a:b = 1] START '2016-06-01T00:00:00Z' STOP '2016-07-01T00:00:00Z'", "STIX 2.0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dm_pattern *p;
		struct dm_err err;

		assert_int_equal(parse(cases[i][0], &p, &err), 0);
		if (cases[i][1][0] ? !strstr(dm_pattern_note(p), cases[i][1]) : dm_pattern_note(p)[0])
			fail_msg("%s: %s", cases[i][0], dm_pattern_note(p));
		dm_pattern_free(p);
	}
}

static void brackets_are_counted_in_order(void **state)
{
	struct dm_pattern *p;
	struct dm_err err;

	(void)state;
	assert_int_equal(parse("([a:b = 1] OR [c:d = 2]) FOLLOWEDBY [e:f = 3] AND [g:h = 4]", &p, &err), 0);
	assert_int_equal(dm_pattern_brackets(p), 4);
	assert_true(dm_sv_is(dm_pattern_candidates(p, 0)->object, "a"));
	assert_true(dm_sv_is(dm_pattern_candidates(p, 3)->object, "g"));
	dm_pattern_free(p);
}

static void text_must_be_utf8(void **state)
{
	struct dm_pattern *p;
	struct dm_err err;

	(void)state;
	assert_int_equal(parse("[a:b = '\xff']", &p, &err), DM_EFORMAT);
	assert_int_equal(parse("[a:b = '\xed\xa0\x80']", &p, &err), DM_EFORMAT);
	assert_int_equal(dm_pattern_parse(&p, DM_SV("[a:b = '\0']"), &err), 0);
	dm_pattern_free(p);
	assert_int_equal(dm_pattern_parse(&p, DM_SV("[a:b = 1]\0"), &err), DM_EFORMAT);
}

/* --- limits --------------------------------------------------------------------------------------------- */

/* head, `each` n times, tail. */
static char *repeated(const char *head, const char *each, size_t n, const char *tail)
{
	size_t h = strlen(head), e = strlen(each), t = strlen(tail);
	char *s = malloc(h + e * n + t + 1);

	assert_non_null(s);
	memcpy(s, head, h);
	for (size_t i = 0; i < n; i++)
		memcpy(s + h + i * e, each, e);
	memcpy(s + h + n * e, tail, t + 1);
	return s;
}

static void expect(char *text, int want)
{
	struct dm_pattern *p;
	struct dm_err err;

	assert_int_equal(parse(text, &p, &err), want);
	dm_pattern_free(p);
	free(text);
}

static void a_pattern_has_a_longest_text(void **state)
{
	(void)state;
	expect(repeated("[a:b = '", "x", DM_MAX_PATTERN - 10, "']"), 0);
	expect(repeated("[a:b = '", "x", DM_MAX_PATTERN - 9, "']"), DM_ELIMIT);
}

static void a_pattern_has_most_parts(void **state)
{
	(void)state;
	/* A bracket, a comparison, a path of one step; then one for each member. */
	expect(repeated("[a:b IN (1", ",1", DM_MAX_PATTERN_NODES - 4, ")]"), 0);
	expect(repeated("[a:b IN (1", ",1", DM_MAX_PATTERN_NODES - 3, ")]"), DM_ELIMIT);
	expect(repeated("[a:b", "[0]", 18000, " = 1]"), 0);
	expect(repeated("[a:b", "[0]", DM_MAX_PATTERN_NODES, " = 1]"), DM_ELIMIT);
}

static void parentheses_have_a_greatest_depth(void **state)
{
	char *close = repeated("[a:b = 1]", ")", DM_MAX_DEPTH, ""),
	     *deeper = repeated("[a:b = 1]", ")", DM_MAX_DEPTH + 1, "");
	char *inside = repeated("a:b = 1", ")", DM_MAX_DEPTH, "]"),
	     *deep = repeated("a:b = 1", ")", DM_MAX_DEPTH + 1, "]");

	(void)state;
	expect(repeated("", "(", DM_MAX_DEPTH, close), 0);
	expect(repeated("", "(", DM_MAX_DEPTH + 1, deeper), DM_ELIMIT);
	expect(repeated("[", "(", DM_MAX_DEPTH, inside), 0);
	expect(repeated("[", "(", DM_MAX_DEPTH + 1, deep), DM_ELIMIT);
	/* Never closed, and no deeper than the stack. */
	expect(repeated("", "(", 60000, ""), DM_ELIMIT);
	expect(repeated("[", "(", 60000, ""), DM_ELIMIT);
	free(close);
	free(deeper);
	free(inside);
	free(deep);
}

/* --- what the index is asked ---------------------------------------------------------------------------- */

static void put_atom(struct dm_buf *out, const struct dm_atom *a)
{
	static const char *const ops[] = {"AND", "OR", "ANY", "EQ", "SUBNET", "LIKE", "REGEX"};

	dm_buf_str(out, ops[a->op]);
	if (a->op == DM_ATOM_AND || a->op == DM_ATOM_OR) {
		dm_buf_putc(out, '(');
		for (uint32_t i = 0; i < a->n; i++) {
			if (i)
				dm_buf_putc(out, ' ');
			put_atom(out, a->kid[i]);
		}
		dm_buf_putc(out, ')');
		return;
	}
	dm_buf_printf(out, "<%.*s:%.*s", (int)a->object.n, a->object.p, (int)a->path.n, a->path.p);
	if (a->op != DM_ATOM_ANY)
		dm_buf_printf(out, "=%.*s", (int)a->value.n, a->value.p);
	dm_buf_putc(out, '>');
}

static void the_index_is_asked_for_atoms(void **state)
{
	static const char *const cases[][2] = {
		{"[ipv4-addr:value = '1.2.3.4']", "EQ<ipv4-addr:value=1.2.3.4>"},
		{"[network-traffic:dst_port = +443]", "EQ<network-traffic:dst_port=443>"},
		{"[a:b = 1.5]", "ANY<a:b>"},
		{"[a:b = true]", "ANY<a:b>"},
		{"[a:b = h'00']", "ANY<a:b>"},
		{"[a:b_hex = 'x']", "ANY<a:b_hex>"},
		{"[a:b NOT = 'x']", "ANY<a:b>"},
		{"[a:b != 'x']", "ANY<a:b>"},
		{"[a:b > 'x']", "ANY<a:b>"},
		{"[EXISTS a:b]", "ANY<a:b>"},
		{"[ipv4-addr:value ISSUBSET '10.0.0.0/8']", "SUBNET<ipv4-addr:value=10.0.0.0/8>"},
		{"[ipv4-addr:value ISSUPERSET '10.0.0.0/8']", "ANY<ipv4-addr:value>"},
		{"[a:b LIKE 'x%']", "LIKE<a:b=x%>"},
		{"[a:b MATCHES 'x+']", "REGEX<a:b=x+>"},
		{"[a:b NOT MATCHES 'x+']", "ANY<a:b>"},
		{"[a:b IN ('x', 'y')]", "OR(EQ<a:b=x> EQ<a:b=y>)"},
		{"[a:b IN (1, 2.5)]", "ANY<a:b>"},
		{"[file:hashes.sha256 = '" SHA2 "' AND file:name = 'x']",
		 "AND(EQ<file:hashes.'SHA-256'=" SHA2 "> EQ<file:name=x>)"},
		{"[network-traffic:dst_ref.value = '1.2.3.4' OR a:'x-y'[*].c[2] = 'z']",
		 "OR(EQ<network-traffic:dst_ref.value=1.2.3.4> EQ<a:'x-y'[*].c[2]=z>)"},
		{"[domain-name:value = 'a.example' OR domain-name:value = 'b.example' OR url:value = "
		 "'http://c.example/']",
		 "OR(OR(EQ<domain-name:value=a.example> EQ<domain-name:value=b.example>) "
		 "EQ<url:value=http://c.example/>)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dm_pattern *p;
		struct dm_err err;
		struct dm_buf out;

		dm_buf_init(&out, 4096);
		assert_int_equal(parse(cases[i][0], &p, &err), 0);
		put_atom(&out, dm_pattern_candidates(p, 0));
		assert_string_equal(dm_buf_cstr(&out), cases[i][1]);
		dm_pattern_free(p);
		dm_buf_done(&out);
	}
}

static int list_value(void *ctx, struct dm_sv object, struct dm_sv path, bool subnet, struct dm_sv value)
{
	dm_buf_printf(ctx, "%.*s:%.*s%s%.*s ", (int)object.n, object.p, (int)path.n, path.p,
		      subnet ? "~" : "=", (int)value.n, value.p);
	return 0;
}

static void lists_of_values_are_known_as_such(void **state)
{
	static const char *const cases[][2] = {
		{"[ipv4-addr:value = '1.2.3.4']", "ipv4-addr:value=1.2.3.4 "},
		{"([ipv4-addr:value = '1.2.3.4'])", "ipv4-addr:value=1.2.3.4 "},
		{"[domain-name:value = 'a' OR ipv4-addr:value IN ('1.2.3.4', '5.6.7.8')]",
		 "domain-name:value=a ipv4-addr:value=1.2.3.4 ipv4-addr:value=5.6.7.8 "},
		{"[ipv4-addr:value ISSUBSET '10.0.0.0/8']", "ipv4-addr:value~10.0.0.0/8 "},
		{"[file:hashes.sha256 = '" SHA2 "' OR file:name = 'x.exe']",
		 "file:hashes.'SHA-256'=" SHA2 " file:name=x.exe "},
		{"[x509-certificate:hashes.'SHA-256' = '" SHA2 "']",
		 "x509-certificate:hashes.'SHA-256'=" SHA2 " "},
		{"[ipv4-addr:value = '1.2.3.4'] REPEATS 2 TIMES", NULL},
		{"[ipv4-addr:value = '1.2.3.4'] OR [ipv4-addr:value = '1.2.3.5']", NULL},
		{"[ipv4-addr:value NOT = '1.2.3.4']", NULL},
		{"[ipv4-addr:value LIKE '1.2.3.%']", NULL},
		{"[file:name = 'x' AND file:size = 1]", NULL},
		{"[file:size = 1]", NULL},
		{"[network-traffic:dst_ref.value = '1.2.3.4']", NULL},
		{"[process:name = 'x']", NULL},
		{"[ipv4-addr:value IN ()]", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dm_pattern *p;
		struct dm_err err;
		struct dm_buf out;

		dm_buf_init(&out, 4096);
		assert_int_equal(parse(cases[i][0], &p, &err), 0);
		assert_int_equal(dm_pattern_values(p, list_value, &out), cases[i][1] != NULL);
		assert_string_equal(dm_buf_cstr(&out), cases[i][1] ? cases[i][1] : "");
		dm_pattern_free(p);
		dm_buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grammar_is_taken),
		cmocka_unit_test(what_is_wrong_is_refused_where_it_is_wrong),
		cmocka_unit_test(a_fault_has_a_remedy_where_there_is_one),
		cmocka_unit_test(odd_patterns_are_remarked_on),
		cmocka_unit_test(brackets_are_counted_in_order),
		cmocka_unit_test(text_must_be_utf8),
		cmocka_unit_test(a_pattern_has_a_longest_text),
		cmocka_unit_test(a_pattern_has_most_parts),
		cmocka_unit_test(parentheses_have_a_greatest_depth),
		cmocka_unit_test(the_index_is_asked_for_atoms),
		cmocka_unit_test(lists_of_values_are_known_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
