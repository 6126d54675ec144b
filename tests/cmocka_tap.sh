#!/bin/sh
# Run a cmocka program (its path and arguments are ours) and mend its TAP on the way: cmocka 1.1.5 prints a skipped test as
# "not ok N # SKIP name", which every TAP reader counts as a failure. The exit status is the program's.
exec 4>&1
status=$({ { "$@" 3>&- 4>&-; echo $? >&3; } | sed -E 's/^not ok ([0-9]+) # SKIP (.*)$/ok \1 - \2 # SKIP its data is not here/' >&4; } 3>&1)
exit "$status"
