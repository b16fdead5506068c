//! The sentences about time, one test each.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows has failed"
)]

mod doubt;

use super::*;
use crate::time::UnixTime;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
const MACHINE: Machine = Machine {
    timeout: TIMEOUT,
    refresh: Duration::from_mins(10),
    max_stale: Duration::from_hours(24),
};
/// As early as it gets; `Jitter(0)` is as late.
const EARLIEST: Jitter = Jitter(255);
const NOTHING: Wants = Wants {
    kid: false,
    doubt: false,
};
const KID: Wants = Wants {
    kid: true,
    doubt: false,
};
const DOUBT: Wants = Wants {
    kid: false,
    doubt: true,
};
const ME: u64 = 1;
const OTHER: u64 = 2;

/// Milliseconds after the start of these tests.
fn at(millis: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000).saturating_add(Duration::from_millis(millis))
}

fn fetched(max_age: Option<u32>, jitter: Jitter) -> Record {
    Record {
        content: Some(Content {
            version: 1,
            started_at: at(0),
            as_of: at(0),
            fetched_at: at(0),
            max_age,
            jitter,
        }),
        ..Record::default()
    }
}

fn good(started_at: UnixTime) -> Outcome {
    Outcome::Good {
        version: 2,
        started_at,
        age: 0,
        max_age: None,
    }
}

/// The first whole millisecond at which a fetch is due that nobody asked for.
fn due_at(record: &Record) -> u64 {
    let mut step = 1 << 27;
    let mut millis = 0;
    while step > 0 {
        if MACHINE
            .due(record, NOTHING, at(millis + step - 1))
            .is_none()
        {
            millis += step;
        }
        step /= 2;
    }
    millis
}

fn failed(times: u32, record: Record, jitter: Jitter) -> Record {
    let mut record = record;
    for _ in 0..times {
        record = MACHINE.begun(&record, Kind::Ordinary, ME, at(0));
        record = Machine::finished(&record, ME, Outcome::Failed, jitter, at(0)).unwrap();
    }
    record
}

/// The times at which early refreshes begin that are wanted all the time.
fn early_starts(mut record: Record, until: u64, outcome: impl Fn(u64) -> Outcome) -> Vec<u64> {
    let mut starts = Vec::new();
    for millis in (0..until).step_by(50) {
        if MACHINE.due(&record, KID, at(millis)) == Some(Kind::Early) {
            starts.push(millis);
            record = MACHINE.begun(&record, Kind::Early, ME, at(millis));
            let outcome = outcome(millis);
            record = Machine::finished(&record, ME, outcome, Jitter(0), at(millis + 20)).unwrap();
        }
    }
    starts
}

#[test]
fn without_keys_a_fetch_is_due_at_once() {
    assert_eq!(
        MACHINE.due(&Record::default(), NOTHING, at(0)),
        Some(Kind::Ordinary)
    );
}

#[test]
fn the_period_is_refresh_where_the_answer_names_no_max_age() {
    assert_eq!(due_at(&fetched(None, Jitter(0))), 600_000);
}

#[test]
fn the_period_is_max_age_where_that_is_shorter_than_refresh() {
    assert_eq!(due_at(&fetched(Some(300), Jitter(0))), 300_000);
    assert_eq!(due_at(&fetched(Some(u32::MAX), Jitter(0))), 600_000);
}

#[test]
fn a_max_age_below_a_minute_counts_as_a_minute() {
    for max_age in [0, 1, 59, 60] {
        assert_eq!(due_at(&fetched(Some(max_age), Jitter(0))), 60_000);
    }
}

#[test]
fn a_refresh_below_a_minute_counts_as_it_is() {
    let machine = Machine {
        refresh: Duration::from_secs(1),
        ..MACHINE
    };
    let record = fetched(Some(3600), Jitter(0));
    assert_eq!(machine.due(&record, NOTHING, at(999)), None);
    assert_eq!(
        machine.due(&record, NOTHING, at(1000)),
        Some(Kind::Ordinary)
    );
}

#[test]
fn a_refresh_falls_at_80_to_100_percent_of_the_period() {
    let mut last = 600_000;
    assert_eq!(due_at(&fetched(None, Jitter(0))), last);
    for jitter in 1..=255 {
        let due = due_at(&fetched(None, Jitter(jitter)));
        assert!((480_000..last).contains(&due), "{jitter}: {due}");
        last = due;
    }
    assert!(last <= 480_001);
}

#[test]
fn while_one_fetches_no_other_does() {
    for record in [Record::default(), fetched(None, Jitter(0))] {
        let begun = MACHINE.begun(&record, Kind::Ordinary, OTHER, at(600_000));
        assert_eq!(MACHINE.due(&begun, KID, at(600_000)), None);
        assert_eq!(MACHINE.due(&begun, KID, at(606_999)), None);
    }
}

#[test]
fn a_lease_ends_by_itself_two_seconds_after_the_timeout() {
    let begun = MACHINE.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    assert_eq!(MACHINE.due(&begun, NOTHING, at(6_999)), None);
    assert_eq!(
        MACHINE.due(&begun, NOTHING, at(7_000)),
        Some(Kind::Ordinary)
    );
}

