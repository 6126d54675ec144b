/* The node's side of the frames: nothing a worker sent is believed before it was checked here, since the
 * worker may be in an attacker's hands.
 *
 * After a check the arrays are used where they lie. What is checked is what a reader could fall over: bounds,
 * counts, order, lengths, types. Whether a value is true, or canonical, can't be checked: a hijacked worker
 * can spoil its own import, nothing else.
 */
#include "import/batch.h"

#include <stdio.h>

#include "base/cur.h"

struct column_header {
	uint16_t field;
	uint8_t type, flags; /* 1: rows[] follows; 2: obs[] follows */
	uint32_t n, heap_n;
};

static int broken(struct dm_err *err, const char *rule)
{
	dm_fail(err, DM_EWORKER, "the import worker sent a frame that breaks a rule: %s", rule);
	dm_err_remedy(err, "the input may be hostile; please report it with the file if you can");
	return DM_EWORKER;
}

/* An array of n elements and the zeros behind it; NULL if the frame ends before. */
static const void *take(struct dm_cur *c, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > DM_MAX_FRAME) {
		c->bad = true;
		return NULL;
	}
	return dm_cur_take(c, DM_FRAME_PAD(bytes));
}

static bool lines_ascend(const uint64_t *line, uint32_t n)
{
	bool wrong = false;

	for (uint32_t i = 1; i < n; i++)
		wrong |= line[i] < line[i - 1];
	return !wrong;
}

static const char *check_rows(const uint16_t *rows, uint32_t n, uint32_t nrows)
{
	bool wrong = false, crowded = false;

	for (uint32_t i = 1; i < n; i++)
		wrong |= rows[i] < rows[i - 1];
	if (wrong || rows[n - 1] >= nrows)
		return "row numbers of a column ascend and lie within the batch";
	for (uint32_t i = DM_MAX_VALUES; i < n; i++)
		crowded |= rows[i] == rows[i - DM_MAX_VALUES];
	return crowded ? "a row has at most DM_MAX_VALUES values of a field" : NULL;
}

static const char *check_ints(const int64_t *v, uint32_t n, enum dm_field_type type)
{
	bool wrong = false;

	if (type == DM_T_BOOL)
		for (uint32_t i = 0; i < n; i++)
			wrong |= (uint64_t)v[i] > 1;
	else
		for (uint32_t i = 0; i < n; i++)
			wrong |= v[i] == DM_NO_INT;
	return wrong ? "a number is neither absent nor, as a truth value, other than 0 and 1" : NULL;
}

static const char *check_lens(const uint32_t *lens, uint32_t n, uint32_t heap_n)
{
	uint64_t sum = 0; /* 2^32 values of 2^32 bytes fit */
	uint32_t longest = 0;

	for (uint32_t i = 0; i < n; i++) {
		sum += lens[i];
		longest = lens[i] > longest ? lens[i] : longest;
	}
	if (longest > DM_MAX_RECORD)
		return "a text is no longer than DM_MAX_RECORD";
	return sum == heap_n ? NULL : "the lengths of the texts add up to their bytes";
}

static bool is_file_hash(uint8_t t)
{
	return t >= DM_OBS_MD5 && t <= DM_OBS_SHA512;
}

static bool is_fingerprint(uint8_t t)
{
	return t >= DM_OBS_X509_SHA1 && t <= DM_OBS_X509_MD5;
}

/* Only hashes and fingerprints have several types in one column. */
static const char *check_obs(const uint8_t *obs, uint32_t n, uint8_t field_obs)
{
	bool wrong = false;

	for (uint32_t i = 0; i < n; i++)
		wrong |= !(obs[i] == field_obs || (is_file_hash(field_obs) && is_file_hash(obs[i])) ||
			   (is_fingerprint(field_obs) && is_fingerprint(obs[i])));
	return wrong ? "the type of a value suits its field" : NULL;
}

