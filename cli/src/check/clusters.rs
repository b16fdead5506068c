//! The clusters that are used for fetching keys and revocation lists, among those of the
//! files.

use std::net::IpAddr;

use super::files::{Files, Found};
use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::subject::{Step, Subject, shown};
use crate::tree::{Node, Value, parse_yaml};
use edge_authz::policy::{DocumentLocation, DocumentSource, FetchUri, Policy, ProviderKeys};
use edge_authz::telemetry::DocumentKind;

/// The clusters of all files.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    all: Vec<Cluster>,
    /// Whether a file has clusters at all.
    present: bool,
    /// Whether further clusters are added at run time.
    dynamic: bool,
}

#[derive(Debug)]
struct Cluster {
    file: usize,
    node: Node,
    /// The place of the text that contains it; `None`: it has its own place.
    holder: Option<std::ops::Range<usize>>,
}

/// A document that is fetched through a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Fetch<'p> {
    kind: DocumentKind,
    pub(crate) cluster: &'p str,
    pub(crate) scheme: &'static str,
    /// The host, and a port if it is written.
    authority: &'p str,
    /// The place of the cluster's name.
    pub(crate) steps: Vec<Step<'p>>,
}

impl Fetch<'_> {
    fn split(&self) -> (&str, Option<&str>) {
        let digits =
            |port: &&str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        match self.authority.rsplit_once(':') {
            Some((host, port)) if digits(&port) => (host, Some(port)),
            _ => (self.authority, None),
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.split().0
    }

    /// The port of the document.
    pub(crate) fn port(&self) -> &str {
        let default = if self.scheme == "https" { "443" } else { "80" };
        self.split().1.unwrap_or(default)
    }
}

/// What a policy fetches.
pub(crate) fn fetches(policy: &Policy) -> Vec<Fetch<'_>> {
    let mut found = Vec::new();
    for (id, provider) in policy.providers.iter() {
        let keys = match &provider.keys {
            ProviderKeys::Fetched(source) => Some(*source),
            ProviderKeys::Inline(_) => None,
        };
        for (source, member) in [(keys, "jwks"), (provider.revoked, "revoked")] {
            if let Some(source) = source.and_then(|source| policy.source(source)) {
                let at = [
                    Step::Member("providers"),
                    Step::Element(id.index()),
                    Step::Member(member),
                ];
                of_source(source, at, &mut found);
            }
        }
    }
    found
}

fn of_source<'p>(source: &'p DocumentSource, at: [Step<'p>; 3], found: &mut Vec<Fetch<'p>>) {
    let mut add = |cluster, uri: &FetchUri, authority, last: &[Step<'p>]| {
        found.push(Fetch {
            kind: source.kind,
            cluster,
            scheme: uri.scheme(),
            authority,
            steps: [&at, last].concat(),
        });
    };
    let own = [Step::Member("cluster")];
    match &source.location {
        DocumentLocation::Uri(uri) => add(&source.cluster, uri, uri.authority(), &own),
        DocumentLocation::Discovery {
            metadata: [uri, _],
            hosts,
            ..
        } => {
            add(&source.cluster, uri, uri.authority(), &own);
            for (host, name) in hosts {
                add(
                    name,
                    uri,
                    host,
                    &[Step::Member("hosts"), Step::Member(host)],
                );
            }
        }
    }
}

impl Clusters {
    /// Finds the clusters of bootstraps, of xDS files, and of the resources that add some
    /// to a proxy's bootstrap.
    pub(super) fn of(files: &Files<'_>) -> Self {
        let mut clusters = Self::default();
        let mut from_files = false;
        let mut other_sources = false;
        let mut has_xds = false;
        for (file, root) in files.resources() {
            if root.descend(&["static_resources", "clusters"]).is_some() {
                clusters.bootstrap(file, root, None);
            }
            if let Some(config) = root.descend(&["dynamic_resources", "cds_config"]) {
                let by_path =
                    config.get("path_config_source").is_some() || config.get("path").is_some();
                from_files |= by_path;
                other_sources |= !by_path;
            }
            for resource in elements(root.get("resources")) {
                let kind = resource.get("@type").and_then(Node::text);
                if kind.is_some_and(|kind| kind.ends_with(".Cluster")) {
                    (clusters.present, has_xds) = (true, true);
                    clusters.add(file, resource, None);
                }
            }
            match root.get("kind").and_then(Node::text) {
                Some("EnvoyProxy") => clusters.envoy_proxy(file, root),
                Some("EnvoyPatchPolicy") => other_sources = true,
                Some("EnvoyFilter") => clusters.envoy_filter(file, root),
                Some(_) | None => {}
            }
        }
        clusters.dynamic = other_sources || (from_files && !has_xds);
        clusters
    }

