/* A row of evidence as STIX objects: docs/formats/observations.md says which, this file builds them. */
#include "base/limits.h"
#include "hunt/observation_build.h"
#include "hunt/pattern_tree.h"

/* --- objects that are one value ------------------------------------------------------------------------- */

/* Every observable of the row, so that a pattern on a value alone finds it in whatever column it stands. */
static void name_all(struct dm_build *b)
{
	for (uint32_t i = 0; i < b->r->count && !b->code; i++) {
		const struct dm_value *v = &b->r->v[i];

		if (v->type == DM_T_IP) {
			dm_build_name_ip(b, &v->ip);
			continue;
		}
		switch (v->type == DM_T_TEXT ? v->obs : DM_OBS_NONE) {
		case DM_OBS_DOMAIN:
		case DM_OBS_URL:
		case DM_OBS_EMAIL:
		case DM_OBS_MAC:
		case DM_OBS_AS:
		case DM_OBS_MUTEX:
		case DM_OBS_REGISTRY:
			dm_build_name(b, v->obs, v->text);
			break;
		default:
			break;
		}
	}
}

/* What the name of a DNS question resolved to. */
static void resolves_to(struct dm_build *b, const struct dm_named *n)
{
	const struct dm_record *r = b->r;

	if (r->kind != DM_KIND_DNS || !dm_sv_eq(n->text, dm_build_row_text(r, DM_F_DNS_QUERY)))
		return;
	dm_build_open(b, "resolves_to_refs", true);
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->v[i].field == DM_F_DNS_ANSWER_IP)
			dm_build_text(b, "", dm_build_name_ip(b, &r->v[i].ip));
		else if (r->v[i].field == DM_F_DNS_ANSWER_NAME)
			dm_build_text(b, "", dm_build_name(b, DM_OBS_DOMAIN, r->v[i].text));
	}
	dm_build_end(b);
}

static void one_named(struct dm_build *b, const struct dm_named *n)
{
	const char *type = dm_obs_name(n->type);
	uint64_t number;

	switch (n->type) {
	case DM_OBS_MUTEX:
		dm_build_object_id(b, "mutex", n->id);
		dm_build_text(b, "name", n->text);
		break;
	case DM_OBS_REGISTRY:
		dm_build_object_id(b, "windows-registry-key", n->id);
		dm_build_text(b, "key", n->text);
		break;
	case DM_OBS_AS:
		dm_build_object_id(b, "autonomous-system", n->id);
		if (dm_sv_starts(n->text, DM_SV("AS")) && dm_sv_u64(dm_sv_from(n->text, 2), &number))
			dm_build_int(b, "number", (int64_t)number);
		break;
	case DM_OBS_DOMAIN:
		dm_build_object_id(b, "domain-name", n->id);
		dm_build_text(b, "value", n->text);
		resolves_to(b, n);
		break;
	default:
		dm_build_object_id(b, type, n->id);
		dm_build_text(b, "value", n->text);
		break;
	}
	dm_build_end(b);
}

/* --- files, certificates, processes --------------------------------------------------------------------- */

static void hash(struct dm_build *b, const char *key, enum dm_field f)
{
	dm_build_text(b, key, dm_build_row_text(b->r, f));
}

