/* record.h: one thing that was observed, as an importer hands it over.
 *
 * A record is a kind, a time, the line it came from and a list of (field, value) pairs; a field of type IP or
 * TEXT may occur several times. Values are canonicalised as they are added: what a typed field can't read
 * goes to DM_F_UNPARSED as "name=value", so that nothing is lost. Text memory of a value added must live
 * until the record is handed to the sink.
 */
#ifndef DM_MODEL_RECORD_H
#define DM_MODEL_RECORD_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/sv.h"
#include "base/time.h"
#include "model/observable.h"

/* Written to disk: append only. */
enum dm_kind {
	DM_KIND_FLOW = 1,
	DM_KIND_DNS = 2,
	DM_KIND_HTTP = 3,
	DM_KIND_TLS = 4,
	DM_KIND_FILE = 5,
	DM_KIND_CERT = 6,
	DM_KIND_MAIL = 7,
	DM_KIND_LOGIN = 8,
	DM_KIND_ALERT = 9,
	DM_KIND_OBSERVED = 10, /* STIX observed-data */
	DM_KINDS
};

enum dm_field_type { DM_T_TIME, DM_T_SPAN, DM_T_INT, DM_T_BOOL, DM_T_IP, DM_T_TEXT };

enum dm_field {
	DM_F_NONE = 0,
#define FIELD(id, number, name, type, obs) DM_F_##id = number,
#include "model/fields.def"
#undef FIELD
	DM_FIELDS = 200
};

struct dm_field_info {
	const char *name; /* ECS name; NULL for unused numbers */
	enum dm_field_type type;
	enum dm_obs_type obs; /* DM_OBS_NONE: plain text */
};
/* Indexed by enum dm_field. */
extern const struct dm_field_info dm_field_info[DM_FIELDS];
const char *dm_kind_name(enum dm_kind k);		 /* "flow", ... ; "unknown" */
enum dm_kind dm_kind_from_name(struct dm_sv name);	 /* 0 if not known */
enum dm_field dm_field_from_name(struct dm_sv ecs_name); /* the first such; DM_F_NONE */

#define DM_NO_INT INT64_MIN /* an absent number; never stored as a value */

struct dm_value {
	uint16_t field;
	uint8_t obs;  /* for TEXT with an observable: the exact type (hash columns hold several) */
	uint8_t type; /* enum dm_field_type */
	union {
		int64_t i;	   /* TIME, SPAN, INT, BOOL */
		struct dm_sv text; /* TEXT: canonical */
		struct dm_ip ip;   /* IP */
	};
};

#define DM_RECORD_VALUES 2048

struct dm_record {
	enum dm_kind kind;
	int64_t time;  /* us; DM_NO_TIME is stored under day 0 and said so */
	uint64_t line; /* line, packet, record or element number in the source, from 1 */
	uint32_t count;
	uint32_t dropped;  /* values over DM_RECORD_VALUES, DM_MAX_VALUES or DM_MAX_RECORD */
	uint32_t cut;	   /* texts over DM_MAX_VALUE, cut; they end in U+2026 */
	size_t text_bytes; /* of all texts */
	uint16_t per_field[DM_FIELDS];
	struct dm_value v[DM_RECORD_VALUES];
	struct dm_arena arena; /* canonical forms that differ from the input */
	struct dm_buf scratch;
};

void dm_record_init(struct dm_record *r);
void dm_record_done(struct dm_record *r);
void dm_record_start(struct dm_record *r, enum dm_kind kind, int64_t time, uint64_t line); /* empties it */
void dm_record_int(struct dm_record *r, enum dm_field f, int64_t v);
void dm_record_ip(struct dm_record *r, enum dm_field f, const struct dm_ip *ip);
/* Text, canonicalised by the field's observable. An empty text adds nothing. For an IP field the text is
 * parsed as an address. */
void dm_record_text(struct dm_record *r, enum dm_field f, struct dm_sv s);
/* Bytes as they are, not text: only for DM_F_TIMINGS. */
void dm_record_bytes(struct dm_record *r, enum dm_field f, struct dm_sv bytes);
/* A host that may be a name or an address: goes to name_field or ip_field. A ":port" behind it is dropped. */
void dm_record_host(struct dm_record *r, enum dm_field name_field, enum dm_field ip_field, struct dm_sv s);
/* Plain or base64-free hash of any length: goes to MD5, SHA1, SHA256 or SHA512. */
void dm_record_hash(struct dm_record *r, struct dm_sv hex);
/* Keep what could not be read as a typed value. */
void dm_record_unparsed(struct dm_record *r, const char *name, struct dm_sv value);

#endif
