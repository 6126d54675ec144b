/* What the capture reader finds in connections: reassembly, HTTP, DNS, SMTP, SSH, and the limits of what is
 * kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/limits.h"
#include "pcap_build.h"
#include "sink_recorder.h"

static struct recorder rec;
static struct pcap_build cap;
static struct end c, s;

static int setup(void **state)
{
	(void)state;
	recorder_init(&rec);
	rec.keep = 20000;
	pcap_begin(&cap, 1);
	c = (struct end){"192.0.2.1", 40000, 1000};
	s = (struct end){"198.51.100.2", 80, 9000};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	recorder_done(&rec);
	pcap_done(&cap);
	return 0;
}

static void again(void)
{
	teardown(NULL);
	setup(NULL);
}

static void run(void)
{
	assert_int_equal(recorder_run(&rec, &dm_import_pcap, "t.pcap", cap.file.p, cap.file.n, NULL), 0);
}

/* Record i of a kind. */
static size_t nth(const char *kind, size_t n)
{
	for (size_t i = 0; i < rec.record_text.n; i++)
		if (strncmp(recorder_record(&rec, i), kind, strlen(kind)) == 0 && n-- == 0)
			return i;
	fail_msg("no such %s record", kind);
	return 0;
}

static void has(size_t i, const char *pair)
{
	if (!recorder_has(&rec, i, pair))
		fail_msg("no %s in %s", pair, recorder_record(&rec, i));
}

static void test_http(void **state)
{
	size_t i;

	(void)state;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s,
		 "POST /a?b=c HTTP/1.1\r\nHost: Evil.Example.COM:8080\r\nUser-Agent: curl/7\r\nReferer: "
		 "http://ref.example/x\r\n"
		 "X-Forwarded-For: 203.0.113.9, 10.0.0.1:4242, [2001:db8::7]:99\r\nContent-Type: text/plain; "
		 "charset=x\r\nContent-Length: 5\r\n\r\nhello"
		 "GET http://other.example/full HTTP/1.0\nHost: other.example\n\n");
	pcap_say(&cap, &s, &c,
		 "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Type: "
		 "text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "4\r\nabcd\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nTrailer: 1\r\n\r\n"
		 "HTTP/1.0 200 OK\nContent-Type: application/x-dosexec\n\nMZ");
	pcap_say(&cap, &s, &c, "and the rest, up to the close");
	pcap_close(&cap, &c, &s);
	run();
	assert_int_equal(rec.kind[DM_KIND_HTTP], 2);
	i = nth("http", 0);
	has(i, "http.request.method=POST");
	has(i, "url.full=http://evil.example.com:8080/a?b=c");
	has(i, "url.original=/a?b=c");
	has(i, "url.domain=evil.example.com");
	has(i, "user_agent.original=curl/7");
	has(i, "http.request.referrer=http://ref.example/x");
	has(i, "network.forwarded_ip=203.0.113.9");
	has(i, "network.forwarded_ip=10.0.0.1");
	has(i, "network.forwarded_ip=2001:db8::7");
	has(i, "http.request.mime_type=text/plain");
	has(i, "http.request.body.bytes=5");
	has(i, "http.response.status_code=404");
	has(i, "http.response.status_phrase=Not Found");
	has(i, "http.response.body.bytes=20");
	has(i, "event.id=p1");
	i = nth("http", 1);
	has(i, "url.full=http://other.example/full");
	has(i, "http.version=1.0");
	has(i, "http.response.mime_type=application/x-dosexec");
	has(i, "http.response.body.bytes=31");
	has(nth("flow", 0), "network.protocol=http");
}

static void test_http_no_host(void **state)
{
	(void)state;
	s.port = 8081;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s, "GET /x HTTP/1.1\r\n\r\n");
	run();
	has(nth("http", 0), "url.full=http://198.51.100.2:8081/x");
}

