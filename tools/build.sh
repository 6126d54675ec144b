#!/bin/sh
# Configure (once) and build: tools/build.sh FOLDER program|tests [MESON-OPTION...]
# "program" builds what is installed; "tests" switches the tests on if they were off, and builds all. Quiet unless something fails.
set -eu

folder=$1 what=$2
shift 2
cd "$(dirname "$0")/.."

fail() {
	echo "$1" >&2
	exit 1
}

if [ -e "$folder" ] && [ ! -w "$folder" ]; then
	fail "$folder is not writable by $(id -un): remove it (perhaps as root) and run make again."
elif [ ! -e "$folder" ] && [ ! -w . ]; then
	fail "$(pwd) is not writable by $(id -un): copy the sources to a folder of your own and run make there."
fi
tests=false
[ "$what" != tests ] || tests=true
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
	"$@" >"$log" 2>&1 || { cat "$log" >&2; fail "Building failed: $*"; }
}

options=$folder/meson-info/intro-buildoptions.json
if [ ! -f "$folder/build.ninja" ]; then
	rm -rf "$folder"
	quietly meson setup "$folder" "-Dtests=$tests" "$@"
else
	if $tests && ! grep -q '"name": "tests", "value": true' "$options"; then
		set -- -Dtests=true "$@"
	fi
	changed=
	for option in "$@"; do
		name=${option#-D} value=${option#*=}
		grep -q "\"name\": \"${name%%=*}\", \"value\": \"\{0,1\}$value\"\{0,1\}," "$options" || changed=yes
	done
	[ -z "$changed" ] || quietly meson configure "$folder" "$@"
fi
# Without a shell on the other side (make test >file) the counter of ninja would be thousands of lines.
if [ -t 1 ]; then ninja -C "$folder" ${JOBS:+-j "$JOBS"}; else quietly ninja -C "$folder" ${JOBS:+-j "$JOBS"}; fi
