/* intel.h: from a raw value in somebody's file to an indicator in canonical form; shared by the importers of
 * intelligence. */
#ifndef DM_IMPORT_INTEL_H
#define DM_IMPORT_INTEL_H

#include "import/sink.h"

#define DM_INTEL_TEXT 400u  /* bytes of one free text in a label, source or reason */
#define DM_INTEL_BUF  8192u /* bytes of a whole label, source or reason */

struct dm_intel {
	struct dm_sink *sink;
	struct dm_buf key, key2, text, reason;
	uint64_t emitted, skipped;
};

/* For importers of JSON: loads what reading it and the names in it need, before a process confines itself. */
int dm_intel_preload(struct dm_err *err);
void dm_intel_init(struct dm_intel *in, struct dm_sink *sink);
void dm_intel_done(struct dm_intel *in);
/* Read `raw` as a value of type t ("1.2.3.4", "10.0.0.0/8", "*.example.com", ...) and hand it over with all
 * else as in `base`, whose form, type, keys and values are set here, and so is an `original` that is empty.
 * What is no such value is skipped with a reason; returns 0 then, too. */
int dm_intel_emit(struct dm_intel *in, const struct dm_indicator *base, enum dm_obs_type t, struct dm_sv raw);
/* A domain and all names below it. */
int dm_intel_emit_suffix(struct dm_intel *in, const struct dm_indicator *base, struct dm_sv raw);
/* Report as passed over: "REASON: WHAT". */
int dm_intel_skip(struct dm_intel *in, uint64_t line, const char *reason, struct dm_sv what);
/* Append free text fit for one line: cut at `max` bytes between characters and marked with "...", control
 * characters as blanks. */
void dm_intel_text(struct dm_buf *out, struct dm_sv s, size_t max);

#endif
