#include "import/jwalk.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"

#define READ_STEP (1u << 20)
#define MOST	  ((size_t)DM_MAX_DOCUMENT + 1)

static int fault(const struct dm_jwalk *w, struct dm_err *err, int code, const char *what)
{
	if (err) {
		err->line = w->line;
		err->offset = w->offset + w->at;
		err->has_offset = 1;
	}
	return dm_fail(err, code, "%s", what);
}

bool dm_jwalk_space(struct dm_sv text, size_t *at, uint64_t *line)
{
	for (; *at < text.n; ++*at) {
		char c = text.p[*at];
		if (c == '\n')
			++*line;
		else if (c != ' ' && c != '\t' && c != '\r')
			return true;
	}
	return false;
}

static bool space(struct dm_jwalk *w)
{
	return dm_jwalk_space(w->text, &w->at, &w->line);
}

int dm_jwalk_open(struct dm_jwalk *w, struct dm_sv text, uint64_t line, uint64_t offset, struct dm_err *err)
{
	*w = (struct dm_jwalk){.text = text, .line = line, .offset = offset};
	if (dm_sv_starts(text, DM_SV("\xef\xbb\xbf")))
		w->at = 3;
	if (!space(w) || (text.p[w->at] != '{' && text.p[w->at] != '['))
		return fault(w, err, DM_EFORMAT, "a JSON object or array was expected here");
	w->object = text.p[w->at] == '{';
	w->at++;
	return DM_OK;
}

/* Moves to `to`, counting lines. */
static void advance(struct dm_jwalk *w, size_t to)
{
	const char *p = w->text.p + w->at, *end = w->text.p + to;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		w->line++;
		p++;
	}
	w->at = to;
}

static int skip_value(struct dm_jwalk *w, struct dm_err *err)
{
	char c = w->text.p[w->at];
	size_t end;

	if (c == ',' || c == ':' || c == ']' || c == '}')
		return fault(w, err, DM_EFORMAT, "a value is missing");
	end = dm_json_skip_value(w->text, w->at);
	/* a number may go on behind the end of the text, too */
	if (end > w->text.n || (end == w->text.n && c != '"' && c != '{' && c != '[')) {
		int rc = fault(w, err, DM_EFORMAT, "the text ends within this value: it may be cut off");
		advance(w, w->text.n);
		return rc;
	}
	advance(w, end);
	return DM_OK;
}

static int member_name(struct dm_jwalk *w, struct dm_jitem *ret, struct dm_err *err)
{
	size_t start = w->at;
	int rc;

	if (w->text.p[start] != '"')
		return fault(w, err, DM_EFORMAT, "a member name in quotes was expected");
	rc = skip_value(w, err);
	if (rc)
		return rc;
	ret->key = dm_sv(w->text.p + start + 1, w->at - start - 2);
	if (!space(w) || w->text.p[w->at] != ':')
		return fault(w, err, DM_EFORMAT, "a colon was expected behind the member name");
	w->at++;
	if (!space(w))
		return fault(w, err, DM_EFORMAT, "the text ends before the value");
	return DM_OK;
}

int dm_jwalk_next(struct dm_jwalk *w, struct dm_jitem *ret, struct dm_err *err)
{
	char close = w->object ? '}' : ']';
	size_t start;
	int rc;

	*ret = (struct dm_jitem){.key = dm_sv(NULL, 0)};
	if (!space(w))
		return fault(w, err, DM_EFORMAT, "the text ends before all brackets are closed");
	if (w->begun && w->text.p[w->at] != close) {
		if (w->text.p[w->at] != ',')
			return fault(w, err, DM_EFORMAT, "a comma or a closing bracket was expected");
		w->at++;
		if (!space(w))
			return fault(w, err, DM_EFORMAT, "the text ends before all brackets are closed");
		if (w->text.p[w->at] == close)
			return fault(w, err, DM_EFORMAT, "nothing follows the comma");
	}
	if (w->text.p[w->at] == close) {
		w->at++;
		return DM_ENOENT;
	}
	w->begun = true;
	if (w->object) {
		rc = member_name(w, ret, err);
		if (rc)
			return rc;
	}
	start = w->at;
	ret->line = w->line;
	rc = skip_value(w, err);
	ret->value = dm_sv(w->text.p + start, w->at - start);
	ret->cut = rc && w->at >= w->text.n;
	return rc;
}

