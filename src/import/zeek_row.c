#include "import/zeek_row.h"

#include "import/extract.h"

struct dm_zeek_row *dm_zeek_row_new(void)
{
	struct dm_zeek_row *row = dm_calloc(1, sizeof(*row));

	if (row)
		dm_record_init(&row->rec);
	return row;
}

void dm_zeek_row_free(struct dm_zeek_row *row)
{
	if (!row)
		return;
	dm_record_done(&row->rec);
	dm_free(row);
}

void dm_zeek_action_make(struct dm_zeek_action *a, const char *log, const char *name)
{
	const struct dm_zeek_rule *rule = dm_zeek_rule_find(log, dm_sv_str(name));

	*a = (struct dm_zeek_action){.op = DM_ZEEK_KEEP, .name = name};
	if (!rule)
		return;
	a->op = rule->op;
	a->field = rule->field;
	a->field2 = rule->field2;
	if (a->op == DM_ZEEK_PUT) {
		a->field_type = (uint8_t)dm_field_info[a->field].type;
		a->obs = (uint8_t)dm_field_info[a->field].obs;
	}
}

bool dm_zeek_is_container(struct dm_sv column)
{
	static const char *const names[] = {"tunnel_parents",
					    "answers",
					    "TTLs",
					    "tags",
					    "proxied",
					    "orig_fuids",
					    "orig_filenames",
					    "orig_mime_types",
					    "resp_fuids",
					    "resp_filenames",
					    "resp_mime_types",
					    "cert_chain_fps",
					    "client_cert_chain_fps",
					    "cert_chain_fuids",
					    "client_cert_chain_fuids",
					    "tx_hosts",
					    "rx_hosts",
					    "conn_uids",
					    "analyzers",
					    "san.dns",
					    "san.uri",
					    "san.email",
					    "san.ip",
					    "rcptto",
					    "to",
					    "cc",
					    "path",
					    "fuids",
					    "actions",
					    "email_dest",
					    "uids",
					    "msg_types",
					    "request_path",
					    "response_path",
					    "section_names",
					    "matched",
					    "sources",
					    "client_channels",
					    "service_set"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (dm_sv_is(column, names[i]))
			return true;
	}
	return false;
}

void dm_zeek_row_start(struct dm_zeek_row *row, uint64_t line)
{
	dm_record_start(&row->rec, row->log->kind, DM_NO_TIME, line);
	if (row->log->finish > DM_ZF_ICMP)
		memset(row->slot, 0, sizeof(row->slot));
}

static bool read_bool(struct dm_sv s, bool *ret)
{
	if (dm_sv_is(s, "T") || dm_sv_is(s, "true") || dm_sv_is(s, "1"))
		*ret = true;
	else if (dm_sv_is(s, "F") || dm_sv_is(s, "false") || dm_sv_is(s, "0"))
		*ret = false;
	else
		return false;
	return true;
}

/* "134.0" is how some JSON writers print a count. */
static bool read_int(struct dm_sv s, int64_t *ret)
{
	size_t dot = dm_sv_find(s, '.');

	if (dot != SIZE_MAX && dot > 0) {
		for (size_t i = dot + 1; i < s.n; i++) {
			if (s.p[i] != '0')
				return false;
		}
		s.n = dot;
	}
	return dm_sv_i64(s, ret) && *ret != DM_NO_INT;
}

static void put_typed(struct dm_zeek_row *row, const struct dm_zeek_action *a, struct dm_sv s)
{
	struct dm_record *rec = &row->rec;
	int64_t number;
	bool yes;

	switch ((enum dm_field_type)a->field_type) {
	case DM_T_TIME:
		if (dm_read_moment(s, &number)) {
			dm_record_int(rec, a->field, number);
			return;
		}
		break;
	case DM_T_SPAN:
		if (dm_read_seconds(s, &number)) {
			dm_record_int(rec, a->field, number);
			return;
		}
		break;
	case DM_T_INT:
		if (read_int(s, &number)) {
			dm_record_int(rec, a->field, number);
			return;
		}
		break;
	case DM_T_BOOL:
		if (read_bool(s, &yes)) {
			dm_record_int(rec, a->field, yes);
			return;
		}
		break;
	case DM_T_IP:
	case DM_T_TEXT:
		dm_record_text(rec, a->field, s);
		return;
	}
	dm_record_unparsed(rec, a->name, s);
}

static void put_proxied(struct dm_zeek_row *row, const struct dm_zeek_action *a, struct dm_sv s)
{
	/* base/protocols/http: each is "HEADER -> value". VIA names proxies, the others the client. */
	if (!dm_sv_starts(s, DM_SV("VIA ")) && dm_put_addresses(&row->rec, a->field, s))
		return;
	if (!dm_sv_starts(s, DM_SV("PROXY-CONNECTION ")))
		dm_record_unparsed(&row->rec, a->name, s);
}

