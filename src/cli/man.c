/* --man: the same table as mdoc(7). */
#include <string.h>

#include "cli/cli.h"

#define LINE 78u /* bytes of a line of source, as mandoc advises */

static size_t spelt(struct dm_buf *b, const char *s, size_t n)
{
	size_t before = b->n;

	for (size_t i = 0; i < n; i++)
		if (s[i] == '\\')
			dm_buf_str(b, "\\e");
		else if (s[i] == '-')
			dm_buf_str(b, "\\-");
		else
			dm_buf_putc(b, s[i]);
	return b->n - before;
}

/* Text as mdoc wants it: a backslash spelt out, no dot or quote first on a line, each sentence on a new line.
 */
static void text(struct dm_buf *b, const char *s)
{
	struct dm_sv rest = dm_sv_str(s);
	size_t at = 0;
	bool ended = false;

	while (rest.p && rest.n) {
		struct dm_sv w = dm_sv_split(&rest, ' ');

		if (at && (ended || at + 1 + 2 * w.n > LINE)) {
			dm_buf_putc(b, '\n');
			at = 0;
		}
		if (at) {
			dm_buf_putc(b, ' ');
			at++;
		} else if (w.n && (w.p[0] == '.' || w.p[0] == '\'')) {
			dm_buf_str(b, "\\&");
		}
		at += spelt(b, w.p, w.n);
		ended = w.n && (w.p[w.n - 1] == '.' || w.p[w.n - 1] == '?');
	}
}

/* An argument of a macro: quoted, so that words of mdoc stay words. */
static void word(struct dm_buf *b, const char *s)
{
	dm_buf_str(b, " \"");
	for (; *s; s++)
		if (*s == '"')
			dm_buf_str(b, "\"\"");
		else
			spelt(b, s, 1);
	dm_buf_putc(b, '"');
}

static void line(struct dm_buf *b, const char *s)
{
	text(b, s);
	dm_buf_putc(b, '\n');
}

static void header(struct dm_buf *b, const struct dm_verb *v)
{
	dm_buf_str(b, ".\\\" Made by demarche --man from the table that parses the command line.\n.Dd "
		      "November 24, 2026\n.Dt DEMARCHE");
	if (v) {
		dm_buf_putc(b, '-');
		for (const char *p = v->name; *p; p++)
			dm_buf_putc(b, (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p));
	}
	dm_buf_str(b, " 1\n.Os\n.Sh NAME\n.Nm demarche");
	if (v)
		dm_buf_printf(b, "\\-%s\n.Nd ", v->name);
	else
		dm_buf_str(b, "\n.Nd ");
	line(b, v ? v->summary : "find out together what happened in an attack");
}

static void synopsis(struct dm_buf *b, const struct dm_verb *v)
{
	dm_buf_str(b, ".Sh SYNOPSIS\n.Nm demarche\n");
	if (!v) {
		dm_buf_str(b, ".Op Ar option ...\n.Ar verb\n.Op Ar argument ...\n");
		return;
	}
	dm_buf_printf(b, ".Cm %s\n", v->name);
	for (const struct dm_option *o = v->options; o->name; o++) {
		dm_buf_str(b, ".Op Fl");
		if (o->brief)
			dm_buf_printf(b, " %c", o->brief);
		else {
			dm_buf_str(b, " \\-");
			spelt(b, o->name, strlen(o->name));
		}
		if (o->placeholder) {
			dm_buf_str(b, " Ar");
			word(b, o->placeholder);
		}
		dm_buf_str(b, o->repeatable ? " ...\n" : "\n");
	}
	if (!v->args)
		return;
	dm_buf_str(b, v->min_args ? ".Ar" : ".Op Ar");
	for (const char *p = v->args; *p; p++) {
		if (p == v->args)
			dm_buf_putc(b, ' ');
		if (!strcmp(p, "...") || !strcmp(p, "...]")) {
			dm_buf_str(b, " ...");
			break;
		}
		if (*p != '[' && *p != ']')
			dm_buf_putc(b, *p);
	}
	dm_buf_putc(b, '\n');
}

static void option_text(struct dm_buf *b, const struct dm_option *o)
{
	struct dm_buf all;

	dm_buf_init(&all, 1u << 16);
	dm_buf_str(&all, o->help);
	for (size_t i = 0; o->choices && o->choices[i]; i++) {
		dm_buf_str(&all, i ? ", " : ": ");
		dm_buf_str(&all, o->choices[i]);
	}
	dm_buf_str(&all, o->repeatable ? "; may be repeated." : ".");
	line(b, dm_buf_cstr(&all));
	dm_buf_done(&all);
}

