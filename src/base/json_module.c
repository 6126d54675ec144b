#include "base/json_internal.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MODULE	  "demarche-json.so"
#define PATH_SIZE 4096

static struct dm_json_module module;
static struct dm_err module_err;
static int module_code;
static pthread_once_t module_once = PTHREAD_ONCE_INIT;

static bool try_open(const char *folder, const char *below, void **ret)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s%s/" MODULE, folder, below);

	if (n < 0 || (size_t)n >= sizeof path || access(path, R_OK))
		return false;
	/* LOCAL: its C++ symbols are nobody else's. */
	*ret = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!*ret)
		dm_fail(&module_err, DM_EUNSUPPORTED, "cannot load the JSON reader: %s", dlerror());
	return *ret;
}

static bool is_build_root(const char *folder)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s/meson-info/intro-targets.json", folder);

	return n > 0 && (size_t)n < sizeof path && !access(path, F_OK);
}

/* Beside this program, or in the build tree that this program lies in. Both belong to whoever put the program
 * there. */
static bool open_near_self(void **ret)
{
	char exe[PATH_SIZE], *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (n <= 0)
		return false;
	exe[n] = 0;
	for (int up = 0; up < 5 && (slash = strrchr(exe, '/')); up++) {
		*slash = 0;
		if (up == 0 && try_open(exe, "", ret))
			return true;
		if (is_build_root(exe))
			return try_open(exe, "/src/base", ret);
	}
	return false;
}

static void *open_module(void)
{
	const char *forced = secure_getenv("DEMARCHE_LIBEXEC");
	void *handle = NULL;

	if (forced && *forced)
		try_open(forced, "", &handle);
	else if (!open_near_self(&handle))
		try_open(DM_LIBEXEC, "", &handle);
	if (!handle && !module_err.code)
		dm_fail(&module_err, DM_EUNSUPPORTED, "the JSON reader %s is not in %s", MODULE,
			forced && *forced ? forced : DM_LIBEXEC);
	return handle;
}

static void load(void)
{
	void *handle = open_module();

	if (handle) {
		*(void **)&module.create = dlsym(handle, "dm_simdjson_new");
		*(void **)&module.destroy = dlsym(handle, "dm_simdjson_free");
		*(void **)&module.index = dlsym(handle, "dm_simdjson_index");
		*(void **)&module.text = dlsym(handle, "dm_simdjson_text");
		if (!module.create || !module.destroy || !module.index || !module.text)
			dm_fail(&module_err, DM_EUNSUPPORTED, "the JSON reader %s is of another version",
				MODULE);
	}
	if (module_err.code)
		dm_err_remedy(&module_err,
			      "install demarche again, or set DEMARCHE_LIBEXEC to the folder that holds it");
	module_code = module_err.code;
}

int dm_json_module(const struct dm_json_module **ret, struct dm_err *err)
{
	pthread_once(&module_once, load);
	if (module_code) {
		dm_fail(err, module_code, "%s", module_err.msg);
		dm_err_remedy(err, "%s", module_err.remedy);
		return module_code;
	}
	*ret = &module;
	return DM_OK;
}

int dm_json_preload(struct dm_err *err)
{
	const struct dm_json_module *m;

	return dm_json_module(&m, err);
}
