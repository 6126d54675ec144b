/* SMTP in captures (RFC 5321, RFC 5322): one row a message: the envelope, and what the header says. Bodies
 * are passed over. */
#include <strings.h>

#include "import/capture.h"

/* What is kept of one message's envelope and header until its row is out. */
#define KEPT_MAX  65536u
#define REPLY_MAX 256u

enum state { COMMAND, HEADER, BODY };

struct smtp_app {
	struct dm_app app;
	enum state state;
	int64_t time;
	struct dm_buf kept; /* lines: a field letter, the value, LF */
	size_t charged;
	struct dm_buf helo;
	bool open;     /* a message has begun */
	bool starttls; /* asked for, not yet granted */
	bool folded;   /* the header line before was kept */
	uint8_t tail;  /* how much of CR LF . CR LF the body's end has matched */
	char reply[REPLY_MAX];
	uint16_t reply_n;
};

static int make(struct dm_capture *c, struct dm_app **ret)
{
	struct smtp_app *a = dm_calloc(1, sizeof *a);

	if (!a)
		return dm_fail(c->err, DM_ENOMEM, "no memory for SMTP");
	a->time = DM_NO_TIME;
	dm_buf_init(&a->kept, KEPT_MAX);
	dm_buf_init(&a->helo, REPLY_MAX);
	*ret = &a->app;
	return 0;
}

static void keep(struct dm_capture *c, struct smtp_app *a, char letter, struct dm_sv value)
{
	if (!value.n || a->kept.n + value.n + 2 > KEPT_MAX)
		return;
	dm_buf_putc(&a->kept, letter);
	dm_buf_sv(&a->kept, value);
	dm_buf_putc(&a->kept, '\n');
	if (a->kept.cap > a->charged && dm_capture_keep(c, a->kept.cap - a->charged))
		a->charged = a->kept.cap;
}

/* Addresses of a header field: what stands in angle brackets, else each word with an @ (RFC 5322 s.3.4,
 * comments aside). */
static void put_addresses(struct dm_record *r, enum dm_field f, struct dm_sv s)
{
	size_t i = 0;

	while (i < s.n) {
		size_t start = i, at = SIZE_MAX;

		if (s.p[i] == '"') { /* a quoted display name may hold anything */
			for (i++; i < s.n && s.p[i] != '"'; i++)
				i += s.p[i] == '\\';
			i++;
			continue;
		}
		while (i < s.n && !strchr(" \t,;<>()\"", s.p[i]) && s.p[i]) {
			if (s.p[i] == '@')
				at = i;
			i++;
		}
		if (at != SIZE_MAX && at > start && at + 1 < i)
			dm_record_text(r, f, dm_sv(s.p + start, i - start));
		if (i == start)
			i++;
	}
}

/* The addresses that relays wrote down: [192.0.2.1], [IPv6:2001:db8::1]. */
static void put_path(struct dm_record *r, struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		struct dm_sv one;
		struct dm_ip ip;
		size_t end;

		if (s.p[i] != '[')
			continue;
		one = dm_sv_from(s, i + 1);
		end = dm_sv_find(one, ']');
		if (end == SIZE_MAX)
			return;
		one.n = end;
		if (one.n > 5 && strncasecmp(one.p, "IPv6:", 5) == 0)
			one = dm_sv_from(one, 5);
		if (dm_ip_parse(one, &ip))
			dm_record_ip(r, DM_F_MAIL_PATH_IP, &ip);
		i += end;
	}
}

static void put_kept(struct dm_record *r, char letter, struct dm_sv value)
{
	switch (letter) {
	case 'm':
		put_addresses(r, DM_F_MAIL_SENDER, value);
		break;
	case 'r':
		put_addresses(r, DM_F_MAIL_RCPT, value);
		break;
	case 'f':
		put_addresses(r, DM_F_MAIL_FROM, value);
		break;
	case 't':
		put_addresses(r, DM_F_MAIL_TO, value);
		break;
	case 'c':
		put_addresses(r, DM_F_MAIL_CC, value);
		break;
	case 'y':
		put_addresses(r, DM_F_MAIL_REPLY_TO, value);
		break;
	case 's':
		dm_record_text(r, DM_F_MAIL_SUBJECT, value);
		break;
	case 'i':
		dm_record_text(r, DM_F_MAIL_ID, value);
		break;
	case 'x':
		dm_record_text(r, DM_F_MAILER, value);
		break;
	case 'p':
		put_path(r, value);
		break;
	}
}

