//! Reads Envoy Gateway's `SecurityPolicy` for the routes of a gateway.

mod policy;

use std::collections::{BTreeMap, BTreeSet};

use super::kubernetes::{elements, name, namespace, resources, text};
use super::model::{Api, Kind};
use super::ordered::{Layer, Need, Region, Site};
use super::problems::Problems;
use crate::tree::Node;
use policy::Policy;

/// The kind that is read.
pub(super) const KINDS: [&str; 1] = ["SecurityPolicy"];

/// The resources of a file.
struct Resources<'n> {
    all: Vec<&'n Node>,
}

/// One match of a route, with its order: the conservative ones come first.
struct Match<'n> {
    order: (u8, usize),
    region: Region,
    route: &'n Node,
}

/// The APIs of a file: one for each gateway.
pub(super) fn read(root: &Node, problems: &Problems<'_>) -> Vec<(Api, Vec<Site>)> {
    let mut all = Vec::new();
    resources(root, &mut all);
    let file = Resources { all };
    let mut gateways: BTreeSet<&str> = file.of_kind("Gateway").map(name).collect();
    let policies: Vec<&Node> = file.of_kind("SecurityPolicy").collect();
    for policy in &policies {
        for (kind, target, _) in policy::targets(policy) {
            match kind {
                "Gateway" => {
                    gateways.insert(target);
                }
                "HTTPRoute" if !file.of_kind(kind).any(|route| name(route) == target) => problems.report(
                    &policy.span,
                    &format!("its target, the `HTTPRoute` `{target}`, is not in the file; add it, because it has the paths"),
                ),
                _ => {}
            }
        }
        if policy.descend(&["spec", "targetSelectors"]).is_some() {
            problems.report(
                &policy.span,
                "`targetSelectors` is not evaluated; write `targetRefs`",
            );
        }
    }
    for route in file.of_kind("HTTPRoute") {
        gateways.extend(parents(route));
    }
    let used = |gateway: &&str| {
        let of_gateway = |target: &str| {
            policies
                .iter()
                .any(|policy| policy::is_for(policy, "Gateway", target, None))
        };
        let of_routes = file.of_kind("HTTPRoute").any(|route| {
            parents(route).contains(gateway)
                && policies.iter().any(|policy| {
                    policy::is_for(policy, "HTTPRoute", name(route), Some(namespace(route)))
                })
        });
        of_gateway(gateway) || of_routes
    };
    let used: Vec<&str> = gateways.iter().copied().filter(|one| used(one)).collect();
    used.into_iter()
        .map(|gateway| file.api(gateway, &policies, problems))
        .collect()
}

fn parents(route: &Node) -> BTreeSet<&str> {
    let spec = route.get("spec");
    let list = spec.map_or(&[][..], |spec| elements(spec, "parentRefs"));
    list.iter().filter_map(|one| text(one, "name")).collect()
}

impl<'n> Resources<'n> {
    fn of_kind<'k>(&'k self, kind: &'k str) -> impl Iterator<Item = &'n Node> + use<'n, 'k> {
        let is_it = move |one: &&&Node| text(one, "kind") == Some(kind);
        self.all.iter().filter(is_it).copied()
    }

