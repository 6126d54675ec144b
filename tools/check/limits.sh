#!/bin/sh
# docs/limits.md is what src/base/limits.h says.
. "$(dirname "$0")/tap.sh"
faults=$(set -e; made=$(python3 tools/limits_doc.py 2>&1) && printf '%s\n' "$made" | diff -u docs/limits.md - 2>&1)
report "docs/limits.md is current (tools/limits_doc.py >docs/limits.md)" $? "$faults"
finish
