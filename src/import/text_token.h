/* text_token.h: a refanged line of a report as tokens: runs that can be a value, URLs whole. */
#ifndef DM_IMPORT_TEXT_TOKEN_H
#define DM_IMPORT_TEXT_TOKEN_H

#include "import/ioc.h"

/* The next token of `line` from *at on; *at is moved behind it. False at the end. */
bool dm_text_token_next(struct dm_sv line, size_t *at, struct dm_sv *ret);
/* What the token says; looks behind a "name:" in front, into "\\host\share", and past glued letters of other
 * scripts. `hint` is the type that the words before the token name, or NONE; a name in the token itself
 * overrides it. */
enum dm_ioc_verdict dm_text_token_read(struct dm_sv token, enum dm_obs_type hint, struct dm_ioc *ret);
/* The type that the words in front of a digest name: ja3, ja3s, the digest of a certificate; *ret_other is
 * set where it is one that cannot be hunted (imphash and its like). */
enum dm_obs_type dm_text_digest_hint(struct dm_sv before, bool *ret_other);
/* Whether a dotted quad behind `before` may be a version number. */
bool dm_text_version_before(struct dm_sv before);
/* Whether the line is a field of a mail header that names relays and identifiers rather than an attacker. */
bool dm_text_mail_header(struct dm_sv line);
/* Whether the token has a letter in it: a word rather than a number or a dash. */
bool dm_text_is_word(struct dm_sv token);

#endif
