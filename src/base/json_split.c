#include "base/json_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "base/limits.h"

/* Only brackets, strings and lines are looked at: what is inside an element is checked when the element is
 * parsed. */

/* Count the lines up to `to` and go there. */
static void advance(struct dm_json_split *s, size_t to)
{
	const char *p = s->text.p + s->at, *end = s->text.p + to;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		s->line++;
		p++;
	}
	s->at = to;
}

static int fault(struct dm_json_split *s, size_t at, struct dm_err *err, const char *reason)
{
	s->done = true;
	advance(s, at);
	dm_fail(err, DM_EFORMAT, "%s", reason);
	if (err) {
		err->line = s->line;
		err->offset = at;
		err->has_offset = 1;
	}
	return DM_EFORMAT;
}

static size_t skip_space(struct dm_sv t, size_t at)
{
	while (at < t.n && (t.p[at] == ' ' || t.p[at] == '\n' || t.p[at] == '\r' || t.p[at] == '\t'))
		at++;
	return at;
}

/* Behind the closing quote of the string that opens at `at`; t.n + 1 if there is none. */
static size_t skip_string(struct dm_sv t, size_t at)
{
	at++;
	while (at < t.n) {
#ifdef __SSE2__
		if (t.n - at >= 16) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(t.p + at));
			int mask = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
								  _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
			if (!mask) {
				at += 16;
				continue;
			}
			at += (size_t)__builtin_ctz((unsigned)mask);
		}
#endif
		if (t.p[at] == '"')
			return at + 1;
		at += t.p[at] == '\\' ? 2 : 1;
	}
	return t.n + 1;
}

/* The next quote or bracket from `at` on; t.n if none. */
static size_t find_structure(struct dm_sv t, size_t at)
{
#ifdef __SSE2__
	for (; t.n - at >= 16; at += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(t.p + at));
		__m128i low =
			_mm_or_si128(v, _mm_set1_epi8(0x20)); /* [ and { differ in this bit, so do ] and } */
		int mask = _mm_movemask_epi8(
			_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
				     _mm_or_si128(_mm_cmpeq_epi8(low, _mm_set1_epi8('{')),
						  _mm_cmpeq_epi8(low, _mm_set1_epi8('}')))));
		if (mask)
			return at + (size_t)__builtin_ctz((unsigned)mask);
	}
#endif
	while (at < t.n && t.p[at] != '"' && (t.p[at] | 0x20) != '{' && (t.p[at] | 0x20) != '}')
		at++;
	return at;
}

size_t dm_json_skip_value(struct dm_sv t, size_t at)
{
	size_t depth = 0;

	if (t.p[at] == '"')
		return skip_string(t, at);
	if (t.p[at] != '{' && t.p[at] != '[') {
		while (at < t.n && !memchr(" \t\r\n,]}", t.p[at], 7))
			at++;
		return at;
	}
	for (;;) {
		at = find_structure(t, at);
		if (at >= t.n)
			return t.n + 1;
		if (t.p[at] == '"') {
			at = skip_string(t, at);
			if (at > t.n)
				return at;
			continue;
		}
		if ((t.p[at++] | 0x20) == '{')
			depth++;
		else if (--depth == 0)
			return at;
	}
}

/* Whether the name between the quotes, escapes decoded, is `want`. */
static bool name_is(struct dm_sv name, const char *want)
{
	char tmp[4], *w;
	size_t n = strlen(want), i = 0, used;

	while (name.n) {
		w = tmp;
		if (name.p[0] == '\\') {
			used = dm_json_unescape(name.p + 1, name.n - 1, &w);
			if (!used)
				return false;
			used++;
		} else {
			*w++ = name.p[0];
			used = 1;
		}
		if ((size_t)(w - tmp) > n - i || memcmp(tmp, want + i, (size_t)(w - tmp)) != 0)
			return false;
		i += (size_t)(w - tmp);
		name = dm_sv_from(name, used);
	}
	return i == n;
}

/* Walks the members of the top-level object from a name (or its end) on. DM_OK: stands at the value of the
 * wanted one; DM_ENOENT: at the end of the object. */
