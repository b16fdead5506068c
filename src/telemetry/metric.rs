//! The metrics. Their names are stable: dashboards depend on them.

use std::sync::Arc;

use super::{Family, MetricKind, Reason, Series};

/// The identity of a counter or gauge, without a value.
///
/// The host never frees a metric, so every name comes from a closed set:
/// reasons, results, and the names of the configured providers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Counter `edge_authz.requests.<reason>.<provider>`; `none` if no provider
    /// took part.
    Requests {
        /// The reason of the decision.
        reason: Reason,
        /// The provider of the token.
        provider: Option<Arc<str>>,
    },
    /// Counter `edge_authz.reported.<reason>.<provider>`: requests that passed only
    /// because their refusals are not enforced.
    Reported {
        /// The reason for which the request would have been refused.
        reason: Reason,
        /// The provider of the token.
        provider: Option<Arc<str>>,
    },
    /// Counter `edge_authz.key_fetches.<provider>.<result>`.
    KeyFetches {
        /// The provider whose name the key source has.
        provider: Arc<str>,
        /// How the fetch ended.
        result: FetchResult,
    },
    /// Gauge `edge_authz.keys.<provider>`: usable keys.
    Keys {
        /// The provider.
        provider: Arc<str>,
    },
    /// Gauge `edge_authz.key_age_seconds.<provider>`: seconds since the last
    /// successful fetch.
    KeyAge {
        /// The provider.
        provider: Arc<str>,
    },
    /// Gauge `edge_authz.revoked_entries.<provider>`: entries of the revocation list.
    RevokedEntries {
        /// The provider.
        provider: Arc<str>,
    },
    /// Gauge `edge_authz.revoked_age_seconds.<provider>`: seconds since the last
    /// successful fetch of the revocation list.
    RevokedAge {
        /// The provider.
        provider: Arc<str>,
    },
    /// Gauge `edge_authz.waiting_requests`: requests that wait for keys or a revocation
    /// list, in all workers together.
    WaitingRequests,
    /// Counter `edge_authz.token_cache.<hit|miss>`.
    TokenCache(CacheResult),
    /// Counter `edge_authz.identity_dropped.<provider>`: headers left out
    /// because a value could not be sent in a header.
    IdentityDropped {
        /// The provider of the token.
        provider: Arc<str>,
    },
    /// Counter `edge_authz.dpop_proofs_forgotten`: proofs of possession that could be used
    /// again, because the memory of used proofs was full.
    ProofsForgotten,
}

impl Metric {
    /// Whether it is a counter or a gauge.
    #[must_use]
    pub const fn kind(&self) -> MetricKind {
        self.family().kind()
    }

    const fn family(&self) -> Family {
        match self {
            Self::Requests { .. } => Family::Requests,
            Self::Reported { .. } => Family::Reported,
            Self::KeyFetches { .. } => Family::KeyFetches,
            Self::Keys { .. } => Family::Keys,
            Self::KeyAge { .. } => Family::KeyAge,
            Self::RevokedEntries { .. } => Family::RevokedEntries,
            Self::RevokedAge { .. } => Family::RevokedAge,
            Self::WaitingRequests => Family::WaitingRequests,
            Self::TokenCache(_) => Family::TokenCache,
            Self::IdentityDropped { .. } => Family::IdentityDropped,
            Self::ProofsForgotten => Family::ProofsForgotten,
        }
    }

    /// The metric by its labels, for hosts that have them.
    #[must_use]
    pub fn series(&self) -> Series<'_> {
        let values = match self {
            Self::Requests { reason, provider } | Self::Reported { reason, provider } => {
                [reason.name(), provider.as_deref().unwrap_or("none")]
            }
            Self::KeyFetches { provider, result } => [&**provider, result.name()],
            Self::Keys { provider }
            | Self::KeyAge { provider }
            | Self::RevokedEntries { provider }
            | Self::RevokedAge { provider }
            | Self::IdentityDropped { provider } => [&**provider, ""],
            Self::WaitingRequests | Self::ProofsForgotten => ["", ""],
            Self::TokenCache(CacheResult::Hit) => ["hit", ""],
            Self::TokenCache(CacheResult::Miss) => ["miss", ""],
        };
        Series {
            family: self.family(),
            values,
        }
    }

    /// The full, stable name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Requests { reason, provider } => {
                by_reason("requests", *reason, provider.as_deref())
            }
            Self::Reported { reason, provider } => {
                by_reason("reported", *reason, provider.as_deref())
            }
            Self::KeyFetches { provider, result } => {
                format!("edge_authz.key_fetches.{provider}.{}", result.name())
            }
            Self::Keys { provider } => format!("edge_authz.keys.{provider}"),
            Self::KeyAge { provider } => format!("edge_authz.key_age_seconds.{provider}"),
            Self::RevokedEntries { provider } => format!("edge_authz.revoked_entries.{provider}"),
            Self::RevokedAge { provider } => format!("edge_authz.revoked_age_seconds.{provider}"),
            Self::WaitingRequests => "edge_authz.waiting_requests".to_owned(),
            Self::TokenCache(CacheResult::Hit) => "edge_authz.token_cache.hit".to_owned(),
            Self::TokenCache(CacheResult::Miss) => "edge_authz.token_cache.miss".to_owned(),
            Self::IdentityDropped { provider } => {
                format!("edge_authz.identity_dropped.{provider}")
            }
            Self::ProofsForgotten => "edge_authz.dpop_proofs_forgotten".to_owned(),
        }
    }
}

