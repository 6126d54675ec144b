/* Block lists: what must not be blocked stays out, everything else can be read back from what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hunt/blocklist.h"
#include "hunt/blocklist_format.h"

#define NOW	(1416816000ll * DM_US) /* 2014-11-24T08:00:00Z */
#define DAYS(n) (NOW + (n)*DM_DAY_US)

static struct dm_buf keys[64];
static size_t nkeys;

static struct dm_sv key_of(enum dm_obs_type *type, const char *text)
{
	struct dm_buf *b = &keys[nkeys++ % 64];

	dm_buf_done(b);
	dm_buf_init(b, 4096);
	assert_true(dm_obs_key(*type, dm_sv_str(text), b, type));
	return dm_buf_view(b);
}

static struct dm_block_entry entry(enum dm_obs_type type, const char *text)
{
	struct dm_block_entry e = {.form = DM_IND_VALUE,
				   .text = dm_sv_str(text),
				   .reason = DM_SV("C2 server"),
				   .source = DM_SV("report 7"),
				   .expires = DAYS(10)};

	e.key = key_of(&type, text);
	e.type = type;
	return e;
}

/* A key that no reader of indicators would let through: a block list must bear it all the same. */
static struct dm_block_entry raw(enum dm_obs_type type, struct dm_sv key)
{
	struct dm_block_entry e = entry(DM_OBS_IPV4, "8.8.4.4");

	e.type = type;
	e.key = e.text = key;
	return e;
}

static struct dm_block_entry range(const char *first, const char *last)
{
	struct dm_block_entry e = entry(DM_OBS_IPV4, first);
	enum dm_obs_type type = DM_OBS_IPV4;

	e.form = DM_IND_RANGE;
	e.key2 = key_of(&type, last);
	return e;
}

static struct dm_block_entry suffix(const char *name)
{
	struct dm_block_entry e = entry(DM_OBS_DOMAIN, name);

	e.form = DM_IND_SUFFIX;
	return e;
}

static struct dm_block_result make(enum dm_block_format f, const struct dm_block_entry *e, size_t n)
{
	static const struct dm_block_options opt = {
		.now = NOW, .incident = {"case-1", 6}, .list_name = "out/block.rules"};
	struct dm_block_result r;

	assert_int_equal(dm_blocklist(f, e, n, &opt, &r, NULL), DM_OK);
	dm_buf_cstr(&r.text);
	dm_buf_cstr(&r.undo);
	return r;
}

static bool has(const struct dm_buf *b, const char *text)
{
	return memmem(b->p, b->n, text, strlen(text)) != NULL;
}

/* No line but comments, in the sense of the format. */
static size_t live_lines(const struct dm_buf *b, char sign)
{
	struct dm_sv rest = dm_buf_view(b);
	size_t n = 0;

	while (rest.p && rest.n) {
		struct dm_sv line = dm_sv_split(&rest, '\n');

		n += line.n && line.p[0] != sign;
	}
	return n;
}

static void what_must_not_be_blocked_is_named_in_a_comment(void **state)
{
	struct dm_block_entry bad[9];

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		bad[i] = entry(DM_OBS_IPV4, "8.8.4.4");
		bad[i].text = DM_SV("1.2.3.4");
	}
	bad[0].flags = DM_FLAG_OWN;
	bad[1].flags = DM_FLAG_WARNING;
	bad[2].flags = DM_FLAG_NOT_IDS;
	bad[3].flags = DM_FLAG_REVOKED;
	bad[4].flags = 1u << 30; /* one that this code does not know yet */
	bad[5].expires = NOW;
	bad[6].protect = DM_SV("a hospital shares it");
	bad[7].form = DM_IND_PATTERN;
	/* a reserved address that nobody flagged */
	bad[8] = entry(DM_OBS_IPV4, "10.0.0.1");
	for (int f = DM_BLOCK_NFT; f <= DM_BLOCK_ZEEK; f++) {
		struct dm_block_result r = make((enum dm_block_format)f, bad, 9);

		assert_int_equal(r.blocked, 0);
		assert_int_equal(r.left_out, 9);
		assert_false(has(&r.text, "8.8.4.4") || has(&r.text, "4.4.8.8"));
		assert_true(has(&r.text, "left out: 1.2.3.4 because it is in one of our own networks\n"));
		assert_true(has(&r.text, "because it is protected: a hospital shares it\n"));
		assert_true(has(&r.text, "because it has expired\n"));
		assert_true(has(&r.text, "left out: 10.0.0.1 because "));
		assert_true(has(&r.text, "because it is flagged\n"));
		dm_block_result_done(&r);
	}
}

