/* zeek_tsv.c: Zeek logs in their native form: tab-separated, driven by the #fields line. */
#include <ctype.h>
#include <stdio.h>

#include "base/limits.h"
#include "import/extract.h"
#include "import/lines.h"
#include "import/zeek_name.h"
#include "import/zeek_row.h"
#include "import/zeek_split.h"

/* What put_fast does with a column. */
enum fast { FAST_NO, FAST_TIME, FAST_INT, FAST_IP, FAST_TEXT, FAST_SPAN, FAST_BOOL };

/* One used column, in what the inner loop needs. */
struct step {
	uint16_t column, field;
	uint8_t fast, type;
	bool container;
};

struct tsv {
	struct dm_lines lines;
	struct dm_zeek_row *row;
	/* what the header says */
	char sep, set_sep;
	char empty[32], unset[32];
	size_t empty_n, unset_n;
	char path[64]; /* empty: not said */
	char name[64]; /* what the log is called in messages */
	struct dm_arena names;
	const char *column[DM_MAX_COLUMNS];
	uint32_t columns;
	uint32_t spaced; /* names that stand in the last column, three spaces apart (labels glued on by
			    Stratosphere's tools) */
	bool is_container[DM_MAX_COLUMNS];
	bool typed;	   /* a #types line came */
	bool header, made; /* #fields was seen; a plan was made of it */
	/* the plan */
	struct dm_zeek_log unknown; /* stands for a log that the table does not know */
	struct dm_zeek_action action[DM_MAX_COLUMNS];
	struct step step[DM_MAX_COLUMNS];
	uint32_t nsteps;
	uint32_t at[DM_MAX_COLUMNS + 2 + 64]; /* of dm_split_columns */
	struct dm_sv value[DM_MAX_COLUMNS];
	char dataset[80];
	struct dm_passed passed;
	bool noted; /* that rows have more columns than the header */
	bool wide;  /* there are more columns than we take */
};

static size_t set_text(char *to, size_t size, struct dm_sv s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	memcpy(to, s.p, n);
	to[n] = 0;
	return n;
}

/* "\x09" or the character itself. */
static bool read_separator(struct dm_sv s, char *ret)
{
	uint8_t byte;

	if (s.n == 4 && s.p[0] == '\\' && s.p[1] == 'x' && dm_sv_unhex(dm_sv_from(s, 2), &byte, 1)) {
		*ret = (char)byte;
		return true;
	}
	if (s.n == 1)
		*ret = s.p[0];
	return s.n == 1;
}

static const char *keep_name(struct tsv *t, struct dm_sv name)
{
	struct dm_sv copy = dm_arena_copy(&t->names, name);

	return copy.p;
}

static bool same_fields(struct tsv *t, struct dm_sv rest)
{
	for (uint32_t i = 0; i < t->columns - t->spaced; i++) {
		if (!rest.p || !dm_sv_is(dm_sv_split(&rest, t->sep), t->column[i]))
			return false;
	}
	return !rest.p && !t->spaced && t->columns;
}

static int read_fields(struct tsv *t, struct dm_sv rest)
{
	if (same_fields(t, rest))
		return 0; /* joined files repeat their headers */
	dm_arena_reset(&t->names);
	t->columns = t->spaced = 0;
	t->wide = false;
	t->header = true;
	t->typed = t->made = false;
	memset(t->is_container, 0, sizeof(t->is_container));
	while (rest.p) {
		struct dm_sv name = dm_sv_split(&rest, t->sep);

		/* the last name may hold several */
		while (name.p) {
			size_t gap = 0;
			struct dm_sv part = name;

			while (!rest.p && gap + 3 <= name.n && memcmp(name.p + gap, "   ", 3))
				gap++;
			if (!rest.p && gap + 3 <= name.n) {
				part = dm_sv(name.p, gap);
				name = dm_sv_trim(dm_sv_from(name, gap));
			} else {
				name = dm_sv(NULL, 0);
			}
			if (t->columns == DM_MAX_COLUMNS) {
				t->wide = true;
				return 0;
			}
			t->column[t->columns] = keep_name(t, dm_sv_trim(part));
			if (!t->column[t->columns])
				return DM_ENOMEM;
			t->columns++;
			if (!rest.p && (name.p || t->spaced))
				t->spaced++;
		}
	}
	if (t->spaced)
		t->spaced--; /* the first of them is the column itself */
	return 0;
}

