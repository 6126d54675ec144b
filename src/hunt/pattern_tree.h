/* pattern_tree.h: the tree of a parsed STIX pattern, shared by the files pattern_*.c and by nobody else.
 *
 * Everything hangs in the arena of the pattern and is never changed after the parse, so that threads may
 * share it. AND, OR and FOLLOWEDBY are lists, not pairs: a long OR is one node, and only parentheses nest
 * (DM_MAX_DEPTH deep).
 */
#ifndef DM_HUNT_PATTERN_TREE_H
#define DM_HUNT_PATTERN_TREE_H

#include "base/alloc.h"
#include "hunt/pattern.h"
#include "hunt/regex.h"
#include "model/observable.h"

/* --- tokens --------------------------------------------------------------------------------------------- */

enum dm_token_type {
	DM_TOK_END,
	DM_TOK_INT,
	DM_TOK_FLOAT,
	DM_TOK_STRING,
	DM_TOK_HEX,
	DM_TOK_BINARY,
	DM_TOK_TIME,
	DM_TOK_TRUE,
	DM_TOK_FALSE,
	DM_TOK_AND,
	DM_TOK_OR,
	DM_TOK_NOT,
	DM_TOK_FOLLOWEDBY,
	DM_TOK_LIKE,
	DM_TOK_MATCHES,
	DM_TOK_ISSUBSET,
	DM_TOK_ISSUPERSET,
	DM_TOK_EXISTS,
	DM_TOK_LAST, /* reserved, without a use */
	DM_TOK_IN,
	DM_TOK_START,
	DM_TOK_STOP,
	DM_TOK_SECONDS,
	DM_TOK_WITHIN,
	DM_TOK_REPEATS,
	DM_TOK_TIMES,
	DM_TOK_NAME,   /* letters, digits, underscore */
	DM_TOK_HYPHEN, /* the same with hyphens: an object type */
	DM_TOK_EQ,
	DM_TOK_NEQ,
	DM_TOK_LT,
	DM_TOK_LE,
	DM_TOK_GT,
	DM_TOK_GE,
	DM_TOK_COLON,
	DM_TOK_DOT,
	DM_TOK_COMMA,
	DM_TOK_RPAREN,
	DM_TOK_LPAREN,
	DM_TOK_RBRACK,
	DM_TOK_LBRACK,
	DM_TOK_STAR,
};

struct dm_token {
	enum dm_token_type type;
	struct dm_sv text; /* as written; constants without prefix and quotes */
	size_t at;	   /* byte in the pattern */
};

struct dm_lexer {
	struct dm_sv text;
	size_t at;
};

