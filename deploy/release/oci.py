"""Writes images as OCI layouts in tar archives, without a daemon and always with the same bytes.

usage: oci.py OUTPUT VERSION wasm MODULE        one layer with /plugin.wasm: "compat" for Istio and Envoy Gateway
       oci.py OUTPUT VERSION artifact MODULE    the module itself as a layer: the "oci" variant of both
       oci.py OUTPUT VERSION files DOCKERFILE FOLDER…
                                                an image as `docker build` makes it, for each platform. A FOLDER is a
                                                context of the build, and its name a platform (amd64, arm64)

SOURCE_DATE_EPOCH is the time of everything in it. Prints the digest of the image. `docker build` writes other
bytes each time, and builds no artifacts."""

import hashlib
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
from datetime import datetime, timezone

EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
CREATED = datetime.fromtimestamp(EPOCH, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
OCI = "application/vnd.oci.image."
# The variant "oci" of https://github.com/solo-io/wasm/blob/master/spec/spec.md.
WASM_CONFIG = "application/vnd.module.wasm.config.v1+json"
WASM_CONTENT = "application/vnd.module.wasm.content.layer.v1+wasm"


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def packed(content):
    # The program gzip, because the bytes of Python's module depend on the zlib of the machine.
    return subprocess.run(["gzip", "-n9"], input=content, stdout=subprocess.PIPE, check=True).stdout


def archive(files):
    """A tar archive of (path, mode, content)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, mode, content in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), mode, EPOCH
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


class Layout:
    def __init__(self):
        self.blobs = {}

    def blob(self, media_type, content, **more):
        self.blobs[digest(content)] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content), **more}

    def json(self, media_type, value, **more):
        return self.blob(media_type, json.dumps(value, sort_keys=True).encode(), **more)

    def manifest(self, version, config, layers, **more):
        value = {
            "schemaVersion": 2,
            "mediaType": OCI + "manifest.v1+json",
            "config": config,
            "layers": layers,
            "annotations": {
                "org.opencontainers.image.created": CREATED,
                "org.opencontainers.image.licenses": "Apache-2.0",
                "org.opencontainers.image.title": "edge-authz",
                "org.opencontainers.image.version": version,
            },
        }
        return self.json(OCI + "manifest.v1+json", value, **more)

    def image(self, version, files, config, architecture, **more):
        layer = archive(files)
        value = {
            "created": CREATED,
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
            "history": [{"created": CREATED, "created_by": "deploy/release/oci.py"}],
        }
        return self.manifest(
            version,
            self.json(OCI + "config.v1+json", value),
            [self.blob(OCI + "layer.v1.tar+gzip", packed(layer))],
            **more,
        )

    def write(self, path, top, version):
        top = {**top, "annotations": {"org.opencontainers.image.ref.name": version}}
        index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [top]}
        files = [
            ("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode()),
            ("index.json", json.dumps(index, sort_keys=True).encode()),
        ]
        for name, content in sorted(self.blobs.items()):
            files.append(("blobs/" + name.replace(":", "/"), content))
        with open(path, "wb") as out:
            out.write(archive((name, 0o644, content) for name, content in files))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def wasm(layout, version, module):
    return layout.image(version, [("plugin.wasm", 0o644, read(module))], {}, "wasm")


def artifact(layout, version, module):
    title = "org.opencontainers.image.title"
    runtime = {"type": "envoy_proxy", "abiVersions": ["0.2.1"], "config": {"rootIds": ["edge_authz"]}}
    layers = [
        layout.json(WASM_CONFIG, runtime, annotations={title: "runtime-config.json"}),
        layout.blob(WASM_CONTENT, read(module), annotations={title: "plugin.wasm"}),
    ]
    return layout.manifest(version, layout.json(OCI + "config.v1+json", {}), layers)


def built(dockerfile, context, version):
    """The files and the config of an image that copies single files."""
    files, config, stages = [], {}, []
    for line in read(dockerfile).decode().splitlines():
        instruction, _, rest = line.partition(" ")
        if not line or line.startswith("#") or instruction == "ARG":
            continue
        rest = rest.replace("${VERSION}", version)
        if instruction == "FROM":
            stages.append(rest)
        elif instruction == "COPY":
            name, path = shlex.split(rest)
            file = os.path.join(context, name)
            mode = 0o755 if os.access(file, os.X_OK) else 0o644
            files.append((path.lstrip("/"), mode, read(file)))
        elif instruction == "ENV":
            config.setdefault("Env", []).extend(shlex.split(rest))
        elif instruction == "USER":
            config["User"] = rest
        elif instruction in ("ENTRYPOINT", "CMD"):
            config[instruction.capitalize()] = json.loads(rest)
        else:
            sys.exit(f"{dockerfile}: {instruction} is not supported")
    if stages != ["scratch"]:
        sys.exit(f"{dockerfile}: the image must be FROM scratch")
    return files, config


def files(layout, version, dockerfile, *contexts):
    manifests = []
    for context in contexts:
        platform = os.path.basename(context)
        content, config = built(dockerfile, context, version)
        more = {"platform": {"architecture": platform, "os": "linux"}}
        manifests.append(layout.image(version, content, config, platform, **more))
    index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": manifests}
    return layout.json(OCI + "index.v1+json", index)


def main(output, version, kind, *arguments):
    layout = Layout()
    top = {"wasm": wasm, "artifact": artifact, "files": files}[kind](layout, version, *arguments)
    layout.write(output, top, version)
    print(top["digest"])


if __name__ == "__main__":
    main(*sys.argv[1:])
