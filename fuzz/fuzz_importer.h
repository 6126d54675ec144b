/* fuzz_importer.h: an importer over bytes, with a sink that checks what every importer owes: views that can
 * be read, values in canonical form, objects that are JSON, reasons that say something.
 */
#ifndef DM_FUZZ_IMPORTER_H
#define DM_FUZZ_IMPORTER_H

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "import/importer.h"

static inline void fuzz_touch(struct dm_sv s)
{
	volatile unsigned sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum += (unsigned char)s.p[i];
	(void)sum;
}

static inline int fuzz_record(struct dm_sink *sink, const struct dm_record *r)
{
	assert(r->count <= DM_RECORD_VALUES && r->kind > 0 && r->kind < DM_KINDS);
	for (uint32_t i = 0; i < r->count; i++) {
		const struct dm_value *v = &r->v[i];
		assert(v->field < DM_FIELDS && dm_field_info[v->field].name);
		if (v->type != DM_T_TEXT)
			continue;
		fuzz_touch(v->text);
		if (v->field == DM_F_OBSERVED_OBJECTS) {
			struct dm_json doc;
			dm_json_init(&doc);
			assert(dm_json_parse(&doc, v->text, NULL) == DM_OK);
			dm_json_done(&doc);
		}
	}
	return DM_OK;
}

static inline int fuzz_indicator(struct dm_sink *sink, const struct dm_indicator *ind)
{
	struct dm_buf key;
	enum dm_obs_type t;

	fuzz_touch(ind->value);
	fuzz_touch(ind->original);
	fuzz_touch(ind->id);
	fuzz_touch(ind->source);
	fuzz_touch(ind->label);
	fuzz_touch(ind->marking);
	fuzz_touch(ind->key2);
	assert(ind->line > 0);
	assert((ind->form == DM_IND_PATTERN) == (ind->type == DM_OBS_NONE));
	assert(ind->value.n && (ind->form == DM_IND_PATTERN || ind->key.n));
	assert(ind->confidence <= 100 || ind->confidence == 255);
	if (ind->form != DM_IND_VALUE)
		return DM_OK;
	/* the canonical text is read as the same thing again */
	dm_buf_init(&key, 1u << 20);
	assert(dm_obs_key(ind->type, ind->value, &key, &t) && t == ind->type &&
	       dm_sv_eq(dm_buf_view(&key), ind->key));
	dm_buf_done(&key);
	return DM_OK;
}

static inline int fuzz_skip(struct dm_sink *sink, uint64_t line, const char *reason)
{
	assert(reason[0]);
	return DM_OK;
}

static inline int fuzz_meta(struct dm_sink *sink, const char *key, struct dm_sv value)
{
	fuzz_touch(value);
	return DM_OK;
}

static inline int fuzz_progress(struct dm_sink *sink, uint64_t offset, uint64_t line)
{
	return DM_OK;
}

/* Probes and runs `imp` over the bytes as each class of import. */
static inline int fuzz_import(const struct dm_importer *imp, const uint8_t *data, size_t size)
{
	static const enum dm_import_class wants[] = {DM_EITHER, DM_EVIDENCE, DM_INTELLIGENCE};
	struct dm_sink sink = {fuzz_record, fuzz_indicator, fuzz_skip, fuzz_meta, fuzz_progress};

	if (imp->preload && imp->preload(NULL))
		abort();
	(void)imp->probe(dm_sv((const char *)data, size < 65536 ? size : 65536), "input");
	for (size_t i = 0; i < (imp->gives == DM_EITHER ? 3u : 1u); i++) {
		struct dm_import_input in = {.name = "input", .want = wants[i]};
		struct dm_err err = {0};
		int fd = memfd_create("fuzz", MFD_CLOEXEC);
		assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
		if (!dm_stream_open(&in.stream, fd, dm_sv("", 0), &err)) {
			int rc = imp->run(&in, &sink, &err);
			assert(rc <= 0 && (rc == 0 || err.msg[0]));
			dm_stream_close(in.stream);
		}
		close(fd);
	}
	return 0;
}

#endif
