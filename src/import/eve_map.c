#include "import/eve_map.h"

/* Names follow Suricata 8's EVE schema; those of versions 4 to 7 stand beside them. */

static const struct dm_eve_event events[] = {
	{"flow", DM_KIND_FLOW, NULL},
	{"netflow", DM_KIND_FLOW, NULL},
	{"dns", DM_KIND_DNS, "dns"},
	{"mdns", DM_KIND_DNS, "mdns"},
	{"http", DM_KIND_HTTP, "http"},
	{"http2", DM_KIND_HTTP, "http2"},
	{"tls", DM_KIND_TLS, "tls"},
	{"quic", DM_KIND_TLS, "quic"},
	{"fileinfo", DM_KIND_FILE, NULL},
	{"smtp", DM_KIND_MAIL, "smtp"},
	{"ssh", DM_KIND_LOGIN, "ssh"},
	{"rdp", DM_KIND_LOGIN, "rdp"},
	{"rfb", DM_KIND_LOGIN, "rfb"},
	{"krb5", DM_KIND_LOGIN, "krb5"},
	{"ldap", DM_KIND_LOGIN, "ldap"},
	{"telnet", DM_KIND_LOGIN, "telnet"},
	{"smb", DM_KIND_FILE, "smb"},
	{"ftp", DM_KIND_FILE, "ftp"},
	{"ftp_data", DM_KIND_FILE, "ftp-data"},
	{"tftp", DM_KIND_FILE, "tftp"},
	{"nfs", DM_KIND_FILE, "nfs"},
	{"alert", DM_KIND_ALERT, NULL},
	{"anomaly", DM_KIND_ALERT, NULL},
	{"drop", DM_KIND_ALERT, NULL},
	{"dhcp", DM_KIND_FLOW, "dhcp"},
	{"arp", DM_KIND_FLOW, "arp"},
	{"dcerpc", DM_KIND_FLOW, "dcerpc"},
	{"ike", DM_KIND_FLOW, "ike"},
	{"ikev2", DM_KIND_FLOW, "ike"},
	{"snmp", DM_KIND_FLOW, "snmp"},
	{"sip", DM_KIND_FLOW, "sip"},
	{"mqtt", DM_KIND_FLOW, "mqtt"},
	{"modbus", DM_KIND_FLOW, "modbus"},
	{"dnp3", DM_KIND_FLOW, "dnp3"},
	{"enip", DM_KIND_FLOW, "enip"},
	{"pgsql", DM_KIND_FLOW, "pgsql"},
	{"websocket", DM_KIND_FLOW, "websocket"},
	{"bittorrent_dht", DM_KIND_FLOW, "bittorrent-dht"},
	{"rpc", DM_KIND_FLOW, "rpc"},
	{"packetinfo", DM_KIND_FLOW, NULL},
	{"stats", 0, NULL},
	{"engine", 0, NULL},
};

#define PUT(path, field)                                                                                     \
	{                                                                                                    \
		path, DM_EVE_PUT, DM_F_##field, 0                                                            \
	}
#define OP(path, op, field)                                                                                  \
	{                                                                                                    \
		path, DM_EVE_##op, DM_F_##field, 0                                                           \
	}
#define HOST(path, name, ip)                                                                                 \
	{                                                                                                    \
		path, DM_EVE_HOST, DM_F_##name, DM_F_##ip                                                    \
	}
#define SLOT(path, slot)                                                                                     \
	{                                                                                                    \
		path, DM_EVE_SLOT, DM_ES_##slot, 0                                                           \
	}
#define DROP(path)                                                                                           \
	{                                                                                                    \
		path, DM_EVE_DROP, 0, 0                                                                      \
	}
/* A file stands as fileinfo of its own and as files[] of an alert. */
#define FILE_RULES(at)                                                                                       \
	OP(at ".filename", FILE, FILE_NAME), PUT(at ".size", FILE_SIZE), OP(at ".md5", HEX, MD5),            \
		OP(at ".sha1", HEX, SHA1), OP(at ".sha256", HEX, SHA256), PUT(at ".mimetype", FILE_MIME),    \
		DROP(at ".state"), DROP(at ".stored"), DROP(at ".gaps"), DROP(at ".sid"),                    \
		DROP(at ".file_id"), DROP(at ".tx_id"), DROP(at ".start"), DROP(at ".end"),                  \
		DROP(at ".storing")