static void read_types(struct tsv *t, struct dm_sv rest)
{
	uint32_t i = 0;

	t->typed = true;
	t->made = false;
	for (; rest.p && i < t->columns; i++) {
		struct dm_sv type = dm_sv_trim(dm_sv_split(&rest, t->sep));

		t->is_container[i] =
			dm_sv_starts(type, DM_SV("set[")) || dm_sv_starts(type, DM_SV("vector["));
	}
}

/* A header line; `s` begins with '#'. */
static int read_header(struct tsv *t, struct dm_sv s)
{
	size_t at = 1;
	struct dm_sv key, rest;
	int r = 0;

	while (at < s.n && (islower((unsigned char)s.p[at]) || s.p[at] == '_'))
		at++;
	key = dm_sv(s.p + 1, at - 1);
	rest = dm_sv_from(s, at + 1);
	if (dm_sv_is(key, "separator")) {
		/* the one line that can't be split by the separator */
		read_separator(dm_sv_trim(rest), &t->sep);
	} else if (dm_sv_is(key, "set_separator")) {
		read_separator(rest, &t->set_sep);
	} else if (dm_sv_is(key, "empty_field")) {
		t->empty_n = set_text(t->empty, sizeof(t->empty), rest);
	} else if (dm_sv_is(key, "unset_field")) {
		t->unset_n = set_text(t->unset, sizeof(t->unset), rest);
	} else if (dm_sv_is(key, "path")) {
		rest = dm_sv_trim(rest);
		if (!dm_sv_is(rest, t->path)) {
			set_text(t->path, sizeof(t->path), rest);
			t->made = false;
		}
	} else if (dm_sv_is(key, "fields")) {
		r = read_fields(t, rest);
	} else if (dm_sv_is(key, "types")) {
		read_types(t, rest);
	}
	return r;
}

static bool has_column(void *ctx, const char *name)
{
	struct tsv *t = ctx;
	size_t n = strlen(name);

	for (uint32_t i = 0; i < t->columns; i++) {
		size_t k = 0;

		while (k < n && t->column[i][k] &&
		       (t->column[i][k] == name[k] || (name[k] == '.' && t->column[i][k] == '_')))
			k++;
		if (k == n && !t->column[i][k])
			return true;
	}
	return false;
}

static uint8_t fast_way(const struct dm_zeek_action *a)
{
	static const uint8_t by_type[] = {
		[DM_T_TIME] = FAST_NO,	 [DM_T_SPAN] = FAST_SPAN, [DM_T_INT] = FAST_INT,
		[DM_T_BOOL] = FAST_BOOL, [DM_T_IP] = FAST_IP,	  [DM_T_TEXT] = FAST_TEXT};

	if (a->container)
		return FAST_NO;
	if (a->op == DM_ZEEK_TIME)
		return FAST_TIME;
	if (a->op != DM_ZEEK_PUT || (a->field_type == DM_T_TEXT && a->obs != DM_OBS_NONE))
		return FAST_NO;
	return by_type[a->field_type];
}

