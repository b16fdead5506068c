//! Probes and metrics.
//!
//! * `/live`: the process runs;
//! * `/ready`: it can decide requests;
//! * `/metrics`: the metrics in Prometheus' text format.

mod metrics;
mod readiness;
mod serve;

pub use metrics::render;
pub use readiness::Readiness;
pub use serve::{Admin, serve};
