#!/bin/sh
# Install a build: tools/install.sh FOLDER PREFIX DESTDIR. Builds first if that is due, and never as root in somebody else's folder.
set -eu

folder=$1 prefix=$2 destdir=$3
cd "$(dirname "$0")/.."
owner=$(stat -c %u .) group=$(stat -c %g .)
as_owner() {
	if [ "$(id -u)" -eq 0 ] && [ "$owner" -ne 0 ]; then
		setpriv --reuid="$owner" --regid="$group" --clear-groups "$@"
	else
		"$@"
	fi
}
as_owner tools/build.sh "$folder" program "-Dprefix=$prefix"
meson install -C "$folder" --no-rebuild --quiet ${destdir:+--destdir "$(realpath -m "$destdir")"}
[ "$(id -u)" -ne 0 ] || chown -R "$owner:$group" "$folder/meson-logs"
echo "Installed below ${destdir%/}$prefix"
