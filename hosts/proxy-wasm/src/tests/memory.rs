//! A module with little memory left.

use std::time::Duration;

use serde_json::{Value, json};

use super::issuer::{Issuer, inline};
use super::proxy::{configure, configure_again, forwarded, leave_root, metric, pass, request};
use super::proxy::{status_of, tick};
use super::world::{Call, Failure, Fault, Phase, START, in_worker, with_world};
use crate::memory::pretend;

const FIRST: u32 = 1;
const SECOND: u32 = 2;
const THIRD: u32 = 3;

const MIB: usize = 1024 * 1024;
/// The memory that remains free for serving requests, which a small configuration needs.
const SERVING: usize = 32 * MIB;

fn get(root: u32, path: &str) -> u32 {
    let headers = [
        (":method", "GET"),
        (":path", path),
        (":authority", "api.example"),
    ];
    request(root, &headers)
}

fn get_with(root: u32, token: &str) -> u32 {
    let token = format!("Bearer {token}");
    let headers = [
        (":method", "GET"),
        (":path", "/private"),
        (":authority", "api.example"),
        ("authorization", &token),
    ];
    request(root, &headers)
}

fn is_open(root: u32) -> bool {
    let id = get(root, "/public");
    match status_of(id) {
        Some(status) => {
            assert_eq!(status, 503);
            assert!(forwarded(id).is_none());
            false
        }
        None => forwarded(id).is_some(),
    }
}

/// A configuration of this many bytes with a public path.
fn sized(bytes: usize) -> String {
    let text = r#"{"routes":[{"match":"GET /public","access":"public"}]}"#;
    format!("{text}{}", " ".repeat(bytes.saturating_sub(text.len())))
}

fn log_of(level: u32, part: &str) -> usize {
    with_world(|world| {
        let lines = world.log.iter();
        lines
            .filter(|(of, line)| *of == level && line.contains(part))
            .count()
    })
}

#[test]
fn a_configuration_without_memory_is_accepted_and_refuses_everything_until_there_is_memory() {
    in_worker(|| {
        pretend(Some(SERVING));
        assert!(configure(FIRST, &sized(100)));
        assert!(!is_open(FIRST));
        assert_eq!(
            log_of(4, "there is no memory for the configuration: superseded"),
            1
        );
        assert_eq!(metric(FIRST, "edge_authz.requests.internal_error.none"), 1);
        // It becomes active without another update, within about a second.
        pass(FIRST, Duration::from_secs(3));
        assert!(!is_open(FIRST));
        pretend(None);
        pass(FIRST, Duration::from_millis(1_500));
        assert!(is_open(FIRST));
        assert_eq!(
            log_of(2, "there is enough memory for the configuration now"),
            1
        );
        assert_eq!(log_of(4, ""), 1);
    });
}

#[test]
fn without_memory_to_read_it_a_configuration_is_refused_until_the_next_update() {
    in_worker(|| {
        pretend(Some(0));
        assert!(configure(FIRST, &sized(100)));
        pretend(None);
        pass(FIRST, Duration::from_secs(5));
        assert!(!is_open(FIRST));
        assert_eq!(log_of(4, "refused (503) until the next update"), 1);
        assert!(configure_again(FIRST, &sized(100)));
        assert!(is_open(FIRST));
    });
}

#[test]
fn memory_is_checked_once_a_second() {
    in_worker(|| {
        let size = 7 * MIB;
        pretend(Some(SERVING + size));
        assert!(configure(FIRST, &sized(size)));
        pretend(None);
        for _ in 0..100 {
            tick(FIRST);
        }
        assert!(!is_open(FIRST));
        pass(FIRST, Duration::from_millis(1_500));
        assert!(is_open(FIRST));
    });
}

