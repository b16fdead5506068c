//! Updates of the configuration: watches the file, and compiles what is new.

mod file;
mod updates;
mod watch;

pub use file::{ConfigurationFile, Text};
pub use updates::{Counts, Updates};
pub use watch::{Watcher, watch};
