/* fuzz_log.h: a log importer over bytes, and over the same bytes in two parts: whatever came in with the
 * first part must not come again with the second, nor be missing.
 */
#ifndef DM_FUZZ_LOG_H
#define DM_FUZZ_LOG_H

#include "fuzz_importer.h"

struct fuzz_log {
	struct dm_sink sink; /* first: what the importer sees */
	uint64_t rows, offset, line;
};

static inline int fuzz_log_record(struct dm_sink *sink, const struct dm_record *rec)
{
	struct fuzz_log *log = (struct fuzz_log *)sink;

	log->rows++;
	assert(rec->line > 0);
	return fuzz_record(sink, rec);
}

static inline int fuzz_log_progress(struct dm_sink *sink, uint64_t offset, uint64_t line)
{
	struct fuzz_log *log = (struct fuzz_log *)sink;

	assert(offset >= log->offset);
	log->offset = offset;
	log->line = line;
	return DM_OK;
}

/* One run over `size` bytes; false if it did not end in order. */
static inline bool fuzz_log_run(const struct dm_importer *imp, struct fuzz_log *log, const uint8_t *data,
				size_t size, uint64_t offset, uint64_t line)
{
	struct dm_import_input in = {
		.name = "conn.log", .resume_offset = offset, .resume_line = line, .unfinished = true};
	struct dm_err err = {0};
	int fd = memfd_create("fuzz", MFD_CLOEXEC), rc = DM_EIO;

	*log = (struct fuzz_log){
		.sink = {fuzz_log_record, fuzz_indicator, fuzz_skip, fuzz_meta, fuzz_log_progress}};
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	if (!dm_stream_open(&in.stream, fd, dm_sv("", 0), &err)) {
		rc = dm_stream_packing(in.stream) == DM_PLAIN ? imp->run(&in, &log->sink, &err) : DM_EIO;
		dm_stream_close(in.stream);
	}
	close(fd);
	return rc == 0;
}

/* `exact`: a row depends on no row before it, so that the parts must add up. */
static inline int fuzz_log(const struct dm_importer *imp, const uint8_t *data, size_t size, bool exact)
{
	struct fuzz_log whole, first, second;
	const uint8_t *lf;
	size_t cut;

	fuzz_import(imp, data, size);
	if (size < 8 || !fuzz_log_run(imp, &whole, data, size, 0, 0))
		return 0;
	/* Behind the line that holds some byte which the input itself names. */
	cut = (data[size / 2] | data[size / 3] << 8) % size;
	lf = memchr(data + cut, '\n', size - cut);
	cut = lf ? (size_t)(lf - data) + 1 : size;
	if (!fuzz_log_run(imp, &first, data, cut, 0, 0))
		return 0;
	assert(first.offset <= cut);
	if (fuzz_log_run(imp, &second, data, size, first.offset, first.line) && exact)
		assert(first.rows + second.rows == whole.rows);
	return 0;
}

#endif
