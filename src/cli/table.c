#include "cli/table.h"

#include <string.h>
#include "base/err.h"

/* name, brief, kind of value, placeholder, repeatable, help, choices, about the program alone */
#define SWITCH(name, brief, help)                                                                            \
	{                                                                                                    \
		name, brief, DM_ARG_NONE, NULL, false, help, NULL, false                                     \
	}
#define VALUE(name, brief, arg, placeholder, help)                                                           \
	{                                                                                                    \
		name, brief, arg, placeholder, false, help, NULL, false                                      \
	}
#define VALUES(name, brief, arg, placeholder, help)                                                          \
	{                                                                                                    \
		name, brief, arg, placeholder, true, help, NULL, false                                       \
	}
#define CHOICE(name, brief, placeholder, choices, help)                                                      \
	{                                                                                                    \
		name, brief, DM_ARG_CHOICE, placeholder, false, help, choices, false                         \
	}
#define END_OF_OPTIONS                                                                                       \
	{                                                                                                    \
		NULL, 0, DM_ARG_NONE, NULL, false, NULL, NULL, false                                         \
	}

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

const struct dm_option dm_global_options[] = {
	VALUE("home", 0, DM_ARG_DIR, "DIR",
	      "the node's folder; else $DEMARCHE_HOME, else the XDG state folder"),
	SWITCH("json", 0, "print JSON Lines with stable keys instead of text for people"),
	SWITCH("no-color", 0, "no colour, as with NO_COLOR in the environment"),
	SWITCH("help", 'h', "print this help"),
	{"version", 'V', DM_ARG_NONE, NULL, false, "print the version", NULL, true},
	{"man", 0, DM_ARG_VERB, "VERB", false, "print the manual page of a verb, or of demarche, in mdoc(7)",
	 NULL, true},
	{"completion", 0, DM_ARG_CHOICE, "SHELL", false, "print the completion script of a shell", shells,
	 true},
	END_OF_OPTIONS,
};

const struct dm_exit_meaning dm_exits[] = {
	{DM_EXIT_OK, "done"},
	{DM_EXIT_NO, "a clear no: nothing found, a check failed"},
	{DM_EXIT_USAGE, "the command line is wrong"},
	{DM_EXIT_DATA, "bad data: the input does not follow its format"},
	{DM_EXIT_UNAVAILABLE, "a partner or a program that is needed cannot be reached"},
	{DM_EXIT_CANTCREAT, "something cannot be created"},
	{DM_EXIT_IO, "reading or writing failed, or the disk is full"},
	{DM_EXIT_TEMPFAIL, "try later: somebody else holds the node, or memory is short"},
	{DM_EXIT_NOPERM, "not permitted"},
	{DM_EXIT_CONFIG, "the configuration or the node is not as it must be"},
	{0, NULL},
};

static const char *const marks[] = {"clear", "green", "amber", "amber+strict", "red", NULL};
static const char *const classes[] = {"evidence", "intelligence", NULL};
static const char *const import_formats[] = {"zeek-tsv", "zeek-json",	  "suricata-eve", "suricata-fast",
					     "pcap",	 "nfcapd",	  "ipfix",	  "hashlist",
					     "csv",	 "stix",	  "misp",	  "openioc",
					     "text",	 "indicator-csv", "warninglist",  NULL};
static const char *const hunt_formats[] = {"table", "json",	"csv",	"stix", "nft",
					   "rpz",   "suricata", "zeek", NULL};
static const char *const types[] = {"ipv4-addr",
				    "ipv6-addr",
				    "domain-name",
				    "url",
				    "md5",
				    "sha1",
				    "sha256",
				    "sha512",
				    "ssdeep",
				    "tlsh",
				    "email-addr",
				    "mac-addr",
				    "autonomous-system",
				    "x509-sha1",
				    "x509-sha256",
				    "x509-md5",
				    "ja3",
				    "ja3s",
				    "ja4",
				    "mutex",
				    "file-name",
				    "user-agent",
				    "windows-registry-key",
				    NULL};

static const struct dm_option init_options[] = {
	VALUE("org", 0, DM_ARG_TEXT, "NAME", "the organisation that runs this node"),
	VALUES("own", 0, DM_ARG_TEXT, "NET",
	       "one of our own networks, as 192.0.2.0/24 or 2001:db8::/32; never blocked"),
	END_OF_OPTIONS,
};
static const char *const init_text[] = {"Makes the node's folder with its catalog and a commented "
					"configuration file. A folder that holds a node already is "
					"left as it is.",
					NULL};
static const struct dm_example init_examples[] = {
	{"demarche init --org 'Example Corp' --own 198.51.100.0/24", "a node that knows its own network"},
	{NULL, NULL}};

