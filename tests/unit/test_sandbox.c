/* Units of base/: the sandbox, tried from inside. Each forbidden act either ends the process (SIGSYS) or
 * fails; an allowed one works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/sandbox.h"

#define NOBODY 65534

/* Runs `act` confined, as root and, where the test is root, also as an ordinary user. `act` returns whether
 * it got what it wanted. */
static void expect(bool allowed, bool (*act)(void))
{
	for (int user = 0; user < 2; user++) {
		int status;
		pid_t child = fork();
		if (!child) {
			struct dm_confinement got = {0};
			struct dm_err err = {0};
			if (user && getuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
				_exit(9);
			if (dm_confine(DM_PROFILE_WORKER, 8ull << 30, 20, &got, &err) || !got.seccomp)
				_exit(8);
			_exit(act() ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status) && WEXITSTATUS(status) > 1)
			fail_msg("could not confine (%d)", WEXITSTATUS(status));
		if (allowed)
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		else
			assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
				    (WIFEXITED(status) && WEXITSTATUS(status) == 1));
	}
}

static bool act_open(void)
{
	return open("/etc/hostname", O_RDONLY) >= 0;
}

static bool act_create(void)
{
	return open("/tmp/dm-sandbox-test", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool act_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool act_connect(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/run/nothing"};

	return connect(0, (struct sockaddr *)&a, sizeof a) == 0 || errno == ENOTSOCK || errno == ENOENT;
}

static bool act_execve(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};

	execve("/bin/true", argv, environ);
	return false;
}

static bool act_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool act_kill(void)
{
	return kill(getpid(), 0) == 0;
}

static bool act_kill_parent(void)
{
	return syscall(SYS_tgkill, getpid() - 1, getpid() - 1, SIGABRT) == 0 || errno == ESRCH;
}

static bool act_fork(void)
{
	return fork() >= 0;
}

static bool act_vfork(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) >= 0;
}

static bool act_clone3(void)
{
	errno = 0;
	return syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS;
}

static bool act_unlink(void)
{
	return unlink("/tmp/dm-sandbox-nothing") == 0 || errno == ENOENT;
}

static bool act_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static bool act_make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool act_send_descriptor(void)
{
	struct msghdr m = {0};

	return sendmsg(0, &m, 0) >= 0 || errno == ENOTSOCK;
}

static bool act_raise_limits(void)
{
	return prlimit(0, RLIMIT_CPU, &(struct rlimit){100, 100}, NULL) == 0 || errno == EPERM;
}

/* What a parser does all day. */
static bool act_work(void)
{
	struct dm_json doc;
	struct timespec ts;
	char *p = dm_alloc(40u << 20), small[16];
	bool ok = p;

	if (p)
		memset(p, 1, 40u << 20);
	p = dm_realloc(p, 60u << 20, 1);
	dm_free(p);
	dm_json_init(&doc);
	ok &= dm_json_parse(&doc, DM_SV("{\"a\":[1,2,{\"b\":\"c\"}]}"), NULL) == DM_OK;
	dm_json_done(&doc);
	ok &= clock_gettime(CLOCK_MONOTONIC, &ts) == 0;
	ok &= poll(NULL, 0, 0) == 0;
	ok &= write(1, "", 0) == 0;
	ok &= snprintf(small, sizeof small, "%.3f", 1.5) == 5;
	return ok;
}

static bool act_abort(void)
{
	abort();
}

static void opening_is_forbidden(void **state)
{
	expect(false, act_open);
	expect(false, act_create);
	assert_int_not_equal(access("/tmp/dm-sandbox-test", F_OK), 0);
}

static void sockets_are_forbidden(void **state)
{
	expect(false, act_socket);
}

static void connecting_is_forbidden(void **state)
{
	expect(false, act_connect);
	expect(false, act_send_descriptor);
}

static void executing_is_forbidden(void **state)
{
	expect(false, act_execve);
}

static void tracing_is_forbidden(void **state)
{
	expect(false, act_ptrace);
}

static void killing_is_forbidden(void **state)
{
	expect(false, act_kill);
	expect(false, act_kill_parent);
}

static void forking_is_forbidden(void **state)
{
	expect(false, act_fork);
	expect(false, act_vfork);
}

static void clone3_is_unknown(void **state)
{
	expect(true, act_clone3);
}

static void unlinking_is_forbidden(void **state)
{
	expect(false, act_unlink);
}

static void code_can_not_be_made(void **state)
{
	expect(false, act_executable_memory);
	expect(false, act_make_executable);
}

