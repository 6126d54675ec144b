/* fast.c: alerts on one line each, as Suricata's fast.log and Snort's alert_fast have them:
 *
 *   08/02/2014-10:50:25.823699  [**] [1:6:1] name [**] [Classification: c] [Priority: 3] {TCP} a:port ->
 * b:port
 *
 * The clock is the sensor's local one and its zone is not written: times are read as UTC, and the import says
 * so.
 */
#include <stdio.h>

#include "base/limits.h"
#include "import/extract.h"
#include "import/lines.h"

struct alert {
	struct dm_sv time, rule, name, category, priority, proto, source, destination;
};

/* What stands before `mark`; *rest goes on behind it. False if it is not there. */
static bool take_until(struct dm_sv *rest, const char *mark, struct dm_sv *ret)
{
	size_t n = strlen(mark);
	const char *hit = rest->n ? memmem(rest->p, rest->n, mark, n) : NULL;

	if (!hit)
		return false;
	*ret = dm_sv_trim(dm_sv(rest->p, (size_t)(hit - rest->p)));
	*rest = dm_sv_from(*rest, (size_t)(hit - rest->p) + n);
	return true;
}

static bool read_alert(struct dm_sv line, struct alert *a)
{
	struct dm_sv rest = line, skipped, last;

	*a = (struct alert){0};
	if (!take_until(&rest, "[**]", &a->time) || a->time.n < 14 || a->time.p[2] != '/')
		return false;
	/* An action may stand in between: [Drop] [**] */
	skipped = a->time;
	if (a->time.p[a->time.n - 1] == ']' && !take_until(&skipped, "[", &a->time))
		return false;
	if (!take_until(&rest, "[", &skipped) || !take_until(&rest, "]", &a->rule) ||
	    !take_until(&rest, "[**]", &a->name))
		return false;
	if (take_until(&rest, "[Classification: ", &skipped) && !take_until(&rest, "]", &a->category))
		return false;
	if (take_until(&rest, "[Priority: ", &skipped) && !take_until(&rest, "]", &a->priority))
		return false;
	if (!take_until(&rest, "{", &skipped) || !take_until(&rest, "}", &a->proto) ||
	    !take_until(&rest, "->", &a->source))
		return false;
	/* Behind the addresses some versions print more in brackets. */
	last = dm_sv_trim(rest);
	a->destination = dm_sv_find(last, ' ') == SIZE_MAX ? last : dm_sv(last.p, dm_sv_find(last, ' '));
	return a->destination.n > 0;
}

/* "08/02/2014-10:50:25.823699"; Snort leaves the year out: "08/02-10:50:25.823699". */
static bool read_time(struct dm_sv s, int64_t year, int64_t *ret)
{
	struct dm_sv date, clock = s;
	char text[64];
	int n;

	date = dm_sv_split(&clock, '-');
	if (clock.n < 8 || clock.n > 24 || (date.n != 5 && date.n != 10 && date.n != 8) || date.p[2] != '/')
		return false;
	if (date.n == 5 && (year < 1970 || year > 9999))
		return false;
	if (date.n == 10)
		n = snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.*s", date.p + 6, date.p, date.p + 3,
			     (int)clock.n, clock.p);
	else if (date.n == 8) /* Snort with two digits of the year */
		n = snprintf(text, sizeof(text), "20%.2s-%.2s-%.2sT%.*s", date.p + 6, date.p, date.p + 3,
			     (int)clock.n, clock.p);
	else
		n = snprintf(text, sizeof(text), "%04d-%.2s-%.2sT%.*s", (int)year, date.p, date.p + 3,
			     (int)clock.n, clock.p);
	return dm_time_parse(dm_sv(text, (size_t)n), ret);
}

