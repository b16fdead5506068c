//! Key sets and revocation lists from files, instead of fetched ones.

use std::collections::BTreeMap;

use edge_authz::authz::{CurrentKeys, Keys, Remembered, Verifications};
use edge_authz::jwk::{self, AskedKid, KeySet};
use edge_authz::policy::{Policy, Provider, ProviderKeys, SourceId};
use edge_authz::revocation::RevocationList;
use edge_authz::time::UnixTime;
use std::sync::Arc;

/// The given documents, as if they had just been fetched.
#[derive(Debug)]
pub(crate) struct DocumentFiles {
    sets: BTreeMap<SourceId, KeySet>,
    lists: BTreeMap<SourceId, RevocationList>,
    now: UnixTime,
    /// Notes about keys that cannot be used.
    pub(crate) notes: Vec<String>,
}

impl DocumentFiles {
    /// No documents.
    pub(crate) fn new(now: UnixTime) -> Self {
        Self {
            sets: BTreeMap::new(),
            lists: BTreeMap::new(),
            now,
            notes: Vec::new(),
        }
    }

    /// Adds a provider's key set.
    ///
    /// # Errors
    ///
    /// The provider does not exist or fetches no keys, or the file is not a key set.
    pub(crate) fn add_keys(
        &mut self,
        policy: &Policy,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), String> {
        let provider = find(policy, name)?;
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

    /// Adds a provider's revocation list.
    ///
    /// # Errors
    ///
    /// The provider does not exist or has no list, or the file is not a list.
    pub(crate) fn add_list(
        &mut self,
        policy: &Policy,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), String> {
        let source = find(policy, name)?.revoked;
        let source = source.ok_or_else(|| format!("provider `{name}` has no `revoked`"))?;
        let list = RevocationList::parse(bytes, None)
            .map_err(|error| format!("the revocation list of `{name}`: {error}"))?;
        self.lists.insert(source, list);
        Ok(())
    }
}

fn find<'p>(policy: &'p Policy, name: &str) -> Result<&'p Provider, String> {
    let mut providers = policy.providers.iter();
    let found = providers.find(|(_, provider)| &*provider.name == name);
    let (_, provider) =
        found.ok_or_else(|| format!("the configuration has no provider `{name}`"))?;
    Ok(provider)
}

impl Keys for DocumentFiles {
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>> {
        let set = self.sets.get(&source)?;
        Some(CurrentKeys {
            set,
            fetch_started_at: self.now,
            as_of: self.now,
        })
    }

    fn revocation_list(&self, source: SourceId) -> Option<&RevocationList> {
        self.lists.get(&source)
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
