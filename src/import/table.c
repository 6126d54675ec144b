/* table.c: names and contents of columns. */
#include "base/limits.h"
#include "base/text.h"
#include "import/refang.h"
#include "import/table.h"

#define SAMPLE_ROWS 64u

/* Lower case, letters and digits only. */
static struct dm_sv plain(struct dm_sv name, char out[40])
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n < 40; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
	}
	return dm_sv(out, n);
}

static const struct {
	const char *name;
	enum dm_table_role role;
	enum dm_obs_type type;
} roles[] = {
	{"value", DM_COL_VALUE, DM_OBS_NONE},
	{"values", DM_COL_VALUE, DM_OBS_NONE},
	{"indicator", DM_COL_VALUE, DM_OBS_NONE},
	{"indicators", DM_COL_VALUE, DM_OBS_NONE},
	{"indicatorvalue", DM_COL_VALUE, DM_OBS_NONE},
	{"ioc", DM_COL_VALUE, DM_OBS_NONE},
	{"iocs", DM_COL_VALUE, DM_OBS_NONE},
	{"iocvalue", DM_COL_VALUE, DM_OBS_NONE},
	{"observable", DM_COL_VALUE, DM_OBS_NONE},
	{"observables", DM_COL_VALUE, DM_OBS_NONE},
	{"artifact", DM_COL_VALUE, DM_OBS_NONE},
	{"artefact", DM_COL_VALUE, DM_OBS_NONE},
	{"hash", DM_COL_VALUE, DM_OBS_NONE},
	{"hashes", DM_COL_VALUE, DM_OBS_NONE},
	{"filehash", DM_COL_VALUE, DM_OBS_NONE},
	{"c2", DM_COL_VALUE, DM_OBS_NONE},
	{"c2s", DM_COL_VALUE, DM_OBS_NONE},
	{"c2server", DM_COL_VALUE, DM_OBS_NONE},
	{"c2servers", DM_COL_VALUE, DM_OBS_NONE},
	{"c2url", DM_COL_VALUE, DM_OBS_URL},
	{"c2domain", DM_COL_VALUE, DM_OBS_DOMAIN},
	{"c2ip", DM_COL_VALUE, DM_OBS_IPV4},
	{"cnc", DM_COL_VALUE, DM_OBS_NONE},
	{"cncs", DM_COL_VALUE, DM_OBS_NONE},
	{"domains", DM_COL_VALUE, DM_OBS_DOMAIN},
	{"hostnames", DM_COL_VALUE, DM_OBS_DOMAIN},
	{"emails", DM_COL_VALUE, DM_OBS_EMAIL},
	{"certificate", DM_COL_VALUE, DM_OBS_X509_SHA1},
	{"certificatefingerprint", DM_COL_VALUE, DM_OBS_X509_SHA1},
	{"certificatehash", DM_COL_VALUE, DM_OBS_X509_SHA1},
	{"certfingerprint", DM_COL_VALUE, DM_OBS_X509_SHA1},
	{"fingerprint", DM_COL_VALUE, DM_OBS_X509_SHA1},
	{"thumbprint", DM_COL_VALUE, DM_OBS_X509_SHA1},
	{"sslcertificate", DM_COL_VALUE, DM_OBS_X509_SHA1},
	{"dstip", DM_COL_VALUE, DM_OBS_IPV4},
	{"srcip", DM_COL_VALUE, DM_OBS_IPV4},
	{"destinationip", DM_COL_VALUE, DM_OBS_IPV4},
	{"sourceip", DM_COL_VALUE, DM_OBS_IPV4},
	{"cidr", DM_COL_VALUE, DM_OBS_IPV4},
	{"network", DM_COL_VALUE, DM_OBS_IPV4},
	{"netblock", DM_COL_VALUE, DM_OBS_IPV4},
	{"subnet", DM_COL_VALUE, DM_OBS_IPV4},
	{"iprange", DM_COL_VALUE, DM_OBS_IPV4},
	{"type", DM_COL_TYPE, DM_OBS_NONE},
	{"entitytype", DM_COL_TYPE, DM_OBS_NONE},
	{"indicatortype", DM_COL_TYPE, DM_OBS_NONE},
	{"ioctype", DM_COL_TYPE, DM_OBS_NONE},
	{"observabletype", DM_COL_TYPE, DM_OBS_NONE},
	{"valuetype", DM_COL_TYPE, DM_OBS_NONE},
	{"datatype", DM_COL_TYPE, DM_OBS_NONE},
	{"kind", DM_COL_TYPE, DM_OBS_NONE},
	{"description", DM_COL_LABEL, DM_OBS_NONE},
	{"desc", DM_COL_LABEL, DM_OBS_NONE},
	{"notes", DM_COL_LABEL, DM_OBS_NONE},
	{"note", DM_COL_LABEL, DM_OBS_NONE},
	{"comment", DM_COL_LABEL, DM_OBS_NONE},
	{"comments", DM_COL_LABEL, DM_OBS_NONE},
	{"malware", DM_COL_LABEL, DM_OBS_NONE},
	{"malwarefamily", DM_COL_LABEL, DM_OBS_NONE},
	{"malwareprintable", DM_COL_LABEL, DM_OBS_NONE},
	{"family", DM_COL_LABEL, DM_OBS_NONE},
	{"app", DM_COL_LABEL, DM_OBS_NONE},
	{"threat", DM_COL_LABEL, DM_OBS_NONE},
	{"threattype", DM_COL_LABEL, DM_OBS_NONE},
	{"campaign", DM_COL_LABEL, DM_OBS_NONE},
	{"actor", DM_COL_LABEL, DM_OBS_NONE},
	{"role", DM_COL_LABEL, DM_OBS_NONE},
	{"tags", DM_COL_LABEL, DM_OBS_NONE},
	{"tag", DM_COL_LABEL, DM_OBS_NONE},
	{"title", DM_COL_LABEL, DM_OBS_NONE},
	{"name", DM_COL_LABEL, DM_OBS_NONE},
	{"label", DM_COL_LABEL, DM_OBS_NONE},
	{"signature", DM_COL_LABEL, DM_OBS_NONE},
	{"detection", DM_COL_LABEL, DM_OBS_NONE},
	{"listingreason", DM_COL_LABEL, DM_OBS_NONE},
	{"packagename", DM_COL_LABEL, DM_OBS_NONE},
	{"filetype", DM_COL_NONE, DM_OBS_NONE},
	{"metadesc", DM_COL_LABEL, DM_OBS_NONE},
	{"source", DM_COL_SOURCE, DM_OBS_NONE},
	{"metasource", DM_COL_SOURCE, DM_OBS_NONE},
	{"reference", DM_COL_SOURCE, DM_OBS_NONE},
	{"references", DM_COL_SOURCE, DM_OBS_NONE},
	{"metaurl", DM_COL_NONE, DM_OBS_NONE},
	{"link", DM_COL_SOURCE, DM_OBS_NONE},
	{"report", DM_COL_SOURCE, DM_OBS_NONE},
	{"reporter", DM_COL_NONE, DM_OBS_NONE},
	{"feed", DM_COL_SOURCE, DM_OBS_NONE},
	{"provider", DM_COL_SOURCE, DM_OBS_NONE},
	{"eventinfo", DM_COL_SOURCE, DM_OBS_NONE},
	{"confidence", DM_COL_CONFIDENCE, DM_OBS_NONE},
	{"confidencelevel", DM_COL_CONFIDENCE, DM_OBS_NONE},
	{"tlp", DM_COL_MARKING, DM_OBS_NONE},
	{"marking", DM_COL_MARKING, DM_OBS_NONE},
	{"validfrom", DM_COL_FROM, DM_OBS_NONE},
	{"firstseen", DM_COL_FROM, DM_OBS_NONE},
	{"firstseenutc", DM_COL_FROM, DM_OBS_NONE},
	{"validuntil", DM_COL_UNTIL, DM_OBS_NONE},
	{"validto", DM_COL_UNTIL, DM_OBS_NONE},
	{"expires", DM_COL_UNTIL, DM_OBS_NONE},
	{"expiry", DM_COL_UNTIL, DM_OBS_NONE},
	{"expiration", DM_COL_UNTIL, DM_OBS_NONE},
	{"expirationdate", DM_COL_UNTIL, DM_OBS_NONE},
	{"uuid", DM_COL_ID, DM_OBS_NONE},
	{"id", DM_COL_ID, DM_OBS_NONE},
	{"stixid", DM_COL_ID, DM_OBS_NONE},
	{"indicatorid", DM_COL_ID, DM_OBS_NONE},
	{"toids", DM_COL_TO_IDS, DM_OBS_NONE},
};

