//! The decision about a request.

use std::fmt;
use std::sync::Arc;

use super::{Forward, Refusal, ResponseNonce};
use crate::cors::{PreflightFault, ResponseCors};
use crate::http::LocalReply;
use crate::jwk::KidDigest;
use crate::jwt::VerifiedJwt;
use crate::policy::{Policy, ProviderId, Responses, SourceId};
use crate::telemetry::{DocumentKind, Reason};

/// The decision about a request.
#[derive(Debug)]
pub struct Decision {
    /// What happens to the request.
    pub verdict: Verdict,
    /// What is known about the request, decided or not.
    pub facts: Facts,
    /// What later decisions can reuse.
    pub learned: Learned,
}

/// What happens to a request.
#[derive(Debug)]
pub enum Verdict {
    /// The request is forwarded to the upstream.
    Forward(Forward),
    /// The filter answers the request, for this reason.
    Reply(Reason, LocalReply),
    /// The request cannot be decided until one of these documents has arrived or changed.
    Wait(Vec<NeededDocument>),
}

/// What is known about a request besides its verdict. Names are as configured.
#[derive(Debug, Default)]
pub struct Facts {
    /// The route of the request.
    pub route: Option<Arc<str>>,
    /// The provider of its token, if one took part.
    pub provider: Option<Arc<str>>,
    /// The issuer of its token, if the token was valid.
    pub issuer: Option<Arc<str>>,
    /// The CORS headers of the response.
    pub cors: Option<ResponseCors>,
    /// What happens to the `DPoP-Nonce` of the upstream's response. `None` if it is passed on
    /// as it is.
    pub nonce: Option<ResponseNonce>,
    /// What a preflight requests and the policy does not allow. Empty for other
    /// requests.
    pub preflight: Vec<PreflightFault>,
    /// The description of the decision's steps, if it was requested.
    pub steps: Option<Box<str>>,
}

/// What later decisions can reuse, independent of the verdict.
#[derive(Debug, Default)]
pub struct Learned {
    /// The result of verifying the token, if it was verified now.
    pub verified: Option<Box<Verified>>,
    /// The token's `kid`, if keys fetched after the request arrived lack it:
    /// later requests with this `kid` need not wait.
    pub absent: Option<Box<Absent>>,
    /// The token's `kid`, if keys lack it that may be outdated, and the request does not
    /// wait for newer ones.
    pub sought: Option<Box<Sought>>,
    /// Sources whose keys should have verified the token and did not. They may
    /// have other keys by now.
    pub doubted: Vec<SourceId>,
    /// Whether a request that waits needs the client certificate of its connection, which
    /// the host may not report later.
    pub needs_certificate: bool,
    /// Whether the token was in the token cache. `None` if no token was looked up.
    pub recalled: Option<bool>,
}

/// A token that was verified for the first time.
pub struct Verified {
    /// The whole token.
    pub token: Box<[u8]>,
    /// The provider whose key signed it.
    pub provider: ProviderId,
    /// The verified token.
    pub jwt: Arc<VerifiedJwt>,
}

/// A document that is needed but missing: keys, or a revocation list. A request can need
/// the documents of two thousand sources, so the size of this type does not depend on the
/// token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NeededDocument {
    /// The source.
    pub source: SourceId,
    /// Whether its keys lack the token's `kid`. Otherwise it has no document at all.
    pub lacks_kid: bool,
}

impl NeededDocument {
    /// The reason of a refusal because none of these documents has arrived: the keys, unless
    /// only revocation lists are missing.
    #[must_use]
    pub fn unavailable(needed: &[Self], policy: &Policy) -> Reason {
        let is_list = |needed: &Self| {
            let source = policy.source(needed.source);
            source.is_some_and(|source| source.kind == DocumentKind::RevocationList)
        };
        if !needed.is_empty() && needed.iter().all(is_list) {
            Reason::RevocationListUnavailable
        } else {
            Reason::KeysUnavailable
        }
    }
}

/// A `kid` that no key has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The `kid`.
    pub kid: Box<str>,
    /// The sources whose keys lack it.
    pub sources: Vec<SourceId>,
}

/// A `kid` that the current keys of some sources lack, while newer ones may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The digest of the `kid`.
    pub kid: KidDigest,
    /// The sources.
    pub sources: Vec<SourceId>,
}

impl Decision {
    /// Makes a decision that needs no token.
    pub(super) fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            facts: Facts::default(),
            learned: Learned::default(),
        }
    }

    /// The reason of the verdict. `None` while nothing is decided.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.verdict.reason()
    }
}

impl Verdict {
    /// Makes the verdict for a refused request.
    pub(super) fn refused(refusal: &Refusal<'_>, responses: &Responses) -> Self {
        Self::Reply(refusal.reason, refusal.reply(responses))
    }

    /// The reason. `None` while nothing is decided.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Forward(forward) => Some(forward.reason()),
            Self::Reply(reason, _) => Some(*reason),
            Self::Wait(_) => None,
        }
    }
}

impl fmt::Debug for Verified {
    /// `Debug` omits the token because it is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Verified({:?})", self.jwt)
    }
}
