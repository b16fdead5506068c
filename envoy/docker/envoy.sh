#!/usr/bin/env bash
# Runs Envoy in a container like a local program. ENVOY=envoy/docker/envoy.sh makes
# the tests use it. The container shares the host's network and mounts this
# repository at its own path (Linux). It stops when this process ends.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
name=edge-authz-test-${EDGE_AUTHZ_RUN:-by-hand}-envoy-$$
module=$(realpath "${EDGE_AUTHZ_WASM:-$root/dist/edge_authz.wasm}")

# If a test kills the client, the client does not stop the container.
(
    setsid bash -c 'while kill -0 "$1"; do sleep 0.2; done; docker rm --force "$2"' \
        watcher $$ "$name" </dev/null >/dev/null 2>&1 &
)
exec docker run --rm --name "$name" --network host --user "$(id -u):$(id -g)" \
    --volume "$root:$root" --volume "$module:$module:ro" --workdir "$root" \
    "${EDGE_AUTHZ_ENVOY_IMAGE:-edge-authz-envoy:local}" "$@"
