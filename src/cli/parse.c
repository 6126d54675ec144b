/* The command line, taken apart by the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/time.h"
#include "cli/cli.h"

#define MAX_NAMES 64u

static const struct dm_option *find_in(const struct dm_option *list, const char *name, size_t n, char brief)
{
	for (; list && list->name; list++)
		if (name ? strlen(list->name) == n && !memcmp(list->name, name, n)
			 : list->brief && list->brief == brief)
			return list;
	return NULL;
}

static const struct dm_option *find(const struct dm_cli *cli, const char *name, size_t n, char brief)
{
	const struct dm_option *o = cli->verb ? find_in(cli->verb->options, name, n, brief) : NULL;

	return o ? o : find_in(dm_global_options, name, n, brief);
}

static size_t option_names(const struct dm_cli *cli, const char **names)
{
	size_t n = 0;

	for (const struct dm_option *o = cli->verb ? cli->verb->options : NULL; o && o->name && n < MAX_NAMES;
	     o++)
		names[n++] = o->name;
	for (const struct dm_option *o = dm_global_options; o->name && n < MAX_NAMES; o++)
		names[n++] = o->name;
	return n;
}

/* An option that another verb has is more likely meant than one that merely looks like it. */
static const char *verb_with(const char *name)
{
	for (const struct dm_verb *v = dm_verbs; v->name; v++)
		if (find_in(v->options, name, strlen(name), 0))
			return v->name;
	return NULL;
}

static int unknown_option(const struct dm_cli *cli, const char *name, size_t n)
{
	const char *names[MAX_NAMES], *near, *other;
	char typed[64];

	snprintf(typed, sizeof typed, "%.*s", (int)(n < sizeof typed ? n : sizeof typed), name);
	near = dm_suggest(typed, names, option_names(cli, names));
	other = verb_with(typed);
	if (other && !cli->verb)
		return dm_cli_usage(cli, "option '--%s' belongs behind the verb, as in `demarche %s --%s`",
				    typed, other, typed);
	if (near)
		return dm_cli_usage(cli, "unknown option '--%s', did you mean '--%s'?", typed, near);
	if (other)
		return dm_cli_usage(cli, "unknown option '--%s'; `demarche %s` has it", typed, other);
	return dm_cli_usage(cli, "unknown option '--%s'", typed);
}

int dm_cli_unknown_verb(const struct dm_cli *cli, const char *typed)
{
	const char *names[MAX_NAMES], *near;
	size_t n = 0;

	for (const struct dm_verb *v = dm_verbs; v->name && n < MAX_NAMES; v++)
		names[n++] = v->name;
	near = dm_suggest(typed, names, n);
	return near ? dm_cli_usage(cli, "unknown verb '%s', did you mean '%s'?", typed, near)
		    : dm_cli_usage(cli, "unknown verb '%s'", typed);
}

static int check_choice(const struct dm_cli *cli, const struct dm_option *o, const char *value)
{
	const char *near;
	char list[512];
	size_t n = 0, at = 0;

	for (; o->choices[n]; n++)
		if (!strcmp(o->choices[n], value))
			return 0;
	near = dm_suggest(value, o->choices, n);
	if (near)
		return dm_cli_usage(cli, "--%s knows no '%s', did you mean '%s'?", o->name, value, near);
	for (size_t i = 0; i < n && at < sizeof list; i++)
		at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", o->choices[i]);
	return dm_cli_usage(cli, "--%s knows no '%s'; it is one of %s", o->name, value, list);
}

static int check_value(const struct dm_cli *cli, const struct dm_option *o, const char *value)
{
	uint64_t number;
	int64_t time;

	if (o->arg == DM_ARG_CHOICE)
		return check_choice(cli, o, value);
	if (o->arg == DM_ARG_NUMBER && !dm_sv_u64(dm_sv_str(value), &number))
		return dm_cli_usage(cli, "--%s wants a number, not '%s'", o->name, value);
	if (o->arg == DM_ARG_TIME && !dm_cli_time_parse(value, dm_now(), &time))
		return dm_cli_usage(
			cli, "--%s wants a time such as 2014-11-24, 2014-11-24T08:00:00Z or 7d, not '%s'",
			o->name, value);
	if (!*value && o->arg != DM_ARG_NONE)
		return dm_cli_usage(cli, "--%s wants a %s, not an empty one", o->name, o->placeholder);
	return 0;
}

