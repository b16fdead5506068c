//! The `kid`s that were found absent recently.

use std::collections::VecDeque;
use std::time::Duration;

use crate::jwk::{AskedKid, KidDigest};
use crate::time::UnixTime;

/// The maximum number of stored `kid`s.
const MAX_KIDS: usize = 64;
/// How long a `kid` is stored.
const LIFETIME: Duration = Duration::from_secs(10);

/// The last 64 `kid`s that were found absent, for ten seconds each. The tokens of a
/// withdrawn key are refused at once and use no place in the queue.
///
/// If a newer set has such a `kid`, the key is found first and this list is not
/// consulted.
#[derive(Debug, Default)]
pub struct AbsentKids {
    found: VecDeque<(KidDigest, UnixTime)>,
}

impl AbsentKids {
    /// Records that a set lacks `kid` although it was fetched after a request needed it.
    pub fn insert(&mut self, digest: KidDigest, now: UnixTime) {
        self.found.retain(|(known, _)| *known != digest);
        if self.found.len() >= MAX_KIDS {
            self.found.pop_front();
        }
        self.found.push_back((digest, now));
    }

    /// Whether `kid` was found absent recently.
    #[must_use]
    pub fn contains(&self, kid: &AskedKid<'_>, now: UnixTime) -> bool {
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < LIFETIME;
        if !self.found.iter().any(|(_, at)| recent(*at)) {
            return false;
        }
        let digest = kid.digest();
        self.found
            .iter()
            .any(|(known, at)| known == digest && recent(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kid(text: &str) -> AskedKid<'_> {
        AskedKid::new(text)
    }

    #[test]
    fn a_kid_is_absent_for_ten_seconds() {
        let mut absent = AbsentKids::default();
        absent.insert(*kid("a").digest(), UnixTime::from_secs(100));
        assert!(absent.contains(&kid("a"), UnixTime::from_secs(100)));
        assert!(absent.contains(&kid("a"), UnixTime::from_secs(109)));
        assert!(!absent.contains(&kid("a"), UnixTime::from_secs(110)));
        assert!(!absent.contains(&kid("a"), UnixTime::from_secs(99)));
        assert!(!absent.contains(&kid("b"), UnixTime::from_secs(100)));
    }

    #[test]
    fn the_oldest_of_more_than_64_is_forgotten() {
        let mut absent = AbsentKids::default();
        for n in 0..65 {
            absent.insert(*kid(&n.to_string()).digest(), UnixTime::EPOCH);
        }
        assert!(!absent.contains(&kid("0"), UnixTime::EPOCH));
        assert!(absent.contains(&kid("1"), UnixTime::EPOCH));
        assert!(absent.contains(&kid("64"), UnixTime::EPOCH));
    }
}
