/* The terms of OpenIOC (Context/@search) that name an observable. Terms are paths, "FileItem/Md5sum"; many
 * kinds of item end in the same last part. */
#include "import/openioc.h"

enum how { WHOLE, LAST };

static const struct {
	const char *term;
	uint8_t how; /* WHOLE: the whole term; LAST: its last part, whatever stands before */
	uint8_t type;
} terms[] = {
	{"md5sum", LAST, DM_OBS_MD5},
	{"sha1sum", LAST, DM_OBS_SHA1},
	{"sha256sum", LAST, DM_OBS_SHA256},
	{"sha512sum", LAST, DM_OBS_SHA512},
	{"pathmd5sum", LAST, DM_OBS_MD5},
	{"pathsha1sum", LAST, DM_OBS_SHA1},
	{"pathsha256sum", LAST, DM_OBS_SHA256},
	{"serviceDLLmd5sum", LAST, DM_OBS_MD5},
	{"serviceDLLsha1sum", LAST, DM_OBS_SHA1},
	{"serviceDLLsha256sum", LAST, DM_OBS_SHA256},
	{"Ssdeep", LAST, DM_OBS_SSDEEP},
	{"remoteIP", LAST, DM_OBS_IPV4},
	{"localIP", LAST, DM_OBS_IPV4},
	{"IPv4Address", LAST, DM_OBS_IPV4},
	{"IPv6Address", LAST, DM_OBS_IPV6},
	{"ArpEntryItem/PhysicalAddress", WHOLE, DM_OBS_MAC},
	{"RouteEntryItem/Destination", WHOLE, DM_OBS_IPV4},
	{"RouteEntryItem/Gateway", WHOLE, DM_OBS_IPV4},
	{"Network/DNS", WHOLE, DM_OBS_DOMAIN},
	{"Network/URI", WHOLE, DM_OBS_URL},
	{"Network/UserAgent", WHOLE, DM_OBS_USER_AGENT},
	{"Network/HTTP_Referr", WHOLE, DM_OBS_URL},
	{"DnsEntryItem/Host", WHOLE, DM_OBS_DOMAIN},
	{"DnsEntryItem/RecordName", WHOLE, DM_OBS_DOMAIN},
	{"DnsEntryItem/RecordData/Host", WHOLE, DM_OBS_DOMAIN},
	{"UrlHistoryItem/URL", WHOLE, DM_OBS_URL},
	{"UrlHistoryItem/HostName", WHOLE, DM_OBS_DOMAIN},
	{"CookieHistoryItem/HostName", WHOLE, DM_OBS_DOMAIN},
	{"FormHistoryItem/HostName", WHOLE, DM_OBS_DOMAIN},
	{"FileDownloadHistoryItem/SourceURL", WHOLE, DM_OBS_URL},
	{"FileDownloadHistoryItem/FileName", WHOLE, DM_OBS_FILENAME},
	{"Email/From", WHOLE, DM_OBS_EMAIL},
	{"Email/To", WHOLE, DM_OBS_EMAIL},
	{"Email/CC", WHOLE, DM_OBS_EMAIL},
	{"Email/BCC", WHOLE, DM_OBS_EMAIL},
	{"Email/ReplyTo", WHOLE, DM_OBS_EMAIL},
	{"Email/ReceivedFromHost", WHOLE, DM_OBS_DOMAIN},
	{"Email/ReceivedFromIP", WHOLE, DM_OBS_IPV4},
	{"Email/Attachment/Name", WHOLE, DM_OBS_FILENAME},
	{"Email/Attachment/MD5", WHOLE, DM_OBS_MD5},
	{"FileItem/FileName", WHOLE, DM_OBS_FILENAME},
	{"FileItem/FullPath", WHOLE, DM_OBS_FILENAME},
	{"PrefetchItem/ApplicationFileName", WHOLE, DM_OBS_FILENAME},
	{"RegistryItem/Path", WHOLE, DM_OBS_REGISTRY},
	{"RegistryItem/KeyPath", WHOLE, DM_OBS_REGISTRY},
	{"PersistenceItem/RegPath", WHOLE, DM_OBS_REGISTRY},
	{"ProcessItem/HandleList/Handle/Name", WHOLE, DM_OBS_MUTEX},
	{"HookItem/Mutex/Name", WHOLE, DM_OBS_MUTEX},
};

enum dm_obs_type openioc_term(struct dm_sv search)
{
	struct dm_sv last = search;

	for (size_t cut; (cut = dm_sv_find(last, '/')) != SIZE_MAX;)
		last = dm_sv_from(last, cut + 1);
	for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
		if (dm_sv_ieq(terms[i].how == LAST ? last : search, dm_sv_str(terms[i].term)))
			return terms[i].type;
	return DM_OBS_NONE;
}
