//! How requests are handled if the server panics. No input makes it panic; this program has a
//! clock that does (`tests/trapdoor-server`).

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{World, for_both, me};
use crate::support::http::Request;
use crate::support::http1;
use crate::support::issuer::{JWKS_PATH, key_set};
use crate::support::process::wait_until;
use crate::support::server::{Answer, Gate};
use crate::support::tokens::TokenMaker;
use crate::support::tools;

/// How long each step may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
#[ignore = "of the server"]
fn a_panic_ends_requests_with_503_and_the_server_lives() {
    for_both(|by| {
        let world = World::with(
            by,
            |mut configuration| {
                configuration["providers"][0]["jwks"]["timeout"] = json!("60s");
                configuration
            },
            |server| {
                let trap = server.file("trap");
                let server = server.program(tools::trapdoor_server());
                vec![server.environment("EDGE_AUTHZ_TRAP", trap)]
            },
        );
        let world = world.ready();
        let server = &world.servers[0];
        let (trap, at) = (server.file("trap"), world.envoy.address());
        let works = || {
            world.envoy.send(&world.me()).expect(200);
            world.envoy.send(&Request::get("/public")).expect(200);
            world.envoy.send(&Request::get("/me")).expect(401);
        };
        works();
        assert_eq!(server.metric("edge_authz_panics"), 0);
        // Requests wait for a new key, whose fetch ends while every tick panics.
        let (gate, next) = (Gate::default(), TokenMaker::generate("RS256", "second"));
        let both = Answer::json(&key_set(&[&world.key, &next]));
        world.issuer.answer(JWKS_PATH, both.behind(&gate));
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..10)
                .map(|_| scope.spawn(|| http1::exchange(at, &me(&next)).expect("an answer")))
                .collect();
            let wait = || (server.metric("edge_authz_waiting_requests") == 10).then_some(());
            wait_until(PATIENCE, wait).expect("requests that wait");
            let before = world.upstream.count();
            fs::write(&trap, "").expect("a file");
            for answer in waiting {
                // Their answers could be lost, so they are refused.
                answer.join().expect("an answer").expect(503);
            }
            for request in [world.me(), Request::get("/public"), Request::get("/me")] {
                world.envoy.send(&request).expect(503);
            }
            gate.open();
            thread::sleep(Duration::from_secs(1));
            assert_eq!(world.upstream.count(), before);
        });
        let panics = server.metric("edge_authz_panics");
        assert!(panics > 4, "{panics}");
        fs::remove_file(&trap).expect("the file");
        works();
        // Keys are fetched as before.
        let passes = || (world.envoy.send(&me(&next)).status == 200).then_some(());
        wait_until(PATIENCE, passes).unwrap_or_else(|| panic!("{}", world.logs()));
        assert!(server.is_ready());
    });
}
