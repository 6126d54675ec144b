#include "base/time.h"

#include <time.h>

#define MIN_US (-62135596800ll * DM_US)	    /* 0001-01-01T00:00:00Z */
#define MAX_US (253402300800ll * DM_US - 1) /* 9999-12-31T23:59:59.999999Z */

/* Gregorian calendar counted in eras of 400 years from 0000-03-01, so that the leap day is the last of its
 * year. */
#define ERA_DAYS   146097
#define EPOCH_DAYS 719468 /* 0000-03-01 to 1970-01-01 */

static int64_t days_from_civil(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2), era = y >= 0 ? y / 400 : -1;
	unsigned yoe = (unsigned)(y - era * 400),
		 doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * ERA_DAYS + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - EPOCH_DAYS;
}

static void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + EPOCH_DAYS, era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	unsigned doe = (unsigned)(z - era * ERA_DAYS);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / (ERA_DAYS - 1)) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (int64_t)yoe + era * 400 + (*month <= 2);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly n digits at `*at`. */
static bool digits(struct dm_sv s, size_t *at, size_t n, unsigned *ret)
{
	unsigned v = 0;

	if (s.n - *at < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s.p[*at + i]))
			return false;
		v = v * 10 + (unsigned)(s.p[*at + i] - '0');
	}
	*at += n;
	*ret = v;
	return true;
}

static bool accept(struct dm_sv s, size_t *at, char c)
{
	if (*at >= s.n || s.p[*at] != c)
		return false;
	(*at)++;
	return true;
}

/* One or more digits as microseconds; *ret_rest: something was dropped. */
static bool fraction(struct dm_sv s, size_t *at, unsigned *ret, bool *ret_rest)
{
	unsigned us = 0, n = 0;

	*ret_rest = false;
	for (; *at < s.n && is_digit(s.p[*at]); (*at)++, n++) {
		if (n < 6)
			us = us * 10 + (unsigned)(s.p[*at] - '0');
		else
			*ret_rest |= s.p[*at] != '0';
	}
	if (!n)
		return false;
	for (; n < 6; n++)
		us *= 10;
	*ret = us;
	return true;
}

/* Z, UTC, GMT, +hh, +hhmm, +hh:mm or nothing, to the end of s: minutes east of Greenwich. */
static bool zone(struct dm_sv s, size_t at, int *ret)
{
	unsigned hour, minute = 0;
	bool west;

	*ret = 0;
	if (at == s.n)
		return true;
	if (accept(s, &at, ' ') && at == s.n)
		return false;
	if (s.n - at == 1 && (s.p[at] | 0x20) == 'z')
		return true;
	if (s.n - at == 3 && (!memcmp(s.p + at, "UTC", 3) || !memcmp(s.p + at, "GMT", 3)))
		return true;
	west = s.p[at] == '-';
	if (!west && s.p[at] != '+')
		return false;
	at++;
	if (!digits(s, &at, 2, &hour) || hour > 23)
		return false;
	if (at < s.n) {
		accept(s, &at, ':');
		if (!digits(s, &at, 2, &minute) || minute > 59 || at < s.n)
			return false;
	}
	*ret = (int)(hour * 60 + minute) * (west ? -1 : 1);
	return true;
}

