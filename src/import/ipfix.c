/* ipfix.c: IPFIX files (RFC 7011 messages end to end, RFC 5655) through libfixbuf.
 *
 * libfixbuf brings records into the form of an internal template. For each template of an exporter one is
 * made of the elements that both sides know, kept by its layout, since exporters repeat theirs all the time.
 * The library is loaded late, with glib, which Debian's package of it does not name as a dependency.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <fixbuf/public.h>

#include "import/importer.h"
#include "import/ipfix_row.h"

#define FIRST_TEMPLATE 256u /* RFC 7011 s.3.4.1 */
/* Different templates of one file, by what of them is known here; records of further ones are passed over. */
#define MAX_LAYOUTS 1024u
/* CERT's private enterprise number, whose elements YAF exports. */
#define CERT_PEN  6871
#define MAX_NOTES 100u
/* Observation domains whose sampling is remembered. */
#define MAX_DOMAINS 64u

#define FIXBUF_SYMBOLS(X)                                                                                    \
	X(fbInfoModelAlloc)                                                                                  \
	X(fbInfoModelFree)                                                                                   \
	X(fbInfoModelAddElementArray)                                                                        \
	X(fbInfoModelGetElementByName)                                                                       \
	X(fbSessionAlloc)                                                                                    \
	X(fbSessionFree)                                                                                     \
	X(fbSessionAddTemplate)                                                                              \
	X(fbSessionGetDomain)                                                                                \
	X(fbSessionAddNewTemplateCallback)                                                                   \
	X(fbTemplateAlloc)                                                                                   \
	X(fbTemplateAppendSpec)                                                                              \
	X(fbTemplateCountElements)                                                                           \
	X(fbTemplateGetIndexedIE)                                                                            \
	X(fbTemplateGetContext)                                                                              \
	X(fbTemplateGetOptionsScope)                                                                         \
	X(fbCollectorAllocFP)                                                                                \
	X(fBufAllocForCollection)                                                                            \
	X(fBufSetInternalTemplate)                                                                           \
	X(fBufNextCollectionTemplate)                                                                        \
	X(fBufGetExportTime)                                                                                 \
	X(fBufNext)                                                                                          \
	X(fBufNextMessage)                                                                                   \
	X(fBufFree)

#define GLIB_SYMBOLS(X)                                                                                      \
	X(g_clear_error)                                                                                     \
	X(g_log_set_default_handler)

static struct {
#define X(name) __typeof__(name) *name;
	FIXBUF_SYMBOLS(X)
	GLIB_SYMBOLS(X)
#undef X
	bool ready;
} lib;

