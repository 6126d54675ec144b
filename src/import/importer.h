/* importer.h: the table of formats. An importer is one file in import/ with one `struct dm_importer`. */
#ifndef DM_IMPORT_IMPORTER_H
#define DM_IMPORT_IMPORTER_H

#include "import/sink.h"

enum dm_import_class { DM_EVIDENCE, DM_INTELLIGENCE, DM_EITHER };

struct dm_import_input {
	struct dm_stream *stream;
	const char *name;	/* file name as the user gave it, for hints ("conn.log") and messages */
	uint64_t resume_offset; /* decoded bytes already imported earlier, 0 for a new file; the importer
				   re-reads headers, then skips to here */
	uint64_t resume_line;	/* lines before resume_offset */
	bool timings;		/* pcap: keep packet times and lengths */
	bool unfinished; /* the file may still be written to: a last line without line feed is left for the
			    next time */
	enum dm_import_class want; /* what the caller said; DM_EITHER: not said */
	int64_t year_hint;
};

struct dm_importer {
	const char *name;  /* "zeek-tsv", "suricata-eve", ... */
	const char *title; /* for people: "Zeek log (TSV)" */
	enum dm_import_class gives;
	const char *module; /* library that must be loaded before confinement, or NULL: "json", "pcap",
			       "fixbuf", "expat" */
	/* 0 to 100: how surely `head` (up to 64 KiB decoded) is this format. name is a hint only. */
	int (*probe)(struct dm_sv head, const char *name);
	int (*run)(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err);
	int (*preload)(struct dm_err *err); /* loads `module`; NULL if none */
	bool growing;			    /* whether resume_offset is understood */
	/* External program that turns the file into the text which run() reads, argv NULL-terminated, the
	 * file being its descriptor 0; NULL if none. probe() sees the file, run() the program's output.
	 * Whoever starts the worker starts it too: see decoder.h. */
	const char *const *decoder;
};

extern const struct dm_importer dm_import_zeek_tsv, dm_import_zeek_json, dm_import_eve, dm_import_fast,
	dm_import_pcap, dm_import_nfcapd, dm_import_ipfix, dm_import_hashlist, dm_import_csv, dm_import_stix,
	dm_import_misp, dm_import_openioc, dm_import_text, dm_import_indicator_csv, dm_import_warninglist;

/* All importers, in order of preference for equal scores; NULL-terminated. */
extern const struct dm_importer *const dm_importers[];
/* The best match of `head`; NULL if nothing scores above 0. `want` restricts (DM_EITHER: all). */
const struct dm_importer *dm_importer_find(struct dm_sv head, const char *name, enum dm_import_class want);
const struct dm_importer *dm_importer_by_name(const char *name);

#endif
