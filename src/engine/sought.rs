//! The `kid`s that requests needed which did not wait for them.

use crate::jwk::{KeySet, KidDigest};
use crate::policy::SourceId;
use crate::time::UnixTime;

/// The maximum number of stored `kid`s for each source.
const MAX_KIDS: usize = 16;

/// The `kid`s that tokens had and keys lacked, for requests that passed in report mode. No
/// request waits for them. They are needed for as long as a request would have waited,
/// so that a rotation causes a fetch in either mode, and at the same cost to the issuer.
#[derive(Debug, Default)]
pub(super) struct SoughtKids {
    /// In the order of the sources.
    sources: Vec<OfSource>,
}

/// The `kid`s that the keys of one source lacked.
#[derive(Debug)]
struct OfSource {
    source: SourceId,
    /// When one was last needed.
    latest: UnixTime,
    /// Further ones are needed too, but are not found absent.
    kids: Vec<(KidDigest, UnixTime)>,
}

impl SoughtKids {
    pub(super) const fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Records that a request needed this `kid`.
    pub(super) fn insert(&mut self, source: SourceId, kid: KidDigest, now: UnixTime) {
        let known = self.sources.binary_search_by_key(&source, |of| of.source);
        let place = known.unwrap_or_else(|place| {
            let new = OfSource {
                source,
                latest: now,
                kids: Vec::new(),
            };
            self.sources.insert(place, new);
            place
        });
        let Some(of) = self.sources.get_mut(place) else {
            return;
        };
        of.latest = now;
        if let Some((_, at)) = of.kids.iter_mut().find(|(known, _)| *known == kid) {
            *at = now;
        } else if of.kids.len() < MAX_KIDS {
            of.kids.push((kid, now));
        }
    }

    /// The sources, in order, each with the time at which a `kid` was last needed.
    pub(super) fn needed(&self) -> Vec<(SourceId, UnixTime)> {
        let sources = self.sources.iter();
        sources.map(|of| (of.source, of.latest)).collect()
    }

    /// Forgets the `kid`s of a source whose keys have changed. Returns those that the new
    /// keys lack although the issuer published these at `as_of`, later than a request
    /// needed the `kid`.
    pub(super) fn answered(
        &mut self,
        source: SourceId,
        keys: &KeySet,
        as_of: UnixTime,
    ) -> Vec<KidDigest> {
        let known = self.sources.binary_search_by_key(&source, |of| of.source);
        let Ok(place) = known else { return Vec::new() };
        let kids = self.sources.remove(place).kids;
        let asked_before = kids.into_iter().filter(|(_, at)| as_of >= *at);
        let absent = asked_before.filter(|(kid, _)| keys.has_no_key_for(kid));
        absent.map(|(kid, _)| kid).collect()
    }

    /// Limits all times to `now` after the clock was set back.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        for of in &mut self.sources {
            of.latest = of.latest.min(now);
            for (_, at) in &mut of.kids {
                *at = (*at).min(now);
            }
        }
    }
}
