//! The decisions of two judges about one request.

use super::{Action, Answer};
use crate::authz::ResponseNonce;
use crate::cors::ResponseCors;
use crate::policy::Policy;
use crate::telemetry::Reason;

/// The decisions of two judges about one request so far: the judge of its listener, and
/// the judge of a policy that narrows the listener's.
///
/// The request is forwarded only if both allow it. It is refused as soon as one of them
/// refuses it.
#[derive(Debug, Default)]
pub struct Pair {
    listener: Option<Box<Answer>>,
    narrower: Option<Box<Answer>>,
}

/// One of the two judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The judge of the listener's policy.
    Listener,
    /// The judge of the policy that narrows it.
    Narrower,
}

impl Pair {
    /// Records the decision of one judge. A later decision of the same judge is ignored.
    pub fn decided(&mut self, side: Side, answer: Box<Answer>) {
        let known = match side {
            Side::Listener => &mut self.listener,
            Side::Narrower => &mut self.narrower,
        };
        known.get_or_insert(answer);
    }

    /// The CORS headers that this judge has found.
    #[must_use]
    pub fn cors(&self, side: Side) -> Option<&ResponseCors> {
        let known = match side {
            Side::Listener => &self.listener,
            Side::Narrower => &self.narrower,
        };
        known.as_ref()?.facts.cors.as_ref()
    }

    /// Whether the listener's decision is final, so that the other judge is not needed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let is_final = |answer: &Answer| is_reply(answer) && answer.reason != Reason::Preflight;
        self.listener.as_deref().is_some_and(is_final)
    }

    /// The combined decision, as soon as a missing decision cannot change it. Both judges
    /// must have received the request, unless [the decision is final](Self::is_over).
    /// `listener` is the listener's policy, and `cors` are the CORS headers for the
    /// answer.
    #[must_use]
    pub fn take(&mut self, listener: &Policy, cors: Option<ResponseCors>) -> Option<Box<Answer>> {
        let mut answer = match (self.listener.take(), self.narrower.take()) {
            (Some(outer), inner) if is_reply(&outer) => {
                let refused = inner.filter(|inner| refuses_preflight(inner, &outer));
                refused.unwrap_or(outer)
            }
            (_, Some(inner)) if is_refusal(&inner) => inner,
            (Some(outer), Some(inner)) => Box::new(both(*outer, *inner, listener)),
            (outer, inner) => {
                (self.listener, self.narrower) = (outer, inner);
                return None;
            }
        };
        // These answers already have all their headers.
        let is_complete = matches!(
            answer.reason,
            Reason::Preflight | Reason::PreflightRefused | Reason::ResourceMetadata
        );
        if !is_complete {
            let nonce = answer.facts.nonce.as_ref();
            let has_nonce = nonce.is_some_and(ResponseNonce::is_fresh);
            answer.facts.cors = cors.map(|cors| cors.exposing_nonce(has_nonce));
        }
        Some(answer)
    }
}

const fn is_reply(answer: &Answer) -> bool {
    matches!(answer.action, Action::Reply(_))
}

/// Whether the request is refused. A preflight may be refused with a 204.
fn is_refusal(answer: &Answer) -> bool {
    match &answer.action {
        Action::Reply(reply) => reply.status >= 400 || answer.reason == Reason::PreflightRefused,
        Action::Forward(_) => false,
    }
}

/// Whether `inner` refuses a preflight that `outer`, the listener's answer, allows.
fn refuses_preflight(inner: &Answer, outer: &Answer) -> bool {
    outer.reason == Reason::Preflight && inner.reason == Reason::PreflightRefused
}

/// Combines the decisions if the listener allows the request and the other judge does not
/// refuse it.
fn both(outer: Answer, inner: Answer, listener: &Policy) -> Answer {
    let stream = outer.stream;
    let (action, reason, facts) = match (outer.action, inner.action) {
        (Action::Forward(passes), Action::Forward(narrower)) => {
            let yields = passes.yields_to(&narrower);
            let is_reported = [passes.unenforced(), narrower.unenforced()].map(|one| one.is_some());
            let (mut facts, other) = if yields {
                (inner.facts, outer.facts)
            } else {
                (outer.facts, inner.facts)
            };
            // The log shows the steps of the policy that reports.
            let of_other = match is_reported {
                [true, _] => yields,
                [false, true] => !yields,
                [false, false] => false,
            };
            if of_other {
                facts.steps = other.steps;
            }
            facts.nonce = ResponseNonce::combined(facts.nonce.take(), other.nonce);
            let forward = passes.narrowed_by(narrower, &listener.upstream);
            let reason = forward.reason();
            (Action::Forward(forward), reason, facts)
        }
        (_, inner_action) => (inner_action, inner.reason, inner.facts),
    };
    Answer {
        stream,
        action,
        reason,
        facts,
    }
}
