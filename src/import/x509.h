/* x509.h: what a hunt needs of a certificate (RFC 5280), read by a bounded DER cursor. Nothing is verified.
 */
#ifndef DM_IMPORT_X509_H
#define DM_IMPORT_X509_H

#include "base/buf.h"

struct dm_cert {
	struct dm_sv serial;	       /* INTEGER content as it stands */
	struct dm_sv subject, issuer;  /* Name content: see dm_cert_name */
	struct dm_sv alternative;      /* content of SubjectAltName, empty if none */
	const char *key, *signature;   /* algorithm names; "" if not known */
	int64_t not_before, not_after; /* us; DM_NO_TIME if unreadable */
};

/* `der` is a whole certificate. False: not one; what was read before the fault stands. */
bool dm_cert_read(struct dm_cert *ret, struct dm_sv der);
/* Appends a Name as RFC 4514 text, last attribute first. */
void dm_cert_name(struct dm_buf *out, struct dm_sv name);

/* Walks SubjectAltName. kind: 'd' DNS, 'i' IP (4 or 16 bytes), 'e' e-mail, 'u' URI; others are passed over.
 */
bool dm_cert_alternative(struct dm_sv *rest, char *kind, struct dm_sv *value);

#endif
