//! Nonces of the server in proofs of possession, behind each proxy.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::authorizer;
use crate::proxies::{Proxy, Site};
use crate::scenarios::{ISSUER, configuration, for_each, send};
use crate::support::client::Client;
use crate::support::echo::Echo;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::tokens::{TokenMaker, claims_with};

const ME: &str = "http://api.example.com/me";

/// The documentation says that a fresh nonce is in an answer with 200, and that each proxy
/// passes it on to the client in the place of the upstream's own.
#[test]
fn a_fresh_nonce_is_in_an_allowed_answer_before_the_clients_nonce_ends() {
    for_each(|kind| {
        let key = TokenMaker::generate("RS256", "first");
        let issuer = Issuer::with_keys(&[&key]);
        let document = configuration(issuer.address(), "required");
        let mut document: Value = serde_json::from_str(&document).expect("JSON");
        document["providers"][0]["dpop"] = json!({
            "origins": ["http://api.example.com"], "algorithms": ["ES256"], "nonce": "10s",
        });
        let authorizer = authorizer(kind, &document.to_string());
        let upstream = Echo::start();
        let proxy = Proxy::start(kind, &[Site::new(authorizer.address)], upstream.address());
        authorizer.wait_until_ready();
        let client = Client::new();
        let bound = json!({"cnf": {"jkt": client.thumbprint()}});
        let token = key.token(&claims_with(ISSUER, "api", bound));
        let ask = |nonce: &str| {
            let proof = client.proof_with(ME, &token, json!({"nonce": nonce}));
            let request = Request::get("/me")
                .header("dpop", proof)
                .header("authorization", format!("DPoP {token}"))
                .header("x-echo-header", "DPoP-Nonce: theirs");
            send(proxy.address(), &request)
        };
        let first = ask("none").expect(401).header("dpop-nonce");
        let first = first.expect("a nonce");
        assert_eq!(ask(&first).expect(200).header("dpop-nonce"), None);
        thread::sleep(Duration::from_secs(6));
        let fresh = ask(&first).expect(200).all("dpop-nonce");
        assert_eq!(fresh.len(), 1, "{}: {fresh:?}", kind.name());
        assert!(![first.as_str(), "theirs"].contains(&fresh[0].as_str()));
        thread::sleep(Duration::from_secs(5));
        ask(&fresh[0]).expect(200);
        ask(&first).expect(401);
    });
}
