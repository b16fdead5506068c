"""Renders a chart like `helm template`, once for each object of the JSON list on standard
input: {"name", "namespace", "values" (YAML)}. Prints a JSON list of {"manifests"} or {"error"}.

usage: helm.py CHART"""

import json
import sys

import helm_python

# Templates that render nothing that is applied.
UNAPPLIED = "NOTES.txt"


def rendered(chart, release):
    try:
        values = helm_python.values_from_yaml(release["values"])
        chart.validate_schema(values)
        files = chart.render(values, name=release["name"], namespace=release["namespace"])
    except helm_python.HelmError as error:
        return {"error": str(error)}
    texts = [text for name, text in sorted(files.items()) if not name.endswith(UNAPPLIED)]
    return {"manifests": "\n---\n".join(texts)}


with helm_python.Chart.load(sys.argv[1]) as chart:
    print(json.dumps([rendered(chart, release) for release in json.load(sys.stdin)]))
