/* zeek_json.c: Zeek logs as JSON: one log a file, or many in one stream. */

#include "base/limits.h"
#include "import/json_feed.h"
#include "import/zeek_name.h"
#include "import/zeek_row.h"

#define MAX_LOGS 64u  /* logs of one stream whose columns are remembered */
#define MAX_KEYS 256u /* columns of one log that are remembered; a power of two */
#define MAX_NEST 4u   /* "id": {"orig_h": ...} is one level */

struct known_log {
	char path[64];
	struct dm_zeek_log own; /* stands for a log that the table does not know */
	const struct dm_zeek_log *log;
	struct dm_sv dataset;
	uint32_t nkeys;
	struct dm_zeek_action action[MAX_KEYS]; /* by hash of the name; name NULL: free */
};

struct state {
	struct dm_zeek_row *row;
	struct dm_arena arena;
	struct known_log *logs[MAX_LOGS];
	uint32_t nlogs;
	struct dm_sv stem; /* of the file name */
	struct known_log *last;
	size_t hint;
	struct dm_passed passed;
	const struct dm_json *doc;
	const struct dm_json_node *obj;
};

static bool is_key(struct dm_sv key, const char *name)
{
	for (size_t i = 0; i < key.n; i++) {
		if (!name[i] || (name[i] != key.p[i] && !(name[i] == '.' && key.p[i] == '_')))
			return false;
	}
	return !name[key.n];
}

static bool has_column(void *ctx, const char *name)
{
	struct state *st = ctx;

	for (const struct dm_json_node *c = dm_json_first(st->doc, st->obj); c;
	     c = dm_json_next(st->doc, st->obj, c)) {
		if (is_key(c->key, name))
			return true;
	}
	return false;
}

/* Forgets all logs: only when a hostile stream names more than any sensor writes. */
static void forget(struct state *st)
{
	for (uint32_t i = 0; i < st->nlogs; i++)
		dm_free(st->logs[i]);
	st->nlogs = 0;
	st->last = NULL;
	dm_arena_reset(&st->arena);
}

static struct known_log *open_log(struct state *st, struct dm_sv path)
{
	struct known_log *k;
	struct dm_buf name;

	if (st->last && dm_sv_is(path, st->last->path))
		return st->last;
	for (uint32_t i = 0; i < st->nlogs; i++) {
		if (dm_sv_is(path, st->logs[i]->path))
			return st->last = st->logs[i];
	}
	if (st->nlogs == MAX_LOGS || st->arena.used > (1u << 20))
		forget(st);
	k = dm_calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	if (path.n > sizeof(k->path) - 1)
		path.n = sizeof(k->path) - 1;
	for (size_t i = 0; i < path.n; i++)
		k->path[i] = path.p[i] < ' ' || path.p[i] > '~' ? '?' : path.p[i];
	k->log = dm_zeek_log_find(path);
	if (!k->log) {
		k->own = (struct dm_zeek_log){.path = k->path, .kind = DM_KIND_FLOW};
		k->log = &k->own;
	}
	dm_buf_init(&name, 256);
	dm_buf_str(&name, "zeek.");
	dm_buf_str(&name, k->log->path);
	k->dataset = dm_arena_copy(&st->arena, dm_buf_view(&name));
	dm_buf_done(&name);
	if (!k->dataset.p) {
		dm_free(k);
		return NULL;
	}
	st->logs[st->nlogs++] = k;
	return st->last = k;
}

/* Which log an object belongs to: what it says of itself, else the shape of it, else the file's name. */
static struct known_log *find_log(struct state *st)
{
	static const char *const marks[] = {"_path", "@stream", "_stream"};
	const struct dm_zeek_log *log;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct dm_sv path = dm_json_get_str(st->doc, st->obj, marks[i]);