    /// The namespace of a gateway, if it is in the file.
    fn namespace(&self, gateway: &str) -> Option<&'n str> {
        let mut found = self.of_kind("Gateway").filter(|one| name(one) == gateway);
        found.next().map(namespace)
    }

    fn api(
        &self,
        gateway: &str,
        policies: &[&'n Node],
        problems: &Problems<'_>,
    ) -> (Api, Vec<Site>) {
        let mut api = Api::new(gateway, Kind::Proxy);
        // Envoy Gateway forwards the token.
        api.keeps_token = true;
        let common = find(
            policies,
            "Gateway",
            (gateway, self.namespace(gateway)),
            problems,
        );
        let mut read: BTreeMap<usize, Policy> = BTreeMap::new();
        let mut without = false;
        let mut layer_of = |api: &mut Api, policy: Option<&Node>| {
            let Some(policy) = policy else {
                without = true;
                return Layer::Fixed(Need::Open);
            };
            let key = policy.span.start;
            let known = read.entry(key);
            let policy = known.or_insert_with(|| Policy::read(api, policy, problems));
            Layer::All(policy.layers.clone())
        };
        let mut hosts: BTreeMap<String, Vec<(Match<'n>, Layer)>> = BTreeMap::new();
        for kind in ["HTTPRoute", "GRPCRoute"] {
            for route in self
                .of_kind(kind)
                .filter(|route| parents(route).contains(gateway))
            {
                let policy = find(
                    policies,
                    kind,
                    (name(route), Some(namespace(route))),
                    problems,
                )
                .or(common);
                let layer = layer_of(&mut api, policy);
                let named: Vec<&str> = route
                    .descend(&["spec", "hostnames"])
                    .map(Node::texts)
                    .unwrap_or_default();
                let named = if named.is_empty() { vec![""] } else { named };
                for host in named {
                    let all = hosts.entry(host.to_owned()).or_default();
                    all.extend(
                        matches(route, kind)
                            .into_iter()
                            .map(|one| (one, layer.clone())),
                    );
                }
            }
        }
        if hosts.is_empty() {
            let rules = layer_of(&mut api, common);
            let at = common.map_or(0..0, |one| one.span.clone());
            let hosts = Vec::new();
            policy::common_cors(&mut api, read.values(), without);
            return (api, vec![Site { hosts, at, rules }]);
        }
        policy::common_cors(&mut api, read.values(), without);
        let sites = hosts.into_iter().map(|(host, all)| site(host, all));
        (api, sites.collect())
    }
}

/// The policy for a target.
fn find<'n>(
    policies: &[&'n Node],
    kind: &str,
    (name, namespace): (&str, Option<&str>),
    problems: &Problems<'_>,
) -> Option<&'n Node> {
    let mut own = policies
        .iter()
        .filter(|policy| policy::is_for(policy, kind, name, namespace));
    let first = own.next().copied();
    if let Some(second) = own.next() {
        problems.report(
            &second.span,
            "a second policy has the same target; remove one",
        );
    }
    first
}

/// The rules for a host; an empty one is every host.
fn site(host: String, mut all: Vec<(Match<'_>, Layer)>) -> Site {
    all.sort_by_key(|(one, _)| one.order);
    let at = all.first().map_or(0..0, |(one, _)| one.route.span.clone());
    let is_grpc = |route| text(route, "kind") == Some("GRPCRoute");
    let last = if all.iter().any(|(one, _)| is_grpc(one.route)) {
        "no `HTTPRoute` has these requests, and a `GRPCRoute` has no equivalent"
    } else {
        "no route of the source has these requests"
    };
    let last = Layer::Fixed(Need::denied(last));
    let rules = all
        .into_iter()
        .map(|(one, layer)| (one.region, layer))
        .collect();
    Site {
        hosts: if host.is_empty() {
            Vec::new()
        } else {
            vec![host]
        },
        at,
        rules: Layer::First(rules, Box::new(last)),
    }
}

/// The matches of a route's rules.
fn matches<'n>(route: &'n Node, kind: &str) -> Vec<Match<'n>> {
    let rules = route
        .get("spec")
        .map_or(&[][..], |spec| elements(spec, "rules"));
    let mut found = Vec::new();
    for rule in rules {
        let matches = elements(rule, "matches");
        if matches.is_empty() {
            let region = Region::everything(&rule.span);
            let region = if kind == "HTTPRoute" {
                region
            } else {
                region.conditional()
            };
            found.push(Match {
                order: (3, usize::MAX),
                region,
                route,
            });
        }
        for one in matches {
            let (order, region) = if kind == "HTTPRoute" {
                region(one)
            } else {
                ((0, 0), Region::unknown(&one.span))
            };
            found.push(Match {
                order,
                region,
                route,
            });
        }
    }
    found
}

/// The order is that of the Gateway API: exact paths, then the longest prefix, then the
/// method. What cannot be expressed comes first, so that it is never forgotten.
fn region(one: &Node) -> ((u8, usize), Region) {
    let at = &one.span;
    let path = one.get("path");
    let value = path.and_then(|path| text(path, "value")).unwrap_or("/");
    let length = usize::MAX.saturating_sub(value.len().saturating_mul(2));
    let (mut order, mut region) = match path
        .and_then(|path| text(path, "type"))
        .unwrap_or("PathPrefix")
    {
        "Exact" => ((1, length), Region::exact(at, value)),
        "PathPrefix" => ((3, length), Region::below(at, value)),
        "RegularExpression" => ((0, 0), Region::regex(at, value)),
        _ => ((0, 0), Region::unknown(at)),
    };
    if let Some(method) = text(one, "method") {
        region = region.with_methods(&[method]);
        order.1 = order.1.saturating_sub(1);
    }
    let known = |name: &str| ["path", "method"].contains(&name);
    if !one.members().iter().all(|member| known(&member.name)) {
        return ((0, 0), region.conditional());
    }
    (order, region)
}
