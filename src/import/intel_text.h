/* intel_text.h: the parts of the reader of reports and plain lists. */
#ifndef DM_IMPORT_INTEL_TEXT_H
#define DM_IMPORT_INTEL_TEXT_H

#include "import/intel.h"
#include "import/refang.h"

/* What was found between words before it was clear whether the document defangs its indicators. */
struct dm_text_held {
	enum dm_obs_type type;
	struct dm_sv text, original, label;
	uint64_t line;
};

#define DM_TEXT_HEADING 160u /* bytes kept of a heading, as the label of what stands below it */

struct dm_text {
	struct dm_intel intel;
	struct dm_refang refang;
	struct dm_buf url; /* a URL with its scheme put back */
	uint64_t line;
	bool defanged;	 /* the document has a defanged indicator */
	bool undefanged; /* it has so many plain ones that it is taken not to defang */
	bool in_mail_header;
	unsigned hashes; /* '#' in front of the last line: two such lines together are a comment, not headings
			  */
	char heading[DM_TEXT_HEADING];
	size_t heading_n;
	struct dm_text_held *held;
	size_t n_held, cap_held;
	struct dm_arena held_text;
};

int dm_text_init(struct dm_text *t, struct dm_sink *sink);
void dm_text_done(struct dm_text *t);
/* One line, without its end. */
int dm_text_line(struct dm_text *t, struct dm_sv line);
/* Hands over what was held back; at the end of the document. */
int dm_text_finish(struct dm_text *t);

#endif
