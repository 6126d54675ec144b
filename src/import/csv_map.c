#include "import/csv_map.h"

#include "base/limits.h"
#include "base/text.h"
#include "import/extract.h"

struct synonym {
	const char *name; /* lower case, everything but letters and digits left out */
	uint8_t op;
	uint16_t field, field2;
};

#define T(name, field)                                                                                       \
	{                                                                                                    \
		name, DM_CSV_TEXT, DM_F_##field, 0                                                           \
	}
#define I(name, field)                                                                                       \
	{                                                                                                    \
		name, DM_CSV_INT, DM_F_##field, 0                                                            \
	}
#define O(name, op, field)                                                                                   \
	{                                                                                                    \
		name, DM_CSV_##op, DM_F_##field, 0                                                           \
	}
#define H(name, field, field2)                                                                               \
	{                                                                                                    \
		name, DM_CSV_HOST, DM_F_##field, DM_F_##field2                                               \
	}
#define D(name)                                                                                              \
	{                                                                                                    \
		name, DM_CSV_DROP, 0, 0                                                                      \
	}
#define S(name, slot)                                                                                        \
	{                                                                                                    \
		name, DM_CSV_SLOT, DM_CS_##slot, 0                                                           \
	}

static const struct synonym synonyms[] = {
	/* Time */
	O("time", TIME, NONE),
	O("timestamp", TIME, NONE),
	O("ts", TIME, NONE),
	O("datetime", TIME, NONE),
	O("starttime", TIME, NONE),
	O("start", TIME, NONE),
	O("firstseen", TIME, NONE),
	O("firstswitched", TIME, NONE),
	O("flowstart", TIME, NONE),
	O("eventtime", TIME, NONE),
	O("eventstart", TIME, NONE),
	O("created", TIME, NONE),
	O("receivetime", TIME, NONE),
	O("receivedtime", TIME, NONE),
	O("logtime", TIME, NONE),
	O("stime", TIME, NONE),
	O("date", DATE, NONE),
	O("te", MOMENT, END),
	O("end", MOMENT, END),
	O("endtime", MOMENT, END),
	O("lastseen", MOMENT, END),
	O("flowend", MOMENT, END),
	O("lasttime", MOMENT, END),
	O("ltime", MOMENT, END),
	O("eventend", MOMENT, END),
	O("dur", SECONDS, DURATION),
	O("td", SECONDS, DURATION),
	O("duration", SECONDS, DURATION),
	O("elapsedtime", SECONDS, DURATION),
	O("elapsedtimesec", SECONDS, DURATION),
	O("durationms", MILLIS, DURATION),
	O("timetaken", MILLIS, DURATION),
	O("elapsed", MILLIS, DURATION),
	O("rtt", SECONDS, DURATION),
	/* The two ends */
	H("srcip", CLIENT_NAME, SRC_IP),
	H("sourceip", CLIENT_NAME, SRC_IP),
	H("srcaddr", CLIENT_NAME, SRC_IP),
	H("saddr", CLIENT_NAME, SRC_IP),
	H("sa", CLIENT_NAME, SRC_IP),
	H("src", CLIENT_NAME, SRC_IP),
	H("source", CLIENT_NAME, SRC_IP),
	H("sourceaddress", CLIENT_NAME, SRC_IP),
	H("sourceipaddress", CLIENT_NAME, SRC_IP),
	H("srcipaddr", CLIENT_NAME, SRC_IP),
	H("srcaddress", CLIENT_NAME, SRC_IP),
	H("srchost", CLIENT_NAME, SRC_IP),
	H("ipsrc", CLIENT_NAME, SRC_IP),
	H("sip", CLIENT_NAME, SRC_IP),
	H("idorigh", CLIENT_NAME, SRC_IP),
	H("clientip", CLIENT_NAME, SRC_IP),
	H("clientaddress", CLIENT_NAME, SRC_IP),
	H("clientaddr", CLIENT_NAME, SRC_IP),
	H("cip", CLIENT_NAME, SRC_IP),
	H("remoteaddr", CLIENT_NAME, SRC_IP),
	H("remoteip", CLIENT_NAME, SRC_IP),
	H("callingip", CLIENT_NAME, SRC_IP),
	H("dstip", DOMAIN, DST_IP),
	H("destip", DOMAIN, DST_IP),
	H("destinationip", DOMAIN, DST_IP),
	H("dstaddr", DOMAIN, DST_IP),
	H("daddr", DOMAIN, DST_IP),
	H("da", DOMAIN, DST_IP),
	H("dst", DOMAIN, DST_IP),
	H("dest", DOMAIN, DST_IP),
	H("destination", DOMAIN, DST_IP),
	H("destinationaddress", DOMAIN, DST_IP),
	H("destinationipaddress", DOMAIN, DST_IP),
	H("destaddress", DOMAIN, DST_IP),
	H("dstipaddr", DOMAIN, DST_IP),
	H("dstaddress", DOMAIN, DST_IP),
	H("dsthost", DOMAIN, DST_IP),
	H("ipdst", DOMAIN, DST_IP),
	H("dip", DOMAIN, DST_IP),
	H("idresph", DOMAIN, DST_IP),
	H("serverip", DOMAIN, DST_IP),
	H("serveraddress", DOMAIN, DST_IP),
	H("sserverip", DOMAIN, DST_IP),
	H("rhost", DOMAIN, DST_IP),
	I("srcport", SRC_PORT),
	I("sourceport", SRC_PORT),
	I("sport", SRC_PORT),
	I("sp", SRC_PORT),
	I("srcpt", SRC_PORT),
	I("spt", SRC_PORT),
	I("idorigp", SRC_PORT),
	I("clientport", SRC_PORT),
	I("tcpsrcport", SRC_PORT),
	I("udpsrcport", SRC_PORT),
	I("dstport", DST_PORT),
	I("destport", DST_PORT),
	I("destinationport", DST_PORT),
	I("dport", DST_PORT),
	I("dp", DST_PORT),
	I("dpt", DST_PORT),
	I("idrespp", DST_PORT),
	I("serverport", DST_PORT),
	I("port", DST_PORT),
	I("tcpdstport", DST_PORT),
	I("udpdstport", DST_PORT),
	O("proto", TRANSPORT, TRANSPORT),
	O("protocol", TRANSPORT, TRANSPORT),
	O("pr", TRANSPORT, TRANSPORT),
	O("ipprotocol", TRANSPORT, TRANSPORT),
	O("ipproto", TRANSPORT, TRANSPORT),
	O("transport", TRANSPORT, TRANSPORT),
	O("networkprotocol", TRANSPORT, TRANSPORT),
	O("transportprotocol", TRANSPORT, TRANSPORT),
	O("service", LOWER, PROTOCOL),
	O("app", LOWER, PROTOCOL),
	O("application", LOWER, PROTOCOL),
	O("appproto", LOWER, PROTOCOL),
	O("srcmac", MAC, SRC_MAC),
	O("sourcemac", MAC, SRC_MAC),
	O("smac", MAC, SRC_MAC),
	O("ismc", MAC, SRC_MAC),
	O("mac", MAC, SRC_MAC),
	O("dstmac", MAC, DST_MAC),
	O("destmac", MAC, DST_MAC),
	O("destinationmac", MAC, DST_MAC),
	O("dmac", MAC, DST_MAC),
	O("odmc", MAC, DST_MAC),
	T("sas", SRC_AS),
	T("srcas", SRC_AS),
	T("sourceas", SRC_AS),
	T("das", DST_AS),
	T("dstas", DST_AS),
	T("destinationas", DST_AS),
	O("xlatesrcip", ADDRESS, SRC_NAT_IP),
	O("natsourceip", ADDRESS, SRC_NAT_IP),
	O("natsrcip", ADDRESS, SRC_NAT_IP),
	O("natsource", ADDRESS, SRC_NAT_IP),
	O("transip", ADDRESS, SRC_NAT_IP),
	O("sourcetranslatedaddress", ADDRESS, SRC_NAT_IP),
	O("xsa", ADDRESS, SRC_NAT_IP),
	O("nsa", ADDRESS, SRC_NAT_IP),
	O("mappedsrcip", ADDRESS, SRC_NAT_IP),
	O("xlatedstip", ADDRESS, DST_NAT_IP),
	O("natdestinationip", ADDRESS, DST_NAT_IP),
	O("natdstip", ADDRESS, DST_NAT_IP),
	O("natdestination", ADDRESS, DST_NAT_IP),
	O("tranip", ADDRESS, DST_NAT_IP),
	O("destinationtranslatedaddress", ADDRESS, DST_NAT_IP),
	O("xda", ADDRESS, DST_NAT_IP),
	O("nda", ADDRESS, DST_NAT_IP),
	O("mappeddstip", ADDRESS, DST_NAT_IP),
	I("natsourceport", SRC_NAT_PORT),
	I("natsrcport", SRC_NAT_PORT),
	I("xsp", SRC_NAT_PORT),
	I("natdestinationport", DST_NAT_PORT),
	I("natdstport", DST_NAT_PORT),
	I("xdp", DST_NAT_PORT),
	O("xforwardedfor", FORWARDED, FORWARDED_IP),
	O("xff", FORWARDED, FORWARDED_IP),
	O("forwardedfor", FORWARDED, FORWARDED_IP),
	O("csxforwardedfor", FORWARDED, FORWARDED_IP),
	O("nh", ADDRESS, NEXT_HOP),
	O("nexthop", ADDRESS, NEXT_HOP),
	O("nhb", ADDRESS, NEXT_HOP),
	O("ra", ADDRESS, EXPORTER_IP),
	O("router", ADDRESS, EXPORTER_IP),
	O("exporterip", ADDRESS, EXPORTER_IP),
	O("samplerip", ADDRESS, EXPORTER_IP),
	O("sampleraddress", ADDRESS, EXPORTER_IP),
	/* Volume */
	S("totpkts", PACKETS),
	S("totbytes", BYTES),
	S("srcpkts", SRC_PACKETS),
	S("srcbytes", SRC_BYTES),
	I("dstpkts", DST_PACKETS),
	I("dstbytes", DST_BYTES),
	I("ipkt", SRC_PACKETS),
	I("ibyt", SRC_BYTES),
	I("opkt", DST_PACKETS),
	I("obyt", DST_BYTES),
	I("packets", SRC_PACKETS),
	I("bytes", SRC_BYTES),
	I("inpackets", SRC_PACKETS),
	I("inbytes", SRC_BYTES),
	I("outpackets", DST_PACKETS),
	I("outbytes", DST_BYTES),
	I("sourcebytes", SRC_BYTES),
	I("sourcepackets", SRC_PACKETS),
	I("destinationbytes", DST_BYTES),
	I("destinationpackets", DST_PACKETS),
	I("bytessent", SRC_BYTES),
	I("bytesreceived", DST_BYTES),
	I("sentbyte", SRC_BYTES),
	I("rcvdbyte", DST_BYTES),
	I("sentbytes", SRC_BYTES),
	I("receivedbytes", DST_BYTES),
	I("rcvdbytes", DST_BYTES),
	I("packetssent", SRC_PACKETS),
	I("packetsreceived", DST_PACKETS),
	I("sentpkt", SRC_PACKETS),
	I("rcvdpkt", DST_PACKETS),
	I("pktssent", SRC_PACKETS),
	I("pktsreceived", DST_PACKETS),
	I("bytestoserver", SRC_BYTES),
	I("bytestoclient", DST_BYTES),
	I("pktstoserver", SRC_PACKETS),
	I("pktstoclient", DST_PACKETS),
	I("origbytes", SRC_PAYLOAD),
	I("respbytes", DST_PAYLOAD),
	I("origipbytes", SRC_BYTES),
	I("respipbytes", DST_BYTES),
	I("origpkts", SRC_PACKETS),
	I("resppkts", DST_PACKETS),
	/* What else a flow has */
	T("state", CONN_STATE),
	T("connstate", CONN_STATE),
	T("history", CONN_HISTORY),
	O("flg", FLAGS, TCP_FLAGS),
	O("flags", FLAGS, TCP_FLAGS),
	O("tcpflags", FLAGS, TCP_FLAGS),
	T("uid", EVENT_ID),
	T("flowid", EVENT_ID),
	T("id", EVENT_ID),
	T("sessionid", EVENT_ID),
	T("eventid", EVENT_ID),
	T("communityid", COMMUNITY_ID),
	I("svln", VLAN),
	I("vlan", VLAN),
	I("vlanid", VLAN),
	I("in", IF_IN),
	I("out", IF_OUT),
	I("icmptype", ICMP_TYPE),
	I("icmpcode", ICMP_CODE),
	T("sensor", SENSOR),
	T("sensorname", SENSOR),
	T("observer", SENSOR),
	T("devicename", SENSOR),
	T("devname", SENSOR),
	T("exporter", SENSOR),
	T("interfaceid", SENSOR),
	T("label", LABEL),
	T("tag", LABEL),
	T("tags", LABEL),
	T("detailedlabel", LABEL),
	T("action", ACTION),
	T("logstatus", MESSAGE),
	T("message", MESSAGE),
	T("msg", MESSAGE),
	/* Names and requests */
	T("query", DNS_QUERY),
	T("qname", DNS_QUERY),
	T("dnsquery", DNS_QUERY),
	T("queryname", DNS_QUERY),
	T("rrname", DNS_QUERY),
	T("dnsquestion", DNS_QUERY),
	T("qtype", DNS_QTYPE),
	T("qtypename", DNS_QTYPE),
	T("querytype", DNS_QTYPE),
	T("rrtype", DNS_QTYPE),
	T("rcode", DNS_RCODE),
	T("rcodename", DNS_RCODE),
	T("responsecode", DNS_RCODE),
	O("answer", ANSWER, DNS_ANSWER_NAME),
	O("answers", ANSWER, DNS_ANSWER_NAME),
	O("rdata", ANSWER, DNS_ANSWER_NAME),
	T("url", URL),
	T("requesturl", URL),
	T("uri", URL_ORIGINAL),
	T("fullurl", URL),
	S("csuristem", URI),
	S("cshost", HOST),
	T("domain", DOMAIN),
	T("hostname", DOMAIN),
	T("fqdn", DOMAIN),
	H("host", DOMAIN, IP),
	H("desthost", DOMAIN, IP),
	H("urldomain", URL_DOMAIN, URL_IP),
	S("method", METHOD),
	S("csmethod", METHOD),
	S("requestmethod", METHOD),
	S("httpmethod", METHOD),
	I("status", HTTP_STATUS),
	I("statuscode", HTTP_STATUS),
	I("scstatus", HTTP_STATUS),
	I("httpstatus", HTTP_STATUS),
	I("scbytes", RESP_BODY),
	I("csbytes", REQ_BODY),
	T("useragent", USER_AGENT),
	T("csuseragent", USER_AGENT),
	T("httpuseragent", USER_AGENT),
	T("referer", REFERRER),
	T("referrer", REFERRER),
	T("csreferer", REFERRER),
	T("contenttype", RESP_MIME),
	T("mimetype", RESP_MIME),
	T("user", USER_NAME),
	T("username", USER_NAME),
	T("csusername", USER_NAME),
	T("srcuser", USER_NAME),
	T("sourceuser", USER_NAME),
	T("sni", SNI),
	T("servername", SNI),
	T("tlssni", SNI),
	T("ja3", JA3),
	T("ja3s", JA3S),
	T("ja4", JA4),
	T("fingerprint", CERT_FINGERPRINT),
	T("certfingerprint", CERT_FINGERPRINT),
	/* Files and programs */
	O("filename", FILE, FILE_NAME),
	O("file", FILE, FILE_NAME),
	O("filepath", FILE, FILE_NAME),
	O("path", FILE, FILE_NAME),
	O("fullpath", FILE, FILE_NAME),
	O("image", FILE, FILE_NAME),
	O("targetfilename", FILE, FILE_NAME),
	O("md5", HASHES, MD5),
	O("sha1", HASHES, SHA1),
	O("sha256", HASHES, SHA256),
	O("sha512", HASHES, SHA512),
	O("hash", HASHES, MD5),
	O("hashes", HASHES, MD5),
	O("filehash", HASHES, MD5),
	O("md5hash", HASHES, MD5),
	O("sha1hash", HASHES, SHA1),
	O("sha256hash", HASHES, SHA256),
	O("filesha256", HASHES, SHA256),
	O("filesha1", HASHES, SHA1),
	O("filemd5", HASHES, MD5),
	T("ssdeep", SSDEEP),
	T("tlsh", TLSH),
	I("size", FILE_SIZE),
	I("filesize", FILE_SIZE),
	T("computer", HOST_NAME),
	T("computername", HOST_NAME),
	T("endpoint", HOST_NAME),
	T("process", PROCESS_NAME),
	T("processname", PROCESS_NAME),
	T("commandline", PROCESS_COMMAND),
	T("mutex", MUTEX),
	T("registrykey", REGISTRY),
	T("targetobject", REGISTRY),
	/* Mail */
	O("sender", MAIL, MAIL_FROM),
	O("from", MAIL, MAIL_FROM),
	O("mailfrom", MAIL, MAIL_SENDER),
	O("senderaddress", MAIL, MAIL_FROM),
	O("recipient", MAIL, MAIL_TO),
	O("recipients", MAIL, MAIL_TO),
	O("to", MAIL, MAIL_TO),
	O("recipientaddress", MAIL, MAIL_TO),
	O("cc", MAIL, MAIL_CC),
	O("rcptto", MAIL, MAIL_RCPT),
	T("subject", MAIL_SUBJECT),
	T("messageid", MAIL_ID),
	/* Alerts and logins */
	T("signature", RULE_NAME),
	T("rule", RULE_NAME),
	T("rulename", RULE_NAME),
	T("signatureid", RULE_ID),
	T("sid", RULE_ID),
	T("ruleid", RULE_ID),
	T("category", RULE_CATEGORY),
	T("threatname", RULE_NAME),
	T("outcome", AUTH_RESULT),
	T("result", AUTH_RESULT),
	/* Said elsewhere in the row, or nothing to look for */
	D("dir"),
	D("stos"),
	D("dtos"),
	D("fwd"),
	D("smk"),
	D("dmk"),
	D("dvln"),
	D("idmc"),
	D("osmc"),
	D("mpls1"),
	D("mpls2"),
	D("mpls3"),
	D("mpls4"),
	D("mpls5"),
	D("mpls6"),
	D("mpls7"),
	D("mpls8"),
	D("mpls9"),
	D("mpls10"),
	D("cl"),
	D("sl"),
	D("al"),
	D("eng"),
	D("exid"),
	D("tr"),
	D("version"),
	D("accountid"),
	D("localorig"),
	D("localresp"),
	D("missedbytes"),
	D("password"),
	D("cspassword"),
	D("flows"),
	D("avgbps"),
	D("avgpps"),
	D("avgbpp"),
	D("bpp"),
	D("bps"),
	D("pps"),
};

