//! Nonces of this server (RFC 9449, section 9).

use super::*;

#[test]
fn a_proof_needs_a_fresh_nonce_of_this_server_if_the_rules_say_so() {
    use std::sync::Arc;
    use std::time::Duration;

    let client = Client::new();
    let key = client.thumbprint();
    let rules = ProofRules {
        nonce: Some(Duration::from_secs(40)),
        ..rules("https://api.example")
    };
    let at = |secs| UnixTime::from_secs(NOW + secs);
    let keys = NonceKeys::starting(at(-60), [[1; 32], [2; 32]]);
    let nonce = |secs| keys.issue(at(secs)).unwrap();
    let other = NonceKeys::starting(at(-60), [[3; 32], [4; 32]]);
    let other = other.issue(at(0)).unwrap();
    let nonces = Nonces::Of(Arc::new(keys.clone()));
    let check_with = |member: &str, nonces: &Nonces| {
        let proof = client.proof(&claims().replace(r#""jti""#, &format!(r#"{member}"jti""#)));
        let shown = Shown {
            nonces,
            ..shown(&key)
        };
        let checked = rules.check(proof.as_bytes(), &shown, &NoHostSignatures);
        checked.map(|proof| proof.renews_nonce)
    };
    let with = |nonce: &str| format!(r#""nonce":"{nonce}","#);
    for (member, expected) in [
        (String::new(), Err(ProofError::NonceMissing)),
        (with(""), Err(ProofError::NonceUnknown)),
        (with("a"), Err(ProofError::NonceUnknown)),
        (with(&other), Err(ProofError::NonceUnknown)),
        (with(&nonce(-41)), Err(ProofError::NonceExpired)),
        (with(&nonce(-40)), Ok(true)),
        (with(&nonce(-20)), Ok(false)),
        (with(&nonce(0)), Ok(false)),
        (with(&nonce(2)), Err(ProofError::NonceUnknown)),
        (
            format!(r#""nonce":["{}"],"#, nonce(0)),
            Err(ProofError::NonceUnknown),
        ),
        (r#""nonce":null,"#.to_owned(), Err(ProofError::NonceUnknown)),
        (r#""nonce":1,"#.to_owned(), Err(ProofError::NonceUnknown)),
        (with(&nonce(0)).repeat(2), Err(ProofError::Malformed)),
    ] {
        assert_eq!(check_with(&member, &nonces), expected, "{member}");
    }
    let good = with(&nonce(0));
    let unavailable = Err(ProofError::NonceUnavailable);
    assert_eq!(check_with(&good, &Nonces::Unavailable), unavailable);
    assert_eq!(check_with("", &Nonces::Unavailable), unavailable);
    assert_eq!(check_with(&with("x"), &Nonces::Unchecked), Ok(false));
    let missing = Err(ProofError::NonceMissing);
    assert_eq!(check_with("", &Nonces::Unchecked), missing);
}

#[test]
fn without_a_rule_the_nonce_of_a_proof_does_not_matter() {
    let client = Client::new();
    for nonce in [r#""x""#, "null", "[1]"] {
        let claims = claims().replace(r#""jti""#, &format!(r#""nonce":{nonce},"jti""#));
        let proof = check_at(&client.proof(&claims), &client, NOW).unwrap();
        assert!(!proof.renews_nonce);
    }
}
