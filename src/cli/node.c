#include "cli/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/time.h"

#define MAX_DEPTH 16u /* folders within folders; a loop of links ends here */
#define WAIT_S	  60u /* for another writer to finish */

volatile int dm_cli_stop;

static void on_stop(int sig)
{
	(void)sig;
	dm_cli_stop = 1;
}

void dm_cli_catch_stop(void)
{
	struct sigaction sa = {.sa_handler = on_stop,
			       .sa_flags = SA_RESETHAND}; /* a second one ends at once */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

struct dm_store *dm_cli_store(struct dm_cli *cli, unsigned flags, int *ret_exit)
{
	struct dm_store *s = NULL;
	struct dm_err err = {0};
	int rc = dm_cli_home(cli, &err);

	if (!rc)
		rc = dm_store_open(&s, cli->home, flags, WAIT_S, &err);
	if (rc) {
		*ret_exit = dm_cli_error(cli, &err);
		return NULL;
	}
	return s;
}

struct dm_store *dm_cli_scratch(struct dm_cli *cli, char path[4096], int *ret_exit)
{
	const char *tmp = getenv("TMPDIR");
	struct dm_store *s = NULL;
	struct dm_err err = {0};
	int rc = DM_OK;

	snprintf(path, 4096, "%s/demarche-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(path)) {
		rc = dm_fail_errno(&err, "no folder can be made for the hunt");
		dm_err_source(&err, path);
		path[0] = 0;
	}
	if (!rc)
		rc = dm_store_open(&s, path, DM_STORE_WRITE | DM_STORE_CREATE, 0, &err);
	if (rc) {
		*ret_exit = dm_cli_error(cli, &err);
		return NULL;
	}
	return s;
}

static void remove_below(int at, const char *name, unsigned depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(fd, e->d_name, 0) && depth < 3)
			remove_below(fd, e->d_name, depth + 1);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	unlinkat(at, name, AT_REMOVEDIR);
}

void dm_cli_scratch_end(struct dm_store *store, const char *path)
{
	dm_store_close(store);
	if (path[0])
		remove_below(AT_FDCWD, path, 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_path(struct dm_input_list *l, const char *path, bool found)
{
	if (dm_grow((void **)&l->v, &l->cap, l->n + 1, sizeof *l->v))
		return DM_ENOMEM;
	l->v[l->n++] = (struct dm_input){.path = path, .found = found};
	return DM_OK;
}

static int add_folder(struct dm_input_list *l, const char *path, unsigned depth, struct dm_err *err)
{
	DIR *d = opendir(path);
	char **name = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	int rc = DM_OK;

	if (!d) {
		rc = dm_fail_errno(err, "the folder can't be read");
		dm_err_source(err, path);
		return rc;
	}
	while (!rc && (e = readdir(d))) {
		char full[4096];

		if (e->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(full, sizeof full, "%s/%s", path, e->d_name) >= sizeof full)
			continue;
		rc = dm_grow((void **)&name, &cap, n + 1, sizeof(char *));
		if (!rc) {
			name[n] = (char *)dm_arena_copy(&l->arena, dm_sv_str(full)).p;
			rc = name[n] ? DM_OK : DM_ENOMEM;
			n += !rc;
		}
	}
	closedir(d);
	if (n)
		qsort(name, n, sizeof(char *), by_name);
	for (size_t i = 0; i < n && !rc; i++) {
		struct stat st;

		if (stat(name[i], &st))
			continue;
		if (S_ISDIR(st.st_mode))
			rc = depth < MAX_DEPTH ? add_folder(l, name[i], depth + 1, err) : DM_OK;
		else if (S_ISREG(st.st_mode))
			rc = add_path(l, name[i], true);
	}
	dm_free(name);
	return rc == DM_ENOMEM ? dm_fail(err, rc, "out of memory") : rc;
}

int dm_input_list_add(struct dm_input_list *l, const char *arg, struct dm_err *err)
{
	struct stat st;

	if (strcmp(arg, "-") && !stat(arg, &st) && S_ISDIR(st.st_mode))
		return add_folder(l, arg, 0, err);
	return add_path(l, arg, false) ? dm_fail(err, DM_ENOMEM, "out of memory") : DM_OK;
}

void dm_input_list_done(struct dm_input_list *l)
{
	dm_free(l->v);
	dm_arena_done(&l->arena);
}

int dm_input_open(const char *path, struct dm_err *err)
{
	int fd;

	if (!strcmp(path, "-"))
		return dup(STDIN_FILENO);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		dm_fail_errno(err, "it can't be opened");
		dm_err_source(err, path);
	}
	return fd;
}

void dm_put_moment(struct dm_buf *out, int64_t t)
{
	size_t at = out->n;

	if (t == DM_NO_TIME) {
		dm_buf_str(out, "unknown");
		return;
	}
	dm_time_put(out, t - t % DM_US);
	if (out->n - at >= 20) {
		out->p[at + 10] = ' ';
		out->n--; /* without the Z: times are UTC, and the manual says so */
	}
}

void dm_put_days(struct dm_buf *out, int64_t first, int64_t last)
{
	if (first == DM_NO_TIME) {
		dm_buf_str(out, "no times");
		return;
	}
	dm_day_put(out, dm_day_of(first));
	if (dm_day_of(first) != dm_day_of(last)) {
		dm_buf_str(out, " to ");
		dm_day_put(out, dm_day_of(last));
	}
}

void dm_put_count(struct dm_buf *out, uint64_t n)
{
	char digits[24], grouped[32];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), k = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			grouped[k++] = ',';
		grouped[k++] = digits[i];
	}
	dm_buf_put(out, grouped, (size_t)k);
}

void dm_put_some(struct dm_buf *out, uint64_t n, const char *one, const char *many)
{
	dm_put_count(out, n);
	dm_buf_putc(out, ' ');
	dm_buf_str(out, n == 1 ? one : many);
}
