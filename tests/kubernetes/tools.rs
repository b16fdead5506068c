//! Helm's engine, kubectl and the validator, which `make setup-kubernetes` installs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program of the tools.
fn program(name: &str) -> PathBuf {
    let path = root().join(".tools/kubernetes/bin").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `make setup-kubernetes`",
        path.display()
    );
    path
}

/// Runs a script of this folder with a JSON value on its standard input.
pub(crate) fn script(name: &str, argument: &Path, input: &Value) -> Vec<Value> {
    let mut child = Command::new(program("python"))
        .arg(root().join("tests/kubernetes").join(name))
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_vec(input).unwrap();
    child.stdin.take().unwrap().write_all(&text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a chart renders.
pub(crate) type Rendered = Result<Vec<Value>, String>;

/// Renders the chart with each of the values, which are YAML, as a release in a namespace.
pub(crate) fn helm_all(releases: &[(&str, &str)]) -> Vec<Rendered> {
    let releases: Vec<_> = releases
        .iter()
        .map(|(values, namespace)| json!({"name": "edge-authz", "namespace": namespace, "values": values}))
        .collect();
    let answers = script(
        "helm.py",
        &root().join("deploy/helm/edge-authz"),
        &Value::Array(releases),
    );
    answers
        .iter()
        .map(|answer| match answer["manifests"].as_str() {
            Some(text) => Ok(resources(text)),
            None => Err(answer["error"].as_str().unwrap().to_owned()),
        })
        .collect()
}

/// Renders the chart with values.
pub(crate) fn helm(values: &str) -> Rendered {
    helm_all(&[(values, "shop")]).remove(0)
}

/// Values of the folder `ci` of the chart.
pub(crate) fn values(name: &str) -> String {
    let file = format!("deploy/helm/edge-authz/ci/{name}-values.yaml");
    std::fs::read_to_string(root().join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The resources of a text.
pub(crate) fn resources(text: &str) -> Vec<Value> {
    let documents = text
        .split("\n---")
        .map(|text| text.trim_start_matches("---"));
    documents
        .map(|text| {
            serde_saphyr::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
        })
        .filter(|resource| !resource.is_null())
        .collect()
}

/// The only resource of a kind with a name.
pub(crate) fn named<'r>(all: &'r [Value], kind: &str, name: &str) -> &'r Value {
    let mut found = all
        .iter()
        .filter(|one| one["kind"] == kind && one["metadata"]["name"] == name);
    let first = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert!(found.next().is_none(), "several {kind} {name}");
    first
}

/// Builds a folder with kubectl.
pub(crate) fn kustomize(folder: &Path) -> Rendered {
    let output = Command::new(program("kubectl"))
        .arg("kustomize")
        .arg(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(resources(&text(output.stdout)))
    } else {
        Err(text(output.stderr))
    }
}

/// Where the text of the server's configuration is in its `ConfigMap`.
pub(crate) const SERVER_DOCUMENT: &str = "/data/edge-authz.yaml";

/// Compares resources apart from their order, their namespaces, the labels of the chart, and how
/// texts in them are written.
pub(crate) fn same(mut one: Vec<Value>, mut other: Vec<Value>, name: &str) {
    for all in [&mut one, &mut other] {
        for resource in all.iter_mut() {
            let metadata = resource["metadata"].as_object_mut().unwrap();
            metadata.remove("labels");
            metadata.remove("namespace");
            if let Some(value) = resource.pointer_mut("/spec/bootstrap/value") {
                *value = serde_saphyr::from_str(value.as_str().unwrap()).unwrap();
            }
            if let Some(value) = resource.pointer_mut(SERVER_DOCUMENT) {
                *value = serde_saphyr::from_str(value.as_str().unwrap()).unwrap();
            }
        }
        all.sort_by_key(|one| (one["kind"].to_string(), one["metadata"]["name"].to_string()));
    }
    assert_eq!(one.len(), other.len(), "{name}");
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other, "{name}");
    }
}
