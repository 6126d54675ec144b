/* fmt.h: numbers to text on the way of every packet and flow, where printf took a fifth of the time. */
#ifndef DM_IMPORT_FMT_H
#define DM_IMPORT_FMT_H

#include "base/sv.h"

/* Decimal digits of v to `out` (20 bytes at the most, no NUL); how many. */
static inline size_t dm_fmt_u64(char *out, uint64_t v)
{
	char tmp[20];
	size_t n = 0;

	do
		tmp[n++] = (char)('0' + v % 10);
	while (v /= 10);
	for (size_t i = 0; i < n; i++)
		out[i] = tmp[n - 1 - i];
	return n;
}

/* Two hex digits a byte, lower case, no NUL. */
static inline void dm_fmt_hex(char *out, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
}

/* "00:11:22:33:44:55", 17 bytes, no NUL. */
static inline void dm_fmt_mac(char out[17], const uint8_t mac[6])
{
	for (unsigned i = 0; i < 6; i++) {
		dm_fmt_hex(out + 3 * i, mac + i, 1);
		if (i < 5)
			out[3 * i + 2] = ':';
	}
}

#endif
