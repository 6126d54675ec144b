/* The stream over gzip, zstd, xz and plain bytes: lines and raw reads give the same bytes, counted right, and
 * the same end; no input makes it give more than its limits allow. */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/stream.h"

#define MOST (4u << 20)

static struct dm_stream *open_on(int fd, struct dm_sv head)
{
	struct dm_stream *s = NULL;

	lseek(fd, (off_t)head.n, SEEK_SET);
	if (dm_stream_open(&s, fd, head, NULL))
		return NULL;
	dm_stream_limit(s, MOST);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t head = size < 100 ? size / 2 : 50, n = 0, same;
	struct dm_stream *s;
	struct dm_buf joined;
	struct dm_sv line;
	char *all = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC), end, code;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	s = open_on(fd, dm_sv(NULL, 0));
	if (!s)
		goto out;
	end = dm_stream_slurp(s, MOST, &all, &n, NULL);
	assert(all && n <= MOST && dm_stream_offset(s) == n);
	assert(dm_stream_packing(s) != DM_PLAIN || (!end && n == size && !memcmp(all, data, n)));
	dm_stream_close(s);
	s = open_on(fd, dm_sv((const char *)data, head));
	assert(s);
	dm_buf_init(&joined, MOST);
	while (!(code = dm_stream_line(s, &line, NULL))) {
		dm_buf_sv(&joined, line);
		if (dm_stream_line_complete(s)) {
			if (joined.n < dm_stream_offset(s) - 1)
				dm_buf_putc(&joined, '\r');
			dm_buf_putc(&joined, '\n');
		}
		/* How far a decoder comes in corrupt data depends on how they are cut into reads. */
		same = joined.n < n ? joined.n : n;
		assert(dm_stream_offset(s) == joined.n && !memcmp(all, joined.p, same));
		assert(joined.n <= n || end);
	}
	/* DM_ELIMIT: a line that was passed over, or the limit; the bytes can't be joined. */
	assert(code == DM_ELIMIT || (end ? code != DM_ENOENT : code == DM_ENOENT && joined.n == n));
	dm_stream_close(s);
	dm_buf_done(&joined);
	dm_free(all);
out:
	close(fd);
	return 0;
}
