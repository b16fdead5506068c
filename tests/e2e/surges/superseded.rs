//! Requests that wait for keys while their configuration is superseded.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, Sent, posts, statuses, wait_for};
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::{received, sha256};
use crate::support::http::{Request, Response};
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::server::Gate;
use crate::world::{World, configuration};

const PAGE: &str = "https://app.example.com";
/// The number of requests that wait in each batch, half of them with each scope.
const BATCH: usize = 200;

/// Two configurations that differ in everything but the issuer: each requires its own
/// scope, exposes its own CORS headers, and passes the subject in its own header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    Old,
    New,
}

impl Generation {
    fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }

    fn configuration(self, issuer: &Issuer) -> Value {
        let mut configuration = configuration(issuer);
        configuration["providers"][0]["jwks"]["timeout"] = json!("60s");
        configuration["routes"][1]["scopes"] = json!([self.name()]);
        configuration["upstream"] = json!({"claims": {format!("x-{}-user", self.name()): "sub"}});
        configuration["cors"]["expose_headers"] = json!([format!("X-{}", self.name())]);
        if self == Self::New {
            configuration["routes"][4]["access"] = json!("public");
        }
        configuration
    }

    /// The configuration that an answer comes from, according to its CORS headers.
    fn of(answer: &Response) -> Self {
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin.as_deref(), Some(PAGE), "{answer}");
        assert_eq!(answer.all("vary"), ["Origin"], "{answer}");
        let exposed = answer.all("access-control-expose-headers").join(", ");
        let is_of = |one: &Self| {
            let name = format!("X-{}", one.name());
            exposed.split(", ").any(|header| header == name)
        };
        let both: Vec<_> = [Self::Old, Self::New].into_iter().filter(is_of).collect();
        match both[..] {
            [one] => one,
            _ => panic!("of {both:?}: {answer}"),
        }
    }
}

/// Checks that exactly one of the two configurations judged an answer, and returns which.
fn judged_by(request: &Request, scope: &str, answer: &Response) -> Generation {
    let generation = Generation::of(answer);
    let name = generation.name();
    if scope == name {
        assert_eq!(answer.status, 200, "{name}: {answer}");
        let account = answer.json();
        assert_eq!(account["body_sha256"], sha256(&request.body), "{name}");
        let of_both = ["old", "new"].map(|of| received(&account, &format!("x-{of}-user")));
        let due = ["old", "new"].map(|of| if of == name { vec!["ada"] } else { vec![] });
        assert_eq!(of_both, due, "{name}: {account}");
    } else {
        assert_eq!(answer.status, 403, "{name}: {answer}");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let asked_for = format!("scope=\"{name}\"");
        assert!(challenge.contains(&asked_for), "{name}: {challenge}");
    }
    generation
}

#[test]
fn a_request_in_a_superseded_configuration_is_judged_by_exactly_one_of_the_two() {
    let gate = Gate::default();
    let world = World::with(
        |issuer| {
            issuer.change(JWKS_PATH, |keys| keys.behind(&gate));
            Generation::Old.configuration(issuer)
        },
        |builder: Builder| builder.reloadable().drain_time(120),
    );
    let scopes = ["old", "new"];
    let tokens = scopes.map(|scope| world.token(json!({"sub": "ada", "scope": scope})));
    let from_page = |request: Request| request.header("origin", PAGE);
    let requests: Vec<_> = posts(BATCH, &tokens).into_iter().map(from_page).collect();
    let send = || Sent::to(world.envoy.address(), &requests);

    let before = send();
    wait_for(&world.envoy, BATCH);
    let next = Generation::New.configuration(&world.issuer);
    let next = Listener::new("main", EdgeAuthz::new(next));
    assert!(world.envoy.reload(&[next]));
    // Envoy has accepted it, and its workers may not have it yet.
    let meanwhile = send();
    let in_force = wait_until(PATIENCE, || {
        (world.envoy.send(&Request::get("/closed")).status == 200).then_some(())
    });
    in_force.expect("the new configuration");
    thread::sleep(Duration::from_secs(2));
    let after = send();
    wait_for(&world.envoy, 3 * BATCH);
    gate.open();

    for (sent, due) in [
        (before, Some(Generation::Old)),
        (meanwhile, None),
        (after, Some(Generation::New)),
    ] {
        let answers = sent.answers();
        for (number, (request, answer)) in requests.iter().zip(&answers).enumerate() {
            let scope = scopes[number % scopes.len()];
            let by = judged_by(request, scope, answer);
            assert!(due.is_none_or(|due| due == by), "{by:?}: {answer}");
        }
        let statuses = statuses(&answers);
        assert_eq!([statuses[&200], statuses[&403]], [BATCH / 2; 2]);
    }
    // Only accepted requests reached it, and the request that waited for the new
    // configuration.
    assert_eq!(world.upstream.count(), 3 * BATCH / 2 + 1);
    assert_eq!(world.issuer.gets(JWKS_PATH), 1);
    world.envoy.assert_no_trap();
}
