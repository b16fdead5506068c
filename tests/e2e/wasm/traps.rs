//! How requests are handled when the module's virtual machine dies. No input makes it
//! die; these modules contain a deliberate trap.

use std::time::{Duration, Instant};

use serde_json::json;

use super::only_here;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http1::{self, Connection};
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::{Scratch, wait_until};
use crate::support::server::Pace;
use crate::support::tokens::TokenMaker;
use crate::support::trapdoor::Trapdoor;
use crate::world::{World, configuration};

/// The line that Envoy logs when a callback traps.
const TRAPPED: &str = "Function: proxy_on_";

/// A request that triggers the trap.
fn poison(token: &str) -> Request {
    let request = Request::get("/private/a").bearer(token);
    (0..Trapdoor::FIELDS).fold(request, |request, number| {
        request.header(format!("x-many-{number}"), "1")
    })
}

/// Requests that must never pass.
fn unwelcome(world: &World) -> [Request; 4] {
    let forged = TokenMaker::generate("RS256", "key-1").token(&json!({"sub": "root"}));
    let expired = world.token(json!({"exp": 1}));
    [
        Request::get("/private/a"),
        Request::get("/private/a").bearer(&forged),
        Request::post("/private/a", "a body").bearer(&expired),
        Request::get("/closed").bearer(&world.token(json!({}))),
    ]
}

fn trapdoor_world(scratch: &Scratch, trapdoor: Trapdoor, policy: Option<&str>) -> World {
    let module = trapdoor.build(scratch);
    World::with_plugin(
        configuration,
        |plugin| {
            let plugin = plugin.module(&module);
            match policy {
                Some(policy) => plugin.failure_policy(policy),
                None => plugin,
            }
        },
        |builder| builder,
    )
}

#[test]
fn after_a_trap_everything_is_503_by_default() {
    only_here();
    let scratch = Scratch::new("trapdoor");
    for policy in [None, Some("FAIL_CLOSED")] {
        let world = trapdoor_world(&scratch, Trapdoor::many_headers(), policy);
        let token = world.token(json!({}));
        let good = Request::get("/private/a").bearer(&token);
        world.envoy.send(&good).expect(200);
        assert_eq!(world.upstream.count(), 1);
        world.envoy.send(&poison(&token)).expect(503);
        world.envoy.log_line(TRAPPED);
        for request in unwelcome(&world).into_iter().chain([good]) {
            for send in [Envoy::send, Envoy::send2] {
                send(&world.envoy, &request).expect(503);
            }
        }
        world.envoy.send(&Request::get("/public/a")).expect(503);
        assert_eq!(world.upstream.count(), 1);
    }
}

#[test]
fn fail_reload_restores_the_filter_with_its_keys_and_keeps_checking() {
    only_here();
    let scratch = Scratch::new("trapdoor");
    let world = trapdoor_world(&scratch, Trapdoor::many_headers(), Some("FAIL_RELOAD"));
    let token = world.token(json!({}));
    let good = Request::get("/private/a").bearer(&token);
    for _ in 0..3 {
        world.envoy.send(&good).expect(200);
        let before = world.upstream.count();
        world.envoy.send(&poison(&token)).expect(503);
        let back = wait_until(Duration::from_secs(10), || {
            for (request, due) in unwelcome(&world).iter().zip([401, 401, 401, 403]) {
                let status = world.envoy.send(request).status;
                assert!(status == due || status == 503, "{status} for {due}");
            }
            assert_eq!(world.upstream.count(), before);
            let status = world.envoy.send(&Request::get("/closed")).status;
            (status == 403).then_some(())
        });
        back.expect("a new virtual machine");
        world.envoy.send(&good).expect(200);
    }
    // The next VM finds the keys that the former one has fetched.
    assert_eq!(world.issuer.gets(JWKS_PATH), 1);
    assert_eq!(
        world.envoy.stats("vm_reload_success").values().sum::<u64>(),
        3
    );
}

