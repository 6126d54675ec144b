#include "cli/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

unsigned dm_out_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t n;

	if (!isatty(fd))
		return 0;
	if (columns && dm_sv_u64(dm_sv_str(columns), &n) && n >= 20 && n <= 10000)
		return (unsigned)n;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}

void dm_out_init(struct dm_out *out, int fd, bool color)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	*out = (struct dm_out){.fd = fd, .tty = isatty(fd), .width = dm_out_width(fd)};
	/* no-color.org: set and not empty, whatever it says */
	out->color = color && out->tty && !(no && *no) && !(term && !strcmp(term, "dumb"));
	dm_buf_init(&out->buf, DM_OUT_MAX);
}

void dm_out_done(struct dm_out *out)
{
	dm_buf_done(&out->buf);
}

static void write_all(struct dm_out *out, struct dm_sv text)
{
	size_t at = 0;

	while (at < text.n && !out->error) {
		ssize_t r = write(out->fd, text.p + at, text.n - at);

		if (r >= 0)
			at += (size_t)r;
		else if (errno != EINTR)
			out->error = errno;
	}
	out->written += at;
}

void dm_out_flush(struct dm_out *out)
{
	write_all(out, dm_buf_view(&out->buf));
	if (!out->buf.err)
		dm_buf_clear(&out->buf);
}

void dm_out_write(struct dm_out *out, struct dm_sv text)
{
	dm_out_flush(out);
	write_all(out, text);
}

int dm_out_finish(struct dm_out *out, struct dm_err *err)
{
	dm_out_flush(out);
	if (out->buf.err)
		return dm_fail(err, out->buf.err, "cannot print: %s", dm_code_text(out->buf.err));
	if (!out->error)
		return DM_OK;
	errno = out->error;
	return dm_fail_errno(err, "cannot write the output");
}

void dm_out_style(struct dm_out *out, enum dm_style style)
{
	static const char *const code[] = {"\033[0m",  "\033[1m",  "\033[2m",
					   "\033[31m", "\033[32m", "\033[33m"};

	if (out->color)
		dm_buf_str(&out->buf, code[style]);
}

static void indent_by(struct dm_buf *buf, unsigned n)
{
	while (n--)
		dm_buf_putc(buf, ' ');
}

void dm_out_wrap(struct dm_buf *buf, const char *text, unsigned indent, unsigned width)
{
	struct dm_sv rest = dm_sv_str(text);
	size_t limit = width && width < 100 ? width : 100, at = 0;

	while (rest.p && rest.n) {
		struct dm_sv word = dm_sv_split(&rest, ' ');
		size_t n = dm_term_width(word);

		if (at && at + 1 + n > limit) {
			dm_buf_putc(buf, '\n');
			at = 0;
		}
		if (at) {
			dm_buf_putc(buf, ' ');
			at++;
		} else {
			indent_by(buf, indent);
			at = indent;
		}
		dm_buf_sv(buf, word);
		at += n;
	}
	dm_buf_putc(buf, '\n');
}
