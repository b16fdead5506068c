//! Whole requests through the engine. No request passes without a token if one is
//! required, no client's identity header reaches an upstream, and each request is
//! answered once.
//!
//! The input is lines of header fields, as the module `request` reads them; an
//! empty line; and lines of the upstream's header fields.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use edge_authz::config;
use edge_authz::crypto::NoHostSignatures;
use edge_authz::engine::{
    Action, Answer, Effect, Engine, Env, NoConnection, NotSet, SharedData, StreamId, Unavailable,
};
use edge_authz::http::{LocalReply, RequestHead};
use edge_authz::policy::Policy;
use edge_authz::telemetry::Reason;
use edge_authz::time::UnixTime;

use super::{origin, request};
use crate::reference::credentials::{self, Credentials, Headers, Place};
use crate::reference::{method as methods, path, readers};

const PLACES: [Place; 3] = [
    Place::Authorization,
    Place::Cookie("session"),
    Place::Query("access_token"),
];

/// The headers that only the filter sets.
const OWNED: [&str; 3] = ["x-user-id", "x-user-scope", "x-jwt-payload"];

pub(crate) fn target(data: &[u8]) {
    let blank = data.windows(2).position(|window| window == b"\n\n");
    let (request, response) = data.split_at(blank.unwrap_or(data.len()));
    let headers = request::headers(request);
    let policy = Arc::new(policy());
    let mut engine = Engine::new(Arc::clone(&policy), 1);
    let answer = ask(&mut engine, 1, &headers);
    judge(&headers, &answer, &policy);
    if let Some(cors) = &answer.facts.cors {
        let mut response = request::headers(response);
        response.retain(|(name, _)| !name.starts_with(b":"));
        origin::answered(cors, response);
    }
    // A cached token is judged like a new one, and the order of fields with different
    // names has no meaning.
    let again = ask(&mut engine, 2, &headers);
    assert_eq!(again.reason, answer.reason);
    let mut other_order = headers.clone();
    other_order.sort_by_key(|(name, _)| Reverse(name.to_ascii_lowercase()));
    let other = ask(&mut Engine::new(policy, 2), 3, &other_order);
    assert_eq!(other.reason, answer.reason);
    // The filter does not use these fields.
    let mut noisy = headers;
    for name in [
        "x-original-url",
        "x-http-method-override",
        "host",
        "x-forwarded-host",
    ] {
        noisy.push((name.into(), b"/public/x".to_vec()));
    }
    assert_eq!(ask(&mut engine, 4, &noisy).reason, answer.reason);
}

/// A policy with routes of each kind.
pub(super) fn policy() -> Policy {
    let text = format!(
        r#"{{"providers":[
            {{"name":"main","issuer":"{}","audiences":["api"],
              "algorithms":["HS256"],"jwks":{{"inline":{}}}}},
            {{"name":"silent","issuer":"{}","audiences":["api"],"algorithms":["HS256","RS256"],
              "jwks":{{"cluster":"silent","uri":"https://silent.example/keys"}}}}],
          "token_from":[{{"header":"authorization","scheme":"Bearer"}},
                        {{"cookie":"session"}},{{"query":"access_token"}}],
          "upstream":{{"claims":{{"x-user-id":"sub","x-user-scope":"scope"}},
                       "payload":"x-jwt-payload"}},
          "routes":[
            {{"match":["ANY /public/{{rest+}}"],"access":"public","cors":"off"}},
            {{"match":["ANY /optional/{{rest+}}"],"access":"optional"}},
            {{"match":["ANY /denied/{{rest+}}"],"access":"denied"}},
            {{"match":["GET /scoped/{{id}}"],"scopes":["read"],"claims":{{"sub":"{{id}}"}}}},
            {{"match":["ANY /host/{{rest+}}"],"hosts":["*.b.test"],"access":"public"}},
            {{"match":["$default"]}}],
          "cors":{{"allow_origins":["https://app.example","https://*.app.example"],
                   "allow_headers":["authorization"],"allow_credentials":true}}}}"#,
        request::ISSUER,
        request::inline_keys(),
        request::SILENT,
    );
    config::compile(text.as_bytes()).unwrap()
}

struct NoSharedData;

impl SharedData for NoSharedData {
    fn get(&self, _: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        Err(Unavailable)
    }

    fn set(&self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), NotSet> {
        Err(NotSet::Unavailable)
    }
}

/// The environment of an engine, some seconds after the test has begun.
pub(super) fn env(seconds: i64) -> Env<'static> {
    Env {
        now: UnixTime::from_secs(1_700_000_000 + seconds),
        shared: &NoSharedData,
        host_signatures: &NoHostSignatures,
        connection: &NoConnection,
    }
}

/// The only answer to a request, which may be given as late as its deadline.
fn ask(engine: &mut Engine, stream: u32, headers: &Headers) -> Answer {
    answer(engine, stream, request::head(headers))
}