#[test]
fn a_request_that_waits_when_the_vm_dies_never_continues() {
    only_here();
    let scratch = Scratch::new("trapdoor");
    let module = Trapdoor::many_headers().build(&scratch);
    for (policy, flag) in [
        ("FAIL_CLOSED", false),
        ("FAIL_CLOSED", true),
        ("FAIL_RELOAD", false),
        ("FAIL_RELOAD", true),
    ] {
        let world = World::with_plugin(
            |issuer| {
                issuer.change(JWKS_PATH, |keys| keys.pace(Pace::Hang));
                configuration(issuer)
            },
            |plugin| {
                plugin
                    .module(&module)
                    .failure_policy(policy)
                    .allow_on_headers_stop_iteration(flag)
            },
            |builder| builder,
        );
        let token = world.token(json!({}));
        let mut waiting = Connection::open(world.envoy.address()).expect("a connection");
        let head = format!(
            "POST /private/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             content-length: 10\r\n\r\nhello"
        );
        waiting.write(head.as_bytes()).expect("it writes");
        wait_until(Duration::from_secs(10), || {
            (world.envoy.stat("wasmcustom.edge_authz.waiting_requests") == 1).then_some(())
        })
        .expect("a request that waits");
        world.envoy.send(&poison(&token)).expect(503);
        // The rest of it arrives, as do the keys and other requests.
        let _ = waiting.write(b"world");
        world.issuer.publish(&[&world.key]);
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            let status = world.envoy.send(&Request::get("/private/a")).status;
            assert!(matches!(status, 401 | 503), "{status}");
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(world.upstream.count(), 0, "{policy}, {flag}");
    }
}

#[test]
fn nothing_passes_unchecked_whichever_callback_traps() {
    only_here();
    let scratch = Scratch::new("trapdoor");
    let callbacks = [
        "proxy_on_tick",
        "proxy_on_http_call_response",
        "proxy_on_request_body",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_delete",
    ];
    let modules = callbacks.map(|callback| (callback, Trapdoor::always(callback).build(&scratch)));
    for policy in ["FAIL_CLOSED", "FAIL_RELOAD"] {
        let key = TokenMaker::generate("RS256", "key-1");
        let issuer = Issuer::with_keys(&[&key]);
        let upstream = Echo::start();
        let mut builder = Builder::new(upstream.address()).cluster("issuer", issuer.address());
        for (callback, module) in &modules {
            let plugin = EdgeAuthz::new(configuration(&issuer)).module(module);
            // It has its own shared data too, so that each fetches for itself.
            let plugin = plugin.vm_id(callback).failure_policy(policy);
            builder = builder.listener(Listener::new(callback, plugin));
        }
        let world = World {
            envoy: builder.start(),
            key,
            issuer,
            upstream,
        };
        for callback in callbacks {
            let to = world.envoy.listener(callback);
            for _ in 0..3 {
                for request in unwelcome(&world) {
                    let answer = http1::exchange(to, &request);
                    let status = answer.map(|answer| answer.status);
                    let closed = matches!(status, Ok(401 | 403 | 503) | Err(_));
                    assert!(closed, "{callback}, {policy}: {status:?}");
                }
                // Triggers the traps in callbacks that run only for a request that
                // passes.
                let public = Request::post("/public/a", "a body").trailer("x-end", "1");
                let _ = http1::exchange(to, &public);
            }
            world
                .envoy
                .log_line(&format!("Function: {callback} failed"));
        }
        let seen = world.upstream.seen();
        assert!(
            seen.iter().all(|seen| seen.target == b"/public/a"),
            "{policy}"
        );
    }
}

#[test]
fn listeners_that_share_a_machine_close_together_and_others_stay_open() {
    only_here();
    let scratch = Scratch::new("trapdoor");
    let module = Trapdoor::many_headers().build(&scratch);
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let upstream = Echo::start();
    let listener = |name: &str, vm_id: &str| {
        let plugin = EdgeAuthz::new(configuration(&issuer)).module(&module);
        Listener::new(name, plugin.vm_id(vm_id))
    };
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .listener(listener("one", "shared"))
        .listener(listener("two", "shared"))
        .listener(listener("three", "own"))
        .start();
    let send = |name: &str, request: &Request| {
        let answer = http1::exchange(envoy.listener(name), request);
        answer.expect("an answer").status
    };
    let public = Request::get("/public/a");
    let bare = Request::get("/private/a");
    for name in ["one", "two", "three"] {
        assert_eq!([send(name, &public), send(name, &bare)], [200, 401]);
    }
    assert_eq!(send("one", &poison("a.b.c")), 503);
    for name in ["one", "two"] {
        assert_eq!([send(name, &public), send(name, &bare)], [503, 503]);
    }
    assert_eq!([send("three", &public), send("three", &bare)], [200, 401]);
}
