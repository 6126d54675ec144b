/* cmd_import.c: files into the node, a line for each, and what of it is already known to be bad. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "base/time.h"
#include "cli/node.h"
#include "cli/progress.h"
#include "hunt/hunt.h"
#include "hunt/row_json.h"

#define MAINTAIN_EVERY                                                                                       \
	64u /* files; bounds the number of small segments and runs while a large folder comes in */
#define FOLLOW_MS 1000

struct session {
	struct dm_cli *cli;
	struct dm_store *store; /* NULL: only checking */
	struct dm_intake_options opt;
	struct dm_guard guard;
	struct dm_progress progress;
	uint64_t files, known, failed, passed_over, rows, indicators, skipped;
	int64_t first_import; /* of this session since the last upkeep; 0: none */
	bool intelligence;    /* some came in */
	bool wrote_header;
	int exit;
};

static int on_progress(void *ctx, const char *name, uint64_t raw, uint64_t size, uint64_t rows)
{
	struct session *s = ctx;

	(void)name;
	(void)size;
	(void)rows;
	dm_progress_at(&s->progress, raw);
	return 0;
}

static void json_text(struct dm_buf *b, const char *key, const char *text)
{
	dm_buf_printf(b, ",\"%s\":", key);
	dm_json_quote(b, dm_sv_str(text));
}

static void json_time(struct dm_buf *b, const char *key, int64_t t)
{
	if (t == DM_NO_TIME)
		return;
	dm_buf_printf(b, ",\"%s\":\"", key);
	dm_time_put_full(b, t);
	dm_buf_putc(b, '"');
}

static const char *state_name(const struct dm_intake_result *r)
{
	switch (r->state) {
	case DM_INTAKE_KNOWN:
		return "known";
	case DM_INTAKE_GREW:
		return "grown";
	case DM_INTAKE_CHECKED:
		return "checked";
	default:
		return r->code ? "partial" : "new";
	}
}

static void put_json(struct session *s, const char *name, const struct dm_intake_result *r)
{
	struct dm_buf *b = &s->cli->out.buf;

	dm_buf_str(b, "{\"file\":");
	dm_json_quote(b, dm_sv_str(name));
	json_text(b, "state", state_name(r));
	if (r->import)
		dm_buf_printf(b, ",\"import\":%lld", (long long)r->import);
	if (r->format[0])
		json_text(b, "format", r->format);
	dm_buf_printf(
		b, ",\"bytes\":%llu,\"rows\":%llu,\"indicators\":%llu,\"flagged\":%llu,\"skipped\":%llu",
		(unsigned long long)r->bytes, (unsigned long long)r->rows, (unsigned long long)r->indicators,
		(unsigned long long)r->flagged, (unsigned long long)r->skipped);
	if (r->sampling > 1)
		dm_buf_printf(b, ",\"sampling\":%llu", (unsigned long long)r->sampling);
	if (r->dropped)
		dm_buf_printf(b, ",\"dropped\":%llu", (unsigned long long)r->dropped);
	json_time(b, "first", r->first);
	json_time(b, "last", r->last);
	for (unsigned i = 0; i < r->n_notes; i++) {
		dm_buf_str(b, i ? "," : ",\"notes\":[");
		dm_json_quote(b, dm_sv_str(r->note[i]));
	}
	if (r->n_notes)
		dm_buf_putc(b, ']');
	for (unsigned i = 0; i < r->n_skips; i++) {
		dm_buf_printf(b, "%s{\"line\":%llu,\"reason\":", i ? "," : ",\"skips\":[",
			      (unsigned long long)r->skip_line[i]);
		dm_json_quote(b, dm_sv_str(r->skip_reason[i]));
		dm_buf_putc(b, '}');
	}
	if (r->n_skips)
		dm_buf_putc(b, ']');
	if (r->code) {
		json_text(b, "error", r->err.msg);
		if (r->err.line)
			dm_buf_printf(b, ",\"error_line\":%llu", (unsigned long long)r->err.line);
	}
	dm_buf_str(b, "}\n");
}

/* What came in, in words: "105,918 rows (flow), 2024-04-19 to 2024-04-21". */
static void put_content(struct dm_buf *b, const struct dm_intake_result *r)
{
	bool any = false;

	if (r->rows) {
		dm_put_some(b, r->rows, "row", "rows");
		for (int k = 1; k < DM_KINDS; k++)
			if (r->by_kind[k]) {
				dm_buf_str(b, any ? ", " : " (");
				dm_buf_str(b, dm_kind_name(k));
				any = true;
			}
		dm_buf_str(b, any ? ")" : "");
		if (r->first != DM_NO_TIME) {
			dm_buf_str(b, ", ");
			dm_put_days(b, r->first, r->last);
		}
		any = true;
	}
	if (r->indicators) {
		dm_buf_str(b, any ? "; " : "");
		dm_put_some(b, r->indicators, r->warninglist ? "entry of a warning list" : "indicator",
			    r->warninglist ? "entries of a warning list" : "indicators");
		if (r->flagged && !r->warninglist)
			dm_buf_printf(b, ", %llu of them flagged", (unsigned long long)r->flagged);
		any = true;
	}
	if (!any)
		dm_buf_str(b, "nothing");
}