static int write_row(struct dm_capture *c, const struct dm_flow *f, struct smtp_app *a)
{
	struct dm_sv rest = dm_buf_view(&a->kept);
	struct dm_record *r;

	if (!a->open)
		return 0;
	a->open = false;
	r = dm_capture_start(c, f, DM_KIND_MAIL, a->time);
	if (a->helo.n)
		dm_record_text(r, DM_F_MAIL_HELO, dm_buf_view(&a->helo));
	while (rest.p && rest.n) {
		struct dm_sv line = dm_sv_split(&rest, '\n');

		if (line.n > 1)
			put_kept(r, line.p[0], dm_sv_trim(dm_sv_from(line, 1)));
	}
	dm_record_text(r, DM_F_MAIL_REPLY, dm_sv(a->reply, a->reply_n));
	int ret = dm_capture_emit(c);

	dm_buf_clear(&a->kept);
	a->time = DM_NO_TIME;
	return ret;
}

static bool starts(struct dm_sv line, const char *word)
{
	size_t n = strlen(word);

	return line.n >= n && strncasecmp(line.p, word, n) == 0;
}

static int command(struct dm_capture *c, const struct dm_flow *f, struct smtp_app *a, struct dm_sv line,
		   int64_t time)
{
	if (starts(line, "EHLO ") || starts(line, "HELO ")) {
		dm_buf_clear(&a->helo);
		dm_buf_sv(&a->helo, dm_sv_trim(dm_sv_from(line, 5)));
		return write_row(c, f, a);
	}
	if (starts(line, "MAIL FROM:")) {
		int r = write_row(c, f, a);

		if (r < 0)
			return r;
		a->open = true;
		a->time = time;
		a->reply_n = 0;
		keep(c, a, 'm', dm_sv_from(line, 10));
	} else if (starts(line, "RCPT TO:")) {
		keep(c, a, 'r', dm_sv_from(line, 8));
	} else if (starts(line, "DATA") && line.n == 4) {
		a->state = HEADER;
		a->folded = false;
	} else if (starts(line, "STARTTLS")) {
		a->starttls = true;
	} else if (starts(line, "RSET") || starts(line, "QUIT")) {
		return write_row(c, f, a);
	}
	return 0;
}

static void header(struct dm_capture *c, struct smtp_app *a, struct dm_sv line)
{
	static const struct {
		const char *name;
		char letter;
	} fields[] = {{"From:", 'f'},	  {"To:", 't'},		{"Cc:", 'c'},
		      {"Reply-To:", 'y'}, {"Subject:", 's'},	{"Message-ID:", 'i'},
		      {"X-Mailer:", 'x'}, {"User-Agent:", 'x'}, {"Received:", 'p'}};

	if (line.p[0] == ' ' || line.p[0] == '\t') {
		/* Folding (RFC 5322 s.2.2.3): the line goes on. */
		if (a->folded && a->kept.n && a->kept.n + line.n + 2 < KEPT_MAX) {
			a->kept.n--;
			dm_buf_putc(&a->kept, ' ');
			dm_buf_sv(&a->kept, dm_sv_trim(line));
			dm_buf_putc(&a->kept, '\n');
		}
		return;
	}
	a->folded = false;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (starts(line, fields[i].name)) {
			size_t before = a->kept.n;

			keep(c, a, fields[i].letter, dm_sv_trim(dm_sv_from(line, strlen(fields[i].name))));
			a->folded = a->kept.n > before;
			return;
		}
}

