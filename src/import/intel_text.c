/* intel_text.c: reports, Markdown and plain lists as intelligence. */
#include "base/limits.h"
#include "import/importer.h"
#include "import/intel_text.h"
#include "import/ioc.h"

#define LINES_A_PROGRESS 65536u

static int hand_over(struct dm_text *t, struct dm_indicator *ind)
{
	int rc = t->intel.sink->indicator(t->intel.sink, ind);

	t->intel.emitted++;
	t->hashes = 0;
	return rc ? rc : 1;
}

/* A digest in lower case. */
static int fast_digest(struct dm_text *t, struct dm_indicator *ind, struct dm_sv head)
{
	uint8_t key[64];

	/* A heading may say that it is another kind of digest. */
	if (t->heading_n || dm_obs_guess(head) == DM_OBS_NONE || !dm_sv_unhex(head, key, head.n / 2))
		return 0;
	for (size_t i = 0; i < head.n; i++)
		if (head.p[i] >= 'A' && head.p[i] <= 'F')
			return 0;
	ind->type = dm_obs_guess(head);
	ind->key = dm_sv((const char *)key, head.n / 2);
	ind->value = head;
	return hand_over(t, ind);
}

/* Bytes of names and URLs that could be neither defanged, nor quotes, nor signs of a list. */
static const uint8_t plain[256] = {
	['a' ... 'z'] = 1, ['A' ... 'Z'] = 1, ['0' ... '9'] = 1, ['.'] = 1, ['-'] = 1, ['_'] = 1,
	['/'] = 1,	   [':'] = 1,	      ['?'] = 1,	 ['='] = 1, ['%'] = 1, ['@'] = 1,
	['+'] = 1,	   ['~'] = 1,	      ['#'] = 1,	 ['$'] = 1,
};

static bool is_plain(struct dm_sv s)
{
	uint8_t ok = 1;

	for (size_t i = 0; i < s.n; i++)
		ok &= plain[(uint8_t)s.p[i]];
	if (!ok)
		return false;
	char first = s.p[0], last = s.p[s.n - 1];

	return first != '#' && first != '/' && first != '.' && first != '_' && first != ':' && last != '.' &&
	       last != ':' && last != '?';
}

static int fast_name(struct dm_text *t, struct dm_sv line)
{
	struct dm_indicator ind = {.label = dm_sv(t->heading, t->heading_n),
				   .valid_from = DM_NO_TIME,
				   .valid_until = DM_NO_TIME,
				   .line = t->line,
				   .confidence = 255};
	enum dm_obs_type type;
	int rc;

	if (!is_plain(line))
		return 0;
	type = dm_obs_guess(line);
	/* "hxxp://" is a scheme as any other. */
	if (type != DM_OBS_DOMAIN && type != DM_OBS_EMAIL &&
	    (type != DM_OBS_URL ||
	     (!dm_sv_starts(line, DM_SV("http://")) && !dm_sv_starts(line, DM_SV("https://")))))
		return 0;
	t->hashes = 0;
	rc = dm_intel_emit(&t->intel, &ind, type, line);
	return rc ? rc : 1;
}

/* A line that is one plain value, or "address TAB number", as in long lists: read at once, not as a sentence
 * would be. 1: done. */
static int fast_line(struct dm_text *t, struct dm_sv line)
{
	struct dm_indicator ind = {.form = DM_IND_VALUE,
				   .valid_from = DM_NO_TIME,
				   .valid_until = DM_NO_TIME,
				   .line = t->line,
				   .confidence = 255};
	struct dm_sv head = line;
	struct dm_ip ip;
	const char *tab;

	if (line.n < 4 || line.n > DM_MAX_URL || t->in_mail_header)
		return 0;
	tab = line.n <= 40 ? memchr(line.p, '\t', line.n) : NULL;
	if (tab) {
		for (const char *p = tab + 1; p < line.p + line.n; p++)
			if (*p < '0' || *p > '9')
				return 0;
		head.n = (size_t)(tab - line.p);
	}
	ind.label = dm_sv(t->heading, t->heading_n);
	/* The text of an IPv4 address that is read is its canonical one; of IPv6 there are many. */
	if (head.n >= 7 && head.n <= 15 && head.p[0] >= '0' && head.p[0] <= '9' && dm_ip_parse(head, &ip) &&
	    dm_ip_is4(&ip) && memchr(head.p, '.', 4)) {
		ind.type = DM_OBS_IPV4;
		ind.key = dm_sv((const char *)ip.b + 12, 4);
		ind.value = head;
		return hand_over(t, &ind);
	}
	if (tab)
		return 0;
	if (line.n == 32 || line.n == 40 || line.n == 64 || line.n == 128) {
		int rc = fast_digest(t, &ind, line);
		if (rc)
			return rc;
	}
	return fast_name(t, line);
}

