use super::*;
use crate::crypto::{Algorithm, KeyError};

#[test]
fn every_key_type_is_read() {
    let set = set(&[EC, RSA, OKP, OCT]);
    assert_eq!(set.len(), 4);
    let fitting = |algorithm| set.iter().filter(|key| key.serves(algorithm)).count();
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Ps512,
        Algorithm::EdDsa,
        Algorithm::Hs512,
    ] {
        assert_eq!(fitting(algorithm), 1, "{algorithm}");
    }
    assert_eq!(fitting(Algorithm::Es384), 0);
}

#[test]
fn a_key_is_used_only_for_its_stated_purpose() {
    for (more, expected) in [
        (r#""use":"sig""#, None),
        (r#""key_ops":["sign","verify"]"#, None),
        (r#""use":"enc""#, Some(SkipReason::NotForSignatures)),
        (r#""use":"SIG""#, Some(SkipReason::NotForSignatures)),
        (r#""use":"""#, Some(SkipReason::NotForSignatures)),
        (
            r#""use":["sig"]"#,
            Some(SkipReason::WrongType { member: "use" }),
        ),
        (
            r#""use":null"#,
            Some(SkipReason::WrongType { member: "use" }),
        ),
        (r#""key_ops":["sign"]"#, Some(SkipReason::NotForVerifying)),
        (r#""key_ops":[]"#, Some(SkipReason::NotForVerifying)),
        (
            r#""key_ops":"verify""#,
            Some(SkipReason::WrongType { member: "key_ops" }),
        ),
        (
            r#""key_ops":["verify",1]"#,
            Some(SkipReason::WrongType { member: "key_ops" }),
        ),
        (r#""alg":"ES256""#, None),
        (r#""alg":"ESP256""#, None),
        (r#""alg":"ES384""#, Some(SkipReason::AlgorithmDoesNotFit)),
        (r#""alg":"RS256""#, Some(SkipReason::AlgorithmDoesNotFit)),
        (r#""alg":"HS256""#, Some(SkipReason::AlgorithmDoesNotFit)),
        (r#""alg":"ES521""#, Some(SkipReason::UnknownAlgorithm)),
        (r#""alg":"none""#, Some(SkipReason::UnknownAlgorithm)),
        (r#""alg":"ECDH-ES""#, Some(SkipReason::UnknownAlgorithm)),
        (
            r#""alg":256"#,
            Some(SkipReason::WrongType { member: "alg" }),
        ),
        (
            r#""alg":null"#,
            Some(SkipReason::WrongType { member: "alg" }),
        ),
        (r#""kid":"""#, None),
        (r#""kid":7"#, Some(SkipReason::WrongType { member: "kid" })),
        (
            r#""kid":null"#,
            Some(SkipReason::WrongType { member: "kid" }),
        ),
    ] {
        assert_eq!(reason(&with(EC, more)), expected, "{more}");
    }
}

#[test]
fn a_key_with_an_algorithm_is_used_for_no_other() {
    let set = set(&[
        &with(RSA, r#""alg":"PS256""#),
        &with(OKP, r#""alg":"Ed25519""#),
    ]);
    for algorithm in Algorithm::ALL {
        let expected = matches!(algorithm, Algorithm::Ps256 | Algorithm::EdDsa);
        assert_eq!(
            set.iter().any(|key| key.serves(algorithm)),
            expected,
            "{algorithm}"
        );
    }
    let named: Vec<_> = set.iter().map(Jwk::algorithm).collect();
    assert_eq!(named, [Some(Algorithm::Ps256), Some(Algorithm::EdDsa)]);
    let free = parse(&document(&[EC])).unwrap().set;
    assert_eq!(free.iter().next().and_then(Jwk::algorithm), None);
}

#[test]
fn coordinates_are_complete_canonical_and_on_the_curve() {
    let missing = |member| Some(SkipReason::Missing { member });
    let base64 = |member| Some(SkipReason::NotBase64Url { member });
    let wrong = |member| Some(SkipReason::WrongType { member });
    let weak = |error| Some(SkipReason::Material(error));
    for (members, expected) in [
        (EC.replace(r#""crv":"P-256","#, ""), missing("crv")),
        (
            EC.replace("P-256", "secp256k1"),
            Some(SkipReason::UnknownCurve),
        ),
        (EC.replace("P-256", "p-256"), Some(SkipReason::UnknownCurve)),
        (
            EC.replace("P-256", "P-384"),
            weak(KeyError::CoordinateLength),
        ),
        (
            EC.replace(r#""EC""#, r#""ec""#),
            Some(SkipReason::UnknownKeyType),
        ),
        (EC.replace(r#""EC""#, "1"), wrong("kty")),
        (EC.replace(r#""x""#, r#""z""#), missing("x")),
        (EC.replace(r#""y""#, r#""z""#), missing("y")),
        (EC.replace("yM\"", "yM=\""), base64("y")),
        // The same bytes with non-zero trailing bits.
        (EC.replace("yM\"", "yN\""), base64("y")),
        (EC.replace("yM\"", "yM\\n\""), base64("y")),
        (EC.replace("4Etl", "+Etl"), base64("y")),
        (EC.replace("4Etl", "5Etl"), weak(KeyError::OffCurve)),
        (
            EC.replace("Tu6KPAqv7D4", "Tu6KPAqv"),
            weak(KeyError::CoordinateLength),
        ),
        (
            EC.replace("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", ""),
            weak(KeyError::CoordinateLength),
        ),
    ] {
        assert_eq!(reason(&members), expected, "{members}");
    }
}

#[test]
fn rsa_numbers_points_and_secrets_are_complete_and_strong() {
    let missing = |member| Some(SkipReason::Missing { member });
    let wrong = |member| Some(SkipReason::WrongType { member });
    let weak = |error| Some(SkipReason::Material(error));
    for (members, expected) in [
        (RSA.replace(r#""n""#, r#""m""#), missing("n")),
        (RSA.replace(r#""e""#, r#""f""#), missing("e")),
        (RSA.replace(r#""AQAB""#, "65537"), wrong("e")),
        (RSA.replace("AQAB", "AQ"), weak(KeyError::RsaExponent)),
        (RSA.replace("AQAB", "AAEAAQ"), None),
        (
            RSA.replace("0vx7", ""),
            weak(KeyError::RsaModulusSize { bits: 2023 }),
        ),
        (
            RSA.replace("KnqDKgw", "KnqDKgg"),
            weak(KeyError::RsaModulusEven),
        ),
        (
            OKP.replace("Ed25519", "X25519"),
            Some(SkipReason::UnknownCurve),
        ),
        (
            OKP.replace("Ed25519", "Ed448"),
            Some(SkipReason::UnknownCurve),
        ),
        (OCT.replace(r#""k""#, r#""q""#), missing("k")),
        (
            r#""kty":"oct","k":"""#.to_owned(),
            weak(KeyError::SecretTooShort),
        ),
        (
            with(
                r#""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8""#,
                r#""alg":"HS512""#,
            ),
            Some(SkipReason::AlgorithmDoesNotFit),
        ),
    ] {
        assert_eq!(reason(&members), expected, "{members}");
    }
}

#[test]
fn symmetric_keys_are_accepted_only_from_the_configuration() {
    let text = document(&[OCT, EC]);
    assert_eq!(parse(&text).unwrap().set.len(), 2);
    let fetched = KeySet::parse(text.as_bytes(), KeyOrigin::Fetched).unwrap();
    assert_eq!(fetched.set.len(), 1);
    assert_eq!(
        fetched.skipped,
        [SkippedKey {
            index: 0,
            reason: SkipReason::Symmetric
        }]
    );
    let error = KeySet::parse(document(&[OCT]).as_bytes(), KeyOrigin::Fetched).unwrap_err();
    let skipped = vec![SkippedKey {
        index: 0,
        reason: SkipReason::Symmetric,
    }];
    assert_eq!(error, KeySetError::NoUsableKey { skipped });
}

#[test]
fn a_published_private_key_is_used_as_a_public_key_and_reported() {
    let set = set(&[
        &with(OKP, r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#),
        EC,
    ]);
    let private: Vec<_> = set.iter().map(Jwk::has_private_part).collect();
    assert_eq!(private, [true, false]);
    assert!(!format!("{set:?}").contains("nWGxne"));
}

#[test]
fn every_curve_of_rfc_7518_has_keys() {
    // RFC 7520 section 3.1.
    let p521 = r#""kty":"EC","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1""#;
    assert_eq!(reason(p521), None);
    assert_eq!(reason(EC), None);
    let other = r#""kty":"EC","crv":"secp256k1","x":"AA","y":"AA""#;
    assert_eq!(reason(other), Some(SkipReason::UnknownCurve));
}
