//! How memory becomes free when listeners are drained.

use std::time::Duration;

use super::{NO_MEMORY, Outcome, Squeezed};
use crate::support::process::wait_until;
use crate::support::shapes;

/// The maximum number of configurations in a VM at once: many more than fit.
const MOST: usize = 40;

#[test]
fn a_configuration_without_memory_is_activated_when_superseded_listeners_are_drained() {
    // One compilation needs 77 MiB, and the heap is fragmented after a drain: with 96
    // MiB the first two configurations fit, and no second one does later.
    let mut squeezed = Squeezed::start(128, 30);
    let text = |number: usize| {
        let text = shapes::ordinary_routes(1_400 * 1024);
        text.replacen("/service-", &format!("/{number}/service-"), 1)
    };
    let mut updates = (1..MOST).map(|number| squeezed.update("routes", &text(number)));
    let first_without = updates.position(|outcome| outcome == Outcome::NoMemory);
    drop(updates);
    let held = first_without.expect("memory is limited");
    assert!(held > 1, "{held} configurations fit");
    let line = squeezed.envoy.log_line(NO_MEMORY);
    assert!(line.contains("--drain-time-s"), "{line}");
    // Without any action from outside.
    let path = format!("/in-force-{}", squeezed.number);
    let in_force = wait_until(Duration::from_secs(90), || {
        let status = squeezed.get(&path);
        assert!([200, 503].contains(&status), "{status}");
        (status == 200).then_some(())
    });
    in_force.expect("it becomes active by itself");
    squeezed
        .envoy
        .log_line("there is enough memory for the configuration now: it is active");
    assert_eq!(squeezed.get("/nowhere"), 404);
    squeezed.passed += 1;
    assert_eq!(squeezed.upstream.count(), squeezed.passed);
    squeezed.assert_no_trap("after the drain");
    // When all are drained, there is memory for the next one at once.
    drained(&squeezed);
    assert_eq!(squeezed.update("the next", &text(MOST)), Outcome::InForce);
}

#[test]
fn sixty_small_updates_leave_memory_level() {
    let mut squeezed = Squeezed::start(1024, 1);
    // Envoy's own memory for each is small compared with a configuration.
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
    // The VM's memory grows in steps until there is room for as many configurations as
    // are alive at once.
    let first = memory_after(1..31);
    let second = memory_after(31..91);
    println!("from {first} to {second} KiB");
    // Sixty of them would take 30 MiB in each of two VMs.
    assert!(second < first + 8 * 1024, "from {first} to {second} KiB");
}

/// Waits until all superseded listeners are drained.
fn drained(squeezed: &Squeezed) {
    let drained = wait_until(Duration::from_secs(90), || {
        let draining = squeezed.envoy.stats("draining");
        (draining.values().sum::<u64>() == 0).then_some(())
    });
    drained.expect("superseded listeners end");
}
