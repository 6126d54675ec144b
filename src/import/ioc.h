/* ioc.h: what one token or cell of a list means as an indicator, once it is refanged. */
#ifndef DM_IMPORT_IOC_H
#define DM_IMPORT_IOC_H

#include "model/indicator.h"

enum dm_ioc_verdict {
	DM_IOC_NONE, /* nothing that could be hunted */
	DM_IOC_FILE, /* it reads like the name of a file */
	DM_IOC_FOUND,
};

struct dm_ioc {
	enum dm_indicator_form form;
	enum dm_obs_type type;
	struct dm_sv text; /* part of the token, fit for dm_intel_emit; with `add_scheme`, "http://" is
			      missing in front */
	bool add_scheme;
};

/* Finds out by itself: address, range, block, domain, "*.domain", URL with or without scheme, mail address,
 * digest, ...; a port is dropped. */
enum dm_ioc_verdict dm_ioc_read(struct dm_sv token, struct dm_ioc *ret);
/* The token is said to be of type t (a column or a label says so). Kinds that no guess would find (file
 * names, mutexes, ...) are taken at their word; an address in a column of domains, a domain in one of URLs
 * are what they are. */
enum dm_ioc_verdict dm_ioc_read_as(struct dm_sv token, enum dm_obs_type t, struct dm_ioc *ret);
/* Without quotes, brackets and punctuation around it. */
struct dm_sv dm_ioc_trim(struct dm_sv s);
/* Whether the last label of a name in running prose is likely one: two letters, or a common top-level domain.
 */
bool dm_ioc_known_tld(struct dm_sv label);

#endif
