/* shim.c: a disk that fails, for tests: loaded with LD_PRELOAD, fails the n-th call that changes a file below
 * a folder.
 *
 * DM_SHIM_UNDER: the folder. DM_SHIM_AT: number of the call, from 1; 0: none, only count. DM_SHIM_ERRNO: 28
 * (full) or 5 (broken). DM_SHIM_STAYS: all later calls fail too. DM_SHIM_COUNT: file that gets the number of
 * calls when the program ends.
 */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 are two functions here, as SQLite may call either */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long at, error_number, calls;
static bool stays;
static char under[1024];

__attribute__((constructor)) static void begin(void)
{
	const char *s = getenv("DM_SHIM_UNDER");

	snprintf(under, sizeof under, "%s", s ? s : "/nowhere");
	at = (s = getenv("DM_SHIM_AT")) ? strtol(s, NULL, 10) : 0;
	error_number = (s = getenv("DM_SHIM_ERRNO")) ? strtol(s, NULL, 10) : ENOSPC;
	stays = getenv("DM_SHIM_STAYS") != NULL;
}

__attribute__((destructor)) static void end(void)
{
	const char *name = getenv("DM_SHIM_COUNT");
	FILE *f = name ? fopen(name, "w") : NULL;

	if (f) {
		fprintf(f, "%ld\n", calls);
		fclose(f);
	}
}

static bool fails(void)
{
	long n = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);

	if (!at || (stays ? n < at : n != at))
		return false;
	errno = (int)error_number;
	return true;
}

/* The descriptor lies below the folder and is a file there. */
static bool ours(int fd)
{
	char link[64], path[1024];
	int saved = errno;
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	errno = saved;
	if (n <= 0)
		return false;
	path[n] = 0;
	return !strncmp(path, under, strlen(under));
}

static void *next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (!p)
		abort();
	return p;
}

#define REAL(type, name, ...)                                                                                \
	static type (*real)(__VA_ARGS__);                                                                    \
	if (!real)                                                                                           \
	real = (type(*)(__VA_ARGS__))next(name)

ssize_t write(int fd, const void *p, size_t n)
{
	REAL(ssize_t, "write", int, const void *, size_t);
	return ours(fd) && fails() ? -1 : real(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset)
{
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
	return ours(fd) && fails() ? -1 : real(fd, p, n, offset);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t offset)
{
	REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
	return ours(fd) && fails() ? -1 : real(fd, p, n, offset);
}

int fsync(int fd)
{
	REAL(int, "fsync", int);
	return ours(fd) && fails() ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(int, "fdatasync", int);
	return ours(fd) && fails() ? -1 : real(fd);
}

int ftruncate(int fd, off_t n)
{
	REAL(int, "ftruncate", int, off_t);
	return ours(fd) && fails() ? -1 : real(fd, n);
}

int ftruncate64(int fd, off_t n)
{
	REAL(int, "ftruncate64", int, off_t);
	return ours(fd) && fails() ? -1 : real(fd, n);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	REAL(int, "renameat", int, const char *, int, const char *);
	return ours(from_fd) && fails() ? -1 : real(from_fd, from, to_fd, to);
}