static int preload(struct dm_err *err)
{
	void *glib, *fixbuf;

	if (lib.ready)
		return 0;
	/* Global, since libfixbuf does not say that it needs it. */
	glib = dlopen("libglib-2.0.so.0", RTLD_NOW | RTLD_GLOBAL);
	fixbuf = glib ? dlopen("libfixbuf.so.9", RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!fixbuf) {
		dm_fail(err, DM_EUNSUPPORTED, "the library for IPFIX files can't be loaded: %s", dlerror());
		dm_err_remedy(err, "install libfixbuf9 and libglib2.0-0");
		return DM_EUNSUPPORTED;
	}
#define X(name)                                                                                              \
	*(void **)&lib.name = dlsym(fixbuf, #name);                                                          \
	if (!lib.name)                                                                                       \
		return dm_fail(err, DM_EUNSUPPORTED, "libfixbuf lacks %s", #name);
	FIXBUF_SYMBOLS(X)
#undef X
#define X(name)                                                                                              \
	*(void **)&lib.name = dlsym(glib, #name);                                                            \
	if (!lib.name)                                                                                       \
		return dm_fail(err, DM_EUNSUPPORTED, "glib lacks %s", #name);
	GLIB_SYMBOLS(X)
#undef X
	lib.ready = true;
	return 0;
}

/* Version 10, a length that holds a header, an export time, and a first set that is a template or data. */
static int probe(struct dm_sv head, const char *name)
{
	const uint8_t *p = (const uint8_t *)head.p;
	unsigned length, set, set_n;

	(void)name;
	if (head.n < 20 || p[0] != 0 || p[1] != 10)
		return 0;
	length = (unsigned)(p[2] << 8 | p[3]);
	set = (unsigned)(p[16] << 8 | p[17]);
	set_n = (unsigned)(p[18] << 8 | p[19]);
	return length >= 20 && (set == 2 || set == 3 || set >= 256) && set_n >= 4 && set_n <= length - 16 ? 90
													  : 0;
}

struct layout {
	struct dm_ipfix_layout l;
	uint16_t id; /* of the internal template */
	bool made;
};

struct domain {
	uint32_t id;
	uint64_t sampling;
};

struct run {
	struct dm_sink *sink;
	struct dm_stream *stream;
	struct dm_err *err;
	struct dm_record rec;
	struct dm_ipfix_row row;
	fbInfoModel_t *model;
	fbSession_t *session;
	fBuf_t *buf;
	const fbInfoElement_t *element[DM_IPFIX_COUNT];
	struct layout *layout[MAX_LAYOUTS];
	unsigned layouts;
	struct layout *none;   /* without elements */
	struct layout endless; /* stands for templates whose records have no length */
	struct layout *used;   /* whose template is set */
	struct {
		uint8_t head[4];
		uint32_t n;    /* bytes of it */
		uint32_t left; /* of the message behind it */
	} at;
	uint64_t records, flows, guessed, notes, lost, gaps;
	struct domain domain[MAX_DOMAINS];
	unsigned domains;
	bool stream_end;
	int code; /* of the stream or the sink */
	struct dm_err stream_err;
	char scratch[128];
};

/* What libfixbuf has to say while it goes on reading: glib's log has one handler, so one run at a time. */
static struct run *current;

static void hear(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
	char text[200];

	(void)domain;
	(void)data;
	if (!current || level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO))
		return;
	/* Nothing of this file is passed over then: it came without what was sent in between. */
	if (strstr(message, "out of sequence")) {
		current->gaps++;
		return;
	}
	current->lost++;
	if (current->code || current->notes >= MAX_NOTES)
		return;
	current->notes++;
	snprintf(text, sizeof text, "%.180s", message);
	current->code = current->sink->skip(current->sink, current->records + 1, text);
}

/* Where messages begin and end. */
static void watch(struct run *run, const uint8_t *p, size_t n)
{
	while (n) {
		size_t take = run->at.left < n ? run->at.left : n;

		run->at.left -= (uint32_t)take;
		p += take;
		n -= take;
		while (n && !run->at.left && run->at.n < 4) {
			run->at.head[run->at.n++] = *p++;
			n--;
		}
		if (run->at.n == 4) {
			uint32_t length = (uint32_t)run->at.head[2] << 8 | run->at.head[3];

			run->at.n = 0;
			run->at.left = length > 4 ? length - 4 : 0;
		}
	}
}

static ssize_t read_stream(void *cookie, char *buf, size_t n)
{
	struct run *run = cookie;
	size_t got = 0;
	int r = dm_stream_read(run->stream, buf, n, &got, &run->stream_err);

	if (r < 0) {
		run->code = r;
		return -1;
	}
	run->stream_end = got == 0;
	watch(run, (const uint8_t *)buf, got);
	return (ssize_t)got;
}

static struct layout *find_layout(struct run *run, const struct dm_ipfix_layout *want)
{
	struct layout *l;

	for (unsigned i = 0; i < run->layouts; i++)
		if (memcmp(run->layout[i]->l.has, want->has, sizeof want->has) == 0 &&
		    memcmp(run->layout[i]->l.fixed, want->fixed, sizeof want->fixed) == 0)
			return run->layout[i];
	if (run->layouts == MAX_LAYOUTS)
		return NULL;
	l = dm_alloc(sizeof *l);
	if (!l)
		return NULL;
	*l = (struct layout){.l = *want, .id = (uint16_t)(FIRST_TEMPLATE + run->layouts)};
	dm_ipfix_layout_offsets(&l->l);
	run->layout[run->layouts++] = l;
	return l;
}

/* What the exporter's template has of our elements. The library can't turn text of a fixed length into one
 * with a length of its own, so it is asked for what is sent; a number of variable length is no number. */
static void new_template(fbSession_t *session, uint16_t id, fbTemplate_t *t, void *app, void **ret,
			 fbTemplateCtxFree_fn *ret_free)
{
	struct run *run = app;
	struct dm_ipfix_layout l = {0};
	uint32_t n = lib.fbTemplateCountElements(t), wire = 0;

	(void)session;
	(void)id;
	for (uint32_t i = 0; i < n; i++) {
		const fbInfoElement_t *ie = lib.fbTemplateGetIndexedIE(t, i);

		wire |= ie->len;
		for (unsigned e = 0; e < DM_IPFIX_COUNT; e++) {
			if (!run->element[e] || run->element[e]->ent != ie->ent ||
			    run->element[e]->num != ie->num)
				continue;
			bool text = e < DM_IPFIX_TEXTS, variable = ie->len == FB_IE_VARLEN;

			if (text ? variable || (ie->len && ie->len <= DM_IPFIX_TEXT_MAX) : !variable) {
				l.has[e / 64] |= 1ull << (e % 64);
				if (text && !l.fixed[e])
					l.fixed[e] = variable ? 0 : ie->len;
			}
			break;
		}
	}
	/* Records of no length: a set would hold them without end. */
	*ret = wire ? find_layout(run, &l) : &run->endless;
	*ret_free = NULL;
}

static bool append(struct run *run, fbTemplate_t *t, unsigned e, uint16_t len)
{
	fbInfoElementSpec_t spec = {(char *)(uintptr_t)dm_ipfix_info[e].name, len, 0};
	GError *error = NULL;
	bool ok = lib.fbTemplateAppendSpec(t, &spec, 0, &error);

	if (!ok)
		dm_fail(run->err, DM_EUNSUPPORTED, "libfixbuf does not take %s: %s", dm_ipfix_info[e].name,
			error ? error->message : "");
	lib.g_clear_error(&error);
	return ok;
}

/* The internal template of a layout, made when the first of its records comes. */
static int use_layout(struct run *run, struct layout *l)
{
	GError *error = NULL;
	bool ok = true, some = false;

	if (run->used == l)
		return 0;
	if (!l->made) {
		fbTemplate_t *t = lib.fbTemplateAlloc(run->model);

		/* The order of dm_ipfix_layout_offsets. */
		for (unsigned pass = 0; pass < 2; pass++)
			for (unsigned e = 0; e < DM_IPFIX_COUNT && ok; e++) {
				uint16_t fixed = e < DM_IPFIX_TEXTS ? l->l.fixed[e] : 0;

				if (!(l->l.has[e / 64] >> (e % 64) & 1) || (fixed != 0) != pass)
					continue;
				ok = append(run, t, e, fixed ? fixed : dm_ipfix_info[e].len);
				some = true;
			}
		/* A template can't be empty. */
		if (ok && !some)
			ok = append(run, t, DM_IPFIX_PROTO, 1);
		if (!ok)
			return DM_EUNSUPPORTED;
		ok = lib.fbSessionAddTemplate(run->session, TRUE, l->id, t, &error);
		l->made = ok;
	}
	if (ok)
		ok = lib.fBufSetInternalTemplate(run->buf, l->id, &error);
	if (!ok)
		dm_fail(run->err, DM_EUNSUPPORTED, "libfixbuf does not take a template: %s",
			error ? error->message : "");
	lib.g_clear_error(&error);
	run->used = ok ? l : NULL;
	return ok ? 0 : DM_EUNSUPPORTED;
}

static bool add_model(struct run *run)
{
	static fbInfoElement_t cert[] = {
		FB_IE_INIT("silkAppLabel", CERT_PEN, 33, 2, FB_IE_F_ENDIAN),
		FB_IE_INIT("initialTCPFlags", CERT_PEN, 14, 1, FB_IE_F_ENDIAN | FB_IE_F_REVERSIBLE),
		FB_IE_INIT("unionTCPFlags", CERT_PEN, 15, 1, FB_IE_F_ENDIAN | FB_IE_F_REVERSIBLE),
		FB_IE_NULL,
	};

	run->model = lib.fbInfoModelAlloc();
	if (!run->model)
		return false;
	lib.fbInfoModelAddElementArray(run->model, cert);
	/* What this version of the library does not know is not read. */
	for (unsigned e = 0; e < DM_IPFIX_COUNT; e++)
		run->element[e] = lib.fbInfoModelGetElementByName(run->model, dm_ipfix_info[e].name);
	return true;
}

static struct domain *find_domain(struct run *run, uint32_t id, bool make)
{
	for (unsigned i = 0; i < run->domains; i++)
		if (run->domain[i].id == id)
			return &run->domain[i];
	if (!make || run->domains == MAX_DOMAINS)
		return NULL;
	run->domain[run->domains] = (struct domain){.id = id};
	return &run->domain[run->domains++];
}

/* What an exporter says of itself in options: how it samples. */
static int options(struct run *run)
{
	uint64_t sampling = dm_ipfix_sampling(&run->row);
	struct domain *d;
	char text[24];

	if (!sampling)
		return 0;
	d = find_domain(run, lib.fbSessionGetDomain(run->session), true);
	if (!d || d->sampling == sampling)
		return 0;
	d->sampling = sampling;
	if (sampling == 1)
		return 0;
	return run->sink->meta(run->sink, "sampling",
			       dm_sv(text, (size_t)snprintf(text, sizeof text, "%" PRIu64, sampling)));
}

static int take_record(struct run *run, fbTemplate_t *t, const struct layout *l)
{
	const struct domain *d;
	bool guessed = false;

	run->records++;
	run->row.layout = &l->l;
	run->row.export_time = (int64_t)lib.fBufGetExportTime(run->buf) * DM_US;
	if (lib.fbTemplateGetOptionsScope(t))
		return options(run);
	d = find_domain(run, lib.fbSessionGetDomain(run->session), false);
	run->row.sampling = d ? d->sampling : 0;
	if (!dm_ipfix_record(&run->row, &run->rec, run->records, run->scratch, &guessed)) {
		run->lost++;
		if (run->notes >= MAX_NOTES)
			return 0;
		run->notes++;
		return run->sink->skip(run->sink, run->records, "record without addresses");
	}
	run->flows++;
	run->guessed += guessed;
	return run->sink->record(run->sink, &run->rec);
}

/* One record. 1: there may be more, 0: the end, or a code. */
static int next_record(struct run *run)
{
	GError *e = NULL;
	size_t n = sizeof run->row.data;
	fbTemplate_t *t = lib.fBufNextCollectionTemplate(run->buf, NULL, &e);
	struct layout *l = t ? lib.fbTemplateGetContext(t) : NULL;
	int r;

	if (l == &run->endless) {
		r = run->sink->skip(run->sink, run->records + 1,
				    "records without any length; the rest of their message is passed over");
		run->lost++;
		run->notes++;
		if (r < 0 || lib.fBufNextMessage(run->buf, &e))
			return r < 0 ? r : 1;
		t = NULL;
	}
	/* More kinds of templates than are kept: read as one without elements, so counted as passed over. */
	if (t && !l)
		l = run->none;
	if (t) {
		r = use_layout(run, l);
		if (r < 0)
			return r;
	}
	if (t && lib.fBufNext(run->buf, run->row.data, &n, &e)) {
		r = take_record(run, t, l);
		return r < 0 ? r : run->code < 0 ? run->code : 1;
	}
	if (run->code < 0)
		r = run->code;
	else if (e && e->code == FB_ERROR_EOF)
		r = 0;
	else
		r = dm_fail(run->err, DM_EFORMAT, "behind record %" PRIu64 ": %s", run->records,
			    e ? e->message : "the library gave up without a word");
	if (r == DM_EFORMAT && run->err) {
		run->err->offset = dm_stream_offset(run->stream);
		run->err->has_offset = 1;
	}
	lib.g_clear_error(&e);
	return r;
}

static int put_facts(struct run *run)
{
	char text[160];
	int n, r = 0;

	if (run->guessed) {
		n = snprintf(text, sizeof text,
			     "%" PRIu64 " of %" PRIu64
			     " flows have no time of their own: that of the message is taken",
			     run->guessed, run->flows);
		r = run->sink->meta(run->sink, "note", dm_sv(text, (size_t)n));
	}
	if (r == 0 && run->gaps) {
		n = snprintf(text, sizeof text,
			     "%" PRIu64
			     " messages are out of sequence: records sent before them are not in the file",
			     run->gaps);
		r = run->sink->meta(run->sink, "note", dm_sv(text, (size_t)n));
	}
	if (r == 0 && run->lost > run->notes) {
		n = snprintf(text, sizeof text, "%" PRIu64 " more records or sets were passed over",
			     run->lost - run->notes);
		r = run->sink->meta(run->sink, "note", dm_sv(text, (size_t)n));
	}
	return r;
}

static int read_file(struct run *run, FILE *f)
{
	int r;

	run->session = add_model(run) ? lib.fbSessionAlloc(run->model) : NULL;
	if (!run->session)
		return dm_fail(run->err, DM_ENOMEM, "no memory for the IPFIX reader");
	lib.fbSessionAddNewTemplateCallback(run->session, new_template, run);
	/* From here on the session belongs to the buffer. */
	run->buf = lib.fBufAllocForCollection(run->session, lib.fbCollectorAllocFP(NULL, f));
	run->none = find_layout(run, &(struct dm_ipfix_layout){0});
	if (!run->buf || !run->none)
		return dm_fail(run->err, DM_ENOMEM, "no memory for the IPFIX reader");
	do
		r = next_record(run);
	while (r == 1);
	/* The usual end of a file that was still being written. The library reads messages whole, so the
	 * records of the last are gone. */
	if ((r == 0 || r == DM_EFORMAT) && run->stream_end && (run->at.n || run->at.left))
		r = run->sink->skip(run->sink, run->records + 1,
				    "the file ends within a message, which is lost");
	return r;
}

static int run_import(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	static const cookie_io_functions_t io = {.read = read_stream};
	struct run *run;
	GLogFunc before;
	FILE *f;
	int r = preload(err), facts;

	if (r < 0)
		return r;
	run = dm_calloc(1, sizeof *run);
	f = run ? fopencookie(run, "r", io) : NULL;
	if (!f) {
		dm_free(run);
		return dm_fail(err, DM_ENOMEM, "no memory for the IPFIX reader");
	}
	run->sink = sink;
	run->stream = in->stream;
	run->err = err;
	dm_record_init(&run->rec);
	current = run;
	before = lib.g_log_set_default_handler(hear, NULL);
	r = read_file(run, f);
	if (r < 0 && r == run->code && run->stream_err.code && err)
		*err = run->stream_err;
	facts = put_facts(run);
	if (run->buf)
		lib.fBufFree(run->buf);
	if (run->model)
		lib.fbInfoModelFree(run->model);
	for (unsigned i = 0; i < run->layouts; i++)
		dm_free(run->layout[i]);
	lib.g_log_set_default_handler(before, NULL);
	current = NULL;
	fclose(f);
	dm_record_done(&run->rec);
	dm_free(run);
	return r < 0 ? r : facts;
}

const struct dm_importer dm_import_ipfix = {
	.name = "ipfix",
	.title = "IPFIX file",
	.gives = DM_EVIDENCE,
	.module = "fixbuf",
	.probe = probe,
	.run = run_import,
	.preload = preload,
};
