//! Refusals that are only reported.

use super::doubted::{NAMED, Pair};
use super::traced::traced_by;
use crate::authz::{Decision, Forward, Refusal, Unenforced, Verdict};
use crate::config;
use crate::http::HeaderEdit;
use crate::policy::Policy;
use crate::telemetry::Reason;

/// A policy with this mode. Its routes named `report` and `enforce` have their own.
fn policy(key: &Pair, mode: &str) -> Policy {
    let document = format!(
        r#"{{
            "mode":"{mode}",
            "providers":[{{"name":"p","issuer":"https://a.example","audiences":["api"],
                "jwks":{{"inline":{{"keys":[{}]}}}}}}],
            "token_from":[{{"header":"authorization","scheme":"Bearer"}},{{"cookie":"session"}}],
            "upstream":{{"claims":{{"x-user-id":"sub"}}}},
            "routes":[
                {{"match":"GET /public","access":"public"}},
                {{"match":"GET /denied","access":"denied"}},
                {{"match":"GET /denied/report","access":"denied","mode":"report"}},
                {{"match":"GET /optional","access":"optional"}},
                {{"match":"GET /token","hosts":["a.example"]}},
                {{"match":"GET /report","mode":"report"}},
                {{"match":"GET /enforce","mode":"enforce"}},
                {{"match":"GET /scope","scopes":["x"]}}],
            "cors":{{"allow_origins":["https://app.example.com"]}}
        }}"#,
        key.jwk(Some("k"))
    );
    config::compile(document.as_bytes()).unwrap()
}

fn decide(policy: &Policy, request: (&str, &str), more: &[(&str, &str)]) -> Decision {
    traced_by(policy, request, more, &mut ())
}

fn forwarded(decision: &Decision) -> Option<&Forward> {
    match &decision.verdict {
        Verdict::Forward(forward) => Some(forward),
        Verdict::Reply(..) | Verdict::Wait(_) => None,
    }
}

/// Why the request would have been refused, if this is only reported.
fn reported(decision: &Decision) -> Option<Reason> {
    let forward = forwarded(decision)?;
    let reason = forward.unenforced()?.reason();
    assert_eq!(decision.reason(), Some(Reason::Reported));
    Some(reason)
}

#[test]
fn what_is_refused_where_refusals_are_enforced_is_reported_otherwise() {
    let (key, other) = (Pair::new(), Pair::new());
    let [enforced, reporting] = ["enforce", "report"].map(|mode| policy(&key, mode));
    let [good, forged] = [&key, &other].map(|key| format!("Bearer {}", key.token(NAMED)));
    let get = |path| ("GET", path);
    let token = |value| vec![("authorization", value)];
    for (request, more, expected) in [
        (("get", "/token"), vec![], Reason::BadMethod),
        (get("/a//b"), vec![], Reason::BadPathEmptySegment),
        (get("/%2e%2e"), vec![], Reason::BadPath),
        (get("/a;b"), vec![], Reason::BadPathSemicolon),
        (
            get("/a"),
            vec![("connection", "x-user-id")],
            Reason::BadConnection,
        ),
        (get("/token"), vec![(":authority", "b")], Reason::BadHost),
        (get("/none"), vec![], Reason::NoRoute),
        (("OPTIONS", "/token"), vec![], Reason::NoRoute),
        (get("/token"), vec![], Reason::NoToken),
        (get("/token"), token("Bearer"), Reason::MalformedCredentials),
        (get("/token"), token("Bearer abc"), Reason::MalformedToken),
        (get("/token"), token(&forged), Reason::BadSignature),
        (get("/optional"), token(&forged), Reason::BadSignature),
        (
            get("/optional"),
            token("Bearer\tx"),
            Reason::MalformedCredentials,
        ),
        (get("/scope"), token(&good), Reason::MissingScope),
    ] {
        let decision = decide(&enforced, request, &more);
        assert_eq!(decision.reason(), Some(expected), "{request:?} {more:?}");
        assert!(forwarded(&decision).is_none(), "{request:?}");
        let decision = decide(&reporting, request, &more);
        assert_eq!(reported(&decision), Some(expected), "{request:?} {more:?}");
        // Nothing of the token is published.
        assert_eq!(decision.facts.provider, None);
        assert_eq!(decision.facts.issuer, None);
    }
}

