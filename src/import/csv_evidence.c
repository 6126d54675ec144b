/* csv_evidence.c: evidence as a table with named columns: comma, tab, semicolon, bar or spaces between. */
#include "import/csv_evidence.h"

#include <stdio.h>

#include "base/limits.h"
#include "import/csv_map.h"
#include "import/lines.h"

struct table {
	struct dm_lines lines;
	struct dm_csv_map map;
	struct dm_record rec;
	const char *dataset;
	bool header; /* the map is made */
	bool ended;  /* behind the rows stands a summary */
	bool noted;  /* that times can't be read */
	struct dm_buf header_text;
	struct dm_buf joined; /* a row that spans lines */
	uint64_t joined_line[DM_MAX_ROW_LINES];
	size_t joined_at[DM_MAX_ROW_LINES + 1]; /* where each of its lines begins */
	uint32_t njoined;
	uint64_t joined_offset; /* in the input */
};

/* What stands before the names: "#Fields: " of W3C logs, "# " of others, Excel's "sep=;". Empty: no header.
 */
static struct dm_sv header_of(struct dm_sv line)
{
	line = dm_sv_trim(line);
	if (dm_sv_starts(line, DM_SV("#Fields:")))
		return dm_sv_trim(dm_sv_from(line, 8));
	if (line.n == 5 && dm_sv_ieq(dm_sv(line.p, 4), DM_SV("sep=")))
		return dm_sv("", 0);
	while (line.n && (line.p[0] == '#' || line.p[0] == ' '))
		line = dm_sv_from(line, 1);
	return line;
}

/* A second header of a W3C log that names nothing known leaves the first in force. */
static int open_header(struct table *t, struct dm_sv header)
{
	struct dm_csv_map *m = dm_alloc(sizeof(*m));
	int r;

	if (!m)
		return DM_ENOMEM;
	r = dm_csv_map_init(m, header, dm_csv_sniff(header));
	/* One name that happens to be known does not make a line of prose a header. */
	if (!r && (m->n < 2 || (m->known < 2 && !m->source && !m->destination && !m->file)))
		r = DM_EFORMAT;
	if (r) {
		dm_csv_map_done(m);
		dm_free(m);
		return r;
	}
	if (t->header)
		dm_csv_map_done(&t->map);
	t->map = *m;
	dm_free(m);
	t->header = true;
	dm_buf_clear(&t->header_text);
	dm_buf_sv(&t->header_text, header);
	return t->header_text.err;
}

static int no_header(struct table *t, struct dm_err *err)
{
	dm_fail(err, DM_EFORMAT, "the first line names no column that is known");
	if (err)
		err->line = t->lines.number;
	return dm_err_remedy(err, "name the columns in the first line, for example: "
				  "@timestamp,source.ip,source.port,destination.ip,destination.port");
}

static int read_row(struct table *t, struct dm_sv text, uint64_t line)
{
	struct dm_sink *sink = t->lines.sink;
	uint32_t n;
	int r;

	n = dm_csv_map_row(&t->map, text, line, &t->rec);
	if (n) {
		char reason[120];

		snprintf(reason, sizeof(reason), "%u fields where the header names %u%s", n, t->map.n,
			 t->lines.complete ? "" : ": the line is cut off");
		return sink->skip(sink, line, reason);
	}
	if (t->map.undated && !t->noted) {
		t->noted = true;
		r = sink->meta(sink, "note",
			       DM_SV("some times can't be read for sure (of 03/04 either may be the month); "
				     "they are kept as text"));
		if (r)
			return r;
	}
	dm_record_text(&t->rec, DM_F_DATASET, dm_sv_str(t->dataset));
	return dm_lines_record(&t->lines, &t->rec);
}

static bool odd_quotes(struct dm_sv s)
{
	bool odd = false;

	for (const char *p = s.p; (p = memchr(p, '"', (size_t)(s.p + s.n - p))); p++)
		odd = !odd;
	return odd;
}

/* A quote that never closed: each line by itself after all. */
static int read_apart(struct table *t)
{
	uint32_t n = t->njoined;
	int r = 0;

	t->joined_at[n] = t->joined.n + 1;
	t->lines.hold = false;
	t->njoined = 0;
	for (uint32_t i = 0; i < n && !r; i++)
		r = read_row(t,
			     dm_sv(t->joined.p + t->joined_at[i], t->joined_at[i + 1] - t->joined_at[i] - 1),
			     t->joined_line[i]);
	dm_buf_clear(&t->joined);
	return r;
}

/* A row, or a part of one whose quoted field holds line ends. */
static int take_text(struct table *t, struct dm_sv text)
{
	int r = 0;

	if (!t->njoined && !odd_quotes(text))
		return t->lines.old ? 0 : read_row(t, text, t->lines.number);
	if (t->lines.old)
		return 0;
	if (t->njoined)
		dm_buf_putc(&t->joined, '\n');
	else
		t->joined_offset = t->lines.start;
	t->lines.hold = true;
	t->joined_line[t->njoined] = t->lines.number;
	t->joined_at[t->njoined++] = t->joined.n;
	dm_buf_sv(&t->joined, text);
	if (t->joined.err)
		return t->joined.err;
	if (!odd_quotes(dm_buf_view(&t->joined))) {
		t->lines.hold = false;
		t->njoined = 0;
		r = read_row(t, dm_buf_view(&t->joined), t->joined_line[0]);
		dm_buf_clear(&t->joined);
	} else if (t->njoined == DM_MAX_ROW_LINES || t->joined.n > DM_MAX_ROW_BYTES) {
		r = read_apart(t);
	}
	return r;
}