/* "60.000000", "60.0" and "60" are one text. */
static void put_seconds(struct dm_zeek_row *row, const struct dm_zeek_action *a, struct dm_sv s)
{
	if (dm_sv_find(s, '.') != SIZE_MAX) {
		while (s.n && s.p[s.n - 1] == '0')
			s.n--;
		if (s.n && s.p[s.n - 1] == '.')
			s.n--;
	}
	dm_record_text(&row->rec, a->field, s);
}

static void put_list(struct dm_zeek_row *row, const struct dm_zeek_action *a, struct dm_sv s)
{
	while (s.p)
		dm_record_text(&row->rec, a->field, dm_sv_split(&s, ','));
}

static void put_address_or_keep(struct dm_zeek_row *row, const struct dm_zeek_action *a, struct dm_sv s)
{
	struct dm_ip ip;

	/* Two characters make the shortest address, "::"; a bare number is none. */
	if (s.n >= 2 && s.n < 64 && dm_ip_parse(s, &ip))
		dm_record_ip(&row->rec, a->op == DM_ZEEK_ADDRESS ? a->field : DM_F_IP, &ip);
	else if (a->op == DM_ZEEK_KEEP)
		dm_record_unparsed(&row->rec, a->name, s);
}

void dm_zeek_row_put(struct dm_zeek_row *row, const struct dm_zeek_action *a, struct dm_sv s)
{
	struct dm_record *rec = &row->rec;
	bool yes;

	switch ((enum dm_zeek_op)a->op) {
	case DM_ZEEK_DROP:
		break;
	case DM_ZEEK_TIME:
		if (!dm_read_moment(s, &rec->time))
			dm_record_unparsed(rec, a->name, s);
		break;
	case DM_ZEEK_PUT:
		put_typed(row, a, s);
		break;
	case DM_ZEEK_LOWER:
		dm_put_lower(rec, a->field, s);
		break;
	case DM_ZEEK_LIST:
		put_list(row, a, s);
		break;
	case DM_ZEEK_HOST:
		dm_record_host(rec, a->field, a->field2, s);
		break;
	case DM_ZEEK_ANSWER:
		dm_put_answer(rec, s);
		break;
	case DM_ZEEK_SECONDS:
		put_seconds(row, a, s);
		break;
	case DM_ZEEK_FLAG:
		if (read_bool(s, &yes) && yes)
			dm_record_text(rec, a->field, dm_sv_str(a->name));
		break;
	case DM_ZEEK_OUTCOME:
		if (read_bool(s, &yes))
			s = yes ? DM_SV("success") : DM_SV("failure");
		dm_record_text(rec, a->field, s);
		break;
	case DM_ZEEK_MAIL:
		dm_put_mail(rec, a->field, a->name, s);
		break;
	case DM_ZEEK_FILE:
		dm_put_file(rec, s);
		break;
	case DM_ZEEK_SUBJECT:
		dm_put_subject(rec, a->field, s);
		break;
	case DM_ZEEK_PROXIED:
		put_proxied(row, a, s);
		break;
	case DM_ZEEK_SLOT:
		row->slot[a->field] = s;
		break;
	case DM_ZEEK_KEEP:
	case DM_ZEEK_ADDRESS:
		put_address_or_keep(row, a, s);
		break;
	}
}

/* Zeek keeps the ICMP type where other protocols have a port. Type pairs that answer each other have the
 * partner's type in place of the code (analyzer/protocol/icmp, ICMP4_counterpart and ICMP6_counterpart): then
 * the code is not known. */
static void finish_icmp(struct dm_record *rec)
{
	static const uint8_t paired[] = {0,   8,   9,	10,  13,  14,  15,  16,	 17,  18,  37,	38,
					 128, 129, 130, 131, 133, 134, 135, 136, 139, 140, 144, 145};
	struct dm_value *type = NULL, *code = NULL;
	bool icmp = false;

	for (uint32_t i = 0; i < rec->count; i++) {
		struct dm_value *v = &rec->v[i];

		if (v->field == DM_F_SRC_PORT)
			type = v;
		else if (v->field == DM_F_DST_PORT)
			code = v;
		else if (v->field == DM_F_TRANSPORT) {
			icmp = dm_sv_is(v->text, "icmp");
			if (!icmp)
				return;
		}
	}
	if (!icmp || !type || !code)
		return;
	type->field = DM_F_ICMP_TYPE;
	code->field = DM_F_ICMP_CODE;
	for (size_t i = 0; i < sizeof(paired); i++) {
		if (type->i == paired[i]) {
			*code = rec->v[--rec->count];
			return;
		}
	}
}

