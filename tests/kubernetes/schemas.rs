//! Whatever the chart renders is valid for Kubernetes, and `edge-authz check` accepts it.

use std::path::Path;

use serde_json::Value;

use crate::definitions::Schemas;
use crate::tools::{Rendered, SERVER_DOCUMENT, helm_all, kustomize, resources, root, script};

/// The newest version of Kubernetes whose schemas the validator has.
const KUBERNETES: &str = "1.37";

/// What the chart renders with each of the values in its folder `ci`, the examples for
/// Kustomize, and the resources of the server.
fn everything() -> Vec<(String, Rendered)> {
    let names = |folder: &str| -> Vec<_> {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let files = names("deploy/helm/edge-authz/ci");
    let texts: Vec<_> = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let releases: Vec<_> = texts.iter().map(|text| (&**text, "shop")).collect();
    let charts = files.iter().zip(helm_all(&releases));
    let mut all: Vec<_> = charts
        .map(|(file, chart)| (file.display().to_string(), chart))
        .collect();
    for folder in names("deploy/kustomize/examples") {
        all.push((folder.display().to_string(), kustomize(&folder)));
    }
    let file = root().join("deploy/server/kubernetes.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    all.push((file.display().to_string(), Ok(resources(&text))));
    all
}

#[test]
fn the_command_finds_nothing_wrong_or_risky() {
    let folder = std::env::temp_dir().join(format!("edge-authz-charts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, rendered) in everything() {
        let file = folder.join("rendered.yaml");
        let resources = rendered.unwrap();
        // The server's configuration is in a ConfigMap, and names no clusters.
        let server: Vec<_> = resources
            .iter()
            .filter_map(|one| one.pointer(SERVER_DOCUMENT)?.as_str())
            .collect();
        assert_eq!(server.len(), usize::from(name.contains("server")), "{name}");
        let (host, texts): (_, Vec<_>) = if server.is_empty() {
            ("envoy", resources.iter().map(Value::to_string).collect())
        } else {
            ("server", server.into_iter().map(str::to_owned).collect())
        };
        std::fs::write(&file, texts.join("\n---\n")).unwrap();
        let file = file.to_str().unwrap();
        let (code, text) =
            edge_authz_cli::run(&["edge-authz", "check", "--strict", "--host", host, file]);
        // A canary in report mode is a warning, as it should be.
        let reports = name.contains("canary") && text.contains("report");
        assert!(code == 0 || reports, "{name}: {text}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Whether a resource is of a custom resource definition.
fn is_custom(resource: &Value) -> bool {
    let version = resource["apiVersion"].as_str().unwrap();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    group.contains('.') && !["networking.k8s.io", "rbac.authorization.k8s.io"].contains(&group)
}

#[test]
fn custom_resources_have_the_members_of_their_schemas() {
    let schemas = Schemas::read(&root().join("cli/tests/command/schemas"));
    let mut seen = 0;
    for (name, rendered) in everything() {
        for resource in rendered.unwrap().iter().filter(|one| is_custom(one)) {
            assert_eq!(
                schemas.mistakes(resource),
                [""; 0],
                "{name}: {}",
                resource["kind"]
            );
            seen += 1;
        }
    }
    assert!(seen > 25, "{seen}");
    assert!(schemas.len() > 10);
}

#[test]
fn kinds_of_kubernetes_have_the_members_of_their_schemas() {
    let mut all = Vec::new();
    let mut names = Vec::new();
    for (name, rendered) in everything() {
        for resource in rendered.unwrap() {
            let version = resource["apiVersion"].as_str().unwrap();
            let group = version.split_once('/').map_or("", |(group, _)| group);
            if !group.contains('.')
                || group.ends_with(".k8s.io") && group != "gateway.networking.k8s.io"
            {
                names.push(format!("{name}: {}", resource["kind"]));
                all.push(resource);
            }
        }
    }
    // A mistake, to see that the validator finds it.
    names.push("mistake".to_owned());
    all.push(serde_json::json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"prots": []}
    }));
    let answers = script("validate.py", Path::new(KUBERNETES), &Value::Array(all));
    let mistake = names.len() - 1;
    for (number, (name, answer)) in names.iter().zip(answers).enumerate() {
        assert_eq!(answer.is_null(), number != mistake, "{name}: {answer}");
    }
}
