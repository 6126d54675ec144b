/* guess.c: what a bare token is. Rather nothing than a wrong guess: a file name taken for a domain would be
 * hunted, and blocked. */
#include "model/domain.h"
#include "model/guess.h"
#include "model/hash.h"
#include "model/url.h"

/* Ends of file names that are no top-level domains, ascending. */
static const char *const extensions[] = {
	"7z",	"aac",	  "accdb", "apk",  "asar",  "asp",    "aspx",  "avi",  "bak",  "bash",	 "bat",
	"bin",	"bmp",	  "btm",   "cfg",  "chm",   "class",  "cmd",   "conf", "cpl",  "cpp",	 "crl",
	"crt",	"csr",	  "css",   "csv",  "dat",   "db",     "deb",   "der",  "diff", "dll",	 "dmg",
	"dmp",	"doc",	  "docm",  "docx", "dotm",  "dump",   "dylib", "elf",  "eml",  "eps",	 "evt",
	"evtx", "exe",	  "flv",   "gif",  "gz",    "hlp",    "hta",   "htm",  "html", "hwp",	 "hwpx",
	"ico",	"ics",	  "img",   "inf",  "ini",   "iqy",    "iso",   "jar",  "jpeg", "jpg",	 "js",
	"jse",	"json",	  "jsp",   "jspx", "jtd",   "kext",   "key",   "ko",   "lib",  "lnk",	 "lock",
	"log",	"lua",	  "lzh",   "mht",  "mp3",   "mp4",    "mpeg",  "mpg",  "msc",  "msg",	 "msi",
	"msp",	"mui",	  "nls",   "nsi",  "obj",   "ocx",    "odt",   "ost",  "pcap", "pcapng", "pdb",
	"pdf",	"pem",	  "pfx",   "php",  "phtml", "pif",    "plist", "png",  "ppt",  "pptm",	 "pptx",
	"ps1",	"psd",	  "psd1",  "psm1", "pst",   "pyc",    "rar",   "reg",  "rpm",  "rtf",	 "scr",
	"sct",	"sha256", "sldm",  "slk",  "sql",   "sqlite", "src",   "svg",  "swf",  "sys",	 "tar",
	"tgz",	"tif",	  "tiff",  "tmp",  "ttf",   "txt",    "url",   "vb",   "vbe",  "vbs",	 "vdi",
	"vhd",	"vhdx",	  "vmdk",  "vsdx", "war",   "wasm",   "wav",   "webp", "wim",  "wmf",	 "wmv",
	"woff", "woff2",  "wsc",   "wsf",  "wsh",   "xhtml",  "xla",   "xlam", "xll",  "xls",	 "xlsb",
	"xlsm", "xlsx",	  "xml",   "xsl",  "yaml",  "yar",    "yara",  "yml",  "zst",
};

/* Ends that are both: "install.sh" is a script or a host on Saint Helena. */
static const char *const both[] = {"ai", "app", "bz", "cab", "cc", "java", "md", "mov",
				   "pl", "ps",	"py", "rs",  "sh", "so",   "st", "zip"};

static bool listed(struct dm_sv s, const char *const *list, size_t n)
{
	char low[24];
	size_t lo = 0;

	if (s.n == 0 || s.n >= sizeof(low))
		return false;
	for (size_t i = 0; i < s.n; i++)
		low[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]);
	low[s.n] = 0;
	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;
		int c = strcmp(low, list[mid]);

		if (c == 0)
			return true;
		if (c < 0)
			n = mid;
		else
			lo = mid + 1;
	}
	return false;
}

static struct dm_sv last_label(struct dm_sv s)
{
	const char *dot = s.n ? memrchr(s.p, '.', s.n) : NULL;

	return dot ? dm_sv_from(s, (size_t)(dot - s.p) + 1) : dm_sv(s.p, 0);
}

bool dm_guess_is_file_name(struct dm_sv s)
{
	return listed(last_label(s), extensions, sizeof(extensions) / sizeof(extensions[0]));
}

bool dm_guess_may_be_file_name(struct dm_sv s)
{
	return dm_guess_is_file_name(s) || listed(last_label(s), both, sizeof(both) / sizeof(both[0]));
}

/* A name of two labels at least, whose last one can be a top-level domain: letters, or an A-label. */
static bool is_domain(struct dm_sv token)
{
	char text[DM_MAX_DOMAIN + 1];
	size_t n = dm_domain_strict(token, text);
	struct dm_sv top = last_label(dm_sv(text, n));

	if (top.n < 2 || dm_guess_is_file_name(dm_sv(text, n)))
		return false;
	if (top.n > 4 && memcmp(top.p, "xn--", 4) == 0)
		return true;
	for (size_t i = 0; i < top.n; i++)
		if (top.p[i] < 'a' || top.p[i] > 'z')
			return false;
	return true;
}