#[test]
fn what_passes_where_refusals_are_enforced_is_handled_in_the_same_way() {
    let key = Pair::new();
    let good = format!("Bearer {}", key.token(NAMED));
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    for (request, more) in [
        (("GET", "/public"), vec![("x-user-id", "mallory")]),
        (("GET", "/optional"), vec![("x_user_id", "mallory")]),
        (("GET", "/optional"), vec![("authorization", &*good)]),
        (("GET", "/token"), vec![("authorization", &*good)]),
        (("GET", "/report"), vec![("authorization", &*good)]),
        (("OPTIONS", "/token"), preflight.to_vec()),
        (("OPTIONS", "/none"), preflight.to_vec()),
        (("OPTIONS", "/denied"), preflight.to_vec()),
    ] {
        let [enforced, reporting] = ["enforce", "report"].map(|mode| {
            let decision = decide(&policy(&key, mode), request, &more);
            let edits = forwarded(&decision).map(|forward| forward.edits.clone());
            (decision.reason(), edits, format!("{:?}", decision.facts))
        });
        assert_eq!(enforced, reporting, "{request:?} {more:?}");
    }
}

#[test]
fn denied_routes_refuse_in_any_mode() {
    let key = Pair::new();
    for mode in ["enforce", "report"] {
        for path in ["/denied", "/denied/report"] {
            let decision = decide(&policy(&key, mode), ("GET", path), &[]);
            assert_eq!(decision.reason(), Some(Reason::Denied), "{mode} {path}");
            assert!(forwarded(&decision).is_none());
        }
    }
}

#[test]
fn the_mode_of_a_route_applies_to_its_refusals_only() {
    let key = Pair::new();
    let [enforced, reporting] = ["enforce", "report"].map(|mode| policy(&key, mode));
    for policy in [&enforced, &reporting] {
        let decision = decide(policy, ("GET", "/report"), &[]);
        assert_eq!(reported(&decision), Some(Reason::NoToken));
        let decision = decide(policy, ("GET", "/enforce"), &[]);
        assert_eq!(decision.reason(), Some(Reason::NoToken));
        assert!(forwarded(&decision).is_none());
    }
    // No route is known yet.
    for path in ["/report//", "//enforce", "/report%2f"] {
        let decision = decide(&enforced, ("GET", path), &[]);
        assert!(forwarded(&decision).is_none(), "{path}");
        let decision = decide(&reporting, ("GET", path), &[]);
        assert!(reported(&decision).is_some(), "{path}");
    }
}

#[test]
fn identity_headers_of_the_client_are_removed_and_its_token_stays() {
    let (key, other) = (Pair::new(), Pair::new());
    let [good, forged] = [&key, &other].map(|key| format!("Bearer {}", key.token(NAMED)));
    let policy = policy(&key, "report");
    let remove = |name: &'static str| HeaderEdit::Remove(name.as_bytes().into());
    for (path, token) in [
        ("/token", "none"),
        ("/token", &*forged),
        ("/scope", &*good),
        ("/optional", &*forged),
        ("//", &*good),
        ("/none", &*good),
    ] {
        let more = [
            ("authorization", token),
            ("cookie", "session=x"),
            ("x-user-id", "mallory"),
            ("x_user_id", "mallory"),
            ("x.user.id", "mallory"),
        ];
        let decision = decide(&policy, ("GET", path), &more);
        assert!(reported(&decision).is_some(), "{path}");
        let removed = ["x-user-id", "x_user_id", "x.user.id"].map(remove);
        assert_eq!(forwarded(&decision).unwrap().edits, removed, "{path}");
    }
}

#[test]
fn the_report_names_the_route_and_the_provider() {
    let (key, other) = (Pair::new(), Pair::new());
    let policy = policy(&key, "report");
    let forged = format!("Bearer {}", other.token(NAMED));
    let decision = decide(&policy, ("GET", "/token"), &[("authorization", &forged)]);
    let unenforced = forwarded(&decision).unwrap().unenforced().unwrap();
    let text = |name: Option<&std::sync::Arc<str>>| name.map(ToString::to_string);
    assert_eq!(text(unenforced.route()).as_deref(), Some("GET /token"));
    assert_eq!(text(unenforced.provider()).as_deref(), Some("p"));
    assert_eq!(decision.facts.route.as_deref(), Some("GET /token"));
}

#[test]
fn an_internal_failure_is_refused_in_any_mode() {
    let policy = policy(&Pair::new(), "report");
    let route = policy
        .routes
        .iter()
        .find(|route| &*route.name == "GET /report");
    for (reason, is_reported) in [(Reason::InternalError, false), (Reason::Expired, true)] {
        let reply = Refusal::from(reason).reply(&policy.responses);
        let decision = Decision::of(Verdict::Reply(reason, reply));
        for route in [None, route] {
            let unenforced = Unenforced::of(&policy, route, &decision);
            assert_eq!(unenforced.is_some(), is_reported, "{reason:?}");
        }
    }
}
