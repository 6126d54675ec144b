#!/bin/sh
# docs/limits.md is what src/base/limits.h says, and every limit is named by a test.
. "$(dirname "$0")/tap.sh"
faults=$(python3 tools/limits_doc.py | diff -u docs/limits.md - 2>&1)
report "docs/limits.md is current (tools/limits_doc.py >docs/limits.md)" $? "$faults"
finish
