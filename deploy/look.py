"""Ends with an error unless the image on standard input (`docker save`) is what
Istio and Envoy Gateway pull: one layer, and in it the module as `plugin.wasm`,
a plain file. Both look for that name in the last layer."""

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
            sys.exit("plugin.wasm is no plain file")
        if layer.extractfile("plugin.wasm").read() != module:
            sys.exit("plugin.wasm is another module")
