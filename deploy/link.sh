#!/bin/sh
# Links the module: as the compiler would, but without the callbacks below. The
# SDK exports all that the ABI has, and a host calls what is exported, for each
# request, at ten times the cost of what these do: nothing. After a change here
# the module is linked anew once something of `src` has changed, too.
set -eu

unused='
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
# A host that finds it takes memory for what it returns by this function, which
# answers 0 where there is none, and has the call fail. The SDK's own traps.
exec rust-lld "$@" --export=malloc
