/* jwalk.h: walks one level of a JSON text without parsing what lies below it.
 *
 * Bundles and events of hundreds of megabytes are cut into members and elements here; each piece is then read
 * by dm_json_parse, which checks it whole. The walker itself looks at quotes and brackets only, knows line
 * and offset, and is bounded by its text. All views point into the text that was given.
 */
#ifndef DM_IMPORT_JWALK_H
#define DM_IMPORT_JWALK_H

#include "base/err.h"
#include "base/stream.h"
#include "base/sv.h"

struct dm_jwalk {
	struct dm_sv text; /* from the opening bracket on; may go on behind the closing one */
	size_t at;	   /* next byte; behind the closing bracket once the end is reached */
	uint64_t offset;   /* of text.p in the document, for messages */
	uint64_t line;	   /* of text.p[at] */
	bool object;	   /* members, else elements */
	bool begun;
};

struct dm_jitem {
	struct dm_sv key; /* member name as written, without quotes and still escaped; p == NULL in arrays */
	struct dm_sv value; /* as written */
	uint64_t line;	    /* of the value's first byte */
	bool cut;	    /* the text ended within the value: all there is of it */
};

/* `text` may start with white space and a byte order mark; `line` and `offset` are those of its first byte in
 * the document. DM_EFORMAT if no object or array starts there. */
int dm_jwalk_open(struct dm_jwalk *w, struct dm_sv text, uint64_t line, uint64_t offset, struct dm_err *err);
/* The next member or element; DM_ENOENT at the closing bracket, DM_EFORMAT with line and offset for anything
 * else. If the text ends within a value, DM_EFORMAT is returned and `ret` still gets that value, marked cut.
 */
int dm_jwalk_next(struct dm_jwalk *w, struct dm_jitem *ret, struct dm_err *err);
/* Whether a member name, escapes resolved, is `name` (ASCII). */
bool dm_jwalk_is(struct dm_sv key, const char *name);
/* First byte of the value: '{', '[', '"', or what starts a scalar; 0 if empty. */
static inline char dm_jitem_kind(const struct dm_jitem *i)
{
	return i->value.n ? i->value.p[0] : 0;
}
/* Skip white space; false at the end of the text. */
bool dm_jwalk_space(struct dm_sv text, size_t *at, uint64_t *line);

/* The top-level members of the first object in `head`, the start of a file that may be cut anywhere: what
 * importers tell their formats apart by. In an array it is the array's first element. */
#define DM_JHEAD_KEYS 48
struct dm_jhead {
	unsigned count;
	struct dm_jitem member[DM_JHEAD_KEYS];
	bool array; /* an array stands around the object */
};
/* False if `head` does not start with a JSON object or an array of objects. */
bool dm_jhead_read(struct dm_jhead *h, struct dm_sv head);
/* The value of a member as written; p == NULL if there is none. */
struct dm_sv dm_jhead_get(const struct dm_jhead *h, const char *name);
/* The text of a string member without its quotes, escapes not resolved; empty if none. */
struct dm_sv dm_jhead_str(const struct dm_jhead *h, const char *name);

/* Reads the whole input into one block, at most DM_MAX_DOCUMENT bytes. If reading fails on the way, *ret and
 * *ret_n get what came before and the code says why it stopped: what could be read is used all the same.
 * dm_free the block. */
int dm_document_read(struct dm_stream *s, char **ret, size_t *ret_n, struct dm_err *err);

#endif
