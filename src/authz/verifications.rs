//! The results of a token's verification.

use std::sync::Arc;

use crate::jwt::VerifiedJwt;
use crate::policy::ProviderId;

/// The results of the verification of one token: at least one, and at most one for each
/// provider.
#[derive(Clone, Debug)]
pub struct Verifications {
    first: (ProviderId, Arc<VerifiedJwt>),
    others: Vec<(ProviderId, Arc<VerifiedJwt>)>,
}

impl Verifications {
    /// The result for a token that was verified for one provider.
    #[must_use]
    pub const fn new(provider: ProviderId, jwt: Arc<VerifiedJwt>) -> Self {
        Self {
            first: (provider, jwt),
            others: Vec::new(),
        }
    }

    /// The verified token of the provider that was added first.
    #[must_use]
    pub const fn first(&self) -> &Arc<VerifiedJwt> {
        &self.first.1
    }

    /// All results, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &(ProviderId, Arc<VerifiedJwt>)> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// These results and another one. It replaces an earlier result for the same
    /// provider.
    #[must_use]
    pub fn with(&self, provider: ProviderId, jwt: Arc<VerifiedJwt>) -> Self {
        let others = self.retained(|known, _| known != provider);
        match others {
            Some(mut all) => {
                all.others.push((provider, jwt));
                all
            }
            None => Self::new(provider, jwt),
        }
    }

    /// The results that `counts` accepts. `None` if there are none.
    #[must_use]
    pub fn retained(&self, counts: impl Fn(ProviderId, &VerifiedJwt) -> bool) -> Option<Self> {
        let mut kept = self.iter().filter(|(id, jwt)| counts(*id, jwt)).cloned();
        Some(Self {
            first: kept.next()?,
            others: kept.collect(),
        })
    }

    /// The number of results, which is at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always a result")]
    pub fn len(&self) -> usize {
        self.others.len().saturating_add(1)
    }
}
