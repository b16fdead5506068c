//! Early refreshes and their budget.

use super::*;

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
        // There are no fewer either: no rotation waits longer than this.
        assert!(starts.len() >= 11, "{starts:?}");
        assert_eq!(starts[0], 0);
    }
}

#[test]
fn an_early_refresh_neither_waits_for_the_backoff_nor_resets_it() {
    let record = failed(7, fetched(None, Jitter(0)), Jitter(0));
    let before = record.failure;
    assert_eq!(RULES.due(&record, KID, at(10)), Some(Kind::Early));
    let begun = RULES.begun(&record, Kind::Early, ME, at(10));
    let record = RefreshPolicy::finished(&begun, ME, Outcome::Failed, Jitter(0), at(20)).unwrap();
    assert_eq!(record.failure, before);
}

#[test]
fn other_fetches_do_not_count_as_early_ones() {
    let begun = RULES.begun(&Record::default(), Kind::Ordinary, ME, at(0));
    let record = RefreshPolicy::finished(&begun, ME, good(at(0)), Jitter(0), at(10)).unwrap();
    assert_eq!(RULES.due(&record, KID, at(20)), Some(Kind::Early));
}
