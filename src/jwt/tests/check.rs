//! Checks of verified tokens: at one point in time, for one provider.

use std::borrow::Cow;
use std::time::Duration;

use super::*;
use crate::rules::{
    ClaimName, ClaimRule, Expected, NoRequest, RequestPart, RequestParts, Requirement,
};

const SKEW: Duration = Duration::from_mins(1);

fn expectations() -> Expectations {
    Expectations {
        issuer: "https://issuer.example".into(),
        audiences: Audiences::AnyOf(vec!["other".into(), "api".into()]),
        token_types: Expectations::default_token_types(),
        token_use: None,
        claims: Vec::new(),
        clock_skew: SKEW,
        binding: Binding::Any,
        max_lifetime: None,
    }
}

fn check_at(claims: &str, expected: &Expectations, now: UnixTime) -> Option<ClaimError> {
    verified(claims).check(expected, &NoRequest, now).err()
}

fn check_with(member: &str) -> Option<ClaimError> {
    check_at(&claims_with(member), &expectations(), now())
}

const NANO: Duration = Duration::from_nanos(1);

#[test]
fn a_token_expires_exactly_a_skew_after_exp() {
    for (exp, end) in [
        ("4102444800", UnixTime::from_secs(EXP)),
        ("4102444800.0", UnixTime::from_secs(EXP)),
        ("4.1024448e9", UnixTime::from_secs(EXP)),
        (
            "4102444800.5",
            UnixTime::from_secs(EXP).saturating_add(Duration::from_millis(500)),
        ),
    ] {
        let claims = claims_with(&format!("\"exp\":{exp}"));
        let end = end.saturating_add(SKEW);
        let check = |now| check_at(&claims, &expectations(), now);
        assert_eq!(check(end.saturating_sub(NANO)), None, "{exp}");
        assert_eq!(check(end), Some(ClaimError::Expired), "{exp}");
        assert_eq!(check(end.saturating_add(NANO)), Some(ClaimError::Expired));
    }
}

#[test]
fn nbf_and_iat_hold_from_exactly_a_skew_before_them() {
    let second = UnixTime::from_secs(1_700_000_000);
    let half = second.saturating_add(Duration::from_millis(500));
    for (name, error) in [
        ("nbf", ClaimError::NotYetValid),
        ("iat", ClaimError::IssuedInFuture),
    ] {
        for (value, time) in [
            ("1700000000", second),
            ("1700000000.5", half),
            ("17000000005e-1", half),
        ] {
            let claims = claims_with(&format!("\"{name}\":{value}"));
            let start = time.saturating_sub(SKEW);
            let check = |now| check_at(&claims, &expectations(), now);
            assert_eq!(check(start), None, "{name} {value}");
            assert_eq!(check(start.saturating_sub(NANO)), Some(error), "{name}");
        }
    }
}

#[test]
fn very_early_and_very_late_times_are_checked_like_others() {
    for exp in [
        "0",
        "-0",
        "-1",
        "-4102444800",
        "1",
        "1e-5",
        "1700000000",
        "-9223372036854775807",
    ] {
        let error = check_with(&format!("\"exp\":{exp}"));
        assert_eq!(error, Some(ClaimError::Expired), "{exp}");
    }
    for exp in ["9223372036854775807", "253402300800", "4102444800000"] {
        assert_eq!(check_with(&format!("\"exp\":{exp}")), None, "{exp}");
    }
    for past in ["0", "1", "1.5", "-1"] {
        assert_eq!(check_with(&format!("\"nbf\":{past}")), None, "{past}");
        assert_eq!(check_with(&format!("\"iat\":{past}")), None, "{past}");
    }
    for ahead in ["4102444800", "4102444800.5", "9223372036854775807"] {
        assert_eq!(
            check_with(&format!("\"nbf\":{ahead}")),
            Some(ClaimError::NotYetValid)
        );
        assert_eq!(
            check_with(&format!("\"iat\":{ahead}")),
            Some(ClaimError::IssuedInFuture)
        );
    }
}

