#!/bin/sh
# Links the module without the exports below. The SDK exports every callback
# of the ABI, and a host calls all exported callbacks for each request, although
# these do nothing. `memcmp` is for the module itself. A change of this file takes effect when a source file changes
# too, because Cargo does not track it.
set -eu

unused='
memcmp
proxy_on_done
proxy_on_downstream_connection_close
proxy_on_downstream_data
proxy_on_foreign_function
proxy_on_grpc_close
proxy_on_grpc_receive
proxy_on_grpc_receive_initial_metadata
proxy_on_grpc_receive_trailing_metadata
proxy_on_log
proxy_on_new_connection
proxy_on_queue_ready
proxy_on_response_body
proxy_on_response_trailers
proxy_on_upstream_connection_close
proxy_on_upstream_data
'

is_unused() {
	echo "$unused" | grep -qx "$1"
}

left=$#
while [ "$left" -gt 0 ]; do
	if [ "$1" = --export ] && is_unused "$2"; then
		shift
		left=$((left - 1))
	else
		set -- "$@" "$1"
	fi
	shift
	left=$((left - 1))
done
# The host allocates memory for returned data with `malloc` if it is exported. Ours
# returns 0 if there is no memory, and the call fails. The SDK's function traps.
exec rust-lld "$@" --export=malloc
