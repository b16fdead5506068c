#!/usr/bin/env bash
# Builds the images of docker-compose.yaml `FROM scratch`, without a registry, from
# the pinned tools in .tools/: programs and the libraries that they link. An
# existing image of the same parts is kept.
#
# usage: images.sh envoy|python NAME
set -euo pipefail
cd "$(dirname "$0")/../.."

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
root=$context/root
mkdir -p "$root/tmp" "$root/usr/local/bin"
chmod 1777 "$root/tmp"

# shellcheck source=deploy/libraries.sh
. deploy/libraries.sh

# Copies the libraries and sets the loader's path.
add_libraries() {
    echo "ENV LD_LIBRARY_PATH=$(copy_libraries "$root" "$@")"
}

envoy() {
    cp "$binary" "$root/usr/local/bin/envoy"
    add_libraries "$context" "$binary"
    echo 'ENTRYPOINT ["/usr/local/bin/envoy"]'
}

# The Python of .tools/venv, with moto and without the AWS CLI.
python() {
    local base executable library packages
    base=$("$venv" -c 'import sys; print(sys.base_prefix)')
    executable=$("$venv" -c 'import os, sys; print(os.path.realpath(sys._base_executable))')
    library=$("$venv" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    packages=$("$venv" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    mkdir -p "$root$library" "$root/packages"
    tar -C "$library" -c --exclude=./{test,site-packages,dist-packages,ensurepip,idlelib,tkinter,lib2to3} \
        --exclude='./config-*' . | tar -C "$root$library" -x
    tar -C "$packages" -c --exclude=./awscli --exclude=./pip . | tar -C "$root/packages" -x
    cp --parents --target-directory "$root" "$executable"
    ln -s "$executable" "$root/usr/local/bin/python3"
    mapfile -t objects < <(find "$library/lib-dynload" "$packages" -name '*.so*' -not -path '*/awscli/*')
    add_libraries "$packages" "$executable" "${objects[@]}"
    echo "ENV PYTHONHOME=$base PYTHONPATH=/packages PYTHONDONTWRITEBYTECODE=1"
}

image=$1 name=$2
case $image in
    envoy)
        binary=${ENVOY:-.tools/envoy/$ENVOY_VERSION/envoy/_bin/envoy}
        parts=$(sha256sum "$0" deploy/libraries.sh "$binary")
        ;;
    python)
        venv=.tools/venv/bin/python
        parts=$(sha256sum "$0" deploy/libraries.sh envoy/requirements.txt; "$venv" -VV)
        ;;
esac
digest=$(sha256sum <<<"$parts" | cut -d ' ' -f 1)
if [ "$(docker image inspect --format '{{.Config.Labels.parts}}' "$name" 2>/dev/null)" = "$digest" ]; then
    echo "$name is up to date"
    exit
fi
{
    echo 'FROM scratch'
    "$image"
    echo 'COPY root/ /'
    echo "LABEL parts=$digest"
} >"$context/Dockerfile"
# `docker build` prints a deprecation warning if only the older builder exists.
chmod -R a+rX "$root"
tar -C "$context" -c Dockerfile root | docker build --quiet --tag "$name" - 2>"$context/said" >/dev/null \
    || { cat "$context/said" >&2; exit 1; }
docker image inspect --format "$name: {{.Size}} bytes" "$name"
