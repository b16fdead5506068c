//! An Envoy with clusters of all kinds, each with a provider.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::world::AUDIENCE;

/// A cluster of one host with further members.
pub(super) fn cluster(name: &str, to: SocketAddr, more: &Value) -> Value {
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{
            "endpoint": {"address": {"socket_address": {"address": to.ip(), "port_value": to.port()}}},
        }]}]},
    });
    super::merge(&mut cluster, more);
    cluster
}

/// An Envoy in which each of these names is a provider. Each has a cluster of the same
/// name unless the cluster is `None`.
pub(super) fn start(
    names: &[&str],
    clusters: &[Value],
    jwks: impl Fn(&str) -> Value,
) -> (Envoy, Echo) {
    let provider = |name: &&str| {
        let mut source = json!({
            "cluster": name,
            "uri": "https://issuer.example.com/.well-known/jwks.json",
            "timeout": "1s",
        });
        super::merge(&mut source, &jwks(name));
        json!({
            "name": name,
            "issuer": format!("https://{name}.example.com"),
            "audiences": [AUDIENCE],
            "jwks": source,
        })
    };
    let configuration = json!({
        "providers": names.iter().map(provider).collect::<Vec<_>>(),
        "routes": [{"match": "ANY /private/{proxy+}"}],
    });
    let upstream = Echo::start();
    let items = clusters.iter().map(|cluster| format!("- {cluster}\n"));
    let yaml = items.collect::<Vec<_>>().concat();
    let envoy = Builder::new(upstream.address())
        .other_clusters(&yaml)
        .edge_authz(configuration)
        .start();
    (envoy, upstream)
}
