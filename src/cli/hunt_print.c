/* hunt_print.c: rows and counts of a hunt as a table, JSON or CSV, and what the answer rests on. */
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "base/time.h"
#include "cli/grid.h"
#include "cli/hunt_cli.h"

/* Columns of CSV besides the indicator's: what a spreadsheet needs to find the row again. */
static const uint16_t csv_fields[] = {DM_F_SRC_IP,    DM_F_SRC_PORT, DM_F_DST_IP,    DM_F_DST_PORT,
				      DM_F_TRANSPORT, DM_F_PROTOCOL, DM_F_SRC_BYTES, DM_F_DST_BYTES,
				      DM_F_DNS_QUERY, DM_F_URL,	     DM_F_SNI,	     DM_F_FILE_NAME,
				      DM_F_SHA256,    DM_F_EVENT_ID, DM_F_DATASET};
#define CSV_FIELDS (sizeof csv_fields / sizeof *csv_fields)

struct writing {
	struct dm_hunt_cli *c;
	struct dm_grid grid;
};

void dm_hunt_put_notes(struct dm_buf *out, const struct dm_hunt_ref *r, const struct dm_indicator *ind)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} flags[] = {
		{DM_FLAG_RESERVED, "reserved range"},
		{DM_FLAG_BROAD, "very broad"},
		{DM_FLAG_EMPTY_HASH, "hash of an empty file"},
		{DM_FLAG_OWN, "own network"},
		{DM_FLAG_NOT_IDS, "not meant for detection"},
		{DM_FLAG_REVOKED, "revoked"},
		{DM_FLAG_BENIGN, "called benign"},
	};
	bool any = false;

	if (ind->valid_until != DM_NO_TIME && ind->valid_until < dm_now()) {
		dm_buf_str(out, "expired ");
		dm_day_put(out, dm_day_of(ind->valid_until));
		any = true;
	}
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (ind->flags & flags[i].flag) {
			dm_buf_str(out, any ? ", " : "");
			dm_buf_str(out, flags[i].text);
			any = true;
		}
	if (r->warning) {
		dm_buf_str(out, any ? ", " : "");
		dm_buf_str(out, "on warning list ");
		dm_buf_str(out, r->warning);
	}
}

static bool is_new(struct dm_hunt_cli *c, const struct dm_hunt_row *row)
{
	const struct dm_set *set = c->h->set[c->h->ref[row->ref].set];

	return (int64_t)dm_segment_import(row->segment, row->row) > set->reported;
}

static void put_endpoint(struct dm_buf *b, struct dm_segment *s, uint32_t row, unsigned ip, unsigned port)
{
	size_t start = b->n;

	dm_row_text(s, row, ip, b);
	if (b->n > start && dm_segment_column(s, port)) {
		size_t at = b->n;

		dm_buf_putc(b, ':');
		dm_row_text(s, row, port, b);
		if (b->n == at + 1)
			b->n = at;
	}
}

static void end_cell(struct dm_buf *b)
{
	dm_buf_putc(b, 0);
}

/* What the row is about, where addresses alone do not say it: the name asked for, the URL, the file. */
static void put_about(struct dm_buf *b, struct dm_segment *s, uint32_t row)
{
	static const uint16_t telling[] = {
		DM_F_URL,	   DM_F_DNS_QUERY, DM_F_SNI,	  DM_F_URL_DOMAIN,   DM_F_RULE_NAME,
		DM_F_FILE_NAME,	   DM_F_SHA256,	   DM_F_MD5,	  DM_F_MAIL_SUBJECT, DM_F_USER_NAME,
		DM_F_CERT_SUBJECT, DM_F_PROTOCOL,  DM_F_TRANSPORT};

	for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
		size_t start = b->n;

		dm_row_text(s, row, telling[i], b);
		if (b->n > start)
			return;
	}
}

