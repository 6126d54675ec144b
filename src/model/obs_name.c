/* obs_name.c: what the kinds of observables are called here, in STIX, MISP, OpenIOC and in people's column
 * heads. */
#include "model/observable.h"

static const char *const names[DM_OBS_TYPES] = {
	[DM_OBS_NONE] = "unknown",
	[DM_OBS_IPV4] = "ipv4-addr",
	[DM_OBS_IPV6] = "ipv6-addr",
	[DM_OBS_DOMAIN] = "domain-name",
	[DM_OBS_URL] = "url",
	[DM_OBS_MD5] = "md5",
	[DM_OBS_SHA1] = "sha1",
	[DM_OBS_SHA256] = "sha256",
	[DM_OBS_SHA512] = "sha512",
	[DM_OBS_SSDEEP] = "ssdeep",
	[DM_OBS_TLSH] = "tlsh",
	[DM_OBS_EMAIL] = "email-addr",
	[DM_OBS_MAC] = "mac-addr",
	[DM_OBS_AS] = "autonomous-system",
	[DM_OBS_X509_SHA1] = "x509-sha1",
	[DM_OBS_X509_SHA256] = "x509-sha256",
	[DM_OBS_X509_MD5] = "x509-md5",
	[DM_OBS_JA3] = "ja3",
	[DM_OBS_JA4] = "ja4",
	[DM_OBS_MUTEX] = "mutex",
	[DM_OBS_FILENAME] = "file-name",
	[DM_OBS_USER_AGENT] = "user-agent",
	[DM_OBS_REGISTRY] = "windows-registry-key",
	[DM_OBS_JA3S] = "ja3s",
};

/* Synonyms in lower case without punctuation, ascending: looked up by halving. */
static const struct {
	const char *name;
	enum dm_obs_type type;
} synonyms[] = {
	{"address", DM_OBS_IPV4},
	{"as", DM_OBS_AS},
	{"asn", DM_OBS_AS},
	{"asnumber", DM_OBS_AS},
	{"autonomoussystem", DM_OBS_AS},
	{"certmd5", DM_OBS_X509_MD5},
	{"certsha1", DM_OBS_X509_SHA1},
	{"certsha256", DM_OBS_X509_SHA256},
	{"domain", DM_OBS_DOMAIN},
	{"domainname", DM_OBS_DOMAIN},
	{"domainnamevalue", DM_OBS_DOMAIN},
	{"email", DM_OBS_EMAIL},
	{"emailaddr", DM_OBS_EMAIL},
	{"emailaddress", DM_OBS_EMAIL},
	{"emailaddrvalue", DM_OBS_EMAIL},
	{"emaildst", DM_OBS_EMAIL},
	{"emailfrom", DM_OBS_EMAIL},
	{"emailreplyto", DM_OBS_EMAIL},
	{"emailsrc", DM_OBS_EMAIL},
	{"emailwhois", DM_OBS_EMAIL},
	{"filehashesmd5", DM_OBS_MD5},
	{"filehashessha1", DM_OBS_SHA1},
	{"filehashessha256", DM_OBS_SHA256},
	{"filehashessha512", DM_OBS_SHA512},
	{"filehashesssdeep", DM_OBS_SSDEEP},
	{"filehashestlsh", DM_OBS_TLSH},
	{"filehashmd5", DM_OBS_MD5},
	{"filehashsha1", DM_OBS_SHA1},
	{"filehashsha256", DM_OBS_SHA256},
	{"filehashsha512", DM_OBS_SHA512},
	{"filename", DM_OBS_FILENAME},
	{"fqdn", DM_OBS_DOMAIN},
	{"hashmd5", DM_OBS_MD5},
	{"hashsha1", DM_OBS_SHA1},
	{"hashsha256", DM_OBS_SHA256},
	{"hashsha512", DM_OBS_SHA512},
	{"host", DM_OBS_DOMAIN},
	{"hostname", DM_OBS_DOMAIN},
	{"hosts", DM_OBS_DOMAIN},
	{"imphash", DM_OBS_NONE}, /* 32 digits, but of imports: must not be taken for an md5 */
	{"ip", DM_OBS_IPV4},
	{"ipaddr", DM_OBS_IPV4},
	{"ipaddress", DM_OBS_IPV4},
	{"ipdst", DM_OBS_IPV4},
	{"ips", DM_OBS_IPV4},
	{"ipsrc", DM_OBS_IPV4},
	{"ipv4", DM_OBS_IPV4},
	{"ipv4addr", DM_OBS_IPV4},
	{"ipv4address", DM_OBS_IPV4},
	{"ipv4addrvalue", DM_OBS_IPV4},
	{"ipv6", DM_OBS_IPV6},
	{"ipv6addr", DM_OBS_IPV6},
	{"ipv6address", DM_OBS_IPV6},
	{"ipv6addrvalue", DM_OBS_IPV6},
	{"ja3", DM_OBS_JA3},
	{"ja3fingerprintmd5", DM_OBS_JA3},
	{"ja3s", DM_OBS_JA3S},
	{"ja4", DM_OBS_JA4},
	{"macaddr", DM_OBS_MAC},
	{"macaddress", DM_OBS_MAC},
	{"mail", DM_OBS_EMAIL},
	{"md5", DM_OBS_MD5},
	{"md5hash", DM_OBS_MD5},
	{"mutex", DM_OBS_MUTEX},
	{"mutexname", DM_OBS_MUTEX},
	{"registry", DM_OBS_REGISTRY},
	{"registrykey", DM_OBS_REGISTRY},
	{"regkey", DM_OBS_REGISTRY},
	{"sha1", DM_OBS_SHA1},
	{"sha1hash", DM_OBS_SHA1},
	{"sha256", DM_OBS_SHA256},
	{"sha256hash", DM_OBS_SHA256},
	{"sha512", DM_OBS_SHA512},
	{"sha512hash", DM_OBS_SHA512},
	{"ssdeep", DM_OBS_SSDEEP},
	{"tlsh", DM_OBS_TLSH},
	{"uri", DM_OBS_URL},
	{"url", DM_OBS_URL},
	{"urls", DM_OBS_URL},
	{"urlvalue", DM_OBS_URL},
	{"useragent", DM_OBS_USER_AGENT},
	{"windowsregistrykey", DM_OBS_REGISTRY},
	{"windowsregistrykeykey", DM_OBS_REGISTRY},
	{"x509fingerprintmd5", DM_OBS_X509_MD5},
	{"x509fingerprintsha1", DM_OBS_X509_SHA1},
	{"x509fingerprintsha256", DM_OBS_X509_SHA256},
	{"x509md5", DM_OBS_X509_MD5},
	{"x509sha1", DM_OBS_X509_SHA1},
	{"x509sha256", DM_OBS_X509_SHA256},
};

const char *dm_obs_name(enum dm_obs_type t)
{
	return t > DM_OBS_NONE && t < DM_OBS_TYPES ? names[t] : names[DM_OBS_NONE];
}

enum dm_obs_type dm_obs_from_name(struct dm_sv name)
{
	char plain[32];
	size_t n = 0, lo = 0, hi = sizeof(synonyms) / sizeof(synonyms[0]);

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
			if (c && memchr(" -_.:'\"[]", c, 9))
				continue;
			return DM_OBS_NONE;
		}
		if (n == sizeof(plain) - 1)
			return DM_OBS_NONE;
		plain[n++] = c;
	}
	plain[n] = 0;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(plain, synonyms[mid].name);

		if (c == 0)
			return synonyms[mid].type;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return DM_OBS_NONE;
}
