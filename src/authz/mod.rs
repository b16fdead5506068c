//! The decision about one request: `evaluate(policy, keys, request, now)`.
//!
//! Pure. It changes nothing, waits for nothing and knows no proxy: where keys
//! are missing it says so, and is asked again when they are there. The steps
//! and their order are those of the type chain
//! `RequestHead → NormalPath → RouteMatch → Credentials → UnverifiedJwt →
//! VerifiedJwt → ValidClaims → Permit → Verdict`: none can be skipped, since
//! each takes what only the one before makes.

mod credentials;
mod evaluate;
mod form;
mod identity;
mod parts;
mod refusal;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;
use std::sync::Arc;

pub use credentials::{Credentials, Presented, Token};
pub use evaluate::{Context, evaluate};
pub use parts::Parts;
pub use refusal::Refusal;

use crate::cors::{PreflightFault, ResponseCors};
use crate::http::{HeaderEdit, LocalReply};
use crate::jwk::{AskedKid, KeySet};
use crate::jwt::{KnownHeaders, VerifiedJwt};
use crate::policy::{ProviderId, RouteId, SourceId};
use crate::telemetry::Reason;
use crate::time::UnixTime;

/// Where keys come from: what the key cache knows at the time of a decision.
pub trait Keys {
    /// The keys of a source that may verify tokens now, if there are any.
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>>;

    /// Whether `kid` was found absent so lately that nobody asks again.
    fn is_absent(&self, source: SourceId, kid: &AskedKid<'_>) -> bool;
}

/// The keys of one source at the time of a decision.
#[derive(Clone, Copy, Debug)]
pub struct CurrentKeys<'a> {
    /// The keys.
    pub set: &'a KeySet,
    /// When their fetch began.
    pub fetched_from: UnixTime,
    /// The issuer published them at this time or later: earlier than their
    /// fetch where they come from an HTTP cache.
    pub as_of: UnixTime,
}

/// The tokens that verified before.
pub trait Remembered {
    /// What this token verified as, once for every provider it did for.
    fn recall(&self, token: &[u8]) -> Option<&[(ProviderId, Arc<VerifiedJwt>)]>;

    /// Their headers, where they are kept.
    fn headers(&self) -> Option<&KnownHeaders> {
        None
    }
}

/// What is decided about a request.
#[derive(Debug)]
pub struct Decision {
    /// What happens to it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The route that it reached.
    pub route: Option<RouteId>,
    /// What it asked for in vain, if it is a preflight.
    pub preflight: Vec<PreflightFault>,
    /// The provider of its token, where one took part.
    pub provider: Option<ProviderId>,
    /// What CORS does to its answer.
    pub cors: Option<ResponseCors>,
    /// What its token newly verified as: worth remembering, whatever the
    /// verdict.
    pub verified: Option<Verified>,
    /// Its token's `kid`, where keys fetched after the request came lack it:
    /// whoever asks for it next need not wait.
    pub absent: Option<Absent>,
    /// Sources whose keys should have verified its token and did not: they may
    /// have others by now.
    pub doubted: Vec<SourceId>,
    /// Whether its token was remembered; absent where none was looked at.
    pub recalled: Option<bool>,
}

/// A token that has newly verified.
pub struct Verified {
    /// Its whole text.
    pub token: Box<[u8]>,
    /// The provider whose key has signed it.
    pub provider: ProviderId,
    /// What it verified as.
    pub jwt: Arc<VerifiedJwt>,
}

impl fmt::Debug for Verified {
    /// Nothing of the token's text: it is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Verified({:?})", self.jwt)
    }
}

/// What happens to a request.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on to the upstream.
    Forward(Forward),
    /// It is answered here.
    Reply(LocalReply),
    /// It cannot be decided until one of these sources has other keys.
    Wait(Vec<Wanted>),
}

/// What goes on to the upstream, and what is known of it.
#[derive(Debug, Default)]
pub struct Forward {
    /// The changes of its header fields, in order.
    pub edits: Vec<HeaderEdit<'static>>,
    /// The token's `sub`, where it can be written in a log line.
    pub subject: Option<Box<str>>,
    /// Identity headers left absent because a value cannot stand in one.
    pub dropped: usize,
}

/// Keys that are needed and not there. A request may want those of a thousand
/// sources, so this is small, whatever its token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The source.
    pub source: SourceId,
    /// Whether its keys lack the token's `kid`; else it has no keys at all.
    pub lacks_kid: bool,
}

/// A `kid` that was shown not to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The `kid`.
    pub kid: Box<str>,
    /// The sources whose keys lack it.
    pub sources: Vec<SourceId>,
}