static const struct dm_option import_options[] = {
	SWITCH("check", 0, "read and say what is in it and what is wrong with it; store nothing"),
	SWITCH("follow", 0, "go on as the file grows, until interrupted"),
	VALUE("sensor", 0, DM_ARG_TEXT, "NAME", "where it was recorded, if the input does not say"),
	CHOICE("as", 0, "CLASS", classes,
	       "take it as evidence or as intelligence where its content could be either"),
	{"format", 0, DM_ARG_TEXT, "FORMAT", false, "do not look, it is this format", import_formats, false},
	SWITCH("timings", 0, "keep the times and lengths of packets of captures, for tracing"),
	CHOICE("tlp", 0, "MARK", marks, "mark what carries no mark itself"),
	VALUE("source", 0, DM_ARG_TEXT, "NAME", "who gave it, if the input does not say"),
	SWITCH("keep-original", 0, "store the original lines too, not only their place and digest"),
	END_OF_OPTIONS,
};
static const char *const import_text[] = {
	"Reads evidence (logs, flow records, captures) or intelligence (lists of indicators, reports) into "
	"the node. The format "
	"is found by content, plain or packed with gzip, zstd or xz; a folder is read whole; - is standard "
	"input. Each input is "
	"read by a process of its own that can do nothing but read it.",
	"The same bytes again change nothing, and a file that has grown is read from where it ended. What "
	"does not parse is "
	"counted and listed with line and reason; the rest is kept.",
	"Formats: Zeek logs in TSV and JSON, Suricata's eve.json, pcap and pcapng, nfcapd (needs nfdump), "
	"IPFIX files, STIX 2.0 "
	"and 2.1, MISP events and feeds, OpenIOC, CSV, lists of hashes, and text with defanged indicators.",
	NULL};
static const struct dm_example import_examples[] = {
	{"demarche import /var/log/zeek/2014-11-24/", "a folder of logs"},
	{"demarche import --tlp amber --source 'Partner X' report.md", "the indicators of a report"},
	{"demarche import --check bundle.json", "what is in it, without storing it"},
	{"zcat conn.*.gz | demarche import --sensor dmz -", "from a pipe"},
	{NULL, NULL}};

static const struct dm_option hunt_options[] = {
	VALUES("indicators", 'i', DM_ARG_FILE, "LIST",
	       "hunt these instead of what was imported; any intelligence format"),
	SWITCH("count", 0, "only how often, first and last, for each indicator"),
	CHOICE("format", 0, "FORMAT", hunt_formats,
	       "how rows are printed; nft, rpz, suricata and zeek make a block list of the hits"),
	SWITCH("all", 0, "block lists of all indicators, not only of those that were hit"),
	VALUE("pattern", 0, DM_ARG_TEXT, "PATTERN", "hunt one STIX 2.1 pattern"),
	VALUE("observed", 0, DM_ARG_FILE, "FILE",
	      "evaluate the pattern over the observed-data of this file alone"),
	VALUE("since", 0, DM_ARG_TIME, "TIME",
	      "rows from this time on: 2014-11-24, 2014-11-24T08:00:00Z, or 7d for the last week"),
	VALUE("until", 0, DM_ARG_TIME, "TIME", "rows before this time"),
	{"type", 0, DM_ARG_CHOICE, "TYPE", true, "indicators of this type only", types, false},
	VALUES("source", 0, DM_ARG_TEXT, "NAME", "indicators from this source only"),
	SWITCH("verify", 0, "do it again by reading every row, and compare"),
	SWITCH("subdomains", 0, "let a domain also stand for all names below it"),
	SWITCH("new", 0, "only what no earlier hunt with --new has told"),
	VALUE("output", 'o', DM_ARG_FILE, "FILE", "write there, whole or not at all"),
	VALUE("undo", 0, DM_ARG_FILE, "FILE", "with a block list: write there what takes it back"),
	VALUE("limit", 0, DM_ARG_NUMBER, "N", "print at most N rows; the rest is counted"),
	END_OF_OPTIONS,
};
static const char *const hunt_text[] = {
	"Tells which indicators were ever seen, when, by whom, in which rows, and from which source each "
	"indicator came. Without "
	"LOG it hunts in the node; with LOG it reads those files and needs no node.",
	"At the end it always says what was searched, over which time, what was not kept or sampled, and how "
	"many indicators could "
	"not be tested because there are no records of the kind that would show them.",
	"Expired indicators are hunted and marked, and never blocked. Nor are reserved or own addresses, "
	"names on warning lists "
	"and what its source calls not meant for detection: a block list names them in comments, with the "
	"reason.",
	NULL};
static const struct dm_example hunt_examples[] = {
	{"demarche hunt", "all indicators of the node in all of its evidence"},
	{"demarche hunt -i report.md /var/log/zeek/current/", "without a node"},
	{"demarche hunt --count --json", "for a program"},
	{"demarche hunt --format nft -o block.nft --undo unblock.nft",
	 "a block list of what was hit, and the way back"},
	{"demarche hunt --pattern \"[ipv4-addr:value = '203.0.113.7']\" --observed observed.json",
	 "one pattern over one file"},
	{NULL, NULL}};

