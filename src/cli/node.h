/* node.h: what the verbs that work on a node share: opening it, saying where it is, files of the command
 * line. */
#ifndef DM_CLI_NODE_H
#define DM_CLI_NODE_H

#include "cli/cli.h"
#include "evidence/store.h"
#include "node/intake.h"

/* Opens the node of --home. Prints what is wrong; *ret_exit is the exit code then. NULL on failure. */
struct dm_store *dm_cli_store(struct dm_cli *cli, unsigned flags, int *ret_exit);
/* A node in a folder of its own that dm_cli_scratch_end removes: for hunts over files alone. */
struct dm_store *dm_cli_scratch(struct dm_cli *cli, char path[4096], int *ret_exit);
void dm_cli_scratch_end(struct dm_store *store, const char *path);

/* The inputs that arguments name: files, whole folders in the order of their names, "-". */
struct dm_input_list {
	struct dm_arena arena;
	struct dm_input {
		const char *path;
		bool found; /* in a folder: what is no known format is passed over, not an error */
	} * v;
	size_t n, cap;
};
int dm_input_list_add(struct dm_input_list *l, const char *arg, struct dm_err *err);
void dm_input_list_done(struct dm_input_list *l);
/* Descriptor of an input, -1 with err. Standard input for "-". */
int dm_input_open(const char *path, struct dm_err *err);

/* Set once SIGINT or SIGTERM came: finish in order. */
extern volatile int dm_cli_stop;
void dm_cli_catch_stop(void);

/* "2014-12-19 10:00:00", "2014-12-19 .. 2014-12-21", "unknown". */
void dm_put_moment(struct dm_buf *out, int64_t t);
void dm_put_days(struct dm_buf *out, int64_t first, int64_t last);
/* 1,234,567 */
void dm_put_count(struct dm_buf *out, uint64_t n);
/* "1 row", "2 rows" */
void dm_put_some(struct dm_buf *out, uint64_t n, const char *one, const char *many);

#endif
