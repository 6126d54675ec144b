/* hashlist.c: lists of file digests: sha256sum and its kin, BSD and OpenSSL style, hashdeep, ssdeep,
 * PowerShell's Get-FileHash. They say which files were there, not when. */
#include <stdio.h>

#include "base/limits.h"
#include "import/extract.h"
#include "import/lines.h"

enum column { C_OTHER, C_SIZE, C_MD5, C_SHA1, C_SHA256, C_SSDEEP, C_TLSH, C_NAME };

struct list {
	struct dm_lines lines;
	struct dm_record rec;
	enum column column[16]; /* of a hashdeep or ssdeep table */
	size_t columns;		/* 0: no such header came */
};

/* One line, taken apart. */
struct entry {
	struct dm_sv hex;	/* digest, or empty */
	struct dm_sv algorithm; /* as the line names it, or empty */
	struct dm_sv name;
	struct dm_sv size;
	bool escaped; /* GNU: \n and \\ in the name */
	bool sure;    /* the form is one that only such lists have */
};

static bool is_hex(struct dm_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i] | 0x20;

		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return s.n > 0;
}

/* Hex digits of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. */
static bool is_digest(struct dm_sv s)
{
	return (s.n == 32 || s.n == 40 || s.n == 56 || s.n == 64 || s.n == 96 || s.n == 128) && is_hex(s);
}

static struct dm_sv take_word(struct dm_sv *rest)
{
	struct dm_sv s = *rest, word;
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	word = dm_sv(s.p, n);
	*rest = dm_sv_from(s, n);
	return word;
}

/* "hex  name", "hex *name", "\hex  name", "hex name" (md5 -r), "size  hex  name" (md5deep -z), or a digest
 * alone. */
static bool read_gnu(struct dm_sv line, struct entry *e)
{
	struct dm_sv rest = line, word;
	uint64_t size;

	while (rest.n && rest.p[0] == ' ') /* md5deep -z sets the size flush right */
		rest = dm_sv_from(rest, 1);
	if (rest.n && rest.p[0] == '\\') {
		e->escaped = true;
		rest = dm_sv_from(rest, 1);
	}
	word = take_word(&rest);
	if (word.n < 20 && dm_sv_u64(word, &size) && rest.n) {
		e->size = word;
		rest = dm_sv_trim(rest);
		word = take_word(&rest);
	}
	if (!is_digest(word))
		return false;
	e->hex = word;
	if (!rest.n)
		return !e->size.n && !e->escaped;
	/* A blank, then a blank (text) or one of shasum's marks for the mode: the name begins behind them. */
	e->sure = rest.n > 2 && rest.p[0] == ' ' && strchr(" *?^U", rest.p[1]) && rest.p[1];
	e->name = e->sure ? dm_sv_from(rest, 2) : dm_sv_trim(rest);
	return e->name.n > 0;
}

/* "SHA256 (name) = hex", "SHA2-256(name)= hex" */
static bool read_bsd(struct dm_sv line, struct entry *e)
{
	size_t open = dm_sv_find(line, '('), close = line.n;
	struct dm_sv hex;

	if (open == SIZE_MAX || open == 0 || open > 24)
		return false;
	while (close > open && !(line.p[close - 1] == ')' && close < line.n))
		close--;
	if (close <= open + 1)
		return false;
	hex = dm_sv_trim(dm_sv_from(line, close));
	if (!hex.n || hex.p[0] != '=')
		return false;
	hex = dm_sv_trim(dm_sv_from(hex, 1));
	if (!is_hex(hex) || hex.n < 8 || hex.n > 256)
		return false;
	e->algorithm = dm_sv_trim(dm_sv(line.p, open));
	e->name = dm_sv(line.p + open + 1, close - open - 2);
	e->hex = hex;
	e->sure = true;
	return e->name.n > 0;
}

/* "SHA256    ABC...    C:\x.exe": the table that Get-FileHash prints. */
static bool read_powershell(struct dm_sv line, struct entry *e)
{
	struct dm_sv rest = line;

	e->algorithm = take_word(&rest);
	rest = dm_sv_trim(rest);
	e->hex = take_word(&rest);
	e->name = dm_sv_trim(rest);
	e->sure = true;
	return (dm_sv_starts(e->algorithm, DM_SV("SHA")) || dm_sv_starts(e->algorithm, DM_SV("MD5"))) &&
	       is_digest(e->hex) && e->name.n;
}

