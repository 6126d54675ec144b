/* stix.h: what the parts of the STIX importer share: the index of one file's objects.
 *
 * A file is read twice. The first pass (stix_index.c) notes of every object where it stands and what others
 * need of it: names of producers, malware and actors, relationships, versions. The second gives out
 * indicators (stix_indicator.c) and observed-data (stix_observed.c), for which everything they refer to is
 * then known. Views point into the file's text or into the arena; both live until the import ends.
 */
#ifndef DM_IMPORT_STIX_H
#define DM_IMPORT_STIX_H

#include "base/json.h"
#include "import/importer.h"
#include "import/tlp.h"

enum stix_kind {
	STIX_SCO, /* Cyber-observable Objects and whatever else has no version and no type of chapter 4 to 7:
		     custom objects can be observed, too */
	STIX_INDICATOR,
	STIX_OBSERVED,
	STIX_IDENTITY,
	STIX_MARKING,
	STIX_THREAT, /* what an indicator can point at: malware, threat-actor, intrusion-set, campaign, tool,
			infrastructure */
	STIX_REPORT, /* report, grouping */
	STIX_RELATION,
	STIX_CUSTOM, /* a Domain Object of a type of somebody's own: has versions */
	STIX_OTHER,
};

struct stix_object {
	struct dm_sv text; /* as written in the file */
	struct dm_sv id, type;
	struct dm_sv name; /* identity, threat, report: its name; marking: definition_type; else empty */
	int64_t modified;  /* DM_NO_TIME: none */
	uint64_t line;
	uint32_t scope; /* number of the bundle it stands in; 0: in none */
	uint32_t mark;	/* number of the observation that has it already */
	uint8_t kind;	/* enum stix_kind */
	bool live;	/* the version that counts */
	bool used;	/* some observed-data refers to it */
};

/* "indicator FROM points at TO": a relationship, or its mention in a report. */
struct stix_link {
	struct dm_sv from, to;
	uint32_t seq; /* order in the file */
	bool report;
};

#define STIX_TYPES 48

struct stix {
	const struct dm_import_input *in;
	struct dm_sink *sink;
	struct dm_json doc;  /* the object at hand */
	struct dm_json refs; /* the objects that it refers to */
	struct dm_arena arena;
	const char *base; /* the text of the file */
	struct stix_object *objects;
	uint32_t count;
	size_t cap;
	uint32_t *by_id; /* object numbers by (id, scope, order) */
	struct stix_link *links;
	size_t nlinks, cap_links;
	uint32_t scopes;
	uint64_t kinds[STIX_OTHER + 1];
	struct {
		struct dm_sv name;
		uint64_t n;
	} types[STIX_TYPES]; /* of objects that give nothing themselves */
	uint32_t ntypes;
	uint64_t types_more; /* objects of types beyond the table */
	uint64_t superseded, repeated, granular, indicators, records;
	uint32_t observation; /* number of the one at hand, from 1 */
	uint64_t expand_left; /* bytes of referenced objects that may still be put together */
	struct dm_buf label, source, text;
	struct dm_record record;
};

/* First pass over the whole text. Objects that don't parse are skipped with a reason, and so is a damaged
 * document if more could be read behind it; otherwise what stands before the fault is in the index and the
 * fault is returned (`err` is needed). Then the index is put in order. */
int stix_index_read(struct stix *st, struct dm_sv text, struct dm_err *err);
/* The newest object with this id: in the same bundle if there is one, else anywhere in the file. NULL if
 * there is none. */
struct stix_object *stix_find(const struct stix *st, struct dm_sv id, uint32_t scope);
/* Links from this id: *ret_n of them from the one returned on. */
const struct stix_link *stix_links(const struct stix *st, struct dm_sv from, size_t *ret_n);
/* Parse an object; a fault that is the object's own is reported to the sink as skipped and gives DM_ENOENT.
 */
int stix_parse(struct stix *st, struct dm_json *doc, const struct stix_object *o, struct dm_err *err);
/* The marking of the object in st->doc: the most restrictive of its object and granular markings. */
void stix_marking(struct stix *st, const struct stix_object *o, struct dm_marking *ret);
/* Name of the identity that made the object in st->doc; empty if not said. */
struct dm_sv stix_producer(const struct stix *st, const struct stix_object *o);

int stix_emit_indicator(struct stix *st, const struct stix_object *o, struct dm_err *err);
/* A Cyber-observable Object taken as an indicator by itself. */
int stix_emit_value(struct stix *st, const struct stix_object *o, struct dm_err *err);
int stix_emit_observed(struct stix *st, struct stix_object *o, struct dm_err *err);

/* Objects of one observation, by the name under which they refer to each other. */
struct stix_graph {
	const struct dm_json *doc;
	const struct dm_json_node **node;
	struct dm_sv *name; /* sorted together with node */
	bool *placed;	    /* already stands in a field that says its part */
	uint32_t n;
};
/* All observables of the graph into the typed fields of `r`. */
void stix_sco_fields(struct stix_graph *g, struct dm_record *r);
/* Dictionary type of an entry of a `hashes` dictionary ("SHA-256", "MD5", ...); DM_OBS_NONE for those that no
 * record has. */
enum dm_obs_type stix_hash_type(struct dm_sv name, bool certificate);
/* Dictionary type of a Cyber-observable Object type with a plain `value` ("ipv4-addr", "url", ...);
 * DM_OBS_NONE for all others. */
enum dm_obs_type stix_value_type(struct dm_sv type);

#endif
