//! What the filter tells its operator: the closed sets of reasons, metrics,
//! entries of the filter state and log events.
//!
//! Nothing here takes free text from a request, only the names that a preflight
//! asks for, where they have the form of such names. A token, a key or the value
//! of a claim has no way into a log line, a metric or an answer. What an issuer's
//! metadata say reaches a log line as [`Shown`] only, which is short and cannot
//! be mistaken for the line around it.

mod event;
mod fetch_failure;
mod filter_state;
mod metric;
mod reason;
mod shown;

pub use event::{Event, FetchPlace, Level};
pub use fetch_failure::{FetchFailure, NotSent, ProxyCause};
pub use filter_state::FilterState;
pub use metric::{
    CacheResult, Change, Family, FetchResult, Measurement, Metric, MetricKind, Series,
};
pub use reason::Reason;
pub use shown::Shown;