/* Letters and digits in lower case: "Source IP", "source_ip" and "SourceIP" are one. */
static size_t squeeze(struct dm_sv name, char *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n < max; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
	}
	return n;
}

static const struct synonym *find_synonym(struct dm_sv name)
{
	char key[64];
	size_t n = squeeze(name, key, sizeof(key));

	for (size_t i = 0; n && i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
		if (dm_sv_is(dm_sv(key, n), synonyms[i].name))
			return &synonyms[i];
	}
	return NULL;
}

/* An ECS name as our own exports have it. */
static bool from_ecs(struct dm_csv_column *c, struct dm_sv name)
{
	enum dm_field f = dm_field_from_name(name);

	if (dm_sv_is(name, "event.kind") || dm_sv_is(name, "event.category")) {
		c->op = DM_CSV_KIND;
		return true;
	}
	if (f == DM_F_NONE || (dm_sv_find(name, '.') == SIZE_MAX && f != DM_F_TIME))
		return false;
	c->field = (uint16_t)f;
	switch (dm_field_info[f].type) {
	case DM_T_TIME:
		c->op = f == DM_F_TIME ? DM_CSV_TIME : DM_CSV_MOMENT;
		break;
	case DM_T_SPAN:
		c->op = DM_CSV_NANOS; /* ECS: event.duration is in nanoseconds */
		break;
	case DM_T_INT:
		c->op = DM_CSV_INT;
		break;
	case DM_T_BOOL:
		c->op = DM_CSV_BOOL;
		break;
	case DM_T_IP:
	case DM_T_TEXT:
		c->op = DM_CSV_TEXT;
		break;
	}
	/* Two fields share the name: a name, and an address. */
	if (f == DM_F_URL_DOMAIN || f == DM_F_SNI) {
		c->op = DM_CSV_HOST;
		c->field2 = f == DM_F_SNI ? DM_F_SNI_IP : DM_F_URL_IP;
	}
	return true;
}

