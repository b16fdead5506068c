//! Where the token is, against a plain splitter, and that nothing else is
//! taken away with it.
//!
//! The input is lines of header fields, as the module `request` reads them.

use std::rc::Rc;

use edge_authz::authz::{self, Context, CurrentKeys, Keys, Remembered, Verdict};
use edge_authz::config;
use edge_authz::crypto::NoNativeSignatures;
use edge_authz::jwk::AskedKid;
use edge_authz::jwt::VerifiedJwt;
use edge_authz::policy::{Policy, ProviderId, SourceId};
use edge_authz::telemetry::Reason;
use edge_authz::time::UnixTime;

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

struct Nothing;

impl Keys for Nothing {
    fn keys(&self, _: SourceId) -> Option<CurrentKeys<'_>> {
        None
    }

    fn is_absent(&self, _: SourceId, _: &AskedKid<'_>) -> bool {
        false
    }
}

impl Remembered for Nothing {
    fn recall(&self, _: &[u8]) -> Option<&[(ProviderId, Rc<VerifiedJwt>)]> {
        None
    }
}

fn judge(headers: &Headers, places: &[(Place, &str)]) {
    let now = UnixTime::from_secs(1_700_000_000);
    let context = Context {
        keys: &Nothing,
        remembered: &Nothing,
        native: &NoNativeSignatures,
        arrived: now,
        now,
    };
    let decision = authz::evaluate(&policy(places), &request::head(headers), context);
    let target = credentials::values(headers, ":path").next().unwrap();
    let spelled = credentials::values(headers, ":method").next().unwrap();
    if !method::is_plain(spelled) {
        assert_eq!(decision.reason, Reason::BadMethod);
        return;
    }
    if !path::is_plain(target) {
        assert!(matches!(decision.verdict, Verdict::Reply(_)));
        return;
    }
    let decoded = path::decode(path::before_query(target));
    let segments = path::segments(&decoded).unwrap();
    let optional = segments.first() == Some(&&b"optional"[..]) && segments.len() > 1;
    let places: Vec<_> = places.iter().map(|(place, _)| *place).collect();
    let found = credentials::find(headers, &places);
    match &found {
        Credentials::None if optional => assert_eq!(decision.reason, Reason::Anonymous),
        Credentials::None | Credentials::Unclear => {
            assert_eq!(decision.reason, Reason::NoToken);
        }
        Credentials::Malformed => assert_eq!(decision.reason, Reason::MalformedCredentials),
        Credentials::Several => assert_eq!(decision.reason, Reason::SeveralTokens),
        Credentials::Token(token, _) => {
            let good = ["alice", "bob"].map(|name| request::token(request::ISSUER, name));
            let good = good.iter().any(|good| good.as_bytes() == token);
            assert_eq!(decision.reason == Reason::Allowed, good);
        }
    }
    let Verdict::Forward(forward) = decision.verdict else {
        let passes = [Reason::Allowed, Reason::Anonymous];
        assert!(!passes.contains(&decision.reason));
        return;
    };
    let after = request::edited(headers, &forward.edits);
    match found {
        Credentials::Token(_, place) => {
            assert_eq!(credentials::find(&after, &places), Credentials::None);
            only_the_token_is_gone(headers, &after, place);
        }
        _ => assert!(after == *headers, "an anonymous request is changed"),
    }
}

fn only_the_token_is_gone(before: &Headers, after: &Headers, place: Place) {
    let touched = match place {
        Place::Authorization => "authorization",
        Place::Header(name) => name,
        Place::Cookie(_) => "cookie",
        Place::Query(_) => ":path",
    };
    let others = |headers: &Headers| -> Headers {
        let mut others = headers.clone();
        others.retain(|(name, _)| !name.eq_ignore_ascii_case(touched.as_bytes()));
        others
    };
    assert!(others(before) == others(after), "another field is changed");
    match place {
        Place::Authorization | Place::Header(_) => {
            assert_eq!(credentials::values(after, touched).next(), None);
        }
        Place::Cookie(name) => {
            let kept = credentials::pairs(before).filter(|(known, value)| {
                path::decode(known) != name.as_bytes() && !(known.is_empty() && value.is_empty())
            });
            let rest = credentials::pairs(after);
            let rest = rest.filter(|(known, value)| !(known.is_empty() && value.is_empty()));
            assert!(kept.eq(rest), "another cookie is changed");
        }
        Place::Query(_) => {
            let target = |headers| credentials::values(headers, ":path").next().unwrap();
            let (before, after) = (target(before), target(after));
            assert_eq!(path::before_query(before), path::before_query(after));
            // What is left is pieces of what was there, in their order.
            let pieces = |target: &[u8]| -> Vec<Vec<u8>> {
                let query = target.splitn(2, |byte| *byte == b'?').nth(1);
                let pieces = query
                    .into_iter()
                    .flat_map(|query| query.split(|byte| *byte == b'&'));
                pieces.map(<[u8]>::to_vec).collect()
            };
            let (before, after) = (pieces(before), pieces(after));
            let mut rest = before.iter();
            assert!(after.iter().all(|piece| rest.any(|known| known == piece)));
            let names = |piece: &&Vec<u8>| String::from_utf8_lossy(piece).contains("access");
            let harmless = before
                .iter()
                .filter(|piece| !names(piece) && !piece.contains(&b'%'));
            assert!(harmless.count() <= after.len(), "another parameter is gone");
        }
    }
}
