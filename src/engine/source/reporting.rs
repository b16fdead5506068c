//! What is told of a source: log lines and metrics.

use std::sync::Arc;

use super::Source;
use crate::engine::document::{Document, ParsedDocument};
use crate::engine::{Effect, Turn};
use crate::jwk::{KeySetError, SkippedKey, SkippedKeys};
use crate::telemetry::{Event, FetchFailure, FetchPlace, FetchResult, Measurement, Metric};

/// The most lines about the unusable keys of one set.
const MOST_LINES: usize = 8;

impl Source {
    fn provider(&self) -> Arc<str> {
        Arc::clone(&self.spec.name)
    }

    /// How much there is in the document that serves now.
    pub(super) fn tell_count(&self, document: &Document, turn: &mut Turn<'_>) {
        let Document::Keys(set) = document;
        let provider = self.provider();
        let count = u64::try_from(set.len()).unwrap_or(u64::MAX);
        turn.effects.push(Effect::Measure(Measurement::set(
            Metric::Keys { provider },
            count,
        )));
    }

    /// A good document was fetched.
    pub(super) fn tell_taken(&self, parsed: &ParsedDocument, turn: &mut Turn<'_>) {
        let ParsedDocument::Keys(parsed, _) = parsed;
        self.tell_skipped(&parsed.skipped, turn);
        turn.effects.push(Effect::Log(Event::KeysTaken {
            provider: self.provider(),
            usable: parsed.set.len(),
            skipped: parsed.skipped.len(),
        }));
        turn.effects
            .push(Effect::Measure(Measurement::count(Metric::KeyFetches {
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
        turn: &mut Turn<'_>,
    ) {
        let now = turn.env.now;
        turn.effects
            .push(Effect::Measure(Measurement::count(Metric::KeyFetches {
                provider: self.provider(),
                result: FetchResult::Failure,
            })));
        let skipped = if let FetchFailure::KeySet(KeySetError::NoUsableKey { skipped }) = &failure {
            skipped.clone()
        } else {
            Vec::new()
        };
        turn.effects.push(Effect::Log(Event::FetchFailed {
            provider: self.provider(),
            place,
            failure,
            serving: self.serving(now).is_some(),
            retry_in: self.next_try_in(self.wants(now), now),
        }));
        self.tell_skipped(&skipped, turn);
    }

    /// There is no memory for a document that another worker has fetched.
    pub(super) fn tell_refused(&self, turn: &mut Turn<'_>) {
        let provider = self.provider();
        turn.effects
            .push(Effect::Log(Event::NoMemoryForKeys { provider }));
    }

    /// Why keys of a set are not used: a line for each reason, and one for all
    /// that would be too many.
    fn tell_skipped(&self, skipped: &[SkippedKey], turn: &mut Turn<'_>) {
        let mut reasons = SkippedKeys::by_reason(skipped);
        let more = if reasons.len() > MOST_LINES {
            reasons.split_off(MOST_LINES.saturating_sub(1))
        } else {
            Vec::new()
        };
        for keys in reasons {
            let provider = self.provider();
            turn.effects
                .push(Effect::Log(Event::KeysSkipped { provider, keys }));
        }
        if !more.is_empty() {
            turn.effects.push(Effect::Log(Event::MoreKeysSkipped {
                provider: self.provider(),
                count: more.iter().map(|keys| keys.indices.len()).sum(),
            }));
        }
    }

    /// Tells the age of the document each time, and once that it is too old.
    pub(in crate::engine) fn report(&mut self, turn: &mut Turn<'_>) {
        let now = turn.env.now;
        let Some(taken) = &self.taken else { return };
        let provider = self.provider();
        let seconds = now.saturating_since(taken.content.fetched_at).as_secs();
        turn.effects.push(Effect::Measure(Measurement::set(
            Metric::KeyAge { provider },
            seconds,
        )));
        if self.serving(now).is_none() && !self.told_too_old {
            self.told_too_old = true;
            let provider = self.provider();
            turn.effects
                .push(Effect::Log(Event::KeysTooOld { provider }));
        }
    }
}
