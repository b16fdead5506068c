//! What is decided about a request.

use std::fmt;
use std::sync::Arc;

use super::{Forward, Refusal};
use crate::cors::{PreflightFault, ResponseCors};
use crate::http::LocalReply;
use crate::jwt::VerifiedJwt;
use crate::policy::{ProviderId, Responses, SourceId};
use crate::telemetry::Reason;

/// What is decided about a request.
#[derive(Debug)]
pub struct Decision {
    /// What happens to it.
    pub verdict: Verdict,
    /// What is known of it, decided or not.
    pub facts: Facts,
    /// What the decision has shown to whoever remembers.
    pub learned: Learned,
}

/// What happens to a request.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on to the upstream.
    Forward(Forward),
    /// It is answered here, for this reason.
    Reply(Reason, LocalReply),
    /// It cannot be decided until one of these sources has other keys.
    Wait(Vec<Wanted>),
}

/// What is known of a request besides what happens to it. Names are as
/// configured.
#[derive(Debug, Default)]
pub struct Facts {
    /// The route that it reached.
    pub route: Option<Arc<str>>,
    /// The provider of its token, where one took part.
    pub provider: Option<Arc<str>>,
    /// The issuer of its token, where it was good.
    pub issuer: Option<Arc<str>>,
    /// What CORS does to the answer that the client gets.
    pub cors: Option<ResponseCors>,
    /// What it asked for in vain, if it is a preflight.
    pub preflight: Vec<PreflightFault>,
}

/// What a decision has shown that later ones can use, whatever the verdict.
#[derive(Debug, Default)]
pub struct Learned {
    /// What the token newly verified as.
    pub verified: Option<Verified>,
    /// The token's `kid`, where keys fetched after the request came lack it:
    /// whoever asks for it next need not wait.
    pub absent: Option<Absent>,
    /// Sources whose keys should have verified the token and did not: they may
    /// have others by now.
    pub doubted: Vec<SourceId>,
    /// Whether the token was remembered; absent where none was looked at.
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

impl Decision {
    /// A decision that needs no token.
    pub(super) fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            facts: Facts::default(),
            learned: Learned::default(),
        }
    }

    /// The reason of the verdict; absent while there is none.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.verdict.reason()
    }
}

impl Verdict {
    /// The request is refused.
    pub(super) fn refused(refusal: &Refusal, responses: &Responses) -> Self {
        Self::Reply(refusal.reason, refusal.reply(responses))
    }

    /// Why; absent while nothing is decided.
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
    /// Nothing of the token's text: it is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Verified({:?})", self.jwt)
    }
}
