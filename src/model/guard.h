/* guard.h: which indicators should make one think before acting on them. Flags only: a flagged indicator is
 * hunted and marked, never blocked.
 *
 * The guard owns the list of own networks; everything else it knows by itself. Not thread-safe while
 * dm_guard_own is called, read-only afterwards.
 */
#ifndef DM_MODEL_GUARD_H
#define DM_MODEL_GUARD_H

#include "base/err.h"
#include "model/indicator.h"

struct dm_ip_span {
	struct dm_ip first, last;
};

/* Zero-initialised is a guard without own networks. */
struct dm_guard {
	struct dm_ip_span *own; /* ascending, disjoint */
	size_t n, cap;
};

void dm_guard_done(struct dm_guard *g);
/* Adds "192.0.2.0/24", "2001:db8::/32", "192.0.2.1-192.0.2.9" or one address to the own networks. DM_EFORMAT,
 * DM_ENOMEM. */
int dm_guard_own(struct dm_guard *g, struct dm_sv range, struct dm_err *err);
/* DM_FLAG_RESERVED, _BROAD, _EMPTY_HASH and _OWN, as they apply to form, type, keys and value of `ind`; g may
 * be NULL. The flags that ind has already are not looked at. URLs and mail addresses are judged by an address
 * in them. */
uint32_t dm_guard_flags(const struct dm_guard *g, const struct dm_indicator *ind);

#endif
