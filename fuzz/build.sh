# Builds the fuzz targets. The scripts of this folder source it for `work`, the folder of the
# results, and `options`, those of cargo-fuzz.
# shellcheck shell=bash

# The code has no `unsafe` for a sanitizer to check, and is much faster
# without a sanitizer.
work=${CARGO_TARGET_DIR:-target}/fuzz
options=(--sanitizer none --target-dir "$work")
cargo "+$NIGHTLY" fuzz build "${options[@]}"
