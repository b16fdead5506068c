//! Where the token is, compared with a simple splitter, and that nothing else is removed
//! with it.
//!
//! The input is lines of header fields, as the module `request` reads them.

use edge_authz::authz::{self, Verdict};
use edge_authz::config;
use edge_authz::policy::Policy;
use edge_authz::telemetry::Reason;
use edge_authz::time::UnixTime;

use super::context::context;
use super::request;
use crate::reference::credentials::{self, Credentials, Headers, Place};
use crate::reference::{method, path};

const PLACES: [(Place, &str); 4] = [
    (
        Place::Authorization,
        r#"{"header":"authorization","scheme":"Bearer"}"#,
    ),
    (Place::Header("x-api-token"), r#"{"header":"x-api-token"}"#),
    (Place::Cookie("session"), r#"{"cookie":"session"}"#),
    (Place::Query("access_token"), r#"{"query":"access_token"}"#),
];

pub(crate) fn target(data: &[u8]) {
    let headers = request::headers(data);
    for one in PLACES {
        judge(&headers, &[one]);
    }
    judge(&headers, &PLACES);
}

fn policy(places: &[(Place, &str)]) -> Policy {
    let places: Vec<_> = places.iter().map(|(_, text)| *text).collect();
    let text = format!(
        r#"{{"providers":[{{"name":"main","issuer":"{}","audiences":["api"],
            "algorithms":["HS256"],"jwks":{{"inline":{}}}}}],
          "token_from":[{}],
          "routes":[{{"match":["ANY /optional/{{rest+}}"],"access":"optional"}},
                    {{"match":["$default"]}}]}}"#,
        request::ISSUER,
        request::inline_keys(),
        places.join(",")
    );
    config::compile(text.as_bytes()).unwrap()
}

fn judge(headers: &Headers, places: &[(Place, &str)]) {
    let now = UnixTime::from_secs(1_700_000_000);
    let decision = authz::evaluate(&policy(places), &request::head(headers), context(now));
    let reason = decision.reason().unwrap();
    let target = credentials::values(headers, ":path").next().unwrap();
    let spelled = credentials::values(headers, ":method").next().unwrap();
    if !method::is_plain(spelled) {
        assert_eq!(reason, Reason::BadMethod);
        return;
    }
    if !path::is_plain(target) {
        assert!(matches!(decision.verdict, Verdict::Reply(..)));
        return;
    }
    let decoded = path::decode(path::before_query(target));
    let segments = path::segments(&decoded).unwrap();
    let optional = segments.first() == Some(&&b"optional"[..]) && segments.len() > 1;
    let places: Vec<_> = places.iter().map(|(place, _)| *place).collect();
    let found = match credentials::find(headers, &places) {
        Credentials::Token(token, _) if !is_one_word(headers, &places, &token) => {
            Credentials::Malformed
        }
        found => found,
    };
    match &found {
        Credentials::None if optional => assert_eq!(reason, Reason::Anonymous),
        Credentials::Ambiguous if optional => {
            assert_eq!(reason, Reason::MalformedCredentials);
        }
        Credentials::None | Credentials::Ambiguous => {
            assert_eq!(reason, Reason::NoToken);
        }
        Credentials::Malformed => assert_eq!(reason, Reason::MalformedCredentials),
        Credentials::Several => assert_eq!(reason, Reason::SeveralTokens),
        Credentials::Token(token, with_proof) => {
            let good = ["alice", "bob"].map(|name| request::token(request::ISSUER, name));
            let good = good.iter().any(|good| good.as_bytes() == token);
            match (good, with_proof) {
                (true, false) => assert_eq!(reason, Reason::Allowed),
                (true, true) => assert_eq!(reason, Reason::DpopNotAccepted),
                (false, _) => assert_ne!(reason, Reason::Allowed),
            }
        }
    }
    let Verdict::Forward(forward) = decision.verdict else {
        let passes = [Reason::Allowed, Reason::Anonymous];
        assert!(!passes.contains(&reason));
        return;
    };
    let after = request::edited(headers, &forward.edits);
    match found {
        Credentials::Token(token, _) => only_the_token_is_gone(headers, &after, &places, &token),
        _ => assert!(after == *headers, "an anonymous request is changed"),
    }
}

/// Whether the token is one word. A token in a query need not be.
fn is_one_word(headers: &Headers, places: &[Place], token: &[u8]) -> bool {
    let holds = |place: &&Place| credentials::tokens(headers, **place).contains(&token.to_vec());
    let first = places.iter().find(holds);
    matches!(first, Some(Place::Query(_))) || credentials::is_one_word(token)
}

/// No place contains the token any more, and nothing else has changed.
fn only_the_token_is_gone(before: &Headers, after: &Headers, places: &[Place], token: &[u8]) {
    let mut touched = vec!["dpop"];
    for place in places {
        let held = credentials::tokens(before, *place).contains(&token.to_vec());
        let kept = credentials::tokens(after, *place);
        assert!(!kept.contains(&token.to_vec()), "the token is still there");
        if !held {
            continue;
        }
        touched.push(match place {
            Place::Authorization => "authorization",
            Place::Header(name) => name,
            Place::Cookie(_) => "cookie",
            Place::Query(_) => ":path",
        });
        only_it_is_gone(before, after, *place, token);
    }
    let others = |headers: &Headers| -> Headers {
        let mut others = headers.clone();
        let is_touched = |name: &[u8]| {
            touched
                .iter()
                .any(|one| name.eq_ignore_ascii_case(one.as_bytes()))
        };
        others.retain(|(name, _)| !is_touched(name));
        others
    };
    assert!(others(before) == others(after), "another field is changed");
    assert_eq!(credentials::values(after, "dpop").next(), None);
}

/// A place that contained the token still has the rest of its content.
fn only_it_is_gone(before: &Headers, after: &Headers, place: Place, token: &[u8]) {
    match place {
        Place::Authorization => {
            assert_eq!(credentials::values(after, "authorization").next(), None);
        }
        Place::Header(name) => assert_eq!(credentials::values(after, name).next(), None),
        Place::Cookie(name) => {
            let is_token = |(known, value): &(&[u8], &[u8])| {
                let line = vec![(b"cookie".to_vec(), [*known, b"=", value].concat())];
                path::decode(known) == name.as_bytes()
                    && credentials::tokens(&line, place).contains(&token.to_vec())
            };
            let is_empty = |(known, value): &(&[u8], &[u8])| known.is_empty() && value.is_empty();
            let kept = credentials::pairs(before).filter(|pair| !is_token(pair) && !is_empty(pair));
            let rest = credentials::pairs(after).filter(|pair| !is_empty(pair));
            assert!(kept.eq(rest), "another cookie is changed");
        }
        Place::Query(_) => {
            let target = |headers| credentials::values(headers, ":path").next().unwrap();
            assert_eq!(
                path::before_query(target(before)),
                path::before_query(target(after))
            );
            let is_token = |pair: &&[u8]| {
                let line = vec![(b":path".to_vec(), [b"/?", *pair].concat())];
                credentials::tokens(&line, place).contains(&token.to_vec())
            };
            let kept = credentials::parameters(before).filter(|pair| !is_token(pair));
            assert!(
                kept.eq(credentials::parameters(after)),
                "another parameter is changed"
            );
        }
    }
}
