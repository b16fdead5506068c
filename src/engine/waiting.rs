//! The requests that wait for keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, StreamId};
use crate::authz::Wanted;
use crate::http::RequestHead;
use crate::policy::SourceId;
use crate::time::UnixTime;

/// The most requests that wait for one source.
const MOST_PER_SOURCE: usize = 1000;
/// The most bytes of header fields that waiting requests hold together: what
/// anyone can make wait must not fill the module's memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A request that cannot be decided yet.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) head: RequestHead,
    pub(super) arrived: UnixTime,
    pub(super) deadline: UnixTime,
    pub(super) wanted: Vec<Wanted>,
    /// Its answer but for action and reason.
    pub(super) answer: Answer,
}

impl Waiter {
    /// The bytes of its header fields.
    fn bytes(&self) -> usize {
        let size = |(name, value): (&[u8], &[u8])| name.len().saturating_add(value.len());
        self.head
            .headers()
            .iter()
            .map(size)
            .fold(0, usize::saturating_add)
    }
}

/// What waiting requests want of the sources.
#[derive(Debug, Default)]
pub(super) struct WantedNow {
    /// Sources that somebody waits for.
    pub(super) sources: BTreeSet<SourceId>,
    /// Those whose keys lack a `kid` that somebody waits for.
    pub(super) kids: BTreeSet<SourceId>,
}

/// The requests that wait, bounded per source.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    waiters: BTreeMap<StreamId, Waiter>,
    per_source: BTreeMap<SourceId, usize>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Puts a request aside; gives it back where too many wait already.
    pub(super) fn insert(&mut self, stream: StreamId, waiter: Waiter) -> Result<(), Box<Waiter>> {
        let waiting = |source: &SourceId| self.per_source.get(source).copied().unwrap_or_default();
        let bytes = self.bytes.saturating_add(waiter.bytes());
        let crowded = |wanted: &Wanted| waiting(&wanted.source) >= MOST_PER_SOURCE;
        if bytes > MOST_BYTES || waiter.wanted.iter().any(crowded) {
            return Err(Box::new(waiter));
        }
        self.remove(stream);
        self.bytes = self.bytes.saturating_add(waiter.bytes());
        for wanted in &waiter.wanted {
            let count = self.per_source.entry(wanted.source).or_default();
            *count = count.saturating_add(1);
        }
        self.waiters.insert(stream, waiter);
        Ok(())
    }

    pub(super) fn get(&self, stream: StreamId) -> Option<&Waiter> {
        self.waiters.get(&stream)
    }

    pub(super) fn remove(&mut self, stream: StreamId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&stream)?;
        self.bytes = self.bytes.saturating_sub(waiter.bytes());
        for wanted in &waiter.wanted {
            if let Some(count) = self.per_source.get_mut(&wanted.source) {
                *count = count.saturating_sub(1);
            }
        }
        Some(waiter)
    }

    pub(super) fn wanted(&self) -> WantedNow {
        let mut now = WantedNow::default();
        for waiter in self.waiters.values() {
            for wanted in &waiter.wanted {
                now.sources.insert(wanted.source);
                if wanted.lacks_kid {
                    now.kids.insert(wanted.source);
                }
            }
        }
        now
    }

    pub(super) fn take_those_for(&mut self, source: SourceId) -> Vec<(StreamId, Waiter)> {
        let waits = |waiter: &Waiter| waiter.wanted.iter().any(|wanted| wanted.source == source);
        self.take(waits)
    }

    /// The clock was set back. Those that seem to come from the future wait from
    /// now on, and no longer than they would have.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        for waiter in self.waiters.values_mut() {
            if waiter.arrived > now {
                let timeout = waiter.deadline.saturating_since(waiter.arrived);
                waiter.arrived = now;
                waiter.deadline = now.saturating_add(timeout);
            }
        }
    }

    pub(super) fn take_expired(&mut self, now: UnixTime) -> impl Iterator<Item = Waiter> + use<> {
        self.take(|waiter| now >= waiter.deadline)
            .into_iter()
            .map(|(_, waiter)| waiter)
    }

    fn take(&mut self, which: impl Fn(&Waiter) -> bool) -> Vec<(StreamId, Waiter)> {
        let streams: Vec<StreamId> = self
            .waiters
            .iter()
            .filter(|(_, waiter)| which(waiter))
            .map(|(stream, _)| *stream)
            .collect();
        streams
            .into_iter()
            .filter_map(|stream| Some((stream, self.remove(stream)?)))
            .collect()
    }
}
