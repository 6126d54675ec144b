/* pattern.h: STIX patterns (STIX 2.1 s.9): text -> tree -> exact evaluation over observations.
 *
 * An observation is what STIX calls one Observed Data instance: a graph of Cyber-observable Objects with
 * first and last time and a count. The evaluator never sees where it came from: observed-data objects, or a
 * row of our own evidence turned into a graph (observation.h). Every step is charged to a budget, so that no
 * pattern can hang a hunt.
 */
#ifndef DM_HUNT_PATTERN_H
#define DM_HUNT_PATTERN_H

#include "base/err.h"
#include "base/json.h"
#include "base/sv.h"
#include "base/time.h"

struct dm_pattern; /* immutable once parsed; may be shared between threads */

/* DM_EFORMAT: err->offset is the byte in the pattern, err->msg what was expected. DM_ELIMIT: DM_MAX_PATTERN,
 * DM_MAX_PATTERN_NODES. */
int dm_pattern_parse(struct dm_pattern **ret, struct dm_sv text, struct dm_err *err);
void dm_pattern_free(struct dm_pattern *p);
/* A remark for the user about a pattern that is valid but odd ("... can never match: ..."); "" if there is
 * none. */
const char *dm_pattern_note(const struct dm_pattern *p);

/* One observation. Objects are JSON object nodes of one document; references name them by id (2.1) or by key
 * (2.0 `objects` dictionary). */
struct dm_observation {
	int64_t first, last;	  /* us */
	uint64_t number_observed; /* 1 if not given */
	const struct dm_json *doc;
	uint32_t count;		 /* objects */
	const uint32_t *objects; /* node index of each object */
	const struct dm_sv *ids; /* its id (2.1) or key (2.0) */
	bool canonical; /* values are canonical forms of our own evidence: =, != and IN compare canonical
			   forms of the constants too */
};

struct dm_budget {
	uint64_t left; /* steps; 0: spent, evaluation returns DM_ELIMIT */
};

/* The brackets `[...]` of a pattern, numbered from 0 in the order of the text. */
uint32_t dm_pattern_brackets(const struct dm_pattern *p);
/* Does bracket `b` hold for this observation? *ret_match. DM_ELIMIT when the budget is spent. */
int dm_pattern_bracket_matches(const struct dm_pattern *p, uint32_t b, const struct dm_observation *o,
			       struct dm_budget *budget, bool *ret_match, struct dm_err *err);

/* Observation operators and qualifiers over the matches of each bracket. matches[b]: observation numbers
 * (ascending by time), with the times and counts of all observations in obs[]. AND and FOLLOWEDBY bind
 * distinct observations; REPEATS, WITHIN, START-STOP as in s.9.5. *ret_hits: observation numbers of one
 * binding, arena memory, *ret_n = 0 if the pattern does not match. */
struct dm_pattern_event {
	int64_t first, last;
	uint64_t number_observed;
};
int dm_pattern_combine(const struct dm_pattern *p, const struct dm_pattern_event *obs, uint32_t n_obs,
		       const uint32_t *const *matches, const uint32_t *n_matches, struct dm_budget *budget,
		       struct dm_arena *arena, uint32_t **ret_hits, uint32_t *ret_n, struct dm_err *err);

/* All at once over observations in memory: 1 match, 0 none, or a negative code. */
int dm_pattern_match(const struct dm_pattern *p, const struct dm_observation *obs, uint32_t n,
		     struct dm_budget *budget, struct dm_err *err);

/* For the index: what must be found in a row so that bracket b can hold. A tree of AND / OR over atoms. An
 * atom that the index can't answer has op DM_ATOM_ANY: every row that could carry object type `object` is a
 * candidate. Negated comparisons are ANY. */
enum dm_atom_op {
	DM_ATOM_AND,
	DM_ATOM_OR,
	DM_ATOM_ANY,
	DM_ATOM_EQ,
	DM_ATOM_SUBNET,
	DM_ATOM_LIKE,
	DM_ATOM_REGEX
};
struct dm_atom {
	enum dm_atom_op op;
	uint32_t n; /* AND, OR: children */
	const struct dm_atom *const *kid;
	struct dm_sv object; /* object type of the path: "ipv4-addr", "network-traffic", ... */
	struct dm_sv path;   /* the rest of the path: "value", "dst_ref.value", "hashes.'SHA-256'" */
	struct dm_sv value;  /* constant as text */
};
const struct dm_atom *dm_pattern_candidates(const struct dm_pattern *p, uint32_t b);

/* If the whole pattern is one bracket that is an OR of plain equalities (or IN, or ISSUBSET) on values the
 * dictionary holds, it is a list of values: calls `each` with STIX object type, path and constant for every
 * one and returns true; else false without a call. Used to put the usual one-value pattern into the sorted
 * set. */
bool dm_pattern_values(const struct dm_pattern *p,
		       int (*each)(void *ctx, struct dm_sv object, struct dm_sv path, bool subnet,
				   struct dm_sv value),
		       void *ctx);

#endif
