//! The log events. While an issuer is down, no event is written for each
//! request: an outage would fill the disk.

use std::fmt;
use std::sync::Arc;

use super::fetch_failure::NO_MEMORY;
use super::{DocumentKind, FetchFailure, Reason, Shown};
use crate::cors::PreflightFault;
use crate::jwk::SkippedKeys;
use crate::revocation::{ListSize, MAX_ENTRIES, MAX_LIST_BYTES};

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
    /// A new revocation list was accepted.
    ListLoaded {
        /// A provider of the source.
        provider: Arc<str>,
        /// The number of different entries.
        entries: usize,
    },
    /// A revocation list has 80 % or more of the accepted size. It is logged for each
    /// fetch.
    ListNearLimit {
        /// A provider of the source.
        provider: Arc<str>,
        /// The size of the list.
        size: ListSize,
    },
    /// A fetch failed.
    FetchFailed {
        /// A provider of the source.
        provider: Arc<str>,
        /// The kind of the document.
        document: DocumentKind,
        /// The target of the fetch.
        place: FetchPlace,
        /// The error.
        failure: FetchFailure,
        /// Whether a former document is still used.
        serving: bool,
        /// Seconds until the next try.
        retry_in: u64,
    },
    /// There is no memory for a document that another worker fetched.
    NoMemory {
        /// A provider of the source.
        provider: Arc<str>,
        /// The kind of the document.
        document: DocumentKind,
    },
    /// The last good document is older than `max_stale`: tokens are refused.
    TooOld {
        /// A provider of the source.
        provider: Arc<str>,
        /// The kind of the document.
        document: DocumentKind,
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

/// The target of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPlace {
    /// The URI, without the content of its query.
    pub uri: Shown,
    /// The proxy's cluster that it was sent through. Empty if it was sent directly.
    pub cluster: Arc<str>,
}

impl fmt::Display for FetchPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri)?;
        if self.cluster.is_empty() {
            return Ok(());
        }
        write!(f, " through the cluster `{}`", self.cluster)
    }
}

impl Event {
    /// The severity.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Refused(_) | Self::Reported(_) => Level::Debug,
            Self::KeysLoaded { .. } | Self::ListLoaded { .. } => Level::Info,
            Self::KeysSkipped { .. }
            | Self::MoreKeysSkipped { .. }
            | Self::ListNearLimit { .. } => Level::Warn,
            Self::FetchFailed { serving, .. } => {
                if *serving {
                    Level::Warn
                } else {
                    Level::Error
                }
            }
            Self::NoMemory { .. } | Self::TooOld { .. } => Level::Error,
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
            Self::ListLoaded { provider, entries } => write!(
                f,
                "provider `{provider}`: loaded the revocation list, {entries} entries"
            ),
            Self::ListNearLimit { provider, size } => write_near_limit(f, provider, *size),
            Self::FetchFailed {
                provider,
                document,
                place,
                failure,
                serving,
                retry_in,
            } => {
                let words = Words::of(*document);
                let state = if *serving { words.used } else { words.none };
                write!(
                    f,
                    "provider `{provider}`: fetching {} failed: {place}: {failure}; {state}; \
                     next attempt in {retry_in} s",
                    words.name
                )
            }
            Self::NoMemory { provider, document } => {
                let used = Words::of(*document).used;
                write!(f, "provider `{provider}`: {NO_MEMORY}; {used}")
            }
            Self::TooOld { provider, document } => write!(
                f,
                "provider `{provider}`: {} older than `max_stale`; \
                 its tokens are answered 503 until a fetch succeeds",
                Words::of(*document).last
            ),
        }
    }
}

fn write_near_limit(
    f: &mut fmt::Formatter<'_>,
    provider: &str,
    ListSize { bytes, entries }: ListSize,
) -> fmt::Result {
    write!(
        f,
        "provider `{provider}`: the revocation list is close to its limits: {entries} of {MAX_ENTRIES} entries, \
         {bytes} of {MAX_LIST_BYTES} bytes. A longer list is not accepted; remove entries of tokens that have expired"
    )
}

/// The words for a kind of document.
struct Words {
    name: &'static str,
    last: &'static str,
    used: &'static str,
    none: &'static str,
}

impl Words {
    const fn of(document: DocumentKind) -> Self {
        match document {
            DocumentKind::KeySet => Self {
                name: "keys",
                last: "the last good keys are",
                used: "the last good keys are used",
                none: "no keys are available, its tokens are answered 503",
            },
            DocumentKind::RevocationList => Self {
                name: "the revocation list",
                last: "the last good revocation list is",
                used: "the last good list is used",
                none: "no list is available, its tokens are answered 503",
            },
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