static void file(struct dm_build *b)
{
	const struct dm_record *r = b->r;
	struct dm_sv name = dm_build_row_text(r, DM_F_FILE_NAME), path = dm_build_row_text(r, DM_F_FILE_PATH),
		     folder = {0}, id = {0};
	bool hashed = false;

	for (enum dm_field f = DM_F_MD5; f <= DM_F_TLSH; f++)
		hashed = hashed || dm_build_row_text(r, f).n;
	if (!name.n && !path.n && !hashed && r->kind != DM_KIND_FILE)
		return;
	for (size_t i = path.n; i > 0 && !folder.p; i--) {
		if (path.p[i - 1] == '/' || path.p[i - 1] == '\\')
			folder = dm_sv(path.p, i > 1 ? i - 1 : 1);
	}
	if (!name.n && path.n)
		name = folder.p ? dm_sv_from(path, folder.n + (folder.n > 1 || path.n == 1)) : path;
	if (folder.n) {
		id = dm_build_object(b, "directory");
		dm_build_text(b, "path", folder);
		dm_build_end(b);
	}
	dm_build_object(b, "file");
	if (hashed) {
		dm_build_open(b, "hashes", false);
		hash(b, "MD5", DM_F_MD5);
		hash(b, "SHA-1", DM_F_SHA1);
		hash(b, "SHA-256", DM_F_SHA256);
		hash(b, "SHA-512", DM_F_SHA512);
		hash(b, "SSDEEP", DM_F_SSDEEP);
		hash(b, "TLSH", DM_F_TLSH);
		dm_build_end(b);
	}
	dm_build_text(b, "name", name);
	dm_build_text(b, "path", path); /* not of STIX, but shared indicators use it */
	dm_build_int(b, "size", dm_build_row_int(r, DM_F_FILE_SIZE));
	dm_build_text(b, "mime_type", dm_build_row_text(r, DM_F_FILE_MIME));
	dm_build_text(b, "parent_directory_ref", id);
	dm_build_end(b);
}

static void fingerprint(struct dm_build *b, const struct dm_value *v)
{
	dm_build_open(b, "hashes", false);
	dm_build_text(b,
		      v->obs == DM_OBS_X509_MD5	   ? "MD5"
		      : v->obs == DM_OBS_X509_SHA1 ? "SHA-1"
						   : "SHA-256",
		      v->text);
	dm_build_end(b);
}

/* "DNS:a, DNS:b, IP Address:1.2.3.4" as OpenSSL prints it, and as s.6.18 shows it. */
static void alternative_names(struct dm_build *b)
{
	struct dm_buf text;

	dm_buf_init(&text, DM_MAX_RECORD);
	for (uint32_t i = 0; i < b->r->count; i++) {
		const struct dm_value *v = &b->r->v[i];
		const char *tag = v->field == DM_F_SAN_DOMAIN  ? "DNS:"
				  : v->field == DM_F_SAN_IP    ? "IP Address:"
				  : v->field == DM_F_SAN_EMAIL ? "email:"
				  : v->field == DM_F_SAN_URL   ? "URI:"
							       : NULL;

		if (!tag)
			continue;
		if (text.n)
			dm_buf_str(&text, ", ");
		dm_buf_str(&text, tag);
		if (v->type == DM_T_IP)
			dm_ip_put(&text, &v->ip);
		else
			dm_buf_sv(&text, v->text);
	}
	if (text.n) {
		dm_build_open(b, "x509_v3_extensions", false);
		dm_build_text(b, "subject_alternative_name", dm_build_keep(b, dm_buf_view(&text)));
		dm_build_end(b);
	}
	dm_buf_done(&text);
}

static void certificate(struct dm_build *b)
{
	const struct dm_record *r = b->r;
	const struct dm_value *print = dm_build_row_value(r, DM_F_CERT_FINGERPRINT);

	if (r->kind != DM_KIND_CERT && !print)
		return;
	dm_build_object(b, "x509-certificate");
	if (print)
		fingerprint(b, print);
	dm_build_text(b, "serial_number", dm_build_row_text(r, DM_F_CERT_SERIAL));
	dm_build_text(b, "subject", dm_build_row_text(r, DM_F_CERT_SUBJECT));
	dm_build_text(b, "issuer", dm_build_row_text(r, DM_F_CERT_ISSUER));
	dm_build_time(b, "validity_not_before", dm_build_row_int(r, DM_F_CERT_NOT_BEFORE));
	dm_build_time(b, "validity_not_after", dm_build_row_int(r, DM_F_CERT_NOT_AFTER));
	dm_build_text(b, "subject_public_key_algorithm", dm_build_row_text(r, DM_F_CERT_KEY));
	dm_build_text(b, "signature_algorithm", dm_build_row_text(r, DM_F_CERT_SIG));
	alternative_names(b);
	dm_build_end(b);
}

