//! Invariants that must hold for every schedule of the threads.

use std::time::Duration;

use super::{MAX_STALE, TIMEOUT, Threads};
use crate::engine::StreamId;
use crate::engine::shared::SourceEntries;
use crate::engine::tests::shared::Quiet;
use crate::engine::tests::signer::KeyId;
use crate::keys::Record;
use crate::telemetry::Reason;
use crate::time::UnixTime;

/// A key set that the service has adopted.
pub(super) struct Taken {
    pub(super) keys: Vec<KeyId>,
    pub(super) began: UnixTime,
    pub(super) at: UnixTime,
    /// The number of the first snapshot that contains it.
    pub(super) number: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The key that signed the token, or `None` if no key signed it.
    pub(super) key: Option<KeyId>,
    pub(super) kid: String,
    pub(super) arrived: UnixTime,
    /// The number of ticks since its key became known.
    pub(super) due: usize,
}

impl Threads {
    /// Checks the answer to a request.
    pub(super) fn answered(
        &mut self,
        index: usize,
        stream: StreamId,
        reason: Reason,
        now: UnixTime,
    ) {
        let thread = &mut self.all[index];
        let request = thread.waiting.remove(&stream).expect("answered twice");
        let number = thread.judge.snapshot().number();
        let held = self.taken.iter().rposition(|taken| taken.number <= number);
        let kid = &request.kid;
        match (reason, held) {
            (Reason::Allowed, Some(held)) => {
                let key = request.key.expect("a forged token was allowed");
                let set = &self.taken[held];
                assert!(set.keys.contains(&key), "allowed without its key");
                assert!(now.saturating_since(set.at) <= MAX_STALE);
                if let Some(newer) = self.taken.get(held + 1) {
                    let late = now.saturating_since(newer.at);
                    let is_gone = !newer.keys.contains(&key);
                    assert!(
                        !is_gone || late <= Duration::from_secs(1),
                        "{late:?} too late"
                    );
                }
                self.allowed += 1;
            }
            (Reason::BadSignature, Some(held)) => {
                assert_eq!(request.key, None, "a good signature was refused");
                assert!(self.taken[held].keys.iter().any(|key| key.kid() == *kid));
            }
            (Reason::UnknownKey, Some(held)) => {
                let lacks = |taken: &Taken| !taken.keys.iter().any(|key| key.kid() == *kid);
                assert!(lacks(&self.taken[held]), "401 for an existing kid");
                if self.taken[held].began >= request.arrived {
                    thread.absent.insert(kid.clone(), now);
                } else {
                    let at = thread
                        .absent
                        .get(kid)
                        .expect("401 for a kid that may exist");
                    assert!(now.saturating_since(*at) < Duration::from_secs(10));
                }
            }
            (Reason::KeysUnavailable, _) => {
                let waited = now.saturating_since(request.arrived);
                assert!(waited >= TIMEOUT, "timed out after {waited:?}");
            }
            other => panic!("{other:?}: {request:?}"),
        }
    }

    fn record(&self) -> Record {
        let entries = SourceEntries::of(&self.policy.sources[0]);
        let read = entries.read(&Quiet(&self.shared)).unwrap();
        read.record.unwrap_or_default()
    }

    /// Checks that a fetch may begin. An early refresh needs a request that waits for a
    /// `kid` that the service does not have, and the budget.
    pub(super) fn began(&mut self, asked: &[Vec<String>], now: UnixTime) {
        let record = self.record();
        if !record.lease.is_some_and(|lease| lease.early) {
            return;
        }
        let has = |kid: &String| {
            let set = self.taken.last();
            set.is_some_and(|set| set.keys.iter().any(|key| key.kid() == *kid))
        };
        let background = record.background == Some(now);
        let awaited = asked.iter().flatten().any(|kid| !has(kid));
        assert!(awaited || background, "an unnecessary early refresh");
        let since = |at: &UnixTime| now.saturating_since(*at);
        let last = self.early.last().map(since);
        assert!(last.is_none_or(|since| since >= Duration::from_secs(5)));
        let recent = self
            .early
            .iter()
            .filter(|at| since(at) < Duration::from_secs(10));
        assert!(recent.count() < 2, "three early refreshes in ten seconds");
        self.early.push(now);
    }
}
