#include "evidence/strings.h"

#include <zstd.h>
#include "base/alloc.h"
#include "base/cur.h"
#include "base/limits.h"

#define CHUNK	   128u
#define HEADER	   16u
#define DIR_SIZE   16u
#define COMPRESSED 0x80000000u
#define MIN_ZSTD   512u
#define MAX_CHUNK  (CHUNK * (DM_MAX_RECORD + 16u))

struct dm_strings_chunk {
	uint32_t ends[CHUNK + 1]; /* ends[0] == 0 */
	uint32_t n;
	char text[];
};

static void write_chunk(struct dm_buf *raw, const struct dm_sv *s, uint32_t n, bool sorted)
{
	struct dm_sv last = DM_SV("");

	for (uint32_t i = 0; i < n; i++) {
		size_t shared = 0, most = s[i].n < last.n ? s[i].n : last.n;

		if (sorted)
			while (shared < most && s[i].p[shared] == last.p[shared])
				shared++;
		dm_buf_varint(raw, shared);
		dm_buf_varint(raw, s[i].n - shared);
		dm_buf_put(raw, s[i].p + shared, s[i].n - shared);
		last = s[i];
	}
}

void dm_strings_write(struct dm_buf *out, const struct dm_sv *s, uint32_t n, bool sorted)
{
	struct dm_buf dir, heads, bodies, raw, packed;
	uint32_t chunks = (n + CHUNK - 1) / CHUNK;
	ZSTD_CCtx *cctx = ZSTD_createCCtx();

	dm_buf_init(&dir, UINT32_MAX);
	dm_buf_init(&heads, UINT32_MAX);
	dm_buf_init(&bodies, UINT32_MAX);
	dm_buf_init(&raw, UINT32_MAX / 2);
	dm_buf_init(&packed, UINT32_MAX / 2);
	for (uint32_t i = 0; i < n; i += CHUNK) {
		uint32_t flag = 0;
		const struct dm_buf *body = &raw;

		dm_buf_clear(&raw);
		write_chunk(&raw, s + i, n - i < CHUNK ? n - i : CHUNK, sorted);
		if (cctx && raw.n >= MIN_ZSTD && dm_buf_room(&packed, ZSTD_compressBound(raw.n))) {
			size_t k = ZSTD_compressCCtx(cctx, packed.p, packed.cap, raw.p, raw.n, 1);
			if (!ZSTD_isError(k) && k < raw.n - raw.n / 8) {
				packed.n = k;
				body = &packed;
				flag = COMPRESSED;
			}
		}
		dm_buf_u32le(&dir, (uint32_t)bodies.n);
		dm_buf_u32le(&dir, (uint32_t)body->n | flag);
		dm_buf_u32le(&dir, (uint32_t)raw.n);
		dm_buf_u32le(&dir, (uint32_t)heads.n);
		dm_buf_sv(&bodies, dm_buf_view(body));
		packed.n = 0;
		if (sorted) {
			dm_buf_varint(&heads, s[i].n);
			dm_buf_sv(&heads, s[i]);
		}
		if (raw.err)
			out->err = raw.err;
	}
	dm_buf_u32le(out, n);
	dm_buf_u32le(out, sorted);
	dm_buf_u32le(out, chunks);
	dm_buf_u32le(out, (uint32_t)heads.n);
	dm_buf_sv(out, dm_buf_view(&dir));
	dm_buf_sv(out, dm_buf_view(&heads));
	dm_buf_sv(out, dm_buf_view(&bodies));
	if (dir.err || heads.err || bodies.err)
		out->err = DM_ENOMEM;
	dm_buf_done(&dir);
	dm_buf_done(&heads);
	dm_buf_done(&bodies);
	dm_buf_done(&raw);
	dm_buf_done(&packed);
	ZSTD_freeCCtx(cctx);
}

int dm_strings_open(struct dm_strings *ret, const uint8_t *p, size_t n, struct dm_err *err)
{
	struct dm_strings s = {0};
	size_t dir_n;

	if (n < HEADER)
		return dm_fail(err, DM_ECORRUPT, "a list of strings is cut short");
	s.n = (uint32_t)dm_load_le(p, 4);
	s.sorted = p[4] & 1;
	s.chunks = (uint32_t)dm_load_le(p + 8, 4);
	s.heads_n = dm_load_le(p + 12, 4);
	dir_n = (size_t)s.chunks * DIR_SIZE;
	if (s.chunks != (s.n + (uint64_t)CHUNK - 1) / CHUNK || dir_n > n - HEADER ||
	    s.heads_n > n - HEADER - dir_n)
		return dm_fail(err, DM_ECORRUPT, "a list of strings has an impossible header");
	s.dir = p + HEADER;
	s.heads = s.dir + dir_n;
	s.bodies = s.heads + s.heads_n;
	s.bodies_n = n - HEADER - dir_n - s.heads_n;
	*ret = s;
	return DM_OK;
}