static void an_end_is_given_to_what_has_none(void **state)
{
	struct dm_block_entry e = entry(DM_OBS_IPV4, "8.8.4.4");
	struct dm_block_result r;

	(void)state;
	e.expires = DM_NO_TIME;
	r = make(DM_BLOCK_NFT, &e, 1);
	assert_true(has(&r.text, "8.8.4.4 timeout 2592000s comment \"C2 server (report 7), case case-1\""));
	assert_true(r.last_end == DAYS(30));
	dm_block_result_done(&r);
}

static void overlaps_are_taken_apart_for_nftables(void **state)
{
	struct dm_block_entry e[5] = {range("9.0.0.0", "9.0.0.255"), entry(DM_OBS_IPV4, "9.0.0.7"),
				      entry(DM_OBS_IPV4, "9.0.0.9"), range("9.0.0.250", "9.0.1.5"),
				      entry(DM_OBS_IPV4, "9.0.0.7")};
	struct dm_block_result r;

	(void)state;
	e[1].expires = DAYS(20); /* outlives the network around it */
	e[2].expires = DAYS(5);	 /* does not: the network says it */
	e[3].expires = DAYS(15);
	r = make(DM_BLOCK_NFT, e, 5);
	assert_true(has(&r.text, "\t9.0.0.0-9.0.0.6 timeout 864000s"));
	assert_true(has(&r.text, "\t9.0.0.7 timeout 1728000s"));
	assert_true(has(&r.text, "\t9.0.0.8-9.0.0.249 timeout 864000s"));
	assert_true(has(&r.text, "\t9.0.0.250-9.0.1.5 timeout 1296000s"));
	assert_false(has(&r.text, "\t9.0.0.9 "));
	dm_block_result_done(&r);
}

/* Every address in the elements of an nft list, with the brute truth beside it. */
static void elements_cover_exactly_what_was_asked(void **state)
{
	struct dm_block_entry e[40];
	uint32_t base = 0x09000000, seed = 7;
	bool want[256] = {0}, got[256] = {0};
	struct dm_block_result r;
	struct dm_sv rest;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		char first[32], last[32];
		unsigned a, b;

		seed = seed * 1664525u + 1013904223u;
		a = seed >> 24;
		seed = seed * 1664525u + 1013904223u;
		b = a + (seed >> 28);
		b = b > 255 ? 255 : b;
		snprintf(first, sizeof first, "9.0.0.%u", a);
		snprintf(last, sizeof last, "9.0.0.%u", b);
		e[i] = i % 3 ? range(first, last) : entry(DM_OBS_IPV4, first);
		e[i].text = DM_SV("x");
		e[i].expires = DAYS(1 + seed % 9);
		for (unsigned x = a; x <= (i % 3 ? b : a); x++)
			want[x] = true;
		/* the keys must outlive the loop */
		e[i].key = dm_sv(dm_strndup(e[i].key), e[i].key.n);
		if (e[i].key2.n)
			e[i].key2 = dm_sv(dm_strndup(e[i].key2), e[i].key2.n);
	}
	r = make(DM_BLOCK_NFT, e, 40);
	rest = dm_buf_view(&r.text);
	while (rest.n) {
		struct dm_sv line = dm_sv_split(&rest, '\n'), word;
		struct dm_ip first, last;

		if (!dm_sv_starts(line, DM_SV("\t\t\t9.")))
			continue;
		line = dm_sv_from(line, 3);
		word = dm_sv_split(&line, ' ');
		assert_true(dm_ip_range(word, &first, &last));
		for (uint32_t x = dm_ip_v4(&first); x <= dm_ip_v4(&last); x++) {
			assert_false(got[x - base]); /* nftables refuses overlaps */
			got[x - base] = true;
		}
	}
	assert_memory_equal(want, got, sizeof want);
	dm_block_result_done(&r);
	for (size_t i = 0; i < 40; i++) {
		dm_free((void *)(uintptr_t)e[i].key.p);
		if (e[i].key2.n)
			dm_free((void *)(uintptr_t)e[i].key2.p);
	}
}

