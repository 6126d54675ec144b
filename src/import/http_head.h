/* http_head.h: the header section of an HTTP/1 message as views into its text (RFC 9112 s.2 to s.5). Nothing
 * is copied. */
#ifndef DM_IMPORT_HTTP_HEAD_H
#define DM_IMPORT_HTTP_HEAD_H

#include "base/sv.h"

struct dm_http_head {
	bool response;
	struct dm_sv method, target; /* request */
	struct dm_sv version;	     /* "1.1"; empty: HTTP/0.9 */
	int status;		     /* response */
	struct dm_sv phrase;
	struct dm_sv fields; /* the lines behind the first */
	struct dm_sv rest;   /* for dm_http_head_next */
};

/* Length of the header section at p with the empty line that ends it, 0 if it is not all there. The first
 * `seen` bytes were looked at before. A first line without a version ends the section itself (HTTP/0.9). */
size_t dm_http_head_end(const uint8_t *p, size_t n, size_t seen);
/* False if the first line is neither a request nor a status line. */
bool dm_http_head_open(struct dm_http_head *h, struct dm_sv text);
/* Value of the first field of that name (lower case), folded lines not joined; empty if there is none. */
struct dm_sv dm_http_head_get(const struct dm_http_head *h, const char *name);
/* All fields in order; false at the end. */
bool dm_http_head_next(struct dm_http_head *h, struct dm_sv *name, struct dm_sv *value);
/* A media type without its parameters. */
struct dm_sv dm_http_mime(struct dm_sv content_type);

#endif