static int keep(struct dm_cli *cli, const struct dm_option *o, const char *value)
{
	if (value) {
		int rc = check_value(cli, o, value);

		if (rc)
			return rc;
	}
	for (size_t i = 0; i < cli->nvalues && !o->repeatable && value; i++)
		if (cli->values[i].option == o)
			return dm_cli_usage(cli, "--%s can be given once only", o->name);
	cli->values[cli->nvalues++] = (struct dm_cli_value){.option = o, .value = value};
	return 0;
}

/* --name, --name=value, --name value. *i moves on if the value is the next word. */
static int long_option(struct dm_cli *cli, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct dm_option *o = find(cli, name, n, 0);

	if (!o)
		return unknown_option(cli, name, n);
	if (o->arg == DM_ARG_NONE)
		return equals ? dm_cli_usage(cli, "--%s takes no value", o->name) : keep(cli, o, NULL);
	if (equals)
		return keep(cli, o, equals + 1);
	if (*i + 1 >= argc)
		return dm_cli_usage(cli, "--%s wants a %s", o->name, o->placeholder);
	return keep(cli, o, argv[++*i]);
}

/* -h, -hV, -iLIST, -i LIST. */
static int brief_options(struct dm_cli *cli, int argc, char **argv, int *i)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct dm_option *o = find(cli, NULL, 0, *p);
		int rc;

		if (!o)
			return dm_cli_usage(cli, "unknown option '-%c' in '%s'", *p, argv[*i]);
		if (o->arg != DM_ARG_NONE) {
			if (p[1])
				return keep(cli, o, p + 1);
			if (*i + 1 >= argc)
				return dm_cli_usage(cli, "-%c wants a %s", *p, o->placeholder);
			return keep(cli, o, argv[++*i]);
		}
		rc = keep(cli, o, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

static int take_words(struct dm_cli *cli, int argc, char **argv)
{
	bool only_arguments = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		int rc = 0;

		if (!only_arguments && !strcmp(word, "--"))
			only_arguments = true;
		else if (!only_arguments && word[0] == '-' && word[1] == '-')
			rc = long_option(cli, argc, argv, &i);
		else if (!only_arguments && word[0] == '-' && word[1])
			rc = brief_options(cli, argc, argv, &i);
		else if (cli->verb)
			cli->args[cli->nargs++] = word;
		else if (!(cli->verb = dm_verb_find(word)))
			rc = dm_cli_unknown_verb(cli, word);
		if (rc)
			return rc;
	}
	return 0;
}

/* A verb may be left out where only the program itself is asked. */
static bool asks_only(const struct dm_cli *cli)
{
	return dm_cli_has(cli, "help") || dm_cli_has(cli, "version") || dm_cli_has(cli, "man") ||
	       dm_cli_has(cli, "completion");
}

static int check_arguments(const struct dm_cli *cli)
{
	const struct dm_verb *v = cli->verb;

	if (asks_only(cli))
		return 0;
	if (!v)
		return dm_cli_usage(cli, "a verb is missing");
	if (cli->nargs < v->min_args)
		return dm_cli_usage(cli, "`demarche %s` needs an argument: %s", v->name, v->args);
	if (cli->nargs > v->max_args)
		return dm_cli_usage(cli,
				    v->max_args ? "`demarche %s` takes one %s, not also '%s'"
						: "`demarche %s` takes no argument such as %s'%s'",
				    v->name, v->max_args ? v->args : "", cli->args[v->max_args]);
	return 0;
}

