/* Units of import/: lists of file digests. */
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
	assert_int_equal(recorder_run(&r, &dm_import_hashlist, name, text, strlen(text), NULL), 0);
}

#define M5   "df7c845e4eadd7bac6cbfe2087bbd482"
#define S1   "8800350f53cb7bfc883962e965461d94ab5d2616"
#define S256 "b2dafbcdbc75210672f137f27ce882ccb799887631655d4f11191d5a678e44fe"

static void reads_what_coreutils_writes(void **state)
{
	run("SHA256SUMS", S256 "  bin/ls\n" S256 " *C:\\a\\b.exe\n\\" S256 "  odd\\nname\\\\x\n" S256
			       "  -\r\n" S1 "  with  two blanks\n");
	assert_int_equal(r.records, 5);
	assert_string_equal(recorder_record(&r, 0), "file|-|1|file.hash.sha256=" S256
						    "|file.name=ls|file.path=bin/ls|event.dataset=hashlist");
	has(1, "file.name=b.exe");
	has(2, "file.name=x");
	has(2, "file.path=odd\nname\\x");
	lacks(3, "file.name");
	has(4, "file.hash.sha1=" S1);
	has(4, "file.name=with  two blanks");
}

static void reads_the_other_forms(void **state)
{
	run("x", "SHA256 (a (1).txt) = " S256 "\nMD5(b.txt)= " M5 "\nSHA2-256(c)= " S256
		 "\nBLAKE2b-256 (d) = " S256 "\n" M5 " e.txt\n"
		 "     1234  " M5 "  /f\n" M5
		 "\n# remark\n\nAlgorithm       Hash      Path\n---------       ----      ----\n"
		 "SHA1            " S1 "  C:\\Users\\x y\\g.dll\n" S1
		 "00000000000000000000000000000000  big.sha\n");
	assert_int_equal(r.skips, 1);
	assert_true(!strncmp(recorder_skip(&r, 0), "13: not a digest and a file name: ", 34));
	assert_int_equal(r.records, 8);
	has(0, "file.name=a (1).txt");
	has(1, "file.hash.md5=" M5);
	has(2, "file.hash.sha256=" S256);
	has(3, "event.unparsed=BLAKE2b-256=" S256);
	lacks(3, "file.hash.sha256");
	has(4, "file.name=e.txt");
	has(5, "file.size=1234");
	has(5, "file.path=/f");
	lacks(6, "file.name");
	has(7, "file.path=C:\\Users\\x y\\g.dll");
	has(7, "file.hash.sha1=" S1);
}

static void reads_hashdeep_and_ssdeep(void **state)
{
	run("x", "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /\n##\n68," M5 "," S256
		 ",/a,b.exe\nbroken\n");
	assert_string_equal(recorder_record(&r, 0),
			    "file|-|5|file.size=68|file.hash.md5=" M5 "|file.hash.sha256=" S256
			    "|file.name=a,b.exe|file.path=/a,b.exe|event.dataset=hashlist");
	assert_string_equal(recorder_skip(&r, 0), "6: fewer fields than the list's header names");
	run("x", "ssdeep,1.1--blocksize:hash:hash,filename\n96:U57GjXLt9co6pZwvLhJluvrszNgMFwO6MFG8SvkpjTWf:"
		 "Hj3BeoEcNJ0TspgIG8SvkpjTg,\"/a/b.exe\"\n");
	has(0, "file.hash.ssdeep=96:U57GjXLt9co6pZwvLhJluvrszNgMFwO6MFG8SvkpjTWf:Hj3BeoEcNJ0TspgIG8SvkpjTg");
	has(0, "file.name=b.exe");
}

static void keeps_digests_that_have_no_column(void **state)
{
	run("x", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f  a\n");
	has(0, "event.unparsed=SHA224=d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f");
	has(0, "file.name=a");
}

static void goes_on_where_it_stopped(void **state)
{
	static const char text[] = M5 "  a\n" M5 "  b\n" M5 "  c\n";

	for (size_t cut = 0; cut <= sizeof(text) - 1; cut++) {
		struct dm_import_input in = {.unfinished = true};
		uint64_t before;

		recorder_clear(&r);
		assert_int_equal(recorder_run(&r, &dm_import_hashlist, "x", text, cut, &in), 0);
		before = r.records;
		in = (struct dm_import_input){.resume_offset = r.last_offset, .resume_line = r.last_line};
		recorder_clear(&r);
		assert_int_equal(recorder_run(&r, &dm_import_hashlist, "x", text, sizeof(text) - 1, &in), 0);
		assert_int_equal(before + r.records, 3);
	}
}

static void tells_its_own(void **state)
{
	static const struct {
		const char *text;
		int least, most;
	} heads[] = {
		{S256 "  a\n" S256 "  b\n", 80, 100},
		{"MD5 (a) = " M5 "\n", 80, 100},
		{"%%%% HASHDEEP-1.0\n", 90, 100},
		{M5 " a\n", 10, 50},
		{M5 "\n" M5 "\n", 0, 0},
		{"value,type\n" M5 ",md5\n", 0, 0},
		{"1.2.3.4\n", 0, 0},
		{"", 0, 0},
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		int score = dm_import_hashlist.probe(dm_sv_str(heads[i].text), "x");

		if (score < heads[i].least || score > heads[i].most)
			fail_msg("%s scores %d", heads[i].text, score);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_what_coreutils_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_the_other_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_hashdeep_and_ssdeep, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_digests_that_have_no_column, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_where_it_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_its_own, setup, teardown),
	};

	return cmocka_run_group_tests_name("hashlist", tests, NULL, NULL);
}
