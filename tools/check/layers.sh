#!/bin/sh
# A folder of src/ includes itself and folders of the levels before it, nothing else; import/ only base and model, which is what lets an
# importer run confined and be fuzzed alone. One line a level:
. "$(dirname "$0")/tap.sh"
levels='base
crypto
net
model
store
evidence netmap
access
import
hunt trace
assess
disclose respond
report
exchange
node
console
cli worker'

for folder in src/*/; do
	folder=$(basename "$folder")
	# shellcheck disable=SC2016 # awk's dollars
	faults=$(find "src/$folder" -name '*.[ch]' -o -name '*.cc' -o -name '*.def' | sort | xargs -r awk -v levels="$levels" -v own="$folder" '
		BEGIN {
			n = split(levels, line, "\n")
			for (i = 1; i <= n; i++) {
				m = split(line[i], name, " ")
				for (j = 1; j <= m; j++)
					level[name[j]] = i
			}
			if (!(own in level))
				print "src/" own " is in no layer: add it to tools/check/layers.sh"
		}
		/^[ \t]*#[ \t]*include[ \t]*"/ {
			split($0, quoted, "\"")
			split(quoted[2], part, "/")
			place = FILENAME ":" FNR ": includes " quoted[2]
			if (quoted[2] !~ /^[a-z]+\// || !(part[1] in level))
				print place ", which is not a path from src/"
			else if (part[1] != own && level[part[1]] >= level[own])
				print place ", which is not below " own "/"
			else if (own == "import" && part[1] != "import" && part[1] != "base" && part[1] != "model")
				print place "; import/ uses base and model only"
		}')
	[ -z "$faults" ]
	report "$folder includes only layers below it" $? "$faults"
done
finish