/* Passes over the body up to the line with a single dot (RFC 5321 s.4.1.1.4). Returns how much that is. */
static size_t skip_body(struct smtp_app *a, const uint8_t *p, size_t n)
{
	static const char end[] = "\r\n.\r\n";
	size_t i = 0;

	while (i < n && a->tail < 5) {
		if (a->tail == 0) {
			const uint8_t *cr = memchr(p + i, '\r', n - i);

			if (!cr)
				return n;
			i = (size_t)(cr - p);
		}
		if (p[i] == (uint8_t)end[a->tail]) {
			a->tail++;
		} else {
			a->tail = p[i] == '\r' ? 1 : 0;
		}
		i++;
	}
	return i;
}

static int from_client(struct dm_capture *c, const struct dm_flow *f, struct smtp_app *a,
		       const struct dm_bytes *b, size_t *used)
{
	int r = 0;

	while (r == 0 && *used < b->n) {
		const uint8_t *p = b->p + *used, *lf;
		struct dm_sv line;

		if (a->state == BODY) {
			*used += skip_body(a, p, b->n - *used);
			if (a->tail == 5)
				a->state = COMMAND;
			continue;
		}
		/* A long line that comes byte by byte is not searched from its start each time. */
		size_t seen = b->seen > *used ? b->seen - *used : 0;

		lf = memchr(p + seen, '\n', b->n - *used - seen);
		if (!lf)
			return b->n >= DM_MAX_REASSEMBLY ? DM_APP_STOP : 0;
		line = dm_sv((const char *)p, (size_t)(lf - p));
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		*used += (size_t)(lf - p) + 1;
		if (a->state == COMMAND) {
			r = command(c, f, a, line, b->time);
		} else if (line.n == 0) {
			a->state = BODY;
			a->tail = 2; /* the empty line's own CR LF may begin the end */
		} else if (dm_sv_is(line, ".")) {
			a->state = COMMAND;
		} else {
			header(c, a, line);
		}
	}
	return r;
}

static int from_server(struct dm_capture *c, const struct dm_flow *f, struct smtp_app *a,
		       const struct dm_bytes *b, size_t *used)
{
	while (*used < b->n) {
		const uint8_t *p = b->p + *used, *lf = memchr(p, '\n', b->n - *used);
		struct dm_sv line;

		if (!lf)
			return b->n - *used > 4096 ? DM_APP_STOP : 0;
		line = dm_sv_trim(dm_sv((const char *)p, (size_t)(lf - p)));
		*used += (size_t)(lf - p) + 1;
		if (line.n >= 4 && line.p[3] == '-')
			continue; /* more lines of the same reply */
		if (a->starttls && starts(line, "220"))
			return DM_APP_SWITCH;
		a->starttls = false;
		if (starts(line, "354") && a->state == COMMAND)
			a->state = HEADER; /* DATA in a pipeline whose command was missed */
		if (a->open && !starts(line, "354")) {
			a->reply_n = (uint16_t)(line.n < REPLY_MAX ? line.n : REPLY_MAX);
			memcpy(a->reply, line.p, a->reply_n);
		}
	}
	return 0;
}

static int feed(struct dm_capture *c, struct dm_flow *f, struct dm_app *app, enum dm_dir dir,
		struct dm_bytes *b, size_t *used)
{
	struct smtp_app *a = (struct smtp_app *)app;

	return dir == DM_FROM_CLIENT ? from_client(c, f, a, b, used) : from_server(c, f, a, b, used);
}

static int finish(struct dm_capture *c, struct dm_flow *f, struct dm_app *app)
{
	return write_row(c, f, (struct smtp_app *)app);
}

static void free_app(struct dm_capture *c, struct dm_app *app)
{
	struct smtp_app *a = (struct smtp_app *)app;

	dm_capture_unkeep(c, a->charged);
	dm_buf_done(&a->kept);
	dm_buf_done(&a->helo);
	dm_free(a);
}

const struct dm_app_ops dm_app_smtp = {"smtp", sizeof(struct smtp_app), make, feed, finish, free_app};
