/* --completion: scripts for bash, zsh and fish, from the table. They hold no logic of their own but where a
 * verb, an option or a value stands. Texts of the table hold no quotes or backslashes that a shell would
 * take; what they could hold is taken out here. */
#include <string.h>

#include "cli/cli.h"

/* Within single quotes. */
static void quoted(struct dm_buf *b, const char *s)
{
	for (; *s; s++)
		if (*s == '\'')
			dm_buf_str(b, "'\\''");
		else
			dm_buf_putc(b, *s);
}

/* In the brackets of a zsh specification. */
static void bracketed(struct dm_buf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr("[]:\\", *s))
			dm_buf_putc(b, '\\');
		if (*s == '\'')
			dm_buf_str(b, "'\\''");
		else
			dm_buf_putc(b, *s);
	}
}

static void words(struct dm_buf *b, const char *const *list)
{
	for (size_t i = 0; list[i]; i++) {
		dm_buf_str(b, i ? " " : "");
		dm_buf_str(b, list[i]);
	}
}

static void verb_words(struct dm_buf *b)
{
	for (const struct dm_verb *v = dm_verbs; v->name; v++) {
		dm_buf_str(b, v == dm_verbs ? "" : " ");
		dm_buf_str(b, v->name);
	}
}

static void option_words(struct dm_buf *b, const struct dm_option *o)
{
	for (; o->name; o++) {
		dm_buf_printf(b, " --%s", o->name);
		if (o->brief)
			dm_buf_printf(b, " -%c", o->brief);
	}
}

/* A case of bash for the word behind an option that takes a value. */
static void bash_values(struct dm_buf *b, const char *verb, const struct dm_option *o)
{
	for (; o->name; o++) {
		if (o->arg == DM_ARG_NONE)
			continue;
		dm_buf_printf(b, "\t%s:--%s", verb, o->name);
		if (o->brief)
			dm_buf_printf(b, "|%s:-%c", verb, o->brief);
		dm_buf_str(b, ")\n\t\t");
		if (o->choices) {
			dm_buf_str(b, "mapfile -t COMPREPLY < <(compgen -W '");
			words(b, o->choices);
			dm_buf_str(b, "' -- \"$cur\")");
		} else if (o->arg == DM_ARG_VERB) {
			dm_buf_str(b, "mapfile -t COMPREPLY < <(compgen -W \"demarche $verbs\" -- \"$cur\")");
		} else if (o->arg == DM_ARG_FILE || o->arg == DM_ARG_DIR) {
			dm_buf_printf(b, "mapfile -t COMPREPLY < <(compgen -%c -- \"$cur\")",
				      o->arg == DM_ARG_DIR ? 'd' : 'f');
		} else {
			dm_buf_str(b, "COMPREPLY=()");
		}
		dm_buf_str(b, "\n\t\treturn;;\n");
	}
}

static void bash(struct dm_buf *b)
{
	dm_buf_str(b, "# bash completion of demarche, made by `demarche --completion bash`\n_demarche() {\n"
		      "\tlocal cur prev word verb='' verbs='");
	verb_words(b);
	dm_buf_str(b,
		   "'\n\tCOMPREPLY=()\n\tcur=${COMP_WORDS[COMP_CWORD]}\n\tprev=${COMP_WORDS[COMP_CWORD-1]}\n"
		   "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
		   "\t\tcase \" $verbs \" in *\" $word \"*) verb=$word; break;; esac\n\tdone\n"
		   "\tcompopt -o filenames 2>/dev/null\n"
		   "\tcase \"$verb:$prev\" in\n");
	for (const struct dm_verb *v = dm_verbs; v->name; v++)
		bash_values(b, v->name, v->options);
	bash_values(b, "*", dm_global_options);
	dm_buf_str(b, "\tesac\n\tcase \"$verb:$cur\" in\n\t:-*)\n\t\tmapfile -t COMPREPLY < <(compgen -W '");
	option_words(b, dm_global_options);
	dm_buf_str(b, "' -- \"$cur\");;\n\t:*)\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- "
		      "\"$cur\");;\n");
	for (const struct dm_verb *v = dm_verbs; v->name; v++) {
		dm_buf_printf(b, "\t%s:-*)\n\t\tmapfile -t COMPREPLY < <(compgen -W '", v->name);
		option_words(b, v->options);
		option_words(b, dm_global_options);
		dm_buf_str(b, "' -- \"$cur\");;\n");
		if (v->arg == DM_ARG_VERB)
			dm_buf_printf(b,
				      "\t%s:*)\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- "
				      "\"$cur\");;\n",
				      v->name);
		else if (v->arg == DM_ARG_FILE)
			dm_buf_printf(b, "\t%s:*)\n\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\");;\n",
				      v->name);
	}
	dm_buf_str(b, "\tesac\n}\ncomplete -F _demarche demarche\n");
}

