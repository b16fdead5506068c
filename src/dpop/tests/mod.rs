//! The examples of RFC 9449, and one proof for each check. The proofs are signed by a
//! library that the module does not use.

mod nonces;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::*;
use crate::crypto::NoHostSignatures;
use crate::json;
use crate::jwk::{Jwk, Thumbprint};
use crate::jws::Jws;
use crate::time::UnixTime;

const NOW: i64 = 1_800_000_000;
const TOKEN: &[u8] = b"header.claims.signature";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rules(origin: &str) -> ProofRules {
    ProofRules {
        origins: vec![
            Origin::parse("https://other.example").unwrap(),
            Origin::parse(origin).unwrap(),
        ],
        algorithms: ProofRules::DEFAULT_ALGORITHMS.into_iter().collect(),
        max_age: ProofRules::DEFAULT_MAX_AGE,
        nonce: None,
        kept_for: ProofRules::DEFAULT_MAX_AGE,
    }
}

/// A client with one key.
struct Client {
    pair: EcdsaKeyPair,
    jwk: String,
}

impl Client {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let jwk = format!(
            r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#,
            encode(x),
            encode(y)
        );
        Self { pair, jwk }
    }

    fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&json::object(self.jwk.as_bytes(), 4).unwrap()).unwrap()
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        format!("{signed}.{}", encode(signature.unwrap().as_ref()))
    }

    fn header(&self) -> String {
        format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{}}}"#, self.jwk)
    }

    fn proof(&self, claims: &str) -> String {
        self.sign(&self.header(), claims)
    }
}

fn claims() -> String {
    let ath = encode(Sha256::digest(TOKEN));
    format!(
        r#"{{"jti":"a","htm":"GET","htu":"https://api.example/pets","iat":{NOW},"ath":"{ath}"}}"#
    )
}

/// A request for pets at the time [`NOW`], with a token that is bound to this key.
fn shown(key: &Thumbprint) -> Shown<'_> {
    Shown {
        method: b"GET",
        path: b"/pets",
        token: TOKEN,
        key,
        nonces: &Nonces::Unavailable,
        now: UnixTime::from_secs(NOW),
    }
}

fn check_at(proof: &str, client: &Client, now: i64) -> Result<Proof, ProofError> {
    let key = client.thumbprint();
    let shown = Shown {
        path: b"/pets?limit=1",
        now: UnixTime::from_secs(now),
        ..shown(&key)
    };
    rules("https://api.example").check(proof.as_bytes(), &shown, &NoHostSignatures)
}

fn check(proof: &str, client: &Client) -> Result<(), ProofError> {
    check_at(proof, client, NOW).map(|_| ())
}

/// The members of a good header besides `jwk`.
const GOOD: &str = r#""typ":"dpop+jwt","alg":"ES256""#;

const KEY_OF_RFC_9449: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

#[test]
fn the_example_for_a_resource_is_accepted() {
    // RFC 9449 section 7.1.
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let key = Thumbprint::parse(KEY_OF_RFC_9449).unwrap();
    let shown = Shown {
        method: b"GET",
        path: b"/protectedresource",
        token: b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
        key: &key,
        nonces: &Nonces::Unavailable,
        now: UnixTime::from_secs(1_562_262_618),
    };
    let rules = rules("https://resource.example.org");
    let check = |shown| rules.check(proof.as_bytes(), &shown, &NoHostSignatures);
    assert!(check(shown).is_ok());
    let token = &b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxV"[..];
    assert_eq!(check(Shown { token, ..shown }), Err(ProofError::TokenHash));
    let now = UnixTime::from_secs(1_562_262_618 + 61);
    assert_eq!(check(Shown { now, ..shown }), Err(ProofError::Expired));
}

