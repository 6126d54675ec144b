#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/landlock.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The number that the decoder's program has as a descriptor: above RLIMIT_NOFILE, so that no other can ever
 * get it. */
#define EXEC_FD	 1000
#define MAX_OPEN 256

/* What a process needs to compute on descriptors that it has. exit_group comes with signals and memory
 * because the C library does. */
static const int plain_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatfs),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(sysinfo),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
};

/* Beside those: what the dynamic loader and a command of the system do before they reach their main, reading
 * only. */
static const int decoder_calls[] = {
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(fadvise64),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(uname),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getppid),
	SCMP_SYS(getrusage),
	SCMP_SYS(times),
	SCMP_SYS(umask),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(fcntl),
	SCMP_SYS(membarrier),
	SCMP_SYS(getrlimit),
};

static int allow_all(scmp_filter_ctx f, const int *calls, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc >= 0; i++)
		if (calls[i] >= 0) /* negative: this machine has no such call */
			rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	return rc;
}

#define ALLOW(f, call, ...)	  seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(call), __VA_ARGS__)
#define REFUSE(f, why, call, ...) seccomp_rule_add(f, SCMP_ACT_ERRNO(why), SCMP_SYS(call), __VA_ARGS__)

static int worker_rules(scmp_filter_ctx f)
{
	int rc = 0;

	/* Memory that is never executable, and nobody's file. */
	rc |= ALLOW(f, mmap, 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
		    SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
	rc |= ALLOW(f, mprotect, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* abort() is to be seen as SIGABRT: it says more than SIGSYS. */
	rc |= ALLOW(f, tgkill, 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()),
		    SCMP_A2(SCMP_CMP_EQ, SIGABRT));
	/* stdio asks whether it writes to a terminal. */
	rc |= REFUSE(f, ENOTTY, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, TCGETS));
	rc |= REFUSE(f, ENOSYS, clone3, 0);
#if SANITIZED
	/* The sanitizer's run time: its report at the end looks around. It is refused, not killed. */
	rc |= ALLOW(f, sched_getaffinity, 0);
	rc |= ALLOW(f, pipe2, 0); /* how it tries whether memory is readable */
	rc |= ALLOW(f, pipe, 0);
	rc |= ALLOW(f, prctl, 0);
	rc |= REFUSE(f, EACCES, openat, 0);
	rc |= REFUSE(f, EACCES, open, 0);
	rc |= REFUSE(f, EACCES, readlink, 0);
	rc |= REFUSE(f, EACCES, readlinkat, 0);
	rc |= REFUSE(f, EACCES, stat, 0);
	rc |= REFUSE(f, EACCES, prlimit64, 0);
	rc |= REFUSE(f, EACCES, getrlimit, 0);
#endif
	return rc;
}

