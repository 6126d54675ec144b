/* regex.h: Perl-compatible regular expressions with limits, over the PCRE2 library, which is loaded at the
 * first use: commands without a MATCHES start without it. A compiled expression is immutable and may be
 * shared between threads; a scratch belongs to one thread.
 */
#ifndef DM_HUNT_REGEX_H
#define DM_HUNT_REGEX_H

#include "base/err.h"
#include "base/sv.h"

struct dm_regex;
struct dm_regex_scratch;

/* Loads the library, so that a process may confine itself afterwards. DM_EUNSUPPORTED if it is missing. */
int dm_regex_preload(struct dm_err *err);
/* STIX 2.1 s.9.6.1: search, not match; DOTALL. octets: over bytes, without UTF; otherwise over valid UTF-8
 * with Unicode classes. DM_EFORMAT with the reason; *ret_at is then the byte in `pattern`. */
int dm_regex_compile(struct dm_regex **ret, struct dm_sv pattern, bool octets, size_t *ret_at,
		     struct dm_err *err);
void dm_regex_free(struct dm_regex *re); /* NULL is fine */
/* 1 found, 0 not found, DM_ELIMIT when DM_REGEX_MATCH or DM_REGEX_HEAP_KIB is reached, DM_ENOMEM. *scratch is
 * made at the first use. *ret_cost: steps to charge. */
int dm_regex_search(const struct dm_regex *re, struct dm_sv subject, struct dm_regex_scratch **scratch,
		    uint64_t *ret_cost, struct dm_err *err);
void dm_regex_scratch_free(struct dm_regex_scratch *s); /* NULL is fine */

#endif