/* Old and odd: no version, methods of our own, HEAD without a body, a body that is cut off. */
static void test_http_odd(void **state)
{
	(void)state;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s, "GET /old\r\n");
	pcap_say(&cap, &s, &c, "<html>no header</html>");
	run();
	has(nth("http", 0), "url.original=/old");
	has(nth("http", 0), "http.response.body.bytes=22");
	again();
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s,
		 "BEACON /b HTTP/1.1\r\nHost: c2.example\r\n\r\nHEAD /h HTTP/1.1\r\nHost: c2.example\r\n\r\n"
		 "GET /g HTTP/1.1\r\nHost: c2.example\r\n\r\n");
	pcap_say(&cap, &s, &c,
		 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
		 "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ntoo short");
	run();
	assert_int_equal(rec.kind[DM_KIND_HTTP], 3);
	has(nth("http", 0), "http.request.method=BEACON");
	has(nth("http", 1), "http.response.body.bytes=0");
	has(nth("http", 2), "http.response.body.bytes=9");
}

static const uint8_t hello[] = {
	/* TLS record, ClientHello: TLS 1.2, one cipher, SNI a.example */
	22,   3,    1, 0, 63, 1,  0, 0, 59, 3,	3, 0,  0, 0, 0, 0,   0,	  0,   0,   0,	 0,   0,   0,
	0,    0,    0, 0, 0,  0,  0, 0, 0,  0,	0, 0,  0, 0, 0, 0,   0,	  0,   0,   0,	 0,   0,   2,
	0xc0, 0x2f, 1, 0, 0,  16, 0, 0, 0,  12, 0, 10, 0, 0, 7, 'x', '.', 'y', '.', 'o', 'r', 'g',
};

/* Behind CONNECT and its 200 something else speaks; so behind STARTTLS. */
static void test_switches(void **state)
{
	(void)state;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s, "CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n");
	pcap_say(&cap, &s, &c, "HTTP/1.1 200 Connection established\r\n\r\n");
	pcap_tcp(&cap, &c, &s, DM_TCP_ACK, hello, sizeof hello);
	run();
	has(nth("http", 0), "http.request.method=CONNECT");
	has(nth("http", 0), "url.domain=far.example");
	assert_int_equal(rec.kind[DM_KIND_TLS], 1);
	has(nth("tls", 0), "tls.client.server_name=x.y.org");
	again();
	s.port = 25;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &s, &c, "220 mx.example\r\n");
	pcap_say(&cap, &c, &s, "EHLO c.example\r\n");
	pcap_say(&cap, &s, &c, "250-mx.example\r\n250 STARTTLS\r\n");
	pcap_say(&cap, &c, &s, "STARTTLS\r\n");
	pcap_say(&cap, &s, &c, "220 go ahead\r\n");
	pcap_tcp(&cap, &c, &s, DM_TCP_ACK, hello, sizeof hello);
	run();
	assert_int_equal(rec.kind[DM_KIND_TLS], 1);
	assert_int_equal(rec.kind[DM_KIND_MAIL], 0);
}

/* JA3, JA4 of the hello above by hand: "771,49199,0,," and so on. */
static void test_fingerprints(void **state)
{
	(void)state;
	pcap_open(&cap, &c, &s);
	pcap_tcp(&cap, &c, &s, DM_TCP_ACK, hello, sizeof hello);
	run();
	has(nth("tls", 0), "tls.client.ja3=61cfdf1a447a978ff66f0880924eded7");
	has(nth("tls", 0), "tls.client.ja4=t12d010100_f06271c2b022_000000000000");
	has(nth("tls", 0), "tls.established=false");
}

