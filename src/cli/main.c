#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cli/cli.h"

/* --man demarche, --man VERB. */
static int print_man(struct dm_cli *cli, const char *name)
{
	const struct dm_verb *verb = NULL;

	if (strcmp(name, "demarche") != 0) {
		verb = dm_verb_find(name);
		if (!verb)
			return dm_cli_unknown_verb(cli, name);
	}
	dm_man_print(&cli->out, verb);
	return DM_EXIT_OK;
}

static int run(struct dm_cli *cli)
{
	const char *man = dm_cli_value(cli, "man"), *shell = dm_cli_value(cli, "completion");

	if (dm_cli_has(cli, "version")) {
		dm_buf_str(&cli->out.buf, "demarche " DM_VERSION "\n");
		return DM_EXIT_OK;
	}
	if (dm_cli_has(cli, "help")) {
		dm_help_print(&cli->out, cli->verb, cli->out.width);
		return DM_EXIT_OK;
	}
	if (man)
		return print_man(cli, man);
	if (shell) {
		dm_completion_print(&cli->out, shell);
		return DM_EXIT_OK;
	}
	return cli->verb->run(cli);
}

int main(int argc, char **argv)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct dm_err err = {0};
	struct dm_cli cli;
	int code, rc;

	/* a pipe that nobody reads any more is an error code, so that a node is left in order */
	sigaction(SIGPIPE, &ignore, NULL);
	code = dm_cli_parse(&cli, argc, argv);
	if (!code)
		code = run(&cli);
	rc = dm_out_finish(&cli.out, &err);
	if (rc) {
		/* `demarche hunt | head` wanted no more: no reason to say anything */
		if (cli.out.error != EPIPE)
			dm_cli_error(&cli, &err);
		code = DM_EXIT_IO;
	}
	dm_cli_done(&cli);
	return code;
}