/* Queries and answers stand at different depths in versions 1, 2 and 3, and in alerts. */
#define QUERY_RULES(at)                                                                                      \
	PUT(at ".rrname", DNS_QUERY), PUT(at ".rrtype", DNS_QTYPE), PUT(at ".id", DNS_ID),                   \
		PUT(at ".type", DNS_TYPE), DROP(at ".tx_id"), DROP(at ".opcode"), DROP(at ".version"),       \
		DROP(at ".flags"), DROP(at ".qr")
#define ANSWER_RULES(at)                                                                                     \
	OP(at ".rdata", ANSWER, DNS_ANSWER_NAME), PUT(at ".ttl", DNS_TTL), DROP(at ".rrname"),               \
		DROP(at ".rrtype"), OP(at ".soa.mname", ANSWER, DNS_ANSWER_NAME),                            \
		OP(at ".srv.name", ANSWER, DNS_ANSWER_NAME), DROP(at ".soa"), DROP(at ".srv"),               \
		DROP(at ".sshfp")
#define TLS_RULES(at)                                                                                        \
	HOST(at ".sni", SNI, SNI_IP), PUT(at ".version", TLS_VERSION), OP(at ".ja3.hash", HEX, JA3),         \
		DROP(at ".ja3.string"), OP(at ".ja3s.hash", HEX, JA3S), DROP(at ".ja3s.string"),             \
		PUT(at ".ja4", JA4)

