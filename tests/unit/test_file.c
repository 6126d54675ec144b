/* Units of base/: files replaced whole, folders, and maps that survive truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"

static char folder[] = "/tmp/dm-file-XXXXXX";
static int dir;
static struct dm_buf content;

static const char *read_back(const char *name)
{
	struct dm_err err = {0};

	dm_buf_clear(&content);
	if (dm_file_read(dir, name, 1000, &content, &err))
		fail_msg("%s: %s", name, err.msg);
	return dm_buf_cstr(&content);
}

static unsigned entries(void)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void files_are_replaced_whole(void **state)
{
	struct dm_err err = {0};
	struct stat st;

	assert_int_equal(dm_file_replace(dir, "a", "first", 5, 0600, &err), DM_OK);
	assert_string_equal(read_back("a"), "first");
	assert_int_equal(dm_file_replace(dir, "a", "second one", 10, 0644, &err), DM_OK);
	assert_string_equal(read_back("a"), "second one");
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(entries(), 1);
	assert_int_equal(mkdirat(dir, "sub", 0700), 0);
	assert_int_equal(dm_file_replace(dir, "sub/b", "", 0, 0600, &err), DM_OK);
	assert_string_equal(read_back("sub/b"), "");
}

/* A disk that is full in the middle: the old file stays, and no half of the new one. */
static void a_failed_replacement_leaves_the_old_file(void **state)
{
	struct rlimit limit = {4096, RLIM_INFINITY};
	static char big[10000];
	struct dm_err err = {0};
	int status;
	pid_t child;

	assert_int_equal(dm_file_replace(dir, "keep", "old", 3, 0600, &err), DM_OK);
	child = fork();
	if (!child) {
		sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(dm_file_replace(dir, "keep", big, sizeof big, 0600, &err) == DM_EIO &&
				      !strcmp(err.source, "keep")
			      ? 0
			      : 1);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(read_back("keep"), "old");
	assert_int_equal(dm_file_replace(dir, "missing/x", "", 0, 0600, &err), DM_ENOENT);
	assert_int_equal(entries(), 3);
}

static void reading_keeps_its_bounds(void **state)
{
	struct dm_err err = {0};
	char tmp[8];
	int fd;

	assert_int_equal(dm_file_replace(dir, "ten", "0123456789", 10, 0600, &err), DM_OK);
	dm_buf_clear(&content);
	assert_int_equal(dm_file_read(dir, "ten", 10, &content, &err), DM_OK);
	assert_int_equal(dm_file_read(dir, "ten", 9, &content, &err), DM_ELIMIT);
	assert_string_equal(err.source, "ten");
	assert_int_equal(dm_file_read(dir, "nothing", 9, &content, &err), DM_ENOENT);
	fd = openat(dir, "ten", O_RDONLY);
	assert_int_equal(dm_pread_all(fd, tmp, 8, 2, &err), DM_OK);
	assert_memory_equal(tmp, "23456789", 8);
	assert_int_equal(dm_pread_all(fd, tmp, 8, 3, &err), DM_ECORRUPT);
	close(fd);
	assert_int_equal(dm_pread_all(-1, tmp, 8, 3, &err), DM_EIO);
	assert_int_equal(dm_write_all(-1, tmp, 8, &err), DM_EIO);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct dm_err err = {0};
	struct stat st;
	char path[200];

	snprintf(path, sizeof path, "%s/x/y//z/", folder);
	assert_int_equal(dm_mkdirs(path, &err), DM_OK);
	assert_int_equal(dm_mkdirs(path, &err), DM_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(path, sizeof path, "%s/ten/below", folder);
	assert_true(dm_mkdirs(path, &err) < 0);
	assert_string_equal(err.source, path);
	assert_int_equal(dm_fsync_dir(dir, &err), DM_OK);
	assert_int_equal(dm_fsync_dir(AT_FDCWD, &err), DM_OK);
}

#define BIG (1u << 20)

static void make_big(const char *name)
{
	static char zeros[BIG];
	struct dm_err err = {0};

	memset(zeros, 'x', sizeof zeros);
	assert_int_equal(dm_file_replace(dir, name, zeros, sizeof zeros, 0600, &err), DM_OK);
}

static size_t count_x(const struct dm_map *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->p[i] == 'x';
	return n;
}

static void maps_check_their_size(void **state)
{
	struct dm_err err = {0};
	struct dm_map m, empty;

	make_big("big");
	assert_int_equal(dm_map_open(&m, dir, "big", BIG + 1, &err), DM_ECORRUPT);
	assert_string_equal(err.source, "big");
	assert_int_equal(dm_map_open(&m, dir, "none", 0, &err), DM_ENOENT);
	assert_int_equal(dm_map_open(&m, dir, "sub", 0, &err), DM_EINVAL);
	assert_int_equal(dm_map_open(&m, dir, "big", BIG, &err), DM_OK);
	assert_int_equal(count_x(&m), BIG);
	assert_int_equal(dm_map_check(&m, &err), DM_OK);
	dm_map_close(&m);
	dm_map_close(&m);
	assert_int_equal(dm_map_open(&empty, dir, "sub/b", 0, &err), DM_OK);
	assert_non_null(empty.p);
	assert_int_equal(empty.n, 0);
	assert_int_equal(dm_map_check(&empty, &err), DM_OK);
	dm_map_close(&empty);
}

static void a_truncated_map_is_an_error_and_no_crash(void **state)
{
	struct dm_err err = {0};
	struct dm_map cut, whole;

	make_big("cut");
	make_big("whole");
	for (int again = 0; again < 2; again++) {
		assert_int_equal(dm_map_open(&cut, dir, "cut", 0, &err), DM_OK);
		assert_int_equal(dm_map_open(&whole, dir, "whole", 0, &err), DM_OK);

		assert_int_equal(ftruncate(openat(dir, "cut", O_RDWR), BIG / 2 + 100), 0);
		assert_int_equal(count_x(&cut), BIG / 2 + 100);
		assert_int_equal(dm_map_check(&cut, &err), DM_ECORRUPT);
		assert_int_equal(count_x(&whole), BIG);
		assert_int_equal(dm_map_check(&whole, &err), DM_OK);
		dm_map_close(&cut);
		dm_map_close(&whole);
		make_big("cut");
	}
}

static void *scan(void *arg)
{
	struct dm_map *m = arg;
	size_t n = 0;

	for (int i = 0; i < 20; i++)
		n += count_x(m);
	return (void *)n;
}

static void threads_may_meet_the_same_hole(void **state)
{
	struct dm_err err = {0};
	pthread_t thread[4];
	struct dm_map m;
	int fd;

	make_big("cut");
	assert_int_equal(dm_map_open(&m, dir, "cut", BIG, &err), DM_OK);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, scan, &m);
	fd = openat(dir, "cut", O_RDWR);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	count_x(&m);
	assert_int_equal(dm_map_check(&m, &err), DM_ECORRUPT);
	dm_map_close(&m);
}

static int status_of_foreign_fault(bool sent)
{
	struct dm_err err = {0};
	struct dm_map m;
	int status, fd;
	pid_t child = fork();

	if (!child) {
		sigaction(SIGBUS, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
		if (dm_map_open(&m, dir, "whole", BIG, &err))
			_exit(9);
		if (sent)
			raise(SIGBUS);
		fd = openat(dir, "cut", O_RDWR);
		char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED || ftruncate(fd, 0))
			_exit(8);
		_exit(*(volatile char *)p);
	}
	waitpid(child, &status, 0);
	return status;
}

/* A SIGBUS elsewhere still ends the process. */
static void foreign_faults_are_left_alone(void **state)
{
	for (int sent = 0; sent < 2; sent++) {
		int status = status_of_foreign_fault(sent);
		make_big("cut");
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	}
}

static int setup(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	dm_buf_init(&content, 1 << 20);
	return 0;
}

static int forget(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	dm_buf_done(&content);
	close(dir);
	return nftw(folder, forget, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_replaced_whole),
		cmocka_unit_test(a_failed_replacement_leaves_the_old_file),
		cmocka_unit_test(reading_keeps_its_bounds),
		cmocka_unit_test(folders_are_made_with_their_parents),
		cmocka_unit_test(maps_check_their_size),
		cmocka_unit_test(a_truncated_map_is_an_error_and_no_crash),
		cmocka_unit_test(threads_may_meet_the_same_hole),
		cmocka_unit_test(foreign_faults_are_left_alone),
	};
	return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