/* Digests that are not of the whole file: no log holds them, and in their length they look like those that
 * are. */
static bool other_digest(struct dm_sv plain_name)
{
	static const char *const names[] = {
		"imphash", "authentihash", "vhash",    "pehash", "richhash", "richpeheader", "telfhash",
		"hassh",   "hasshserver",  "permhash", "dhash",	 "phash",    "gimphash",     "icondhash"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (dm_sv_is(plain_name, names[i]))
			return true;
	return false;
}

enum dm_obs_type dm_table_type(struct dm_sv name, bool *ret_known)
{
	static const struct {
		const char *name;
		enum dm_obs_type t;
	} more[] = {
		/* Zeek's intelligence framework */
		{"inteladdr", DM_OBS_IPV4},
		{"intelsubnet", DM_OBS_IPV4},
		{"inteldomain", DM_OBS_DOMAIN},
		{"intelurl", DM_OBS_URL},
		{"intelemail", DM_OBS_EMAIL},
		{"intelfilehash", DM_OBS_MD5},
		{"intelfilename", DM_OBS_FILENAME},
		{"intelcerthash", DM_OBS_X509_SHA1},
		{"intelsoftware", DM_OBS_USER_AGENT},
		/* feeds and people */
		{"cidr", DM_OBS_IPV4},
		{"netblock", DM_OBS_IPV4},
		{"subnet", DM_OBS_IPV4},
		{"network", DM_OBS_IPV4},
		{"iprange", DM_OBS_IPV4},
		{"ipv4net", DM_OBS_IPV4},
		{"ipv6net", DM_OBS_IPV6},
		{"ipport", DM_OBS_IPV4},
		{"ipdstport", DM_OBS_IPV4},
		{"ipsrcport", DM_OBS_IPV4},
		{"hostnameport", DM_OBS_DOMAIN},
		{"domains", DM_OBS_DOMAIN},
		{"sha256hash", DM_OBS_SHA256},
		{"filehash", DM_OBS_MD5},
		{"hash", DM_OBS_MD5},
		{"certificate", DM_OBS_X509_SHA1},
	};
	/* Known to be nothing that evidence here can be searched for. */
	static const char *const never[] = {"port",	 "service",	  "servicename",    "payload",
					    "behaviour", "behavior",	  "commandline",    "command",
					    "process",	 "path",	  "filepath",	    "filesize",
					    "cve",	 "vulnerability", "yara",	    "snort",
					    "sigma",	 "btc",		  "bitcoinaddress", "wallet",
					    "text",	 "comment",	  "country",	    "pdb",
					    "pdbpath",	 "namedpipe",	  "scheduledtask",  "phonenumber",
					    "username",	 "password",	  "sshkey"};
	enum dm_obs_type t = dm_obs_from_name(name);
	char buf[40];
	struct dm_sv p = plain(name, buf);

	*ret_known = true;
	if (t != DM_OBS_NONE)
		return t;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (dm_sv_is(p, more[i].name))
			return more[i].t;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (dm_sv_is(p, never[i]))
			return DM_OBS_NONE;
	*ret_known = other_digest(p);
	return DM_OBS_NONE;
}

bool dm_table_empty(struct dm_sv cell)
{
	static const char *const words[] = {"-",    "--",  "?",	  "n/a",     "na",	"none",
					    "null", "nil", "nan", "unknown", "(empty)", "not available",
					    "tbd"};

	if (cell.n == 0)
		return true;
	/* Most cells are told by their length or first byte. */
	if (cell.n > 13 || !memchr("-?nN(uUtT", cell.p[0], 9))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (dm_sv_ieq(cell, dm_sv_str(words[i])))
			return true;
	return false;
}

bool dm_table_remark(struct dm_sv line)
{
	return line.n == 0 || line.p[0] == '#' || dm_sv_starts(line, DM_SV("//"));
}

bool dm_table_quote(struct dm_sv line, char delimiter, bool open)
{
	bool start = true;

	for (size_t i = 0; i < line.n; i++) {
		if (open) {
			if (line.p[i] == '"' && i + 1 < line.n && line.p[i + 1] == '"')
				i++;
			else if (line.p[i] == '"')
				open = false;
		} else if (line.p[i] == '"' && start) {
			open = true;
			start = false;
		} else {
			start = line.p[i] == delimiter;
		}
	}
	return open;
}

/* A name that is no exact match can still end in one that is: "File SHA256", "Malicious domain". Only with
 * contents to match. */
static enum dm_obs_type type_in_name(struct dm_sv name)
{
	for (size_t i = 1; i < name.n; i++) {
		enum dm_obs_type t;

		if (name.p[i - 1] != ' ' && name.p[i - 1] != '_' && name.p[i - 1] != '-' &&
		    name.p[i - 1] != '.')
			continue;
		t = dm_obs_from_name(dm_sv_from(name, i));
		if (t != DM_OBS_NONE)
			return t;
	}
	return DM_OBS_NONE;
}

/* Role of a column by its name alone. */
static bool by_name(struct dm_sv name, struct dm_table_column *ret)
{
	char buf[40];
	struct dm_sv p = plain(name, buf);

	*ret = (struct dm_table_column){0};
	if (other_digest(p))
		return true;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (!dm_sv_is(p, roles[i].name))
			continue;
		ret->role = roles[i].role;
		ret->type = roles[i].type;
		return true;
	}
	ret->type = dm_obs_from_name(name);
	if (ret->type != DM_OBS_NONE)
		ret->role = DM_COL_VALUE;
	return ret->type != DM_OBS_NONE;
}