static bool read_entry(struct dm_sv line, struct entry *e)
{
	*e = (struct entry){0};
	if (read_gnu(line, e))
		return true;
	*e = (struct entry){0};
	if (read_bsd(line, e))
		return true;
	*e = (struct entry){0};
	return read_powershell(line, e);
}

static bool is_remark(struct dm_sv line)
{
	line = dm_sv_trim(line);
	return !line.n || line.p[0] == '#' || line.p[0] == ';' || dm_sv_starts(line, DM_SV("-----"));
}

/* The title of Get-FileHash's table. */
static bool is_title(struct dm_sv line)
{
	struct dm_sv rest = line;

	if (!dm_sv_is(take_word(&rest), "Algorithm"))
		return false;
	rest = dm_sv_trim(rest);
	return dm_sv_is(take_word(&rest), "Hash");
}

/* A digest by what the list calls it; those that have no column of their own are kept as text, and so are
 * digests whose length belongs to another algorithm. */
static void put_digest(struct dm_record *rec, struct dm_sv algorithm, struct dm_sv hex)
{
	static const char *const own[] = {"MD5",      "SHA1",	"SHA-1",   "SHA256",  "SHA-256",
					  "SHA2-256", "SHA512", "SHA-512", "SHA2-512"};
	bool known = !algorithm.n;
	char name[32];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		known |= dm_sv_ieq(algorithm, dm_sv_str(own[i]));
	if (known && hex.n != 56 && hex.n != 96) {
		dm_record_hash(rec, hex);
		return;
	}
	for (size_t i = 0; i < algorithm.n && n < sizeof(name) - 1; i++) {
		if ((unsigned char)algorithm.p[i] > ' ' && (unsigned char)algorithm.p[i] < 0x7f &&
		    algorithm.p[i] != '=')
			name[n++] = algorithm.p[i];
	}
	name[n] = 0;
	dm_record_unparsed(rec, n ? name : hex.n == 56 ? "SHA224" : hex.n == 96 ? "SHA384" : "digest", hex);
}

static struct dm_sv unescape(struct dm_record *rec, struct dm_sv s)
{
	char *out = dm_arena_alloc(&rec->arena, s.n + 1);
	size_t n = 0;

	if (!out) {
		rec->dropped++;
		return s;
	}
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' && i + 1 < s.n) {
			i++;
			c = s.p[i] == 'n' ? '\n' : s.p[i] == 'r' ? '\r' : s.p[i];
		}
		out[n++] = c;
	}
	return dm_sv(out, n);
}

static void put_name(struct dm_record *rec, struct dm_sv name)
{
	/* "-" is what the programs call their standard input. */
	if (!dm_sv_is(name, "-"))
		dm_put_file(rec, name);
}

static int emit(struct list *l)
{
	dm_record_text(&l->rec, DM_F_DATASET, DM_SV("hashlist"));
	return dm_lines_record(&l->lines, &l->rec);
}

/* hashdeep: "%%%% size,md5,sha256,filename"; ssdeep: "ssdeep,1.1--blocksize:hash:hash,filename". */
static bool read_table_header(struct list *l, struct dm_sv line)
{
	static const struct {
		const char *name;
		enum column column;
	} names[] = {{"size", C_SIZE},	   {"md5", C_MD5},   {"sha1", C_SHA1},	  {"sha256", C_SHA256},
		     {"ssdeep", C_SSDEEP}, {"tlsh", C_TLSH}, {"filename", C_NAME}};
	size_t n = 0;

	if (dm_sv_starts(line, DM_SV("ssdeep,1."))) {
		l->column[0] = C_SSDEEP;
		l->column[1] = C_NAME;
		l->columns = 2;
		return true;
	}
	if (!dm_sv_starts(line, DM_SV("%%%% ")))
		return false;
	line = dm_sv_trim(dm_sv_from(line, 5));
	if (dm_sv_starts(line, DM_SV("HASHDEEP")))
		return true;
	while (line.p && n < sizeof(l->column) / sizeof(l->column[0])) {
		struct dm_sv name = dm_sv_split(&line, ',');

		l->column[n] = C_OTHER;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (dm_sv_ieq(name, dm_sv_str(names[i].name)))
				l->column[n] = names[i].column;
		}
		n++;
	}
	/* The name comes last, for it may hold commas. */
	if (n > 1 && l->column[n - 1] == C_NAME)
		l->columns = n;
	return true;
}

