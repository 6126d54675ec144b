#include "cli/cli.h"

int cmd_help(struct dm_cli *cli)
{
	const struct dm_verb *verb = NULL;

	if (cli->nargs) {
		verb = dm_verb_find(cli->args[0]);
		if (!verb)
			return dm_cli_unknown_verb(cli, cli->args[0]);
	}
	dm_help_print(&cli->out, verb, cli->out.width);
	return DM_EXIT_OK;
}
