#include "import/tls.h"

#include <stdio.h>

#include "import/digest.h"
#include "import/x509.h"

/* Certificates of one chain that are kept: real chains have 2 to 5. */
#define MAX_CHAIN     10u
#define NAME_TEXT_MAX 1024u

struct chain {
	unsigned n;
	uint8_t sha1[MAX_CHAIN][20], sha256[MAX_CHAIN][32];
	char *subject, *issuer; /* of the first */
};

struct dm_tls_session {
	char transport;
	int64_t time;
	bool has_client, has_server, has_sni, resumed;
	uint16_t version, cipher, group;
	char ja3[33], ja3s[33], ja4[37], alpn[64];
	uint8_t alpn_n, session_id_n;
	uint8_t session_id[32];
	struct dm_buf sni;
	struct chain chain[2];
};

_Static_assert(sizeof(struct dm_tls_session) <= DM_TLS_SESSION_COST, "charged for what it takes");

int dm_tls_session_new(struct dm_capture *c, char transport, struct dm_tls_session **ret)
{
	struct dm_tls_session *s = dm_calloc(1, sizeof *s);

	if (!s)
		return dm_fail(c->err, DM_ENOMEM, "no memory for TLS");
	s->transport = transport;
	s->time = DM_NO_TIME;
	dm_buf_init(&s->sni, DM_MAX_VALUE);
	*ret = s;
	return 0;
}

void dm_tls_session_free(struct dm_tls_session *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < 2; i++) {
		dm_free(s->chain[i].subject);
		dm_free(s->chain[i].issuer);
	}
	dm_buf_done(&s->sni);
	dm_free(s);
}

bool dm_tls_session_is13(const struct dm_tls_session *s)
{
	return s->has_server && (s->version == 0x0304 || s->version >> 8 == 0x7f);
}

int dm_tls_session_client_hello(struct dm_capture *c, struct dm_tls_session *s, const uint8_t *p, size_t n,
				int64_t time)
{
	struct dm_client_hello h;

	if (s->has_client) /* the second one answers a retry and says the same */
		return 0;
	if (!dm_client_hello_read(&h, p, n))
		return c->sink->skip(c->sink, c->packet, "TLS ClientHello is broken");
	s->has_client = true;
	s->time = time;
	s->has_sni = h.has_sni;
	if (!s->has_server)
		s->version = h.highest;
	dm_buf_clear(&s->sni);
	dm_buf_sv(&s->sni, h.sni);
	s->session_id_n = (uint8_t)(h.session_id.n <= 32 ? h.session_id.n : 0);
	memcpy(s->session_id, h.session_id.p, s->session_id_n);
	dm_ja3(&h, s->ja3);
	dm_ja4(&h, s->transport, s->ja4);
	return 0;
}

int dm_tls_session_server_hello(struct dm_capture *c, struct dm_tls_session *s, const uint8_t *p, size_t n,
				int64_t time)
{
	struct dm_server_hello h;

	if (s->has_server)
		return 0;
	if (!dm_server_hello_read(&h, p, n))
		return c->sink->skip(c->sink, c->packet, "TLS ServerHello is broken");
	if (h.retry)
		return 0;
	s->has_server = true;
	if (s->time == DM_NO_TIME)
		s->time = time;
	s->version = h.selected;
	s->cipher = h.cipher;
	s->group = h.group;
	s->alpn_n = (uint8_t)(h.alpn.n < sizeof s->alpn ? h.alpn.n : 0);
	memcpy(s->alpn, h.alpn.p, s->alpn_n);
	/* Up to TLS 1.2 a server that repeats the client's session id resumes (RFC 5246 s.7.4.1.3); TLS 1.3
	 * always repeats it. */
	s->resumed = s->has_client && s->session_id_n && h.selected <= 0x0303 &&
		     h.session_id.n == s->session_id_n &&
		     memcmp(h.session_id.p, s->session_id, s->session_id_n) == 0;
	dm_ja3s(&h, s->ja3s);
	return 0;
}

