//! Failures, and the time until the next attempt.

use super::*;

#[test]
fn failures_back_off_from_a_second_doubling_to_a_minute() {
    let seconds = [1, 2, 4, 8, 16, 32, 60, 60, 60];
    // The keys are always due for a refresh.
    let mut stale = fetched(None, Jitter(0));
    stale.content.as_mut().unwrap().fetched_at = at(0).saturating_sub(RULES.refresh);
    for (times, seconds) in (1..).zip(seconds) {
        let latest = failed(times, stale.clone(), Jitter(0));
        assert_eq!(due_at(&latest), seconds * 1000);
        let earliest = due_at(&failed(times, stale.clone(), EARLIEST));
        assert!((seconds * 800..=seconds * 800 + 1).contains(&earliest));
    }
    assert_eq!(due_at(&failed(100, stale, Jitter(0))), 60_000);
}

#[test]
fn the_backoff_is_at_most_five_seconds_while_no_key_serves() {
    for (times, seconds) in (1..).zip([1, 2, 4, 5, 5, 5]) {
        let record = failed(times, Record::default(), Jitter(0));
        assert_eq!(due_at(&record), seconds * 1000);
    }
    let mut too_old = fetched(None, Jitter(0));
    too_old.content.as_mut().unwrap().fetched_at = at(0).saturating_sub(RULES.max_stale);
    assert_eq!(due_at(&failed(20, too_old, Jitter(0))), 5_000);
}

#[test]
fn a_failure_never_makes_keys_due_earlier() {
    let record = failed(1, fetched(None, Jitter(0)), Jitter(0));
    assert_eq!(due_at(&record), 600_000);
}

#[test]
fn a_good_fetch_ends_the_backoff() {
    let record = failed(9, Record::default(), Jitter(0));
    let begun = RULES.begun(&record, Kind::Ordinary, ME, at(5_000));
    let record =
        RefreshPolicy::finished(&begun, ME, good(at(5_000)), Jitter(0), at(5_100)).unwrap();
    assert_eq!(record.failure, None);
    assert_eq!(due_at(&failed(1, Record::default(), Jitter(0))), 1_000);
}

#[test]
fn the_next_attempt_is_now_during_a_fetch_and_otherwise_when_one_is_due() {
    let begun = RULES.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    assert_eq!(RULES.next_try(&begun, NOTHING, at(10)), at(10));
    let record = failed(3, Record::default(), Jitter(0));
    assert_eq!(RULES.next_try(&record, NOTHING, at(10)), at(4_000));
    let begun = RULES.begun(&fetched(None, Jitter(0)), Kind::Early, ME, at(0));
    let record = RefreshPolicy::finished(&begun, ME, Outcome::Failed, Jitter(0), at(10)).unwrap();
    assert_eq!(RULES.next_try(&record, KID, at(20)), at(5_000));
    assert_eq!(RULES.next_try(&record, NOTHING, at(20)), at(600_000));
}
