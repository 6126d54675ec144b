/* eve.c: Suricata's eve.json. Every event is walked once; the table of eve_map.c says what each value means,
 * so that an alert that carries the request, the query or the files it fired on is found by them as well. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "import/eve_map.h"
#include "import/extract.h"
#include "import/json_feed.h"

#define MAX_PATH 256u /* of a value in an event; longer ones are of nobody we know */

struct state {
	struct dm_record *rec;
	const struct dm_json *doc;
	const struct dm_eve_event *event;
	struct dm_sv type;
	struct dm_sv slot[DM_ES_COUNT];
	char path[MAX_PATH];
	char dataset[64];
	struct dm_passed passed;
};

static bool has_value(const struct dm_record *rec, enum dm_field f, struct dm_sv s, const struct dm_ip *ip)
{
	for (uint32_t i = 0; rec->per_field[f] && i < rec->count; i++) {
		const struct dm_value *v = &rec->v[i];

		if (v->field == f && (ip ? !memcmp(&v->ip, ip, sizeof(*ip)) : dm_sv_ieq(v->text, s)))
			return true;
	}
	return false;
}

/* The long and the grouped form of an answer say the same thing twice. */
static void put_answer(struct dm_record *rec, struct dm_sv s)
{
	struct dm_ip ip;

	/* Full: the search for an equal one would make a hostile event cost the square of its length. */
	if (rec->per_field[DM_F_DNS_ANSWER_IP] == DM_MAX_VALUES ||
	    rec->per_field[DM_F_DNS_ANSWER_NAME] == DM_MAX_VALUES ||
	    rec->per_field[DM_F_DNS_ANSWER_TEXT] == DM_MAX_VALUES) {
		rec->dropped++;
		return;
	}

	if (s.n >= 2 && s.n < 64 && dm_ip_parse(s, &ip)) {
		if (!has_value(rec, DM_F_DNS_ANSWER_IP, s, &ip))
			dm_record_ip(rec, DM_F_DNS_ANSWER_IP, &ip);
		return;
	}
	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	if (!has_value(rec, DM_F_DNS_ANSWER_NAME, s, NULL) && !has_value(rec, DM_F_DNS_ANSWER_TEXT, s, NULL))
		dm_put_answer(rec, s);
}

static void put_hex(struct dm_record *rec, enum dm_field f, struct dm_sv s)
{
	char out[160];
	size_t n = 0;

	if (dm_sv_find(s, ':') == SIZE_MAX || s.n > 3 * sizeof(out) / 2) {
		dm_record_text(rec, f, s);
		return;
	}
	for (size_t i = 0; i < s.n && n < sizeof(out); i++) {
		if (s.p[i] != ':')
			out[n++] = s.p[i];
	}
	s = dm_arena_copy(&rec->arena, dm_sv(out, n));
	if (s.p)
		dm_record_text(rec, f, s);
	else
		rec->dropped++;
}

static void put_address(struct dm_record *rec, enum dm_field f, const char *path, struct dm_sv s)
{
	struct dm_ip ip;

	if (!dm_ip_parse(s, &ip))
		dm_record_unparsed(rec, path, s);
	else if (dm_ip_v4(&ip) != 0 || !dm_ip_is4(&ip))
		dm_record_ip(rec, f, &ip);
}

static void put_kept(struct dm_record *rec, const char *path, struct dm_sv s)
{
	struct dm_ip ip;

	if (s.n >= 2 && s.n < 64 && dm_ip_parse(s, &ip)) {
		if (rec->per_field[DM_F_IP] == DM_MAX_VALUES)
			rec->dropped++;
		else if (!has_value(rec, DM_F_IP, s, &ip))
			dm_record_ip(rec, DM_F_IP, &ip);
		return;
	}
	dm_record_unparsed(rec, path, s);
}

