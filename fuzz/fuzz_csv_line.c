/* One CSV line: its fields, quoted again, come apart into the same fields; and text made safe for JSON and
 * the terminal is. */
#include <assert.h>
#include <string.h>

#include "base/text.h"

#define FIELDS 64

static size_t take(struct dm_sv line, char delimiter, struct dm_buf *scratch, struct dm_sv *field)
{
	struct dm_sv rest = line;
	size_t n = 0;

	dm_buf_clear(scratch);
	while (n < FIELDS && dm_csv_next(&rest, delimiter, scratch, &field[n]))
		n++;
	assert(!scratch->err);
	return n;
}

static void fields_survive(struct dm_sv line, char delimiter)
{
	static struct dm_buf scratch[2], quoted;
	struct dm_sv a[FIELDS], b[FIELDS];
	size_t n, m;

	if (!quoted.max) {
		dm_buf_init(&scratch[0], 16u << 20);
		dm_buf_init(&scratch[1], 16u << 20);
		dm_buf_init(&quoted, 16u << 20);
	}
	n = take(line, delimiter, &scratch[0], a);
	dm_buf_clear(&quoted);
	for (size_t i = 0; i < n; i++) {
		if (i)
			dm_buf_putc(&quoted, ',');
		dm_csv_field(&quoted, a[i]);
	}
	m = take(n ? dm_sv(quoted.p ? quoted.p : "", quoted.n) : dm_sv(NULL, 0), ',', &scratch[1], b);
	assert(n == m);
	for (size_t i = 0; i < n; i++) {
		bool defused = a[i].n && strchr("=+-@\t\r", a[i].p[0]) && a[i].p[0];
		assert(dm_sv_eq(defused ? dm_sv_from(b[i], 1) : b[i], a[i]));
		assert(!defused || b[i].p[0] == '\'');
	}
}

static void text_is_made_safe(struct dm_sv s)
{
	static struct dm_buf out;

	if (!out.max)
		dm_buf_init(&out, 16u << 20);
	dm_buf_clear(&out);
	dm_utf8_repair(&out, s);
	assert(dm_utf8_valid(dm_buf_view(&out)));
	assert(!dm_utf8_valid(s) || dm_sv_eq(dm_buf_view(&out), s));
	dm_buf_clear(&out);
	dm_json_quote(&out, s);
	assert(!out.err && dm_utf8_valid(dm_buf_view(&out)));
	dm_buf_clear(&out);
	dm_term_escape(&out, s);
	assert(dm_utf8_valid(dm_buf_view(&out)));
	for (size_t i = 0; i < out.n; i++)
		assert((uint8_t)out.p[i] >= 0x20 && out.p[i] != 0x7f);
	dm_term_width(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_sv s = dm_sv(size ? (const char *)data : "", size);

	fields_survive(s, ',');
	fields_survive(s, ';');
	text_is_made_safe(s);
	return 0;
}
