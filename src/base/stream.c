#include "base/stream_internal.h"

#include <errno.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/limits.h"

#define CHUNK	 (256u << 10) /* bytes asked for at a time: they stay in the second-level cache */
#define CAPACITY (DM_MAX_LINE + 2 + 4 * CHUNK) /* a longest line with its CRLF always fits */
#define PEEK_MAX (64u << 10)

struct dm_stream {
	int fd;
	enum dm_packing packing;
	struct dm_codec *codec; /* NULL: plain */
	uint8_t *raw;		/* packed bytes, CHUNK of them; NULL: plain */
	struct dm_packed in;
	uint64_t raw_offset;
	char *buf; /* decoded bytes: start..end are not yet consumed */
	size_t start, end;
	uint64_t decoded, max, lineno;
	bool complete; /* the line last returned ended in LF */
	bool finished; /* nothing can be added to buf */
	int fault;     /* why it ended too early; told once buf is used up */
	struct dm_err err;
};

static void stop(struct dm_stream *s, int code)
{
	s->finished = true;
	s->fault = code;
}

static ssize_t read_fd(struct dm_stream *s, void *p, size_t n)
{
	ssize_t k;

	do
		k = read(s->fd, p, n);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		stop(s, dm_fail_errno(&s->err, "cannot read the input"));
	else
		s->raw_offset += (uint64_t)k;
	return k;
}

/* Checked after each chunk, so that a bomb is at most a chunk over. */
static void check_limits(struct dm_stream *s)
{
	uint64_t used = s->codec ? s->raw_offset - (s->in.n - s->in.at) : s->decoded;

	if (s->decoded > s->max) {
		/* What is over and not yet given will not be. */
		uint64_t over = s->decoded - s->max, left = s->end - s->start;
		over = over < left ? over : left;
		s->end -= (size_t)over;
		s->decoded -= over;
		stop(s, dm_fail(&s->err, DM_ELIMIT, "the input has more than %llu bytes",
				(unsigned long long)s->max));
		dm_err_remedy(&s->err, "split the input");
	} else if (s->decoded > DM_RATIO_GRACE && s->decoded / DM_MAX_RATIO > used) {
		stop(s, dm_fail(&s->err, DM_ELIMIT,
				"the input unpacks to more than %u times its size, as no log does",
				DM_MAX_RATIO));
		dm_err_remedy(&s->err, "if you trust it, unpack it first and import the result");
	}
}

/* One chunk more of decoded bytes behind s->end; false when there is none. */
static bool fill_packed(struct dm_stream *s, size_t room)
{
	size_t n;
	bool more;
	ssize_t k;
	int code;

	while (!s->finished) {
		if (s->in.at == s->in.n && !s->in.end) {
			k = read_fd(s, s->raw, CHUNK);
			if (k < 0)
				break;
			s->in = (struct dm_packed){.p = s->raw, .n = (size_t)k, .end = k == 0};
		}
		code = dm_codec_run(s->codec, &s->in, s->buf + s->end, room, &n, &more, &s->err);
		s->end += n;
		s->decoded += n;
		check_limits(s);
		if (code && !s->fault)
			stop(s, code);
		if (!more)
			s->finished = true;
		if (n)
			return true;
	}
	return false;
}

static bool fill(struct dm_stream *s)
{
	size_t room;
	ssize_t n;

	if (s->finished)
		return false;
	if (s->start == s->end) {
		s->start = s->end = 0;
	} else if (s->end - s->start < CHUNK / 16 || CAPACITY - s->end < CHUNK) {
		/* A small rest goes to the front each time, so that the same few pages are used again and
		 * again. */
		memmove(s->buf, s->buf + s->start, s->end - s->start);
		s->end -= s->start;
		s->start = 0;
	}
	room = CAPACITY - s->end < CHUNK ? CAPACITY - s->end : CHUNK;
	if (s->codec)
		return fill_packed(s, room);
	n = read_fd(s, s->buf + s->end, room);
	if (n <= 0) {
		s->finished = true;
		return false;
	}
	s->end += (size_t)n;
	s->decoded += (uint64_t)n;
	check_limits(s);
	return true;
}

/* The first bytes are in buf; find out what they are, and if packed hand them to a decoder. */
static int begin(struct dm_stream *s)
{
	size_t n = s->end;

	s->packing = dm_codec_detect((uint8_t *)s->buf, n);
	s->decoded = n;
	if (s->packing == DM_PLAIN)
		return DM_OK;
	s->raw = dm_alloc(n > CHUNK ? n : CHUNK);
	if (!s->raw || dm_codec_new(&s->codec, s->packing))
		return DM_ENOMEM;
	memcpy(s->raw, s->buf, n);
	s->in = (struct dm_packed){.p = s->raw, .n = n, .end = s->finished};
	s->finished = false;
	s->start = s->end = 0;
	s->decoded = 0;
	return DM_OK;
}

int dm_stream_open(struct dm_stream **ret, int fd, struct dm_sv head, struct dm_err *err)
{
	struct dm_stream *s;
	int code;

	if (head.n > DM_MAX_LINE)
		return dm_fail(err, DM_EINVAL, "more than %u bytes handed over with an input", DM_MAX_LINE);
	s = dm_calloc(1, sizeof *s);
	if (!s)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	s->fd = fd;
	s->max = DM_MAX_INPUT;
	s->raw_offset = head.n;
	s->buf = dm_alloc(CAPACITY + DM_LINE_SLACK);
	if (!s->buf) {
		code = DM_ENOMEM;
		goto out;
	}
	if (head.n)
		memcpy(s->buf, head.p, head.n);
	s->end = head.n;
	while (s->end < 6 && fill(s))
		;
	code = s->fault ? s->fault : begin(s);
out:
	if (code) {
		dm_fail(err, code, "%s", code == DM_ENOMEM ? "out of memory" : s->err.msg);
		dm_stream_close(s);
		return code;
	}
	*ret = s;
	return DM_OK;
}

