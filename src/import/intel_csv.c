/* intel_csv.c: tables of indicators, whatever the order of their columns. */
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "import/importer.h"
#include "import/intel.h"
#include "import/refang.h"
#include "import/table.h"
#include "import/tlp.h"

#define LINES_A_PROGRESS 16384u

struct reader {
	struct dm_intel intel;
	struct dm_table table;
	struct dm_refang refang;
	struct dm_buf row;     /* the lines of a row that has several */
	struct dm_buf scratch; /* unescaped cells */
	struct dm_buf url;     /* a URL with its scheme put back */
	struct dm_buf label;
	uint64_t line; /* of the row's first line */
	char kind[40]; /* the kind named last, and what it means: rows of one kind stand together */
	size_t kind_n;
	enum dm_obs_type kind_type;
	bool kind_known;
	bool began; /* the row of names has been passed */
};

/* What a row says about its values. */
struct row {
	struct dm_indicator base;
	struct dm_marking marking;
	enum dm_obs_type type;
	bool typed, known; /* it has a type, and one that means something */
	struct dm_sv type_name;
	struct dm_sv cell[DM_MAX_TABLE_COLUMNS];
	unsigned n;
};

static void reader_init(struct reader *r, struct dm_sink *sink)
{
	*r = (struct reader){0};
	dm_intel_init(&r->intel, sink);
	dm_refang_init(&r->refang);
	dm_buf_init(&r->row, DM_MAX_ROW_BYTES + DM_MAX_LINE + 1);
	dm_buf_init(&r->scratch, DM_MAX_ROW_BYTES + DM_MAX_LINE + 1);
	dm_buf_init(&r->url, DM_MAX_LINE + 16);
	dm_buf_init(&r->label, DM_INTEL_BUF);
}

static void reader_done(struct reader *r)
{
	dm_intel_done(&r->intel);
	dm_refang_done(&r->refang);
	dm_buf_done(&r->row);
	dm_buf_done(&r->scratch);
	dm_buf_done(&r->url);
	dm_buf_done(&r->label);
}

/* RFC 3339 and its like, or seconds or milliseconds since the epoch. */
static int64_t moment(struct dm_sv s)
{
	int64_t t;

	if (dm_time_parse(s, &t))
		return t;
	if (s.n == 13 && dm_sv_i64(s, &t))
		return t * 1000;
	return s.n >= 9 && dm_time_parse_epoch(s, &t) ? t : DM_NO_TIME;
}

/* A number to 100, or a word by the scale of STIX 2.1 appendix A. */
static uint8_t confidence(struct dm_sv s)
{
	static const struct {
		const char *word;
		uint8_t value;
	} words[] = {{"none", 0}, {"low", 15}, {"medium", 50}, {"moderate", 50}, {"med", 50}, {"high", 85}};
	uint64_t n;

	if (s.n && s.p[s.n - 1] == '%')
		s.n--;
	if (dm_sv_u64(s, &n))
		return n <= 100 ? (uint8_t)n : 255;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (dm_sv_ieq(s, dm_sv_str(words[i].word)))
			return words[i].value;
	return 255;
}

static void take_marking(struct row *row, struct dm_sv cell)
{
	char label[64] = "TLP:";

	/* A column of marks often says "amber" only. */
	if (dm_sv_find(cell, ':') == SIZE_MAX && cell.n < sizeof(label) - 4) {
		memcpy(label + 4, cell.p, cell.n);
		dm_marking_label(&row->marking, dm_sv(label, cell.n + 4));
	} else {
		dm_marking_label(&row->marking, cell);
	}
}

static void read_kind(struct reader *r, struct row *row, struct dm_sv cell)
{
	if (!r->kind_n || !dm_sv_eq(cell, dm_sv(r->kind, r->kind_n))) {
		r->kind_type = dm_table_type(cell, &r->kind_known);
		r->kind_n = cell.n <= sizeof(r->kind) ? cell.n : 0;
		memcpy(r->kind, cell.p, r->kind_n);
	}
	row->type_name = cell;
	row->type = r->kind_type;
	row->known = r->kind_known;
	row->typed = true;
}

