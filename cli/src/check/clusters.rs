//! The clusters of an Envoy bootstrap that are used for fetching keys.

use std::net::IpAddr;

use crate::report::{Finding, Severity};
use crate::subject::{Step, Subject, shown};
use crate::tree::Node;
use edge_authz::policy::{DocumentLocation, DocumentSource, Policy, ProviderKeys};

/// Their problems. A file without clusters has none.
pub(super) fn of(policy: &Policy, subject: &Subject, roots: &[Node]) -> Vec<Finding> {
    let mut found = Vec::new();
    for root in roots {
        let Some(clusters) = root.descend(&["static_resources", "clusters"]) else {
            continue;
        };
        let dynamic = root.descend(&["dynamic_resources", "cds_config"]).is_some();
        let bootstrap = Bootstrap {
            clusters: clusters.elements(),
            dynamic,
        };
        for (id, provider) in policy.providers.iter() {
            let ProviderKeys::Fetched(source) = &provider.keys else {
                continue;
            };
            if let Some(source) = policy.source(*source) {
                let at = [
                    Step::Member("providers"),
                    Step::Element(id.index()),
                    Step::Member("jwks"),
                ];
                bootstrap.judge(source, at, subject, &mut found);
            }
        }
    }
    found
}

struct Bootstrap<'d> {
    clusters: &'d [Node],
    /// Whether further clusters are added at run time.
    dynamic: bool,
}

