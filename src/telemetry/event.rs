//! The log events. While an issuer is down, no event is written for each
//! request: an outage would fill the disk.

use std::fmt;
use std::sync::Arc;

use super::fetch_failure::NO_MEMORY;
use super::{FetchFailure, Reason, Shown};
use crate::cors::PreflightFault;
use crate::jwk::SkippedKeys;

/// The severity of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One request's decision.
    Debug,
    /// Expected events: keys accepted, keys rotated.
    Info,
    /// The operator should check something: a fetch failed, a key is unusable.
    Warn,
    /// Requests are refused that should be accepted.
    Error,
}

/// An event that is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was refused, or the browser will refuse it.
    Refused(Refused),
    /// A request would have been refused, and has passed because refusals are only
    /// reported.
    Reported(Refused),
    /// A new key set was accepted.
    KeysLoaded {
        /// A provider of the key source.
        provider: Arc<str>,
        /// Keys that can be used.
        usable: usize,
        /// Keys that were skipped.
        skipped: usize,
    },
    /// Some keys of a fetched set cannot be used, all for the same reason.
    KeysSkipped {
        /// A provider of the key source.
        provider: Arc<str>,
        /// The keys, and the reason.
        keys: SkippedKeys,
    },
    /// Further keys of a fetched set cannot be used, for so many reasons that
    /// they are not logged separately.
    MoreKeysSkipped {
        /// A provider of the key source.
        provider: Arc<str>,
        /// The number of keys.
        count: usize,
    },
    /// A fetch failed.
    FetchFailed {
        /// A provider of the key source.
        provider: Arc<str>,
        /// The target of the fetch.
        place: FetchPlace,
        /// The error.
        failure: FetchFailure,
        /// Whether keys are still used.
        serving: bool,
        /// Seconds until the next try.
        retry_in: u64,
    },
    /// There is no memory for keys that another worker fetched.
    NoMemoryForKeys {
        /// A provider of the key source.
        provider: Arc<str>,
    },
    /// The last good keys are older than `max_stale`: tokens are refused.
    KeysTooOld {
        /// A provider of the key source.
        provider: Arc<str>,
    },
}

/// A request that was refused, or would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// The route, as configured.
    pub route: Option<Arc<str>>,
    /// The provider, as configured.
    pub provider: Option<Arc<str>>,
    /// What a preflight requested and the policy does not allow.
    pub preflight: Vec<PreflightFault>,
    /// The steps of the decision in words. They contain nothing of the token.
    pub steps: Option<Box<str>>,
}

/// The target of a request for keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPlace {
    /// The URI, without the content of its query.
    pub uri: Shown,
    /// The proxy's cluster that it was sent through.
    pub cluster: Arc<str>,
}

impl fmt::Display for FetchPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} through the cluster `{}`", self.uri, self.cluster)
    }
}

impl Event {
    /// The severity.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Refused(_) | Self::Reported(_) => Level::Debug,
            Self::KeysLoaded { .. } => Level::Info,
            Self::KeysSkipped { .. } | Self::MoreKeysSkipped { .. } => Level::Warn,
            Self::FetchFailed { serving, .. } => {
                if *serving {
                    Level::Warn
                } else {
                    Level::Error
                }
            }
            Self::NoMemoryForKeys { .. } | Self::KeysTooOld { .. } => Level::Error,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.write("refused", f),
            Self::Reported(refused) => refused.write("reported", f),
            Self::KeysLoaded {
                provider,
                usable,
                skipped,
            } => {
                write!(
                    f,
                    "provider `{provider}`: loaded {usable} keys, skipped {skipped}"
                )
            }
            Self::KeysSkipped { provider, keys } => {
                write!(f, "provider `{provider}`: {keys}")
            }
            Self::MoreKeysSkipped { provider, count } => write!(
                f,
                "provider `{provider}`: {count} more keys of the set are not used, for other reasons"
            ),
            Self::FetchFailed {
                provider,
                place,
                failure,
                serving,
                retry_in,
            } => {
                write!(
                    f,
                    "provider `{provider}`: fetching keys failed: {place}: {failure}; "
                )?;
                if *serving {
                    write!(f, "the last good keys are used")?;
                } else {
                    write!(f, "no keys are available, its tokens are answered 503")?;
                }
                write!(f, "; next attempt in {retry_in} s")
            }
            Self::NoMemoryForKeys { provider } => {
                write!(
                    f,
                    "provider `{provider}`: {NO_MEMORY}; the previous keys are used"
                )
            }
            Self::KeysTooOld { provider } => write!(
                f,
                "provider `{provider}`: the last good keys are older than `max_stale`; \
                 its tokens are answered 503 until a fetch succeeds"
            ),
        }
    }
}

impl Refused {
    fn write(&self, what: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{what}: {}", self.reason.name())?;
        for (what, name) in [("route", &self.route), ("provider", &self.provider)] {
            let Some(name) = name else { continue };
            write!(f, ", {what} `{name}`")?;
        }
        for fault in &self.preflight {
            write!(f, "; {fault}")?;
        }
        if let Some(hint) = hint(self.reason) {
            write!(f, "; {hint}")?;
        }
        match &self.steps {
            Some(steps) => write!(f, "; steps: {steps}"),
            None => Ok(()),
        }
    }
}

/// The likely cause of a refusal that neither the reason's name nor the request
/// explains.
fn hint(reason: Reason) -> Option<&'static str> {
    const HINTS: [(Reason, &str); 5] = [
        (
            Reason::BoundToken,
            "the token has a `cnf` that cannot be checked: it has neither `x5t#S256` nor `jkt`, or it has `jkt` \
             and the provider has no `dpop`; with `binding: ignore` the provider takes it from whoever has it",
        ),
        (
            Reason::NoCertificate,
            "the token is bound to a client certificate, and the connection has none; the listener must ask for one",
        ),
        (
            Reason::DpopRequired,
            "the token is bound to a key, and was not presented with `Authorization: DPoP`",
        ),
        (
            Reason::DpopNotAccepted,
            "the scheme is `DPoP`, and the token is not bound to a key, or the provider has `binding: ignore`",
        ),
        (
            Reason::UnboundToken,
            "the token has no `cnf`, and the provider has `binding: required`",
        ),
    ];
    let known = HINTS.iter().find(|(known, _)| *known == reason);
    known.map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_bound_token_says_which_setting_decides() {
        let line = |reason| {
            let provider = Some(Arc::from("main"));
            let route = None;
            let refused = Refused {
                reason,
                route,
                provider,
                preflight: Vec::new(),
                steps: None,
            };
            Event::Refused(refused).to_string()
        };
        assert_eq!(
            line(Reason::BoundToken),
            "refused: bound_token, provider `main`; the token has a `cnf` that cannot be checked: it has neither \
             `x5t#S256` nor `jkt`, or it has `jkt` and the provider has no `dpop`; with `binding: ignore` the \
             provider takes it from whoever has it"
        );
        assert!(line(Reason::UnboundToken).ends_with("`binding: required`"));
        assert_eq!(line(Reason::Expired), "refused: expired, provider `main`");
    }
}
