//! What a listener gives up when a newer configuration takes over: what can be
//! done without.
//!
//! The requests that it has go on as before, but for the time that their
//! signatures take. Nothing tells for certain that a listener was superseded:
//! one that proves to be in use takes everything again.

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
    /// The tables were given up; so many signatures were checked since.
    GivenUp(usize),
    /// They are made again, for one key set a tick, of which this is the next.
    Next(usize),
}

impl Tables {
    /// A signature was checked.
    pub(super) fn count(&mut self) {
        if let Self::GivenUp(checks) = self {
            *checks = checks.saturating_add(1);
            if *checks >= CHECKS {
                *self = Self::Next(0);
            }
        }
    }
}

impl Engine {
    /// Gives up the tokens that are remembered, and the tables that make checks
    /// fast where no other listener has the same keys. Requests that wait go on
    /// waiting.
    pub fn give_up_memory(&mut self) {
        self.tokens.clear();
        for set in inline_sets(&self.policy) {
            set.give_up_tables();
        }
        self.keys.give_up_tables();
        self.tables = Tables::GivenUp(0);
    }

    /// What remembered tokens take, in bytes: the larger part of what can be
    /// given up.
    #[must_use]
    pub fn remembered_bytes(&self) -> usize {
        self.tokens.bytes()
    }

    /// Gives memory to other listeners that ask for it, and takes back what was
    /// given up in vain.
    pub(super) fn share_memory(&mut self) {
        self.tokens.give_way();
        let Tables::Next(next) = self.tables else {
            return;
        };
        let mut sets = inline_sets(&self.policy);
        let inline = sets.by_ref().take(next).count();
        let is_last = match sets.next() {
            Some(set) => {
                set.prepare();
                false
            }
            None => !self.keys.make_tables(next.saturating_sub(inline)),
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