/* Turns the header into actions. */
static void make_plan(struct tsv *t)
{
	const struct dm_zeek_log *log = dm_zeek_log_find(dm_sv_str(t->path));
	struct dm_sv name = dm_sv_str(t->path);
	size_t hint = 0;

	/* A path that is none of Zeek's own (open_conn, a site's filter) may still be one of its logs;
	 * without a path the file's name may tell; else it is read as a flow if there are addresses. */
	if (!log)
		log = dm_zeek_log_guess(has_column, t, &hint);
	if (!log && !name.n) {
		name = dm_zeek_name_stem(t->lines.in->name);
		log = dm_zeek_log_find(name);
	}
	set_text(t->name, sizeof(t->name), log && !name.n ? dm_sv_str(log->path) : name);
	for (char *c = t->name; *c; c++) {
		if (*c < ' ' || *c > '~') /* char may be signed: so is not ASCII */
			*c = '?';
	}
	t->nsteps = 0;
	for (uint32_t i = 0; i < t->columns; i++) {
		struct dm_zeek_action *a = &t->action[i];

		dm_zeek_action_make(a, log ? log->path : "", t->column[i]);
		a->container = t->typed ? t->is_container[i] : dm_zeek_is_container(dm_sv_str(t->column[i]));
		if (a->op != DM_ZEEK_DROP)
			t->step[t->nsteps++] = (struct step){(uint16_t)i, a->field, fast_way(a),
							     a->field_type, a->container};
	}
	if (!log) {
		t->unknown = (struct dm_zeek_log){.path = t->name, .kind = DM_KIND_FLOW};
		log = &t->unknown;
	}
	t->row->log = log;
	t->row->dataset =
		dm_sv(t->dataset, (size_t)snprintf(t->dataset, sizeof(t->dataset), "zeek.%s", log->path));
	t->made = true;
}

/* \xHH, and \\ for a backslash; a backslash before anything else stands for itself (older writers did not
 * double it). */
static struct dm_sv unescape(struct dm_record *rec, struct dm_sv s)
{
	char *out;
	size_t n = 0;

	if (!s.n || !memchr(s.p, '\\', s.n))
		return s;
	out = dm_arena_alloc(&rec->arena, s.n);
	if (!out) {
		rec->dropped++;
		return dm_sv("", 0);
	}
	for (size_t i = 0; i < s.n; i++) {
		uint8_t byte;

		if (s.p[i] == '\\' && s.n - i >= 4 && s.p[i + 1] == 'x' &&
		    dm_sv_unhex(dm_sv(s.p + i + 2, 2), &byte, 1)) {
			out[n++] = (char)byte;
			i += 3;
		} else {
			if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '\\')
				i++;
			out[n++] = s.p[i];
		}
	}
	return dm_sv(out, n);
}

static void put_container(struct tsv *t, const struct dm_zeek_action *a, struct dm_sv s, bool escapes)
{
	while (s.p) {
		struct dm_sv item = dm_sv_split(&s, t->set_sep);

		if (!item.n || dm_sv_is(item, t->unset))
			continue;
		dm_zeek_row_put(t->row, a, escapes ? unescape(&t->row->rec, item) : item);
	}
}

/* The common values, without a call and without the bookkeeping of dm_record_*: such a column occurs once in
 * a row and needs no canonical form. False if the general way is to be taken. The value is made in the
 * record's next place, which counts only then: a copy of it would cost more than all the rest, since the
 * processor can't forward small stores to a wide load. `odd`: the row is not plain ASCII. */
static inline bool put_fast(struct dm_record *rec, const struct step *step, struct dm_sv s, bool odd)
{
	struct dm_value *v = &rec->v[rec->count];

	if (rec->count >= DM_RECORD_VALUES)
		return false;
	v->obs = DM_OBS_NONE;
	switch ((enum fast)step->fast) {
	case FAST_NO:
		return false;
	case FAST_TIME:
		return dm_fast_seconds(s.p, s.n, &rec->time);
	case FAST_INT:
		if (!dm_fast_u64(s.p, s.n, &v->i))
			return false;
		break;
	case FAST_IP:
		if (!dm_fast_ip4(s.p, s.n, &v->ip))
			return false;
		v->obs = DM_OBS_IPV4;
		break;
	case FAST_TEXT:
		if (odd || s.n - 1 > 4095)
			return false;
		v->text = s;
		rec->text_bytes += s.n;
		break;
	case FAST_SPAN:
		if (!dm_fast_seconds(s.p, s.n, &v->i))
			return false;
		break;
	case FAST_BOOL:
		if (s.n != 1 || (s.p[0] != 'T' && s.p[0] != 'F'))
			return false;
		v->i = s.p[0] == 'T';
		break;
	}
	v->field = step->field;
	v->type = step->type;
	rec->per_field[step->field]++;
	rec->count++;
	return true;
}

