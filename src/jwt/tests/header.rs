//! Rules for headers.

use super::*;

#[test]
fn the_algorithm_is_a_supported_name_in_its_exact_spelling() {
    for value in [
        "\"none\"",
        "\"None\"",
        "\"NONE\"",
        "\"nOnE\"",
        "\"none \"",
        "\" none\"",
        "\"none\\u0000\"",
        "\"es256\"",
        "\"Es256\"",
        "\"ES256 \"",
        "\"ES256\\n\"",
        "\"ES257\"",
        "\"HS1\"",
        "\"A256GCM\"",
        "\"dir\"",
        "\"RSA-OAEP\"",
        "\"ES256K\"",
        "\"\"",
        "null",
        "5",
        "true",
        "[\"HS256\"]",
        "{\"a\":\"HS256\"}",
    ] {
        let header = format!("{{\"alg\":{value}}}");
        let error = parse_error(sign(&header, CLAIMS));
        assert_eq!(
            error,
            Some(TokenError::Form(JwsError::Algorithm)),
            "{header}"
        );
    }
    let missing = parse_error(sign("{}", CLAIMS));
    assert_eq!(missing, Some(TokenError::Form(JwsError::Algorithm)));
}

fn header_error(member: &str) -> Option<TokenError> {
    let header = format!("{{\"alg\":\"HS256\",{member}}}");
    parse_error(sign(header, CLAIMS))
}

