//! The files under `deploy/`, as the command sees them.

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
    ] {
        let ran = run_in(&root().join("deploy"), &["check", "--strict", file], "");
        assert_eq!(ran.code, 0, "{file}: {}{}", ran.out, ran.err);
    }
}
