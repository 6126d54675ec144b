#include "evidence/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/time.h"

#define KEEP_OBSOLETE_US (10 * 60 * DM_US) /* no hunt takes longer to open its files */

static int open_dir(int at, const char *name, bool create, struct dm_err *err)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && create && errno == ENOENT && (!mkdirat(at, name, 0700) || errno == EEXIST))
		fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		dm_fail_errno(err, "the folder %s can't be opened", name);
	return fd;
}

static int take_lock(struct dm_store *s, unsigned wait_s, struct dm_err *err)
{
	int fd = openat(s->home_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return dm_fail_errno(err, "the lock can't be opened");
	for (unsigned tenths = 0; flock(fd, LOCK_EX | LOCK_NB); tenths++) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			close(fd);
			return dm_fail_errno(err, "the lock can't be taken");
		}
		if (tenths >= wait_s * 10) {
			close(fd);
			dm_fail(err, DM_EBUSY, "another demarche is writing to this node");
			return dm_err_remedy(err, "try again when it has finished");
		}
		usleep(100000);
	}
	s->lock_fd = fd;
	return DM_OK;
}

static int by_text(const void *a, const void *b)
{
	return dm_sv_cmp(*(const struct dm_sv *)a, *(const struct dm_sv *)b);
}

/* Removes files of `dirfd` that the catalog does not name: left by a writer that was killed. */
static void sweep_dir(int dirfd, struct dm_sv *known, size_t n)
{
	int fd = dup(dirfd);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	rewinddir(d);
	while ((e = readdir(d))) {
		struct dm_sv name = dm_sv_str(e->d_name);
		size_t lo = 0, hi = n;

		if (e->d_name[0] == '.' && !dm_sv_starts(name, DM_SV(".tmp")))
			continue;
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;
			if (dm_sv_cmp(known[mid], name) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo == n || !dm_sv_eq(known[lo], name))
			unlinkat(dirfd, e->d_name, 0);
	}
	closedir(d);
}

/* Old superseded files go, and what a killed writer left. Failing here loses nothing but space. */
static void sweep(struct dm_store *s)
{
	struct dm_snapshot snap;
	struct dm_sv *old = NULL, *known;
	size_t n_old = 0, n = 0;

	if (dm_snapshot_take(s, &snap, NULL))
		return;
	if (!dm_catalog_obsolete(s->catalog, dm_now() - KEEP_OBSOLETE_US, &snap.arena, &old, &n_old, NULL))
		for (size_t i = 0; i < n_old; i++) {
			if (!unlinkat(s->evidence_fd, old[i].p, 0) || errno == ENOENT)
				dm_catalog_obsolete_remove(s->catalog, old[i], NULL);
		}
	if (dm_catalog_obsolete(s->catalog, INT64_MAX, &snap.arena, &old, &n_old, NULL))
		goto out;
	known = dm_arena_alloc(&snap.arena,
			       (snap.n_segments + snap.n_runs + snap.n_sets + n_old + 1) * sizeof *known);
	if (!known)
		goto out;
	for (size_t i = 0; i < snap.n_segments; i++)
		known[n++] = snap.segment[i].file;
	for (size_t i = 0; i < snap.n_runs; i++)
		known[n++] = snap.run[i].file;
	for (size_t i = 0; i < n_old; i++)
		known[n++] = old[i];
	qsort(known, n, sizeof *known, by_text);
	sweep_dir(s->evidence_fd, known, n);
	n = 0;
	for (size_t i = 0; i < snap.n_sets; i++)
		known[n++] = snap.set[i].file;
	qsort(known, n, sizeof *known, by_text);
	sweep_dir(s->intel_fd, known, n);
out:
	dm_snapshot_done(&snap);
}

/* A catalog that is gone must not be made anew over its evidence: the sweep would take all of it for
 * left-overs. */
