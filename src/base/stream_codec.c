#include "base/stream_internal.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "base/alloc.h"

/* Largest window that an input may make us allocate: what zstd -19 and xz -9 use, with room; a header that
 * asks for more is refused. */
#define ZSTD_WINDOW_LOG 27
#define XZ_MEMORY	(128u << 20)

struct dm_codec {
	enum dm_packing packing;
	bool inside;  /* a member or frame has begun and not ended */
	bool padding; /* gzip: only zero bytes may follow */
	union {
		z_stream gz;
		ZSTD_DStream *zstd;
		lzma_stream xz;
	};
};

enum dm_packing dm_codec_detect(const uint8_t *p, size_t n)
{
	if (n >= 3 && !memcmp(p, "\x1f\x8b\x08", 3))
		return DM_GZIP;
	/* A frame, or a skippable frame in front (RFC 8878 s.3.1.2), as parallel packers write it. */
	if (n >= 4 && !memcmp(p + 1, "\xb5\x2f\xfd", 3) && p[0] == 0x28)
		return DM_ZSTD;
	if (n >= 4 && !memcmp(p + 1, "\x2a\x4d\x18", 3) && (p[0] & 0xf0) == 0x50)
		return DM_ZSTD;
	if (n >= 6 && !memcmp(p,
			      "\xfd"
			      "7zXZ\0",
			      6))
		return DM_XZ;
	return DM_PLAIN;
}

