/* Nodes of a graph: see observation_build.h. */
#include <stdio.h>

#include "hunt/observation_build.h"

static struct dm_json_node *node(struct dm_build *b, enum dm_json_type type, const char *key)
{
	struct dm_json *doc = &b->g->doc;
	struct dm_json_node *n;

	if (b->code || dm_grow((void **)&doc->nodes, &doc->cap, doc->count + 1, sizeof(*doc->nodes))) {
		b->code = DM_ENOMEM;
		return NULL;
	}
	n = &doc->nodes[doc->count++];
	*n = (struct dm_json_node){.type = (uint8_t)type, .next = doc->count};
	if (key[0])
		n->key = dm_sv_str(key);
	if (b->depth)
		doc->nodes[b->open[b->depth - 1]].count++;
	return n;
}

struct dm_sv dm_build_keep(struct dm_build *b, struct dm_sv s)
{
	struct dm_sv kept = dm_arena_copy(&b->g->doc.arena, s);

	if (!kept.p) {
		b->code = DM_ENOMEM;
		return dm_sv("", 0);
	}
	return kept;
}

void dm_build_open(struct dm_build *b, const char *key, bool array)
{
	if (!node(b, array ? DM_JSON_ARRAY : DM_JSON_OBJECT, key))
		return;
	b->open[b->depth++] = b->g->doc.count - 1;
}

void dm_build_end(struct dm_build *b)
{
	if (!b->code)
		b->g->doc.nodes[b->open[--b->depth]].next = b->g->doc.count;
}

void dm_build_text(struct dm_build *b, const char *key, struct dm_sv s)
{
	struct dm_json_node *n = s.n ? node(b, DM_JSON_STRING, key) : NULL;

	if (n)
		n->text = s;
}

void dm_build_int(struct dm_build *b, const char *key, int64_t v)
{
	struct dm_json_node *n;
	char digits[24];
	struct dm_sv s;

	if (v == DM_NO_INT)
		return;
	s = dm_build_keep(b, dm_sv(digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)v)));
	n = node(b, DM_JSON_NUMBER, key);
	if (n)
		n->text = s;
}

void dm_build_bool(struct dm_build *b, const char *key, bool v)
{
	node(b, v ? DM_JSON_TRUE : DM_JSON_FALSE, key);
}

void dm_build_time(struct dm_build *b, const char *key, int64_t us)
{
	struct dm_buf text;

	if (us == DM_NO_TIME)
		return;
	dm_buf_init(&text, 64);
	dm_time_put(&text, us);
	dm_build_text(b, key, dm_build_keep(b, dm_buf_view(&text)));
	dm_buf_done(&text);
}

static struct dm_sv new_id(struct dm_build *b)
{
	char id[16];

	return dm_build_keep(b, dm_sv(id, (size_t)snprintf(id, sizeof(id), "%u", b->next_id++)));
}

void dm_build_object_id(struct dm_build *b, const char *type, struct dm_sv id)
{
	struct dm_observed_graph *g = b->g;

	dm_build_open(b, "", false);
	dm_build_text(b, "type", dm_sv_str(type));
	dm_build_text(b, "id", id);
	if (b->code)
		return;
	if (dm_grow((void **)&g->objects, &g->cap_objects, g->o.count + 1, sizeof(*g->objects)) ||
	    dm_grow((void **)&g->ids, &g->cap_ids, g->o.count + 1, sizeof(*g->ids))) {
		b->code = DM_ENOMEM;
		return;
	}
	g->objects[g->o.count] = b->open[b->depth - 1];
	g->ids[g->o.count++] = id;
}

struct dm_sv dm_build_object(struct dm_build *b, const char *type)
{
	struct dm_sv id = new_id(b);

	dm_build_object_id(b, type, id);
	return id;
}

struct dm_sv dm_build_name(struct dm_build *b, enum dm_obs_type type, struct dm_sv text)
{
	/* LIMIT: a row has at most DM_RECORD_VALUES values; comparing lengths first makes trying all of them
	 * cheap. */
	for (uint32_t i = 0; i < b->n_named; i++) {
		if (b->named[i].type == type && dm_sv_eq(b->named[i].text, text))
			return b->named[i].id;
	}
	if (dm_grow((void **)&b->named, &b->cap_named, b->n_named + 1, sizeof(*b->named))) {
		b->code = DM_ENOMEM;
		return dm_sv("", 0);
	}
	b->named[b->n_named] = (struct dm_named){type, text, new_id(b)};
	return b->named[b->n_named++].id;
}

struct dm_sv dm_build_name_ip(struct dm_build *b, const struct dm_ip *ip)
{
	struct dm_buf text;
	struct dm_sv id;

	dm_buf_init(&text, 64);
	dm_ip_put(&text, ip);
	id = dm_build_name(b, dm_ip_is4(ip) ? DM_OBS_IPV4 : DM_OBS_IPV6,
			   dm_build_keep(b, dm_buf_view(&text)));
	dm_buf_done(&text);
	return id;
}

const struct dm_value *dm_build_row_value(const struct dm_record *r, enum dm_field f)
{
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->v[i].field == f)
			return &r->v[i];
	}
	return NULL;
}

struct dm_sv dm_build_row_text(const struct dm_record *r, enum dm_field f)
{
	const struct dm_value *v = dm_build_row_value(r, f);

	return v && v->type == DM_T_TEXT ? v->text : dm_sv("", 0);
}

int64_t dm_build_row_int(const struct dm_record *r, enum dm_field f)
{
	const struct dm_value *v = dm_build_row_value(r, f);

	return v && v->type != DM_T_TEXT && v->type != DM_T_IP ? v->i : DM_NO_INT;
}