static const char *check_header(const struct column_header *h, const struct dm_batch *b)
{
	const struct dm_field_info *info;

	if (h->field >= DM_FIELDS || !dm_field_info[h->field].name)
		return "a column has a known field";
	if (b->ncolumns && h->field <= b->col[b->ncolumns - 1].field)
		return "columns ascend by field";
	info = &dm_field_info[h->field];
	if (h->type != (uint8_t)info->type)
		return "a column has the type of its field";
	if (h->flags > 3 || ((h->flags & 2) && (info->type != DM_T_TEXT || info->obs == DM_OBS_NONE)))
		return "a column has only the parts that its type has";
	if (!h->n || (!(h->flags & 1) && h->n != b->nrows))
		return "a column without row numbers has one value a row";
	return h->heap_n && info->type != DM_T_TEXT ? "only texts have text" : NULL;
}

static const char *open_column(struct dm_column *c, const struct column_header *h, uint32_t nrows,
			       struct dm_cur *cur)
{
	const char *rule = NULL;

	*c = (struct dm_column){.field = h->field, .type = h->type, .n = h->n, .heap_n = h->heap_n};
	if (h->flags & 1)
		c->rows = take(cur, h->n, sizeof *c->rows);
	if (h->type == DM_T_IP)
		c->ips = take(cur, h->n, sizeof *c->ips);
	else if (h->type == DM_T_TEXT)
		c->lens = take(cur, h->n, sizeof *c->lens);
	else
		c->ints = take(cur, h->n, sizeof *c->ints);
	if (h->flags & 2)
		c->obs = take(cur, h->n, sizeof *c->obs);
	if (h->type == DM_T_TEXT)
		c->heap = take(cur, h->heap_n, 1);
	if (cur->bad)
		return "a frame holds the arrays that it announces";
	if (c->rows)
		rule = check_rows(c->rows, c->n, nrows);
	if (!rule && c->ints)
		rule = check_ints(c->ints, c->n, (enum dm_field_type)c->type);
	if (!rule && c->lens)
		rule = check_lens(c->lens, c->n, c->heap_n);
	if (!rule && c->obs)
		rule = check_obs(c->obs, c->n, (uint8_t)dm_field_info[c->field].obs);
	return rule;
}

int dm_batch_open(struct dm_batch *ret, const uint8_t *payload, size_t n, struct dm_err *err)
{
	struct dm_cur c = dm_cur(payload, n), heads;
	uint32_t ncol;

	if (n > DM_MAX_FRAME || n % 8 || (uintptr_t)payload % 8)
		return broken(err, "a batch is aligned and no longer than DM_MAX_FRAME");
	ret->kind = (enum dm_kind)dm_cur_u16le(&c);
	ncol = dm_cur_u16le(&c);
	ret->nrows = dm_cur_u32le(&c);
	ret->ncolumns = 0;
	if (c.bad || ret->kind <= 0 || ret->kind >= DM_KINDS || !ret->nrows ||
	    ret->nrows > DM_MAX_BATCH_ROWS || ncol > DM_FIELDS)
		return broken(err, "a batch has a known kind, 1 to DM_MAX_BATCH_ROWS rows and known columns");
	ret->time = take(&c, ret->nrows, sizeof *ret->time);
	ret->line = take(&c, ret->nrows, sizeof *ret->line);
	heads = dm_cur(take(&c, ncol, 16), ncol * 16);
	if (c.bad)
		return broken(err, "a frame holds the arrays that it announces");
	if (!lines_ascend(ret->line, ret->nrows))
		return broken(err, "line numbers of a batch ascend");
	for (uint32_t i = 0; i < ncol; i++) {
		struct column_header h = {.field = dm_cur_u16le(&heads),
					  .type = dm_cur_u8(&heads),
					  .flags = dm_cur_u8(&heads),
					  .n = dm_cur_u32le(&heads),
					  .heap_n = dm_cur_u32le(&heads)};
		const char *rule = check_header(&h, ret);

		dm_cur_skip(&heads, 4);
		if (!rule)
			rule = open_column(&ret->col[i], &h, ret->nrows, &c);
		if (rule)
			return broken(err, rule);
		ret->ncolumns = i + 1;
	}
	return dm_cur_left(&c) ? broken(err, "a frame ends with its last column") : DM_OK;
}