/// The same, about a head.
pub(super) fn answer(engine: &mut Engine, stream: u32, head: RequestHead) -> Answer {
    let mut effects = engine.request(StreamId(stream), head, env(0));
    for seconds in 1..=20 {
        effects.extend(engine.tick(env(seconds)));
    }
    effects.extend(engine.forget(StreamId(stream)));
    assert!(engine.next_tick() > Duration::ZERO);
    let answers = effects.into_iter().filter_map(|effect| match effect {
        Effect::Answer(answer) => Some(*answer),
        Effect::Fetch(_) | Effect::Measure(_) | Effect::Log(_) => None,
    });
    let mut answers: Vec<_> = answers.collect();
    assert_eq!(answers.len(), 1, "not one answer");
    let answer = answers.remove(0);
    assert_eq!(answer.stream, StreamId(stream));
    answer
}

/// Fails if the answer lets a request pass that the policy refuses, or lets the client
/// determine its identity.
pub(super) fn judge(headers: &Headers, answer: &Answer, policy: &Policy) {
    let forward = match &answer.action {
        Action::Reply(reply) => {
            judge_reply(reply, answer.reason);
            return;
        }
        Action::Forward(forward) => forward,
    };
    let method = credentials::values(headers, ":method").next().unwrap();
    let target = credentials::values(headers, ":path").next().unwrap();
    assert!(methods::is_plain(method), "an ambiguous method passes");
    assert!(path::is_plain(target), "an ambiguous path passes");
    let decoded = path::decode(path::before_query(target));
    let segments = path::segments(&decoded).unwrap();
    let first = segments.first().copied().filter(|_| segments.len() > 1);
    let found = credentials::find(headers, &PLACES);
    let subject = ["alice", "bob"].into_iter().find(|name| {
        let good = request::token(request::ISSUER, name);
        matches!(&found, Credentials::Token(token, false) if *token == good.as_bytes())
    });
    let after = request::edited(headers, &forward.edits);
    let host = credentials::values(headers, ":authority").next().unwrap();
    let at_host = first == Some(b"host")
        && String::from_utf8_lossy(host)
            .to_ascii_lowercase()
            .contains(".b.test");
    let expected = match first {
        Some(b"denied") => panic!("a denied route passes"),
        Some(b"public" | b"host") if at_host || first == Some(b"public") => None,
        Some(b"optional") if found == Credentials::None => None,
        _ => {
            let subject = subject.expect("a request without a good token passes");
            if first == Some(b"scoped") && segments.len() == 2 && matches!(method, b"GET" | b"HEAD")
            {
                assert_eq!(
                    segments[1],
                    subject.as_bytes(),
                    "the resource of another user"
                );
            }
            for place in PLACES {
                let left = credentials::tokens(&after, place);
                let cookie = matches!(place, Place::Cookie(_));
                assert!(cookie || left.is_empty(), "a token is left");
            }
            Some(subject)
        }
    };
    judge_owned(headers, &after, expected);
    assert!(policy.upstream.owns(b"X.User_Id"));
}

/// The upstream gets the filter's identity headers and no others.
fn judge_owned(headers: &Headers, after: &Headers, expected: Option<&str>) {
    let fold = |name: &[u8]| {
        String::from_utf8_lossy(name)
            .to_ascii_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    };
    for owned in OWNED {
        let removed =
            readers::connection_options(headers).any(|one| fold(one) == fold(owned.as_bytes()));
        assert!(!removed, "the next hop removes {owned}");
        let like_it = after
            .iter()
            .filter(|(name, _)| fold(name) == fold(owned.as_bytes()));
        let there: Vec<_> = like_it.collect();
        assert_eq!(there.len(), usize::from(expected.is_some()), "{owned}");
        if let [(name, value)] = there.as_slice() {
            assert_eq!(name, owned.as_bytes());
            if owned == "x-user-id" {
                assert_eq!(Some(&**value), expected.map(str::as_bytes));
            }
        }
    }
}

/// A refusal is one of the documented ones, and nothing in it can end a line.
fn judge_reply(reply: &LocalReply, reason: Reason) {
    let LocalReply {
        status,
        headers,
        body,
        details,
    } = reply;
    assert!([204, 400, 401, 403, 404, 503].contains(status));
    assert_eq!(*details, reason.details());
    for (name, value) in headers {
        assert!(
            name.bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_lowercase())
        );
        assert!(
            value
                .as_str()
                .bytes()
                .all(|byte| (0x20..0x7f).contains(&byte))
        );
    }
    let challenge = headers.iter().any(|(name, _)| *name == "www-authenticate");
    assert!(challenge || *status != 401);
    let retry = headers.iter().any(|(name, _)| *name == "retry-after");
    assert!(retry || *status != 503);
    assert_eq!(body.is_empty(), *status == 204);
    assert!(!matches!(
        reason,
        Reason::Allowed | Reason::Public | Reason::Anonymous | Reason::InternalError
    ));
}
