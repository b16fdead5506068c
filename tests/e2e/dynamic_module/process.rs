//! The module's thread in Envoy's process.

use std::time::Duration;

use serde_json::json;

use super::only_here;
use crate::support::bootstrap::{EdgeAuthz, Listener};
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::process::wait_until;
use crate::world::{World, configuration};

/// The number of the module's own threads in the process.
fn own_threads(envoy: &Envoy) -> usize {
    let threads = envoy.threads();
    threads.iter().filter(|name| *name == "edge_authz").count()
}

/// Waits until superseded listeners are drained and the module has this many threads.
#[track_caller]
fn has_threads(envoy: &Envoy, count: usize) {
    let settled = wait_until(Duration::from_secs(30), || {
        let draining = envoy.stats("draining").values().sum::<u64>();
        (draining == 0 && own_threads(envoy) == count).then_some(())
    });
    assert!(settled.is_some(), "{:?}", envoy.threads());
}

#[test]
#[ignore = "of the dynamic module"]
fn one_thread_serves_all_configurations_and_ends_with_the_last() {
    only_here();
    let world = World::with(configuration, |builder| builder.concurrency(2).reloadable());
    let listener = |name: &str, number: usize| {
        let mut configuration = configuration(&world.issuer);
        configuration["responses"] = json!({"realm": format!("update-{number}")});
        Listener::new(name, EdgeAuthz::new(configuration))
    };
    has_threads(&world.envoy, 1);
    let all = world.envoy.threads().len();
    for number in 0..20 {
        assert!(world.envoy.reload(&[listener("main", number)]));
        assert_eq!(own_threads(&world.envoy), 1);
    }
    let two = [listener("main", 20), listener("other", 21)];
    assert!(world.envoy.reload(&two));
    has_threads(&world.envoy, 1);
    assert_eq!(world.envoy.threads().len(), all);
    // Without a configuration the thread ends, and the next configuration starts it
    // again.
    for _ in 0..3 {
        assert!(world.envoy.reload(&[Listener::plain("main")]));
        has_threads(&world.envoy, 0);
        assert_eq!(world.envoy.threads().len(), all - 1);
        assert!(world.envoy.reload(&[listener("main", 22)]));
        has_threads(&world.envoy, 1);
    }
    let good = Request::get("/private/a").bearer(&world.token(json!({})));
    let works = wait_until(Duration::from_secs(20), || {
        (world.envoy.send(&good).status == 200).then_some(())
    });
    works.expect("the last configuration");
    world.envoy.assert_no_trap();
}