static void ranges_are_cut_into_networks(void **state)
{
	static const struct {
		const char *first, *last, *networks;
	} cases[] = {
		{"9.0.0.0", "9.0.0.255", "9.0.0.0/24 "},
		{"9.0.0.1", "9.0.0.6", "9.0.0.1/32 9.0.0.2/31 9.0.0.4/31 9.0.0.6/32 "},
		{"9.0.0.255", "9.0.1.0", "9.0.0.255/32 9.0.1.0/32 "},
		{"0.0.0.0", "255.255.255.255", "0.0.0.0/0 "},
		{"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0 "},
		{"2a00::", "2a00::ffff", "2a00::/112 "},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dm_ip first, last, net;
		bool done = false;
		unsigned prefix;
		struct dm_buf b;

		dm_buf_init(&b, 4096);
		assert_true(dm_ip_parse(dm_sv_str(cases[i].first), &first) &&
			    dm_ip_parse(dm_sv_str(cases[i].last), &last));
		while (dm_block_network(&first, &last, &done, &net, &prefix)) {
			dm_ip_put(&b, &net);
			dm_buf_printf(&b, "/%u ", prefix);
		}
		assert_string_equal(dm_buf_cstr(&b), cases[i].networks);
		dm_buf_done(&b);
	}
}

static const char evil[] = "x\"; } }\nflush ruleset\n;)\r\t\\\"|0a|'$INCLUDE\x1b[2J";

static struct dm_block_entry evil_entry(struct dm_block_entry e)
{
	e.reason = e.source = DM_SV(evil);
	return e;
}

static void texts_of_strangers_cannot_break_out(void **state)
{
	struct dm_block_entry e[5] = {evil_entry(entry(DM_OBS_IPV4, "8.8.4.4")),
				      evil_entry(entry(DM_OBS_DOMAIN, "evil.example.net")),
				      evil_entry(raw(DM_OBS_URL, DM_SV("http://evil.example.net/a\";)"))),
				      evil_entry(raw(DM_OBS_USER_AGENT, DM_SV("agent\"; sid:1;)\talert"))),
				      evil_entry(entry(DM_OBS_IPV4, "8.8.8.8"))};
	struct dm_block_result r;

	(void)state;
	e[4].protect = DM_SV(evil);
	e[4].text = DM_SV(evil);
	for (int f = DM_BLOCK_NFT; f <= DM_BLOCK_ZEEK; f++) {
		char sign = f == DM_BLOCK_RPZ ? ';' : '#';
		struct dm_sv rest;

		r = make((enum dm_block_format)f, e, 5);
		assert_null(memchr(r.text.p, '\x1b', r.text.n));
		assert_null(memchr(r.text.p, '\r', r.text.n));
		rest = dm_buf_view(&r.text);
		while (rest.p && rest.n) {
			struct dm_sv line = dm_sv_split(&rest, '\n');

			/* nothing begins a line but what the format wrote */
			assert_false(dm_sv_starts(line, DM_SV("flush")));
			if (line.n && line.p[0] == sign)
				continue;
			if (f == DM_BLOCK_SURICATA) {
				size_t quotes = 0;

				for (size_t i = 0; i < line.n; i++)
					quotes += line.p[i] == '"';
				assert_int_equal(quotes % 2, 0);
				assert_true(dm_sv_starts(line, DM_SV("drop ")) &&
					    dm_sv_ends(line, DM_SV(";)")));
				assert_null(memmem(line.p, line.n, "sid:1;", 6));
			}
			if (f == DM_BLOCK_NFT && memmem(line.p, line.n, "comment", 7))
				assert_true(dm_sv_ends(line, DM_SV("\",")));
		}
		dm_block_result_done(&r);
	}
}

