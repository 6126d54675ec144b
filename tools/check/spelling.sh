#!/bin/sh
# Spelling of sources and texts. Words that are right all the same: codespell.ignore.
. "$(dirname "$0")/tap.sh"
need codespell
for place in src tests fuzz bench tools docs dist .ci ./*.md; do
	[ -e "$place" ] || continue
	faults=$(codespell -I tools/check/codespell.ignore -S ./fuzz/corpus,fuzz/corpus "$place" 2>&1)
	[ -z "$faults" ]
	report "$place is spelt right" $? "$faults"
done
finish