/* The certificates that one side of a TLS connection showed: subject and issuer are those of the first, the
 * others are its chain. */
static void shown_certificates(struct dm_build *b, enum dm_field print, enum dm_field subject,
			       enum dm_field issuer)
{
	const struct dm_record *r = b->r;
	bool named = dm_build_row_text(r, subject).n || dm_build_row_text(r, issuer).n, first = true;

	for (uint32_t i = 0; i < r->count; i++) {
		if (r->v[i].field != print)
			continue;
		dm_build_object(b, "x509-certificate");
		fingerprint(b, &r->v[i]);
		if (first) {
			dm_build_text(b, "subject", dm_build_row_text(r, subject));
			dm_build_text(b, "issuer", dm_build_row_text(r, issuer));
		}
		dm_build_end(b);
		first = false;
	}
	if (first && named) {
		dm_build_object(b, "x509-certificate");
		dm_build_text(b, "subject", dm_build_row_text(r, subject));
		dm_build_text(b, "issuer", dm_build_row_text(r, issuer));
		dm_build_end(b);
	}
}

static void process(struct dm_build *b)
{
	struct dm_sv name = dm_build_row_text(b->r, DM_F_PROCESS_NAME),
		     command = dm_build_row_text(b->r, DM_F_PROCESS_COMMAND), image = {0};

	if (!name.n && !command.n)
		return;
	if (name.n) {
		image = dm_build_object(b, "file");
		dm_build_text(b, "name", name);
		dm_build_end(b);
	}
	dm_build_object(b, "process");
	dm_build_text(b, "name", name); /* STIX 2.0; 2.1 has image_ref.name */
	dm_build_text(b, "command_line", command);
	dm_build_text(b, "image_ref", image);
	dm_build_end(b);
}

/* --- people, mail, alerts ------------------------------------------------------------------------------- */

static void account(struct dm_build *b)
{
	struct dm_sv user = dm_build_row_text(b->r, DM_F_USER_NAME);

	if (!user.n)
		return;
	dm_build_object(b, "user-account");
	dm_build_text(b, "user_id", user);
	dm_build_text(b, "account_login", user);
	dm_build_end(b);
}

static void software(struct dm_build *b, enum dm_field f)
{
	if (!dm_build_row_text(b->r, f).n)
		return;
	dm_build_object(b, "software");
	dm_build_text(b, "name", dm_build_row_text(b->r, f));
	dm_build_end(b);
}

static void mail_refs(struct dm_build *b, const char *key, enum dm_field f)
{
	if (!dm_build_row_text(b->r, f).n)
		return;
	dm_build_open(b, key, true);
	for (uint32_t i = 0; i < b->r->count; i++) {
		if (b->r->v[i].field == f)
			dm_build_text(b, "", dm_build_name(b, DM_OBS_EMAIL, b->r->v[i].text));
	}
	dm_build_end(b);
}

static void mail_ref(struct dm_build *b, const char *key, enum dm_field f)
{
	struct dm_sv address = dm_build_row_text(b->r, f);

	if (address.n)
		dm_build_text(b, key, dm_build_name(b, DM_OBS_EMAIL, address));
}

static void mail(struct dm_build *b)
{
	const struct dm_record *r = b->r;
	struct dm_sv mailer = dm_build_row_text(r, DM_F_MAILER),
		     reply_to = dm_build_row_text(r, DM_F_MAIL_REPLY_TO);

	if (r->kind != DM_KIND_MAIL)
		return;
	dm_build_object(b, "email-message");
	dm_build_time(b, "date", r->time);
	dm_build_text(b, "message_id", dm_build_row_text(r, DM_F_MAIL_ID));
	dm_build_text(b, "subject", dm_build_row_text(r, DM_F_MAIL_SUBJECT));
	mail_ref(b, "from_ref", DM_F_MAIL_FROM);
	mail_ref(b, "sender_ref", DM_F_MAIL_SENDER);
	mail_refs(b, "to_refs", DM_F_MAIL_TO);
	mail_refs(b, "cc_refs", DM_F_MAIL_CC);
	mail_refs(b, "bcc_refs", DM_F_MAIL_RCPT);
	if (mailer.n || reply_to.n) {
		dm_build_open(b, "additional_header_fields", false);
		dm_build_text(b, "X-Mailer", mailer);
		dm_build_text(b, "Reply-To", reply_to);
		dm_build_end(b);
	}
	dm_build_end(b);
}

