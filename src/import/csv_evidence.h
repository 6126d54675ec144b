/* csv_evidence.h: tables of evidence, for importers whose format comes as such a table from another program.
 */
#ifndef DM_IMPORT_CSV_EVIDENCE_H
#define DM_IMPORT_CSV_EVIDENCE_H

#include "import/importer.h"

/* Reads a table with a header line; `dataset` is the event.dataset of every row. */
int dm_csv_evidence_read(struct dm_import_input *in, struct dm_sink *sink, const char *dataset,
			 struct dm_err *err);

#endif
