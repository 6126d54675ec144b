/* text_token.c: where tokens begin and end, and what the words around them say. */
#include "base/limits.h"
#include "import/text_token.h"

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (uint8_t)c >= 0x80;
}

static bool is_blank(char c)
{
	return (uint8_t)c <= ' ' || c == 0x7f;
}

/* What ends a URL (RFC 3986 has none of these): 1. What ends any other token: 2. */
static const uint8_t ends[256] = {
	[0 ... ' '] = 3, [0x7f] = 3, ['"'] = 3,	 ['<'] = 3, ['>'] = 3, ['`'] = 3, ['|'] = 3,
	['^'] = 3,	 ['{'] = 3,  ['}'] = 3,	 [','] = 2, [';'] = 2, ['('] = 2, [')'] = 2,
	['['] = 2,	 [']'] = 2,  ['\''] = 2, ['!'] = 2, ['='] = 2, ['*'] = 2,
};

static bool ends_url(char c)
{
	return ends[(uint8_t)c] & 1;
}

static bool ends_token(char c)
{
	return ends[(uint8_t)c];
}

static bool starts_token(struct dm_sv s, size_t i)
{
	char next = i + 1 < s.n ? s.p[i + 1] : ' ';

	switch (s.p[i]) {
	case '.':
	case '_':
	case '\\':
	case ':':
		return is_alnum(next) || next == s.p[i];
	case '*':
		return next == '.';
	default:
		return is_alnum(s.p[i]);
	}
}

/* Whether a URL begins with the scheme that ends in front of the "://" at `colon`; *start is set to its
 * beginning. */
static bool scheme_before(struct dm_sv s, size_t from, size_t colon, size_t *start)
{
	size_t i = colon;

	if (s.n - colon < 4 || memcmp(s.p + colon, "://", 3) != 0 || is_blank(s.p[colon + 3]))
		return false;
	while (i > from && (((s.p[i - 1] | 0x20) >= 'a' && (s.p[i - 1] | 0x20) <= 'z') ||
			    (s.p[i - 1] >= '0' && s.p[i - 1] <= '9') || s.p[i - 1] == '+'))
		i--;
	*start = i;
	return colon - i >= 2;
}

/* End of the URL that begins at `start`: a bracket that was opened before it closes it, and so does a comma
 * in front of another URL. */
static size_t url_end(struct dm_sv s, size_t start, size_t body)
{
	int round = 0, square = 0;
	size_t i = body;

	for (; i < s.n && !ends_url(s.p[i]); i++) {
		if (s.p[i] == '(')
			round++;
		else if (s.p[i] == ')' && round-- == 0)
			break;
		else if (s.p[i] == '[')
			square++;
		else if (s.p[i] == ']' && square-- == 0)
			break;
		else if ((s.p[i] == ',' || s.p[i] == ';') && s.n - i > 5 &&
			 (memcmp(s.p + i + 1, "http", 4) == 0 || memcmp(s.p + i + 1, "ftp:", 4) == 0))
			break;
		else if (s.p[i] == '\'' && start > 0 && s.p[start - 1] == '\'')
			break;
	}
	return i;
}

/* "[2001:db8::1]" with or without a port behind it; 0 if no such thing begins here. */
static size_t bracketed_v6(struct dm_sv s, size_t i)
{
	size_t close = i + 1;
	struct dm_ip ip;

	while (close < s.n && close < i + 50 && s.p[close] != ']')
		close++;
	if (close >= s.n || s.p[close] != ']' || !dm_ip_parse(dm_sv(s.p + i + 1, close - i - 1), &ip) ||
	    dm_ip_is4(&ip))
		return 0;
	close++;
	if (close < s.n && s.p[close] == ':') {
		size_t end = close + 1;
		while (end < s.n && s.p[end] >= '0' && s.p[end] <= '9')
			end++;
		if (end > close + 1)
			close = end;
	}
	return close;
}

bool dm_text_token_next(struct dm_sv s, size_t *at, struct dm_sv *ret)
{
	size_t i = *at, start, url;
	bool dotted = false, path = false;

	for (; i < s.n && !starts_token(s, i); i++) {
		size_t end = s.p[i] == '[' ? bracketed_v6(s, i) : 0;

		/* "/gate/a.php?x=b.cab": a path on its own names no host. */
		if (s.p[i] == '/' && i + 1 < s.n && (is_alnum(s.p[i + 1]) || s.p[i + 1] == '.'))
			while (i + 1 < s.n && !ends_url(s.p[i + 1]))
				i++;
		if (end) {
			*ret = dm_sv(s.p + i, end - i);
			*at = end;
			return true;
		}
	}
	if (i >= s.n)
		return false;
	for (start = i; i < s.n; i++) {
		char c = s.p[i];

		if (c == ':' && scheme_before(s, start, i, &url)) {
			start = url;
			i = url_end(s, start, i + 3);
			break;
		}
		/* Behind a slash a host without a scheme goes on like a URL, up to a comma. */
		if (path ? ends_url(c) || c == ',' || c == ';' : ends_token(c) && !(c == '*' && i == start))
			break;
		dotted |= c == '.';
		path |= c == '/' && dotted;
	}
	*ret = dm_sv(s.p + start, i - start);
	*at = i;
	return true;
}

static struct dm_sv ascii_run(struct dm_sv s)
{
	struct dm_sv best = dm_sv(s.p, 0);

	for (size_t i = 0; i < s.n;) {
		size_t start = i;

		while (i < s.n && (uint8_t)s.p[i] < 0x80)
			i++;
		if (i - start > best.n)
			best = dm_sv(s.p + start, i - start);
		while (i < s.n && (uint8_t)s.p[i] >= 0x80)
			i++;
	}
	return best;
}