static bool is_utf16(struct dm_sv head)
{
	return head.n >= 2 && (memcmp(head.p, "\xff\xfe", 2) == 0 || memcmp(head.p, "\xfe\xff", 2) == 0);
}

static int check_head(struct dm_sv head, struct dm_err *err)
{
	if (is_utf16(head)) {
		dm_fail(err, DM_EFORMAT, "the text is UTF-16");
		return dm_err_remedy(err, "convert it: iconv -f UTF-16 -t UTF-8");
	}
	if (head.n && memchr(head.p, 0, head.n)) {
		dm_fail(err, DM_EFORMAT, "not a text: it has NUL bytes");
		return dm_err_remedy(err, "give the text of the document, or name the format with --format");
	}
	return 0;
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct dm_text t;
	struct dm_sv line = {0};
	int rc = dm_stream_peek(in->stream, 4096, &line, err);

	/* A damaged file is read as far as it goes. */
	if (rc == 0 || line.n)
		rc = check_head(line, err);
	if (rc)
		return rc;
	dm_text_init(&t, sink);
	for (;;) {
		rc = dm_stream_line(in->stream, &line, err);
		t.line = dm_stream_lineno(in->stream);
		if (rc == DM_ELIMIT) {
			rc = dm_intel_skip(&t.intel, t.line, "line is too long", dm_sv(NULL, 0));
			if (rc)
				break;
			continue;
		}
		if (rc)
			break;
		if (t.line == 1 && dm_sv_starts(line, DM_SV("\xef\xbb\xbf")))
			line = dm_sv_from(line, 3);
		rc = fast_line(&t, line);
		if (rc == 0 && line.n)
			rc = dm_text_line(&t, line);
		if (rc < 0)
			break;
		if (t.line % LINES_A_PROGRESS == 0 &&
		    (rc = sink->progress(sink, dm_stream_offset(in->stream), t.line)) != 0)
			break;
	}
	/* An error of the stream ends the document, it does not undo what came before. */
	bool ended = rc == DM_ENOENT;
	int last = ended || rc == DM_EFORMAT || rc == DM_ELIMIT || rc == DM_EIO ? dm_text_finish(&t) : 0;
	if (ended || last)
		rc = last;
	if (rc == 0)
		rc = sink->progress(sink, dm_stream_offset(in->stream), t.line);
	dm_text_done(&t);
	return rc;
}

/* A sink that only counts, for the probe. */
struct tally {
	struct dm_sink sink;
	unsigned found;
};

static int tally_indicator(struct dm_sink *s, const struct dm_indicator *ind)
{
	((struct tally *)s)->found++;
	return 0;
}

static int tally_skip(struct dm_sink *s, uint64_t line, const char *reason)
{
	return 0;
}

