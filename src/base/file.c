#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"

int dm_write_all(int fd, const void *p, size_t n, struct dm_err *err)
{
	const char *at = p;

	while (n) {
		ssize_t k = write(fd, at, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return dm_fail_errno(err, "cannot write");
		at += k;
		n -= (size_t)k;
	}
	return DM_OK;
}

int dm_pread_all(int fd, void *p, size_t n, uint64_t offset, struct dm_err *err)
{
	char *at = p;

	while (n) {
		ssize_t k = pread(fd, at, n, (off_t)offset);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return dm_fail_errno(err, "cannot read");
		if (k == 0) {
			dm_fail(err, DM_ECORRUPT, "the file ends %zu bytes too early", n);
			if (err) {
				err->offset = offset;
				err->has_offset = 1;
			}
			return DM_ECORRUPT;
		}
		at += k;
		n -= (size_t)k;
		offset += (uint64_t)k;
	}
	return DM_OK;
}

static int read_into(int fd, size_t max, struct dm_buf *ret, struct dm_err *err)
{
	char chunk[16384];
	size_t start = ret->n;
	ssize_t k;

	for (;;) {
		k = read(fd, chunk, sizeof chunk);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return dm_fail_errno(err, "cannot read");
		if (k == 0)
			return DM_OK;
		if ((size_t)k > max - (ret->n - start))
			return dm_fail(err, DM_ELIMIT, "a file of more than %zu bytes", max);
		dm_buf_put(ret, chunk, (size_t)k);
		if (ret->err)
			return dm_fail(err, ret->err, "%s", dm_code_text(ret->err));
	}
}

int dm_file_read(int dirfd, const char *name, size_t max, struct dm_buf *ret, struct dm_err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY), code;

	if (fd < 0)
		code = dm_fail_errno(err, "cannot open");
	else
		code = read_into(fd, max, ret, err);
	if (fd >= 0)
		close(fd);
	if (code)
		dm_err_source(err, name);
	return code;
}

/* The folder that `path` lies in and the last part of it. AT_FDCWD is handed through. */
static int open_parent(int dirfd, const char *path, const char **ret_base)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd;

	*ret_base = slash ? slash + 1 : path;
	folder = slash ? dm_strndup(dm_sv(path, slash == path ? 1 : (size_t)(slash - path))) : dm_strdup(".");
	if (!folder) {
		errno = ENOMEM;
		return -1;
	}
	fd = openat(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dm_free(folder);
	return fd;
}

static int write_temporary(int dir, const char *tmp, const void *p, size_t n, unsigned mode,
			   struct dm_err *err)
{
	int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode), code;

	if (fd < 0)
		return dm_fail_errno(err, "cannot create %s", tmp);
	code = dm_write_all(fd, p, n, err);
	/* The mode as asked for, whatever the umask. */
	if (!code && fchmod(fd, mode))
		code = dm_fail_errno(err, "cannot set the mode of %s", tmp);
	if (!code && fsync(fd))
		code = dm_fail_errno(err, "cannot sync %s", tmp);
	if (close(fd) && !code)
		code = dm_fail_errno(err, "cannot write %s", tmp);
	return code;
}

int dm_file_replace(int dirfd, const char *name, const void *p, size_t n, unsigned mode, struct dm_err *err)
{
	char tmp[300];
	const char *base;
	uint64_t nonce = 0;
	int dir = open_parent(dirfd, name, &base), code;

	if (dir < 0) {
		code = dm_fail_errno(err, "cannot open its folder");
		goto out;
	}
	if (getrandom(&nonce, sizeof nonce, 0) != sizeof nonce)
		nonce = (uint64_t)getpid();
	if ((size_t)snprintf(tmp, sizeof tmp, ".%.200s.%016llx.tmp", base, (unsigned long long)nonce) >=
	    sizeof tmp) {
		code = dm_fail(err, DM_EINVAL, "the name is too long");
		goto out;
	}
	code = write_temporary(dir, tmp, p, n, mode, err);
	if (!code && renameat(dir, tmp, dir, base))
		code = dm_fail_errno(err, "cannot rename %s", tmp);
	if (code)
		unlinkat(dir, tmp, 0);
	else
		code = dm_fsync_dir(dir, err);
out:
	if (dir >= 0)
		close(dir);
	if (code)
		dm_err_source(err, name);
	return code;
}

int dm_fsync_dir(int dirfd, struct dm_err *err)
{
	int fd = dirfd, code = DM_OK;

	if (dirfd == AT_FDCWD)
		fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some network file systems refuse to sync a folder; their rename is as durable as it gets. */
	if (fd < 0 || (fsync(fd) && errno != EINVAL && errno != ENOTSUP))
		code = dm_fail_errno(err, "cannot sync the folder");
	if (fd >= 0 && fd != dirfd)
		close(fd);
	return code;
}

/* Makes one folder and its name durable. */
static int make_dir(const char *path, struct dm_err *err)
{
	struct stat st;
	const char *base;
	int dir, code;

	if (mkdir(path, 0700)) {
		if (errno == EEXIST && !stat(path, &st)) {
			errno = ENOTDIR;
			if (S_ISDIR(st.st_mode))
				return DM_OK;
		}
		return dm_fail_errno(err, "cannot make the folder");
	}
	dir = open_parent(AT_FDCWD, path, &base);
	if (dir < 0)
		return dm_fail_errno(err, "cannot open the folder above");
	code = dm_fsync_dir(dir, err);
	close(dir);
	return code;
}

int dm_mkdirs(const char *path, struct dm_err *err)
{
	char *copy = dm_strdup(path);
	int code = DM_OK;

	if (!copy)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	for (size_t i = 1, n = strlen(copy); i <= n && !code; i++) {
		if ((copy[i] != '/' && copy[i]) || copy[i - 1] == '/')
			continue;
		copy[i] = 0;
		code = make_dir(copy, err);
		copy[i] = i < n ? '/' : 0;
	}
	dm_free(copy);
	if (code)
		dm_err_source(err, path);
	return code;
}
