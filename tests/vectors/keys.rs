//! Keys of the vectors, in the form of documents that issuers publish.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_authz::crypto::{DEFAULT_TABLE_BUDGET, VerifyingKey};
use edge_authz::jwk::{KeyOrigin, KeySet, KeySetError, SkipReason};

pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<Key, SkipReason> {
    let (n, e) = (base64(n), base64(e));
    read(&format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#))
}

/// From an uncompressed point.
pub(crate) fn ec(curve: &str, point: &[u8]) -> Result<Key, SkipReason> {
    assert_eq!(point[0], 4);
    let (x, y) = point[1..].split_at(point.len() / 2);
    let (x, y) = (base64(x), base64(y));
    read(&format!(
        r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#
    ))
}

pub(crate) fn ed25519(x: &[u8]) -> Result<Key, SkipReason> {
    let x = base64(x);
    read(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#))
}

pub(crate) fn oct(k: &[u8]) -> Result<Key, SkipReason> {
    let k = base64(k);
    read(&format!(r#"{{"kty":"oct","k":"{k}"}}"#))
}

fn base64(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// A key without tables, as keys are that are not among the first of their set, and the
/// same key with tables, if there are any for its kind.
#[derive(Clone)]
pub(crate) struct Key {
    plain: KeySet,
    prepared: KeySet,
}

impl Key {
    pub(crate) fn plain(&self) -> &VerifyingKey {
        only(&self.plain)
    }

    pub(crate) fn prepared(&self) -> Option<&VerifyingKey> {
        let key = only(&self.prepared);
        assert_eq!(key.preparation().is_some(), key.is_prepared());
        key.is_prepared().then_some(key)
    }
}

fn only(set: &KeySet) -> &VerifyingKey {
    set.iter().next().unwrap().key()
}

/// From a JWK.
pub(crate) fn read(jwk: &str) -> Result<Key, SkipReason> {
    let (plain, prepared) = (parse(jwk)?, parse(jwk)?);
    prepared.prepare(&DEFAULT_TABLE_BUDGET);
    Ok(Key { plain, prepared })
}

fn parse(jwk: &str) -> Result<KeySet, SkipReason> {
    let document = format!(r#"{{"keys":[{jwk}]}}"#);
    match KeySet::parse(document.as_bytes(), KeyOrigin::Inline) {
        Ok(parsed) => Ok(parsed.set),
        Err(KeySetError::NoUsableKey { skipped }) => Err(skipped[0].reason),
        Err(error) => panic!("{error}"),
    }
}
