/* --help: what the table says, fitted to the terminal. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"

#define LEFT 26u /* columns of the left side of a list */

static void heading(struct dm_out *out, const char *text)
{
	dm_buf_putc(&out->buf, '\n');
	dm_out_style(out, DM_STYLE_BOLD);
	dm_buf_str(&out->buf, text);
	dm_out_style(out, DM_STYLE_NONE);
	dm_buf_putc(&out->buf, '\n');
}

/* "  left   right", the right side wrapped below itself. */
static void entry(struct dm_out *out, const char *left, const char *right, unsigned width)
{
	struct dm_buf lines;
	size_t n = strlen(left);

	dm_buf_init(&lines, 1u << 16);
	dm_out_wrap(&lines, right, LEFT, width);
	dm_buf_str(&out->buf, "  ");
	dm_buf_str(&out->buf, left);
	if (n + 4 > LEFT) {
		dm_buf_putc(&out->buf, '\n');
		dm_buf_sv(&out->buf, dm_buf_view(&lines));
	} else {
		/* the first line of the right side begins behind the left one */
		dm_buf_sv(&out->buf, dm_sv_from(dm_buf_view(&lines), n + 2));
	}
	dm_buf_done(&lines);
}

static void choices_into(struct dm_buf *b, const struct dm_option *o)
{
	dm_buf_str(b, ": ");
	for (size_t i = 0; o->choices[i]; i++) {
		dm_buf_str(b, i ? ", " : "");
		dm_buf_str(b, o->choices[i]);
	}
}

static void options(struct dm_out *out, const struct dm_option *list, bool of_verb, unsigned width)
{
	for (; list->name; list++) {
		struct dm_buf right;
		char left[64], brief[8] = "    ";

		if (of_verb && list->alone)
			continue;
		if (list->brief)
			snprintf(brief, sizeof brief, "-%c, ", list->brief);
		snprintf(left, sizeof left, "%s--%s%s%s", brief, list->name, list->placeholder ? " " : "",
			 list->placeholder ? list->placeholder : "");
		dm_buf_init(&right, 4096);
		dm_buf_str(&right, list->help);
		if (list->choices)
			choices_into(&right, list);
		if (list->repeatable)
			dm_buf_str(&right, "; may be repeated");
		entry(out, left, dm_buf_cstr(&right), width);
		dm_buf_done(&right);
	}
}

static void exits(struct dm_out *out, const struct dm_verb *verb, unsigned width)
{
	for (const struct dm_exit_meaning *e = dm_exits; e->meaning; e++) {
		char left[8];

		if (e->code == DM_EXIT_NO && verb && !verb->no)
			continue;
		snprintf(left, sizeof left, "%d", e->code);
		entry(out, left, e->code == DM_EXIT_NO && verb ? verb->no : e->meaning, width);
	}
}

static void verb_help(struct dm_out *out, const struct dm_verb *v, unsigned width)
{
	dm_buf_printf(&out->buf, "Usage: demarche %s%s%s%s\n", v->name,
		      v->options->name ? " [OPTION...]" : "", v->args ? " " : "", v->args ? v->args : "");
	for (size_t i = 0; v->text[i]; i++) {
		dm_buf_putc(&out->buf, '\n');
		dm_out_wrap(&out->buf, v->text[i], 0, width);
	}
	if (v->options->name) {
		heading(out, "Options");
		options(out, v->options, true, width);
	}
	heading(out, "Options of every verb");
	options(out, dm_global_options, true, width);
	if (v->examples->command)
		heading(out, "Examples");
	for (const struct dm_example *e = v->examples; e->command; e++) {
		dm_buf_printf(&out->buf, "  %s\n", e->command);
		dm_out_wrap(&out->buf, e->meaning, 6, width);
	}
	heading(out, "Exit codes");
	exits(out, v, width);
}

void dm_help_print(struct dm_out *out, const struct dm_verb *verb, unsigned width)
{
	if (verb) {
		verb_help(out, verb, width);
		return;
	}
	dm_buf_str(&out->buf, "Usage: demarche [OPTION...] VERB [ARGUMENT...]\n\n");
	dm_out_wrap(&out->buf,
		    "Finds out what an attacked network saw: reads its logs and flow records, hunts "
		    "indicators in them, and tells "
		    "which were seen, when, by whom, in which rows, and what could not be tested.",
		    0, width);
	heading(out, "Verbs");
	for (const struct dm_verb *v = dm_verbs; v->name; v++)
		entry(out, v->name, v->summary, width);
	heading(out, "Options of every verb");
	options(out, dm_global_options, false, width);
	heading(out, "A first hunt, without a node");
	dm_buf_str(&out->buf, "  demarche hunt -i indicators.txt conn.log\n");
	heading(out, "Exit codes");
	exits(out, NULL, width);
	dm_buf_str(&out->buf, "\n`demarche VERB --help` explains a verb.\n");
}