/* W3C extended log files (IIS, proxies): the prefix tells client from server, and these four read otherwise
 * without their hyphen. */
static bool from_w3c(struct dm_csv_column *c, struct dm_sv name)
{
	static const struct synonym w3c[] = {H("s-ip", DOMAIN, DST_IP), I("s-port", DST_PORT),
					     S("cs-uri-query", QUERY), T("cs-uri", URL)};

	for (size_t i = 0; i < sizeof(w3c) / sizeof(w3c[0]); i++) {
		if (dm_sv_is(name, w3c[i].name)) {
			c->op = w3c[i].op;
			c->field = w3c[i].field;
			c->field2 = w3c[i].field2;
			return true;
		}
	}
	return false;
}

/* "jsonPayload.connection.src_ip" and the like: the last parts of the name are tried alone. */
static void name_column(struct dm_csv_column *c, struct dm_sv name)
{
	const struct synonym *s;
	struct dm_sv part = name;

	if (from_ecs(c, name) || from_w3c(c, name))
		return;
	while (!(s = find_synonym(part))) {
		size_t dot = dm_sv_find(part, '.');

		if (dot == SIZE_MAX)
			return;
		part = dm_sv_from(part, dot + 1);
	}
	c->op = s->op;
	c->field = s->field;
	c->field2 = s->field2;
}

