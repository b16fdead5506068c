#!/usr/bin/env bash
# Keeps what `run.sh` has reached: keep.sh token path
# Each target gets the smallest set of inputs, found greedily, that reach the edges of the code
# which the inputs in fuzz/corpus/<target> do not reach. Inputs above the limit are not kept.
set -euo pipefail
cd "$(dirname "$0")/.."

# The longest input in bytes.
LONGEST=1024

. fuzz/build.sh

echo "| target | inputs before | now | KiB |"
echo "|---|---|---|---|"
for target in "$@"; do
	corpus=fuzz/corpus/$target
	reached=$work/reached/$target
	before=$(find "$corpus" -type f | wc -l)
	if [[ -d $reached ]]; then
		# Edges only: the counts of their executions would keep ten times as many inputs.
		cargo "+$NIGHTLY" fuzz run "${options[@]}" "$target" "$corpus" "$reached" -- \
			-set_cover_merge=1 -use_counters=0 -use_cmp=0 -use_value_profile=0 \
			-max_len="$LONGEST" -timeout=10 &>"$work/$target.keep.log" \
			|| { tail -40 "$work/$target.keep.log"; exit 1; }
	fi
	now=$(find "$corpus" -type f | wc -l)
	bytes=$(find "$corpus" -type f -printf '%s\n' | awk '{all += $1} END {print all}')
	echo "| \`$target\` | $before | $now | $((bytes / 1024)) |"
done
