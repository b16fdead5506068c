"""Validates the resources of a JSON list on standard input against the schemas of Kubernetes'
own kinds, strictly: an unknown member is an error. Prints a JSON list of an error or null for each.

usage: validate.py VERSION"""

import json
import sys

import kubernetes_validate

version = sys.argv[1]


def problem(resource):
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


print(json.dumps([problem(resource) for resource in json.load(sys.stdin)]))