static void put_typed(struct state *st, const struct dm_eve_rule *rule, struct dm_sv s, bool truth)
{
	struct dm_record *rec = st->rec;
	int64_t v;

	switch (dm_field_info[rule->field].type) {
	case DM_T_TIME:
		if (dm_read_moment(s, &v))
			dm_record_int(rec, rule->field, v);
		else
			dm_record_unparsed(rec, st->path, s);
		break;
	case DM_T_BOOL:
		dm_record_int(rec, rule->field, truth);
		break;
	case DM_T_INT:
		if (dm_sv_i64(s, &v))
			dm_record_int(rec, rule->field, v);
		else
			dm_record_unparsed(rec, st->path, s);
		break;
	case DM_T_SPAN:
	case DM_T_IP:
	case DM_T_TEXT:
		dm_record_text(rec, rule->field, s);
		break;
	}
}

static void put_flag(struct state *st, const struct dm_eve_rule *rule)
{
	size_t n = strlen(rule->path);
	char *flag = dm_arena_alloc(&st->rec->arena, 2);

	if (!flag) {
		st->rec->dropped++;
		return;
	}
	flag[0] = (char)(rule->path[n - 2] - 32);
	flag[1] = (char)(rule->path[n - 1] - 32);
	dm_record_text(st->rec, rule->field, dm_sv(flag, 2));
}

static void put_scalar(struct state *st, const struct dm_eve_rule *rule, const struct dm_json_node *n)
{
	struct dm_record *rec = st->rec;
	struct dm_sv s = n->text;

	if (n->type == DM_JSON_NULL || (n->type >= DM_JSON_NUMBER && !s.n))
		return;
	if (rec->count == DM_RECORD_VALUES) {
		rec->dropped++;
		return;
	}
	if (n->type == DM_JSON_TRUE || n->type == DM_JSON_FALSE) {
		s = n->type == DM_JSON_TRUE ? DM_SV("true") : DM_SV("false");
	}
	switch ((enum dm_eve_op)(rule ? rule->op : DM_EVE_KEEP)) {
	case DM_EVE_KEEP:
		put_kept(rec, st->path, s);
		break;
	case DM_EVE_DROP:
	case DM_EVE_HEADER:
		break;
	case DM_EVE_PUT:
		put_typed(st, rule, s, n->type == DM_JSON_TRUE);
		break;
	case DM_EVE_FLAG:
		if (n->type == DM_JSON_TRUE)
			put_flag(st, rule);
		break;
	case DM_EVE_HOST:
		dm_record_host(rec, rule->field, rule->field2, s);
		break;
	case DM_EVE_ANSWER:
		put_answer(rec, s);
		break;
	case DM_EVE_MAIL:
		dm_put_mail(rec, rule->field, st->path, s);
		break;
	case DM_EVE_FILE:
		dm_put_file(rec, s);
		break;
	case DM_EVE_SUBJECT:
		dm_put_subject(rec, rule->field, s);
		break;
	case DM_EVE_FORWARDED:
		if (!dm_put_addresses(rec, rule->field, s))
			dm_record_unparsed(rec, st->path, s);
		break;
	case DM_EVE_HEX:
		put_hex(rec, rule->field, s);
		break;
	case DM_EVE_TRANSPORT:
		dm_put_transport(rec, s);
		break;
	case DM_EVE_SERVICE:
		if (!dm_sv_is(s, "failed") && !dm_sv_is(s, "unknown") &&
		    !has_value(rec, DM_F_PROTOCOL, s, NULL))
			dm_put_lower(rec, DM_F_PROTOCOL, s);
		break;
	case DM_EVE_ADDRESS:
		put_address(rec, rule->field, st->path, s);
		break;
	case DM_EVE_SLOT:
		st->slot[rule->field] = s;
		break;
	}
}

