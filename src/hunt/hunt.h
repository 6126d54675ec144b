/* hunt.h: indicators against evidence: which were seen, how often, when, in which rows, and what could not be
 * tested.
 *
 * A hunt reads a snapshot; it changes nothing. dm_hunt_match answers from the store-wide dictionary alone.
 * Rows and exact counts open only the segments that hold a hit, in threads, and come out in order of time.
 */
#ifndef DM_HUNT_HUNT_H
#define DM_HUNT_HUNT_H

#include "evidence/store.h"
#include "hunt/set.h"

struct dm_hunt_options {
	int64_t since, until;	/* rows in [since, until); DM_NO_TIME: open */
	bool subdomains;	/* a domain also stands for the names below it */
	uint32_t types;		/* bit t set: indicators of type t; 0: all */
	unsigned threads;	/* 0: as many as there are processors */
	int64_t import_from;	/* only what imports from this number on brought, if not yet merged; 0: all */
	uint64_t pattern_steps; /* 0: DM_PATTERN_STEPS */
};

/* An indicator that was hit. */
struct dm_hunt_ref {
	uint32_t set, record;
	enum dm_obs_type type; /* of the first value found: what it is, for lists of values */
	uint32_t value;	       /* number of the first value found */
	uint32_t n_values;     /* distinct values found for it */
	uint64_t count;	       /* rows; exact after dm_hunt_count */
	const char *warning;   /* name of a warning list that holds what was found, NULL: none */
	int64_t first, last;
};

/* An observable of the evidence that some indicator names. */
struct dm_hunt_value {
	enum dm_obs_type type;
	struct dm_sv key;
	uint64_t count;
	int64_t first, last;
	uint32_t first_link, n_links; /* in links: numbers of refs */
};

/* A row that a pattern matched, exactly evaluated: place of the segment in the snapshot. */
struct dm_hunt_pattern_row {
	uint32_t segment, row, ref;
};

#define DM_HUNT_NO_VALUE UINT32_MAX /* in place of a value: the hit is that of a pattern */

struct dm_hunt_cell_hit {
	uint32_t cell, value;
};

struct dm_hunt {
	struct dm_store *store;
	struct dm_snapshot snap;
	struct dm_hunt_options opt;
	struct dm_run **run;
	size_t n_runs;
	struct dm_set **set;
	size_t n_sets, sets_cap;
	struct dm_arena arena;
	char *keys; /* room for keys of values, in the arena */
	size_t keys_left;
	struct dm_hunt_ref *ref;
	size_t n_refs, refs_cap;
	uint32_t **ref_of; /* per set: record -> ref + 1, made when first needed */
	struct dm_hunt_value *value;
	size_t n_values, values_cap;
	uint32_t *link;
	size_t n_links, links_cap;
	struct dm_cell *cell; /* all cells of all runs, ascending */
	size_t n_cells;
	struct dm_hunt_cell_hit *hit; /* ascending by cell, then value */
	size_t n_hits, hits_cap;
	struct dm_hunt_pattern_row *pattern_row; /* ascending by segment, then row */
	size_t n_pattern_rows, pattern_rows_cap;
	uint64_t patterns_stopped; /* patterns that used up their step budget: their answer is not complete */
	bool by_rows; /* counts must be taken from rows: a window, or several values of one indicator */
};

/* Takes a snapshot of the store and opens the runs. The store must outlive the hunt. */
int dm_hunt_new(struct dm_hunt **ret, struct dm_store *s, const struct dm_hunt_options *opt,
		struct dm_err *err);
void dm_hunt_free(struct dm_hunt *h);
/* The hunt owns the set from here on. */
int dm_hunt_add_set(struct dm_hunt *h, struct dm_set *set);
/* All indicator sets of the node that are no warning lists. */
int dm_hunt_add_node_sets(struct dm_hunt *h, struct dm_err *err);

/* Finds all values, indicators and cells. */
int dm_hunt_match(struct dm_hunt *h, struct dm_err *err);
/* Evaluates the patterns that are more than lists of values, candidates by the index; after dm_hunt_match. */
int dm_hunt_patterns(struct dm_hunt *h, struct dm_err *err);
/* Keeps only the indicators for which `keep` says so; between match and anything else. */
int dm_hunt_filter(struct dm_hunt *h,
		   bool (*keep)(void *ctx, const struct dm_hunt_ref *r, const struct dm_indicator *ind),
		   void *ctx, struct dm_err *err);
/* Notes for every indicator that was hit which warning list of the node holds what was found. */
int dm_hunt_warnings(struct dm_hunt *h, struct dm_err *err);
/* Makes count, first and last of every ref exact (cheap where dm_hunt_match has them already). */
int dm_hunt_count(struct dm_hunt *h, struct dm_err *err);

/* One (row, indicator, field). Views live during the call only. */
struct dm_hunt_row {
	struct dm_segment *segment;
	uint32_t row;
	uint16_t field;
	uint32_t value, ref;
	int64_t time;
	uint16_t segment_no;
};
struct dm_hunt_rows {
	/* In a thread: formats rows [0, n), ascending by time, into `out`. `thread` counts from 0. */
	int (*format)(void *ctx, unsigned thread, const struct dm_hunt_row *row, size_t n,
		      struct dm_buf *out);
	/* In the caller's order: takes what was formatted. */
	int (*write)(void *ctx, const struct dm_buf *out);
	void *ctx;
};
/* All rows, day by day. Stops at the first failure of either function. */
int dm_hunt_rows(struct dm_hunt *h, const struct dm_hunt_rows *to, struct dm_err *err);
unsigned dm_hunt_threads(const struct dm_hunt *h);

/* What could be tested at all: indicators by type, and whether the evidence holds any value of that type. */
struct dm_hunt_coverage {
	uint64_t indicators, tested, unusable, patterns;
	uint64_t by_type[DM_OBS_TYPES]; /* indicators of each type */
	bool seen_type[DM_OBS_TYPES];	/* the evidence has values of it */
};
void dm_hunt_coverage(struct dm_hunt *h, struct dm_hunt_coverage *ret);
/* Which records would carry values of a type: "DNS, HTTP or TLS records". */
const char *dm_hunt_needs(enum dm_obs_type t);

/* The same hits by looking at every row: the check of the index. *ret_differences: (row, field, value) found
 * by one and not by the other. */
int dm_hunt_verify(struct dm_hunt *h, uint64_t *ret_rows, uint64_t *ret_hits, uint64_t *ret_differences,
		   struct dm_err *err);

#endif
