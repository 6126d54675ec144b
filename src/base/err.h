/* err.h: how a function says that it failed.
 *
 * A function that can fail returns 0 or a negative DM_E code and, where its last parameter is a `struct
 * dm_err`, fills that caller-owned object with source, line or byte offset, reason and remedy. The object may
 * be NULL. Return parameters (`ret_x`) are untouched on failure. Only cli/ and node/ print.
 */
#ifndef DM_BASE_ERR_H
#define DM_BASE_ERR_H

#include <stdint.h>

enum dm_code {
	DM_OK = 0,
	DM_ENOENT = -1,	       /* expected absence: no such thing */
	DM_ENOMEM = -2,	       /* allocation failed */
	DM_EIO = -3,	       /* the system refused a read or write */
	DM_ENOSPC = -4,	       /* disk or quota full */
	DM_ELIMIT = -5,	       /* a limit of limits.h was reached */
	DM_EFORMAT = -6,       /* input does not follow its format */
	DM_EINVAL = -7,	       /* the caller asked for something that makes no sense */
	DM_EPERM = -8,	       /* not permitted */
	DM_EBUSY = -9,	       /* somebody else holds the lock */
	DM_EUNSUPPORTED = -10, /* known, but this build or machine lacks it */
	DM_ECORRUPT = -11,     /* our own stored data fails its check */
	DM_EVERSION = -12,     /* made by a newer version */
	DM_ECANCELLED = -13,   /* stopped by a signal or a budget */
	DM_ECONFIG = -14,      /* configuration is wrong */
	DM_EWORKER = -15,      /* an import worker died or lied */
};

struct dm_err {
	int code;	 /* DM_E..., 0 if nothing was reported */
	uint64_t line;	 /* 1-based line of the source, 0 if not known */
	uint64_t offset; /* byte offset in the source; meaningful if has_offset */
	int has_offset;
	char source[256]; /* file or object the fault lies in, "" if none */
	char msg[320];	  /* what was wrong, without full stop */
	char remedy[240]; /* what to do, "" if nothing can be advised */
};

/* Fill `err` (may be NULL) with code and reason; source and place keep their values. Returns `code`. */
int dm_fail(struct dm_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same with the text of errno appended; ENOSPC and EDQUOT become DM_ENOSPC, ENOMEM DM_ENOMEM. */
int dm_fail_errno(struct dm_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Name the file or object; no effect if a source is already named (the innermost knows best). Returns the
 * code last reported. */
int dm_err_source(struct dm_err *err, const char *source);
/* Say what to do. Returns the code last reported. */
int dm_err_remedy(struct dm_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Short fixed text of a code, never NULL. */
const char *dm_code_text(int code);

#endif
