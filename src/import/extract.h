/* extract.h: readers that several log formats share: from the text of one log value to values of a record.
 *
 * None of them fails: what can't be read as wanted goes to the record's unparsed values, so that nothing is
 * lost. Text made here lives in the record's arena.
 */
#ifndef DM_IMPORT_EXTRACT_H
#define DM_IMPORT_EXTRACT_H

#include "model/record.h"

/* Seconds with fraction and exponent ("0.000123", "9.5e-07", "1575413104.9882599") to microseconds, rounded:
 * JSON writers print doubles. */
bool dm_read_seconds(struct dm_sv s, int64_t *ret_us);
/* Seconds since the epoch, or any form that dm_time_parse reads, also with slashes in the date and with a
 * comma before the fraction. */
bool dm_read_moment(struct dm_sv s, int64_t *ret_us);

/* A copy in the record's arena, ASCII lower case. The empty view if out of memory (counted in rec->dropped).
 */
struct dm_sv dm_lower_copy(struct dm_record *rec, struct dm_sv s);
void dm_put_lower(struct dm_record *rec, enum dm_field f, struct dm_sv s);
/* "TCP", "tcp", "6" -> "tcp"; unknown numbers stay text. Also sets network.iana_number if it was a number
 * without a common name. */
void dm_put_transport(struct dm_record *rec, struct dm_sv s);
/* Every address of a mail header value: "A <a@x.org>, b@x.org". A value without any goes to unparsed under
 * `name`. */
void dm_put_mail(struct dm_record *rec, enum dm_field f, const char *name, struct dm_sv s);
/* Every IP address standing in free text ("1.2.3.4, 5.6.7.8", "for=\"[2001:db8::1]:80\""). How many. */
unsigned dm_put_addresses(struct dm_record *rec, enum dm_field f, struct dm_sv s);
/* A file name that may be a path with / or \: file.name is its last part, file.path the whole if there are
 * folders. */
void dm_put_file(struct dm_record *rec, struct dm_sv s);
/* One DNS answer in text form: address, name or other text. */
void dm_put_answer(struct dm_record *rec, struct dm_sv s);
/* A distinguished name; a CN that is a host name or an address also enters related.hosts or related.ip. */
void dm_put_subject(struct dm_record *rec, enum dm_field f, struct dm_sv dn);

/* What a log says of an HTTP request. Empty views and port 0 where it says nothing. */
struct dm_http {
	struct dm_sv method, host, uri;
	struct dm_sv server_ip; /* used if there is no host */
	int64_t port;		/* of the server; 0 or negative: not known */
	bool tls;
};
/* Adds http.request.method, url.domain, url.full and url.original as far as they follow from it. */
void dm_put_http(struct dm_record *rec, const struct dm_http *h);

#endif
