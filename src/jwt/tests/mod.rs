//! The tokens of these tests are signed by a library that the module does not
//! use.

mod binding;
mod check;
mod form;
mod header;
mod signature;
mod valid;

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::crypto::NoHostSignatures;
use crate::jwk::{KeyOrigin, KeySet};
use crate::time::UnixTime;

pub(super) const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// 2100-01-01T00:00:00Z
pub(super) const EXP: i64 = 4_102_444_800;

/// Claims that are well-formed and meet the default expectations.
pub(super) const CLAIMS: &str =
    r#"{"iss":"https://issuer.example","sub":"alice","aud":"api","exp":4102444800}"#;

pub(super) const HEADER: &str = r#"{"alg":"HS256","kid":"k1"}"#;

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Expectations that every well-formed token of the issuer meets, unless it is bound.
pub(super) fn anything() -> Expectations {
    Expectations {
        issuer: "https://issuer.example".into(),
        audiences: Audiences::Any,
        token_types: Expectations::default_token_types(),
        token_use: None,
        claims: Vec::new(),
        clock_skew: Duration::ZERO,
        binding: Binding::Any,
        max_lifetime: None,
    }
}

/// A token with these parts, encoded, and a valid HS256 signature.
pub(super) fn sign(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    sign_text(&format!("{}.{}", encode(header), encode(claims)))
}

/// `text` without any check, followed by a valid HS256 signature.
pub(super) fn sign_text(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    format!(
        "{text}.{}",
        encode(hmac::sign(&key, text.as_bytes()).as_ref())
    )
}

pub(super) fn keys(members: &str) -> KeySet {
    let secret = encode(SECRET);
    let set = format!(r#"{{"keys":[{{"kty":"oct","k":"{secret}",{members}}}]}}"#);
    KeySet::parse(set.as_bytes(), KeyOrigin::Inline)
        .unwrap()
        .set
}

pub(super) fn verify(token: &str) -> Option<VerifiedJwt> {
    let keys = keys(r#""kid":"k1","alg":"HS256""#);
    let token = UnverifiedJwt::parse(token.as_bytes()).unwrap();
    token.verify(keys.iter().next().unwrap(), &NoHostSignatures)
}

pub(super) fn verified(claims: &str) -> VerifiedJwt {
    verify(&sign(HEADER, claims)).unwrap()
}

pub(super) fn parse_error(token: impl AsRef<[u8]>) -> Option<TokenError> {
    UnverifiedJwt::parse(token.as_ref()).err()
}

/// Valid claims, with the member of this name replaced.
pub(super) fn claims_with(member: &str) -> String {
    let name = member.split(':').next().unwrap();
    let kept = [
        r#""iss":"https://issuer.example""#,
        r#""sub":"alice""#,
        r#""aud":"api""#,
        r#""exp":4102444800"#,
    ]
    .into_iter()
    .filter(|good| !good.starts_with(&format!("{name}:")));
    let members: Vec<_> = kept.chain([member]).collect();
    format!("{{{}}}", members.join(","))
}

pub(super) fn claims_without(name: &str) -> String {
    let without = claims_with(&format!("\"{name}\":0"));
    without.replace(&format!(",\"{name}\":0"), "")
}

pub(super) fn now() -> UnixTime {
    UnixTime::from_secs(1_800_000_000)
}
