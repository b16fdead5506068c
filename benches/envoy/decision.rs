//! The time of a decision in the server's process.

use serde::Deserialize;

use crate::machine::{ENVOY_CORE, pinned};
use crate::support::tools;

/// What `hosts/server/examples/decision.rs` has measured, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Decision {
    /// About a new RS256 token.
    pub(crate) new: f64,
    /// About a cached token.
    pub(crate) cached: f64,
}

/// Measures in a process that is compiled as the server is.
pub(crate) fn measure() -> Decision {
    let program = tools::root().join("target/native/examples/decision");
    let program = tools::found(program, "run `make decision`");
    let output = pinned(ENVOY_CORE, &program).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let decision: Decision = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{:?}", output.stderr));
    eprintln!("A decision in the server's process");
    eprintln!("  a new RS256 token {:>7.1} us", decision.new);
    eprintln!("  a cached token    {:>7.1} us", decision.cached);
    decision
}