static struct dm_sv unquote(struct dm_sv s)
{
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? dm_sv(s.p + 1, s.n - 2) : s;
}

static int read_table_row(struct list *l, struct dm_sv line)
{
	struct dm_record *rec = &l->rec;
	struct dm_sv rest = line;
	int64_t size;

	dm_record_start(rec, DM_KIND_FILE, DM_NO_TIME, l->lines.number);
	for (size_t i = 0; i + 1 < l->columns; i++) {
		struct dm_sv s = dm_sv_split(&rest, ',');

		if (!rest.p)
			return dm_lines_skip(&l->lines, "fewer fields than the list's header names",
					     dm_sv("", 0));
		switch (l->column[i]) {
		case C_SIZE:
			if (dm_sv_i64(s, &size))
				dm_record_int(rec, DM_F_FILE_SIZE, size);
			break;
		case C_MD5:
		case C_SHA1:
		case C_SHA256:
			dm_record_hash(rec, s);
			break;
		case C_SSDEEP:
			dm_record_text(rec, DM_F_SSDEEP, s);
			break;
		case C_TLSH:
			dm_record_text(rec, DM_F_TLSH, s);
			break;
		case C_OTHER:
		case C_NAME:
			dm_record_unparsed(rec, "digest", s);
			break;
		}
	}
	put_name(rec, unquote(rest));
	return emit(l);
}

static int read_line(struct list *l)
{
	struct dm_sv line = l->lines.line;
	struct dm_record *rec = &l->rec;
	struct entry e;
	int64_t size;

	if (read_table_header(l, line) || is_remark(line) || is_title(line) || l->lines.old)
		return 0;
	if (!l->lines.complete && !dm_lines_take_tail(&l->lines, false))
		return 0;
	if (l->columns)
		return read_table_row(l, line);
	if (!read_entry(line, &e))
		return dm_lines_skip(&l->lines, "not a digest and a file name: ", line);
	dm_record_start(rec, DM_KIND_FILE, DM_NO_TIME, l->lines.number);
	put_digest(rec, e.algorithm, e.hex);
	if (e.size.n && dm_sv_i64(e.size, &size))
		dm_record_int(rec, DM_F_FILE_SIZE, size);
	if (e.name.n)
		put_name(rec, e.escaped ? unescape(rec, e.name) : e.name);
	return emit(l);
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct list *l = dm_calloc(1, sizeof(*l));
	int r;

	if (!l)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	dm_record_init(&l->rec);
	dm_lines_init(&l->lines, in, sink);
	while (!(r = dm_lines_next(&l->lines, err))) {
		r = read_line(l);
		if (r)
			break;
	}
	if (r == DM_ENOENT)
		r = dm_lines_finish(&l->lines, r, err);
	dm_record_done(&l->rec);
	dm_free(l);
	return r;
}

/* Digests with file names are evidence; digests alone, or with a remark behind, are more likely a list of
 * indicators. */
static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv rest = head;
	unsigned lines = 0, sure = 0, maybe = 0;

	if (dm_sv_starts(rest, DM_SV("\xef\xbb\xbf")))
		rest = dm_sv_from(rest, 3);
	if (dm_sv_starts(rest, DM_SV("%%%% HASHDEEP")) || dm_sv_starts(rest, DM_SV("ssdeep,1.")))
		return 95;
	while (rest.p && lines < 50) {
		struct dm_sv line = dm_sv_split(&rest, '\n');
		struct entry e;

		if (!rest.p && head.n >= 65536) /* cut by the end of what we see */
			break;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (is_remark(line) || is_title(line))
			continue;
		lines++;
		if (read_entry(line, &e)) {
			sure += e.sure;
			maybe += e.name.n > 0;
		}
	}
	if (!lines || maybe * 10 < lines * 8)
		return 0;
	return sure * 10 >= lines * 8 ? 88 : 35;
}

const struct dm_importer dm_import_hashlist = {
	.name = "hashlist",
	.title = "list of file digests",
	.gives = DM_EVIDENCE,
	.probe = probe,
	.run = run,
	.growing = true,
};
