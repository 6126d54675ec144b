#!/bin/sh
# Each header compiles alone and has an include guard named after its path.
. "$(dirname "$0")/tap.sh"
for header in $(find src -name '*.h' | sort); do
	path=${header#src/}
	guard=DM_$(echo "$path" | tr 'a-z./-' 'A-Z___')
	faults=$(printf '#include "%s"\n' "$path" | "${CC:-cc}" -x c -std=gnu17 -D_GNU_SOURCE -DDM_VERSION='"0"' -Isrc -Wall -Wextra -Werror \
		-Wno-unused-parameter -fsyntax-only - 2>&1)
	grep -q "^#ifndef $guard\$" "$header" || faults="$faults
$header: no include guard $guard"
	[ -z "$faults" ]
	report "$path stands alone" $? "$faults"
done
finish
