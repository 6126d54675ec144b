/* set.h: a set of indicators, sorted, as a file or in memory: what a hunt is made with.
 *
 * A key (observable) points at one or more records; a record may have several keys (a pattern that is a list
 * of values). Ranges of addresses, domain suffixes and patterns are lists of their own. Files are immutable;
 * a reader trusts them no more than a segment. A handle belongs to one thread.
 */
#ifndef DM_HUNT_SET_H
#define DM_HUNT_SET_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "evidence/strings.h"
#include "model/indicator.h"

struct dm_set_type {
	enum dm_obs_type type;
	uint32_t n, refs; /* distinct keys; references to records */
	uint32_t width;	  /* bytes of a key; 0: strings */
	const uint8_t *keys;
	struct dm_strings strings;
	const uint8_t *first; /* u32[n + 1]: references of key i; NULL: reference i belongs to key i */
	const uint8_t *ref;   /* u32[refs]: record */
};

struct dm_set {
	struct dm_map map;
	struct dm_buf own; /* in memory: the bytes */
	uint32_t n_records, n_types, n_ranges, n_suffixes, n_patterns, n_unusable;
	struct dm_set_type type[DM_OBS_TYPES];
	const uint8_t *ranges;	    /* n x {first 16, last 16, u32 record}, ascending by first */
	struct dm_strings suffixes; /* keys of domains */
	const uint8_t *suffix_ref;  /* u32 record each */
	const uint8_t *patterns;    /* u32 record each: the text is the record's value */
	const uint8_t *record_at;   /* u32 offset each */
	const uint8_t *records;
	size_t records_n;
	struct dm_strings texts; /* sources, labels, markings that recur */
	int64_t import;		 /* number of the import it came with; 0: from the command line */
	char name[256];		 /* of that import, for people */
	int64_t reported;	 /* for the caller: imports up to here have been shown */
	bool borrowed;		 /* a clone */
};

struct dm_set_builder;
int dm_set_builder_new(struct dm_set_builder **ret);
void dm_set_builder_free(struct dm_set_builder *b);
/* Takes a copy. A pattern that is a list of values is stored as its values; one that can't be parsed is kept
 * as unusable, with the reason as its label. */
int dm_set_add(struct dm_set_builder *b, const struct dm_indicator *ind, struct dm_err *err);
uint32_t dm_set_builder_count(const struct dm_set_builder *b);
/* Sorts and packs; the builder is empty afterwards. */
int dm_set_pack(struct dm_set_builder *b, struct dm_buf *ret, struct dm_err *err);

/* The dictionary that answers a plain comparison on this object path exactly; DM_OBS_NONE if none does. */
enum dm_obs_type dm_set_plain_type(struct dm_sv object, struct dm_sv path);

int dm_set_open(struct dm_set **ret, int dirfd, const char *name, uint64_t size, struct dm_err *err);
/* Takes the bytes over. */
int dm_set_open_bytes(struct dm_set **ret, struct dm_buf *bytes, struct dm_err *err);
void dm_set_close(struct dm_set *s);
/* DM_ECORRUPT if a part that was read is not to be trusted. */
int dm_set_sound(const struct dm_set *s, struct dm_err *err);
/* A handle of one's own for another thread; the bytes stay those of `s`, which must outlive it. */
int dm_set_clone(struct dm_set **ret, const struct dm_set *s);

/* Record i: views into the set. `value` is empty where it is that of the one key that points here. */
int dm_set_record(struct dm_set *s, uint32_t i, struct dm_indicator *ret);
/* Only what a quick look needs, without memory: flags, line, validity. */
struct dm_set_brief {
	uint32_t flags;
	uint64_t line;
	int64_t valid_from, valid_until;
	uint8_t type, form;
};
int dm_set_brief(struct dm_set *s, uint32_t i, struct dm_set_brief *ret);

static inline uint32_t dm_set_u32(const uint8_t *p, uint32_t i)
{
	uint32_t v;
	memcpy(&v, p + (size_t)i * 4, 4);
	return v;
}
/* Whether a value is in the set: as a key, in a range of addresses, at or below a suffix. */
bool dm_set_holds(struct dm_set *s, enum dm_obs_type t, struct dm_sv key);
struct dm_sv dm_set_key(struct dm_set_type *t, uint32_t i);
/* References of key i: from dm_set_ref(t, first) on. */
static inline uint32_t dm_set_refs(const struct dm_set_type *t, uint32_t i, uint32_t *ret_first)
{
	uint32_t from = t->first ? dm_set_u32(t->first, i) : i,
		 to = t->first ? dm_set_u32(t->first, i + 1) : i + 1;

	*ret_first = from;
	return to < from || to > t->refs ? 0 : to - from;
}

#endif