/* The last column, split where labels were glued on. */
static bool split_spaced(struct tsv *t, struct dm_sv s, uint32_t at)
{
	for (uint32_t k = 0; k < t->spaced; k++) {
		size_t gap = 0;

		while (gap + 3 <= s.n && memcmp(s.p + gap, "   ", 3))
			gap++;
		if (gap + 3 > s.n)
			return false;
		t->value[at + k] = dm_sv(s.p, gap);
		s = dm_sv_trim(dm_sv_from(s, gap));
	}
	t->value[at + t->spaced] = s;
	return true;
}

static int bad_columns(struct tsv *t, uint32_t n)
{
	char reason[120];

	snprintf(reason, sizeof(reason), "%s%u columns where #fields names %u%s",
		 n > DM_MAX_COLUMNS ? "over " : "", n > DM_MAX_COLUMNS ? DM_MAX_COLUMNS : n, t->columns,
		 t->lines.complete ? "" : ": the line is cut off");
	return t->lines.sink->skip(t->lines.sink, t->lines.number, reason);
}

/* Whether the last value of a line without line feed is a whole one as far as can be seen: Zeek writes no
 * empty value, and "(empty)" is whole. */
static bool whole_tail(const struct tsv *t, struct dm_sv last)
{
	size_t n = strlen(t->empty);

	return last.n && !(last.n < n && !memcmp(last.p, t->empty, last.n));
}

/* Columns behind those that #fields names: some programs that rewrite logs end every row in a tab, others add
 * columns of their own. */
static int put_extra(struct tsv *t, uint32_t n)
{
	bool any = false;

	for (uint32_t i = t->columns; i < n; i++) {
		char name[24];

		if (!t->value[i].n || dm_sv_is(t->value[i], t->unset))
			continue;
		any = true;
		snprintf(name, sizeof(name), "column%u", i + 1);
		dm_record_unparsed(&t->row->rec, name, unescape(&t->row->rec, t->value[i]));
	}
	if (!any || t->noted)
		return 0;
	t->noted = true;
	return t->lines.sink->meta(
		t->lines.sink, "note",
		DM_SV("rows have more columns than #fields names: those behind are kept by number, unnamed"));
}

static inline bool is_mark(struct dm_sv s, const char *mark, size_t n)
{
	return s.n == n && n && s.p[0] == mark[0] && (n == 1 || !memcmp(s.p, mark, n));
}

static inline struct dm_sv column(const struct tsv *t, struct dm_sv line, uint32_t i)
{
	return dm_sv(line.p + (uint32_t)(t->at[i] + 1), t->at[i + 1] - (uint32_t)(t->at[i] + 1));
}

/* What differs from the plain case: a cut line, glued labels, columns too many. 1: go on, 0: the row is done
 * with. */
static int check_row(struct tsv *t, struct dm_sv line, uint32_t n)
{
	uint32_t tabbed = t->columns - t->spaced;
	int r = 1;

	if (n < tabbed || n > DM_MAX_COLUMNS || (n > tabbed && t->spaced))
		return n < tabbed && !dm_lines_take_tail(&t->lines, false) ? 0 : bad_columns(t, n);
	if (!t->lines.complete) {
		if (!dm_lines_take_tail(&t->lines, false))
			return 0;
		if (!whole_tail(t, column(t, line, n - 1)))
			return dm_lines_skip(&t->lines, "the line is cut off in its last column",
					     dm_sv("", 0));
	}
	for (uint32_t i = 0; i < n; i++)
		t->value[i] = column(t, line, i);
	if (t->spaced && !split_spaced(t, t->value[n - 1], n - 1))
		r = bad_columns(t, n);
	return r;
}