/* {"name": "X-Forwarded-For", "value": "1.2.3.4"} */
static void put_header(struct state *st, const struct dm_json_node *n)
{
	static const char *const forwarded[] = {"x-forwarded-for",    "forwarded",	  "x-real-ip",
						"true-client-ip",     "client-ip",	  "x-client-ip",
						"x-forwarded",	      "x-originating-ip", "cf-connecting-ip",
						"x-cluster-client-ip"};
	struct dm_sv name = dm_json_get_str(st->doc, n, "name"), value = dm_json_get_str(st->doc, n, "value");
	struct dm_record *rec = st->rec;

	if (!name.n || !value.n)
		return;
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++) {
		if (dm_sv_ieq(name, dm_sv_str(forwarded[i]))) {
			if (!dm_put_addresses(rec, DM_F_FORWARDED_IP, value))
				dm_record_unparsed(rec, forwarded[i], value);
			return;
		}
	}
	if (dm_sv_ieq(name, DM_SV("user-agent"))) {
		if (!has_value(rec, DM_F_USER_AGENT, value, NULL))
			dm_record_text(rec, DM_F_USER_AGENT, value);
	} else if (dm_sv_ieq(name, DM_SV("referer"))) {
		if (!has_value(rec, DM_F_REFERRER, value, NULL))
			dm_record_text(rec, DM_F_REFERRER, value);
	} else if (dm_sv_ieq(name, DM_SV("host")) || dm_sv_is(name, ":authority")) {
		st->slot[DM_ES_AUTHORITY] = value;
	} else if (dm_sv_is(name, ":path") && !st->slot[DM_ES_URL].n) {
		st->slot[DM_ES_URL] = value;
	} else if (dm_sv_is(name, ":method") && !st->slot[DM_ES_METHOD].n) {
		st->slot[DM_ES_METHOD] = value;
	} else if (dm_sv_ieq(name, DM_SV("via"))) {
		dm_record_unparsed(rec, "via", value);
	}
}

static void walk(struct state *st, const struct dm_json_node *obj, size_t at, bool drop);

/* `drop`: what the table does not name is not kept. */
static void walk_value(struct state *st, const struct dm_json_node *n, size_t at,
		       const struct dm_eve_rule *rule, bool drop)
{
	drop |= rule && rule->op == DM_EVE_DROP;
	if (n->type == DM_JSON_OBJECT) {
		if (rule && rule->op == DM_EVE_HEADER)
			put_header(st, n);
		else
			walk(st, n, at, drop);
	} else if (n->type == DM_JSON_ARRAY) {
		for (const struct dm_json_node *e = dm_json_first(st->doc, n); e;
		     e = dm_json_next(st->doc, n, e))
			walk_value(st, e, at, rule, drop);
	} else if (rule || !drop) {
		put_scalar(st, rule, n);
	}
}

/* The depth is bounded by the JSON reader (DM_MAX_DEPTH). */
static void walk(struct state *st, const struct dm_json_node *obj, size_t at, bool drop)
{
	for (const struct dm_json_node *c = dm_json_first(st->doc, obj); c;
	     c = dm_json_next(st->doc, obj, c)) {
		size_t end = at;

		if (at + c->key.n + 2 > sizeof(st->path) || memchr(c->key.p, 0, c->key.n)) {
			st->rec->dropped++;
			continue;
		}
		if (at)
			st->path[end++] = '.';
		memcpy(st->path + end, c->key.p, c->key.n);
		end += c->key.n;
		st->path[end] = 0;
		walk_value(st, c, end, dm_eve_rule_find(dm_sv(st->path, end)), drop);
		st->path[at] = 0;
	}
}

static const struct dm_value *first_value(const struct dm_record *rec, enum dm_field f)
{
	for (uint32_t i = 0; i < rec->count; i++) {
		if (rec->v[i].field == f)
			return &rec->v[i];
	}
	return NULL;
}

static void put_number(struct dm_record *rec, enum dm_field f, struct dm_sv s)
{
	int64_t v;

	if (s.n && dm_sv_i64(s, &v))
		dm_record_int(rec, f, v);
}

