//! The program that is shipped, for one kind of proxy.

use crate::proxies::Kind;
use crate::support::program::Program;

/// Starts the server with a configuration, and waits until it listens.
pub(crate) fn authorizer(kind: Kind, configuration: &str) -> Program {
    let options = ["--http", "ADDRESS", "--preset", kind.name(), "--drain", "0"];
    Program::new(&options, configuration).started()
}
