# shellcheck shell=sh
# Shared by the static checks: TAP on stdout, run from the root of the sources. Source it first, call finish last.
set -u
cd "$(dirname "$0")/../.." || exit 1
cases=0 failures=0

# report NAME STATUS [DETAILS]: one case.
report() {
	cases=$((cases + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $cases - $1"
	else
		failures=$((failures + 1))
		[ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'
		echo "not ok $cases - $1"
	fi
}

# need TOOL: without it the whole check is left out, visibly; with DEMARCHE_STRICT (as .ci/run sets it) that is a failure.
need() {
	command -v "$1" >/dev/null 2>&1 && return
	if [ -n "${DEMARCHE_STRICT:-}" ]; then
		report "$1 is installed" 1
	else
		echo "ok 1 - $(basename "$0" .sh) # SKIP $1 is not installed (make check installs it)"
		cases=1
	fi
	finish
}

finish() {
	echo "1..$cases"
	[ "$failures" -eq 0 ]
	exit
}