#[test]
fn a_lease_that_begins_ahead_of_the_clock_counts_as_expired() {
    let begun = MACHINE.begun(&Record::default(), Kind::Ordinary, OTHER, at(3_600_000));
    assert_eq!(MACHINE.due(&begun, NOTHING, at(0)), Some(Kind::Ordinary));
}

#[test]
fn a_lease_longer_than_any_counts_as_expired() {
    let mut record = MACHINE.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    let lease = record.lease.as_mut().unwrap();
    lease.until = UnixTime::from_nanos(i128::MAX);
    assert_eq!(MACHINE.due(&record, NOTHING, at(0)), Some(Kind::Ordinary));
    record.lease.as_mut().unwrap().from = UnixTime::from_nanos(i128::MIN);
    assert_eq!(MACHINE.due(&record, NOTHING, at(0)), Some(Kind::Ordinary));
}

#[test]
fn a_lease_counts_under_a_configuration_with_a_shorter_timeout() {
    let brief = Machine {
        timeout: Duration::from_millis(100),
        ..MACHINE
    };
    let begun = MACHINE.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    assert_eq!(brief.due(&begun, NOTHING, at(1_000)), None);
}

#[test]
fn what_another_worker_wrote_a_moment_ahead_is_of_now() {
    // The clock was read before the record was.
    let begun = MACHINE.begun(&Record::default(), Kind::Ordinary, OTHER, at(1));
    assert_eq!(MACHINE.due(&begun, KID, at(0)), None);
    let finished = Machine::finished(&begun, OTHER, good(at(1)), Jitter(0), at(2)).unwrap();
    assert_eq!(MACHINE.due(&finished, NOTHING, at(0)), None);
    let begun = MACHINE.begun(&finished, Kind::Early, OTHER, at(3));
    let failed = Machine::finished(&begun, OTHER, Outcome::Failed, Jitter(0), at(4)).unwrap();
    assert_eq!(MACHINE.due(&failed, KID, at(0)), None);
}

#[test]
fn a_fetch_of_several_requests_keeps_its_lease_and_its_kind() {
    let begun = MACHINE.begun(&Record::default(), Kind::Early, ME, at(0));
    let prolonged = MACHINE.prolonged(&begun, ME, at(4_000)).unwrap();
    assert_eq!(MACHINE.due(&prolonged, KID, at(10_999)), None);
    assert!(prolonged.lease.unwrap().early);
    assert_eq!(MACHINE.prolonged(&begun, OTHER, at(4_000)), None);
}

#[test]
fn a_fetch_whose_lease_is_anothers_changes_nothing() {
    let begun = MACHINE.begun(&Record::default(), Kind::Ordinary, ME, at(0));
    let taken_over = MACHINE.begun(&begun, Kind::Ordinary, OTHER, at(7_000));
    for outcome in [good(at(0)), Outcome::Failed] {
        let finished = Machine::finished(&taken_over, ME, outcome, Jitter(0), at(7_500));
        assert_eq!(finished, None);
    }
}

#[test]
fn failures_back_off_from_a_second_doubling_to_a_minute() {
    let seconds = [1, 2, 4, 8, 16, 32, 60, 60, 60];
    // The keys are due for a refresh all the time.
    let mut stale = fetched(None, Jitter(0));
    stale.content.as_mut().unwrap().fetched_at = at(0).saturating_sub(MACHINE.refresh);
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
    too_old.content.as_mut().unwrap().fetched_at = at(0).saturating_sub(MACHINE.max_stale);
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
    let begun = MACHINE.begun(&record, Kind::Ordinary, ME, at(5_000));
    let record = Machine::finished(&begun, ME, good(at(5_000)), Jitter(0), at(5_100)).unwrap();
    assert_eq!(record.failure, None);
    assert_eq!(due_at(&failed(1, Record::default(), Jitter(0))), 1_000);
}

#[test]
fn early_refreshes_are_two_in_any_ten_seconds_and_five_seconds_apart() {
    for fails in [false, true] {
        let outcome = |began| {
            if fails {
                Outcome::Failed
            } else {
                good(at(began))
            }
        };
        let starts = early_starts(fetched(None, Jitter(0)), 60_000, outcome);
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 5_000));
        assert!(starts.windows(3).all(|three| three[2] - three[0] > 10_000));
        // And no fewer: a rotation waits for none longer than that.
        assert!(starts.len() >= 11, "{starts:?}");
        assert_eq!(starts[0], 0);
    }
}

#[test]
fn an_early_refresh_neither_waits_for_the_backoff_nor_resets_it() {
    let record = failed(7, fetched(None, Jitter(0)), Jitter(0));
    let before = record.failure;
    assert_eq!(MACHINE.due(&record, KID, at(10)), Some(Kind::Early));
    let begun = MACHINE.begun(&record, Kind::Early, ME, at(10));
    let record = Machine::finished(&begun, ME, Outcome::Failed, Jitter(0), at(20)).unwrap();
    assert_eq!(record.failure, before);
}