static void read_meta(struct reader *r, struct row *row)
{
	const struct dm_table *t = &r->table;

	for (unsigned c = 0; c < row->n; c++) {
		struct dm_sv cell = row->cell[c];

		if (dm_table_empty(cell))
			continue;
		switch (t->col[c].role) {
		case DM_COL_TYPE:
			read_kind(r, row, cell);
			break;
		case DM_COL_LABEL:
			if (r->label.n)
				dm_buf_str(&r->label, "; ");
			dm_intel_text(&r->label, cell, DM_INTEL_TEXT);
			break;
		case DM_COL_SOURCE:
			if (!row->base.source.n)
				row->base.source = cell;
			break;
		case DM_COL_CONFIDENCE:
			row->base.confidence = confidence(cell);
			break;
		case DM_COL_MARKING:
			take_marking(row, cell);
			break;
		case DM_COL_FROM:
			row->base.valid_from = moment(cell);
			break;
		case DM_COL_UNTIL:
			row->base.valid_until = moment(cell);
			break;
		case DM_COL_ID:
			row->base.id = cell;
			break;
		case DM_COL_TO_IDS:
			if (dm_sv_is(cell, "0") || dm_sv_ieq(cell, DM_SV("false")) ||
			    dm_sv_ieq(cell, DM_SV("no")))
				row->base.flags |= DM_FLAG_NOT_IDS;
			break;
		default:
			break;
		}
	}
	row->base.label = r->label.err ? dm_sv(NULL, 0) : dm_buf_view(&r->label);
	row->base.marking = dm_marking_text(&row->marking);
}

static int emit(struct reader *r, const struct row *row, const struct dm_ioc *ioc, struct dm_sv original)
{
	struct dm_indicator ind = row->base;
	struct dm_sv text = ioc->text;

	if (ioc->add_scheme) {
		dm_buf_clear(&r->url);
		dm_buf_str(&r->url, "http://");
		dm_buf_sv(&r->url, text);
		if (r->url.err)
			return DM_ENOMEM;
		text = dm_buf_view(&r->url);
	}
	if (!dm_sv_eq(text, original))
		ind.original = original;
	return dm_intel_emit(&r->intel, &ind, ioc->type, text);
}

/* Kinds whose values are any text: nothing is refanged or split. */
static bool is_free_text(enum dm_obs_type t)
{
	return t == DM_OBS_MUTEX || t == DM_OBS_FILENAME || t == DM_OBS_USER_AGENT || t == DM_OBS_REGISTRY ||
	       t == DM_OBS_SSDEEP;
}

static bool is_separator(char c)
{
	return c == ',' || c == ';' || c == '|' || (uint8_t)c <= ' ';
}

/* The next of several values in a cell. */
static bool next_part(struct dm_sv *rest, struct dm_sv *ret)
{
	size_t n = 0;

	while (rest->n && is_separator(rest->p[0]))
		*rest = dm_sv_from(*rest, 1);
	while (n < rest->n && !is_separator(rest->p[n]))
		n++;
	*ret = dm_sv(rest->p, n);
	*rest = dm_sv_from(*rest, n);
	return n != 0;
}

/* A cell with several values, "md5,sha1,sha256" or "a.example | b.example". What stands between them as words
 * is passed over. *ret_found: whether there was any. */
static int take_parts(struct reader *r, const struct row *row, enum dm_obs_type type, struct dm_sv cell,
		      bool *ret_found)
{
	struct dm_sv rest = dm_buf_view(&r->refang.text), part;
	const char *base = rest.p;
	struct dm_ioc ioc;
	int rc = 0;

	*ret_found = false;
	while (rc == 0 && next_part(&rest, &part)) {
		size_t at;

		if (dm_ioc_read(part, &ioc) != DM_IOC_FOUND) {
			/* A word is a word; this was meant as a value. */
			if (*ret_found && (part.n >= 16 || memchr(part.p, '.', part.n)))
				rc = dm_intel_skip(&r->intel, r->line, "no indicator that is known here",
						   part);
			continue;
		}
		/* A column of digests of certificates holds no digests of files. */
		if (ioc.type >= DM_OBS_MD5 && ioc.type <= DM_OBS_SHA512 &&
		    (type == DM_OBS_X509_SHA1 || type == DM_OBS_JA3 || type == DM_OBS_JA3S))
			ioc.type = type;
		*ret_found = true;
		at = (size_t)(ioc.text.p - base);
		rc = emit(r, row, &ioc,
			  dm_sv(cell.p + r->refang.from[at],
				r->refang.from[at + ioc.text.n] - r->refang.from[at]));
	}
	return rc;
}

static int take_cell(struct reader *r, const struct row *row, const struct dm_table_column *col,
		     struct dm_sv cell)
{
	enum dm_obs_type type = col->type;
	struct dm_ioc ioc;
	bool found;
	int rc;

