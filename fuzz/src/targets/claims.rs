//! Claims of signed tokens, compared with a second reader of dates, audiences and rules.
//!
//! The input is the claims of a token.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use edge_authz::crypto::NoHostSignatures;
use edge_authz::jwk::{KeyOrigin, KeySet};
use edge_authz::jwt::{
    Audiences, Bearer, Binding, Expectations, TokenUse, Unfit, UnverifiedJwt, ValidClaims,
    VerifiedJwt,
};
use edge_authz::rules::{ClaimName, ClaimRule, Expected, NoRequest, Requirement};
use edge_authz::time::UnixTime;

use crate::reference::decimal::Decimal;
use crate::reference::json::{self, Json, Value};
use crate::reference::{base64url, jwt, keys};

pub(crate) fn target(data: &[u8]) {
    let Some(token) = signed(data) else {
        return;
    };
    let claims = json::parse(data, jwt::DEPTH).expect("only ours reads the claims");
    for (provider, expected) in [plain(), strict(), with_rules(), bound(), unbound()]
        .into_iter()
        .enumerate()
    {
        for nanos in [0, 1, 500_000_000] {
            let now = 1_700_000_000_000_000_000 + nanos;
            let ours = token.check(&expected, &NoRequest, UnixTime::from_nanos(now));
            let ours = ours.ok().and_then(|checked| checked.held_by(&Bearer).ok());
            let good = is_good(&claims, &expected, now);
            assert_eq!(ours.is_some(), good, "provider {provider}: {ours:?}");
            if let Some(valid) = ours {
                judge_texts(valid, &claims, data);
            }
        }
    }
}