/* Cells of a table row, each ended by NUL: laid out later, in order. */
static int table_row(struct dm_hunt_cli *c, unsigned thread, const struct dm_hunt_row *r, struct dm_buf *b)
{
	struct dm_row_writer *w = c->writer[thread];
	struct dm_indicator ind;

	dm_put_moment(b, r->time);
	end_cell(b);
	put_endpoint(b, r->segment, r->row, DM_F_SRC_IP, DM_F_SRC_PORT);
	end_cell(b);
	put_endpoint(b, r->segment, r->row, DM_F_DST_IP, DM_F_DST_PORT);
	end_cell(b);
	put_about(b, r->segment, r->row);
	end_cell(b);
	dm_row_writer_indicator(w, r, b, &ind);
	end_cell(b);
	dm_buf_str(b, r->value == DM_HUNT_NO_VALUE ? "pattern" : dm_field_info[r->field].name);
	end_cell(b);
	dm_buf_sv(b, ind.source.n ? ind.source : dm_sv_str(c->h->set[c->h->ref[r->ref].set]->name));
	end_cell(b);
	dm_buf_sv(b, dm_row_writer_import(w, r));
	dm_buf_putc(b, ':');
	dm_buf_u64(b, dm_segment_line(r->segment, r->row));
	end_cell(b);
	dm_hunt_put_notes(b, &c->h->ref[r->ref], &ind);
	end_cell(b);
	return b->err;
}

static const char *type_name(const struct dm_hunt *h, uint32_t value)
{
	return value == DM_HUNT_NO_VALUE ? "stix-pattern" : dm_obs_name(h->value[value].type);
}

static int csv_row(struct dm_hunt_cli *c, unsigned thread, const struct dm_hunt_row *r, struct dm_buf *b)
{
	struct dm_row_writer *w = c->writer[thread];
	struct dm_buf cell;
	struct dm_indicator ind;

	dm_buf_init(&cell, 1 << 24);
	if (r->time != DM_NO_TIME)
		dm_time_put_full(b, r->time);
	for (size_t i = 0; i < CSV_FIELDS; i++) {
		dm_buf_clear(&cell);
		dm_row_text(r->segment, r->row, csv_fields[i], &cell);
		dm_buf_putc(b, ',');
		dm_csv_field(b, dm_buf_view(&cell));
	}
	dm_buf_clear(&cell);
	dm_row_writer_indicator(w, r, &cell, &ind);
	dm_buf_putc(b, ',');
	dm_csv_field(b, dm_sv_str(type_name(c->h, r->value)));
	dm_buf_putc(b, ',');
	dm_csv_field(b, dm_buf_view(&cell));
	dm_buf_putc(b, ',');
	dm_csv_field(b, ind.id);
	dm_buf_putc(b, ',');
	dm_csv_field(b, ind.source.n ? ind.source : dm_sv_str(c->h->set[c->h->ref[r->ref].set]->name));
	dm_buf_putc(b, ',');
	dm_csv_field(b, dm_sv_str(r->value == DM_HUNT_NO_VALUE ? "" : dm_field_info[r->field].name));
	dm_buf_putc(b, ',');
	dm_csv_field(b, dm_row_writer_import(w, r));
	dm_buf_putc(b, ',');
	dm_buf_u64(b, dm_segment_line(r->segment, r->row));
	dm_buf_putc(b, '\n');
	dm_buf_done(&cell);
	return b->err;
}

/* In a thread. The first 8 bytes of what it makes are the number of rows. */
static int format_rows(void *ctx, unsigned thread, const struct dm_hunt_row *row, size_t n,
		       struct dm_buf *out)
{
	struct dm_hunt_cli *c = ((struct writing *)ctx)->c;
	uint64_t made = 0;
	size_t head = out->n;
	int rc = DM_OK;

	dm_buf_u64le(out, 0);
	for (size_t i = 0; i < n && !rc; i++) {
		if (c->only_new && !is_new(c, &row[i]))
			continue;
		made++;
		if (c->format == DM_FORMAT_JSON) {
			rc = dm_row_writer_put(c->writer[thread], &row[i], true, out);
			dm_buf_putc(out, '\n');
		} else if (c->format == DM_FORMAT_CSV) {
			rc = csv_row(c, thread, &row[i], out);
		} else {
			rc = table_row(c, thread, &row[i], out);
		}
	}
	if (!out->err)
		memcpy(out->p + head, &made, sizeof made);
	return rc;
}

