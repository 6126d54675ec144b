/* cmd_status.c: what the node holds, and whether all is well. */
#include <stdio.h>
#include <sys/statvfs.h>
#include "base/json.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/grid.h"
#include "cli/node.h"
#include "hunt/set.h"

#define LOW_DISK (1ull << 30) /* bytes free below which status --check warns */

struct checking {
	struct dm_cli *cli;
	unsigned faults;
};

static void put_size(struct dm_buf *b, uint64_t bytes)
{
	static const char *const unit[] = {"bytes", "kB", "MB", "GB", "TB"};
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1000 && u + 1 < sizeof unit / sizeof *unit) {
		v /= 1000;
		u++;
	}
	dm_buf_printf(b, u ? "%.1f %s" : "%.0f %s", v, unit[u]);
}

static void fault(struct checking *k, const char *what, const char *remedy)
{
	struct dm_buf *b = &k->cli->out.buf;

	k->faults++;
	if (k->cli->json) {
		dm_buf_str(b, "{\"fault\":");
		dm_json_quote(b, dm_sv_str(what));
		dm_buf_str(b, ",\"remedy\":");
		dm_json_quote(b, dm_sv_str(remedy));
		dm_buf_str(b, "}\n");
		return;
	}
	dm_out_style(&k->cli->out, DM_STYLE_RED);
	dm_buf_str(b, "fault: ");
	dm_term_escape(b, dm_sv_str(what));
	dm_out_style(&k->cli->out, DM_STYLE_NONE);
	dm_buf_str(b, "\n  ");
	dm_buf_str(b, remedy);
	dm_buf_putc(b, '\n');
}

static int file_fault(void *ctx, const struct dm_err *err)
{
	char what[700];

	snprintf(what, sizeof what, "%s: %s", err->source, err->msg);
	fault(ctx, what, err->remedy[0] ? err->remedy : "import the affected files again from their source");
	return DM_OK;
}

