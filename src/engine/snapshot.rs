//! The current documents at one time, as the key service publishes them to the judges.

use std::sync::Arc;

use super::document::Document;
use crate::authz::{CurrentKeys, Keys, NeededDocument};
use crate::jwk::{AskedKid, KeySet};
use crate::keys::{AbsentKids, Content, RefreshPolicy};
use crate::policy::SourceId;
use crate::revocation::RevocationList;
use crate::time::UnixTime;

/// The state of all sources at one time. It is immutable: judges in any thread can hold
/// it as long as they need, and adopt a newer one later.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// A newer snapshot of the same service has a higher number.
    number: u64,
    sources: Vec<Arc<View>>,
}

/// The state of one source, as judges see it.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// The last valid document, however old.
    pub(super) adopted: Option<Adopted>,
    /// The number of the first snapshot with the latest fetch of this document.
    pub(super) since: u64,
    pub(super) rules: RefreshPolicy,
    /// When the source is fetched again for requests that need any document.
    pub(super) next_try: UnixTime,
    /// When the source is fetched again for requests that need a `kid` that its keys
    /// lack.
    pub(super) next_try_for_kid: UnixTime,
}

/// A valid document, and when it was fetched.
#[derive(Clone, Debug)]
pub(super) struct Adopted {
    pub(super) document: Document,
    pub(super) content: Content,
    /// The number of the fetch that brought or confirmed the document, as the service
    /// counts them. It identifies the content even if the clock was set back.
    pub(super) fetch: u64,
}

/// The documents that judge tokens at one time, and the `kid`s known to be absent.
pub(super) struct KeysAt<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) absent: &'a [AbsentKids],
    pub(super) now: UnixTime,
}

impl Adopted {
    /// Limits all times to `now` after the clock was set back. A time in the future would
    /// keep keys in use for too long. It would also mark a `kid` as absent because of a
    /// key set that was fetched long before the request.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        self.content = before(self.content, now);
    }
}

fn before(content: Content, now: UnixTime) -> Content {
    let began = |at: UnixTime| if at > now { UnixTime::EPOCH } else { at };
    Content {
        started_at: began(content.started_at),
        as_of: began(content.as_of),
        fetched_at: content.fetched_at.min(now),
        ..content
    }
}

impl View {
    /// A source without any known state.
    pub(super) const fn empty(rules: RefreshPolicy) -> Self {
        Self {
            adopted: None,
            since: 0,
            rules,
            next_try: UnixTime::EPOCH,
            next_try_for_kid: UnixTime::EPOCH,
        }
    }

    fn content(&self) -> Option<&Content> {
        self.adopted.as_ref().map(|adopted| &adopted.content)
    }

    /// Whether judges would see no difference.
    fn is_same(&self, other: &Self) -> bool {
        self.content() == other.content()
            && self.next_try == other.next_try
            && self.next_try_for_kid == other.next_try_for_kid
    }

    /// Whether both contain the same document from the same fetch.
    fn has_fetch_of(&self, other: &Self) -> bool {
        let fetch = |view: &Self| view.adopted.as_ref().map(|adopted| adopted.fetch);
        fetch(self) == fetch(other)
    }
}

impl Snapshot {
    pub(super) const fn new(sources: Vec<Arc<View>>) -> Self {
        Self { number: 0, sources }
    }