/* What is counted of each column of the sample. */
struct tally {
	unsigned filled, values, domains, types, words;
};

struct sample {
	struct dm_table *t;
	struct dm_refang refang;
	struct dm_buf scratch;
	struct tally tally[DM_MAX_TABLE_COLUMNS];
	unsigned rows;
};

static bool is_value(struct sample *s, struct dm_sv cell, bool *ret_domain)
{
	struct dm_ioc ioc;
	const char *dot;

	*ret_domain = false;
	if (cell.n > 300 || dm_refang_line(&s->refang, cell) != 0 ||
	    dm_ioc_read(dm_buf_view(&s->refang.text), &ioc) != DM_IOC_FOUND)
		return false;
	if (ioc.type != DM_OBS_DOMAIN)
		return ioc.type != DM_OBS_AS;
	*ret_domain = true;
	/* Names of packages and files look like domains; few of them end like one. */
	dot = memrchr(ioc.text.p, '.', ioc.text.n);
	return dot && dm_ioc_known_tld(dm_sv_from(ioc.text, (size_t)(dot - ioc.text.p) + 1));
}

static unsigned count_row(struct sample *s, struct dm_sv row)
{
	struct dm_sv cell;
	unsigned c = 0, values = 0;
	bool known, domain;

	dm_buf_clear(&s->scratch);
	for (; c < DM_MAX_TABLE_COLUMNS && dm_csv_next(&row, s->t->delimiter, &s->scratch, &cell); c++) {
		struct tally *t = &s->tally[c];

		cell = dm_sv_trim(cell);
		if (dm_table_empty(cell))
			continue;
		t->filled++;
		if (is_value(s, cell, &domain)) {
			t->values++;
			t->domains += domain;
			values++;
			continue;
		}
		dm_table_type(cell, &known);
		t->types += known;
		t->words += !known;
	}
	if (c > s->t->n)
		s->t->n = c;
	return values;
}