/* Digits at s.p[*i] on, with one of `behind` behind them, all passed over. */
static bool number(struct dm_sv s, size_t *i, const char *behind)
{
	size_t start = *i;

	while (*i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9')
		++*i;
	return *i > start && *i - start <= 10 && *i < s.n && s.p[*i] && strchr(behind, s.p[(*i)++]);
}

/* Whether a line begins with a moment, as in logs: "2024-04-19T10", "04/19/2024-10", "Apr 19", "<13>",
 * "1713484795.9". */
static bool log_line(struct dm_sv s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	size_t i = 0;

	if (s.n < 12)
		return false;
	if (s.p[0] == '<' && s.p[1] >= '0' && s.p[1] <= '9')
		return true;
	for (; i < sizeof(months) - 1; i += 3)
		if (memcmp(s.p, months + i, 3) == 0 && s.p[3] == ' ' &&
		    (s.p[4] == ' ' || (s.p[4] >= '0' && s.p[4] <= '3')))
			return true;
	i = 0;
	if (number(s, &i, "-/") && number(s, &i, "-/") && number(s, &i, " T-:"))
		return s.p[i] >= '0' && s.p[i] <= '9';
	i = 0;
	return number(s, &i, ".") && i == 11;
}

static bool name_ends(const char *name, const char *const *ends)
{
	struct dm_sv n = dm_sv_str(name);

	for (; *ends; ends++) {
		struct dm_sv e = dm_sv_str(*ends);
		if (n.n >= e.n && dm_sv_ieq(dm_sv_from(n, n.n - e.n), e))
			return true;
	}
	return false;
}

/* Lines of `head` that are a value, remarks and blanks left out; and what a reader finds in all. */
static void survey(struct dm_sv head, unsigned *ret_lines, unsigned *ret_items, unsigned *ret_found,
		   bool *ret_defanged)
{
	struct tally tally = {.sink = {.indicator = tally_indicator, .skip = tally_skip}};
	unsigned logs = 0;
	struct dm_ioc ioc;
	struct dm_text t;

	*ret_lines = *ret_items = 0;
	dm_text_init(&t, &tally.sink);
	while (head.p && *ret_lines < 400) {
		bool whole = memchr(head.p, '\n', head.n) != NULL;
		struct dm_sv line = dm_sv_split(&head, '\n'), s = dm_sv_trim(line);

		/* The last line of a head may be half a line. */
		if ((!whole && *ret_lines) || s.n == 0)
			continue;
		t.line++;
		if (dm_text_line(&t, line) != 0)
			break;
		if (s.p[0] == '#' || s.p[0] == ';' || dm_sv_starts(s, DM_SV("//")))
			continue;
		++*ret_lines;
		logs += log_line(s);
		s = dm_sv_trim(dm_buf_view(&t.refang.text));
		size_t tab = dm_sv_find(s, '\t');
		*ret_items += dm_ioc_read(tab < s.n ? dm_sv(s.p, tab) : s, &ioc) == DM_IOC_FOUND;
	}
	dm_text_finish(&t);
	*ret_defanged = t.defanged;
	*ret_found = logs * 2 > *ret_lines ? 0 : tally.found;
	dm_text_done(&t);
}

static int probe(struct dm_sv head, const char *name)
{
	static const char *const others[] = {".log", ".config", ".conf", ".cfg", ".csv", ".tsv", NULL};
	static const char *const texts[] = {".txt", ".md",   ".ioc",   ".iocs",	  ".adoc",
					    ".rst", ".list", ".ipset", ".netset", NULL};
	unsigned lines, items, found;
	bool defanged;
	struct dm_sv s;

	if (is_utf16(head))
		return 2;
	if (head.n == 0 || memchr(head.p, 0, head.n))
		return 0;
	if (dm_sv_starts(head, DM_SV("\xef\xbb\xbf")))
		head = dm_sv_from(head, 3);
	s = dm_sv_trim(head);
	/* JSON, XML, Zeek. */
	if (s.n == 0 || s.p[0] == '{' || s.p[0] == '<' || dm_sv_starts(s, DM_SV("[{")) ||
	    dm_sv_starts(s, DM_SV("[\n")) || dm_sv_starts(s, DM_SV("[\"")) ||
	    dm_sv_starts(s, DM_SV("#separator")))
		return 0;
	survey(head, &lines, &items, &found, &defanged);
	if (items * 2 > lines)
		return 60;
	if (found == 0 || (!defanged && name_ends(name, others)))
		return name_ends(name, texts) ? 3 : 0;
	return defanged ? 40 : name_ends(name, texts) ? 10 : 2;
}

const struct dm_importer dm_import_text = {
	.name = "text",
	.title = "report or list of indicators (text, Markdown)",
	.gives = DM_INTELLIGENCE,
	.probe = probe,
	.run = run,
	.preload = dm_domain_preload,
};