#[test]
fn any_crit_refuses_the_token() {
    for value in [
        "[\"unknown\"]",
        "[\"b64\"]",
        "[\"alg\"]",
        "[]",
        "[\"\"]",
        "\"exp\"",
        "\"\"",
        "5",
        "null",
        "{}",
        "false",
    ] {
        let error = header_error(&format!("\"crit\":{value}"));
        assert_eq!(
            error,
            Some(TokenError::Form(JwsError::CriticalExtension)),
            "{value}"
        );
    }
    let error = header_error(r#""crit":["b64"],"b64":true"#);
    assert_eq!(error, Some(TokenError::Form(JwsError::CriticalExtension)));
}

#[test]
fn a_b64_that_is_not_true_refuses_the_token() {
    for value in ["false", "null", "0", "\"true\"", "[]"] {
        let error = header_error(&format!("\"b64\":{value}"));
        assert_eq!(
            error,
            Some(TokenError::Form(JwsError::UnencodedPayload)),
            "{value}"
        );
    }
    assert_eq!(header_error("\"b64\":true"), None);
}

#[test]
fn a_token_that_claims_to_be_encrypted_is_refused() {
    let error = header_error(r#""enc":"A256GCM""#);
    assert_eq!(error, Some(TokenError::Form(JwsError::Encrypted)));
    assert_eq!(
        header_error(r#""enc":null"#),
        Some(TokenError::Form(JwsError::Encrypted))
    );
    let five_parts = "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA";
    assert_eq!(
        parse_error(five_parts),
        Some(TokenError::Form(JwsError::NotThreeParts))
    );
}

#[test]
fn keys_compression_and_content_type_in_a_header_are_ignored() {
    for member in [
        r#""jwk":{"kty":"oct","k":"AAAA"}"#,
        r#""jku":"https://evil.example/keys""#,
        r#""x5u":"file:///etc/passwd""#,
        r#""x5c":["AAAA"]"#,
        r#""x5t":5"#,
        r#""x5t#S256":null"#,
        r#""zip":"DEF""#,
        r#""cty":"JWT""#,
    ] {
        assert_eq!(header_error(member), None, "{member}");
    }
}

#[test]
fn a_nested_or_compressed_payload_is_not_an_object() {
    for payload in [
        sign(HEADER, CLAIMS).into_bytes(),
        b"eyJhbGciOiJub25lIn0.e30.".to_vec(),
        b"\x4B\x4C\x02\x00".to_vec(),
    ] {
        let error = parse_error(sign(r#"{"alg":"HS256","cty":"JWT","zip":"DEF"}"#, payload));
        assert!(matches!(error, Some(TokenError::Claims(_))));
    }
}

#[test]
fn kid_and_typ_must_be_strings_if_present() {
    for value in ["null", "5", "[\"k1\"]", "{}", "true"] {
        let error = header_error(&format!("\"kid\":{value}"));
        assert_eq!(error, Some(TokenError::Form(JwsError::KeyId)), "{value}");
        let error = header_error(&format!("\"typ\":{value}"));
        assert_eq!(
            error,
            Some(TokenError::Form(JwsError::TokenType)),
            "{value}"
        );
    }
    let token = sign(r#"{"alg":"HS256","kid":"","typ":""}"#, CLAIMS);
    let token = UnverifiedJwt::parse(token.as_bytes()).unwrap();
    assert_eq!(token.kid(), Some(""));
    assert_eq!(token.token_type(), Some(&TokenType::new("")));
    let token = sign(r#"{"alg":"HS256"}"#, CLAIMS);
    let token = UnverifiedJwt::parse(token.as_bytes()).unwrap();
    assert_eq!(token.kid(), None);
    assert_eq!(token.token_type(), None);
    assert_eq!(token.issuer(), "https://issuer.example");
}

#[test]
fn a_typ_ignores_letter_case_and_a_leading_application() {
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        assert_eq!(TokenType::new(typ).as_str(), "at+jwt");
    }
    for (typ, normal) in [
        ("", ""),
        ("application/", ""),
        ("application/a/b", "application/a/b"),
        ("text/jwt", "text/jwt"),
        (" jwt", " jwt"),
        ("application/application/jwt", "application/application/jwt"),
        // This is not an ASCII letter, so it is not a `k`.
        ("\u{212A}wt", "\u{212A}wt"),
    ] {
        assert_eq!(TokenType::new(typ).as_str(), normal);
    }
}

fn signed_with(header: &str) -> (String, VerifiedJwt) {
    let keys = keys(r#""alg":"HS256""#);
    let token = sign(header, CLAIMS);
    let jwt = UnverifiedJwt::parse(token.as_bytes()).unwrap();
    let jwt = jwt.verify(keys.iter().next().unwrap(), &NoHostSignatures);
    (token, jwt.unwrap())
}

/// Whether the token's header is shared with that of another token.
fn shares_header(token: &str, known: &KnownHeaders, jwt: &VerifiedJwt) -> bool {
    let parsed = UnverifiedJwt::parse_with(token.as_bytes(), Some(known)).unwrap();
    let alone = UnverifiedJwt::parse(token.as_bytes()).unwrap();
    assert_eq!(parsed.kid(), alone.kid());
    assert_eq!(parsed.algorithm(), alone.algorithm());
    assert_eq!(parsed.token_type(), alone.token_type());
    let keys = keys(r#""alg":"HS256""#);
    let again = parsed.verify(keys.iter().next().unwrap(), &NoHostSignatures);
    std::sync::Arc::ptr_eq(again.unwrap().header(), jwt.header())
}

#[test]
fn a_known_header_is_used_only_for_exactly_the_same_text() {
    let mut known = KnownHeaders::default();
    let (token, jwt) = signed_with(r#"{"alg":"HS256","typ":"JWT"}"#);
    assert!(!shares_header(&token, &known, &jwt));
    known.remember(jwt.header());
    assert!(shares_header(&token, &known, &jwt));
    for other in [
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"JWT" }"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","x":1}"#,
    ] {
        let (other, _) = signed_with(other);
        assert!(!shares_header(&other, &known, &jwt), "{other}");
    }
}

#[test]
fn only_a_few_short_headers_are_known() {
    let mut known = KnownHeaders::default();
    let header = |number: usize, pad: usize| {
        format!(
            r#"{{"alg":"HS256","n":{number},"pad":"{}"}}"#,
            "x".repeat(pad)
        )
    };
    let tokens: Vec<_> = (0..9)
        .map(|number| signed_with(&header(number, 0)))
        .collect();
    for (_, jwt) in &tokens {
        known.remember(jwt.header());
        known.remember(jwt.header());
    }
    let shared = tokens
        .iter()
        .map(|(token, jwt)| shares_header(token, &known, jwt));
    assert_eq!(shared.filter(|shared| *shared).count(), 8);
    // 768 bytes are 1,024 characters.
    let short = header(0, 0).len();
    for (bytes, is_known) in [(768, true), (769, false), (2000, false)] {
        let (token, jwt) = signed_with(&header(0, bytes - short));
        known.remember(jwt.header());
        assert_eq!(shares_header(&token, &known, &jwt), is_known, "{bytes}");
    }
}
