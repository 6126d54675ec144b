/* bench_parse: what reading a log costs up to the filled record, without store, pipe or second process.
 *
 *   bench_parse [-f FORMAT] [-n RUNS] FILE...
 *
 * Prints for each file the format, the rows, the best processor time of RUNS runs, and nanoseconds a row. Put
 * the file in the page cache first (the first run does).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "import/importer.h"

struct counter {
	struct dm_sink sink; /* first: what the importer sees */
	uint64_t rows, values, skips;
};

static int on_record(struct dm_sink *s, const struct dm_record *rec)
{
	struct counter *c = (struct counter *)s;

	c->rows++;
	c->values += rec->count;
	return 0;
}

static int on_indicator(struct dm_sink *s, const struct dm_indicator *ind)
{
	return 0;
}

static int on_skip(struct dm_sink *s, uint64_t line, const char *reason)
{
	((struct counter *)s)->skips++;
	return 0;
}

static int on_meta(struct dm_sink *s, const char *key, struct dm_sv value)
{
	return 0;
}

static int on_progress(struct dm_sink *s, uint64_t offset, uint64_t line)
{
	return 0;
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_once(const char *path, const char *format, struct counter *c, const char **ret_name,
		    double *ret_s, struct dm_err *err)
{
	struct dm_import_input in = {.name = path, .want = DM_EITHER};
	const struct dm_importer *imp;
	struct dm_sv head;
	double start;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return dm_fail(err, DM_EIO, "cannot open: %s", strerror(errno));
	*c = (struct counter){.sink = {on_record, on_indicator, on_skip, on_meta, on_progress}};
	start = cpu_seconds();
	rc = dm_stream_open(&in.stream, fd, dm_sv("", 0), err);
	if (rc) {
		close(fd);
		return rc;
	}
	rc = dm_stream_peek(in.stream, 65536, &head, err);
	if (!rc) {
		imp = format ? dm_importer_by_name(format) : dm_importer_find(head, path, DM_EITHER);
		*ret_name = imp ? imp->name : "?";
		rc = imp ? imp->run(&in, &c->sink, err) : dm_fail(err, DM_EUNSUPPORTED, "no format fits");
	}
	*ret_s = cpu_seconds() - start;
	dm_stream_close(in.stream);
	close(fd);
	return rc;
}

static int bench_file(const char *path, const char *format, int runs)
{
	const char *name = "?";
	double best = 0;
	struct counter c = {0};

	for (int i = 0; i < runs; i++) {
		struct dm_err err = {0};
		double s = 0;

		if (run_once(path, format, &c, &name, &s, &err)) {
			fprintf(stderr, "%s: line %llu: %s\n", path, (unsigned long long)err.line, err.msg);
			return 1;
		}
		best = i == 0 || s < best ? s : best;
	}
	printf("%s\t%s\t%llu rows\t%llu skipped\t%.1f values a row\t%.3f s\t%.0f ns a row\t%.2f M rows/s\n",
	       path, name, (unsigned long long)c.rows, (unsigned long long)c.skips,
	       c.rows ? (double)c.values / (double)c.rows : 0.0, best,
	       c.rows ? best * 1e9 / (double)c.rows : 0.0, best > 0 ? (double)c.rows / best / 1e6 : 0.0);
	return 0;
}

int main(int argc, char **argv)
{
	const char *format = NULL;
	int runs = 3, failed = 0, option;

	while ((option = getopt(argc, argv, "f:n:")) != -1) {
		if (option == 'f')
			format = optarg;
		else if (option == 'n' && optarg[0] >= '1' && optarg[0] <= '9' && !optarg[1])
			runs = optarg[0] - '0';
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		failed |= bench_file(argv[i], format, runs);
	return failed;
}
