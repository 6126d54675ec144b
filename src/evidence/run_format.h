/* run_format.h: the layout of a run file. Little-endian; sections as in segment_format.h. */
#ifndef DM_EVIDENCE_RUN_FORMAT_H
#define DM_EVIDENCE_RUN_FORMAT_H

#include "evidence/segment_format.h"

#define DM_RUN_MAGIC   "DMRUN  \n"
#define DM_RUN_VERSION 1u

struct dm_run_header {
	char magic[8];
	uint32_t version, features;
	uint64_t size;
	uint32_t n_types, n_cells;
	uint64_t directory, directory_n,
		directory_sum; /* dm_run_type_desc of each type, then dm_cell of each cell */
	uint64_t sum;	       /* XXH3-64 of the header before here */
};

struct dm_run_type_desc {
	uint32_t type, n;
	struct dm_section keys, count, first, span, cells_at,
		cells; /* a key in one cell has only the cell in `cells` */
};

#endif
