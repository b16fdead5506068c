//! Servers that stop.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load::under_load;
use super::{World, for_both, me};
use crate::support::http1;
use crate::support::issuer::JWKS_PATH;
use crate::support::process::wait_until;
use crate::support::program::Program;
use crate::support::server::Gate;

/// How long each step may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// As in an update of a deployment: the second server is there, the first one stops.
#[test]
#[ignore = "of the server"]
fn a_server_that_stops_loses_no_request() {
    for_both(|by| {
        let world = World::with(
            by,
            |configuration| configuration,
            |first| {
                let second = Program::new(by.options(), &first.configuration());
                vec![first, second]
            },
        );
        let mut world = world.ready();
        let [first, second] = &mut world.servers[..] else {
            panic!("two servers");
        };
        let at = world.envoy.address();
        let statuses = under_load(
            at,
            |_| me(&world.key),
            || {
                let asked = || first.metric("edge_authz_requests") > 100;
                wait_until(PATIENCE, || asked().then_some(())).expect("requests for the first");
                first.signal("TERM");
                let gone = || (!first.is_ready()).then_some(());
                wait_until(PATIENCE, gone).expect("it is not ready");
                assert!(first.ends(PATIENCE), "{}", first.log());
                thread::sleep(Duration::from_secs(1));
            },
        );
        assert_eq!(statuses.len(), 1, "{by:?}: {statuses:?}\n{}", first.log());
        assert!(second.metric("edge_authz_requests") > 100);
    });
}

#[test]
#[ignore = "of the server"]
fn requests_that_wait_are_answered_before_the_server_ends() {
    for_both(|by| {
        let gate = Gate::default();
        let world = World::with(
            by,
            |mut configuration| {
                configuration["providers"][0]["jwks"]["timeout"] = json!("60s");
                configuration
            },
            |server| vec![server],
        );
        let mut world = world.ready();
        world.envoy.send(&world.me()).expect(200);
        // A token of a key that is not known yet waits.
        let next = crate::support::tokens::TokenMaker::generate("RS256", "second");
        let both = crate::support::issuer::key_set(&[&world.key, &next]);
        let both = crate::support::server::Answer::json(&both);
        world.issuer.answer(JWKS_PATH, both.behind(&gate));
        let at = world.envoy.address();
        let server = &mut world.servers[0];
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..50)
                .map(|_| scope.spawn(|| http1::exchange(at, &me(&next)).expect("an answer")))
                .collect();
            let wait = || (server.metric("edge_authz_waiting_requests") == 50).then_some(());
            wait_until(PATIENCE, wait).expect("requests that wait");
            // The second one ends the drain.
            server.signal("TERM");
            thread::sleep(Duration::from_millis(300));
            server.signal("TERM");
            thread::sleep(Duration::from_secs(1));
            gate.open();
            for answer in waiting {
                answer.join().expect("an answer").expect(200);
            }
        });
        let began = Instant::now();
        assert!(server.ends(PATIENCE), "{}", server.log());
        assert!(began.elapsed() < Duration::from_secs(15));
        assert_eq!(world.upstream.count(), 51);
    });
}
