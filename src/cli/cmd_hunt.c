/* cmd_hunt.c: the hunt verb: what to hunt with, where, and in which form to say it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/hunt_cli.h"
#include "cli/progress.h"

struct setup {
	struct dm_cli *cli;
	struct dm_store *store;
	char scratch[4096];
	struct dm_guard guard;
	struct dm_hunt_cli c;
	struct dm_out file; /* -o */
	char tmp[4200];
};

static enum dm_hunt_format format_of(const struct dm_cli *cli)
{
	static const char *const name[] = {"table", "json", "csv", "stix", "nft", "rpz", "suricata", "zeek"};
	const char *f = dm_cli_value(cli, "format");

	for (size_t i = 0; f && i < sizeof name / sizeof *name; i++)
		if (!strcmp(f, name[i]))
			return (enum dm_hunt_format)i;
	return cli->json ? DM_FORMAT_JSON : DM_FORMAT_TABLE;
}

static int load_list(struct setup *s, const char *path, struct dm_err *err)
{
	struct dm_intake_options opt = {.want = DM_INTELLIGENCE, .guard = &s->guard};
	struct dm_intake_result *r = dm_calloc(1, sizeof *r);
	struct dm_set *set = NULL;
	int fd = dm_input_open(path, err), rc;

	if (fd < 0 || !r) {
		if (fd >= 0)
			close(fd);
		dm_free(r);
		return err->code ? err->code : dm_fail(err, DM_ENOMEM, "out of memory");
	}
	rc = dm_intake_set(fd, path, &opt, &set, r, err);
	close(fd);
	if (!rc && r->code && !r->indicators) {
		*err = r->err;
		rc = r->code;
	} else if (!rc && r->code) {
		dm_cli_error(s->cli, &r->err);
	}
	if (!rc && !r->indicators)
		dm_cli_note(s->cli, "%s holds no indicators (%s)", path,
			    r->title[0] ? r->title : "no known format");
	if (!rc && r->skipped)
		dm_cli_note(s->cli, "%s: %llu entries were skipped, the first at line %llu: %s", path,
			    (unsigned long long)r->skipped, (unsigned long long)r->skip_line[0],
			    r->skip_reason[0]);
	if (!rc)
		rc = dm_hunt_add_set(s->c.h, set);
	if (rc)
		dm_set_close(set);
	dm_free(r);
	return rc;
}

static int load_indicators(struct setup *s, struct dm_err *err)
{
	const char *path;
	int rc = DM_OK;

	for (size_t i = 0; !rc && (path = dm_cli_nth(s->cli, "indicators", i)); i++)
		rc = load_list(s, path, err);
	if (!rc && !dm_cli_has(s->cli, "indicators") && !dm_cli_has(s->cli, "pattern"))
		rc = dm_hunt_add_node_sets(s->c.h, err);
	if (!rc && dm_cli_has(s->cli, "pattern")) {
		struct dm_set_builder *b = NULL;
		struct dm_indicator ind = {.form = DM_IND_PATTERN,
					   .value = dm_sv_str(dm_cli_value(s->cli, "pattern")),
					   .valid_from = DM_NO_TIME,
					   .valid_until = DM_NO_TIME,
					   .line = 1,
					   .confidence = 255};
		struct dm_pattern *p = NULL;
		struct dm_set *set = NULL;
		struct dm_buf bytes;

		rc = dm_pattern_parse(&p, ind.value, err);
		dm_pattern_free(p);
		if (rc)
			dm_err_source(err, "--pattern");
		else if (dm_set_builder_new(&b) || dm_set_add(b, &ind, err) || dm_set_pack(b, &bytes, err) ||
			 dm_set_open_bytes(&set, &bytes, err) || dm_hunt_add_set(s->c.h, set))
			rc = dm_fail(err, DM_ENOMEM, "out of memory");
		else
			snprintf(set->name, sizeof set->name, "command line");
		dm_set_builder_free(b);
	}
	if (!rc && !s->c.h->n_sets) {
		dm_fail(err, DM_ENOENT, "there is nothing to hunt with");
		rc = dm_err_remedy(err,
				   "import indicators (`demarche import LIST`), or name them with -i LIST");
	}
	return rc;
}