/// A token with these claims, if both readers accept it.
pub(super) fn signed(claims: &[u8]) -> Option<VerifiedJwt> {
    let token = keys::token("HS256", br#"{"alg":"HS256"}"#, claims);
    let parsed = UnverifiedJwt::parse(token.as_bytes());
    assert_eq!(parsed.is_ok(), jwt::read(token.as_bytes()).is_some());
    let keys = KeySet::parse(keys::KEY_SET.as_bytes(), KeyOrigin::Inline).unwrap();
    let parsed = parsed.ok()?;
    let verified = keys
        .set
        .iter()
        .find_map(|key| parsed.verify(key, &NoHostSignatures));
    Some(verified.expect("a good token does not verify"))
}

/// The required claims for a provider that only requires an audience.
pub(super) fn plain() -> Expectations {
    Expectations {
        issuer: Arc::from("https://issuer.example"),
        audiences: Audiences::AnyOf(vec!["api".into(), "spa".into()]),
        token_types: Expectations::default_token_types(),
        token_use: None,
        claims: Vec::new(),
        clock_skew: Duration::from_mins(1),
        binding: Binding::Any,
        max_lifetime: None,
    }
}

fn strict() -> Expectations {
    Expectations {
        token_use: Some(TokenUse::Access),
        clock_skew: Duration::ZERO,
        max_lifetime: Some(Duration::from_hours(1)),
        ..plain()
    }
}

/// Texts; those that end in `*` are prefixes.
fn with_rules() -> Expectations {
    let rule = |name: &str, any: &[&str], all: &[&str], none: &[&str]| {
        let value = |text: &&str| match text.strip_suffix('*') {
            Some(prefix) => Expected::Prefix(prefix.into()),
            None => Expected::Text((*text).into()),
        };
        let list = |texts: &[&str]| texts.iter().map(value).collect();
        ClaimRule {
            name: ClaimName::new(name),
            requirement: Requirement {
                any_of: list(any),
                all_of: list(all),
                none_of: list(none),
            },
        }
    };
    Expectations {
        audiences: Audiences::Any,
        claims: vec![
            rule("app.tenant", &["acme", "1", "true", "org/*"], &[], &[]),
            rule("groups", &[], &["admin", "op*"], &["suspended"]),
            rule("a.b.c", &[], &[], &["x", "bot-*"]),
        ],
        ..plain()
    }
}

fn bound() -> Expectations {
    Expectations {
        binding: Binding::Required,
        ..plain()
    }
}

fn unbound() -> Expectations {
    Expectations {
        binding: Binding::Ignore,
        ..plain()
    }
}

fn is_good(claims: &Json<'_>, expected: &Expectations, now: i128) -> bool {
    let nanos = |duration: Duration| i128::try_from(duration.as_nanos()).unwrap();
    let date = |name: &str| claims.get(name).and_then(jwt::date);
    let at = |nanos: i128| Decimal::of(nanos, -9);
    let skew = nanos(expected.clock_skew);
    let expires = date("exp").unwrap();
    let text = |name: &str| claims.get(name).and_then(Json::string);
    let for_us = match &expected.audiences {
        Audiences::Any => true,
        Audiences::AnyOf(names) => {
            let ours = |name: &str| names.iter().any(|known| **known == *name);
            match claims.get("aud") {
                None => text("client_id").is_some_and(ours),
                Some(one) => match one.array() {
                    None => one.string().is_some_and(ours),
                    Some(all) => all.iter().filter_map(Json::string).any(ours),
                },
            }
        }
    };
    let bound = claims.get("cnf").is_some();
    let held = match expected.binding {
        Binding::Any => !bound,
        // No proof can be checked, so no token is accepted.
        Binding::Required => false,
        Binding::Ignore => true,
    };
    held && text("iss") == Some(&*expected.issuer)
        && expires > at(now - skew)
        && date("nbf").is_none_or(|time| time <= at(now + skew))
        && date("iat").is_none_or(|time| time <= at(now + skew))
        && for_us
        && expected
            .token_use
            .is_none_or(|token_use| text("token_use") == Some(token_use.as_str()))
        && expected
            .max_lifetime
            .is_none_or(|most| expires <= at(now + nanos(most)))
        && expected.claims.iter().all(|rule| meets(claims, rule))
}

/// The result of a dotted name: absent, a value, or a value on the way that is not an
/// object.
fn resolve<'c, 'j>(object: &'c Json<'j>, name: &str) -> Option<Result<&'c Json<'j>, ()>> {
    if let Some(value) = object.get(name) {
        return Some(Ok(value));
    }
    // From the longest part before a dot to the shortest.
    let mut dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
    dots.reverse();
    let (value, rest) = dots
        .into_iter()
        .find_map(|at| Some((object.get(&name[..at])?, &name[at + 1..])))?;
    match value.object() {
        Some(_) => resolve(value, rest),
        None => Some(Err(())),
    }
}

fn meets(claims: &Json<'_>, rule: &ClaimRule) -> bool {
    let Requirement {
        any_of,
        all_of,
        none_of,
    } = &rule.requirement;
    let (members, readable) = match resolve(claims, rule.name.as_str()) {
        None => return any_of.is_empty() && all_of.is_empty(),
        Some(Err(())) => return false,
        Some(Ok(value)) => match (&value.value, value.scalar()) {
            (_, Some(text)) => (vec![text], true),
            (Value::Array(elements), _) => {
                let members: Vec<_> = elements.iter().filter_map(Json::scalar).collect();
                let readable = members.len() == elements.len();
                (members, readable)
            }
            (Value::Object(members), _) => (
                members.iter().map(|(name, _)| name.as_str()).collect(),
                true,
            ),
            _ => return false,
        },
    };
    let has = |expected: &Expected| match expected {
        Expected::Text(text) => members.contains(&&**text),
        Expected::Prefix(prefix) => members.iter().any(|member| {
            member.len() >= prefix.len() && member.as_bytes()[..prefix.len()] == *prefix.as_bytes()
        }),
        Expected::Part(_) => panic!("no rule here looks at the request"),
    };
    (any_of.is_empty() || any_of.iter().any(has))
        && all_of.iter().all(has)
        && (none_of.is_empty() || (readable && !none_of.iter().any(has)))
}

/// The upstream gets the token's values, on one line.
fn judge_texts(valid: ValidClaims<'_>, claims: &Json<'_>, payload: &[u8]) {
    assert_eq!(valid.payload().as_bytes(), payload);
    assert_eq!(valid.payload_base64(), base64url::encode(payload));
    assert_eq!(valid.subject(), claims.get("sub").and_then(Json::string));
    for name in ["sub", "groups", "app.tenant", "a.b.c", "exp", "x"] {
        let value = match resolve(claims, name) {
            Some(Ok(value)) if value.value != Value::Null => value,
            None | Some(_) => {
                assert!(valid.text(&ClaimName::new(name)).is_none());
                continue;
            }
        };
        let text = valid.text(&ClaimName::new(name)).unwrap();
        let json = text_of(value);
        assert_eq!(
            text.json().map(Cow::into_owned).map_err(drop),
            fits(&json, false).map_err(drop)
        );
        let csv = match value.array() {
            None => value
                .scalar()
                .ok_or(Unfit::NoScalar)
                .and_then(|text| fits(text, true)),
            Some(elements) => elements
                .iter()
                .map(|element| fits(element.scalar().ok_or(Unfit::NoScalar)?, true))
                .collect::<Result<Vec<_>, _>>()
                .map(|members| members.join(",")),
        };
        assert_eq!(
            text.csv().map(Cow::into_owned).map_err(drop),
            csv.map_err(drop)
        );
    }
    judge_context(valid, claims);
}

fn text_of(value: &Json<'_>) -> String {
    match value.scalar() {
        Some(text) => text.to_owned(),
        None => value.compact(),
    }
}

/// A value as Go's `%v` prints it.
fn printed(value: &Json<'_>) -> String {
    if let Some(elements) = value.array() {
        let elements: Vec<_> = elements.iter().map(printed).collect();
        format!("[{}]", elements.join(" "))
    } else if let Some(members) = value.object() {
        let sorted: BTreeMap<_, _> = members.iter().map(|(name, value)| (name, value)).collect();
        let members: Vec<_> = sorted
            .into_iter()
            .map(|(name, value)| format!("{name}:{}", printed(value)))
            .collect();
        format!("map[{}]", members.join(" "))
    } else {
        value.scalar().unwrap_or("<nil>").to_owned()
    }
}

/// The text, if it is valid in a header.
fn fits(text: &str, in_list: bool) -> Result<String, Unfit> {
    let control = |c: char| matches!(c, '\0'..='\x1f' | '\x7f'..='\u{9f}');
    if text.contains(control) {
        return Err(Unfit::ControlCharacter);
    }
    // Some readers of headers trim more than spaces.
    if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}') != text {
        return Err(Unfit::OuterBlank);
    }
    if in_list && text.contains(',') {
        return Err(Unfit::CommaInMember);
    }
    Ok(text.to_owned())
}

fn judge_context(valid: ValidClaims<'_>, claims: &Json<'_>) {
    let names = [ClaimName::new("scope"), ClaimName::new("scp")];
    for scope_claims in [None, Some(&names[..])] {
        let context = valid.context(scope_claims);
        assert!(!context.contains(|c: char| c.is_control()), "{context:?}");
        let context = json::parse(context.as_bytes(), 3).expect("the context is no JSON");
        let found: Vec<_> = context
            .get("claims")
            .and_then(Json::object)
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.string().unwrap().to_owned()))
            .collect();
        let expected: Vec<_> = claims
            .object()
            .unwrap()
            .iter()
            .filter(|(_, value)| value.value != Value::Null)
            .map(|(name, value)| (name.clone(), printed(value)))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(
            context.get("scopes").unwrap().array().is_some(),
            scope_claims.is_some()
        );
    }
}