	if (type == DM_OBS_NONE && row->typed && row->known) {
		type = row->type;
		if (type == DM_OBS_NONE) {
			dm_buf_clear(&r->url);
			dm_buf_str(&r->url, "not a kind that evidence is searched for (");
			dm_intel_text(&r->url, row->type_name, 40);
			dm_buf_putc(&r->url, ')');
			return dm_intel_skip(&r->intel, r->line,
					     r->url.err ? "not a kind that evidence is searched for"
							: dm_buf_cstr(&r->url),
					     cell);
		}
	}
	if (is_free_text(type)) {
		ioc = (struct dm_ioc){.form = DM_IND_VALUE, .type = type, .text = cell};
		return emit(r, row, &ioc, cell);
	}
	rc = dm_refang_line(&r->refang, cell);
	if (rc)
		return rc == DM_ELIMIT ? dm_intel_skip(&r->intel, r->line, "value is too long", cell) : rc;
	/* A digest's own length tells its kind, the column's name only whose digest it is. */
	if (dm_ioc_read_as(dm_buf_view(&r->refang.text), type, &ioc) == DM_IOC_FOUND) {
		struct dm_buf *probe = &r->intel.key;
		enum dm_obs_type exact;
		struct dm_ip first, last;

		dm_buf_clear(probe);
		if (ioc.add_scheme || ioc.form != DM_IND_VALUE ||
		    dm_obs_key(ioc.type, ioc.text, probe, &exact) || dm_ip_range(ioc.text, &first, &last))
			return emit(r, row, &ioc, cell);
	}
	rc = take_parts(r, row, type, cell, &found);
	if (rc || found)
		return rc;
	/* "file" is what some call a name as well as a digest. */
	if (type == DM_OBS_NONE && dm_sv_ieq(row->type_name, DM_SV("file"))) {
		ioc = (struct dm_ioc){.form = DM_IND_VALUE, .type = DM_OBS_FILENAME, .text = cell};
		return emit(r, row, &ioc, cell);
	}
	if (type != DM_OBS_NONE) {
		ioc = (struct dm_ioc){
			.form = DM_IND_VALUE, .type = type, .text = dm_sv_trim(dm_buf_view(&r->refang.text))};
		return emit(r, row, &ioc, cell);
	}
	/* In a column that only looks like values, other things are no fault. */
	return col->guessed ? 0 : dm_intel_skip(&r->intel, r->line, "no indicator that is known here", cell);
}

static int take_row(struct reader *r, struct dm_sv line)
{
	struct row row = {.base = {.valid_from = DM_NO_TIME,
				   .valid_until = DM_NO_TIME,
				   .line = r->line,
				   .confidence = 255}};
	struct dm_sv cell;
	int rc = 0;

	dm_buf_clear(&r->scratch);
	dm_buf_clear(&r->label);
	while (row.n < DM_MAX_TABLE_COLUMNS && dm_csv_next(&line, r->table.delimiter, &r->scratch, &cell))
		row.cell[row.n++] = dm_sv_trim(cell);
	if (r->scratch.err)
		return r->scratch.err == DM_ENOMEM
			       ? DM_ENOMEM
			       : dm_intel_skip(&r->intel, r->line, "row is too long", dm_sv(NULL, 0));
	if (line.p)
		rc = dm_intel_skip(&r->intel, r->line,
				   "row has more cells than are looked at; the rest of it", line);
	read_meta(r, &row);
	for (unsigned c = 0; c < row.n && rc == 0; c++)
		if (r->table.col[c].role == DM_COL_VALUE && !dm_table_empty(row.cell[c]))
			rc = take_cell(r, &row, &r->table.col[c], row.cell[c]);
	return rc;
}

static int take_line(struct reader *r, struct dm_sv line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (dm_table_remark(line))
		return 0;
	if (!r->began) {
		r->began = true;
		if (r->table.header)
			return 0;
	}
	return take_row(r, line);
}

/* The lines put together as one row: as one if its quotes close, else each by itself. */
static int take_joined(struct reader *r, bool closed)
{
	struct dm_sv rest = dm_buf_view(&r->row);
	uint64_t line = r->line;
	int rc;

	if (r->row.err == DM_ENOMEM)
		return DM_ENOMEM;
	if (closed)
		return take_line(r, rest);
	rc = dm_intel_skip(&r->intel, line,
			   "a quote that opens here is never closed; its lines are read one by one",
			   dm_sv(NULL, 0));
	while (rc == 0 && rest.p) {
		rc = take_line(r, dm_sv_split(&rest, '\n'));
		r->line++;
	}
	r->line = line;
	return rc;
}