int dm_cli_parse(struct dm_cli *cli, int argc, char **argv)
{
	size_t most = 1;
	int rc;

	*cli = (struct dm_cli){0};
	dm_out_init(&cli->out, 1, true);
	/* a word can hold as many switches as it has letters */
	for (int i = 1; i < argc; i++)
		most += strlen(argv[i]) + 1;
	cli->values = dm_calloc(most, sizeof *cli->values);
	cli->args = dm_calloc((size_t)argc + 1, sizeof *cli->args);
	if (!cli->values || !cli->args)
		return DM_EXIT_TEMPFAIL;
	rc = take_words(cli, argc, argv);
	if (rc)
		return rc;
	cli->json = dm_cli_has(cli, "json");
	if (dm_cli_has(cli, "no-color"))
		cli->out.color = false;
	return check_arguments(cli);
}

void dm_cli_done(struct dm_cli *cli)
{
	dm_free(cli->values);
	dm_free(cli->args);
	dm_out_done(&cli->out);
}

const char *dm_cli_nth(const struct dm_cli *cli, const char *name, size_t n)
{
	for (size_t i = 0; i < cli->nvalues; i++)
		if (!strcmp(cli->values[i].option->name, name) && n-- == 0)
			return cli->values[i].value;
	return NULL;
}

bool dm_cli_has(const struct dm_cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->nvalues; i++)
		if (!strcmp(cli->values[i].option->name, name))
			return true;
	return false;
}

const char *dm_cli_value(const struct dm_cli *cli, const char *name)
{
	return dm_cli_nth(cli, name, 0);
}

uint64_t dm_cli_number(const struct dm_cli *cli, const char *name, uint64_t fallback)
{
	const char *text = dm_cli_value(cli, name);
	uint64_t v = fallback;

	return text && dm_sv_u64(dm_sv_str(text), &v) ? v : fallback;
}

int64_t dm_cli_time(const struct dm_cli *cli, const char *name)
{
	const char *text = dm_cli_value(cli, name);
	int64_t t;

	return text && dm_cli_time_parse(text, dm_now(), &t) ? t : DM_NO_TIME;
}

bool dm_cli_time_parse(const char *text, int64_t now, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t us;
	} units[] = {
		{'s', DM_US}, {'m', 60 * DM_US}, {'h', 3600 * DM_US}, {'d', DM_DAY_US}, {'w', 7 * DM_DAY_US}};
	struct dm_sv s = dm_sv_str(text);
	uint64_t n;
	int64_t back;

	for (size_t i = 0; s.n && i < sizeof units / sizeof *units; i++) {
		if (s.p[s.n - 1] != units[i].unit || !dm_sv_u64(dm_sv(s.p, s.n - 1), &n) || n > INT64_MAX)
			continue;
		if (__builtin_mul_overflow((int64_t)n, units[i].us, &back) ||
		    __builtin_sub_overflow(now, back, ret))
			return false;
		return true;
	}
	return dm_time_parse(s, ret);
}

int dm_cli_home(struct dm_cli *cli, struct dm_err *err)
{
	const char *given = dm_cli_value(cli, "home"), *below = "";
	int n;

	if (cli->home)
		return DM_OK;
	if (!given)
		given = getenv("DEMARCHE_HOME");
	if (!given || !*given) {
		given = getenv("XDG_STATE_HOME");
		below = "/demarche";
	}
	/* the base directory specification: a relative path there is to be ignored */
	if (!given || !*given || (*below && *given != '/')) {
		given = getenv("HOME");
		below = "/.local/state/demarche";
	}
	if (!given || !*given) {
		dm_fail(err, DM_ECONFIG,
			"there is no folder for the node: neither HOME nor DEMARCHE_HOME is set");
		dm_err_remedy(err, "name one with --home DIR");
		return DM_ECONFIG;
	}
	n = snprintf(cli->home_path, sizeof cli->home_path, "%s%s", given, below);
	if (n < 0 || (size_t)n >= sizeof cli->home_path)
		return dm_fail(err, DM_ECONFIG, "the path of the node's folder is too long");
	cli->home = cli->home_path;
	return DM_OK;
}
