#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The code last reported by this thread: what dm_err_source and dm_err_remedy return where the caller wants
 * no details. */
static _Thread_local int last_code;

__attribute__((format(printf, 3, 0))) static void put_text(char *dst, size_t cap, const char *fmt, va_list ap)
{
	if (vsnprintf(dst, cap, fmt, ap) < 0)
		dst[0] = 0;
}

int dm_fail(struct dm_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	last_code = code;
	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	put_text(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return code;
}

int dm_fail_errno(struct dm_err *err, const char *fmt, ...)
{
	int saved = errno, code = DM_EIO;
	size_t n;
	va_list ap;

	if (saved == ENOSPC || saved == EDQUOT)
		code = DM_ENOSPC;
	else if (saved == ENOMEM)
		code = DM_ENOMEM;
	else if (saved == ENOENT)
		code = DM_ENOENT;
	else if (saved == EACCES || saved == EPERM)
		code = DM_EPERM;
	last_code = code;
	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	put_text(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof err->msg - n, ": %s", strerror(saved));
	return code;
}

int dm_err_source(struct dm_err *err, const char *source)
{
	if (!err)
		return last_code;
	if (!err->source[0] && source)
		snprintf(err->source, sizeof err->source, "%s", source);
	return err->code;
}

int dm_err_remedy(struct dm_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return last_code;
	va_start(ap, fmt);
	put_text(err->remedy, sizeof err->remedy, fmt, ap);
	va_end(ap);
	return err->code;
}

const char *dm_code_text(int code)
{
	static const char *const text[] = {
		"done",
		"not found",
		"out of memory",
		"input/output error",
		"disk full",
		"limit reached",
		"malformed input",
		"invalid request",
		"not permitted",
		"busy",
		"not supported",
		"stored data is corrupt",
		"made by a newer version",
		"stopped",
		"configuration is wrong",
		"import worker failed",
	};
	if (code > 0 || -code >= (int)(sizeof text / sizeof *text))
		return "unknown error";
	return text[-code];
}