/* Cells of a row, remarks counted as none. */
static unsigned width(struct dm_sv row, char delimiter, struct dm_buf *scratch)
{
	struct dm_sv cell;
	unsigned n = 0;

	dm_buf_clear(scratch);
	while (n <= DM_MAX_TABLE_COLUMNS && dm_csv_next(&row, delimiter, scratch, &cell))
		n++;
	return n;
}

/* The next row of a head in memory; false at the end, or at what may be half a row. */
static bool next_row(struct dm_sv *rest, bool whole, char delimiter, struct dm_sv *ret)
{
	struct dm_sv line;
	bool open = false;
	size_t n = 0;

	if (!rest->p || rest->n == 0)
		return false;
	do {
		const char *end = memchr(rest->p + n, '\n', rest->n - n);

		if (!end && !whole)
			return false;
		line = dm_sv(rest->p + n, (end ? (size_t)(end - rest->p) : rest->n) - n);
		n += line.n + (end != NULL);
		open = (open || !dm_table_remark(line)) && dm_table_quote(line, delimiter, open);
	} while (open && n < rest->n);
	*ret = dm_sv(rest->p, (size_t)(line.p + line.n - rest->p));
	if (ret->n && ret->p[ret->n - 1] == '\r')
		ret->n--;
	*rest = dm_sv_from(*rest, n);
	return true;
}

