"""Fails unless the image on standard input (`docker save`) has the format that
those expect who use it: one layer with the module as one plain file.

usage: look.py MODULE [NAME]

Istio and Envoy Gateway look for the name `plugin.wasm` in the last layer."""

import io
import json
import sys
import tarfile

module = open(sys.argv[1], "rb").read()
name = sys.argv[2] if len(sys.argv) > 2 else "plugin.wasm"
with tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())) as image:
    (manifest,) = json.load(image.extractfile("manifest.json"))
    layers = manifest["Layers"]
    if len(layers) != 1:
        sys.exit(f"{len(layers)} layers instead of one")
    with tarfile.open(fileobj=image.extractfile(layers[0])) as layer:
        names = layer.getnames()
        if names != [name]:
            sys.exit(f"{names} instead of {name}")
        if not layer.getmember(name).isfile():
            sys.exit(f"{name} is not a plain file")
        if layer.extractfile(name).read() != module:
            sys.exit(f"{name} is not the built module")
