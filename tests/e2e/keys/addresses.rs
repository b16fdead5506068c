//! Issuers whose names have addresses of both families, with IPv6 unreachable.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::clusters::{cluster, start};
use super::opens;
use crate::support::dns::NameServer;
use crate::support::issuer::Issuer;
use crate::support::tokens::{TokenMaker, claims};
use crate::world::AUDIENCE;

/// The members of a cluster that uses this name server.
fn resolved(kind: &str, family: Option<&str>, port: u16, by: SocketAddr) -> Value {
    let address =
        |host: &str, port: u16| json!({"socket_address": {"address": host, "port_value": port}});
    json!({
        "type": kind,
        "dns_lookup_family": family,
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                "resolvers": [address(&by.ip().to_string(), by.port())],
                "dns_resolver_options": {"no_default_search_domain": true},
            },
        },
        "load_assignment": {"cluster_name": "issuer", "endpoints": [{"lb_endpoints": [{
            "endpoint": {"address": address("issuer.test", port)},
        }]}]},
    })
}

#[test]
fn with_the_address_families_of_the_examples_an_issuer_is_reached_without_ipv6() {
    let key = TokenMaker::generate("ES256", "key-1");
    // On 127.0.0.1 only.
    let issuer = Issuer::with_keys(&[&key]);
    let names = NameServer::start();
    let at = issuer.address();
    let clusters = [
        ("automatic", "LOGICAL_DNS", None),
        ("all", "LOGICAL_DNS", Some("ALL")),
        ("preferred", "STRICT_DNS", Some("V4_PREFERRED")),
    ]
    .map(|(name, kind, family)| {
        let members = resolved(kind, family, at.port(), names.address());
        cluster(name, at, &members)
    });
    let (envoy, _upstream) = start(&["automatic", "all", "preferred"], &clusters, |_| json!({}));
    for name in ["all", "preferred"] {
        let issuer = format!("https://{name}.example.com");
        opens(&envoy, &key.token(&claims(&issuer, AUDIENCE)));
    }
    // The reason for the setting: by default Envoy only uses IPv6.
    envoy.log_line("provider `automatic`: fetching keys failed");
    assert_eq!(
        envoy.stat("wasmcustom.edge_authz.key_fetches.automatic.success"),
        0
    );
}