int dm_codec_new(struct dm_codec **ret, enum dm_packing packing)
{
	struct dm_codec *c = dm_calloc(1, sizeof *c);
	bool ok = false;

	if (!c)
		return DM_ENOMEM;
	c->packing = packing;
	if (packing == DM_GZIP) {
		ok = inflateInit2(&c->gz, 15 + 16) == Z_OK;
	} else if (packing == DM_ZSTD) {
		c->zstd = ZSTD_createDStream();
		ok = c->zstd &&
		     !ZSTD_isError(ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
		if (!ok)
			ZSTD_freeDStream(c->zstd);
	} else if (packing == DM_XZ) {
		c->xz = (lzma_stream)LZMA_STREAM_INIT;
		ok = lzma_stream_decoder(&c->xz, XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
	}
	if (!ok) {
		dm_free(c);
		return packing == DM_PLAIN ? DM_EINVAL : DM_ENOMEM;
	}
	*ret = c;
	return DM_OK;
}

void dm_codec_free(struct dm_codec *c)
{
	if (!c)
		return;
	if (c->packing == DM_GZIP)
		inflateEnd(&c->gz);
	else if (c->packing == DM_ZSTD)
		ZSTD_freeDStream(c->zstd);
	else
		lzma_end(&c->xz);
	dm_free(c);
}

static int truncated(struct dm_err *err, const char *what)
{
	dm_fail(err, DM_EFORMAT, "the %s data end in the middle: the file was cut off", what);
	dm_err_remedy(err, "fetch the file again, or keep what could be read of it");
	return DM_EFORMAT;
}

static int foreign(struct dm_err *err, const char *what)
{
	return dm_fail(err, DM_EFORMAT, "something that is not %s follows the end of the %s data", what,
		       what);
}

/* Between two gzip members: another one, zero bytes to the end (tapes pad with them), or rubbish. */
static int gzip_between(struct dm_codec *c, struct dm_packed *in, bool *ret_more, struct dm_err *err)
{
	while (in->at < in->n && !in->p[in->at]) {
		c->padding = true;
		in->at++;
	}
	if (in->at == in->n) {
		*ret_more = !in->end;
		return DM_OK;
	}
	if (c->padding || in->p[in->at] != 0x1f)
		return foreign(err, "gzip");
	if (inflateReset(&c->gz) != Z_OK)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	c->inside = true;
	return DM_OK;
}

static int run_gzip(struct dm_codec *c, struct dm_packed *in, char *out, size_t cap, size_t *ret_n,
		    bool *ret_more, struct dm_err *err)
{
	z_stream *z = &c->gz;
	int code;

	if (!c->inside) {
		code = gzip_between(c, in, ret_more, err);
		if (code || !c->inside)
			return code;
	}
	z->next_in = (Bytef *)(uintptr_t)(in->p + in->at);
	z->avail_in = (uInt)(in->n - in->at);
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)cap;
	code = inflate(z, Z_NO_FLUSH);
	*ret_n = cap - z->avail_out;
	in->at = in->n - z->avail_in;
	switch (code) {
	case Z_STREAM_END:
		c->inside = false;
		return DM_OK;
	case Z_OK:
	case Z_BUF_ERROR: /* no progress without more input */
		if (in->at < in->n || !in->end || *ret_n)
			return DM_OK;
		return truncated(err, "gzip");
	case Z_MEM_ERROR:
		return dm_fail(err, DM_ENOMEM, "out of memory");
	default:
		if (!z->total_out && z->msg && !strcmp(z->msg, "incorrect header check"))
			return foreign(err, "gzip");
		return dm_fail(err, DM_EFORMAT, "corrupt gzip data (%s)", z->msg ? z->msg : "unknown");
	}
}

static int run_zstd(struct dm_codec *c, struct dm_packed *in, char *out, size_t cap, size_t *ret_n,
		    bool *ret_more, struct dm_err *err)
{
	ZSTD_inBuffer src = {in->p, in->n, in->at};
	ZSTD_outBuffer dst = {out, cap, 0};
	bool was_inside = c->inside;
	size_t left;

	if (!c->inside && in->at == in->n) {
		*ret_more = !in->end;
		return DM_OK;
	}
	left = ZSTD_decompressStream(c->zstd, &dst, &src);
	*ret_n = dst.pos;
	if (ZSTD_isError(left)) {
		ZSTD_ErrorCode code = ZSTD_getErrorCode(left);
		if (code == ZSTD_error_memory_allocation)
			return dm_fail(err, DM_ENOMEM, "out of memory");
		if (code == ZSTD_error_frameParameter_windowTooLarge) {
			dm_fail(err, DM_ELIMIT, "zstd data that need a window over 128 MiB");
			dm_err_remedy(err, "unpack the file with zstd --long=31 -d and import the result");
			return DM_ELIMIT;
		}
		if (code == ZSTD_error_prefix_unknown && !was_inside)
			return foreign(err, "zstd");
		return dm_fail(err, DM_EFORMAT, "corrupt zstd data (%s)", ZSTD_getErrorName(left));
	}
	in->at = src.pos;
	c->inside = left != 0;
	if (c->inside && in->at == in->n && in->end && !dst.pos)
		return truncated(err, "zstd");
	return DM_OK;
}

static int run_xz(struct dm_codec *c, struct dm_packed *in, char *out, size_t cap, size_t *ret_n,
		  bool *ret_more, struct dm_err *err)
{
	lzma_stream *z = &c->xz;
	lzma_ret code;

	z->next_in = in->p + in->at;
	z->avail_in = in->n - in->at;
	z->next_out = (uint8_t *)out;
	z->avail_out = cap;
	code = lzma_code(z, in->end ? LZMA_FINISH : LZMA_RUN);
	*ret_n = cap - z->avail_out;
	in->at = in->n - z->avail_in;
	switch (code) {
	case LZMA_OK:
		return DM_OK;
	case LZMA_STREAM_END:
		*ret_more = false;
		return DM_OK;
	case LZMA_BUF_ERROR:
		return in->end ? truncated(err, "xz") : DM_OK;
	case LZMA_MEM_ERROR:
		return dm_fail(err, DM_ENOMEM, "out of memory");
	case LZMA_MEMLIMIT_ERROR:
		dm_fail(err, DM_ELIMIT, "xz data that need more than 128 MiB to unpack");
		dm_err_remedy(err, "unpack the file with xz -d and import the result");
		return DM_ELIMIT;
	case LZMA_FORMAT_ERROR:
		return foreign(err, "xz");
	case LZMA_OPTIONS_ERROR:
		return dm_fail(err, DM_EUNSUPPORTED, "xz data with filters that this build does not know");
	default:
		/* The library does not tell rubbish behind the first stream from damage. */
		return dm_fail(err, DM_EFORMAT, "corrupt xz data, or something else behind their end");
	}
}

int dm_codec_run(struct dm_codec *c, struct dm_packed *in, char *out, size_t cap, size_t *ret_n,
		 bool *ret_more, struct dm_err *err)
{
	*ret_n = 0;
	*ret_more = true;
	if (c->packing == DM_GZIP)
		return run_gzip(c, in, out, cap, ret_n, ret_more, err);
	if (c->packing == DM_ZSTD)
		return run_zstd(c, in, out, cap, ret_n, ret_more, err);
	return run_xz(c, in, out, cap, ret_n, ret_more, err);
}
