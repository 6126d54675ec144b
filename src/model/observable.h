/* observable.h: one dictionary of everything that can be seen, in one canonical form.
 *
 * An observable is (type, value). Its canonical *text* is what a person reads; its *key* is what is sorted
 * and stored: addresses as 4 or 16 big-endian bytes, hashes and fingerprints as raw bytes, domains as labels
 * in reverse order joined by 0x01 (so that a suffix is a range), all else the text itself. Two spellings of
 * one thing have one key; v4-mapped IPv6 is IPv4.
 */
#ifndef DM_MODEL_OBSERVABLE_H
#define DM_MODEL_OBSERVABLE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sv.h"

/* The numbers are written to disk: append only. */
enum dm_obs_type {
	DM_OBS_NONE = 0,
	DM_OBS_IPV4 = 1,   /* ipv4-addr */
	DM_OBS_IPV6 = 2,   /* ipv6-addr */
	DM_OBS_DOMAIN = 3, /* domain-name: lower case, A-labels (IDNA 2008, lenient), no trailing dot */
	DM_OBS_URL = 4, /* url: scheme and host lower case, default port and empty path normalised, the rest
			   byte for byte */
	DM_OBS_MD5 = 5,
	DM_OBS_SHA1 = 6,
	DM_OBS_SHA256 = 7,
	DM_OBS_SHA512 = 8,
	DM_OBS_SSDEEP = 9,     /* opaque */
	DM_OBS_TLSH = 10,      /* opaque, upper case, with its "T1" */
	DM_OBS_EMAIL = 11,     /* email-addr: domain part as DOMAIN, local part as is */
	DM_OBS_MAC = 12,       /* mac-addr: lower case, colons (STIX 2.1 s.6.9) */
	DM_OBS_AS = 13,	       /* autonomous-system: number, key 4 bytes big-endian, text "AS131279" */
	DM_OBS_X509_SHA1 = 14, /* certificate fingerprints */
	DM_OBS_X509_SHA256 = 15,
	DM_OBS_X509_MD5 = 16,
	DM_OBS_JA3 = 17, /* 16 bytes */
	DM_OBS_JA4 = 18, /* text, lower case */
	DM_OBS_MUTEX = 19,
	DM_OBS_FILENAME = 20, /* name without folder, as is */
	DM_OBS_USER_AGENT = 21,
	DM_OBS_REGISTRY = 22, /* hive spelt out (HKLM -> HKEY_LOCAL_MACHINE), case kept; key lower case, since
				 registry keys ignore case */
	DM_OBS_JA3S = 23,
	DM_OBS_TYPES
};

/* STIX name of a type: "ipv4-addr", "domain-name", "file:hashes.MD5" prints as "md5", ...; NULL-safe for
 * unknown numbers ("unknown"). */
const char *dm_obs_name(enum dm_obs_type t);
/* From that name or a common synonym (ip, ipv4, ip-dst, hostname, fqdn, md5, sha-256, ...); DM_OBS_NONE if
 * not known. "ip" gives DM_OBS_IPV4, whose reader takes both families. */
enum dm_obs_type dm_obs_from_name(struct dm_sv name);

/* Read `raw` as a value of type t and append its key; *ret_type is t, or the other family for addresses, or
 * the length's algorithm for hashes. Strict: what is not such a value is refused (false, nothing appended):
 * used for indicators and for typed columns. */
bool dm_obs_key(enum dm_obs_type t, struct dm_sv raw, struct dm_buf *key, enum dm_obs_type *ret_type);
/* For evidence: like dm_obs_key, but domains may hold any bytes except 0x00 and 0x01 (logs hold strange
 * names). */
bool dm_obs_key_lenient(enum dm_obs_type t, struct dm_sv raw, struct dm_buf *key, enum dm_obs_type *ret_type);
/* The canonical text of `raw` itself, appended; differs from the text of its key only for registry keys,
 * whose case it keeps. */
bool dm_obs_canonical(enum dm_obs_type t, struct dm_sv raw, bool lenient, struct dm_buf *text,
		      enum dm_obs_type *ret_type);
/* Append the canonical text of a key. Keys come from our own files but may be corrupt: an impossible key
 * appends hex. */
void dm_obs_text(enum dm_obs_type t, struct dm_sv key, struct dm_buf *text);
/* Guess the type of a bare token: address, URL, e-mail, hash by length, domain, AS, MAC, registry key, ja4;
 * DM_OBS_NONE if nothing fits. */
enum dm_obs_type dm_obs_guess(struct dm_sv token);

/* Addresses. 16 bytes network order; IPv4 as ::ffff:a.b.c.d. */
struct dm_ip {
	uint8_t b[16];
};
bool dm_ip_parse(struct dm_sv s,
		 struct dm_ip *ret); /* dotted quad (no leading zeros) or RFC 4291, zone id dropped */
bool dm_ip_is4(const struct dm_ip *ip);
uint32_t dm_ip_v4(const struct dm_ip *ip); /* host order */
struct dm_ip dm_ip_from4(uint32_t host_order);
void dm_ip_put(struct dm_buf *out, const struct dm_ip *ip); /* dotted quad, or RFC 5952 */
/* "10.0.0.0/8", "2001:db8::/32", "1.2.3.4-1.2.3.9", or one address: first and last. Host bits are cleared. */
bool dm_ip_range(struct dm_sv s, struct dm_ip *ret_first, struct dm_ip *ret_last);
/* Why an address names nobody on the Internet: "private (RFC 1918)", "loopback", "link-local",
 * "documentation", "multicast", "CGNAT (RFC 6598)", "reserved", ...; NULL if it is a global unicast address.
 */
const char *dm_ip_reserved(const struct dm_ip *ip);
/* The same for a range (both ends of one family): the first reason that holds for any address in it. */
const char *dm_ip_range_reserved(const struct dm_ip *first, const struct dm_ip *last);
/* Append the key of an address. */
void dm_obs_ip_key(const struct dm_ip *ip, struct dm_buf *key, enum dm_obs_type *ret_type);
/* Loads the library that reads names outside ASCII. It is loaded when the first such name comes, so call this
 * before a process confines itself. DM_EUNSUPPORTED if it is missing: such names are then refused, and kept
 * in lower case where evidence is read. */
int dm_domain_preload(struct dm_err *err);
/* Domain text to A-labels, lower case; appended. False if not a host name by RFC 1123 / UTS 46 (underscore
 * allowed). */
bool dm_domain_canonical(struct dm_sv raw, struct dm_buf *out);
/* Reversed-label key of canonical text, and back. */
void dm_domain_key(struct dm_sv text, struct dm_buf *key);
void dm_domain_text(struct dm_sv key, struct dm_buf *text);
/* Host part of a URL: domain text or address text. False if there is none. */
bool dm_url_host(struct dm_sv url, struct dm_sv *ret_host);

#endif
