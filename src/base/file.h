/* file.h: files written so that a power cut leaves the old or the new one, never half. Paths are relative to
 * an open folder. */
#ifndef DM_BASE_FILE_H
#define DM_BASE_FILE_H

#include <sys/types.h>
#include "base/buf.h"
#include "base/err.h"

/* Writes all bytes, through short writes and EINTR. */
int dm_write_all(int fd, const void *p, size_t n, struct dm_err *err);
/* Reads exactly n bytes at offset; DM_ECORRUPT if the file ends before. */
int dm_pread_all(int fd, void *p, size_t n, uint64_t offset, struct dm_err *err);
/* Appends a whole file to *ret; DM_ELIMIT if it has more than max bytes, DM_ENOENT if it is not there. */
int dm_file_read(int dirfd, const char *name, size_t max, struct dm_buf *ret, struct dm_err *err);
/* Temporary name in the same folder, write, fsync, rename over `name`, fsync of the folder. */
int dm_file_replace(int dirfd, const char *name, const void *p, size_t n, unsigned mode, struct dm_err *err);
/* mkdir -p of an absolute or relative path, mode 0700 for what is made. */
int dm_mkdirs(const char *path, struct dm_err *err);
int dm_fsync_dir(int dirfd, struct dm_err *err); /* AT_FDCWD is fine */

/* A whole file mapped for reading. Where somebody truncates it later, or the disk fails, reading a lost page
 * would kill the process (SIGBUS); here the page and all behind it become zero bytes instead, for all
 * threads, and the map is marked. So: read with bounds checks (zero bytes follow no format), and ask
 * dm_map_check before trusting or printing what was concluded. A file cut within its last page, or written
 * over, is not noticed here: that is what checksums are for. Any number of maps at once; the handler chains
 * to one that was there before. */
struct dm_map {
	const uint8_t *p; /* never NULL once open */
	size_t n;
	struct dm_map_slot *slot;
};
/* `expect`: the size that the file must have (DM_ECORRUPT otherwise), 0 for any. */
int dm_map_open(struct dm_map *ret, int dirfd, const char *name, uint64_t expect, struct dm_err *err);
/* DM_ECORRUPT if a page of the map was lost since it was opened. */
int dm_map_check(const struct dm_map *m, struct dm_err *err);
void dm_map_close(struct dm_map *m); /* a zeroed map is fine */

#endif
