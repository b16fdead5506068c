#!/usr/bin/env bash
# Runs fuzz targets one after the other, each for a time: run.sh 60s token path
# Failing inputs stay in fuzz/regressions/<target>, and the tests replay them.
# Inputs that only reach new code go below target/, with what the fuzzer wrote.
set -euo pipefail
cd "$(dirname "$0")/.."

case $1 in
	*m) seconds=$((${1%m} * 60)) ;;
	*) seconds=${1%s} ;;
esac
shift

# The code has no `unsafe` for a sanitizer to check, and is much faster
# without a sanitizer.
work=${CARGO_TARGET_DIR:-target}/fuzz
options=(--sanitizer none --target-dir "$work")
cargo "+$NIGHTLY" fuzz build "${options[@]}"

failed=()
table="| target | executions | edges | features | inputs |\n|---|---|---|---|---|"
for target in "$@"; do
	echo "== $target"
	reached=$work/reached/$target
	log=$work/$target.log
	dictionary=$work/$target.dict
	mkdir -p "$reached" "fuzz/regressions/$target"
	# A dictionary may include others.
	(
		cd fuzz/dictionaries
		included=$(sed -n 's/^#include //p' "$target.dict")
		# shellcheck disable=SC2086
		cat $included "$target.dict"
	) >"$dictionary"
	if ! cargo "+$NIGHTLY" fuzz run "${options[@]}" "$target" \
		"$reached" "fuzz/corpus/$target" "fuzz/regressions/$target" -- \
		-dict="$dictionary" -artifact_prefix="fuzz/regressions/$target/" \
		-max_total_time="$seconds" -timeout=10 -print_final_stats=1 &>"$log"; then
		failed+=("$target")
		tail -40 "$log"
	fi
	rmdir --ignore-fail-on-non-empty "fuzz/regressions/$target"
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	# The last line about what the inputs reach.
	line=$(sed -nE 's/.* cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+).*/\1 | \2 | \3/p' "$log" | tail -1)
	table+="\n| \`$target\` | ${executions:-?} | ${line:-? | ? | ?} |"
done

echo
echo -e "$table"
if ((${#failed[@]} > 0)); then
	echo "failed: ${failed[*]}; the inputs are in fuzz/regressions" >&2
	exit 1
fi
