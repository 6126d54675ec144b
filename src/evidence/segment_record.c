/* segment_record.c: one row as a record, as its importer made it: for the exact evaluation of patterns. */
#include "evidence/segment.h"

static void add_code(struct dm_segment *s, struct dm_record *r, enum dm_field f, uint32_t code)
{
	enum dm_obs_type t;
	struct dm_sv key = dm_segment_key(s, code, &t);
	struct dm_ip ip;

	if (t == DM_OBS_IPV4 && key.n == 4) {
		uint32_t be;
		memcpy(&be, key.p, 4);
		ip = dm_ip_from4(__builtin_bswap32(be));
		dm_record_ip(r, f, &ip);
	} else if (t == DM_OBS_IPV6 && key.n == 16) {
		memcpy(ip.b, key.p, 16);
		dm_record_ip(r, f, &ip);
	} else if (t != DM_OBS_NONE) {
		struct dm_buf text;

		dm_buf_init(&text, DM_MAX_VALUE * 4);
		dm_obs_text(t, key, &text);
		dm_record_text(r, f, dm_arena_copy(&r->arena, dm_buf_view(&text)));
		dm_buf_done(&text);
	}
}

int dm_segment_record(struct dm_segment *s, uint32_t row, struct dm_record *ret, struct dm_err *err)
{
	char tmp[64];

	dm_record_start(ret, s->h->kind, dm_segment_time(s, row), dm_segment_line(s, row));
	for (uint32_t i = 0; i < s->n_cols; i++) {
		struct dm_segment_col *c = dm_segment_column_at(s, i);
		uint32_t first, n;

		if (!c)
			return dm_fail(err, DM_ECORRUPT, "a column of a segment is damaged");
		if (c->d->field >= DM_FIELDS || c->d->field == DM_F_TIME || c->d->field == DM_F_TIMINGS)
			continue;
		n = dm_segment_values(s, c, row, &first);
		for (uint32_t k = first; k < first + n; k++) {
			int64_t v = dm_segment_numbered(c) ? dm_segment_number(c, k) : 0;

			if (v == DM_NO_INT)
				continue;
			if (c->d->encoding == DM_ENC_CODE)
				add_code(s, ret, (enum dm_field)c->d->field, (uint32_t)v);
			else if (c->d->encoding == DM_ENC_INT || c->d->encoding == DM_ENC_INT_LIST)
				dm_record_int(ret, (enum dm_field)c->d->field, v);
			else
				dm_record_text(ret, (enum dm_field)c->d->field,
					       dm_arena_copy(&ret->arena, dm_segment_text(c, k, tmp)));
		}
	}
	return DM_OK;
}
