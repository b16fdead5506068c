//! The log events. None is written for a single request while an issuer is
//! down: an outage would fill the disk.

use std::fmt;
use std::rc::Rc;

use super::Reason;
use crate::jwk::SkipReason;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One request's decision.
    Debug,
    /// Things that happen in good order: keys taken, keys rotated.
    Info,
    /// Something needs a look: a fetch failed, a key is unusable.
    Warn,
    /// Requests are refused that should not be.
    Error,
}

/// Something worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was refused.
    Refused {
        /// Why.
        reason: Reason,
        /// The route, as configured.
        route: Option<Rc<str>>,
        /// The provider, as configured.
        provider: Option<Rc<str>>,
    },
    /// A new key set was taken.
    KeysTaken {
        /// A provider of the key source.
        provider: Rc<str>,
        /// Keys that can be used.
        usable: usize,
        /// Keys that were skipped.
        skipped: usize,
    },
    /// A key of a fetched set cannot be used.
    KeySkipped {
        /// A provider of the key source.
        provider: Rc<str>,
        /// The key's place in the set, from 0.
        index: usize,
        /// Why.
        reason: SkipReason,
    },
    /// A fetch failed.
    FetchFailed {
        /// A provider of the key source.
        provider: Rc<str>,
        /// What was wrong.
        failure: FetchFailure,
        /// Whether keys still serve.
        serving: bool,
        /// Seconds until the next try.
        retry_in: u64,
    },
    /// The last good keys are older than `max_stale`: tokens are refused.
    KeysTooOld {
        /// A provider of the key source.
        provider: Rc<str>,
    },
}

impl Event {
    /// How much it matters.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Refused { .. } => Level::Debug,
            Self::KeysTaken { .. } => Level::Info,
            Self::KeySkipped { .. } => Level::Warn,
            Self::FetchFailed { serving, .. } => {
                if *serving {
                    Level::Warn
                } else {
                    Level::Error
                }
            }
            Self::KeysTooOld { .. } => Level::Error,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                reason,
                route,
                provider,
            } => {
                write!(f, "refused: {}", reason.name())?;
                if let Some(route) = route {
                    write!(f, ", route `{route}`")?;
                }
                if let Some(provider) = provider {
                    write!(f, ", provider `{provider}`")?;
                }
                Ok(())
            }
            Self::KeysTaken {
                provider,
                usable,
                skipped,
            } => {
                write!(
                    f,
                    "provider `{provider}`: took {usable} keys, skipped {skipped}"
                )
            }
            Self::KeySkipped {
                provider,
                index,
                reason,
            } => {
                write!(
                    f,
                    "provider `{provider}`: key {index} of the set is not used: {reason}"
                )
            }
            Self::FetchFailed {
                provider,
                failure,
                serving,
                retry_in,
            } => {
                write!(
                    f,
                    "provider `{provider}`: fetching keys failed: {failure}; "
                )?;
                if *serving {
                    write!(f, "the last good keys serve")?;
                } else {
                    write!(f, "no keys serve, its tokens are answered 503")?;
                }
                write!(f, "; next try in {retry_in} s")
            }
            Self::KeysTooOld { provider } => write!(
                f,
                "provider `{provider}`: the last good keys are older than `max_stale`; \
                 its tokens are answered 503 until a fetch succeeds"
            ),
        }
    }
}

/// Why a fetch brought no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FetchFailure {
    /// The host would not send the request: the cluster is unknown or empty.
    NotSent,
    /// The connection failed or was reset, or the answer was too large for the host.
    NoAnswer,
    /// The answer had this status instead of 200.
    Status(u16),
    /// The answer's content is encoded; keys are fetched as they are.
    Encoded,
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// The body is not a JWK Set.
    NotAKeySet,
    /// The set has no key that can be used.
    NoUsableKey,
    /// The body is not the issuer's metadata.
    NotMetadata,
    /// The metadata is another issuer's.
    OtherIssuer,
    /// The metadata's `jwks_uri` is missing, malformed or at a host that is
    /// not configured.
    BadKeySetUri,
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent => f.write_str("the cluster is unknown or has no endpoint"),
            Self::NoAnswer => f.write_str("no whole answer came"),
            Self::Status(status) => write!(f, "the answer's status is {status}, not 200"),
            Self::Encoded => f.write_str("the answer has a content-encoding"),
            Self::TooLarge(limit) => write!(f, "the answer is larger than {limit} bytes"),
            Self::NotAKeySet => f.write_str("the answer is not a JWK Set"),
            Self::NoUsableKey => f.write_str("no key of the set can be used"),
            Self::NotMetadata => f.write_str("the answer is not the issuer's metadata"),
            Self::OtherIssuer => {
                f.write_str("the metadata's `issuer` differs from the configured one")
            }
            Self::BadKeySetUri => f.write_str(
                "the metadata's `jwks_uri` is at a host that is neither the issuer's nor in `jwks.hosts`",
            ),
        }
    }
}