static int read_row(struct tsv *t, struct dm_sv line)
{
	struct dm_zeek_row *row = t->row;
	bool odd, special;
	uint32_t n;
	int r;

	n = dm_split_columns(line.p, line.n, t->sep, t->at, DM_MAX_COLUMNS, &odd);
	special = n != t->columns || t->spaced || !t->lines.complete;
	if (special) {
		r = check_row(t, line, n);
		if (r <= 0)
			return r;
	}
	dm_zeek_row_start(row, t->lines.number);
	for (uint32_t k = 0; k < t->nsteps; k++) {
		const struct step *step = &t->step[k];
		struct dm_sv s = special ? t->value[step->column] : column(t, line, step->column);

		if (is_mark(s, t->unset, t->unset_n) || is_mark(s, t->empty, t->empty_n) ||
		    put_fast(&row->rec, step, s, odd))
			continue;
		if (step->container)
			put_container(t, &t->action[step->column], s, odd);
		else
			dm_zeek_row_put(row, &t->action[step->column], odd ? unescape(&row->rec, s) : s);
	}
	if (n > t->columns - t->spaced) {
		r = put_extra(t, n);
		if (r)
			return r;
	}
	dm_zeek_row_finish(row);
	if (row->log == &t->unknown && !dm_zeek_row_tells(row)) {
		dm_passed_add(&t->passed, dm_sv_str(t->name), t->lines.number);
		return 0;
	}
	return dm_lines_record(&t->lines, &row->rec);
}

/* A log whose header was cut off. Only conn can be told for sure: by its shape, in the one order that Zeek
 * has written since 2.3 (columns were only ever appended). */
static const char conn_fields[] =
	"ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_"
	"bytes\t"
	"conn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\t"
	"resp_ip_bytes\ttunnel_parents\tip_proto";

static bool is_flag(struct dm_sv s)
{
	return s.n == 1 && (s.p[0] == 'T' || s.p[0] == 'F' || s.p[0] == '-');
}

static bool is_count(struct dm_sv s)
{
	uint64_t v;

	return dm_sv_is(s, "-") || dm_sv_u64(s, &v);
}

/* ts, uid, address, port, address, port: how most logs begin. */
static bool looks_like_rows(struct dm_sv line)
{
	struct dm_sv rest = line, ts = dm_sv_split(&rest, '\t'), uid = dm_sv_split(&rest, '\t');
	struct dm_sv from = dm_sv_split(&rest, '\t'), port = dm_sv_split(&rest, '\t');
	struct dm_ip ip;
	int64_t t;

	return port.p && ts.n >= 3 && dm_sv_find(ts, '.') != SIZE_MAX && dm_read_seconds(ts, &t) &&
	       uid.n >= 10 && uid.n <= 24 && isalpha((unsigned char)uid.p[0]) && dm_ip_parse(from, &ip) &&
	       is_count(port);
}

static bool looks_like_conn(struct dm_sv line)
{
	struct dm_sv rest = line, c[24];
	size_t n = 0;

	while (rest.p && n < 24)
		c[n++] = dm_sv_split(&rest, '\t');
	return (n == 21 || n == 22) && looks_like_rows(line) &&
	       (dm_sv_is(c[6], "tcp") || dm_sv_is(c[6], "udp") || dm_sv_is(c[6], "icmp") ||
		dm_sv_is(c[6], "unknown_transport")) &&
	       is_flag(c[12]) && is_flag(c[13]) && is_count(c[14]) && is_count(c[16]) && is_count(c[17]) &&
	       is_count(c[18]) && is_count(c[19]) && (n == 21 || is_count(c[21]));
}

