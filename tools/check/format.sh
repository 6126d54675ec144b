#!/bin/sh
# The layout of the C sources is what .clang-format says.
. "$(dirname "$0")/tap.sh"
need clang-format
for folder in src tests fuzz bench; do
	[ -n "$(find "$folder" \( -name '*.[ch]' -o -name '*.cc' \) -print -quit 2>/dev/null)" ] || continue
	faults=$(find "$folder" \( -name '*.[ch]' -o -name '*.cc' \) -print0 | xargs -0 clang-format --dry-run -Werror 2>&1 | grep 'error:')
	[ -z "$faults" ]
	report "$folder is laid out by clang-format" $? "$faults"
done
finish
