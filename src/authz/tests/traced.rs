//! The steps that a trace receives, and whether they explain the verdict.

use super::doubted::{NAMED, Pair, Sets, context};
use crate::authz::{
    Decision, KeyOutcome, KeyStep, RevocationOutcome, Step, TokenFault, Trace, evaluate_traced,
};
use crate::config;
use crate::http::{HeaderMap, RequestHead};
use crate::policy::Policy;
use crate::telemetry::Reason;

/// Records the names of the steps, and the reason for which the last one refuses the
/// request.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    steps: Vec<&'static str>,
    refusals: Vec<Reason>,
    waits: bool,
}

impl Trace for Recorder {
    fn step(&mut self, step: Step<'_>) {
        let (name, refusal) = match step {
            Step::Connection { .. } => ("connection", None),
            Step::Method { .. } => ("method", None),
            Step::Path(_) => ("path", None),
            Step::Host(_) => ("host", None),
            Step::Metadata { .. } => ("metadata", None),
            Step::Preflight(_) => ("preflight", None),
            Step::Route { reached, .. } => {
                let refusal = reached.is_none().then_some(Reason::NoRoute);
                ("route", refusal)
            }
            Step::BadMcp { lacks_token, .. } => ("mcp", (!lacks_token).then_some(Reason::BadMcp)),
            Step::Credentials(..) => ("credentials", None),
            Step::Malformed(..) => ("malformed", None),
            Step::Form(_, candidates) => {
                let refusal = candidates.iter().next().is_none();
                ("form", refusal.then_some(Reason::UnknownIssuer))
            }
            Step::Key(_, _, key) => ("key", self.key(key)),
            Step::Claims { result, .. } => ("claims", result.err().map(TokenFault::reason)),
            Step::Revocation(_, outcome) => {
                self.waits |= outcome == RevocationOutcome::NoList;
                let revoked = outcome == RevocationOutcome::Revoked;
                ("revocation", revoked.then_some(Reason::Revoked))
            }
            Step::Rules { result, .. } => {
                let missing = |_| Reason::MissingScope;
                ("rules", result.err().map(missing))
            }
        };
        self.steps.push(name);
        self.refusals.extend(refusal);
    }
}

impl Recorder {
    fn key(&mut self, key: KeyStep<'_>) -> Option<Reason> {
        match key {
            KeyStep::NotLookedFor(fault)
            | KeyStep::LookedFor {
                outcome: KeyOutcome::Refused(fault),
                ..
            } => Some(fault.reason()),
            KeyStep::NoKeys
            | KeyStep::LookedFor {
                outcome: KeyOutcome::Awaited,
                ..
            } => {
                self.waits = true;
                None
            }
            KeyStep::LookedFor {
                outcome: KeyOutcome::Signed,
                ..
            } => None,
        }
    }

    /// Whether the steps explain this decision about a token.
    pub(super) fn leads_to(&self, decision: &Decision) -> bool {
        match decision.reason() {
            None => self.waits,
            Some(Reason::Allowed) => self.steps.last() == Some(&"rules"),
            Some(reason) => self.refusals.contains(&reason),
        }
    }
}

pub(super) fn policy(key: &Pair) -> Policy {
    let document = format!(
        r#"{{
            "providers":[{{"name":"p","issuer":"https://a.example","audiences":["api"],
                "jwks":{{"inline":{{"keys":[{}]}}}}}}],
            "upstream":{{"claims":{{"x-user-id":"sub"}}}},
            "routes":[
                {{"match":"GET /public","access":"public"}},
                {{"match":"GET /denied","access":"denied"}},
                {{"match":"GET /optional","access":"optional"}},
                {{"match":"GET /token","hosts":["a.example"]}},
                {{"match":"GET /scope","scopes":["x"]}},
                {{"match":"POST /mcp","mcp":{{"method":"tools/call"}}}}],
            "resources":[{{"resource":"https://a.example/x"}}],
            "cors":{{"allow_origins":["https://app.example.com"]}}
        }}"#,
        key.jwk(Some("k"))
    );
    config::compile(document.as_bytes()).unwrap()
}

/// The steps up to the route.
const PLACE: &str = "connection method path host preflight";

#[test]
fn steps_are_traced_in_order_up_to_the_deciding_one() {
    let key = Pair::new();
    let policy = policy(&key);
    let check = |request: (&str, &str), more: &[_], reason, steps: &str| {
        let (recorder, decision) = traced(&policy, request, more);
        assert_eq!(decision.reason(), Some(reason), "{request:?}");
        assert_eq!(recorder.steps.join(" "), steps, "{request:?}");
    };
    let at = |path| ("GET", path);
    let route = format!("{PLACE} route");
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    let option = [("connection", "x-user-id")];
    let refused = "connection preflight";
    check(at("/a"), &option, Reason::BadConnection, refused);
    let refused = "connection method preflight";
    check(("get", "/a"), &[], Reason::BadMethod, refused);
    let refused = "connection method path preflight";
    check(at("/a//b"), &[], Reason::BadPathEmptySegment, refused);
    check(at("/a"), &[(":authority", "b")], Reason::BadHost, PLACE);
    check(("OPTIONS", "/token"), &preflight, Reason::Preflight, PLACE);
    check(at("/none"), &[], Reason::NoRoute, &route);
    let metadata = "connection method path host metadata";
    let well_known = "/.well-known/oauth-protected-resource/x";
    check(at(well_known), &[], Reason::ResourceMetadata, metadata);
    let goes_on = format!("{metadata} preflight route");
    check(("POST", well_known), &[], Reason::NoRoute, &goes_on);
    check(at("/denied"), &[], Reason::Denied, &route);
    check(at("/public"), &[], Reason::Public, &route);
    let mcp = format!("{PLACE} mcp");
    let token = [("authorization", "Bearer abc")];
    check(("POST", "/mcp"), &token, Reason::BadMcp, &mcp);
    let no_token = format!("{mcp} credentials");
    check(("POST", "/mcp"), &[], Reason::NoToken, &no_token);
}

