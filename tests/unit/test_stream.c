/* Units of base/: the reader of plain and packed inputs, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/stream.h"

static struct dm_buf out, packed;

static int file_of(struct dm_sv s)
{
	int fd = memfd_create("stream", 0);

	assert_int_equal(write(fd, s.p, s.n), s.n);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Appends one member, frame or stream to `packed`. */
static void pack(enum dm_packing packing, struct dm_sv s)
{
	size_t bound = s.n + s.n / 8 + 4096, n = 0;

	assert_true(dm_buf_room(&packed, bound));
	if (packing == DM_PLAIN) {
		dm_buf_sv(&packed, s);
		return;
	}
	if (packing == DM_GZIP) {
		z_stream z = {.next_in = (Bytef *)(uintptr_t)s.p,
			      .avail_in = (uInt)s.n,
			      .next_out = (Bytef *)packed.p + packed.n,
			      .avail_out = (uInt)bound};
		assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		n = z.total_out;
		deflateEnd(&z);
	} else if (packing == DM_ZSTD) {
		ZSTD_CCtx *c = ZSTD_createCCtx();
		ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
		n = ZSTD_compress2(c, packed.p + packed.n, bound, s.p, s.n);
		assert_false(ZSTD_isError(n));
		ZSTD_freeCCtx(c);
	} else {
		assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)s.p, s.n,
							 (uint8_t *)packed.p + packed.n, &n, bound),
				 LZMA_OK);
	}
	packed.n += n;
}

/* All lines of fd, each as "number:text|", lines that were passed over as "number!|", an open last line with
 * "~"; then the last code. */
static int read_lines(int fd, struct dm_sv head, struct dm_err *err)
{
	struct dm_stream *s;
	struct dm_sv line;
	int code;

	dm_buf_clear(&out);
	assert_int_equal(dm_stream_open(&s, fd, head, err), DM_OK);
	for (;;) {
		code = dm_stream_line(s, &line, err);
		if (code && code != DM_ELIMIT)
			break;
		if (code && !dm_stream_lineno(s)) /* the input's limit, not the line's */
			break;
		if (code && strncmp(err->msg, "line longer", 11) != 0)
			break;
		dm_buf_u64(&out, dm_stream_lineno(s));
		dm_buf_putc(&out, code ? '!' : ':');
		if (!code)
			dm_buf_sv(&out, line);
		dm_buf_str(&out, dm_stream_line_complete(s) ? "|" : "~|");
	}
	dm_stream_close(s);
	close(fd);
	return code;
}

static const char *lines_of(const char *text)
{
	struct dm_err err = {0};

	assert_int_equal(read_lines(file_of(dm_sv_str(text)), dm_sv(NULL, 0), &err), DM_ENOENT);
	return dm_buf_cstr(&out);
}

static void lines_end_in_lf_or_crlf(void **state)
{
	assert_string_equal(lines_of(""), "");
	assert_string_equal(lines_of("a"), "1:a~|");
	assert_string_equal(lines_of("a\n"), "1:a|");
	assert_string_equal(lines_of("a\r\nb\n\n\r\nc"), "1:a|2:b|3:|4:|5:c~|");
	assert_string_equal(lines_of("a\rb\r\r\n"), "1:a\rb\r|");
	assert_string_equal(lines_of("\n"), "1:|");
	assert_string_equal(lines_of("x\r"), "1:x\r~|");
	assert_string_equal(lines_of("ab\nan open line longer than the first"),
			    "1:ab|2:an open line longer than the first~|");
}