static void a_zone_says_names_and_networks(void **state)
{
	struct dm_block_entry e[7] = {entry(DM_OBS_DOMAIN, "a.example.net"),
				      suffix("b.example.net"),
				      entry(DM_OBS_DOMAIN, "b.example.net"),
				      entry(DM_OBS_IPV4, "8.8.4.4"),
				      entry(DM_OBS_IPV6, "2a00:1450::1"),
				      range("9.0.0.0", "9.0.0.255"),
				      entry(DM_OBS_MD5, "900150983cd24fb0d6963f7d28e17f72")};
	struct dm_block_result r;

	(void)state;
	r = make(DM_BLOCK_RPZ, e, 7);
	assert_true(has(&r.text, "\na.example.net CNAME . ; until 2014-12-04T08:00:00Z: C2 server"));
	assert_false(has(&r.text, "*.a.example.net"));
	assert_true(has(&r.text, "\nb.example.net CNAME .") && has(&r.text, "\n*.b.example.net CNAME ."));
	assert_true(has(&r.text, "\n32.4.4.8.8.rpz-ip CNAME ."));
	assert_true(has(&r.text, "\n128.1.zz.1450.2a00.rpz-ip CNAME ."));
	assert_true(has(&r.text, "\n24.0.0.0.9.rpz-ip CNAME ."));
	assert_true(has(&r.text, "; left out: 1 of type md5 because this format cannot say them\n"));
	assert_int_equal(r.not_possible, 1);
	assert_int_equal(live_lines(&r.text, ';'), 3 + 6);
	assert_int_equal(live_lines(&r.undo, ';'), 3);
	dm_block_result_done(&r);
}

