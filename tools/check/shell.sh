#!/bin/sh
# Every shell script passes shellcheck.
. "$(dirname "$0")/tap.sh"
need shellcheck
for script in $(find .ci bench dist examples tests tools -type f -exec awk 'FNR == 1 && /^#!.*[\/ ](ba)?sh( |$)/ { print FILENAME } { nextfile }' {} + 2>/dev/null | sort); do
	faults=$(shellcheck -x -P SCRIPTDIR -e SC1091 "$script" 2>&1)
	report "$script" $? "$faults"
done
finish
