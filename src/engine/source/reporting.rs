//! The log lines and metrics of a source.

use std::sync::Arc;

use super::Source;
use crate::engine::document::{Document, ParsedDocument};
use crate::engine::{Effect, Turn};
use crate::jwk::{KeySetError, SkippedKey, SkippedKeys};
use crate::telemetry::{Event, FetchFailure, FetchPlace, FetchResult, Measurement, Metric};

/// The maximum number of log lines about the unusable keys of one set.
const MAX_LINES: usize = 8;

impl Source {
    fn provider(&self) -> Arc<str> {
        Arc::clone(&self.spec.name)
    }

    /// Reports the number of keys in the current document.
    pub(super) fn report_count(&self, document: &Document, turn: &mut Turn<'_>) {
        let Document::Keys(set) = document;
        let provider = self.provider();
        let count = u64::try_from(set.len()).unwrap_or(u64::MAX);
        turn.effects.push(Effect::Measure(Measurement::set(
            Metric::Keys { provider },
            count,
        )));
    }

    /// Reports a successful fetch.
    pub(super) fn report_success(&self, parsed: &ParsedDocument, turn: &mut Turn<'_>) {
        let ParsedDocument::Keys(parsed, _) = parsed;
        self.report_skipped(&parsed.skipped, turn);
        turn.effects.push(Effect::Log(Event::KeysLoaded {
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

    /// Reports a failed fetch. The record must already contain the outcome, because the
    /// report includes the time of the next attempt.
    pub(super) fn report_failure(
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
            retry_in: self.next_try_in(self.needs(now), now),
        }));
        self.report_skipped(&skipped, turn);
    }

    /// Reports that memory is insufficient for a document that another worker has
    /// fetched.
    pub(super) fn report_refused(&self, turn: &mut Turn<'_>) {
        let provider = self.provider();
        turn.effects
            .push(Effect::Log(Event::NoMemoryForKeys { provider }));
    }

    /// Reports why keys of a set are not used: one line for each reason, and a summary if
    /// there are too many reasons.
    fn report_skipped(&self, skipped: &[SkippedKey], turn: &mut Turn<'_>) {
        let mut reasons = SkippedKeys::by_reason(skipped);
        let more = if reasons.len() > MAX_LINES {
            reasons.split_off(MAX_LINES.saturating_sub(1))
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

    /// Reports the age of the document, and once that it is too old.
    pub(in crate::engine) fn report(&mut self, turn: &mut Turn<'_>) {
        let now = turn.env.now;
        let Some(adopted) = &self.adopted else { return };
        let provider = self.provider();
        let seconds = now.saturating_since(adopted.content.fetched_at).as_secs();
        turn.effects.push(Effect::Measure(Measurement::set(
            Metric::KeyAge { provider },
            seconds,
        )));
        if self.serving(now).is_none() && !self.reported_too_old {
            self.reported_too_old = true;
            let provider = self.provider();
            turn.effects
                .push(Effect::Log(Event::KeysTooOld { provider }));
        }
    }
}
