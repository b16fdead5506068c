//! One source: this worker's copy of the document, and this worker's part in fetching it.

mod reporting;
mod sharing;

use std::borrow::Cow;
use std::time::Duration;

use super::document::{Document, ParsedDocument};
use super::fetch::{Condition, Fetch, FetchId, Freshness, Next};
use super::ledger::{Entry, Ledger};
use super::random::Random;
use super::snapshot::{Adopted, View, whole_seconds};
use super::work::Work;
use super::{Effect, Env, Turn};
use crate::keys::answer::AnswerHead;
use crate::keys::{Content, Jitter, Kind, Needs, Outcome, Record, RefreshPolicy};
use crate::memory::Budget;
use crate::policy::{DocumentSource, SourceId};
use crate::telemetry::DocumentKind;
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

    /// Begins a fetch if one is due and no other worker was faster. Returns whether it
    /// has begun one.
    pub(super) fn begin_if_due(
        &mut self,
        entry: Entry,
        kid_needed: bool,
        random: &mut Random,
        turn: &mut Turn<'_>,
    ) -> bool {
        self.last_visit.kid_needed = kid_needed;
        if entry == Entry::Seeded {
            return false;
        }
        self.settled = true;
        let (rules, now) = (self.rules, turn.env.now);
        // The wait for an issuer that never answers is limited.
        let awaits = |fetch: &Fetch| rules.awaits(fetch.sent_at, now);
        if self.fetch.as_ref().is_some_and(awaits) {
            return false;
        }
        let due = rules.due(&self.effective_record(now), self.needs(now), now);
        let Some(kind) = due else { return false };
        let begun = rules.begun(self.ledger.record(), kind, self.holder, now);
        if !self.ledger.lease(begun, entry, turn.env.shared) {
            return false;
        }
        let id = FetchId(random.next());
        // A cached response does not help a request that needs a `kid`, and delays
        // revocations.
        let fresh =
            kid_needed || kind != Kind::Ordinary || self.spec.kind == DocumentKind::RevocationList;
        let record = self.ledger.record();
        let fetch = Fetch::begin(&self.spec, record, (id, fresh), self.condition(), now);
        self.send(fetch, turn);
        true
    }

    /// The document that need not be fetched again if it has not changed: the one that the
    /// record names. After a failure the document is fetched in any case, because the
    /// server may have answered that it has not changed although it has.
    fn condition(&self) -> Option<Condition> {
        let record = self.ledger.record();
        let Adopted {
            document, content, ..
        } = self.adopted.as_ref()?;
        let version = content.version;
        let is_named = record.content.is_some_and(|named| named.version == version);
        if !is_named || record.failure.is_some() {
            return None;
        }
        Some(Condition {
            etag: document.etag()?.into(),
            version,
        })
    }

    fn send(&mut self, fetch: Fetch, turn: &mut Turn<'_>) {
        let call = fetch.call(self.rules.timeout);
        turn.effects.push(Effect::Fetch(call));
        self.fetch = Some(fetch);
    }

    /// Handles the answer to this source's fetch. Returns whether the document has
    /// changed.
    pub(super) fn fetched(
        &mut self,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        random: &mut Random,
        turn: &mut Turn<'_>,
    ) -> bool {
        let env = turn.env;
        let Some(fetch) = self.fetch.take() else {
            return false;
        };
        let started_at = fetch.started_at;
        let next = FetchId(random.next());
        let reader = self.reader(Work::TICK.spare());
        match fetch.answered(&self.spec, (head, body), reader, next, env.now) {
            Next::Call(fetch, discovered) => {
                let (rules, holder) = (self.rules, self.holder);
                let extended = self.ledger.change(env.shared, |record| {
                    let record = rules.extended(record, holder, env.now)?;
                    let discovered = discovered.clone().or(record.discovered);
                    Some(Record {
                        discovered,
                        ..record
                    })
                });
                if extended {
                    self.send(fetch, turn);
                }
                false
            }
            Next::Failed(failure, place) => {
                self.finish(Outcome::Failed, random, env);
                self.report_failure(failure, place, turn);
                false
            }
            Next::Document {
                parsed,
                shared,
                freshness,
            } => {
                let version = random.next_at(env.now);
                let outcome = good(version, started_at, freshness);
                self.succeeded(parsed, &shared, outcome, random, turn)
            }
            Next::Unchanged { version, freshness } => {
                let outcome = good(version, started_at, freshness);
                self.confirmed(outcome, random, turn)
            }
        }
    }

    fn succeeded(
        &mut self,
        parsed: ParsedDocument,
        shared: &[u8],
        outcome: Outcome,
        random: &mut Random,
        turn: &mut Turn<'_>,
    ) -> bool {
        // From here on, no other worker writes a document. If another worker has the
        // lease by now, its document is the newer one.
        let env = turn.env;
        let (rules, holder, now) = (self.rules, self.holder, env.now);
        let renewed = self
            .ledger
            .change(env.shared, |record| rules.extended(record, holder, now));
        if !renewed {
            return false;
        }
        if let Outcome::Good { version, .. } = outcome {
            self.ledger.write_document(env.shared, version, shared);
        }
        if !self.finish(outcome, random, env) {
            return false;
        }
        let Some(content) = self.ledger.record().content else {
            return false;
        };
        self.report_success(&parsed, turn);
        let parsed = self.reader(0).share(parsed, content.version);
        self.adopt(parsed, content, turn);
        true
    }

    /// Records that the known document has not changed. Returns whether its times are new.
    fn confirmed(&mut self, outcome: Outcome, random: &mut Random, turn: &mut Turn<'_>) -> bool {
        if !self.finish(outcome, random, turn.env) {
            return false;
        }
        self.report_confirmed(turn);
        let content = self.ledger.record().content;
        content.is_some_and(|content| self.renew(content, turn))
    }

    /// Records the outcome. Returns false if another worker has the lease by now.
    fn finish(&mut self, outcome: Outcome, random: &mut Random, env: Env<'_>) -> bool {
        let (holder, jitter) = (self.holder, Jitter(random.byte()));
        self.ledger.change(env.shared, |record| {
            RefreshPolicy::finished(record, holder, outcome, jitter, env.now)
        })
    }

    pub(super) const fn id(&self) -> SourceId {
        self.id
    }
}

fn good(version: u64, started_at: UnixTime, Freshness { age, max_age }: Freshness) -> Outcome {
    Outcome::Good {
        version,
        started_at,
        age,
        max_age,
    }
}
