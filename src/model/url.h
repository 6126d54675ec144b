/* url.h: what the other files of model/ need of URLs. */
#ifndef DM_MODEL_URL_H
#define DM_MODEL_URL_H

#include "model/observable.h"

/* Canonical URL, appended. Strict: no blanks or control characters, a host by the rules of names, at most
 * DM_MAX_URL bytes. Lenient: any bytes behind the scheme, hosts as evidence has them. False: not a URL;
 * nothing appended. */
bool dm_url_canonical(struct dm_sv raw, bool lenient, struct dm_buf *out);
/* A host as it stands in a URL or behind an @: a name, an address, "[v6]" or an address in the odd spellings
 * browsers take ("0x7f.1"). */
bool dm_url_put_host(struct dm_sv host, bool lenient, struct dm_buf *out);

#endif
