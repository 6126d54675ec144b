#include "base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h up to ABI 6; the numbers of the calls are the same on all machines. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif
#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1
#define FS_EXECUTE	       (1ull << 0)
#define FS_READ_FILE	       (1ull << 2)
#define FS_READ_DIR	       (1ull << 3)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* Everything that this version can deny. */
static size_t attr_for(int abi, struct ruleset_attr *a)
{
	static const uint8_t fs_bits[] = {13, 14, 15, 15,
					  16}; /* refer, truncate, ioctl on devices came later */

	a->fs = (1ull << fs_bits[abi < 5 ? abi - 1 : 4]) - 1;
	a->net = abi >= 4 ? 3 : 0;    /* bind and connect of TCP */
	a->scoped = abi >= 6 ? 3 : 0; /* abstract Unix sockets and signals */
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static int add_path(int ruleset, const struct dm_landlock_path *p)
{
	int fd = p->path ? open(p->path, O_PATH | O_CLOEXEC) : p->fd, rc;
	struct path_beneath_attr rule = {.parent = fd, .allowed = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR};
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		rc = 0;
		goto out;
	}
	/* The kernel refuses a right that its object can't have; pipes and memory files (EBADFD) are not
	 * under its rules at all. */
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= ~FS_READ_DIR;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
	if (rc && (errno == EBADFD || errno == EINVAL))
		rc = 0;
out:
	if (p->path && fd >= 0)
		close(fd);
	return rc;
}

int dm_landlock_confine(const struct dm_landlock_path *paths, size_t n, char *note, size_t note_size)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION), ruleset, rc = 0;
	struct ruleset_attr attr;
	size_t size;

	note[0] = 0;
	if (abi < 1) {
		snprintf(note, note_size, "%s",
			 errno == ENOSYS       ? "this kernel has no Landlock"
			 : errno == EOPNOTSUPP ? "Landlock is switched off in this kernel"
					       : "Landlock is forbidden here");
		return 0;
	}
	size = attr_for(abi, &attr);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0) {
		snprintf(note, note_size, "Landlock: no rule set (%s)", strerror(errno));
		return 0;
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = add_path(ruleset, &paths[i]);
	if (!rc)
		rc = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (rc)
		snprintf(note, note_size, "Landlock: not in force (%s)", strerror(errno));
	close(ruleset);
	return rc ? 0 : abi;
}
