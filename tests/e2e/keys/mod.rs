//! Keys of issuers that rotate them, fail, recover, or send something else.

mod addresses;
mod answers;
mod clusters;
mod discovery;
mod doubt;
mod load;
mod many;
mod outages;
pub(crate) mod reporting;
mod requests;
mod revocation;
mod rotation;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bootstrap::Builder;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::tokens::{TokenMaker, claims};
use crate::world::{AUDIENCE, World, configuration};

/// The tolerance of every time limit, on a busy machine.
const SLACK: Duration = Duration::from_millis(800);
/// More workers than the test machine may have cores, so that no two requests can rely on
/// using the same worker.
const WORKERS: u32 = 4;

fn workers(builder: Builder) -> Builder {
    builder.concurrency(WORKERS)
}

/// The usual configuration with further settings of its key source.
fn with_jwks(jwks: Value) -> impl Fn(&Issuer) -> Value {
    move |issuer| {
        let mut configuration = configuration(issuer);
        merge(&mut configuration["providers"][0]["jwks"], &jwks);
        configuration
    }
}

fn discovering(issuer: &Issuer) -> Value {
    let mut configuration = configuration(issuer);
    configuration["providers"][0]["jwks"] = json!({"cluster": "issuer", "timeout": "1s"});
    configuration
}

/// Adds the members of `from`; `null` removes one.
fn merge(into: &mut Value, from: &Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else {
        panic!("two objects");
    };
    into.extend(from.clone());
    into.retain(|_, value| !value.is_null());
}

/// A token of the usual issuer.
fn good_token(key: &TokenMaker) -> String {
    key.token(&claims("https://issuer.example.com", AUDIENCE))
}

fn private(token: &str) -> Request {
    Request::get("/private/a").bearer(token)
}

fn get(envoy: &Envoy, token: &str) -> Response {
    envoy.send(&private(token))
}

/// Waits until every worker has the first keys, and returns the number of fetches.
fn settle(world: &World) -> usize {
    for _ in 0..16 {
        get(&world.envoy, &world.token(json!({}))).expect(200);
    }
    world.issuer.gets(JWKS_PATH)
}

/// Fails the test unless the answer is a 503 with a time to retry.
#[track_caller]
fn unavailable(answer: &Response) {
    assert_eq!(answer.status, 503, "{answer}");
    let retry = answer.header("retry-after");
    let seconds = retry.as_deref().and_then(|text| text.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds >= 1), "{retry:?}");
}

/// Waits until the token is accepted. Until then it is never called invalid.
#[track_caller]
fn opens(envoy: &Envoy, token: &str) {
    let opened = wait_until(Duration::from_secs(15), || {
        let answer = get(envoy, token);
        assert!(matches!(answer.status, 200 | 503), "{answer}");
        (answer.status == 200).then_some(())
    });
    assert!(opened.is_some(), "still no keys");
}
