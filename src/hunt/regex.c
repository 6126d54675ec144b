/* PCRE2 behind dlopen. See regex.h. */
#include <dlfcn.h>
#include <pthread.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hunt/regex.h"

/* Most expressions need a few hundred steps for a value: the first try is cheap, and only those that are
 * stopped pay for the second. */
#define FIRST_TRY 1000u

static struct {
	pthread_once_t once;
	bool loaded;
	pcre2_code *(*compile)(PCRE2_SPTR, PCRE2_SIZE, uint32_t, int *, PCRE2_SIZE *,
			       pcre2_compile_context *);
	void (*code_free)(pcre2_code *);
	int (*match)(const pcre2_code *, PCRE2_SPTR, PCRE2_SIZE, PCRE2_SIZE, uint32_t, pcre2_match_data *,
		     pcre2_match_context *);
	pcre2_match_data *(*match_data_create)(uint32_t, pcre2_general_context *);
	void (*match_data_free)(pcre2_match_data *);
	pcre2_match_context *(*match_context_create)(pcre2_general_context *);
	void (*match_context_free)(pcre2_match_context *);
	int (*set_match_limit)(pcre2_match_context *, uint32_t);
	int (*set_heap_limit)(pcre2_match_context *, uint32_t);
	int (*get_error_message)(int, PCRE2_UCHAR *, PCRE2_SIZE);
} lib = {.once = PTHREAD_ONCE_INIT};

struct dm_regex {
	pcre2_code *code;
	bool octets;
};

struct dm_regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *ctx;
};

static void load(void)
{
	void *h = dlopen("libpcre2-8.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!h)
		return;
	lib.loaded = true;
#define SYMBOL(member, name)                                                                                 \
	do {                                                                                                 \
		void *sym = dlsym(h, name "_8");                                                             \
		memcpy(&lib.member, &sym, sizeof(sym));                                                      \
		lib.loaded = lib.loaded && sym;                                                              \
	} while (0)
	SYMBOL(compile, "pcre2_compile");
	SYMBOL(code_free, "pcre2_code_free");
	SYMBOL(match, "pcre2_match");
	SYMBOL(match_data_create, "pcre2_match_data_create");
	SYMBOL(match_data_free, "pcre2_match_data_free");
	SYMBOL(match_context_create, "pcre2_match_context_create");
	SYMBOL(match_context_free, "pcre2_match_context_free");
	SYMBOL(set_match_limit, "pcre2_set_match_limit");
	SYMBOL(set_heap_limit, "pcre2_set_heap_limit");
	SYMBOL(get_error_message, "pcre2_get_error_message");
#undef SYMBOL
}

int dm_regex_preload(struct dm_err *err)
{
	pthread_once(&lib.once, load);
	if (!lib.loaded) {
		dm_fail(err, DM_EUNSUPPORTED,
			"regular expressions need the library libpcre2-8, which is not here");
		dm_err_remedy(err, "install the package libpcre2-8-0");
		return DM_EUNSUPPORTED;
	}
	return 0;
}

int dm_regex_compile(struct dm_regex **ret, struct dm_sv pattern, bool octets, size_t *ret_at,
		     struct dm_err *err)
{
	/* NEVER_BACKSLASH_C: \C would split a character of UTF-8. */
	uint32_t options = PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C | (octets ? 0 : PCRE2_UTF | PCRE2_UCP);
	struct dm_regex *re;
	PCRE2_UCHAR text[160];
	PCRE2_SIZE at = 0;
	int code = 0, rc = dm_regex_preload(err);

	if (rc)
		return rc;
	re = dm_calloc(1, sizeof(*re));
	if (!re)
		return dm_fail(err, DM_ENOMEM, "no memory for a regular expression");
	re->octets = octets;
	re->code = lib.compile((PCRE2_SPTR)pattern.p, pattern.n, options, &code, &at, NULL);
	if (!re->code) {
		dm_free(re);
		*ret_at = at < pattern.n ? at : pattern.n;
		if (lib.get_error_message(code, text, sizeof(text)) < 0)
			text[0] = '\0';
		return dm_fail(err, DM_EFORMAT, "the regular expression is not valid: %s",
			       (const char *)text);
	}
	*ret = re;
	return 0;
}

void dm_regex_free(struct dm_regex *re)
{
	if (!re)
		return;
	lib.code_free(re->code);
	dm_free(re);
}

static struct dm_regex_scratch *scratch_new(void)
{
	struct dm_regex_scratch *s = dm_calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	/* Only whether it matches counts: room for the whole match alone. */
	s->data = lib.match_data_create(1, NULL);
	s->ctx = lib.match_context_create(NULL);
	if (!s->data || !s->ctx) {
		dm_regex_scratch_free(s);
		return NULL;
	}
	lib.set_heap_limit(s->ctx, DM_REGEX_HEAP_KIB);
	return s;
}

void dm_regex_scratch_free(struct dm_regex_scratch *s)
{
	if (!s)
		return;
	if (s->data)
		lib.match_data_free(s->data);
	if (s->ctx)
		lib.match_context_free(s->ctx);
	dm_free(s);
}

int dm_regex_search(const struct dm_regex *re, struct dm_sv subject, struct dm_regex_scratch **scratch,
		    uint64_t *ret_cost, struct dm_err *err)
{
	/* Callers hand over text that is valid UTF-8 or came out of our own normalisation. */
	uint32_t options = re->octets ? 0 : PCRE2_NO_UTF_CHECK;
	PCRE2_SPTR text = (PCRE2_SPTR)(subject.p ? subject.p : "");
	int rc;

	if (!*scratch && !(*scratch = scratch_new()))
		return dm_fail(err, DM_ENOMEM, "no memory for a regular expression");
	*ret_cost = 2 + subject.n / 16;
	lib.set_match_limit((*scratch)->ctx, FIRST_TRY);
	rc = lib.match(re->code, text, subject.n, 0, options, (*scratch)->data, (*scratch)->ctx);
	if (rc == PCRE2_ERROR_MATCHLIMIT) {
		*ret_cost += DM_REGEX_MATCH / 16;
		lib.set_match_limit((*scratch)->ctx, DM_REGEX_MATCH);
		rc = lib.match(re->code, text, subject.n, 0, options, (*scratch)->data, (*scratch)->ctx);
	}
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc == PCRE2_ERROR_NOMEMORY)
		return dm_fail(err, DM_ENOMEM, "no memory for a regular expression");
	/* Neither yes nor no: saying "no match" would be a guess. */
	dm_fail(err, DM_ELIMIT, "a regular expression needs more than %u steps for one value",
		DM_REGEX_MATCH);
	dm_err_remedy(err, "avoid nested repetitions such as (a+)+ in MATCHES");
	return DM_ELIMIT;
}
