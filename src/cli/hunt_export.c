/* hunt_export.c: a hunt as block lists, with the way back, and as a STIX 2.1 bundle of sightings. */
#include <fcntl.h>
#include <sodium/crypto_generichash.h>
#include <stdio.h>
#include <unistd.h>
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/hunt_cli.h"
#include "hunt/blocklist.h"
#include "hunt/set_format.h"

struct entries {
	struct dm_block_entry *v;
	size_t n, cap;
	struct dm_arena arena;
};

static struct dm_sv keep(struct entries *e, struct dm_sv s)
{
	return s.n ? dm_arena_copy(&e->arena, s) : dm_sv("", 0);
}

static int add_entry(struct entries *e, const struct dm_indicator *ind, enum dm_obs_type type,
		     struct dm_sv key, struct dm_sv key2, struct dm_sv text, const char *set_name,
		     const char *warning)
{
	struct dm_block_entry *x;
	char why[300];

	if (dm_grow((void **)&e->v, &e->cap, e->n + 1, sizeof *e->v))
		return DM_ENOMEM;
	x = &e->v[e->n++];
	*x = (struct dm_block_entry){.type = type,
				     .form = ind->form == DM_IND_PATTERN ? DM_IND_VALUE : ind->form,
				     .expires = ind->valid_until,
				     .flags = ind->flags};
	x->key = keep(e, key);
	x->key2 = keep(e, key2);
	x->text = keep(e, text);
	x->reason = keep(e, ind->label.n ? ind->label : ind->id);
	x->source = keep(e, ind->source.n ? ind->source : dm_sv_str(set_name));
	if (warning) {
		snprintf(why, sizeof why, "on warning list %s", warning);
		x->protect = keep(e, dm_sv_str(why));
		x->flags |= DM_FLAG_WARNING;
	}
	return DM_OK;
}

static struct dm_sv range_key(const uint8_t *p, bool v4)
{
	return dm_sv((const char *)p + (v4 ? 12 : 0), v4 ? 4 : 16);
}

/* What was hit: values as they were found, ranges and suffixes as they were given. */
static int hit_entries(struct dm_hunt *h, struct entries *e)
{
	struct dm_buf text;
	int rc = DM_OK;

	dm_buf_init(&text, 1 << 20);
	for (uint32_t i = 0; i < h->n_refs && !rc; i++) {
		const struct dm_hunt_ref *r = &h->ref[i];
		struct dm_set *set = h->set[r->set];
		struct dm_indicator ind;

		if (r->value == UINT32_MAX)
			continue; /* a pattern over several fields: no single value to block */
		rc = dm_set_record(set, r->record, &ind);
		dm_buf_clear(&text);
		if (!rc)
			rc = dm_hunt_ref_text(h, i, &text);
		if (rc)
			break;
		if (ind.form == DM_IND_RANGE) {
			for (uint32_t k = 0; k < set->n_ranges && !rc; k++) {
				const uint8_t *p = set->ranges + (size_t)k * DM_SET_RANGE;
				bool v4 = r->type == DM_OBS_IPV4;
				if (dm_set_u32(p + 32, 0) == r->record)
					rc = add_entry(e, &ind, r->type, range_key(p, v4),
						       range_key(p + 16, v4), dm_buf_view(&text), set->name,
						       r->warning);
			}
		} else if (ind.form == DM_IND_SUFFIX) {
			for (uint32_t k = 0; k < set->n_suffixes && !rc; k++)
				if (dm_set_u32(set->suffix_ref, k) == r->record)
					rc = add_entry(e, &ind, DM_OBS_DOMAIN,
						       dm_strings_get(&set->suffixes, k), dm_sv("", 0),
						       dm_buf_view(&text), set->name, r->warning);
		} else {
			rc = add_entry(e, &ind, h->value[r->value].type, h->value[r->value].key, dm_sv("", 0),
				       dm_buf_view(&text), set->name, r->warning);
		}
	}
	dm_buf_done(&text);
	return rc;
}

/* Is the value on a warning list of the node? */
static const char *warned(struct dm_hunt *h, struct dm_set **list, const struct dm_set_row **row, size_t n,
			  enum dm_obs_type t, struct dm_sv key)
{
	(void)h;
	for (size_t i = 0; i < n; i++)
		if (dm_set_holds(list[i], t, key))
			return row[i]->name.p;
	return NULL;
}

