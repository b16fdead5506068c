//! Many large configurations within one drain period. A worker that ran out of memory
//! while it accepts one would serve the listener without the filter.

use std::fmt::Write;

use serde_json::json;

use super::only_here;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::tokens::TokenMaker;
use crate::world::configuration;

const UPDATES: usize = 60;

/// Replaces a configuration repeatedly while every former one is still draining. A path
/// without a route never reaches the upstream: the answer is 404, or 503 if there is no
/// memory for a configuration.
fn nothing_passes_while_configurations_accumulate(routes_of: impl Fn(usize) -> Vec<String>) {
    only_here();
    let issuer = Issuer::with_keys(&[&TokenMaker::generate("ES256", "key-1")]);
    let upstream = Echo::start();
    let document = |number: usize| {
        let mut configuration = configuration(&issuer);
        let routes = configuration["routes"].as_array_mut().expect("a list");
        routes.retain(|route| route["match"] != "$default");
        let more = routes_of(number).into_iter();
        routes.extend(more.map(|path| json!({"match": path, "scopes": ["read"]})));
        let text = configuration.to_string();
        assert!(text.len() < 8 << 20, "{} bytes", text.len());
        Listener::new("main", EdgeAuthz::from_text(&text).vm_id("memory"))
    };
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .listener(document(0))
        .concurrency(1)
        .drain_time(600)
        .reloadable()
        .start();
    let mut answers = Vec::new();
    for number in 1..=UPDATES {
        assert!(envoy.reload(&[document(number)]), "update {number}");
        let answer = envoy.send(&Request::get("/nowhere"));
        assert!(
            [404, 503].contains(&answer.status),
            "update {number}: {answer}"
        );
        answers.push(answer.status);
    }
    let served = answers.iter().filter(|status| **status == 404).count();
    assert_eq!(served, UPDATES, "each of these updates has memory");
    envoy.assert_no_trap();
}

#[test]
fn sixty_updates_of_forty_thousand_routes_let_nothing_pass() {
    nothing_passes_while_configurations_accumulate(|number| {
        let path = |route: usize| format!("GET /service-{}/items/{{id}}/part-{route}", route % 97);
        let mut paths: Vec<_> = (0..40_000).map(path).collect();
        paths.push(format!("GET /number-{number}"));
        paths
    });
}

#[test]
fn sixty_updates_of_the_longest_paths_let_nothing_pass() {
    const SEGMENTS: usize = 256;
    nothing_passes_while_configurations_accumulate(|number| {
        let path = |route: usize| {
            let mut path = format!("GET /{number}/{route}");
            for _ in 2..SEGMENTS {
                let _ = write!(path, "/{}", route % 10);
            }
            path
        };
        (0..1_900).map(path).collect()
    });
}
