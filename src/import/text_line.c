/* text_line.c: which tokens of a line are indicators.
 *
 * A value that stands alone, in its line or in its cell of a table, is one. Between words it depends: digests
 * and what is defanged always are; names and URLs that are not defanged are references where the document
 * defangs others, and indicators where it defangs nothing. That is known only at the end, so they are held
 * until then.
 */
#include "base/limits.h"
#include "import/intel_text.h"
#include "import/text_token.h"
#include "model/guess.h"

/* One cell of a line, and what is known of it. */
struct cell {
	struct dm_sv text; /* in the refanged line */
	struct dm_sv label;
	bool alone;   /* no word but its values */
	bool comment; /* a remark or heading: only what is defanged counts */
	bool header;  /* of a mail */
};

int dm_text_init(struct dm_text *t, struct dm_sink *sink)
{
	*t = (struct dm_text){.held_text = {.max = 16u << 20}};
	dm_intel_init(&t->intel, sink);
	dm_refang_init(&t->refang);
	dm_buf_init(&t->url, DM_MAX_LINE + 16);
	return 0;
}

void dm_text_done(struct dm_text *t)
{
	dm_intel_done(&t->intel);
	dm_refang_done(&t->refang);
	dm_buf_done(&t->url);
	dm_free(t->held);
	dm_arena_done(&t->held_text);
}

static int emit(struct dm_text *t, enum dm_obs_type type, struct dm_sv text, struct dm_sv original,
		struct dm_sv label, uint64_t line)
{
	struct dm_indicator ind = {.original = dm_sv_eq(text, original) ? dm_sv(NULL, 0) : original,
				   .label = label,
				   .valid_from = DM_NO_TIME,
				   .valid_until = DM_NO_TIME,
				   .line = line,
				   .confidence = 255};

	return dm_intel_emit(&t->intel, &ind, type, text);
}

int dm_text_finish(struct dm_text *t)
{
	int rc = 0;

	for (size_t i = 0; i < t->n_held && rc == 0; i++) {
		const struct dm_text_held *h = &t->held[i];

		if (t->defanged)
			rc = dm_intel_skip(&t->intel, h->line, "not defanged, read as a reference", h->text);
		else
			rc = emit(t, h->type, h->text, h->original, h->label, h->line);
	}
	t->n_held = 0;
	dm_arena_reset(&t->held_text);
	return rc;
}

/* A plain name or URL between words. */
static int hold(struct dm_text *t, enum dm_obs_type type, struct dm_sv text, struct dm_sv original,
		struct dm_sv label)
{
	struct dm_text_held h = {.type = type, .line = t->line};

	if (t->defanged)
		return dm_intel_skip(&t->intel, t->line, "not defanged, read as a reference", text);
	if (t->undefanged)
		return emit(t, type, text, original, label, t->line);
	if (dm_grow((void **)&t->held, &t->cap_held, t->n_held + 1, sizeof(*t->held)) != 0)
		return DM_ENOMEM;
	h.text = dm_arena_copy(&t->held_text, text);
	h.original = dm_arena_copy(&t->held_text, original);
	h.label = dm_arena_copy(&t->held_text, label);
	if (t->n_held < DM_MAX_HELD && h.text.p && h.original.p && h.label.p) {
		t->held[t->n_held++] = h;
		return 0;
	}
	t->undefanged = true;
	int rc = dm_text_finish(t);
	return rc ? rc : emit(t, type, text, original, label, t->line);
}

/* Whether any byte of [at, at + n) of the refanged line stood defanged. */
static bool marked(const struct dm_text *t, size_t at, size_t n)
{
	return t->refang.any && memchr(t->refang.mark + at, 1, n) != NULL;
}

/* Why a plain name in running prose is rather something else; NULL if it reads like a name. */
static const char *doubt(enum dm_obs_type type, struct dm_sv text)
{
	const char *dot, *at;

	if (type != DM_OBS_DOMAIN && type != DM_OBS_EMAIL)
		return NULL;
	at = memrchr(text.p, '@', text.n);
	if (at)
		text = dm_sv_from(text, (size_t)(at - text.p) + 1);
	else if (dm_guess_may_be_file_name(text))
		return "may be a file name; defang it or put it on a line of its own";
	dot = memrchr(text.p, '.', text.n);
	/* "end.Next": a blank forgotten behind a full stop. */
	if (!dot || !dm_ioc_known_tld(dm_sv_from(text, (size_t)(dot - text.p) + 1)) ||
	    (dot > text.p && dot[1] >= 'A' && dot[1] <= 'Z' && dot[-1] >= 'a' && dot[-1] <= 'z'))
		return "not sure to be a domain; defang it or put it on a line of its own";
	return NULL;
}

