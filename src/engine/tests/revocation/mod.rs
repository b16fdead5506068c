//! Revocation lists: workers, their shared data, and a server whose list the tests change.

mod stage;

use std::time::Duration;

use crate::revocation::shelf;
use crate::telemetry::{Event, Reason};
use stage::*;

const EMPTY: &str = r#"{"jti":[]}"#;
/// It names every token of the signer, which have no `iat`.
const ALICE: &str = r#"{"sub":{"alice":1}}"#;

#[test]
fn a_remembered_token_is_refused_by_every_worker_within_a_second_of_the_lists_arrival() {
    let stage = Stage::new(EMPTY);
    let policy = policy("");
    let mut one = Worker::start(&stage, &policy, 1);
    let mut other = Worker::start(&stage, &policy, 2);
    pass(&stage, &mut [&mut one, &mut other], secs(2));
    assert_eq!(stage.asked.borrow().len(), 1, "one fetch for both");
    assert_eq!(one.reason(), Some(Reason::Allowed));
    assert_eq!(other.reason(), Some(Reason::Allowed));
    stage.publish(ALICE, "\"2\"");
    let before = stage.asked.borrow().len();
    while stage.asked.borrow().len() == before {
        pass(
            &stage,
            &mut [&mut one, &mut other],
            secs(0) + Duration::from_millis(500),
        );
    }
    pass(&stage, &mut [&mut one, &mut other], secs(1));
    assert_eq!(one.reason(), Some(Reason::Revoked));
    assert_eq!(other.reason(), Some(Reason::Revoked));
    assert_eq!(stage.gauge("edge_authz.revoked_entries.a"), Some(1));
    // And accepted again when the entry is gone.
    stage.publish(EMPTY, "\"3\"");
    pass(&stage, &mut [&mut one, &mut other], secs(32));
    assert_eq!(one.reason(), Some(Reason::Allowed));
    assert_eq!(other.reason(), Some(Reason::Allowed));
}

#[test]
fn a_304_renews_the_age_on_every_worker_and_transfers_nothing() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"30s","max_stale":"60s""#);
    let mut one = Worker::start(&stage, &policy, 1);
    let mut other = Worker::start(&stage, &policy, 2);
    pass(&stage, &mut [&mut one, &mut other], secs(600));
    let asked = stage.asked.borrow().clone();
    assert!((19..27).contains(&asked.len()), "{}", asked.len());
    assert_eq!(asked[0], None);
    assert!(
        asked[1..]
            .iter()
            .all(|etag| etag.as_deref() == Some("\"1\""))
    );
    // Without the renewal, both would be too old by now.
    assert_eq!(one.reason(), Some(Reason::Revoked));
    assert_eq!(other.reason(), Some(Reason::Revoked));
    assert_eq!(
        stage.logged(|event| matches!(event, Event::ListLoaded { .. })),
        1
    );
    assert_eq!(
        stage.logged(|event| matches!(event, Event::TooOld { .. })),
        0
    );
    assert!(stage.gauge("edge_authz.revoked_age_seconds.a").unwrap() <= 31);
}

#[test]
fn the_last_good_list_serves_until_max_stale_and_then_nobody_passes() {
    let stage = Stage::new(EMPTY);
    let policy = policy(r#","refresh":"10s","max_stale":"60s","timeout":"2s""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    stage.server.borrow_mut().status = 500;
    pass(&stage, &mut [&mut worker], secs(50));
    assert_eq!(worker.reason(), Some(Reason::Allowed));
    pass(&stage, &mut [&mut worker], secs(20));
    let waits = worker.request();
    assert_eq!(worker.decided.get(&waits), None);
    pass(&stage, &mut [&mut worker], secs(3));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
    assert_eq!(
        stage.logged(|event| matches!(event, Event::TooOld { .. })),
        1
    );
    // After a failure, the list is fetched without a condition.
    assert_eq!(stage.asked.borrow().last(), Some(&None));
    // A request that waits is served by the list that confirms what is known.
    let waits = worker.request();
    stage.server.borrow_mut().status = 200;
    pass(
        &stage,
        &mut [&mut worker],
        secs(1) + Duration::from_millis(500),
    );
    pass(&stage, &mut [&mut worker], secs(5));
    let reason = worker.decided.get(&waits).copied();
    assert!(reason.is_some());
    assert_eq!(worker.reason(), Some(Reason::Allowed));
}

#[test]
fn an_answer_that_is_not_a_list_keeps_the_last_good_one() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"1s","max_stale":"1h""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    let too_many: Vec<_> = (0..500_000).map(|n| format!("\"{n:x}\"")).collect();
    for body in [
        String::new(),
        r#"{"keys":[]}"#.to_owned(),
        r#"{"sub":{"alice":"1"}}"#.to_owned(),
        format!(r#"{{"jti":[{}]}}"#, too_many.join(",")),
        format!("{EMPTY}{}", " ".repeat(40 << 20)),
        "[".repeat(1 << 20),
    ] {
        stage.publish(&body, "\"bad\"");
        let before = stage.asked.borrow().len();
        pass(&stage, &mut [&mut worker], secs(70));
        assert!(stage.asked.borrow().len() > before);
        assert_eq!(worker.reason(), Some(Reason::Revoked));
    }
    stage.publish(EMPTY, "\"good\"");
    pass(&stage, &mut [&mut worker], secs(70));
    assert_eq!(worker.reason(), Some(Reason::Allowed));
}

