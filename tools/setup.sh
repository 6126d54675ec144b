#!/bin/sh
# Install what is missing from Debian's packages: tools/setup.sh GROUP... (groups: tools/packages.txt).
# Looks first; when all is there, no network is touched and nothing is printed. Asks nothing. As root it installs plainly, otherwise through
# sudo; without either it prints the command and fails.
set -eu

list=$(dirname "$0")/packages.txt
[ $# -gt 0 ] || { echo "usage: $0 GROUP...   (groups: see $list)" >&2; exit 2; }

wanted=
for group in "$@"; do
	found=$(awk -v g="$group" '$1 == g { print $2 }' "$list")
	[ -n "$found" ] || { echo "$0: no group '$group' in $list" >&2; exit 2; }
	wanted="$wanted $found"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "This is not a Debian system, so nothing was installed. The build needs what these Debian packages hold:" >&2
	echo "$wanted" | tr -s '\n' ' ' >&2
	echo >&2
	exit 0
fi

missing=
for package in $wanted; do
	case " $missing " in *" $package "*) continue ;; esac
	state=$(dpkg-query -W -f='${db:Status-Status} ' "$package" 2>/dev/null || :)
	case " $state" in *" installed "*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	sudo="sudo -n"
elif command -v sudo >/dev/null 2>&1 && [ -t 0 ] && [ -t 2 ]; then
	sudo=sudo
else
	echo "These Debian packages are missing, and without root or sudo they cannot be installed from here. As root, run" >&2
	echo "  apt-get update && $install" >&2
	echo "and then the same make command again." >&2
	exit 1
fi

echo "Installing from Debian's packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	# shellcheck disable=SC2086 # empty or two words on purpose
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1
}
# A list that cannot be fetched is no reason to stop: the install says whether the package could be had.
apt update || { echo "apt-get update had trouble, going on with the lists at hand:" >&2; grep '^[EW]:' "$log" >&2 || :; }
# shellcheck disable=SC2086 # a list of words
if ! apt install -y --no-install-recommends $missing; then
	tail -n 25 "$log" >&2
	echo "The packages could not be installed; the end of what apt-get said is above. To try by hand, as root: $install" >&2
	exit 1
fi
