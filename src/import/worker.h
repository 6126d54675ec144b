/* worker.h: the node's side of an import worker: starts `demarche-worker`, confined, with the input as a
 * descriptor, and reads its frames.
 *
 * The worker process gets: fd 3 the input, fd 4 the frame pipe, a job on its command line, and in memory
 * files fd 5 the first bytes of an input that can't be read twice (a pipe) and fd 6 a pattern. It loads what
 * the format needs, confines itself, tells the format (or that it needs another module or a decoder: then it
 * is started again by this file), parses and streams frames. Whatever it sends is checked here before a
 * callback sees it. A worker that dies, lies or hangs ends the job with DM_EWORKER; nothing else is hurt.
 * docs/design/worker.md has the whole.
 */
#ifndef DM_IMPORT_WORKER_H
#define DM_IMPORT_WORKER_H

#include "import/batch.h"
#include "import/importer.h"

enum dm_worker_kind {
	DM_WORKER_IMPORT = 0,
	DM_WORKER_PATTERN, /* one STIX pattern over observed-data: the verdict is ret->code, 1 match, 0 none
			    */
};

struct dm_worker_job {
	enum dm_worker_kind kind;
	int fd;		  /* input, positioned at its start; regular file, pipe or socket */
	const char *name; /* as the user gave it; a hint and for messages */
	enum dm_import_class want;
	const char *format; /* importer name to force, or NULL: find by content */
	uint64_t resume_offset, resume_line;
	bool timings;
	struct dm_sv pattern; /* DM_WORKER_PATTERN */
	unsigned stall_s;     /* seconds without a frame and without input consumed; 0: DM_WORKER_STALL_S */
};

/* Callbacks return 0, or a negative code that ends the job. Any may be NULL. */
struct dm_worker_events {
	void *ctx;
	int (*format)(void *ctx, const struct dm_importer *imp);
	int (*rows)(void *ctx, const struct dm_batch *b);
	int (*indicator)(void *ctx, const struct dm_indicator *ind);
	int (*skip)(void *ctx, uint64_t line, struct dm_sv reason);
	int (*meta)(void *ctx, struct dm_sv key, struct dm_sv value);
	/* Rows with a line above `line` are past this point, even where they came before it. */
	int (*progress)(void *ctx, uint64_t offset, uint64_t line, uint64_t raw);
	/* About twice a second while the job runs, and after each signal; `raw`: bytes of the input consumed
	 * so far, 0 for pipes until the worker tells. The place to draw a progress line and to notice that
	 * the user wants to stop. */
	int (*tick)(void *ctx, uint64_t raw);
	/* Raw bytes of the input as the worker consumes them are not shown; hash the file yourself. */
};

struct dm_worker_result {
	int code; /* what the importer returned: 0, or why it stopped early (rows before that are good) */
	struct dm_err err;
};

/* Runs one job to its end. Returns 0 if the worker ended in order (look at ret->code for the importer's own
 * verdict), DM_EWORKER if it died, DM_EUNSUPPORTED if no format fits or a library is missing, or whatever a
 * callback returned (the worker is killed then). */
int dm_worker_run(const struct dm_worker_job *job, const struct dm_worker_events *ev,
		  struct dm_worker_result *ret, struct dm_err *err);

#endif
