/* xml.h: events of one XML document, through expat, without what makes XML dangerous: document type
 * declarations are refused, and with them every entity of the document's own (no expansion bombs, no outside
 * files); depth, size and the length of one piece are bounded.
 */
#ifndef DM_IMPORT_XML_H
#define DM_IMPORT_XML_H

#include "base/err.h"
#include "base/stream.h"
#include "base/sv.h"

/* Each returns 0 or a negative code, which ends the parse. Names come without their namespace prefix. */
struct dm_xml_events {
	void *ctx;
	int (*start)(void *ctx, struct dm_sv name, const char *const *attributes, uint64_t line,
		     struct dm_err *err);
	int (*end)(void *ctx, struct dm_sv name, struct dm_err *err);
	int (*text)(void *ctx, struct dm_sv piece, struct dm_err *err); /* in pieces of any size */
};

/* Loads the library; to be called before a process confines itself. DM_EUNSUPPORTED if it is missing. */
int dm_xml_preload(struct dm_err *err);
/* DM_EFORMAT, DM_ELIMIT, DM_ENOMEM, or what an event function or the stream returned; events up to the fault
 * have been given. */
int dm_xml_parse(struct dm_stream *s, const struct dm_xml_events *ev, struct dm_err *err);
/* Value of an attribute (name without prefix); empty if there is none. */
struct dm_sv dm_xml_attribute(const char *const *attributes, const char *name);

#endif