/* Lines around the longest, with each ending; the line behind is always given. */
static void lines_stop_at_their_limit(void **state)
{
	static const char *const end[] = {"\n", "\r\n", ""};
	char want[64];
	size_t n;

	for (size_t e = 0; e < 3; e++)
		for (n = DM_MAX_LINE - 1; n <= DM_MAX_LINE + 3; n++) {
			struct dm_err err = {0};
			bool over = n > DM_MAX_LINE;
			dm_buf_clear(&packed);
			dm_buf_str(&packed, "first\n");
			assert_true(dm_buf_room(&packed, n));
			memset(packed.p + packed.n, 'x', n);
			packed.n += n;
			dm_buf_str(&packed, end[e]);
			if (*end[e])
				dm_buf_str(&packed, "last\n");
			assert_int_equal(read_lines(file_of(dm_buf_view(&packed)), dm_sv(NULL, 0), &err),
					 DM_ENOENT);
			assert_memory_equal(out.p, over ? "1:first|2!" : "1:first|2:x", 11 - over);
			assert_int_equal(out.n > DM_MAX_LINE - 1, !over);
			snprintf(want, sizeof want, "%s", *end[e] ? "|3:last|" : "~|");
			assert_memory_equal(out.p + out.n - strlen(want), want, strlen(want));
			if (over)
				assert_int_equal(err.line, 2);
		}
	/* Many megabytes without a line end take no memory. */
	dm_buf_clear(&packed);
	assert_true(dm_buf_room(&packed, 20u << 20));
	memset(packed.p, 'x', 20u << 20);
	packed.n = 20u << 20;
	dm_buf_str(&packed, "\nnext\n");
	assert_int_equal(read_lines(file_of(dm_buf_view(&packed)), dm_sv(NULL, 0), &(struct dm_err){0}),
			 DM_ENOENT);
	assert_string_equal(dm_buf_cstr(&out), "1!|2:next|");
}

static void make_log(struct dm_buf *log, unsigned lines)
{
	dm_buf_clear(log);
	for (unsigned i = 0; i < lines; i++)
		dm_buf_printf(log, "%u\tline of a log with some numbers %x %x\n", i, i * 2654435761u,
			      i * 40503u);
}

static void packed_inputs_are_found_by_content(void **state)
{
	struct dm_buf log;

	dm_buf_init(&log, 64u << 20);
	make_log(&log, 30000);
	for (enum dm_packing p = DM_PLAIN; p <= DM_XZ; p++) {
		struct dm_sv whole = dm_buf_view(&log), part;
		struct dm_stream *s;
		struct dm_err err = {0};
		char *all;
		size_t n;
		int fd;

		/* Three members, with their seams inside lines. */
		dm_buf_clear(&packed);
		pack(p, dm_sv(whole.p, 12345));
		pack(p, dm_sv(whole.p + 12345, 1));
		pack(p, dm_sv_from(whole, 12346));
		fd = file_of(dm_buf_view(&packed));
		assert_int_equal(dm_stream_open(&s, fd, dm_sv(NULL, 0), &err), DM_OK);
		assert_int_equal(dm_stream_packing(s), p);
		assert_int_equal(dm_stream_peek(s, 100, &part, &err), DM_OK);
		assert_int_equal(part.n, 100);
		assert_memory_equal(part.p, whole.p, 100);
		assert_int_equal(dm_stream_offset(s), 0);
		assert_int_equal(dm_stream_slurp(s, 64u << 20, &all, &n, &err), DM_OK);
		assert_int_equal(n, whole.n);
		assert_memory_equal(all, whole.p, n);
		assert_int_equal(all[n], 0);
		assert_int_equal(dm_stream_offset(s), n);
		assert_int_equal(dm_stream_raw_offset(s), packed.n);
		dm_free(all);
		dm_stream_close(s);
		/* The first bytes handed over, the rest from the descriptor. */
		for (size_t head = 0; head < 8; head++) {
			lseek(fd, (off_t)head, SEEK_SET);
			assert_int_equal(dm_stream_open(&s, fd, dm_sv(packed.p, head), &err), DM_OK);
			assert_int_equal(dm_stream_packing(s), p);
			assert_int_equal(dm_stream_slurp(s, whole.n, &all, &n, &err), DM_OK);
			assert_memory_equal(all, whole.p, n);
			dm_free(all);
			dm_stream_close(s);
		}
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(dm_stream_open(&s, fd, dm_sv(NULL, 0), &err), DM_OK);
		assert_int_equal(dm_stream_slurp(s, whole.n - 1, &all, &n, &err), DM_ELIMIT);
		assert_null(all);
		dm_stream_close(s);
		close(fd);
	}
	dm_buf_done(&log);
}

