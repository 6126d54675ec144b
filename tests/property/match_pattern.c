/* Patterns over observed-data, a case a line, for tests that compare with another evaluator.
 *
 * Input lines: {"pattern": "...", "observed": JSON}. Output lines: "match ID ID ...", "none", "bad OFFSET
 * REASON" for a pattern that is refused, "limit REASON" where the step budget ends, "error REASON".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "hunt/pattern_file.h"

static void one(struct dm_json *doc, struct dm_sv line, struct dm_buf *text)
{
	struct dm_pattern_verdict v = {0};
	struct dm_err err = {0};
	int rc = dm_json_parse(doc, line, &err);

	dm_buf_clear(text);
	if (!rc) {
		dm_json_write(text, doc, dm_json_get(doc, doc->nodes, "observed"));
		rc = dm_pattern_over_text(dm_json_get_str(doc, doc->nodes, "pattern"), dm_buf_view(text), &v,
					  &err);
	}
	if (rc == DM_EFORMAT && err.source[0])
		printf("bad %" PRIu64 " %s", err.offset, err.msg);
	else if (rc)
		printf("%s %s", rc == DM_ELIMIT ? "limit" : "error", err.msg);
	else
		fputs(v.matched ? "match" : "none", stdout);
	for (uint32_t i = 0; !rc && i < v.n_ids; i++)
		printf(" %.*s", (int)v.ids[i].n, v.ids[i].p);
	putchar('\n');
	if (!rc)
		dm_pattern_verdict_done(&v);
}

int main(void)
{
	struct dm_json doc;
	struct dm_buf text;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	dm_json_init(&doc);
	dm_buf_init(&text, DM_MAX_ELEMENT);
	while ((n = getline(&line, &cap, stdin)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		one(&doc, dm_sv(line, (size_t)n), &text);
	}
	free(line);
	dm_buf_done(&text);
	dm_json_done(&doc);
	return 0;
}
