//! What a host must offer.

use std::fmt::Debug;
use std::time::Duration;

use crate::cors::ResponseCors;
use crate::crypto::HostSignatures;
use crate::engine::{FetchCall, NoRandomness, SharedData, StreamId};
use crate::http::{HeaderEdit, HeaderMap, LocalReply};
use crate::telemetry::{Change, FilterState, Level, Metric, NotSent};
use crate::time::UnixTime;

/// How a host reports to its operator. Nothing here may panic or block, and no decision
/// depends on it.
pub trait Reporting {
    /// The host's id for a metric.
    type MetricId: Copy + Debug;

    /// The lowest level that is written to the log; `None` if nothing is written.
    ///
    /// # Errors
    ///
    /// The host does not report a level.
    fn log_level(&self) -> Result<Option<Level>, HostError>;

    /// Writes a line to the log. A failure has no effect.
    fn log(&self, level: Level, line: &str);

    /// Defines a metric, or finds an existing one. It is called once for each metric that
    /// was measured and has no id yet. The configuration bounds the number of metrics.
    ///
    /// # Errors
    ///
    /// The host does not accept the metric: the measurement is lost.
    fn define_metric(&self, metric: &Metric) -> Result<Self::MetricId, HostError>;

    /// Changes a metric.
    ///
    /// # Errors
    ///
    /// The host refuses the change: the measurement is lost.
    fn change_metric(&self, id: Self::MetricId, change: Change) -> Result<(), HostError>;
}

/// What a host does for a filter, apart from what it does for one request.
///
/// No method may panic or block, for any answer of the host. An error is a value: if a
/// request depends on it, the driver turns it into a refusal.
pub trait Host: Reporting {
    /// Access to one request.
    type Exchange: HttpExchange;
    /// The host's id for a request to an issuer.
    type CallId: Copy + Debug + PartialEq;

    /// The time of day.
    ///
    /// # Errors
    ///
    /// The host has no clock, or the clock fails.
    fn now(&self) -> Result<UnixTime, HostError>;

    /// Fills a secret with random bytes that nobody can guess. It is called about once an hour
    /// while proofs need nonces.
    ///
    /// # Errors
    ///
    /// The host has none. Proofs that need a nonce are not accepted.
    fn random(secret: &mut [u8; 32]) -> Result<(), NoRandomness>;

    /// Asks for ticks with this period, in place of the former one. The period is never
    /// zero.
    ///
    /// # Errors
    ///
    /// The host refuses. The period does not change.
    fn set_tick_period(&self, period: Duration) -> Result<(), HostError>;

    /// Sends a request to an issuer and returns its id. A later callback brings the
    /// answer, or reports that there is none.
    ///
    /// # Errors
    ///
    /// The request was not sent, and no answer will come.
    fn send(&self, call: &FetchCall) -> Result<Self::CallId, NotSent>;

    /// The data that the workers of the proxy share.
    fn shared_data(&self) -> &dyn SharedData;

    /// The host's own signature verification.
    fn signatures(&self) -> &dyn HostSignatures;

    /// Applies a function to a waiting request, outside of its own callbacks: at most
    /// once, and before this returns.
    ///
    /// # Errors
    ///
    /// The request cannot be reached, because its client has left. Nothing was done.
    fn with_waiting(
        &self,
        stream: StreamId,
        act: &mut dyn FnMut(&Self::Exchange),
    ) -> Result<(), HostError>;
}

/// One request and its response, as the host holds them. It may be used in the callbacks
/// of the request and within [`Host::with_waiting`].
pub trait HttpExchange {
    /// All fields of a list. A repeated name has one entry for each value.
    ///
    /// # Errors
    ///
    /// The host does not return the fields, or returns an empty list. It is only asked if
    /// it has reported that there are fields.
    fn headers(&self, list: HeaderList) -> Result<HeaderMap, HostError>;

    /// Changes a field.
    ///
    /// # Errors
    ///
    /// The host refuses. Earlier changes stay in place, so the request must not continue.
    fn edit(&self, list: HeaderList, edit: &HeaderEdit<'_>) -> Result<(), HostError>;

    /// Resumes a paused request. No part of it is read afterwards.
    ///
    /// # Errors
    ///
    /// The host refuses. The request is still paused.
    fn resume(&self) -> Result<(), HostError>;

    /// Answers the request. `cors` is for hosts that do not pass their own answers to the
    /// filter's response callback: they apply it to the answer's headers
    /// ([`ResponseCors::apply`]).
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn reply(&self, reply: &LocalReply, cors: Option<&ResponseCors>) -> Result<(), HostError>;

    /// Resets the stream. This is the last resort if no answer can be sent.
    ///
    /// # Errors
    ///
    /// The host refuses. The request stays paused.
    fn reset(&self) -> Result<(), HostError>;

    /// Sets an entry of the stream's filter state, for access logs and other
    /// filters.
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn set_filter_state(&self, entry: FilterState, value: &str) -> Result<(), HostError>;

    /// The SHA-256 of the client certificate (DER) of the connection, which the host has
    /// verified; `None` if the client presented none.
    ///
    /// # Errors
    ///
    /// The host does not report it, which is not the same as no certificate.
    fn client_certificate_digest(&self) -> Result<Option<[u8; 32]>, HostError>;
}

/// A list of header fields that the host holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderList {
    /// The request's headers, pseudo-headers included.
    Request,
    /// The request's trailers.
    RequestTrailers,
    /// The response's headers.
    Response,
}

/// Why a call of the host failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The requested item does not exist.
    NotFound,
    /// The value has changed since it was read.
    Changed,
    /// The host has no such function, or does not allow it for this filter.
    NoFunction,
    /// The host refused, with this status.
    Refused(u32),
    /// The returned value is malformed.
    Malformed,
    /// The host was not called, because the arguments were not valid.
    NotAsked,
}