#[test]
fn the_newest_configuration_comes_first_and_the_oldest_is_dropped() {
    in_worker(|| {
        // The memory suffices to parse and keep them, but not to compile one.
        pretend(Some(46 * MIB));
        let roots = 1..=6;
        for root in roots.clone() {
            assert!(configure(root, &sized(8 * MIB - 8)));
        }
        // Four configurations of the maximum size are kept.
        for root in roots.clone() {
            pass(root, Duration::from_millis(1_500));
        }
        assert_eq!(
            log_of(4, "newer configurations replaced the one that waited"),
            2
        );
        // An older one does not use memory that suffices for only one.
        pretend(Some(2 * SERVING));
        for root in roots.clone() {
            pass(root, Duration::from_millis(1_500));
        }
        let open = |root: &u32| is_open(*root);
        assert_eq!(roots.clone().filter(open).collect::<Vec<_>>(), [6]);
        // Then the next one follows. A deleted one is skipped.
        leave_root(5);
        for root in roots.clone() {
            if root != 5 {
                pass(root, Duration::from_millis(1_500));
            }
        }
        pretend(None);
        assert!(!is_open(3) && is_open(4) && is_open(6));
    });
}

#[test]
fn an_active_listener_is_unaffected_by_another_without_memory() {
    in_worker(|| {
        let issuer = Issuer::new("k");
        assert!(configure(FIRST, &inline(&issuer)));
        let token = issuer.token(START);
        assert!(forwarded(get_with(FIRST, &token)).is_some());
        for memory in [0, SERVING] {
            pretend(Some(memory));
            assert!(configure(SECOND, &sized(100)));
            assert!(!is_open(SECOND));
            assert!(forwarded(get_with(FIRST, &token)).is_some());
            leave_root(SECOND);
            assert!(forwarded(get_with(FIRST, &token)).is_some());
        }
        // The same configuration is loaded again, as for a second listener.
        assert!(configure_again(FIRST, &inline(&issuer)));
        assert!(forwarded(get_with(FIRST, &token)).is_some());
        pretend(None);
    });
}

#[test]
fn a_configuration_is_checked_as_soon_as_there_is_memory() {
    in_worker(|| {
        pretend(Some(SERVING));
        let bad = sized(100).replace("GET", "get");
        assert!(configure(FIRST, &bad));
        pretend(None);
        pass(FIRST, Duration::from_millis(1_500));
        assert_eq!(log_of(4, "routes[0].match"), 1);
        assert!(!is_open(FIRST));
    });
}

#[test]
fn a_configuration_that_is_too_large_is_refused_unread() {
    in_worker(|| {
        let failure = Failure::Status(10);
        let fault = Fault {
            call: Call::Buffer,
            failure,
            phase: Phase::Configure,
            after: 0,
        };
        with_world(|world| world.fault = Some(fault));
        pretend(Some(0));
        assert!(!configure(FIRST, &" ".repeat(6 * 8 * MIB + 1)));
        assert_eq!(
            log_of(4, "configuration: is larger than 8 MiB; make it smaller"),
            1
        );
        pretend(None);
    });
}

#[test]
fn a_newer_configuration_of_the_same_plugin_makes_older_ones_drop_tokens() {
    in_worker(|| {
        let issuer = Issuer::new("k");
        let token = issuer.token(START);
        let routes = |number: u32| {
            let mut configuration: Value = serde_json::from_str(&inline(&issuer)).unwrap();
            let routes = configuration["routes"].as_array_mut().unwrap();
            routes.push(json!({"match": format!("GET /{number}")}));
            configuration.to_string()
        };
        let remembers = |root: u32| {
            // The number of tokens found in the cache.
            let hits = || metric(root, "edge_authz.token_cache.hit");
            let before = hits();
            assert!(forwarded(get_with(root, &token)).is_some());
            hits() > before
        };
        with_world(|world| world.plugin = "one");
        assert!(configure(FIRST, &routes(1)));
        assert!(!remembers(FIRST) && remembers(FIRST));
        // A listener of another plugin does not replace this one.
        with_world(|world| world.plugin = "other");
        assert!(configure(SECOND, &routes(2)));
        assert!(remembers(FIRST));
        with_world(|world| world.plugin = "one");
        assert!(configure(THIRD, &routes(3)));
        assert!(!remembers(FIRST));
        // It may still be in use.
        assert!(remembers(FIRST));
        assert!(!remembers(SECOND) && remembers(SECOND));
    });
}