static bool is_url(struct dm_sv token)
{
	struct dm_buf tmp;
	struct dm_sv host;
	bool ok;

	if (!memmem(token.p, token.n, "://", 3))
		return false;
	dm_buf_init(&tmp, DM_MAX_URL + 64);
	ok = dm_url_canonical(token, false, &tmp) && dm_url_host(dm_buf_view(&tmp), &host);
	dm_buf_done(&tmp);
	return ok;
}

static bool is_email(struct dm_sv token)
{
	const char *at = memchr(token.p, '@', token.n);
	struct dm_buf tmp;
	enum dm_obs_type t;
	bool ok;

	if (!at || token.n > DM_MAX_EMAIL || !is_domain(dm_sv_from(token, (size_t)(at - token.p) + 1)))
		return false;
	dm_buf_init(&tmp, DM_MAX_EMAIL + DM_MAX_DOMAIN);
	ok = dm_obs_key(DM_OBS_EMAIL, token, &tmp, &t);
	dm_buf_done(&tmp);
	return ok;
}

static bool is_mac(struct dm_sv s)
{
	if (s.n != 17 || (s.p[2] != ':' && s.p[2] != '-'))
		return false;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? s.p[i] != s.p[2]
			       : !((s.p[i] >= '0' && s.p[i] <= '9') ||
				   ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f')))
			return false;
	return true;
}

static bool is_as(struct dm_sv s)
{
	uint64_t n;

	return s.n > 2 && s.n <= 12 && (s.p[0] == 'A' || s.p[0] == 'a') && (s.p[1] == 'S' || s.p[1] == 's') &&
	       dm_sv_u64(dm_sv_from(s, 2), &n) && n <= UINT32_MAX;
}

static bool is_registry(struct dm_sv s)
{
	struct dm_buf tmp;
	enum dm_obs_type t;
	bool ok;

	/* With a path behind it: "HKLM" alone is a word. */
	if (s.n < 6 || !dm_sv_ieq(dm_sv(s.p, 2), DM_SV("HK")) || !memchr(s.p, '\\', s.n - 1))
		return false;
	dm_buf_init(&tmp, DM_MAX_URL + 64);
	ok = dm_obs_key(DM_OBS_REGISTRY, s, &tmp, &t);
	dm_buf_done(&tmp);
	return ok;
}

/* What bytes a token has: most questions are answered by one look at each byte. The table holds class ^
 * OTHER, so that what is not named is OTHER. */
enum { DIGIT = 1, HEX = 2, LETTER = 4, DOT = 8, DASH = 16, COLON = 32, AT = 64, OTHER = 128 };

static const uint8_t classes[256] = {
	['0' ... '9'] = DIGIT ^ OTHER,	['a' ... 'f'] = HEX ^ OTHER,
	['A' ... 'F'] = HEX ^ OTHER,	['g' ... 'z'] = LETTER ^ OTHER,
	['G' ... 'Z'] = LETTER ^ OTHER, ['.'] = DOT ^ OTHER,
	['-'] = DASH ^ OTHER,		['_'] = DASH ^ OTHER,
	[':'] = COLON ^ OTHER,		['@'] = AT ^ OTHER,
};

enum dm_obs_type dm_obs_guess(struct dm_sv token)
{
	unsigned seen = 0;
	struct dm_ip ip;

	if (token.n < 2 || token.n > DM_MAX_URL)
		return DM_OBS_NONE;
	for (size_t i = 0; i < token.n; i++)
		seen |= classes[(uint8_t)token.p[i]] ^ OTHER;
	if (!(seen & ~(DIGIT | DOT)) || (seen & COLON)) {
		if (dm_ip_parse(token, &ip))
			return dm_ip_is4(&ip) ? DM_OBS_IPV4 : DM_OBS_IPV6;
	}
	if (!(seen & ~(DIGIT | HEX)))
		return token.n >= 32 ? dm_hash_type(DM_OBS_MD5, token.n) : DM_OBS_NONE;
	if ((seen & COLON) && is_url(token))
		return DM_OBS_URL;
	if (seen & AT)
		return is_email(token) ? DM_OBS_EMAIL : DM_OBS_NONE;
	if (!(seen & ~(DIGIT | HEX | LETTER)))
		return is_as(token) ? DM_OBS_AS : DM_OBS_NONE;
	if (token.n == 17 && is_mac(token))
		return DM_OBS_MAC;
	if (token.n == 36 && dm_ja4_valid(token))
		return DM_OBS_JA4;
	if ((seen & DOT) && !(seen & COLON) && is_domain(token))
		return DM_OBS_DOMAIN;
	/* Names outside ASCII may have other full stops. */
	if ((seen & OTHER) && !(seen & (COLON | DOT)) && is_domain(token))
		return DM_OBS_DOMAIN;
	return (seen & OTHER) && is_registry(token) ? DM_OBS_REGISTRY : DM_OBS_NONE;
}
