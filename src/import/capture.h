/* capture.h: what the parts of the capture reader share: the run, the flow table, the flow, and the
 * application behind a flow.
 *
 * One thread, one run. A flow belongs to the table, its application and its reassembly to the flow.
 * Everything kept of payloads is charged to one budget (DM_MAX_CAPTURE_KEPT): a flow that would exceed it is
 * still counted, only its content is no longer looked into.
 */
#ifndef DM_IMPORT_CAPTURE_H
#define DM_IMPORT_CAPTURE_H

#include "base/limits.h"
#include "import/packet.h"
#include "import/sink.h"

struct dm_flow;
struct dm_app;

struct dm_capture {
	struct dm_sink *sink;
	struct dm_err *err;
	bool timings;
	uint64_t packet;      /* number of the packet at hand */
	size_t kept;	      /* payload bytes held, of DM_MAX_CAPTURE_KEPT */
	uint64_t unkept;      /* flows whose content was given up for want of that */
	struct dm_record rec; /* the one under construction */
	struct dm_buf text;   /* scratch */
	uint8_t (*certs)[16]; /* digests of certificates already written, a table of DM_CERTS_SEEN */
	uint32_t certs_n;
};

/* Charges n more bytes (or gives back) to the run's budget; false: it is spent. */
bool dm_capture_keep(struct dm_capture *c, size_t n);
void dm_capture_unkeep(struct dm_capture *c, size_t n);

/* Which way: from the one that opened the flow, or to it. */
enum dm_dir { DM_FROM_CLIENT, DM_FROM_SERVER };

/* One direction of a TCP connection put back in order (reassembly.c). */
struct dm_half {
	bool synced;	 /* `next` is known */
	bool done;	 /* nobody wants the rest */
	uint32_t next;	 /* sequence number expected */
	uint32_t n, cap; /* bytes in `buf`: in order, offered once, not used up by the application */
	uint64_t skip;	 /* bytes to come that the application does not want to see (a body) */
	uint8_t *buf;
	struct dm_later *later; /* out of order, by sequence number, not overlapping */
	uint32_t later_n;	/* bytes in `later` */
};

struct dm_tcp {
	struct dm_half half[2]; /* by enum dm_dir */
};

/* Bytes offered to an application. */
struct dm_bytes {
	const uint8_t *p;
	size_t n;
	size_t seen;   /* the first so many were offered before */
	int64_t time;  /* of the packet that brought the last of them */
	uint64_t skip; /* set by the application: bytes behind what it used that it does not want to see */
};

/* A reader of what a connection carries. Functions return 0 or a negative code that ends the import;
 * DM_APP_STOP ends the interest of this application in this direction, DM_APP_SWITCH hands the rest of both
 * directions to whoever recognises it (STARTTLS, CONNECT). */
enum { DM_APP_STOP = 1, DM_APP_SWITCH = 2 };

struct dm_app_ops {
	const char *name; /* network.protocol */
	size_t cost;	  /* bytes that one takes at the least, charged to the budget */
	int (*make)(struct dm_capture *c, struct dm_app **ret);
	/* In-order bytes. *used: how many are finished with; the rest is offered again with more behind.
	 * Never called with n == 0. A hole outside of what is skipped ends the direction. */
	int (*feed)(struct dm_capture *c, struct dm_flow *f, struct dm_app *a, enum dm_dir dir,
		    struct dm_bytes *b, size_t *used);
	/* The flow ends, or nobody wants more of it: write what is still open. */
	int (*finish)(struct dm_capture *c, struct dm_flow *f, struct dm_app *a);
	void (*free)(struct dm_capture *c, struct dm_app *a);
};

struct dm_app {
	const struct dm_app_ops *ops;
};

extern const struct dm_app_ops dm_app_http, dm_app_tls, dm_app_ssh, dm_app_smtp, dm_app_dns_tcp, dm_app_dns,
	dm_app_quic;

/* Whose protocol the first bytes of a connection are: DM_APP_FOUND with *ret, DM_APP_NONE, or DM_APP_MORE if
 * more bytes are needed to tell. */
enum { DM_APP_NONE, DM_APP_FOUND, DM_APP_MORE };
int dm_app_recognise(const struct dm_flow *f, const uint8_t *p, size_t n, const struct dm_app_ops **ret);
/* Gives the flow its application; where the budget is spent, none, and none later (f->app stays NULL). */
int dm_app_open(struct dm_capture *c, struct dm_flow *f, const struct dm_app_ops *ops);
/* Takes it away again, without a last word. */
void dm_app_close(struct dm_capture *c, struct dm_flow *f);
/* A datagram of a flow: finds its application and hands it over. */
int dm_udp_packet(struct dm_capture *c, struct dm_flow *f, unsigned end, const struct dm_packet *p);

