//! Trusted token issuers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SourceId;
use crate::crypto::AlgorithmSet;
use crate::dpop::ProofRules;
use crate::jwk::KeySet;
use crate::jwt::Expectations;
use crate::rules::ClaimName;

/// The index of a provider in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(usize);

impl ProviderId {
    /// The provider at `index` of the list.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// Its index in the list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A trusted issuer, and the requirements on its tokens.
#[derive(Debug)]
pub struct Provider {
    /// The name that rules, metrics and logs use: `[a-z0-9_-]{1,64}`.
    pub name: Arc<str>,
    /// Where its keys are.
    pub keys: ProviderKeys,
    /// Where its revocation list is. `None` if its tokens cannot be revoked.
    pub revoked: Option<SourceId>,
    /// The algorithms that its tokens may be signed with.
    pub algorithms: AlgorithmSet,
    /// The requirements on each of its tokens, the issuer included.
    pub expectations: Expectations,
    /// The claims that hold scopes. The scopes of all of them count.
    pub scope_claims: Vec<ClaimName>,
    /// The rules for proofs of possession (`DPoP`). `None` means that no proof is accepted.
    pub dpop: Option<ProofRules>,
}

/// Where a provider's keys are.
#[derive(Debug)]
pub enum ProviderKeys {
    /// In the configuration. An unknown `kid` is final.
    Inline(KeySet),
    /// Fetched and refreshed.
    Fetched(SourceId),
}

/// The trusted issuers, in the configured order. If several trust the same
/// issuer, the first that accepts a token counts.
#[derive(Debug, Default)]
pub struct Providers {
    list: Vec<Provider>,
    by_issuer: BTreeMap<Arc<str>, Vec<ProviderId>>,
    accept_proofs: bool,
}

impl Providers {
    /// The providers of a policy.
    #[must_use]
    pub fn new(list: Vec<Provider>) -> Self {
        let mut by_issuer: BTreeMap<Arc<str>, Vec<ProviderId>> = BTreeMap::new();
        for (index, provider) in list.iter().enumerate() {
            let issuer = Arc::clone(&provider.expectations.issuer);
            by_issuer
                .entry(issuer)
                .or_default()
                .push(ProviderId::new(index));
        }
        Self {
            accept_proofs: list.iter().any(|provider| provider.dpop.is_some()),
            list,
            by_issuer,
        }
    }

    /// The provider of this id.
    #[must_use]
    pub fn get(&self, id: ProviderId) -> Option<&Provider> {
        self.list.get(id.index())
    }

    /// Whether some provider accepts proofs of possession (`DPoP`).
    #[must_use]
    pub const fn accept_proofs(&self) -> bool {
        self.accept_proofs
    }

    /// All providers, in the configured order.
    pub fn iter(&self) -> impl Iterator<Item = (ProviderId, &Provider)> {
        (0..).map(ProviderId::new).zip(&self.list)
    }

    /// The providers that trust `issuer`, in the configured order. The cost does
    /// not depend on how many issuers are trusted.
    pub fn of_issuer(&self, issuer: &str) -> impl Iterator<Item = (ProviderId, &Provider)> {
        let ids = self.by_issuer.get(issuer).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| Some((*id, self.get(*id)?)))
    }
}
