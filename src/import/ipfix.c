/* ipfix.c: IPFIX files (RFC 7011 messages end to end, RFC 5655) through libfixbuf.
 *
 * libfixbuf wants one internal template: it holds every element that we know, and each record is brought into
 * that form; which of them an exporter really sends is noted with its template. The library is loaded late,
 * with glib, which Debian's package of it does not name as a dependency.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <fixbuf/public.h>

#include "import/importer.h"
#include "import/ipfix_row.h"

#define OUR_TEMPLATE 0xfffe /* above those that exporters count up from 256 */
/* CERT's private enterprise number, whose elements YAF exports. */
#define CERT_PEN  6871
#define MAX_NOTES 100u
/* Observation domains whose sampling is remembered. */
#define MAX_DOMAINS 64u

#define FIXBUF_SYMBOLS(X)                                                                                    \
	X(fbInfoModelAlloc)                                                                                  \
	X(fbInfoModelFree)                                                                                   \
	X(fbInfoModelAddElementArray)                                                                        \
	X(fbSessionAlloc)                                                                                    \
	X(fbSessionFree)                                                                                     \
	X(fbSessionAddTemplate)                                                                              \
	X(fbSessionGetDomain)                                                                                \
	X(fbSessionAddNewTemplateCallback)                                                                   \
	X(fbTemplateAlloc)                                                                                   \
	X(fbTemplateAppendSpec)                                                                              \
	X(fbTemplateContainsElementByName)                                                                   \
	X(fbTemplateGetContext)                                                                              \
	X(fbTemplateGetOptionsScope)                                                                         \
	X(fbCollectorAllocFP)                                                                                \
	X(fBufAllocForCollection)                                                                            \
	X(fBufSetInternalTemplate)                                                                           \
	X(fBufNextCollectionTemplate)                                                                        \
	X(fBufGetExportTime)                                                                                 \
	X(fBufNext)                                                                                          \
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
	uint64_t records, flows, guessed, notes, lost, gaps;
	struct domain domain[MAX_DOMAINS];
	unsigned domains;
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

static ssize_t read_stream(void *cookie, char *buf, size_t n)
{
	struct run *run = cookie;
	size_t got = 0;
	int r = dm_stream_read(run->stream, buf, n, &got, &run->stream_err);

	if (r < 0) {
		run->code = r;
		return -1;
	}
	return (ssize_t)got;
}

/* Which of our elements a template has, kept with it as long as it lives. */
static void free_has(void *ctx, void *app)
{
	(void)app;
	dm_free(ctx);
}

static void new_template(fbSession_t *session, uint16_t id, fbTemplate_t *t, void *app, void **ret,
			 fbTemplateCtxFree_fn *ret_free)
{
	uint64_t *has = dm_calloc(2, sizeof *has);

	(void)session;
	(void)id;
	(void)app;
	for (unsigned i = 0; has && i < DM_IPFIX_COUNT; i++) {
		fbInfoElementSpec_t spec = {(char *)(uintptr_t)dm_ipfix_info[i].name, 0, 0};

		if (lib.fbTemplateContainsElementByName(t, &spec))
			has[i / 64] |= 1ull << (i % 64);
	}
	*ret = has;
	*ret_free = free_has;
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
	if (run->model)
		lib.fbInfoModelAddElementArray(run->model, cert);
	return run->model;
}

/* The one internal template. Its fields lie where struct dm_ipfix_row has them; a version of the library that
 * does not know one is no use. */
static int add_template(struct run *run)
{
	fbTemplate_t *t = lib.fbTemplateAlloc(run->model);
	GError *e = NULL;

	for (unsigned i = 0; i < DM_IPFIX_COUNT; i++) {
		fbInfoElementSpec_t spec = {(char *)(uintptr_t)dm_ipfix_info[i].name, dm_ipfix_info[i].len,
					    0};

		if (!lib.fbTemplateAppendSpec(t, &spec, 0, &e)) {
			dm_fail(run->err, DM_EUNSUPPORTED, "libfixbuf does not know %s: %s",
				dm_ipfix_info[i].name, e ? e->message : "");
			lib.g_clear_error(&e);
			return DM_EUNSUPPORTED;
		}
	}
	if (!lib.fbSessionAddTemplate(run->session, TRUE, OUR_TEMPLATE, t, &e)) {
		dm_fail(run->err, DM_EUNSUPPORTED, "libfixbuf does not take a template: %s",
			e ? e->message : "");
		lib.g_clear_error(&e);
		return DM_EUNSUPPORTED;
	}
	return 0;
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

static int take_record(struct run *run, fbTemplate_t *t)
{
	const uint64_t *has = lib.fbTemplateGetContext(t);
	const struct domain *d;
	bool guessed = false;

	run->records++;
	run->row.has[0] = has ? has[0] : 0;
	run->row.has[1] = has ? has[1] : 0;
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
	int r;

	if (t && lib.fBufNext(run->buf, run->row.data, &n, &e)) {
		r = take_record(run, t);
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
	GError *e = NULL;
	int r;

	run->session = add_model(run) ? lib.fbSessionAlloc(run->model) : NULL;
	if (!run->session)
		return dm_fail(run->err, DM_ENOMEM, "no memory for the IPFIX reader");
	lib.fbSessionAddNewTemplateCallback(run->session, new_template, run);
	r = add_template(run);
	if (r < 0) {
		lib.fbSessionFree(run->session);
		return r;
	}
	/* From here on the session belongs to the buffer. */
	run->buf = lib.fBufAllocForCollection(run->session, lib.fbCollectorAllocFP(NULL, f));
	if (!run->buf || !lib.fBufSetInternalTemplate(run->buf, OUR_TEMPLATE, &e)) {
		r = dm_fail(run->err, DM_EUNSUPPORTED, "libfixbuf does not set its template: %s",
			    e ? e->message : "");
		lib.g_clear_error(&e);
		return r;
	}
	do
		r = next_record(run);
	while (r == 1);
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