#[test]
fn the_issuer_is_compared_letter_for_letter() {
    for issuer in [
        "https://issuer.example/",
        "https://issuer.example.evil",
        "HTTPS://issuer.example",
        "https://issuer",
        "",
        "https://issuer.example\\u0000",
        " https://issuer.example",
        "https://issuer.example ",
    ] {
        let error = check_with(&format!("\"iss\":\"{issuer}\""));
        assert_eq!(error, Some(ClaimError::Issuer), "{issuer}");
    }
}

#[test]
fn an_audience_equals_one_of_aud_exactly() {
    for aud in [
        "\"api\"",
        "[\"api\"]",
        "[\"x\",\"api\"]",
        "[\"other\",\"x\"]",
    ] {
        assert_eq!(check_with(&format!("\"aud\":{aud}")), None, "{aud}");
    }
    for aud in [
        "\"API\"",
        "\"api \"",
        "\"api/\"",
        "\"https://api\"",
        "\"apis\"",
        "\"ap\"",
        "\"x api\"",
        "\"x,api\"",
        "\"\"",
        "[]",
        "[\"\"]",
        "\"api\\u0000\"",
        "\"*\"",
    ] {
        let error = check_with(&format!("\"aud\":{aud}"));
        assert_eq!(error, Some(ClaimError::Audience), "{aud}");
    }
}

