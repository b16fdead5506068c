//! Problems of a provider.

use std::fmt;

use super::Excerpt;
use crate::config::path::ConfigPath;
use crate::crypto::Algorithm;
use crate::dpop::BadOrigin;
use crate::http::BadHostPattern;
use crate::jwk::{KeySetError, SkipReason};
use crate::policy::BadUri;

/// The problem of a value in `providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderProblem {
    /// A name that is too long or has characters that metrics do not allow.
    Name(Excerpt),
    /// A text that is not a URI to fetch from.
    Uri(Excerpt, BadUri),
    /// An issuer that is not a URI, although its metadata are found by it.
    NotDiscoverable(Excerpt, BadUri),
    /// An issuer with a query, which RFC 8414 section 2 does not allow.
    IssuerQuery(Excerpt),
    /// A name that is not an algorithm, or not a supported one.
    Algorithm(Excerpt),
    /// `none`, which means that there is no signature.
    AlgorithmNone,
    /// An algorithm of `dpop` with a shared secret.
    SymmetricProof(Algorithm),
    /// A text of `dpop` that is not an origin.
    ProofOrigin(Excerpt, BadOrigin),
    /// Neither `cluster` nor `inline`, in a host that fetches through clusters.
    NoCluster,
    /// Keys that would become stale before they are fetched again.
    StaleBeforeRefresh {
        /// `refresh` in force.
        refresh: Box<str>,
        /// `max_stale` in force.
        max_stale: Box<str>,
    },
    /// An invalid host in `hosts`.
    Host(Excerpt, BadHostPattern),
    /// A wildcard in `hosts`, where each host needs its own cluster.
    WildHost(Excerpt),
    /// The issuer's own host among the further hosts, with another cluster.
    OwnHost,
    /// Other further hosts than another provider of the same issuer has. The two
    /// share their keys.
    OtherHosts {
        /// The hosts of that provider.
        than: ConfigPath,
    },
    /// The inline text is not a key set.
    KeySet(KeySetError),
    /// An inline key that cannot be used. Fetched ones are skipped, but the
    /// author of a configuration expects each inline key to be used.
    Key(SkipReason),
    /// A secret among the inline keys whose algorithms are not listed. Without
    /// the list no token could be verified with it.
    Secret {
        /// The algorithms that it can be used with.
        fits: Vec<Algorithm>,
    },
}

const NO_CLUSTER: &str = "has none of `cluster` and `inline`; write the Envoy cluster that \
    reaches the issuer. Only edge-authz-server fetches without a cluster";

impl fmt::Display for ProviderProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                out,
                "{name} is not a valid provider name; write 1 to 64 of a–z, 0–9, `_` and `-`"
            ),
            Self::Uri(uri, reason) => write!(out, "{uri} {}", bad_uri(*reason)),
            Self::NotDiscoverable(issuer, reason) => write!(
                out,
                "{issuer} {}, or give `jwks` a `uri`; without it the keys are found through discovery",
                bad_uri(*reason)
            ),
            Self::IssuerQuery(issuer) => write!(
                out,
                "{issuer} has a query, so its keys cannot be discovered; give `jwks` a `uri`"
            ),
            Self::Algorithm(name) => {
                write!(out, "{name} is not a supported algorithm; write one or more of ")?;
                algorithms(out, &Algorithm::ALL)
            }
            Self::AlgorithmNone => out.write_str(
                "`none` means no signature, so anybody could make such a token; remove it",
            ),
            Self::SymmetricProof(algorithm) => write!(
                out,
                "`{algorithm}` needs a secret that the server shares, which proves nothing; write `ES256`, `EdDSA` \
                 or another algorithm with a private key"
            ),
            Self::ProofOrigin(origin, reason) => write!(
                out,
                "{origin} {reason}; write for example `https://api.example.com`"
            ),
            Self::NoCluster => out.write_str(NO_CLUSTER),
            Self::StaleBeforeRefresh { refresh, max_stale } => write!(
                out,
                "`refresh` ({refresh}) is longer than `max_stale` ({max_stale}); \
                 write a `max_stale` that is at least as long"
            ),
            Self::Host(host, reason) => write!(out, "{host}: {reason}"),
            Self::WildHost(host) => {
                write!(
                    out,
                    "{host} has a wildcard; write each host with its cluster"
                )
            }
            Self::OwnHost => out
                .write_str("is the issuer's own host, which `cluster` reaches; write the same cluster, or remove it"),
            Self::OtherHosts { than } => write!(
                out,
                "differs from {than}, which discovers the same issuer through the same cluster; write the same in both"
            ),
            Self::KeySet(error) => {
                write!(out, "{error}; write `{{keys: […]}}`, or the same as text")
            }
            Self::Key(reason) => write!(out, "cannot be used: {reason}; fix or remove the key"),
            Self::Secret { fits } => {
                out.write_str("is a secret, but `algorithms` lists no algorithm for it; add ")?;
                algorithms(out, fits)
            }
        }
    }
}

fn algorithms(out: &mut fmt::Formatter<'_>, algorithms: &[Algorithm]) -> fmt::Result {
    for (number, algorithm) in algorithms.iter().enumerate() {
        let between = if number > 0 { ", " } else { "" };
        write!(out, "{between}{algorithm}")?;
    }
    Ok(())
}

pub(super) const fn bad_uri(reason: BadUri) -> &'static str {
    match reason {
        BadUri::Character => "has a character that is not allowed in a URL; encode it",
        BadUri::Scheme => "is not a URL; write one that begins with `https://` or `http://`",
        BadUri::Host => {
            "has no valid host and port; write for example `https://issuer.example.com/`"
        }
        BadUri::UserInfo => "has user information before the host; remove it",
        BadUri::Fragment => "has a fragment; remove the `#` and what follows",
    }
}