static void note_column(struct dm_csv_map *m, const struct dm_csv_column *c)
{
	m->known += c->op != DM_CSV_KEEP && c->op != DM_CSV_DROP;
	m->time |= c->op == DM_CSV_TIME || c->op == DM_CSV_DATE;
	if (c->op == DM_CSV_KEEP || c->op == DM_CSV_SLOT)
		return;
	m->source |= c->field == DM_F_SRC_IP || (c->op == DM_CSV_HOST && c->field2 == DM_F_SRC_IP);
	m->destination |= c->field == DM_F_DST_IP || (c->op == DM_CSV_HOST && c->field2 == DM_F_DST_IP);
	m->address |= (m->source || m->destination) && !dm_sv_ieq(dm_sv_str(c->name), DM_SV("source")) &&
		      !dm_sv_ieq(dm_sv_str(c->name), DM_SV("src")) &&
		      !dm_sv_ieq(dm_sv_str(c->name), DM_SV("dest")) &&
		      !dm_sv_ieq(dm_sv_str(c->name), DM_SV("destination")) &&
		      !dm_sv_ieq(dm_sv_str(c->name), DM_SV("dst")) &&
		      (c->field2 == DM_F_SRC_IP || c->field2 == DM_F_DST_IP);
	m->file |= (c->field >= DM_F_FILE_NAME && c->field <= DM_F_TLSH);
}

