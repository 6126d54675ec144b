#include "import/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/time.h"

#define PROGRAM	  "demarche-worker"
#define PATH_SIZE 4096
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer))
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#define MAX_ARGS 24
#define MAX_ENV	 8
#define PIPE_SIZE                                                                                            \
	(1 << 20) /* the system's default maximum for users; a batch of 4,096 rows goes in one piece */

static bool is_program(const char *folder, const char *below, char *path)
{
	int n = snprintf(path, PATH_SIZE, "%s%s/" PROGRAM, folder, below);

	return n > 0 && n < PATH_SIZE && !access(path, X_OK);
}

static bool is_build_root(const char *folder)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s/meson-info/intro-targets.json", folder);

	return n > 0 && (size_t)n < sizeof path && !access(path, F_OK);
}

/* Beside this program, or in the build tree that this program lies in. Both belong to whoever put the program
 * there. */
static bool find_near_self(char *path)
{
	char exe[PATH_SIZE], *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (n <= 0)
		return false;
	exe[n] = 0;
	for (int up = 0; up < 5 && (slash = strrchr(exe, '/')); up++) {
		*slash = 0;
		if (up == 0 && is_program(exe, "", path))
			return true;
		if (is_build_root(exe))
			return is_program(exe, "/src/worker", path);
	}
	return false;
}

static int find_program(char *path, struct dm_err *err)
{
	const char *forced = secure_getenv("DEMARCHE_LIBEXEC");

	if (forced && *forced ? is_program(forced, "", path)
			      : find_near_self(path) || is_program(DM_LIBEXEC, "", path))
		return DM_OK;
	dm_fail(err, DM_EUNSUPPORTED, "the import worker " PROGRAM " is not in %s",
		forced && *forced ? forced : DM_LIBEXEC);
	dm_err_remedy(err, "install demarche again, or set DEMARCHE_LIBEXEC to the folder that holds it");
	return DM_EUNSUPPORTED;
}

/* The command line: text of numbers lives beside it. */
struct command {
	const char *argv[MAX_ARGS];
	size_t n;
	char number[3][24];
	size_t numbers;
};

static void add(struct command *c, const char *option, const char *value)
{
	if (!value)
		return;
	c->argv[c->n++] = option;
	c->argv[c->n++] = value;
}

static void add_number(struct command *c, const char *option, uint64_t v)
{
	char *text = c->number[c->numbers++];

	if (!v)
		return;
	snprintf(text, sizeof c->number[0], "%llu", (unsigned long long)v);
	add(c, option, text);
}

static void command_of(struct command *c, const struct dm_worker_spec *s)
{
	static const char *const want[] = {[DM_EVIDENCE] = "evidence", [DM_INTELLIGENCE] = "intelligence"};
	const struct dm_worker_job *j = s->job;

	*c = (struct command){.argv = {PROGRAM, j->kind == DM_WORKER_PATTERN ? "pattern" : "import"}, .n = 2};
	add(c, "--name", j->name ? j->name : "");
	add(c, "--want", j->want == DM_EITHER ? NULL : want[j->want]);
	add(c, "--format", s->format);
	add(c, "--module", s->module);
	add_number(c, "--offset", j->resume_offset);
	add_number(c, "--line", j->resume_line);
	add_number(c, "--cpu", s->cpu_s);
	if (j->timings)
		c->argv[c->n++] = "--timings";
	if (s->decoded)
		c->argv[c->n++] = "--decoded";
	if (s->head >= 0)
		c->argv[c->n++] = "--head";
	c->argv[c->n] = NULL;
}

/* A worker gets nothing of the user's environment but what tells where the program's own parts are, and how
 * sanitizer builds behave. */
struct environment {
	char *envp[MAX_ENV];
	size_t n;
};

static void environment_done(struct environment *e)
{
	for (size_t i = 0; i < e->n; i++)
		dm_free(e->envp[i]);
}

static int environment_of(struct environment *e)
{
	static const char *const kept[] = {"DEMARCHE_LIBEXEC", "ASAN_OPTIONS", "UBSAN_OPTIONS",
					   "LLVM_PROFILE_FILE", "GCOV_PREFIX"};

	*e = (struct environment){0};
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		const char *value = secure_getenv(kept[i]);
		size_t n = value ? strlen(kept[i]) + strlen(value) + 2 : 0;

		if (!value)
			continue;
		e->envp[e->n] = dm_alloc(n);
		if (!e->envp[e->n])
			return DM_ENOMEM;
		snprintf(e->envp[e->n++], n, "%s=%s", kept[i], value);
	}
	e->envp[e->n] = dm_strdup("LC_ALL=C.UTF-8");
	return e->envp[e->n++] ? DM_OK : DM_ENOMEM;
}