/* One UDP payload for a flow whose application is dm_app_dns or dm_app_quic. */
int dm_dns_datagram(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const struct dm_packet *p);
int dm_quic_datagram(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, const struct dm_packet *p);
bool dm_quic_is(const uint8_t *p, size_t n);

#define DM_HISTORY 20u

struct dm_flow {
	/* The key: the two ends in byte order of address and port. */
	struct dm_ip ip[2];
	uint16_t port[2];
	uint8_t proto, level;
	bool one_way; /* ICMP without a counterpart: no order */

	uint8_t opener;	  /* 0 or 1: which end opened it */
	uint8_t flags[2]; /* TCP flags seen, by end */
	bool synack[2], reset_first[2];
	uint8_t history_n;
	uint32_t history_seen; /* letters already in `history`, by end */
	char history[DM_HISTORY];
	uint8_t icmp_type, icmp_code;
	uint8_t vlans;
	uint16_t vlan[DM_MAX_VLANS];
	bool has_mac, gave_up;
	uint8_t mac[2][6];			   /* by end */
	uint8_t list;				   /* timeout class */
	int64_t start, end;			   /* of the packets, us; DM_NO_TIME if none had one */
	int64_t touched;			   /* the table's clock when it last changed */
	uint64_t first;				   /* packet number */
	uint64_t packets[2], bytes[2], payload[2]; /* by end */
	uint32_t syn_seq[2];  /* sequence number of the first byte behind a SYN, by end */
	uint32_t next_seq[2]; /* to notice missed bytes, by end */
	uint32_t hole[2];
	bool seq_known[2];
	uint64_t parent; /* first packet of the tunnel it came in, 0: none */
	const char *tunnel;
	const char *protocol; /* network.protocol, static text */
	struct dm_tcp *tcp;
	struct dm_app *app;
	bool app_decided; /* no app is made any more */
	uint8_t switches; /* how often the application changed */
	struct dm_timings *timings;
	uint32_t next, prev, chain; /* in its timeout list, in its hash bucket */
};

static inline enum dm_dir dm_flow_dir(const struct dm_flow *f, unsigned end)
{
	return end == f->opener ? DM_FROM_CLIENT : DM_FROM_SERVER;
}

/* Starts a record of an application seen in this flow: kind, time, and who spoke with whom. Its line is the
 * packet at hand, with which it became complete: rows of one kind must come in ascending order. */
struct dm_record *dm_capture_start(struct dm_capture *c, const struct dm_flow *f, enum dm_kind kind,
				   int64_t time);
int dm_capture_emit(struct dm_capture *c);
/* Adds text whose memory does not live until the record is out: copied. */
void dm_capture_text(struct dm_capture *c, enum dm_field field, const void *p, size_t n);

/* The flow table (flows.c). */
struct dm_flows;
int dm_flows_new(struct dm_flows **ret, struct dm_capture *c);
/* Accounts one packet; `parent`: first packet of the flow that is its tunnel, 0: none. *ret: its flow, valid
 * until the next call. */
int dm_flows_packet(struct dm_flows *t, const struct dm_packet *p, uint64_t parent, const char *tunnel,
		    struct dm_flow **ret);
/* Writes out all that is left, oldest first. */
int dm_flows_finish(struct dm_flows *t);
void dm_flows_free(struct dm_flows *t);
/* Draws a key for the hash table; before confinement. */
void dm_flows_seed(void);

/* Fills a new flow from its key and first packet, and adds a packet that `end` sent (flow_account.c). */
void dm_flow_begin(struct dm_flow *f, const struct dm_flow *key, const struct dm_packet *p, unsigned end);
void dm_flow_account(struct dm_flow *f, unsigned end, const struct dm_packet *p);

/* The record of a finished flow (flow_record.c). */
int dm_flow_write(struct dm_capture *c, struct dm_flow *f);

/* Packet times (timings.c), docs/formats/timings.md. */
int dm_timings_add(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, int64_t time, uint32_t payload);
void dm_timings_put(struct dm_capture *c, struct dm_flow *f);
void dm_timings_free(struct dm_capture *c, struct dm_flow *f);

/* Reassembly (reassembly.c). */
int dm_tcp_packet(struct dm_capture *c, struct dm_flow *f, unsigned end, const struct dm_packet *p);
/* The end of the flow: what lies behind holes is offered, then the application is finished. */
int dm_tcp_finish(struct dm_capture *c, struct dm_flow *f);
void dm_tcp_free(struct dm_capture *c, struct dm_flow *f);

#endif
