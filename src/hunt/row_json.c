#include "hunt/row_json.h"

#include <stdio.h>

#include "base/text.h"
#include "base/time.h"

struct column {
	struct dm_segment_col *c;
	const struct dm_field_info *info;
	struct dm_sv key; /* ,"source.ip": */
};

struct dm_row_writer {
	struct dm_hunt *h;
	struct dm_set **set;	  /* clones */
	struct dm_import *import; /* by number, ascending */
	size_t n_imports;
	struct dm_arena arena;
	uint64_t segment; /* serial of the one that is prepared */
	struct column col[DM_FIELDS];
	size_t n_cols;
	struct dm_sv key[DM_FIELDS];
	/* The indicator part of the line last written: rows of one indicator come in bursts. */
	uint32_t last_ref, last_value;
	struct dm_buf part;
	uint32_t last_import;
	struct dm_buf import_part;
};

int dm_row_writer_new(struct dm_row_writer **ret, struct dm_hunt *h, struct dm_err *err)
{
	struct dm_row_writer *w = dm_calloc(1, sizeof *w);
	int rc = DM_ENOMEM;

	if (!w)
		goto fail;
	w->h = h;
	w->last_ref = w->last_import = UINT32_MAX;
	dm_buf_init(&w->part, 1 << 24);
	dm_buf_init(&w->import_part, 1 << 20);
	w->set = dm_calloc(h->n_sets, sizeof(struct dm_set *));
	if (!w->set)
		goto fail;
	for (size_t i = 0; i < h->n_sets; i++)
		if (dm_set_clone(&w->set[i], h->set[i]))
			goto fail;
	for (unsigned f = 0; f < DM_FIELDS; f++) {
		char key[96];
		int n;

		if (!dm_field_info[f].name)
			continue;
		n = snprintf(key, sizeof key, ",\"%s\":", dm_field_info[f].name);
		w->key[f] = dm_arena_copy(&w->arena, dm_sv(key, (size_t)n));
		if (!w->key[f].p)
			goto fail;
	}
	rc = dm_catalog_imports(h->store->catalog, &w->arena, &w->import, &w->n_imports, err);
	if (rc)
		goto fail;
	*ret = w;
	return DM_OK;
fail:
	dm_row_writer_free(w);
	return rc == DM_ENOMEM ? dm_fail(err, rc, "out of memory") : rc;
}

void dm_row_writer_free(struct dm_row_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; w->set && i < w->h->n_sets; i++)
		dm_set_close(w->set[i]);
	dm_free(w->set);
	dm_buf_done(&w->part);
	dm_buf_done(&w->import_part);
	dm_arena_done(&w->arena);
	dm_free(w);
}

/* The columns of a segment in the order of the fields' numbers: time, source, destination, then the rest. */
static void prepare(struct dm_row_writer *w, struct dm_segment *s)
{
	w->segment = s->serial;
	w->n_cols = 0;
	for (uint32_t i = 0; i < s->n_cols; i++) {
		struct dm_segment_col *c = dm_segment_column_at(s, i);
		unsigned f;

		if (!c)
			continue;
		f = c->d->field;
		if (f >= DM_FIELDS || f == DM_F_TIME || f == DM_F_TIMINGS || !dm_field_info[f].name)
			continue;
		w->col[w->n_cols++] = (struct column){.c = c, .info = &dm_field_info[f], .key = w->key[f]};
	}
}

static void put_ip(struct dm_buf *out, enum dm_obs_type t, struct dm_sv key)
{
	struct dm_ip ip;

	if (t == DM_OBS_IPV4 && key.n == 4) {
		uint32_t be;
		memcpy(&be, key.p, 4);
		ip = dm_ip_from4(__builtin_bswap32(be));
	} else if (key.n == 16) {
		memcpy(ip.b, key.p, 16);
	} else {
		return;
	}
	dm_ip_put(out, &ip);
}

static void put_obs(struct dm_segment *s, uint32_t code, struct dm_buf *out, bool quote)
{
	enum dm_obs_type t;
	struct dm_sv key = dm_segment_key(s, code, &t);
	size_t start;
	char stack[512];

	if (t == DM_OBS_IPV4 || t == DM_OBS_IPV6) {
		if (quote)
			dm_buf_putc(out, '"');
		put_ip(out, t, key);
		if (quote)
			dm_buf_putc(out, '"');
		return;
	}
	start = out->n;
	dm_obs_text(t, key, out);
	if (t == DM_OBS_AS && quote) { /* ECS: a number */
		if (out->n - start > 2 && out->p[start] == 'A') {
			memmove(out->p + start, out->p + start + 2, out->n - start - 2);
			out->n -= 2;
		}
		return;
	}
	if (!quote || out->err)
		return;
	if (out->n - start <= sizeof stack) {
		size_t n = out->n - start;
		memcpy(stack, out->p + start, n);
		out->n = start;
		dm_json_quote(out, dm_sv(stack, n));
	} else {
		char *copy = dm_strndup(dm_sv(out->p + start, out->n - start));
		size_t n = out->n - start;
		out->n = start;
		if (copy)
			dm_json_quote(out, dm_sv(copy, n));
		else
			out->err = DM_ENOMEM;
		dm_free(copy);
	}
}