/* A value found at `token` of the refanged line. */
static int take(struct dm_text *t, struct dm_sv line, const struct cell *c, struct dm_sv token,
		const struct dm_ioc *ioc)
{
	struct dm_sv text = ioc->text, before = dm_sv(t->refang.text.p, (size_t)(token.p - t->refang.text.p));
	size_t at = (size_t)(text.p - t->refang.text.p);
	struct dm_sv original =
		dm_sv(line.p + t->refang.from[at], t->refang.from[at + text.n] - t->refang.from[at]);
	bool defanged = marked(t, at, text.n);
	bool digest = ioc->type >= DM_OBS_MD5 && ioc->type <= DM_OBS_TLSH, other = false;
	enum dm_obs_type type = ioc->type;
	const char *why;

	if (ioc->add_scheme) {
		dm_buf_clear(&t->url);
		dm_buf_str(&t->url, "http://");
		dm_buf_sv(&t->url, text);
		if (t->url.err)
			return t->url.err == DM_ENOMEM
				       ? DM_ENOMEM
				       : dm_intel_skip(&t->intel, t->line, "value is too long", text);
		text = dm_buf_view(&t->url);
	}
	if (defanged && !t->defanged)
		t->defanged = true;
	if (digest && !c->comment) {
		dm_text_digest_hint(before, &other);
		if (other)
			return dm_intel_skip(&t->intel, t->line, "a digest that is not of a file", text);
	}
	if (defanged || (c->alone && !c->comment) || (digest && !c->comment))
		return emit(t, type, text, original, c->label, t->line);
	if (c->comment)
		return 0;
	if (c->header)
		return dm_intel_skip(&t->intel, t->line, "field of a mail header, not defanged", text);
	if (type == DM_OBS_IPV4 && ioc->form == DM_IND_VALUE && dm_text_version_before(before))
		return dm_intel_skip(&t->intel, t->line,
				     "may be a version number; defang it or put it on a line of its own",
				     text);
	if (type == DM_OBS_AS)
		return 0;
	/* "std::bad": words of programs can spell an IPv6 address, but none in use. */
	struct dm_ip ip;
	if (type == DM_OBS_IPV6 && dm_ip_parse(text, &ip) && dm_ip_reserved(&ip))
		return 0;
	why = doubt(type, text);
	if (why)
		return dm_intel_skip(&t->intel, t->line, why, text);
	if (type == DM_OBS_DOMAIN || type == DM_OBS_URL || type == DM_OBS_EMAIL)
		return hold(t, type, text, original, c->label);
	return emit(t, type, text, original, c->label, t->line);
}

static enum dm_ioc_verdict read_token(const struct dm_text *t, struct dm_sv token, struct dm_ioc *ret)
{
	struct dm_sv before = dm_sv(t->refang.text.p, (size_t)(token.p - t->refang.text.p));
	bool other = false;
	enum dm_obs_type hint = token.n >= 32 ? dm_text_digest_hint(before, &other) : DM_OBS_NONE;

	if (token.n >= 32 && hint == DM_OBS_NONE && !other)
		hint = dm_text_digest_hint(dm_sv(t->heading, t->heading_n), &other);
	return dm_text_token_read(token, hint, ret);
}

/* Words and values of a cell. */
static void count(const struct dm_text *t, struct dm_sv cell, size_t *ret_words, size_t *ret_values)
{
	struct dm_sv token;
	struct dm_ioc ioc;
	size_t at = 0;

	*ret_words = *ret_values = 0;
	while (dm_text_token_next(cell, &at, &token)) {
		if (read_token(t, token, &ioc) == DM_IOC_FOUND)
			++*ret_values;
		else if (dm_text_is_word(token))
			++*ret_words;
	}
}

static int take_cell(struct dm_text *t, struct dm_sv line, struct cell *c)
{
	struct dm_sv token;
	struct dm_ioc ioc;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && dm_text_token_next(c->text, &at, &token)) {
		enum dm_ioc_verdict v = read_token(t, token, &ioc);

		if (v == DM_IOC_FOUND)
			rc = take(t, line, c, token, &ioc);
		else if (v == DM_IOC_FILE && c->alone && !c->comment)
			rc = dm_intel_skip(&t->intel, t->line, "reads like a file name", token);
	}
	return rc;
}

/* Cuts the next cell off: at a TAB, a bar, or a dash or remark sign between blanks. */
static struct dm_sv next_cell(struct dm_sv *rest)
{
	static const char *const between[] = {" - ", " # ", " // ", " ; ", " -- ", " => ", " -> ", "\t#"};
	struct dm_sv s = *rest;

