#!/usr/bin/env python3
"""Cuts the schemas of custom resource definitions for the tests.

    cut.py CRDS.yaml SOURCE RESOURCE.yaml...

CRDS.yaml has CustomResourceDefinitions, and SOURCE says where they come from. A file is
written for each kind of which there is a resource. Descriptions are left out. Large
members that no resource has become `false`, so that a test which uses one fails.
"""

import json
import pathlib
import sys

import yaml

# The size in bytes from which an unused member is left out.
LARGE = 400


def documents(path):
    text = pathlib.Path(path).read_text()
    lines = [line for line in text.split("\n") if not line.startswith("{{")]
    return [one for one in yaml.safe_load_all("\n".join(lines)) if one]


def cut(schema, values):
    """A schema without what none of the values needs."""
    if not isinstance(schema, dict):
        return schema
    out = {}
    for name, part in schema.items():
        if name == "properties":
            out[name] = {}
            for member, of in part.items():
                used = [value[member] for value in values if isinstance(value, dict) and member in value]
                small = cut(of, used)
                large = not used and len(json.dumps(small)) > LARGE
                out[name][member] = False if large else small
        elif name in ("items", "additionalProperties"):
            inner = []
            for value in values:
                if isinstance(value, list):
                    inner += value
                elif isinstance(value, dict):
                    inner += value.values()
            out[name] = cut(part, inner)
        elif name in ("anyOf", "allOf", "oneOf"):
            out[name] = [cut(one, values) for one in part]
        elif name in ("not",):
            out[name] = cut(part, values)
        elif name != "description" or not isinstance(part, str):
            out[name] = part
    return out


def main():
    crds, source, *files = sys.argv[1:]
    resources = [one for path in files for one in documents(path) if isinstance(one, dict)]
    for crd in documents(crds):
        if crd.get("kind") != "CustomResourceDefinition":
            continue
        group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
        for version in crd["spec"]["versions"]:
            api = f"{group}/{version['name']}"
            of = [one for one in resources if (one.get("apiVersion"), one.get("kind")) == (api, kind)]
            if not of:
                continue
            schema = cut(version["schema"]["openAPIV3Schema"], of)
            out = {"source": source, "apiVersion": api, "kind": kind, "openAPIV3Schema": schema}
            path = pathlib.Path(__file__).parent / f"{group}_{version['name']}_{kind}.json"
            path.write_text(json.dumps(out, indent=1) + "\n")


main()
