#!/usr/bin/env bash
# Builds the image of edge-authz-server from a static program, without a registry, and tries it.
#
# usage: image.sh PROGRAM CERTIFICATES NAME
set -euo pipefail
program=${1:?the program} certificates=${2:?the file with the certificates} name=${3:?the name of the image}
cd "$(dirname "$0")/../.."

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
install -m 755 "$program" "$context/edge-authz-server"
install -m 644 "$certificates" "$context/ca-certificates.crt"
docker build --quiet --file deploy/Dockerfile.server --tag "$name" "$context" >/dev/null 2>"$context/said" \
    || { cat "$context/said" >&2; exit 1; }
deploy/server/try-image "$name"
docker image inspect --format "$name: {{.Size}} bytes" "$name"
