/* file.h: files written so that a power cut leaves the old or the new one, never half. Paths are relative to an open folder. */
#ifndef DM_BASE_FILE_H
#define DM_BASE_FILE_H

#include <sys/types.h>
#include "base/buf.h"
#include "base/err.h"

/* Writes all bytes, through short writes and EINTR. */
int dm_write_all(int fd, const void *p, size_t n, struct dm_err *err);
/* Reads exactly n bytes at offset; DM_ECORRUPT if the file ends before. */
int dm_pread_all(int fd, void *p, size_t n, uint64_t offset, struct dm_err *err);
/* Whole file, at most max bytes. */
int dm_file_read(int dirfd, const char *name, size_t max, struct dm_buf *ret, struct dm_err *err);
/* Temporary name, write, fsync, rename over `name`, fsync of the folder. */
int dm_file_replace(int dirfd, const char *name, const void *p, size_t n, unsigned mode, struct dm_err *err);
/* mkdir -p of an absolute or relative path, mode 0700 for what is made. */
int dm_mkdirs(const char *path, struct dm_err *err);
int dm_fsync_dir(int dirfd, struct dm_err *err);

/* A file mapped for reading that turns a SIGBUS (somebody truncated it) into an error: wrap the access in dm_map_guard / dm_map_unguard.
 * The size is checked at open against `expect` (0: any). */
struct dm_map {
	const uint8_t *p;
	size_t n;
};
int dm_map_open(struct dm_map *ret, int dirfd, const char *name, uint64_t expect, struct dm_err *err);
void dm_map_close(struct dm_map *m);

#endif
