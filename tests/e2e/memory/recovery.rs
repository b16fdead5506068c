//! What becomes of memory when listeners are drained.

use std::time::Duration;

use super::{NO_MEMORY, Outcome, Squeezed};
use crate::support::process::wait_until;
use crate::support::shapes;

/// How many configurations are to be in a machine at once, at most: many more
/// than fit.
const MOST: usize = 40;

#[test]
fn what_had_no_memory_comes_into_force_when_superseded_listeners_are_drained() {
    let mut squeezed = Squeezed::start(96, 30);
    let text = |number: usize| {
        let text = shapes::ordinary_routes(1_400 * 1024);
        text.replacen("/service-", &format!("/{number}/service-"), 1)
    };
    let mut updates = (1..MOST).map(|number| squeezed.update("routes", &text(number)));
    let first_without = updates.position(|outcome| outcome == Outcome::NoMemory);
    drop(updates);
    let held = first_without.expect("memory has an end");
    assert!(held > 1, "{held} configurations fit");
    let line = squeezed.envoy.log_line(NO_MEMORY);
    assert!(line.contains("--drain-time-s"), "{line}");
    // Nobody does anything.
    let path = format!("/in-force-{}", squeezed.number);
    let in_force = wait_until(Duration::from_secs(90), || {
        let status = squeezed.get(&path);
        assert!([200, 503].contains(&status), "{status}");
        (status == 200).then_some(())
    });
    in_force.expect("it comes into force by itself");
    squeezed
        .envoy
        .log_line("there is enough memory for the configuration now: it is active");
    assert_eq!(squeezed.get("/nowhere"), 404);
    squeezed.passed += 1;
    assert_eq!(squeezed.upstream.count(), squeezed.passed);
    squeezed.assert_no_trap("after the drain");
    // When all are drained the next one has memory at once.
    drained(&squeezed);
    assert_eq!(squeezed.update("the next", &text(MOST)), Outcome::InForce);
}

#[test]
fn sixty_small_updates_leave_memory_level() {
    let mut squeezed = Squeezed::start(1024, 1);
    // What Envoy itself keeps for each is small beside a configuration.
    let text = |number: usize| {
        let text = shapes::ordinary_routes(100 * 1024);
        text.replacen("/service-", &format!("/{number}/service-"), 1)
    };
    let mut memory_after = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let outcome = squeezed.update("small", &text(number));
            assert_eq!(outcome, Outcome::InForce);
        }
        drained(&squeezed);
        squeezed.envoy.memory_kib()
    };
    // The machine's memory grows in steps until as many configurations have room as
    // are alive at once.
    let first = memory_after(1..31);
    let second = memory_after(31..91);
    println!("from {first} to {second} KiB");
    // Sixty of them would be 30 MiB in each of two machines.
    assert!(second < first + 8 * 1024, "from {first} to {second} KiB");
}

/// Waits until no superseded listener is left.
fn drained(squeezed: &Squeezed) {
    let drained = wait_until(Duration::from_secs(90), || {
        let draining = squeezed.envoy.stats("draining");
        (draining.values().sum::<u64>() == 0).then_some(())
    });
    drained.expect("superseded listeners end");
}
