//! Which providers judge a token at a route.

use super::doubted::{NAMED, Pair};
use super::traced::traced_by;
use crate::authz::{Step, Trace};
use crate::config;
use crate::policy::{Policy, Provider};
use crate::telemetry::Reason;

/// The names of a token's providers.
#[derive(Debug, Default)]
struct Names {
    judging: Vec<String>,
    excluded: Vec<String>,
}

impl Trace for Names {
    fn step(&mut self, step: Step<'_>) {
        if let Step::Form(_, candidates) = step {
            let name = |provider: &Provider| provider.name.to_string();
            let judging = candidates.iter();
            self.judging = judging.map(|(_, provider)| name(provider)).collect();
            self.excluded = candidates.excluded().map(name).collect();
        }
    }
}

/// Three providers of one issuer and one of another, with the same key.
fn policy(key: &Pair) -> Policy {
    let provider = |(name, issuer)| {
        format!(
            r#"{{"name":"{name}","issuer":"{issuer}","audiences":["api"],
                "jwks":{{"inline":{{"keys":[{}]}}}}}}"#,
            key.jwk(Some("k"))
        )
    };
    let [a, b] = ["https://a.example", "https://b.example"];
    let providers = [("first", a), ("other", b), ("second", a), ("third", a)];
    let document = format!(
        r#"{{"providers":[{}],"routes":[
            {{"match":"GET /one","providers":["second","other"]}},
            {{"match":"GET /all"}}]}}"#,
        providers.map(provider).join(",")
    );
    config::compile(document.as_bytes()).unwrap()
}

#[test]
fn a_route_excludes_the_other_providers_of_the_tokens_issuer() {
    let key = Pair::new();
    let policy = policy(&key);
    let token = format!("Bearer {}", key.token(NAMED));
    for (path, judging, excluded) in [
        ("/one", &["second"][..], &["first", "third"][..]),
        ("/all", &["first", "second", "third"], &[]),
    ] {
        let mut names = Names::default();
        let more = [("authorization", &*token)];
        let decision = traced_by(&policy, ("GET", path), &more, &mut names);
        assert_eq!(decision.reason(), Some(Reason::Allowed), "{path}");
        assert_eq!(names.judging, judging, "{path}");
        assert_eq!(names.excluded, excluded, "{path}");
    }
}

#[test]
fn of_providers_that_refuse_a_token_for_one_reason_the_first_is_named() {
    let (key, other) = (Pair::new(), Pair::new());
    let policy = policy(&key);
    let forged = format!("Bearer {}", other.token(NAMED));
    for (path, provider) in [("/all", "first"), ("/one", "second")] {
        let more = [("authorization", &*forged)];
        let decision = traced_by(&policy, ("GET", path), &more, &mut ());
        assert_eq!(decision.reason(), Some(Reason::BadSignature), "{path}");
        assert_eq!(decision.facts.provider.as_deref(), Some(provider), "{path}");
    }
}
