//! The `kid`s that were asked for lately and do not exist.

use std::collections::VecDeque;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::time::UnixTime;

/// How many are remembered.
const MOST: usize = 64;
/// How long.
const LIFE: Duration = Duration::from_secs(10);

/// A `kid` is as long as its token lets it be; its digest is not, and nobody
/// finds another of the same.
type Digest = [u8; 32];

/// The last 64 `kid`s found absent, for ten seconds each: the tokens of a
/// withdrawn key are refused at once and crowd no one out.
///
/// A newer set may have one of them. Then the key is found, and nobody asks
/// here.
#[derive(Debug, Default)]
pub struct AbsentKids {
    found: VecDeque<(Digest, UnixTime)>,
}

impl AbsentKids {
    /// Remembers that a set fetched after it was asked for lacks `kid`.
    pub fn insert(&mut self, kid: &str, now: UnixTime) {
        let digest = digest(kid);
        self.found.retain(|(known, _)| *known != digest);
        if self.found.len() >= MOST {
            self.found.pop_front();
        }
        self.found.push_back((digest, now));
    }

    /// Whether `kid` was found absent lately.
    #[must_use]
    pub fn contains(&self, kid: &str, now: UnixTime) -> bool {
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < LIFE;
        if !self.found.iter().any(|(_, at)| recent(*at)) {
            return false;
        }
        let digest = digest(kid);
        self.found
            .iter()
            .any(|(known, at)| *known == digest && recent(*at))
    }
}

fn digest(kid: &str) -> Digest {
    Sha256::digest(kid).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kid_is_absent_for_ten_seconds() {
        let mut absent = AbsentKids::default();
        absent.insert("a", UnixTime::from_secs(100));
        assert!(absent.contains("a", UnixTime::from_secs(100)));
        assert!(absent.contains("a", UnixTime::from_secs(109)));
        assert!(!absent.contains("a", UnixTime::from_secs(110)));
        assert!(!absent.contains("a", UnixTime::from_secs(99)));
        assert!(!absent.contains("b", UnixTime::from_secs(100)));
    }

    #[test]
    fn the_oldest_of_more_than_64_is_forgotten() {
        let mut absent = AbsentKids::default();
        for n in 0..65 {
            absent.insert(&n.to_string(), UnixTime::EPOCH);
        }
        assert!(!absent.contains("0", UnixTime::EPOCH));
        assert!(absent.contains("1", UnixTime::EPOCH));
        assert!(absent.contains("64", UnixTime::EPOCH));
    }
}
