/* stream_internal.h: decoders of packed input for stream.c; nobody else includes it. */
#ifndef DM_BASE_STREAM_INTERNAL_H
#define DM_BASE_STREAM_INTERNAL_H

#include "base/stream.h"

/* Packed bytes on their way to a decoder. */
struct dm_packed {
	const uint8_t *p;
	size_t n, at;
	bool end; /* nothing follows p[n] */
};

struct dm_codec;

/* DM_ENOMEM or DM_EINVAL (not packed). */
int dm_codec_new(struct dm_codec **ret, enum dm_packing packing);
void dm_codec_free(struct dm_codec *c); /* NULL is fine */
/* Decodes from in->at on into at most cap bytes. *ret_more: call again, with more input if that was used up.
 * Without it the packed data ended in order. A fault may come with *ret_n > 0: those bytes are good. */
int dm_codec_run(struct dm_codec *c, struct dm_packed *in, char *out, size_t cap, size_t *ret_n,
		 bool *ret_more, struct dm_err *err);
/* What the first bytes of an input say; at least 6 are needed unless it is shorter. */
enum dm_packing dm_codec_detect(const uint8_t *p, size_t n);

#endif
