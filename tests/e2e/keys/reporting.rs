//! Envoy's log lines about failed fetches, and their reasons.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::clusters::{cluster, start};
use super::{get, opens};
use crate::support::bootstrap::Builder;
use crate::support::envoy::Envoy;
use crate::support::issuer::{DISCOVERY_PATH, Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::server::{Answer, Pace};
use crate::support::tokens::{TokenMaker, claims};
use crate::support::tools;
use crate::world::AUDIENCE;

/// An Envoy that terminates TLS in front of a server.
const TLS_FRONT: &str = r#"
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
    - name: tls
      address: {socket_address: {address: 127.0.0.1, port_value: 0}}
      filter_chains:
        - transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                tls_certificates: [{certificate_chain: {filename: "{{tls}}/certificate.pem"}, private_key: {filename: "{{tls}}/key.pem"}}]
          filters:
            - name: envoy.filters.network.tcp_proxy
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
                stat_prefix: tls
                cluster: issuer
  clusters:
    - name: issuer
      type: STATIC
      load_assignment:
        cluster_name: issuer
        endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {{port}}}}}}]}]
"#;

/// The directory with the self-signed certificate of `issuer.example.com`.
fn tls() -> PathBuf {
    tools::root().join("tests/e2e/keys/tls")
}

/// Starts it with the certificate and the key in this directory.
pub(crate) fn tls_front(to: SocketAddr, tls: &Path) -> Envoy {
    let text = TLS_FRONT
        .replace("{{tls}}", &tls.display().to_string())
        .replace("{{port}}", &to.port().to_string());
    Builder::from_bootstrap(text).start()
}

/// The members of a cluster that uses TLS with a server of this name.
fn speaking_tls(name: &str) -> Value {
    json!({"transport_socket": {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": name,
            "common_tls_context": {"validation_context": {
                "trusted_ca": {"filename": tls().join("certificate.pem")},
                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": name}}],
            }},
        },
    }})
}

/// A port with no listening server.
fn closed() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address")
}

const DID_NOT: &str = "Envoy did not send the request, because ";
const IN_ITS_PLACE: &str = "Envoy answered 503 in place of the issuer: ";

/// The clusters of the test below: who has answered, and why the issuer has not.
const CAUSES: [(&str, &str, &str); 9] = [
    ("refused", IN_ITS_PLACE, "refused"),
    ("wrong-name", IN_ITS_PLACE, "TLS failed"),
    (
        "plain-to-tls",
        IN_ITS_PLACE,
        "the connection ended before the answer",
    ),
    (
        "slow",
        "Envoy answered 504 in place of the issuer: ",
        "no answer within the `timeout`",
    ),
    ("full", DID_NOT, "or its circuit breaker is open"),
    ("failing", "the issuer answered 503, not 200", ""),
    ("empty", DID_NOT, "the cluster has no healthy host"),
    ("unresolved", DID_NOT, "the cluster has no healthy host"),
    ("missing", DID_NOT, "it has no cluster of this name"),
];

/// The log line about a provider's fetch that failed for this reason.
fn failure_line(envoy: &Envoy, name: &str, who: &str, why: &str) -> String {
    let query = if name == "refused" { "?..." } else { "" };
    let place = format!(
        "provider `{name}`: fetching keys failed: \
         `https://issuer.example.com/.well-known/jwks.json{query}` through the cluster `{name}`: "
    );
    // A cluster whose name does not resolve is unknown for a moment.
    let line = wait_until(Duration::from_secs(15), || {
        let line = |line: &str| {
            let (_, line) = line.split_once(&place)?;
            (line.starts_with(who) && line.contains(why)).then(|| line.to_owned())
        };
        envoy.log().lines().find_map(line)
    });
    line.unwrap_or_else(|| panic!("{name}: {}", envoy.log()))
}

