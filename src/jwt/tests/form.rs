//! Parts, base64url, JSON, and types of registered claims.

use std::collections::HashSet;

use super::*;
use crate::json::Fault;

#[test]
fn a_token_has_exactly_three_parts_and_none_is_empty() {
    let good = sign(HEADER, CLAIMS);
    let (header, claims) = (encode(HEADER), encode(CLAIMS));
    assert_eq!(parse_error(&good), None);
    for token in [
        String::new(),
        header.clone(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!(".{claims}.AAAA"),
        format!("{header}..AAAA"),
        format!(".{good}"),
        format!("{good}."),
        good.replacen('.', "..", 1),
        format!("{good}.AAAA"),
        format!("{good}.AAAA.AAAA"),
        "..".to_owned(),
        "...".to_owned(),
        ".".repeat(MAX_TOKEN_BYTES),
        "a".repeat(MAX_TOKEN_BYTES),
    ] {
        assert_eq!(
            parse_error(&token),
            Some(TokenError::Form(JwsError::NotThreeParts)),
            "{token}"
        );
    }
}

#[test]
fn a_token_is_as_long_as_the_limit_and_no_longer() {
    let rest = sign(HEADER, claims_with(r#""pad":"""#)).len();
    // Three bytes of claims are four of the token.
    let mut pad = (MAX_TOKEN_BYTES - rest) / 4 * 3;
    let sized = |pad: usize| {
        let member = format!(r#""pad":"{}""#, "x".repeat(pad));
        sign(HEADER, claims_with(&member))
    };
    while sized(pad + 1).len() <= MAX_TOKEN_BYTES {
        pad += 1;
    }
    assert_eq!(parse_error(sized(pad)), None);
    assert_eq!(
        parse_error(sized(pad + 1)),
        Some(TokenError::Form(JwsError::TooLong))
    );
    assert_eq!(
        parse_error(".".repeat(50_000)),
        Some(TokenError::Form(JwsError::TooLong))
    );
    assert_eq!(
        parse_error("a".repeat(50_000)),
        Some(TokenError::Form(JwsError::TooLong))
    );
}

#[test]
fn base64url_is_canonical_in_every_part() {
    let good = sign(HEADER, CLAIMS);
    let parts: Vec<&str> = good.split('.').collect();
    let with = |index: usize, part: &str| {
        let mut changed = parts.clone();
        changed[index] = part;
        changed.join(".")
    };
    for (index, part) in parts.iter().enumerate() {
        for bad in [
            format!("{part}="),
            format!("{part}=="),
            format!(" {part}"),
            format!("{part} "),
            format!("{part}\t"),
            format!("{part}\r\n"),
            format!("{part}\0"),
            format!("\"{part}\""),
            format!("{part}+"),
            format!("{part}/"),
            format!("{part}?"),
            format!("{part}%2E"),
            format!("{part}\u{3002}"),
            format!("Bearer {part}"),
            // 4k + 1 characters.
            format!("{}A", part.split_at(part.len() / 4 * 4).0),
        ] {
            let token = with(index, &bad);
            assert_eq!(
                parse_error(&token),
                Some(TokenError::Form(JwsError::NotBase64Url)),
                "{token}"
            );
        }
    }
    // `AQ` and `AR` decode to the same byte if trailing bits are dropped.
    assert_eq!(parse_error(with(2, "AQ")), None);
    assert_eq!(
        parse_error(with(2, "AR")),
        Some(TokenError::Form(JwsError::NotBase64Url))
    );
    let mut bytes = good.into_bytes();
    bytes[0] = 0xFF;
    assert_eq!(
        parse_error(bytes),
        Some(TokenError::Form(JwsError::NotBase64Url))
    );
}

#[test]
fn the_json_serialization_is_not_a_token() {
    let error = parse_error(r#"{"payload":"e30","protected":"e30","signature":"AA"}"#);
    assert_eq!(error, Some(TokenError::Form(JwsError::NotThreeParts)));
}

/// Texts that are not JSON objects, although lenient readers may accept them.
const NO_OBJECT: &[&[u8]] = &[
    b"[]",
    b"[\"HS256\",\"k1\"]",
    b"[4102444800]",
    b"\"text\"",
    b"1",
    b"null",
    b"true",
    b" ",
    b"{",
    b"{\"a\":",
    b"{}{}",
    b"{} x",
    b"\xEF\xBB\xBF{}",
    b"{\"a\":\"\xFF\"}",
    b"{\"a\":1,}",
    b"{'a':1}",
    b"{a:1}",
    b"{\"a\":\"\n\"}",
    b"{/**/}",
    b"{\"a\":NaN}",
    b"{\"a\":Infinity}",
    b"{\"a\":01}",
    b"{\"a\":+1}",
    b"{\"a\":0x1}",
    b"{\"a\":1_0}",
    b"{\"a\":1.}",
    b"\0{}",
    b"{\"a\":\"\\ud800\"}",
    b"{\"a\":1e400}",
    b"{\"a\":{\"b\":[-1e400]}}",
];

#[test]
fn header_and_claims_are_strict_json_objects() {
    for text in NO_OBJECT {
        let shown = String::from_utf8_lossy(text);
        let header = parse_error(sign(text, CLAIMS));
        assert!(
            matches!(header, Some(TokenError::Form(JwsError::Header(_)))),
            "{shown}"
        );
        let claims = parse_error(sign(HEADER, text));
        assert!(matches!(claims, Some(TokenError::Claims(_))), "{shown}");
    }
    let spaced = " { \"alg\" : \"\\u0048S256\" , \"unknown\" : [ null ] }\r\n";
    assert_eq!(parse_error(sign(spaced, CLAIMS)), None);
}

#[test]
fn duplicate_members_are_refused() {
    for header in [
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
        r#"{"alg":"HS256","crit":[],"crit":[]}"#,
        r#"{"alg":"HS256","x":{"a":1,"a":1}}"#,
    ] {
        let error = parse_error(sign(header, CLAIMS));
        assert_eq!(
            error,
            Some(TokenError::Form(JwsError::Header(Fault::DuplicateMember))),
            "{header}"
        );
    }
    for member in [
        r#""exp":1,"exp":4102444800"#,
        r#""sub":"a","sub":"b""#,
        r#""scope":"a","sc\u006fpe":"b""#,
        r#""x":[{"a":1,"a":1}]"#,
    ] {
        let error = parse_error(sign(HEADER, claims_with(member)));
        assert_eq!(
            error,
            Some(TokenError::Claims(Fault::DuplicateMember)),
            "{member}"
        );
    }
}

#[test]
fn nesting_ends_at_the_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let claims = |depth| claims_with(&format!("\"x\":{}", nested(depth)));
    let header = |depth| format!(r#"{{"alg":"HS256","x":{}}}"#, nested(depth));
    // The enclosing object is one level.
    let most = MAX_JSON_DEPTH - 1;
    assert_eq!(parse_error(sign(header(most), claims(most))), None);
    for depth in [most + 1, 64, 128, 1_000, 5_000] {
        assert_eq!(
            parse_error(sign(HEADER, claims(depth))),
            Some(TokenError::Claims(Fault::TooDeep))
        );
        assert_eq!(
            parse_error(sign(header(depth), CLAIMS)),
            Some(TokenError::Form(JwsError::Header(Fault::TooDeep)))
        );
    }
    let unclosed = format!("{{\"x\":{}", "[".repeat(11_000));
    assert_eq!(
        parse_error(sign(HEADER, unclosed)),
        Some(TokenError::Claims(Fault::TooDeep))
    );
}

#[test]
fn a_registered_claim_of_a_wrong_type_is_never_absent() {
    use RegisteredClaim as C;
    const NO_TEXT: &[&str] = &["null", "5", "true", "{}", "[]", "[\"a\"]"];
    const NO_DATE: &[&str] = &[
        "null",
        "\"4102444800\"",
        "\"\"",
        "true",
        "[4102444800]",
        "{}",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "1e308",
        "-9223372036854775808",
        "-1e19",
    ];
    const NO_AUDIENCE: &[&str] = &[
        "null",
        "5",
        "true",
        "{}",
        "{\"api\":1}",
        "[1,\"api\"]",
        "[\"api\",null]",
        "[[\"api\"]]",
    ];
    for (name, claim, values) in [
        ("iss", C::Issuer, NO_TEXT),
        ("sub", C::Subject, NO_TEXT),
        ("jti", C::Id, NO_TEXT),
        ("aud", C::Audience, NO_AUDIENCE),
        ("exp", C::Expiry, NO_DATE),
        ("nbf", C::NotBefore, NO_DATE),
        ("iat", C::IssuedAt, NO_DATE),
    ] {
        for value in values {
            let member = format!("\"{name}\":{value}");
            let error = parse_error(sign(HEADER, claims_with(&member)));
            assert_eq!(error, Some(TokenError::Claim(claim)), "{member}");
        }
    }
}

#[test]
fn invalid_json_numbers_are_refused() {
    for number in [
        "1e400",
        "-1e400",
        "01",
        "+1",
        "4102444800.",
        ".5",
        "0x1",
        "4_1",
    ] {
        for name in ["exp", "nbf", "iat", "other"] {
            let member = format!("\"{name}\":{number}");
            let error = parse_error(sign(HEADER, claims_with(&member)));
            assert_eq!(error, Some(TokenError::Claims(Fault::Syntax)), "{member}");
        }
    }
}

#[test]
fn only_issuer_and_expiry_are_required() {
    for (name, claim) in [
        ("iss", RegisteredClaim::Issuer),
        ("exp", RegisteredClaim::Expiry),
    ] {
        let error = parse_error(sign(HEADER, claims_without(name)));
        assert_eq!(error, Some(TokenError::Claim(claim)));
    }
    assert_eq!(parse_error(sign(HEADER, claims_without("aud"))), None);
    assert_eq!(parse_error(sign(HEADER, claims_without("sub"))), None);
}

const CLAIM_ERRORS: [ClaimError; 9] = [
    ClaimError::TokenType,
    ClaimError::Expired,
    ClaimError::NotYetValid,
    ClaimError::IssuedInFuture,
    ClaimError::Issuer,
    ClaimError::Audience,
    ClaimError::TokenUse,
    ClaimError::Lifetime,
    ClaimError::ClaimRule,
];

#[test]
fn each_description_is_a_sentence_of_its_own() {
    let claims = [
        (RegisteredClaim::Issuer, " iss "),
        (RegisteredClaim::Subject, " sub "),
        (RegisteredClaim::Audience, " aud "),
        (RegisteredClaim::Expiry, " exp "),
        (RegisteredClaim::NotBefore, " nbf "),
        (RegisteredClaim::IssuedAt, " iat "),
        (RegisteredClaim::Id, " jti "),
    ];
    let mut sentences = HashSet::new();
    for (claim, name) in claims {
        let error = TokenError::Claim(claim);
        assert!(error.description().contains(name), "{name}");
        assert_eq!(error.to_string(), error.description());
        assert!(sentences.insert(error.description()), "{name}");
    }
    let form = JwsError::NotThreeParts;
    assert_eq!(form.to_string(), form.description());
    for error in CLAIM_ERRORS {
        assert!(error.description().starts_with("The token "), "{error:?}");
        assert_eq!(error.to_string(), error.description());
        assert!(sentences.insert(error.description()), "{error:?}");
    }
}

#[test]
fn descriptions_keep_to_the_characters_of_rfc_6750() {
    let mut sentences = vec![TokenError::Form(JwsError::TooLong).description()];
    for fault in [Fault::Syntax, Fault::DuplicateMember, Fault::TooDeep] {
        sentences.push(TokenError::Form(JwsError::Header(fault)).description());
        sentences.push(TokenError::Claims(fault).description());
    }
    sentences.extend(
        [
            TokenError::Form(JwsError::NotThreeParts),
            TokenError::Form(JwsError::NotBase64Url),
            TokenError::Form(JwsError::Encrypted),
            TokenError::Form(JwsError::Algorithm),
            TokenError::Form(JwsError::CriticalExtension),
            TokenError::Form(JwsError::UnencodedPayload),
            TokenError::Form(JwsError::KeyId),
            TokenError::Form(JwsError::TokenType),
            TokenError::Claim(RegisteredClaim::Expiry),
        ]
        .map(TokenError::description),
    );
    sentences.extend(CLAIM_ERRORS.map(ClaimError::description));
    for sentence in sentences {
        assert!(
            sentence
                .bytes()
                .all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)),
            "{sentence}"
        );
    }
}