static void put_line(struct session *s, const char *name, const struct dm_intake_result *r)
{
	struct dm_out *out = &s->cli->out;
	struct dm_buf *b = &out->buf;

	dm_term_escape(b, dm_sv_str(name));
	dm_buf_str(b, ": ");
	if (r->state == DM_INTAKE_KNOWN) {
		dm_buf_printf(b, "known already (import %lld), nothing changed\n", (long long)r->import);
		return;
	}
	if (r->title[0]) {
		dm_term_escape(b, dm_sv_str(r->title));
		dm_buf_str(b, ", ");
	}
	if (r->state == DM_INTAKE_GREW)
		dm_buf_str(b, "grown by ");
	put_content(b, r);
	if (r->skipped) {
		dm_buf_str(b, "; ");
		dm_put_count(b, r->skipped);
		dm_buf_str(b, " skipped");
	}
	dm_buf_putc(b, '\n');
	for (unsigned i = 0; i < r->n_skips; i++) {
		dm_buf_str(b, "  skipped ");
		if (r->skip_line[i])
			dm_buf_printf(b, "line %llu: ", (unsigned long long)r->skip_line[i]);
		dm_term_escape(b, dm_sv_str(r->skip_reason[i]));
		dm_buf_putc(b, '\n');
	}
	if (r->skipped > r->n_skips && r->import)
		dm_buf_printf(b, "  ... the rest: demarche status --import %lld\n", (long long)r->import);
	for (unsigned i = 0; i < r->n_notes; i++) {
		dm_buf_str(b, "  note: ");
		dm_term_escape(b, dm_sv_str(r->note[i]));
		dm_buf_putc(b, '\n');
	}
	if (r->sampling > 1)
		dm_buf_printf(b, "  sampled: 1 in %llu; what is not in it may still have happened\n",
			      (unsigned long long)r->sampling);
	if (r->dropped)
		dm_buf_printf(b, "  the capture itself lost %llu packets\n", (unsigned long long)r->dropped);
	if (r->unusable)
		dm_buf_printf(b, "  %llu patterns can't be used\n", (unsigned long long)r->unusable);
}

/* One line for each indicator that the evidence holds, most rows first. */
struct alert {
	uint32_t ref;
	uint64_t count;
};

static int by_count(const void *a, const void *b)
{
	const struct alert *x = a, *y = b;

	return x->count > y->count ? -1 : x->count < y->count;
}

static void put_alerts(struct session *s, struct dm_hunt *h, const char *what)
{
	struct dm_buf *b = &s->cli->out.buf;
	struct alert *v = dm_alloc((h->n_refs + 1) * sizeof *v);
	uint64_t rows = 0;

	if (!v || !h->n_refs) {
		dm_free(v);
		return;
	}
	for (uint32_t i = 0; i < h->n_refs; i++) {
		v[i] = (struct alert){.ref = i, .count = h->ref[i].count};
		rows += h->ref[i].count;
	}
	qsort(v, h->n_refs, sizeof *v, by_count);
	if (s->cli->json) {
		dm_buf_printf(b, "{\"alert\":%zu,\"rows\":%llu}\n", h->n_refs, (unsigned long long)rows);
		dm_free(v);
		return;
	}
	dm_buf_putc(b, '\n');
	dm_out_style(&s->cli->out, DM_STYLE_RED);
	dm_buf_printf(b, "%s: ", what);
	dm_put_some(b, h->n_refs, "indicator", "indicators");
	dm_buf_str(b, " seen, in ");
	dm_put_some(b, rows, "row", "rows");
	dm_out_style(&s->cli->out, DM_STYLE_NONE);
	dm_buf_putc(b, '\n');
	for (size_t i = 0; i < h->n_refs && i < 5; i++) {
		struct dm_buf text;

		dm_buf_init(&text, 1 << 20);
		dm_buf_str(b, "  ");
		if (!dm_hunt_ref_text(h, v[i].ref, &text))
			dm_term_escape(b, dm_buf_view(&text));
		dm_buf_done(&text);
		dm_buf_str(b, "  ");
		dm_put_some(b, v[i].count, "row", "rows");
		dm_buf_str(b, ", first ");
		dm_put_moment(b, h->ref[v[i].ref].first);
		dm_buf_putc(b, '\n');
	}
	dm_buf_str(b, h->n_refs > 5 ? "  ... all of them, with their rows: demarche hunt --new\n"
				    : "  the rows: demarche hunt --new\n");
	dm_free(v);
}

