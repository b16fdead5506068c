//! Verification of signatures.

use super::*;
use crate::crypto::Algorithm;

#[test]
fn only_a_valid_signature_gives_a_verified_token() {
    let good = sign(HEADER, CLAIMS);
    let token = verify(&good).unwrap();
    assert_eq!(token.algorithm(), Algorithm::Hs256);
    assert_eq!(token.kid(), Some("k1"));
    assert_eq!(token.issuer(), "https://issuer.example");
    assert_eq!(token.expires(), UnixTime::from_secs(EXP));
    let key = keys(r#""kid":"k1","alg":"HS256""#);
    let key = key.iter().next().unwrap();
    assert_eq!(token.fingerprint(), key.key().fingerprint());

    let other = sign(HEADER, claims_with(r#""sub":"mallory""#));
    let signature = good.rsplit('.').next().unwrap();
    let (text, _) = other.rsplit_once('.').unwrap();
    assert!(verify(&format!("{text}.{signature}")).is_none());
    let (text, _) = good.rsplit_once('.').unwrap();
    assert!(verify(&format!("{text}.AAAA")).is_none());
}

#[test]
fn every_change_of_one_byte_is_refused() {
    let good = sign(HEADER, CLAIMS);
    for at in 0..good.len() {
        for flip in [1, 2, 4, 8, 16, 32] {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= flip;
            let text = String::from_utf8(bytes).unwrap();
            let refused = UnverifiedJwt::parse(text.as_bytes()).is_err() || verify(&text).is_none();
            assert!(refused, "{text}");
        }
        let (cut, _) = good.split_at(at);
        assert!(UnverifiedJwt::parse(cut.as_bytes()).is_err() || verify(cut).is_none());
    }
}

#[test]
fn the_signed_text_is_the_received_text() {
    // Another encoding of the same header is another text.
    let spaced = r#"{"alg":"HS256", "kid":"k1"}"#;
    assert!(verify(&sign(spaced, CLAIMS)).is_some());
    let good = sign(HEADER, CLAIMS);
    let (_, rest) = good.split_once('.').unwrap();
    assert!(verify(&format!("{}.{rest}", encode(spaced))).is_none());
}

#[test]
fn the_key_decides_the_algorithm() {
    let token = sign(HEADER, CLAIMS);
    let token = UnverifiedJwt::parse(token.as_bytes()).unwrap();
    let any = keys(r#""kid":"k1""#);
    let verified = token.verify(any.iter().next().unwrap(), &NoHostSignatures);
    assert!(verified.is_some());
    // The header says HS384, but the signature is HS256: the key is for one
    // algorithm.
    let other = sign(r#"{"alg":"HS384"}"#, CLAIMS);
    assert!(verify(&other).is_none());
}

#[test]
fn the_memory_of_a_token_includes_everything_it_stores() {
    let small = verified(CLAIMS).memory_bytes();
    assert!(small > size_of::<VerifiedJwt>() + CLAIMS.len());
    let text = "x".repeat(4_000);
    let large = verified(&claims_with(&format!("\"x\":\"{text}\""))).memory_bytes();
    assert!(large >= small + 4_000);
    let many: Vec<_> = (0..500).map(|index| format!("\"{index}\":0")).collect();
    let many = verified(&claims_with(&many.join(","))).memory_bytes();
    assert!(many >= small + 500 * 4 * size_of::<usize>());
    let audience = vec!["\"a\""; 500].join(",");
    let audience = verified(&claims_with(&format!("\"aud\":[{audience}]"))).memory_bytes();
    assert!(audience >= small + 500 * size_of::<Box<str>>());
    // The header stores its text, and these members once more.
    let members = format!(r#""kid":"{0}","typ":"{0}""#, "x".repeat(1_000));
    let header = format!(r#"{{"alg":"HS256",{members}}}"#);
    let any = keys(r#""alg":"HS256""#);
    let token = sign(&header, CLAIMS);
    let token = UnverifiedJwt::parse(token.as_bytes()).unwrap();
    let named = token.verify(any.iter().next().unwrap(), &NoHostSignatures);
    let stored = encode(&header).len() - encode(HEADER).len() + 2 * 1_000 - "k1".len();
    assert_eq!(named.unwrap().memory_bytes(), small + stored);
}

#[test]
fn debugging_shows_nothing_of_a_token() {
    let text = sign(HEADER, CLAIMS);
    let unverified = UnverifiedJwt::parse(text.as_bytes()).unwrap();
    assert_eq!(format!("{unverified:?}"), "UnverifiedJwt(HS256)");
    let token = verified(CLAIMS);
    assert_eq!(format!("{token:?}"), "VerifiedJwt(HS256)");
}