static bool has_field(const struct dm_csv_map *m, enum dm_field f)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (m->column[i].op > DM_CSV_DROP && m->column[i].op != DM_CSV_SLOT &&
		    m->column[i].field == f)
			return true;
	}
	return false;
}

/* What a row is, by what only such rows have. */
static enum dm_kind guess_kind(const struct dm_csv_map *m)
{
	if (has_field(m, DM_F_RULE_NAME) || has_field(m, DM_F_RULE_ID))
		return DM_KIND_ALERT;
	if (has_field(m, DM_F_DNS_QUERY))
		return DM_KIND_DNS;
	if (has_field(m, DM_F_URL) || has_field(m, DM_F_HTTP_STATUS) || has_field(m, DM_F_USER_AGENT))
		return DM_KIND_HTTP;
	if (has_field(m, DM_F_MAIL_FROM) && has_field(m, DM_F_MAIL_TO))
		return DM_KIND_MAIL;
	if (has_field(m, DM_F_CERT_SUBJECT) || has_field(m, DM_F_CERT_SERIAL))
		return DM_KIND_CERT;
	if (has_field(m, DM_F_SNI) || has_field(m, DM_F_JA3) || has_field(m, DM_F_JA4))
		return DM_KIND_TLS;
	if (m->file)
		return DM_KIND_FILE;
	if (has_field(m, DM_F_USER_NAME) && has_field(m, DM_F_AUTH_RESULT))
		return DM_KIND_LOGIN;
	return DM_KIND_FLOW;
}

