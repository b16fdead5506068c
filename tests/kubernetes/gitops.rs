//! The examples for Argo CD and Flux give the chart values that it accepts.

use serde_json::Value;

use crate::tools::{helm, named, resources, root};

#[test]
fn the_values_of_argo_cd_and_flux_render_the_same() {
    let read = |file: &str| std::fs::read_to_string(root().join("deploy").join(file)).unwrap();
    let argo = resources(&read("argocd/application.yaml"));
    let source = &named(&argo, "Application", "edge-authz")["spec"]["source"];
    let flux = resources(&read("flux/edge-authz.yaml"));
    let release = &named(&flux, "HelmRelease", "edge-authz")["spec"];
    let repository = &named(&flux, "OCIRepository", "edge-authz")["spec"];
    let render = |values: &Value| helm(&values.to_string()).unwrap();
    let rendered = render(&source["helm"]["valuesObject"]);
    assert_eq!(rendered, render(&release["values"]));
    let spec = &named(&rendered, "TrafficExtension", "edge-authz")["spec"]["wasm"];
    assert_eq!(spec["imagePullSecret"], "registry");
    assert_eq!(spec["sha256"].as_str().unwrap().len(), 64);
    // Both name the chart's version, and the same place.
    let chart = std::fs::read_to_string(root().join("deploy/helm/edge-authz/Chart.yaml")).unwrap();
    let chart: Value = serde_saphyr::from_str(&chart).unwrap();
    assert_eq!(source["targetRevision"], chart["version"]);
    assert_eq!(repository["ref"]["tag"], chart["version"]);
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    let url = format!(
        "oci://{}/{}",
        source["repoURL"].as_str().unwrap(),
        source["chart"].as_str().unwrap()
    );
    assert_eq!(repository["url"], url);
}
