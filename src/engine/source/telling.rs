//! What is told of a key source: log lines and metrics.

use std::sync::Arc;

use super::Source;
use crate::engine::Effect;
use crate::jwk::{KeySet, KeySetError, SkippedKey, SkippedKeys};
use crate::telemetry::{Event, FetchFailure, FetchPlace, FetchResult, Measurement, Metric};
use crate::time::UnixTime;

/// The most lines about the unusable keys of one set.
const MOST_LINES: usize = 8;

impl Source {
    fn provider(&self) -> Arc<str> {
        Arc::clone(&self.spec.name)
    }

    /// How many keys there are now.
    pub(super) fn tell_count(&self, set: &KeySet, effects: &mut Vec<Effect>) {
        let provider = self.provider();
        let count = u64::try_from(set.len()).unwrap_or(u64::MAX);
        effects.push(Effect::Measure(Measurement::set(
            Metric::Keys { provider },
            count,
        )));
    }

    /// A set was fetched and taken.
    pub(super) fn tell_taken(
        &self,
        set: &KeySet,
        skipped: &[SkippedKey],
        effects: &mut Vec<Effect>,
    ) {
        self.tell_skipped(skipped, effects);
        effects.push(Effect::Log(Event::KeysTaken {
            provider: self.provider(),
            usable: set.len(),
            skipped: skipped.len(),
        }));
        effects.push(Effect::Measure(Measurement::count(Metric::KeyFetches {
            provider: self.provider(),
            result: FetchResult::Success,
        })));
    }

    /// A fetch has failed. Its outcome is in the record already, so that the
    /// next try is known.
    pub(super) fn tell_failure(
        &self,
        failure: FetchFailure,
        place: FetchPlace,
        now: UnixTime,
        effects: &mut Vec<Effect>,
    ) {
        effects.push(Effect::Measure(Measurement::count(Metric::KeyFetches {
            provider: self.provider(),
            result: FetchResult::Failure,
        })));
        let skipped = if let FetchFailure::KeySet(KeySetError::NoUsableKey { skipped }) = &failure {
            skipped.clone()
        } else {
            Vec::new()
        };
        effects.push(Effect::Log(Event::FetchFailed {
            provider: self.provider(),
            place,
            failure,
            serving: self.serving(now).is_some(),
            retry_in: self.next_try_in(self.wants(now), now),
        }));
        self.tell_skipped(&skipped, effects);
    }

    /// There is no memory for keys that another worker has fetched.
    pub(super) fn tell_refused(&self, effects: &mut Vec<Effect>) {
        let provider = self.provider();
        effects.push(Effect::Log(Event::NoMemoryForKeys { provider }));
    }

    /// Why keys of a set are not used: a line for each reason, and one for all
    /// that would be too many.
    fn tell_skipped(&self, skipped: &[SkippedKey], effects: &mut Vec<Effect>) {
        let mut reasons = SkippedKeys::by_reason(skipped);
        let more = if reasons.len() > MOST_LINES {
            reasons.split_off(MOST_LINES.saturating_sub(1))
        } else {
            Vec::new()
        };
        for keys in reasons {
            let provider = self.provider();
            effects.push(Effect::Log(Event::KeysSkipped { provider, keys }));
        }
        if !more.is_empty() {
            effects.push(Effect::Log(Event::MoreKeysSkipped {
                provider: self.provider(),
                count: more.iter().map(|keys| keys.indices.len()).sum(),
            }));
        }
    }

    /// What is told again and again: the age of the keys, and once that they
    /// are too old.
    pub(in crate::engine) fn report(&mut self, now: UnixTime, effects: &mut Vec<Effect>) {
        let Some(taken) = &self.taken else { return };
        let provider = self.provider();
        let seconds = now.saturating_since(taken.content.fetched_at).as_secs();
        effects.push(Effect::Measure(Measurement::set(
            Metric::KeyAge { provider },
            seconds,
        )));
        if self.serving(now).is_none() && !self.told_too_old {
            self.told_too_old = true;
            let provider = self.provider();
            effects.push(Effect::Log(Event::KeysTooOld { provider }));
        }
    }
}
