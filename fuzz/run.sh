#!/usr/bin/env bash
# Runs fuzz targets one after the other, each for a time: run.sh 60s token path
# Failing inputs stay in fuzz/regressions/<target>, and the tests replay them.
# Inputs that only reach new code go below target/.
set -euo pipefail
cd "$(dirname "$0")/.."

case $1 in
	*m) seconds=$((${1%m} * 60)) ;;
	*) seconds=${1%s} ;;
esac
shift

# The code has no `unsafe` for a sanitizer to check, and is much faster
# without a sanitizer.
options=(--sanitizer none --target-dir "${CARGO_TARGET_DIR:-target}/fuzz")
cargo "+$NIGHTLY" fuzz build "${options[@]}"

failed=()
for target in "$@"; do
	echo "== $target"
	reached="${CARGO_TARGET_DIR:-target}/fuzz/reached/$target"
	mkdir -p "$reached" "fuzz/regressions/$target"
	cargo "+$NIGHTLY" fuzz run "${options[@]}" "$target" \
		"$reached" "fuzz/corpus/$target" "fuzz/regressions/$target" -- \
		-dict="fuzz/dictionaries/$target.dict" -artifact_prefix="fuzz/regressions/$target/" \
		-max_total_time="$seconds" -timeout=10 -verbosity=0 -print_final_stats=1 \
		|| failed+=("$target")
	rmdir --ignore-fail-on-non-empty "fuzz/regressions/$target"
done

if ((${#failed[@]} > 0)); then
	echo "failed: ${failed[*]}; the inputs are in fuzz/regressions" >&2
	exit 1
fi
