/* Verbs of the table that this build cannot do yet say so. */
#include "cli/cli.h"

static int not_yet(struct dm_cli *cli)
{
	struct dm_err err = {0};

	dm_fail(&err, DM_EUNSUPPORTED, "this version cannot do `demarche %s` yet", cli->verb->name);
	return dm_cli_error(cli, &err);
}

int cmd_show(struct dm_cli *cli)
{
	return not_yet(cli);
}
