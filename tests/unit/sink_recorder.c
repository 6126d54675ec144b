#include "sink_recorder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/time.h"

static void list_add(struct recorder_list *l, size_t keep, const struct dm_buf *text)
{
	if (l->n >= keep)
		return;
	if (dm_grow((void **)&l->text, &l->cap, l->n + 1, sizeof(*l->text)))
		abort();
	l->text[l->n] = dm_strndup(dm_buf_view(text));
	if (!l->text[l->n])
		abort();
	l->n++;
}

static void list_clear(struct recorder_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		dm_free(l->text[i]);
	dm_free(l->text);
	*l = (struct recorder_list){0};
}

static int count(struct recorder *r)
{
	r->calls++;
	return r->fail_after && r->calls == r->fail_after ? DM_EIO : 0;
}

static void put_moment(struct dm_buf *b, int64_t us)
{
	if (us == DM_NO_TIME)
		dm_buf_putc(b, '-');
	else
		dm_time_put(b, us);
}

static void put_value(struct dm_buf *b, const struct dm_value *v)
{
	dm_buf_putc(b, '|');
	dm_buf_str(b, dm_field_info[v->field].name);
	dm_buf_putc(b, '=');
	switch ((enum dm_field_type)v->type) {
	case DM_T_TIME:
		put_moment(b, v->i);
		break;
	case DM_T_SPAN:
	case DM_T_INT:
		dm_buf_i64(b, v->i);
		break;
	case DM_T_BOOL:
		dm_buf_str(b, v->i ? "true" : "false");
		break;
	case DM_T_IP:
		dm_ip_put(b, &v->ip);
		break;
	case DM_T_TEXT:
		dm_buf_sv(b, v->text);
		break;
	}
}

static int on_record(struct dm_sink *s, const struct dm_record *rec)
{
	struct recorder *r = (struct recorder *)s;

	r->records++;
	if (rec->kind < DM_KINDS)
		r->kind[rec->kind]++;
	for (uint32_t i = 0; i < rec->count; i++) {
		if (rec->v[i].field >= DM_FIELDS || !dm_field_info[rec->v[i].field].name)
			abort(); /* an importer made up a field */
		r->field[rec->v[i].field]++;
	}
	if (r->record_text.n < r->keep) {
		struct dm_buf b;

		dm_buf_init(&b, 64u << 20);
		dm_buf_str(&b, dm_kind_name(rec->kind));
		dm_buf_putc(&b, '|');
		put_moment(&b, rec->time);
		dm_buf_putc(&b, '|');
		dm_buf_u64(&b, rec->line);
		for (uint32_t i = 0; i < rec->count; i++)
			put_value(&b, &rec->v[i]);
		list_add(&r->record_text, r->keep, &b);
		dm_buf_done(&b);
	}
	return count(r);
}

static int on_indicator(struct dm_sink *s, const struct dm_indicator *ind)
{
	struct recorder *r = (struct recorder *)s;

	r->indicators++;
	if (r->indicator_text.n < r->keep) {
		struct dm_buf b;

		dm_buf_init(&b, 64u << 20);
		dm_buf_printf(&b,
			      "%s|form=%d|line=%llu|flags=%u|confidence=%u|value=", dm_obs_name(ind->type),
			      (int)ind->form, (unsigned long long)ind->line, ind->flags, ind->confidence);
		dm_buf_sv(&b, ind->value);
		const struct {
			const char *name;
			struct dm_sv v;
		} more[] = {{"|original=", ind->original},
			    {"|id=", ind->id},
			    {"|source=", ind->source},
			    {"|label=", ind->label},
			    {"|marking=", ind->marking}};
		for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
			if (more[i].v.n) {
				dm_buf_str(&b, more[i].name);
				dm_buf_sv(&b, more[i].v);
			}
		}
		dm_buf_str(&b, "|from=");
		put_moment(&b, ind->valid_from);
		dm_buf_str(&b, "|until=");
		put_moment(&b, ind->valid_until);
		list_add(&r->indicator_text, r->keep, &b);
		dm_buf_done(&b);
	}
	return count(r);
}

static int on_skip(struct dm_sink *s, uint64_t line, const char *reason)
{
	struct recorder *r = (struct recorder *)s;
	struct dm_buf b;

	r->skips++;
	dm_buf_init(&b, 1u << 20);
	dm_buf_u64(&b, line);
	dm_buf_str(&b, ": ");
	dm_buf_str(&b, reason);
	list_add(&r->skip_text, r->keep, &b);
	dm_buf_done(&b);
	return count(r);
}