	for (size_t i = 0; i < s.n; i++) {
		size_t n = s.p[i] == '\t' || s.p[i] == '|' ? 1 : 0;

		if ((uint8_t)s.p[i] > ' ' && !n)
			continue;
		for (size_t b = 0; b < sizeof(between) / sizeof(between[0]) && s.p[i] != '|'; b++) {
			size_t len = strlen(between[b]);
			if (s.n - i >= len && memcmp(s.p + i, between[b], len) == 0)
				n = len;
		}
		if (n) {
			*rest = dm_sv_from(s, i + n);
			return dm_sv(s.p, i);
		}
	}
	*rest = dm_sv(NULL, 0);
	return s;
}

/* Without the sign of a list item or quotation in front. */
static struct dm_sv without_bullet(struct dm_sv s)
{
	size_t i = 0;

	while (s.n > 1 &&
	       (s.p[0] == '>' || ((s.p[0] == '-' || s.p[0] == '*' || s.p[0] == '+') && s.p[1] == ' ')))
		s = dm_sv_trim(dm_sv_from(s, 1));
	while (i < s.n && i < 4 && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (i && i + 1 < s.n && (s.p[i] == '.' || s.p[i] == ')') && s.p[i + 1] == ' ')
		s = dm_sv_trim(dm_sv_from(s, i + 1));
	if (s.n > 4 && s.p[0] == '[' && s.p[2] == ']' && s.p[3] == ' ')
		s = dm_sv_trim(dm_sv_from(s, 3));
	return s;
}

static void set_heading(struct dm_text *t, struct dm_sv s)
{
	while (s.n && memchr("#*=: \t_", s.p[0], 7))
		s = dm_sv_from(s, 1);
	while (s.n && memchr("#*=: \t_", s.p[s.n - 1], 7))
		s.n--;
	if (s.n > sizeof(t->heading))
		s.n = sizeof(t->heading);
	while (s.n && s.n == sizeof(t->heading) && ((uint8_t)s.p[s.n - 1] & 0xc0) == 0x80)
		s.n--;
	if (s.n)
		memcpy(t->heading, s.p, s.n);
	t->heading_n = s.n;
}

/* "# IP Address", "C2 SERVERS", "Hostnames:". */
static bool is_heading(struct dm_sv s, unsigned hashes)
{
	bool letter = false;

	if (hashes)
		return true;
	if (s.n == 0 || s.n > DM_TEXT_HEADING)
		return false;
	if (s.p[s.n - 1] == ':')
		return true;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			return false;
		letter |= s.p[i] >= 'A' && s.p[i] <= 'Z';
	}
	return letter;
}

/* '#' in front of a line if a blank follows them, as in Markdown; 0 else. */
static unsigned heading_level(struct dm_sv s)
{
	unsigned n = 0;

	while (n < s.n && n < 7 && s.p[n] == '#')
		n++;
	return n && n < 7 && (n == s.n || s.p[n] == ' ' || s.p[n] == '\t') ? n : 0;
}

/* Text of the original line from a place of the refanged one on. */
static struct dm_sv original_from(const struct dm_text *t, struct dm_sv line, const char *p)
{
	size_t at = (size_t)(p - t->refang.text.p);

	return dm_sv_trim(dm_sv_from(line, t->refang.from[at]));
}

/* A line whose first cell is a value and nothing else is an item of a list: what follows tells about it. */
static int list_item(struct dm_text *t, struct dm_sv line, struct dm_sv first, struct dm_sv rest)
{
	struct cell c = {.text = first, .alone = true, .label = dm_sv(t->heading, t->heading_n)};
	int rc;

	while (rest.n && memchr(" \t|#/;,-(", rest.p[0], 9))
		rest = dm_sv_from(rest, 1);
	if (rest.n && dm_text_is_word(rest)) {
		c.label = original_from(t, line, rest.p);
		while (c.label.n && memchr(")|, \t", c.label.p[c.label.n - 1], 5))
			c.label.n--;
	}
	rc = take_cell(t, line, &c);
	while (rc == 0 && rest.n) {
		size_t words, values;

		c.text = next_cell(&rest);
		count(t, c.text, &words, &values);
		c.alone = words == 0;
		if (values)
			rc = take_cell(t, line, &c);
	}
	return rc;
}

/* What tells about the values of a line of words: the words behind the value it begins with ("DIGEST
 * invoice.doc"), else all of it. */
static struct dm_sv prose_label(const struct dm_text *t, struct dm_sv line, struct dm_sv s)
{
	struct dm_sv token, rest;
	size_t at = 0, words, values;
	struct dm_ioc ioc;

	if (!dm_text_token_next(s, &at, &token) || token.p != s.p ||
	    read_token(t, token, &ioc) != DM_IOC_FOUND)
		return original_from(t, line, s.p);
	rest = dm_sv_from(s, at);
	while (rest.n && memchr(" \t|#/;:,-(", rest.p[0], 10))
		rest = dm_sv_from(rest, 1);
	count(t, rest, &words, &values);
	return words && !values ? original_from(t, line, rest.p) : original_from(t, line, s.p);
}

