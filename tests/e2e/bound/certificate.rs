//! Tokens that are bound to a client certificate (RFC 8705), over connections with mutual
//! TLS. Envoy itself is the client too: it has a listener for each certificate that it
//! shows to the listener with the filter.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::{Echo, received};
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::process::wait_until;
use crate::support::template::insert;
use crate::support::tokens::{TokenMaker, claims_with, decode, encode};
use crate::support::tools;

/// The clients: the names of listeners and of the certificates that they show.
const CLIENTS: [(&str, Option<&str>); 3] = [
    ("holder", Some("holder")),
    ("other", Some("other")),
    ("none", None),
];

const BOOTSTRAP: &str = r"
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
    {{listeners}}
  clusters:
    {{clusters}}
";

const LISTENER: &str = r#"
- name: {{name}}
  address: {socket_address: {address: 127.0.0.1, port_value: {{port}}}}
  filter_chains:
    - filters:
        - name: envoy.filters.network.http_connection_manager
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
            stat_prefix: "{{name}}"
            forward_client_cert_details: ALWAYS_FORWARD_ONLY
            http_filters:
              {{filter}}
              - name: envoy.filters.http.router
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
            route_config:
              virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: "{{cluster}}"}}]}]
      {{tls}}
"#;

const CLUSTER: &str = r"
- name: {{name}}
  type: STATIC
  load_assignment:
    cluster_name: {{name}}
    endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {{port}}}}}}]}]
  {{tls}}
";

/// A member with the settings of TLS. The server asks for a certificate and requires none.
fn tls(kind: &str, common: &str) -> String {
    format!(
        "transport_socket: {{name: envoy.transport_sockets.tls, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.{kind}, common_tls_context: {{{common}}}}}}}"
    )
}

fn file(name: &str) -> String {
    let path = tools::root().join("tests/e2e/bound/tls").join(name);
    format!("{{filename: \"{}\"}}", path.display())
}

fn certificate(name: &str) -> String {
    format!(
        "tls_certificates: [{{certificate_chain: {}, private_key: {}}}]",
        file(&format!("{name}.pem")),
        file(&format!("{name}-key.pem"))
    )
}

fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    parts
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            let mark = format!("{{{{{name}}}}}");
            insert(&text, &mark, value).replace(&mark, value)
        })
}

fn bootstrap(upstream: u16, issuer: u16, filter: &str) -> String {
    // The port is chosen here, because Envoy's own clusters need it.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = free.local_addr().expect("an address").port().to_string();
    drop(free);
    let common = format!(
        "{}, validation_context: {{trust_chain_verification: ACCEPT_UNTRUSTED}}",
        certificate("other")
    );
    let server_tls = tls("DownstreamTlsContext", &common);
    let listener = |parts: &[(&str, &str)]| filled(LISTENER.trim(), parts);
    let mut listeners = vec![listener(&[
        ("name", "api"),
        ("port", &server),
        ("cluster", "upstream"),
        ("tls", &server_tls),
        ("filter", filter),
    ])];
    let cluster = |name: &str, port: &str, tls: &str| {
        filled(
            CLUSTER.trim(),
            &[("name", name), ("port", port), ("tls", tls)],
        )
    };
    let mut clusters = vec![
        cluster("upstream", &upstream.to_string(), ""),
        cluster("issuer", &issuer.to_string(), ""),
        "{{other_clusters}}".to_owned(),
    ];
    for (name, shown) in CLIENTS {
        let common = shown.map(certificate).unwrap_or_default();
        let client_tls = tls("UpstreamTlsContext", &common);
        clusters.push(cluster(name, &server, &client_tls));
        let parts = [
            ("name", name),
            ("port", "0"),
            ("cluster", name),
            ("tls", ""),
            ("filter", ""),
        ];
        listeners.push(listener(&parts));
    }
    let text = insert(BOOTSTRAP, "{{listeners}}", &listeners.join("\n"));
    insert(&text, "{{clusters}}", &clusters.join("\n"))
}

