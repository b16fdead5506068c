//! New configurations while requests arrive.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::tokens::{TokenMaker, claims};
use crate::world::{AUDIENCE, World, configuration};

const PAGE: &str = "https://app.example.com";

/// How long an older configuration may judge requests after Envoy has accepted a new one.
const TAKEN: Duration = Duration::from_secs(2);

/// The second issuer, which odd generations trust too.
fn second() -> Issuer {
    Issuer::named("https://second.example.com")
}

/// A configuration that can be identified by its answers: the headers exposed to pages
/// name it, and odd ones make `/flip` public and trust a second issuer.
fn generation(number: usize, issuer: &Issuer, second: &Issuer) -> Value {
    let mut configuration = configuration(issuer);
    configuration["cors"]["expose_headers"] = json!([format!("X-Generation-{number}")]);
    let mut flip = json!({"match": "GET /flip"});
    if number % 2 == 1 {
        flip["access"] = json!("public");
        let providers = configuration["providers"].as_array_mut().expect("a list");
        providers.push(json!({
            "name": "second",
            "issuer": second.name(),
            "audiences": [AUDIENCE],
            "jwks": {"cluster": "second", "uri": second.jwks_uri()},
        }));
    }
    let routes = configuration["routes"].as_array_mut().expect("a list");
    routes.push(flip);
    configuration
}

fn listener(configuration: Value) -> Listener {
    Listener::new("main", EdgeAuthz::new(configuration).vm_id("reload"))
}

/// The configuration that an answer comes from.
fn generation_of(answer: &Response) -> usize {
    let exposed = answer.all("access-control-expose-headers").join(", ");
    let name = exposed
        .split(", ")
        .find_map(|name| name.strip_prefix("X-Generation-"));
    name.and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no configuration gives this answer: {answer}"))
}

/// One answer under load.
struct Seen {
    sent: Instant,
    generation: usize,
}

/// Sends requests whose correct answer depends on the generation, and checks the answers,
/// until `ended`.
fn load(envoy: &Envoy, tokens: &[String; 2], ended: &AtomicBool, all: &Mutex<Vec<Seen>>) {
    let from_page = |path: &str| Request::get(path).header("origin", PAGE);
    let [of_first, of_second] = tokens;
    while !ended.load(Ordering::Relaxed) {
        for (request, odd, even) in [
            (from_page("/flip"), 200, 401),
            (from_page("/private/a").bearer(of_first), 200, 200),
            (from_page("/private/a"), 401, 401),
            (from_page("/private/a").bearer(of_second), 200, 401),
            (from_page("/closed").bearer(of_first), 403, 403),
        ] {
            let sent = Instant::now();
            let answer = http1::exchange(envoy.address(), &request);
            let answer = answer.unwrap_or_else(|error| panic!("dropped ({error}): {request:?}"));
            let generation = generation_of(&answer);
            let due = if generation % 2 == 1 { odd } else { even };
            assert_eq!(answer.status, due, "generation {generation}: {answer}");
            all.lock()
                .expect("the list")
                .push(Seen { sent, generation });
        }
    }
}

/// Requests that a superseded configuration has judged are counted like others.
fn everything_is_counted(envoy: &Envoy, requests: usize) {
    let requests = u64::try_from(requests).expect("a count");
    let all = |counted: &BTreeMap<String, u64>| counted.values().sum::<u64>() == requests;
    let counted = envoy.stats_once("wasmcustom.edge_authz.requests.", all);
    assert!(all(&counted), "{requests} requests: {counted:?}");
}