/* One value of a column; false if it is absent. */
static bool put_value(struct dm_segment *s, const struct column *k, uint32_t value, struct dm_buf *out,
		      bool json)
{
	char tmp[64];
	int64_t v = dm_segment_numbered(k->c) ? dm_segment_number(k->c, value) : 0;
	struct dm_sv t;

	if (v == DM_NO_INT)
		return false;
	switch (k->c->d->encoding) {
	case DM_ENC_CODE:
		put_obs(s, (uint32_t)v, out, json);
		return true;
	case DM_ENC_INT:
	case DM_ENC_INT_LIST:
		if (k->info->type == DM_T_BOOL) {
			dm_buf_str(out, v ? "true" : "false");
		} else if (k->info->type == DM_T_TIME) {
			if (json)
				dm_buf_putc(out, '"');
			dm_time_put_full(out, v);
			if (json)
				dm_buf_putc(out, '"');
		} else if (k->info->type == DM_T_SPAN && json) { /* ECS event.duration: nanoseconds */
			dm_buf_i64(out, v);
			if (v)
				dm_buf_put(out, "000", 3);
		} else {
			dm_buf_i64(out, v);
		}
		return true;
	default:
		t = dm_segment_text(k->c, value, tmp);
		if (!t.n)
			return false;
		if (json)
			dm_json_quote(out, t);
		else
			dm_buf_sv(out, t);
		return true;
	}
}

static void put_column(struct dm_segment *s, const struct column *k, uint32_t row, struct dm_buf *out)
{
	uint32_t first, n = dm_segment_values(s, k->c, row, &first);
	size_t start = out->n;

	if (!n)
		return;
	dm_buf_sv(out, k->key);
	if (n == 1) {
		if (!put_value(s, k, first, out, true))
			out->n = start;
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		dm_buf_putc(out, i ? ',' : '[');
		if (!put_value(s, k, first + i, out, true))
			dm_buf_str(out, "null");
	}
	dm_buf_putc(out, ']');
}

static struct dm_sv import_name(const struct dm_row_writer *w, uint32_t id)
{
	size_t lo = 0, hi = w->n_imports;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (w->import[mid].id < (int64_t)id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n_imports && w->import[lo].id == (int64_t)id ? w->import[lo].name : dm_sv("", 0);
}

static void put_key_text(struct dm_buf *out, const char *key, struct dm_sv text)
{
	if (text.n) {
		dm_buf_str(out, key);
		dm_json_quote(out, text);
	}
}

static void put_flags(struct dm_buf *out, const struct dm_indicator *ind)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{DM_FLAG_RESERVED, "reserved"},	    {DM_FLAG_BROAD, "broad"},
		{DM_FLAG_EMPTY_HASH, "empty-file"}, {DM_FLAG_OWN, "own-network"},
		{DM_FLAG_WARNING, "warning-list"},  {DM_FLAG_NOT_IDS, "not-for-detection"},
		{DM_FLAG_REVOKED, "revoked"},	    {DM_FLAG_BENIGN, "benign"},
	};
	bool any = false;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ind->flags & names[i].flag) {
			dm_buf_str(out, any ? "," : ",\"indicator.flags\":[");
			dm_json_quote(out, dm_sv_str(names[i].name));
			any = true;
		}
	if (ind->valid_until != DM_NO_TIME && ind->valid_until < dm_now()) {
		dm_buf_str(out, any ? "," : ",\"indicator.flags\":[");
		dm_buf_str(out, "\"expired\"");
		any = true;
	}
	if (any)
		dm_buf_putc(out, ']');
}

/* The text of an indicator as it applies to value v. */
static void indicator_text(struct dm_hunt *h, const struct dm_indicator *ind, uint32_t value,
			   struct dm_buf *out)
{
	if (ind->form == DM_IND_RANGE || ind->form == DM_IND_SUFFIX || value == DM_HUNT_NO_VALUE)
		dm_buf_sv(out, ind->value);
	else
		dm_obs_text(h->value[value].type, h->value[value].key, out);
}

int dm_row_writer_indicator(struct dm_row_writer *w, const struct dm_hunt_row *row, struct dm_buf *text,
			    struct dm_indicator *ret)
{
	const struct dm_hunt_ref *r = &w->h->ref[row->ref];
	int rc = dm_set_record(w->set[r->set], r->record, ret);

