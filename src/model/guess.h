/* guess.h: whether a token with a dot in it is a file's name. dm_obs_guess itself is in observable.h. */
#ifndef DM_MODEL_GUESS_H
#define DM_MODEL_GUESS_H

#include "base/sv.h"

/* It ends like a file and no domain ends so: "invoice.pdf". */
bool dm_guess_is_file_name(struct dm_sv s);
/* It ends like a file, though domains may end so too: "install.sh", "command.zip". */
bool dm_guess_may_be_file_name(struct dm_sv s);

#endif
