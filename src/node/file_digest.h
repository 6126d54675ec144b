/* file_digest.h: the SHA-256 of a growing prefix of a file, computed in a thread beside the parsing. */
#ifndef DM_NODE_FILE_DIGEST_H
#define DM_NODE_FILE_DIGEST_H

#include "crypto/digest.h"

struct dm_file_digest;

/* The file is read through fd by offset; the descriptor's own position does not matter. fd must stay open. */
int dm_file_digest_new(struct dm_file_digest **ret, int fd, struct dm_err *err);
void dm_file_digest_free(struct dm_file_digest *d);
/* Bytes before `offset` will be asked for: they may be read ahead. Never goes back. */
void dm_file_digest_advance(struct dm_file_digest *d, uint64_t offset);
/* Digest of [0, offset). Offsets must not descend, and not lie before one advanced to. DM_EIO if the file has
 * become shorter. */
int dm_file_digest_at(struct dm_file_digest *d, uint64_t offset, uint8_t out[DM_DIGEST_SIZE],
		      struct dm_err *err);

#endif