/* Reads lines and hands over rows. */
static int read_rows(struct reader *r, struct dm_stream *stream, struct dm_sink *sink, struct dm_err *err)
{
	unsigned lines = 0; /* of the row that is being put together */
	bool open = false;
	struct dm_sv line;
	int rc;

	for (;;) {
		rc = dm_stream_line(stream, &line, err);
		if (rc == DM_ELIMIT) {
			rc = dm_intel_skip(&r->intel, dm_stream_lineno(stream), "line is too long",
					   dm_sv(NULL, 0));
			if (rc)
				return rc;
			continue;
		}
		if (rc)
			break;
		if (dm_stream_lineno(stream) == 1 && dm_sv_starts(line, DM_SV("\xef\xbb\xbf")))
			line = dm_sv_from(line, 3);
		if (!open)
			r->line = dm_stream_lineno(stream);
		if (open || !dm_table_remark(line)) {
			bool was = open;

			open = dm_table_quote(line, r->table.delimiter, open);
			if (open || was) {
				if (was)
					dm_buf_putc(&r->row, '\n');
				else
					dm_buf_clear(&r->row);
				dm_buf_sv(&r->row, line);
				lines = was ? lines + 1 : 1;
				if (open && lines < DM_MAX_ROW_LINES && r->row.n < DM_MAX_ROW_BYTES &&
				    !r->row.err)
					continue;
				rc = take_joined(r, !open);
				open = false;
			} else {
				rc = take_line(r, line);
			}
			if (rc)
				return rc;
		}
		if (dm_stream_lineno(stream) % LINES_A_PROGRESS == 0 &&
		    (rc = sink->progress(sink, dm_stream_offset(stream), dm_stream_lineno(stream))) != 0)
			return rc;
	}
	/* What came before a fault of the stream stays. */
	if (open) {
		int last = take_joined(r, false);
		if (last)
			return last;
	}
	if (rc != DM_ENOENT)
		return rc;
	return sink->progress(sink, dm_stream_offset(stream), dm_stream_lineno(stream));
}

static bool is_utf16(struct dm_sv head)
{
	return head.n >= 2 && (memcmp(head.p, "\xff\xfe", 2) == 0 || memcmp(head.p, "\xfe\xff", 2) == 0);
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct reader r;
	struct dm_sv head = {0};
	int rc = dm_stream_peek(in->stream, 65536, &head, err);

	/* A damaged file is read as far as it goes: the head may be all there is. */
	if (rc && head.n == 0)
		return rc;
	if (is_utf16(head)) {
		dm_fail(err, DM_EFORMAT, "the table is UTF-16");
		return dm_err_remedy(err, "convert it: iconv -f UTF-16 -t UTF-8");
	}
	reader_init(&r, sink);
	if (!dm_table_sniff(head, head.n < 65536, &r.table)) {
		rc = dm_fail(err, DM_EFORMAT, "no column of this table holds indicators");
		dm_err_remedy(err, "name the columns in the first row, for example: type,value,description");
	} else {
		rc = read_rows(&r, in->stream, sink, err);
	}
	reader_done(&r);
	return rc;
}

static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv n = dm_sv_str(name), s;
	bool csv = (n.n > 4 && dm_sv_ieq(dm_sv_from(n, n.n - 4), DM_SV(".csv"))) ||
		   (n.n > 4 && dm_sv_ieq(dm_sv_from(n, n.n - 4), DM_SV(".tsv")));
	struct dm_table t;

	if (is_utf16(head))
		return csv ? 3 : 1;
	if (head.n == 0 || memchr(head.p, 0, head.n))
		return 0;
	s = dm_sv_trim(dm_sv_starts(head, DM_SV("\xef\xbb\xbf")) ? dm_sv_from(head, 3) : head);
	if (s.n == 0 || s.p[0] == '{' || s.p[0] == '<' ||
	    (s.p[0] == '[' && s.n > 1 && memchr("{\n\"", s.p[1], 3)) || dm_sv_starts(s, DM_SV("#separator")))
		return 0;
	if (!dm_table_sniff(head, head.n < 65536, &t))
		return 0;
	/* A table with both sides of connections is a log: its addresses must not become indicators unless
	 * somebody says so. */
	if (t.evidence)
		return 0;
	if (t.header || t.header_remark)
		return t.named > 1 ? 75 : t.named ? (t.n > 1 || csv ? 65 : 55) : csv ? 50 : 20;
	return t.n > 1 ? (csv ? 62 : t.delimiter == '\t' ? 30 : 55) : csv ? 61 : 5;
}

const struct dm_importer dm_import_indicator_csv = {
	.name = "indicator-csv",
	.title = "table of indicators (CSV)",
	.gives = DM_INTELLIGENCE,
	.probe = probe,
	.run = run,
	.preload = dm_domain_preload,
};