/* Logs on the command line: into a node of a moment. */
static int load_logs(struct setup *s, struct dm_err *err)
{
	struct dm_intake_options opt = {.want = DM_EVIDENCE, .guard = &s->guard, .stop = &dm_cli_stop};
	struct dm_input_list list = {0};
	uint64_t rows = 0;
	int rc = DM_OK;

	for (size_t i = 0; i < s->cli->nargs && !rc; i++)
		rc = dm_input_list_add(&list, s->cli->args[i], err);
	for (size_t i = 0; i < list.n && !rc; i++) {
		struct dm_intake_result *r = dm_calloc(1, sizeof *r);
		const char *name = strcmp(list.v[i].path, "-") ? list.v[i].path : "standard input";
		int fd = dm_input_open(list.v[i].path, err);

		if (fd < 0 || !r) {
			if (fd >= 0)
				close(fd);
			dm_free(r);
			rc = err->code ? err->code : DM_ENOMEM;
			break;
		}
		rc = dm_intake(s->store, fd, name, &opt, r, err);
		close(fd);
		if (rc && list.v[i].found && (rc == DM_EUNSUPPORTED || rc == DM_EFORMAT)) {
			dm_cli_note(s->cli, "%s passed over: %s", name, err->msg);
			*err = (struct dm_err){0};
			rc = DM_OK;
		} else if (!rc && r->code) {
			if (list.v[i].found && !r->rows)
				dm_cli_note(s->cli, "%s passed over: %s", name, r->err.msg);
			else
				dm_cli_error(s->cli, &r->err);
		}
		if (!rc && r->skipped)
			dm_cli_note(s->cli, "%s: %llu lines were skipped, the first at line %llu: %s", name,
				    (unsigned long long)r->skipped, (unsigned long long)r->skip_line[0],
				    r->skip_reason[0]);
		rows += r->rows;
		dm_free(r);
	}
	dm_input_list_done(&list);
	if (!rc && !rows)
		rc = dm_fail(err, DM_EFORMAT, "there is no evidence in these files");
	return rc;
}

struct wanted {
	struct dm_cli *cli;
	struct dm_hunt *h;
};

static bool from_source(void *ctx, const struct dm_hunt_ref *r, const struct dm_indicator *ind)
{
	const struct wanted *w = ctx;
	const char *name;

	for (size_t i = 0; (name = dm_cli_nth(w->cli, "source", i)); i++)
		if (dm_sv_is(ind->source, name) || !strcmp(w->h->set[r->set]->name, name))
			return true;
	return false;
}

static uint32_t types_of(const struct dm_cli *cli)
{
	uint32_t bits = 0;
	const char *name;

	for (size_t i = 0; (name = dm_cli_nth(cli, "type", i)); i++)
		for (uint32_t t = 1; t < DM_OBS_TYPES; t++)
			if (!strcmp(dm_obs_name(t), name))
				bits |= 1u << t;
	return bits;
}

static int open_output(struct setup *s, struct dm_err *err)
{
	const char *path = dm_cli_value(s->cli, "output");
	int fd;

	s->c.out = &s->cli->out;
	if (!path)
		return DM_OK;
	snprintf(s->tmp, sizeof s->tmp, "%s.part", path);
	fd = open(s->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		dm_fail_errno(err, "it can't be written");
		return dm_err_source(err, path);
	}
	dm_out_init(&s->file, fd, false);
	s->c.out = &s->file;
	return DM_OK;
}