static void alert(struct dm_build *b)
{
	const struct dm_record *r = b->r;

	if (r->kind != DM_KIND_ALERT)
		return;
	dm_build_object(b, "x-alert");
	dm_build_text(b, "rule_id", dm_build_row_text(r, DM_F_RULE_ID));
	dm_build_text(b, "name", dm_build_row_text(r, DM_F_RULE_NAME));
	dm_build_text(b, "category", dm_build_row_text(r, DM_F_RULE_CATEGORY));
	dm_build_int(b, "severity", dm_build_row_int(r, DM_F_SEVERITY));
	dm_build_text(b, "action", dm_build_row_text(r, DM_F_ACTION));
	dm_build_text(b, "message", dm_build_row_text(r, DM_F_MESSAGE));
	dm_build_end(b);
}

/* --- the row -------------------------------------------------------------------------------------------- */

static void set_times(struct dm_observation *o, const struct dm_record *r)
{
	int64_t end = dm_build_row_int(r, DM_F_END), span = dm_build_row_int(r, DM_F_DURATION),
		n = dm_build_row_int(r, DM_F_OBSERVED_COUNT);

	o->first = o->last = r->time;
	if (r->time != DM_NO_TIME && end == DM_NO_INT && span > 0 &&
	    __builtin_add_overflow(r->time, span, &end))
		end = DM_NO_INT;
	if (r->time != DM_NO_TIME && end != DM_NO_INT && end > r->time)
		o->last = end;
	o->number_observed = n > 0 ? (uint64_t)n : 1;
}

static int stored(struct dm_observed_graph *g, const struct dm_record *r, struct dm_err *err)
{
	struct dm_sv objects = dm_build_row_text(r, DM_F_OBSERVED_OBJECTS);

	return dm_observed_parse(g, objects.n ? objects : DM_SV("[]"), err);
}

static int build_row(struct dm_observed_graph *g, const struct dm_record *r)
{
	struct dm_build b = {.g = g, .r = r};
	uint32_t n;

	g->doc.count = 0;
	dm_arena_reset(&g->doc.arena);
	g->o = (struct dm_observation){.canonical = true};
	dm_build_open(&b, "", true);
	name_all(&b);
	dm_build_traffic(&b);
	file(&b);
	certificate(&b);
	shown_certificates(&b, DM_F_SERVER_CERT, DM_F_SERVER_SUBJECT, DM_F_SERVER_ISSUER);
	shown_certificates(&b, DM_F_CLIENT_CERT, DM_F_CLIENT_SUBJECT, DM_F_CLIENT_ISSUER);
	process(&b);
	account(&b);
	software(&b, DM_F_CLIENT_SOFTWARE);
	software(&b, DM_F_SERVER_SOFTWARE);
	mail(&b);
	alert(&b);
	/* Last: all that was referred to has its name by now. */
	n = b.n_named;
	for (uint32_t i = 0; i < n && !b.code; i++) {
		struct dm_named one = b.named[i];

		one_named(&b, &one);
	}
	dm_build_end(&b);
	dm_free(b.named);
	g->o.doc = &g->doc;
	g->o.objects = g->objects;
	g->o.ids = g->ids;
	return b.code;
}

int dm_observation_from_record(struct dm_observed_graph *g, const struct dm_record *r, struct dm_err *err)
{
	int rc = r->kind == DM_KIND_OBSERVED ? stored(g, r, err) : build_row(g, r);

	if (rc)
		return rc == DM_ENOMEM ? dm_fail(err, rc, "no memory for the objects of a row") : rc;
	set_times(&g->o, r);
	return 0;
}
