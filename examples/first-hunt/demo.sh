#!/bin/sh
# The main job on the shipped example: demo.sh PROGRAM. Works in a folder of its own that is removed at the end.
set -eu

program=$(realpath "$1")
cd "$(dirname "$0")"
DEMARCHE_HOME=$(mktemp -d)/node
export DEMARCHE_HOME
trap 'rm -rf "${DEMARCHE_HOME%/node}"' EXIT

say() {
	printf '\n%s\n' "$1"
}
run() {
	printf '$ demarche'
	printf ' %s' "$@"
	printf '\n'
	"$program" "$@"
}

echo "A small office, three days of Zeek logs, and three lists of indicators that others have sent (all synthetic)."
say "1. Make a node: a folder of its own, nothing else."
run init --org "Example Office" --own 10.20.30.0/24
say "2. Take in the logs."
run import logs
say "3. Take in what others have sent: a STIX bundle, a MISP event, a report as text."
run import indicators
say "4. What of it was seen here?"
run hunt --count
say "5. Where was the malware itself? The rows, and from which list each hit comes."
run hunt --type sha256 --type url --type user-agent
printf '\nThat was the example; its story is in examples/first-hunt/README.md. With your own files:\n'
printf '  demarche init; demarche import LOGS LISTS; demarche hunt          (make install puts it into your path)\n'
