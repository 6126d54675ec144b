/* json.h: JSON and YAML documents as one flat array of nodes.
 *
 * The reader wants one whole document (one line of a log, one element of a bundle). It refuses duplicate keys
 * (two readers would see two markings), invalid UTF-8, depth over DM_MAX_DEPTH and more than DM_MAX_NODES
 * values, and says line and byte of a fault. Nodes are in document order: the children of node i start at i +
 * 1, the node after the subtree of i is nodes[i].next. Node, key and string memory belong to the document and
 * live until its next parse or dm_json_done.
 */
#ifndef DM_BASE_JSON_H
#define DM_BASE_JSON_H

#include "base/err.h"
#include "base/sv.h"
#include "base/alloc.h"
#include "base/buf.h"

enum dm_json_type {
	DM_JSON_NULL,
	DM_JSON_FALSE,
	DM_JSON_TRUE,
	DM_JSON_NUMBER,
	DM_JSON_STRING,
	DM_JSON_ARRAY,
	DM_JSON_OBJECT
};

struct dm_json_node {
	uint8_t type;	   /* enum dm_json_type */
	uint32_t next;	   /* index of the node behind this subtree */
	uint32_t count;	   /* members of an array or object */
	uint32_t line;	   /* 1-based line in the document; YAML only, 0 for JSON */
	struct dm_sv key;  /* name, where the parent is an object; p == NULL elsewhere */
	struct dm_sv text; /* string: the decoded value; number: the digits exactly as written; else empty */
};

struct dm_json {
	struct dm_json_node *nodes; /* nodes[0] is the root */
	uint32_t count;
	size_t cap;
	struct dm_arena arena; /* decoded strings */
	void *parser;	       /* working memory, reused: parse many documents with one dm_json */
};

void dm_json_init(struct dm_json *doc);
void dm_json_done(struct dm_json *doc);
/* Loads the reader's library, so that a process may confine itself afterwards. DM_EUNSUPPORTED if it is
 * missing. */
int dm_json_preload(struct dm_err *err);
/* Parses one document of at most DM_MAX_ELEMENT bytes; a UTF-8 byte order mark in front is passed over.
 * DM_EFORMAT, DM_ELIMIT, DM_ENOMEM; err gets line and offset within `text`, which may go away afterwards. */
int dm_json_parse(struct dm_json *doc, struct dm_sv text, struct dm_err *err);
/* The same node array from a YAML file: no aliases, anchors, tags or second documents; duplicate keys
 * refused; scalars are strings unless plain and spelt as JSON's null, true, false or numbers; a name without
 * a value has null. At most DM_MAX_YAML bytes. Each node knows its line; err gets the line. */
int dm_yaml_parse(struct dm_json *doc, struct dm_sv text, struct dm_err *err);

/* Member of an object by name; NULL if `node` is NULL, no object, or has none such. */
const struct dm_json_node *dm_json_get(const struct dm_json *doc, const struct dm_json_node *node,
				       const char *key);
/* Text of a string member, empty view otherwise. */
struct dm_sv dm_json_get_str(const struct dm_json *doc, const struct dm_json_node *node, const char *key);
/* Integer of a number member (no fraction, in range). */
bool dm_json_get_i64(const struct dm_json *doc, const struct dm_json_node *node, const char *key,
		     int64_t *ret);
bool dm_json_get_bool(const struct dm_json *doc, const struct dm_json_node *node, const char *key,
		      bool fallback);
/* Iterate: for (c = dm_json_first(doc, n); c; c = dm_json_next(doc, n, c)). NULL-safe in n. */
const struct dm_json_node *dm_json_first(const struct dm_json *doc, const struct dm_json_node *node);
const struct dm_json_node *dm_json_next(const struct dm_json *doc, const struct dm_json_node *node,
					const struct dm_json_node *child);
/* Append the subtree as compact JSON in document order, numbers as written. */
void dm_json_write(struct dm_buf *out, const struct dm_json *doc, const struct dm_json_node *node);
/* Append the RFC 8785 canonical form. Numbers become the nearest double; DM_EFORMAT if one is too large for
 * that. */
int dm_json_canonical(struct dm_buf *out, const struct dm_json *doc, const struct dm_json_node *node,
		      struct dm_err *err);

/* Splits a large document without parsing it whole: finds the elements of the top-level array, or of the
 * array that is the member `member` of the top-level object, and knows offset and line of each. text and
 * member must stay. Call dm_json_split_next until it returns DM_ENOENT. Brackets, strings and the outer
 * object are checked here (DM_EFORMAT with line and offset, after the elements before the fault), the inside
 * of an element when it is parsed. An element over DM_MAX_ELEMENT gives DM_ELIMIT and is passed over: the
 * next call gives the one behind. */
struct dm_json_split {
	struct dm_sv text;
	const char *member;
	size_t at;
	uint64_t line;	/* 1-based, at `at` */
	uint64_t index; /* of the element last returned, from 0 */
	bool in_array, found, done;
};
/* member NULL: the document itself is the array. A single object in the place of the array is returned as the
 * one element. DM_ENOENT if there is no such member; DM_EFORMAT if it stands twice. */
int dm_json_split_open(struct dm_json_split *s, struct dm_sv text, const char *member, struct dm_err *err);
/* Behind the value that starts at text.p[at], found by quotes and brackets alone; text.n + 1 if it never
 * ends. For readers that cut a document at other places than dm_json_split does. */
size_t dm_json_skip_value(struct dm_sv text, size_t at);
int dm_json_split_next(struct dm_json_split *s, struct dm_sv *ret_element, uint64_t *ret_line,
		       uint64_t *ret_offset, struct dm_err *err);

#endif
