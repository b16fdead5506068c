//! The client of bound tokens: its key and its proofs of possession (RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::tokens::{TokenMaker, encode, now};

/// A client with a key of its own.
pub(crate) struct Client {
    maker: TokenMaker,
    point: [String; 2],
    /// The number of proofs so far.
    proofs: AtomicU64,
}

impl Client {
    /// A client with a new P-256 key.
    pub(crate) fn new() -> Self {
        let maker = TokenMaker::generate("ES256", "client");
        let key = maker.public_jwk();
        let member = |name: &str| key[name].as_str().expect("a coordinate").to_owned();
        Self {
            point: [member("x"), member("y")],
            maker,
            proofs: AtomicU64::new(0),
        }
    }

    fn point(&self) -> [&str; 2] {
        let [x, y] = &self.point;
        [x, y]
    }

    /// The `jkt` of the tokens that are bound to its key.
    pub(crate) fn thumbprint(&self) -> String {
        thumbprint(self.point())
    }

    /// A new proof for a GET.
    pub(crate) fn proof(&self, uri: &str, token: &str) -> String {
        self.proof_with(uri, token, json!({}))
    }

    /// A new proof for a GET with further claims.
    pub(crate) fn proof_with(&self, uri: &str, token: &str, more: Value) -> String {
        let number = self.proofs.fetch_add(1, Relaxed);
        let mut claims = claims(uri, token, number, now());
        let claims = claims.as_object_mut().expect("an object");
        let Value::Object(more) = more else {
            panic!("not an object: {more}");
        };
        claims.extend(more);
        let claims = serde_json::to_string(claims).expect("JSON");
        let signed = format!("{}.{}", header(self.point()), encode(claims));
        let signature = self.maker.sign(signed.as_bytes());
        format!("{signed}.{}", encode(signature))
    }
}

/// The thumbprint (RFC 7638) of a P-256 key with this `x` and `y`.
pub(crate) fn thumbprint([x, y]: [&str; 2]) -> String {
    let key = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    encode(Sha256::digest(key))
}

/// The header and the claims of an ES256 proof for a GET, without the signature. `number`
/// differs between proofs.
pub(crate) fn unsigned_proof(
    [x, y]: [&str; 2],
    uri: &str,
    token: &str,
    number: u64,
    now: u64,
) -> String {
    let claims = claims(uri, token, number, now);
    format!("{}.{}", header([x, y]), encode(claims.to_string()))
}

fn header([x, y]: [&str; 2]) -> String {
    let key = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    encode(json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key}).to_string())
}

fn claims(uri: &str, token: &str, number: u64, now: u64) -> Value {
    json!({
        "jti": format!("e1j3V-bKic8-{number:012}"),
        "htm": "GET",
        "htu": uri,
        "iat": now,
        "ath": encode(Sha256::digest(token)),
    })
}
