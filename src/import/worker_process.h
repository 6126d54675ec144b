/* worker_process.h: finding, starting and ending `demarche-worker`. Used by worker.c alone. */
#ifndef DM_IMPORT_WORKER_PROCESS_H
#define DM_IMPORT_WORKER_PROCESS_H

#include <sys/types.h>
#include "import/worker.h"

/* Descriptors of the worker. */
enum { DM_WORKER_FD_INPUT = 3, DM_WORKER_FD_FRAMES = 4, DM_WORKER_FD_HEAD = 5, DM_WORKER_FD_PATTERN = 6 };

struct dm_worker_process {
	pid_t pid;  /* 0: none */
	int frames; /* read end of its frame pipe; -1: none */
};

struct dm_worker_spec {
	const struct dm_worker_job *job;
	int input;	    /* the job's, or the output of a decoder */
	int head, pattern;  /* memory files, -1: none */
	const char *module; /* to load before it confines itself, or NULL */
	const char *format; /* to force, or NULL */
	bool decoded;	    /* the input is what the format's decoder made of the file */
	unsigned cpu_s;	    /* 0: no limit */
};

/* The spec's descriptors stay the caller's. DM_EUNSUPPORTED if the program is not there. */
int dm_worker_start(struct dm_worker_process *ret, const struct dm_worker_spec *spec, struct dm_err *err);
/* Gives it up to wait_ms to end by itself, then kills it; returns its wait status. */
int dm_worker_end(struct dm_worker_process *p, unsigned wait_ms);
/* Fills err with what the status of a worker that did not end in order says. Returns DM_EWORKER. */
int dm_worker_death(int status, unsigned cpu_s, struct dm_err *err);

#endif