static void finish_http(struct dm_zeek_row *row)
{
	struct dm_record *rec = &row->rec;
	struct dm_http h = {.method = row->slot[DM_ZS_METHOD],
			    .host = row->slot[DM_ZS_HOST],
			    .uri = row->slot[DM_ZS_URI]};
	struct dm_buf b;

	dm_buf_init(&b, 64);
	for (uint32_t i = 0; i < rec->count; i++) {
		if (rec->v[i].field == DM_F_DST_PORT)
			h.port = rec->v[i].i;
		if (rec->v[i].field == DM_F_DST_IP && !h.host.n && !b.n)
			dm_ip_put(&b, &rec->v[i].ip);
	}
	h.tls = h.port == 443;
	h.server_ip = dm_buf_view(&b);
	dm_put_http(rec, &h);
	dm_buf_done(&b);
}

static void put_if(struct dm_record *rec, enum dm_field f, struct dm_sv s)
{
	int64_t v;

	if (dm_field_info[f].type != DM_T_INT)
		dm_record_text(rec, f, s);
	else if (read_int(s, &v))
		dm_record_int(rec, f, v);
}

/* Zeek 6 and later name the connection, older ones the hosts that sent and received. Here the source is
 * always who sent the file. */
static void finish_files(struct dm_zeek_row *row)
{
	const struct dm_sv *slot = row->slot;
	struct dm_record *rec = &row->rec;
	bool is_orig = dm_sv_is(slot[DM_ZS_IS_ORIG], "T") || dm_sv_is(slot[DM_ZS_IS_ORIG], "true");

	put_if(rec, is_orig ? DM_F_SRC_IP : DM_F_DST_IP, slot[DM_ZS_ORIG_H]);
	put_if(rec, is_orig ? DM_F_SRC_PORT : DM_F_DST_PORT, slot[DM_ZS_ORIG_P]);
	put_if(rec, is_orig ? DM_F_DST_IP : DM_F_SRC_IP, slot[DM_ZS_RESP_H]);
	put_if(rec, is_orig ? DM_F_DST_PORT : DM_F_SRC_PORT, slot[DM_ZS_RESP_P]);
	put_if(rec, DM_F_FILE_SIZE, slot[DM_ZS_TOTAL].n ? slot[DM_ZS_TOTAL] : slot[DM_ZS_SEEN]);
	if (slot[DM_ZS_SOURCE].n)
		dm_put_lower(rec, DM_F_PROTOCOL, slot[DM_ZS_SOURCE]);
	dm_record_text(rec, DM_F_FILE_MIME, slot[DM_ZS_MIME]);
	dm_record_text(rec, DM_F_MD5, slot[DM_ZS_MD5]);
	dm_record_text(rec, DM_F_SHA1, slot[DM_ZS_SHA1]);
	dm_record_text(rec, DM_F_SHA256, slot[DM_ZS_SHA256]);
	/* The hash of a certificate as a file is its fingerprint: for older Zeeks the only place where it
	 * stands. */
	if (dm_sv_is(slot[DM_ZS_MIME], "application/x-x509-user-cert") ||
	    dm_sv_is(slot[DM_ZS_MIME], "application/x-x509-ca-cert") ||
	    dm_sv_is(slot[DM_ZS_MIME], "application/pkix-cert")) {
		dm_record_text(rec, DM_F_CERT_FINGERPRINT, slot[DM_ZS_MD5]);
		dm_record_text(rec, DM_F_CERT_FINGERPRINT, slot[DM_ZS_SHA1]);
		dm_record_text(rec, DM_F_CERT_FINGERPRINT, slot[DM_ZS_SHA256]);
	}
}

static bool has_ip(const struct dm_record *rec, const struct dm_ip *ip)
{
	for (uint32_t i = 0; i < rec->count; i++) {
		if (rec->v[i].type == DM_T_IP && !memcmp(&rec->v[i].ip, ip, sizeof(*ip)))
			return true;
	}
	return false;
}

static bool has_field(const struct dm_record *rec, enum dm_field f)
{
	for (uint32_t i = 0; i < rec->count; i++) {
		if (rec->v[i].field == f)
			return true;
	}
	return false;
}

/* A notice names a connection, or only the hosts, or both. */
static void finish_notice(struct dm_zeek_row *row)
{
	struct dm_record *rec = &row->rec;
	bool connection = has_field(rec, DM_F_SRC_IP);
	struct dm_ip ip;

	for (int i = 0; i < 2; i++) {
		struct dm_sv s = row->slot[i ? DM_ZS_DST : DM_ZS_SRC];

		if (!s.n)
			continue;
		if (!dm_ip_parse(s, &ip))
			dm_record_unparsed(rec, i ? "dst" : "src", s);
		else if (!connection)
			dm_record_ip(rec, i ? DM_F_DST_IP : DM_F_SRC_IP, &ip);
		else if (!has_ip(rec, &ip))
			dm_record_ip(rec, DM_F_IP, &ip);
	}
	if (!has_field(rec, DM_F_DST_PORT))
		put_if(rec, DM_F_DST_PORT, row->slot[DM_ZS_PORT]);
}

