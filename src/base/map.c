#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"

/* All maps of the process, for the signal handler: a list that only grows, with slots that are used again, so
 * that it can be walked without a lock while another thread opens or closes maps. */
struct dm_map_slot {
	_Atomic uintptr_t start, end; /* page-aligned; start 0: free */
	atomic_bool lost;
	struct dm_map_slot *next, *next_free;
};

static _Atomic(struct dm_map_slot *) slots;
static struct dm_map_slot *free_slots;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static uintptr_t page_size;

static void chain(int sig, siginfo_t *info, void *context)
{
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
	} else {
		/* Not ours: let the access fault again and end the process as it would have. */
		struct sigaction plain = {.sa_handler = SIG_DFL};
		sigaction(sig, &plain, NULL);
		if (info->si_code <= 0) /* sent by a process: nothing faults again */
			raise(sig);
	}
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, start, end;
	int saved = errno;

	for (struct dm_map_slot *s = info->si_code > 0 ? atomic_load(&slots) : NULL; s; s = s->next) {
		start = atomic_load(&s->start);
		end = atomic_load(&s->end);
		if (!start || at < start || at >= end)
			continue;
		at &= ~(page_size - 1);
		atomic_store(&s->lost, true);
		/* To the end of the map, else a scan of a truncated gigabyte would come here for each page.
		 */
		if (mmap((void *)at, end - at, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			break;
		errno = saved;
		return;
	}
	errno = saved;
	chain(sig, info, context);
}

/* Under the lock. Looks each time, since a library may have put a handler of its own in the place of ours. */
static int install(struct dm_err *err)
{
	struct sigaction act = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK},
			 now;

	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	if (!sigaction(SIGBUS, NULL, &now) && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_sigbus)
		return DM_OK;
	sigemptyset(&act.sa_mask);
	before = now;
	if (sigaction(SIGBUS, &act, NULL))
		return dm_fail_errno(err, "cannot guard mapped files");
	return DM_OK;
}

static int enter(struct dm_map *m, struct dm_err *err)
{
	struct dm_map_slot *s = NULL;
	int code;

	pthread_mutex_lock(&lock);
	code = install(err);
	if (!code) {
		s = free_slots;
		if (s) {
			free_slots = s->next_free;
		} else {
			s = dm_calloc(1, sizeof *s);
			if (s) {
				s->next = atomic_load(&slots);
				atomic_store(&slots, s);
			} else {
				code = dm_fail(err, DM_ENOMEM, "out of memory");
			}
		}
	}
	pthread_mutex_unlock(&lock);
	if (code)
		return code;
	atomic_store(&s->lost, false);
	atomic_store(&s->end, ((uintptr_t)m->p + m->n + page_size - 1) & ~(page_size - 1));
	atomic_store(&s->start, (uintptr_t)m->p);
	m->slot = s;
	return DM_OK;
}

static int map_fd(struct dm_map *m, int fd, uint64_t expect, struct dm_err *err)
{
	struct stat st;
	void *p;
	int code;

	if (fstat(fd, &st))
		return dm_fail_errno(err, "cannot look at the file");
	if (!S_ISREG(st.st_mode))
		return dm_fail(err, DM_EINVAL, "not a regular file");
	if (expect && (uint64_t)st.st_size != expect)
		return dm_fail(err, DM_ECORRUPT, "it has %lld bytes where %llu were written",
			       (long long)st.st_size, (unsigned long long)expect);
	*m = (struct dm_map){.p = (const uint8_t *)"", .n = (size_t)st.st_size};
	if (!m->n)
		return DM_OK;
	p = mmap(NULL, m->n, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return dm_fail_errno(err, "cannot map the file");
	m->p = p;
	code = enter(m, err);
	if (code)
		munmap(p, m->n);
	return code;
}

int dm_map_open(struct dm_map *ret, int dirfd, const char *name, uint64_t expect, struct dm_err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY), code;
	struct dm_map m = {0};

	code = fd < 0 ? dm_fail_errno(err, "cannot open") : map_fd(&m, fd, expect, err);
	if (fd >= 0)
		close(fd);
	if (code) {
		dm_err_source(err, name);
		return code;
	}
	*ret = m;
	return DM_OK;
}

int dm_map_check(const struct dm_map *m, struct dm_err *err)
{
	if (!m->slot || !atomic_load(&m->slot->lost))
		return DM_OK;
	dm_fail(err, DM_ECORRUPT,
		"a part of the file could not be read: it was truncated while in use, or the disk fails");
	dm_err_remedy(err, "restore the file from a backup and look at the disk");
	return DM_ECORRUPT;
}

void dm_map_close(struct dm_map *m)
{
	struct dm_map_slot *s = m->slot;

	if (s) {
		atomic_store(&s->start, 0);
		munmap((void *)(uintptr_t)m->p, m->n);
		pthread_mutex_lock(&lock);
		s->next_free = free_slots;
		free_slots = s;
		pthread_mutex_unlock(&lock);
	}
	*m = (struct dm_map){0};
}
