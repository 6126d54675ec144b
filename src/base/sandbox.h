/* sandbox.h: a process that has its input and its output and nothing else.
 *
 * seccomp is mandatory, Landlock additive: where the kernel knows only a part of it, the rest is reported,
 * not fatal. After confinement the process can read, write, close and poll the descriptors it has, get memory
 * and exit; open, socket, connect, execve, fork, ptrace, kill end it (SIGSYS), clone3 gives ENOSYS. Libraries
 * are loaded before.
 */
#ifndef DM_BASE_SANDBOX_H
#define DM_BASE_SANDBOX_H

#include "base/err.h"

struct dm_confinement {
	int seccomp;	  /* 1: filter active */
	int landlock_abi; /* ABI version in force, 0: none (reason below) */
	char landlock_note[96];
};

enum dm_profile {
	DM_PROFILE_WORKER,  /* parsers: descriptors and memory only, one thread */
	DM_PROFILE_DECODER, /* an external decoder, by dm_confine_exec */
};

/* Confines the calling process; irreversible. `max_memory`: RLIMIT_AS (ignored in sanitizer builds),
 * `max_cpu_s`: RLIMIT_CPU, 0 = none. DM_EUNSUPPORTED where the kernel has no seccomp: the caller must not go
 * on to read what a stranger wrote. */
int dm_confine(enum dm_profile profile, uint64_t max_memory, unsigned max_cpu_s, struct dm_confinement *ret,
	       struct dm_err *err);
/* Confines the calling process (a child, made for this) to what a decoder needs and replaces it by the
 * program at `path`; returns only on failure. The program may read files below /usr, /lib, /lib64 and
 * /etc/ld.so.cache, and may open its descriptor 0 again by name; it may start threads. It can't open anything
 * for writing, make a socket, signal another process or start a further program. Its descriptors 0 to 2 are
 * what the caller made of them, all others must be close-on-exec. */
int dm_confine_exec(const char *path, char *const argv[], char *const envp[], uint64_t max_memory,
		    unsigned max_cpu_s, struct dm_err *err);
/* What this machine would give, without confining: forks a child that tries. */
int dm_confine_probe(struct dm_confinement *ret, struct dm_err *err);

#endif
