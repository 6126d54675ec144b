/* observed.h: STIX observed-data out of JSON, 2.0 (`objects`) and 2.1 (`object_refs`), one graph at a time.
 *
 * Read are a bundle, an array of bundles or objects, a single object, or any number of these one after the
 * other (JSON Lines). Objects of every type are taken, custom ones too. References may point to any object of
 * the whole text, before or behind. Only an index is kept in memory; a graph is parsed again when it is asked
 * for. What does not parse is counted with its line and reason, and passed over.
 */
#ifndef DM_HUNT_OBSERVED_H
#define DM_HUNT_OBSERVED_H

#include "hunt/pattern.h"

struct dm_observed;

struct dm_observed_item {
	struct dm_sv id;     /* "" if it has none */
	uint64_t line;	     /* where it begins, from 1 */
	int64_t first, last; /* us; DM_NO_TIME if not known */
	uint64_t number_observed;
};

/* A graph and the memory it lives in. Zero-initialised is empty; may be loaded again and again;
 * dm_observed_graph_done in the end. */
struct dm_observed_graph {
	struct dm_observation o;
	struct dm_json doc;
	struct dm_buf text;
	uint32_t *objects;
	struct dm_sv *ids;
	size_t cap_objects, cap_ids;
};

/* `text` must live as long as *ret. DM_EFORMAT if nothing in it could be read, DM_ELIMIT over
 * DM_MAX_DOCUMENT. */
int dm_observed_open(struct dm_observed **ret, struct dm_sv text, struct dm_err *err);
void dm_observed_free(struct dm_observed *o); /* NULL is fine */
uint32_t dm_observed_count(const struct dm_observed *o);
const struct dm_observed_item *dm_observed_item(const struct dm_observed *o, uint32_t i);
/* How many elements were passed over, and why the first was. Older versions and exact copies of an object are
 * not counted. */
uint64_t dm_observed_skipped(const struct dm_observed *o, const char **ret_reason);
/* The objects of item i, with times and number. DM_ELIMIT, DM_EFORMAT: together they are too large or too
 * deep. */
int dm_observed_load(const struct dm_observed *o, uint32_t i, struct dm_observed_graph *g,
		     struct dm_err *err);
/* The objects of a JSON dictionary (id or key -> object) or array (of objects with an id) as a graph; times
 * and number are left to the caller. */
int dm_observed_parse(struct dm_observed_graph *g, struct dm_sv objects, struct dm_err *err);
void dm_observed_graph_done(struct dm_observed_graph *g);

#endif
