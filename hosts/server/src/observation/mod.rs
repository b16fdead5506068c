//! The metrics and log lines of the process.

mod log;
mod registry;
mod sink;

pub use log::{Format, Log};
pub use registry::Registry;
pub use sink::Sink;
