#include "node/file_digest.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include "base/alloc.h"

#define PIECE (256u << 10)

struct dm_file_digest {
	int fd;
	struct dm_digest *sum;
	uint64_t done, target;
	bool running, stop, failed;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	char *buf;
};

/* Hashes [from, end): by the one thread that owns the sum at the time; the lock is not held. False if the
 * file can't be read that far. */
static bool hash_to(struct dm_file_digest *d, uint64_t from, uint64_t end)
{
	while (from < end) {
		size_t want = end - from < PIECE ? (size_t)(end - from) : PIECE;
		ssize_t n = pread(d->fd, d->buf, want, (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		dm_digest_update(d->sum, d->buf, (size_t)n);
		from += (uint64_t)n;
	}
	return true;
}

static void *digest_thread(void *arg)
{
	struct dm_file_digest *d = arg;

	pthread_mutex_lock(&d->lock);
	while (!d->stop && !d->failed) {
		uint64_t from = d->done, end = d->target;
		bool ok;

		if (from >= end) {
			pthread_cond_wait(&d->change, &d->lock);
			continue;
		}
		pthread_mutex_unlock(&d->lock);
		ok = hash_to(d, from, end);
		pthread_mutex_lock(&d->lock);
		d->failed = !ok;
		d->done = end;
		pthread_cond_broadcast(&d->change);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

int dm_file_digest_new(struct dm_file_digest **ret, int fd, struct dm_err *err)
{
	struct dm_file_digest *d = dm_calloc(1, sizeof *d);
	int rc;

	if (!d)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	d->fd = fd;
	d->buf = dm_alloc(PIECE);
	rc = d->buf ? dm_digest_new(&d->sum, err) : dm_fail(err, DM_ENOMEM, "out of memory");
	if (rc) {
		dm_free(d->buf);
		dm_free(d);
		return rc;
	}
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->change, NULL);
	*ret = d;
	return DM_OK;
}

void dm_file_digest_free(struct dm_file_digest *d)
{
	if (!d)
		return;
	if (d->running) {
		pthread_mutex_lock(&d->lock);
		d->stop = true;
		pthread_cond_broadcast(&d->change);
		pthread_mutex_unlock(&d->lock);
		pthread_join(d->thread, NULL);
	}
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->change);
	dm_digest_free(d->sum);
	dm_free(d->buf);
	dm_free(d);
}

void dm_file_digest_advance(struct dm_file_digest *d, uint64_t offset)
{
	pthread_mutex_lock(&d->lock);
	if (offset > d->target)
		d->target = offset;
	if (!d->running && !d->failed && d->target > d->done + 4 * PIECE &&
	    !pthread_create(&d->thread, NULL, digest_thread, d))
		d->running = true; /* small files are not worth a thread */
	pthread_cond_broadcast(&d->change);
	pthread_mutex_unlock(&d->lock);
}

int dm_file_digest_at(struct dm_file_digest *d, uint64_t offset, uint8_t out[DM_DIGEST_SIZE],
		      struct dm_err *err)
{
	bool ok;

	dm_file_digest_advance(d, offset);
	pthread_mutex_lock(&d->lock);
	while (d->running && !d->failed && d->done < d->target)
		pthread_cond_wait(&d->change, &d->lock);
	ok = !d->failed && (d->running || hash_to(d, d->done, offset));
	if (ok && !d->running && d->done < offset)
		d->done = offset;
	ok = ok && d->done == offset;
	pthread_mutex_unlock(&d->lock);
	if (!ok)
		return dm_fail(err, DM_EIO, "the file changed while it was read");
	return dm_digest_peek(d->sum, out, err);
}