static int evidence_without_catalog(struct dm_store *s, struct dm_err *err)
{
	DIR *d = NULL;
	struct dirent *e;
	struct stat st;
	bool any = false;
	int fd;

	if (!fstatat(s->home_fd, "catalog.sqlite", &st, 0) && st.st_size > 0)
		return DM_OK;
	fd = openat(s->home_fd, "evidence", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	while (d && !any && (e = readdir(d)))
		any = dm_sv_ends(dm_sv_str(e->d_name), DM_SV(".seg"));
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	if (!any)
		return DM_OK;
	dm_fail(err, DM_ECORRUPT, "the catalog is gone, and there is evidence that it named");
	return dm_err_remedy(err, "restore catalog.sqlite from a backup, or move the folder evidence/ away");
}

int dm_store_open(struct dm_store **ret, const char *home, unsigned flags, unsigned wait_s,
		  struct dm_err *err)
{
	struct dm_store *s = dm_calloc(1, sizeof *s);
	bool create = flags & DM_STORE_CREATE;
	char path[4200];
	int rc;

	if (!s)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	s->home_fd = s->evidence_fd = s->intel_fd = s->lock_fd = -1;
	if ((size_t)snprintf(s->home, sizeof s->home, "%s", home) >= sizeof s->home) {
		rc = dm_fail(err, DM_EINVAL, "the path of the node is too long");
		goto out;
	}
	rc = create ? dm_mkdirs(home, err) : DM_OK;
	if (rc)
		goto out;
	s->home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->home_fd < 0) {
		rc = errno == ENOENT ? dm_fail(err, DM_ENOENT, "there is no node here")
				     : dm_fail_errno(err, "the node can't be opened");
		if (rc == DM_ENOENT)
			dm_err_remedy(err, "make one with `demarche init`, or say where it is with --home");
		goto out;
	}
	snprintf(path, sizeof path, "%s/catalog.sqlite", s->home);
	if (flags & DM_STORE_WRITE)
		rc = take_lock(s, wait_s, err);
	if (!rc && create)
		rc = evidence_without_catalog(s, err);
	if (!rc)
		rc = dm_catalog_open(&s->catalog, path, create, !(flags & (DM_STORE_WRITE | DM_STORE_CREATE)),
				     err);
	if (rc)
		goto out;
	s->evidence_fd = open_dir(s->home_fd, "evidence", create, err);
	s->intel_fd = s->evidence_fd < 0 ? -1 : open_dir(s->home_fd, "intel", create, err);
	if (s->intel_fd < 0) {
		rc = err && err->code ? err->code : DM_EIO;
		goto out;
	}
	if (s->lock_fd >= 0)
		sweep(s);
out:
	if (rc) {
		dm_err_source(err, home);
		dm_store_close(s);
		return rc;
	}
	*ret = s;
	return DM_OK;
}

void dm_store_close(struct dm_store *s)
{
	if (!s)
		return;
	dm_catalog_close(s->catalog);
	if (s->intel_fd >= 0)
		close(s->intel_fd);
	if (s->evidence_fd >= 0)
		close(s->evidence_fd);
	if (s->home_fd >= 0)
		close(s->home_fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd); /* frees the lock */
	dm_free(s);
}

int dm_snapshot_take(struct dm_store *s, struct dm_snapshot *ret, struct dm_err *err)
{
	struct dm_snapshot snap = {.first = DM_NO_TIME, .last = DM_NO_TIME};
	int rc = dm_catalog_begin(s->catalog, false, err);

	if (rc)
		return rc;
	rc = dm_catalog_segments(s->catalog, &snap.arena, &snap.segment, &snap.n_segments, err);
	if (!rc)
		rc = dm_catalog_runs(s->catalog, &snap.arena, &snap.run, &snap.n_runs, err);
	if (!rc)
		rc = dm_catalog_sets(s->catalog, &snap.arena, &snap.set, &snap.n_sets, err);
	if (!rc)
		rc = dm_catalog_tombstones(s->catalog, &snap.arena, &snap.tombstone, &snap.n_tombstones, err);
	dm_catalog_rollback(s->catalog);
	if (rc) {
		dm_snapshot_done(&snap);
		return rc;
	}
	for (size_t i = 0; i < snap.n_segments; i++) {
		const struct dm_segment_row *g = &snap.segment[i];

		snap.rows += g->rows;
		snap.bytes += g->bytes;
		if (g->first != DM_NO_TIME && (snap.first == DM_NO_TIME || g->first < snap.first))
			snap.first = g->first;
		if (g->last != DM_NO_TIME && g->last > snap.last)
			snap.last = g->last;
	}
	for (size_t i = 0; i < snap.n_runs; i++)
		snap.bytes += snap.run[i].bytes;
	*ret = snap;
	return DM_OK;
}

void dm_snapshot_done(struct dm_snapshot *s)
{
	dm_arena_done(&s->arena);
	*s = (struct dm_snapshot){0};
}

static int cell_cmp(const struct dm_segment_row *s, const struct dm_cell *c)
{
	if (s->day != c->day)
		return s->day < c->day ? -1 : 1;
	if (s->kind != c->kind)
		return s->kind < c->kind ? -1 : 1;
	return s->class_id < c->class_id ? -1 : s->class_id > c->class_id;
}

const struct dm_segment_row *dm_snapshot_cell(const struct dm_snapshot *s, const struct dm_cell *cell,
					      size_t *ret_n)
{
	size_t lo = 0, hi = s->n_segments, end;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (cell_cmp(&s->segment[mid], cell) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < s->n_segments && !cell_cmp(&s->segment[end], cell); end++)
		;
	*ret_n = end - lo;
	return s->segment + lo;
}

int dm_store_put(int dirfd, const char *name, const struct dm_buf *bytes, struct dm_err *err)
{
	char tmp[300];
	int fd, rc;

	snprintf(tmp, sizeof tmp, ".tmp-%s", name);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return dm_fail_errno(err, "%s can't be created", tmp);
	rc = dm_write_all(fd, bytes->p, bytes->n, err);
	if (!rc && fsync(fd))
		rc = dm_fail_errno(err, "%s can't be synced", tmp);
	if (close(fd) && !rc)
		rc = dm_fail_errno(err, "%s can't be closed", tmp);
	if (!rc && renameat(dirfd, tmp, dirfd, name))
		rc = dm_fail_errno(err, "%s can't be renamed", tmp);
	if (rc)
		unlinkat(dirfd, tmp, 0);
	return rc; /* the caller syncs the folder once, before the catalog names the file */
}