#[test]
fn other_fetches_do_not_count_as_early_ones() {
    let begun = MACHINE.begun(&Record::default(), Kind::Ordinary, ME, at(0));
    let record = Machine::finished(&begun, ME, good(at(0)), Jitter(0), at(10)).unwrap();
    assert_eq!(MACHINE.due(&record, KID, at(20)), Some(Kind::Early));
}

#[test]
fn keys_serve_until_max_stale_after_the_last_good_fetch() {
    let record = fetched(Some(60), Jitter(0));
    let day = 24 * 3600 * 1000;
    assert!(MACHINE.serves(&record, at(day)));
    assert!(!MACHINE.serves(&record, at(day + 1)));
    assert!(!MACHINE.serves(&Record::default(), at(0)));
}

#[test]
fn a_clock_set_back_an_hour_stalls_nothing() {
    let hour = Duration::from_hours(1);
    let (then, now) = (at(7_200_000), at(7_200_000).saturating_sub(hour));
    let begun = MACHINE.begun(&Record::default(), Kind::Early, ME, then);
    assert_eq!(
        MACHINE.due(&begun, NOTHING, now),
        Some(Kind::Ordinary),
        "lease"
    );
    let taken = Machine::finished(&begun, ME, good(then), Jitter(0), then).unwrap();
    assert_eq!(
        MACHINE.due(&taken, NOTHING, now),
        Some(Kind::Ordinary),
        "keys"
    );
    let failed = Record {
        failure: Some(Failure {
            at: then,
            count: 9,
            jitter: Jitter(0),
        }),
        ..Record::default()
    };
    assert_eq!(
        MACHINE.due(&failed, NOTHING, now),
        Some(Kind::Ordinary),
        "failure"
    );
    let early = Record {
        early: [Some(then), Some(then)],
        background: Some(then),
        ..fetched(None, Jitter(0))
    };
    assert_eq!(
        MACHINE.due(&early, DOUBT, at(1_000)),
        Some(Kind::Background),
        "background"
    );
    assert_eq!(
        MACHINE.due(&early, KID, at(1_000)),
        Some(Kind::Early),
        "early"
    );
}

#[test]
fn the_next_try_is_now_while_one_is_in_flight_and_else_when_one_is_due() {
    let begun = MACHINE.begun(&Record::default(), Kind::Ordinary, OTHER, at(0));
    assert_eq!(MACHINE.next_try(&begun, NOTHING, at(10)), at(10));
    let record = failed(3, Record::default(), Jitter(0));
    assert_eq!(MACHINE.next_try(&record, NOTHING, at(10)), at(4_000));
    let begun = MACHINE.begun(&fetched(None, Jitter(0)), Kind::Early, ME, at(0));
    let record = Machine::finished(&begun, ME, Outcome::Failed, Jitter(0), at(10)).unwrap();
    assert_eq!(MACHINE.next_try(&record, KID, at(20)), at(5_000));
    assert_eq!(MACHINE.next_try(&record, NOTHING, at(20)), at(600_000));
}

#[test]
fn metadata_are_good_for_a_day_and_until_a_fetch_fails() {
    let day = 24 * 3600 * 1000;
    assert!(Machine::metadata_good(at(0), at(day - 1)));
    assert!(!Machine::metadata_good(at(0), at(day)));
    assert!(!Machine::metadata_good(at(3_600_000), at(0)));
    let known = Record {
        discovered: Some(Discovered {
            at: at(0),
            key_set_uri: "https://issuer.example/keys".into(),
        }),
        ..fetched(None, Jitter(0))
    };
    for kind in [Kind::Ordinary, Kind::Early, Kind::Background] {
        let begun = MACHINE.begun(&known, kind, ME, at(0));
        let failed = Machine::finished(&begun, ME, Outcome::Failed, Jitter(0), at(1)).unwrap();
        assert_eq!(failed.discovered, None);
        let taken = Machine::finished(&begun, ME, good(at(0)), Jitter(0), at(1)).unwrap();
        assert_eq!(taken.discovered, known.discovered);
    }
}

#[test]
fn no_record_however_odd_makes_the_machine_trap() {
    let times = [i128::MIN, -1, 0, 1 << 90, i128::MAX].map(UnixTime::from_nanos);
    for time in times {
        for now in times {
            let mut record = fetched(Some(u32::MAX), EARLIEST);
            let content = record.content.as_mut().unwrap();
            (content.fetched_at, content.started_at) = (time, time);
            record.early = [Some(time), Some(time)];
            record.background = Some(time);
            record.failure = Some(Failure {
                at: time,
                count: u32::MAX,
                jitter: EARLIEST,
            });
            record = MACHINE.begun(&record, Kind::Early, ME, time);
            for wants in [NOTHING, KID, DOUBT] {
                let _ = MACHINE.due(&record, wants, now);
                let _ = MACHINE.next_try(&record, wants, now);
            }
            let _ = Machine::asked_since(&record, time, now);
            let _ = MACHINE.prolonged(&record, ME, now);
            let _ = MACHINE.serves(&record, now);
            let _ = Machine::finished(&record, ME, Outcome::Failed, EARLIEST, now);
        }
    }
}