static bool starts_row(const struct dm_csv_column *c)
{
	char key[64];
	struct dm_sv s = dm_sv(key, squeeze(dm_sv_str(c->name), key, sizeof(key)));

	return dm_sv_starts(s, DM_SV("start")) || dm_sv_starts(s, DM_SV("first")) || dm_sv_is(s, "ts") ||
	       dm_sv_is(s, "timestamp");
}

/* Tables with several times and with totals beside the parts: one time is the row's, and totals are left out.
 */
static void settle_columns(struct dm_csv_map *m)
{
	struct dm_csv_column *time = NULL, *date = NULL;

	for (uint32_t i = 0; i < m->n; i++) {
		struct dm_csv_column *c = &m->column[i];

		if (c->op == DM_CSV_DATE)
			date = c;
		else if (c->op == DM_CSV_TIME && (!time || (starts_row(c) && !starts_row(time))))
			time = c;
	}
	for (uint32_t i = 0; i < m->n; i++) {
		struct dm_csv_column *c = &m->column[i];
		char key[64];
		struct dm_sv s = dm_sv(key, squeeze(dm_sv_str(c->name), key, sizeof(key)));

		if (c->op == DM_CSV_TIME && c != time)
			c->op = DM_CSV_KEEP;
		if (!dm_sv_is(s, "bytes") && !dm_sv_is(s, "packets"))
			continue;
		for (uint32_t k = 0; k < m->n; k++) {
			if (k != i && m->column[k].op == DM_CSV_INT && m->column[k].field == c->field)
				c->op = DM_CSV_DROP;
		}
	}
	/* "date" and "time" are two halves; a date alone is the time. */
	if (date && time && !starts_row(time)) {
		date->op = time->op = DM_CSV_SLOT;
		date->field = DM_CS_DATE;
		time->field = DM_CS_TIME;
	} else if (date) {
		date->op = time ? DM_CSV_KEEP : DM_CSV_TIME;
	}
}

