/* field.c: the table of columns and kinds as data. */
#include "model/record.h"

const struct dm_field_info dm_field_info[DM_FIELDS] = {
#define FIELD(id, number, ecs, t, observable)                                                                \
	[number] = {.name = ecs, .type = DM_T_##t, .obs = DM_OBS_##observable},
#include "model/fields.def"
#undef FIELD
};

/* A number used twice would silently give one column the meaning of another. */
#define FIELD(id, number, ecs, t, observable)                                                                \
	_Static_assert((number) > 0 && (number) < DM_FIELDS, "field number of " ecs);
#include "model/fields.def"
#undef FIELD
__attribute__((unused)) static int numbers_are_unique(int number)
{
	switch (number) {
#define FIELD(id, number, ecs, t, observable)                                                                \
	case number:                                                                                         \
		return number;
#include "model/fields.def"
#undef FIELD
	}
	return 0;
}

static const char *const kinds[DM_KINDS] = {
	[DM_KIND_FLOW] = "flow",	 [DM_KIND_DNS] = "dns",	    [DM_KIND_HTTP] = "http",
	[DM_KIND_TLS] = "tls",		 [DM_KIND_FILE] = "file",   [DM_KIND_CERT] = "cert",
	[DM_KIND_MAIL] = "mail",	 [DM_KIND_LOGIN] = "login", [DM_KIND_ALERT] = "alert",
	[DM_KIND_OBSERVED] = "observed",
};

const char *dm_kind_name(enum dm_kind k)
{
	return k > 0 && k < DM_KINDS ? kinds[k] : "unknown";
}

enum dm_kind dm_kind_from_name(struct dm_sv name)
{
	for (int k = 1; k < DM_KINDS; k++)
		if (dm_sv_is(name, kinds[k]))
			return (enum dm_kind)k;
	return 0;
}

enum dm_field dm_field_from_name(struct dm_sv ecs_name)
{
	for (int f = 1; f < DM_FIELDS; f++)
		if (dm_field_info[f].name && dm_sv_is(ecs_name, dm_field_info[f].name))
			return (enum dm_field)f;
	return DM_F_NONE;
}
