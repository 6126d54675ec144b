#include "import/xml.h"

#include <dlfcn.h>
#include <expat.h>
#include <pthread.h>
#include <sys/random.h>
#include "base/alloc.h"
#include "base/limits.h"

#define STEP 65536u

/* The functions of expat that are used, found at run time: only this importer needs the library. */
static struct {
	int code;
	unsigned long salt;
	XML_Parser (*create)(const XML_Char *, const XML_Memory_Handling_Suite *, const XML_Char *);
	void (*destroy)(XML_Parser);
	int (*set_salt)(XML_Parser, unsigned long);
	void (*set_user)(XML_Parser, void *);
	void (*set_elements)(XML_Parser, XML_StartElementHandler, XML_EndElementHandler);
	void (*set_text)(XML_Parser, XML_CharacterDataHandler);
	void (*set_doctype)(XML_Parser, XML_StartDoctypeDeclHandler);
	enum XML_Status (*parse)(XML_Parser, const char *, int, int);
	enum XML_Status (*stop)(XML_Parser, XML_Bool);
	enum XML_Error (*error)(XML_Parser);
	const XML_LChar *(*error_text)(enum XML_Error);
	XML_Size (*line)(XML_Parser);
	XML_Index (*offset)(XML_Parser);
} lib;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	static const char *const name[] = {
		"XML_ParserCreate_MM",
		"XML_ParserFree",
		"XML_SetHashSalt",
		"XML_SetUserData",
		"XML_SetElementHandler",
		"XML_SetCharacterDataHandler",
		"XML_SetStartDoctypeDeclHandler",
		"XML_Parse",
		"XML_StopParser",
		"XML_GetErrorCode",
		"XML_ErrorString",
		"XML_GetCurrentLineNumber",
		"XML_GetCurrentByteIndex",
	};
	void **slot[] = {
		(void **)&lib.create,	   (void **)&lib.destroy,      (void **)&lib.set_salt,
		(void **)&lib.set_user,	   (void **)&lib.set_elements, (void **)&lib.set_text,
		(void **)&lib.set_doctype, (void **)&lib.parse,	       (void **)&lib.stop,
		(void **)&lib.error,	   (void **)&lib.error_text,   (void **)&lib.line,
		(void **)&lib.offset,
	};
	void *handle = dlopen("libexpat.so.1", RTLD_NOW | RTLD_LOCAL);

	lib.code = DM_EUNSUPPORTED;
	for (size_t i = 0; handle && i < sizeof slot / sizeof *slot; i++) {
		*slot[i] = dlsym(handle, name[i]);
		if (!*slot[i])
			return;
	}
	/* The parser would fetch a salt for its hash tables itself, with a system call that a confined
	 * process does not have. */
	if (!handle || getrandom(&lib.salt, sizeof lib.salt, 0) != (ssize_t)sizeof lib.salt)
		return;
	lib.salt |= 1;
	lib.code = DM_OK;
}

int dm_xml_preload(struct dm_err *err)
{
	pthread_once(&once, load);
	if (lib.code) {
		dm_fail(err, lib.code, "the XML reader libexpat.so.1 can't be loaded");
		dm_err_remedy(err, "install the package libexpat1");
	}
	return lib.code;
}

struct run {
	const struct dm_xml_events *ev;
	XML_Parser parser;
	struct dm_err *err;
	unsigned depth;
	int code;
};

static void stop(struct run *r, int code)
{
	r->code = code;
	lib.stop(r->parser, XML_FALSE);
}

static struct dm_sv local_name(const XML_Char *name)
{
	const char *colon = strrchr(name, ':');

	return dm_sv_str(colon ? colon + 1 : name);
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	struct run *r = user;
	int rc;

	if (r->code)
		return;
	if (r->depth++ == DM_MAX_DEPTH) {
		stop(r, dm_fail(r->err, DM_ELIMIT, "elements nested more than %u deep", DM_MAX_DEPTH));
		return;
	}
	rc = r->ev->start(r->ev->ctx, local_name(name), (const char *const *)attributes, lib.line(r->parser),
			  r->err);
	if (rc)
		stop(r, rc);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct run *r = user;
	int rc;