static void finish_intel(struct dm_zeek_row *row)
{
	static const struct {
		const char *type;
		enum dm_field field;
	} types[] = {{"Intel::ADDR", DM_F_IP},
		     {"Intel::DOMAIN", DM_F_DOMAIN},
		     {"Intel::URL", DM_F_RELATED_URL},
		     {"Intel::EMAIL", DM_F_EMAIL},
		     {"Intel::SOFTWARE", DM_F_USER_AGENT},
		     {"Intel::USER_NAME", DM_F_USER_NAME},
		     {"Intel::CERT_HASH", DM_F_CERT_FINGERPRINT},
		     {"Intel::FILE_NAME", DM_F_FILE_NAME}};
	struct dm_sv type = row->slot[DM_ZS_TYPE], value = row->slot[DM_ZS_VALUE];
	struct dm_record *rec = &row->rec;

	if (!value.n)
		return;
	if (dm_sv_is(type, "Intel::FILE_HASH")) {
		dm_record_hash(rec, value);
		return;
	}
	if (dm_sv_is(type, "Intel::URL") && dm_sv_find(value, ':') == SIZE_MAX) {
		/* The intelligence framework writes URLs without scheme. */
		struct dm_buf b;

		dm_buf_init(&b, 2u << 20);
		dm_buf_str(&b, "http://");
		dm_buf_sv(&b, value);
		value = dm_arena_copy(&rec->arena, dm_buf_view(&b));
		dm_buf_done(&b);
		if (!value.p)
			return;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (dm_sv_is(type, types[i].type)) {
			dm_record_text(rec, types[i].field, value);
			return;
		}
	}
	dm_record_unparsed(rec, "seen.indicator", value);
}

static void finish_software(struct dm_zeek_row *row)
{
	struct dm_sv type = row->slot[DM_ZS_TYPE];
	enum dm_field f = DM_F_CLIENT_SOFTWARE;

	if (dm_sv_is(type, "HTTP::BROWSER"))
		f = DM_F_USER_AGENT;
	else if (dm_sv_ends(type, DM_SV("SERVER")))
		f = DM_F_SERVER_SOFTWARE;
	dm_record_text(&row->rec, f, row->slot[DM_ZS_VALUE]);
	dm_record_text(&row->rec, DM_F_RULE_CATEGORY, type);
}

static void finish_ftp(struct dm_zeek_row *row)
{
	struct dm_sv arg = row->slot[DM_ZS_VALUE];

	if (!arg.n)
		return;
	if (dm_sv_starts(arg, DM_SV("ftp://"))) {
		dm_record_text(&row->rec, DM_F_URL, arg);
		for (size_t i = arg.n; i > 6; i--) {
			if (arg.p[i - 1] == '/') {
				dm_record_text(&row->rec, DM_F_FILE_NAME, dm_sv_from(arg, i));
				break;
			}
		}
		return;
	}
	dm_record_unparsed(&row->rec, "arg", arg);
}

/* The same few bytes on every row, known to be ASCII: straight into the record. */
static void put_dataset(struct dm_zeek_row *row)
{
	struct dm_record *rec = &row->rec;
	struct dm_value *v = &rec->v[rec->count];

	if (rec->count == DM_RECORD_VALUES) {
		rec->dropped++;
		return;
	}
	v->field = DM_F_DATASET;
	v->type = DM_T_TEXT;
	v->obs = DM_OBS_NONE;
	v->text = row->dataset;
	rec->per_field[DM_F_DATASET]++;
	rec->text_bytes += row->dataset.n;
	rec->count++;
}

void dm_zeek_row_finish(struct dm_zeek_row *row)
{
	switch (row->log->finish) {
	case DM_ZF_NONE:
		break;
	case DM_ZF_ICMP:
		finish_icmp(&row->rec);
		break;
	case DM_ZF_HTTP:
		finish_http(row);
		break;
	case DM_ZF_FILES:
		finish_files(row);
		break;
	case DM_ZF_NOTICE:
		finish_notice(row);
		break;
	case DM_ZF_INTEL:
		finish_intel(row);
		break;
	case DM_ZF_SOFTWARE:
		finish_software(row);
		break;
	case DM_ZF_FTP:
		finish_ftp(row);
		break;
	}
	if (row->log->protocol)
		dm_record_text(&row->rec, DM_F_PROTOCOL, dm_sv_str(row->log->protocol));
	put_dataset(row);
}

bool dm_zeek_row_tells(const struct dm_zeek_row *row)
{
	for (uint32_t i = 0; i < row->rec.count; i++) {
		if (dm_field_info[row->rec.v[i].field].obs != DM_OBS_NONE)
			return true;
	}
	return false;
}
