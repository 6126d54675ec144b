/* csv_row.c: a row of an evidence table to a record; the columns are those of csv_map.c. */
#include "base/limits.h"
#include "base/text.h"
#include "import/csv_map.h"
#include "import/extract.h"

/* How exports spell "nothing". */
static bool is_nothing(struct dm_sv s)
{
	static const char *const marks[] = {"-",    "N/A",    "n/a", "NA",  "null", "NULL",   "None",
					    "none", "(null)", "nil", "NaN", "nan",  "(empty)"};

	if (!s.n)
		return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (dm_sv_is(s, marks[i]))
			return true;
	}
	return false;
}

static bool read_hex(struct dm_sv s, int64_t *ret)
{
	uint64_t v = 0;

	if (s.n < 3 || s.n > 17 || s.p[0] != '0' || (s.p[1] | 0x20) != 'x')
		return false;
	for (size_t i = 2; i < s.n; i++) {
		unsigned c = (unsigned char)s.p[i], digit = c - '0';

		if (digit > 9)
			digit = (c | 0x20) - 'a' + 10;
		if (digit > 15 || (c > '9' && digit < 10))
			return false;
		v = v << 4 | digit;
	}
	*ret = (int64_t)v;
	return *ret >= 0;
}

static bool read_int(struct dm_sv s, int64_t *ret)
{
	size_t dot = dm_sv_find(s, '.');

	if (read_hex(s, ret))
		return true;
	if (dot != SIZE_MAX && dot > 0) { /* "60.0" of a spreadsheet */
		for (size_t i = dot + 1; i < s.n; i++) {
			if (s.p[i] != '0')
				return false;
		}
		s.n = dot;
	}
	return dm_sv_i64(s, ret) && *ret != DM_NO_INT;
}

/* Seconds, milli-, micro- or nanoseconds since the epoch, by magnitude: seconds have ten digits until 2286.
 */
static bool read_epoch(struct dm_sv s, int64_t *ret)
{
	int64_t v;

	if (dm_sv_find(s, '.') != SIZE_MAX || !dm_sv_i64(s, &v) || v < 100000000000ll)
		return false;
	if (v < 100000000000000ll)
		*ret = v * 1000;
	else if (v < 100000000000000000ll)
		*ret = v;
	else
		*ret = v / 1000;
	return true;
}

/* 19/Apr/2024:10:00:00 +0200, as web servers write it. */
static bool read_clf(struct dm_sv s, int64_t *ret)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[32];
	size_t m = 0;

	if (s.n && s.p[0] == '[')
		s = dm_sv_from(s, 1);
	if (s.n && s.p[s.n - 1] == ']')
		s.n--;
	if (s.n < 20 || s.n > 27 || s.p[2] != '/' || s.p[6] != '/' || s.p[11] != ':')
		return false;
	while (m < 12 && memcmp(months + 3 * m, s.p + 3, 3))
		m++;
	if (m == 12)
		return false;
	memcpy(text, s.p + 7, 4);
	text[4] = text[7] = '-';
	text[5] = (char)('0' + (m + 1) / 10);
	text[6] = (char)('0' + (m + 1) % 10);
	memcpy(text + 8, s.p, 2);
	text[10] = 'T';
	memcpy(text + 11, s.p + 12, 8);
	m = 19;
	for (size_t i = 20; i < s.n; i++) {
		if (s.p[i] != ' ')
			text[m++] = s.p[i];
	}
	return dm_time_parse(dm_sv(text, m), ret);
}

static bool read_time(struct dm_sv s, int64_t *ret)
{
	return read_epoch(s, ret) || dm_read_moment(s, ret) || read_clf(s, ret);
}

static void put_time(struct dm_csv_map *m, struct dm_record *rec, const char *name, struct dm_sv s)
{
	if (read_time(s, &rec->time))
		return;
	m->undated = true;
	dm_record_unparsed(rec, name, s);
}

