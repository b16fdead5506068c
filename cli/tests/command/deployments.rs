//! The files under `deploy/`, as the command sees them.

use std::fs;

use super::golden::{root, run_in};

#[test]
fn nothing_in_the_deployments_is_wrong_or_risky() {
    for file in [
        "istio/gateway.yaml",
        "istio/sidecar.yaml",
        "istio/dynamic-module.yaml",
        "envoy-gateway/policy.yaml",
        "envoy-gateway/dynamic-module.yaml",
        "envoy/static.yaml",
        "envoy/dynamic-module.yaml",
        "envoy/xds/listeners.yaml",
        // Its files name each other.
        "envoy/xds",
    ] {
        let ran = run_in(&root().join("deploy"), &["check", "--strict", file], "");
        assert_eq!(ran.code, 0, "{file}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_cluster_that_another_file_of_the_folder_lacks_is_an_error() {
    let folder = std::env::temp_dir().join(format!("edge-authz-xds-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for name in ["envoy.yaml", "listeners.yaml", "clusters.yaml"] {
        let text = fs::read_to_string(root().join("deploy/envoy/xds").join(name)).unwrap();
        let text = match name {
            "clusters.yaml" => text.replace("name: cognito_idp", "name: cognito"),
            _ => text,
        };
        fs::write(folder.join(name), text).unwrap();
    }
    let ran = run_in(&folder, &["check", "."], "");
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(ran.code, 1);
    let words = "no cluster of the bootstrap has the name `cognito_idp`";
    assert!(ran.out.contains(words), "{}", ran.out);
}