static int guess_header(struct tsv *t, struct dm_sv line, struct dm_err *err)
{
	struct dm_sv fields = dm_sv(conn_fields, sizeof(conn_fields) - 1);
	size_t columns = 1;
	int r;

	if (!looks_like_conn(line)) {
		dm_fail(err, DM_EFORMAT,
			"a Zeek log without its #fields line: there is no telling what its columns are");
		if (err)
			err->line = t->lines.number;
		return dm_err_remedy(
			err,
			"put the header lines (#separator to #types) of a log of the same kind before it");
	}
	for (size_t i = 0; i < line.n; i++)
		columns += line.p[i] == '\t';
	if (columns == 21)
		fields.n -= sizeof("\tip_proto") - 1;
	set_text(t->path, sizeof(t->path), DM_SV("conn"));
	r = read_fields(t, fields);
	if (!r)
		r = t->lines.sink->meta(t->lines.sink, "note",
					DM_SV("the file has no header lines; its rows have the shape of "
					      "Zeek's conn log and were read as such"));
	return r;
}

static int read_line(struct tsv *t, struct dm_err *err)
{
	struct dm_sv line = t->lines.line;
	size_t lead = 0;
	int r = 0;

	/* An editor or a script may have put white space before the first '#'. */
	while (lead < line.n && (line.p[lead] == ' ' || line.p[lead] == '\t'))
		lead++;
	if (lead == line.n)
		return 0;
	if (line.p[lead] == '#')
		return read_header(t, dm_sv_from(line, lead));
	if (!t->header) {
		r = guess_header(t, line, err);
		if (r)
			return r;
	}
	if (t->lines.old)
		return 0;
	if (t->wide)
		return t->lines.sink->skip(t->lines.sink, t->lines.number,
					   "the log has more than 512 columns");
	if (!t->made)
		make_plan(t);
	if (!t->row->log->kind) {
		dm_passed_add(&t->passed, dm_sv_str(t->name), t->lines.number);
		return 0;
	}
	return read_row(t, line);
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct tsv *t = dm_calloc(1, sizeof(*t));
	int r;

	if (!t)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	t->row = dm_zeek_row_new();
	if (!t->row) {
		r = dm_fail(err, DM_ENOMEM, "out of memory");
		goto out;
	}
	dm_lines_init(&t->lines, in, sink);
	t->names.max = 4u << 20;
	t->sep = '\t';
	t->set_sep = ',';
	t->empty_n = set_text(t->empty, sizeof(t->empty), DM_SV("(empty)"));
	t->unset_n = set_text(t->unset, sizeof(t->unset), DM_SV("-"));
	while (!(r = dm_lines_next(&t->lines, err))) {
		r = read_line(t, err);
		if (r)
			break;
	}
	if (r == DM_ENOENT) {
		r = dm_passed_flush(&t->passed, sink, "Zeek log");
		r = dm_lines_finish(&t->lines, r, err);
	}
	if (r == DM_ENOMEM && err && !err->code)
		dm_fail(err, DM_ENOMEM, "out of memory");
out:
	dm_zeek_row_free(t->row);
	dm_arena_done(&t->names);
	dm_free(t);
	return r;
}

static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv rest = head;

	if (dm_sv_starts(rest, DM_SV("\xef\xbb\xbf")))
		rest = dm_sv_from(rest, 3);
	for (int i = 0; i < 20 && rest.p; i++) {
		struct dm_sv line = dm_sv_trim(dm_sv_split(&rest, '\n'));

		if (dm_sv_starts(line, DM_SV("#fields"))) {
			/* An intelligence file has the same header. */
			line = dm_sv_trim(dm_sv_from(line, 7));
			return dm_sv_starts(line, DM_SV("indicator")) ? 0 : 95;
		}
		if (dm_sv_starts(line, DM_SV("#separator ")) || dm_sv_starts(line, DM_SV("#separator\t")) ||
		    dm_sv_starts(line, DM_SV("#set_separator")))
			continue;
		if (line.n && line.p[0] != '#')
			return looks_like_conn(line) ? 80 : looks_like_rows(line) ? 40 : 0;
	}
	return dm_sv_starts(dm_sv_trim(head), DM_SV("#separator")) ? 90 : 0;
}

const struct dm_importer dm_import_zeek_tsv = {
	.name = "zeek-tsv",
	.title = "Zeek log (TSV)",
	.gives = DM_EVIDENCE,
	.probe = probe,
	.run = run,
	.growing = true,
};
