#include "base/json_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/limits.h"
#include "base/text.h"

/* Runs only where the fast reader refused a document: finds the first fault, and says it so that a person can
 * mend the file. It is a whole reader of the grammar (RFC 8259) on its own, against which the fast one is
 * fuzzed. */

struct scan {
	const char *p;
	size_t n, at;
	uint64_t objects; /* bit d: the container at depth d is an object */
	unsigned depth;
	struct dm_sv text;
	struct dm_err *err;
};

int dm_json_fault(struct dm_err *err, int code, struct dm_sv text, size_t at, const char *fmt, ...)
{
	char msg[240];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	if (vsnprintf(msg, sizeof msg, fmt, ap) < 0)
		msg[0] = 0;
	va_end(ap);
	dm_fail(err, code, "%s", msg);
	err->line = 1;
	for (const char *p = text.p, *end = text.p + at; p < end && (p = memchr(p, '\n', (size_t)(end - p)));
	     p++)
		err->line++;
	err->offset = at;
	err->has_offset = 1;
	return code;
}

#define fault(s, ...)		dm_json_fault((s)->err, DM_EFORMAT, (s)->text, (s)->at, __VA_ARGS__)
#define fault_at(s, place, ...) dm_json_fault((s)->err, DM_EFORMAT, (s)->text, place, __VA_ARGS__)

static char peek(const struct scan *s)
{
	return s->at < s->n ? s->p[s->at] : 0;
}

static void space(struct scan *s)
{
	while (s->at < s->n && memchr(" \t\n\r", s->p[s->at], 4))
		s->at++;
}

/* "found 'x'" for a fault: what stands there, fit for a message. */
static const char *found(const struct scan *s, char tmp[32])
{
	uint8_t c = (uint8_t)peek(s);

	if (s->at >= s->n)
		snprintf(tmp, 32, "found the end");
	else if (c > 0x20 && c < 0x7f)
		snprintf(tmp, 32, "found '%c'", c);
	else
		snprintf(tmp, 32, "found byte 0x%02x", c);
	return tmp;
}

static int string(struct scan *s)
{
	size_t start = s->at++, len, used;
	uint32_t cp;
	char tmp[4], *w;

	for (;;) {
		uint8_t c = (uint8_t)peek(s);
		if (s->at >= s->n)
			return fault_at(s, start, "this string is never closed");
		if (c == '"')
			break;
		if (c < 0x20)
			return fault(s,
				     "control character 0x%02x in a string (it must be written as \\u%04x)",
				     c, c);
		if (c == '\\') {
			w = tmp;
			used = dm_json_unescape(s->p + s->at + 1, s->n - s->at - 1, &w);
			if (!used && s->at + 1 < s->n && s->p[s->at + 1] == 'u')
				return fault(s, "\\u escape that is not four hex digits, or one half of a "
						"surrogate pair");
			if (!used)
				return fault(s, "unknown escape in a string (known: \\\" \\\\ \\/ \\b \\f "
						"\\n \\r \\t \\uXXXX)");
			s->at += 1 + used;
			continue;
		}
		len = c < 0x80 ? 1 : dm_utf8_next(dm_sv(s->p + s->at, s->n - s->at), &cp);
		if (!len)
			return fault(s, "invalid UTF-8 (byte 0x%02x)", c);
		s->at += len;
	}
	s->at++;
	return DM_OK;
}

static bool some_digits(struct scan *s)
{
	size_t start = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at > start;
}

static int number(struct scan *s)
{
	size_t start = s->at;

	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0') {
		s->at++;
		if (peek(s) >= '0' && peek(s) <= '9')
			return fault_at(s, start, "number with a leading zero");
	} else if (!some_digits(s)) {
		return fault_at(s, start, "a minus sign without a number");
	}
	if (peek(s) == '.') {
		s->at++;
		if (!some_digits(s))
			return fault_at(s, start, "number without digits behind its point");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (!some_digits(s))
			return fault_at(s, start, "number without digits in its exponent");
	}
	return DM_OK;
}

static int literal(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n - s->at < n || memcmp(s->p + s->at, word, n) != 0)
		return fault(s, "misspelt %s", word);
	s->at += n;
	return DM_OK;
}

static int value(struct scan *s)
{
	char tmp[32], c = peek(s);

	switch (c) {
	case '"':
		return string(s);
	case '{':
	case '[':
		if (s->depth == DM_MAX_DEPTH)
			return dm_json_fault(s->err, DM_ELIMIT, s->text, s->at,
					     "nested deeper than %u levels", DM_MAX_DEPTH);
		if (c == '{')
			s->objects |= 1ull << s->depth;
		else
			s->objects &= ~(1ull << s->depth);
		s->depth++;
		s->at++;
		return DM_OK;
	case 't':
		return literal(s, "true");
	case 'f':
		return literal(s, "false");
	case 'n':
		return literal(s, "null");
	default:
		if (c == '-' || (c >= '0' && c <= '9'))
			return number(s);
		return fault(s, "expected a value, %s", found(s, tmp));
	}
}

static int member(struct scan *s, bool keyed)
{
	char tmp[32];
	int code;

	space(s);
	if (keyed) {
		if (peek(s) != '"')
			return fault(s, "expected a name in double quotes, %s", found(s, tmp));
		code = string(s);
		if (code)
			return code;
		space(s);
		if (peek(s) != ':')
			return fault(s, "expected ':' after a name, %s", found(s, tmp));
		s->at++;
		space(s);
	}
	return value(s);
}

int dm_json_scan(struct dm_sv text, struct dm_err *err)
{
	struct scan s = {.p = text.p, .n = text.n, .at = dm_json_bom(text), .text = text, .err = err};
	bool opened, object;
	char tmp[32], close;
	unsigned depth;
	int code;

	space(&s);
	if (s.at == s.n)
		return fault(&s, "the document is empty");
	code = value(&s);
	opened = s.depth;
	while (!code && s.depth) {
		object = s.objects >> (s.depth - 1) & 1;
		close = object ? '}' : ']';
		space(&s);
		if (peek(&s) == close) {
			s.at++;
			s.depth--;
			opened = false;
			continue;
		}
		if (!opened) {
			if (peek(&s) != ',')
				return fault(&s, "expected ',' or '%c' after a value, %s", close,
					     found(&s, tmp));
			s.at++;
			space(&s);
			if (peek(&s) == close)
				return fault(&s, "a ',' before the closing '%c'", close);
		}
		depth = s.depth;
		code = member(&s, object);
		opened = s.depth > depth;
	}
	if (code)
		return code;
	space(&s);
	return s.at == s.n ? DM_OK
			   : fault(&s, "something follows the end of the document, %s", found(&s, tmp));
}
