//! Sudden loads while everything else continues: an update with a new provider that has no
//! keys yet, many requests that wait for them, and a flood of made-up `kid`s.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Tally, soaked};
use crate::support::bootstrap::{EdgeAuthz, Listener};
use crate::support::http::Request;
use crate::support::issuer::key_set;
use crate::support::process::wait_until;
use crate::support::server::{Answer, Gate};
use crate::support::tokens::{TokenMaker, claims};
use crate::surges::{STREAMS, Sent, made_up};
use crate::world::{AUDIENCE, World};

/// Many requests that wait for the first keys.
pub(super) const COLD: &str = "cold start";
const FLOOD: &str = "flood";

/// How often they occur.
const EVERY: Duration = Duration::from_secs(7);
/// The number of requests in each.
const CROWD: usize = 300;

/// The surges so far.
pub(super) struct Surges {
    number: usize,
    last: Instant,
    /// The signing key of all new providers.
    key: TokenMaker,
}

impl Default for Surges {
    fn default() -> Self {
        Self {
            number: 0,
            last: Instant::now(),
            key: TokenMaker::generate("ES256", "cold"),
        }
    }
}

impl Surges {
    /// Starts the next one, if it is time.
    pub(super) fn next(&mut self, world: &World, tally: &Tally) {
        if self.last.elapsed() < EVERY {
            return;
        }
        self.number += 1;
        let gate = Gate::default();
        self.update(world, &gate);
        let issuer = self.issuer();
        let token = self.key.token(&claims(&issuer, AUDIENCE));
        let crowd = requests(COLD, |_| token.clone());
        let flood = requests(FLOOD, |number| {
            made_up(&format!("{}-{number}", self.number))
        });
        let to = world.envoy.address();
        let crowd = Sent::over_http2(to, &crowd, STREAMS);
        let flood = Sent::over_http2(to, &flood, STREAMS);
        std::thread::sleep(Duration::from_millis(500));
        gate.open();
        for answer in crowd.answers() {
            assert!([200, 503].contains(&answer.status), "{COLD}: {answer}");
            tally.add(COLD, answer.status);
        }
        for answer in flood.answers() {
            assert!([401, 503].contains(&answer.status), "{FLOOD}: {answer}");
            tally.add(FLOOD, answer.status);
        }
        self.last = Instant::now();
    }

    fn issuer(&self) -> String {
        format!("https://cold-{}.example.com", self.number)
    }

    /// A configuration with a provider whose keys were never fetched.
    fn update(&self, world: &World, gate: &Gate) {
        let path = format!("/cold/{}", self.number);
        let keys = Answer::json(&key_set(&[&self.key]));
        world.issuer.answer(&path, keys.behind(gate));
        let mut configuration = soaked(&world.issuer);
        let providers = configuration["providers"].as_array_mut().expect("a list");
        providers.push(json!({
            "name": "cold",
            "issuer": self.issuer(),
            "audiences": [AUDIENCE],
            "jwks": {
                "cluster": "issuer",
                "uri": format!("{}{path}", world.issuer.name()),
                "timeout": "5s",
            },
        }));
        let listener = Listener::new("main", EdgeAuthz::new(configuration));
        assert!(world.envoy.reload(&[listener]), "update {}", self.number);
        // The former configuration does not know the issuer and would correctly answer
        // 401. So the requests are sent when each worker has the new one.
        let taken = wait_until(Duration::from_secs(20), || {
            let draining = world.envoy.stats("draining");
            (draining.values().sum::<u64>() > 0).then_some(())
        });
        taken.expect("the new configuration");
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn requests(name: &str, token: impl Fn(usize) -> String) -> Vec<Request> {
    let request = |number| {
        let request = Request::get("/private/a").bearer(&token(number));
        request.header("x-kind", name)
    };
    (0..CROWD).map(request).collect()
}