static int hex4(struct dm_sv s)
{
	uint8_t b[2];

	return dm_sv_unhex(s, b, 2) ? b[0] << 8 | b[1] : -1;
}

bool dm_jwalk_is(struct dm_sv key, const char *name)
{
	size_t i = 0;

	for (; *name; name++) {
		int c;
		if (i >= key.n)
			return false;
		c = (unsigned char)key.p[i++];
		if (c == '\\') {
			if (i >= key.n)
				return false;
			c = key.p[i++];
			if (c == 'u') {
				if (key.n - i < 4)
					return false;
				c = hex4(dm_sv(key.p + i, 4));
				i += 4;
			} else if (c != '"' && c != '\\' && c != '/') {
				return false;
			}
		}
		if (c != (unsigned char)*name)
			return false;
	}
	return i == key.n;
}

bool dm_jhead_read(struct dm_jhead *h, struct dm_sv head)
{
	struct dm_jwalk w;
	struct dm_jitem item;

	h->count = 0;
	h->array = false;
	if (dm_jwalk_open(&w, head, 1, 0, NULL))
		return false;
	if (!w.object) {
		int rc = dm_jwalk_next(&w, &item, NULL);
		if ((rc && !item.cut) || dm_jitem_kind(&item) != '{')
			return false;
		h->array = true;
		if (dm_jwalk_open(&w, item.value, item.line, 0, NULL))
			return false;
	}
	while (h->count < DM_JHEAD_KEYS) {
		int rc = dm_jwalk_next(&w, &item, NULL);
		if (rc && !item.cut)
			break;
		h->member[h->count++] = item;
		if (rc)
			break;
	}
	return true;
}

struct dm_sv dm_jhead_get(const struct dm_jhead *h, const char *name)
{
	for (unsigned i = 0; i < h->count; i++)
		if (dm_jwalk_is(h->member[i].key, name))
			return h->member[i].value;
	return dm_sv(NULL, 0);
}

struct dm_sv dm_jhead_str(const struct dm_jhead *h, const char *name)
{
	struct dm_sv v = dm_jhead_get(h, name);

	if (v.n < 2 || v.p[0] != '"' || v.p[v.n - 1] != '"')
		return dm_sv("", 0);
	return dm_sv(v.p + 1, v.n - 2);
}

static int make_room(char **block, size_t *cap)
{
	size_t more = *cap ? *cap : READ_STEP;
	char *grown;

	more = more < MOST - *cap ? more : MOST - *cap;
	grown = dm_realloc(*block, *cap + more, 1);
	if (!grown)
		return DM_ENOMEM;
	*block = grown;
	*cap += more;
	return DM_OK;
}

int dm_document_read(struct dm_stream *s, char **ret, size_t *ret_n, struct dm_err *err)
{
	char *block = NULL;
	size_t n = 0, cap = 0, got;
	int rc = DM_OK;

	for (;;) {
		/* One byte over the limit is asked for, to tell "just fits" from "goes on"; no room is made
		 * beyond, since a worker has not much. */
		size_t want = MOST - n < READ_STEP ? MOST - n : READ_STEP;
		rc = n + want <= cap ? DM_OK : make_room(&block, &cap);
		if (rc) {
			dm_fail(err, rc, "out of memory after %zu bytes of the document", n);
			break;
		}
		rc = dm_stream_read(s, block + n, want, &got, err);
		n += rc ? 0 : got;
		if (rc || got == 0)
			break;
		if (n > DM_MAX_DOCUMENT) {
			rc = dm_fail(err, DM_ELIMIT, "one document of more than %u MiB",
				     DM_MAX_DOCUMENT >> 20);
			dm_err_remedy(err, "split it into several files; every object needs to be complete");
			n = 0; /* half a document of this size is more likely the wrong file than a cut one */
			break;
		}
	}
	*ret = block;
	*ret_n = n;
	return rc;
}