/* One request in pieces, in any order, some twice: always the same row. */
static void test_order(void **state)
{
	static const char text[] =
		"GET /one HTTP/1.1\r\nHost: a.example\r\n\r\nGET /two HTTP/1.1\r\nHost: b.example\r\n\r\n";
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		unsigned from[12], len[12], order[12], n = 0;

		again();
		pcap_open(&cap, &c, &s);
		for (unsigned at = 0; at < sizeof text - 1 && n < 12; n++) {
			seed = seed * 1664525 + 1013904223;
			unsigned step = n == 11 ? (unsigned)sizeof text : 1 + (seed >> 16) % 16;

			from[n] = at;
			len[n] = at + step > sizeof text - 1 ? (unsigned)(sizeof text - 1) - at : step;
			/* Often a part of the next piece as well. */
			if (seed >> 31 && from[n] + len[n] + 3 < sizeof text)
				len[n] += 3;
			at += step;
			order[n] = n;
		}
		for (unsigned i = n; i-- > 1;) {
			seed = seed * 1664525 + 1013904223;
			unsigned k = (seed >> 16) % (i + 1), t = order[i];

			order[i] = order[k];
			order[k] = t;
		}
		for (unsigned i = 0; i < n; i++)
			pcap_tcp_at(&cap, &c, &s, DM_TCP_ACK, c.seq + from[order[i]], text + from[order[i]],
				    len[order[i]]);
		run();
		assert_int_equal(rec.kind[DM_KIND_HTTP], 2);
		has(nth("http", 0), "url.full=http://a.example/one");
		has(nth("http", 1), "url.full=http://b.example/two");
		assert_int_equal(recorder_values(&rec, nth("flow", 0), "network.missed_bytes"), 0);
	}
}

/* Two versions of one byte: the first to come counts, early or late. */
static void test_overlap(void **state)
{
	static const char good[] = "GET /good HTTP/1.1\r\n\r\n", evil[] = "GET /evil HTTP/1.1\r\n\r\n";

	(void)state;
	pcap_open(&cap, &c, &s);
	pcap_tcp_at(&cap, &c, &s, DM_TCP_ACK, c.seq + 4, good + 4, sizeof good - 5);
	pcap_tcp_at(&cap, &c, &s, DM_TCP_ACK, c.seq + 4, evil + 4, sizeof evil - 5);
	pcap_tcp_at(&cap, &c, &s, DM_TCP_ACK, c.seq, evil, sizeof evil - 1);
	run();
	assert_int_equal(rec.kind[DM_KIND_HTTP], 1);
	has(nth("http", 0), "url.original=/good");
}

/* The sequence numbers run over. */
static void test_wrap(void **state)
{
	(void)state;
	c.seq = 0xfffffff0;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s, "GET /across HTTP/1.1\r\nHost: a.example\r\n\r\n");
	run();
	has(nth("http", 0), "url.full=http://a.example/across");
}

/* Lost from the capture in the middle of a body: the next response is found. In the middle of a header: the
 * direction is given up. */