    fn bootstrap(&mut self, file: usize, root: &Node, holder: Option<&Node>) {
        self.present = true;
        for node in elements(root.descend(&["static_resources", "clusters"])) {
            self.add(file, node, holder);
        }
    }

    fn add(&mut self, file: usize, node: &Node, holder: Option<&Node>) {
        self.all.push(Cluster {
            file,
            node: node.clone(),
            holder: holder.map(|holder| holder.span.clone()),
        });
    }

    /// Envoy Gateway merges a text into the bootstrap of its proxies.
    fn envoy_proxy(&mut self, file: usize, root: &Node) {
        let Some(bootstrap) = root.descend(&["spec", "bootstrap"]) else {
            return;
        };
        let value = bootstrap.get("value");
        match value.and_then(Node::text).map(parse_yaml) {
            Some(Ok(roots)) => {
                for root in &roots {
                    self.bootstrap(file, root, value);
                }
            }
            Some(Err(_)) | None => self.dynamic = true,
        }
    }

    /// An `EnvoyFilter` of Istio may add clusters.
    fn envoy_filter(&mut self, file: usize, root: &Node) {
        for patch in elements(root.descend(&["spec", "configPatches"])) {
            let applied = patch.get("applyTo").and_then(Node::text);
            if applied == Some("CLUSTER")
                && let Some(node) = patch.descend(&["patch", "value"])
            {
                self.present = true;
                self.add(file, node, None);
            }
        }
    }

    /// Judges the cluster of a fetch, unless Istio makes it.
    pub(super) fn judge(&self, fetch: &Fetch<'_>, subject: &Subject, found: &mut Found<'_>) {
        if !self.present || fetch.cluster.contains('|') {
            return;
        }
        let is_it = |cluster: &&Cluster| name(&cluster.node) == Some(fetch.cluster);
        let Some(cluster) = self.all.iter().find(is_it) else {
            self.missing(fetch, subject, found);
            return;
        };
        let weakness = (fetch.scheme == "https").then(|| weakness(&cluster.node, fetch.kind));
        let addresses = addresses(&cluster.node);
        let addresses = addresses.map(|text| (Code::Unreachable, Severity::Warning, text));
        let fixed = weakness.flatten().into_iter().chain(addresses);
        let fixed = fixed.map(|(code, severity, sentence)| (code, severity, sentence.to_owned()));
        for (code, severity, sentence) in fixed.chain(elsewhere(&cluster.node, fetch)) {
            let named = cluster.node.get("name").unwrap_or(&cluster.node);
            let at = cluster.holder.clone().unwrap_or_else(|| named.span.clone());
            let path = format!("cluster `{}`", fetch.cluster);
            let mut finding = Finding::from_sentence(code, severity, path, &sentence);
            finding.put(at, None);
            found.add(cluster.file, finding);
        }
    }

    fn missing(&self, fetch: &Fetch<'_>, subject: &Subject, found: &mut Found<'_>) {
        let known = self.all.iter().filter_map(|cluster| name(&cluster.node));
        let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        let known = match &*known {
            [] => "none".to_owned(),
            names => names.join(", "),
        };
        let cluster = fetch.cluster;
        let sentence = format!(
            "no cluster of the bootstrap has the name `{cluster}`; the clusters are {known}"
        );
        let severity = if self.dynamic {
            Severity::Warning
        } else {
            Severity::Error
        };
        let mut finding = Finding::from_sentence(
            Code::NoSuchResource,
            severity,
            shown(&fetch.steps),
            &sentence,
        );
        let (span, words) = subject.locate(fetch.steps.iter().copied(), false);
        finding.put(span, words);
        found.add_own(finding);
    }
}

fn name(cluster: &Node) -> Option<&str> {
    cluster.get("name").and_then(Node::text)
}

