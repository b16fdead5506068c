//! `edge-authz render`: what a proxy needs to run a configuration, with the configuration
//! in it and with the clusters of its issuers.

mod envoy;
mod gateway;
mod issuer;
mod istio;
mod yaml;

use super::load::Loaded;
use super::tree::{Node, Value};
use issuer::{Part, Site};

/// What is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A bootstrap of Envoy.
    Envoy,
    /// A bootstrap of Envoy that reads its listener and clusters from files.
    Xds,
    /// Resources of Istio 1.30 and later.
    Istio,
    /// Resources of Istio before 1.30.
    IstioWasmPlugin,
    /// Resources of Envoy Gateway.
    EnvoyGateway,
}

/// The choices of the user.
#[derive(Debug)]
pub(crate) struct Choices<'c> {
    pub(crate) target: Target,
    /// Whether the filter is a dynamic module instead of a Wasm module.
    pub(crate) dynamic_module: bool,
    /// The module's file or image; `None`: the usual one.
    pub(crate) module: Option<&'c str>,
    /// The address and port of Envoy's listener.
    pub(crate) listen: &'c str,
    /// The host and port of the protected API.
    pub(crate) upstream: &'c str,
    /// The namespace of resources.
    pub(crate) namespace: &'c str,
    /// A label of the workloads, `NAME=VALUE`, or the name of the gateway.
    pub(crate) workload: Option<&'c str>,
    /// The folder from which Envoy reads files.
    pub(crate) folder: &'c str,
}

/// A file: its name and its content.
pub(crate) type File = (&'static str, String);

/// The values of a rendering.
struct Rendering<'r> {
    choices: &'r Choices<'r>,
    /// The configuration.
    document: Node,
    sites: Vec<Site>,
}

/// Renders a configuration.
///
/// # Errors
///
/// A choice that is wrong, or issuers that cannot share a cluster; as a sentence.
pub(crate) fn render(loaded: &Loaded, choices: &Choices<'_>) -> Result<Vec<File>, String> {
    let document = loaded.subject.root.clone();
    let mut document = document.ok_or("the configuration is not readable")?;
    let sites = issuer::sites(&loaded.policy)?;
    if matches!(choices.target, Target::Istio | Target::IstioWasmPlugin) {
        for site in &sites {
            for steps in &site.places {
                set(&mut document, steps, &istio::cluster(site));
            }
        }
    }
    let rendering = Rendering {
        choices,
        document,
        sites,
    };
    match choices.target {
        Target::Envoy => Ok(vec![("envoy.yaml", envoy::bootstrap(&rendering)?)]),
        Target::Xds => envoy::discovered(&rendering),
        Target::Istio | Target::IstioWasmPlugin => {
            Ok(vec![("istio.yaml", istio::resources(&rendering)?)])
        }
        Target::EnvoyGateway => Ok(vec![("envoy-gateway.yaml", gateway::resources(&rendering))]),
    }
}

/// Sets the text at a place of a document.
fn set(node: &mut Node, steps: &[Part], text: &str) {
    let Some((step, rest)) = steps.split_first() else {
        node.value = Value::Text(text.to_owned());
        return;
    };
    let next = match (&mut node.value, step) {
        (Value::Object(members), Part::Member(name)) => members
            .iter_mut()
            .rev()
            .find(|member| member.name == *name)
            .map(|member| &mut member.value),
        (Value::List(elements), Part::Element(index)) => elements.get_mut(*index),
        _ => None,
    };
    if let Some(next) = next {
        set(next, rest, text);
    }
}

/// A host and a port.
fn host_and_port(text: &str) -> Result<(&str, u16), String> {
    let parts = text.rsplit_once(':');
    let parsed = parts.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let plain = |host: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        !host.is_empty() && host.bytes().all(allowed)
    };
    parsed
        .filter(|(host, _)| plain(host))
        .ok_or_else(|| format!("`{text}` is not a host and a port; write such as `127.0.0.1:8080`"))
}
