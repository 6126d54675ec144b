/* Replay of a fuzz corpus without libFuzzer: every file of the folders named on the command line, and 16
 * beginnings of each, go through LLVMFuzzerTestOneInput; a crash, a failed assertion or a hang fails the
 * test. Output is TAP, one case a file.
 *
 * Each input is a heap block of exactly its size, so that AddressSanitizer sees a read one byte past the end.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGINNINGS 16
#define SECONDS_A_FILE                                                                                       \
	60 /* generous: sanitizer builds on a loaded machine; what it catches is a loop without end */
#define MAX_CORPUS_FILE (16l << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static uint8_t *read_whole(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;

	if (!f)
		return NULL;
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MAX_CORPUS_FILE) {
		data = malloc(st.st_size ? (size_t)st.st_size : 1);
		if (data && fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
			free(data);
			data = NULL;
		}
		*ret_size = (size_t)st.st_size;
	}
	fclose(f);
	return data;
}

static int run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return -1;
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(size ? copy : copy + 1, size);
	free(copy);
	return 0;
}

static int replay_file(const char *path)
{
	size_t size = 0, i;
	uint8_t *data = read_whole(path, &size);

	if (!data)
		return -1;
	alarm(SECONDS_A_FILE);
	for (i = 0; i <= BEGINNINGS; i++)
		if (run_exact(data, size * i / BEGINNINGS))
			break;
	alarm(0);
	free(data);
	return i > BEGINNINGS ? 0 : -1;
}

/* Replay a folder; `*n` counts the cases so far. Number of failures. */
static int replay_folder(const char *folder, int *n)
{
	struct dirent **list = NULL;
	int count = scandir(folder, &list, visible, alphasort), failed = 0;
	char path[4096];

	if (count <= 0) {
		printf("not ok %d - %s holds no corpus file\n", ++*n, folder);
		failed = 1;
	}
	for (int i = 0; i < count; i++) {
		int bad;

		snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
		/* Flushed before the run, so that the last line before a crash names the input. */
		printf("# %s\n", path);
		fflush(stdout);
		bad = replay_file(path);
		printf("%s %d - %s\n", bad ? "not ok" : "ok", ++*n, list[i]->d_name);
		fflush(stdout);
		failed += bad != 0;
		free(list[i]);
	}
	free(list);
	return failed;
}

int main(int argc, char **argv)
{
	int n = 0, failed = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		failed += replay_folder(argv[i], &n);
	if (n == 0) {
		printf("not ok %d - no corpus folder was named\n", ++n);
		failed = 1;
	}
	printf("1..%d\n", n);
	return failed ? 1 : 0;
}
