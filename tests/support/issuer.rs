//! An issuer whose every answer a test may script, to simulate the faults of real
//! issuers.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use super::server::{Answer, Received, Server};
use super::tokens::TokenMaker;

/// The path of the key set.
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";
/// The path of the metadata for discovery.
pub(crate) const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// A running issuer. Its name is an `https` URL, and only the proxy's cluster maps it to
/// this server.
pub(crate) struct Issuer {
    name: String,
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The standing answer of each path.
    standing: BTreeMap<String, Answer>,
    /// Answers that are given once each, before the standing one.
    once: BTreeMap<String, VecDeque<Answer>>,
    gets: Vec<Get>,
}

/// A request that it received.
#[derive(Clone)]
struct Get {
    at: Instant,
    path: String,
    received: Received,
}

impl Issuer {
    /// Starts `https://issuer.example.com`, without keys.
    pub(crate) fn start() -> Self {
        Self::named("https://issuer.example.com")
    }

    /// Starts an issuer of the given name, without keys.
    pub(crate) fn named(name: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(Arc::new(move |received, stream| {
            let path = String::from_utf8_lossy(&received.target).into_owned();
            let get = Get {
                at: Instant::now(),
                path,
                received: received.clone(),
            };
            let answer = shared.lock().expect("the issuer's state").take(get);
            answer.write(stream, received.method == b"HEAD")
        }));
        let issuer = Self {
            name: name.to_owned(),
            server,
            state,
        };
        let jwks_uri = issuer.jwks_uri();
        issuer.answer(
            DISCOVERY_PATH,
            Answer::json(&json!({"issuer": name, "jwks_uri": jwks_uri})),
        );
        issuer
    }

    /// Starts an issuer that publishes the given keys.
    pub(crate) fn with_keys(keys: &[&TokenMaker]) -> Self {
        let issuer = Self::start();
        issuer.publish(keys);
        issuer
    }

    /// Its `iss`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URI of its key set.
    pub(crate) fn jwks_uri(&self) -> String {
        format!("{}{JWKS_PATH}", self.name)
    }

    /// Its real address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Publishes exactly these keys, from the next request on.
    pub(crate) fn publish(&self, keys: &[&TokenMaker]) {
        self.answer(JWKS_PATH, Answer::json(&key_set(keys)));
    }

    /// Sets the standing answer of a path.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        let mut state = self.state.lock().expect("the state");
        state.standing.insert(path.to_owned(), answer);
    }

    /// Changes the standing answer of a path, such as its delay.
    pub(crate) fn change(&self, path: &str, change: impl FnOnce(Answer) -> Answer) {
        let mut state = self.state.lock().expect("the state");
        let answer = state.standing.remove(path).expect("a standing answer");
        state.standing.insert(path.to_owned(), change(answer));
    }

    /// Adds an answer that is given once, after those already added.
    pub(crate) fn answer_once(&self, path: &str, answer: Answer) {
        let mut state = self.state.lock().expect("the state");
        state
            .once
            .entry(path.to_owned())
            .or_default()
            .push_back(answer);
    }

    /// The number of requests for a path.
    pub(crate) fn gets(&self, path: &str) -> usize {
        let state = self.state.lock().expect("the state");
        state.gets.iter().filter(|get| get.path == path).count()
    }

    /// The times of the requests for a path.
    pub(crate) fn times(&self, path: &str) -> Vec<Instant> {
        let state = self.state.lock().expect("the state");
        let of_path = state.gets.iter().filter(|get| get.path == path);
        of_path.map(|get| get.at).collect()
    }

    /// The first value of this field in each request for a path.
    pub(crate) fn received_fields(&self, path: &str, field: &str) -> Vec<Option<String>> {
        let state = self.state.lock().expect("the state");
        let of_path = state.gets.iter().filter(|get| get.path == path);
        of_path.map(|get| get.received.text(field)).collect()
    }

    /// Closes its port until `restart`.
    pub(crate) fn stop(&mut self) {
        self.server.stop();
    }

    /// Opens its port again.
    pub(crate) fn restart(&mut self) {
        self.server.restart();
    }
}

impl State {
    fn take(&mut self, get: Get) -> Answer {
        let answer = self
            .once
            .get_mut(&get.path)
            .and_then(VecDeque::pop_front)
            .or_else(|| self.standing.get(&get.path).cloned())
            .unwrap_or_else(|| Answer::new(404, "no such path"));
        self.gets.push(get);
        answer
    }
}

/// A JWK Set of the public keys.
pub(crate) fn key_set(keys: &[&TokenMaker]) -> Value {
    json!({"keys": keys.iter().map(|key| key.public_jwk()).collect::<Vec<_>>()})
}