	if (rc)
		return rc;
	indicator_text(w->h, ret, row->value, text);
	return text->err;
}

struct dm_sv dm_row_writer_import(struct dm_row_writer *w, const struct dm_hunt_row *row)
{
	return import_name(w, dm_segment_import(row->segment, row->row));
}

static int indicator_part(struct dm_row_writer *w, uint32_t ref, uint32_t value)
{
	const struct dm_hunt_ref *r = &w->h->ref[ref];
	struct dm_set *set = w->set[r->set];
	struct dm_indicator ind;
	struct dm_buf text;
	int rc = dm_set_record(set, r->record, &ind);

	if (rc)
		return rc;
	dm_buf_init(&text, 1 << 20);
	dm_buf_clear(&w->part);
	dm_buf_str(&w->part, ",\"indicator.type\":");
	dm_json_quote(&w->part, dm_sv_str(value == DM_HUNT_NO_VALUE ? "stix-pattern"
								    : dm_obs_name(w->h->value[value].type)));
	indicator_text(w->h, &ind, value, &text);
	put_key_text(&w->part, ",\"indicator.value\":", dm_buf_view(&text));
	put_key_text(&w->part, ",\"indicator.id\":", ind.id);
	put_key_text(&w->part, ",\"indicator.source\":", ind.source.n ? ind.source : dm_sv_str(set->name));
	if (ind.source.n)
		put_key_text(&w->part, ",\"indicator.file\":", dm_sv_str(set->name));
	dm_buf_str(&w->part, ",\"indicator.line\":");
	dm_buf_u64(&w->part, ind.line);
	put_key_text(&w->part, ",\"indicator.name\":", ind.label);
	put_key_text(&w->part, ",\"indicator.marking\":", ind.marking);
	put_flags(&w->part, &ind);
	dm_buf_done(&text);
	w->last_ref = ref;
	w->last_value = value;
	return w->part.err;
}

int dm_row_writer_put(struct dm_row_writer *w, const struct dm_hunt_row *row, bool hit, struct dm_buf *out)
{
	struct dm_segment *s = row->segment;
	uint32_t import = dm_segment_import(s, row->row);
	int rc;

	if (s->serial != w->segment)
		prepare(w, s);
	dm_buf_putc(out, '{');
	if (row->time != DM_NO_TIME) {
		dm_buf_put(out, "\"@timestamp\":\"", 14);
		dm_time_put_full(out, row->time);
		dm_buf_put(out, "\",", 2);
	}
	dm_buf_str(out,
		   s->h->kind == DM_KIND_ALERT ? "\"event.kind\":\"alert\"" : "\"event.kind\":\"event\"");
	for (size_t i = 0; i < w->n_cols; i++)
		put_column(s, &w->col[i], row->row, out);
	if (hit) {
		if (row->ref != w->last_ref || row->value != w->last_value) {
			rc = indicator_part(w, row->ref, row->value);
			if (rc)
				return rc;
		}
		dm_buf_sv(out, dm_buf_view(&w->part));
		if (row->value != DM_HUNT_NO_VALUE) {
			dm_buf_str(out, ",\"indicator.field\":\"");
			dm_buf_str(out, dm_field_info[row->field].name);
			dm_buf_putc(out, '"');
		}
	}
	if (import != w->last_import) {
		dm_buf_clear(&w->import_part);
		put_key_text(&w->import_part, ",\"import\":", import_name(w, import));
		dm_buf_printf(&w->import_part, ",\"import.id\":%u,\"line\":", import);
		w->last_import = import;
	}
	dm_buf_sv(out, dm_buf_view(&w->import_part));
	dm_buf_u64(out, dm_segment_line(s, row->row));
	dm_buf_putc(out, '}');
	return out->err;
}

void dm_row_text(struct dm_segment *s, uint32_t row, unsigned field, struct dm_buf *out)
{
	struct column k = {.c = dm_segment_column(s, field),
			   .info = &dm_field_info[field < DM_FIELDS ? field : 0]};
	uint32_t first, n;

	if (!k.c)
		return;
	n = dm_segment_values(s, k.c, row, &first);
	for (uint32_t i = 0; i < n; i++) {
		size_t start = out->n;

		if (i)
			dm_buf_put(out, ", ", 2);
		if (!put_value(s, &k, first + i, out, false))
			out->n = start;
	}
}

int dm_hunt_ref_text(struct dm_hunt *h, uint32_t ref, struct dm_buf *out)
{
	struct dm_indicator ind;
	int rc = dm_set_record(h->set[h->ref[ref].set], h->ref[ref].record, &ind);

	if (rc)
		return rc;
	if (ind.form == DM_IND_PATTERN && h->ref[ref].n_values > 1)
		dm_buf_sv(out, ind.value);
	else
		indicator_text(h, &ind, h->ref[ref].value, out);
	return out->err;
}
