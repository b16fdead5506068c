//! Revocation lists, and providers without a current one.

use super::doubted::{NAMED, Pair, Sets, context, request};
use crate::authz::{
    Context, CurrentKeys, Decision, Keys, NeededDocument, Steps, Verdict, evaluate_traced,
};
use crate::config;
use crate::jwk::AskedKid;
use crate::policy::{Policy, SourceId};
use crate::revocation::RevocationList;
use crate::telemetry::Reason;

/// One revocation list, and no fetched keys.
struct Listed(RevocationList);

impl Keys for Listed {
    fn keys(&self, _: SourceId) -> Option<CurrentKeys<'_>> {
        None
    }

    fn revocation_list(&self, _: SourceId) -> Option<&RevocationList> {
        Some(&self.0)
    }

    fn is_absent(&self, _: SourceId, _: &AskedKid<'_>) -> bool {
        false
    }
}

fn policy(key: &Pair) -> Policy {
    let document = format!(
        r#"{{"providers":[{{"name":"p","issuer":"https://a.example","audiences":["api"],
            "jwks":{{"inline":{{"keys":[{}]}}}},
            "revoked":{{"cluster":"a","uri":"https://a.example/revoked"}}}}],
            "routes":[{{"match":"$default"}}]}}"#,
        key.jwk(Some("k"))
    );
    config::compile(document.as_bytes()).unwrap()
}

/// The decision about a token with this `jti`, and its steps in words.
fn decide(key: &Pair, context: Context<'_>, jti: &str) -> (Decision, String) {
    let token = key.token_with(NAMED, &format!(r#","jti":"{jti}""#));
    let mut steps = Steps::new(true);
    let decision = evaluate_traced(&policy(key), &request(&token), context, &mut steps);
    (decision, steps.into_text().unwrap().into())
}

#[test]
fn a_token_that_the_list_names_is_refused() {
    let key = Pair::new();
    let list = RevocationList::parse(br#"{"jti":["gone"]}"#, None).unwrap();
    let (sets, listed) = (Sets::of(&[]), Listed(list));
    let context = Context {
        keys: &listed,
        ..context(&sets)
    };
    let (decision, steps) = decide(&key, context, "gone");
    assert_eq!(decision.reason(), Some(Reason::Revoked));
    assert!(steps.ends_with(", revoked"), "{steps}");
    let (decision, steps) = decide(&key, context, "other");
    assert_eq!(decision.reason(), Some(Reason::Allowed));
    let end = ", not revoked, claims valid, rules of the route met";
    assert!(steps.ends_with(end), "{steps}");
}

#[test]
fn without_a_list_a_token_waits_for_one() {
    let key = Pair::new();
    // These keys have no lists.
    let sets = Sets::of(&[]);
    let (decision, steps) = decide(&key, context(&sets), "other");
    assert!(steps.ends_with(", no revocation list"), "{steps}");
    let needed = NeededDocument {
        source: SourceId::new(0),
        lacks_kid: false,
    };
    assert!(
        matches!(&decision.verdict, Verdict::Wait(all) if *all == [needed]),
        "{decision:?}"
    );
}
