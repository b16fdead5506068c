#!/usr/bin/env bash
# Runs fuzz targets, each for a time: run.sh 60s token path
# As many run at the same time as there are processors; JOBS=1 for one after the other.
# Failing inputs stay in fuzz/regressions/<target>, and the tests replay them.
# Inputs that only reach new code go below target/, with what the fuzzer wrote.
set -euo pipefail
cd "$(dirname "$0")/.."

case $1 in
	*m) seconds=$((${1%m} * 60)) ;;
	*) seconds=${1%s} ;;
esac
shift

. fuzz/build.sh

# Runs a target. Its log, and its line of the table, are below target/.
run() {
	local target=$1 reached=$work/reached/$1 log=$work/$1.log dictionary=$work/$1.dict
	local included executions line failed=
	mkdir -p "$reached" "fuzz/regressions/$target"
	# A dictionary may include others.
	(
		cd fuzz/dictionaries
		included=$(sed -n 's/^#include //p' "$target.dict")
		# shellcheck disable=SC2086
		cat $included "$target.dict"
	) >"$dictionary"
	cargo "+$NIGHTLY" fuzz run "${options[@]}" "$target" \
		"$reached" "fuzz/corpus/$target" "fuzz/regressions/$target" -- \
		-dict="$dictionary" -artifact_prefix="fuzz/regressions/$target/" \
		-max_total_time="$seconds" -timeout=10 -print_final_stats=1 &>"$log" || failed=yes
	rmdir --ignore-fail-on-non-empty "fuzz/regressions/$target"
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	# The last line about what the inputs reach.
	line=$(sed -nE 's/.* cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+).*/\1 | \2 | \3/p' "$log" | tail -1)
	echo "| \`$target\` | ${executions:-?} | ${line:-? | ? | ?} |" >"$work/$target.row"
	[[ -z $failed ]]
}

failed=()
running=()
# Waits until a run has ended, and notes whether it has failed.
ended() {
	local target=${running[0]%% *} process=${running[0]##* }
	running=("${running[@]:1}")
	wait "$process" || failed+=("$target")
}

jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
for target in "$@"; do
	((${#running[@]} < jobs)) || ended
	echo "== $target"
	run "$target" &
	running+=("$target $!")
done
while ((${#running[@]} > 0)); do ended; done

for target in "${failed[@]}"; do
	echo "--- the end of the output of $target"
	tail -40 "$work/$target.log"
done
echo
echo "| target | executions | edges | features | inputs |"
echo "|---|---|---|---|---|"
for target in "$@"; do cat "$work/$target.row"; done
if ((${#failed[@]} > 0)); then
	echo "failed: ${failed[*]}; the inputs are in fuzz/regressions" >&2
	exit 1
fi