static int read_line(struct table *t, struct dm_err *err)
{
	struct dm_sv line = t->lines.line, header;
	int r;

	if (t->ended || (!t->njoined && !dm_sv_trim(line).n))
		return 0;
	if (!t->header || (!t->njoined && dm_sv_starts(line, DM_SV("#Fields:")))) {
		header = header_of(line);
		if (!header.n)
			return 0;
		r = open_header(t, header);
		/* A line of comment may stand before. */
		return r == DM_EFORMAT && line.p[0] != '#' ? no_header(t, err) : r == DM_EFORMAT ? 0 : r;
	}
	if (!t->njoined && (line.p[0] == '#' || dm_sv_eq(header_of(line), dm_buf_view(&t->header_text))))
		return 0;				 /* comments, and headers of joined files */
	if (dm_sv_is(line, "Summary") && t->map.n > 1) { /* nfdump ends its tables so */
		t->ended = true;
		return 0;
	}
	if (t->map.wide)
		return t->lines.sink->skip(t->lines.sink, t->lines.number,
					   "the table has more than 512 columns");
	if (!t->lines.complete && !dm_lines_take_tail(&t->lines, false))
		return 0;
	return take_text(t, line);
}

int dm_csv_evidence_read(struct dm_import_input *in, struct dm_sink *sink, const char *dataset,
			 struct dm_err *err)
{
	struct table *t = dm_calloc(1, sizeof(*t));
	int r;

	if (!t)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	t->dataset = dataset;
	dm_record_init(&t->rec);
	dm_lines_init(&t->lines, in, sink);
	dm_buf_init(&t->header_text, DM_MAX_LINE);
	dm_buf_init(&t->joined, 2 * DM_MAX_LINE);
	while (!(r = dm_lines_next(&t->lines, err))) {
		r = read_line(t, err);
		if (r)
			break;
	}
	if (r == DM_ENOENT && t->njoined && !dm_lines_leave(&t->lines, t->joined_offset, t->joined_line[0])) {
		int apart = read_apart(t);

		r = apart ? apart : r;
	}
	if (r == DM_ENOENT && !t->header && t->lines.number && !t->lines.left)
		r = no_header(t, err);
	if (r == DM_ENOENT)
		r = dm_lines_finish(&t->lines, r, err);
	if (r == DM_ENOMEM && err && !err->code)
		dm_fail(err, DM_ENOMEM, "out of memory");
	if (t->header)
		dm_csv_map_done(&t->map);
	dm_buf_done(&t->joined);
	dm_buf_done(&t->header_text);
	dm_record_done(&t->rec);
	dm_free(t);
	return r;
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	return dm_csv_evidence_read(in, sink, "table", err);
}

static bool has_dotted_names(const struct dm_csv_map *m)
{
	unsigned dotted = 0;

	for (uint32_t i = 0; i < m->n; i++)
		dotted += dm_field_from_name(dm_sv_str(m->column[i].name)) != DM_F_NONE;
	return dotted >= 2;
}

static int score_header(struct dm_sv header)
{
	struct dm_csv_map *m = dm_alloc(sizeof(*m));
	int score = 0;

	if (!m)
		return 0;
	if (!dm_csv_map_init(m, header, dm_csv_sniff(header)) && m->n > 1) {
		/* Both ends of a connection, or one with a time, are what only a log has; all else may as
		 * well be a table of indicators, which its own importer knows better. */
		if (m->source && m->destination)
			score = m->time ? 92 : 85;
		else if (has_dotted_names(m))
			score = 80;
		else if (m->address && m->time && m->known > 2)
			score = 78;
		else if (m->known >= 2)
			score = m->time || m->file ? 30 : 10;
	}
	dm_csv_map_done(m);
	dm_free(m);
	return score;
}

static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv rest = head;

	if (dm_sv_starts(rest, DM_SV("\xef\xbb\xbf")))
		rest = dm_sv_from(rest, 3);
	if (memchr(head.p, 0, head.n) ||
	    (rest.n && (rest.p[0] == '{' || rest.p[0] == '[' || rest.p[0] == '<')))
		return 0;
	for (int i = 0; i < 10 && rest.p; i++) {
		struct dm_sv line = dm_sv_trim(dm_sv_split(&rest, '\n'));
		int score;

		if (dm_sv_starts(line, DM_SV("#separator")) || dm_sv_starts(line, DM_SV("#fields")))
			return 0;
		if (!header_of(line).n)
			continue;
		score = score_header(header_of(line));
		if (score || line.p[0] != '#')
			return score;
	}
	return 0;
}

const struct dm_importer dm_import_csv = {
	.name = "csv",
	.title = "table of evidence (CSV)",
	.gives = DM_EVIDENCE,
	.probe = probe,
	.run = run,
	.growing = true,
};
