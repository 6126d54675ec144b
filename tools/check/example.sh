#!/bin/sh
# The shipped example is what its generator writes.
. "$(dirname "$0")/tap.sh"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
python3 tools/make_example.py "$fresh"
for part in logs indicators; do
	faults=$(diff -r "$fresh/$part" "examples/first-hunt/$part" 2>&1 | cut -c1-200 | head -20)
	[ -z "$faults" ]
	report "examples/first-hunt/$part is what tools/make_example.py writes" $? "$faults"
done
finish