static const struct dm_option show_options[] = {
	VALUE("at", 0, DM_ARG_TIME, "TIME", "peers before and after this moment"),
	END_OF_OPTIONS,
};
static const char *const show_text[] = {
	"Tells all that is known of an address, a host, a domain or a hash: first and last contact, its "
	"peers, bytes out, others "
	"with the same peers, regular beats, the names it had, and what intelligence says.",
	NULL};
static const struct dm_example show_examples[] = {
	{"demarche show 203.0.113.7", "an address"},
	{"demarche show --at 2014-11-24T08:00:00Z 198.51.100.23", "whom it talked to before and after"},
	{NULL, NULL}};

static const struct dm_option status_options[] = {
	SWITCH("check", 0, "also read every segment, and say what is wrong and what to do about it"),
	VALUE("import", 0, DM_ARG_NUMBER, "N", "one import: its digest, and all that was skipped and why"),
	END_OF_OPTIONS,
};
static const char *const status_text[] = {"Tells what the node holds: imports, rows, time range, size, "
					  "indicators by source, and whether all is well.",
					  NULL};
static const struct dm_example status_examples[] = {
	{"demarche status --check", "a health check; exit code 1 if something is wrong"}, {NULL, NULL}};

static const struct dm_option compact_options[] = {
	SWITCH("rebuild", 0, "make the store-wide dictionary anew from the segments"),
	END_OF_OPTIONS,
};
static const char *const compact_text[] = {"Merges small segments, which many small imports leave, so that a "
					   "hunt opens fewer files. Takes nothing away.",
					   NULL};
static const struct dm_example compact_examples[] = {{NULL, NULL}};

static const struct dm_option forget_options[] = {
	VALUE("before", 0, DM_ARG_TIME, "DATE", "drop the evidence of all days before this one"),
	END_OF_OPTIONS,
};
static const char *const forget_text[] = {"Drops whole days of evidence. Their values leave the dictionary "
					  "too; that they were dropped is remembered, so that a hunt "
					  "says \"not kept\" for that time and not \"not seen\".",
					  NULL};
static const struct dm_example forget_examples[] = {
	{"demarche forget --before 2014-01-01", "keep 2014 and later"},
	{"demarche forget --before 400d", "keep the last 400 days"},
	{NULL, NULL}};

static const struct dm_option no_options[] = {END_OF_OPTIONS};
static const char *const help_text[] = {"Prints what `demarche VERB --help` prints, or the list of verbs.",
					NULL};
static const struct dm_example help_examples[] = {{NULL, NULL}};

const struct dm_verb dm_verbs[] = {
	{"init", "make a node", NULL, DM_ARG_NONE, 0, 0, init_options, init_text, init_examples, NULL,
	 cmd_init},
	{"import", "read evidence or intelligence", "FILE...", DM_ARG_FILE, 1, DM_ARGS_MANY, import_options,
	 import_text, import_examples, "nothing new was in it", cmd_import},
	{"hunt", "find indicators in evidence", "[LOG...]", DM_ARG_FILE, 0, DM_ARGS_MANY, hunt_options,
	 hunt_text, hunt_examples, "nothing was found", cmd_hunt},
	{"show", "all that is known of one value", "VALUE", DM_ARG_TEXT, 1, 1, show_options, show_text,
	 show_examples, "it was never seen and nothing is said of it", cmd_show},
	{"status", "what the node holds, and whether all is well", NULL, DM_ARG_NONE, 0, 0, status_options,
	 status_text, status_examples, "something is wrong", cmd_status},
	{"compact", "merge small pieces of evidence", NULL, DM_ARG_NONE, 0, 0, compact_options, compact_text,
	 compact_examples, NULL, cmd_compact},
	{"forget", "drop old evidence", NULL, DM_ARG_NONE, 0, 0, forget_options, forget_text, forget_examples,
	 NULL, cmd_forget},
	{"help", "explain a verb", "[VERB]", DM_ARG_VERB, 0, 1, no_options, help_text, help_examples, NULL,
	 cmd_help},
	{NULL, NULL, NULL, DM_ARG_NONE, 0, 0, NULL, NULL, NULL, NULL, NULL},
};

const struct dm_verb *dm_verb_find(const char *name)
{
	for (const struct dm_verb *v = dm_verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

int dm_exit_of(int code)
{
	switch (code) {
	case DM_OK:
		return DM_EXIT_OK;
	case DM_EINVAL:
		return DM_EXIT_USAGE;
	case DM_EPERM:
		return DM_EXIT_NOPERM;
	case DM_EBUSY:
	case DM_ENOMEM:
	case DM_ECANCELLED:
		return DM_EXIT_TEMPFAIL;
	case DM_ECONFIG:
	case DM_EVERSION:
		return DM_EXIT_CONFIG;
	case DM_ENOENT:
	case DM_EIO:
	case DM_ENOSPC:
	case DM_ECORRUPT:
		return DM_EXIT_IO;
	default: /* DM_ELIMIT, DM_EFORMAT, DM_EUNSUPPORTED, DM_EWORKER: it is the input */
		return DM_EXIT_DATA;
	}
}