/* "......S.", "AP.S", "0x12", "18". */
static bool read_flags(struct dm_sv s, int64_t *ret)
{
	static const char letters[] = "FSRPAUEC";
	int64_t v = 0;

	if (read_int(s, ret))
		return *ret >= 0 && *ret <= 0xffff;
	for (size_t i = 0; i < s.n; i++) {
		const char *hit = s.p[i] ? strchr(letters, s.p[i]) : NULL;

		if (hit)
			v |= 1 << (hit - letters);
		else if (s.p[i] != '.' && s.p[i] != '_')
			return false;
	}
	*ret = v;
	return true;
}

static bool is_mac(struct dm_sv s)
{
	return s.n == 17 && (s.p[2] == ':' || s.p[2] == '-') && s.p[5] == s.p[2] && s.p[8] == s.p[2] &&
	       s.p[14] == s.p[2];
}

static bool is_zero_mac(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '0' && s.p[i] != ':' && s.p[i] != '-' && s.p[i] != '.')
			return false;
	}
	return true;
}

static void put_host(struct dm_record *rec, const struct dm_csv_column *c, struct dm_sv s)
{
	bool end = c->field2 == DM_F_SRC_IP || c->field2 == DM_F_DST_IP;

	/* Argus: 0 where a protocol has no addresses. */
	if (dm_sv_is(s, "0"))
		return;
	if (!end || !is_mac(s))
		dm_record_host(rec, c->field, c->field2, s);
	else if (!is_zero_mac(s))
		dm_record_text(rec, c->field2 == DM_F_SRC_IP ? DM_F_SRC_MAC : DM_F_DST_MAC, s);
}

static void put_address(struct dm_record *rec, const struct dm_csv_column *c, struct dm_sv s)
{
	struct dm_ip ip;

	if (!dm_ip_parse(s, &ip))
		dm_record_unparsed(rec, c->name, s);
	else if (!dm_ip_is4(&ip) || dm_ip_v4(&ip))
		dm_record_ip(rec, c->field, &ip);
}

/* "SHA1=...,MD5=...,IMPHASH=...", or one digest. */
static void put_hashes(struct dm_record *rec, struct dm_sv s)
{
	if (dm_sv_find(s, '=') == SIZE_MAX) {
		dm_record_hash(rec, s);
		return;
	}
	while (s.p) {
		struct dm_sv value = dm_sv_trim(dm_sv_split(&s, ',')), algorithm = dm_sv_split(&value, '=');

		if (!value.p)
			value = algorithm;
		if (dm_sv_ieq(algorithm, DM_SV("IMPHASH"))) /* of imports, not of the file */
			dm_record_unparsed(rec, "imphash", value);
		else
			dm_record_hash(rec, value);
	}
}

static void put_ints(struct dm_record *rec, const struct dm_csv_column *c, struct dm_sv s)
{
	/* Numbers that nothing stands behind if they are 0. */
	bool id = c->field == DM_F_VLAN || c->field == DM_F_IF_IN || c->field == DM_F_IF_OUT;
	int64_t v;
	bool ok;

	switch ((enum dm_csv_op)c->op) {
	case DM_CSV_SECONDS:
		ok = dm_read_seconds(s, &v);
		break;
	case DM_CSV_MILLIS:
		ok = dm_read_seconds(s, &v);
		v = ok ? v / 1000 : 0;
		break;
	case DM_CSV_NANOS:
		ok = dm_sv_i64(s, &v);
		v = ok ? v / 1000 : 0;
		break;
	case DM_CSV_FLAGS:
		ok = read_flags(s, &v);
		break;
	case DM_CSV_MOMENT:
		ok = read_time(s, &v);
		break;
	case DM_CSV_BOOL:
		ok = true;
		if (dm_sv_ieq(s, DM_SV("true")) || dm_sv_is(s, "T") || dm_sv_is(s, "1"))
			v = 1;
		else if (dm_sv_ieq(s, DM_SV("false")) || dm_sv_is(s, "F") || dm_sv_is(s, "0"))
			v = 0;
		else
			ok = false;
		break;
	default:
		ok = read_int(s, &v);
		break;
	}
	if (!ok)
		dm_record_unparsed(rec, c->name, s);
	else if (v || !id)
		dm_record_int(rec, c->field, v);
}

static void put_kept(struct dm_record *rec, const char *name, struct dm_sv s)
{
	struct dm_ip ip;

	if (s.n >= 2 && s.n < 64 && dm_ip_parse(s, &ip)) {
		if (!dm_ip_is4(&ip) || dm_ip_v4(&ip))
			dm_record_ip(rec, DM_F_IP, &ip);
		return;
	}
	dm_record_unparsed(rec, name, s);
}

