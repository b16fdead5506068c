//! Tokens that are bound to a client's certificate (RFC 8705) or key (RFC 9449).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::issuer::{Issuer, configuration, inline};
use super::proxy::{Outcome, Proxy, values};
use super::world::{Call, Failure, Fault, Fields, Phase, START};
use crate::dpop::NONCE_HEADER;
use crate::engine::StreamId;
use crate::host::HostError;

#[test]
fn a_token_that_is_bound_to_a_certificate_needs_it_on_the_connection() {
    let issuer = Issuer::new("k1");
    let own = [7; 32];
    let bound = json!({"cnf": {"x5t#S256": URL_SAFE_NO_PAD.encode(own)}});
    let bound = issuer.token_with(START, &bound);
    let mut proxy = Proxy::with(&inline(&issuer));
    let driver = proxy.driver();
    let result = |proxy: &mut Proxy, token: &str| {
        let id = proxy.request_to(&driver, "/private", token);
        (proxy.forwarded(id).is_some(), proxy.status_of(id))
    };
    for (certificate, expected) in [
        (Some(own), (true, None)),
        (Some([8; 32]), (false, Some(401))),
        (None, (false, Some(401))),
    ] {
        proxy.world().certificate = certificate;
        assert_eq!(result(&mut proxy, &bound), expected, "{certificate:?}");
    }
    // The host does not know whether there is one.
    proxy.world().fault = Some(Fault {
        call: Call::Certificate,
        failure: Failure::Error(HostError::Malformed),
        phase: Phase::RequestHeaders,
        after: 0,
    });
    assert_eq!(result(&mut proxy, &bound), (false, Some(503)));
    assert_eq!(result(&mut proxy, &issuer.token(START)), (true, None));
}

/// A client with a key of its own, and its bound token.
struct Client {
    key: Issuer,
    token: String,
    proofs: u32,
}

impl Client {
    fn new(issuer: &Issuer) -> Self {
        let key = Issuer::new("of-the-client");
        let thumbprint = digest(&SHA256, key.jwk().to_string().as_bytes());
        let bound = json!({"cnf": {"jkt": URL_SAFE_NO_PAD.encode(thumbprint)}});
        let token = issuer.token_with(START, &bound);
        let proofs = 0;
        Self { key, token, proofs }
    }

    /// Sends a request with a proof that has this nonce.
    fn request(&mut self, proxy: &mut Proxy, nonce: Option<&str>) -> StreamId {
        self.proofs += 1;
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.jwk()});
        let token = digest(&SHA256, self.token.as_bytes());
        let now = proxy.world().nanos / 1_000_000_000;
        let mut claims = json!({
            "jti": self.proofs.to_string(),
            "htm": "GET",
            "htu": "https://api.example/private",
            "iat": now,
            "ath": URL_SAFE_NO_PAD.encode(token),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        proxy.request(&[
            (":method", "GET"),
            (":path", "/private"),
            (":authority", "api.example"),
            ("authorization", &format!("DPoP {}", self.token)),
            ("dpop", &self.key.sign(&header, &claims)),
        ])
    }
}

fn nonces(headers: &Fields) -> Vec<String> {
    values(headers, NONCE_HEADER)
}

#[test]
fn the_upstream_s_own_nonce_does_not_reach_a_client_with_a_nonce_of_the_filter() {
    let issuer = Issuer::new("k1");
    let mut document = configuration(&json!({"inline": issuer.jwks()}));
    let dpop = json!({"origins": ["https://api.example"], "nonce": "5m"});
    document["providers"][0]["dpop"] = dpop;
    let mut proxy = Proxy::with(&document.to_string());
    let mut client = Client::new(&issuer);
    let refused = client.request(&mut proxy, None);
    let Outcome::Answered(reply) = proxy.outcome(refused) else {
        panic!("no answer");
    };
    assert_eq!(reply.status, 401);
    let given = nonces(&reply.headers);
    let [nonce] = &given[..] else {
        panic!("{given:?}");
    };
    let response = [(":status", "200"), (NONCE_HEADER, "of-the-upstream")];
    let id = client.request(&mut proxy, Some(nonce));
    assert!(proxy.forwarded(id).is_some());
    let got = proxy.respond(id, &response).unwrap();
    assert_eq!(nonces(&got), [""; 0]);
    // When half of the nonce's time has passed, the client gets the next one.
    proxy.world().nanos += 200_000_000_000;
    let id = client.request(&mut proxy, Some(nonce));
    let got = nonces(&proxy.respond(id, &response).unwrap());
    assert_eq!(got.len(), 1);
    assert!(!got.contains(nonce) && !got.contains(&"of-the-upstream".to_owned()));
    // A request without a proof has no nonce, and its response is not changed.
    let id = proxy.request_to(&proxy.driver(), "/private", &issuer.token(START));
    let got = proxy.respond(id, &response).unwrap();
    assert_eq!(nonces(&got), ["of-the-upstream"]);
}
