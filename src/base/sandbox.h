/* sandbox.h: a process that has its input and its output and nothing else.
 *
 * seccomp is mandatory, Landlock additive: where the kernel knows only a part of it, the rest is reported, not fatal. After confinement the
 * process can read, write, close and poll the descriptors it has, get memory and exit; open, socket, connect, execve, fork, ptrace, kill end it
 * (SIGSYS), clone3 gives ENOSYS. Libraries are loaded before.
 */
#ifndef DM_BASE_SANDBOX_H
#define DM_BASE_SANDBOX_H

#include "base/err.h"

struct dm_confinement {
	int seccomp;          /* 1: filter active */
	int landlock_abi;     /* ABI version in force, 0: none (reason below) */
	char landlock_note[96];
};

enum dm_profile {
	DM_PROFILE_WORKER,   /* parsers: descriptors and memory only */
	DM_PROFILE_DECODER,  /* an external decoder: one execve, read-only opens below /usr and /lib and /etc/ld.so.cache, no socket, no write but to open descriptors */
};

/* Confines the calling process; irreversible. `max_memory`: RLIMIT_AS (ignored in sanitizer builds), `max_cpu_s`: RLIMIT_CPU, 0 = none. */
int dm_confine(enum dm_profile profile, uint64_t max_memory, unsigned max_cpu_s, struct dm_confinement *ret, struct dm_err *err);
/* What this machine would give, without confining: forks a child that tries. */
int dm_confine_probe(struct dm_confinement *ret, struct dm_err *err);

#endif