void dm_strings_close(struct dm_strings *s)
{
	if (s->cache)
		for (uint32_t i = 0; i < s->chunks; i++)
			dm_free(s->cache[i]);
	dm_free(s->cache);
	s->cache = NULL;
}

/* Undo the prefix sharing. False if the body is not what it says. */
static bool expand(struct dm_strings_chunk **ret, const uint8_t *raw, size_t raw_n, uint32_t n)
{
	struct dm_strings_chunk *c;
	struct dm_cur cur = dm_cur(raw, raw_n);
	uint64_t total = 0, prev = 0;
	uint32_t at = 0, last = 0, last_n = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t shared = dm_cur_varint(&cur), len = dm_cur_varint(&cur);
		dm_cur_skip(&cur, len);
		if (cur.bad || shared > prev)
			return false;
		prev = shared + len;
		total += prev;
		if (total > MAX_CHUNK)
			return false;
	}
	c = dm_alloc(sizeof *c + total);
	if (!c)
		return false;
	cur = dm_cur(raw, raw_n);
	c->n = n;
	c->ends[0] = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t shared = (uint32_t)dm_cur_varint(&cur), len = (uint32_t)dm_cur_varint(&cur);
		const uint8_t *p = dm_cur_take(&cur, len);

		if (shared > last_n)
			shared = last_n; /* can't happen: checked above */
		memmove(c->text + at, c->text + last, shared);
		if (len)
			memcpy(c->text + at + shared, p, len);
		last = at;
		last_n = shared + len;
		at += last_n;
		c->ends[i + 1] = at;
	}
	*ret = c;
	return true;
}

static const struct dm_strings_chunk *chunk(struct dm_strings *s, uint32_t k)
{
	const uint8_t *d = s->dir + (size_t)k * DIR_SIZE;
	uint32_t off = (uint32_t)dm_load_le(d, 4), len = (uint32_t)dm_load_le(d + 4, 4),
		 raw_n = (uint32_t)dm_load_le(d + 8, 4);
	uint32_t n = s->n - k * CHUNK < CHUNK ? s->n - k * CHUNK : CHUNK;
	bool packed = len & COMPRESSED, ok;
	uint8_t *raw;

	if (!s->cache) {
		s->cache = dm_calloc(s->chunks, sizeof *s->cache);
		if (!s->cache)
			return NULL;
	}
	if (s->cache[k])
		return s->cache[k];
	if (s->walk && s->kept) {
		dm_free(s->cache[s->kept - 1]);
		s->cache[s->kept - 1] = NULL;
	}
	s->kept = k + 1;
	len &= ~COMPRESSED;
	if (off > s->bodies_n || len > s->bodies_n - off || raw_n > MAX_CHUNK) {
		s->corrupt = true;
		return NULL;
	}
	if (!packed) {
		ok = expand(&s->cache[k], s->bodies + off, len, n);
	} else {
		raw = dm_alloc(raw_n);
		ok = raw && ZSTD_decompress(raw, raw_n, s->bodies + off, len) == raw_n &&
		     expand(&s->cache[k], raw, raw_n, n);
		dm_free(raw);
	}
	if (!ok)
		s->corrupt = true;
	return s->cache[k];
}

struct dm_sv dm_strings_get(struct dm_strings *s, uint32_t i)
{
	const struct dm_strings_chunk *c;

	if (i >= s->n || !(c = chunk(s, i / CHUNK)))
		return DM_SV("");
	i %= CHUNK;
	return dm_sv(c->text + c->ends[i], c->ends[i + 1] - c->ends[i]);
}

static struct dm_sv head(const struct dm_strings *s, uint32_t k)
{
	uint32_t off = (uint32_t)dm_load_le(s->dir + (size_t)k * DIR_SIZE + 12, 4);
	struct dm_cur c;

	if (off > s->heads_n)
		return DM_SV("");
	c = dm_cur(s->heads + off, s->heads_n - off);
	return dm_cur_sv(&c, dm_cur_varint(&c));
}

uint32_t dm_strings_find(struct dm_strings *s, struct dm_sv key, bool *ret_equal)
{
	uint32_t lo = 0, hi = s->chunks, end;

	*ret_equal = false;
	while (lo < hi) { /* the last chunk whose head is <= key */
		uint32_t mid = lo + (hi - lo) / 2;
		if (dm_sv_cmp(head(s, mid), key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return 0;
	lo = (lo - 1) * CHUNK;
	end = hi = s->n - lo < CHUNK ? s->n : lo + CHUNK;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = dm_sv_cmp(dm_strings_get(s, mid), key);
		if (!c) {
			*ret_equal = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < end ? lo : end;
}
