//! Nonces of the server in proofs of possession.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{ISSUER, World, for_both};
use crate::support::client::Client;
use crate::support::http::Request;
use crate::support::tokens::claims_with;

const ME: &str = "http://api.example.com/me";

#[test]
#[ignore = "of the server"]
fn a_fresh_nonce_is_in_an_allowed_answer_before_the_clients_nonce_ends() {
    for_both(|by| {
        let world = World::with(
            by,
            |mut configuration| {
                configuration["providers"][0]["dpop"] = json!({
                    "origins": ["http://api.example.com"], "algorithms": ["ES256"], "nonce": "10s",
                });
                configuration
            },
            |server| vec![server],
        );
        let world = world.ready();
        let client = Client::new();
        let bound = json!({"cnf": {"jkt": client.thumbprint()}});
        let token = world.key.token(&claims_with(ISSUER, "api", bound));
        let request = |nonce: &str| {
            let proof = client.proof_with(ME, &token, json!({"nonce": nonce}));
            Request::get("/me")
                .header("dpop", proof)
                .header("authorization", format!("DPoP {token}"))
        };
        let refused = world.envoy.send(&request("none")).expect(401);
        let first = refused.header("dpop-nonce").expect("a nonce");
        let allowed = world.envoy.send(&request(&first)).expect(200);
        assert_eq!(allowed.header("dpop-nonce"), None);
        thread::sleep(Duration::from_secs(6));
        let allowed = world.envoy.send(&request(&first)).expect(200);
        let fresh = allowed.all("dpop-nonce");
        assert_eq!(fresh.len(), 1, "{by:?}: {allowed}");
        assert_ne!(fresh[0], first);
        thread::sleep(Duration::from_secs(5));
        world.envoy.send(&request(&fresh[0])).expect(200);
        world.envoy.send(&request(&first)).expect(401);
    });
}
