//! Reads the filters `jwt_authn`, `rbac` and `cors` of Envoy's listeners.
//!
//! Both notations of members are read: `typed_config` and `typedConfig`.

mod cors;
mod jwt;
mod matching;
mod member;
mod rbac;
mod routes;

use std::collections::BTreeMap;

use super::model::{Api, Kind};
use super::ordered::{Layer, Names, Need, Site};
use super::problems::Problems;
use crate::tree::Node;
use jwt::Jwt;
use member::{elements, get, is_of_type, is_true, text};

/// Filters that decide nothing about who may send a request.
const HARMLESS: [&str; 25] = [
    "Router",
    "AdaptiveConcurrency",
    "AdmissionControl",
    "BandwidthLimit",
    "Buffer",
    "CacheConfig",
    "Compressor",
    "ConnectGrpcBridge",
    "Cors",
    "CorsPolicy",
    "CustomResponse",
    "Decompressor",
    "FileSystemBufferFilterConfig",
    "Gzip",
    "HTTPFault",
    "HeaderMutation",
    "header_to_metadata.v3.Config",
    "set_metadata.v3.Config",
    "HealthCheck",
    "grpc_stats.v3.FilterConfig",
    "LocalRateLimit",
    "RateLimit",
    "OnDemand",
    "StatefulSession",
    "Tap",
];

/// A filter of a listener that decides about requests.
pub(super) struct Filter<'n> {
    /// The name under which routes configure it.
    name: &'n str,
    /// Whether routes must enable it.
    disabled: bool,
    rules: Rules<'n>,
    /// For each filter `jwt_authn` before it, the providers whose claims are under a name.
    metadata: Vec<BTreeMap<String, Names>>,
}

enum Rules<'n> {
    Jwt(Jwt<'n>),
    Rbac(Layer),
    Unknown(String),
}

/// Whether a document has a connection manager or routes.
pub(super) fn is_envoy(root: &Node) -> bool {
    let mut found = Vec::new();
    managers(root, "", &mut found);
    !found.is_empty() || has_routes(root)
}

fn has_routes(node: &Node) -> bool {
    let members = node.members().iter().map(|member| &member.value);
    get(node, "virtual_hosts").is_some() || members.chain(node.elements()).any(has_routes)
}

/// The APIs of a file: one for each listener with one of the filters.
pub(super) fn read(root: &Node, problems: &Problems<'_>) -> Vec<(Api, Vec<Site>)> {
    let mut found = Vec::new();
    managers(root, "", &mut found);
    if found.is_empty() {
        problems.report(
            &root.span,
            "has routes, but not the listener with the filters; write both into one file, with `---` between them",
        );
    }
    let mut apis: Vec<(Api, Vec<Site>)> = Vec::new();
    for (listener, manager) in found {
        let prefix = text(manager, "stat_prefix").unwrap_or("listener");
        let mut name = if listener.is_empty() {
            prefix
        } else {
            listener
        }
        .to_owned();
        while apis.iter().any(|(api, _)| api.name == name) {
            name.push('\'');
        }
        let mut api = Api::new(name, Kind::Proxy);
        let filters = filters(&mut api, manager, problems);
        let decides = |filter: &Filter<'_>| !matches!(filter.rules, Rules::Unknown(_));
        if !filters.iter().any(decides) {
            continue;
        }
        let sites = routes::sites(&mut api, root, manager, &filters, problems);
        let keeps: Vec<bool> = filters
            .iter()
            .filter_map(|filter| match &filter.rules {
                Rules::Jwt(jwt) => Some(jwt.forwards),
                Rules::Rbac(_) | Rules::Unknown(_) => None,
            })
            .collect();
        api.keeps_token = !keeps.is_empty() && keeps.iter().all(|keeps| *keeps);
        apis.push((api, sites));
    }
    apis
}

/// The connection managers, each with the name of its listener.
fn managers<'n>(node: &'n Node, listener: &'n str, found: &mut Vec<(&'n str, &'n Node)>) {
    if is_of_type(node, "HttpConnectionManager") {
        found.push((listener, node));
        return;
    }
    let chains = get(node, "filter_chains").or_else(|| get(node, "default_filter_chain"));
    let listener = match chains {
        Some(_) => text(node, "name").unwrap_or(listener),
        None => listener,
    };
    for member in node.members() {
        managers(&member.value, listener, found);
    }
    for element in node.elements() {
        managers(element, listener, found);
    }
}

fn filters<'n>(api: &mut Api, manager: &'n Node, problems: &Problems<'_>) -> Vec<Filter<'n>> {
    let mut all = Vec::new();
    let mut jwts = Vec::new();
    for filter in elements(manager, "http_filters") {
        let name = text(filter, "name").unwrap_or_default();
        let config = get(filter, "typed_config");
        let disabled = is_true(get(filter, "disabled"));
        let rules = match config {
            Some(config) if is_of_type(config, "JwtAuthentication") => {
                let jwt = Jwt::read(api, name, config, problems);
                jwts.push(jwt.metadata.clone());
                Rules::Jwt(jwt)
            }
            Some(config) if is_of_type(config, "rbac.v3.RBAC") => {
                Rules::Rbac(rbac::layer(api, config, &jwts))
            }
            Some(config)
                if HARMLESS
                    .iter()
                    .any(|known| is_of_type(config, &format!(".{known}"))) =>
            {
                continue;
            }
            None if get(filter, "config_discovery").is_none() => continue,
            _ => Rules::Unknown(format!(
                "the filter `{name}` may refuse requests, and has no equivalent"
            )),
        };
        all.push(Filter {
            name,
            disabled,
            rules,
            metadata: jwts.clone(),
        });
    }
    all
}

impl Filter<'_> {
    /// Its rules for requests whose route does not configure it.
    fn base(&self) -> Layer {
        if self.disabled {
            return Layer::Fixed(Need::Open);
        }
        self.enabled()
    }

    /// Its own rules.
    fn enabled(&self) -> Layer {
        match &self.rules {
            Rules::Jwt(jwt) => jwt.rules.clone(),
            Rules::Rbac(layer) => layer.clone(),
            Rules::Unknown(reason) => Layer::Fixed(Need::Denied(reason.clone())),
        }
    }
}
