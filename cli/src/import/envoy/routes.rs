//! The routes of a listener, which may configure its filters.

use super::matching::of_route;
use super::member::{elements, get, is_of_type, is_true, text};
use super::{Filter, Rules, cors, rbac};
use crate::import::model::Api;
use crate::import::ordered::{Layer, Need, Site};
use crate::import::problems::Problems;
use crate::tree::Node;
use edge_authz::http::HostPattern;

/// The rules of a listener. If no route configures a filter, they are the same for all
/// hosts.
pub(super) fn sites(
    api: &mut Api,
    root: &Node,
    manager: &Node,
    filters: &[Filter<'_>],
    problems: &Problems<'_>,
) -> Vec<Site> {
    let all = |api: &mut Api, scopes: &[&Node]| {
        let layers = filters.iter().map(|filter| configured(api, filter, scopes));
        Layer::All(layers.collect())
    };
    let Some(config) = route_config(root, manager, problems) else {
        let rules = all(api, &[]);
        return vec![Site {
            hosts: Vec::new(),
            at: manager.span.clone(),
            rules,
        }];
    };
    cors::read(api, config);
    if !configures(config, filters) {
        let rules = all(api, &[]);
        return vec![Site {
            hosts: Vec::new(),
            at: config.span.clone(),
            rules,
        }];
    }
    let mut sites: Vec<Site> = Vec::new();
    for host in elements(config, "virtual_hosts") {
        let hosts = hosts(host, problems);
        let mut rules = Vec::new();
        for route in elements(host, "routes") {
            let region = get(route, "match").map(of_route);
            if let Some(region) = region {
                rules.push((region, all(api, &[route, host, config])));
            }
        }
        let last = match get(host, "matcher") {
            None => "no route of the source has these requests",
            Some(_) => "the `matcher` of its virtual host has no equivalent",
        };
        let twice =
            |site: &Site| site.hosts == hosts || site.hosts.iter().any(|one| hosts.contains(one));
        if sites.iter().any(twice) {
            problems.report(&host.span, "a second virtual host is for the same host, apart from its port; import one of them");
        }
        sites.push(Site {
            hosts,
            at: host.span.clone(),
            rules: Layer::First(rules, Box::new(Layer::Fixed(Need::denied(last)))),
        });
    }
    sites
}

/// The routes of a listener: in it, or in the same file.
fn route_config<'n>(
    root: &'n Node,
    manager: &'n Node,
    problems: &Problems<'_>,
) -> Option<&'n Node> {
    if let Some(config) = get(manager, "route_config") {
        return Some(config);
    }
    let rds = get(manager, "rds");
    let name = rds.and_then(|rds| text(rds, "route_config_name"));
    let found = name.and_then(|name| named(root, name));
    if found.is_none() {
        let sentence = match name {
            Some(name) => format!(
                "the routes `{name}` are not in the file, and may change what is required; write them into the same file, after `---`"
            ),
            None => {
                "the listener has no routes, or chooses them by the request; write `route_config`"
                    .to_owned()
            }
        };
        problems.report(&rds.unwrap_or(manager).span, &sentence);
    }
    found
}

fn named<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    if get(node, "virtual_hosts").is_some() && text(node, "name") == Some(name) {
        return Some(node);
    }
    let members = node.members().iter().map(|member| &member.value);
    let mut all = members.chain(node.elements());
    all.find_map(|node| named(node, name))
}

/// Whether a route, a virtual host or a weighted cluster configures one of the filters.
fn configures(node: &Node, filters: &[Filter<'_>]) -> bool {
    let own = get(node, "typed_per_filter_config").map_or(&[][..], Node::members);
    let of_filter = |name: &str| filters.iter().any(|filter| filter.name == name);
    let members = node.members().iter().map(|member| &member.value);
    own.iter().any(|member| of_filter(&member.name))
        || members
            .chain(node.elements())
            .any(|node| configures(node, filters))
}

/// The rules of a filter for a route: the route's own, or those of its virtual host, of all
/// routes, or of the listener.
fn configured(api: &mut Api, filter: &Filter<'_>, scopes: &[&Node]) -> Layer {
    let weighted = scopes.first().and_then(|route| get(route, "route"));
    if weighted.is_some_and(|route| configures(route, std::slice::from_ref(filter))) {
        return Layer::Fixed(Need::denied(
            "one of its clusters configures a filter, which has no equivalent",
        ));
    }
    let own = scopes.iter().find_map(|scope| {
        let configs = get(scope, "typed_per_filter_config")?;
        configs.get(filter.name)
    });
    let Some(mut config) = own else {
        return filter.base();
    };
    if is_of_type(config, "FilterConfig") {
        if is_true(get(config, "disabled")) {
            return Layer::Fixed(Need::Open);
        }
        match get(config, "config") {
            Some(inner) if !inner.members().is_empty() => config = inner,
            _ => return filter.enabled(),
        }
    }
    match &filter.rules {
        Rules::Jwt(jwt) => jwt.of_route(config),
        Rules::Rbac(_) => match get(config, "rbac") {
            None => Layer::Fixed(Need::Open),
            Some(rbac) => rbac::layer(api, rbac, &filter.metadata),
        },
        Rules::Unknown(reason) => Layer::Fixed(Need::Denied(reason.clone())),
    }
}

/// The hosts of a virtual host; empty: every host.
fn hosts(host: &Node, problems: &Problems<'_>) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for domain in elements(host, "domains") {
        let Some(text) = domain.text() else {
            continue;
        };
        if text == "*" {
            return Vec::new();
        }
        let port = text.rsplit_once(':');
        let plain = match port {
            Some((name, port)) if port == "*" || port.bytes().all(|byte| byte.is_ascii_digit()) => {
                name
            }
            _ => text,
        };
        let plain = plain.to_ascii_lowercase();
        if HostPattern::parse(&plain).is_err() {
            problems.report(
                &domain.span,
                "has no equivalent among hosts; write a host or `*.` and a domain",
            );
        } else if !hosts.contains(&plain) {
            hosts.push(plain);
        }
    }
    hosts
}
