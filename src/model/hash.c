/* hash.c: digests and fuzzy hashes. */
#include "model/hash.h"

size_t dm_hash_bytes(enum dm_obs_type t)
{
	switch (t) {
	case DM_OBS_MD5:
	case DM_OBS_X509_MD5:
	case DM_OBS_JA3:
	case DM_OBS_JA3S:
		return 16;
	case DM_OBS_SHA1:
	case DM_OBS_X509_SHA1:
		return 20;
	case DM_OBS_SHA256:
	case DM_OBS_X509_SHA256:
		return 32;
	case DM_OBS_SHA512:
		return 64;
	default:
		return 0;
	}
}

enum dm_obs_type dm_hash_type(enum dm_obs_type t, size_t digits)
{
	switch (t) {
	case DM_OBS_JA3:
	case DM_OBS_JA3S:
		return digits == 32 ? t : DM_OBS_NONE;
	case DM_OBS_X509_MD5:
	case DM_OBS_X509_SHA1:
	case DM_OBS_X509_SHA256:
		return digits == 32   ? DM_OBS_X509_MD5
		       : digits == 40 ? DM_OBS_X509_SHA1
		       : digits == 64 ? DM_OBS_X509_SHA256
				      : DM_OBS_NONE;
	default:
		return digits == 32    ? DM_OBS_MD5
		       : digits == 40  ? DM_OBS_SHA1
		       : digits == 64  ? DM_OBS_SHA256
		       : digits == 128 ? DM_OBS_SHA512
				       : DM_OBS_NONE;
	}
}

/* Eight bytes at a time: a sum has a byte's top bit set where the byte is at least, or over, the bound it was
 * made for. */
static bool word_is_lower_hex(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101ull, top = 0x80 * ones;
	uint64_t digit = (w + (0x80 - '0') * ones) & ~(w + (0x7f - '9') * ones);
	uint64_t letter = (w + (0x80 - 'a') * ones) & ~(w + (0x7f - 'f') * ones);

	return ((digit | letter) & ~w & top) == top;
}

bool dm_hash_is_lower_hex(struct dm_sv s)
{
	uint64_t w;
	size_t i = 0;
	bool ok = true;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&w, s.p + i, 8);
		ok &= word_is_lower_hex(w);
	}
	for (; i < s.n; i++)
		ok &= (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');
	return ok;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool dm_hash_canonical(enum dm_obs_type t, struct dm_sv raw, char out[128], size_t *ret_n,
		       enum dm_obs_type *ret_type)
{
	bool spaced = t == DM_OBS_X509_MD5 || t == DM_OBS_X509_SHA1 || t == DM_OBS_X509_SHA256;
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		if (is_hex(raw.p[i])) {
			if (n == 128)
				return false;
			out[n++] = (char)(raw.p[i] >= 'A' && raw.p[i] <= 'F' ? raw.p[i] | 0x20 : raw.p[i]);
		} else if (!spaced || (raw.p[i] != ':' && raw.p[i] != ' ') || n == 0 || n % 2) {
			return false;
		}
	}
	*ret_type = dm_hash_type(t, n);
	*ret_n = n;
	return *ret_type != DM_OBS_NONE;
}

/* "blocksize:signature:signature", the signatures in base64's alphabet; both are empty for an empty file. */
bool dm_ssdeep_valid(struct dm_sv s)
{
	unsigned colons = 0;

	if (s.n < 3 || s.n > 200)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == ':') {
			if (i == 0 || ++colons > 2)
				return false;
		} else if (colons == 0
				   ? c < '0' || c > '9'
				   : !((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
				       c == '+' || c == '/')) {
			return false;
		}
	}
	return colons == 2;
}

bool dm_tlsh_canonical(struct dm_sv raw, struct dm_buf *out)
{
	if (raw.n > 2 && (raw.p[0] == 'T' || raw.p[0] == 't') && raw.p[1] == '1')
		raw = dm_sv_from(raw, 2);
	/* 35 bytes; 67 with 256 buckets; two more with the long checksum. */
	if (raw.n != 70 && raw.n != 74 && raw.n != 134 && raw.n != 138)
		return false;
	for (size_t i = 0; i < raw.n; i++)
		if (!is_hex(raw.p[i]))
			return false;
	if (!dm_buf_room(out, raw.n + 2))
		return false;
	dm_buf_put(out, "T1", 2);
	for (size_t i = 0; i < raw.n; i++)
		dm_buf_putc(out, (char)(raw.p[i] >= 'a' ? raw.p[i] & ~0x20 : raw.p[i]));
	return true;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* a_b_c of FoxIO's JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1". */
bool dm_ja4_valid(struct dm_sv s)
{
	if (s.n != 36 || !memchr("tqdTQD", s.p[0], 6) || s.p[10] != '_' || s.p[23] != '_' ||
	    !memchr("dDiI", s.p[3], 4))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 10 || i == 23)
			continue;
		if (i > 10 ? !is_hex(s.p[i]) : !is_alnum(s.p[i]))
			return false;
		if (i >= 4 && i < 8 && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	}
	return true;
}
