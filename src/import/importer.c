#include "import/importer.h"

/* In order of preference for equal scores. */
const struct dm_importer *const dm_importers[] = {
	/* evidence */
	&dm_import_zeek_tsv,
	&dm_import_zeek_json,
	&dm_import_eve,
	&dm_import_fast,
	&dm_import_pcap,
	&dm_import_nfcapd,
	&dm_import_ipfix,
	&dm_import_hashlist,
	&dm_import_csv,
	/* intelligence, or both */
	&dm_import_stix,
	&dm_import_misp,
	&dm_import_openioc,
	&dm_import_warninglist,
	&dm_import_indicator_csv,
	&dm_import_text,
	NULL,
};

const struct dm_importer *dm_importer_find(struct dm_sv head, const char *name, enum dm_import_class want)
{
	const struct dm_importer *best = NULL;
	int best_score = 0;

	for (size_t i = 0; dm_importers[i]; i++) {
		const struct dm_importer *imp = dm_importers[i];
		int score;

		if (want != DM_EITHER && imp->gives != DM_EITHER && imp->gives != want)
			continue;
		score = imp->probe(head, name);
		if (score > best_score) {
			best_score = score;
			best = imp;
		}
	}
	return best;
}

const struct dm_importer *dm_importer_by_name(const char *name)
{
	for (size_t i = 0; dm_importers[i]; i++) {
		if (!strcmp(dm_importers[i]->name, name))
			return dm_importers[i];
	}
	return NULL;
}
