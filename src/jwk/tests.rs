use super::*;
use crate::crypto::{Algorithm, KeyError};
use crate::json::Fault;

// RFC 7517 appendix A.1.
const EC: &str = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;
const RSA: &str = r#""kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB""#;
// RFC 8037 appendix A.2.
const OKP: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
const OCT: &str = r#""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow""#;

fn document(keys: &[&str]) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|members| format!("{{{members}}}"))
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn parse(document: &str) -> Result<ParsedKeySet, KeySetError> {
    KeySet::parse(document.as_bytes(), Source::Inline)
}

fn set(keys: &[&str]) -> KeySet {
    let parsed = parse(&document(keys)).unwrap();
    assert_eq!(parsed.skipped, []);
    parsed.set
}

/// What becomes of one key, beside one that is good.
fn reason(members: &str) -> Option<SkipReason> {
    let parsed = parse(&document(&[members, OKP])).unwrap();
    assert!(parsed.skipped.len() <= 1);
    parsed.skipped.first().map(|key| key.reason)
}

fn with(members: &str, more: &str) -> String {
    format!("{members},{more}")
}

fn kids(lookup: Lookup<'_>) -> Option<(Vec<Option<&str>>, bool)> {
    match lookup {
        Lookup::Candidates { keys, kid_known } => {
            Some((keys.into_iter().map(Jwk::kid).collect(), kid_known))
        }
        Lookup::UnknownKid | Lookup::NoFittingKey => None,
    }
}

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
fn a_key_that_cannot_be_used_never_hides_a_good_one() {
    let document = format!(
        r#"{{"more":1,"keys":[{{"kty":"X"}},null,[],{{{OKP},"kid":"a","x5c":["…"],"more":{{}}}},{{}}]}}"#
    );
    let parsed = parse(&document).unwrap();
    assert_eq!(parsed.set.len(), 1);
    assert_eq!(parsed.set.iter().next().unwrap().kid(), Some("a"));
    let skipped: Vec<_> = parsed
        .skipped
        .iter()
        .map(|key| (key.index, key.reason))
        .collect();
    assert_eq!(
        skipped,
        [
            (0, SkipReason::UnknownKeyType),
            (1, SkipReason::NotAnObject),
            (2, SkipReason::NotAnObject),
            (4, SkipReason::Missing { member: "kty" }),
        ]
    );
}

