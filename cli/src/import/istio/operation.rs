//! The requests that a rule is for.

use crate::import::kubernetes::{elements, texts};
use crate::import::ordered::Region;
use crate::tree::Node;

/// A region that has all requests of a rule, and the regions of its operations.
pub(super) fn of_rule(rule: &Node) -> (Region, Vec<Region>) {
    let everything = Region::everything(&rule.span);
    if rule.get("to").is_none() {
        return (everything.clone(), vec![everything]);
    }
    let mut regions = Vec::new();
    for to in elements(rule, "to") {
        regions.extend(of_operation(to.get("operation").unwrap_or(to)));
    }
    (everything, regions)
}

fn of_operation(operation: &Node) -> Vec<Region> {
    let at = &operation.span;
    let mut regions = vec![Region::everything(at)];
    if operation.get("paths").is_some() {
        regions = match texts(operation, "paths") {
            Some(paths) => paths.iter().map(|path| of_path(operation, path)).collect(),
            None => vec![Region::unknown(at)],
        };
    }
    if operation.get("methods").is_some() {
        let methods = texts(operation, "methods");
        regions = regions
            .into_iter()
            .map(|region| match &methods {
                Some(methods) if methods.contains(&"*") => region,
                Some(methods) => region.with_methods(methods),
                None => region.conditional(),
            })
            .collect();
    }
    // Hosts, ports and negations choose some of the requests.
    let known = |name: &str| ["paths", "methods"].contains(&name);
    if operation.members().iter().all(|member| known(&member.name)) {
        return regions;
    }
    regions.into_iter().map(Region::conditional).collect()
}

fn of_path(operation: &Node, path: &str) -> Region {
    let at = &operation.span;
    if path == "*" {
        return Region::everything(at);
    }
    if path.contains(['{', '}']) {
        return Region::template(at, path);
    }
    match path.strip_suffix('*') {
        Some(prefix) if !prefix.contains('*') => Region::prefix(at, prefix),
        Some(_) => Region::unknown(at),
        None if path.contains('*') => Region::unknown(at),
        None => Region::exact(at, path),
    }
}
