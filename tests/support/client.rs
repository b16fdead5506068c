//! The client of bound tokens: its key and its proofs of possession (RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};

use super::proofs::{claims, header, thumbprint};
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
