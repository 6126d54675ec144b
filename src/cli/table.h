/* table.h: what the command line can say. One table; the parser, --help, the man pages and the completions
 * are all made from it, so that they cannot disagree.
 *
 * Plain constant data, no ownership.
 */
#ifndef DM_CLI_TABLE_H
#define DM_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct dm_cli;

/* What a value looks like: decides how it is checked, and what a shell offers. */
enum dm_arg {
	DM_ARG_NONE, /* a switch */
	DM_ARG_TEXT,
	DM_ARG_FILE,
	DM_ARG_DIR,
	DM_ARG_NUMBER, /* decimal, from 0 */
	DM_ARG_TIME,   /* RFC 3339, a date, or a time span back from now: "7d", "12h" */
	DM_ARG_CHOICE, /* one of `choices` */
	DM_ARG_VERB,
};

struct dm_option {
	const char *name; /* without "--"; NULL ends a list */
	char brief;	  /* 0: none */
	enum dm_arg arg;
	const char *placeholder; /* "FILE"; NULL for switches */
	bool repeatable;
	const char *help;	    /* one sentence, without full stop */
	const char *const *choices; /* NULL-terminated; also offered, not enforced, for DM_ARG_TEXT */
	bool alone;		    /* about the program, not about a verb: not explained with each verb */
};

struct dm_example {
	const char *command; /* NULL ends a list */
	const char *meaning;
};

struct dm_verb {
	const char *name; /* NULL ends the table */
	const char *summary;
	const char *args; /* "[FILE...]" as printed; NULL: none */
	enum dm_arg arg;  /* of each argument */
	unsigned min_args, max_args;
	const struct dm_option *options;
	const char *const *text; /* paragraphs, NULL-terminated */
	const struct dm_example *examples;
	const char *no; /* what exit code 1 means here; NULL: not used */
	int (*run)(struct dm_cli *cli);
};

#define DM_ARGS_MANY 1000000u

extern const struct dm_verb dm_verbs[];
/* Options that every verb takes, before or behind its name. */
extern const struct dm_option dm_global_options[];
const struct dm_verb *dm_verb_find(const char *name);

/* Exit codes, with their meaning for the man pages. */
enum dm_exit {
	DM_EXIT_OK = 0,
	DM_EXIT_NO = 1,
	DM_EXIT_USAGE = 2,
	DM_EXIT_DATA = 65,
	DM_EXIT_UNAVAILABLE = 69,
	DM_EXIT_CANTCREAT = 73,
	DM_EXIT_IO = 74,
	DM_EXIT_TEMPFAIL = 75,
	DM_EXIT_NOPERM = 77,
	DM_EXIT_CONFIG = 78,
};
struct dm_exit_meaning {
	int code;
	const char *meaning; /* NULL ends the list */
};
extern const struct dm_exit_meaning dm_exits[];
int dm_exit_of(int code); /* exit code for a DM_E code */

/* The verbs: cmd_NAME.c. Each returns an exit code. */
int cmd_init(struct dm_cli *cli);
int cmd_import(struct dm_cli *cli);
int cmd_hunt(struct dm_cli *cli);
int cmd_show(struct dm_cli *cli);
int cmd_status(struct dm_cli *cli);
int cmd_compact(struct dm_cli *cli);
int cmd_forget(struct dm_cli *cli);
int cmd_help(struct dm_cli *cli);

#endif
