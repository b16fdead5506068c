//! Compares resources of Kubernetes with the schemas of their custom resource definitions
//! ([schemas/README.md](schemas/README.md)).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::definitions::Schemas;
use super::golden::{folder, root};

/// The resources of a text with YAML documents.
fn resources(text: &str) -> Vec<Value> {
    let documents = text.split("\n---\n").filter(|text| !text.trim().is_empty());
    documents
        .map(|text| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}")))
        .collect()
}

fn files_in(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(path).unwrap() {
        let file = file.unwrap().path();
        if file.is_dir() {
            found.extend(files_in(&file));
        } else {
            found.push(file);
        }
    }
    found
}

fn is_resource(value: &Value) -> bool {
    value["apiVersion"].is_string() && value["kind"].is_string()
}

/// Kinds whose schemas are not here: the options of Istio's installation have none, and
/// Contour's are only in the example of external authorization.
const WITHOUT_SCHEMA: [&str; 3] = ["IstioOperator", "ExtensionService", "HTTPProxy"];

#[test]
fn every_resource_that_is_rendered_deployed_or_documented_has_the_form_of_its_kind() {
    let schemas = Schemas::read(&folder().join("schemas"));
    let mut places = vec![folder().join("render")];
    places.extend(["deploy", "docs", "examples", "envoy"].map(|name| root().join(name)));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut mistakes = Vec::new();
    let mut files: Vec<_> = places.iter().flat_map(|place| files_in(place)).collect();
    // What is made of the first two is compared by `tests/kubernetes`: they are templates and
    // patches. So are the resources of the server, which are Kubernetes' own. The others are
    // resources of other tools.
    let elsewhere = [
        "helm",
        "kustomize/examples",
        "kustomize/server",
        "server",
        "argocd",
        "flux",
    ];
    files.retain(|file| {
        let mut folders = elsewhere
            .iter()
            .map(|name| root().join("deploy").join(name));
        let kustomization = file.ends_with("kustomization.yaml");
        !kustomization && !folders.any(|folder| file.starts_with(folder))
    });
    files.extend(["istio.yaml", "gateway.yaml"].map(|name| folder().join("import").join(name)));
    for file in files {
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).unwrap_or_default();
        let texts: Vec<_> = match file.extension().and_then(|it| it.to_str()) {
            Some("yaml") => vec![text.as_str()],
            Some("md") => {
                let blocks = text.split("```yaml\n").skip(1);
                blocks
                    .filter_map(|block| block.split("```").next())
                    .collect()
            }
            _ => continue,
        };
        let texts = texts
            .into_iter()
            .filter(|text| text.contains("apiVersion:"));
        let found: Vec<_> = texts.flat_map(resources).collect();
        for resource in found.iter().filter(|one| is_resource(one)) {
            let kind = resource["kind"].as_str().unwrap();
            if WITHOUT_SCHEMA.contains(&kind) {
                continue;
            }
            *counts.entry(kind.to_owned()).or_default() += 1;
            let of = schemas.mistakes(resource).into_iter();
            mistakes.extend(of.map(|mistake| format!("{name}: {kind}{mistake}")));
        }
    }
    assert_eq!(mistakes, [""; 0]);
    // Every schema is used, and every kind is found.
    assert_eq!(counts.len(), schemas.len(), "{counts:?}");
}

/// Changes of rendered files: the file, a text, what replaces it, and a part of the mistake.
const CHANGES: [[&str; 4]; 12] = [
    [
        "istio-wasm-plugin",
        "failStrategy",
        "failPolicy",
        "'failPolicy' was unexpected",
    ],
    [
        "istio-wasm-plugin",
        "FAIL_RELOAD",
        "FAIL_CLOSED",
        "\"FAIL_CLOSED\" is not one of",
    ],
    [
        "istio-wasm-plugin",
        "  url: ",
        "  uri: ",
        "\"url\" is a required property",
    ],
    [
        "istio-wasm-plugin",
        "extensions.istio.io/v1alpha1",
        "extensions.istio.io/v1",
        "there is no schema",
    ],
    [
        "istio",
        "phase: AUTHN",
        "phase: AUTHENTICATE",
        "is not one of",
    ],
    ["istio", "number: 80", "number: eighty", "is not of type"],
    ["istio", "mode: SIMPLE", "mode: SIMPEL", "is not one of"],
    [
        "istio",
        "metadata:\n  name:",
        "metadata:\n  title:",
        "/metadata/name",
    ],
    [
        "envoy-gateway",
        "targetRefs:",
        "targets:",
        "'targets' was unexpected",
    ],
    [
        "envoy-gateway",
        "rootID:",
        "rootId:",
        "'rootId' was unexpected",
    ],
    [
        "envoy-gateway",
        "gatewayClassName:",
        "className:",
        "is a required property",
    ],
    [
        "envoy-gateway-module",
        "dynamicModules:",
        "dynamicmodules:",
        "was unexpected",
    ],
];

#[test]
fn a_mistake_in_a_resource_is_seen() {
    let schemas = Schemas::read(&folder().join("schemas"));
    for [file, from, to, words] in CHANGES {
        let path = folder().join(format!("render/{file}.yaml"));
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        let changed = resources(&text.replace(from, to));
        let found: Vec<_> = changed
            .iter()
            .flat_map(|one| schemas.mistakes(one))
            .collect();
        assert!(
            found.iter().any(|mistake| mistake.contains(words)),
            "{file}: {to}: {found:?}"
        );
    }
}
