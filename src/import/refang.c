/* refang.c: the habits of people who write reports, as rules on a line. */
#include <assert.h>
#include "base/limits.h"
#include "import/refang.h"
#include "import/ioc.h"

void dm_refang_init(struct dm_refang *r)
{
	*r = (struct dm_refang){0};
	dm_buf_init(&r->text, DM_MAX_LINE + 16);
}

void dm_refang_done(struct dm_refang *r)
{
	dm_buf_done(&r->text);
	dm_free(r->from);
	dm_free(r->mark);
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (uint8_t)c >= 0x80;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* What one rule makes of the text at its place. */
struct change {
	size_t take;	/* bytes of the original; 0: the rule does not apply */
	const char *to; /* NUL-terminated; at most 8 bytes */
	bool mark;	/* it was defanged (and not, say, an entity of HTML) */
	bool join;	/* blanks around it go too: "evil [dot] com" */
};

/* What stands in brackets for a character. */
static const struct {
	const char *in, *to;
	bool join;
} bracketed[] = {
	{".", ".", true},    {"dot", ".", true}, {"punkt", ".", true},	{"@", "@", true},
	{"at", "@", true},   {":", ":", false},	 {"://", "://", false}, {":/", ":/", false},
	{"//", "//", false}, {"/", "/", false},
};

/* "[.]", "(dot)", "{at}", "[://]", with blanks inside. */
static struct change in_brackets(struct dm_sv s, size_t i)
{
	char close = s.p[i] == '[' ? ']' : s.p[i] == '(' ? ')' : '}';
	char word[8];
	size_t n = 0, k = i + 1;

	for (; k < s.n && k < i + 10 && s.p[k] != close; k++) {
		if (s.p[k] == ' ')
			continue;
		if (n == sizeof(word) - 1)
			return (struct change){0};
		word[n++] = lower(s.p[k]);
	}
	if (k == s.n || s.p[k] != close)
		return (struct change){0};
	for (size_t b = 0; b < sizeof(bracketed) / sizeof(bracketed[0]); b++)
		if (dm_sv_is(dm_sv(word, n), bracketed[b].in))
			return (struct change){k + 1 - i, bracketed[b].to, true, bracketed[b].join};
	return (struct change){0};
}

/* "evil[.com" and "evil.]com": one bracket only. */
static struct change half_bracket(struct dm_sv s, size_t i)
{
	bool between = i > 0 && is_alnum(s.p[i - 1]) && i + 2 < s.n && is_alnum(s.p[i + 2]);

	if (between && ((s.p[i] == '[' && s.p[i + 1] == '.') || (s.p[i] == '.' && s.p[i + 1] == ']')))
		return (struct change){2, ".", true, false};
	return (struct change){0};
}

static const struct {
	const char *in, *to;
} schemes[] = {
	{"hxxp", "http"},   {"hxxps", "https"}, {"h**p", "http"},   {"h**ps", "https"}, {"htxp", "http"},
	{"htxps", "https"}, {"hxtp", "http"},	{"hxtps", "https"}, {"h__p", "http"},	{"h__ps", "https"},
	{"hzzp", "http"},   {"hzzps", "https"}, {"hxxx", "http"},   {"xxxx", "http"},	{"meow", "http"},
	{"meows", "https"}, {"fxp", "ftp"},	{"fxps", "ftps"},   {"f**p", "ftp"},	{"httx", "http"},

};

/* A scheme with letters struck out, or "http[s]", in front of a colon (or what stands for one). */
static struct change scheme(struct dm_sv s, size_t i)
{
	char word[8];
	size_t n = 0, k = i;
	bool secure = false;
	const char *to = NULL;

	if (i > 0 && is_alnum(s.p[i - 1]))
		return (struct change){0};
	while (k < s.n && n < 6 &&
	       ((lower(s.p[k]) >= 'a' && lower(s.p[k]) <= 'z') || s.p[k] == '*' || s.p[k] == '_'))
		word[n++] = lower(s.p[k++]);
	if (k + 3 <= s.n && (s.p[k] == '[' || s.p[k] == '(') && lower(s.p[k + 1]) == 's' &&
	    (s.p[k + 2] == ']' || s.p[k + 2] == ')')) {
		secure = true;
		k += 3;
	}
	if (k >= s.n || !(s.p[k] == ':' || (k + 1 < s.n && memchr("[({", s.p[k], 3) &&
					    (s.p[k + 1] == ':' || s.p[k + 1] == '/'))))
		return (struct change){0};
	for (size_t b = 0; b < sizeof(schemes) / sizeof(schemes[0]) && !to; b++)
		if (dm_sv_is(dm_sv(word, n), schemes[b].in))
			to = schemes[b].to;
	if (secure && (dm_sv_is(dm_sv(word, n), "http") || (to && strcmp(to, "http") == 0)))
		to = "https";
	return to ? (struct change){k - i, to, true, false} : (struct change){0};
}

/* Entities of HTML that stand in tokens, or next to them. */
static struct change entity(struct dm_sv s, size_t i)
{
	static const struct {
		const char *name, *to;
		bool mark;
	} names[] = {
		{"amp", "&", false},  {"lt", "<", false},    {"gt", ">", false},    {"quot", "\"", false},
		{"apos", "'", false}, {"nbsp", " ", false},  {"period", ".", true}, {"colon", ":", true},
		{"sol", "/", true},   {"commat", "@", true}, {"shy", "", false},
	};
	size_t end = i + 1;
	uint64_t code = 0;

	while (end < s.n && end < i + 10 && s.p[end] != ';')
		end++;
	if (end >= s.n || s.p[end] != ';')
		return (struct change){0};
	struct dm_sv name = dm_sv(s.p + i + 1, end - i - 1);
	for (size_t b = 0; b < sizeof(names) / sizeof(names[0]); b++)
		if (dm_sv_is(name, names[b].name))
			return (struct change){end + 1 - i, names[b].to, names[b].mark, false};
	if (name.n < 2 || name.p[0] != '#')
		return (struct change){0};
	if (lower(name.p[1]) == 'x') {
		uint8_t byte;
		if (name.n != 4 || !dm_sv_unhex(dm_sv(name.p + 2, 2), &byte, 1))
			return (struct change){0};
		code = byte;
	} else if (!dm_sv_u64(dm_sv_from(name, 1), &code)) {
		return (struct change){0};
	}
	switch (code) {
	case '.':
		return (struct change){end + 1 - i, ".", true, false};
	case ':':
		return (struct change){end + 1 - i, ":", true, false};
	case '/':
		return (struct change){end + 1 - i, "/", true, false};
	case '@':
		return (struct change){end + 1 - i, "@", true, false};
	case '&':
		return (struct change){end + 1 - i, "&", false, false};
	case '"':
	case '\'':
	case '<':
	case '>':
	case 160:
	case ' ':
		return (struct change){end + 1 - i, " ", false, false};
	default:
		return (struct change){0};
	}
}

/* What is invisible goes, blanks and quotes of typesetters become plain ones: none of it is part of a value.
 */
static struct change typeset(struct dm_sv s, size_t i)
{
	static const struct {
		const char *in, *to;
	} map[] = {
		{"\xe2\x80\x8b", ""},	{"\xe2\x80\x8c", ""},	{"\xe2\x80\x8d", ""},
		{"\xe2\x80\x8e", ""},	{"\xe2\x80\x8f", ""},	{"\xe2\x81\xa0", ""},
		{"\xef\xbb\xbf", ""},	{"\xc2\xad", ""},	{"\xc2\xa0", " "},
		{"\xe2\x80\x98", "'"},	{"\xe2\x80\x99", "'"},	{"\xe2\x80\x9c", "\""},
		{"\xe2\x80\x9d", "\""}, {"\xe2\x80\x9e", "\""}, {"\xc2\xab", "\""},
		{"\xc2\xbb", "\""},	{"\xe2\x80\x93", "-"},	{"\xe2\x80\x94", " - "},
		{"\xe2\x80\xa2", "*"},	{"\xe2\x80\xa3", "*"},	{"\xe2\x97\x8f", "*"},
		{"\xe2\x96\xaa", "*"},	{"\xc2\xb7", "*"},	{"\xe2\x80\xa6", " "},
		{"\xe3\x80\x80", " "},	{"\xe3\x80\x81", ","},	{"\xef\xbc\x8c", ","},
		{"\xef\xbc\x9a", ":"},	{"\xe2\x80\xaf", " "},	{"\xe2\x86\x92", " "},
	};
	for (size_t b = 0; b < sizeof(map) / sizeof(map[0]); b++) {
		size_t n = strlen(map[b].in);
		if (s.n - i >= n && memcmp(s.p + i, map[b].in, n) == 0)
			return (struct change){n, map[b].to, false, false};
	}
	return (struct change){0};
}

/* "evil\.com", as in a regular expression, and "https:\/\/", as in JSON. Paths and registry keys keep their
 * backslashes. */
static struct change backslash(struct dm_sv s, size_t i)
{
	size_t start = i;

	if (i + 1 >= s.n)
		return (struct change){0};
	if (s.p[i + 1] == '/')
		return (struct change){2, "/", false, false};
	if (s.p[i + 1] != '.' || i == 0 || !is_alnum(s.p[i - 1]) || i + 2 >= s.n || !is_alnum(s.p[i + 2]))
		return (struct change){0};
	while (start > 0 && i - start < DM_MAX_DOMAIN && (uint8_t)s.p[start - 1] > ' ')
		start--;
	for (size_t k = start; k < i; k++)
		if (s.p[k] == '\\' && s.p[k + 1] != '.')
			return (struct change){0};
	if (i - start >= 2 && lower(s.p[start]) == 'h' && lower(s.p[start + 1]) == 'k')
		return (struct change){0};
	return (struct change){2, ".", true, false};
}

/* "evil dot com": only in front of a well-known top-level domain, for "the dot product" is prose. */
static struct change spelt_dot(struct dm_sv s, size_t i)
{
	size_t end = i + 5;

	if (i == 0 || !is_alnum(s.p[i - 1]) || s.n - i < 7 || lower(s.p[i + 1]) != 'd' ||
	    lower(s.p[i + 2]) != 'o' || lower(s.p[i + 3]) != 't' || s.p[i + 4] != ' ')
		return (struct change){0};
	while (end < s.n && is_alnum(s.p[end]))
		end++;
	if (end - i - 5 < 3 || !dm_ioc_known_tld(dm_sv(s.p + i + 5, end - i - 5)))
		return (struct change){0};
	return (struct change){5, ".", true, false};
}

static struct change change_at(struct dm_sv s, size_t i)
{
	struct change c = {0};

	switch (s.p[i]) {
	case '[':
	case '(':
	case '{':
		c = in_brackets(s, i);
		return c.take || s.p[i] != '[' ? c : half_bracket(s, i);
	case '.':
		return half_bracket(s, i);
	case '&':
		return entity(s, i);
	case '\\':
		return backslash(s, i);
	case ' ':
		return spelt_dot(s, i);
	case 'h':
	case 'H':
	case 'f':
	case 'F':
	case 'x':
	case 'X':
	case 'm':
	case 'M':
		return scheme(s, i);
	default:
		return (uint8_t)s.p[i] >= 0x80 ? typeset(s, i) : c;
	}
}

int dm_refang_line(struct dm_refang *r, struct dm_sv s)
{
	struct dm_buf *o = &r->text;
	int rc;

	dm_buf_clear(o);
	r->any = false;
	if (!dm_buf_room(o, s.n + 8))
		return o->err;
	/* No rule makes more bytes than it takes. */
	rc = dm_grow((void **)&r->from, &r->from_cap, s.n + 1, sizeof(*r->from));
	if (rc == 0)
		rc = dm_grow((void **)&r->mark, &r->mark_cap, s.n + 1, 1);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < s.n;) {
		struct change c = change_at(s, i);
		size_t start = i, n;

		if (!c.take) {
			r->from[o->n] = (uint32_t)i;
			r->mark[o->n] = 0;
			dm_buf_putc(o, s.p[i++]);
			continue;
		}
		i += c.take;
		if (c.join) {
			bool before = o->n > 1 && o->p[o->n - 1] == ' ';
			bool after = i + 1 < s.n && s.p[i] == ' ';

			if (o->n > before && is_alnum(o->p[o->n - 1 - before]) && i + after < s.n &&
			    is_alnum(s.p[i + after])) {
				if (before)
					start = r->from[--o->n];
				i += after;
			}
		}
		n = strlen(c.to);
		assert(n <= c.take);
		for (size_t k = 0; k < n; k++) {
			r->from[o->n + k] = (uint32_t)start;
			r->mark[o->n + k] = c.mark;
		}
		dm_buf_put(o, c.to, n);
		r->any |= c.mark;
		if (o->err)
			return o->err;
	}
	r->from[o->n] = (uint32_t)s.n;
	return o->err;
}
