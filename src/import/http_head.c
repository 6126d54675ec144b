#include "import/http_head.h"

size_t dm_http_head_end(const uint8_t *p, size_t n, size_t seen)
{
	const uint8_t *lf = memchr(p, '\n', n);
	size_t at;

	if (!lf)
		return 0;
	if (!memmem(p, (size_t)(lf - p), "HTTP/", 5))
		return (size_t)(lf - p) + 1;
	/* The end may straddle what was seen: LF CR LF. */
	at = seen > 3 ? seen - 3 : 0;
	while (at < n && (lf = memchr(p + at, '\n', n - at))) {
		at = (size_t)(lf - p) + 1;
		if (at < n && p[at] == '\n')
			return at + 1;
		if (n - at >= 2 && p[at] == '\r' && p[at + 1] == '\n')
			return at + 2;
	}
	return 0;
}

/* The next line of `rest` without its end. */
static struct dm_sv take_line(struct dm_sv *rest)
{
	struct dm_sv line = dm_sv_split(rest, '\n');

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool open_response(struct dm_http_head *h, struct dm_sv line)
{
	struct dm_sv code;
	uint64_t status;

	h->response = true;
	h->version = dm_sv_from(dm_sv_split(&line, ' '), 5);
	code = dm_sv_split(&line, ' ');
	if (code.n != 3 || !dm_sv_u64(code, &status) || status < 100 || h->version.n != 3)
		return false;
	h->status = (int)status;
	h->phrase = line.p ? dm_sv_trim(line) : dm_sv("", 0);
	return true;
}

bool dm_http_head_open(struct dm_http_head *h, struct dm_sv text)
{
	struct dm_sv rest = text, line = take_line(&rest);
	size_t space;

	memset(h, 0, sizeof *h);
	h->fields = h->rest = rest.p ? rest : dm_sv("", 0);
	if (dm_sv_starts(line, dm_sv_str("HTTP/")))
		return open_response(h, line);
	space = dm_sv_find(line, ' ');
	if (space == SIZE_MAX || space == 0)
		return false;
	h->method = dm_sv(line.p, space);
	line = dm_sv_trim(dm_sv_from(line, space));
	/* The version is what stands last: targets with spaces in them are sent and must be seen whole. */
	for (size_t i = line.n; i-- > 0;)
		if (line.p[i] == ' ') {
			struct dm_sv last = dm_sv_from(line, i + 1);

			if (dm_sv_starts(last, dm_sv_str("HTTP/"))) {
				h->version = dm_sv_from(last, 5);
				line = dm_sv_trim(dm_sv(line.p, i));
			}
			break;
		}
	h->target = line;
	return line.n > 0;
}

bool dm_http_head_next(struct dm_http_head *h, struct dm_sv *name, struct dm_sv *value)
{
	while (h->rest.p && h->rest.n) {
		struct dm_sv line = take_line(&h->rest);
		size_t colon = dm_sv_find(line, ':');

		if (!line.n)
			return false;
		if (colon == SIZE_MAX || colon == 0 || line.p[0] == ' ' || line.p[0] == '\t')
			continue; /* folded lines (RFC 9112 s.5.2) and noise */
		*name = dm_sv_trim(dm_sv(line.p, colon));
		*value = dm_sv_trim(dm_sv_from(line, colon + 1));
		return true;
	}
	return false;
}

struct dm_sv dm_http_head_get(const struct dm_http_head *h, const char *want)
{
	struct dm_http_head walk = *h;
	struct dm_sv name, value;

	walk.rest = h->fields;
	while (dm_http_head_next(&walk, &name, &value))
		if (dm_sv_ieq(name, dm_sv_str(want)))
			return value;
	return dm_sv("", 0);
}

struct dm_sv dm_http_mime(struct dm_sv content_type)
{
	size_t end = dm_sv_find(content_type, ';');

	if (end != SIZE_MAX)
		content_type.n = end;
	return dm_sv_trim(content_type);
}