static int decoder_rules(scmp_filter_ctx f)
{
	const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
	const scmp_datum_t thread = CLONE_VM | CLONE_THREAD;
	int rc = allow_all(f, decoder_calls, sizeof decoder_calls / sizeof *decoder_calls);

	rc |= ALLOW(f, openat, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
	rc |= ALLOW(f, open, 1, SCMP_A1(SCMP_CMP_MASKED_EQ, writing, 0));
	/* Code comes from files only. */
	rc |= ALLOW(f, mmap, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc |= ALLOW(f, mmap, 1, SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
	rc |= ALLOW(f, mprotect, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc |= ALLOW(f, clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
	rc |= REFUSE(f, ENOSYS, clone3, 0);
	rc |= ALLOW(f, tgkill, 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	rc |= REFUSE(f, ENOTTY, ioctl, 0);
	rc |= REFUSE(f, ENOSYS, copy_file_range,
		     0); /* newer tools try it first, and fall back to read and write */
	rc |= ALLOW(f, prlimit64, 1, SCMP_A2(SCMP_CMP_EQ, 0)); /* reading, not setting */
	/* The one program: that descriptor closes as it starts, and its number can't be had again. */
	rc |= ALLOW(f, execveat, 2, SCMP_A0(SCMP_CMP_EQ, EXEC_FD), SCMP_A4(SCMP_CMP_EQ, AT_EMPTY_PATH));
	return rc;
}

static int load_filter(enum dm_profile profile, struct dm_err *err)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!f)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	rc = allow_all(f, plain_calls, sizeof plain_calls / sizeof *plain_calls);
	rc |= profile == DM_PROFILE_WORKER ? worker_rules(f) : decoder_rules(f);
	rc |= seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	rc |= seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc) {
		seccomp_release(f);
		return dm_fail(err, DM_EUNSUPPORTED, "cannot build the seccomp filter");
	}
	/* Kernels before 5.16 would slow a filtered process down against speculation attacks inside it: it
	 * holds no secret and runs no foreign code. Older libraries can't say so, or sort the calls into a
	 * tree; neither matters to safety. */
	seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	rc = seccomp_load(f);
	seccomp_release(f);
	if (!rc)
		return DM_OK;
	errno = -rc;
	dm_fail_errno(err, "the kernel refuses a seccomp filter");
	dm_err_remedy(
		err, "use a kernel with CONFIG_SECCOMP_FILTER, and a container that does not forbid seccomp");
	if (err)
		err->code = DM_EUNSUPPORTED;
	return DM_EUNSUPPORTED;
}

static int set_limit(int what, uint64_t value, struct dm_err *err)
{
	struct rlimit now, r = {value, value};

	if (getrlimit((__rlimit_resource_t)what, &now))
		return dm_fail_errno(err, "cannot read a resource limit");
	if (now.rlim_max < value)
		r.rlim_cur = r.rlim_max = now.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &r))
		return dm_fail_errno(err, "cannot set a resource limit");
	return DM_OK;
}

static int set_limits(uint64_t max_memory, unsigned max_cpu_s, struct dm_err *err)
{
	int code = set_limit(RLIMIT_CORE, 0, err);

	if (!code && max_memory && !SANITIZED)
		code = set_limit(RLIMIT_AS, max_memory, err);
	if (!code && max_cpu_s)
		code = set_limit(RLIMIT_CPU, max_cpu_s, err);
	return code;
}

#if SANITIZED
void __lsan_do_leak_check(void) __attribute__((weak));
#endif

static int prepare(struct dm_err *err)
{
#if SANITIZED
	/* The leak check at exit traces its own process, which is forbidden then. It runs only once: now. */
	if (__lsan_do_leak_check)
		__lsan_do_leak_check();
#else
	/* Nobody of the same user may trace or dump it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return dm_fail_errno(err, "cannot become undumpable");
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return dm_fail_errno(err, "cannot give up new privileges");
	return DM_OK;
}

int dm_confine(enum dm_profile profile, uint64_t max_memory, unsigned max_cpu_s, struct dm_confinement *ret,
	       struct dm_err *err)
{
	struct dm_confinement got = {0};
	int code;

	if (profile != DM_PROFILE_WORKER)
		return dm_fail(err, DM_EINVAL, "a decoder is confined by dm_confine_exec");
	code = set_limits(max_memory, max_cpu_s, err);
	if (!code)
		code = prepare(err);
	if (code)
		return code;
	got.landlock_abi = dm_landlock_confine(NULL, 0, got.landlock_note, sizeof got.landlock_note);
	code = load_filter(profile, err);
	if (code)
		return code;
	got.seccomp = 1;
	*ret = got;
	return DM_OK;
}

int dm_confine_exec(const char *path, char *const argv[], char *const envp[], uint64_t max_memory,
		    unsigned max_cpu_s, struct dm_err *err)
{
	static const struct dm_landlock_path system[] = {{"/usr", -1},	       {"/lib", -1},
							 {"/lib64", -1},       {"/etc/ld.so.cache", -1},
							 {NULL, STDIN_FILENO}, {NULL, EXEC_FD}};
	char note[96];
	int fd = open(path, O_RDONLY | O_CLOEXEC), code = set_limit(RLIMIT_NOFILE, EXEC_FD + 1, err);

	if (code)
		return code;
	if (fd < 0 || dup3(fd, EXEC_FD, O_CLOEXEC) < 0)
		return dm_fail_errno(err, "cannot open the program %s", path);
	close(fd);
	code = set_limits(max_memory, max_cpu_s, err);
	if (!code)
		code = set_limit(RLIMIT_NOFILE, MAX_OPEN, err);
	if (!code && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		code = dm_fail_errno(err, "cannot give up new privileges");
	if (!code) {
		dm_landlock_confine(system, sizeof system / sizeof *system, note, sizeof note);
		code = load_filter(DM_PROFILE_DECODER, err);
	}
	if (code)
		return code;
	syscall(SYS_execveat, EXEC_FD, "", argv, envp, AT_EMPTY_PATH);
	return dm_fail_errno(err, "cannot start the program %s", path);
}

/* In the child: tells the parent over the pipe what it got. */
static void probe_child(int fd)
{
	struct {
		int code;
		struct dm_confinement got;
		struct dm_err err;
	} said = {0};

	said.code = dm_confine(DM_PROFILE_WORKER, 0, 0, &said.got, &said.err);
	_exit(write(fd, &said, sizeof said) == (ssize_t)sizeof said ? 0 : 1);
}

int dm_confine_probe(struct dm_confinement *ret, struct dm_err *err)
{
	struct {
		int code;
		struct dm_confinement got;
		struct dm_err err;
	} said;
	ssize_t n;
	pid_t child;
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return dm_fail_errno(err, "cannot make a pipe");
	child = fork();
	if (child == 0)
		probe_child(fd[1]);
	close(fd[1]);
	if (child < 0) {
		close(fd[0]);
		return dm_fail_errno(err, "cannot start a process");
	}
	do
		n = read(fd[0], &said, sizeof said);
	while (n < 0 && errno == EINTR);
	close(fd[0]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof said)
		return dm_fail(err, DM_EUNSUPPORTED, "a confined process could not tell its state");
	if (said.code) {
		if (err)
			*err = said.err;
		return said.code;
	}
	*ret = said.got;
	return DM_OK;
}
