/* dns_wire.h: a bounded reader of DNS messages (RFC 1035 s.4).
 *
 * Names come out as text with RFC 4343 / 1035 s.5.1 escapes only where a byte could not stand in a name: dots
 * within a label as "\.", control and 8-bit bytes as "\DDD". A compression pointer must point before the name
 * it is part of, so loops can't happen.
 */
#ifndef DM_IMPORT_DNS_WIRE_H
#define DM_IMPORT_DNS_WIRE_H

#include "base/cur.h"

enum { DM_DNS_NAME_TEXT = 1024 }; /* 255 bytes, each "\DDD" at the worst */

struct dm_dns_header {
	uint16_t id, flags;
	uint16_t questions, answers, authorities, extras;
	bool response;
	unsigned opcode, rcode;
};

struct dm_dns_rr {
	char name[DM_DNS_NAME_TEXT];
	size_t name_n;
	uint16_t type, class;
	uint32_t ttl;
	size_t data_at, data_n; /* within the message */
};

/* `c` is a cursor over the whole message. False: cut short or broken. */
bool dm_dns_header(struct dm_cur *c, struct dm_dns_header *ret);
bool dm_dns_name(struct dm_cur *c, char out[DM_DNS_NAME_TEXT], size_t *ret_n);
/* A question: name, type and class of `rr` are filled. */
bool dm_dns_question(struct dm_cur *c, struct dm_dns_rr *rr);
bool dm_dns_rr(struct dm_cur *c, struct dm_dns_rr *rr);

/* "A", "AAAA", ...; "TYPE65283" (RFC 3597) for what has no name, written to buf. */
const char *dm_dns_type_name(uint16_t type, char buf[16]);
const char *dm_dns_rcode_name(unsigned rcode, char buf[16]);

#endif
