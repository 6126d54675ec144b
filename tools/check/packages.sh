#!/bin/sh
# What the build needs is said twice, for two readers: tools/packages.txt and dist/debian/control. They agree; and what is set up is what meson looks for.
. "$(dirname "$0")/tap.sh"
control=$(sed -n '/^Build-Depends:/,/^[A-Z][a-z-]*: [0-9]/p' dist/debian/control)
faults=$(awk '$1 == "build" { print $2 }' tools/packages.txt | while read -r package; do
	case $package in gcc | libc6-dev | ninja-build) continue ;; esac # drawn in by build-essential and meson
	echo "$control" | grep -qE "(^|[ ,])$(echo "$package" | sed 's/+/[+]/g')([ ,]|\$)" || echo "$package is not in Build-Depends"
done)
[ -z "$faults" ]
report "dist/debian/control builds with what tools/packages.txt sets up" $? "$faults"
finish
