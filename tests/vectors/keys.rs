//! Keys of the vectors, in the form of documents that issuers publish.

use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_authz::crypto::{DEFAULT_TABLE_BUDGET, VerifyingKey};
use edge_authz::jwk::{KeyOrigin, KeySet, KeySetError, SkipReason};

pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<Prepared, SkipReason> {
    let (n, e) = (base64(n), base64(e));
    read(&format!(r#""kty":"RSA","n":"{n}","e":"{e}""#))
}

/// From an uncompressed point.
pub(crate) fn ec(curve: &str, point: &[u8]) -> Result<Prepared, SkipReason> {
    read(&ec_members(curve, point))
}

/// Like keys that are not among the first of their set: without a table.
pub(crate) fn ec_unprepared(curve: &str, point: &[u8]) -> VerifyingKey {
    let set = parse(&ec_members(curve, point)).unwrap();
    set.iter().next().unwrap().key().clone()
}

fn ec_members(curve: &str, point: &[u8]) -> String {
    assert_eq!(point[0], 4);
    let (x, y) = point[1..].split_at(point.len() / 2);
    let (x, y) = (base64(x), base64(y));
    format!(r#""kty":"EC","crv":"{curve}","x":"{x}","y":"{y}""#)
}

pub(crate) fn ed25519(x: &[u8]) -> Result<Prepared, SkipReason> {
    let x = base64(x);
    read(&format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#))
}

pub(crate) fn oct(k: &[u8]) -> Result<Prepared, SkipReason> {
    let k = base64(k);
    read(&format!(r#""kty":"oct","k":"{k}""#))
}

fn base64(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// A key in use: with its tables, while it is kept.
#[derive(Clone)]
pub(crate) struct Prepared(KeySet);

impl Deref for Prepared {
    type Target = VerifyingKey;

    fn deref(&self) -> &VerifyingKey {
        self.0.iter().next().unwrap().key()
    }
}

fn read(members: &str) -> Result<Prepared, SkipReason> {
    let set = parse(members)?;
    set.prepare(&DEFAULT_TABLE_BUDGET);
    Ok(Prepared(set))
}

fn parse(members: &str) -> Result<KeySet, SkipReason> {
    let document = format!(r#"{{"keys":[{{{members}}}]}}"#);
    match KeySet::parse(document.as_bytes(), KeyOrigin::Inline) {
        Ok(parsed) => Ok(parsed.set),
        Err(KeySetError::NoUsableKey { skipped }) => Err(skipped[0].reason),
        Err(error) => panic!("{error}"),
    }
}
