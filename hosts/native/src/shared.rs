//! The data of key sources that all configurations of the process share. A configuration
//! that replaces another has the keys at once, even if the issuer is unavailable.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lock::locked;
use edge_authz::engine::{NotSet, SharedData, Unavailable};

/// The maximum size of all values together, in bytes. Entries outlive configurations,
/// because a later one may need them. Beyond the bound, configurations do not share keys.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// The size of an entry without its value, in bytes.
const ENTRY_BYTES: usize = 256;

/// The data of the process. Only the main thread uses it.
#[derive(Debug)]
pub struct Shared {
    entries: Mutex<Entries>,
    most: usize,
}

#[derive(Debug)]
struct Entries {
    /// Each value, with the number of its last change, which is never 0.
    all: BTreeMap<Box<str>, (Vec<u8>, u32)>,
    bytes: usize,
}

/// The data of the process.
pub static SHARED: Shared = Shared::new(MAX_BYTES);

impl Shared {
    /// Creates shared data without entries, for this many bytes.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            entries: Mutex::new(Entries {
                all: BTreeMap::new(),
                bytes: 0,
            }),
            most,
        }
    }
}

impl SharedData for Shared {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        Ok(locked(&self.entries).all.get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet> {
        let mut entries = locked(&self.entries);
        let known = entries.all.get(key);
        let (former, number) = match known {
            Some((former, number)) => (former.len().saturating_add(ENTRY_BYTES), *number),
            None => (0, 0),
        };
        if known.is_some() && last_change.is_some_and(|change| change != number) {
            return Err(NotSet::Changed);
        }
        let needed = value.len().saturating_add(ENTRY_BYTES);
        let bytes = entries.bytes.saturating_sub(former).saturating_add(needed);
        if bytes > self.most {
            return Err(NotSet::Unavailable);
        }
        entries.bytes = bytes;
        let number = number.wrapping_add(1).max(1);
        entries.all.insert(key.into(), (value.to_vec(), number));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_changed_only_with_its_change_number() {
        let shared = Shared::new(MAX_BYTES);
        assert_eq!(shared.get("a"), Ok(None));
        // A missing entry can be set with any number.
        shared.set("a", b"1", Some(u32::MAX)).unwrap();
        let (value, first) = shared.get("a").unwrap().unwrap();
        assert_eq!(value, b"1");
        assert_ne!(first, 0);
        assert_eq!(shared.set("a", b"2", Some(u32::MAX)), Err(NotSet::Changed));
        shared.set("a", b"2", Some(first)).unwrap();
        assert_eq!(shared.set("a", b"3", Some(first)), Err(NotSet::Changed));
        shared.set("a", b"3", None).unwrap();
        assert_eq!(shared.get("a").unwrap().unwrap().0, b"3");
        assert_eq!(shared.get("b"), Ok(None));
    }

    #[test]
    fn beyond_the_limit_nothing_is_set_and_existing_values_stay() {
        let shared = Shared::new(2 * ENTRY_BYTES + 10);
        shared.set("a", &[1; 5], None).unwrap();
        shared.set("b", &[2; 5], None).unwrap();
        assert_eq!(shared.set("a", &[1; 6], None), Err(NotSet::Unavailable));
        assert_eq!(shared.set("c", &[], None), Err(NotSet::Unavailable));
        assert_eq!(shared.get("a").unwrap().unwrap().0, [1; 5]);
        shared.set("a", &[1; 4], None).unwrap();
        shared.set("b", &[2; 6], None).unwrap();
    }
}
