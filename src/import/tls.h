/* tls.h: what is known of one TLS handshake, whether it came over TCP or in QUIC. */
#ifndef DM_IMPORT_TLS_H
#define DM_IMPORT_TLS_H

#include "import/capture.h"
#include "import/tls_hello.h"

struct dm_tls_session;
/* What a session takes, to be charged by who makes one. */
#define DM_TLS_SESSION_COST 2048u

/* transport: as in JA4, 't' or 'q'. */
int dm_tls_session_new(struct dm_capture *c, char transport, struct dm_tls_session **ret);
void dm_tls_session_free(struct dm_tls_session *s);
/* Handshake messages without their header. What can't be read is skipped with a note. */
int dm_tls_session_client_hello(struct dm_capture *c, struct dm_tls_session *s, const uint8_t *p, size_t n,
				int64_t time);
int dm_tls_session_server_hello(struct dm_capture *c, struct dm_tls_session *s, const uint8_t *p, size_t n,
				int64_t time);
/* A chain of TLS 1.2 and before; writes the rows of certificates that are new. */
int dm_tls_session_certificates(struct dm_capture *c, const struct dm_flow *f, struct dm_tls_session *s,
				enum dm_dir dir, const uint8_t *p, size_t n);
bool dm_tls_session_is13(const struct dm_tls_session *s);
/* The row, if anything was learnt. */
int dm_tls_session_write(struct dm_capture *c, const struct dm_flow *f, const struct dm_tls_session *s,
			 bool established);

#endif