int dm_csv_map_init(struct dm_csv_map *m, struct dm_sv header, char delimiter)
{
	struct dm_sv name;

	memset(m, 0, sizeof(*m));
	m->delimiter = delimiter;
	m->names.max = 4u << 20;
	dm_buf_init(&m->scratch, 2 * DM_MAX_LINE);
	while (dm_csv_next(&header, delimiter, &m->scratch, &name)) {
		struct dm_csv_column *c = &m->column[m->n];
		struct dm_sv copy;

		name = dm_sv_trim(name);
		if (!name.n && delimiter == ' ')
			continue;
		if (m->n == DM_MAX_COLUMNS) {
			m->wide = true;
			break;
		}
		copy = dm_arena_copy(&m->names, name);
		if (!copy.p) {
			dm_csv_map_done(m);
			return DM_ENOMEM;
		}
		/* dm_arena_copy puts a NUL behind; a name that holds one is cut there. */
		c->name = (char *)(uintptr_t)copy.p;
		m->n++;
		name_column(c, copy);
		note_column(m, c);
	}
	settle_columns(m);
	m->kind = guess_kind(m);
	dm_buf_clear(&m->scratch);
	return m->known ? 0 : DM_EFORMAT;
}

void dm_csv_map_done(struct dm_csv_map *m)
{
	dm_arena_done(&m->names);
	dm_buf_done(&m->scratch);
}

char dm_csv_sniff(struct dm_sv header)
{
	static const char delimiters[] = {',', '\t', ';', '|', ' '};
	struct dm_csv_map *m = dm_alloc(sizeof(*m));
	unsigned best = 0;
	char found = ',';

	for (size_t i = 0; m && i < sizeof(delimiters); i++) {
		if (dm_csv_map_init(m, header, delimiters[i]) == DM_ENOMEM)
			break;
		if (m->n > 1 && m->known > best) {
			best = m->known;
			found = delimiters[i];
		}
		dm_csv_map_done(m);
	}
	dm_free(m);
	return found;
}
