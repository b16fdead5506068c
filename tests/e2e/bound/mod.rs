//! Tokens that only their holder may present: bound to the certificate of a connection
//! with mutual TLS, and bound to a key.

mod certificate;
mod client;
mod flood;
mod nonces;

use serde_json::{Value, json};

use crate::support::tokens::TokenMaker;

const ISSUER: &str = "https://issuer.example.com";
const API: &str = "http://api.example.com";

/// A configuration whose provider accepts proofs. Every path needs a token.
fn accepting_proofs(key: &TokenMaker) -> Value {
    json!({
        "providers": [{
            "name": "main",
            "issuer": ISSUER,
            "audiences": ["api"],
            "jwks": {"inline": {"keys": [key.public_jwk()]}},
            "dpop": {"origins": [API], "algorithms": ["ES256"]},
        }],
        "routes": [{"match": "$default"}],
    })
}
