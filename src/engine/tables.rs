//! The memory that a listener releases when a newer configuration replaces it.
//!
//! The requests of the old listener continue, but their signature checks take longer. No
//! event shows reliably that a listener was replaced, so a listener that is still in use
//! builds its tables again.

use super::Engine;
use crate::jwk::KeySet;
use crate::policy::{Policy, ProviderKeys};

/// The number of signature checks without tables before the tables are built again. By
/// then the checks have taken longer than building a table does.
const CHECKS: usize = 64;

/// The state of the precomputed tables.
#[derive(Debug, Default)]
pub(super) enum Tables {
    /// Tables are kept, within the memory available.
    #[default]
    Kept,
    /// The tables were released. The value is the number of signature checks until then.
    Dropped(usize),
    /// The tables are being built again, for one key set per tick. The value is the index
    /// of the next set.
    Next(usize),
}

impl Tables {
    /// Takes the number of signature checks so far into account.
    fn count(&mut self, checks: usize) {
        if let Self::Dropped(before) = self
            && checks.saturating_sub(*before) >= CHECKS
        {
            *self = Self::Next(0);
        }
    }
}

impl Engine {
    /// Releases the cached tokens, and the precomputed tables of keys that no other
    /// listener uses. Waiting requests continue to wait.
    pub fn release_memory(&mut self) {
        self.judge.tokens.clear();
        for set in inline_sets(&self.judge.policy) {
            set.drop_tables();
        }
        self.service.drop_tables();
        self.tables = Tables::Dropped(self.judge.checks);
    }

    /// The size of the cached tokens, in bytes. They are the larger part of the memory
    /// that can be released.
    #[must_use]
    pub fn cached_token_bytes(&self) -> usize {
        self.judge.tokens.bytes()
    }

    /// Builds the tables again if the listener is still in use.
    pub(super) fn make_tables(&mut self) {
        self.tables.count(self.judge.checks);
        let Tables::Next(next) = self.tables else {
            return;
        };
        let mut sets = inline_sets(&self.judge.policy);
        let inline = sets.by_ref().take(next).count();
        let is_last = match sets.next() {
            Some(set) => {
                set.prepare(self.judge.policy.table_budget);
                false
            }
            None => !self.service.make_tables(next.saturating_sub(inline)),
        };
        self.tables = if is_last {
            Tables::Kept
        } else {
            Tables::Next(next.saturating_add(1))
        };
    }
}

fn inline_sets(policy: &Policy) -> impl Iterator<Item = &KeySet> {
    policy
        .providers
        .iter()
        .filter_map(|(_, provider)| match &provider.keys {
            ProviderKeys::Inline(set) => Some(set),
            ProviderKeys::Fetched(_) => None,
        })
}