/* Sanitizers speak on stderr. Otherwise a worker has none: what it writes there could be an attacker's. */
static int set_standard_files(posix_spawn_file_actions_t *fa)
{
	int last = SANITIZED ? 1 : 2, rc = 0;

	for (int fd = 0; fd <= last && !rc; fd++)
		rc = posix_spawn_file_actions_addopen(fa, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
	return rc;
}

/* Copies of the descriptors lie above those of the worker, so that no dup2 overwrites the source of the next.
 */
static int set_files(posix_spawn_file_actions_t *fa, const int from[4], int copy[4])
{
	int rc = set_standard_files(fa);

	for (int i = 0; i < 4 && !rc; i++) {
		if (from[i] < 0) {
			rc = posix_spawn_file_actions_addclose(fa, DM_WORKER_FD_INPUT + i);
			continue;
		}
		copy[i] = fcntl(from[i], F_DUPFD_CLOEXEC, DM_WORKER_FD_PATTERN + 4);
		if (copy[i] < 0)
			return errno;
		rc = posix_spawn_file_actions_adddup2(fa, copy[i], DM_WORKER_FD_INPUT + i);
	}
	return rc ? rc : posix_spawn_file_actions_addclosefrom_np(fa, DM_WORKER_FD_PATTERN + 1);
}

static int spawn(pid_t *ret, const char *path, struct command *c, char **envp, const int from[4])
{
	int copy[4] = {-1, -1, -1, -1}, rc;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;

	rc = posix_spawn_file_actions_init(&fa);
	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc) {
		posix_spawn_file_actions_destroy(&fa);
		return rc;
	}
	sigemptyset(&none);
	sigfillset(&all);
	rc = set_files(&fa, from, copy);
	if (!rc)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!rc)
		rc = posix_spawnattr_setsigmask(&attr, &none);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(&attr, &all);
	if (!rc)
		rc = posix_spawn(ret, path, &fa, &attr, (char **)(uintptr_t)c->argv, envp);
	for (int i = 0; i < 4; i++)
		if (copy[i] >= 0)
			close(copy[i]);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

int dm_worker_start(struct dm_worker_process *ret, const struct dm_worker_spec *spec, struct dm_err *err)
{
	char path[PATH_SIZE];
	struct command c;
	struct environment env;
	int ends[2], rc;

	rc = find_program(path, err);
	if (rc)
		return rc;
	command_of(&c, spec);
	rc = environment_of(&env);
	if (rc) {
		environment_done(&env);
		return dm_fail(err, rc, "out of memory");
	}
	if (pipe2(ends, O_CLOEXEC)) {
		environment_done(&env);
		return dm_fail_errno(err, "cannot make a pipe to the import worker");
	}
	/* More room means fewer switches between the two; with less it works all the same. */
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	rc = spawn(&ret->pid, path, &c, env.envp,
		   (const int[4]){spec->input, ends[1], spec->head, spec->pattern});
	environment_done(&env);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		errno = rc;
		return dm_fail_errno(err, "cannot start the import worker %s", path);
	}
	ret->frames = ends[0];
	return DM_OK;
}

static pid_t reap(pid_t pid, int *status, int flags)
{
	pid_t r;

	do
		r = waitpid(pid, status, flags);
	while (r < 0 && errno == EINTR);
	return r;
}

/* Waits until it has ended, at most wait_ms. */
static void wait_for_end(pid_t pid, unsigned wait_ms)
{
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	uint64_t until = dm_monotonic_us() + wait_ms * 1000ull;
	siginfo_t info = {0};

	if (p.fd >= 0) {
		while (poll(&p, 1, (int)wait_ms) < 0 && errno == EINTR && dm_monotonic_us() < until)
			;
		close(p.fd);
		return;
	}
	/* a kernel before 5.3 */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid &&
	       dm_monotonic_us() < until)
		usleep(500);
}

int dm_worker_end(struct dm_worker_process *p, unsigned wait_ms)
{
	int status = 0;

	if (p->pid <= 0)
		return 0;
	if (wait_ms)
		wait_for_end(p->pid, wait_ms);
	if (reap(p->pid, &status, WNOHANG) == 0) {
		kill(p->pid, SIGKILL);
		reap(p->pid, &status, 0);
	}
	if (p->frames >= 0)
		close(p->frames);
	*p = (struct dm_worker_process){.frames = -1};
	return status;
}

int dm_worker_death(int status, unsigned cpu_s, struct dm_err *err)
{
	static const struct {
		int number;
		const char *meaning;
	} known[] = {
		{SIGSYS, "a forbidden system call"},
		{SIGSEGV, "a wrong memory access"},
		{SIGBUS, "a wrong memory access, or a file that became shorter"},
		{SIGABRT, "a check inside the program failed"},
		{SIGFPE, "an impossible calculation"},
		{SIGILL, "an impossible instruction"},
		{SIGKILL, "somebody, or the system for want of memory"},
	};
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	const char *meaning = NULL;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].number == sig)
			meaning = known[i].meaning;
	if (sig == SIGXCPU)
		dm_fail(err, DM_EWORKER,
			"the import worker was stopped: it used more than %u s of processor time", cpu_s);
	else if (sig)
		dm_fail(err, DM_EWORKER, "the import worker was stopped by SIG%s%s%s%s",
			sigabbrev_np(sig) ? sigabbrev_np(sig) : "?", meaning ? " (" : "",
			meaning ? meaning : "", meaning ? ")" : "");
	else
		dm_fail(err, DM_EWORKER, "the import worker ended with status %d before the end of its work",
			WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return DM_EWORKER;
}
