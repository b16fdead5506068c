//! Two judges of one request. Together they allow what each of them allows.

use std::sync::Arc;

use serde_json::{Value, json};

use super::signer::{KeyId, Memory, SIGNER};
use super::world::LATE;
use crate::authz::{Forward, Unenforced};
use crate::config;
use crate::cors::ResponseCors;
use crate::engine::{
    Action, Answer, Effect, Env, Judge, KeyService, NoSharedData, Pair, Side, StreamId,
};
use crate::http::{HeaderEdit, HeaderMap, RequestHead};
use crate::telemetry::Reason;
use crate::time::UnixTime;

const ISSUER: &str = "https://a.example";
const NOW: i64 = 1_800_000_000;
const PAGE: &str = "https://app.example";

/// The policies of the tests. Their keys are inline, or never arrive.
fn documents() -> Vec<Value> {
    let keys = SIGNER.with(|signer| signer.key_set(&[KeyId(0)]));
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    let provider =
        |jwks: &Value| json!([{"name": "a", "issuer": ISSUER, "audiences": "any", "jwks": jwks}]);
    let inline = provider(&json!({"inline": keys}));
    let absent = provider(&json!({"cluster": "a", "uri": "https://a.example/keys"}));
    let cors = |origin: &str| json!({"allow_origins": [origin], "allow_methods": ["GET"]});
    vec![
        json!({"routes": [{"match": "$default", "access": "public"}]}),
        json!({"routes": [{"match": "$default", "access": "denied"}]}),
        json!({"routes": [{"match": "GET /elsewhere", "access": "public"}]}),
        json!({"providers": inline, "routes": [{"match": "$default"}]}),
        json!({"providers": inline, "routes": [{"match": "$default", "scopes": ["none"]}]}),
        json!({"providers": inline, "routes": [{"match": "$default", "access": "optional"}]}),
        json!({"providers": absent, "routes": [{"match": "$default"}]}),
        json!({"providers": inline, "routes": [{"match": "$default"}], "cors": cors(PAGE)}),
        json!({
            "routes": [{"match": "$default", "access": "public"}],
            "cors": cors("https://other.example"),
        }),
        json!({"routes": [{"match": "$default", "access": "denied"}], "cors": cors(PAGE)}),
        json!({"mode": "report", "providers": inline, "routes": [{"match": "$default"}]}),
        json!({"mode": "report", "providers": absent, "routes": [{"match": "$default"}]}),
        json!({"mode": "report", "routes": [{"match": "$default", "access": "denied"}]}),
        json!({"mode": "report", "routes": [{"match": "GET /elsewhere", "access": "public"}]}),
    ]
}

fn head(fields: &[(&str, &str)]) -> RequestHead {
    let common = [(":path", "/a"), (":authority", "api.example")];
    RequestHead::new(HeaderMap::from_pairs(
        common.into_iter().chain(fields.iter().copied()),
    ))
}

fn requests() -> Vec<RequestHead> {
    let good = SIGNER.with(|signer| signer.good(ISSUER, KeyId(0), LATE));
    let bad = SIGNER.with(|signer| signer.good(ISSUER, KeyId(1), LATE));
    let [good, bad] = [good, bad].map(|token| format!("Bearer {token}"));
    let preflight = |method| {
        head(&[
            (":method", "OPTIONS"),
            ("origin", PAGE),
            ("access-control-request-method", method),
        ])
    };
    vec![
        head(&[(":method", "GET")]),
        head(&[
            (":method", "GET"),
            ("authorization", &good),
            ("origin", PAGE),
        ]),
        head(&[(":method", "GET"), ("authorization", &bad)]),
        head(&[(":method", "get")]),
        preflight("GET"),
        preflight("DELETE"),
    ]
}

/// One judge of a request, with its decision unless the request waits.
struct One {
    judge: Judge,
    answer: Option<Box<Answer>>,
}

impl One {
    fn new(document: &Value, head: &RequestHead) -> Self {
        let policy = config::compile(document.to_string().as_bytes()).unwrap();
        let policy = Arc::new(policy);
        let service = KeyService::new(&policy, 1);
        let mut judge = Judge::new(policy, Arc::clone(service.snapshot()));
        let env = Env {
            now: UnixTime::from_secs(NOW),
            shared: &NoSharedData,
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        };
        let effects = judge.request(StreamId(1), head.clone(), env);
        let answer = effects.into_iter().find_map(Effect::answer);
        Self { judge, answer }
    }

    fn passes(&self) -> bool {
        let answer = self.answer.as_deref();
        answer.is_some_and(|answer| matches!(answer.action, Action::Forward(_)))
    }

    fn refuses(&self) -> bool {
        self.answer
            .as_deref()
            .is_some_and(|answer| match &answer.action {
                Action::Reply(reply) => {
                    reply.status >= 400 || answer.reason == Reason::PreflightRefused
                }
                Action::Forward(_) => false,
            })
    }

