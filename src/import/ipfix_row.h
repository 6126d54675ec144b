/* ipfix_row.h: the information elements of a flow that we know, and how they become a record. Knows nothing
 * of the library that reads the file. */
#ifndef DM_IMPORT_IPFIX_ROW_H
#define DM_IMPORT_IPFIX_ROW_H

#include "model/record.h"

/* Text that an exporter sends: a view into its message. Laid out as fbVarfield_t. */
struct dm_ipfix_text {
	size_t n;
	const char *p;
};

/* Element, its length in our row (longer than some exporters send), its IANA name ("reverse": RFC 5103).
 * Sorted by length, so that each lies aligned whichever are there. */
#define DM_IPFIX_ELEMENTS(X)                                                                                 \
	X(APPLICATION, 0, "applicationName")                                                                 \
	X(HTTP_HOST, 0, "httpRequestHost")                                                                   \
	X(HTTP_TARGET, 0, "httpRequestTarget")                                                               \
	X(HTTP_METHOD, 0, "httpRequestMethod")                                                               \
	X(HTTP_AGENT, 0, "httpUserAgent")                                                                    \
	X(USER, 0, "userName")                                                                               \
	X(SRC6, 16, "sourceIPv6Address")                                                                     \
	X(DST6, 16, "destinationIPv6Address")                                                                \
	X(HOP6, 16, "ipNextHopIPv6Address")                                                                  \
	X(NAT_SRC6, 16, "postNATSourceIPv6Address")                                                          \
	X(NAT_DST6, 16, "postNATDestinationIPv6Address")                                                     \
	X(EXPORTER6, 16, "exporterIPv6Address")                                                              \
	X(OCTETS, 8, "octetDeltaCount")                                                                      \
	X(OCTETS_TOTAL, 8, "octetTotalCount")                                                                \
	X(OCTETS_INITIATOR, 8, "initiatorOctets")                                                            \
	X(PACKETS, 8, "packetDeltaCount")                                                                    \
	X(PACKETS_TOTAL, 8, "packetTotalCount")                                                              \
	X(PACKETS_INITIATOR, 8, "initiatorPackets")                                                          \
	X(R_OCTETS, 8, "reverseOctetDeltaCount")                                                             \
	X(R_OCTETS_TOTAL, 8, "reverseOctetTotalCount")                                                       \
	X(OCTETS_RESPONDER, 8, "responderOctets")                                                            \
	X(R_PACKETS, 8, "reversePacketDeltaCount")                                                           \
	X(R_PACKETS_TOTAL, 8, "reversePacketTotalCount")                                                     \
	X(PACKETS_RESPONDER, 8, "responderPackets")                                                          \
	X(START_MS, 8, "flowStartMilliseconds")                                                              \
	X(END_MS, 8, "flowEndMilliseconds")                                                                  \
	X(START_US, 8, "flowStartMicroseconds")                                                              \
	X(END_US, 8, "flowEndMicroseconds")                                                                  \
	X(START_NS, 8, "flowStartNanoseconds")                                                               \
	X(END_NS, 8, "flowEndNanoseconds")                                                                   \
	X(BOOT_MS, 8, "systemInitTimeMilliseconds")                                                          \
	X(OBSERVED_MS, 8, "observationTimeMilliseconds")                                                     \
	X(SRC4, 4, "sourceIPv4Address")                                                                      \
	X(DST4, 4, "destinationIPv4Address")                                                                 \
	X(HOP4, 4, "ipNextHopIPv4Address")                                                                   \
	X(NAT_SRC4, 4, "postNATSourceIPv4Address")                                                           \
	X(NAT_DST4, 4, "postNATDestinationIPv4Address")                                                      \
	X(EXPORTER4, 4, "exporterIPv4Address")                                                               \
	X(START_S, 4, "flowStartSeconds")                                                                    \
	X(END_S, 4, "flowEndSeconds")                                                                        \
	X(OBSERVED_S, 4, "observationTimeSeconds")                                                           \
	X(START_DELTA, 4, "flowStartDeltaMicroseconds")                                                      \
	X(END_DELTA, 4, "flowEndDeltaMicroseconds")                                                          \
	X(START_UP, 4, "flowStartSysUpTime")                                                                 \
	X(END_UP, 4, "flowEndSysUpTime")                                                                     \
	X(DURATION_MS, 4, "flowDurationMilliseconds")                                                        \
	X(DURATION_US, 4, "flowDurationMicroseconds")                                                        \
	X(IF_IN, 4, "ingressInterface")                                                                      \
	X(IF_OUT, 4, "egressInterface")                                                                      \
	X(SRC_AS, 4, "bgpSourceAsNumber")                                                                    \
	X(DST_AS, 4, "bgpDestinationAsNumber")                                                               \
	X(SAMPLING, 4, "samplingInterval")                                                                   \
	X(SAMPLER_INTERVAL, 4, "samplerRandomInterval")                                                      \
	X(SAMPLED_PACKETS, 4, "samplingPacketInterval")                                                      \
	X(SAMPLED_SPACE, 4, "samplingPacketSpace")                                                           \
	X(SRC_PORT, 2, "sourceTransportPort")                                                                \
	X(DST_PORT, 2, "destinationTransportPort")                                                           \
	X(UDP_SRC_PORT, 2, "udpSourcePort")                                                                  \
	X(UDP_DST_PORT, 2, "udpDestinationPort")                                                             \
	X(TCP_SRC_PORT, 2, "tcpSourcePort")                                                                  \
	X(TCP_DST_PORT, 2, "tcpDestinationPort")                                                             \
	X(NAT_SRC_PORT, 2, "postNAPTSourceTransportPort")                                                    \
	X(NAT_DST_PORT, 2, "postNAPTDestinationTransportPort")                                               \
	X(TCP_FLAGS, 2, "tcpControlBits")                                                                    \
	X(R_TCP_FLAGS, 2, "reverseTcpControlBits")                                                           \
	X(ICMP4, 2, "icmpTypeCodeIPv4")                                                                      \
	X(ICMP6, 2, "icmpTypeCodeIPv6")                                                                      \
	X(VLAN, 2, "vlanId")                                                                                 \
	X(DOT1Q, 2, "dot1qVlanId")                                                                           \
	X(APP_LABEL, 2, "silkAppLabel")                                                                      \
	X(PROTO, 1, "protocolIdentifier")                                                                    \
	X(ICMP4_TYPE, 1, "icmpTypeIPv4")                                                                     \
	X(ICMP4_CODE, 1, "icmpCodeIPv4")                                                                     \
	X(ICMP6_TYPE, 1, "icmpTypeIPv6")                                                                     \
	X(ICMP6_CODE, 1, "icmpCodeIPv6")                                                                     \
	X(NAT_EVENT, 1, "natEvent")                                                                          \
	X(FW_EVENT, 1, "firewallEvent")                                                                      \
	X(FIRST_FLAGS, 1, "initialTCPFlags")                                                                 \
	X(REST_FLAGS, 1, "unionTCPFlags")                                                                    \
	X(R_FIRST_FLAGS, 1, "reverseInitialTCPFlags")                                                        \
	X(R_REST_FLAGS, 1, "reverseUnionTCPFlags")                                                           \
	X(SRC_MAC, 6, "sourceMacAddress")                                                                    \
	X(DST_MAC, 6, "destinationMacAddress")

