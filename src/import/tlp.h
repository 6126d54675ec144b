/* tlp.h: sharing marks as they stand in STIX and MISP: which mean what, and which of several restricts most.
 *
 * A mark that cannot be resolved outranks every one that can: whoever decides about sharing must not take it
 * for something harmless.
 */
#ifndef DM_IMPORT_TLP_H
#define DM_IMPORT_TLP_H

#include "base/sv.h"

struct dm_marking {
	int rank;	/* 0: nothing found yet */
	char text[160]; /* "TLP:AMBER", as found; NUL-terminated, cut if longer */
};

/* TLP of a marking-definition id that the standards fix (STIX 2.1 s.7.2.1.4 for TLP 1.0, OASIS TLP 2.0
 * extension, and OpenCTI's own AMBER+STRICT); NULL for any other. Only the id counts: the name and body of a
 * definition can say anything. */
const char *dm_tlp_of_id(struct dm_sv marking_id);
/* Take a label into account: "TLP:AMBER", "tlp:amber+strict". Text that is no such label is taken as an
 * unresolvable mark. */
void dm_marking_label(struct dm_marking *m, struct dm_sv label);
/* Take a mark into account that says nothing that we know: `what` is its id or name. */
void dm_marking_unresolved(struct dm_marking *m, struct dm_sv what);
static inline struct dm_sv dm_marking_text(const struct dm_marking *m)
{
	return dm_sv_str(m->text);
}

#endif