/// What is missing in the TLS settings for a server of documents. A document from an
/// unauthenticated server cannot be trusted.
fn weakness(cluster: &Node, kind: DocumentKind) -> Option<(Code, Severity, &'static str)> {
    let (no_tls, no_validation) = match kind {
        DocumentKind::KeySet => (
            "serves an `https://` key set without TLS; add a `transport_socket` with an `UpstreamTlsContext`",
            "accepts every certificate, so anybody on the network path can send keys; add a `validation_context` with `trusted_ca`",
        ),
        DocumentKind::RevocationList => (
            "serves an `https://` revocation list without TLS; add a `transport_socket` with an `UpstreamTlsContext`",
            "accepts every certificate, so anybody on the network path can send a revocation list; add a `validation_context` with `trusted_ca`",
        ),
    };
    // The choice between several sockets is made for each endpoint.
    if cluster.get("transport_socket_matches").is_some() {
        return None;
    }
    let Some(tls) = cluster.descend(&["transport_socket", "typed_config"]) else {
        return Some((Code::KeysWithoutTls, Severity::Error, no_tls));
    };
    let protocol = cluster
        .descend(&["typed_extension_protocol_options"])
        .and_then(|options| options.get("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"))
        .and_then(|options| options.get("upstream_http_protocol_options"));
    let automatic = |name| protocol.is_some_and(|options| is_true(options.get(name)));
    let sni =
        tls.get("sni").is_some() || is_true(tls.get("auto_host_sni")) || automatic("auto_sni");
    if !sni {
        return Some((
            Code::WeakTls,
            Severity::Warning,
            "sends no server name in the TLS handshake, so the issuer may present another certificate or none; add `sni`",
        ));
    }
    let common = tls.get("common_tls_context");
    let context = |name| common.and_then(|common| common.get(name));
    if context("validation_context_sds_secret_config").is_some() {
        return None;
    }
    let combined = context("combined_validation_context")
        .and_then(|combined| combined.get("default_validation_context"));
    let Some(validation) = context("validation_context").or(combined) else {
        return Some((Code::KeysWithoutTls, Severity::Error, no_validation));
    };
    let names = validation.get("match_typed_subject_alt_names").is_some()
        || validation.get("match_subject_alt_names").is_some()
        || is_true(tls.get("auto_sni_san_validation"))
        || automatic("auto_san_validation");
    if names {
        return None;
    }
    Some((
        Code::WeakTls,
        Severity::Warning,
        "accepts a valid certificate of any other host; give its `validation_context` `match_typed_subject_alt_names`, or the context `auto_sni_san_validation: true`",
    ))
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

/// Whether the cluster leads to another server or port than that of the document.
fn elsewhere(cluster: &Node, fetch: &Fetch<'_>) -> Option<(Code, Severity, String)> {
    let host = fetch.host();
    let what = match fetch.kind {
        DocumentKind::KeySet => "the keys are",
        DocumentKind::RevocationList => "the list is",
    };
    let sni = cluster.descend(&["transport_socket", "typed_config", "sni"]);
    if let Some(sni) = sni
        .and_then(Node::text)
        .filter(|sni| !sni.eq_ignore_ascii_case(host))
    {
        let sentence = format!(
            "asks for the certificate of `{sni}`, but {what} at `{host}`; write `sni: {host}`"
        );
        return Some((Code::WeakTls, Severity::Warning, sentence));
    }
    let wanted = fetch.port();
    let other = sockets(cluster).find_map(|socket| {
        let is_host = socket.get("address").and_then(Node::text) == Some(host);
        let port = socket.get("port_value").filter(|_| is_host)?.to_json();
        (port != wanted).then_some(port)
    })?;
    let sentence = format!(
        "leads to port {other} of `{host}`, but {what} at port {wanted}; write `port_value: {wanted}`"
    );
    Some((Code::NoSuchResource, Severity::Error, sentence))
}

/// Whether an endpoint has a host name that must be resolved.
fn has_named_host(cluster: &Node) -> bool {
    let mut addresses = sockets(cluster).filter_map(|socket| socket.get("address")?.text());
    addresses.any(|address| address.parse::<IpAddr>().is_err())
}

/// The addresses of the endpoints.
fn sockets(cluster: &Node) -> impl Iterator<Item = &Node> {
    let localities = elements(cluster.descend(&["load_assignment", "endpoints"]));
    let endpoints = localities
        .iter()
        .flat_map(|locality| elements(locality.get("lb_endpoints")));
    endpoints.filter_map(|endpoint| endpoint.descend(&["endpoint", "address", "socket_address"]))
}

fn elements(list: Option<&Node>) -> &[Node] {
    list.map_or(&[], Node::elements)
}

fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.value == Value::Bool(true))
}
