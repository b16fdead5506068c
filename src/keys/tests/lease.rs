//! Leases: only one worker fetches, and for a limited time.

use super::*;

#[test]
fn only_one_worker_fetches_at_a_time() {
    for record in [Record::default(), fetched(None, Jitter(0))] {
        let begun = RULES.begun(&record, Kind::Ordinary, OTHER, at(600_000));
        assert_eq!(RULES.due(&begun, KID, at(600_000)), None);
        assert_eq!(RULES.due(&begun, KID, at(606_999)), None);
    }
}

#[test]
fn a_lease_ends_by_itself_two_seconds_after_the_timeout() {
    let begun = RULES.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    assert_eq!(RULES.due(&begun, NOTHING, at(6_999)), None);
    assert_eq!(RULES.due(&begun, NOTHING, at(7_000)), Some(Kind::Ordinary));
}

#[test]
fn a_lease_that_begins_ahead_of_the_clock_counts_as_expired() {
    let begun = RULES.begun(&Record::default(), Kind::Ordinary, OTHER, at(3_600_000));
    assert_eq!(RULES.due(&begun, NOTHING, at(0)), Some(Kind::Ordinary));
}

#[test]
fn a_lease_longer_than_the_maximum_counts_as_expired() {
    let mut record = RULES.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    let lease = record.lease.as_mut().unwrap();
    lease.until = UnixTime::from_nanos(i128::MAX);
    assert_eq!(RULES.due(&record, NOTHING, at(0)), Some(Kind::Ordinary));
    record.lease.as_mut().unwrap().from = UnixTime::from_nanos(i128::MIN);
    assert_eq!(RULES.due(&record, NOTHING, at(0)), Some(Kind::Ordinary));
}

#[test]
fn a_lease_is_valid_under_a_configuration_with_a_shorter_timeout() {
    let brief = RefreshPolicy {
        timeout: Duration::from_millis(100),
        ..RULES
    };
    let begun = RULES.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    assert_eq!(brief.due(&begun, NOTHING, at(1_000)), None);
}

#[test]
fn a_time_slightly_ahead_counts_as_now() {
    // The clock was read before the record.
    let begun = RULES.begun(&Record::default(), Kind::Ordinary, OTHER, at(1));
    assert_eq!(RULES.due(&begun, KID, at(0)), None);
    let finished = RefreshPolicy::finished(&begun, OTHER, good(at(1)), Jitter(0), at(2)).unwrap();
    assert_eq!(RULES.due(&finished, NOTHING, at(0)), None);
    let begun = RULES.begun(&finished, Kind::Early, OTHER, at(3));
    let failed = RefreshPolicy::finished(&begun, OTHER, Outcome::Failed, Jitter(0), at(4)).unwrap();
    assert_eq!(RULES.due(&failed, KID, at(0)), None);
}

#[test]
fn a_fetch_of_several_requests_keeps_its_lease_and_its_kind() {
    let begun = RULES.begun(&Record::default(), Kind::Early, ME, at(0));
    let extended = RULES.extended(&begun, ME, at(4_000)).unwrap();
    assert_eq!(RULES.due(&extended, KID, at(10_999)), None);
    assert!(extended.lease.unwrap().early);
    assert_eq!(RULES.extended(&begun, OTHER, at(4_000)), None);
}

#[test]
fn a_fetch_without_the_lease_changes_nothing() {
    let begun = RULES.begun(&Record::default(), Kind::Ordinary, ME, at(0));
    let taken_over = RULES.begun(&begun, Kind::Ordinary, OTHER, at(7_000));
    for outcome in [good(at(0)), Outcome::Failed] {
        let finished = RefreshPolicy::finished(&taken_over, ME, outcome, Jitter(0), at(7_500));
        assert_eq!(finished, None);
    }
}

#[test]
fn a_worker_waits_for_an_answer_as_long_as_its_lease_runs() {
    assert_lasts(7_000, |at, now| RULES.awaits(at, now));
}

#[test]
fn a_kid_is_sought_as_long_as_a_request_would_wait() {
    assert_lasts(5_000, |at, now| RULES.is_sought(at, now));
}

/// Checks that something lasts this number of milliseconds.
fn assert_lasts(millis: u64, holds: impl Fn(UnixTime, UnixTime) -> bool) {
    assert!(holds(at(0), at(millis - 1)));
    assert!(!holds(at(0), at(millis)));
    // The clock was set back by more than a second.
    assert!(holds(at(1_000), at(0)));
    assert!(!holds(at(1_001), at(0)));
}
