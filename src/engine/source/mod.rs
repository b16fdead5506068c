//! One source: this worker's copy of the document, and this worker's part in fetching it.

mod fetching;
mod reporting;
mod sharing;

use std::borrow::Cow;
use std::time::Duration;

use super::Turn;
use super::document::{Document, ParsedDocument};
use super::fetch::{Fetch, FetchId};
use super::ledger::Ledger;
use super::snapshot::{Adopted, View, whole_seconds};
use crate::keys::{Content, Needs, Record, RefreshPolicy};
use crate::memory::Budget;
use crate::policy::{DocumentSource, SourceId};
use crate::time::UnixTime;

/// How often a source without waiting requests is visited. Together with a slow tick, a
/// rotation that another worker saw is adopted within a second.
const VISIT_PERIOD: Duration = Duration::from_millis(400);

/// The last visit to a source.
#[derive(Debug, Default)]
struct Visit {
    at: Option<UnixTime>,
    /// Whether a request waited for a `kid`.
    kid_needed: bool,
}

/// One source of documents.
#[derive(Debug)]
pub(super) struct Source {
    id: SourceId,
    spec: DocumentSource,
    rules: RefreshPolicy,
    ledger: Ledger,
    /// Names this worker in leases.
    holder: u64,
    adopted: Option<Adopted>,
    /// The content of the record with which the document was adopted or confirmed.
    taken: Option<Content>,
    /// The number of fetches that were adopted or confirmed the document.
    fetches: u64,
    fetch: Option<Fetch>,
    last_visit: Visit,
    /// When a token that the document should have verified was last refused.
    doubted_at: Option<UnixTime>,
    /// Whether a fetch could have begun by now.
    settled: bool,
    /// Whether tables for fast signature checks are kept.
    has_tables: bool,
    /// The memory budget of the tables.
    table_budget: &'static Budget,
    reported_too_old: bool,
    /// When a shared document was last refused because of insufficient memory.
    refused_at: Option<UnixTime>,
    /// The version of a shared document that is invalid. Other parties may be able to
    /// write the shared data.
    unusable: Option<u64>,
}

impl Source {
    pub(super) fn new(
        id: SourceId,
        spec: &DocumentSource,
        holder: u64,
        table_budget: &'static Budget,
    ) -> Self {
        let DocumentSource {
            timeout,
            refresh,
            max_stale,
            ..
        } = *spec;
        Self {
            id,
            spec: spec.clone(),
            rules: RefreshPolicy {
                timeout,
                refresh,
                max_stale,
            },
            ledger: Ledger::of(spec),
            holder,
            adopted: None,
            taken: None,
            fetches: 0,
            fetch: None,
            last_visit: Visit::default(),
            doubted_at: None,
            settled: false,
            has_tables: true,
            table_budget,
            reported_too_old: false,
            refused_at: None,
            unusable: None,
        }
    }

    pub(super) const fn id(&self) -> SourceId {
        self.id
    }

    pub(super) const fn rules(&self) -> RefreshPolicy {
        self.rules
    }

    /// The state of the source, as judges see it.
    pub(super) fn view(&self, now: UnixTime) -> View {
        let record = self.effective_record(now);
        let next_try = |kid| {
            let needs = Needs { kid, doubt: false };
            let at = self.rules.next_try(&record, needs, now);
            // All times in the past are equal, so that the snapshot does not change with
            // the time.
            if at <= now { UnixTime::EPOCH } else { at }
        };
        View {
            adopted: self.adopted.clone(),
            next_try: next_try(false),
            next_try_for_kid: next_try(true),
            ..View::empty(self.rules)
        }
    }

    pub(super) const fn fetch_id(&self) -> Option<FetchId> {
        match &self.fetch {
            Some(fetch) => Some(fetch.id),
            None => None,
        }
    }

    /// Builds the tables for fast signature checks and keeps them, or drops them.
    pub(super) fn keep_tables(&mut self, keep: bool) {
        self.has_tables = keep;
        if let Some(document) = self.known() {
            document.keep_tables(keep.then_some(self.table_budget));
        }
    }

    /// The current document, if it is not too old.
    pub(super) fn serving(&self, now: UnixTime) -> Option<&Adopted> {
        self.adopted
            .as_ref()
            .filter(|adopted| self.rules.content_serves(&adopted.content, now))
    }

    /// The last valid document, however old.
    pub(super) fn known(&self) -> Option<&Document> {
        self.adopted.as_ref().map(|adopted| &adopted.document)
    }

    /// Whether there is no document while a fetch may be about to begin.
    pub(super) const fn is_starting(&self) -> bool {
        self.adopted.is_none() && !self.settled
    }

    /// The seconds until the next attempt, rounded up, at least one.
    fn next_try_in(&self, needs: Needs, now: UnixTime) -> u64 {
        let record = self.effective_record(now);
        whole_seconds(self.rules.next_try(&record, needs, now), now)
    }

    pub(super) fn is_visit_due(&self, now: UnixTime) -> bool {
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < VISIT_PERIOD;
        !self.last_visit.at.is_some_and(recent)
    }

    /// Records when a token that the document should have verified was last refused.
    pub(super) fn doubt(&mut self, at: Option<UnixTime>, now: UnixTime) {
        self.doubted_at = at.map(|at| at.min(now));
    }

    /// Limits all times to `now` after the clock was set back. A time in the future would
    /// keep keys in use for too long. It would also mark a `kid` as absent because of a
    /// key set that was fetched long before the request.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        if let Some(adopted) = &mut self.adopted {
            adopted.set_back(now);
        }
        if let Some(fetch) = &mut self.fetch
            && fetch.started_at > now
        {
            fetch.started_at = UnixTime::EPOCH;
        }
        self.doubted_at = self.doubted_at.map(|at| at.min(now));
    }

    fn adopt(&mut self, parsed: ParsedDocument, content: Content, turn: &mut Turn<'_>) {
        let document = Document::new(parsed, self.known());
        if self.has_tables {
            document.keep_tables(Some(self.table_budget));
        }
        self.report_count(&document, turn);
        self.taken = Some(content);
        self.fetches = self.fetches.saturating_add(1);
        self.adopted = Some(Adopted {
            document,
            content,
            fetch: self.fetches,
        });
        self.set_back(turn.env.now);
        self.reported_too_old = false;
        self.refused_at = None;
    }

    /// The record as it applies to this worker. It has no document if this worker cannot
    /// use the document, because it is unreadable or the clock was set.
    fn effective_record(&self, now: UnixTime) -> Cow<'_, Record> {
        let record = self.ledger.record();
        if record.content.is_none() || self.serving(now).is_some() {
            return Cow::Borrowed(record);
        }
        Cow::Owned(Record {
            content: None,
            ..record.clone()
        })
    }

    /// The reasons for a fetch in addition to the scheduled ones.
    fn needs(&self, now: UnixTime) -> Needs {
        let record = self.ledger.record();
        let open = |at| !RefreshPolicy::fetch_began_since(record, at, now);
        Needs {
            kid: self.last_visit.kid_needed,
            doubt: self.doubted_at.is_some_and(open),
        }
    }
}
