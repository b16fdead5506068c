#!/usr/bin/env bash
# Envoy as a program, but in a container: ENVOY=envoy/docker/envoy.sh runs the
# tests' Envoys so. It has the host's network and this repository where they
# are (Linux), and ends with this process, however that ends.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
name=edge-authz-test-${EDGE_AUTHZ_RUN:-by-hand}-envoy-$$
module=$(realpath "${EDGE_AUTHZ_WASM:-$root/dist/edge_authz.wasm}")

# A test kills the client, which then tells the container nothing.
(
    setsid bash -c 'while kill -0 "$1"; do sleep 0.2; done; docker rm --force "$2"' \
        watcher $$ "$name" </dev/null >/dev/null 2>&1 &
)
exec docker run --rm --name "$name" --network host --user "$(id -u):$(id -g)" \
    --volume "$root:$root" --volume "$module:$module:ro" --workdir "$root" \
    "${EDGE_AUTHZ_ENVOY_IMAGE:-edge-authz-envoy:local}" "$@"
