#include "import/zeek_name.h"

struct dm_sv dm_zeek_name_stem(const char *name)
{
	struct dm_sv s = dm_sv_str(name ? name : "");
	size_t n = 0;

	for (size_t i = s.n; i > 0; i--) {
		if (s.p[i - 1] == '/') {
			s = dm_sv_from(s, i);
			break;
		}
	}
	while (n < s.n && n < 40 &&
	       ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
		(s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '_'))
		n++;
	return n ? dm_sv(s.p, n) : DM_SV("unknown");
}
