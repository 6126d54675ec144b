/* cmd_node.c: making a node, keeping it small: init, compact, forget. */
#include "base/time.h"
#include "cli/node.h"

static int set_own(struct dm_cli *cli, struct dm_store *s, struct dm_err *err)
{
	struct dm_guard guard = {0};
	struct dm_buf all;
	const char *net;
	int rc = DM_OK;

	dm_buf_init(&all, 1 << 20);
	for (size_t i = 0; !rc && (net = dm_cli_nth(cli, "own", i)); i++) {
		rc = dm_guard_own(&guard, dm_sv_str(net), err);
		dm_buf_str(&all, i ? "," : "");
		dm_buf_str(&all, net);
	}
	if (!rc && all.n)
		rc = dm_catalog_set(s->catalog, "own_networks", dm_buf_view(&all), err);
	dm_buf_done(&all);
	dm_guard_done(&guard);
	return rc;
}

int cmd_init(struct dm_cli *cli)
{
	const char *org = dm_cli_value(cli, "org");
	struct dm_err err = {0};
	int code = 0, rc = DM_OK;
	struct dm_store *s = dm_cli_store(cli, DM_STORE_WRITE | DM_STORE_CREATE, &code);

	if (!s)
		return code;
	if (org)
		rc = dm_catalog_set(s->catalog, "organisation", dm_sv_str(org), &err);
	if (!rc)
		rc = set_own(cli, s, &err);
	if (!rc && cli->json)
		dm_buf_printf(&cli->out.buf, "{\"home\":\"%s\"}\n", cli->home);
	else if (!rc)
		dm_buf_printf(&cli->out.buf, "The node is in %s\nNext: demarche import FILE...\n", cli->home);
	dm_store_close(s);
	return rc ? dm_cli_error(cli, &err) : DM_EXIT_OK;
}

int cmd_compact(struct dm_cli *cli)
{
	struct dm_upkeep done = {0};
	struct dm_err err = {0};
	struct dm_buf *b = &cli->out.buf;
	int code = 0, rc = DM_OK;
	struct dm_store *s = dm_cli_store(cli, DM_STORE_WRITE, &code);

	if (!s)
		return code;
	if (dm_cli_has(cli, "rebuild"))
		rc = dm_store_rebuild_runs(s, &err);
	if (!rc)
		rc = dm_store_maintain(s, true, &done, &err);
	dm_store_close(s);
	if (rc)
		return dm_cli_error(cli, &err);
	if (cli->json) {
		dm_buf_printf(b,
			      "{\"segments_merged\":%llu,\"segments_made\":%llu,\"runs_merged\":%llu,\"rows_"
			      "moved\":%llu}\n",
			      (unsigned long long)done.segments_merged,
			      (unsigned long long)done.segments_made, (unsigned long long)done.runs_merged,
			      (unsigned long long)done.rows_moved);
	} else if (!done.segments_merged && !done.runs_merged) {
		dm_buf_str(b, "Nothing to merge.\n");
	} else {
		dm_put_some(b, done.segments_merged, "segment", "segments");
		dm_buf_str(b, " became ");
		dm_put_count(b, done.segments_made);
		dm_buf_str(b, ", ");
		dm_put_some(b, done.runs_merged, "run was", "runs were");
		dm_buf_str(b, " merged.\n");
	}
	return DM_EXIT_OK;
}

int cmd_forget(struct dm_cli *cli)
{
	int64_t before = dm_cli_time(cli, "before");
	struct dm_err err = {0};
	struct dm_buf *b = &cli->out.buf;
	struct dm_store *s;
	uint64_t rows = 0;
	int code = 0, rc;

	if (before == DM_NO_TIME)
		return dm_cli_usage(cli, "say from which day on evidence is kept: --before DATE");
	s = dm_cli_store(cli, DM_STORE_WRITE, &code);
	if (!s)
		return code;
	rc = dm_store_forget(s, dm_day_of(before), &rows, &err);
	dm_store_close(s);
	if (rc)
		return dm_cli_error(cli, &err);
	if (cli->json) {
		dm_buf_printf(b, "{\"rows_dropped\":%llu}\n", (unsigned long long)rows);
	} else {
		dm_put_some(b, rows, "row was", "rows were");
		dm_buf_str(b, " dropped: all days before ");
		dm_day_put(b, dm_day_of(before));
		dm_buf_str(b, ". Hunts will say that they are not kept.\n");
	}
	return DM_EXIT_OK;
}