static void put_field(struct dm_csv_map *m, struct dm_record *rec, const struct dm_csv_column *c,
		      struct dm_sv s)
{
	enum dm_kind kind;

	switch ((enum dm_csv_op)c->op) {
	case DM_CSV_KEEP:
		put_kept(rec, c->name, s);
		break;
	case DM_CSV_DROP:
	case DM_CSV_DATE:
		break;
	case DM_CSV_TIME:
		put_time(m, rec, c->name, s);
		break;
	case DM_CSV_MOMENT:
	case DM_CSV_SECONDS:
	case DM_CSV_MILLIS:
	case DM_CSV_NANOS:
	case DM_CSV_INT:
	case DM_CSV_BOOL:
	case DM_CSV_FLAGS:
		put_ints(rec, c, s);
		break;
	case DM_CSV_TEXT:
		/* AS 0 and address 0.0.0.0 stand for "not known" (RFC 7607). */
		if ((c->field != DM_F_SRC_AS && c->field != DM_F_DST_AS) || !dm_sv_is(s, "0"))
			dm_record_text(rec, c->field, s);
		break;
	case DM_CSV_LOWER:
		dm_put_lower(rec, c->field, s);
		break;
	case DM_CSV_HOST:
		put_host(rec, c, s);
		break;
	case DM_CSV_ADDRESS:
		put_address(rec, c, s);
		break;
	case DM_CSV_MAC:
		if (!is_zero_mac(s))
			dm_record_text(rec, c->field, s);
		break;
	case DM_CSV_FORWARDED:
		if (!dm_put_addresses(rec, c->field, s))
			dm_record_unparsed(rec, c->name, s);
		break;
	case DM_CSV_TRANSPORT:
		dm_put_transport(rec, s);
		break;
	case DM_CSV_FILE:
		dm_put_file(rec, s);
		break;
	case DM_CSV_HASHES:
		put_hashes(rec, s);
		break;
	case DM_CSV_MAIL:
		dm_put_mail(rec, c->field, c->name, s);
		break;
	case DM_CSV_ANSWER:
		dm_put_answer(rec, s);
		break;
	case DM_CSV_KIND:
		kind = dm_kind_from_name(s);
		if (kind)
			rec->kind = kind;
		else
			dm_record_unparsed(rec, c->name, s);
		break;
	case DM_CSV_SLOT:
		m->slot[c->field] = s;
		break;
	}
}

static struct dm_value *find_value(struct dm_record *rec, enum dm_field f)
{
	for (uint32_t i = 0; i < rec->count; i++) {
		if (rec->v[i].field == f)
			return &rec->v[i];
	}
	return NULL;
}

/* Argus gives the total and the source's share. */
static void put_share(struct dm_record *rec, const char *total_name, struct dm_sv total, struct dm_sv part,
		      enum dm_field src, enum dm_field dst)
{
	int64_t t, p;
	bool has_part = read_int(part, &p), has_total = read_int(total, &t);

	if (has_part)
		dm_record_int(rec, src, p);
	else if (part.n)
		dm_record_unparsed(rec, "source share", part);
	if (has_part && has_total && t >= p && p >= 0)
		dm_record_int(rec, dst, t - p);
	else if (total.n)
		dm_record_unparsed(rec, total_name, total);
}

/* Argus and NetFlow write the ICMP type and code where others have ports. */
static void finish_icmp(struct dm_record *rec)
{
	struct dm_value *transport = find_value(rec, DM_F_TRANSPORT), *type = find_value(rec, DM_F_SRC_PORT);
	struct dm_value *code = find_value(rec, DM_F_DST_PORT);

	if (!transport || (!dm_sv_is(transport->text, "icmp") && !dm_sv_is(transport->text, "ipv6-icmp") &&
			   !dm_sv_is(transport->text, "icmp6")))
		return;
	/* NetFlow: destination port = type * 256 + code, source port 0. */
	if (type && code && type->i == 0 && code->i >= 256 && code->i <= 0xffff) {
		type->i = code->i >> 8;
		code->i &= 255;
	}
	if (type && type->i >= 0 && type->i <= 255)
		type->field = DM_F_ICMP_TYPE;
	if (code && code->i >= 0 && code->i <= 255) {
		code->field = DM_F_ICMP_CODE;
	} else if (code) { /* Argus: the identifier of an echo */
		struct dm_buf b;

		dm_buf_init(&b, 32);
		dm_buf_i64(&b, code->i);
		*code = rec->v[--rec->count];
		dm_record_unparsed(rec, "icmp.id", dm_buf_view(&b));
		dm_buf_done(&b);
	}
}

