//! An issuer: two keys, and tokens signed by them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(super) const NAME: &str = "https://issuer.example";

/// An issuer with one key, which `verify_signature` can check too.
pub(super) struct Issuer {
    pair: EcdsaKeyPair,
    kid: &'static str,
}

impl Issuer {
    pub(super) fn new(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { pair, kid }
    }

    pub(super) fn jwks(&self) -> Value {
        let mut key = self.jwk();
        key["kid"] = self.kid.into();
        json!({"keys": [key]})
    }

    /// The public key with its required members only, as a thumbprint has them (RFC 7638
    /// section 3.2).
    pub(super) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "crv": "P-256",
            "kty": "EC",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        })
    }

    /// Alice's token, valid for an hour from `now`.
    pub(super) fn token(&self, now: u64) -> String {
        self.token_with(now, &json!({}))
    }

    pub(super) fn token_with(&self, now: u64, claims: &Value) -> String {
        let mut all = json!({
            "iss": NAME,
            "aud": "api",
            "sub": "alice",
            "exp": now + 3600,
        });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        self.sign(&json!({"alg": "ES256", "kid": self.kid}), &all)
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), text.as_bytes())
            .unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A configuration with inline keys.
pub(super) fn inline(issuer: &Issuer) -> String {
    configuration(&json!({"inline": issuer.jwks()})).to_string()
}

/// A configuration with fetched keys.
pub(super) fn fetched() -> String {
    configuration(&json!({"cluster": "idp", "uri": "https://issuer.example/jwks.json"})).to_string()
}

pub(super) fn configuration(jwks: &Value) -> Value {
    json!({
        "providers": [{"name": "idp", "issuer": NAME, "audiences": ["api"], "jwks": jwks}],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "routes": [
            {"match": "GET /public", "access": "public"},
            {"match": "ANY /private"},
            {"match": "GET /admin", "scopes": ["admin"]},
        ],
        "cors": {"allow_origins": ["https://app.example"]},
        "telemetry": {"filter_state": ["subject", "issuer", "provider", "route", "reason"]},
    })
}