/* Whether this certificate was written before in this run; notes it. A full table is emptied: rows are then
 * repeated, not lost. */
static bool seen_before(struct dm_capture *c, const uint8_t sha256[32])
{
	static const uint8_t none[16];
	uint32_t at;

	if (!c->certs) {
		c->certs = dm_calloc(DM_CERTS_SEEN * 2, sizeof *c->certs);
		if (!c->certs)
			return false;
	}
	if (c->certs_n == DM_CERTS_SEEN) {
		memset(c->certs, 0, DM_CERTS_SEEN * 2 * sizeof *c->certs);
		c->certs_n = 0;
	}
	memcpy(&at, sha256, sizeof at);
	for (;; at++) {
		uint8_t *slot = c->certs[at % (DM_CERTS_SEEN * 2)];

		if (memcmp(slot, none, 16) == 0) {
			memcpy(slot, sha256, 16);
			c->certs_n++;
			return false;
		}
		if (memcmp(slot, sha256, 16) == 0)
			return true;
	}
}

static void put_hex(struct dm_capture *c, enum dm_field f, const uint8_t *p, size_t n)
{
	dm_buf_clear(&c->text);
	dm_buf_hex(&c->text, p, n);
	dm_capture_text(c, f, c->text.p, c->text.n);
}

static void put_name(struct dm_capture *c, enum dm_field f, struct dm_sv name)
{
	dm_buf_clear(&c->text);
	dm_cert_name(&c->text, name);
	dm_capture_text(c, f, c->text.p, c->text.n);
}

static void put_alternative(struct dm_capture *c, struct dm_sv list)
{
	struct dm_record *r = &c->rec;
	struct dm_sv value;
	struct dm_ip ip;
	char kind;

	while (dm_cert_alternative(&list, &kind, &value)) {
		if (kind == 'd')
			dm_record_text(r, DM_F_SAN_DOMAIN, value);
		else if (kind == 'e')
			dm_record_text(r, DM_F_SAN_EMAIL, value);
		else if (kind == 'u')
			dm_record_text(r, DM_F_SAN_URL, value);
		else if (value.n == 4 || value.n == 16) {
			struct dm_cur v = dm_cur(value.p, value.n);

			if (value.n == 4)
				ip = dm_ip_from4(dm_cur_u32be(&v));
			else
				memcpy(ip.b, value.p, 16);
			dm_record_ip(r, DM_F_SAN_IP, &ip);
		}
	}
}

static int write_cert(struct dm_capture *c, const struct dm_flow *f, const struct dm_cert *cert,
		      const uint8_t sha1[20], const uint8_t sha256[32], int64_t time)
{
	struct dm_record *r = dm_capture_start(c, f, DM_KIND_CERT, time);

	put_hex(c, DM_F_CERT_FINGERPRINT, sha256, 32);
	put_hex(c, DM_F_CERT_FINGERPRINT, sha1, 20);
	put_hex(c, DM_F_CERT_SERIAL, (const uint8_t *)cert->serial.p,
		cert->serial.n < 256 ? cert->serial.n : 256);
	put_name(c, DM_F_CERT_SUBJECT, cert->subject);
	put_name(c, DM_F_CERT_ISSUER, cert->issuer);
	if (cert->not_before != DM_NO_TIME)
		dm_record_int(r, DM_F_CERT_NOT_BEFORE, cert->not_before);
	if (cert->not_after != DM_NO_TIME)
		dm_record_int(r, DM_F_CERT_NOT_AFTER, cert->not_after);
	dm_record_text(r, DM_F_CERT_KEY, dm_sv_str(cert->key));
	dm_record_text(r, DM_F_CERT_SIG, dm_sv_str(cert->signature));
	put_alternative(c, cert->alternative);
	return dm_capture_emit(c);
}

static char *name_text(struct dm_capture *c, struct dm_sv name)
{
	dm_buf_clear(&c->text);
	dm_cert_name(&c->text, name);
	return dm_strndup(dm_sv(c->text.p, c->text.n < NAME_TEXT_MAX ? c->text.n : NAME_TEXT_MAX));
}

