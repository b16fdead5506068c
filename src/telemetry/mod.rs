//! What the filter tells its operator: the closed sets of reasons, metrics,
//! entries of the filter state and log events.
//!
//! Nothing here takes free text from a request. A token, a key or the value of
//! a claim has no way into a log line, a metric or an answer.

mod event;
mod filter_state;
mod metric;
mod reason;

pub use event::{Event, FetchFailure, Level};
pub use filter_state::FilterState;
pub use metric::{CacheResult, FetchResult, Metric};
pub use reason::Reason;
