#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/out.h"

#define SILENT_US 1000000u
#define EVERY_US  200000u

void dm_progress_begin(struct dm_progress *p, const char *what, enum dm_progress_unit unit, uint64_t total)
{
	*p = (struct dm_progress){.what = what,
				  .unit = unit,
				  .total = total,
				  .started_us = dm_monotonic_us(),
				  .off = !isatty(STDERR_FILENO)};
}

static void amount(struct dm_buf *b, enum dm_progress_unit unit, uint64_t n)
{
	static const char *const bytes[] = {"B", "kB", "MB", "GB", "TB"}, *const rows[] = {"", "k", "M", "G",
											   "T"};
	uint64_t whole = n, rest = 0;
	size_t step = 0;

	for (; whole >= 1000 && step < 4; step++) {
		rest = whole % 1000;
		whole /= 1000;
	}
	dm_buf_u64(b, whole);
	if (step && whole < 100)
		dm_buf_printf(b, ".%u", (unsigned)(rest / 100));
	dm_buf_printf(b, " %s", unit == DM_PROGRESS_BYTES ? bytes[step] : rows[step]);
	if (unit == DM_PROGRESS_ROWS)
		dm_buf_str(b, step ? " rows" : "rows");
}

/* "conn.log  41 %  120 MB/s  3 s left", never longer than the terminal. */
static void draw(struct dm_progress *p, uint64_t done, uint64_t now)
{
	uint64_t spent = now - p->started_us,
		 rate = spent ? (uint64_t)((double)done * 1e6 / (double)spent) : 0;
	unsigned width = dm_out_width(STDERR_FILENO);
	struct dm_buf text, line;

	dm_buf_init(&text, 1024);
	dm_buf_init(&line, 8192);
	if (p->total)
		dm_buf_printf(&text, "  %u %%",
			      (unsigned)(done >= p->total ? 100 : (double)done * 100 / (double)p->total));
	else
		dm_buf_str(&text, "  ");
	if (!p->total)
		amount(&text, p->unit, done);
	dm_buf_str(&text, "  ");
	amount(&text, p->unit, rate);
	dm_buf_str(&text, "/s");
	if (p->total > done && rate) {
		dm_buf_str(&text, "  ");
		dm_duration_put(&text, (int64_t)((p->total - done) / rate + 1) * DM_US);
		dm_buf_str(&text, " left");
	}
	dm_buf_str(&line, "\r\033[K");
	if (width > text.n + 8) {
		struct dm_buf name;

		dm_buf_init(&name, 4096);
		dm_term_escape(&name, dm_sv_str(p->what));
		/* the end of a path says more than its beginning */
		while (dm_term_width(dm_buf_view(&name)) > width - text.n - 1 && name.n > 1) {
			memmove(name.p, name.p + 1, --name.n);
			while (name.n && ((uint8_t)name.p[0] & 0xc0) == 0x80)
				memmove(name.p, name.p + 1, --name.n);
		}
		dm_buf_sv(&line, dm_buf_view(&name));
		dm_buf_done(&name);
	}
	dm_buf_sv(&line, dm_buf_view(&text));
	if (write(STDERR_FILENO, line.p, line.n) < 0)
		p->off = true;
	p->visible = true;
	dm_buf_done(&text);
	dm_buf_done(&line);
}

void dm_progress_at(struct dm_progress *p, uint64_t done)
{
	uint64_t now;

	if (p->off)
		return;
	now = dm_monotonic_us();
	if (now - p->started_us < SILENT_US || now - p->drawn_us < EVERY_US)
		return;
	p->drawn_us = now;
	draw(p, done, now);
}

void dm_progress_end(struct dm_progress *p)
{
	static const char wipe[] = "\r\033[K";

	if (p->visible && write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0)
		p->off = true;
	p->visible = false;
}