/* The file appears whole or not at all. */
static int close_output(struct setup *s, bool ok, struct dm_err *err)
{
	const char *path = dm_cli_value(s->cli, "output");
	int rc = DM_OK, fd = s->file.fd;

	if (s->c.out != &s->file)
		return DM_OK;
	if (ok)
		rc = dm_out_finish(&s->file, err);
	if (ok && !rc && fsync(fd))
		rc = dm_fail_errno(err, "it can't be written");
	close(fd);
	if (ok && !rc && rename(s->tmp, path))
		rc = dm_fail_errno(err, "it can't be written");
	if (rc || !ok)
		unlink(s->tmp);
	dm_out_done(&s->file);
	return rc ? dm_err_source(err, path) : DM_OK;
}

static int verify(struct setup *s, struct dm_err *err)
{
	struct dm_buf *b = &s->cli->out.buf;
	uint64_t rows, hits, differences;
	int rc = dm_hunt_verify(s->c.h, &rows, &hits, &differences, err);

	if (rc)
		return rc;
	dm_buf_str(b, "Verified by reading ");
	dm_put_some(b, rows, "row", "rows");
	dm_buf_str(b, ": ");
	dm_put_some(b, hits, "hit", "hits");
	if (!differences) {
		dm_buf_str(b, ", the same as by the index.\n");
		return DM_OK;
	}
	dm_buf_str(b, "; ");
	dm_put_some(b, differences, "difference", "differences");
	dm_buf_str(b, " between the index and the rows.\n");
	dm_fail(err, DM_ECORRUPT, "the index and the rows do not agree");
	return dm_err_remedy(err, "run `demarche status --check`, then `demarche compact --rebuild`");
}

static int remember_reported(struct setup *s, struct dm_err *err)
{
	struct dm_import *imp;
	size_t n;
	int rc = dm_catalog_imports(s->store->catalog, &s->c.h->snap.arena, &imp, &n, err);

	if (rc || !n)
		return rc;
	rc = dm_catalog_begin(s->store->catalog, true, err);
	for (size_t i = 0; i < s->c.h->n_sets && !rc; i++)
		rc = dm_catalog_reported_set(s->store->catalog, s->c.h->set[i]->import, imp[n - 1].id, err);
	if (rc) {
		dm_catalog_rollback(s->store->catalog);
		return rc;
	}
	return dm_catalog_commit(s->store->catalog, err);
}

static int print_result(struct setup *s, struct dm_err *err)
{
	switch (s->c.format) {
	case DM_FORMAT_NFT:
	case DM_FORMAT_RPZ:
	case DM_FORMAT_SURICATA:
	case DM_FORMAT_ZEEK:
		return dm_hunt_print_blocks(&s->c, err);
	case DM_FORMAT_STIX:
		return dm_hunt_print_stix(&s->c, err);
	default:
		return dm_cli_has(s->cli, "count") ? dm_hunt_print_counts(&s->c, err)
						   : dm_hunt_print_rows(&s->c, err);
	}
}

static int hunt(struct setup *s, struct dm_err *err)
{
	struct dm_hunt_options opt = {
		.since = dm_cli_time(s->cli, "since"),
		.until = dm_cli_time(s->cli, "until"),
		.subdomains = dm_cli_has(s->cli, "subdomains"),
		.types = types_of(s->cli),
	};
	struct wanted w = {.cli = s->cli};
	bool people = s->c.format == DM_FORMAT_TABLE;
	int rc = dm_hunt_new(&s->c.h, s->store, &opt, err);

	if (!rc)
		rc = load_indicators(s, err);
	if (!rc)
		rc = dm_hunt_match(s->c.h, err);
	if (!rc)
		rc = dm_hunt_patterns(s->c.h, err);
	w.h = s->c.h;
	if (!rc && dm_cli_has(s->cli, "source"))
		rc = dm_hunt_filter(s->c.h, from_source, &w, err);
	if (!rc)
		rc = dm_hunt_warnings(s->c.h, err);
	if (!rc && dm_cli_has(s->cli, "verify"))
		return verify(s, err);
	if (!rc)
		rc = print_result(s, err);
	if (!rc && s->c.only_new)
		rc = remember_reported(s, err);
	if (rc)
		return rc;
	if (people)
		return dm_hunt_print_footer(&s->c, &s->c.out->buf, err);
	dm_out_flush(s->c.out);
	struct dm_out notes;
	dm_out_init(&notes, STDERR_FILENO, false);
	rc = dm_hunt_print_footer(&s->c, &notes.buf, err);
	dm_out_flush(&notes);
	dm_out_done(&notes);
	return rc;
}

