/* domain.c: names of hosts: canonical text, and the reversed-label key that makes a suffix a range. */
#include "base/limits.h"
#include "model/domain.h"
#include "model/idn.h"

enum { BAD, SAME, UPPER, DOT };

/* What RFC 1123 s.2.1 lets a host name hold, and the underscore of service names (RFC 8552). */
static const uint8_t ldh[256] = {
	['a' ... 'z'] = SAME, ['0' ... '9'] = SAME,  ['-'] = SAME,
	['_'] = SAME,	      ['A' ... 'Z'] = UPPER, ['.'] = DOT,
};

/* One pass over an ASCII name. `out` takes DM_MAX_DOMAIN bytes. Returns the length, 0 if refused. Hyphens may
 * stand anywhere, as in UTS 46 with CheckHyphens=false: such names resolve, so they must be huntable. */
static size_t strict_ascii(struct dm_sv s, char *out)
{
	size_t label = 0; /* start of the label */
	bool digits = true;

	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	/* RFC 1035 s.2.3.4: 255 octets on the wire, two more than as text. */
	if (s.n == 0 || s.n + 2 > DM_MAX_DOMAIN)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		switch (ldh[c]) {
		case SAME:
			break;
		case UPPER:
			c |= 0x20;
			break;
		case DOT:
			if (i == label || i - label > 63)
				return 0;
			label = i + 1;
			break;
		default:
			return 0;
		}
		out[i] = (char)c;
	}
	if (s.n == label || s.n - label > 63)
		return 0;
	for (size_t i = label; i < s.n && digits; i++)
		digits = out[i] >= '0' && out[i] <= '9';
	/* RFC 1123 s.2.1: a last label of digits is an address, or a slip of one. */
	return digits ? 0 : s.n;
}

static bool is_ascii(struct dm_sv s)
{
	uint8_t all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (uint8_t)s.p[i];
	return all < 0x80;
}

static bool has_nul(struct dm_sv s)
{
	return memchr(s.p, 0, s.n) != NULL;
}

size_t dm_domain_strict(struct dm_sv raw, char out[DM_MAX_DOMAIN + 1])
{
	char ascii[DM_IDN_MAX_INPUT + 1];
	size_t n = strict_ascii(raw, out);

	if (n || raw.n == 0 || is_ascii(raw) || has_nul(raw))
		return n;
	n = dm_idn_ascii(raw, ascii, sizeof(ascii));
	return n ? strict_ascii(dm_sv(ascii, n), out) : 0;
}

bool dm_domain_canonical(struct dm_sv raw, struct dm_buf *out)
{
	char text[DM_MAX_DOMAIN + 1];
	size_t n = dm_domain_strict(raw, text);

	dm_buf_put(out, text, n);
	return n && !out->err;
}

/* Whether the lenient form keeps these eight bytes: all of ASCII but capitals, NUL and the separator of the
 * key. A sum has a byte's top bit set where the byte is at least, or over, the bound it was made for; bytes
 * from 0x80 up are told by their own. */
static bool word_is_kept(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101ull, top = 0x80 * ones;
	uint64_t upper = (w + (0x80 - 'A') * ones) & ~(w + (0x7f - 'Z') * ones);

	return ((w | upper | ~(w + 0x7e * ones)) & top) == 0;
}

bool dm_domain_is_lenient(struct dm_sv s)
{
	uint64_t w;
	size_t i = 0;

	if (s.n == 0 || s.p[s.n - 1] == '.')
		return false;
	for (; i + 8 <= s.n; i += 8) {
		memcpy(&w, s.p + i, 8);
		if (!word_is_kept(w))
			return false;
	}
	if (i == s.n)
		return true;
	if (s.n >= 8) {
		memcpy(&w, s.p + s.n - 8, 8);
	} else {
		w = 0x2020202020202020ull;
		memcpy(&w, s.p, s.n);
	}
	return word_is_kept(w);
}

static struct dm_sv without_dots(struct dm_sv s)
{
	while (s.n && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

bool dm_domain_lenient(struct dm_sv raw, struct dm_buf *out)
{
	char ascii[DM_IDN_MAX_INPUT + 1];
	struct dm_sv s = without_dots(raw);

	if (s.n && !is_ascii(s) && !has_nul(s)) {
		size_t n = dm_idn_ascii(s, ascii, sizeof(ascii));
		/* An answer with other bytes than a host name's is no better than the name as it came. */
		char checked[DM_MAX_DOMAIN + 1];
		if (n && (n = strict_ascii(dm_sv(ascii, n), checked))) {
			dm_buf_put(out, checked, n);
			return !out->err;
		}
	}
	if (s.n == 0 || has_nul(s) || memchr(s.p, 1, s.n) || !dm_buf_room(out, s.n))
		return false;
	char *o = out->p + out->n;
	for (size_t i = 0; i < s.n; i++)
		o[i] = (char)(s.p[i] | (ldh[(uint8_t)s.p[i]] == UPPER ? 0x20 : 0));
	out->n += s.n;
	return true;
}

/* Labels in reverse order, `from` between them in `in`, `to` in the output. */
static void reverse(struct dm_sv in, char from, char to, struct dm_buf *out)
{
	const char *end = in.p + in.n, *p = end;
	char *o;

	if (in.n == 0 || !dm_buf_room(out, in.n))
		return;
	o = out->p + out->n;
	while (p > in.p) {
		if (*--p != from)
			continue;
		for (const char *c = p + 1; c < end; c++)
			*o++ = *c;
		*o++ = to;
		end = p;
	}
	for (const char *c = p; c < end; c++)
		*o++ = *c;
	out->n += in.n;
}

void dm_domain_key(struct dm_sv text, struct dm_buf *key)
{
	reverse(text, '.', 0x01, key);
}

void dm_domain_text(struct dm_sv key, struct dm_buf *text)
{
	reverse(key, 0x01, '.', text);
}
