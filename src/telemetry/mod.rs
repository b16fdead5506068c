//! What the filter reports to its operator: the closed sets of reasons, metrics,
//! filter state entries and log events.
//!
//! No free text from a request is reported, only the names that a preflight
//! requests, if they have the form of such names. A token, a key or the value of
//! a claim never reaches a log line, a metric or a response. Text from an
//! issuer's metadata reaches a log line only as [`Shown`], which is short and
//! cannot be mistaken for the line around it.

mod document_kind;
mod event;
mod family;
mod fetch_failure;
mod filter_state;
mod metric;
mod reason;
mod shown;

pub use document_kind::DocumentKind;
pub use event::{Event, FetchPlace, Level, Refused};
pub use family::{Family, MetricKind, Series};
pub use fetch_failure::{FetchFailure, NotSent, ProxyCause};
pub use filter_state::FilterState;
pub use metric::{CacheResult, Change, FetchResult, Measurement, Metric};
pub use reason::Reason;
pub use shown::Shown;