    fn reason(&self) -> Option<Reason> {
        self.answer.as_deref().map(|answer| answer.reason)
    }
}

/// The combined decision. The listener's decision comes first or last.
fn decide(listener: One, narrower: One, first: bool) -> Option<Box<Answer>> {
    let mut pair = Pair::default();
    let sides = if first {
        [
            (Side::Listener, listener.answer),
            (Side::Narrower, narrower.answer),
        ]
    } else {
        [
            (Side::Narrower, narrower.answer),
            (Side::Listener, listener.answer),
        ]
    };
    for (side, answer) in sides {
        if let Some(answer) = answer {
            pair.decided(side, answer);
        }
    }
    let cors_of = |side, one: &Judge| {
        let waiting = || one.cors_of_waiting(StreamId(1)).cloned();
        pair.cors(side).cloned().or_else(waiting)
    };
    let cors = ResponseCors::narrowed(
        cors_of(Side::Listener, &listener.judge),
        cors_of(Side::Narrower, &narrower.judge),
    );
    let answer = pair.take(listener.judge.policy(), cors.clone());
    if answer.is_some() {
        let again = pair.take(listener.judge.policy(), cors);
        assert!(again.is_none(), "a request is decided once");
    }
    answer
}

#[test]
fn a_request_passes_only_if_both_let_it_pass() {
    let (mut passed, mut refused, mut waiting) = (0, 0, 0);
    for head in requests() {
        for outer in documents() {
            for inner in documents() {
                let one = || (One::new(&outer, &head), One::new(&inner, &head));
                let (listener, narrower) = one();
                let both_pass = listener.passes() && narrower.passes();
                let any_refuses = listener.refuses() || narrower.refuses();
                let reasons = [listener.reason(), narrower.reason()];
                let place = format!("{outer}\n{inner}\n{head:?}");
                for first in [true, false] {
                    let (listener, narrower) = one();
                    let answer = decide(listener, narrower, first);
                    let Some(answer) = answer else {
                        assert!(!both_pass && !any_refuses, "{place}");
                        waiting += 1;
                        continue;
                    };
                    assert!(reasons.contains(&Some(answer.reason)), "{place}");
                    match answer.action {
                        Action::Forward(_) => {
                            assert!(both_pass, "{place}");
                            passed += 1;
                        }
                        Action::Reply(reply) => {
                            assert!(!both_pass, "{place}");
                            refused += 1;
                            // A refusal of one judge is never replaced, except for the
                            // preflight of a request that the other one would refuse.
                            let is_preflight = reasons[0] == Some(Reason::Preflight)
                                && reasons[1] != Some(Reason::PreflightRefused);
                            assert!(
                                !any_refuses
                                    || reply.status >= 400
                                    || answer.reason == Reason::PreflightRefused
                                    || is_preflight,
                                "{place}"
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(
        passed > 30 && refused > 100 && waiting > 10,
        "{passed} {refused} {waiting}"
    );
}

#[test]
fn an_origin_is_allowed_if_both_allow_it() {
    let documents = documents();
    let (public, with_cors, other) = (&documents[0], &documents[7], &documents[8]);
    let good = SIGNER.with(|signer| signer.good(ISSUER, KeyId(0), LATE));
    let head = head(&[
        (":method", "GET"),
        ("origin", PAGE),
        ("authorization", &format!("Bearer {good}")),
    ]);
    for (outer, inner, allowed) in [
        (with_cors, public, true),
        (public, with_cors, true),
        (with_cors, with_cors, true),
        (with_cors, other, false),
        (other, with_cors, false),
    ] {
        let (listener, narrower) = (One::new(outer, &head), One::new(inner, &head));
        let answer = decide(listener, narrower, true).unwrap();
        let cors = answer.facts.cors.unwrap();
        let edits = cors.apply([], false);
        let names = format!("{edits:?}");
        let is_allowed = edits.iter().any(|edit| match edit {
            HeaderEdit::Add(name, _) => **name == *b"access-control-allow-origin",
            HeaderEdit::Remove(_) | HeaderEdit::Set(..) => false,
        });
        assert_eq!(is_allowed, allowed, "{names}");
    }
}

#[test]
fn identity_is_the_listeners_where_it_verified_a_token() {
    let documents = documents();
    let good = SIGNER.with(|signer| signer.good(ISSUER, KeyId(0), LATE));
    let head = head(&[
        (":method", "GET"),
        ("authorization", &format!("Bearer {good}")),
    ]);
    for (outer, inner, expected) in [
        (0, 3, Reason::Allowed),
        (3, 0, Reason::Allowed),
        (0, 0, Reason::Public),
    ] {
        let one = |index: usize| One::new(&documents[index], &head);
        let answer = decide(one(outer), one(inner), true).unwrap();
        assert_eq!(answer.reason, expected);
        assert_eq!(answer.facts.provider.is_some(), expected == Reason::Allowed);
        let Action::Forward(forward) = answer.action else {
            panic!("refused");
        };
        assert_eq!(forward.reason(), expected);
        assert_eq!(forward.edits.is_empty(), expected == Reason::Public);
    }
}

#[test]
fn the_listener_comes_first_if_both_or_none_verified_a_token() {
    let mut documents = documents();
    let good = SIGNER.with(|signer| signer.good(ISSUER, KeyId(0), LATE));
    let (anonymous, identified) = (
        head(&[(":method", "GET")]),
        head(&[
            (":method", "GET"),
            ("authorization", &format!("Bearer {good}")),
        ]),
    );
    let mut other = documents[3].clone();
    other["providers"][0]["name"] = "b".into();
    documents.push(other);
    let last = documents.len() - 1;
    for (head, outer, inner, reason, provider) in [
        (&anonymous, 5, 0, Reason::Anonymous, None),
        (&anonymous, 0, 5, Reason::Public, None),
        (&identified, 3, last, Reason::Allowed, Some("a")),
        (&identified, last, 3, Reason::Allowed, Some("b")),
    ] {
        let one = |index: usize| One::new(&documents[index], head);
        let answer = decide(one(outer), one(inner), true).unwrap();
        assert_eq!(answer.reason, reason);
        assert_eq!(answer.facts.provider.as_deref(), provider);
    }
}

/// A policy that only reports. It allows the tokens of this subject, and sets this header.
fn reporting(subject: &str, header: &str) -> Value {
    let keys = SIGNER.with(|signer| signer.key_set(&[KeyId(0)]));
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    json!({
        "mode": "report",
        "providers": [{
            "name": subject, "issuer": ISSUER, "audiences": "any", "jwks": {"inline": keys},
        }],
        "upstream": {"claims": {header: "sub"}},
        "routes": [{"match": "GET /a", "claims": {"sub": subject}}],
        "telemetry": {"filter_state": ["subject"]},
    })
}

/// The headers that a request gets.
fn set(forward: &Forward) -> Vec<String> {
    let edits = forward.edits.iter().filter_map(|edit| match edit {
        HeaderEdit::Set(name, value) | HeaderEdit::Add(name, value) => {
            Some([&**name, &**value].map(|part| String::from_utf8_lossy(part).into_owned()))
        }
        HeaderEdit::Remove(_) => None,
    });
    edits.map(|edit| edit.join(": ")).collect()
}

fn removes(forward: &Forward, name: &str) -> bool {
    let remove = HeaderEdit::Remove(name.as_bytes().to_vec().into());
    forward.edits.contains(&remove)
}

#[test]
fn a_report_of_either_is_kept_and_changes_nothing_of_the_other() {
    let good = SIGNER.with(|signer| signer.good(ISSUER, KeyId(0), LATE));
    let head = head(&[
        (":method", "GET"),
        ("authorization", &format!("Bearer {good}")),
        ("x-outer", "mallory"),
        ("x-inner", "mallory"),
    ]);
    let [refuses, allows] = ["mallory", "alice"];
    for (outer, inner, who, headers) in [
        (refuses, allows, Some("mallory"), &["x-inner: alice"][..]),
        (allows, refuses, Some("mallory"), &["x-outer: alice"]),
        (refuses, refuses, Some("mallory"), &[]),
        (allows, allows, None, &["x-inner: alice", "x-outer: alice"]),
    ] {
        let place = format!("{outer} {inner}");
        let listener = One::new(&reporting(outer, "x-outer"), &head);
        let narrower = One::new(&reporting(inner, "x-inner"), &head);
        let answer = decide(listener, narrower, true).unwrap();
        let Action::Forward(forward) = answer.action else {
            panic!("refused");
        };
        let unenforced = forward.unenforced();
        let provider = unenforced.and_then(Unenforced::provider);
        assert_eq!(provider.map(|name| &**name), who, "{place}");
        let missing = unenforced.map(Unenforced::reason);
        assert_eq!(missing, who.map(|_| Reason::MissingClaim), "{place}");
        let reason = who.map_or(Reason::Allowed, |_| Reason::Reported);
        assert_eq!((answer.reason, forward.reason()), (reason, reason));
        assert_eq!(set(&forward), headers, "{place}");
        assert!(removes(&forward, "x-outer") && removes(&forward, "x-inner"));
        // Only who verified the token removes it and knows its subject.
        let is_identified = !headers.is_empty();
        assert_eq!(removes(&forward, "authorization"), is_identified, "{place}");
        assert_eq!(forward.subject.is_some(), is_identified, "{place}");
        let provider = answer.facts.provider.as_deref();
        assert_eq!(provider, is_identified.then_some("alice"), "{place}");
    }
}
