//! The families of metrics, for systems with labels.

#[cfg(doc)]
use super::Metric;

/// A metric by family and label values, for systems with labels. All metrics of one
/// family have the same labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series<'m> {
    /// The family, whose name is `edge_authz_<family>`.
    pub family: Family,
    /// The values of its [labels](Family::labels), in their order.
    pub values: [&'m str; 2],
}

/// Metrics that differ only in the values of their labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// [`Metric::Requests`].
    Requests,
    /// [`Metric::Reported`].
    Reported,
    /// [`Metric::KeyFetches`].
    KeyFetches,
    /// [`Metric::Keys`].
    Keys,
    /// [`Metric::KeyAge`].
    KeyAge,
    /// [`Metric::RevokedEntries`].
    RevokedEntries,
    /// [`Metric::RevokedAge`].
    RevokedAge,
    /// [`Metric::WaitingRequests`].
    WaitingRequests,
    /// [`Metric::TokenCache`].
    TokenCache,
    /// [`Metric::IdentityDropped`].
    IdentityDropped,
    /// [`Metric::ProofsForgotten`].
    ProofsForgotten,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Requests,
        Self::Reported,
        Self::KeyFetches,
        Self::Keys,
        Self::KeyAge,
        Self::RevokedEntries,
        Self::RevokedAge,
        Self::WaitingRequests,
        Self::TokenCache,
        Self::IdentityDropped,
        Self::ProofsForgotten,
    ];

    /// The full, stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "edge_authz_requests",
            Self::Reported => "edge_authz_reported",
            Self::KeyFetches => "edge_authz_key_fetches",
            Self::Keys => "edge_authz_keys",
            Self::KeyAge => "edge_authz_key_age_seconds",
            Self::RevokedEntries => "edge_authz_revoked_entries",
            Self::RevokedAge => "edge_authz_revoked_age_seconds",
            Self::WaitingRequests => "edge_authz_waiting_requests",
            Self::TokenCache => "edge_authz_token_cache",
            Self::IdentityDropped => "edge_authz_identity_dropped",
            Self::ProofsForgotten => "edge_authz_dpop_proofs_forgotten",
        }
    }

    /// The names of the labels.
    #[must_use]
    pub const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Requests | Self::Reported => &["reason", "provider"],
            Self::KeyFetches => &["provider", "result"],
            Self::Keys
            | Self::KeyAge
            | Self::RevokedEntries
            | Self::RevokedAge
            | Self::IdentityDropped => &["provider"],
            Self::WaitingRequests | Self::ProofsForgotten => &[],
            Self::TokenCache => &["result"],
        }
    }

    /// The type of its metrics.
    #[must_use]
    pub const fn kind(self) -> MetricKind {
        match self {
            Self::Requests
            | Self::Reported
            | Self::KeyFetches
            | Self::TokenCache
            | Self::IdentityDropped
            | Self::ProofsForgotten => MetricKind::Counter,
            Self::Keys
            | Self::KeyAge
            | Self::RevokedEntries
            | Self::RevokedAge
            | Self::WaitingRequests => MetricKind::Gauge,
        }
    }
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only increases.
    Counter,
    /// Increases, decreases, or is set.
    Gauge,
}
