//! Workers that share the keys of their nonces, and clocks that are set.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::dpop::{NonceKeys, NonceSecret, Nonces, ProofError};
use crate::engine::nonces::{ENTRY, NoRandomness, NonceStore};
use crate::engine::{NoSharedData, NotSet, SharedData, Unavailable};
use crate::time::UnixTime;

const START: i64 = 1_800_000_000;
const MAX_AGE: Duration = Duration::from_mins(5);

thread_local! {
    static SECRETS: Cell<u8> = const { Cell::new(0) };
    static FAILS: Cell<bool> = const { Cell::new(false) };
}

#[expect(clippy::unnecessary_wraps, reason = "it is a `Randomness`")]
fn nothing(_: &mut NonceSecret) -> Result<(), NoRandomness> {
    Ok(())
}

fn random(secret: &mut NonceSecret) -> Result<(), NoRandomness> {
    if FAILS.get() {
        return Err(NoRandomness);
    }
    SECRETS.set(SECRETS.get() + 1);
    secret.fill(SECRETS.get());
    Ok(())
}

/// The shared data of several workers, with a host's quirks.
#[derive(Default)]
struct Shared {
    entries: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    is_down: Cell<bool>,
    /// What another worker writes before this one can.
    first: RefCell<Option<Vec<u8>>>,
    /// Whether a missing entry is created only without a number.
    is_strict: bool,
}

impl SharedData for Shared {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        if self.is_down.get() {
            return Err(Unavailable);
        }
        Ok(self.entries.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet> {
        if self.is_down.get() {
            return Err(NotSet::Unavailable);
        }
        let mut entries = self.entries.borrow_mut();
        if let Some(first) = self.first.take() {
            let change = entries.get(key).map_or(0, |(_, change)| *change);
            entries.insert(key.to_owned(), (first, change + 1));
        }
        let known = entries.get(key).map(|(_, change)| *change);
        let is_changed = match (known, last_change) {
            (Some(known), Some(seen)) => known != seen,
            (None, Some(_)) => self.is_strict,
            (_, None) => false,
        };
        if is_changed {
            return Err(NotSet::Changed);
        }
        let next = known.unwrap_or(0) + 1;
        entries.insert(key.to_owned(), (value.to_vec(), next));
        Ok(())
    }
}

fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(START + secs)
}

fn store() -> NonceStore {
    NonceStore::new(random)
}

fn nonce(store: &NonceStore, shared: &dyn SharedData, now: i64) -> String {
    store.keys(at(now), shared).unwrap().issue(at(now)).unwrap()
}

fn check(
    store: &NonceStore,
    shared: &dyn SharedData,
    nonce: &str,
    now: i64,
) -> Result<bool, ProofError> {
    let keys = store.keys(at(now), shared).unwrap();
    Nonces::Of(keys).check(Some(nonce), at(now), MAX_AGE)
}

#[test]
fn workers_that_share_data_accept_the_nonces_of_one_another_at_all_times() {
    let shared = Shared::default();
    let workers = [store(), store(), store()];
    for now in (0..20_000).step_by(61) {
        for maker in &workers {
            let nonce = nonce(maker, &shared, now);
            for reader in &workers {
                assert_eq!(check(reader, &shared, &nonce, now), Ok(false), "{now}");
            }
        }
    }
    // The first two, then one an hour, and not one for each worker.
    assert!((7..=8).contains(&SECRETS.get()), "{}", SECRETS.get());
}

#[test]
fn a_worker_that_was_idle_for_long_still_agrees() {
    let shared = Shared::default();
    let (busy, idle) = (store(), store());
    let _ = nonce(&idle, &shared, 0);
    for now in (0..40_000).step_by(100) {
        let _ = nonce(&busy, &shared, now);
    }
    let made = nonce(&busy, &shared, 40_000);
    assert_eq!(check(&idle, &shared, &made, 40_000), Ok(false));
    let made = nonce(&idle, &shared, 100_000);
    assert_eq!(check(&busy, &shared, &made, 100_000), Ok(false));
}

#[test]
fn two_workers_that_start_together_agree_whoever_writes_first() {
    for is_strict in [false, true] {
        let shared = Shared {
            is_strict,
            ..Shared::default()
        };
        let first = store();
        let alone = Shared::default();
        let made = nonce(&first, &alone, 0);
        let (bytes, _) = alone.get(ENTRY).unwrap().unwrap();
        shared.first.replace(Some(bytes));
        assert_eq!(check(&store(), &shared, &made, 0), Ok(false), "{is_strict}");
    }
    // A host that accepts no number for a missing entry.
    let shared = Shared {
        is_strict: true,
        ..Shared::default()
    };
    let made = nonce(&store(), &shared, 0);
    assert_eq!(check(&store(), &shared, &made, 0), Ok(false));
}