/* Flows and netflows are dated by their start: the timestamp is when they were written. */
static void finish_times(struct state *st)
{
	struct dm_record *rec = st->rec;
	bool flow = dm_sv_is(st->type, "flow") || dm_sv_is(st->type, "netflow");
	int64_t start = DM_NO_TIME, end = DM_NO_TIME;

	if (st->slot[DM_ES_TIMESTAMP].n && !dm_read_moment(st->slot[DM_ES_TIMESTAMP], &rec->time))
		dm_record_unparsed(rec, "timestamp", st->slot[DM_ES_TIMESTAMP]);
	if (!flow)
		return;
	if (dm_read_moment(st->slot[DM_ES_START], &start))
		rec->time = start;
	if (dm_read_moment(st->slot[DM_ES_END], &end)) {
		dm_record_int(rec, DM_F_END, end);
		if (start != DM_NO_TIME && end >= start)
			dm_record_int(rec, DM_F_DURATION, end - start);
	}
}

/* An alert's addresses are those of the packet it fired on, which may go either way; the flow's counters are
 * by client and server. */
static bool is_reply(struct state *st)
{
	const struct dm_value *src = first_value(st->rec, DM_F_SRC_IP);
	struct dm_ip ip;

	if (src && dm_ip_parse(st->slot[DM_ES_FLOW_SRC], &ip))
		return memcmp(&src->ip, &ip, sizeof(ip)) != 0;
	return dm_sv_is(st->slot[DM_ES_DIRECTION], "to_client");
}

static void finish_counters(struct state *st)
{
	struct dm_record *rec = st->rec;
	bool reply = st->event && st->event->kind == DM_KIND_ALERT && is_reply(st);

	put_number(rec, reply ? DM_F_DST_PACKETS : DM_F_SRC_PACKETS, st->slot[DM_ES_PKTS_TS]);
	put_number(rec, reply ? DM_F_SRC_PACKETS : DM_F_DST_PACKETS, st->slot[DM_ES_PKTS_TC]);
	put_number(rec, reply ? DM_F_DST_BYTES : DM_F_SRC_BYTES, st->slot[DM_ES_BYTES_TS]);
	put_number(rec, reply ? DM_F_SRC_BYTES : DM_F_DST_BYTES, st->slot[DM_ES_BYTES_TC]);
}

/* The server's port: the Host header's, else the destination's of the request. Of an alert or a file, whose
 * direction need not be that of the request, the lower of the two. */
static int64_t server_port(struct state *st)
{
	const struct dm_value *src = first_value(st->rec, DM_F_SRC_PORT),
			      *dst = first_value(st->rec, DM_F_DST_PORT);
	int64_t port;

	if (dm_sv_i64(st->slot[DM_ES_PORT], &port))
		return port;
	if (!dst)
		return 0;
	return src && st->event && st->event->kind != DM_KIND_HTTP && src->i < dst->i ? src->i : dst->i;
}

static void finish_http(struct state *st)
{
	const struct dm_sv *slot = st->slot;
	struct dm_http h = {.method = slot[DM_ES_METHOD], .uri = slot[DM_ES_URL], .port = server_port(st)};
	const struct dm_value *dst = first_value(st->rec, DM_F_DST_IP);
	struct dm_buf b;

	if (!slot[DM_ES_HOST].n && !slot[DM_ES_URL].n && !slot[DM_ES_AUTHORITY].n && !slot[DM_ES_METHOD].n)
		return;
	h.host = slot[DM_ES_HOST].n ? slot[DM_ES_HOST] : slot[DM_ES_AUTHORITY];
	h.tls = h.port == 443;
	dm_buf_init(&b, 64);
	if (!h.host.n && dst && st->event && st->event->kind == DM_KIND_HTTP)
		dm_ip_put(&b, &dst->ip);
	h.server_ip = dm_buf_view(&b);
	dm_put_http(st->rec, &h);
	dm_buf_done(&b);
}