#[test]
fn client_id_counts_only_without_aud() {
    let without = claims_without("aud");
    let with_client = |client: &str| without.replace('}', &format!(",\"client_id\":{client}}}"));
    let check = |claims: &str| check_at(claims, &expectations(), now());
    assert_eq!(check(&without), Some(ClaimError::Audience));
    assert_eq!(check(&with_client("\"api\"")), None);
    for client in ["\"x\"", "\"\"", "[\"api\"]", "null", "5", "{\"api\":1}"] {
        let error = check(&with_client(client));
        assert_eq!(error, Some(ClaimError::Audience), "{client}");
    }
    for aud in ["\"x\"", "[]", "\"\""] {
        let member = format!("\"aud\":{aud},\"client_id\":\"api\"");
        assert_eq!(check_with(&member), Some(ClaimError::Audience), "{aud}");
    }
    assert_eq!(check_with(r#""client_id":5"#), None);
}

#[test]
fn audiences_any_checks_neither_aud_nor_client_id() {
    let expected = Expectations {
        audiences: Audiences::Any,
        ..expectations()
    };
    for claims in [claims_without("aud"), claims_with(r#""aud":"x""#)] {
        assert_eq!(check_at(&claims, &expected, now()), None);
    }
    let none = Expectations {
        audiences: Audiences::AnyOf(Vec::new()),
        ..expectations()
    };
    assert_eq!(check_at(CLAIMS, &none, now()), Some(ClaimError::Audience));
}

fn check_typ(header: &str, types: &[Option<&str>]) -> Option<ClaimError> {
    let expected = Expectations {
        token_types: types.iter().map(|typ| typ.map(TokenType::new)).collect(),
        ..expectations()
    };
    let token = verify(&sign(header, CLAIMS)).unwrap();
    token.check(&expected, &NoRequest, now()).err()
}

#[test]
fn a_typ_is_among_the_accepted_ones() {
    let default = [None, Some("JWT"), Some("at+jwt")];
    let header = |typ: &str| format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
    assert_eq!(check_typ(HEADER, &default), None);
    for typ in [
        "JWT",
        "jwt",
        "at+jwt",
        "application/at+jwt",
        "APPLICATION/JWT",
    ] {
        assert_eq!(check_typ(&header(typ), &default), None, "{typ}");
    }
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "JOSE", "", "JWT "] {
        let error = check_typ(&header(typ), &default);
        assert_eq!(error, Some(ClaimError::TokenType), "{typ}");
    }
    let only_access = [Some("Application/AT+JWT")];
    assert_eq!(check_typ(&header("at+jwt"), &only_access), None);
    for other in [HEADER, &header("JWT")] {
        let error = check_typ(other, &only_access);
        assert_eq!(error, Some(ClaimError::TokenType));
    }
}

#[test]
fn token_use_is_checked_only_if_it_is_required() {
    let check = |member: &str, token_use| {
        let expected = Expectations {
            token_use,
            ..expectations()
        };
        check_at(&claims_with(member), &expected, now())
    };
    for member in [r#""token_use":"id""#, r#""token_use":5"#, r#""x":1"#] {
        assert_eq!(check(member, None), None);
        let error = check(member, Some(TokenUse::Access));
        assert_eq!(error, Some(ClaimError::TokenUse), "{member}");
    }
    assert_eq!(check(r#""token_use":"id""#, Some(TokenUse::Id)), None);
    let access = r#""token_use":"access""#;
    assert_eq!(check(access, Some(TokenUse::Access)), None);
    for near in ["\"Access\"", "\"access \"", "[\"access\"]", "null"] {
        let error = check(&format!("\"token_use\":{near}"), Some(TokenUse::Access));
        assert_eq!(error, Some(ClaimError::TokenUse), "{near}");
    }
}

#[test]
fn a_route_may_require_a_token_use() {
    let token = verified(&claims_with(r#""token_use":"access""#));
    let claims = token.check(&expectations(), &NoRequest, now()).unwrap();
    assert_eq!(claims.check_token_use(TokenUse::Access), Ok(()));
    assert_eq!(
        claims.check_token_use(TokenUse::Id),
        Err(ClaimError::TokenUse)
    );
}

#[test]
fn exp_is_at_most_the_maximum_lifetime_in_the_future() {
    let lifetime = Duration::from_hours(24);
    let expected = Expectations {
        max_lifetime: Some(lifetime),
        ..expectations()
    };
    let edge = UnixTime::from_secs(EXP).saturating_sub(lifetime);
    assert_eq!(check_at(CLAIMS, &expected, edge), None);
    assert_eq!(
        check_at(CLAIMS, &expected, edge.saturating_sub(NANO)),
        Some(ClaimError::Lifetime)
    );
}

#[test]
fn a_providers_claim_rules_hold_for_each_of_its_tokens() {
    let rule = |expected| ClaimRule {
        name: ClaimName::new("tid"),
        requirement: Requirement::any_of(vec![expected]),
    };
    let expected = |rule| Expectations {
        claims: vec![rule],
        ..expectations()
    };
    let text = expected(rule(Expected::Text("7f".into())));
    let claims = claims_with(r#""tid":"7f""#);
    assert_eq!(check_at(&claims, &text, now()), None);
    assert_eq!(check_at(CLAIMS, &text, now()), Some(ClaimError::ClaimRule));
}

/// A request with this value in the header `x-tenant`.
struct Tenant(&'static str);

impl RequestParts for Tenant {
    fn part(&self, part: &RequestPart) -> Option<Cow<'_, [u8]>> {
        let is_it = *part == RequestPart::Header("x-tenant".into());
        is_it.then_some(Cow::Borrowed(self.0.as_bytes()))
    }
}

#[test]
fn a_providers_claim_rules_may_compare_with_the_request() {
    let expected = Expectations {
        claims: vec![ClaimRule {
            name: ClaimName::new("tid"),
            requirement: Requirement::any_of(vec![Expected::Part(RequestPart::Header(
                "x-tenant".into(),
            ))]),
        }],
        ..expectations()
    };
    let token = verified(&claims_with(r#""tid":["7f","8a"]"#));
    assert!(token.check(&expected, &Tenant("8a"), now()).is_ok());
    let others: [&dyn RequestParts; 2] = [&Tenant("9b"), &NoRequest];
    for request in others {
        let error = token.check(&expected, request, now()).unwrap_err();
        assert_eq!(error, ClaimError::ClaimRule);
    }
}

#[test]
fn the_first_failed_check_determines_the_error() {
    let mut expected = Expectations {
        token_use: Some(TokenUse::Access),
        max_lifetime: Some(Duration::from_secs(1)),
        ..expectations()
    };
    let far = check_at(CLAIMS, &expected, now()).unwrap();
    assert_eq!(far, ClaimError::TokenUse);
    expected.audiences = Audiences::AnyOf(vec!["x".into()]);
    let near = check_at(CLAIMS, &expected, now()).unwrap();
    assert_eq!(near, ClaimError::Audience);
    assert!(near < far);
    let late = UnixTime::from_secs(EXP + 60);
    assert_eq!(check_at(CLAIMS, &expected, late), Some(ClaimError::Expired));
    assert!(ClaimError::TokenType < ClaimError::Expired);
    assert!(ClaimError::Lifetime < ClaimError::ClaimRule);
}