static void finish_http(struct dm_csv_map *m, struct dm_record *rec)
{
	struct dm_http h = {
		.method = m->slot[DM_CS_METHOD], .host = m->slot[DM_CS_HOST], .uri = m->slot[DM_CS_URI]};
	struct dm_value *port = find_value(rec, DM_F_DST_PORT);
	struct dm_buf b;

	if (!h.uri.n && !h.host.n) {
		dm_record_text(rec, DM_F_HTTP_METHOD, h.method);
		return;
	}
	dm_buf_init(&b, 2 * DM_MAX_LINE);
	if (m->slot[DM_CS_QUERY].n && h.uri.n) {
		dm_buf_sv(&b, h.uri);
		dm_buf_putc(&b, '?');
		dm_buf_sv(&b, m->slot[DM_CS_QUERY]);
		h.uri = dm_buf_view(&b);
	}
	h.port = port ? port->i : 0;
	h.tls = h.port == 443;
	if (h.uri.n) {
		struct dm_sv kept = dm_arena_copy(&rec->arena, h.uri);

		h.uri = kept.p ? kept : dm_sv("", 0);
	}
	dm_put_http(rec, &h);
	dm_buf_done(&b);
}

static void finish_time(struct dm_csv_map *m, struct dm_record *rec)
{
	struct dm_sv date = m->slot[DM_CS_DATE], time = m->slot[DM_CS_TIME];
	char text[64];

	if (!date.n && !time.n)
		return;
	if (date.n + time.n + 1 > sizeof(text)) {
		dm_record_unparsed(rec, "date", date);
		dm_record_unparsed(rec, "time", time);
		return;
	}
	memcpy(text, date.p, date.n);
	text[date.n] = ' ';
	memcpy(text + date.n + 1, time.p, time.n);
	if (date.n && time.n)
		put_time(m, rec, "date", dm_sv(text, date.n + 1 + time.n));
	else
		put_time(m, rec, date.n ? "date" : "time", date.n ? date : time);
}

uint32_t dm_csv_map_row(struct dm_csv_map *m, struct dm_sv row, uint64_t line, struct dm_record *rec)
{
	struct dm_sv field[DM_MAX_COLUMNS + 1], s;
	uint32_t n = 0;

	dm_buf_clear(&m->scratch);
	while (n <= DM_MAX_COLUMNS && dm_csv_next(&row, m->delimiter, &m->scratch, &s)) {
		if (!s.n && m->delimiter == ' ')
			continue;
		field[n++] = s;
	}
	/* A delimiter at the end of every row is common. */
	while (n > m->n && !field[n - 1].n)
		n--;
	if (n != m->n)
		return n ? n : 1;
	dm_record_start(rec, m->kind, DM_NO_TIME, line);
	memset(m->slot, 0, sizeof(m->slot));
	for (uint32_t i = 0; i < n; i++) {
		if (m->column[i].op == DM_CSV_DROP)
			continue;
		s = dm_sv_trim(field[i]);
		if (!is_nothing(s))
			put_field(m, rec, &m->column[i], s);
	}
	finish_time(m, rec);
	put_share(rec, "TotPkts", m->slot[DM_CS_PACKETS], m->slot[DM_CS_SRC_PACKETS], DM_F_SRC_PACKETS,
		  DM_F_DST_PACKETS);
	put_share(rec, "TotBytes", m->slot[DM_CS_BYTES], m->slot[DM_CS_SRC_BYTES], DM_F_SRC_BYTES,
		  DM_F_DST_BYTES);
	finish_icmp(rec);
	finish_http(m, rec);
	return 0;
}
