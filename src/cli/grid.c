#include "cli/grid.h"

#include "base/text.h"

#define GAP	 2u /* columns between two columns */
#define LEAST	 4u /* what is left of a column that is squeezed */
#define ELLIPSIS "\xe2\x80\xa6"

int dm_grid_begin(struct dm_grid *g, struct dm_out *out, const struct dm_grid_column *columns, unsigned n)
{
	*g = (struct dm_grid){
		.out = out, .columns = columns, .ncolumns = n < DM_GRID_COLUMNS ? n : DM_GRID_COLUMNS};
	dm_buf_init(&g->scratch, 1u << 24);
	g->cells = dm_calloc((size_t)g->ncolumns * DM_GRID_PAGE, sizeof *g->cells);
	if (!g->cells)
		g->err = DM_ENOMEM;
	for (unsigned i = 0; i < g->ncolumns; i++)
		g->width[i] = (unsigned)dm_term_width(dm_sv_str(columns[i].title));
	return g->err;
}

/* Squeezes and drops columns until the line fits. shown[i] is 0 for a column that is left out. */
static void fit(const struct dm_grid *g, unsigned *shown)
{
	unsigned total = 0, n = 0, room = g->out->width;

	for (unsigned i = 0; i < g->ncolumns; i++) {
		unsigned max = g->columns[i].max;

		shown[i] = room && max && g->width[i] > max ? max : g->width[i];
		total += shown[i] + (n++ ? GAP : 0);
	}
	while (room && total > room) {
		unsigned widest = g->ncolumns, last = g->ncolumns;

		for (unsigned i = 0; i < g->ncolumns; i++) {
			unsigned min = g->columns[i].min > LEAST ? g->columns[i].min : LEAST;

			if (!shown[i])
				continue;
			if (!g->columns[i].right && shown[i] > min &&
			    (widest == g->ncolumns || shown[i] > shown[widest]))
				widest = i;
			if (g->columns[i].priority &&
			    (last == g->ncolumns || g->columns[i].priority >= g->columns[last].priority))
				last = i;
		}
		if (widest < g->ncolumns) {
			shown[widest]--;
			total--;
		} else if (last < g->ncolumns) {
			total -= shown[last] + GAP;
			shown[last] = 0;
		} else {
			break; /* nothing left to give: the terminal will wrap */
		}
	}
}

/* As many bytes of s as fit in `columns`, cut between characters. */
static struct dm_sv cut(struct dm_sv s, unsigned columns)
{
	size_t n = s.n < columns * 4u ? s.n : columns * 4u;

	for (; n; n--) {
		if (n < s.n && ((uint8_t)s.p[n] & 0xc0) == 0x80)
			continue;
		if (dm_term_width(dm_sv(s.p, n)) <= columns)
			break;
	}
	return dm_sv(s.p, n);
}

static void spaces(struct dm_buf *b, size_t n)
{
	while (n--)
		dm_buf_putc(b, ' ');
}

static void put_cell(struct dm_grid *g, const struct dm_grid_cell *c, const struct dm_grid_column *col,
		     unsigned width, bool last)
{
	struct dm_buf *b = &g->out->buf;
	struct dm_sv text = c->text;
	size_t n = c->width;
	bool cut_off = n > width;

	if (cut_off) {
		text = cut(text, width - 1);
		n = dm_term_width(text) + 1;
	}
	if (col->right)
		spaces(b, width - n);
	if (c->style)
		dm_out_style(g->out, c->style);
	dm_buf_sv(b, text);
	if (cut_off)
		dm_buf_str(b, ELLIPSIS);
	if (c->style)
		dm_out_style(g->out, DM_STYLE_NONE);
	if (!col->right && !last)
		spaces(b, width - n);
}

static void put_row(struct dm_grid *g, const struct dm_grid_cell *cells, const unsigned *shown)
{
	unsigned last = 0;
	bool first = true;

	for (unsigned i = 0; i < g->ncolumns; i++)
		last = shown[i] ? i : last;
	for (unsigned i = 0; i < g->ncolumns; i++) {
		if (!shown[i])
			continue;
		if (!first)
			spaces(&g->out->buf, GAP);
		first = false;
		put_cell(g, &cells[i], &g->columns[i], shown[i], i == last);
	}
	dm_buf_putc(&g->out->buf, '\n');
	dm_out_step(g->out);
}

static void put_page(struct dm_grid *g)
{
	unsigned shown[DM_GRID_COLUMNS];

	if (!g->rows || g->err)
		return;
	fit(g, shown);
	if (!g->titled) {
		struct dm_grid_cell title[DM_GRID_COLUMNS];

		for (unsigned i = 0; i < g->ncolumns; i++) {
			struct dm_sv t = dm_sv_str(g->columns[i].title);

			title[i] = (struct dm_grid_cell){
				.text = t, .width = dm_term_width(t), .style = DM_STYLE_BOLD};
		}
		put_row(g, title, shown);
		g->titled = true;
	}
	for (unsigned r = 0; r < g->rows; r++)
		put_row(g, g->cells + (size_t)r * g->ncolumns, shown);
	g->rows = 0;
	dm_arena_reset(&g->arena);
}

void dm_grid_cell(struct dm_grid *g, struct dm_sv text, enum dm_style style)
{
	struct dm_grid_cell *c;

	if (g->err)
		return;
	dm_buf_clear(&g->scratch);
	dm_term_escape(&g->scratch, text);
	c = &g->cells[(size_t)g->rows * g->ncolumns + g->column];
	*c = (struct dm_grid_cell){.text = dm_arena_copy(&g->arena, dm_buf_view(&g->scratch)),
				   .style = style};
	if (!c->text.p || g->scratch.err) {
		g->err = DM_ENOMEM;
		return;
	}
	c->width = dm_term_width(c->text);
	if (c->width > g->width[g->column])
		g->width[g->column] = c->width > 100000 ? 100000 : (unsigned)c->width;
	if (++g->column < g->ncolumns)
		return;
	g->column = 0;
	if (++g->rows == DM_GRID_PAGE)
		put_page(g);
}

void dm_grid_str(struct dm_grid *g, const char *text)
{
	dm_grid_cell(g, dm_sv_str(text ? text : ""), DM_STYLE_NONE);
}

void dm_grid_number(struct dm_grid *g, uint64_t v)
{
	char text[32];
	size_t at = sizeof text, digits = 0;

	do {
		if (g->out->tty && digits && digits % 3 == 0)
			text[--at] = ',';
		text[--at] = (char)('0' + v % 10);
		digits++;
	} while (v /= 10);
	dm_grid_cell(g, dm_sv(text + at, sizeof text - at), DM_STYLE_NONE);
}

int dm_grid_end(struct dm_grid *g)
{
	put_page(g);
	dm_free(g->cells);
	dm_arena_done(&g->arena);
	dm_buf_done(&g->scratch);
	return g->err;
}
