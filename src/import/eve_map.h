/* eve_map.h: what each value of a Suricata EVE event means to us, by its path in the object ("tls.ja3.hash");
 * arrays add nothing to a path.
 *
 * A path that the table does not know is kept as text ("path=value"; an address as related.ip).
 */
#ifndef DM_IMPORT_EVE_MAP_H
#define DM_IMPORT_EVE_MAP_H

#include "model/record.h"

enum dm_eve_op {
	DM_EVE_KEEP = 0,
	DM_EVE_DROP,   /* says nothing beside the rest, or is payload or a password; below it only what the
			  table names is read */
	DM_EVE_PUT,    /* field, by its type */
	DM_EVE_FLAG,   /* true: the flag, named by the last two letters of the path in upper case */
	DM_EVE_HOST,   /* name or address: field, field2 */
	DM_EVE_ANSWER, /* DNS answer, once */
	DM_EVE_MAIL,
	DM_EVE_FILE,
	DM_EVE_SUBJECT,
	DM_EVE_FORWARDED, /* every address in the text */
	DM_EVE_HEX,	  /* digest, with or without colons */
	DM_EVE_TRANSPORT,
	DM_EVE_SERVICE, /* app_proto */
	DM_EVE_ADDRESS, /* address that may be 0.0.0.0, which says nothing */
	DM_EVE_HEADER,	/* array of {name, value} */
	DM_EVE_SLOT,	/* kept aside: field is the slot */
};

enum dm_eve_slot {
	DM_ES_TIMESTAMP,
	DM_ES_START,
	DM_ES_END,
	DM_ES_HOST,
	DM_ES_PORT,
	DM_ES_URL,
	DM_ES_METHOD,
	DM_ES_DIRECTION,
	DM_ES_FLOW_SRC,
	DM_ES_PKTS_TS,
	DM_ES_PKTS_TC,
	DM_ES_BYTES_TS,
	DM_ES_BYTES_TC,
	DM_ES_COMMAND,
	DM_ES_DATA,
	DM_ES_AUTHORITY,
	DM_ES_COUNT
};

struct dm_eve_rule {
	const char *path;
	uint8_t op;
	uint16_t field, field2;
};

struct dm_eve_event {
	const char *type;
	enum dm_kind kind;    /* 0: holds no observations */
	const char *protocol; /* network.protocol if the event names none */
};

/* NULL if not known. The table is hashed on first use by dm_eve_map_init; read-only afterwards. */
const struct dm_eve_event *dm_eve_event_find(struct dm_sv type);
void dm_eve_map_init(void);
const struct dm_eve_rule *dm_eve_rule_find(struct dm_sv path);

#endif