#[test]
fn an_answer_made_by_envoy_is_distinguished_and_logged_with_its_reason() {
    let key = TokenMaker::generate("ES256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let front = tls_front(issuer.address(), &tls());
    let tls = front.listener("tls");
    let hanging = Issuer::start();
    hanging.answer(JWKS_PATH, Answer::new(200, "").pace(Pace::Hang));
    // It includes the message of the Envoy in front of it.
    let failing = Issuer::start();
    let words = "upstream connect error or disconnect/reset before headers. reset reason: overflow";
    let by_envoy = Answer::new(503, words).header("content-type", "text/plain");
    failing.answer(JWKS_PATH, by_envoy);
    let no_requests = json!({"circuit_breakers": {"thresholds": [{"max_requests": 0}]}});
    let unresolved = json!({
        "type": "STRICT_DNS",
        "load_assignment": {"cluster_name": "unresolved", "endpoints": [{"lb_endpoints": [{
            "endpoint": {"address": {"socket_address": {"address": "nowhere.invalid", "port_value": 443}}},
        }]}]},
    });
    let clusters = [
        cluster("refused", closed(), &json!({})),
        cluster("wrong-name", tls, &speaking_tls("keys.example.com")),
        cluster("plain-to-tls", tls, &json!({})),
        cluster("slow", hanging.address(), &json!({})),
        cluster("full", issuer.address(), &no_requests),
        cluster("failing", failing.address(), &json!({})),
        cluster("empty", closed(), &json!({"load_assignment": null})),
        cluster("unresolved", closed(), &unresolved),
        cluster("good", tls, &speaking_tls("issuer.example.com")),
    ];
    let names: Vec<_> = CAUSES
        .iter()
        .map(|(name, _, _)| *name)
        .chain(["good"])
        .collect();
    let (envoy, _upstream) = start(&names, &clusters, |name| {
        if name == "refused" {
            json!({"uri": "https://issuer.example.com/.well-known/jwks.json?in-the-query"})
        } else {
            json!({})
        }
    });
    for (name, who, why) in CAUSES {
        let line = failure_line(&envoy, name, who, why);
        assert!(line.contains("no keys are available"), "{name}: {line}");
    }
    let token = key.token(&claims("https://good.example.com", AUDIENCE));
    opens(&envoy, &token);
    let log = envoy.log();
    assert!(!log.contains("provider `good`: fetching keys failed"));
    assert!(!log.contains("in-the-query"));
    envoy.assert_no_trap();
}

#[test]
fn sets_that_give_no_keys_and_metadata_of_another_issuer_say_why() {
    let key = TokenMaker::generate("ES256", "key-1");
    let many = Issuer::start();
    let keys = vec![key.public_jwk(); 257];
    many.answer(JWKS_PATH, Answer::json(&json!({"keys": keys})));
    let large = Issuer::start();
    let padding = "x".repeat(512 * 1024);
    large.answer(
        JWKS_PATH,
        Answer::json(&json!({"keys": [], "padding": padding})),
    );
    let useless = Issuer::start();
    let keys = json!([{"kty": "A"}, {"kty": "B"}, {}, {"kty": "oct", "k": "AAAA"}]);
    useless.answer(JWKS_PATH, Answer::json(&json!({"keys": keys})));
    let other = Issuer::start();
    let hostile = "https://evil.example.com/\n[critical] `";
    let metadata = json!({"issuer": hostile, "jwks_uri": other.jwks_uri()});
    other.answer(DISCOVERY_PATH, Answer::json(&metadata));
    let clusters = [
        cluster("many", many.address(), &json!({})),
        cluster("large", large.address(), &json!({})),
        cluster("useless", useless.address(), &json!({})),
        cluster("other", other.address(), &json!({})),
    ];
    let (envoy, _upstream) = start(&["many", "large", "useless", "other"], &clusters, |name| {
        if name == "other" {
            json!({"uri": null})
        } else {
            json!({})
        }
    });
    for (name, why) in [
        ("many", "257 keys, more than 256"),
        ("large", "the response is larger than 524288 bytes"),
        ("useless", "none of the 4 keys of the set can be used"),
        (
            "other",
            r"it is `https://evil.example.com/\u{a}[critical] \u{60}`, not `https://other.example.com`",
        ),
    ] {
        let line = envoy.log_line(&format!("provider `{name}`: fetching keys failed"));
        assert!(line.contains(why), "{name}: {line}");
    }
    for reason in [
        "keys 0 and 1 of the set are not used: unknown `kty`",
        "key 2 of the set is not used: no `kty`",
        "key 3 of the set is not used: a shared key in a published set",
    ] {
        envoy.log_line(&format!("provider `useless`: {reason}"));
    }
    envoy.assert_no_trap();
}

#[test]
fn two_hundred_and_fifty_six_keys_are_all_of_use() {
    let keys: Vec<_> = (0..256)
        .map(|number| TokenMaker::generate("ES256", &format!("key-{number}")))
        .collect();
    let issuer = Issuer::start();
    issuer.publish(&keys.iter().collect::<Vec<_>>());
    let clusters = [cluster("main", issuer.address(), &json!({}))];
    let (envoy, _upstream) = start(&["main"], &clusters, |_| json!({}));
    let token = |key: &TokenMaker| key.token(&claims("https://main.example.com", AUDIENCE));
    opens(&envoy, &token(&keys[255]));
    for key in [&keys[0], &keys[128], &keys[254]] {
        get(&envoy, &token(key)).expect(200);
    }
    envoy.assert_no_trap();
}
