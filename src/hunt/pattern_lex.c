/* The tokens of STIX patterns, as the lexer rules of the published STIXPattern.g4 (STIX 2.1) have them. */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "hunt/pattern_tree.h"

int dm_pattern_bad(struct dm_err *err, size_t at, const char *fmt, ...)
{
	char msg[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	dm_fail(err, DM_EFORMAT, "%s", msg);
	if (err) {
		err->offset = at;
		err->has_offset = 1;
	}
	return DM_EFORMAT;
}

/* White space of the grammar beyond ASCII: U+0085, 00A0, 1680, 2000-200A, 2028, 2029, 202F, 205F, 3000. The
 * text is valid UTF-8. */
static size_t wide_space(struct dm_sv s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (s.n >= 2 && p[0] == 0xc2 && (p[1] == 0x85 || p[1] == 0xa0))
		return 2;
	if (s.n < 3)
		return 0;
	if (p[0] == 0xe1 && p[1] == 0x9a && p[2] == 0x80)
		return 3;
	if (p[0] == 0xe2 && p[1] == 0x80 &&
	    ((p[2] >= 0x80 && p[2] <= 0x8a) || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf))
		return 3;
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0x9f)
		return 3;
	return p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80 ? 3 : 0;
}

static int skip_space(struct dm_lexer *lx, struct dm_err *err)
{
	while (lx->at < lx->text.n) {
		struct dm_sv rest = dm_sv_from(lx->text, lx->at);
		size_t n;

		if (memchr(" \t\r\n\v\f", rest.p[0], 6)) {
			lx->at++;
		} else if (dm_sv_starts(rest, DM_SV("/*"))) {
			const char *end = memmem(rest.p + 2, rest.n - 2, "*/", 2);

			if (!end)
				return dm_pattern_bad(err, lx->at,
						      "the comment that starts here with /* has no */");
			lx->at += (size_t)(end + 2 - rest.p);
		} else if (dm_sv_starts(rest, DM_SV("//"))) {
			for (n = 2; n < rest.n && rest.p[n] != '\r' && rest.p[n] != '\n'; n++)
				;
			lx->at += n;
		} else if ((n = wide_space(rest))) {
			lx->at += n;
		} else {
			return 0;
		}
	}
	return 0;
}

static bool name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct {
	const char *word;
	enum dm_token_type type;
} keywords[] = {
	{"AND", DM_TOK_AND},
	{"OR", DM_TOK_OR},
	{"NOT", DM_TOK_NOT},
	{"FOLLOWEDBY", DM_TOK_FOLLOWEDBY},
	{"LIKE", DM_TOK_LIKE},
	{"MATCHES", DM_TOK_MATCHES},
	{"ISSUPERSET", DM_TOK_ISSUPERSET},
	{"ISSUBSET", DM_TOK_ISSUBSET},
	{"EXISTS", DM_TOK_EXISTS},
	{"LAST", DM_TOK_LAST},
	{"IN", DM_TOK_IN},
	{"START", DM_TOK_START},
	{"STOP", DM_TOK_STOP},
	{"SECONDS", DM_TOK_SECONDS},
	{"true", DM_TOK_TRUE},
	{"false", DM_TOK_FALSE},
	{"WITHIN", DM_TOK_WITHIN},
	{"REPEATS", DM_TOK_REPEATS},
	{"TIMES", DM_TOK_TIMES},
};

static void lex_word(struct dm_lexer *lx, struct dm_token *t)
{
	struct dm_sv s = dm_sv_from(lx->text, lx->at);
	bool hyphen = false;
	size_t n = 1;

	for (; n < s.n && (name_start(s.p[n]) || is_digit(s.p[n]) || s.p[n] == '-'); n++)
		hyphen |= s.p[n] == '-';
	t->text = dm_sv(s.p, n);
	t->type = hyphen ? DM_TOK_HYPHEN : DM_TOK_NAME;
	for (size_t i = 0; !hyphen && i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (dm_sv_is(t->text, keywords[i].word))
			t->type = keywords[i].type;
	}
	lx->at += n;
}

/* Sign, digits without leading zero, or a fraction with at least one digit behind the point: no exponent. */
static bool lex_number(struct dm_lexer *lx, struct dm_token *t)
{
	struct dm_sv s = dm_sv_from(lx->text, lx->at);
	size_t sign = s.p[0] == '+' || s.p[0] == '-', n = sign, digits, frac;

	while (n < s.n && is_digit(s.p[n]))
		n++;
	digits = n - sign;
	if (n + 1 < s.n && s.p[n] == '.' && is_digit(s.p[n + 1])) {
		for (frac = n + 1; frac < s.n && is_digit(s.p[frac]); frac++)
			;
		t->type = DM_TOK_FLOAT;
		n = frac;
	} else if (digits) {
		t->type = DM_TOK_INT;
		if (s.p[sign] == '0')
			n = sign + 1;
	} else {
		return false;
	}
	t->text = dm_sv(s.p, n);
	lx->at += n;
	return true;
}