void dm_stream_close(struct dm_stream *s)
{
	if (!s)
		return;
	dm_codec_free(s->codec);
	dm_free(s->raw);
	dm_free(s->buf);
	dm_free(s);
}

enum dm_packing dm_stream_packing(const struct dm_stream *s)
{
	return s->packing;
}

void dm_stream_limit(struct dm_stream *s, uint64_t max)
{
	s->max = max < DM_MAX_INPUT ? max : DM_MAX_INPUT;
	check_limits(s);
}

/* At the end of the data: how it ended. */
static int ended(const struct dm_stream *s, struct dm_err *err)
{
	if (!s->fault)
		return DM_OK;
	dm_fail(err, s->fault, "%s", s->err.msg);
	dm_err_remedy(err, "%s", s->err.remedy);
	if (err) {
		err->offset = s->decoded;
		err->has_offset = 1;
	}
	return s->fault;
}

int dm_stream_peek(struct dm_stream *s, size_t n, struct dm_sv *ret, struct dm_err *err)
{
	if (n > PEEK_MAX)
		n = PEEK_MAX;
	while (s->end - s->start < n && fill(s))
		;
	if (s->end == s->start && s->fault)
		return ended(s, err);
	*ret = dm_sv(s->buf + s->start, s->end - s->start < n ? s->end - s->start : n);
	return DM_OK;
}

int dm_stream_read(struct dm_stream *s, void *buf, size_t n, size_t *ret_n, struct dm_err *err)
{
	size_t have;

	while (s->start == s->end && n)
		if (!fill(s)) {
			*ret_n = 0;
			return ended(s, err);
		}
	have = s->end - s->start < n ? s->end - s->start : n;
	memcpy(buf, s->buf + s->start, have);
	s->start += have;
	*ret_n = have;
	return DM_OK;
}

static int too_long(struct dm_stream *s, struct dm_err *err)
{
	dm_fail(err, DM_ELIMIT, "line longer than %u bytes, passed over", DM_MAX_LINE);
	if (err)
		err->line = s->lineno;
	return DM_ELIMIT;
}

/* No line end within the longest line: forget everything up to the next one. */
static int skip_line(struct dm_stream *s, struct dm_err *err)
{
	const char *lf;

	s->complete = false;
	do {
		lf = memchr(s->buf + s->start, '\n', s->end - s->start);
		s->start = lf ? (size_t)(lf - s->buf) + 1 : s->end;
		s->complete = lf;
	} while (!lf && fill(s));
	return too_long(s, err);
}

int dm_stream_line(struct dm_stream *s, struct dm_sv *ret, struct dm_err *err)
{
	size_t seen = 0, n;
	const char *p, *lf;

	for (;;) {
		p = s->buf + s->start;
		n = s->end - s->start;
		lf = n > seen ? memchr(p + seen, '\n', n - seen) : NULL;
		if (lf || n > DM_MAX_LINE + 1)
			break;
		seen = n;
		if (!fill(s))
			break;
	}
	p = s->buf + s->start; /* the last fill may have moved the rest, and found nothing behind it */
	if (!lf && !n)
		return s->fault ? ended(s, err) : DM_ENOENT;
	s->lineno++;
	if (!lf && n > DM_MAX_LINE + 1)
		return skip_line(s, err);
	s->complete = lf;
	if (lf)
		n = (size_t)(lf - p);
	s->start += n + s->complete;
	if (n && p[n - 1] == '\r' && lf)
		n--;
	if (n > DM_MAX_LINE)
		return too_long(s, err);
	*ret = dm_sv(p, n);
	return DM_OK;
}

uint64_t dm_stream_lineno(const struct dm_stream *s)
{
	return s->lineno;
}

bool dm_stream_line_complete(const struct dm_stream *s)
{
	return s->complete;
}

uint64_t dm_stream_offset(const struct dm_stream *s)
{
	return s->decoded - (s->end - s->start);
}

uint64_t dm_stream_raw_offset(const struct dm_stream *s)
{
	return s->raw_offset;
}

/* Room for `need` bytes, doubling, but never more than max and a NUL. */
static int grow(char **all, size_t *cap, size_t need, size_t max)
{
	size_t want = *cap * 2;
	char *p;

	if (need <= *cap)
		return DM_OK;
	want = want < need ? need : want;
	want = max < SIZE_MAX && want > max + 1 ? max + 1 : want;
	p = dm_realloc(*all, want, 1);
	if (!p)
		return DM_ENOMEM;
	*all = p;
	*cap = want;
	return DM_OK;
}

int dm_stream_slurp(struct dm_stream *s, size_t max, char **ret, size_t *ret_n, struct dm_err *err)
{
	char *all = NULL;
	size_t n = 0, cap = 0, have;
	int code = DM_OK;

	*ret = NULL;
	*ret_n = 0;
	do {
		have = s->end - s->start;
		if (have > max - n) {
			dm_free(all);
			return dm_fail(err, DM_ELIMIT, "a document of more than %zu bytes", max);
		}
		if (grow(&all, &cap, n + have + 1, max)) {
			dm_free(all);
			return dm_fail(err, DM_ENOMEM, "out of memory");
		}
		memcpy(all + n, s->buf + s->start, have);
		n += have;
		s->start = s->end;
	} while (fill(s));
	code = ended(s, err);
	all[n] = 0;
	*ret = all;
	*ret_n = n;
	return code;
}