/* The delimiter that cuts most rows into one number of cells, more than one. */
static char sniff_delimiter(struct dm_sv head, bool whole, struct dm_buf *scratch)
{
	static const char candidates[] = ",;\t|";
	char best = ',';
	unsigned best_score = 0;

	for (const char *d = candidates; *d; d++) {
		unsigned hits[DM_MAX_TABLE_COLUMNS + 2] = {0}, top = 0, rows = 0;
		struct dm_sv rest = head, row;

		while (rows < SAMPLE_ROWS && next_row(&rest, whole, *d, &row)) {
			if (dm_table_remark(row))
				continue;
			rows++;
			unsigned w = width(row, *d, scratch);
			if (w > 1 && ++hits[w] > top)
				top = hits[w];
		}
		if (top > best_score) {
			best_score = top;
			best = *d;
		}
	}
	return best;
}

/* Names of the near (1) and the far (2) side of a connection: what has both is a log. "source" alone is where
 * an indicator comes from. */
static unsigned side(struct dm_sv plain_name)
{
	static const char *const ends[] = {"ip", "port", "addr",  "address", "host",
					   "h",	 "p",	 "bytes", "packets"};
	bool place = false;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		place |= dm_sv_ends(plain_name, dm_sv_str(ends[i]));
	if (plain_name.n && memmem(plain_name.p, plain_name.n, "src", 3))
		return 1;
	if (plain_name.n && memmem(plain_name.p, plain_name.n, "dst", 3))
		return 2;
	if (!place)
		return 0;
	if (dm_sv_starts(plain_name, DM_SV("source")) || dm_sv_starts(plain_name, DM_SV("idorig")))
		return 1;
	return dm_sv_starts(plain_name, DM_SV("dest")) || dm_sv_starts(plain_name, DM_SV("idresp")) ? 2 : 0;
}

static void name_columns(struct dm_table *t, struct dm_sv row, struct dm_buf *scratch)
{
	struct dm_sv cell;
	unsigned sides = 0;

	dm_buf_clear(scratch);
	for (unsigned c = 0; c < DM_MAX_TABLE_COLUMNS && dm_csv_next(&row, t->delimiter, scratch, &cell);
	     c++) {
		char buf[40];
		struct dm_sv p = plain(cell, buf);

		cell = dm_sv_trim(cell);
		t->named += by_name(cell, &t->col[c]) && cell.n;
		t->col[c].named = cell.n != 0;
		if (t->col[c].role == DM_COL_NONE && cell.n)
			t->col[c].type = type_in_name(cell);
		if (c >= t->n)
			t->n = c + 1;
		sides |= side(p);
	}
	t->evidence = sides == 3;
}

