//! Configurations with many keys in them.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{IN_FORCE, PROVIDER, list, long_paths, with_provider};

/// As many providers as fit, each with a key set of its own of up to 256 keys, which is
/// the maximum of a set.
fn inline(
    size: usize,
    algorithm: &str,
    key: fn(usize) -> Value,
    write: fn(&Value) -> String,
) -> String {
    let providers = list(size, 1_000, |number, text| {
        let first = key(number * 256).to_string().len();
        let most = (400_000.min(size) / first).clamp(1, 256);
        let keys: Vec<_> = (0..most).map(|each| key(number * 256 + each)).collect();
        let keys = write(&json!({ "keys": keys }));
        let _ = write!(
            text,
            r#"{{"name":"p{number}","issuer":"https://issuer-{number}.example.com","audiences":["api"],"algorithms":["{algorithm}"],"jwks":{{"inline":{keys}}}}}"#
        );
    });
    format!(r#"{{"providers":[{providers}],"routes":[{IN_FORCE}]}}"#)
}

/// The text of a key set, as a string in the configuration.
fn as_text(keys: &Value) -> String {
    json!(keys.to_string()).to_string()
}

pub(super) fn inline_secrets(size: usize) -> String {
    inline(size, "HS256", secret, Value::to_string)
}

pub(super) fn inline_secrets_as_text(size: usize) -> String {
    inline(size, "HS256", secret, as_text)
}

pub(super) fn inline_members(size: usize) -> String {
    inline(size, "HS256", secret_with_members, Value::to_string)
}

pub(super) fn inline_members_as_text(size: usize) -> String {
    inline(size, "HS256", secret_with_members, as_text)
}

pub(super) fn inline_rsa(size: usize) -> String {
    inline(size, "RS256", rsa, Value::to_string)
}

pub(super) fn inline_rsa_as_text(size: usize) -> String {
    inline(size, "RS256", rsa, as_text)
}

pub(super) fn inline_ed25519_as_text(size: usize) -> String {
    inline(size, "EdDSA", ed25519, as_text)
}

pub(super) fn inline_p256_as_text(size: usize) -> String {
    inline(size, "ES256", p256, as_text)
}

/// Long enough for each hash function, so that states are kept for all three.
fn secret(number: usize) -> Value {
    let mut secret = [7; 64];
    secret[..8].copy_from_slice(&(number as u64).to_be_bytes());
    json!({"kty": "oct", "k": crate::support::tokens::encode(secret)})
}

/// With unused members.
fn secret_with_members(number: usize) -> Value {
    let mut key = secret(number);
    for member in 0..100 {
        key[format!("x{member:x}")] = json!(member);
    }
    key
}

/// Any odd number of 2048 bits is accepted as a modulus.
fn rsa(number: usize) -> Value {
    let mut modulus = [0x5a; 256];
    modulus[0] = 0x80;
    modulus[1..9].copy_from_slice(&(number as u64).to_be_bytes());
    modulus[255] = 1;
    json!({"kty": "RSA", "n": crate::support::tokens::encode(modulus), "e": "AQAB"})
}

fn p256(_: usize) -> Value {
    let mut key = crate::support::tokens::TokenMaker::generate("ES256", "k").public_jwk();
    let members = key.as_object_mut().expect("a key");
    members.retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
    key
}

/// Public keys that get tables, followed by a large amount of data to compile.
pub(crate) fn fast_keys_and_long_paths(size: usize) -> String {
    let providers = list(usize::MAX, 60, |number, text| {
        let keys: Vec<_> = (0..8).map(|key| ed25519(number * 8 + key)).collect();
        let keys = json!({ "keys": keys });
        let _ = write!(
            text,
            r#"{{"name":"p{number}","issuer":"https://issuer-{number}.example.com","audiences":["api"],"jwks":{{"inline":{keys}}}}}"#
        );
    });
    long_paths(size).replace(PROVIDER, &providers)
}

fn ed25519(number: usize) -> Value {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
    let x = crate::support::tokens::encode(pair.public_key().as_ref());
    json!({"kty": "OKP", "crv": "Ed25519", "x": x})
}

pub(super) fn inline_numbers(size: usize) -> String {
    let zeros = list(size.min(500_000), usize::MAX, |_, text| text.push('0'));
    with_provider(&format!(
        r#""audiences":["api"],"jwks":{{"inline":{{"keys":[{zeros}]}}}}"#
    ))
}

pub(super) fn inline_text_of_numbers(size: usize) -> String {
    let zeros = list(size.min(500_000), usize::MAX, |_, text| text.push('0'));
    with_provider(&format!(
        r#""audiences":["api"],"jwks":{{"inline":"{{\"keys\":[{zeros}]}}"}}"#
    ))
}

pub(super) fn inline_text_of_objects(size: usize) -> String {
    let objects = list(size.min(500_000), usize::MAX, |_, text| {
        text.push_str(r#"{\"\":0}"#);
    });
    with_provider(&format!(
        r#""audiences":["api"],"jwks":{{"inline":"{{\"keys\":[{objects}]}}"}}"#
    ))
}

pub(super) fn inline_objects(size: usize) -> String {
    let objects = list(size.min(500_000), usize::MAX, |_, text| {
        text.push_str(r#"{"":0}"#);
    });
    with_provider(&format!(
        r#""audiences":["api"],"jwks":{{"inline":{{"keys":[{objects}]}}}}"#
    ))
}
