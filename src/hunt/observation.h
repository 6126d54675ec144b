/* observation.h: a row of our evidence as an observation of STIX objects, built as nodes without a detour
 * through text.
 *
 * Which objects and references a row of each kind gives is fixed and written down in
 * docs/formats/observations.md; patterns and the index rely on it.
 */
#ifndef DM_HUNT_OBSERVATION_H
#define DM_HUNT_OBSERVATION_H

#include "hunt/observed.h"
#include "model/record.h"

/* Fills g (reused from row to row; dm_observed_graph_done in the end) with views into r, which must stay as
 * it is while g->o is used. An observed-data row gives its stored objects. DM_ENOMEM; DM_EFORMAT if stored
 * objects are no JSON. */
int dm_observation_from_record(struct dm_observed_graph *g, const struct dm_record *r, struct dm_err *err);

#endif
