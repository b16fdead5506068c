//! The effects that the engine requests.

use super::fetch::FetchCall;
use crate::authz::{Facts, Forward};
use crate::http::LocalReply;
use crate::telemetry::{Event, Measurement, Reason};

/// Identifies a request during its lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// An action that the host must perform. What is rare is boxed, because each request moves
/// several effects.
#[derive(Debug)]
pub enum Effect {
    /// The decision about a request. It is emitted exactly once for each request.
    Answer(Box<Answer>),
    /// A request to an issuer. The host reports its outcome to
    /// [`super::Engine::fetched`], even if it could not be sent.
    Fetch(Box<FetchCall>),
    /// A change of a metric.
    Measure(Measurement),
    /// A log line.
    Log(Box<Event>),
}

#[cfg(test)]
impl Effect {
    /// The decision, if this is one.
    pub(crate) fn answer(self) -> Option<Box<Answer>> {
        match self {
            Self::Answer(answer) => Some(answer),
            Self::Fetch(_) | Self::Measure(_) | Self::Log(_) => None,
        }
    }
}

/// How a request was decided.
#[derive(Debug)]
pub struct Answer {
    /// The request.
    pub stream: StreamId,
    /// The action.
    pub action: Action,
    /// The reason for the action.
    pub reason: Reason,
    /// What is known about the request.
    pub facts: Facts,
}

/// What happens to a decided request.
#[derive(Debug)]
pub enum Action {
    /// The request is forwarded to the upstream with these changes.
    Forward(Forward),
    /// The filter answers the request with this reply.
    Reply(LocalReply),
}
