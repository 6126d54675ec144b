/* ioc.c: tokens and cells as indicators. */
#include "import/ioc.h"
#include "model/guess.h"

/* Top-level domains of three letters and more that prose is likely to mean; ascending. New ones appear each
 * month: a name that ends otherwise counts where it stands defanged or alone, only not between the words of a
 * sentence. */
static const char *const tlds[] = {
	"agency",  "app",    "arpa",	"art",	   "asia",     "autos",	  "bar",     "best",	 "bid",
	"biz",	   "blog",   "bond",	"buzz",	   "casa",     "cat",	  "cfd",     "click",	 "cloud",
	"club",	   "com",    "company", "coop",	   "date",     "dev",	  "digital", "download", "edu",
	"email",   "expert", "finance", "fit",	   "fun",      "fyi",	  "gdn",     "global",	 "gov",
	"group",   "guru",   "help",	"host",	   "hosting",  "icu",	  "info",    "ink",	 "int",
	"jobs",	   "kim",    "land",	"life",	   "link",     "live",	  "loan",    "lol",	 "ltd",
	"media",   "men",    "mil",	"mobi",	   "mom",      "monster", "museum",  "name",	 "net",
	"network", "news",   "ninja",	"one",	   "onion",    "online",  "org",     "page",	 "party",
	"plus",	   "post",   "press",	"pro",	   "pub",      "quest",	  "red",     "rest",	 "review",
	"rocks",   "run",    "sbs",	"science", "services", "shop",	  "site",    "social",	 "solutions",
	"space",   "store",  "stream",	"studio",  "support",  "surf",	  "systems", "tech",	 "tel",
	"today",   "tokyo",  "tools",	"top",	   "trade",    "travel",  "vip",     "wang",	 "website",
	"wiki",	   "win",    "work",	"world",   "wtf",      "xxx",	  "xyz",     "zone",
};