/* A pipe that gives one byte at a time. */
static void slow_pipes_give_the_same(void **state)
{
	for (enum dm_packing p = DM_PLAIN; p <= DM_XZ; p++) {
		struct dm_err err = {0};
		int fd[2];
		pid_t child;

		dm_buf_clear(&packed);
		pack(p, DM_SV("one\ntwo\r\n"));
		pack(p, DM_SV("three"));
		assert_int_equal(pipe(fd), 0);
		child = fork();
		if (!child) {
			close(fd[0]);
			for (size_t i = 0; i < packed.n; i++)
				if (write(fd[1], packed.p + i, 1) != 1)
					_exit(1);
			_exit(0);
		}
		close(fd[1]);
		assert_int_equal(read_lines(fd[0], dm_sv(NULL, 0), &err), DM_ENOENT);
		assert_string_equal(dm_buf_cstr(&out), "1:one|2:two|3:three~|");
		waitpid(child, NULL, 0);
	}
}

/* Cut at every byte: what could be decoded, then an error; never more than was there, never a silent end. */
static void cut_off_inputs_give_data_then_the_error(void **state)
{
	struct dm_buf log;

	dm_buf_init(&log, 64u << 20);
	make_log(&log, 40);
	for (enum dm_packing p = DM_GZIP; p <= DM_XZ; p++) {
		size_t seam, most = 0;

		dm_buf_clear(&packed);
		pack(p, dm_sv(log.p, log.n / 2));
		seam = packed.n;
		pack(p, dm_sv(log.p + log.n / 2, log.n - log.n / 2));
		for (size_t cut = 6; cut < packed.n; cut++) {
			struct dm_stream *s;
			struct dm_err err = {0};
			int fd = file_of(dm_sv(packed.p, cut)), code;
			char *all;
			size_t n;

			assert_int_equal(dm_stream_open(&s, fd, dm_sv(NULL, 0), &err), DM_OK);
			code = dm_stream_slurp(s, log.n, &all, &n, &err);
			assert_int_equal(code, cut == seam ? DM_OK : DM_EFORMAT);
			assert_non_null(all);
			assert_memory_equal(all, log.p, n);
			assert_true(cut < seam || n >= log.n / 2);
			if (code) {
				assert_non_null(strstr(err.msg, "cut off"));
				assert_true(err.has_offset && err.offset == n);
			}
			most = n > most ? n : most;
			dm_free(all);
			dm_stream_close(s);
			close(fd);
		}
		assert_true(most > log.n / 2);
	}
	dm_buf_done(&log);
}

/* One wrong byte anywhere: an error, or (in a header that says nothing) the true data; never other data
 * without an error. */
static void corrupt_inputs_are_told(void **state)
{
	struct dm_buf log;

	dm_buf_init(&log, 64u << 20);
	make_log(&log, 20);
	for (enum dm_packing p = DM_GZIP; p <= DM_XZ; p++) {
		unsigned errors = 0;

		dm_buf_clear(&packed);
		pack(p, dm_buf_view(&log));
		for (size_t i = 6; i < packed.n; i++) {
			struct dm_stream *s;
			struct dm_err err = {0};
			char *all = NULL;
			size_t n;
			int fd, code;

			packed.p[i] ^= 0x10;
			fd = file_of(dm_buf_view(&packed));
			assert_int_equal(dm_stream_open(&s, fd, dm_sv(NULL, 0), &err), DM_OK);
			code = dm_stream_slurp(s, 1 << 20, &all, &n, &err);
			if (code)
				errors++;
			else
				assert_true(dm_sv_eq(dm_sv(all, n), dm_buf_view(&log)));
			dm_free(all);
			dm_stream_close(s);
			close(fd);
			packed.p[i] ^= 0x10;
		}
		assert_true(errors > packed.n * 9 / 10);
	}
	dm_buf_done(&log);
}