static void zsh_value(struct dm_buf *b, const struct dm_option *o)
{
	if (o->arg == DM_ARG_NONE)
		return;
	dm_buf_str(b, ":");
	bracketed(b, o->placeholder);
	dm_buf_str(b, ":");
	if (o->choices) {
		dm_buf_str(b, "(");
		words(b, o->choices);
		dm_buf_str(b, ")");
	} else if (o->arg == DM_ARG_VERB) {
		dm_buf_str(b, "(demarche ");
		verb_words(b);
		dm_buf_str(b, ")");
	} else if (o->arg == DM_ARG_FILE) {
		dm_buf_str(b, "_files");
	} else if (o->arg == DM_ARG_DIR) {
		dm_buf_str(b, "_files -/");
	}
}

static void zsh_option(struct dm_buf *b, const char *dashes, const char *name, const struct dm_option *o)
{
	dm_buf_printf(b, " \\\n\t\t\t'%s%s%s[", o->repeatable ? "*" : "", dashes, name);
	bracketed(b, o->help);
	dm_buf_str(b, "]");
	zsh_value(b, o);
	dm_buf_str(b, "'");
}

static void zsh_options(struct dm_buf *b, const struct dm_option *o)
{
	for (; o->name; o++) {
		zsh_option(b, "--", o->name, o);
		if (o->brief)
			zsh_option(b, "-", (char[]){o->brief, 0}, o);
	}
}

static void zsh(struct dm_buf *b)
{
	dm_buf_str(b, "#compdef demarche\n# zsh completion of demarche, made by `demarche --completion "
		      "zsh`\n_demarche() {\n"
		      "\tlocal -a verbs\n\tlocal state line\n\ttypeset -A opt_args\n\tverbs=(\n");
	for (const struct dm_verb *v = dm_verbs; v->name; v++) {
		dm_buf_printf(b, "\t\t'%s:", v->name);
		bracketed(b, v->summary);
		dm_buf_str(b, "'\n");
	}
	dm_buf_str(b, "\t)\n\t_arguments -C");
	zsh_options(b, dm_global_options);
	dm_buf_str(b, " \\\n\t\t\t'1:verb:->verb' '*::argument:->argument' && return\n\tcase $state in\n"
		      "\tverb) _describe verb verbs;;\n\targument)\n\t\tcase $line[1] in\n");
	for (const struct dm_verb *v = dm_verbs; v->name; v++) {
		dm_buf_printf(b, "\t\t%s) _arguments", v->name);
		zsh_options(b, v->options);
		zsh_options(b, dm_global_options);
		if (v->arg == DM_ARG_FILE)
			dm_buf_str(b, " \\\n\t\t\t'*:file:_files'");
		else if (v->arg == DM_ARG_VERB) {
			dm_buf_str(b, " \\\n\t\t\t'1:verb:(");
			verb_words(b);
			dm_buf_str(b, ")'");
		}
		dm_buf_str(b, ";;\n");
	}
	dm_buf_str(b, "\t\tesac;;\n\tesac\n}\n_demarche \"$@\"\n");
}

static void fish_options(struct dm_buf *b, const char *when, const struct dm_option *o)
{
	for (; o->name; o++) {
		dm_buf_printf(b, "complete -c demarche%s -l %s", when, o->name);
		if (o->brief)
			dm_buf_printf(b, " -s %c", o->brief);
		if (o->arg == DM_ARG_FILE)
			dm_buf_str(b, " -rF");
		else if (o->arg == DM_ARG_DIR)
			dm_buf_str(b, " -xa '(__fish_complete_directories)'");
		else if (o->arg == DM_ARG_VERB) {
			dm_buf_str(b, " -xa 'demarche ");
			verb_words(b);
			dm_buf_str(b, "'");
		} else if (o->choices) {
			dm_buf_str(b, " -xa '");
			words(b, o->choices);
			dm_buf_str(b, "'");
		} else if (o->arg != DM_ARG_NONE) {
			dm_buf_str(b, " -x");
		}
		dm_buf_str(b, " -d '");
		quoted(b, o->help);
		dm_buf_str(b, "'\n");
	}
}

static void fish(struct dm_buf *b)
{
	dm_buf_str(b, "# fish completion of demarche, made by `demarche --completion fish`\n");
	for (const struct dm_verb *v = dm_verbs; v->name; v++) {
		dm_buf_printf(b, "complete -c demarche -f -n __fish_use_subcommand -a %s -d '", v->name);
		quoted(b, v->summary);
		dm_buf_str(b, "'\n");
	}
	fish_options(b, "", dm_global_options);
	for (const struct dm_verb *v = dm_verbs; v->name; v++) {
		struct dm_buf when;

		dm_buf_init(&when, 256);
		dm_buf_printf(&when, " -n '__fish_seen_subcommand_from %s'", v->name);
		fish_options(b, dm_buf_cstr(&when), v->options);
		dm_buf_printf(b, "complete -c demarche%s %s\n", dm_buf_cstr(&when),
			      v->arg == DM_ARG_FILE ? "-F" : "-f");
		dm_buf_done(&when);
	}
}

bool dm_completion_print(struct dm_out *out, const char *shell)
{
	if (!strcmp(shell, "bash"))
		bash(&out->buf);
	else if (!strcmp(shell, "zsh"))
		zsh(&out->buf);
	else if (!strcmp(shell, "fish"))
		fish(&out->buf);
	else
		return false;
	return true;
}