/* One pattern over observed-data, in a confined worker: 0 match, 1 none, 65 bad pattern. */
static int pattern_over_file(struct dm_cli *cli)
{
	struct dm_worker_job job = {
		.kind = DM_WORKER_PATTERN, .name = dm_cli_value(cli, "observed"), .want = DM_EVIDENCE};
	struct dm_worker_events none = {0};
	struct dm_worker_result res = {0};
	struct dm_err err = {0};
	int rc;

	if (!dm_cli_value(cli, "pattern"))
		return dm_cli_usage(cli, "--observed needs --pattern");
	job.pattern = dm_sv_str(dm_cli_value(cli, "pattern"));
	job.fd = dm_input_open(job.name, &err);
	if (job.fd < 0)
		return dm_cli_error(cli, &err);
	rc = dm_worker_run(&job, &none, &res, &err);
	close(job.fd);
	if (!rc && res.code < 0) {
		err = res.err;
		rc = res.code;
	}
	if (rc)
		return dm_cli_error(cli, &err);
	if (cli->json)
		dm_buf_printf(&cli->out.buf, "{\"match\":%s,\"detail\":", res.code ? "true" : "false");
	else
		dm_buf_str(&cli->out.buf, res.code ? "match" : "no match");
	if (cli->json)
		dm_json_quote(&cli->out.buf, dm_sv_str(res.err.msg));
	else if (res.err.msg[0])
		dm_buf_printf(&cli->out.buf, ": %s", res.err.msg);
	dm_buf_str(&cli->out.buf, cli->json ? "}\n" : "\n");
	return res.code ? DM_EXIT_OK : DM_EXIT_NO;
}

int cmd_hunt(struct dm_cli *cli)
{
	struct setup *s;
	struct dm_err err = {0};
	bool logs = cli->nargs > 0;
	int code = DM_EXIT_OK, rc = DM_OK;

	if (dm_cli_has(cli, "observed"))
		return pattern_over_file(cli);
	if (logs && !dm_cli_has(cli, "indicators") && !dm_cli_has(cli, "pattern"))
		return dm_cli_usage(cli, "with LOG the indicators must be named too: -i LIST");
	s = dm_calloc(1, sizeof *s);
	if (!s)
		return DM_EXIT_TEMPFAIL;
	s->cli = s->c.cli = cli;
	s->c.format = format_of(cli);
	s->c.limit = dm_cli_number(cli, "limit", UINT64_MAX);
	s->c.only_new = dm_cli_has(cli, "new");
	dm_cli_catch_stop();
	s->store = logs ? dm_cli_scratch(cli, s->scratch, &code)
			: dm_cli_store(cli, s->c.only_new ? DM_STORE_WRITE : 0, &code);
	if (s->store) {
		rc = dm_intake_guard(s->store, &s->guard, &err);
		if (!rc && logs)
			rc = load_logs(s, &err);
		if (!rc)
			rc = open_output(s, &err);
		if (!rc) {
			int end;

			rc = hunt(s, &err);
			end = close_output(s, !rc, rc ? NULL : &err);
			rc = rc ? rc : end;
		}
		if (rc)
			code = dm_cli_error(cli, &err);
		else if (!s->c.rows && !s->c.h->n_refs)
			code = DM_EXIT_NO;
	}
	dm_hunt_free(s->c.h);
	dm_guard_done(&s->guard);
	if (logs)
		dm_cli_scratch_end(s->store, s->scratch);
	else
		dm_store_close(s->store);
	dm_free(s);
	return code;
}
