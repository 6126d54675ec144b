/* json_internal.h: what the files of the JSON reader share; nobody else includes it. */
#ifndef DM_BASE_JSON_INTERNAL_H
#define DM_BASE_JSON_INTERNAL_H

#include "base/json.h"

/* json_module.c: simdjson's indexer, loaded once a process. */
struct dm_json_module {
	void *(*create)(void);
	void (*destroy)(void *);
	int (*index)(void *, const uint8_t *text, size_t n, const uint32_t **ret, uint32_t *ret_n);
	const char *(*text)(int);
};
int dm_json_module(const struct dm_json_module **ret, struct dm_err *err);

/* The working memory behind dm_json.parser; reused from document to document. */
struct dm_json_reader {
	void *indexer;
	char *text; /* our copy of the document: strings are decoded in it; 64 zero bytes behind */
	size_t text_cap;
	uint32_t *table; /* hash table of the keys of one large object: node index, 0 = free (node 0 is
			    nobody's member) */
	size_t table_cap;
};

#define DM_JSON_PAD 64u

/* json_tree.c: nodes from the copy and its index. DM_OK; DM_EFORMAT or DM_ELIMIT with *ret_at the offset of
 * the fault (and *ret_key the node whose key is double, else 0); DM_ENOMEM. */
int dm_json_tree(struct dm_json *doc, struct dm_json_reader *r, size_t n, const uint32_t *index,
		 uint32_t index_n, size_t *ret_at, uint32_t *ret_key);
/* The first member of object `obj` whose key stands twice, 0 if none; DM_ENOMEM. Linear in the length of the
 * keys. */
int dm_json_duplicate(const struct dm_json *doc, uint32_t obj, uint32_t **table, size_t *table_cap,
		      uint32_t *ret);
/* Decodes the escape at p, behind the backslash, with n bytes left: up to 4 bytes of UTF-8 to *w, which
 * advances. Bytes used, 0 if invalid. */
size_t dm_json_unescape(const char *p, size_t n, char **w);

/* json_scan.c: the strict reader that explains. DM_OK if text is well-formed (duplicate keys aside), else
 * DM_EFORMAT or DM_ELIMIT and the first fault in err. */
int dm_json_scan(struct dm_sv text, struct dm_err *err);
/* Report a fault at a byte of text: line and offset. */
int dm_json_fault(struct dm_err *err, int code, struct dm_sv text, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static inline size_t dm_json_bom(struct dm_sv text)
{
	return text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3) ? 3 : 0;
}

#endif
