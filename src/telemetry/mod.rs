//! What the filter tells its operator: the closed sets of reasons, metrics and
//! log events.
//!
//! Nothing here takes free text from a request. A token, a key or the value of
//! a claim has no way into a log line, a metric or an answer.

mod event;
mod metric;
mod reason;

pub use event::{Event, FetchFailure, Level};
pub use metric::{CacheResult, FetchResult, Metric};
pub use reason::Reason;