/* The next token. DM_EFORMAT with offset and reason where no token can start. */
int dm_pattern_lex(struct dm_lexer *lx, struct dm_token *ret, struct dm_err *err);
/* Fill err with the byte in the pattern. Returns DM_EFORMAT. */
int dm_pattern_bad(struct dm_err *err, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* --- constants and paths -------------------------------------------------------------------------------- */

enum dm_const_type { DM_CONST_NUMBER, DM_CONST_STRING, DM_CONST_BOOL, DM_CONST_BINARY, DM_CONST_TIME };

/* A spelling of a string constant in the canonical form of one observable type: for evidence of our own,
 * which holds canonical values. */
struct dm_canon {
	enum dm_obs_type type;
	struct dm_sv text;
};

struct dm_const {
	enum dm_const_type type;
	bool integer;	     /* NUMBER without a fraction */
	bool truth;	     /* BOOL */
	int64_t time;	     /* TIME: us */
	struct dm_sv text;   /* NUMBER as written; STRING decoded; BINARY the octets */
	struct dm_sv octets; /* STRING: one octet a code point, if all are below U+0100 (s.9.6.4); else p ==
				NULL */
	struct dm_ip first, last; /* ISSUBSET, ISSUPERSET */
	const struct dm_canon *canon;
	uint32_t n_canon;
};

enum dm_step_kind { DM_STEP_KEY, DM_STEP_INDEX, DM_STEP_STAR };

struct dm_step {
	enum dm_step_kind kind;
	struct dm_sv key;
	uint64_t index; /* UINT64_MAX for a negative one: no list has it */
	bool ref, refs; /* key ends in _ref, _refs: what it names is put in its place (s.9.7) */
	bool hex, bin;	/* key ends in _hex, _bin: a string is decoded to octets (s.9.6.4) */
	bool hashes;	/* the key behind `hashes`: compared without case and hyphens if it is not there as
			   written */
};

enum dm_test_op {
	DM_TEST_EQ,
	DM_TEST_NEQ,
	DM_TEST_LT,
	DM_TEST_LE,
	DM_TEST_GT,
	DM_TEST_GE,
	DM_TEST_IN,
	DM_TEST_LIKE,
	DM_TEST_MATCHES,
	DM_TEST_ISSUBSET,
	DM_TEST_ISSUPERSET,
	DM_TEST_EXISTS,
};

struct dm_test {
	enum dm_test_op op;
	bool negated;
	size_t at; /* byte in the pattern, for messages */
	struct dm_sv object;
	const struct dm_step *step;
	uint32_t n_step;
	struct dm_const *value; /* one, or the members of IN (sorted if they are strings) */
	uint32_t n_value;
	struct dm_sv *canon; /* IN of strings: all canonical forms of the members, sorted */
	uint32_t n_canon;
	struct dm_regex *regex; /* MATCHES: for text */
	struct dm_regex
		*regex_octets; /* MATCHES: for binary properties; NULL if the constant does not fit octets */
	struct dm_sv like;     /* LIKE: the constant, NFC */
};

enum dm_cmp_kind { DM_CMP_AND, DM_CMP_OR, DM_CMP_TEST };

struct dm_cmp {
	enum dm_cmp_kind kind;
	uint32_t n;
	struct dm_cmp **kid;
	struct dm_test *test;
};

/* --- observation expressions ---------------------------------------------------------------------------- */

enum dm_obs_kind {
	DM_OBSX_BRACKET,
	DM_OBSX_AND,
	DM_OBSX_OR,
	DM_OBSX_FOLLOWEDBY,
	DM_OBSX_WITHIN,
	DM_OBSX_REPEATS,
	DM_OBSX_STARTSTOP,
};

struct dm_obsx {
	enum dm_obs_kind kind;
	uint32_t n;
	struct dm_obsx **kid; /* qualifiers have one */
	uint32_t bracket;     /* BRACKET */
	uint64_t times;	      /* REPEATS; UINT64_MAX: more than that */
	int64_t span;	      /* WITHIN: us */
	int64_t start, stop;  /* STARTSTOP: us, stop not included */
};

struct dm_pattern {
	struct dm_arena arena;
	struct dm_sv text;
	struct dm_obsx *root;
	struct dm_cmp **bracket;
	uint32_t n_brackets;
	const struct dm_atom **atoms; /* of each bracket */
	struct dm_regex **regexes;    /* all that tests point to */
	uint32_t n_regexes;
	size_t cap_regexes;
	char note[200]; /* why it can never match, or another remark; "" */
};

/* Checks and prepares what the grammar can't say: constants against operator and path, regular expressions,
 * canonical forms. pattern_check.c */
int dm_pattern_check_test(struct dm_pattern *p, struct dm_test *t, struct dm_err *err);
/* Makes one IN of the equalities of an OR that look at the same path for strings: lists of a thousand values
 * are common, and are then looked up instead of tried. */
int dm_pattern_merge_or(struct dm_pattern *p, struct dm_cmp *c, struct dm_err *err);
/* Remarks about the whole: AND over object types that no one object has, windows that end before they start.
 */
void dm_pattern_remark(struct dm_pattern *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool dm_pattern_cmp_satisfiable(const struct dm_cmp *c);

/* What dm_pattern_candidates gives, worked out once. False when out of memory. pattern_atoms.c */
bool dm_pattern_prepare_atoms(struct dm_pattern *p);

/* A property value of an object, in its native format (s.9.6.4). pattern_value.c */
struct dm_operand {
	const struct dm_json_node *node;
	bool binary; /* octets holds the decoded value */
	struct dm_sv octets;
};

/* What one evaluation of a bracket carries along. */
struct dm_match_ctx {
	const struct dm_pattern *p;
	const struct dm_observation *o;
	struct dm_budget *budget;
	struct dm_err *err;
	struct dm_arena scratch;
	struct dm_regex_scratch *regex_scratch;
};

/* Charge n steps. DM_ELIMIT when they are not there. */
int dm_pattern_charge(struct dm_budget *budget, uint64_t n, struct dm_err *err);
/* Whether the test holds for this value, NOT included. 1, 0 or a negative code. */
int dm_pattern_test_value(struct dm_match_ctx *m, const struct dm_test *t, const struct dm_operand *v);
/* Exact comparison of two decimal numbers as JSON and patterns write them: -1, 0, 1. */
int dm_number_cmp(struct dm_sv a, struct dm_sv b);
/* A STIX timestamp (RFC 3339 with Z or an offset, seconds required). */
bool dm_stix_time(struct dm_sv s, int64_t *ret);
/* Base64 (RFC 4648 s.4) with padding; line feeds inside are ignored. *ret in the arena. False if it is none
 * or (p NULL) memory is short. */
bool dm_base64_decode(struct dm_arena *arena, struct dm_sv s, struct dm_sv *ret);
/* Octets of a text whose code points are all below U+0100; false if one is not. */
bool dm_latin1_octets(struct dm_arena *arena, struct dm_sv s, struct dm_sv *ret);
/* "sha-256" and "SHA_256" give DM_OBS_SHA256; DM_OBS_NONE if it is no algorithm of ours. */
enum dm_obs_type dm_hash_name(struct dm_sv key);
/* A hash name in upper case without '-' and '_'. Returns its length, 0 if it does not fit. */
size_t dm_hash_fold(struct dm_sv key, char out[32]);

#endif
