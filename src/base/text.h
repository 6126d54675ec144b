/* text.h: UTF-8 at the door, and text made safe on the way out. */
#ifndef DM_BASE_TEXT_H
#define DM_BASE_TEXT_H

#include "base/buf.h"
#include "base/sv.h"

/* The code point at s.p, its length as result; 0 if s is empty or does not start with a valid sequence. */
size_t dm_utf8_next(struct dm_sv s, uint32_t *ret);
/* Whether s is valid UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing over U+10FFFF). */
bool dm_utf8_valid(struct dm_sv s);
/* Append s with every invalid byte replaced by U+FFFD; NUL is kept. */
void dm_utf8_repair(struct dm_buf *out, struct dm_sv s);
/* Append s as a JSON string with quotes: RFC 8785 escapes, invalid UTF-8 replaced by U+FFFD. */
void dm_json_quote(struct dm_buf *out, struct dm_sv s);
/* Append s fit for a terminal: control characters (C0, DEL, C1), bidirectional overrides, line separators,
 * invisible tags and invalid bytes escaped as \xHH or \u{HHHH}. */
void dm_term_escape(struct dm_buf *out, struct dm_sv s);
/* Columns that s takes on a terminal (wide characters 2, combining and control 0, an invalid byte 1). */
size_t dm_term_width(struct dm_sv s);
/* One CSV field by RFC 4180, and defused: a leading = + - @ TAB or CR gets a ' in front, since spreadsheets
 * would run it. */
void dm_csv_field(struct dm_buf *out, struct dm_sv s);
/* One field of a CSV line: cuts `*rest` after the field and its delimiter; false when all fields are taken
 * (rest->p is NULL then; an empty line with p set is one empty field). White space is kept. A field in quotes
 * that holds "" is unescaped behind what `scratch` has: clear it once a line, and all views of that line stay
 * good together; if scratch->err is set afterwards, a field was left escaped. Lenient where RFC 4180 is
 * silent: a quote inside a bare field is itself, text behind the closing quote is kept, an open quote ends
 * with the line. */
bool dm_csv_next(struct dm_sv *rest, char delimiter, struct dm_buf *scratch, struct dm_sv *ret_field);

#endif