#[test]
fn under_load_every_request_is_judged_by_one_configuration_and_none_is_dropped() {
    let (key, other) = (
        TokenMaker::generate("RS256", "key-1"),
        TokenMaker::generate("ES256", "key-2"),
    );
    let issuer = Issuer::with_keys(&[&key]);
    let second = second();
    second.publish(&[&other]);
    let upstream = Echo::start();
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .cluster("second", second.address())
        .listener(listener(generation(0, &issuer, &second)))
        .concurrency(2)
        .reloadable()
        .start();
    let tokens = [
        key.token(&claims(issuer.name(), AUDIENCE)),
        other.token(&claims(second.name(), AUDIENCE)),
    ];
    let (ended, all) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let mut taken = vec![Instant::now()];
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| load(&envoy, &tokens, &ended, &all));
        }
        for number in 1..=4 {
            let good = listener(generation(number, &issuer, &second));
            assert!(envoy.reload(&[good]), "generation {number}");
            taken.push(Instant::now());
            // An invalid one in between changes nothing.
            let mut bad = generation(number + 100, &issuer, &second);
            bad["routes"][0]["acces"] = json!("public");
            assert!(!envoy.reload(&[listener(bad)]), "after {number}");
            std::thread::sleep(TAKEN + Duration::from_millis(500));
        }
        ended.store(true, Ordering::Relaxed);
    });
    let all = all.into_inner().expect("the list");
    everything_is_counted(&envoy, all.len());
    for Seen { sent, generation } in all {
        assert!(generation < taken.len(), "a refused configuration judged");
        // No request is judged by a configuration that was replaced some time ago, or by
        // one that is not active yet.
        let replaced = taken.get(generation + 1);
        assert!(
            replaced.is_none_or(|replaced| sent < *replaced + TAKEN),
            "generation {generation}, {:?} after it was replaced",
            replaced.map(|replaced| sent.duration_since(*replaced))
        );
    }
    assert_eq!(issuer.gets(JWKS_PATH), 1, "keys outlast configurations");
    assert_eq!(second.gets(JWKS_PATH), 1);
    envoy.assert_no_trap();
}

#[test]
fn a_refused_update_logs_the_reason_and_changes_nothing() {
    let world = World::with(configuration, Builder::reloadable);
    let token = world.token(json!({}));
    let judged = || {
        let good = Request::get("/private/a").bearer(&token);
        world.envoy.send(&good).expect(200);
        world.envoy.send(&Request::get("/private/a")).expect(401);
        world.envoy.send(&Request::get("/closed")).expect(403);
    };
    judged();
    let mut wrong = configuration(&world.issuer);
    wrong["routes"][1]["acess"] = json!("public");
    let refused = [
        EdgeAuthz::new(wrong),
        EdgeAuthz::from_text(""),
        EdgeAuthz::from_text("{"),
        EdgeAuthz::new(json!({"routes": []})),
    ];
    for plugin in refused {
        assert!(!world.envoy.reload(&[Listener::new("main", plugin)]));
        judged();
    }
    world.envoy.log_line("routes[1].acess: is unknown");
    // The next valid one is accepted.
    let mut open = configuration(&world.issuer);
    open["routes"][4]["access"] = json!("public");
    assert!(
        world
            .envoy
            .reload(&[Listener::new("main", EdgeAuthz::new(open))])
    );
    wait_until(TAKEN, || {
        (world.envoy.send(&Request::get("/closed")).status == 200).then_some(())
    })
    .expect("the new configuration");
    world.envoy.assert_no_trap();
}

#[test]
fn the_memory_of_a_replaced_configuration_is_freed() {
    const ROUTES: usize = 2000;
    let issuer = Issuer::with_keys(&[&TokenMaker::generate("ES256", "key-1")]);
    let upstream = Echo::start();
    let large = |number: usize| {
        let mut configuration = configuration(&issuer);
        let routes = configuration["routes"].as_array_mut().expect("a list");
        for route in 0..ROUTES {
            let path = format!("GET /large/{number}/{route}/{{id}}/and/more");
            routes.push(json!({"match": path, "scopes": [format!("scope-{route}")]}));
        }
        listener(configuration)
    };
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .listener(large(0))
        .reloadable()
        .start();
    // The same number of configurations is alive at each measurement.
    let memory_after = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            assert!(envoy.reload(&[large(number)]));
        }
        let drained = wait_until(Duration::from_secs(20), || {
            let draining = envoy.stats("draining");
            (draining.values().sum::<u64>() == 0).then_some(())
        });
        drained.expect("old listeners end");
        let path = Request::get("/large/0/0/1/and/more");
        envoy.send(&path).expect(404);
        envoy.memory_kib()
    };
    // The memory of the VM and of the allocator grows in steps until it holds as many
    // configurations as are alive at once. Then it is constant.
    let first = memory_after(1..48);
    let second = memory_after(48..68);
    // Twenty of them would take more than twenty megabytes.
    assert!(second < first + 8 * 1024, "from {first} to {second} KiB");
    envoy.assert_no_trap();
}
