//! The servers from which keys are fetched.

use std::net::IpAddr;

use crate::check::fetches;
use crate::subject::Step;
use crate::tree::scalar;
use edge_authz::policy::Policy;

/// A server, and the cluster that reaches it.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) cluster: String,
    pub(super) host: String,
    pub(super) port: String,
    pub(super) tls: bool,
    /// Where the document names the cluster.
    pub(super) places: Vec<Vec<Part>>,
}

/// The servers of a policy, each once.
///
/// # Errors
///
/// Two servers have the same cluster; as a sentence.
pub(super) fn sites(policy: &Policy) -> Result<Vec<Site>, String> {
    let mut sites: Vec<Site> = Vec::new();
    for fetch in fetches(policy) {
        let site = Site {
            cluster: fetch.cluster.to_owned(),
            host: fetch.host().to_owned(),
            port: fetch.port().to_owned(),
            tls: fetch.scheme == "https",
            places: Vec::new(),
        };
        let place = owned(&fetch.steps);
        let Some(known) = sites.iter_mut().find(|known| known.cluster == site.cluster) else {
            sites.push(Site {
                places: vec![place],
                ..site
            });
            continue;
        };
        let key = |site: &Site| (site.host.clone(), site.port.clone(), site.tls);
        if key(known) != key(&site) {
            return Err(format!(
                "the cluster `{}` cannot reach `{}` and `{}`; give each its own cluster",
                site.cluster, known.host, site.host
            ));
        }
        known.places.push(place);
    }
    Ok(sites)
}

/// A step to a place of the document.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Member(String),
    Element(usize),
}

/// A place that does not borrow from the policy.
fn owned(steps: &[Step<'_>]) -> Vec<Part> {
    let part = |step: &Step<'_>| match step {
        Step::Member(name) => Part::Member((*name).to_owned()),
        Step::Element(index) => Part::Element(*index),
    };
    steps.iter().map(part).collect()
}

impl Site {
    fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    /// The cluster for an Envoy.
    pub(super) fn cluster(&self) -> String {
        let (name, host, port) = (scalar(&self.cluster), &self.host, &self.port);
        let plain = host.trim_matches(['[', ']']);
        let kind = match self.address() {
            Some(_) => "type: STATIC".to_owned(),
            None => "type: LOGICAL_DNS\n# Tries IPv4 and IPv6. By default Envoy uses only IPv6 if the name has an IPv6 address.\ndns_lookup_family: ALL"
                .to_owned(),
        };
        let mut text = format!(
            "name: {name}\n{kind}\nconnect_timeout: 2s\nload_assignment:\n  cluster_name: {name}\n  endpoints:\n    \
             - lb_endpoints:\n        - endpoint: {{address: {{socket_address: {{address: {}, port_value: {port}}}}}}}\n",
            scalar(plain)
        );
        if self.tls {
            // A server without a name is known by its address.
            let (sni, san) = match self.address() {
                Some(_) => (String::new(), "IP_ADDRESS"),
                None => (format!("    sni: {host}\n"), "DNS"),
            };
            let socket = format!(
                "# Without the validation context, anyone between proxy and issuer could send keys.\n\
                 transport_socket:\n  name: envoy.transport_sockets.tls\n  typed_config:\n    \
                 \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\n{sni}    \
                 common_tls_context:\n      validation_context:\n        \
                 trusted_ca: {{filename: /etc/ssl/certs/ca-certificates.crt}}\n        match_typed_subject_alt_names:\n          \
                 - san_type: {san}\n            matcher: {{exact: {}}}\n",
                scalar(plain)
            );
            text.push_str(&socket);
        }
        text
    }
}