static void finish_ftp(struct state *st)
{
	struct dm_sv command = st->slot[DM_ES_COMMAND], data = st->slot[DM_ES_DATA];
	struct dm_record *rec = st->rec;

	dm_record_text(rec, DM_F_ACTION, command);
	if (!data.n || dm_sv_ieq(command, DM_SV("PASS"))) /* a password */
		return;
	if (dm_sv_ieq(command, DM_SV("USER")))
		dm_record_text(rec, DM_F_USER_NAME, data);
	else if (dm_sv_ieq(command, DM_SV("RETR")) || dm_sv_ieq(command, DM_SV("STOR")) ||
		 dm_sv_ieq(command, DM_SV("APPE")) || dm_sv_ieq(command, DM_SV("DELE")) ||
		 dm_sv_ieq(command, DM_SV("RNFR")) || dm_sv_ieq(command, DM_SV("RNTO")))
		dm_put_file(rec, data);
	else
		dm_record_unparsed(rec, "ftp.command_data", data);
}

static bool tells(const struct dm_record *rec)
{
	for (uint32_t i = 0; i < rec->count; i++) {
		if (dm_field_info[rec->v[i].field].obs != DM_OBS_NONE)
			return true;
	}
	return false;
}

static int each(struct dm_json_feed *feed, void *ctx)
{
	struct state *st = ctx;
	struct dm_record *rec = st->rec;
	int n;

	st->doc = &feed->doc;
	st->type = dm_json_get_str(st->doc, &st->doc->nodes[0], "event_type");
	if (!st->type.n)
		return feed->lines.sink->skip(feed->lines.sink, feed->line,
					      "no event_type: not a Suricata event");
	st->event = dm_eve_event_find(st->type);
	if (st->event && !st->event->kind) {
		dm_passed_add(&st->passed, st->type, feed->line);
		return 0;
	}
	memset(st->slot, 0, sizeof(st->slot));
	dm_record_start(rec, st->event ? st->event->kind : DM_KIND_FLOW, DM_NO_TIME, feed->line);
	st->path[0] = 0;
	walk(st, &st->doc->nodes[0], 0, false);
	finish_times(st);
	finish_counters(st);
	finish_http(st);
	if (st->slot[DM_ES_COMMAND].n)
		finish_ftp(st);
	if (st->event && st->event->protocol && !first_value(rec, DM_F_PROTOCOL))
		dm_record_text(rec, DM_F_PROTOCOL, dm_sv_str(st->event->protocol));
	n = snprintf(st->dataset, sizeof(st->dataset), "suricata.%.*s",
		     (int)(st->type.n < 40 ? st->type.n : 40), st->type.p);
	dm_record_text(rec, DM_F_DATASET, dm_sv(st->dataset, (size_t)n));
	if (!st->event && !tells(rec)) {
		dm_passed_add(&st->passed, st->type, feed->line);
		return 0;
	}
	return dm_lines_record(&feed->lines, rec);
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct state st = {.rec = dm_calloc(1, sizeof(*st.rec))};
	int r;

	if (!st.rec)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	dm_record_init(st.rec);
	dm_eve_map_init();
	r = dm_json_feed_run(in, sink, each, &st, err);
	if (!r)
		r = dm_passed_flush(&st.passed, sink, "Suricata event");
	dm_record_done(st.rec);
	dm_free(st.rec);
	return r;
}

static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv first = dm_json_feed_first(head);

	if (!first.n || !memmem(first.p, first.n, "\"event_type\"", 12))
		return 0;
	if (memmem(first.p, first.n, "\"timestamp\"", 11) &&
	    (memmem(first.p, first.n, "\"src_ip\"", 8) || memmem(first.p, first.n, "\"flow_id\"", 9)))
		return 95;
	return 60;
}

const struct dm_importer dm_import_eve = {
	.name = "suricata-eve",
	.title = "Suricata events (eve.json)",
	.gives = DM_EVIDENCE,
	.module = "json",
	.preload = dm_json_preload,
	.probe = probe,
	.run = run,
	.growing = true,
};
