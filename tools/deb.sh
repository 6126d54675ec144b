#!/bin/sh
# Build the Debian package in build-deb/, from a copy of the sources so that the tree stays clean, and hold it to lintian.
set -eu

cd "$(dirname "$0")/.."
version=$(sed -n "s/^  version: '\([^']*\)'.*/\1/p" meson.build)
top=build-deb/demarche-$version
rm -rf build-deb
mkdir -p "$top"
tar -c --exclude='./build' --exclude='./build-*' --exclude=./.git --exclude=./debian --exclude=__pycache__ . | tar -x -C "$top"
cp -r dist/debian "$top/debian"
log=build-deb/build.log
(cd "$top" && dpkg-buildpackage -b -us -uc -rfakeroot "-j${JOBS:-$(nproc)}") >"$log" 2>&1 || { tail -n 25 "$log" >&2; exit 1; }
lintian --fail-on error,warning --allow-root "build-deb/"*.changes
rm -rf "$top"
ls build-deb/*.deb