static void check_machine(struct checking *k, struct dm_store *s)
{
	struct dm_confinement got = {0};
	struct dm_err err = {0};
	struct statvfs fs;
	char text[200];

	if (dm_confine_probe(&got, &err) || !got.seccomp)
		fault(k, err.msg[0] ? err.msg : "import workers can't be confined (seccomp)",
		      "use a kernel with seccomp; imports refuse to run without");
	if (dm_json_preload(&err))
		fault(k, err.msg, err.remedy);
	if (!fstatvfs(s->home_fd, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize < LOW_DISK) {
		snprintf(text, sizeof text, "only %llu MB are free where the node is",
			 (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize >> 20));
		fault(k, text, "make room, or drop old days with `demarche forget --before DATE`");
	}
}

/* Lists of indicators compare their checksum when they are opened. */
static int check_sets(struct checking *k, struct dm_store *s, struct dm_err *err)
{
	struct dm_snapshot snap;
	int rc = dm_snapshot_take(s, &snap, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < snap.n_sets; i++) {
		struct dm_err e = {0};
		struct dm_set *set = NULL;

		if (dm_set_open(&set, s->intel_fd, snap.set[i].file.p, snap.set[i].bytes, &e))
			file_fault(k, &e);
		dm_set_close(set);
	}
	dm_snapshot_done(&snap);
	return DM_OK;
}

static int run_checks(struct checking *k, struct dm_store *s, struct dm_err *err)
{
	struct dm_arena arena = {0};
	struct dm_import *imp;
	size_t n;
	int rc;

	check_machine(k, s);
	rc = dm_store_check(s, file_fault, k, err);
	if (!rc)
		rc = check_sets(k, s, err);
	if (!rc)
		rc = dm_catalog_imports(s->catalog, &arena, &imp, &n, err);
	for (size_t i = 0; !rc && i < n; i++) {
		char text[400];

		if (imp[i].complete)
			continue;
		snprintf(text, sizeof text, "import %lld of %s ended early", (long long)imp[i].id,
			 imp[i].name.p);
		fault(k, text, "import the file again: it goes on where it stopped");
	}
	dm_arena_done(&arena);
	return rc;
}

static void put_json(struct dm_cli *cli, struct dm_store *s, const struct dm_snapshot *snap,
		     const struct dm_import *imp, size_t n)
{
	struct dm_buf *b = &cli->out.buf;
	uint64_t indicators = 0;

	for (size_t i = 0; i < snap->n_sets; i++)
		indicators += snap->set[i].warning ? 0 : snap->set[i].indicators;
	dm_buf_str(b, "{\"home\":");
	dm_json_quote(b, dm_sv_str(s->home));
	dm_buf_printf(b,
		      ",\"rows\":%llu,\"bytes\":%llu,\"segments\":%zu,\"runs\":%zu,\"imports\":%zu,"
		      "\"indicators\":%llu",
		      (unsigned long long)snap->rows, (unsigned long long)snap->bytes, snap->n_segments,
		      snap->n_runs, n, (unsigned long long)indicators);
	if (snap->first != DM_NO_TIME) {
		dm_buf_str(b, ",\"first\":\"");
		dm_time_put_full(b, snap->first);
		dm_buf_str(b, "\",\"last\":\"");
		dm_time_put_full(b, snap->last);
		dm_buf_putc(b, '"');
	}
	dm_buf_str(b, "}\n");
	(void)imp;
}

static void put_kinds(struct dm_cli *cli, const struct dm_snapshot *snap)
{
	static const struct dm_grid_column columns[] = {
		{"RECORDS", false, 0, 6, 0},	   {"ROWS", true, 0, 4, 0},	     {"SIZE", true, 1, 4, 0},
		{"FIRST (UTC)", false, 0, 10, 19}, {"LAST (UTC)", false, 0, 10, 19},
	};
	struct dm_grid g;
	struct dm_buf cell;

	dm_buf_init(&cell, 1 << 16);
	if (dm_grid_begin(&g, &cli->out, columns, sizeof columns / sizeof *columns))
		return;
	for (uint32_t k = 1; k < DM_KINDS; k++) {
		uint64_t rows = 0, bytes = 0;
		int64_t first = DM_NO_TIME, last = DM_NO_TIME;

		for (size_t i = 0; i < snap->n_segments; i++) {
			const struct dm_segment_row *r = &snap->segment[i];
			if (r->kind != k)
				continue;
			rows += r->rows;
			bytes += r->bytes;
			if (r->first != DM_NO_TIME && (first == DM_NO_TIME || r->first < first))
				first = r->first;
			if (r->last > last)
				last = r->last;
		}
		if (!rows)
			continue;
		dm_grid_str(&g, dm_kind_name(k));
		dm_grid_number(&g, rows);
		dm_buf_clear(&cell);
		put_size(&cell, bytes);
		dm_grid_cell(&g, dm_buf_view(&cell), DM_STYLE_NONE);
		dm_buf_clear(&cell);
		dm_put_moment(&cell, first);
		dm_grid_cell(&g, dm_buf_view(&cell), DM_STYLE_NONE);
		dm_buf_clear(&cell);
		dm_put_moment(&cell, last);
		dm_grid_cell(&g, dm_buf_view(&cell), DM_STYLE_NONE);
	}
	dm_grid_end(&g);
	dm_buf_done(&cell);
}

static void put_text(struct dm_cli *cli, struct dm_store *s, const struct dm_snapshot *snap, size_t n)
{
	struct dm_buf *b = &cli->out.buf;
	uint64_t indicators = 0, lists = 0, sets = 0, gone = 0;

	dm_buf_str(b, "Node ");
	dm_term_escape(b, dm_sv_str(s->home));
	dm_buf_str(b, ": ");
	dm_put_some(b, snap->rows, "row", "rows");
	dm_buf_str(b, " of ");
	dm_put_some(b, n, "import", "imports");
	dm_buf_str(b, ", ");
	put_size(b, snap->bytes);
	dm_buf_str(b, "\n\n");
	if (snap->rows)
		put_kinds(cli, snap);
	for (size_t i = 0; i < snap->n_sets; i++) {
		if (snap->set[i].warning) {
			lists++;
		} else {
			indicators += snap->set[i].indicators;
			sets++;
		}
	}
	for (size_t i = 0; i < snap->n_tombstones; i++)
		gone += snap->tombstone[i].rows;
	dm_buf_putc(b, '\n');
	dm_put_some(b, indicators, "indicator", "indicators");
	dm_buf_str(b, " in ");
	dm_put_some(b, sets, "list", "lists");
	dm_buf_str(b, ", ");
	dm_put_some(b, lists, "warning list", "warning lists");
	dm_buf_str(b, "\n");
	if (gone) {
		dm_put_some(b, gone, "row", "rows");
		dm_buf_str(b, " no longer kept\n");
	}
}

static int put_skip(void *ctx, uint64_t line, struct dm_sv reason)
{
	struct dm_buf *b = &((struct dm_cli *)ctx)->out.buf;

	dm_buf_printf(b, "  skipped line %llu: ", (unsigned long long)line);
	dm_term_escape(b, reason);
	dm_buf_putc(b, '\n');
	dm_out_step(&((struct dm_cli *)ctx)->out);
	return DM_OK;
}

/* One import: what came in, its digest, what was skipped and why. */
static int show_import(struct dm_cli *cli, struct dm_store *s, int64_t id, struct dm_err *err)
{
	struct dm_buf *b = &cli->out.buf;
	struct dm_arena arena = {0};
	struct dm_import i;
	int rc = dm_catalog_import_get(s->catalog, id, &arena, &i, err);

	if (rc == DM_ENOENT)
		rc = dm_fail(err, rc, "there is no import %lld", (long long)id);
	if (!rc) {
		dm_buf_printf(b, "import %lld: ", (long long)id);
		dm_term_escape(b, i.name);
		dm_buf_str(b, "\n  format ");
		dm_term_escape(b, i.format);
		dm_buf_str(b, "\n  sha256 ");
		dm_buf_hex(b, i.digest, sizeof i.digest);
		dm_buf_printf(b, " of the first %llu bytes\n  ", (unsigned long long)i.bytes);
		dm_put_some(b, i.rows, "row", "rows");
		dm_buf_str(b, ", ");
		dm_put_count(b, i.skipped);
		dm_buf_str(b, " skipped, ");
		dm_put_days(b, i.first, i.last);
		dm_buf_str(b, i.complete ? "\n" : ", ended early\n");
		if (i.notes.n) {
			dm_buf_str(b, "  note: ");
			dm_term_escape(b, i.notes);
			dm_buf_putc(b, '\n');
		}
		rc = dm_catalog_skips(s->catalog, id, put_skip, cli, err);
	}
	dm_arena_done(&arena);
	return rc;
}

int cmd_status(struct dm_cli *cli)
{
	struct checking k = {.cli = cli};
	struct dm_snapshot snap = {0};
	struct dm_import *imp = NULL;
	struct dm_err err = {0};
	size_t n = 0;
	int code = 0, rc;
	struct dm_store *s = dm_cli_store(cli, 0, &code);

	if (!s)
		return code;
	if (dm_cli_value(cli, "import")) {
		rc = show_import(cli, s, (int64_t)dm_cli_number(cli, "import", 0), &err);
		dm_store_close(s);
		return rc ? dm_cli_error(cli, &err) : DM_EXIT_OK;
	}
	rc = dm_snapshot_take(s, &snap, &err);
	if (!rc)
		rc = dm_catalog_imports(s->catalog, &snap.arena, &imp, &n, &err);
	if (!rc && cli->json)
		put_json(cli, s, &snap, imp, n);
	else if (!rc)
		put_text(cli, s, &snap, n);
	if (!rc && dm_cli_has(cli, "check")) {
		rc = run_checks(&k, s, &err);
		if (!rc && !k.faults && !cli->json)
			dm_buf_str(&cli->out.buf,
				   "All is well: every file is there and agrees with its checksum.\n");
	}
	dm_snapshot_done(&snap);
	dm_store_close(s);
	if (rc)
		return dm_cli_error(cli, &err);
	return k.faults ? DM_EXIT_NO : DM_EXIT_OK;
}
