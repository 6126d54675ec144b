/* observation_build.h: makes JSON nodes one after the other, and objects that are named by their value. For
 * observation*.c only. */
#ifndef DM_HUNT_OBSERVATION_BUILD_H
#define DM_HUNT_OBSERVATION_BUILD_H

#include "hunt/observation.h"

#define DM_BUILD_DEPTH 8

/* Something a row names, and the id of the object that stands for it: each value is one object, however often
 * the row has it. */
struct dm_named {
	enum dm_obs_type type;
	struct dm_sv text;
	struct dm_sv id;
};

struct dm_build {
	struct dm_observed_graph *g;
	const struct dm_record *r;
	struct dm_named *named;
	size_t cap_named;
	uint32_t n_named, next_id;
	uint32_t open[DM_BUILD_DEPTH], depth; /* nodes not yet closed */
	int code;			      /* sticky: DM_ENOMEM */
};

/* An object of the graph, up to dm_build_end. Returns its id. */
struct dm_sv dm_build_object(struct dm_build *b, const char *type);
void dm_build_object_id(struct dm_build *b, const char *type, struct dm_sv id);
/* Members; with key "" elements of an array. Nothing is added for an empty text. */
void dm_build_open(struct dm_build *b, const char *key, bool array);
void dm_build_end(struct dm_build *b);
void dm_build_text(struct dm_build *b, const char *key, struct dm_sv s);
void dm_build_int(struct dm_build *b, const char *key, int64_t v);
void dm_build_bool(struct dm_build *b, const char *key, bool v);
void dm_build_time(struct dm_build *b, const char *key, int64_t us);
/* The id of the object for a value; a new id if the row has not named it before. Empty if out of memory. */
struct dm_sv dm_build_name(struct dm_build *b, enum dm_obs_type type, struct dm_sv text);
struct dm_sv dm_build_name_ip(struct dm_build *b, const struct dm_ip *ip);
/* A copy that lives as long as the graph. */
struct dm_sv dm_build_keep(struct dm_build *b, struct dm_sv s);

/* First value of a field; NULL if the row has none. */
const struct dm_value *dm_build_row_value(const struct dm_record *r, enum dm_field f);
struct dm_sv dm_build_row_text(const struct dm_record *r, enum dm_field f);
int64_t dm_build_row_int(const struct dm_record *r, enum dm_field f); /* DM_NO_INT */

/* network-traffic in its variants. observation_traffic.c */
void dm_build_traffic(struct dm_build *b);

#endif
