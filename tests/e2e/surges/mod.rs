//! Very many requests that wait for keys at once, on one worker.
//!
//! Envoy processes the filter's answers in nested calls on one stack, so that too many of
//! them in one callback end the filter of every listener.

mod cold_start;
mod crowds;
mod made_up;
mod superseded;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use crate::support::bootstrap::Builder;
use crate::support::echo::sha256;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::http2;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::server::Gate;
use crate::support::tokens;
use crate::world::{AUDIENCE, World, configuration};

/// The maximum number of requests that wait for one source.
const WAITING: usize = 1000;
/// The number of requests on one HTTP/2 connection.
pub(crate) const STREAMS: usize = 100;
/// The time limit on a busy machine for steps that are usually immediate.
const PATIENCE: Duration = Duration::from_mins(1);

/// The number of requests in a surge: `SURGE=10000` for more.
fn surge_size() -> usize {
    let given = std::env::var("SURGE").ok();
    given.map_or(2000, |text| text.parse().expect("SURGE is a number"))
}

/// A world with one worker, whose issuer answers once the gate is open.
fn behind_a_gate(timeout: &str, build: impl FnOnce(Builder) -> Builder) -> (World, Gate) {
    let gate = Gate::default();
    let held = |issuer: &Issuer| {
        issuer.change(JWKS_PATH, |keys| keys.behind(&gate));
        let mut configuration = configuration(issuer);
        configuration["providers"][0]["jwks"]["timeout"] = json!(timeout);
        configuration
    };
    let world = World::with(held, build);
    (world, gate)
}

/// A token with an invalid signature.
pub(crate) fn made_up(kid: &str) -> String {
    let header = json!({"alg": "ES256", "kid": kid});
    let claims = tokens::claims("https://issuer.example.com", AUDIENCE);
    let parts = [header.to_string(), claims.to_string()].map(tokens::encode);
    format!("{}.{}", parts.join("."), tokens::encode([7; 64]))
}

fn private(token: &str) -> Request {
    Request::get("/private/a").bearer(token)
}

/// This many POST requests, each with a body of its own, with these tokens in turn.
fn posts(count: usize, tokens: &[String]) -> Vec<Request> {
    let post = |number: usize| {
        let body = format!("{number} ").repeat(number % 200 + 1);
        let token = &tokens[number % tokens.len()];
        Request::post(format!("/private/{number}"), body).bearer(token)
    };
    (0..count).map(post).collect()
}

/// A token that passes, and one that is refused once there are keys.
fn good_and_bad(world: &World) -> [String; 2] {
    [world.token(json!({})), world.token(json!({"exp": 1}))]
}

/// Requests that were sent and are not answered yet.
pub(crate) struct Sent {
    over_http1: Vec<http1::Connection>,
    over_http2: Vec<(http2::Connection, Vec<u32>)>,
}

impl Sent {
    /// Sends all of them as fast as possible: half of them over HTTP/1, each on a
    /// connection of its own.
    fn to(to: SocketAddr, requests: &[Request]) -> Self {
        let (first, second) = requests.split_at(requests.len() / 2);
        let over_http1 = first.iter().map(|request| {
            let mut connection = http1::Connection::open(to).expect("a connection");
            let bytes = http1::encode(request);
            connection.write(&bytes).expect("it writes");
            connection
        });
        Self {
            over_http1: over_http1.collect(),
            over_http2: Self::over_http2(to, second, STREAMS).over_http2,
        }
    }

    /// Sends all of them over HTTP/2, this many on each connection.
    pub(crate) fn over_http2(to: SocketAddr, requests: &[Request], streams: usize) -> Self {
        let connections = requests.chunks(streams).map(|requests| {
            let mut connection = http2::Connection::open(to).expect("a connection");
            let send = |request| connection.send(request).expect("it writes");
            let streams = requests.iter().map(send).collect();
            (connection, streams)
        });
        Self {
            over_http1: Vec::new(),
            over_http2: connections.collect(),
        }
    }

    /// The answers, in the order of the requests.
    pub(crate) fn answers(self) -> Vec<Response> {
        let mut answers = Vec::new();
        for mut connection in self.over_http1 {
            answers.push(connection.response(false).expect("an answer"));
        }
        for (mut connection, streams) in self.over_http2 {
            let answer = |stream| connection.response(stream).expect("an answer");
            answers.extend(streams.into_iter().map(answer));
        }
        answers
    }
}

/// Waits until this many requests wait for keys.
#[track_caller]
fn wait_for(envoy: &Envoy, count: usize) {
    let waiting = || envoy.stat("wasmcustom.edge_authz.waiting_requests");
    let all = wait_until(PATIENCE, || (waiting() == count as u64).then_some(()));
    all.unwrap_or_else(|| panic!("{} of {count} wait", waiting()));
}

fn statuses(answers: &[Response]) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for answer in answers {
        *statuses.entry(answer.status).or_default() += 1;
    }
    statuses
}

/// Each request that was not refused for lack of room got the correct answer for its
/// token, and the upstream received exactly what was sent.
fn each_is_due(requests: &[Request], answers: &[Response], [_, bad]: &[String; 2]) {
    for (request, answer) in requests.iter().zip(answers) {
        let is_bad = request.headers == private(bad).headers;
        match answer.status {
            200 if !is_bad => assert_eq!(answer.json()["body_sha256"], sha256(&request.body)),
            401 if is_bad => {}
            503 => assert!(answer.header("retry-after").is_some(), "{answer}"),
            _ => panic!("{answer}"),
        }
    }
}

/// Checks after a test that the filter has not trapped, and judges as before.
#[track_caller]
fn still_works(world: &World) {
    let token = world.token(json!({}));
    let opened = wait_until(PATIENCE, || {
        let answer = world.envoy.send(&private(&token));
        assert!(matches!(answer.status, 200 | 503), "{answer}");
        (answer.status == 200).then_some(())
    });
    opened.expect("a good token passes");
    world.envoy.send(&Request::get("/private/a")).expect(401);
    world.envoy.assert_no_trap();
}