#[test]
fn a_304_without_a_known_list_is_a_failure() {
    let stage = Stage::new(EMPTY);
    stage.server.borrow_mut().status = 304;
    let policy = policy(r#","timeout":"1s""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    let waits = worker.request();
    pass(&stage, &mut [&mut worker], secs(2));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
    assert!(stage.asked.borrow().iter().all(Option::is_none));
}

#[test]
fn a_new_configuration_continues_with_the_list_and_its_age() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"10s","max_stale":"60s","timeout":"1s""#);
    let mut old = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut old], secs(2));
    stage.server.borrow_mut().status = 500;
    pass(&stage, &mut [&mut old], secs(40));
    let mut new = Worker::start(&stage, &policy, 2);
    assert_eq!(new.reason(), Some(Reason::Revoked));
    // Both listeners use one copy.
    assert_eq!(shelf::count(), 1);
    drop(old);
    pass(&stage, &mut [&mut new], secs(20));
    let waits = new.request();
    pass(&stage, &mut [&mut new], secs(2));
    let reason = new.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
}

#[test]
fn shared_data_that_are_not_a_list_are_not_used() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"10s""#);
    let mut one = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut one], secs(2));
    let [name] = &stage.shared.names("/list")[..] else {
        panic!("one list");
    };
    let known = stage.shared.peek(name).unwrap();
    let garbage = [&known[..8], br#"{"jti":[]}"#].concat();
    stage.shared.sabotage(name, &garbage);
    drop(one);
    let mut other = Worker::start(&stage, &policy, 2);
    let waits = other.request();
    pass(&stage, &mut [&mut other], secs(2));
    // It has fetched the list itself.
    assert_eq!(other.decided.get(&waits).copied(), Some(Reason::Revoked));
    assert_eq!(stage.asked.borrow().len(), 2);
}

#[test]
fn each_fetch_of_a_list_near_a_limit_warns() {
    let ids: Vec<_> = (0..40_000).map(|n| format!("\"{n}\"")).collect();
    let stage = Stage::new(&format!(r#"{{"jti":[{}]}}"#, ids.join(",")));
    let mut worker = Worker::start(&stage, &policy(""), 1);
    pass(&stage, &mut [&mut worker], secs(100));
    let fetches = stage.asked.borrow().len();
    assert!(fetches >= 3);
    let warned = stage.logged(|event| matches!(event, Event::ListNearLimit { .. }));
    assert_eq!(warned, fetches);
}

#[test]
fn an_age_from_before_the_clock_was_set_back_does_not_extend_the_list() {
    let stage = Stage::new(EMPTY);
    let policy = policy(r#","refresh":"10s","max_stale":"60s","timeout":"1s""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    stage.server.borrow_mut().status = 500;
    stage.now.set(stage.now.get().saturating_sub(secs(3600)));
    pass(&stage, &mut [&mut worker], secs(50));
    assert_eq!(worker.reason(), Some(Reason::Allowed));
    pass(&stage, &mut [&mut worker], secs(20));
    let waits = worker.request();
    pass(&stage, &mut [&mut worker], secs(2));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
    // The time of the record passes, and the list is not renewed by it.
    pass(&stage, &mut [&mut worker], secs(3600));
    let waits = worker.request();
    pass(&stage, &mut [&mut worker], secs(2));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
}
