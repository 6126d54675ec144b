/* landlock.h: the file rules of sandbox.c. By raw system calls, since the headers of Debian 12 know only the
 * first version. */
#ifndef DM_BASE_LANDLOCK_H
#define DM_BASE_LANDLOCK_H

#include <stddef.h>

struct dm_landlock_path {
	const char *path; /* NULL: fd */
	int fd;
};

/* Denies this process all files but reading and executing those below the n paths (n 0: all files), and
 * network, signals and abstract sockets as far as the kernel knows how to. Paths that are not there are
 * passed over. Needs no_new_privs. Returns the ABI version in force; 0 with the reason in `note`. */
int dm_landlock_confine(const struct dm_landlock_path *paths, size_t n, char *note, size_t note_size);

#endif