/* Columns that no name explains: by what stands in them. */
static void by_content(struct sample *s, bool names)
{
	struct dm_table *t = s->t;
	bool has_named = false, has_type = false, has_label = false;

	for (unsigned c = 0; c < t->n; c++) {
		has_named |= t->col[c].role == DM_COL_VALUE;
		has_type |= t->col[c].role == DM_COL_TYPE;
		has_label |= t->col[c].role == DM_COL_LABEL;
	}
	for (unsigned c = 0; c < t->n; c++) {
		const struct tally *k = &s->tally[c];
		struct dm_table_column *col = &t->col[c];

		if (col->role != DM_COL_NONE || k->filled == 0)
			continue;
		/* A name that is not understood argues against values, unless it names their kind. */
		unsigned share = col->type != DM_OBS_NONE ? 50 : names ? 80 : 60;
		/* "com.foo.app" beside a column that is named as the values is a package. */
		bool doubt = names && has_named && col->named && col->type == DM_OBS_NONE;
		if ((k->values - (doubt ? k->domains : 0)) * 100 >= k->filled * share) {
			col->role = DM_COL_VALUE;
			col->guessed = true;
		}
	}
	for (unsigned c = 0; c < t->n && !names; c++) {
		const struct tally *k = &s->tally[c];

		if (t->col[c].role != DM_COL_NONE || k->filled == 0)
			continue;
		if (!has_type && k->types * 100 >= k->filled * 80) {
			t->col[c].role = DM_COL_TYPE;
			has_type = true;
		} else if (!has_label && k->words * 100 >= k->filled * 80) {
			t->col[c].role = DM_COL_LABEL;
			has_label = true;
		}
	}
}

/* A file's name beside its digest tells about the digest; alone it would hit every file so called. */
static void settle(struct dm_table *t)
{
	bool digests = false;

	for (unsigned c = 0; c < t->n; c++)
		digests |= t->col[c].role == DM_COL_VALUE && t->col[c].type >= DM_OBS_MD5 &&
			   t->col[c].type <= DM_OBS_SHA512;
	for (unsigned c = 0; c < t->n; c++) {
		if (digests && t->col[c].role == DM_COL_VALUE && t->col[c].type == DM_OBS_FILENAME)
			t->col[c] = (struct dm_table_column){.role = DM_COL_LABEL};
		t->values += t->col[c].role == DM_COL_VALUE;
	}
}

/* The names in a remark: "# id,dateadded,url", "#fields TAB indicator". */
static struct dm_sv names_in_remark(struct dm_sv remark)
{
	if (dm_sv_starts(remark, DM_SV("#fields\t")))
		return dm_sv_from(remark, 8);
	while (remark.n && (remark.p[0] == '#' || remark.p[0] == ' '))
		remark = dm_sv_from(remark, 1);
	return remark;
}

bool dm_table_sniff(struct dm_sv head, bool whole, struct dm_table *ret)
{
	struct sample s = {.t = ret};
	struct dm_sv rest, row, remark = {0}, first = {0};
	unsigned values_in_first = 0;

	*ret = (struct dm_table){0};
	if (dm_sv_starts(head, DM_SV("\xef\xbb\xbf")))
		head = dm_sv_from(head, 3);
	dm_refang_init(&s.refang);
	dm_buf_init(&s.scratch, DM_MAX_LINE + 16);
	ret->delimiter = sniff_delimiter(head, whole, &s.scratch);
	rest = head;
	while (s.rows < SAMPLE_ROWS && next_row(&rest, whole, ret->delimiter, &row)) {
		if (dm_table_remark(row)) {
			if (!first.p && row.n)
				remark = row;
			continue;
		}
		if (!first.p) {
			first = row;
			values_in_first = count_row(&s, row);
			/* Names are no values: if there are some, this is a row. */
			if (values_in_first == 0) {
				memset(s.tally, 0, sizeof(s.tally));
				ret->header = true;
			}
			continue;
		}
		count_row(&s, row);
		s.rows++;
	}
	if (ret->header) {
		name_columns(ret, first, &s.scratch);
	} else if (first.p && remark.p) {
		struct dm_table named = *ret;
		struct dm_sv names = names_in_remark(remark);

		name_columns(&named, names, &s.scratch);
		if (named.named &&
		    width(names, ret->delimiter, &s.scratch) == width(first, ret->delimiter, &s.scratch)) {
			*ret = named;
			ret->header_remark = true;
		}
	}
	by_content(&s, ret->header || ret->header_remark);
	settle(ret);
	dm_buf_done(&s.scratch);
	dm_refang_done(&s.refang);
	return ret->values != 0;
}