/* New evidence against what is hunted, and new indicators against all evidence. Before upkeep merges what is
 * new into the rest. */
static int look(struct session *s, struct dm_err *err)
{
	struct dm_hunt_options opt = {.since = DM_NO_TIME, .until = DM_NO_TIME};
	struct dm_hunt *h = NULL;
	int rc;

	if (!s->first_import)
		return DM_OK;
	opt.import_from = s->intelligence ? 0 : s->first_import;
	rc = dm_hunt_new(&h, s->store, &opt, err);
	if (!rc)
		rc = dm_hunt_add_node_sets(h, err);
	if (!rc && s->intelligence) /* only the new ones look back */
		for (size_t i = 0; i < h->n_sets;) {
			if (h->set[i]->import >= s->first_import) {
				i++;
				continue;
			}
			dm_set_close(h->set[i]);
			h->set[i] = h->set[--h->n_sets];
		}
	if (!rc && h->n_sets)
		rc = dm_hunt_match(h, err);
	if (!rc && h->n_sets)
		put_alerts(s, h, s->intelligence ? "Looking back" : "In what came in");
	dm_hunt_free(h);
	return rc;
}

static int upkeep(struct session *s)
{
	struct dm_upkeep done;
	struct dm_err err = {0};
	int rc;

	if (!s->store || !s->first_import)
		return DM_EXIT_OK;
	rc = look(s, &err);
	if (!rc)
		rc = dm_store_maintain(s->store, false, &done, &err);
	s->first_import = 0;
	s->intelligence = false;
	return rc ? dm_cli_error(s->cli, &err) : DM_EXIT_OK;
}

static void failed(struct session *s, const struct dm_input *in, const struct dm_err *err)
{
	if (in->found && (err->code == DM_EUNSUPPORTED || err->code == DM_EFORMAT)) {
		s->passed_over++; /* a folder holds what it holds; it is said at the end */
		if (!s->cli->json)
			dm_cli_note(s->cli, "%s passed over: %s", in->path, err->msg);
		return;
	}
	dm_out_flush(&s->cli->out);
	s->failed++;
	s->exit = dm_cli_error(s->cli, err);
}

