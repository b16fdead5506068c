//! Resources of Istio.

use super::issuer::Site;
use super::yaml::block;
use super::{Rendering, Target};
use crate::tree::scalar;

const DYNAMIC_MODULE: &str = include_str!("templates/istio-dynamic-module.yaml");

/// The port of an issuer's cluster: only the filter uses it, so that applications that
/// speak TLS to the issuer themselves are not affected.
const PORT: &str = "80";

/// The name of the cluster that Istio makes for an issuer.
pub(super) fn cluster(site: &Site) -> String {
    let port = if is_inside(site) || !site.tls {
        &*site.port
    } else {
        PORT
    };
    format!("outbound|{port}||{}", site.host)
}

/// Whether a host is a service of the cluster, which needs no entry.
fn is_inside(site: &Site) -> bool {
    site.host.ends_with(".svc.cluster.local") || !site.host.contains('.')
}

/// All resources.
pub(super) fn resources(rendering: &Rendering<'_>) -> Result<String, String> {
    let first = match (rendering.choices.dynamic_module, rendering.choices.target) {
        (true, Target::IstioWasmPlugin) => {
            return Err("a `WasmPlugin` loads no dynamic module; write `--for istio`".to_owned());
        }
        (true, _) => filter(rendering)?,
        (false, _) => plugin(rendering)?,
    };
    let mut all = vec![first];
    let mut hosts: Vec<&str> = Vec::new();
    for site in &rendering.sites {
        if is_inside(site) || hosts.contains(&&*site.host) {
            continue;
        }
        hosts.push(&site.host);
        let same: Vec<&Site> = rendering
            .sites
            .iter()
            .filter(|other| other.host == site.host)
            .collect();
        if same
            .iter()
            .any(|other| (other.tls, &other.port) != (site.tls, &site.port))
        {
            return Err(format!(
                "`{}` serves keys at several ports, which cannot be rendered; write a `ServiceEntry` by hand",
                site.host
            ));
        }
        all.push(entry(rendering, site));
        if site.tls {
            all.push(rule(rendering, site));
        }
    }
    Ok(format!("# Rendered by edge-authz.\n{}", all.join("---\n")))
}

/// The name and value of the workload's label.
fn label<'r>(rendering: &Rendering<'r>) -> Result<(&'r str, &'r str), String> {
    let label = rendering.choices.workload.unwrap_or("istio=ingressgateway");
    label
        .split_once('=')
        .ok_or_else(|| format!("`{label}` is not a label; write such as `app=orders`"))
}

/// The dynamic module: Istio has no resource for it but the one that changes Envoy's
/// configuration.
fn filter(rendering: &Rendering<'_>) -> Result<String, String> {
    let (name, value) = label(rendering)?;
    let default = format!(
        "/etc/envoy/modules/libedge_authz-{}.so",
        env!("CARGO_PKG_VERSION")
    );
    let file = rendering.choices.module.unwrap_or(&default);
    // An element of a list, without its dash.
    let filter = super::envoy::filter(rendering, super::envoy::DYNAMIC, file);
    let filter = filter.replacen("  - ", "    ", 1);
    let margin = " ".repeat(6);
    let lines = filter.lines().map(|line| format!("{margin}{line}"));
    let lines: Vec<_> = lines.collect();
    Ok(DYNAMIC_MODULE
        .replace("${NAMESPACE}", &scalar(rendering.choices.namespace))
        .replace("${LABEL}", &format!("{}: {}", scalar(name), scalar(value)))
        .replace(
            "${CONTEXT}",
            if name == "istio" {
                "GATEWAY"
            } else {
                "SIDECAR_INBOUND"
            },
        )
        .replace("          ${FILTER}", &lines.join("\n")))
}

fn plugin(rendering: &Rendering<'_>) -> Result<String, String> {
    let choices = rendering.choices;
    let (name, value) = label(rendering)?;
    // The gateway has no outgoing requests of workloads.
    let server = if name == "istio" {
        ""
    } else {
        "  # Only requests to the workload, not those that it sends.\n  match: [{mode: SERVER}]\n"
    };
    let image = choices.module.map_or_else(
        || {
            format!(
                "oci://registry.example.com/edge-authz:{}",
                env!("CARGO_PKG_VERSION")
            )
        },
        str::to_owned,
    );
    let namespace = scalar(choices.namespace);
    let (kind, wasm, margin) = match choices.target {
        Target::IstioWasmPlugin => ("WasmPlugin", "", 4),
        Target::Istio | Target::Envoy | Target::Xds | Target::EnvoyGateway => {
            ("TrafficExtension", "  wasm:\n", 6)
        }
    };
    let inner = " ".repeat(if wasm.is_empty() { 2 } else { 4 });
    Ok(format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: edge-authz\n  namespace: {namespace}\nspec:\n  \
         selector:\n    matchLabels: {{{}: {}}}\n{server}  # Before Istio's own authentication and all other filters.\n  phase: AUTHN\n\
         {wasm}{inner}url: {}\n{inner}# Restarts the VM after a trap; requests are 503 until then.\n\
         {inner}failStrategy: FAIL_RELOAD\n{inner}pluginName: edge_authz\n{inner}pluginConfig:\n{}\n",
        scalar(name),
        scalar(value),
        scalar(&image),
        block(&rendering.document, margin)
    ))
}

/// The name of an issuer's resources: a label of the DNS.
fn resource_name(site: &Site) -> String {
    let name: String = site
        .host
        .chars()
        .map(|letter| if letter == '.' { '-' } else { letter })
        .take(60)
        .collect();
    name.trim_matches('-').to_owned()
}

fn entry(rendering: &Rendering<'_>, site: &Site) -> String {
    let (host, port) = (&site.host, &site.port);
    let resolution = if host.parse::<std::net::IpAddr>().is_ok() {
        "STATIC"
    } else {
        "DNS"
    };
    let endpoints = if resolution == "STATIC" {
        format!("  endpoints: [{{address: {host}}}]\n")
    } else {
        String::new()
    };
    let ports = if site.tls {
        format!(
            "    - {{number: {PORT}, name: http, protocol: HTTP, targetPort: {port}}}\n    - {{number: {port}, name: tls, protocol: TLS}}\n"
        )
    } else {
        format!("    - {{number: {port}, name: http, protocol: HTTP}}\n")
    };
    format!(
        "# How proxies reach the issuer.\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n  name: {}\n  namespace: {}\n\
         spec:\n  hosts: [{host}]\n  exportTo: [\".\"]\n  location: MESH_EXTERNAL\n  resolution: {resolution}\n{endpoints}  ports:\n{ports}",
        scalar(&resource_name(site)),
        scalar(rendering.choices.namespace)
    )
}

fn rule(rendering: &Rendering<'_>, site: &Site) -> String {
    let host = &site.host;
    format!(
        "# Without `caCertificates` and `subjectAltNames`, any server could give the filter keys.\n\
         apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: {}\n  namespace: {}\nspec:\n  host: {host}\n  \
         exportTo: [\".\"]\n  trafficPolicy:\n    portLevelSettings:\n      - port: {{number: {PORT}}}\n        tls:\n          \
         mode: SIMPLE\n          sni: {host}\n          subjectAltNames: [{host}]\n          caCertificates: system\n",
        scalar(&resource_name(site)),
        scalar(rendering.choices.namespace)
    )
}
