//! What a host must offer.

use std::fmt::Debug;
use std::time::Duration;

use crate::cors::ResponseCors;
use crate::crypto::HostSignatures;
use crate::engine::{FetchCall, SharedData, StreamId};
use crate::http::{HeaderEdit, HeaderMap, LocalReply};
use crate::telemetry::{Change, FilterState, Level, Metric, NotSent};
use crate::time::UnixTime;

/// What a host does with what a filter tells its operator. Nothing here may panic
/// or block, and no decision depends on it.
pub trait Reporting {
    /// The host's own name of a metric.
    type MetricId: Copy + Debug;

    /// The least level that is written to the log; `None` where nothing is.
    ///
    /// # Errors
    ///
    /// The host does not say.
    fn log_level(&self) -> Result<Option<Level>, HostError>;

    /// Writes a line to the log. Whether that succeeds changes nothing.
    fn log(&self, level: Level, line: &str);

    /// Makes a metric known, or finds it. It is asked once for each metric that
    /// has been measured and that it has not named; their number is bounded by
    /// the configuration.
    ///
    /// # Errors
    ///
    /// The host takes no such metric: what was measured is lost.
    fn define_metric(&self, metric: &Metric) -> Result<Self::MetricId, HostError>;

    /// Changes a metric.
    ///
    /// # Errors
    ///
    /// The host refuses: what was measured is lost.
    fn change_metric(&self, id: Self::MetricId, change: Change) -> Result<(), HostError>;
}

/// What a host does for a filter, apart from what it does for one request.
///
/// Nothing here may panic or block, whatever the host answers. An error is a
/// value: the driver turns it into a refusal where a request depends on it.
pub trait Host: Reporting {
    /// How a request is reached.
    type Exchange: HttpExchange;
    /// The host's own name of a request to an issuer.
    type CallId: Copy + Debug + PartialEq;

    /// The time of day.
    ///
    /// # Errors
    ///
    /// The host has no clock, or does not say.
    fn now(&self) -> Result<UnixTime, HostError>;

    /// Asks for ticks so far apart, in place of those asked for before. The
    /// period is never zero.
    ///
    /// # Errors
    ///
    /// The host refuses: ticks stay as they are.
    fn set_tick_period(&self, period: Duration) -> Result<(), HostError>;

    /// Sends a request to an issuer, and names it. The answer, or that there is
    /// none, comes in a later callback.
    ///
    /// # Errors
    ///
    /// It was not sent, and no answer will come.
    fn send(&self, call: &FetchCall) -> Result<Self::CallId, NotSent>;

    /// The data that the workers of the proxy share.
    fn shared_data(&self) -> &dyn SharedData;

    /// The host's own signature checks.
    fn signatures(&self) -> &dyn HostSignatures;

    /// Does something to a request that waits, outside of its own callbacks: at
    /// most once, and before it returns.
    ///
    /// # Errors
    ///
    /// The request cannot be reached, since its client has left: nothing was
    /// done.
    fn with_waiting(
        &self,
        stream: StreamId,
        act: &mut dyn FnMut(&Self::Exchange),
    ) -> Result<(), HostError>;
}

/// One request and its response, as the host holds them. It may be used in the
/// callbacks of the request and within [`Host::with_waiting`].
pub trait HttpExchange {
    /// All fields of a list, repeated names each with all of their values.
    ///
    /// # Errors
    ///
    /// The host does not hand them over, or hands over nothing: it is asked only
    /// where it said that there are some.
    fn headers(&self, list: HeaderList) -> Result<HeaderMap, HostError>;

    /// Changes a field.
    ///
    /// # Errors
    ///
    /// The host refuses. What was changed before stays changed: the request must
    /// not go on.
    fn edit(&self, list: HeaderList, edit: &HeaderEdit<'_>) -> Result<(), HostError>;

    /// Lets a paused request go on. Nothing of it is read afterwards.
    ///
    /// # Errors
    ///
    /// The host refuses: the request is still paused.
    fn resume(&self) -> Result<(), HostError>;

    /// Answers the request. `cors` is for hosts that do not hand their own answers
    /// to the filter's response callback: they change the answer's headers by it
    /// ([`ResponseCors::apply`]).
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn reply(&self, reply: &LocalReply, cors: Option<&ResponseCors>) -> Result<(), HostError>;

    /// Ends the stream: the last resort where no answer can be sent.
    ///
    /// # Errors
    ///
    /// The host refuses: the request stays paused.
    fn reset(&self) -> Result<(), HostError>;

    /// Sets an entry of the stream's filter state, for access logs and other
    /// filters.
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn set_filter_state(&self, entry: FilterState, value: &str) -> Result<(), HostError>;

    /// The SHA-256 of the certificate (DER) that the client of the connection
    /// has shown and the host has verified; `None` where it has shown none.
    ///
    /// # Errors
    ///
    /// The host does not say, which is not the same as none.
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

/// Why the host did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// There is no such thing.
    NotFound,
    /// The value has changed since it was read.
    Changed,
    /// The host has no such function, or not for this filter.
    NoFunction,
    /// The host refused, with this status.
    Refused(u32),
    /// What it returned is not in the form it should be in.
    Malformed,
    /// It was not asked, since it could not be asked that.
    NotAsked,
}