static void one_file(struct session *s, const struct dm_input *in)
{
	struct dm_intake_result *r = dm_calloc(1, sizeof *r);
	const char *name = strcmp(in->path, "-") ? in->path : "standard input";
	struct dm_err err = {0};
	struct stat st;
	int fd = dm_input_open(in->path, &err), rc = err.code;

	if (!r || fd < 0) {
		if (fd >= 0)
			close(fd);
		dm_free(r);
		failed(s, in, &err);
		return;
	}
	s->opt.ctx = s;
	dm_progress_begin(&s->progress, name, DM_PROGRESS_BYTES,
			  !fstat(fd, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0);
	rc = s->store ? dm_intake(s->store, fd, name, &s->opt, r, &err)
		      : dm_intake_check(fd, name, &s->opt, r, &err);
	dm_progress_end(&s->progress);
	close(fd);
	if (rc || (r->code && !r->rows && !r->indicators && r->state != DM_INTAKE_KNOWN)) {
		failed(s, in, rc ? &err : &r->err);
		dm_free(r);
		return;
	}
	s->files++;
	s->known += r->state == DM_INTAKE_KNOWN;
	s->rows += r->rows;
	s->indicators += r->indicators;
	s->skipped += r->skipped;
	if (r->state != DM_INTAKE_KNOWN && r->import) {
		if (!s->first_import)
			s->first_import = r->import;
		s->intelligence = s->intelligence || r->indicators;
	}
	if (s->cli->json)
		put_json(s, name, r);
	else
		put_line(s, name, r);
	if (r->code) {
		dm_out_flush(&s->cli->out);
		s->failed++;
		s->exit = dm_cli_error(s->cli, &r->err);
	}
	dm_out_step(&s->cli->out);
	dm_free(r);
}

static void put_total(struct session *s, size_t n)
{
	struct dm_buf *b = &s->cli->out.buf;

	if (s->cli->json || n < 2)
		return;
	dm_buf_putc(b, '\n');
	dm_put_some(b, s->files, "file", "files");
	dm_buf_str(b, ": ");
	dm_put_some(b, s->rows, "row", "rows");
	dm_buf_str(b, ", ");
	dm_put_some(b, s->indicators, "indicator", "indicators");
	if (s->skipped) {
		dm_buf_str(b, ", ");
		dm_put_count(b, s->skipped);
		dm_buf_str(b, " skipped");
	}
	if (s->known) {
		dm_buf_str(b, "; ");
		dm_put_count(b, s->known);
		dm_buf_str(b, " known already");
	}
	if (s->passed_over) {
		dm_buf_str(b, "; ");
		dm_put_count(b, s->passed_over);
		dm_buf_str(b, " passed over");
	}
	if (s->failed) {
		dm_buf_str(b, "; ");
		dm_put_count(b, s->failed);
		dm_buf_str(b, " failed");
	}
	dm_buf_putc(b, '\n');
}

/* Waits for more, as `tail -F` does: the file by its name, so that rotation is noticed. */
static void follow(struct session *s, const struct dm_input_list *l)
{
	struct {
		dev_t dev;
		ino_t ino;
		off_t size;
	} *seen = dm_calloc(l->n, sizeof *seen);

	while (seen && !dm_cli_stop && !dm_out_failed(&s->cli->out)) {
		dm_out_flush(&s->cli->out);
		poll(NULL, 0, FOLLOW_MS);
		for (size_t i = 0; i < l->n && !dm_cli_stop; i++) {
			struct stat st;

			if (stat(l->v[i].path, &st) ||
			    (seen[i].ino == st.st_ino && seen[i].dev == st.st_dev &&
			     seen[i].size == st.st_size))
				continue;
			if (seen[i].ino || st.st_size) {
				uint64_t known = s->known;
				size_t at = s->cli->out.buf.n;

				one_file(s, &l->v[i]);
				if (s->known > known)
					s->cli->out.buf.n = at; /* nothing new: nothing said */
				else
					upkeep(s);
			}
			seen[i].dev = st.st_dev;
			seen[i].ino = st.st_ino;
			seen[i].size = st.st_size;
		}
	}
	dm_free(seen);
}

int cmd_import(struct dm_cli *cli)
{
	struct session s = {.cli = cli};
	struct dm_input_list list = {0};
	const char *as = dm_cli_value(cli, "as"), *tlp = dm_cli_value(cli, "tlp");
	bool check = dm_cli_has(cli, "check"), follows = dm_cli_has(cli, "follow");
	char marking[40] = "";
	struct dm_err err = {0};
	int rc = DM_OK;

	if (follows && check)
		return dm_cli_usage(cli, "--follow stores and --check does not");
	for (size_t i = 0; i < cli->nargs && !rc; i++)
		rc = dm_input_list_add(&list, cli->args[i], &err);
	if (rc) {
		dm_input_list_done(&list);
		return dm_cli_error(cli, &err);
	}
	if (tlp) {
		snprintf(marking, sizeof marking, "TLP:%s", tlp);
		for (char *p = marking; *p; p++)
			*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	}
	s.opt = (struct dm_intake_options){
		.want = !as			  ? DM_EITHER
			: !strcmp(as, "evidence") ? DM_EVIDENCE
						  : DM_INTELLIGENCE,
		.format = dm_cli_value(cli, "format"),
		.source = dm_cli_value(cli, "source"),
		.sensor = dm_cli_value(cli, "sensor"),
		.marking = tlp ? marking : NULL,
		.timings = dm_cli_has(cli, "timings"),
		.guard = &s.guard,
		.progress = on_progress,
		.stop = &dm_cli_stop,
	};
	/* Sealing takes and gives back the same large blocks again and again: keep them, instead of having
	 * the kernel clear fresh pages each time. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 512 << 20);
	dm_cli_catch_stop();
	if (!check) {
		s.store = dm_cli_store(cli, DM_STORE_WRITE | DM_STORE_CREATE, &s.exit);
		if (!s.store) {
			dm_input_list_done(&list);
			return s.exit;
		}
		rc = dm_intake_guard(s.store, &s.guard, &err);
		if (rc)
			s.exit = dm_cli_error(cli, &err);
	}
	for (size_t i = 0; i < list.n && !dm_cli_stop && !rc; i++) {
		one_file(&s, &list.v[i]);
		if ((i + 1) % MAINTAIN_EVERY == 0)
			rc = upkeep(&s);
	}
	put_total(&s, list.n);
	if (!rc && upkeep(&s))
		rc = s.exit = DM_EXIT_IO;
	if (follows && !rc)
		follow(&s, &list);
	dm_guard_done(&s.guard);
	dm_store_close(s.store);
	dm_input_list_done(&list);
	return s.exit;
}