static void option_list(struct dm_buf *b, const struct dm_option *o, bool of_verb)
{
	dm_buf_str(b, ".Bl -tag -width Ds\n");
	for (; o->name; o++) {
		if (of_verb && o->alone)
			continue;
		dm_buf_str(b, ".It");
		if (o->brief) {
			dm_buf_printf(b, " Fl %c", o->brief);
			if (o->placeholder) {
				dm_buf_str(b, " Ar");
				word(b, o->placeholder);
			}
			dm_buf_str(b, " ,");
		}
		dm_buf_str(b, " Fl");
		dm_buf_str(b, " \\-");
		spelt(b, o->name, strlen(o->name));
		if (o->placeholder) {
			dm_buf_str(b, " Ar");
			word(b, o->placeholder);
		}
		dm_buf_putc(b, '\n');
		option_text(b, o);
	}
	dm_buf_str(b, ".El\n");
}

static void exits(struct dm_buf *b, const struct dm_verb *v)
{
	dm_buf_str(b, ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n");
	for (const struct dm_exit_meaning *e = dm_exits; e->meaning; e++) {
		if (e->code == DM_EXIT_NO && v && !v->no)
			continue;
		dm_buf_printf(b, ".It %d\n", e->code);
		line(b, e->code == DM_EXIT_NO && v ? v->no : e->meaning);
	}
	dm_buf_str(b, ".El\n");
}

static void examples(struct dm_buf *b, const struct dm_example *e)
{
	if (!e->command)
		return;
	dm_buf_str(b, ".Sh EXAMPLES\n.Bl -tag -width Ds\n");
	for (; e->command; e++) {
		dm_buf_str(b, ".It Li");
		word(b, e->command);
		dm_buf_putc(b, '\n');
		line(b, e->meaning);
	}
	dm_buf_str(b, ".El\n");
}

static void see_also(struct dm_buf *b, const struct dm_verb *v)
{
	bool first = true;

	/* by name, as mandoc wants it: the table is in the order of use */
	const char *last = "";

	dm_buf_str(b, ".Sh SEE ALSO\n");
	if (v)
		dm_buf_str(b, ".Xr demarche 1");
	first = !v;
	for (;;) {
		const char *next = NULL;

		for (const struct dm_verb *o = dm_verbs; o->name; o++)
			if (strcmp(o->name, last) > 0 && (!next || strcmp(o->name, next) < 0))
				next = o->name;
		if (!next)
			break;
		last = next;
		if (v && !strcmp(v->name, next))
			continue;
		dm_buf_str(b, first ? "" : " ,\n");
		dm_buf_printf(b, ".Xr demarche-%s 1", next);
		first = false;
	}
	dm_buf_putc(b, '\n');
}

void dm_man_print(struct dm_out *out, const struct dm_verb *v)
{
	struct dm_buf *b = &out->buf;

	header(b, v);
	synopsis(b, v);
	dm_buf_str(b, ".Sh DESCRIPTION\n");
	for (size_t i = 0; v && v->text[i]; i++) {
		dm_buf_str(b, i ? ".Pp\n" : "");
		line(b, v->text[i]);
	}
	if (!v) {
		line(b, "Reads the logs and flow records of an attacked network, hunts indicators in them, "
			"and tells which were seen, "
			"when, by whom, in which rows, and what could not be tested.");
		dm_buf_str(b, ".Bl -tag -width Ds\n");
		for (const struct dm_verb *o = dm_verbs; o->name; o++) {
			dm_buf_printf(b, ".It Cm %s\n", o->name);
			line(b, o->summary);
		}
		dm_buf_str(b, ".El\n");
	} else if (v->options->name) {
		dm_buf_str(b, ".Pp\nThe options are:\n");
		option_list(b, v->options, true);
	}
	dm_buf_str(b, ".Ss Options of every verb\n");
	option_list(b, dm_global_options, v != NULL);
	dm_buf_str(b, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev DEMARCHE_HOME\nThe node's folder.\n.It Ev "
		      "NO_COLOR\nNo colour.\n"
		      ".It Ev COLUMNS\nThe width of tables on a terminal.\n.It Ev DEMARCHE_LIBEXEC\n"
		      "The folder of the program's own parts, if they were moved.\n.El\n");
	exits(b, v);
	if (v)
		examples(b, v->examples);
	see_also(b, v);
}
