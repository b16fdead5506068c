//! The documents that carry configurations.

use std::ops::Range;

use super::Subject;
use crate::source::first_line;
use crate::tree::{Node, Value};

/// A member that lets requests pass unchecked when the filter fails.
#[derive(Debug, Clone)]
pub(crate) struct FailsOpen {
    pub(crate) member: &'static str,
    pub(crate) span: Range<usize>,
    /// When that is, and what to do instead.
    pub(crate) remedy: &'static str,
}

const RELOAD: &str = "lets every request pass unchecked while the filter fails; remove it, or use a policy that reloads the filter";
const FROM_A_FILE: &str = "lets every request pass unchecked until the module is fetched; load it from a local file, or set `nack_on_cache_miss: true`";

/// Searches a document for configurations of this filter.
pub(super) fn find(node: &Node, text: &str, found: &mut Vec<Subject>) {
    match node.get("kind").and_then(Node::text) {
        Some("WasmPlugin") if node.get("spec").is_some() => {
            return wasm_plugin(node, text, found);
        }
        Some("EnvoyExtensionPolicy") if node.get("spec").is_some() => {
            return extension_policy(node, text, found);
        }
        Some(_) | None => {}
    }
    if node.get("vm_config").is_some() && envoy(node, text, found) {
        return;
    }
    if node.get("dynamic_module_config").is_some() && dynamic_module(node, text, found) {
        return;
    }
    for member in node.members() {
        find(&member.value, text, found);
    }
    for element in node.elements() {
        find(element, text, found);
    }
}

/// Whether a part identifies this filter, and not another plugin.
fn names_filter(texts: &[Option<&Node>]) -> bool {
    let names = texts.iter().filter_map(|node| node.and_then(Node::text));
    names
        .map(|text| text.replace('-', "_"))
        .any(|text| text.contains("edge_authz"))
}

/// Adds the configuration of Envoy's `PluginConfig`.
fn envoy(plugin: &Node, text: &str, found: &mut Vec<Subject>) -> bool {
    let configuration = plugin
        .members()
        .iter()
        .rev()
        .find(|member| member.name == "configuration");
    let value = configuration.map(|member| unpacked(&member.value));
    let ours = names_filter(&[
        plugin.get("name"),
        plugin.get("root_id"),
        plugin.descend(&["vm_config", "vm_id"]),
        plugin.descend(&["vm_config", "code", "local", "filename"]),
        plugin.descend(&["vm_config", "code", "remote", "http_uri", "uri"]),
    ]) || value.is_some_and(|value| value.get("routes").is_some());
    if !ours {
        return false;
    }
    let mut subject = match (configuration, value) {
        (Some(member), Some(value)) => Subject::held(&member.name_span, value, text),
        _ => Subject::absent(first_line(text, &plugin.span)),
    };
    subject.fails_open = fails_open(plugin, "fail_open", "true")
        .or_else(|| fails_open(plugin, "failure_policy", "FAIL_OPEN"));
    found.push(subject);
    true
}

/// Adds the configuration of Envoy's `DynamicModuleFilter`, or the document of its
/// `DynamicModuleFilterPerRoute`. The short form of the latter, `mode`, is no document.
fn dynamic_module(filter: &Node, text: &str, found: &mut Vec<Subject>) -> bool {
    let members = filter.members().iter().rev();
    let mut configurations = members.filter(|member| member.name == "filter_config");
    let configuration = configurations.next();
    let value = configuration.map(|member| unpacked(&member.value));
    let module = filter.get("dynamic_module_config");
    let part = |steps: &[&str]| module.and_then(|module| module.descend(steps));
    let remote = part(&["module", "remote"]);
    let ours = names_filter(&[
        filter.get("filter_name"),
        filter.get("per_route_config_name"),
        part(&["name"]),
        part(&["module", "local", "filename"]),
        part(&["module", "remote", "http_uri", "uri"]),
    ]) || value.is_some_and(|value| value.get("routes").is_some());
    if !ours {
        return false;
    }
    if value.is_some_and(|value| value.get("mode").is_some()) {
        return true;
    }
    let mut subject = match (configuration, value) {
        (Some(member), Some(value)) => Subject::held(&member.name_span, value, text),
        _ => Subject::absent(first_line(text, &filter.span)),
    };
    let waits = part(&["nack_on_cache_miss"]);
    let waits = waits.is_some_and(|waits| waits.value == Value::Bool(true));
    subject.fails_open = remote.filter(|_| !waits).map(|remote| FailsOpen {
        member: "dynamic_module_config.module.remote",
        span: first_line(text, &remote.span),
        remedy: FROM_A_FILE,
    });
    found.push(subject);
    true
}

/// Adds the configuration of Istio's `WasmPlugin`.
fn wasm_plugin(resource: &Node, text: &str, found: &mut Vec<Subject>) {
    let Some(spec) = resource.get("spec") else {
        return;
    };
    let names = [
        resource.descend(&["metadata", "name"]),
        spec.get("url"),
        spec.get("pluginName"),
    ];
    one_of_kubernetes(spec, "pluginConfig", &names, text, found);
}

/// Adds the configurations of Envoy Gateway's `EnvoyExtensionPolicy`.
fn extension_policy(resource: &Node, text: &str, found: &mut Vec<Subject>) {
    let wasm = resource.descend(&["spec", "wasm"]).map(Node::elements);
    for wasm in wasm.unwrap_or_default() {
        let names = [
            resource.descend(&["metadata", "name"]),
            wasm.get("name"),
            wasm.get("rootID"),
            wasm.descend(&["code", "image", "url"]),
            wasm.descend(&["code", "http", "url"]),
        ];
        one_of_kubernetes(wasm, "config", &names, text, found);
    }
    let modules = resource.descend(&["spec", "dynamicModule"]);
    for module in modules.map(Node::elements).unwrap_or_default() {
        let names = [
            resource.descend(&["metadata", "name"]),
            module.get("name"),
            module.get("filterName"),
        ];
        one_of_kubernetes(module, "config", &names, text, found);
    }
}

fn one_of_kubernetes(
    spec: &Node,
    member: &str,
    names: &[Option<&Node>],
    text: &str,
    found: &mut Vec<Subject>,
) {
    let config = spec
        .members()
        .iter()
        .rev()
        .find(|known| known.name == member);
    let has_routes = config.is_some_and(|config| config.value.get("routes").is_some());
    if !has_routes && !names_filter(names) {
        return;
    }
    let mut subject = match config {
        Some(config) => Subject::held(&config.name_span, &config.value, text),
        None => Subject::absent(first_line(text, &spec.span)),
    };
    subject.fails_open = fails_open(spec, "failStrategy", "FAIL_OPEN")
        .or_else(|| fails_open(spec, "failOpen", "true"));
    found.push(subject);
}

fn fails_open(node: &Node, member: &'static str, value: &str) -> Option<FailsOpen> {
    let node = node.get(member)?;
    let is_it = node.text().is_some_and(|text| text == value)
        || (value == "true" && node.value == Value::Bool(true));
    let span = node.span.clone();
    is_it.then_some(FailsOpen {
        member,
        span,
        remedy: RELOAD,
    })
}

/// The content of an `Any`: `StringValue`, `Struct` and `TypedStruct` have it in `value`.
fn unpacked(configuration: &Node) -> &Node {
    let packed = configuration.get("@type").is_some() || configuration.get("type_url").is_some();
    match configuration.get("value") {
        Some(value) if packed => value,
        Some(_) | None => configuration,
    }
}
