//! The log lines and metrics of a source.

use std::sync::Arc;

use super::Source;
use crate::engine::Turn;
use crate::engine::document::{Document, ParsedDocument};
use crate::jwk::{KeySetError, SkippedKey, SkippedKeys};
use crate::revocation::ListSize;
use crate::telemetry::{
    DocumentKind, Event, FetchFailure, FetchPlace, FetchResult, Measurement, Metric,
};

/// The maximum number of log lines about the unusable keys of one set.
const MAX_LINES: usize = 8;

impl Source {
    fn provider(&self) -> Arc<str> {
        Arc::clone(&self.spec.name)
    }

    /// Reports the number of keys or entries in the current document.
    pub(super) fn report_count(&self, document: &Document, turn: &mut Turn<'_>) {
        let provider = self.provider();
        let (metric, count) = match document {
            Document::Keys(set) => (Metric::Keys { provider }, set.len()),
            Document::List(list) => (Metric::RevokedEntries { provider }, list.len()),
        };
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        turn.measure(Measurement::set(metric, count));
    }

    /// Reports a successful fetch.
    pub(super) fn report_success(&self, parsed: &ParsedDocument, turn: &mut Turn<'_>) {
        let provider = self.provider();
        match parsed {
            ParsedDocument::Keys(parsed, _) => {
                self.report_skipped(&parsed.skipped, turn);
                turn.log(Event::KeysLoaded {
                    provider,
                    usable: parsed.set.len(),
                    skipped: parsed.skipped.len(),
                });
            }
            ParsedDocument::List(list) => {
                let entries = list.len();
                turn.log(Event::ListLoaded { provider, entries });
                self.report_size(list.size(), turn);
            }
        }
        self.report_result(FetchResult::Success, turn);
    }

    /// Reports a fetch that has confirmed the known document.
    pub(super) fn report_confirmed(&self, turn: &mut Turn<'_>) {
        if let Some(list) = self.known().and_then(Document::list) {
            self.report_size(list.size(), turn);
        }
    }

    /// Warns of a list that will soon be too large.
    fn report_size(&self, size: ListSize, turn: &mut Turn<'_>) {
        if size.is_near_limit() {
            let provider = self.provider();
            turn.log(Event::ListNearLimit { provider, size });
        }
    }

    /// Counts a fetch of keys.
    fn report_result(&self, result: FetchResult, turn: &mut Turn<'_>) {
        if self.spec.kind == DocumentKind::KeySet {
            let provider = self.provider();
            let fetches = Metric::KeyFetches { provider, result };
            turn.measure(Measurement::count(fetches));
        }
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
        self.report_result(FetchResult::Failure, turn);
        let skipped = if let FetchFailure::KeySet(KeySetError::NoUsableKey { skipped }) = &failure {
            skipped.clone()
        } else {
            Vec::new()
        };
        turn.log(Event::FetchFailed {
            provider: self.provider(),
            document: self.spec.kind,
            place,
            failure,
            serving: self.serving(now).is_some(),
            retry_in: self.next_try_in(self.needs(now), now),
        });
        self.report_skipped(&skipped, turn);
    }

    /// Reports that memory is insufficient for a document that another worker has
    /// fetched.
    pub(super) fn report_refused(&self, turn: &mut Turn<'_>) {
        turn.log(Event::NoMemory {
            provider: self.provider(),
            document: self.spec.kind,
        });
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
            turn.log(Event::KeysSkipped { provider, keys });
        }
        if !more.is_empty() {
            turn.log(Event::MoreKeysSkipped {
                provider: self.provider(),
                count: more.iter().map(|keys| keys.indices.len()).sum(),
            });
        }
    }

    /// Reports the age of the document, and once that it is too old.
    pub(in crate::engine) fn report(&mut self, turn: &mut Turn<'_>) {
        let now = turn.env.now;
        let Some(adopted) = &self.adopted else { return };
        let provider = self.provider();
        let seconds = now.saturating_since(adopted.content.fetched_at).as_secs();
        let metric = match self.spec.kind {
            DocumentKind::KeySet => Metric::KeyAge { provider },
            DocumentKind::RevocationList => Metric::RevokedAge { provider },
        };
        turn.measure(Measurement::set(metric, seconds));
        if self.serving(now).is_none() && !self.reported_too_old {
            self.reported_too_old = true;
            turn.log(Event::TooOld {
                provider: self.provider(),
                document: self.spec.kind,
            });
        }
    }
}
