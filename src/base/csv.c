#include "base/text.h"

void dm_csv_field(struct dm_buf *out, struct dm_sv s)
{
	bool defuse = s.n && memchr("=+-@\t\r", s.p[0], 6), quote = false;

	for (size_t i = 0; i < s.n && !quote; i++)
		quote = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
	if (quote)
		dm_buf_putc(out, '"');
	if (defuse)
		dm_buf_putc(out, '\'');
	if (!quote) {
		dm_buf_sv(out, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			dm_buf_putc(out, '"');
		dm_buf_putc(out, s.p[i]);
	}
	dm_buf_putc(out, '"');
}

/* A field that starts with a quote: unescapes into scratch. Room for all that is left of the line was made
 * before, so nothing moves. */
static struct dm_sv unescape(struct dm_sv line, char delimiter, struct dm_buf *scratch, size_t *ret_used)
{
	size_t start = scratch->n, i = 1;

	for (; i < line.n; i++) {
		if (line.p[i] != '"') {
			dm_buf_putc(scratch, line.p[i]);
		} else if (i + 1 < line.n && line.p[i + 1] == '"') {
			dm_buf_putc(scratch, '"');
			i++;
		} else {
			i++;
			break;
		}
	}
	for (; i < line.n && line.p[i] != delimiter; i++)
		dm_buf_putc(scratch, line.p[i]);
	*ret_used = i;
	return dm_sv(scratch->p + start, scratch->n - start);
}

bool dm_csv_next(struct dm_sv *rest, char delimiter, struct dm_buf *scratch, struct dm_sv *ret_field)
{
	struct dm_sv line = *rest, close;
	size_t at;

	if (!line.p)
		return false;
	if (!line.n || line.p[0] != '"') {
		*ret_field = dm_sv_split(rest, delimiter);
		return true;
	}
	/* Most quoted fields hold no quote: no copy. */
	close = dm_sv_from(line, 1);
	at = dm_sv_find(close, '"');
	if (at != SIZE_MAX && (at + 1 == close.n || close.p[at + 1] == delimiter)) {
		*ret_field = dm_sv(close.p, at);
		at += 2;
	} else if (dm_buf_room(scratch, line.n)) {
		*ret_field = unescape(line, delimiter, scratch, &at);
	} else {
		*ret_field = dm_sv_split(rest, delimiter);
		return true;
	}
	*rest = at < line.n ? dm_sv(line.p + at + 1, line.n - at - 1) : dm_sv(NULL, 0);
	return true;
}