#[test]
fn a_clock_that_was_set_back_makes_all_former_nonces_useless() {
    let shared = Shared::default();
    let (one, other) = (store(), store());
    // The clock is a day ahead, and a client collects nonces.
    let day = 86_400;
    let mut collected = Vec::new();
    for now in (day..day + 8_000).step_by(100) {
        collected.push((now, nonce(&one, &shared, now)));
        let _ = nonce(&other, &shared, now);
    }
    // It is set back, both workers go on, and the day comes.
    for worker in [&one, &other] {
        let made = nonce(worker, &shared, 0);
        assert_eq!(check(&one, &shared, &made, 0), Ok(false));
        assert_eq!(check(&other, &shared, &made, 0), Ok(false));
    }
    for (now, nonce) in &collected {
        for worker in [&one, &other, &store()] {
            let found = check(worker, &shared, nonce, *now);
            assert_eq!(found, Err(ProofError::NonceUnknown), "{now}");
        }
    }
}

#[test]
fn a_clock_that_was_set_back_a_little_lets_no_nonce_live_longer() {
    let shared = Shared::default();
    let (one, other) = (store(), store());
    let _ = nonce(&one, &shared, 0);
    let _ = nonce(&other, &shared, 0);
    let made = nonce(&one, &shared, 600);
    let _ = nonce(&other, &shared, 600);
    // Ten minutes become five.
    for now in [300, 310, 600, 700, 899] {
        for worker in [&one, &other] {
            let found = check(worker, &shared, &made, now);
            assert_eq!(found, Err(ProofError::NonceUnknown), "{now}");
        }
    }
    // Both have the same new keys.
    let made = nonce(&one, &shared, 900);
    assert_eq!(check(&other, &shared, &made, 900), Ok(false));
}

#[test]
fn a_clock_that_was_set_ahead_only_ends_nonces() {
    let shared = Shared::default();
    let (one, other) = (store(), store());
    let made = nonce(&one, &shared, 0);
    assert!(check(&other, &shared, &made, 1_000_000).is_err());
    let made = nonce(&other, &shared, 1_000_001);
    assert_eq!(check(&one, &shared, &made, 1_000_001), Ok(false));
}

#[test]
fn without_shared_data_a_worker_works_alone_and_joins_the_others_later() {
    let shared = Shared::default();
    let (one, other) = (store(), store());
    shared.is_down.set(true);
    let made = nonce(&one, &shared, 0);
    assert_eq!(check(&one, &shared, &made, 0), Ok(false));
    assert_eq!(check(&one, &NoSharedData, &made, 1), Ok(false));
    let found = check(&other, &shared, &made, 1);
    assert_eq!(found, Err(ProofError::NonceUnknown));
    shared.is_down.set(false);
    let made = nonce(&one, &shared, 2);
    assert_eq!(check(&other, &shared, &made, 2), Ok(false));
}

#[test]
fn without_random_bytes_there_are_no_keys_and_old_ones_stay_in_use() {
    let shared = Shared::default();
    FAILS.set(true);
    assert!(store().keys(at(0), &shared).is_none());
    assert!(store().keys(at(0), &NoSharedData).is_none());
    assert!(NonceStore::new(nothing).keys(at(0), &shared).is_none());
    FAILS.set(false);
    let worker = store();
    let _ = nonce(&worker, &shared, 0);
    FAILS.set(true);
    for now in [3_599, 3_600, 7_200, 100_000] {
        let made = nonce(&worker, &shared, now);
        assert_eq!(check(&worker, &shared, &made, now), Ok(false), "{now}");
    }
    // Keys that are not used again have no successor.
    assert!(worker.keys(at(0), &shared).is_none());
}

#[test]
fn an_entry_that_no_worker_wrote_is_replaced() {
    let good = NonceKeys::starting(at(0), [[1; 32], [2; 32]]);
    let far = NonceKeys::starting(at(1_000_000), [[1; 32], [2; 32]]);
    let ahead = good.continued(at(3_600), [3; 32]);
    for bytes in [vec![], vec![1; 100], far.encode(), ahead.encode()] {
        let shared = Shared::default();
        shared.set(ENTRY, &bytes, None).unwrap();
        let made = nonce(&store(), &shared, 0);
        assert_eq!(check(&store(), &shared, &made, 0), Ok(false));
        assert_ne!(shared.get(ENTRY).unwrap().unwrap().0, bytes);
    }
    // Others may put good keys there at any time, and all workers take them.
    let shared = Shared::default();
    let (one, other) = (store(), store());
    let _ = nonce(&one, &shared, 0);
    shared.set(ENTRY, &good.encode(), None).unwrap();
    let made = nonce(&other, &shared, 1);
    assert_eq!(check(&one, &shared, &made, 1), Ok(false));
}

#[test]
fn the_shared_data_are_read_twice_a_second_at_most() {
    #[derive(Default)]
    struct Counted(Shared, Cell<usize>);
    impl SharedData for Counted {
        fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
            self.1.set(self.1.get() + 1);
            self.0.get(key)
        }
        fn set(&self, key: &str, value: &[u8], change: Option<u32>) -> Result<(), NotSet> {
            self.0.set(key, value, change)
        }
    }
    let shared = Counted::default();
    let worker = store();
    for millis in 0..10_000 {
        let now = at(0).saturating_add(Duration::from_millis(millis));
        assert!(worker.keys(now, &shared).is_some());
    }
    assert_eq!(shared.1.get(), 20);
}