static void limits_can_not_be_raised(void **state)
{
	expect(false, act_raise_limits);
}

static void parsing_works(void **state)
{
	struct dm_err err = {0};

	assert_int_equal(dm_json_preload(&err), DM_OK);
	expect(true, act_work);
}

static void an_abort_is_seen_as_one(void **state)
{
	int status;
	pid_t child = fork();

	if (!child) {
		struct dm_confinement got;
		if (dm_confine(DM_PROFILE_WORKER, 0, 0, &got, NULL))
			_exit(8);
		act_abort();
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void the_probe_tells_what_there_is(void **state)
{
	struct dm_confinement got = {0};
	struct dm_err err = {0};

	assert_int_equal(dm_confine_probe(&got, &err), DM_OK);
	assert_int_equal(got.seccomp, 1);
	assert_true(got.landlock_abi > 0 || got.landlock_note[0]);
	assert_int_equal(dm_confine(DM_PROFILE_DECODER, 0, 0, &got, &err), DM_EINVAL);
}

/* Runs a program of the system as a decoder, with `input` as its descriptor 0; output in `out`. */
static int decode(const char *path, const char *const *argv, const char *input, char *out, size_t cap)
{
	int in = memfd_create("input", MFD_CLOEXEC), fd[2], status;
	char *const envp[] = {NULL};
	size_t n = 0;
	ssize_t k;
	pid_t child;

	assert_int_equal(write(in, input, strlen(input)), strlen(input));
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		struct dm_err err = {0};
		lseek(in, 0, SEEK_SET);
		dup2(in, 0);
		dup2(fd[1], 1);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
		dm_confine_exec(path, (char *const *)(uintptr_t)argv, envp, 1ull << 30, 10, &err);
		dprintf(2, "%s\n", err.msg);
		_exit(99);
	}
	close(fd[1]);
	while (n < cap - 1 && (k = read(fd[0], out + n, cap - 1 - n)) > 0)
		n += (size_t)k;
	out[n] = 0;
	close(fd[0]);
	close(in);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void a_decoder_reads_its_input(void **state)
{
	const char *const plain[] = {"cat", NULL}, *const named[] = {"cat", "/dev/stdin", NULL};
	char out[100];

	assert_int_equal(decode("/bin/cat", plain, "some bytes", out, sizeof out), 0);
	assert_string_equal(out, "some bytes");
	assert_int_equal(decode("/bin/cat", named, "by name", out, sizeof out), 0);
	assert_string_equal(out, "by name");
}

static void a_decoder_gets_nothing_else(void **state)
{
	const char *const read_etc[] = {"cat", "/etc/passwd", NULL}, *const touch[] = {"touch",
										       "/tmp/dm-sandbox-test",
										       NULL};
	const char *const fork_it[] = {"sh", "-c", "/bin/echo forked; /bin/echo again", NULL},
			  *const exec_it[] = {"env", "true", NULL};
	struct dm_confinement got = {0};
	char out[100];

	assert_int_equal(dm_confine_probe(&got, NULL), DM_OK);
	if (got.landlock_abi)
		assert_int_not_equal(decode("/bin/cat", read_etc, "", out, sizeof out), 0);
	assert_int_not_equal(decode("/usr/bin/touch", touch, "", out, sizeof out), 0);
	assert_int_not_equal(access("/tmp/dm-sandbox-test", F_OK), 0);
	assert_int_equal(decode("/bin/sh", fork_it, "", out, sizeof out), -SIGSYS);
	assert_string_equal(out, "");
	assert_int_equal(decode("/usr/bin/env", exec_it, "", out, sizeof out), -SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_is_forbidden),	     cmocka_unit_test(sockets_are_forbidden),
		cmocka_unit_test(connecting_is_forbidden),   cmocka_unit_test(executing_is_forbidden),
		cmocka_unit_test(tracing_is_forbidden),	     cmocka_unit_test(killing_is_forbidden),
		cmocka_unit_test(forking_is_forbidden),	     cmocka_unit_test(clone3_is_unknown),
		cmocka_unit_test(unlinking_is_forbidden),    cmocka_unit_test(code_can_not_be_made),
		cmocka_unit_test(limits_can_not_be_raised),  cmocka_unit_test(parsing_works),
		cmocka_unit_test(an_abort_is_seen_as_one),   cmocka_unit_test(the_probe_tells_what_there_is),
		cmocka_unit_test(a_decoder_reads_its_input), cmocka_unit_test(a_decoder_gets_nothing_else),
	};
	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
