//! Resources of Envoy Gateway.

use super::Rendering;
use super::yaml::{block, indented, item};
use crate::tree::scalar;

const REST: &str = include_str!("templates/envoy-gateway.yaml");

/// All resources.
pub(super) fn resources(rendering: &Rendering<'_>) -> String {
    let choices = rendering.choices;
    let version = env!("CARGO_PKG_VERSION");
    let namespace = scalar(choices.namespace);
    let gateway = scalar(choices.workload.unwrap_or("eg"));
    let filter = if choices.dynamic_module {
        "  dynamicModule:\n    - name: edge-authz\n      filterName: edge_authz\n      config:\n"
            .to_owned()
    } else {
        let image = choices.module.map_or_else(
            || format!("registry.example.com/edge-authz:{version}"),
            str::to_owned,
        );
        format!(
            "  wasm:\n    - name: edge_authz\n      rootID: edge_authz\n      # Never set true: it lets requests pass unchecked.\n      \
             failOpen: false\n      code:\n        type: Image\n        image: {{url: {}}}\n      config:\n",
            scalar(&image)
        )
    };
    let document = block(&rendering.document, 8);
    let policy = format!(
        "# Rendered by edge-authz.\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nmetadata:\n  \
         name: edge-authz\n  namespace: {namespace}\nspec:\n  # The whole gateway. For an HTTPRoute, only that route would be checked.\n  \
         targetRefs:\n    - {{group: gateway.networking.k8s.io, kind: Gateway, name: {gateway}}}\n{filter}{document}\n"
    );
    let modules = if choices.dynamic_module {
        let default = format!("/etc/envoy/modules/libedge_authz-{version}.so");
        let file = choices.module.unwrap_or(&default);
        format!(
            "  dynamicModules:\n    - name: edge-authz\n      # Never `Remote`: until the library is fetched, requests pass without it.\n      \
             source:\n        type: Local\n        local: {{path: {}}}\n      doNotClose: true\n",
            scalar(file)
        )
    } else {
        String::new()
    };
    let clusters: Vec<_> = rendering
        .sites
        .iter()
        .map(|site| item(&site.cluster(), 4))
        .collect();
    let bootstrap = if clusters.is_empty() {
        String::new()
    } else {
        let text = format!("static_resources:\n  clusters:\n{}\n", clusters.join("\n"));
        format!(
            "  bootstrap:\n    type: Merge\n    value: |\n{}\n",
            indented(&text, 6)
        )
    };
    let spec = format!("{modules}{bootstrap}");
    let spec = if spec.is_empty() {
        "spec: {}\n".to_owned()
    } else {
        format!("spec:\n{spec}")
    };
    let rest = REST
        .replace("${SPEC}\n", &spec)
        .replace("${NAMESPACE}", &namespace)
        .replace("${GATEWAY}", &gateway);
    format!("{policy}---\n{rest}")
}