/* Whether the last label mixes ASCII letters with others: no top-level domain does, so text without blanks is
 * glued to it. */
static bool glued(struct dm_sv s)
{
	bool ascii = false, other = false;

	for (size_t i = s.n; i-- > 0 && s.p[i] != '.';) {
		ascii |= (uint8_t)s.p[i] < 0x80;
		other |= (uint8_t)s.p[i] >= 0x80;
	}
	return ascii && other;
}

/* `names`: how many "name:" may stand in front; more is no report. */
static enum dm_ioc_verdict read_named(struct dm_sv token, enum dm_obs_type hint, int names,
				      struct dm_ioc *ret)
{
	enum dm_ioc_verdict v;
	size_t colon;

	if (glued(token) && !memchr(token.p, '/', token.n))
		token = ascii_run(token);
	v = dm_ioc_read(token, ret);

	if (v != DM_IOC_NONE) {
		/* A hint tells digests of one length apart, nothing else. */
		if (v == DM_IOC_FOUND && ret->type >= DM_OBS_MD5 && ret->type <= DM_OBS_SHA512 &&
		    (hint == DM_OBS_X509_SHA1 ||
		     ((hint == DM_OBS_JA3 || hint == DM_OBS_JA3S) && ret->type == DM_OBS_MD5)))
			ret->type = hint;
		return v;
	}
	colon = dm_sv_find(token, ':');
	if (names && colon != SIZE_MAX && colon > 0 && colon + 2 < token.n && !memchr(token.p, '.', colon)) {
		enum dm_obs_type named = dm_obs_from_name(dm_sv(token.p, colon));

		return read_named(dm_sv_from(token, colon + 1), named != DM_OBS_NONE ? named : hint,
				  names - 1, ret);
	}
	if (token.n > 4 && token.p[0] == '\\' && token.p[1] == '\\') {
		struct dm_sv host = dm_sv_from(token, 2);
		size_t end = 0;

		/* WebDAV writes the port as "\\host@8080\share". */
		while (end < host.n && host.p[end] != '\\' && host.p[end] != '@')
			end++;
		return dm_ioc_read(dm_sv(host.p, end), ret);
	}
	return DM_IOC_NONE;
}

enum dm_ioc_verdict dm_text_token_read(struct dm_sv token, enum dm_obs_type hint, struct dm_ioc *ret)
{
	/* Nothing that can be hunted is longer, and some readers look at every byte more than once. */
	return token.n > DM_MAX_URL ? DM_IOC_NONE : read_named(token, hint, 2, ret);
}

/* Whether `word` stands in `s` as a whole word, ASCII case ignored. */
static bool has_word(struct dm_sv s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++)
		if (dm_sv_ieq(dm_sv(s.p + i, n), dm_sv(word, n)) && (i == 0 || !is_alnum(s.p[i - 1])) &&
		    (i + n == s.n || !is_alnum(s.p[i + n])))
			return true;
	return false;
}

enum dm_obs_type dm_text_digest_hint(struct dm_sv before, bool *ret_other)
{
	static const struct {
		const char *word;
		enum dm_obs_type t;
		bool other;
	} words[] = {
		{"ja3s", DM_OBS_JA3S, false},
		{"ja3", DM_OBS_JA3, false},
		{"thumbprint", DM_OBS_X509_SHA1, false},
		{"certificate", DM_OBS_X509_SHA1, false},
		{"x509", DM_OBS_X509_SHA1, false},
		{"imphash", DM_OBS_NONE, true},
		{"authentihash", DM_OBS_NONE, true},
		{"commit", DM_OBS_NONE, true},
		{"vhash", DM_OBS_NONE, true},
		{"richhash", DM_OBS_NONE, true},
		{"telfhash", DM_OBS_NONE, true},
		{"hassh", DM_OBS_NONE, true},
	};

	/* The words right in front count, not those at the start of a long sentence. */
	if (before.n > 40)
		before = dm_sv_from(before, before.n - 40);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!has_word(before, words[i].word))
			continue;
		*ret_other |= words[i].other;
		return words[i].t;
	}
	return DM_OBS_NONE;
}

bool dm_text_version_before(struct dm_sv before)
{
	static const char *const words[] = {"version", "versions", "ver",      "v",   "build",
					    "builds",  "release",  "firmware", "rev", "revision"};

	if (before.n > 60)
		before = dm_sv_from(before, before.n - 60);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has_word(before, words[i]))
			return true;
	return false;
}

bool dm_text_mail_header(struct dm_sv line)
{
	static const char *const names[] = {"received:",
					    "message-id:",
					    "dkim-signature:",
					    "arc-",
					    "authentication-results:",
					    "return-path:",
					    "delivered-to:",
					    "x-",
					    "content-",
					    "mime-version:",
					    "received-spf:",
					    "references:",
					    "in-reply-to:",
					    "list-",
					    "domainkey-signature:",
					    "thread-",
					    "feedback-id:"};

	size_t colon = dm_sv_find(line, ':');

	if (colon == SIZE_MAX || memchr(line.p, ' ', colon))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dm_sv name = dm_sv_str(names[i]);

		if (line.n > name.n && dm_sv_ieq(dm_sv(line.p, name.n), name))
			return true;
	}
	return false;
}

bool dm_text_is_word(struct dm_sv token)
{
	for (size_t i = 0; i < token.n; i++)
		if (is_alnum(token.p[i]) && !(token.p[i] >= '0' && token.p[i] <= '9'))
			return true;
	return false;
}
