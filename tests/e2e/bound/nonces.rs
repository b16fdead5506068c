//! Nonces of the server in proofs of possession, over time and over several workers.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::run;
use super::{API, ISSUER, accepting_proofs};
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::client::Client;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::tokens::{TokenMaker, claims_with};

const PETS: &str = "http://api.example.com/pets";

fn configuration(key: &TokenMaker, nonce: &str) -> Value {
    let mut all = accepting_proofs(key);
    all["providers"][0]["dpop"]["nonce"] = json!(nonce);
    all
}

/// A client with a token.
struct Holder {
    client: Client,
    token: String,
}

impl Holder {
    fn new(key: &TokenMaker) -> Self {
        let client = Client::new();
        let bound = json!({"cnf": {"jkt": client.thumbprint()}});
        let token = key.token(&claims_with(ISSUER, "api", bound));
        Self { client, token }
    }

    fn request(&self, nonce: &str) -> Request {
        let nonce = json!({"nonce": nonce});
        let proof = self.client.proof_with(PETS, &self.token, nonce);
        let request = Request::get("/pets").header("dpop", proof);
        request.header("authorization", format!("DPoP {}", self.token))
    }
}

/// The nonce with which the server answers.
#[track_caller]
fn nonce_of(refusal: Response) -> String {
    let refusal = refusal.expect(401);
    let challenges = refusal.all("www-authenticate");
    let is_asked = challenges[0].starts_with("DPoP algs=\"ES256\", error=\"use_dpop_nonce\"");
    assert!(is_asked, "{challenges:?}");
    refusal.header("dpop-nonce").expect("a nonce")
}

#[test]
fn the_client_of_another_project_repeats_its_request_with_the_nonce() {
    let upstream = Echo::start();
    let key = TokenMaker::generate("ES256", "key-1");
    let envoy = Builder::new(upstream.address())
        .edge_authz(configuration(&key, "6s"))
        .start();
    let client: Value = serde_json::from_str(&run("client.py", &[])[0]).expect("a key");
    let bound = json!({"cnf": {"jkt": client["jkt"]}});
    let token = key.token(&claims_with(ISSUER, "api", bound));
    let proxy = format!("http://{}", envoy.address());
    let private = client["key"].as_str().expect("a JWK");
    let lines = run("nonces.py", &[&proxy, API, private, &token, "8"]);
    // Only the first request, and the first after the pause, take two attempts.
    let expected = [
        "200 2 True",
        "200 1 False",
        "200 1 False",
        "200 2 True",
        "200 1 False",
    ];
    assert_eq!(lines, expected);
    let seen = upstream.seen();
    assert_eq!(seen.len(), expected.len());
    for seen in seen {
        assert_eq!(seen.all("authorization").count(), 0);
        assert_eq!(seen.all("dpop").count(), 0);
    }
    envoy.assert_no_trap();
}

/// An Envoy with several workers.
fn start(upstream: &Echo, key: &TokenMaker, nonce: &str) -> Envoy {
    Builder::new(upstream.address())
        .concurrency(4)
        .reloadable()
        .listener(Listener::new(
            "main",
            EdgeAuthz::new(configuration(key, nonce)),
        ))
        .start()
}

#[test]
fn all_workers_accept_a_nonce_of_one_of_them_and_so_does_the_next_configuration() {
    let upstream = Echo::start();
    let key = TokenMaker::generate("ES256", "key-1");
    let envoy = start(&upstream, &key, "1h");
    let holder = Holder::new(&key);
    let to = || envoy.listener("main");
    // Each request has a connection of its own, and so a worker by chance. The first ones
    // arrive at all workers at the same time.
    let nonces: Vec<String> = thread::scope(|scope| {
        let all: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| nonce_of(send(to(), &holder.request("none")))))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for nonce in &nonces {
        for _ in 0..8 {
            let answer = send(to(), &holder.request(nonce)).expect(200);
            assert_eq!(answer.header("dpop-nonce"), None);
        }
    }
    let next = EdgeAuthz::new(configuration(&key, "59m"));
    assert!(envoy.reload(&[Listener::new("main", next)]));
    thread::sleep(Duration::from_secs(3));
    for nonce in &nonces {
        send(to(), &holder.request(nonce)).expect(200);
    }
    // A nonce is not a secret of one client.
    let other = Holder::new(&key);
    send(to(), &other.request(&nonces[0])).expect(200);
    envoy.assert_no_trap();
}

fn send(to: std::net::SocketAddr, request: &Request) -> Response {
    crate::support::http1::exchange(to, request).expect("an answer")
}

#[test]
fn a_nonce_is_renewed_in_its_second_half_and_refused_after_its_end() {
    let upstream = Echo::start();
    let key = TokenMaker::generate("ES256", "key-1");
    let envoy = start(&upstream, &key, "20s");
    let holder = Holder::new(&key);
    let to = envoy.listener("main");
    let first = nonce_of(send(to, &holder.request("none")));
    thread::sleep(Duration::from_secs(12));
    // The upstream's own nonce is no nonce of this server.
    let request = holder
        .request(&first)
        .header("x-echo-header", "DPoP-Nonce: theirs");
    let renewed = send(to, &request).expect(200).header("dpop-nonce");
    let renewed = renewed.expect("a fresh nonce");
    assert!(![first.as_str(), "theirs"].contains(&renewed.as_str()));
    thread::sleep(Duration::from_secs(10));
    send(to, &holder.request(&renewed)).expect(200);
    let again = nonce_of(send(to, &holder.request(&first)));
    send(to, &holder.request(&again)).expect(200);
    let count = |stats: &BTreeMap<String, u64>| {
        let refused = stats.iter().filter(|(name, _)| name.contains("bad_nonce"));
        refused.map(|(_, count)| count).sum::<u64>()
    };
    let stats = envoy.stats_once("edge_authz.requests", |stats| count(stats) >= 2);
    assert_eq!(count(&stats), 2);
    envoy.assert_no_trap();
}
