#include "import/json_feed.h"

#include "base/limits.h"

struct scan {
	uint32_t depth;
	bool in_string, escaped;
};

static struct dm_sv skip_space(struct dm_sv s)
{
	if (dm_sv_starts(s, DM_SV("\xef\xbb\xbf")))
		s = dm_sv_from(s, 3);
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
		s = dm_sv_from(s, 1);
	return s;
}

static int parse_object(struct dm_json_feed *f, struct dm_sv text, int (*each)(struct dm_json_feed *, void *),
			void *ctx)
{
	struct dm_err why = {0};
	int r = dm_json_parse(&f->doc, text, &why);

	if (r == DM_ENOMEM || r == DM_EUNSUPPORTED)
		return r;
	if (r)
		return dm_lines_skip(&f->lines, f->lines.complete ? "not JSON: " : "the line is cut off: ",
				     dm_sv_str(why.msg));
	if (f->doc.nodes[0].type != DM_JSON_OBJECT)
		return dm_lines_skip(&f->lines, "not a JSON object", dm_sv("", 0));
	return each(f, ctx);
}

static int run_lines(struct dm_json_feed *f, int (*each)(struct dm_json_feed *, void *), void *ctx,
		     struct dm_err *err)
{
	int r;

	while (!(r = dm_lines_next(&f->lines, err))) {
		struct dm_sv s = dm_sv_trim(f->lines.line);

		if (f->lines.old || !s.n)
			continue;
		/* A line feed does not make a JSON object whole, its last brace does. */
		if (!f->lines.complete && s.p[s.n - 1] != '}' && !dm_lines_take_tail(&f->lines, false))
			continue;
		f->line = f->lines.number;
		r = parse_object(f, s, each, ctx);
		if (r)
			break;
	}
	return r;
}

/* Looks through one line of a text whose objects span lines: copies what lies inside an object to f->whole;
 * *ret_end is set where the object closes. Returns how far it came. */
static size_t scan_line(struct dm_json_feed *f, struct scan *sc, struct dm_sv s, bool *ret_end)
{
	size_t i = 0, from = 0;

	*ret_end = false;
	for (; i < s.n; i++) {
		char c = s.p[i];

		if (sc->in_string) {
			if (sc->escaped)
				sc->escaped = false;
			else if (c == '\\')
				sc->escaped = true;
			else if (c == '"')
				sc->in_string = false;
			continue;
		}
		if (sc->depth == 0 && c != '{') {
			from = i + 1; /* brackets and commas of an array, or rubbish between objects */
			continue;
		}
		if (c == '"')
			sc->in_string = true;
		else if (c == '{' || c == '[')
			sc->depth++;
		else if ((c == '}' || c == ']') && --sc->depth == 0) {
			*ret_end = true;
			i++;
			break;
		}
	}
	dm_buf_sv(&f->whole, dm_sv(s.p + from, i - from));
	return i;
}

static int run_spanning(struct dm_json_feed *f, int (*each)(struct dm_json_feed *, void *), void *ctx,
			struct dm_err *err)
{
	struct scan sc = {0};
	int r;

	while (!(r = dm_lines_next(&f->lines, err))) {
		struct dm_sv s = f->lines.line;

		while (s.n) {
			bool end;

			if (sc.depth == 0)
				f->line = f->lines.number;
			s = dm_sv_from(s, scan_line(f, &sc, s, &end));
			if (end) {
				if (f->whole.err)
					r = dm_lines_skip(&f->lines, "object longer than 16 MiB",
							  dm_sv("", 0));
				else if (!f->lines.old)
					r = parse_object(f, dm_buf_view(&f->whole), each, ctx);
				if (r)
					return r;
				dm_buf_clear(&f->whole);
			}
		}
		if (sc.depth)
			dm_buf_putc(&f->whole, '\n');
		if (sc.depth > DM_MAX_DEPTH)
			return dm_fail(err, DM_EFORMAT, "JSON nested deeper than %u levels", DM_MAX_DEPTH);
	}
	if (r == DM_ENOENT && sc.depth) {
		int skipped = dm_lines_skip(&f->lines, "the last object is cut off", dm_sv("", 0));

		r = skipped ? skipped : r;
	}
	return r;
}

/* One object a line: the first line ends with a brace, or is longer than what we see. */
static bool is_line_log(struct dm_sv head)
{
	struct dm_sv s = skip_space(head), line;
	size_t eol = dm_sv_find(s, '\n');

	if (!s.n || s.p[0] != '{')
		return s.n && s.p[0] != '[';
	if (eol == SIZE_MAX)
		return true;
	line = dm_sv_trim(dm_sv(s.p, eol));
	return line.p[line.n - 1] == '}';
}

int dm_json_feed_run(struct dm_import_input *in, struct dm_sink *sink,
		     int (*each)(struct dm_json_feed *feed, void *ctx), void *ctx, struct dm_err *err)
{
	struct dm_json_feed f = {0};
	struct dm_sv head;
	int r;

	dm_lines_init(&f.lines, in, sink);
	dm_json_init(&f.doc);
	dm_buf_init(&f.whole, DM_MAX_EVENT);
	r = dm_stream_peek(in->stream, 65536, &head, err);
	if (!r)
		r = is_line_log(head) ? run_lines(&f, each, ctx, err) : run_spanning(&f, each, ctx, err);
	r = r == DM_ENOENT ? dm_lines_finish(&f.lines, r, err) : r;
	if (r == DM_ENOMEM && err && !err->code)
		dm_fail(err, DM_ENOMEM, "out of memory");
	if (r == DM_EUNSUPPORTED && err && !err->code)
		dm_json_preload(err);
	dm_buf_done(&f.whole);
	dm_json_done(&f.doc);
	return r;
}

struct dm_sv dm_json_feed_first(struct dm_sv head)
{
	struct dm_sv s = skip_space(head);

	if (s.n && s.p[0] == '[')
		s = skip_space(dm_sv_from(s, 1));
	if (!s.n || s.p[0] != '{')
		return dm_sv("", 0);
	if (is_line_log(head)) {
		size_t eol = dm_sv_find(s, '\n');

		return eol == SIZE_MAX ? s : dm_sv(s.p, eol);
	}
	return s;
}