/* "a.b.c.d:port", "v6:port" (eight groups before the last colon), "[v6]:port", or an address alone. */
static void put_end(struct dm_record *rec, struct dm_sv s, enum dm_field ip_field, enum dm_field port_field)
{
	const char *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;
	struct dm_sv host = s;
	struct dm_ip ip;
	int64_t port;

	if (colon && dm_sv_i64(dm_sv_from(s, (size_t)(colon - s.p) + 1), &port)) {
		host = dm_sv(s.p, (size_t)(colon - s.p));
		if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
			host = dm_sv(host.p + 1, host.n - 2);
		if (dm_ip_parse(host, &ip)) {
			dm_record_ip(rec, ip_field, &ip);
			dm_record_int(rec, port_field, port);
			return;
		}
	}
	dm_record_text(rec, ip_field, s);
}

struct list {
	struct dm_lines lines;
	struct dm_record rec;
	bool noted;
};

static int read_line(struct list *l)
{
	struct dm_sink *sink = l->lines.sink;
	struct dm_record *rec = &l->rec;
	bool icmp;
	struct alert a;
	int64_t priority;
	int r;

	if (l->lines.old || !dm_sv_trim(l->lines.line).n)
		return 0;
	if (!l->lines.complete && !dm_lines_take_tail(&l->lines, false))
		return 0;
	if (!read_alert(l->lines.line, &a))
		return dm_lines_skip(&l->lines, "not an alert: ", l->lines.line);
	if (!l->noted) {
		l->noted = true;
		r = sink->meta(sink, "note",
			       DM_SV("fast.log does not say its time zone: its times are read as UTC"));
		if (r)
			return r;
	}
	dm_record_start(rec, DM_KIND_ALERT, DM_NO_TIME, l->lines.number);
	if (!read_time(a.time, l->lines.in->year_hint, &rec->time))
		dm_record_unparsed(rec, "time", a.time);
	/* gid:sid:rev */
	dm_sv_split(&a.rule, ':');
	if (a.rule.p)
		dm_record_text(rec, DM_F_RULE_ID, dm_sv_split(&a.rule, ':'));
	if (!dm_sv_is(a.name, "(null)"))
		dm_record_text(rec, DM_F_RULE_NAME, a.name);
	if (!dm_sv_is(a.category, "(null)"))
		dm_record_text(rec, DM_F_RULE_CATEGORY, a.category);
	if (dm_sv_i64(a.priority, &priority))
		dm_record_int(rec, DM_F_SEVERITY, priority);
	dm_put_transport(rec, a.proto);
	icmp = dm_sv_ieq(a.proto, DM_SV("ICMP")) || dm_sv_ieq(a.proto, DM_SV("IPv6-ICMP"));
	put_end(rec, a.source, DM_F_SRC_IP, icmp ? DM_F_ICMP_TYPE : DM_F_SRC_PORT);
	put_end(rec, a.destination, DM_F_DST_IP, icmp ? DM_F_ICMP_CODE : DM_F_DST_PORT);
	dm_record_text(rec, DM_F_DATASET, DM_SV("suricata.fast"));
	return dm_lines_record(&l->lines, rec);
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct list *l = dm_calloc(1, sizeof(*l));
	int r;

	if (!l)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	dm_record_init(&l->rec);
	dm_lines_init(&l->lines, in, sink);
	while (!(r = dm_lines_next(&l->lines, err))) {
		r = read_line(l);
		if (r)
			break;
	}
	if (r == DM_ENOENT)
		r = dm_lines_finish(&l->lines, r, err);
	dm_record_done(&l->rec);
	dm_free(l);
	return r;
}

static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv rest = head;
	struct alert a;

	for (int i = 0; i < 10 && rest.p; i++) {
		struct dm_sv line = dm_sv_split(&rest, '\n');

		if (dm_sv_trim(line).n)
			return read_alert(line, &a) ? 95 : 0;
	}
	return 0;
}

const struct dm_importer dm_import_fast = {
	.name = "suricata-fast",
	.title = "alerts of Suricata or Snort (fast.log)",
	.gives = DM_EVIDENCE,
	.probe = probe,
	.run = run,
	.growing = true,
};
