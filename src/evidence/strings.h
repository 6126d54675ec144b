/* strings.h: a list of byte strings in chunks of 128, sorted (a dictionary) or in the order of rows.
 *
 * Within a chunk sorted strings share prefixes; a chunk is compressed with zstd where that saves an eighth.
 * The first string of each chunk of a sorted list stands uncompressed, so that a look-up decodes one chunk
 * only. A reader keeps the chunks it has decoded.
 *
 * Layout, little-endian: u32 n, u32 flags (1: sorted), u32 chunks, u32 heads_n, chunks x {u32 body offset,
 * u32 body length | 0x80000000 if compressed, u32 raw length, u32 head offset}, heads (varint length, bytes),
 * bodies. A raw body: for each string varint shared, varint length, bytes.
 */
#ifndef DM_EVIDENCE_STRINGS_H
#define DM_EVIDENCE_STRINGS_H

#include "base/buf.h"
#include "base/err.h"

struct dm_strings_chunk;

struct dm_strings {
	const uint8_t *dir, *heads, *bodies;
	size_t heads_n, bodies_n;
	uint32_t n, chunks;
	bool sorted;
	struct dm_strings_chunk **cache; /* chunks entries, owned */
	bool walk; /* keep only the chunk last decoded: a view lives until the next get in another chunk */
	uint32_t kept; /* walk: number of that chunk + 1 */
	bool corrupt;  /* a chunk could not be decoded: its strings read as empty */
};

/* Append s[0..n) to out; `sorted` promises strictly ascending byte order. */
void dm_strings_write(struct dm_buf *out, const struct dm_sv *s, uint32_t n, bool sorted);
int dm_strings_open(struct dm_strings *ret, const uint8_t *p, size_t n, struct dm_err *err);
void dm_strings_close(struct dm_strings *s);
/* String i; lives until close. Empty if out of range or corrupt. Not thread-safe (fills the cache). */
struct dm_sv dm_strings_get(struct dm_strings *s, uint32_t i);
/* Sorted lists: index of the first string >= key, n if none. *ret_equal says whether it is key. */
uint32_t dm_strings_find(struct dm_strings *s, struct dm_sv key, bool *ret_equal);

#endif