static void test_holes(void **state)
{
	(void)state;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
	pcap_say(&cap, &s, &c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
	s.seq += 80; /* lost */
	pcap_say(&cap, &s, &c, "0123456789HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n");
	pcap_close(&cap, &c, &s);
	run();
	has(nth("http", 0), "http.response.status_code=200");
	has(nth("http", 0), "http.response.body.bytes=100");
	has(nth("http", 1), "http.response.status_code=404");
	has(nth("flow", 0), "network.missed_bytes=80");
	again();
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &c, &s, "GET /1 HTTP/1.1\r\n");
	c.seq += 30;
	pcap_say(&cap, &c, &s, "\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
	pcap_say(&cap, &s, &c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	pcap_close(&cap, &c, &s);
	run();
	assert_int_equal(rec.kind[DM_KIND_HTTP], 1);
	has(nth("http", 0), "http.response.status_code=200");
}

/* A header just under the bound is read, one over it is given up. */
static void test_reassembly_bound(void **state)
{
	static char text[DM_MAX_REASSEMBLY + 64];

	(void)state;
	for (int over = -1; over <= 1; over++) {
		size_t n = DM_MAX_REASSEMBLY + (size_t)over, head, at;

		again();
		memset(text, 'a', sizeof text);
		head = (size_t)snprintf(text, sizeof text, "GET /long HTTP/1.1\r\nHost: a.example\r\nX: ");
		text[head] = 'a';
		memcpy(text + n - 4, "\r\n\r\n", 4);
		pcap_open(&cap, &c, &s);
		for (at = 0; at < n; at += 1000)
			pcap_tcp(&cap, &c, &s, DM_TCP_ACK, text + at, n - at < 1000 ? n - at : 1000);
		pcap_say(&cap, &c, &s, "GET /second HTTP/1.1\r\nHost: a.example\r\n\r\n");
		run();
		/* What fills the buffer counts as far as it goes; what follows is not looked at. */
		assert_int_equal(rec.kind[DM_KIND_HTTP], over <= 0 ? 2 : 1);
		has(nth("http", 0), "url.full=http://a.example/long");
	}
}

/* Early segments: up to the bound they wait for what is missing, over it the hole is passed. */
static void test_early_bound(void **state)
{
	static char junk[1000];
	static const char late[] = "GET /late HTTP/1.1\r\n\r\n";

	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		unsigned segments = over ? DM_MAX_REASSEMBLY / 1000 + 1 : DM_MAX_REASSEMBLY / 1000 - 4;

		again();
		pcap_open(&cap, &c, &s);
		for (unsigned i = 0; i < segments; i++)
			pcap_tcp_at(&cap, &c, &s, DM_TCP_ACK, c.seq + (uint32_t)sizeof late - 1 + i * 1000,
				    junk, sizeof junk);
		pcap_say(&cap, &c, &s, late);
		run();
		assert_int_equal(rec.kind[DM_KIND_HTTP], over ? 0 : 1);
	}
}

static void dns_name(struct dm_buf *b, const char *name)
{
	struct dm_sv rest = dm_sv_str(name);

	while (rest.p && rest.n) {
		struct dm_sv label = dm_sv_split(&rest, '.');

		dm_buf_putc(b, (char)label.n);
		dm_buf_sv(b, label);
	}
	dm_buf_putc(b, 0);
}

static void dns_head(struct dm_buf *b, unsigned id, unsigned flags, unsigned answers, const char *name,
		     unsigned type)
{
	dm_buf_clear(b);
	put_be16(b, id);
	put_be16(b, flags);
	put_be16(b, 1);
	put_be16(b, answers);
	put_be32(b, 0);
	dns_name(b, name);
	put_be16(b, type);
	put_be16(b, 1);
}

static void dns_answer(struct dm_buf *b, unsigned type, unsigned ttl, const void *data, size_t n)
{
	put_be16(b, 0xc00c);
	put_be16(b, type);
	put_be16(b, 1);
	put_be32(b, ttl);
	put_be16(b, (uint32_t)n);
	dm_buf_put(b, data, n);
}

static void test_dns(void **state)
{
	struct dm_buf m;
	size_t i;

	(void)state;
	s.port = 53;
	dm_buf_init(&m, 70000);
	dns_head(&m, 7, 0x0100, 0, "WWW.Example.ORG", 1);
	pcap_udp(&cap, &c, &s, m.p, m.n);
	pcap_udp(&cap, &c, &s, m.p, m.n); /* asked again */
	dns_head(&m, 8, 0x0100, 0, "unanswered.example", 28);
	pcap_udp(&cap, &c, &s, m.p, m.n);
	dns_head(&m, 7, 0x8180, 8, "www.example.org", 1);
	dns_answer(&m, 5, 60,
		   "\x03"
		   "cdn\xc0\x10",
		   6);
	dns_answer(&m, 1, 61, "\xc0\x00\x02\x63", 4);
	dns_answer(&m, 28, 62, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	dns_answer(&m, 16, 63,
		   "\x05v=spf\x01"
		   "1",
		   8);
	dns_answer(&m, 15, 64, "\x00\x0a\x02mx\xc0\x10", 7);
	dns_answer(&m, 33, 65, "\x00\x01\x00\x01\x01\xbb\x03srv\xc0\x10", 12);
	dns_answer(&m, 65, 66, "\x00\x01\x03svc\xc0\x10\x00\x04\x00\x04\xc0\x00\x02\x2a", 16);
	dns_answer(&m, 99, 67, "", 0);
	pcap_udp(&cap, &s, &c, m.p, m.n);
	run();
	assert_int_equal(rec.kind[DM_KIND_DNS], 2);
	assert_int_equal(rec.skips, 0);
	i = nth("dns", 0);
	has(i, "dns.type=answer");
	has(i, "dns.id=7");
	has(i, "dns.question.name=www.example.org");
	has(i, "dns.question.type=A");
	has(i, "dns.response_code=NOERROR");
	has(i, "dns.resolved_ip=192.0.2.99");
	has(i, "dns.resolved_ip=2001:db8::1");
	has(i, "dns.resolved_ip=192.0.2.42");
	has(i, "dns.answers.data=cdn.example.org");
	has(i, "dns.answers.data=mx.example.org");
	has(i, "dns.answers.data=srv.example.org");
	has(i, "dns.answers.data=svc.example.org");
	has(i, "dns.answers.text=v=spf1");
	has(i, "dns.answers.ttl=61");
	has(i, "event.duration=3000");
	has(i, "source.port=40000");
	i = nth("dns", 1);
	has(i, "dns.type=query");
	has(i, "dns.question.name=unanswered.example");
	has(i, "dns.question.type=AAAA");
	dm_buf_done(&m);
}

static void test_dns_tcp(void **state)
{
	struct dm_buf m, t;

	(void)state;
	s.port = 53;
	dm_buf_init(&m, 1000);
	dm_buf_init(&t, 1000);
	pcap_open(&cap, &c, &s);
	for (unsigned i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof name, "n%u.example", i);
		dns_head(&m, i, 0x0100, 0, name, 1);
		put_be16(&t, (uint32_t)m.n);
		dm_buf_sv(&t, dm_buf_view(&m));
	}
	for (size_t at = 0; at < t.n; at += 7) /* in crumbs */
		pcap_tcp(&cap, &c, &s, DM_TCP_ACK, t.p + at, t.n - at < 7 ? t.n - at : 7);
	run();
	assert_int_equal(rec.kind[DM_KIND_DNS], 3);
	has(nth("dns", 2), "dns.question.name=n2.example");
	dm_buf_done(&m);
	dm_buf_done(&t);
}

/* Compression that loops, points ahead, runs out: what precedes is kept, and it is said. */
static void test_dns_broken(void **state)
{
	static const struct {
		const char *what, *name;
		size_t n;
	} cases[] = {
		{"points at itself", "\xc0\x0c", 2},
		{"points ahead",
		 "\x01"
		 "a\xc0\x20",
		 4},
		{"two that point at each other",
		 "\x01"
		 "a\xc0\x0e\xc0\x0c",
		 6},
		{"reserved label type",
		 "\x41"
		 "a",
		 2},
		{"label runs out",
		 "\x3f"
		 "abc",
		 4},
		{"no end",
		 "\x01"
		 "a",
		 2},
	};
	struct dm_buf m;

	(void)state;
	dm_buf_init(&m, 70000);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		s.port = 53;
		dm_buf_clear(&m);
		dm_buf_put(&m, "\x00\x01\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00", 12);
		dm_buf_put(&m, cases[i].name, cases[i].n);
		pcap_udp(&cap, &s, &c, m.p, m.n);
		run();
		if (rec.skips != 1)
			fail_msg("%s: %s", cases[i].what, recorder_record(&rec, 0));
		assert_int_equal(rec.kind[DM_KIND_DNS], 1);
	}
	/* A name of 255 bytes is one, of 256 is not (RFC 1035 s.2.3.4). */
	for (unsigned last = 61; last <= 62; last++) {
		again();
		s.port = 53;
		dm_buf_clear(&m);
		dm_buf_put(&m, "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
		for (unsigned i = 0; i < 4; i++) {
			unsigned n = i < 3 ? 63 : last;

			dm_buf_putc(&m, (char)n);
			for (unsigned k = 0; k < n; k++)
				dm_buf_putc(&m, 'a');
		}
		dm_buf_putc(&m, 0);
		put_be32(&m, 0x00010001);
		pcap_udp(&cap, &c, &s, m.p, m.n);
		run();
		assert_int_equal(rec.skips, last == 62);
	}
	dm_buf_done(&m);
}

static void test_smtp(void **state)
{
	size_t i;

	(void)state;
	s.port = 25;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &s, &c, "220 mx.example ESMTP\r\n");
	pcap_say(&cap, &c, &s, "EHLO bot.example\r\n");
	pcap_say(&cap, &s, &c, "250-mx.example\r\n250 SIZE\r\n");
	pcap_say(&cap, &c, &s,
		 "MAIL FROM:<Phish@Bad.Example> SIZE=100\r\nRCPT TO:<one@victim.example>\r\nRCPT "
		 "TO:<two@victim.example>\r\nDATA\r\n");
	pcap_say(&cap, &s, &c, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	pcap_say(&cap, &c, &s,
		 "Received: from x ([203.0.113.77]) by y\r\n\tfrom z ([IPv6:2001:db8::25])\r\nFrom: \"The, "
		 "Boss\" <boss@victim.example>\r\n"
		 "To: one@victim.example, Two <two@victim.example>\r\nSubject: Invoice\r\n "
		 "4711\r\nMessage-ID: <1@bad.example>\r\nX-Mailer: Blaster\r\n\r\n"
		 "MAIL FROM:<not-an-envelope@example.org>\r\n..\r\n");
	pcap_say(&cap, &c, &s, "end\r\n.\r");
	pcap_say(&cap, &c, &s, "\nMAIL FROM:<>\r\nRCPT TO:<three@victim.example>\r\nQUIT\r\n");
	pcap_say(&cap, &s, &c, "250 queued as 9\r\n");
	run();
	assert_int_equal(rec.kind[DM_KIND_MAIL], 2);
	i = nth("mail", 0);
	has(i, "email.helo=bot.example");
	has(i, "email.sender.address=Phish@bad.example");
	has(i, "email.recipient.address=one@victim.example");
	has(i, "email.recipient.address=two@victim.example");
	has(i, "email.from.address=boss@victim.example");
	has(i, "email.to.address=two@victim.example");
	has(i, "email.subject=Invoice 4711");
	has(i, "email.message_id=<1@bad.example>");
	has(i, "email.x_mailer=Blaster");
	has(i, "email.received.ip=203.0.113.77");
	has(i, "email.received.ip=2001:db8::25");
	assert_int_equal(recorder_values(&rec, i, "email.from.address"), 1);
	assert_int_equal(recorder_values(&rec, i, "email.sender.address"), 1);
	has(nth("mail", 1), "email.recipient.address=three@victim.example");
}

static void test_ssh(void **state)
{
	/* KEXINIT with one-letter lists: HASSH is MD5 of "a;c;e;g". */
	static const uint8_t kexinit[] = {0, 0, 0, 75,	4,   20, 0, 0, 0,   0,	 0,   0, 0, 0,	 0,   0,
					  0, 0, 0, 0,	0,   0,	 0, 0, 0,   1,	 'a', 0, 0, 0,	 1,   'b',
					  0, 0, 0, 1,	'c', 0,	 0, 0, 1,   'd', 0,   0, 0, 1,	 'e', 0,
					  0, 0, 1, 'f', 0,   0,	 0, 1, 'g', 0,	 0,   0, 1, 'h', 0,   0,
					  0, 0, 0, 0,	0,   0,	 0, 0, 0,   0,	 0,   0, 0, 0,	 0};
	(void)state;
	s.port = 2222;
	pcap_open(&cap, &c, &s);
	pcap_say(&cap, &s, &c, "SSH-2.0-OpenSSH_9.2\r\n");
	pcap_say(&cap, &c, &s, "SSH-2.0-libssh-0.6\r\n");
	pcap_tcp(&cap, &c, &s, DM_TCP_ACK, kexinit, sizeof kexinit);
	run();
	assert_int_equal(rec.kind[DM_KIND_LOGIN], 1);
	has(nth("login", 0), "client.software=SSH-2.0-libssh-0.6");
	has(nth("login", 0), "server.software=SSH-2.0-OpenSSH_9.2");
	has(nth("login", 0), "ssh.client.hassh=1dcec95d22563622775f87b354bc5ccc");
	has(nth("flow", 0), "network.protocol=ssh");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_http),	      T(test_http_no_host),
		T(test_http_odd),     T(test_switches),
		T(test_fingerprints), T(test_order),
		T(test_overlap),      T(test_wrap),
		T(test_holes),	      T(test_reassembly_bound),
		T(test_early_bound),  T(test_dns),
		T(test_dns_tcp),      T(test_dns_broken),
		T(test_smtp),	      T(test_ssh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