static int write_table(struct writing *w, struct dm_sv cells, uint64_t rows)
{
	for (uint64_t i = 0; i < rows && w->c->printed < w->c->limit; i++, w->c->printed++)
		for (int k = 0; k < 9; k++) {
			struct dm_sv cell = dm_sv_split(&cells, 0);
			dm_grid_cell(&w->grid, cell,
				     k == 4   ? DM_STYLE_RED
				     : k == 8 ? DM_STYLE_YELLOW
					      : DM_STYLE_NONE);
		}
	return w->grid.err;
}

/* Lines as they are, up to the limit. */
static void write_lines(struct dm_hunt_cli *c, struct dm_sv text, uint64_t rows)
{
	if (c->printed + rows > c->limit) {
		size_t end = 0;

		for (uint64_t k = c->limit - c->printed; k > 0 && end < text.n; k--)
			end += dm_sv_find(dm_sv_from(text, end), '\n') + 1;
		rows = c->limit - c->printed;
		text.n = end;
	}
	c->printed += rows;
	dm_out_flush(c->out);
	dm_out_write(c->out, text);
}

static int write_rows(void *ctx, const struct dm_buf *out)
{
	struct writing *w = ctx;
	struct dm_sv text = dm_sv_from(dm_buf_view(out), 8);
	uint64_t rows;

	memcpy(&rows, out->p, sizeof rows);
	w->c->rows += rows;
	if (w->c->format == DM_FORMAT_TABLE) {
		int rc = write_table(w, text, rows);
		if (rc)
			return rc;
	} else {
		write_lines(w->c, text, rows);
	}
	return dm_out_failed(w->c->out) || dm_cli_stop ? DM_ECANCELLED : DM_OK;
}

static int begin(struct writing *w)
{
	static const struct dm_grid_column columns[] = {
		{"TIME (UTC)", false, 0, 10, 19}, {"SOURCE", false, 0, 7, 45},
		{"DESTINATION", false, 0, 7, 45}, {"ABOUT", false, 5, 8, 60},
		{"INDICATOR", false, 0, 8, 64},	  {"FIELD", false, 3, 8, 40},
		{"FROM", false, 2, 6, 40},	  {"ROW", false, 4, 8, 60},
		{"NOTE", false, 1, 6, 60},
	};
	struct dm_buf *b = &w->c->out->buf;

	if (w->c->format == DM_FORMAT_TABLE)
		return dm_grid_begin(&w->grid, w->c->out, columns, sizeof columns / sizeof *columns);
	if (w->c->format == DM_FORMAT_CSV) {
		dm_buf_str(b, "@timestamp");
		for (size_t i = 0; i < CSV_FIELDS; i++)
			dm_buf_printf(b, ",%s", dm_field_info[csv_fields[i]].name);
		dm_buf_str(b, ",indicator.type,indicator.value,indicator.id,indicator.source,indicator.field,"
			      "import,line\n");
	}
	return DM_OK;
}

int dm_hunt_print_rows(struct dm_hunt_cli *c, struct dm_err *err)
{
	struct writing w = {.c = c};
	struct dm_hunt_rows to = {.format = format_rows, .write = write_rows, .ctx = &w};
	unsigned threads = dm_hunt_threads(c->h);
	int rc = DM_OK;

	for (size_t i = 0; i < c->h->n_sets; i++)
		c->h->set[i]->reported =
			c->only_new ? dm_catalog_reported(c->h->store->catalog, c->h->set[i]->import) : 0;
	for (unsigned i = 0; i < threads && !rc; i++)
		rc = dm_row_writer_new(&c->writer[i], c->h, err);
	if (!rc)
		rc = begin(&w);
	if (!rc)
		rc = dm_hunt_rows(c->h, &to, err);
	if (c->format == DM_FORMAT_TABLE && dm_grid_end(&w.grid) && !rc)
		rc = dm_fail(err, DM_ENOMEM, "out of memory");
	for (unsigned i = 0; i < threads; i++)
		dm_row_writer_free(c->writer[i]);
	if (rc == DM_ECANCELLED && (dm_out_failed(c->out) || dm_cli_stop))
		rc = DM_OK; /* nobody wants more */
	return rc;
}

