//! Doubted keys, and sets that are older than they seem.

use super::*;

/// The start times of refreshes if the keys are always doubted, and of those for a `kid`
/// from 100 s on.
fn background_starts(outcome: impl Fn(u64) -> Outcome) -> Vec<(u64, Kind)> {
    let mut record = fetched(None, Jitter(0));
    let mut starts = Vec::new();
    for millis in (0..200_000).step_by(50) {
        let needs = Needs {
            kid: millis >= 100_000,
            doubt: true,
        };
        if let Some(kind) = RULES.due(&record, needs, at(millis)) {
            starts.push((millis, kind));
            record = RULES.begun(&record, kind, ME, at(millis));
            let outcome = outcome(millis);
            record =
                RefreshPolicy::finished(&record, ME, outcome, Jitter(0), at(millis + 20)).unwrap();
        }
    }
    starts
}

#[test]
fn doubted_keys_are_fetched_once_a_minute_within_the_budget_of_early_refreshes() {
    for fails in [false, true] {
        let starts = background_starts(|began| {
            if fails {
                Outcome::Failed
            } else {
                good(at(began))
            }
        });
        let of = |wanted: Kind| {
            let of = starts.iter().filter(move |(_, kind)| *kind == wanted);
            of.map(|(start, _)| *start).collect::<Vec<_>>()
        };
        assert_eq!(of(Kind::Background)[..2], [0, 60_500]);
        let gaps =
            |starts: &[u64], least: u64| starts.windows(2).all(|pair| pair[1] - pair[0] >= least);
        assert!(gaps(&of(Kind::Background), 60_500), "{starts:?}");
        assert_eq!(of(Kind::Early)[0], 100_000);
        // All of them together are within the budget of early refreshes.
        let all: Vec<_> = starts.iter().map(|(start, _)| *start).collect();
        assert!(gaps(&all, 5_000), "{starts:?}");
        assert!(all.windows(3).all(|three| three[2] - three[0] > 10_000));
    }
}

#[test]
fn a_background_refresh_leaves_the_backoff_alone_and_is_reported_as_the_next_attempt() {
    let record = failed(7, fetched(None, Jitter(0)), Jitter(0));
    let begun = RULES.begun(&record, Kind::Background, ME, at(10));
    assert!(begun.lease.unwrap().early);
    let after = RefreshPolicy::finished(&begun, ME, Outcome::Failed, Jitter(0), at(20)).unwrap();
    assert_eq!(after.failure, record.failure);
    let idle = RefreshPolicy::finished(
        &RULES.begun(&fetched(None, Jitter(0)), Kind::Background, ME, at(0)),
        ME,
        Outcome::Failed,
        Jitter(0),
        at(10),
    )
    .unwrap();
    assert_eq!(RULES.next_try(&idle, DOUBT, at(20)), at(60_500));
    assert_eq!(RULES.next_try(&idle, KID, at(20)), at(5_000));
    assert_eq!(RULES.next_try(&idle, NOTHING, at(20)), at(600_000));
}

#[test]
fn a_doubt_from_before_a_fetch_causes_no_other_fetch() {
    let idle = Record::default();
    assert!(!RefreshPolicy::fetch_began_since(&idle, at(0), at(0)));
    let taken = fetched(None, Jitter(0));
    assert!(RefreshPolicy::fetch_began_since(&taken, at(0), at(0)));
    assert!(!RefreshPolicy::fetch_began_since(&taken, at(1), at(1)));
    for kind in [Kind::Early, Kind::Background] {
        let begun = RULES.begun(&taken, kind, OTHER, at(5_000));
        assert!(RefreshPolicy::fetch_began_since(
            &begun,
            at(5_000),
            at(5_000)
        ));
        assert!(!RefreshPolicy::fetch_began_since(
            &begun,
            at(5_001),
            at(5_001)
        ));
        // This was before the clock was set back.
        assert!(!RefreshPolicy::fetch_began_since(&begun, at(1), at(2)));
    }
    let begun = RULES.begun(&taken, Kind::Ordinary, OTHER, at(5_000));
    assert!(!RefreshPolicy::fetch_began_since(
        &begun,
        at(5_000),
        at(5_000)
    ));
}

#[test]
fn the_age_header_bounds_the_age_of_a_set() {
    let as_of = |age| {
        let begun = RULES.begun(&Record::default(), Kind::Ordinary, ME, at(100_000));
        let outcome = Outcome::Good {
            version: 2,
            started_at: at(100_000),
            age,
            max_age: None,
        };
        let taken = RefreshPolicy::finished(&begun, ME, outcome, Jitter(0), at(101_000)).unwrap();
        taken.content.unwrap().as_of
    };
    assert_eq!(as_of(0), at(100_000));
    // `Age` counts whole seconds, so the real age can be almost two seconds.
    assert_eq!(as_of(1), at(98_000));
    assert_eq!(as_of(30), at(69_000));
    assert!(as_of(u32::MAX) < UnixTime::EPOCH);
}
