/* What is said on standard error, all in one shape. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"

#define MAX_SAID 8192u

static void say(struct dm_buf *b)
{
	size_t at = 0;

	while (at < b->n) {
		ssize_t r = write(STDERR_FILENO, b->p + at, b->n - at);

		if (r <= 0)
			break;
		at += (size_t)r;
	}
	dm_buf_done(b);
}

static void escaped(struct dm_buf *b, const char *text)
{
	dm_term_escape(b, dm_sv_str(text));
}

int dm_cli_error(const struct dm_cli *cli, const struct dm_err *err)
{
	struct dm_buf b;

	(void)cli;
	dm_buf_init(&b, MAX_SAID);
	dm_buf_str(&b, "demarche: ");
	if (err->source[0]) {
		escaped(&b, err->source);
		if (err->line)
			dm_buf_printf(&b, ":%llu", (unsigned long long)err->line);
		else if (err->has_offset)
			dm_buf_printf(&b, ": byte %llu", (unsigned long long)err->offset);
		dm_buf_str(&b, ": ");
	} else if (err->line) {
		dm_buf_printf(&b, "line %llu: ", (unsigned long long)err->line);
	}
	escaped(&b, err->msg[0] ? err->msg : dm_code_text(err->code));
	dm_buf_putc(&b, '\n');
	if (err->remedy[0]) {
		dm_buf_str(&b, "  ");
		escaped(&b, err->remedy);
		dm_buf_putc(&b, '\n');
	}
	say(&b);
	return dm_exit_of(err->code);
}

__attribute__((format(printf, 2, 0))) static void say_v(const char *before, const char *fmt, va_list ap,
							const char *after)
{
	char text[1024];
	struct dm_buf b;

	vsnprintf(text, sizeof text, fmt, ap);
	dm_buf_init(&b, MAX_SAID);
	dm_buf_str(&b, before);
	escaped(&b, text);
	dm_buf_putc(&b, '\n');
	dm_buf_str(&b, after);
	say(&b);
}

int dm_cli_usage(const struct dm_cli *cli, const char *fmt, ...)
{
	char help[128];
	va_list ap;

	snprintf(help, sizeof help, "  `demarche %s%s--help` %s\n", cli->verb ? cli->verb->name : "",
		 cli->verb ? " " : "", cli->verb ? "explains it" : "lists the verbs");
	va_start(ap, fmt);
	say_v("demarche: ", fmt, ap, help);
	va_end(ap);
	return DM_EXIT_USAGE;
}

void dm_cli_note(const struct dm_cli *cli, const char *fmt, ...)
{
	va_list ap;

	(void)cli;
	va_start(ap, fmt);
	say_v("demarche: note: ", fmt, ap, "");
	va_end(ap);
}
