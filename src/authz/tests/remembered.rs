//! Tokens that were verified before.

use std::sync::Arc;

use super::doubted::{FETCHED, NAMED, Pair, Sets, context, decide, decide_in, policy, request};
use crate::authz::{Context, Decision, Remembered, Verifications, Verified};
use crate::telemetry::Reason;

/// A cache with one token.
struct Cache(Verified);

impl Remembered for Cache {
    fn recall(&self, token: &[u8]) -> Option<Arc<Verifications>> {
        let Verified { provider, jwt, .. } = &self.0;
        let known = Verifications::new(*provider, Arc::clone(jwt));
        (*self.0.token == *token).then(|| Arc::new(known))
    }
}

fn decide_again(cache: &Cache, keys: &[String]) -> Decision {
    let sets = Sets::of(&[keys]);
    let token = str::from_utf8(&cache.0.token).unwrap();
    let context = Context {
        remembered: cache,
        ..context(&sets)
    };
    decide_in(context, &policy(&[FETCHED]), &request(token))
}

/// What is learned about a token that this key signed.
fn verified(key: &Pair) -> Verified {
    let sets = Sets::of(&[&[key.jwk(Some("k"))]]);
    let decision = decide(&policy(&[FETCHED]), &sets, &key.token(NAMED));
    assert_eq!(decision.reason(), Some(Reason::Allowed));
    *decision.learned.verified.unwrap()
}

#[test]
fn a_remembered_token_is_refused_once_its_key_has_been_replaced() {
    let (key, other) = (Pair::new(), Pair::new());
    let cache = Cache(verified(&key));
    let again = decide_again(&cache, &[key.jwk(Some("k"))]);
    assert_eq!(again.reason(), Some(Reason::Allowed));
    assert_eq!(again.learned.recalled, Some(true));
    assert!(again.learned.verified.is_none(), "no key verifies it again");
    let replaced = decide_again(&cache, &[other.jwk(Some("k"))]);
    assert_eq!(replaced.reason(), Some(Reason::BadSignature));
    assert_eq!(replaced.learned.recalled, Some(true));
}

#[test]
fn the_debug_text_of_a_verified_token_has_nothing_of_the_token() {
    let verified = verified(&Pair::new());
    assert_eq!(format!("{verified:?}"), "Verified(VerifiedJwt(ES256))");
}
