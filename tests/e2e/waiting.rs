//! Requests that arrive before the keys.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::{Echo, sha256};
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::http1::{self, Connection};
use crate::support::http2;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::server::{Answer, Pace};
use crate::support::tokens::TokenMaker;
use crate::world::{World, configuration};

/// Sends all of them at once, each on its own connection, and returns the answers in the
/// same order.
fn at_once(envoy: &Envoy, requests: &[Request]) -> Vec<Response> {
    let start = Barrier::new(requests.len());
    thread::scope(|scope| {
        let senders: Vec<_> = requests
            .iter()
            .enumerate()
            .map(|(number, request)| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    if number % 2 == 0 {
                        envoy.send(request)
                    } else {
                        envoy.send2(request)
                    }
                })
            })
            .collect();
        let answers = senders.into_iter().map(thread::ScopedJoinHandle::join);
        answers.map(|answer| answer.expect("an answer")).collect()
    })
}

fn slow_issuer(issuer: &Issuer) -> serde_json::Value {
    issuer.change(JWKS_PATH, |keys| keys.delay(Duration::from_secs(2)));
    configuration(issuer)
}

/// Twenty requests of every kind, each with its correct answer.
fn twenty(world: &World) -> Vec<(Request, u16)> {
    let good = world.token(json!({"scope": "pets:read"}));
    let expired = world.token(json!({"exp": 1}));
    let other_audience = world.token(json!({"aud": "web"}));
    (0..20_u32)
        .map(|number| match number % 5 {
            0 => (Request::get("/pets/7").bearer(&good), 200),
            1 => {
                let body: Vec<u8> = (0..200_000_u32).map(|at| (at * number) as u8).collect();
                (Request::post("/private/a", body).bearer(&good), 200)
            }
            2 => (Request::get("/private/a").bearer(&expired), 401),
            3 => {
                let post = Request::post("/private/a", "never arrives").trailer("x-end", "1");
                (post.bearer(&other_audience), 401)
            }
            _ => (Request::new("DELETE", "/pets/7").bearer(&good), 403),
        })
        .collect()
}

fn twenty_are_answered(world: &World) {
    let (requests, due): (Vec<_>, Vec<_>) = twenty(world).into_iter().unzip();
    let before = world.upstream.count();
    let answers = at_once(&world.envoy, &requests);
    for ((answer, due), request) in answers.iter().zip(due).zip(&requests) {
        assert_eq!(answer.status, due, "{answer}");
        if due == 200 {
            let account = answer.json();
            assert_eq!(account["body_bytes"], request.body.len());
            assert_eq!(account["body_sha256"], sha256(&request.body));
        }
    }
    assert_eq!(world.upstream.count() - before, 8);
    world.envoy.assert_no_trap();
}

/// The number of decided requests, once it is this large.
fn counted(world: &World, count: u64) -> u64 {
    let all = |counted: &BTreeMap<String, u64>| counted.values().sum::<u64>() >= count;
    let counted = world
        .envoy
        .stats_once("wasmcustom.edge_authz.requests.", all);
    counted.values().sum()
}

#[test]
fn twenty_at_once_get_their_answers_when_the_keys_come() {
    let world = World::with(slow_issuer, |builder| builder.concurrency(2));
    // A request that needs no key does not wait.
    world.envoy.send(&Request::get("/public/a")).expect(200);
    world.envoy.send(&Request::get("/private/a")).expect(401);
    twenty_are_answered(&world);
    assert_eq!(counted(&world, 22), 22);
}

#[test]
fn a_body_does_not_release_a_waiting_head() {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let upstream = Echo::start();
    let plugin = EdgeAuthz::new(slow_issuer(&issuer)).allow_on_headers_stop_iteration(true);
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .listener(Listener::new("main", plugin))
        .concurrency(2)
        .start();
    twenty_are_answered(&World {
        key,
        issuer,
        upstream,
        envoy,
    });
}

#[test]
fn a_request_whose_client_has_left_is_not_forwarded() {
    for flag in [false, true] {
        let world = World::with_plugin(
            slow_issuer,
            |plugin| plugin.allow_on_headers_stop_iteration(flag),
            |builder| builder,
        );
        let token = world.token(json!({}));
        let waiting = || world.envoy.stat("wasmcustom.edge_authz.waiting_requests");
        let whole = http1::encode(&Request::post("/private/left", "a body").bearer(&token));
        let leavers: Vec<_> = [whole.len(), whole.len() - 3]
            .iter()
            .map(|bytes| {
                let mut connection = Connection::open(world.envoy.address()).expect("connected");
                connection.write(&whole[..*bytes]).expect("it writes");
                connection
            })
            .collect();
        let mut second = http2::Connection::open(world.envoy.address()).expect("connected");
        let post = Request::post("/private/left", "a body").bearer(&token);
        let stream = second.send(&post).expect("it writes");
        let wait = || wait_until(Duration::from_secs(10), || (waiting() == 3).then_some(()));
        wait().expect("three that wait");
        drop(leavers);
        second.reset(stream).expect("it writes");
        // The keys arrive.
        let stayed = Request::get("/private/stayed").bearer(&token);
        world.envoy.send(&stayed).expect(200);
        let targets: Vec<_> = world
            .upstream
            .seen()
            .into_iter()
            .map(|s| s.target)
            .collect();
        assert_eq!(targets, [b"/private/stayed"]);
        let none = wait_until(Duration::from_secs(10), || (waiting() == 0).then_some(()));
        assert!(none.is_some(), "{} wait", waiting());
        world.envoy.assert_no_trap();
    }
}

#[test]
fn a_silent_issuer_causes_503_and_nothing_passes() {
    let world = World::with(
        |issuer| {
            issuer.change(JWKS_PATH, |keys| keys.pace(Pace::Hang));
            let mut configuration = configuration(issuer);
            configuration["providers"][0]["jwks"]["timeout"] = json!("1s");
            configuration
        },
        |builder| builder,
    );
    let token = world.token(json!({}));
    let answer = world
        .envoy
        .send(&Request::post("/private/a", "body").bearer(&token))
        .expect(503);
    assert_eq!(answer.text(), r#"{"message":"Service Unavailable"}"#);
    let retry = answer.header("retry-after").expect("when to come again");
    assert!(
        retry.parse::<u32>().is_ok_and(|seconds| seconds >= 1),
        "{retry}"
    );
    assert_eq!(world.upstream.count(), 0);
    // With the first valid answer, requests pass.
    world.issuer.publish(&[&world.key]);
    let opened = wait_until(Duration::from_secs(20), || {
        let answer = world.envoy.send(&Request::get("/private/a").bearer(&token));
        (answer.status == 200).then_some(())
    });
    assert!(opened.is_some());
    world.envoy.assert_no_trap();
}

#[test]
fn an_interrupted_answer_of_an_issuer_does_not_break_the_filter() {
    let world = World::with(
        |issuer| {
            issuer.answer_once(JWKS_PATH, Answer::new(500, "no"));
            issuer.change(JWKS_PATH, |keys| keys.pace(Pace::CutAfter(10)));
            configuration(issuer)
        },
        |builder| builder,
    );
    let token = world.token(json!({}));
    let ask = || world.envoy.send(&Request::get("/private/a").bearer(&token));
    ask().expect(503);
    world.issuer.publish(&[&world.key]);
    let opened = wait_until(Duration::from_secs(20), || {
        (ask().status == 200).then_some(())
    });
    assert!(opened.is_some());
    world.envoy.assert_no_trap();
}
