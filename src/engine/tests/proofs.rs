//! The memory of used proofs: its bounds, and clocks that are set.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use crate::authz::{ProofUse, UsedProofs};
use crate::config;
use crate::dpop::{Proof, ProofId};
use crate::engine::proofs::{ENTRY_BYTES, Moment, Outcome, Shard, locked};
use crate::engine::{NoRandomness, NoSharedData, NonceStore, ProofMemory, Proofs};
use crate::memory::pretend;
use crate::time::UnixTime;

const START: i64 = 1_000;

fn id(number: u64) -> ProofId {
    ProofId::from_words([number.wrapping_mul(0x9E37_79B9_7F4A_7C15), number])
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_secs(START.saturating_add(seconds))
}

/// Uses proofs that can be accepted for 60 s.
fn uses(memory: &ProofMemory, number: u64, now: i64) -> Result<u32, ProofUse> {
    let forgotten = Cell::new(0);
    let used = memory.use_up(id(number), at(now.saturating_add(60)), at(now), &forgotten);
    used.map(|()| forgotten.get())
}

#[test]
fn a_proof_is_used_once_until_it_can_no_longer_be_accepted() {
    let memory = ProofMemory::new(1000, 1);
    assert_eq!(uses(&memory, 1, 0), Ok(0));
    for now in [0, 1, 30, 60, 61] {
        assert_eq!(uses(&memory, 1, now), Err(ProofUse::Again), "{now}");
    }
    assert_eq!(uses(&memory, 1, 62), Ok(0));
    assert_eq!(uses(&memory, 1, 63), Err(ProofUse::Again));
    assert_eq!(uses(&memory, 2, 63), Ok(0));
    // Its first use is still in the queue: seven seconds have been seen to pass, not 62.
    assert_eq!(memory.len(), 3);
    lives(&memory, 64..140);
    let live = 62;
    assert_eq!(memory.len(), live, "only those of the last minute");
}

#[test]
fn the_oldest_proof_leaves_a_full_memory_and_is_counted() {
    for threads in [1, 4, 100] {
        let memory = ProofMemory::new(1000, threads);
        let mut forgotten = 0;
        for number in 0..10_000 {
            forgotten += uses(&memory, number, 0).unwrap();
            assert!(memory.len() <= 1000);
            assert_eq!(uses(&memory, number, 0), Err(ProofUse::Again));
        }
        assert_eq!(forgotten, 9_000);
        let known = memory.shards.iter().map(|shard| locked(shard).known.len());
        assert_eq!(known.sum::<usize>(), memory.len());
    }
    let memory = ProofMemory::new(100, 1);
    for number in 0..101 {
        uses(&memory, number, 0).unwrap();
    }
    assert_eq!(uses(&memory, 1, 0), Err(ProofUse::Again));
    assert_eq!(uses(&memory, 0, 0), Ok(1));
}

#[test]
fn old_proofs_leave_without_being_counted_and_free_their_memory() {
    for threads in [1, 4, 16] {
        let memory = ProofMemory::new(1000, threads);
        for number in 0..1000 {
            uses(&memory, number, 0).unwrap();
        }
        for number in 1000..2000 {
            assert_eq!(uses(&memory, number, 100), Ok(0));
        }
        // Three requests in a second, over all shards.
        for number in 2000..2900_u32 {
            let now = 200 + i64::from(number - 2000) / 3;
            assert_eq!(uses(&memory, number.into(), now), Ok(0));
        }
        assert!(memory.len() < 400, "{threads}: {}", memory.len());
        assert_eq!(memory.share.bytes(), memory.len() * ENTRY_BYTES);
        let sizes = memory.shards.iter().map(|shard| locked(shard).known.len());
        let sizes: Vec<usize> = sizes.collect();
        assert_eq!(sizes.len(), threads);
        assert_eq!(sizes.iter().sum::<usize>(), memory.len());
        assert!(sizes.iter().all(|size| *size > 0), "{sizes:?}");
    }
}

#[test]
fn threads_that_disagree_about_the_second_let_no_proof_leave_too_early() {
    let memory = ProofMemory::new(100_000, 4);
    lives(&memory, 0..20);
    for number in 0..500 {
        uses(&memory, number, 20).unwrap();
    }
    // Two threads read the clock around the end of a second, a thousand times.
    for number in 0..1000 {
        uses(
            &memory,
            10_000 + number,
            20 + i64::try_from(number % 2).unwrap(),
        )
        .unwrap();
    }
    // Then the clock is ahead for a moment.
    for number in 0..1000 {
        uses(&memory, 20_000 + number, 5_000).unwrap();
    }
    for number in 0..500 {
        assert_eq!(uses(&memory, number, 22), Err(ProofUse::Again), "{number}");
    }
}

#[test]
fn an_id_that_is_used_again_is_not_forgotten_with_its_first_use() {
    let memory = ProofMemory::new(3, 1);
    assert_eq!(uses(&memory, 1, 0), Ok(0));
    // It has become old, and is used again before it is dropped.
    let forgotten = Cell::new(0);
    let mut shard = locked(&memory.shards[0]);
    let later = Moment {
        now: START + 100,
        elapsed: 100,
    };
    let again = |shard: &mut Shard| shard.use_up(id(1), START + 200, later, true);
    assert_eq!(again(&mut shard), Outcome::First);
    assert_eq!(shard.drop_oldest(), Some(START + 61));
    assert_eq!(again(&mut shard), Outcome::Again);
    drop(shard);
    assert_eq!(forgotten.get(), 0);
}

