/* intake.h: one input into the node: recognise what is known, parse in a confined worker, store, make
 * durable, remember where a growing file stopped.
 *
 * Evidence goes to segments, intelligence to a set of indicators; a file may hold both. Nothing is printed
 * here. A file is imported under one number; the same bytes again change nothing, a longer version of a known
 * file adds what is new.
 */
#ifndef DM_NODE_INTAKE_H
#define DM_NODE_INTAKE_H

#include "evidence/store.h"
#include "hunt/set.h"
#include "import/worker.h"
#include "model/guard.h"

struct dm_intake_options {
	enum dm_import_class want;
	const char *format, *source, *sensor, *marking; /* NULL: not said */
	bool timings;
	const struct dm_guard *guard; /* own networks; may be NULL */
	/* Called about twice a second; non-zero stops the import at the next safe point. */
	int (*progress)(void *ctx, const char *name, uint64_t raw, uint64_t size, uint64_t rows);
	void *ctx;
	const volatile int *stop; /* set by a signal: finish at the next safe point */
};

enum dm_intake_state {
	DM_INTAKE_NEW,	   /* imported */
	DM_INTAKE_GREW,	   /* a known file: what is new was imported */
	DM_INTAKE_KNOWN,   /* the same bytes as before: nothing changed */
	DM_INTAKE_CHECKED, /* only validated */
};

#define DM_INTAKE_NOTES 16

struct dm_intake_result {
	enum dm_intake_state state;
	int64_t import;	 /* its number; of the earlier one where KNOWN */
	char format[64]; /* name of the importer */
	char title[96];	 /* for people */
	uint64_t rows, skipped, indicators, warnings, unusable;
	uint64_t by_kind[DM_KINDS];
	uint64_t flagged; /* indicators with any flag */
	uint64_t bytes;
	uint64_t sampling, dropped;
	int64_t first, last;
	bool warninglist;
	bool interrupted;      /* stopped on request: what was committed stays */
	uint64_t skip_line[5]; /* the first few, to show */
	char skip_reason[5][200];
	unsigned n_skips;
	char note[DM_INTAKE_NOTES][200];
	unsigned n_notes;
	int code; /* why the input ended early, with err; the rows before that are in */
	struct dm_err err;
};

/* Imports descriptor fd, known to people as `name`. Pipes are spooled first. 0 if the input was taken as far
 * as it goes (look at ret->code), else the failure; nothing half-done remains. */
int dm_intake(struct dm_store *store, int fd, const char *name, const struct dm_intake_options *opt,
	      struct dm_intake_result *ret, struct dm_err *err);
/* Reads and validates, stores nothing. */
int dm_intake_check(int fd, const char *name, const struct dm_intake_options *opt,
		    struct dm_intake_result *ret, struct dm_err *err);
/* Reads a list of indicators into memory: for `hunt -i`. Rows in it are ignored. */
int dm_intake_set(int fd, const char *name, const struct dm_intake_options *opt, struct dm_set **ret_set,
		  struct dm_intake_result *ret, struct dm_err *err);
/* The node's settings as a guard: own networks. */
int dm_intake_guard(struct dm_store *store, struct dm_guard *ret, struct dm_err *err);

#endif
