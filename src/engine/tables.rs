//! The memory that a listener gives up when a newer configuration takes over.
//!
//! Its requests go on as before, but their signature checks take longer. No event
//! shows for certain that a listener was superseded: one that proves to be in use
//! builds its tables again.

use super::Engine;
use crate::jwk::KeySet;
use crate::policy::{Policy, ProviderKeys};

/// Signatures checked without tables before they are made again. By then the
/// checks have taken longer than making a table does.
const CHECKS: usize = 64;

/// Whether checks are fast.
#[derive(Debug, Default)]
pub(super) enum Tables {
    /// As fast as there is room for.
    #[default]
    Kept,
    /// The tables were given up, after so many signatures had been checked.
    GivenUp(usize),
    /// They are made again, for one key set a tick, of which this is the next.
    Next(usize),
}

impl Tables {
    /// So many signatures were checked until now.
    fn count(&mut self, checks: usize) {
        if let Self::GivenUp(before) = self
            && checks.saturating_sub(*before) >= CHECKS
        {
            *self = Self::Next(0);
        }
    }
}

impl Engine {
    /// Gives up the tokens that are remembered, and the tables that make checks
    /// fast where no other listener has the same keys. Requests that wait go on
    /// waiting.
    pub fn give_up_memory(&mut self) {
        self.judge.tokens.clear();
        for set in inline_sets(&self.judge.policy) {
            set.give_up_tables();
        }
        self.service.give_up_tables();
        self.tables = Tables::GivenUp(self.judge.checks);
    }

    /// What remembered tokens take, in bytes: the larger part of what can be
    /// given up.
    #[must_use]
    pub fn remembered_bytes(&self) -> usize {
        self.judge.tokens.bytes()
    }

    /// Builds the tables again in a listener that proves to be in use.
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
