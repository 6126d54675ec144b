#include "import/lines.h"

#include <stdio.h>

#include "base/limits.h"

/* Decoded bytes between two reports of progress: a report flushes a batch, so it must not come often. */
#define PROGRESS_STEP (4u << 20)

void dm_passed_add(struct dm_passed *p, struct dm_sv what, uint64_t line)
{
	const size_t max = sizeof(p->group) / sizeof(p->group[0]);
	size_t i = 0;

	if (what.n > sizeof(p->group[0].what) - 1)
		what.n = sizeof(p->group[0].what) - 1;
	while (i < p->n && !dm_sv_is(what, p->group[i].what))
		i++;
	if (i == max)
		i = max - 1; /* a hostile stream names more kinds than there are: they share the last group */
	if (i == p->n) {
		p->n++;
		for (size_t k = 0; k < what.n; k++) {
			unsigned char c = (unsigned char)what.p[k];

			p->group[i].what[k] = c < 0x20 || c > 0x7e ? '?' : (char)c;
		}
		p->group[i].what[what.n] = 0;
		p->group[i].rows = 0;
		p->group[i].first = line;
	}
	p->group[i].rows++;
}

int dm_passed_flush(struct dm_passed *p, struct dm_sink *sink, const char *kind)
{
	int r = 0;

	for (size_t i = 0; i < p->n && !r; i++) {
		char reason[160];

		snprintf(reason, sizeof(reason), "%s '%s' holds no observations (%llu row%s)", kind,
			 p->group[i].what, (unsigned long long)p->group[i].rows,
			 p->group[i].rows == 1 ? "" : "s");
		r = sink->skip(sink, p->group[i].first, reason);
	}
	p->n = 0;
	return r;
}

void dm_lines_init(struct dm_lines *l, struct dm_import_input *in, struct dm_sink *sink)
{
	*l = (struct dm_lines){.in = in, .sink = sink};
	l->next_progress = in->resume_offset + PROGRESS_STEP;
}

static int note_again(struct dm_lines *l)
{
	char text[160];
	int n = snprintf(
		text, sizeof(text),
		"line %llu was not yet whole when this file was imported before; it is imported again",
		(unsigned long long)l->number);

	return l->sink->meta(l->sink, "note", dm_sv(text, (size_t)n));
}

int dm_lines_next(struct dm_lines *l, struct dm_err *err)
{
	struct dm_import_input *in = l->in;
	int r;

	if (l->left)
		return DM_ENOENT;
	if (l->end >= l->next_progress && l->complete && !l->hold) {
		l->next_progress = l->end + PROGRESS_STEP;
		r = l->sink->progress(l->sink, l->end, l->number);
		if (r)
			return r;
	}
	for (;;) {
		l->start = l->end;
		r = dm_stream_line(in->stream, &l->line, err);
		if (r && r != DM_ELIMIT)
			return r;
		l->end = dm_stream_offset(in->stream);
		l->number = dm_stream_lineno(in->stream);
		if (!r)
			break;
		/* The stream says DM_ELIMIT for a bomb as well: then there is no next line. */
		if (l->end == l->start)
			return r;
		if (err)
			*err = (struct dm_err){0};
		if (l->end > in->resume_offset) {
			r = l->sink->skip(l->sink, l->number, "line longer than 1 MiB");
			if (r)
				return r;
		}
	}
	l->complete = dm_stream_line_complete(in->stream);
	l->old = false;
	if (l->start < in->resume_offset) {
		uint64_t seen = in->resume_offset - l->start;

		l->old = l->end <= in->resume_offset || seen >= l->line.n;
		if (!l->old) {
			r = note_again(l);
			if (r)
				return r;
		}
	}
	if (l->start == 0 && l->line.n >= 3 && !memcmp(l->line.p, "\xef\xbb\xbf", 3))
		l->line = dm_sv_from(l->line, 3);
	return 0;
}

bool dm_lines_leave(struct dm_lines *l, uint64_t offset, uint64_t number)
{
	if (!l->in->unfinished || dm_stream_packing(l->in->stream) != DM_PLAIN)
		return false;
	l->left = true;
	l->start = offset;
	l->number = number;
	return true;
}

bool dm_lines_take_tail(struct dm_lines *l, bool certain)
{
	return l->complete || certain || !dm_lines_leave(l, l->start, l->number);
}

int dm_lines_finish(struct dm_lines *l, int code, struct dm_err *err)
{
	uint64_t offset = l->left ? l->start : l->end;
	uint64_t number = l->left ? l->number - 1 : l->number;
	char text[160];
	int r = 0;

	if (code != DM_ENOENT && code != 0)
		/* What came before a broken end stays imported; the sink may be the one that failed. */
		return code;
	if (l->left) {
		int n = snprintf(text, sizeof(text),
				 "line %llu has no line feed yet: it may still be written to and is left for "
				 "the next import",
				 (unsigned long long)l->number);

		r = l->sink->meta(l->sink, "note", dm_sv(text, (size_t)n));
	}
	if (!r && offset < l->in->resume_offset) {
		dm_fail(err, DM_EINVAL,
			"the file is shorter (%llu bytes) than what was imported of it before (%llu bytes)",
			(unsigned long long)offset, (unsigned long long)l->in->resume_offset);
		return dm_err_remedy(err, "import it as a new file");
	}
	if (!r)
		r = l->sink->progress(l->sink, offset, number);
	return r;
}

int dm_lines_report(struct dm_lines *l, const struct dm_record *rec)
{
	char reason[160];

	if (rec->dropped)
		snprintf(reason, sizeof(reason),
			 "row imported without %u of its values (limits: %u of a field, 4 MiB of text)",
			 rec->dropped, DM_MAX_VALUES);
	else
		snprintf(reason, sizeof(reason), "row imported with %u of its values cut to 64 KiB",
			 rec->cut);
	return l->sink->skip(l->sink, rec->line, reason);
}

int dm_lines_skip(struct dm_lines *l, const char *what, struct dm_sv text)
{
	char reason[200];
	size_t n = strlen(what);

	if (n > sizeof(reason) - 64)
		n = sizeof(reason) - 64;
	memcpy(reason, what, n);
	for (size_t i = 0; i < text.n && i < 48; i++) {
		unsigned char c = (unsigned char)text.p[i];

		reason[n++] = c < 0x20 || c > 0x7e ? '?' : (char)c;
	}
	if (text.n > 48) {
		memcpy(reason + n, "...", 3);
		n += 3;
	}
	reason[n] = 0;
	return l->sink->skip(l->sink, l->number, reason);
}
