/* decoder.h: an external program between a binary file and its importer (nfcapd files through nfdump).
 *
 * A confined worker can't start a program, so the process that starts the worker starts the decoder as well,
 * under DM_PROFILE_DECODER, and gives the worker the read end of its output in place of the file. The program
 * sees its input as descriptor 0, which can be opened again as /dev/stdin, since some read only what has a
 * name. What is packed or not a regular file is first unpacked into memory by a confined child (at most
 * DM_MAX_SPOOL). Nothing of the caller's environment is passed on; TZ is UTC.
 */
#ifndef DM_IMPORT_DECODER_H
#define DM_IMPORT_DECODER_H

#include <sys/types.h>
#include "import/importer.h"

struct dm_decoder {
	pid_t pid;  /* 0: not running */
	int fd;	    /* its output: the caller closes it, or hands it on and closes its own copy, before
		       dm_decoder_finish */
	int err_fd; /* what it says on stderr, at most a pipe full */
	const char *name;
};

/* Starts imp->decoder on `fd_in`, which stays the caller's and is read from offset 0 where it can seek.
 * DM_EUNSUPPORTED with the remedy if the program is not installed; DM_ELIMIT if the input can't be spooled.
 */
int dm_decoder_start(struct dm_decoder *ret, const struct dm_importer *imp, int fd_in, struct dm_err *err);
/* Ends it: waits if it closed its output (`stop` false), else kills it first. 0, or DM_EFORMAT with the
 * program's own words if it failed or complained. */
int dm_decoder_finish(struct dm_decoder *d, bool stop, struct dm_err *err);

#endif
