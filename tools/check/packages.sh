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

# A library that is loaded late is invisible to dpkg-shlibdeps.
if command -v dpkg-query >/dev/null 2>&1; then
	depends=$(sed -n '/^Depends:/,/^[A-Z]/p' dist/debian/control)
	faults=$(grep -rhoE '"lib[a-zA-Z0-9_.+-]+\.so\.[0-9.]+"' src | tr -d '"' | sort -u | while read -r library; do
		package=$(dpkg-query -S "*/$library" 2>/dev/null | sed 's/:.*//' | sort -u | head -n 1)
		[ -n "$package" ] && echo "$depends" | grep -qE "^ *$package(,|\$)" ||
			echo "$library is loaded late; its package (${package:-not installed}) is not in Depends of dist/debian/control"
	done)
	[ -z "$faults" ]
	report "dist/debian/control depends on what is loaded late" $? "$faults"
fi
finish
