//! The CORS settings of routes.

use super::member::{elements, get, is_of_type, is_true, text};
use crate::import::model::{Api, Cors};
use crate::tree::Node;

/// Reads the settings, if they are the same for all virtual hosts and no route has others.
pub(super) fn read(api: &mut Api, config: &Node) {
    let mut all = Vec::new();
    collect(config, &mut all);
    let Some(first) = all.first() else {
        return;
    };
    let common = own(config);
    let hosts = elements(config, "virtual_hosts");
    let everywhere = match common {
        Some(_) => all.len() == 1,
        None => all.len() == hosts.len() && hosts.iter().all(|host| own(host).is_some()),
    };
    let read: Option<Vec<Cors>> = all.iter().map(|one| settings(one)).collect();
    let same = read.and_then(|list| {
        let mut list = list.into_iter();
        let first = list.next()?;
        list.all(|other| {
            let other = Cors {
                at: first.at.clone(),
                ..other
            };
            other == first
        })
        .then_some(first)
    });
    match same.filter(|_| everywhere) {
        Some(cors) => api.cors = Some(cors),
        None => api.leave_out(
            &first.span,
            "CORS, because it is different for several routes, or has no equivalent; write `cors`",
        ),
    }
}

fn own(node: &Node) -> Option<&Node> {
    let configs = get(node, "typed_per_filter_config")?;
    let mut members = configs.members().iter().map(|member| &member.value);
    members.find(|config| is_of_type(config, "CorsPolicy"))
}

fn collect<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    if is_of_type(node, "CorsPolicy") {
        return found.push(node);
    }
    let members = node.members().iter().map(|member| &member.value);
    for node in members.chain(node.elements()) {
        collect(node, found);
    }
}

/// The settings; `None`: an origin has no equivalent.
fn settings(node: &Node) -> Option<Cors> {
    let list = |name: &str| {
        let text = text(node, name).unwrap_or_default();
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let origins = elements(node, "allow_origin_string_match");
    let origins: Option<Vec<String>> = origins
        .iter()
        .map(|one| text(one, "exact").map(str::to_owned))
        .collect();
    Some(Cors {
        at: node.span.clone(),
        origins: origins?,
        methods: list("allow_methods"),
        headers: list("allow_headers"),
        exposed: list("expose_headers"),
        credentials: is_true(get(node, "allow_credentials")),
        max_age: text(node, "max_age").and_then(|text| text.parse().ok()),
    })
}
