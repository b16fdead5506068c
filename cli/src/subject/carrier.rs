//! The documents that carry configurations.

use std::ops::Range;

use super::Subject;
use crate::codes::Code;
use crate::report::Severity;
use crate::source::first_line;
use crate::tree::{Node, Value};

/// A setting of the carrier that is dangerous, or that the host refuses.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) member: &'static str,
    pub(crate) span: Range<usize>,
    /// What it does, and what to do instead.
    pub(crate) sentence: &'static str,
}

const RELOAD: &str = "lets every request pass unchecked while the filter fails; remove it, or use a policy that reloads the filter";
const FROM_A_FILE: &str = "lets every request pass unchecked until the module is fetched; load it from a local file, or set `nack_on_cache_miss: true`";
const PHASE: &str = "puts the filter after filters of Istio, which then see requests that are not checked yet; write `phase: AUTHN`";
const NO_PHASE: &str = "puts the filter after all filters of Istio, because it has no `phase`, so they see requests that are not checked yet; write `phase: AUTHN`";
const NO_MODULE: &str = "names no module, so the proxy refuses it; write such as `code: {local: {filename: /etc/envoy/edge_authz.wasm}}`";

/// Searches a document for configurations of this filter.
pub(super) fn find(node: &Node, text: &str, found: &mut Vec<Subject>) {
    match node.get("kind").and_then(Node::text) {
        Some("WasmPlugin") if node.get("spec").is_some() => {
            return wasm_plugin(node, text, found);
        }
        Some("TrafficExtension") if node.get("spec").is_some() => {
            return traffic_extension(node, text, found);
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
    subject.settings = fails_open(plugin, "fail_open", "true")
        .or_else(|| fails_open(plugin, "failure_policy", "FAIL_OPEN"))
        .into_iter()
        .collect();
    let code = plugin.descend(&["vm_config", "code"]);
    if code.is_none_or(|code| code.members().is_empty()) {
        let at = code.or_else(|| plugin.get("vm_config")).unwrap_or(plugin);
        subject.settings.push(Setting {
            code: Code::NoModule,
            severity: Severity::Error,
            member: "vm_config.code",
            span: first_line(text, &at.span),
            sentence: NO_MODULE,
        });
    }
    subject.module = file_of(plugin.descend(&["vm_config", "code", "local", "filename"]));
    found.push(subject);
    true
}

/// Adds the configuration of Envoy's `DynamicModuleFilter`, or the document of its
/// `DynamicModuleFilterPerRoute`. The short form of the latter, `mode` alone, is no
/// document.
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
    if value.is_some_and(is_short_form) {
        return true;
    }
    let mut subject = match (configuration, value) {
        (Some(member), Some(value)) => Subject::held(&member.name_span, value, text),
        _ => Subject::absent(first_line(text, &filter.span)),
    };
    let waits = part(&["nack_on_cache_miss"]);
    let waits = waits.is_some_and(|waits| waits.value == Value::Bool(true));
    let unsafe_remote = remote.filter(|_| !waits).map(|remote| Setting {
        code: Code::Bypass,
        severity: Severity::Error,
        member: "dynamic_module_config.module.remote",
        span: first_line(text, &remote.span),
        sentence: FROM_A_FILE,
    });
    subject.settings.extend(unsafe_remote);
    subject.module = file_of(part(&["module", "local", "filename"]));
    found.push(subject);
    true
}

fn is_short_form(value: &Node) -> bool {
    value.get("mode").is_some() && value.get("routes").is_none()
}

/// Adds the configuration of Istio's `WasmPlugin`.
fn wasm_plugin(resource: &Node, text: &str, found: &mut Vec<Subject>) {
    if let Some(spec) = resource.get("spec") {
        istio(resource, spec, spec, text, found);
    }
}

/// Adds the configuration of Istio's `TrafficExtension`, which replaces `WasmPlugin`.
fn traffic_extension(resource: &Node, text: &str, found: &mut Vec<Subject>) {
    if let Some(spec) = resource.get("spec")
        && let Some(wasm) = spec.get("wasm")
    {
        istio(resource, spec, wasm, text, found);
    }
}

fn istio(resource: &Node, spec: &Node, wasm: &Node, text: &str, found: &mut Vec<Subject>) {
    let names = [
        resource.descend(&["metadata", "name"]),
        wasm.get("url"),
        wasm.get("pluginName"),
    ];
    let before = found.len();
    one_of_kubernetes(wasm, "pluginConfig", &names, text, found);
    let Some(subject) = found.get_mut(before) else {
        return;
    };
    let phase = spec.get("phase");
    if phase.and_then(Node::text) != Some("AUTHN") {
        let name = resource.descend(&["metadata", "name"]);
        let at = phase.or(name).unwrap_or(spec);
        subject.settings.push(Setting {
            code: Code::NotFirst,
            severity: Severity::Warning,
            member: if phase.is_some() { "phase" } else { "spec" },
            span: first_line(text, &at.span),
            sentence: if phase.is_some() { PHASE } else { NO_PHASE },
        });
    }
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
    subject.settings = fails_open(spec, "failStrategy", "FAIL_OPEN")
        .or_else(|| fails_open(spec, "failOpen", "true"))
        .into_iter()
        .collect();
    found.push(subject);
}

fn fails_open(node: &Node, member: &'static str, value: &str) -> Option<Setting> {
    let node = node.get(member)?;
    let is_it = node.text().is_some_and(|text| text == value)
        || (value == "true" && node.value == Value::Bool(true));
    let span = node.span.clone();
    is_it.then_some(Setting {
        code: Code::Bypass,
        severity: Severity::Error,
        member,
        span,
        sentence: RELOAD,
    })
}

/// The file of a module, and where its name is written.
fn file_of(filename: Option<&Node>) -> Option<(Range<usize>, String)> {
    let node = filename?;
    Some((node.span.clone(), node.text()?.to_owned()))
}

/// The content of an `Any`: `StringValue`, `Struct` and `TypedStruct` have it in `value`.
fn unpacked(configuration: &Node) -> &Node {
    let packed = configuration.get("@type").is_some() || configuration.get("type_url").is_some();
    match configuration.get("value") {
        Some(value) if packed => value,
        Some(_) | None => configuration,
    }
}