static int find_member(struct dm_json_split *s, struct dm_err *err)
{
	struct dm_sv t = s->text, name;
	size_t at = skip_space(t, s->at), end;

	for (bool first = !s->found;; first = false) {
		if (at < t.n && t.p[at] == '}') {
			advance(s, at + 1);
			return DM_ENOENT;
		}
		if (!first) {
			if (at >= t.n || t.p[at] != ',')
				return fault(s, at, err, "expected ',' or '}' in the outer object");
			at = skip_space(t, at + 1);
		}
		if (at >= t.n || t.p[at] != '"')
			return fault(s, at, err, "expected a name in double quotes in the outer object");
		end = skip_string(t, at);
		if (end > t.n)
			return fault(s, at, err, "this string is never closed");
		name = dm_sv(t.p + at + 1, end - at - 2);
		end = skip_space(t, end);
		if (end >= t.n || t.p[end] != ':')
			return fault(s, end, err, "expected ':' after a name");
		end = skip_space(t, end + 1);
		if (end >= t.n || memchr(",:]}", t.p[end], 4))
			return fault(s, end, err, "expected a value");
		if (name_is(name, s->member)) {
			/* A second one would be seen by some readers and not by others. */
			if (s->found)
				return fault(s, at, err,
					     "the member to be read stands twice in the outer object");
			s->found = true;
			advance(s, end);
			return DM_OK;
		}
		at = dm_json_skip_value(t, end);
		if (at > t.n)
			return fault(s, end, err, "the document ends inside this value: it may be cut off");
		at = skip_space(t, at);
	}
}

/* Everything wanted has been given: only white space may follow the document. */
static int finish(struct dm_json_split *s, struct dm_err *err)
{
	size_t at;
	int code;

	if (s->member) {
		code = find_member(s, err);
		if (code != DM_ENOENT)
			return code;
	}
	at = skip_space(s->text, s->at);
	if (at < s->text.n)
		return fault(s, at, err, "something follows the end of the document");
	s->done = true;
	return DM_ENOENT;
}

int dm_json_split_open(struct dm_json_split *s, struct dm_sv text, const char *member, struct dm_err *err)
{
	int code;

	*s = (struct dm_json_split){
		.text = text, .at = dm_json_bom(text), .line = 1, .member = member, .index = UINT64_MAX};
	advance(s, skip_space(text, s->at));
	if (s->at == text.n)
		return fault(s, s->at, err, "the document is empty");
	if (member) {
		if (text.p[s->at] != '{')
			return fault(s, s->at, err, "expected an object");
		s->at++;
		code = find_member(s, err);
		if (code == DM_ENOENT) {
			s->done = true;
			return dm_fail(err, code, "no member \"%s\" in the outer object", member);
		}
		if (code)
			return code;
	}
	if (text.p[s->at] == '[') {
		s->in_array = true;
		s->at++;
	} else if (text.p[s->at] != '{') {
		return fault(s, s->at, err, "expected an array or an object");
	}
	return DM_OK;
}

int dm_json_split_next(struct dm_json_split *s, struct dm_sv *ret_element, uint64_t *ret_line,
		       uint64_t *ret_offset, struct dm_err *err)
{
	struct dm_sv t = s->text;
	bool first = s->index == UINT64_MAX;
	size_t at, end;

	if (s->done)
		return DM_ENOENT;
	if (!s->in_array && !first)
		return finish(s, err);
	at = skip_space(t, s->at);
	if (s->in_array) {
		if (at < t.n && t.p[at] == ']') {
			advance(s, at + 1);
			return finish(s, err);
		}
		if (!first) {
			if (at >= t.n || t.p[at] != ',')
				return fault(s, at, err, "expected ',' or ']' after an element");
			at = skip_space(t, at + 1);
		}
		if (at >= t.n || memchr(",:]}", t.p[at], 4))
			return fault(s, at, err, "expected an element");
	}
	advance(s, at);
	end = dm_json_skip_value(t, at);
	if (end > t.n)
		return fault(s, at, err, "the document ends inside this element: it may be cut off");
	s->index++;
	if (end - at > DM_MAX_ELEMENT) {
		dm_fail(err, DM_ELIMIT, "one element of %zu bytes, more than %u", end - at, DM_MAX_ELEMENT);
		if (err) {
			err->line = s->line;
			err->offset = at;
			err->has_offset = 1;
		}
		advance(s, end);
		return DM_ELIMIT;
	}
	*ret_element = dm_sv(t.p + at, end - at);
	*ret_line = s->line;
	*ret_offset = at;
	advance(s, end);
	return DM_OK;
}