		if (path.n)
			return open_log(st, path);
	}
	/* {"conn": {...}}, as some writers of Zeek's Kafka plugin do it */
	if (st->obj->count == 1) {
		const struct dm_json_node *only = dm_json_first(st->doc, st->obj);

		if (only->type == DM_JSON_OBJECT && dm_zeek_log_find(only->key)) {
			st->obj = only;
			return open_log(st, only->key);
		}
	}
	log = dm_zeek_log_guess(has_column, st, &st->hint);
	if (!log && dm_zeek_log_find(st->stem))
		return open_log(st, st->stem);
	if (!log && st->last)
		return st->last;
	return open_log(st, log ? dm_sv_str(log->path) : st->stem);
}

static uint32_t hash(struct dm_sv s)
{
	uint32_t h = 2166136261u; /* FNV-1a; the table is small and bounded, so that collisions cost little */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

/* The action for a column; `spare` is used where no more are remembered. NULL if there is no memory or no
 * room. */
static const struct dm_zeek_action *find_action(struct state *st, struct known_log *k, struct dm_sv key,
						struct dm_zeek_action *spare)
{
	uint32_t at = hash(key) & (MAX_KEYS - 1);
	struct dm_sv name;

	for (; k->action[at].name; at = (at + 1) & (MAX_KEYS - 1)) {
		if (dm_sv_is(key, k->action[at].name))
			return &k->action[at];
	}
	if (key.n > DM_MAX_VALUE)
		key.n = DM_MAX_VALUE;
	if (k->nkeys < MAX_KEYS / 2 && key.n <= 256 && !memchr(key.p, 0, key.n)) {
		name = dm_arena_copy(&st->arena, key);
		if (!name.p)
			return NULL;
		dm_zeek_action_make(&k->action[at], k->log == &k->own ? "" : k->log->path, name.p);
		k->nkeys++;
		return &k->action[at];
	}
	name = dm_arena_copy(&st->row->rec.arena, key);
	if (!name.p)
		return NULL;
	dm_zeek_action_make(spare, k->log == &k->own ? "" : k->log->path, name.p);
	return spare;
}

static void put_scalar(struct state *st, const struct dm_zeek_action *a, const struct dm_json_node *n)
{
	switch ((enum dm_json_type)n->type) {
	case DM_JSON_TRUE:
		dm_zeek_row_put(st->row, a, DM_SV("T"));
		break;
	case DM_JSON_FALSE:
		dm_zeek_row_put(st->row, a, DM_SV("F"));
		break;
	case DM_JSON_NUMBER:
	case DM_JSON_STRING:
		/* Converters from TSV leave its marks for unset and empty. */
		if (n->text.n && !dm_sv_is(n->text, "-") && !dm_sv_is(n->text, "(empty)"))
			dm_zeek_row_put(st->row, a, n->text);
		break;
	case DM_JSON_NULL:
	case DM_JSON_ARRAY:
	case DM_JSON_OBJECT:
		break;
	}
}

/* A structure where the table expects a value: kept as JSON text. */
static void keep_json(struct state *st, const char *name, const struct dm_json_node *n)
{
	struct dm_buf b;

	dm_buf_init(&b, DM_MAX_LINE * 2);
	dm_json_write(&b, st->doc, n);
	dm_record_unparsed(&st->row->rec, name, dm_buf_view(&b));
	dm_buf_done(&b);
}

static void put_members(struct state *st, struct known_log *k, const struct dm_json_node *obj,
			struct dm_sv prefix, unsigned nest)
{
	const struct dm_json_node *c, *e;
	struct dm_zeek_action spare;

	for (c = dm_json_first(st->doc, obj); c; c = dm_json_next(st->doc, obj, c)) {
		const struct dm_zeek_action *a;
		struct dm_sv key = c->key;

		if (st->row->rec.count == DM_RECORD_VALUES) {
			st->row->rec.dropped++;
			continue;
		}
		if (prefix.n) {
			struct dm_buf b;

			dm_buf_init(&b, DM_MAX_LINE * 2);
			dm_buf_sv(&b, prefix);
			dm_buf_putc(&b, '.');
			dm_buf_sv(&b, key);
			key = dm_arena_copy(&st->row->rec.arena, dm_buf_view(&b));
			dm_buf_done(&b);
			if (!key.p) { /* over DM_MAX_RECORD */
				st->row->rec.dropped++;
				continue;
			}
		}
		if (c->type == DM_JSON_OBJECT && nest < MAX_NEST) {
			put_members(st, k, c, key, nest + 1);
			continue;
		}
		a = find_action(st, k, key, &spare);
		if (!a) {
			st->row->rec.dropped++;
			continue;
		}
		if (c->type == DM_JSON_OBJECT) {
			keep_json(st, a->name, c);
		} else if (c->type == DM_JSON_ARRAY) {
			for (e = dm_json_first(st->doc, c); e; e = dm_json_next(st->doc, c, e)) {
				if (e->type == DM_JSON_OBJECT || e->type == DM_JSON_ARRAY)
					keep_json(st, a->name, e);
				else
					put_scalar(st, a, e);
			}
		} else {
			put_scalar(st, a, c);
		}
	}
}

static int each(struct dm_json_feed *feed, void *ctx)
{
	struct state *st = ctx;
	struct known_log *k;
	st->doc = &feed->doc;
	st->obj = &feed->doc.nodes[0];
	k = find_log(st);
	if (!k)
		return DM_ENOMEM;
	if (k->log->kind) {
		st->row->log = k->log;
		st->row->dataset = k->dataset;
		dm_zeek_row_start(st->row, feed->line);
		put_members(st, k, st->obj, dm_sv("", 0), 0);
		dm_zeek_row_finish(st->row);
		if (k->log != &k->own || dm_zeek_row_tells(st->row))
			return dm_lines_record(&feed->lines, &st->row->rec);
	}
	dm_passed_add(&st->passed, dm_sv_str(k->path), feed->line);
	return 0;
}

static int run(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct state st = {.stem = dm_zeek_name_stem(in->name)};
	int r;

	st.row = dm_zeek_row_new();
	if (!st.row)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	r = dm_json_feed_run(in, sink, each, &st, err);
	if (!r)
		r = dm_passed_flush(&st.passed, sink, "Zeek log");
	forget(&st);
	dm_arena_done(&st.arena);
	dm_zeek_row_free(st.row);
	return r;
}

static bool holds(struct dm_sv s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static int probe(struct dm_sv head, const char *name)
{
	struct dm_sv first = dm_json_feed_first(head);

	if (!first.n)
		return 0;
	if (holds(first, "\"event_type\"") && holds(first, "\"timestamp\""))
		return 0;
	if (holds(first, "\"id.orig_h\"") || holds(first, "\"id_orig_h\"") || holds(first, "\"orig_h\""))
		return 92;
	if (holds(first, "\"_path\"") || (holds(first, "\"@stream\"") && holds(first, "\"ts\"")))
		return 90;
	if (holds(first, "\"ts\"") &&
	    (holds(first, "\"uid\"") || holds(first, "\"uids\"") || holds(first, "\"fuid\"") ||
	     holds(first, "\"certificate.subject\"") || holds(first, "\"certificate_subject\"") ||
	     holds(first, "\"conn_uids\"")))
		return 85;
	/* The rest by name: {"ts":..., "peer":...} of stats.log */
	return dm_zeek_log_find(dm_zeek_name_stem(name)) ? (holds(first, "\"ts\"") ? 60 : 25) : 0;
}

const struct dm_importer dm_import_zeek_json = {
	.name = "zeek-json",
	.title = "Zeek log (JSON)",
	.gives = DM_EVIDENCE,
	.module = "json",
	.preload = dm_json_preload,
	.probe = probe,
	.run = run,
	.growing = true,
};