/* 'text' with \' and \\ as the only escapes. The text keeps its escapes. */
static int lex_string(struct dm_lexer *lx, struct dm_token *t, struct dm_err *err)
{
	struct dm_sv s = dm_sv_from(lx->text, lx->at);
	size_t n = 1;

	for (; n < s.n && s.p[n] != '\''; n++) {
		if (s.p[n] != '\\')
			continue;
		if (n + 1 < s.n && s.p[n + 1] != '\'' && s.p[n + 1] != '\\') {
			dm_pattern_bad(err, lx->at + n,
				       "a backslash in a string must be followed by ' or \\");
			dm_err_remedy(err, "write \\\\ for one backslash");
			return DM_EFORMAT;
		}
		n++;
	}
	if (n >= s.n)
		return dm_pattern_bad(err, lx->at, "the string that starts here has no closing '");
	t->type = DM_TOK_STRING;
	t->text = dm_sv(s.p + 1, n - 1);
	lx->at += n + 1;
	return 0;
}

static bool hex_digits(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
			return false;
	}
	return s.n % 2 == 0;
}

/* h'..', b'..', t'..': what is inside is checked here for its form, later for its sense. */
static int lex_prefixed(struct dm_lexer *lx, struct dm_token *t, struct dm_err *err)
{
	struct dm_sv s = dm_sv_from(lx->text, lx->at);
	char kind = s.p[0];
	size_t end = dm_sv_find(dm_sv_from(s, 2), '\'');

	if (end == SIZE_MAX)
		return dm_pattern_bad(err, lx->at, "the constant that starts here with %c' has no closing '",
				      kind);
	t->text = dm_sv(s.p + 2, end);
	if (kind == 'h') {
		t->type = DM_TOK_HEX;
		if (!hex_digits(t->text))
			return dm_pattern_bad(err, lx->at,
					      "h'..' needs an even number of hexadecimal digits");
	} else {
		t->type = kind == 'b' ? DM_TOK_BINARY : DM_TOK_TIME;
	}
	lx->at += end + 3;
	return 0;
}

static bool lex_mark(struct dm_lexer *lx, struct dm_token *t)
{
	/* The longer ones first: the longest match wins. */
	static const struct {
		const char *mark;
		enum dm_token_type type;
	} marks[] = {
		{"==", DM_TOK_EQ},    {"=", DM_TOK_EQ},	    {"!=", DM_TOK_NEQ},	  {"<>", DM_TOK_NEQ},
		{"<=", DM_TOK_LE},    {"<", DM_TOK_LT},	    {">=", DM_TOK_GE},	  {">", DM_TOK_GT},
		{":", DM_TOK_COLON},  {".", DM_TOK_DOT},    {",", DM_TOK_COMMA},  {")", DM_TOK_RPAREN},
		{"(", DM_TOK_LPAREN}, {"]", DM_TOK_RBRACK}, {"[", DM_TOK_LBRACK}, {"*", DM_TOK_STAR},
	};
	struct dm_sv rest = dm_sv_from(lx->text, lx->at);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (dm_sv_starts(rest, dm_sv_str(marks[i].mark))) {
			t->type = marks[i].type;
			t->text = dm_sv(rest.p, strlen(marks[i].mark));
			lx->at += t->text.n;
			return true;
		}
	}
	return false;
}

static int stray(const struct dm_lexer *lx, struct dm_err *err)
{
	struct dm_sv rest = dm_sv_from(lx->text, lx->at);
	unsigned char c = (unsigned char)rest.p[0];
	int rc;

	if (c == '"') {
		rc = dm_pattern_bad(err, lx->at, "a double quote has no meaning in a STIX pattern");
		dm_err_remedy(err, "put strings and property names into single quotes");
		return rc;
	}
	if (c > 0x20 && c < 0x7f)
		return dm_pattern_bad(err, lx->at, "the character %c has no meaning here", c);
	return dm_pattern_bad(err, lx->at,
			      "a character (first byte 0x%02x) that has no meaning outside a string", c);
}

int dm_pattern_lex(struct dm_lexer *lx, struct dm_token *ret, struct dm_err *err)
{
	struct dm_token t = {.type = DM_TOK_END};
	int rc = skip_space(lx, err);
	char c;

	if (rc)
		return rc;
	t.at = lx->at;
	if (lx->at == lx->text.n) {
		t.text = dm_sv_from(lx->text, lx->at);
		*ret = t;
		return 0;
	}
	c = lx->text.p[lx->at];
	if ((c == 'h' || c == 'b' || c == 't') && lx->at + 1 < lx->text.n && lx->text.p[lx->at + 1] == '\'')
		rc = lex_prefixed(lx, &t, err);
	else if (name_start(c))
		lex_word(lx, &t);
	else if (c == '\'')
		rc = lex_string(lx, &t, err);
	else if ((is_digit(c) || c == '+' || c == '-' || c == '.') && lex_number(lx, &t))
		rc = 0;
	else if (!lex_mark(lx, &t))
		rc = stray(lx, err);
	if (!rc)
		*ret = t;
	return rc;
}