    /// Whether every source has a document, which may be too old to be used.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let has_document = |view: &Arc<View>| view.adopted.is_some();
        self.sources.iter().all(has_document)
    }

    /// The position in the sequence of the service's snapshots.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whether the snapshot with this number already contained the current document of
    /// the source.
    pub(super) fn is_known_by(&self, number: u64, source: SourceId) -> bool {
        let view = self.sources.get(source.index());
        view.is_some_and(|view| view.since <= number)
    }

    /// Makes a newer snapshot if the state of the source has changed.
    pub(super) fn update(this: &mut Arc<Self>, source: SourceId, mut view: View) {
        let Some(known) = this.sources.get(source.index()) else {
            return;
        };
        if known.is_same(&view) {
            return;
        }
        let number = this.number.saturating_add(1);
        view.since = if known.has_fetch_of(&view) {
            known.since
        } else {
            number
        };
        let this = Arc::make_mut(this);
        this.number = number;
        if let Some(known) = this.sources.get_mut(source.index()) {
            *known = Arc::new(view);
        }
    }

    /// The sources whose document was fetched or confirmed since a former snapshot, in
    /// order.
    pub(super) fn changed_since(&self, former: &Self) -> Vec<SourceId> {
        let pairs = self.sources.iter().zip(&former.sources);
        (0..)
            .map(SourceId::new)
            .zip(pairs)
            .filter(|(_, (new, old))| !Arc::ptr_eq(new, old) && !new.has_fetch_of(old))
            .map(|(source, _)| source)
            .collect()
    }

    /// Limits all times to `now`, and to the times in a former snapshot of the same
    /// documents. The holder of the former snapshot may notice a clock that was set back
    /// before the service does.
    pub(super) fn set_back(this: &mut Arc<Self>, former: &Self, now: UnixTime) {
        for index in 0..this.sources.len() {
            let Some(view) = this.sources.get(index) else {
                continue;
            };
            let Some(content) = view.content() else {
                continue;
            };
            let mut earlier = before(*content, now);
            let known = former.sources.get(index);
            if let Some(known) = known.filter(|known| known.has_fetch_of(view))
                && let Some(known) = known.content()
            {
                earlier.started_at = earlier.started_at.min(known.started_at);
                earlier.as_of = earlier.as_of.min(known.as_of);
                earlier.fetched_at = earlier.fetched_at.min(known.fetched_at);
            }
            if earlier != *content
                && let Some(view) = Arc::make_mut(this).sources.get_mut(index)
                && let Some(adopted) = &mut Arc::make_mut(view).adopted
            {
                adopted.content = earlier;
            }
        }
    }

    /// The keys of a source, however old.
    pub(super) fn keys(&self, source: SourceId) -> Option<&KeySet> {
        let adopted = self.sources.get(source.index())?.adopted.as_ref()?;
        adopted.document.keys()
    }

    /// The keys of a source, however old, and their times.
    pub(super) fn current(&self, source: SourceId) -> Option<CurrentKeys<'_>> {
        let adopted = self.sources.get(source.index())?.adopted.as_ref()?;
        let content = &adopted.content;
        Some(CurrentKeys {
            set: adopted.document.keys()?,
            fetch_started_at: content.started_at,
            as_of: content.as_of,
        })
    }

    /// When the source's document was fetched.
    pub(super) fn fetched_at(&self, source: SourceId) -> Option<UnixTime> {
        let content = self.sources.get(source.index())?.content()?;
        Some(content.fetched_at)
    }

    /// When the fetch of the source's document began.
    pub(super) fn fetch_started_at(&self, source: SourceId) -> Option<UnixTime> {
        let content = self.sources.get(source.index())?.content()?;
        Some(content.started_at)
    }

    /// The seconds until one of these sources is fetched again, rounded up, at least one.
    pub(super) fn retry_after(&self, needed: &[NeededDocument], now: UnixTime) -> u64 {
        let after = |needed: &NeededDocument| {
            let view = self.sources.get(needed.source.index())?;
            let at = if needed.lacks_kid {
                view.next_try_for_kid
            } else {
                view.next_try
            };
            Some(whole_seconds(at, now))
        };
        needed.iter().filter_map(after).min().unwrap_or(1)
    }
}

/// The seconds until `at`, rounded up, at least one.
pub(super) fn whole_seconds(at: UnixTime, now: UnixTime) -> u64 {
    let wait = at.saturating_since(now);
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
        .max(1)
}

impl KeysAt<'_> {
    /// The document of a source, if it is not too old.
    fn serving(&self, source: SourceId) -> Option<&Adopted> {
        let view = self.snapshot.sources.get(source.index())?;
        let adopted = view.adopted.as_ref()?;
        let serves = view.rules.content_serves(&adopted.content, self.now);
        serves.then_some(adopted)
    }
}

impl Keys for KeysAt<'_> {
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>> {
        self.serving(source)?;
        self.snapshot.current(source)
    }

    fn revocation_list(&self, source: SourceId) -> Option<&RevocationList> {
        self.serving(source)?.document.list().map(|list| &**list)
    }

    fn is_absent(&self, source: SourceId, kid: &AskedKid<'_>) -> bool {
        let absent = self.absent.get(source.index());
        absent.is_some_and(|absent| absent.contains(kid, self.now))
    }
}