static int set_entries(struct dm_hunt *h, struct dm_set *set, struct dm_set **list,
		       const struct dm_set_row **row, size_t n, struct entries *e)
{
	struct dm_buf text;
	struct dm_indicator ind;
	int rc = DM_OK;

	dm_buf_init(&text, 1 << 20);
	for (uint32_t k = 0; k < set->n_types && !rc; k++) {
		struct dm_set_type *t = &set->type[k];

		if (h->opt.types && !(h->opt.types >> t->type & 1))
			continue;
		for (uint32_t i = 0; i < t->n && !rc; i++) {
			struct dm_sv key = dm_set_key(t, i);
			uint32_t first, refs = dm_set_refs(t, i, &first);

			dm_buf_clear(&text);
			dm_obs_text(t->type, key, &text);
			for (uint32_t j = 0; j < refs && !rc; j++) {
				rc = dm_set_record(set, dm_set_u32(t->ref, first + j), &ind);
				if (!rc)
					rc = add_entry(e, &ind, t->type, key, dm_sv("", 0),
						       dm_buf_view(&text), set->name,
						       warned(h, list, row, n, t->type, key));
			}
		}
	}
	for (uint32_t k = 0; k < set->n_ranges && !rc; k++) {
		const uint8_t *p = set->ranges + (size_t)k * DM_SET_RANGE;
		bool v4 = !memcmp(p, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

		rc = dm_set_record(set, dm_set_u32(p + 32, 0), &ind);
		if (!rc)
			rc = add_entry(e, &ind, v4 ? DM_OBS_IPV4 : DM_OBS_IPV6, range_key(p, v4),
				       range_key(p + 16, v4), ind.value, set->name, NULL);
	}
	for (uint32_t k = 0; k < set->n_suffixes && !rc; k++) {
		rc = dm_set_record(set, dm_set_u32(set->suffix_ref, k), &ind);
		if (!rc)
			rc = add_entry(e, &ind, DM_OBS_DOMAIN, dm_strings_get(&set->suffixes, k),
				       dm_sv("", 0), ind.value, set->name, NULL);
	}
	dm_buf_done(&text);
	return rc;
}

static int all_entries(struct dm_hunt *h, struct entries *e, struct dm_err *err)
{
	struct dm_set **list = dm_calloc(h->snap.n_sets, sizeof(struct dm_set *));
	const struct dm_set_row **row = dm_calloc(h->snap.n_sets, sizeof(struct dm_set_row *));
	size_t n = 0;
	int rc = list && row ? DM_OK : dm_fail(err, DM_ENOMEM, "out of memory");

	for (size_t i = 0; i < h->snap.n_sets && !rc; i++) {
		if (!h->snap.set[i].warning)
			continue;
		rc = dm_set_open(&list[n], h->store->intel_fd, h->snap.set[i].file.p, h->snap.set[i].bytes,
				 err);
		row[n] = &h->snap.set[i];
		n += !rc;
	}
	for (size_t i = 0; i < h->n_sets && !rc; i++)
		rc = set_entries(h, h->set[i], list, row, n, e);
	for (size_t i = 0; list && i < n; i++)
		dm_set_close(list[i]);
	dm_free(list);
	dm_free(row);
	return rc;
}

/* Whole or not at all, in the folder of the path. */
static int write_file(const char *path, const struct dm_buf *text, struct dm_err *err)
{
	int rc = dm_file_replace(AT_FDCWD, path, text->p ? text->p : "", text->n, 0644, err);

	return rc ? dm_err_source(err, path) : DM_OK;
}

int dm_hunt_print_blocks(struct dm_hunt_cli *c, struct dm_err *err)
{
	static const enum dm_block_format formats[] = {[DM_FORMAT_NFT] = DM_BLOCK_NFT,
						       [DM_FORMAT_RPZ] = DM_BLOCK_RPZ,
						       [DM_FORMAT_SURICATA] = DM_BLOCK_SURICATA,
						       [DM_FORMAT_ZEEK] = DM_BLOCK_ZEEK};
	const char *undo = dm_cli_value(c->cli, "undo"), *path = dm_cli_value(c->cli, "output");
	struct dm_block_options opt = {.now = dm_now(), .list_name = path};
	struct dm_block_result r = {0};
	struct entries e = {0};
	int rc = dm_cli_has(c->cli, "all") ? all_entries(c->h, &e, err) : hit_entries(c->h, &e);

	if (path && strrchr(path, '/'))
		opt.list_name = strrchr(path, '/') + 1;
	if (!rc)
		rc = dm_blocklist(formats[c->format], e.v, e.n, &opt, &r, err);
	if (!rc)
		dm_out_write(c->out, dm_buf_view(&r.text));
	if (!rc && undo)
		rc = write_file(undo, &r.undo, err);
	for (unsigned i = 0; i < DM_BLOCK_LISTS && !rc && path; i++) {
		char name[4200];

		if (!r.list[i].n)
			continue;
		snprintf(name, sizeof name, "%s.%s", path, dm_block_list_suffix(i));
		rc = write_file(name, &r.list[i], err);
	}
	c->rows = r.blocked;
	if (!rc)
		dm_cli_note(
			c->cli,
			"%llu blocked, %llu left out (see the comments), %llu that this format cannot say%s",
			(unsigned long long)r.blocked, (unsigned long long)r.left_out,
			(unsigned long long)r.not_possible, undo ? "" : "; --undo FILE writes the way back");
	dm_block_result_done(&r);
	dm_free(e.v);
	dm_arena_done(&e.arena);
	return rc == DM_ENOMEM ? dm_fail(err, rc, "out of memory") : rc;
}

/* An id that is the same for the same content, so that a bundle made twice is one bundle. */
static void put_id(struct dm_buf *b, const char *type, struct dm_sv of)
{
	uint8_t d[16];

	crypto_generichash(d, sizeof d, (const unsigned char *)of.p, of.n, (const unsigned char *)type,
			   strlen(type));
	d[6] = (uint8_t)((d[6] & 0x0f) | 0x40);
	d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
	dm_buf_printf(b, "\"%s--", type);
	for (int i = 0; i < 16; i++)
		dm_buf_printf(b, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", d[i]);
	dm_buf_putc(b, '"');
}

static const char *stix_path(enum dm_obs_type t)
{
	static const char *const path[DM_OBS_TYPES] = {
		[DM_OBS_IPV4] = "ipv4-addr:value",
		[DM_OBS_IPV6] = "ipv6-addr:value",
		[DM_OBS_DOMAIN] = "domain-name:value",
		[DM_OBS_URL] = "url:value",
		[DM_OBS_MD5] = "file:hashes.MD5",
		[DM_OBS_SHA1] = "file:hashes.'SHA-1'",
		[DM_OBS_SHA256] = "file:hashes.'SHA-256'",
		[DM_OBS_SHA512] = "file:hashes.'SHA-512'",
		[DM_OBS_SSDEEP] = "file:hashes.SSDEEP",
		[DM_OBS_TLSH] = "file:hashes.TLSH",
		[DM_OBS_EMAIL] = "email-addr:value",
		[DM_OBS_MAC] = "mac-addr:value",
		[DM_OBS_MUTEX] = "mutex:name",
		[DM_OBS_FILENAME] = "file:name",
		[DM_OBS_REGISTRY] = "windows-registry-key:key",
		[DM_OBS_X509_SHA1] = "x509-certificate:hashes.'SHA-1'",
		[DM_OBS_X509_SHA256] = "x509-certificate:hashes.'SHA-256'",
		[DM_OBS_X509_MD5] = "x509-certificate:hashes.MD5",
		[DM_OBS_USER_AGENT] =
			"network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
	};

	return path[t] ? path[t] : NULL;
}

/* The pattern of an indicator: its own, or one made of its value. */
static void put_pattern(struct dm_buf *out, const struct dm_hunt_ref *r, const struct dm_indicator *ind,
			struct dm_sv text)
{
	struct dm_buf p;
	const char *path = stix_path(r->type);

	dm_buf_init(&p, 1 << 20);
	if (ind->form == DM_IND_PATTERN) {
		dm_buf_sv(&p, ind->value);
	} else {
		if (path)
			dm_buf_printf(&p, "[%s %s '", path,
				      ind->form == DM_IND_RANGE	   ? "ISSUBSET"
				      : ind->form == DM_IND_SUFFIX ? "LIKE"
								   : "=");
		else /* STIX has no property for it: a custom object says so */
			dm_buf_printf(&p, "[x-%s:value = '", dm_obs_name(r->type));
		for (size_t i = 0; i < text.n; i++) {
			char ch = i == 0 && ind->form == DM_IND_SUFFIX && text.p[0] == '*' ? '%' : text.p[i];
			if (ch == '\'' || ch == '\\')
				dm_buf_putc(&p, '\\');
			dm_buf_putc(&p, ch);
		}
		dm_buf_str(&p, "']");
	}
	dm_json_quote(out, dm_buf_view(&p));
	dm_buf_done(&p);
}

static void put_time_key(struct dm_buf *b, const char *key, int64_t t)
{
	dm_buf_printf(b, ",\"%s\":\"", key);
	dm_time_put_full(b, t);
	dm_buf_putc(b, '"');
}

static int put_sighting(struct dm_hunt_cli *c, uint32_t ref, int64_t now, struct dm_buf *b)
{
	const struct dm_hunt_ref *r = &c->h->ref[ref];
	struct dm_indicator ind;
	struct dm_buf text, id;
	bool own_id;
	int rc = dm_set_record(c->h->set[r->set], r->record, &ind);

	if (rc)
		return rc;
	dm_buf_init(&text, 1 << 20);
	dm_buf_init(&id, 1 << 16);
	rc = dm_hunt_ref_text(c->h, ref, &text);
	own_id = dm_sv_starts(ind.id, DM_SV("indicator--"));
	if (own_id)
		dm_json_quote(&id, ind.id);
	else
		put_id(&id, "indicator", dm_buf_view(&text));
	if (!own_id) { /* one that came with an id is known to whoever gave it: its own words are not ours to
			  repeat */
		dm_buf_str(b, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":");
		dm_buf_sv(b, dm_buf_view(&id));
		put_time_key(b, "created", now);
		put_time_key(b, "modified", now);
		dm_buf_str(b, ",\"pattern_type\":\"stix\",\"pattern\":");
		put_pattern(b, r, &ind, dm_buf_view(&text));
		put_time_key(b, "valid_from",
			     ind.valid_from != DM_NO_TIME ? ind.valid_from
			     : r->first != DM_NO_TIME	  ? r->first
							  : now);
		if (ind.valid_until != DM_NO_TIME)
			put_time_key(b, "valid_until", ind.valid_until);
		if (ind.label.n) {
			dm_buf_str(b, ",\"name\":");
			dm_json_quote(b, ind.label);
		}
		dm_buf_str(b, "},\n");
	}
	dm_buf_str(b, "{\"type\":\"sighting\",\"spec_version\":\"2.1\",\"id\":");
	put_id(b, "sighting", dm_buf_view(&id));
	put_time_key(b, "created", now);
	put_time_key(b, "modified", now);
	dm_buf_str(b, ",\"sighting_of_ref\":");
	dm_buf_sv(b, dm_buf_view(&id));
	if (r->first != DM_NO_TIME) {
		put_time_key(b, "first_seen", r->first);
		put_time_key(b, "last_seen",
			     r->last > r->first ? r->last : r->first + 1); /* s.5.2: later than first_seen */
	}
	dm_buf_printf(b, ",\"count\":%llu}",
		      (unsigned long long)(r->count > 999999999 ? 999999999 : r->count)); /* s.5.2: at most */
	dm_buf_done(&text);
	dm_buf_done(&id);
	return b->err;
}

int dm_hunt_print_stix(struct dm_hunt_cli *c, struct dm_err *err)
{
	struct dm_buf *b = &c->out->buf;
	int64_t now = dm_now();
	bool any = false;
	int rc = dm_hunt_count(c->h, err);

	if (rc)
		return rc;
	dm_buf_str(b, "{\"type\":\"bundle\",\"id\":");
	put_id(b, "bundle", dm_sv((const char *)&now, sizeof now));
	dm_buf_str(b, ",\"objects\":[\n");
	for (uint32_t i = 0; i < c->h->n_refs && !rc; i++) {
		if (!c->h->ref[i].count)
			continue;
		if (any)
			dm_buf_str(b, ",\n");
		any = true;
		c->rows += c->h->ref[i].count;
		rc = put_sighting(c, i, now, b);
		dm_out_step(c->out);
	}
	dm_buf_str(b, "\n]}\n");
	return rc ? dm_fail(err, rc, "the bundle could not be written: %s", dm_code_text(rc)) : DM_OK;
}
