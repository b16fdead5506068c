//! Images from private registries, pinned by digest.

use serde_json::json;

use crate::tools::{helm_all, named, values};

#[test]
fn an_image_is_named_by_its_digest_and_pulled_with_the_secret() {
    let digest = "a".repeat(64);
    let reference = format!("registry.example.com:5000/team/edge-authz@sha256:{digest}");
    let image = format!(
        "\nimage: {{repository: 'registry.example.com:5000/team/edge-authz', digest: 'sha256:{digest}', pullSecret: registry, pullPolicy: Always}}\n"
    );
    let of = |name: &str| format!("{}{image}", values(name));
    let [extension, plugin, policy, module] = [
        of("istio-sidecar"),
        of("istio-wasm-plugin"),
        of("envoy-gateway"),
        of("envoy-gateway-module"),
    ];
    let releases: Vec<_> = [&extension, &plugin, &policy, &module]
        .map(|values| (&**values, "shop"))
        .to_vec();
    let mut all = helm_all(&releases).into_iter().map(Result::unwrap);

    let resources = all.next().unwrap();
    let wasm = &named(&resources, "TrafficExtension", "edge-authz")["spec"]["wasm"];
    let resources = all.next().unwrap();
    let plugin = &named(&resources, "WasmPlugin", "edge-authz")["spec"];
    for spec in [wasm, plugin] {
        assert_eq!(spec["url"], format!("oci://{reference}"));
        assert_eq!(spec["sha256"], digest);
        assert_eq!(spec["imagePullSecret"], "registry");
        assert_eq!(spec["imagePullPolicy"], "Always");
        assert_eq!(spec["failStrategy"], "FAIL_RELOAD");
    }

    let resources = all.next().unwrap();
    let wasm = &named(&resources, "EnvoyExtensionPolicy", "edge-authz")["spec"]["wasm"][0];
    assert_eq!(wasm["failOpen"], false);
    assert_eq!(
        wasm["code"],
        json!({
            "type": "Image",
            "pullPolicy": "Always",
            "image": {"url": reference, "sha256": digest, "pullSecretRef": {"name": "registry"}},
        })
    );

    let resources = all.next().unwrap();
    let pod = &named(&resources, "EnvoyProxy", "edge-authz")["spec"]["provider"]["kubernetes"]["envoyDeployment"];
    assert_eq!(
        pod["pod"]["imagePullSecrets"],
        json!([{"name": "registry"}])
    );
    let mount = &pod["container"]["volumeMounts"][0];
    assert_eq!(mount["readOnly"], true);
    let module = &named(&resources, "EnvoyProxy", "edge-authz")["spec"]["dynamicModules"][0];
    let path = module["source"]["local"]["path"].as_str().unwrap();
    assert!(
        path.starts_with(mount["mountPath"].as_str().unwrap()),
        "{path}"
    );
}
