/* time.h: moments as int64 microseconds since 1970-01-01T00:00:00Z, without leap seconds. DM_NO_TIME means
 * "not known". */
#ifndef DM_BASE_TIME_H
#define DM_BASE_TIME_H

#include "base/buf.h"
#include "base/sv.h"

#define DM_NO_TIME INT64_MIN
#define DM_US	   1000000ll
#define DM_DAY_US  86400000000ll

/* RFC 3339 and its relatives seen in logs: 2014-12-19T10:00:00Z, +00:00, +0000, +00, " UTC", space instead of
 * T, fraction of any length after point or comma (digits beyond microseconds are dropped, towards the past),
 * no seconds, no zone (read as UTC), a date alone. Second 60 is the first of the next minute. Years 1 to
 * 9999, in UTC. */
bool dm_time_parse(struct dm_sv s, int64_t *ret);
/* Seconds since the epoch with an optional fraction, "1713484795.943239"; exact, never through a double. The
 * same range of years. */
bool dm_time_parse_epoch(struct dm_sv s, int64_t *ret);
/* Append 2014-12-19T10:00:00.000000Z; the fraction is left out where it is zero. Years outside 0 to 9999 get
 * a sign and six digits (ISO 8601 expanded form); DM_NO_TIME appends "unknown". */
void dm_time_put(struct dm_buf *out, int64_t us);
/* Append exactly 6 fraction digits and Z. */
void dm_time_put_full(struct dm_buf *out, int64_t us);
/* Append the date, 2014-12-19. */
void dm_day_put(struct dm_buf *out, int32_t day);
/* Days since the epoch, rounded down, also before 1970. */
int32_t dm_day_of(int64_t us);
int64_t dm_now(void);		/* wall clock, microseconds */
uint64_t dm_monotonic_us(void); /* for durations */
/* Append "3 h 12 min", "4.2 s", "812 ms": two units at the most, rounded towards zero. */
void dm_duration_put(struct dm_buf *out, int64_t us);

#endif