#[test]
fn steps_of_a_token_are_traced_up_to_the_deciding_one() {
    let (key, other) = (Pair::new(), Pair::new());
    let policy = policy(&key);
    let check = |path: &str, value: &str, reason, steps: &str| {
        let (recorder, decision) = traced(&policy, ("GET", path), &[("authorization", value)]);
        assert_eq!(decision.reason(), Some(reason), "{path} {value}");
        let steps = format!("{PLACE} route credentials{steps}");
        assert_eq!(recorder.steps.join(" "), steps, "{path} {value}");
    };
    let [good, forged] = [&key, &other].map(|key| format!("Bearer {}", key.token(NAMED)));
    let [optional, token, scope] = ["/optional", "/token", "/scope"];
    check(token, "", Reason::NoToken, "");
    check(optional, "", Reason::Anonymous, "");
    check(optional, "Bearer a b", Reason::MalformedCredentials, "");
    check(optional, "Bearer abc", Reason::MalformedToken, " malformed");
    check(token, &forged, Reason::BadSignature, " form key");
    let all = " form key claims rules";
    check(scope, &good, Reason::MissingScope, all);
    check(token, &good, Reason::Allowed, all);
}

#[test]
fn the_decision_of_a_preflight_names_its_route_and_its_faults() {
    let key = Pair::new();
    let policy = policy(&key);
    for (origin, faults) in [
        ("https://app.example.com", 0),
        ("https://other.example.com", 1),
    ] {
        let more = [("origin", origin), ("access-control-request-method", "GET")];
        let (_, decision) = traced(&policy, ("OPTIONS", "/token"), &more);
        let facts = decision.facts;
        assert_eq!(facts.route.as_deref(), Some("GET /token"), "{origin}");
        assert_eq!(facts.preflight.len(), faults, "{origin}");
    }
}

#[test]
fn each_token_is_looked_up_in_the_cache_and_counts() {
    let key = Pair::new();
    let policy = policy(&key);
    let good = format!("Bearer {}", key.token(NAMED));
    for (value, recalled) in [
        (&*good, Some(false)),
        ("Bearer abc", Some(false)),
        ("Bearer a b", None),
        ("", None),
    ] {
        let more = [("authorization", value)];
        let (_, decision) = traced(&policy, ("GET", "/token"), &more);
        assert_eq!(decision.learned.recalled, recalled, "{value}");
    }
}

/// Records where the request goes.
#[derive(Default)]
struct Place(String);

impl Trace for Place {
    fn step(&mut self, step: Step<'_>) {
        if let Step::Route { target, .. } = step {
            let method = String::from_utf8_lossy(target.method());
            let segments = target.path().segments().unwrap_or_default();
            let segments = segments
                .iter()
                .map(|one| String::from_utf8_lossy(one.text()));
            let path: Vec<_> = segments.collect();
            self.0 = format!("{method} {}", path.join(" "));
        }
    }
}

#[test]
fn a_trace_learns_where_the_request_goes() {
    let key = Pair::new();
    let policy = policy(&key);
    for (path, request) in [("/public", "GET public"), ("/one/%40me", "GET one @me")] {
        let mut place = Place::default();
        traced_by(&policy, ("GET", path), &[], &mut place);
        assert_eq!(place.0, request);
    }
}

/// The steps of a decision, which must be the same without a trace.
fn traced(
    policy: &Policy,
    (method, path): (&str, &str),
    more: &[(&str, &str)],
) -> (Recorder, Decision) {
    let mut recorder = Recorder::default();
    let decision = traced_by(policy, (method, path), more, &mut recorder);
    let untraced = traced_by(policy, (method, path), more, &mut ());
    assert_eq!(decision.reason(), untraced.reason(), "{path}");
    (recorder, decision)
}

/// The decision about a request, whose steps the trace receives.
pub(super) fn traced_by<T: Trace>(
    policy: &Policy,
    (method, path): (&str, &str),
    more: &[(&str, &str)],
    trace: &mut T,
) -> Decision {
    let fields = [
        (":method", method),
        (":path", path),
        (":authority", "a.example"),
    ];
    let fields = fields.into_iter().chain(more.iter().copied());
    let head = RequestHead::new(HeaderMap::from_pairs(fields));
    let sets = Sets::of(&[]);
    evaluate_traced(policy, &head, context(&sets), trace)
}