int dm_tls_session_certificates(struct dm_capture *c, const struct dm_flow *f, struct dm_tls_session *s,
				enum dm_dir dir, const uint8_t *p, size_t n)
{
	struct chain *chain = &s->chain[dir];
	struct dm_cur list = dm_cur(p, n);
	int r = 0;

	dm_cur_u24be(&list);
	if (chain->n)
		return 0;
	while (r == 0 && dm_cur_left(&list) >= 3 && chain->n < MAX_CHAIN) {
		struct dm_sv der = dm_cur_sv(&list, dm_cur_u24be(&list));
		struct dm_digest_part part = {der.p, der.n};
		struct dm_cert cert;
		unsigned i = chain->n;

		if (list.bad)
			return c->sink->skip(c->sink, c->packet, "TLS certificate chain is cut short");
		dm_sha1(&part, 1, chain->sha1[i]);
		dm_sha256(&part, 1, chain->sha256[i]);
		chain->n++;
		if (!dm_cert_read(&cert, der)) {
			r = c->sink->skip(c->sink, c->packet,
					  "certificate is not X.509; its fingerprints are kept");
			continue;
		}
		if (i == 0) {
			chain->subject = name_text(c, cert.subject);
			chain->issuer = name_text(c, cert.issuer);
		}
		if (!seen_before(c, chain->sha256[i]))
			r = write_cert(c, f, &cert, chain->sha1[i], chain->sha256[i], s->time);
	}
	return r;
}

static void put_chain(struct dm_capture *c, const struct chain *chain, enum dm_field fingerprint,
		      enum dm_field subject, enum dm_field issuer)
{
	for (unsigned i = 0; i < chain->n; i++) {
		put_hex(c, fingerprint, chain->sha256[i], 32);
		put_hex(c, fingerprint, chain->sha1[i], 20);
	}
	if (chain->subject)
		dm_record_text(&c->rec, subject, dm_sv_str(chain->subject));
	if (chain->issuer)
		dm_record_text(&c->rec, issuer, dm_sv_str(chain->issuer));
}

int dm_tls_session_write(struct dm_capture *c, const struct dm_flow *f, const struct dm_tls_session *s,
			 bool established)
{
	struct dm_record *r;
	char buf[16], cipher[16], group[16];

	if (!s->has_client && !s->has_server)
		return 0;
	r = dm_capture_start(c, f, DM_KIND_TLS, s->time);
	dm_record_text(r, DM_F_TLS_VERSION, dm_sv_str(dm_tls_version_name(s->version, buf)));
	if (s->has_client) {
		if (s->sni.n)
			dm_record_host(r, DM_F_SNI, DM_F_SNI_IP, dm_buf_view(&s->sni));
		dm_record_text(r, DM_F_JA3, dm_sv_str(s->ja3));
		dm_record_text(r, DM_F_JA4, dm_sv_str(s->ja4));
	}
	if (s->has_server) {
		dm_record_text(r, DM_F_TLS_CIPHER, dm_sv_str(dm_tls_cipher_name(s->cipher, cipher)));
		if (s->group)
			dm_record_text(r, DM_F_TLS_CURVE, dm_sv_str(dm_tls_group_name(s->group, group)));
		dm_record_text(r, DM_F_JA3S, dm_sv_str(s->ja3s));
		dm_record_text(r, DM_F_TLS_NEXT_PROTOCOL, dm_sv(s->alpn, s->alpn_n));
		dm_record_int(r, DM_F_TLS_RESUMED, s->resumed);
	}
	dm_record_int(r, DM_F_TLS_ESTABLISHED, established);
	put_chain(c, &s->chain[DM_FROM_SERVER], DM_F_SERVER_CERT, DM_F_SERVER_SUBJECT, DM_F_SERVER_ISSUER);
	put_chain(c, &s->chain[DM_FROM_CLIENT], DM_F_CLIENT_CERT, DM_F_CLIENT_SUBJECT, DM_F_CLIENT_ISSUER);
	return dm_capture_emit(c);
}
