//! The rules about time, with one test each.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows has failed"
)]

mod backoff;
mod doubt;
mod early;
mod lease;

use super::*;
use crate::time::UnixTime;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
const RULES: RefreshPolicy = RefreshPolicy {
    timeout: TIMEOUT,
    refresh: Duration::from_mins(10),
    max_stale: Duration::from_hours(24),
};
/// The earliest time within the jitter. `Jitter(0)` is the latest.
const EARLIEST: Jitter = Jitter(255);
const NOTHING: Needs = Needs {
    kid: false,
    doubt: false,
};
const KID: Needs = Needs {
    kid: true,
    doubt: false,
};
const DOUBT: Needs = Needs {
    kid: false,
    doubt: true,
};
const ME: u64 = 1;
const OTHER: u64 = 2;

/// The time this number of milliseconds after the start of the tests.
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

/// The first whole millisecond at which a scheduled fetch is due.
fn due_at(record: &Record) -> u64 {
    let mut step = 1 << 27;
    let mut millis = 0;
    while step > 0 {
        if RULES.due(record, NOTHING, at(millis + step - 1)).is_none() {
            millis += step;
        }
        step /= 2;
    }
    millis
}

fn failed(times: u32, record: Record, jitter: Jitter) -> Record {
    let mut record = record;
    for _ in 0..times {
        record = RULES.begun(&record, Kind::Ordinary, ME, at(0));
        record = RefreshPolicy::finished(&record, ME, Outcome::Failed, jitter, at(0)).unwrap();
    }
    record
}

/// The start times of early refreshes if one is always needed.
fn early_starts(mut record: Record, until: u64, outcome: impl Fn(u64) -> Outcome) -> Vec<u64> {
    let mut starts = Vec::new();
    for millis in (0..until).step_by(50) {
        if RULES.due(&record, KID, at(millis)) == Some(Kind::Early) {
            starts.push(millis);
            record = RULES.begun(&record, Kind::Early, ME, at(millis));
            let outcome = outcome(millis);
            record =
                RefreshPolicy::finished(&record, ME, outcome, Jitter(0), at(millis + 20)).unwrap();
        }
    }
    starts
}

#[test]
fn without_keys_a_fetch_is_due_at_once() {
    assert_eq!(
        RULES.due(&Record::default(), NOTHING, at(0)),
        Some(Kind::Ordinary)
    );
}

#[test]
fn without_max_age_the_period_is_refresh() {
    assert_eq!(due_at(&fetched(None, Jitter(0))), 600_000);
}

#[test]
fn the_period_is_max_age_if_shorter_than_refresh() {
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
fn a_refresh_below_a_minute_is_used_unchanged() {
    let rules = RefreshPolicy {
        refresh: Duration::from_secs(1),
        ..RULES
    };
    let record = fetched(Some(3600), Jitter(0));
    assert_eq!(rules.due(&record, NOTHING, at(999)), None);
    assert_eq!(rules.due(&record, NOTHING, at(1000)), Some(Kind::Ordinary));
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
fn keys_serve_until_max_stale_after_the_last_good_fetch() {
    let record = fetched(Some(60), Jitter(0));
    let day = 24 * 3600 * 1000;
    assert!(RULES.serves(&record, at(day)));
    assert!(!RULES.serves(&record, at(day + 1)));
    assert!(!RULES.serves(&Record::default(), at(0)));
}

#[test]
fn a_clock_set_back_an_hour_stalls_nothing() {
    let hour = Duration::from_hours(1);
    let (then, now) = (at(7_200_000), at(7_200_000).saturating_sub(hour));
    let begun = RULES.begun(&Record::default(), Kind::Early, ME, then);
    assert_eq!(
        RULES.due(&begun, NOTHING, now),
        Some(Kind::Ordinary),
        "lease"
    );
    let taken = RefreshPolicy::finished(&begun, ME, good(then), Jitter(0), then).unwrap();
    assert_eq!(
        RULES.due(&taken, NOTHING, now),
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
        RULES.due(&failed, NOTHING, now),
        Some(Kind::Ordinary),
        "failure"
    );
    let early = Record {
        early: [Some(then), Some(then)],
        background: Some(then),
        ..fetched(None, Jitter(0))
    };
    assert_eq!(
        RULES.due(&early, DOUBT, at(1_000)),
        Some(Kind::Background),
        "background"
    );
    assert_eq!(
        RULES.due(&early, KID, at(1_000)),
        Some(Kind::Early),
        "early"
    );
}

#[test]
fn metadata_are_good_for_a_day_and_until_a_fetch_fails() {
    let day = 24 * 3600 * 1000;
    assert!(RefreshPolicy::metadata_good(at(0), at(day - 1)));
    assert!(!RefreshPolicy::metadata_good(at(0), at(day)));
    assert!(!RefreshPolicy::metadata_good(at(3_600_000), at(0)));
    let known = Record {
        discovered: Some(Discovered {
            at: at(0),
            key_set_uri: "https://issuer.example/keys".into(),
        }),
        ..fetched(None, Jitter(0))
    };
    for kind in [Kind::Ordinary, Kind::Early, Kind::Background] {
        let begun = RULES.begun(&known, kind, ME, at(0));
        let failed =
            RefreshPolicy::finished(&begun, ME, Outcome::Failed, Jitter(0), at(1)).unwrap();
        assert_eq!(failed.discovered, None);
        let taken = RefreshPolicy::finished(&begun, ME, good(at(0)), Jitter(0), at(1)).unwrap();
        assert_eq!(taken.discovered, known.discovered);
    }
}

#[test]
fn no_record_makes_the_rules_trap() {
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
            record = RULES.begun(&record, Kind::Early, ME, time);
            for needs in [NOTHING, KID, DOUBT] {
                let _ = RULES.due(&record, needs, now);
                let _ = RULES.next_try(&record, needs, now);
            }
            let _ = RefreshPolicy::fetch_began_since(&record, time, now);
            let _ = RULES.extended(&record, ME, now);
            let _ = RULES.serves(&record, now);
            let _ = RefreshPolicy::finished(&record, ME, Outcome::Failed, EARLIEST, now);
        }
    }
}