#[test]
fn a_key_serves_what_it_says_it_is_for() {
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
fn a_key_with_an_algorithm_serves_no_other() {
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
        // The same octets with stray bits at the end.
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
fn shared_keys_are_taken_from_the_configuration_only() {
    let text = document(&[OCT, EC]);
    assert_eq!(parse(&text).unwrap().set.len(), 2);
    let fetched = KeySet::parse(text.as_bytes(), Source::Fetched).unwrap();
    assert_eq!(fetched.set.len(), 1);
    assert_eq!(
        fetched.skipped,
        [SkippedKey {
            index: 0,
            reason: SkipReason::Symmetric
        }]
    );
    let error = KeySet::parse(document(&[OCT]).as_bytes(), Source::Fetched).unwrap_err();
    let skipped = vec![SkippedKey {
        index: 0,
        reason: SkipReason::Symmetric,
    }];
    assert_eq!(error, KeySetError::NoUsableKey { skipped });
}

#[test]
fn a_published_private_key_serves_by_its_public_half_and_is_reported() {
    let set = set(&[
        &with(OKP, r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#),
        EC,
    ]);
    let private: Vec<_> = set.iter().map(Jwk::has_private_part).collect();
    assert_eq!(private, [true, false]);
    assert!(!format!("{set:?}").contains("nWGxne"));
}

#[test]
fn what_is_no_key_set_is_refused_as_a_whole() {
    for text in [
        "{}",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":"[]"}"#,
        r#"{"keys":1}"#,
        r#"{"Keys":[]}"#,
        &format!("{{{EC}}}"),
    ] {
        assert_eq!(parse(text).unwrap_err(), KeySetError::NotAKeySet, "{text}");
    }
    let empty = KeySetError::NoUsableKey { skipped: vec![] };
    assert_eq!(parse(r#"{"keys":[]}"#).unwrap_err(), empty);
    let good = document(&[EC]);
    let duplicate_inside = document(&[&with(EC, r#""x":"AA""#)]);
    let nested = ["[".repeat(32), "]".repeat(32)].concat();
    let deep = good.replacen('{', &format!(r#"{{"x":{nested},"#), 1);
    for (text, fault) in [
        ("", Fault::Syntax),
        ("null", Fault::NotAnObject),
        ("[]", Fault::NotAnObject),
        (&format!("[{good}]"), Fault::NotAnObject),
        ("<html>", Fault::Syntax),
        (good.trim_end_matches('}'), Fault::Syntax),
        (&format!("{good}x"), Fault::Syntax),
        (&format!("{good}{good}"), Fault::Syntax),
        (&good.replace("}]", "},]"), Fault::Syntax),
        (&format!("\u{FEFF}{good}"), Fault::ByteOrderMark),
        (r#"{"keys":[],"keys":[]}"#, Fault::DuplicateMember),
        (&duplicate_inside, Fault::DuplicateMember),
        (&deep, Fault::TooDeep),
        (&document(&[&with(EC, r#""more":1e400"#)]), Fault::Syntax),
        (&document(&[&with(EC, r#""more":"\ud800""#)]), Fault::Syntax),
    ] {
        let Err(KeySetError::Json(error)) = parse(text) else {
            panic!("{text}");
        };
        assert_eq!(error.fault, fault, "{text}");
    }
}

#[test]
fn size_and_number_of_keys_are_bounded() {
    let keys = |count| document(&vec![OKP; count]);
    assert_eq!(parse(&keys(64)).unwrap().set.len(), 64);
    assert_eq!(parse(&keys(65)).unwrap_err(), KeySetError::TooManyKeys);
    let unusable = document(&[r#""kty":"X""#; 65]);
    assert_eq!(parse(&unusable).unwrap_err(), KeySetError::TooManyKeys);
    let padded = |size: usize| {
        let text = document(&[OKP]);
        let padding = " ".repeat(size - text.len());
        text + &padding
    };
    assert!(parse(&padded(MAX_KEY_SET_BYTES)).is_ok());
    let error = parse(&padded(MAX_KEY_SET_BYTES + 1)).unwrap_err();
    assert_eq!(error, KeySetError::TooLarge);
}

#[test]
fn a_kid_chooses_among_the_keys_that_have_it() {
    let a = with(EC, r#""kid":"a""#);
    let also_a = with(RSA, r#""kid":"a""#);
    let empty = with(OKP, r#""kid":"""#);
    let set = set(&[&a, &also_a, &empty]);
    let found = |kid, algorithm| kids(set.lookup(Some(kid), algorithm));
    assert_eq!(found("a", Algorithm::Es256), Some((vec![Some("a")], true)));
    assert_eq!(found("a", Algorithm::Rs256), Some((vec![Some("a")], true)));
    assert_eq!(found("", Algorithm::EdDsa), Some((vec![Some("")], true)));
    for (kid, algorithm) in [
        ("a", Algorithm::EdDsa),
        ("", Algorithm::Es256),
        ("a", Algorithm::Es384),
    ] {
        let lookup = set.lookup(Some(kid), algorithm);
        assert!(matches!(lookup, Lookup::NoFittingKey), "{kid}");
    }
    for kid in ["A", "a ", " a", "а", "a\0", "b"] {
        let lookup = set.lookup(Some(kid), Algorithm::Es256);
        assert!(matches!(lookup, Lookup::UnknownKid), "{kid}");
    }
}

#[test]
fn keys_without_kid_are_candidates_when_no_key_has_the_tokens() {
    let named = with(EC, r#""kid":"a""#);
    let set = set(&[&named, RSA, RSA, EC]);
    let found = |kid, algorithm| kids(set.lookup(Some(kid), algorithm));
    assert_eq!(found("b", Algorithm::Es256), Some((vec![None], false)));
    assert_eq!(
        found("b", Algorithm::Rs256),
        Some((vec![None, None], false))
    );
    assert_eq!(found("a", Algorithm::Es256), Some((vec![Some("a")], true)));
    assert!(matches!(
        set.lookup(Some("b"), Algorithm::EdDsa),
        Lookup::UnknownKid
    ));
    assert!(matches!(
        set.lookup(Some("a"), Algorithm::Rs256),
        Lookup::NoFittingKey
    ));
}

#[test]
fn without_kid_there_has_to_be_exactly_one_fitting_key() {
    let set = set(&[
        &with(EC, r#""kid":"a""#),
        RSA,
        &with(RSA, r#""kid":"b","alg":"PS256""#),
    ]);
    let found = |algorithm| kids(set.lookup(None, algorithm));
    assert_eq!(found(Algorithm::Es256), Some((vec![Some("a")], true)));
    assert_eq!(found(Algorithm::Rs256), Some((vec![None], true)));
    for algorithm in [Algorithm::Ps256, Algorithm::EdDsa] {
        assert!(matches!(set.lookup(None, algorithm), Lookup::NoFittingKey));
    }
}

#[test]
fn no_token_is_tried_with_more_than_four_keys() {
    let same_kid = |count| set(&vec![&*with(EC, r#""kid":"a""#); count]);
    let four = same_kid(4);
    let found = kids(four.lookup(Some("a"), Algorithm::Es256)).unwrap();
    assert_eq!(found.0.len(), 4);
    let five = same_kid(5);
    assert!(matches!(
        five.lookup(Some("a"), Algorithm::Es256),
        Lookup::NoFittingKey
    ));
    let nameless = set(&[EC; 5]);
    assert!(matches!(
        nameless.lookup(Some("a"), Algorithm::Es256),
        Lookup::UnknownKid
    ));
}

#[test]
fn a_key_that_left_or_lost_its_kid_is_no_longer_offered() {
    let old = set(&[&with(EC, r#""kid":"a""#), &with(OKP, r#""kid":"b""#)]);
    let ec = old.iter().next().unwrap().key().fingerprint();
    assert!(old.contains(ec));
    assert!(old.still_offers(Some("a"), Algorithm::Es256, ec));
    assert!(old.still_offers(None, Algorithm::Es256, ec));
    assert!(!old.still_offers(Some("b"), Algorithm::Es256, ec));
    let renamed = set(&[&with(EC, r#""kid":"c""#), &with(OKP, r#""kid":"a""#)]);
    assert!(renamed.contains(ec));
    assert!(!renamed.still_offers(Some("a"), Algorithm::Es256, ec));
    let gone = set(&[&with(OKP, r#""kid":"b""#)]);
    assert!(!gone.contains(ec));
    assert!(!gone.still_offers(Some("a"), Algorithm::Es256, ec));
}

#[test]
fn reasons_name_the_place_and_the_member_but_repeat_no_text() {
    let text = document(&[&EC.replace("P-256", "P-257"), &with(RSA, r#""use":"enc""#)]);
    let error = parse(&text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no usable key; keys[0]: unknown `crv`; keys[1]: its `use` is not `sig`"
    );
}
