/* tls_hello.h: ClientHello and ServerHello (RFC 8446 s.4.1, RFC 5246 s.7.4.1), and the fingerprints made of
 * them.
 *
 * Views point into the message. Lists longer than the bounds here are read to their bound only: a real hello
 * has under 100 ciphers and 40 extensions.
 */
#ifndef DM_IMPORT_TLS_HELLO_H
#define DM_IMPORT_TLS_HELLO_H

#include "base/buf.h"
#include "base/cur.h"

#define DM_TLS_CIPHERS	  512u
#define DM_TLS_EXTENSIONS 256u
#define DM_TLS_GROUPS	  256u

struct dm_client_hello {
	uint16_t version; /* legacy_version */
	uint16_t highest; /* of supported_versions without GREASE; `version` if there are none */
	uint16_t ciphers[DM_TLS_CIPHERS], extensions[DM_TLS_EXTENSIONS], groups[DM_TLS_GROUPS],
		signatures[DM_TLS_GROUPS];
	unsigned ciphers_n, extensions_n, groups_n, signatures_n;
	uint8_t formats[256];
	unsigned formats_n;
	bool has_sni;
	struct dm_sv session_id;
	struct dm_sv sni;  /* host name; empty if none */
	struct dm_sv alpn; /* the first protocol */
};

struct dm_server_hello {
	uint16_t version, selected; /* legacy_version; supported_versions or the same */
	uint16_t cipher, group;	    /* group 0: not said */
	uint16_t extensions[DM_TLS_EXTENSIONS];
	unsigned extensions_n;
	bool retry; /* HelloRetryRequest */
	struct dm_sv session_id, alpn;
};

/* `p`: the handshake body without its 4-byte header. False if it is broken. */
bool dm_client_hello_read(struct dm_client_hello *h, const uint8_t *p, size_t n);
bool dm_server_hello_read(struct dm_server_hello *h, const uint8_t *p, size_t n);

/* 32 hex digits and NUL. */
void dm_ja3(const struct dm_client_hello *h, char out[33]);
void dm_ja3s(const struct dm_server_hello *h, char out[33]);
/* FoxIO's JA4 TLS client fingerprint, 36 characters and NUL; transport 't', 'q' or 'd'. */
void dm_ja4(const struct dm_client_hello *h, char transport, char out[37]);

/* "TLSv13" and so on as Zeek writes it; "0x7f1c" for others, written to buf. */
const char *dm_tls_version_name(uint16_t version, char buf[16]);
const char *dm_tls_cipher_name(uint16_t cipher, char buf[16]);
const char *dm_tls_group_name(uint16_t group, char buf[16]);

#endif