bool dm_time_parse(struct dm_sv s, int64_t *ret)
{
	static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year, month, day, hour = 0, minute = 0, second = 0, us = 0;
	size_t at = 0;
	int64_t t;
	int east = 0;
	bool rest;

	if (!digits(s, &at, 4, &year) || !accept(s, &at, '-') || !digits(s, &at, 2, &month) ||
	    !accept(s, &at, '-') || !digits(s, &at, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > month_days[month - 1] +
			    (unsigned)(month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
		return false;
	if (at < s.n) {
		if (!accept(s, &at, 'T') && !accept(s, &at, 't') && !accept(s, &at, ' '))
			return false;
		if (!digits(s, &at, 2, &hour) || !accept(s, &at, ':') || !digits(s, &at, 2, &minute))
			return false;
		if (accept(s, &at, ':')) {
			if (!digits(s, &at, 2, &second))
				return false;
			if ((accept(s, &at, '.') || accept(s, &at, ',')) && !fraction(s, &at, &us, &rest))
				return false;
		}
		if (hour > 23 || minute > 59 || second > 60 || !zone(s, at, &east))
			return false;
	}
	t = days_from_civil(year, month, day) * 86400 + hour * 3600 + (int64_t)minute * 60 + second -
	    (int64_t)east * 60;
	t = t * DM_US + us;
	if (t < MIN_US || t > MAX_US)
		return false;
	*ret = t;
	return true;
}

bool dm_time_parse_epoch(struct dm_sv s, int64_t *ret)
{
	size_t at = 0, start;
	bool negative = accept(s, &at, '-'), rest = false;
	int64_t t = 0;
	unsigned us = 0;

	for (start = at; at < s.n && is_digit(s.p[at]); at++) {
		t = t * 10 + (s.p[at] - '0');
		if (t > MAX_US / DM_US)
			return false;
	}
	if (at == start || (accept(s, &at, '.') && !fraction(s, &at, &us, &rest)) || at < s.n)
		return false;
	t = t * DM_US + us;
	if (negative)
		t = -t - rest; /* dropped digits: towards the past, as above */
	if (t < MIN_US)
		return false;
	*ret = t;
	return true;
}

int32_t dm_day_of(int64_t us)
{
	int64_t day = us / DM_DAY_US;

	return (int32_t)(us % DM_DAY_US < 0 ? day - 1 : day);
}

static const char two_digits[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static char *put2(char *w, unsigned v)
{
	memcpy(w, two_digits + 2 * v, 2);
	return w + 2;
}

static char *put_date(char *w, int64_t day)
{
	int64_t year;
	unsigned month, dom, y;

	civil_from_days(day, &year, &month, &dom);
	y = (unsigned)(year < 0 ? -year : year);
	if (year < 0 || year > 9999) {
		/* Days are int32 and microseconds int64: 5.9 million years, seven digits at the most. */
		*w++ = year < 0 ? '-' : '+';
		if (y > 999999)
			*w++ = (char)('0' + y / 1000000);
		w = put2(w, y / 10000 % 100);
		y %= 10000;
	}
	w = put2(put2(w, y / 100), y % 100);
	*w++ = '-';
	w = put2(w, month);
	*w++ = '-';
	return put2(w, dom);
}

/* The common case apart, at fixed places: rows are printed by the million. Years 1970 to 9999. */
static size_t put_modern(char w[27], uint64_t us)
{
	uint64_t second = us / DM_US;
	uint32_t micro = (uint32_t)(us % DM_US), day = (uint32_t)(second / 86400),
		 sod = (uint32_t)(second % 86400);
	uint32_t z = day + EPOCH_DAYS, era = z / ERA_DAYS, doe = z % ERA_DAYS;
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / (ERA_DAYS - 1)) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint32_t month = mp < 10 ? mp + 3 : mp - 9, year = era * 400 + yoe + (month <= 2);

	put2(w, year / 100);
	put2(w + 2, year % 100);
	w[4] = '-';
	put2(w + 5, month);
	w[7] = '-';
	put2(w + 8, doy - (153 * mp + 2) / 5 + 1);
	w[10] = 'T';
	put2(w + 11, sod / 3600);
	w[13] = ':';
	put2(w + 14, sod / 60 % 60);
	w[16] = ':';
	put2(w + 17, sod % 60);
	w[19] = '.';
	put2(w + 20, micro / 10000);
	put2(w + 22, micro / 100 % 100);
	put2(w + 24, micro % 100);
	w[26] = 'Z';
	return 27;
}

static size_t put_any(char *start, int64_t us)
{
	int64_t day = dm_day_of(us);
	uint64_t left = (uint64_t)us - (uint64_t)day * (uint64_t)DM_DAY_US;
	char date[16], *w = start;
	size_t n = (size_t)(put_date(date, day) - date);

	put_modern(w + n - 10, left);
	memcpy(w, date, n);
	return n + 17;
}

static void put_time(struct dm_buf *out, int64_t us, bool full)
{
	char tmp[40]; /* the longest: -290308-12-21T19:59:05.224192Z */
	size_t n;

	if (us == DM_NO_TIME) {
		dm_buf_str(out, "unknown");
		return;
	}
	n = us >= 0 && us <= MAX_US ? put_modern(tmp, (uint64_t)us) : put_any(tmp, us);
	if (!full && !memcmp(tmp + n - 8, ".000000Z", 8)) {
		n -= 7;
		tmp[n - 1] = 'Z';
	}
	dm_buf_put(out, tmp, n);
}

void dm_time_put(struct dm_buf *out, int64_t us)
{
	put_time(out, us, false);
}

void dm_time_put_full(struct dm_buf *out, int64_t us)
{
	put_time(out, us, true);
}

void dm_day_put(struct dm_buf *out, int32_t day)
{
	char tmp[16];

	dm_buf_put(out, tmp, (size_t)(put_date(tmp, day) - tmp));
}

int64_t dm_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * DM_US + ts.tv_nsec / 1000;
}

uint64_t dm_monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * DM_US + (uint64_t)ts.tv_nsec / 1000;
}

static void put_two(struct dm_buf *out, uint64_t big, const char *big_unit, uint64_t small,
		    const char *small_unit)
{
	dm_buf_u64(out, big);
	dm_buf_str(out, big_unit);
	if (small) {
		dm_buf_putc(out, ' ');
		dm_buf_u64(out, small);
		dm_buf_str(out, small_unit);
	}
}

void dm_duration_put(struct dm_buf *out, int64_t us)
{
	uint64_t u = us < 0 ? 0 - (uint64_t)us : (uint64_t)us, s = u / DM_US;

	if (us < 0)
		dm_buf_putc(out, '-');
	if (s >= 86400) {
		put_two(out, s / 86400, " d", s / 3600 % 24, " h");
	} else if (s >= 3600) {
		put_two(out, s / 3600, " h", s / 60 % 60, " min");
	} else if (s >= 60) {
		put_two(out, s / 60, " min", s % 60, " s");
	} else if (s) {
		dm_buf_u64(out, s);
		if (u % DM_US >= DM_US / 10) {
			dm_buf_putc(out, '.');
			dm_buf_u64(out, u % DM_US / (DM_US / 10));
		}
		dm_buf_str(out, " s");
	} else if (u >= 1000) {
		put_two(out, u / 1000, " ms", 0, "");
	} else if (u) {
		put_two(out, u, " us", 0, "");
	} else {
		dm_buf_str(out, "0 s");
	}
}
