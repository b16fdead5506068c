//! The metrics. Their names are stable: dashboards are built on them.

use std::sync::Arc;

use super::Reason;

/// What is measured. A counter goes up by one; a gauge carries its value.
///
/// The host never frees a metric, so every name comes from a closed set:
/// reasons, results, and the names of the configured providers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Counter `edge_authz.requests.<reason>.<provider>`; `none` where no
    /// provider took part.
    Requests {
        /// Why the request was decided as it was.
        reason: Reason,
        /// The provider whose token it was.
        provider: Option<Arc<str>>,
    },
    /// Counter `edge_authz.key_fetches.<provider>.<result>`.
    KeyFetches {
        /// The provider that names the key source.
        provider: Arc<str>,
        /// How the fetch ended.
        result: FetchResult,
    },
    /// Gauge `edge_authz.keys.<provider>`: usable keys.
    Keys {
        /// The provider.
        provider: Arc<str>,
        /// How many keys.
        count: u64,
    },
    /// Gauge `edge_authz.key_age_seconds.<provider>`: since the last good fetch.
    KeyAge {
        /// The provider.
        provider: Arc<str>,
        /// The age in seconds.
        seconds: u64,
    },
    /// Gauge `edge_authz.waiting_requests`, a change: requests that wait for
    /// keys, all workers together.
    WaitingRequests {
        /// How many more, or fewer, wait.
        change: i64,
    },
    /// Counter `edge_authz.token_cache.<hit|miss>`.
    TokenCache(CacheResult),
    /// Counter `edge_authz.identity_dropped.<provider>`: headers left absent
    /// because a value could not be sent as a header.
    IdentityDropped {
        /// The provider whose token it was.
        provider: Arc<str>,
    },
}

impl Metric {
    /// That a token was remembered, or not.
    #[must_use]
    pub const fn token_cache(hit: bool) -> Self {
        Self::TokenCache(if hit {
            CacheResult::Hit
        } else {
            CacheResult::Miss
        })
    }

    /// The full, stable name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Requests { reason, provider } => {
                let provider = provider.as_deref().unwrap_or("none");
                format!("edge_authz.requests.{}.{provider}", reason.name())
            }
            Self::KeyFetches { provider, result } => {
                format!("edge_authz.key_fetches.{provider}.{}", result.name())
            }
            Self::Keys { provider, .. } => format!("edge_authz.keys.{provider}"),
            Self::KeyAge { provider, .. } => format!("edge_authz.key_age_seconds.{provider}"),
            Self::WaitingRequests { .. } => "edge_authz.waiting_requests".to_owned(),
            Self::TokenCache(CacheResult::Hit) => "edge_authz.token_cache.hit".to_owned(),
            Self::TokenCache(CacheResult::Miss) => "edge_authz.token_cache.miss".to_owned(),
            Self::IdentityDropped { provider } => {
                format!("edge_authz.identity_dropped.{provider}")
            }
        }
    }
}

/// How a fetch of keys ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FetchResult {
    /// A key set with at least one usable key.
    Success,
    /// Anything else.
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

/// Whether a token was remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheResult {
    /// It had verified before.
    Hit,
    /// It had not, or no longer.
    Miss,
}