static void rules_say_each_kind_where_it_is_seen(void **state)
{
	struct dm_block_entry e[7] = {
		entry(DM_OBS_DOMAIN, "a.example.net"),
		suffix("b.example.net"),
		range("9.0.0.1", "9.0.0.2"),
		entry(DM_OBS_URL, "http://c.example.net/x?y=1"),
		entry(DM_OBS_JA3, "900150983cd24fb0d6963f7d28e17f72"),
		entry(DM_OBS_X509_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
		entry(DM_OBS_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")};
	struct dm_block_result r, again;

	(void)state;
	r = make(DM_BLOCK_SURICATA, e, 7);
	assert_true(has(&r.text, "dns.query; content:\"a.example.net\"; bsize:13; sid:1"));
	assert_true(has(&r.text, "tls.sni; dotprefix; content:\".b.example.net\"; nocase; endswith; sid:1"));
	assert_true(has(&r.text, "drop ip any any <> [9.0.0.1,9.0.0.2] any (msg:\"demarche: C2 server "
				 "(report 7), case case-1\"; sid:1"));
	assert_true(has(&r.text, "http.host; content:\"c.example.net\"; bsize:13; http.uri.raw; "
				 "content:\"/x?y=1\"; bsize:6;"));
	assert_true(has(&r.text, "ja3.hash; content:\"900150983cd24fb0d6963f7d28e17f72\"; bsize:32;"));
	assert_true(has(&r.text, "tls.cert_fingerprint; content:\"a9|3a|99|3a|"));
	assert_true(has(&r.text, "filesha256:block.rules.sha256;"));
	assert_string_equal(dm_buf_cstr(&r.list[2]),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
	/* as many sids taken back as given, the same ones in the next list */
	assert_int_equal(live_lines(&r.text, '#'), live_lines(&r.undo, '#'));
	again = make(DM_BLOCK_SURICATA, e + 3, 4);
	for (struct dm_sv rest = dm_buf_view(&again.undo); rest.p && rest.n;) {
		struct dm_sv line = dm_sv_split(&rest, '\n');
		uint64_t sid;

		if (!line.n || line.p[0] == '#')
			continue;
		assert_true(dm_sv_u64(line, &sid) && sid >= 1000000 && sid <= 1999999);
		assert_non_null(memmem(r.undo.p, r.undo.n, line.p, line.n));
	}
	dm_block_result_done(&again);
	dm_block_result_done(&r);
}

static void zeek_reads_back_what_was_meant(void **state)
{
	struct dm_block_entry e[5] = {entry(DM_OBS_IPV4, "8.8.4.4"), range("9.0.0.0", "9.0.0.255"),
				      entry(DM_OBS_URL, "https://c.example.net/x"),
				      raw(DM_OBS_FILENAME, DM_SV("#evil\tname")), suffix("b.example.net")};
	struct dm_block_result r;

	(void)state;
	r = make(DM_BLOCK_ZEEK, e, 5);
	assert_true(has(&r.text,
			"\n#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.do_notice\n"));
	assert_true(has(&r.text, "\n8.8.4.4\tIntel::ADDR\treport 7\tuntil 2014-12-04T08:00:00Z: C2 server "
				 "(report 7), case case-1\tT\n"));
	assert_true(has(&r.text, "\n9.0.0.0/24\tIntel::SUBNET\t"));
	assert_true(has(&r.text, "\nc.example.net/x\tIntel::URL\t"));
	assert_true(has(&r.text, "\n\\x23evil\\x09name\tIntel::FILE_NAME\t"));
	assert_true(has(&r.undo, "\n9.0.0.0/24\tIntel::SUBNET\treport 7\tT\n"));
	assert_true(has(&r.text, "names below a domain cannot be said here"));
	assert_int_equal(live_lines(&r.text, '#'), 5);
	assert_int_equal(live_lines(&r.undo, '#'), 5);
	dm_block_result_done(&r);
}

static void the_order_of_entries_does_not_matter(void **state)
{
	struct dm_block_entry e[4] = {entry(DM_OBS_IPV4, "8.8.4.4"), suffix("b.example.net"),
				      entry(DM_OBS_IPV4, "10.1.1.1"), entry(DM_OBS_IPV4, "10.1.1.0")};

	(void)state;
	for (int f = DM_BLOCK_NFT; f <= DM_BLOCK_ZEEK; f++) {
		struct dm_block_entry back[4] = {e[3], e[2], e[1], e[0]};
		struct dm_block_result r = make((enum dm_block_format)f, e, 4),
				       s = make((enum dm_block_format)f, back, 4);

		assert_int_equal(r.text.n, s.text.n);
		assert_memory_equal(r.text.p, s.text.p, r.text.n);
		dm_block_result_done(&r);
		dm_block_result_done(&s);
	}
}

/* -1: the program is not there or may not ask the kernel. */
static int try_program(const char *const *argv, const struct dm_buf *input)
{
	char path[] = "/tmp/demarche-block-XXXXXX";
	int fd = mkstemp(path), status = 0;
	const char *args[8] = {0};
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, input->p, input->n), input->n);
	close(fd);
	for (size_t i = 0; argv[i]; i++)
		args[i] = strcmp(argv[i], "FILE") ? argv[i] : path;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		execvp(args[0], (char **)(uintptr_t)args);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

static void the_real_programs_load_them(void **state)
{
	static const char *const nft[] = {"nft", "-c", "-f", "FILE", NULL};
	static const char *const zone[] = {"named-checkzone", "-k", "fail", "rpz.example", "FILE", NULL};
	struct dm_block_entry e[6] = {evil_entry(entry(DM_OBS_IPV4, "8.8.4.4")),
				      range("9.0.0.0", "9.0.0.255"),
				      entry(DM_OBS_IPV4, "9.0.0.7"),
				      entry(DM_OBS_IPV6, "2a00:1450::1"),
				      suffix("b.example.net"),
				      evil_entry(entry(DM_OBS_DOMAIN, "a.example.net"))};
	struct dm_block_result r;
	struct dm_buf empty = {.p = (char *)(uintptr_t) "", .n = 0};
	int tried = 0;

	(void)state;
	e[2].expires = DAYS(20);
	if (try_program(nft, &empty) == 0) {
		r = make(DM_BLOCK_NFT, e, 6);
		assert_int_equal(try_program(nft, &r.text), 0);
		assert_int_equal(try_program(nft, &r.undo), 0);
		dm_block_result_done(&r);
		tried++;
	}
	if (try_program(zone, &empty) >= 0) {
		r = make(DM_BLOCK_RPZ, e, 6);
		assert_int_equal(try_program(zone, &r.text), 0);
		assert_int_equal(try_program(zone, &r.undo), 0);
		dm_block_result_done(&r);
		tried++;
	}
	if (!tried)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_not_be_blocked_is_named_in_a_comment),
		cmocka_unit_test(an_end_is_given_to_what_has_none),
		cmocka_unit_test(overlaps_are_taken_apart_for_nftables),
		cmocka_unit_test(elements_cover_exactly_what_was_asked),
		cmocka_unit_test(ranges_are_cut_into_networks),
		cmocka_unit_test(texts_of_strangers_cannot_break_out),
		cmocka_unit_test(a_zone_says_names_and_networks),
		cmocka_unit_test(rules_say_each_kind_where_it_is_seen),
		cmocka_unit_test(zeek_reads_back_what_was_meant),
		cmocka_unit_test(the_order_of_entries_does_not_matter),
		cmocka_unit_test(the_real_programs_load_them),
	};

	return cmocka_run_group_tests_name("blocklist", tests, NULL, NULL);
}