#[test]
fn without_room_a_proof_takes_the_place_of_another_or_is_refused() {
    let memory = ProofMemory::new(1000, 1);
    assert_eq!(uses(&memory, 1, 0), Ok(0));
    pretend::set_room(Some(0));
    let crowded = ProofMemory::new(1000, 1);
    assert_eq!(uses(&crowded, 2, 0), Err(ProofUse::NoMemory));
    pretend::set_room(None);
    assert!(crowded.is_empty());
}

#[test]
fn two_judges_of_one_request_use_a_proof_once_each() {
    let proofs = Proofs::of_one_judge();
    let again = proofs.again();
    let proof = Proof {
        id: id(1),
        latest: at(0),
        until: at(60),
        renews_nonce: false,
    };
    assert_eq!(proofs.counting(&NoSharedData).use_up(&proof, at(0)), Ok(()));
    assert_eq!(again.counting(&NoSharedData).use_up(&proof, at(0)), Ok(()));
    assert_eq!(
        again.counting(&NoSharedData).use_up(&proof, at(0)),
        Err(ProofUse::Again)
    );
    assert_eq!(
        proofs.counting(&NoSharedData).use_up(&proof, at(0)),
        Err(ProofUse::Again)
    );
}

/// The clock of a busy worker goes from one second to the next.
fn lives(memory: &ProofMemory, seconds: std::ops::Range<i64>) {
    for now in seconds {
        let number = u64::try_from(1_000_000 + now).unwrap();
        uses(memory, number, now).unwrap();
    }
}

#[test]
fn a_clock_that_is_set_ahead_and_back_forgets_no_proof() {
    let aheads = [90, 3_600, 86_400, 10_000_000];
    for (ahead, threads) in aheads
        .iter()
        .flat_map(|ahead| [(*ahead, 1), (*ahead, 4), (*ahead, 16)])
    {
        let memory = ProofMemory::new(100_000, threads);
        lives(&memory, 0..20);
        for number in 0..500 {
            uses(&memory, number, 20).unwrap();
        }
        // The clock is ahead for half a minute, and many proofs are used.
        lives(&memory, ahead..ahead + 30);
        for number in 10_000..20_000 {
            uses(&memory, number, ahead + 30).unwrap();
        }
        for number in 0..500 {
            assert_eq!(uses(&memory, number, 50), Err(ProofUse::Again), "{ahead}");
        }
        // What was used meanwhile is not accepted when that time comes.
        for number in 10_000..20_000 {
            let again = uses(&memory, number, ahead + 31);
            assert_eq!(again, Err(ProofUse::Again), "{ahead}");
        }
    }
}

#[test]
fn after_a_pause_or_a_clock_that_stays_ahead_old_proofs_leave_again() {
    let memory = ProofMemory::new(100_000, 1);
    for number in 0..10_000 {
        uses(&memory, number, 0).unwrap();
    }
    lives(&memory, 86_400..86_430);
    assert!(memory.len() > 10_000);
    // Four leave with each new one.
    lives(&memory, 86_430..86_530);
    for number in 20_000..24_000 {
        uses(&memory, number, 86_530).unwrap();
    }
    assert!(memory.len() < 5_000, "{}", memory.len());
}

#[test]
fn where_little_happens_few_proofs_are_remembered() {
    let memory = ProofMemory::new(100_000, 1);
    for number in 0..10_000_u32 {
        uses(&memory, number.into(), i64::from(number) * 3_600).unwrap();
        assert!(memory.len() < 100, "{}", memory.len());
    }
}

#[test]
fn a_proof_is_remembered_as_long_as_another_listener_accepts_it() {
    let policy = |max_age: &str| {
        let document = format!(
            r#"{{"providers":[{{"name":"a","issuer":"https://a.example","audiences":["api"],
                "jwks":{{"cluster":"a","uri":"https://a.example/jwks"}},
                "dpop":{{"origins":["https://api.example"],"max_age":"{max_age}"}}}}],
                "routes":[{{"match":"$default"}}]}}"#
        );
        config::compile(document.as_bytes()).unwrap()
    };
    let memory = Arc::new(ProofMemory::new(100, 1));
    let nonces = Arc::new(NonceStore::new(|_| Err(NoRandomness)));
    let proofs = Proofs::new(memory, nonces);
    proofs.keep_for(&policy("10m"));
    proofs.keep_for(&policy("10s"));
    let proof = |now: i64| Proof {
        id: id(1),
        latest: at(now),
        until: at(now).saturating_add(Duration::from_secs(10)),
        renews_nonce: false,
    };
    assert_eq!(
        proofs.counting(&NoSharedData).use_up(&proof(0), at(0)),
        Ok(())
    );
    for now in [11, 300, 600] {
        let again = proofs.counting(&NoSharedData).use_up(&proof(now), at(now));
        assert_eq!(again, Err(ProofUse::Again), "{now}");
    }
}
