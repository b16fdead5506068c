//! Key sets from files, instead of fetched ones.

use std::collections::BTreeMap;

use edge_authz::authz::{CurrentKeys, Keys, Remembered, Verifications};
use edge_authz::jwk::{self, AskedKid, KeySet};
use edge_authz::policy::{Policy, ProviderKeys, SourceId};
use edge_authz::time::UnixTime;
use std::sync::Arc;

/// The given key sets, as if they had just been fetched.
#[derive(Debug)]
pub(crate) struct KeyFiles {
    sets: BTreeMap<SourceId, KeySet>,
    now: UnixTime,
    /// Notes about keys that cannot be used.
    pub(crate) notes: Vec<String>,
}

impl KeyFiles {
    /// No key sets.
    pub(crate) fn new(now: UnixTime) -> Self {
        Self {
            sets: BTreeMap::new(),
            now,
            notes: Vec::new(),
        }
    }

    /// Adds a provider's key set.
    ///
    /// # Errors
    ///
    /// The provider does not exist or fetches no keys, or the file is not a key set.
    pub(crate) fn add(&mut self, policy: &Policy, name: &str, bytes: &[u8]) -> Result<(), String> {
        let mut providers = policy.providers.iter();
        let (_, provider) = providers
            .find(|(_, provider)| &*provider.name == name)
            .ok_or_else(|| format!("the configuration has no provider `{name}`"))?;
        let ProviderKeys::Fetched(source) = &provider.keys else {
            return Err(format!("the keys of `{name}` are in the configuration"));
        };
        let parsed = KeySet::parse(bytes, jwk::KeyOrigin::Fetched)
            .map_err(|error| format!("the key set of `{name}`: {error}"))?;
        let skipped = parsed.skipped.iter();
        self.notes
            .extend(skipped.map(|key| format!("key set of `{name}`: {key}; left out")));
        self.sets.insert(*source, parsed.set);
        Ok(())
    }
}

impl Keys for KeyFiles {
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>> {
        let set = self.sets.get(&source)?;
        Some(CurrentKeys {
            set,
            fetch_started_at: self.now,
            as_of: self.now,
        })
    }

    fn is_absent(&self, _: SourceId, _: &AskedKid<'_>) -> bool {
        false
    }
}

/// A command has no token cache.
#[derive(Debug)]
pub(crate) struct NothingRemembered;

impl Remembered for NothingRemembered {
    fn recall(&self, _: &[u8]) -> Option<Arc<Verifications>> {
        None
    }
}