	if (r->code)
		return;
	r->depth--;
	rc = r->ev->end(r->ev->ctx, local_name(name), r->err);
	if (rc)
		stop(r, rc);
}

static void XMLCALL on_text(void *user, const XML_Char *s, int n)
{
	struct run *r = user;
	int rc;

	if (r->code)
		return;
	rc = r->ev->text(r->ev->ctx, dm_sv(s, (size_t)n), r->err);
	if (rc)
		stop(r, rc);
}

/* With the declaration all entities of the document's own are out of reach: expansion bombs and outside files
 * alike. */
static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
			       const XML_Char *public_id, int internal)
{
	struct run *r = user;

	if (!r->code)
		stop(r, dm_fail(r->err, DM_EFORMAT, "document type declarations (DOCTYPE) are refused"));
}

static void *expat_realloc(void *p, size_t n)
{
	return dm_realloc(p, n, 1);
}

static int feed(struct run *r, const char *p, size_t n, bool last)
{
	if (lib.parse(r->parser, p, (int)n, last) == XML_STATUS_OK)
		return DM_OK;
	if (!r->code)
		r->code =
			dm_fail(r->err, lib.error(r->parser) == XML_ERROR_NO_MEMORY ? DM_ENOMEM : DM_EFORMAT,
				"XML: %s", lib.error_text(lib.error(r->parser)));
	if (r->err) {
		r->err->line = lib.line(r->parser);
		r->err->offset = (uint64_t)lib.offset(r->parser);
		r->err->has_offset = 1;
	}
	return r->code;
}

static int feed_all(struct run *r, struct dm_stream *s, char *block)
{
	uint64_t fed = 0;
	size_t got;
	int rc;

	do {
		rc = dm_stream_read(s, block, STEP, &got, r->err);
		if (rc)
			return rc;
		fed += got;
		if (fed > DM_MAX_DOCUMENT)
			return dm_fail(r->err, DM_ELIMIT, "one document of more than %u MiB",
				       DM_MAX_DOCUMENT >> 20);
		rc = feed(r, block, got, got == 0);
		if (rc)
			return rc;
		/* What is not complete is looked at again with every block: a tag without end would cost the
		 * square of its length. */
		if (fed - (uint64_t)lib.offset(r->parser) > DM_MAX_LINE)
			return dm_fail(r->err, DM_ELIMIT, "one tag of more than %u bytes", DM_MAX_LINE);
	} while (got);
	return DM_OK;
}

int dm_xml_parse(struct dm_stream *s, const struct dm_xml_events *ev, struct dm_err *err)
{
	static const XML_Memory_Handling_Suite memory = {dm_alloc, expat_realloc, dm_free};
	struct run r = {.ev = ev, .err = err};
	char *block;
	int rc = dm_xml_preload(err);

	if (rc)
		return rc;
	block = dm_alloc(STEP);
	r.parser = block ? lib.create(NULL, &memory, NULL) : NULL;
	if (r.parser) {
		lib.set_salt(r.parser, lib.salt);
		lib.set_user(r.parser, &r);
		lib.set_elements(r.parser, on_start, on_end);
		lib.set_text(r.parser, on_text);
		lib.set_doctype(r.parser, on_doctype);
		rc = feed_all(&r, s, block);
		lib.destroy(r.parser);
	} else {
		rc = dm_fail(err, DM_ENOMEM, "out of memory for an XML document");
	}
	dm_free(block);
	return rc;
}

struct dm_sv dm_xml_attribute(const char *const *attributes, const char *name)
{
	for (; attributes && attributes[0]; attributes += 2)
		if (dm_sv_is(local_name(attributes[0]), name))
			return dm_sv_str(attributes[1]);
	return dm_sv("", 0);
}
