//! Case files: a configuration, and a table of requests with their expected outcomes.
//! `docs/case-files.md` describes the format.
//!
//! 1. `file`, `expand`: YAML to a flat list of cases, each in its world.
//! 2. `key`, `token`: the keys and tokens that a file names, generated at run time.
//! 3. `player`: plays a request on the core, with the file's own clock and issuers. The
//!    result is what the client and the upstream see.
//! 4. `expect`: compares the outcome with the expectation.
//!
//! Native only: it signs tokens, and none of it belongs in the module. It opens no socket
//! and reads no file. The tests play the same cases in a real proxy, and compare.

mod answers;
mod error;
mod expand;
mod expect;
mod file;
mod key;
mod outcome;
mod player;
mod proof;
mod request;
mod signature;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod token_parts;
mod world;

pub use answers::FetchAnswer;
pub use error::{CaseError, Problem};
pub use expect::{Difference, Expectation, ExpectedFields, ExpectedLines, UpstreamExpectation};
pub use file::CaseFile;
pub(crate) use file::FILE_MEMBERS;
pub use outcome::{Fields, Outcome, Seen};
pub use player::Player;
pub use request::{Protocol, Request, USUAL_HOST, UpstreamAnswer};
pub use world::{Case, Side, World};

/// The time at which cases are played if a file sets none: 2026-01-01T00:00:00Z, in
/// seconds since 1970.
pub const DEFAULT_NOW: i64 = 1_767_225_600;
