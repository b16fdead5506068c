"""Fails unless the image on standard input (`docker save`) has the format that
Istio and Envoy Gateway expect: one layer with the module as the plain file
`plugin.wasm`. Both look for that name in the last layer."""

import io
import json
import sys
import tarfile

module = open(sys.argv[1], "rb").read()
with tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())) as image:
    (manifest,) = json.load(image.extractfile("manifest.json"))
    layers = manifest["Layers"]
    if len(layers) != 1:
        sys.exit(f"{len(layers)} layers instead of one")
    with tarfile.open(fileobj=image.extractfile(layers[0])) as layer:
        names = layer.getnames()
        if names != ["plugin.wasm"]:
            sys.exit(f"{names} instead of plugin.wasm")
        if not layer.getmember("plugin.wasm").isfile():
            sys.exit("plugin.wasm is not a plain file")
        if layer.extractfile("plugin.wasm").read() != module:
            sys.exit("plugin.wasm is not the built module")
