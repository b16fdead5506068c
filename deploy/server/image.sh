#!/usr/bin/env bash
# Builds the image of edge-authz-server from a built program, without a registry, and tries it as
# deploy/server/kubernetes.yaml runs it.
#
# usage: image.sh PROGRAM NAME
set -euo pipefail
program=${1:?the program} name=${2:?the name of the image}
cd "$(dirname "$0")/../.."
. deploy/libraries.sh

certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
[ -s "$certificates" ] || {
    echo "$certificates is missing: apt-get install ca-certificates, or set SSL_CERT_FILE" >&2
    exit 1
}

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
root=$context/root
mkdir -p "$root"/{usr/local/bin,etc/ssl/certs}
install -m 755 "$program" "$root/usr/local/bin/edge-authz-server"
directories=$(copy_libraries "$root" "$context" "$program")
# The loader looks into these directories without a variable.
for directory in ${directories//:/ }; do
    case $directory in
    /lib | /lib64 | /usr/lib | /usr/lib64 | /lib/*-linux-gnu | /usr/lib/*-linux-gnu) ;;
    *) echo "the program needs a library in $directory" >&2 && exit 1 ;;
    esac
done
install -m 644 "$certificates" "$root/etc/ssl/certs/ca-certificates.crt"
# Names are looked up in the file hosts, which containers get, and by DNS.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
chmod -R a+rX "$root"
tar -C "$context" -c root -C "$PWD/deploy" Dockerfile.server \
    | docker build --quiet --file Dockerfile.server --tag "$name" - >/dev/null 2>"$context/said" \
    || { cat "$context/said" >&2; exit 1; }

docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --user 10001:10001 \
    "$name" --version
docker image inspect --format "$name: {{.Size}} bytes" "$name"
