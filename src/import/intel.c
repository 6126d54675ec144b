#include "import/intel.h"

#include <stdio.h>
#include "base/json.h"
#include "base/limits.h"

int dm_intel_preload(struct dm_err *err)
{
	(void)dm_domain_preload(NULL); /* without it names outside ASCII are refused, one by one */
	return dm_json_preload(err);
}

void dm_intel_init(struct dm_intel *in, struct dm_sink *sink)
{
	*in = (struct dm_intel){.sink = sink};
	dm_buf_init(&in->key, DM_MAX_VALUE);
	dm_buf_init(&in->key2, DM_MAX_VALUE);
	dm_buf_init(&in->text, DM_MAX_VALUE * 2);
	dm_buf_init(&in->reason, DM_INTEL_BUF);
}

void dm_intel_done(struct dm_intel *in)
{
	dm_buf_done(&in->key);
	dm_buf_done(&in->key2);
	dm_buf_done(&in->text);
	dm_buf_done(&in->reason);
}

void dm_intel_text(struct dm_buf *out, struct dm_sv s, size_t max)
{
	size_t n;
	bool cut;

	s = dm_sv_trim(s);
	n = s.n < max ? s.n : max;
	cut = n < s.n;
	while (cut && n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		dm_buf_putc(out, (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? ' ' : s.p[i]);
	if (cut)
		dm_buf_str(out, "...");
}

int dm_intel_skip(struct dm_intel *in, uint64_t line, const char *reason, struct dm_sv what)
{
	dm_buf_clear(&in->reason);
	dm_buf_str(&in->reason, reason);
	if (what.n) {
		dm_buf_str(&in->reason, ": ");
		dm_intel_text(&in->reason, what, 120);
	}
	in->skipped++;
	return in->sink->skip(in->sink, line, dm_buf_cstr(&in->reason));
}

static int refuse(struct dm_intel *in, const struct dm_indicator *base, enum dm_obs_type t, struct dm_sv raw)
{
	char what[64];

	if (t == DM_OBS_IPV4 || t == DM_OBS_IPV6)
		snprintf(what, sizeof what, "not an IP address or range");
	else
		snprintf(what, sizeof what, "no value of type %s", dm_obs_name(t));
	return dm_intel_skip(in, base->line, what, raw);
}

static int hand_over(struct dm_intel *in, struct dm_indicator *ind, struct dm_sv raw)
{
	if (in->key.err || in->key2.err || in->text.err)
		return in->key.err == DM_ELIMIT || in->text.err == DM_ELIMIT
			       ? dm_intel_skip(in, ind->line, "value is too long", raw)
			       : DM_ENOMEM;
	ind->key = dm_buf_view(&in->key);
	ind->key2 = dm_buf_view(&in->key2);
	ind->value = dm_buf_view(&in->text);
	if (!ind->original.n)
		ind->original = dm_sv_eq(ind->value, raw) ? dm_sv(NULL, 0) : raw;
	in->emitted++;
	return in->sink->indicator(in->sink, ind);
}

static void clear(struct dm_intel *in)
{
	dm_buf_clear(&in->key);
	dm_buf_clear(&in->key2);
	dm_buf_clear(&in->text);
}

/* "192.0.2.0/24" where the range is a block, else "192.0.2.1-192.0.2.9". */
static void range_text(struct dm_buf *out, const struct dm_ip *first, const struct dm_ip *last)
{
	unsigned bits = 0, i;

	while (bits < 128 && !((first->b[bits / 8] ^ last->b[bits / 8]) >> (7 - bits % 8) & 1))
		bits++;
	for (i = bits; i < 128; i++)
		if (first->b[i / 8] >> (7 - i % 8) & 1 || !(last->b[i / 8] >> (7 - i % 8) & 1))
			break;
	dm_ip_put(out, first);
	if (i == 128) {
		dm_buf_printf(out, "/%u", dm_ip_is4(first) ? bits - 96 : bits);
	} else {
		dm_buf_putc(out, '-');
		dm_ip_put(out, last);
	}
}

static int emit_range(struct dm_intel *in, struct dm_indicator *ind, struct dm_sv raw)
{
	struct dm_ip first, last;
	enum dm_obs_type other;

	if (!dm_ip_range(raw, &first, &last))
		return refuse(in, ind, DM_OBS_IPV4, raw);
	clear(in);
	dm_obs_ip_key(&first, &in->key, &ind->type);
	if (memcmp(&first, &last, sizeof first) == 0) {
		ind->form = DM_IND_VALUE;
		dm_ip_put(&in->text, &first);
	} else {
		dm_obs_ip_key(&last, &in->key2, &other);
		if (other != ind->type)
			return dm_intel_skip(in, ind->line, "range over both address families", raw);
		ind->form = DM_IND_RANGE;
		range_text(&in->text, &first, &last);
	}
	return hand_over(in, ind, raw);
}

int dm_intel_emit_suffix(struct dm_intel *in, const struct dm_indicator *base, struct dm_sv raw)
{
	struct dm_indicator ind = *base;
	struct dm_sv name = dm_sv_trim(raw);
	enum dm_obs_type t;

	if (dm_sv_starts(name, DM_SV("*.")))
		name = dm_sv_from(name, 2);
	else if (dm_sv_starts(name, DM_SV(".")))
		name = dm_sv_from(name, 1);
	clear(in);
	if (!dm_obs_key(DM_OBS_DOMAIN, name, &in->key, &t))
		return refuse(in, base, DM_OBS_DOMAIN, raw);
	ind.form = DM_IND_SUFFIX;
	ind.type = DM_OBS_DOMAIN;
	dm_buf_str(&in->text, "*.");
	dm_obs_text(DM_OBS_DOMAIN, dm_buf_view(&in->key), &in->text);
	return hand_over(in, &ind, raw);
}

/* Records hold names of files as they cross the network, without folders; the whole path stays in `original`.
 */
static struct dm_sv without_folder(struct dm_sv path)
{
	size_t n = path.n;

	while (n && path.p[n - 1] != '/' && path.p[n - 1] != '\\')
		n--;
	return dm_sv_from(path, n);
}

int dm_intel_emit(struct dm_intel *in, const struct dm_indicator *base, enum dm_obs_type t, struct dm_sv raw)
{
	struct dm_indicator ind = *base;
	struct dm_sv value;
	enum dm_obs_type exact;

	raw = dm_sv_trim(raw);
	if (!raw.n)
		return dm_intel_skip(in, base->line, "empty value", dm_sv_str(dm_obs_name(t)));
	if (t == DM_OBS_DOMAIN && (raw.p[0] == '.' || dm_sv_starts(raw, DM_SV("*."))))
		return dm_intel_emit_suffix(in, base, raw);
	if ((t == DM_OBS_IPV4 || t == DM_OBS_IPV6) &&
	    (dm_sv_find(raw, '/') != SIZE_MAX || dm_sv_find(raw, '-') != SIZE_MAX))
		return emit_range(in, &ind, raw);
	value = t == DM_OBS_FILENAME ? without_folder(raw) : raw;
	clear(in);
	if (!dm_obs_key(t, value, &in->key, &exact) || !dm_obs_canonical(t, value, false, &in->text, &exact))
		return in->key.err || in->text.err ? hand_over(in, &ind, raw) : refuse(in, base, t, raw);
	ind.form = DM_IND_VALUE;
	ind.type = exact;
	return hand_over(in, &ind, raw);
}
