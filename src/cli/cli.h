/* cli.h: one command line, taken apart, and the ways to answer it.
 *
 * Values point into argv. What a verb prints goes through `out` (out.h); errors through dm_cli_error.
 */
#ifndef DM_CLI_CLI_H
#define DM_CLI_CLI_H

#include <stdint.h>
#include "base/err.h"
#include "base/sv.h"
#include "cli/out.h"
#include "cli/table.h"

struct dm_cli_value {
	const struct dm_option *option;
	const char *value; /* NULL for switches */
};

struct dm_cli {
	const struct dm_verb *verb; /* NULL: only global options */
	const char *home; /* --home, DEMARCHE_HOME or the XDG state folder; never NULL after dm_cli_home */
	bool json;
	struct dm_cli_value *values; /* in the order given */
	size_t nvalues;
	const char **args;
	size_t nargs;
	struct dm_out out; /* standard output */
	bool color;	   /* on standard error */
	char home_path[4096];
};

/* Takes argv apart. 0, or DM_EXIT_USAGE with what is wrong and what was perhaps meant already printed. */
int dm_cli_parse(struct dm_cli *cli, int argc, char **argv);
void dm_cli_done(struct dm_cli *cli);

/* Options of the verb or global ones, by long name; the name must be in the table. */
bool dm_cli_has(const struct dm_cli *cli, const char *name);
const char *dm_cli_value(const struct dm_cli *cli, const char *name); /* the last one given, or NULL */
/* The i-th value of a repeatable option, NULL behind the last. */
const char *dm_cli_nth(const struct dm_cli *cli, const char *name, size_t i);
uint64_t dm_cli_number(const struct dm_cli *cli, const char *name, uint64_t fallback);
int64_t dm_cli_time(const struct dm_cli *cli, const char *name); /* DM_NO_TIME if not given */

/* The node's folder: --home, $DEMARCHE_HOME, $XDG_STATE_HOME/demarche or ~/.local/state/demarche. DM_ECONFIG
 * if none can be told. */
int dm_cli_home(struct dm_cli *cli, struct dm_err *err);

/* "demarche: FILE:LINE: reason" and the remedy on a line of its own, on standard error. Returns the exit
 * code. */
int dm_cli_error(const struct dm_cli *cli, const struct dm_err *err);
/* A wrong use: the sentence, then how to get help. Returns DM_EXIT_USAGE. */
int dm_cli_usage(const struct dm_cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Something worth knowing that ends nothing: "demarche: note: ...". */
void dm_cli_note(const struct dm_cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "unknown verb, did you mean ...". Returns DM_EXIT_USAGE. */
int dm_cli_unknown_verb(const struct dm_cli *cli, const char *typed);
/* The nearest of `n` names to what was typed, or NULL if none is near. */
const char *dm_suggest(const char *typed, const char *const *names, size_t n);
/* A time as options take it: RFC 3339, a date, or a span back from `now`: 90s 15m 12h 7d 4w. */
bool dm_cli_time_parse(const char *text, int64_t now, int64_t *ret);

/* Printed from the table. verb NULL: the program as a whole. */
void dm_help_print(struct dm_out *out, const struct dm_verb *verb, unsigned width);
void dm_man_print(struct dm_out *out, const struct dm_verb *verb);
bool dm_completion_print(struct dm_out *out, const char *shell); /* false: no such shell */

#endif