/// The digest of the holder's certificate, as a token names it.
fn digest() -> String {
    let path = tools::root().join("tests/e2e/bound/tls/holder.pem");
    let pem = std::fs::read_to_string(path).expect("a certificate");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = decode(
        base64
            .replace('+', "-")
            .replace('/', "_")
            .trim_end_matches('='),
    );
    encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der))
}

struct World {
    envoy: Envoy,
    issuer: Issuer,
    key: TokenMaker,
    _upstream: Echo,
}

impl World {
    fn start() -> Self {
        let upstream = Echo::start();
        let key = TokenMaker::generate("ES256", "key-1");
        let issuer = Issuer::with_keys(&[&key]);
        let configuration = json!({
            "providers": [{
                "name": "main",
                "issuer": issuer.name(),
                "audiences": ["api"],
                "jwks": {"cluster": "issuer", "uri": issuer.jwks_uri()},
            }],
            "routes": [{"match": "$default"}],
        });
        let plugin = EdgeAuthz::new(configuration);
        let ports = (upstream.address().port(), issuer.address().port());
        let whole = bootstrap(ports.0, ports.1, &plugin.render("api"));
        let envoy = Builder::from_bootstrap(whole)
            .cluster("issuer", issuer.address())
            .listener(Listener::new("api", plugin))
            .start();
        Self {
            envoy,
            issuer,
            key,
            _upstream: upstream,
        }
    }

    fn token(&self, key: &TokenMaker) -> String {
        let bound = json!({"cnf": {"x5t#S256": digest()}});
        key.token(&claims_with(self.issuer.name(), "api", bound))
    }

    fn status(&self, client: &str, request: &Request) -> u16 {
        let address = self.envoy.listener(client);
        crate::support::http1::exchange(address, request)
            .expect("an answer")
            .status
    }
}

#[test]
fn only_the_holder_of_the_certificate_can_present_the_token() {
    let world = World::start();
    let request = Request::get("/a").bearer(&world.token(&world.key));
    let ready = || (world.status("holder", &request) == 200).then_some(());
    wait_until(Duration::from_secs(10), ready).expect("the keys");
    for _ in 0..2 {
        assert_eq!(world.status("holder", &request), 200);
        assert_eq!(world.status("other", &request), 401);
        assert_eq!(world.status("none", &request), 401);
    }
    // An unbound token passes with any certificate.
    let plain = claims_with(world.issuer.name(), "api", json!({}));
    let plain = Request::get("/a").bearer(&world.key.token(&plain));
    for (client, _) in CLIENTS {
        assert_eq!(world.status(client, &plain), 200, "{client}");
    }
    // The proxy forwards such headers, and they do not count.
    let hex = |digits: String, byte: &u8| digits + &format!("{byte:02x}");
    let digest = decode(&digest()).iter().fold(String::new(), hex);
    let forged = request
        .clone()
        .header("x-forwarded-client-cert", format!("Hash={digest}"));
    assert_eq!(world.status("other", &forged), 401);
    assert_eq!(world.status("none", &forged), 401);
    let address = world.envoy.listener("holder");
    let answer = crate::support::http1::exchange(address, &forged).expect("an answer");
    assert_eq!(received(&answer.json(), "authorization").len(), 0);
    world.envoy.assert_no_trap();
}

#[test]
fn a_token_that_waits_for_its_key_keeps_the_certificate_of_its_connection() {
    for (client, expected) in [("holder", 200), ("other", 401), ("none", 401)] {
        let world = World::start();
        let known = Request::get("/a").bearer(&world.token(&world.key));
        let ready = || (world.status("holder", &known) == 200).then_some(());
        wait_until(Duration::from_secs(10), ready).expect("the keys");
        // Its `kid` is unknown, so the request waits for an early refresh.
        let new = TokenMaker::generate("ES256", "key-2");
        world.issuer.publish(&[&world.key, &new]);
        let request = Request::get("/a").bearer(&world.token(&new));
        assert_eq!(world.status(client, &request), expected, "{client}");
        world.envoy.assert_no_trap();
    }
}