static void rubbish_behind_the_end_is_told_after_the_data(void **state)
{
	for (enum dm_packing p = DM_GZIP; p <= DM_XZ; p++) {
		struct dm_err err = {0};

		dm_buf_clear(&packed);
		pack(p, DM_SV("one\ntwo\n"));
		dm_buf_str(&packed, "rubbish of some length");
		assert_int_equal(read_lines(file_of(dm_buf_view(&packed)), dm_sv(NULL, 0), &err), DM_EFORMAT);
		assert_string_equal(dm_buf_cstr(&out), "1:one|2:two|");
		assert_non_null(strstr(err.msg, "something"));
	}
	/* Tapes pad with zero bytes: gzip itself says nothing about them. */
	dm_buf_clear(&packed);
	pack(DM_GZIP, DM_SV("one\n"));
	dm_buf_put(&packed, "\0\0\0\0\0", 5);
	assert_int_equal(read_lines(file_of(dm_buf_view(&packed)), dm_sv(NULL, 0), &(struct dm_err){0}),
			 DM_ENOENT);
	assert_string_equal(dm_buf_cstr(&out), "1:one|");
}

/* Decodes all of `packed` and gives the code and the number of bytes. */
static int drain(uint64_t limit, size_t *ret_n, struct dm_err *err)
{
	static char chunk[65536];
	struct dm_stream *s;
	int fd = file_of(dm_buf_view(&packed)), code;
	size_t n;

	*ret_n = 0;
	assert_int_equal(dm_stream_open(&s, fd, dm_sv(NULL, 0), err), DM_OK);
	if (limit)
		dm_stream_limit(s, limit);
	while (!(code = dm_stream_read(s, chunk, sizeof chunk, &n, err)) && n)
		*ret_n += n;
	assert_int_equal(dm_stream_offset(s), *ret_n);
	dm_stream_close(s);
	close(fd);
	return code;
}

static void bombs_stop_at_the_ratio(void **state)
{
	struct dm_buf zeros, noise;
	struct dm_err err = {0};
	uint32_t x = 1;
	size_t n;

	dm_buf_init(&zeros, 80u << 20);
	dm_buf_init(&noise, 1u << 20);
	assert_true(dm_buf_room(&zeros, 80u << 20) && dm_buf_room(&noise, 1u << 20));
	memset(zeros.p, 0, 80u << 20);
	for (; noise.n < 1u << 20; noise.n++) {
		x = x * 1664525 + 1013904223;
		noise.p[noise.n] = (char)(x >> 24);
	}
	for (enum dm_packing p = DM_GZIP; p <= DM_XZ; p++) {
		/* All within the grace: any ratio. */
		dm_buf_clear(&packed);
		pack(p, dm_sv(zeros.p, DM_RATIO_GRACE));
		assert_int_equal(drain(0, &n, &err), DM_OK);
		assert_int_equal(n, DM_RATIO_GRACE);
		/* One byte beyond it: stopped, with at most a chunk too much. */
		dm_buf_clear(&packed);
		pack(p, dm_sv(zeros.p, DM_RATIO_GRACE + 1));
		assert_int_equal(drain(0, &n, &err), DM_ELIMIT);
		dm_buf_clear(&packed);
		pack(p, dm_sv(zeros.p, 80u << 20));
		assert_int_equal(drain(0, &n, &err), DM_ELIMIT);
		assert_true(n <= DM_RATIO_GRACE + (512u << 10));
		assert_non_null(strstr(err.msg, "200 times"));
		/* Just under the ratio: noise carries what the zeros expand to. */
		dm_buf_clear(&packed);
		pack(p, dm_sv(noise.p, 400000));
		pack(p, dm_sv(zeros.p, 400000u * (DM_MAX_RATIO - 2)));
		assert_int_equal(drain(0, &n, &err), DM_OK);
		dm_buf_clear(&packed);
		pack(p, dm_sv(noise.p, 300000));
		pack(p, dm_sv(zeros.p, 80u << 20));
		assert_int_equal(drain(0, &n, &err), DM_ELIMIT);
	}
	dm_buf_done(&zeros);
	dm_buf_done(&noise);
}