/* Bytes of a key of type t; 0: any but none. */
static size_t key_size(enum dm_obs_type t)
{
	switch (t) {
	case DM_OBS_IPV4:
	case DM_OBS_AS:
		return 4;
	case DM_OBS_IPV6:
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

static const char *check_indicator(const struct dm_indicator *ind)
{
	size_t want;

	if (ind->form == DM_IND_PATTERN)
		return ind->type == DM_OBS_NONE && !ind->key.n && !ind->key2.n && ind->value.n &&
				       ind->value.n <= DM_MAX_PATTERN
			       ? NULL
			       : "a pattern has a text and no key";
	if (ind->form < DM_IND_VALUE || ind->form > DM_IND_PATTERN || ind->type <= DM_OBS_NONE ||
	    ind->type >= DM_OBS_TYPES)
		return "an indicator has a known form and type";
	want = key_size(ind->type);
	if (want ? ind->key.n != want : ind->key.n == 0 || ind->key.n > DM_MAX_VALUE)
		return "an indicator's key has the size of its type";
	if (ind->form == DM_IND_RANGE) {
		if ((ind->type != DM_OBS_IPV4 && ind->type != DM_OBS_IPV6) || ind->key2.n != want ||
		    dm_sv_cmp(ind->key, ind->key2) > 0)
			return "a range goes from an address to one that is not before it";
	} else if (ind->key2.n) {
		return "only ranges have a second key";
	}
	return ind->form == DM_IND_SUFFIX && ind->type != DM_OBS_DOMAIN ? "only domains have suffixes" : NULL;
}

int dm_batch_indicators(const uint8_t *payload, size_t n, int (*each)(void *ctx, const struct dm_indicator *),
			void *ctx, struct dm_err *err)
{
	struct dm_cur c = dm_cur(payload, n);

	if (n > DM_MAX_FRAME)
		return broken(err, "a frame is no longer than DM_MAX_FRAME");
	while (dm_cur_left(&c)) {
		struct dm_indicator ind = {.form = (enum dm_indicator_form)dm_cur_u8(&c),
					   .type = (enum dm_obs_type)dm_cur_u8(&c),
					   .confidence = dm_cur_u8(&c)};
		struct dm_sv *text[] = {&ind.key, &ind.key2,   &ind.value, &ind.original,
					&ind.id,  &ind.source, &ind.label, &ind.marking};
		uint32_t lens[sizeof text / sizeof *text];
		const char *rule;
		int rc;

		dm_cur_skip(&c, 1);
		ind.flags = dm_cur_u32le(&c);
		ind.valid_from = (int64_t)dm_cur_u64le(&c);
		ind.valid_until = (int64_t)dm_cur_u64le(&c);
		ind.line = dm_cur_u64le(&c);
		for (size_t i = 0; i < sizeof text / sizeof *text; i++)
			lens[i] = dm_cur_u32le(&c);
		for (size_t i = 0; i < sizeof text / sizeof *text; i++)
			*text[i] = dm_cur_sv(&c, lens[i]);
		if (c.bad)
			return broken(err, "an indicator is whole");
		rule = check_indicator(&ind);
		if (rule)
			return broken(err, rule);
		rc = each(ctx, &ind);
		if (rc)
			return rc;
	}
	return DM_OK;
}

static void cut_text(struct dm_cur *c, char *to, size_t cap)
{
	const char *from = (const char *)c->p + c->at;
	size_t left = dm_cur_left(c);
	size_t n = left ? strnlen(from, left) : 0;

	snprintf(to, cap, "%.*s", (int)(n < cap ? n : cap), n ? from : "");
	dm_cur_skip(c, n < left ? n + 1 : n);
}

int dm_batch_done_open(const uint8_t *payload, size_t n, int *ret_code, struct dm_err *ret_err,
		       struct dm_err *err)
{
	struct dm_cur c = dm_cur(payload, n);
	int code = (int32_t)dm_cur_u32le(&c);
	struct dm_err e = {.code = (int32_t)dm_cur_u32le(&c)};

	e.line = dm_cur_u64le(&c);
	e.offset = dm_cur_u64le(&c);
	e.has_offset = dm_cur_u32le(&c) != 0;
	if (c.bad)
		return broken(err, "the last frame is whole");
	cut_text(&c, e.source, sizeof e.source);
	cut_text(&c, e.msg, sizeof e.msg);
	cut_text(&c, e.remedy, sizeof e.remedy);
	*ret_code = code;
	*ret_err = e;
	return DM_OK;
}