/* Counts: an indicator that stands in several sets is one line with several sources. */
struct counted {
	struct dm_sv text;
	enum dm_obs_type type;
	uint64_t count;
	int64_t first, last;
	uint32_t first_ref, n_refs; /* in order */
};

struct named {
	struct dm_sv text;
	uint32_t ref;
};

static int by_text(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = dm_sv_cmp(x->text, y->text);

	return c ? c : x->ref < y->ref ? -1 : x->ref > y->ref;
}

static int by_count(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return dm_sv_cmp(x->text, y->text);
}

static int gather_counts(struct dm_hunt_cli *c, struct dm_arena *arena, struct named **ret_named,
			 struct counted **ret, size_t *ret_n)
{
	size_t n = c->h->n_refs, k = 0;
	struct named *v = dm_arena_alloc(arena, (n + 1) * sizeof *v);
	struct counted *out = dm_arena_alloc(arena, (n + 1) * sizeof *out);
	struct dm_buf text;
	int rc = DM_OK;

	if (!v || !out)
		return DM_ENOMEM;
	dm_buf_init(&text, 1 << 24);
	for (uint32_t i = 0; i < n && !rc; i++) {
		dm_buf_clear(&text);
		rc = dm_hunt_ref_text(c->h, i, &text);
		v[i] = (struct named){.text = dm_arena_copy(arena, dm_buf_view(&text)), .ref = i};
		if (!rc && !v[i].text.p)
			rc = DM_ENOMEM;
	}
	dm_buf_done(&text);
	if (rc)
		return rc;
	qsort(v, n, sizeof *v, by_text);
	for (size_t i = 0, j; i < n; i = j) {
		const struct dm_hunt_ref *r = &c->h->ref[v[i].ref];

		for (j = i + 1;
		     j < n && dm_sv_eq(v[j].text, v[i].text) && c->h->ref[v[j].ref].type == r->type; j++)
			;
		if (r->count) /* a window may have taken all rows away */
			out[k++] = (struct counted){.text = v[i].text,
						    .type = r->type,
						    .count = r->count,
						    .first = r->first,
						    .last = r->last,
						    .first_ref = (uint32_t)i,
						    .n_refs = (uint32_t)(j - i)};
	}
	qsort(out, k, sizeof *out, by_count);
	*ret_named = v;
	*ret = out;
	*ret_n = k;
	return DM_OK;
}

static struct dm_sv source_of(struct dm_hunt_cli *c, uint32_t ref, struct dm_indicator *ret)
{
	struct dm_set *set = c->h->set[c->h->ref[ref].set];

	if (dm_set_record(set, c->h->ref[ref].record, ret))
		*ret = (struct dm_indicator){.valid_from = DM_NO_TIME, .valid_until = DM_NO_TIME};
	return ret->source.n ? ret->source : dm_sv_str(set->name);
}

static void count_json(struct dm_hunt_cli *c, const struct counted *k, const struct named *v,
		       struct dm_buf *b)
{
	struct dm_indicator ind;
	struct dm_sv last = {0};

	dm_buf_str(b, "{\"indicator.type\":");
	dm_json_quote(b, dm_sv_str(k->type ? dm_obs_name(k->type) : "stix-pattern"));
	dm_buf_str(b, ",\"indicator.value\":");
	dm_json_quote(b, k->text);
	dm_buf_str(b, ",\"count\":");
	dm_buf_u64(b, k->count);
	if (k->first != DM_NO_TIME) {
		dm_buf_str(b, ",\"first_seen\":\"");
		dm_time_put_full(b, k->first);
		dm_buf_str(b, "\",\"last_seen\":\"");
		dm_time_put_full(b, k->last);
		dm_buf_putc(b, '"');
	}
	dm_buf_str(b, ",\"sources\":[");
	for (uint32_t i = 0; i < k->n_refs; i++) {
		struct dm_sv s = source_of(c, v[k->first_ref + i].ref, &ind);

		if (i && dm_sv_eq(s, last))
			continue;
		if (i)
			dm_buf_putc(b, ',');
		dm_json_quote(b, s);
		last = s;
	}
	dm_buf_str(b, "]}\n");
}