static int cells(struct dm_text *t, struct dm_sv line, struct dm_sv s)
{
	struct cell c = {.header = t->in_mail_header, .label = prose_label(t, line, s)};
	struct dm_sv rest = s, first;
	size_t words, values;
	int rc = 0;

	while (rest.n && (rest.p[0] == '|' || rest.p[0] == ' '))
		rest = dm_sv_from(rest, 1);
	first = next_cell(&rest);
	/* "evil.com (C2)" and "evil.com, C2" are items as well. */
	if (first.n && !c.header) {
		for (size_t i = 1; i + 1 < first.n; i++) {
			struct dm_sv head = dm_sv(first.p, i);

			if ((first.p[i] != ' ' || first.p[i + 1] != '(') &&
			    (first.p[i] != ',' || first.p[i + 1] != ' '))
				continue;
			count(t, head, &words, &values);
			if (values && !words)
				return list_item(t, line, head,
						 dm_sv(first.p + i, (size_t)(s.p + s.n - first.p) - i));
			break;
		}
		count(t, first, &words, &values);
		if (values && !words)
			return list_item(t, line, first, rest);
	}
	for (;; first = next_cell(&rest)) {
		count(t, first, &words, &values);
		c.text = first;
		c.alone = words == 0 && !c.header;
		if (values)
			rc = take_cell(t, line, &c);
		if (rc || !rest.n)
			return rc;
	}
}

/* "[1]: https://..." and "[1] https://...": a footnote is a reference whatever else the document does. */
static bool is_footnote(struct dm_sv s)
{
	size_t i = 1;

	if (s.n < 4 || s.p[0] != '[')
		return false;
	while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '^'))
		i++;
	return i > 1 && i + 1 < s.n && s.p[i] == ']' && (s.p[i + 1] == ':' || s.p[i + 1] == ' ');
}

/* What a line without values says about the next ones. */
static int no_value(struct dm_text *t, struct dm_sv s, unsigned level)
{
	struct dm_sv token;
	size_t at = 0;

	if (is_heading(s, level))
		set_heading(t, s);
	/* A lone word that looks as if it should have been a value is worth a remark. */
	if (!dm_text_token_next(s, &at, &token) || token.n != s.n || token.n < 4 ||
	    !memchr(token.p, '.', token.n))
		return 0;
	struct dm_ioc ioc;
	return dm_intel_skip(&t->intel, t->line,
			     dm_ioc_read(token, &ioc) == DM_IOC_FILE ? "reads like a file name"
								     : "no indicator that is known here",
			     token);
}

int dm_text_line(struct dm_text *t, struct dm_sv line)
{
	struct dm_sv s;
	struct dm_ip first, last;
	size_t words, values;
	unsigned level;
	int rc = dm_refang_line(&t->refang, line);

	if (rc == DM_ELIMIT)
		return dm_intel_skip(&t->intel, t->line, "line is too long", line);
	if (rc)
		return rc;
	s = dm_sv_trim(dm_buf_view(&t->refang.text));
	if (s.n == 0) {
		t->in_mail_header = false;
		t->hashes = 0;
		return 0;
	}
	if (!(t->in_mail_header && (line.p[0] == ' ' || line.p[0] == '\t')))
		t->in_mail_header = dm_text_mail_header(s);
	level = heading_level(s);
	if (level || s.p[0] == '#' || s.p[0] == ';' || dm_sv_starts(s, DM_SV("//"))) {
		struct cell c = {.text = s, .comment = true, .label = dm_sv_trim(line)};

		/* Lines of '#' on end are the comment at the top of a list. */
		if (level && t->hashes != level)
			set_heading(t, s);
		else
			t->heading_n = 0;
		t->hashes = level ? level : 1;
		/* "#1.2.3.4" was taken out of the list by its author. */
		return level ? take_cell(t, line, &c) : 0;
	}
	t->hashes = 0;
	s = without_bullet(s);
	if (is_footnote(s)) {
		struct cell c = {.text = s, .comment = true, .label = dm_sv_trim(line)};
		return take_cell(t, line, &c);
	}
	if (dm_ip_range(s, &first, &last) && memcmp(&first, &last, sizeof(first)) != 0)
		return emit(t, dm_ip_is4(&first) ? DM_OBS_IPV4 : DM_OBS_IPV6, s, original_from(t, line, s.p),
			    dm_sv(t->heading, t->heading_n), t->line);
	count(t, s, &words, &values);
	return values ? cells(t, line, s) : no_value(t, s, level);
}