#[test]
fn the_example_for_a_token_request_is_signed_and_is_not_for_a_resource() {
    // RFC 9449 section 4.1. It has no `ath`.
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let (jws, _) = Jws::parse(proof.as_bytes(), None).unwrap();
    let header = URL_SAFE_NO_PAD.decode(jws.header().text()).unwrap();
    let key = json::object(&header, 4).unwrap().get("jwk").unwrap();
    assert_eq!(
        Thumbprint::of(&key.members().unwrap()),
        Thumbprint::parse(KEY_OF_RFC_9449)
    );
    let key = Jwk::public(key).unwrap();
    assert!(jws.verify(&key, &NoHostSignatures).is_some());
    let key = Thumbprint::parse(KEY_OF_RFC_9449).unwrap();
    let shown = Shown {
        method: b"POST",
        path: b"/token",
        token: b"",
        key: &key,
        nonces: &Nonces::Unavailable,
        now: UnixTime::from_secs(1_562_262_616),
    };
    let checked =
        rules("https://server.example.com").check(proof.as_bytes(), &shown, &NoHostSignatures);
    assert_eq!(checked, Err(ProofError::Claims));
}

#[test]
fn each_check_of_the_header_refuses_a_proof() {
    let client = Client::new();
    assert_eq!(check(&client.proof(&claims()), &client), Ok(()));
    let jwk = &*client.jwk;
    let with = |member: &str| jwk.replacen('{', &format!("{{{member},"), 1);
    let other_key = Client::new().jwk;
    for (members, key, expected) in [
        (r#""alg":"ES256""#, jwk, ProofError::Type),
        (r#""typ":"JWT","alg":"ES256""#, jwk, ProofError::Type),
        (
            r#""typ":"dpop+jwt","alg":"none""#,
            jwk,
            ProofError::Algorithm,
        ),
        (
            r#""typ":"dpop+jwt","alg":"HS256""#,
            jwk,
            ProofError::Algorithm,
        ),
        (
            r#""typ":"dpop+jwt","alg":"ES384""#,
            jwk,
            ProofError::Algorithm,
        ),
        // Accepted, but for another kind of key.
        (r#""typ":"dpop+jwt","alg":"EdDSA""#, jwk, ProofError::Key),
        (GOOD, r#""x""#, ProofError::Key),
        (GOOD, "{}", ProofError::Key),
        (GOOD, &other_key, ProofError::OtherKey),
        (GOOD, &with(r#""d":"AA""#), ProofError::Key),
        (GOOD, &with(r#""alg":"ES384""#), ProofError::Key),
        (GOOD, &with(r#""kty":"EC""#), ProofError::Malformed),
        (
            r#""typ":"dpop+jwt","alg":"ES256","crit":["x"]"#,
            jwk,
            ProofError::Malformed,
        ),
    ] {
        let header = format!(r#"{{{members},"jwk":{key}}}"#);
        let proof = client.sign(&header, &claims());
        assert_eq!(check(&proof, &client), Err(expected), "{header}");
    }
    let without = client.sign(&format!("{{{GOOD}}}"), &claims());
    assert_eq!(check(&without, &client), Err(ProofError::Key));
    let typ = format!(r#"{{"typ":"application/DPoP+JWT","alg":"ES256","jwk":{jwk}}}"#);
    assert_eq!(check(&client.sign(&typ, &claims()), &client), Ok(()));
    // Without its own key's signature.
    let other = Client::new();
    let forged = other.sign(&client.header(), &claims());
    assert_eq!(check(&forged, &client), Err(ProofError::Signature));
}

#[test]
fn each_check_of_the_claims_refuses_a_proof() {
    let client = Client::new();
    let ath = encode(Sha256::digest(b"another"));
    let good_ath = encode(Sha256::digest(TOKEN));
    for (member, other, expected) in [
        (r#""jti":"a","#, "", ProofError::Claims),
        (r#""jti":"a""#, r#""jti":"""#, ProofError::Claims),
        (r#""jti":"a""#, r#""jti":1"#, ProofError::Claims),
        (r#""htm":"GET","#, "", ProofError::Claims),
        (r#""htm":"GET""#, r#""htm":"POST""#, ProofError::Method),
        (r#""htm":"GET""#, r#""htm":"get""#, ProofError::Method),
        (r#""htm":"GET""#, r#""htm":["GET"]"#, ProofError::Claims),
        ("/pets", "/pets/", ProofError::Uri),
        ("/pets", "/Pets", ProofError::Uri),
        ("/pets", "/pets/x/%2e%2e", ProofError::Uri),
        ("https://api", "http://api", ProofError::Uri),
        ("https://api", "https://x@api", ProofError::Uri),
        ("api.example", "evil.example", ProofError::Uri),
        ("api.example", "api.example:8443", ProofError::Uri),
        ("https://api.example", "", ProofError::Uri),
        (r#""iat":1800000000,"#, "", ProofError::Claims),
        ("1800000000", r#""1800000000""#, ProofError::Claims),
        ("1800000000", "1799999939", ProofError::Expired),
        ("1800000000", "1799999939.999", ProofError::Expired),
        ("1800000000", "1800000061", ProofError::NotYetValid),
        ("1800000000", "1800000060.001", ProofError::NotYetValid),
        (&*good_ath, &*ath, ProofError::TokenHash),
        (&*good_ath, "", ProofError::Claims),
        (r#","ath""#, r#","hta""#, ProofError::Claims),
        (r#""jti""#, r#""exp":1800000000,"jti""#, ProofError::Expired),
        (r#""jti""#, r#""exp":"x","jti""#, ProofError::Claims),
        (
            r#""jti""#,
            r#""nbf":1800000061,"jti""#,
            ProofError::NotYetValid,
        ),
        (r#""jti""#, r#""iat":1,"jti""#, ProofError::Malformed),
    ] {
        let claims = claims().replacen(member, other, 1);
        let proof = client.proof(&claims);
        assert_eq!(check(&proof, &client), Err(expected), "{claims}");
    }
    for (member, other) in [
        ("1800000000", "1799999940"),
        ("1800000000", "1.80000006e9"),
        ("https://api", "HTTPS://API"),
        ("api.example", "api.example:443"),
        ("/pets", "/%70ets?other=1#x"),
        ("/pets", "/x/../pets"),
        (r#""jti""#, r#""exp":1800000001,"jti""#),
    ] {
        let claims = claims().replacen(member, other, 1);
        assert_eq!(check(&client.proof(&claims), &client), Ok(()), "{claims}");
    }
}

#[test]
fn the_form_is_that_of_a_token() {
    let client = Client::new();
    let proof = client.proof(&claims());
    let (start, signature) = proof.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        "x".into(),
        start.into(),
        format!("{start}.."),
        format!("{proof}="),
        format!("{proof}.x"),
        format!("{proof},{proof}"),
        format!("{start}.{signature} "),
    ] {
        assert_eq!(check(&bad, &client), Err(ProofError::Malformed), "{bad}");
    }
    let long = "x".repeat(MAX_PROOF_BYTES + 1);
    assert_eq!(check(&long, &client), Err(ProofError::TooLong));
}

#[test]
fn a_proof_is_identified_by_its_key_and_jti_until_it_can_no_longer_be_accepted() {
    let (client, other) = (Client::new(), Client::new());
    let proof = |client: &Client, jti: &str, iat: i64| {
        let claims = claims()
            .replacen(r#""a""#, &format!("\"{jti}\""), 1)
            .replacen("1800000000", &iat.to_string(), 1);
        check_at(&client.proof(&claims), client, NOW).unwrap()
    };
    let first = proof(&client, "a", NOW);
    assert_eq!(proof(&client, "a", NOW - 5).id, first.id);
    assert_ne!(proof(&client, "b", NOW).id, first.id);
    assert_ne!(proof(&other, "a", NOW).id, first.id);
    assert_ne!(first.id.within(1), first.id);
    for (iat, until) in [(NOW, 60), (NOW - 50, 60), (NOW + 60, 120)] {
        let until = UnixTime::from_secs(NOW + until);
        assert_eq!(proof(&client, "a", iat).until, until);
    }
}

#[test]
fn every_description_is_allowed_in_a_challenge() {
    for error in [
        ProofError::Missing,
        ProofError::Claims,
        ProofError::NonceMissing,
        ProofError::NonceUnknown,
        ProofError::NonceExpired,
        ProofError::Used,
    ] {
        let text = error.description();
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        assert!(!text.contains(['"', '\\']));
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_proof_is_remembered_as_long_as_other_rules_accept_it() {
    let client = Client::new();
    let key = client.thumbprint();
    let rules = ProofRules {
        kept_for: std::time::Duration::from_mins(10),
        ..rules("https://api.example")
    };
    let proof = client.proof(&claims());
    let proof = rules.check(proof.as_bytes(), &shown(&key), &NoHostSignatures);
    assert_eq!(proof.unwrap().until, UnixTime::from_secs(NOW + 600));
}
