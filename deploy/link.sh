#!/bin/sh
# Links the module without the export of `memcmp`, which is for the module itself. A change of
# this file takes effect when a source file changes too, because Cargo does not track it.
set -eu

left=$#
while [ "$left" -gt 0 ]; do
	if [ "$1" = --export ] && [ "$2" = memcmp ]; then
		shift
		left=$((left - 1))
	else
		set -- "$@" "$1"
	fi
	shift
	left=$((left - 1))
done
# The host allocates memory for returned data with `malloc` if it is exported. Ours
# returns 0 if there is no memory, and the call fails.
exec rust-lld "$@" --export=malloc