static void inputs_stop_at_their_size(void **state)
{
	struct dm_err err = {0};
	struct dm_buf log;
	size_t n;

	dm_buf_init(&log, 64u << 20);
	make_log(&log, 20000);
	for (enum dm_packing p = DM_PLAIN; p <= DM_XZ; p++) {
		dm_buf_clear(&packed);
		pack(p, dm_buf_view(&log));
		assert_int_equal(drain(log.n, &n, &err), DM_OK);
		assert_int_equal(n, log.n);
		assert_int_equal(drain(log.n - 1, &n, &err), DM_ELIMIT);
		assert_int_equal(n, log.n - 1);
	}
	dm_buf_done(&log);
}

/* Headers that ask for much memory are refused before it is allocated. */
static void greedy_headers_are_refused(void **state)
{
	struct dm_err err = {0};
	size_t n, size;
	uint32_t crc;

	for (unsigned log = 27; log <= 28; log++) {
		/* RFC 8878 s.3.1.1.1.2: a frame with a window descriptor, and one raw last block of one byte.
		 */
		uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, (uint8_t)((log - 10) << 3),
				   0x09, 0x00, 0x00, 'x'};
		dm_buf_clear(&packed);
		dm_buf_put(&packed, frame, sizeof frame);
		assert_int_equal(drain(0, &n, &err), log > 27 ? DM_ELIMIT : DM_OK);
	}
	assert_non_null(strstr(err.msg, "128 MiB"));
	/* xz format 3.1 and 5.3.1: the block header behind the 12 bytes of the stream header; 26 is a
	 * dictionary of 32 MiB, 32 of 256 MiB. */
	for (uint8_t dict = 26; dict <= 32; dict += 6) {
		dm_buf_clear(&packed);
		pack(DM_XZ, DM_SV("x"));
		size = ((size_t)(uint8_t)packed.p[12] + 1) * 4;
		for (size_t i = 12; i + 2 < 12 + size; i++)
			if (packed.p[i] == 0x21 && packed.p[i + 1] == 1) {
				packed.p[i + 2] = (char)dict;
				break;
			}
		crc = lzma_crc32((uint8_t *)packed.p + 12, size - 4, 0);
		memcpy(packed.p + 12 + size - 4, &crc, 4);
		assert_int_equal(drain(0, &n, &err), dict > 26 ? DM_ELIMIT : DM_OK);
	}
}

static void unreadable_descriptors_are_told(void **state)
{
	struct dm_stream *s;
	struct dm_err err = {0};

	assert_int_equal(dm_stream_open(&s, -1, dm_sv(NULL, 0), &err), DM_EIO);
	assert_non_null(strstr(err.msg, "cannot read the input"));
	dm_stream_close(NULL);
}

static int setup(void **state)
{
	dm_buf_init(&out, 80u << 20);
	dm_buf_init(&packed, 128u << 20);
	return 0;
}

static int teardown(void **state)
{
	dm_buf_done(&out);
	dm_buf_done(&packed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_in_lf_or_crlf),
		cmocka_unit_test(lines_stop_at_their_limit),
		cmocka_unit_test(packed_inputs_are_found_by_content),
		cmocka_unit_test(slow_pipes_give_the_same),
		cmocka_unit_test(cut_off_inputs_give_data_then_the_error),
		cmocka_unit_test(corrupt_inputs_are_told),
		cmocka_unit_test(rubbish_behind_the_end_is_told_after_the_data),
		cmocka_unit_test(bombs_stop_at_the_ratio),
		cmocka_unit_test(inputs_stop_at_their_size),
		cmocka_unit_test(greedy_headers_are_refused),
		cmocka_unit_test(unreadable_descriptors_are_told),
	};
	return cmocka_run_group_tests_name("stream", tests, setup, teardown);
}
