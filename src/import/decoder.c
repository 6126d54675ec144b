/* decoder.c: starts the external program of a format, confined, with the file as its descriptor 0. */
#include "import/decoder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "base/stream.h"

/* nfdump maps a few buffers of some MiB and a stack a thread. */
#define DECODER_MEMORY (2ull << 30)
#define SPOOL_MEMORY   (1ull << 30)
#define SPOOL_CPU_S    600u
#define SPOOL_CHUNK    (256u << 10)
/* What is kept of a program's complaints. */
#define COMPLAINT_MAX 512u

/* Where a decoder may live: below what its confinement lets it read. The user's PATH is not asked: it may
 * name something else. */
static const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/bin"};

static bool find_program(const char *name, char *path, size_t n)
{
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		int used = snprintf(path, n, "%s/%s", folders[i], name);

		if (used > 0 && (size_t)used < n && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* The child that unpacks: it reads what a stranger wrote, so it is confined like any worker. Never returns.
 */
static void spool_child(int from, int to)
{
	struct dm_confinement got;
	struct dm_stream *s = NULL;
	uint8_t *chunk = dm_alloc(SPOOL_CHUNK);
	size_t n, total = 0;
	int r = chunk ? dm_confine(DM_PROFILE_WORKER, SPOOL_MEMORY, SPOOL_CPU_S, &got, NULL) : DM_ENOMEM;

	if (r == 0)
		r = dm_stream_open(&s, from, dm_sv("", 0), NULL);
	while (r == 0) {
		r = dm_stream_read(s, chunk, SPOOL_CHUNK, &n, NULL);
		if (r < 0 || n == 0)
			break;
		total += n;
		r = total > DM_MAX_SPOOL ? DM_ELIMIT : dm_write_all(to, chunk, n, NULL);
	}
	_exit(r == 0 ? 0 : -r);
}

/* Unpacks the input into a file in memory. */
static int spool(int from, int *ret, struct dm_err *err)
{
	int fd = memfd_create("demarche-input", MFD_CLOEXEC), status = 0;
	pid_t pid;

	if (fd < 0)
		return dm_fail_errno(err, "cannot make a file in memory");
	(void)lseek(from, 0, SEEK_SET); /* a pipe is read from where it stands */
	pid = fork();
	if (pid == 0)
		spool_child(from, fd);
	if (pid < 0) {
		close(fd);
		return dm_fail_errno(err, "cannot start a process");
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		*ret = fd;
		return 0;
	}
	close(fd);
	if (!WIFEXITED(status))
		return dm_fail(err, DM_EWORKER, "unpacking the file for its decoder ended by signal %d",
			       WTERMSIG(status));
	if (WEXITSTATUS(status) == -DM_ELIMIT) {
		dm_fail(err, DM_ELIMIT,
			"unpacked, the file is larger than the %u bytes that are kept in memory for a "
			"decoder",
			DM_MAX_SPOOL);
		dm_err_remedy(err, "unpack it first and import the result");
		return DM_ELIMIT;
	}
	return dm_fail(err, -WEXITSTATUS(status), "the file can't be unpacked: %s",
		       dm_code_text(-WEXITSTATUS(status)));
}

/* gzip, zstd, xz, by the same marks as the stream reader's. */
static bool needs_spool(int fd)
{
	uint8_t head[6] = {0};
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return true;
	if (pread(fd, head, sizeof head, 0) < 4)
		return false;
	return (head[0] == 0x1f && head[1] == 0x8b) || memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 ||
	       memcmp(head,
		      "\xfd"
		      "7zXZ",
		      6) == 0;
}

/* Never returns. What goes wrong here is said on the pipe that becomes stderr. */
static void decoder_child(const char *path, const struct dm_importer *imp, int in, int out, int complaints)
{
	static const char *const env[] = {"TZ=UTC", "LC_ALL=C", "PATH=/usr/bin:/bin", NULL};
	struct dm_err err = {0};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(complaints, 2) == 2)
		dm_confine_exec(path, (char *const *)(uintptr_t)imp->decoder, (char *const *)(uintptr_t)env,
				DECODER_MEMORY, 0, &err);
	(void)!write(2, err.msg, strlen(err.msg));
	_exit(127);
}

static void close_pair(const int fd[2])
{
	if (fd[0] >= 0)
		close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
}

int dm_decoder_start(struct dm_decoder *ret, const struct dm_importer *imp, int fd_in, struct dm_err *err)
{
	int in = fd_in, out[2] = {-1, -1}, complaints[2] = {-1, -1}, r = 0;
	char path[128];
	pid_t pid;

	if (!find_program(imp->decoder[0], path, sizeof path)) {
		dm_fail(err, DM_EUNSUPPORTED, "%s files are read through %s, which is not installed",
			imp->name, imp->decoder[0]);
		dm_err_remedy(err, "install %s", imp->decoder[0]);
		return DM_EUNSUPPORTED;
	}
	if (needs_spool(fd_in))
		r = spool(fd_in, &in, err);
	if (r < 0)
		return r;
	/* Descriptors below 3 would be overwritten on the way to their places. A complaint too many is lost,
	 * not waited for. */
	if (lseek(in, 0, SEEK_SET) < 0 || pipe2(out, O_CLOEXEC) ||
	    pipe2(complaints, O_CLOEXEC | O_NONBLOCK)) {
		r = dm_fail_errno(err, "cannot start %s", path);
		goto out;
	}
	pid = fork();
	if (pid == 0)
		decoder_child(path, imp, in, out[1], complaints[1]);
	if (pid < 0) {
		r = dm_fail_errno(err, "cannot start %s", path);
		goto out;
	}
	*ret = (struct dm_decoder){
		.pid = pid, .fd = out[0], .err_fd = complaints[0], .name = imp->decoder[0]};
	out[0] = complaints[0] = -1;
out:
	close_pair(out);
	close_pair(complaints);
	if (in != fd_in)
		close(in);
	return r;
}

int dm_decoder_finish(struct dm_decoder *d, bool stop, struct dm_err *err)
{
	char said[COMPLAINT_MAX];
	int status = 0;
	ssize_t n;

	if (!d->pid)
		return 0;
	if (stop)
		kill(d->pid, SIGKILL);
	while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
		;
	n = read(d->err_fd, said, sizeof said - 1);
	close(d->err_fd);
	d->pid = 0;
	d->err_fd = -1;
	if (stop)
		return 0;
	said[n > 0 ? n : 0] = 0;
	/* The last line is what it stopped for. */
	while (n > 0 && (said[n - 1] == '\n' || said[n - 1] == ' '))
		said[--n] = 0;
	if (WIFSIGNALED(status))
		return dm_fail(err, DM_EFORMAT, "%s was ended by signal %d%s%s", d->name, WTERMSIG(status),
			       n > 0 ? ": " : "", n > 0 ? said : "");
	if (WEXITSTATUS(status) || n > 0)
		return dm_fail(err, DM_EFORMAT, "%s says: %s", d->name,
			       n > 0 ? said : "nothing, but that it failed");
	return 0;
}
