//! Bound tokens: the configuration of a route loosens neither the binding nor the proofs
//! and nonces that the listener's document requires.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::only_here;
use super::stage::{Stage, all_hosts, config, route};
use crate::support::client::Client;
use crate::support::http::{Request, Response, readable};
use crate::support::http1;
use crate::support::tokens::claims_with;
use crate::world::AUDIENCE;

const API: &str = "http://api.example.com";

/// A document that trusts the first issuer, with further members of its provider.
fn document(stage: &Stage, more: &Value) -> Value {
    let mut provider = json!({
        "name": "main",
        "issuer": stage.issuer.name(),
        "audiences": [AUDIENCE],
        "jwks": {"inline": {"keys": [stage.key.public_jwk()]}},
    });
    let members = provider.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    json!({"providers": [provider], "routes": [{"match": "$default"}]})
}

struct Holder {
    client: Client,
    token: String,
    to: SocketAddr,
}

impl Holder {
    fn request(&self, path: &str, more: Value) -> Request {
        let uri = format!("{API}{path}");
        let proof = self.client.proof_with(&uri, &self.token, more);
        let request = Request::get(path).header("dpop", proof);
        request.header("authorization", format!("DPoP {}", self.token))
    }

    fn send(&self, request: &Request) -> Response {
        http1::exchange(self.to, request).expect("an answer")
    }
}

/// The members of a provider that requires proofs, and nonces if there is a lifetime.
fn dpop(nonce: &Value) -> Value {
    let mut dpop = json!({"origins": [API], "algorithms": ["ES256"]});
    if !nonce.is_null() {
        dpop["nonce"] = nonce.clone();
    }
    json!({"binding": "required", "dpop": dpop})
}

#[test]
#[ignore = "of the dynamic module"]
fn a_route_loosens_neither_binding_nor_proofs_nor_nonces() {
    only_here();
    let stage = Stage::new();
    let of = |more: &Value| Some(config(&document(&stage, more)));
    let open = json!({"routes": [{"match": "$default", "access": "public"}]});
    let hosts = all_hosts(&[
        route("/open", Some(config(&open))),
        route("/ignore", of(&json!({"binding": "ignore"}))),
        route("/unproven", of(&json!({}))),
        route("/without", of(&dpop(&json!(null)))),
        route("/same", of(&dpop(&json!("5m")))),
        route("/", None),
    ]);
    let listener = document(&stage, &dpop(&json!("5m")));
    let envoy = stage.builder_with(&listener, &hosts).start();
    let client = Client::new();
    let bound = json!({"sub": "alice", "cnf": {"jkt": client.thumbprint()}});
    let token = stage
        .key
        .token(&claims_with(stage.issuer.name(), AUDIENCE, bound));
    let to = envoy.address();
    let holder = Holder { client, token, to };
    let first = holder.send(&holder.request("/a", json!({}))).expect(401);
    let nonce = first.header("dpop-nonce").expect("a nonce");
    for (path, passes) in [
        ("/a", true),
        ("/open", true),
        ("/without", true),
        ("/same", true),
        // These documents accept no proof, and a bound token is never accepted without one.
        ("/ignore", false),
        ("/unproven", false),
    ] {
        let good = holder.request(path, json!({"nonce": nonce}));
        let expected = if passes { 200 } else { 401 };
        let answer = holder.send(&good).expect(expected);
        assert_eq!(answer.header("dpop-nonce"), None, "{path}");
        // The same proof again, whether the first one has passed or not.
        let _ = holder.send(&good).expect(401);
        for refused in [
            holder.request(path, json!({})),
            holder.request(path, json!({"nonce": "AAAA"})),
            holder.request(path, json!({"nonce": nonce, "iat": 1})),
            holder.request(path, json!({"nonce": nonce, "htm": "POST"})),
            holder.request(path, json!({"nonce": nonce, "ath": "AAAA"})),
            Request::get(path),
            Request::get(path).bearer(&holder.token),
            Request::get(path).bearer(&stage.token()),
        ] {
            let _ = holder.send(&refused).expect(401);
        }
        // Both judges ask for the nonce of the same process.
        let asked = holder.send(&holder.request(path, json!({}))).expect(401);
        assert_eq!(asked.all("dpop-nonce").len(), 1, "{path}");
    }
    let seen = stage.upstream.seen();
    let passed: Vec<_> = seen.iter().map(|seen| readable(&seen.target)).collect();
    assert_eq!(passed, ["/a", "/open", "/without", "/same"]);
}
