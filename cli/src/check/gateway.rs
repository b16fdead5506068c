//! The resources of Envoy Gateway that belong together: a policy names a gateway and
//! modules, and the gateway names the `EnvoyProxy` that has the modules and the clusters.

use super::files::{Files, Found};
use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::tree::Node;

/// Names that no resource has, if the files have resources of that kind.
pub(super) fn of(files: &Files<'_>, found: &mut Found<'_>) {
    let proxies = files.of_kind("EnvoyProxy");
    let gateways = files.of_kind("Gateway");
    for (file, policy) in files.of_kind("EnvoyExtensionPolicy") {
        let targets = elements(policy.descend(&["spec", "targetRefs"])).iter();
        for target in targets.chain(policy.descend(&["spec", "targetRef"])) {
            let is_gateway = text(target.get("kind")) == Some("Gateway");
            if is_gateway && !gateways.is_empty() {
                unknown(file, target.get("name"), "Gateway", &gateways, found);
            }
        }
        let defined: Vec<&Node> = proxies
            .iter()
            .flat_map(|(_, proxy)| elements(proxy.descend(&["spec", "dynamicModules"])))
            .collect();
        for module in elements(policy.descend(&["spec", "dynamicModule"])) {
            let name = module.get("name");
            let known = defined
                .iter()
                .any(|one| text(one.get("name")) == text(name));
            if !proxies.is_empty()
                && !known
                && let Some(name) = name
            {
                let sentence = "is no module of the `EnvoyProxy` here, so the policy is refused; define it in \
                                `spec.dynamicModules`, or correct the name";
                put(
                    Code::NoSuchResource,
                    file,
                    name,
                    Severity::Error,
                    "dynamicModule",
                    sentence,
                    found,
                );
            }
        }
    }
    of_gateways(&gateways, &proxies, found);
}

/// The names in gateways, and where the modules of their proxies come from.
fn of_gateways(gateways: &[(usize, &Node)], proxies: &[(usize, &Node)], found: &mut Found<'_>) {
    for (file, gateway) in gateways {
        let reference = gateway.descend(&["spec", "infrastructure", "parametersRef"]);
        let of_proxy = reference.filter(|one| text(one.get("kind")) == Some("EnvoyProxy"));
        if let Some(reference) = of_proxy.filter(|_| !proxies.is_empty()) {
            unknown(*file, reference.get("name"), "EnvoyProxy", proxies, found);
        }
    }
    for (file, proxy) in proxies {
        for module in elements(proxy.descend(&["spec", "dynamicModules"])) {
            let kind = module.descend(&["source", "type"]);
            if let Some(kind) = kind.filter(|kind| kind.text() == Some("Remote")) {
                let sentence = "lets every request pass unchecked until the module is fetched; write `type: Local`";
                put(
                    Code::Bypass,
                    *file,
                    kind,
                    Severity::Error,
                    "dynamicModules",
                    sentence,
                    found,
                );
            }
        }
    }
}

/// Reports a name that none of the resources has.
fn unknown(
    file: usize,
    name: Option<&Node>,
    kind: &str,
    known: &[(usize, &Node)],
    found: &mut Found<'_>,
) {
    let Some(name) = name else {
        return;
    };
    let names = known
        .iter()
        .filter_map(|(_, one)| text(one.descend(&["metadata", "name"])));
    let names: Vec<_> = names.collect();
    if name.text().is_some_and(|name| names.contains(&name)) {
        return;
    }
    let sentence = format!(
        "no `{kind}` here has this name; write `{}`, or check them together with the file that has it",
        names.join("` or `")
    );
    put(
        Code::NoSuchResource,
        file,
        name,
        Severity::Warning,
        "name",
        &sentence,
        found,
    );
}

fn put(
    code: Code,
    file: usize,
    at: &Node,
    severity: Severity,
    path: &str,
    sentence: &str,
    found: &mut Found<'_>,
) {
    let mut finding = Finding::from_sentence(code, severity, path.to_owned(), sentence);
    finding.put(at.span.clone(), None);
    found.add(file, finding);
}

fn elements(list: Option<&Node>) -> &[Node] {
    list.map_or(&[], Node::elements)
}

fn text(node: Option<&Node>) -> Option<&str> {
    node.and_then(Node::text)
}