impl Bootstrap<'_> {
    fn judge(
        &self,
        source: &DocumentSource,
        at: [Step<'_>; 3],
        subject: &Subject,
        found: &mut Vec<Finding>,
    ) {
        let [list, element, jwks] = at;
        let cluster = vec![list, element, jwks, Step::Member("cluster")];
        let hosts = Step::Member("hosts");
        match &source.location {
            DocumentLocation::Uri(uri) => {
                self.cluster(&source.cluster, uri.scheme(), &cluster, subject, found);
            }
            DocumentLocation::Discovery {
                metadata,
                hosts: further,
                ..
            } => {
                let [uri, _] = metadata;
                self.cluster(&source.cluster, uri.scheme(), &cluster, subject, found);
                for (host, name) in further {
                    let steps = [list, element, jwks, hosts, Step::Member(host)];
                    self.cluster(name, uri.scheme(), &steps, subject, found);
                }
            }
        }
    }

    fn cluster(
        &self,
        name: &str,
        scheme: &str,
        steps: &[Step<'_>],
        subject: &Subject,
        found: &mut Vec<Finding>,
    ) {
        let is_it = |cluster: &&Node| cluster.get("name").and_then(Node::text) == Some(name);
        let Some(cluster) = self.clusters.iter().find(is_it) else {
            let known = self
                .clusters
                .iter()
                .filter_map(|cluster| cluster.get("name")?.text());
            let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            let sentence = format!(
                "no cluster of the bootstrap has the name `{name}`; the clusters are {known}"
            );
            let severity = if self.dynamic {
                Severity::Warning
            } else {
                Severity::Error
            };
            let mut finding = Finding::from_sentence(severity, shown(steps), &sentence);
            let (span, words) = subject.locate(steps.iter().copied(), false);
            finding.put(span, words);
            found.push(finding);
            return;
        };
        let weakness = (scheme == "https").then(|| weakness(cluster)).flatten();
        for sentence in weakness.into_iter().chain(addresses(cluster)) {
            let at = cluster.get("name").map_or(&cluster.span, |name| &name.span);
            let path = format!("cluster `{name}`");
            let mut finding = Finding::from_sentence(Severity::Warning, path, sentence);
            finding.put(at.clone(), None);
            // Several providers may fetch their keys through one cluster.
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    }
}

/// What is missing in the TLS settings for an issuer. Keys from an unauthenticated server
/// cannot be trusted.
fn weakness(cluster: &Node) -> Option<&'static str> {
    // The choice between several sockets is made for each endpoint.
    if cluster.get("transport_socket_matches").is_some() {
        return None;
    }
    let Some(tls) = cluster.descend(&["transport_socket", "typed_config"]) else {
        return Some(
            "serves an `https://` key set without TLS; add a `transport_socket` with an `UpstreamTlsContext`",
        );
    };
    let protocol = cluster
        .descend(&["typed_extension_protocol_options"])
        .and_then(|options| options.get("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"))
        .and_then(|options| options.get("upstream_http_protocol_options"));
    let automatic = |name| protocol.is_some_and(|options| is_true(options.get(name)));
    let sni =
        tls.get("sni").is_some() || is_true(tls.get("auto_host_sni")) || automatic("auto_sni");
    if !sni {
        return Some(
            "sends no server name in the TLS handshake, so the issuer may present another certificate or none; add `sni`",
        );
    }
    let common = tls.get("common_tls_context");
    let context = |name| common.and_then(|common| common.get(name));
    if context("validation_context_sds_secret_config").is_some() {
        return None;
    }
    let combined = context("combined_validation_context")
        .and_then(|combined| combined.get("default_validation_context"));
    let Some(validation) = context("validation_context").or(combined) else {
        return Some(
            "accepts every certificate, so anybody on the network path can send keys; add a `validation_context` with `trusted_ca`",
        );
    };
    let names = validation.get("match_typed_subject_alt_names").is_some()
        || validation.get("match_subject_alt_names").is_some()
        || is_true(tls.get("auto_sni_san_validation"))
        || automatic("auto_san_validation");
    if names {
        return None;
    }
    Some(
        "accepts a valid certificate of any other host; give its `validation_context` `match_typed_subject_alt_names`, or the context `auto_sni_san_validation: true`",
    )
}

/// Which addresses of the issuer's host are used. By default Envoy uses only IPv6
/// addresses if there are any.
fn addresses(cluster: &Node) -> Option<&'static str> {
    let options = cluster.descend(&["cluster_type", "typed_config"]);
    let option = |name| options.and_then(|options| options.get(name));
    let kind = cluster
        .get("type")
        .or_else(|| cluster.descend(&["cluster_type", "name"]))
        .and_then(Node::text)?;
    let logical = match kind {
        "LOGICAL_DNS" | "envoy.cluster.logical_dns" => true,
        "STRICT_DNS" | "envoy.cluster.strict_dns" => false,
        "envoy.clusters.dns" => is_true(option("all_addresses_in_single_endpoint")),
        _ => return None,
    };
    if !has_named_host(cluster) {
        return None;
    }
    let family = cluster
        .get("dns_lookup_family")
        .or_else(|| option("dns_lookup_family"));
    match (family.and_then(Node::text), logical) {
        (None | Some("AUTO" | "UNSPECIFIED"), true) => Some(
            "uses only IPv6 if its host has an IPv6 address, so a proxy without IPv6 gets no keys; set `dns_lookup_family: ALL`",
        ),
        (None | Some("AUTO" | "UNSPECIFIED"), false) => Some(
            "uses only IPv6 if its host has an IPv6 address, so a proxy without IPv6 gets no keys; set `dns_lookup_family: V4_PREFERRED`",
        ),
        (Some("ALL"), false) => Some(
            "treats each address of its host as a separate host, so some fetches fail where IPv6 cannot be reached; set `type: LOGICAL_DNS`",
        ),
        (Some(_), _) => None,
    }
}

/// Whether an endpoint has a host name that must be resolved.
fn has_named_host(cluster: &Node) -> bool {
    let localities = elements(cluster.descend(&["load_assignment", "endpoints"]));
    let endpoints = localities
        .iter()
        .flat_map(|locality| elements(locality.get("lb_endpoints")));
    let path = ["endpoint", "address", "socket_address", "address"];
    let mut addresses = endpoints.filter_map(|endpoint| endpoint.descend(&path)?.text());
    addresses.any(|address| address.parse::<IpAddr>().is_err())
}

fn elements(list: Option<&Node>) -> &[Node] {
    list.map_or(&[], Node::elements)
}

fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.value == crate::tree::Value::Bool(true))
}
