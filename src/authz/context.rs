//! The inputs of a decision besides the policy and the request.

use std::sync::Arc;

use super::Verifications;
use crate::crypto::HostSignatures;
use crate::jwk::{AskedKid, KeySet};
use crate::jwt::KnownHeaders;
use crate::policy::SourceId;
use crate::time::UnixTime;

/// The inputs of a decision besides the policy and the request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The key cache.
    pub keys: &'a dyn Keys,
    /// The cache of verified tokens.
    pub remembered: &'a dyn Remembered,
    /// The proxy's own signature verification.
    pub host_signatures: &'a dyn HostSignatures,
    /// When the request arrived. A `kid` is unknown only if keys fetched later
    /// lack it.
    pub arrived: UnixTime,
    /// The time of the decision.
    pub now: UnixTime,
}

/// The key cache at the time of a decision.
pub trait Keys {
    /// The keys of a source that may verify tokens now, if there are any.
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>>;

    /// Whether `kid` was found absent so recently that it is not fetched again.
    fn is_absent(&self, source: SourceId, kid: &AskedKid<'_>) -> bool;
}

/// The keys of one source at the time of a decision.
#[derive(Clone, Copy, Debug)]
pub struct CurrentKeys<'a> {
    /// The keys.
    pub set: &'a KeySet,
    /// When their fetch began.
    pub fetch_started_at: UnixTime,
    /// The issuer published the keys at this time or later. It is earlier than
    /// the fetch if they come from an HTTP cache.
    pub as_of: UnixTime,
}

/// The cache of verified tokens.
pub trait Remembered {
    /// The results of an earlier verification of this token.
    fn recall(&self, token: &[u8]) -> Option<Arc<Verifications>>;

    /// The headers of these tokens, if they are kept.
    fn headers(&self) -> Option<&KnownHeaders> {
        None
    }
}