static void count_row(struct dm_hunt_cli *c, const struct counted *k, const struct named *v,
		      struct dm_grid *g)
{
	struct dm_indicator ind;
	struct dm_buf cell;

	dm_buf_init(&cell, 1 << 20);
	dm_grid_str(g, k->type ? dm_obs_name(k->type) : "stix-pattern");
	dm_grid_cell(g, k->text, DM_STYLE_RED);
	dm_grid_number(g, k->count);
	dm_put_moment(&cell, k->first);
	dm_grid_cell(g, dm_buf_view(&cell), DM_STYLE_NONE);
	dm_buf_clear(&cell);
	dm_put_moment(&cell, k->last);
	dm_grid_cell(g, dm_buf_view(&cell), DM_STYLE_NONE);
	dm_buf_clear(&cell);
	for (uint32_t i = 0; i < k->n_refs && i < 8; i++) {
		if (i)
			dm_buf_str(&cell, ", ");
		dm_buf_sv(&cell, source_of(c, v[k->first_ref + i].ref, &ind));
	}
	dm_grid_cell(g, dm_buf_view(&cell), DM_STYLE_NONE);
	dm_buf_clear(&cell);
	source_of(c, v[k->first_ref].ref, &ind);
	dm_hunt_put_notes(&cell, &c->h->ref[v[k->first_ref].ref], &ind);
	dm_grid_cell(g, dm_buf_view(&cell), DM_STYLE_YELLOW);
	dm_buf_done(&cell);
}

static void count_csv(struct dm_hunt_cli *c, const struct counted *k, const struct named *v, struct dm_buf *b)
{
	struct dm_indicator ind;

	dm_csv_field(b, dm_sv_str(k->type ? dm_obs_name(k->type) : "stix-pattern"));
	dm_buf_putc(b, ',');
	dm_csv_field(b, k->text);
	dm_buf_printf(b, ",%llu,", (unsigned long long)k->count);
	if (k->first != DM_NO_TIME)
		dm_time_put_full(b, k->first);
	dm_buf_putc(b, ',');
	if (k->last != DM_NO_TIME)
		dm_time_put_full(b, k->last);
	dm_buf_putc(b, ',');
	dm_csv_field(b, source_of(c, v[k->first_ref].ref, &ind));
	dm_buf_putc(b, '\n');
}

int dm_hunt_print_counts(struct dm_hunt_cli *c, struct dm_err *err)
{
	static const struct dm_grid_column columns[] = {
		{"TYPE", false, 2, 4, 20},
		{"INDICATOR", false, 0, 8, 80},
		{"ROWS", true, 0, 4, 0},
		{"FIRST SEEN (UTC)", false, 0, 10, 19},
		{"LAST SEEN (UTC)", false, 0, 10, 19},
		{"SOURCES", false, 1, 6, 60},
		{"NOTE", false, 3, 4, 60},
	};
	struct dm_arena arena = {0};
	struct named *v = NULL;
	struct counted *k = NULL;
	struct dm_grid grid;
	size_t n = 0;
	int rc = dm_hunt_count(c->h, err);

	if (!rc && gather_counts(c, &arena, &v, &k, &n))
		rc = dm_fail(err, DM_ENOMEM, "out of memory");
	if (!rc && c->format == DM_FORMAT_TABLE)
		rc = dm_grid_begin(&grid, c->out, columns, sizeof columns / sizeof *columns);
	if (!rc && c->format == DM_FORMAT_CSV)
		dm_buf_str(&c->out->buf,
			   "indicator.type,indicator.value,count,first_seen,last_seen,source\n");
	for (size_t i = 0; i < n && !rc; i++) {
		c->rows += k[i].count;
		if (i >= c->limit)
			continue;
		if (c->format == DM_FORMAT_TABLE)
			count_row(c, &k[i], v, &grid);
		else if (c->format == DM_FORMAT_CSV)
			count_csv(c, &k[i], v, &c->out->buf);
		else
			count_json(c, &k[i], v, &c->out->buf);
		dm_out_step(c->out);
	}
	if (c->format == DM_FORMAT_TABLE && !rc && dm_grid_end(&grid))
		rc = dm_fail(err, DM_ENOMEM, "out of memory");
	dm_arena_done(&arena);
	return rc;
}
