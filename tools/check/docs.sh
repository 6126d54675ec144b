#!/bin/sh
# Links between our texts lead somewhere, and the index of the design notes names them all.
. "$(dirname "$0")/tap.sh"
for text in $(find . -path './build*' -prune -o -path ./debian -prune -o -path ./.git -prune -o -name '*.md' -print | sort); do
	faults=$(grep -o '](\([^)]*\))' "$text" | sed 's/^](//; s/)$//; s/#.*//' | while read -r target; do
		case $target in '' | *://* | mailto:*) continue ;; esac
		[ -e "$(dirname "$text")/$target" ] || echo "$text: link to $target, which does not exist"
	done)
	[ -z "$faults" ]
	report "links of $text" $? "$faults"
done
faults=$(for note in docs/design/*.md; do
	name=$(basename "$note")
	[ "$name" = README.md ] || grep -q "($name)" docs/design/README.md || echo "$note is not in docs/design/README.md"
done)
[ -z "$faults" ]
report "every design note is in the index" $? "$faults"
finish