bool dm_ioc_known_tld(struct dm_sv label)
{
	size_t lo = 0, hi = sizeof(tlds) / sizeof(tlds[0]);
	char low[16];

	if (label.n > 4 && dm_sv_ieq(dm_sv(label.p, 4), DM_SV("xn--")))
		return true;
	if (label.n < 2 || label.n >= sizeof(low))
		return false;
	for (size_t i = 0; i < label.n; i++) {
		low[i] = (char)(label.p[i] >= 'A' && label.p[i] <= 'Z' ? label.p[i] | 0x20 : label.p[i]);
		if (low[i] < 'a' || low[i] > 'z')
			return false;
	}
	low[label.n] = 0;
	if (label.n == 2)
		return true;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(low, tlds[mid]);

		if (c == 0)
			return true;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

/* Whether the bracket that s ends with was opened in it: "http://a.b/c_(d)". */
static bool balanced(struct dm_sv s)
{
	int open = 0;

	for (size_t i = 0; i < s.n; i++)
		open += s.p[i] == '(' ? 1 : s.p[i] == ')' ? -1 : 0;
	return open >= 0;
}

struct dm_sv dm_ioc_trim(struct dm_sv s)
{
	/* A leading dot, star or underscore can belong to the value ("*.evil.com", ".evil.com",
	 * "_dmarc.evil.com"), a leading bracket to "[::1]:80". */
	while (s.n && memchr(" \t\r\"'`<({,;|:!", s.p[0], 14))
		s = dm_sv_from(s, 1);
	while (s.n &&
	       (memchr(" \t\r\"'`>},;|:!?.*", s.p[s.n - 1], 16) || (s.p[s.n - 1] == ')' && !balanced(s))))
		s.n--;
	while (s.n > 1 && s.p[0] == '*' && s.p[1] != '.')
		s = dm_sv_from(s, 1);
	if (s.n > 1 && s.p[0] == '[' && !memchr(s.p, ']', s.n))
		s = dm_sv_from(s, 1);
	if (s.n > 1 && s.p[s.n - 1] == ']' && !memchr(s.p, '[', s.n))
		s.n--;
	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = dm_sv(s.p + 1, s.n - 2);
	if (s.n > 2 && s.p[0] == '_' && s.p[s.n - 1] == '_')
		s = dm_sv(s.p + 1, s.n - 2);
	return s;
}

static enum dm_ioc_verdict found(struct dm_ioc *ret, enum dm_indicator_form form, enum dm_obs_type t,
				 struct dm_sv text)
{
	*ret = (struct dm_ioc){.form = form, .type = t, .text = text};
	return DM_IOC_FOUND;
}

static bool is_port(struct dm_sv s)
{
	uint64_t port;

	return s.n <= 5 && dm_sv_u64(s, &port) && port <= 65535;
}

/* Without ":port" behind it, brackets of IPv6 taken off; the type of what is left if it is an address or a
 * domain. */
static enum dm_obs_type host_type(struct dm_sv *s)
{
	enum dm_obs_type t = dm_obs_guess(*s);
	const char *colon;

	if (t == DM_OBS_NONE && s->n > 2 && s->p[0] == '[') {
		size_t close = dm_sv_find(*s, ']');

		if (close == SIZE_MAX ||
		    (close + 1 < s->n && (s->p[close + 1] != ':' || !is_port(dm_sv_from(*s, close + 2)))))
			return DM_OBS_NONE;
		*s = dm_sv(s->p + 1, close - 1);
		t = dm_obs_guess(*s);
	} else if (t == DM_OBS_NONE && (colon = memrchr(s->p, ':', s->n)) &&
		   is_port(dm_sv_from(*s, (size_t)(colon - s->p) + 1))) {
		s->n = (size_t)(colon - s->p);
		t = dm_obs_guess(*s);
	}
	return t == DM_OBS_IPV4 || t == DM_OBS_IPV6 || t == DM_OBS_DOMAIN ? t : DM_OBS_NONE;
}

static bool has_scheme(struct dm_sv s, const char *name)
{
	size_t n = strlen(name);

	return s.n > n + 3 && dm_sv_ieq(dm_sv(s.p, n), dm_sv(name, n)) && memcmp(s.p + n, "://", 3) == 0;
}

/* "tcp://1.2.3.4:443" says how to reach a host; no log holds such a URL. */
static bool transport_only(struct dm_sv *s)
{
	static const char *const schemes[] = {"tcp", "udp", "ssl", "tls", "dns", "icmp", "quic"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (!has_scheme(*s, schemes[i]))
			continue;
		*s = dm_sv_from(*s, strlen(schemes[i]) + 3);
		if (s->n && s->p[s->n - 1] == '/')
			s->n--;
		return true;
	}
	return false;
}

static enum dm_ioc_verdict read_range(struct dm_sv s, struct dm_ioc *ret)
{
	struct dm_ip first, last;

	if (s.n == 0 || (dm_sv_find(s, '/') == SIZE_MAX && dm_sv_find(s, '-') == SIZE_MAX) ||
	    !dm_ip_range(s, &first, &last))
		return DM_IOC_NONE;
	return found(ret, memcmp(&first, &last, sizeof(first)) ? DM_IND_RANGE : DM_IND_VALUE,
		     dm_ip_is4(&first) ? DM_OBS_IPV4 : DM_OBS_IPV6, s);
}

/* "evil.com/path", "1.2.3.4:8080/x.exe": a URL that lost its scheme. */
static enum dm_ioc_verdict read_bare_url(struct dm_sv s, struct dm_ioc *ret)
{
	size_t slash = 0;
	struct dm_sv host;
	enum dm_obs_type t;

	while (slash < s.n && s.p[slash] != '/' && s.p[slash] != '?')
		slash++;
	if (slash == 0 || slash == s.n || memchr(s.p, ' ', s.n))
		return DM_IOC_NONE;
	host = dm_sv(s.p, slash);
	t = host_type(&host);
	if (t == DM_OBS_NONE)
		return DM_IOC_NONE;
	if (slash + 1 == s.n)
		return found(ret, DM_IND_VALUE, t, host);
	found(ret, DM_IND_VALUE, DM_OBS_URL, s);
	ret->add_scheme = true;
	return DM_IOC_FOUND;
}

static enum dm_ioc_verdict read_suffix(struct dm_sv s, struct dm_ioc *ret)
{
	struct dm_sv name = dm_sv_from(s, dm_sv_starts(s, DM_SV("*.")) ? 2 : 1);

	if (dm_obs_guess(name) != DM_OBS_DOMAIN)
		return DM_IOC_NONE;
	return found(ret, DM_IND_SUFFIX, DM_OBS_DOMAIN, s);
}

enum dm_ioc_verdict dm_ioc_read(struct dm_sv s, struct dm_ioc *ret)
{
	enum dm_obs_type t;
	struct dm_sv host;

	s = dm_ioc_trim(s);
	if (s.n < 2)
		return DM_IOC_NONE;
	if (transport_only(&s)) {
		t = host_type(&s);
		return t == DM_OBS_NONE ? DM_IOC_NONE : found(ret, DM_IND_VALUE, t, s);
	}
	t = dm_obs_guess(s);
	if (t != DM_OBS_NONE)
		return found(ret, DM_IND_VALUE, t, s);
	if (s.p[0] == '.' || dm_sv_starts(s, DM_SV("*.")))
		return read_suffix(s, ret);
	if (read_range(s, ret) == DM_IOC_FOUND)
		return DM_IOC_FOUND;
	host = s;
	t = host_type(&host);
	if (t != DM_OBS_NONE)
		return found(ret, DM_IND_VALUE, t, host);
	if (read_bare_url(s, ret) == DM_IOC_FOUND)
		return DM_IOC_FOUND;
	return dm_guess_is_file_name(s) ? DM_IOC_FILE : DM_IOC_NONE;
}

enum dm_ioc_verdict dm_ioc_read_as(struct dm_sv s, enum dm_obs_type t, struct dm_ioc *ret)
{
	struct dm_ioc other;
	enum dm_ioc_verdict v;

	switch (t) {
	case DM_OBS_NONE:
		return dm_ioc_read(s, ret);
	case DM_OBS_IPV4:
	case DM_OBS_IPV6:
	case DM_OBS_DOMAIN:
	case DM_OBS_URL:
		v = dm_ioc_read(s, &other);
		/* Columns are named by people: "host" holds addresses, "url" bare domains. A digest in one is
		 * a slip. */
		if (v == DM_IOC_FOUND && (other.type == DM_OBS_IPV4 || other.type == DM_OBS_IPV6 ||
					  other.type == DM_OBS_DOMAIN || other.type == DM_OBS_URL)) {
			*ret = other;
			return v;
		}
		/* Single labels and names that end like files are what the column says. */
		s = dm_ioc_trim(s);
		break;
	case DM_OBS_MUTEX:
	case DM_OBS_USER_AGENT:
	case DM_OBS_FILENAME:
	case DM_OBS_REGISTRY:
		s = dm_sv_trim(s);
		break;
	default:
		s = dm_ioc_trim(s);
		break;
	}
	if (s.n == 0)
		return DM_IOC_NONE;
	return found(ret, DM_IND_VALUE, t, s);
}
