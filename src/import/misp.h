/* misp.h: what the parts of the MISP importer share. */
#ifndef DM_IMPORT_MISP_H
#define DM_IMPORT_MISP_H

#include "base/json.h"
#include "import/importer.h"
#include "import/intel.h"
#include "import/jwalk.h"
#include "import/tlp.h"

/* What becomes of an attribute of some type. A value of two parts is "first|second". */
enum misp_how {
	MISP_CONTEXT, /* describes the event, is nothing to look for; with to_ids set it is reported as
			 skipped */
	MISP_VALUE,
	MISP_FIRST,   /* the first part is looked for, the second goes into the label (host|port) */
	MISP_SECOND,  /* the other way round (filename|hash): a file name with a hash means that one file, not
			 every file of that name */
	MISP_BOTH,    /* domain|ip */
	MISP_PATTERN, /* a STIX pattern */
	MISP_TOOL,    /* a rule for another tool */
	MISP_NONE,    /* could be matched in principle, but no record of ours holds it */
};

struct misp_type {
	const char *name;
	uint8_t how; /* enum misp_how */
	uint8_t obs; /* enum dm_obs_type */
	uint8_t obs2;
};

/* NULL for a type that is not in the table. */
const struct misp_type *misp_type_find(struct dm_sv name);
extern const struct misp_type misp_types[];
extern const size_t misp_ntypes;

struct misp {
	struct dm_sink *sink;
	struct dm_intel intel;
	struct dm_json header, object, attribute;
	struct dm_buf text; /* the header of an event or object, put together for the parser */
	struct dm_buf source, label, actors;
	const char *base;
	struct dm_marking marking; /* of the event */
	struct dm_sv object_name, object_comment;
	int64_t date; /* of the event */
	uint64_t events, context, proposals;
};

/* One event, bare or from {"Event": ...}: `at` is its JSON object. A cut one is used as far as it goes. */
int misp_event(struct misp *m, const struct dm_jitem *at, struct dm_err *err);
int misp_object(struct misp *m, const struct dm_jitem *at, struct dm_err *err);
int misp_attribute(struct misp *m, const struct dm_jitem *at, struct dm_err *err);
/* Forget what was known of the last event. */
void misp_no_event(struct misp *m);

#endif
