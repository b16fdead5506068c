//! The upstream: answers 200 with a JSON description of the request that it received.
//!
//! A request may ask for another answer: `x-echo-status: 418`, one or more
//! `x-echo-header: name: value`, `x-echo-delay-ms: 50`. A test may do so too, with
//! [`Echo::answer_with`].

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::http::{Fields, readable};
use super::server::{Answer, Received, Server};

/// A running upstream.
pub(crate) struct Echo {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: Vec<Received>,
    answer: Option<Answer>,
}

impl Echo {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts it on the given address.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start_at(
            Arc::new(move |received, stream| {
                let answer = {
                    let mut state = shared.lock().expect("the upstream's state");
                    state.seen.push(received.clone());
                    state.answer.clone()
                };
                answer
                    .unwrap_or_else(|| echo(received))
                    .write(stream, received.method == b"HEAD")
            }),
            address,
        );
        Self { server, state }
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every request that reached it, in order of arrival.
    pub(crate) fn seen(&self) -> Vec<Received> {
        self.state.lock().expect("the state").seen.clone()
    }

    /// How many requests reached it.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().expect("the state").seen.len()
    }

    /// Answers every request like this from now on.
    pub(crate) fn answer_with(&self, answer: Answer) {
        self.state.lock().expect("the state").answer = Some(answer);
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

fn echo(received: &Received) -> Answer {
    let status = received
        .text("x-echo-status")
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let delay = received
        .text("x-echo-delay-ms")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let account = json!({
        "method": readable(&received.method),
        "path": readable(&received.target),
        "headers": fields(&received.headers),
        "body_bytes": received.body.len(),
        "body_sha256": sha256(&received.body),
        "trailers": fields(&received.trailers),
    });
    let mut answer = Answer::json(&account).delay(Duration::from_millis(delay));
    answer.status = status;
    for line in received.all("x-echo-header") {
        let line = String::from_utf8_lossy(line);
        if let Some((name, value)) = line.split_once(':') {
            answer = answer.header(name.trim(), value.trim());
        }
    }
    answer
}

fn fields(fields: &Fields) -> Value {
    fields
        .iter()
        .map(|(name, value)| json!([readable(name), readable(value)]))
        .collect()
}

/// SHA-256 in hexadecimal, as in the description of a body.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    let hexadecimal = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hexadecimal.collect::<Vec<_>>().concat()
}

/// The values of a header in the description of a request, in order.
pub(crate) fn received(account: &Value, name: &str) -> Vec<String> {
    account["headers"]
        .as_array()
        .expect("a description from the upstream")
        .iter()
        .filter(|field| field[0] == name)
        .map(|field| field[1].as_str().expect("text").to_owned())
        .collect()
}
