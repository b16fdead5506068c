//! More proofs than the memory of used proofs holds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ISSUER, accepting_proofs};
use crate::support::bootstrap::Builder;
use crate::support::client::Client;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http2::Connection;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools::{self, Host};

const PETS: &str = "http://api.example.com/pets";
/// The number of proofs in the memory of a worker in Wasm, and of a process in the dynamic
/// module.
const WORKER: u64 = 200_000;
const PROCESS: u64 = 1_000_000;
/// The maximum memory of one proof, in bytes.
const ENTRY: u64 = 128;
/// What Envoy may need besides, in KiB.
const SLACK: u64 = 48 * 1024;
/// The number of requests that are sent before their answers are read.
const AT_ONCE: u64 = 100;
/// The maximum time of the flood: proofs that are older than `max_age` are not remembered.
const LIMIT: Duration = Duration::from_mins(50);

fn configuration(key: &TokenMaker) -> Value {
    let mut all = accepting_proofs(key);
    all["providers"][0]["dpop"]["max_age"] = json!("1h");
    // A proof is used before the scopes are checked, and no upstream is needed.
    all["routes"][0]["scopes"] = json!(["none"]);
    all
}

/// A client that sends each proof once.
struct Flood<'e> {
    envoy: &'e Envoy,
    client: Client,
    token: String,
    connection: Connection,
    sent: u64,
}

impl Flood<'_> {
    fn request(&self) -> Request {
        let proof = self.client.proof(PETS, &self.token);
        let request = Request::get("/pets").header("dpop", proof);
        request.header("authorization", format!("DPoP {}", self.token))
    }

    /// Sends requests until this number, each with a proof of its own. All of them are
    /// used.
    fn until(&mut self, number: u64) {
        while self.sent < number {
            if self.sent.is_multiple_of(10_000) {
                // The identifiers of a connection's streams are limited.
                self.connection = Connection::open(self.envoy.address()).expect("a connection");
            }
            let count = AT_ONCE.min(number - self.sent);
            let requests: Vec<_> = (0..count).map(|_| self.request()).collect();
            let send = |request| self.connection.send(request).expect("it writes");
            let streams: Vec<_> = requests.iter().map(send).collect();
            for stream in streams {
                let answer = self.connection.response(stream).expect("an answer");
                assert_eq!(answer.status, 403, "{answer}");
            }
            self.sent += count;
        }
    }
}

/// The maximum number of proofs in the memory of the one worker.
fn bound() -> u64 {
    match tools::host() {
        Host::ProxyWasm => WORKER,
        Host::DynamicModule => PROCESS,
        Host::ExtAuthz | Host::ExtAuthzHttp => {
            panic!("the memory is that of the server, and not of Envoy")
        }
    }
}

#[test]
#[ignore = "it takes minutes: make test-flood"]
fn more_proofs_than_the_memory_holds_take_no_more_memory_and_are_counted() {
    let started = Instant::now();
    let most = bound();
    let flood = std::env::var("FLOOD").ok();
    let flood = flood.map_or(most + most / 5, |text| text.parse().expect("a number"));
    assert!(flood > most, "FLOOD is at most the bound of {most}");
    let upstream = Echo::start();
    let key = TokenMaker::generate("ES256", "key-1");
    let envoy = Builder::new(upstream.address())
        .edge_authz(configuration(&key))
        .start();
    let client = Client::new();
    let bound = json!({"cnf": {"jkt": client.thumbprint()}});
    let mut sender = Flood {
        token: key.token(&claims_with(ISSUER, "api", bound)),
        client,
        connection: Connection::open(envoy.address()).expect("a connection"),
        envoy: &envoy,
        sent: 0,
    };
    sender.until(1_000);
    let first = sender.request();
    envoy.send2(&first).expect(403);
    let warm = envoy.memory_kib();
    sender.until(most - 1);
    let full = envoy.memory_kib();
    println!("{most} proofs: {warm} KiB, then {full} KiB");
    assert!(full <= warm + most * ENTRY / 1024 + SLACK, "{warm} {full}");
    let forgotten = || {
        let stats = envoy.stats("edge_authz.dpop_proofs_forgotten");
        stats.values().sum::<u64>()
    };
    assert_eq!(forgotten(), 0);
    envoy.send2(&first).expect(401);
    sender.until(flood - 2);
    let last = sender.request();
    envoy.send2(&last).expect(403);
    let after = envoy.memory_kib();
    println!("{flood} proofs: {after} KiB, after {:?}", started.elapsed());
    assert!(after <= full + SLACK, "{full} {after}");
    let counted = envoy.stats_once("edge_authz.dpop_proofs_forgotten", |stats| {
        stats.values().sum::<u64>() >= flood - most
    });
    assert_eq!(counted.values().sum::<u64>(), flood - most);
    // A recent proof is known, and one that was forgotten is not.
    envoy.send2(&last).expect(401);
    envoy.send2(&first).expect(403);
    envoy.assert_no_trap();
    assert!(started.elapsed() < LIMIT, "too slow for a `max_age` of 1h");
}