fn by_reason(family: &str, reason: Reason, provider: Option<&str>) -> String {
    let provider = provider.unwrap_or("none");
    format!("edge_authz.{family}.{}.{provider}", reason.name())
}

/// The change of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds this amount, which is negative only for gauges.
    Add(i64),
    /// Sets the value, for gauges only.
    Set(u64),
}

impl Change {
    /// Combines this change with a later one of the same metric.
    #[must_use]
    pub const fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Add(earlier), Self::Add(later)) => Self::Add(earlier.saturating_add(later)),
            (Self::Set(value), Self::Add(later)) => Self::Set(value.saturating_add_signed(later)),
            (_, later @ Self::Set(_)) => later,
        }
    }

    /// Whether it changes nothing, as when the number of waiting requests is
    /// unchanged.
    #[must_use]
    pub const fn is_none(self) -> bool {
        matches!(self, Self::Add(0))
    }
}

/// A metric and its change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// The metric.
    pub metric: Metric,
    /// Its change.
    pub change: Change,
}

impl Measurement {
    /// Increments a counter.
    #[must_use]
    pub const fn count(counter: Metric) -> Self {
        Self {
            metric: counter,
            change: Change::Add(1),
        }
    }

    /// Sets a gauge.
    #[must_use]
    pub const fn set(gauge: Metric, value: u64) -> Self {
        Self {
            metric: gauge,
            change: Change::Set(value),
        }
    }

    /// Changes the number of waiting requests.
    #[must_use]
    pub const fn waiting(change: i64) -> Self {
        Self {
            metric: Metric::WaitingRequests,
            change: Change::Add(change),
        }
    }

    /// Counts a hit or a miss of the token cache.
    #[must_use]
    pub const fn token_cache(hit: bool) -> Self {
        Self::count(Metric::TokenCache(if hit {
            CacheResult::Hit
        } else {
            CacheResult::Miss
        }))
    }
}

/// How a fetch of keys ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FetchResult {
    /// It returned a key set with at least one usable key.
    Success,
    /// Any other result.
    Failure,
}

impl FetchResult {
    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// The result of a look-up in the token cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheResult {
    /// The token was cached.
    Hit,
    /// The token was not cached, or no longer.
    Miss,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_one_identity_with_and_without_labels() {
        let provider: Arc<str> = "p".into();
        let result = FetchResult::Failure;
        let reason = Reason::Expired;
        for metric in [
            Metric::Requests {
                reason,
                provider: Some(Arc::clone(&provider)),
            },
            Metric::Requests {
                reason,
                provider: None,
            },
            Metric::Reported {
                reason,
                provider: Some(Arc::clone(&provider)),
            },
            Metric::Reported {
                reason,
                provider: None,
            },
            Metric::KeyFetches {
                provider: Arc::clone(&provider),
                result,
            },
            Metric::Keys {
                provider: Arc::clone(&provider),
            },
            Metric::KeyAge {
                provider: Arc::clone(&provider),
            },
            Metric::RevokedEntries {
                provider: Arc::clone(&provider),
            },
            Metric::RevokedAge {
                provider: Arc::clone(&provider),
            },
            Metric::WaitingRequests,
            Metric::TokenCache(CacheResult::Hit),
            Metric::TokenCache(CacheResult::Miss),
            Metric::IdentityDropped { provider },
            Metric::ProofsForgotten,
        ] {
            let Series { family, values } = metric.series();
            let values = values.into_iter().take(family.labels().len());
            let parts: Vec<_> = std::iter::once(family.name()).chain(values).collect();
            let dotted = metric.name().replacen('.', "_", 1);
            assert_eq!(parts.join("."), dotted);
            assert_eq!(family.kind(), metric.kind());
            assert!(Family::ALL.contains(&family));
        }
    }

    #[test]
    fn changes_add_up_and_a_value_that_is_set_replaces_what_was_before() {
        let (up, down, set) = (Change::Add(3), Change::Add(-3), Change::Set(7));
        assert_eq!(up.then(Change::Add(4)), Change::Add(7));
        assert!(up.then(down).is_none());
        assert_eq!(up.then(set), set);
        assert_eq!(set.then(down), Change::Set(4));
        assert_eq!(Change::Set(1).then(down), Change::Set(0));
        assert_eq!(set.then(Change::Set(0)), Change::Set(0));
        assert!(!Change::Set(0).is_none());
        let most = Change::Add(i64::MAX);
        assert_eq!(most.then(most), most);
    }
}
