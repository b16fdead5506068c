//! How requests are handled if a hook of the module panics. No input makes the real
//! module panic; this module contains deliberate panics (`tests/trapdoor`).

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::only_here;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::http::Request;
use crate::support::http1;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::{Scratch, wait_until};
use crate::support::server::Gate;
use crate::support::tokens::{TokenMaker, claims};
use crate::support::tools;
use crate::world::{AUDIENCE, World, configuration};

/// The line that the module logs.
const PANICKED: &str = "edge_authz panicked at";

/// Selects, through a file, where the module panics.
struct Trap {
    scratch: Scratch,
    path: PathBuf,
}

impl Trap {
    fn new() -> Self {
        only_here();
        let scratch = Scratch::new("trap");
        let path = scratch.path().join("trap");
        Self { scratch, path }
    }

    fn build(&self, builder: Builder) -> Builder {
        builder
            .modules(&tools::trapdoor())
            .environment("EDGE_AUTHZ_TRAP", &self.path)
    }

    /// Makes the module panic at this place and nowhere else.
    fn set(&self, place: &str) {
        let new = self.scratch.write("new", place);
        fs::rename(new, &self.path).expect("a file below target/");
    }
}

fn panics(world: &World) -> u64 {
    world.envoy.stat("dynamicmodulescustom.edge_authz_panics")
}

/// The status of an answer, if one arrives.
fn status(world: &World, request: &Request) -> Option<u16> {
    let answer = http1::exchange(world.envoy.address(), request);
    answer.ok().map(|answer| answer.status)
}

#[track_caller]
fn works(world: &World) {
    let good = Request::get("/private/a").bearer(&world.token(json!({})));
    world.envoy.send(&good).expect(200);
    world.envoy.send2(&good).expect(200);
    world.envoy.send(&Request::get("/private/a")).expect(401);
    world.envoy.send(&Request::get("/closed")).expect(403);
}

/// The places before any part of the request has been forwarded.
const EARLY: [&str; 3] = ["clock", "new", "request_headers"];
/// The places after the headers have been forwarded.
const LATE: [&str; 2] = ["request_body", "request_trailers"];
/// The places after the answer.
const OVER: [&str; 2] = ["stream_complete", "destroy"];

#[test]
#[ignore = "of the dynamic module"]
fn a_panic_in_any_hook_ends_one_request_and_envoy_lives() {
    let trap = Trap::new();
    let world = World::with(configuration, |builder| trap.build(builder));
    works(&world);
    let token = world.token(json!({}));
    let good = || {
        let post = Request::post("/private/panics", "a body").bearer(&token);
        post.trailer("x-end", "1")
    };
    let forged = TokenMaker::generate("RS256", "key-1").token(&json!({"sub": "root"}));
    let bad = [
        Request::get("/private/bad"),
        Request::post("/private/bad", "a body").bearer(&forged),
        Request::get("/closed").bearer(&token),
    ];
    let mut counted = panics(&world);
    for place in EARLY.iter().chain(&LATE).chain(&["response_headers"]) {
        trap.set(place);
        let before = world.upstream.count();
        assert_eq!(status(&world, &good()), Some(503), "{place}");
        if EARLY.contains(place) {
            assert_eq!(world.upstream.count(), before, "{place}");
        }
        for request in &bad {
            let status = status(&world, request);
            assert!(
                matches!(status, Some(401 | 403 | 503)),
                "{place}: {status:?}"
            );
        }
        trap.set("");
        let now = panics(&world);
        assert!(now > counted, "{place}: it is not counted");
        counted = now;
        works(&world);
    }
    for place in OVER {
        trap.set(place);
        assert_eq!(status(&world, &good()), Some(200), "{place}");
        trap.set("");
        works(&world);
    }
    world.envoy.log_line(PANICKED);
    let seen = world.upstream.seen();
    assert!(seen.iter().all(|seen| !seen.target.ends_with(b"bad")));
}

#[test]
#[ignore = "of the dynamic module"]
fn a_request_in_whose_tick_the_module_panics_never_goes_on_and_the_others_do() {
    let trap = Trap::new();
    let gate = Gate::default();
    let world = World::with(
        |issuer| {
            issuer.change(JWKS_PATH, |keys| keys.behind(&gate));
            let mut configuration = configuration(issuer);
            configuration["providers"][0]["jwks"]["timeout"] = json!("60s");
            configuration
        },
        |builder| trap.build(builder),
    );
    let good = Request::post("/private/a", "a body").bearer(&world.token(json!({})));
    let waiting = || world.envoy.stat("wasmcustom.edge_authz.waiting_requests");
    let wait_for = |count: u64| {
        let all = wait_until(Duration::from_secs(20), || {
            (waiting() == count).then_some(())
        });
        assert!(all.is_some(), "{} of {count} wait", waiting());
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| status(&world, &good));
        wait_for(1);
        trap.set("scheduled");
        assert_eq!(first.join().expect("an answer"), Some(503));
        trap.set("");
        wait_for(0);
        let others: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| status(&world, &good)))
            .collect();
        wait_for(20);
        gate.open();
        for other in others {
            assert_eq!(other.join().expect("an answer"), Some(200));
        }
    });
    assert_eq!(world.upstream.count(), 20);
    works(&world);
}

#[test]
#[ignore = "of the dynamic module"]
fn a_panic_on_the_main_thread_leaves_the_keys_and_a_later_tick_fetches() {
    let trap = Trap::new();
    let world = World::with(configuration, |builder| trap.build(builder));
    works(&world);
    let before = panics(&world);
    trap.set("clock");
    // Every tick panics.
    thread::sleep(Duration::from_secs(3));
    let new = TokenMaker::generate("ES256", "key-2");
    world.issuer.publish(&[&world.key, &new]);
    trap.set("");
    works(&world);
    assert!(panics(&world) > before);
    let token = new.token(&claims(world.issuer.name(), AUDIENCE));
    let request = Request::get("/private/a").bearer(&token);
    world.envoy.send(&request).expect(200);
    assert_eq!(world.issuer.gets(JWKS_PATH), 2);
}

#[test]
#[ignore = "of the dynamic module"]
fn a_configuration_during_which_the_module_panics_is_refused() {
    let trap = Trap::new();
    trap.set("clock");
    let issuer = Issuer::with_keys(&[&TokenMaker::generate("RS256", "key-1")]);
    let build = || {
        trap.build(Builder::new(issuer.address()))
            .cluster("issuer", issuer.address())
            .edge_authz(configuration(&issuer))
    };
    let ended = build().try_start().err().expect("Envoy refuses to start");
    assert!(ended.log.contains(PANICKED), "{}", ended.log);
    assert!(!build().validate().status.success());
    trap.set("");
    // The update is refused, and the previous configuration stays active.
    let world = World::with(configuration, |builder| trap.build(builder).reloadable());
    works(&world);
    trap.set("clock");
    let mut open = configuration(&world.issuer);
    open["routes"][4]["access"] = json!("public");
    let listener = || Listener::new("main", EdgeAuthz::new(open.clone()));
    assert!(!world.envoy.reload(&[listener()]));
    trap.set("");
    works(&world);
}
