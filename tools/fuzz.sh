#!/bin/sh
# Build the libFuzzer targets with clang, ASan and UBSan in FOLDER and run each for SECONDS: tools/fuzz.sh FOLDER SECONDS [TARGET...]
# New inputs go to FOLDER/corpus/TARGET, never into the sources; what crashes stays in FOLDER/crashes as TARGET-crash-...
set -eu

folder=$1 seconds=$2
shift 2
cd "$(dirname "$0")/.."
CC=clang CXX=clang++ tools/build.sh "$folder" program -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
mkdir -p "$folder/crashes"
# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(cd "$folder/fuzz" && find . -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x | sed 's|.*/fuzz_||' | sort)
[ $# -gt 0 ] || { echo "no fuzz target was built" >&2; exit 1; }
failed=0
for target in "$@"; do
	mkdir -p "$folder/corpus/$target"
	echo "$target: $seconds s"
	if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$folder/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-max_len=65536 -artifact_prefix="$folder/crashes/$target-" -print_final_stats=0 -verbosity=1 \
		"$folder/corpus/$target" "fuzz/corpus/$target" >"$folder/$target.log" 2>&1; then
		sed -n 's/^Done /  /p' "$folder/$target.log"
	else
		failed=$((failed + 1))
		tail -n 30 "$folder/$target.log"
		echo "$target: FAILED, the input is in $folder/crashes"
	fi
done
echo "$(($# - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