static int on_meta(struct dm_sink *s, const char *key, struct dm_sv value)
{
	struct recorder *r = (struct recorder *)s;
	struct dm_buf b;

	r->metas++;
	dm_buf_init(&b, 1u << 20);
	dm_buf_str(&b, key);
	dm_buf_putc(&b, '=');
	dm_buf_sv(&b, value);
	list_add(&r->meta_text, r->keep, &b);
	dm_buf_done(&b);
	return count(r);
}

static int on_progress(struct dm_sink *s, uint64_t offset, uint64_t line)
{
	struct recorder *r = (struct recorder *)s;

	r->progresses++;
	r->last_offset = offset;
	r->last_line = line;
	return count(r);
}

void recorder_init(struct recorder *r)
{
	*r = (struct recorder){.sink = {.record = on_record,
					.indicator = on_indicator,
					.skip = on_skip,
					.meta = on_meta,
					.progress = on_progress},
			       .keep = 1000};
}

void recorder_clear(struct recorder *r)
{
	size_t keep = r->keep;

	recorder_done(r);
	recorder_init(r);
	r->keep = keep;
}

void recorder_done(struct recorder *r)
{
	list_clear(&r->record_text);
	list_clear(&r->indicator_text);
	list_clear(&r->skip_text);
	list_clear(&r->meta_text);
}

static int run_fd(struct recorder *r, const struct dm_importer *imp, const char *name, int fd,
		  const struct dm_import_input *in)
{
	struct dm_import_input input = in ? *in : (struct dm_import_input){0};

	r->err = (struct dm_err){0};
	input.name = name;
	r->code = dm_stream_open(&input.stream, fd, dm_sv("", 0), &r->err);
	if (!r->code) {
		r->code = imp->run(&input, &r->sink, &r->err);
		dm_stream_close(input.stream);
	}
	return r->code;
}

int recorder_run(struct recorder *r, const struct dm_importer *imp, const char *name, const void *bytes,
		 size_t n, const struct dm_import_input *in)
{
	int fd = memfd_create("recorder", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	run_fd(r, imp, name, fd, in);
	close(fd);
	return r->code;
}

int recorder_run_file(struct recorder *r, const struct dm_importer *imp, const char *path,
		      const struct dm_import_input *in)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return r->code = DM_ENOENT;
	run_fd(r, imp, path, fd, in);
	close(fd);
	return r->code;
}

bool recorder_shared(const char *path, char *out, size_t n)
{
	const char *root = getenv("DEMARCHE_SHARED");

	if (!root || (size_t)snprintf(out, n, "%s/%s", root, path) >= n)
		return false;
	return access(out, R_OK) == 0;
}

const char *recorder_record(const struct recorder *r, size_t i)
{
	return i < r->record_text.n ? r->record_text.text[i] : "";
}

const char *recorder_indicator(const struct recorder *r, size_t i)
{
	return i < r->indicator_text.n ? r->indicator_text.text[i] : "";
}

const char *recorder_skip(const struct recorder *r, size_t i)
{
	return i < r->skip_text.n ? r->skip_text.text[i] : "";
}

const char *recorder_meta(const struct recorder *r, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < r->meta_text.n; i++) {
		if (!strncmp(r->meta_text.text[i], key, n) && r->meta_text.text[i][n] == '=')
			return r->meta_text.text[i] + n + 1;
	}
	return NULL;
}

bool recorder_has(const struct recorder *r, size_t i, const char *pair)
{
	struct dm_sv rest = dm_sv_str(recorder_record(r, i)), want = dm_sv_str(pair);

	while (rest.p) {
		if (dm_sv_eq(dm_sv_split(&rest, '|'), want))
			return true;
	}
	return false;
}

size_t recorder_values(const struct recorder *r, size_t i, const char *name)
{
	struct dm_sv rest = dm_sv_str(recorder_record(r, i));
	size_t found = 0, n = strlen(name);

	while (rest.p) {
		struct dm_sv part = dm_sv_split(&rest, '|');

		found += part.n > n && !memcmp(part.p, name, n) && part.p[n] == '=';
	}
	return found;
}
