//! Bootstraps of Envoy.

use super::yaml::{block, indented, item};
use super::{File, Rendering, host_and_port};
use crate::tree::scalar;

const LISTENER: &str = include_str!("templates/listener.yaml");
const WASM: &str = include_str!("templates/wasm.yaml");
pub(super) const DYNAMIC: &str = include_str!("templates/dynamic-module.yaml");
const ADMIN: &str = "admin:\n  address: {socket_address: {address: 127.0.0.1, port_value: 9901}}\n";

/// The cluster of the protected API, and its name if a document uses the first one.
const UPSTREAM: [&str; 2] = ["api", "protected_api"];

/// A bootstrap with everything.
pub(super) fn bootstrap(rendering: &Rendering<'_>) -> Result<String, String> {
    let listener = item(&listener(rendering)?, 4);
    let clusters: Vec<_> = clusters(rendering)?
        .iter()
        .map(|one| item(one, 4))
        .collect();
    Ok(format!(
        "# Rendered by edge-authz: envoy -c envoy.yaml\n{ADMIN}\nstatic_resources:\n  listeners:\n{listener}\n  clusters:\n{}\n",
        clusters.join("\n")
    ))
}

/// A bootstrap, and the files that it names.
pub(super) fn discovered(rendering: &Rendering<'_>) -> Result<Vec<File>, String> {
    let folder = rendering.choices.folder.trim_end_matches('/');
    let source = |name: &str| {
        format!(
            "    path_config_source:\n      path: {}\n      watched_directory: {{path: {}}}\n",
            scalar(&format!("{folder}/{name}")),
            scalar(folder)
        )
    };
    let bootstrap = format!(
        "# Rendered by edge-authz: envoy -c envoy.yaml\n\
         # Envoy notices a file that is *moved* into the folder. If the filter refuses a configuration, the current one\n\
         # stays active (`listener_manager.lds.update_rejected`).\n\
         node: {{id: edge-1, cluster: edge}}\n\n{ADMIN}\ndynamic_resources:\n  lds_config:\n{}  cds_config:\n{}",
        source("listeners.yaml"),
        source("clusters.yaml")
    );
    let resource = |kind: &str, text: &str| {
        let text = format!("\"@type\": type.googleapis.com/envoy.config.{kind}\n{text}");
        item(&text, 2)
    };
    let listener = resource("listener.v3.Listener", &listener(rendering)?);
    let clusters = clusters(rendering)?;
    let clusters: Vec<_> = clusters
        .iter()
        .map(|one| resource("cluster.v3.Cluster", one))
        .collect();
    Ok(vec![
        ("envoy.yaml", bootstrap),
        ("listeners.yaml", format!("resources:\n{listener}\n")),
        (
            "clusters.yaml",
            format!("resources:\n{}\n", clusters.join("\n")),
        ),
    ])
}

/// The name of the cluster of the protected API.
fn upstream(rendering: &Rendering<'_>) -> &'static str {
    let [first, second] = UPSTREAM;
    let taken = rendering.sites.iter().any(|site| site.cluster == first);
    if taken { second } else { first }
}

fn listener(rendering: &Rendering<'_>) -> Result<String, String> {
    let (address, port) = host_and_port(rendering.choices.listen)?;
    let (filter, file) = if rendering.choices.dynamic_module {
        (DYNAMIC, "/etc/envoy/libedge_authz.so")
    } else {
        (WASM, "/etc/envoy/edge_authz.wasm")
    };
    let file = rendering.choices.module.unwrap_or(file);
    let filter = self::filter(rendering, filter, file);
    Ok(LISTENER
        .replace("${ADDRESS}", &scalar(address.trim_matches(['[', ']'])))
        .replace("${PORT}", &port.to_string())
        .replace("${UPSTREAM}", upstream(rendering))
        .replace("          ${FILTER}", &indented(&filter, 10)))
}

/// The filter from a template, with the file of its module.
pub(super) fn filter(rendering: &Rendering<'_>, template: &str, file: &str) -> String {
    let filter = template.replace("${MODULE}", &scalar(file));
    let margin = filter
        .lines()
        .find_map(|line| line.find("${DOCUMENT}"))
        .unwrap_or_default();
    let document = block(&rendering.document, margin);
    filter.replace("${DOCUMENT}", document.trim_start())
}

/// The clusters: that of the API first.
fn clusters(rendering: &Rendering<'_>) -> Result<Vec<String>, String> {
    let (host, port) = host_and_port(rendering.choices.upstream)?;
    let host = host.trim_matches(['[', ']']);
    let name = upstream(rendering);
    let kind = if host.parse::<std::net::IpAddr>().is_ok() {
        "type: STATIC"
    } else {
        "type: STRICT_DNS\ndns_lookup_family: V4_PREFERRED"
    };
    let api = format!(
        "# The protected API.\nname: {name}\n{kind}\nload_assignment:\n  cluster_name: {name}\n  endpoints:\n    \
         - lb_endpoints:\n        - endpoint: {{address: {{socket_address: {{address: {}, port_value: {port}}}}}}}\n",
        scalar(host)
    );
    // A comment cannot begin an element.
    let api = api.replacen("# The protected API.\n", "", 1);
    let issuers = rendering.sites.iter().map(super::issuer::Site::cluster);
    Ok(std::iter::once(api).chain(issuers).collect())
}