enum dm_ipfix_element {
#define X(id, len, name) DM_IPFIX_##id,
	DM_IPFIX_ELEMENTS(X)
#undef X
		DM_IPFIX_COUNT
};

struct dm_ipfix_info {
	const char *name;
	uint16_t len; /* 0: text */
};
extern const struct dm_ipfix_info dm_ipfix_info[DM_IPFIX_COUNT];

#define DM_IPFIX_TEXTS	  6u   /* the first so many elements are text */
#define DM_IPFIX_TEXT_MAX 512u /* text of a fixed length, padded */
#define DM_IPFIX_ROW	  4096u

/* What records of one template look like once the library has brought them into our form: packed, in the
 * order of the elements, but text of a fixed length at the end. */
struct dm_ipfix_layout {
	uint64_t has[2];		 /* bit an element */
	uint16_t offset[DM_IPFIX_COUNT]; /* of those it has */
	uint16_t fixed[DM_IPFIX_TEXTS];	 /* length of text that has a fixed one, 0: a dm_ipfix_text */
	uint16_t size;
};
/* Sets the offsets and the size by `has` and `fixed`. */
void dm_ipfix_layout_offsets(struct dm_ipfix_layout *l);

struct dm_ipfix_row {
	const struct dm_ipfix_layout *layout;
	int64_t export_time; /* of the message, us */
	uint64_t sampling;   /* 1 in so many, by the options of the exporter; 0: not said */
	uint8_t data[DM_IPFIX_ROW] __attribute__((aligned(16))); /* host byte order */
};

bool dm_ipfix_has(const struct dm_ipfix_row *row, enum dm_ipfix_element e);
uint64_t dm_ipfix_number(const struct dm_ipfix_row *row, enum dm_ipfix_element e);
/* One in so many packets, by the elements of this row; 0: not said. */
uint64_t dm_ipfix_sampling(const struct dm_ipfix_row *row);
/* Fills the record. False: no addresses, so no flow. *ret_guessed: the time is that of the message, for want
 * of a better one. `scratch` (128 bytes) must live until the record is out. */
bool dm_ipfix_record(const struct dm_ipfix_row *row, struct dm_record *r, uint64_t line, char scratch[128],
		     bool *ret_guessed);

#endif