static const struct dm_eve_rule rules[] = {
	SLOT("timestamp", TIMESTAMP),
	DROP("event_type"),
	PUT("flow_id", EVENT_ID),
	PUT("src_ip", SRC_IP),
	PUT("src_port", SRC_PORT),
	PUT("dest_ip", DST_IP),
	PUT("dest_port", DST_PORT),
	OP("proto", TRANSPORT, TRANSPORT),
	OP("app_proto", SERVICE, PROTOCOL),
	PUT("community_id", COMMUNITY_ID),
	PUT("vlan", VLAN),
	PUT("icmp_type", ICMP_TYPE),
	PUT("icmp_code", ICMP_CODE),
	PUT("host", SENSOR),
	PUT("sensor_name", SENSOR),
	OP("xff", FORWARDED, FORWARDED_IP),
	PUT("ether.src_mac", SRC_MAC),
	PUT("ether.dest_mac", DST_MAC),
	PUT("ether.src_macs", SRC_MAC),
	PUT("ether.dest_macs", DST_MAC),
	OP("tunnel.src_ip", ADDRESS, IP),
	OP("tunnel.dest_ip", ADDRESS, IP),
	SLOT("direction", DIRECTION),
	DROP("app_proto_ts"),
	DROP("app_proto_tc"),
	DROP("app_proto_orig"),
	DROP("app_proto_expected"),
	DROP("in_iface"),
	DROP("icmp_type_response"),
	DROP("icmp_code_response"),
	DROP("response_icmp_type"),
	DROP("response_icmp_code"),
	DROP("ip_v"),
	DROP("metadata"),
	DROP("packet"),
	DROP("packet_info"),
	DROP("payload"),
	DROP("payload_printable"),
	DROP("payload_length"),
	DROP("parent_id"),
	DROP("pcap_cnt"),
	DROP("pcap_filename"),
	DROP("pkt_src"),
	DROP("stream"),
	DROP("stream_tcp"),
	DROP("tx_guessed"),
	DROP("tx_id"),
	DROP("verdict"),

	SLOT("flow.start", START),
	SLOT("flow.end", END),
	SLOT("flow.pkts_toserver", PKTS_TS),
	SLOT("flow.pkts_toclient", PKTS_TC),
	SLOT("flow.bytes_toserver", BYTES_TS),
	SLOT("flow.bytes_toclient", BYTES_TC),
	SLOT("flow.src_ip", FLOW_SRC),
	PUT("flow.state", CONN_STATE),
	DROP("flow.dest_ip"),
	DROP("flow.src_port"),
	DROP("flow.dest_port"),
	DROP("flow.age"),
	DROP("flow.reason"),
	DROP("flow.alerted"),
	DROP("flow.bypass"),
	DROP("flow.bypassed"),
	DROP("flow.exception_policy"),
	DROP("flow.tx_cnt"),
	DROP("flow.action"),
	SLOT("netflow.start", START),
	SLOT("netflow.end", END),
	SLOT("netflow.pkts", PKTS_TS),
	SLOT("netflow.bytes", BYTES_TS),
	DROP("netflow.age"),
	DROP("netflow.min_ttl"),
	DROP("netflow.max_ttl"),
	DROP("netflow.tx_cnt"),
	DROP("tcp"),

	QUERY_RULES("dns"),
	QUERY_RULES("dns.query"),
	QUERY_RULES("dns.queries"),
	PUT("dns.rcode", DNS_RCODE),
	OP("dns.rdata", ANSWER, DNS_ANSWER_NAME),
	PUT("dns.ttl", DNS_TTL),
	OP("dns.aa", FLAG, DNS_FLAGS),
	OP("dns.tc", FLAG, DNS_FLAGS),
	OP("dns.rd", FLAG, DNS_FLAGS),
	OP("dns.ra", FLAG, DNS_FLAGS),
	DROP("dns.z"),
	ANSWER_RULES("dns.answers"),
	ANSWER_RULES("dns.authorities"),
	ANSWER_RULES("dns.additionals"),
	ANSWER_RULES("dns.answer.answers"),
	ANSWER_RULES("dns.answer.authorities"),
	QUERY_RULES("dns.answer"),
	PUT("dns.answer.rcode", DNS_RCODE),
	DROP("dns.answer.rd"),
	DROP("dns.answer.ra"),
	DROP("dns.answer.aa"),
	DROP("dns.answer.tc"),
	OP("dns.grouped.A", ANSWER, DNS_ANSWER_NAME),
	OP("dns.grouped.AAAA", ANSWER, DNS_ANSWER_NAME),
	OP("dns.grouped.CNAME", ANSWER, DNS_ANSWER_NAME),
	OP("dns.grouped.TXT", ANSWER, DNS_ANSWER_NAME),
	OP("dns.grouped.MX", ANSWER, DNS_ANSWER_NAME),
	OP("dns.grouped.NS", ANSWER, DNS_ANSWER_NAME),
	OP("dns.grouped.PTR", ANSWER, DNS_ANSWER_NAME),
	OP("dns.grouped.NULL", ANSWER, DNS_ANSWER_NAME),
	DROP("dns.grouped"),
	OP("dns.answer.grouped.A", ANSWER, DNS_ANSWER_NAME),
	OP("dns.answer.grouped.AAAA", ANSWER, DNS_ANSWER_NAME),
	OP("dns.answer.grouped.CNAME", ANSWER, DNS_ANSWER_NAME),
	DROP("dns.answer.grouped"),

	SLOT("http.hostname", HOST),
	SLOT("http.http_port", PORT),
	SLOT("http.url", URL),
	SLOT("http.http_method", METHOD),
	PUT("http.http_user_agent", USER_AGENT),
	PUT("http.http_refer", REFERRER),
	PUT("http.http_content_type", RESP_MIME),
	PUT("http.protocol", HTTP_VERSION),
	PUT("http.version", HTTP_VERSION),
	PUT("http.status", HTTP_STATUS),
	PUT("http.length", RESP_BODY),
	PUT("http.redirect", RELATED_URL),
	PUT("http.location", RELATED_URL),
	OP("http.xff", FORWARDED, FORWARDED_IP),
	OP("http.x_forwarded_for", FORWARDED, FORWARDED_IP),
	OP("http.true_client_ip", FORWARDED, FORWARDED_IP),
	OP("http.request_headers", HEADER, NONE),
	OP("http.response_headers", HEADER, NONE),
	OP("http.http2.request.headers", HEADER, NONE),
	DROP("http.http2"),
	DROP("http.http_request_body"),
	DROP("http.http_request_body_printable"),
	DROP("http.http_response_body"),
	DROP("http.http_response_body_printable"),
	DROP("http.content_range"),
	SLOT("http2.hostname", HOST),
	SLOT("http2.url", URL),
	SLOT("http2.http_method", METHOD),
	OP("http2.request_headers", HEADER, NONE),
	OP("http2.response_headers", HEADER, NONE),

	TLS_RULES("tls"),
	OP("tls.subject", SUBJECT, SERVER_SUBJECT),
	PUT("tls.issuerdn", SERVER_ISSUER),
	OP("tls.fingerprint", HEX, SERVER_CERT),
	PUT("tls.serial", CERT_SERIAL),
	PUT("tls.notbefore", CERT_NOT_BEFORE),
	PUT("tls.notafter", CERT_NOT_AFTER),
	HOST("tls.subjectaltname", SAN_DOMAIN, SAN_IP),
	PUT("tls.session_resumed", TLS_RESUMED),
	OP("tls.client.subject", SUBJECT, CLIENT_SUBJECT),
	PUT("tls.client.issuerdn", CLIENT_ISSUER),
	OP("tls.client.fingerprint", HEX, CLIENT_CERT),
	PUT("tls.server_alpns", TLS_NEXT_PROTOCOL),
	PUT("tls.alpns", TLS_NEXT_PROTOCOL),
	DROP("tls.client_alpns"),
	DROP("tls.client"),
	DROP("tls.certificate"),
	DROP("tls.chain"),
	DROP("tls.from_proto"),
	DROP("tls.client_handshake"),
	DROP("tls.server_handshake"),
	HOST("quic.sni", SNI, SNI_IP),
	PUT("quic.ua", USER_AGENT),
	OP("quic.ja3.hash", HEX, JA3),
	OP("quic.ja3s.hash", HEX, JA3S),
	PUT("quic.ja4", JA4),
	DROP("quic.ja3"),
	DROP("quic.ja3s"),
	DROP("quic.cyu"),
	DROP("quic.extensions"),

	FILE_RULES("fileinfo"),
	FILE_RULES("files"),

	HOST("smtp.helo", MAIL_HELO, IP),
	OP("smtp.mail_from", MAIL, MAIL_SENDER),
	OP("smtp.rcpt_to", MAIL, MAIL_RCPT),
	OP("email.from", MAIL, MAIL_FROM),
	OP("email.to", MAIL, MAIL_TO),
	OP("email.cc", MAIL, MAIL_CC),
	OP("email.reply_to", MAIL, MAIL_REPLY_TO),
	PUT("email.subject", MAIL_SUBJECT),
	PUT("email.message_id", MAIL_ID),
	PUT("email.x_mailer", MAILER),
	PUT("email.user_agent", MAILER),
	OP("email.x_originating_ip", FORWARDED, FORWARDED_IP),
	OP("email.received", FORWARDED, MAIL_PATH_IP),
	OP("email.attachment", FILE, FILE_NAME),
	PUT("email.url", RELATED_URL),
	DROP("email.status"),
	DROP("email.date"),
	DROP("email.has_ipv4_url"),
	DROP("email.has_ipv6_url"),
	DROP("email.has_exe_url"),

	PUT("ssh.client.software_version", CLIENT_SOFTWARE),
	PUT("ssh.server.software_version", SERVER_SOFTWARE),
	PUT("ssh.client.hassh.hash", HASSH),
	DROP("ssh.client.hassh"),
	DROP("ssh.server.hassh.string"),
	DROP("ssh.client.proto_version"),
	DROP("ssh.server.proto_version"),
	PUT("krb5.cname", USER_NAME),
	PUT("krb5.msg_type", ACTION),
	PUT("krb5.error_code", MESSAGE),
	PUT("rdp.cookie", USER_NAME),
	PUT("rdp.client.client_name", CLIENT_NAME),
	PUT("rdp.client.build", CLIENT_SOFTWARE),
	DROP("rdp.client.capabilities"),
	DROP("rdp.client.desktop_width"),
	DROP("rdp.client.desktop_height"),
	DROP("rdp.client.color_depth"),
	DROP("rdp.channels"),
	DROP("rdp.tx_id"),
	PUT("rfb.authentication.security_result", AUTH_RESULT),
	PUT("rfb.name", HOST_NAME),
	DROP("rfb.framebuffer"),
	DROP("rfb.authentication.vnc"),
	OP("smb.filename", FILE, FILE_NAME),
	OP("smb.rename.from", FILE, FILE_NAME),
	OP("smb.rename.to", FILE, FILE_NAME),
	PUT("smb.share", FILE_PATH),
	PUT("smb.size", FILE_SIZE),
	PUT("smb.command", ACTION),
	PUT("smb.status", AUTH_RESULT),
	PUT("smb.ntlmssp.user", USER_NAME),
	PUT("smb.ntlmssp.host", CLIENT_NAME),
	DROP("smb.status_code"),
	DROP("smb.client_dialects"),
	DROP("smb.id"),
	DROP("smb.session_id"),
	DROP("smb.tree_id"),
	DROP("smb.created"),
	DROP("smb.accessed"),
	DROP("smb.modified"),
	DROP("smb.changed"),
	SLOT("ftp.command", COMMAND),
	SLOT("ftp.command_data", DATA),
	PUT("ftp.reply", MESSAGE),
	DROP("ftp.completion_code"),
	DROP("ftp.reply_received"),
	OP("ftp_data.filename", FILE, FILE_NAME),
	PUT("ftp_data.command", ACTION),
	OP("tftp.file", FILE, FILE_NAME),
	PUT("tftp.packet", ACTION),
	OP("nfs.filename", FILE, FILE_NAME),
	PUT("nfs.procedure", ACTION),

	PUT("alert.signature_id", RULE_ID),
	PUT("alert.signature", RULE_NAME),
	PUT("alert.category", RULE_CATEGORY),
	PUT("alert.severity", SEVERITY),
	PUT("alert.action", ACTION),
	PUT("alert.metadata.tag", LABEL),
	PUT("alert.xff", FORWARDED_IP),
	OP("alert.source.ip", ADDRESS, IP),
	OP("alert.target.ip", ADDRESS, IP),
	DROP("alert.source"),
	DROP("alert.target"),
	DROP("alert.gid"),
	DROP("alert.rev"),
	DROP("alert.rule"),
	DROP("alert.references"),
	DROP("alert.metadata.affected_product"),
	DROP("alert.metadata.created_at"),
	DROP("alert.metadata.updated_at"),
	DROP("alert.metadata.deployment"),
	DROP("alert.metadata.performance_impact"),
	PUT("anomaly.event", RULE_NAME),
	PUT("anomaly.type", RULE_CATEGORY),
	PUT("anomaly.code", RULE_ID),
	OP("anomaly.app_proto", SERVICE, PROTOCOL),
	DROP("anomaly.layer"),
	PUT("drop.reason", RULE_NAME),
	DROP("drop"),

	PUT("dhcp.client_mac", SRC_MAC),
	PUT("dhcp.hostname", CLIENT_NAME),
	PUT("dhcp.dhcp_type", ACTION),
	OP("dhcp.assigned_ip", ADDRESS, IP),
	OP("dhcp.client_ip", ADDRESS, IP),
	OP("dhcp.relay_ip", ADDRESS, IP),
	OP("dhcp.next_server_ip", ADDRESS, IP),
	OP("dhcp.requested_ip", ADDRESS, IP),
	OP("dhcp.routers", ADDRESS, IP),
	OP("dhcp.dns_servers", ADDRESS, IP),
	DROP("dhcp.type"),
	DROP("dhcp.id"),
	DROP("dhcp.params"),
	DROP("dhcp.subnet_mask"),
	DROP("dhcp.lease_time"),
	DROP("dhcp.rebinding_time"),
	DROP("dhcp.renewal_time"),
	PUT("arp.src_ip", SRC_IP),
	PUT("arp.dest_ip", DST_IP),
	PUT("arp.src_mac", SRC_MAC),
	PUT("arp.dest_mac", DST_MAC),
	PUT("arp.opcode", ACTION),
	DROP("snmp.community"), /* a password */
	PUT("snmp.pdu_type", ACTION),
	PUT("sip.method", HTTP_METHOD),
	PUT("sip.uri", URL_ORIGINAL),
	PUT("sip.code", HTTP_STATUS),
	PUT("sip.reason", HTTP_STATUS_TEXT),
	DROP("sip.request_line"),
	DROP("sip.response_line"),
	DROP("pgsql.request.password"),
	DROP("pgsql.request.password_redacted"),
	DROP("mqtt.connect.password"),
	PUT("mqtt.connect.username", USER_NAME),
};

#define SLOTS 1024u /* of the hash; a power of two, over twice the rules */
_Static_assert(sizeof(rules) / sizeof(rules[0]) * 2 < SLOTS, "the hash must not fill up");
static uint16_t table[SLOTS]; /* rule + 1 */
static bool ready;

static uint32_t hash(struct dm_sv s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return (h ^ h >> 15) & (SLOTS - 1);
}

void dm_eve_map_init(void)
{
	if (ready)
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		uint32_t at = hash(dm_sv_str(rules[i].path));

		while (table[at])
			at = (at + 1) & (SLOTS - 1);
		table[at] = (uint16_t)(i + 1);
	}
	ready = true;
}

const struct dm_eve_rule *dm_eve_rule_find(struct dm_sv path)
{
	for (uint32_t at = hash(path); table[at]; at = (at + 1) & (SLOTS - 1)) {
		const struct dm_eve_rule *r = &rules[table[at] - 1];

		if (dm_sv_is(path, r->path))
			return r;
	}
	return NULL;
}

const struct dm_eve_event *dm_eve_event_find(struct dm_sv type)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (dm_sv_is(type, events[i].type))
			return &events[i];
	}
	return NULL;
}
